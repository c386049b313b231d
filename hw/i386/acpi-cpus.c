/* SPDX-License-Identifier: MIT
 *
 * Processors in the MADT and the DSDT.  ACPI Specification 6.5: 5.2.12.2 and 5.2.12.12 (MADT),
 * 6.2.10 (_MAT), 6.3 (_STA, _EJ0, _OST), 8.4 (processors); the registers are those of
 * hw/acpi/cpu-hotplug.c.
 *
 *     \_SB.PCI0.PRES   the registers, their mutex
 *     \_SB.CPUS        CSTA, CEJ0, CSCN, CTFY, COST, and the processors Cnnn
 *     \_GPE._E02       scans
 */
#include "hw/acpi/cpu-hotplug.h"
#include "hw/i386/acpi-cpus.h"

#define MADT_ENABLED  1u
#define HOTPLUG_PORTS 12u

#define REGS          "\\_SB.PCI0.PRES."
#define NOTIFY_CHECK  1u
#define NOTIFY_EJECT  3u
#define STA_PRESENT_ENABLED_SHOWN 0x0fu

static bool needs_x2apic(unsigned uid, uint32_t apic_id)
{
    return apic_id >= 255 || uid >= 255;
}

static bool present(const AcpiPcConfig *config, unsigned n)
{
    return config->cpu_slots ? config->cpu_slots[n].cpu != NULL : n < config->nr_cpus;
}

/* ---- MADT ---------------------------------------------------------------------------- */

static void put_entry(AcpiTables *t, unsigned uid, uint32_t apic_id, bool enabled)
{
    if (!needs_x2apic(uid, apic_id)) {
        acpi_put(t, 0, 1); /* processor local APIC */
        acpi_put(t, 8, 1);
        acpi_put(t, uid, 1);
        acpi_put(t, apic_id, 1);
        acpi_put(t, enabled ? MADT_ENABLED : 0, 4);
        return;
    }
    acpi_put(t, 9, 1); /* processor local x2APIC */
    acpi_put(t, 16, 1);
    acpi_put(t, 0, 2);
    acpi_put(t, apic_id, 4);
    acpi_put(t, enabled ? MADT_ENABLED : 0, 4);
    acpi_put(t, uid, 4);
}

bool acpi_madt_put_cpus(AcpiTables *t, const AcpiPcConfig *config)
{
    bool x2apic = false;

    for (unsigned n = 0; n < config->max_cpus; n++) {
        put_entry(t, n, config->apic_ids[n], present(config, n));
        x2apic |= needs_x2apic(n, config->apic_ids[n]);
    }
    return x2apic;
}

/* ---- registers and methods --------------------------------------------------------------- */

static void put_store(Aml *a, uint64_t value, const char *to)
{
    aml_store(a);
    aml_int(a, value);
    aml_ref(a, to);
}

static void put_store_arg(Aml *a, unsigned arg, const char *to)
{
    aml_store(a);
    aml_arg(a, arg);
    aml_ref(a, to);
}

static void put_registers(Aml *a, uint16_t base)
{
    aml_scope(a, "\\_SB.PCI0");
    aml_device(a, "PRES");
    aml_name(a, "_HID");
    aml_eisaid(a, "PNP0A06");
    aml_name(a, "_UID");
    aml_string(a, "CPU Hotplug resources");
    aml_mutex(a, "CPLK");
    aml_operation_region(a, "PRST", AML_SYSTEM_IO, base, HOTPLUG_PORTS);
    aml_field(a, "PRST", AML_ACC_BYTE, AML_ZEROS);
    aml_field_unit(a, NULL, 32);
    aml_field_unit(a, "CPEN", 1);
    aml_field_unit(a, "CINS", 1);
    aml_field_unit(a, "CRMV", 1);
    aml_field_unit(a, "CEJ0", 1);
    aml_field_unit(a, NULL, 4);
    aml_field_unit(a, "CCMD", 8);
    aml_end(a);
    aml_field(a, "PRST", AML_ACC_DWORD, AML_PRESERVE);
    aml_field_unit(a, "CSEL", 32);
    aml_field_unit(a, NULL, 32);
    aml_field_unit(a, "CDAT", 32);
    aml_end(a);
    aml_name(a, "_CRS");
    aml_resources(a);
    aml_res_io(a, base, 1, HOTPLUG_PORTS);
    aml_end(a);
    /* The older form of the registers ends with this. */
    aml_method(a, "_INI", 0, true);
    put_store(a, 0, REGS "CSEL");
    aml_end(a);
    aml_end(a);
    aml_end(a);
}

/* CSTA(n) */
static void put_status_method(Aml *a)
{
    aml_method(a, "CSTA", 1, true);
    aml_acquire(a, REGS "CPLK");
    put_store_arg(a, 0, REGS "CSEL");
    aml_store(a);
    aml_int(a, 0);
    aml_local(a, 0);
    aml_if(a);
    aml_equal(a);
    aml_ref(a, REGS "CPEN");
    aml_int(a, 1);
    aml_store(a);
    aml_int(a, STA_PRESENT_ENABLED_SHOWN);
    aml_local(a, 0);
    aml_end(a);
    aml_release(a, REGS "CPLK");
    aml_return(a);
    aml_local(a, 0);
    aml_end(a);
}

/* CEJ0(n) */
static void put_eject_method(Aml *a)
{
    aml_method(a, "CEJ0", 1, true);
    aml_acquire(a, REGS "CPLK");
    put_store_arg(a, 0, REGS "CSEL");
    put_store(a, 1, REGS "CEJ0");
    aml_release(a, REGS "CPLK");
    aml_end(a);
}

