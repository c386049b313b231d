/* SPDX-License-Identifier: MIT
 *
 * The q35 machine: Intel 3 Series MCH, ICH9 south bridge.
 */
#include <string.h>
#include "hw/acpi/ich9-pm.h"
#include "hw/i386/pc.h"
#include "hw/i2c/smbus-ich9.h"
#include "hw/ide/ide.h"

#define TYPE_Q35_MACHINE MACHINE_TYPE_NAME("generic-q35")

#define MMCFG_SIZE 0x10000000u
#define MMCFG_HIGH 0xe0000000u

static bool q35_host_create(PCMachineState *pcms, GError **error)
{
    X86MachineState *x86ms = X86_MACHINE(pcms);

    pcms->q35_host = q35_host_init(MACHINE(pcms), &pcms->pci_memory, x86ms->below_4g_mem_size,
                                   x86ms->above_4g_mem_size, error);
    pcms->pci_bus = pcms->q35_host ? q35_host_bus(pcms->q35_host) : NULL;
    return pcms->q35_host != NULL;
}

static bool q35_lpc_create(PCMachineState *pcms, ISABus **ret_isa_bus, GError **error)
{
    IRQ *smi = pc_smi_lines(pcms);

    pcms->lpc = ich9_lpc_create(pcms->pci_bus, smi, ret_isa_bus, error);
    irq_free_array(smi, smi ? PC_SMI_LINES : 0);
    if (!pcms->lpc) {
        return false;
    }
    pcms->acpi = ich9_lpc_acpi(pcms->lpc);
    pc_cpu_hotplug_init(pcms, DEVICE(pcms->lpc), ACPI_CPU_HOTPLUG_ICH9_BASE);
    return true;
}

static bool q35_sata_create(PCMachineState *pcms, GError **error)
{
    PCIDevice *ahci;

    if (!pcms->sata_enabled) {
        return true;
    }
    ahci = pci_create_multifunction(pcms->pci_bus, ICH9_SATA_DEVFN, true, TYPE_ICH9_AHCI, error);
    pcms->ide = ahci;
    return ahci && ide_create_drives(MACHINE(pcms), ahci, error);
}

static bool q35_smbus_create(PCMachineState *pcms, GError **error)
{
    I2CBus *bus;

    if (!pcms->smbus_enabled) {
        return true;
    }
    bus = ich9_smb_create(pcms->pci_bus, ICH9_SMB_DEVFN, error);
    return bus && pc_smbus_populate(pcms, bus, error);
}

/* ---- firmware's part ------------------------------------------------------------------ */

/* Where PCIEXBAR goes with no firmware: above RAM; 0: there is no room. */
static uint32_t q35_mmcfg_base(PCMachineState *pcms)
{
    uint64_t low = X86_MACHINE(pcms)->below_4g_mem_size;

    return low <= MCH_PCIEXBAR_DEFAULT ? MCH_PCIEXBAR_DEFAULT : low <= MMCFG_HIGH ? MMCFG_HIGH : 0;
}

static void q35_reserve_memory(PCMachineState *pcms)
{
    E820Map *reserved = X86_MACHINE(pcms)->reserved;
    uint32_t base = q35_mmcfg_base(pcms);

    e820_set(reserved, ICH9_RCBA_BASE, ICH9_RCBA_SIZE, E820_RESERVED);
    if (base) {
        e820_set(reserved, base, MMCFG_SIZE, E820_RESERVED);
        pcms->pci_mem_start = MAX(pcms->pci_mem_start, base + MMCFG_SIZE);
    }
}

static void q35_act_as_firmware(PCMachineState *pcms)
{
    q35_host_act_as_firmware(pcms->q35_host, q35_mmcfg_base(pcms));
    ich9_lpc_act_as_firmware(pcms->lpc, PC_MACHINE_GET_CLASS(pcms)->pci_irqs);
}

/* Slots of the board begin with PIRQE and rotate; those in the ICH9, as reset leaves them. */
static uint8_t q35_ioapic_pin(unsigned slot, unsigned pin)
{
    unsigned pirq = slot >= 25 && slot != 30 ? pin : 4 + (slot + pin) % 4;

    return (uint8_t)(ICH9_PIRQ_GSI + pirq);
}

static void q35_describe_chipset(PCMachineState *pcms, AcpiPcConfig *config)
{
    config->gpe_base = config->pm_base + ICH9_PM_GPE0;
    config->pci_hotplug = ich9_lpc_pci_hotplug(pcms->lpc);
    q35_host_mmcfg(pcms->q35_host, &config->mmcfg_base, &config->mmcfg_size);
    if (x86_boots_directly(X86_MACHINE(pcms))) {
        config->mmcfg_base = q35_mmcfg_base(pcms);
        config->mmcfg_size = config->mmcfg_base ? MMCFG_SIZE : 0;
    }
    config->hole64_end = config->hole64_start + q35_host_hole64_size(pcms->q35_host) - 1;
}

/* ---- the board ------------------------------------------------------------------------ */

