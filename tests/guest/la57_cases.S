/* SPDX-License-Identifier: MIT */
#include "lib/cases.inc"
    .text
    .code64

    .globl levels_switch
levels_switch:
    push %rbx
    push %rbp
    mov %rdi, %rbx
    mov %rsi, %rbp
    movl $leave_long, far_pointer
    movw $0x38, far_pointer + 4
    ljmp *far_pointer
    .code32
leave_long:
    mov %cr0, %eax
    and $0x7fffffff, %eax
    mov %eax, %cr0
    mov $0xc0000080, %ecx
    rdmsr
    and $~0x100, %eax
    wrmsr
    mov %cr4, %eax
    and $~0x1000, %eax
    test %ebp, %ebp
    jz 1f
    or $0x1000, %eax
1:  mov %eax, %cr4
    mov %ebx, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x100, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80000000, %eax
    mov %eax, %cr0
    ljmp $8, $enter_long
    .code64
enter_long:
    pop %rbp
    pop %rbx
    ret

CASE "LA57 is on"
    mov %cr4, %rax
    and $0x1000, %eax
    ret
CASE "it cannot change in long mode"
    mov %cr4, %rax
    btr $12, %rax
    mov %rax, %cr4
    ret
CASE "CPUID says 57 bits"
    mov $0x80000008, %eax
    cpuid
    movzbl %ah, %eax
    ret
CASE "bit 48"
    movl $0x1234, scratch
    movabs $0x1000000000000 + scratch, %rbx
    mov (%rbx), %eax
    ret
CASE "the upper half begins at ff00000000000000h"
    movabs $0xff00000000000000 + scratch, %rbx
    mov (%rbx), %eax
    ret
CASE "no entry"
    movabs $0x3000000000000, %rbx
    mov (%rbx), %eax
    ret
CASE "PS in a PML5 entry"
    movabs $0x2000000000000, %rbx
    mov (%rbx), %eax
    ret
CASE "the hole begins at bit 56"
    movabs $0x0100000000000000, %rbx
    mov (%rbx), %eax
    ret
CASE "its end"
    movabs $0xfeffffffffffffff, %rbx
    mov (%rbx), %al
    ret
CASE "rbp in the hole"
    movabs $0x0100000000000000, %rbp
    mov (%rbp), %rax
    ret
CASE "jump to bit 48"
    movabs $0x1000000000000 + 1f, %rbx
    jmp *%rbx
1:  lea 0(%rip), %rax
    shr $48, %rax
    mov $2f, %ecx
    jmp *%rcx
2:  ret
CASE "jump into the hole"
    movabs $0x0100000000000000, %rbx
    jmp *%rbx
CASE "LSTAR with 57 bits"
    mov $0xc0000082, %ecx
    xor %eax, %eax
    mov $0x00800000, %edx
    wrmsr
    rdmsr
    mov %rdx, %rax
    ret
CASE "LSTAR in the hole"
    mov $0xc0000082, %ecx
    xor %eax, %eax
    mov $0x01000000, %edx
    wrmsr
    ret
CASE "FS base with 57 bits"
    mov $0xc0000100, %ecx
    mov $scratch, %eax
    mov $0x00010000, %edx
    wrmsr
    mov %fs:0, %r8d
    xor %eax, %eax
    xor %edx, %edx
    wrmsr
    mov %r8, %rax
    ret
CASE "invlpg of 57 bits"
    movabs $0x1000000000000 + scratch, %rbx
    invlpg (%rbx)
    mov (%rbx), %eax
    ret

    .data
    .align 16
far_pointer:
    .skip 16
scratch:
    .skip 16
