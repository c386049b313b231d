/* SPDX-License-Identifier: MIT
 *
 * Flash with the Intel command set: modes, programming, erasing, buffers, locks, the image behind
 * it.
 */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include "device-test.h"
#include "hw/block/pflash_cfi01.h"
#include "system/block/block.h"

#define BASE   0xffc00000u
#define BLOCK  4096u
#define BLOCKS 12u
#define SIZE   (BLOCK * BLOCKS)

typedef struct Fixture {
    DeviceTest *t;
    DeviceState *dev;
    char *image;
} Fixture;

static void put(Fixture *f, uint32_t offset, unsigned value)
{
    test_write(f->t, BASE + offset, value, 1);
}

static unsigned get(Fixture *f, uint32_t offset)
{
    return (unsigned)test_read(f->t, BASE + offset, 1);
}

/* Back to the array; what the status register said. */
static unsigned status(Fixture *f)
{
    put(f, 0, 0x70);
    unsigned value = get(f, 0);
    put(f, 0, 0xff);
    return value;
}

static void program(Fixture *f, uint32_t offset, unsigned value)
{
    put(f, offset, 0x40);
    put(f, offset, value);
}

static void attach(Fixture *f, const char *drive_options, const char *secure)
{
    GError *error = NULL;
    g_autofree char *drive =
        g_strdup_printf("file=%s,if=none,id=d,format=raw%s", f->image, drive_options);

    f->t = device_test_new();
    blk_drive_add(f->t->machine, drive, &error);
    g_assert_no_error(error);
    f->dev = device_test_add_with(f->t, TYPE_PFLASH_CFI01, "name=flash", "drive=d", "width=1",
                                  "sector-length=4096", "num-blocks=12", "id1=0x89", "id3=0x17",
                                  secure, NULL);
    sysbus_mmio_map(SYS_BUS_DEVICE(f->dev), 0, BASE);
    test_reset(f->t);
}

static void detach(Fixture *f)
{
    object_unparent(OBJECT(f->dev));
    blk_drives_free(f->t->machine);
    device_test_free(f->t);
}

static void set_up(Fixture *f, gconstpointer options)
{
    uint8_t data[SIZE];
    int fd = g_file_open_tmp("pflash-XXXXXX", &f->image, NULL);

    memset(data, 0xff, SIZE);
    memcpy(data, "firmware", 8);
    g_assert_cmpint(write(fd, data, SIZE), ==, SIZE);
    close(fd);
    attach(f, options ? options : "", "secure=off");
}

static void tear_down(Fixture *f, gconstpointer options)
{
    detach(f);
    g_unlink(f->image);
    g_free(f->image);
}

static void expect_image(Fixture *f, uint32_t offset, const char *bytes, size_t len)
{
    g_autofree char *data = NULL;
    gsize size;

    g_assert_true(g_file_get_contents(f->image, &data, &size, NULL));
    g_assert_cmpuint(size, ==, SIZE);
    g_assert_cmpmem(data + offset, len, bytes, len);
}

/* ---- modes ------------------------------------------------------------------------ */

static void test_modes(Fixture *f, gconstpointer data)
{
    g_assert_cmphex(get(f, 0), ==, 'f');
    g_assert_cmphex(test_read(f->t, BASE, 4), ==, 0x6d726966);
    put(f, 0, 0x70);
    g_assert_cmphex(get(f, 5), ==, 0x80);
    put(f, 0, 0x90);
    g_assert_cmphex(get(f, 0), ==, 0x89);
    g_assert_cmphex(get(f, 1), ==, 0x17);
    g_assert_cmphex(get(f, 2), ==, 0);
    put(f, 0, 0xff);
    g_assert_cmphex(get(f, 1), ==, 'i');
    put(f, 0, 0x70);
    put(f, 0, 0x33); /* no command */
    g_assert_cmphex(get(f, 1), ==, 'i');
    put(f, 0, 0x70);
    test_reset(f->t);
    g_assert_cmphex(get(f, 1), ==, 'i');
}

/* How EDK2 tells flash from RAM and ROM. */
static void test_probe(Fixture *f, gconstpointer data)
{
    put(f, 0, 0x50);
    g_assert_cmphex(get(f, 0), ==, 'f');
    put(f, 0, 0x70);
    g_assert_cmphex(get(f, 0), ==, 0x00);
    put(f, 0, 0xff);
    g_assert_cmphex(get(f, 0), ==, 'f');
}

static void test_query(Fixture *f, gconstpointer data)
{
    put(f, 0x55, 0x98);
    g_assert_cmphex(get(f, 0x10), ==, 'Q');
    g_assert_cmphex(get(f, 0x11), ==, 'R');
    g_assert_cmphex(get(f, 0x12), ==, 'Y');
    g_assert_cmphex(get(f, 0x13), ==, 1);
    unsigned pri = get(f, 0x15);
    g_assert_cmphex(get(f, pri), ==, 'P');
    g_assert_cmpuint(1u << get(f, 0x27), >=, SIZE);
    g_assert_cmpuint(get(f, 0x2c), ==, 1);
    g_assert_cmpuint(get(f, 0x2d) + 256 * get(f, 0x2e) + 1, ==, BLOCKS);
    g_assert_cmpuint(256 * (get(f, 0x2f) + 256 * get(f, 0x30)), ==, BLOCK);
    g_assert_cmphex(get(f, 0xff), ==, 0);
}

