/* SPDX-License-Identifier: MIT
 *
 * The life of a device.
 */
#include "hw/core/qdev.h"

#include "hw/core/hotplug.h"
#include "hw/core/machine.h"
#include "hw/core/qdev-internal.h"

typedef struct DeviceUndo {
    void (*fn)(void *opaque);
    void *opaque;
} DeviceUndo;

void qdev_on_unrealize(DeviceState *dev, void (*fn)(void *opaque), void *opaque)
{
    DeviceUndo *undo = g_new(DeviceUndo, 1);

    *undo = (DeviceUndo){fn, opaque};
    g_ptr_array_add(dev->undo, undo);
}

static void device_run_undo(DeviceState *dev)
{
    while (dev->undo->len) {
        g_autofree DeviceUndo *undo = g_ptr_array_steal_index(dev->undo, dev->undo->len - 1);
        undo->fn(undo->opaque);
    }
}

/* ---- creation ------------------------------------------------------------------- */

DeviceState *qdev_new(const char *type, GError **error)
{
    ObjectClass *klass = object_class_lookup(type, error);

    if (klass && !object_class_dynamic_cast(klass, TYPE_DEVICE)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_TYPE, "'%s' is not a device type", type);
        return NULL;
    }
    Object *obj = klass ? object_new(type, error) : NULL;
    return obj ? DEVICE(obj) : NULL;
}

MachineState *qdev_get_machine(const void *dev)
{
    Object *root = object_get_root(dev);
    Object *machine = object_dynamic_cast(root, TYPE_MACHINE)
                          ? root
                          : object_resolve_path_component(root, "machine");

    g_assert(machine);
    return MACHINE(machine);
}

EventLoop *device_event_loop(DeviceState *dev)
{
    return qdev_get_machine(dev)->loop;
}

int64_t device_clock_ns(DeviceState *dev, ClockType type)
{
    return vm_clock_get_ns(qdev_get_machine(dev)->clock, type);
}

/* ---- realize and unrealize -------------------------------------------------------- */

static bool device_join_bus(DeviceState *dev, BusState *bus, GError **error)
{
    const DeviceClass *dc = DEVICE_GET_CLASS(dev);
    const char *type = object_get_typename(OBJECT(dev));

    if (!bus) {
        if (dc->bus_type) {
            g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                        "device '%s' needs a bus of type '%s'", type, dc->bus_type);
        }
        return !dc->bus_type;
    }
    if (!dc->bus_type || !object_dynamic_cast(OBJECT(bus), dc->bus_type)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "device '%s' does not plug into bus '%s', which is a '%s'", type,
                    OBJECT(bus)->name, object_get_typename(OBJECT(bus)));
        return false;
    }
    const BusClass *bc = BUS_GET_CLASS(bus);
    if (bc->max_dev && (int)bus->children.length >= bc->max_dev) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "bus '%s' is full: it takes %d devices", OBJECT(bus)->name, bc->max_dev);
        return false;
    }
    dev->parent_bus = bus;
    object_ref(OBJECT(bus));
    g_queue_push_tail(&bus->children, dev);
    return true;
}

static void device_leave_bus(DeviceState *dev)
{
    if (dev->parent_bus) {
        g_queue_remove(&dev->parent_bus->children, dev);
        object_unref(OBJECT(dev->parent_bus));
        dev->parent_bus = NULL;
    }
}

static void device_undo_realize(DeviceState *dev)
{
    BusState *bus = dev->parent_bus;
    const BusClass *bc = bus ? BUS_GET_CLASS(bus) : NULL;

    device_run_undo(dev);
    if (bc && bc->unplug) {
        bc->unplug(bus, dev);
    }
    if (bus && bus->hotplug && bus->hotplug->unplugged) {
        bus->hotplug->unplugged(bus->hotplug_opaque, dev);
    }
}

static bool device_pre_plug(DeviceState *dev, GError **error)
{
    BusState *bus = dev->parent_bus;
    const BusClass *bc = bus ? BUS_GET_CLASS(bus) : NULL;

    if (bc && bc->plug && !bc->plug(bus, dev, error)) {
        return false;
    }
    return !bus || !bus->hotplug || !bus->hotplug->pre_plug ||
           bus->hotplug->pre_plug(bus->hotplug_opaque, dev, error);
}

