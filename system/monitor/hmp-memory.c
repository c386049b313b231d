/* SPDX-License-Identifier: MIT
 *
 * Commands for people who look into memory and ports: xp, i, o, sum, pmemsave.
 */
#include <stdio.h>
#include <string.h>
#include "system/monitor/monitor-internal.h"
#include "system/options.h"

#define DUMP_MAX 65536 /* bytes of one xp */

/* "/COUNT FORMAT SIZE": "/4xw", in any order. */
typedef struct DumpFormat {
    uint64_t count;
    char format; /* x hexadecimal, d signed, u unsigned, o octal, c character */
    unsigned size;
} DumpFormat;

static bool parse_letter(DumpFormat *f, char c)
{
    static const char sizes[] = "bhwg";

    if (c && strchr("xduoc", c)) {
        f->format = c;
    } else if (c && strchr(sizes, c)) {
        f->size = 1U << (strchr(sizes, c) - sizes);
    } else {
        return false;
    }
    return true;
}

/* Takes "/..." off *rest, if it begins so. */
static bool parse_format(const char **rest, DumpFormat *f, GString *out)
{
    const char *p = *rest;

    if (*p != '/') {
        return true;
    }
    if (g_ascii_isdigit(*++p)) {
        char *end;

        f->count = g_ascii_strtoull(p, &end, 10);
        p = end;
    }
    for (; *p && *p != ' '; p++) {
        if (!parse_letter(f, *p)) {
            g_string_append_printf(out, "invalid char in format: '%c'\n", *p);
            return false;
        }
    }
    if (f->format == 'c') {
        f->size = 1;
    }
    *rest = p + strspn(p, " ");
    return true;
}

static int64_t sign_extend(uint64_t value, unsigned size)
{
    unsigned shift = 64 - 8 * size;

    return (int64_t)(value << shift) >> shift;
}

static void append_value(GString *out, const DumpFormat *f, uint64_t value)
{
    /* The widest value of the size, in octal and decimal digits. */
    static const int octal[] = {[1] = 3, [2] = 6, [4] = 11, [8] = 22};
    static const int decimal[] = {[1] = 3, [2] = 5, [4] = 10, [8] = 20};

    switch (f->format) {
    case 'c':
        g_string_append_printf(out, g_ascii_isprint((char)value) ? " '%c'" : " '\\x%02x'",
                               (unsigned)value);
        break;
    case 'd':
        g_string_append_printf(out, " %*" G_GINT64_FORMAT, decimal[f->size] + 1,
                               sign_extend(value, f->size));
        break;
    case 'u':
        g_string_append_printf(out, " %*" G_GUINT64_FORMAT, decimal[f->size], value);
        break;
    case 'o':
        g_string_append_printf(out, " 0%0*" G_GINT64_MODIFIER "o", octal[f->size], value);
        break;
    default:
        g_string_append_printf(out, " 0x%0*" G_GINT64_MODIFIER "x", 2 * (int)f->size, value);
    }
}

/* xp [/FORMAT] ADDRESS [BYTES] */
void hmp_dump_physical(MachineState *machine, const char *rest, GString *out)
{
    DumpFormat f = {1, 'x', 4};
    bool formatted = *rest == '/';
    uint64_t addr, len = 16;
    g_auto(GStrv) words = NULL;

    if (!parse_format(&rest, &f, out)) {
        return;
    }
    words = g_strsplit(rest, " ", 2);
    if (!words[0] || !parse_uint(words[0], &addr) || (words[1] && !parse_uint(words[1], &len))) {
        g_string_append(out, "Error: expected [/FORMAT] ADDRESS [BYTES]\n");
        return;
    }
    if (!formatted) {
        f = (DumpFormat){len, 'x', 1};
    }
    for (uint64_t i = 0; i < MIN(f.count, DUMP_MAX / f.size); i++, addr += f.size) {
        uint8_t bytes[8] = {0};
        uint64_t value = 0;

        if (i * f.size % 16 == 0) {
            g_string_append_printf(out, "%s%016" G_GINT64_MODIFIER "x:", i ? "\n" : "", addr);
        }
        address_space_read(&machine->address_space_memory, addr, MEMTXATTRS_NONE, bytes, f.size);
        for (unsigned n = f.size; n-- > 0;) {
            value = value << 8 | bytes[n];
        }
        append_value(out, &f, value);
    }
    g_string_append_c(out, '\n');
}

