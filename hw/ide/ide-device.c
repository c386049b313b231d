/* SPDX-License-Identifier: MIT
 *
 * The types of what plugs into an ATA channel: disks and CD drives.
 */
#include <string.h>
#include "hw/ide/ide-internal.h"
#include "system/block/media.h"

static bool ide_check_string(IDEDevice *d, const char *name, const char *value, size_t max,
                             GError **error)
{
    if (value && strlen(value) > max) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "%s=%s: it is longer than %zu characters", name, value, max);
        return false;
    }
    return true;
}

static bool ide_check_block_size(const char *name, uint32_t size, uint32_t max, GError **error)
{
    if (size == 0 || (size >= 512 && size <= max && !(size & (size - 1)))) {
        return true;
    }
    g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                "%s=%u: expected a power of two from 512 to %u", name, size, max);
    return false;
}

/* Sectors of IDE disks have 512 bytes: software for them knows no others. */
static bool ide_check_logical_size(IDEDevice *d, GError **error)
{
    uint32_t size = d->logical_block_size;

    if (size == 0 || size == ATA_SECTOR || (d->is_cd && size == CD_SECTOR)) {
        return true;
    }
    g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                "logical_block_size=%u: an IDE disk's sectors have 512 bytes "
                "(physical_block_size= may be more)",
                size);
    return false;
}

static bool ide_check_properties(IDEDevice *d, GError **error)
{
    return ide_check_logical_size(d, error) &&
           ide_check_block_size("physical_block_size", d->physical_block_size, 2u << 20, error) &&
           ide_check_string(d, "serial", d->serial, 20, error) &&
           ide_check_string(d, "model", d->model, 40, error) &&
           ide_check_string(d, "ver", d->version, 8, error);
}

/* cyls, heads and secs: all or none; what is not given follows from the size. */
static bool ide_take_geometry(IDEDevice *d, GError **error)
{
    uint64_t cylinders;

    d->nb_sectors = blk_sectors(d->blk);
    cylinders = d->nb_sectors / (ATA_HEADS * ATA_SPT);
    d->cylinders = (uint16_t)CLAMP(cylinders, 2, ATA_MAX_CYL);
    d->heads = ATA_HEADS;
    d->spt = ATA_SPT;
    if (!d->cyls_prop && !d->heads_prop && !d->secs_prop) {
        return true;
    }
    if (d->cyls_prop < 1 || d->cyls_prop > 65535 || d->heads_prop < 1 || d->heads_prop > 16 ||
        d->secs_prop < 1 || d->secs_prop > 255) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "cyls=%u,heads=%u,secs=%u: expected 1 to 65535, 1 to 16 and 1 to 255",
                    d->cyls_prop, d->heads_prop, d->secs_prop);
        return false;
    }
    d->cylinders = (uint16_t)d->cyls_prop;
    d->heads = (uint8_t)d->heads_prop;
    d->spt = (uint8_t)d->secs_prop;
    return true;
}

static void ide_release_drive(void *opaque)
{
    IDEDevice *d = opaque;

    blk_release(d->blk, d);
    g_clear_pointer(&d->blk, blk_unref);
}

/* A CD drive may be empty; a disk needs its medium. */
static bool ide_take_drive(IDEDevice *d, GError **error)
{
    MachineState *machine = qdev_get_machine(d);
    const DriveInfo *drive;

    if (!d->drive || !*d->drive) {
        if (!d->is_cd) {
            g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                        "%s needs drive=ID, the id of a -drive", object_get_typename(OBJECT(d)));
            return false;
        }
        d->blk = blk_new("cdrom");
        return true;
    }
    d->blk = blk_claim(machine, d->drive, d, error);
    if (!d->blk) {
        g_prefix_error(error, "drive=%s: ", d->drive);
        return false;
    }
    drive = drive_by_id(machine, d->drive);
    if (drive->serial && !d->serial) {
        d->serial = g_strdup(drive->serial);
    }
    return true;
}

