/* SPDX-License-Identifier: MIT
 *
 * Properties by name: finding, checking, reading and setting them; globals.
 */
#include "qom/qom-internal.h"

#include <string.h>

/* ---- finding -------------------------------------------------------------------- */

static const Property *type_find_own_property(TypeImpl *type, const char *name)
{
    if (!type->properties) {
        return NULL;
    }
    if (!type->property_index) {
        GHashTable *index = g_hash_table_new(g_str_hash, g_str_equal);
        for (const Property *p = type->properties; p->name; p++) {
            g_hash_table_insert(index, (char *)p->name, (Property *)p);
        }
        if (!g_atomic_pointer_compare_and_exchange(&type->property_index, NULL, index)) {
            g_hash_table_unref(index);
        }
    }
    return g_hash_table_lookup(type->property_index, name);
}

const Property *object_class_find_property(ObjectClass *klass, const char *name)
{
    for (TypeImpl *type = klass->type; type; type = type->parent) {
        const Property *prop = type_find_own_property(type, name);
        if (prop) {
            return prop;
        }
    }
    return NULL;
}

static void type_property_foreach(TypeImpl *type, PropertyVisitor fn, void *opaque)
{
    if (type->parent) {
        type_property_foreach(type->parent, fn, opaque);
    }
    for (const Property *p = type->properties; p && p->name; p++) {
        fn(p, type->klass, opaque);
    }
}

void object_class_property_foreach(ObjectClass *klass, PropertyVisitor fn, void *opaque)
{
    type_property_foreach(klass->type, fn, opaque);
}

static void set_default(const Property *prop, ObjectClass *owner, void *obj)
{
    (void)owner;
    if (prop->type->set_default) {
        prop->type->set_default(obj, prop);
    }
}

void object_init_properties(Object *obj, TypeImpl *type)
{
    type_property_foreach(type, set_default, obj);
}

static void release(const Property *prop, ObjectClass *owner, void *obj)
{
    (void)owner;
    if (prop->type->release) {
        prop->type->release(obj, prop);
    }
}

void object_release_properties(Object *obj, TypeImpl *type)
{
    type_property_foreach(type, release, obj);
}

static bool property_missing(Object *obj, const char *name, GError **error)
{
    g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_PROPERTY, "Property '%s.%s' not found",
                object_get_typename(obj), name);
    return false;
}

/* ---- setting -------------------------------------------------------------------- */

static bool object_is_frozen(Object *obj)
{
    for (TypeImpl *type = obj->klass->type; type; type = type->parent) {
        if (type->frozen) {
            return type->frozen(obj);
        }
    }
    return false;
}

static bool property_writable(Object *obj, const Property *prop, GError **error)
{
    bool read_only = prop->kind == PROP_TELEMETRY ||
                     (prop->type == &property_type_custom && !prop->set);

    if (read_only) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "Property '%s.%s' is read-only",
                    object_get_typename(obj), prop->name);
    } else if (prop->kind == PROP_CONFIG && object_is_frozen(obj)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "Property '%s.%s' cannot be set any more: the object is in use",
                    object_get_typename(obj), prop->name);
    } else {
        return true;
    }
    return false;
}

static bool class_property_set(Object *obj, const Property *prop, GVariant *value, GError **error)
{
    if (!property_writable(obj, prop, error)) {
        return false;
    }
    if ((prop->check && !prop->check(obj, prop, value, error)) ||
        !prop->type->set(obj, prop, value, error)) {
        if (prop->kind != PROP_INTERNAL) {
            g_prefix_error(error, "Property '%s.%s': ", object_get_typename(obj), prop->name);
        }
        return false;
    }
    if (prop->changed) {
        prop->changed(obj, prop);
    }
    return true;
}

bool object_property_set(Object *obj, const char *name, GVariant *value, GError **error)
{
    g_autoptr(GVariant) held = g_variant_ref_sink(value);
    ObjectProperty *dyn = object_find_dynamic(obj, name);

    if (dyn && dyn->alias_target) {
        return object_property_set(dyn->alias_target, dyn->alias_name, held, error);
    }
    if (dyn) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "'%s.%s' is a child, not a setting",
                    object_get_typename(obj), name);
        return false;
    }
    const Property *prop = object_class_find_property(obj->klass, name);
    if (!prop) {
        return property_missing(obj, name, error);
    }
    return class_property_set(obj, prop, held, error);
}

