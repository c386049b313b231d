/* SPDX-License-Identifier: MIT */
#include "lib/cases.inc"
    .text
    .code64
    .set hole, 0x0000800000000000

CASE "nothing"
    ret
CASE "div by zero"
    xor %ecx, %ecx
    mov $5, %eax
    div %rcx
    ret
CASE "idiv overflow"
    movabs $0x8000000000000000, %rax
    cqto
    mov $-1, %rcx
    idiv %rcx
    ret
CASE "ud2"
    ud2
    ret
CASE "push es is gone"
    .byte 0x06
    ret
CASE "daa is gone", SILICON
    .byte 0x27
    ret
CASE "pusha is gone"
    .byte 0x60
    ret
CASE "into is gone"
    .byte 0xce
    ret
CASE "aam is gone"
    .byte 0xd4, 0x0a
    ret
CASE "far call with immediate is gone"
    .byte 0x9a, 0, 0, 0, 0, 8, 0
    ret
CASE "opcode 82 is gone"
    .byte 0x82, 0xc0, 0x01
    ret
CASE "salc is gone"
    .byte 0xd6
    ret
CASE "les with a memory operand is gone", SILICON
    .byte 0xc4, 0x00, 0x00
    ret
CASE "read in the hole"
    movabs $hole, %rbx
    mov (%rbx), %rax
    ret
CASE "last byte before the hole"
    movabs $hole - 1, %rbx
    mov (%rbx), %al
    ret
CASE "qword into the hole"
    movabs $hole - 4, %rbx
    mov (%rbx), %rax
    ret
CASE "read below the upper half"
    movabs $0xffff7fffffffffff, %rbx
    mov (%rbx), %al
    ret
CASE "read in the upper half"
    movabs $0xffff800000000000, %rbx
    mov (%rbx), %al
    ret
CASE "rbp in the hole"
    movabs $hole, %rbp
    mov (%rbp), %rax
    ret
CASE "jump into the hole"
    movabs $hole, %rbx
    jmp *%rbx
    ret
CASE "ret into the hole"
    movabs $hole, %rbx
    push %rbx
    ret
CASE "jump to a last byte that is not mapped"
    movabs $hole - 1, %rbx
    jmp *%rbx
    ret
CASE "ds has no base"
    mov $0x60, %ecx
    mov %ecx, %ds
    movabs $scratch, %rbx
    movl $0x77, (%rbx)
    mov (%rbx), %eax
    mov $0x10, %ecx
    mov %ecx, %ds
    ret
CASE "fs has one from its descriptor, but no limit"
    mov $0x60, %ecx
    mov %ecx, %fs
    movl $0x88, scratch
    mov %fs:scratch - 0x1000, %eax
    xor %ecx, %ecx
    mov %ecx, %fs
    ret
CASE "fs for the user"
    mov $0x10, %ecx
    mov %ecx, %fs
    mov $0xc0000100, %ecx
    mov $0x1000, %eax
    xor %edx, %edx
    wrmsr
    ret
UCASE "user, an inner fs is null, with its base still"
    mov %fs, %ecx
    mov %fs:scratch - 0x1000, %eax
    shl $16, %ecx
    or %ecx, %eax
    ret
CASE "fs null again"
    xor %ecx, %ecx
    mov %ecx, %fs
    xor %eax, %eax
    ret
CASE "fs base in the hole"
    mov $0xc0000100, %ecx
    xor %eax, %eax
    mov $0x02000000, %edx       /* of 57 bits too: what a CPU with LA57 looks at */
    wrmsr
    ret
CASE "gs base reaches beyond the hole"
    mov $0xc0000101, %ecx
    mov $-4096, %eax
    mov $0x7fff, %edx
    wrmsr
    mov %gs:0x1000, %al
    ret
CASE "gs base back"
    mov $0xc0000101, %ecx
    xor %eax, %eax
    xor %edx, %edx
    wrmsr
    ret
CASE "null ds is usable"
    xor %ecx, %ecx
    mov %ecx, %ds
    mov scratch, %eax
    mov $0x10, %ecx
    mov %ecx, %ds
    ret
CASE "null ss at CPL 0"
    xor %eax, %eax
    mov %eax, %ss
    mov $0x10, %eax
    mov %eax, %ss
    ret
CASE "not present ds"
    mov $0x50, %eax
    mov %eax, %ds
    ret
CASE "not present ss"
    mov $0x50, %eax
    mov %eax, %ss
    ret
CASE "far jump to L and D both set"
    movl $1f, scratch
    movw $0x58, scratch + 4
    ljmp *scratch
1:  ret
CASE "far jump to not present code"
    movl $1f, scratch
    movw $0x68, scratch + 4
    ljmp *scratch
1:  ret
CASE "far jump to data"
    movl $1f, scratch
    movw $0x10, scratch + 4
    ljmp *scratch
1:  ret
CASE "far jump to 64-bit code"
    movl $1f, scratch
    movw $8, scratch + 4
    ljmp *scratch
1:  mov %cs, %eax
    ret
CASE "lretq"
    push $8
    push $1f
    lretq
1:  mov $0x12, %eax
    ret
CASE "gate to 32-bit code", SILICON
    int $0x44
    ret
CASE "gate of a wrong type", SILICON
    int $0x45
    ret
CASE "gate not present", SILICON
    int $0x46
    ret
