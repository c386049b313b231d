/* SPDX-License-Identifier: MIT
 *
 * -drive and its shorthands: options to a DriveInfo with its back end.
 */
#include <stdlib.h>
#include <string.h>
#include "hw/core/machine.h"
#include "system/block/block-internal.h"

const char *const block_interface_names[BLOCK_IF_COUNT + 1] = {
    "none", "ide", "scsi", "floppy", "pflash", "virtio", "sd", NULL,
};
/* Units of one bus of the interface; 0: as many as you like on bus 0. */
static const int interface_units[BLOCK_IF_COUNT] = {0, 2, 7, 2, 0, 0, 0};

/* Everything that the options say, before anything is opened. */
typedef struct DriveOptions {
    char *id, *file, *format, *driver, *serial, *media;
    int interface;
    int index, bus, unit; /* -1: not given */
    bool read_only, read_only_given, snapshot;
    int on_read, on_write;
    int detect_zeroes;
    BlockOpenOptions open;
} DriveOptions;

typedef struct DriveOption DriveOption;
typedef bool (*DriveOptionSetter)(DriveOptions *o, const DriveOption *option, const char *value,
                                  GError **error);
struct DriveOption {
    const char *name;
    DriveOptionSetter set;
    size_t offset;
    const char *const *choices;
};

/* ---- values ----------------------------------------------------------------- */

static bool drive_bad_value(GError **error, const char *name, const char *value,
                            const char *accepted)
{
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION, "%s=%s: expected %s", name, value,
                accepted);
    return false;
}

static bool set_string(DriveOptions *o, const DriveOption *option, const char *value,
                       GError **error)
{
    char **field = (char **)((char *)o + option->offset);

    g_free(*field);
    *field = g_strdup(value);
    return true;
}

static bool set_number(DriveOptions *o, const DriveOption *option, const char *value,
                       GError **error)
{
    uint64_t n;

    if (!g_ascii_string_to_unsigned(value, 10, 0, 255, &n, NULL)) {
        return drive_bad_value(error, option->name, value, "a number from 0 to 255");
    }
    *(int *)((char *)o + option->offset) = (int)n;
    return true;
}

static int find_choice(const char *const *choices, const char *value)
{
    for (int i = 0; choices[i]; i++) {
        if (!strcmp(choices[i], value)) {
            return i;
        }
    }
    return -1;
}

static bool set_choice(DriveOptions *o, const DriveOption *option, const char *value,
                       GError **error)
{
    int i = find_choice(option->choices, value);

    if (i < 0) {
        g_autofree char *all = g_strjoinv(", ", (char **)option->choices);
        g_autofree char *accepted = g_strconcat("one of ", all, NULL);

        return drive_bad_value(error, option->name, value, accepted);
    }
    if (option->offset) {
        *(int *)((char *)o + option->offset) = i;
    }
    return true;
}

static bool set_bool(DriveOptions *o, const DriveOption *option, const char *value, GError **error)
{
    static const char *const yes[] = {"on", "yes", "true", NULL};
    static const char *const no[] = {"off", "no", "false", NULL};
    bool on = find_choice(yes, value) >= 0;

    if (!on && find_choice(no, value) < 0) {
        return drive_bad_value(error, option->name, value, "on or off");
    }
    *(bool *)((char *)o + option->offset) = on;
    return true;
}

static bool set_read_only(DriveOptions *o, const DriveOption *option, const char *value,
                          GError **error)
{
    o->read_only_given = true;
    return set_bool(o, option, value, error);
}

static bool set_locking(DriveOptions *o, const DriveOption *option, const char *value,
                        GError **error)
{
    static const char *const choices[] = {"on", "off", "auto", NULL};

    if (find_choice(choices, value) < 0) {
        return drive_bad_value(error, option->name, value, "on, off or auto");
    }
    o->open.no_lock = !strcmp(value, "off");
    return true;
}

