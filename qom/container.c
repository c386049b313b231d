/* SPDX-License-Identifier: MIT
 *
 * Objects that only hold children: the root of a tree, and its folders.
 */
#include "qom/object.h"

Object *container_get(Object *root, const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    Object *obj = root;

    for (char **p = parts; *p; p++) {
        if (!**p) {
            continue;
        }
        Object *child = object_resolve_path_component(obj, *p);
        obj = child ? child : object_new_child(obj, *p, TYPE_CONTAINER, NULL);
        g_assert(obj);
    }
    return obj;
}

static const TypeInfo container_types[] = {
    {.name = TYPE_CONTAINER, .parent = TYPE_OBJECT, .doc = "Folder of the composition tree"},
};
DEFINE_TYPES(container_types)
