/* SPDX-License-Identifier: MIT */
#include "lib/cases.inc"
    .text
    .code64

UCASE "syscall, rcx is the way back", SILICON
    mov $1, %eax
    syscall
1:  lea 1b(%rip), %rdx
    sub %rdx, %rcx
    mov %rcx, %rax
    ret
UCASE "syscall, r11 has the flags, fmask clears them", SILICON
    mov $2, %eax
    std
    stc
    syscall
    cld
    and $0xed5, %r11d
    mov %edi, %eax
    shl $16, %eax
    or %r11d, %eax
    ret
UCASE "syscall, cs and ss inside", SILICON
    mov $3, %eax
    syscall
    mov %edi, %eax
    ret
UCASE "sysretq, cs and ss outside", SILICON
    mov $4, %eax
    syscall
    mov %cs, %eax
    mov %ss, %ecx
    shl $16, %ecx
    or %ecx, %eax
    ret
UCASE "sysretq with TF traps at its end", SILICON | SHOW_DR6
    mov $4, %eax
    pushf
    orl $0x100, (%rsp)
    popf
    syscall
    nop
    ret
CASE "sysretq into the hole", SILICON
    movabs $0x0000800000000000, %rcx
    sysretq
UCASE "sysretl to 32-bit code", SILICON
    mov $6, %eax
    mov $1f, %edx
    syscall
    .code32
1:  mov %cs, %eax
    mov %ss, %ecx
    shl $16, %ecx
    or %ecx, %eax
    ljmp $0x2b, $2f
    .code64
2:  ret
CASE "syscall with SCE clear"
    mov $0xc0000080, %ecx
    rdmsr
    and $~1, %eax
    wrmsr
    syscall
CASE "SCE set again"
    mov $0xc0000080, %ecx
    rdmsr
    or $1, %eax
    wrmsr
    xor %eax, %eax
    ret
UCASE "call gate", SILICON
    lcall *far_gate
    ret
UCASE "far jump through a call gate", SILICON
    ljmp *far_gate
    ret
CASE "swapgs"
    mov $0xc0000102, %ecx
    mov $0x1234, %eax
    xor %edx, %edx
    wrmsr
    swapgs
    mov $0xc0000101, %ecx
    rdmsr
    swapgs
    ret
CASE "32-bit code at CPL 0"
    push $0x38
    push $1f
    lretq
    .code32
1:  mov $0xffffffff, %eax
    .byte 0x40              /* inc eax, not a REX prefix */
    mov %cs, %ecx
    or %ecx, %eax
    ljmp $8, $2f
    .code64
2:  ret
CASE "32-bit code cannot see the upper halves"
    movabs $0x1111111122222222, %rbx
    push $0x38
    push $1f
    lretq
    .code32
1:  mov %ebx, %eax
    ljmp $8, $2f
    .code64
2:  ret
CASE "fault in 32-bit code at CPL 0"
    push $0x38
    push $1f
    lretq
    .code32
1:  xor %ecx, %ecx
    div %ecx
    .code64
UCASE "32-bit code at CPL 3"
    push $0x1b
    push $1f
    lretq
    .code32
1:  mov $0x12345678, %eax
    push %eax
    movw $0x1111, (%esp)
    pop %eax
    ljmp $0x2b, $2f
    .code64
2:  ret
UCASE "segment limits hold in 32-bit code"
    push $0x1b
    push $1f
    lretq
    .code32
1:  mov $0x63, %eax
    mov %eax, %fs
    mov %fs:4096, %eax
    hlt
    .code64
UCASE "pusha, daa, into in 32-bit code", SILICON
    push $0x1b
    push $1f
    lretq
    .code32
1:  mov $0x19, %eax
    add $0x28, %al
    daa
    pusha
    mov 28(%esp), %ecx
    add $32, %esp
    xor %edx, %edx
    into
    mov %ecx, %eax
    ljmp $0x2b, $2f
    .code64
2:  ret
UCASE "int 0x40 from 32-bit code", SILICON
    push $0x1b
    push $1f
    lretq
    .code32
1:  mov $0x66, %eax
    int $0x40
    .code64
UCASE "privileged instruction in 32-bit code"
    push $0x1b
    push $1f
    lretq
    .code32
1:  mov %cr0, %eax
    .code64
UCASE "sgdt at CPL 3"
    sgdt scratch
    movzwl scratch, %eax
    ret
CASE "wrfsbase without CR4.FSGSBASE", SILICON
    wrfsbase %rax
    ret
CASE "set CR4.FSGSBASE"
    mov %cr4, %rax
    bts $16, %rax
    mov %rax, %cr4
    mov %cr4, %rax
    and $0x10000, %eax
    ret
UCASE "wrfsbase, rdfsbase"
    mov $scratch, %ecx
    movl $0xabcd, scratch
    wrfsbase %rcx
    mov %fs:0, %eax
    rdfsbase %rdx
    cmp %rcx, %rdx
    je 1f
    xor %eax, %eax
1:  ret
CASE "clear CR4.FSGSBASE"
    mov %cr4, %rax
    btr $16, %rax
    mov %rax, %cr4
    xor %eax, %eax
    ret
CASE "sti, then one instruction, is no fault"
    sti
    cli
    pushf
    pop %rax
    and $0x200, %eax
    ret

    .globl syscall_entry, syscall32_entry, gate_entry
/* eax says what to do; edi takes an answer out. */
syscall_entry:
    cmp $2, %eax
    je 2f
    cmp $3, %eax
    je 3f
    cmp $6, %eax
    je 6f
    sysretq
2:  mov %rsp, %rdx
    mov $stack_top - 4096, %rsp
    pushf
    pop %rdi
    mov %rdx, %rsp
    and $0xed5, %edi
    sysretq
3:  mov %cs, %edi
    mov %ss, %edx
    shl $16, %edx
    or %edx, %edi
    sysretq
6:  mov %edx, %ecx
    sysretl

syscall32_entry:
    ud2

gate_entry:
    mov 8(%rsp), %eax   /* the caller's cs */
    mov 24(%rsp), %ecx  /* and ss */
    shl $16, %ecx
    or %ecx, %eax
    mov %cs, %edx
    shl $8, %edx
    or %edx, %eax
    lretq

    .data
    .balign 16
    .globl scratch
scratch:
    .skip 64
far_gate:
    .long 0
    .word 0x53
