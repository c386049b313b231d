/* SPDX-License-Identifier: MIT */
#include "hw/input/ps2.h"

#include <string.h>

void ps2_queue_clear(PS2Queue *q)
{
    q->head = q->count = 0;
    q->n_replies = 0;
}

/* A guest that sends commands without reading the answers loses the later ones. */
void ps2_queue_reply(PS2Queue *q, uint8_t byte)
{
    if (q->n_replies < PS2_REPLY_SIZE) {
        q->replies[q->n_replies++] = byte;
    }
}

bool ps2_queue_event(PS2Queue *q, const uint8_t *bytes, unsigned n)
{
    if (q->count + n > PS2_QUEUE_SIZE - PS2_EVENT_ROOM) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        q->events[(q->head + q->count++) % PS2_QUEUE_SIZE] = bytes[i];
    }
    return true;
}

bool ps2_queue_get(PS2Queue *q, uint8_t *ret_byte)
{
    if (q->n_replies) {
        q->last = q->replies[0];
        memmove(q->replies, q->replies + 1, --q->n_replies);
    } else if (q->count) {
        q->last = q->events[q->head];
        q->head = (q->head + 1) % PS2_QUEUE_SIZE;
        q->count--;
    } else {
        return false;
    }
    *ret_byte = q->last;
    return true;
}

bool ps2_queue_is_empty(const PS2Queue *q)
{
    return !q->n_replies && !q->count;
}
