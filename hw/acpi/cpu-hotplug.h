/* SPDX-License-Identifier: MIT
 *
 * The registers through which firmware's AML and a machine agree on CPUs that come and go
 * ("QEMU<->ACPI BIOS CPU hotplug interface"), at ports of whatever chip has the ACPI events.
 * Embedded by the machine; GPE 2 announces.
 */
#ifndef HW_ACPI_CPU_HOTPLUG_H
#define HW_ACPI_CPU_HOTPLUG_H

#include "hw/core/machine.h"

#define ACPI_CPU_HOTPLUG_GPE       2u
#define ACPI_CPU_HOTPLUG_SIZE      32u /* ports of the legacy bitmap; 12 in the modern form */
#define ACPI_CPU_HOTPLUG_PIIX_BASE 0xaf00u
#define ACPI_CPU_HOTPLUG_ICH9_BASE 0x0cd8u

typedef struct ACPICPUEvents {
    bool inserting, removing;
    uint32_t ost_event, ost_status;
} ACPICPUEvents;

typedef struct ACPICPUHotplug {
    MachineState *machine;
    DeviceState *dev; /* whose lock guards this; NULL: there is no hot-plug */
    MemoryRegion mr;
    void (*raise_gpe)(void *opaque, unsigned n);
    void *opaque;
    BottomHalf *eject_bh;
    GArray *ejected; /* of unsigned: slots that the guest has let go of */
    ACPICPUEvents *events; /* by slot */
    bool modern;
    uint32_t selector;
    uint8_t command;
} ACPICPUHotplug;

/*
 * Once the slots are known.  `dev` is the chip; it is realized, and outlives this.  raise_gpe is
 * called in the main thread.
 */
void acpi_cpu_hotplug_init(ACPICPUHotplug *s, MachineState *machine, DeviceState *dev,
                           MemoryRegion *io, uint16_t base,
                           void (*raise_gpe)(void *opaque, unsigned n), void *opaque);
void acpi_cpu_hotplug_finish(ACPICPUHotplug *s);

/* A CPU has come: tell the guest. */
void acpi_cpu_hotplug_plugged(ACPICPUHotplug *s, CPUState *cpu);
/* Ask the guest to let go of one. */
bool acpi_cpu_hotplug_request_unplug(ACPICPUHotplug *s, CPUState *cpu, GError **error);

#endif
