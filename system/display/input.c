/* SPDX-License-Identifier: MIT
 *
 * Leads key strokes and movements to input devices.
 */
#include "system/display/input.h"

#define TYPE_INPUT_ROUTER "input-router"
OBJECT_DECLARE_SIMPLE(InputRouter, INPUT_ROUTER, TYPE_INPUT_ROUTER)

#define QUEUE_MAX 1024 /* key events that wait for their time */

typedef struct QueuedKey {
    const InputKey *key;
    bool down;
    unsigned delay_ms; /* after it */
} QueuedKey;

struct InputRouter {
    Object parent_obj;
    MachineState *machine;
    GSList *attached; /* of InputAttachment, the one to be asked first at its head */
    unsigned last_index;

    struct {
        int dx, dy, dz, x, y;
        unsigned buttons;
        bool moved, placed, clicked;
    } pointer;
    _Atomic unsigned leds;

    GQueue queue; /* of QueuedKey */
    Timer *timer; /* pending while the queue waits */
};

struct InputAttachment {
    DeviceState *dev;
    InputRouter *router;
    const InputHandler *handler;
    void *opaque;
    unsigned index; /* 0: hidden, and not among the attached */
};

static InputRouter *input_router(MachineState *machine)
{
    Object *obj = object_resolve_path_component(OBJECT(machine), "input");

    if (!obj) {
        obj = object_new_child(OBJECT(machine), "input", TYPE_INPUT_ROUTER, NULL);
        INPUT_ROUTER(obj)->machine = machine;
    }
    return INPUT_ROUTER(obj);
}

/* ---- attaching ------------------------------------------------------------------------------- */

static void queue_clear(InputRouter *router)
{
    g_queue_clear_full(&router->queue, g_free);
    g_clear_pointer(&router->timer, timer_free);
}

static void input_detach(void *opaque)
{
    InputAttachment *a = opaque;

    a->router->attached = g_slist_remove(a->router->attached, a);
    if (!a->router->attached) {
        queue_clear(a->router);
    }
    object_unref(a->router);
    g_free(a);
}

InputAttachment *input_attach_hidden(DeviceState *dev, const InputHandler *handler, void *opaque)
{
    InputAttachment *a = g_new(InputAttachment, 1);
    InputRouter *router = input_router(qdev_get_machine(dev));

    *a = (InputAttachment){dev, (InputRouter *)object_ref(router), handler, opaque, 0};
    qdev_on_unrealize(dev, input_detach, a);
    return a;
}

InputAttachment *input_attach(DeviceState *dev, const InputHandler *handler, void *opaque)
{
    InputAttachment *a = input_attach_hidden(dev, handler, opaque);

    input_activate(a);
    return a;
}

void input_activate(InputAttachment *a)
{
    if (!a->index) {
        a->index = ++a->router->last_index;
    }
    a->router->attached = g_slist_remove(a->router->attached, a);
    a->router->attached = g_slist_prepend(a->router->attached, a);
}

void input_hide(InputAttachment *a)
{
    a->index = 0;
    a->router->attached = g_slist_remove(a->router->attached, a);
}

void input_deactivate(InputAttachment *a)
{
    a->router->attached = g_slist_remove(a->router->attached, a);
    a->router->attached = g_slist_append(a->router->attached, a);
}

void input_set_leds(DeviceState *dev, unsigned leds)
{
    Object *obj = object_resolve_path_component(OBJECT(qdev_get_machine(dev)), "input");

    if (obj) {
        INPUT_ROUTER(obj)->leds = leds;
    }
}

unsigned input_leds(MachineState *machine)
{
    return input_router(machine)->leds;
}

/* ---- keys ----------------------------------------------------------------------------------- */

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

/* Send up to the next one that has to be waited after. */
static void queue_run(void *opaque)
{
    InputRouter *router = opaque;
    unsigned delay = 0;

    while (!delay && !g_queue_is_empty(&router->queue)) {
        g_autofree QueuedKey *next = g_queue_pop_head(&router->queue);

        if (next->key) {
            input_send_key(router->machine, next->key, next->down);
        }
        delay = next->delay_ms;
    }
    if (delay) {
        timer_mod(router->timer, vm_clock_get_ns(router->machine->clock, CLOCK_VIRTUAL) +
                                     delay * INT64_C(1000000));
    }
}

static void queue_add(InputRouter *router, const InputKey *key, bool down, unsigned delay_ms)
{
    QueuedKey *entry = g_new(QueuedKey, 1);

    *entry = (QueuedKey){key, down, delay_ms};
    g_queue_push_tail(&router->queue, entry);
}

void input_queue_keys(MachineState *machine, const InputKey *const *keys, unsigned n,
                      unsigned hold_ms)
{
    InputRouter *router = input_router(machine);

    if (!n || router->queue.length + 2 * n > QUEUE_MAX) {
        return;
    }
    if (!router->timer) {
        router->timer = timer_new(machine->loop, CLOCK_VIRTUAL, queue_run, router);
    }
    for (unsigned i = 0; i < n; i++) {
        queue_add(router, keys[i], true, i + 1 == n ? hold_ms : 0);
    }
    for (unsigned i = n; i > 0; i--) {
        queue_add(router, keys[i - 1], false, i == 1 ? hold_ms : 0);
    }
    if (!timer_pending(router->timer)) {
        queue_run(router);
    }
}

