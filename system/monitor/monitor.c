/* SPDX-License-Identifier: MIT
 *
 * A monitor on its character device.
 */
#include <string.h>
#include "system/monitor/monitor-internal.h"
#include "system/runstate.h"

G_DEFINE_QUARK(quoin - monitor - error - quark, monitor_error)

#define MONITOR_READ 4096

void monitor_write(Monitor *monitor, const char *text)
{
    char_frontend_write_all(&monitor->fe, text, strlen(text));
}

static size_t monitor_can_read(void *opaque)
{
    return MONITOR_READ;
}

static void monitor_read(void *opaque, const uint8_t *buf, size_t len)
{
    Monitor *monitor = opaque;

    if (monitor->control) {
        qmp_input(monitor, buf, len);
    } else {
        hmp_input(monitor, buf, len);
    }
}

/* Each client begins anew. */
static void monitor_reset(Monitor *monitor)
{
    g_string_truncate(monitor->input, 0);
    monitor->negotiated = monitor->escaped = monitor->overlong = monitor->recovering = false;
    monitor->quote = '\0';
    monitor->depth = 0;
}

static void monitor_event(void *opaque, CharEvent event)
{
    Monitor *monitor = opaque;

    if (event == CHAR_EVENT_OPENED) {
        monitor_reset(monitor);
        if (monitor->control) {
            qmp_begin(monitor);
        } else if (!monitor->fe.chr->upper && monitor->fe.chr->frontends[0] == &monitor->fe) {
            hmp_begin(monitor);
        }
    } else if (event == CHAR_EVENT_MUX_IN && !monitor->control) {
        hmp_begin(monitor);
    }
}

Monitor *monitor_new(MachineState *machine, Chardev *chr, bool control, bool pretty, GError **error)
{
    Monitor *monitor = g_new0(Monitor, 1);

    if (!char_frontend_init(&monitor->fe, chr, NULL, error)) {
        g_free(monitor);
        return NULL;
    }
    monitor->machine = machine;
    monitor->control = control;
    monitor->pretty = pretty;
    monitor->input = g_string_new(NULL);
    if (control) {
        machine_add_event_listener(machine, qmp_event, monitor);
    }
    char_frontend_set_handlers(&monitor->fe, monitor_can_read, monitor_read, monitor_event,
                               monitor);
    return monitor;
}

void monitor_free(Monitor *monitor)
{
    if (!monitor) {
        return;
    }
    if (monitor->control) {
        machine_del_event_listener(monitor->machine, qmp_event, monitor);
    }
    char_frontend_set_handlers(&monitor->fe, NULL, NULL, NULL, NULL);
    char_frontend_finish(&monitor->fe);
    g_string_free(monitor->input, TRUE);
    g_free(monitor);
}
