/* SPDX-License-Identifier: MIT
 *
 * The qtest server: lines in, lines out.
 */
#include <errno.h>
#include <string.h>
#include "accel/qtest/qtest-internal.h"

#define QTEST_READ 65536
/* A line carries at most a whole write or its base64. */
#define QTEST_LINE_MAX (64 * 1024 * 1024)

static void log_line(QtestServer *server, char direction, const char *text)
{
    int64_t now = g_get_monotonic_time();

    if (server->log) {
        fprintf(server->log, "[%c +%" G_GINT64_FORMAT ".%06" G_GINT64_FORMAT "] %s\n", direction,
                now / G_USEC_PER_SEC, now % G_USEC_PER_SEC, text);
        fflush(server->log);
    }
}

void qtest_reply(QtestServer *server, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    log_line(server, 'S', text);
    char_frontend_write_all(&server->fe, text, strlen(text));
    char_frontend_write_all(&server->fe, "\n", 1);
}

static size_t server_can_read(void *opaque)
{
    return QTEST_READ;
}

static void end_line(QtestServer *server)
{
    g_autofree char *line = g_strndup(server->line->str, server->line->len);

    g_string_truncate(server->line, 0);
    log_line(server, 'R', line);
    qtest_command(server, line);
}

static void server_read(void *opaque, const uint8_t *buf, size_t len)
{
    QtestServer *server = opaque;

    while (len > 0) {
        const uint8_t *newline = memchr(buf, '\n', len);
        size_t n = newline ? (size_t)(newline - buf) : len;

        if (server->line->len + n <= QTEST_LINE_MAX) {
            g_string_append_len(server->line, (const char *)buf, n);
        }
        if (newline) {
            end_line(server);
            n++;
        }
        buf += n;
        len -= n;
    }
}

static void server_event(void *opaque, CharEvent event)
{
    QtestServer *server = opaque;

    if (event == CHAR_EVENT_OPENED) {
        g_string_truncate(server->line, 0);
    }
}

static bool open_log(QtestServer *server, const char *path, GError **error)
{
    if (!path || g_str_equal(path, "none")) {
        return true;
    }
    server->log = fopen(path, "we");
    if (!server->log) {
        g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_OPEN, "-qtest-log %s: cannot write it: %s",
                    path, g_strerror(errno));
    }
    return server->log;
}

bool qtest_server_start(MachineState *machine, Chardev *chr, const char *log, GError **error)
{
    Object *obj = object_new_child(OBJECT(machine), "qtest", TYPE_QTEST_SERVER, error);
    QtestServer *server;

    if (!obj) {
        return false;
    }
    server = QTEST_SERVER(obj);
    server->machine = machine;
    if (!open_log(server, log, error) || !char_frontend_init(&server->fe, chr, NULL, error)) {
        object_unparent(obj);
        return false;
    }
    char_frontend_set_handlers(&server->fe, server_can_read, server_read, server_event, server);
    return true;
}

/* The object stays until its machine's end: intercepted lines call it. */
void qtest_server_stop(MachineState *machine)
{
    Object *obj = object_resolve_path_component(OBJECT(machine), "qtest");

    if (obj) {
        QtestServer *server = QTEST_SERVER(obj);

        char_frontend_set_handlers(&server->fe, NULL, NULL, NULL, NULL);
        char_frontend_finish(&server->fe);
    }
}

static void server_instance_init(Object *obj)
{
    QtestServer *server = (QtestServer *)obj;

    server->line = g_string_new(NULL);
    server->levels = g_array_new(FALSE, TRUE, sizeof(int));
}

static void server_finalize(Object *obj)
{
    QtestServer *server = (QtestServer *)obj;

    g_string_free(server->line, TRUE);
    g_array_unref(server->levels);
    if (server->log) {
        fclose(server->log);
    }
}

static const TypeInfo qtest_server_types[] = {
    {
     .name = TYPE_QTEST_SERVER,
     .parent = TYPE_OBJECT,
     .instance_size = sizeof(QtestServer),
     .instance_init = server_instance_init,
     .instance_finalize = server_finalize,
     .doc = "server of the qtest protocol",
     }
};
DEFINE_TYPES(qtest_server_types)
