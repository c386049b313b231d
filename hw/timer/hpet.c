/* SPDX-License-Identifier: MIT
 *
 * HPET: IA-PC HPET (High Precision Event Timers) Specification 1.0a, chapter 2.
 *
 *   000      capabilities and period (10 ns)      010  configuration
 *   020      interrupt status                     0f0  main counter
 *   100+20n  configuration of timer n             108+20n  comparator
 *   110+20n  FSB interrupt route
 *
 * The main counter is read without a lock: a sequence count covers the two
 * fields it follows from.  All else is under the device lock.  A comparator that the counter
 * has just passed fires at once, for a guest cannot see how late we are; periodic interrupts
 * that we were too late for, or the guest, follow one by one, for guests count them (at most
 * HPET_BACKLOG_NS of them).
 */
#include "hw/timer/hpet.h"

#include <stdatomic.h>

#include "hw/core/machine.h"
#include "hw/intc/apic-bus.h"
#include "system/log.h"

#define HPET_SIZE          0x400
#define HPET_MIN_TIMERS    3
#define HPET_MAX_TIMERS    32
#define FS_PER_NS          1000000ull
#define HPET_MIN_PERIOD_NS 20000
#define HPET_CATCH_UP_NS   300000 /* between interrupts that are late */
#define HPET_BACKLOG_NS    250000000

#define REG_CAP      0x000
#define REG_CONFIG   0x010
#define REG_STATUS   0x020
#define REG_COUNTER  0x0f0
#define REG_TIMERS   0x100
#define TIMER_CONFIG 0x00
#define TIMER_CMP    0x08
#define TIMER_ROUTE  0x10

#define CAP_REVISION     0x01ull
#define CAP_TIMERS_SHIFT 8
#define CAP_64BIT        (1ull << 13)
#define CAP_LEGACY       (1ull << 15)
#define CAP_VENDOR       (0x8086ull << 16)

#define CONFIG_ENABLE 1u
#define CONFIG_LEGACY 2u

#define TN_LEVEL        (1ull << 1)
#define TN_INT_ENABLE   (1ull << 2)
#define TN_PERIODIC     (1ull << 3)
#define TN_PERIODIC_CAP (1ull << 4)
#define TN_64BIT_CAP    (1ull << 5)
#define TN_SET_VALUE    (1ull << 6)
#define TN_32BIT        (1ull << 8)
#define TN_ROUTE_SHIFT  9
#define TN_FSB          (1ull << 14)
#define TN_FSB_CAP      (1ull << 15)
#define TN_WRITABLE     0x7f4eull
#define TN_INTCAP_SHIFT 32

#define LEGACY_TIMER0_LINE 0
#define LEGACY_TIMER1_LINE 8

OBJECT_DECLARE_SIMPLE(HPETState, HPET, TYPE_HPET)

typedef struct HPETTimer {
    uint64_t config, cmp, fsb;
    uint64_t period;   /* in counts; periodic mode */
    int64_t last_fire; /* virtual ns */
    bool pending;      /* the comparator has not matched since it was written */
    bool lost;         /* the last interrupt was: it comes again */
} HPETTimer;

typedef struct HPETTimerRef {
    HPETState *hpet;
    unsigned n;
    Timer *timer;
} HPETTimerRef;

struct HPETState {
    SysBusDevice parent_obj;
    MemoryRegion mmio;
    MachineState *machine;
    APICBus *apic_bus;
    VMClock *clock;
    HPETTimerRef refs[HPET_MAX_TIMERS];
    IRQ irqs[HPET_NUM_OUTPUTS];
    IRQ pit_enabled;
    uint8_t n_timers;
    uint32_t intcap;
    bool msi;

    /* The counter: virtual ns + offset while it runs, else the offset alone; in ns. */
    _Atomic uint32_t seq;
    _Atomic bool running;
    _Atomic int64_t offset;

    uint64_t config, status;
    HPETTimer timers[HPET_MAX_TIMERS];
    bool legacy;          /* under the irq lock: the 8254 and the RTC are cut off */
    uint8_t legacy_lines; /* under the irq lock: their levels */
};

/* ---- main counter -------------------------------------------------------------------- */

static uint64_t hpet_counter(HPETState *s)
{
    uint32_t seq;
    int64_t offset;
    bool running;

    do {
        seq = atomic_load(&s->seq);
        offset = atomic_load(&s->offset);
        running = atomic_load(&s->running);
    } while ((seq & 1) || seq != atomic_load(&s->seq));
    uint64_t ns = running ? vm_clock_get_ns(s->clock, CLOCK_VIRTUAL) + offset : offset;
    return ns / HPET_CLK_PERIOD_NS;
}

