/* SPDX-License-Identifier: MIT
 *
 * The monitor for programs: JSON objects in, JSON objects out, one a line.
 */
#include <stdio.h>
#include <string.h>
#include "quoin-config.h"
#include "system/block/block.h"
#include "system/monitor/monitor-internal.h"

#define QMP_INPUT_MAX (16 * 1024 * 1024)
#define QMP_DEPTH_MAX 512

/* ---- output ------------------------------------------------------------------------------ */

/* Takes the node.  Lines end in CR LF: some clients wait for both. */
static void qmp_send(Monitor *monitor, JsonNode *node)
{
    g_autofree char *text = json_to_string(node, monitor->pretty);
    g_autofree char *line = g_strconcat(text, "\r\n", NULL);

    monitor_write(monitor, line);
    json_node_unref(node);
}

JsonNode *qmp_finish(JsonBuilder *builder)
{
    JsonNode *root = json_builder_get_root(builder);

    g_object_unref(builder);
    return root;
}

JsonNode *qmp_empty(void)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    json_node_take_object(node, json_object_new());
    return node;
}

void qmp_add_string(JsonBuilder *builder, const char *name, const char *value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, value);
}

void qmp_add_int(JsonBuilder *builder, const char *name, int64_t value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, value);
}

void qmp_add_bool(JsonBuilder *builder, const char *name, bool value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_boolean_value(builder, value);
}

void qmp_begin(Monitor *monitor)
{
    JsonBuilder *b = json_builder_new();
    int version[3] = {0};

    if (sscanf(QUOIN_VERSION, "%d.%d.%d", &version[0], &version[1], &version[2]) < 1) {
        g_assert_not_reached();
    }
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "QMP");
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "version");
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "qemu");
    json_builder_begin_object(b);
    qmp_add_int(b, "major", version[0]);
    qmp_add_int(b, "minor", version[1]);
    qmp_add_int(b, "micro", version[2]);
    json_builder_end_object(b);
    qmp_add_string(b, "package", "quoin-" QUOIN_VERSION);
    json_builder_end_object(b);
    json_builder_set_member_name(b, "capabilities");
    json_builder_begin_array(b);
    json_builder_end_array(b);
    json_builder_end_object(b);
    json_builder_end_object(b);
    qmp_send(monitor, qmp_finish(b));
}

static void add_timestamp(JsonBuilder *b)
{
    gint64 now = g_get_real_time();

    json_builder_set_member_name(b, "timestamp");
    json_builder_begin_object(b);
    qmp_add_int(b, "seconds", now / G_USEC_PER_SEC);
    qmp_add_int(b, "microseconds", now % G_USEC_PER_SEC);
    json_builder_end_object(b);
}

void qmp_event(void *opaque, const char *event, const char *data)
{
    Monitor *monitor = opaque;
    JsonBuilder *b;

    if (!monitor->negotiated) {
        return;
    }
    b = json_builder_new();
    json_builder_begin_object(b);
    add_timestamp(b);
    qmp_add_string(b, "event", event);
    if (data) {
        json_builder_set_member_name(b, "data");
        json_builder_add_value(b, json_from_string(data, NULL));
    }
    json_builder_end_object(b);
    qmp_send(monitor, qmp_finish(b));
}

static void send_error(Monitor *monitor, JsonNode *id, const char *class, const char *text)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_object(b);
    if (id) {
        json_builder_set_member_name(b, "id");
        json_builder_add_value(b, json_node_copy(id));
    }
    json_builder_set_member_name(b, "error");
    json_builder_begin_object(b);
    qmp_add_string(b, "class", class);
    qmp_add_string(b, "desc", text);
    json_builder_end_object(b);
    json_builder_end_object(b);
    qmp_send(monitor, qmp_finish(b));
}

static void send_return(Monitor *monitor, JsonNode *id, JsonNode *value)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_object(b);
    json_builder_set_member_name(b, "return");
    json_builder_add_value(b, value);
    if (id) {
        json_builder_set_member_name(b, "id");
        json_builder_add_value(b, json_node_copy(id));
    }
    json_builder_end_object(b);
    qmp_send(monitor, qmp_finish(b));
}

/* ---- arguments ---------------------------------------------------------------------------- */

const char *qmp_string(JsonObject *args, const char *name)
{
    return json_object_has_member(args, name) ? json_object_get_string_member(args, name) : NULL;
}

bool qmp_bool(JsonObject *args, const char *name, bool otherwise)
{
    return json_object_has_member(args, name) ? json_object_get_boolean_member(args, name)
                                              : otherwise;
}