/* i [/FORMAT] PORT */
void hmp_port_read(MachineState *machine, const char *rest, GString *out)
{
    static const char letters[] = {[1] = 'b', [2] = 'w', [4] = 'l'};
    DumpFormat f = {1, 'x', 4};
    uint64_t port, value = 0;

    if (!parse_format(&rest, &f, out)) {
        return;
    }
    if (!parse_uint(rest, &port) || port > 0xffff || f.size > 4) {
        g_string_append(out, "Error: expected [/b|/h|/w] PORT\n");
        return;
    }
    address_space_load(&machine->address_space_io, port, &value, f.size, MEMTXATTRS_NONE);
    g_string_append_printf(out, "port%c[0x%04x] = 0x%0*" G_GINT64_MODIFIER "x\n", letters[f.size],
                           (unsigned)port, 2 * (int)f.size, value);
}

/* o [/FORMAT] PORT VALUE */
void hmp_port_write(MachineState *machine, const char *rest, GString *out)
{
    DumpFormat f = {1, 'x', 4};
    g_auto(GStrv) words = NULL;
    uint64_t port, value;

    if (!parse_format(&rest, &f, out)) {
        return;
    }
    words = g_strsplit(rest, " ", 2);
    if (!words[0] || !words[1] || !parse_uint(words[0], &port) || !parse_uint(words[1], &value) ||
        port > 0xffff || f.size > 4) {
        g_string_append(out, "Error: expected [/b|/h|/w] PORT VALUE\n");
        return;
    }
    address_space_store(&machine->address_space_io, port, value, f.size, MEMTXATTRS_NONE);
}

/* Two numbers, and with `ret_file` what is left, without quotes. */
static bool parse_range(const char *rest, uint64_t *ret_addr, uint64_t *ret_len, char **ret_file)
{
    g_auto(GStrv) words = g_strsplit(rest, " ", 3);

    if (g_strv_length(words) != (ret_file ? 3 : 2) || !parse_uint(words[0], ret_addr) ||
        !parse_uint(words[1], ret_len)) {
        return false;
    }
    if (ret_file) {
        size_t len = strlen(words[2]);
        bool quoted = len > 2 && words[2][0] == '"' && words[2][len - 1] == '"';

        *ret_file = quoted ? g_strndup(words[2] + 1, len - 2) : g_strdup(words[2]);
    }
    return true;
}

/* sum ADDRESS BYTES: rotated and added, as BSD's sum does, of at most 64 KiB. */
void hmp_sum(MachineState *machine, const char *rest, GString *out)
{
    uint64_t addr, len;
    uint16_t sum = 0;

    if (!parse_range(rest, &addr, &len, NULL) || len > DUMP_MAX) {
        g_string_append_printf(out, "Error: expected ADDRESS BYTES, at most %d\n", DUMP_MAX);
        return;
    }
    for (uint64_t i = 0; i < len; i++) {
        uint8_t byte = 0;

        address_space_read(&machine->address_space_memory, addr + i, MEMTXATTRS_NONE, &byte, 1);
        sum = (uint16_t)((sum >> 1 | sum << 15) + byte);
    }
    g_string_append_printf(out, "%05d\n", sum);
}

bool memory_save(MachineState *machine, uint64_t addr, uint64_t len, const char *path,
                 GError **error)
{
    FILE *file = fopen(path, "wb");
    bool ok = file != NULL;

    while (ok && len) {
        uint8_t bytes[4096];
        size_t n = MIN(len, sizeof(bytes));

        if (address_space_read(&machine->address_space_memory, addr, MEMTXATTRS_NONE, bytes, n)) {
            fclose(file);
            g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_ARGUMENT,
                        "nothing answers at 0x%" G_GINT64_MODIFIER "x", addr);
            return false;
        }
        ok = fwrite(bytes, 1, n, file) == n;
        addr += n;
        len -= n;
    }
    ok = (!file || fclose(file) == 0) && ok;
    if (!ok) {
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_ARGUMENT, "could not write '%s'", path);
    }
    return ok;
}

/* pmemsave ADDRESS BYTES FILE */
void hmp_pmemsave(MachineState *machine, const char *rest, GString *out)
{
    g_autofree char *file = NULL;
    g_autoptr(GError) error = NULL;
    uint64_t addr, len;

    if (!parse_range(rest, &addr, &len, &file)) {
        g_string_append(out, "Error: expected ADDRESS BYTES FILE\n");
    } else if (!memory_save(machine, addr, len, file, &error)) {
        g_string_append_printf(out, "Error: %s\n", error->message);
    }
}
