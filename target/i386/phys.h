/* SPDX-License-Identifier: MIT
 *
 * Page-table entries in guest-physical memory, for the page walk.
 */
#ifndef TARGET_I386_PHYS_H
#define TARGET_I386_PHYS_H

#include "target/i386/cpu.h"

uint32_t x86_phys_ldl(CPUX86State *env, uint64_t addr);
uint64_t x86_phys_ldq(CPUX86State *env, uint64_t addr);

/*
 * Replace `expected` by `desired` (4 or 8 bytes) atomically; false: it was no
 * longer there.  Where there is no RAM nothing happens and the answer is true: A and D
 * cannot be kept in ROM or in a device.
 */
bool x86_phys_cas(CPUX86State *env, uint64_t addr, uint64_t expected, uint64_t desired,
                  unsigned size);

#endif
