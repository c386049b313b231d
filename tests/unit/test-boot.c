/* SPDX-License-Identifier: MIT
 *
 * Loaders on files made up here: what is accepted, where it goes, and what is refused.
 */
#include <elf.h>
#include <glib/gstdio.h>
#include <string.h>
#include "hw/core/elf-image.h"
#include "hw/i386/x86.h"

#define RAM_END 0x10000000u

typedef struct Fixture {
    char *dir, *kernel, *initrd;
    E820Map *map;
    Loader *loader;
    X86BootConfig config;
    X86Start start;
} Fixture;

static void fixture_set_up(Fixture *f, gconstpointer data)
{
    f->dir = g_dir_make_tmp("boot-XXXXXX", NULL);
    f->kernel = g_build_filename(f->dir, "kernel", NULL);
    f->initrd = g_build_filename(f->dir, "initrd", NULL);
    f->map = e820_new();
    e820_set(f->map, 0, X86_BOOT_EBDA, E820_RAM);
    e820_set(f->map, X86_BOOT_HIGH, RAM_END - X86_BOOT_HIGH, E820_RAM);
    f->loader = loader_new();
    f->config = (X86BootConfig){.kernel = f->kernel,
                                .e820 = f->map,
                                .low_ram_end = RAM_END,
                                .rsdp = 0xf5000,
                                .long_mode = true};
}

static void fixture_tear_down(Fixture *f, gconstpointer data)
{
    g_unlink(f->kernel);
    g_unlink(f->initrd);
    g_rmdir(f->dir);
    loader_free(f->loader);
    g_array_unref(f->map);
    g_free(f->dir);
    g_free(f->kernel);
    g_free(f->initrd);
}

static void boot_ok(Fixture *f, const void *kernel, size_t len)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(f->kernel, kernel, (gssize)len, NULL));
    x86_boot_kernel(&f->config, f->loader, &f->start, &error);
    g_assert_no_error(error);
}

static void boot_refused(Fixture *f, const void *kernel, size_t len, const char *word)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(f->kernel, kernel, (gssize)len, NULL));
    g_assert_false(x86_boot_kernel(&f->config, f->loader, &f->start, &error));
    g_assert_nonnull(error);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, word));
}

/* ---- e820 ---------------------------------------------------------------------- */

static void test_e820(void)
{
    g_autoptr(GArray) map = e820_new();

    e820_set(map, 0x1000, 0x1000, E820_RAM);
    e820_set(map, 0x3000, 0x1000, E820_RAM);
    e820_set(map, 0x2000, 0x1000, E820_RAM); /* joins them */
    g_assert_cmpuint(map->len, ==, 1);
    e820_set(map, 0x1800, 0x1000, E820_RESERVED); /* cuts it in three */
    g_assert_cmpuint(map->len, ==, 3);
    g_assert_cmpuint(e820_entry(map, 1)->addr, ==, 0x1800);
    g_assert_cmpuint(e820_entry(map, 2)->addr, ==, 0x2800);
    g_assert_cmpuint(e820_entry(map, 2)->size, ==, 0x1800);
    e820_remove(map, 0, 0x2800);
    g_assert_cmpuint(map->len, ==, 1);
    e820_set(map, 0, 0x10000, E820_NVS); /* covers all */
    g_assert_cmpuint(map->len, ==, 1);
    g_assert_cmpuint(e820_entry(map, 0)->type, ==, E820_NVS);
}

/* ---- no kernel at all -------------------------------------------------------------- */

static void test_bad_files(Fixture *f, gconstpointer data)
{
    g_autofree uint8_t *noise = g_malloc(100000);
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < 100000; i++) {
        noise[i] = (uint8_t)(i * 2654435761u >> 13);
    }
    boot_refused(f, noise, 0, "empty");
    boot_refused(f, noise, 10, "not a kernel");
    boot_refused(f, noise, 100000, "not a kernel");
    boot_refused(f, "\177ELF", 4, "truncated");
    g_unlink(f->kernel);
    g_assert_false(x86_boot_kernel(&f->config, f->loader, &f->start, &error));
    g_assert_nonnull(strstr(error->message, "No such file"));
    g_clear_error(&error);
    f->config.kernel = f->dir;
    g_assert_false(x86_boot_kernel(&f->config, f->loader, &f->start, &error));
    g_assert_nonnull(strstr(error->message, "directory"));
}

