/* SPDX-License-Identifier: MIT
 *
 * SMBIOS tables: what dmidecode shows.
 */
#ifndef HW_SMBIOS_SMBIOS_H
#define HW_SMBIOS_SMBIOS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define SMBIOS_ENTRY_SIZE   31u /* 2.x */
#define SMBIOS_ENTRY64_SIZE 24u /* 3.x */
#define SMBIOS_ENTRY_FILE   "etc/smbios/smbios-anchor"
#define SMBIOS_TABLES_FILE  "etc/smbios/smbios-tables"

#define SMBIOS_ERROR (smbios_error_quark())
GQuark smbios_error_quark(void);
typedef enum SmbiosError { SMBIOS_ERROR_OPTION } SmbiosError;

/* -machine smbios-entry-point-type= */
typedef enum SmbiosEntryPointType {
    SMBIOS_ENTRY_POINT_32,
    SMBIOS_ENTRY_POINT_64
} SmbiosEntryPointType;

typedef struct SmbiosConfig SmbiosConfig;

/* With the strings that a machine starts with; `version` is its canonical name. */
SmbiosConfig *smbios_config_new(const char *product, const char *version);
void smbios_config_free(SmbiosConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SmbiosConfig, smbios_config_free)
/* -smbios type=1,manufacturer=X,...  or  file=PATH (a table as it is). */
bool smbios_config_option(SmbiosConfig *config, const char *option, GError **error);
/* "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", in the order of its text. */
bool smbios_parse_uuid(const char *text, uint8_t uuid[16]);
void smbios_config_set_uuid(SmbiosConfig *config, const uint8_t uuid[16]);

typedef struct SmbiosMachine {
    bool firmware;               /* it adds type 0 about itself, unless -smbios has one */
    bool entry_point_64;         /* version 3.0, else 2.8 */
    uint64_t below_4g, above_4g; /* bytes of RAM */
    unsigned sockets, cores_per_socket, threads_per_socket;
    uint32_t cpu_signature, cpu_features; /* CPUID 1: EAX and EDX */
    /* Where the PCI device with this id is; false: there is none.  May be NULL. */
    bool (*find_pci)(void *opaque, const char *id, uint8_t *ret_bus, uint8_t *ret_devfn);
    void *opaque;
} SmbiosMachine;

/* The structures, and in *ret_entry the entry point with an address of 0 in it. */
GByteArray *smbios_build(const SmbiosConfig *config, const SmbiosMachine *machine,
                         GByteArray **ret_entry, GError **error);
/* Put the structures' address in, and the checksums right. */
void smbios_entry_locate(GByteArray *entry, uint64_t address);

#endif
