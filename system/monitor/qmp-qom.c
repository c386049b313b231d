/* SPDX-License-Identifier: MIT
 *
 * QMP commands about types and objects: all of it is in the registry.
 */
#include "system/monitor/monitor-internal.h"

/* ---- types ---------------------------------------------------------------------------------- */

static void add_type(JsonBuilder *b, ObjectClass *klass)
{
    ObjectClass *parent = object_class_get_parent(klass);

    json_builder_begin_object(b);
    qmp_add_string(b, "name", object_class_get_name(klass));
    if (object_class_is_abstract(klass)) {
        qmp_add_bool(b, "abstract", true);
    }
    if (parent) {
        qmp_add_string(b, "parent", object_class_get_name(parent));
    }
    json_builder_end_object(b);
}

static JsonNode *qom_list_types(Monitor *monitor, JsonObject *args, GError **error)
{
    const char *implements = qmp_string(args, "implements");
    g_autoptr(GSList) classes = object_class_get_list(implements ? implements : TYPE_OBJECT,
                                                      qmp_bool(args, "abstract", false));
    JsonBuilder *b = json_builder_new();

    json_builder_begin_array(b);
    for (GSList *l = classes; l; l = l->next) {
        add_type(b, l->data);
    }
    json_builder_end_array(b);
    return qmp_finish(b);
}

/* As JSON has it: a number, a truth value or a string. */
static void add_default(JsonBuilder *b, const Property *prop)
{
    g_autofree char *text = property_default_text(prop);
    const char *type = prop->type->name;

    if (!text) {
        return;
    }
    json_builder_set_member_name(b, "default-value");
    if (prop->enum_info) {
        json_builder_add_string_value(b, text);
    } else if (prop->type == &property_type_string) {
        json_builder_add_string_value(b, prop->def.s);
    } else if (g_str_has_prefix(type, "int")) {
        json_builder_add_int_value(b, prop->def.i);
    } else if (g_variant_type_equal(prop->type->variant, G_VARIANT_TYPE_BOOLEAN)) {
        json_builder_add_boolean_value(b, prop->def.u != 0);
    } else {
        json_builder_add_int_value(b, (int64_t)prop->def.u);
    }
}

static void add_class_property(const Property *prop, ObjectClass *owner, void *opaque)
{
    JsonBuilder *b = opaque;
    g_autofree char *type = property_type_name(prop);

    json_builder_begin_object(b);
    qmp_add_string(b, "name", prop->name);
    qmp_add_string(b, "type", type);
    if (prop->doc) {
        qmp_add_string(b, "description", prop->doc);
    }
    add_default(b, prop);
    json_builder_end_object(b);
}

/* Those that a user sets: no "realized" and the like. */
static void add_device_property(const Property *prop, ObjectClass *owner, void *opaque)
{
    if (prop->kind != PROP_INTERNAL) {
        add_class_property(prop, owner, opaque);
    }
}

static JsonNode *list_properties(ObjectClass *klass, PropertyVisitor fn)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_array(b);
    object_class_property_foreach(klass, fn, b);
    json_builder_end_array(b);
    return qmp_finish(b);
}

static ObjectClass *find_class(JsonObject *args, const char *kind, GError **error)
{
    const char *name = qmp_string(args, "typename");
    ObjectClass *klass = object_class_by_name(name);

    if (!klass) {
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_NOT_FOUND, "%s '%s' not found", kind, name);
    }
    return klass;
}

static JsonNode *qom_list_properties(Monitor *monitor, JsonObject *args, GError **error)
{
    ObjectClass *klass = find_class(args, "Class", error);

    return klass ? list_properties(klass, add_class_property) : NULL;
}

static JsonNode *device_list_properties(Monitor *monitor, JsonObject *args, GError **error)
{
    ObjectClass *klass = find_class(args, "Device", error);

    if (!klass) {
        return NULL;
    }
    if (!object_class_dynamic_cast(klass, TYPE_DEVICE) || object_class_is_abstract(klass)) {
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_ARGUMENT,
                    "Parameter 'typename' expects a non-abstract device type");
        return NULL;
    }
    return list_properties(klass, add_device_property);
}

/* ---- objects -------------------------------------------------------------------------------- */

static Object *find_object(Monitor *monitor, JsonObject *args, GError **error)
{
    const char *path = qmp_string(args, "path");
    bool ambiguous = false;
    Object *obj = object_resolve_path(OBJECT(monitor->machine), path, &ambiguous);

    if (!obj && ambiguous) {
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_ARGUMENT, "Path '%s' is ambiguous", path);
    } else if (!obj) {
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_NOT_FOUND, "Device '%s' not found", path);
    }
    return obj;
}

static void add_listed(const char *name, const char *type, const char *doc, void *opaque)
{
    json_builder_begin_object(opaque);
    qmp_add_string(opaque, "name", name);
    qmp_add_string(opaque, "type", type);
    json_builder_end_object(opaque);
}

static JsonNode *qom_list(Monitor *monitor, JsonObject *args, GError **error)
{
    Object *obj = find_object(monitor, args, error);
    JsonBuilder *b;

    if (!obj) {
        return NULL;
    }
    b = json_builder_new();
    json_builder_begin_array(b);
    object_property_list(obj, add_listed, b);
    json_builder_end_array(b);
    return qmp_finish(b);
}

static JsonNode *qom_get(Monitor *monitor, JsonObject *args, GError **error)
{
    Object *obj = find_object(monitor, args, error);
    const char *name = qmp_string(args, "property");
    g_autoptr(GVariant) value = NULL;

    if (!obj) {
        return NULL;
    }
    value = object_property_get(obj, name, error);
    return value ? json_gvariant_serialize(value) : NULL;
}

static char *node_text(JsonNode *node)
{
    GType held = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_INVALID;

    if (held == G_TYPE_STRING) {
        return json_node_dup_string(node);
    }
    if (held == G_TYPE_BOOLEAN) {
        return g_strdup(json_node_get_boolean(node) ? "on" : "off");
    }
    return json_to_string(node, FALSE);
}

static JsonNode *qom_set(Monitor *monitor, JsonObject *args, GError **error)
{
    Object *obj = find_object(monitor, args, error);
    g_autofree char *text = node_text(json_object_get_member(args, "value"));

    return obj && object_property_parse(obj, qmp_string(args, "property"), text, error)
               ? qmp_empty()
               : NULL;
}

const QMPCommand qmp_qom_commands[] = {
    {"qom-list-types",         "implements:s? abstract:b?", qom_list_types},
    {"qom-list-properties",          "typename:s", qom_list_properties},
    {"device-list-properties",    "typename:s", device_list_properties},
    {"qom-list",     "path:s", qom_list},
    {"qom-get", "path:s property:s", qom_get},
    {"qom-set",  "path:s property:s value:*", qom_set},
    {NULL              },
};
