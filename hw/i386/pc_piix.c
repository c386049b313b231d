/* SPDX-License-Identifier: MIT
 *
 * The i440FX machine (request M13): 82441FX host bridge, PIIX3 south bridge.
 */
#include <string.h>
#include "hw/i386/pc.h"
#include "hw/ide/ide.h"
#include "hw/isa/piix3.h"
#include "hw/pci-host/i440fx.h"

#define TYPE_I440FX_MACHINE MACHINE_TYPE_NAME("generic-i440fx")

#define IDE_DEVFN PCI_MAKE_DEVFN(1, 1)
#define PM_DEVFN  PCI_MAKE_DEVFN(1, 3)

#define PIIX3_DEVFN      PCI_MAKE_DEVFN(1, 0)
#define PIIX3_PIRQ       0x60u /* four route registers */
#define PIIX4_SMBHSTBASE 0x90u
#define PIIX4_SMBHSTCFG  0xd2u
#define HOLE64_SIZE      0x80000000ull

static bool pc_pci_ide_init(PCMachineState *pcms, PCIBus *bus, GError **error)
{
    PCIDevice *ide = piix3_ide_create(bus, IDE_DEVFN, error);

    pcms->ide = ide;
    return ide && ide_create_drives(MACHINE(pcms), ide, error);
}

static bool pc_pm_init(PCMachineState *pcms, PCIBus *bus, IRQ *gsi, GError **error)
{
    IRQ *smi = pc_smi_lines(pcms);

    pcms->piix4_pm = piix4_pm_create(bus, PM_DEVFN, gsi[PIIX4_SCI_IRQ], smi ? smi[0] : NULL, error);
    irq_free_array(smi, smi ? PC_SMI_LINES : 0);
    if (!pcms->piix4_pm) {
        return false;
    }
    pcms->acpi = piix4_pm_acpi(pcms->piix4_pm);
    pc_cpu_hotplug_init(pcms, DEVICE(pcms->piix4_pm), ACPI_CPU_HOTPLUG_PIIX_BASE);
    return pc_smbus_populate(pcms, piix4_pm_smbus(pcms->piix4_pm), error);
}

/* ---- firmware's part ------------------------------------------------------------------ */

/* The PIIX4's SMBus host goes to the place that everyone uses, its interrupt is the SCI. */
static void i440fx_act_as_firmware(PCMachineState *pcms)
{
    const uint8_t *irqs = PC_MACHINE_GET_CLASS(pcms)->pci_irqs;
    PCIBus *bus = pcms->pci_bus;

    i440fx_open_ram(bus);
    for (unsigned i = 0; i < PIIX_NUM_PIRQS; i++) {
        pci_data_write(bus, (uint32_t)PIIX3_DEVFN << 8 | (PIIX3_PIRQ + i), irqs[i], 1);
    }
    piix4_pm_enable_acpi(pcms->piix4_pm);
    pci_data_write(bus, (uint32_t)PM_DEVFN << 8 | PIIX4_SMBHSTBASE, PIIX4_SMB_BASE | 1, 4);
    pci_data_write(bus, (uint32_t)PM_DEVFN << 8 | PIIX4_SMBHSTCFG, 0x09, 1);
    pci_data_write(bus, (uint32_t)PM_DEVFN << 8 | PCI_INTERRUPT_LINE, PIIX4_SCI_IRQ, 1);
}

/* The wires rotate by slot; the power management function (1.3) has the SCI to itself. */
static uint8_t i440fx_ioapic_pin(unsigned slot, unsigned pin)
{
    static const uint8_t irqs[] = {10, 10, 11, 11};

    return slot == 1 && pin == 0 ? PIIX4_SCI_IRQ : irqs[(slot + pin + 3) % 4];
}

static void i440fx_describe_chipset(PCMachineState *pcms, AcpiPcConfig *config)
{
    config->gpe_base = PIIX4_GPE_BASE;
    config->pci_hotplug = piix4_pm_pci_hotplug(pcms->piix4_pm);
    config->hole64_end = config->hole64_start + HOLE64_SIZE - 1;
}

/* ---- the board ------------------------------------------------------------------------ */

