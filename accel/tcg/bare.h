/* SPDX-License-Identifier: MIT
 *
 * A translator and one vCPU with nothing around them but RAM at physical 0:
 * for tests and oracles.  One thread; several may exist, one runs at a time.
 */
#ifndef ACCEL_TCG_BARE_H
#define ACCEL_TCG_BARE_H

#include "system/memory/memory.h"
#include "target/i386/cpu.h"

typedef struct TcgBare TcgBare;

/* Registers as after reset; all CPUID features that are known. NULL: no memory. */
TcgBare *tcg_bare_new(size_t ram_size);
void tcg_bare_free(TcgBare *bare);
CPUX86State *tcg_bare_env(TcgBare *bare);
uint8_t *tcg_bare_ram(TcgBare *bare);
/* The container of all memory; what a test adds it takes away again. */
MemoryRegion *tcg_bare_root(TcgBare *bare);
/* The RAM, for its log of writes. */
MemoryRegion *tcg_bare_ram_region(TcgBare *bare);

/*
 * 64-bit flat mode at that CPL, SSE and AVX enabled as far as the host has them, all of
 * the RAM mapped at its physical address with pages of `page_size` (4 KiB or 2 MiB); the
 * tables lie in the last MiB of the RAM.
 */
void tcg_bare_long_mode(TcgBare *bare, unsigned cpl, size_t page_size);
/* Unmap or protect one 4 KiB page: bits of the PTE (1 present, 2 writable, 4 user). */
void tcg_bare_set_page(TcgBare *bare, uint64_t linear, unsigned bits);

/*
 * Run from env->rip until an exception is raised; it is not delivered.  Returns its
 * vector (env->error_code, env->cr2 say more), or -1 when the CPU halted.  env is complete.
 */
int tcg_bare_run(TcgBare *bare);
/* RAM was written from outside: forget what was translated from it. */
void tcg_bare_written(TcgBare *bare, uint64_t phys, size_t len);

#endif
