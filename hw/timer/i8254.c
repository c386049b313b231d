/* SPDX-License-Identifier: MIT
 *
 * 8254 programmable interval timer: Intel 82C54 datasheet (231244), at a PC's
 * 1.193182 MHz.
 *
 *   0-2 write  a byte of the counter's initial count
 *   0-2 read   latched status, latched count, or the counting element
 *   3   write  control word: SC (7-6), RW (5-4), M (3-1), BCD (0); counter latch; read-back
 *
 * A counter is not counted: its value and output follow from the virtual time
 * since it was loaded.  A host timer exists only for the next edge of output 0.
 * When it is late, or the guest is (so that an edge falls on one that it has not yet taken), the
 * edges follow one by one, for guests count them: but no more than PIT_BACKLOG_NS of
 * them, and none of an output too fast to catch up with.
 */
#include "hw/timer/i8254.h"

#include "hw/core/host-delay.h"
#include "hw/core/machine.h"
#include "hw/timer/i8254-internal.h"
#include "system/log.h"

#define CONTROL_PORT        3
#define SELECT_READ_BACK    3
#define RW_LATCH            0
#define RW_LSB              1
#define RW_MSB              2
#define RW_WORD             3
#define READ_BACK_NO_COUNT  0x20
#define READ_BACK_NO_STATUS 0x10
#define STATUS_OUT          0x80
#define STATUS_NULL         0x40
#define PIT_MIN_EDGE_NS     20000
#define PIT_CATCH_UP_NS     300000 /* between edges that are late */
#define PIT_BACKLOG_NS      250000000

/* ---- output 0 ---------------------------------------------------------------- */

static void pit_update_irq(I8254State *s, int64_t now)
{
    I8254Counter *c = &s->counters[0];
    int64_t next = s->irq_enabled ? i8254_counter_next_rise(c, s->seen) : -1;
    int64_t gap = next > now ? PIT_MIN_EDGE_NS : PIT_CATCH_UP_NS;

    gap = MAX(gap, s->retry_gap);

    irq_set(s->irq, s->irq_enabled && i8254_counter_out(c, now));
    if (next < 0) {
        timer_del(s->timer);
    } else {
        timer_mod(s->timer, MAX(next, s->last_expiry + gap));
    }
}

/* The edge at `rise` has been shown, and taken or not: up to where edges are done with. */
static void pit_edge_shown(I8254State *s, int64_t rise, bool taken, int64_t now)
{
    int64_t following = i8254_counter_next_rise(&s->counters[0], rise), period = following - rise;

    s->retry_gap = 0;
    if (following < 0 || period < 2 * PIT_CATCH_UP_NS) {
        s->seen = now;
        return;
    }
    if (!taken) {
        s->retry_gap = period / 2;
        rise = s->seen;
    }
    s->seen = MAX(rise, now - PIT_BACKLOG_NS);
}

/* Only rising edges interrupt, so the fall before one is shown together with it. */
static void pit_timer_expired(void *opaque)
{
    I8254State *s = opaque;
    int64_t now = vm_clock_get_ns(s->clock, CLOCK_VIRTUAL);
    I8254Counter *c = &s->counters[0];
    int64_t rise = i8254_counter_next_rise(c, s->seen);

    s->last_expiry = now;
    if (s->irq_enabled && rise >= 0 && rise <= now) {
        pit_edge_shown(s, rise, machine_irq_edge(s->machine, s->irq), now);
    }
    pit_update_irq(s, now);
}

/* Counter 0 begins anew: what its output did before is settled. */
static void pit_restart(I8254State *s, int64_t now)
{
    s->seen = now;
    s->retry_gap = 0;
    pit_update_irq(s, now);
}

static void pit_enable_irq(void *opaque, int n, int level)
{
    I8254State *s = opaque;

    device_lock(DEVICE(s));
    s->irq_enabled = level;
    pit_restart(s, vm_clock_get_ns(s->clock, CLOCK_VIRTUAL));
    device_unlock(DEVICE(s));
}

/* ---- registers ---------------------------------------------------------------- */

/*
 * Guests measure their clock by counter 2: they load it, read the clock, and look at the output
 * until it changes, with a check for what takes time in between.  It does not cover the first step:
 * a host that runs others there would make the interval too short.  So until the CPU's first look
 * the count waits when its thread does.
 */
