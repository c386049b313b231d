/* SPDX-License-Identifier: MIT */
#include "hw/core/hotplug.h"
#include "hw/core/machine.h"

void qbus_set_hotplug(BusState *bus, const HotplugOps *ops, void *opaque)
{
    bus->hotplug = ops;
    bus->hotplug_opaque = opaque;
}

static bool simple_unplug(void *opaque, DeviceState *dev, GError **error)
{
    qdev_finish_unplug(dev);
    return true;
}

void qbus_allow_hotplug(BusState *bus)
{
    static const HotplugOps simple = {.unplug_request = simple_unplug};

    qbus_set_hotplug(bus, &simple, NULL);
}

bool qdev_check_hotplug(DeviceClass *dc, BusState *bus, GError **error)
{
    if (bus && !qbus_is_hotpluggable(bus)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "Bus '%s' does not support hotplugging", OBJECT(bus)->name);
        return false;
    }
    if (!dc->hotpluggable) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "Device '%s' does not support hotplugging",
                    object_class_get_name(OBJECT_CLASS(dc)));
        return false;
    }
    return true;
}

static char *unplug_event_data(DeviceState *dev)
{
    g_autofree char *path = object_get_path(OBJECT(dev));

    return dev->id ? g_strdup_printf("{\"device\": \"%s\", \"path\": \"%s\"}", dev->id, path)
                   : g_strdup_printf("{\"path\": \"%s\"}", path);
}

static bool is_waiting_for_guest(DeviceState *dev)
{
    return dev->pending_deleted &&
           (!dev->pending_deleted_until ||
            device_clock_ns(dev, CLOCK_REALTIME_NS) < dev->pending_deleted_until);
}

bool qdev_unplug_request(DeviceState *dev, GError **error)
{
    BusState *bus = dev->parent_bus;
    g_autofree char *name = qdev_get_display_name(dev);

    if (is_waiting_for_guest(dev)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "Device %s is already in the process of unplug", name);
        return false;
    }
    if (!qdev_check_hotplug(DEVICE_GET_CLASS(dev), bus, error)) {
        return false;
    }
    if (bus) {
        return bus->hotplug->unplug_request(bus->hotplug_opaque, dev, error);
    }
    qdev_finish_unplug(dev);
    return true;
}

typedef struct UnplugEvent {
    MachineState *machine;
    char *data;
} UnplugEvent;

static void emit_deleted(void *opaque)
{
    UnplugEvent *e = opaque;

    machine_emit_event(e->machine, "DEVICE_DELETED", e->data);
    g_free(e->data);
    g_free(e);
}

/* The event follows the reply of the command, and RESET, that led to it. */
void qdev_finish_unplug(DeviceState *dev)
{
    UnplugEvent *e = g_new(UnplugEvent, 1);

    *e = (UnplugEvent){qdev_get_machine(dev), unplug_event_data(dev)};
    object_unparent(OBJECT(dev));
    event_loop_call(e->machine->loop, emit_deleted, e);
}

static void finish_unplug(void *opaque)
{
    DeviceState *dev = opaque;

    if (OBJECT(dev)->parent) { /* it may have gone by other ways */
        qdev_finish_unplug(dev);
    }
    object_unref(OBJECT(dev));
}

void qdev_finish_unplug_later(DeviceState *dev)
{
    event_loop_call(qdev_get_machine(dev)->loop, finish_unplug, object_ref(OBJECT(dev)));
}

void qdev_refuse_unplug(DeviceState *dev)
{
    g_autofree char *data = unplug_event_data(dev);

    dev->pending_deleted = false;
    machine_emit_event(qdev_get_machine(dev), "DEVICE_UNPLUG_GUEST_ERROR", data);
}
