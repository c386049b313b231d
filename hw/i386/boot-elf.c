/* SPDX-License-Identifier: MIT
 *
 * ELF executables: by the PVH note (Xen, docs/misc/pvh.pandoc; include/public/arch-x86/hvm/
 * start_info.h), else at their entry point with Linux's zero page in RSI.
 */
#include <string.h>
#include "hw/core/elf-image.h"
#include "hw/i386/boot.h"

#define HVM_START_MAGIC   0x336ec578u
#define HVM_START_VERSION 1u

typedef struct HvmStartInfo {
    uint32_t magic, version, flags, nr_modules;
    uint64_t modlist, cmdline, rsdp, memmap;
    uint32_t memmap_entries, reserved;
} HvmStartInfo;

typedef struct HvmModule {
    uint64_t addr, size, cmdline, reserved;
} HvmModule;

typedef struct HvmMemmapEntry {
    uint64_t addr, size;
    uint32_t type, reserved;
} HvmMemmapEntry;

typedef struct HvmBlock {
    HvmStartInfo info;
    HvmModule module;
    HvmMemmapEntry memmap[64];
} HvmBlock;

static bool pvh_add_info(const X86BootConfig *config, uint64_t initrd, uint64_t initrd_size,
                         Loader *loader, GError **error)
{
    g_autofree HvmBlock *b = g_new0(HvmBlock, 1);

    b->info = (HvmStartInfo){
        .magic = HVM_START_MAGIC,
        .version = HVM_START_VERSION,
        .nr_modules = initrd_size != 0,
        .modlist = X86_BOOT_INFO + offsetof(HvmBlock, module),
        .cmdline = X86_BOOT_CMDLINE,
        .rsdp = config->rsdp,
        .memmap = X86_BOOT_INFO + offsetof(HvmBlock, memmap),
        .memmap_entries = MIN(config->e820->len, G_N_ELEMENTS(b->memmap)),
    };
    b->module = (HvmModule){.addr = initrd, .size = initrd_size};
    for (guint i = 0; i < b->info.memmap_entries; i++) {
        const E820Entry *e = e820_entry(config->e820, i);
        b->memmap[i] = (HvmMemmapEntry){.addr = e->addr, .size = e->size, .type = e->type};
    }
    return x86_boot_add_bytes(loader, "start info", X86_BOOT_INFO, b, sizeof(*b), error);
}

static bool boot_elf_pvh(const X86BootConfig *config, const ElfImage *image, Loader *loader,
                         X86Start *ret_start, GError **error)
{
    uint64_t initrd, size;

    *ret_start =
        (X86Start){.mode = X86_START_PROT32, .rip = image->pvh_entry, .rbx = X86_BOOT_INFO};
    return x86_boot_add_cmdline(config, X86_BOOT_CMDLINE_MAX, loader, error) &&
           x86_boot_add_initrd(config, 0, config->low_ram_end, loader, &initrd, &size, error) &&
           pvh_add_info(config, initrd, size, loader, error) &&
           x86_boot_add_tables(loader, false, error);
}

static bool boot_elf_plain(const X86BootConfig *config, const ElfImage *image, Loader *loader,
                           X86Start *ret_start, GError **error)
{
    uint64_t initrd, size;

    if (image->is64 && !config->long_mode) {
        g_set_error(error, LOADER_ERROR, LOADER_ERROR_FORMAT,
                    "a 64-bit ELF image, but the CPU (-cpu) has no long mode");
        return false;
    }
    *ret_start = (X86Start){.mode = image->is64 ? X86_START_LONG64 : X86_START_PROT32,
                            .rip = elf_image_physical_entry(image),
                            .rsi = X86_BOOT_PARAMS};
    return x86_boot_add_cmdline(config, X86_BOOT_CMDLINE_MAX, loader, error) &&
           x86_boot_add_initrd(config, 0, config->low_ram_end, loader, &initrd, &size, error) &&
           x86_boot_add_params(config, NULL, 0, initrd, size, loader, error) &&
           x86_boot_add_tables(loader, image->is64, error);
}

bool x86_boot_elf(const X86BootConfig *config, GBytes *kernel, Loader *loader, X86Start *ret_start,
                  bool *ret_handled, GError **error)
{
    if (!elf_image_probe(kernel)) {
        *ret_handled = false;
        return true;
    }
    g_autoptr(ElfImage) image = elf_image_parse(kernel, error);
    if (!image || !elf_image_load(image, kernel, loader, config->low_ram_end, error)) {
        return false;
    }
    return image->has_pvh_entry ? boot_elf_pvh(config, image, loader, ret_start, error)
                                : boot_elf_plain(config, image, loader, ret_start, error);
}
