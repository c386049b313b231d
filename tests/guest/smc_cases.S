/* SPDX-License-Identifier: MIT
 *
 * Self-modifying code (SDM vol. 3, 8.1.3 and 11.6): a store is seen by the very
 * next instruction, through any mapping, by any kind of store.
 */
#include "lib/cases.inc"
    .text
    .code64

    .macro smc_cases kind, p
\kind "\p, next instruction"
    movl $0x11, 1f + 1
    movl $0x42, 1f + 1
1:  mov $0, %eax
    ret
\kind "\p, an instruction further down the block"
    movl $0, 1f + 1
    movb $0x43, 1f + 1
    xor %ecx, %ecx
    inc %ecx
1:  mov $0, %eax
    ret
\kind "\p, a loop that changes itself"
    movl $1, 2f + 1
    xor %eax, %eax
    mov $10, %ecx
1:
2:  add $0x12345678, %eax
    addl $1, 2b + 1
    dec %ecx
    jnz 1b
    movl $0x12345678, 2b + 1
    ret
\kind "\p, a loop that changes its opcode"
    movb $0xff, 2f
    mov $100, %eax
    mov $6, %ecx
1:
2:  inc %eax
    xorb $8, 2b + 1
    dec %ecx
    jnz 1b
    ret
\kind "\p, a function replaced by rep movsb"
    mov $one, %rsi
    mov $place, %rdi
    mov $6, %ecx
    rep movsb
    call place
    mov %eax, %edx
    mov $two, %rsi
    mov $place, %rdi
    mov $6, %ecx
    rep movsb
    call place
    shl $8, %edx
    or %edx, %eax
    ret
\kind "\p, a function called hot, then replaced"
    mov $one, %rsi
    mov $place, %rdi
    mov $6, %ecx
    rep movsb
    mov $50, %ecx
    xor %edx, %edx
1:  call place
    add %eax, %edx
    dec %ecx
    jnz 1b
    movb $7, place + 1
    mov $50, %ecx
1:  call place
    add %eax, %edx
    dec %ecx
    jnz 1b
    mov %edx, %eax
    ret
\kind "\p, the caller's return point changes"
    movl $1, 2f + 1
    call 1f
2:  mov $0, %eax
    ret
1:  movl $0x99, 2b + 1
    ret
\kind "\p, an instruction across two pages, its second half"
    movl $0, across + 1
    call across
    mov %eax, %edx
    movb $0x21, across + 4
    call across
    add %edx, %eax
    ret
\kind "\p, a store that covers itself"
    movl $0x90909090, 1f
    movl $0x90909090, 1f + 4
    movl $0xc3c031, %edx
    mov $0x31c0ffc0, %ecx
    mov $5, %eax
    jmp 1f
    .balign 8
1:  .skip 8, 0x90
    ret
\kind "\p, data beside code"
    mov $1000, %ecx
1:  addl $1, 2f
    dec %ecx
    jnz 1b
    mov 2f, %eax
    movl $0, 2f
    ret
2:  .long 0
\kind "\p, push over code"
    mov %rsp, %rbx
    mov $pushed + 8, %rsp
    movabs $0x90c300000055b890, %rax
    push %rax
    mov %rbx, %rsp
    call pushed
    ret
\kind "\p, xchg over code"
    movl $0x00000001, 1f + 1
    mov $0x77, %ecx
    xchg %ecx, 1f + 1
1:  mov $0, %eax
    add %ecx, %eax
    ret
    .endm

    smc_cases CASE, "kernel"
    smc_cases UCASE, "user"

one:
    mov $1, %eax
    ret
two:
    mov $2, %eax
    ret
    .balign 64
place:
    .skip 16, 0xcc
    .balign 8
pushed:
    .skip 16, 0xc3
    .balign 4096
    .skip 4093
across:
    mov $0, %eax
    ret
