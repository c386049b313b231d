/* SPDX-License-Identifier: MIT
 *
 * The 8254 in its six modes, latches, read-back, BCD; port 61h.
 */
#include "device-test.h"
#include "hw/intc/i8259.h"
#include "hw/timer/i8254.h"

#define TICKS_NS(n) (((int64_t)(n)*NANOSECONDS_PER_SECOND + I8254_FREQUENCY - 1) / I8254_FREQUENCY)

typedef struct Fixture {
    DeviceTest *t;
    I8254State *pit;
} Fixture;

static void start(Fixture *f)
{
    GError *error = NULL;

    f->t = device_test_new();
    f->pit = i8254_create(f->t->isa, 0x40, 0, NULL, &error);
    g_assert_no_error(error);
    pcspk_create(f->t->isa, f->pit, &error);
    g_assert_no_error(error);
    test_reset(f->t);
}

static void stop(Fixture *f)
{
    device_test_free(f->t);
}

static void load(Fixture *f, unsigned counter, uint8_t control, uint16_t count)
{
    test_outb(f->t, 0x43, counter << 6 | control);
    test_outb(f->t, 0x40 + counter, count);
    test_outb(f->t, 0x40 + counter, count >> 8);
}

static uint16_t read_count(Fixture *f, unsigned counter)
{
    test_outb(f->t, 0x43, counter << 6);
    uint8_t low = test_inb(f->t, 0x40 + counter);
    return low | test_inb(f->t, 0x40 + counter) << 8;
}

static void test_rate(void)
{
    Fixture f;

    start(&f);
    load(&f, 0, 0x34, 1193);
    g_assert_cmpint(f.t->lines.level[0], ==, 1); /* mode 2 rests high */
    test_clock_step(f.t, TICKS_NS(1193 * 10) + 10);
    g_assert_cmpint(f.t->lines.rises[0], ==, 11); /* the first is of loading */
    g_assert_cmpint(read_count(&f, 0), ==, 1193);
    test_clock_step(f.t, TICKS_NS(100));
    g_assert_cmpint(read_count(&f, 0), ==, 1093);
    stop(&f);
}

static void test_square(void)
{
    Fixture f;

    start(&f);
    load(&f, 2, 0x36, 1000);
    i8254_set_gate(f.pit, 2, 1);
    g_assert_cmpint(i8254_get_out(f.pit, 2), ==, 1);
    test_clock_step(f.t, TICKS_NS(100));
    g_assert_cmpint(read_count(&f, 2), ==, 800); /* goes down by two */
    test_clock_step(f.t, TICKS_NS(401));
    g_assert_cmpint(i8254_get_out(f.pit, 2), ==, 0);
    test_clock_step(f.t, TICKS_NS(500));
    g_assert_cmpint(i8254_get_out(f.pit, 2), ==, 1);
    i8254_set_gate(f.pit, 2, 0);
    test_clock_step(f.t, TICKS_NS(700));
    g_assert_cmpint(i8254_get_out(f.pit, 2), ==, 1);
    stop(&f);
}

static void test_terminal_count(void)
{
    Fixture f;

    start(&f);
    load(&f, 0, 0x30, 500);
    g_assert_cmpint(f.t->lines.level[0], ==, 0);
    test_clock_step(f.t, TICKS_NS(499));
    g_assert_cmpint(f.t->lines.level[0], ==, 0);
    test_clock_step(f.t, TICKS_NS(2));
    g_assert_cmpint(f.t->lines.level[0], ==, 1);
    test_clock_step(f.t, TICKS_NS(99) - 1000);
    g_assert_cmphex(read_count(&f, 0), ==, 0x10000 - 98); /* goes on through 0 */
    stop(&f);
}

static void test_one_shot(void)
{
    Fixture f;

    start(&f);
    i8254_set_gate(f.pit, 2, 0);
    load(&f, 2, 0x32, 100);
    g_assert_cmpint(i8254_get_out(f.pit, 2), ==, 1);
    i8254_set_gate(f.pit, 2, 1);
    g_assert_cmpint(i8254_get_out(f.pit, 2), ==, 0);
    test_clock_step(f.t, TICKS_NS(60));
    i8254_set_gate(f.pit, 2, 0);
    i8254_set_gate(f.pit, 2, 1); /* retriggers */
    test_clock_step(f.t, TICKS_NS(60));
    g_assert_cmpint(i8254_get_out(f.pit, 2), ==, 0);
    test_clock_step(f.t, TICKS_NS(41));
    g_assert_cmpint(i8254_get_out(f.pit, 2), ==, 1);
    stop(&f);
}

static uint8_t read_status(Fixture *f, unsigned counter)
{
    test_outb(f->t, 0x43, 0xe0 | 2u << counter);
    return test_inb(f->t, 0x40 + counter);
}

