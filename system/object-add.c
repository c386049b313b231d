/* SPDX-License-Identifier: MIT
 *
 * Devices and objects from options.
 */
#include <string.h>
#include "system/object-add.h"

#include "hw/core/hotplug.h"
#include "system/runstate.h"

/* ---- names --------------------------------------------------------------------------------- */

static bool check_id(const char *id, GError **error)
{
    const char *p = id;

    if (g_ascii_isalpha(*p)) {
        while (g_ascii_isalnum(*p) || (*p && strchr("-._", *p))) {
            p++;
        }
        if (!*p) {
            return true;
        }
    }
    g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE,
                "id=%s: expected a letter and then letters, digits, '-', '.' or '_'", id);
    return false;
}

static bool check_new_id(Object *parent, const char *id, GError **error)
{
    if (!check_id(id, error)) {
        return false;
    }
    if (object_resolve_path_component(parent, id)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE, "Duplicate ID '%s'", id);
        return false;
    }
    return true;
}

static Object *tree_folder(MachineState *machine, const char *path)
{
    return container_get(object_get_root(OBJECT(machine)), path);
}

/* ---- links, by id --------------------------------------------------------------------------- */

static Object *find_by_id(MachineState *machine, const char *id, const char *type)
{
    static const char *const folders[] = {"chardevs", "objects", "machine/peripheral"};

    for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
        Object *found = object_resolve_path_component(tree_folder(machine, folders[i]), id);

        if (found && object_dynamic_cast(found, type)) {
            return found;
        }
    }
    return NULL;
}

/* chardev=, iothread=, memdev= name a thing by its id; others are left to the property's parser. */
static bool apply_links(MachineState *machine, Options *options, Object *obj, GError **error)
{
    for (guint i = 0; i < options->items->len; i++) {
        Option *option = g_ptr_array_index(options->items, i);
        const Property *prop = object_class_find_property(object_get_class(obj), option->key);
        Object *target = NULL;

        if (option->used || !prop || !prop->link_type) {
            continue;
        }
        if (option->value[0] != '/') {
            target = find_by_id(machine, option->value, prop->link_type);
        } else {
            target = object_resolve_path(obj, option->value, NULL);
        }
        if (!target) {
            g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_PATH,
                        "%s=%s: there is no %s with that id", option->key, option->value,
                        prop->link_type);
            return false;
        }
        option->used = true;
        if (!object_property_set_link(obj, option->key, target, error)) {
            return false;
        }
    }
    return true;
}

static bool apply_all(MachineState *machine, Options *options, Object *obj, GError **error)
{
    return apply_links(machine, options, obj, error) && options_apply(options, obj, error);
}

/* ---- objects -------------------------------------------------------------------------------- */

static ObjectClass *find_user_type(const char *type, GError **error)
{
    ObjectClass *klass = object_class_by_name(type);

    if (!klass || object_class_is_abstract(klass) ||
        !object_class_dynamic_cast(klass, TYPE_USER_CREATABLE)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_TYPE,
                    "'%s' is no type of object that can be created (-object help lists them)",
                    type);
        return NULL;
    }
    return klass;
}

bool user_object_add(MachineState *machine, Options *options, GError **error)
{
    Object *objects = tree_folder(machine, "objects"), *obj;
    const char *type = options_get(options, "qom-type"), *id = options_get(options, "id");

    if (!type || !id) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE, "%s is missing",
                    type ? "id=NAME" : "qom-type=TYPE");
        return false;
    }
    if (!find_user_type(type, error) || !check_new_id(objects, id, error)) {
        return false;
    }
    obj = object_new_child(objects, id, type, error);
    if (!obj) {
        return false;
    }
    if (!apply_all(machine, options, obj, error) || !user_creatable_complete(obj, error)) {
        object_unparent(obj);
        return false;
    }
    return true;
}

bool user_object_del(MachineState *machine, const char *id, GError **error)
{
    Object *obj = object_resolve_path_component(tree_folder(machine, "objects"), id);
    UserCreatableClass *ucc;

    if (!obj) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE, "there is no object '%s'", id);
        return false;
    }
    ucc = INTERFACE_GET_CLASS(UserCreatableClass, obj, TYPE_USER_CREATABLE);
    if (ucc->can_be_deleted && !ucc->can_be_deleted(obj)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "object '%s' is in use", id);
        return false;
    }
    object_unparent(obj);
    return true;
}

/* ---- devices -------------------------------------------------------------------------------- */

static void collect_driver(void *klass, void *names)
{
    if (DEVICE_CLASS(klass)->user_creatable) {
        g_ptr_array_add(names, (char *)object_class_get_name(klass));
    }
}

