/* SPDX-License-Identifier: MIT
 *
 * `info pci`: the devices of a machine for people.
 */
#include "hw/pci/pci-internal.h"

static const struct {
    uint16_t class_id;
    const char *name;
} pci_class_names[] = {
    {PCI_CLASS_STORAGE_SCSI,     "SCSI controller"    },
    {PCI_CLASS_STORAGE_IDE,      "IDE controller"     },
    {PCI_CLASS_STORAGE_SATA,     "SATA controller"    },
    {PCI_CLASS_STORAGE_EXPRESS,  "NVMe controller"    },
    {PCI_CLASS_NETWORK_ETHERNET, "Ethernet controller"},
    {PCI_CLASS_DISPLAY_VGA,      "VGA controller"     },
    {PCI_CLASS_DISPLAY_OTHER,    "Display controller" },
    {PCI_CLASS_BRIDGE_HOST,      "Host bridge"        },
    {PCI_CLASS_BRIDGE_ISA,       "ISA bridge"         },
    {PCI_CLASS_BRIDGE_PCI,       "PCI bridge"         },
    {PCI_CLASS_BRIDGE_OTHER,     "Bridge"             },
    {PCI_CLASS_SERIAL_USB,       "USB controller"     },
    {PCI_CLASS_SERIAL_SMBUS,     "SMBus"              },
};

static void pci_print_class(uint16_t class_id, GString *out)
{
    for (size_t i = 0; i < G_N_ELEMENTS(pci_class_names); i++) {
        if (pci_class_names[i].class_id == class_id) {
            g_string_append(out, pci_class_names[i].name);
            return;
        }
    }
    g_string_append_printf(out, "Class %04x", class_id);
}

static void pci_print_region(const PCIDevice *dev, int n, GString *out)
{
    const PCIIORegion *r = &dev->io_regions[n];
    bool io = r->type & PCI_BASE_ADDRESS_SPACE_IO;

    if (!r->size) {
        return;
    }
    if (io) {
        uint32_t base = pci_get_long(dev->config + pci_bar_offset(dev, n)) & ~3u;

        g_string_append_printf(out, "      BAR%d: I/O at 0x%04x [0x%04x].\n", n, base,
                               base + (uint32_t)r->size - 1);
        return;
    }
    g_string_append_printf(out,
                           "      BAR%d: %s%s memory at 0x%08" G_GINT64_MODIFIER
                           "x, 0x%" G_GINT64_MODIFIER "x bytes%s.\n",
                           n, r->type & PCI_BASE_ADDRESS_MEM_TYPE_64 ? "64 bit" : "32 bit",
                           r->type & PCI_BASE_ADDRESS_MEM_PREFETCH ? " prefetchable" : "",
                           r->addr == PCI_BAR_UNMAPPED ? 0 : r->addr, r->size,
                           r->addr == PCI_BAR_UNMAPPED ? ", disabled" : "");
}

static void pci_print_device(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    GString *out = opaque;
    const char *id = dev->parent_obj.id;

    g_string_append_printf(out, "  Bus %2d, device %3d, function %d:\n    ", pci_bus_num(bus),
                           PCI_DEVFN_SLOT(dev->devfn), PCI_DEVFN_FUNC(dev->devfn));
    pci_print_class(pci_get_word(dev->config + PCI_CLASS_DEVICE), out);
    g_string_append_printf(out, ": PCI device %04x:%04x\n", pci_get_word(dev->config),
                           pci_get_word(dev->config + PCI_DEVICE_ID));
    g_string_append_printf(out, "      PCI subsystem %04x:%04x\n",
                           pci_get_word(dev->config + PCI_SUBSYSTEM_VENDOR_ID),
                           pci_get_word(dev->config + PCI_SUBSYSTEM_ID));
    if (dev->config[PCI_INTERRUPT_PIN]) {
        g_string_append_printf(out, "      IRQ %d, pin %c\n", dev->config[PCI_INTERRUPT_LINE],
                               'A' + dev->config[PCI_INTERRUPT_PIN] - 1);
    }
    for (int n = 0; n < PCI_NUM_REGIONS; n++) {
        pci_print_region(dev, n, out);
    }
    g_string_append_printf(out, "      id \"%s\"\n", id ? id : "");
}

void pci_bus_print(PCIBus *root, GString *out)
{
    pci_for_each_device(root, pci_print_device, out);
}

static bool pci_print_root(Object *obj, const char *name, void *opaque)
{
    if (object_dynamic_cast(obj, TYPE_PCI_BUS) && !PCI_BUS(obj)->parent_dev) {
        pci_bus_print(PCI_BUS(obj), opaque);
    }
    return false;
}

void pci_machine_print(MachineState *machine, GString *out)
{
    object_child_foreach_recursive((Object *)machine, pci_print_root, out);
}