static void write_count(Fixture *f, unsigned counter, uint16_t count)
{
    test_outb(f->t, 0x40 + counter, count & 0xff);
    test_outb(f->t, 0x40 + counter, count >> 8);
}

/* Modes 2 and 3 go on to the end of the cycle, or of its half, with the old count. */
static void test_new_count(void)
{
    Fixture f;

    start(&f);
    i8254_set_gate(f.pit, 2, 1);
    load(&f, 2, 0x36, 1000);
    test_clock_step(f.t, TICKS_NS(3100)); /* the high half of the fourth cycle */
    write_count(&f, 2, 600);
    g_assert_cmphex(read_status(&f, 2), ==, 0xf6); /* null count */
    test_clock_step(f.t, TICKS_NS(390));
    g_assert_cmpint(i8254_get_out(f.pit, 2), ==, 1);
    test_clock_step(f.t, TICKS_NS(20));
    g_assert_cmphex(read_status(&f, 2), ==, 0x36);
    test_clock_step(f.t, TICKS_NS(280)); /* 290 of the new low half's 300 */
    g_assert_cmpint(i8254_get_out(f.pit, 2), ==, 0);
    test_clock_step(f.t, TICKS_NS(20));
    g_assert_cmpint(i8254_get_out(f.pit, 2), ==, 1);
    load(&f, 2, 0x34, 100);
    test_clock_step(f.t, TICKS_NS(1050));
    write_count(&f, 2, 1000);
    g_assert_cmpint(read_count(&f, 2), ==, 50);
    test_clock_step(f.t, TICKS_NS(60));
    g_assert_cmpint(read_count(&f, 2), ==, 990);
    stop(&f);
}

/* A one-shot under way is not disturbed by the count of the next one. */
static void test_one_shot_new_count(void)
{
    Fixture f;

    start(&f);
    load(&f, 2, 0x32, 100);
    i8254_set_gate(f.pit, 2, 1);
    test_clock_step(f.t, TICKS_NS(50));
    write_count(&f, 2, 400);
    g_assert_cmphex(read_status(&f, 2), ==, 0x72);
    test_clock_step(f.t, TICKS_NS(51));
    g_assert_cmpint(i8254_get_out(f.pit, 2), ==, 1);
    i8254_set_gate(f.pit, 2, 0);
    i8254_set_gate(f.pit, 2, 1);
    test_clock_step(f.t, TICKS_NS(390));
    g_assert_cmphex(read_status(&f, 2), ==, 0x32);
    test_clock_step(f.t, TICKS_NS(20));
    g_assert_cmpint(i8254_get_out(f.pit, 2), ==, 1);
    stop(&f);
}

static void test_strobes(void)
{
    Fixture f;

    start(&f);
    i8254_set_gate(f.pit, 2, 1);
    load(&f, 2, 0x38, 10); /* software */
    test_clock_step(f.t, TICKS_NS(10));
    g_assert_cmpint(i8254_get_out(f.pit, 2), ==, 0);
    test_clock_step(f.t, TICKS_NS(1));
    g_assert_cmpint(i8254_get_out(f.pit, 2), ==, 1);
    load(&f, 2, 0x3a, 10); /* hardware */
    test_clock_step(f.t, TICKS_NS(10));
    g_assert_cmpint(i8254_get_out(f.pit, 2), ==, 1);
    i8254_set_gate(f.pit, 2, 0);
    i8254_set_gate(f.pit, 2, 1);
    test_clock_step(f.t, TICKS_NS(10));
    g_assert_cmpint(i8254_get_out(f.pit, 2), ==, 0);
    stop(&f);
}

static void test_read_back(void)
{
    Fixture f;

    start(&f);
    load(&f, 0, 0x34, 1000);
    test_clock_step(f.t, TICKS_NS(10));
    test_outb(f.t, 0x43, 0xc2); /* count and status of 0 */
    test_clock_step(f.t, TICKS_NS(10));
    g_assert_cmphex(test_inb(f.t, 0x40), ==, 0xb4);
    g_assert_cmpint(test_inb(f.t, 0x40) | test_inb(f.t, 0x40) << 8, ==, 990);
    test_outb(f.t, 0x43, 0x34);
    test_outb(f.t, 0x43, 0xe2);
    g_assert_cmphex(test_inb(f.t, 0x40) & 0x40, ==, 0x40); /* no count yet */
    stop(&f);
}

static void test_bcd(void)
{
    Fixture f;

    start(&f);
    load(&f, 0, 0x35, 0x1000);
    test_clock_step(f.t, TICKS_NS(1));
    g_assert_cmphex(read_count(&f, 0), ==, 0x0999);
    load(&f, 0, 0x35, 0);
    test_clock_step(f.t, TICKS_NS(1));
    g_assert_cmphex(read_count(&f, 0), ==, 0x9999);
    stop(&f);
}

