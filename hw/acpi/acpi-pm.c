/* SPDX-License-Identifier: MIT
 *
 * ACPI fixed hardware (ACPI 6.4, 4.8.3 and 4.8.4).
 *
 *   PM1 event    +0 status (write 1 to clear)   +2 enable
 *                  0 timer  4 bus master  5 global  8 power button  10 RTC  15 wake
 *   PM1 control  +0  0 SCI_EN  1 BM_RLD  2 GBL_RLS  12-10 SLP_TYP  13 SLP_EN
 *   PM timer     +0  24 bits at 3.579545 MHz
 *   GPE          +0 status (write 1 to clear)   +n enable
 */
#include "hw/acpi/acpi-pm.h"
#include "hw/core/machine.h"
#include "system/log.h"

#define PM1_TMR            0x0001u
#define PM1_GBL            0x0020u
#define PM1_PWRBTN         0x0100u
#define PM1_RTC            0x0400u
#define PM1_WAK            0x8000u
#define PM1_STS_MASK       0x8731u
#define PM1_EN_MASK        0x0721u
#define PM1_CNT_SCI_EN     0x0001u
#define PM1_CNT_MASK       0x1c03u /* what software writes and reads back */
#define PM1_CNT_SLP_EN     0x2000u
#define PM1_CNT_SLP_TYP(v) ((v) >> 10 & 7)

#define PM_TIMER_HALF (1u << 23)

uint64_t acpi_pm_ticks(int64_t ns)
{
    return (uint64_t)((__uint128_t)ns * ACPI_PM_TIMER_HZ / NANOSECONDS_PER_SECOND);
}

static int64_t acpi_pm_now(const ACPIPM *pm)
{
    return vm_clock_get_ns(pm->machine->clock, CLOCK_VIRTUAL);
}

/* The next change of bit 23 after now. */
static int64_t acpi_pm_next_overflow(int64_t now)
{
    uint64_t ticks = (acpi_pm_ticks(now) | (PM_TIMER_HALF - 1)) + 1;

    return (int64_t)(((__uint128_t)ticks * NANOSECONDS_PER_SECOND + ACPI_PM_TIMER_HZ - 1) /
                     ACPI_PM_TIMER_HZ);
}

static void acpi_pm_latch_timer(ACPIPM *pm)
{
    if (acpi_pm_now(pm) >= pm->overflow_ns) {
        pm->pm1_sts |= PM1_TMR;
    }
}

/* Line and deadline as the registers ask for; under the device lock. */
static void acpi_pm_update(ACPIPM *pm)
{
    bool gpe = false;
    bool event;

    acpi_pm_latch_timer(pm);
    for (unsigned i = 0; i < pm->gpe_bytes; i++) {
        gpe |= pm->gpe_sts[i] & pm->gpe_en[i];
    }
    event = pm->pm1_sts & pm->pm1_en & PM1_EN_MASK;
    irq_set(pm->sci, (pm->pm1_cnt & PM1_CNT_SCI_EN) && (event || gpe));
    if ((pm->pm1_en & PM1_TMR) && !(pm->pm1_sts & PM1_TMR)) {
        timer_mod(pm->timer, pm->overflow_ns);
    } else {
        timer_del(pm->timer);
    }
}

static void acpi_pm_timer(void *opaque)
{
    ACPIPM *pm = opaque;

    acpi_pm_update(pm);
    system_wakeup_request(pm->machine, WAKEUP_REASON_PM_TIMER);
}

/* ---- PM1 event ------------------------------------------------------------------- */

static uint64_t acpi_pm_evt_read(void *opaque, hwaddr addr, unsigned size)
{
    ACPIPM *pm = opaque;

    if (addr == 2) {
        return pm->pm1_en;
    }
    acpi_pm_latch_timer(pm);
    return pm->pm1_sts;
}

static void acpi_pm_evt_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    ACPIPM *pm = opaque;

    if (addr == 2) {
        pm->pm1_en = (uint16_t)(value & PM1_EN_MASK);
    } else {
        acpi_pm_latch_timer(pm);
        if (value & pm->pm1_sts & PM1_TMR) {
            pm->overflow_ns = acpi_pm_next_overflow(acpi_pm_now(pm));
        }
        pm->pm1_sts &= (uint16_t) ~(value & PM1_STS_MASK);
    }
    acpi_pm_update(pm);
}

static const MemoryRegionOps acpi_pm_evt_ops = {
    .read = acpi_pm_evt_read,
    .write = acpi_pm_evt_write,
    .valid = {1, 4, false},
    .impl = {2, 2, false},
};

/* ---- PM1 control ------------------------------------------------------------------ */

static void acpi_pm_sleep(ACPIPM *pm, int type)
{
    if (type == pm->s3_type) {
        log_if(LOG_RESET, "acpi: the guest enters S3\n");
        system_suspend_request(pm->machine);
    } else if (type == pm->s5_type || type == pm->s4_type) {
        log_if(LOG_RESET, "acpi: the guest enters S%d\n", type == pm->s5_type ? 5 : 4);
        system_shutdown_request(pm->machine, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    } else {
        log_guest_error("acpi: SLP_TYP %d is no sleep state that is offered\n", type);
    }
}

static uint64_t acpi_pm_cnt_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((ACPIPM *)opaque)->pm1_cnt;
}

