/* SPDX-License-Identifier: MIT
 *
 * One counter of the 8254: Intel 82C54 datasheet (231244), "mode definitions".
 * `t` is the number of clocks since the count was loaded or triggered.  In modes 2 and 3 a
 * new count waits for the end of the cycle or half-cycle, in 1 and 5 for a trigger.
 */
#include "hw/timer/i8254-internal.h"

#define MODE_TERMINAL    0
#define MODE_ONE_SHOT    1
#define MODE_RATE        2
#define MODE_SQUARE      3
#define MODE_SOFT_STROBE 4
#define MODE_HARD_STROBE 5

static uint64_t ns_to_ticks(int64_t ns)
{
    return ns <= 0 ? 0 : (uint64_t)((__uint128_t)ns * I8254_FREQUENCY / NANOSECONDS_PER_SECOND);
}

/* The first ns at which `ticks` have gone by. */
static int64_t ticks_to_ns(uint64_t ticks)
{
    return ((__uint128_t)ticks * NANOSECONDS_PER_SECOND + I8254_FREQUENCY - 1) / I8254_FREQUENCY;
}

static bool is_periodic(const I8254Counter *c)
{
    return c->mode == MODE_RATE || c->mode == MODE_SQUARE;
}

static bool needs_trigger(const I8254Counter *c)
{
    return c->mode == MODE_ONE_SHOT || c->mode == MODE_HARD_STROBE;
}

static uint64_t high_half(uint32_t count)
{
    return (count + 1) / 2;
}

/* The end of the cycle (mode 2) or of the half-cycle (mode 3) in which `t` lies. */
static uint64_t cycle_end(const I8254Counter *c, uint64_t t)
{
    uint64_t in_cycle = t % c->count, begin = t - in_cycle;

    return c->mode == MODE_SQUARE && in_cycle < high_half(c->count) ? begin + high_half(c->count)
                                                                    : begin + c->count;
}

static void load_next_count(I8254Counter *c)
{
    if (c->next_count) {
        c->count = c->next_count;
        c->next_count = 0;
    }
    c->null_count = false;
}

/* A count that waited: in the middle of a square wave it begins with its low half. */
static void take_next_count(I8254Counter *c, int64_t now)
{
    uint64_t t = ns_to_ticks(now - c->start);
    bool low;

    if (!c->next_count || !c->running || !is_periodic(c) || t < c->next_at) {
        return;
    }
    low = c->next_at % c->count != 0;
    c->start += ticks_to_ns(c->next_at);
    load_next_count(c);
    if (low) {
        c->start -= ticks_to_ns(high_half(c->count));
    }
}

static uint64_t counter_ticks(I8254Counter *c, int64_t now)
{
    if (!c->running) {
        return c->held;
    }
    take_next_count(c, now);
    return ns_to_ticks(now - c->start);
}

static void counter_start(I8254Counter *c, uint64_t held, int64_t now)
{
    c->running = true;
    c->start = now - ticks_to_ns(held);
    c->held = 0;
}

static void counter_stop(I8254Counter *c, int64_t now)
{
    c->held = counter_ticks(c, now);
    c->running = false;
}

void i8254_counter_program(I8254Counter *c, unsigned rw, unsigned mode, bool bcd)
{
    c->rw = rw;
    c->mode = mode > MODE_HARD_STROBE ? mode - 4 : mode;
    c->bcd = bcd;
    c->loaded = c->triggered = c->running = false;
    c->null_count = true;
    c->next_count = 0;
    c->held = 0;
    c->write_msb = c->read_msb = false;
    c->count_latched = 0;
    c->status_latched = false;
}

static uint32_t from_bcd(uint16_t v)
{
    return (v & 0xf) + (v >> 4 & 0xf) * 10 + (v >> 8 & 0xf) * 100 + (v >> 12) * 1000;
}

static uint16_t to_bcd(unsigned v)
{
    return v % 10 | v / 10 % 10 << 4 | v / 100 % 10 << 8 | v / 1000 % 10 << 12;
}

