/* SPDX-License-Identifier: MIT
 *
 * Standard VGA as a PCI device (1234:1111), with the register window that
 * the Bochs and QEMU drivers of guests know.
 *
 *   BAR 0  display memory
 *   BAR 2  +400-41f  ports 3c0-3df     +500-515  DISPI registers, 16 bits each
 *          +600  bytes in this block   +604  byte order of the frame buffer
 *   legacy a0000-bffff, ports 3b0-3bb, 3c0-3df, 1ce-1d1
 */
#include <string.h>
#include "hw/core/machine.h"
#include "hw/display/vga-internal.h"
#include "system/log.h"

#define MMIO_SIZE            4096
#define MMIO_PORTS           0x400
#define MMIO_DISPI           0x500
#define MMIO_EXT             0x600
#define EXT_SIZE             8
#define LITTLE_ENDIAN_PIXELS 0x1e1e1e1e
#define DISPI_PORT           0x1ce

struct PCIVGAState {
    PCIDevice parent_obj;
    uint32_t vgamem_mb;
    VGAState vga;
    MemoryRegion mmio;
};

/* ---- the register window --------------------------------------------------------------- */

static uint64_t vga_mmio_read(void *opaque, hwaddr addr, unsigned size)
{
    PCIVGAState *d = opaque;

    if (addr >= MMIO_PORTS && addr < MMIO_PORTS + 0x20 && size == 1) {
        return vga_port_read(&d->vga, (uint16_t)(0x3c0 + addr - MMIO_PORTS));
    }
    if (addr >= MMIO_DISPI && addr < MMIO_DISPI + 2 * DISPI_REGS && size == 2) {
        return vga_dispi_read(&d->vga, (unsigned)(addr - MMIO_DISPI) / 2);
    }
    if (addr == MMIO_EXT) {
        return EXT_SIZE;
    }
    return addr == MMIO_EXT + 4 ? LITTLE_ENDIAN_PIXELS : 0;
}

static void vga_mmio_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    PCIVGAState *d = opaque;

    if (addr >= MMIO_PORTS && addr < MMIO_PORTS + 0x20) {
        for (unsigned i = 0; i < size; i++) {
            vga_port_write(&d->vga, (uint16_t)(0x3c0 + addr - MMIO_PORTS + i),
                           (uint8_t)(value >> (8 * i)));
        }
    } else if (addr >= MMIO_DISPI && addr < MMIO_DISPI + 2 * DISPI_REGS && size == 2) {
        vga_dispi_write(&d->vga, (unsigned)(addr - MMIO_DISPI) / 2, (uint16_t)value);
    }
}

static const MemoryRegionOps vga_mmio_ops = {
    .read = vga_mmio_read,
    .write = vga_mmio_write,
    .valid = {1, 4, false},
    .impl = {1, 4, false},
};

/* ---- life --------------------------------------------------------------------------------- */

static void vga_unmap(void *opaque)
{
    PCIVGAState *d = opaque;
    MemoryRegion *legacy[] = {&d->vga.window, &d->vga.ports_3b0, &d->vga.ports_3c0,
                              &d->vga.dispi_ports};

    for (size_t i = 0; i < G_N_ELEMENTS(legacy); i++) {
        memory_region_del_subregion(legacy[i]->container, legacy[i]);
    }
}

static void vga_map(PCIVGAState *d, PCIBus *bus)
{
    MemoryRegion *io = bus->address_space_io;

    memory_region_add_subregion_overlap(bus->address_space_mem, VGA_MEM_BASE, &d->vga.window, 1);
    memory_region_add_subregion(io, 0x3b0, &d->vga.ports_3b0);
    memory_region_add_subregion(io, 0x3c0, &d->vga.ports_3c0);
    memory_region_add_subregion(io, DISPI_PORT, &d->vga.dispi_ports);
}

static bool vga_check_memory(PCIVGAState *d, GError **error)
{
    uint32_t mb = d->vgamem_mb;

    if (mb >= 1 && mb <= 256 && !(mb & (mb - 1))) {
        return true;
    }
    g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                "vgamem_mb=%u: expected a power of two from 1 to 256", mb);
    return false;
}

/* The legacy addresses belong to one card: the first. */
static bool vga_is_first(PCIVGAState *d, GError **error)
{
    PCIBus *bus = pci_get_bus(&d->parent_obj);

    for (int devfn = 0; devfn < PCI_DEVFN_MAX; devfn++) {
        PCIDevice *dev = bus->devices[devfn];

        if (dev && dev != &d->parent_obj && object_dynamic_cast(OBJECT(dev), TYPE_PCI_VGA)) {
            g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                        "there is a VGA at %x.%x already (-vga none leaves it out)",
                        PCI_DEVFN_SLOT(devfn), PCI_DEVFN_FUNC(devfn));
            return false;
        }
    }
    return true;
}

