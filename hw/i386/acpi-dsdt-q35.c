/* SPDX-License-Identifier: MIT
 *
 * The DSDT's part about the ICH9.  Data sheet 316972: 5.10.2 (PIRQs in the I/O APIC), 13.1.17
 * (PIRQn_ROUT); ACPI Specification 6.5: 5.8.1 (_PIC), 6.2.13 (_PRT).
 */
#include "hw/acpi/aml.h"
#include "hw/i386/acpi-build.h"

#define PCI_SLOTS       32u
#define FIRST_CHIP_SLOT 25u
#define BRIDGE_SLOT     30u
#define NUM_PIRQS       8u
#define FIRST_GSI       16u

/* Slots of the board begin with PIRQE and rotate; those in the chip, as reset leaves them. */
static unsigned pirq_of(unsigned slot, unsigned pin)
{
    return slot >= FIRST_CHIP_SLOT && slot != BRIDGE_SLOT ? pin : 4 + (slot + pin) % 4;
}

static void put_table(Aml *a, const char *name, const char *prefix)
{
    aml_name(a, name);
    aml_package(a, PCI_SLOTS * 4);
    for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
        for (unsigned pin = 0; pin < 4; pin++) {
            g_autofree char *link = g_strdup_printf("%s%c", prefix, 'A' + pirq_of(slot, pin));

            aml_package(a, 4);
            aml_int(a, slot << 16 | 0xffff);
            aml_int(a, pin);
            aml_ref(a, link);
            aml_int(a, 0);
            aml_end(a);
        }
    }
    aml_end(a);
}

/* The system says by _PIC(1) that it uses the I/O APIC. */
static void put_routing(Aml *a)
{
    put_table(a, "PRTP", "LNK");
    put_table(a, "PRTA", "GSI");
    aml_method(a, "_PRT", 0, false);
    aml_if(a);
    aml_equal(a);
    aml_ref(a, "\\PICF");
    aml_int(a, 0);
    aml_return(a);
    aml_ref(a, "PRTP");
    aml_end(a);
    aml_return(a);
    aml_ref(a, "PRTA");
    aml_end(a);
}

static void put_pic_method(Aml *a)
{
    aml_name(a, "PICF");
    aml_int(a, 0);
    aml_method(a, "_PIC", 1, false);
    aml_store(a);
    aml_arg(a, 0);
    aml_ref(a, "PICF");
    aml_end(a);
}

static void put_links(Aml *a)
{
    put_pic_method(a);
    aml_scope(a, "\\_SB");
    aml_field(a, "PCI0.ISA.P40C", AML_ACC_BYTE, AML_PRESERVE);
    for (unsigned n = 0; n < NUM_PIRQS; n++) {
        const char route[] = {'P', 'R', 'Q', (char)('A' + n), 0};

        if (n == 4) {
            aml_field_unit(a, NULL, 32);
        }
        aml_field_unit(a, route, 8);
    }
    aml_end(a);
    acpi_dsdt_put_link_resources_method(a);
    for (unsigned n = 0; n < NUM_PIRQS; n++) {
        const char name[] = {'L', 'N', 'K', (char)('A' + n), 0};
        const char route[] = {'P', 'R', 'Q', (char)('A' + n), 0};

        acpi_dsdt_put_link(a, n, name, route);
    }
    for (unsigned n = 0; n < NUM_PIRQS; n++) {
        const char name[] = {'G', 'S', 'I', (char)('A' + n), 0};

        acpi_dsdt_put_fixed_link(a, name, FIRST_GSI + n, FIRST_GSI + n);
    }
    aml_end(a);
}

const AcpiChipset acpi_chipset_q35 = {
    .pm_base = 0x600,
    .gpe_bytes = 16,
    .acpi_enable = 0x02,
    .acpi_disable = 0x03,
    .reset_value = 0x0f,
    .isa_address = 0x001f0000,
    .pirq_bytes = 12,
    .express = true,
    .put_routing = put_routing,
    .put_links = put_links,
};
