/* SPDX-License-Identifier: MIT
 *
 * ACPI Specification 6.5: 5.2.9 (FADT), 5.2.10 (FACS), 5.2.12 (MADT); IA-PC HPET Specification
 * 1.0a, 3.2.4; Windows ACPI Emulated Devices Table.
 */
#include "hw/i386/acpi-build.h"
#include "hw/acpi/acpi-dev-aml.h"
#include "hw/core/qdev.h"
#include "hw/i386/acpi-cpus.h"

#define IOAPIC_ADDRESS 0xfec00000u
#define LAPIC_ADDRESS  0xfee00000u
#define HPET_ADDRESS   0xfed00000u
#define SCI_IRQ        9u
#define RESET_PORT     0xcf9u
#define CMOS_CENTURY   0x32u

#define FADT_WBINVD         (1u << 0)
#define FADT_PROC_C1        (1u << 2)
#define FADT_SLP_BUTTON     (1u << 5) /* no fixed sleep button */
#define FADT_RTC_S4         (1u << 7)
#define FADT_RESET_REG      (1u << 10)
#define FADT_PLATFORM_TIMER (1u << 15)

#define BOOT_ARCH_8042   (1u << 1)

#define MADT_PCAT_COMPAT       1u
#define MADT_ACTIVE_HIGH_LEVEL 0x000du
#define MADT_ALL_CPUS_UID      0xffu

static uint32_t build_facs(AcpiTables *t)
{
    acpi_align(t, 64);
    uint32_t facs = t->data->len;

    acpi_put_bytes(t, "FACS", 4);
    acpi_put(t, 64, 4);
    for (int i = 0; i < 7; i++) {
        acpi_put(t, 0, 8);
    }
    return facs;
}

static uint32_t build_dsdt(AcpiTables *t, const AcpiPcConfig *config)
{
    g_autoptr(GByteArray) code = acpi_build_dsdt_code(config);
    uint32_t table = acpi_table_begin(t, "DSDT", 1);

    acpi_put_bytes(t, code->data, code->len);
    acpi_table_end(t, table);
    return table;
}

static void fadt_put_blocks(AcpiTables *t, const AcpiPcConfig *config)
{
    acpi_put(t, config->pm_base, 4);     /* PM1a event */
    acpi_put(t, 0, 4);                   /* PM1b event */
    acpi_put(t, config->pm_base + 4, 4); /* PM1a control */
    acpi_put(t, 0, 4);                   /* PM1b control */
    acpi_put(t, 0, 4);                   /* PM2 control */
    acpi_put(t, config->pm_base + 8, 4); /* PM timer */
    acpi_put(t, config->gpe_base, 4);
    acpi_put(t, 0, 4); /* GPE1 */
    acpi_put(t, 4, 1); /* lengths: PM1 event, PM1 control, PM2 control, PM timer, GPE0, GPE1 */
    acpi_put(t, 2, 1);
    acpi_put(t, 0, 1);
    acpi_put(t, 4, 1);
    acpi_put(t, config->chipset->gpe_bytes, 1);
    acpi_put(t, 0, 1);
}

static void fadt_put_wide_blocks(AcpiTables *t, const AcpiPcConfig *config)
{
    acpi_put_gas(t, 1, 32, 0, config->pm_base);
    acpi_put_gas(t, 0, 0, 0, 0);
    acpi_put_gas(t, 1, 16, 0, config->pm_base + 4);
    acpi_put_gas(t, 0, 0, 0, 0);
    acpi_put_gas(t, 0, 0, 0, 0);
    acpi_put_gas(t, 1, 32, 0, config->pm_base + 8);
    acpi_put_gas(t, 1, config->chipset->gpe_bytes * 8, 0, config->gpe_base);
    acpi_put_gas(t, 0, 0, 0, 0);
}