static void test_reload(void)
{
    Fixture f;

    start(&f);
    load(&f, 0, 0x34, 1000);
    test_clock_step(f.t, TICKS_NS(100));
    test_outb(f.t, 0x40, 2000 & 0xff);
    test_outb(f.t, 0x40, 2000 >> 8);
    g_assert_cmpint(read_count(&f, 0), ==, 900); /* until the cycle is over */
    test_clock_step(f.t, TICKS_NS(900));
    g_assert_cmpint(read_count(&f, 0), ==, 2000);
    stop(&f);
}

/* The shortest period that a guest can ask for must not cost more than the limit. */
static void test_short_period(void)
{
    Fixture f;

    start(&f);
    load(&f, 0, 0x34, 2);
    test_clock_step(f.t, 10 * 1000 * 1000);
    g_assert_cmpint(f.t->lines.rises[0], >, 10);
    g_assert_cmpint(f.t->lines.rises[0], <, 1000);
    load(&f, 0, 0x34, 1);
    test_clock_step(f.t, 1000 * 1000);
    stop(&f);
}

/* A loop that was held up: the ticks come all the same. */
static void test_catch_up(void)
{
    Fixture f;

    start(&f);
    load(&f, 0, 0x34, 1193);
    test_clock_jump(f.t, TICKS_NS(1193 * 10));
    test_clock_step(f.t, 10 * 300000);
    g_assert_cmpint(f.t->lines.rises[0], >=, 1 + 10);
    test_clock_jump(f.t, 100 * NANOSECONDS_PER_SECOND);
    int before = f.t->lines.rises[0];
    test_clock_step(f.t, NANOSECONDS_PER_SECOND);
    g_assert_cmpint(f.t->lines.rises[0], <, before + 1260);
    stop(&f);
}

static void init_8259s(DeviceTest *t)
{
    static const uint8_t words[] = {0x11, 0x20, 0x04, 0x01, 0xfe};

    for (unsigned i = 0; i < sizeof(words); i++) {
        test_outb(t, i ? 0x21 : 0x20, words[i]);
    }
}

/* A guest that was held up gets the ticks that it could not take. */
static void test_lost_ticks(void)
{
    DeviceTest *t = device_test_new();
    I8259Pair pics;
    int taken = 0;

    i8259_create_pair(t->isa, t->lines.irqs[20], &pics, NULL);
    Fixture f = {t, i8254_create(t->isa, 0x40, 0, pics.irqs[0], NULL)};
    test_reset(t);
    init_8259s(t);
    load(&f, 0, 0x34, 1193);
    test_clock_step(t, 20 * 1000 * 1000);
    for (int i = 0; i < 200; i++) {
        if (i8259_pending(pics.master)) {
            g_assert_cmphex(i8259_acknowledge(pics.master), ==, 0x20);
            test_outb(t, 0x20, 0x20);
            taken++;
        }
        test_clock_step(t, 100 * 1000);
    }
    g_assert_cmpint(taken, >=, 39);
    g_assert_cmpint(taken, <=, 42);
    stop(&f);
}

static void test_port61(void)
{
    Fixture f;

    start(&f);
    load(&f, 2, 0x30, 100);
    test_outb(f.t, 0x61, 0x01);
    g_assert_cmphex(test_inb(f.t, 0x61) & 0x2f, ==, 0x01);
    test_clock_step(f.t, TICKS_NS(101));
    g_assert_cmphex(test_inb(f.t, 0x61) & 0x2f, ==, 0x21);
    uint8_t before = test_inb(f.t, 0x61) & 0x10;
    test_clock_step(f.t, 15085);
    g_assert_cmphex(test_inb(f.t, 0x61) & 0x10, !=, before);
    stop(&f);
}

static void test_random(void)
{
    Fixture f;

    start(&f);
    for (int i = 0; i < 50; i++) {
        test_poke_ports(f.t, 0x40, 4, 100);
        test_poke_ports(f.t, 0x61, 1, 5);
    }
    stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/i8254/rate", test_rate);
    g_test_add_func("/i8254/square", test_square);
    g_test_add_func("/i8254/terminal-count", test_terminal_count);
    g_test_add_func("/i8254/one-shot", test_one_shot);
    g_test_add_func("/i8254/new-count", test_new_count);
    g_test_add_func("/i8254/one-shot-new-count", test_one_shot_new_count);
    g_test_add_func("/i8254/strobes", test_strobes);
    g_test_add_func("/i8254/read-back", test_read_back);
    g_test_add_func("/i8254/bcd", test_bcd);
    g_test_add_func("/i8254/reload", test_reload);
    g_test_add_func("/i8254/short-period", test_short_period);
    g_test_add_func("/i8254/catch-up", test_catch_up);
    g_test_add_func("/i8254/lost-ticks", test_lost_ticks);
    g_test_add_func("/i8254/port61", test_port61);
    g_test_add_func("/i8254/random", test_random);
    return g_test_run();
}
