/* SPDX-License-Identifier: MIT
 *
 * 16550A: transmitter, FIFOs, interrupts and their priorities, time-out,
 * loop-back, modem status; the ports of several.
 */
#include "device-test.h"
#include "hw/char/serial.h"
#include "system/char/char-ringbuf.h"

#define COM1 0x3f8

typedef struct Fixture {
    DeviceTest *t;
    Chardev *chr;
} Fixture;

static void start(Fixture *f)
{
    GError *error = NULL;

    f->t = device_test_new();
    f->chr = chardev_new(f->t->machine, "c", "ringbuf,size=4096", &error);
    g_assert_no_error(error);
    serial_isa_create(f->t->isa, 0, f->chr, &error);
    g_assert_no_error(error);
    test_reset(f->t);
}

static void stop(Fixture *f)
{
    device_test_free(f->t);
}

static uint8_t get(Fixture *f, unsigned reg)
{
    return test_inb(f->t, COM1 + reg);
}

static void set(Fixture *f, unsigned reg, uint8_t value)
{
    test_outb(f->t, COM1 + reg, value);
}

/* No more than the device takes. */
static void type(Fixture *f, const char *text)
{
    chardev_ringbuf_input(f->chr, (const uint8_t *)text, strlen(text));
    test_poll(f->t);
}

static void test_transmit(void)
{
    Fixture f;

    start(&f);
    g_assert_cmphex(get(&f, 5), ==, 0x60);
    for (const char *p = "hello"; *p; p++) {
        set(&f, 0, *p);
        g_assert_cmphex(get(&f, 5) & 0x20, ==, 0x20);
    }
    g_autoptr(GByteArray) out = chardev_ringbuf_read(f.chr, 100);
    g_assert_cmpmem(out->data, out->len, "hello", 5);
    stop(&f);
}

static void test_transmit_interrupt(void)
{
    Fixture f;

    start(&f);
    set(&f, 1, 0x02);
    g_assert_cmpint(f.t->lines.level[4], ==, 1); /* it is empty */
    g_assert_cmphex(get(&f, 2), ==, 0x02);
    g_assert_cmpint(f.t->lines.level[4], ==, 0); /* told */
    g_assert_cmphex(get(&f, 2), ==, 0x01);
    set(&f, 0, 'x');
    g_assert_cmpint(f.t->lines.level[4], ==, 1);
    set(&f, 4, 0x03); /* OUT2 drives the buffer behind INTR */
    g_assert_cmpint(f.t->lines.level[4], ==, 0);
    set(&f, 4, 0x0b);
    g_assert_cmpint(f.t->lines.level[4], ==, 1);
    g_assert_cmphex(get(&f, 2), ==, 0x02); /* empty again */
    stop(&f);
}

static void test_receive(void)
{
    Fixture f;

    start(&f);
    set(&f, 1, 0x01);
    type(&f, "a");
    g_assert_cmpint(f.t->lines.level[4], ==, 1);
    g_assert_cmphex(get(&f, 2), ==, 0x04);
    g_assert_cmphex(get(&f, 5) & 1, ==, 1);
    g_assert_cmpint(get(&f, 0), ==, 'a');
    type(&f, "b");
    g_assert_cmpint(get(&f, 0), ==, 'b');
    g_assert_cmphex(get(&f, 5) & 1, ==, 0);
    g_assert_cmpint(f.t->lines.level[4], ==, 0);
    stop(&f);
}

static void test_fifo(void)
{
    Fixture f;

    start(&f);
    set(&f, 3, 0x03);
    set(&f, 2, 0x81); /* trigger at eight */
    set(&f, 1, 0x01);
    type(&f, "1234567");
    g_assert_cmphex(get(&f, 2), ==, 0xc1);
    test_clock_step(f.t, 4 * NANOSECONDS_PER_SECOND / 960 + 1000); /* four characters */
    g_assert_cmphex(get(&f, 2), ==, 0xcc);
    g_assert_cmpint(get(&f, 0), ==, '1');
    g_assert_cmphex(get(&f, 2), ==, 0xc1);
    type(&f, "89");
    g_assert_cmphex(get(&f, 2), ==, 0xc4);
    type(&f, "abcdefgh");
    for (const char *p = "23456789abcdefgh"; *p; p++) {
        g_assert_cmphex(get(&f, 5) & 3, ==, 1); /* nothing lost */
        g_assert_cmpint(get(&f, 0), ==, *p);
        test_poll(f.t);
    }
    set(&f, 2, 0);
    g_assert_cmphex(get(&f, 2), ==, 0x01);
    stop(&f);
}

