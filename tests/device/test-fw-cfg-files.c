/* SPDX-License-Identifier: MIT
 *
 * What a guest sets up by writing a file of fw_cfg, or learns from one: ramfb, vmcoreinfo, pvpanic.
 */
#include <string.h>
#include "hw/acpi/acpi-dev-aml.h"
#include "hw/nvram/fw_cfg.h"
#include "pci-test.h"
#include "system/display/console.h"

#define PORT_DMA   0x514
#define DESCRIPTOR 0x1000
#define BUFFER     0x2000
#define PICTURE    0x100000u

#define FOURCC(a, b, c, d) ((uint32_t)(a) | (b) << 8 | (c) << 16 | (uint32_t)(d) << 24)

typedef struct Fixture {
    PCITest *p;
    DeviceTest *t;
    FWCfgState *fw_cfg;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    f->p = pci_test_new();
    f->t = f->p->t;
    f->fw_cfg = fw_cfg_from_device(device_test_add(f->t, TYPE_FW_CFG_IO));
    f->t->machine->fw_cfg = f->fw_cfg;
}

static void tear_down(Fixture *f, gconstpointer data)
{
    pci_test_free(f->p);
}

static uint32_t run_dma(Fixture *f, uint32_t control, uint32_t length, uint64_t addr)
{
    test_write(f->t, DESCRIPTOR, GUINT32_TO_BE(control), 4);
    test_write(f->t, DESCRIPTOR + 4, GUINT32_TO_BE(length), 4);
    test_write(f->t, DESCRIPTOR + 8, GUINT64_TO_BE(addr), 8);
    test_outl(f->t, PORT_DMA + 4, GUINT32_TO_BE(DESCRIPTOR));
    return GUINT32_FROM_BE((uint32_t)test_read(f->t, DESCRIPTOR, 4));
}

/* The key of a file; it must be in the directory. */
static uint32_t find_file(Fixture *f, const char *name)
{
    g_assert_cmphex(run_dma(f, FW_CFG_FILE_DIR << 16 | 8 | 2, 4, BUFFER), ==, 0);
    uint32_t count = GUINT32_FROM_BE((uint32_t)test_read(f->t, BUFFER, 4));

    while (count--) {
        char found[57] = "";

        g_assert_cmphex(run_dma(f, 2, 64, BUFFER), ==, 0);
        for (unsigned i = 0; i < 56; i++) {
            found[i] = (char)test_read(f->t, BUFFER + 8 + i, 1);
        }
        if (strcmp(found, name) == 0) {
            return GUINT16_FROM_BE((uint16_t)test_read(f->t, BUFFER + 4, 2));
        }
    }
    g_assert_not_reached();
}

static uint32_t write_file(Fixture *f, const char *name, const void *bytes, uint32_t size)
{
    uint32_t key = find_file(f, name);

    address_space_write(&f->t->machine->address_space_memory, BUFFER, MEMTXATTRS_NONE, bytes, size);
    return run_dma(f, key << 16 | 8 | 16, size, BUFFER);
}

/* ---- ramfb ---------------------------------------------------------------------------------- */

static void configure(Fixture *f, uint64_t addr, uint32_t fourcc, uint32_t width, uint32_t height,
                      uint32_t stride)
{
    struct {
        uint64_t addr;
        uint32_t fourcc, flags, width, height, stride;
    } __attribute__((packed)) c = {
        GUINT64_TO_BE(addr),  GUINT32_TO_BE(fourcc), 0,
        GUINT32_TO_BE(width), GUINT32_TO_BE(height), GUINT32_TO_BE(stride),
    };

    g_assert_cmphex(write_file(f, "etc/ramfb", &c, sizeof(c)), ==, 0);
}

static void expect_picture(Console *console, int width, int height, unsigned x, unsigned y,
                           uint32_t pixel)
{
    g_autoptr(DisplaySurface) s = console_snapshot(console);

    g_assert_cmpint(s->width, ==, width);
    g_assert_cmpint(s->height, ==, height);
    g_assert_cmphex(s->pixels[(unsigned)width * y + x], ==, pixel);
}

