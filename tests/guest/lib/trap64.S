/* SPDX-License-Identifier: MIT
 *
 * 64-bit exception and interrupt entry (SDM vol. 3, 6.14), and the guarded
 * run: a trap in it ends it, as longjmp would.
 */
    .text
    .code64

    .set vector, 0
    .rept 256
    .align 8
1:  .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17)
    push $0
    .endif
    push $vector
    jmp trap_common
    .pushsection .rodata
    .if vector == 0
    .globl trap_stubs
trap_stubs:
    .endif
    .quad 1b
    .popsection
    .set vector, vector + 1
    .endr

    .macro push_registers
    push %rax
    push %rcx
    push %rdx
    push %rbx
    push %rbp
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    .endm

    .macro pop_registers
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rbp
    pop %rbx
    pop %rdx
    pop %rcx
    pop %rax
    .endm

    .globl trap_common
trap_common:
    cld
    push_registers
    mov %rsp, %rdi
    call trap_handler
    test %eax, %eax
    jnz guard_end
    cmpl $0, emulated
    jne return_by_hand
    pop_registers
    add $16, %rsp
    iretq

/* KVM's emulator has no iretq.  The same ring only. */
return_by_hand:
    mov 136(%rsp), %rax /* ip */
    mov 152(%rsp), %rcx /* flags */
    mov 160(%rsp), %rdx /* sp */
    mov %rcx, -16(%rdx)
    mov %rax, -8(%rdx)
    sub $16, %rdx
    mov %rdx, 128(%rsp)
    pop_registers
    add $8, %rsp
    mov (%rsp), %rsp
    popf
    ret

guard_end:
    mov $0x10, %eax
    mov %eax, %ss
    mov guard_sp, %rsp
    mov %eax, %ds
    mov %eax, %es
    push $2
    popf
    movq $0, guard_sp
    pop_registers
    ret

    .macro clear_registers
    xor %eax, %eax
    xor %ebx, %ebx
    xor %ecx, %ecx
    xor %edx, %edx
    xor %esi, %esi
    xor %edi, %edi
    xor %ebp, %ebp
    xor %r8d, %r8d
    xor %r9d, %r9d
    xor %r10d, %r10d
    xor %r11d, %r11d
    .endm

    .globl guard_kernel
guard_kernel:
    mov %rdi, %rax
    push_registers
    mov %rsp, guard_sp
    push $kernel_ok
    push %rax
    clear_registers
    ret

    /* As `int $0x40` would, which KVM's emulator does not know. */
kernel_ok:
    push $0x10
    push $0
    pushf
    push $8
    push $kernel_ok
    push $0
    push $0x40
    jmp trap_common

    .globl guard_user
guard_user:
    push_registers
    mov %rsp, guard_sp
    mov $user_stack_top - 8, %rcx
    movq $guard_user_ok, (%rcx)
    cmpl $0, emulated
    jne user_by_sysexit
    push $0x33
    push %rcx
    push user_flags
    push $0x2b
    push %rdi
    clear_registers
    iretq

user_by_sysexit:
    push user_flags
    popf
    mov %rdi, %rdx
    xor %eax, %eax
    xor %edi, %edi
    xor %esi, %esi
    sysexitq

    /* The handler takes the fault that this gives at CPL 3 for the end of the case. */
    .globl guard_user_ok
guard_user_ok:
    hlt

    .bss
    .globl guard_sp
guard_sp:
    .quad 0
