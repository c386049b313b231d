/* SPDX-License-Identifier: MIT
 *
 * void native_enter(const RegState *state, uint32_t code32, uint32_t selector): loads the state
 * and goes to it.  The signal handler sends the thread to native_leave.
 */
#define XSAVE_SIZE 2752
#define GPR(n) (XSAVE_SIZE + 8 * (n))
#define RIP    GPR(16)
#define RFLAGS GPR(17)

    .text
    .globl native_enter, native_leave
    .type native_enter, @function
native_enter:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, native_host_rsp(%rip)
    mov RIP(%rdi), %rax
    mov %rax, native_target(%rip)
    mov %edx, 4+native_far(%rip)
    mov %eax, native_far(%rip)
    mov %esi, native_mode(%rip)
    mov %rdi, %rbx
    mov $-1, %eax
    mov $-1, %edx
    xrstor64 (%rbx)
    cmpl $0, %esi
    jne 2f
    rdfsbase %rax
    mov %rax, native_fs(%rip)
    mov $0x00200000, %eax /* FS_BASE */
    wrfsbase %rax
2:
    mov %rbx, %rdi
    pushq RFLAGS(%rdi)
    mov GPR(0)(%rdi), %rax
    mov GPR(1)(%rdi), %rcx
    mov GPR(2)(%rdi), %rdx
    mov GPR(3)(%rdi), %rbx
    mov GPR(5)(%rdi), %rbp
    mov GPR(6)(%rdi), %rsi
    mov GPR(8)(%rdi), %r8
    mov GPR(9)(%rdi), %r9
    mov GPR(10)(%rdi), %r10
    mov GPR(11)(%rdi), %r11
    mov GPR(12)(%rdi), %r12
    mov GPR(13)(%rdi), %r13
    mov GPR(14)(%rdi), %r14
    mov GPR(15)(%rdi), %r15
    cmpl $0, native_mode(%rip)
    jne 1f
    popfq
    mov GPR(4)(%rdi), %rsp
    mov GPR(7)(%rdi), %rdi
    jmp *native_target(%rip)
1:
    popfq
    mov GPR(4)(%rdi), %rsp
    mov GPR(7)(%rdi), %rdi
    ljmpl *native_far(%rip)

native_leave:
    mov native_host_rsp(%rip), %rsp
    cld
    cmpl $0, native_mode(%rip)
    jne 3f
    mov native_fs(%rip), %rax
    wrfsbase %rax
3:
    fninit
    ldmxcsr native_mxcsr(%rip)
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

    .data
    .balign 8
native_host_rsp: .quad 0
native_target: .quad 0
native_far: .long 0, 0x23
native_fs: .quad 0
native_mode: .long 0
native_mxcsr: .long 0x1f80
    .section .note.GNU-stack,"",@progbits
