/* SPDX-License-Identifier: MIT
 *
 * The parts of a PC and how they are wired.  Ports and interrupt lines: IBM PC AT Technical
 * Reference; 82371SB (PIIX3) data sheet; CMOS bytes: Ralf Brown's CMOS map.
 */
#include "hw/i386/pc.h"
#include <string.h>
#include "accel/accel.h"
#include "hw/acpi/acpitable.h"
#include "hw/acpi/pci-hotplug.h"
#include "hw/block/fdc.h"
#include "hw/char/parallel.h"
#include "hw/char/serial.h"
#include "hw/display/vga.h"
#include "hw/i386/mptable.h"
#include "hw/i386/vmport.h"
#include "hw/i2c/i2c.h"
#include "hw/input/i8042.h"
#include "hw/intc/apic.h"
#include "hw/intc/i8259.h"
#include "hw/isa/i8257.h"
#include "hw/timer/hpet.h"
#include "system/block/block.h"
#include "system/log.h"
#include "target/i386/smm.h"

#define RTC_IRQ              8
#define RTC_BASE_YEAR        2000
#define ELCR_HIGH            0x4d1u
#define KBD_DATA             0x60
#define KBD_COMMAND          0x64
#define KBD_MODE             0x65 /* translate, mouse off, system flag, keyboard interrupt */
#define PCI_IO_START         0xc000u
#define PCI_IO_END           0x10000u
#define PCI_MEM_END          0xfec00000u
#define MP_TABLE_ADDRESS     0x000f6000u
#define GIB                  0x40000000ull
#define CMOS_SHUTDOWN_STATUS 0x0f
#define CMOS_RESUME          0xfe
#define SPD_ADDRESS          0x50
#define SPD_COUNT            8
#define FOUR_GIB             (4 * GIB)

/* ---- interrupts ------------------------------------------------------------------- */

static void gsi_handler(void *opaque, int n, int level)
{
    GSIState *s = opaque;

    if (n < ISA_NUM_IRQS) {
        irq_set(s->i8259_irq[n], level);
    }
    irq_set(s->ioapic_irq[n], level);
}

GSIState *pc_gsi_create(X86MachineState *x86ms, IRQ **ret_gsi)
{
    MachineState *machine = MACHINE(x86ms);

    machine->gsi = irq_new_array(gsi_handler, &x86ms->gsi_state, X86_NUM_GSI);
    machine->nr_gsi = X86_NUM_GSI;
    *ret_gsi = machine->gsi;
    return &x86ms->gsi_state;
}

void isa_bus_irqs(ISABus *bus, IRQ *gsi)
{
    isa_bus_register_input_irqs(bus, gsi);
}

bool pc_i8259_create(X86MachineState *x86ms, ISABus *bus, GSIState *gsi_state, GError **error)
{
    MachineState *machine = MACHINE(x86ms);
    I8259Pair pair;

    if (PC_MACHINE(x86ms)->pic_wanted == ON_OFF_AUTO_OFF) {
        return true;
    }
    if (!i8259_create_pair(bus, apic_extint_line(machine), &pair, error)) {
        return false;
    }
    apic_set_pic(machine, pair.master);
    for (int i = 0; i < ISA_NUM_IRQS; i++) {
        gsi_state->i8259_irq[i] = pair.irqs[i];
    }
    return true;
}

bool ioapic_init_gsi(X86MachineState *x86ms, GSIState *gsi_state, GError **error)
{
    DeviceState *dev = qdev_new(accel_device_type(MACHINE(x86ms), TYPE_IOAPIC), error);
    DeviceState *host = BUS(PC_MACHINE(x86ms)->pci_bus)->parent; /* where one looks for it */

    if (!dev || !object_add_child(OBJECT(host), "ioapic", OBJECT(dev), error)) {
        return false;
    }
    x86ms->ioapic = dev;
    if (!qdev_realize_and_unref(dev, NULL, error)) {
        return false;
    }
    sysbus_mmio_map(SYS_BUS_DEVICE(dev), 0, IOAPIC_DEFAULT_ADDRESS);
    for (int i = 0; i < IOAPIC_NUM_PINS; i++) {
        gsi_state->ioapic_irq[i] = qdev_get_gpio_in(dev, i);
    }
    return true;
}