/* It works: give it the state that a machine's reset would have, and tell the guest. */
static void device_plugged(DeviceState *dev)
{
    BusState *bus = dev->parent_bus;

    if (dev->hotplugged) {
        device_cold_reset(dev);
    }
    if (bus && bus->hotplug && bus->hotplug->plug) {
        bus->hotplug->plug(bus->hotplug_opaque, dev);
    }
}

static bool device_do_realize(DeviceState *dev, GError **error)
{
    DeviceClass *dc = DEVICE_GET_CLASS(dev);

    if (!device_pre_plug(dev, error)) {
        return false;
    }
    dev->lock.dead = false;
    dev->realizing = true;
    bool ok = (!dc->realize || dc->realize(dev, error)) && (!dc->place || dc->place(dev, error));
    dev->realizing = false;
    if (!ok) {
        dev->lock.dead = true;
        device_undo_realize(dev);
    }
    return ok;
}

static void device_do_unrealize(DeviceState *dev)
{
    DeviceClass *dc = DEVICE_GET_CLASS(dev);

    device_lock(dev);
    dev->realized = false;
    dev->lock.dead = true;
    device_unlock(dev);
    if (dc->unrealize) {
        dc->unrealize(dev);
    }
    device_undo_realize(dev);
}

/* The setter behind the property "realized". */
static bool device_set_realized(Object *obj, const Property *prop, GVariant *value, GError **error)
{
    DeviceState *dev = DEVICE(obj);
    bool want = g_variant_get_boolean(value);

    (void)prop;
    if (want == dev->realized) {
        return true;
    }
    if (want) {
        dev->realized = device_do_realize(dev, error);
        if (dev->realized) {
            device_plugged(dev);
        }
        return dev->realized;
    }
    device_do_unrealize(dev);
    return true;
}

static bool device_check_realized(Object *obj, const Property *prop, GVariant *value,
                                  GError **error)
{
    (void)obj;
    (void)prop;
    if (!g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE, "takes a bool");
        return false;
    }
    return true;
}

static GVariant *device_get_realized(Object *obj, const Property *prop)
{
    (void)prop;
    return g_variant_new_boolean(DEVICE(obj)->realized);
}

static void device_ensure_parent(DeviceState *dev, BusState *bus)
{
    if (OBJECT(dev)->parent) {
        return;
    }
    g_assert(bus && bus->parent);
    object_add_child(qdev_get_machine(bus->parent)->unattached, "device[*]", OBJECT(dev), NULL);
}

bool qdev_realize(DeviceState *dev, BusState *bus, GError **error)
{
    bool adopted = !OBJECT(dev)->parent;

    g_assert(!dev->realized && !dev->parent_bus);
    if (!device_join_bus(dev, bus, error)) {
        return false;
    }
    device_ensure_parent(dev, bus);
    if (!object_property_set_bool(OBJECT(dev), "realized", true, error)) {
        device_leave_bus(dev);
        if (adopted) {
            object_unparent(OBJECT(dev));
        }
        return false;
    }
    return true;
}

bool qdev_realize_and_unref(DeviceState *dev, BusState *bus, GError **error)
{
    bool ok = qdev_realize(dev, bus, error);

    object_unref(OBJECT(dev));
    return ok;
}

void qdev_unrealize(DeviceState *dev)
{
    object_property_set_bool(OBJECT(dev), "realized", false, NULL);
    device_leave_bus(dev);
}

static void device_unparent(Object *obj)
{
    DeviceState *dev = DEVICE(obj);

    if (dev->realized) {
        qdev_unrealize(dev);
    }
    while (dev->child_buses) {
        object_unparent(OBJECT(dev->child_buses->data));
    }
    device_leave_bus(dev);
}

char *qdev_get_display_name(DeviceState *dev)
{
    char *path = dev->id ? NULL : object_get_path(OBJECT(dev));

    return path ? path : g_strdup(dev->id ? dev->id : object_get_typename(OBJECT(dev)));
}

/* ---- timers with the device's lock ------------------------------------------------ */

typedef struct DeviceTimer {
    DeviceState *dev;
    Timer *timer;
    void (*cb)(void *opaque);
    void *opaque;
} DeviceTimer;

