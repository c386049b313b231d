/* SPDX-License-Identifier: MIT
 *
 * What firmware does, for machines that start a kernel with none: bus numbers, then addresses for
 * BARs and for the windows of bridges.  Each bus is planned from the inside out: what lies on it,
 * largest alignment first, gives the size and alignment of the window to it; then the plan is
 * placed from the root on.
 */
#include <string.h>
#include "hw/core/hotplug.h"
#include "hw/pci/pci-bridge.h"
#include "hw/pci/pci-internal.h"

/* Windows of bridges, and room kept behind those that devices can be added to. */
#define IO_GRANULE     0x1000u
#define MEM_GRANULE    0x100000u
#define HOTPLUG_IO     0x1000u
#define HOTPLUG_MEMORY 0x200000u
#define MAX_RESERVED   0x10000000u

typedef enum PCIResourceKind { RES_IO, RES_MEMORY, RES_PREFETCH, RES_KINDS } PCIResourceKind;

static const PCIBridgeWindow window_of[RES_KINDS] = {BRIDGE_IO, BRIDGE_MEMORY, BRIDGE_PREFETCH};

typedef struct PCIPlan PCIPlan;

/* A BAR, or a window to a bus that has a plan of its own. */
typedef struct PCIResource {
    PCIDevice *dev;
    int bar;
    PCIPlan *below; /* NULL: a BAR */
    uint64_t size, align;
} PCIResource;

struct PCIPlan {
    GArray *items[RES_KINDS]; /* of PCIResource */
};

static void plan_free(PCIPlan *plan)
{
    for (int kind = 0; kind < RES_KINDS; kind++) {
        for (guint i = 0; kind == RES_IO && i < plan->items[kind]->len; i++) {
            PCIResource *r = &g_array_index(plan->items[kind], PCIResource, i);

            if (r->below) {
                plan_free(r->below); /* every bridge has one item of each kind */
            }
        }
        g_array_unref(plan->items[kind]);
    }
    g_free(plan);
}

static gint compare(gconstpointer a, gconstpointer b)
{
    const PCIResource *ra = a, *rb = b;

    if (ra->align != rb->align) {
        return ra->align < rb->align ? 1 : -1;
    }
    if (ra->size != rb->size) {
        return ra->size < rb->size ? 1 : -1;
    }
    return ra->dev == rb->dev ? ra->bar - rb->bar : ra->dev->devfn - rb->dev->devfn;
}

/* ---- planning --------------------------------------------------------------------------- */

/* Where the items end, when the first begins at a multiple of the largest alignment. */
static uint64_t plan_size(const GArray *items)
{
    uint64_t end = 0;

    for (guint i = 0; i < items->len; i++) {
        const PCIResource *r = &g_array_index(items, PCIResource, i);

        end = ((end + r->align - 1) & ~(r->align - 1)) + r->size;
    }
    return end;
}

static void plan_bars(PCIPlan *plan, PCIDevice *dev)
{
    for (int n = 0; n < PCI_NUM_REGIONS; n++) {
        const PCIIORegion *region = &dev->io_regions[n];
        bool io = region->type & PCI_BASE_ADDRESS_SPACE_IO;
        bool prefetch = !io && (region->type & PCI_BASE_ADDRESS_MEM_PREFETCH);
        PCIResource r = {dev, n, NULL, region->size, region->size};

        if (region->size) {
            g_array_append_val(plan->items[io ? RES_IO : prefetch ? RES_PREFETCH : RES_MEMORY], r);
        }
    }
}

static PCIPlan *plan_bus(PCIBus *bus);

/* Below 4 GiB; the system finds a place above it for more. */
static uint64_t reserved(PCIDevice *bridge, PCIResourceKind kind)
{
    PCIReserve r = pci_bridge_get_reserve(bridge);
    uint64_t size = kind == RES_IO       ? r.io
                    : kind == RES_MEMORY ? r.memory
                                         : MAX(r.prefetch32, r.prefetch64);

    return size <= MAX_RESERVED ? size : 0;
}

static void plan_bridge(PCIPlan *plan, PCIDevice *dev)
{
    PCIBus *bus = PCI_BRIDGE(dev)->sec_bus;
    PCIPlan *below = plan_bus(bus);

    for (int kind = 0; kind < RES_KINDS; kind++) {
        uint64_t granule = kind == RES_IO ? IO_GRANULE : MEM_GRANULE;
        const GArray *items = below->items[kind];
        uint64_t least = reserved(dev, kind);
        PCIResource r = {dev, PCI_NUM_REGIONS + kind, below, plan_size(items), granule};

        if (!least && qbus_is_hotpluggable(&bus->parent_obj)) {
            least = kind == RES_IO ? HOTPLUG_IO : HOTPLUG_MEMORY;
        }
        r.size = MAX(r.size, least);
        r.size = (r.size + granule - 1) & ~(granule - 1);
        if (items->len) {
            r.align = MAX(granule, g_array_index(items, PCIResource, 0).align);
        }
        g_array_append_val(plan->items[kind], r);
    }
}

static PCIPlan *plan_bus(PCIBus *bus)
{
    PCIPlan *plan = g_new0(PCIPlan, 1);

    for (int kind = 0; kind < RES_KINDS; kind++) {
        plan->items[kind] = g_array_new(FALSE, FALSE, sizeof(PCIResource));
    }
    for (int devfn = 0; devfn < PCI_DEVFN_MAX; devfn++) {
        PCIDevice *dev = bus->devices[devfn];

        if (dev) {
            plan_bars(plan, dev);
        }
        if (dev && object_dynamic_cast(OBJECT(dev), TYPE_PCI_BRIDGE)) {
            plan_bridge(plan, dev);
        }
    }
    for (int kind = 0; kind < RES_KINDS; kind++) {
        g_array_sort(plan->items[kind], compare);
    }
    return plan;
}