/* COST(n, event, status, -) */
static void put_ost_method(Aml *a)
{
    aml_method(a, "COST", 4, true);
    aml_acquire(a, REGS "CPLK");
    put_store_arg(a, 0, REGS "CSEL");
    put_store(a, 1, REGS "CCMD");
    put_store_arg(a, 1, REGS "CDAT");
    put_store(a, 2, REGS "CCMD");
    put_store_arg(a, 2, REGS "CDAT");
    aml_release(a, REGS "CPLK");
    aml_end(a);
}

/* Notify the selected processor, and take the event back: what the body of a scan's If does. */
static void put_event(Aml *a, const char *event, uint64_t notification)
{
    aml_if(a);
    aml_equal(a);
    aml_ref(a, event);
    aml_int(a, 1);
    aml_call(a, "CTFY");
    aml_ref(a, REGS "CDAT");
    aml_int(a, notification);
    put_store(a, 1, event);
    aml_store(a);
    aml_int(a, 1);
    aml_local(a, 0);
    aml_end(a);
}

/* CSCN(): as long as command 0 finds a processor with an event. */
static void put_scan_method(Aml *a)
{
    aml_method(a, "CSCN", 0, true);
    aml_acquire(a, REGS "CPLK");
    aml_store(a);
    aml_int(a, 1);
    aml_local(a, 0);
    aml_while(a);
    aml_equal(a);
    aml_local(a, 0);
    aml_int(a, 1);
    aml_store(a);
    aml_int(a, 0);
    aml_local(a, 0);
    put_store(a, 0, REGS "CCMD");
    put_event(a, REGS "CINS", NOTIFY_CHECK);
    aml_else(a);
    put_event(a, REGS "CRMV", NOTIFY_EJECT);
    aml_end(a);
    aml_end(a);
    aml_release(a, REGS "CPLK");
    aml_end(a);
}

static char *processor_name(unsigned n)
{
    return g_strdup_printf("C%03X", n);
}

/* CTFY(n, notification) */
static void put_notify_method(Aml *a, unsigned count)
{
    aml_method(a, "CTFY", 2, false);
    for (unsigned n = 0; n < count; n++) {
        g_autofree char *name = processor_name(n);

        aml_if(a);
        aml_equal(a);
        aml_arg(a, 0);
        aml_int(a, n);
        aml_notify(a);
        aml_ref(a, name);
        aml_arg(a, 1);
        aml_end(a);
    }
    aml_end(a);
}

/* ---- processors -------------------------------------------------------------------------------- */

static void put_madt_entry(Aml *a, unsigned uid, uint32_t apic_id)
{
    g_autoptr(AcpiTables) t = acpi_tables_new();

    put_entry(t, uid, apic_id, true);
    aml_name(a, "_MAT");
    aml_bytes(a, t->data->data, t->data->len);
}

static void put_hotplug_methods(Aml *a, const AcpiPcConfig *config, unsigned n)
{
    aml_method(a, "_STA", 0, true);
    aml_return(a);
    aml_call(a, "CSTA");
    aml_int(a, n);
    aml_end(a);
    put_madt_entry(a, n, config->apic_ids[n]);
    if (n > 0) {
        aml_method(a, "_EJ0", 1, false);
        aml_call(a, "CEJ0");
        aml_int(a, n);
        aml_end(a);
    }
    aml_method(a, "_OST", 3, true);
    aml_call(a, "COST");
    aml_int(a, n);
    aml_arg(a, 0);
    aml_arg(a, 1);
    aml_arg(a, 2);
    aml_end(a);
}

/* Processor objects have one byte of ID; beyond it they are devices. */
static void put_processor(Aml *a, const AcpiPcConfig *config, unsigned n)
{
    g_autofree char *name = processor_name(n);
    const CPUSlot *slot = config->cpu_slots ? &config->cpu_slots[n] : NULL;

    if (!needs_x2apic(n, config->apic_ids[n])) {
        aml_processor(a, name, (uint8_t)n);
    } else {
        aml_device(a, name);
        aml_name(a, "_HID");
        aml_string(a, "ACPI0007");
        aml_name(a, "_UID");
        aml_int(a, n);
    }
    if (config->cpu_hotplug_base) {
        put_hotplug_methods(a, config, n);
    } else {
        aml_name(a, "_STA");
        aml_int(a, present(config, n) ? STA_PRESENT_ENABLED_SHOWN : 0);
    }
    if (slot && slot->place.node_id >= 0) {
        aml_name(a, "_PXM");
        aml_int(a, (uint64_t)slot->place.node_id);
    }
    aml_end(a);
}

static void put_container(Aml *a, const AcpiPcConfig *config)
{
    aml_scope(a, "\\_SB");
    aml_device(a, "CPUS");
    aml_name(a, "_HID");
    aml_string(a, "ACPI0010");
    aml_name(a, "_CID");
    aml_eisaid(a, "PNP0A05");
    if (config->cpu_hotplug_base) {
        put_notify_method(a, config->max_cpus);
        put_status_method(a);
        put_eject_method(a);
        put_scan_method(a);
        put_ost_method(a);
    }
    for (unsigned n = 0; n < config->max_cpus; n++) {
        put_processor(a, config, n);
    }
    aml_end(a);
    aml_end(a);
}

void acpi_dsdt_put_cpus(Aml *a, const AcpiPcConfig *config)
{
    if (config->cpu_hotplug_base) {
        put_registers(a, config->cpu_hotplug_base);
    }
    put_container(a, config);
    if (config->cpu_hotplug_base) {
        aml_scope(a, "\\_GPE");
        aml_method(a, "_E02", 0, false);
        aml_call(a, "\\_SB.CPUS.CSCN");
        aml_end(a);
        aml_end(a);
    }
}
