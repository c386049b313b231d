/* SPDX-License-Identifier: MIT
 *
 * PCI hot-plug through ACPI: the registers by which the DSDT's methods learn what came and what
 * is to go ("QEMU<->ACPI BIOS PCI hotplug interface").  Embedded by the chip that has the
 * ACPI events; GPE 1 announces.  Big lock held throughout.
 */
#ifndef HW_ACPI_PCI_HOTPLUG_H
#define HW_ACPI_PCI_HOTPLUG_H

#include "hw/core/hotplug.h"
#include "hw/pci/pci.h"

#define ACPI_PCI_HOTPLUG_GPE       1u
#define ACPI_PCI_HOTPLUG_SIZE      0x18u
#define ACPI_PCI_HOTPLUG_PIIX_BASE 0xae00u
#define ACPI_PCI_HOTPLUG_ICH9_BASE 0x0cc0u
#define ACPI_PCI_HOTPLUG_BUSES     256

typedef struct ACPIPCIHotplug {
    DeviceState *dev; /* NULL: there is no hot-plug */
    PCIBus *root;
    bool root_hotplug, bridge_hotplug;
    uint16_t base; /* of the ports */
    MemoryRegion mr;
    void (*raise_gpe)(void *opaque, unsigned n);
    void *opaque;
    uint32_t select;
    /* Of buses by their number in the DSDT (BSEL), which is not the bus number. */
    unsigned nr_buses;
    PCIBus *buses[ACPI_PCI_HOTPLUG_BUSES];
    uint32_t up[ACPI_PCI_HOTPLUG_BUSES], down[ACPI_PCI_HOTPLUG_BUSES]; /* one bit a slot */
} ACPIPCIHotplug;

#define ACPI_PCI_HOTPLUG_STATE_FIELDS(S, f)                                                        \
    STATE_FIELD(S, f.select), STATE_FIELD(S, f.up), STATE_FIELD(S, f.down)

/*
 * In the chip's realize, before other devices come: the ports, and the handling of `root`
 * (if root_hotplug) and of the buses of bridges that are there at the start (if bridge_hotplug).
 * raise_gpe is called under the chip's lock.
 */
void acpi_pci_hotplug_init(ACPIPCIHotplug *s, DeviceState *dev, PCIBus *root, MemoryRegion *io,
                           uint16_t base, bool root_hotplug, bool bridge_hotplug,
                           void (*raise_gpe)(void *opaque, unsigned n), void *opaque);
/* In its reset_exit: what the guest was asked to give up goes now. */
void acpi_pci_hotplug_reset(ACPIPCIHotplug *s);
/* Once the machine is complete, before the tables are written: number the buses. */
void acpi_pci_hotplug_number_buses(ACPIPCIHotplug *s);
/* The number of a bus; -1: it has none. */
int acpi_pci_hotplug_bus_number(const ACPIPCIHotplug *s, const PCIBus *bus);
/* Slots of a bus that can be emptied or filled: not those with what stays. */
uint32_t acpi_pci_hotplug_removable(const PCIBus *bus);

#endif
