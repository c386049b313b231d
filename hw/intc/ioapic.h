/* SPDX-License-Identifier: MIT
 *
 * The I/O APIC (82093AA; ICH-style EOI register from version 20h).  A sysbus
 * device: region 0 is its 4 KiB page, unnamed gpio inputs 0-23 its pins.
 * Property "version" (0x11 or 0x20), "id" (initial APIC ID).
 */
#ifndef HW_INTC_IOAPIC_H
#define HW_INTC_IOAPIC_H

#include "hw/core/qdev.h"

#define TYPE_IOAPIC            "ioapic"
#define IOAPIC_NUM_PINS        24
#define IOAPIC_DEFAULT_ADDRESS 0xfec00000u

#endif
