/* SPDX-License-Identifier: MIT
 *
 * The enhanced configuration access mechanism, for host bridges of PCI Express.
 * PCI Express Base Specification 4.0, 7.2.2.
 */
#ifndef HW_PCI_PCIE_HOST_H
#define HW_PCI_PCIE_HOST_H

#include "hw/pci/pci.h"

#define PCIE_ECAM_BUS_SIZE (1u << 20) /* bytes a bus takes */

/* Embedded in the host bridge, whose device owns it. */
typedef struct PCIEHost {
    MemoryRegion mmio;
    MemoryRegion *container;
    PCIBus *bus;
    uint64_t base, size; /* size 0: closed */
} PCIEHost;

/* In realize: the window is made, closed. */
void pcie_host_init(PCIEHost *host, Object *owner, PCIBus *bus, MemoryRegion *container);
/* Open it at `base` for buses 0 .. size / 1 MiB - 1, or close it (size 0). */
void pcie_host_map(PCIEHost *host, hwaddr base, uint64_t size);

#endif
