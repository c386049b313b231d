/* SPDX-License-Identifier: MIT
 *
 * The accesses of access.c, to the first page of PML4 entry 2.
 */
    .text
    .code64
    .set window, 0x10000000000

    .globl access_read, access_write, access_fetch, access_read_ac, access_write_ac
access_read:
    movabs $window, %rbx
    mov 64(%rbx), %eax
    ret
access_write:
    movabs $window, %rbx
    mov %eax, 64(%rbx)
    ret
access_fetch:
    movabs $window, %rbx
    call *%rbx
    ret
access_read_ac:
    movabs $window, %rbx
    stac
    mov 64(%rbx), %eax
    clac
    ret
access_write_ac:
    movabs $window, %rbx
    stac
    mov %eax, 64(%rbx)
    clac
    ret
