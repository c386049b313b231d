/* SPDX-License-Identifier: MIT
 *
 * Standard VGA: registers, planar and chained memory, DISPI modes, text and pixels.
 */
#include <string.h>
#include "hw/display/vga.h"
#include "system/display/console.h"
#include "pci-test.h"

#define VGA_DEVFN PCI_MAKE_DEVFN(2, 0)
#define LFB       0xe0000000u
#define MMIO      0xe2000000u

typedef struct Fixture {
    PCITest *p;
    DeviceTest *t;
    Console *console;
} Fixture;

static void start(Fixture *f)
{
    GError *error = NULL;
    PCIDevice *dev;

    f->p = pci_test_new();
    f->t = f->p->t;
    dev = pci_new(VGA_DEVFN, TYPE_PCI_VGA, &error);
    g_assert_no_error(error);
    object_property_parse(OBJECT(dev), "romfile", "", &error);
    g_assert_no_error(error);
    pci_realize_and_unref(dev, f->p->bus, &error);
    g_assert_no_error(error);
    f->console = console_by_device(f->t->machine, DEVICE(dev), 0);
    g_assert_nonnull(f->console);
    test_reset(f->t);
    pci_test_write(f->p, VGA_DEVFN, 0x10, LFB, 4);
    pci_test_write(f->p, VGA_DEVFN, 0x18, MMIO, 4);
    pci_test_write(f->p, VGA_DEVFN, PCI_COMMAND, 3, 2);
    test_outb(f->t, 0x3c0, 0x20); /* the picture is shown */
    test_inb(f->t, 0x3ba);        /* and the next byte is an index again */
}

static void stop(Fixture *f)
{
    pci_test_free(f->p);
}

static void seq(Fixture *f, uint8_t index, uint8_t value)
{
    test_outw(f->t, 0x3c4, (uint16_t)(value << 8 | index));
}

static void gr(Fixture *f, uint8_t index, uint8_t value)
{
    test_outw(f->t, 0x3ce, (uint16_t)(value << 8 | index));
}

static void crtc(Fixture *f, uint8_t index, uint8_t value)
{
    test_outw(f->t, 0x3d4, (uint16_t)(value << 8 | index));
}

static void dispi(Fixture *f, uint16_t index, uint16_t value)
{
    test_outw(f->t, 0x1ce, index);
    test_outw(f->t, 0x1cf, value);
}

static uint16_t dispi_get(Fixture *f, uint16_t index)
{
    test_outw(f->t, 0x1ce, index);
    return test_inw(f->t, 0x1cf);
}

static void set_mode(Fixture *f, uint16_t width, uint16_t height, uint16_t bpp, uint16_t enable)
{
    dispi(f, 4, 0);
    dispi(f, 1, width);
    dispi(f, 2, height);
    dispi(f, 3, bpp);
    dispi(f, 4, enable);
}

/* 80x25 characters of 9x16, as firmware sets mode 3. */
static void set_text_mode(Fixture *f)
{
    test_outb(f->t, 0x3c2, 0x67);
    seq(f, 1, 0);
    seq(f, 2, 3);
    seq(f, 4, 2);
    gr(f, 5, 0x10);
    gr(f, 6, 0x0e);
    gr(f, 8, 0xff);
    crtc(f, 1, 79);
    crtc(f, 7, 0x1f);
    crtc(f, 9, 0x4f);
    crtc(f, 0x12, 0x8f);
    crtc(f, 0x13, 0x28);
}

