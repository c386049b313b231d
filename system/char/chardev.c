/* SPDX-License-Identifier: MIT
 *
 * The abstract back end: front ends, buffered output, the log file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "system/char/char-internal.h"

G_DEFINE_QUARK(quoin - chardev - error - quark, chardev_error)

void chardev_report(Chardev *chr, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_printerr("quoin: chardev %s: %s\n", chr->label ? chr->label : "?", text);
}

/* ---- front ends ------------------------------------------------------------------------- */

bool chardev_attach(Chardev *chr, CharFrontend *fe, GError **error)
{
    ChardevClass *cc = CHARDEV_GET_CLASS(chr);

    if (chr->n_frontends >= MIN(cc->max_frontends, CHARDEV_MAX_FRONTENDS)) {
        g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_BUSY,
                    "chardev '%s' is in use already (mux=on lets several share it)", chr->label);
        return false;
    }
    chr->frontends[chr->n_frontends++] = fe;
    object_ref(chr);
    return true;
}

void chardev_detach(Chardev *chr, CharFrontend *fe)
{
    g_mutex_lock(&chr->lock);
    fe->writable = NULL;
    for (unsigned i = 0; i < chr->n_frontends; i++) {
        if (chr->frontends[i] == fe) {
            memmove(&chr->frontends[i], &chr->frontends[i + 1],
                    (chr->n_frontends - i - 1) * sizeof(fe));
            chr->n_frontends--;
            chr->focus -= chr->focus > i || chr->focus == chr->n_frontends ? chr->focus > 0 : 0;
            break;
        }
    }
    g_mutex_unlock(&chr->lock);
    object_unref(chr);
}

static CharFrontend *focused(Chardev *chr)
{
    return chr->focus < chr->n_frontends ? chr->frontends[chr->focus] : NULL;
}

size_t chardev_be_can_read(Chardev *chr)
{
    return focused(chr) ? char_frontend_can_read(focused(chr)) : 0;
}

void chardev_be_read(Chardev *chr, const uint8_t *buf, size_t len)
{
    if (focused(chr)) {
        char_frontend_read(focused(chr), buf, len);
    }
}

void chardev_be_event(Chardev *chr, CharEvent event)
{
    if (event != CHAR_EVENT_OPENED && event != CHAR_EVENT_CLOSED) {
        if (focused(chr)) {
            char_frontend_send_event(focused(chr), event);
        }
        return;
    }
    chr->be_open = event == CHAR_EVENT_OPENED;
    if (!chr->be_open) {
        chardev_discard_output(chr);
    }
    for (unsigned i = 0; i < chr->n_frontends; i++) {
        char_frontend_send_event(chr->frontends[i], event);
    }
}

/* ---- output ------------------------------------------------------------------------------- */

Chardev *chardev_sink(Chardev *chr)
{
    ChardevClass *cc = CHARDEV_GET_CLASS(chr);

    return cc->sink ? chardev_sink(cc->sink(chr)) : chr;
}

static void drain(int fd, GIOCondition condition, void *opaque);

static void watch_output_locked(Chardev *chr)
{
    ChardevClass *cc = CHARDEV_GET_CLASS(chr);
    int fd = cc->write_fd ? cc->write_fd(chr) : -1;

    if (fd >= 0 && !chr->out_source) {
        chr->out_source = event_loop_add_fd(chr->loop, fd, G_IO_OUT, drain, chr);
    }
}

static void drop_output_locked(Chardev *chr)
{
    event_loop_remove_source(g_steal_pointer(&chr->out_source));
    g_byte_array_set_size(chr->out, 0);
}

void chardev_discard_output(Chardev *chr)
{
    g_mutex_lock(&chr->lock);
    drop_output_locked(chr);
    g_mutex_unlock(&chr->lock);
    bh_schedule(chr->writable_bh);
}

/* Room again: as much as the other end takes. */
static void drain(int fd, GIOCondition condition, void *opaque)
{
    Chardev *chr = opaque;
    ssize_t n;

    g_mutex_lock(&chr->lock);
    n = CHARDEV_GET_CLASS(chr)->write(chr, chr->out->data, chr->out->len);
    if (n > 0) {
        g_byte_array_remove_range(chr->out, 0, n);
    }
    if (n < 0 || chr->out->len == 0) {
        drop_output_locked(chr);
    }
    g_mutex_unlock(&chr->lock);
    bh_schedule(chr->writable_bh);
}

static void write_log(Chardev *chr, const uint8_t *buf, size_t len)
{
    while (chr->log_fd >= 0 && len > 0) {
        ssize_t n = write(chr->log_fd, buf, len);

        if (n <= 0) {
            break; /* a full disk costs the log, not the VM */
        }
        buf += n;
        len -= n;
    }
}

/* What does not go out at once is kept, up to `limit` bytes. */
static size_t write_locked(Chardev *chr, const uint8_t *buf, size_t len, size_t limit)
{
    ssize_t done = 0;
    size_t rest;

    if (chr->out->len == 0) {
        done = CHARDEV_GET_CLASS(chr)->write(chr, buf, len);
    }
    if (done < 0) {
        return len;
    }
    rest = MIN(len - done, limit - MIN(limit, chr->out->len));
    if (rest > 0) {
        g_byte_array_append(chr->out, buf + done, rest);
        watch_output_locked(chr);
    }
    return done + rest;
}

