/* SPDX-License-Identifier: MIT
 *
 * Properties in words, for help and the reference.
 */
#include <string.h>
#include "qom/object.h"

static const char *custom_type_name(const char *type)
{
    static const struct {
        char code;
        const char *name;
    } names[] = {{'s', "str"},    {'b', "bool"},   {'y', "uint8"}, {'q', "uint16"},
                 {'u', "uint32"}, {'t', "uint64"}, {'i', "int32"}, {'x', "int64"}};

    for (size_t i = 0; i < G_N_ELEMENTS(names) && !type[1]; i++) {
        if (names[i].code == type[0]) {
            return names[i].name;
        }
    }
    if (!strcmp(type, "as")) {
        return "strList";
    }
    return type;
}

char *property_type_name(const Property *prop)
{
    if (prop->link_type) {
        return g_strdup_printf("link<%s>", prop->link_type);
    }
    if (prop->type == &property_type_enum) {
        return g_strdup(prop->enum_info->name);
    }
    if (prop->type == &property_type_custom) {
        return g_strdup(custom_type_name(prop->custom_type));
    }
    return g_strdup(prop->type->name);
}

static char *size_text(uint64_t bytes)
{
    static const char suffixes[] = "KMGTPE";
    int n = -1;

    while (bytes && !(bytes & 1023) && n < 5) {
        bytes >>= 10;
        n++;
    }
    return n < 0 ? g_strdup_printf("%" G_GUINT64_FORMAT, bytes)
                 : g_strdup_printf("%" G_GUINT64_FORMAT "%c", bytes, suffixes[n]);
}

static bool property_is_signed(const Property *prop)
{
    return !strcmp(prop->type->name, "int32") || !strcmp(prop->type->name, "int64");
}

static bool property_is_size(const Property *prop)
{
    return prop->type == &property_type_size || prop->type == &property_type_size32;
}

static char *number_text(const Property *prop, uint64_t value)
{
    if (property_is_size(prop)) {
        return size_text(value);
    }
    return property_is_signed(prop) ? g_strdup_printf("%" G_GINT64_FORMAT, (int64_t)value)
           : value > 0xffffffff     ? g_strdup_printf("0x%" G_GINT64_MODIFIER "x", value)
                                    : g_strdup_printf("%" G_GUINT64_FORMAT, value);
}

char *property_default_text(const Property *prop)
{
    if (!prop->type->set_default) {
        return NULL;
    }
    if (prop->type == &property_type_enum) {
        return g_strdup(prop->enum_info->values[prop->def.i]);
    }
    if (prop->type == &property_type_string) {
        return prop->def.s ? g_strdup_printf("\"%s\"", prop->def.s) : NULL;
    }
    if (g_variant_type_equal(prop->type->variant, G_VARIANT_TYPE_BOOLEAN)) {
        return g_strdup(prop->def.u ? "on" : "off");
    }
    return number_text(prop, prop->def.u);
}

char *property_range_text(const Property *prop)
{
    if (prop->type == &property_type_enum) {
        return g_strjoinv(", ", (char **)prop->enum_info->values);
    }
    if (!prop->min && !prop->max) {
        return NULL;
    }
    g_autofree char *min = number_text(prop, prop->min), *max = number_text(prop, prop->max);
    return g_strdup_printf("%s to %s", min, max);
}

const char *property_kind_name(const Property *prop)
{
    static const char *const names[] = {"config", "runtime", "telemetry", "internal"};

    return names[prop->kind];
}
