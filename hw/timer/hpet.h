/* SPDX-License-Identifier: MIT
 *
 * IA-PC HPET.  A sysbus device: region 0 at fed00000h, sysbus interrupt outputs
 * 0-31 are the I/O APIC's pins; unnamed gpio inputs 0 and 1 take the 8254's
 * and the RTC's output and pass them to outputs 0 (pin 2 for the 8254, wired by the
 * machine's GSI handler) and 8 unless legacy replacement is on; unnamed gpio output 0
 * enables the 8254 (its gpio input 0).
 * Properties: "timers" (3-24), "msi" (bool), "hpet-intcap" (mask of pins).
 */
#ifndef HW_TIMER_HPET_H
#define HW_TIMER_HPET_H

#include "hw/core/qdev.h"

#define TYPE_HPET           "hpet"
#define HPET_BASE           0xfed00000u
#define HPET_NUM_OUTPUTS    32
#define HPET_CLK_PERIOD_NS  10
#define HPET_LEGACY_PIT_INT 0
#define HPET_LEGACY_RTC_INT 1

#endif