static bool has_type(JsonNode *node, char type)
{
    GType held = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_INVALID;

    switch (type) {
    case 's':
        return held == G_TYPE_STRING;
    case 'i':
        return held == G_TYPE_INT64;
    case 'b':
        return held == G_TYPE_BOOLEAN;
    case 'o':
        return JSON_NODE_HOLDS_OBJECT(node);
    default:
        return true;
    }
}

/* One "name:type[?]" of the table. */
static bool check_argument(JsonObject *args, const char *spec, GError **error)
{
    const char *colon = strchr(spec, ':');
    g_autofree char *name = g_strndup(spec, colon - spec);

    if (!json_object_has_member(args, name)) {
        if (colon[2] == '?') {
            return true;
        }
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_ARGUMENT, "Parameter '%s' is missing",
                    name);
        return false;
    }
    if (!has_type(json_object_get_member(args, name), colon[1])) {
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_ARGUMENT,
                    "Invalid parameter type for '%s', expected: %s", name,
                    colon[1] == 's'   ? "string"
                    : colon[1] == 'i' ? "integer"
                    : colon[1] == 'b' ? "boolean"
                                      : "object");
        return false;
    }
    return true;
}

static bool is_argument(char **specs, const char *name)
{
    for (; *specs; specs++) {
        gsize len = strcspn(*specs, ":");

        if (strlen(name) == len && !strncmp(*specs, name, len)) {
            return true;
        }
    }
    return false;
}

static bool check_arguments(const QMPCommand *command, JsonObject *args, GError **error)
{
    g_auto(GStrv) specs = g_strsplit(command->arguments, " ", -1);
    g_autoptr(GList) members = json_object_get_members(args);

    if (g_str_equal(command->arguments, "...")) {
        return true;
    }
    for (char **spec = specs; *spec && **spec; spec++) {
        if (!check_argument(args, *spec, error)) {
            return false;
        }
    }
    for (GList *l = members; l; l = l->next) {
        if (!is_argument(specs, l->data)) {
            g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_ARGUMENT,
                        "Parameter '%s' is unexpected", (char *)l->data);
            return false;
        }
    }
    return true;
}

/* ---- dispatch -------------------------------------------------------------------------------- */

static const QMPCommand *const tables[] = {qmp_control_commands, qmp_query_commands,
                                           qmp_qom_commands, qmp_display_commands, qmp_cpu_commands,
                                           qmp_pci_commands, qmp_block_commands,
                                           qmp_chardev_commands, qmp_none_commands,
                                           qmp_schema_commands};

void qmp_command_foreach(QMPCommandVisitor fn, void *opaque)
{
    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
        for (const QMPCommand *command = tables[i]; command->name; command++) {
            fn(command, opaque);
        }
    }
}

static const QMPCommand *find_command(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
        for (const QMPCommand *command = tables[i]; command->name; command++) {
            if (g_str_equal(command->name, name)) {
                return command;
            }
        }
    }
    return NULL;
}

static bool may_run(Monitor *monitor, const char *name, const QMPCommand *command, GError **error)
{
    bool is_negotiation = g_str_equal(name, "qmp_capabilities");

    if (!monitor->negotiated && !is_negotiation) {
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_COMMAND,
                    "Expecting capabilities negotiation with 'qmp_capabilities'");
    } else if (monitor->negotiated && is_negotiation) {
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_COMMAND,
                    "Capabilities negotiation is already complete, command ignored");
    } else if (!command) {
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_COMMAND,
                    "The command %s has not been found", name);
    } else {
        return true;
    }
    return false;
}

static const char *error_class(const GError *error)
{
    if (g_error_matches(error, MONITOR_ERROR, MONITOR_ERROR_COMMAND)) {
        return "CommandNotFound";
    }
    if (g_error_matches(error, MONITOR_ERROR, MONITOR_ERROR_NOT_FOUND) ||
        g_error_matches(error, BLOCK_ERROR, BLOCK_ERROR_NOT_FOUND) ||
        g_error_matches(error, OBJECT_ERROR, OBJECT_ERROR_PATH)) {
        return "DeviceNotFound";
    }
    return "GenericError";
}

static void run_command(Monitor *monitor, JsonObject *request, JsonNode *id)
{
    const char *name = json_object_get_string_member(request, "execute");
    const QMPCommand *command = find_command(name);
    g_autoptr(JsonObject) none = json_object_new();
    JsonObject *args = none;
    g_autoptr(GError) error = NULL;
    JsonNode *result = NULL;

    if (json_object_has_member(request, "arguments")) {
        args = json_object_get_object_member(request, "arguments");
    }
    if (may_run(monitor, name, command, &error) && check_arguments(command, args, &error)) {
        result = command->run(monitor, args, &error);
    }
    if (result) {
        send_return(monitor, id, result);
    } else {
        send_error(monitor, id, error_class(error), error->message);
    }
}

