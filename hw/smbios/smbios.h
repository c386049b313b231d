/* SPDX-License-Identifier: MIT
 *
 * SMBIOS tables: what dmidecode shows.
 */
#ifndef HW_SMBIOS_SMBIOS_H
#define HW_SMBIOS_SMBIOS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define SMBIOS_ENTRY_SIZE  31u
#define SMBIOS_ENTRY_FILE  "etc/smbios/smbios-anchor"
#define SMBIOS_TABLES_FILE "etc/smbios/smbios-tables"

#define SMBIOS_ERROR (smbios_error_quark())
GQuark smbios_error_quark(void);
typedef enum SmbiosError { SMBIOS_ERROR_OPTION } SmbiosError;

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
    bool firmware;               /* it adds type 0 about itself */
    uint64_t below_4g, above_4g; /* bytes of RAM */
    unsigned sockets, cores_per_socket, threads_per_socket;
    uint32_t cpu_signature, cpu_features; /* CPUID 1: EAX and EDX */
} SmbiosMachine;

/* The structures, and the entry point with an address of 0 in it. */
GByteArray *smbios_build(const SmbiosConfig *config, const SmbiosMachine *machine,
                         uint8_t ret_entry[SMBIOS_ENTRY_SIZE]);
/* Put the structures' address in, and the checksums right. */
void smbios_entry_set_address(uint8_t entry[SMBIOS_ENTRY_SIZE], uint32_t address);

#endif
