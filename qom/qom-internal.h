/* SPDX-License-Identifier: MIT
 *
 * What the files of qom/ share.
 */
#ifndef QOM_QOM_INTERNAL_H
#define QOM_QOM_INTERNAL_H

#include "qom/object.h"

#define TYPE_CASTS 4

struct TypeImpl {
    const TypeInfo *info;
    TypeImpl *parent;
    ObjectClass *klass; /* NULL until first needed */
    size_t instance_size, class_size, instance_align;
    const Property *properties;
    GHashTable *property_index; /* name -> Property, made at first search */
    ObjectFrozenFunc frozen;
    const char *casts[TYPE_CASTS]; /* names that it was found to have; atomic */
    unsigned next_cast;
};

/* A name on an instance: a child, or an alias of another object's property. */
typedef struct ObjectProperty {
    Object *child;        /* one reference */
    Object *alias_target; /* not owned: aliases point into the owner's subtree */
    char *alias_name;
} ObjectProperty;

/* The type if it is registered (no module is loaded), or NULL. */
TypeImpl *type_find(const char *name);
/* Whether `type` is, or descends from, the type of that name. */
bool type_is_a(const TypeImpl *type, const char *name);
/* Whether the class is (not: has the interface) of that type; `name` is a literal. */
bool object_class_is_known(ObjectClass *klass, const char *name);
/* Make the class if need be; NULL and *error if a parent or an interface is missing. */
ObjectClass *type_ensure_class(TypeImpl *type, GError **error);
ObjectProperty *object_find_dynamic(const Object *obj, const char *name);

/* Load the module whose manifest names the type; false: none does. */
bool module_load_for_type(const char *type, GError **error);

void object_init_properties(Object *obj, TypeImpl *type);
void object_release_properties(Object *obj, TypeImpl *type);

#endif
