/* SPDX-License-Identifier: MIT
 *
 * The kinds of field that a property can stand for.
 */
#include "qom/qom-internal.h"

#include <errno.h>
#include <string.h>

#define FIELD(T, obj, prop) ((T *)((char *)(obj) + (prop)->offset))

const EnumInfo on_off_auto_enum = {
    .name = "OnOffAuto",
    .values = (const char *const[]){"auto", "on", "off", NULL},
};

static bool value_error(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool value_error(GError **error, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    g_autofree char *text = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_set_error_literal(error, OBJECT_ERROR, OBJECT_ERROR_VALUE, text);
    return false;
}

/* ---- bool and bits ----------------------------------------------------------------- */

static bool text_to_bool(const char *text, bool *ret)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"on", true},   {"yes", true}, {"true", true},   {"y", true},
                 {"off", false}, {"no", false}, {"false", false}, {"n", false}};

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (!strcmp(text, words[i].word)) {
            *ret = words[i].value;
            return true;
        }
    }
    return false;
}

static GVariant *bool_parse(const Property *prop, const char *text, GError **error)
{
    bool value;

    (void)prop;
    if (!text_to_bool(text, &value)) {
        value_error(error, "'%s' is not 'on' or 'off'", text);
        return NULL;
    }
    return g_variant_new_boolean(value);
}

static bool variant_to_bool(GVariant *v, bool *ret, GError **error)
{
    if (g_variant_is_of_type(v, G_VARIANT_TYPE_BOOLEAN)) {
        *ret = g_variant_get_boolean(v);
        return true;
    }
    if (g_variant_is_of_type(v, G_VARIANT_TYPE_STRING) &&
        text_to_bool(g_variant_get_string(v, NULL), ret)) {
        return true;
    }
    return value_error(error, "takes a bool, not '%s'", g_variant_get_type_string(v));
}

static GVariant *bool_get(Object *obj, const Property *prop)
{
    return g_variant_new_boolean(*FIELD(bool, obj, prop));
}

static bool bool_set(Object *obj, const Property *prop, GVariant *v, GError **error)
{
    return variant_to_bool(v, FIELD(bool, obj, prop), error);
}

static void bool_default(Object *obj, const Property *prop)
{
    *FIELD(bool, obj, prop) = prop->def.u;
}

const PropertyType property_type_bool = {
    .name = "bool",
    .variant = G_VARIANT_TYPE_BOOLEAN,
    .get = bool_get,
    .set = bool_set,
    .parse = bool_parse,
    .set_default = bool_default,
};

#define DEFINE_BIT_TYPE(T, NAME)                                                                   \
    static GVariant *NAME##_get(Object *obj, const Property *prop)                                 \
    {                                                                                              \
        return g_variant_new_boolean(*FIELD(T, obj, prop) >> prop->bit & 1);                       \
    }                                                                                              \
    static void NAME##_put(Object *obj, const Property *prop, bool value)                          \
    {                                                                                              \
        T mask = (T)1 << prop->bit;                                                                \
        T *field = FIELD(T, obj, prop);                                                            \
        *field = value ? *field | mask : *field & ~mask;                                           \
    }                                                                                              \
    static bool NAME##_set(Object *obj, const Property *prop, GVariant *v, GError **error)         \
    {                                                                                              \
        bool value;                                                                                \
        if (!variant_to_bool(v, &value, error)) {                                                  \
            return false;                                                                          \
        }                                                                                          \
        NAME##_put(obj, prop, value);                                                              \
        return true;                                                                               \
    }                                                                                              \
    static void NAME##_default(Object *obj, const Property *prop)                                  \
    {                                                                                              \
        NAME##_put(obj, prop, prop->def.u);                                                        \
    }                                                                                              \
    const PropertyType property_type_##NAME = {                                                    \
        .name = "bool",                                                                            \
        .variant = G_VARIANT_TYPE_BOOLEAN,                                                         \
        .get = NAME##_get,                                                                         \
        .set = NAME##_set,                                                                         \
        .parse = bool_parse,                                                                       \
        .set_default = NAME##_default,                                                             \
    };

DEFINE_BIT_TYPE(uint32_t, bit32)
DEFINE_BIT_TYPE(uint64_t, bit64)

/* ---- integers ----------------------------------------------------------------------- */

