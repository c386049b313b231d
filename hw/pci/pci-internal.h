/* SPDX-License-Identifier: MIT
 *
 * For this folder only.
 */
#ifndef HW_PCI_PCI_INTERNAL_H
#define HW_PCI_PCI_INTERNAL_H

#include "hw/pci/pci.h"

static inline bool pci_range_covers(uint32_t addr, unsigned len, uint32_t first, uint32_t n)
{
    return addr < first + n && first < addr + len;
}

static inline uint32_t pci_config_size(const PCIDevice *dev)
{
    return PCI_DEVICE_GET_CLASS(dev)->is_express ? PCIE_CONFIG_SIZE : PCI_CONFIG_SIZE;
}

/* Offset of the register of region n. */
static inline uint32_t pci_bar_offset(const PCIDevice *dev, int n)
{
    if (n != PCI_ROM_SLOT) {
        return PCI_BASE_ADDRESS_0 + 4 * (uint32_t)n;
    }
    return PCI_DEVICE_GET_CLASS(dev)->is_bridge ? PCI_ROM_ADDRESS1 : PCI_ROM_ADDRESS;
}

/* pci-config.c */
void pci_config_init(PCIDevice *dev);
void pci_config_reset(PCIDevice *dev, ResetType type);
/* Map and unmap regions as COMMAND and the BARs now say. */
void pci_update_mappings(PCIDevice *dev);
void pci_unmap_all(PCIDevice *dev);
/* pci-irq.c */
void pci_irq_update(PCIDevice *dev);
/* Wire of the root bus that a pin ends at; -1: nowhere. */
int pci_route_pin(PCIDevice *dev, int pin);
/* pci-msi.c */
void msi_reset(PCIDevice *dev);
void msi_write_config(PCIDevice *dev, uint32_t addr, unsigned len);
void msi_send_message(PCIDevice *dev, uint64_t addr, uint32_t data);
/* pci-msix.c */
void msix_reset(PCIDevice *dev);
void msix_write_config(PCIDevice *dev, uint32_t addr, unsigned len);
/* pcie.c */
void pcie_reset(PCIDevice *dev, ResetType type);
void pcie_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len);
/* pcie-aer.c */
void pcie_aer_reset(PCIDevice *dev);
void pcie_aer_write_config(PCIDevice *dev, uint32_t addr, unsigned len);
/* pci-pm.c */
bool pci_in_d3hot(const PCIDevice *dev);
/* Its slot's: a device without power is not on the bus, and is reset when power comes. */
void pci_set_power(PCIDevice *dev, bool on);
void pci_pm_reset(PCIDevice *dev);
void pci_pm_write_config(PCIDevice *dev, unsigned old_state, uint32_t addr, unsigned len);
/* pci-rom.c */
bool pci_add_option_rom(PCIDevice *dev, GError **error);

#endif