/* ---- Linux -------------------------------------------------------------------------- */

#define SETUP_SECTS 4
#define SETUP_SIZE  ((SETUP_SECTS + 1) * 512)
#define CODE_SIZE   8192
#define INIT_SIZE   0x800000u

static void put(uint8_t *p, size_t at, uint64_t value, size_t bytes)
{
    memcpy(p + at, &value, bytes);
}

/* Offsets: Documentation/arch/x86/boot.rst. */
static uint8_t *make_bzimage(size_t *ret_len)
{
    uint8_t *k = g_malloc0(SETUP_SIZE + CODE_SIZE);

    k[0x1f1] = SETUP_SECTS;
    put(k, 0x1f4, CODE_SIZE / 16, 4);
    put(k, 0x1fe, 0xaa55, 2);
    k[0x200] = 0xeb;
    k[0x201] = 0x6a;
    memcpy(k + 0x202, "HdrS", 4);
    put(k, 0x206, 0x20f, 2);
    k[0x211] = 1;
    put(k, 0x22c, 0x7fffffff, 4);
    put(k, 0x230, 0x200000, 4);
    k[0x234] = 1;
    put(k, 0x236, 3, 2); /* 64-bit entry, may be above 4 GiB */
    put(k, 0x238, 100, 4);
    put(k, 0x258, 0x1000000, 8);
    put(k, 0x260, INIT_SIZE, 4);
    memset(k + SETUP_SIZE, 0x90, CODE_SIZE);
    *ret_len = SETUP_SIZE + CODE_SIZE;
    return k;
}

static void test_linux64(Fixture *f, gconstpointer data)
{
    size_t len;
    g_autofree uint8_t *k = make_bzimage(&len);

    boot_ok(f, k, len);
    g_assert_cmpint(f->start.mode, ==, X86_START_LONG64);
    g_assert_cmpuint(f->start.rip, ==, 0x1000200);
    g_assert_cmpuint(f->start.rsi, ==, X86_BOOT_PARAMS);
    g_assert_cmpstr(loader_overlap(f->loader, 0x1000000, 1), ==, "kernel");
    g_assert_cmpstr(loader_overlap(f->loader, X86_BOOT_PAGE_TABLES, 1), ==, "page tables");
}

static void test_linux32(Fixture *f, gconstpointer data)
{
    size_t len;
    g_autofree uint8_t *k = make_bzimage(&len);

    put(k, 0x236, 0, 2);
    f->config.long_mode = false;
    boot_ok(f, k, len);
    g_assert_cmpint(f->start.mode, ==, X86_START_PROT32);
    g_assert_cmpuint(f->start.rip, ==, 0x1000000);
}

/* One that cannot be moved starts at 1 MiB, and needs the memory to unpack itself all the same. */
static void test_linux_fixed(Fixture *f, gconstpointer data)
{
    size_t len;
    g_autofree uint8_t *k = make_bzimage(&len);

    k[0x234] = 0;
    boot_ok(f, k, len);
    g_assert_cmpuint(f->start.rip, ==, 0x100200);
    f->config.low_ram_end = 0x1000000 + INIT_SIZE - 1;
    boot_refused(f, k, len, "-m");
}

static void test_linux_initrd(Fixture *f, gconstpointer data)
{
    size_t len;
    g_autofree uint8_t *k = make_bzimage(&len);
    g_autofree char *initrd = g_malloc0(5000);

    g_assert_true(g_file_set_contents(f->initrd, initrd, 5000, NULL));
    f->config.initrd = f->initrd;
    boot_ok(f, k, len);
    g_assert_cmpstr(loader_overlap(f->loader, RAM_END - 8192, 1), ==, "initrd");
    g_assert_null(loader_overlap(f->loader, RAM_END - 8193, 1));
}

