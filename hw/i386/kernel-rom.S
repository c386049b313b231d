/* SPDX-License-Identifier: MIT
 *
 * Expansion ROM that starts a 32-bit -kernel (multiboot, PVH) after firmware has run.  Plug and
 * Play BIOS Specification 1.0a, 3.0 (expansion header; bootstrap entry vector).
 *
 * By fw_cfg's DMA it fetches a table (key SETUP_DATA: see kernel-rom.c), then the pieces of the
 * kernel one after the other out of KERNEL_DATA, then zeros; and enters the kernel in protected
 * mode with the descriptors that are among the pieces.  Sector count and checksums are filled in
 * by linuxboot.c.
 */
#define KEY_KERNEL   0x11
#define KEY_SIZE     0x17
#define KEY_TABLE    0x18
#define KEY_NOTHING  0x3fff     /* reads as zeros */
#define SCRATCH      0x5000     /* a descriptor, then a value; the stack is below */
#define SCRATCH_BE   0x00500000
#define VALUE        (SCRATCH + 16)
#define TABLE        0x5100     /* entry, eax, ebx, esi; then address, size, bytes of data */
#define FIRST_PIECE  (TABLE + 16)
#define PIECE_SIZE   12
#define GDT          0x600      /* X86_BOOT_GDT and its selectors */
#define GDT_LIMIT    39
#define CODE         0x10
#define DATA         0x18

#define PVH_MAGIC    0x336ec578
#define PVH_RSDP     32
#define BIOS_AREA    0xf0000
#define RSD_         0x20445352
#define PTR_         0x20525450

#define OFFSET(label) (label - kernel_rom)

#include "hw/i386/boot-rom.inc.h"

    rom_head kernel_rom, "32-bit -kernel"

    .balign 4
gdt_pointer:
    .word GDT_LIMIT
    .long GDT

boot:
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    movl $(SCRATCH - 16), %esp
    movw $KEY_SIZE, %ax
    movl $4, %ebx
    movl $VALUE, %edi
    callw fetch
    movl VALUE, %ebx
    movl $TABLE, %edi
    movw $KEY_TABLE, %ax
    callw fetch
    leal TABLE(%ebx), %ebp      /* its end */

    movw $KEY_KERNEL, %ax       /* select it; what follows goes on from there */
    xorl %ebx, %ebx
    callw fetch
    movl $FIRST_PIECE, %esi
next_data:
    cmpl %ebp, %esi
    jae zeros
    movl (%esi), %edi
    movl 8(%esi), %ebx
    movl $DMA_READ, %eax
    callw transfer
    addl $PIECE_SIZE, %esi
    jmp next_data

zeros:
    movl $FIRST_PIECE, %esi
next_zeros:
    cmpl %ebp, %esi
    jae start
    movl 8(%esi), %eax
    movl (%esi), %edi
    addl %eax, %edi
    movl 4(%esi), %ebx
    subl %eax, %ebx
    movw $KEY_NOTHING, %ax
    callw fetch
    addl $PIECE_SIZE, %esi
    jmp next_zeros

start:
    lgdtl %cs:OFFSET(gdt_pointer)
    xorl %ecx, %ecx
    movw %cs, %cx
    shll $4, %ecx
    addl $OFFSET(protected), %ecx
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    pushl $CODE
    pushl %ecx
    lretl

    rom_fetch

    .code32
protected:
    movl $DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl %eax, %ss
    movl TABLE, %edx
    movl TABLE + 4, %eax
    movl TABLE + 8, %ebx
    movl TABLE + 12, %esi
    cmpl $PVH_MAGIC, (%ebx)     /* its start information names the RSDP */
    jne enter
    movl $BIOS_AREA, %edi
next_paragraph:
    cmpl $RSD_, (%edi)
    jne not_here
    cmpl $PTR_, 4(%edi)
    jne not_here
    movl %edi, PVH_RSDP(%ebx)
    jmp enter
not_here:
    addl $16, %edi
    cmpl $0x100000, %edi
    jb next_paragraph
enter:
    xorl %ecx, %ecx
    xorl %edi, %edi
    xorl %ebp, %ebp
    jmpl *%edx
kernel_rom_end:
    .code64
    .section .note.GNU-stack, "", @progbits