static void hpet_set_counter(HPETState *s, uint64_t value, bool running)
{
    int64_t ns = value * HPET_CLK_PERIOD_NS;

    atomic_fetch_add(&s->seq, 1);
    atomic_store(&s->offset, running ? ns - vm_clock_get_ns(s->clock, CLOCK_VIRTUAL) : ns);
    atomic_store(&s->running, running);
    atomic_fetch_add(&s->seq, 1);
}

/* ---- interrupts ---------------------------------------------------------------------- */

/* Which output the timer drives (2.3.8, and 2.4.3 for legacy replacement). */
static unsigned timer_output(const HPETState *s, unsigned n)
{
    if ((s->config & CONFIG_LEGACY) && n < 2) {
        return n == 0 ? LEGACY_TIMER0_LINE : LEGACY_TIMER1_LINE;
    }
    return s->timers[n].config >> TN_ROUTE_SHIFT & 0x1f;
}

static void timer_update_line(HPETState *s, unsigned n)
{
    const HPETTimer *t = &s->timers[n];

    if ((t->config & TN_LEVEL) && !(t->config & TN_FSB)) {
        irq_set(s->irqs[timer_output(s, n)], (s->status >> n & 1) && (t->config & TN_INT_ENABLE));
    }
}

/* False: an edge that was lost, since the guest has not taken the last one. */
static bool timer_interrupt(HPETState *s, unsigned n)
{
    const HPETTimer *t = &s->timers[n];

    if (t->config & TN_LEVEL) {
        s->status |= 1ull << n;
    }
    if (!(t->config & TN_INT_ENABLE)) {
        return true;
    }
    if (t->config & TN_FSB) {
        apic_bus_send_msi(s->apic_bus, t->fsb >> 32, t->fsb);
    } else if (t->config & TN_LEVEL) {
        timer_update_line(s, n);
    } else {
        IRQ irq = s->irqs[timer_output(s, n)];
        bool taken = machine_irq_edge(s->machine, irq);
        irq_lower(irq);
        return taken;
    }
    return true;
}

/* ---- comparators --------------------------------------------------------------------- */

static uint64_t timer_mask(const HPETTimer *t)
{
    return t->config & TN_32BIT ? UINT32_MAX : UINT64_MAX;
}

static bool timer_is_periodic(const HPETTimer *t)
{
    return (t->config & TN_PERIODIC) && t->period;
}

/* Counts until the comparator matches; 0 if it just has. */
static uint64_t timer_distance(const HPETTimer *t, uint64_t counter)
{
    uint64_t diff = (t->cmp - counter) & timer_mask(t);
    bool passed = t->config & TN_32BIT ? (int32_t)diff < 0 : (int64_t)diff < 0;

    return passed ? 0 : diff;
}

/*
 * The comparator of a periodic timer goes on to its next match, or to the first that
 * is to come when there are too many between.  One that was lost comes again.
 */
static void timer_advance(HPETTimer *t, uint64_t counter, bool taken)
{
    uint64_t late = (counter - t->cmp) & timer_mask(t), steps = taken ? 1 : 0;

    t->lost = false;
    if (t->period < 2 * HPET_CATCH_UP_NS / HPET_CLK_PERIOD_NS ||
        late > HPET_BACKLOG_NS / HPET_CLK_PERIOD_NS) {
        steps = late / t->period + 1;
    } else {
        t->lost = !taken;
    }
    t->cmp = (t->cmp + steps * t->period) & timer_mask(t);
}

static void timer_arm(HPETState *s, unsigned n)
{
    HPETTimer *t = &s->timers[n];
    int64_t now = vm_clock_get_ns(s->clock, CLOCK_VIRTUAL);

    bool comes = t->pending || timer_is_periodic(t);
    if (!comes || !(s->config & CONFIG_ENABLE) || !(t->config & (TN_INT_ENABLE | TN_LEVEL))) {
        timer_del(s->refs[n].timer);
        return;
    }
    uint64_t counts = MIN(timer_distance(t, hpet_counter(s)), INT64_MAX / HPET_CLK_PERIOD_NS / 2);
    int64_t when = now + (int64_t)counts * HPET_CLK_PERIOD_NS;
    if (timer_is_periodic(t)) {
        int64_t half =
            MIN(t->period, HPET_BACKLOG_NS / HPET_CLK_PERIOD_NS) * HPET_CLK_PERIOD_NS / 2;
        int64_t gap = counts ? HPET_MIN_PERIOD_NS : HPET_CATCH_UP_NS;
        when = MAX(when, t->last_fire + (t->lost ? half : gap));
    }
    timer_mod(s->refs[n].timer, when);
}

