/* SPDX-License-Identifier: MIT
 *
 * What the boot protocols share.  Linux: Documentation/arch/x86/boot.rst and zero-page.rst.
 */
#include "hw/i386/boot.h"
#include <string.h>

#define PTE_PRESENT 0x01u
#define PTE_WRITE   0x02u
#define PTE_LARGE   0x80u
#define PAGE        4096u

typedef bool (*BootFormat)(const X86BootConfig *config, GBytes *kernel, Loader *loader,
                           X86Start *ret_start, bool *ret_handled, GError **error);

static bool boot_try_formats(const X86BootConfig *config, GBytes *kernel, Loader *loader,
                             X86Start *ret_start, GError **error)
{
    /* Multiboot before ELF: such a kernel usually is one. */
    static const BootFormat formats[] = {x86_boot_linux, x86_boot_multiboot, x86_boot_elf};

    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        bool handled = true;
        if (!formats[i](config, kernel, loader, ret_start, &handled, error)) {
            return false;
        }
        if (handled) {
            return true;
        }
    }
    g_set_error(error, LOADER_ERROR, LOADER_ERROR_FORMAT,
                "not a kernel: expected a Linux bzImage, an ELF executable for x86 or a multiboot "
                "image");
    return false;
}

bool x86_boot_kernel(const X86BootConfig *config, Loader *loader, X86Start *ret_start,
                     GError **error)
{
    g_autoptr(GBytes) kernel = loader_read_file("-kernel", config->kernel, error);
    g_autoptr(GError) why = NULL;

    if (!kernel) {
        return false;
    }
    if (boot_try_formats(config, kernel, loader, ret_start, &why)) {
        return true;
    }
    if (strstr(why->message, "-initrd") || strstr(why->message, "-append")) {
        g_propagate_error(error, g_steal_pointer(&why));
    } else {
        g_set_error(error, why->domain, why->code, "-kernel '%s': %s", config->kernel,
                    why->message);
    }
    return false;
}

/* ---- descriptors and pages -------------------------------------------------------- */

static void put_page_tables(uint64_t *t)
{
    uint64_t *pdpt = t + 512, *pd = t + 1024;

    t[0] = (X86_BOOT_PAGE_TABLES + PAGE) | PTE_PRESENT | PTE_WRITE;
    for (unsigned i = 0; i < 4; i++) {
        pdpt[i] = (X86_BOOT_PAGE_TABLES + (2 + i) * PAGE) | PTE_PRESENT | PTE_WRITE;
    }
    for (uint64_t i = 0; i < 4 * 512; i++) {
        pd[i] = i << 21 | PTE_PRESENT | PTE_WRITE | PTE_LARGE;
    }
}

bool x86_boot_add_tables(Loader *loader, bool long_mode, GError **error)
{
    /* Null, unused, code, data, 32-bit TSS (busy) of 0x68 bytes (SDM vol. 3, 3.4.5). */
    uint64_t gdt[] = {
        0,
        0,
        long_mode ? 0x00af9b000000ffffull : 0x00cf9b000000ffffull,
        0x00cf93000000ffffull,
        0x00008b0000000067ull | (uint64_t)X86_BOOT_TSS << 16,
    };
    g_autofree uint64_t *tables = NULL;

    if (!x86_boot_add_bytes(loader, "descriptor table", X86_BOOT_GDT, gdt, sizeof(gdt), error) ||
        !loader_add(loader, "task state", X86_BOOT_TSS, NULL, 0x68, error)) {
        return false;
    }
    if (!long_mode) {
        return true;
    }
    tables = g_malloc0(6 * PAGE);
    put_page_tables(tables);
    return x86_boot_add_bytes(loader, "page tables", X86_BOOT_PAGE_TABLES, tables, 6 * PAGE, error);
}

static void set_segment(SegmentCache *seg, uint16_t selector, uint32_t flags, uint64_t base,
                        uint32_t limit)
{
    *seg = (SegmentCache){.selector = selector, .flags = flags, .limit = limit, .base = base};
}

void x86_start_cpu(CPUX86State *env, const X86Start *start)
{
    bool long_mode = start->mode == X86_START_LONG64;
    uint32_t code = DESC_P_MASK | DESC_S_MASK | DESC_CS_MASK | DESC_RW_MASK | DESC_A_MASK |
                    DESC_G_MASK | (long_mode ? DESC_L_MASK : DESC_B_MASK);
    uint32_t data =
        DESC_P_MASK | DESC_S_MASK | DESC_RW_MASK | DESC_A_MASK | DESC_G_MASK | DESC_B_MASK;

    if (start->mode == X86_START_FIRMWARE) {
        return;
    }
    set_segment(&env->segs[R_CS], X86_BOOT_CS, code, 0, UINT32_MAX);
    for (int i = 0; i < R_SEG_COUNT; i++) {
        if (i != R_CS) {
            set_segment(&env->segs[i], X86_BOOT_DS, data, 0, UINT32_MAX);
        }
    }
    set_segment(&env->tr, X86_BOOT_TR, DESC_P_MASK | 0xbu << DESC_TYPE_SHIFT, X86_BOOT_TSS, 0x67);
    env->gdt = (DescriptorTable){X86_BOOT_GDT, 5 * 8 - 1};
    env->cr0 = CR0_PE | CR0_ET;
    if (long_mode) {
        env->cr3 = X86_BOOT_PAGE_TABLES;
        env->cr4 = CR4_PAE;
        env->efer = MSR_EFER_LME | MSR_EFER_LMA;
        env->cr0 |= CR0_PG;
    }
    env->rip = start->rip;
    env->regs[R_EAX] = start->rax;
    env->regs[R_EBX] = start->rbx;
    env->regs[R_ESI] = start->rsi;
    env->rflags = 2;
    x86_update_hflags(env);
}

/* ---- command line and initrd ---------------------------------------------------- */

bool x86_boot_add_cmdline(const X86BootConfig *config, uint32_t max, Loader *loader, GError **error)
{
    const char *text = config->cmdline ? config->cmdline : "";
    size_t len = strlen(text);

    max = MIN(max, X86_BOOT_CMDLINE_MAX - 1);
    if (len > max) {
        g_set_error(error, LOADER_ERROR, LOADER_ERROR_FORMAT,
                    "-append: the command line has %zu characters, the kernel takes %u", len, max);
        return false;
    }
    return x86_boot_add_bytes(loader, "command line", X86_BOOT_CMDLINE, text, len + 1, error);
}

bool x86_boot_add_initrd(const X86BootConfig *config, uint64_t floor, uint64_t limit,
                         Loader *loader, uint64_t *ret_addr, uint64_t *ret_size, GError **error)
{
    *ret_addr = *ret_size = 0;
    if (!config->initrd) {
        return true;
    }
    g_autoptr(GBytes) initrd = loader_read_file("-initrd", config->initrd, error);
    if (!initrd) {
        return false;
    }
    uint64_t size = g_bytes_get_size(initrd);
    uint64_t top = MIN(limit, config->low_ram_end);
    floor = MAX(MAX(X86_BOOT_HIGH, floor), loader_end_below(loader, top));
    if (size > top || (top - size) / PAGE * PAGE < floor) {
        g_set_error(error, LOADER_ERROR, LOADER_ERROR_MEMORY,
                    "-initrd '%s': %" G_GUINT64_FORMAT " bytes do not fit in RAM beside the kernel "
                    "(give more with -m)",
                    config->initrd, size);
        return false;
    }
    *ret_addr = (top - size) / PAGE * PAGE;
    *ret_size = size;
    return loader_add(loader, "initrd", *ret_addr, initrd, 0, error);
}
