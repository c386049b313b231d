/* SPDX-License-Identifier: MIT
 *
 * The i440FX machine (request M13): 82441FX host bridge, PIIX3 south bridge.
 */
#include "hw/i386/pc.h"
#include "hw/ide/ide.h"
#include "hw/isa/piix3.h"
#include "hw/pci-host/i440fx.h"

#define IDE_DEVFN PCI_MAKE_DEVFN(1, 1)
#define PM_DEVFN  PCI_MAKE_DEVFN(1, 3)

static bool pc_pci_ide_init(PCMachineState *pcms, PCIBus *bus, GError **error)
{
    PCIDevice *ide = piix3_ide_create(bus, IDE_DEVFN, error);

    return ide && ide_create_drives(MACHINE(pcms), ide, error);
}

/* The bootstrap processor's: the others' SMBASE is where it was when they were reset. */
static void pc_smi(void *opaque, int n, int level)
{
    CPUState *cpu = machine_get_cpu(MACHINE(opaque), 0);

    if (level && cpu) {
        cpu_interrupt(cpu, CPU_INTERRUPT_SMI);
    }
}

static bool pc_pm_init(PCMachineState *pcms, PCIBus *bus, IRQ *gsi, GError **error)
{
    IRQ smi = MACHINE(pcms)->smram ? irq_new(pc_smi, pcms, 0) : NULL;

    pcms->pm = piix4_pm_create(bus, PM_DEVFN, gsi[PIIX4_SCI_IRQ], smi, error);
    irq_unref(smi);
    return pcms->pm != NULL;
}

/* M13: every step below is a row of the blueprint. */
static bool pc_init1(MachineState *machine, GError **error)
{
    PCMachineState *pcms = PC_MACHINE(machine);
    X86MachineState *x86ms = X86_MACHINE(machine);
    ISABus *isa_bus;

    if (!pc_check_options(pcms, error) || !x86_cpus_init(x86ms, error)) {
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
        !pc_basic_device_init(pcms, isa_bus, x86ms->gsi, error) || !pc_fw_cfg_init(pcms, error)) {
        return false;
    }
    pc_cmos_init(pcms);
    return pc_pci_ide_init(pcms, pcms->pci_bus, error) &&
           pc_pm_init(pcms, pcms->pci_bus, x86ms->gsi, error);
}

#define DEFINE_I440FX_MACHINE(suffix, machine_name, options_fn)                                    \
    static void pc_machine_##suffix##_class_init(ObjectClass *klass, const void *data)             \
    {                                                                                              \
        MachineClass *mc = MACHINE_CLASS(klass);                                                   \
                                                                                                   \
        mc->name = (machine_name);                                                                 \
        mc->desc = "Standard PC (i440FX + PIIX, 1996)";                                            \
        mc->init = pc_init1;                                                                       \
        (options_fn)(mc);                                                                          \
    }                                                                                              \
    static const TypeInfo pc_machine_type_##suffix[] = {                                           \
        {                                                                                          \
         .name = MACHINE_TYPE_NAME(machine_name),                                               \
         .parent = TYPE_PC_MACHINE,                                                             \
         .class_init = pc_machine_##suffix##_class_init,                                        \
         },                                                                                         \
    };                                                                                             \
    DEFINE_TYPES(pc_machine_type_##suffix)

static void pc_i440fx_7_2_options(MachineClass *mc)
{
    mc->alias = "pc";
    mc->is_default = true;
}

DEFINE_I440FX_MACHINE(v7_2, "pc-i440fx-7.2", pc_i440fx_7_2_options)
