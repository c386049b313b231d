/* SPDX-License-Identifier: MIT
 *
 * The base of PCI-to-PCI bridges.  PCI-to-PCI Bridge Architecture Specification 1.2.
 *
 *   18 primary, secondary, subordinate bus    1c I/O base, limit    1e secondary status
 *   20 memory base, limit   24 prefetchable base, limit   28, 2c their upper halves
 *   30 upper halves of I/O   38 ROM   3e bridge control
 *
 * A window is an alias of the secondary bus's space on the primary bus, there while COMMAND and the
 * registers say so: what is outside reaches nothing below.  Requests upstream are not gated by
 * the bridge's own bus master enable, which firmware leaves alone (docs/decisions.md).
 */
#include <string.h>
#include "hw/core/machine.h"
#include "hw/pci/pci-bridge.h"
#include "hw/pci/pci-internal.h"
#include "system/log.h"

#define BRIDGE_IO_SIZE       0x10000u
#define BRIDGE_MEM_SHIFT     20
#define BRIDGE_PREF_64BIT    1u
#define BRIDGE_SEC_STATUS    0x1e
#define BRIDGE_CTL_EXPRESS   0x005f
#define BRIDGE_CTL_PCI       0x0bff
#define BRIDGE_CTL_DISCARDED 0x0400
#define ISA_BLOCK            0x400u
#define ISA_BLOCK_OPEN       0x100u
#define VENDOR_CAP_RESERVE   1
#define VENDOR_CAP_SIZE      32

/* ---- what the registers say ----------------------------------------------------------- */

static uint64_t bridge_io(const PCIDevice *dev, unsigned reg)
{
    return (uint64_t)(dev->config[reg] & PCI_IO_RANGE_MASK & 0xf0) << 8;
}

static uint64_t bridge_mem(const PCIDevice *dev, unsigned reg)
{
    return (uint64_t)(pci_get_word(dev->config + reg) & 0xfff0) << 16;
}

static uint64_t bridge_pref(const PCIDevice *dev, unsigned reg, unsigned upper)
{
    return bridge_mem(dev, reg) | (uint64_t)pci_get_long(dev->config + upper) << 32;
}

uint64_t pci_bridge_window_base(const PCIDevice *dev, PCIBridgeWindow window)
{
    return window == BRIDGE_IO ? bridge_io(dev, PCI_IO_BASE)
           : window == BRIDGE_MEMORY
               ? bridge_mem(dev, PCI_MEMORY_BASE)
               : bridge_pref(dev, PCI_PREF_MEMORY_BASE, PCI_PREF_BASE_UPPER32);
}

uint64_t pci_bridge_window_limit(const PCIDevice *dev, PCIBridgeWindow window)
{
    return window == BRIDGE_IO ? bridge_io(dev, PCI_IO_LIMIT) | 0xfff
           : window == BRIDGE_MEMORY
               ? bridge_mem(dev, PCI_MEMORY_LIMIT) | 0xfffff
               : bridge_pref(dev, PCI_PREF_MEMORY_LIMIT, PCI_PREF_LIMIT_UPPER32) | 0xfffff;
}

static uint16_t bridge_control(const PCIDevice *dev)
{
    return pci_get_word(dev->config + PCI_BRIDGE_CONTROL);
}

/* ---- windows ------------------------------------------------------------------------------ */

static bool bridge_subtractive(const PCIDevice *dev)
{
    return PCI_DEVICE_GET_CLASS(dev)->prog_if == 1;
}

static void bridge_place(MemoryRegion *mr, bool enable, uint64_t base, uint64_t limit)
{
    memory_region_set_enabled(mr, false);
    if (enable && base <= limit) {
        memory_region_set_address(mr, base);
        memory_region_set_alias_offset(mr, base);
        memory_region_set_size(mr, limit - base + 1);
        memory_region_set_enabled(mr, true);
    }
}

static void bridge_free_isa_windows(PCIBridge *b)
{
    for (guint i = 0; b->isa_windows && i < b->isa_windows->len; i++) {
        MemoryRegion *mr = g_ptr_array_index(b->isa_windows, i);

        object_unparent(OBJECT(mr));
        vmm_call_rcu(g_free, mr);
    }
    g_clear_pointer(&b->isa_windows, g_ptr_array_unref);
}

