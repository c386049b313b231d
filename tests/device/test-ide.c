/* SPDX-License-Identifier: MIT
 *
 * Disks and CD drives behind PIIX3 IDE: registers, PIO, multiple, DMA, packets, errors,
 * resets, and PRDs and counts that a hostile guest would use.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include "hw/ide/ide.h"
#include "pci-test.h"
#include "system/block/block.h"
#include "system/block/media.h"

#define IDE_DEVFN PCI_MAKE_DEVFN(1, 1)
#define CMD       0x1f0 /* primary */
#define CTL       0x3f6
#define CMD2      0x170
#define CTL2      0x376
#define BM        0xc000
#define PRD       0x1000
#define BUF       0x100000
#define DISK_SIZE (8 << 20)
#define SECTORS   (DISK_SIZE / 512)
#define CD_SIZE   (1 << 20)

typedef struct Fixture {
    PCITest *p;
    DeviceTest *t;
    PCIDevice *ide;
    char *disk, *cd;
} Fixture;

static char *make_image(size_t size, int salt)
{
    char *name = NULL;
    g_autofree uint8_t *data = g_malloc(size);
    int fd = g_file_open_tmp("ide-XXXXXX", &name, NULL);

    for (size_t i = 0; i < size; i++) {
        data[i] = (uint8_t)(i / 512 * 7 + i * 3 + (size_t)salt);
    }
    g_assert_cmpint(write(fd, data, size), ==, (ssize_t)size);
    close(fd);
    return name;
}

static uint8_t image_byte(size_t i, int salt)
{
    return (uint8_t)(i / 512 * 7 + i * 3 + (size_t)salt);
}

/* A disk that is `disk` itself, or a driver over it. */
static void start_on(Fixture *f, const char *driver, const char *extra)
{
    GError *error = NULL;
    g_autofree char *hd = NULL, *cd = NULL;

    f->p = pci_test_new();
    f->t = f->p->t;
    f->disk = make_image(DISK_SIZE, 0);
    f->cd = make_image(CD_SIZE, 5);
    hd = g_strdup_printf("file=%s%s,if=ide,id=hd,format=raw%s", driver, f->disk, extra);
    cd = g_strdup_printf("file=%s,if=ide,format=raw,index=2,media=cdrom", f->cd);
    pci_test_drive(f->p, hd);
    pci_test_drive(f->p, cd);
    f->ide = piix3_ide_create(f->p->bus, IDE_DEVFN, &error);
    g_assert_no_error(error);
    ide_create_drives(f->t->machine, f->ide, &error);
    g_assert_no_error(error);
    test_reset(f->t);
    pci_test_write(f->p, IDE_DEVFN, 0x20, BM, 4);
    pci_test_write(f->p, IDE_DEVFN, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MASTER, 2);
}

static void start_with(Fixture *f, const char *extra)
{
    start_on(f, "", extra);
}

static void start(Fixture *f)
{
    start_with(f, "");
}

static void stop(Fixture *f)
{
    pci_test_free(f->p);
    g_unlink(f->disk);
    g_unlink(f->cd);
    g_free(f->disk);
    g_free(f->cd);
}

/* ---- helpers -------------------------------------------------------------------------- */

static uint8_t wait_status(Fixture *f, uint16_t ctl)
{
    for (int i = 0; i < 20000; i++) {
        uint8_t status = test_inb(f->t, ctl);

        if (!(status & 0x80)) {
            return status;
        }
        test_poll(f->t);
        g_usleep(100);
    }
    g_assert_not_reached();
}

static void command28(Fixture *f, uint16_t base, uint8_t unit, uint32_t lba, uint8_t count,
                      uint8_t command)
{
    test_outb(f->t, base + 6, (uint8_t)(0xe0 | unit << 4 | lba >> 24));
    test_outb(f->t, base + 2, count);
    test_outb(f->t, base + 3, (uint8_t)lba);
    test_outb(f->t, base + 4, (uint8_t)(lba >> 8));
    test_outb(f->t, base + 5, (uint8_t)(lba >> 16));
    test_outb(f->t, base + 7, command);
}

static void command48(Fixture *f, uint64_t lba, uint16_t count, uint8_t command)
{
    test_outb(f->t, CMD + 6, 0xe0);
    test_outb(f->t, CMD + 2, (uint8_t)(count >> 8));
    test_outb(f->t, CMD + 3, (uint8_t)(lba >> 24));
    test_outb(f->t, CMD + 4, (uint8_t)(lba >> 32));
    test_outb(f->t, CMD + 5, (uint8_t)(lba >> 40));
    test_outb(f->t, CMD + 2, (uint8_t)count);
    test_outb(f->t, CMD + 3, (uint8_t)lba);
    test_outb(f->t, CMD + 4, (uint8_t)(lba >> 8));
    test_outb(f->t, CMD + 5, (uint8_t)(lba >> 16));
    test_outb(f->t, CMD + 7, command);
}

static void read_words(Fixture *f, uint16_t base, void *buf, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i += 2) {
        uint16_t w = test_inw(f->t, base);

        memcpy((char *)buf + i, &w, 2);
    }
}

static void check_bytes(const uint8_t *buf, size_t offset, size_t len, int salt)
{
    for (size_t i = 0; i < len; i++) {
        g_assert_cmphex(buf[i], ==, image_byte(offset + i, salt));
    }
}

static void put_prd(Fixture *f, unsigned n, uint32_t addr, uint32_t count_flags)
{
    test_write(f->t, PRD + 8 * n, addr, 4);
    test_write(f->t, PRD + 8 * n + 4, count_flags, 4);
}

static void start_dma(Fixture *f, unsigned channel, bool to_memory)
{
    test_outl(f->t, (uint16_t)(BM + 8 * channel + 4), PRD);
    test_outb(f->t, (uint16_t)(BM + 8 * channel + 2), 0x66);
    test_outb(f->t, (uint16_t)(BM + 8 * channel), (uint8_t)(to_memory ? 9 : 1));
}

static uint8_t file_byte(const char *name, off_t at)
{
    uint8_t b = 0;
    int fd = open(name, O_RDONLY);

    g_assert_cmpint(pread(fd, &b, 1, at), ==, 1);
    close(fd);
    return b;
}

/* ---- disks ------------------------------------------------------------------------------- */

static void test_signature(void)
{
    Fixture f;

    start(&f);
    g_assert_cmphex(test_inb(f.t, CMD + 7), ==, 0x50);
    g_assert_cmphex(test_inb(f.t, CMD + 1), ==, 0x01);
    g_assert_cmphex(test_inb(f.t, CMD + 4) | test_inb(f.t, CMD + 5) << 8, ==, 0);
    g_assert_cmphex(test_inb(f.t, CMD2 + 4) | test_inb(f.t, CMD2 + 5) << 8, ==, 0xeb14);
    test_outb(f.t, CMD + 6, 0xb0); /* no device 1 */
    g_assert_cmphex(test_inb(f.t, CMD + 7), ==, 0);
    stop(&f);
}

