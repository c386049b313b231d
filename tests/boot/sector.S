/* SPDX-License-Identifier: MIT
 *
 * A boot sector, for disks and for CDs with no emulation.  It prints through the firmware, finds
 * its text in display memory, reads a sector through INT 13h, and on a disk writes one.  It
 * ends with 31h, or with the number of the check that failed.  drives.py fills in the
 * two words at its start.
 */
    .code16
    .globl start
start:
    jmp     1f
    .balign 4
data_lba: .long 0
writes:   .long 0
1:  ljmp    $0, $2f
2:  cli
    xor     %ax, %ax
    mov     %ax, %ds
    mov     %ax, %es
    mov     %ax, %ss
    mov     $0x7c00, %sp
    sti
    mov     %dl, drive
    mov     $message, %si
3:  lodsb
    test    %al, %al
    jz      4f
    mov     $0x0e, %ah
    mov     $7, %bx
    int     $0x10
    jmp     3b

/* 1: the text on the screen */
4:  mov     $0xb800, %ax
    mov     %ax, %fs
    xor     %di, %di
5:  mov     $message, %si
    mov     %di, %bx
6:  lodsb
    cmp     $'\r', %al
    je      7f
    cmp     %fs:(%bx), %al
    jne     8f
    add     $2, %bx
    jmp     6b
8:  add     $2, %di
    cmp     $4000, %di
    jb      5b
    mov     $1, %al
    jmp     finish

/* 2, 3: a sector of 31h */
7:  mov     data_lba, %eax
    mov     %eax, dap_lba
    mov     $0x42, %ah
    call    transfer
    mov     $2, %al
    jc      finish
    mov     $3, %al
    cmpb    $0x31, 0x8000
    jne     finish
    cmpb    $0x31, 0x81ff
    jne     finish

/* 4: one of 77h behind it */
    cmpl    $0, writes
    je      9f
    mov     $0x8000, %di
    mov     $0x7777, %ax
    mov     $256, %cx
    cld
    rep stosw
    incl    dap_lba
    mov     $0x4300, %ax
    call    transfer
    mov     $4, %al
    jc      finish
9:  mov     $0x31, %al
finish:
    movzbl  %al, %eax
    mov     $0xf4, %dx
    out     %eax, %dx
10: hlt
    jmp     10b

/* Floppy disks have no extended calls: a sector of the first track of theirs. */
transfer:
    mov     drive, %dl
    test    $0x80, %dl
    jz      11f
    mov     $dap, %si
    int     $0x13
    ret
11: sub     $0x40, %ah
    mov     $1, %al
    xor     %ch, %ch
    mov     dap_lba, %cl
    inc     %cl
    xor     %dh, %dh
    mov     $0x8000, %bx
    int     $0x13
    ret

message: .asciz "BOOT OK\r\n"
drive:   .byte 0
    .balign 4
dap:     .byte 16, 0
         .word 1, 0x8000, 0
dap_lba: .long 0, 0
    .org    510
    .word   0xaa55