GVariant *object_property_get(Object *obj, const char *name, GError **error)
{
    ObjectProperty *dyn = object_find_dynamic(obj, name);

    if (dyn && dyn->alias_target) {
        return object_property_get(dyn->alias_target, dyn->alias_name, error);
    }
    if (dyn) {
        g_autofree char *path = object_get_path(dyn->child);
        return g_variant_ref_sink(g_variant_new_string(path ? path : ""));
    }
    const Property *prop = object_class_find_property(obj->klass, name);
    if (!prop) {
        property_missing(obj, name, error);
        return NULL;
    }
    GVariant *value = prop->type->get(obj, prop);
    if (!value) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "Property '%s.%s' cannot be read",
                    object_get_typename(obj), name);
        return NULL;
    }
    return g_variant_ref_sink(value);
}

bool object_property_parse(Object *obj, const char *name, const char *text, GError **error)
{
    ObjectProperty *dyn = object_find_dynamic(obj, name);

    if (dyn && dyn->alias_target) {
        return object_property_parse(dyn->alias_target, dyn->alias_name, text, error);
    }
    const Property *prop = object_class_find_property(obj->klass, name);
    if (!prop) {
        return property_missing(obj, name, error);
    }
    /* Bytes of a command line may be anything; values are text. */
    if (!g_utf8_validate(text, -1, NULL)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "Property '%s.%s': the value is not UTF-8", object_get_typename(obj), name);
        return false;
    }
    GVariant *value = prop->type->parse ? prop->type->parse(prop, text, error)
                                        : g_variant_new_string(text);
    if (!value) {
        g_prefix_error(error, "Property '%s.%s': ", object_get_typename(obj), name);
        return false;
    }
    g_autoptr(GVariant) held = g_variant_ref_sink(value);
    return class_property_set(obj, prop, held, error);
}

char *object_property_print(Object *obj, const char *name, GError **error)
{
    g_autoptr(GVariant) value = object_property_get(obj, name, error);

    if (!value) {
        return NULL;
    }
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)) {
        return g_variant_dup_string(value, NULL);
    }
    return g_variant_print(value, FALSE);
}

/* ---- typed short cuts ------------------------------------------------------------- */

bool object_property_set_bool(Object *obj, const char *name, bool value, GError **error)
{
    return object_property_set(obj, name, g_variant_new_boolean(value), error);
}

bool object_property_set_int(Object *obj, const char *name, int64_t value, GError **error)
{
    return object_property_set(obj, name, g_variant_new_int64(value), error);
}

bool object_property_set_uint(Object *obj, const char *name, uint64_t value, GError **error)
{
    return object_property_set(obj, name, g_variant_new_uint64(value), error);
}

bool object_property_set_str(Object *obj, const char *name, const char *value, GError **error)
{
    return object_property_set(obj, name, g_variant_new_string(value), error);
}

static bool class_property_set_link(Object *obj, const Property *prop, Object *value,
                                    GError **error)
{
    Object **field = (Object **)((char *)obj + prop->offset);

    if (!property_writable(obj, prop, error)) {
        return false;
    }
    if (value && !object_dynamic_cast(value, prop->link_type)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "Property '%s.%s' takes a '%s', not a '%s'", object_get_typename(obj),
                    prop->name, prop->link_type, object_get_typename(value));
        return false;
    }
    Object *old = *field;
    *field = object_ref(value);
    object_unref(old);
    if (prop->changed) {
        prop->changed(obj, prop);
    }
    return true;
}

bool object_property_set_link(Object *obj, const char *name, Object *value, GError **error)
{
    ObjectProperty *dyn = object_find_dynamic(obj, name);

    if (dyn && dyn->alias_target) {
        return object_property_set_link(dyn->alias_target, dyn->alias_name, value, error);
    }
    const Property *prop = object_class_find_property(obj->klass, name);
    if (!prop || prop->type != &property_type_link) {
        return property_missing(obj, name, error);
    }
    return class_property_set_link(obj, prop, value, error);
}

Object *object_property_get_link(Object *obj, const char *name, GError **error)
{
    ObjectProperty *dyn = object_find_dynamic(obj, name);

    if (dyn) {
        return dyn->alias_target
                   ? object_property_get_link(dyn->alias_target, dyn->alias_name, error)
                   : dyn->child;
    }
    const Property *prop = object_class_find_property(obj->klass, name);
    if (!prop || prop->type != &property_type_link) {
        property_missing(obj, name, error);
        return NULL;
    }
    return *(Object **)((char *)obj + prop->offset);
}

static bool value_type_error(Object *obj, const char *name, GVariant *value, const char *want,
                             GError **error)
{
    g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE, "Property '%s.%s' is '%s', not %s",
                object_get_typename(obj), name, g_variant_get_type_string(value), want);
    return false;
}

bool object_property_get_bool(Object *obj, const char *name, GError **error)
{
    g_autoptr(GVariant) value = object_property_get(obj, name, error);

    if (!value) {
        return false;
    }
    return g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN)
               ? g_variant_get_boolean(value)
               : value_type_error(obj, name, value, "a bool", error);
}

