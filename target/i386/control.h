/* SPDX-License-Identifier: MIT
 *
 * Control registers and MSRs as instructions change them (tcg).
 */
#ifndef TARGET_I386_CONTROL_H
#define TARGET_I386_CONTROL_H

#include "target/i386/cpu.h"

/* mov to CR0, CR3, CR4, CR8 with all checks (#GP(0)) and consequences. */
void x86_write_cr0(CPUX86State *env, uint64_t value);
void x86_write_cr3(CPUX86State *env, uint64_t value);
void x86_write_cr4(CPUX86State *env, uint64_t value);
void x86_write_cr8(CPUX86State *env, uint64_t value);
uint64_t x86_read_cr8(CPUX86State *env);
/* The bits of CR4 that this CPU has. */
uint64_t x86_cr4_supported(CPUX86State *env);
/* xsetbv. */
void x86_write_xcr0(CPUX86State *env, uint64_t value);
/* mov dr; `n` is 4..7 after the aliasing of DR4 and DR5 was resolved. */
void x86_write_dr(CPUX86State *env, int n, uint64_t value);

/* CR3 of a task switch; PAE directory pointers are loaded. False: they are invalid. */
bool x86_load_cr3(CPUX86State *env, uint64_t value);

/*
 * MSR access; false: #GP(0).  Also for the KVM accelerator's and the monitor's use, with the CPU stopped or
 * on its own thread.
 */
bool x86_rdmsr(CPUX86State *env, uint32_t index, uint64_t *ret_value);
bool x86_wrmsr(CPUX86State *env, uint32_t index, uint64_t value);

#endif
