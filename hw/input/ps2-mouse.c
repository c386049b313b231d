/* SPDX-License-Identifier: MIT
 *
 * PS/2 mouse: IBM PS/2 Hardware Interface Technical Reference, "Mouse"; wheel
 * and five-button packets after the IntelliMouse's series of sample rates.
 */
#include "hw/input/ps2.h"

#define MOUSE_ACK    0xfa
#define MOUSE_RESEND 0xfe
#define MOUSE_BAT_OK 0xaa

#define CMD_SCALE_1    0xe6
#define CMD_SCALE_2    0xe7
#define CMD_RESOLUTION 0xe8
#define CMD_STATUS     0xe9
#define CMD_STREAM     0xea
#define CMD_READ_DATA  0xeb
#define CMD_WRAP_RESET 0xec
#define CMD_WRAP       0xee
#define CMD_REMOTE     0xf0
#define CMD_ID         0xf2
#define CMD_RATE       0xf3
#define CMD_ENABLE     0xf4
#define CMD_DISABLE    0xf5
#define CMD_DEFAULT    0xf6
#define CMD_RESEND     0xfe
#define CMD_RESET      0xff

#define ID_WHEEL   3
#define ID_BUTTONS 4

static void mouse_defaults(PS2Mouse *m)
{
    m->reporting = m->remote = m->wrap = m->scale2 = false;
    m->rate = 100;
    m->resolution = 2;
    m->dx = m->dy = m->dz = 0;
}

void ps2_mouse_reset(PS2Mouse *m)
{
    *m = (PS2Mouse){.id = 0};
    mouse_defaults(m);
}

/* ---- packets ----------------------------------------------------------------------- */

static int32_t take_up_to(int32_t *sum, int32_t limit)
{
    int32_t part = CLAMP(*sum, -limit, limit);

    *sum -= part;
    return part;
}

/* 2:1 scaling, of the stream mode alone. */
static int32_t scale(const PS2Mouse *m, int32_t v)
{
    static const uint8_t small[] = {0, 1, 1, 3, 6, 9};
    int32_t size = v < 0 ? -v : v;

    if (!m->scale2 || m->remote) {
        return v;
    }
    size = size < (int32_t)sizeof(small) ? small[size] : 2 * size;
    return v < 0 ? -size : size;
}

/* The next packet of what has gathered; y grows upwards here. */
static unsigned mouse_packet(PS2Mouse *m, uint8_t *p)
{
    int32_t limit = m->scale2 && !m->remote ? 127 : 255;
    int32_t dx = scale(m, take_up_to(&m->dx, limit)), dy = scale(m, take_up_to(&m->dy, limit));
    int32_t dz = take_up_to(&m->dz, m->id == ID_BUTTONS ? 7 : 127);

    p[0] = 0x08 | (m->buttons & 7) | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0);
    p[1] = dx;
    p[2] = dy;
    m->reported_buttons = m->buttons;
    if (m->id == ID_WHEEL) {
        p[3] = dz;
    } else if (m->id == ID_BUTTONS) {
        p[3] = (dz & 0x0f) | (m->buttons & 0x18) << 1;
    }
    return m->id >= ID_WHEEL ? 4 : 3;
}

static bool mouse_may_report(const PS2Mouse *m)
{
    return m->reporting && !m->remote && !m->wrap &&
           m->queue.count + 4 <= PS2_QUEUE_SIZE - PS2_EVENT_ROOM;
}

static void mouse_report(PS2Mouse *m)
{
    uint8_t packet[4];

    ps2_queue_event(&m->queue, packet, mouse_packet(m, packet));
}

void ps2_mouse_flush(PS2Mouse *m)
{
    while (mouse_may_report(m) && (m->dx || m->dy || m->dz || m->buttons != m->reported_buttons)) {
        mouse_report(m);
    }
}

void ps2_mouse_wake(PS2Mouse *m)
{
    if (mouse_may_report(m)) {
        mouse_report(m);
    }
}

void ps2_mouse_move(PS2Mouse *m, int dx, int dy, int dz, unsigned buttons)
{
    const int32_t limit = 1 << 14; /* nobody wants to see more of an old movement */

    m->dx = CLAMP((int64_t)m->dx + dx, -limit, limit);
    m->dy = CLAMP((int64_t)m->dy - dy, -limit, limit);
    m->dz = m->id >= ID_WHEEL ? CLAMP((int64_t)m->dz + dz, -limit, limit) : 0;
    m->buttons = buttons;
    ps2_mouse_flush(m);
}

