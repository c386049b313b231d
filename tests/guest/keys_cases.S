/* SPDX-License-Identifier: MIT */
#include "lib/cases.inc"
    .text
    .code64
    .set window, 0x10000000000

    .macro at address
    movabs $\address, %rbx
    .endm
    .macro cr4_set bit
    mov %cr4, %rax
    bts $\bit, %rax
    mov %rax, %cr4
    .endm
    .macro cr4_clear bit
    mov %cr4, %rax
    btr $\bit, %rax
    mov %rax, %cr4
    .endm
    .macro keys rights
    xor %ecx, %ecx
    xor %edx, %edx
    mov $\rights, %eax
    wrpkru
    .endm
    .macro supervisor_keys rights
    mov $0x6e1, %ecx
    xor %edx, %edx
    mov $\rights, %eax
    wrmsr
    .endm

/* ---- user keys ---- */
CASE "rdpkru without PKE"
    rdpkru
    ret
CASE "PKE on"
    cr4_set 22
    xor %eax, %eax
    ret
CASE "rdpkru with ECX"
    mov $1, %ecx
    rdpkru
    ret
CASE "wrpkru with EDX"
    mov $1, %edx
    wrpkru
    ret
CASE "wrpkru, rdpkru"
    keys 0x34
    mov $-1, %rax
    mov $-1, %rdx
    rdpkru
    add %rdx, %rax
    ret
CASE "rdpkru with a prefix"
    .byte 0x66, 0x0f, 0x01, 0xee
    ret
UCASE "user, rdpkru"
    rdpkru
    ret
CASE "no access to key 1: read"
    keys 0x4
    at window + 0x1000
    mov 64(%rbx), %eax
    ret
CASE "no access to key 1: write"
    at window + 0x1000
    mov %eax, 64(%rbx)
    ret
CASE "no access to key 1: run is allowed"
    at window + 0x1000
    call *%rbx
    ret
CASE "key 0 is another"
    at window
    mov 64(%rbx), %eax
    ret
CASE "a supervisor page has no user key"
    at window + 0x2000
    mov 64(%rbx), %eax
    ret
UCASE "user, no access to key 1: read"
    at window + 0x1000
    mov 64(%rbx), %eax
    ret
UCASE "user, no access to key 1: write"
    at window + 0x1000
    mov %eax, 64(%rbx)
    ret
UCASE "user, no access to key 1: run is allowed"
    at window + 0x1000
    call *%rbx
    ret
CASE "key 1 not writable: read"
    keys 0x8
    at window + 0x1000
    mov 64(%rbx), %eax
    ret
CASE "key 1 not writable: write, WP clear"
    mov %cr0, %rax
    btr $16, %rax
    mov %rax, %cr0
    at window + 0x1000
    mov %eax, 64(%rbx)
    xor %eax, %eax
    ret
CASE "key 1 not writable: write, WP set"
    mov %cr0, %rax
    bts $16, %rax
    mov %rax, %cr0
    at window + 0x1000
    mov %eax, 64(%rbx)
    ret
UCASE "user, key 1 not writable: write"
    at window + 0x1000
    mov %eax, 64(%rbx)
    ret
UCASE "user, writes its own rights"
    keys 0
    at window + 0x1000
    mov %eax, 64(%rbx)
    ret
CASE "read-only page, key denies too: key is told"
    keys 0x20
    at window + 0x3000
    mov %eax, 64(%rbx)
    ret
CASE "read-only page, key allows: no key"
    keys 0
    at window + 0x3000
    mov %eax, 64(%rbx)
    ret
CASE "PKE off: keys are ignored"
    keys 0x4
    cr4_clear 22
    at window + 0x1000
    mov 64(%rbx), %eax
    xor %eax, %eax
    ret

/* ---- supervisor keys ---- */
CASE "PKRS, upper half"
    mov $0x6e1, %ecx
    xor %eax, %eax
    mov $1, %edx
    wrmsr
    ret
CASE "PKS on"
    cr4_set 24
    supervisor_keys 0x4
    xor %eax, %eax
    ret
CASE "supervisor key 1: read"
    at window + 0x2000
    mov 64(%rbx), %eax
    ret
CASE "supervisor key 1: write"
    at window + 0x2000
    mov %eax, 64(%rbx)
    ret