/* M13: every step below is a row of the blueprint. */
static bool pc_init1(MachineState *machine, GError **error)
{
    PCMachineState *pcms = PC_MACHINE(machine);
    X86MachineState *x86ms = X86_MACHINE(machine);
    ISABus *isa_bus;

    if (!x86_cpus_init(x86ms, error)) {
        return false;
    }
    pc_guest_info_init(pcms);
    if (!pc_memory_init(pcms, &pcms->pci_memory, error)) {
        return false;
    }
    GSIState *gsi_state = pc_gsi_create(x86ms, &x86ms->gsi);

    pcms->pci_bus = i440fx_init(machine, &pcms->pci_memory, x86ms->below_4g_mem_size,
                                x86ms->above_4g_mem_size, error);
    if (!pcms->pci_bus || !piix3_create(pcms->pci_bus, &isa_bus, error)) {
        return false;
    }
    isa_bus_irqs(isa_bus, x86ms->gsi);
    if (!pc_i8259_create(x86ms, isa_bus, gsi_state, error) ||
        !ioapic_init_gsi(x86ms, gsi_state, error) || !pc_vga_init(pcms, pcms->pci_bus, error) ||
        !pc_basic_device_init(pcms, isa_bus, x86ms->gsi, error) || !pc_fw_cfg_init(pcms, error) ||
        !pc_cmos_init(pcms, error)) {
        return false;
    }
    return pc_pci_ide_init(pcms, pcms->pci_bus, error) &&
           pc_pm_init(pcms, pcms->pci_bus, x86ms->gsi, error) &&
           pc_usb_init(pcms, pcms->pci_bus, error);
}

static const PCKeptRegisters i440fx_kept_registers[] = {
    {PCI_MAKE_DEVFN(0, 0), 0x59, 7}, /* PAM */
    {0, 0, 0},
};

static void i440fx_machine_class_init(ObjectClass *klass, const void *data)
{
    MachineClass *mc = MACHINE_CLASS(klass);
    PCMachineClass *pcmc = PC_MACHINE_CLASS(klass);

    mc->alias = "pc";
    mc->is_default = true;
    mc->desc = "Standard PC (i440FX + PIIX, 1996)";
    mc->init = pc_init1;
    pcmc->kept_registers = i440fx_kept_registers;
    pcmc->acpi_chipset = &acpi_chipset_i440fx;
    pcmc->low_memory = (X86LowMemory){0xe0000000u, 0xc0000000u};
    pcmc->pci_mem_start = 0xe0000000u;
    pcmc->hpet_intcap = 1u << 2;
    memcpy(pcmc->pci_irqs, (const uint8_t[4]){10, 10, 11, 11}, 4);
    pcmc->ioapic_pin = i440fx_ioapic_pin;
    pcmc->act_as_firmware = i440fx_act_as_firmware;
    pcmc->describe_chipset = i440fx_describe_chipset;
}

static const TypeInfo i440fx_machine_types[] = {
    {
     .name = TYPE_I440FX_MACHINE,
     .parent = TYPE_PC_MACHINE,
     .abstract = true,
     .class_init = i440fx_machine_class_init,
     },
};

DEFINE_TYPES(i440fx_machine_types)

#define DEFINE_I440FX_MACHINE(version)                                                            \
    DEFINE_PC_MACHINE(TYPE_I440FX_MACHINE, "pc-i440fx-", version)

static const TypeInfo i440fx_machine_versions[] = {
    DEFINE_I440FX_MACHINE("7.2"),
    DEFINE_I440FX_MACHINE("7.1"),
    DEFINE_I440FX_MACHINE("7.0"),
    DEFINE_I440FX_MACHINE("6.2"),
    DEFINE_I440FX_MACHINE("6.1"),
    DEFINE_I440FX_MACHINE("6.0"),
    DEFINE_I440FX_MACHINE("5.2"),
    DEFINE_I440FX_MACHINE("5.1"),
    DEFINE_I440FX_MACHINE("5.0"),
    DEFINE_I440FX_MACHINE("4.2"),
    DEFINE_I440FX_MACHINE("4.1"),
    DEFINE_I440FX_MACHINE("4.0"),
    DEFINE_I440FX_MACHINE("3.1"),
    DEFINE_I440FX_MACHINE("3.0"),
    DEFINE_I440FX_MACHINE("2.12"),
    DEFINE_I440FX_MACHINE("2.11"),
    DEFINE_I440FX_MACHINE("2.10"),
    DEFINE_I440FX_MACHINE("2.9"),
    DEFINE_I440FX_MACHINE("2.8"),
    DEFINE_I440FX_MACHINE("2.7"),
    DEFINE_I440FX_MACHINE("2.6"),
    DEFINE_I440FX_MACHINE("2.5"),
    DEFINE_I440FX_MACHINE("2.4"),
    DEFINE_I440FX_MACHINE("2.3"),
    DEFINE_I440FX_MACHINE("2.2"),
    DEFINE_I440FX_MACHINE("2.1"),
    DEFINE_I440FX_MACHINE("2.0"),
    DEFINE_I440FX_MACHINE("1.7"),
    DEFINE_I440FX_MACHINE("1.6"),
    DEFINE_I440FX_MACHINE("1.5"),
    DEFINE_I440FX_MACHINE("1.4"),
};

DEFINE_TYPES(i440fx_machine_versions)