static void pc_raise_gpe(void *opaque, unsigned n)
{
    acpi_pm_raise_gpe(opaque, n);
}

static void pc_machine_raise_gpe(MachineState *machine, unsigned n)
{
    if (PC_MACHINE(machine)->acpi) {
        acpi_pm_raise_gpe(PC_MACHINE(machine)->acpi, n);
    }
}

void pc_cpu_hotplug_init(PCMachineState *pcms, DeviceState *chip, uint16_t base)
{
    x86_cpu_hotplug_init(X86_MACHINE(pcms), chip, base, pc_raise_gpe, pcms->acpi);
}

/* ---- what the guest is told ------------------------------------------------------------ */

void pc_guest_info_init(PCMachineState *pcms)
{
    X86MachineState *x86ms = X86_MACHINE(pcms);
    AcpiPcConfig *c = &pcms->acpi_config;

    c->apic_ids = (const uint32_t *)(void *)x86ms->apic_ids->data;
    c->max_cpus = x86ms->apic_ids->len;
    c->nr_cpus = MACHINE(pcms)->smp.cpus;
    c->cpu_slots = MACHINE(pcms)->cpu_slots;
    c->numa = MACHINE(pcms)->numa;
    c->chipset = PC_MACHINE_GET_CLASS(pcms)->acpi_chipset;
    c->machine = MACHINE(pcms);
    c->pm_base = c->chipset->pm_base;
    c->hpet = pcms->hpet_enabled;
    c->i8042 = pcms->i8042_enabled;
    c->rtc = c->fw_cfg = c->ioapic = true;
}

/* What is known only when the devices are there. */
static void pc_guest_info_finish(PCMachineState *pcms)
{
    X86MachineState *x86ms = X86_MACHINE(pcms);
    GPtrArray *serial = MACHINE(pcms)->serial, *parallel = MACHINE(pcms)->parallel;
    AcpiPcConfig *c = &pcms->acpi_config;

    for (guint i = 0; i < MIN(serial->len, MAX_ISA_SERIAL); i++) {
        c->serial_ports |= (unsigned)(g_ptr_array_index(serial, i) != NULL) << i;
    }
    c->parallel_port = parallel->len && parallel->pdata[0];
    c->oem_id = pcms->oem_id;
    c->oem_table_id = pcms->oem_table_id;
    if (!pcms->fdc) { /* -device isa-fdc */
        pcms->fdc = (ISADevice *)object_resolve_path_type(OBJECT(pcms), TYPE_ISA_FDC, NULL);
    }
    c->floppy = pcms->fdc != NULL;
    for (int state = 3; state <= 5; state++) {
        c->sleep_types[state] = acpi_pm_sleep_type(pcms->acpi, state);
    }
    c->nr_cpus = x86_count_cpus(MACHINE(pcms)); /* -device may have added some */
    c->cpu_hotplug_base = x86_cpu_hotplug_base(x86ms);
    c->below_4g = x86ms->below_4g_mem_size;
    c->hole_start = x86ms->below_4g_mem_size;
    c->hole_end = PCI_MEM_END - 1;
    c->hole64_start = (FOUR_GIB + x86ms->above_4g_mem_size + GIB - 1) & ~(GIB - 1);
    c->root_bus_uid = PC_MACHINE_GET_CLASS(pcms)->root_bus_uid;
    PC_MACHINE_GET_CLASS(pcms)->describe_chipset(pcms, c);
    if (c->pci_hotplug) {
        acpi_pci_hotplug_number_buses(c->pci_hotplug);
    }
}

/* ---- memory ------------------------------------------------------------------------------ */

