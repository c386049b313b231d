/* SPDX-License-Identifier: MIT */
#include "lib/cases.inc"
    .text
    .code32

CASE "div by zero"
    xor %ecx, %ecx
    mov $5, %eax
    div %ecx
    ret
CASE "idiv overflow"
    mov $0x80000000, %eax
    cltd
    mov $-1, %ecx
    idiv %ecx
    ret
CASE "div byte overflow"
    mov $0x1234, %eax
    mov $2, %cl
    div %cl
    ret
CASE "aam 0"
    mov $0x12, %eax
    aam $0
    ret
CASE "int3", SILICON
    int3
    ret
CASE "int 3 by two bytes", SILICON
    .byte 0xcd, 3
    ret
CASE "into, no overflow"
    xor %eax, %eax
    into
    ret
CASE "into, overflow", SILICON
    mov $0x7fffffff, %eax
    inc %eax
    into
    ret
CASE "bound inside", SILICON
    mov $3, %eax
    bound %eax, bounds
    ret
CASE "bound below", SILICON
    mov $1, %eax
    bound %eax, bounds
    ret
CASE "bound above", SILICON
    mov $10, %eax
    bound %eax, bounds
    ret
CASE "ud2"
    ud2
    ret
CASE "lock on add to register"
    .byte 0xf0, 0x01, 0xc0
    ret
CASE "lock on mov to memory"
    .byte 0xf0
    mov %eax, scratch
    ret
CASE "lock add to memory"
    movl $1, scratch
    lock addl $2, scratch
    mov scratch, %eax
    ret
CASE "mov to cs"
    .byte 0x8e, 0xc8
    ret
CASE "lea of a register", SILICON
    .byte 0x8d, 0xc0
    ret
CASE "les of a register", SILICON
    .byte 0xc4, 0xc0, 0, 0, 0, 0
    ret
CASE "mov from cr1"
    .byte 0x0f, 0x20, 0xc8
    ret
CASE "15 bytes"
    .byte 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90
    ret
CASE "16 bytes"
    .byte 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90
    ret
CASE "null data segment"
    xor %eax, %eax
    mov %eax, %fs
    mov %fs:0, %eax
    ret
CASE "null ss"
    xor %eax, %eax
    mov %eax, %ss
    ret
CASE "selector beyond the GDT"
    mov $0x1000, %eax
    mov %eax, %fs
    ret
CASE "selector in a null LDT"
    mov $0xc, %eax
    mov %eax, %fs
    ret
CASE "not present data"
    mov $0x38, %eax
    mov %eax, %fs
    ret
CASE "not present stack"
    mov $0x38, %eax
    mov %eax, %ss
    ret
CASE "not present code"
    ljmp $0x60, $0
    ret
CASE "read-only stack"
    mov $0x40, %eax
    mov %eax, %ss
    ret
CASE "stack with wrong RPL"
    mov $0x13, %eax
    mov %eax, %ss
    ret
CASE "execute-only code as data"
    mov $0x48, %eax
    mov %eax, %fs
    ret
CASE "jump to data"
    ljmp $0x10, $0
    ret
CASE "jump to user code"
    ljmp $0x18, $0
    ret
CASE "jump to a null selector"
    ljmp $0, $0
    ret
CASE "write through read-only segment"
    mov $0x40, %eax
    mov %eax, %fs
    mov %eax, %fs:scratch
    ret
CASE "write through cs"
    mov %eax, %cs:scratch
    ret
CASE "read through execute-only cs"
    ljmp $0x48, $1f
1:  mov %cs:scratch, %eax
    ret
CASE "last byte inside the limit"
    mov $0x50, %eax
    mov %eax, %fs
    movzbl %fs:63, %eax
    xor %eax, %eax
    ret
CASE "first byte beyond the limit"
    mov $0x50, %eax
    mov %eax, %fs
    movzbl %fs:64, %eax
    ret
CASE "dword across the limit"
    mov $0x50, %eax
    mov %eax, %fs
    mov %fs:61, %eax
    ret
CASE "offset that wraps"
    mov $0x50, %eax
    mov %eax, %fs
    mov %fs:0xffffffff, %ax
    ret
CASE "expand-down inside"
    mov $0x30, %eax
    mov %eax, %fs
    movl $0, scratch
    mov %fs:scratch, %eax
    ret
CASE "expand-down below"
    mov $0x30, %eax
    mov %eax, %fs
    mov %fs:0xfff, %al
    ret
CASE "int beyond the IDT", SILICON
    sidt scratch
    mov scratch, %edx
    movw $0x3ff, scratch
    lidt scratch
    int $0x80
    ret
CASE "IDT restored"
    sidt scratch
    movw $0x7ff, scratch
    lidt scratch
    ret
CASE "hlt at CPL 0 is no fault, cli neither"
    cli
    ret
UCASE "cli at CPL 3"
    cli
    ret
UCASE "sti at CPL 3"
    sti
    ret
UCASE "hlt at CPL 3"
    hlt
    ret
UCASE "in at CPL 3"
    in $0x40, %al
    ret
UCASE "outsb at CPL 3"
    mov $0x402, %edx
    mov $scratch, %esi
    outsb
    ret
