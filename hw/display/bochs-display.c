/* SPDX-License-Identifier: MIT
 *
 * A linear frame buffer with DISPI registers and nothing else (1234:1111, class 0380).
 * Interface as documented with the Bochs VGABios (vbe_display_api.txt, version B0C5).
 *
 *   BAR 0  display memory   BAR 2  +000 EDID  +500-515 DISPI registers  +600 byte order of pixels
 *
 * A mode that is not 32 bits deep, or does not fit into memory, shows nothing.
 */
#include <string.h>
#include "hw/display/vga-internal.h"
#include "hw/pci/pcie.h"

OBJECT_DECLARE_SIMPLE(BochsDisplay, BOCHS_DISPLAY, TYPE_BOCHS_DISPLAY)

#define MMIO_SIZE     4096
#define EDID_OFFSET   0x000
#define DISPI_OFFSET  0x500
#define EXT_OFFSET    0x600
#define EXT_SIZE      8
#define LITTLE_PIXELS 0x1e1e1e1eu
#define BIG_PIXELS    0xbebebebeu

struct BochsDisplay {
    PCIDevice parent_obj;
    uint64_t vgamem; /* bytes */
    bool has_edid, big_endian_default;
    EDIDInfo edid_info;
    uint8_t edid[EDID_SIZE];

    Console *console;
    MemoryRegion vram, mmio, edid_io, dispi_io, ext_io;
    uint8_t *vram_ptr;
    uint64_t *dirty;
    bool touched;

    uint16_t dispi[DISPI_REGS];
    bool big_endian;
};

/* ---- registers ------------------------------------------------------------------------------- */

static uint64_t edid_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((BochsDisplay *)opaque)->edid[addr];
}

static uint64_t dispi_read(void *opaque, hwaddr addr, unsigned size)
{
    BochsDisplay *d = opaque;

    switch (addr / 2) {
    case DISPI_ID:
        return DISPI_ID_LAST;
    case DISPI_VIDEO_MEMORY_64K:
        return d->vgamem >> 16;
    default:
        return d->dispi[addr / 2];
    }
}

static void dispi_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    BochsDisplay *d = opaque;

    d->dispi[addr / 2] = (uint16_t)value;
    d->touched = true;
}

static uint64_t ext_read(void *opaque, hwaddr addr, unsigned size)
{
    BochsDisplay *d = opaque;

    return addr == 0 ? EXT_SIZE : d->big_endian ? BIG_PIXELS : LITTLE_PIXELS;
}

static void ext_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    BochsDisplay *d = opaque;

    if (addr == 4 && (value == BIG_PIXELS || value == LITTLE_PIXELS)) {
        d->big_endian = value == BIG_PIXELS;
        d->touched = true;
    }
}

static void ignore_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
}

static const MemoryRegionOps edid_ops = {
    .read = edid_read, .write = ignore_write, .valid = {1, 8},
            .impl = {1, 1}
};
static const MemoryRegionOps dispi_ops = {
    .read = dispi_read, .write = dispi_write, .valid = {1, 4},
            .impl = {2, 2}
};
static const MemoryRegionOps ext_ops = {
    .read = ext_read, .write = ext_write, .valid = {1, 8},
            .impl = {4, 4}
};

/* ---- picture -------------------------------------------------------------------------------- */

static bool get_mode(const BochsDisplay *d, LinearMode *ret)
{
    uint64_t width = d->dispi[DISPI_XRES], height = d->dispi[DISPI_YRES];
    uint64_t virt = MAX(d->dispi[DISPI_VIRT_WIDTH], width), pitch = virt * 4;
    uint64_t start = d->dispi[DISPI_X_OFFSET] * UINT64_C(4) + d->dispi[DISPI_Y_OFFSET] * pitch;

    *ret = (LinearMode){
        .memory = d->vram_ptr,
        .size = d->vgamem,
        .start = start,
        .pitch = pitch,
        .width = (unsigned)width,
        .height = (unsigned)height,
        .bpp = 32,
        .big_endian = d->big_endian,
        .dirty = d->touched ? NULL : d->dirty,
    };
    return (d->dispi[DISPI_ENABLE] & DISPI_ENABLED) && d->dispi[DISPI_BPP] == 32 && width >= 64 &&
           height >= 64 && start + pitch * (height - 1) + width * 4 <= d->vgamem;
}

static void bochs_update(void *opaque)
{
    BochsDisplay *d = opaque;
    bool written = memory_region_fetch_dirty(&d->vram, 0, d->vgamem, d->dirty);
    LinearMode mode;

    if (!written && !d->touched) {
        return;
    }
    if (get_mode(d, &mode)) {
        linear_draw(d->console, &mode);
    }
    d->touched = false;
}

