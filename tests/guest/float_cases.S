/* SPDX-License-Identifier: MIT */
#include "lib/cases.inc"
    .text
    .code64

    .macro start control=0x37f
    fninit
    movw $\control, scratch
    fldcw scratch
    .endm

UCASE "1/3"
    start
    fld1
    fildl three
    fdivrp
    fstpl scratch
    mov scratch, %rax
    ret
UCASE "pi in 80 bits"
    start
    fldpi
    fstpt scratch
    mov scratch, %rax
    movzwl scratch + 8, %ecx
    add %rcx, %rax
    ret
UCASE "divide by zero, masked, sets ZE"
    start
    fld1
    fldz
    fdivrp
    fnstsw %ax
    and $0x80ff, %eax
    ret
UCASE "divide by zero, unmasked, waits for the next"
    start 0x37b
    fld1
    fldz
    fdivrp %st, %st(1)
    mov $0x11, %eax
    fnop
    ret
UCASE "its status word"
    fnstsw %ax
    and $0x80ff, %eax
    ret
UCASE "fwait with an exception pending"
    fwait
    ret
UCASE "fnclex"
    fnclex
    fnstsw %ax
    and $0x80ff, %eax
    ret
UCASE "invalid, square root of -1"
    start 0x37e
    fld1
    fchs
    fsqrt
    fwait
    ret
UCASE "stack underflow, masked"
    start
    fstpl scratch
    fnstsw %ax
    mov scratch, %rcx
    shr $32, %rcx
    shl $16, %rcx
    and $0x82ff, %eax
    or %rcx, %rax
    ret
UCASE "stack overflow, unmasked"
    start 0x37e
    .rept 9
    fld1
    .endr
    fwait
    ret
UCASE "precision control"
    start 0x07f
    fld1
    fildl three
    fdivrp
    fstpl scratch
    mov scratch, %rax
    ret
UCASE "rounding up"
    start 0xb7f
    fld1
    fildl three
    fdivrp
    fistpl scratch
    mov scratch, %eax
    ret
UCASE "fistp out of range"
    start
    fildl three
    fldpi
    fscale
    fldpi
    fmulp
    fmull big
    fistpl scratch
    mov scratch, %eax
    ret
UCASE "compare sets C3, C2, C0"
    start
    fldz
    fld1
    fcompp
    fnstsw %ax
    and $0x4500, %eax
    ret
UCASE "fcomi unordered"
    start
    fldz
    fldz
    fdivrp
    fld1
    fcomip
    pushf
    pop %rax
    and $0x45, %eax
    ret
UCASE "bcd there and back"
    start
    fbld bcd
    fistpl scratch
    mov scratch, %eax
    ret
UCASE "fxam of a denormal"
    start
    fldl denormal
    fxam
    fnstsw %ax
    and $0x4700, %eax
    ret
UCASE "tag word after two loads"
    start
    fld1
    fldz
    fnstenv scratch
    movzwl scratch + 8, %eax
    ret
UCASE "fnstenv tells of the last instruction, not of controls"
    start
    fld1
1:  fldz
    fnstcw scratch
    fnstenv scratch
    mov scratch + 12, %eax
    sub $1b, %eax
    ret
UCASE "fninit forgets it"
    fldz
    fninit
    fnstenv scratch
    mov scratch + 12, %eax
    ret
UCASE "mmx tags all"
    start
    mov $0x12345678, %eax
    movd %eax, %mm3
    paddd %mm3, %mm3
    movd %mm3, %ecx
    fxsave area
    movzbl area + 4, %eax
    shl $32, %rcx
    or %rcx, %rax
    emms
    ret
UCASE "sse divide by zero, masked"
    movl $0x1f80, scratch
    ldmxcsr scratch
    movss one, %xmm0
    xorps %xmm1, %xmm1
    divss %xmm1, %xmm0
    movd %xmm0, %eax
    stmxcsr scratch
    mov scratch, %ecx
    shl $32, %rcx
    or %rcx, %rax
    ret
UCASE "sse divide by zero, unmasked"
    movl $0x1d80, scratch
    ldmxcsr scratch
    movss one, %xmm0
    xorps %xmm1, %xmm1
    divss %xmm1, %xmm0
    ret
UCASE "its MXCSR"
    stmxcsr scratch
    mov scratch, %eax
    movl $0x1f80, scratch + 4
    ldmxcsr scratch + 4
    ret
UCASE "sse invalid, unmasked"
    movl $0x1f00, scratch
    ldmxcsr scratch
    xorps %xmm0, %xmm0
    divss %xmm0, %xmm0
    ret
UCASE "sse inexact, unmasked"
    movl $0x0f80, scratch
    ldmxcsr scratch
    cvtsi2sd three, %xmm1
    mov $1, %eax
    cvtsi2sd %eax, %xmm0
    divsd %xmm1, %xmm0
    ret
UCASE "sse denormal operand, unmasked"
    movl $0x1e80, scratch
    ldmxcsr scratch
    movsd denormal, %xmm0
    addsd %xmm0, %xmm0
    ret
UCASE "sse overflow, unmasked"
    movl $0x1b80, scratch
    ldmxcsr scratch
    movsd big, %xmm0
    mulsd %xmm0, %xmm0
    mulsd %xmm0, %xmm0
    ret
UCASE "flush to zero"
    movl $0x9fc0, scratch
    ldmxcsr scratch
    movsd small, %xmm0
    mulsd small, %xmm0
    movq %xmm0, %rax
    movl $0x1f80, scratch
    ldmxcsr scratch
    ret
UCASE "reserved MXCSR bit", SILICON
    movl $0x11f80, scratch
    ldmxcsr scratch
    ret
UCASE "aligned load of unaligned memory"
    movaps scratch + 8, %xmm0
    ret
UCASE "unaligned load"
    movups scratch + 8, %xmm0
    ret
UCASE "sse operand across into not present"
    movabs $0x7ffffffffff8, %rbx
    movups (%rbx), %xmm0
    ret
UCASE "cvttsd2si out of range"
    movl $0x1f80, scratch
    ldmxcsr scratch
    movsd big, %xmm0
    cvttsd2si %xmm0, %rax
    ret
UCASE "cvtss2si rounds to even"
    movss half5, %xmm0
    cvtss2si %xmm0, %eax
    ret
UCASE "comisd unordered"
    xorpd %xmm0, %xmm0
    divsd %xmm0, %xmm0
    comisd %xmm0, %xmm0
    pushf
    pop %rax
    and $0x8d5, %eax
    ret
UCASE "pmulhuw, packuswb"
    mov $0x80017fff, %eax
    movd %eax, %xmm0
    pmulhuw %xmm0, %xmm0
    packuswb %xmm0, %xmm0
    movq %xmm0, %rax
    ret
UCASE "fxsave"
    start
    fldpi
    fxsave area
    mov area, %eax
    movzwl area + 32 + 8, %ecx
    shl $32, %rcx
    or %rcx, %rax
    ret
UCASE "fxrstor of a reserved MXCSR bit"
    fxsave area
    orl $0x80000000, area + 24
    fxrstor area
    ret
UCASE "fxsave to unaligned memory", SILICON
    fxsave area + 8
    ret

    .data
    .balign 16
scratch:
    .skip 64
three:
    .long 3
one:
    .float 1
half5:
    .float 2.5
    .balign 16
big:
    .double 1e200
small:
    .double 1e-200
denormal:
    .quad 5
bcd:
    .byte 0x21, 0x43, 0x65, 0, 0, 0, 0, 0, 0, 0x80
    .balign 16
area:
    .skip 528
