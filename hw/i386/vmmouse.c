/* SPDX-License-Identifier: MIT
 *
 * VMware's pointer: a PS/2 mouse tells that something has moved, and what it was is read through
 * VMware's port.  Linux, drivers/input/mouse/vmmouse.c.
 *
 *   39  data    EBX words of the queue, 1 to 6, into EAX, EBX, ECX, EDX, ESI, EDI; an event is 4:
 *               buttons, x, y, wheel
 *   40  status  EAX: words in the queue; high half ffffh: disabled, or asked for too much
 *   41  order   EBX: 45414552 enable and queue the version, f5 disable, 53424152 positions,
 *               4c455252 movements
 */
#include "hw/core/machine.h"
#include "hw/i386/vmport.h"
#include "hw/input/i8042.h"
#include "system/display/input.h"

#define POINTER_DATA   39
#define POINTER_STATUS 40
#define POINTER_ORDER  41

#define ORDER_ENABLE   0x45414552u
#define ORDER_DISABLE  0x000000f5u
#define ORDER_RELATIVE 0x4c455252u
#define ORDER_ABSOLUTE 0x53424152u

#define VERSION         0x3442554au
#define STATUS_OFF      0xffff0000u
#define RELATIVE_PACKET 0x00010000u
#define BUTTON_LEFT     0x20
#define BUTTON_RIGHT    0x10
#define BUTTON_MIDDLE   0x08

#define QUEUE_WORDS 1024 /* a power of two */
#define EVENT_WORDS 4
#define DATA_MAX    6

OBJECT_DECLARE_SIMPLE(VMMouse, VMMOUSE, TYPE_VMMOUSE)

struct VMMouse {
    ISADevice parent_obj;
    Object *i8042, *port; /* links */
    InputAttachment *absolute, *relative;

    bool enabled;
    uint32_t order; /* the last one in force: ORDER_ABSOLUTE, ORDER_RELATIVE or 0 */
    uint32_t queue[QUEUE_WORDS];
    uint32_t head, count; /* words */
};

/* ---- the queue ------------------------------------------------------------------------- */

static void put_word(VMMouse *s, uint32_t word)
{
    s->queue[(s->head + s->count++) % QUEUE_WORDS] = word;
}

static uint32_t get_word(VMMouse *s)
{
    uint32_t word = s->queue[s->head];

    s->head = (s->head + 1) % QUEUE_WORDS;
    s->count--;
    return word;
}

/* A guest that does not read loses what is new. */
static void put_event(VMMouse *s, uint32_t flags, int x, int y, int dz, unsigned buttons)
{
    if (!s->enabled || s->count + EVENT_WORDS > QUEUE_WORDS) {
        return;
    }
    put_word(s, flags | (buttons & INPUT_BUTTON_LEFT ? BUTTON_LEFT : 0) |
                    (buttons & INPUT_BUTTON_RIGHT ? BUTTON_RIGHT : 0) |
                    (buttons & INPUT_BUTTON_MIDDLE ? BUTTON_MIDDLE : 0));
    put_word(s, (uint32_t)x);
    put_word(s, (uint32_t)y);
    put_word(s, (uint32_t)dz);
    i8042_mouse_wake(ISA_DEVICE(s->i8042));
}

/* ---- input ----------------------------------------------------------------------------- */

static void vmmouse_point(void *opaque, int x, int y, int dz, unsigned buttons)
{
    put_event(opaque, 0, x * 2, y * 2, dz, buttons); /* 0 to ffff */
}

static void vmmouse_move(void *opaque, int dx, int dy, int dz, unsigned buttons)
{
    put_event(opaque, RELATIVE_PACKET, dx, -dy, dz, buttons); /* y grows upwards */
}

static const InputHandler absolute_handler = {.name = "vmmouse", .point = vmmouse_point};
static const InputHandler relative_handler = {.name = "vmmouse", .move = vmmouse_move};

/* ---- commands; big lock held ------------------------------------------------------------- */

static void disable(VMMouse *s)
{
    s->enabled = false;
    s->order = 0;
    input_hide(s->absolute);
    input_hide(s->relative);
}

