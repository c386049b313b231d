/* SPDX-License-Identifier: MIT
 *
 * The I/O APIC (82093AA; ICH-style EOI register from version 20h).  A sysbus
 * device: region 0 is its 4 KiB page, unnamed gpio inputs 0-23 its pins.
 * Property "version" (0x11 or 0x20), "id" (initial APIC ID).
 */
#ifndef HW_INTC_IOAPIC_H
#define HW_INTC_IOAPIC_H

#include "hw/core/qdev.h"
#include "hw/intc/apic-bus.h"

#define TYPE_IOAPIC            "ioapic"
#define IOAPIC_NUM_PINS        24
#define IOAPIC_DEFAULT_ADDRESS 0xfec00000u

OBJECT_DECLARE_SIMPLE(IOAPICState, IOAPIC, TYPE_IOAPIC)

/*
 * Told of every change of a redirection entry, in the form of the MSI that it
 * sends, under the irq lock: for an accelerator whose local APICs must know which vectors are
 * level-triggered here.  Called at once for all pins.  NULL: no more.
 */
typedef void (*IOAPICRouteHandler)(void *opaque, int pin, uint64_t address, uint32_t data,
                                   bool masked);
void ioapic_set_route_handler(IOAPICState *ioapic, IOAPICRouteHandler fn, void *opaque);

#endif
