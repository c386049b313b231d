/* SPDX-License-Identifier: MIT
 *
 * Secrets: passwords that are not to stand on the command line of who uses them.
 */
#include "system/secret.h"

#include <string.h>

OBJECT_DECLARE_SIMPLE(Secret, SECRET, TYPE_SECRET)

typedef enum SecretFormat { SECRET_RAW, SECRET_BASE64 } SecretFormat;

struct Secret {
    Object parent_obj;
    char *data, *file;
    int format; /* SecretFormat */
    guchar *bytes;
    gsize len;
};

#define SECRET_MAX (1024 * 1024) /* bytes */

static void secret_forget(Secret *s)
{
    if (s->bytes) {
        explicit_bzero(s->bytes, s->len);
    }
    g_clear_pointer(&s->bytes, g_free);
    s->len = 0;
}

static bool secret_read(Secret *s, GError **error)
{
    g_autofree char *text = NULL;
    gsize len = 0;

    if (s->file) {
        if (!g_file_get_contents(s->file, &text, &len, error)) {
            return false;
        }
    } else {
        text = g_strdup(s->data);
        len = strlen(text);
    }
    if (len > SECRET_MAX) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE, "a secret has at most %d bytes",
                    SECRET_MAX);
        return false;
    }
    if (s->format == SECRET_BASE64) {
        s->bytes = g_base64_decode(text, &s->len);
    } else {
        s->bytes = (guchar *)g_strndup(text, len);
        memcpy(s->bytes, text, len);
        s->len = len;
    }
    explicit_bzero(text, len);
    return true;
}

static bool secret_complete(Object *obj, GError **error)
{
    Secret *s = SECRET(obj);

    if (!s->data == !s->file) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "a secret needs one of data=TEXT and file=FILE");
        return false;
    }
    return secret_read(s, error);
}

char *secret_lookup(MachineState *machine, const char *id, gsize *ret_len, GError **error)
{
    Object *objects = container_get(object_get_root(OBJECT(machine)), "objects");
    Object *obj = object_resolve_path_component(objects, id);
    Secret *s = obj ? (Secret *)object_dynamic_cast(obj, TYPE_SECRET) : NULL;
    char *copy;

    if (!s || !s->bytes) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_PATH,
                    "no secret '%s' (-object secret,id=%s,... makes one)", id, id);
        return NULL;
    }
    copy = g_malloc0(s->len + 1);
    memcpy(copy, s->bytes, s->len);
    *ret_len = s->len;
    return copy;
}

static void secret_finalize(Object *obj)
{
    secret_forget(SECRET(obj));
}

static void secret_class_init(ObjectClass *klass, const void *data)
{
    UserCreatableClass *ucc =
        (UserCreatableClass *)object_class_dynamic_cast(klass, TYPE_USER_CREATABLE);

    ucc->complete = secret_complete;
}

static const EnumInfo secret_format_enum = {
    "SecretFormat", (const char *const[]){"raw", "base64", NULL}
};

static const Property secret_properties[] = {
    DEFINE_PROP_STRING("data", Secret, data, NULL, "the secret itself"),
    DEFINE_PROP_STRING("file", Secret, file, NULL, "a file that holds it"),
    DEFINE_PROP_ENUM("format", Secret, format, &secret_format_enum, SECRET_RAW,
                     "how it is written"),
    DEFINE_PROP_END,
};

static const TypeInfo secret_types[] = {
    {.name = TYPE_SECRET,
     .parent = TYPE_OBJECT,
     .instance_size = sizeof(Secret),
     .instance_finalize = secret_finalize,
     .class_init = secret_class_init,
     .interfaces = (const InterfaceInfo[]){{TYPE_USER_CREATABLE}, {NULL}},
     .properties = secret_properties,
     .doc = "a password or key"},
};
DEFINE_TYPES(secret_types)