/* The twin of pc_init1(): the same steps, other chips. */
static bool pc_q35_init(MachineState *machine, GError **error)
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

    if (!q35_host_create(pcms, error) || !q35_lpc_create(pcms, &isa_bus, error)) {
        return false;
    }
    isa_bus_irqs(isa_bus, x86ms->gsi);
    if (!pc_i8259_create(x86ms, isa_bus, gsi_state, error) ||
        !ioapic_init_gsi(x86ms, gsi_state, error) || !pc_vga_init(pcms, pcms->pci_bus, error) ||
        !pc_basic_device_init(pcms, isa_bus, x86ms->gsi, error) || !pc_fw_cfg_init(pcms, error) ||
        !pc_cmos_init(pcms, error)) {
        return false;
    }
    q35_reserve_memory(pcms);
    ich9_lpc_offer_smi_features(pcms->lpc, machine->fw_cfg);
    return q35_sata_create(pcms, error) && q35_smbus_create(pcms, error) &&
           pc_usb_init(pcms, pcms->pci_bus, error);
}

/*
 * SeaBIOS would set SMM up again, but through PCIEXBAR, which it has not turned on by then, so that
 * its first SMI would find no SMRAM.  It does not if APMC_EN is set.
 */
static void q35_before_resume(PCMachineState *pcms)
{
    ich9_lpc_leave_smm_out(pcms->lpc);
}

static const PCKeptRegisters q35_kept_registers[] = {
    {PCI_MAKE_DEVFN(0, 0), MCH_PAM, 7},
    {ICH9_LPC_DEVFN, 0x40, 5}, /* PMBASE, ACPI_CNTL */
    {ICH9_LPC_DEVFN, ICH9_PIRQA_ROUT, 4},
    {ICH9_LPC_DEVFN, ICH9_PIRQA_ROUT + 8, 4},
    {ICH9_LPC_DEVFN, 0xf0, 4}, /* RCBA */
    {0, 0, 0},
};

static void q35_machine_class_init(ObjectClass *klass, const void *data)
{
    MachineClass *mc = MACHINE_CLASS(klass);
    PCMachineClass *pcmc = PC_MACHINE_CLASS(klass);

    mc->alias = "q35";
    mc->desc = "Standard PC (Q35 + ICH9, 2009)";
    mc->init = pc_q35_init;
    mc->max_cpus = 288;
    mc->units_per_default_bus = 1; /* of AHCI */
    mc->no_floppy = true;
    pcmc->kept_registers = q35_kept_registers;
    pcmc->before_resume = q35_before_resume;
    pcmc->acpi_chipset = &acpi_chipset_q35;
    pcmc->low_memory = (X86LowMemory){0xb0000000u, 0x80000000u};
    pcmc->pci_mem_start = 0xc0000000u;
    pcmc->hpet_intcap = 0xff0104;
    memcpy(pcmc->pci_irqs, (const uint8_t[4]){10, 10, 11, 11}, 4);
    pcmc->ioapic_pin = q35_ioapic_pin;
    pcmc->act_as_firmware = q35_act_as_firmware;
    pcmc->describe_chipset = q35_describe_chipset;
}

static const TypeInfo q35_machine_types[] = {
    {
     .name = TYPE_Q35_MACHINE,
     .parent = TYPE_PC_MACHINE,
     .abstract = true,
     .class_init = q35_machine_class_init,
     },
};

DEFINE_TYPES(q35_machine_types)

#define DEFINE_Q35_MACHINE(version)                                                            \
    DEFINE_PC_MACHINE(TYPE_Q35_MACHINE, "pc-q35-", version)

static const TypeInfo q35_machine_versions[] = {
    DEFINE_Q35_MACHINE("7.2"),
    DEFINE_Q35_MACHINE("7.1"),
    DEFINE_Q35_MACHINE("7.0"),
    DEFINE_Q35_MACHINE("6.2"),
    DEFINE_Q35_MACHINE("6.1"),
    DEFINE_Q35_MACHINE("6.0"),
    DEFINE_Q35_MACHINE("5.2"),
    DEFINE_Q35_MACHINE("5.1"),
    DEFINE_Q35_MACHINE("5.0"),
    DEFINE_Q35_MACHINE("4.2"),
    DEFINE_Q35_MACHINE("4.1"),
    DEFINE_Q35_MACHINE("4.0.1"),
    DEFINE_Q35_MACHINE("4.0"),
    DEFINE_Q35_MACHINE("3.1"),
    DEFINE_Q35_MACHINE("3.0"),
    DEFINE_Q35_MACHINE("2.12"),
    DEFINE_Q35_MACHINE("2.11"),
    DEFINE_Q35_MACHINE("2.10"),
    DEFINE_Q35_MACHINE("2.9"),
    DEFINE_Q35_MACHINE("2.8"),
    DEFINE_Q35_MACHINE("2.7"),
    DEFINE_Q35_MACHINE("2.6"),
    DEFINE_Q35_MACHINE("2.5"),
    DEFINE_Q35_MACHINE("2.4"),
};

DEFINE_TYPES(q35_machine_versions)
