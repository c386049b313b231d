/* SPDX-License-Identifier: MIT
 *
 * Paths in the manner of Open Firmware (IEEE 1275), as SeaBIOS and OVMF match them.
 */
#include "hw/i386/boot-order.h"

typedef struct BootDevice {
    int64_t index;
    DeviceState *dev;
    const char *suffix;
} BootDevice;

typedef struct BootList {
    GArray *devices; /* of BootDevice */
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
    BootDevice d = {.dev = DEVICE(dev), .suffix = boot_properties[kind].suffix};

    if (!object_class_find_property(object_get_class(dev), boot_properties[kind].property)) {
        return true;
    }
    d.index = object_property_get_int(dev, boot_properties[kind].property, NULL);
    if (d.index < 0) {
        return true;
    }
    for (guint i = 0; i < list->devices->len; i++) {
        if (g_array_index(list->devices, BootDevice, i).index == d.index) {
            g_set_error(&list->error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                        "bootindex=%" G_GINT64_FORMAT ": two devices have it", d.index);
            return false;
        }
    }
    g_array_append_val(list->devices, d);
    return true;
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

static gint boot_device_compare(gconstpointer a, gconstpointer b)
{
    const BootDevice *x = a, *y = b;

    return x->index < y->index ? -1 : x->index > y->index;
}

char *boot_order_list(MachineState *machine, const char *first, GError **error)
{
    g_autoptr(GArray) devices = g_array_new(FALSE, FALSE, sizeof(BootDevice));
    BootList list = {.devices = devices};

    if (object_child_foreach_recursive(OBJECT(machine), find_boot_device, &list)) {
        g_propagate_error(error, list.error);
        return NULL;
    }
    g_array_sort(devices, boot_device_compare);
    GString *text = g_string_new(first);
    for (guint i = 0; i < devices->len; i++) {
        const BootDevice *d = &g_array_index(devices, BootDevice, i);
        g_autofree char *path = firmware_device_path(d->dev);
        g_string_append_printf(text, "%s%s%s", text->len ? "\n" : "", path, d->suffix);
    }
    return g_string_free(text, FALSE);
}
