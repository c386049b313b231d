/* SPDX-License-Identifier: MIT
 *
 * pvpanic: one byte by which a guest says that it panicked (the "PVPANIC device" page of
 * QEMU's specifications).  Reading tells which events the device takes.
 */
#ifndef HW_MISC_PVPANIC_H
#define HW_MISC_PVPANIC_H

#include "hw/core/machine.h"

#define TYPE_PVPANIC_ISA "pvpanic"
#define TYPE_PVPANIC_PCI "pvpanic-pci"

#define PVPANIC_PANICKED     0x1
#define PVPANIC_CRASH_LOADED 0x2
#define PVPANIC_EVENTS       (PVPANIC_PANICKED | PVPANIC_CRASH_LOADED)

typedef struct PVPanic {
    MachineState *machine;
    uint8_t events; /* that it takes: PVPANIC_* */
    MemoryRegion region;
} PVPanic;

/* In realize of the device around it. */
void pvpanic_init(PVPanic *s, DeviceState *dev, uint64_t size);

#endif
