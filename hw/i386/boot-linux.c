/* SPDX-License-Identifier: MIT
 *
 * Linux bzImage by its 64-bit or 32-bit boot protocol.  Documentation/arch/x86/boot.rst
 * ("The Real-Mode Kernel Header", "32-bit Boot Protocol", "64-bit Boot Protocol"), zero-page.rst.
 */
#include <string.h>
#include "hw/i386/boot.h"

#define HDR_OFFSET        0x1f1u
#define HDR_MAGIC         0x53726448u /* "HdrS" */
#define HDR_VERSION_MIN   0x0204u     /* initrd_addr_max and cmd_line_ptr are there */
#define DEFAULT_CMDLINE   255u        /* before version 2.06 */
#define DEFAULT_INITRD    0x37ffffffu /* before version 2.03 */
#define LOADER_UNDEFINED  0xffu
#define STARTUP_64_OFFSET 0x200u
#define SECTOR            512u

typedef struct LinuxImage {
    struct setup_header hdr;
    size_t setup_size; /* boot sector and setup */
    bool entry64;
    uint64_t load_addr; /* of the protected-mode part */
    uint64_t end;       /* of what it needs */
} LinuxImage;

static bool linux_error(GError **error, const char *why)
{
    g_set_error(error, LOADER_ERROR, LOADER_ERROR_FORMAT, "Linux image: %s", why);
    return false;
}

static bool linux_probe(GBytes *kernel)
{
    gsize len;
    const uint8_t *data = g_bytes_get_data(kernel, &len);
    uint32_t magic;

    if (len < 0x206) {
        return false;
    }
    memcpy(&magic, data + 0x202, sizeof(magic));
    return GUINT32_FROM_LE(magic) == HDR_MAGIC && data[0x1fe] == 0x55 && data[0x1ff] == 0xaa;
}

/* The header ends where the jump at 0x200 leads. */
static bool linux_read_header(GBytes *kernel, LinuxImage *image, GError **error)
{
    gsize len;
    const uint8_t *data = g_bytes_get_data(kernel, &len);
    size_t end = 0x202u + data[0x201];

    if (end > len || len < sizeof(struct setup_header) + HDR_OFFSET) {
        return linux_error(error, "the file is truncated");
    }
    memset(&image->hdr, 0, sizeof(image->hdr));
    memcpy(&image->hdr, data + HDR_OFFSET, MIN(end - HDR_OFFSET, sizeof(image->hdr)));
    image->setup_size = ((image->hdr.setup_sects ? image->hdr.setup_sects : 4) + 1) * SECTOR;
    if (image->hdr.version < HDR_VERSION_MIN || !(image->hdr.loadflags & LOADED_HIGH)) {
        return linux_error(error, "too old: a bzImage of boot protocol 2.04 or later is needed");
    }
    if (image->setup_size >= len ||
        (image->hdr.syssize && image->hdr.syssize * 16ull > len - image->setup_size + 15)) {
        return linux_error(error, "the file is truncated");
    }
    return true;
}

bool x86_boot_needs_bios(GBytes *kernel)
{
    LinuxImage image = {0};

    return linux_probe(kernel) && linux_read_header(kernel, &image, NULL) &&
           image.hdr.code32_start == 0;
}

bool x86_boot_linux_header(GBytes *kernel, LinuxSetupHeader *ret_header, size_t *ret_setup_size,
                           GError **error)
{
    LinuxImage image = {0};

    if (!linux_probe(kernel)) {
        return linux_error(error, "not a bzImage");
    }
    if (!linux_read_header(kernel, &image, error)) {
        return false;
    }
    *ret_header = image.hdr;
    *ret_setup_size = image.setup_size;
    return true;
}

/*
 * Where it prefers to run, if it may be moved, else at 1 MiB; either way it unpacks itself to
 * where it prefers to run.
 */
static bool linux_place(const X86BootConfig *config, GBytes *kernel, LinuxImage *image,
                        GError **error)
{
    const struct setup_header *h = &image->hdr;
    uint64_t preferred = h->version >= 0x20a ? h->pref_address : X86_BOOT_HIGH;
    bool movable = h->version >= 0x20a && h->relocatable_kernel && preferred >= X86_BOOT_HIGH;

    image->load_addr = movable ? preferred : X86_BOOT_HIGH;
    image->end = image->load_addr + g_bytes_get_size(kernel) - image->setup_size;
    if (h->version >= 0x20a && preferred < UINT32_MAX) {
        image->end = MAX(image->end, preferred + h->init_size);
    }
    if (image->load_addr >= UINT32_MAX || image->end > config->low_ram_end) {
        g_set_error(error, LOADER_ERROR, LOADER_ERROR_MEMORY,
                    "Linux image: needs RAM up to %" G_GUINT64_FORMAT
                    " MiB and has %" G_GUINT64_FORMAT " MiB (give more with -m)",
                    (uint64_t)(image->end >> 20) + 1, config->low_ram_end >> 20);
        return false;
    }
    image->entry64 = h->version >= 0x20c && (h->xloadflags & XLF_KERNEL_64);
    if (image->entry64 && !config->long_mode) {
        return linux_error(error, "a 64-bit kernel, but the CPU (-cpu) has no long mode");
    }
    return true;
}