/* What is wrong with it, or NULL. */
static char *check_request(JsonObject *request)
{
    JsonNode *execute = json_object_get_member(request, "execute");
    JsonNode *args = json_object_get_member(request, "arguments");
    g_autoptr(GList) members = json_object_get_members(request);

    for (GList *l = members; l; l = l->next) {
        if (!g_strv_contains((const char *[]){"execute", "arguments", "id", NULL}, l->data)) {
            return g_strdup_printf("QMP input member '%s' is unexpected", (char *)l->data);
        }
    }
    if (!execute) {
        return g_strdup("QMP input lacks member 'execute'");
    }
    if (!has_type(execute, 's')) {
        return g_strdup("QMP input member 'execute' must be a string");
    }
    if (args && !has_type(args, 'o')) {
        return g_strdup("QMP input member 'arguments' must be an object");
    }
    return NULL;
}

static void run_text(Monitor *monitor)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root = NULL;
    g_autofree char *wrong = NULL;

    if (json_parser_load_from_data(parser, monitor->input->str, monitor->input->len, NULL)) {
        root = json_parser_get_root(parser);
    }
    if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
        send_error(monitor, NULL, "GenericError",
                   root ? "QMP input must be a JSON object" : "JSON parse error");
        return;
    }
    wrong = check_request(json_node_get_object(root));
    if (wrong) {
        send_error(monitor, json_object_get_member(json_node_get_object(root), "id"),
                   "GenericError", wrong);
        return;
    }
    run_command(monitor, json_node_get_object(root),
                json_object_get_member(json_node_get_object(root), "id"));
}

/* ---- input: where one object ends ----------------------------------------------------------- */

static void scan_end(Monitor *monitor)
{
    monitor->depth = 0;
    monitor->quote = '\0';
    monitor->escaped = monitor->overlong = monitor->recovering = false;
    g_string_truncate(monitor->input, 0);
}

static void scan_string(Monitor *monitor, char c)
{
    if (monitor->escaped) {
        monitor->escaped = false;
    } else if (c == '\\') {
        monitor->escaped = true;
    } else if (c == monitor->quote) {
        monitor->quote = '\0';
    }
}

/* Returns whether a complete value (or rubbish, up to its line's end) is in monitor->input. */
static bool scan_structure(Monitor *monitor, char c)
{
    switch (c) {
    case '"':
    case '\'':
        monitor->quote = c;
        return false;
    case '{':
    case '[':
        monitor->depth++;
        return false;
    case '}':
    case ']':
        monitor->depth -= monitor->depth > 0;
        return monitor->depth == 0;
    case '\n':
        return monitor->depth == 0;
    default:
        return false;
    }
}

/* A byte that can be no part of JSON: clients send 0xff to be sure that a new value begins. */
static bool is_stray(const Monitor *monitor, uint8_t c)
{
    if (monitor->quote) {
        return c < ' ' || c >= 0xfe;
    }
    return !g_ascii_isalnum((char)c) && (c == '\0' || !strchr("{}[]:,\"'+-. \t\r\n", c));
}

/* Rubbish goes as far as a byte that may begin or end a value. */
static bool skip_rubbish(Monitor *monitor, char c)
{
    if (is_stray(monitor, (uint8_t)c)) {
        if (!monitor->recovering) {
            send_error(monitor, NULL, "GenericError", "JSON parse error, stray byte");
        }
        scan_end(monitor);
        monitor->recovering = true;
        return true;
    }
    monitor->recovering =
        monitor->recovering && (g_ascii_isalnum(c) || c == '+' || c == '-' || c == '.');
    return monitor->recovering;
}

static void scan_byte(Monitor *monitor, char c)
{
    bool complete = false;

    if (!monitor->overlong && skip_rubbish(monitor, c)) {
        return;
    }
    if (monitor->overlong || (monitor->input->len == 0 && g_ascii_isspace(c))) {
        monitor->overlong = monitor->overlong && c != '\n';
        return;
    }
    g_string_append_c(monitor->input, c);
    if (monitor->quote) {
        scan_string(monitor, c);
    } else {
        complete = scan_structure(monitor, c);
    }
    if (complete) {
        run_text(monitor);
        scan_end(monitor);
    } else if (monitor->input->len > QMP_INPUT_MAX || monitor->depth > QMP_DEPTH_MAX) {
        send_error(monitor, NULL, "GenericError", "JSON value too large or too deep");
        scan_end(monitor);
        monitor->overlong = true; /* skip the rest of the line */
    }
}

void qmp_input(Monitor *monitor, const uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        scan_byte(monitor, (char)buf[i]);
    }
}
