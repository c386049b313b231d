/* SPDX-License-Identifier: MIT
 *
 * Multiboot Specification version 0.6.96: 3.1 (header), 3.2 (machine state), 3.3 (information).
 */
#include <inttypes.h>
#include <string.h>
#include "hw/core/elf-image.h"
#include "hw/i386/boot.h"

#define MB_HEADER_MAGIC  0x1badb002u
#define MB_LOADER_MAGIC  0x2badb002u
#define MB_SEARCH        8192u
#define MB_HEADER_AOUT   (1u << 16)  /* the address fields are valid */
#define MB_HEADER_REFUSE 0x0000fff8u /* requirements that we do not know */

#define MB_INFO_MEMORY  (1u << 0)
#define MB_INFO_CMDLINE (1u << 2)
#define MB_INFO_MODS    (1u << 3)
#define MB_INFO_MMAP    (1u << 6)
#define MB_INFO_LOADER  (1u << 9)

#define MB_MAX_MODULES 32
#define MB_MAX_MMAP    32
#define MB_PAGE        4096u

typedef struct MultibootHeader {
    uint32_t magic, flags, checksum;
    uint32_t header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
} MultibootHeader;

typedef struct MultibootInfo {
    uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4];
    uint32_t mmap_length, mmap_addr, drives_length, drives_addr, config_table, loader_name;
    uint32_t apm_table, vbe[4], framebuffer[6];
} MultibootInfo;

typedef struct MultibootModule {
    uint32_t start, end, string, reserved;
} MultibootModule;

typedef struct __attribute__((packed)) MultibootMmap {
    uint32_t size; /* of the rest */
    E820Entry entry;
} MultibootMmap;

typedef struct MultibootBlock {
    MultibootInfo info;
    MultibootModule modules[MB_MAX_MODULES];
    MultibootMmap mmap[MB_MAX_MMAP];
    char loader_name[8];
} MultibootBlock;

/* What is being put together. */
typedef struct Multiboot {
    const X86BootConfig *config;
    GBytes *file;
    Loader *loader;
    MultibootHeader header;
    size_t header_offset;
    uint32_t entry;
    GString *strings;
    MultibootBlock *block;
    uint32_t block_at, strings_at;
} Multiboot;

static bool mb_error(GError **error, const char *why)
{
    g_set_error(error, LOADER_ERROR, LOADER_ERROR_FORMAT, "multiboot image: %s", why);
    return false;
}

static bool mb_find_header(Multiboot *mb)
{
    gsize len;
    const uint8_t *data = g_bytes_get_data(mb->file, &len);

    for (size_t i = 0; i + 12 <= MIN(len, MB_SEARCH); i += 4) {
        memset(&mb->header, 0, sizeof(mb->header));
        memcpy(&mb->header, data + i, MIN(sizeof(mb->header), len - i));
        if (mb->header.magic == MB_HEADER_MAGIC &&
            mb->header.magic + mb->header.flags + mb->header.checksum == 0) {
            mb->header_offset = i;
            return true;
        }
    }
    return false;
}

/* The header itself says what is loaded where. */
static bool mb_load_raw(Multiboot *mb, GError **error)
{
    const MultibootHeader *h = &mb->header;
    gsize len = g_bytes_get_size(mb->file);
    uint64_t before = (uint64_t)h->header_addr - h->load_addr;

    if (h->header_addr < h->load_addr || before > mb->header_offset) {
        return mb_error(error, "load_addr lies before the file");
    }
    uint64_t offset = mb->header_offset - before;
    uint64_t size = h->load_end_addr ? (uint64_t)h->load_end_addr - h->load_addr : len - offset;
    uint64_t memory = h->bss_end_addr ? (uint64_t)h->bss_end_addr - h->load_addr : size;
    if ((h->load_end_addr && h->load_end_addr < h->load_addr) || size > len - offset) {
        return mb_error(error, "the file is truncated");
    }
    if ((h->bss_end_addr && h->bss_end_addr < h->load_addr) || memory < size) {
        return mb_error(error, "bss_end_addr lies before the end of the data");
    }
    if (h->load_addr + memory > mb->config->low_ram_end) {
        return mb_error(error, "does not fit in RAM");
    }
    g_autoptr(GBytes) data = g_bytes_new_from_bytes(mb->file, offset, size);
    mb->entry = h->entry_addr;
    return loader_add(mb->loader, "kernel", h->load_addr, data, memory, error);
}

static bool mb_load_elf(Multiboot *mb, GError **error)
{
    g_autoptr(ElfImage) image = elf_image_parse(mb->file, error);

    if (!image) {
        return false;
    }
    if (image->is64) {
        return mb_error(error, "is a 64-bit ELF; the protocol starts 32-bit code");
    }
    mb->entry = (uint32_t)image->entry;
    return elf_image_load(image, mb->file, mb->loader, mb->config->low_ram_end, error);
}

/* The first page from `at` on that leaves `size` bytes of low memory beside the kernel. */
static uint32_t mb_find_room(const Multiboot *mb, uint32_t at, size_t size)
{
    uint32_t room = at;

    while (room + size <= X86_BOOT_EBDA && loader_overlap(mb->loader, room, size)) {
        room += MB_PAGE;
    }
    return room + size <= X86_BOOT_EBDA ? room : at; /* loader_add() names what is in the way */
}

/* Kernels of real-mode code lie where the information is else: in the first 640 KiB. */
static void mb_place(Multiboot *mb)
{
    const X86BootConfig *c = mb->config;
    size_t words = strlen(c->kernel) + (c->cmdline ? strlen(c->cmdline) : 0) +
                   (c->initrd ? strlen(c->initrd) : 0) + 3;
    uint32_t end;

    mb->block_at = mb_find_room(mb, X86_BOOT_INFO, sizeof(*mb->block));
    end = (mb->block_at + (uint32_t)sizeof(*mb->block) + MB_PAGE - 1) & ~(uint32_t)(MB_PAGE - 1);
    mb->strings_at = mb_find_room(mb, MAX(X86_BOOT_CMDLINE, end), words);
}