static void put_e820(const E820Map *map, struct boot_params *bp)
{
    bp->e820_entries = MIN(map->len, E820_MAX_ENTRIES_ZEROPAGE);
    for (guint i = 0; i < bp->e820_entries; i++) {
        const E820Entry *e = e820_entry(map, i);
        bp->e820_table[i].addr = e->addr;
        bp->e820_table[i].size = e->size;
        bp->e820_table[i].type = e->type;
    }
}

static void put_screen(const X86BootConfig *config, struct boot_params *bp)
{
    if (config->has_vga) {
        bp->screen_info.orig_video_mode = 3;
        bp->screen_info.orig_video_cols = 80;
        bp->screen_info.orig_video_lines = 25;
        bp->screen_info.orig_video_points = 16;
        bp->screen_info.orig_video_isVGA = 1;
    }
}

bool x86_boot_add_params(const X86BootConfig *config, const uint8_t *setup, size_t setup_len,
                         uint64_t initrd_addr, uint64_t initrd_size, Loader *loader, GError **error)
{
    g_autofree struct boot_params *bp = g_new0(struct boot_params, 1);

    if (setup) {
        memcpy(&bp->hdr, setup, MIN(setup_len, sizeof(bp->hdr)));
    } else {
        bp->hdr.boot_flag = 0xaa55;
        bp->hdr.header = HDR_MAGIC;
        bp->hdr.version = 0x20f;
        bp->hdr.loadflags = LOADED_HIGH;
        bp->hdr.kernel_alignment = 0x1000000;
    }
    bp->hdr.type_of_loader = LOADER_UNDEFINED;
    bp->hdr.loadflags &= (uint8_t)~QUIET_FLAG;
    bp->hdr.cmd_line_ptr = X86_BOOT_CMDLINE;
    bp->hdr.vid_mode = 0xffff; /* normal */
    bp->hdr.ramdisk_image = (uint32_t)initrd_addr;
    bp->hdr.ramdisk_size = (uint32_t)initrd_size;
    bp->acpi_rsdp_addr = config->rsdp;
    put_screen(config, bp);
    put_e820(config->e820, bp);
    return x86_boot_add_bytes(loader, "boot parameters", X86_BOOT_PARAMS, bp, sizeof(*bp), error);
}

static bool linux_load(const X86BootConfig *config, GBytes *kernel, const LinuxImage *image,
                       Loader *loader, GError **error)
{
    const struct setup_header *h = &image->hdr;
    uint64_t initrd_addr, initrd_size;
    uint64_t limit = h->initrd_addr_max ? (uint64_t)h->initrd_addr_max + 1 : DEFAULT_INITRD + 1u;
    g_autoptr(GBytes) code = g_bytes_new_from_bytes(kernel, image->setup_size,
                                                    g_bytes_get_size(kernel) - image->setup_size);

    return loader_add(loader, "kernel", image->load_addr, code, 0, error) &&
           x86_boot_add_cmdline(config, h->version >= 0x206 ? h->cmdline_size : DEFAULT_CMDLINE,
                                loader, error) &&
           x86_boot_add_initrd(config, image->end, limit, loader, &initrd_addr, &initrd_size,
                               error) &&
           x86_boot_add_params(config, (const uint8_t *)h, sizeof(*h), initrd_addr, initrd_size,
                               loader, error) &&
           x86_boot_add_tables(loader, image->entry64, error);
}

bool x86_boot_linux(const X86BootConfig *config, GBytes *kernel, Loader *loader,
                    X86Start *ret_start, bool *ret_handled, GError **error)
{
    LinuxImage image = {0};

    if (!linux_probe(kernel)) {
        *ret_handled = false;
        return true;
    }
    if (!linux_read_header(kernel, &image, error) || !linux_place(config, kernel, &image, error)) {
        return false;
    }
    image.hdr.code32_start = (uint32_t)image.load_addr;
    if (!linux_load(config, kernel, &image, loader, error)) {
        return false;
    }
    *ret_start = (X86Start){
        .mode = image.entry64 ? X86_START_LONG64 : X86_START_PROT32,
        .rip = image.load_addr + (image.entry64 ? STARTUP_64_OFFSET : 0),
        .rsi = X86_BOOT_PARAMS,
    };
    return true;
}