static void test_identify(void)
{
    Fixture f;
    uint16_t id[256];
    uint8_t sum = 0;

    start(&f);
    command28(&f, CMD, 0, 0, 0, 0xec);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x58);
    g_assert_cmpint(f.p->gsi.level[14], ==, 1);
    g_assert_cmphex(test_inb(f.t, CMD + 7), ==, 0x58);
    g_assert_cmpint(f.p->gsi.level[14], ==, 0);
    read_words(&f, CMD, id, 512);
    g_assert_cmphex(test_inb(f.t, CMD + 7), ==, 0x50);
    g_assert_cmpint(id[60] | id[61] << 16, ==, SECTORS);
    g_assert_cmpint(id[100], ==, SECTORS & 0xffff);
    g_assert_cmpint(id[1] * id[3] * id[6], <=, SECTORS);
    for (int i = 0; i < 512; i++) {
        sum += ((uint8_t *)id)[i];
    }
    g_assert_cmphex(sum, ==, 0);
    command28(&f, CMD, 0, 0, 0, 0xa1); /* not a packet device */
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x41);
    g_assert_cmphex(test_inb(f.t, CMD + 1), ==, 0x04);
    stop(&f);
}

static void test_read_pio(void)
{
    Fixture f;
    uint8_t buf[512];

    start(&f);
    command28(&f, CMD, 0, 100, 3, 0x20);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmphex(wait_status(&f, CTL), ==, 0x58);
        g_assert_cmpint(f.p->gsi.level[14], ==, 1);
        test_inb(f.t, CMD + 7);
        read_words(&f, CMD, buf, 512);
        check_bytes(buf, (100 + i) * 512, 512, 0);
    }
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x50);
    g_assert_cmpint(f.p->gsi.level[14], ==, 0);
    g_assert_cmphex(test_inw(f.t, CMD), ==, 0xffff); /* nothing more */
    stop(&f);
}

/* LBA, 48-bit and cylinder/head/sector name the same sector. */
static void test_addressing(void)
{
    Fixture f;
    uint8_t buf[512];

    start(&f);
    command48(&f, 1234, 1, 0x24);
    wait_status(&f, CTL);
    read_words(&f, CMD, buf, 512);
    check_bytes(buf, 1234 * 512, 512, 0);
    test_outb(f.t, CMD + 6, 0xa0 | 1234 / 63 % 16);
    test_outb(f.t, CMD + 2, 1);
    test_outb(f.t, CMD + 3, 1234 % 63 + 1);
    test_outb(f.t, CMD + 4, 1234 / 63 / 16);
    test_outb(f.t, CMD + 5, 0);
    test_outb(f.t, CMD + 7, 0x20);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x58);
    read_words(&f, CMD, buf, 512);
    check_bytes(buf, 1234 * 512, 512, 0);
    command28(&f, CMD, 0, 0, 0, 0xf8);
    wait_status(&f, CTL);
    g_assert_cmpint(test_inb(f.t, CMD + 3) | test_inb(f.t, CMD + 4) << 8, ==, SECTORS - 1);
    stop(&f);
}

static void test_multiple(void)
{
    Fixture f;
    uint8_t buf[8 * 512];

    start(&f);
    command28(&f, CMD, 0, 0, 3, 0xc6); /* not a power of two */
    g_assert_cmphex(wait_status(&f, CTL) & 1, ==, 1);
    command28(&f, CMD, 0, 0, 8, 0xc6);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x50);
    command28(&f, CMD, 0, 7, 12, 0xc4);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x58);
    read_words(&f, CMD, buf, 8 * 512);
    check_bytes(buf, 7 * 512, 8 * 512, 0);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x58);
    read_words(&f, CMD, buf, 4 * 512);
    check_bytes(buf, 15 * 512, 4 * 512, 0);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x50);
    command28(&f, CMD, 0, 0, 0, 0xc6); /* off */
    wait_status(&f, CTL);
    command28(&f, CMD, 0, 7, 1, 0xc4);
    g_assert_cmphex(wait_status(&f, CTL) & 1, ==, 1);
    stop(&f);
}

static void test_write_pio(void)
{
    Fixture f;

    start(&f);
    command28(&f, CMD, 0, 50, 2, 0x30);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x58);
    g_assert_cmpint(f.p->gsi.rises[14], ==, 0); /* none for the first block */
    for (int s = 0; s < 2; s++) {
        for (int i = 0; i < 256; i++) {
            test_outw(f.t, CMD, (uint16_t)(0x4100 + s));
        }
        wait_status(&f, CTL);
        g_assert_cmpint(f.p->gsi.level[14], ==, 1);
        test_inb(f.t, CMD + 7);
    }
    g_assert_cmphex(test_inb(f.t, CTL), ==, 0x50);
    command28(&f, CMD, 0, 0, 0, 0xe7);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x50);
    g_assert_cmphex(file_byte(f.disk, 50 * 512 + 1), ==, 0x41);
    g_assert_cmphex(file_byte(f.disk, 51 * 512), ==, 0x01);
    g_assert_cmphex(file_byte(f.disk, 52 * 512), ==, image_byte(52 * 512, 0));
    stop(&f);
}

static void test_range(void)
{
    Fixture f;

    start(&f);
    command28(&f, CMD, 0, SECTORS - 1, 2, 0x20);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x41);
    g_assert_cmphex(test_inb(f.t, CMD + 1), ==, 0x10); /* IDNF */
    command48(&f, 0xffffffffffffull, 0, 0x25);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x41);
    command28(&f, CMD, 0, SECTORS - 1, 1, 0x40);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x50);
    command28(&f, CMD, 0, 0, 0, 0x87); /* no such command */
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x41);
    g_assert_cmphex(test_inb(f.t, CMD + 1), ==, 0x04);
    stop(&f);
}

/* ---- DMA ----------------------------------------------------------------------------------- */

