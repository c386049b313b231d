/* SPDX-License-Identifier: MIT */
#include "lib/cases.inc"
    .text
    .code64

/* rdi: code that ends by jumping to step_done with TF still set. */
    .globl run_stepped, step_plain, step_string, step_shadow, step_popf
run_stepped:
    push %rbx
    pushf
    orl $0x100, (%rsp)
    popf
    jmp *%rdi
step_done:
    pushf
    andl $~0x100, (%rsp)
    popf
    pop %rbx
    ret

step_plain:
    nop
    xor %eax, %eax
    jz 1f
    ud2
1:  push %rax
    pop %rax
    lea watched, %rax
    jmp step_done

step_string:
    mov $3, %ecx
    mov $buffer, %edi
    rep stosb
    xor %ecx, %ecx
    rep stosb
    nop
    jmp step_done

step_shadow:
    mov %ss, %eax
    mov %eax, %ss
    nop
    nop
    jmp step_done

step_popf:
    pushf
    andl $~0x100, (%rsp)
    popf
    nop
    pushf
    orl $0x100, (%rsp)
    popf
    nop
    jmp step_done

    .globl plain_code, plain_second, write_code, io_code, string_code
plain_code:
    nop
plain_second:
    nop
    nop
    ret
write_code:
    mov watched, %eax
    mov %eax, watched
    movb $1, watched + 1
    movl $1, watched - 4
    addl $1, watched
    movl $1, watched - 2
    ret
string_code:
    mov $watched - 2, %edi
    mov $9, %ecx
    rep stosb
    ret
io_code:
    out %al, $0x81
    out %al, $0x80
    in $0x80, %al
    nop
    ret

    .globl shadow_code, shadow_int1_code
shadow_code:
    mov watched, %ss
    nop
    nop
    ret
shadow_int1_code:
    mov watched, %ss
    .byte 0xf1
    nop
    ret

CASE "int1", SHOW_DR6
    .byte 0xf1
    ret
CASE "mov dr4 with DE clear is dr6"
    mov %db4, %rax
    and $0xffff0ff0, %eax
    ret
CASE "mov dr4 with DE"
    mov %cr4, %rax
    or $8, %eax
    mov %rax, %cr4
    mov %db4, %rax
    ret
CASE "DE off"
    mov %cr4, %rax
    and $~8, %eax
    mov %rax, %cr4
    xor %eax, %eax
    ret
CASE "general detect", SHOW_DR6
    mov $0x2400, %eax
    mov %rax, %dr7
    mov %dr6, %rax
    ret
CASE "it cleared GD"
    mov %dr7, %rax
    ret
CASE "DR6 back"
    mov $0xffff0ff0, %eax
    mov %rax, %dr6
    xor %eax, %eax
    ret
CASE "other breakpoints' bits go, BS stays", SHOW_DR6
    lea 1f(%rip), %rax
    mov %rax, %dr0
    mov $0x4006, %eax
    mov %rax, %dr6
    mov $0x402, %eax
    mov %rax, %dr7
1:  nop
    ret
CASE "the same again"
    mov $0x400, %eax
    mov %rax, %dr7
    mov %dr6, %rax
    mov $0xffff0ff0, %ecx
    mov %rcx, %dr6
    and $0xe00f, %eax
    ret
UCASE "user, mov dr6"
    mov %dr6, %rax
    ret

    .data
    .balign 16
    .long 0
    .globl watched
    .balign 16
watched:
    .long 0, 0, 0, 0
buffer:
    .skip 16
