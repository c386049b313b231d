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
    /* The BIOS can be called; what it does not do it refuses. */
    cld
    movl $real, %esi
    movl $REAL, %edi
    movl $real_end - real, %ecx
    rep movsb
    lgdt gdt_pointer
    lidt ivt_pointer
    ljmp $8, $REAL
    .set REAL, 0x5000
real:
    .code16
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl %cr0, %eax
    andb $0xfe, %al
    movl %eax, %cr0
    ljmp $0, $REAL + real_mode - real
real_mode:
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $REAL, %sp
    int $0x12
    cmpw $639, %ax
    check 11, e
    movb $1, %ah
    int $0x16                       /* no key */
    check 12, e
    movw $0xeeee, %ax
    clc
    int $0x15                       /* no such service */
    check 13, c
    sti                             /* the timer may come */
    movw $1000, %cx
1:  inb $0x80, %al
    loop 1b
    finish OK_MULTIBOOT
real_end:
    .code32
    .balign 8
gdt:
    .quad 0, 0x00009b000000ffff, 0x000093000000ffff
gdt_pointer:
    .word 23
    .long gdt
ivt_pointer:
    .word 0x3ff
    .long 0
    .bss
    .space 4096
zero:
    .long 0
#ifdef LOW /* over all of where the information would else be */
    .data
    .space 0x24000
#endif
