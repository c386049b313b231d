/* SPDX-License-Identifier: MIT
 *
 * Devices that sit at fixed addresses.  A machine maps them itself; with
 * -device, the properties "addr" and "irq" say where region 0 and output 0 go.
 */
#include "hw/core/machine.h"
#include "hw/core/qdev.h"

static void sysbus_drop_mmio(void *opaque)
{
    ((SysBusDevice *)opaque)->num_mmio--;
}

static void sysbus_drop_irq(void *opaque)
{
    ((SysBusDevice *)opaque)->num_irq--;
}

void sysbus_init_mmio(SysBusDevice *dev, MemoryRegion *mr)
{
    g_assert(dev->num_mmio < SYSBUS_MAX_MMIO);
    dev->mmio_addr[dev->num_mmio] = UINT64_MAX;
    dev->mmio[dev->num_mmio++] = mr;
    if (DEVICE(dev)->realizing) {
        qdev_on_unrealize(DEVICE(dev), sysbus_drop_mmio, dev);
    }
}

void sysbus_init_irq(SysBusDevice *dev, IRQ *irq)
{
    g_assert(dev->num_irq < SYSBUS_MAX_IRQ);
    dev->irqp[dev->num_irq++] = irq;
    qdev_init_gpio_out_named(DEVICE(dev), irq, "sysbus-irq", 1);
    if (DEVICE(dev)->realizing) {
        qdev_on_unrealize(DEVICE(dev), sysbus_drop_irq, dev);
    }
}

void sysbus_mmio_map(SysBusDevice *dev, int n, uint64_t addr)
{
    MachineState *machine = qdev_get_machine(dev);

    g_assert(n >= 0 && n < dev->num_mmio);
    if (dev->mmio[n]->container) {
        memory_region_del_subregion(dev->mmio[n]->container, dev->mmio[n]);
    }
    dev->mmio_addr[n] = addr;
    memory_region_add_subregion(machine->system_memory, addr, dev->mmio[n]);
}

void sysbus_connect_irq(SysBusDevice *dev, int n, IRQ irq)
{
    g_assert(n >= 0 && n < dev->num_irq);
    *dev->irqp[n] = irq;
}

static bool sysbus_place(DeviceState *opaque, GError **error)
{
    SysBusDevice *dev = SYS_BUS_DEVICE(opaque);
    MachineState *machine = qdev_get_machine(dev);
    const char *type = object_get_typename(OBJECT(dev));

    if (dev->addr != UINT64_MAX && dev->num_mmio) {
        sysbus_mmio_map(dev, 0, dev->addr);
    }
    if (dev->irq < 0 || !dev->num_irq) {
        return true;
    }
    if (dev->irq >= machine->nr_gsi) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "Property '%s.irq': %d is out of range: the machine has %d interrupt lines",
                    type, dev->irq, machine->nr_gsi);
        return false;
    }
    sysbus_connect_irq(dev, 0, machine->gsi[dev->irq]);
    return true;
}

static const Property sysbus_properties[] = {
    DEFINE_PROP_UINT64("addr", SysBusDevice, addr, UINT64_MAX,
                       "Guest physical address of its first region; the default maps nothing"),
    DEFINE_PROP_INT32("irq", SysBusDevice, irq, -1,
                      "Global system interrupt of its first output; -1: none", .min = (uint64_t)-1,
                      .max = 255),
    DEFINE_PROP_END,
};

static void sysbus_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    DEVICE_CLASS(klass)->place = sysbus_place;
}

static const TypeInfo sysbus_types[] = {
    {.name = TYPE_SYS_BUS_DEVICE,
     .parent = TYPE_DEVICE,
     .instance_size = sizeof(SysBusDevice),
     .class_init = sysbus_class_init,
     .properties = sysbus_properties,
     .abstract = true,
     .doc = "Device at an address that the machine gives it"},
};
DEFINE_TYPES(sysbus_types)
