/* SPDX-License-Identifier: MIT
 *
 * What machines with x86 CPUs share: CPUs, memory below and above 4 GiB, interrupt lines,
 * firmware, and starting a kernel without it.
 */
#ifndef HW_I386_X86_H
#define HW_I386_X86_H

#include "hw/acpi/cpu-hotplug.h"
#include "hw/core/machine.h"
#include "hw/i386/boot.h"
#include "hw/intc/ioapic.h"
#include "hw/isa/isa.h"
#include "hw/nvram/fw_cfg.h"
#include "hw/pci/pci.h"
#include "hw/rtc/mc146818rtc.h"
#include "hw/smbios/smbios.h"

#define TYPE_X86_MACHINE MACHINE_TYPE_NAME("x86")
OBJECT_DECLARE_SIMPLE(X86MachineState, X86_MACHINE, TYPE_X86_MACHINE)

#define X86_NUM_GSI IOAPIC_NUM_PINS

/* M17: where a global system interrupt leads; the opaque of the lines in machine->gsi. */
typedef struct GSIState {
    IRQ i8259_irq[ISA_NUM_IRQS];
    IRQ ioapic_irq[IOAPIC_NUM_PINS];
} GSIState;

struct X86MachineState {
    MachineState parent_obj;

    /* properties */
    uint64_t max_ram_below_4g;
    int acpi, smm;          /* OnOffAuto */
    int smbios_entry_point; /* SmbiosEntryPointType */

    uint64_t below_4g_mem_size, above_4g_mem_size;
    MemoryRegion ram_below_4g, ram_above_4g;
    MemoryRegion bios, isa_bios;
    bool flash_firmware; /* firmware is in a flash device of the board's */
    GArray *apic_ids; /* of uint32_t: every CPU that there may be */

    E820Map *reserved; /* beside RAM, in the map of a machine without firmware */

    GSIState gsi_state;
    IRQ *gsi; /* X86_NUM_GSI lines into gsi_state; the machine's */
    DeviceState *ioapic;
    FWCfgState *fw_cfg;
    RTCState *rtc;
    IRQ nmi_mask; /* from port 70h */
    bool nmi_masked, nmi_pending; /* under the irq lock */
    ACPICPUHotplug cpu_hotplug;
    SmbiosConfig *smbios;

    /* -kernel without firmware */
    Loader *loader; /* NULL: firmware starts */
    X86Start start;
    uint64_t facs_address; /* 0: there is no ACPI */
};

/* ---- CPUs ----------------------------------------------------------------------- */

/* M14: every CPU of -smp; and before them, by -machine smm=, the memory that they see in SMM. */
bool x86_cpus_init(X86MachineState *x86ms, GError **error);
bool x86_cpu_new(X86MachineState *x86ms, uint32_t apic_id, GError **error);
/* APIC ID of CPU n: its place in threads, cores, dies and sockets (SDM vol. 3, 9.9.1). */
uint32_t x86_apic_id_from_index(const SMPConfig *smp, unsigned index);
/* Of the slots, how many are taken. */
unsigned x86_count_cpus(const MachineState *machine);

/* MachineClass's hooks for CPUs, in x86-cpus.c. */
void x86_init_cpu_slots(MachineState *machine);
bool x86_pre_plug_cpu(MachineState *machine, CPUState *cs, GError **error);
void x86_plug_cpu(MachineState *machine, CPUState *cs);
bool x86_unplug_request_cpu(MachineState *machine, CPUState *cs, GError **error);
/* CPUs can come and go: registers at `base` of `chip`, whose GPEs announce it. */
uint16_t x86_cpu_hotplug_base(const X86MachineState *x86ms); /* 0: they cannot */
void x86_cpu_hotplug_init(X86MachineState *x86ms, DeviceState *chip, uint16_t base,
                          void (*raise_gpe)(void *opaque, unsigned n), void *opaque);

/*
 * What the chipset holds of the NMI line: the mask in port 70h, whose RTC is there by now, and
 * MachineClass::inject_nmi, which waits for it.
 */
void x86_nmi_init(X86MachineState *x86ms);
void x86_inject_nmi(MachineState *machine);

/* ---- memory and firmware ------------------------------------------------------------ */

/* How much RAM lies below 4 GiB, where max-ram-below-4g does not say. */
typedef struct X86LowMemory {
    uint64_t whole; /* less than that is not cut */
    uint64_t split; /* where more is cut */
} X86LowMemory;

/* Split machine->ram_size at 4 GiB and map it. */
bool x86_memory_init(X86MachineState *x86ms, const X86LowMemory *low, GError **error);
/* -bios at the top of 4 GiB, its end also below 1 MiB; nothing for -kernel alone. */
bool x86_firmware_init(X86MachineState *x86ms, MemoryRegion *rom_memory, GError **error);
/* Of firmware that is elsewhere: its end, copied below 1 MiB. */
bool x86_isa_bios_copy(X86MachineState *x86ms, MemoryRegion *rom_memory, MemoryRegion *firmware,
                       GError **error);
bool x86_boots_directly(const X86MachineState *x86ms);

/* ---- the start of a kernel, x86-start.c --------------------------------------------------- */

typedef struct AcpiTables AcpiTables;

/*
 * What is in memory when the machine starts: tables, map and kernel; for machines that
 * boot directly.  Takes acpi (may be NULL) as built, not resolved.
 */
bool x86_start_prepare(X86MachineState *x86ms, AcpiTables *acpi, bool has_vga, GError **error);
/* After the reset of all devices: memory, and the registers of the CPUs. */
void x86_start_reset(X86MachineState *x86ms);
/* After the reset of a wake-up: where the system said in the FACS. */
void x86_start_wakeup(X86MachineState *x86ms);
/* RAM only, as firmware asks for it. */
E820Map *x86_ram_map(const X86MachineState *x86ms);
SmbiosMachine x86_smbios_machine(X86MachineState *x86ms, bool firmware);

/* ---- -kernel through firmware: linuxboot.c, kernel-rom.c ------------------------------- */

#define LINUXBOOT_ROM_FILE "genroms/linuxboot_dma.bin"
#define KERNEL_ROM_FILE    "genroms/multiboot_dma.bin"

/*
 * The kernel's pieces as fw_cfg keys, and the ROM that starts them.  Returns the ROM as firmware
 * calls it in "bootorder"; NULL and an error.
 */
const char *x86_linuxboot_fill(X86MachineState *x86ms, GError **error);
/* The same for what is no bzImage. */
bool x86_kernel_rom_fill(X86MachineState *x86ms, GError **error);
/* The bzImage's ROM as firmware wants it: whole sectors, checksums. */
GBytes *x86_linuxboot_rom(void);
/* The same of any code with a PnP header at 20h. */
GBytes *x86_option_rom(const uint8_t *code, size_t len);

#endif
