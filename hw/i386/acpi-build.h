/* SPDX-License-Identifier: MIT
 *
 * The ACPI tables of a pc.
 */
#ifndef HW_I386_ACPI_BUILD_H
#define HW_I386_ACPI_BUILD_H

#include "hw/acpi/tables.h"
#include "hw/core/machine.h"

typedef struct AcpiPcConfig AcpiPcConfig;
typedef struct ACPIPCIHotplug ACPIPCIHotplug;
typedef struct Aml Aml;

/* What differs with the chips: one row each, in acpi-dsdt.c and acpi-dsdt-q35.c. */
typedef struct AcpiChipset {
    uint16_t pm_base;  /* where firmware puts the PM block */
    uint8_t gpe_bytes; /* of GPE0, status and enable */
    uint8_t acpi_enable, acpi_disable; /* commands to port b2 */
    uint8_t reset_value;               /* to port cf9 */
    uint32_t isa_address;              /* _ADR of the bridge to ISA */
    uint8_t pirq_bytes;                /* of its route registers, from 60h */
    bool express;
    void (*put_routing)(Aml *a); /* _PRT, in the scope of PCI0 */
    void (*put_links)(Aml *a);   /* what that names, at the root */
} AcpiChipset;

extern const AcpiChipset acpi_chipset_i440fx, acpi_chipset_q35;

/* What they describe. */
struct AcpiPcConfig {
    const AcpiChipset *chipset;
    MachineState *machine; /* whose devices may bring AML and tables; NULL: none */
    const uint32_t *apic_ids; /* of every CPU that there may be */
    unsigned nr_cpus, max_cpus;
    const CPUSlot *cpu_slots;  /* as many; NULL: the first nr_cpus are there */
    uint16_t cpu_hotplug_base; /* ports; 0: CPUs stay */
    ACPIPCIHotplug *pci_hotplug; /* NULL or with no bus: none through ACPI */
    const NumaState *numa;     /* NULL: not spoken of */
    uint64_t below_4g;         /* bytes of RAM below 4 GiB */
    uint16_t pm_base;   /* of the power management ports */
    uint16_t gpe_base;  /* of GPE0 */
    int sleep_types[6]; /* SLP_TYP for S3, S4, S5 at their indices; -1: not there */
    bool hpet, i8042, rtc, fw_cfg, floppy;
    const char *oem_id, *oem_table_id; /* NULL: ours */
    unsigned serial_ports; /* bit n: COM n+1 */
    bool parallel_port;    /* LPT1 */
    bool ioapic;
    uint8_t root_bus_uid;              /* _UID of PCI0 */
    uint64_t hole_start, hole_end;     /* PCI memory below 4 GiB, inclusive */
    GPtrArray *extra;                  /* of GBytes: whole tables (-acpitable); NULL: none */
    uint64_t hole64_start, hole64_end; /* end 0: none */
    uint64_t mmcfg_base, mmcfg_size;   /* configuration space in memory; size 0: none */
};

AcpiTables *acpi_build_pc(const AcpiPcConfig *config);

/* In acpi-pci-hotplug.c: the slots that devices come to and go from. */
void acpi_dsdt_put_pci_hotplug(Aml *a, const AcpiPcConfig *config);

/* In acpi-dsdt.c: the definition block. */
GByteArray *acpi_build_dsdt_code(const AcpiPcConfig *config);

/* ---- between the files that write it -------------------------------------------- */

/* IQCR(route), and PNP0C0F "LNKx": the link n whose route is in the field unit "PRQx". */
void acpi_dsdt_put_link_resources_method(Aml *a);
void acpi_dsdt_put_link(Aml *a, unsigned n, const char *name, const char *route);
/* PNP0C0F that leads to one interrupt and nowhere else. */
void acpi_dsdt_put_fixed_link(Aml *a, const char *name, unsigned uid, uint32_t irq);

#endif
