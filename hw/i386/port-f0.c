/* SPDX-License-Identifier: MIT
 *
 * Port f0h of a PC: the latch between FERR# of the first processor and IRQ 13.  IBM PC AT
 * Technical Reference, "coprocessor"; ICH9 datasheet, 13.7.2 (COPROC_ERR).  A write clears
 * the interrupt; reads find nothing.
 */
#include "hw/i386/pc.h"

#define TYPE_PORTF0 "portf0"
#define FERR_IRQ    13

OBJECT_DECLARE_SIMPLE(PortF0, PORTF0, TYPE_PORTF0)

struct PortF0 {
    ISADevice parent_obj;
    MemoryRegion io;
    IRQ irq;
    bool latched;
};

static void portf0_set(PortF0 *s, bool level)
{
    device_lock(DEVICE(s));
    s->latched = level;
    irq_set(s->irq, level);
    device_unlock(DEVICE(s));
}

/* FERR# falls; what clears the latch is the write. */
static void portf0_ferr(void *opaque, int n, int level)
{
    if (level) {
        portf0_set(opaque, true);
    }
}

static uint64_t portf0_read(void *opaque, hwaddr addr, unsigned size)
{
    return UINT64_MAX;
}

static void portf0_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    portf0_set(opaque, false);
}

static const MemoryRegionOps portf0_ops = {
    .read = portf0_read,
    .write = portf0_write,
    .impl = {1, 1},
};

static void portf0_reset(DeviceState *dev, ResetType type)
{
    PORTF0(dev)->latched = false;
}

static void portf0_reset_hold(DeviceState *dev)
{
    irq_lower(PORTF0(dev)->irq);
}

static bool portf0_realize(DeviceState *dev, GError **error)
{
    PortF0 *s = PORTF0(dev);

    s->irq = isa_get_irq(&s->parent_obj, FERR_IRQ);
    qdev_init_gpio_in(dev, portf0_ferr, 1);
    memory_region_init_io(&s->io, OBJECT(s), &portf0_ops, s, TYPE_PORTF0, 1);
    isa_register_ioport(&s->parent_obj, &s->io, 0xf0);
    return true;
}

bool portf0_create(ISABus *bus, MachineState *machine, GError **error)
{
    ISADevice *dev = isa_new(TYPE_PORTF0, error);
    CPUState *cpu = machine_get_cpu(machine, 0);

    if (!dev || !isa_realize_and_unref(dev, bus, error)) {
        return false;
    }
    qdev_connect_gpio_out_named(DEVICE(cpu), X86_CPU_FERR, 0, qdev_get_gpio_in(DEVICE(dev), 0));
    return true;
}

static const StateField portf0_state[] = {
    STATE_FIELD(PortF0, latched),
    STATE_END,
};

static void portf0_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = portf0_realize;
    dc->reset_enter = portf0_reset;
    dc->reset_hold = portf0_reset_hold;
    dc->state = portf0_state;
    dc->user_creatable = false;
}

static const TypeInfo portf0_types[] = {
    {
     .name = TYPE_PORTF0,
     .parent = TYPE_ISA_DEVICE,
     .instance_size = sizeof(PortF0),
     .class_init = portf0_class_init,
     .doc = "port f0h: interrupt of the numeric coprocessor",
     },
};
DEFINE_TYPES(portf0_types)