static void test_linux_refused(Fixture *f, gconstpointer data)
{
    size_t len;
    g_autofree uint8_t *k = make_bzimage(&len);
    g_autofree char *long_line = g_strnfill(101, 'x');

    boot_refused(f, k, SETUP_SIZE, "truncated");
    boot_refused(f, k, SETUP_SIZE + 100, "truncated");
    boot_refused(f, k, 0x220, "truncated");
    f->config.long_mode = false;
    boot_refused(f, k, len, "long mode");
    f->config.long_mode = true;
    f->config.cmdline = long_line;
    boot_refused(f, k, len, "-append");
    f->config.cmdline = NULL;
    f->config.low_ram_end = 0x200000;
    boot_refused(f, k, len, "-m");
    f->config.low_ram_end = RAM_END;
    put(k, 0x206, 0x203, 2);
    boot_refused(f, k, len, "too old");
}

static void test_initrd_refused(Fixture *f, gconstpointer data)
{
    size_t len;
    g_autofree uint8_t *k = make_bzimage(&len);

    f->config.initrd = f->initrd;
    boot_refused(f, k, len, "-initrd");
    g_assert_true(g_file_set_contents(f->initrd, "", 0, NULL));
    g_clear_pointer(&f->loader, loader_free);
    f->loader = loader_new();
    boot_refused(f, k, len, "empty");
    g_clear_pointer(&f->loader, loader_free);
    f->loader = loader_new();
    g_assert_true(g_file_set_contents(f->initrd, (char *)k, (gssize)len, NULL));
    f->config.low_ram_end = 0x1000000 + INIT_SIZE;
    boot_refused(f, k, len, "-initrd");
}

/* ---- ELF -------------------------------------------------------------------------------- */

typedef struct TestElf64 {
    Elf64_Ehdr h;
    Elf64_Phdr p[2];
    struct {
        Elf64_Nhdr n;
        char name[4];
        uint32_t desc;
    } note;
    uint8_t code[16];
} TestElf64;

static TestElf64 make_elf64(bool pvh)
{
    return (TestElf64){
        .h = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
              .e_type = ET_EXEC,
              .e_machine = EM_X86_64,
              .e_version = 1,
              .e_entry = 0xffffffff80200004,
              .e_phoff = offsetof(TestElf64, p),
              .e_ehsize = sizeof(Elf64_Ehdr),
              .e_phentsize = sizeof(Elf64_Phdr),
              .e_phnum = 2},
        .p = {{.p_type = PT_LOAD,
               .p_offset = offsetof(TestElf64, code),
               .p_filesz = 16,
               .p_memsz = 0x2000,
               .p_paddr = 0x200000,
               .p_vaddr = 0xffffffff80200000},
              {.p_type = PT_NOTE,
               .p_offset = offsetof(TestElf64, note),
               .p_filesz = pvh ? sizeof(((TestElf64 *)NULL)->note) : 0,
               .p_align = 4}},
        .note = {{4, 4, 18},                                     "Xen",                  0x200008}
    };
}

static void test_elf_plain(Fixture *f, gconstpointer data)
{
    TestElf64 e = make_elf64(false);

    boot_ok(f, &e, sizeof(e));
    g_assert_cmpint(f->start.mode, ==, X86_START_LONG64);
    g_assert_cmpuint(f->start.rip, ==, 0x200004);
    g_assert_cmpuint(f->start.rsi, ==, X86_BOOT_PARAMS);
    g_assert_nonnull(loader_overlap(f->loader, 0x201fff, 1)); /* the zeros, too */
    g_assert_null(loader_overlap(f->loader, 0x202000, 1));
}

static void test_elf_pvh(Fixture *f, gconstpointer data)
{
    TestElf64 e = make_elf64(true);

    boot_ok(f, &e, sizeof(e));
    g_assert_cmpint(f->start.mode, ==, X86_START_PROT32);
    g_assert_cmpuint(f->start.rip, ==, 0x200008);
    g_assert_cmpuint(f->start.rbx, ==, X86_BOOT_INFO);
}