static uint32_t build_fadt(AcpiTables *t, const AcpiPcConfig *config, uint32_t facs, uint32_t dsdt)
{
    uint32_t table = acpi_table_begin(t, "FACP", 3);

    acpi_put_pointer(t, facs, 4);
    acpi_put_pointer(t, dsdt, 4);
    acpi_put(t, 1, 1); /* interrupt model of ACPI 1.0: several APICs */
    acpi_put(t, 0, 1); /* profile: unspecified */
    acpi_put(t, SCI_IRQ, 2);
    acpi_put(t, 0xb2, 4); /* SMI command port, and the values for ACPI on and off */
    acpi_put(t, config->chipset->acpi_enable, 1);
    acpi_put(t, config->chipset->acpi_disable, 1);
    acpi_put(t, 0, 2); /* S4BIOS, P-states */
    fadt_put_blocks(t, config);
    acpi_put(t, 0, 2);     /* GPE1 base, _CST */
    acpi_put(t, 0xfff, 2); /* C2 latency: not supported */
    acpi_put(t, 0xfff, 2); /* C3 */
    acpi_put(t, 0, 8);     /* flush size and stride, duty offset and width, day, month */
    acpi_put(t, CMOS_CENTURY, 1);
    acpi_put(t, config->i8042 ? BOOT_ARCH_8042 : 0, 2);
    acpi_put(t, 0, 1);
    acpi_put(t,
             FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON | FADT_RTC_S4 | FADT_RESET_REG |
                 FADT_PLATFORM_TIMER,
             4);
    acpi_put_gas(t, 1, 8, 0, RESET_PORT);
    acpi_put(t, config->chipset->reset_value, 1);
    acpi_put(t, 0, 3);
    acpi_put(t, 0, 8); /* the FACS is below 4 GiB: the short field says it all */
    acpi_put_pointer(t, dsdt, 8);
    fadt_put_wide_blocks(t, config);
    acpi_table_end(t, table);
    return table;
}

static void madt_put_override(AcpiTables *t, uint8_t irq, uint32_t gsi, uint16_t flags)
{
    acpi_put(t, 2, 1);
    acpi_put(t, 10, 1);
    acpi_put(t, 0, 1); /* ISA */
    acpi_put(t, irq, 1);
    acpi_put(t, gsi, 4);
    acpi_put(t, flags, 2);
}

static void madt_put_ioapic(AcpiTables *t, unsigned max_cpus)
{
    static const uint8_t pci_irqs[] = {5, 9, 10, 11};

    acpi_put(t, 1, 1);
    acpi_put(t, 12, 1);
    acpi_put(t, 0, 2); /* ID 0 */
    acpi_put(t, IOAPIC_ADDRESS, 4);
    acpi_put(t, 0, 4);
    madt_put_override(t, 0, 2, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(pci_irqs); i++) {
        madt_put_override(t, pci_irqs[i], pci_irqs[i], MADT_ACTIVE_HIGH_LEVEL);
    }
}

/* NMI is on LINT1 of every CPU. */
static void madt_put_nmi(AcpiTables *t, bool x2apic)
{
    acpi_put(t, 4, 1);
    acpi_put(t, 6, 1);
    acpi_put(t, MADT_ALL_CPUS_UID, 1);
    acpi_put(t, 0, 2);
    acpi_put(t, 1, 1);
    if (x2apic) {
        acpi_put(t, 10, 1);
        acpi_put(t, 12, 1);
        acpi_put(t, 0, 2);
        acpi_put(t, UINT32_MAX, 4);
        acpi_put(t, 1, 1);
        acpi_put(t, 0, 3);
    }
}

static uint32_t build_madt(AcpiTables *t, const AcpiPcConfig *config)
{
    uint32_t table = acpi_table_begin(t, "APIC", 1);
    bool x2apic;

    acpi_put(t, LAPIC_ADDRESS, 4);
    acpi_put(t, MADT_PCAT_COMPAT, 4);
    x2apic = acpi_madt_put_cpus(t, config);
    if (config->ioapic) {
        madt_put_ioapic(t, config->max_cpus);
    }
    madt_put_nmi(t, x2apic);
    acpi_table_end(t, table);
    return table;
}

