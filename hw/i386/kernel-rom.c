/* SPDX-License-Identifier: MIT
 *
 * -kernel of another kind than bzImage together with firmware: the pieces that it consists of go into
 * fw_cfg, with a ROM (kernel-rom.S) that puts them into memory and enters it.
 *
 *   SETUP_DATA    32-bit words: entry, eax, ebx, esi; then of each piece address, size in memory,
 *                 bytes of data
 *   SETUP_SIZE    its length
 *   KERNEL_DATA   the data of all pieces, one after the other
 */
#include <string.h>
#include "hw/i386/x86.h"

#define FIRMWARE_TABLES 0x00040000u /* what firmware may take at the top of low RAM */
#define TABLE_MAX       0x00001e00u /* between its place and the kernel's information */
#define SCREEN          0x000a0000u
#define BIOS_AREA       0x000f0000u

extern const uint8_t kernel_rom[], kernel_rom_end[];

static void put(GByteArray *table, uint64_t value)
{
    uint32_t word = GUINT32_TO_LE((uint32_t)value);

    g_byte_array_append(table, (uint8_t *)&word, sizeof(word));
}

typedef struct Pieces {
    GByteArray *table, *data;
} Pieces;

static void add_piece(void *opaque, hwaddr addr, uint64_t size, GBytes *data)
{
    Pieces *p = opaque;
    gsize len = 0;
    const uint8_t *bytes = data ? g_bytes_get_data(data, &len) : NULL;

    put(p->table, addr);
    put(p->table, size);
    put(p->table, len);
    g_byte_array_append(p->data, bytes, (guint)len);
}

/* What a PC's firmware will have left to others. */
static E820Map *free_map(const X86MachineState *x86ms)
{
    E820Map *map = x86_ram_map(x86ms);

    e820_set(map, SCREEN, X86_BOOT_HIGH - SCREEN, E820_RESERVED);
    e820_set(map, X86_BOOT_EBDA, SCREEN - X86_BOOT_EBDA, E820_RESERVED);
    e820_set(map, x86ms->below_4g_mem_size - FIRMWARE_TABLES, FIRMWARE_TABLES, E820_RESERVED);
    e820_remove(map, SCREEN, BIOS_AREA - SCREEN);
    return map;
}

static bool fill_pieces(FWCfgState *s, Loader *loader, const X86Start *start, GError **error)
{
    g_autoptr(GByteArray) table = g_byte_array_new(), data = g_byte_array_new();
    Pieces pieces = {table, data};

    put(table, start->rip);
    put(table, start->rax);
    put(table, start->rbx);
    put(table, start->rsi);
    loader_foreach(loader, add_piece, &pieces);
    if (table->len > TABLE_MAX) {
        g_set_error(error, LOADER_ERROR, LOADER_ERROR_FORMAT, "it has too many segments");
        return false;
    }
    fw_cfg_set_u32(s, FW_CFG_SETUP_SIZE, table->len);
    fw_cfg_set_bytes(s, FW_CFG_SETUP_DATA, table->data, table->len);
    g_autoptr(GBytes) bytes = g_byte_array_free_to_bytes(g_steal_pointer(&data));
    fw_cfg_set_gbytes(s, FW_CFG_KERNEL_DATA, bytes);
    return true;
}

bool x86_kernel_rom_fill(X86MachineState *x86ms, GError **error)
{
    MachineState *machine = MACHINE(x86ms);
    g_autoptr(GArray) map = free_map(x86ms);
    g_autoptr(Loader) loader = loader_new();
    g_autoptr(GBytes) rom = x86_option_rom(kernel_rom, (size_t)(kernel_rom_end - kernel_rom));
    X86Start start;
    X86BootConfig config = {
        .kernel = machine->kernel_filename,
        .initrd = machine->initrd_filename,
        .cmdline = machine->kernel_cmdline,
        .e820 = map,
        .low_ram_end = x86ms->below_4g_mem_size - FIRMWARE_TABLES,
        .long_mode = true,
    };

    if (!x86_boot_kernel(&config, loader, &start, error)) {
        return false;
    }
    if (start.mode != X86_START_PROT32) {
        g_set_error(error, LOADER_ERROR, LOADER_ERROR_FORMAT,
                    "-kernel '%s' with firmware: expected a bzImage, a multiboot image or an ELF "
                    "executable with a PVH note",
                    config.kernel);
        return false;
    }
    return fill_pieces(x86ms->fw_cfg, loader, &start, error) &&
           fw_cfg_add_file(x86ms->fw_cfg, KERNEL_ROM_FILE, rom, error);
}
