/* SPDX-License-Identifier: MIT
 *
 * Instances and the composition tree.
 */
#include "qom/qom-internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- birth and death ---------------------------------------------------------- */

static void object_run_init(Object *obj, TypeImpl *type)
{
    if (type->parent) {
        object_run_init(obj, type->parent);
    }
    if (type->info->instance_init) {
        type->info->instance_init(obj);
    }
}

static void object_run_post_init(Object *obj, TypeImpl *type)
{
    if (type->parent) {
        object_run_post_init(obj, type->parent);
    }
    if (type->info->instance_post_init) {
        type->info->instance_post_init(obj);
    }
}

static void object_initialize(Object *obj, ObjectClass *klass)
{
    obj->klass = klass;
    obj->ref = 1;
    object_init_properties(obj, klass->type);
    object_run_init(obj, klass->type);
    object_run_post_init(obj, klass->type);
}

/* calloc() leaves the pages of a large object untouched, which memset would not. */
static Object *object_alloc(const TypeImpl *type)
{
    size_t align = MAX(type->instance_align, sizeof(void *));
    void *alloc = calloc(1, type->instance_size + align);

    if (!alloc) {
        g_error("out of memory for an object of %zu bytes", type->instance_size);
    }
    Object *obj = (Object *)(((uintptr_t)alloc + align - 1) / align * align);
    obj->alloc = alloc;
    return obj;
}

Object *object_new_with_class(ObjectClass *klass)
{
    g_assert(!object_class_is_abstract(klass));
    Object *obj = object_alloc(klass->type);
    object_initialize(obj, klass);
    return obj;
}

Object *object_new(const char *name, GError **error)
{
    ObjectClass *klass = object_class_lookup(name, error);

    if (!klass) {
        return NULL;
    }
    if (object_class_is_abstract(klass) || type_is_a(klass->type, TYPE_INTERFACE)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_TYPE,
                    "type '%s' is abstract: only types that descend from it can be created", name);
        return NULL;
    }
    g_autoptr(Object) obj = object_new_with_class(klass);
    if (!object_apply_globals(obj, error)) {
        return NULL;
    }
    return g_steal_pointer(&obj);
}

Object *object_new_child(Object *parent, const char *name, const char *type, GError **error)
{
    g_autoptr(Object) obj = object_new(type, error);

    if (!obj || !object_add_child(parent, name, obj, error)) {
        return NULL;
    }
    return obj;
}

void object_initialize_child(Object *parent, const char *name, void *child, const char *type)
{
    Object *obj = child;
    ObjectClass *klass = object_class_by_name(type);

    g_assert(klass && !object_class_is_abstract(klass));
    object_initialize(obj, klass);
    object_add_child(parent, name, obj, NULL);
    object_unref(obj);
}

static void object_run_finalize(Object *obj, TypeImpl *type)
{
    for (; type; type = type->parent) {
        if (type->info->instance_finalize) {
            type->info->instance_finalize(obj);
        }
    }
}

static void object_drop_children(Object *obj)
{
    GHashTableIter iter;
    gpointer value;

    while (obj->properties) {
        Object *child = NULL;
        g_hash_table_iter_init(&iter, obj->properties);
        while (!child && g_hash_table_iter_next(&iter, NULL, &value)) {
            child = ((ObjectProperty *)value)->child;
        }
        if (!child) {
            break;
        }
        object_unparent(child);
    }
    g_clear_pointer(&obj->properties, g_hash_table_unref);
}

static void (*object_free_func)(void *alloc) = free;

void object_set_free_func(void (*fn)(void *alloc))
{
    object_free_func = fn;
}

static void object_destroy(Object *obj)
{
    object_drop_children(obj);
    object_run_finalize(obj, obj->klass->type);
    object_release_properties(obj, obj->klass->type);
    g_free(obj->name);
    obj->name = NULL;
    if (obj->alloc) {
        object_free_func(obj->alloc);
    }
}

