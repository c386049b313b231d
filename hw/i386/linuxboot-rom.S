/* SPDX-License-Identifier: MIT
 *
 * Expansion ROM that starts the -kernel after firmware has run.  Plug and Play BIOS
 * Specification 1.0a, 3.0 (expansion header; bootstrap entry vector); Linux,
 * Documentation/arch/x86/boot.rst, "Running the Kernel" (16-bit protocol).
 *
 * It fetches four things by fw_cfg's DMA, each as a triple of keys (address, size, data), and
 * jumps to the kernel's setup code.  Sector count and checksum are filled in by linuxboot.c.
 */
#define SCRATCH      0x7000 /* below the boot sector's place: a descriptor, then a value */
#define SCRATCH_BE   0x00700000
#define VALUE        (SCRATCH + 16)
#define SETUP_ADDR   0x16
#define SETUP_STACK  0xfff0

#define OFFSET(label) (label - linuxboot_rom)

#include "hw/i386/boot-rom.inc.h"

    rom_head linuxboot_rom, "Linux -kernel"

boot:
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    movl $(SCRATCH - 16), %esp
    movw $OFFSET(pieces), %si
next_piece:
    movb %cs:2(%si), %al        /* data */
    testb %al, %al
    jz start
    movzbw %cs:1(%si), %ax      /* size */
    callw fetch_value
    movl %eax, %ebx
    testl %ebx, %ebx
    jz piece_done
    movzbw %cs:0(%si), %ax      /* address */
    callw fetch_value
    movl %eax, %edi
    movzbw %cs:2(%si), %ax
    callw fetch
piece_done:
    addw $3, %si
    jmp next_piece

/* The setup code's segment is where it was put. */
start:
    movw $SETUP_ADDR, %ax
    callw fetch_value
    shrl $4, %eax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    movw %ax, %ss
    movl $SETUP_STACK, %esp
    addw $0x20, %ax
    pushw %ax
    pushw $0
    xorl %eax, %eax
    xorl %ebx, %ebx
    xorl %ecx, %ecx
    xorl %edx, %edx
    xorl %esi, %esi
    xorl %edi, %edi
    xorl %ebp, %ebp
    lretw

/* eax = the 32-bit value of key ax */
fetch_value:
    pushl %ebx
    pushl %edi
    movl $4, %ebx
    movl $VALUE, %edi
    callw fetch
    popl %edi
    popl %ebx
    movl VALUE, %eax
    retw

    rom_fetch

/* Keys of address, size and data: kernel, initrd, command line, setup. */
pieces:
    .byte 0x07, 0x08, 0x11
    .byte 0x0a, 0x0b, 0x12
    .byte 0x13, 0x14, 0x15
    .byte 0x16, 0x17, 0x18
    .byte 0, 0, 0
linuxboot_rom_end:
    .code64
    .section .note.GNU-stack, "", @progbits
