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
    fw_cfg_set_u16(s, FW_CFG_BOOT_DEVICE, machine->boot_order ? machine->boot_order[0] : 0);
    fw_cfg_set_u16(s, FW_CFG_BOOT_MENU, machine->boot_menu);
    fw_cfg_set_bytes(s, FW_CFG_NUMA, numa->data, numa->len * sizeof(uint64_t));
    fw_cfg_set_u32(s, FW_CFG_IRQ0_OVERRIDE, 1);
}

static void fill_e820(X86MachineState *x86ms)
{
    g_autoptr(GArray) map = x86_ram_map(x86ms);

    fw_cfg_add_board_file(x86ms->fw_cfg, "etc/e820", map->data, map->len * sizeof(E820Entry));
}

static void fill_smbios(X86MachineState *x86ms)
{
    SmbiosMachine sm = x86_smbios_machine(x86ms, true);
    uint8_t entry[SMBIOS_ENTRY_SIZE];
    g_autoptr(GByteArray) tables = smbios_build(x86ms->smbios, &sm, entry);

    fw_cfg_add_board_file(x86ms->fw_cfg, SMBIOS_TABLES_FILE, tables->data, tables->len);
    fw_cfg_add_board_file(x86ms->fw_cfg, SMBIOS_ENTRY_FILE, entry, sizeof(entry));
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
    g_autoptr(GBytes) tables = g_bytes_new(t->data->data, t->data->len);
    g_autoptr(GBytes) rsdp = acpi_rsdp_template(t), script = acpi_loader_script(t);

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

/* Firmware boots the first of these that it finds. */
static bool fill_boot(PCMachineState *pcms, GError **error)
{
    X86MachineState *x86ms = X86_MACHINE(pcms);
    bool kernel = MACHINE(pcms)->kernel_filename && !x86_boots_directly(x86ms);
    g_autofree char *order =
        boot_order_list(MACHINE(pcms), kernel ? LINUXBOOT_BOOT_PATH : NULL, error);

    if (!order) {
        return false;
    }
    fw_cfg_add_board_file(x86ms->fw_cfg, "bootorder", order, strlen(order) + 1);
    return !kernel || x86_linuxboot_fill(x86ms, error);
}

bool pc_fw_cfg_fill(PCMachineState *pcms, GError **error)
{
    X86MachineState *x86ms = X86_MACHINE(pcms);
    uint64_t max_cpus = GUINT64_TO_LE(x86ms->apic_ids->len);
    uint32_t wait = GUINT32_TO_LE(UINT32_MAX);
    uint16_t menu = GUINT16_TO_LE((uint16_t)MACHINE(pcms)->boot_menu);

    fill_keys(pcms);
    fill_e820(x86ms);
    fill_smbios(x86ms);
    fill_acpi(pcms);
    fw_cfg_add_board_file(x86ms->fw_cfg, "etc/max-cpus", &max_cpus, 2);
    fw_cfg_add_board_file(x86ms->fw_cfg, "etc/show-boot-menu", &menu, sizeof(menu));
    fw_cfg_add_board_file(x86ms->fw_cfg, "etc/boot-fail-wait", &wait, sizeof(wait));
    return fill_boot(pcms, error) && fill_options(MACHINE(pcms), error);
}