/* A whole number of either sign: negative ones have `negative` and the two's complement. */
typedef struct Number {
    bool negative;
    uint64_t bits;
} Number;

static bool text_to_number(const char *text, Number *ret)
{
    const char *digits = text + (*text == '-' || *text == '+');
    char *end;

    if (!g_ascii_isdigit(*digits)) {
        return false;
    }
    errno = 0;
    uint64_t value = g_ascii_strtoull(digits, &end, 0);
    if (errno || *end || (*text == '-' && value > (uint64_t)INT64_MAX + 1)) {
        return false;
    }
    ret->negative = *text == '-' && value;
    ret->bits = *text == '-' ? -value : value;
    return true;
}

static bool variant_to_number(GVariant *v, Number *ret)
{
    int64_t i = 0;
    uint64_t u = 0;

    switch (g_variant_classify(v)) {
    case G_VARIANT_CLASS_BYTE:
        u = g_variant_get_byte(v);
        break;
    case G_VARIANT_CLASS_UINT16:
        u = g_variant_get_uint16(v);
        break;
    case G_VARIANT_CLASS_UINT32:
        u = g_variant_get_uint32(v);
        break;
    case G_VARIANT_CLASS_UINT64:
        u = g_variant_get_uint64(v);
        break;
    case G_VARIANT_CLASS_INT16:
        i = g_variant_get_int16(v);
        break;
    case G_VARIANT_CLASS_INT32:
        i = g_variant_get_int32(v);
        break;
    case G_VARIANT_CLASS_INT64:
        i = g_variant_get_int64(v);
        break;
    case G_VARIANT_CLASS_STRING:
        return text_to_number(g_variant_get_string(v, NULL), ret);
    default:
        return false;
    }
    *ret = (Number){.negative = i < 0, .bits = u | (uint64_t)i};
    return true;
}

static bool number_to_unsigned(const Property *prop, GVariant *v, uint64_t field_max,
                               uint64_t *ret, GError **error)
{
    bool ranged = prop->min || prop->max;
    uint64_t min = prop->min, max = ranged ? prop->max : field_max;
    Number n;

    if (!variant_to_number(v, &n)) {
        g_autofree char *text = g_variant_print(v, FALSE);
        return value_error(error, "%s is not a whole number", text);
    }
    if (n.negative || n.bits < min || n.bits > max) {
        return value_error(error, "%s%" G_GINT64_FORMAT " is out of range: from %" G_GUINT64_FORMAT
                           " to %" G_GUINT64_FORMAT,
                           n.negative ? "" : (int64_t)n.bits < 0 ? "2^63+" : "",
                           n.negative ? (int64_t)n.bits : (int64_t)(n.bits & INT64_MAX), min, max);
    }
    *ret = n.bits;
    return true;
}

static bool number_to_signed(const Property *prop, GVariant *v, int64_t field_min,
                             int64_t field_max, int64_t *ret, GError **error)
{
    bool ranged = prop->min || prop->max;
    int64_t min = ranged ? (int64_t)prop->min : field_min;
    int64_t max = ranged ? (int64_t)prop->max : field_max;
    Number n;

    if (!variant_to_number(v, &n)) {
        g_autofree char *text = g_variant_print(v, FALSE);
        return value_error(error, "%s is not a whole number", text);
    }
    bool too_big = !n.negative && n.bits > INT64_MAX;
    if (too_big || (int64_t)n.bits < min || (int64_t)n.bits > max) {
        return value_error(error, "%" G_GINT64_FORMAT " is out of range: from %" G_GINT64_FORMAT
                           " to %" G_GINT64_FORMAT, (int64_t)n.bits, min, max);
    }
    *ret = (int64_t)n.bits;
    return true;
}

static GVariant *number_parse(const Property *prop, const char *text, GError **error)
{
    Number n;

    (void)prop;
    if (!text_to_number(text, &n)) {
        value_error(error, "'%s' is not a whole number of at most 64 bits", text);
        return NULL;
    }
    return n.negative ? g_variant_new_int64((int64_t)n.bits) : g_variant_new_uint64(n.bits);
}