static void test_registers(void)
{
    Fixture f;

    start(&f);
    test_outb(f.t, 0x3c2, 0x63);
    g_assert_cmphex(test_inb(f.t, 0x3cc), ==, 0x63);
    g_assert_cmphex(test_inb(f.t, 0x3b4), ==, 0xff); /* colour: mono ports are dead */
    crtc(&f, 0x0e, 0x12);
    g_assert_cmphex(test_inb(f.t, 0x3d5), ==, 0x12);
    crtc(&f, 0x11, 0x80); /* protect 0-7 */
    crtc(&f, 0x01, 0x55);
    g_assert_cmphex(test_inb(f.t, 0x3d5), ==, 0);
    crtc(&f, 0x07, 0xff);
    g_assert_cmphex(test_inb(f.t, 0x3d5), ==, 0x10);
    test_inb(f.t, 0x3da);
    test_outb(f.t, 0x3c0, 0x01);
    test_outb(f.t, 0x3c0, 0x3f);
    test_outb(f.t, 0x3c0, 0x21);
    g_assert_cmphex(test_inb(f.t, 0x3c1), ==, 0x3f);
    test_outb(f.t, 0x3c8, 10);
    test_outb(f.t, 0x3c9, 1);
    test_outb(f.t, 0x3c9, 2);
    test_outb(f.t, 0x3c9, 3);
    test_outb(f.t, 0x3c7, 10);
    test_inb(f.t, 0x3c9);
    g_assert_cmphex(test_inb(f.t, 0x3c9), ==, 2);
    g_assert_cmphex(test_inb(f.t, 0x3c9), ==, 3);
    g_assert_cmphex(test_read(f.t, MMIO + 0x40c, 1), ==, 0x63); /* 3cc in the window */
    stop(&f);
}

/* Vertical retrace comes and goes with virtual time. */
static void test_retrace(void)
{
    Fixture f;
    int seen = 0;

    start(&f);
    test_outb(f.t, 0x3c2, 0x63);
    for (int i = 0; i < 200; i++) {
        seen |= test_inb(f.t, 0x3da) & 8 ? 2 : 1;
        test_clock_step(f.t, 100000);
    }
    g_assert_cmpint(seen, ==, 3);
    stop(&f);
}

static void test_planes(void)
{
    Fixture f;

    start(&f);
    test_outb(f.t, 0x3c2, 0x63);
    seq(&f, 4, 6); /* sequential */
    gr(&f, 6, 0x05);
    gr(&f, 8, 0xff);
    for (uint8_t p = 0; p < 4; p++) {
        seq(&f, 2, (uint8_t)(1 << p));
        test_write(f.t, 0xa0010, 0x10u + p, 1);
    }
    for (uint8_t p = 0; p < 4; p++) {
        gr(&f, 4, p);
        g_assert_cmphex(test_read(f.t, 0xa0010, 1), ==, 0x10u + p);
    }
    seq(&f, 2, 15);
    gr(&f, 5, 1); /* write mode 1: latches */
    test_write(f.t, 0xa0020, 0, 1);
    g_assert_cmphex(test_read(f.t, 0xa0020, 1), ==, 0x13);
    gr(&f, 5, 2); /* write mode 2: a colour, under the bit mask */
    gr(&f, 8, 0x0f);
    test_read(f.t, 0xa0020, 1);
    test_write(f.t, 0xa0020, 0x8, 1);
    g_assert_cmphex(test_read(f.t, 0xa0020, 1), ==, 0x1f);
    gr(&f, 5, 8); /* read mode 1: colour compare */
    gr(&f, 2, 8);
    gr(&f, 7, 8);
    g_assert_cmphex(test_read(f.t, 0xa0020, 1), ==, 0x1f);
    gr(&f, 5, 0);
    gr(&f, 8, 0xff);
    gr(&f, 3, 0x18 | 1); /* exclusive or, rotated by 1 */
    test_read(f.t, 0xa0020, 1);
    test_write(f.t, 0xa0020, 0x01, 1);
    g_assert_cmphex(test_read(f.t, 0xa0020, 1), ==, 0x9f);
    gr(&f, 3, 0);
    gr(&f, 0, 0x5);
    gr(&f, 1, 0xf); /* set/reset */
    test_write(f.t, 0xa0030, 0x77, 1);
    gr(&f, 4, 2);
    g_assert_cmphex(test_read(f.t, 0xa0030, 1), ==, 0xff);
    gr(&f, 4, 1);
    g_assert_cmphex(test_read(f.t, 0xa0030, 1), ==, 0x00);
    g_assert_cmphex(test_read(f.t, 0xb8000, 1), ==, 0xff); /* not in this map */
    stop(&f);
}

