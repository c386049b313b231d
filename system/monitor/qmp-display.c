/* SPDX-License-Identifier: MIT
 *
 * QMP commands about screens, keyboards and mice.
 */
#include "system/display/console.h"
#include "system/display/input.h"
#include "system/display/screendump.h"
#include "system/monitor/monitor-internal.h"
#include "system/vnc/vnc.h"

static JsonNode *argument_error(GError **error, const char *format, const char *what)
{
    g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_ARGUMENT, format, what);
    return NULL;
}

static JsonNode *cmd_screendump(Monitor *monitor, JsonObject *args, GError **error)
{
    const char *device = qmp_string(args, "device");
    int64_t head = 0;

    if (json_object_has_member(args, "head")) {
        head = json_object_get_int_member(args, "head");
        if (!device) {
            return argument_error(error, "'%s' must be specified together with 'device'", "head");
        }
    }
    return screendump(monitor->machine, qmp_string(args, "filename"), device, (unsigned)head,
                      qmp_string(args, "format"), error)
               ? qmp_empty()
               : NULL;
}

/* ---- keys ------------------------------------------------------------------------------------ */

#define KEYS_MAX    16
#define HOLD_MS     100
#define HOLD_MAX_MS 60000

/* {"type": "qcode", "data": "a"} or {"type": "number", "data": 30} */
static const InputKey *parse_key(JsonNode *node, GError **error)
{
    JsonObject *object = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    const char *type = object ? qmp_string(object, "type") : NULL;
    JsonNode *data = object ? json_object_get_member(object, "data") : NULL;
    const InputKey *key = NULL;
    g_autofree char *shown = NULL;

    if (!type || !data || !JSON_NODE_HOLDS_VALUE(data)) {
        argument_error(error, "Parameter '%s' is missing", type ? "data" : "type");
        return NULL;
    }
    if (g_str_equal(type, "qcode") && json_node_get_value_type(data) == G_TYPE_STRING) {
        key = input_key_by_name(json_node_get_string(data));
        shown = g_strdup(json_node_get_string(data));
    } else if (g_str_equal(type, "number") && json_node_get_value_type(data) == G_TYPE_INT64) {
        key = input_key_by_number((unsigned)CLAMP(json_node_get_int(data), 0, 255));
        shown = g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(data));
    } else {
        argument_error(error, "Parameter 'type' does not accept value '%s'", type);
        return NULL;
    }
    if (!key) {
        argument_error(error, "Parameter 'data' does not accept value '%s'", shown);
    }
    return key;
}

static JsonArray *array_argument(JsonObject *args, const char *name, GError **error)
{
    JsonNode *node = json_object_get_member(args, name);

    if (!JSON_NODE_HOLDS_ARRAY(node)) {
        argument_error(error, "Invalid parameter type for '%s', expected: array", name);
        return NULL;
    }
    return json_node_get_array(node);
}

static JsonNode *cmd_send_key(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonArray *array = array_argument(args, "keys", error);
    const InputKey *keys[KEYS_MAX];
    int64_t hold = HOLD_MS;
    guint n = array ? json_array_get_length(array) : 0;

    if (!array) {
        return NULL;
    }
    if (n > KEYS_MAX) {
        return argument_error(error, "%s: too many keys at once", "keys");
    }
    for (guint i = 0; i < n; i++) {
        keys[i] = parse_key(json_array_get_element(array, i), error);
        if (!keys[i]) {
            return NULL;
        }
    }
    if (json_object_has_member(args, "hold-time")) {
        hold = json_object_get_int_member(args, "hold-time");
    }
    input_queue_keys(monitor->machine, keys, n, (unsigned)CLAMP(hold, 1, HOLD_MAX_MS));
    return qmp_empty();
}

