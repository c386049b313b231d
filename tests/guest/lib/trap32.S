/* SPDX-License-Identifier: MIT
 *
 * 32-bit exception and interrupt entry (SDM vol. 3, 6.12), and the guarded
 * run: a trap in it ends it, as longjmp would.
 */
    .text
    .code32

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
    .long 1b
    .popsection
    .set vector, vector + 1
    .endr

trap_common:
    cld
    pusha
    push %ds
    push %es
    push %fs
    push %gs
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %esp, %eax
    push %eax
    call trap_handler
    add $4, %esp
    test %eax, %eax
    jnz guard_end
    cmpl $0, emulated
    jne return_by_hand
    pop %gs
    pop %fs
    pop %es
    pop %ds
    popa
    add $8, %esp
    iret

/*
 * KVM's emulator has no protected-mode iret.  Same ring: the frame's upper end
 * is where the interrupted stack pointer was.
 */
return_by_hand:
    pop %gs
    pop %fs
    pop %es
    pop %ds
    mov 40(%esp), %eax  /* ip, flags up to where cs and flags are */
    mov 48(%esp), %ecx
    mov %eax, 48(%esp)
    mov %ecx, 44(%esp)
    popa
    add $12, %esp
    popf
    ret

guard_end:
    mov $0x10, %eax
    mov %eax, %ss
    mov guard_sp, %esp
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    push $2
    popf
    movl $0, guard_sp
    popa
    ret

    .macro clear_registers
    xor %eax, %eax
    xor %ebx, %ebx
    xor %ecx, %ecx
    xor %edx, %edx
    xor %esi, %esi
    xor %edi, %edi
    xor %ebp, %ebp
    .endm

    .globl guard_kernel
guard_kernel:
    mov 4(%esp), %eax
    pusha
    mov %esp, guard_sp
    push $kernel_ok
    push %eax
    clear_registers
    ret

    /* As `int $0x40` would, which KVM's emulator does not know. */
kernel_ok:
    pushf
    push %cs
    push $kernel_ok
    push $0
    push $0x40
    jmp trap_common

    .globl guard_user
guard_user:
    mov 4(%esp), %eax
    pusha
    mov %esp, guard_sp
    mov $0x23, %ecx
    mov %ecx, %ds
    mov %ecx, %es
    mov $user_stack_top - 4, %ecx
    movl $guard_user_ok, (%ecx)
    cmpl $0, emulated
    jne user_by_sysexit
    push $0x23
    push %ecx
    push user_flags
    push $0x1b
    push %eax
    clear_registers
    iret

user_by_sysexit:
    push user_flags
    popf
    mov %eax, %edx
    xor %eax, %eax
    sysexit

    /* The handler takes the fault that this gives at CPL 3 for the end of the case. */
    .globl guard_user_ok
guard_user_ok:
    hlt

    .data
    .globl user_flags
user_flags:
    .long 2
    .bss
    .globl guard_sp
guard_sp:
    .long 0
