/* SPDX-License-Identifier: MIT
 *
 * The DMI-to-PCI bridge of the Intel ICH9 (data sheet 316972, 11): it decodes subtractively, so
 * what nobody else claims is for its secondary bus.
 *
 *   50 subsystem
 */
#include "hw/pci/pci-bridge.h"

#define PCI_DEVICE_ID_INTEL_82801BA_11 0x244e
#define ICH9_D2P_A2_REVISION           0x92
#define ICH9_D2P_SSVID_OFFSET          0x50

static bool i82801b11_realize(PCIDevice *dev, GError **error)
{
    return pci_bridge_init(dev, TYPE_PCI_BUS, error) &&
           pci_bridge_ssvid_init(dev, ICH9_D2P_SSVID_OFFSET, 0, 0, error);
}

static const StateField i82801b11_state[] = {
    PCI_BRIDGE_STATE_FIELDS(PCIBridge),
    STATE_END,
};

static void i82801b11_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = i82801b11_realize;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = PCI_DEVICE_ID_INTEL_82801BA_11;
    pc->revision = ICH9_D2P_A2_REVISION;
    pc->prog_if = 1; /* subtractive decode */
    DEVICE_CLASS(klass)->state = i82801b11_state;
}

static const TypeInfo i82801b11_types[] = {
    {
     .name = "i82801b11-bridge",
     .parent = TYPE_PCI_BRIDGE,
     .instance_size = sizeof(PCIBridge),
     .class_init = i82801b11_class_init,
     .doc = "DMI-to-PCI bridge of the ICH9",
     },
};

DEFINE_TYPES(i82801b11_types)
