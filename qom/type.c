/* SPDX-License-Identifier: MIT */
#include "qom/qom-internal.h"

#include <string.h>

static GHashTable *types; /* name -> TypeImpl */
static GRecMutex types_lock;

G_DEFINE_QUARK(quoin-object-error, object_error)

static void type_register_one(const TypeInfo *info)
{
    g_assert(info->name);
    g_rec_mutex_lock(&types_lock);
    if (!types) {
        types = g_hash_table_new(g_str_hash, g_str_equal);
    }
    if (g_hash_table_contains(types, info->name)) {
        g_error("type '%s' is registered twice", info->name);
    }
    TypeImpl *type = g_new0(TypeImpl, 1);
    type->info = info;
    type->properties = info->properties;
    g_hash_table_insert(types, (char *)info->name, type);
    g_rec_mutex_unlock(&types_lock);
}

void type_register_static(const TypeInfo *info)
{
    type_register_one(info);
}

void type_register_static_array(const TypeInfo *infos, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        type_register_one(&infos[i]);
    }
}

TypeImpl *type_find(const char *name)
{
    g_rec_mutex_lock(&types_lock);
    TypeImpl *type = types && name ? g_hash_table_lookup(types, name) : NULL;
    g_rec_mutex_unlock(&types_lock);
    return type;
}

bool type_is_a(const TypeImpl *type, const char *name)
{
    for (; type; type = type->parent) {
        if (type->info->name == name || !strcmp(type->info->name, name)) {
            return true;
        }
    }
    return false;
}

/* ---- making a class --------------------------------------------------------- */

static bool type_resolve_parent(TypeImpl *type, GError **error)
{
    if (!type->info->parent) {
        return true;
    }
    ObjectClass *parent = object_class_lookup(type->info->parent, error);
    if (!parent) {
        g_prefix_error(error, "parent of type '%s': ", type->info->name);
        return false;
    }
    type->parent = parent->type;
    return true;
}

static void type_compute_sizes(TypeImpl *type)
{
    const TypeInfo *info = type->info;
    const TypeImpl *parent = type->parent;

    type->class_size = MAX(info->class_size, parent ? parent->class_size : sizeof(ObjectClass));
    type->instance_size = MAX(info->instance_size, parent ? parent->instance_size : sizeof(Object));
    type->instance_align = MAX(info->instance_align, parent ? parent->instance_align : 0);
}

static void class_add_interface(ObjectClass *klass, TypeImpl *iface, const InterfaceClass *from)
{
    InterfaceClass *ic = g_memdup2(from, iface->class_size);
    ic->parent_class.type = iface;
    ic->concrete_class = klass;
    ic->interface_type = iface;
    klass->interfaces = g_slist_append(klass->interfaces, ic);
}

static bool class_has_interface(const ObjectClass *klass, const TypeImpl *iface)
{
    for (GSList *l = klass->interfaces; l; l = l->next) {
        if (((InterfaceClass *)l->data)->interface_type == iface) {
            return true;
        }
    }
    return false;
}

static bool class_init_interfaces(ObjectClass *klass, TypeImpl *type, GError **error)
{
    klass->interfaces = NULL;
    if (type->parent) {
        for (GSList *l = type->parent->klass->interfaces; l; l = l->next) {
            InterfaceClass *ic = l->data;
            class_add_interface(klass, ic->interface_type, ic);
        }
    }
    for (const InterfaceInfo *i = type->info->interfaces; i && i->type; i++) {
        ObjectClass *iface = object_class_lookup(i->type, error);
        if (!iface) {
            return false;
        }
        if (!class_has_interface(klass, iface->type)) {
            class_add_interface(klass, iface->type, (InterfaceClass *)iface);
        }
    }
    return true;
}

ObjectClass *type_ensure_class(TypeImpl *type, GError **error)
{
    g_rec_mutex_lock(&types_lock);
    if (type->klass || !type_resolve_parent(type, error)) {
        g_rec_mutex_unlock(&types_lock);
        return type->klass;
    }
    type_compute_sizes(type);

    ObjectClass *klass = g_malloc0(type->class_size);
    if (type->parent) {
        memcpy(klass, type->parent->klass, type->parent->class_size);
    }
    klass->type = type;
    klass->doc = type->info->doc;
    if (!class_init_interfaces(klass, type, error)) {
        g_free(klass);
        g_rec_mutex_unlock(&types_lock);
        return NULL;
    }
    type->klass = klass;
    if (type->info->class_init) {
        type->info->class_init(klass, type->info->class_data);
    }
    g_rec_mutex_unlock(&types_lock);
    return klass;
}

