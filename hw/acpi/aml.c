/* SPDX-License-Identifier: MIT
 *
 * ACPI Specification 6.5, chapter 20 (encoding) and 6.4 (resource descriptors).
 */
#include "hw/acpi/aml.h"
#include <string.h>

#define AML_EXT            0x5b
#define AML_LARGEST_PKGLEN 0x0fffffffu

typedef enum AmlBlockKind { AML_BLOCK_PLAIN, AML_BLOCK_RESOURCES } AmlBlockKind;

typedef struct AmlBlock {
    guint start; /* where PkgLength goes */
    AmlBlockKind kind;
} AmlBlock;

struct Aml {
    GByteArray *out;
    GArray *blocks; /* open ones */
};

Aml *aml_new(void)
{
    Aml *a = g_new0(Aml, 1);

    a->out = g_byte_array_new();
    a->blocks = g_array_new(FALSE, FALSE, sizeof(AmlBlock));
    return a;
}

GByteArray *aml_free(Aml *a)
{
    GByteArray *out = a->out;

    g_assert(a->blocks->len == 0);
    g_array_unref(a->blocks);
    g_free(a);
    return out;
}

static void put(Aml *a, const void *data, size_t len)
{
    g_byte_array_append(a->out, data, (guint)len);
}

static void put8(Aml *a, uint8_t value)
{
    put(a, &value, 1);
}

static void put_le(Aml *a, uint64_t value, unsigned bytes)
{
    value = GUINT64_TO_LE(value);
    put(a, &value, bytes);
}

static void put_op(Aml *a, uint8_t op)
{
    put8(a, op);
}

static void put_ext_op(Aml *a, uint8_t op)
{
    put8(a, AML_EXT);
    put8(a, op);
}

/* ---- blocks ------------------------------------------------------------------ */

static void begin(Aml *a, AmlBlockKind kind)
{
    AmlBlock block = {a->out->len, kind};

    g_array_append_val(a->blocks, block);
}

static void insert(Aml *a, guint at, const uint8_t *data, guint len)
{
    guint old = a->out->len;

    g_byte_array_set_size(a->out, old + len);
    memmove(a->out->data + at + len, a->out->data + at, old - at);
    memcpy(a->out->data + at, data, len);
}

/* 20.2.4: the length counts its own bytes; 1 byte has 6 bits of it, n have 4 + 8 (n - 1). */
static void insert_package_length(Aml *a, guint at)
{
    guint content = a->out->len - at;
    guint bytes = content + 1 < 0x40       ? 1
                  : content + 2 < 0x1000   ? 2
                  : content + 3 < 0x100000 ? 3
                                           : 4;
    guint length = content + bytes;
    uint8_t code[4];

    g_assert(length <= AML_LARGEST_PKGLEN);
    code[0] = bytes == 1 ? length : (bytes - 1) << 6 | (length & 0xf);
    for (guint i = 1; i < bytes; i++) {
        code[i] = length >> (4 + 8 * (i - 1));
    }
    insert(a, at, code, bytes);
}

/* An integer's encoding; returns its length. */
static guint encode_int(uint8_t out[9], uint64_t value)
{
    static const struct {
        uint8_t op, bytes;
    } forms[] = {
        {0x0a, 1},
        {0x0b, 2},
        {0x0c, 4},
        {0x0e, 8}
    };
    guint i = value <= UINT8_MAX ? 0 : value <= UINT16_MAX ? 1 : value <= UINT32_MAX ? 2 : 3;

    if (value <= 1) {
        out[0] = (uint8_t)value; /* ZeroOp, OneOp */
        return 1;
    }
    out[0] = forms[i].op;
    value = GUINT64_TO_LE(value);
    memcpy(out + 1, &value, forms[i].bytes);
    return 1u + forms[i].bytes;
}

void aml_end(Aml *a)
{
    g_assert(a->blocks->len);
    AmlBlock block = g_array_index(a->blocks, AmlBlock, a->blocks->len - 1);

    g_array_set_size(a->blocks, a->blocks->len - 1);
    if (block.kind == AML_BLOCK_RESOURCES) {
        uint8_t size[9];
        put(a, "\x79", 2); /* end tag; checksum 0: none */
        guint len = encode_int(size, a->out->len - block.start);
        insert(a, block.start, size, len);
    }
    insert_package_length(a, block.start);
}

/* ---- names (20.2.2) ------------------------------------------------------------- */

static void put_segment(Aml *a, const char *segment, size_t len)
{
    g_assert(len >= 1 && len <= 4);
    put(a, segment, len);
    put(a, "____", 4 - len);
}

