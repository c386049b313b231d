/* SPDX-License-Identifier: MIT
 *
 * The time-stamp counter: the host's plus an offset.  SDM vol. 3, 18.17.
 */
#include <time.h>
#include <x86intrin.h>
#include "target/i386/cpu.h"

#define CALIBRATION_NS 5000000

static int64_t clock_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

typedef struct TSCSample {
    int64_t ns;
    uint64_t tsc;
} TSCSample;

/* The quickest of a few, so that a preemption in between does not count. */
static TSCSample take_sample(void)
{
    TSCSample best = {0};
    uint64_t shortest = UINT64_MAX;

    for (int i = 0; i < 8; i++) {
        uint64_t before = __rdtsc();
        int64_t ns = clock_ns();
        uint64_t after = __rdtsc();

        if (after - before < shortest) {
            shortest = after - before;
            best = (TSCSample){ns, before + (after - before) / 2};
        }
    }
    return best;
}

/* Taken when the program starts, so that calibration seldom has to wait. */
static TSCSample first_sample;

static void __attribute__((constructor)) tsc_first_sample(void)
{
    first_sample = take_sample();
}

static uint64_t calibrate(void)
{
    TSCSample now = take_sample();

    while (now.ns - first_sample.ns < CALIBRATION_NS) {
        now = take_sample();
    }
    return (unsigned __int128)(now.tsc - first_sample.tsc) * 1000000000u /
           (uint64_t)(now.ns - first_sample.ns);
}

uint64_t x86_cpu_tsc_frequency(CPUX86State *env)
{
    static gsize frequency;

    if (g_once_init_enter(&frequency)) {
        g_once_init_leave(&frequency, calibrate());
    }
    return frequency;
}

uint64_t x86_cpu_guest_tsc(CPUX86State *env)
{
    return __rdtsc() + env->tsc_offset;
}

uint64_t x86_cpu_host_tsc(CPUX86State *env, uint64_t guest_tsc)
{
    return guest_tsc - env->tsc_offset;
}