static void test_loopback(void)
{
    Fixture f;

    start(&f);
    g_assert_cmphex(get(&f, 6) & 0xf0, ==, 0xb0);
    set(&f, 4, 0x10);
    g_assert_cmphex(get(&f, 6), ==, 0x0b);
    set(&f, 4, 0x1f);
    g_assert_cmphex(get(&f, 6), ==, 0xfb);
    set(&f, 1, 0x08);
    set(&f, 4, 0x1a);
    g_assert_cmphex(get(&f, 2), ==, 0x00);
    g_assert_cmphex(get(&f, 6), ==, 0x96); /* DSR changed, RI went away */
    set(&f, 0, 0x5a);
    g_assert_cmphex(get(&f, 0), ==, 0x5a);
    set(&f, 0, 1);
    set(&f, 0, 2);
    set(&f, 1, 0x04);
    g_assert_cmphex(get(&f, 2), ==, 0x06);
    g_assert_cmphex(get(&f, 5) & 2, ==, 2); /* overrun */
    g_assert_cmphex(get(&f, 5) & 2, ==, 0);
    g_autoptr(GByteArray) out = chardev_ringbuf_read(f.chr, 100);
    g_assert_cmpuint(out->len, ==, 0);
    stop(&f);
}

static void test_divisor(void)
{
    Fixture f;

    start(&f);
    set(&f, 3, 0x83);
    set(&f, 0, 1);
    set(&f, 1, 2);
    g_assert_cmphex(get(&f, 0), ==, 1);
    g_assert_cmphex(get(&f, 1), ==, 2);
    set(&f, 3, 3);
    g_assert_cmphex(get(&f, 1), ==, 0);
    set(&f, 7, 0xa5);
    g_assert_cmphex(get(&f, 7), ==, 0xa5);
    stop(&f);
}

static void test_ports(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;

    start(&f);
    device_test_add(f.t, TYPE_ISA_SERIAL);
    device_test_add(f.t, TYPE_ISA_SERIAL);
    device_test_add_with(f.t, TYPE_ISA_SERIAL, "iobase=0x100", "irq=5", NULL);
    g_assert_cmphex(test_inb(f.t, 0x2fd), ==, 0x60);
    g_assert_cmphex(test_inb(f.t, 0x3ed), ==, 0x60);
    g_assert_cmphex(test_inb(f.t, 0x105), ==, 0x60);
    test_outb(f.t, 0x101, 0x02);
    g_assert_cmpint(f.t->lines.level[5], ==, 1);
    g_assert_null(serial_isa_create(f.t->isa, 4, NULL, &error));
    g_assert_nonnull(strstr(error->message, "index=4"));
    g_clear_error(&error);
    g_assert_null(serial_isa_create(f.t->isa, 3, f.chr, &error)); /* taken */
    g_assert_nonnull(error);
    stop(&f);
}

static void test_random(void)
{
    Fixture f;

    start(&f);
    for (int i = 0; i < 200; i++) {
        type(&f, "some input");
        test_poke_ports(f.t, COM1, 8, 40);
        test_poll(f.t);
        g_byte_array_unref(chardev_ringbuf_read(f.chr, 4096));
    }
    stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/serial/transmit", test_transmit);
    g_test_add_func("/serial/transmit-interrupt", test_transmit_interrupt);
    g_test_add_func("/serial/receive", test_receive);
    g_test_add_func("/serial/fifo", test_fifo);
    g_test_add_func("/serial/loopback", test_loopback);
    g_test_add_func("/serial/divisor", test_divisor);
    g_test_add_func("/serial/ports", test_ports);
    g_test_add_func("/serial/random", test_random);
    return g_test_run();
}
