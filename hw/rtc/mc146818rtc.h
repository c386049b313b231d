/* SPDX-License-Identifier: MIT
 *
 * The MC146818 real-time clock and its CMOS memory at ports 70h-71h.
 * Properties: "base_year", "lost_tick_policy" (discard, slew), "iobase", "irq", "base"
 * ("utc", "localtime" or "2006-06-17T16:01:21"), "clock" (host, rt, vm).
 */
#ifndef HW_RTC_MC146818RTC_H
#define HW_RTC_MC146818RTC_H

#include "hw/isa/isa.h"

#define TYPE_MC146818_RTC "mc146818rtc"
OBJECT_DECLARE_SIMPLE(RTCState, MC146818_RTC, TYPE_MC146818_RTC)

/* Output goes to `intercept` (referenced) if not NULL, else to ISA line 8. */
RTCState *mc146818_rtc_create(ISABus *bus, int base_year, IRQ intercept, GError **error);
/* CMOS bytes as firmware reads them (memory size, boot order); addr 0-127.  Kept over reset. */
void mc146818_rtc_set_cmos(RTCState *rtc, int addr, uint8_t value);
uint8_t mc146818_rtc_get_cmos(RTCState *rtc, int addr);
/* Named output, for the chipset's NMI gate: bit 7 of the last write to port 70h. */
#define RTC_NMI_MASK "nmi-mask"

#endif
