/* SPDX-License-Identifier: MIT
 *
 * A 16550A at the addresses and lines of a PC's COM1 to COM4.
 */
#include "hw/char/serial.h"
#include "hw/core/machine.h"

OBJECT_DECLARE_SIMPLE(ISASerial, ISA_SERIAL, TYPE_ISA_SERIAL)

static const struct {
    uint16_t iobase;
    uint8_t irq;
} isa_serial_ports[MAX_ISA_SERIAL] = {
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

/* Without "index": the next after those that are on the bus. */
static uint32_t isa_serial_next_index(ISASerial *s)
{
    uint32_t n = 0;

    for (GList *l = DEVICE(s)->parent_bus->children.head; l; l = l->next) {
        n += l->data != s && object_dynamic_cast(l->data, TYPE_ISA_SERIAL);
    }
    return n;
}

static bool isa_serial_choose_port(ISASerial *s, GError **error)
{
    if (s->index == ISA_NONE) {
        s->index = isa_serial_next_index(s);
    }
    if (s->index >= MAX_ISA_SERIAL) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    TYPE_ISA_SERIAL ": index=%u: there can be at most %d, 0 to %d", s->index,
                    MAX_ISA_SERIAL, MAX_ISA_SERIAL - 1);
        return false;
    }
    if (s->iobase == ISA_NONE) {
        s->iobase = isa_serial_ports[s->index].iobase;
    }
    if (s->isa_irq == ISA_NONE) {
        s->isa_irq = isa_serial_ports[s->index].irq;
    }
    return isa_check_irq(&s->parent_obj, "irq", s->isa_irq, error);
}

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

    if (!isa_serial_choose_port(s, error)) {
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
    ISADevice *dev = isa_new(TYPE_ISA_SERIAL, error);

    if (!dev || !object_property_set_uint(OBJECT(dev), "index", index, error) ||
        (chr && !object_property_set_link(OBJECT(dev), "chardev", OBJECT(chr), error))) {
        object_unref(dev);
        return NULL;
    }
    return isa_realize_and_unref(dev, bus, error) ? dev : NULL;
}

bool serial_isa_create_all(ISABus *bus, GError **error)
{
    GPtrArray *serial = qdev_get_machine(bus->parent_obj.parent)->serial;

    for (unsigned i = 0; i < serial->len; i++) {
        if (serial->pdata[i] && !serial_isa_create(bus, i, serial->pdata[i], error)) {
            return false;
        }
    }
    return true;
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
