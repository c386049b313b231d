/* SPDX-License-Identifier: MIT
 *
 * The PS/2 keyboard and mouse behind an i8042, embedded in it; under its lock.
 */
#ifndef HW_INPUT_PS2_H
#define HW_INPUT_PS2_H

#include "system/display/input.h"

#define PS2_QUEUE_SIZE 256 /* a power of two */
/* Room that events leave for the rest of the sequence and what else is under way. */
#define PS2_EVENT_ROOM 16
#define PS2_REPLY_SIZE 8

/* Bytes on their way to the controller: answers overtake events. */
typedef struct PS2Queue {
    uint8_t events[PS2_QUEUE_SIZE];
    uint16_t head, count;
    uint8_t replies[PS2_REPLY_SIZE];
    uint8_t n_replies;
    uint8_t last; /* for RESEND */
} PS2Queue;

void ps2_queue_clear(PS2Queue *q);
void ps2_queue_reply(PS2Queue *q, uint8_t byte);
/* All of a sequence or none of it. */
bool ps2_queue_event(PS2Queue *q, const uint8_t *bytes, unsigned n);
/* The next byte; false: there is none. */
bool ps2_queue_get(PS2Queue *q, uint8_t *ret_byte);
bool ps2_queue_is_empty(const PS2Queue *q);

typedef struct PS2Keyboard {
    PS2Queue queue;
    bool scanning;
    uint8_t command; /* that waits for its argument, 0: none */
    uint8_t set;     /* 1, 2 or 3 */
    uint8_t leds, rate;
    bool alt, alt_r, ctrl, ctrl_r; /* held: they change the codes of print and pause */
} PS2Keyboard;

void ps2_keyboard_reset(PS2Keyboard *k);
void ps2_keyboard_write(PS2Keyboard *k, uint8_t byte);
void ps2_keyboard_key(PS2Keyboard *k, const InputKey *key, bool down);

typedef struct PS2Mouse {
    PS2Queue queue;
    bool reporting, remote, wrap, scale2;
    uint8_t command;
    uint8_t id; /* 0; 3: wheel; 4: five buttons */
    uint8_t rate, resolution;
    uint8_t knock[2];   /* the last two rates */
    int32_t dx, dy, dz; /* not yet reported */
    uint8_t buttons, reported_buttons;
} PS2Mouse;

void ps2_mouse_reset(PS2Mouse *m);
void ps2_mouse_write(PS2Mouse *m, uint8_t byte);
void ps2_mouse_move(PS2Mouse *m, int dx, int dy, int dz, unsigned buttons);
/* Report even if nothing has changed. */
void ps2_mouse_wake(PS2Mouse *m);
/* The queue has room again: report what has gathered. */
void ps2_mouse_flush(PS2Mouse *m);

#endif
