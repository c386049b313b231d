/* SPDX-License-Identifier: MIT
 *
 * The time-stamp counter: the host's, for as long as the VM has run, plus an offset.  Where another
 * frequency is asked for, or the host's counter is no clock, it is the VM's virtual time at its
 * frequency.  So it stands while the VM does, and agrees with every other timer.  SDM vol. 3, 18.17.
 */
#include <time.h>
#include <x86intrin.h>
#include "hw/core/machine.h"
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

static uint64_t host_frequency(void)
{
    static gsize frequency;

    if (g_once_init_enter(&frequency)) {
        g_once_init_leave(&frequency, calibrate());
    }
    return frequency;
}

uint64_t x86_cpu_tsc_frequency(CPUX86State *env)
{
    uint64_t wanted = env_archcpu(env)->tsc_frequency;

    return wanted ? wanted : host_frequency();
}

static int64_t now_ns(CPUX86State *env)
{
    const CPUState *cs = env_cpu(env);

    return cs->machine ? vm_clock_get_ns(cs->machine->clock, CLOCK_VIRTUAL) : clock_ns();
}

bool x86_cpu_tsc_is_host(CPUX86State *env, VMClockTicks *ret)
{
    const CPUState *cs = env_cpu(env);
    uint64_t wanted = env_archcpu(env)->tsc_frequency;

    return cs->machine && (!wanted || wanted == host_frequency()) &&
           vm_clock_get_ticks(cs->machine->clock, ret);
}

uint64_t x86_cpu_tsc_ticks(CPUX86State *env)
{
    VMClockTicks ticks;

    if (x86_cpu_tsc_is_host(env, &ticks)) {
        return ticks.base + (ticks.running ? __rdtsc() : 0);
    }
    return (uint64_t)((unsigned __int128)now_ns(env) * x86_cpu_tsc_frequency(env) /
                      NANOSECONDS_PER_SECOND);
}

uint64_t x86_cpu_guest_tsc(CPUX86State *env)
{
    return x86_cpu_tsc_ticks(env) + env->tsc_offset;
}

int64_t x86_cpu_tsc_to_ns(CPUX86State *env, uint64_t guest_tsc)
{
    uint64_t frequency = x86_cpu_tsc_frequency(env), now = x86_cpu_tsc_ticks(env);
    int64_t ahead = (int64_t)(guest_tsc - env->tsc_offset - now);
    VMClockTicks ticks;
    bool host = x86_cpu_tsc_is_host(env, &ticks);
    __int128 ns = host ? ahead : (__int128)now + ahead;

    if (guest_tsc <= now + env->tsc_offset) {
        return now_ns(env);
    }
    if (ahead < 0) {
        return INT64_MAX; /* further away than the counter's half */
    }
    ns = (ns * NANOSECONDS_PER_SECOND + (__int128)frequency - 1) / (__int128)frequency;
    ns += host ? now_ns(env) : 0; /* by one's distance from now, by the other as it is */
    return ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
}
