/* SPDX-License-Identifier: MIT
 *
 * What a multiboot 1 loader hands over (Multiboot Specification 0.6.96, 3.2
 * and 3.3): machine state, memory map, command line, module.
 */
#include "lib/guest.h"

typedef struct Info {
    uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr;
    uint32_t syms[4], mmap_length, mmap_addr;
} Info;

static const Info *info(void)
{
    return (const Info *)multiboot_info;
}

static uint64_t ram_at(uint64_t address)
{
    uint32_t at = info()->mmap_addr, end = at + info()->mmap_length;

    while (at < end) {
        const uint32_t *entry = (const uint32_t *)at;
        uint64_t base = entry[1] | (uint64_t)entry[2] << 32;
        uint64_t length = entry[3] | (uint64_t)entry[4] << 32;

        if (entry[5] == 1 && address >= base && address - base < length) {
            return base + length;
        }
        at += entry[0] + 4;
    }
    return 0;
}

static void module_show(void)
{
    const uint32_t *m = (const uint32_t *)info()->mods_addr;

    print("modules: %u\n", (Word)info()->mods_count);
    if (info()->mods_count == 1) {
        const char *text = (const char *)m[0];

        print("module of %u bytes: %c%c%c\n", (Word)(m[1] - m[0]), text[0], text[1], text[2]);
    }
}

static bool same(const char *a, const char *b, unsigned n)
{
    while (n--) {
        if (*a++ != *b++) {
            return false;
        }
    }
    return true;
}

void guest_main(void)
{
    const char *line = command_line();
    bool has_loops = false;

    for (; *line; line++) {
        has_loops |= same(line, "loops=", 6);
    }
    print("magic: %x\n", multiboot_magic);
    print("memory, command line, modules, map: %x\n", (Word)info()->flags & 0x4d);
    print("command line: %s\n", has_loops ? "ours" : "another");
    print("lower memory: %u KiB at least: %s\n", 500ul, info()->mem_lower >= 500 ? "yes" : "no");
    print("upper memory fits -m 64: %s\n",
          info()->mem_upper > 60 * 1024 && info()->mem_upper <= 63 * 1024 ? "yes" : "no");
    print("RAM at 0, 1 MiB, 60 MiB: %s %s %s\n", ram_at(0) ? "yes" : "no",
          ram_at(0x100000) ? "yes" : "no", ram_at(60 << 20) ? "yes" : "no");
    print("RAM at f0000, 64 MiB: %s %s\n", ram_at(0xf0000) ? "yes" : "no",
          ram_at(64 << 20) ? "yes" : "no");
    print("cr0: PE %u, PG %u\n", read_cr0() & 1, read_cr0() >> 31);
    module_show();
}
