/* SPDX-License-Identifier: MIT
 *
 * query-qmp-schema: the commands as a program may ask for them, made from the tables.
 *
 * Arguments are described as far as the tables know them; what a command returns is "any".
 */
#include <string.h>
#include "system/monitor/monitor-internal.h"

static void add_builtin(JsonBuilder *b, const char *name, const char *json_type)
{
    json_builder_begin_object(b);
    qmp_add_string(b, "name", name);
    qmp_add_string(b, "meta-type", "builtin");
    qmp_add_string(b, "json-type", json_type);
    json_builder_end_object(b);
}

/* The schema's name of a type letter of QMPCommand.arguments. */
static const char *type_name(char letter)
{
    switch (letter) {
    case 's':
        return "str";
    case 'i':
        return "int";
    case 'b':
        return "bool";
    default:
        return "any";
    }
}

/* One "name:type[?]". */
static void add_member(JsonBuilder *b, const char *spec)
{
    const char *colon = strchr(spec, ':');
    g_autofree char *name = g_strndup(spec, colon - spec);

    json_builder_begin_object(b);
    qmp_add_string(b, "name", name);
    qmp_add_string(b, "type", type_name(colon[1]));
    if (colon[2] == '?') {
        json_builder_set_member_name(b, "default");
        json_builder_add_null_value(b);
    }
    json_builder_end_object(b);
}

static void add_object(JsonBuilder *b, const char *name, const char *arguments)
{
    g_auto(GStrv) specs = g_strsplit(arguments, " ", -1);

    json_builder_begin_object(b);
    qmp_add_string(b, "name", name);
    qmp_add_string(b, "meta-type", "object");
    json_builder_set_member_name(b, "members");
    json_builder_begin_array(b);
    for (char **spec = specs; *spec && **spec; spec++) {
        add_member(b, *spec);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
}

/* What "..." needs at least. */
static const char *known_arguments(const QMPCommand *command)
{
    if (!g_str_equal(command->arguments, "...")) {
        return command->arguments;
    }
    if (g_str_equal(command->name, "device_add")) {
        return "driver:s bus:s? id:s?";
    }
    return g_str_equal(command->name, "object-add") ? "qom-type:s id:s" : "";
}

static void add_command(const QMPCommand *command, void *opaque)
{
    JsonBuilder *b = opaque;
    const char *arguments = known_arguments(command);
    g_autofree char *type = *arguments ? g_strconcat(command->name, "-arg", NULL) : g_strdup("0");
    bool is_query = strstr(command->name, "query-") || !strncmp(command->name, "qom-", 4);

    if (*arguments) {
        add_object(b, type, arguments);
    }
    json_builder_begin_object(b);
    qmp_add_string(b, "name", command->name);
    qmp_add_string(b, "meta-type", "command");
    qmp_add_string(b, "arg-type", type);
    qmp_add_string(b, "ret-type", is_query ? "any" : "0");
    json_builder_end_object(b);
}

static JsonNode *query_qmp_schema(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_array(b);
    add_builtin(b, "str", "string");
    add_builtin(b, "int", "int");
    add_builtin(b, "bool", "boolean");
    add_builtin(b, "any", "value");
    add_object(b, "0", "");
    qmp_command_foreach(add_command, b);
    json_builder_end_array(b);
    return qmp_finish(b);
}

/* ---- what this VMM never has, so that the answer is always that there is none ---------------- */

static JsonNode *empty_array(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_array(b);
    json_builder_end_array(b);
    return qmp_finish(b);
}

static JsonNode *empty_object(Monitor *monitor, JsonObject *args, GError **error)
{
    return qmp_empty();
}

static JsonNode *query_current_machine(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_object(b);
    qmp_add_bool(b, "wakeup-suspend-support", MACHINE_GET_CLASS(monitor->machine)->wakeup != NULL);
    json_builder_end_object(b);
    return qmp_finish(b);
}

const QMPCommand qmp_schema_commands[] = {
    {"query-qmp-schema", "", query_qmp_schema},
    {"query-current-machine", "", query_current_machine},
    {"query-memory-devices", "", empty_array},
    {"query-jobs", "", empty_array},
    {"query-block-jobs", "", empty_array},
    {"query-block-exports", "", empty_array},
    {"query-migrate", "", empty_object},
    {"query-fdsets", "", empty_array},
    {"query-pr-managers", "", empty_array},
    {"query-rx-filter", "name:s?", empty_array},
    {"query-tpm", "", empty_array},
    {"query-tpm-models", "", empty_array},
    {"query-tpm-types", "", empty_array},
    {NULL},
};