static GVariant *size_parse(const Property *prop, const char *text, GError **error)
{
    static const char suffixes[] = "BKMGTPE";
    char *end;

    (void)prop;
    errno = 0;
    double value = g_ascii_strtod(text, &end);
    uint64_t whole = g_ascii_isdigit(*text) ? g_ascii_strtoull(text, NULL, 0) : 0;
    bool hex = g_str_has_prefix(text, "0x") || g_str_has_prefix(text, "0X");
    const char *suffix = *end ? strchr(suffixes, g_ascii_toupper(*end)) : suffixes;
    if (end == text || errno || value < 0 || !suffix || (*end && end[1]) || (hex && *end)) {
        value_error(error, "'%s' is not a size: digits and at most one of B, K, M, G, T, P, E",
                    text);
        return NULL;
    }
    double scaled = value * (double)(1ull << 10 * (suffix - suffixes));
    if (scaled >= 18446744073709551616.0) {
        value_error(error, "'%s' is more than 64 bits hold", text);
        return NULL;
    }
    bool fraction = (double)whole != value;
    return g_variant_new_uint64(fraction ? (uint64_t)scaled
                                         : whole << 10 * (suffix - suffixes));
}

/* Read atomically: telemetry is counted on other threads. */
#define DEFINE_UINT_TYPE(T, NAME, SHOWN, MAXIMUM, VT, NEW, PARSE)                                  \
    static GVariant *NAME##_get(Object *obj, const Property *prop)                                 \
    {                                                                                              \
        return NEW(__atomic_load_n(FIELD(T, obj, prop), __ATOMIC_RELAXED));                        \
    }                                                                                              \
    static bool NAME##_set(Object *obj, const Property *prop, GVariant *v, GError **error)         \
    {                                                                                              \
        uint64_t value;                                                                            \
        if (g_variant_is_of_type(v, G_VARIANT_TYPE_STRING)) {                                      \
            g_autoptr(GVariant) parsed = PARSE(prop, g_variant_get_string(v, NULL), error);        \
            if (!parsed || !number_to_unsigned(prop, parsed, MAXIMUM, &value, error)) {            \
                return false;                                                                      \
            }                                                                                      \
        } else if (!number_to_unsigned(prop, v, MAXIMUM, &value, error)) {                         \
            return false;                                                                          \
        }                                                                                          \
        *FIELD(T, obj, prop) = (T)value;                                                           \
        return true;                                                                               \
    }                                                                                              \
    static void NAME##_default(Object *obj, const Property *prop)                                  \
    {                                                                                              \
        *FIELD(T, obj, prop) = (T)prop->def.u;                                                     \
    }                                                                                              \
    const PropertyType property_type_##NAME = {                                                    \
        .name = SHOWN,                                                                             \
        .variant = VT,                                                                             \
        .get = NAME##_get,                                                                         \
        .set = NAME##_set,                                                                         \
        .parse = PARSE,                                                                            \
        .set_default = NAME##_default,                                                             \
    };

DEFINE_UINT_TYPE(uint8_t, uint8, "uint8", UINT8_MAX, G_VARIANT_TYPE_BYTE, g_variant_new_byte,
                 number_parse)
DEFINE_UINT_TYPE(uint16_t, uint16, "uint16", UINT16_MAX, G_VARIANT_TYPE_UINT16,
                 g_variant_new_uint16, number_parse)
DEFINE_UINT_TYPE(uint32_t, uint32, "uint32", UINT32_MAX, G_VARIANT_TYPE_UINT32,
                 g_variant_new_uint32, number_parse)
DEFINE_UINT_TYPE(uint64_t, uint64, "uint64", UINT64_MAX, G_VARIANT_TYPE_UINT64,
                 g_variant_new_uint64, number_parse)
DEFINE_UINT_TYPE(uint64_t, size, "size", UINT64_MAX, G_VARIANT_TYPE_UINT64, g_variant_new_uint64,
                 size_parse)
DEFINE_UINT_TYPE(uint32_t, size32, "size", UINT32_MAX, G_VARIANT_TYPE_UINT32,
                 g_variant_new_uint32, size_parse)

