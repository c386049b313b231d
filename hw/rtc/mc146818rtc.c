/* SPDX-License-Identifier: MIT
 *
 * MC146818 real-time clock with 128 bytes: Motorola MC146818A datasheet; Intel
 * ICH9 datasheet, 13.6 (index and data ports, century at 32h).
 *
 *   70  write  index (6-0), NMI mask (7)
 *   71         00 s, 01 s alarm, 02 min, 03 min alarm, 04 h, 05 h alarm, 06 day of
 *              week, 07 day, 08 month, 09 year, 0a-0d A-D, 32 and 37 century, others RAM
 *
 * Time is not counted: it is a clock of the host plus an offset.  The update
 * and alarm flags are found when someone looks, or by a timer when they interrupt.
 * Periodic ticks go by the VM's clock and stop with it.
 */
#include "hw/rtc/mc146818rtc.h"

#include "hw/core/machine.h"
#include "hw/rtc/rtc-date.h"
#include "system/log.h"

enum RTCRegister {
    RTC_SECONDS = 0x00,
    RTC_SECONDS_ALARM = 0x01,
    RTC_MINUTES = 0x02,
    RTC_MINUTES_ALARM = 0x03,
    RTC_HOURS = 0x04,
    RTC_HOURS_ALARM = 0x05,
    RTC_DAY_OF_WEEK = 0x06,
    RTC_DAY_OF_MONTH = 0x07,
    RTC_MONTH = 0x08,
    RTC_YEAR = 0x09,
    RTC_A = 0x0a,
    RTC_B = 0x0b,
    RTC_C = 0x0c,
    RTC_D = 0x0d,
    RTC_CENTURY = 0x32,
    RTC_CENTURY_PS2 = 0x37, /* the same byte, where the PS/2 has it */
};

#define RTC_SIZE    128
#define A_UIP       0x80
#define A_DIVIDER   0x70
#define A_DIV_RESET 0x60 /* 11x */
#define A_RATE      0x0f
#define A_DEFAULT   0x26
#define B_SET       0x80
#define B_PIE       0x40
#define B_AIE       0x20
#define B_UIE       0x10
#define B_SQWE      0x08
#define B_BINARY    0x04
#define B_24H       0x02
#define C_IRQF      0x80
#define C_PF        0x40
#define C_AF        0x20
#define C_UF        0x10
#define D_VRT       0x80
#define HOUR_PM     0x80
#define ALARM_ANY   0xc0 /* and above: matches everything */
#define NMI_MASK    0x80

#define UIP_NS         244000 /* before the update */
#define CRYSTAL_HZ     32768
#define MAX_ALARM_LOOK 86400 /* alarms recur daily */
#define MAX_COALESCED  1000
#define MAX_REINJECT   20

enum TickPolicy { TICKS_DISCARD, TICKS_SLEW };
static const EnumInfo tick_policy_enum = {
    "LostTickPolicy", (const char *const[]){"discard", "slew", NULL}
};

enum RTCClock { RTC_CLOCK_HOST, RTC_CLOCK_RT, RTC_CLOCK_VM };
static const EnumInfo rtc_clock_enum = {
    "RTCClock", (const char *const[]){"host", "rt", "vm", NULL}
};
static const ClockType clock_types[] = {CLOCK_HOST, CLOCK_REALTIME_NS, CLOCK_VIRTUAL};

struct RTCState {
    ISADevice parent_obj;
    MemoryRegion io;
    IRQ irq, nmi_mask;
    VMClock *vm_clock;
    Timer *update_timer, *periodic_timer;
    BottomHalf *change_bh; /* tells monitors that the guest has set the clock */

    int32_t base_year;
    uint32_t iobase, isa_irq;
    int tick_policy, clock;
    char *base;

    uint8_t index;
    bool nmi_masked;
    uint8_t cmos[RTC_SIZE];
    int64_t offset;        /* guest time - clock, in seconds */
    int64_t start_offset;  /* as it was before the guest set the clock */
    int64_t phase;         /* ns by which the guest's seconds begin before the clock's */
    int64_t last_second;   /* updates up to this second are accounted for */
    int64_t periodic_next; /* virtual ns of the next periodic tick */
    uint8_t weekday_shift; /* the guest's idea of the week against the calendar's */
    uint32_t coalesced, reinjected;
};

/* ---- time ------------------------------------------------------------------------- */

