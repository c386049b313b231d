/* SPDX-License-Identifier: MIT
 *
 * The ISA bus: see hw/isa/isa.h.  ISA System Architecture; lines as wired in the
 * IBM Personal Computer AT Technical Reference (1984), section 1.
 */
#include "hw/isa/isa.h"

#include "hw/core/machine.h"

static void isa_bus_drop_irqs(ISABus *bus)
{
    for (int i = 0; i < ISA_NUM_IRQS; i++) {
        g_clear_pointer(&bus->irqs[i], irq_unref);
    }
}

static void isa_bus_finalize(Object *obj)
{
    isa_bus_drop_irqs((ISABus *)obj);
}

ISABus *isa_bus_new(DeviceState *bridge, MemoryRegion *mem, MemoryRegion *io, GError **error)
{
    if (!mem || !io) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "an ISA bus needs a memory and a port window");
        return NULL;
    }
    ISABus *bus = ISA_BUS(qbus_new(TYPE_ISA_BUS, bridge, "isa.0"));
    bus->address_space = mem;
    bus->address_space_io = io;
    return bus;
}

void isa_bus_register_input_irqs(ISABus *bus, IRQ *irqs)
{
    isa_bus_drop_irqs(bus);
    for (int i = 0; i < ISA_NUM_IRQS; i++) {
        bus->irqs[i] = irqs[i] ? irq_ref(irqs[i]) : NULL;
    }
}

void isa_bus_dma(ISABus *bus, ISADMA *low, ISADMA *high)
{
    bus->dma[0] = low;
    bus->dma[1] = high;
}

ISABus *isa_bus_from_device(ISADevice *dev)
{
    return ISA_BUS(qdev_get_parent_bus(DEVICE(dev)));
}

IRQ isa_bus_get_irq(ISABus *bus, uint32_t n)
{
    return n < ISA_NUM_IRQS ? bus->irqs[n] : NULL;
}

IRQ isa_get_irq(ISADevice *dev, uint32_t n)
{
    return isa_bus_get_irq(isa_bus_from_device(dev), n);
}

ISADMA *isa_get_dma(ISABus *bus, uint32_t nchan)
{
    return nchan < ISA_DMA_CHANNELS ? bus->dma[nchan >> 2] : NULL;
}

bool isa_check_irq(ISADevice *dev, const char *property, uint32_t irq, GError **error)
{
    if (irq < ISA_NUM_IRQS || irq == ISA_NONE) {
        return true;
    }
    g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE, "%s: %s=%u: an ISA line is 0 to %d",
                object_get_typename(OBJECT(dev)), property, irq, ISA_NUM_IRQS - 1);
    return false;
}

static uint32_t isa_next_index(ISADevice *dev)
{
    uint32_t n = 0;

    for (GList *l = dev->parent_obj.parent_bus->children.head; l; l = l->next) {
        n += l->data != dev && OBJECT(l->data)->klass == OBJECT(dev)->klass;
    }
    return n;
}

bool isa_choose_port(ISADevice *dev, const ISAPort *ports, unsigned nr_ports, uint32_t *index,
                     uint32_t *iobase, uint32_t *irq, GError **error)
{
    if (*index == ISA_NONE) {
        *index = isa_next_index(dev);
    }
    if (*index >= nr_ports) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "%s: index=%u: there can be at most %u, 0 to %u",
                    object_get_typename(OBJECT(dev)), *index, nr_ports, nr_ports - 1);
        return false;
    }
    if (*iobase == ISA_NONE) {
        *iobase = ports[*index].iobase;
    }
    if (*irq == ISA_NONE) {
        *irq = ports[*index].irq;
    }
    return isa_check_irq(dev, "irq", *irq, error);
}

ISADevice *isa_create_port(ISABus *bus, const char *type, int index, Object *chr, GError **error)
{
    ISADevice *dev = isa_new(type, error);

    if (!dev || !object_property_set_uint(OBJECT(dev), "index", index, error) ||
        (chr && !object_property_set_link(OBJECT(dev), "chardev", chr, error))) {
        object_unref(dev);
        return NULL;
    }
    return isa_realize_and_unref(dev, bus, error) ? dev : NULL;
}

bool isa_create_ports(ISABus *bus, const char *type, GPtrArray *chrs, GError **error)
{
    for (guint i = 0; i < chrs->len; i++) {
        if (chrs->pdata[i] && !isa_create_port(bus, type, i, chrs->pdata[i], error)) {
            return false;
        }
    }
    return true;
}

void isa_register_ioport(ISADevice *dev, MemoryRegion *mr, uint16_t start)
{
    isa_register_ioport_overlap(dev, mr, start, 0);
}

void isa_register_ioport_overlap(ISADevice *dev, MemoryRegion *mr, uint16_t start, int priority)
{
    MemoryRegion *io = isa_bus_from_device(dev)->address_space_io;

    memory_region_add_subregion_overlap(io, start, mr, priority);
}

ISADevice *isa_new(const char *type, GError **error)
{
    return (ISADevice *)qdev_new(type, error);
}

bool isa_realize_and_unref(ISADevice *dev, ISABus *bus, GError **error)
{
    return qdev_realize_and_unref(DEVICE(dev), &bus->parent_obj, error);
}

ISADevice *isa_create_simple(ISABus *bus, const char *type, GError **error)
{
    ISADevice *dev = isa_new(type, error);

    return dev && isa_realize_and_unref(dev, bus, error) ? dev : NULL;
}

static void isa_device_class_init(ObjectClass *klass, const void *data)
{
    DEVICE_CLASS(klass)->bus_type = TYPE_ISA_BUS;
    DEVICE_CLASS(klass)->hotpluggable = false;
}

/* "fdc@03f0" */
static char *isa_get_fw_dev_path(DeviceState *dev)
{
    const char *name = DEVICE_GET_CLASS(dev)->fw_name;

    return name ? g_strdup_printf("%s@%04x", name,
                                  (unsigned)object_property_get_uint(OBJECT(dev), "iobase", NULL))
                : NULL;
}

static void isa_bus_class_init(ObjectClass *klass, const void *data)
{
    BUS_CLASS(klass)->get_fw_dev_path = isa_get_fw_dev_path;
}

static const TypeInfo isa_types[] = {
    {.name = TYPE_ISA_BUS,
     .parent = TYPE_BUS,
     .instance_size = sizeof(ISABus),
     .instance_finalize = isa_bus_finalize,
     .class_init = isa_bus_class_init,
     .class_size = sizeof(ISABusClass),
     .doc = "ISA bus"},
    {.name = TYPE_ISA_DEVICE,
     .parent = TYPE_DEVICE,
     .abstract = true,
     .instance_size = sizeof(ISADevice),
     .class_size = sizeof(ISADeviceClass),
     .class_init = isa_device_class_init,
     .doc = "device on an ISA bus"},
    {.name = TYPE_ISA_DMA,
     .parent = TYPE_INTERFACE,
     .class_size = sizeof(ISADMAClass),
     .doc = "DMA controller of an ISA bus"       },
};
DEFINE_TYPES(isa_types)
