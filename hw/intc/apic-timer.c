/* SPDX-License-Identifier: MIT
 *
 * The local APIC's timer: SDM vol. 3, 11.5.4.  It counts a 1 GHz bus clock
 * through the divider, or waits for a value of the TSC.
 *
 * The count is computed from the clock; a host timer exists only while an
 * interrupt could come of it.  Periodic ticks that the host was too late for follow one by one,
 * for guests count them: at most APIC_TIMER_BACKLOG_NS of them.  A timer that is due more
 * often than APIC_TIMER_MIN_NS loses ticks, so that no guest can keep the host's loop busy.
 */
#include "hw/intc/apic-internal.h"

#include "target/i386/cpu.h"

#define APIC_TIMER_MIN_NS      20000
#define APIC_TIMER_CATCH_UP_NS 100000 /* between ticks that are late, at most */
#define APIC_TIMER_BACKLOG_NS  250000000

static int64_t timer_now(LocalAPIC *s)
{
    return vm_clock_get_ns(s->machine->clock, CLOCK_VIRTUAL);
}

static uint32_t timer_mode(const LocalAPIC *s)
{
    return s->lvt[APIC_LVT_TIMER] & LVT_TIMER_MODE;
}

/* Divider as a shift: 0000b is 2, ..., 1011b is 1 (figure 11-10). */
static unsigned timer_shift(const LocalAPIC *s)
{
    unsigned v = (s->timer_divide & 3) | (s->timer_divide >> 1 & 4);

    return (v + 1) & 7;
}

static int64_t timer_period_ns(const LocalAPIC *s)
{
    return (int64_t)s->timer_initial << timer_shift(s);
}

static void timer_arm(LocalAPIC *s, int64_t when)
{
    s->timer_next = when;
    if (when < 0) {
        timer_del(s->timer);
    } else {
        timer_mod(s->timer, when);
    }
}

static uint32_t timer_count_at(const LocalAPIC *s, int64_t now)
{
    int64_t elapsed = now - s->timer_start, period = timer_period_ns(s);

    if (!period || !s->timer_counts || timer_mode(s) == LVT_TIMER_DEADLINE) {
        return 0;
    }
    if (timer_mode(s) == LVT_TIMER_PERIODIC) {
        elapsed %= period;
    }
    return elapsed >= period ? 0 : s->timer_initial - (elapsed >> timer_shift(s));
}

uint32_t apic_timer_current(LocalAPIC *s)
{
    return timer_count_at(s, timer_now(s));
}

/* It goes on from `count`, in what mode and at what rate it now has; 0: it stands still. */
static void timer_resume(LocalAPIC *s, uint32_t count, int64_t now)
{
    s->timer_counts = count;
    s->timer_start = now - ((int64_t)(s->timer_initial - count) << timer_shift(s));
}

/* The next expiry of the counting modes after `now`, or -1. */
static int64_t timer_next_count(const LocalAPIC *s, int64_t now)
{
    int64_t period = timer_period_ns(s), first = s->timer_start + period;

    if (!period || !s->timer_counts) {
        return -1;
    }
    if (timer_mode(s) != LVT_TIMER_PERIODIC) {
        return first > now ? first : -1;
    }
    return first > now ? first : now + period - (now - s->timer_start) % period;
}

static void timer_rearm(LocalAPIC *s, int64_t now)
{
    if (timer_mode(s) == LVT_TIMER_DEADLINE) {
        bool armed = s->tsc_deadline && s->cpu;

        timer_arm(s, armed ? x86_cpu_tsc_to_ns(cpu_env(s->cpu), s->tsc_deadline) : -1);
    } else if (s->lvt[APIC_LVT_TIMER] & LVT_MASKED) {
        timer_arm(s, -1);
    } else {
        timer_arm(s, timer_next_count(s, now));
    }
}

