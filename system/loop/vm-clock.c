/* SPDX-License-Identifier: MIT
 *
 * The VM's clocks.  Readers take no lock: a sequence count covers the pair of
 * fields that says how virtual time follows from the host's monotonic time.
 */
#include <time.h>
#include <x86intrin.h>
#include "system/loop/loop-internal.h"

struct VMClock {
    _Atomic unsigned seq; /* odd while being changed */
    _Atomic bool running;
    _Atomic int64_t base; /* virtual time, less the monotonic time if running */
    _Atomic uint64_t ticks; /* the same of the host's cycle counter */
    _Atomic bool manual;
    GMutex lock;      /* writers, and the list */
    GPtrArray *loops; /* of EventLoop */
};

static int64_t host_clock_ns(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return ts.tv_sec * NANOSECONDS_PER_SECOND + ts.tv_nsec;
}

VMClock *vm_clock_new(void)
{
    VMClock *clock = g_new0(VMClock, 1);

    g_mutex_init(&clock->lock);
    clock->loops = g_ptr_array_new();
    return clock;
}

void vm_clock_free(VMClock *clock)
{
    if (!clock) {
        return;
    }
    g_assert(clock->loops->len == 0);
    g_ptr_array_unref(clock->loops);
    g_mutex_clear(&clock->lock);
    g_free(clock);
}

/* The kernel takes the counter for time itself: it is constant, and the same on all CPUs. */
static bool counter_is_clock(void)
{
    static gsize answer; /* 1: no, 2: yes */

    if (g_once_init_enter(&answer)) {
        g_autofree char *text = NULL;
        bool yes = g_file_get_contents(
                       "/sys/devices/system/clocksource/clocksource0/current_clocksource", &text,
                       NULL, NULL) &&
                   g_str_has_prefix(text, "tsc");

        g_once_init_leave(&answer, yes ? 2 : 1);
    }
    return answer == 2;
}

bool vm_clock_get_ticks(VMClock *clock, VMClockTicks *ret)
{
    unsigned seq;
    bool running, manual;

    do {
        seq = atomic_load(&clock->seq);
        ret->base = atomic_load(&clock->ticks);
        running = atomic_load(&clock->running);
        manual = atomic_load(&clock->manual);
    } while ((seq & 1) || seq != atomic_load(&clock->seq));
    ret->running = running;
    return !manual && counter_is_clock();
}

static int64_t virtual_ns(VMClock *clock)
{
    unsigned seq;
    int64_t base;
    bool running;

    do {
        seq = atomic_load(&clock->seq);
        base = atomic_load(&clock->base);
        running = atomic_load(&clock->running);
    } while ((seq & 1) || seq != atomic_load(&clock->seq));
    return running ? base + host_clock_ns(CLOCK_MONOTONIC) : base;
}

int64_t vm_clock_get_ns(VMClock *clock, ClockType type)
{
    switch (type) {
    case CLOCK_VIRTUAL:
        return virtual_ns(clock);
    case CLOCK_HOST:
        return host_clock_ns(CLOCK_REALTIME);
    default:
        return host_clock_ns(CLOCK_MONOTONIC);
    }
}

/* Under clock->lock. */
static void set_virtual_locked(VMClock *clock, int64_t base, uint64_t ticks, bool running)
{
    atomic_fetch_add(&clock->seq, 1);
    atomic_store(&clock->base, base);
    atomic_store(&clock->ticks, ticks);
    atomic_store(&clock->running, running);
    atomic_fetch_add(&clock->seq, 1);
}

static void notify_loops_locked(VMClock *clock)
{
    for (guint i = 0; i < clock->loops->len; i++) {
        event_loop_notify(g_ptr_array_index(clock->loops, i));
    }
}

static void set_running(VMClock *clock, bool running)
{
    g_mutex_lock(&clock->lock);
    if (clock->running != running && !clock->manual) {
        int64_t host = host_clock_ns(CLOCK_MONOTONIC);
        uint64_t counter = __rdtsc();

        set_virtual_locked(clock, running ? clock->base - host : clock->base + host,
                           running ? clock->ticks - counter : clock->ticks + counter, running);
        notify_loops_locked(clock);
    }
    g_mutex_unlock(&clock->lock);
}

void vm_clock_start(VMClock *clock)
{
    set_running(clock, true);
}

void vm_clock_stop(VMClock *clock)
{
    set_running(clock, false);
}

bool vm_clock_is_running(VMClock *clock)
{
    return atomic_load(&clock->running);
}

void vm_clock_set_manual(VMClock *clock)
{
    g_mutex_lock(&clock->lock);
    clock->manual = true;
    set_virtual_locked(clock, 0, 0, false);
    g_mutex_unlock(&clock->lock);
}

bool vm_clock_is_manual(VMClock *clock)
{
    return clock->manual;
}

/* Manual time never goes back. */
static void set_manual_ns(VMClock *clock, int64_t ns)
{
    g_mutex_lock(&clock->lock);
    if (ns > clock->base) {
        set_virtual_locked(clock, ns, 0, false);
        notify_loops_locked(clock);
    }
    g_mutex_unlock(&clock->lock);
}

int64_t vm_clock_advance_to(VMClock *clock, EventLoop *loop, int64_t ns)
{
    g_assert(clock->manual);
    for (;;) {
        int64_t deadline = event_loop_deadline_ns(loop, CLOCK_VIRTUAL);

        if (deadline < 0 || deadline > ns) {
            break;
        }
        set_manual_ns(clock, deadline);
        event_loop_run_timers(loop);
    }
    set_manual_ns(clock, ns);
    return virtual_ns(clock);
}

void vm_clock_attach(VMClock *clock, EventLoop *loop)
{
    g_mutex_lock(&clock->lock);
    g_ptr_array_add(clock->loops, loop);
    g_mutex_unlock(&clock->lock);
}

void vm_clock_detach(VMClock *clock, EventLoop *loop)
{
    g_mutex_lock(&clock->lock);
    g_ptr_array_remove(clock->loops, loop);
    g_mutex_unlock(&clock->lock);
}
