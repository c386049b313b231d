/* SPDX-License-Identifier: MIT
 *
 * A disk and a CD drive behind an ICH9 AHCI adapter: registers, each protocol, queued commands,
 * scattered and short descriptors, errors, resets, messages, and what a hostile guest would write.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include "hw/ide/ide.h"
#include "pci-test.h"
#include "system/block/block.h"

#define DEVFN     PCI_MAKE_DEVFN(5, 0)
#define HBA       0xf0000000u
#define IDP       0xc100
#define DISK_SIZE (8 << 20)
#define CD_SIZE   (1 << 20)
#define LIST      0x10000u
#define FISES     0x11000u
#define TABLES    0x12000u /* 1 KiB for each slot */
#define DATA      0x100000u

#define GHC       (HBA + 4)
#define IS        (HBA + 8)
#define PORT(n)   (HBA + 0x100 + 0x80 * (n))
#define PX_CLB    0x00
#define PX_FB     0x08
#define PX_IS     0x10
#define PX_IE     0x14
#define PX_CMD    0x18
#define PX_TFD    0x20
#define PX_SIG    0x24
#define PX_SSTS   0x28
#define PX_SCTL   0x2c
#define PX_SERR   0x30
#define PX_SACT   0x34
#define PX_CI     0x38
#define IS_DHRS   1u
#define IS_PSS    2u
#define IS_SDBS   8u
#define IS_OFS    (1u << 24)
#define IS_HBFS   (1u << 29)
#define IS_TFES   (1u << 30)
#define HDR_ATAPI 0x20
#define HDR_WRITE 0x40

typedef struct Fixture {
    PCITest *p;
    DeviceTest *t;
    PCIDevice *ahci;
    char *disk, *cd;
} Fixture;

typedef struct Command {
    uint8_t command, device, control;
    bool is_control;
    uint16_t feature, count;
    uint64_t lba;
    uint16_t header; /* more bits of dword 0 */
    const uint8_t *cdb;
    struct {
        uint32_t addr, len;
    } prd[4];
    unsigned prds; /* 0: one of 64 KiB at DATA */
    bool no_prds;
} Command;

static uint8_t image_byte(size_t i, int salt)
{
    return (uint8_t)(i / 512 * 7 + i * 3 + (size_t)salt);
}

static char *make_image(size_t size, int salt)
{
    char *name = NULL;
    g_autofree uint8_t *data = g_malloc(size);
    int fd = g_file_open_tmp("ahci-XXXXXX", &name, NULL);

    for (size_t i = 0; i < size; i++) {
        data[i] = image_byte(i, salt);
    }
    g_assert_cmpint(write(fd, data, size), ==, (ssize_t)size);
    close(fd);
    return name;
}

static void plug(Fixture *f, const char *type, const char *drive, int port)
{
    GError *error = NULL;
    DeviceState *dev = qdev_new(type, &error);

    g_assert_no_error(error);
    object_property_parse(OBJECT(dev), "drive", drive, &error);
    g_assert_no_error(error);
    qdev_realize_and_unref(dev, BUS(ide_get_bus(f->ahci, port)), &error);
    g_assert_no_error(error);
}

