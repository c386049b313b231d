/* SPDX-License-Identifier: MIT
 *
 * Paths in the manner of Open Firmware (IEEE 1275), as SeaBIOS and OVMF match them.
 */
#include "hw/i386/boot-order.h"

typedef struct BootEntry {
    int64_t index;
    char *path;
} BootEntry;

typedef struct BootList {
    GArray *entries; /* of BootEntry */
    GError *error;
} BootList;

/* From the device up to the root bus; a bus without an own way of saying it adds nothing. */
char *firmware_device_path(DeviceState *dev)
{
    GString *path = g_string_new(NULL);

    for (BusState *bus = qdev_get_parent_bus(dev); bus; bus = qdev_get_parent_bus(dev)) {
        BusClass *bc = BUS_GET_CLASS(bus);
        g_autofree char *part = bc->get_fw_dev_path ? bc->get_fw_dev_path(dev) : NULL;
        if (part) {
            g_autofree char *step = g_strdup_printf("/%s", part);
            g_string_prepend(path, step);
        }
        if (!bus->parent) {
            break;
        }
        dev = bus->parent;
    }
    g_string_prepend(path, "/pci@i0cf8");
    return g_string_free(path, FALSE);
}

static void boot_entry_clear(gpointer entry)
{
    g_free(((BootEntry *)entry)->path);
}

/* Takes `path`. */
static bool boot_list_add(BootList *list, int64_t index, char *path)
{
    BootEntry entry = {index, path};

    g_array_append_val(list->entries, entry);
    for (guint i = 0; i + 1 < list->entries->len; i++) {
        if (g_array_index(list->entries, BootEntry, i).index == index) {
            g_set_error(&list->error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                        "bootindex=%" G_GINT64_FORMAT ": two devices have it", index);
            return false;
        }
    }
    return true;
}

/* Where a property that gives a place in the order leads: to the device, or to a drive of it. */
static const struct {
    const char *property, *suffix;
} boot_properties[] = {
    {"bootindex",  ""         },
    {"bootindexA", "/floppy@0"},
    {"bootindexB", "/floppy@1"},
};

static bool add_boot_device(BootList *list, Object *dev, size_t kind)
{
    const char *property = boot_properties[kind].property;

    if (!object_class_find_property(object_get_class(dev), property)) {
        return true;
    }
    int64_t index = object_property_get_int(dev, property, NULL);
    if (index < 0) {
        return true;
    }
    g_autofree char *path = firmware_device_path(DEVICE(dev));
    /* Firmware looks for the disk in a stick. */
    const char *disk = object_dynamic_cast(dev, "usb-storage") ? "/channel@0/disk@0,0" : "";
    return boot_list_add(list, index, g_strconcat(path, boot_properties[kind].suffix, disk, NULL));
}

static bool find_boot_device(Object *child, const char *name, void *opaque)
{
    if (!object_dynamic_cast(child, TYPE_DEVICE)) {
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(boot_properties); i++) {
        if (!add_boot_device(opaque, child, i)) {
            return true;
        }
    }
    return false;
}

static bool add_roms(BootList *list, GPtrArray *roms)
{
    for (guint i = 0; i < roms->len; i++) {
        const OptionROM *rom = g_ptr_array_index(roms, i);
        g_autofree char *name = g_path_get_basename(rom->file);
        if (rom->bootindex >= 0 &&
            !boot_list_add(list, rom->bootindex, g_strconcat("/rom@" GENROMS_FOLDER, name, NULL))) {
            return false;
        }
    }
    return true;
}

static gint boot_entry_compare(gconstpointer a, gconstpointer b)
{
    const BootEntry *x = a, *y = b;

    return x->index < y->index ? -1 : x->index > y->index;
}

static void add_line(GString *text, const char *line)
{
    if (text->len) {
        g_string_append_c(text, '\n');
    }
    g_string_append(text, line);
}

char *boot_order_list(MachineState *machine, const char *first, GError **error)
{
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(BootEntry));
    BootList list = {.entries = entries};

    g_array_set_clear_func(entries, boot_entry_clear);
    if (object_child_foreach_recursive(OBJECT(machine), find_boot_device, &list) ||
        !add_roms(&list, machine->option_roms)) {
        g_propagate_error(error, list.error);
        return NULL;
    }
    g_array_sort(entries, boot_entry_compare);
    GString *text = g_string_new(first);
    for (guint i = 0; i < entries->len; i++) {
        add_line(text, g_array_index(entries, BootEntry, i).path);
    }
    if (machine->boot.strict) {
        add_line(text, "HALT");
    }
    return g_string_free(text, FALSE);
}

/* ---- geometry ---------------------------------------------------------------------- */

static bool find_geometry(Object *child, const char *name, void *opaque)
{
    static const char *const names[3] = {"lcyls", "lheads", "lsecs"};
    uint64_t values[3], any = 0;

    if (!object_dynamic_cast(child, TYPE_DEVICE)) {
        return false;
    }
    for (int i = 0; i < 3; i++) {
        if (!object_class_find_property(object_get_class(child), names[i])) {
            return false;
        }
        values[i] = object_property_get_uint(child, names[i], NULL);
        any |= values[i];
    }
    if (any) {
        g_autofree char *path = firmware_device_path(DEVICE(child));
        g_autofree char *line =
            g_strdup_printf("%s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT,
                            path, values[0], values[1], values[2]);
        add_line(opaque, line);
    }
    return false;
}

char *boot_geometry_list(MachineState *machine)
{
    GString *text = g_string_new(NULL);

    object_child_foreach_recursive(OBJECT(machine), find_geometry, text);
    return g_string_free(text, FALSE);
}
