/* SPDX-License-Identifier: MIT
 *
 * The parallel port: its registers, a byte from strobe to acknowledgement, the interrupt, a
 * printer that is reset, and one that has no room.
 */
#include <sys/socket.h>
#include <unistd.h>
#include "device-test.h"
#include "hw/char/parallel.h"
#include "system/char/char-ringbuf.h"

#define LPT1    0x378
#define DATA    LPT1
#define STATUS  (LPT1 + 1)
#define CONTROL (LPT1 + 2)

#define IDLE         0xd9
#define BUSY         0x59
#define BUSY_AND_ACK 0x19
#define READY        0x0c /* INIT# and select */
#define STROBE       0x01
#define IRQ_ENABLE   0x10

typedef struct Fixture {
    DeviceTest *t;
    Chardev *chr;
} Fixture;

static void start_with(Fixture *f, const char *back_end)
{
    GError *error = NULL;

    f->t = device_test_new();
    f->chr = chardev_new(f->t->machine, "c", back_end, &error);
    g_assert_no_error(error);
    parallel_isa_create(f->t->isa, 0, f->chr, &error);
    g_assert_no_error(error);
    test_reset(f->t);
}

static void start(Fixture *f)
{
    start_with(f, "ringbuf,size=4096");
}

static void stop(Fixture *f)
{
    device_test_free(f->t);
}

/* As a driver: the byte, then a pulse of the strobe. */
static void print(Fixture *f, uint8_t byte, uint8_t control)
{
    test_outb(f->t, DATA, byte);
    test_outb(f->t, CONTROL, control | STROBE);
    test_outb(f->t, CONTROL, control);
}

static void check_printed(Fixture *f, const char *text)
{
    g_autoptr(GByteArray) out = chardev_ringbuf_read(f->chr, 100);

    g_assert_cmpmem(out->data, out->len, text, strlen(text));
}

static void test_registers(void)
{
    Fixture f;

    start(&f);
    g_assert_cmphex(test_inb(f.t, DATA), ==, 0xff);
    g_assert_cmphex(test_inb(f.t, STATUS), ==, IDLE);
    g_assert_cmphex(test_inb(f.t, CONTROL), ==, 0xcc);
    for (unsigned value = 0; value < 256; value += 17) {
        test_outb(f.t, DATA, value);
        g_assert_cmphex(test_inb(f.t, DATA), ==, value);
    }
    test_outb(f.t, STATUS, 0);
    g_assert_cmphex(test_inb(f.t, STATUS), ==, IDLE);
    test_outb(f.t, DATA, 0x12);
    test_outb(f.t, CONTROL, 0x20 | READY); /* turned round: nothing drives the lines */
    g_assert_cmphex(test_inb(f.t, CONTROL), ==, 0xec);
    g_assert_cmphex(test_inb(f.t, DATA), ==, 0xff);
    test_outb(f.t, CONTROL, READY);
    g_assert_cmphex(test_inb(f.t, DATA), ==, 0x12);
    test_reset(f.t);
    g_assert_cmphex(test_inb(f.t, DATA), ==, 0xff);
    check_printed(&f, "");
    stop(&f);
}

static void test_print(void)
{
    Fixture f;

    start(&f);
    test_outb(f.t, DATA, 'a');
    test_outb(f.t, CONTROL, READY | STROBE);
    for (int i = 0; i < 3; i++) { /* busy for as long as the strobe is there */
        g_assert_cmphex(test_inb(f.t, STATUS), ==, BUSY);
    }
    test_outb(f.t, CONTROL, READY);
    g_assert_cmphex(test_inb(f.t, STATUS), ==, BUSY);
    g_assert_cmphex(test_inb(f.t, STATUS), ==, BUSY_AND_ACK);
    g_assert_cmphex(test_inb(f.t, STATUS), ==, IDLE);
    g_assert_cmphex(test_inb(f.t, STATUS), ==, IDLE);
    g_assert_cmpint(f.t->lines.level[7], ==, 0);
    for (const char *p = "bcd"; *p; p++) {
        print(&f, *p, READY);
    }
    check_printed(&f, "abcd");
    print(&f, 'x', 0x04); /* not selected */
    test_outb(f.t, CONTROL, 0x04);
    check_printed(&f, "");
    stop(&f);
}

