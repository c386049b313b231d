/* SPDX-License-Identifier: MIT
 *
 * Generic bridges to conventional PCI.
 *
 *                     from                       SHPC   slot id   MSI   PM   express
 *   pci-bridge        PCI                        40     48        4c
 *   pcie-pci-bridge   PCI Express, integrated    40               8c    84   48; 100 AER
 *
 * A pci-bridge without the hot-plug controller has the slot id at 40h, and no interrupt.
 */
#include "hw/pci-bridge/shpc.h"
#include "hw/pci/pcie.h"

#define PCI_DEVICE_ID_REDHAT_BRIDGE      0x0001
#define PCI_DEVICE_ID_REDHAT_PCIE_BRIDGE 0x000e

#define SLOTID_FIRST 0x20 /* first bridge of its chassis (bridge spec 1.2, 13) */

typedef struct PCIBridgeDev {
    SHPCBridge parent_obj;
    uint8_t chassis_nr;
    int msi; /* OnOffAuto */
    bool shpc;
    PCIReserve reserve;
} PCIBridgeDev;
#define TYPE_PCI_BRIDGE_DEV "pci-bridge"
#define PCI_BRIDGE_DEV(obj) OBJECT_CHECK(PCIBridgeDev, obj, TYPE_PCI_BRIDGE_DEV)

typedef struct PCIEPCIBridge {
    SHPCBridge parent_obj;
    int msi; /* OnOffAuto */
} PCIEPCIBridge;
#define TYPE_PCIE_PCI_BRIDGE "pcie-pci-bridge"
#define PCIE_PCI_BRIDGE(obj) OBJECT_CHECK(PCIEPCIBridge, obj, TYPE_PCIE_PCI_BRIDGE)

/* ---- pci-bridge -------------------------------------------------------------------------- */

static bool slotid_init(PCIDevice *dev, uint8_t chassis, GError **error)
{
    uint8_t offset = pci_add_capability(dev, PCI_CAP_ID_SLOTID, 0, 4, error);

    if (offset) {
        dev->config[offset + PCI_SID_ESR] = SLOTID_FIRST;
        dev->config[offset + PCI_SID_CHASSIS_NR] = chassis;
        dev->wmask[offset + PCI_SID_CHASSIS_NR] = 0xff;
    }
    return offset != 0;
}

static bool pci_bridge_dev_realize(PCIDevice *dev, GError **error)
{
    PCIBridgeDev *s = PCI_BRIDGE_DEV(dev);

    if (s->chassis_nr == 0) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "Bridge chassis not specified. Each bridge is required to be assigned a "
                    "unique chassis id > 0. (chassis_nr=N)");
        return false;
    }
    if (!pci_bridge_init(dev, TYPE_PCI_BUS, error) ||
        (s->shpc && !shpc_init(&s->parent_obj, error)) ||
        !slotid_init(dev, s->chassis_nr, error)) {
        return false;
    }
    if (s->msi == ON_OFF_AUTO_ON || (s->msi == ON_OFF_AUTO_AUTO && s->shpc)) {
        if (!msi_init(dev, 0, 1, true, error)) {
            return false;
        }
    }
    return pci_bridge_reserve_init(dev, &s->reserve, error);
}

static const Property pci_bridge_dev_properties[] = {
    DEFINE_PROP_UINT8("chassis_nr", PCIBridgeDev, chassis_nr, 0,
                      "number of the chassis behind the bridge, one of its own; 1 to 255"),
    DEFINE_PROP_ON_OFF_AUTO("msi", PCIBridgeDev, msi, ON_OFF_AUTO_AUTO, "has MSI"),
    DEFINE_PROP_BOOL("shpc", PCIBridgeDev, shpc, true,
                     "has a standard hot-plug controller, and an interrupt for it"),
    DEFINE_PCI_RESERVE_PROPERTIES(PCIBridgeDev, reserve),
    DEFINE_PROP_END,
};

static const StateField pci_bridge_dev_state[] = {
    SHPC_BRIDGE_STATE_FIELDS(PCIBridgeDev),
    STATE_END,
};

static void pci_bridge_dev_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = pci_bridge_dev_realize;
    pc->vendor_id = PCI_VENDOR_ID_REDHAT;
    pc->device_id = PCI_DEVICE_ID_REDHAT_BRIDGE;
    DEVICE_CLASS(klass)->state = pci_bridge_dev_state;
}

/* ---- pcie-pci-bridge ------------------------------------------------------------------------ */

static bool pcie_pci_bridge_realize(PCIDevice *dev, GError **error)
{
    PCIEPCIBridge *s = PCIE_PCI_BRIDGE(dev);

    if (!pci_bridge_init(dev, TYPE_PCI_BUS, error) || !shpc_init(&s->parent_obj, error) ||
        !pcie_cap_init(dev, 0x48, PCI_EXP_TYPE_PCI_BRIDGE, 0, error) ||
        !pci_pm_init(dev, 0x84, false, error) || !pcie_aer_init(dev, 2, 0x100, error)) {
        return false;
    }
    pcie_cap_arifwd_init(dev);
    pcie_cap_deverr_init(dev);
    return s->msi == ON_OFF_AUTO_OFF || msi_init(dev, 0x8c, 1, true, error);
}

static const Property pcie_pci_bridge_properties[] = {
    DEFINE_PROP_ON_OFF_AUTO("msi", PCIEPCIBridge, msi, ON_OFF_AUTO_AUTO, "has MSI"),
    DEFINE_PROP_END,
};

static const StateField pcie_pci_bridge_state[] = {
    SHPC_BRIDGE_STATE_FIELDS(PCIEPCIBridge),
    STATE_END,
};

static void pcie_pci_bridge_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = pcie_pci_bridge_realize;
    pc->vendor_id = PCI_VENDOR_ID_REDHAT;
    pc->device_id = PCI_DEVICE_ID_REDHAT_PCIE_BRIDGE;
    pc->is_express = true;
    DEVICE_CLASS(klass)->state = pcie_pci_bridge_state;
}

static const TypeInfo pci_bridge_dev_types[] = {
    {
     .name = TYPE_PCI_BRIDGE_DEV,
     .parent = TYPE_SHPC_BRIDGE,
     .instance_size = sizeof(PCIBridgeDev),
     .class_init = pci_bridge_dev_class_init,
     .properties = pci_bridge_dev_properties,
     .doc = "PCI-to-PCI bridge",
     },
    {
     .name = TYPE_PCIE_PCI_BRIDGE,
     .parent = TYPE_SHPC_BRIDGE,
     .instance_size = sizeof(PCIEPCIBridge),
     .class_init = pcie_pci_bridge_class_init,
     .properties = pcie_pci_bridge_properties,
     .doc = "PCI-Express-to-PCI bridge",
     },
};

DEFINE_TYPES(pci_bridge_dev_types)
