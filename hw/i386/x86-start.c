/* SPDX-License-Identifier: MIT
 *
 * What firmware would have left in memory and in the CPUs when a kernel is started without it:
 * the BIOS data area, the memory map, ACPI and SMBIOS tables, and memory types (SDM vol. 3,
 * 12.11: MTRRs).
 */
#include <string.h>
#include "hw/acpi/tables.h"
#include "hw/i386/x86.h"

#define FOUR_GIB        0x100000000ull
#define BDA_ADDRESS     0x400u
#define BDA_SIZE        0x100u
#define BDA_EBDA        0x0eu
#define BDA_BASE_MEMORY 0x13u
#define EBDA_SIZE       0x400u
#define BIOS_AREA       0x000f0000u
#define BIOS_AREA_SIZE  0x00010000u
#define RSDP_ADDRESS    (BIOS_AREA + 0x5000)
#define SMBIOS_ADDRESS  (BIOS_AREA + 0x5100)
#define TABLES_ROUND    0x00020000u
#define FIRMWARE_START  0xfffc0000u /* kept free, as with firmware */
#define FACS_WAKING_VECTOR 12
#define MIN_DIRECT_RAM  0x00200000u

#define MTRR_UC    0u
#define MTRR_WP    5u
#define MTRR_WB    6u
#define MTRR_E     (1u << 11)
#define MTRR_FE    (1u << 10)
#define MTRR_VALID (1u << 11)

E820Map *x86_ram_map(const X86MachineState *x86ms)
{
    E820Map *map = e820_new();

    e820_set(map, 0, x86ms->below_4g_mem_size, E820_RAM);
    if (x86ms->above_4g_mem_size) {
        e820_set(map, FOUR_GIB, x86ms->above_4g_mem_size, E820_RAM);
    }
    return map;
}

/* For -smbios type=41,pcidev=ID. */
static bool find_pci(void *opaque, const char *id, uint8_t *ret_bus, uint8_t *ret_devfn)
{
    Object *obj = object_resolve_path_component(MACHINE(opaque)->peripheral, id);

    if (!obj || !object_dynamic_cast(obj, TYPE_PCI_DEVICE)) {
        return false;
    }
    *ret_bus = (uint8_t)pci_bus_num(pci_get_bus(PCI_DEVICE(obj)));
    *ret_devfn = (uint8_t)PCI_DEVICE(obj)->devfn;
    return true;
}

SmbiosMachine x86_smbios_machine(X86MachineState *x86ms, bool firmware)
{
    MachineState *machine = MACHINE(x86ms);
    const SMPConfig *smp = &machine->smp;
    SmbiosMachine m = {
        .firmware = firmware,
        .entry_point_64 = x86ms->smbios_entry_point == SMBIOS_ENTRY_POINT_64,
        .find_pci = find_pci,
        .opaque = machine,
        .below_4g = x86ms->below_4g_mem_size,
        .above_4g = x86ms->above_4g_mem_size,
        .sockets = MAX(smp->sockets, 1),
        .cores_per_socket = MAX(smp->dies, 1) * MAX(smp->cores, 1),
    };
    CPUState *cpu = machine_get_cpu(machine, 0);
    uint32_t ebx, ecx;

    m.threads_per_socket = m.cores_per_socket * MAX(smp->threads, 1);
    if (cpu) {
        x86_cpuid(cpu_env(cpu), 1, 0, &m.cpu_signature, &ebx, &ecx, &m.cpu_features);
    }
    return m;
}

/* ---- memory -------------------------------------------------------------------- */

typedef struct StartTables {
    uint64_t address, end; /* the top of low RAM */
    uint64_t rsdp;
} StartTables;

static void tell_blob_addresses(X86MachineState *x86ms, const AcpiTables *acpi, uint32_t base)
{
    const char *file;
    uint32_t offset;

    for (unsigned n = 0; (file = acpi_blob_address_file(acpi, n, &offset)); n++) {
        uint64_t address = GUINT64_TO_LE((uint64_t)base + offset);

        fw_cfg_write_file(x86ms->fw_cfg, file, &address, sizeof(address));
    }
}