static void test_interrupt(void)
{
    Fixture f;

    start(&f);
    test_outb(f.t, CONTROL, READY | IRQ_ENABLE);
    g_assert_cmpint(f.t->lines.level[7], ==, 0);
    test_outb(f.t, CONTROL, READY | IRQ_ENABLE | STROBE);
    g_assert_cmpint(f.t->lines.level[7], ==, 0);
    test_outb(f.t, CONTROL, READY | IRQ_ENABLE);
    g_assert_cmpint(f.t->lines.level[7], ==, 1);
    test_inb(f.t, STATUS);
    g_assert_cmpint(f.t->lines.level[7], ==, 0);
    print(&f, 'y', READY | IRQ_ENABLE);
    g_assert_cmpint(f.t->lines.level[7], ==, 1);
    test_outb(f.t, CONTROL, READY);
    g_assert_cmpint(f.t->lines.level[7], ==, 0);
    print(&f, 'z', READY | IRQ_ENABLE);
    test_reset(f.t);
    g_assert_cmpint(f.t->lines.level[7], ==, 0);
    stop(&f);
}

static void test_init(void)
{
    Fixture f;

    start(&f);
    print(&f, 'a', READY);
    test_outb(f.t, CONTROL, 0); /* INIT# */
    g_assert_cmphex(test_inb(f.t, STATUS), ==, IDLE);
    print(&f, 'b', 0x08);
    test_outb(f.t, CONTROL, READY);
    check_printed(&f, "a");
    stop(&f);
}

/* The other end of a socket does not read: the printer stays busy, and nothing is lost. */
static void test_no_room(void)
{
    g_autofree char *back_end = NULL;
    unsigned sent = 0, received = 0;
    int ends[2], size = 1;
    uint8_t buf[4096];
    ssize_t n;
    Fixture f;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), ==, 0);
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    back_end = g_strdup_printf("socket,fd=%d", ends[0]);
    start_with(&f, back_end);
    do {
        print(&f, sent, READY | IRQ_ENABLE);
        sent++;
    } while (f.t->lines.level[7] && (test_inb(f.t, STATUS), sent < 10000000));
    g_assert_cmpint(sent, <, 10000000);
    for (int i = 0; i < 5; i++) {
        g_assert_cmphex(test_inb(f.t, STATUS), ==, BUSY);
    }
    print(&f, 0xee, READY | IRQ_ENABLE); /* ignored */
    while (received < sent) {
        test_poll(f.t);
        n = read(ends[1], buf, sizeof(buf));
        for (ssize_t i = 0; i < n; i++) {
            g_assert_cmphex(buf[i], ==, (uint8_t)(received + i));
        }
        received += MAX(n, 0);
    }
    test_poll(f.t);
    g_assert_cmpint(f.t->lines.level[7], ==, 1);
    g_assert_cmpint(read(ends[1], buf, sizeof(buf)), <, 0);
    stop(&f);
    close(ends[1]);
}

static void test_ports(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;

    start(&f);
    device_test_add(f.t, TYPE_ISA_PARALLEL);
    device_test_add_with(f.t, TYPE_ISA_PARALLEL, "irq=5", NULL);
    test_reset(f.t);
    g_assert_cmphex(test_inb(f.t, 0x27a), ==, 0xcc);
    g_assert_cmphex(test_inb(f.t, 0x3be), ==, 0xcc);
    g_assert_null(parallel_isa_create(f.t->isa, 3, NULL, &error));
    g_assert_nonnull(strstr(error->message, "at most 3"));
    stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parallel/registers", test_registers);
    g_test_add_func("/parallel/print", test_print);
    g_test_add_func("/parallel/interrupt", test_interrupt);
    g_test_add_func("/parallel/init", test_init);
    g_test_add_func("/parallel/no-room", test_no_room);
    g_test_add_func("/parallel/ports", test_ports);
    return g_test_run();
}
