/* SPDX-License-Identifier: MIT
 *
 * What a pc's firmware reads from fw_cfg: keys and files by the names that SeaBIOS and OVMF
 * know (SeaBIOS, docs/Runtime_config.md).
 */
#include <string.h>
#include "hw/core/numa.h"
#include "hw/i386/boot-order.h"
#include "hw/i386/pc.h"

/* The number of nodes, the node of each APIC ID, the memory of each node. */
static GArray *numa_key(PCMachineState *pcms)
{
    MachineState *machine = MACHINE(pcms);
    GArray *ids = X86_MACHINE(pcms)->apic_ids;
    unsigned nodes = numa_count(machine);
    unsigned limit = g_array_index(ids, uint32_t, ids->len - 1) + 1;
    GArray *key = g_array_sized_new(FALSE, TRUE, sizeof(uint64_t), 1 + limit + nodes);

    g_array_set_size(key, nodes ? 1 + limit + nodes : 1);
    uint64_t *words = (uint64_t *)(void *)key->data;
    words[0] = GUINT64_TO_LE((uint64_t)nodes);
    for (unsigned i = 0; nodes && i < machine->nr_cpu_slots; i++) {
        const CPUSlot *slot = &machine->cpu_slots[i];

        words[1 + slot->arch_id] = GUINT64_TO_LE((uint64_t)MAX(slot->place.node_id, 0));
    }
    for (unsigned n = 0; n < nodes; n++) {
        words[1 + limit + n] = GUINT64_TO_LE(machine->numa->nodes[n].mem);
    }
    return key;
}

#define TABLES_MULTIPLE 0x20000
#define SCRIPT_MULTIPLE 0x1000 /* commands of zeros say nothing */

static void fill_keys(PCMachineState *pcms)
{
    X86MachineState *x86ms = X86_MACHINE(pcms);
    MachineState *machine = MACHINE(pcms);
    FWCfgState *s = x86ms->fw_cfg;
    uint64_t max_cpus = x86ms->apic_ids->len;
    g_autoptr(GArray) numa = numa_key(pcms);

    fw_cfg_set_u64(s, FW_CFG_RAM_SIZE, machine->ram_size);
    fw_cfg_set_u16(s, FW_CFG_NOGRAPHIC, !machine->graphics);
    fw_cfg_set_u16(s, FW_CFG_NB_CPUS, (uint16_t)x86_count_cpus(machine));
    /* SeaBIOS counts APIC IDs. */
    fw_cfg_set_u16(s, FW_CFG_MAX_CPUS,
                   (uint16_t)(g_array_index(x86ms->apic_ids, uint32_t, max_cpus - 1) + 1));
    fw_cfg_set_u16(s, FW_CFG_BOOT_MENU, machine->boot.menu);
    fw_cfg_set_bytes(s, FW_CFG_NUMA, numa->data, numa->len * sizeof(uint64_t));
    fw_cfg_set_u32(s, FW_CFG_IRQ0_OVERRIDE, 1);
}

/* How many HPETs (at most 8), then of each: capabilities, address, least tick, protection. */
static void fill_hpet(PCMachineState *pcms)
{
    static const uint8_t hpet[15] = {0x01, 0xa2, 0x86, 0x80, 0x00, 0x00, 0xd0, 0xfe};
    uint8_t data[1 + 8 * sizeof(hpet)] = {1};

    if (pcms->hpet_enabled) {
        memcpy(data + 1, hpet, sizeof(hpet));
        fw_cfg_set_bytes(X86_MACHINE(pcms)->fw_cfg, FW_CFG_HPET, data, sizeof(data));
    }
}

static void fill_e820(X86MachineState *x86ms)
{
    g_autoptr(GArray) map = x86_ram_map(x86ms);

    fw_cfg_add_board_file(x86ms->fw_cfg, "etc/e820", map->data, map->len * sizeof(E820Entry));
}