static const ConsoleOps bochs_console_ops = {.update = bochs_update};

/* ---- life ----------------------------------------------------------------------------------- */

static void bochs_finish(void *opaque)
{
    BochsDisplay *d = opaque;

    memory_region_set_log(&d->vram, false);
    g_clear_pointer(&d->dirty, g_free);
}

static void add_registers(BochsDisplay *d)
{
    Object *owner = OBJECT(d);

    memory_region_init(&d->mmio, owner, "bochs-display-mmio", MMIO_SIZE);
    memory_region_init_io(&d->dispi_io, owner, &dispi_ops, d, "bochs dispi interface",
                          2 * DISPI_REGS);
    memory_region_add_subregion(&d->mmio, DISPI_OFFSET, &d->dispi_io);
    memory_region_init_io(&d->ext_io, owner, &ext_ops, d, "qemu extended regs", EXT_SIZE);
    memory_region_add_subregion(&d->mmio, EXT_OFFSET, &d->ext_io);
    if (d->has_edid) {
        edid_generate(&d->edid_info, d->edid);
        memory_region_init_io(&d->edid_io, owner, &edid_ops, d, "edid", EDID_SIZE);
        memory_region_add_subregion(&d->mmio, EDID_OFFSET, &d->edid_io);
    }
}

static void bochs_reset(PCIDevice *dev)
{
    BochsDisplay *d = BOCHS_DISPLAY(dev);

    memset(d->dispi, 0, sizeof(d->dispi));
    d->big_endian = d->big_endian_default;
    d->touched = true;
}

static bool bochs_realize(PCIDevice *dev, GError **error)
{
    BochsDisplay *d = BOCHS_DISPLAY(dev);

    if ((pci_bus_is_express(pci_get_bus(dev)) && !pcie_endpoint_cap_init(dev, 0x80, error)) ||
        !vga_check_memory("vgamem", d->vgamem, error) ||
        !memory_region_init_ram(&d->vram, OBJECT(d), "bochs-display-vram", d->vgamem, error)) {
        return false;
    }
    d->vram_ptr = memory_region_get_ram_ptr(&d->vram);
    d->dirty = g_new0(uint64_t, DIRTY_WORDS(d->vgamem));
    memory_region_set_log(&d->vram, true);
    qdev_on_unrealize(DEVICE(dev), bochs_finish, d);
    add_registers(d);
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_MEM_PREFETCH, &d->vram);
    pci_register_bar(dev, 2, PCI_BASE_ADDRESS_SPACE_MEMORY, &d->mmio);
    bochs_reset(dev);
    d->console = console_new(DEVICE(dev), 0, &bochs_console_ops, d);
    return true;
}

static const Property bochs_properties[] = {
    DEFINE_PROP_SIZE("vgamem", BochsDisplay, vgamem, 16 * 1024 * 1024,
                     "display memory, a power of two", .min = 1024 * 1024,
                     .max = 256 * 1024 * 1024),
    DEFINE_PROP_BOOL("edid", BochsDisplay, has_edid, true, "EDID in the register window"),
    DEFINE_EDID_PROPERTIES(BochsDisplay, edid_info),
    DEFINE_PROP_BOOL("big-endian-framebuffer", BochsDisplay, big_endian_default, false,
                     "byte order of pixels after a reset"),
    DEFINE_PROP_END,
};

static const StateField bochs_state[] = {
    PCI_STATE_FIELDS(BochsDisplay),
    STATE_FIELD(BochsDisplay, dispi),
    STATE_FIELD(BochsDisplay, big_endian),
    STATE_END,
};

static void bochs_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->is_express = true;
    pc->realize = bochs_realize;
    pc->reset = bochs_reset;
    pc->vendor_id = PCI_VENDOR_ID_BOCHS;
    pc->device_id = PCI_DEVICE_ID_BOCHS_VGA;
    pc->revision = 2;
    pc->class_id = PCI_CLASS_DISPLAY_OTHER;
    pc->romfile = "vgabios-bochs-display.bin";
    dc->category = DEVICE_CATEGORY_DISPLAY;
    dc->state = bochs_state;
}

static const TypeInfo bochs_types[] = {
    {.name = TYPE_BOCHS_DISPLAY,
     .parent = TYPE_PCI_DEVICE,
     .instance_size = sizeof(BochsDisplay),
     .class_init = bochs_class_init,
     .properties = bochs_properties,
     .doc = "frame buffer with the Bochs display interface, without VGA"},
};
DEFINE_TYPES(bochs_types)