/* After the tick that was due at timer_next. */
static void timer_after_tick(LocalAPIC *s, int64_t now)
{
    int64_t period = timer_period_ns(s), due = s->timer_next + period;
    int64_t gap = MIN(period / 2, APIC_TIMER_CATCH_UP_NS);

    if (timer_mode(s) != LVT_TIMER_PERIODIC || !period) {
        timer_arm(s, -1);
        return;
    }
    if (period < APIC_TIMER_MIN_NS) {
        timer_arm(s, now + APIC_TIMER_MIN_NS);
        return;
    }
    if (now - due > APIC_TIMER_BACKLOG_NS) {
        due += (now - APIC_TIMER_BACKLOG_NS - due) / period * period;
    }
    s->timer_next = due;
    timer_mod(s->timer, MAX(due, now + gap));
}

static bool deadline_reached(LocalAPIC *s)
{
    return x86_cpu_guest_tsc(cpu_env(s->cpu)) >= s->tsc_deadline;
}

static void deadline_expired(LocalAPIC *s)
{
    s->tsc_deadline = 0;
    timer_arm(s, -1);
    apic_deliver_lvt(s, APIC_LVT_TIMER);
}

static void timer_expired(void *opaque)
{
    LocalAPIC *s = opaque;

    machine_irq_lock(s->machine);
    int64_t now = timer_now(s);
    if (s->timer_next < 0 || s->timer_next > now) {
        /* Changed by a CPU between the loop's look and ours. */
    } else if (timer_mode(s) != LVT_TIMER_DEADLINE) {
        apic_deliver_lvt(s, APIC_LVT_TIMER);
        timer_after_tick(s, now);
    } else if (!deadline_reached(s)) {
        timer_rearm(s, now);
    } else {
        deadline_expired(s);
    }
    machine_irq_unlock(s->machine);
}

void apic_timer_set_initial(LocalAPIC *s, uint32_t value)
{
    if (timer_mode(s) == LVT_TIMER_DEADLINE) {
        return;
    }
    int64_t now = timer_now(s);
    s->timer_initial = value;
    timer_resume(s, value, now);
    timer_rearm(s, now);
}

/* The count goes on from where it is at the new rate. */
void apic_timer_set_divide(LocalAPIC *s, uint32_t value)
{
    int64_t now = timer_now(s);
    uint32_t current = timer_count_at(s, now);

    s->timer_divide = value;
    timer_resume(s, current, now);
    timer_rearm(s, now);
}

/* So it does in the new mode; a count that one-shot mode has brought to its end stays there. */
void apic_timer_set_lvt(LocalAPIC *s, uint32_t value)
{
    int64_t now = timer_now(s);
    uint32_t current = timer_count_at(s, now);
    bool was_deadline = timer_mode(s) == LVT_TIMER_DEADLINE;
    bool is_deadline = (value & LVT_TIMER_MODE) == LVT_TIMER_DEADLINE;

    if (was_deadline != is_deadline) {
        s->timer_initial = 0;
        s->tsc_deadline = 0;
        current = 0;
    }
    if ((value ^ s->lvt[APIC_LVT_TIMER]) & LVT_TIMER_MODE) {
        s->lvt[APIC_LVT_TIMER] = value;
        timer_resume(s, current, now);
    }
    s->lvt[APIC_LVT_TIMER] = value;
    timer_rearm(s, now);
}

/* One that is past already interrupts before the CPU's next instruction. */
void apic_timer_set_deadline(LocalAPIC *s, uint64_t value)
{
    if (timer_mode(s) != LVT_TIMER_DEADLINE) {
        return;
    }
    s->tsc_deadline = value;
    if (value && s->cpu && deadline_reached(s)) {
        deadline_expired(s);
    } else {
        timer_rearm(s, timer_now(s));
    }
}

void apic_timer_reset(LocalAPIC *s)
{
    s->timer_divide = 0;
    s->timer_initial = 0;
    s->tsc_deadline = 0;
    timer_arm(s, -1);
}

void apic_timer_init(LocalAPIC *s)
{
    s->timer = device_timer_new(DEVICE(s), CLOCK_VIRTUAL, timer_expired, s);
    s->timer_next = -1;
}
