/* SPDX-License-Identifier: MIT
 *
 * QMP commands that make and remove character devices of a running machine.
 */
#include <string.h>
#include "system/monitor/monitor-internal.h"

/* ---- a back end in JSON, to what -chardev takes -------------------------------------------- */

static void append_option(GString *out, const char *name, const char *value)
{
    g_string_append_printf(out, ",%s=", name);
    for (; *value; value++) {
        g_string_append(out, *value == ',' ? "," : "");
        g_string_append_c(out, *value);
    }
}

/* Members whose name here differs; what is in neither list keeps its name. */
static const struct {
    const char *type, *member, *option;
} renamed[] = {
    {"file",   "out",   "path"      },
    {"file",   "in",    "input-path"},
    {"socket", "str",   "fd"        },
};

static const char *option_name(const char *type, const char *member)
{
    for (gsize i = 0; i < G_N_ELEMENTS(renamed); i++) {
        if (g_str_equal(type, renamed[i].type) && g_str_equal(member, renamed[i].member)) {
            return renamed[i].option;
        }
    }
    return member;
}

static void append_members(GString *out, const char *type, JsonObject *data);

static void append_member(GString *out, const char *type, const char *name, JsonNode *node)
{
    GType held = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_INVALID;

    if (JSON_NODE_HOLDS_OBJECT(node)) { /* "addr" and its "data" */
        append_members(out, type, json_node_get_object(node));
    } else if (g_str_equal(name, "type")) {
        /* unix or inet: the other members tell */
    } else if (held == G_TYPE_STRING) {
        append_option(out, option_name(type, name), json_node_get_string(node));
    } else if (held == G_TYPE_BOOLEAN) {
        append_option(out, option_name(type, name), json_node_get_boolean(node) ? "on" : "off");
    } else if (held != G_TYPE_INVALID) {
        g_autofree char *text = json_to_string(node, FALSE);

        append_option(out, option_name(type, name), text);
    }
}

static void append_members(GString *out, const char *type, JsonObject *data)
{
    g_autoptr(GList) members = json_object_get_members(data);

    for (GList *l = members; l; l = l->next) {
        append_member(out, type, l->data, json_object_get_member(data, l->data));
    }
}

/* NULL and error. */
static GString *backend_options(JsonObject *backend, GError **error)
{
    JsonNode *type = json_object_get_member(backend, "type");
    JsonNode *data = json_object_get_member(backend, "data");
    const char *name = type && JSON_NODE_HOLDS_VALUE(type) ? json_node_get_string(type) : NULL;
    GString *out;

    if (!name) {
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_ARGUMENT,
                    "Parameter 'backend.type' is missing");
        return NULL;
    }
    name = g_str_equal(name, "memory") ? "ringbuf" : name;
    out = g_string_new(name);
    if (data && JSON_NODE_HOLDS_OBJECT(data)) {
        JsonObject *object = json_node_get_object(data);

        /* Where -chardev's default is another. */
        if (g_str_equal(name, "socket") && !json_object_has_member(object, "server")) {
            append_option(out, "server", "on");
        }
        append_members(out, name, object);
    }
    return out;
}

/* ---- commands ------------------------------------------------------------------------------- */

static JsonNode *cmd_chardev_add(Monitor *monitor, JsonObject *args, GError **error)
{
    const char *id = qmp_string(args, "id");
    GString *options = backend_options(json_object_get_object_member(args, "backend"), error);
    g_autofree char *description = NULL;
    JsonBuilder *b;
    Chardev *chr;

    if (!options) {
        return NULL;
    }
    chr = chardev_new(monitor->machine, id, options->str, error);
    g_string_free(options, TRUE);
    if (!chr) {
        return NULL;
    }
    description = chardev_describe(chr);
    b = json_builder_new();
    json_builder_begin_object(b);
    if (description && g_str_has_prefix(description, "pty:")) {
        qmp_add_string(b, "pty", description + strlen("pty:"));
    }
    json_builder_end_object(b);
    return qmp_finish(b);
}

static bool chardev_remove(MachineState *machine, const char *id, GError **error)
{
    Object *root = object_get_root(OBJECT(machine));
    Object *obj = object_resolve_path_component(container_get(root, "chardevs"), id);

    if (!obj || CHARDEV(obj)->n_frontends || CHARDEV(obj)->upper) {
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_ARGUMENT,
                    obj ? "Chardev '%s' is busy" : "Chardev '%s' not found", id);
        return false;
    }
    object_unparent(obj);
    return true;
}

static JsonNode *cmd_chardev_remove(Monitor *monitor, JsonObject *args, GError **error)
{
    return chardev_remove(monitor->machine, qmp_string(args, "id"), error) ? qmp_empty() : NULL;
}

/* ---- for people ----------------------------------------------------------------------------- */

static void say(GString *out, GError *error)
{
    if (error) {
        g_string_append_printf(out, "Error: %s\n", error->message);
    }
}

void hmp_chardev_add(MachineState *machine, const char *rest, GString *out)
{
    g_autoptr(GError) error = NULL;

    chardev_new(machine, NULL, rest, &error);
    say(out, error);
}

void hmp_chardev_remove(MachineState *machine, const char *rest, GString *out)
{
    g_autoptr(GError) error = NULL;

    chardev_remove(machine, rest, &error);
    say(out, error);
}

const QMPCommand qmp_chardev_commands[] = {
    {"chardev-add",    "id:s backend:o", cmd_chardev_add   },
    {"chardev-remove", "id:s",           cmd_chardev_remove},
    {NULL},
};