/* ACPI tables, then SMBIOS structures, at the top of low memory; entry points below 1 MiB. */
static bool add_tables(X86MachineState *x86ms, AcpiTables *acpi, StartTables *st, GError **error)
{
    SmbiosMachine sm = x86_smbios_machine(x86ms, false);
    uint8_t rsdp[ACPI_RSDP_SIZE];
    g_autoptr(GByteArray) entry = NULL;
    g_autoptr(GByteArray) dmi = smbios_build(x86ms->smbios, &sm, &entry, error);
    if (!dmi) {
        return false;
    }
    if (acpi) {
        acpi_tables_take_blobs(acpi);
    }
    uint32_t acpi_size = acpi ? (acpi->data->len + 63) & ~63u : 0;
    uint32_t size = (acpi_size + dmi->len + TABLES_ROUND - 1) / TABLES_ROUND * TABLES_ROUND;

    st->end = x86ms->below_4g_mem_size & ~0xfffull;
    if (st->end < MIN_DIRECT_RAM + size) {
        g_set_error(error, LOADER_ERROR, LOADER_ERROR_MEMORY,
                    "-m: %" G_GUINT64_FORMAT " KiB of RAM are too few for -kernel",
                    x86ms->below_4g_mem_size / 1024);
        return false;
    }
    st->address = st->end - size;
    smbios_entry_locate(entry, st->address + acpi_size);
    if (acpi) {
        acpi_tables_resolve(acpi, (uint32_t)st->address);
        acpi_rsdp_resolved(acpi, (uint32_t)st->address, rsdp);
        tell_blob_addresses(x86ms, acpi, (uint32_t)st->address);
        st->rsdp = RSDP_ADDRESS;
        x86ms->facs_address = st->address + acpi->facs;
        if (!x86_boot_add_bytes(x86ms->loader, "ACPI tables", st->address, acpi->data->data,
                                acpi->data->len, error) ||
            !x86_boot_add_bytes(x86ms->loader, "RSDP", RSDP_ADDRESS, rsdp, sizeof(rsdp), error)) {
            return false;
        }
    }
    return x86_boot_add_bytes(x86ms->loader, "SMBIOS tables", st->address + acpi_size, dmi->data,
                              dmi->len, error) &&
           x86_boot_add_bytes(x86ms->loader, "SMBIOS entry point", SMBIOS_ADDRESS,
                              entry->data, entry->len, error);
}

/* Where the extended area is, how much memory lies below it, and the serial ports. */
static bool add_bios_data(X86MachineState *x86ms, GError **error)
{
    static const uint16_t com1 = GUINT16_TO_LE(0x3f8), ebda_segment = X86_BOOT_EBDA >> 4;
    static const uint16_t base_kib = X86_BOOT_EBDA / 1024;
    uint8_t bda[BDA_SIZE] = {0}, ebda[1] = {EBDA_SIZE / 1024};

    memcpy(bda, &com1, 2);
    memcpy(bda + BDA_EBDA, &ebda_segment, 2);
    memcpy(bda + BDA_BASE_MEMORY, &base_kib, 2);
    return x86_boot_add_bytes(x86ms->loader, "BIOS data area", BDA_ADDRESS, bda, sizeof(bda),
                              error) &&
           x86_boot_add_bytes(x86ms->loader, "extended BIOS data area", X86_BOOT_EBDA, ebda,
                              sizeof(ebda), error);
}

static E820Map *start_map(const X86MachineState *x86ms, const StartTables *st)
{
    E820Map *map = x86_ram_map(x86ms);

    e820_set(map, 0xa0000, 0x60000, E820_RESERVED);
    e820_set(map, X86_BOOT_EBDA, EBDA_SIZE, E820_RESERVED);
    e820_set(map, st->address, x86ms->below_4g_mem_size - st->address, E820_RESERVED);
    e820_set(map, FIRMWARE_START, FOUR_GIB - FIRMWARE_START, E820_RESERVED);
    for (guint i = 0; i < x86ms->reserved->len; i++) {
        const E820Entry *entry = e820_entry(x86ms->reserved, i);

        e820_set(map, entry->addr, entry->size, entry->type);
    }
    /* The screen and the expansion ROMs are PCI's, not reserved. */
    e820_remove(map, 0xa0000, BIOS_AREA - 0xa0000);
    return map;
}

