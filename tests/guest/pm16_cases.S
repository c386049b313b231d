/* SPDX-License-Identifier: MIT */
#include "lib/cases.inc"
    .text
    .code32

    .macro in16 label
    ljmp $0x30, $\label - code16
    .endm

CASE "16-bit code and back"
    in16 c1
CASE "16-bit operands are the default"
    in16 c2
CASE "16-bit stack keeps the upper half of esp"
    mov %esp, %ecx
    mov $0x38, %eax
    mov %eax, %ss
    mov $0xabcd1000, %esp
    push %ecx
    mov %esp, %eax
    mov $0x10, %edx
    mov %edx, %ss
    mov %ecx, %esp
    ret
CASE "16-bit stack wraps"
    mov %esp, %ecx
    mov $0x38, %eax
    mov %eax, %ss
    mov $0xabcd0000, %esp
    push $0x1234
    mov %esp, %eax
    mov $0x10, %edx
    mov %edx, %ss
    mov %ecx, %esp
    ret
CASE "mov ss, then mov esp"
    mov %esp, %ecx
    mov $0x38, %eax
    mov %eax, %ss
    mov $0x100, %esp
    pushw $0x77
    popw %ax
    mov $0x10, %edx
    mov %edx, %ss
    mov %ecx, %esp
    ret
CASE "expand-down, nothing but its last byte"
    mov $0x70, %eax
    mov %eax, %fs
    mov %fs:0xffff, %al
    xor %eax, %eax
    ret
CASE "expand-down, one below"
    mov $0x70, %eax
    mov %eax, %fs
    mov %fs:0xfffe, %al
    ret
CASE "lar of code", SHOW_FLAGS | SILICON
    mov $8, %ecx
    lar %ecx, %eax
    mov $0, %ecx
    ret
CASE "lar of a call gate", SILICON
    mov $0x48, %ecx
    lar %ecx, %eax
    ret
CASE "lar of an interrupt gate type", SHOW_FLAGS | SILICON
    movl $0x8e00, gdt + 0x78 + 4
    mov $0x78, %ecx
    mov $1, %eax
    lar %ecx, %eax
    ret
CASE "lar of null", SILICON
    mov $5, %eax
    xor %ecx, %ecx
    lar %ecx, %eax
    setz %ah
    ret
CASE "lar beyond the GDT", SILICON
    mov $5, %eax
    mov $0x1000, %ecx
    lar %ecx, %eax
    setz %ah
    ret
CASE "lsl with pages", SILICON
    mov $0x10, %ecx
    lsl %ecx, %eax
    ret
CASE "lsl with bytes", SILICON
    mov $0x38, %ecx
    lsl %ecx, %eax
    ret
CASE "lsl of a call gate", SILICON
    mov $0x48, %ecx
    mov $3, %eax
    lsl %ecx, %eax
    setz %ah
    ret
UCASE "user, lsl of kernel data", SILICON
    mov $0x10, %ecx
    mov $3, %eax
    lsl %ecx, %eax
    setz %ah
    ret
UCASE "user, verr of kernel data", SILICON
    mov $0x10, %ecx
    verr %cx
    setz %al
    ret
UCASE "user, verw of read-only data", SILICON
    mov $0x6b, %ecx
    verr %cx
    setz %al
    verw %cx
    setz %ah
    ret
UCASE "user, verr of conforming code", SILICON
    mov $0x40, %ecx
    verr %cx
    setz %al
    ret
CASE "arpl", SILICON
    mov $0x10, %eax
    mov $3, %ecx
    arpl %cx, %ax
    setz %cl
    shl $8, %ecx
    or %ecx, %eax
    ret
CASE "sldt, str"
    sldt %eax
    str %ecx
    shl $16, %ecx
    or %ecx, %eax
    ret
CASE "call gate in the same ring", SILICON
    push $1
    push $2
    lcall $0x48, $0
    ret
UCASE "user, call gate with two words", SILICON
    push $0x11
    push $0x22
    lcall $0x4b, $0
    ret
UCASE "user, call gate with DPL 0", SILICON
    lcall $0x50, $0
    ret
UCASE "user, call gate not present", SILICON
    lcall $0x5b, $0
    ret
CASE "call gate to outer code", SILICON
    lcall $0x60, $0
    ret
UCASE "user, conforming code keeps the ring"
    lcall $0x40, $conforming - code16
    ret
UCASE "user, lret to an inner ring"
    push $8
    push $scratch
    lret
CASE "lret to CPL 3 and null segments", SILICON
    mov $0x10, %eax
    mov %eax, %fs
    mov $0x23, %eax
    mov %eax, %gs
    push $0x23
    push $user_stack_top - 64
    push $0x1b
    push $1f
    lret
1:  mov %fs, %eax
    mov %gs, %ecx
    shl $16, %ecx
    or %ecx, %eax
    mov $user_stack_top - 4, %esp
    ret
CASE "iret to CPL 3", SILICON
    push $0x23
    push $user_stack_top - 64
    push $0x3002
    push $0x1b
    push $1f
    iret
1:  pushf
    pop %eax
    mov $user_stack_top - 4, %esp
    ret
CASE "popf at CPL 0 sets IOPL and NT"
    push $0x7002
    popf
    pushf
    pop %eax
    push $2
    popf
    ret
UCASE "user, pushf"
    pushf
    pop %eax
    and $0x7300, %eax
    ret
CASE "accessed bit is set by a load"
    movl $0x00009200, gdt + 0x78 + 4
    movl $0x0000ffff, gdt + 0x78
    mov $0x78, %eax
    mov %eax, %fs
    mov gdt + 0x78 + 4, %eax
    ret
CASE "sgdt"
    sgdt scratch
    movzwl scratch, %eax
    ret
CASE "lmsw sets TS, cannot clear PE"
    smsw %ax
    and $0xfffe, %ax
    or $8, %ax
    lmsw %ax
    mov %cr0, %eax
    clts
    and $9, %eax
    ret
CASE "far jump to a 16-bit offset beyond the limit", SILICON
    ljmp $0x30, $0x10000
    ret

    .globl gate_target
gate_target:
    mov %cs, %eax
    mov %esp, %ecx
    sub $trap_stack_top, %ecx
    and $3, %eax
    cmp $-16, %ecx      /* four or six words of a stack of our own? */
    jl 1f
    or $0x100, %eax
1:  mov 8(%esp), %edx
    shl $16, %edx
    or %edx, %eax
    lret $8

    .balign 16
    .globl code16
code16:
conforming:
    mov %cs, %eax
    lret
    .code16
c1: mov $0x5555, %ax
    ljmpl $8, $back_ok
c2: mov $-1, %ecx
    .byte 0xb8, 0x34, 0x12      /* mov ax, 1234h */
    .byte 0x66, 0xb9, 0x78, 0x56, 0x34, 0x12    /* mov ecx, 12345678h */
    add %cx, %ax
    ljmpl $8, $back_ok
    .code32
back_ok:
    ret

    .data
    .balign 8
scratch:
    .skip 16
