/* SPDX-License-Identifier: MIT
 *
 * The watchdog of an ICH9 ("total cost of ownership" registers), embedded by its power management.
 */
#ifndef HW_ACPI_ICH9_TCO_H
#define HW_ACPI_ICH9_TCO_H

#include "hw/core/qdev.h"
#include "system/memory/memory.h"

#define ICH9_TCO_PORTS 32

typedef struct ICH9TCO {
    MemoryRegion mr; /* ICH9_TCO_PORTS ports */
    DeviceState *dev;
    Timer *timer;
    /*
     * The chip's side.  smi: some status bit asks for one; second_timeout: nobody reloaded the
     * timer in two periods.  Device lock held.
     */
    void (*smi)(void *opaque);
    void (*second_timeout)(void *opaque);
    void *opaque;

    uint16_t sts1, sts2, cnt1, cnt2, tmr;
    uint8_t dat_in, dat_out, message[2], wdcnt, sw_irq_gen;
    uint8_t timeouts;  /* since the last reload */
    bool running;
    int64_t expire_ns; /* of the running period */
    uint16_t frozen;   /* ticks that were left when it was halted */
} ICH9TCO;

#define ICH9_TCO_STATE_FIELDS(S, f)                                                                \
    STATE_FIELD(S, f.sts1), STATE_FIELD(S, f.sts2), STATE_FIELD(S, f.cnt1),                        \
        STATE_FIELD(S, f.cnt2), STATE_FIELD(S, f.tmr), STATE_FIELD(S, f.dat_in),                   \
        STATE_FIELD(S, f.dat_out), STATE_FIELD(S, f.message), STATE_FIELD(S, f.wdcnt),             \
        STATE_FIELD(S, f.sw_irq_gen), STATE_FIELD(S, f.timeouts), STATE_FIELD(S, f.running),       \
        STATE_FIELD(S, f.expire_ns), STATE_FIELD(S, f.frozen)

/* In realize, with the callbacks filled in. */
void ich9_tco_init(ICH9TCO *tco, DeviceState *dev);
void ich9_tco_reset(ICH9TCO *tco);
/* TCO1_CNT has been locked, and with it TCO_EN of SMI_EN. */
bool ich9_tco_locked(const ICH9TCO *tco);
/* The machine restarts because of the watchdog: BOOT_STS. */
void ich9_tco_set_boot_status(ICH9TCO *tco);

#endif