static void test_read_dma(void)
{
    Fixture f;
    uint8_t buf[300 * 512];

    start(&f);
    put_prd(&f, 0, BUF, 512);
    put_prd(&f, 1, BUF + 512, 0x10000 - 512);
    put_prd(&f, 2, BUF + 0x10000, 0);
    put_prd(&f, 3, BUF + 0x20000, 0x80000000 | (300 * 512 - 0x20000));
    command48(&f, 10, 300, 0x25);
    start_dma(&f, 0, true);
    g_assert_cmphex(test_inb(f.t, BM + 2) & 1, ==, 1);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x50);
    g_assert_cmphex(test_inb(f.t, BM + 2) & 7, ==, 4);
    g_assert_cmpint(f.p->gsi.level[14], ==, 1);
    test_outb(f.t, BM, 0);
    test_outb(f.t, BM + 2, 4);
    g_assert_cmphex(test_inb(f.t, BM + 2) & 7, ==, 0);
    address_space_read(&f.t->machine->address_space_memory, BUF, MEMTXATTRS_NONE, buf, sizeof(buf));
    check_bytes(buf, 10 * 512, sizeof(buf), 0);
    stop(&f);
}

static void test_write_dma(void)
{
    Fixture f;

    start_with(&f, ",cache=writethrough");
    address_space_set(&f.t->machine->address_space_memory, BUF, 0x5a, 0x8000, MEMTXATTRS_NONE);
    put_prd(&f, 0, BUF, 0x80008000);
    start_dma(&f, 0, false); /* the host may start first */
    command28(&f, CMD, 0, 2000, 64, 0xca);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x50);
    g_assert_cmphex(test_inb(f.t, BM + 2) & 7, ==, 4);
    g_assert_cmphex(file_byte(f.disk, 2000 * 512), ==, 0x5a);
    g_assert_cmphex(file_byte(f.disk, 2064 * 512 - 1), ==, 0x5a);
    g_assert_cmphex(file_byte(f.disk, 2064 * 512), ==, image_byte(2064 * 512, 0));
    stop(&f);
}

static void test_dma_prds(void)
{
    Fixture f;

    start(&f);
    /* Longer than the transfer: active stays. */
    put_prd(&f, 0, BUF, 0x80010000);
    command28(&f, CMD, 0, 0, 1, 0xc8);
    start_dma(&f, 0, true);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x50);
    g_assert_cmphex(test_inb(f.t, BM + 2) & 7, ==, 5);
    test_outb(f.t, BM, 0);
    g_assert_cmphex(test_inb(f.t, BM + 2) & 1, ==, 0);
    /* Shorter: the command is over, without an interrupt. */
    put_prd(&f, 0, BUF, 0x80000200);
    test_inb(f.t, CMD + 7);
    command28(&f, CMD, 0, 0, 2, 0xc8);
    start_dma(&f, 0, true);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x50);
    g_assert_cmphex(test_inb(f.t, BM + 2) & 7, ==, 0);
    test_outb(f.t, CTL, 4);
    g_assert_cmphex(test_inb(f.t, CTL), ==, 0x80);
    test_outb(f.t, CTL, 0);
    g_assert_cmphex(test_inb(f.t, CTL), ==, 0x50);
    /* A table of two-byte pieces that has no end. */
    test_outb(f.t, BM, 0);
    for (unsigned i = 0; i < 8192; i++) {
        put_prd(&f, i, BUF, 2);
    }
    command28(&f, CMD, 0, 0, 0, 0xc8);
    start_dma(&f, 0, true);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x50);
    test_outb(f.t, BM, 0);
    /* The table, and the data, where nothing is. */
    test_outl(f.t, BM + 4, 0xf0000000);
    command28(&f, CMD, 0, 0, 1, 0xc8);
    test_outb(f.t, BM, 9);
    wait_status(&f, CTL);
    g_assert_cmphex(test_inb(f.t, BM + 2) & 2, ==, 2);
    test_outb(f.t, BM, 0);
    test_outb(f.t, CTL, 4);
    test_outb(f.t, CTL, 0);
    put_prd(&f, 0, 0xf0000000, 0x80000200);
    command28(&f, CMD, 0, 0, 1, 0xc8);
    start_dma(&f, 0, true);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x50);
    test_poll(f.t);
    stop(&f);
}

/* Stopped or reset in the middle, with the request under way in a worker. */
static void test_dma_cancel(void)
{
    Fixture f;

    start(&f);
    put_prd(&f, 0, BUF, 0);
    put_prd(&f, 1, BUF, 0x80000000);
    for (int i = 0; i < 20; i++) {
        command28(&f, CMD, 0, 0, 0, 0xc8);
        start_dma(&f, 0, true);
        if (i & 1) {
            test_outb(f.t, BM, 0);
        }
        test_outb(f.t, CTL, 4);
        test_outb(f.t, CTL, 0);
        test_outb(f.t, BM, 0);
        g_assert_cmphex(wait_status(&f, CTL), ==, 0x50);
    }
    command28(&f, CMD, 0, 0, 0, 0xec);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x58);
    stop(&f);
}

/* Without bus mastering no cycle comes about: the command ends, nothing was moved. */
static void test_dma_no_master(void)
{
    Fixture f;

    start(&f);
    pci_test_write(f.p, IDE_DEVFN, PCI_COMMAND, PCI_COMMAND_IO, 2);
    put_prd(&f, 0, BUF, 0x80000200);
    test_write(f.t, BUF, 0x1122334455667788, 8);
    command28(&f, CMD, 0, 0, 1, 0xc8);
    start_dma(&f, 0, true);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x50);
    g_assert_cmphex(test_inb(f.t, BM + 2) & 7, ==, 5);
    g_assert_cmphex(test_read(f.t, BUF, 8), ==, 0x1122334455667788);
    stop(&f);
}

static void test_trim(void)
{
    Fixture f;

    start_with(&f, ",discard=unmap");
    address_space_set(&f.t->machine->address_space_memory, BUF, 0, 512, MEMTXATTRS_NONE);
    test_write(f.t, BUF, 4096 | 4096ull << 48, 8);
    put_prd(&f, 0, BUF, 0x80000200);
    test_outb(f.t, CMD + 1, 1);
    command48(&f, 0, 1, 0x06);
    start_dma(&f, 0, false);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x50);
    g_assert_cmphex(file_byte(f.disk, 4096 * 512 + 77), ==, 0);
    g_assert_cmphex(file_byte(f.disk, 4096 * 512 - 1), ==, image_byte(4096 * 512 - 1, 0));
    test_outb(f.t, BM, 0);
    test_write(f.t, BUF, 0xffffffffffffull | 1ull << 48, 8);
    test_outb(f.t, CMD + 1, 1);
    command48(&f, 0, 1, 0x06);
    start_dma(&f, 0, false);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x41);
    g_assert_cmphex(test_inb(f.t, CMD + 1), ==, 0x04); /* a range beyond the end */
    g_assert_cmphex(test_inb(f.t, BM + 2) & 5, ==, 4);
    test_outb(f.t, CMD + 1, 2);
    command48(&f, 0, 1, 0x06);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x41);
    /* Advice: a count that is too large is cut; and it is there for images without holes too. */
    test_outb(f.t, BM, 0);
    test_write(f.t, BUF, 4096 | 1ull << 48, 8);
    test_outb(f.t, CMD + 1, 1);
    command48(&f, 0, 0x101, 0x06);
    start_dma(&f, 0, false);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x50);
    stop(&f);
}