bool pc_memory_init(PCMachineState *pcms, MemoryRegion *rom_memory, GError **error)
{
    PCMachineClass *pcmc = PC_MACHINE_GET_CLASS(pcms);
    X86MachineState *x86ms = X86_MACHINE(pcms);

    memory_region_init(rom_memory, OBJECT(pcms), "pci", UINT64_MAX);
    if (!x86_memory_init(x86ms, &pcmc->low_memory, error)) {
        return false;
    }
    pcms->pci_mem_start =
        (uint32_t)MIN(MAX(pcmc->pci_mem_start, x86ms->below_4g_mem_size), PCI_MEM_END);
    return pc_firmware_init(pcms, rom_memory, error);
}

/* ---- devices -------------------------------------------------------------------------------- */

bool pc_vga_init(PCMachineState *pcms, PCIBus *bus, GError **error)
{
    if (pcms->vga == PC_VGA_NONE ||
        (pcms->vga == PC_VGA_AUTO && (MACHINE(pcms)->absent_defaults & MACHINE_DEFAULT_VGA))) {
        return true;
    }
    pcms->has_vga = pci_create(bus, -1, TYPE_PCI_VGA, error) != NULL;
    return pcms->has_vga;
}

bool pc_usb_init(PCMachineState *pcms, PCIBus *bus, GError **error)
{
    return !MACHINE(pcms)->usb || pci_create(bus, -1, "qemu-xhci", error) != NULL;
}

/* The line that drives all CPUs' A20M#. */
static void pc_a20_on_cpu(CPUState *cpu, void *data)
{
    x86_set_a20(cpu_env(cpu), GPOINTER_TO_INT(data));
}

static void pc_set_a20(void *opaque, int n, int level)
{
    MachineState *machine = MACHINE(opaque);
    AccelClass *ac = machine->accelerator ? ACCEL_GET_CLASS(machine->accelerator) : NULL;

    if (ac && ac->set_a20) {
        ac->set_a20(machine->accelerator, level);
        return;
    }
    for (guint i = 0; i < machine->cpus->len; i++) {
        cpu_run_async(g_ptr_array_index(machine->cpus, i), pc_a20_on_cpu, GINT_TO_POINTER(level));
    }
}

/* With an HPET the outputs of the 8254 and the RTC pass through it. */
static DeviceState *pc_hpet_create(PCMachineState *pcms, IRQ *gsi, GError **error)
{
    uint32_t intcap = PC_MACHINE_GET_CLASS(pcms)->hpet_intcap;
    DeviceState *hpet = qdev_new(TYPE_HPET, error);

    if (!hpet || !object_add_child(MACHINE(pcms)->unattached, "hpet", OBJECT(hpet), error) ||
        !object_property_set_uint(OBJECT(hpet), "hpet-intcap", intcap, error) ||
        !qdev_realize_and_unref(hpet, NULL, error)) {
        return NULL;
    }
    sysbus_mmio_map(SYS_BUS_DEVICE(hpet), 0, HPET_BASE);
    for (int i = 0; i < X86_NUM_GSI; i++) {
        sysbus_connect_irq(SYS_BUS_DEVICE(hpet), i, gsi[i]);
    }
    return hpet;
}

static bool pc_timers_init(PCMachineState *pcms, ISABus *bus, IRQ *gsi, GError **error)
{
    X86MachineState *x86ms = X86_MACHINE(pcms);
    DeviceState *hpet = NULL;
    IRQ pit_irq = NULL, rtc_irq = NULL;

    if (pcms->hpet_enabled) {
        hpet = pc_hpet_create(pcms, gsi, error);
        if (!hpet) {
            return false;
        }
        pit_irq = qdev_get_gpio_in(hpet, HPET_LEGACY_PIT_INT);
        rtc_irq = qdev_get_gpio_in(hpet, HPET_LEGACY_RTC_INT);
    }
    x86ms->rtc = mc146818_rtc_create(bus, RTC_BASE_YEAR, rtc_irq, error);
    if (!x86ms->rtc) {
        return false;
    }
    x86_nmi_init(x86ms);
    if (pcms->pit_wanted == ON_OFF_AUTO_OFF) {
        return true;
    }
    pcms->pit = i8254_create(bus, 0x40, 0, pit_irq, error);
    if (!pcms->pit) {
        return false;
    }
    if (hpet) {
        qdev_connect_gpio_out(hpet, 0, qdev_get_gpio_in(DEVICE(pcms->pit), 0));
    }
    return pcspk_create(bus, pcms->pit, error) != NULL;
}

