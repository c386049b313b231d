/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include "hw/core/machine.h"
#include "system/block/media.h"

typedef struct BlockDevice {
    MachineState *machine;
    DeviceState *dev;
    BlockBackend *blk;
    const BlockDeviceOps *ops;
} BlockDevice;

/* ---- the list ------------------------------------------------------------------------------ */

static void device_forget(void *opaque)
{
    BlockDevice *d = opaque;

    g_ptr_array_remove(d->machine->block_devices, d);
    blk_unref(d->blk);
    g_free(d);
}

void blk_device_add(MachineState *machine, DeviceState *dev, BlockBackend *blk,
                    const BlockDeviceOps *ops)
{
    BlockDevice *d = g_new(BlockDevice, 1);

    *d = (BlockDevice){machine, dev, blk_ref(blk), ops};
    if (!machine->block_devices) {
        machine->block_devices = g_ptr_array_new();
    }
    g_ptr_array_add(machine->block_devices, d);
    qdev_on_unrealize(dev, device_forget, d);
}

static const char *device_drive(const BlockDevice *d)
{
    const DriveInfo *drive = drive_by_id(d->machine, blk_id(d->blk));

    return drive && !drive->is_node ? blk_id(d->blk) : "";
}

static bool device_matches(const BlockDevice *d, BlockTarget target)
{
    g_autofree char *path = object_get_path(OBJECT(d->dev));

    if (target.device) {
        return !strcmp(blk_id(d->blk), target.device);
    }
    return !g_strcmp0(d->dev->id, target.id) || !g_strcmp0(path, target.id);
}

static BlockDevice *device_find(MachineState *machine, BlockTarget target, GError **error)
{
    for (guint i = 0; machine->block_devices && i < machine->block_devices->len; i++) {
        BlockDevice *d = machine->block_devices->pdata[i];

        if (device_matches(d, target)) {
            return d;
        }
    }
    if (!target.device && !target.id) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION, "expected device=DRIVE or id=DEVICE");
    } else {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_NOT_FOUND, "Device '%s' not found",
                    target.device ? target.device : target.id);
    }
    return NULL;
}

static BlockDevice *device_find_removable(MachineState *machine, BlockTarget target, GError **error)
{
    BlockDevice *d = device_find(machine, target, error);

    if (d && !d->ops->removable) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION, "Device '%s' is not removable",
                    target.device ? target.device : target.id);
        return NULL;
    }
    return d;
}

static bool has_tray(const BlockDevice *d)
{
    return d->ops->is_tray_open != NULL;
}

static bool is_locked(const BlockDevice *d)
{
    return d->ops->is_locked && d->ops->is_locked(d->dev);
}

/* ---- events ---------------------------------------------------------------------------------- */

typedef struct BlockEvent {
    MachineState *machine;
    const char *name;
    char *data;
} BlockEvent;

static void event_emit(void *opaque)
{
    BlockEvent *event = opaque;

    machine_emit_event(event->machine, event->name, event->data);
    g_free(event->data);
    g_free(event);
}

static void event_post(MachineState *machine, const char *name, char *data)
{
    BlockEvent *event = g_new(BlockEvent, 1);

    *event = (BlockEvent){machine, name, data};
    event_loop_call(machine->loop, event_emit, event);
}

static char *device_name(DeviceState *dev)
{
    return dev->id ? g_strdup(dev->id) : object_get_path(OBJECT(dev));
}

static const BlockDevice *entry_of(MachineState *machine, DeviceState *dev)
{
    for (guint i = 0; machine->block_devices && i < machine->block_devices->len; i++) {
        BlockDevice *d = machine->block_devices->pdata[i];

        if (d->dev == dev) {
            return d;
        }
    }
    return NULL;
}

void blk_device_tray_moved(MachineState *machine, DeviceState *dev, bool open)
{
    g_autofree char *name = device_name(dev);
    const BlockDevice *d = entry_of(machine, dev);

    event_post(machine, "DEVICE_TRAY_MOVED",
               g_strdup_printf("{\"device\": \"%s\", \"id\": \"%s\", \"tray-open\": %s}",
                               d ? device_drive(d) : "", name, open ? "true" : "false"));
}

void blk_device_io_error(MachineState *machine, DeviceState *dev, BlockBackend *blk, bool is_read,
                         BlockErrorAction action, int error)
{
    static const char *const actions[] = {"report", "ignore", "report", "stop"};
    const BlockDevice *d = entry_of(machine, dev);

    event_post(machine, "BLOCK_IO_ERROR",
               g_strdup_printf("{\"device\": \"%s\", \"node-name\": \"%s\", \"operation\": \"%s\", "
                               "\"action\": \"%s\", \"nospace\": %s, \"reason\": \"%s\"}",
                               d ? device_drive(d) : "", blk_id(blk), is_read ? "read" : "write",
                               actions[action], error == ENOSPC ? "true" : "false",
                               g_strerror(error)));
}

/* ---- trays and media ---------------------------------------------------------------------------- */

static bool open_tray(BlockDevice *d, bool force, GError **error)
{
    if (!has_tray(d) || d->ops->is_tray_open(d->dev)) {
        return true;
    }
    if (is_locked(d)) {
        g_autofree char *name = device_name(d->dev);

        if (d->ops->request_eject) {
            d->ops->request_eject(d->dev);
        }
        if (!force) {
            g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_LOCKED,
                        "Device '%s' is locked and force was not specified, wait for tray to open "
                        "and try again",
                        name);
            return false;
        }
    }
    d->ops->set_tray(d->dev, true);
    return true;
}

