/* SPDX-License-Identifier: MIT
 *
 * Time for programs that measure: the TSC, and its rate by the HPET.
 */
#ifndef GUEST_CLOCK_H
#define GUEST_CLOCK_H

#include "guest.h"

#define HPET 0xfed00000ul

static inline uint64_t tsc(void)
{
    uint32_t lo, hi;

    asm volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
    return lo | (uint64_t)hi << 32;
}

/* Ticks of the TSC in a microsecond, while the HPET counts 10 ms. */
static inline uint64_t tsc_ticks_per_us(void)
{
    volatile uint64_t *hpet = (volatile uint64_t *)HPET;
    uint64_t period = hpet[0] >> 32; /* fs */
    uint64_t start, from, length;

    hpet[2] = 1;
    start = hpet[0x1e];
    from = tsc();
    while ((hpet[0x1e] - start) * (period / 1000) < 10000000000ull) {
    }
    length = (hpet[0x1e] - start) * (period / 1000) / 1000000; /* us */
    return (tsc() - from) / length;
}

#endif
