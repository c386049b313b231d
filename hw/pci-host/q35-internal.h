/* SPDX-License-Identifier: MIT
 *
 * For this folder only.
 */
#ifndef HW_PCI_HOST_Q35_INTERNAL_H
#define HW_PCI_HOST_Q35_INTERNAL_H

#include "hw/core/machine.h"
#include "hw/pci-host/config-ports.h"
#include "hw/pci-host/pam.h"
#include "hw/pci-host/q35.h"
#include "hw/pci/pcie-host.h"

struct MCHState {
    PCIDevice parent_obj;

    /* properties */
    uint16_t ext_tseg_mbytes;
    bool smbase_smram;

    /* of the host bridge, before realize */
    PCIEHost *ecam; /* NULL: none to move */
    uint64_t below_4g_mem_size;

    PAM pam;
    MemoryRegion hole;         /* below what PCI has there, so that RAM does not show through */
    MemoryRegion smram_window; /* PCI (the VGA window) over RAM at a0000 */
    MemoryRegion smram_high_open, tseg_closed, smbase_closed;  /* in the system's memory */
    MemoryRegion smram_low, smram_high, tseg, smbase; /* in what a CPU in SMM sees */
    uint8_t pam_regs[PAM_REGS];                       /* in force */
};

struct Q35Host {
    SysBusDevice parent_obj;
    PCIConfigPorts ports;
    PCIEHost ecam;
    PCIBus *bus;
    MCHState *mch;
    MemoryRegion *pci_memory;
    uint64_t below_4g_mem_size, above_4g_mem_size;
    uint64_t pci_hole64_size;
};

#endif
