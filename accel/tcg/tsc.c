/* SPDX-License-Identifier: MIT
 *
 * For how long generated code may read the time-stamp counter by itself: it is the host's and an
 * offset, but the boot processor is to wait for overdue timers now and then (see
 * docs/decisions.md), which C does.
 */
#include <x86intrin.h>
#include "accel/tcg/tcg-internal.h"

#define WINDOWS_PER_SECOND 20000 /* 50 us each */

void tcg_tsc_renew(CPUX86State *env)
{
    TcgEnv *t = tcg_env(env);
    VMClockTicks ticks;

    t->tsc_until = 0;
    if (x86_cpu_tsc_is_host(env, &ticks) && ticks.running) {
        t->tsc_base = ticks.base;
        t->tsc_until = __rdtsc() + x86_cpu_tsc_frequency(env) / WINDOWS_PER_SECOND;
    }
}
