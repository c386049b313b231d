/* SPDX-License-Identifier: MIT
 *
 * Ports of PCI Express and the slots behind them.
 * PCI Express Base Specification 4.0, 6.7 (hot-plug), 7.5.3.9-11 (slot registers).
 */
#ifndef HW_PCI_BRIDGE_PCIE_SLOT_H
#define HW_PCI_BRIDGE_PCIE_SLOT_H

#include "hw/pci/pci-bridge.h"
#include "hw/pci/pcie.h"

/* Abstract: any port. */
#define TYPE_PCIE_PORT "pcie-port"
OBJECT_DECLARE_SIMPLE(PCIEPort, PCIE_PORT, TYPE_PCIE_PORT)

struct PCIEPort {
    PCIBridge parent_obj;
    uint8_t port;         /* in Link Capabilities */
    uint16_t aer_log_max; /* taken and not used: one header is kept */
};

/* Abstract: a port with a slot, that is one that looks down. */
#define TYPE_PCIE_SLOT "pcie-slot"
OBJECT_DECLARE_SIMPLE(PCIESlot, PCIE_SLOT, TYPE_PCIE_SLOT)

struct PCIESlot {
    PCIEPort parent_obj;
    uint8_t chassis;
    uint16_t slot;
    bool hotplug, native_hotplug, power_controller, disable_acs;
    bool hotplug_interrupt; /* an enabled event is pending */
};

/*
 * After pci_bridge_init() and the capability: slot registers, hot-plug of the secondary bus,
 * chassis and slot checked to be this one's only.
 */
bool pcie_slot_init(PCIDevice *dev, GError **error);
/* PCIDeviceClass of slots: */
void pcie_slot_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len);
void pcie_slot_reset(PCIDevice *dev);
void pcie_slot_bus_changed(PCIDevice *dev, bool came);
void pcie_slot_update_interrupt(PCIDevice *dev);

#endif