static void test_read_only(void)
{
    Fixture f;

    start_with(&f, ",readonly=on");
    command28(&f, CMD, 0, 0, 1, 0x30);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x41);
    command28(&f, CMD, 0, 0, 1, 0xca);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x41);
    stop(&f);
}

static void test_features(void)
{
    static const struct {
        uint8_t feature, count, status;
    } rows[] = {
        {0x03, 0x45, 0x50},
        {0x03, 0x46, 0x41},
        {0x03, 0x0c, 0x50},
        {0x03, 0x22, 0x50},
        {0x82, 0,    0x50},
        {0x02, 0,    0x50},
        {0x99, 0,    0x41},
        {0xaa, 0,    0x50},
    };
    Fixture f;
    uint16_t id[256];

    start(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        test_outb(f.t, CMD + 1, rows[i].feature);
        command28(&f, CMD, 0, 0, rows[i].count, 0xef);
        g_assert_cmphex(wait_status(&f, CTL), ==, rows[i].status);
    }
    command28(&f, CMD, 0, 0, 0, 0xec);
    wait_status(&f, CTL);
    read_words(&f, CMD, id, 512);
    g_assert_cmphex(id[63], ==, 0x0407); /* multiword DMA 2 */
    g_assert_cmphex(id[88], ==, 0x003f);
    test_outb(f.t, CMD + 1, 0xda); /* SMART status */
    command28(&f, CMD, 0, 0xc24f00, 0, 0xb0);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x50);
    g_assert_cmphex(test_inb(f.t, CMD + 4) | test_inb(f.t, CMD + 5) << 8, ==, 0xc24f);
    command28(&f, CMD, 0, 0, 0, 0xe0);
    wait_status(&f, CTL);
    command28(&f, CMD, 0, 0, 0, 0xe5);
    wait_status(&f, CTL);
    g_assert_cmphex(test_inb(f.t, CMD + 2), ==, 0);
    stop(&f);
}

static uint8_t smart(Fixture *f, uint8_t feature, uint8_t low)
{
    test_outb(f->t, CMD + 1, feature);
    command28(f, CMD, 0, 0xc24f00 | low, 1, 0xb0);
    return wait_status(f, CTL);
}

static void read_smart(Fixture *f, uint8_t feature, uint8_t low, uint8_t *buf)
{
    uint8_t sum = 0;

    g_assert_cmphex(smart(f, feature, low), ==, 0x58);
    read_words(f, CMD, buf, 512);
    for (int i = 0; i < 512; i++) {
        sum += buf[i];
    }
    g_assert_cmpint(sum, ==, 0);
    g_assert_cmphex(wait_status(f, CTL), ==, 0x50);
}

/* ATA/ATAPI-7 6.54: every subcommand; self-tests show in their log; nothing while it is off. */
static void test_smart(void)
{
    static const uint8_t kinds[] = {1, 2, 0x81, 0x82};
    Fixture f;
    uint8_t data[512], thresholds[512], log[512];

    start(&f);
    read_smart(&f, 0xd0, 0, data);
    read_smart(&f, 0xd1, 0, thresholds);
    for (int i = 0; i < 30 && data[2 + 12 * i]; i++) {
        g_assert_cmpint(thresholds[2 + 12 * i], ==, data[2 + 12 * i]);
        g_assert_cmpint(data[2 + 12 * i + 3], >, thresholds[2 + 12 * i + 1]);
    }
    g_assert_cmphex(smart(&f, 0xd2, 0), ==, 0x50);
    g_assert_cmphex(smart(&f, 0xd3, 0), ==, 0x50);
    read_smart(&f, 0xd5, 0, log); /* directory: errors and self-tests, a page each */
    g_assert_cmpint(log[2], ==, 1);
    g_assert_cmpint(log[12], ==, 1);
    read_smart(&f, 0xd5, 1, log);
    g_assert_cmpint(log[452] | log[453], ==, 0); /* no errors */
    read_smart(&f, 0xd5, 6, log);
    g_assert_cmpint(log[508], ==, 0);
    for (unsigned i = 0; i < 50; i++) { /* the log has 21 entries and wraps */
        uint8_t kind = kinds[i % G_N_ELEMENTS(kinds)];

        g_assert_cmphex(smart(&f, 0xd4, kind), ==, 0x50);
        read_smart(&f, 0xd5, 6, log);
        g_assert_cmpint(log[508], ==, i % 21 + 1);
        g_assert_cmphex(log[2 + 24 * (log[508] - 1)], ==, kind);
        g_assert_cmphex(log[2 + 24 * (log[508] - 1) + 1] >> 4, ==, 0); /* passed */
    }
    g_assert_cmphex(smart(&f, 0xd4, 127), ==, 0x50);
    g_assert_cmphex(smart(&f, 0xd4, 5), ==, 0x41);
    g_assert_cmphex(smart(&f, 0xd5, 5), ==, 0x41);
    g_assert_cmphex(smart(&f, 0xdf, 0), ==, 0x41);
    g_assert_cmphex(smart(&f, 0xd9, 0), ==, 0x50);
    g_assert_cmphex(smart(&f, 0xd0, 0), ==, 0x41);
    g_assert_cmphex(smart(&f, 0xd8, 0), ==, 0x50);
    g_assert_cmphex(smart(&f, 0xda, 0), ==, 0x50);
    test_outb(f.t, CMD + 1, 0xd0);
    command28(&f, CMD, 0, 0, 0, 0xb0); /* without the key */
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x41);
    stop(&f);
}

/* nIEN holds the line back; it shows when it is taken away. */
static void test_interrupt_mask(void)
{
    Fixture f;

    start(&f);
    test_outb(f.t, CTL, 2);
    command28(&f, CMD, 0, 0, 1, 0x40);
    wait_status(&f, CTL);
    g_assert_cmpint(f.p->gsi.level[14], ==, 0);
    test_outb(f.t, CTL, 0);
    g_assert_cmpint(f.p->gsi.level[14], ==, 1);
    test_inb(f.t, CMD + 7);
    g_assert_cmpint(f.p->gsi.level[14], ==, 0);
    stop(&f);
}

/* ---- CD drives ------------------------------------------------------------------------------ */