static bool fill_smbios(X86MachineState *x86ms, GError **error)
{
    SmbiosMachine sm = x86_smbios_machine(x86ms, true);
    g_autoptr(GByteArray) entry = NULL;
    g_autoptr(GByteArray) tables = smbios_build(x86ms->smbios, &sm, &entry, error);

    if (!tables) {
        return false;
    }
    fw_cfg_add_board_file(x86ms->fw_cfg, SMBIOS_TABLES_FILE, tables->data, tables->len);
    fw_cfg_add_board_file(x86ms->fw_cfg, SMBIOS_ENTRY_FILE, entry->data, entry->len);
    return true;
}

/*
 * Firmware asks for the sizes once, before it has configured anything, so what is added to the
 * tables later (MCFG) must fit.
 */
static GBytes *padded(const void *data, gsize size, gsize multiple)
{
    gsize total = (size + multiple - 1) / multiple * multiple;
    uint8_t *copy = g_malloc0(total);

    memcpy(copy, data, size);
    return g_bytes_new_take(copy, total);
}

/* Made anew when firmware fetches them: it has placed the PM block by then. */
static void build_acpi(void *opaque)
{
    PCMachineState *pcms = opaque;
    FWCfgState *s = X86_MACHINE(pcms)->fw_cfg;

    if (pcms->acpi->io_base) {
        pcms->acpi_config.pm_base = pcms->acpi->io_base;
    }
    PC_MACHINE_GET_CLASS(pcms)->describe_chipset(pcms, &pcms->acpi_config);
    g_autoptr(AcpiTables) t = acpi_build_pc(&pcms->acpi_config);
    g_autoptr(GBytes) tables = padded(t->data->data, t->data->len, TABLES_MULTIPLE);
    g_autoptr(GBytes) rsdp = acpi_rsdp_template(t), commands = acpi_loader_script(t);
    g_autoptr(GBytes) script =
        padded(g_bytes_get_data(commands, NULL), g_bytes_get_size(commands), SCRIPT_MULTIPLE);

    fw_cfg_set_file(s, ACPI_TABLES_FILE, tables);
    fw_cfg_set_file(s, ACPI_RSDP_FILE, rsdp);
    fw_cfg_set_file(s, ACPI_LOADER_FILE, script);
}

static void fill_acpi(PCMachineState *pcms)
{
    static const char *const files[] = {ACPI_TABLES_FILE, ACPI_RSDP_FILE, ACPI_LOADER_FILE};
    FWCfgState *s = X86_MACHINE(pcms)->fw_cfg;

    if (X86_MACHINE(pcms)->acpi == ON_OFF_AUTO_OFF) {
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        fw_cfg_add_board_file(s, files[i], NULL, 0);
    }
    build_acpi(pcms);
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        fw_cfg_set_file_callback(s, files[i], build_acpi, pcms);
    }
}

static bool fill_options(MachineState *machine, GError **error)
{
    for (guint i = 0; i < machine->fw_cfg_options->len; i++) {
        if (!fw_cfg_add_option(machine->fw_cfg, g_ptr_array_index(machine->fw_cfg_options, i),
                               error)) {
            return false;
        }
    }
    return true;
}

/* For S0 to S5: bit 7 if there is such a state, and its SLP_TYP. */
static void fill_system_states(PCMachineState *pcms)
{
    static const uint8_t without[6] = {0x80, 0, 0, 1, 2, 0x80};
    const int *types = pcms->acpi_config.sleep_types;
    uint8_t states[6];

    memcpy(states, without, sizeof(states));
    for (int i = 3; i <= 5; i++) {
        states[i] = types[i] < 0 ? without[i] & 0x7f : (uint8_t)(0x80 | types[i]);
    }
    fw_cfg_add_board_file(X86_MACHINE(pcms)->fw_cfg, "etc/system-states", states, sizeof(states));
}

/* ---- what is booted -------------------------------------------------------------------- */

/* With its NUL, but empty if it says nothing. */
static void add_text_file(FWCfgState *s, const char *name, const char *text)
{
    fw_cfg_add_board_file(s, name, text, *text ? strlen(text) + 1 : 0);
}