static uint32_t mb_add_string(Multiboot *mb, const char *first, const char *second)
{
    uint32_t addr = mb->strings_at + (uint32_t)mb->strings->len;

    g_string_append(mb->strings, first);
    if (second && *second) {
        g_string_append_printf(mb->strings, " %s", second);
    }
    g_string_append_c(mb->strings, 0);
    return addr;
}

/* One of -initrd "file args,file args". */
static bool mb_add_module(Multiboot *mb, const char *text, GError **error)
{
    MultibootInfo *info = &mb->block->info;
    g_autofree char *path = g_strndup(text, strcspn(text, " "));
    g_autoptr(GBytes) data = loader_read_file("-initrd", path, error);

    if (!data) {
        return false;
    }
    uint64_t size = g_bytes_get_size(data);
    uint64_t start = loader_end_below(mb->loader, mb->config->low_ram_end);
    start = (MAX(start, X86_BOOT_HIGH) + MB_PAGE - 1) & ~(uint64_t)(MB_PAGE - 1);
    if (start + size > mb->config->low_ram_end || info->mods_count == MB_MAX_MODULES) {
        g_set_error(error, LOADER_ERROR, LOADER_ERROR_MEMORY, "-initrd '%s': no room for it", path);
        return false;
    }
    mb->block->modules[info->mods_count++] =
        (MultibootModule){.start = (uint32_t)start,
                          .end = (uint32_t)(start + size),
                          .string = mb_add_string(mb, text, NULL)};
    return loader_add(mb->loader, path, start, data, 0, error);
}

static bool mb_add_modules(Multiboot *mb, GError **error)
{
    g_auto(GStrv) list = NULL;

    if (!mb->config->initrd) {
        return true;
    }
    list = g_strsplit(mb->config->initrd, ",", -1);
    for (int i = 0; list[i]; i++) {
        if (!mb_add_module(mb, g_strchug(list[i]), error)) {
            return false;
        }
    }
    return true;
}

static void mb_fill_memory(Multiboot *mb)
{
    MultibootInfo *info = &mb->block->info;
    const E820Map *map = mb->config->e820;
    guint n = MIN(map->len, MB_MAX_MMAP);

    for (guint i = 0; i < n; i++) {
        const E820Entry *e = e820_entry(map, i);
        mb->block->mmap[i] = (MultibootMmap){sizeof(E820Entry), *e};
        if (e->type == E820_RAM && e->addr == 0) {
            info->mem_lower = (uint32_t)(e->size / 1024);
        } else if (e->type == E820_RAM && e->addr == X86_BOOT_HIGH) {
            info->mem_upper = (uint32_t)(e->size / 1024);
        }
    }
    info->mmap_addr = mb->block_at + offsetof(MultibootBlock, mmap);
    info->mmap_length = n * sizeof(MultibootMmap);
    info->flags |= MB_INFO_MEMORY | MB_INFO_MMAP;
}

static bool mb_add_info(Multiboot *mb, GError **error)
{
    MultibootInfo *info = &mb->block->info;

    info->cmdline = mb_add_string(mb, mb->config->kernel, mb->config->cmdline);
    info->flags = MB_INFO_CMDLINE | MB_INFO_MODS | MB_INFO_LOADER;
    info->mods_addr = mb->block_at + offsetof(MultibootBlock, modules);
    info->loader_name = mb->block_at + offsetof(MultibootBlock, loader_name);
    g_strlcpy(mb->block->loader_name, "quoin", sizeof(mb->block->loader_name));
    mb_fill_memory(mb);
    if (mb->strings->len > X86_BOOT_CMDLINE_MAX) {
        g_set_error(error, LOADER_ERROR, LOADER_ERROR_FORMAT,
                    "-append and -initrd: the command lines have more than %u bytes",
                    X86_BOOT_CMDLINE_MAX);
        return false;
    }
    return x86_boot_add_bytes(mb->loader, "multiboot information", mb->block_at, mb->block,
                              sizeof(*mb->block), error) &&
           x86_boot_add_bytes(mb->loader, "command line", mb->strings_at, mb->strings->str,
                              mb->strings->len, error) &&
           x86_boot_add_tables(mb->loader, false, error);
}

bool x86_boot_multiboot(const X86BootConfig *config, GBytes *kernel, Loader *loader,
                        X86Start *ret_start, bool *ret_handled, GError **error)
{
    g_autoptr(GString) strings = g_string_new(NULL);
    g_autofree MultibootBlock *block = g_new0(MultibootBlock, 1);
    Multiboot mb = {
        .config = config, .file = kernel, .loader = loader, .strings = strings, .block = block};

    if (!mb_find_header(&mb)) {
        *ret_handled = false;
        return true;
    }
    if (mb.header.flags & MB_HEADER_REFUSE) {
        return mb_error(error, "its header requires features that are not offered");
    }
    if (!(mb.header.flags & MB_HEADER_AOUT ? mb_load_raw(&mb, error) : mb_load_elf(&mb, error))) {
        return false;
    }
    mb_place(&mb);
    if (!mb_add_modules(&mb, error) || !mb_add_info(&mb, error)) {
        return false;
    }
    *ret_start = (X86Start){
        .mode = X86_START_PROT32, .rip = mb.entry, .rax = MB_LOADER_MAGIC, .rbx = mb.block_at};
    return true;
}
