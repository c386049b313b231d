/* SPDX-License-Identifier: MIT
 *
 * Port 61h of a PC (NMI status and control; ICH9 datasheet, 13.7.1): gate of
 * timer 2 (bit 0), speaker data (bit 1), refresh toggle (bit 4), output of timer 2
 * (bit 5).  There is no sound: the speaker's state can only be read back.
 */
#include "hw/core/machine.h"
#include "hw/timer/i8254.h"
#include "system/loop/event-loop.h"

#define PORT61_WRITABLE   0x0f
#define PORT61_GATE2      0x01
#define PORT61_REFRESH    0x10
#define PORT61_OUT2       0x20
#define REFRESH_PERIOD_NS 15085 /* each toggle of bit 4 */

OBJECT_DECLARE_SIMPLE(PCSpeaker, PCSPK, TYPE_PCSPK)

struct PCSpeaker {
    ISADevice parent_obj;
    MemoryRegion io;
    VMClock *clock;
    Object *pit;
    uint32_t iobase;
    uint8_t control;
};

static uint64_t pcspk_read(void *opaque, hwaddr addr, unsigned size)
{
    PCSpeaker *s = opaque;
    int64_t now = vm_clock_get_ns(s->clock, CLOCK_VIRTUAL);

    return s->control | (now / REFRESH_PERIOD_NS % 2 ? PORT61_REFRESH : 0) |
           (i8254_get_out(I8254(s->pit), 2) ? PORT61_OUT2 : 0);
}

static void pcspk_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    PCSpeaker *s = opaque;

    s->control = data & PORT61_WRITABLE;
    i8254_set_gate(I8254(s->pit), 2, data & PORT61_GATE2);
}

static const MemoryRegionOps pcspk_ops = {
    .read = pcspk_read,
    .write = pcspk_write,
    .impl = {1, 1},
};

static void pcspk_reset(DeviceState *dev, ResetType type)
{
    PCSPK(dev)->control = 0;
}

static bool pcspk_realize(DeviceState *dev, GError **error)
{
    PCSpeaker *s = PCSPK(dev);

    if (!s->pit) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    TYPE_PCSPK ": pit is not set: a " TYPE_I8254 " is needed");
        return false;
    }
    s->clock = qdev_get_machine(dev)->clock;
    memory_region_init_io(&s->io, OBJECT(s), &pcspk_ops, s, "pcspk", 1);
    isa_register_ioport(&s->parent_obj, &s->io, s->iobase);
    return true;
}

ISADevice *pcspk_create(ISABus *bus, I8254State *pit, GError **error)
{
    ISADevice *dev = isa_new(TYPE_PCSPK, error);

    if (!dev || !object_property_set_link(OBJECT(dev), "pit", OBJECT(pit), error)) {
        return NULL;
    }
    return isa_realize_and_unref(dev, bus, error) ? dev : NULL;
}

static const Property pcspk_properties[] = {
    DEFINE_PROP_LINK("pit", PCSpeaker, pit, TYPE_I8254, "timer whose counter 2 it gates"),
    DEFINE_PROP_UINT32("iobase", PCSpeaker, iobase, 0x61, "its port", .max = 0xffff),
    DEFINE_PROP_END,
};

static const StateField pcspk_state[] = {
    STATE_FIELD(PCSpeaker, control),
    STATE_END,
};

static void pcspk_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = pcspk_realize;
    dc->reset_enter = pcspk_reset;
    dc->state = pcspk_state;
    dc->category = DEVICE_CATEGORY_SOUND;
    dc->user_creatable = false;
}

static const TypeInfo pcspk_types[] = {
    {.name = TYPE_PCSPK,
     .parent = TYPE_ISA_DEVICE,
     .instance_size = sizeof(PCSpeaker),
     .class_init = pcspk_class_init,
     .properties = pcspk_properties,
     .doc = "port 61h: speaker, gate of timer 2, refresh toggle"},
};
DEFINE_TYPES(pcspk_types)
