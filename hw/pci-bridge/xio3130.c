/* SPDX-License-Identifier: MIT
 *
 * Switch ports of the Texas Instruments XIO3130 (data manual SLLS693).
 *
 *   70 MSI   80 subsystem   90 express   100 AER
 */
#include "hw/pci-bridge/pcie-slot.h"

#define PCI_VENDOR_ID_TI          0x104c
#define PCI_DEVICE_ID_TI_XIO3130U 0x8232
#define PCI_DEVICE_ID_TI_XIO3130D 0x8233

static bool xio3130_init(PCIDevice *dev, uint8_t type, GError **error)
{
    if (!pci_bridge_init(dev, TYPE_PCIE_BUS, error) || !msi_init(dev, 0x70, 1, false, error) ||
        !pci_bridge_ssvid_init(dev, 0x80, 0, 0, error) ||
        !pcie_cap_init(dev, 0x90, type, PCIE_PORT(dev)->port, error)) {
        return false;
    }
    pcie_cap_flr_init(dev);
    pcie_cap_deverr_init(dev);
    return true;
}

static bool x3130_upstream_realize(PCIDevice *dev, GError **error)
{
    return xio3130_init(dev, PCI_EXP_TYPE_UPSTREAM, error) && pcie_aer_init(dev, 2, 0x100, error);
}

static bool xio3130_downstream_realize(PCIDevice *dev, GError **error)
{
    if (!xio3130_init(dev, PCI_EXP_TYPE_DOWNSTREAM, error)) {
        return false;
    }
    pcie_cap_arifwd_init(dev);
    return pcie_slot_init(dev, error) && pcie_aer_init(dev, 2, 0x100, error);
}

static const StateField x3130_upstream_state[] = {
    PCI_BRIDGE_STATE_FIELDS(PCIEPort),
    STATE_END,
};

static void x3130_upstream_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = x3130_upstream_realize;
    pc->vendor_id = PCI_VENDOR_ID_TI;
    pc->device_id = PCI_DEVICE_ID_TI_XIO3130U;
    pc->revision = 2;
    DEVICE_CLASS(klass)->state = x3130_upstream_state;
}

static const StateField xio3130_downstream_state[] = {
    PCI_BRIDGE_STATE_FIELDS(PCIESlot),
    STATE_FIELD(PCIESlot, hotplug_interrupt),
    STATE_END,
};

static void xio3130_downstream_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = xio3130_downstream_realize;
    pc->vendor_id = PCI_VENDOR_ID_TI;
    pc->device_id = PCI_DEVICE_ID_TI_XIO3130D;
    pc->revision = 1;
    DEVICE_CLASS(klass)->state = xio3130_downstream_state;
}

static const TypeInfo xio3130_types[] = {
    {
     .name = "x3130-upstream",
     .parent = TYPE_PCIE_PORT,
     .instance_size = sizeof(PCIEPort),
     .class_init = x3130_upstream_class_init,
     .doc = "TI X3130 upstream port of a PCI Express switch",
     },
    {
     .name = "xio3130-downstream",
     .parent = TYPE_PCIE_SLOT,
     .instance_size = sizeof(PCIESlot),
     .class_init = xio3130_downstream_class_init,
     .doc = "TI X3130 downstream port of a PCI Express switch",
     },
};

DEFINE_TYPES(xio3130_types)
