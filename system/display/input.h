/* SPDX-License-Identifier: MIT
 *
 * What people do at a display, on its way to the guest's keyboard and mouse.
 * Displays and the monitor send; input devices attach.  The device that was attached or
 * activated last, of those that can take an event, gets it.  Main thread, big lock held.
 */
#ifndef SYSTEM_DISPLAY_INPUT_H
#define SYSTEM_DISPLAY_INPUT_H

#include "hw/core/machine.h"

/* ---- keys ------------------------------------------------------------------------------- */

/* A key, by its place on a PC keyboard; names as monitors have them ("ctrl", "f1"). */
typedef struct InputKey {
    const char *name;
    uint8_t number; /* scan code set 1, bit 7: after e0; 0: none */
    uint16_t set2;  /* scan code; e0xx has the prefix; 0: none */
    uint8_t set3;
    uint8_t hid; /* usage on the keyboard page of USB HID */
} InputKey;

const InputKey *input_key_by_name(const char *name);  /* NULL: no such key */
const InputKey *input_key_by_number(unsigned number); /* likewise */
const InputKey *input_key_at(unsigned index);         /* NULL: past the end */

/* ---- devices ------------------------------------------------------------------------------ */

#define INPUT_BUTTON_LEFT   0x01u
#define INPUT_BUTTON_RIGHT  0x02u
#define INPUT_BUTTON_MIDDLE 0x04u
#define INPUT_BUTTON_SIDE   0x08u
#define INPUT_BUTTON_EXTRA  0x10u

/* Absolute positions: from the first column or line of the screen to the last. */
#define INPUT_ABS_MAX 0x7fff

typedef struct InputHandler {
    const char *name; /* as `info mice` shows it */
    /* Each optional: NULL means that the device has no such thing.  Device lock held. */
    void (*key)(void *opaque, const InputKey *key, bool down);
    /* dz: wheel, positive is towards the user. */
    void (*move)(void *opaque, int dx, int dy, int dz, unsigned buttons);
    void (*point)(void *opaque, int x, int y, int dz, unsigned buttons);
} InputHandler;

typedef struct InputAttachment InputAttachment;

/* The handler must stay until it is detached; undone on unrealize of `dev`. */
InputAttachment *input_attach(DeviceState *dev, const InputHandler *handler, void *opaque);
/* The same for a device that is not there until it is activated. */
InputAttachment *input_attach_hidden(DeviceState *dev, const InputHandler *handler, void *opaque);
/* The guest uses it: it comes first; or no longer does: it comes last, or is not there. */
void input_activate(InputAttachment *attachment);
void input_deactivate(InputAttachment *attachment);
void input_hide(InputAttachment *attachment);

/* The guest set the keyboard's lights.  Any thread. */
#define INPUT_LED_SCROLL 0x01u
#define INPUT_LED_NUM    0x02u
#define INPUT_LED_CAPS   0x04u
void input_set_leds(DeviceState *dev, unsigned leds);
unsigned input_leds(MachineState *machine);

/* ---- displays and monitors ------------------------------------------------------------------ */

void input_send_key(MachineState *machine, const InputKey *key, bool down);
/* Press all keys one after the other, release them after hold_ms; follows what is queued. */
void input_queue_keys(MachineState *machine, const InputKey *const *keys, unsigned n,
                      unsigned hold_ms);

typedef enum InputAxis { INPUT_AXIS_X, INPUT_AXIS_Y } InputAxis;

/* What follows is gathered until input_sync() hands it to the device. */
void input_relative(MachineState *machine, InputAxis axis, int value);
void input_absolute(MachineState *machine, InputAxis axis, int value); /* 0 to INPUT_ABS_MAX */
void input_buttons(MachineState *machine, unsigned mask, unsigned buttons);
void input_wheel(MachineState *machine, int dz);
void input_sync(MachineState *machine);
/* All at once: a movement. */
void input_send_move(MachineState *machine, int dx, int dy, int dz, unsigned buttons);

typedef enum InputKind { INPUT_KEY, INPUT_BUTTON, INPUT_RELATIVE, INPUT_ABSOLUTE } InputKind;

/* Whether some device takes such events. */
bool input_has_handler(MachineState *machine, InputKind kind);
/* Whether the pointer device in use takes absolute positions. */
bool input_is_absolute(MachineState *machine);

/* Pointer devices, the current one first. */
typedef void (*InputMouseVisitor)(unsigned index, const char *name, bool absolute, bool current,
                                  void *opaque);
void input_mouse_foreach(MachineState *machine, InputMouseVisitor fn, void *opaque);
/* Make the pointer device with that index the current one; false: there is none. */
bool input_mouse_select(MachineState *machine, unsigned index);

#endif
