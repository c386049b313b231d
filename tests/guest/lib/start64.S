/* SPDX-License-Identifier: MIT
 *
 * From a multiboot 1 loader's 32-bit entry into 64-bit C: the first 4 GiB
 * mapped as they are with 2 MiB pages, for CPL 3 too (SDM vol. 3, 9.8.5).
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
    movl $pdpt + 7, pml4
    mov $page_directories + 7, %eax
    mov $pdpt, %edi
    mov $4, %ecx
1:  mov %eax, (%edi)
    add $4096, %eax
    add $8, %edi
    loop 1b
    mov $0xe7, %eax
    mov $page_directories, %edi
    mov $2048, %ecx
2:  mov %eax, (%edi)
    add $0x200000, %eax
    add $8, %edi
    loop 2b
    mov %cr4, %eax
    or $0x20, %eax
    mov %eax, %cr4
    mov $pml4, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x900, %eax     /* LME, NXE */
    wrmsr
    mov %cr0, %eax
    or $0x80000020, %eax
    mov %eax, %cr0
    lgdt first_gdt_pointer
    ljmp $8, $long_mode

    .code64
long_mode:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    mov $stack_top, %rsp
    call main
1:  hlt
    jmp 1b

    .data
    .align 8
first_gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
first_gdt_pointer:
    .word 23
    .long first_gdt
    .align 8
    .globl user_flags
user_flags:
    .quad 2

    .bss
    .align 4096
    .globl pml4
pml4:
    .skip 4096
    .globl pdpt
pdpt:
    .skip 4096
    .globl page_directories
page_directories:
    .skip 4 * 4096
    .skip 16384
    .globl stack_top
stack_top:
    .skip 16384
    .globl user_stack_top
user_stack_top:
    .skip 8192
    .globl trap_stack_top
trap_stack_top:
    .skip 4096
    .globl ist_stack_top
ist_stack_top:
