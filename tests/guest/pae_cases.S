/* SPDX-License-Identifier: MIT */
#include "lib/cases.inc"
    .text
    .code32
    .set window, 0x800000

CASE "write and read"
    movl $0x1234c3, window
    mov window, %eax
    ret
CASE "write read-only"
    mov %eax, window + 0x1010
    ret
CASE "not present"
    mov %eax, window + 0x5010
    ret
CASE "run"
    mov $window, %ecx
    call *%ecx
    xor %eax, %eax
    ret
CASE "run NX"
    mov $window + 0x2000, %eax
    jmp *%eax
CASE "reserved bit 62 of an entry"
    mov window + 0x3010, %eax
    ret
CASE "reserved bit of a 2 MiB page"
    mov %eax, 0xa00000
    ret
CASE "read-only by the directory"
    mov %eax, 0xc00010
    ret
CASE "qword by cmpxchg8b"
    movl $1, window + 0x100
    movl $2, window + 0x104
    mov $1, %eax
    mov $2, %edx
    mov $3, %ebx
    mov $4, %ecx
    lock cmpxchg8b window + 0x100
    mov window + 0x104, %eax
    ret
CASE "cmpxchg8b, not equal, on a read-only page"
    mov $77, %eax
    lock cmpxchg8b window + 0x1100
    ret
UCASE "user, supervisor page"
    mov window + 0x4000, %eax
    ret
UCASE "user, run NX"
    mov $window + 0x2000, %eax
    jmp *%eax
UCASE "user, write read-only"
    mov %eax, window + 0x1010
    ret
UCASE "user, not present"
    mov window + 0x6010, %eax
    ret
