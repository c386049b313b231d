/* SPDX-License-Identifier: MIT
 * The 16-bit image of real.c: CS = DS = ES = SS = 0x800, so offsets are from its start.
 */
    .set low, 0x8000
    .set real_seg, low >> 4

    .macro RCASE name:req, silicon=0
    .pushsection .rodata
91: .asciz "\name"
    .popsection
    .pushsection .real_cases, "a"
    .long 91b, 92f - real_image, \silicon
    .popsection
92:
    .endm

    .section .real_cases, "a"
    .globl real_cases
real_cases:

    .text
    .code32
/* From 32-bit protected mode to real mode, call the case at the offset, and back. */
    .globl real_call
real_call:
    mov 4(%esp), %eax
    pusha
    mov %esp, saved_esp
    mov %eax, low + (case_offset - real_image)
    sidt saved_idt
    sgdt saved_gdt
    lgdt real_gdt_pointer
    lidt real_idt_pointer
    ljmp $8, $(low + (to_real - real_image))

back_in_32:
    mov $0x18, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov %eax, %fs
    mov %eax, %gs
    mov saved_esp, %esp
    lidt saved_idt
    lgdt saved_gdt
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    ljmp $8, $1f
1:  popa
    ret

    .data
    .balign 8
real_gdt:
    .quad 0
    .quad 0x00009b000000ffff
    .quad 0x000093000000ffff
    .quad 0x00cf93000000ffff
    .quad 0x00cf9b000000ffff
    .quad 0x008f93000000ffff    /* 0x28: 16-bit data of 4 GiB */
real_gdt_pointer:
    .word 47
    .long real_gdt
real_idt_pointer:
    .word 0x3ff
    .long 0
saved_idt:
    .skip 8
saved_gdt:
    .skip 8
saved_esp:
    .long 0

    .section .rodata
    .balign 16
    .globl real_image, real_image_end
    .code16
real_image:
result_ax:    .long 0
result_bx:    .long 0
result_cx:    .long 0
result_dx:    .long 0
result_si:    .long 0
result_di:    .long 0
result_bp:    .long 0
result_flags: .long 0
result_vector: .word 0
result_ip:    .word 0
result_cs:    .word 0
result_pushed: .word 0
case_offset:  .long 0
real_sp:      .word 0

    .macro absolute_jump offset
    ljmp $real_seg, $\offset - real_image
    .endm
    .set at, real_image

/* CS is a 16-bit segment with base 0x8000 or 0 here; offsets are as for base 0. */
to_real:
    mov $0x10, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov %ax, %fs
    mov %ax, %gs
    mov %cr0, %eax
    and $~1, %al
    mov %eax, %cr0
    absolute_jump in_real
in_real:
    mov $real_seg, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $0x7000, %sp
    movw $0xffff, result_vector - at
    call vectors_set
    xor %eax, %eax
    xor %ebx, %ebx
    xor %ecx, %ecx
    xor %edx, %edx
    xor %esi, %esi
    xor %edi, %edi
    xor %ebp, %ebp
    push %ax
    popf
    mov %sp, real_sp - at
    push $case_done - at
    jmp *%cs:(case_offset - at)

case_done:
    pushf
    mov %eax, %cs:(result_ax - at)
    mov $real_seg, %ax
    mov %ax, %ds
    pop %ax
    mov %ax, result_flags - at
    mov %ebx, result_bx - at
    mov %ecx, result_cx - at
    mov %edx, result_dx - at
    mov %esi, result_si - at
    mov %edi, result_di - at
    mov %ebp, result_bp - at
leave_real:
    cli
    cld
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpl $0x20, $back_in_32

/* Vectors 0 to 15 and 0x60 record themselves and end the case; 0x61 returns. */
vectors_set:
    push %es
    xor %ax, %ax
    mov %ax, %es
    xor %di, %di
    mov $vector_stubs - at, %ax
    mov $16, %cx
1:  mov %ax, %es:(%di)
    movw $real_seg, %es:2(%di)
    add $4, %di
    add $stub_size, %ax
    loop 1b
    movw $vector_61 - at, %es:0x61 * 4
    movw $real_seg, %es:0x61 * 4 + 2
    movw $vector_60 - at, %es:0x60 * 4
    movw $real_seg, %es:0x60 * 4 + 2
    pop %es
    ret

    .set stub_size, 8
    .balign 8
vector_stubs:
    .set n, 0
    .rept 16
    .balign 8
    pushw $n
    jmp vector_end
    .set n, n + 1
    .endr
    .balign 8
vector_60:
    pushw $0x60
vector_end:
    cli
    cld
    mov $real_seg, %ax
    mov %ax, %ds
    pop %ax
    mov %ax, result_vector - at
    pop %ax
    mov %ax, result_ip - at
    pop %ax
    mov %ax, result_cs - at
    pop %ax
    mov %ax, result_pushed - at
    mov %ds, %ax
    mov %ax, %ss
    mov $0x7000, %sp
    jmp leave_real

vector_61:
    add $0x1000, %ax
    iret

RCASE "segment arithmetic"
    mov $0x1234, %ax
    mov %ax, %es
    movw $0x5678, %es:4
    mov $0x1000, %bx
    mov %bx, %ds
    mov 0x2344, %ax
    mov $0x1230, %bx
    mov %bx, %ds
    mov 0x44, %ax
    ret
