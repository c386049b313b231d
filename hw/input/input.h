/* SPDX-License-Identifier: MIT
 *
 * What people do at a display, on its way to the guest's keyboard and mouse.
 * Displays and the monitor send; input devices attach.  The device attached
 * last that can take an event gets it.  Main thread, big lock held.
 */
#ifndef HW_INPUT_INPUT_H
#define HW_INPUT_INPUT_H

#include "hw/core/machine.h"

/* A key, by its place on a PC keyboard; names as in the monitor's sendkey ("ctrl", "f1"). */
typedef struct InputKey {
    const char *name;
    uint16_t set2; /* scan code; e0xx has the prefix */
    uint8_t set3;
} InputKey;

const InputKey *input_key_by_name(const char *name); /* NULL: no such key */
const InputKey *input_key_at(unsigned index);        /* NULL: past the end */

#define INPUT_BUTTON_LEFT   0x01u
#define INPUT_BUTTON_RIGHT  0x02u
#define INPUT_BUTTON_MIDDLE 0x04u

typedef struct InputHandler {
    /* Each optional: NULL means that the device has no such thing. */
    void (*key)(void *opaque, const InputKey *key, bool down);
    /* dz: wheel, positive is towards the user. */
    void (*move)(void *opaque, int dx, int dy, int dz, unsigned buttons);
} InputHandler;

/* The handler must stay until it is detached; undone on unrealize of `dev`. */
void input_attach(DeviceState *dev, const InputHandler *handler, void *opaque);

void input_send_key(MachineState *machine, const InputKey *key, bool down);
void input_send_move(MachineState *machine, int dx, int dy, int dz, unsigned buttons);

#endif