static void test_elf_refused(Fixture *f, gconstpointer data)
{
    TestElf64 e = make_elf64(false);

    boot_refused(f, &e, sizeof(e) - 8, "truncated");
    boot_refused(f, &e, sizeof(Elf64_Ehdr) + 10, "truncated");
    e.p[0].p_memsz = 8;
    boot_refused(f, &e, sizeof(e), "makes no sense");
    e.p[0].p_memsz = RAM_END;
    boot_refused(f, &e, sizeof(e), "RAM");
    e = make_elf64(false);
    e.h.e_machine = EM_AARCH64;
    boot_refused(f, &e, sizeof(e), "not for x86");
    e = make_elf64(false);
    e.h.e_phnum = 60000;
    boot_refused(f, &e, sizeof(e), "program header");
    e = make_elf64(false);
    e.p[0].p_offset = UINT64_MAX - 4;
    boot_refused(f, &e, sizeof(e), "truncated");
    e = make_elf64(false);
    e.p[0].p_paddr = 0x8000;
    e.p[0].p_memsz = 0x2000;
    boot_refused(f, &e, sizeof(e), "overlaps");
}

/* Every single-byte change of a good image is taken or refused, but survived. */
static void test_elf_mutations(void)
{
    for (size_t i = 0; i < sizeof(TestElf64); i++) {
        for (int bit = 0; bit < 8; bit++) {
            TestElf64 e = make_elf64(true);
            ((uint8_t *)&e)[i] ^= 1 << bit;
            g_autoptr(GBytes) bytes = g_bytes_new(&e, sizeof(e));
            g_autoptr(GError) error = NULL;
            g_autoptr(ElfImage) image = elf_image_parse(bytes, &error);
            g_assert_true(!image == !!error);
        }
    }
}

/* ---- multiboot ------------------------------------------------------------------------------ */

typedef struct TestMultiboot {
    uint32_t magic, flags, checksum, header_addr, load_addr, load_end, bss_end, entry;
    uint8_t code[32];
} TestMultiboot;

static TestMultiboot make_multiboot(void)
{
    TestMultiboot m = {0x1badb002, 0x10003, 0, 0x100000, 0x100000, 0, 0x108000, 0x100020, {0}};

    m.checksum = -(m.magic + m.flags);
    return m;
}

static void test_multiboot(Fixture *f, gconstpointer data)
{
    TestMultiboot m = make_multiboot();
    g_autofree char *modules = g_strdup_printf("%s one,%s two", f->initrd, f->initrd);

    g_assert_true(g_file_set_contents(f->initrd, "module", 6, NULL));
    f->config.initrd = modules;
    f->config.cmdline = "args";
    boot_ok(f, &m, sizeof(m));
    g_assert_cmpint(f->start.mode, ==, X86_START_PROT32);
    g_assert_cmpuint(f->start.rax, ==, 0x2badb002);
    g_assert_cmpuint(f->start.rip, ==, 0x100020);
    g_assert_cmpuint(f->start.rbx, ==, X86_BOOT_INFO);
    g_assert_cmpstr(loader_overlap(f->loader, 0x107fff, 1), ==, "kernel");
    g_assert_cmpstr(loader_overlap(f->loader, 0x108000, 1), ==, f->initrd);
    g_assert_cmpstr(loader_overlap(f->loader, 0x109000, 1), ==, f->initrd);
}

static void test_multiboot_refused(Fixture *f, gconstpointer data)
{
    TestMultiboot m = make_multiboot();

    m.load_end = 0x100000 + sizeof(m) + 1;
    boot_refused(f, &m, sizeof(m), "truncated");
    m = make_multiboot();
    m.load_addr = 0x100004;
    boot_refused(f, &m, sizeof(m), "before the file");
    m = make_multiboot();
    m.bss_end = RAM_END + 1;
    boot_refused(f, &m, sizeof(m), "RAM");
    m = make_multiboot();
    m.bss_end = 1;
    boot_refused(f, &m, sizeof(m), "bss_end");
    m.flags |= 8;
    m.checksum = -(m.magic + m.flags);
    boot_refused(f, &m, sizeof(m), "features");
    m = make_multiboot();
    f->config.initrd = "/nonexistent";
    boot_refused(f, &m, sizeof(m), "-initrd");
}

/* ---- damaged headers ------------------------------------------------------------ */

