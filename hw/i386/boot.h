/* SPDX-License-Identifier: MIT
 *
 * Starting a kernel (-kernel) with no firmware: what is put into memory, and the state in which
 * the bootstrap processor begins.
 */
#ifndef HW_I386_BOOT_H
#define HW_I386_BOOT_H

#include <asm/bootparam.h>
#include "hw/core/loader.h"
#include "hw/i386/e820.h"
#include "target/i386/cpu.h"

/* Low memory that the boot protocols share. */
#define X86_BOOT_GDT         0x00000600u
#define X86_BOOT_TSS         0x00000700u
#define X86_BOOT_INFO        0x00007000u /* start info of PVH and multiboot, up to 0x9000 */
#define X86_BOOT_PAGE_TABLES 0x00009000u /* 6 pages */
#define X86_BOOT_PARAMS      0x00010000u /* Linux's zero page */
#define X86_BOOT_CMDLINE     0x00020000u
#define X86_BOOT_CMDLINE_MAX 0x00010000u
#define X86_BOOT_EBDA        0x0009fc00u /* end of conventional memory */
#define X86_BOOT_HIGH        0x00100000u

#define X86_BOOT_CS 0x10
#define X86_BOOT_DS 0x18
#define X86_BOOT_TR 0x20

typedef enum X86StartMode {
    X86_START_FIRMWARE, /* at the reset vector */
    X86_START_PROT32,   /* flat 32-bit protected mode, no paging */
    X86_START_LONG64,   /* 64-bit mode, the first 4 GiB mapped one to one */
} X86StartMode;

typedef struct X86Start {
    X86StartMode mode;
    uint64_t rip, rax, rbx, rsi;
} X86Start;

/* What the machine says about itself to whoever is started. */
typedef struct X86BootConfig {
    const char *kernel, *initrd, *cmdline; /* NULL: none */
    const E820Map *e820;
    uint64_t low_ram_end; /* of the RAM below 4 GiB that a kernel may use */
    uint64_t rsdp;        /* 0: none */
    bool has_vga;         /* in text mode 80x25 */
    bool long_mode;       /* the CPU has it */
} X86BootConfig;

/* Fill `loader` and *ret_start for -kernel; the error names the option and the file. */
bool x86_boot_kernel(const X86BootConfig *config, Loader *loader, X86Start *ret_start,
                     GError **error);

/* Registers of the bootstrap processor, after its reset. */
void x86_start_cpu(CPUX86State *env, const X86Start *start);

/* ---- between the files of this folder ---------------------------------------- */

/* One format each: *ret_handled is false when the file is of another one. */
bool x86_boot_linux(const X86BootConfig *config, GBytes *kernel, Loader *loader,
                    X86Start *ret_start, bool *ret_handled, GError **error);
bool x86_boot_multiboot(const X86BootConfig *config, GBytes *kernel, Loader *loader,
                        X86Start *ret_start, bool *ret_handled, GError **error);
bool x86_boot_elf(const X86BootConfig *config, GBytes *kernel, Loader *loader, X86Start *ret_start,
                  bool *ret_handled, GError **error);

/* The setup header of a bzImage that is complete, and the size of its real-mode part. */
typedef struct setup_header LinuxSetupHeader;
bool x86_boot_linux_header(GBytes *kernel, LinuxSetupHeader *ret_header, size_t *ret_setup_size,
                           GError **error);
/* Descriptors and page tables for the two start modes. */
bool x86_boot_add_tables(Loader *loader, bool long_mode, GError **error);
/* The zero page, with `setup` (a Linux setup header at 0x1f1, or NULL) in it. */
bool x86_boot_add_params(const X86BootConfig *config, const uint8_t *setup, size_t setup_len,
                         uint64_t initrd_addr, uint64_t initrd_size, Loader *loader,
                         GError **error);
bool x86_boot_add_cmdline(const X86BootConfig *config, uint32_t max, Loader *loader,
                          GError **error);
/* A bzImage without an entry in protected mode. */
bool x86_boot_needs_bios(GBytes *kernel);
/* Interrupt vectors and the code behind them, for kernels that call a BIOS. */
bool x86_boot_add_bios_stub(Loader *loader, GError **error);
/* -initrd at the top of low memory, below `limit` and above the kernel and `floor`. */
bool x86_boot_add_initrd(const X86BootConfig *config, uint64_t floor, uint64_t limit,
                         Loader *loader, uint64_t *ret_addr, uint64_t *ret_size, GError **error);
static inline bool x86_boot_add_bytes(Loader *loader, const char *name, hwaddr addr,
                                      const void *data, size_t len, GError **error)
{
    g_autoptr(GBytes) bytes = g_bytes_new(data, len);

    return loader_add(loader, name, addr, bytes, 0, error);
}

#endif