/* ISA enable: of each KiB only the first 256 ports are forwarded (3.2.5.18). */
static void bridge_make_isa_windows(PCIBridge *b, uint64_t base, uint64_t limit)
{
    MemoryRegion *container = b->windows[BRIDGE_IO].container;

    b->isa_windows = g_ptr_array_new();
    for (uint64_t at = base; at <= limit; at += ISA_BLOCK) {
        MemoryRegion *mr = g_new0(MemoryRegion, 1);

        memory_region_init_alias(mr, OBJECT(b), "pci-bridge-isa", &b->io, at, ISA_BLOCK_OPEN);
        memory_region_add_subregion_overlap(container, at, mr, 1);
        g_ptr_array_add(b->isa_windows, mr);
    }
}

static void bridge_update_io(PCIBridge *b, bool enable)
{
    const PCIDevice *dev = &b->parent_obj;
    uint64_t base = pci_bridge_window_base(dev, BRIDGE_IO);
    uint64_t limit = pci_bridge_window_limit(dev, BRIDGE_IO);
    bool isa = bridge_control(dev) & PCI_BRIDGE_CTL_ISA;

    bridge_free_isa_windows(b);
    bridge_place(&b->windows[BRIDGE_IO], enable && !isa, base, limit);
    if (enable && isa && base <= limit) {
        bridge_make_isa_windows(b, base, limit);
    }
}

static void bridge_update_windows(PCIBridge *b)
{
    const PCIDevice *dev = &b->parent_obj;
    uint16_t command = pci_get_word(dev->config + PCI_COMMAND);
    bool memory = (command & PCI_COMMAND_MEMORY) && !dev->powered_off;
    bool io = (command & PCI_COMMAND_IO) && !dev->powered_off;
    bool vga = bridge_control(dev) & PCI_BRIDGE_CTL_VGA;

    memory_region_transaction_begin();
    bridge_update_io(b, io);
    for (PCIBridgeWindow w = BRIDGE_MEMORY; w <= BRIDGE_PREFETCH; w++) {
        bridge_place(&b->windows[w], memory, pci_bridge_window_base(dev, w),
                     pci_bridge_window_limit(dev, w));
    }
    memory_region_set_enabled(&b->windows[BRIDGE_VGA_MEMORY], memory && vga);
    memory_region_set_enabled(&b->windows[BRIDGE_VGA_IO_LOW], io && vga);
    memory_region_set_enabled(&b->windows[BRIDGE_VGA_IO_HIGH], io && vga);
    if (bridge_subtractive(dev)) {
        memory_region_set_enabled(&b->subtractive_memory, memory);
        memory_region_set_enabled(&b->subtractive_io, io);
    }
    memory_region_transaction_commit();
}

/* ---- accesses and reset --------------------------------------------------------------------- */

void pci_bridge_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    PCIBridge *b = PCI_BRIDGE(dev);
    uint16_t old = bridge_control(dev);

    pci_default_write_config(dev, addr, value, len);
    if (pci_range_covers(addr, len, PCI_COMMAND, 2) ||
        pci_range_covers(addr, len, PCI_IO_BASE, 2) ||
        pci_range_covers(addr, len, PCI_MEMORY_BASE, 16) ||
        pci_range_covers(addr, len, PCI_BRIDGE_CONTROL, 2)) {
        bridge_update_windows(b);
    }
    if (~old & bridge_control(dev) & PCI_BRIDGE_CTL_BUS_RESET) {
        log_if(LOG_PCI, "pci: bus '%s' is reset\n", OBJECT(b->sec_bus)->name);
        resettable_reset(OBJECT(b->sec_bus), RESET_BUS);
    }
}