size_t chardev_write_buffered(Chardev *chr, const uint8_t *buf, size_t len, size_t limit)
{
    Chardev *sink = chardev_sink(chr);
    size_t taken = len;

    g_mutex_lock(&sink->lock);
    if (sink->be_open) {
        taken = write_locked(sink, buf, len, limit);
    }
    write_log(sink, buf, taken);
    g_mutex_unlock(&sink->lock);
    return taken;
}

void chardev_write_all(Chardev *chr, const void *buf, size_t len)
{
    Chardev *sink = chardev_sink(chr);
    bool room;

    g_mutex_lock(&sink->lock);
    room = sink->out->len == 0 || sink->out->len + len <= CHARDEV_BUFFER_ALL;
    if (sink->be_open && room) {
        write_locked(sink, buf, len, SIZE_MAX);
    }
    if (!sink->be_open || room) {
        write_log(sink, buf, len);
    }
    g_mutex_unlock(&sink->lock);
}

static bool has_room(Chardev *sink)
{
    bool room;

    g_mutex_lock(&sink->lock);
    room = sink->out->len < CHARDEV_BUFFER;
    g_mutex_unlock(&sink->lock);
    return room;
}

void chardev_when_writable(Chardev *chr, CharFrontend *fe, CharWritable fn, void *opaque)
{
    Chardev *sink = chardev_sink(chr);

    g_mutex_lock(&chr->lock);
    fe->writable = fn;
    fe->writable_opaque = opaque;
    g_mutex_unlock(&chr->lock);
    if (fn && has_room(sink)) {
        bh_schedule(sink->writable_bh);
    }
}

static void notify_writable(Chardev *chr)
{
    for (unsigned i = 0; i < chr->n_frontends; i++) {
        CharFrontend *fe = chr->frontends[i];
        CharWritable fn;

        g_mutex_lock(&chr->lock);
        fn = g_steal_pointer(&fe->writable);
        g_mutex_unlock(&chr->lock);
        if (fn) {
            char_frontend_call(fe, fn, fe->writable_opaque);
        }
    }
    if (chr->upper) {
        notify_writable(chr->upper);
    }
}

static void writable_bh(void *opaque)
{
    if (has_room(opaque)) {
        notify_writable(opaque);
    }
}

static void accept_bh(void *opaque)
{
    ChardevClass *cc = CHARDEV_GET_CLASS(opaque);

    if (cc->accept_input) {
        cc->accept_input(opaque);
    }
}

/* ---- life ----------------------------------------------------------------------------------- */

static bool open_log(Chardev *chr, GError **error)
{
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (chr->logappend ? O_APPEND : O_TRUNC);

    if (!chr->logfile) {
        return true;
    }
    chr->log_fd = open(chr->logfile, flags, 0666);
    if (chr->log_fd < 0) {
        g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_OPEN, "cannot write logfile '%s': %s",
                    chr->logfile, g_strerror(errno));
        return false;
    }
    return true;
}

bool chardev_open(Chardev *chr, MachineState *machine, GError **error)
{
    ChardevClass *cc = CHARDEV_GET_CLASS(chr);

    chr->machine = machine;
    chr->loop = machine->loop;
    chr->accept_bh = bh_new(chr->loop, accept_bh, chr);
    chr->writable_bh = bh_new(chr->loop, writable_bh, chr);
    chr->opened = open_log(chr, error) && cc->open(chr, error);
    return chr->opened;
}

static ssize_t drop_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    return len;
}

static void chardev_instance_init(Object *obj)
{
    Chardev *chr = (Chardev *)obj;

    g_mutex_init(&chr->lock);
    chr->out = g_byte_array_new();
    chr->log_fd = -1;
}

static void chardev_unparent(Object *obj)
{
    Chardev *chr = CHARDEV(obj);
    ChardevClass *cc = CHARDEV_GET_CLASS(chr);

    if (chr->opened && cc->close) {
        cc->close(chr);
    }
    chr->opened = false;
}

static void chardev_instance_finalize(Object *obj)
{
    Chardev *chr = (Chardev *)obj;

    event_loop_remove_source(g_steal_pointer(&chr->out_source));
    bh_free(chr->accept_bh);
    bh_free(chr->writable_bh);
    if (chr->log_fd >= 0) {
        close(chr->log_fd);
    }
    g_byte_array_unref(chr->out);
    g_mutex_clear(&chr->lock);
    g_free(chr->label);
}

static void chardev_class_init(ObjectClass *klass, const void *data)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    klass->unparent = chardev_unparent;
    cc->max_frontends = 1;
    cc->write = drop_write;
}

static const Property chardev_properties[] = {
    DEFINE_PROP_STRING("logfile", Chardev, logfile, NULL, "file that gets a copy of the output"),
    DEFINE_PROP_BOOL("logappend", Chardev, logappend, false, "keep what the logfile holds"),
    DEFINE_PROP_END,
};

static const TypeInfo chardev_types[] = {
    {
     .name = TYPE_CHARDEV,
     .parent = TYPE_OBJECT,
     .instance_size = sizeof(Chardev),
     .instance_init = chardev_instance_init,
     .instance_finalize = chardev_instance_finalize,
     .abstract = true,
     .class_size = sizeof(ChardevClass),
     .class_init = chardev_class_init,
     .properties = chardev_properties,
     .doc = "character device back end",
     }
};
DEFINE_TYPES(chardev_types)