static bool get_status(void *opaque, VMPortRegs *r)
{
    VMMouse *s = opaque;

    device_lock(DEVICE(s));
    r->ax = s->count | (s->enabled ? 0 : STATUS_OFF);
    device_unlock(DEVICE(s));
    return true;
}

static bool get_data(void *opaque, VMPortRegs *r)
{
    VMMouse *s = opaque;
    uint32_t *regs[DATA_MAX] = {&r->ax, &r->bx, &r->cx, &r->dx, &r->si, &r->di}, words = r->bx;

    device_lock(DEVICE(s));
    if (!words || words > DATA_MAX || words > s->count) {
        disable(s);
        words = 0;
    }
    for (uint32_t i = 0; i < words; i++) {
        *regs[i] = get_word(s);
    }
    device_unlock(DEVICE(s));
    return true;
}

static void enable(VMMouse *s)
{
    s->enabled = true;
    if (s->count < QUEUE_WORDS) {
        put_word(s, VERSION);
    }
}

static bool take_order(void *opaque, VMPortRegs *r)
{
    VMMouse *s = opaque;

    device_lock(DEVICE(s));
    switch (r->bx) {
    case ORDER_ENABLE:
        enable(s);
        break;
    case ORDER_DISABLE:
        disable(s);
        break;
    case ORDER_ABSOLUTE:
    case ORDER_RELATIVE:
        if (s->enabled && s->order != r->bx) {
            s->order = r->bx;
            input_hide(r->bx == ORDER_ABSOLUTE ? s->relative : s->absolute);
            input_activate(r->bx == ORDER_ABSOLUTE ? s->absolute : s->relative);
        }
        break;
    }
    device_unlock(DEVICE(s));
    return true;
}

/* ---- device ------------------------------------------------------------------------------ */

static void vmmouse_reset(DeviceState *dev, ResetType type)
{
    VMMouse *s = VMMOUSE(dev);

    s->head = s->count = 0;
    disable(s);
}

static void vmmouse_disconnect(void *opaque)
{
    VMMouse *s = opaque;
    VMPort *port = VMPORT(s->port);

    vmport_register(port, POINTER_DATA, NULL, NULL);
    vmport_register(port, POINTER_STATUS, NULL, NULL);
    vmport_register(port, POINTER_ORDER, NULL, NULL);
}

static bool vmmouse_realize(DeviceState *dev, GError **error)
{
    VMMouse *s = VMMOUSE(dev);

    if (!s->i8042 || !s->port) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE, "'%s' link is not set",
                    s->i8042 ? "vmport" : "i8042");
        return false;
    }
    vmport_register(VMPORT(s->port), POINTER_DATA, get_data, s);
    vmport_register(VMPORT(s->port), POINTER_STATUS, get_status, s);
    vmport_register(VMPORT(s->port), POINTER_ORDER, take_order, s);
    qdev_on_unrealize(dev, vmmouse_disconnect, s);
    s->absolute = input_attach_hidden(dev, &absolute_handler, s);
    s->relative = input_attach_hidden(dev, &relative_handler, s);
    return true;
}

static const Property vmmouse_properties[] = {
    DEFINE_PROP_LINK("i8042", VMMouse, i8042, TYPE_I8042, "the PS/2 mouse that tells of movements"),
    DEFINE_PROP_LINK("vmport", VMMouse, port, TYPE_VMPORT, "the port that it is read through"),
    DEFINE_PROP_END,
};

static const StateField vmmouse_state[] = {
    STATE_FIELD(VMMouse, enabled), STATE_FIELD(VMMouse, order), STATE_FIELD(VMMouse, queue),
    STATE_FIELD(VMMouse, head),    STATE_FIELD(VMMouse, count), STATE_END,
};

static void vmmouse_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = vmmouse_realize;
    dc->reset_enter = vmmouse_reset;
    dc->state = vmmouse_state;
    dc->category = DEVICE_CATEGORY_INPUT;
    dc->user_creatable = false;
}

static const TypeInfo vmmouse_types[] = {
    {.name = TYPE_VMMOUSE,
     .parent = TYPE_ISA_DEVICE,
     .instance_size = sizeof(VMMouse),
     .class_init = vmmouse_class_init,
     .properties = vmmouse_properties,
     .doc = "VMware's pointer: absolute positions for guests without USB"},
};
DEFINE_TYPES(vmmouse_types)
