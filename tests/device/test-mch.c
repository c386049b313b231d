/* SPDX-License-Identifier: MIT
 *
 * The MCH of a q35: PCIEXBAR, PAM, SMRAM in its three places, the locks.
 */
#include "hw/core/machine.h"
#include "pci-test.h"

#define MCH   PCI_MAKE_DEVFN(0, 0)
#define MIB   0x100000u
#define TOP   PCI_TEST_RAM
#define HIGH  0xfeda0000u
#define ECAM  0xb0000000u
#define SMRAM 0x9d
#define ESMR  0x9e

typedef struct Fixture {
    PCITest *p;
    DeviceTest *t;
} Fixture;

static void start(Fixture *f)
{
    f->p = pci_test_new_q35(true);
    f->t = f->p->t;
}

static void set(Fixture *f, unsigned reg, uint32_t value, unsigned size)
{
    pci_test_write(f->p, MCH, reg, value, size);
}

static uint32_t get(Fixture *f, unsigned reg, unsigned size)
{
    return pci_test_read(f->p, MCH, reg, size);
}

/* As a CPU in SMM sees memory. */
static uint8_t smm_read(Fixture *f, uint64_t addr)
{
    uint64_t value = 0;

    address_space_load(&f->t->machine->address_space_smm, addr, &value, 1, MEMTXATTRS_NONE);
    return (uint8_t)value;
}

static void smm_write(Fixture *f, uint64_t addr, uint8_t value)
{
    address_space_store(&f->t->machine->address_space_smm, addr, value, 1, MEMTXATTRS_NONE);
}

static bool is_ram(Fixture *f, uint64_t addr)
{
    test_write(f->t, addr, 0x5a, 1);
    if (test_read(f->t, addr, 1) != 0x5a) {
        return false;
    }
    test_write(f->t, addr, 0xa5, 1);
    return test_read(f->t, addr, 1) == 0xa5;
}

static void test_identity(void)
{
    Fixture f;

    start(&f);
    g_assert_cmphex(get(&f, 0, 4), ==, 0x29c08086);
    g_assert_cmphex(get(&f, 8, 4), ==, 0x06000000);
    g_assert_cmphex(get(&f, 0x60, 4), ==, ECAM);
    g_assert_cmphex(get(&f, 0x9d, 2), ==, 0x3802);
    pci_test_free(f.p);
}

static void check_ecam(Fixture *f, uint64_t base, uint64_t size)
{
    g_assert_cmphex(test_read(f->t, base, 4), ==, 0x29c08086);
    g_assert_cmphex(test_read(f->t, base + (0x1f << 15), 4), ==, 0x29188086);
    g_assert_cmphex(test_read(f->t, base + (1 << 15), 4), ==, 0xffffffff);
    g_assert_cmphex(test_read(f->t, base + size - 0x1000, 4), ==, 0xffffffff);
    g_assert_cmphex(test_read(f->t, base + size, 4), !=, 0x29c08086);
}

static void test_pciexbar(void)
{
    static const struct {
        uint32_t bits, size;
    } rows[] = {{0, 256 * MIB}, {2, 128 * MIB}, {4, 64 * MIB}};
    Fixture f;

    start(&f);
    g_assert_cmphex(test_read(f.t, ECAM, 4), !=, 0x29c08086);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        set(&f, 0x60, ECAM | rows[i].bits | 1, 4);
        check_ecam(&f, ECAM, rows[i].size);
        set(&f, 0x60, (ECAM + 0x14000000) | rows[i].bits | 1, 4);
        check_ecam(&f, (ECAM + 0x14000000) & ~(uint64_t)(rows[i].size - 1), rows[i].size);
    }
    set(&f, 0x60, ECAM | 7, 4); /* a reserved length */
    g_assert_cmphex(test_read(f.t, ECAM, 4), !=, 0x29c08086);
    set(&f, 0x64, 1, 4); /* above 4 GiB */
    set(&f, 0x60, 1, 4);
    g_assert_cmphex(test_read(f.t, 0x100000000, 4), ==, 0x29c08086);
    test_reset(f.t);
    g_assert_cmphex(test_read(f.t, 0x100000000, 4), !=, 0x29c08086);
    pci_test_free(f.p);
}