CASE "supervisor key 1: run is allowed"
    at window + 0x2000
    call *%rbx
    ret
CASE "a user page has no supervisor key"
    at window + 0x1000
    mov 64(%rbx), %eax
    ret
CASE "supervisor key 1 not writable: read"
    supervisor_keys 0x8
    at window + 0x2000
    mov 64(%rbx), %eax
    ret
CASE "supervisor key 1 not writable: write"
    at window + 0x2000
    mov %eax, 64(%rbx)
    ret
CASE "PKS off"
    supervisor_keys 0
    cr4_clear 24
    xor %eax, %eax
    ret

/* ---- SMAP: accesses that no instruction names ---- */
CASE "our own pages for supervisors"
    andl $~4, pml4
    mov %cr3, %rax
    mov %rax, %cr3
    cr4_set 21
    xor %eax, %eax
    ret
CASE "LDT in a user page, AC clear"
    mov $0xa0, %eax
    lldt %ax
    mov $0xc, %eax
    mov %eax, %fs
    ret
CASE "LDT in a user page, AC set: the access is implicit"
    stac
    mov $0xc, %eax
    mov %eax, %fs
    clac
    ret
CASE "stac, clac"
    stac
    pushf
    pop %rcx
    clac
    pushf
    pop %rax
    xor %rcx, %rax
    ret
CASE "SMAP off"
    clac
    cr4_clear 21
    orl $4, pml4
    mov %cr3, %rax
    mov %rax, %cr3
    xor %eax, %eax
    ret
CASE "LDT in a user page without SMAP"
    mov $0xc, %eax
    mov %eax, %fs
    xor %eax, %eax
    mov %eax, %fs
    lldt %ax
    ret
UCASE "user, stac"
    stac
    ret

/* ---- UMIP ---- */
CASE "UMIP on"
    cr4_set 11
    xor %eax, %eax
    ret
CASE "UMIP is for users"
    sub $16, %rsp
    sgdt (%rsp)
    sidt (%rsp)
    sldt %eax
    str %eax
    smsw %eax
    add $16, %rsp
    xor %eax, %eax
    ret
UCASE "user, sgdt"
    sgdt -64(%rsp)
    ret
UCASE "user, sidt"
    sidt -64(%rsp)
    ret
UCASE "user, sldt"
    sldt %eax
    ret
UCASE "user, sldt to memory that is not there"
    movabs $0x700000000000, %rbx
    sldt (%rbx)
    ret
UCASE "user, str"
    str -64(%rsp)
    ret
UCASE "user, smsw"
    smsw %eax
    ret
CASE "UMIP off"
    cr4_clear 11
    xor %eax, %eax
    ret
UCASE "user, sldt without UMIP"
    mov $-1, %rax
    sldt %eax
    ret

/* ---- FSGSBASE ---- */
CASE "rdfsbase without FSGSBASE"
    cr4_clear 16
    rdfsbase %rax
    ret
CASE "wrgsbase, rdgsbase"
    cr4_set 16
    movabs $0x123456789a, %rcx
    wrgsbase %rcx
    rdgsbase %rax
    xor %ecx, %ecx
    wrgsbase %rcx
    ret
CASE "wrfsbase, 32 bits"
    mov $-1, %rcx
    wrfsbase %ecx
    rdfsbase %rax
    xor %ecx, %ecx
    wrfsbase %rcx
    ret
CASE "wrfsbase in the hole"
    movabs $0x0200000000000000, %rcx
    wrfsbase %rcx
    ret
UCASE "user, wrgsbase, rdgsbase"
    mov $0x5000, %ecx
    wrgsbase %rcx
    rdgsbase %rax
    xor %ecx, %ecx
    wrgsbase %rcx
    ret

/* ---- PCID, INVPCID ---- */
CASE "PCIDE with a CR3 that has one"
    mov %cr3, %rcx
    lea 1(%rcx), %rax
    mov %rax, %cr3
    mov %cr4, %rax
    bts $17, %rax
    mov %rax, %cr4
    ret
CASE "CR3 back"
    mov %cr3, %rax
    and $-4096, %rax
    mov %rax, %cr3
    xor %eax, %eax
    ret
CASE "INVPCID of PCID 1 without PCIDE"
    movq $1, scratch
    movq $0, scratch + 8
    xor %eax, %eax
    invpcid scratch, %rax
    ret