/* ---- programming and erasing ----------------------------------------------------------- */

static void test_program(Fixture *f, gconstpointer data)
{
    program(f, 0x100, 0x5a);
    g_assert_cmphex(get(f, 0), ==, 0x80);
    g_assert_cmphex(status(f), ==, 0x80);
    g_assert_cmphex(get(f, 0x100), ==, 0x5a);
    program(f, 0x100, 0xa5); /* bits only go to 0 */
    put(f, 0, 0xff);
    g_assert_cmphex(get(f, 0x100), ==, 0);
    put(f, 0x104, 0x10);
    test_write(f->t, BASE + 0x104, 0x44434241, 4);
    put(f, 0, 0xff);
    g_assert_cmphex(test_read(f->t, BASE + 0x104, 4), ==, 0x44434241);
    expect_image(f, 0x104, "ABCD", 4);
}

static void test_erase(Fixture *f, gconstpointer data)
{
    program(f, BLOCK, 0x11);
    program(f, BLOCK - 1, 0x22);
    put(f, BLOCK + 77, 0x20);
    put(f, BLOCK + 77, 0xd0);
    g_assert_cmphex(status(f), ==, 0x80);
    g_assert_cmphex(get(f, BLOCK), ==, 0xff);
    g_assert_cmphex(get(f, BLOCK - 1), ==, 0x22);
    expect_image(f, BLOCK - 1, "\x22\xff", 2);
    /* Without its second cycle it does nothing and says so. */
    put(f, 0, 0x20);
    put(f, 0, 0x55);
    g_assert_cmphex(status(f), ==, 0xb0);
    g_assert_cmphex(get(f, 0), ==, 'f');
    put(f, 0, 0x50);
    g_assert_cmphex(status(f), ==, 0);
}

static void start_buffer(Fixture *f, uint32_t offset, unsigned n)
{
    put(f, offset, 0xe8);
    g_assert_cmphex(get(f, offset) & 0x80, ==, 0x80);
    put(f, offset, n - 1);
}

static void test_buffer(Fixture *f, gconstpointer data)
{
    start_buffer(f, 0x200, 3);
    put(f, 0x200, 'x');
    put(f, 0x202, 'z');
    put(f, 0x201, 'y');
    put(f, 0x200, 0xd0);
    g_assert_cmphex(status(f), ==, 0x80);
    expect_image(f, 0x200, "xyz\xff", 4);
    g_assert_cmphex(get(f, 0x201), ==, 'y');
    /* Not confirmed: dropped. */
    start_buffer(f, 0x300, 1);
    put(f, 0x300, 'x');
    put(f, 0x300, 0xff);
    g_assert_cmphex(status(f), ==, 0xb0);
    g_assert_cmphex(get(f, 0x300), ==, 0xff);
    put(f, 0, 0x50);
    /* Out of its block: an error at once, and commands are commands again. */
    start_buffer(f, 0x300, 2);
    put(f, BLOCK, 'x');
    g_assert_cmphex(status(f), ==, 0xb0);
    g_assert_cmphex(get(f, BLOCK), ==, 0xff);
    /* All that the count can say. */
    put(f, 0, 0x50);
    start_buffer(f, 0x400, 256);
    for (unsigned i = 0; i < 256; i++) {
        test_write(f->t, BASE + 0x400 + 4 * i, i, 4);
    }
    put(f, 0x400, 0xd0);
    g_assert_cmphex(status(f), ==, 0x80);
    g_assert_cmphex(test_read(f->t, BASE + 0x400 + 4 * 255, 4), ==, 255);
}

static void test_locks(Fixture *f, gconstpointer data)
{
    put(f, BLOCK, 0x60);
    put(f, BLOCK, 0x01);
    put(f, 0, 0x90);
    g_assert_cmphex(get(f, 2), ==, 0);
    g_assert_cmphex(get(f, BLOCK + 2), ==, 1);
    program(f, BLOCK, 0);
    g_assert_cmphex(status(f), ==, 0x92);
    g_assert_cmphex(get(f, BLOCK), ==, 0xff);
    put(f, 0, 0x50);
    put(f, BLOCK, 0x20);
    put(f, BLOCK, 0xd0);
    g_assert_cmphex(status(f), ==, 0xa2);
    put(f, 0, 0x50);
    put(f, 0, 0x60);
    put(f, 0, 0xd0);
    program(f, BLOCK, 0x12);
    g_assert_cmphex(status(f), ==, 0x80);
    g_assert_cmphex(get(f, BLOCK), ==, 0x12);
}

/* ---- the image ---------------------------------------------------------------------------- */