/* ---- commands ---------------------------------------------------------------------- */

/* Rates 200, 100, 80 and 200, 200, 80 ask for a wheel and for more buttons. */
static void mouse_set_rate(PS2Mouse *m, uint8_t rate)
{
    if (rate == 80 && m->knock[0] == 200) {
        m->id = m->knock[1] == 100 ? ID_WHEEL : m->knock[1] == 200 ? ID_BUTTONS : m->id;
    }
    m->knock[0] = m->knock[1];
    m->knock[1] = rate;
    m->rate = rate;
}

static void mouse_reply_status(PS2Mouse *m)
{
    ps2_queue_reply(&m->queue, (m->remote ? 0x40 : 0) | (m->reporting ? 0x20 : 0) |
                                   (m->scale2 ? 0x10 : 0) |
                                   (m->buttons & INPUT_BUTTON_LEFT ? 4 : 0) |
                                   (m->buttons & INPUT_BUTTON_MIDDLE ? 2 : 0) |
                                   (m->buttons & INPUT_BUTTON_RIGHT ? 1 : 0));
    ps2_queue_reply(&m->queue, m->resolution);
    ps2_queue_reply(&m->queue, m->rate);
}

static void mouse_reply_packet(PS2Mouse *m)
{
    uint8_t packet[4];
    unsigned n = mouse_packet(m, packet);

    for (unsigned i = 0; i < n; i++) {
        ps2_queue_reply(&m->queue, packet[i]);
    }
}

static void mouse_reset_command(PS2Mouse *m)
{
    ps2_mouse_reset(m);
    ps2_queue_reply(&m->queue, MOUSE_ACK);
    ps2_queue_reply(&m->queue, MOUSE_BAT_OK);
    ps2_queue_reply(&m->queue, 0);
}

/* A change of mode forgets what has moved until now. */
static void mouse_mode_command(PS2Mouse *m, uint8_t byte)
{
    if (byte != CMD_SCALE_1 && byte != CMD_SCALE_2) {
        m->dx = m->dy = m->dz = 0;
    }
    switch (byte) {
    case CMD_SCALE_1:
    case CMD_SCALE_2:
        m->scale2 = byte == CMD_SCALE_2;
        break;
    case CMD_STREAM:
    case CMD_REMOTE:
        m->remote = byte == CMD_REMOTE;
        break;
    case CMD_WRAP:
    case CMD_WRAP_RESET:
        m->wrap = byte == CMD_WRAP;
        break;
    case CMD_ENABLE:
    case CMD_DISABLE:
        m->reporting = byte == CMD_ENABLE;
        break;
    case CMD_DEFAULT:
        mouse_defaults(m);
        break;
    }
}

/* What is on its way gives way to the answer. */
static void mouse_command(PS2Mouse *m, uint8_t byte)
{
    uint8_t last = m->queue.last;

    if (byte == CMD_RESET) {
        mouse_reset_command(m);
        return;
    }
    ps2_queue_clear(&m->queue);
    if (byte == CMD_RESEND) {
        ps2_queue_reply(&m->queue, last);
        return;
    }
    if (byte < CMD_SCALE_1 || byte == 0xed || byte == 0xef || byte == 0xf1 || byte > CMD_DEFAULT) {
        ps2_queue_reply(&m->queue, MOUSE_RESEND);
        return;
    }
    ps2_queue_reply(&m->queue, MOUSE_ACK);
    switch (byte) {
    case CMD_RESOLUTION:
    case CMD_RATE:
        m->command = byte;
        break;
    case CMD_STATUS:
        mouse_reply_status(m);
        break;
    case CMD_READ_DATA:
        mouse_reply_packet(m);
        break;
    case CMD_ID:
        ps2_queue_reply(&m->queue, m->id);
        break;
    default:
        mouse_mode_command(m, byte);
        break;
    }
}

void ps2_mouse_write(PS2Mouse *m, uint8_t byte)
{
    uint8_t command = m->command;

    m->command = 0;
    if (m->wrap && byte != CMD_WRAP_RESET && byte != CMD_RESET) {
        ps2_queue_reply(&m->queue, byte);
    } else if (command == CMD_RATE) {
        mouse_set_rate(m, byte);
        ps2_queue_reply(&m->queue, MOUSE_ACK);
    } else if (command == CMD_RESOLUTION) {
        m->resolution = byte & 3;
        ps2_queue_reply(&m->queue, MOUSE_ACK);
    } else {
        mouse_command(m, byte);
    }
}