#define DEFINE_INT_TYPE(T, NAME, MINIMUM, MAXIMUM, VT, NEW)                                        \
    static GVariant *NAME##_get(Object *obj, const Property *prop)                                 \
    {                                                                                              \
        return NEW(*FIELD(T, obj, prop));                                                          \
    }                                                                                              \
    static bool NAME##_set(Object *obj, const Property *prop, GVariant *v, GError **error)         \
    {                                                                                              \
        int64_t value;                                                                             \
        if (!number_to_signed(prop, v, MINIMUM, MAXIMUM, &value, error)) {                         \
            return false;                                                                          \
        }                                                                                          \
        *FIELD(T, obj, prop) = (T)value;                                                           \
        return true;                                                                               \
    }                                                                                              \
    static void NAME##_default(Object *obj, const Property *prop)                                  \
    {                                                                                              \
        *FIELD(T, obj, prop) = (T)prop->def.i;                                                     \
    }                                                                                              \
    const PropertyType property_type_##NAME = {                                                    \
        .name = #NAME,                                                                             \
        .variant = VT,                                                                             \
        .get = NAME##_get,                                                                         \
        .set = NAME##_set,                                                                         \
        .parse = number_parse,                                                                     \
        .set_default = NAME##_default,                                                             \
    };

DEFINE_INT_TYPE(int32_t, int32, INT32_MIN, INT32_MAX, G_VARIANT_TYPE_INT32, g_variant_new_int32)
DEFINE_INT_TYPE(int64_t, int64, INT64_MIN, INT64_MAX, G_VARIANT_TYPE_INT64, g_variant_new_int64)

/* ---- strings ------------------------------------------------------------------------- */

static GVariant *string_get(Object *obj, const Property *prop)
{
    const char *s = *FIELD(char *, obj, prop);

    return g_variant_new_string(s ? s : "");
}

static bool string_set(Object *obj, const Property *prop, GVariant *v, GError **error)
{
    char **field = FIELD(char *, obj, prop);

    if (!g_variant_is_of_type(v, G_VARIANT_TYPE_STRING)) {
        return value_error(error, "takes a string, not '%s'", g_variant_get_type_string(v));
    }
    g_free(*field);
    *field = g_variant_dup_string(v, NULL);
    return true;
}

static GVariant *string_parse(const Property *prop, const char *text, GError **error)
{
    (void)prop;
    if (!g_utf8_validate(text, -1, NULL)) {
        value_error(error, "the text is not UTF-8");
        return NULL;
    }
    return g_variant_new_string(text);
}

static void string_default(Object *obj, const Property *prop)
{
    *FIELD(char *, obj, prop) = g_strdup(prop->def.s);
}

static void string_release(Object *obj, const Property *prop)
{
    g_clear_pointer(FIELD(char *, obj, prop), g_free);
}

const PropertyType property_type_string = {
    .name = "str",
    .variant = G_VARIANT_TYPE_STRING,
    .get = string_get,
    .set = string_set,
    .parse = string_parse,
    .set_default = string_default,
    .release = string_release,
};

/* ---- enums ---------------------------------------------------------------------------- */

static GVariant *enum_get(Object *obj, const Property *prop)
{
    return g_variant_new_string(prop->enum_info->values[*FIELD(int, obj, prop)]);
}

static bool enum_set(Object *obj, const Property *prop, GVariant *v, GError **error)
{
    const char *const *values = prop->enum_info->values;
    g_autofree char *all = g_strjoinv("', '", (char **)values);

    /* An on/off/auto property also takes a JSON bool. */
    const char *text = g_variant_is_of_type(v, G_VARIANT_TYPE_STRING) ? g_variant_get_string(v, NULL)
                       : !g_variant_is_of_type(v, G_VARIANT_TYPE_BOOLEAN) ? ""
                       : g_variant_get_boolean(v)                         ? "on"
                                                                          : "off";
    for (int i = 0; values[i]; i++) {
        if (!strcmp(values[i], text)) {
            *FIELD(int, obj, prop) = i;
            return true;
        }
    }
    return value_error(error, "'%s' is not one of '%s'", text, all);
}

static GVariant *enum_parse(const Property *prop, const char *text, GError **error)
{
    return string_parse(prop, text, error);
}

static void enum_default(Object *obj, const Property *prop)
{
    *FIELD(int, obj, prop) = (int)prop->def.i;
}

const PropertyType property_type_enum = {
    .name = "enum",
    .variant = G_VARIANT_TYPE_STRING,
    .get = enum_get,
    .set = enum_set,
    .parse = enum_parse,
    .set_default = enum_default,
};

/* ---- links ----------------------------------------------------------------------------- */