void pci_bridge_reset(PCIDevice *dev)
{
    PCIBridge *b = PCI_BRIDGE(dev);
    uint8_t base = b->closed_at_reset ? 0xf0 : 0;

    memset(dev->config + PCI_PRIMARY_BUS, 0, 4);
    dev->config[PCI_IO_BASE] = base;
    dev->config[PCI_IO_LIMIT] = 0;
    dev->config[BRIDGE_SEC_STATUS + 1] &= 0x06;
    pci_set_word(dev->config + PCI_MEMORY_BASE, base ? 0xfff0 : 0);
    pci_set_word(dev->config + PCI_MEMORY_LIMIT, 0);
    pci_set_word(dev->config + PCI_PREF_MEMORY_BASE, (base ? 0xfff0 : 0) | BRIDGE_PREF_64BIT);
    pci_set_word(dev->config + PCI_PREF_MEMORY_LIMIT, BRIDGE_PREF_64BIT);
    pci_set_quad(dev->config + PCI_PREF_BASE_UPPER32, 0);
    pci_set_word(dev->config + PCI_BRIDGE_CONTROL, 0);
    bridge_update_windows(b);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void bridge_init_masks(PCIDevice *dev, bool express)
{
    uint8_t *mask = dev->wmask, *w1c = dev->w1cmask;

    memset(mask + PCI_PRIMARY_BUS, 0xff, 3);
    mask[PCI_SEC_LATENCY_TIMER] = express ? 0 : 0xff;
    mask[PCI_IO_BASE] = mask[PCI_IO_LIMIT] = 0xf0;
    pci_set_word(w1c + BRIDGE_SEC_STATUS, 0xf900);
    pci_set_word(mask + PCI_MEMORY_BASE, 0xfff0);
    pci_set_word(mask + PCI_MEMORY_LIMIT, 0xfff0);
    pci_set_word(mask + PCI_PREF_MEMORY_BASE, 0xfff0);
    pci_set_word(mask + PCI_PREF_MEMORY_LIMIT, 0xfff0);
    memset(mask + PCI_PREF_BASE_UPPER32, 0xff, 8);
    pci_set_word(mask + PCI_BRIDGE_CONTROL, express ? BRIDGE_CTL_EXPRESS : BRIDGE_CTL_PCI);
    pci_set_word(w1c + PCI_BRIDGE_CONTROL, express ? 0 : BRIDGE_CTL_DISCARDED);
    if (!express) {
        pci_set_word(dev->config + PCI_STATUS, PCI_STATUS_66MHZ | PCI_STATUS_FAST_BACK);
        pci_set_word(dev->config + BRIDGE_SEC_STATUS, PCI_STATUS_66MHZ | PCI_STATUS_FAST_BACK);
    }
}

static void bridge_add_window(PCIBridge *b, MemoryRegion *mr, const char *name, MemoryRegion *into,
                              MemoryRegion *of, hwaddr base, uint64_t size, int priority)
{
    memory_region_init_alias(mr, OBJECT(b), name, of, base, size);
    memory_region_set_enabled(mr, false);
    memory_region_add_subregion_overlap(into, base, mr, priority);
}

static void bridge_make_windows(PCIBridge *b)
{
    PCIBus *bus = pci_get_bus(&b->parent_obj);
    MemoryRegion *mem = bus->address_space_mem, *io = bus->address_space_io;
    Object *owner = OBJECT(b);

    memory_region_init(&b->memory, owner, "pci-bridge-memory", UINT64_MAX);
    memory_region_init(&b->io, owner, "pci-bridge-io", BRIDGE_IO_SIZE);
    bridge_add_window(b, &b->windows[BRIDGE_IO], "pci-bridge-io-window", io, &b->io, 0, 1, 1);
    bridge_add_window(b, &b->windows[BRIDGE_MEMORY], "pci-bridge-mem", mem, &b->memory, 0, 1, 1);
    bridge_add_window(b, &b->windows[BRIDGE_PREFETCH], "pci-bridge-pref-mem", mem, &b->memory, 0, 1,
                      1);
    bridge_add_window(b, &b->windows[BRIDGE_VGA_MEMORY], "pci-bridge-vga-mem", mem, &b->memory,
                      0xa0000, 0x20000, 2);
    bridge_add_window(b, &b->windows[BRIDGE_VGA_IO_LOW], "pci-bridge-vga-io-lo", io, &b->io, 0x3b0,
                      0xc, 2);
    bridge_add_window(b, &b->windows[BRIDGE_VGA_IO_HIGH], "pci-bridge-vga-io-hi", io, &b->io, 0x3c0,
                      0x20, 2);
    if (bridge_subtractive(&b->parent_obj)) {
        bridge_add_window(b, &b->subtractive_memory, "pci-bridge-subtractive-mem", mem, &b->memory,
                          0, UINT64_MAX, -2);
        bridge_add_window(b, &b->subtractive_io, "pci-bridge-subtractive-io", io, &b->io, 0,
                          BRIDGE_IO_SIZE, -2);
    }
}

static void bridge_undo(void *opaque)
{
    bridge_free_isa_windows(opaque);
}

bool pci_bridge_init(PCIDevice *dev, const char *bus_type, GError **error)
{
    PCIBridge *b = PCI_BRIDGE(dev);
    BusState *bus;

    bridge_init_masks(dev,
                      PCI_DEVICE_GET_CLASS(dev)->is_express && !strcmp(bus_type, TYPE_PCIE_BUS));
    bridge_make_windows(b);
    qdev_on_unrealize(&dev->parent_obj, bridge_undo, b);
    bus = qbus_new(bus_type, &dev->parent_obj, NULL);
    b->sec_bus = PCI_BUS(bus);
    b->sec_bus->parent_dev = dev;
    b->sec_bus->address_space_mem = &b->memory;
    b->sec_bus->address_space_io = &b->io;
    b->sec_bus->dma_memory = pci_get_bus(dev)->dma_memory;
    pci_bridge_reset(dev);
    return true;
}

static void pci_bridge_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->is_bridge = true;
    pc->class_id = PCI_CLASS_BRIDGE_PCI;
    pc->config_write = pci_bridge_write_config;
    pc->reset = pci_bridge_reset;
    dc->category = DEVICE_CATEGORY_BRIDGE;
}