static bool ide_check_medium(IDEDevice *d, GError **error)
{
    if (d->is_cd || blk_is_inserted(d->blk)) {
        return true;
    }
    g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                "drive=%s has no medium; a disk needs one (file=)", d->drive);
    return false;
}

static void ide_default_string(char **field, const char *value)
{
    if (!*field) {
        *field = g_strdup(value);
    }
}

static void ide_default_names(IDEDevice *d)
{
    g_autofree char *serial = g_strdup_printf("QN%05d", 2 * ide_bus_of(d)->channel + d->unit + 1);

    ide_default_string(&d->serial, serial);
    ide_default_string(&d->version, "1.0");
    ide_default_string(&d->model, d->is_cd ? "QUOIN DVD-ROM" : "QUOIN HARDDISK");
}

static void ide_leave_bus(void *opaque)
{
    IDEDevice *d = opaque;
    IDEBus *bus = ide_bus_of(d);

    device_lock(bus->controller);
    ide_cancel(d);
    bus->devices[d->unit] = NULL;
    device_unlock(bus->controller);
    g_clear_pointer(&d->buf, g_free);
}

static void ide_join_bus(IDEDevice *d)
{
    IDEBus *bus = ide_bus_of(d);
    d->buf = g_malloc0(IDE_CHUNK);
    d->atapi.generation = blk_media_generation(d->blk);
    device_lock(bus->controller);
    bus->devices[d->unit] = d;
    ata_set_signature(d);
    device_unlock(bus->controller);
    qdev_on_unrealize(DEVICE(d), ide_leave_bus, d);
}

static void ide_device_reset_enter(DeviceState *dev, ResetType type)
{
    IDEDevice *d = IDE_DEVICE(dev);
    IDEBus *bus = ide_bus_of(d);

    device_lock(bus->controller);
    d->cur_heads = d->heads;
    d->cur_spt = d->spt;
    d->multiple = ATA_MAX_MULTIPLE;
    d->xfer_mode = 0x45;
    d->write_cache = d->write_cache_prop == ON_OFF_AUTO_ON ||
                     (d->write_cache_prop == ON_OFF_AUTO_AUTO && blk_write_cache(d->blk));
    d->smart_enabled = d->look_ahead = true;
    ata_set_signature(d);
    atapi_reset(d);
    d->atapi.tray_open = false;
    d->atapi.media_event = false;
    d->atapi.events = 0;
    device_unlock(bus->controller);
}

static bool cd_is_tray_open(DeviceState *dev)
{
    return IDE_DEVICE(dev)->atapi.tray_open;
}

static bool cd_is_locked(DeviceState *dev)
{
    return IDE_DEVICE(dev)->atapi.tray_locked;
}

static void cd_set_tray(DeviceState *dev, bool open)
{
    DeviceState *controller = ide_bus_of(IDE_DEVICE(dev))->controller;

    device_lock(controller);
    atapi_move_tray(IDE_DEVICE(dev), open);
    device_unlock(controller);
}

static void cd_request_eject(DeviceState *dev)
{
    DeviceState *controller = ide_bus_of(IDE_DEVICE(dev))->controller;

    device_lock(controller);
    atapi_request_eject(IDE_DEVICE(dev));
    device_unlock(controller);
}

static const BlockDeviceOps hd_block_ops = {0};
static const BlockDeviceOps cd_block_ops = {
    .removable = true,
    .is_tray_open = cd_is_tray_open,
    .set_tray = cd_set_tray,
    .is_locked = cd_is_locked,
    .request_eject = cd_request_eject,
};

/* Of the properties that say other than -drive does. */
static void ide_set_error_actions(IDEDevice *d)
{
    BlockErrorAction on_read, on_write;

    blk_get_error_actions(d->blk, &on_read, &on_write);
    on_read = d->on_read == IDE_ERROR_AUTO ? on_read : (BlockErrorAction)d->on_read;
    on_write = d->on_write == IDE_ERROR_AUTO ? on_write : (BlockErrorAction)d->on_write;
    blk_set_error_actions(d->blk, on_read, on_write);
}