static void test_ramfb(Fixture *f, gconstpointer data)
{
    DeviceState *dev = device_test_add(f->t, "ramfb");
    Console *console = console_by_device(f->t->machine, dev, 0);

    g_assert_nonnull(console);
    configure(f, PICTURE, FOURCC('X', 'R', '2', '4'), 64, 32, 0);
    test_write(f->t, PICTURE + 4 * (64 * 3 + 5), 0x00123456, 4);
    expect_picture(console, 64, 32, 5, 3, 0x123456);
    /* Lines further apart than they are long; 24 bits, then 16. */
    configure(f, PICTURE, FOURCC('R', 'G', '2', '4'), 40, 20, 128);
    test_write(f->t, PICTURE + 128 * 7 + 3 * 2, 0xaabbcc, 4);
    expect_picture(console, 40, 20, 2, 7, 0xaabbcc);
    configure(f, PICTURE, FOURCC('R', 'G', '1', '6'), 16, 16, 0);
    test_write(f->t, PICTURE + 2 * (16 + 1), 0xf81f, 2);
    expect_picture(console, 16, 16, 1, 1, 0xff00ff);
}

/* What cannot be shown is no picture: the last one stays, and nothing is read. */
static void test_ramfb_refusals(Fixture *f, gconstpointer data)
{
    static const struct {
        uint64_t addr;
        uint32_t fourcc, width, height, stride;
    } bad[] = {
        {PICTURE,             FOURCC('A', 'B', 'C', 'D'), 64,         64,         0         },
        {PICTURE,             FOURCC('X', 'R', '2', '4'), 15,         64,         0         },
        {PICTURE,             FOURCC('X', 'R', '2', '4'), 64,         15,         0         },
        {PICTURE,             FOURCC('X', 'R', '2', '4'), UINT32_MAX, UINT32_MAX, 0         },
        {PICTURE,             FOURCC('X', 'R', '2', '4'), 64,         64,         255       },
        {PCI_TEST_RAM - 4096, FOURCC('X', 'R', '2', '4'), 64,         64,         0         }, /* beyond memory */
        {UINT64_MAX - 16,     FOURCC('X', 'R', '2', '4'), 64,         64,         UINT32_MAX},
    };
    DeviceState *dev = device_test_add(f->t, "ramfb");
    Console *console = console_by_device(f->t->machine, dev, 0);

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        configure(f, PICTURE, FOURCC('X', 'R', '2', '4'), 32, 16, 0);
        test_write(f->t, PICTURE, 0x00abcdef, 4);
        expect_picture(console, 32, 16, 0, 0, 0xabcdef);
        configure(f, bad[i].addr, bad[i].fourcc, bad[i].width, bad[i].height, bad[i].stride);
        test_write(f->t, PICTURE, 0x00111111, 4);
        expect_picture(console, 32, 16, 0, 0, 0xabcdef);
    }
    configure(f, PICTURE, FOURCC('X', 'R', '2', '4'), 32, 16, 0);
    test_reset(f->t);
    test_write(f->t, PICTURE, 0x00222222, 4);
    expect_picture(console, 32, 16, 0, 0, 0xabcdef);
}

static void test_ramfb_alone(void)
{
    g_autoptr(DeviceTest) t = device_test_new();
    g_autoptr(GError) error = NULL;
    DeviceState *dev = qdev_new("ramfb", NULL);

    object_add_child(t->machine->unattached, "ramfb", OBJECT(dev), NULL);
    g_assert_false(qdev_realize_and_unref(dev, NULL, &error));
    g_assert_nonnull(strstr(error->message, "fw_cfg"));
}

/* ---- vmcoreinfo ----------------------------------------------------------------------------- */

