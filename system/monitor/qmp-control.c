/* SPDX-License-Identifier: MIT
 *
 * QMP commands that do something to the VM.
 */
#include "system/char/char-ringbuf.h"
#include "system/monitor/monitor-internal.h"
#include "system/object-add.h"
#include "system/runstate.h"

static JsonNode *cmd_capabilities(Monitor *monitor, JsonObject *args, GError **error)
{
    monitor->negotiated = true;
    return qmp_empty();
}

static JsonNode *cmd_stop(Monitor *monitor, JsonObject *args, GError **error)
{
    vm_stop(monitor->machine, RUN_STATE_PAUSED);
    return qmp_empty();
}

static JsonNode *cmd_cont(Monitor *monitor, JsonObject *args, GError **error)
{
    if (!vm_may_start(monitor->machine)) {
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_ARGUMENT,
                    "the VM is in state %s: resetting it is required",
                    run_state_name(monitor->machine->run_state));
        return NULL;
    }
    vm_start(monitor->machine);
    return qmp_empty();
}

static JsonNode *cmd_quit(Monitor *monitor, JsonObject *args, GError **error)
{
    system_quit_request(monitor->machine, SHUTDOWN_CAUSE_HOST_QMP_QUIT);
    return qmp_empty();
}

static JsonNode *cmd_reset(Monitor *monitor, JsonObject *args, GError **error)
{
    system_reset_request(monitor->machine, SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    return qmp_empty();
}

static JsonNode *cmd_inject_nmi(Monitor *monitor, JsonObject *args, GError **error)
{
    MachineClass *mc = MACHINE_GET_CLASS(monitor->machine);

    if (!mc->inject_nmi) {
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_COMMAND, "machine %s has no NMI", mc->name);
        return NULL;
    }
    mc->inject_nmi(monitor->machine);
    return qmp_empty();
}

static JsonNode *cmd_powerdown(Monitor *monitor, JsonObject *args, GError **error)
{
    system_powerdown_request(monitor->machine);
    return qmp_empty();
}

static JsonNode *cmd_wakeup(Monitor *monitor, JsonObject *args, GError **error)
{
    if (!monitor->machine->suspended) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "Unable to wake up: guest is not in suspended state");
        return NULL;
    }
    system_wakeup_request(monitor->machine, WAKEUP_REASON_OTHER);
    return qmp_empty();
}

static JsonNode *cmd_set_action(Monitor *monitor, JsonObject *args, GError **error)
{
    static const char *const events[] = {"reboot", "shutdown", "panic", "watchdog"};

    for (size_t i = 0; i < G_N_ELEMENTS(events); i++) {
        const char *action = qmp_string(args, events[i]);

        if (action && !run_state_action_set(monitor->machine, events[i], action, error)) {
            return NULL;
        }
    }
    return qmp_empty();
}

static JsonNode *cmd_watchdog_set_action(Monitor *monitor, JsonObject *args, GError **error)
{
    return run_state_action_set(monitor->machine, "watchdog", qmp_string(args, "action"), error)
               ? qmp_empty()
               : NULL;
}

static JsonNode *cmd_hmp(Monitor *monitor, JsonObject *args, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    JsonNode *node = json_node_new(JSON_NODE_VALUE);

    hmp_run(monitor->machine, qmp_string(args, "command-line"), out);
    lines = g_strsplit(out->str, "\n", -1);
    text = g_strjoinv("\r\n", lines);
    json_node_set_string(node, text);
    return node;
}

/* ---- devices and objects -------------------------------------------------------------------- */

static Options *options_from_args(JsonObject *args, GError **error)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    g_autofree char *text = NULL;

    json_node_set_object(node, args);
    text = json_to_string(node, FALSE);
    json_node_unref(node);
    return options_parse_any(text, NULL, error);
}

static JsonNode *cmd_device_add(Monitor *monitor, JsonObject *args, GError **error)
{
    g_autoptr(Options) options = options_from_args(args, error);

    return options && qdev_device_add(monitor->machine, options, error) ? qmp_empty() : NULL;
}

static JsonNode *cmd_device_del(Monitor *monitor, JsonObject *args, GError **error)
{
    return qdev_device_del(monitor->machine, qmp_string(args, "id"), error) ? qmp_empty() : NULL;
}

