/* SPDX-License-Identifier: MIT
 *
 * ACPI Specification 6.5, 5.2.6 (table header).
 */
#include "hw/acpi/acpitable.h"
#include <string.h>

#define HEADER_SIZE 36u
#define TABLE_MAX   (1u << 20)
#define CHECKSUM    9u

static bool table_error(GError **error, const char *what, const char *text)
{
    g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE, "-acpitable: %s '%s'", what, text);
    return false;
}

static bool append_file(GByteArray *table, const char *path, GError **error)
{
    g_autofree char *data = NULL;
    gsize len;

    if (!g_file_get_contents(path, &data, &len, error)) {
        g_prefix_error(error, "-acpitable: ");
        return false;
    }
    if (len > TABLE_MAX - table->len) {
        return table_error(error, "larger than 1 MiB:", path);
    }
    g_byte_array_append(table, (uint8_t *)data, (guint)len);
    return true;
}

static bool append_files(GByteArray *table, const char *paths, GError **error)
{
    g_auto(GStrv) list = g_strsplit(paths, ":", -1);

    for (int i = 0; list[i]; i++) {
        if (!append_file(table, list[i], error)) {
            return false;
        }
    }
    return true;
}

typedef struct HeaderField {
    const char *key;
    uint8_t offset, size;
    bool number;
} HeaderField;

static const HeaderField header_fields[] = {
    {"sig",              0,  4, false},
    {"rev",              8,  1, true },
    {"oem_id",           10, 6, false},
    {"oem_table_id",     16, 8, false},
    {"oem_rev",          24, 4, true },
    {"asl_compiler_id",  28, 4, false},
    {"asl_compiler_rev", 32, 4, true },
};

static bool set_field(uint8_t *header, const HeaderField *f, const char *value, GError **error)
{
    guint64 number;

    if (f->number) {
        uint64_t max = f->size == 1 ? UINT8_MAX : UINT32_MAX;
        if (!g_ascii_string_to_unsigned(value, 10, 0, max, &number, NULL)) {
            return table_error(error, "not a number in range:", value);
        }
        number = GUINT64_TO_LE(number);
        memcpy(header + f->offset, &number, f->size);
        return true;
    }
    if (strlen(value) > f->size) {
        return table_error(error, "too long:", value);
    }
    memset(header + f->offset, 0, f->size);
    memcpy(header + f->offset, value, strlen(value));
    return true;
}

static bool apply_part(GByteArray *table, const char *part, GError **error)
{
    const char *equals = strchr(part, '=');

    for (size_t i = 0; equals && i < G_N_ELEMENTS(header_fields); i++) {
        const HeaderField *f = &header_fields[i];
        if (strlen(f->key) == (size_t)(equals - part) && g_str_has_prefix(part, f->key)) {
            return set_field(table->data, f, equals + 1, error);
        }
    }
    return table_error(error, "unknown key in", part);
}

static void finish(GByteArray *table)
{
    uint32_t length = GUINT32_TO_LE(table->len);
    uint8_t sum = 0;

    memcpy(table->data + 4, &length, sizeof(length));
    table->data[CHECKSUM] = 0;
    for (guint i = 0; i < table->len; i++) {
        sum += table->data[i];
    }
    table->data[CHECKSUM] = -sum;
}

/* The contents first: the other keys change its header. */
static bool load_contents(GByteArray *table, GStrv parts, GError **error)
{
    static const uint8_t blank[HEADER_SIZE] = {0};

    for (int i = 0; parts[i]; i++) {
        if (g_str_has_prefix(parts[i], "file=")) {
            return append_files(table, parts[i] + 5, error);
        }
        if (g_str_has_prefix(parts[i], "data=")) {
            g_byte_array_append(table, blank, sizeof(blank));
            return append_files(table, parts[i] + 5, error);
        }
    }
    return table_error(error, "needs file= or data=:", parts[0] ? parts[0] : "");
}

GBytes *acpitable_load(const char *option, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(option, ",", -1);
    g_autoptr(GByteArray) table = g_byte_array_new();

    if (!load_contents(table, parts, error)) {
        return NULL;
    }
    if (table->len < HEADER_SIZE) {
        table_error(error, "shorter than a table's header:", option);
        return NULL;
    }
    for (int i = 0; parts[i]; i++) {
        bool contents = g_str_has_prefix(parts[i], "file=") || g_str_has_prefix(parts[i], "data=");
        if (!contents && !apply_part(table, parts[i], error)) {
            return NULL;
        }
    }
    finish(table);
    return g_byte_array_free_to_bytes(g_steal_pointer(&table));
}
