/* SPDX-License-Identifier: MIT */
#include "lib/cases.inc"
    .text
    .code32
    .set window, 0x800000

CASE "read user page"
    movl $0x1234, window
    mov window, %eax
    ret
CASE "read not present"
    mov window + 0x4000, %eax
    ret
CASE "write not present"
    mov %eax, window + 0x4abc
    ret
CASE "write read-only, WP clear"
    movl $7, window + 0x1000
    mov window + 0x1000, %eax
    ret
CASE "set WP"
    mov %cr0, %eax
    or $0x10000, %eax
    mov %eax, %cr0
    xor %eax, %eax
    ret
CASE "write read-only user page, WP set"
    movl $8, window + 0x1008
    ret
CASE "write read-only supervisor page, WP set"
    movl $8, window + 0x3008
    ret
CASE "locked add to read-only page"
    lock addl $1, window + 0x3010
    ret
CASE "cmpxchg that would not store, on a read-only page"
    mov $0x77, %eax
    mov $1, %ecx
    cmpxchg %ecx, window + 0x1000
    ret
CASE "dword across into not present"
    mov window + 0x3ffe, %eax
    ret
CASE "store across into read-only"
    movl $0x11111111, window + 0xffc
    movl $0x22222222, window + 0xffe
    ret
CASE "nothing of it was written"
    mov window + 0xffc, %eax
    ret
CASE "store across two pages"
    movl $0x22222222, window + 0x5000 - 2
    ret
CASE "push across is whole"
    mov %esp, %edx
    mov $window + 0x8002, %esp
    mov $0xabcd1234, %ecx
    push %ecx
    mov (%esp), %eax
    mov %edx, %esp
    ret
CASE "jump to not present"
    mov $window + 0x4000, %eax
    jmp *%eax
CASE "code runs into not present"
    movl $0x90909090, window + 0x5ffc
    mov $window + 0x5ffc, %eax
    jmp *%eax
CASE "instruction across into not present"
    movl $0x00b89090, window + 0x5ffc
    mov $window + 0x5ffc, %eax
    jmp *%eax
CASE "reserved bit"
    mov 0x1000000, %eax
    ret
CASE "rep movsb into not present", SHOW_COUNT
    mov $window + 0x5ff0, %edi
    mov $window, %esi
    mov $32, %ecx
    rep movsb
    ret
CASE "rep movsl from not present, backwards", SHOW_COUNT
    std
    mov $window + 0x5008, %esi
    mov $window + 0x20, %edi
    mov $8, %ecx
    rep movsl
    ret
CASE "rep stosl into read-only", SHOW_COUNT
    mov $window + 0xff0, %edi
    mov $8, %ecx
    rep stosl
    ret
CASE "repe cmpsb into not present", SHOW_COUNT
    mov $window + 0x5ff8, %esi
    mov $window + 0x5ff8, %edi
    mov $16, %ecx
    repe cmpsb
    ret
CASE "repne scasb into not present", SHOW_COUNT
    mov $window + 0x5ff8, %edi
    mov $0xee, %al
    mov $16, %ecx
    repne scasb
    ret
CASE "push to not present leaves esp", SHOW_COUNT
    mov %esp, %ebp
    mov $window + 0x4100, %edi
    movl $0x5, window
    pushl window
    popl window + 0x4200
    ret
UCASE "user, read user page"
    mov window, %eax
    ret
UCASE "user, read supervisor page"
    mov window + 0x2000, %eax
    ret
UCASE "user, write supervisor page"
    mov %eax, window + 0x2ffc
    ret
UCASE "user, write read-only page"
    mov %eax, window + 0x1ffc
    ret
UCASE "user, read not present"
    mov window + 0x6004, %eax
    ret
UCASE "user, run supervisor page"
    mov $window + 0x2000, %eax
    jmp *%eax
UCASE "user, write, then read back"
    movl $0xfeed, window + 0x10
    mov window + 0x10, %eax
    ret