static uint8_t packet(Fixture *f, const uint8_t *cdb, size_t n, uint16_t limit, bool dma)
{
    uint8_t full[12] = {0};

    memcpy(full, cdb, n);
    test_outb(f->t, CMD2 + 6, 0xa0);
    test_outb(f->t, CMD2 + 1, dma);
    test_outb(f->t, CMD2 + 4, (uint8_t)limit);
    test_outb(f->t, CMD2 + 5, (uint8_t)(limit >> 8));
    test_outb(f->t, CMD2 + 7, 0xa0);
    g_assert_cmphex(wait_status(f, CTL2), ==, 0x58);
    g_assert_cmphex(test_inb(f->t, CMD2 + 2), ==, 1); /* command packet wanted */
    for (int i = 0; i < 12; i += 2) {
        test_outw(f->t, CMD2, (uint16_t)(full[i] | full[i + 1] << 8));
    }
    return wait_status(f, CTL2);
}

/* All data blocks; how many bytes. */
static unsigned take_data(Fixture *f, uint8_t *buf, unsigned limit)
{
    unsigned total = 0;
    uint8_t status;

    while ((status = wait_status(f, CTL2)) & 8) {
        unsigned n = test_inb(f->t, CMD2 + 4) | test_inb(f->t, CMD2 + 5) << 8;

        g_assert_cmphex(test_inb(f->t, CMD2 + 2), ==, 2);
        g_assert_cmpint(n, <=, limit);
        read_words(f, CMD2, buf + total, (n + 1) & ~1u);
        total += n;
    }
    g_assert_cmphex(test_inb(f->t, CMD2 + 2), ==, 3);
    return total;
}
#define PACKET(f, limit, dma, ...)                                                                 \
    packet((f), (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), (limit),   \
           (dma))

static void test_cd_basic(void)
{
    Fixture f;
    uint8_t buf[4096] = {0};

    start(&f);
    test_outb(f.t, CMD2 + 7, 0xa1);
    g_assert_cmphex(wait_status(&f, CTL2), ==, 0x58);
    read_words(&f, CMD2, buf, 512);
    g_assert_cmphex(buf[0] | buf[1] << 8, ==, 0x85c0);
    test_outb(f.t, CMD2 + 7, 0xec); /* IDENTIFY DEVICE: no, and the signature */
    g_assert_cmphex(wait_status(&f, CTL2), ==, 0x41);
    g_assert_cmphex(test_inb(f.t, CMD2 + 5), ==, 0xeb);
    g_assert_cmphex(PACKET(&f, 0, false, 0), ==, 0x50); /* ready */
    PACKET(&f, 36, false, 0x12, 0, 0, 0, 36);
    g_assert_cmpint(take_data(&f, buf, 36), ==, 36);
    g_assert_cmphex(buf[0], ==, 5);
    PACKET(&f, 8, false, 0x25);
    g_assert_cmpint(take_data(&f, buf, 8), ==, 8);
    g_assert_cmpint(buf[2] << 8 | buf[3], ==, CD_SIZE / 2048 - 1);
    PACKET(&f, 0xfffe, false, 0x43, 0, 0, 0, 0, 0, 0, 1, 0);
    g_assert_cmpint(take_data(&f, buf, 0xfffe), ==, 20);
    PACKET(&f, 0xfffe, false, 0x5a, 0, 0x2a, 0, 0, 0, 0, 1, 0);
    g_assert_cmpint(take_data(&f, buf, 0xfffe), ==, 28);
    PACKET(&f, 0xfffe, false, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8);
    g_assert_cmpint(take_data(&f, buf, 0xfffe), ==, 8);
    g_assert_cmphex(buf[5], ==, 2);
    PACKET(&f, 0xfffe, false, 0x46, 0, 0, 0, 0, 0, 0, 1, 0);
    g_assert_cmpint(take_data(&f, buf, 0xfffe), ==, 40);
    stop(&f);
}

/* What a drive says of itself and of its disc: lengths, and refusals. */
static void test_cd_info(void)
{
    static const struct {
        uint8_t cdb[10];
        int length; /* -1: refused */
        uint8_t at, value;
    } rows[] = {
        {{0x12, 1, 0x00, 0, 255},              6,  5,  0x83}, /* INQUIRY: pages */
        {{0x12, 1, 0x83, 0, 255},              28, 7,  20  }, /* its name */
        {{0x12, 1, 0x84, 0, 255},              -1, 0,  0   },
        {{0x1a, 0, 0x01, 0, 255},              12, 4,  0x01}, /* MODE SENSE (6) */
        {{0x5a, 0, 0x3f, 0, 0, 0, 0, 1, 0},    52, 8,  0x01}, /* every page */
        {{0x5a, 0, 0x05, 0, 0, 0, 0, 1, 0},    -1, 0,  0   },
        {{0x43, 2, 0, 0, 0, 0, 0, 1, 0},       20, 10, 2   }, /* TOC in minutes: 00:02:00 */
        {{0x43, 0, 0, 0, 0, 0, 0xaa, 1, 0},    12, 6,  0xaa}, /* from the lead-out on */
        {{0x43, 0, 1, 0, 0, 0, 0, 1, 0},       12, 6,  1   }, /* sessions */
        {{0x43, 0, 2, 0, 0, 0, 0, 1, 0},       48, 7,  0xa0}, /* raw */
        {{0x43, 0, 0, 0, 0, 0, 0, 1, 0, 0x80}, 48, 7,  0xa0}, /* as SFF-8020 asked for it */
        {{0x43, 0, 5, 0, 0, 0, 0, 1, 0},       -1, 0,  0   },
        {{0x42, 2, 0x40, 1, 0, 0, 0, 1, 0},    4,  1,  0x15}, /* no audio */
        {{0x51, 0, 0, 0, 0, 0, 0, 1, 0},       34, 2,  0x0e}, /* disc: complete */
        {{0x51, 1, 0, 0, 0, 0, 0, 1, 0},       -1, 0,  0   },
        {{0xbd, 0, 0, 0, 0, 0, 0, 0, 1, 0},    8,  5,  1   }, /* mechanism: one slot */
        {{0x4a, 1, 0, 0, 0x02, 0, 0, 1, 0},    4,  2,  0x80}, /* events of another class */
        {{0x4a, 0, 0, 0, 0x10, 0, 0, 1, 0},    -1, 0,  0   },
        {{0x46, 2, 0, 3, 0, 0, 0, 1, 0},       -2, 7,  0x08}, /* one feature; a CD is in */
        {{0xad, 0, 0, 0, 0, 0, 0, 0xff, 1, 0}, 20, 4,  0x00}, /* structures of a DVD: the list */
        {{0xad, 0, 0, 0, 0, 0, 0, 0x00, 8, 4}, -1, 0,  0   }, /* but this is a CD */
        {{0xad, 1, 0, 0, 0, 0, 0, 0xff, 1, 0}, -1, 0,  0   },
        {{0x2b, 0, 0, 0, 0, 4},                0,  0,  0   }, /* SEEK */
        {{0x2b, 0, 1, 0, 0, 4},                -1, 0,  0   },
        {{0xbb, 0, 0xff, 0xff},                0,  0,  0   }, /* speed */
        {{0xbe, 0, 0, 0, 0, 0, 0, 0, 1, 0x00}, 0,  0,  0   }, /* READ CD of nothing */
        {{0xbe, 0, 0, 0, 0, 0, 0, 0, 1, 0x20}, -1, 0,  0   },
    };
    Fixture f;

    start(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint8_t buf[4096] = {0};
        uint8_t status = packet(&f, rows[i].cdb, sizeof(rows[i].cdb), 0xfffe, false);
        int length;

        g_test_message("command %02x, row %zu", rows[i].cdb[0], i);
        if (rows[i].length <= 0 && rows[i].length != -2) {
            g_assert_cmphex(status, ==, rows[i].length ? 0x41 : 0x50);
            continue;
        }
        g_assert_cmphex(status, ==, 0x58);
        length = (int)take_data(&f, buf, 0xfffe);
        if (rows[i].length > 0) {
            g_assert_cmpint(length, ==, rows[i].length);
        }
        g_assert_cmphex(buf[rows[i].at], ==, rows[i].value);
    }
    stop(&f);
}