static bool set_discard(DriveOptions *o, const DriveOption *option, const char *value,
                        GError **error)
{
    static const char *const choices[] = {"ignore", "off", "unmap", "on", NULL};
    int i = find_choice(choices, value);

    if (i < 0) {
        return drive_bad_value(error, option->name, value, "ignore, off, unmap or on");
    }
    o->open.discard = i >= 2;
    return true;
}

static bool set_size(DriveOptions *o, const DriveOption *option, const char *value, GError **error)
{
    static const char suffixes[] = "BKMGT";
    char *end;
    uint64_t n = g_ascii_strtoull(value, &end, 10);
    const char *suffix = *end ? strchr(suffixes, g_ascii_toupper(*end)) : suffixes;
    unsigned shift = suffix ? (unsigned)(suffix - suffixes) * 10 : 0;

    if (end == value || !suffix || (*end && end[1]) || n == 0 || n > (uint64_t)INT64_MAX >> shift) {
        return drive_bad_value(error, option->name, value, "a size such as 512M or 1G");
    }
    *(uint64_t *)((char *)o + option->offset) = n << shift;
    return true;
}

static const char *const media_names[] = {"disk", "cdrom", NULL};
static const char *const error_actions[] = {"report", "ignore", "enospc", "stop", NULL};
static const char *const read_error_actions[] = {"report", "ignore", "stop", NULL};
static const char *const cache_modes[] = {"none",   "writeback",  "writethrough",
                                          "unsafe", "directsync", NULL};
/* Threads do it whatever is said. */
static const char *const aio_names[] = {"threads", "native", "io_uring", NULL};
static const char *const detect_zeroes[] = {"off", "on", "unmap", NULL};

static bool set_cache(DriveOptions *o, const DriveOption *option, const char *value, GError **error)
{
    if (!set_choice(o, option, value, error)) {
        return false;
    }
    o->open.cache_direct = !strcmp(value, "none") || !strcmp(value, "directsync");
    o->open.cache_writethrough = !strcmp(value, "writethrough") || !strcmp(value, "directsync");
    o->open.cache_no_flush = !strcmp(value, "unsafe");
    return true;
}

static bool set_media(DriveOptions *o, const DriveOption *option, const char *value, GError **error)
{
    DriveOption check = {option->name, NULL, 0, media_names};

    return set_choice(o, &check, value, error) && set_string(o, option, value, error);
}

static bool set_read_error(DriveOptions *o, const DriveOption *option, const char *value,
                           GError **error)
{
    DriveOption all = {option->name, NULL, option->offset, error_actions};
    DriveOption own = {option->name, NULL, 0, read_error_actions};

    return set_choice(o, &own, value, error) && set_choice(o, &all, value, error);
}

#define FIELD(f) offsetof(DriveOptions, f)
static const DriveOption drive_options[] = {
    {"file",          set_string,     FIELD(file),             NULL             },
    {"if",            set_choice,     FIELD(interface),        block_interface_names},
    {"format",        set_string,     FIELD(format),           NULL             },
    {"driver",        set_string,     FIELD(driver),           NULL             },
    {"id",            set_string,     FIELD(id),               NULL             },
    {"index",         set_number,     FIELD(index),            NULL             },
    {"bus",           set_number,     FIELD(bus),              NULL             },
    {"unit",          set_number,     FIELD(unit),             NULL             },
    {"media",         set_media,      FIELD(media),            NULL             },
    {"readonly",      set_read_only,  FIELD(read_only),        NULL             },
    {"read-only",     set_read_only,  FIELD(read_only),        NULL             },
    {"snapshot",      set_bool,       FIELD(snapshot),         NULL             },
    {"cache",         set_cache,      0,                       cache_modes      },
    {"serial",        set_string,     FIELD(serial),           NULL             },
    {"rerror",        set_read_error, FIELD(on_read),          NULL             },
    {"werror",        set_choice,     FIELD(on_write),         error_actions    },
    {"discard",       set_discard,    0,                       NULL             },
    {"locking",       set_locking,    0,                       NULL             },
    {"aio",           set_choice,     0,                       aio_names        },
    {"detect-zeroes", set_choice,     FIELD(detect_zeroes),    detect_zeroes    },
    {"size",          set_size,       FIELD(open.size),        NULL             },
    {"read-zeroes",   set_bool,       FIELD(open.read_zeroes), NULL             },
};
#undef FIELD

