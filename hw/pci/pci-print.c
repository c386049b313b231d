/* SPDX-License-Identifier: MIT
 *
 * `info pci`: the devices of a machine for people.
 */
#include "hw/pci/pci-bridge.h"
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

const char *pci_class_name(uint16_t class_id)
{
    for (size_t i = 0; i < G_N_ELEMENTS(pci_class_names); i++) {
        if (pci_class_names[i].class_id == class_id) {
            return pci_class_names[i].name;
        }
    }
    return NULL;
}

/* A BAR that is not mapped is shown at the top of the address space, as clients know it. */
static void pci_print_region(const PCIDevice *dev, int n, GString *out)
{
    const PCIIORegion *r = &dev->io_regions[n];

    if (!r->size) {
        return;
    }
    if (r->type & PCI_BASE_ADDRESS_SPACE_IO) {
        g_string_append_printf(
            out, "      BAR%d: I/O at 0x%04" G_GINT64_MODIFIER "x [0x%04" G_GINT64_MODIFIER "x].\n",
            n, r->addr, r->addr + r->size - 1);
        return;
    }
    g_string_append_printf(out,
                           "      BAR%d: %s%s memory at 0x%08" G_GINT64_MODIFIER
                           "x [0x%08" G_GINT64_MODIFIER "x].\n",
                           n, r->type & PCI_BASE_ADDRESS_MEM_TYPE_64 ? "64 bit" : "32 bit",
                           r->type & PCI_BASE_ADDRESS_MEM_PREFETCH ? " prefetchable" : "", r->addr,
                           r->addr + r->size - 1);
}

static void pci_print_window(const PCIDevice *dev, PCIBridgeWindow window, const char *name,
                             int digits, GString *out)
{
    g_string_append_printf(
        out, "      %s range [0x%0*" G_GINT64_MODIFIER "x, 0x%0*" G_GINT64_MODIFIER "x]\n", name,
        digits, pci_bridge_window_base(dev, window), digits, pci_bridge_window_limit(dev, window));
}

static void pci_print_bridge(const PCIDevice *dev, GString *out)
{
    g_string_append_printf(out,
                           "      BUS %d.\n      secondary bus %d.\n"
                           "      subordinate bus %d.\n",
                           dev->config[PCI_PRIMARY_BUS], dev->config[PCI_SECONDARY_BUS],
                           dev->config[PCI_SUBORDINATE_BUS]);
    pci_print_window(dev, BRIDGE_IO, "IO", 4, out);
    pci_print_window(dev, BRIDGE_MEMORY, "memory", 8, out);
    pci_print_window(dev, BRIDGE_PREFETCH, "prefetchable memory", 8, out);
}

static void pci_print_device(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    GString *out = opaque;
    const char *id = dev->parent_obj.id;
    uint16_t class_id = pci_get_word(dev->config + PCI_CLASS_DEVICE);
    bool bridge = PCI_DEVICE_GET_CLASS(dev)->is_bridge;

    g_string_append_printf(out, "  Bus %2d, device %3d, function %d:\n    ", pci_bus_num(bus),
                           PCI_DEVFN_SLOT(dev->devfn), PCI_DEVFN_FUNC(dev->devfn));
    if (pci_class_name(class_id)) {
        g_string_append(out, pci_class_name(class_id));
    } else {
        g_string_append_printf(out, "Class %04d", class_id);
    }
    g_string_append_printf(out, ": PCI device %04x:%04x\n", pci_get_word(dev->config),
                           pci_get_word(dev->config + PCI_DEVICE_ID));
    if (!bridge) {
        g_string_append_printf(out, "      PCI subsystem %04x:%04x\n",
                               pci_get_word(dev->config + PCI_SUBSYSTEM_VENDOR_ID),
                               pci_get_word(dev->config + PCI_SUBSYSTEM_ID));
    }
    if (dev->config[PCI_INTERRUPT_PIN]) {
        g_string_append_printf(out, "      IRQ %d, pin %c\n", dev->config[PCI_INTERRUPT_LINE],
                               'A' + dev->config[PCI_INTERRUPT_PIN] - 1);
    }
    if (bridge) {
        pci_print_bridge(dev, out);
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

static void pci_print_root(PCIBus *root, void *opaque)
{
    pci_bus_print(root, opaque);
}

void pci_machine_print(MachineState *machine, GString *out)
{
    pci_for_each_root(machine, pci_print_root, out);
}

/* ---- roots --------------------------------------------------------------------------- */

typedef struct RootVisit {
    PCIRootVisitor fn;
    void *opaque;
} RootVisit;

static bool pci_visit_root(Object *obj, const char *name, void *opaque)
{
    RootVisit *visit = opaque;

    if (object_dynamic_cast(obj, TYPE_PCI_BUS) && pci_bus_is_root(PCI_BUS(obj))) {
        visit->fn(PCI_BUS(obj), visit->opaque);
    }
    return false;
}

void pci_for_each_root(MachineState *machine, PCIRootVisitor fn, void *opaque)
{
    RootVisit visit = {fn, opaque};

    object_child_foreach_recursive((Object *)machine, pci_visit_root, &visit);
}