/* Newer machines have one only if there is a disk for it. */
static bool pc_wants_fdc(PCMachineState *pcms)
{
    MachineState *machine = MACHINE(pcms);

    return !MACHINE_GET_CLASS(pcms)->no_floppy || drive_get(machine, BLOCK_IF_FLOPPY, 0, 0) ||
           drive_get(machine, BLOCK_IF_FLOPPY, 0, 1);
}

static bool pc_superio_init(PCMachineState *pcms, ISABus *bus, GError **error)
{
    IRQ a20 = irq_new(pc_set_a20, pcms, 0);
    bool ok = serial_isa_create_all(bus, error) && parallel_isa_create_all(bus, error);

    if (ok && pcms->i8042_enabled) {
        pcms->i8042 = i8042_create(bus, a20, error);
        ok = pcms->i8042 != NULL;
    }
    if (ok && pcms->vmport != ON_OFF_AUTO_OFF) {
        ok = vmport_create(bus, pcms->i8042, error);
    }
    ok = ok && port92_create(bus, a20, error) && portf0_create(bus, MACHINE(pcms), error);
    irq_unref(a20);
    if (ok && pc_wants_fdc(pcms)) {
        pcms->fdc = fdc_create(bus, !MACHINE_GET_CLASS(pcms)->no_floppy, error);
        ok = pcms->fdc != NULL;
    }
    return ok;
}

bool pc_basic_device_init(PCMachineState *pcms, ISABus *bus, IRQ *gsi, GError **error)
{
    return pc_timers_init(pcms, bus, gsi, error) && i8257_create_pair(bus, error) &&
           pc_superio_init(pcms, bus, error);
}

/* One EEPROM for each slot that a board has for memory, empty: nobody is to size RAM by them. */
bool pc_smbus_populate(PCMachineState *pcms, I2CBus *bus, GError **error)
{
    return !pcms->smbus_enabled || smbus_eeprom_create_all(bus, SPD_ADDRESS, SPD_COUNT, error);
}

bool pc_fw_cfg_init(PCMachineState *pcms, GError **error)
{
    X86MachineState *x86ms = X86_MACHINE(pcms);
    DeviceState *dev = qdev_new(TYPE_FW_CFG_IO, error);

    if (!dev || !object_add_child(OBJECT(pcms), "fw_cfg", OBJECT(dev), error)) {
        return false;
    }
    x86ms->fw_cfg = MACHINE(pcms)->fw_cfg = fw_cfg_from_device(dev);
    return qdev_realize_and_unref(dev, NULL, error);
}

/* ---- SMI ----------------------------------------------------------------------------------- */

static void pc_smi(void *opaque, int n, int level)
{
    MachineState *machine = opaque;
    guint last = n == 0 ? 0 : UINT_MAX;
    CPUState *cpu;

    for (guint i = 0; level && i <= last && (cpu = machine_get_cpu(machine, (int)i)); i++) {
        cpu_interrupt(cpu, CPU_INTERRUPT_SMI);
    }
}

IRQ *pc_smi_lines(PCMachineState *pcms)
{
    return MACHINE(pcms)->smram ? irq_new_array(pc_smi, MACHINE(pcms), PC_SMI_LINES) : NULL;
}

/* ---- the machine is complete, and its resets ------------------------------------------------ */

static bool pc_acpi_options(PCMachineState *pcms, GError **error)
{
    GPtrArray *options = MACHINE(pcms)->acpi_table_options;

    for (guint i = 0; i < options->len; i++) {
        GBytes *table = acpitable_load(g_ptr_array_index(options, i), error);
        if (!table) {
            return false;
        }
        g_ptr_array_add(pcms->acpi_config.extra, table);
    }
    return true;
}