static void test_cd_read(void)
{
    Fixture f;
    g_autofree uint8_t *buf = g_malloc(40 * 2352);

    start(&f);
    PACKET(&f, 2048, false, 0x28, 0, 0, 0, 0, 16, 0, 0, 3);
    g_assert_cmpint(take_data(&f, buf, 2048), ==, 3 * 2048);
    check_bytes(buf, 16 * 2048, 3 * 2048, 5);
    PACKET(&f, 0x1000 - 1, false, 0xa8, 0, 0, 0, 0, 1, 0, 0, 0, 40);
    g_assert_cmpint(take_data(&f, buf, 0xffe), ==, 40 * 2048);
    check_bytes(buf, 2048, 40 * 2048, 5);
    PACKET(&f, 0xfffe, false, 0xbe, 0, 0, 0, 0, 2, 0, 0, 1, 0xf8);
    g_assert_cmpint(take_data(&f, buf, 0xfffe), ==, 2352);
    g_assert_cmphex(buf[13], ==, 0x02); /* 00:02:02 */
    g_assert_cmphex(buf[14], ==, 0x02);
    check_bytes(buf + 16, 2 * 2048, 2048, 5);
    stop(&f);
}

static void test_cd_dma(void)
{
    Fixture f;
    uint8_t buf[70 * 2048];

    start(&f);
    put_prd(&f, 0, BUF, 0);
    put_prd(&f, 1, BUF + 0x10000, 0);
    put_prd(&f, 2, BUF + 0x20000, 0x80000000 | (sizeof(buf) - 0x20000));
    PACKET(&f, 0, true, 0x28, 0, 0, 0, 0, 4, 0, 0, 70);
    start_dma(&f, 1, true);
    g_assert_cmphex(wait_status(&f, CTL2), ==, 0x50);
    g_assert_cmphex(test_inb(f.t, CMD2 + 2), ==, 3);
    g_assert_cmphex(test_inb(f.t, BM + 10) & 7, ==, 4);
    address_space_read(&f.t->machine->address_space_memory, BUF, MEMTXATTRS_NONE, buf, sizeof(buf));
    check_bytes(buf, 4 * 2048, sizeof(buf), 5);
    stop(&f);
}

static void test_cd_errors(void)
{
    Fixture f;
    uint8_t buf[32];

    start(&f);
    g_assert_cmphex(PACKET(&f, 0, false, 0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff), ==, 0x41);
    g_assert_cmphex(test_inb(f.t, CMD2 + 1) >> 4, ==, 5);
    PACKET(&f, 18, false, 0x03, 0, 0, 0, 18);
    g_assert_cmpint(take_data(&f, buf, 18), ==, 18);
    g_assert_cmphex(buf[2], ==, 5);
    g_assert_cmphex(buf[12], ==, 0x21);
    g_assert_cmphex(PACKET(&f, 0, false, 0xff), ==, 0x41);
    g_assert_cmphex(PACKET(&f, 0, false, 0x12, 0, 0, 0, 36), ==, 0x41); /* no room for data */
    g_assert_cmphex(PACKET(&f, 0, false, 0x1e, 0, 0, 0, 1), ==, 0x50);
    g_assert_cmphex(PACKET(&f, 0, false, 0x1b, 0, 0, 0, 2), ==, 0x41); /* locked */
    g_assert_cmphex(PACKET(&f, 0, false, 0x1e), ==, 0x50);
    g_assert_cmphex(PACKET(&f, 0, false, 0x1b, 0, 0, 0, 2), ==, 0x50); /* eject */
    g_assert_cmphex(PACKET(&f, 0, false, 0x00), ==, 0x41);
    PACKET(&f, 18, false, 0x03, 0, 0, 0, 18);
    take_data(&f, buf, 18);
    g_assert_cmphex(buf[2] << 8 | buf[12], ==, 0x023a);
    g_assert_cmphex(PACKET(&f, 0, false, 0x1b, 0, 0, 0, 3), ==, 0x50); /* load */
    g_assert_cmphex(PACKET(&f, 0, false, 0x00), ==, 0x41);             /* unit attention, once */
    g_assert_cmphex(PACKET(&f, 0, false, 0x00), ==, 0x50);
    stop(&f);
}

static void test_cd_device_reset(void)
{
    Fixture f;

    start(&f);
    PACKET(&f, 2048, false, 0x28, 0, 0, 0, 0, 0, 0, 0, 9);
    test_outb(f.t, CMD2 + 7, 0x08);
    g_assert_cmphex(test_inb(f.t, CTL2), ==, 0);
    g_assert_cmphex(test_inb(f.t, CMD2 + 4), ==, 0x14);
    g_assert_cmphex(PACKET(&f, 0, false, 0), ==, 0x50);
    stop(&f);
}

/* ---- everything at once --------------------------------------------------------------------- */

static void test_poke(void)
{
    Fixture f;

    start(&f);
    put_prd(&f, 0, BUF, 0x80010000);
    for (int i = 0; i < 300; i++) {
        test_poke_ports(f.t, CMD, 8, 60);
        test_poke_ports(f.t, CMD2, 8, 60);
        test_poke_ports(f.t, BM, 16, 20);
        test_outb(f.t, CTL, (uint8_t)g_test_rand_int());
        test_outl(f.t, BM + 4, PRD);
        test_poll(f.t);
    }
    test_reset(f.t);
    test_poll(f.t);
    command28(&f, CMD, 0, 0, 0, 0xec);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x58);
    stop(&f);
}

