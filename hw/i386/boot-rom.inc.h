/* SPDX-License-Identifier: MIT
 *
 * What the ROMs that start a -kernel have in common: their head, and how they fetch from fw_cfg.
 * Plug and Play BIOS Specification 1.0a, 3.0 (expansion header; bootstrap entry vector).
 *
 * The includer defines SCRATCH, the address of 16 bytes for a DMA descriptor below 64 KiB, and
 * SCRATCH_BE, the same with its bytes reversed; ds is 0.  Sector count and checksums are filled
 * in by linuxboot.c.
 */
#define FW_CFG_DMA   0x514
#define DMA_READ     0x02
#define DMA_SELECT   0x08

/* The beginning of the ROM; bootstrap is at `boot`. */
    .macro rom_head rom, product
    .section .rodata, "a"
    .balign 16
    .globl \rom
    .globl \rom\()_end
\rom:
    .code16
    .byte 0x55, 0xaa
    .byte 0                     /* 512-byte sectors */
    xorw %ax, %ax               /* initialization: nothing to do */
    lretw
    .org \rom + 0x1a
    .word pnp_header - \rom

    .balign 16
pnp_header:
    .ascii "$PnP"
    .byte 1                     /* revision */
    .byte 2                     /* length in 16 bytes */
    .word 0                     /* no further header */
    .byte 0
    .byte 0                     /* checksum: filled in */
    .long 0                     /* device */
    .word vendor - \rom
    .word product - \rom
    .byte 0x02, 0, 0            /* a network-like boot device */
    .byte 0x14                  /* initial program load, shadowable */
    .word 0                     /* boot connection vector */
    .word 0                     /* disconnect vector */
    .word boot - \rom           /* bootstrap entry vector */
    .word 0
    .word 0

vendor:
    .asciz "Quoin"
product:
    .asciz "\product"
    .endm

/*
 * fetch: ebx bytes of key ax to edi.  transfer: ebx bytes to edi, eax the descriptor's control
 * word.  eax and edx are lost.
 */
    .macro rom_fetch
fetch:
    shll $16, %eax
    orl $(DMA_SELECT | DMA_READ), %eax
transfer:
    bswapl %eax
    movl %eax, SCRATCH
    movl %ebx, %eax
    bswapl %eax
    movl %eax, SCRATCH + 4
    movl $0, SCRATCH + 8
    movl %edi, %eax
    bswapl %eax
    movl %eax, SCRATCH + 12
    movw $FW_CFG_DMA, %dx
    xorl %eax, %eax
    outl %eax, %dx
    movw $(FW_CFG_DMA + 4), %dx
    movl $SCRATCH_BE, %eax
    outl %eax, %dx
wait_done:
    movl SCRATCH, %eax
    andl $0xfeffffff, %eax      /* all but the error bit, big-endian */
    jnz wait_done
    retw
    .endm