static void start_with(Fixture *f, const char *extra)
{
    GError *error = NULL;
    g_autofree char *hd = NULL, *cd = NULL;

    f->p = pci_test_new();
    f->t = f->p->t;
    f->disk = make_image(DISK_SIZE, 0);
    f->cd = make_image(CD_SIZE, 5);
    hd = g_strdup_printf("file=%s,if=none,id=d0,format=raw%s", f->disk, extra);
    cd = g_strdup_printf("file=%s,if=none,id=c0,format=raw,media=cdrom", f->cd);
    pci_test_drive(f->p, hd);
    pci_test_drive(f->p, cd);
    f->ahci = pci_create(f->p->bus, DEVFN, TYPE_ICH9_AHCI, &error);
    g_assert_no_error(error);
    plug(f, TYPE_IDE_HD, "d0", 0);
    plug(f, TYPE_IDE_CD, "c0", 1);
    test_reset(f->t);
    pci_test_write(f->p, DEVFN, 0x20, IDP, 4);
    pci_test_write(f->p, DEVFN, 0x24, HBA, 4);
    pci_test_write(f->p, DEVFN, PCI_COMMAND,
                   PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
}

static void stop(Fixture *f)
{
    pci_test_free(f->p);
    g_unlink(f->disk);
    g_unlink(f->cd);
    g_free(f->disk);
    g_free(f->cd);
}

static uint32_t rd(Fixture *f, uint32_t addr)
{
    return (uint32_t)test_read(f->t, addr, 4);
}

static void wr(Fixture *f, uint32_t addr, uint32_t value)
{
    test_write(f->t, addr, value, 4);
}

static void start_port(Fixture *f, unsigned port)
{
    wr(f, GHC, 0x80000002);
    wr(f, PORT(port) + PX_CLB, LIST);
    wr(f, PORT(port) + PX_FB, FISES);
    wr(f, PORT(port) + PX_CMD, 0x16);
    wr(f, PORT(port) + PX_IS, UINT32_MAX);
    wr(f, IS, UINT32_MAX);
    wr(f, PORT(port) + PX_IE, UINT32_MAX);
    wr(f, PORT(port) + PX_CMD, 0x17);
}

static void start(Fixture *f)
{
    start_with(f, "");
    start_port(f, 0);
}

/* ---- commands ------------------------------------------------------------------------------ */

static void put_command(Fixture *f, unsigned slot, const Command *c)
{
    uint32_t table = TABLES + 0x400 * slot;
    unsigned prds = c->no_prds ? 0 : c->prds ? c->prds : 1;
    uint8_t fis[20] = {0x27,
                       c->is_control ? 0 : 0x80,
                       c->command,
                       (uint8_t)c->feature,
                       (uint8_t)c->lba,
                       (uint8_t)(c->lba >> 8),
                       (uint8_t)(c->lba >> 16),
                       c->device ? c->device : 0x40,
                       (uint8_t)(c->lba >> 24),
                       (uint8_t)(c->lba >> 32),
                       (uint8_t)(c->lba >> 40),
                       (uint8_t)(c->feature >> 8),
                       (uint8_t)c->count,
                       (uint8_t)(c->count >> 8),
                       0,
                       c->control};

    for (unsigned i = 0; i < sizeof(fis); i++) {
        test_write(f->t, table + i, fis[i], 1);
    }
    for (unsigned i = 0; c->cdb && i < 16; i++) {
        test_write(f->t, table + 0x40 + i, i < 12 ? c->cdb[i] : 0, 1);
    }
    for (unsigned i = 0; i < prds; i++) {
        wr(f, table + 0x80 + 16 * i, c->prds ? c->prd[i].addr : DATA);
        wr(f, table + 0x84 + 16 * i, 0);
        wr(f, table + 0x8c + 16 * i, (c->prds ? c->prd[i].len : 0x10000) - 1);
    }
    wr(f, LIST + 32 * slot, 5u | c->header | prds << 16);
    wr(f, LIST + 32 * slot + 4, 0xdeadbeef);
    wr(f, LIST + 32 * slot + 8, table);
    wr(f, LIST + 32 * slot + 12, 0);
}

static bool wait_for(Fixture *f, unsigned port, uint32_t reg, uint32_t bits)
{
    for (int i = 0; i < 20000; i++) {
        if (!(rd(f, PORT(port) + reg) & bits)) {
            return true;
        }
        if (rd(f, PORT(port) + PX_IS) & IS_TFES) {
            return false;
        }
        test_poll(f->t);
        g_usleep(100);
    }
    g_assert_not_reached();
}

/* True: it ended without an error. */
static bool run_on(Fixture *f, unsigned port, Command c)
{
    put_command(f, 0, &c);
    wr(f, PORT(port) + PX_IS, UINT32_MAX);
    wr(f, IS, UINT32_MAX);
    wr(f, PORT(port) + PX_CI, 1);
    return wait_for(f, port, PX_CI, 1);
}

static bool run(Fixture *f, Command c)
{
    return run_on(f, 0, c);
}

static void recover(Fixture *f, unsigned port)
{
    wr(f, PORT(port) + PX_CMD, 0x16);
    g_assert_cmphex(rd(f, PORT(port) + PX_CMD) & 0x8001, ==, 0);
    g_assert_cmphex(rd(f, PORT(port) + PX_CI) | rd(f, PORT(port) + PX_SACT), ==, 0);
    wr(f, PORT(port) + PX_SERR, UINT32_MAX);
    wr(f, PORT(port) + PX_IS, UINT32_MAX);
    wr(f, PORT(port) + PX_CMD, 0x17);
}

static uint32_t moved(Fixture *f, unsigned slot)
{
    return rd(f, LIST + 32 * slot + 4);
}

static void check_memory(Fixture *f, uint32_t addr, size_t offset, size_t len, int salt)
{
    for (size_t i = 0; i < len; i++) {
        g_assert_cmphex(test_read(f->t, addr + i, 1), ==, image_byte(offset + i, salt));
    }
}

static void check_file(Fixture *f, size_t offset, const void *bytes, size_t len)
{
    g_autofree uint8_t *got = g_malloc(len);
    int fd = open(f->disk, O_RDONLY);

    g_assert_cmpint(pread(fd, got, len, (off_t)offset), ==, (ssize_t)len);
    close(fd);
    g_assert_cmpmem(got, len, bytes, len);
}

static void fill_memory(Fixture *f, uint32_t addr, uint8_t *copy, size_t len, int salt)
{
    for (size_t i = 0; i < len; i++) {
        copy[i] = (uint8_t)(i * 11 + (size_t)salt);
        test_write(f->t, addr + i, copy[i], 1);
    }
}

static uint8_t fis_byte(Fixture *f, unsigned offset)
{
    return (uint8_t)test_read(f->t, FISES + offset, 1);
}

/* ---- registers ----------------------------------------------------------------------------- */

static void test_registers(void)
{
    Fixture f;

    start_with(&f, "");
    g_assert_cmphex(pci_test_read(f.p, DEVFN, 0, 4), ==, 0x29228086);
    g_assert_cmphex(pci_test_read(f.p, DEVFN, 8, 4), ==, 0x01060102);
    g_assert_cmphex(pci_test_read(f.p, DEVFN, 0x34, 1), ==, 0x80);
    g_assert_cmphex(pci_test_read(f.p, DEVFN, 0x80, 4), ==, 0x0080a805);
    g_assert_cmphex(pci_test_read(f.p, DEVFN, 0xa8, 4), ==, 0x00100012);
    g_assert_cmphex(pci_test_read(f.p, DEVFN, 0xac, 4), ==, 0x00000048);
    g_assert_cmphex(rd(&f, HBA), ==, 0xc0141f05);
    g_assert_cmphex(rd(&f, HBA + 0x0c), ==, 0x3f);
    g_assert_cmphex(rd(&f, HBA + 0x10), ==, 0x10000);
    wr(&f, HBA, 0);
    wr(&f, HBA + 0x0c, 0);
    g_assert_cmphex(rd(&f, HBA), ==, 0xc0141f05);
    g_assert_cmphex(rd(&f, HBA + 0x0c), ==, 0x3f);
    g_assert_cmphex(rd(&f, PORT(0) + PX_SSTS), ==, 0x113);
    g_assert_cmphex(rd(&f, PORT(2) + PX_SSTS), ==, 0);
    g_assert_cmphex(rd(&f, PORT(0) + PX_TFD), ==, 0x7f);
    g_assert_cmphex(rd(&f, PORT(0) + PX_SIG), ==, UINT32_MAX);
    g_assert_cmphex(rd(&f, PORT(0) + PX_CMD), ==, 6);
    g_assert_cmphex(rd(&f, PORT(6)), ==, 0); /* there is none */
    wr(&f, PORT(3), UINT32_MAX);
    g_assert_cmphex(rd(&f, PORT(3)), ==, 0xfffffc00);
    g_assert_cmphex(test_read(f.t, HBA + 1, 1), ==, 0x1f);
    g_assert_cmphex(test_read(f.t, HBA, 8), ==, 0x80000000c0141f05ull);
    test_outl(f.t, IDP + 0x10, 0x10);
    g_assert_cmphex(test_inl(f.t, IDP + 0x14), ==, 0x10000);
    test_outl(f.t, IDP + 0x10, UINT32_MAX);
    g_assert_cmphex(test_inl(f.t, IDP + 0x10), ==, 0xffc);
    stop(&f);
}

/* The first FIS of a device comes when the port may receive. */
static void test_signature(void)
{
    Fixture f;

    start_with(&f, "");
    wr(&f, GHC, 0x80000002);
    for (unsigned i = 0; i < 2; i++) {
        wr(&f, PORT(i) + PX_FB, FISES);
        wr(&f, PORT(i) + PX_CMD, 0x16);
        g_assert_cmphex(rd(&f, PORT(i) + PX_SIG), ==, i ? 0xeb140101 : 0x00000101);
        g_assert_cmphex(rd(&f, PORT(i) + PX_IS), ==, IS_DHRS);
        g_assert_cmphex(rd(&f, PORT(i) + PX_TFD) & 0x88, ==, 0);
        g_assert_cmphex(fis_byte(&f, 0x40), ==, 0x34);
    }
    wr(&f, GHC, 1); /* the adapter's reset keeps the addresses */
    g_assert_cmphex(rd(&f, GHC), ==, 0x80000000);
    g_assert_cmphex(rd(&f, PORT(0) + PX_FB), ==, FISES);
    g_assert_cmphex(rd(&f, PORT(0) + PX_SIG), ==, UINT32_MAX);
    stop(&f);
}

/* ---- disks ----------------------------------------------------------------------------------- */

static void test_identify(void)
{
    Fixture f;

    start(&f);
    g_assert_true(run(&f, (Command){.command = 0xec}));
    g_assert_cmphex(rd(&f, PORT(0) + PX_IS), ==, IS_DHRS | IS_PSS);
    g_assert_cmphex(rd(&f, IS), ==, 1);
    g_assert_cmpint(moved(&f, 0), ==, 512);
    g_assert_cmphex(fis_byte(&f, 0x20), ==, 0x5f);
    g_assert_cmphex(fis_byte(&f, 0x31), ==, 2); /* 512 bytes */
    g_assert_cmphex(fis_byte(&f, 0x42), ==, 0x50);
    g_assert_cmpint(test_read(f.t, DATA + 2 * 100, 4), ==, DISK_SIZE / 512);
    g_assert_cmpint(test_read(f.t, DATA + 2 * 75, 2), ==, 31);
    g_assert_cmphex(test_read(f.t, DATA + 2 * 76, 2) & 0x100, ==, 0x100);
    g_assert_false(run(&f, (Command){.command = 0xa1})); /* a packet device's */
    g_assert_cmphex(rd(&f, PORT(0) + PX_TFD), ==, 0x0441);
    stop(&f);
}

static void test_transfers(void)
{
    static const uint8_t reads[] = {0x25, 0xc8, 0x24, 0x20, 0x29, 0xc4};
    static const uint8_t writes[] = {0x35, 0xca, 0x3d, 0x34, 0x30, 0x39, 0xc5, 0xce};
    Fixture f;
    uint8_t bytes[4096];

    start(&f);
    for (size_t i = 0; i < sizeof(reads); i++) {
        g_assert_true(run(&f, (Command){.command = reads[i], .lba = 77 + i, .count = 8}));
        check_memory(&f, DATA, (77 + i) * 512, 4096, 0);
        g_assert_cmpint(moved(&f, 0), ==, 4096);
        g_assert_cmphex(rd(&f, PORT(0) + PX_TFD), ==, 0x50);
    }
    for (size_t i = 0; i < sizeof(writes); i++) {
        fill_memory(&f, DATA, bytes, 4096, (int)i);
        g_assert_true(run(&f, (Command){
                                  .command = writes[i], .lba = 200, .count = 8, .header = HDR_WRITE}));
        g_assert_true(run(&f, (Command){.command = 0xea, .no_prds = true}));
        check_file(&f, 200 * 512, bytes, 4096);
    }
    stop(&f);
}

/* More than one chunk, into descriptors that begin and end anywhere. */
static void test_scatter(void)
{
    Fixture f;
    Command c = {.command = 0x25, .lba = 3, .count = 600, .prds = 4};

    c.prd[0].addr = DATA + 2, c.prd[0].len = 100;
    c.prd[1].addr = DATA + 0x1000, c.prd[1].len = 3000;
    c.prd[2].addr = DATA + 0x10000, c.prd[2].len = 600 * 512 - 3100 - 2;
    c.prd[3].addr = DATA + 0x4000, c.prd[3].len = 2;
    start(&f);
    g_assert_true(run(&f, c));
    g_assert_cmpint(moved(&f, 0), ==, 600 * 512);
    check_memory(&f, DATA + 2, 3 * 512, 100, 0);
    check_memory(&f, DATA + 0x1000, 3 * 512 + 100, 3000, 0);
    check_memory(&f, DATA + 0x10000, 3 * 512 + 3100, 4096, 0);
    check_memory(&f, DATA + 0x4000, 603 * 512 - 2, 2, 0);
    g_assert_cmphex(test_read(f.t, DATA + 102, 1), ==, 0);
    stop(&f);
}

static void test_short_prds(void)
{
    Fixture f;
    uint8_t expected[512];
    Command c = {.command = 0x25, .lba = 9, .count = 4, .prds = 1};

    c.prd[0].addr = DATA, c.prd[0].len = 512;
    start(&f);
    g_assert_true(run(&f, c)); /* what fits is there, and PxIS.OFS says it was not all */
    g_assert_cmphex(rd(&f, PORT(0) + PX_IS) & IS_OFS, ==, IS_OFS);
    g_assert_cmpint(moved(&f, 0), ==, 512);
    check_memory(&f, DATA, 9 * 512, 512, 0);
    g_assert_cmphex(test_read(f.t, DATA + 512, 1), ==, 0);
    c.command = 0x35;
    c.header = HDR_WRITE;
    g_assert_false(run(&f, c)); /* nothing is written that the host did not give */
    recover(&f, 0);
    for (size_t i = 0; i < 512; i++) {
        expected[i] = image_byte(10 * 512 + i, 0);
    }
    check_file(&f, 10 * 512, expected, 512);
    g_assert_true(run(&f, (Command){.command = 0x25, .lba = 9, .count = 4, .no_prds = true}));
    g_assert_cmpint(moved(&f, 0), ==, 0);
    stop(&f);
}

static void test_errors(void)
{
    Fixture f;

    start(&f);
    g_assert_false(run(&f, (Command){.command = 0x25, .lba = DISK_SIZE / 512 - 1, .count = 2}));
    g_assert_cmphex(rd(&f, PORT(0) + PX_TFD), ==, 0x1041);
    g_assert_cmphex(rd(&f, PORT(0) + PX_CI), ==, 1);
    g_assert_cmphex(fis_byte(&f, 0x43), ==, 0x10);
    recover(&f, 0);
    g_assert_false(run(&f, (Command){.command = 0x87}));
    g_assert_cmphex(rd(&f, PORT(0) + PX_TFD), ==, 0x0441);
    recover(&f, 0);
    g_assert_true(run(&f, (Command){.command = 0x25, .count = 1}));
    /* A list that is nowhere. */
    wr(&f, PORT(0) + PX_CMD, 0x16);
    wr(&f, PORT(0) + PX_CLB, 0xe0000000);
    wr(&f, PORT(0) + PX_IS, UINT32_MAX);
    wr(&f, PORT(0) + PX_CMD, 0x17);
    wr(&f, PORT(0) + PX_CI, 1);
    g_assert_cmphex(rd(&f, PORT(0) + PX_IS) & IS_HBFS, ==, IS_HBFS);
    stop(&f);
}

/* ---- queued commands --------------------------------------------------------------------------- */

static void put_queued(Fixture *f, unsigned slot, uint8_t command, uint64_t lba, uint16_t count)
{
    Command c = {.command = command,
                 .lba = lba,
                 .feature = count,
                 .count = (uint16_t)(slot << 3),
                 .header = command == 0x61 ? HDR_WRITE : 0,
                 .prds = 1};

    c.prd[0].addr = DATA + 0x10000 * slot;
    c.prd[0].len = 0x10000;
    put_command(f, slot, &c);
}

static bool run_queued(Fixture *f, uint32_t slots)
{
    wr(f, PORT(0) + PX_IS, UINT32_MAX);
    wr(f, PORT(0) + PX_SACT, slots);
    wr(f, PORT(0) + PX_CI, slots);
    return wait_for(f, 0, PX_SACT, slots);
}

static void test_queued(void)
{
    Fixture f;

    start(&f);
    for (unsigned i = 0; i < 32; i++) {
        put_queued(&f, i, 0x60, 10 * i, (uint16_t)(i + 1));
    }
    g_assert_true(run_queued(&f, UINT32_MAX));
    g_assert_cmphex(rd(&f, PORT(0) + PX_CI), ==, 0);
    g_assert_cmphex(rd(&f, PORT(0) + PX_IS), ==, IS_SDBS);
    g_assert_cmphex(fis_byte(&f, 0x58), ==, 0xa1);
    for (unsigned i = 0; i < 32; i++) {
        check_memory(&f, DATA + 0x10000 * i, 5120 * i, 512 * (i + 1), 0);
    }
    for (unsigned i = 0; i < 32; i++) {
        put_queued(&f, i, 0x61, 1000 + 128 * i, 128);
        wr(&f, DATA + 0x10000 * i, 0x1234500 + i);
        wr(&f, DATA + 0x10000 * i + 0xfffc, 0x5432100 + i);
    }
    g_assert_true(run_queued(&f, UINT32_MAX));
    g_assert_true(run(&f, (Command){.command = 0xe7, .no_prds = true}));
    for (unsigned i = 0; i < 32; i++) {
        uint32_t first = 0x1234500 + i, last = 0x5432100 + i;

        check_file(&f, (1000 + 128 * i) * 512, &first, 4);
        check_file(&f, (1000 + 128 * i) * 512 + 0xfffc, &last, 4);
    }
    stop(&f);
}

/* An error ends all; log 10h names the command. */
static void test_queued_error(void)
{
    Fixture f;

    start(&f);
    put_queued(&f, 3, 0x60, 8, 8);
    put_queued(&f, 7, 0x60, DISK_SIZE / 512, 8);
    g_assert_false(run_queued(&f, 1u << 3 | 1u << 7));
    g_assert_cmphex(rd(&f, PORT(0) + PX_TFD), ==, 0x1041);
    g_assert_cmphex(rd(&f, PORT(0) + PX_SACT) & 1u << 7, ==, 1u << 7);
    g_assert_cmphex(fis_byte(&f, 0x5b), ==, 0x10);
    recover(&f, 0);
    g_assert_true(run(&f, (Command){.command = 0x2f, .lba = 0x10, .count = 1}));
    g_assert_cmphex(test_read(f.t, DATA, 1), ==, 7);
    g_assert_cmphex(test_read(f.t, DATA + 2, 2), ==, 0x1041);
    g_assert_cmphex(test_read(f.t, DATA + 4, 2), ==, DISK_SIZE / 512);
    g_assert_true(run(&f, (Command){.command = 0x47, .lba = 0x10, .count = 1}));
    g_assert_cmphex(test_read(f.t, DATA, 1), ==, 0x80); /* it is told once */
    g_assert_false(run(&f, (Command){.command = 0x2f, .lba = 0x44, .count = 1}));
    recover(&f, 0);
    put_queued(&f, 0, 0x60, 8, 8);
    g_assert_true(run_queued(&f, 1));
    stop(&f);
}

static void test_queued_and_not(void)
{
    Fixture f;
    Command c = {.command = 0x25, .count = 1};

    start(&f);
    put_queued(&f, 0, 0x60, 8, 8);
    put_command(&f, 1, &c);
    wr(&f, PORT(0) + PX_SACT, 1);
    wr(&f, PORT(0) + PX_CI, 3);
    g_assert_false(wait_for(&f, 0, PX_CI, 3));
    g_assert_cmphex(rd(&f, PORT(0) + PX_TFD), ==, 0x0441);
    recover(&f, 0);
    g_assert_true(run(&f, c));
    stop(&f);
}

/* ---- packet devices -------------------------------------------------------------------------------- */

static void test_packet(void)
{
    static const uint8_t inquiry[12] = {0x12, 0, 0, 0, 36};
    static const uint8_t read10[12] = {0x28, 0, 0, 0, 0, 7, 0, 0, 3};
    static const uint8_t bad[12] = {0xf1};
    Fixture f;

    start_with(&f, "");
    start_port(&f, 1);
    g_assert_true(run_on(&f, 1, (Command){.command = 0xa1}));
    g_assert_cmphex(test_read(f.t, DATA, 2), ==, 0x85c0);
    g_assert_true(run_on(
        &f, 1,
        (Command){.command = 0xa0, .lba = 0x080000, .header = HDR_ATAPI, .cdb = inquiry}));
    g_assert_cmpint(moved(&f, 0), ==, 36);
    g_assert_cmphex(test_read(f.t, DATA, 1), ==, 5);
    g_assert_cmphex(rd(&f, PORT(1) + PX_IS), ==, IS_DHRS | IS_PSS);
    for (uint16_t dma = 0; dma < 2; dma++) {
        test_write(f.t, DATA, 0, 4);
        g_assert_true(run_on(&f, 1,
                             (Command){.command = 0xa0,
                                       .lba = 0x080000,
                                       .feature = dma,
                                       .header = HDR_ATAPI,
                                       .cdb = read10}));
        g_assert_cmpint(moved(&f, 0), ==, 3 * 2048);
        check_memory(&f, DATA, 7 * 2048, 3 * 2048, 5);
    }
    g_assert_false(
        run_on(&f, 1, (Command){.command = 0xa0, .lba = 0x080000, .header = HDR_ATAPI, .cdb = bad}));
    g_assert_cmphex(rd(&f, PORT(1) + PX_TFD), ==, 0x5041);
    recover(&f, 1);
    g_assert_false(run_on(&f, 1, (Command){.command = 0xec}));
    stop(&f);
}

/* ---- resets ---------------------------------------------------------------------------------------- */

static void test_soft_reset(void)
{
    Fixture f;

    start(&f);
    g_assert_true(run(&f, (Command){.is_control = true, .control = 4, .header = 0x400}));
    g_assert_true(run(&f, (Command){.is_control = true, .control = 0}));
    g_assert_cmphex(rd(&f, PORT(0) + PX_IS), ==, IS_DHRS);
    g_assert_cmphex(rd(&f, PORT(0) + PX_TFD), ==, 0x150);
    g_assert_cmphex(fis_byte(&f, 0x43), ==, 1);
    g_assert_true(run(&f, (Command){.command = 0x25, .count = 1}));
    stop(&f);
}

static void test_comreset(void)
{
    Fixture f;
    Command c = {.command = 0x25, .lba = 5, .count = 128};

    start(&f);
    put_command(&f, 0, &c);
    wr(&f, PORT(0) + PX_CI, 1); /* under way, and dropped */
    wr(&f, PORT(0) + PX_CMD, 0x16);
    wr(&f, PORT(0) + PX_SCTL, 0x301);
    g_assert_cmphex(rd(&f, PORT(0) + PX_SSTS), ==, 0);
    g_assert_cmphex(rd(&f, PORT(0) + PX_TFD), ==, 0x7f);
    wr(&f, PORT(0) + PX_SCTL, 0x300);
    g_assert_cmphex(rd(&f, PORT(0) + PX_SSTS), ==, 0x113);
    g_assert_cmphex(rd(&f, PORT(0) + PX_SERR), ==, 1u << 26);
    g_assert_cmphex(rd(&f, PORT(0) + PX_SIG), ==, 0x101);
    wr(&f, PORT(0) + PX_SERR, UINT32_MAX);
    blk_drain(blk_by_id(f.t->machine, "d0"));
    test_poll(f.t);
    g_assert_cmphex(test_read(f.t, DATA, 4), ==, 0);
    wr(&f, PORT(0) + PX_CMD, 0x17);
    g_assert_true(run(&f, c));
    check_memory(&f, DATA, 5 * 512, 512, 0);
    stop(&f);
}

/* ---- interrupts ------------------------------------------------------------------------------------ */

static void test_intx(void)
{
    Fixture f;

    start(&f);
    g_assert_false(pci_bus_get_irq_level(f.p->bus, 0));
    g_assert_true(run(&f, (Command){.command = 0xe7, .no_prds = true}));
    g_assert_true(f.ahci->irq_state);
    wr(&f, PORT(0) + PX_IS, UINT32_MAX);
    g_assert_true(f.ahci->irq_state);
    wr(&f, IS, 1);
    g_assert_false(f.ahci->irq_state);
    wr(&f, PORT(0) + PX_IE, 0);
    g_assert_true(run(&f, (Command){.command = 0xe7, .no_prds = true}));
    g_assert_false(f.ahci->irq_state);
    stop(&f);
}

/* To memory that is no interrupt controller. */
static void test_msi(void)
{
    Fixture f;

    start(&f);
    pci_test_write(f.p, DEVFN, 0x84, 0x8000, 4);
    pci_test_write(f.p, DEVFN, 0x8c, 0x4321, 2);
    pci_test_write(f.p, DEVFN, 0x82, 1, 2);
    for (int i = 0; i < 3; i++) {
        wr(&f, 0x8000, 0);
        g_assert_true(run(&f, (Command){.command = 0xe7, .no_prds = true}));
        g_assert_cmphex(rd(&f, 0x8000), ==, 0x4321);
        g_assert_false(f.ahci->irq_state);
    }
    wr(&f, 0x8000, 0);
    wr(&f, PORT(0) + PX_IS, UINT32_MAX);
    g_assert_cmphex(rd(&f, 0x8000), ==, 0); /* acknowledging is no news */
    stop(&f);
}

/* ---- hostile ------------------------------------------------------------------------------------- */

static void test_hostile(void)
{
    Fixture f;
    GRand *rand = g_rand_new_with_seed(7);

    start(&f);
    test_poke_memory(f.t, HBA, 0x400, 3000);
    wr(&f, GHC, 1);
    start_port(&f, 0);
    start_port(&f, 1);
    for (int i = 0; i < 400; i++) {
        unsigned slot = (unsigned)g_rand_int_range(rand, 0, 32);
        Command c = {.command = (uint8_t)g_rand_int(rand),
                     .feature = (uint16_t)g_rand_int(rand),
                     .count = (uint16_t)g_rand_int(rand),
                     .lba = g_rand_int_range(rand, 0, DISK_SIZE / 256),
                     .header = (uint16_t)(g_rand_int(rand) & 0x7e0)};

        put_command(&f, slot, &c);
        wr(&f, PORT(i & 1) + PX_SACT, g_rand_boolean(rand) ? 1u << slot : 0);
        wr(&f, PORT(i & 1) + PX_CI, 1u << slot);
        test_poll(f.t);
        if (rd(&f, PORT(i & 1) + PX_IS) & IS_TFES) {
            recover(&f, (unsigned)i & 1);
        }
    }
    /* The lists and data in the adapter's own registers. */
    wr(&f, PORT(0) + PX_CMD, 0x16);
    wr(&f, PORT(0) + PX_CLB, HBA);
    wr(&f, PORT(0) + PX_FB, HBA);
    wr(&f, PORT(0) + PX_CMD, 0x17);
    wr(&f, PORT(0) + PX_CI, UINT32_MAX);
    test_poll(f.t);
    g_rand_free(rand);
    stop(&f);
}

static void test_names(void)
{
    Fixture f;

    start_with(&f, "");
    g_assert_nonnull(qbus_find(OBJECT(f.t->machine), "ide.5", NULL));
    g_assert_null(qbus_find(OBJECT(f.t->machine), "ide.6", NULL));
    stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ahci/registers", test_registers);
    g_test_add_func("/ahci/signature", test_signature);
    g_test_add_func("/ahci/identify", test_identify);
    g_test_add_func("/ahci/transfers", test_transfers);
    g_test_add_func("/ahci/scatter", test_scatter);
    g_test_add_func("/ahci/short-prds", test_short_prds);
    g_test_add_func("/ahci/errors", test_errors);
    g_test_add_func("/ahci/queued", test_queued);
    g_test_add_func("/ahci/queued-error", test_queued_error);
    g_test_add_func("/ahci/queued-and-not", test_queued_and_not);
    g_test_add_func("/ahci/packet", test_packet);
    g_test_add_func("/ahci/soft-reset", test_soft_reset);
    g_test_add_func("/ahci/comreset", test_comreset);
    g_test_add_func("/ahci/intx", test_intx);
    g_test_add_func("/ahci/msi", test_msi);
    g_test_add_func("/ahci/hostile", test_hostile);
    g_test_add_func("/ahci/names", test_names);
    return g_test_run();
}