static void test_vmcoreinfo(Fixture *f, gconstpointer data)
{
    struct {
        uint16_t host, guest;
        uint32_t size;
        uint64_t addr;
    } note = {GUINT16_TO_LE(1), GUINT16_TO_LE(1), GUINT32_TO_LE(0x123),
              GUINT64_TO_LE(0x456789abcull)};
    uint8_t too_long[sizeof(note) + 1] = {0};
    DeviceState *dev = device_test_add(f->t, "vmcoreinfo");

    test_reset(f->t);
    /* The host takes ELF; the guest has left nothing. */
    g_assert_cmphex(run_dma(f, find_file(f, "etc/vmcoreinfo") << 16 | 8 | 2, 16, BUFFER), ==, 0);
    g_assert_cmphex(test_read(f->t, BUFFER, 8), ==, 1);
    g_assert_cmphex(test_read(f->t, BUFFER + 8, 8), ==, 0);
    g_assert_cmpuint(object_property_get_uint(OBJECT(dev), "note-size", NULL), ==, 0);
    g_assert_cmphex(write_file(f, "etc/vmcoreinfo", &note, sizeof(note)), ==, 0);
    g_assert_cmphex(object_property_get_uint(OBJECT(dev), "note-size", NULL), ==, 0x123);
    g_assert_cmphex(object_property_get_uint(OBJECT(dev), "note-address", NULL), ==, 0x456789abc);
    note.guest = 0; /* it has none any more */
    g_assert_cmphex(write_file(f, "etc/vmcoreinfo", &note, sizeof(note)), ==, 0);
    g_assert_cmphex(object_property_get_uint(OBJECT(dev), "note-size", NULL), ==, 0);
    memcpy(too_long, &note, sizeof(note));
    g_assert_cmphex(write_file(f, "etc/vmcoreinfo", too_long, sizeof(too_long)), ==, 1);
    test_reset(f->t);
    g_assert_cmphex(object_property_get_uint(OBJECT(dev), "note-address", NULL), ==, 0);
    g_assert_cmphex(run_dma(f, find_file(f, "etc/vmcoreinfo") << 16 | 8 | 2, 16, BUFFER), ==, 0);
    g_assert_cmphex(test_read(f->t, BUFFER, 8), ==, 1);
}

/* ---- pvpanic -------------------------------------------------------------------------------- */

static bool contains(const GByteArray *bytes, const char *text)
{
    return memmem(bytes->data, bytes->len, text, strlen(text));
}

static void test_pvpanic(Fixture *f, gconstpointer data)
{
    DeviceState *dev = device_test_add_with(f->t, "pvpanic", "ioport=0x515", NULL);
    Aml *aml = aml_new();

    g_assert_cmphex(run_dma(f, find_file(f, "etc/pvpanic-port") << 16 | 8 | 2, 2, BUFFER), ==, 0);
    g_assert_cmphex(test_read(f->t, BUFFER, 2), ==, 0x515);
    g_assert_cmphex(test_inb(f->t, 0x515), ==, 3);
    acpi_dev_aml_class(OBJECT(dev))->build_dev_aml(OBJECT(dev), aml);
    g_autoptr(GByteArray) bytes = aml_free(aml);
    g_assert_true(contains(bytes, "PEVT"));
    g_assert_true(contains(bytes, "QEMU0001"));
    g_assert_true(contains(bytes, "PEOR"));
    g_assert_true(contains(bytes, "RDPT"));
    g_assert_true(contains(bytes, "\x47\x01\x15\x05\x15\x05\x01\x01")); /* _CRS: that port */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, fn) g_test_add("/fw-cfg-files/" path, Fixture, NULL, set_up, fn, tear_down)
    ADD("ramfb/pictures", test_ramfb);
    ADD("ramfb/refusals", test_ramfb_refusals);
    g_test_add_func("/fw-cfg-files/ramfb/alone", test_ramfb_alone);
    ADD("vmcoreinfo", test_vmcoreinfo);
    ADD("pvpanic", test_pvpanic);
    return g_test_run();
}
