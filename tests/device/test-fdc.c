/* SPDX-License-Identifier: MIT
 *
 * A floppy disk controller with its drives: resets, seeks, transfers through DMA and the FIFO,
 * formatting, the change line, errors, and commands that a hostile guest would send.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include "hw/block/fdc.h"
#include "hw/isa/i8257.h"
#include "pci-test.h"
#include "system/block/block.h"

#define BASE    0x3f0
#define DOR     (BASE + 2)
#define MSR     (BASE + 4)
#define FIFO    (BASE + 5)
#define DIR     (BASE + 7)
#define IRQ     6
#define BUF     0x10000u
#define SECTORS 2880

typedef struct Fixture {
    PCITest *p;
    DeviceTest *t;
    ISADevice *fdc;
    char *disk;
    uint8_t result[16];
    unsigned results;
} Fixture;

static uint8_t image_byte(size_t i)
{
    return (uint8_t)(i / 512 + i * 5);
}

static char *make_image(size_t sectors)
{
    char *name = NULL;
    g_autofree uint8_t *data = g_malloc(sectors * 512);
    int fd = g_file_open_tmp("floppy-XXXXXX", &name, NULL);

    for (size_t i = 0; i < sectors * 512; i++) {
        data[i] = image_byte(i);
    }
    g_assert_cmpint(write(fd, data, sectors * 512), ==, (ssize_t)(sectors * 512));
    close(fd);
    return name;
}

static void start_with(Fixture *f, size_t sectors, const char *extra)
{
    GError *error = NULL;
    g_autofree char *drive = NULL;

    *f = (Fixture){.p = pci_test_new()};
    f->t = f->p->t;
    if (sectors) {
        f->disk = make_image(sectors);
        drive = g_strdup_printf("file=%s,if=floppy,format=raw%s", f->disk, extra);
        pci_test_drive(f->p, drive);
    }
    for (int i = 0; i < 16; i++) {
        irq_unref(f->p->isa->irqs[i]);
        f->p->isa->irqs[i] = irq_ref(f->p->gsi.irqs[i]);
    }
    i8257_create_pair(f->p->isa, &error);
    g_assert_no_error(error);
    f->fdc = fdc_create(f->p->isa, true, &error);
    g_assert_no_error(error);
    test_reset(f->t);
}

static void start(Fixture *f)
{
    start_with(f, SECTORS, "");
    test_outb(f->t, DOR, 0x1c);
}

static void stop(Fixture *f)
{
    pci_test_free(f->p);
    if (f->disk) {
        g_unlink(f->disk);
        g_free(f->disk);
    }
}

/* ---- commands ------------------------------------------------------------------------------- */

static void send(Fixture *f, const uint8_t *bytes, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        g_assert_cmphex(test_inb(f->t, MSR) & 0xc0, ==, 0x80);
        test_outb(f->t, FIFO, bytes[i]);
    }
}
#define SEND(f, ...) send(f, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void wait_msr(Fixture *f, uint8_t mask, uint8_t value)
{
    for (int i = 0; i < 20000; i++) {
        if ((test_inb(f->t, MSR) & mask) == value) {
            return;
        }
        test_clock_step(f->t, 1000000);
        test_poll(f->t);
        g_usleep(100);
    }
    g_assert_not_reached();
}

static void take_result(Fixture *f)
{
    wait_msr(f, 0xd0, 0xd0);
    for (f->results = 0; test_inb(f->t, MSR) == 0xd0; f->results++) {
        g_assert_cmpint(f->results, <, 16);
        f->result[f->results] = test_inb(f->t, FIFO);
    }
    g_assert_cmphex(test_inb(f->t, MSR), ==, 0x80);
}

static void expect(Fixture *f, const uint8_t *bytes, unsigned n)
{
    take_result(f);
    g_assert_cmpmem(f->result, f->results, bytes, n);
}
#define EXPECT(f, ...)                                                                             \
    expect(f, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void program_dma(Fixture *f, uint8_t mode, unsigned len)
{
    test_outb(f->t, 0x0a, 6);
    test_outb(f->t, 0x0c, 0);
    test_outb(f->t, 0x0b, mode);
    test_outb(f->t, 0x04, (uint8_t)BUF);
    test_outb(f->t, 0x04, (uint8_t)(BUF >> 8));
    test_outb(f->t, 0x81, (uint8_t)(BUF >> 16));
    test_outb(f->t, 0x05, (uint8_t)(len - 1));
    test_outb(f->t, 0x05, (uint8_t)((len - 1) >> 8));
    test_outb(f->t, 0x0a, 2);
}

static void transfer(Fixture *f, uint8_t command, uint8_t unit_head, uint8_t cyl, uint8_t sector,
                     uint8_t eot)
{
    SEND(f, command, unit_head, cyl, (uint8_t)(unit_head >> 2), sector, 2, eot, 0x1b, 0xff);
}

static size_t sector_offset(unsigned cyl, unsigned head, unsigned sector)
{
    return ((cyl * 2 + head) * 18 + sector - 1) * 512;
}

static void check_memory(Fixture *f, size_t offset, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        g_assert_cmphex(test_read(f->t, BUF + i, 1), ==, image_byte(offset + i));
    }
}

static void check_file(Fixture *f, size_t offset, const uint8_t *bytes, size_t len)
{
    g_autofree uint8_t *got = g_malloc(len);
    int fd = open(f->disk, O_RDONLY);

    g_assert_cmpint(pread(fd, got, len, (off_t)offset), ==, (ssize_t)len);
    close(fd);
    g_assert_cmpmem(got, len, bytes, len);
}

/* ---- resets, identification ------------------------------------------------------------------ */

static void test_reset_senses(void)
{
    Fixture f;

    start(&f);
    SEND(&f, 0x08);
    EXPECT(&f, 0x80); /* nothing to tell */
    test_outb(f.t, DOR, 0);
    g_assert_cmphex(test_inb(f.t, MSR), ==, 0);
    test_outb(f.t, DOR, 0x0c);
    g_assert_cmpint(f.p->gsi.level[IRQ], ==, 1);
    for (uint8_t i = 0; i < 4; i++) {
        SEND(&f, 0x08);
        g_assert_cmpint(f.p->gsi.level[IRQ], ==, 0);
        EXPECT(&f, 0xc0 | i, 0);
    }
    SEND(&f, 0x08);
    EXPECT(&f, 0x80);
    test_outb(f.t, MSR, 0x80); /* the other way: DSR */
    g_assert_cmpint(f.p->gsi.level[IRQ], ==, 1);
    SEND(&f, 0x08);
    EXPECT(&f, 0xc0, 0);
    stop(&f);
}

static void test_settings(void)
{
    Fixture f;

    start(&f);
    SEND(&f, 0x10);
    EXPECT(&f, 0x90);
    SEND(&f, 0x18);
    EXPECT(&f, 0x41);
    SEND(&f, 0x1f); /* no such command */
    EXPECT(&f, 0x80);
    SEND(&f, 0x03, 0xdf, 0x02);
    SEND(&f, 0x13, 0x00, 0x57, 0x11);
    SEND(&f, 0x12, 0x84);
    SEND(&f, 0x94);
    EXPECT(&f, 0x10);
    SEND(&f, 0x0e);
    EXPECT(&f, 0, 0, 0, 0, 0xdf, 0x02, 18, 0x84, 0x57, 0x11);
    test_outb(f.t, DOR, 0); /* what is locked survives */
    test_outb(f.t, DOR, 0x0c);
    SEND(&f, 0x0e);
    take_result(&f);
    g_assert_cmphex(f.result[8], ==, 0x57);
    SEND(&f, 0x14);
    EXPECT(&f, 0);
    test_outb(f.t, DOR, 0);
    test_outb(f.t, DOR, 0x0c);
    SEND(&f, 0x0e);
    take_result(&f);
    g_assert_cmphex(f.result[8], ==, 0x60);
    SEND(&f, 0x2e);
    take_result(&f);
    g_assert_cmpint(f.results, ==, 15);
    stop(&f);
}

/* ---- heads -------------------------------------------------------------------------------------- */

