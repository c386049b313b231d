/* SPDX-License-Identifier: MIT
 *
 * A port by which a test guest ends the VM: writing v makes the process exit
 * with status (v << 1) | 1, so that 0 always means that something else ended it.
 */
#include "hw/core/machine.h"
#include "hw/isa/isa.h"

#define TYPE_ISA_DEBUG_EXIT "isa-debug-exit"
OBJECT_DECLARE_SIMPLE(ISADebugExit, ISA_DEBUG_EXIT, TYPE_ISA_DEBUG_EXIT)

struct ISADebugExit {
    ISADevice parent_obj;
    MemoryRegion io;
    MachineState *machine;
    uint32_t iobase, iosize;
};

static uint64_t debug_exit_read(void *opaque, hwaddr addr, unsigned size)
{
    return 0;
}

static void debug_exit_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    ISADebugExit *s = opaque;

    system_shutdown_request_with_code(s->machine, SHUTDOWN_CAUSE_GUEST_SHUTDOWN, data << 1 | 1);
}

static const MemoryRegionOps debug_exit_ops = {
    .read = debug_exit_read,
    .write = debug_exit_write,
    .valid = {1, 4},
    .impl = {1, 4},
};

static bool debug_exit_realize(DeviceState *dev, GError **error)
{
    ISADebugExit *s = ISA_DEBUG_EXIT(dev);

    s->machine = qdev_get_machine(dev);
    memory_region_init_io(&s->io, OBJECT(s), &debug_exit_ops, s, TYPE_ISA_DEBUG_EXIT, s->iosize);
    isa_register_ioport(&s->parent_obj, &s->io, s->iobase);
    return true;
}

static const Property debug_exit_properties[] = {
    DEFINE_PROP_UINT32("iobase", ISADebugExit, iobase, 0x501, "first port", .max = 0xffff),
    DEFINE_PROP_UINT32("iosize", ISADebugExit, iosize, 2, "how many ports", .min = 1, .max = 8),
    DEFINE_PROP_END,
};

static void debug_exit_class_init(ObjectClass *klass, const void *data)
{
    DEVICE_CLASS(klass)->realize = debug_exit_realize;
    DEVICE_CLASS(klass)->category = DEVICE_CATEGORY_MISC;
    DEVICE_CLASS(klass)->user_creatable = true;
}

static const TypeInfo debug_exit_types[] = {
    {.name = TYPE_ISA_DEBUG_EXIT,
     .parent = TYPE_ISA_DEVICE,
     .instance_size = sizeof(ISADebugExit),
     .class_init = debug_exit_class_init,
     .properties = debug_exit_properties,
     .doc = "ends the VM with a status that the guest writes"},
};
DEFINE_TYPES(debug_exit_types)