RCASE "16-bit offsets wrap"
    mov $0xffff, %si
    mov $2, %bx
    movb $0x5a, 1
    mov (%bx, %si), %al
    movb $0, 1
    ret
RCASE "word at 0xffff"
    mov 0xffff, %ax
    ret
RCASE "dword at 0xfffe"
    mov 0xfffe, %eax
    ret
RCASE "32-bit offset beyond 64 KiB"
    mov $0x10000, %ebx
    mov (%ebx), %al
    ret
RCASE "divide error"
    xor %cx, %cx
    div %cx
    ret
RCASE "invalid opcode", 1
    ud2
    ret
RCASE "bound", 1
    mov $5, %ax
    bound %ax, 1f - at
    ret
1:  .word 6, 9
RCASE "lldt is not recognised"
    lldt %ax
    ret
RCASE "arpl is not recognised", 1
    .byte 0x63, 0xc0
    ret
RCASE "int 0x60"
    int $0x60
    ret
RCASE "int 0x61 returns"
    mov $1, %ax
    stc
    int $0x61
    ret
RCASE "into"
    mov $0x7f, %al
    inc %al
    into
    ret
RCASE "far call and lret"
    lcall $real_seg, $1f - at
    mov %sp, %bx
    ret
1:  mov %cs, %ax
    lret
RCASE "lret $4"
    mov %sp, %dx
    push $1
    push $2
    lcall $real_seg, $1f - at
    sub %sp, %dx
    ret
1:  mov $7, %ax
    lret $4
RCASE "lds and les"
    lds 1f - at, %si
    mov $real_seg, %ax
    mov %ax, %ds
    les 1f - at, %di
    mov %es, %ax
    ret
1:  .word 0x1111, 0x2222
RCASE "bcd", 1
    mov $0x38, %al
    add $0x45, %al
    daa
    mov %ax, %bx
    mov $0x0f, %al
    aaa
    mov %ax, %cx
    mov $63, %al
    aam
    mov %ax, %dx
    mov $0x0507, %ax
    aad
    mov %ax, %si
    mov $0x22, %al
    sub $0x17, %al
    das
    cwtl
    cmp %al, %al
    ret
RCASE "pusha, popa"
    mov $1, %ax
    mov $2, %bx
    mov $3, %cx
    pusha
    mov %sp, %bp
    mov 14(%bp), %dx
    add %dx, 10(%bp)
    popa
    ret
RCASE "enter, leave", 1
    mov %sp, %bx
    mov $0x1234, %bp
    enter $8, $2
    mov %sp, %cx
    sub %bx, %cx
    leave
    mov %bp, %ax
    sub %sp, %bx
    ret
RCASE "rep movsb wraps at 64 KiB"
    mov $0xfffe, %si
    mov $0x6000, %di
    mov $4, %cx
    movw $0x1122, 0
    rep movsb
    mov 0x6002, %ax
    ret
RCASE "loop counts cx"
    mov $0x10003, %ecx
1:  inc %ax
    loop 1b
    ret
RCASE "jcxz, jecxz"
    mov $0x10000, %ecx
    jcxz 1f
    inc %ax
1:  jecxz 2f
    inc %bx
2:  ret
RCASE "32-bit operands"
    mov $0x7fffffff, %eax
    add $1, %eax
    ret
RCASE "32-bit addresses"
    mov $0x6100, %ebx
    mov $0x40, %ecx
    movw $0xabc, 0x6184
    mov 4(%ebx, %ecx, 2), %ax
    ret
RCASE "xlat"
    mov $1f - at, %bx
    mov $2, %al
    xlat
    xor %bx, %bx
    cmp %al, %al
    ret
1:  .byte 5, 6, 7
RCASE "smsw"
    smsw %ax
    and $0xf, %ax
    ret
RCASE "pushf keeps bits 12 to 14 as written"
    push $0x7002
    popf
    pushf
    pop %ax
    push $2
    popf
    ret
RCASE "single-step ends the case"
    pushf
    pop %ax
    or $0x100, %ax
    push %ax
    popf
    nop
    nop
    ret
RCASE "pop ss holds the step back one instruction", 1
    pushf
    pop %ax
    or $0x100, %ax
    mov %ss, %bx
    push %ax
    popf
    mov %bx, %ss
    nop
    nop
    ret
RCASE "IDT that is too small", 1
    lidt 1f - at
    int $0x61
    ret
    .balign 4
1:  .word 0x3f
    .long 0
RCASE "unreal: a limit of 4 GiB stays"
    cli
    lgdtl 1f - at
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    mov $0x28, %bx
    mov %bx, %fs
    and $~1, %al
    mov %eax, %cr0
    xor %bx, %bx
    mov %bx, %fs
    mov $0x100000, %ebx
    mov %fs:(%ebx), %eax
    xor %ebx, %ebx
    mov $0x10, %cx
    mov %cr0, %edx
    or $1, %dl
    mov %edx, %cr0
    mov %cx, %fs
    and $~1, %dl
    mov %edx, %cr0
    xor %cx, %cx
    mov %cx, %fs
    xor %edx, %edx
    cmp %al, %al
    ret
1:  .word 47
    .long real_gdt
real_image_end:

    .section .real_cases, "a"
    .globl real_cases_end
real_cases_end:
