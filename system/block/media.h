/* SPDX-License-Identifier: MIT
 *
 * Devices that block back ends are plugged into, and the media of those whose media can be
 * changed.  Main thread.
 */
#ifndef SYSTEM_BLOCK_MEDIA_H
#define SYSTEM_BLOCK_MEDIA_H

#include "hw/core/qdev.h"
#include "system/block/block.h"

/* Called with no lock held. */
typedef struct BlockDeviceOps {
    bool removable;
    /* Both or none: a tray.  Opening it leaves the medium in it. */
    bool (*is_tray_open)(DeviceState *dev);
    void (*set_tray)(DeviceState *dev, bool open);
    /* Optional: the guest does not let go of the medium, */
    bool (*is_locked)(DeviceState *dev);
    /* and is asked to. */
    void (*request_eject)(DeviceState *dev);
} BlockDeviceOps;

/* Until the device is unrealized. */
void blk_device_add(MachineState *machine, DeviceState *dev, BlockBackend *blk,
                    const BlockDeviceOps *ops);
/* From a device: its tray has moved, by whomever.  Any thread. */
void blk_device_tray_moved(MachineState *machine, DeviceState *dev, bool open);
/* Event BLOCK_IO_ERROR. */
void blk_device_io_error(MachineState *machine, DeviceState *dev, BlockBackend *blk, bool is_read,
                         BlockErrorAction action, int error);

/*
 * A device by the id of its drive (`device`) or by its own id or path (`id`); one is NULL.  False
 * and *error: there is none, it has no media, a tray that is in the way, a guest that holds on.
 */
typedef struct BlockTarget {
    const char *device, *id;
} BlockTarget;
bool blk_media_open_tray(MachineState *machine, BlockTarget target, bool force, GError **error);
bool blk_media_close_tray(MachineState *machine, BlockTarget target, GError **error);
bool blk_media_remove(MachineState *machine, BlockTarget target, GError **error);
/* The medium of a drive that no device has. */
bool blk_media_insert(MachineState *machine, BlockTarget target, const char *node, GError **error);
bool blk_media_eject(MachineState *machine, BlockTarget target, bool force, GError **error);
/* read_only: "retain", "read-only", "read-write" or NULL. */
bool blk_media_change(MachineState *machine, BlockTarget target, const char *file,
                      const char *format, const char *read_only, bool force, GError **error);

/* What query-block and `info block` tell. */
typedef struct BlockDeviceInfo {
    const char *device; /* id of the drive, "" for none */
    char *path;         /* id of the device, or its path; NULL: none has it */
    BlockBackend *blk;
    bool removable, locked, has_tray, tray_open;
} BlockDeviceInfo;
typedef void (*BlockDeviceVisitor)(const BlockDeviceInfo *info, void *opaque);
void blk_device_foreach(MachineState *machine, BlockDeviceVisitor fn, void *opaque);

#endif
