/* SPDX-License-Identifier: MIT
 *
 * The DSDT of a pc, and of its chipset the 82441FX and 82371SB.  ACPI Specification 6.5: 5.6 (events), 6.2 (configuration), 7.4 (sleep
 * states), 8.4 (processors); 82371SB data sheet, 2.2.6 (PIRQ route control).
 */
#include "hw/acpi/acpi-dev-aml.h"
#include "hw/acpi/aml.h"
#include "hw/core/qdev.h"
#include "hw/i386/acpi-build.h"
#include "hw/i386/acpi-cpus.h"

#define PIRQ_REGISTER 0x60u
#define PIRQ_DISABLED 0x80u
#define PCI_SLOTS     32u
#define SCI_IRQ       9

#define OSC_UNKNOWN_UUID     0x04
#define OSC_UNKNOWN_REVISION 0x08
#define OSC_MASKED           0x10
#define OSC_NATIVE_HOTPLUG   0x01
#define OSC_GRANTED          0x1f /* native hot-plug, SHPC, PME, AER, PCI Express capability */

/* _STA (6.3.7) */
#define STA_PRESENT_ENABLED_SHOWN 0x0fu
#define STA_PRESENT_ENABLED       0x0bu
#define STA_PRESENT               0x09u

static void put_hid(Aml *a, const char *id)
{
    aml_name(a, "_HID");
    aml_eisaid(a, id);
}

static void put_int_name(Aml *a, const char *name, uint64_t value)
{
    aml_name(a, name);
    aml_int(a, value);
}

static void begin_crs(Aml *a)
{
    aml_name(a, "_CRS");
    aml_resources(a);
}

/* ---- the PCI host bridge ----------------------------------------------------------- */

static void put_host_resources(Aml *a, const AcpiPcConfig *config)
{
    begin_crs(a);
    aml_res_bus_numbers(a, 0, 255);
    aml_res_io(a, 0xcf8, 1, 8);
    aml_res_io_window(a, 0, 0xcf7);
    aml_res_io_window(a, 0xd00, 0xffff);
    aml_res_memory_window32(a, 0xa0000, 0xbffff, true);
    if (config->mmcfg_size && config->mmcfg_base > config->hole_start) {
        aml_res_memory_window32(a, (uint32_t)config->hole_start, (uint32_t)config->mmcfg_base - 1,
                                false);
        aml_res_memory_window32(a, (uint32_t)(config->mmcfg_base + config->mmcfg_size),
                                (uint32_t)config->hole_end, false);
    } else {
        aml_res_memory_window32(a, (uint32_t)config->hole_start, (uint32_t)config->hole_end,
                                false);
    }
    if (config->hole64_end) {
        aml_res_memory_window64(a, config->hole64_start, config->hole64_end, true);
    }
    aml_end(a);
}

/* The wires rotate by slot; the power management function (1.3) has the SCI to itself. */
static const char *link_of(unsigned slot, unsigned pin)
{
    static const char *const links[] = {"LNKA", "LNKB", "LNKC", "LNKD"};

    return slot == 1 && pin == 0 ? "LNKS" : links[(slot + pin + 3) % 4];
}

static void put_routing(Aml *a)
{
    aml_name(a, "_PRT");
    aml_package(a, PCI_SLOTS * 4);
    for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
        for (unsigned pin = 0; pin < 4; pin++) {
            aml_package(a, 4);
            aml_int(a, slot << 16 | 0xffff);
            aml_int(a, pin);
            aml_ref(a, link_of(slot, pin));
            aml_int(a, 0);
            aml_end(a);
        }
    }
    aml_end(a);
}

/* ---- PCI interrupt links --------------------------------------------------------------- */

/* IQCR(route): the resources that a route register stands for. */
void acpi_dsdt_put_link_resources_method(Aml *a)
{
    const uint32_t none = 0;

    aml_method(a, "IQCR", 1, true);
    aml_name(a, "PRR0");
    aml_resources(a);
    aml_res_interrupt(a, &none, 1);
    aml_end(a);
    aml_create_dword_field(a);
    aml_ref(a, "PRR0");
    aml_int(a, 5);
    aml_name_string(a, "PRRI");
    aml_if(a);
    aml_less(a);
    aml_arg(a, 0);
    aml_int(a, PIRQ_DISABLED);
    aml_store(a);
    aml_arg(a, 0);
    aml_ref(a, "PRRI");
    aml_end(a);
    aml_return(a);
    aml_ref(a, "PRR0");
    aml_end(a);
}