static int64_t pit_await_look(I8254State *s, const I8254Counter *c, int64_t now)
{
    if (c != &s->counters[2] || !current_cpu) {
        return now;
    }
    s->loader = current_cpu;
    s->loader_delay = host_delay_ns();
    return vm_clock_get_ns(s->clock, CLOCK_VIRTUAL);
}

static void pit_looked(I8254State *s, I8254Counter *c)
{
    if (c != &s->counters[2] || !s->loader) {
        return;
    }
    if (s->loader == current_cpu) {
        c->start += host_delay_ns() - s->loader_delay;
    }
    s->loader = NULL;
}

static void pit_load(I8254State *s, I8254Counter *c, uint16_t count, int64_t now)
{
    i8254_counter_load(c, count, pit_await_look(s, c, now));
    if (c == &s->counters[0]) {
        pit_restart(s, now);
    }
}

static void pit_write_count(I8254State *s, I8254Counter *c, uint8_t value, int64_t now)
{
    switch (c->rw) {
    case RW_LSB:
        pit_load(s, c, value, now);
        break;
    case RW_MSB:
        pit_load(s, c, value << 8, now);
        break;
    case RW_WORD:
        if (!c->write_msb) {
            c->write_latch = value;
            i8254_counter_first_byte(c);
        } else {
            pit_load(s, c, value << 8 | c->write_latch, now);
        }
        c->write_msb = !c->write_msb;
        break;
    }
}

static void pit_latch_count(I8254State *s, I8254Counter *c, int64_t now)
{
    pit_looked(s, c);
    if (!c->count_latched) {
        c->latched_count = i8254_counter_count(c, now);
        c->count_latched = c->rw == RW_WORD ? 2 : 1;
    }
}

static void pit_latch_status(I8254State *s, I8254Counter *c, int64_t now)
{
    pit_looked(s, c);
    if (!c->status_latched) {
        c->status_latched = true;
        c->latched_status = (i8254_counter_out(c, now) ? STATUS_OUT : 0) |
                            (c->null_count ? STATUS_NULL : 0) | c->rw << 4 | c->mode << 1 | c->bcd;
    }
}

static void pit_read_back(I8254State *s, uint8_t word, int64_t now)
{
    for (int i = 0; i < I8254_COUNTERS; i++) {
        if (!(word & 2u << i)) {
            continue;
        }
        if (!(word & READ_BACK_NO_COUNT)) {
            pit_latch_count(s, &s->counters[i], now);
        }
        if (!(word & READ_BACK_NO_STATUS)) {
            pit_latch_status(s, &s->counters[i], now);
        }
    }
}

static void pit_write_control(I8254State *s, uint8_t word, int64_t now)
{
    unsigned select = word >> 6, rw = word >> 4 & 3;

    if (select == SELECT_READ_BACK) {
        pit_read_back(s, word, now);
        return;
    }
    I8254Counter *c = &s->counters[select];
    if (rw == RW_LATCH) {
        pit_latch_count(s, c, now);
        return;
    }
    i8254_counter_program(c, rw, word >> 1 & 7, word & 1);
    if (select == 0) {
        pit_restart(s, now);
    }
}

static void pit_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    I8254State *s = opaque;
    int64_t now = vm_clock_get_ns(s->clock, CLOCK_VIRTUAL);

    if (addr == CONTROL_PORT) {
        pit_write_control(s, data, now);
    } else {
        pit_write_count(s, &s->counters[addr], data, now);
    }
}

static uint8_t pit_read_latched(I8254Counter *c)
{
    bool msb = c->rw == RW_MSB || (c->rw == RW_WORD && c->count_latched == 1);

    c->count_latched--;
    return msb ? c->latched_count >> 8 : c->latched_count;
}

static uint64_t pit_read(void *opaque, hwaddr addr, unsigned size)
{
    I8254State *s = opaque;

    if (addr == CONTROL_PORT) {
        return 0xff; /* write-only */
    }
    I8254Counter *c = &s->counters[addr];
    if (c->status_latched) {
        c->status_latched = false;
        return c->latched_status;
    }
    if (c->count_latched) {
        return pit_read_latched(c);
    }
    pit_looked(s, c);
    uint16_t count = i8254_counter_count(c, vm_clock_get_ns(s->clock, CLOCK_VIRTUAL));
    bool msb = c->rw == RW_MSB || (c->rw == RW_WORD && c->read_msb);
    c->read_msb = c->rw == RW_WORD && !c->read_msb;
    return msb ? count >> 8 : count & 0xff;
}