static bool variant_to_uint(GVariant *v, uint64_t *ret)
{
    switch (g_variant_classify(v)) {
    case G_VARIANT_CLASS_BYTE:
        *ret = g_variant_get_byte(v);
        return true;
    case G_VARIANT_CLASS_UINT16:
        *ret = g_variant_get_uint16(v);
        return true;
    case G_VARIANT_CLASS_UINT32:
        *ret = g_variant_get_uint32(v);
        return true;
    case G_VARIANT_CLASS_UINT64:
        *ret = g_variant_get_uint64(v);
        return true;
    case G_VARIANT_CLASS_INT16:
        *ret = (uint64_t)(int64_t)g_variant_get_int16(v);
        return true;
    case G_VARIANT_CLASS_INT32:
        *ret = (uint64_t)(int64_t)g_variant_get_int32(v);
        return true;
    case G_VARIANT_CLASS_INT64:
        *ret = (uint64_t)g_variant_get_int64(v);
        return true;
    default:
        return false;
    }
}

uint64_t object_property_get_uint(Object *obj, const char *name, GError **error)
{
    g_autoptr(GVariant) value = object_property_get(obj, name, error);
    uint64_t ret = 0;

    if (value && !variant_to_uint(value, &ret)) {
        value_type_error(obj, name, value, "an integer", error);
    }
    return ret;
}

int64_t object_property_get_int(Object *obj, const char *name, GError **error)
{
    return (int64_t)object_property_get_uint(obj, name, error);
}

char *object_property_get_str(Object *obj, const char *name, GError **error)
{
    g_autoptr(GVariant) value = object_property_get(obj, name, error);

    if (!value) {
        return NULL;
    }
    if (!g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)) {
        value_type_error(obj, name, value, "a string", error);
        return NULL;
    }
    return g_variant_dup_string(value, NULL);
}

/* ---- listing ---------------------------------------------------------------------- */

typedef struct ListState {
    PropertyListVisitor fn;
    void *opaque;
} ListState;

static void list_class_property(const Property *prop, ObjectClass *owner, void *opaque)
{
    ListState *s = opaque;
    g_autofree char *type = property_type_name(prop);

    (void)owner;
    s->fn(prop->name, type, prop->doc, s->opaque);
}

static void list_dynamic(const char *name, ObjectProperty *dyn, ListState *s)
{
    if (dyn->child) {
        g_autofree char *type =
            g_strdup_printf("child<%s>", object_get_typename(dyn->child));
        s->fn(name, type, NULL, s->opaque);
        return;
    }
    const Property *prop =
        object_class_find_property(dyn->alias_target->klass, dyn->alias_name);
    g_autofree char *type = prop ? property_type_name(prop) : g_strdup("alias");
    s->fn(name, type, prop ? prop->doc : NULL, s->opaque);
}

void object_property_list(Object *obj, PropertyListVisitor fn, void *opaque)
{
    ListState s = {fn, opaque};

    object_class_property_foreach(obj->klass, list_class_property, &s);
    if (!obj->properties) {
        return;
    }
    GList *names = g_list_sort(g_hash_table_get_keys(obj->properties), (GCompareFunc)strcmp);
    for (GList *l = names; l; l = l->next) {
        list_dynamic(l->data, g_hash_table_lookup(obj->properties, l->data), &s);
    }
    g_list_free(names);
}

/* ---- globals ---------------------------------------------------------------------- */

static GPtrArray *globals; /* of GlobalProperty, with strings of their own */
static const GPtrArray *compat_globals;

void object_register_global(const char *type, const char *prop, const char *value)
{
    GlobalProperty *g = g_new(GlobalProperty, 1);

    *g = (GlobalProperty){g_strdup(type), g_strdup(prop), g_strdup(value)};
    if (!globals) {
        globals = g_ptr_array_new();
    }
    g_ptr_array_add(globals, g);
}

void object_set_compat_globals(const GPtrArray *lists)
{
    compat_globals = lists;
}

static bool apply_global(Object *obj, const GlobalProperty *g, const char *from, GError **error)
{
    if (!object_dynamic_cast(obj, g->type) ||
        object_property_parse(obj, g->prop, g->value, error)) {
        return true;
    }
    g_prefix_error(error, "%s %s.%s=%s: ", from, g->type, g->prop, g->value);
    return false;
}

bool object_apply_globals(Object *obj, GError **error)
{
    for (guint i = 0; compat_globals && i < compat_globals->len; i++) {
        for (const GlobalProperty *g = compat_globals->pdata[i]; g->type; g++) {
            if (!apply_global(obj, g, "this machine's", error)) {
                return false;
            }
        }
    }
    for (guint i = 0; globals && i < globals->len; i++) {
        if (!apply_global(obj, globals->pdata[i], "-global", error)) {
            return false;
        }
    }
    return true;
}