CASE "gate with a null selector", SILICON
    int $0x47
    ret
CASE "int3", SILICON
    int3
    ret
CASE "int 0x40", SILICON
    int $0x40
    ret
CASE "iretq to the same ring", SILICON
    mov %rsp, %rcx
    push $0x10
    push %rcx
    pushf
    push $8
    push $1f
    iretq
1:  cmp %rsp, %rcx
    sete %al
    ret
CASE "iretq with null cs", SILICON
    push $0x10
    push %rsp
    pushf
    push $0
    push $1f
    iretq
1:  ret
CASE "iretq into the hole", SILICON
    movabs $hole, %rbx
    push $0x10
    push %rsp
    pushf
    push $8
    push %rbx
    iretq
CASE "iretq with NT", SILICON
    pushf
    orl $0x4000, (%rsp)
    popf
    iretq
CASE "wrmsr lstar in the hole"
    mov $0xc0000082, %ecx
    mov $0x02000000, %edx
    wrmsr
    ret
CASE "wrmsr EFER, LME off while paging"
    mov $0xc0000080, %ecx
    rdmsr
    and $~0x100, %eax
    wrmsr
    ret
CASE "cr4, PAE off in long mode"
    mov %cr4, %rax
    and $~0x20, %eax
    mov %rax, %cr4
    ret
CASE "cr0, upper half", SILICON
    mov %cr0, %rax
    bts $40, %rax
    mov %rax, %cr0
    ret
CASE "cr8 takes four bits"
    mov $16, %eax
    mov %rax, %cr8
    ret
CASE "cr8"
    mov $9, %eax
    mov %rax, %cr8
    xor %eax, %eax
    mov %cr8, %rax
    mov %rax, %rcx
    xor %eax, %eax
    mov %rax, %cr8
    mov %rcx, %rax
    ret
CASE "dr7, upper half"
    movabs $0x100000400, %rax
    mov %rax, %dr7
    ret
CASE "cr9"
    .byte 0x44, 0x0f, 0x20, 0xc8
    ret
CASE "pushq takes 64 bits, pushw 16"
    mov %rsp, %rcx
    push $-1
    pushw $0x1234
    sub %rsp, %rcx
    mov (%rsp), %rax
    add %rcx, %rsp
    add %rcx, %rax
    ret
CASE "32-bit results clear the upper half"
    mov $-1, %rax
    mov %eax, %eax
    ret
CASE "16-bit results keep it"
    mov $-1, %rax
    mov $0x1234, %ax
    ret
CASE "rip-relative"
    lea 0(%rip), %rax
1:  lea 1b(%rip), %rcx
    sub %rcx, %rax
    ret
CASE "address-size prefix cuts"
    movabs $0x100000000 + scratch, %rbx
    movl $0x99, scratch
    mov (%ebx), %eax
    ret
CASE "cmpxchg16b equal", SILICON
    movq $1, scratch
    movq $2, scratch + 8
    mov $1, %eax
    mov $2, %edx
    mov $3, %ebx
    mov $4, %ecx
    lock cmpxchg16b scratch
    mov scratch, %rax
    ret
CASE "cmpxchg16b unaligned", SILICON
    lock cmpxchg16b scratch + 8
    ret
CASE "xlat with a 64-bit base"
    mov $table, %rbx
    mov $2, %al
    xlat
    ret
UCASE "user, nothing"
    ret
UCASE "user, cli"
    cli
    ret
UCASE "user, hlt"
    hlt
    ret
UCASE "user, mov cr3"
    mov %cr3, %rax
    ret
UCASE "user, mov cr8"
    mov %cr8, %rax
    ret
UCASE "user, swapgs"
    swapgs
    ret
UCASE "user, wrmsr"
    wrmsr
    ret
UCASE "user, sysretq"
    sysretq
UCASE "user, in"
    in $0x40, %al
    ret
UCASE "user, int 0x20", SILICON
    int $0x20
    ret
UCASE "user, int 0x40", SILICON
    mov $0x77, %eax
    int $0x40
    ret
UCASE "user, int3"
    int3
    ret
UCASE "user, div by zero"
    xor %ecx, %ecx
    div %ecx
    ret
UCASE "user, ud2"
    ud2
    ret
UCASE "user, hole"
    movabs $hole, %rbx
    mov (%rbx), %rax
    ret
UCASE "user, jump into the hole"
    movabs $hole, %rbx
    jmp *%rbx
    ret
UCASE "user, ret into the hole"
    movabs $hole, %rbx
    push %rbx
    ret
UCASE "user, qword into the hole"
    movabs $hole - 4, %rbx
    mov (%rbx), %rax
    ret
UCASE "user, hole through rsp"
    movabs $hole, %rsp
    pop %rax
    ret
UCASE "user, not mapped"
    movabs $0x10000000000, %rbx
    mov %eax, 0x123(%rbx)
    ret
UCASE "user, iretq to CPL 0"
    push $0x10
    push %rsp
    push $2
    push $8
    push $1f
    iretq
1:  ret
UCASE "user, null ss"
    xor %eax, %eax
    mov %eax, %ss
    ret
UCASE "user, kernel ds"
    mov $0x10, %eax
    mov %eax, %ds
    ret

    .data
    .align 16
scratch:
    .skip 64
table:
    .byte 1, 2, 0x33, 4
