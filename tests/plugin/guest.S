/* SPDX-License-Identifier: MIT
 *
 * Multiboot guest that uses the device of docs/howto/add-a-device.md at
 * fef00000h, line 10, limit 15: it ends through isa-debug-exit at f4h with 21h (status 43h) if
 * count and interrupt are as they must be, else with the number of the step that was not.
 */
    .set COUNT, 0xfef00000

    .section .text
    .code32
    .align 4
    .long 0x1badb002, 0, -0x1badb002

    .globl _start
_start:
    movl $0x90000, %esp
    movl $1, %ebx
    cmpl $0, COUNT
    jne done
    incl %ebx
    movl $4, COUNT
    movl $6, COUNT
    cmpl $10, COUNT
    jne done
    incl %ebx
    call irq10
    jnz done
    incl %ebx
    movl $5, COUNT
    cmpl $15, COUNT
    jne done
    incl %ebx
    call irq10
    jz done
    movl $0x21, %ebx
done:
    movl %ebx, %eax
    outb %al, $0xf4
1:  hlt
    jmp 1b

/* Whether line 10 is requested: IRR of the slave 8259, bit 2. */
irq10:
    movb $0x0a, %al
    outb %al, $0xa0
    inb $0xa0, %al
    testb $0x04, %al
    ret