/* With any bit of [from, to) changed it is started or refused with a reason. */
static void try_mutations(Fixture *f, uint8_t *image, size_t len, size_t from, size_t to)
{
    for (size_t bit = from * 8; bit < to * 8; bit++) {
        g_autoptr(GError) error = NULL;

        image[bit / 8] ^= 1 << bit % 8;
        g_assert_true(g_file_set_contents_full(f->kernel, (char *)image, (gssize)len,
                                               G_FILE_SET_CONTENTS_NONE, 0600, NULL));
        image[bit / 8] ^= 1 << bit % 8;
        g_clear_pointer(&f->loader, loader_free);
        f->loader = loader_new();
        bool ok = x86_boot_kernel(&f->config, f->loader, &f->start, &error);
        g_assert_true(ok == !error);
    }
}

static void test_linux_mutations(Fixture *f, gconstpointer data)
{
    size_t len;
    g_autofree uint8_t *k = make_bzimage(&len);

    g_assert_true(g_file_set_contents(f->initrd, "initrd", 6, NULL));
    f->config.initrd = f->initrd;
    try_mutations(f, k, len, 0x1f1, 0x270);
}

static void test_multiboot_mutations(Fixture *f, gconstpointer data)
{
    TestMultiboot m = make_multiboot();

    try_mutations(f, (uint8_t *)&m, sizeof(m), 12, offsetof(TestMultiboot, code));
}

/* ---- the ROM for -bios with -kernel ---------------------------------------------- */

static void test_linuxboot_rom(void)
{
    g_autoptr(GBytes) rom = x86_linuxboot_rom();
    gsize len;
    const uint8_t *p = g_bytes_get_data(rom, &len);
    uint8_t sum = 0;

    for (gsize i = 0; i < len; i++) {
        sum += p[i];
    }
    g_assert_cmpuint(sum, ==, 0);
    g_assert_cmpuint(len, ==, p[2] * 512u);
    g_assert_cmpint(memcmp(p, "\x55\xaa", 2), ==, 0);
    g_assert_cmpint(memcmp(p + (p[0x1a] | p[0x1b] << 8), "$PnP", 4), ==, 0);
}

/* ---- registers ------------------------------------------------------------------------------ */

static void test_start_state(void)
{
    static CPUX86State env;
    const X86Start start = {.mode = X86_START_LONG64, .rip = 0x1000200, .rsi = X86_BOOT_PARAMS};

    x86_start_cpu(&env, &start);
    g_assert_cmphex(env.cr0 & (CR0_PG | CR0_PE), ==, CR0_PG | CR0_PE);
    g_assert_cmphex(env.efer, ==, MSR_EFER_LME | MSR_EFER_LMA);
    g_assert_cmphex(env.hflags & (HF_CS64 | HF_LMA | HF_PE), ==, HF_CS64 | HF_LMA | HF_PE);
    g_assert_cmphex(env.rip, ==, 0x1000200);
    g_assert_cmphex(env.regs[R_ESI], ==, X86_BOOT_PARAMS);
    g_assert_cmphex(env.segs[R_CS].selector, ==, X86_BOOT_CS);
}

#define ADD(path, fn) g_test_add(path, Fixture, NULL, fixture_set_up, fn, fixture_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/boot/e820", test_e820);
    ADD("/boot/bad-files", test_bad_files);
    ADD("/boot/linux64", test_linux64);
    ADD("/boot/linux32", test_linux32);
    ADD("/boot/linux-fixed", test_linux_fixed);
    ADD("/boot/linux-initrd", test_linux_initrd);
    ADD("/boot/linux-refused", test_linux_refused);
    ADD("/boot/initrd-refused", test_initrd_refused);
    ADD("/boot/elf-plain", test_elf_plain);
    ADD("/boot/elf-pvh", test_elf_pvh);
    ADD("/boot/elf-refused", test_elf_refused);
    g_test_add_func("/boot/elf-mutations", test_elf_mutations);
    ADD("/boot/multiboot", test_multiboot);
    ADD("/boot/multiboot-refused", test_multiboot_refused);
    ADD("/boot/linux-mutations", test_linux_mutations);
    ADD("/boot/multiboot-mutations", test_multiboot_mutations);
    g_test_add_func("/boot/linuxboot-rom", test_linuxboot_rom);
    g_test_add_func("/boot/start-state", test_start_state);
    return g_test_run();
}