/* ---- events --------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    unsigned button;
    int wheel;
} buttons[] = {
    {"left",        INPUT_BUTTON_LEFT,   0 },
    {"middle",      INPUT_BUTTON_MIDDLE, 0 },
    {"right",       INPUT_BUTTON_RIGHT,  0 },
    {"wheel-up",    0,                   -1},
    {"wheel-down",  0,                   1 },
    {"side",        INPUT_BUTTON_SIDE,   0 },
    {"extra",       INPUT_BUTTON_EXTRA,  0 },
    {"wheel-left",  0,                   0 },
    {"wheel-right", 0,                   0 },
};

static JsonNode *typed_member(JsonObject *object, const char *name, GType type, GError **error)
{
    JsonNode *node = json_object_get_member(object, name);

    if (!node || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != type) {
        argument_error(
            error, node ? "Invalid parameter type for '%s'" : "Parameter '%s' is missing", name);
        return NULL;
    }
    return node;
}

/* Each: check, and do it if `machine` is not NULL. */
typedef bool (*EventFunc)(MachineState *machine, JsonObject *data, GError **error);

static bool event_key(MachineState *machine, JsonObject *data, GError **error)
{
    JsonNode *down = typed_member(data, "down", G_TYPE_BOOLEAN, error);
    const InputKey *key = down ? parse_key(json_object_get_member(data, "key"), error) : NULL;

    if (key && machine) {
        input_send_key(machine, key, json_node_get_boolean(down));
    }
    return key;
}

static bool event_button(MachineState *machine, JsonObject *data, GError **error)
{
    JsonNode *down = typed_member(data, "down", G_TYPE_BOOLEAN, error);
    JsonNode *name = down ? typed_member(data, "button", G_TYPE_STRING, error) : NULL;

    if (!name) {
        return false;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(buttons); i++) {
        if (!g_str_equal(buttons[i].name, json_node_get_string(name))) {
            continue;
        }
        if (machine && buttons[i].button) {
            input_buttons(machine, buttons[i].button,
                          json_node_get_boolean(down) ? buttons[i].button : 0);
        } else if (machine && json_node_get_boolean(down)) {
            input_wheel(machine, buttons[i].wheel);
        }
        return true;
    }
    argument_error(error, "Parameter 'button' does not accept value '%s'",
                   json_node_get_string(name));
    return false;
}

static bool event_axis(MachineState *machine, JsonObject *data,
                       void (*send)(MachineState *, InputAxis, int), GError **error)
{
    JsonNode *value = typed_member(data, "value", G_TYPE_INT64, error);
    JsonNode *axis = value ? typed_member(data, "axis", G_TYPE_STRING, error) : NULL;
    bool is_x = axis && g_str_equal(json_node_get_string(axis), "x");

    if (!axis) {
        return false;
    }
    if (!is_x && !g_str_equal(json_node_get_string(axis), "y")) {
        argument_error(error, "Parameter 'axis' does not accept value '%s'",
                       json_node_get_string(axis));
        return false;
    }
    if (machine) {
        send(machine, is_x ? INPUT_AXIS_X : INPUT_AXIS_Y,
             (int)CLAMP(json_node_get_int(value), INT32_MIN, INT32_MAX));
    }
    return true;
}

static bool event_relative(MachineState *machine, JsonObject *data, GError **error)
{
    return event_axis(machine, data, input_relative, error);
}

static bool event_absolute(MachineState *machine, JsonObject *data, GError **error)
{
    return event_axis(machine, data, input_absolute, error);
}

static const struct {
    const char *type;
    EventFunc run;
    InputKind kind;
} events[] = {
    {"key", event_key,      INPUT_KEY     },
    {"btn", event_button,   INPUT_BUTTON  },
    {"rel", event_relative, INPUT_RELATIVE},
    {"abs", event_absolute, INPUT_ABSOLUTE},
};

/* The row of an event's type; -1: there is none. */
static int find_event(const char *type, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(events); i++) {
        if (g_str_equal(events[i].type, type)) {
            return (int)i;
        }
    }
    argument_error(error, "Parameter 'type' does not accept value '%s'", type);
    return -1;
}

