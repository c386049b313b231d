/* SPDX-License-Identifier: MIT */
#include "lib/cases.inc"
    .text
    .code64
    .set window, 0x10000000000
    .set gigabyte, window + 0x40000000
    .set nx_above, window + 0x600000

    .macro at address
    movabs $\address, %rbx
    .endm

CASE "read"
    at window + 64
    mov (%rbx), %eax
    ret
CASE "write read-only, WP clear"
    at window + 0x1064
    movl $5, (%rbx)
    mov (%rbx), %eax
    ret
CASE "not present"
    at window + 0x4064
    mov (%rbx), %eax
    ret
CASE "no PML4 entry"
    movabs $0x18000000000, %rbx
    movl $1, 8(%rbx)
    ret
CASE "PS in a PML4 entry"
    movabs $0x20000000000, %rbx
    mov (%rbx), %eax
    ret
CASE "reserved bit of a 1 GiB page"
    at window + 0x80000000
    mov (%rbx), %eax
    ret
CASE "reserved bit of a 2 MiB page"
    at window + 0x400000
    movl $1, (%rbx)
    ret
CASE "address beyond MAXPHYADDR"
    at window + 0x5008
    mov (%rbx), %eax
    ret
CASE "2 MiB page"
    movl $0x1234, scratch
    at window + 0x200000 + scratch
    mov (%rbx), %eax
    ret
CASE "1 GiB page", SILICON
    movl $0x5678, scratch
    at gigabyte + scratch
    mov (%rbx), %eax
    ret
CASE "run"
    at window
    call *%rbx
    ret
CASE "run NX"
    at window + 0x3000
    jmp *%rbx
CASE "run NX by the directory"
    at nx_above
    jmp *%rbx
CASE "read NX"
    at window + 0x3040
    mov (%rbx), %eax
    xor %eax, %eax
    ret
CASE "set WP"
    mov %cr0, %rax
    bts $16, %rax
    mov %rax, %cr0
    xor %eax, %eax
    ret
CASE "write read-only, WP set"
    at window + 0x1064
    movl $5, (%rbx)
    ret
CASE "read-only by the upper level, WP set"
    at window + 0xc0000064
    movl $5, (%rbx)
    ret
CASE "EFER.NXE off makes bit 63 reserved"
    mov $0xc0000080, %ecx
    rdmsr
    and $~0x800, %eax
    wrmsr
    at window + 0x3040
    mov (%rbx), %edi
    ret
CASE "EFER.NXE on again"
    mov $0xc0000080, %ecx
    rdmsr
    or $0x800, %eax
    wrmsr
    xor %eax, %eax
    ret
CASE "set SMEP and SMAP, our own pages for supervisors"
    andl $~4, pml4
    mov %cr3, %rax
    mov %rax, %cr3
    mov %cr4, %rax
    or $0x300000, %eax
    mov %rax, %cr4
    xor %eax, %eax
    ret
CASE "run user page with SMEP"
    at window
    call *%rbx
    ret
CASE "run supervisor page with SMEP"
    at window + 0x6000
    call *%rbx
    ret
CASE "read user page with SMAP"
    at window + 64
    mov (%rbx), %eax
    ret
CASE "write user page with SMAP"
    at window + 64
    mov %eax, (%rbx)
    ret
CASE "read user page with SMAP and AC", SILICON
    at window + 64
    stac
    mov (%rbx), %eax
    clac
    ret
CASE "read supervisor page with SMAP"
    at window + 0x6000
    mov (%rbx), %eax
    xor %eax, %eax
    ret
CASE "rep movsb from user page with SMAP", SHOW_COUNT
    at window + 0x6000
    lea 0x100(%rbx), %rdi
    at window + 64
    mov %rbx, %rsi
    mov $4, %ecx
    rep movsb
    ret
CASE "clear SMEP and SMAP"
    mov %cr4, %rax
    and $~0x300000, %eax
    mov %rax, %cr4
    orl $4, pml4
    mov %cr3, %rax
    mov %rax, %cr3
    xor %eax, %eax
    ret
UCASE "user, read"
    at window + 64
    mov (%rbx), %eax
    ret
UCASE "user, read supervisor page"
    at window + 0x2064
    mov (%rbx), %eax
    ret
UCASE "user, write read-only page"
    at window + 0x1064
    mov %eax, (%rbx)
    ret
UCASE "user, write not present"
    at window + 0x4ffe
    mov %eax, (%rbx)
    ret
UCASE "user, run"
    at window
    call *%rbx
    ret
UCASE "user, run NX"
    at window + 0x3000
    jmp *%rbx
UCASE "user, run supervisor page"
    at window + 0x2000
    jmp *%rbx
UCASE "user, reserved bit"
    at window + 0x400000
    mov (%rbx), %eax
    ret
UCASE "user, store across into not present"
    at window + 0x3ffc
    movabs $0x1111111122222222, %rax
    mov %rax, (%rbx)
    ret
UCASE "user, nothing of it was written"
    at window + 0x3ffc
    mov (%rbx), %eax
    ret
UCASE "user, rep movsb into not present", SHOW_COUNT
    at window
    mov %rbx, %rsi
    lea 0x3ff0(%rbx), %rdi
    mov $32, %ecx
    rep movsb
    ret
UCASE "user, rep lodsb from supervisor page", SHOW_COUNT
    at window
    lea 0x1ff8(%rbx), %rsi
    mov $16, %ecx
    rep lodsb
    ret
UCASE "user, rep stosq backwards into read-only", SHOW_COUNT
    at window
    lea 0x3008(%rbx), %rdi
    mov $16, %ecx
    std
    rep stosq
    ret

    .globl page_code, page_code_end
page_code:
    mov $0x2468, %eax
    ret
page_code_end:
    .data
    .align 16
scratch:
    .skip 64