static bool cpu_has_long_mode(MachineState *machine)
{
    X86CPU *cpu = X86_CPU(machine_get_cpu(machine, 0));

    return x86_cpuid_has(&cpu->cpuid, X86_FEATURE(FEAT_80000001_EDX, 29));
}

bool x86_start_prepare(X86MachineState *x86ms, AcpiTables *acpi, bool has_vga, GError **error)
{
    MachineState *machine = MACHINE(x86ms);
    StartTables st = {0};

    x86ms->loader = loader_new();
    if (!add_tables(x86ms, acpi, &st, error) || !add_bios_data(x86ms, error) ||
        !x86_boot_add_bios_stub(x86ms->loader, error)) {
        return false;
    }
    g_autoptr(GArray) map = start_map(x86ms, &st);
    X86BootConfig config = {
        .kernel = machine->kernel_filename,
        .initrd = machine->initrd_filename,
        .cmdline = machine->kernel_cmdline,
        .e820 = map,
        .low_ram_end = st.address,
        .rsdp = st.rsdp,
        .has_vga = has_vga,
        .long_mode = cpu_has_long_mode(machine),
    };
    return x86_boot_kernel(&config, x86ms->loader, &x86ms->start, error);
}

/* ---- CPUs ------------------------------------------------------------------------ */

/* Write-back but for the screen, the BIOS (write-protected) and what lies above low RAM. */
static void set_memory_types(CPUX86State *env, uint64_t low_ram_end, uint64_t address_mask)
{
    uint64_t hole = low_ram_end > 0xc0000000u   ? 0xe0000000u
                    : low_ram_end > 0x80000000u ? 0xc0000000u
                                                : 0x80000000u;

    for (size_t i = 0; i < G_N_ELEMENTS(env->mtrr_fixed); i++) {
        uint64_t type = i == 2 ? MTRR_UC : i < 2 ? MTRR_WB : MTRR_WP;
        env->mtrr_fixed[i] = type * 0x0101010101010101ull;
    }
    env->mtrr_var[0] = (X86MTRR){
        .base = hole | MTRR_UC,
        .mask = (address_mask & ~(FOUR_GIB - hole - 1)) | MTRR_VALID,
    };
    env->mtrr_deftype = MTRR_E | MTRR_FE | MTRR_WB;
}

static uint64_t physical_address_mask(const X86CPU *cpu)
{
    unsigned bits = cpu->cpuid.phys_bits ? cpu->cpuid.phys_bits : 36;

    return ((1ull << bits) - 1) & ~0xfffull;
}

static void set_memory_types_on_all(X86MachineState *x86ms)
{
    MachineState *machine = MACHINE(x86ms);

    for (guint i = 0; i < machine->cpus->len; i++) {
        X86CPU *cpu = X86_CPU(g_ptr_array_index(machine->cpus, i));
        set_memory_types(&cpu->env, x86ms->below_4g_mem_size, physical_address_mask(cpu));
    }
}

void x86_start_wakeup(X86MachineState *x86ms)
{
    MachineState *machine = MACHINE(x86ms);
    CPUX86State *env = cpu_env(g_ptr_array_index(machine->cpus, 0));
    uint64_t vector = 0;

    set_memory_types_on_all(x86ms);
    if (x86ms->facs_address) {
        address_space_load(&machine->address_space_memory, x86ms->facs_address + FACS_WAKING_VECTOR,
                           &vector, 4, MEMTXATTRS_NONE);
    }
    /* Real mode, at an address that the system aligns as it likes (ACPI 6.5, 5.2.10). */
    env->segs[R_CS].selector = (uint16_t)(vector >> 4);
    env->segs[R_CS].base = (uint16_t)(vector >> 4) << 4;
    env->rip = vector & 0xf;
    x86_update_hflags(env);
}

void x86_start_reset(X86MachineState *x86ms)
{
    MachineState *machine = MACHINE(x86ms);

    loader_write(x86ms->loader, &machine->address_space_memory);
    set_memory_types_on_all(x86ms);
    x86_start_cpu(cpu_env(g_ptr_array_index(machine->cpus, 0)), &x86ms->start);
}
