/* SPDX-License-Identifier: MIT
 *
 * Where a guest leaves the place of its kernel's VMCOREINFO note, for dumps of its memory: the
 * fw_cfg file "etc/vmcoreinfo" (the "VMCoreInfo device" page of QEMU's specifications), 16 bytes,
 * little-endian:
 *   00 format the host takes (1: ELF)   02 format of the guest's note (0: none)
 *   04 its size, 32 bits                08 its physical address, 64 bits
 */
#include <string.h>
#include "hw/core/machine.h"
#include "hw/nvram/fw_cfg.h"

#define TYPE_VMCOREINFO "vmcoreinfo"
OBJECT_DECLARE_SIMPLE(VMCoreInfoState, VMCOREINFO, TYPE_VMCOREINFO)

#define VMCOREINFO_FILE       "etc/vmcoreinfo"
#define VMCOREINFO_FORMAT_ELF 1

struct VMCoreInfoState {
    DeviceState parent_obj;
    struct {
        uint16_t host_format, guest_format;
        uint32_t size;
        uint64_t paddr;
    } info; /* little-endian */
};

/* The file's content, as it is after a reset. */
static GBytes *vmcoreinfo_blank(VMCoreInfoState *s)
{
    memset(&s->info, 0, sizeof(s->info));
    s->info.host_format = GUINT16_TO_LE(VMCOREINFO_FORMAT_ELF);
    return g_bytes_new(&s->info, sizeof(s->info));
}

static void vmcoreinfo_written(void *opaque, const uint8_t *data, size_t size)
{
    VMCoreInfoState *s = opaque;

    memcpy(&s->info, data, sizeof(s->info));
}

static void vmcoreinfo_reset(DeviceState *dev, ResetType type)
{
    g_autoptr(GBytes) blank = vmcoreinfo_blank(VMCOREINFO(dev));

    fw_cfg_set_file(qdev_get_machine(dev)->fw_cfg, VMCOREINFO_FILE, blank);
}

static bool vmcoreinfo_realize(DeviceState *dev, GError **error)
{
    VMCoreInfoState *s = VMCOREINFO(dev);
    FWCfgState *fw_cfg = qdev_get_machine(dev)->fw_cfg;
    g_autoptr(GBytes) blank = vmcoreinfo_blank(s);

    if (!fw_cfg) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "the machine has no fw_cfg");
        return false;
    }
    if (!fw_cfg_add_file(fw_cfg, VMCOREINFO_FILE, blank, error)) {
        return false;
    }
    fw_cfg_set_file_writable(fw_cfg, VMCOREINFO_FILE, vmcoreinfo_written, s);
    return true;
}

static GVariant *vmcoreinfo_get_address(Object *obj, const Property *prop)
{
    return g_variant_new_uint64(GUINT64_FROM_LE(VMCOREINFO(obj)->info.paddr));
}

static GVariant *vmcoreinfo_get_size(Object *obj, const Property *prop)
{
    const VMCoreInfoState *s = VMCOREINFO(obj);

    return g_variant_new_uint32(
        GUINT16_FROM_LE(s->info.guest_format) ? GUINT32_FROM_LE(s->info.size) : 0);
}

static const Property vmcoreinfo_properties[] = {
    DEFINE_PROP_CUSTOM("note-address", "t", vmcoreinfo_get_address, NULL, PROP_TELEMETRY,
                       "physical address of the guest's note"),
    DEFINE_PROP_CUSTOM("note-size", "u", vmcoreinfo_get_size, NULL, PROP_TELEMETRY,
                       "its size in bytes; 0: the guest has left none"),
    DEFINE_PROP_END,
};

static const StateField vmcoreinfo_state[] = {STATE_FIELD(VMCoreInfoState, info), STATE_END};

static void vmcoreinfo_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = vmcoreinfo_realize;
    dc->reset_enter = vmcoreinfo_reset;
    dc->hotpluggable = false;
    dc->category = DEVICE_CATEGORY_MISC;
    dc->state = vmcoreinfo_state;
}

static const TypeInfo vmcoreinfo_types[] = {
    {.name = TYPE_VMCOREINFO,
     .parent = TYPE_DEVICE,
     .instance_size = sizeof(VMCoreInfoState),
     .class_init = vmcoreinfo_class_init,
     .properties = vmcoreinfo_properties,
     .doc = "where the guest leaves the place of its VMCOREINFO note"},
};
DEFINE_TYPES(vmcoreinfo_types)