static const TypeInfo pci_bridge_types[] = {
    {
     .name = TYPE_PCI_BRIDGE,
     .parent = TYPE_PCI_DEVICE,
     .instance_size = sizeof(PCIBridge),
     .abstract = true,
     .class_init = pci_bridge_class_init,
     .doc = "A PCI-to-PCI bridge",
     },
};

DEFINE_TYPES(pci_bridge_types)

/* ---- capabilities of bridges ---------------------------------------------------------------- */

bool pci_bridge_ssvid_init(PCIDevice *dev, uint8_t offset, uint16_t vendor, uint16_t device,
                           GError **error)
{
    offset = pci_add_capability(dev, PCI_CAP_ID_SSVID, offset, 8, error);
    if (offset) {
        pci_set_word(dev->config + offset + PCI_SSVID_VENDOR_ID, vendor);
        pci_set_word(dev->config + offset + PCI_SSVID_DEVICE_ID, device);
    }
    return offset != 0;
}

bool pci_bridge_reserve_init(PCIDevice *dev, const PCIReserve *r, GError **error)
{
    uint8_t offset, *cap;

    if (r->buses == UINT32_MAX && r->io == UINT64_MAX && r->memory == UINT64_MAX &&
        r->prefetch32 == UINT64_MAX && r->prefetch64 == UINT64_MAX) {
        return true;
    }
    if (r->prefetch32 != UINT64_MAX && r->prefetch64 != UINT64_MAX) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "pref32-reserve and pref64-reserve exclude each other: a bridge has one "
                    "prefetchable window");
        return false;
    }
    offset = pci_add_capability(dev, PCI_CAP_ID_VNDR, 0, VENDOR_CAP_SIZE, error);
    if (!offset) {
        return false;
    }
    cap = dev->config + offset;
    cap[2] = VENDOR_CAP_SIZE;
    cap[3] = VENDOR_CAP_RESERVE;
    pci_set_long(cap + 4, r->buses);
    pci_set_quad(cap + 8, r->io);
    pci_set_long(cap + 16, (uint32_t)MIN(r->memory, (uint64_t)UINT32_MAX));
    pci_set_long(cap + 20, (uint32_t)MIN(r->prefetch32, (uint64_t)UINT32_MAX));
    pci_set_quad(cap + 24, r->prefetch64);
    return true;
}

PCIReserve pci_bridge_get_reserve(const PCIDevice *dev)
{
    uint8_t offset = pci_find_capability(dev, PCI_CAP_ID_VNDR);
    const uint8_t *cap = dev->config + offset;
    PCIReserve r = {0};

    if (!offset || cap[2] != VENDOR_CAP_SIZE || cap[3] != VENDOR_CAP_RESERVE) {
        return r;
    }
    r = (PCIReserve){pci_get_long(cap + 4), pci_get_quad(cap + 8), pci_get_long(cap + 16),
                     pci_get_long(cap + 20), pci_get_quad(cap + 24)};
    r.buses = r.buses == UINT32_MAX ? 0 : r.buses;
    r.io = r.io == UINT64_MAX ? 0 : r.io;
    r.memory = r.memory == UINT32_MAX ? 0 : r.memory;
    r.prefetch32 = r.prefetch32 == UINT32_MAX ? 0 : r.prefetch32;
    r.prefetch64 = r.prefetch64 == UINT64_MAX ? 0 : r.prefetch64;
    return r;
}
