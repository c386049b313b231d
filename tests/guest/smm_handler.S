/* SPDX-License-Identifier: MIT
 * What a processor runs at an SMI: copied to SMBASE + 8000h, so it refers to itself only
 * by CS.  DS reaches all of 4 GiB from 0.  It notes what it finds, does what smm_command
 * says, and leaves.
 */
#include "smm.h"

    .text
    .code16
    .globl smm_handler, smm_handler_end
smm_handler:
    mov $smm_block, %esi
    mov $0xfee00300, %edi
    incl %ds:SMM_COUNT(%esi)
    mov %cs, %eax
    mov %eax, %ds:SMM_CS(%esi)
    mov %ds, %eax
    mov %eax, %ds:SMM_DS(%esi)
    mov %cr0, %eax
    mov %eax, %ds:SMM_CR0(%esi)
    mov %cr4, %eax
    mov %eax, %ds:SMM_CR4(%esi)
    mov $0xc0000080, %ecx
    rdmsr
    mov %eax, %ds:SMM_EFER(%esi)
    mov %cs:0xfefc, %eax
    mov %eax, %ds:SMM_REVISION(%esi)
    mov %cs:0xfff8, %eax
    mov %eax, %ds:SMM_RAX(%esi)
    mov %cs:0xff78, %eax
    mov %eax, %ds:SMM_RIP(%esi)
    mov %cs:0xfed0, %eax
    mov %eax, %ds:SMM_SAVED_EFER(%esi)
    movzbl %cs:0xfec9, %eax
    mov %eax, %ds:SMM_HALT(%esi)
    in $0xb2, %al
    movzbl %al, %eax
    mov %eax, %ds:SMM_PORT(%esi)

    mov %ds:SMM_COMMAND(%esi), %eax
    test $1, %eax /* RBX in the saved state */
    jz 1f
    movl $0x13579bdf, %cs:0xffe0
1:  test $2, %eax /* do not go back into hlt */
    jz 1f
    movb $0, %cs:0xfec9
1:  test $4, %eax /* SMBASE */
    jz 1f
    mov %ds:SMM_NEW_BASE(%esi), %ebx
    mov %ebx, %cs:0xff00
1:  test $8, %eax /* an NMI, and time for it to come */
    jz 1f
    movl $0x40400, %ds:(%edi)
    mov $1000, %ecx
2:  pause
    loopl 2b
    mov %ds:SMM_NMIS(%esi), %ebx
    mov %ebx, %ds:SMM_NMIS_INSIDE(%esi)
1:  test $16, %eax /* another SMI: it waits */
    jz 1f
    movl $0, %ds:SMM_COMMAND(%esi)
    movl $0x40200, %ds:(%edi)
    mov $1000, %ecx
2:  pause
    loopl 2b
    mov %ds:SMM_COUNT(%esi), %ebx
    mov %ebx, %ds:SMM_COUNT_INSIDE(%esi)
1:  rsm
smm_handler_end:

    .code64
    .globl smm_rsm
smm_rsm:
    rsm
    ret