static void timer_expired(void *opaque)
{
    HPETTimerRef *ref = opaque;
    HPETState *s = ref->hpet;
    HPETTimer *t = &s->timers[ref->n];

    if (!(s->config & CONFIG_ENABLE)) {
        return;
    }
    if (timer_distance(t, hpet_counter(s)) > 0) {
        timer_arm(s, ref->n); /* far away, or moved meanwhile */
        return;
    }
    t->last_fire = vm_clock_get_ns(s->clock, CLOCK_VIRTUAL);
    t->pending = false;
    bool taken = timer_interrupt(s, ref->n);
    if (timer_is_periodic(t)) {
        timer_advance(t, hpet_counter(s), taken);
        timer_arm(s, ref->n);
    } else if (t->config & TN_32BIT) {
        /* It matches again when 32 bits have gone round. */
        timer_mod(ref->timer, t->last_fire + ((int64_t)HPET_CLK_PERIOD_NS << 32));
    }
}

static void hpet_arm_all(HPETState *s)
{
    for (unsigned n = 0; n < s->n_timers; n++) {
        timer_arm(s, n);
    }
}

/* ---- legacy replacement --------------------------------------------------------------- */

/* The 8254 (0) and the RTC (1) come through here; their own locks may be held. */
static void hpet_legacy_input(void *opaque, int n, int level)
{
    HPETState *s = opaque;

    machine_irq_lock(s->machine);
    s->legacy_lines = level ? s->legacy_lines | 1u << n : s->legacy_lines & ~(1u << n);
    if (!s->legacy) {
        irq_set(s->irqs[n == HPET_LEGACY_PIT_INT ? LEGACY_TIMER0_LINE : LEGACY_TIMER1_LINE], level);
    }
    machine_irq_unlock(s->machine);
}

static void hpet_set_legacy(HPETState *s, bool legacy)
{
    machine_irq_lock(s->machine);
    s->legacy = legacy;
    irq_set(s->irqs[LEGACY_TIMER0_LINE], !legacy && (s->legacy_lines & 1));
    irq_set(s->irqs[LEGACY_TIMER1_LINE], !legacy && (s->legacy_lines & 2));
    machine_irq_unlock(s->machine);
    irq_set(s->pit_enabled, !legacy);
}

/* ---- registers ----------------------------------------------------------------------- */

static uint64_t hpet_capabilities(const HPETState *s)
{
    return CAP_REVISION | (uint64_t)(s->n_timers - 1) << CAP_TIMERS_SHIFT | CAP_64BIT | CAP_LEGACY |
           CAP_VENDOR | HPET_CLK_PERIOD_NS * FS_PER_NS << 32;
}

static uint64_t timer_config_read(const HPETState *s, const HPETTimer *t)
{
    return t->config | TN_PERIODIC_CAP | TN_64BIT_CAP | (s->msi ? TN_FSB_CAP : 0) |
           (uint64_t)s->intcap << TN_INTCAP_SHIFT;
}

static uint64_t hpet_timer_read(HPETState *s, unsigned offset)
{
    unsigned n = offset / 0x20;

    if (n >= s->n_timers) {
        return 0;
    }
    HPETTimer *t = &s->timers[n];
    switch (offset % 0x20) {
    case TIMER_CONFIG:
        return timer_config_read(s, t);
    case TIMER_CMP:
        return t->cmp;
    case TIMER_ROUTE:
        return t->fsb;
    default:
        return 0;
    }
}

/* The register that holds `offset`, whole. */
static uint64_t hpet_read_register(HPETState *s, unsigned offset)
{
    switch (offset) {
    case REG_CAP:
        return hpet_capabilities(s);
    case REG_CONFIG:
        return s->config;
    case REG_STATUS:
        return s->status;
    default:
        return offset >= REG_TIMERS ? hpet_timer_read(s, offset - REG_TIMERS) : 0;
    }
}

static void hpet_write_config(HPETState *s, uint64_t value)
{
    uint64_t changed = s->config ^ value;

    s->config = value & (CONFIG_ENABLE | CONFIG_LEGACY);
    if (changed & CONFIG_ENABLE) {
        hpet_set_counter(s, hpet_counter(s), value & CONFIG_ENABLE);
    }
    if (changed & CONFIG_LEGACY) {
        hpet_set_legacy(s, value & CONFIG_LEGACY);
    }
    hpet_arm_all(s);
}