/* -uuid, and then -smbios, which may say otherwise. */
static bool pc_smbios_options(PCMachineState *pcms, GError **error)
{
    GPtrArray *options = MACHINE(pcms)->smbios_options;
    const char *text = MACHINE(pcms)->uuid;
    uint8_t uuid[16];

    if (text && !smbios_parse_uuid(text, uuid)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE, "-uuid: not a UUID: '%s'", text);
        return false;
    }
    if (text) {
        smbios_config_set_uuid(X86_MACHINE(pcms)->smbios, uuid);
        fw_cfg_set_bytes(MACHINE(pcms)->fw_cfg, FW_CFG_UUID, uuid, sizeof(uuid));
    }

    for (guint i = 0; i < options->len; i++) {
        if (!smbios_config_option(X86_MACHINE(pcms)->smbios, g_ptr_array_index(options, i),
                                  error)) {
            return false;
        }
    }
    return true;
}

/* For systems that are told to do without ACPI. */
static bool pc_add_mp_table(PCMachineState *pcms, GError **error)
{
    X86MachineState *x86ms = X86_MACHINE(pcms);
    SmbiosMachine sm = x86_smbios_machine(x86ms, false);
    MPTableConfig config = {
        .apic_ids = pcms->acpi_config.apic_ids,
        .nr_cpus = pcms->acpi_config.nr_cpus,
        .cpu_signature = sm.cpu_signature,
        .cpu_features = sm.cpu_features,
        .pci_pin = PC_MACHINE_GET_CLASS(pcms)->ioapic_pin,
    };
    g_autoptr(GByteArray) table = mptable_build(&config, MP_TABLE_ADDRESS);
    return x86_boot_add_bytes(x86ms->loader, "MP table", MP_TABLE_ADDRESS, table->data, table->len,
                              error);
}

bool pc_machine_done(MachineState *machine, GError **error)
{
    PCMachineState *pcms = PC_MACHINE(machine);
    X86MachineState *x86ms = X86_MACHINE(machine);

    pc_guest_info_finish(pcms);
    pc_cmos_disks(pcms);
    if (!pc_smbios_options(pcms, error) || !pc_acpi_options(pcms, error) ||
        !pc_fw_cfg_fill(pcms, error)) {
        return false;
    }
    if (!x86_boots_directly(x86ms)) {
        return true;
    }
    g_autoptr(AcpiTables) acpi =
        x86ms->acpi == ON_OFF_AUTO_OFF ? NULL : acpi_build_pc(&pcms->acpi_config);
    return x86_start_prepare(x86ms, acpi, pcms->has_vga, error) && pc_add_mp_table(pcms, error);
}

/* Keyboard on, scan codes translated, as every BIOS leaves the controller (command 60h). */
static void pc_init_keyboard_controller(MachineState *machine)
{
    address_space_store(&machine->address_space_io, KBD_COMMAND, 0x60, 1, MEMTXATTRS_NONE);
    address_space_store(&machine->address_space_io, KBD_DATA, KBD_MODE, 1, MEMTXATTRS_NONE);
}

/* The bootstrap processor's local APIC in virtual wire mode (MP specification 1.4, 3.6.2.2). */
static void pc_init_virtual_wire(MachineState *machine)
{
    static const struct {
        uint16_t reg;
        uint32_t value;
    } rows[] = {
        {0x0f0, 0x1ff }, /* enabled, spurious vector ffh */
        {0x350, 0x8700}, /* LINT0: ExtINT */
        {0x360, 0x8400}, /* LINT1: NMI */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        address_space_store(&machine->address_space_memory, APIC_DEFAULT_ADDRESS + rows[i].reg,
                            rows[i].value, 4, MEMTXATTRS_NONE);
    }
}