static int64_t rtc_clock_ns(RTCState *s)
{
    return vm_clock_get_ns(s->vm_clock, clock_types[s->clock]);
}

static bool rtc_runs(const RTCState *s)
{
    return !(s->cmos[RTC_B] & B_SET) && (s->cmos[RTC_A] & A_DIV_RESET) != A_DIV_RESET;
}

static int64_t rtc_guest_second(RTCState *s)
{
    return (rtc_clock_ns(s) + s->phase) / NANOSECONDS_PER_SECOND + s->offset;
}

/* How far the second has got. */
static int64_t rtc_in_second_ns(RTCState *s)
{
    return (rtc_clock_ns(s) + s->phase) % NANOSECONDS_PER_SECOND;
}

static uint8_t rtc_encode(const RTCState *s, int value)
{
    return s->cmos[RTC_B] & B_BINARY ? value : value / 10 << 4 | value % 10;
}

static int rtc_decode(const RTCState *s, uint8_t value)
{
    return s->cmos[RTC_B] & B_BINARY ? value : (value >> 4) * 10 + (value & 0xf);
}

static uint8_t rtc_encode_hour(const RTCState *s, int hour)
{
    if (s->cmos[RTC_B] & B_24H) {
        return rtc_encode(s, hour);
    }
    return rtc_encode(s, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOUR_PM : 0);
}

static int rtc_decode_hour(const RTCState *s, uint8_t value)
{
    if (s->cmos[RTC_B] & B_24H) {
        return rtc_decode(s, value);
    }
    return rtc_decode(s, value & ~HOUR_PM) % 12 + (value & HOUR_PM ? 12 : 0);
}

/* Time to registers. */
static void rtc_store_time(RTCState *s)
{
    RTCDate d = rtc_date_from_seconds(rtc_guest_second(s));
    int year = d.year - s->base_year;

    s->cmos[RTC_SECONDS] = rtc_encode(s, d.second);
    s->cmos[RTC_MINUTES] = rtc_encode(s, d.minute);
    s->cmos[RTC_HOURS] = rtc_encode_hour(s, d.hour);
    s->cmos[RTC_DAY_OF_WEEK] = rtc_encode(s, (d.weekday + s->weekday_shift) % 7 + 1);
    s->cmos[RTC_DAY_OF_MONTH] = rtc_encode(s, d.day);
    s->cmos[RTC_MONTH] = rtc_encode(s, d.month);
    s->cmos[RTC_YEAR] = rtc_encode(s, (year % 100 + 100) % 100);
    s->cmos[RTC_CENTURY] = (d.year / 1000 % 10) << 4 | d.year / 100 % 10;
}

/* Registers to time; the phase within the second goes on. */
static void rtc_load_time(RTCState *s)
{
    uint8_t century = s->cmos[RTC_CENTURY];
    RTCDate d = {
        .year = ((century >> 4) * 10 + (century & 0xf)) * 100 +
                (rtc_decode(s, s->cmos[RTC_YEAR]) + s->base_year) % 100,
        .month = rtc_decode(s, s->cmos[RTC_MONTH]),
        .day = rtc_decode(s, s->cmos[RTC_DAY_OF_MONTH]),
        .hour = rtc_decode_hour(s, s->cmos[RTC_HOURS]),
        .minute = rtc_decode(s, s->cmos[RTC_MINUTES]),
        .second = rtc_decode(s, s->cmos[RTC_SECONDS]),
    };
    int64_t seconds = rtc_date_to_seconds(&d);

    s->offset += seconds - rtc_guest_second(s);
    s->last_second = seconds;
    int weekday = rtc_decode(s, s->cmos[RTC_DAY_OF_WEEK]) - 1;
    s->weekday_shift = (weekday - rtc_date_from_seconds(seconds).weekday + 14) % 7;
    bh_schedule(s->change_bh);
}

static void rtc_tell_change(void *opaque)
{
    RTCState *s = opaque;
    g_autofree char *path = object_get_path(OBJECT(s)), *data = NULL;

    device_lock(DEVICE(s));
    data = g_strdup_printf("{\"offset\": %" G_GINT64_FORMAT ", \"qom-path\": \"%s\"}",
                           s->offset - s->start_offset, path);
    device_unlock(DEVICE(s));
    machine_emit_event(qdev_get_machine(s), "RTC_CHANGE", data);
}