Object *object_ref(void *opaque)
{
    Object *obj = opaque;

    if (obj) {
        g_atomic_int_inc(&obj->ref);
    }
    return obj;
}

void object_unref(void *opaque)
{
    Object *obj = opaque;

    if (obj && g_atomic_int_dec_and_test(&obj->ref)) {
        object_destroy(obj);
    }
}

/* ---- class and casts ------------------------------------------------------------ */

ObjectClass *object_get_class(const Object *obj)
{
    return obj->klass;
}

const char *object_get_typename(const Object *obj)
{
    return object_class_get_name(obj->klass);
}

Object *object_dynamic_cast(Object *obj, const char *type)
{
    return obj && object_class_dynamic_cast(obj->klass, type) ? obj : NULL;
}

Object *object_dynamic_cast_assert(Object *obj, const char *type)
{
    if (G_UNLIKELY(obj && !object_class_is_known(obj->klass, type) &&
                   !object_class_dynamic_cast(obj->klass, type))) {
        g_error("object %p of type '%s' is not a '%s'", (void *)obj, object_get_typename(obj), type);
    }
    return obj;
}

/* ---- the composition tree --------------------------------------------------------- */

static void object_property_free(gpointer data)
{
    ObjectProperty *prop = data;

    g_free(prop->alias_name);
    g_free(prop);
}

ObjectProperty *object_find_dynamic(const Object *obj, const char *name)
{
    return obj->properties ? g_hash_table_lookup(obj->properties, name) : NULL;
}

static bool object_has_name(Object *obj, const char *name)
{
    return object_find_dynamic(obj, name) || object_class_find_property(obj->klass, name);
}

/* "foo[*]" becomes the first of foo[0], foo[1]... that is free. */
static char *object_free_name(Object *parent, const char *name)
{
    if (!g_str_has_suffix(name, "[*]")) {
        return g_strdup(name);
    }
    for (unsigned i = 0;; i++) {
        g_autofree char *try = g_strdup_printf("%.*s[%u]", (int)strlen(name) - 3, name, i);
        if (!object_has_name(parent, try)) {
            return g_steal_pointer(&try);
        }
    }
}

static bool object_insert_dynamic(Object *obj, const char *name, ObjectProperty *prop,
                                  GError **error)
{
    if (object_has_name(obj, name)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_PATH,
                    "'%s' already has something called '%s'", object_get_typename(obj), name);
        object_property_free(prop);
        return false;
    }
    if (!obj->properties) {
        obj->properties = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                object_property_free);
    }
    g_hash_table_insert(obj->properties, g_strdup(name), prop);
    return true;
}

bool object_add_child(Object *parent, const char *name, Object *child, GError **error)
{
    g_assert(!child->parent && strchr(name, '/') == NULL);
    g_autofree char *unique = object_free_name(parent, name);
    ObjectProperty *prop = g_new0(ObjectProperty, 1);

    prop->child = child;
    if (!object_insert_dynamic(parent, unique, prop, error)) {
        return false;
    }
    object_ref(child);
    child->parent = parent;
    g_free(child->name);
    child->name = g_steal_pointer(&unique);
    return true;
}

bool object_property_add_alias(Object *obj, const char *name, Object *target,
                               const char *target_name, GError **error)
{
    ObjectProperty *prop = g_new0(ObjectProperty, 1);

    prop->alias_target = target;
    prop->alias_name = g_strdup(target_name);
    return object_insert_dynamic(obj, name, prop, error);
}

void object_unparent(Object *obj)
{
    Object *parent = obj->parent;

    if (!parent) {
        return;
    }
    object_ref(obj);
    if (obj->klass->unparent) {
        obj->klass->unparent(obj);
    }
    obj->parent = NULL;
    g_hash_table_remove(parent->properties, obj->name);
    object_unref(obj);
    object_unref(obj);
}