void aml_name_string(Aml *a, const char *name)
{
    g_auto(GStrv) segments = NULL;

    while (*name == '\\' || *name == '^') {
        put8(a, (uint8_t)*name++);
    }
    if (!*name) {
        put8(a, 0); /* NullName */
        return;
    }
    segments = g_strsplit(name, ".", -1);
    guint n = g_strv_length(segments);
    if (n == 2) {
        put8(a, 0x2e);
    } else if (n > 2) {
        put8(a, 0x2f);
        put8(a, (uint8_t)n);
    }
    for (guint i = 0; i < n; i++) {
        put_segment(a, segments[i], strlen(segments[i]));
    }
}

void aml_ref(Aml *a, const char *path)
{
    aml_name_string(a, path);
}

/* ---- data --------------------------------------------------------------------------- */

void aml_int(Aml *a, uint64_t value)
{
    uint8_t code[9];

    put(a, code, encode_int(code, value));
}

void aml_string(Aml *a, const char *text)
{
    put_op(a, 0x0d);
    put(a, text, strlen(text) + 1);
}

/* Three letters of five bits, four digits of four, big-endian (6.1.5). */
void aml_eisaid(Aml *a, const char *id)
{
    uint32_t value = (uint32_t)(id[0] - 0x40) << 26 | (uint32_t)(id[1] - 0x40) << 21 |
                     (uint32_t)(id[2] - 0x40) << 16;

    g_assert(strlen(id) == 7);
    for (int i = 0; i < 4; i++) {
        value |= (uint32_t)g_ascii_xdigit_value(id[3 + i]) << (12 - 4 * i);
    }
    put_op(a, 0x0c);
    put_le(a, GUINT32_SWAP_LE_BE(value), 4);
}

void aml_bytes(Aml *a, const void *data, size_t len)
{
    put_op(a, 0x11);
    begin(a, AML_BLOCK_PLAIN);
    aml_int(a, len);
    put(a, data, len);
    aml_end(a);
}

void aml_arg(Aml *a, unsigned n)
{
    put_op(a, 0x68 + n);
}

void aml_local(Aml *a, unsigned n)
{
    put_op(a, 0x60 + n);
}

void aml_nothing(Aml *a)
{
    put8(a, 0);
}

/* ---- named objects ---------------------------------------------------------------------- */

void aml_scope(Aml *a, const char *path)
{
    put_op(a, 0x10);
    begin(a, AML_BLOCK_PLAIN);
    aml_name_string(a, path);
}

void aml_device(Aml *a, const char *name)
{
    put_ext_op(a, 0x82);
    begin(a, AML_BLOCK_PLAIN);
    aml_name_string(a, name);
}

void aml_method(Aml *a, const char *name, unsigned args, bool serialized)
{
    put_op(a, 0x14);
    begin(a, AML_BLOCK_PLAIN);
    aml_name_string(a, name);
    put8(a, (uint8_t)(args | serialized << 3));
}

/* No P_BLK: power states come from _CST or not at all. */
void aml_processor(Aml *a, const char *name, uint8_t id)
{
    put_ext_op(a, 0x83);
    begin(a, AML_BLOCK_PLAIN);
    aml_name_string(a, name);
    put8(a, id);
    put_le(a, 0, 4);
    put8(a, 0);
}

void aml_name(Aml *a, const char *name)
{
    put_op(a, 0x08);
    aml_name_string(a, name);
}

void aml_mutex(Aml *a, const char *name)
{
    put_ext_op(a, 0x01);
    aml_name_string(a, name);
    put8(a, 0); /* sync level */
}

void aml_operation_region(Aml *a, const char *name, AmlSpace space, uint64_t offset, uint64_t len)
{
    put_ext_op(a, 0x80);
    aml_name_string(a, name);
    put8(a, space);
    aml_int(a, offset);
    aml_int(a, len);
}

void aml_field(Aml *a, const char *region, AmlAccess access, AmlUpdate update)
{
    put_ext_op(a, 0x81);
    begin(a, AML_BLOCK_PLAIN);
    aml_name_string(a, region);
    put8(a, (uint8_t)(access | update));
}

/* The width is written like a PkgLength, which here does not count itself. */
void aml_field_unit(Aml *a, const char *name, unsigned bits)
{
    g_assert(bits < 0x1000);
    if (name) {
        put_segment(a, name, strlen(name));
    } else {
        put8(a, 0);
    }
    if (bits < 0x40) {
        put8(a, (uint8_t)bits);
    } else {
        put8(a, 1 << 6 | (bits & 0xf));
        put8(a, (uint8_t)(bits >> 4));
    }
}

/* ---- statements and operators -------------------------------------------------------------- */

void aml_if(Aml *a)
{
    put_op(a, 0xa0);
    begin(a, AML_BLOCK_PLAIN);
}

