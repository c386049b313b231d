/* SPDX-License-Identifier: MIT
 *
 * The MultiProcessor Specification's tables, for systems that do without ACPI.
 */
#ifndef HW_I386_MPTABLE_H
#define HW_I386_MPTABLE_H

#include <glib.h>
#include <stdint.h>

typedef struct MPTableConfig {
    const uint32_t *apic_ids;
    unsigned nr_cpus;
    uint32_t cpu_signature, cpu_features; /* CPUID 1: EAX and EDX */
    /* Pin of the I/O APIC that a pin (0-3) of a PCI slot leads to. */
    uint8_t (*pci_pin)(unsigned slot, unsigned pin);
} MPTableConfig;

/* The floating pointer, which belongs at `address`, and the table after it. */
GByteArray *mptable_build(const MPTableConfig *config, uint32_t address);

#endif
