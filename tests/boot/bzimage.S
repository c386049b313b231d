/* SPDX-License-Identifier: MIT
 *
 * The smallest bzImage: Linux, Documentation/arch/x86/boot.rst.  With -DENTRY64 it has a 64-bit
 * entry, with -DREAL_ONLY none in protected mode.  Each entry ends the VM with a value of its own.
 */
#include "checks.inc"
#define SETUP_SECTS 1

    .text
    .code16
image:
    .org 0x1f1
    .byte SETUP_SECTS
    .word 0
    .long (image_end - protected + 15) / 16
    .word 0, 0, 0
    .word 0xaa55
    jmp real_start
    .ascii "HdrS"
    .word 0x20f                     /* version */
    .long 0
    .word 0, 0
    .byte 0
    .byte 1                         /* loaded high */
    .word 0
#ifdef REAL_ONLY
    .long 0                         /* no entry in protected mode */
#else
    .long 0x100000
#endif
    .long 0, 0                      /* initrd */
    .long 0
    .word 0
    .byte 0, 0
    .long 0                         /* command line */
    .long 0x7fffffff
    .long 0x200000
    .byte 1                         /* relocatable */
    .byte 21
#ifdef ENTRY64
    .word 1
#else
    .word 0
#endif
    .long 255                       /* longest command line */
    .long 0
    .quad 0
    .long 0, 0
    .quad 0
    .quad 0x400000                  /* preferred address */
    .long 0x10000                   /* memory needed */
    .long 0

/* ds is where the boot sector is; what is above 64 KiB is checked by its physical address. */
real_start:
    cmpl $HDRS, 0x202
    check 1, e
    cmpl $5, 0x21c
    check 2, e
    testb $0x80, 0x211              /* there is a heap */
    check 3, nz
    cmpl $0x20000, 0x228
    check 4, e
    movw $0x2000, %ax
    movw %ax, %fs
    cmpl $CMDLINE, %fs:0
    check 5, e
    cmpl $0x100000, 0x218
    check 6, a
    finish OK_LINUX16

    .org (SETUP_SECTS + 1) * 512
protected:
    .code32
    check_params %esi, %ecx
    cmpl $INITRD, (%ecx)
    check 3, e
    movl 0x228(%esi), %ecx
    cmpl $CMDLINE, (%ecx)
    check 4, e
    cmpl $0x400000, 0x214(%esi)     /* code32_start says where it is */
    check 5, e
    finish OK_LINUX32
    .org (SETUP_SECTS + 1) * 512 + 0x200
    .code64
    check_params %rsi, %ecx
    cmpl $INITRD, (%rcx)
    check 3, e
    movl 0x228(%rsi), %ecx
    cmpl $CMDLINE, (%rcx)
    check 4, e
    finish OK_LINUX64
    .balign 16
image_end:
