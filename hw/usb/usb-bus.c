/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include "hw/core/hotplug.h"
#include "hw/core/machine.h"
#include "hw/usb/usb.h"

/* ---- buses -------------------------------------------------------------------------------- */

USBBus *usb_bus_new(DeviceState *host, unsigned nr_ports, const USBBusOps *ops, void *opaque)
{
    g_autofree char *name = host->id ? g_strdup_printf("%s.0", host->id) : NULL;
    USBBus *bus = USB_BUS(qbus_new(TYPE_USB_BUS, host, name));

    qbus_allow_hotplug(&bus->parent_obj);
    bus->ops = ops;
    bus->opaque = opaque;
    bus->nr_ports = nr_ports;
    bus->ports = g_new0(USBDevice *, nr_ports);
    return bus;
}

USBDevice *usb_bus_get(USBBus *bus, unsigned port)
{
    return port < bus->nr_ports ? bus->ports[port] : NULL;
}

static bool find_port(USBBus *bus, USBDevice *dev, GError **error)
{
    char *end;
    unsigned long wanted;

    if (!dev->port_name || !*dev->port_name) {
        for (dev->port = 0; dev->port < bus->nr_ports; dev->port++) {
            if (!bus->ports[dev->port]) {
                return true;
            }
        }
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "every port of bus '%s' is in use",
                    OBJECT(bus)->name);
        return false;
    }
    wanted = strtoul(dev->port_name, &end, 10);
    if (*end || wanted < 1 || wanted > bus->nr_ports) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "port=%s: expected 1 to %u, the ports of bus '%s'", dev->port_name,
                    bus->nr_ports, OBJECT(bus)->name);
        return false;
    }
    dev->port = (unsigned)wanted - 1;
    if (bus->ports[dev->port]) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "port=%s: in use already",
                    dev->port_name);
        return false;
    }
    return true;
}

static bool usb_bus_plug(BusState *qbus, DeviceState *qdev, GError **error)
{
    USBBus *bus = USB_BUS(qbus);
    USBDevice *dev = USB_DEVICE(qdev);

    if (!find_port(bus, dev, error)) {
        return false;
    }
    bus->ports[dev->port] = dev;
    return true;
}

static void usb_bus_unplug(BusState *qbus, DeviceState *qdev)
{
    USB_BUS(qbus)->ports[USB_DEVICE(qdev)->port] = NULL;
}

static char *usb_bus_dev_path(DeviceState *qdev)
{
    return g_strdup_printf("%u", USB_DEVICE(qdev)->port + 1);
}

static void usb_bus_finalize(Object *obj)
{
    g_free(USB_BUS(obj)->ports);
}

static void usb_bus_class_init(ObjectClass *klass, const void *data)
{
    BUS_CLASS(klass)->plug = usb_bus_plug;
    BUS_CLASS(klass)->unplug = usb_bus_unplug;
    BUS_CLASS(klass)->get_dev_path = usb_bus_dev_path;
}

/* ---- devices ------------------------------------------------------------------------------ */

static USBBus *bus_of(USBDevice *dev)
{
    return USB_BUS(dev->parent_obj.parent_bus);
}

void usb_wakeup(USBDevice *dev)
{
    USBBus *bus = bus_of(dev);

    if (bus && dev->attached) {
        bus->ops->wakeup(bus->opaque, dev->port);
    }
}

void usb_endpoint_halt(USBDevice *dev, unsigned endpoint, bool in, bool halt)
{
    uint16_t *halted = in ? &dev->halted_in : &dev->halted;

    if (halt) {
        *halted |= (uint16_t)(1u << endpoint);
    } else {
        *halted &= (uint16_t) ~(1u << endpoint);
    }
}

static void reset_locked(USBDevice *dev)
{
    USBDeviceClass *uc = USB_DEVICE_GET_CLASS(dev);

    dev->configuration = 0;
    dev->remote_wakeup = false;
    dev->halted = dev->halted_in = 0;
    if (uc->reset) {
        uc->reset(dev);
    }
}

void usb_device_reset(USBDevice *dev)
{
    device_lock(DEVICE(dev));
    reset_locked(dev);
    device_unlock(DEVICE(dev));
}

int usb_device_control(USBDevice *dev, const USBSetup *setup, uint8_t *data)
{
    USBDeviceClass *uc = USB_DEVICE_GET_CLASS(dev);
    int ret = USB_RET_STALL;

    device_lock(DEVICE(dev));
    if (uc->control) {
        ret = uc->control(dev, setup, data);
    }
    if (ret == USB_RET_STALL && !(setup->request_type & 0x60)) {
        ret = usb_standard_request(dev, setup, data);
    }
    device_unlock(DEVICE(dev));
    return ret;
}

int usb_device_data(USBDevice *dev, unsigned endpoint, bool in, uint8_t *buf, size_t len)
{
    int ret;

    device_lock(DEVICE(dev));
    if (!dev->configuration || (in ? dev->halted_in : dev->halted) & 1u << endpoint) {
        ret = USB_RET_STALL;
    } else {
        ret = USB_DEVICE_GET_CLASS(dev)->data(dev, endpoint, in, buf, len);
    }
    device_unlock(DEVICE(dev));
    return ret;
}

static void usb_detach(void *opaque)
{
    USBDevice *dev = opaque;
    USBBus *bus = bus_of(dev);

    dev->attached = false;
    if (bus) {
        bus->ops->detach(bus->opaque, dev->port);
    }
}

static bool usb_device_realize(DeviceState *qdev, GError **error)
{
    USBDevice *dev = USB_DEVICE(qdev);
    USBBus *bus = bus_of(dev);

    if (!USB_DEVICE_GET_CLASS(dev)->realize(dev, error)) {
        return false;
    }
    dev->attached = true;
    qdev_on_unrealize(qdev, usb_detach, dev);
    bus->ops->attach(bus->opaque, dev->port);
    return true;
}

static void usb_device_cold_reset(DeviceState *qdev, ResetType type)
{
    reset_locked(USB_DEVICE(qdev));
}

static const Property usb_device_properties[] = {
    DEFINE_PROP_STRING("port", USBDevice, port_name, NULL,
                       "port of the bus, from 1; the first free"),
    DEFINE_PROP_END,
};

static void usb_device_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = usb_device_realize;
    dc->reset_enter = usb_device_cold_reset;
    dc->bus_type = TYPE_USB_BUS;
    dc->category = DEVICE_CATEGORY_USB;
}

/* ---- info usb ------------------------------------------------------------------------------ */

static bool print_bus(Object *obj, const char *name, void *opaque)
{
    static const char *const speeds[] = {"1.5", "12", "480", "5000"};
    USBBus *bus = (USBBus *)object_dynamic_cast(obj, TYPE_USB_BUS);

    for (unsigned n = 0; bus && n < bus->nr_ports; n++) {
        USBDevice *dev = bus->ports[n];

        if (dev) {
            const USBDescriptors *d = USB_DEVICE_GET_CLASS(dev)->descriptors(dev);

            g_string_append_printf(opaque, "  Bus %s, Port %u, Speed %s Mb/s, Product %s%s%s\n",
                                   name, n + 1, speeds[dev->speed], d->strings[1],
                                   DEVICE(dev)->id ? ", ID: " : "",
                                   DEVICE(dev)->id ? DEVICE(dev)->id : "");
        }
    }
    return false;
}

void usb_machine_print(MachineState *machine, GString *out)
{
    gsize before = out->len;

    object_child_foreach_recursive(OBJECT(machine), print_bus, out);
    if (out->len == before) {
        g_string_append(out, "no USB devices\n");
    }
}

static const TypeInfo usb_types[] = {
    {.name = TYPE_USB_BUS,
     .parent = TYPE_BUS,
     .instance_size = sizeof(USBBus),
     .instance_finalize = usb_bus_finalize,
     .class_init = usb_bus_class_init,
     .doc = "a USB bus: the root hub of a host controller"},
    { .name = TYPE_USB_DEVICE,
     .parent = TYPE_DEVICE,
     .instance_size = sizeof(USBDevice),
     .class_size = sizeof(USBDeviceClass),
     .abstract = true,
     .class_init = usb_device_class_init,
     .properties = usb_device_properties,
     .doc = "what plugs into a USB bus"},
};
DEFINE_TYPES(usb_types)