static void test_seek(void)
{
    Fixture f;

    start(&f);
    g_assert_cmphex(test_inb(f.t, DIR), ==, 0x80);
    SEND(&f, 0x0f, 0, 8);
    g_assert_cmpint(f.p->gsi.level[IRQ], ==, 1);
    SEND(&f, 0x08);
    EXPECT(&f, 0x20, 8);
    g_assert_cmpint(f.p->gsi.level[IRQ], ==, 0);
    g_assert_cmphex(test_inb(f.t, DIR), ==, 0); /* a step with a disk in */
    SEND(&f, 0x8f, 0, 5);
    SEND(&f, 0x08);
    EXPECT(&f, 0x20, 3);
    SEND(&f, 0xcf, 0, 4);
    SEND(&f, 0x08);
    EXPECT(&f, 0x20, 7);
    SEND(&f, 0x04, 0);
    EXPECT(&f, 0x28);
    SEND(&f, 0x07, 0);
    SEND(&f, 0x08);
    EXPECT(&f, 0x20, 0);
    SEND(&f, 0x04, 4);
    EXPECT(&f, 0x3c);
    SEND(&f, 0x07, 1); /* no drive: track 0 is not found */
    SEND(&f, 0x08);
    EXPECT(&f, 0x71, 0);
    stop(&f);
}

static void test_read_id(void)
{
    Fixture f;

    start(&f);
    SEND(&f, 0x0f, 4, 8);
    SEND(&f, 0x08);
    take_result(&f);
    SEND(&f, 0x4a, 4);
    g_assert_cmpint(f.p->gsi.level[IRQ], ==, 0); /* it has not come by yet */
    EXPECT(&f, 0x04, 0, 0, 8, 1, 1, 2);
    SEND(&f, 0x4a, 1);
    EXPECT(&f, 0x41, 1, 0, 0, 0, 1, 2);
    stop(&f);
}

/* ---- transfers ----------------------------------------------------------------------------------- */

static void test_read_dma(void)
{
    Fixture f;

    start(&f);
    program_dma(&f, 0x46, 512);
    transfer(&f, 0x46, 0, 2, 3, 18);
    EXPECT(&f, 0x20, 0, 0, 2, 0, 4, 2);
    check_memory(&f, sector_offset(2, 0, 3), 512);
    program_dma(&f, 0x46, 36 * 512); /* both sides, to the end */
    transfer(&f, 0xe6, 0, 2, 1, 18);
    EXPECT(&f, 0x04 & 0, 0, 0, 3, 0, 1, 2);
    check_memory(&f, sector_offset(2, 0, 1), 36 * 512);
    program_dma(&f, 0x46, 18 * 512);
    transfer(&f, 0xe6, 0, 2, 1, 18);
    EXPECT(&f, 0x04, 0, 0, 2, 1, 1, 2);
    g_assert_cmphex(test_inb(f.t, 8) & 4, ==, 4); /* terminal count */
    stop(&f);
}

static void test_write_dma(void)
{
    Fixture f;
    uint8_t bytes[1024];

    start(&f);
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 7 + 1);
        test_write(f.t, BUF + i, bytes[i], 1);
    }
    program_dma(&f, 0x4a, sizeof(bytes));
    transfer(&f, 0xc5, 4, 0, 18, 18);
    EXPECT(&f, 0x00, 0, 0, 1, 0, 1, 2); /* one sector is all that there is to the end */
    check_file(&f, sector_offset(0, 1, 18), bytes, 512);
    program_dma(&f, 0x4a, sizeof(bytes));
    transfer(&f, 0x45, 0, 5, 5, 18);
    EXPECT(&f, 0x20, 0, 0, 5, 0, 7, 2);
    check_file(&f, sector_offset(5, 0, 5), bytes, 1024);
    program_dma(&f, 0x42, 1024);
    transfer(&f, 0x56, 0, 5, 5, 18); /* verify moves nothing */
    take_result(&f);
    g_assert_cmphex(f.result[0] & 0xc0, ==, 0);
    stop(&f);
}

static void test_fifo(void)
{
    Fixture f;
    uint8_t bytes[512];

    start(&f);
    SEND(&f, 0x03, 0xdf, 0x03); /* not through DMA */
    transfer(&f, 0xe6, 0, 0, 1, 18);
    wait_msr(&f, 0xff, 0xf0);
    g_assert_cmpint(f.p->gsi.level[IRQ], ==, 1);
    for (size_t i = 0; i < 36 * 512; i++) {
        g_assert_cmphex(test_inb(f.t, MSR), ==, 0xf0);
        g_assert_cmphex(test_inb(f.t, FIFO), ==, image_byte(i));
    }
    EXPECT(&f, 0x04, 0, 0, 0, 1, 18, 2);
    transfer(&f, 0x45, 0, 0, 7, 7);
    wait_msr(&f, 0xff, 0xb0);
    for (size_t i = 0; i < 512; i++) {
        bytes[i] = (uint8_t)(255 - i);
        test_outb(f.t, FIFO, bytes[i]);
    }
    EXPECT(&f, 0x00, 0, 0, 0, 0, 7, 2);
    check_file(&f, sector_offset(0, 0, 7), bytes, 512);
    transfer(&f, 0x51, 0, 0, 7, 7); /* scan: what was written */
    wait_msr(&f, 0xff, 0xb0);
    for (size_t i = 0; i < 512; i++) {
        test_outb(f.t, FIFO, bytes[i]);
    }
    take_result(&f);
    g_assert_cmphex(f.result[2], ==, 0x08);
    stop(&f);
}

static void test_format(void)
{
    Fixture f;
    uint8_t bytes[18 * 512];

    start(&f);
    memset(bytes, 0xf6, sizeof(bytes));
    SEND(&f, 0x0f, 4, 9);
    SEND(&f, 0x08);
    take_result(&f);
    program_dma(&f, 0x4a, 18 * 4);
    SEND(&f, 0x4d, 4, 2, 18, 0x54, 0xf6);
    take_result(&f);
    g_assert_cmphex(f.result[0], ==, 0x04);
    check_file(&f, sector_offset(9, 1, 1), bytes, sizeof(bytes));
    SEND(&f, 0x4d, 4, 2, 19, 0x54, 0xf6); /* more than the disk has */
    take_result(&f);
    g_assert_cmphex(f.result[0] & 0xc0, ==, 0x40);
    stop(&f);
}

static void test_errors(void)
{
    Fixture f;

    start(&f);
    transfer(&f, 0x46, 0, 80, 1, 18);
    take_result(&f);
    g_assert_cmphex(f.result[0] & 0xc0, ==, 0x40);
    g_assert_cmphex(f.result[1], ==, 0x04);
    transfer(&f, 0x46, 0, 0, 19, 19);
    take_result(&f);
    g_assert_cmphex(f.result[1], ==, 0x04);
    transfer(&f, 0x46, 1, 0, 1, 18); /* no drive */
    take_result(&f);
    g_assert_cmphex(f.result[0] & 0xc3, ==, 0x41);
    g_assert_cmphex(f.result[1], ==, 0x01);
    stop(&f);

    start_with(&f, SECTORS, ",readonly=on");
    transfer(&f, 0x45, 0, 0, 1, 1);
    take_result(&f);
    g_assert_cmphex(f.result[1], ==, 0x02);
    SEND(&f, 0x04, 0);
    take_result(&f);
    g_assert_cmphex(f.result[0] & 0x40, ==, 0x40);
    stop(&f);
}

/* ---- drives and media --------------------------------------------------------------------------- */

static void test_formats(void)
{
    static const struct {
        size_t sectors;
        uint8_t cmos, last;
    } cases[] = {
        {2880, 0x40, 18},
        {5760, 0x50, 36},
        {1440, 0x40, 9 },
        {2400, 0x20, 15},
        {720,  0x20, 9 },
        {3360, 0x40, 21},
        {100,  0x40, 18}, /* the beginning of one */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Fixture f;

        start_with(&f, cases[i].sectors, "");
        g_assert_cmphex(fdc_cmos_types(f.fdc), ==, cases[i].cmos);
        program_dma(&f, 0x46, 512);
        transfer(&f, 0x46, 0, 0, cases[i].last, cases[i].last);
        take_result(&f);
        g_assert_cmphex(f.result[0], ==, 0);
        check_memory(&f, (cases[i].last - 1u) * 512, 512);
        transfer(&f, 0x46, 0, 0, cases[i].last + 1, cases[i].last + 1);
        take_result(&f);
        g_assert_cmphex(f.result[1], ==, 0x04);
        stop(&f);
    }
}

