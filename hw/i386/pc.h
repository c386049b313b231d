/* SPDX-License-Identifier: MIT
 *
 * IBM PC compatible machines: what the i440fx one and others have in common.
 */
#ifndef HW_I386_PC_H
#define HW_I386_PC_H

#include "hw/acpi/acpi-pm.h"
#include "hw/acpi/piix4-pm.h"
#include "hw/i386/acpi-build.h"
#include "hw/i386/x86.h"
#include "hw/isa/lpc_ich9.h"
#include "hw/pci-host/q35.h"
#include "hw/timer/i8254.h"

#define TYPE_PC_MACHINE MACHINE_TYPE_NAME("generic-pc")
OBJECT_DECLARE(PCMachineState, PCMachineClass, PC_MACHINE, TYPE_PC_MACHINE)

#define PC_SCI_IRQ 9

typedef enum PCVGAKind { PC_VGA_AUTO, PC_VGA_NONE, PC_VGA_STD } PCVGAKind;

#define PC_FLASH_COUNT 2 /* code, and variables */

typedef struct PCKeptRegisters {
    uint8_t devfn, first, count;
} PCKeptRegisters;

/* Where two PCs differ because their chips do. */
struct PCMachineClass {
    MachineClass parent_class;
    const AcpiChipset *acpi_chipset;
    /*
     * Registers that a wake-up leaves as they are, ended by a row of 0 bytes: SeaBIOS resumes from the
     * copy of itself in shadow RAM, and takes a q35's LPC bridge for still set up.
     */
    const PCKeptRegisters *kept_registers;
    /* Optional: what else firmware that resumes wants, after that. */
    void (*before_resume)(PCMachineState *pcms);
    X86LowMemory low_memory;
    uint32_t pci_mem_start; /* where BARs go with no firmware, if RAM ends before it */
    uint8_t pci_irqs[4];    /* where interrupt wires lead then */
    /* Pin of the I/O APIC that a slot's interrupt pin (0-3) leads to then. */
    uint8_t (*ioapic_pin)(unsigned slot, unsigned pin);
    uint8_t root_bus_uid;   /* _UID of PCI0 */
    uint32_t hpet_intcap;   /* the I/O APIC's pins that HPET timers may drive */
    /*
     * What firmware does to the chipset's own registers: shadow RAM, interrupt routes, the ports of
     * power management, ACPI mode.  In reset, with vCPUs stopped.
     */
    void (*act_as_firmware)(PCMachineState *pcms);
    /* Fill in what the ACPI tables say of the chipset, as it is now. */
    void (*describe_chipset)(PCMachineState *pcms, AcpiPcConfig *config);
};

struct PCMachineState {
    X86MachineState parent_obj;

    /* properties */
    int pit_wanted, pic_wanted; /* OnOffAuto */
    bool hpet_enabled, i8042_enabled, fd_bootchk, sata_enabled, smbus_enabled;
    int vmport; /* OnOffAuto */
    int vga;    /* PCVGAKind */
    char *pcspk_audiodev;
    char *oem_id, *oem_table_id;
    char *pflash[PC_FLASH_COUNT]; /* ids of drives */
    uint64_t max_fw_size;

    PCIBus *pci_bus;
    PCIDevice *ide; /* the controller of -drive if=ide; NULL: none */
    bool started;   /* has been reset once */
    MemoryRegion pci_memory; /* all that is not RAM */
    ACPIPM *acpi; /* of the power management chip */
    /* of one chipset; NULL where it is the other */
    PIIX4PMState *piix4_pm;
    Q35Host *q35_host;
    ICH9LPCState *lpc;
    I8254State *pit;
    ISADevice *i8042, *fdc;
    bool has_vga;
    uint32_t pci_mem_start;   /* where BARs go with no firmware, up to the I/O APIC */
    AcpiPcConfig acpi_config; /* M15 */
};

/* CPUs come and go: registers at `base`, of the chip that has pcms->acpi. */
void pc_cpu_hotplug_init(PCMachineState *pcms, DeviceState *chip, uint16_t base);
/* M15: what the guest will be told; the tables are made when everything is realized. */
void pc_guest_info_init(PCMachineState *pcms);
/* M16 */
bool pc_memory_init(PCMachineState *pcms, MemoryRegion *rom_memory, GError **error);
/* M17: the machine's GSIs, whose lines are filled in by what is created later. */
GSIState *pc_gsi_create(X86MachineState *x86ms, IRQ **ret_gsi);
/* M20 */
void isa_bus_irqs(ISABus *bus, IRQ *gsi);
/* M21: the 8259s take their inputs, and interrupt the CPUs. */
bool pc_i8259_create(X86MachineState *x86ms, ISABus *bus, GSIState *gsi_state, GError **error);
bool ioapic_init_gsi(X86MachineState *x86ms, GSIState *gsi_state, GError **error);
/* M22 */
bool pc_vga_init(PCMachineState *pcms, PCIBus *bus, GError **error);
/* -usb: an xHCI. */
bool pc_usb_init(PCMachineState *pcms, PCIBus *bus, GError **error);
bool pc_basic_device_init(PCMachineState *pcms, ISABus *bus, IRQ *gsi, GError **error);
bool pc_fw_cfg_init(PCMachineState *pcms, GError **error);

/* In port-f0.c: FERR# of the first CPU to IRQ 13. */
bool portf0_create(ISABus *bus, MachineState *machine, GError **error);

/* MachineClass::done and reset. */
bool pc_machine_done(MachineState *machine, GError **error);
void pc_machine_reset(MachineState *machine, ShutdownCause reason);

/* In pc-sysfw.c: firmware in flash (-drive if=pflash, pflash0=), else as -bios says. */
bool pc_firmware_init(PCMachineState *pcms, MemoryRegion *rom_memory, GError **error);
/* What hangs on a PC's SMBus, unless smbus=off. */
bool pc_smbus_populate(PCMachineState *pcms, I2CBus *bus, GError **error);
/* Two lines, to the bootstrap processor and to all: NULL if there is no SMM.  Free the array. */
IRQ *pc_smi_lines(PCMachineState *pcms);
#define PC_SMI_LINES 2

/* In pc-cmos.c: memory, CPUs, the order of -boot; what the disks are; another start. */
bool pc_cmos_init(PCMachineState *pcms, GError **error);
void pc_cmos_disks(PCMachineState *pcms);
void pc_cmos_next_boot(PCMachineState *pcms);
/* In vga-text.c: with no firmware, what its VGA BIOS does. */
void pc_vga_text_mode(PCMachineState *pcms);
/* In pc-fw-cfg.c: everything that firmware asks for. */
bool pc_fw_cfg_fill(PCMachineState *pcms, GError **error);

/* In pc-versions.c: a name of the family, and the version that it stands for. */
typedef struct PCMachineVersion {
    const char *name, *version;
} PCMachineVersion;
/* Class init of each; `data` is its PCMachineVersion. */
void pc_machine_version_class_init(ObjectClass *klass, const void *data);

/* A row of TypeInfo. */
#define DEFINE_PC_MACHINE(family, prefix, v)                                                       \
    {                                                                                              \
        .name = MACHINE_TYPE_NAME(prefix v), .parent = (family),                                   \
        .class_init = pc_machine_version_class_init,                                               \
        .class_data = &(const PCMachineVersion){prefix v, v},                                      \
    }

#endif
