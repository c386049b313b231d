/* SPDX-License-Identifier: MIT
 *
 * ACPI Specification 6.5: 5.2.5 (RSDP), 5.2.6 (table header), 5.2.7 (RSDT).  The commands for
 * firmware are those that SeaBIOS and OVMF carry out (SeaBIOS, src/fw/romfile_loader.h).
 */
#include "hw/acpi/tables.h"
#include <string.h>

#define HEADER_SIZE     36u
#define HEADER_LENGTH   4u
#define HEADER_CHECKSUM 9u
#define HEADER_TABLE_ID 16u
#define RSDP_CHECKSUM   8u
#define RSDP_RSDT       16u
#define OEM_ID          "QUOIN "
#define OEM_TABLE_ID    "QUOINPC "

typedef struct AcpiPointer {
    uint32_t offset;
    uint8_t bytes;
    int blob; /* what it points into; -1: the tables */
} AcpiPointer;

typedef struct AcpiBlob {
    char *file, *address_file;
    GBytes *data;
    uint32_t align;
    uint32_t offset; /* in the tables' data, once it is there */
} AcpiBlob;

static void blob_free(gpointer data)
{
    AcpiBlob *blob = data;

    g_free(blob->file);
    g_free(blob->address_file);
    g_bytes_unref(blob->data);
    g_free(blob);
}

typedef struct AcpiChecksum {
    uint32_t offset, start, length;
} AcpiChecksum;

static void pad_text(char *field, size_t size, const char *text)
{
    memset(field, ' ', size);
    memcpy(field, text, MIN(strlen(text), size));
}

void acpi_tables_set_oem(AcpiTables *t, const char *id, const char *table_id)
{
    if (id) {
        pad_text(t->oem_id, sizeof(t->oem_id), id);
    }
    if (table_id) {
        pad_text(t->oem_table_id, sizeof(t->oem_table_id), table_id);
    }
}

AcpiTables *acpi_tables_new(void)
{
    AcpiTables *t = g_new0(AcpiTables, 1);

    acpi_tables_set_oem(t, OEM_ID, OEM_TABLE_ID);
    t->data = g_byte_array_new();
    t->pointers = g_array_new(FALSE, FALSE, sizeof(AcpiPointer));
    t->blobs = g_ptr_array_new_with_free_func(blob_free);
    t->checksums = g_array_new(FALSE, FALSE, sizeof(AcpiChecksum));
    return t;
}

void acpi_tables_free(AcpiTables *t)
{
    if (t) {
        g_byte_array_unref(t->data);
        g_array_unref(t->pointers);
        g_array_unref(t->checksums);
        g_ptr_array_unref(t->blobs);
        g_free(t);
    }
}

void acpi_put_bytes(AcpiTables *t, const void *data, size_t len)
{
    g_byte_array_append(t->data, data, (guint)len);
}

void acpi_put(AcpiTables *t, uint64_t value, unsigned bytes)
{
    value = GUINT64_TO_LE(value);
    acpi_put_bytes(t, &value, bytes);
}

void acpi_put_pointer(AcpiTables *t, uint32_t target, unsigned bytes)
{
    AcpiPointer p = {t->data->len, (uint8_t)bytes, -1};

    g_array_append_val(t->pointers, p);
    acpi_put(t, target, bytes);
}

unsigned acpi_add_blob(AcpiTables *t, const char *file, const char *address_file, GBytes *data,
                       uint32_t align)
{
    AcpiBlob *blob = g_new0(AcpiBlob, 1);

    *blob = (AcpiBlob){g_strdup(file), g_strdup(address_file), g_bytes_ref(data), align};
    g_ptr_array_add(t->blobs, blob);
    return t->blobs->len - 1;
}

void acpi_put_blob_pointer(AcpiTables *t, unsigned blob, unsigned bytes)
{
    AcpiPointer p = {t->data->len, (uint8_t)bytes, (int)blob};

    g_array_append_val(t->pointers, p);
    acpi_put(t, 0, bytes);
}

void acpi_put_gas(AcpiTables *t, uint8_t space, uint8_t bits, uint8_t access, uint64_t address)
{
    acpi_put(t, space, 1);
    acpi_put(t, bits, 1);
    acpi_put(t, 0, 1);
    acpi_put(t, access, 1);
    acpi_put(t, address, 8);
}

void acpi_align(AcpiTables *t, unsigned bytes)
{
    while (t->data->len % bytes) {
        acpi_put(t, 0, 1);
    }
}

