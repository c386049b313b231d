/* SPDX-License-Identifier: MIT
 *
 * Standard VGA as PCI devices (1234:1111): "VGA", with the legacy addresses, and
 * "secondary-vga", which is reached through its BARs alone.
 *
 *   BAR 0  display memory   BAR 2  register window (vga-mmio.c)
 *   legacy a0000-bffff, ports 3b0-3bb, 3c0-3df, 1ce-1d1
 */
#include "hw/display/vga-internal.h"

#define TYPE_PCI_VGA_COMMON "pci-vga"
OBJECT_DECLARE_SIMPLE(PCIVGAState, PCI_VGA, TYPE_PCI_VGA_COMMON)

struct PCIVGAState {
    PCIDevice parent_obj;
    uint32_t vgamem_mb;
    bool mmio, ext_regs, has_edid, big_endian, global_vmstate;
    EDIDInfo edid_info;
    VGAState vga;
    VGAWindow window;
};

/* The legacy addresses belong to one card: the first. */
static bool vga_is_first(PCIVGAState *d, GError **error)
{
    PCIBus *bus = pci_get_bus(&d->parent_obj);

    for (int devfn = 0; devfn < PCI_DEVFN_MAX; devfn++) {
        PCIDevice *dev = bus->devices[devfn];

        if (dev && dev != &d->parent_obj && object_dynamic_cast(OBJECT(dev), TYPE_PCI_VGA)) {
            g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                        "there is a VGA at %x.%x already (-vga none leaves it out; secondary-vga "
                        "goes beside it)",
                        PCI_DEVFN_SLOT(devfn), PCI_DEVFN_FUNC(devfn));
            return false;
        }
    }
    return true;
}

static bool vga_common_realize(PCIDevice *dev, GError **error)
{
    PCIVGAState *d = PCI_VGA(dev);

    if (!vga_check_memory("vgamem_mb", (uint64_t)d->vgamem_mb << 20, error) ||
        !vga_init(&d->vga, DEVICE(d), d->vgamem_mb << 20, error)) {
        return false;
    }
    d->vga.big_endian = d->big_endian;
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_MEM_PREFETCH, &d->vga.vram);
    if (d->mmio) {
        vga_window_init(&d->window, OBJECT(d), &d->vga, d->has_edid ? &d->edid_info : NULL,
                        d->ext_regs);
        pci_register_bar(dev, 2, PCI_BASE_ADDRESS_SPACE_MEMORY, &d->window.container);
    }
    return true;
}

static bool vga_realize(PCIDevice *dev, GError **error)
{
    PCIVGAState *d = PCI_VGA(dev);
    PCIBus *bus = pci_get_bus(dev);

    if (!vga_is_first(d, error) || !vga_common_realize(dev, error)) {
        return false;
    }
    vga_map_legacy(&d->vga, DEVICE(d), bus->address_space_mem, bus->address_space_io);
    return true;
}

static bool secondary_vga_realize(PCIDevice *dev, GError **error)
{
    PCI_VGA(dev)->mmio = true;
    return vga_common_realize(dev, error);
}

static void vga_pci_reset(PCIDevice *dev)
{
    PCIVGAState *d = PCI_VGA(dev);

    vga_reset(&d->vga);
    d->vga.big_endian = d->big_endian;
}

static GVariant *get_mode(Object *obj, const Property *prop)
{
    const VGAState *s = &PCI_VGA(obj)->vga;
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

static GVariant *get_text(Object *obj, const Property *prop)
{
    PCIVGAState *d = PCI_VGA(obj);
    char *text = d->vga.console ? console_text(d->vga.console) : NULL;

    return g_variant_new_take_string(text ? text : g_strdup(""));
}

static GVariant *get_big_endian(Object *obj, const Property *prop)
{
    PCIVGAState *d = PCI_VGA(obj);

    return g_variant_new_boolean(d->vga.vram_ptr ? d->vga.big_endian : d->big_endian);
}

static bool set_big_endian(Object *obj, const Property *prop, GVariant *value, GError **error)
{
    PCIVGAState *d = PCI_VGA(obj);

    d->big_endian = d->vga.big_endian = g_variant_get_boolean(value);
    d->vga.touched = true;
    return true;
}

static const Property vga_common_properties[] = {
    DEFINE_PROP_UINT32("vgamem_mb", PCIVGAState, vgamem_mb, 16,
                       "MiB of display memory, a power of two", .min = 1, .max = 256),
    DEFINE_PROP_BOOL("qemu-extended-regs", PCIVGAState, ext_regs, true,
                     "register of the byte order of pixels"),
    DEFINE_PROP_BOOL("edid", PCIVGAState, has_edid, true, "EDID in the register window"),
    DEFINE_EDID_PROPERTIES(PCIVGAState, edid_info),
    DEFINE_PROP_CUSTOM("big-endian-framebuffer", "b", get_big_endian, set_big_endian, PROP_RUNTIME,
                       "byte order of pixels"),
    DEFINE_PROP_CUSTOM("text", "s", get_text, NULL, PROP_TELEMETRY,
                       "the text screen, a line a row; empty in graphics modes"),
    DEFINE_PROP_CUSTOM("mode", "s", get_mode, NULL, PROP_TELEMETRY, "the mode the display is in"),
    DEFINE_PROP_END,
};

static const Property vga_properties[] = {
    DEFINE_PROP_BOOL("mmio", PCIVGAState, mmio, true, "register window at BAR 2"),
    DEFINE_PROP_BOOL("global-vmstate", PCIVGAState, global_vmstate, false,
                     "accepted for other programs' sake"),
    DEFINE_PROP_END,
};

static const StateField vga_state[] = {
    PCI_STATE_FIELDS(PCIVGAState),
    VGA_STATE_FIELDS(PCIVGAState, vga),
    STATE_END,
};

static void vga_common_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->reset = vga_pci_reset;
    pc->vendor_id = PCI_VENDOR_ID_BOCHS;
    pc->device_id = PCI_DEVICE_ID_BOCHS_VGA;
    pc->revision = 2;
    dc->category = DEVICE_CATEGORY_DISPLAY;
    dc->state = vga_state;
}

static void vga_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = vga_realize;
    pc->class_id = PCI_CLASS_DISPLAY_VGA;
    pc->romfile = "vgabios-stdvga.bin";
    DEVICE_CLASS(klass)->hotpluggable = false;
}

static void secondary_vga_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = secondary_vga_realize;
    pc->class_id = PCI_CLASS_DISPLAY_OTHER;
}

static const TypeInfo vga_types[] = {
    {.name = TYPE_PCI_VGA_COMMON,
     .parent = TYPE_PCI_DEVICE,
     .instance_size = sizeof(PCIVGAState),
     .abstract = true,
     .class_init = vga_common_class_init,
     .properties = vga_common_properties,
     .doc = "VGA on PCI"},
    {.name = TYPE_PCI_VGA,
     .parent = TYPE_PCI_VGA_COMMON,
     .class_init = vga_class_init,
     .properties = vga_properties,
     .doc = "Standard VGA with the Bochs display interface"},
    {.name = TYPE_SECONDARY_VGA,
     .parent = TYPE_PCI_VGA_COMMON,
     .class_init = secondary_vga_class_init,
     .doc = "Standard VGA without the legacy addresses"},
};
DEFINE_TYPES(vga_types)