/* ---- interrupts -------------------------------------------------------------------- */

static void rtc_update_irq(RTCState *s)
{
    bool level = s->cmos[RTC_C] & s->cmos[RTC_B] & (C_PF | C_AF | C_UF);

    s->cmos[RTC_C] = (s->cmos[RTC_C] & ~C_IRQF) | (level ? C_IRQF : 0);
    irq_set(s->irq, level);
}

static bool alarm_field_matches(uint8_t alarm, int decoded, int value)
{
    return alarm >= ALARM_ANY || decoded == value;
}

static bool rtc_alarm_at(const RTCState *s, int64_t second)
{
    RTCDate d = rtc_date_from_seconds(second);
    const uint8_t *r = s->cmos;

    return alarm_field_matches(r[RTC_SECONDS_ALARM], rtc_decode(s, r[RTC_SECONDS_ALARM]),
                               d.second) &&
           alarm_field_matches(r[RTC_MINUTES_ALARM], rtc_decode(s, r[RTC_MINUTES_ALARM]),
                               d.minute) &&
           alarm_field_matches(r[RTC_HOURS_ALARM], rtc_decode_hour(s, r[RTC_HOURS_ALARM]), d.hour);
}

/* Update-ended and alarm flags for the seconds since someone last looked. */
static void rtc_note_updates(RTCState *s)
{
    int64_t second = rtc_guest_second(s);

    if (!rtc_runs(s) || second == s->last_second) {
        return;
    }
    s->cmos[RTC_C] |= C_UF;
    for (int64_t i = MAX(s->last_second + 1, second - MAX_ALARM_LOOK); i <= second; i++) {
        if (rtc_alarm_at(s, i)) {
            s->cmos[RTC_C] |= C_AF;
            break;
        }
    }
    s->last_second = second;
}

static void rtc_arm_update(RTCState *s)
{
    if (rtc_runs(s) && (s->cmos[RTC_B] & (B_AIE | B_UIE))) {
        timer_mod(s->update_timer, rtc_clock_ns(s) + NANOSECONDS_PER_SECOND - rtc_in_second_ns(s));
    } else {
        timer_del(s->update_timer);
    }
}

static void rtc_update_expired(void *opaque)
{
    RTCState *s = opaque;

    rtc_note_updates(s);
    rtc_update_irq(s);
    rtc_arm_update(s);
    if (s->cmos[RTC_B] & s->cmos[RTC_C] & B_AIE) {
        system_wakeup_request(qdev_get_machine(s), WAKEUP_REASON_RTC);
    }
}

/* Period of the rate in register A, 0: none (datasheet, table 5). */
static int64_t rtc_period_ns(const RTCState *s)
{
    unsigned rate = s->cmos[RTC_A] & A_RATE;

    if (!rate || (s->cmos[RTC_A] & A_DIV_RESET) == A_DIV_RESET) {
        return 0;
    }
    rate = rate <= 2 ? rate + 7 : rate;
    return (NANOSECONDS_PER_SECOND << (rate - 1)) / CRYSTAL_HZ;
}

static void rtc_arm_periodic(RTCState *s)
{
    if (rtc_period_ns(s) && (s->cmos[RTC_B] & B_PIE)) {
        timer_mod(s->periodic_timer, s->periodic_next);
    } else {
        timer_del(s->periodic_timer);
    }
}

/* Returns how many ticks have come since the last look. */
static int64_t rtc_note_periodic(RTCState *s)
{
    int64_t now = vm_clock_get_ns(s->vm_clock, CLOCK_VIRTUAL), period = rtc_period_ns(s);

    if (!period || now < s->periodic_next) {
        return 0;
    }
    int64_t ticks = (now - s->periodic_next) / period + 1;
    s->periodic_next += ticks * period;
    return ticks;
}

static void rtc_periodic_expired(void *opaque)
{
    RTCState *s = opaque;
    int64_t ticks = rtc_note_periodic(s);

    if (ticks && s->tick_policy == TICKS_SLEW) {
        int64_t lost = ticks - !(s->cmos[RTC_C] & C_PF);
        s->coalesced = MIN(s->coalesced + lost, MAX_COALESCED);
        s->reinjected = 0;
    }
    if (ticks) {
        s->cmos[RTC_C] |= C_PF;
        rtc_update_irq(s);
    }
    rtc_arm_periodic(s);
}

static void rtc_restart_periodic(RTCState *s)
{
    s->periodic_next = vm_clock_get_ns(s->vm_clock, CLOCK_VIRTUAL) + rtc_period_ns(s);
    s->coalesced = 0;
    rtc_arm_periodic(s);
}

/* ---- registers --------------------------------------------------------------------- */

static bool is_time_register(unsigned index)
{
    switch (index) {
    case RTC_SECONDS:
    case RTC_MINUTES:
    case RTC_HOURS:
    case RTC_DAY_OF_WEEK ... RTC_YEAR:
    case RTC_CENTURY:
        return true;
    default:
        return false;
    }
}

static uint8_t rtc_read_a(RTCState *s)
{
    bool updating = rtc_runs(s) && rtc_in_second_ns(s) >= NANOSECONDS_PER_SECOND - UIP_NS;

    return (s->cmos[RTC_A] & ~A_UIP) | (updating ? A_UIP : 0);
}

/* Reading acknowledges; a tick that was lost meanwhile follows at once. */
static uint8_t rtc_read_c(RTCState *s)
{
    rtc_note_updates(s);
    if (rtc_note_periodic(s)) {
        s->cmos[RTC_C] |= C_PF;
        rtc_arm_periodic(s);
    }
    rtc_update_irq(s);
    uint8_t value = s->cmos[RTC_C];
    s->cmos[RTC_C] = 0;
    rtc_update_irq(s);
    if ((s->cmos[RTC_B] & B_PIE) && s->coalesced && s->reinjected < MAX_REINJECT) {
        s->coalesced--;
        s->reinjected++;
        s->cmos[RTC_C] |= C_PF;
        rtc_update_irq(s);
    }
    return value;
}

static uint8_t rtc_read_register(RTCState *s, unsigned index)
{
    index = index == RTC_CENTURY_PS2 ? RTC_CENTURY : index;
    switch (index) {
    case RTC_A:
        return rtc_read_a(s);
    case RTC_C:
        return rtc_read_c(s);
    case RTC_D:
        return D_VRT;
    default:
        if (is_time_register(index) && rtc_runs(s)) {
            rtc_store_time(s);
        }
        return s->cmos[index];
    }
}

/* The first update comes half a second later (datasheet, "divider control"). */
static void rtc_leave_divider_reset(RTCState *s)
{
    int64_t half = NANOSECONDS_PER_SECOND / 2;

    s->phase = (s->phase + half - rtc_in_second_ns(s) + NANOSECONDS_PER_SECOND) %
               NANOSECONDS_PER_SECOND;
}

static void rtc_write_a(RTCState *s, uint8_t value)
{
    bool ran = rtc_runs(s);
    uint8_t changed = (s->cmos[RTC_A] ^ value) & (A_DIVIDER | A_RATE);

    if (ran) {
        rtc_store_time(s);
    }
    if ((s->cmos[RTC_A] & A_DIV_RESET) == A_DIV_RESET && (value & A_DIV_RESET) != A_DIV_RESET) {
        rtc_leave_divider_reset(s);
    }
    s->cmos[RTC_A] = value & ~A_UIP;
    if (!ran && rtc_runs(s)) {
        rtc_load_time(s);
    }
    if (changed) {
        rtc_restart_periodic(s);
    }
    rtc_arm_update(s);
}

static void rtc_write_b(RTCState *s, uint8_t value)
{
    bool ran = rtc_runs(s);
    uint8_t old = s->cmos[RTC_B];

    rtc_note_updates(s);
    if (ran && (value & B_SET)) {
        rtc_store_time(s);
    }
    s->cmos[RTC_B] = value & B_SET ? value & ~B_UIE : value;
    if (!ran && rtc_runs(s)) {
        rtc_load_time(s);
    }
    if ((value & ~old) & B_PIE) {
        rtc_restart_periodic(s);
    }
    rtc_arm_periodic(s);
    rtc_arm_update(s);
    rtc_update_irq(s);
}

static void rtc_write_register(RTCState *s, unsigned index, uint8_t value)
{
    index = index == RTC_CENTURY_PS2 ? RTC_CENTURY : index;
    switch (index) {
    case RTC_A:
        rtc_write_a(s, value);
        break;
    case RTC_B:
        rtc_write_b(s, value);
        break;
    case RTC_C:
    case RTC_D:
        break;
    default:
        if (is_time_register(index) && rtc_runs(s)) {
            rtc_store_time(s);
            s->cmos[index] = value;
            rtc_load_time(s);
        } else {
            s->cmos[index] = value;
        }
        rtc_arm_update(s);
        break;
    }
}

static uint64_t rtc_read(void *opaque, hwaddr addr, unsigned size)
{
    RTCState *s = opaque;

    return addr == 0 ? 0xff : rtc_read_register(s, s->index);
}

static void rtc_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    RTCState *s = opaque;

    if (addr == 0) {
        s->index = data & (RTC_SIZE - 1);
        s->nmi_masked = data & NMI_MASK;
        irq_set(s->nmi_mask, s->nmi_masked);
    } else {
        rtc_write_register(s, s->index, data);
    }
}

static const MemoryRegionOps rtc_ops = {
    .read = rtc_read,
    .write = rtc_write,
    .impl = {1, 1},
};

/* ---- for the machine ----------------------------------------------------------------- */

void mc146818_rtc_set_cmos(RTCState *s, int addr, uint8_t value)
{
    device_lock(DEVICE(s));
    s->cmos[addr & (RTC_SIZE - 1)] = value;
    device_unlock(DEVICE(s));
}

uint8_t mc146818_rtc_get_cmos(RTCState *s, int addr)
{
    device_lock(DEVICE(s));
    uint8_t value = s->cmos[addr & (RTC_SIZE - 1)];
    device_unlock(DEVICE(s));
    return value;
}

RTCState *mc146818_rtc_create(ISABus *bus, int base_year, IRQ intercept, GError **error)
{
    ISADevice *dev = isa_new(TYPE_MC146818_RTC, error);

    if (!dev || !object_property_set_int(OBJECT(dev), "base_year", base_year, error) ||
        !isa_realize_and_unref(dev, bus, error)) {
        return NULL;
    }
    if (intercept) {
        qdev_connect_gpio_out(DEVICE(dev), 0, intercept);
        qdev_on_unrealize(DEVICE(dev), (void (*)(void *))irq_unref, irq_ref(intercept));
    }
    return MC146818_RTC(dev);
}

/* ---- device --------------------------------------------------------------------------- */

/* The clock and the memory have a battery; RESET clears only the interrupts (datasheet). */
static void rtc_reset(DeviceState *dev, ResetType type)
{
    RTCState *s = MC146818_RTC(dev);

    s->index = 0;
    s->nmi_masked = false;
    s->cmos[RTC_B] &= ~(B_PIE | B_AIE | B_UIE | B_SQWE);
    s->cmos[RTC_C] = 0;
    s->coalesced = 0;
    timer_del(s->update_timer);
    timer_del(s->periodic_timer);
}

static void rtc_reset_hold(DeviceState *dev)
{
    irq_lower(MC146818_RTC(dev)->irq);
    irq_lower(MC146818_RTC(dev)->nmi_mask);
}

/* Seconds since 1970 of the clock that `base` asks for. */
static bool rtc_start_second(RTCState *s, int64_t *ret_second, GError **error)
{
    int64_t utc = vm_clock_get_ns(s->vm_clock, CLOCK_HOST) / NANOSECONDS_PER_SECOND;

    if (!s->base || g_str_equal(s->base, "utc")) {
        *ret_second = utc;
        return true;
    }
    if (g_str_equal(s->base, "localtime")) {
        g_autoptr(GDateTime) local = g_date_time_new_from_unix_local(utc);
        *ret_second = utc + (local ? g_date_time_get_utc_offset(local) / G_USEC_PER_SEC : 0);
        return true;
    }
    if (!rtc_date_parse(s->base, ret_second)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    TYPE_MC146818_RTC ": base=%s: expected utc, localtime or a date such as "
                                      "2006-06-17T16:01:21",
                    s->base);
        return false;
    }
    return true;
}

static bool rtc_start_clock(RTCState *s, GError **error)
{
    int64_t second;

    if (!rtc_start_second(s, &second, error)) {
        return false;
    }
    s->phase = 0;
    s->offset = second - rtc_clock_ns(s) / NANOSECONDS_PER_SECOND;
    s->start_offset = s->offset;
    s->last_second = second;
    s->cmos[RTC_A] = A_DEFAULT;
    s->cmos[RTC_B] = B_24H;
    rtc_store_time(s);
    return true;
}

static bool rtc_realize(DeviceState *dev, GError **error)
{
    RTCState *s = MC146818_RTC(dev);

    s->vm_clock = qdev_get_machine(dev)->clock;
    if (!isa_check_irq(&s->parent_obj, "irq", s->isa_irq, error) || !rtc_start_clock(s, error)) {
        return false;
    }
    s->change_bh = bh_new(qdev_get_machine(dev)->loop, rtc_tell_change, s);
    qdev_on_unrealize(dev, (void (*)(void *))bh_free, s->change_bh);
    s->update_timer = device_timer_new(dev, clock_types[s->clock], rtc_update_expired, s);
    s->periodic_timer = device_timer_new(dev, CLOCK_VIRTUAL, rtc_periodic_expired, s);
    qdev_init_gpio_out(dev, &s->irq, 1);
    qdev_init_gpio_out_named(dev, &s->nmi_mask, RTC_NMI_MASK, 1);
    IRQ line = isa_get_irq(&s->parent_obj, s->isa_irq);
    if (line) {
        qdev_connect_gpio_out(dev, 0, line);
    }
    memory_region_init_io(&s->io, OBJECT(s), &rtc_ops, s, "rtc", 2);
    isa_register_ioport(&s->parent_obj, &s->io, s->iobase);
    return true;
}

static GVariant *rtc_get_date(Object *obj, const Property *prop)
{
    RTCState *s = (RTCState *)obj;
    g_autofree char *text = NULL;

    if (!qdev_is_realized(DEVICE(obj))) {
        return g_variant_new_string("");
    }
    device_lock(DEVICE(s));
    RTCDate d = rtc_date_from_seconds(rtc_guest_second(s));
    device_unlock(DEVICE(s));
    text = g_strdup_printf("%04d-%02d-%02dT%02d:%02d:%02d", d.year, d.month, d.day, d.hour,
                           d.minute, d.second);
    return g_variant_new_string(text);
}

static const Property rtc_properties[] = {
    DEFINE_PROP_INT32("base_year", RTCState, base_year, 2000, "year that register 09 calls 00",
                      .min = 1900, .max = 9999),
    DEFINE_PROP_UINT32("iobase", RTCState, iobase, 0x70, "first of two ports", .max = 0xfffe),
    DEFINE_PROP_UINT32("irq", RTCState, isa_irq, 8, "ISA line"),
    DEFINE_PROP_ENUM("lost_tick_policy", RTCState, tick_policy, &tick_policy_enum, TICKS_DISCARD,
                     "periodic interrupts that the guest was too slow to take"),
    DEFINE_PROP_ENUM("clock", RTCState, clock, &rtc_clock_enum, RTC_CLOCK_HOST,
                     "what it runs by: host's calendar, host's monotonic clock, the VM's clock"),
    DEFINE_PROP_STRING("base", RTCState, base, "utc", "utc, localtime or 2006-06-17T16:01:21"),
    DEFINE_PROP_CUSTOM("date", "s", rtc_get_date, NULL, PROP_TELEMETRY, "the guest's date"),
    DEFINE_PROP_END,
};

static const StateField rtc_state[] = {
    STATE_FIELD(RTCState, index),         STATE_FIELD(RTCState, nmi_masked),
    STATE_FIELD(RTCState, cmos),          STATE_FIELD(RTCState, offset),
    STATE_FIELD(RTCState, phase),         STATE_FIELD(RTCState, start_offset),
    STATE_FIELD(RTCState, last_second),   STATE_FIELD(RTCState, periodic_next),
    STATE_FIELD(RTCState, weekday_shift), STATE_FIELD(RTCState, coalesced),
    STATE_FIELD(RTCState, reinjected),    STATE_END,
};

static void rtc_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = rtc_realize;
    dc->reset_enter = rtc_reset;
    dc->reset_hold = rtc_reset_hold;
    dc->state = rtc_state;
    dc->user_creatable = false;
}

static const TypeInfo rtc_types[] = {
    {.name = TYPE_MC146818_RTC,
     .parent = TYPE_ISA_DEVICE,
     .instance_size = sizeof(RTCState),
     .class_init = rtc_class_init,
     .properties = rtc_properties,
     .doc = "MC146818 real-time clock and CMOS memory"},
};
DEFINE_TYPES(rtc_types)