static uint32_t build_hpet(AcpiTables *t)
{
    uint32_t table = acpi_table_begin(t, "HPET", 1);

    acpi_put(t, 0x8086a201, 4); /* vendor, legacy replacement, 64-bit counter, 3 timers, rev. 1 */
    acpi_put_gas(t, 0, 0, 0, HPET_ADDRESS);
    acpi_put(t, 0, 1); /* number */
    acpi_put(t, 0, 2); /* minimum tick */
    acpi_put(t, 0, 1);
    acpi_table_end(t, table);
    return table;
}

/* PCI Firmware Specification 3.2, 4.1.2. */
static uint32_t build_mcfg(AcpiTables *t, const AcpiPcConfig *config)
{
    uint32_t table = acpi_table_begin(t, "MCFG", 1);

    acpi_put(t, 0, 8);
    acpi_put(t, config->mmcfg_base, 8);
    acpi_put(t, 0, 2); /* segment group */
    acpi_put(t, 0, 1); /* buses */
    acpi_put(t, (config->mmcfg_size >> 20) - 1, 1);
    acpi_put(t, 0, 4);
    acpi_table_end(t, table);
    return table;
}

static uint32_t build_waet(AcpiTables *t)
{
    uint32_t table = acpi_table_begin(t, "WAET", 1);

    acpi_put(t, 2, 4); /* one read of the PM timer is enough */
    acpi_table_end(t, table);
    return table;
}

static uint32_t put_extra(AcpiTables *t, GBytes *data)
{
    acpi_align(t, 8);
    uint32_t table = t->data->len;

    acpi_put_bytes(t, g_bytes_get_data(data, NULL), g_bytes_get_size(data));
    return table;
}

typedef struct DeviceTables {
    AcpiTables *t;
    GArray *list;
} DeviceTables;

static bool put_device_tables(Object *obj, const char *name, void *opaque)
{
    AcpiDevAmlClass *klass = acpi_dev_aml_class(obj);
    DeviceTables *d = opaque;

    if (klass && klass->build_table && DEVICE(obj)->realized) {
        uint32_t table = klass->build_table(obj, d->t);

        g_array_append_val(d->list, table);
    }
    return false;
}

AcpiTables *acpi_build_pc(const AcpiPcConfig *config)
{
    AcpiTables *t = acpi_tables_new();
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    uint32_t facs, dsdt, table;

    acpi_tables_set_oem(t, config->oem_id, config->oem_table_id);
    facs = t->facs = build_facs(t);
    dsdt = build_dsdt(t, config);
    table = build_fadt(t, config, facs, dsdt);

    g_array_append_val(list, table);
    table = build_madt(t, config);
    g_array_append_val(list, table);
    if (config->hpet) {
        table = build_hpet(t);
        g_array_append_val(list, table);
    }
    if (config->mmcfg_size) {
        table = build_mcfg(t, config);
        g_array_append_val(list, table);
    }
    if (acpi_has_srat(config)) {
        table = acpi_build_srat(t, config);
        g_array_append_val(list, table);
    }
    if (acpi_has_slit(config)) {
        table = acpi_build_slit(t, config);
        g_array_append_val(list, table);
    }
    table = build_waet(t);
    g_array_append_val(list, table);
    if (config->machine) {
        object_child_foreach_recursive(OBJECT(config->machine), put_device_tables,
                                       &(DeviceTables){t, list});
    }
    for (guint i = 0; config->extra && i < config->extra->len; i++) {
        table = put_extra(t, g_ptr_array_index(config->extra, i));
        g_array_append_val(list, table);
    }
    acpi_build_rsdt(t, list);
    return t;
}