static bool ide_device_realize(DeviceState *dev, GError **error)
{
    IDEDevice *d = IDE_DEVICE(dev);

    if (!ide_check_properties(d, error) || !ide_take_drive(d, error)) {
        return false;
    }
    qdev_on_unrealize(dev, ide_release_drive, d);
    if (!ide_check_medium(d, error) || !ide_take_geometry(d, error)) {
        return false;
    }
    ide_set_error_actions(d);
    blk_device_add(ide_bus_of(d)->machine, dev, d->blk, d->is_cd ? &cd_block_ops : &hd_block_ops);
    ide_default_names(d);
    ide_join_bus(d);
    ide_device_reset_enter(dev, RESET_COLD);
    return true;
}

static void ide_cd_instance_init(Object *obj)
{
    IDE_DEVICE(obj)->is_cd = true;
}

static GVariant *ide_get_sectors(Object *obj, const Property *prop)
{
    return g_variant_new_uint64(IDE_DEVICE(obj)->nb_sectors);
}

static const char *const chs_translation_names[] = {"auto", "none", "lba", "large", "rechs", NULL};
static const EnumInfo chs_translation_enum = {"BiosAtaTranslation", chs_translation_names};

bool ide_get_geometry(PCIDevice *controller, int channel, int unit, IDEGeometry *ret)
{
    IDEBus *bus = ide_get_bus(controller, channel);
    IDEDevice *d = bus && unit < (int)bus->max_units ? bus->devices[unit] : NULL;

    if (!d || d->is_cd) {
        return false;
    }
    *ret = (IDEGeometry){d->cylinders, d->heads, d->spt, IDE_TRANSLATION_NONE};
    if (d->chs_translation) {
        ret->translation = (IDETranslation)(d->chs_translation - 1);
    } else if (d->cylinders > 1024) {
        ret->translation = IDE_TRANSLATION_LBA;
    }
    return true;
}

/* In the order of BlockErrorAction. */
static const EnumInfo ide_error_enum = {
    "BlockdevOnError", (const char *const[]){"report", "ignore", "enospc", "stop", "auto", NULL}
};

static const Property ide_properties[] = {
    DEFINE_PROP_STRING("drive", IDEDevice, drive, NULL, "id of the -drive with the medium"),
    DEFINE_PROP_LINK("iothread", IDEDevice, iothread, TYPE_IOTHREAD,
                     "thread in which its I/O completes"),
    DEFINE_PROP_UINT32("unit", IDEDevice, unit_prop, UINT32_MAX,
                       "0 or 1; 4294967295: the first that is free"),
    DEFINE_PROP_STRING("serial", IDEDevice, serial, NULL, "serial number, at most 20 characters"),
    DEFINE_PROP_STRING("model", IDEDevice, model, NULL, "model name, at most 40 characters"),
    DEFINE_PROP_STRING("ver", IDEDevice, version, NULL, "firmware revision, at most 8 characters"),
    DEFINE_PROP_UINT64("wwn", IDEDevice, wwn, 0, "World Wide Name; 0: none"),
    DEFINE_PROP_INT32("bootindex", IDEDevice, bootindex, -1,
                      "place in the firmware's boot order; -1: none"),
    DEFINE_PROP_UINT32("logical_block_size", IDEDevice, logical_block_size, 0,
                       "bytes of a sector; 0: as usual"),
    DEFINE_PROP_UINT32("physical_block_size", IDEDevice, physical_block_size, 0,
                       "bytes of a physical sector that the guest is told; 0: 512"),
    DEFINE_PROP_UINT32("min_io_size", IDEDevice, min_io_size, 0, "kept; ATA has no word for it"),
    DEFINE_PROP_UINT32("opt_io_size", IDEDevice, opt_io_size, 0, "kept; ATA has no word for it"),
    DEFINE_PROP_UINT32("discard_granularity", IDEDevice, discard_granularity, UINT32_MAX,
                       "bytes; 0: no TRIM; 4294967295: by the drive"),
    DEFINE_PROP_ON_OFF_AUTO("write-cache", IDEDevice, write_cache_prop, ON_OFF_AUTO_AUTO,
                            "writes are complete before they are on stable storage; "
                            "auto: as -drive cache= says"),
    DEFINE_PROP_ENUM("rerror", IDEDevice, on_read, &ide_error_enum, IDE_ERROR_AUTO,
                     "what a read error does; auto: as -drive says"),
    DEFINE_PROP_ENUM("werror", IDEDevice, on_write, &ide_error_enum, IDE_ERROR_AUTO,
                     "what a write error does; auto: as -drive says"),
    DEFINE_PROP_BOOL("share-rw", IDEDevice, share_rw, false,
                     "kept: -drive file.locking=off lets others write"),
    DEFINE_PROP_CUSTOM("sectors", "t", ide_get_sectors, NULL, PROP_TELEMETRY,
                       "size of the medium in units of 512 bytes"),
    DEFINE_PROP_END,
};

