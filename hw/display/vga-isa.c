/* SPDX-License-Identifier: MIT
 *
 * Standard VGA on the ISA bus: legacy memory and ports, and the frame buffer of DISPI modes at
 * e0000000.  Its BIOS is given to the firmware as the fw_cfg file vgaroms/vgabios-isavga.bin.
 */
#include "hw/core/machine.h"
#include "hw/display/vga-internal.h"
#include "hw/isa/isa.h"

OBJECT_DECLARE_SIMPLE(ISAVGAState, ISA_VGA, TYPE_ISA_VGA)

#define LFB_BASE 0xe0000000u
#define ROM_NAME "vgabios-isavga.bin"

struct ISAVGAState {
    ISADevice parent_obj;
    uint32_t vgamem_mb;
    VGAState vga;
};

static void isa_vga_unmap(void *opaque)
{
    MemoryRegion *vram = opaque;

    memory_region_del_subregion(vram->container, vram);
}

static bool isa_vga_realize(DeviceState *dev, GError **error)
{
    ISAVGAState *d = ISA_VGA(dev);
    ISABus *bus = isa_bus_from_device(&d->parent_obj);

    if (!vga_check_memory("vgamem_mb", (uint64_t)d->vgamem_mb << 20, error) ||
        !vga_add_rom(qdev_get_machine(dev), ROM_NAME, error) ||
        !vga_init(&d->vga, dev, d->vgamem_mb << 20, error)) {
        return false;
    }
    memory_region_add_subregion_overlap(d->vga.machine->system_memory, LFB_BASE, &d->vga.vram, 1);
    qdev_on_unrealize(dev, isa_vga_unmap, &d->vga.vram);
    vga_map_legacy(&d->vga, dev, bus->address_space, bus->address_space_io);
    return true;
}

static void isa_vga_reset(DeviceState *dev, ResetType type)
{
    vga_reset(&ISA_VGA(dev)->vga);
}

static const Property isa_vga_properties[] = {
    DEFINE_PROP_UINT32("vgamem_mb", ISAVGAState, vgamem_mb, 8,
                       "MiB of display memory, a power of two", .min = 1, .max = 256),
    DEFINE_PROP_END,
};

static const StateField isa_vga_state[] = {
    VGA_STATE_FIELDS(ISAVGAState, vga),
    STATE_END,
};

static void isa_vga_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = isa_vga_realize;
    dc->reset_enter = isa_vga_reset;
    dc->state = isa_vga_state;
    dc->category = DEVICE_CATEGORY_DISPLAY;
    dc->hotpluggable = false;
}

static const TypeInfo isa_vga_types[] = {
    {.name = TYPE_ISA_VGA,
     .parent = TYPE_ISA_DEVICE,
     .instance_size = sizeof(ISAVGAState),
     .class_init = isa_vga_class_init,
     .properties = isa_vga_properties,
     .doc = "Standard VGA on ISA"},
};
DEFINE_TYPES(isa_vga_types)