/* ---- looking at classes ------------------------------------------------------ */

ObjectClass *object_class_lookup(const char *name, GError **error)
{
    TypeImpl *type = type_find(name);

    if (!type) {
        g_autoptr(GError) local = NULL;
        if (module_load_for_type(name, &local)) {
            type = type_find(name);
        } else if (local) {
            g_propagate_error(error, g_steal_pointer(&local));
            return NULL;
        }
    }
    if (!type) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_TYPE, "no type is called '%s'", name);
        return NULL;
    }
    return type_ensure_class(type, error);
}

ObjectClass *object_class_by_name(const char *name)
{
    return object_class_lookup(name, NULL);
}

const char *object_class_get_name(const ObjectClass *klass)
{
    return klass->type->info->name;
}

ObjectClass *object_class_get_parent(const ObjectClass *klass)
{
    return klass->type->parent ? klass->type->parent->klass : NULL;
}

bool object_class_is_abstract(const ObjectClass *klass)
{
    return klass->type->info->abstract;
}

ObjectClass *object_class_dynamic_cast(ObjectClass *klass, const char *name)
{
    if (!klass) {
        return NULL;
    }
    if (type_is_a(klass->type, name)) {
        return klass;
    }
    for (GSList *l = klass->interfaces; l; l = l->next) {
        InterfaceClass *ic = l->data;
        if (type_is_a(ic->interface_type, name)) {
            return &ic->parent_class;
        }
    }
    return NULL;
}

/* Names of casts are literals, so the pointer of one that went well will do the next time. */
static bool cast_is_known(TypeImpl *type, const char *name)
{
    for (int i = 0; i < TYPE_CASTS; i++) {
        if (__atomic_load_n(&type->casts[i], __ATOMIC_RELAXED) == name) {
            return true;
        }
    }
    return false;
}

static void cast_remember(TypeImpl *type, const char *name)
{
    unsigned n = __atomic_fetch_add(&type->next_cast, 1, __ATOMIC_RELAXED);

    __atomic_store_n(&type->casts[n % TYPE_CASTS], name, __ATOMIC_RELAXED);
}

bool object_class_is_known(ObjectClass *klass, const char *name)
{
    if (cast_is_known(klass->type, name)) {
        return true;
    }
    if (object_class_dynamic_cast(klass, name) != klass) {
        return false;
    }
    cast_remember(klass->type, name);
    return true;
}

ObjectClass *object_class_cast(ObjectClass *klass, const char *name)
{
    ObjectClass *ret = klass && object_class_is_known(klass, name)
                           ? klass
                           : object_class_dynamic_cast(klass, name);

    if (G_UNLIKELY(!ret)) {
        g_error("class '%s' is not a '%s'", klass ? object_class_get_name(klass) : "(null)", name);
    }
    return ret;
}

static gint class_compare(gconstpointer a, gconstpointer b)
{
    return strcmp(object_class_get_name(a), object_class_get_name(b));
}

GSList *object_class_get_list(const char *implements, bool include_abstract)
{
    GSList *ret = NULL;

    g_rec_mutex_lock(&types_lock);
    g_autoptr(GList) all = types ? g_hash_table_get_values(types) : NULL;
    for (GList *l = all; l; l = l->next) {
        ObjectClass *klass = type_ensure_class(l->data, NULL);
        if (!klass || (!include_abstract && object_class_is_abstract(klass))) {
            continue;
        }
        if (!implements || object_class_dynamic_cast(klass, implements)) {
            ret = g_slist_prepend(ret, klass);
        }
    }
    g_rec_mutex_unlock(&types_lock);
    return g_slist_sort(ret, class_compare);
}

void object_class_set_properties(ObjectClass *klass, const Property *props)
{
    klass->type->properties = props;
}

void object_class_set_frozen_func(ObjectClass *klass, ObjectFrozenFunc fn)
{
    klass->type->frozen = fn;
}

static GVariant *get_type_name(Object *obj, const Property *prop)
{
    (void)prop;
    return g_variant_new_string(object_get_typename(obj));
}

static const Property object_properties[] = {
    DEFINE_PROP_CUSTOM("type", "s", get_type_name, NULL, PROP_INTERNAL, "Name of its type"),
    DEFINE_PROP_END,
};

static const TypeInfo root_types[] = {
    {.name = TYPE_OBJECT,
     .abstract = true,
     .properties = object_properties,
     .doc = "Root of all types"},
    {.name = TYPE_INTERFACE,
     .class_size = sizeof(InterfaceClass),
     .abstract = true,
     .doc = "Root of all interfaces"},
};
DEFINE_TYPES(root_types)
