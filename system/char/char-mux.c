/* SPDX-License-Identifier: MIT
 *
 * Several front ends on one back end: all write, one has the input, and an
 * escape key commands the mux itself.
 */
#include <string.h>
#include "system/char/char-internal.h"

#define TYPE_CHARDEV_MUX CHARDEV_TYPE_NAME("mux")
OBJECT_DECLARE_SIMPLE(MuxChardev, MUX_CHARDEV, TYPE_CHARDEV_MUX)

#define MUX_QUEUE    1024 /* input kept for a front end that takes none just now */
#define MUX_STALL_NS (1000 * 1000000LL)

struct MuxChardev {
    Chardev parent_obj;
    Chardev *base;
    CharFrontend fe; /* on the base */
    uint8_t escape;
    bool escaping;
    uint8_t queue[MUX_QUEUE];
    unsigned queued;
    /* A guest that reads nothing for a while loses input, or the escape key would be lost. */
    bool stalled;
    Timer *stall;
};

static void mux_flush_queue(MuxChardev *mux)
{
    Chardev *chr = CHARDEV(mux);
    unsigned n = MIN(mux->queued, chardev_be_can_read(chr));
    uint8_t ready[MUX_QUEUE];

    if (n > 0) {
        memcpy(ready, mux->queue, n);
        mux->queued -= n;
        mux->stalled = false;
        timer_del(mux->stall);
        memmove(mux->queue, mux->queue + n, mux->queued);
        chardev_be_read(chr, ready, n);
    }
}

/* ---- the escape key ---------------------------------------------------------------------- */

static void mux_say(MuxChardev *mux, const char *text)
{
    chardev_write_all(mux->base, text, strlen(text));
}

static void mux_help(MuxChardev *mux)
{
    g_autofree char *key = mux->escape > 0 && mux->escape < 27
                               ? g_strdup_printf("Ctrl-%c", 'a' + mux->escape - 1)
                               : g_strdup_printf("%c", mux->escape);
    g_autofree char *text = g_strdup_printf("\r\n%s h  this help\r\n"
                                            "%s x  quit\r\n"
                                            "%s b  send a break\r\n"
                                            "%s c  switch between console and monitor\r\n"
                                            "%s %s  send %s\r\n",
                                            key, key, key, key, key, key, key);

    mux_say(mux, text);
}

static void mux_quit(MuxChardev *mux)
{
    mux_say(mux, "\r\nquoin: terminated\r\n");
    system_shutdown_request(CHARDEV(mux)->machine, SHUTDOWN_CAUSE_HOST_UI);
}

static void mux_switch(MuxChardev *mux)
{
    Chardev *chr = CHARDEV(mux);

    if (chr->n_frontends == 0) {
        return;
    }
    mux->queued = 0;
    char_frontend_send_event(chr->frontends[chr->focus], CHAR_EVENT_MUX_OUT);
    chr->focus = (chr->focus + 1) % chr->n_frontends;
    char_frontend_send_event(chr->frontends[chr->focus], CHAR_EVENT_MUX_IN);
}

/* Returns whether the byte is for the guest after all. */
static bool mux_command(MuxChardev *mux, uint8_t c)
{
    switch (c) {
    case 'h':
    case '?':
        mux_help(mux);
        break;
    case 'x':
        mux_quit(mux);
        break;
    case 'b':
        chardev_be_event(CHARDEV(mux), CHAR_EVENT_BREAK);
        break;
    case 'c':
        mux_switch(mux);
        break;
    default:
        return c == mux->escape;
    }
    return false;
}

static void mux_input_byte(MuxChardev *mux, uint8_t c)
{
    bool escaping = mux->escaping;

    mux->escaping = !escaping && c == mux->escape;
    if (mux->escaping || (escaping && !mux_command(mux, c))) {
        return;
    }
    if (mux->queued < MUX_QUEUE) {
        mux->queue[mux->queued++] = c;
        mux_flush_queue(mux);
    }
}

/* ---- on the base ----------------------------------------------------------------------------- */

static int64_t mux_now(MuxChardev *mux)
{
    return vm_clock_get_ns(event_loop_clock(CHARDEV(mux)->loop), CLOCK_REALTIME_NS);
}

static void mux_set_stalled(void *opaque)
{
    MuxChardev *mux = opaque;

    mux->stalled = mux->queued == MUX_QUEUE;
    char_frontend_accept_input(&mux->fe);
}

static size_t mux_can_read(void *opaque)
{
    MuxChardev *mux = opaque;

    if (mux->queued < MUX_QUEUE) {
        return MUX_QUEUE - mux->queued;
    }
    if (!mux->stalled && !timer_pending(mux->stall)) {
        timer_mod(mux->stall, mux_now(mux) + MUX_STALL_NS);
    }
    return mux->stalled;
}

static void mux_read(void *opaque, const uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        mux_input_byte(opaque, buf[i]);
    }
}

static void mux_event(void *opaque, CharEvent event)
{
    chardev_be_event(opaque, event);
}

static void mux_accept_input(Chardev *chr)
{
    MuxChardev *mux = MUX_CHARDEV(chr);

    mux_flush_queue(mux);
    char_frontend_accept_input(&mux->fe);
}

static Chardev *mux_sink(Chardev *chr)
{
    return MUX_CHARDEV(chr)->base;
}

static char *mux_describe(Chardev *chr)
{
    return chardev_describe(MUX_CHARDEV(chr)->base);
}

static bool mux_open(Chardev *chr, GError **error)
{
    MuxChardev *mux = MUX_CHARDEV(chr);

    if (!mux->base) {
        g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_OPEN, "mux: chardev=ID is missing");
        return false;
    }
    if (!char_frontend_init(&mux->fe, mux->base, NULL, error)) {
        return false;
    }
    mux->base->upper = chr;
    mux->stall = timer_new(chr->loop, CLOCK_REALTIME_NS, mux_set_stalled, mux);
    char_frontend_set_handlers(&mux->fe, mux_can_read, mux_read, mux_event, mux);
    return true;
}

static void mux_close(Chardev *chr)
{
    MuxChardev *mux = MUX_CHARDEV(chr);

    mux->base->upper = NULL;
    char_frontend_set_handlers(&mux->fe, NULL, NULL, NULL, NULL);
    char_frontend_finish(&mux->fe);
    timer_free(g_steal_pointer(&mux->stall));
}

static void mux_class_init(ObjectClass *klass, const void *data)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->kind = "mux";
    cc->max_frontends = CHARDEV_MAX_FRONTENDS;
    cc->open = mux_open;
    cc->close = mux_close;
    cc->accept_input = mux_accept_input;
    cc->sink = mux_sink;
    cc->describe = mux_describe;
}

static const Property mux_properties[] = {
    DEFINE_PROP_LINK("chardev", MuxChardev, base, TYPE_CHARDEV, "the back end to share"),
    DEFINE_PROP_UINT8("escape", MuxChardev, escape, 1, "code of the escape key (1: Ctrl-a)"),
    DEFINE_PROP_END,
};

static const TypeInfo mux_types[] = {
    {
     .name = TYPE_CHARDEV_MUX,
     .parent = TYPE_CHARDEV,
     .instance_size = sizeof(MuxChardev),
     .class_init = mux_class_init,
     .properties = mux_properties,
     .doc = "several front ends on one back end, with an escape key",
     }
};
DEFINE_TYPES(mux_types)
