/* SPDX-License-Identifier: MIT
 *
 * The ACPI tables of a pc.
 */
#ifndef HW_I386_ACPI_BUILD_H
#define HW_I386_ACPI_BUILD_H

#include "hw/acpi/tables.h"

/* What they describe. */
typedef struct AcpiPcConfig {
    const uint32_t *apic_ids; /* of every CPU that there may be */
    unsigned nr_cpus, max_cpus;
    uint16_t pm_base;   /* of the PIIX4 */
    uint16_t gpe_base;  /* of GPE0: 4 bytes */
    int sleep_types[6]; /* SLP_TYP for S3, S4, S5 at their indices; -1: not there */
    bool hpet, i8042, rtc, fw_cfg;
    unsigned serial_ports; /* bit n: COM n+1 */
    bool ioapic;
    uint64_t hole_start, hole_end;     /* PCI memory below 4 GiB, inclusive */
    GPtrArray *extra;                  /* of GBytes: whole tables (-acpitable); NULL: none */
    uint64_t hole64_start, hole64_end; /* end 0: none */
} AcpiPcConfig;

AcpiTables *acpi_build_pc(const AcpiPcConfig *config);

/* In acpi-dsdt.c: the definition block. */
GByteArray *acpi_build_dsdt_code(const AcpiPcConfig *config);

#endif
