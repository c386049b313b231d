/* SPDX-License-Identifier: MIT
 *
 * Configuration mechanism #1, for every host bridge of a PC.
 */
#ifndef HW_PCI_HOST_CONFIG_PORTS_H
#define HW_PCI_HOST_CONFIG_PORTS_H

#include "hw/pci/pci.h"

typedef struct PCIConfigPorts {
    MemoryRegion address_mr, data_mr;
    PCIBus *bus;
    uint32_t address;
} PCIConfigPorts;

/* Regions of 4 ports each, for 0xcf8 and 0xcfc. */
void pci_config_ports_init(PCIConfigPorts *ports, Object *owner, PCIBus *bus);

#endif