/* The part of firmware's work that is in devices. */
static void pc_act_as_firmware(PCMachineState *pcms)
{
    PCMachineClass *pcmc = PC_MACHINE_GET_CLASS(pcms);
    MachineState *machine = MACHINE(pcms);
    g_autoptr(GError) error = NULL;

    pc_init_virtual_wire(machine);
    pcmc->act_as_firmware(pcms);
    address_space_store(&machine->address_space_io, ELCR_HIGH, 0x0c, 1, MEMTXATTRS_NONE);
    if (!pci_assign_resources(pcms->pci_bus, pcms->pci_mem_start, PCI_MEM_END, PCI_IO_START,
                              PCI_IO_END, pcmc->pci_irqs, &error)) {
        log_if(LOG_PCI, "pci: %s\n", error->message);
    }
    if (pcms->i8042) {
        pc_init_keyboard_controller(machine);
    }
    if (pcms->has_vga) {
        pc_vga_text_mode(pcms);
    }
}

static void pc_reset_for_wakeup(PCMachineState *pcms)
{
    const PCKeptRegisters *kept = PC_MACHINE_GET_CLASS(pcms)->kept_registers;
    g_autoptr(GByteArray) values = g_byte_array_new();
    unsigned n = 0;

    for (const PCKeptRegisters *row = kept; row->count; row++) {
        for (unsigned i = 0; i < row->count; i++) {
            uint32_t address = (uint32_t)row->devfn << 8 | (row->first + i);
            uint8_t value = (uint8_t)pci_data_read(pcms->pci_bus, address, 1);

            g_byte_array_append(values, &value, 1);
        }
    }
    resettable_reset(OBJECT(pcms), RESET_COLD);
    for (const PCKeptRegisters *row = kept; row->count; row++) {
        for (unsigned i = 0; i < row->count; i++, n++) {
            uint32_t address = (uint32_t)row->devfn << 8 | (row->first + i);

            pci_data_write(pcms->pci_bus, address, values->data[n], 1);
        }
    }
}

static bool pc_machine_wakeup(MachineState *machine, WakeupReason reason)
{
    PCMachineState *pcms = PC_MACHINE(machine);

    if (!acpi_pm_wakes(pcms->acpi, reason)) {
        return false;
    }
    mc146818_rtc_set_cmos(X86_MACHINE(machine)->rtc, CMOS_SHUTDOWN_STATUS, CMOS_RESUME);
    pc_reset_for_wakeup(pcms);
    if (x86_boots_directly(X86_MACHINE(machine))) {
        pc_act_as_firmware(pcms);
        x86_start_wakeup(X86_MACHINE(machine));
    } else if (PC_MACHINE_GET_CLASS(machine)->before_resume) {
        PC_MACHINE_GET_CLASS(machine)->before_resume(pcms);
    }
    acpi_pm_wakeup(pcms->acpi, reason);
    return true;
}

void pc_machine_reset(MachineState *machine, ShutdownCause reason)
{
    pc_cmos_next_boot(PC_MACHINE(machine));
    resettable_reset(OBJECT(machine), RESET_COLD);
    if (x86_boots_directly(X86_MACHINE(machine))) {
        pc_act_as_firmware(PC_MACHINE(machine));
        x86_start_reset(X86_MACHINE(machine));
    }
}

/* ---- the type ------------------------------------------------------------------------------- */

static const char *const pc_vga_names[] = {"auto", "none", "std", NULL};
static const EnumInfo pc_vga_enum = {"PCVGAKind", pc_vga_names};

static bool check_length(const Property *prop, GVariant *value, size_t max, GError **error)
{
    if (strlen(g_variant_get_string(value, NULL)) > max) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "%s: at most %zu characters are possible", prop->name, max);
        return false;
    }
    return true;
}

static bool check_oem_id(Object *obj, const Property *prop, GVariant *value, GError **error)
{
    return check_length(prop, value, 6, error);
}

static bool check_oem_table_id(Object *obj, const Property *prop, GVariant *value, GError **error)
{
    return check_length(prop, value, 8, error);
}

