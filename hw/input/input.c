/* SPDX-License-Identifier: MIT */
#include "hw/input/input.h"

#define TYPE_INPUT_ROUTER "input-router"
OBJECT_DECLARE_SIMPLE(InputRouter, INPUT_ROUTER, TYPE_INPUT_ROUTER)

struct InputRouter {
    Object parent_obj;
    GSList *attached; /* of InputAttachment, last first */
};

typedef struct InputAttachment {
    DeviceState *dev;
    InputRouter *router;
    const InputHandler *handler;
    void *opaque;
} InputAttachment;

static InputRouter *input_router(MachineState *machine)
{
    Object *obj = object_resolve_path_component(OBJECT(machine), "input");

    if (!obj) {
        obj = object_new_child(OBJECT(machine), "input", TYPE_INPUT_ROUTER, NULL);
    }
    return INPUT_ROUTER(obj);
}

static void input_detach(void *opaque)
{
    InputAttachment *a = opaque;

    a->router->attached = g_slist_remove(a->router->attached, a);
    object_unref(a->router);
    g_free(a);
}

void input_attach(DeviceState *dev, const InputHandler *handler, void *opaque)
{
    InputAttachment *a = g_new(InputAttachment, 1);
    InputRouter *router = input_router(qdev_get_machine(dev));

    *a = (InputAttachment){dev, (InputRouter *)object_ref(router), handler, opaque};
    router->attached = g_slist_prepend(router->attached, a);
    qdev_on_unrealize(dev, input_detach, a);
}

void input_send_key(MachineState *machine, const InputKey *key, bool down)
{
    for (GSList *l = input_router(machine)->attached; l; l = l->next) {
        InputAttachment *a = l->data;
        if (a->handler->key) {
            device_lock(a->dev);
            a->handler->key(a->opaque, key, down);
            device_unlock(a->dev);
            return;
        }
    }
}

void input_send_move(MachineState *machine, int dx, int dy, int dz, unsigned buttons)
{
    for (GSList *l = input_router(machine)->attached; l; l = l->next) {
        InputAttachment *a = l->data;
        if (a->handler->move) {
            device_lock(a->dev);
            a->handler->move(a->opaque, dx, dy, dz, buttons);
            device_unlock(a->dev);
            return;
        }
    }
}

static const TypeInfo input_types[] = {
    {.name = TYPE_INPUT_ROUTER,
     .parent = TYPE_OBJECT,
     .instance_size = sizeof(InputRouter),
     .doc = "leads key strokes and mouse movements to input devices"},
};
DEFINE_TYPES(input_types)