/* Configuration space of a conventional device ends at 256. */
static void test_ecam_writes(void)
{
    Fixture f;

    start(&f);
    set(&f, 0x60, ECAM | 1, 4);
    test_write(f.t, ECAM + (0x1f << 15) + 0x60, 0x0b, 1);
    g_assert_cmphex(pci_test_read(f.p, ICH9_LPC_DEVFN, 0x60, 1), ==, 0x0b);
    g_assert_cmphex(test_read(f.t, ECAM + (0x1f << 15) + 0x60, 2), ==, 0x800b);
    test_write(f.t, ECAM + 0x100, 0, 4);
    g_assert_cmphex(test_read(f.t, ECAM + 0x100, 4), ==, 0xffffffff);
    pci_test_free(f.p);
}

static void test_pam(void)
{
    Fixture f;

    start(&f);
    for (unsigned i = 0; i < 13; i++) {
        uint64_t addr = i < 12 ? 0xc0000 + i * 0x4000 : 0xf0000;
        unsigned reg = i < 12 ? 0x91 + i / 2 : 0x90, shift = i == 12 || (i & 1) ? 4 : 0;

        g_assert_false(is_ram(&f, addr));
        set(&f, reg, 3u << shift, 1);
        g_assert_cmphex(get(&f, reg, 1), ==, 3u << shift);
        g_assert_true(is_ram(&f, addr));
        set(&f, reg, 1u << shift, 1); /* reads only */
        test_write(f.t, addr, 0x11, 1);
        g_assert_cmphex(test_read(f.t, addr, 1), ==, 0xa5);
        set(&f, reg, 2u << shift, 1); /* writes only */
        test_write(f.t, addr, 0x77, 1);
        set(&f, reg, 3u << shift, 1);
        g_assert_cmphex(test_read(f.t, addr, 1), ==, 0x77);
    }
    test_reset(f.t);
    g_assert_false(is_ram(&f, 0xc0000));
    pci_test_free(f.p);
}

static void test_compatible_smram(void)
{
    Fixture f;

    start(&f);
    g_assert_false(is_ram(&f, 0xa0000));
    set(&f, SMRAM, 0x4a, 1);
    g_assert_true(is_ram(&f, 0xa0000));
    set(&f, SMRAM, 0x0a, 1);
    g_assert_false(is_ram(&f, 0xa0000));
    g_assert_cmphex(smm_read(&f, 0xa0000), ==, 0xa5);
    set(&f, SMRAM, 0x02, 1); /* G_SMRAME off */
    g_assert_cmphex(smm_read(&f, 0xa0000), !=, 0xa5);
    pci_test_free(f.p);
}

/* feda0000 stands for a0000, which is the screen's again. */
static void test_high_smram(void)
{
    Fixture f;

    start(&f);
    set(&f, SMRAM, 0x0a, 1);
    smm_write(&f, 0xa0010, 0x42);
    set(&f, ESMR, 0x80, 1);
    g_assert_cmphex(smm_read(&f, HIGH + 0x10), ==, 0x42);
    g_assert_cmphex(smm_read(&f, 0xa0010), !=, 0x42);
    g_assert_cmphex(test_read(f.t, HIGH + 0x10, 1), !=, 0x42);
    set(&f, SMRAM, 0x4a, 1);
    g_assert_cmphex(test_read(f.t, HIGH + 0x10, 1), ==, 0x42);
    g_assert_false(is_ram(&f, 0xa0000));
    pci_test_free(f.p);
}

static void check_tseg(Fixture *f, uint64_t size)
{
    g_assert_true(is_ram(f, TOP - size - 1));
    g_assert_false(is_ram(f, TOP - size));
    g_assert_cmphex(test_read(f->t, TOP - size, 1), ==, 0xff);
    g_assert_cmphex(test_read(f->t, TOP - 4, 4), ==, 0xffffffff);
    smm_write(f, TOP - size, 0x33);
    g_assert_cmphex(smm_read(f, TOP - size), ==, 0x33);
    g_assert_cmphex(test_read(f->t, TOP - size, 1), ==, 0xff);
}

