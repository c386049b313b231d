/* SPDX-License-Identifier: MIT
 *
 * String instructions: overlap, direction, counts, flags, address sizes, and
 * strings to and from a port (SDM vol. 1, 7.3.9).
 */
#include "lib/cases.inc"
    .text
    .code64

    .macro from symbol, register
    pushf
    sub $\symbol, \register
    popf
    .endm

    .macro fill
    movabs $0x1716151413121110, %rax
    mov %rax, buffer
    movabs $0x1f1e1d1c1b1a1918, %rax
    mov %rax, buffer + 8
    movabs $0x2726252423222120, %rax
    mov %rax, buffer + 16
    xor %eax, %eax
    .endm

    .macro string_cases kind, p
\kind "\p, movsb that repeats a byte", SHOW_COUNT
    fill
    mov $buffer, %esi
    mov $buffer + 1, %edi
    mov $7, %ecx
    rep movsb
    mov buffer, %rax
    from buffer, %esi
    from buffer, %edi
    ret
\kind "\p, movsb two apart", SHOW_COUNT
    fill
    mov $buffer, %esi
    mov $buffer + 2, %edi
    mov $9, %ecx
    rep movsb
    mov buffer + 4, %rax
    from buffer, %esi
    from buffer, %edi
    ret
\kind "\p, movsl backwards over itself", SHOW_COUNT
    fill
    mov $buffer + 8, %esi
    mov $buffer + 9, %edi
    mov $3, %ecx
    std
    rep movsl
    cld
    mov buffer + 4, %rax
    from buffer, %esi
    from buffer, %edi
    ret
\kind "\p, movsq across pages", SHOW_COUNT
    fill
    mov $buffer, %esi
    mov $pages + 4092, %edi
    mov $3, %ecx
    rep movsq
    mov pages + 4094, %rax
    from buffer, %esi
    from pages, %edi
    ret
\kind "\p, count of zero", SHOW_COUNT
    xor %edi, %edi
    xor %esi, %esi
    xor %ecx, %ecx
    rep movsb
    rep stosq
    repe cmpsb
    ret
\kind "\p, repe cmpsb stops", SHOW_COUNT | SHOW_FLAGS
    fill
    movabs $0x1716aa1413121110, %rax
    mov %rax, pages
    mov $buffer, %esi
    mov $pages, %edi
    mov $8, %ecx
    repe cmpsb
    from buffer, %esi
    from pages, %edi
    ret
\kind "\p, repe cmpsl all equal", SHOW_COUNT | SHOW_FLAGS
    mov $buffer, %esi
    mov $buffer, %edi
    mov $4, %ecx
    repe cmpsl
    from buffer, %esi
    from buffer, %edi
    ret
\kind "\p, repne cmpsw", SHOW_COUNT | SHOW_FLAGS
    fill
    mov $buffer, %esi
    mov $buffer + 4, %edi
    mov $4, %ecx
    movw $0x1716, buffer + 2
    repne cmpsw
    from buffer, %esi
    from buffer, %edi
    ret
\kind "\p, repne scasb finds", SHOW_COUNT | SHOW_FLAGS
    fill
    mov $0x15, %al
    mov $buffer, %edi
    mov $24, %ecx
    repne scasb
    from buffer, %edi
    ret
\kind "\p, repne scasl does not find", SHOW_COUNT | SHOW_FLAGS
    fill
    mov $0x55, %eax
    mov $buffer, %edi
    mov $6, %ecx
    repne scasl
    from buffer, %edi
    ret
\kind "\p, repe scasb backwards", SHOW_COUNT | SHOW_FLAGS
    fill
    movw $0x2727, buffer + 22
    mov $0x27, %al
    mov $buffer + 23, %edi
    mov $6, %ecx
    std
    repe scasb
    cld
    from buffer, %edi
    ret
\kind "\p, lodsw", SHOW_COUNT
    fill
    mov $buffer + 3, %esi
    mov $3, %ecx
    rep lodsw
    from buffer, %esi
    ret
\kind "\p, stosb of 5000 bytes", SHOW_COUNT
    mov $pages, %edi
    mov $5000, %ecx
    mov $0x3c, %al
    rep stosb
    mov pages + 4996, %rax
    movb $0, pages + 4999
    from pages, %edi
    ret
\kind "\p, 32-bit addresses keep to 32 bits", SHOW_COUNT
    fill
    movabs $0xf00000000 + buffer, %rsi
    movabs $0xf00000000 + pages, %rdi
    movabs $0xf00000004, %rcx
    addr32 rep movsb
    mov pages, %eax
    from buffer, %esi
    from pages, %edi
    ret
\kind "\p, single movsb takes no count", SHOW_COUNT
    fill
    mov $buffer, %esi
    mov $buffer + 9, %edi
    mov $77, %ecx
    movsb
    mov buffer + 8, %rax
    from buffer, %esi
    from buffer, %edi
    ret
\kind "\p, fs: override", SHOW_COUNT
    fill
    mov $buffer, %esi
    xor %ecx, %ecx
    fs lodsl
    from buffer, %esi
    ret
    .endm

    string_cases CASE, "kernel"
    string_cases UCASE, "user"

CASE "rep outsb", SHOW_COUNT
    mov $message, %esi
    mov $0x402, %edx
    mov $message_end - message, %ecx
    rep outsb
    from message, %esi
    ret
CASE "rep insb", SHOW_COUNT
    mov $0x5a, %al
    out %al, $0x21
    mov $pages, %edi
    mov $0x21, %edx
    mov $9, %ecx
    rep insb
    mov pages + 1, %rax
    from pages, %edi
    ret
CASE "rep insb, backwards across pages", SHOW_COUNT
    mov $0xa5, %al
    out %al, $0x21
    mov $pages + 4098, %edi
    mov $0x21, %edx
    mov $6, %ecx
    std
    rep insb
    cld
    mov pages + 4091, %rax
    from pages, %edi
    ret
CASE "rep insb into not present", SHOW_COUNT
    movabs $0x800000000000 - 2, %rdi
    mov $0x21, %edx
    mov $6, %ecx
    rep insb
    ret
CASE "outsb with 32-bit addresses", SHOW_COUNT
    movabs $0x100000000 + message, %rsi
    mov $0x402, %edx
    mov $2, %ecx
    addr32 rep outsb
    from message, %esi
    ret

    .data
    .balign 64
buffer:
    .skip 64
message:
    .ascii "string\n"
message_end:
    .balign 4096
pages:
    .skip 8192