static void hpet_write_status(HPETState *s, uint64_t value)
{
    for (unsigned n = 0; n < s->n_timers; n++) {
        if (value & s->status & 1ull << n) {
            s->status &= ~(1ull << n);
            timer_update_line(s, n);
        }
    }
}

static void hpet_write_counter(HPETState *s, uint64_t value)
{
    if (s->config & CONFIG_ENABLE) {
        log_guest_error("hpet: main counter written while it runs\n");
    }
    hpet_set_counter(s, value, s->config & CONFIG_ENABLE);
    hpet_arm_all(s);
}

static void timer_write_config(HPETState *s, unsigned n, uint64_t value)
{
    HPETTimer *t = &s->timers[n];

    if (t->config & TN_LEVEL) {
        irq_lower(s->irqs[timer_output(s, n)]); /* it may be routed elsewhere from now on */
    }
    t->config = value & TN_WRITABLE & ~(s->msi ? 0 : TN_FSB);
    if (!(t->config & TN_LEVEL)) {
        s->status &= ~(1ull << n);
    }
    if (t->config & TN_32BIT) {
        t->cmp = (uint32_t)t->cmp;
        t->period = (uint32_t)t->period;
    }
    timer_update_line(s, n);
    timer_arm(s, n);
}

/* 2.3.9.2.2: with VAL_SET the accumulator is set, and the last value written is the period. */
static void timer_write_cmp(HPETState *s, unsigned n, uint64_t value)
{
    HPETTimer *t = &s->timers[n];

    value &= timer_mask(t);
    if (!(t->config & TN_PERIODIC) || (t->config & TN_SET_VALUE)) {
        t->cmp = value;
    }
    if (t->config & TN_PERIODIC) {
        t->period = value;
    }
    t->config &= ~TN_SET_VALUE;
    t->pending = true;
    timer_arm(s, n);
}

static void hpet_timer_write(HPETState *s, unsigned offset, uint64_t value)
{
    unsigned n = offset / 0x20;

    if (n >= s->n_timers) {
        return;
    }
    switch (offset % 0x20) {
    case TIMER_CONFIG:
        timer_write_config(s, n, value);
        break;
    case TIMER_CMP:
        timer_write_cmp(s, n, value);
        break;
    case TIMER_ROUTE:
        s->timers[n].fsb = value;
        break;
    }
}

static void hpet_write_register(HPETState *s, unsigned offset, uint64_t value)
{
    switch (offset) {
    case REG_CONFIG:
        hpet_write_config(s, value);
        break;
    case REG_STATUS:
        hpet_write_status(s, value);
        break;
    case REG_COUNTER:
        hpet_write_counter(s, value);
        break;
    default:
        if (offset >= REG_TIMERS) {
            hpet_timer_write(s, offset - REG_TIMERS, value);
        }
        break;
    }
}

static uint64_t hpet_read(void *opaque, hwaddr addr, unsigned size)
{
    HPETState *s = opaque;
    unsigned offset = addr & ~7u, shift = addr % 8 * 8;

    if (offset == REG_COUNTER) {
        return hpet_counter(s) >> shift;
    }
    device_lock(DEVICE(s));
    uint64_t value = hpet_read_register(s, offset);
    device_unlock(DEVICE(s));
    return value >> shift;
}

/* Half a register: the other half keeps what it is, but of status nothing is written back. */
static uint64_t hpet_merge(HPETState *s, unsigned offset, unsigned shift, uint32_t data)
{
    uint64_t old = offset == REG_COUNTER  ? hpet_counter(s)
                   : offset == REG_STATUS ? 0
                                          : hpet_read_register(s, offset);

    return (old & ~(0xffffffffull << shift)) | (uint64_t)data << shift;
}

/* Two 32-bit writes to a comparator: VAL_SET holds for both (2.3.9.2.2). */
static bool hpet_is_cmp_half(unsigned offset, unsigned size)
{
    return size == 4 && offset >= REG_TIMERS && offset % 0x20 == TIMER_CMP;
}

static void hpet_write_cmp_half(HPETState *s, unsigned n, unsigned shift, uint32_t data)
{
    HPETTimer *t = &s->timers[n];
    bool set_value = t->config & TN_SET_VALUE;
    uint64_t old = t->config & TN_PERIODIC && !set_value ? t->period : t->cmp;

    timer_write_cmp(s, n, (old & ~(0xffffffffull << shift)) | (uint64_t)data << shift);
    if (set_value && shift == 0 && !(t->config & TN_32BIT)) {
        t->config |= TN_SET_VALUE;
    }
}