static bool vga_pci_realize(PCIDevice *dev, GError **error)
{
    PCIVGAState *d = PCI_VGA(dev);

    if (!vga_check_memory(d, error) || !vga_is_first(d, error) ||
        !vga_init(&d->vga, OBJECT(d), dev->machine, d->vgamem_mb << 20, error)) {
        return false;
    }
    memory_region_init_io(&d->mmio, OBJECT(d), &vga_mmio_ops, d, "vga.mmio", MMIO_SIZE);
    vga_map(d, pci_get_bus(dev));
    qdev_on_unrealize(&dev->parent_obj, vga_unmap, d);
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_MEM_PREFETCH, &d->vga.vram);
    pci_register_bar(dev, 2, PCI_BASE_ADDRESS_SPACE_MEMORY, &d->mmio);
    vga_reset(&d->vga);
    return true;
}

static void vga_pci_reset(PCIDevice *dev)
{
    vga_reset(&PCI_VGA(dev)->vga);
}

/* ---- what others see ------------------------------------------------------------------------ */

DisplaySurface *vga_get_surface(PCIVGAState *d)
{
    DisplaySurface *surface;

    device_lock(DEVICE(d));
    surface = vga_render(&d->vga);
    device_unlock(DEVICE(d));
    return surface;
}

char *vga_get_text(PCIVGAState *d)
{
    char *text;

    device_lock(DEVICE(d));
    text = d->vga.vram_ptr ? vga_text(&d->vga) : NULL;
    device_unlock(DEVICE(d));
    return text;
}

static GVariant *vga_get_text_property(Object *obj, const Property *prop)
{
    char *text = vga_get_text(PCI_VGA(obj));

    return g_variant_new_take_string(text ? text : g_strdup(""));
}

static GVariant *vga_get_mode_property(Object *obj, const Property *prop)
{
    PCIVGAState *d = PCI_VGA(obj);
    const VGAState *s = &d->vga;
    VGATextMode text;

    if (!s->vram_ptr) {
        return g_variant_new_string("");
    }
    if (vga_text_mode(s, &text)) {
        return g_variant_new_take_string(g_strdup_printf("text %ux%u", text.columns, text.rows));
    }
    if (vga_dispi_active(s)) {
        return g_variant_new_take_string(g_strdup_printf(
            "%ux%ux%u", s->dispi[DISPI_XRES], s->dispi[DISPI_YRES], s->dispi[DISPI_BPP]));
    }
    return g_variant_new_string("vga graphics");
}

static const Property vga_properties[] = {
    DEFINE_PROP_UINT32("vgamem_mb", PCIVGAState, vgamem_mb, 16,
                       "MiB of display memory, a power of two", .min = 1, .max = 256),
    DEFINE_PROP_CUSTOM("text", "s", vga_get_text_property, NULL, PROP_TELEMETRY,
                       "the text screen, a line a row; empty in graphics modes"),
    DEFINE_PROP_CUSTOM("mode", "s", vga_get_mode_property, NULL, PROP_TELEMETRY,
                       "the mode the display is in"),
    DEFINE_PROP_END,
};

static const StateField vga_state[] = {
    PCI_STATE_FIELDS(PCIVGAState),
    VGA_STATE_FIELDS(PCIVGAState, vga),
    STATE_END,
};

static void vga_pci_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = vga_pci_realize;
    pc->reset = vga_pci_reset;
    pc->vendor_id = PCI_VENDOR_ID_BOCHS;
    pc->device_id = PCI_DEVICE_ID_BOCHS_VGA;
    pc->revision = 2;
    pc->class_id = PCI_CLASS_DISPLAY_VGA;
    pc->romfile = "vgabios-stdvga.bin";
    dc->hotpluggable = false;
    dc->category = DEVICE_CATEGORY_DISPLAY;
    dc->state = vga_state;
}

static const TypeInfo vga_types[] = {
    {
     .name = TYPE_PCI_VGA,
     .parent = TYPE_PCI_DEVICE,
     .instance_size = sizeof(PCIVGAState),
     .class_init = vga_pci_class_init,
     .properties = vga_properties,
     .doc = "Standard VGA with the Bochs display interface",
     },
};

DEFINE_TYPES(vga_types)