static void set_driver_error(const char *driver, GError **error)
{
    g_autoptr(GSList) classes = object_class_get_list(TYPE_DEVICE, false);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *nearest;

    g_slist_foreach(classes, collect_driver, names);
    g_ptr_array_add(names, NULL);
    nearest = nearest_word(driver, (const char *const *)names->pdata);
    g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_TYPE,
                "'%s' is no device that can be added%s%s%s (-device help lists them)", driver,
                nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static ObjectClass *find_driver_alias(const char *alias)
{
    g_autoptr(GSList) classes = object_class_get_list(TYPE_DEVICE, false);

    for (GSList *l = classes; l; l = l->next) {
        if (!g_strcmp0(DEVICE_CLASS(l->data)->alias, alias)) {
            return l->data;
        }
    }
    return NULL;
}

DeviceClass *qdev_find_driver(const char *driver, GError **error)
{
    ObjectClass *klass = object_class_by_name(driver);

    klass = klass ? klass : find_driver_alias(driver);
    if (!klass || object_class_is_abstract(klass) ||
        !object_class_dynamic_cast(klass, TYPE_DEVICE) || !DEVICE_CLASS(klass)->user_creatable) {
        set_driver_error(driver, error);
        return NULL;
    }
    return DEVICE_CLASS(klass);
}

static bool find_bus(MachineState *machine, DeviceClass *dc, const char *name, BusState **ret,
                     GError **error)
{
    const char *driver = object_class_get_name(OBJECT_CLASS(dc));
    BusState *bus = NULL;

    if (name) {
        bus = qbus_find(OBJECT(machine), name, error);
        if (!bus) {
            return false;
        }
        if (!dc->bus_type || !object_dynamic_cast(OBJECT(bus), dc->bus_type)) {
            g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                        "bus=%s is a %s; device '%s' needs %s%s", name,
                        object_get_typename(OBJECT(bus)), driver, dc->bus_type ? "a " : "",
                        dc->bus_type ? dc->bus_type : "none");
            return false;
        }
    } else if (dc->bus_type) {
        bus = qbus_find_by_type(OBJECT(machine), dc->bus_type);
        if (!bus) {
            g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                        "there is no %s with room for device '%s'", dc->bus_type, driver);
            return false;
        }
    }
    *ret = bus;
    return true;
}

static DeviceState *new_device(MachineState *machine, DeviceClass *dc, const char *id,
                               GError **error)
{
    Object *parent = id ? machine->peripheral : machine->peripheral_anon;
    Object *obj;

    if (id && !check_new_id(parent, id, error)) {
        return NULL;
    }
    obj = object_new_child(parent, id ? id : "device[*]", object_class_get_name(OBJECT_CLASS(dc)),
                           error);
    if (!obj) {
        return NULL;
    }
    DEVICE(obj)->id = g_strdup(id);
    return DEVICE(obj);
}

DeviceState *qdev_device_add(MachineState *machine, Options *options, GError **error)
{
    const char *driver = options_get(options, "driver"), *bus_name = options_get(options, "bus");
    const char *id = options_get(options, "id");
    bool hot = machine->phase == PHASE_MACHINE_READY;
    DeviceClass *dc;
    BusState *bus;
    DeviceState *dev;

    if (!driver) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE, "driver=TYPE is missing");
        return NULL;
    }
    dc = qdev_find_driver(driver, error);
    if (!dc || !find_bus(machine, dc, bus_name, &bus, error) ||
        (hot && !qdev_check_hotplug(dc, bus, error))) {
        return NULL;
    }
    dev = new_device(machine, dc, id, error);
    if (!dev) {
        return NULL;
    }
    dev->hotplugged = hot;
    if (!apply_all(machine, options, OBJECT(dev), error) || !qdev_realize(dev, bus, error)) {
        object_unparent(OBJECT(dev));
        return NULL;
    }
    return dev;
}

/* The guest has to agree: DEVICE_DELETED comes when it has. */
static bool request_cpu_unplug(MachineState *machine, CPUState *cpu, GError **error)
{
    const MachineClass *mc = MACHINE_GET_CLASS(machine);

    if (!mc->unplug_request_cpu) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "machine '%s' cannot give up CPUs",
                    mc->name);
        return false;
    }
    return mc->unplug_request_cpu(machine, cpu, error);
}

bool qdev_device_del(MachineState *machine, const char *id, GError **error)
{
    Object *obj = *id == '/' ? object_resolve_path(OBJECT(machine), id, NULL)
                             : object_resolve_path_component(machine->peripheral, id);

    if (!obj || !object_dynamic_cast(obj, TYPE_DEVICE) || !DEVICE(obj)->realized) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_PATH, "Device '%s' not found", id);
        return false;
    }
    if (object_dynamic_cast(obj, TYPE_CPU)) {
        return request_cpu_unplug(machine, CPU(obj), error);
    }
    return qdev_unplug_request(DEVICE(obj), error);
}