static void test_chain4(void)
{
    Fixture f;

    start(&f);
    test_outb(f.t, 0x3c2, 0x63);
    seq(&f, 2, 15);
    seq(&f, 4, 0x0e);
    gr(&f, 6, 0x05);
    test_write(f.t, 0xa1234, 0xdeadbeef, 4);
    g_assert_cmphex(test_read(f.t, 0xa1234, 4), ==, 0xdeadbeef);
    g_assert_cmphex(test_read(f.t, LFB + 0x1234, 4), ==, 0xdeadbeef);
    stop(&f);
}

static void test_text(void)
{
    static const char hello[] = "Hello, \x80\xb3";
    Fixture f;
    g_autofree char *text = NULL, *property = NULL;
    GError *error = NULL;

    start(&f);
    set_text_mode(&f);
    for (unsigned i = 0; hello[i]; i++) {
        test_write(f.t, 0xb8000 + 160 * 2 + 2 * i, 0x0700u | (uint8_t)hello[i], 2);
    }
    text = console_text(f.console);
    g_assert_true(g_str_has_prefix(text, "\n\nHello, Ç│\n\n"));
    property = object_property_get_str(OBJECT(console_device(f.console)), "text", &error);
    g_assert_no_error(error);
    g_assert_cmpstr(property, ==, text);
    stop(&f);
}

static void test_text_pixels(void)
{
    Fixture f;

    start(&f);
    set_text_mode(&f);
    seq(&f, 2, 4); /* the font: plane 2, one line of 'A' */
    seq(&f, 4, 6);
    gr(&f, 5, 0);
    gr(&f, 6, 0x05);
    test_write(f.t, 0xa0000 + 'A' * 32, 0x81, 1);
    set_text_mode(&f);
    test_write(f.t, 0xb8000, 0x1241, 2);
    test_inb(f.t, 0x3da);
    for (uint8_t i = 0; i < 16; i++) {
        test_outb(f.t, 0x3c0, i);
        test_outb(f.t, 0x3c0, i);
    }
    test_outb(f.t, 0x3c0, 0x12);
    test_outb(f.t, 0x3c0, 0x0f);
    test_outb(f.t, 0x3c0, 0x13);
    test_outb(f.t, 0x3c0, 0x08);
    test_outb(f.t, 0x3c0, 0x20);
    test_outb(f.t, 0x3c8, 1);
    for (unsigned i = 0; i < 6; i++) {
        test_outb(f.t, 0x3c9, i < 3 ? 0 : 63); /* 1 black, 2 white */
    }
    crtc(&f, 0x0a, 0x20);
    {
        g_autoptr(DisplaySurface) s = console_snapshot(f.console);

        g_assert_cmpint(s->width, ==, 720);
        g_assert_cmpint(s->height, ==, 400);
        g_assert_cmphex(s->pixels[0], ==, 0xffffff);
        g_assert_cmphex(s->pixels[1], ==, 0);
        g_assert_cmphex(s->pixels[7], ==, 0xffffff);
        g_assert_cmphex(s->pixels[720], ==, 0);
    }
    stop(&f);
}

static void test_dispi(void)
{
    Fixture f;

    start(&f);
    g_assert_cmphex(dispi_get(&f, 0), ==, 0xb0c5);
    g_assert_cmphex(dispi_get(&f, 10), ==, 0x100);
    g_assert_cmphex(test_read(f.t, MMIO + 0x500, 2), ==, 0xb0c5);
    dispi(&f, 4, 2); /* capabilities */
    g_assert_cmpint(dispi_get(&f, 1), ==, 16000);
    set_mode(&f, 640, 480, 32, 0x41);
    g_assert_cmphex(dispi_get(&f, 4), ==, 0x41);
    g_assert_cmpint(dispi_get(&f, 6), ==, 640);
    g_assert_cmpint(dispi_get(&f, 7), ==, (16 << 20) / 2560);
    test_write(f.t, LFB + 4 * (640 * 10 + 5), 0x00123456, 4);
    {
        g_autoptr(DisplaySurface) s = console_snapshot(f.console);

        g_assert_cmpint(s->width, ==, 640);
        g_assert_cmphex(s->pixels[640 * 10 + 5], ==, 0x123456);
    }
    dispi(&f, 9, 10); /* y offset */
    {
        g_autoptr(DisplaySurface) s = console_snapshot(f.console);

        g_assert_cmphex(s->pixels[5], ==, 0x123456);
    }
    g_assert_null(console_text(f.console));
    dispi(&f, 5, 1); /* bank 1 at a0000 */
    test_outb(f.t, 0x3c2, 0x63);
    test_write(f.t, 0xa0000, 0x11223344, 4);
    g_assert_cmphex(test_read(f.t, LFB + 0x10000, 4), ==, 0x11223344);
    set_mode(&f, 16000, 12000, 32, 0x41); /* does not fit: as many lines as there is room for */
    g_assert_cmphex(dispi_get(&f, 4), ==, 0x41);
    g_assert_cmpint(dispi_get(&f, 2), ==, (16 << 20) / 64000);
    set_mode(&f, 645, 480, 7, 0x41); /* no such depth, nor such a width */
    g_assert_cmpint(dispi_get(&f, 1), ==, 640);
    g_assert_cmpint(dispi_get(&f, 3), ==, 8);
    stop(&f);
}

static void expect_pixel(Console *console, unsigned at, uint32_t pixel)
{
    g_autoptr(DisplaySurface) s = console_snapshot(console);

    g_assert_cmphex(s->pixels[at], ==, pixel);
}

/* Every depth, in either order of bytes (the register at 604 of the window). */
static void test_depths(void)
{
    static const struct {
        uint16_t bpp;
        unsigned bytes;
        uint32_t value, pixel;
    } depths[] = {
        {15, 2, 0x7c1f,     0xf800f8},
        {16, 2, 0xf81f,     0xff00ff},
        {24, 3, 0x123456,   0x123456},
        {32, 4, 0x00123456, 0x123456},
    };
    Fixture f;

    start(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(depths); i++) {
        set_mode(&f, 64, 64, depths[i].bpp, 0x41);
        test_write(f.t, LFB + 3 * depths[i].bytes, depths[i].value, depths[i].bytes == 2 ? 2 : 4);
        test_write(f.t, MMIO + 0x604, 0x1e1e1e1e, 4);
        expect_pixel(f.console, 3, depths[i].pixel);
    }
    set_mode(&f, 64, 64, 32, 0x41);
    test_write(f.t, LFB, 0x11223344, 4);
    test_write(f.t, MMIO + 0x604, 0xbebebebe, 4);
    g_assert_cmphex(test_read(f.t, MMIO + 0x604, 4), ==, 0xbebebebe);
    expect_pixel(f.console, 0, 0x332211);
    test_write(f.t, MMIO + 0x604, 0x12345678, 4); /* neither: as it was */
    g_assert_cmphex(test_read(f.t, MMIO + 0x604, 4), ==, 0xbebebebe);
    set_mode(&f, 64, 64, 16, 0xc1);
    test_write(f.t, LFB, 0x00f8, 2);
    expect_pixel(f.console, 0, 0xff0000);
    set_mode(&f, 64, 64, 24, 0xc1);
    test_write(f.t, LFB, 0x332211, 4);
    expect_pixel(f.console, 0, 0x112233);
    test_reset(f.t);
    g_assert_cmphex(test_read(f.t, MMIO + 0x600, 4), ==, UINT32_MAX); /* not decoded any more */
    stop(&f);
}

/* Palette entries of six bits, and of eight if DISPI says so. */
static void test_palette(void)
{
    Fixture f;

    start(&f);
    for (int wide = 0; wide < 2; wide++) {
        set_mode(&f, 64, 64, 8, wide ? 0x61 : 0x41);
        test_outb(f.t, 0x3c8, 7);
        for (unsigned i = 0; i < 3; i++) {
            test_outb(f.t, 0x3c9, 0x3f);
        }
        test_write(f.t, LFB + 9, 7, 1);
        expect_pixel(f.console, 9, wide ? 0x3f3f3f : 0xffffff);
    }
    stop(&f);
}

static void expect_mode(Fixture *f, const char *mode)
{
    g_autofree char *is = object_property_get_str(OBJECT(console_device(f->console)), "mode", NULL);

    g_assert_cmpstr(is, ==, mode);
}

static void test_mode_property(void)
{
    Fixture f;

    start(&f);
    set_text_mode(&f);
    expect_mode(&f, "text 80x25");
    gr(&f, 6, 0x05);
    expect_mode(&f, "vga graphics");
    set_mode(&f, 800, 600, 16, 0x41);
    expect_mode(&f, "800x600x16");
    stop(&f);
}

/* Beside another: its registers are in the window, and nowhere else. */
static void test_secondary(void)
{
    PCITest *p = pci_test_new();
    PCIDevice *dev = pci_create(p->bus, VGA_DEVFN, "secondary-vga", NULL);
    Console *console = console_by_device(p->t->machine, DEVICE(dev), 0);

    g_assert_nonnull(console);
    test_reset(p->t);
    g_assert_cmphex(pci_test_read(p, VGA_DEVFN, 8, 4) >> 8, ==, 0x038000); /* no VGA: other */
    pci_test_write(p, VGA_DEVFN, 0x10, LFB, 4);
    pci_test_write(p, VGA_DEVFN, 0x18, MMIO, 4);
    pci_test_write(p, VGA_DEVFN, PCI_COMMAND, 3, 2);
    test_outw(p->t, 0x1ce, 0);
    g_assert_cmphex(test_inw(p->t, 0x1cf), ==, 0xffff);
    g_assert_cmphex(test_read(p->t, MMIO + 0x500, 2), ==, 0xb0c5);
    /* An EDID (VESA E-EDID A2, 3.1): its header, and bytes that add up to 0. */
    g_assert_cmphex(test_read(p->t, MMIO, 8), ==, 0x00ffffffffffff00);
    uint8_t sum = 0;
    for (unsigned i = 0; i < 128; i++) {
        sum += (uint8_t)test_read(p->t, MMIO + i, 1);
    }
    g_assert_cmphex(sum, ==, 0);
    test_write(p->t, MMIO, 0x55, 1);
    g_assert_cmphex(test_read(p->t, MMIO, 1), ==, 0);
    g_assert_cmphex(test_read(p->t, MMIO + 0x600, 4), ==, 8); /* bytes of this register block */
    test_write(p->t, MMIO + 0x402, 0x63, 1);                  /* 3c2 */
    g_assert_cmphex(test_read(p->t, MMIO + 0x40c, 1), ==, 0x63);
    test_write(p->t, MMIO + 0x400, 0x20, 1);
    test_write(p->t, MMIO + 0x502, 32, 2);
    test_write(p->t, MMIO + 0x504, 16, 2);
    test_write(p->t, MMIO + 0x506, 32, 2);
    test_write(p->t, MMIO + 0x508, 0x41, 2);
    test_write(p->t, LFB + 4 * 33, 0x00c0ffee, 4);
    expect_pixel(console, 33, 0xc0ffee);
    pci_test_free(p);
}

