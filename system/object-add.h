/* SPDX-License-Identifier: MIT
 *
 * Devices and objects from options: -device, -object, and the monitor's
 * device_add, device_del, object-add, object-del.  Main thread, big lock held.
 */
#ifndef SYSTEM_OBJECT_ADD_H
#define SYSTEM_OBJECT_ADD_H

#include "hw/core/machine.h"
#include "system/options.h"

/* qom-type=TYPE,id=ID,...: becomes /objects/ID. */
bool user_object_add(MachineState *machine, Options *options, GError **error);
bool user_object_del(MachineState *machine, const char *id, GError **error);

/* driver=TYPE,id=ID,bus=BUS,...: becomes /machine/peripheral/ID; borrowed. */
DeviceState *qdev_device_add(MachineState *machine, Options *options, GError **error);
/* By id or path; unrealizes it and sends DEVICE_DELETED. */
bool qdev_device_del(MachineState *machine, const char *id, GError **error);
/* The device that -device could make of that type, or NULL and an error. */
DeviceClass *qdev_find_driver(const char *driver, GError **error);

#endif
