/* SPDX-License-Identifier: MIT
 * Where a SIPI lands, in real mode at 0x9000, and from there to 64-bit C.
 */
    .text
    .code16
    .globl ap_start, ap_start_end
ap_start:
    cli
    mov %cs, %ax
    mov %ax, %ds
    lgdtl ap_gdt_pointer - ap_start
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpl $0x18, $ap_protected
    .balign 8
ap_gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff
ap_gdt_pointer:
    .word 31
    .long 0x9000 + (ap_gdt - ap_start)
ap_start_end:

    .code32
ap_protected:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov %cr4, %eax
    or $0x20, %eax
    mov %eax, %cr4
    mov $pml4, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x900, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80000020, %eax
    and $0x9fffffff, %eax
    mov %eax, %cr0
    ljmp $8, $ap_long

    .code64
ap_long:
    mov $1, %edi
    lock xadd %edi, ap_count
    inc %edi
    mov %edi, %eax
    shl $13, %eax
    lea ap_stacks + 8192(%rax), %rsp
    call ap_main