/* ---- parsing ---------------------------------------------------------------- */

static void drive_options_finish(DriveOptions *o)
{
    g_free(o->id);
    g_free(o->file);
    g_free(o->format);
    g_free(o->driver);
    g_free(o->serial);
    g_free(o->media);
}

static bool drive_option_set(DriveOptions *o, const char *name, const char *value, GError **error)
{
    GString *names = NULL;

    if (g_str_has_prefix(name, "file.")) { /* of the layer below raw: there is one list for both */
        name += strlen("file.");
        name = g_str_equal(name, "filename") ? "file" : name;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(drive_options); i++) {
        if (!strcmp(drive_options[i].name, name)) {
            return drive_options[i].set(o, &drive_options[i], value, error);
        }
    }
    names = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(drive_options); i++) {
        g_string_append_printf(names, "%s%s", i ? ", " : "", drive_options[i].name);
    }
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION, "no such option: '%s'; there are %s", name,
                names->str);
    g_string_free(names, TRUE);
    return false;
}

static BlockInterface drive_default_interface(MachineState *machine)
{
    const char *name = MACHINE_GET_CLASS(machine)->block_default_type;

    for (int i = 0; name && i < BLOCK_IF_COUNT; i++) {
        if (!strcmp(block_interface_names[i], name)) {
            return (BlockInterface)i;
        }
    }
    return BLOCK_IF_IDE;
}

static bool drive_check_driver(DriveOptions *o, GError **error)
{
    static const char *const drivers[] = {"raw", "file", "host_device", "null-co", NULL};

    if (o->driver && find_choice(drivers, o->driver) < 0) {
        return drive_bad_value(error, "driver", o->driver, "raw, file, host_device or null-co");
    }
    if (o->driver && !strcmp(o->driver, "raw") && !o->format) {
        o->format = g_strdup("raw");
    }
    return true;
}

static bool drive_options_parse(DriveOptions *o, const char *text, GError **error)
{
    g_autoptr(GPtrArray) words = block_options_split(text, error);

    if (!words) {
        return false;
    }
    for (guint i = 0; i < words->len; i += 2) {
        if (!drive_option_set(o, words->pdata[i], words->pdata[i + 1], error)) {
            return false;
        }
    }
    if (o->index >= 0 && (o->bus >= 0 || o->unit >= 0)) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION,
                    "index=%d cannot be used together with bus= and unit=", o->index);
        return false;
    }
    return drive_check_driver(o, error);
}

/* ---- the list of drives ------------------------------------------------------ */

static int drive_units(MachineState *machine, int interface)
{
    const MachineClass *mc = MACHINE_GET_CLASS(machine);

    if (mc->units_per_default_bus && interface == (int)drive_default_interface(machine)) {
        return mc->units_per_default_bus;
    }
    return interface_units[interface];
}

static void drive_free(void *data)
{
    DriveInfo *drive = data;

    blk_unref(drive->blk);
    g_free(drive->id);
    g_free(drive->serial);
    g_free(drive);
}

DriveInfo *drive_get(MachineState *machine, BlockInterface interface, int bus, int unit)
{
    for (guint i = 0; machine->drives && i < machine->drives->len; i++) {
        DriveInfo *drive = machine->drives->pdata[i];

        if (drive->interface == interface && drive->bus == bus && drive->unit == unit) {
            return drive;
        }
    }
    return NULL;
}

