/* SPDX-License-Identifier: MIT
 *
 * The fixed hardware of ACPI (ACPI 6.4, 4.8), embedded by whatever chip provides it:
 * PM1 event and control, the PM timer, and one general-purpose event block.
 */
#ifndef HW_ACPI_ACPI_PM_H
#define HW_ACPI_ACPI_PM_H

#include "hw/core/machine.h"
#include "hw/core/qdev.h"
#include "system/loop/event-loop.h"
#include "system/memory/memory.h"

#define ACPI_PM_TIMER_HZ 3579545
#define ACPI_GPE_MAX     8 /* bytes of status, and as many enable */

typedef struct ACPIPM {
    DeviceState *dev;
    MachineState *machine;
    MemoryRegion evt_mr, cnt_mr, tmr_mr, gpe_mr;
    Timer *timer;
    IRQ sci;
    /* Value of SLP_TYP to state; -1: not offered. */
    int s3_type, s4_type, s5_type;
    uint16_t pm1_sts, pm1_en, pm1_cnt;
    unsigned gpe_bytes; /* of status */
    uint8_t gpe_sts[ACPI_GPE_MAX], gpe_en[ACPI_GPE_MAX];
    uint16_t io_base; /* of the PM block, as the chip is programmed; 0: not yet */
    int64_t overflow_ns; /* when the timer's top bit next changes and sets TMR_STS */
} ACPIPM;

#define ACPI_PM_STATE_FIELDS(S, f)                                                                 \
    STATE_FIELD(S, f.pm1_sts), STATE_FIELD(S, f.pm1_en), STATE_FIELD(S, f.pm1_cnt),                \
        STATE_FIELD(S, f.gpe_sts), STATE_FIELD(S, f.gpe_en), STATE_FIELD(S, f.overflow_ns)

/* In realize.  The caller maps the four regions (4, 2, 4 and 2 * gpe_bytes ports). */
void acpi_pm_init(ACPIPM *pm, DeviceState *dev, unsigned gpe_bytes);
void acpi_pm_reset(ACPIPM *pm);
/* SCI_EN, on the firmware's request through the SMI command port. */
void acpi_pm_set_acpi_mode(ACPIPM *pm, bool on);
void acpi_pm_raise_gpe(ACPIPM *pm, unsigned n);
void acpi_pm_power_button(ACPIPM *pm);
/* After the reset that a wake-up begins with: WAK_STS and why. */
void acpi_pm_wakeup(ACPIPM *pm, WakeupReason reason);
/* Whether the guest has asked to be woken by this. */
bool acpi_pm_wakes(const ACPIPM *pm, WakeupReason reason);
/* SLP_TYP of S3, S4 and S5 for the DSDT; -1: the state is not offered. */
int acpi_pm_sleep_type(const ACPIPM *pm, int state);
/* PM timer ticks at a virtual time; 24 bits of it are visible. */
uint64_t acpi_pm_ticks(int64_t ns);

#endif