bool blk_media_open_tray(MachineState *machine, BlockTarget target, bool force, GError **error)
{
    BlockDevice *d = device_find_removable(machine, target, error);
    g_autoptr(GError) locked = NULL;

    if (!d) {
        return false;
    }
    /* A guest that was asked may open it later: that is no failure. */
    if (open_tray(d, force, &locked) || g_error_matches(locked, BLOCK_ERROR, BLOCK_ERROR_LOCKED)) {
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&locked));
    return false;
}

bool blk_media_close_tray(MachineState *machine, BlockTarget target, GError **error)
{
    BlockDevice *d = device_find_removable(machine, target, error);

    if (d && has_tray(d) && d->ops->is_tray_open(d->dev)) {
        d->ops->set_tray(d->dev, false);
    }
    return d;
}

static bool check_tray_open(BlockDevice *d, GError **error)
{
    if (!has_tray(d) || d->ops->is_tray_open(d->dev)) {
        return true;
    }
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION, "Tray of the device is not open");
    return false;
}

bool blk_media_remove(MachineState *machine, BlockTarget target, GError **error)
{
    BlockDevice *d = device_find_removable(machine, target, error);

    if (!d || !check_tray_open(d, error)) {
        return false;
    }
    blk_close(d->blk);
    return true;
}

bool blk_media_insert(MachineState *machine, BlockTarget target, const char *node, GError **error)
{
    BlockDevice *d = device_find_removable(machine, target, error);
    DriveInfo *drive = drive_by_id(machine, node);

    if (!d || !check_tray_open(d, error)) {
        return false;
    }
    if (!drive || !blk_is_inserted(drive->blk)) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION, "Node '%s' not found", node);
        return false;
    }
    if (blk_is_inserted(d->blk)) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION, "There already is a medium in the device");
        return false;
    }
    if (drive->claimed) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_LOCKED, "Node '%s' is already in use", node);
        return false;
    }
    blk_move(d->blk, drive->blk);
    return true;
}

bool blk_media_eject(MachineState *machine, BlockTarget target, bool force, GError **error)
{
    BlockDevice *d = device_find_removable(machine, target, error);

    if (!d || !open_tray(d, force, error)) {
        return false;
    }
    blk_close(d->blk);
    return true;
}

bool blk_media_change(MachineState *machine, BlockTarget target, const char *file,
                      const char *format, const char *read_only, bool force, GError **error)
{
    BlockDevice *d = device_find_removable(machine, target, error);
    bool read_write = !g_strcmp0(read_only, "read-write");
    BlockOpenOptions options = {.format = format,
                                .read_only = !g_strcmp0(read_only, "read-only"),
                                .auto_read_only = !read_write};
    BlockBackend *fresh;

    if (!d) {
        return false;
    }
    if (read_only && !read_write && !options.read_only && strcmp(read_only, "retain")) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION,
                    "read-only-mode=%s: expected retain, read-only or read-write", read_only);
        return false;
    }
    if (has_tray(d) || (!read_write && blk_is_read_only(d->blk))) {
        options.read_only = true; /* a CD, or what was there could not be written */
    }
    fresh = blk_new(blk_id(d->blk));
    if (!blk_open(fresh, file, &options, error) || !open_tray(d, force, error)) {
        blk_unref(fresh);
        return false;
    }
    blk_move(d->blk, fresh);
    blk_unref(fresh);
    if (has_tray(d)) {
        d->ops->set_tray(d->dev, false);
    }
    return true;
}

/* ---- questions -------------------------------------------------------------------------------------- */

static const BlockDevice *device_of_drive(MachineState *machine, const DriveInfo *drive)
{
    for (guint i = 0; machine->block_devices && i < machine->block_devices->len; i++) {
        const BlockDevice *d = machine->block_devices->pdata[i];

        if (d->blk == drive->blk) {
            return d;
        }
    }
    return NULL;
}

static void tell(const BlockDevice *d, BlockDeviceVisitor fn, void *opaque)
{
    g_autofree char *path = device_name(d->dev);
    BlockDeviceInfo info = {
        .device = device_drive(d),
        .path = path,
        .blk = d->blk,
        .removable = d->ops->removable,
        .locked = is_locked(d),
        .has_tray = has_tray(d),
        .tray_open = has_tray(d) && d->ops->is_tray_open(d->dev),
    };

    fn(&info, opaque);
}

/* Drives first, then devices that have none (nodes are no drives). */
void blk_device_foreach(MachineState *machine, BlockDeviceVisitor fn, void *opaque)
{
    for (guint i = 0; machine->drives && i < machine->drives->len; i++) {
        const DriveInfo *drive = machine->drives->pdata[i];
        const BlockDevice *d = device_of_drive(machine, drive);

        if (drive->is_node) {
            continue;
        }
        if (d) {
            tell(d, fn, opaque);
        } else {
            fn(&(BlockDeviceInfo){.device = drive->id, .blk = drive->blk, .removable = true}, opaque);
        }
    }
    for (guint i = 0; machine->block_devices && i < machine->block_devices->len; i++) {
        const BlockDevice *d = machine->block_devices->pdata[i];

        if (!*device_drive(d)) {
            tell(d, fn, opaque);
        }
    }
}