uint32_t acpi_table_begin(AcpiTables *t, const char *signature, uint8_t revision)
{
    acpi_align(t, 8);
    uint32_t table = t->data->len;

    acpi_put_bytes(t, signature, 4);
    acpi_put(t, 0, 4); /* length */
    acpi_put(t, revision, 1);
    acpi_put(t, 0, 1); /* checksum */
    acpi_put_bytes(t, t->oem_id, sizeof(t->oem_id));
    acpi_put_bytes(t, t->oem_table_id, sizeof(t->oem_table_id));
    acpi_put(t, 1, 4);
    acpi_put_bytes(t, "QUOI", 4);
    acpi_put(t, 1, 4);
    return table;
}

void acpi_table_set_id(AcpiTables *t, uint32_t table, const char *id)
{
    uint8_t *field = t->data->data + table + HEADER_TABLE_ID;

    memset(field, 0, 8);
    memcpy(field, id, MIN(strlen(id), 8));
}

void acpi_table_end(AcpiTables *t, uint32_t table)
{
    uint32_t length = t->data->len - table;
    uint32_t le = GUINT32_TO_LE(length);
    AcpiChecksum sum = {table + HEADER_CHECKSUM, table, length};

    memcpy(t->data->data + table + HEADER_LENGTH, &le, sizeof(le));
    g_array_append_val(t->checksums, sum);
}

void acpi_build_rsdt(AcpiTables *t, const GArray *tables)
{
    t->rsdt = acpi_table_begin(t, "RSDT", 1);
    for (guint i = 0; i < tables->len; i++) {
        acpi_put_pointer(t, g_array_index(tables, uint32_t, i), 4);
    }
    acpi_table_end(t, t->rsdt);
}

/* ---- for firmware ------------------------------------------------------------- */

#define LOADER_FILE_NAME 56
enum { LOADER_ALLOCATE = 1, LOADER_ADD_POINTER = 2, LOADER_ADD_CHECKSUM = 3, LOADER_WRITE_POINTER = 4 };
enum { LOADER_ZONE_HIGH = 1, LOADER_ZONE_FSEG = 2 };

typedef struct __attribute__((packed)) LoaderCommand {
    uint32_t command;
    union {
        struct __attribute__((packed)) {
            char file[LOADER_FILE_NAME];
            uint32_t align;
            uint8_t zone;
        } allocate;
        struct __attribute__((packed)) {
            char file[LOADER_FILE_NAME], target_file[LOADER_FILE_NAME];
            uint32_t offset;
            uint8_t bytes;
        } pointer;
        struct __attribute__((packed)) {
            char file[LOADER_FILE_NAME];
            uint32_t offset, start, length;
        } checksum;
        struct __attribute__((packed)) {
            char file[LOADER_FILE_NAME], target_file[LOADER_FILE_NAME];
            uint32_t offset, target_offset;
            uint8_t bytes;
        } write;
        uint8_t pad[124];
    };
} LoaderCommand;

G_STATIC_ASSERT(sizeof(LoaderCommand) == 128);

static void script_allocate(GByteArray *script, const char *file, uint32_t align, uint8_t zone)
{
    LoaderCommand c = {.command = GUINT32_TO_LE(LOADER_ALLOCATE)};

    g_strlcpy(c.allocate.file, file, LOADER_FILE_NAME);
    c.allocate.align = GUINT32_TO_LE(align);
    c.allocate.zone = zone;
    g_byte_array_append(script, (uint8_t *)&c, sizeof(c));
}

static void script_pointer(GByteArray *script, const char *file, uint32_t offset, uint8_t bytes,
                           const char *target_file)
{
    LoaderCommand c = {.command = GUINT32_TO_LE(LOADER_ADD_POINTER)};

    g_strlcpy(c.pointer.file, file, LOADER_FILE_NAME);
    g_strlcpy(c.pointer.target_file, target_file, LOADER_FILE_NAME);
    c.pointer.offset = GUINT32_TO_LE(offset);
    c.pointer.bytes = bytes;
    g_byte_array_append(script, (uint8_t *)&c, sizeof(c));
}

static void script_checksum(GByteArray *script, const char *file, const AcpiChecksum *sum)
{
    LoaderCommand c = {.command = GUINT32_TO_LE(LOADER_ADD_CHECKSUM)};

    g_strlcpy(c.checksum.file, file, LOADER_FILE_NAME);
    c.checksum.offset = GUINT32_TO_LE(sum->offset);
    c.checksum.start = GUINT32_TO_LE(sum->start);
    c.checksum.length = GUINT32_TO_LE(sum->length);
    g_byte_array_append(script, (uint8_t *)&c, sizeof(c));
}

static void script_write_pointer(GByteArray *script, const AcpiBlob *blob)
{
    LoaderCommand c = {.command = GUINT32_TO_LE(LOADER_WRITE_POINTER)};

    g_strlcpy(c.write.file, blob->address_file, LOADER_FILE_NAME);
    g_strlcpy(c.write.target_file, blob->file, LOADER_FILE_NAME);
    c.write.bytes = 8;
    g_byte_array_append(script, (uint8_t *)&c, sizeof(c));
}