/* ---- unplugging ----------------------------------------------------------------------- */

static void check_idle(Fixture *f)
{
    BlockStats stats;

    blk_get_stats(blk_by_id(f->t->machine, "hd"), &stats);
    g_assert_cmpuint(stats.in_flight, ==, 0);
}

/* Until the memory of dead objects is free: from then on a sanitizer sees who looks at it. */
static void await_rcu(void)
{
    gint freed = 0;

    vmm_call_rcu((void (*)(void *))g_atomic_int_inc, &freed);
    while (!g_atomic_int_get(&freed)) {
        g_usleep(1000);
    }
}

/* The controller goes while its disk reads: nothing of it may be touched when the data comes. */
static void test_unplug(void)
{
    Fixture f;
    GError *error = NULL;
    BlockBackend *blk;

    start(&f);
    command28(&f, CMD, 0, 5, 8, 0x20);
    object_unparent(OBJECT(f.ide));
    check_idle(&f);
    g_assert_cmphex(test_inb(f.t, CTL), ==, 0xff);
    await_rcu();
    test_poll(f.t);
    /* And its disks are free for another. */
    blk = blk_claim(f.t->machine, "hd", &f, &error);
    g_assert_no_error(error);
    blk_release(blk, &f);
    blk_unref(blk);
    stop(&f);
}

/* The same where the read fails, and where the VM was stopped to try it again. */
static void unplug_failing(bool stopped)
{
    Fixture f;
    char *rules = NULL;
    g_autofree char *driver = NULL;
    int fd = g_file_open_tmp("rules-XXXXXX", &rules, NULL);

    close(fd);
    g_assert_true(g_file_set_contents(rules, "[inject-error]\nevent = \"read_aio\"\n", -1, NULL));
    driver = g_strdup_printf("blkdebug:%s:", rules);
    start_on(&f, driver, stopped ? ",rerror=stop" : "");
    command28(&f, CMD, 0, 5, 8, 0x20);
    if (stopped) {
        blk_drain(blk_by_id(f.t->machine, "hd"));
        test_poll(f.t); /* completed, */
        test_poll(f.t); /* and the VM is to stop */
        g_assert_true(f.t->machine->io_error);
        g_assert_cmphex(test_inb(f.t, CTL) & 0x80, ==, 0x80);
    }
    object_unparent(OBJECT(f.ide));
    check_idle(&f);
    await_rcu();
    test_poll(f.t);
    test_poll(f.t);
    vm_stop(f.t->machine, RUN_STATE_IO_ERROR);
    vm_start(f.t->machine);
    stop(&f);
    g_unlink(rules);
    g_free(rules);
}

/* ---- errors of the disk's file, and what rerror= and werror= make of them -------------------- */

/* A disk whose file fails by `rules`. */
static void start_failing(Fixture *f, const char *rules_text, const char *extra)
{
    g_autofree char *rules = NULL, *driver = NULL;
    int fd = g_file_open_tmp("rules-XXXXXX", &rules, NULL);

    close(fd);
    g_assert_true(g_file_set_contents(rules, rules_text, -1, NULL));
    driver = g_strdup_printf("blkdebug:%s:", rules);
    start_on(f, driver, extra);
    g_unlink(rules);
}

#define FAIL_READS  "[inject-error]\nevent = \"read_aio\"\n"
#define FAIL_WRITES "[inject-error]\nevent = \"write_aio\"\n"

/* READ SECTORS: UNC, and where (ATA-4, 8.27). */
static void test_read_error(void)
{
    Fixture f;

    start_failing(&f, FAIL_READS, "");
    command28(&f, CMD, 0, 0x1234, 8, 0x20);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x41);
    g_assert_cmphex(test_inb(f.t, CMD + 1), ==, 0x40);
    g_assert_cmphex(test_inb(f.t, CMD + 3), ==, 0x34);
    g_assert_cmphex(test_inb(f.t, CMD + 4), ==, 0x12);
    put_prd(&f, 0, BUF, 0x80001000);
    command28(&f, CMD, 0, 0x20, 8, 0xc8);
    start_dma(&f, 0, true);
    g_assert_cmphex(wait_status(&f, CTL) & 0x89, ==, 0x01);
    g_assert_cmphex(test_inb(f.t, CMD + 1), ==, 0x40);
    g_assert_cmphex(test_inb(f.t, BM + 2) & 4, ==, 4); /* it interrupts, in the middle of a region */
    stop(&f);
}

static void test_write_error(void)
{
    Fixture f;

    start_failing(&f, FAIL_WRITES, ",werror=report");
    command28(&f, CMD, 0, 3, 1, 0x30);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x58);
    for (unsigned i = 0; i < 256; i++) {
        test_outw(f.t, CMD, 0);
    }
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x41);
    g_assert_cmphex(test_inb(f.t, CMD + 1), ==, 0x04);
    stop(&f);
}

/* Ignored: the sector that could not be read is taken for read. */
static void test_error_ignored(void)
{
    Fixture f;

    start_failing(&f, FAIL_READS, ",rerror=ignore");
    command28(&f, CMD, 0, 0x1234, 1, 0x20);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x58);
    stop(&f);
}

/* The VM stops; when it goes on, the read is done again, and succeeds. */
static void test_error_stops(void)
{
    Fixture f;
    uint8_t buf[512];

    start_failing(&f, FAIL_READS "once = \"on\"\n", ",rerror=stop");
    command28(&f, CMD, 0, 5, 1, 0x20);
    blk_drain(blk_by_id(f.t->machine, "hd"));
    test_poll(f.t);
    test_poll(f.t);
    g_assert_true(f.t->machine->io_error);
    g_assert_cmphex(test_inb(f.t, CTL) & 0x80, ==, 0x80);
    vm_stop(f.t->machine, RUN_STATE_IO_ERROR);
    vm_start(f.t->machine);
    g_assert_cmphex(wait_status(&f, CTL), ==, 0x58);
    read_words(&f, CMD, buf, sizeof(buf));
    check_bytes(buf, 5 * 512, sizeof(buf), 0);
    stop(&f);
}

/* ---- what a drive is given --------------------------------------------------------------------
 */

