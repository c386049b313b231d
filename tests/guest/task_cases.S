/* SPDX-License-Identifier: MIT */
#include "lib/cases.inc"
    .text
    .code32

CASE "call a TSS, iret back"
    mov $0x11223344, %esi
    lcall $0x30, $0
    mov %esi, %eax
    ret
CASE "call twice goes on behind the iret"
    lcall $0x30, $0
    lcall $0x30, $0
    mov seen, %eax
    ret
CASE "jump to a TSS, jump back"
    movl $1, jump_back
    ljmp $0x30, $0
    mov $0x7777, %eax
    ret
CASE "TS is set by the switch"
    lcall $0x30, $0
    mov %cr0, %eax
    and $8, %eax
    clts
    ret
CASE "call through a task gate"
    lcall $0x48, $0
    mov $1, %eax
    ret
CASE "int through a task gate"
    mov $0x55, %ecx
    int $0x44
    mov %ecx, %eax
    ret
CASE "fault through a task gate"
    ud2
    mov $0x66, %eax
    ret
CASE "call a 16-bit TSS"
    mov $0xdead1234, %esi
    lcall $0x40, $0
    mov %esi, %eax
    ret
CASE "registers come from the TSS"
    lcall $0x30, $0
    mov seen + 4, %eax
    ret
CASE "the outgoing TSS has our registers"
    mov $0x12121212, %ebx
    lcall $0x30, $0
    mov tss + 52, %eax
    ret
CASE "TSS too small"
    lcall $0x50, $0
    ret
CASE "TSS not present"
    lcall $0x58, $0
    ret
CASE "busy TSS"
    lcall $0x28, $0
    ret
CASE "iret to a task that is not busy"
    movl $0x30, tss
    pushf
    orl $0x4000, (%esp)
    popf
    iret
    ret
UCASE "call TSS with DPL 0 from CPL 3"
    lcall $0x30, $0
    ret
UCASE "int through a task gate from CPL 3"
    int $0x44
    mov %cs, %eax
    ret

    .globl task_a, task_b, task_16
/* Entered again at the instruction behind iret. */
task_a:
    incl seen
    mov %eax, seen + 4
    str %ax
    movzwl %ax, %eax
    mov %eax, seen + 8
    cmpl $0, jump_back
    jne 1f
    mov $0xa1a1a1a1, %esi
    iret
    jmp task_a
1:  movl $0, jump_back
    ljmp $0x28, $0

/* The fault handler of vector 6: skips the two bytes of ud2. */
task_b:
    incl seen + 12
    mov tss + 32, %eax
    addl $2, tss + 32
    mov $0xb1b1b1b1, %esi
    iret
    jmp task_b

    .code16
    .balign 16
task_16:
    mov $seen, %ebx
    addl $0x100, (%ebx)
    movzwl %ax, %eax
    mov %eax, 4(%ebx)
    iret
    jmp task_16

    .data
jump_back:
    .long 0