static void test_change(void)
{
    Fixture f;
    BlockBackend *blk;
    GError *error = NULL;
    g_autofree char *other = make_image(1440);

    start(&f);
    blk = blk_by_id(f.t->machine, "floppy0");
    SEND(&f, 0x0f, 0, 1);
    SEND(&f, 0x08);
    take_result(&f);
    g_assert_cmphex(test_inb(f.t, DIR), ==, 0);
    blk_close(blk);
    g_assert_cmphex(test_inb(f.t, DIR), ==, 0x80);
    SEND(&f, 0x0f, 0, 2); /* of no use without a disk */
    SEND(&f, 0x08);
    take_result(&f);
    g_assert_cmphex(test_inb(f.t, DIR), ==, 0x80);
    transfer(&f, 0x46, 0, 2, 1, 18);
    take_result(&f);
    g_assert_cmphex(f.result[0], ==, 0x40);
    blk_open(blk, other, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmphex(test_inb(f.t, DIR), ==, 0x80);
    SEND(&f, 0x0f, 0, 0);
    SEND(&f, 0x08);
    take_result(&f);
    g_assert_cmphex(test_inb(f.t, DIR), ==, 0);
    transfer(&f, 0x46, 0, 0, 10, 10); /* nine sectors now */
    take_result(&f);
    g_assert_cmphex(f.result[1], ==, 0x04);
    g_unlink(other);
    stop(&f);
}

static void test_empty(void)
{
    Fixture f;

    start_with(&f, 0, "");
    g_assert_cmphex(fdc_cmos_types(f.fdc), ==, 0x50);
    g_assert_cmphex(test_inb(f.t, DIR), ==, 0x80);
    SEND(&f, 0x4a, 0);
    take_result(&f);
    g_assert_cmphex(f.result[0], ==, 0x40);
    stop(&f);
}

/* A reset in the middle drops what was under way. */
static void test_abort(void)
{
    Fixture f;

    start(&f);
    program_dma(&f, 0x46, 512);
    test_write(f.t, BUF, 0, 4);
    transfer(&f, 0x46, 0, 2, 3, 18);
    test_outb(f.t, DOR, 0);
    test_outb(f.t, DOR, 0x0c);
    blk_drain(blk_by_id(f.t->machine, "floppy0"));
    test_poll(f.t);
    g_assert_cmphex(test_read(f.t, BUF, 4), ==, 0);
    for (int i = 0; i < 4; i++) {
        SEND(&f, 0x08);
        take_result(&f);
    }
    program_dma(&f, 0x46, 512);
    transfer(&f, 0x46, 0, 2, 3, 18);
    take_result(&f);
    check_memory(&f, sector_offset(2, 0, 3), 512);
    stop(&f);
}

static void test_hostile(void)
{
    Fixture f;
    GRand *rand = g_rand_new_with_seed(3);

    start(&f);
    test_poke_ports(f.t, BASE, 6, 4000);
    for (int i = 0; i < 4000; i++) {
        test_outb(f.t, FIFO, (uint8_t)g_rand_int(rand));
        if (i % 16 == 0) {
            program_dma(&f, (uint8_t)(g_rand_int(rand) | 2), 1 + (g_rand_int(rand) & 0x7fff));
            test_poll(f.t);
        }
        if (i % 100 == 0) {
            test_outb(f.t, DOR, 0x10);
            test_outb(f.t, DOR, 0x1c);
        }
        while (test_inb(f.t, MSR) == 0xd0) {
            test_inb(f.t, FIFO);
        }
    }
    g_rand_free(rand);
    stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fdc/reset", test_reset_senses);
    g_test_add_func("/fdc/settings", test_settings);
    g_test_add_func("/fdc/seek", test_seek);
    g_test_add_func("/fdc/read-id", test_read_id);
    g_test_add_func("/fdc/read-dma", test_read_dma);
    g_test_add_func("/fdc/write-dma", test_write_dma);
    g_test_add_func("/fdc/fifo", test_fifo);
    g_test_add_func("/fdc/format", test_format);
    g_test_add_func("/fdc/errors", test_errors);
    g_test_add_func("/fdc/formats", test_formats);
    g_test_add_func("/fdc/change", test_change);
    g_test_add_func("/fdc/empty", test_empty);
    g_test_add_func("/fdc/abort", test_abort);
    g_test_add_func("/fdc/hostile", test_hostile);
    return g_test_run();
}
