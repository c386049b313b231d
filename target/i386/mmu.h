/* SPDX-License-Identifier: MIT
 *
 * Guest memory as instructions see it (tcg): linear addresses, paging and
 * its faults.  Functions that take a linear address raise #PF, #GP or #SS
 * through x86_raise_exception() and then do not return.  vCPU thread only.
 */
#ifndef TARGET_I386_MMU_H
#define TARGET_I386_MMU_H

#include "target/i386/cpu.h"

typedef enum X86Access { X86_READ, X86_WRITE, X86_FETCH } X86Access;

/* Whose rights count: explicit accesses have the CPL, descriptor-table and
 * TSS accesses are supervisor accesses at any CPL (SDM vol. 3, 4.6). */
typedef enum X86Priv { X86_PRIV_CPL, X86_PRIV_SYSTEM } X86Priv;

typedef struct X86Translation {
    uint64_t phys;      /* guest physical address of the byte asked for */
    uint64_t page_size; /* 4 KiB, 2 MiB, 4 MiB, 1 GiB: the mapping that gave it */
    uint8_t prot_read, prot_write, prot_exec; /* for the same privilege; write only once D is set */
    uint8_t global;
} X86Translation;

typedef struct X86PageFault {
    uint32_t error_code; /* PG_ERROR_* */
} X86PageFault;

/*
 * Walk the guest's page tables (2-level, PAE, 4- and 5-level; none when
 * CR0.PG=0), set the A and D bits atomically as the access would, apply WP,
 * U/S, NX, SMEP, SMAP, PKU, reserved bits.  Does not look at a TLB.  False:
 * it faults, *fault says how; CR2 is not written here.
 */
bool x86_page_walk(CPUX86State *env, uint64_t linear, X86Access access, X86Priv priv,
                   X86Translation *ret, X86PageFault *fault);

/* Through the TLB (implemented by accel/tcg/mmu.c). */
uint64_t x86_ld(CPUX86State *env, uint64_t linear, unsigned size, X86Priv priv);
void x86_st(CPUX86State *env, uint64_t linear, uint64_t value, unsigned size, X86Priv priv);
/* All or nothing: every page is checked before a byte is written. */
void x86_ld_bytes(CPUX86State *env, uint64_t linear, void *buf, size_t len, X86Priv priv);
void x86_st_bytes(CPUX86State *env, uint64_t linear, const void *buf, size_t len, X86Priv priv);
/* Raise what an access of that kind would, and do nothing else. */
void x86_probe(CPUX86State *env, uint64_t linear, size_t len, X86Access access, X86Priv priv);
/*
 * Host address of `len` bytes of RAM (no page crossing), or NULL when it is
 * not plain RAM or holds translated code; raises like x86_probe().
 */
void *x86_host_ptr(CPUX86State *env, uint64_t linear, size_t len, X86Access access, X86Priv priv);

/* The same, but only if the TLB has it, else NULL; raises nothing. */
void *x86_quick_ptr(CPUX86State *env, uint64_t linear, size_t len, X86Access access, X86Priv priv);

/*
 * Between these no other vCPU runs guest code: for locked operations that the host cannot do
 * atomically (two pages, MMIO).  Nothing that can fault may be done in between that was not
 * probed before.
 */
void x86_exclusive_begin(CPUX86State *env);
void x86_exclusive_end(CPUX86State *env);

void x86_tlb_flush(CPUX86State *env, bool keep_global);
void x86_tlb_flush_page(CPUX86State *env, uint64_t linear);

/*
 * Segmented access: the linear address of seg:offset after the checks of type
 * and limit for `len` bytes (#GP or #SS); in 64-bit code the canonical check.
 */
uint64_t x86_linear(CPUX86State *env, int seg, uint64_t offset, size_t len, X86Access access);
/*
 * The part of it that comes after translation: #AC, and data breakpoints, which are noted in
 * env->debug_hits.  Needed only with HF_AC or HF_DRX in hflags.
 */
void x86_check_access(CPUX86State *env, uint64_t linear, size_t len, X86Access access);

#endif
