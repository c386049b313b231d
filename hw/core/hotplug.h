/* SPDX-License-Identifier: MIT
 *
 * Adding devices to a running machine and taking them away: who on a bus tells the guest.
 * Main thread, big lock held.
 */
#ifndef HW_CORE_HOTPLUG_H
#define HW_CORE_HOTPLUG_H

#include "hw/core/qdev.h"

struct HotplugOps {
    /* Optional: may the device (not yet realized, addressed on its bus) come?  False and *error. */
    bool (*pre_plug)(void *opaque, DeviceState *dev, GError **error);
    /* Optional: it is realized; if dev->hotplugged, the guest is to be told. */
    void (*plug)(void *opaque, DeviceState *dev);
    /*
     * device_del.  Ask the guest to let go of it (set dev->pending_deleted), or finish at once.
     * What the guest answers ends in qdev_finish_unplug().  False and *error: cannot be done.
     * NULL: the bus takes and gives nothing once the machine runs.
     */
    bool (*unplug_request)(void *opaque, DeviceState *dev, GError **error);
    /* Optional: it has left the bus (unrealized), whatever the reason. */
    void (*unplugged)(void *opaque, DeviceState *dev);
};

/* Set when the bus is made or its controller is; opaque outlives the bus.  NULL: none again. */
void qbus_set_hotplug(BusState *bus, const HotplugOps *ops, void *opaque);
/* A bus whose devices come and go with no ceremony (USB): removal is at once. */
void qbus_allow_hotplug(BusState *bus);
static inline bool qbus_is_hotpluggable(const BusState *bus)
{
    return bus->hotplug && bus->hotplug->unplug_request;
}

/* May a device be added to this bus (NULL: none) now?  False and *error once the machine is up. */
bool qdev_check_hotplug(DeviceClass *dc, BusState *bus, GError **error);
/*
 * Begin to take the device away.  It is gone now or when the guest agrees; DEVICE_DELETED
 * tells.
 */
bool qdev_unplug_request(DeviceState *dev, GError **error);
/* The guest has let go: the device goes, and monitors get DEVICE_DELETED. */
void qdev_finish_unplug(DeviceState *dev);
/* The same from any thread and under any lock: done soon, by the main thread. */
void qdev_finish_unplug_later(DeviceState *dev);
/* The guest has refused: DEVICE_UNPLUG_GUEST_ERROR; it stays. */
void qdev_refuse_unplug(DeviceState *dev);

#endif
