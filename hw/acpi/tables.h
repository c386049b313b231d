/* SPDX-License-Identifier: MIT
 *
 * ACPI tables as one block of bytes with the places where addresses and checksums go: firmware
 * gets them as commands (fw_cfg, etc/table-loader), a kernel without firmware gets them done.
 */
#ifndef HW_ACPI_TABLES_H
#define HW_ACPI_TABLES_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define ACPI_TABLES_FILE "etc/acpi/tables"
#define ACPI_RSDP_FILE   "etc/acpi/rsdp"
#define ACPI_LOADER_FILE "etc/table-loader"
#define ACPI_RSDP_SIZE   20u

typedef struct AcpiTables {
    GByteArray *data;
    GArray *pointers;  /* of AcpiPointer: offsets in data of what is to become an address */
    GArray *checksums; /* of AcpiChecksum */
    GPtrArray *blobs;  /* of AcpiBlob */
    uint32_t rsdt;     /* offset of the root table */
    uint32_t facs;     /* and of the FACS */
    char oem_id[6], oem_table_id[8]; /* of tables from now on, padded with spaces */
} AcpiTables;

AcpiTables *acpi_tables_new(void);
/* Who made them: at most 6 and 8 characters; NULL: as before. */
void acpi_tables_set_oem(AcpiTables *t, const char *id, const char *table_id);
void acpi_tables_free(AcpiTables *t);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AcpiTables, acpi_tables_free)

/* A table with its 36-byte header; returns its offset.  Its body is appended, then it is ended. */
uint32_t acpi_table_begin(AcpiTables *t, const char *signature, uint8_t revision);
/* In place of the usual OEM table ID: at most 8 characters.  Before the table's end. */
void acpi_table_set_id(AcpiTables *t, uint32_t table, const char *id);
void acpi_table_end(AcpiTables *t, uint32_t table);

void acpi_put(AcpiTables *t, uint64_t value, unsigned bytes);
void acpi_put_bytes(AcpiTables *t, const void *data, size_t len);
/* The future address of `target` (an offset), in `bytes` bytes. */
void acpi_put_pointer(AcpiTables *t, uint32_t target, unsigned bytes);
/* Generic Address Structure (ACPI 6.5, 5.2.3.2). */
void acpi_put_gas(AcpiTables *t, uint8_t space, uint8_t bits, uint8_t access, uint64_t address);
/*
 * Memory of its own beside the tables: the content of fw_cfg file `file`, which must exist when
 * firmware asks.  Firmware writes its address, 8 bytes, to the writable file `address_file`.
 */
unsigned acpi_add_blob(AcpiTables *t, const char *file, const char *address_file, GBytes *data,
                       uint32_t align);
/* The future address of a blob. */
void acpi_put_blob_pointer(AcpiTables *t, unsigned blob, unsigned bytes);
void acpi_align(AcpiTables *t, unsigned bytes);
/* The root table; the last one. */
void acpi_build_rsdt(AcpiTables *t, const GArray *tables /* of uint32_t offsets */);

/* For firmware: the commands, and an RSDP that they complete. */
GBytes *acpi_loader_script(const AcpiTables *t);
GBytes *acpi_rsdp_template(const AcpiTables *t);

/* For no firmware: blobs become part of the data; to be called before its size matters. */
void acpi_tables_take_blobs(AcpiTables *t);
/* Then: which file is to hear of an address, and the offset in the data; NULL: no more. */
const char *acpi_blob_address_file(const AcpiTables *t, unsigned blob, uint32_t *ret_offset);
/* For no firmware: addresses and checksums filled in; RSDP completed. */
void acpi_tables_resolve(AcpiTables *t, uint32_t address);
void acpi_rsdp_resolved(const AcpiTables *t, uint32_t address, uint8_t rsdp[ACPI_RSDP_SIZE]);

#endif