static void test_tseg(void)
{
    static const uint64_t sizes[] = {1 * MIB, 2 * MIB, 8 * MIB, 16 * MIB};
    Fixture f;

    start(&f);
    set(&f, ESMR, 1, 1);
    g_assert_true(is_ram(&f, TOP - 1)); /* not without G_SMRAME */
    set(&f, SMRAM, 0x08, 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        set(&f, ESMR, i << 1 | 1, 1);
        check_tseg(&f, sizes[i]);
    }
    set(&f, ESMR, 0, 1);
    g_assert_true(is_ram(&f, TOP - 1));
    pci_test_free(f.p);
}

static void test_lock(void)
{
    Fixture f;

    start(&f);
    set(&f, SMRAM, 0x7f, 1); /* D_LCK closes D_OPEN; C_BASE_SEG is fixed */
    g_assert_cmphex(get(&f, SMRAM, 1), ==, 0x3a);
    set(&f, SMRAM, 0x40, 1);
    g_assert_cmphex(get(&f, SMRAM, 1), ==, 0x1a); /* D_CLS is not locked */
    set(&f, ESMR, 0xff, 1);
    g_assert_cmphex(get(&f, ESMR, 1), ==, 0x38);
    test_reset(f.t);
    g_assert_cmphex(get(&f, SMRAM, 1), ==, 0x02);
    set(&f, SMRAM, 0x4a, 1);
    g_assert_cmphex(get(&f, SMRAM, 1), ==, 0x4a);
    pci_test_free(f.p);
}

/* The two registers that are not Intel's. */
static void test_extended_tseg(void)
{
    Fixture f;

    start(&f);
    g_assert_cmphex(get(&f, 0x50, 2), ==, 16);
    set(&f, 0x50, 0, 2);
    g_assert_cmphex(get(&f, 0x50, 2), ==, 0);
    set(&f, 0x50, 0xffff, 2);
    g_assert_cmphex(get(&f, 0x50, 2), ==, 16);
    pci_test_free(f.p);
}

static void test_smbase(void)
{
    Fixture f;

    start(&f);
    g_assert_true(is_ram(&f, 0x30000));
    set(&f, 0x9c, 2, 1); /* not before it was asked for */
    g_assert_cmphex(get(&f, 0x9c, 1), ==, 0);
    set(&f, 0x9c, 0xff, 1);
    g_assert_cmphex(get(&f, 0x9c, 1), ==, 1);
    g_assert_true(is_ram(&f, 0x30000));
    set(&f, 0x9c, 2, 1);
    g_assert_cmphex(get(&f, 0x9c, 1), ==, 2);
    g_assert_false(is_ram(&f, 0x30000));
    g_assert_false(is_ram(&f, 0x4ffff));
    g_assert_true(is_ram(&f, 0x2ffff));
    g_assert_true(is_ram(&f, 0x50000));
    g_assert_cmphex(smm_read(&f, 0x30000), ==, 0xa5);
    set(&f, 0x9c, 0, 1);
    g_assert_cmphex(get(&f, 0x9c, 1), ==, 2);
    test_reset(f.t);
    g_assert_cmphex(get(&f, 0x9c, 1), ==, 0);
    g_assert_true(is_ram(&f, 0x30000));
    pci_test_free(f.p);
}

static void test_poke(void)
{
    Fixture f;

    start(&f);
    for (int i = 0; i < 5000; i++) {
        set(&f, (unsigned)g_test_rand_int_range(0x40, 0x100), (uint32_t)g_test_rand_int(), 1);
        test_read(f.t, (uint64_t)g_test_rand_int_range(0, INT32_MAX) * 2, 1);
    }
    test_reset(f.t);
    g_assert_true(is_ram(&f, 0x1000));
    pci_test_free(f.p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mch/identity", test_identity);
    g_test_add_func("/mch/pciexbar", test_pciexbar);
    g_test_add_func("/mch/ecam-writes", test_ecam_writes);
    g_test_add_func("/mch/pam", test_pam);
    g_test_add_func("/mch/compatible-smram", test_compatible_smram);
    g_test_add_func("/mch/high-smram", test_high_smram);
    g_test_add_func("/mch/tseg", test_tseg);
    g_test_add_func("/mch/lock", test_lock);
    g_test_add_func("/mch/extended-tseg", test_extended_tseg);
    g_test_add_func("/mch/smbase", test_smbase);
    g_test_add_func("/mch/poke", test_poke);
    return g_test_run();
}
