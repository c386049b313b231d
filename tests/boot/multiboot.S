/* SPDX-License-Identifier: MIT */
#include "checks.inc"
    .text
    .code32
    .globl start
start:
    jmp entry
    .balign 4
    .long 0x1badb002, 0x3, -(0x1badb002 + 0x3)
entry:
    cmpl $0x2badb002, %eax
    check 1, e
    movl (%ebx), %ecx
    andl $0x4d, %ecx                /* memory, command line, modules, memory map */
    cmpl $0x4d, %ecx
    check 2, e
    cmpl $1, 20(%ebx)               /* modules */
    check 3, e
    movl 24(%ebx), %ecx
    movl 4(%ecx), %edx
    subl (%ecx), %edx
    cmpl $5, %edx
    check 4, e
    movl (%ecx), %ecx
    cmpl $INITRD, (%ecx)
    check 5, e
    movl 16(%ebx), %ecx             /* the file's name, a blank, the command line */
1:  incl %ecx
    cmpb $0x20, (%ecx)
    jne 1b
    cmpl $CMDLINE, 1(%ecx)
    check 6, e
    cmpl $24 * 3, 44(%ebx)
    check 7, ae
    cmpl $639, 4(%ebx)
    check 8, e
    movl %cr0, %eax
    andl $0x80000001, %eax
    cmpl $1, %eax
    check 9, e
    cmpl $0, zero
    check 10, e
    movw %ds, %cx
    movw %cx, %ds
    finish OK_MULTIBOOT
    .bss
    .space 4096
zero:
    .long 0