static void hpet_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    HPETState *s = opaque;
    unsigned offset = addr & ~7u, shift = addr % 8 * 8;

    device_lock(DEVICE(s));
    if (hpet_is_cmp_half(offset, size) && (offset - REG_TIMERS) / 0x20 < s->n_timers) {
        hpet_write_cmp_half(s, (offset - REG_TIMERS) / 0x20, shift, data);
    } else {
        hpet_write_register(s, offset, size == 8 ? data : hpet_merge(s, offset, shift, data));
    }
    device_unlock(DEVICE(s));
}

static const MemoryRegionOps hpet_ops = {
    .read = hpet_read,
    .write = hpet_write,
    .valid = {4, 8},
    .impl = {4, 8},
    .lock = MR_LOCK_NONE,
};

/* ---- device -------------------------------------------------------------------------- */

static void hpet_reset(DeviceState *dev, ResetType type)
{
    HPETState *s = HPET(dev);

    s->config = s->status = 0;
    hpet_set_counter(s, 0, false);
    for (unsigned n = 0; n < s->n_timers; n++) {
        s->timers[n] = (HPETTimer){.cmp = UINT64_MAX};
        timer_del(s->refs[n].timer);
    }
}

static void hpet_reset_hold(DeviceState *dev)
{
    HPETState *s = HPET(dev);

    for (unsigned i = 0; i < HPET_NUM_OUTPUTS; i++) {
        irq_lower(s->irqs[i]);
    }
    hpet_set_legacy(s, false);
}

static void hpet_init_timers(HPETState *s)
{
    for (unsigned n = 0; n < s->n_timers; n++) {
        s->refs[n] = (HPETTimerRef){.hpet = s, .n = n};
        s->refs[n].timer = device_timer_new(DEVICE(s), CLOCK_VIRTUAL, timer_expired, &s->refs[n]);
    }
}

static bool hpet_realize(DeviceState *dev, GError **error)
{
    HPETState *s = HPET(dev);

    s->machine = qdev_get_machine(dev);
    s->clock = s->machine->clock;
    s->apic_bus = apic_bus_get(s->machine);
    hpet_init_timers(s);
    for (unsigned i = 0; i < HPET_NUM_OUTPUTS; i++) {
        sysbus_init_irq(&s->parent_obj, &s->irqs[i]);
    }
    qdev_init_gpio_in(dev, hpet_legacy_input, 2);
    qdev_init_gpio_out(dev, &s->pit_enabled, 1);
    memory_region_init_io(&s->mmio, OBJECT(s), &hpet_ops, s, "hpet", HPET_SIZE);
    sysbus_init_mmio(&s->parent_obj, &s->mmio);
    hpet_reset(dev, RESET_COLD);
    return true;
}

static const Property hpet_properties[] = {
    DEFINE_PROP_UINT8("timers", HPETState, n_timers, HPET_MIN_TIMERS, "number of comparators",
                      .min = HPET_MIN_TIMERS, .max = (HPET_SIZE - REG_TIMERS) / 0x20),
    DEFINE_PROP_BOOL("msi", HPETState, msi, false, "timers can interrupt by message"),
    DEFINE_PROP_UINT32("hpet-intcap", HPETState, intcap, 0x4, "I/O APIC pins they can drive"),
    DEFINE_PROP_END,
};

static const StateField hpet_state[] = {
    STATE_FIELD(HPETState, running),      STATE_FIELD(HPETState, offset),
    STATE_FIELD(HPETState, config),       STATE_FIELD(HPETState, status),
    STATE_FIELD(HPETState, timers),       STATE_FIELD(HPETState, legacy),
    STATE_FIELD(HPETState, legacy_lines), STATE_END,
};

static void hpet_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = hpet_realize;
    dc->reset_enter = hpet_reset;
    dc->reset_hold = hpet_reset_hold;
    dc->state = hpet_state;
    dc->user_creatable = false;
}

static const TypeInfo hpet_types[] = {
    {.name = TYPE_HPET,
     .parent = TYPE_SYS_BUS_DEVICE,
     .instance_size = sizeof(HPETState),
     .class_init = hpet_class_init,
     .properties = hpet_properties,
     .doc = "high precision event timers"},
};
DEFINE_TYPES(hpet_types)
