/* SPDX-License-Identifier: MIT
 * The 16-bit image of v86.c, at 0x800:0.  Every case ends in a fault or an interrupt.
 */
    .macro VCASE name:req, iopl=0
    .pushsection .rodata.names
91: .asciz "\name"
    .popsection
    .pushsection .real_cases, "a"
    .long 91b, 92f - v86_image, \iopl
    .popsection
92:
    .endm

    .section .real_cases, "a"
    .globl v86_cases
v86_cases:

    .text
    .code32
    .globl v86_enter
v86_enter:
    mov 4(%esp), %eax
    mov 8(%esp), %edx
    pusha
    mov %esp, guard_sp
    push $0         /* gs */
    push $0         /* fs */
    push $0x820     /* ds */
    push $0x810     /* es */
    push $0x800     /* ss */
    push $0x7000    /* sp */
    push %edx
    push $0x800     /* cs */
    push %eax
    xor %eax, %eax
    xor %ebx, %ebx
    xor %ecx, %ecx
    xor %edx, %edx
    xor %esi, %esi
    xor %edi, %edi
    xor %ebp, %ebp
    iret

    .section .rodata.image, "a"
    .balign 16
    .globl v86_image, v86_image_end
    .code16
v86_image:
VCASE "hlt"
    hlt
VCASE "int 0x40, IOPL 0"
    mov $1, %ax
    int $0x40
VCASE "int 0x40, IOPL 3", 3
    mov $1, %ax
    int $0x40
VCASE "int 0x20 to a DPL 0 gate, IOPL 3", 3
    int $0x20
VCASE "int3, IOPL 0"
    int3
VCASE "cli, IOPL 0"
    cli
VCASE "cli, IOPL 3", 3
    sti
    cli
    mov $2, %ax
    hlt
VCASE "pushf, IOPL 0"
    pushf
VCASE "pushf, IOPL 3", 3
    pushf
    pop %ax
    hlt
VCASE "popf, IOPL 3", 3
    push $0x0ad5
    popf
    cli
    hlt
VCASE "iret, IOPL 0"
    iret
VCASE "iret, IOPL 3", 3
    push $0x3001
    push %cs
    call 1f
    mov $3, %ax
    hlt
1:  iret
VCASE "in from a closed port, IOPL 3", 3
    in $0x40, %al
VCASE "out to an open port"
    out %al, $0x80
    mov $4, %ax
    hlt
VCASE "segments are paragraphs"
    mov $0x900, %ax
    mov %ax, %ds
    movw $0x1234, 0x10
    mov $0x901, %ax
    mov %ax, %es
    mov %es:0, %bx
    hlt
VCASE "lldt"
    lldt %ax
VCASE "mov from cr0"
    mov %cr0, %eax
VCASE "smsw"
    smsw %ax
    and $0xf, %ax
    hlt
VCASE "divide error"
    mov $5, %ax
    div %dl
VCASE "far jump"
    ljmp $0x801, $1f - v86_image - 0x10
1:  mov %cs, %ax
    hlt
VCASE "breakpoint by int 3, two bytes, IOPL 3", 3
    .byte 0xcd, 3
VCASE "bound"
    bound %ax, %cs:1f - v86_image
1:  .word 5, 6
v86_image_end:

    .section .real_cases, "a"
    .globl v86_cases_end
v86_cases_end:
