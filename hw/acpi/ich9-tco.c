/* SPDX-License-Identifier: MIT
 *
 * TCO registers of the Intel ICH9 (data sheet 316972, 13.9); the offsets are from PMBASE + 60h.
 *
 *   00  RLD       read: ticks left; write: reload            (13.9.1)
 *   02  DAT_IN    write: SW_TCO_SMI       03  DAT_OUT  write: TCO_INT_STS
 *   04  TCO1_STS  3 TIMEOUT  2 TCO_INT_STS  1 SW_TCO_SMI     (13.9.4; write 1 to clear)
 *   06  TCO2_STS  2 BOOT_STS  1 SECOND_TO_STS                (13.9.5; write 1 to clear)
 *   08  TCO1_CNT  12 TCO_LOCK  11 TCO_TMR_HLT                (13.9.6)
 *   0a  TCO2_CNT  0c, 0d MESSAGE1, 2   0e WDCNT   10 SW_IRQ_GEN
 *   12  TMR       9-0 initial value, at least 2              (13.9.11)
 *
 * A tick is 0.6 s.  At 0 TIMEOUT is set and the count begins again; the second time without a reload
 * SECOND_TO_STS is set and the chip resets the machine, unless NO_REBOOT says otherwise.
 */
#include <string.h>
#include "hw/acpi/ich9-tco.h"
#include "system/loop/event-loop.h"

#define TICK_NS 600000000ll

#define TCO_RLD       0x00
#define TCO_DAT_IN    0x02
#define TCO_DAT_OUT   0x03
#define TCO_STS1      0x04
#define TCO_STS2      0x06
#define TCO_CNT1      0x08
#define TCO_CNT2      0x0a
#define TCO_MESSAGE1  0x0c
#define TCO_MESSAGE2  0x0d
#define TCO_WDCNT     0x0e
#define TCO_SW_IRQ    0x10
#define TCO_TMR       0x12
#define STS1_SW_SMI   0x0002u
#define STS1_INT      0x0004u
#define STS1_TIMEOUT  0x0008u
#define STS1_W1C      0x138fu
#define STS2_SECOND   0x0002u
#define STS2_BOOT     0x0004u
#define STS2_W1C      0x0017u
#define CNT1_LOCK     0x1000u
#define CNT1_HALT     0x0800u
#define CNT1_WRITABLE 0x1b00u
#define CNT2_DEFAULT  0x0008u
#define CNT2_WRITABLE 0x003eu
#define TMR_MASK      0x03ffu
#define TMR_MIN       2u
#define TMR_DEFAULT   4u
#define SW_IRQ_RESET  0x03u

/* ---- the timer -------------------------------------------------------------------------- */

static int64_t tco_now(const ICH9TCO *tco)
{
    return device_clock_ns(tco->dev, CLOCK_VIRTUAL);
}

static void tco_start(ICH9TCO *tco, uint16_t ticks)
{
    tco->running = !(tco->cnt1 & CNT1_HALT);
    tco->frozen = ticks;
    if (!tco->running) {
        timer_del(tco->timer);
        return;
    }
    tco->expire_ns = tco_now(tco) + ticks * TICK_NS;
    timer_mod(tco->timer, tco->expire_ns);
}

static uint16_t tco_ticks_left(const ICH9TCO *tco)
{
    int64_t left = tco->expire_ns - tco_now(tco);

    if (!tco->running) {
        return tco->frozen;
    }
    return left > 0 ? (uint16_t)((left + TICK_NS - 1) / TICK_NS) : 0;
}

static void tco_expired(void *opaque)
{
    ICH9TCO *tco = opaque;
    bool second = tco->timeouts != 0;

    tco->sts1 |= STS1_TIMEOUT;
    tco->timeouts = 1;
    if (second) {
        tco->timeouts = 0;
        tco->sts2 |= STS2_SECOND;
        tco->second_timeout(tco->opaque);
    } else {
        tco->smi(tco->opaque);
    }
    tco_start(tco, tco->tmr);
}

/* ---- registers --------------------------------------------------------------------------- */

/* The byte registers and the low byte of the word ones, by offset. */
static uint16_t tco_word(const ICH9TCO *tco, hwaddr addr)
{
    switch (addr) {
    case TCO_RLD:
        return tco_ticks_left(tco);
    case TCO_DAT_IN:
        return (uint16_t)(tco->dat_in | tco->dat_out << 8);
    case TCO_STS1:
        return tco->sts1;
    case TCO_STS2:
        return tco->sts2;
    case TCO_CNT1:
        return tco->cnt1;
    case TCO_CNT2:
        return tco->cnt2;
    case TCO_MESSAGE1:
        return (uint16_t)(tco->message[0] | tco->message[1] << 8);
    case TCO_WDCNT:
        return tco->wdcnt;
    case TCO_SW_IRQ:
        return tco->sw_irq_gen;
    case TCO_TMR:
        return tco->tmr;
    default:
        return 0;
    }
}

static uint64_t tco_read(void *opaque, hwaddr addr, unsigned size)
{
    uint16_t word = tco_word(opaque, addr & ~1ull);

    return addr & 1 ? word >> 8 : word;
}

static void tco_write_cnt1(ICH9TCO *tco, uint16_t value)
{
    uint16_t old = tco->cnt1, left = tco_ticks_left(tco);

    tco->cnt1 = (uint16_t)((value & CNT1_WRITABLE) | (old & CNT1_LOCK));
    if ((old ^ tco->cnt1) & CNT1_HALT) {
        tco_start(tco, left ? left : tco->tmr);
    }
}

static void tco_write_dat(ICH9TCO *tco, hwaddr addr, uint8_t value)
{
    if (addr == TCO_DAT_IN) {
        tco->dat_in = value;
        tco->sts1 |= STS1_SW_SMI;
        tco->smi(tco->opaque);
    } else {
        tco->dat_out = value;
        tco->sts1 |= STS1_INT;
    }
}

static void tco_write_word(ICH9TCO *tco, hwaddr addr, uint16_t value)
{
    switch (addr) {
    case TCO_RLD:
        tco->timeouts = 0;
        tco_start(tco, tco->tmr);
        break;
    case TCO_STS1:
        tco->sts1 &= (uint16_t) ~(value & STS1_W1C);
        break;
    case TCO_STS2:
        tco->sts2 &= (uint16_t) ~(value & STS2_W1C);
        break;
    case TCO_CNT1:
        tco_write_cnt1(tco, value);
        break;
    case TCO_CNT2:
        tco->cnt2 = value & CNT2_WRITABLE;
        break;
    case TCO_TMR:
        if ((value & TMR_MASK) >= TMR_MIN) {
            tco->tmr = value & TMR_MASK;
        }
        break;
    default:
        break;
    }
}

static void tco_write_byte(ICH9TCO *tco, hwaddr addr, uint8_t value)
{
    uint16_t word = tco_word(tco, addr & ~1ull);

    switch (addr) {
    case TCO_DAT_IN:
    case TCO_DAT_OUT:
        tco_write_dat(tco, addr, value);
        break;
    case TCO_MESSAGE1:
    case TCO_MESSAGE2:
        tco->message[addr - TCO_MESSAGE1] = value;
        break;
    case TCO_WDCNT:
        tco->wdcnt = value;
        break;
    case TCO_SW_IRQ:
        tco->sw_irq_gen = value & 3;
        break;
    case TCO_STS1:
    case TCO_STS1 + 1:
    case TCO_STS2:
    case TCO_STS2 + 1: /* a zero clears nothing in the other byte */
        tco_write_word(tco, addr & ~1ull, (uint16_t)(addr & 1 ? value << 8 : value));
        break;
    default:
        word = (uint16_t)(addr & 1 ? (word & 0xff) | value << 8 : (word & 0xff00) | value);
        tco_write_word(tco, addr & ~1ull, word);
        break;
    }
}

static void tco_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    bool bytes = (addr & ~1ull) == TCO_DAT_IN || (addr >= TCO_MESSAGE1 && addr < TCO_TMR);

    if (size == 1) {
        tco_write_byte(opaque, addr, (uint8_t)value);
    } else if (bytes) {
        tco_write_byte(opaque, addr, (uint8_t)value);
        tco_write_byte(opaque, addr + 1, (uint8_t)(value >> 8));
    } else {
        tco_write_word(opaque, addr, (uint16_t)value);
    }
}

static const MemoryRegionOps tco_ops = {
    .read = tco_read,
    .write = tco_write,
    .valid = {1, 4, false},
    .impl = {1, 2, false},
};

/* ---- the chip's side --------------------------------------------------------------------- */

void ich9_tco_init(ICH9TCO *tco, DeviceState *dev)
{
    tco->dev = dev;
    tco->timer = device_timer_new(dev, CLOCK_VIRTUAL, tco_expired, tco);
    memory_region_init_io(&tco->mr, OBJECT(dev), &tco_ops, tco, "ich9-tco", ICH9_TCO_PORTS);
}

/* The status bits of a boot that the watchdog caused are in the battery's domain. */
void ich9_tco_reset(ICH9TCO *tco)
{
    timer_del(tco->timer);
    tco->sts1 = tco->cnt1 = 0;
    tco->sts2 &= STS2_BOOT;
    tco->cnt2 = CNT2_DEFAULT;
    tco->tmr = TMR_DEFAULT;
    tco->frozen = 0; /* nothing is loaded: RLD's default */
    tco->dat_in = tco->dat_out = tco->wdcnt = tco->timeouts = 0;
    memset(tco->message, 0, sizeof(tco->message));
    tco->sw_irq_gen = SW_IRQ_RESET;
    tco->running = false;
    tco->expire_ns = 0;
}

bool ich9_tco_locked(const ICH9TCO *tco)
{
    return tco->cnt1 & CNT1_LOCK;
}

void ich9_tco_set_boot_status(ICH9TCO *tco)
{
    tco->sts2 |= STS2_BOOT;
}