DriveInfo *drive_get_by_index(MachineState *machine, BlockInterface interface, int index)
{
    int units = drive_units(machine, (int)interface);

    return units ? drive_get(machine, interface, index / units, index % units)
                 : drive_get(machine, interface, 0, index);
}

DriveInfo *drive_by_id(MachineState *machine, const char *id)
{
    for (guint i = 0; machine->drives && i < machine->drives->len; i++) {
        DriveInfo *drive = machine->drives->pdata[i];

        if (!strcmp(drive->id, id)) {
            return drive;
        }
    }
    return NULL;
}

BlockBackend *blk_by_id(MachineState *machine, const char *id)
{
    DriveInfo *drive = drive_by_id(machine, id);

    return drive ? drive->blk : NULL;
}

/* Fill in bus and unit: from index, or the first that is free. */
static void drive_place(MachineState *machine, DriveOptions *o)
{
    int units = drive_units(machine, o->interface);

    if (o->index >= 0) {
        o->bus = units ? o->index / units : 0;
        o->unit = units ? o->index % units : o->index;
        return;
    }
    if (o->unit >= 0) {
        o->bus = MAX(o->bus, 0);
        return;
    }
    o->bus = MAX(o->bus, 0);
    o->unit = 0;
    while (drive_get(machine, (BlockInterface)o->interface, o->bus, o->unit)) {
        if (++o->unit == units) {
            o->unit = 0;
            o->bus++;
        }
    }
}

static bool drive_check_place(MachineState *machine, const DriveOptions *o, GError **error)
{
    int units = drive_units(machine, o->interface);

    if (units && o->unit >= units) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION,
                    "unit=%d is too large: a bus of if=%s has units 0 to %d", o->unit,
                    block_interface_names[o->interface], units - 1);
        return false;
    }
    if (drive_get(machine, (BlockInterface)o->interface, o->bus, o->unit)) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION,
                    "there is a drive at if=%s, bus=%d, unit=%d (index=%d) already",
                    block_interface_names[o->interface], o->bus, o->unit,
                    units ? o->bus * units + o->unit : o->unit);
        return false;
    }
    return true;
}

/* As people know them: "ide0-hd1", "ide1-cd0", "virtio0", "floppy0", "none0". */
static char *drive_default_id(const DriveOptions *o)
{
    const char *name = block_interface_names[o->interface];
    const char *kind = o->media && !strcmp(o->media, "cdrom") ? "cd" : "hd";

    if (interface_units[o->interface] && o->interface != BLOCK_IF_FLOPPY) {
        return g_strdup_printf("%s%d-%s%d", name, o->bus, kind, o->unit);
    }
    return g_strdup_printf("%s%d", name, o->unit);
}

static bool drive_check_id(MachineState *machine, DriveOptions *o, GError **error)
{
    if (!o->id) {
        o->id = drive_default_id(o);
    }
    if (drive_by_id(machine, o->id)) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION, "Duplicate ID '%s' for drive",
                    o->id);
        return false;
    }
    return true;
}

static BlockBackend *drive_open(DriveOptions *o, GError **error)
{
    BlockBackend *blk = blk_new(o->id);
    bool null = g_strcmp0(o->driver, "null-co") == 0;
    bool cdrom = g_strcmp0(o->media, "cdrom") == 0;

    o->open.format = o->format;
    o->open.driver = o->driver;
    o->open.snapshot = o->snapshot;
    o->open.detect_zeroes = o->detect_zeroes > 0;
    o->open.detect_zeroes_unmap = o->detect_zeroes == 2;
    o->open.read_only = o->read_only || cdrom;
    blk_set_error_actions(blk, (BlockErrorAction)o->on_read, (BlockErrorAction)o->on_write);
    if (!(o->file && *o->file) && !null) {
        return blk;
    }
    if (!blk_open(blk, null ? "null-co://" : o->file, &o->open, error)) {
        g_clear_pointer(&blk, blk_unref);
    }
    return blk;
}

