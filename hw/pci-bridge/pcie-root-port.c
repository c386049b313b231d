/* SPDX-License-Identifier: MIT
 *
 * Root ports: a generic one, and that of the Intel 5520 (data sheet 321328, 21.12).
 *
 *                     subsystem   interrupt   express   then
 *   pcie-root-port    40          48 MSI-X    54        100 AER, 148 ACS; BAR 0: the MSI-X table
 *   ioh3420           40          60 MSI      90        100 AER
 */
#include <stdlib.h>
#include "hw/pci-bridge/pcie-slot.h"
#include "hw/pci/msix.h"

#define PCI_DEVICE_ID_REDHAT_PCIE_RP 0x000c
#define PCI_DEVICE_ID_INTEL_IOH3420  0x3420

#define TYPE_PCIE_ROOT_PORT_BASE "pcie-root-port-base"
#define TYPE_PCIE_ROOT_PORT      "pcie-root-port"
#define TYPE_IOH3420             "ioh3420"

typedef struct PCIERootPort {
    PCIESlot parent_obj;
    PCIReserve reserve;
    int speed, width; /* indices of link_speeds, link_widths */
} PCIERootPort;
#define PCIE_ROOT_PORT(obj) OBJECT_CHECK(PCIERootPort, obj, TYPE_PCIE_ROOT_PORT)

/* Capabilities are listed last first: subsystem, interrupt, express, as they are made. */
static bool root_port_init(PCIDevice *dev, GError **error)
{
    PCI_BRIDGE(dev)->closed_at_reset = true;
    dev->config[PCI_INTERRUPT_PIN] = 1;
    return pci_bridge_init(dev, TYPE_PCIE_BUS, error) &&
           pci_bridge_ssvid_init(dev, 0x40, PCI_DEVICE_GET_CLASS(dev)->vendor_id, 0, error);
}

static bool root_port_express_init(PCIDevice *dev, uint8_t offset, GError **error)
{
    if (!pcie_cap_init(dev, offset, PCI_EXP_TYPE_ROOT_PORT, PCIE_PORT(dev)->port, error)) {
        return false;
    }
    pcie_cap_arifwd_init(dev);
    pcie_cap_deverr_init(dev);
    pci_set_word(pcie_wmask(dev, PCI_EXP_RTCTL),
                 PCI_EXP_RTCTL_SECEE | PCI_EXP_RTCTL_SENFEE | PCI_EXP_RTCTL_SEFEE);
    return true;
}

/* ---- ioh3420 -------------------------------------------------------------------------- */

static bool ioh3420_realize(PCIDevice *dev, GError **error)
{
    return root_port_init(dev, error) && msi_init_32bit(dev, 0x60, 2, true, error) &&
           root_port_express_init(dev, 0x90, error) && pcie_slot_init(dev, error) &&
           pcie_aer_init(dev, 2, 0x100, error);
}

static void ioh3420_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = ioh3420_realize;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = PCI_DEVICE_ID_INTEL_IOH3420;
    pc->revision = 2;
}

/* ---- pcie-root-port -------------------------------------------------------------------- */

static const char *const link_speeds[] = {"2_5", "5", "8", "16", NULL};
static const EnumInfo link_speed_enum = {"PCIELinkSpeed", link_speeds};

static const char *const link_widths[] = {"1", "2", "4", "8", "12", "16", "32", NULL};
static const EnumInfo link_width_enum = {"PCIELinkWidth", link_widths};

static bool pcie_root_port_realize(PCIDevice *dev, GError **error)
{
    PCIERootPort *s = PCIE_ROOT_PORT(dev);
    unsigned lanes = (unsigned)atoi(link_widths[s->width]);

    if (!root_port_init(dev, error) || !msix_init_exclusive_bar(dev, 1, 0, error) ||
        !root_port_express_init(dev, 0x54, error)) {
        return false;
    }
    pcie_cap_link_init(dev, (unsigned)s->speed + 1, lanes);
    return pcie_slot_init(dev, error) && pcie_aer_init(dev, 2, 0x100, error) &&
           (s->parent_obj.disable_acs || pcie_acs_init(dev, 0, error)) &&
           pci_bridge_reserve_init(dev, &s->reserve, error);
}

static const Property pcie_root_port_properties[] = {
    DEFINE_PROP_ENUM("x-speed", PCIERootPort, speed, &link_speed_enum, 3, "GT/s of the link"),
    DEFINE_PROP_ENUM("x-width", PCIERootPort, width, &link_width_enum, 6, "lanes of the link"),
    DEFINE_PCI_RESERVE_PROPERTIES(PCIERootPort, reserve),
    DEFINE_PROP_END,
};

static void pcie_root_port_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = pcie_root_port_realize;
    pc->vendor_id = PCI_VENDOR_ID_REDHAT;
    pc->device_id = PCI_DEVICE_ID_REDHAT_PCIE_RP;
}

static const StateField root_port_state[] = {
    PCI_BRIDGE_STATE_FIELDS(PCIERootPort),
    STATE_FIELD(PCIERootPort, parent_obj.hotplug_interrupt),
    STATE_END,
};

static void root_port_class_init(ObjectClass *klass, const void *data)
{
    DEVICE_CLASS(klass)->state = root_port_state;
}

static const TypeInfo root_port_types[] = {
    {
     .name = TYPE_PCIE_ROOT_PORT_BASE,
     .parent = TYPE_PCIE_SLOT,
     .instance_size = sizeof(PCIERootPort),
     .abstract = true,
     .class_init = root_port_class_init,
     .doc = "A root port of PCI Express",
     },
    {
     .name = TYPE_PCIE_ROOT_PORT,
     .parent = TYPE_PCIE_ROOT_PORT_BASE,
     .instance_size = sizeof(PCIERootPort),
     .class_init = pcie_root_port_class_init,
     .properties = pcie_root_port_properties,
     .doc = "PCI Express root port with one slot",
     },
    {
     .name = TYPE_IOH3420,
     .parent = TYPE_PCIE_ROOT_PORT_BASE,
     .instance_size = sizeof(PCIERootPort),
     .class_init = ioh3420_class_init,
     .doc = "Root port of the Intel 5520 (IOH device id 3420)",
     },
};

DEFINE_TYPES(root_port_types)