static const Property ide_hd_properties[] = {
    DEFINE_PROP_UINT16("rotation_rate", IDEDevice, rotation_rate, 0,
                       "1: solid state; 1025-65534: turns a minute; 0: not said"),
    DEFINE_PROP_UINT32("cyls", IDEDevice, cyls_prop, 0, "cylinders; 0: by the size"),
    DEFINE_PROP_UINT32("heads", IDEDevice, heads_prop, 0, "heads; 0: by the size"),
    DEFINE_PROP_UINT32("secs", IDEDevice, secs_prop, 0, "sectors of a track; 0: by the size"),
    DEFINE_PROP_UINT32("lcyls", IDEDevice, logical[0], 0,
                       "logical cylinders that firmware is told; 0: it finds out"),
    DEFINE_PROP_UINT32("lheads", IDEDevice, logical[1], 0, "logical heads"),
    DEFINE_PROP_UINT32("lsecs", IDEDevice, logical[2], 0, "logical sectors of a track"),
    DEFINE_PROP_ENUM("bios-chs-trans", IDEDevice, chs_translation, &chs_translation_enum, 0,
                     "how firmware makes sectors of cylinders; auto: by the size"),
    DEFINE_PROP_END,
};

static const StateField ide_state[] = {
    STATE_FIELD(IDEDevice, tf),
    STATE_FIELD(IDEDevice, cur_heads),
    STATE_FIELD(IDEDevice, cur_spt),
    STATE_FIELD(IDEDevice, multiple),
    STATE_FIELD(IDEDevice, xfer_mode),
    STATE_FIELD(IDEDevice, write_cache),
    STATE_FIELD(IDEDevice, look_ahead),
    STATE_FIELD(IDEDevice, smart_enabled),
    STATE_FIELD(IDEDevice, power_mode),
    STATE_FIELD(IDEDevice, self_tests),
    STATE_FIELD(IDEDevice, self_test_index),
    STATE_FIELD(IDEDevice, atapi),
    STATE_END,
};

static void ide_device_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = ide_device_realize;
    dc->reset_enter = ide_device_reset_enter;
    dc->bus_type = TYPE_IDE_BUS;
    dc->hotpluggable = false;
    dc->category = DEVICE_CATEGORY_STORAGE;
    dc->state = ide_state;
}

static const TypeInfo ide_device_types[] = {
    {
     .name = TYPE_IDE_DEVICE,
     .parent = TYPE_DEVICE,
     .instance_size = sizeof(IDEDevice),
     .abstract = true,
     .class_init = ide_device_class_init,
     .properties = ide_properties,
     .doc = "What plugs into an ATA channel",
     },
    {
     .name = TYPE_IDE_HD,
     .parent = TYPE_IDE_DEVICE,
     .properties = ide_hd_properties,
     .doc = "ATA disk",
     },
    {
     .name = TYPE_IDE_CD,
     .parent = TYPE_IDE_DEVICE,
     .instance_init = ide_cd_instance_init,
     .doc = "ATAPI CD and DVD drive",
     },
};

DEFINE_TYPES(ide_device_types)
