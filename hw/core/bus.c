/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "hw/core/qdev.h"

/* ---- names ---------------------------------------------------------------------------- */

typedef struct BusCount {
    const char *type;
    int next;
} BusCount;

static bool bus_count(Object *child, const char *name, void *opaque)
{
    BusCount *count = opaque;
    const char *dot = strrchr(name, '.');

    if (object_dynamic_cast(child, TYPE_BUS) && BUS(child)->auto_named && dot &&
        !strcmp(object_get_typename(child), count->type)) {
        count->next = MAX(count->next, atoi(dot + 1) + 1);
    }
    return false;
}

static char *bus_make_name(DeviceState *parent, const char *type)
{
    BusCount count = {type, 0};
    g_autofree char *lower = g_ascii_strdown(type, -1);

    object_child_foreach_recursive(object_get_root(OBJECT(parent)), bus_count, &count);
    return g_strdup_printf("%s.%d", lower, count.next);
}

static void bus_set_parent(BusState *bus, DeviceState *parent, const char *name)
{
    if (!parent) {
        return;
    }
    bus->parent = parent;
    parent->child_buses = g_slist_append(parent->child_buses, bus);
    bool ok = object_add_child(OBJECT(parent), name, OBJECT(bus), NULL);
    g_assert(ok);
    if (parent->realizing) {
        qdev_on_unrealize(parent, (void (*)(void *))object_unparent, bus);
    }
}

BusState *qbus_new(const char *type, DeviceState *parent, const char *name)
{
    ObjectClass *klass = object_class_by_name(type);
    g_autofree char *made = NULL;

    g_assert(klass);
    BusState *bus = BUS(object_new_with_class(klass));
    if (!name && parent) {
        bus->auto_named = !parent->id;
        made = parent->id ? g_strdup(parent->id) : bus_make_name(parent, type);
    }
    bus_set_parent(bus, parent, name ? name : made);
    if (parent) {
        object_unref(OBJECT(bus)); /* the tree has its own */
    }
    return bus;
}

void qbus_init(void *opaque, size_t size, const char *type, DeviceState *parent, const char *name)
{
    g_assert(parent);
    memset(opaque, 0, size);
    object_initialize_child(OBJECT(parent), name, opaque, type);
    BusState *bus = BUS(opaque);
    bus->parent = parent;
    parent->child_buses = g_slist_append(parent->child_buses, bus);
    if (parent->realizing) {
        qdev_on_unrealize(parent, (void (*)(void *))object_unparent, bus);
    }
}

static void bus_unparent(Object *obj)
{
    BusState *bus = BUS(obj);
    DeviceState *dev;

    while ((dev = g_queue_peek_tail(&bus->children))) {
        object_ref(OBJECT(dev));
        if (OBJECT(dev)->parent) {
            object_unparent(OBJECT(dev));
        } else {
            qdev_unrealize(dev);
        }
        g_queue_remove(&bus->children, dev);
        object_unref(OBJECT(dev));
    }
    if (bus->parent) {
        bus->parent->child_buses = g_slist_remove(bus->parent->child_buses, bus);
        bus->parent = NULL;
    }
}

BusState *qdev_get_child_bus(DeviceState *dev, const char *name)
{
    for (GSList *l = dev->child_buses; l; l = l->next) {
        if (!strcmp(OBJECT(l->data)->name, name)) {
            return l->data;
        }
    }
    return NULL;
}

/* ---- finding --------------------------------------------------------------------------- */

/* A bus wins over those below it, else the newest: bridges have buses of the type that they sit on. */
typedef struct BusSearch {
    const char *name, *type;
    BusState *found;
} BusSearch;

static bool bus_has_room(const BusState *bus)
{
    const BusClass *bc = BUS_GET_CLASS(bus);

    return !bc->max_dev || (int)bus->children.length < bc->max_dev;
}

static void search_below(BusSearch *s, GSList *buses);

static void search_bus(BusSearch *s, BusState *bus)
{
    if (s->name ? !strcmp(OBJECT(bus)->name, s->name)
                : object_dynamic_cast(OBJECT(bus), s->type) && bus_has_room(bus)) {
        s->found = bus;
    }
    for (GList *l = bus->children.tail; l && !s->found; l = l->prev) {
        search_below(s, DEVICE(l->data)->child_buses);
    }
}

static void search_below(BusSearch *s, GSList *buses)
{
    g_autoptr(GSList) newest_first = g_slist_reverse(g_slist_copy(buses));

    for (GSList *l = newest_first; l && !s->found; l = l->next) {
        search_bus(s, l->data);
    }
}

/* Devices on a bus are reached through it. */
static bool add_root_buses(Object *child, const char *name, void *opaque)
{
    GSList **buses = opaque;

    if (object_dynamic_cast(child, TYPE_DEVICE) && !DEVICE(child)->parent_bus) {
        *buses = g_slist_concat(*buses, g_slist_copy(DEVICE(child)->child_buses));
    }
    return false;
}

static BusState *search(BusSearch s, Object *root)
{
    g_autoptr(GSList) buses = NULL;

    object_child_foreach_recursive(object_get_root(root), add_root_buses, &buses);
    search_below(&s, buses);
    return s.found;
}

BusState *qbus_find(Object *root, const char *name, GError **error)
{
    Object *at = strchr(name, '/') ? object_resolve_path(root, name, NULL) : NULL;
    BusState *bus = at && object_dynamic_cast(at, TYPE_BUS)
                        ? BUS(at)
                        : search((BusSearch){.name = name}, root);

    if (!bus) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE, "Bus '%s' not found", name);
    }
    return bus;
}

BusState *qbus_find_by_type(Object *root, const char *type)
{
    return search((BusSearch){.type = type}, root);
}

static void bus_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    klass->unparent = bus_unparent;
}

static const TypeInfo bus_types[] = {
    {.name = TYPE_BUS,
     .parent = TYPE_OBJECT,
     .instance_size = sizeof(BusState),
     .class_size = sizeof(BusClass),
     .class_init = bus_class_init,
     .abstract = true,
     .doc = "What devices plug into"},
};
DEFINE_TYPES(bus_types)
