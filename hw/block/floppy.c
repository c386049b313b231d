/* SPDX-License-Identifier: MIT
 *
 * A floppy disk drive and its medium.  The format is told by the size of the image: ISO 8860
 * (720 KB), 9529 (1.44 MB), 8630 (1.2 MB), and what DOS and others have put on these disks.
 */
#include <string.h>
#include "hw/block/fdc-internal.h"
#include "system/block/media.h"

/* Sectors, cylinders, heads, sectors of a track; the drive, and its data rate for the medium. */
static const FloppyFormat floppy_formats[] = {
    {2880, 80, 2, 18, FLOPPY_DRIVE_144, 0},
    {3360, 80, 2, 21, FLOPPY_DRIVE_144, 0},
    {3444, 82, 2, 21, FLOPPY_DRIVE_144, 0},
    {3486, 83, 2, 21, FLOPPY_DRIVE_144, 0},
    {3520, 80, 2, 22, FLOPPY_DRIVE_144, 0},
    {3200, 80, 2, 20, FLOPPY_DRIVE_144, 0},
    {3840, 80, 2, 24, FLOPPY_DRIVE_144, 0},
    {5760, 80, 2, 36, FLOPPY_DRIVE_288, 3},
    {6240, 80, 2, 39, FLOPPY_DRIVE_288, 3},
    {6400, 80, 2, 40, FLOPPY_DRIVE_288, 3},
    {7040, 80, 2, 44, FLOPPY_DRIVE_288, 3},
    {7680, 80, 2, 48, FLOPPY_DRIVE_288, 3},
    {1440, 80, 2, 9,  FLOPPY_DRIVE_144, 2},
    {1600, 80, 2, 10, FLOPPY_DRIVE_144, 2},
    {2400, 80, 2, 15, FLOPPY_DRIVE_120, 0},
    {720,  40, 2, 9,  FLOPPY_DRIVE_120, 1},
    {640,  40, 2, 8,  FLOPPY_DRIVE_120, 1},
    {360,  40, 1, 9,  FLOPPY_DRIVE_120, 1},
    {320,  40, 1, 8,  FLOPPY_DRIVE_120, 1},
};

/* An image of an odd size is the beginning of a disk of the drive's usual format. */
static const FloppyFormat *floppy_find_format(uint64_t sectors, int type)
{
    const FloppyFormat *usual = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(floppy_formats); i++) {
        if (floppy_formats[i].sectors == sectors) {
            return &floppy_formats[i];
        }
        if (!usual && ((int)floppy_formats[i].drive == type || type >= FLOPPY_DRIVE_NONE)) {
            usual = &floppy_formats[i];
        }
    }
    return usual;
}

static void floppy_look(Floppy *f)
{
    unsigned generation = blk_media_generation(f->blk);

    if (generation == f->generation) {
        return;
    }
    f->generation = generation;
    f->changed = true;
    f->format = blk_is_inserted(f->blk) ? floppy_find_format(blk_sectors(f->blk), f->type) : NULL;
}

Floppy *floppy_get(FDC *fdc, unsigned unit)
{
    Floppy *f = unit < FDC_DRIVES ? fdc->drives[unit] : NULL;

    if (f) {
        floppy_look(f);
    }
    return f;
}

bool floppy_has_medium(const Floppy *f)
{
    return f && f->format;
}

void floppy_seek(Floppy *f, uint8_t track)
{
    if (track != f->track && floppy_has_medium(f)) {
        f->changed = false;
    }
    f->track = track;
}

int64_t floppy_offset(const Floppy *f, uint8_t cyl, uint8_t head, uint8_t sector)
{
    const FloppyFormat *format = f->format;

    if (cyl >= format->cylinders || head >= format->heads || sector == 0 ||
        sector > format->sectors_per_track) {
        return -1;
    }
    return (((int64_t)cyl * format->heads + head) * format->sectors_per_track + sector - 1) *
           FLOPPY_SECTOR;
}

/* ---- life ------------------------------------------------------------------------------- */

static void floppy_release_drive(void *opaque)
{
    Floppy *f = opaque;

    blk_release(f->blk, f);
    g_clear_pointer(&f->blk, blk_unref);
}

static bool floppy_take_drive(Floppy *f, GError **error)
{
    if (!f->drive || !*f->drive) {
        g_autofree char *name = g_strdup_printf("floppy%u", f->unit);

        f->blk = blk_new(f->parent_obj.id ? f->parent_obj.id : name);
        return true;
    }
    f->blk = blk_claim(qdev_get_machine(f), f->drive, f, error);
    if (!f->blk) {
        g_prefix_error(error, "drive=%s: ", f->drive);
    }
    return f->blk;
}