static const Property pc_machine_properties[] = {
    DEFINE_PROP_BOOL("hpet", PCMachineState, hpet_enabled, true, "an HPET"),
    DEFINE_PROP_BOOL("i8042", PCMachineState, i8042_enabled, true, "a PS/2 controller"),
    DEFINE_PROP_ON_OFF_AUTO("pit", PCMachineState, pit_wanted, ON_OFF_AUTO_AUTO,
                            "an 8254 timer (auto is on)"),
    DEFINE_PROP_ON_OFF_AUTO("pic", PCMachineState, pic_wanted, ON_OFF_AUTO_AUTO,
                            "the pair of 8259 interrupt controllers (auto is on)"),
    DEFINE_PROP_BOOL("sata", PCMachineState, sata_enabled, true,
                     "a SATA controller (q35)"),
    DEFINE_PROP_BOOL("smbus", PCMachineState, smbus_enabled, true, "a system management bus"),
    DEFINE_PROP_BOOL("fd-bootchk", PCMachineState, fd_bootchk, true,
                     "firmware looks for the boot signature of floppy disks"),
    DEFINE_PROP_ON_OFF_AUTO("vmport", PCMachineState, vmport, ON_OFF_AUTO_AUTO,
                            "VMware's port, with an absolute pointer; auto: on"),
    DEFINE_PROP_ENUM("vga", PCMachineState, vga, &pc_vga_enum, PC_VGA_AUTO,
                     "display adapter; auto: std unless -nodefaults or -device has one"),
    DEFINE_PROP_STRING("pflash0", PCMachineState, pflash[0], NULL,
                       "id of the drive with the first flash: firmware"),
    DEFINE_PROP_STRING("pflash1", PCMachineState, pflash[1], NULL,
                       "id of the drive with the second flash: its variables"),
    DEFINE_PROP_SIZE("max-fw-size", PCMachineState, max_fw_size, 8u << 20,
                     "most bytes of firmware in flash", .max = 16u << 20),
    DEFINE_PROP_STRING("x-oem-id", PCMachineState, oem_id, NULL,
                       "who made the ACPI tables, up to 6 characters", .check = check_oem_id),
    DEFINE_PROP_STRING("x-oem-table-id", PCMachineState, oem_table_id, NULL,
                       "name of the ACPI tables, up to 8 characters", .check = check_oem_table_id),
    DEFINE_PROP_STRING("pcspk-audiodev", PCMachineState, pcspk_audiodev, NULL,
                       "audio back end of the speaker (accepted, silent)"),
    DEFINE_PROP_END,
};

static void pc_machine_instance_init(Object *obj)
{
    PCMachineState *pcms = PC_MACHINE(obj);

    pcms->acpi_config.extra = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
}

static void pc_machine_finalize(Object *obj)
{
    g_ptr_array_unref(PC_MACHINE(obj)->acpi_config.extra);
}

static void pc_machine_class_init(ObjectClass *klass, const void *data)
{
    MachineClass *mc = MACHINE_CLASS(klass);

    mc->max_cpus = 255;
    mc->default_cpus = 1;
    mc->default_cpu_type = "qemu64-x86_64-cpu";
    mc->default_ram_size = 128u << 20;
    mc->default_ram_id = "pc.ram";
    mc->block_default_type = "ide";
    mc->done = pc_machine_done;
    mc->reset = pc_machine_reset;
    mc->wakeup = pc_machine_wakeup;
    mc->inject_nmi = x86_inject_nmi;
    mc->acpi_raise_gpe = pc_machine_raise_gpe;
}

static const TypeInfo pc_machine_types[] = {
    {
     .name = TYPE_PC_MACHINE,
     .parent = TYPE_X86_MACHINE,
     .abstract = true,
     .class_size = sizeof(PCMachineClass),
     .instance_size = sizeof(PCMachineState),
     .instance_init = pc_machine_instance_init,
     .instance_finalize = pc_machine_finalize,
     .class_init = pc_machine_class_init,
     .properties = pc_machine_properties,
     },
};

DEFINE_TYPES(pc_machine_types)
