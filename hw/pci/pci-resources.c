/* SPDX-License-Identifier: MIT
 *
 * Resource assignment for machines that start a kernel with no firmware: largest
 * region first, so that natural alignment leaves no holes.
 */
#include "hw/pci/pci-internal.h"

typedef struct PCIResource {
    PCIDevice *dev;
    int bar;
} PCIResource;

typedef struct PCIWindow {
    uint64_t next, end;
    const char *name;
} PCIWindow;

static void pci_collect(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    GArray *list = opaque;

    for (int n = 0; n < PCI_NUM_REGIONS; n++) {
        PCIResource r = {dev, n};

        if (dev->io_regions[n].size) {
            g_array_append_val(list, r);
        }
    }
}

static gint pci_compare_size(gconstpointer a, gconstpointer b)
{
    const PCIResource *ra = a, *rb = b;
    uint64_t sa = ra->dev->io_regions[ra->bar].size, sb = rb->dev->io_regions[rb->bar].size;

    if (sa != sb) {
        return sa < sb ? 1 : -1;
    }
    return ra->dev == rb->dev ? ra->bar - rb->bar : ra->dev->devfn - rb->dev->devfn;
}

static bool pci_assign_one(PCIResource *r, PCIWindow *window, GError **error)
{
    PCIIORegion *region = &r->dev->io_regions[r->bar];
    uint64_t addr = (window->next + region->size - 1) & ~(region->size - 1);
    uint32_t reg = pci_bar_offset(r->dev, r->bar);

    if (addr < window->next || addr > window->end || region->size > window->end - addr) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "no room for BAR %d of %s (%" G_GUINT64_FORMAT " bytes) in the %s window",
                    r->bar, object_get_typename(OBJECT(r->dev)), region->size, window->name);
        return false;
    }
    window->next = addr + region->size;
    pci_set_long(r->dev->config + reg, (uint32_t)addr | region->type);
    return true;
}

static void pci_enable_device(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    const uint8_t *irq_line = opaque;
    int pin = dev->config[PCI_INTERRUPT_PIN] - 1;
    uint16_t command = pci_get_word(dev->config + PCI_COMMAND);

    if (pin >= 0 && pin < PCI_NUM_PINS && bus->map_irq) {
        dev->config[PCI_INTERRUPT_LINE] = irq_line[bus->map_irq(dev, pin) & 3];
    }
    pci_set_word(dev->config + PCI_COMMAND,
                 command | PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_SERR);
    if (PCI_DEVICE_GET_CLASS(dev)->setup) {
        PCI_DEVICE_GET_CLASS(dev)->setup(dev);
    }
    pci_update_mappings(dev);
}

bool pci_assign_resources(PCIBus *root, uint64_t mem_base, uint64_t mem_end, uint32_t io_base,
                          uint32_t io_end, const uint8_t irq_line[4], GError **error)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(PCIResource));
    PCIWindow mem = {mem_base, mem_end, "memory"}, io = {io_base, io_end, "port"};

    pci_for_each_device(root, pci_collect, list);
    g_array_sort(list, pci_compare_size);
    for (guint i = 0; i < list->len; i++) {
        PCIResource *r = &g_array_index(list, PCIResource, i);
        bool is_io = r->dev->io_regions[r->bar].type & PCI_BASE_ADDRESS_SPACE_IO;

        if (!pci_assign_one(r, is_io ? &io : &mem, error)) {
            return false;
        }
    }
    pci_for_each_device(root, pci_enable_device, (void *)irq_line);
    return true;
}
