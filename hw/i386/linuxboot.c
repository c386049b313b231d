/* SPDX-License-Identifier: MIT
 *
 * -kernel together with -bios: firmware runs first, then an expansion ROM (linuxboot-rom.S)
 * fetches the kernel from fw_cfg.  Linux, Documentation/arch/x86/boot.rst, "Loading The Rest of
 * The Kernel".
 */
#include <string.h>
#include "hw/i386/x86.h"

#define SECTOR           512u
#define PNP_HEADER       0x20u
#define PNP_CHECKSUM     (PNP_HEADER + 9)
#define PNP_SIZE         32u
#define SETUP_ADDRESS    0x10000u
#define CMDLINE_ADDRESS  0x20000u
#define HEADER_OFFSET    0x1f1u
#define HEAP_END         (CMDLINE_ADDRESS - SETUP_ADDRESS - 0x200)
#define FIRMWARE_TABLES  0x00040000u /* what firmware may take at the top of low RAM */
#define LOADER_UNDEFINED 0xffu

extern const uint8_t linuxboot_rom[], linuxboot_rom_end[];

static uint8_t negated_sum(const uint8_t *data, size_t len)
{
    uint8_t sum = 0;

    while (len--) {
        sum += *data++;
    }
    return -sum;
}

GBytes *x86_option_rom(const uint8_t *code, size_t len)
{
    size_t size = (len + 1 + SECTOR - 1) / SECTOR * SECTOR;
    uint8_t *rom = g_malloc0(size);

    memcpy(rom, code, len);
    rom[2] = (uint8_t)(size / SECTOR);
    rom[PNP_CHECKSUM] = negated_sum(rom + PNP_HEADER, PNP_SIZE);
    rom[size - 1] = negated_sum(rom, size);
    return g_bytes_new_take(rom, size);
}

GBytes *x86_linuxboot_rom(void)
{
    return x86_option_rom(linuxboot_rom, (size_t)(linuxboot_rom_end - linuxboot_rom));
}

static bool fill_initrd(X86MachineState *x86ms, LinuxSetupHeader *h, GError **error)
{
    const char *path = MACHINE(x86ms)->initrd_filename;
    uint64_t top =
        MIN(x86ms->below_4g_mem_size - FIRMWARE_TABLES, (uint64_t)h->initrd_addr_max + 1);

    if (!path) {
        return true;
    }
    g_autoptr(GBytes) initrd = loader_read_file("-initrd", path, error);
    if (!initrd) {
        return false;
    }
    uint64_t size = g_bytes_get_size(initrd);
    if (size > top || top - size < X86_BOOT_HIGH) {
        g_set_error(error, LOADER_ERROR, LOADER_ERROR_MEMORY,
                    "-initrd '%s': does not fit in RAM (give more with -m)", path);
        return false;
    }
    h->ramdisk_image = (uint32_t)((top - size) & ~0xfffull);
    h->ramdisk_size = (uint32_t)size;
    fw_cfg_set_u32(x86ms->fw_cfg, FW_CFG_INITRD_ADDR, h->ramdisk_image);
    fw_cfg_set_u32(x86ms->fw_cfg, FW_CFG_INITRD_SIZE, h->ramdisk_size);
    fw_cfg_set_gbytes(x86ms->fw_cfg, FW_CFG_INITRD_DATA, initrd);
    return true;
}

static bool fill_cmdline(X86MachineState *x86ms, const LinuxSetupHeader *h, GError **error)
{
    const char *text = MACHINE(x86ms)->kernel_cmdline ? MACHINE(x86ms)->kernel_cmdline : "";
    size_t max = h->version >= 0x206 ? h->cmdline_size : 255;

    if (strlen(text) > max) {
        g_set_error(error, LOADER_ERROR, LOADER_ERROR_FORMAT,
                    "-append: the command line has %zu characters, the kernel takes %zu",
                    strlen(text), max);
        return false;
    }
    fw_cfg_set_u32(x86ms->fw_cfg, FW_CFG_CMDLINE_ADDR, CMDLINE_ADDRESS);
    fw_cfg_set_u32(x86ms->fw_cfg, FW_CFG_CMDLINE_SIZE, (uint32_t)strlen(text) + 1);
    fw_cfg_set_string(x86ms->fw_cfg, FW_CFG_CMDLINE_DATA, text);
    return true;
}

