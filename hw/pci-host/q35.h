/* SPDX-License-Identifier: MIT
 *
 * The memory controller hub of a q35 machine and its host bridge.
 */
#ifndef HW_PCI_HOST_Q35_H
#define HW_PCI_HOST_Q35_H

#include "hw/pci/pci.h"

typedef struct MachineState MachineState;

#define TYPE_Q35_PCI_HOST_BRIDGE "q35-pcihost"
OBJECT_DECLARE_SIMPLE(Q35Host, Q35_PCI_HOST_BRIDGE, TYPE_Q35_PCI_HOST_BRIDGE)
#define TYPE_MCH_PCI_DEVICE "mch"
OBJECT_DECLARE_SIMPLE(MCHState, MCH_PCI_DEVICE, TYPE_MCH_PCI_DEVICE)

#define MCH_PCIEXBAR         0x60
#define MCH_PCIEXBAR_DEFAULT 0xb0000000u
#define MCH_PAM              0x90
#define MCH_SMRAM            0x9d
#define MCH_ESMRAMC          0x9e

/*
 * Make the bridge ("q35" of the machine), its bus "pcie.0" and the MCH at 0.0; NULL and error.
 * `pci_memory` and RAM as for i440fx_init(); SMRAM is added to machine->smram if that is there.
 */
Q35Host *q35_host_init(MachineState *machine, MemoryRegion *pci_memory, uint64_t below_4g_mem_size,
                       uint64_t above_4g_mem_size, GError **error);
PCIBus *q35_host_bus(Q35Host *host);

/* Configuration space in memory, as PCIEXBAR has it now; size 0: off. */
void q35_host_mmcfg(Q35Host *host, uint64_t *ret_base, uint64_t *ret_size);
uint64_t q35_host_hole64_size(Q35Host *host);

/* With no firmware: c0000-fffff is RAM, and PCIEXBAR is on at `mmcfg` for all buses; 0: off. */
void q35_host_act_as_firmware(Q35Host *host, uint32_t mmcfg);

#endif
