/* SPDX-License-Identifier: MIT */
#include "qom/object.h"

bool user_creatable_complete(Object *obj, GError **error)
{
    UserCreatableClass *ucc = (UserCreatableClass *)object_class_dynamic_cast(
        object_get_class(obj), TYPE_USER_CREATABLE);

    if (!ucc) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_TYPE,
                    "type '%s' is not one that -object creates", object_get_typename(obj));
        return false;
    }
    return !ucc->complete || ucc->complete(obj, error);
}

static const TypeInfo user_creatable_types[] = {
    {.name = TYPE_USER_CREATABLE,
     .parent = TYPE_INTERFACE,
     .class_size = sizeof(UserCreatableClass),
     .abstract = true,
     .doc = "What -object can create"},
};
DEFINE_TYPES(user_creatable_types)