Object *object_get_root(const Object *obj)
{
    while (obj->parent) {
        obj = obj->parent;
    }
    return (Object *)obj;
}

char *object_get_path(const Object *obj)
{
    GString *path = g_string_new(NULL);

    for (; obj->parent; obj = obj->parent) {
        g_string_prepend(path, obj->name);
        g_string_prepend_c(path, '/');
    }
    if (!object_dynamic_cast((Object *)obj, TYPE_CONTAINER)) {
        g_string_free(path, TRUE);
        return NULL;
    }
    if (!path->len) {
        g_string_append_c(path, '/');
    }
    return g_string_free(path, FALSE);
}

Object *object_resolve_path_component(Object *parent, const char *name)
{
    ObjectProperty *prop = object_find_dynamic(parent, name);

    if (prop) {
        return prop->child;
    }
    const Property *link = object_class_find_property(parent->klass, name);
    if (link && link->type == &property_type_link) {
        return *(Object **)((char *)parent + link->offset);
    }
    return NULL;
}

static Object *object_descend(Object *obj, char **parts)
{
    for (; obj && *parts; parts++) {
        if (**parts) {
            obj = object_resolve_path_component(obj, *parts);
        }
    }
    return obj;
}

typedef struct PartialSearch {
    char **parts;
    const char *type; /* instead of parts */
    Object *found;
    bool ambiguous;
} PartialSearch;

static bool object_match(Object *child, const char *name, void *opaque)
{
    PartialSearch *s = opaque;
    Object *hit = s->type ? object_dynamic_cast(child, s->type) : object_descend(child, s->parts);

    (void)name;
    if (hit && hit != s->found) {
        s->ambiguous = s->ambiguous || s->found;
        s->found = hit;
    }
    return s->ambiguous;
}

static Object *object_search(Object *root, PartialSearch *s, bool *ambiguous)
{
    object_match(root, "", s);
    object_child_foreach_recursive(root, object_match, s);
    if (ambiguous) {
        *ambiguous = s->ambiguous;
    }
    return s->ambiguous ? NULL : s->found;
}

Object *object_resolve_path(Object *origin, const char *path, bool *ambiguous)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    Object *root = object_get_root(origin);

    if (ambiguous) {
        *ambiguous = false;
    }
    if (path[0] == '/') {
        return object_descend(root, parts);
    }
    return path[0] ? object_search(root, &(PartialSearch){.parts = parts}, ambiguous) : NULL;
}

Object *object_resolve_path_type(Object *origin, const char *type, bool *ambiguous)
{
    return object_search(object_get_root(origin), &(PartialSearch){.type = type}, ambiguous);
}

static gint name_compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, so that walks and the paths they print are the same in every run. */
static bool child_foreach(Object *obj, ObjectVisitor fn, void *opaque, bool recursive)
{
    if (!obj->properties) {
        return false;
    }
    guint n;
    g_autofree gpointer *names = g_hash_table_get_keys_as_array(obj->properties, &n);
    bool stop = false;

    for (guint i = 0; i < n; i++) {
        names[i] = g_strdup(names[i]);
    }
    qsort(names, n, sizeof(*names), name_compare);
    for (guint i = 0; i < n; i++) {
        ObjectProperty *prop = stop || !obj->properties
                                   ? NULL
                                   : g_hash_table_lookup(obj->properties, names[i]);
        if (prop && prop->child) {
            g_autoptr(Object) child = object_ref(prop->child);
            stop = fn(child, names[i], opaque) ||
                   (recursive && child_foreach(child, fn, opaque, true));
        }
        g_free(names[i]);
    }
    return stop;
}

bool object_child_foreach(Object *obj, ObjectVisitor fn, void *opaque)
{
    return child_foreach(obj, fn, opaque, false);
}

bool object_child_foreach_recursive(Object *obj, ObjectVisitor fn, void *opaque)
{
    return child_foreach(obj, fn, opaque, true);
}
