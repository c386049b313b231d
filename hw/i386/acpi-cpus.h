/* SPDX-License-Identifier: MIT
 *
 * What ACPI tables say of CPUs and NUMA nodes: fragments for the machines' builders.
 */
#ifndef HW_I386_ACPI_CPUS_H
#define HW_I386_ACPI_CPUS_H

#include "hw/acpi/aml.h"
#include "hw/i386/acpi-build.h"

/* MADT: a local APIC, or an x2APIC where the ID is beyond 254, for each slot.  True: some x2APIC. */
bool acpi_madt_put_cpus(AcpiTables *t, const AcpiPcConfig *config);
/* DSDT: the processors, and how they come and go.  In no scope. */
void acpi_dsdt_put_cpus(Aml *a, const AcpiPcConfig *config);

/* Tables that are there if the machine has NUMA nodes, and distances. */
bool acpi_has_srat(const AcpiPcConfig *config);
bool acpi_has_slit(const AcpiPcConfig *config);
uint32_t acpi_build_srat(AcpiTables *t, const AcpiPcConfig *config);
uint32_t acpi_build_slit(AcpiTables *t, const AcpiPcConfig *config);

#endif
