/* SPDX-License-Identifier: MIT */
#include "lib/cases.inc"
    .text
    .code64

CASE "interrupt gate at CPL 0", SILICON
    int $0x44
    ret
CASE "trap gate at CPL 0 keeps IF", SILICON
    sti
    int $0x45
    cli
    ret
CASE "the stack is aligned first", SILICON
    and $~15, %rsp
    sub $8, %rsp
    int $0x44
    ret
CASE "NT and TF are cleared in the handler", SILICON
    pushf
    orl $0x4000, (%rsp)
    popf
    int $0x44
    ret
UCASE "interrupt gate from CPL 3", SILICON
    int $0x44
    ret
CASE "fault with IST at CPL 0"
    ud2
    ret
UCASE "fault with IST from CPL 3"
    ud2
    ret
CASE "page fault while pushing is a double fault", SILICON
    movabs $0x10000000000, %rsp
    int3
    ret
CASE "page fault with a bad stack is a double fault"
    movabs $0x10000000000, %rsp
    mov (%rsp), %eax
    ret
CASE "a page fault in delivering #GP is a double fault"
    movabs $0x10000000000, %rsp
    mov $0x1000, %eax
    mov %eax, %ds
    ret
CASE "contributory after contributory, #GP in delivering #DE", SILICON
    mov %rsp, %rbx
    sidt scratch
    mov scratch + 2, %rsi
    movb $0, 5(%rsi)        /* gate 0: not present, so #NP in delivering #DE */
    xor %ecx, %ecx
    div %ecx
    ret
CASE "gate 0 back", SILICON
    sidt scratch
    mov scratch + 2, %rsi
    movb $0x8e, 5(%rsi)
    ret

    .globl probe_int, probe_ud, probe_error, nmi_entry
probe_int:
    push $0
    push $0x44
    jmp 1f
probe_ud:
    push $0
    push $6
    jmp 1f
probe_error:
    push $8
1:  mov %rsp, seen
    addq $16, seen
    push %rax
    mov %ss, %eax
    mov %rax, seen + 8
    pushf
    pop %rax
    mov %rax, seen + 16
    pop %rax
    jmp trap_common

nmi_entry:
    .irp r, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
    push %\r
    .endr
    call nmi_in
    .irp r, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax
    pop %\r
    .endr
    iretq

    .data
    .balign 16
scratch:
    .skip 16
