/* SPDX-License-Identifier: MIT
 *
 * Port 92h, system control port A: IBM PS/2 Hardware Interface Technical
 * Reference; ICH9 datasheet, 13.7.4.  Bit 0: a 0 to 1 change resets; bit 1: A20 gate.
 */
#include "hw/core/machine.h"
#include "hw/input/i8042.h"

#define PORT92_RESET 0x01
#define PORT92_A20   0x02

OBJECT_DECLARE_SIMPLE(Port92, PORT92, TYPE_PORT92)

struct Port92 {
    ISADevice parent_obj;
    MemoryRegion io;
    MachineState *machine;
    IRQ a20;
    uint8_t value;
};

static uint64_t port92_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((Port92 *)opaque)->value;
}

static void port92_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    Port92 *s = opaque;
    bool reset = data & ~s->value & PORT92_RESET;

    s->value = data & (PORT92_RESET | PORT92_A20);
    irq_set(s->a20, s->value & PORT92_A20 ? 1 : 0);
    if (reset) {
        system_reset_request(s->machine, SHUTDOWN_CAUSE_GUEST_RESET);
    }
}

static const MemoryRegionOps port92_ops = {
    .read = port92_read,
    .write = port92_write,
    .impl = {1, 1},
};

/* The keyboard controller leaves the gate open at reset, so this one does not say. */
static void port92_reset(DeviceState *dev, ResetType type)
{
    PORT92(dev)->value = 0;
}

static bool port92_realize(DeviceState *dev, GError **error)
{
    Port92 *s = PORT92(dev);

    s->machine = qdev_get_machine(dev);
    qdev_init_gpio_out_named(dev, &s->a20, I8042_A20, 1);
    memory_region_init_io(&s->io, OBJECT(s), &port92_ops, s, TYPE_PORT92, 1);
    isa_register_ioport(&s->parent_obj, &s->io, 0x92);
    return true;
}

static const StateField port92_state[] = {
    STATE_FIELD(Port92, value),
    STATE_END,
};

static void port92_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = port92_realize;
    dc->reset_enter = port92_reset;
    dc->state = port92_state;
    dc->user_creatable = false;
}

static const TypeInfo port92_types[] = {
    {.name = TYPE_PORT92,
     .parent = TYPE_ISA_DEVICE,
     .instance_size = sizeof(Port92),
     .class_init = port92_class_init,
     .doc = "port 92h: fast A20 gate and reset"},
};
DEFINE_TYPES(port92_types)