static void put_link_status(Aml *a, const char *route)
{
    aml_method(a, "_STA", 0, false);
    aml_if(a);
    aml_and(a);
    aml_ref(a, route);
    aml_int(a, PIRQ_DISABLED);
    aml_nothing(a);
    aml_return(a);
    aml_int(a, STA_PRESENT);
    aml_end(a);
    aml_return(a);
    aml_int(a, STA_PRESENT_ENABLED);
    aml_end(a);
}

static void put_link_control(Aml *a, const char *route)
{
    aml_method(a, "_DIS", 0, false);
    aml_or(a);
    aml_ref(a, route);
    aml_int(a, PIRQ_DISABLED);
    aml_ref(a, route);
    aml_end(a);

    aml_method(a, "_CRS", 0, false);
    aml_return(a);
    aml_call(a, "IQCR");
    aml_ref(a, route);
    aml_end(a);

    aml_method(a, "_SRS", 1, false);
    aml_create_dword_field(a);
    aml_arg(a, 0);
    aml_int(a, 5);
    aml_name_string(a, "PRRI");
    aml_store(a);
    aml_ref(a, "PRRI");
    aml_ref(a, route);
    aml_end(a);
}

void acpi_dsdt_put_link(Aml *a, unsigned n, const char *name, const char *route)
{
    static const uint32_t irqs[] = {5, 10, 11};

    aml_device(a, name);
    put_hid(a, "PNP0C0F");
    put_int_name(a, "_UID", n);
    aml_name(a, "_PRS");
    aml_resources(a);
    aml_res_interrupt(a, irqs, G_N_ELEMENTS(irqs));
    aml_end(a);
    put_link_status(a, route);
    put_link_control(a, route);
    aml_end(a);
}

void acpi_dsdt_put_fixed_link(Aml *a, const char *name, unsigned uid, uint32_t irq)
{
    aml_device(a, name);
    put_hid(a, "PNP0C0F");
    put_int_name(a, "_UID", uid);
    aml_name(a, "_PRS");
    aml_resources(a);
    aml_res_interrupt(a, &irq, 1);
    aml_end(a);
    put_int_name(a, "_STA", STA_PRESENT_ENABLED);
    begin_crs(a);
    aml_res_interrupt(a, &irq, 1);
    aml_end(a);
    aml_method(a, "_DIS", 0, false);
    aml_end(a);
    aml_method(a, "_SRS", 1, false);
    aml_end(a);
    aml_end(a);
}

static void put_links(Aml *a)
{
    aml_scope(a, "\\_SB");
    aml_field(a, "PCI0.ISA.P40C", AML_ACC_BYTE, AML_PRESERVE);
    aml_field_unit(a, "PRQ0", 8);
    aml_field_unit(a, "PRQ1", 8);
    aml_field_unit(a, "PRQ2", 8);
    aml_field_unit(a, "PRQ3", 8);
    aml_end(a);
    acpi_dsdt_put_link_resources_method(a);
    for (unsigned n = 0; n < 4; n++) {
        const char name[] = {'L', 'N', 'K', (char)('A' + n), 0};
        const char route[] = {'P', 'R', 'Q', (char)('0' + n), 0};

        acpi_dsdt_put_link(a, n, name, route);
    }
    acpi_dsdt_put_fixed_link(a, "LNKS", 4, SCI_IRQ);
    aml_end(a);
}

const AcpiChipset acpi_chipset_i440fx = {
    .pm_base = 0x600,
    .gpe_bytes = 4,
    .acpi_enable = 0xf1,
    .acpi_disable = 0xf0,
    .reset_value = 0x06,
    .isa_address = 0x00010000,
    .pirq_bytes = 4,
    .put_routing = put_routing,
    .put_links = put_links,
};

/* ---- devices of the ISA bridge ------------------------------------------------------------ */

static void put_keyboard(Aml *a)
{
    aml_device(a, "KBD");
    put_hid(a, "PNP0303");
    put_int_name(a, "_STA", STA_PRESENT_ENABLED_SHOWN);
    begin_crs(a);
    aml_res_io(a, 0x60, 1, 1);
    aml_res_io(a, 0x64, 1, 1);
    aml_res_irq(a, 1);
    aml_end(a);
    aml_end(a);

    aml_device(a, "MOU");
    put_hid(a, "PNP0F13");
    put_int_name(a, "_STA", STA_PRESENT_ENABLED_SHOWN);
    begin_crs(a);
    aml_res_irq(a, 12);
    aml_end(a);
    aml_end(a);
}