/* `present`: for whose devices to look. */
static bool run_event(MachineState *present, MachineState *machine, JsonNode *node, GError **error)
{
    JsonObject *event = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    JsonNode *type = event ? typed_member(event, "type", G_TYPE_STRING, error) : NULL;
    JsonNode *data = type ? json_object_get_member(event, "data") : NULL;
    int row = type ? find_event(json_node_get_string(type), error) : 0;

    if (row < 0) {
        return false;
    }
    if (!event || (type && (!data || !JSON_NODE_HOLDS_OBJECT(data)))) {
        argument_error(error, "Invalid parameter type for '%s', expected: object",
                       event ? "data" : "events");
        return false;
    }
    if (!type) {
        return false;
    }
    if (!events[row].run(machine, json_node_get_object(data), error)) {
        return false;
    }
    if (!machine && !input_has_handler(present, events[row].kind)) {
        argument_error(error, "Input handler not found for event type %s", events[row].type);
        return false;
    }
    return true;
}

static bool run_events(MachineState *present, MachineState *machine, JsonArray *array,
                       GError **error)
{
    for (guint i = 0; i < json_array_get_length(array); i++) {
        if (!run_event(present, machine, json_array_get_element(array, i), error)) {
            return false;
        }
    }
    return true;
}

/* A display by its device.  No keyboard or mouse belongs to one, so all there is to it is that. */
static bool check_display(MachineState *machine, JsonObject *args, GError **error)
{
    const char *id = qmp_string(args, "device");
    int64_t head =
        json_object_has_member(args, "head") ? json_object_get_int_member(args, "head") : 0;
    Object *obj = id ? object_resolve_path_component(machine->peripheral, id) : NULL;

    obj = obj || !id ? obj : object_resolve_path(OBJECT(machine), id, NULL);
    if (id && (!obj || !object_dynamic_cast(obj, TYPE_DEVICE))) {
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_NOT_FOUND, "Device '%s' not found", id);
        return false;
    }
    if (id && !console_by_device(machine, DEVICE(obj), (unsigned)head)) {
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_ARGUMENT,
                    "Device '%s' has no console for head %" G_GINT64_FORMAT, id, head);
        return false;
    }
    return true;
}

/* All of them or none. */
static JsonNode *cmd_input_send_event(Monitor *monitor, JsonObject *args, GError **error)
{
    MachineState *machine = monitor->machine;
    JsonArray *array = array_argument(args, "events", error);

    if (!array || !check_display(machine, args, error) ||
        !run_events(machine, NULL, array, error)) {
        return NULL;
    }
    if (!machine->vm_running) {
        return argument_error(error, "%s", "VM not running");
    }
    run_events(machine, machine, array, NULL);
    input_sync(machine);
    return qmp_empty();
}

static void add_mouse(unsigned index, const char *name, bool absolute, bool current, void *opaque)
{
    json_builder_begin_object(opaque);
    qmp_add_string(opaque, "name", name);
    qmp_add_int(opaque, "index", index);
    qmp_add_bool(opaque, "current", current);
    qmp_add_bool(opaque, "absolute", absolute);
    json_builder_end_object(opaque);
}

static JsonNode *query_mice(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_array(b);
    input_mouse_foreach(monitor->machine, add_mouse, b);
    json_builder_end_array(b);
    return qmp_finish(b);
}

/* ---- VNC ------------------------------------------------------------------------------------ */

static void add_address(JsonBuilder *b, const VNCAddress *address)
{
    qmp_add_string(b, "host", address->host);
    qmp_add_string(b, "service", address->service);
    qmp_add_string(b, "family", address->family);
    qmp_add_bool(b, "websocket", false);
}

static void add_client(const VNCAddress *address, void *opaque)
{
    json_builder_begin_object(opaque);
    add_address(opaque, address);
    json_builder_end_object(opaque);
}

static void add_clients(JsonBuilder *b, MachineState *machine, const char *id)
{
    json_builder_set_member_name(b, "clients");
    json_builder_begin_array(b);
    vnc_client_foreach(machine, id, add_client, b);
    json_builder_end_array(b);
}

typedef struct VNCQuery {
    JsonBuilder *b;
    MachineState *machine;
    unsigned n;
} VNCQuery;