void i8254_counter_load(I8254Counter *c, uint16_t count, int64_t now)
{
    uint32_t value = c->bcd ? from_bcd(count) : count;

    value = value ? value : c->bcd ? 10000 : 65536;
    if (is_periodic(c) && c->loaded && c->running) {
        uint64_t t = counter_ticks(c, now);

        if (!c->next_count) {
            c->next_at = cycle_end(c, t);
        }
        c->next_count = value;
        c->null_count = true;
        return;
    }
    c->next_count = value;
    c->null_count = true;
    if (!needs_trigger(c) || !c->loaded) {
        bool waits = needs_trigger(c);

        load_next_count(c);
        c->null_count = waits;
    }
    c->loaded = true;
    if (!needs_trigger(c)) {
        counter_start(c, 0, now);
        if (!c->gate) {
            counter_stop(c, now);
        }
    }
}

void i8254_counter_first_byte(I8254Counter *c)
{
    if (c->mode == MODE_TERMINAL) {
        c->loaded = c->running = false;
    }
}

void i8254_counter_set_gate(I8254Counter *c, bool level, int64_t now)
{
    bool rising = level && !c->gate, falling = !level && c->gate;

    c->gate = level;
    if (!c->loaded) {
        return;
    }
    if (needs_trigger(c)) {
        if (rising) {
            c->triggered = true;
            load_next_count(c);
            counter_start(c, 0, now);
        }
    } else if (falling) {
        counter_stop(c, now);
    } else if (rising) {
        load_next_count(c);
        counter_start(c, is_periodic(c) ? 0 : c->held, now);
    }
}

/* The counting element of mode 3 goes down by two, twice a cycle. */
static uint64_t square_count(const I8254Counter *c, uint64_t t)
{
    uint64_t high = high_half(c->count), in_cycle = t % c->count;
    uint64_t in_half = in_cycle < high ? in_cycle : in_cycle - high;
    uint64_t gone = 2 * in_half, even = c->count & ~1u;

    return gone < even ? even - gone : 0;
}

uint16_t i8254_counter_count(I8254Counter *c, int64_t now)
{
    uint64_t t = counter_ticks(c, now), modulus = c->bcd ? 10000 : 65536, value;

    if (!c->loaded || (needs_trigger(c) && !c->triggered)) {
        value = c->count;
    } else if (c->mode == MODE_SQUARE) {
        value = square_count(c, t);
    } else if (c->mode == MODE_RATE) {
        value = c->count - t % c->count;
    } else {
        value = c->count + modulus - t % modulus;
    }
    value %= modulus;
    return c->bcd ? to_bcd(value) : value;
}

bool i8254_counter_out(I8254Counter *c, int64_t now)
{
    uint64_t t = counter_ticks(c, now);

    if (!c->loaded) {
        return c->mode != MODE_TERMINAL;
    }
    switch (c->mode) {
    case MODE_TERMINAL:
        return t >= c->count;
    case MODE_ONE_SHOT:
        return !c->triggered || t >= c->count;
    case MODE_RATE:
        return !c->running || c->count == 1 || t % c->count != c->count - 1;
    case MODE_SQUARE:
        return !c->running || t % c->count < high_half(c->count);
    case MODE_SOFT_STROBE:
        return t != c->count;
    default:
        return !c->triggered || t != c->count;
    }
}

int64_t i8254_counter_next_rise(I8254Counter *c, int64_t now)
{
    uint64_t t = counter_ticks(c, now), rise;

    /* A period of one clock has no edges. */
    if (!c->running || (is_periodic(c) && c->count < 2)) {
        return -1;
    }
    if (is_periodic(c)) {
        rise = (t / c->count + 1) * c->count;
        if (c->next_count && rise > c->next_at) { /* the low half is the new count's */
            rise = c->next_at + c->next_count - high_half(c->next_count);
        }
    } else {
        rise = c->mode >= MODE_SOFT_STROBE ? c->count + 1 : c->count;
    }
    return rise > t ? c->start + ticks_to_ns(rise) : -1;
}