/* ---- pointer -------------------------------------------------------------------------------- */

void input_relative(MachineState *machine, InputAxis axis, int value)
{
    InputRouter *router = input_router(machine);
    int *sum = axis == INPUT_AXIS_X ? &router->pointer.dx : &router->pointer.dy;

    *sum = (int)CLAMP((int64_t)*sum + value, INT16_MIN, INT16_MAX);
    router->pointer.moved = true;
}

void input_absolute(MachineState *machine, InputAxis axis, int value)
{
    InputRouter *router = input_router(machine);

    *(axis == INPUT_AXIS_X ? &router->pointer.x : &router->pointer.y) =
        CLAMP(value, 0, INPUT_ABS_MAX);
    router->pointer.placed = true;
}

void input_buttons(MachineState *machine, unsigned mask, unsigned buttons)
{
    InputRouter *router = input_router(machine);

    router->pointer.buttons = (router->pointer.buttons & ~mask) | (buttons & mask);
    router->pointer.clicked = true;
}

void input_wheel(MachineState *machine, int dz)
{
    InputRouter *router = input_router(machine);

    router->pointer.dz = (int)CLAMP((int64_t)router->pointer.dz + dz, INT16_MIN, INT16_MAX);
    router->pointer.clicked = true;
}

static InputAttachment *find_pointer(InputRouter *router, bool move, bool point)
{
    for (GSList *l = router->attached; l; l = l->next) {
        InputAttachment *a = l->data;
        if ((move && a->handler->move) || (point && a->handler->point)) {
            return a;
        }
    }
    return NULL;
}

static void deliver_move(InputRouter *r, InputAttachment *a)
{
    device_lock(a->dev);
    a->handler->move(a->opaque, r->pointer.dx, r->pointer.dy, r->pointer.dz, r->pointer.buttons);
    device_unlock(a->dev);
    r->pointer.dz = 0;
}

static void deliver_point(InputRouter *r, InputAttachment *a)
{
    device_lock(a->dev);
    a->handler->point(a->opaque, r->pointer.x, r->pointer.y, r->pointer.dz, r->pointer.buttons);
    device_unlock(a->dev);
    r->pointer.dz = 0;
}

/* Buttons and wheel go with the movement, or alone to the device in use. */
void input_sync(MachineState *machine)
{
    InputRouter *r = input_router(machine);
    InputAttachment *mover = r->pointer.moved ? find_pointer(r, true, false) : NULL;
    InputAttachment *pointer = r->pointer.placed ? find_pointer(r, false, true) : NULL;
    InputAttachment *any = r->pointer.clicked ? find_pointer(r, true, true) : NULL;

    if (pointer) {
        deliver_point(r, pointer);
    }
    if (mover) {
        deliver_move(r, mover);
    }
    if (any && any != pointer && any != mover && !any->handler->point) {
        r->pointer.dx = r->pointer.dy = 0;
        deliver_move(r, any);
    } else if (any && any != pointer && any != mover) {
        deliver_point(r, any);
    }
    r->pointer.dx = r->pointer.dy = r->pointer.dz = 0;
    r->pointer.moved = r->pointer.placed = r->pointer.clicked = false;
}

void input_send_move(MachineState *machine, int dx, int dy, int dz, unsigned buttons)
{
    input_relative(machine, INPUT_AXIS_X, dx);
    input_relative(machine, INPUT_AXIS_Y, dy);
    input_wheel(machine, dz);
    input_buttons(machine, ~0u, buttons);
    input_sync(machine);
}

bool input_has_handler(MachineState *machine, InputKind kind)
{
    InputRouter *router = input_router(machine);

    if (kind != INPUT_KEY) {
        return find_pointer(router, kind != INPUT_ABSOLUTE, kind != INPUT_RELATIVE);
    }
    for (GSList *l = router->attached; l; l = l->next) {
        InputAttachment *a = l->data;

        if (a->handler->key) {
            return true;
        }
    }
    return false;
}

bool input_is_absolute(MachineState *machine)
{
    InputAttachment *a = find_pointer(input_router(machine), true, true);

    return a && a->handler->point;
}

void input_mouse_foreach(MachineState *machine, InputMouseVisitor fn, void *opaque)
{
    bool current = true;

    for (GSList *l = input_router(machine)->attached; l; l = l->next) {
        InputAttachment *a = l->data;

        if (a->handler->move || a->handler->point) {
            fn(a->index, a->handler->name, a->handler->point, current, opaque);
            current = false;
        }
    }
}

bool input_mouse_select(MachineState *machine, unsigned index)
{
    for (GSList *l = input_router(machine)->attached; l; l = l->next) {
        InputAttachment *a = l->data;

        if (a->index == index && (a->handler->move || a->handler->point)) {
            input_activate(a);
            return true;
        }
    }
    return false;
}

static void router_instance_init(Object *obj)
{
    g_queue_init(&INPUT_ROUTER(obj)->queue);
}

static void router_instance_finalize(Object *obj)
{
    queue_clear(INPUT_ROUTER(obj));
}

static const TypeInfo input_types[] = {
    {.name = TYPE_INPUT_ROUTER,
     .parent = TYPE_OBJECT,
     .instance_size = sizeof(InputRouter),
     .instance_init = router_instance_init,
     .instance_finalize = router_instance_finalize,
     .doc = "leads key strokes and mouse movements to input devices"},
};
DEFINE_TYPES(input_types)