static void acpi_pm_cnt_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    ACPIPM *pm = opaque;

    pm->pm1_cnt = (uint16_t)(value & PM1_CNT_MASK);
    acpi_pm_update(pm);
    if (value & PM1_CNT_SLP_EN) {
        acpi_pm_sleep(pm, PM1_CNT_SLP_TYP(value));
    }
}

static const MemoryRegionOps acpi_pm_cnt_ops = {
    .read = acpi_pm_cnt_read,
    .write = acpi_pm_cnt_write,
    .valid = {1, 2, false},
    .impl = {2, 2, false},
};

/* ---- PM timer ----------------------------------------------------------------------- */

/* Nothing but the clock: many CPUs read it all the time, so it is read with no lock. */
static uint64_t acpi_pm_tmr_read(void *opaque, hwaddr addr, unsigned size)
{
    return acpi_pm_ticks(acpi_pm_now(opaque)) & 0xffffff;
}

static const MemoryRegionOps acpi_pm_tmr_ops = {
    .read = acpi_pm_tmr_read,
    .valid = {1, 4, false},
    .impl = {4, 4, false},
    .lock = MR_LOCK_NONE,
};

/* ---- general-purpose events ---------------------------------------------------------- */

static uint64_t acpi_gpe_read(void *opaque, hwaddr addr, unsigned size)
{
    ACPIPM *pm = opaque;

    return addr < pm->gpe_bytes ? pm->gpe_sts[addr] : pm->gpe_en[addr - pm->gpe_bytes];
}

static void acpi_gpe_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    ACPIPM *pm = opaque;

    if (addr < pm->gpe_bytes) {
        pm->gpe_sts[addr] &= (uint8_t)~value;
    } else {
        pm->gpe_en[addr - pm->gpe_bytes] = (uint8_t)value;
    }
    acpi_pm_update(pm);
}

static const MemoryRegionOps acpi_gpe_ops = {
    .read = acpi_gpe_read,
    .write = acpi_gpe_write,
    .valid = {1, 4, false},
    .impl = {1, 1, false},
};

/* ---- the chip's side ------------------------------------------------------------------ */

void acpi_pm_init(ACPIPM *pm, DeviceState *dev, unsigned gpe_bytes)
{
    Object *owner = OBJECT(dev);

    g_assert(gpe_bytes <= ACPI_GPE_MAX);
    pm->dev = dev;
    pm->gpe_bytes = gpe_bytes;
    pm->machine = qdev_get_machine(dev);
    pm->timer = device_timer_new(dev, CLOCK_VIRTUAL, acpi_pm_timer, pm);
    memory_region_init_io(&pm->evt_mr, owner, &acpi_pm_evt_ops, pm, "acpi-evt", 4);
    memory_region_init_io(&pm->cnt_mr, owner, &acpi_pm_cnt_ops, pm, "acpi-cnt", 2);
    memory_region_init_io(&pm->tmr_mr, owner, &acpi_pm_tmr_ops, pm, "acpi-tmr", 4);
    memory_region_init_io(&pm->gpe_mr, owner, &acpi_gpe_ops, pm, "acpi-gpe0", 2 * gpe_bytes);
}

void acpi_pm_reset(ACPIPM *pm)
{
    pm->pm1_sts = pm->pm1_en = pm->pm1_cnt = 0;
    for (unsigned i = 0; i < pm->gpe_bytes; i++) {
        pm->gpe_sts[i] = pm->gpe_en[i] = 0;
    }
    pm->overflow_ns = acpi_pm_next_overflow(acpi_pm_now(pm));
    acpi_pm_update(pm);
}

void acpi_pm_set_acpi_mode(ACPIPM *pm, bool on)
{
    if (on) {
        pm->pm1_cnt |= PM1_CNT_SCI_EN;
    } else {
        pm->pm1_cnt &= (uint16_t)~PM1_CNT_SCI_EN;
    }
    acpi_pm_update(pm);
}

void acpi_pm_raise_gpe(ACPIPM *pm, unsigned n)
{
    g_assert(n < pm->gpe_bytes * 8);
    device_lock(pm->dev);
    pm->gpe_sts[n / 8] |= (uint8_t)(1u << (n % 8));
    acpi_pm_update(pm);
    device_unlock(pm->dev);
}

void acpi_pm_power_button(ACPIPM *pm)
{
    device_lock(pm->dev);
    pm->pm1_sts |= PM1_PWRBTN;
    acpi_pm_update(pm);
    device_unlock(pm->dev);
}

int acpi_pm_sleep_type(const ACPIPM *pm, int state)
{
    return state == 3 ? pm->s3_type : state == 4 ? pm->s4_type : state == 5 ? pm->s5_type : -1;
}

void acpi_pm_wakeup(ACPIPM *pm, WakeupReason reason)
{
    device_lock(pm->dev);
    pm->pm1_sts |= PM1_WAK | (reason == WAKEUP_REASON_RTC        ? PM1_RTC
                              : reason == WAKEUP_REASON_PM_TIMER ? PM1_TMR
                                                                 : 0);
    acpi_pm_update(pm);
    device_unlock(pm->dev);
}

bool acpi_pm_wakes(const ACPIPM *pm, WakeupReason reason)
{
    return reason == WAKEUP_REASON_RTC        ? pm->pm1_en & PM1_RTC
           : reason == WAKEUP_REASON_PM_TIMER ? pm->pm1_en & PM1_TMR
                                              : true;
}