static bool drive_finish(MachineState *machine, DriveOptions *o, GError **error)
{
    BlockBackend *blk;
    DriveInfo *drive;

    drive_place(machine, o);
    if (!drive_check_place(machine, o, error) || !drive_check_id(machine, o, error)) {
        return false;
    }
    blk = drive_open(o, error);
    if (!blk) {
        return false;
    }
    drive = g_new0(DriveInfo, 1);
    *drive = (DriveInfo){.id = g_steal_pointer(&o->id),
                         .interface = (BlockInterface)o->interface,
                         .bus = o->bus,
                         .unit = o->unit,
                         .is_cdrom = g_strcmp0(o->media, "cdrom") == 0,
                         .serial = g_steal_pointer(&o->serial),
                         .blk = blk};
    if (!machine->drives) {
        machine->drives = g_ptr_array_new();
    }
    g_ptr_array_add(machine->drives, drive);
    return true;
}

static void drive_options_init(DriveOptions *o, MachineState *machine)
{
    *o = (DriveOptions){.interface = (int)drive_default_interface(machine),
                        .index = -1,
                        .bus = -1,
                        .unit = -1,
                        .on_read = BLOCK_ERROR_REPORT,
                        .on_write = BLOCK_ERROR_ENOSPC};
}

bool blk_drive_add(MachineState *machine, const char *options, GError **error)
{
    DriveOptions o;
    bool ok;

    drive_options_init(&o, machine);
    ok = drive_options_parse(&o, options, error) && drive_finish(machine, &o, error);
    drive_options_finish(&o);
    return ok;
}

bool blk_drive_add_file(MachineState *machine, const char *file, BlockInterface interface,
                        int index, bool is_cdrom, GError **error)
{
    DriveOptions o;
    bool ok;

    drive_options_init(&o, machine);
    o.interface = (int)interface;
    o.index = index;
    o.file = g_strdup(file);
    o.media = g_strdup(is_cdrom ? "cdrom" : "disk");
    ok = drive_finish(machine, &o, error);
    drive_options_finish(&o);
    return ok;
}

void blk_drive_del(MachineState *machine, DriveInfo *drive)
{
    blk_drain(drive->blk);
    g_ptr_array_remove(machine->drives, drive);
    drive_free(drive);
}

void blk_drives_free(MachineState *machine)
{
    if (!machine->drives) {
        return;
    }
    for (guint i = 0; i < machine->drives->len; i++) {
        blk_drain(((DriveInfo *)machine->drives->pdata[i])->blk);
    }
    event_loop_run_bhs(machine->loop); /* who waits for them lets go of its device */
    for (guint i = 0; i < machine->drives->len; i++) {
        blk_drain(((DriveInfo *)machine->drives->pdata[i])->blk);
        drive_free(machine->drives->pdata[i]);
    }
    g_ptr_array_set_size(machine->drives, 0);
}

bool blk_drives_check_claimed(MachineState *machine, GError **error)
{
    for (guint i = 0; machine->drives && i < machine->drives->len; i++) {
        DriveInfo *drive = machine->drives->pdata[i];

        if (!drive->claimed && drive->interface != BLOCK_IF_NONE) {
            g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION,
                        "drive '%s': machine type '%s' has nothing at if=%s, bus=%d, unit=%d",
                        drive->id, MACHINE_GET_CLASS(machine)->name,
                        block_interface_names[drive->interface], drive->bus, drive->unit);
            return false;
        }
    }
    return true;
}

BlockBackend *blk_claim(MachineState *machine, const char *id, void *user, GError **error)
{
    DriveInfo *drive = drive_by_id(machine, id);

    if (!drive) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION, "there is no drive with id '%s'", id);
        return NULL;
    }
    if (!blk_attach(drive->blk, user)) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION,
                    "drive '%s' is in use by another device", id);
        return NULL;
    }
    drive->claimed = true;
    return blk_ref(drive->blk);
}