static void floppy_leave(void *opaque)
{
    Floppy *f = opaque;
    FDC *fdc = FLOPPY_BUS(qdev_get_parent_bus(DEVICE(f)))->fdc;

    device_lock(DEVICE(fdc));
    fdc->drives[f->unit] = NULL;
    device_unlock(DEVICE(fdc));
}

/* Of drive-type=auto: what the medium is for, or what the controller falls back to. */
static int floppy_pick_type(const Floppy *f, const FDC *fdc)
{
    const FloppyFormat *format;
    int type = f->type_prop;

    if (type == FLOPPY_DRIVE_AUTO) {
        type = fdc->drive_type[f->unit];
    }
    if (type != FLOPPY_DRIVE_AUTO) {
        return type;
    }
    if (!blk_is_inserted(f->blk)) {
        return fdc->fallback == FLOPPY_DRIVE_AUTO ? FLOPPY_DRIVE_288 : fdc->fallback;
    }
    format = floppy_find_format(blk_sectors(f->blk), FLOPPY_DRIVE_NONE);
    return (int)format->drive;
}

static const BlockDeviceOps floppy_block_ops = {.removable = true};

static bool floppy_realize(DeviceState *dev, GError **error)
{
    Floppy *f = FLOPPY(dev);
    FDC *fdc = FLOPPY_BUS(qdev_get_parent_bus(dev))->fdc;

    if (!floppy_take_drive(f, error)) {
        return false;
    }
    qdev_on_unrealize(dev, floppy_release_drive, f);
    blk_device_add(fdc->machine, dev, f->blk, &floppy_block_ops);
    f->type = floppy_pick_type(f, fdc);
    f->generation = UINT_MAX;
    device_lock(DEVICE(fdc));
    fdc->drives[f->unit] = f;
    floppy_look(f);
    device_unlock(DEVICE(fdc));
    qdev_on_unrealize(dev, floppy_leave, f);
    return true;
}

static bool floppy_bus_plug(BusState *qbus, DeviceState *dev, GError **error)
{
    FDC *fdc = FLOPPY_BUS(qbus)->fdc;
    Floppy *f = FLOPPY(dev);
    uint32_t unit = f->unit_prop;

    if (unit == UINT32_MAX) {
        unit = fdc->drives[0] ? 1 : 0;
    }
    if (unit >= FDC_DRIVES || fdc->drives[unit]) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "unit=%u on bus '%s' is %s", unit,
                    OBJECT(qbus)->name, unit >= FDC_DRIVES ? "not 0 or 1" : "taken");
        return false;
    }
    f->unit = (uint8_t)unit;
    return true;
}

static char *floppy_get_fw_dev_path(DeviceState *dev)
{
    return g_strdup_printf("floppy@%x", FLOPPY(dev)->unit);
}

static void floppy_bus_class_init(ObjectClass *klass, const void *data)
{
    BusClass *bc = BUS_CLASS(klass);

    bc->plug = floppy_bus_plug;
    bc->get_fw_dev_path = floppy_get_fw_dev_path;
    bc->max_dev = FDC_DRIVES;
}

const EnumInfo floppy_drive_enum = {
    "FdcDriveType", (const char *const[]){"144", "288", "120", "none", "auto", NULL}
};

static const Property floppy_properties[] = {
    DEFINE_PROP_STRING("drive", Floppy, drive, NULL, "id of the -drive with the disk; none: empty"),
    DEFINE_PROP_UINT32("unit", Floppy, unit_prop, UINT32_MAX,
                       "0 or 1; 4294967295: the first that is free"),
    DEFINE_PROP_ENUM("drive-type", Floppy, type_prop, &floppy_drive_enum, FLOPPY_DRIVE_AUTO,
                     "what firmware is told; auto: what the disk is for"),
    DEFINE_PROP_END,
};

static const StateField floppy_state[] = {
    STATE_FIELD(Floppy, track),
    STATE_FIELD(Floppy, changed),
    STATE_FIELD(Floppy, id_sector),
    STATE_END,
};

static void floppy_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = floppy_realize;
    dc->bus_type = TYPE_FLOPPY_BUS;
    dc->hotpluggable = false;
    dc->category = DEVICE_CATEGORY_STORAGE;
    dc->state = floppy_state;
}

static const TypeInfo floppy_types[] = {
    {
     .name = TYPE_FLOPPY_BUS,
     .parent = TYPE_BUS,
     .instance_size = sizeof(FloppyBus),
     .class_init = floppy_bus_class_init,
     .doc = "Cable of a floppy disk controller",
     },
    {
     .name = TYPE_FLOPPY,
     .parent = TYPE_DEVICE,
     .instance_size = sizeof(Floppy),
     .class_init = floppy_class_init,
     .properties = floppy_properties,
     .doc = "Floppy disk drive",
     },
};

DEFINE_TYPES(floppy_types)
