/* SPDX-License-Identifier: MIT
 *
 * What clients type and point at, handed to the guest.  RFC 6143, 7.5.4 and 7.5.5.
 */
#include "system/vnc/vnc-internal.h"

/* Bits of a pointer event. */
#define RFB_LEFT       0x01u
#define RFB_MIDDLE     0x02u
#define RFB_RIGHT      0x04u
#define RFB_WHEEL_UP   0x08u
#define RFB_WHEEL_DOWN 0x10u
#define RFB_SIDE       0x80u

/* Where relative events have their zero (QEMU's pointer motion change). */
#define RELATIVE_ZERO 0x7fff

static void send_key(VNCClient *client, const InputKey *key, bool down)
{
    if (!key || !client->server->machine->vm_running) {
        return;
    }
    if (down) {
        g_hash_table_add(client->keys, (gpointer)key);
    } else {
        g_hash_table_remove(client->keys, key);
    }
    input_send_key(client->server->machine, key, down);
}

/* Nothing stays pressed when a client goes. */
void vnc_input_release(VNCClient *client)
{
    g_autoptr(GList) keys = g_hash_table_get_keys(client->keys);

    for (GList *l = keys; l; l = l->next) {
        input_send_key(client->server->machine, l->data, false);
    }
    g_hash_table_remove_all(client->keys);
}

static void send_position(VNCClient *client, const VNCEvent *e)
{
    MachineState *machine = client->server->machine;
    int width = client->server->width, height = client->server->height;

    if (e->b) {
        input_relative(machine, INPUT_AXIS_X, e->x - RELATIVE_ZERO);
        input_relative(machine, INPUT_AXIS_Y, e->y - RELATIVE_ZERO);
        return;
    }
    if (input_is_absolute(machine)) {
        input_absolute(machine, INPUT_AXIS_X,
                       width > 1 ? (int)((int64_t)e->x * INPUT_ABS_MAX / (width - 1)) : 0);
        input_absolute(machine, INPUT_AXIS_Y,
                       height > 1 ? (int)((int64_t)e->y * INPUT_ABS_MAX / (height - 1)) : 0);
    } else if (client->has_position) {
        input_relative(machine, INPUT_AXIS_X, e->x - client->last_x);
        input_relative(machine, INPUT_AXIS_Y, e->y - client->last_y);
    }
    client->last_x = e->x;
    client->last_y = e->y;
    client->has_position = true;
}

static void send_pointer(VNCClient *client, const VNCEvent *e)
{
    MachineState *machine = client->server->machine;
    unsigned buttons =
        (e->a & RFB_LEFT ? INPUT_BUTTON_LEFT : 0) | (e->a & RFB_MIDDLE ? INPUT_BUTTON_MIDDLE : 0) |
        (e->a & RFB_RIGHT ? INPUT_BUTTON_RIGHT : 0) | (e->a & RFB_SIDE ? INPUT_BUTTON_SIDE : 0);

    if (!machine->vm_running) {
        return;
    }
    send_position(client, e);
    input_buttons(machine, ~0u, buttons);
    if (e->a & RFB_WHEEL_UP) {
        input_wheel(machine, -1);
    }
    if (e->a & RFB_WHEEL_DOWN) {
        input_wheel(machine, 1);
    }
    input_sync(machine);
}

void vnc_input(VNCClient *client, const VNCEvent *e)
{
    Console *console = client->server->console;

    switch (e->type) {
    case VNC_EVENT_KEYSYM:
        send_key(client, vnc_key_from_keysym(e->a), e->b);
        break;
    case VNC_EVENT_KEYCODE:
        send_key(client, input_key_by_number(e->a), e->b);
        break;
    case VNC_EVENT_POINTER:
        send_pointer(client, e);
        break;
    default:
        break;
    }
    if (console) {
        console_wake(console);
    }
}
