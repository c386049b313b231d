/* SPDX-License-Identifier: MIT
 *
 * ACPI Specification 6.5: 5.2.16 (SRAT), 5.2.17 (SLIT).
 */
#include "hw/core/numa.h"
#include "hw/i386/acpi-cpus.h"

#define FOUR_GIB     0x100000000ull
#define BASE_RAM_END 0xa0000ull  /* memory is cut by the screen and ROMs */
#define HIGH_RAM     0x100000ull
#define SRAT_ENABLED 1u

bool acpi_has_srat(const AcpiPcConfig *config)
{
    return config->numa && config->numa->nr_nodes;
}

bool acpi_has_slit(const AcpiPcConfig *config)
{
    return acpi_has_srat(config) && config->numa->has_distances;
}

static void put_cpu(AcpiTables *t, const CPUSlot *slot)
{
    uint32_t node = (uint32_t)MAX(slot->place.node_id, 0);

    if (slot->arch_id < 255) {
        acpi_put(t, 0, 1); /* processor local APIC affinity */
        acpi_put(t, 16, 1);
        acpi_put(t, node & 0xff, 1);
        acpi_put(t, slot->arch_id, 1);
        acpi_put(t, SRAT_ENABLED, 4);
        acpi_put(t, 0, 1);
        acpi_put(t, node >> 8, 3);
        acpi_put(t, 0, 4);
        return;
    }
    acpi_put(t, 2, 1); /* processor local x2APIC affinity */
    acpi_put(t, 24, 1);
    acpi_put(t, 0, 2);
    acpi_put(t, node, 4);
    acpi_put(t, slot->arch_id, 4);
    acpi_put(t, SRAT_ENABLED, 4);
    acpi_put(t, 0, 8);
}

static void put_memory(AcpiTables *t, uint32_t node, uint64_t base, uint64_t size)
{
    if (!size) {
        return;
    }
    acpi_put(t, 1, 1);
    acpi_put(t, 40, 1);
    acpi_put(t, node, 4);
    acpi_put(t, 0, 2);
    acpi_put(t, base, 8);
    acpi_put(t, size, 8);
    acpi_put(t, 0, 4);
    acpi_put(t, SRAT_ENABLED, 4);
    acpi_put(t, 0, 8);
}

/* The part of RAM (offsets in it) that is mapped at from..to of `base` on. */
static void put_part(AcpiTables *t, uint32_t node, uint64_t start, uint64_t end, uint64_t from,
                     uint64_t to, uint64_t base)
{
    start = MAX(start, from);
    end = MIN(end, to);
    if (start < end) {
        put_memory(t, node, base + (start - from), end - start);
    }
}

uint32_t acpi_build_srat(AcpiTables *t, const AcpiPcConfig *config)
{
    uint32_t table = acpi_table_begin(t, "SRAT", 1);
    uint64_t low = config->below_4g, at = 0;

    acpi_put(t, 1, 4);
    acpi_put(t, 0, 8);
    for (unsigned i = 0; i < config->max_cpus; i++) {
        put_cpu(t, &config->cpu_slots[i]);
    }
    for (unsigned n = 0; n < config->numa->nr_nodes; n++) {
        uint64_t end = at + config->numa->nodes[n].mem;

        put_part(t, n, at, end, 0, BASE_RAM_END, 0);
        put_part(t, n, at, end, HIGH_RAM, low, HIGH_RAM);
        put_part(t, n, at, end, low, UINT64_MAX, FOUR_GIB);
        at = end;
    }
    acpi_table_end(t, table);
    return table;
}

uint32_t acpi_build_slit(AcpiTables *t, const AcpiPcConfig *config)
{
    uint32_t table = acpi_table_begin(t, "SLIT", 1);
    unsigned n = config->numa->nr_nodes;

    acpi_put(t, n, 8);
    for (unsigned i = 0; i < n; i++) {
        acpi_put_bytes(t, config->numa->nodes[i].distance, n);
    }
    acpi_table_end(t, table);
    return table;
}
