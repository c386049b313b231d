/* SPDX-License-Identifier: MIT
 *
 * A plain executable, of 64 bits or (-m32) 32.
 */
#include "checks.inc"
    .text
    .globl start
start:
#ifdef __x86_64__
    .code64
    leaq stack(%rip), %rsp
    check_params %rsi, %ecx
    cmpl $INITRD, (%rcx)
    check 3, e
    movl 0x228(%rsi), %ecx
    cmpl $CMDLINE, (%rcx)
    check 4, e
    movq 0x70(%rsi), %rcx
    cmpl $RSD_PTR, (%rcx)
    check 5, e
    cmpb $3, 0x1e8(%rsi)
    check 6, ae
    movl $0xfee00030, %ecx          /* mapped up to 4 GiB */
    cmpl $0xffffffff, (%rcx)
    check 7, ne
    finish OK_ELF64
#else
    .code32
    check_params %esi, %ecx
    cmpl $INITRD, (%ecx)
    check 3, e
    movl 0x228(%esi), %ecx
    cmpl $CMDLINE, (%ecx)
    check 4, e
    finish OK_ELF32
#endif
    .bss
    .space 256
stack:
    .long 0
