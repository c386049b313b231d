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
    uint8_t pci_irqs[4];                  /* where the wires A-D of the PCI bus lead */
    uint8_t sci_irq;                      /* pin A of slot 1 */
} MPTableConfig;

/* The floating pointer, which belongs at `address`, and the table after it. */
GByteArray *mptable_build(const MPTableConfig *config, uint32_t address);

#endif
