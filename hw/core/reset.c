/* SPDX-License-Identifier: MIT
 *
 * Reset in three phases over a subtree.
 */
#include "hw/core/qdev.h"

typedef struct ResetList {
    GPtrArray *objects;  /* devices and buses, children before parents */
    GHashTable *visited;
} ResetList;

static void reset_collect(Object *obj, ResetList *list);

static bool reset_collect_child(Object *child, const char *name, void *opaque)
{
    (void)name;
    reset_collect(child, opaque);
    return false;
}

static void reset_collect_plugged(BusState *bus, ResetList *list)
{
    for (GList *l = bus->children.head; l; l = l->next) {
        reset_collect(l->data, list);
    }
}

static void reset_collect(Object *obj, ResetList *list)
{
    bool device = object_dynamic_cast(obj, TYPE_DEVICE);
    bool bus = object_dynamic_cast(obj, TYPE_BUS);

    if (!g_hash_table_add(list->visited, obj)) {
        return;
    }
    object_child_foreach(obj, reset_collect_child, list);
    if (bus) {
        reset_collect_plugged(BUS(obj), list);
    }
    if (bus || (device && DEVICE(obj)->realized)) {
        g_ptr_array_add(list->objects, object_ref(obj));
    }
}

typedef enum ResetPhase { RESET_ENTER, RESET_HOLD, RESET_EXIT } ResetPhase;

static void reset_device_phase(DeviceState *dev, ResetPhase phase, ResetType type)
{
    DeviceClass *dc = DEVICE_GET_CLASS(dev);

    if (!dev->realized) {
        return; /* it was unplugged in an earlier phase */
    }
    device_lock(dev);
    if (phase == RESET_ENTER && dc->reset_enter) {
        dc->reset_enter(dev, type);
    } else if (phase == RESET_HOLD && dc->reset_hold) {
        dc->reset_hold(dev);
    } else if (phase == RESET_EXIT && dc->reset_exit) {
        dc->reset_exit(dev);
    }
    device_unlock(dev);
}

static void reset_phase(Object *obj, ResetPhase phase, ResetType type)
{
    if (object_dynamic_cast(obj, TYPE_DEVICE)) {
        reset_device_phase(DEVICE(obj), phase, type);
    } else if (phase == RESET_HOLD && BUS_GET_CLASS(obj)->reset_hold) {
        BUS_GET_CLASS(obj)->reset_hold(BUS(obj));
    }
}

void resettable_reset(Object *root, ResetType type)
{
    ResetList list = {g_ptr_array_new_with_free_func(object_unref), g_hash_table_new(NULL, NULL)};

    reset_collect(root, &list);
    for (ResetPhase phase = RESET_ENTER; phase <= RESET_EXIT; phase++) {
        for (guint i = 0; i < list.objects->len; i++) {
            reset_phase(g_ptr_array_index(list.objects, i), phase, type);
        }
    }
    g_hash_table_unref(list.visited);
    g_ptr_array_unref(list.objects);
}

void device_cold_reset(DeviceState *dev)
{
    resettable_reset(OBJECT(dev), RESET_COLD);
}
