/* SPDX-License-Identifier: MIT
 *
 * The 82441FX (PMC): host bridge of a pc (request M18).
 */
#ifndef HW_PCI_HOST_I440FX_H
#define HW_PCI_HOST_I440FX_H

#include "hw/pci/pci.h"

typedef struct MachineState MachineState;

#define TYPE_I440FX_PCI_HOST_BRIDGE "i440FX-pcihost"
OBJECT_DECLARE_SIMPLE(I440FXHost, I440FX_PCI_HOST_BRIDGE, TYPE_I440FX_PCI_HOST_BRIDGE)
#define TYPE_I440FX_PCI_DEVICE "i440FX"
OBJECT_DECLARE_SIMPLE(I440FXState, I440FX_PCI_DEVICE, TYPE_I440FX_PCI_DEVICE)

/*
 * M18: the bridge and its bus "pci.0".  `pci_memory` is a container of the whole
 * 64-bit space, in which BARs and ROMs (0xc0000-0xfffff) appear; it is put behind RAM at
 * priority -1 of machine->system_memory.  PAM and SMRAM act on RAM and pci_memory.
 */
PCIBus *i440fx_init(MachineState *machine, MemoryRegion *pci_memory, uint64_t below_4g_mem_size,
                    uint64_t above_4g_mem_size, GError **error);

/*
 * With no firmware: all of 0xc0000-0xfffff is RAM, as SeaBIOS leaves it (the machine calls this in
 * its reset, before it copies tables there).
 */
void i440fx_open_ram(PCIBus *bus);

#endif
