/* SPDX-License-Identifier: MIT
 *
 * Entry from a multiboot 1 loader (Multiboot Specification 0.6.96, 3.1 and
 * 3.2) into 32-bit C.
 */
    .section .multiboot, "a"
    .align 4
    .long 0x1badb002, 3, -(0x1badb002 + 3)

    .text
    .code32
    .globl _start
_start:
    cli
    mov $stack_top, %esp
    mov %eax, multiboot_magic
    mov %ebx, multiboot_info
    call main
1:  hlt
    jmp 1b

    .bss
    .align 16
    .skip 16384
    .globl stack_top
stack_top:
    .skip 16384
    .globl user_stack_top
user_stack_top:
    .skip 8192
    .globl trap_stack_top
trap_stack_top:
