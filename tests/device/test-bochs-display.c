/* SPDX-License-Identifier: MIT
 *
 * bochs-display: its registers, EDID, pictures; VGA's relatives that have no legacy addresses.
 */
#include <string.h>
#include "hw/display/edid.h"
#include "hw/display/vga.h"
#include "pci-test.h"
#include "system/display/console.h"

#define DEVFN PCI_MAKE_DEVFN(3, 0)
#define LFB   0xe4000000u
#define MMIO  0xe6000000u

typedef struct Fixture {
    PCITest *p;
    DeviceTest *t;
    Console *console;
} Fixture;

static void start(Fixture *f, const char *type, const char *property, const char *value)
{
    GError *error = NULL;
    PCIDevice *dev;

    f->p = pci_test_new();
    f->t = f->p->t;
    dev = pci_new(DEVFN, type, &error);
    g_assert_no_error(error);
    object_property_parse(OBJECT(dev), "romfile", "", &error);
    g_assert_no_error(error);
    if (property) {
        object_property_parse(OBJECT(dev), property, value, &error);
        g_assert_no_error(error);
    }
    pci_realize_and_unref(dev, f->p->bus, &error);
    g_assert_no_error(error);
    f->console = console_by_device(f->t->machine, DEVICE(dev), 0);
    g_assert_nonnull(f->console);
    test_reset(f->t);
    pci_test_write(f->p, DEVFN, 0x10, LFB, 4);
    pci_test_write(f->p, DEVFN, 0x18, MMIO, 4);
    pci_test_write(f->p, DEVFN, PCI_COMMAND, 3, 2);
}

static void stop(Fixture *f)
{
    pci_test_free(f->p);
}

static void dispi(Fixture *f, unsigned index, uint16_t value)
{
    test_write(f->t, MMIO + 0x500 + 2 * index, value, 2);
}

static void set_mode(Fixture *f, uint16_t width, uint16_t height, uint16_t virt, uint16_t x,
                     uint16_t y)
{
    dispi(f, 1, width);
    dispi(f, 2, height);
    dispi(f, 3, 32);
    dispi(f, 6, virt);
    dispi(f, 8, x);
    dispi(f, 9, y);
    dispi(f, 4, 0x41);
}

static void test_registers(void)
{
    Fixture f;

    start(&f, TYPE_BOCHS_DISPLAY, "vgamem", "32M");
    g_assert_cmphex(pci_test_read(f.p, DEVFN, 0, 4), ==, 0x11111234);
    g_assert_cmphex(pci_test_read(f.p, DEVFN, 10, 2), ==, 0x0380);
    g_assert_cmphex(test_read(f.t, MMIO + 0x500, 2), ==, 0xb0c5);
    g_assert_cmphex(test_read(f.t, MMIO + 0x514, 2), ==, 0x200); /* 64 KiB each */
    dispi(&f, 1, 1234);
    g_assert_cmpint((int)test_read(f.t, MMIO + 0x502, 2), ==, 1234);
    g_assert_cmphex(test_read(f.t, MMIO + 0x600, 4), ==, 8);
    g_assert_cmphex(test_read(f.t, MMIO + 0x604, 4), ==, 0x1e1e1e1e);
    test_write(f.t, MMIO + 0x604, 0x12345678, 4);
    g_assert_cmphex(test_read(f.t, MMIO + 0x604, 4), ==, 0x1e1e1e1e);
    test_write(f.t, MMIO + 0x604, 0xbebebebe, 4);
    g_assert_cmphex(test_read(f.t, MMIO + 0x604, 4), ==, 0xbebebebe);
    test_reset(f.t);
    pci_test_write(f.p, DEVFN, 0x18, MMIO, 4);
    pci_test_write(f.p, DEVFN, PCI_COMMAND, 3, 2);
    g_assert_cmphex(test_read(f.t, MMIO + 0x502, 2), ==, 0);
    g_assert_cmphex(test_read(f.t, MMIO + 0x604, 4), ==, 0x1e1e1e1e);
    stop(&f);
}

static void test_picture(void)
{
    Fixture f;

    start(&f, TYPE_BOCHS_DISPLAY, NULL, NULL);
    set_mode(&f, 320, 200, 400, 5, 7);
    test_write(f.t, LFB + 4 * (7 * 400 + 5), 0xff123456, 4);
    test_write(f.t, LFB + 4 * (206 * 400 + 324), 0x00654321, 4);
    {
        g_autoptr(DisplaySurface) s = console_snapshot(f.console);

        g_assert_cmpint(s->width, ==, 320);
        g_assert_cmpint(s->height, ==, 200);
        g_assert_cmphex(s->pixels[0], ==, 0x123456);
        g_assert_cmphex(s->pixels[320 * 200 - 1], ==, 0x654321);
        g_assert_cmphex(s->pixels[1], ==, 0);
    }
    test_write(f.t, LFB + 4 * (7 * 400 + 6), 0x00abcdef, 4);
    {
        g_autoptr(DisplaySurface) s = console_snapshot(f.console);

        g_assert_cmphex(s->pixels[1], ==, 0xabcdef);
    }
    set_mode(&f, 320, 200, 0xffff, 0xffff, 0xffff); /* not in memory: the picture stays */
    {
        g_autoptr(DisplaySurface) s = console_snapshot(f.console);

        g_assert_cmpint(s->width, ==, 320);
        g_assert_cmphex(s->pixels[1], ==, 0xabcdef);
    }
    stop(&f);
}

typedef struct Watch {
    ConsoleListener listener;
    int resized, damaged, x, y, width, height;
} Watch;

static void on_resized(ConsoleListener *listener, int width, int height)
{
    ((Watch *)listener)->resized++;
}

static void on_damaged(ConsoleListener *listener, int x, int y, int width, int height)
{
    Watch *w = (Watch *)listener;

    w->damaged++;
    w->x = x;
    w->y = y;
    w->width = width;
    w->height = height;
}

/* A viewer hears of what changed and of nothing else. */
static void test_damage(void)
{
    Fixture f;
    Watch w = {
        .listener = {.resized = on_resized, .damaged = on_damaged}
    };

    start(&f, TYPE_BOCHS_DISPLAY, NULL, NULL);
    set_mode(&f, 320, 200, 320, 0, 0);
    console_attach(f.console, &w.listener);
    console_refresh(f.console);
    g_assert_cmpint(w.resized, ==, 1);
    w.damaged = 0;
    console_refresh(f.console);
    g_assert_cmpint(w.damaged, ==, 0);
    for (unsigned y = 10; y < 14; y++) {
        for (unsigned x = 20; x < 23; x++) {
            test_write(f.t, LFB + 4 * (y * 320 + x), 0x00ffffff, 4);
        }
    }
    console_refresh(f.console);
    g_assert_cmpint(w.damaged, ==, 1);
    g_assert_cmpint(w.x, ==, 20);
    g_assert_cmpint(w.y, ==, 10);
    g_assert_cmpint(w.width, ==, 3);
    g_assert_cmpint(w.height, ==, 4);
    g_assert_cmpint(w.resized, ==, 1);
    console_detach(&w.listener);
    stop(&f);
}

/* VESA E-EDID 1.4, section 3: header, checksums, preferred timing, name. */
static void test_edid(void)
{
    static const uint8_t header[] = {0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00};
    Fixture f;
    uint8_t e[EDID_SIZE];

    start(&f, TYPE_SECONDARY_VGA, "xres", "1024");
    stop(&f);
    start(&f, TYPE_BOCHS_DISPLAY, NULL, NULL);
    for (unsigned i = 0; i < EDID_SIZE; i++) {
        e[i] = (uint8_t)test_read(f.t, MMIO + i, 1);
    }
    g_assert_cmpmem(e, 8, header, 8);
    for (unsigned block = 0; block < 2; block++) {
        uint8_t sum = 0;

        for (unsigned i = 0; i < 128; i++) {
            sum += e[128 * block + i];
        }
        g_assert_cmpint(sum, ==, 0);
    }
    g_assert_cmpint(e[126], ==, 1);
    g_assert_cmpint(e[54 + 2] | (e[54 + 4] & 0xf0) << 4, ==, 1280);
    g_assert_cmpint(e[54 + 5] | (e[54 + 7] & 0xf0) << 4, ==, 800);
    stop(&f);
    start(&f, TYPE_BOCHS_DISPLAY, "edid", "off");
    g_assert_cmphex(test_read(f.t, MMIO, 1), ==, 0xff);
    stop(&f);
}

static void test_edid_limits(void)
{
    EDIDInfo info = {.xres = 800, .yres = 600, .xmax = 1024, .ymax = 768};
    uint8_t e[EDID_SIZE];

    edid_generate(&info, e);
    g_assert_cmpint(e[54 + 2] | (e[54 + 4] & 0xf0) << 4, ==, 800);
    g_assert_cmphex(e[35], ==, 0x21); /* 640x480, 800x600 */
    g_assert_cmphex(e[36], ==, 0x08); /* 1024x768 */
    for (unsigned i = 38; i < 54; i++) {
        g_assert_cmphex(e[i], ==, 0x01); /* larger ones are not listed */
    }
    info = (EDIDInfo){.xres = 7680, .yres = 4320}; /* not for a detailed timing */
    edid_generate(&info, e);
    g_assert_cmphex(e[54], ==, 0);
}

static void test_poke(void)
{
    Fixture f;

    start(&f, TYPE_BOCHS_DISPLAY, NULL, NULL);
    for (int i = 0; i < 200; i++) {
        test_poke_memory(f.t, MMIO, 0x700, 50);
        set_mode(&f, (uint16_t)g_test_rand_int(), (uint16_t)g_test_rand_int(),
                 (uint16_t)g_test_rand_int(), (uint16_t)g_test_rand_int(),
                 (uint16_t)g_test_rand_int_range(0, 4));
        {
            g_autoptr(DisplaySurface) s = console_snapshot(f.console);

            g_assert_cmpint(s->width, >, 0);
        }
    }
    stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bochs-display/registers", test_registers);
    g_test_add_func("/bochs-display/picture", test_picture);
    g_test_add_func("/bochs-display/damage", test_damage);
    g_test_add_func("/bochs-display/edid", test_edid);
    g_test_add_func("/bochs-display/edid-limits", test_edid_limits);
    g_test_add_func("/bochs-display/poke", test_poke);
    return g_test_run();
}