static void device_timer_fire(void *opaque)
{
    DeviceTimer *t = opaque;

    device_lock(t->dev);
    t->cb(t->opaque);
    device_unlock(t->dev);
}

static void device_timer_undo(void *opaque)
{
    DeviceTimer *t = opaque;

    timer_free(t->timer);
    g_free(t);
}

Timer *device_timer_new(DeviceState *dev, ClockType type, void (*cb)(void *opaque), void *opaque)
{
    DeviceTimer *t = g_new(DeviceTimer, 1);

    *t = (DeviceTimer){.dev = dev, .cb = cb, .opaque = opaque};
    t->timer = timer_new(device_event_loop(dev), type, device_timer_fire, t);
    qdev_on_unrealize(dev, device_timer_undo, t);
    return t->timer;
}

/* ---- the type ---------------------------------------------------------------------- */

static bool device_is_frozen(Object *obj)
{
    return DEVICE(obj)->realized;
}

static void device_instance_init(Object *obj)
{
    DeviceState *dev = DEVICE(obj);

    g_mutex_init(&dev->lock.mutex);
    dev->undo = g_ptr_array_new();
    dev->gpios = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                       (GDestroyNotify)gpio_list_free);
}

static void device_instance_finalize(Object *obj)
{
    DeviceState *dev = DEVICE(obj);

    g_ptr_array_unref(dev->undo);
    g_hash_table_unref(dev->gpios);
    g_slist_free(dev->child_buses);
    g_mutex_clear(&dev->lock.mutex);
    g_free(dev->id);
}

static GVariant *device_get_hotplugged(Object *obj, const Property *prop)
{
    (void)prop;
    return g_variant_new_boolean(DEVICE(obj)->hotplugged);
}

static GVariant *device_get_hotpluggable(Object *obj, const Property *prop)
{
    (void)prop;
    return g_variant_new_boolean(DEVICE_GET_CLASS(obj)->hotpluggable);
}

static GVariant *device_get_parent_bus(Object *obj, const Property *prop)
{
    const BusState *bus = DEVICE(obj)->parent_bus;

    return g_variant_new_take_string(bus ? object_get_path(OBJECT(bus)) : g_strdup(""));
}

static const Property device_properties[] = {
    DEFINE_PROP_CUSTOM("realized", "b", device_get_realized, device_set_realized, PROP_INTERNAL,
                       "Whether the device works; set last", .check = device_check_realized),
    DEFINE_PROP_CUSTOM("hotplugged", "b", device_get_hotplugged, NULL, PROP_INTERNAL,
                       "Whether it was added to a running machine"),
    DEFINE_PROP_CUSTOM("hotpluggable", "b", device_get_hotpluggable, NULL, PROP_INTERNAL,
                       "Whether it can be added to a running machine"),
    DEFINE_PROP_CUSTOM("parent_bus", "s", device_get_parent_bus, NULL, PROP_INTERNAL,
                       "What it is plugged into", .link_type = TYPE_BUS),
    DEFINE_PROP_END,
};

static OwnerLock *device_get_lock(Object *owner)
{
    return &DEVICE(owner)->lock;
}

static void device_region_made(Object *owner, MemoryRegion *mr)
{
    if (DEVICE(owner)->realizing) {
        qdev_on_unrealize(DEVICE(owner), (void (*)(void *))object_unparent, mr);
    }
}

static void device_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    MemoryOwnerClass *moc =
        (MemoryOwnerClass *)object_class_dynamic_cast(klass, TYPE_MEMORY_OWNER);

    (void)data;
    moc->get_lock = device_get_lock;
    moc->region_made = device_region_made;
    klass->unparent = device_unparent;
    dc->user_creatable = true;
    dc->hotpluggable = true;
    object_class_set_frozen_func(klass, device_is_frozen);
}

static const TypeInfo device_types[] = {
    {.name = TYPE_DEVICE,
     .parent = TYPE_OBJECT,
     .instance_size = sizeof(DeviceState),
     .instance_init = device_instance_init,
     .instance_finalize = device_instance_finalize,
     .class_size = sizeof(DeviceClass),
     .class_init = device_class_init,
     .properties = device_properties,
     .interfaces = (const InterfaceInfo[]){{TYPE_MEMORY_OWNER}, {NULL}},
     .abstract = true,
     .doc = "Root of all devices"},
};
DEFINE_TYPES(device_types)