static const MemoryRegionOps pit_ops = {
    .read = pit_read,
    .write = pit_write,
    .impl = {1, 1},
};

/* ---- for the speaker port ------------------------------------------------------- */

void i8254_set_gate(I8254State *s, int channel, int level)
{
    int64_t now = vm_clock_get_ns(s->clock, CLOCK_VIRTUAL);

    device_lock(DEVICE(s));
    i8254_counter_set_gate(&s->counters[channel], level, now);
    if (channel == 0) {
        pit_restart(s, now);
    }
    device_unlock(DEVICE(s));
}

int i8254_get_gate(I8254State *s, int channel)
{
    device_lock(DEVICE(s));
    int level = s->counters[channel].gate;
    device_unlock(DEVICE(s));
    return level;
}

int i8254_get_out(I8254State *s, int channel)
{
    device_lock(DEVICE(s));
    pit_looked(s, &s->counters[channel]);
    int level = i8254_counter_out(&s->counters[channel], vm_clock_get_ns(s->clock, CLOCK_VIRTUAL));
    device_unlock(DEVICE(s));
    return level;
}

/* ---- device ---------------------------------------------------------------------- */

/* Undefined at power-up by the datasheet; here: mode 3, not loaded, gates of 0 and 1 high. */
static void pit_reset(DeviceState *dev, ResetType type)
{
    I8254State *s = I8254(dev);

    for (int i = 0; i < I8254_COUNTERS; i++) {
        s->counters[i] = (I8254Counter){.gate = i != 2};
        i8254_counter_program(&s->counters[i], RW_WORD, 3, false);
    }
    s->loader = NULL;
    s->irq_enabled = true;
    s->seen = s->last_expiry = s->retry_gap = 0;
    timer_del(s->timer);
}

static void pit_reset_hold(DeviceState *dev)
{
    irq_lower(I8254(dev)->irq);
}

static bool pit_realize(DeviceState *dev, GError **error)
{
    I8254State *s = I8254(dev);

    s->machine = qdev_get_machine(dev);
    s->clock = s->machine->clock;
    s->timer = device_timer_new(dev, CLOCK_VIRTUAL, pit_timer_expired, s);
    qdev_init_gpio_in(dev, pit_enable_irq, 1);
    qdev_init_gpio_out(dev, &s->irq, 1);
    memory_region_init_io(&s->io, OBJECT(s), &pit_ops, s, "pit", 4);
    isa_register_ioport(&s->parent_obj, &s->io, s->iobase);
    pit_reset(dev, RESET_COLD);
    return true;
}

I8254State *i8254_create(ISABus *bus, uint16_t iobase, int isa_irq, IRQ alt_irq, GError **error)
{
    ISADevice *dev = isa_new(TYPE_I8254, error);

    if (!dev || !object_property_set_uint(OBJECT(dev), "iobase", iobase, error) ||
        !isa_realize_and_unref(dev, bus, error)) {
        return NULL;
    }
    IRQ out = irq_ref(alt_irq ? alt_irq : isa_bus_get_irq(bus, isa_irq));
    qdev_connect_gpio_out(DEVICE(dev), 0, out);
    qdev_on_unrealize(DEVICE(dev), (void (*)(void *))irq_unref, out);
    return I8254(dev);
}

static const Property pit_properties[] = {
    DEFINE_PROP_UINT32("iobase", I8254State, iobase, 0x40, "first of four ports", .max = 0xfffc),
    DEFINE_PROP_END,
};

static const StateField pit_state[] = {
    STATE_FIELD(I8254State, counters),  STATE_FIELD(I8254State, irq_enabled),
    STATE_FIELD(I8254State, seen),      STATE_FIELD(I8254State, last_expiry),
    STATE_FIELD(I8254State, retry_gap), STATE_END,
};

static void pit_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = pit_realize;
    dc->reset_enter = pit_reset;
    dc->reset_hold = pit_reset_hold;
    dc->state = pit_state;
    dc->user_creatable = false;
}

static const TypeInfo pit_types[] = {
    {.name = TYPE_I8254,
     .parent = TYPE_ISA_DEVICE,
     .instance_size = sizeof(I8254State),
     .class_init = pit_class_init,
     .properties = pit_properties,
     .doc = "8254 interval timer"},
};
DEFINE_TYPES(pit_types)
