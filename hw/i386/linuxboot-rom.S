/* SPDX-License-Identifier: MIT
 *
 * Expansion ROM that starts the -kernel after firmware has run.  Plug and Play BIOS
 * Specification 1.0a, 3.0 (expansion header; bootstrap entry vector); Linux,
 * Documentation/arch/x86/boot.rst, "Running the Kernel" (16-bit protocol).
 *
 * It fetches four things by fw_cfg's DMA, each as a triple of keys (address, size, data), and
 * jumps to the kernel's setup code.  Sector count and checksum are filled in by linuxboot.c.
 */
#define FW_CFG_DMA   0x514
#define DMA_READ     0x02
#define DMA_SELECT   0x08
#define SCRATCH      0x7000 /* below the boot sector's place: a descriptor, then a value */
#define SCRATCH_BE   0x00700000
#define VALUE        (SCRATCH + 16)
#define SETUP_ADDR   0x16
#define SETUP_STACK  0xfff0

#define OFFSET(label) (label - linuxboot_rom)

    .section .rodata, "a"
    .balign 16
    .globl linuxboot_rom
    .globl linuxboot_rom_end
linuxboot_rom:
    .code16
    .byte 0x55, 0xaa
    .byte 0                     /* 512-byte sectors */
    xorw %ax, %ax               /* initialization: nothing to do */
    lretw
    .org linuxboot_rom + 0x1a
    .word OFFSET(pnp_header)

    .balign 16
pnp_header:
    .ascii "$PnP"
    .byte 1                     /* revision */
    .byte 2                     /* length in 16 bytes */
    .word 0                     /* no further header */
    .byte 0
    .byte 0                     /* checksum: filled in */
    .long 0                     /* device */
    .word OFFSET(vendor)
    .word OFFSET(product)
    .byte 0x02, 0, 0            /* a network-like boot device */
    .byte 0x14                  /* initial program load, shadowable */
    .word 0                     /* boot connection vector */
    .word 0                     /* disconnect vector */
    .word OFFSET(boot)          /* bootstrap entry vector */
    .word 0
    .word 0

vendor:
    .asciz "Quoin"
product:
    .asciz "Linux -kernel"

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

/* ebx bytes of key ax to edi */
fetch:
    shll $16, %eax
    orl $(DMA_SELECT | DMA_READ), %eax
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
