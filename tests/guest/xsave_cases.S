/* SPDX-License-Identifier: MIT */
#include "lib/cases.inc"
    .text
    .code64

    .macro xcr0 value
    xor %ecx, %ecx
    xor %edx, %edx
    mov $\value, %eax
    xsetbv
    .endm
    /* EDX:EAX for the instruction that follows. */
    .macro components mask
    mov $\mask, %eax
    xor %edx, %edx
    .endm
    .macro clear_area byte=0
    mov $area, %edi
    mov $4096, %ecx
    mov $\byte, %al
    rep stosb
    .endm

CASE "OSXSAVE off: xgetbv"
    mov %cr4, %rax
    btr $18, %rax
    mov %rax, %cr4
    xor %ecx, %ecx
    xgetbv
    ret
CASE "OSXSAVE off: xsave"
    components 3
    xsave area
    ret
CASE "OSXSAVE off: xsetbv"
    xcr0 1
    ret
CASE "OSXSAVE on"
    mov %cr4, %rax
    bts $18, %rax
    mov %rax, %cr4
    xor %eax, %eax
    ret
CASE "XCR0 without x87"
    xcr0 2
    ret
CASE "XCR0 with AVX without SSE"
    xcr0 5
    ret
CASE "XCR0, reserved bit"
    xcr0 0x403
    ret
CASE "XCR0, bit 63"
    xor %ecx, %ecx
    mov $7, %eax
    mov $0x80000000, %edx
    xsetbv
    ret
CASE "XCR1"
    mov $1, %ecx
    mov $3, %eax
    xor %edx, %edx
    xsetbv
    ret
CASE "XCR16"
    mov $16, %ecx
    xgetbv
    ret
CASE "lock xgetbv"
    .byte 0xf0, 0x0f, 0x01, 0xd0
    ret
CASE "xgetbv with 66"
    .byte 0x66, 0x0f, 0x01, 0xd0
    ret
UCASE "user, xsetbv"
    xcr0 3
    ret
CASE "XCR0 is 1: avx is off"
    xcr0 1
    vxorps %ymm0, %ymm0, %ymm0
    ret
CASE "size for x87 alone"
    mov $0xd, %eax
    xor %ecx, %ecx
    cpuid
    mov %rbx, %rax
    ret
CASE "XCR0 is 7: size for AVX"
    xcr0 7
    mov $0xd, %eax
    xor %ecx, %ecx
    cpuid
    mov %rbx, %rax
    ret
CASE "AVX component"
    mov $0xd, %eax
    mov $2, %ecx
    cpuid
    shl $16, %rbx
    or %rbx, %rax
    ret
UCASE "user, xgetbv"
    xor %ecx, %ecx
    xgetbv
    ret
CASE "xsave, not aligned"
    components 7
    xsave area + 32
    ret
CASE "xsave with TS"
    mov %cr0, %rax
    bts $3, %rax
    mov %rax, %cr0
    components 7
    xsave area
    ret
CASE "TS off"
    clts
    xor %eax, %eax
    ret
CASE "xsave keeps the header's other bits"
    clear_area
    vzeroall
    fninit
    movq $0x100, area + 512
    pcmpeqd %xmm1, %xmm1
    components 2
    xsave area
    mov area + 512, %rax
    ret
CASE "only what was asked for is stored"
    clear_area 0x5a
    movq $0, area + 512
    movq $0, area + 520
    pcmpeqd %xmm1, %xmm1
    components 2
    xsave area
    mov area, %al               /* x87: left */
    mov area + 176, %ah         /* XMM1 */
    movzwl %ax, %eax
    ret
CASE "upper halves by XRSTOR"
    clear_area
    vzeroall
    pcmpeqd %xmm2, %xmm2
    vinsertf128 $1, %xmm2, %ymm2, %ymm2
    components 7
    xsave area
    vzeroall
    components 7
    xrstor area
    vextractf128 $1, %ymm2, %xmm3
    movq %xmm3, %rax
    vzeroall
    ret
CASE "a component not in the header is initialised"
    clear_area
    movl $0x1f80, area + 24
    pcmpeqd %xmm2, %xmm2
    components 2
    xrstor area
    movq %xmm2, %rax
    ret
CASE "x87 initialised"
    fld1
    components 1
    xrstor area
    fnstcw area + 4000
    movzwl area + 4000, %eax
    ret
CASE "xrstor, header has a bit that XCR0 has not"
    movq $0x200, area + 512
    components 7
    xrstor area
    ret
CASE "xrstor, the header beyond byte 23 matters to the compacted format only"
    movq $0, area + 512
    movb $1, area + 536
    components 7
    xrstor area
    ret