static const AcpiBlob *blob_get(const AcpiTables *t, unsigned n)
{
    return g_ptr_array_index(t->blobs, n);
}

GBytes *acpi_loader_script(const AcpiTables *t)
{
    GByteArray *script = g_byte_array_new();
    const AcpiChecksum rsdp_sum = {RSDP_CHECKSUM, 0, ACPI_RSDP_SIZE};

    script_allocate(script, ACPI_TABLES_FILE, 64, LOADER_ZONE_HIGH);
    script_allocate(script, ACPI_RSDP_FILE, 16, LOADER_ZONE_FSEG);
    for (guint i = 0; i < t->blobs->len; i++) {
        script_allocate(script, blob_get(t, i)->file, blob_get(t, i)->align, LOADER_ZONE_HIGH);
        if (blob_get(t, i)->address_file) {
            script_write_pointer(script, blob_get(t, i));
        }
    }
    for (guint i = 0; i < t->pointers->len; i++) {
        const AcpiPointer *p = &g_array_index(t->pointers, AcpiPointer, i);
        script_pointer(script, ACPI_TABLES_FILE, p->offset, p->bytes,
                       p->blob < 0 ? ACPI_TABLES_FILE : blob_get(t, (unsigned)p->blob)->file);
    }
    for (guint i = 0; i < t->checksums->len; i++) {
        script_checksum(script, ACPI_TABLES_FILE, &g_array_index(t->checksums, AcpiChecksum, i));
    }
    script_pointer(script, ACPI_RSDP_FILE, RSDP_RSDT, 4, ACPI_TABLES_FILE);
    script_checksum(script, ACPI_RSDP_FILE, &rsdp_sum);
    return g_byte_array_free_to_bytes(script);
}

static void put_rsdp(const AcpiTables *t, uint8_t rsdp[ACPI_RSDP_SIZE], uint32_t rsdt)
{
    memset(rsdp, 0, ACPI_RSDP_SIZE);
    memcpy(rsdp, "RSD PTR ", 8);
    memcpy(rsdp + 9, t->oem_id, sizeof(t->oem_id));
    rsdt = GUINT32_TO_LE(rsdt);
    memcpy(rsdp + RSDP_RSDT, &rsdt, sizeof(rsdt));
}

GBytes *acpi_rsdp_template(const AcpiTables *t)
{
    uint8_t rsdp[ACPI_RSDP_SIZE];

    put_rsdp(t, rsdp, t->rsdt);
    return g_bytes_new(rsdp, sizeof(rsdp));
}

/* ---- for no firmware -------------------------------------------------------------- */

static void fix_checksum(uint8_t *data, const AcpiChecksum *c)
{
    uint8_t sum = 0;

    for (uint32_t i = 0; i < c->length; i++) {
        sum += data[c->start + i];
    }
    data[c->offset] -= sum;
}

void acpi_tables_take_blobs(AcpiTables *t)
{
    for (guint i = 0; i < t->blobs->len; i++) {
        AcpiBlob *blob = g_ptr_array_index(t->blobs, i);

        acpi_align(t, blob->align);
        blob->offset = t->data->len;
        acpi_put_bytes(t, g_bytes_get_data(blob->data, NULL), g_bytes_get_size(blob->data));
    }
}

const char *acpi_blob_address_file(const AcpiTables *t, unsigned blob, uint32_t *ret_offset)
{
    if (blob >= t->blobs->len) {
        return NULL;
    }
    *ret_offset = blob_get(t, blob)->offset;
    return blob_get(t, blob)->address_file;
}

void acpi_tables_resolve(AcpiTables *t, uint32_t address)
{
    for (guint i = 0; i < t->pointers->len; i++) {
        const AcpiPointer *p = &g_array_index(t->pointers, AcpiPointer, i);
        uint64_t value = 0;

        memcpy(&value, t->data->data + p->offset, p->bytes);
        value += p->blob < 0 ? 0 : GUINT64_TO_LE(blob_get(t, (unsigned)p->blob)->offset);
        value = GUINT64_TO_LE(GUINT64_FROM_LE(value) + address);
        memcpy(t->data->data + p->offset, &value, p->bytes);
    }
    for (guint i = 0; i < t->checksums->len; i++) {
        fix_checksum(t->data->data, &g_array_index(t->checksums, AcpiChecksum, i));
    }
}

void acpi_rsdp_resolved(const AcpiTables *t, uint32_t address, uint8_t rsdp[ACPI_RSDP_SIZE])
{
    const AcpiChecksum sum = {RSDP_CHECKSUM, 0, ACPI_RSDP_SIZE};

    put_rsdp(t, rsdp, address + t->rsdt);
    fix_checksum(rsdp, &sum);
}