/* "name=value" texts, the list ends with NULL; the message, or NULL if it was made. */
static char *add_drive(Fixture *f, const char *type, const char *const *settings)
{
    DeviceState *dev = qdev_new(type, NULL);
    GError *error = NULL;
    char *message = NULL;

    object_add_child(f->t->machine->peripheral, "drive[*]", OBJECT(dev), NULL);
    for (; *settings; settings++) {
        g_auto(GStrv) pair = g_strsplit(*settings, "=", 2);

        g_assert_true(object_property_parse(OBJECT(dev), pair[0], pair[1], NULL));
    }
    if (!qdev_realize(dev, qdev_get_child_bus(DEVICE(f->ide), "ide.1"), &error)) {
        message = g_strdup(error->message);
        g_error_free(error);
        object_unparent(OBJECT(dev));
    }
    object_unref(dev);
    return message;
}

static void test_refusals(void)
{
    static const struct {
        const char *settings[4], *says;
    } rows[] = {
        {{NULL},                                           "needs drive=" },
        {{"drive=nothing", NULL},                          "drive=nothing"},
        {{"drive=empty", NULL},                            "has no medium"},
        {{"drive=spare", "logical_block_size=4096", NULL}, "512 bytes"    },
        {{"drive=spare", "physical_block_size=768", NULL}, "power of two" },
        {{"drive=spare", "serial=123456789012345678901"},  "serial"       },
        {{"drive=spare", "cyls=10", NULL},                 "heads=0"      },
        {{"drive=spare", "unit=2", NULL},                  "unit"         },
    };
    Fixture f;
    g_autofree char *spare = NULL, *name = make_image(512 * 1024, 1);

    start(&f);
    spare = g_strdup_printf("file=%s,if=none,id=spare,format=raw", name);
    pci_test_drive(f.p, spare);
    pci_test_drive(f.p, "if=none,id=empty");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *message = add_drive(&f, "ide-hd", rows[i].settings);

        g_assert_nonnull(message);
        g_test_message("%s", message);
        g_assert_nonnull(strstr(message, rows[i].says));
    }
    stop(&f);
    g_unlink(name);
}

/* What firmware takes from the CMOS: of the size, unless it is said. */
static void test_geometry(void)
{
    static const char *const said[] = {"drive=spare", "unit=1",  "cyls=100",
                                       "heads=5",     "secs=20", NULL};
    Fixture f;
    IDEGeometry g;
    g_autofree char *spare = NULL, *name = make_image(512 * 1024, 1);

    start(&f);
    g_assert_true(ide_get_geometry(f.ide, 0, 0, &g));
    g_assert_cmpint(g.cylinders, ==, SECTORS / (16 * 63));
    g_assert_cmpint(g.heads, ==, 16);
    g_assert_cmpint(g.sectors, ==, 63);
    g_assert_cmpint(g.translation, ==, IDE_TRANSLATION_NONE);
    g_assert_false(ide_get_geometry(f.ide, 0, 1, &g));
    g_assert_false(ide_get_geometry(f.ide, 1, 0, &g)); /* a CD drive has none */
    spare = g_strdup_printf("file=%s,if=none,id=spare,format=raw", name);
    pci_test_drive(f.p, spare);
    g_assert_null(add_drive(&f, "ide-hd", said));
    g_assert_true(ide_get_geometry(f.ide, 1, 1, &g));
    g_assert_cmpint(g.cylinders, ==, 100);
    g_assert_cmpint(g.heads, ==, 5);
    g_assert_cmpint(g.sectors, ==, 20);
    stop(&f);
    g_unlink(name);
}

/* From outside: a guest that holds on is asked, one that does not sees the tray move. */
static void test_cd_tray(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    BlockTarget cd = {"ide1-cd0", NULL};

    start(&f);
    g_assert_cmphex(PACKET(&f, 0, false, 0x1e, 0, 0, 0, 1), ==, 0x50); /* locked */
    g_assert_true(blk_media_open_tray(f.t->machine, cd, false, &error));
    g_assert_cmphex(PACKET(&f, 0, false, 0x00), ==, 0x50); /* asked only: the disc is there */
    g_assert_cmphex(PACKET(&f, 0, false, 0x1e), ==, 0x50);
    g_assert_true(blk_media_open_tray(f.t->machine, cd, false, &error));
    g_assert_cmphex(PACKET(&f, 0, false, 0x00), ==, 0x41); /* not ready */
    g_assert_true(blk_media_close_tray(f.t->machine, cd, &error));
    PACKET(&f, 0, false, 0x00); /* that it is there again */
    g_assert_cmphex(PACKET(&f, 0, false, 0x00), ==, 0x50);
    stop(&f);
}

static void test_unplug_failing(void)
{
    unplug_failing(false);
}

static void test_unplug_stopped(void)
{
    unplug_failing(true);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ide/signature", test_signature);
    g_test_add_func("/ide/identify", test_identify);
    g_test_add_func("/ide/read-pio", test_read_pio);
    g_test_add_func("/ide/addressing", test_addressing);
    g_test_add_func("/ide/multiple", test_multiple);
    g_test_add_func("/ide/write-pio", test_write_pio);
    g_test_add_func("/ide/range", test_range);
    g_test_add_func("/ide/read-dma", test_read_dma);
    g_test_add_func("/ide/write-dma", test_write_dma);
    g_test_add_func("/ide/dma-prds", test_dma_prds);
    g_test_add_func("/ide/dma-cancel", test_dma_cancel);
    g_test_add_func("/ide/dma-no-master", test_dma_no_master);
    g_test_add_func("/ide/trim", test_trim);
    g_test_add_func("/ide/read-only", test_read_only);
    g_test_add_func("/ide/features", test_features);
    g_test_add_func("/ide/smart", test_smart);
    g_test_add_func("/ide/interrupt-mask", test_interrupt_mask);
    g_test_add_func("/ide/cd-basic", test_cd_basic);
    g_test_add_func("/ide/cd-info", test_cd_info);
    g_test_add_func("/ide/cd-read", test_cd_read);
    g_test_add_func("/ide/cd-dma", test_cd_dma);
    g_test_add_func("/ide/cd-errors", test_cd_errors);
    g_test_add_func("/ide/cd-device-reset", test_cd_device_reset);
    g_test_add_func("/ide/read-error", test_read_error);
    g_test_add_func("/ide/write-error", test_write_error);
    g_test_add_func("/ide/error-ignored", test_error_ignored);
    g_test_add_func("/ide/error-stops", test_error_stops);
    g_test_add_func("/ide/refusals", test_refusals);
    g_test_add_func("/ide/geometry", test_geometry);
    g_test_add_func("/ide/cd-tray", test_cd_tray);
    g_test_add_func("/ide/unplug", test_unplug);
    g_test_add_func("/ide/unplug-failing", test_unplug_failing);
    g_test_add_func("/ide/unplug-stopped", test_unplug_stopped);
    g_test_add_func("/ide/poke", test_poke);
    return g_test_run();
}