CASE "xrstor, XCOMP_BV without bit 63"
    movb $0, area + 536
    movq $1, area + 520
    components 7
    xrstor area
    ret
CASE "xrstor, reserved MXCSR"
    movq $0, area + 520
    movl $0x10000, area + 24
    components 2
    xrstor area
    ret
CASE "xrstor of x87 does not look at MXCSR"
    movl $0x1f80, area + 24
    movl $0x10000, area + 24
    components 1
    xrstor area
    movl $0x1f80, area + 24
    xor %eax, %eax
    ret
CASE "xsavec: format and offset"
    clear_area 0x5a
    vzeroall
    pcmpeqd %xmm2, %xmm2
    vinsertf128 $1, %xmm2, %ymm2, %ymm2
    components 4
    xsavec area
    mov area + 520, %rax
    mov area + 576 + 32, %ecx
    rol $8, %rax                /* bit 63 and the mask */
    xor %rcx, %rax
    vzeroall
    ret
CASE "xsavec leaves what is initial"
    clear_area 0x5a
    vzeroall
    components 4
    xsavec area
    mov area + 576, %al
    movzbl %al, %eax
    mov area + 512, %cl
    shl $8, %ecx
    or %ecx, %eax
    movzwl %ax, %eax
    ret
CASE "xrstor of the compacted format"
    clear_area
    pcmpeqd %xmm4, %xmm4
    vinsertf128 $1, %xmm4, %ymm4, %ymm4
    components 6
    xsavec area
    vzeroall
    components 6
    xrstor area
    vextractf128 $1, %ymm4, %xmm3
    movq %xmm3, %rax
    vzeroall
    ret
CASE "compacted, header beyond XCOMP_BV"
    movq $6, area + 512
    movabs $0x8000000000000002, %rax
    mov %rax, area + 520
    components 6
    xrstor area
    ret
CASE "xsaveopt"
    clear_area
    vzeroall
    pcmpeqd %xmm5, %xmm5
    components 2
    xsaveopt area
    mov area + 240, %rax
    ret
CASE "xgetbv 1 is within XCR0"
    mov $1, %ecx
    xgetbv
    and $~7, %eax
    or %edx, %eax
    ret
CASE "fxsave, fxrstor"
    clear_area
    pcmpeqd %xmm6, %xmm6
    fxsave area
    pxor %xmm6, %xmm6
    fxrstor area
    movq %xmm6, %rax
    pxor %xmm6, %xmm6
    ret
CASE "fxsave, not aligned"
    fxsave area + 8
    ret
CASE "fxrstor, reserved MXCSR"
    movl $0x10000, area + 24
    fxrstor area
    ret
CASE "movaps, not aligned"
    movaps %xmm0, area + 8
    ret
CASE "movups"
    movups %xmm0, area + 8
    xor %eax, %eax
    ret
CASE "vmovaps ymm, not aligned"
    vmovaps %ymm0, area + 16
    ret
CASE "addps from memory, not aligned"
    addps area + 4, %xmm0
    ret
CASE "vaddps from memory may be anywhere"
    clear_area
    vaddps area + 4, %ymm0, %ymm0
    vzeroall
    xor %eax, %eax
    ret
CASE "sse with OSFXSR off"
    mov %cr4, %rax
    btr $9, %rax
    mov %rax, %cr4
    pxor %xmm0, %xmm0
    ret
CASE "OSFXSR on, EM: sse"
    mov %cr4, %rax
    bts $9, %rax
    mov %rax, %cr4
    mov %cr0, %rax
    bts $2, %rax
    mov %rax, %cr0
    pxor %xmm0, %xmm0
    ret
CASE "EM: x87"
    fld1
    ret
CASE "EM off, TS: sse"
    mov %cr0, %rax
    btr $2, %rax
    bts $3, %rax
    mov %rax, %cr0
    pxor %xmm0, %xmm0
    ret
CASE "TS: avx"
    vpxor %xmm0, %xmm0, %xmm0
    ret
CASE "TS: x87"
    fld1
    ret
CASE "TS without MP: wait"
    mov %cr0, %rax
    btr $1, %rax
    mov %rax, %cr0
    fwait
    xor %eax, %eax
    ret
CASE "TS and MP: wait"
    mov %cr0, %rax
    bts $1, %rax
    mov %rax, %cr0
    fwait
    ret
CASE "TS: no matter for pause, prefetch, fences, clflush, movnti"
    pause
    prefetcht0 area
    mfence
    clflush area
    movnti %ecx, area
    xor %eax, %eax
    ret
CASE "all back"
    mov %cr0, %rax
    btr $1, %rax
    btr $3, %rax
    mov %rax, %cr0
    fninit
    xcr0 1
    xor %eax, %eax
    ret

    .bss
    .align 4096
area:
    .skip 8192