/* JPEG, or BMP with 24 bits a pixel (at 1ch, little-endian). */
static const char *splash_file_name(GBytes *image)
{
    gsize size;
    const uint8_t *data = g_bytes_get_data(image, &size);

    if (size > 2 && data[0] == 0xff && data[1] == 0xd8) {
        return "bootsplash.jpg";
    }
    return size > 0x1e && data[0] == 'B' && data[1] == 'M' && data[0x1c] == 24 && !data[0x1d]
               ? "bootsplash.bmp"
               : NULL;
}

static bool add_splash(MachineState *machine, GError **error)
{
    const char *file = machine->boot.splash;

    if (!file) {
        return true;
    }
    g_autofree char *path = loader_find_file(file, machine->firmware_dirs);
    g_autoptr(GBytes) image = loader_read_file("-boot splash=", path ? path : file, error);
    if (!image) {
        return false;
    }
    const char *name = splash_file_name(image);
    if (!name) {
        g_set_error(error, LOADER_ERROR, LOADER_ERROR_FORMAT,
                    "-boot splash=%s: expected a JPEG, or a BMP of 24 bits a pixel", file);
        return false;
    }
    return fw_cfg_add_file(machine->fw_cfg, name, image, error);
}

static bool add_option_roms(MachineState *machine, GError **error)
{
    for (guint i = 0; i < machine->option_roms->len; i++) {
        const OptionROM *rom = g_ptr_array_index(machine->option_roms, i);
        g_autofree char *path = loader_find_file(rom->file, machine->firmware_dirs);
        g_autoptr(GBytes) data = loader_read_file("-option-rom", path ? path : rom->file, error);
        g_autofree char *base = g_path_get_basename(rom->file);
        g_autofree char *name = g_strconcat(GENROMS_FOLDER, base, NULL);
        if (!data || !fw_cfg_add_file(machine->fw_cfg, name, data, error)) {
            return false;
        }
    }
    return true;
}

static void fill_boot_times(MachineState *machine)
{
    uint32_t fail_wait = GUINT32_TO_LE((uint32_t)machine->boot.reboot_timeout);
    uint16_t menu_wait = GUINT16_TO_LE((uint16_t)machine->boot.splash_time);

    fw_cfg_add_board_file(machine->fw_cfg, "etc/boot-fail-wait", &fail_wait, sizeof(fail_wait));
    if (machine->boot.splash_time >= 0) {
        fw_cfg_add_board_file(machine->fw_cfg, "etc/boot-menu-wait", &menu_wait, sizeof(menu_wait));
    }
}

/* Firmware boots the first of these that it finds. */
static bool fill_boot(PCMachineState *pcms, GError **error)
{
    X86MachineState *x86ms = X86_MACHINE(pcms);
    MachineState *machine = MACHINE(pcms);
    const char *kernel = NULL;

    if (machine->kernel_filename && !x86_boots_directly(x86ms)) {
        kernel = x86_linuxboot_fill(x86ms, error);
        if (!kernel) {
            return false;
        }
    }
    g_autofree char *order = boot_order_list(machine, kernel, error);
    g_autofree char *geometry = boot_geometry_list(machine);
    if (!order) {
        return false;
    }
    add_text_file(x86ms->fw_cfg, "bootorder", order);
    add_text_file(x86ms->fw_cfg, "bios-geometry", geometry);
    fill_boot_times(machine);
    return add_splash(machine, error) && add_option_roms(machine, error);
}

bool pc_fw_cfg_fill(PCMachineState *pcms, GError **error)
{
    X86MachineState *x86ms = X86_MACHINE(pcms);

    fill_keys(pcms);
    fill_hpet(pcms);
    fill_e820(x86ms);
    fill_acpi(pcms);
    fill_system_states(pcms);
    return fill_smbios(x86ms, error) && fill_boot(pcms, error) &&
           fill_options(MACHINE(pcms), error);
}