/* On ISA: the frame buffer is at a place of its own. */
static void test_isa(void)
{
    PCITest *p = pci_test_new();
    Fixture f = {.p = p, .t = p->t};
    DeviceState *dev = device_test_add_with(p->t, "isa-vga", "vgamem_mb=4", NULL);
    g_autoptr(GError) error = NULL;

    f.console = console_by_device(p->t->machine, dev, 0);
    g_assert_nonnull(f.console);
    test_reset(p->t);
    g_assert_cmphex(dispi_get(&f, 0), ==, 0xb0c5);
    g_assert_cmphex(dispi_get(&f, 10), ==, 0x40); /* 64 KiB each */
    test_outb(p->t, 0x3c0, 0x20);
    test_inb(p->t, 0x3ba);
    set_mode(&f, 320, 200, 32, 0x41);
    test_write(p->t, 0xe0000000u + 4 * 5, 0x00abcdef, 4);
    expect_pixel(f.console, 5, 0xabcdef);
    test_outb(p->t, 0x3c2, 0x63);
    test_write(p->t, 0xa0000, 0x00fedcba, 4); /* the bank */
    expect_pixel(f.console, 0, 0xfedcba);
    test_reset(p->t);
    g_assert_cmphex(dispi_get(&f, 4), ==, 0);
    dev = qdev_new("isa-vga", NULL);
    object_property_parse(OBJECT(dev), "vgamem_mb", "3", NULL);
    object_add_child(p->t->machine->unattached, "bad", OBJECT(dev), NULL);
    g_assert_false(qdev_realize_and_unref(dev, BUS(p->t->isa), &error));
    g_assert_nonnull(strstr(error->message, "power of two"));
    pci_test_free(p);
}

static void test_refusals(void)
{
    PCITest *p = pci_test_new();
    GError *error = NULL;
    PCIDevice *dev = pci_new(-1, TYPE_PCI_VGA, NULL);

    g_assert_false(object_property_parse(OBJECT(dev), "vgamem_mb", "1000", &error));
    g_clear_error(&error);
    object_property_parse(OBJECT(dev), "vgamem_mb", "3", NULL);
    g_assert_false(pci_realize_and_unref(dev, p->bus, &error));
    g_assert_nonnull(strstr(error->message, "power of two"));
    g_clear_error(&error);
    dev = pci_new(-1, TYPE_PCI_VGA, NULL);
    object_property_parse(OBJECT(dev), "romfile", "/nonexistent.bin", NULL);
    g_assert_false(pci_realize_and_unref(dev, p->bus, &error));
    g_assert_nonnull(strstr(error->message, "/nonexistent.bin"));
    g_clear_error(&error);
    pci_test_free(p);
}

/* Any registers, then a picture: no read may leave the display memory. */
static void test_poke(void)
{
    Fixture f;

    start(&f);
    for (int i = 0; i < 150; i++) {
        g_autofree char *text = NULL;

        test_poke_ports(f.t, 0x3b0, 48, 100);
        test_poke_memory(f.t, 0xa0000, 0x20000, 50);
        for (uint16_t r = 1; r < 10; r++) {
            dispi(&f, r, (uint16_t)(g_test_rand_int() & (r == 3 ? 0x3f : 0x7ff)));
        }
        dispi(&f, 4, (uint16_t)(g_test_rand_int() & 0xff));
        dispi(&f, (uint16_t)g_test_rand_int_range(5, 10), (uint16_t)g_test_rand_int());
        {
            g_autoptr(DisplaySurface) s = console_snapshot(f.console);

            g_assert_cmpint(s->width, >, 0);
        }
        text = console_text(f.console);
    }
    stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vga/registers", test_registers);
    g_test_add_func("/vga/retrace", test_retrace);
    g_test_add_func("/vga/planes", test_planes);
    g_test_add_func("/vga/chain4", test_chain4);
    g_test_add_func("/vga/text", test_text);
    g_test_add_func("/vga/text-pixels", test_text_pixels);
    g_test_add_func("/vga/dispi", test_dispi);
    g_test_add_func("/vga/depths", test_depths);
    g_test_add_func("/vga/palette", test_palette);
    g_test_add_func("/vga/mode-property", test_mode_property);
    g_test_add_func("/vga/secondary", test_secondary);
    g_test_add_func("/vga/isa", test_isa);
    g_test_add_func("/vga/refusals", test_refusals);
    g_test_add_func("/vga/poke", test_poke);
    return g_test_run();
}