CASE "INVPCID type 4"
    movq $0, scratch
    mov $4, %eax
    invpcid scratch, %rax
    ret
CASE "INVPCID type 2, reserved bit"
    movq $0x1000, scratch
    mov $2, %eax
    invpcid scratch, %rax
    ret
CASE "INVPCID type 0, address in the hole"
    movq $0, scratch
    movabs $0x0200000000000000, %rcx
    mov %rcx, scratch + 8
    xor %eax, %eax
    invpcid scratch, %rax
    ret
CASE "INVPCID types 2 and 3"
    movq $0, scratch
    movq $0, scratch + 8
    mov $2, %eax
    invpcid scratch, %rax
    mov $3, %eax
    invpcid scratch, %rax
    xor %eax, %eax
    ret
CASE "PCIDE on"
    cr4_set 17
    xor %eax, %eax
    ret
CASE "CR3 with a PCID, not flushed, reads back without bit 63"
    mov %cr3, %rcx
    mov %rcx, %rax
    or $5, %rax
    bts $63, %rax
    mov %rax, %cr3
    mov %cr3, %rax
    sub %rcx, %rax
    mov %rcx, %cr3
    ret
CASE "CR0.PG off with PCIDE"
    mov %cr0, %rax
    btr $31, %rax
    mov %rax, %cr0
    ret
CASE "INVPCID drops one page of a PCID"
    mov %cr3, %rcx
    mov %rcx, %rax
    or $7, %rax
    mov %rax, %cr3
    at window
    mov 64(%rbx), %eax          /* cached in PCID 7 */
    movabs $frame_of_page_4, %rdx
    movq $7, scratch
    mov %rbx, scratch + 8
    xor %eax, %eax
    invpcid scratch, %rax
    mov 64(%rbx), %eax
    mov %rcx, %cr3
    xor %eax, %eax
    ret
CASE "PCIDE off"
    cr4_clear 17
    xor %eax, %eax
    ret
UCASE "user, invpcid"
    invpcid scratch, %rax
    ret

/* ---- MONITOR, RDPID, RDTSCP, XGETBV ---- */
CASE "rdpid reads TSC_AUX"
    mov $0xc0000103, %ecx
    mov $0x4321, %eax
    xor %edx, %edx
    wrmsr
    mov $-1, %rax
    rdpid %rax
    ret
CASE "rdtscp reads TSC_AUX"
    mov $-1, %rcx
    rdtscp
    mov %rcx, %rax
    ret
CASE "rdtsc with TSD"
    cr4_set 2
    rdtsc
    xor %eax, %eax
    ret
UCASE "user, rdtsc with TSD"
    rdtsc
    ret
UCASE "user, rdtscp with TSD"
    rdtscp
    ret
CASE "TSD off"
    cr4_clear 2
    xor %eax, %eax
    ret
CASE "rdpmc of no counter"
    mov $0x4000, %ecx
    rdpmc
    ret
UCASE "user, rdpmc"
    rdpmc
    ret
UCASE "user, invlpg"
    invlpg (%rsp)
    ret
UCASE "user, wbinvd"
    wbinvd
    ret
UCASE "user, lmsw"
    lmsw %ax
    ret
UCASE "user, clts"
    clts
    ret
UCASE "user, mov dr7"
    mov %dr7, %rax
    ret
UCASE "user, xsetbv"
    xsetbv
    ret
CASE "cr4, reserved bit 15"
    mov %cr4, %rax
    bts $15, %rax
    mov %rax, %cr4
    ret
CASE "cr4, upper half"
    mov %cr4, %rax
    bts $32, %rax
    mov %rax, %cr4
    ret
CASE "cr3, beyond MAXPHYADDR"
    mov %cr3, %rax
    bts $60, %rax
    mov %rax, %cr3
    ret
CASE "cr0, NW without CD"
    mov %cr0, %rax
    btr $30, %rax
    bts $29, %rax
    mov %rax, %cr0
    ret
CASE "cr0, PE off with PG"
    mov %cr0, %rax
    btr $0, %rax
    mov %rax, %cr0
    ret

    .set frame_of_page_4, 0x4000
    .data
    .align 16
scratch:
    .skip 64