/* ---- placing ------------------------------------------------------------------------------- */

static uint64_t place(GArray *items, PCIResourceKind kind, uint64_t base);

static void set_window(PCIDevice *dev, PCIResourceKind kind, uint64_t base, uint64_t size)
{
    uint64_t last = base + size - 1;
    uint8_t *config = dev->config;

    if (size == 0) { /* closed: base above limit */
        base = kind == RES_IO ? 0xf000 : 0xfff00000;
        last = 0;
    }
    if (window_of[kind] == BRIDGE_IO) {
        config[PCI_IO_BASE] = (uint8_t)(base >> 8 & 0xf0);
        config[PCI_IO_LIMIT] = (uint8_t)(last >> 8 & 0xf0);
    } else {
        bool prefetch = window_of[kind] == BRIDGE_PREFETCH;
        unsigned reg = prefetch ? PCI_PREF_MEMORY_BASE : PCI_MEMORY_BASE;
        uint16_t type = prefetch ? PCI_PREF_RANGE_TYPE_64 : 0;

        pci_set_word(config + reg, (uint16_t)((base >> 16 & 0xfff0) | type));
        pci_set_word(config + reg + 2, (uint16_t)((last >> 16 & 0xfff0) | type));
    }
}

static void place_one(PCIResource *r, PCIResourceKind kind, uint64_t addr)
{
    if (r->below) {
        set_window(r->dev, kind, addr, r->size);
        place(r->below->items[kind], kind, addr);
    } else {
        pci_set_long(r->dev->config + pci_bar_offset(r->dev, r->bar),
                     (uint32_t)addr | r->dev->io_regions[r->bar].type);
    }
}

static uint64_t place(GArray *items, PCIResourceKind kind, uint64_t base)
{
    for (guint i = 0; i < items->len; i++) {
        PCIResource *r = &g_array_index(items, PCIResource, i);

        base = (base + r->align - 1) & ~(r->align - 1);
        place_one(r, kind, base);
        base += r->size;
    }
    return base;
}

/* On the root bus both kinds of memory come from one window. */
static bool place_root(GArray *items, PCIResourceKind kind, uint64_t *base, uint64_t end,
                       GError **error)
{
    uint64_t last = *base;

    for (guint i = 0; i < items->len; i++) {
        PCIResource *r = &g_array_index(items, PCIResource, i);

        last = (last + r->align - 1) & ~(r->align - 1);
        if (last > end || r->size > end - last) {
            g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                        "no room for %s %d of %s (%" G_GUINT64_FORMAT " bytes) in the %s window",
                        r->below ? "window" : "BAR", r->bar % PCI_NUM_REGIONS,
                        object_get_typename(OBJECT(r->dev)), r->size,
                        kind == RES_IO ? "port" : "memory");
            return false;
        }
        last += r->size;
    }
    *base = place(items, kind, *base);
    return true;
}

/* ---- bus numbers and the rest --------------------------------------------------------------- */

static unsigned number_buses(PCIBus *bus, unsigned number, unsigned next)
{
    for (int devfn = 0; devfn < PCI_DEVFN_MAX; devfn++) {
        PCIDevice *dev = bus->devices[devfn];

        if (!dev || !object_dynamic_cast(OBJECT(dev), TYPE_PCI_BRIDGE) || next > 0xff) {
            continue;
        }
        dev->config[PCI_PRIMARY_BUS] = (uint8_t)number;
        dev->config[PCI_SECONDARY_BUS] = (uint8_t)next;
        uint32_t kept = MIN(pci_bridge_get_reserve(dev).buses, 0xffu);
        unsigned last = MIN(next + kept, 0xffu);
        next = MAX(number_buses(PCI_BRIDGE(dev)->sec_bus, next, next + 1), last + 1);
        dev->config[PCI_SUBORDINATE_BUS] = (uint8_t)(next - 1);
    }
    return next;
}

static void enable_device(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    const uint8_t *irq_line = opaque;
    int pin = dev->config[PCI_INTERRUPT_PIN] - 1;
    uint16_t command = pci_get_word(dev->config + PCI_COMMAND);
    int wire = pin >= 0 && pin < PCI_NUM_PINS ? pci_route_pin(dev, pin) : -1;

    if (wire >= 0) {
        dev->config[PCI_INTERRUPT_LINE] = irq_line[wire & 3];
    }
    command |= PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_SERR;
    if (PCI_DEVICE_GET_CLASS(dev)->setup) {
        PCI_DEVICE_GET_CLASS(dev)->setup(dev);
    }
    device_lock(&dev->parent_obj);
    PCI_DEVICE_GET_CLASS(dev)->config_write(dev, PCI_COMMAND, command, 2);
    device_unlock(&dev->parent_obj);
}

bool pci_assign_resources(PCIBus *root, uint64_t mem_base, uint64_t mem_end, uint32_t io_base,
                          uint32_t io_end, const uint8_t irq_line[4], GError **error)
{
    PCIPlan *plan = plan_bus(root);
    uint64_t io = io_base, mem = mem_base;
    GArray *memory = plan->items[RES_MEMORY], *prefetch = plan->items[RES_PREFETCH];
    bool ok;

    number_buses(root, root->bus_nr, root->bus_nr + 1u);
    ok = place_root(plan->items[RES_IO], RES_IO, &io, io_end, error) &&
         place_root(prefetch, RES_PREFETCH, &mem, mem_end, error) &&
         place_root(memory, RES_MEMORY, &mem, mem_end, error);
    plan_free(plan);
    if (ok) {
        pci_for_each_device(root, enable_device, (void *)irq_line);
    }
    return ok;
}
