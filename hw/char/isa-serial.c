/* SPDX-License-Identifier: MIT
 *
 * A 16550A at the addresses and lines of a PC's COM1 to COM4.
 */
#include "hw/char/serial.h"
#include "hw/core/machine.h"

OBJECT_DECLARE_SIMPLE(ISASerial, ISA_SERIAL, TYPE_ISA_SERIAL)

static const ISAPort isa_serial_ports[MAX_ISA_SERIAL] = {
    {0x3f8, 4},
    {0x2f8, 3},
    {0x3e8, 4},
    {0x2e8, 3}
};

struct ISASerial {
    ISADevice parent_obj;
    Serial uart;
    IRQ irq;
    uint32_t index, iobase, isa_irq;
    Object *chardev;
};

static void isa_serial_reset(DeviceState *dev, ResetType type)
{
    serial_reset(&ISA_SERIAL(dev)->uart);
}

static void isa_serial_reset_hold(DeviceState *dev)
{
    serial_update_irq(&ISA_SERIAL(dev)->uart);
}

static bool isa_serial_realize(DeviceState *dev, GError **error)
{
    ISASerial *s = ISA_SERIAL(dev);

    if (!isa_choose_port(&s->parent_obj, isa_serial_ports, MAX_ISA_SERIAL, &s->index, &s->iobase,
                         &s->isa_irq, error)) {
        return false;
    }
    s->irq = isa_get_irq(&s->parent_obj, s->isa_irq);
    s->uart.gated_by_out2 = true;
    if (!serial_realize(&s->uart, dev, &s->irq, (Chardev *)s->chardev, error)) {
        return false;
    }
    isa_register_ioport(&s->parent_obj, &s->uart.io, s->iobase);
    return true;
}

ISADevice *serial_isa_create(ISABus *bus, int index, Chardev *chr, GError **error)
{
    return isa_create_port(bus, TYPE_ISA_SERIAL, index, OBJECT(chr), error);
}

bool serial_isa_create_all(ISABus *bus, GError **error)
{
    return isa_create_ports(bus, TYPE_ISA_SERIAL, qdev_get_machine(bus->parent_obj.parent)->serial,
                            error);
}

static const Property isa_serial_properties[] = {
    DEFINE_PROP_UINT32("index", ISASerial, index, ISA_NONE,
                       "0 is COM1; unset: the next that is free"),
    DEFINE_PROP_UINT32("iobase", ISASerial, iobase, ISA_NONE,
                       "first of eight ports; unset: as index has it", .max = 0xfff8),
    DEFINE_PROP_UINT32("irq", ISASerial, isa_irq, ISA_NONE, "ISA line; unset: as index has it"),
    DEFINE_PROP_LINK("chardev", ISASerial, chardev, TYPE_CHARDEV, "where bytes come from and go"),
    DEFINE_PROP_END,
};

static const StateField isa_serial_state[] = {
    SERIAL_STATE_FIELDS(ISASerial, uart),
    STATE_END,
};

static void isa_serial_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = isa_serial_realize;
    dc->reset_enter = isa_serial_reset;
    dc->reset_hold = isa_serial_reset_hold;
    dc->state = isa_serial_state;
    dc->category = DEVICE_CATEGORY_INPUT;
    dc->user_creatable = true;
}

static const TypeInfo isa_serial_types[] = {
    {.name = TYPE_ISA_SERIAL,
     .parent = TYPE_ISA_DEVICE,
     .instance_size = sizeof(ISASerial),
     .class_init = isa_serial_class_init,
     .properties = isa_serial_properties,
     .doc = "16550A serial port"},
};
DEFINE_TYPES(isa_serial_types)