static void fill_setup(FWCfgState *s, GBytes *kernel, size_t setup_size,
                       const LinuxSetupHeader *header)
{
    const uint8_t *data = g_bytes_get_data(kernel, NULL);
    g_autofree uint8_t *setup = g_memdup2(data, setup_size);
    size_t header_size = 0x202u + setup[0x201] - HEADER_OFFSET;

    memcpy(setup + HEADER_OFFSET, header, MIN(header_size, sizeof(*header)));
    fw_cfg_set_u32(s, FW_CFG_SETUP_ADDR, SETUP_ADDRESS);
    fw_cfg_set_u32(s, FW_CFG_SETUP_SIZE, (uint32_t)setup_size);
    fw_cfg_set_bytes(s, FW_CFG_SETUP_DATA, setup, setup_size);
}

static void fill_code(FWCfgState *s, GBytes *kernel, size_t setup_size)
{
    size_t size = g_bytes_get_size(kernel) - setup_size;
    g_autoptr(GBytes) code = g_bytes_new_from_bytes(kernel, setup_size, size);

    fw_cfg_set_u32(s, FW_CFG_KERNEL_ADDR, X86_BOOT_HIGH);
    fw_cfg_set_u32(s, FW_CFG_KERNEL_SIZE, (uint32_t)size);
    fw_cfg_set_gbytes(s, FW_CFG_KERNEL_DATA, code);
}

/* "HdrS" at 202h, and not the older protocols that had none (boot.rst). */
static bool is_bzimage(GBytes *kernel)
{
    gsize size;
    const uint8_t *data = g_bytes_get_data(kernel, &size);

    return size > 0x206 && !memcmp(data + 0x202, "HdrS", 4);
}

static bool fill_linux(X86MachineState *x86ms, GBytes *kernel, GError **error)
{
    const char *path = MACHINE(x86ms)->kernel_filename;
    g_autoptr(GBytes) rom = x86_linuxboot_rom();
    LinuxSetupHeader h;
    size_t setup_size;

    if (!x86_boot_linux_header(kernel, &h, &setup_size, error)) {
        g_prefix_error(error, "-kernel '%s' with -bios: ", path);
        return false;
    }
    if (setup_size > HEAP_END) {
        g_set_error(error, LOADER_ERROR, LOADER_ERROR_FORMAT,
                    "-kernel '%s': its setup code is too large", path);
        return false;
    }
    h.type_of_loader = LOADER_UNDEFINED;
    h.loadflags |= CAN_USE_HEAP;
    h.heap_end_ptr = HEAP_END;
    h.cmd_line_ptr = CMDLINE_ADDRESS;
    if (!fill_initrd(x86ms, &h, error) || !fill_cmdline(x86ms, &h, error)) {
        return false;
    }
    fill_setup(x86ms->fw_cfg, kernel, setup_size, &h);
    fill_code(x86ms->fw_cfg, kernel, setup_size);
    return fw_cfg_add_file(x86ms->fw_cfg, LINUXBOOT_ROM_FILE, rom, error);
}

const char *x86_linuxboot_fill(X86MachineState *x86ms, GError **error)
{
    g_autoptr(GBytes) kernel =
        loader_read_file("-kernel", MACHINE(x86ms)->kernel_filename, error);

    if (!kernel) {
        return NULL;
    }
    if (is_bzimage(kernel)) {
        return fill_linux(x86ms, kernel, error) ? "/rom@" LINUXBOOT_ROM_FILE : NULL;
    }
    return x86_kernel_rom_fill(x86ms, error) ? "/rom@" KERNEL_ROM_FILE : NULL;
}