static GVariant *link_get(Object *obj, const Property *prop)
{
    Object *target = *FIELD(Object *, obj, prop);
    g_autofree char *path = target ? object_get_path(target) : NULL;

    return g_variant_new_string(path ? path : "");
}

static Object *link_resolve(Object *obj, const char *path)
{
    static const char *const folders[] = {"objects", "chardevs", "machine/peripheral", "drives"};
    Object *root = object_get_root(obj);

    if (!object_dynamic_cast(root, TYPE_CONTAINER)) {
        return NULL;
    }
    for (size_t i = 0; path[0] != '/' && i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *full = g_strdup_printf("/%s/%s", folders[i], path);
        Object *target = object_resolve_path(root, full, NULL);
        if (target) {
            return target;
        }
    }
    return object_resolve_path(root, path, NULL);
}

static bool link_set(Object *obj, const Property *prop, GVariant *v, GError **error)
{
    Object **field = FIELD(Object *, obj, prop);

    if (!g_variant_is_of_type(v, G_VARIANT_TYPE_STRING)) {
        return value_error(error, "takes the id or path of a '%s'", prop->link_type);
    }
    const char *path = g_variant_get_string(v, NULL);
    Object *target = *path ? link_resolve(obj, path) : NULL;
    if (*path && !target) {
        return value_error(error, "nothing is called '%s' (a '%s' is wanted)", path,
                           prop->link_type);
    }
    if (target && !object_dynamic_cast(target, prop->link_type)) {
        return value_error(error, "'%s' is a '%s', not a '%s'", path, object_get_typename(target),
                           prop->link_type);
    }
    Object *old = *field;
    *field = object_ref(target);
    object_unref(old);
    return true;
}

static void link_release(Object *obj, const Property *prop)
{
    g_clear_pointer(FIELD(Object *, obj, prop), object_unref);
}

const PropertyType property_type_link = {
    .name = "link",
    .variant = G_VARIANT_TYPE_STRING,
    .get = link_get,
    .set = link_set,
    .parse = string_parse,
    .release = link_release,
};

/* ---- MAC addresses ----------------------------------------------------------------------- */

static GVariant *macaddr_get(Object *obj, const Property *prop)
{
    const uint8_t *m = FIELD(uint8_t, obj, prop);

    return g_variant_new_printf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
                                m[5]);
}

static bool macaddr_set(Object *obj, const Property *prop, GVariant *v, GError **error)
{
    const char *s = g_variant_is_of_type(v, G_VARIANT_TYPE_STRING) ? g_variant_get_string(v, NULL)
                                                                  : "";
    uint8_t mac[6];

    for (int i = 0; i < 6; i++, s += 3) {
        int high = g_ascii_xdigit_value(s[0]), low = high < 0 ? -1 : g_ascii_xdigit_value(s[1]);
        bool separated = low >= 0 && (i == 5 ? !s[2] : s[2] == ':' || s[2] == '-');
        if (!separated) {
            return value_error(error, "takes six bytes such as 52:54:00:12:34:56");
        }
        mac[i] = (uint8_t)(high << 4 | low);
    }
    memcpy(FIELD(uint8_t, obj, prop), mac, sizeof(mac));
    return true;
}

const PropertyType property_type_macaddr = {
    .name = "macaddr",
    .variant = G_VARIANT_TYPE_STRING,
    .get = macaddr_get,
    .set = macaddr_set,
    .parse = string_parse,
};

/* ---- custom ------------------------------------------------------------------------------ */

static GVariant *custom_get(Object *obj, const Property *prop)
{
    return prop->get ? prop->get(obj, prop) : NULL;
}

static bool custom_set(Object *obj, const Property *prop, GVariant *v, GError **error)
{
    return prop->set(obj, prop, v, error);
}

static GVariant *custom_parse(const Property *prop, const char *text, GError **error)
{
    if (!strcmp(prop->custom_type, "s")) {
        return string_parse(prop, text, error);
    }
    if (!strcmp(prop->custom_type, "b")) {
        return bool_parse(prop, text, error);
    }
    if (strchr("ynqiuxt", prop->custom_type[0])) {
        return number_parse(prop, text, error);
    }
    return g_variant_parse(G_VARIANT_TYPE(prop->custom_type), text, NULL, NULL, error);
}

const PropertyType property_type_custom = {
    .name = "custom",
    .get = custom_get,
    .set = custom_set,
    .parse = custom_parse,
};
