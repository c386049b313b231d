/* SPDX-License-Identifier: MIT
 *
 * A debug console as Bochs has it at port e9h and SeaBIOS and OVMF write to at
 * 402h: each byte written goes to the character device.  Reading gives "readback", by which
 * firmware tells that the port is there.
 */
#include "hw/isa/isa.h"
#include "system/char/chardev.h"

#define TYPE_ISA_DEBUGCON "isa-debugcon"
OBJECT_DECLARE_SIMPLE(ISADebugcon, ISA_DEBUGCON, TYPE_ISA_DEBUGCON)

struct ISADebugcon {
    ISADevice parent_obj;
    MemoryRegion io;
    CharFrontend chr;
    Object *chardev;
    uint32_t iobase, readback;
};

static uint64_t debugcon_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((ISADebugcon *)opaque)->readback;
}

/* What a full back end does not take is lost: a guest has no way to wait for it. */
static void debugcon_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    ISADebugcon *s = opaque;
    uint8_t byte = data;

    char_frontend_write_all(&s->chr, &byte, 1);
}

static const MemoryRegionOps debugcon_ops = {
    .read = debugcon_read,
    .write = debugcon_write,
    .impl = {1, 1},
};

static bool debugcon_realize(DeviceState *dev, GError **error)
{
    ISADebugcon *s = ISA_DEBUGCON(dev);

    if (!char_frontend_init(&s->chr, (Chardev *)s->chardev, dev, error)) {
        return false;
    }
    memory_region_init_io(&s->io, OBJECT(s), &debugcon_ops, s, "debugcon", 1);
    isa_register_ioport(&s->parent_obj, &s->io, s->iobase);
    return true;
}

static const Property debugcon_properties[] = {
    DEFINE_PROP_UINT32("iobase", ISADebugcon, iobase, 0xe9, "its port", .max = 0xffff),
    DEFINE_PROP_UINT32("readback", ISADebugcon, readback, 0xe9, "what reading the port gives"),
    DEFINE_PROP_LINK("chardev", ISADebugcon, chardev, TYPE_CHARDEV, "where bytes go"),
    DEFINE_PROP_END,
};

static void debugcon_class_init(ObjectClass *klass, const void *data)
{
    DEVICE_CLASS(klass)->realize = debugcon_realize;
    DEVICE_CLASS(klass)->category = DEVICE_CATEGORY_MISC;
    DEVICE_CLASS(klass)->user_creatable = true;
}

static const TypeInfo debugcon_types[] = {
    {.name = TYPE_ISA_DEBUGCON,
     .parent = TYPE_ISA_DEVICE,
     .instance_size = sizeof(ISADebugcon),
     .class_init = debugcon_class_init,
     .properties = debugcon_properties,
     .doc = "debug console: a port whose bytes go to a character device"},
};
DEFINE_TYPES(debugcon_types)