static void put_serial(Aml *a, unsigned n)
{
    static const struct {
        uint16_t port;
        uint8_t irq;
    } coms[] = {
        {0x3f8, 4},
        {0x2f8, 3},
        {0x3e8, 4},
        {0x2e8, 3}
    };
    const char name[] = {'C', 'O', 'M', (char)('1' + n), 0};

    aml_device(a, name);
    put_hid(a, "PNP0501");
    put_int_name(a, "_UID", n + 1);
    put_int_name(a, "_STA", STA_PRESENT_ENABLED_SHOWN);
    begin_crs(a);
    aml_res_io(a, coms[n].port, 0, 8);
    aml_res_irq(a, coms[n].irq);
    aml_end(a);
    aml_end(a);
}

static void put_parallel(Aml *a)
{
    aml_device(a, "LPT1");
    put_hid(a, "PNP0400");
    put_int_name(a, "_UID", 1);
    put_int_name(a, "_STA", STA_PRESENT_ENABLED_SHOWN);
    begin_crs(a);
    aml_res_io(a, 0x378, 8, 8);
    aml_res_irq(a, 7);
    aml_end(a);
    aml_end(a);
}

static void put_floppy(Aml *a)
{
    aml_device(a, "FDC0");
    put_hid(a, "PNP0700");
    put_int_name(a, "_STA", STA_PRESENT_ENABLED_SHOWN);
    begin_crs(a);
    aml_res_io(a, 0x3f2, 0, 4);
    aml_res_io(a, 0x3f7, 0, 1);
    aml_res_irq(a, 6);
    aml_res_dma(a, 2);
    aml_end(a);
    aml_end(a);
}

static void put_rtc(Aml *a)
{
    aml_device(a, "RTC");
    put_hid(a, "PNP0B00");
    begin_crs(a);
    aml_res_io(a, 0x70, 1, 8);
    aml_res_irq(a, 8);
    aml_end(a);
    aml_end(a);
}

static bool put_device(Object *obj, const char *name, void *opaque)
{
    AcpiDevAmlClass *klass = acpi_dev_aml_class(obj);

    if (klass && klass->build_dev_aml && DEVICE(obj)->realized) {
        klass->build_dev_aml(obj, opaque);
    }
    return false;
}

static void put_isa(Aml *a, const AcpiPcConfig *config)
{
    aml_device(a, "ISA");
    put_int_name(a, "_ADR", config->chipset->isa_address);
    aml_operation_region(a, "P40C", AML_PCI_CONFIG, PIRQ_REGISTER, config->chipset->pirq_bytes);
    if (config->i8042) {
        put_keyboard(a);
    }
    if (config->parallel_port) {
        put_parallel(a);
    }
    for (unsigned n = 0; n < 4; n++) {
        if (config->serial_ports & 1u << n) {
            put_serial(a, n);
        }
    }
    if (config->floppy) {
        put_floppy(a);
    }
    if (config->rtc) {
        put_rtc(a);
    }
    if (config->machine) {
        object_child_foreach_recursive(OBJECT(config->machine), put_device, a);
    }
    aml_end(a);
}

static void put_gpe_resources(Aml *a, const AcpiPcConfig *config)
{
    aml_device(a, "GPE0");
    put_hid(a, "PNP0A06");
    aml_name(a, "_UID");
    aml_string(a, "GPE0 resources");
    put_int_name(a, "_STA", STA_PRESENT_ENABLED);
    begin_crs(a);
    aml_res_io(a, config->gpe_base, 1, config->chipset->gpe_bytes);
    aml_end(a);
    aml_end(a);
}

static void put_fw_cfg(Aml *a)
{
    aml_device(a, "FWCF");
    aml_name(a, "_HID");
    aml_string(a, "QEMU0002");
    put_int_name(a, "_STA", STA_PRESENT_ENABLED);
    begin_crs(a);
    aml_res_io(a, 0x510, 1, 12);
    aml_end(a);
    aml_end(a);
}

static void put_or(Aml *a, const char *name, unsigned bits)
{
    aml_or(a);
    aml_ref(a, name);
    aml_int(a, bits);
    aml_ref(a, name);
}