UCASE "mov cr0 at CPL 3"
    mov %cr0, %eax
    ret
UCASE "mov dr7 at CPL 3"
    mov %dr7, %eax
    ret
UCASE "lgdt at CPL 3"
    lgdt scratch
    ret
UCASE "lmsw at CPL 3"
    lmsw %ax
    ret
UCASE "clts at CPL 3"
    clts
    ret
UCASE "wbinvd at CPL 3"
    wbinvd
    ret
UCASE "invlpg at CPL 3"
    invlpg scratch
    ret
UCASE "rdmsr at CPL 3"
    rdmsr
    ret
UCASE "wrmsr at CPL 3"
    wrmsr
    ret
UCASE "ltr at CPL 3"
    mov $0x28, %eax
    ltr %ax
    ret
UCASE "int to a DPL 0 gate", SILICON
    int $0x20
    ret
UCASE "int3 at CPL 3", SILICON
    int3
    ret
UCASE "DPL 0 data at CPL 3"
    mov $0x58, %eax
    mov %eax, %fs
    ret
UCASE "DPL 0 code at CPL 3"
    ljmp $8, $0
    ret
UCASE "conforming code at CPL 3"
    ljmp $0x68, $1f
1:  mov %cs, %eax
    ret
UCASE "popf leaves IF and IOPL alone"
    push $0x3202
    popf
    pushf
    pop %eax
    ret
UCASE "iret to a higher ring", SILICON
    push $0x202
    push $8
    push $scratch
    iret
UCASE "sysexit at CPL 3"
    sysexit
    ret
UCASE "sysenter and back"
    mov $1f, %ebx
    mov %esp, %ecx
    sysenter
1:  mov %cs, %edx
    shl $8, %edx
    or %edx, %eax
    ret
CASE "rdmsr of nothing"
    mov $0x12345678, %ecx
    rdmsr
    ret
CASE "wrmsr of a reserved EFER bit"
    mov $0xc0000080, %ecx
    rdmsr
    or $0x80000000, %edx
    wrmsr
    ret
CASE "cr0, PG without PE", SILICON
    mov $0x80000010, %eax
    mov %eax, %cr0
    ret
CASE "cr0, NW without CD"
    mov %cr0, %eax
    and $~0x40000000, %eax
    or $0x20000000, %eax
    mov %eax, %cr0
    ret
CASE "cr4, reserved bit"
    mov %cr4, %eax
    or $0x80000000, %eax
    mov %eax, %cr4
    ret
CASE "iret with NT and no back link", SILICON
    push $0x4002
    popf
    iret
CASE "ltr of a busy TSS"
    mov $0x28, %eax
    ltr %ax
    ret
CASE "lldt of a TSS"
    mov $0x28, %eax
    lldt %ax
    ret
CASE "far call to data"
    lcall $0x30, $0
    ret
CASE "x87 with TS"
    mov %cr0, %eax
    or $8, %eax
    mov %eax, %cr0
    fninit
    ret
CASE "x87 with EM"
    mov %cr0, %eax
    and $~8, %eax
    or $4, %eax
    mov %eax, %cr0
    fninit
    ret
CASE "wait with TS, MP clear", SILICON
    mov %cr0, %eax
    and $~6, %eax
    or $8, %eax
    mov %eax, %cr0
    fwait
    ret
CASE "wait with TS and MP", SILICON
    mov %cr0, %eax
    or $0xa, %eax
    mov %eax, %cr0
    fwait
    ret
CASE "clts"
    clts
    mov %cr0, %eax
    and $~0xe, %eax
    mov %eax, %cr0
    and $0xe, %eax
    ret
CASE "sse without OSFXSR", SILICON
    xorps %xmm0, %xmm0
    ret
UCASE "unaligned at CPL 3, AM clear"
    push $0x40002
    popf
    mov scratch + 1, %eax
    xor %eax, %eax
    ret
CASE "AM set"
    mov %cr0, %eax
    or $0x40000, %eax
    mov %eax, %cr0
    xor %eax, %eax
    ret
UCASE "unaligned at CPL 3 with AC", SILICON
    push $0x40002
    popf
    mov scratch + 1, %eax
    ret
UCASE "unaligned word at CPL 3 with AC", SILICON
    push $0x40002
    popf
    mov scratch + 3, %ax
    ret
UCASE "aligned at CPL 3 with AC"
    push $0x40002
    popf
    mov scratch + 4, %eax
    xor %eax, %eax
    ret
CASE "AM clear again"
    mov %cr0, %eax
    and $~0x40000, %eax
    mov %eax, %cr0
    xor %eax, %eax
    ret
UCASE "stack beyond its limit"
    mov $0x53, %eax
    mov %eax, %ss
    mov $0x200, %esp
    push %eax
    ret
UCASE "ebp beyond the stack limit"
    mov $0x53, %eax
    mov %eax, %ss
    mov $0x200, %ebp
    mov (%ebp), %edx
    ret

    .globl sysenter_entry
sysenter_entry:
    mov %cs, %eax
    mov %ebx, %edx
    sysexit

    .data
bounds:
    .long 2, 9
    .align 8
scratch:
    .skip 16