static void test_persistence(Fixture *f, gconstpointer data)
{
    program(f, 0x500, 'v');
    put(f, 0, 0x70);
    detach(f);
    attach(f, "", "secure=off");
    g_assert_cmphex(get(f, 0x500), ==, 'v');
    g_assert_cmphex(get(f, 0), ==, 'f');
}

static void test_read_only(Fixture *f, gconstpointer data)
{
    program(f, 0, 0);
    g_assert_cmphex(status(f), ==, 0x90);
    put(f, 0, 0x50);
    put(f, 0, 0x20);
    put(f, 0, 0xd0);
    g_assert_cmphex(status(f), ==, 0xa0);
    g_assert_cmphex(get(f, 0), ==, 'f');
    expect_image(f, 0, "firmware", 8);
}

static MemTxResult put_secure(Fixture *f, uint32_t offset, uint8_t value)
{
    return address_space_write(&f->t->machine->address_space_memory, BASE + offset,
                               (MemTxAttrs){.secure = 1}, &value, 1);
}

static void test_secure(Fixture *f, gconstpointer data)
{
    detach(f);
    attach(f, "", "secure=on");
    program(f, 0x600, 0x12);
    g_assert_cmphex(get(f, 0x600), ==, 0xff);
    g_assert_cmphex(put_secure(f, 0x600, 0x40), ==, MEMTX_OK);
    put(f, 0x600, 0x34); /* not part of the sequence */
    g_assert_cmphex(get(f, 0), ==, 'f');
    g_assert_cmphex(put_secure(f, 0x600, 0x56), ==, MEMTX_OK);
    g_assert_cmphex(put_secure(f, 0, 0xff), ==, MEMTX_OK);
    g_assert_cmphex(get(f, 0x600), ==, 0x56);
}

static void test_bad_properties(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *name, *value, *says;
    } rows[] = {
        {"name",             "",     "name"            },
        {"width",            "3",    "width"           },
        {"device-width",     "2",    "device-width"    },
        {"max-device-width", "3",    "max-device-width"},
        {"sector-length",    "1000", "sector-length"   },
        {"num-blocks",       "0",    "num-blocks"      },
        {"num-blocks",       "13",   "49152"           },
        {"drive",            "none", "none"            },
    };

    object_unparent(OBJECT(f->dev));
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        DeviceState *dev = qdev_new(TYPE_PFLASH_CFI01, NULL);
        object_add_child(OBJECT(f->t->machine), "bad", OBJECT(dev), NULL);
        object_property_set_str(OBJECT(dev), "name", "flash", NULL);
        object_property_set_str(OBJECT(dev), "drive", "d", NULL);
        object_property_set_uint(OBJECT(dev), "width", 1, NULL);
        object_property_set_uint(OBJECT(dev), "sector-length", 4096, NULL);
        object_property_set_uint(OBJECT(dev), "num-blocks", 12, NULL);
        g_assert_true(object_property_parse(OBJECT(dev), rows[i].name, rows[i].value, NULL));
        g_assert_false(qdev_realize(dev, NULL, &error));
        g_assert_nonnull(strstr(error->message, rows[i].says));
        object_unparent(OBJECT(dev));
        object_unref(OBJECT(dev));
    }
    f->dev = device_test_add_with(f->t, TYPE_PFLASH_CFI01, "name=flash", "width=4",
                                  "device-width=2", "sector-length=4096", "num-blocks=12", NULL);
    sysbus_mmio_map(SYS_BUS_DEVICE(f->dev), 0, BASE);
    test_reset(f->t);
    /* Two x16 chips side by side, and no image. */
    test_write(f->t, BASE, 0x98, 4);
    g_assert_cmphex(test_read(f->t, BASE + 4 * 0x10, 4), ==, 0x00510051);
    test_write(f->t, BASE, 0x70, 4);
    g_assert_cmphex(test_read(f->t, BASE, 4), ==, 0x00800080);
}

static void test_poke(Fixture *f, gconstpointer data)
{
    test_poke_memory(f->t, BASE, SIZE, 20000);
    test_reset(f->t);
    get(f, 0);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name, *options;
        void (*run)(Fixture *f, gconstpointer data);
    } rows[] = {
        {"/pflash/modes",          NULL,           test_modes         },
        {"/pflash/probe",          NULL,           test_probe         },
        {"/pflash/query",          NULL,           test_query         },
        {"/pflash/program",        NULL,           test_program       },
        {"/pflash/erase",          NULL,           test_erase         },
        {"/pflash/buffer",         NULL,           test_buffer        },
        {"/pflash/locks",          NULL,           test_locks         },
        {"/pflash/persistence",    NULL,           test_persistence   },
        {"/pflash/read-only",      ",readonly=on", test_read_only     },
        {"/pflash/secure",         NULL,           test_secure        },
        {"/pflash/bad-properties", NULL,           test_bad_properties},
        {"/pflash/poke",           NULL,           test_poke          },
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_add(rows[i].name, Fixture, rows[i].options, set_up, rows[i].run, tear_down);
    }
    return g_test_run();
}
