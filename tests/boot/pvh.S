/* SPDX-License-Identifier: MIT */
#include "checks.inc"
    .section .note.pvh, "a", @note
    .long 4, 4, 18
    .asciz "Xen"
    .long start

    .text
    .code32
    .globl start
start:
    cmpl $0x336ec578, (%ebx)
    check 1, e
    cmpl $1, 12(%ebx)               /* modules */
    check 2, e
    movl 16(%ebx), %ecx
    cmpl $5, 8(%ecx)
    check 3, e
    movl (%ecx), %ecx
    cmpl $INITRD, (%ecx)
    check 4, e
    movl 24(%ebx), %ecx
    cmpl $CMDLINE, (%ecx)
    check 5, e
    movl 32(%ebx), %ecx
    cmpl $RSD_PTR, (%ecx)
    check 6, e
    cmpl $3, 48(%ebx)               /* entries of the memory map */
    check 7, ae
    movl %cr0, %eax
    andl $0x80000001, %eax
    cmpl $1, %eax
    check 8, e
    cmpl $0, zero
    check 9, e
    movw %ds, %cx
    movw %cx, %ds                   /* the descriptors are there to be reloaded */
    finish OK_PVH
    .bss
    .space 4096
zero:
    .long 0