/* The old query knows one server. */
static void add_first_server(const VNCServerInfo *info, void *opaque)
{
    VNCQuery *q = opaque;

    if (q->n++) {
        return;
    }
    qmp_add_bool(q->b, "enabled", true);
    qmp_add_string(q->b, "host", info->address->host);
    qmp_add_string(q->b, "service", info->address->service);
    qmp_add_string(q->b, "family", info->address->family);
    qmp_add_string(q->b, "auth", info->auth);
    add_clients(q->b, q->machine, info->id);
}

static JsonNode *query_vnc(Monitor *monitor, JsonObject *args, GError **error)
{
    VNCQuery q = {json_builder_new(), monitor->machine, 0};

    json_builder_begin_object(q.b);
    vnc_server_foreach(monitor->machine, add_first_server, &q);
    if (!q.n) {
        qmp_add_bool(q.b, "enabled", false);
    }
    json_builder_end_object(q.b);
    return qmp_finish(q.b);
}

static void add_server(const VNCServerInfo *info, void *opaque)
{
    VNCQuery *q = opaque;

    json_builder_begin_object(q->b);
    qmp_add_string(q->b, "id", info->id);
    qmp_add_string(q->b, "auth", info->auth);
    json_builder_set_member_name(q->b, "server");
    json_builder_begin_array(q->b);
    json_builder_begin_object(q->b);
    add_address(q->b, info->address);
    qmp_add_string(q->b, "auth", info->auth);
    json_builder_end_object(q->b);
    json_builder_end_array(q->b);
    add_clients(q->b, q->machine, info->id);
    json_builder_end_object(q->b);
}

static JsonNode *query_vnc_servers(Monitor *monitor, JsonObject *args, GError **error)
{
    VNCQuery q = {json_builder_new(), monitor->machine, 0};

    json_builder_begin_array(q.b);
    vnc_server_foreach(monitor->machine, add_server, &q);
    json_builder_end_array(q.b);
    return qmp_finish(q.b);
}

static bool check_protocol(JsonObject *args, GError **error)
{
    if (g_strcmp0(qmp_string(args, "protocol"), "vnc")) {
        argument_error(error, "Parameter 'protocol' does not accept value '%s' (vnc is known)",
                       qmp_string(args, "protocol"));
        return false;
    }
    return true;
}

static JsonNode *cmd_set_password(Monitor *monitor, JsonObject *args, GError **error)
{
    const char *connected = qmp_string(args, "connected");

    if (!check_protocol(args, error)) {
        return NULL;
    }
    if (connected && !g_str_equal(connected, "keep")) {
        return argument_error(error, "Invalid parameter 'connected': '%s', only keep is for vnc",
                              connected);
    }
    return vnc_set_password(monitor->machine, qmp_string(args, "display"),
                            qmp_string(args, "password"), error)
               ? qmp_empty()
               : NULL;
}

bool display_parse_expiry(const char *text, int64_t *ret, GError **error)
{
    int64_t now = g_get_real_time() / G_USEC_PER_SEC;
    guint64 seconds;

    if (g_str_equal(text, "now")) {
        *ret = 1;
    } else if (g_str_equal(text, "never")) {
        *ret = 0;
    } else if (g_ascii_string_to_unsigned(*text == '+' ? text + 1 : text, 10, 1, INT32_MAX,
                                          &seconds, NULL)) {
        *ret = (int64_t)seconds + (*text == '+' ? now : 0);
    } else {
        argument_error(error, "time '%s': expected now, never, +SECONDS or seconds since 1970",
                       text);
        return false;
    }
    return true;
}

static JsonNode *cmd_expire_password(Monitor *monitor, JsonObject *args, GError **error)
{
    int64_t when;

    return check_protocol(args, error) &&
                   display_parse_expiry(qmp_string(args, "time"), &when, error) &&
                   vnc_expire_password(monitor->machine, qmp_string(args, "display"), when, error)
               ? qmp_empty()
               : NULL;
}