/* Hot-plug, PME, AER and the capability structure; what else was asked for is taken out. */
static void put_control_answer(Aml *a, const AcpiPcConfig *config)
{
    aml_if(a);
    aml_equal(a);
    aml_arg(a, 1);
    aml_int(a, 1);
    aml_end(a);
    aml_else(a);
    put_or(a, "CDW1", OSC_UNKNOWN_REVISION);
    aml_end(a);
    aml_and(a);
    aml_ref(a, "CDW3");
    aml_int(a, config->pci_hotplug ? OSC_GRANTED & ~OSC_NATIVE_HOTPLUG : OSC_GRANTED);
    aml_local(a, 0);
    aml_if(a);
    aml_equal(a);
    aml_ref(a, "CDW3");
    aml_local(a, 0);
    aml_end(a);
    aml_else(a);
    put_or(a, "CDW1", OSC_MASKED);
    aml_end(a);
    aml_store(a);
    aml_local(a, 0);
    aml_ref(a, "CDW3");
}

/*
 * _OSC (PCI Firmware Specification 3.2, 4.5.1): which features of PCI Express the system may drive
 * itself.  CDW1 7 on: 1 failure  2 unknown UUID  3 unknown revision  4 capabilities masked.
 */
static void put_control_method(Aml *a, const AcpiPcConfig *config)
{
    static const uint8_t uuid[16] = {0x5b, 0x4d, 0xdb, 0x33, 0xf7, 0x1f, 0x1c, 0x40,
                                     0x96, 0x57, 0x74, 0x41, 0xc0, 0x3d, 0xd7, 0x66};
    static const char *const words[] = {"CDW1", "CDW2", "CDW3"};

    aml_method(a, "_OSC", 4, true);
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        aml_create_dword_field(a);
        aml_arg(a, 3);
        aml_int(a, 4 * i);
        aml_name_string(a, words[i]);
    }
    aml_if(a);
    aml_equal(a);
    aml_arg(a, 0);
    aml_bytes(a, uuid, sizeof(uuid));
    put_control_answer(a, config);
    aml_end(a);
    aml_else(a);
    put_or(a, "CDW1", OSC_UNKNOWN_UUID);
    aml_end(a);
    aml_return(a);
    aml_arg(a, 3);
    aml_end(a);
}

static void put_pci(Aml *a, const AcpiPcConfig *config)
{
    aml_device(a, "PCI0");
    put_hid(a, config->chipset->express ? "PNP0A08" : "PNP0A03");
    if (config->chipset->express) {
        aml_name(a, "_CID");
        aml_eisaid(a, "PNP0A03");
        put_control_method(a, config);
    }
    put_int_name(a, "_UID", config->root_bus_uid);
    put_host_resources(a, config);
    config->chipset->put_routing(a);
    put_isa(a, config);
    put_gpe_resources(a, config);
    if (config->fw_cfg) {
        put_fw_cfg(a);
    }
    aml_end(a);
}

/* The system must find configuration space reserved (PCI Firmware Specification 3.2, 4.1.2). */
static void put_mmcfg(Aml *a, const AcpiPcConfig *config)
{
    aml_device(a, "DRAC");
    aml_name(a, "_HID");
    aml_string(a, "PNP0C01");
    begin_crs(a);
    aml_res_memory32(a, (uint32_t)config->mmcfg_base, (uint32_t)config->mmcfg_size, true);
    aml_end(a);
    aml_end(a);
}

/* ---- the rest -------------------------------------------------------------------------- */

static void put_hpet(Aml *a)
{
    aml_device(a, "HPET");
    put_hid(a, "PNP0103");
    put_int_name(a, "_UID", 0);
    begin_crs(a);
    aml_res_memory32(a, 0xfed00000, 0x400, false);
    aml_end(a);
    aml_end(a);
}

static void put_sleep_state(Aml *a, unsigned state, int type)
{
    const char name[] = {'_', 'S', (char)('0' + state), '_', 0};

    if (type < 0) {
        return;
    }
    aml_name(a, name);
    aml_package(a, 4);
    aml_int(a, (uint64_t)type);
    aml_int(a, (uint64_t)type);
    aml_int(a, 0);
    aml_int(a, 0);
    aml_end(a);
}

GByteArray *acpi_build_dsdt_code(const AcpiPcConfig *config)
{
    Aml *a = aml_new();

    aml_scope(a, "\\_SB");
    put_pci(a, config);
    if (config->mmcfg_size) {
        put_mmcfg(a, config);
    }
    if (config->hpet) {
        put_hpet(a);
    }
    aml_end(a);
    acpi_dsdt_put_cpus(a, config);
    acpi_dsdt_put_pci_hotplug(a, config);
    config->chipset->put_links(a);
    for (unsigned state = 3; state <= 5; state++) {
        put_sleep_state(a, state, config->sleep_types[state]);
    }
    return aml_free(a);
}