static JsonNode *cmd_object_add(Monitor *monitor, JsonObject *args, GError **error)
{
    g_autoptr(Options) options = options_from_args(args, error);

    return options && user_object_add(monitor->machine, options, error) ? qmp_empty() : NULL;
}

static JsonNode *cmd_object_del(Monitor *monitor, JsonObject *args, GError **error)
{
    return user_object_del(monitor->machine, qmp_string(args, "id"), error) ? qmp_empty() : NULL;
}

static JsonNode *cmd_pmemsave(Monitor *monitor, JsonObject *args, GError **error)
{
    return memory_save(monitor->machine, (uint64_t)json_object_get_int_member(args, "val"),
                       (uint64_t)json_object_get_int_member(args, "size"),
                       qmp_string(args, "filename"), error)
               ? qmp_empty()
               : NULL;
}

/* ---- ring buffers --------------------------------------------------------------------------- */

/* The ring buffer of `args`; NULL and error. */
static Chardev *find_ringbuf(Monitor *monitor, JsonObject *args, GError **error)
{
    const char *id = qmp_string(args, "device");
    Chardev *chr = chardev_find(monitor->machine, id, error);

    if (chr && !chardev_is_ringbuf(chr)) {
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_ARGUMENT, "%s is not a ringbuf device", id);
        chr = NULL;
    }
    return chr;
}

static JsonNode *cmd_ringbuf_write(Monitor *monitor, JsonObject *args, GError **error)
{
    Chardev *chr = find_ringbuf(monitor, args, error);
    const char *data = qmp_string(args, "data");
    g_autofree uint8_t *decoded = NULL;
    size_t len = strlen(data);

    if (!chr) {
        return NULL;
    }
    if (!g_strcmp0(qmp_string(args, "format"), "base64")) {
        decoded = g_base64_decode(data, &len);
    }
    chardev_ringbuf_write(chr, decoded ? decoded : (const uint8_t *)data, len);
    return qmp_empty();
}

static JsonNode *cmd_ringbuf_read(Monitor *monitor, JsonObject *args, GError **error)
{
    Chardev *chr = find_ringbuf(monitor, args, error);
    int64_t size = json_object_get_int_member(args, "size");
    g_autoptr(GByteArray) bytes = NULL;
    g_autofree char *text = NULL;
    JsonNode *node;

    if (!chr) {
        return NULL;
    }
    if (size <= 0) {
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_ARGUMENT, "size must be greater than zero");
        return NULL;
    }
    bytes = chardev_ringbuf_read(chr, size);
    if (!g_strcmp0(qmp_string(args, "format"), "base64")) {
        text = g_base64_encode(bytes->data, bytes->len);
    } else {
        /* An empty array has no data at all. */
        text = bytes->len > 0 ? g_utf8_make_valid((const char *)bytes->data, bytes->len)
                              : g_strdup("");
    }
    node = json_node_new(JSON_NODE_VALUE);
    json_node_set_string(node, text);
    return node;
}

const QMPCommand qmp_control_commands[] = {
    {"qmp_capabilities",      "enable:*?", cmd_capabilities},
    {"stop",       "", cmd_stop},
    {"inject-nmi", "", cmd_inject_nmi},
    {"cont",                  "", cmd_cont},
    {"quit",               "", cmd_quit},
    {"system_reset",                  "", cmd_reset},
    {"system_powerdown",               "", cmd_powerdown},
    {"system_wakeup",               "", cmd_wakeup},
    {"set-action", "reboot:s? shutdown:s? panic:s? watchdog:s?", cmd_set_action},
    {"watchdog-set-action", "action:s", cmd_watchdog_set_action},
    {"human-monitor-command",                  "command-line:s cpu-index:i?", cmd_hmp},
    {"device_add",               "...", cmd_device_add},
    {"device_del",          "id:s", cmd_device_del},
    {"object-add",              "...", cmd_object_add},
    {"object-del",      "id:s", cmd_object_del},
    {"pmemsave", "val:i size:i filename:s", cmd_pmemsave},
    {"ringbuf-read",          "device:s size:i format:s?", cmd_ringbuf_read},
    {"ringbuf-write",         "device:s data:s format:s?", cmd_ringbuf_write},
    {NULL},
};