static JsonNode *cmd_change_vnc_password(Monitor *monitor, JsonObject *args, GError **error)
{
    return vnc_set_password(monitor->machine, NULL, qmp_string(args, "password"), error)
               ? qmp_empty()
               : NULL;
}

/* ---- displays while they run ---------------------------------------------------------------- */

/* {"type": "inet", "host": H, "port": P} or {"type": "unix", "path": P}: into H:P or unix:P. */
static char *parse_address(JsonNode *node, GError **error)
{
    JsonObject *object = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    JsonNode *type = object ? typed_member(object, "type", G_TYPE_STRING, error) : NULL, *host,
             *port;

    if (!object) {
        argument_error(error, "Invalid parameter type for '%s', expected: object", "addresses");
    }
    if (!type) {
        return NULL;
    }
    if (g_str_equal(json_node_get_string(type), "unix")) {
        host = typed_member(object, "path", G_TYPE_STRING, error);
        return host ? g_strdup_printf("unix:%s", json_node_get_string(host)) : NULL;
    }
    if (!g_str_equal(json_node_get_string(type), "inet")) {
        argument_error(error,
                       "Parameter 'type' does not accept value '%s' (inet and unix are known)",
                       json_node_get_string(type));
        return NULL;
    }
    host = typed_member(object, "host", G_TYPE_STRING, error);
    port = host ? typed_member(object, "port", G_TYPE_STRING, error) : NULL;
    return port ? g_strdup_printf("%s:%s", json_node_get_string(host), json_node_get_string(port))
                : NULL;
}

static bool check_display_type(JsonObject *args, GError **error)
{
    if (!g_str_equal(qmp_string(args, "type"), "vnc")) {
        argument_error(error, "Parameter 'type' does not accept value '%s'",
                       qmp_string(args, "type"));
        return false;
    }
    return true;
}

static JsonNode *cmd_display_update(Monitor *monitor, JsonObject *args, GError **error)
{
    g_autoptr(GPtrArray) where = g_ptr_array_new_with_free_func(g_free);
    JsonArray *array;

    if (!check_display_type(args, error)) {
        return NULL;
    }
    if (!json_object_has_member(args, "addresses")) {
        return qmp_empty();
    }
    array = array_argument(args, "addresses", error);
    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        char *address = parse_address(json_array_get_element(array, i), error);

        if (!address) {
            return NULL;
        }
        g_ptr_array_add(where, address);
    }
    return array && vnc_set_addresses(monitor->machine, (const char *const *)where->pdata,
                                      where->len, error)
               ? qmp_empty()
               : NULL;
}

static JsonNode *cmd_display_reload(Monitor *monitor, JsonObject *args, GError **error)
{
    if (!check_display_type(args, error)) {
        return NULL;
    }
    if (json_object_has_member(args, "tls-certs") &&
        json_object_get_boolean_member(args, "tls-certs")) {
        return argument_error(error, "%s", "vnc tls is not enabled");
    }
    return qmp_empty();
}

/* No window is ever opened. */
static JsonNode *query_display_options(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_object(b);
    qmp_add_string(b, "type", "none");
    json_builder_end_object(b);
    return qmp_finish(b);
}

const QMPCommand qmp_display_commands[] = {
    {"screendump",          "filename:s device:s? head:i? format:s?", cmd_screendump},
    {"send-key",       "keys:* hold-time:i?", cmd_send_key},
    {"input-send-event",            "device:s? head:i? events:*", cmd_input_send_event},
    {"query-mice",         "", query_mice},
    {"query-vnc",    "", query_vnc},
    {"query-vnc-servers", "", query_vnc_servers},
    {"set_password",          "protocol:s password:s connected:s? display:s?", cmd_set_password},
    {"expire_password",           "protocol:s time:s display:s?", cmd_expire_password},
    {"change-vnc-password",           "password:s", cmd_change_vnc_password},
    {"display-update",            "type:s addresses:*?", cmd_display_update},
    {"display-reload",   "type:s tls-certs:b?", cmd_display_reload},
    {"query-display-options",    "", query_display_options},
    {NULL       },
};