void aml_else(Aml *a)
{
    put_op(a, 0xa1);
    begin(a, AML_BLOCK_PLAIN);
}

void aml_while(Aml *a)
{
    put_op(a, 0xa2);
    begin(a, AML_BLOCK_PLAIN);
}

void aml_package(Aml *a, uint8_t elements)
{
    put_op(a, 0x12);
    begin(a, AML_BLOCK_PLAIN);
    put8(a, elements);
}

void aml_return(Aml *a)
{
    put_op(a, 0xa4);
}

void aml_call(Aml *a, const char *method)
{
    aml_name_string(a, method);
}

void aml_store(Aml *a)
{
    put_op(a, 0x70);
}

void aml_and(Aml *a)
{
    put_op(a, 0x7b);
}

void aml_or(Aml *a)
{
    put_op(a, 0x7d);
}

void aml_add(Aml *a)
{
    put_op(a, 0x72);
}

void aml_index(Aml *a)
{
    put_op(a, 0x88);
}

void aml_shift_left(Aml *a)
{
    put_op(a, 0x79);
}

void aml_shift_right(Aml *a)
{
    put_op(a, 0x7a);
}

void aml_equal(Aml *a)
{
    put_op(a, 0x93);
}

void aml_less(Aml *a)
{
    put_op(a, 0x95);
}

void aml_lor(Aml *a)
{
    put_op(a, 0x91);
}

void aml_notify(Aml *a)
{
    put_op(a, 0x86);
}

void aml_acquire(Aml *a, const char *mutex)
{
    put_ext_op(a, 0x23);
    aml_name_string(a, mutex);
    put_le(a, 0xffff, 2); /* wait for ever */
}

void aml_release(Aml *a, const char *mutex)
{
    put_ext_op(a, 0x27);
    aml_name_string(a, mutex);
}

void aml_create_dword_field(Aml *a)
{
    put_op(a, 0x8a);
}

/* ---- resources ------------------------------------------------------------------------------ */

void aml_resources(Aml *a)
{
    put_op(a, 0x11);
    begin(a, AML_BLOCK_RESOURCES);
}

void aml_res_io(Aml *a, uint16_t base, uint8_t align, uint8_t len)
{
    put8(a, 0x47);
    put8(a, 1); /* decodes 16 bits */
    put_le(a, base, 2);
    put_le(a, base, 2);
    put8(a, align);
    put8(a, len);
}

void aml_res_irq(Aml *a, uint8_t irq)
{
    put8(a, 0x22);
    put_le(a, 1u << irq, 2);
}

void aml_res_dma(Aml *a, uint8_t channel)
{
    put8(a, 0x2a);
    put8(a, (uint8_t)(1u << channel));
    put8(a, 0x00);
}

void aml_res_interrupt(Aml *a, const uint32_t *irqs, uint8_t n)
{
    put8(a, 0x89);
    put_le(a, 2 + 4 * n, 2);
    put8(a, 0x09); /* consumer, shared */
    put8(a, n);
    for (unsigned i = 0; i < n; i++) {
        put_le(a, irqs[i], 4);
    }
}

void aml_res_memory32(Aml *a, uint32_t base, uint32_t len, bool writable)
{
    put8(a, 0x86);
    put_le(a, 9, 2);
    put8(a, writable);
    put_le(a, base, 4);
    put_le(a, len, 4);
}

/* Word, dword and qword address spaces: fixed at both ends, produced (6.4.3.5). */
static void put_window(Aml *a, uint8_t tag, unsigned bytes, uint8_t type, uint8_t flags,
                       uint64_t min, uint64_t max)
{
    put8(a, tag);
    put_le(a, 3 + 5 * bytes, 2);
    put8(a, type);
    put8(a, 0x0c);
    put8(a, flags);
    put_le(a, 0, bytes); /* granularity */
    put_le(a, min, bytes);
    put_le(a, max, bytes);
    put_le(a, 0, bytes); /* translation */
    put_le(a, max - min + 1, bytes);
}

void aml_res_bus_numbers(Aml *a, uint16_t min, uint16_t max)
{
    put_window(a, 0x88, 2, 2, 0, min, max);
}

void aml_res_io_window(Aml *a, uint16_t min, uint16_t max)
{
    put_window(a, 0x88, 2, 1, 3, min, max);
}

void aml_res_memory_window32(Aml *a, uint32_t min, uint32_t max, bool cacheable)
{
    put_window(a, 0x87, 4, 0, cacheable ? 3 : 1, min, max);
}

void aml_res_memory_window64(Aml *a, uint64_t min, uint64_t max, bool cacheable)
{
    put_window(a, 0x8a, 8, 0, cacheable ? 3 : 1, min, max);
}
