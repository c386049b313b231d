/* SPDX-License-Identifier: MIT
 *
 * HPET: counter, one-shot and periodic comparators, level status, routing, legacy replacement.
 */
#include "device-test.h"
#include "hw/timer/hpet.h"

#define CONF(n) (0x100 + 0x20 * (n))
#define CMP(n)  (0x108 + 0x20 * (n))

typedef struct Fixture {
    DeviceTest *t;
    DeviceState *hpet;
    TestLines lines;
} Fixture;

static void start(Fixture *f)
{
    f->t = device_test_new();
    test_lines_init(&f->lines);
    f->hpet = device_test_add_with(f->t, TYPE_HPET, "msi=on", "timers=4", NULL);
    sysbus_mmio_map(SYS_BUS_DEVICE(f->hpet), 0, HPET_BASE);
    for (int i = 0; i < HPET_NUM_OUTPUTS; i++) {
        sysbus_connect_irq(SYS_BUS_DEVICE(f->hpet), i, f->lines.irqs[i]);
    }
    qdev_connect_gpio_out(f->hpet, 0, f->lines.irqs[40]);
    test_reset(f->t);
}

static void stop(Fixture *f)
{
    device_test_free(f->t);
    test_lines_finish(&f->lines);
}

static uint64_t get(Fixture *f, unsigned offset)
{
    return test_read(f->t, HPET_BASE + offset, 8);
}

static void set(Fixture *f, unsigned offset, uint64_t value)
{
    test_write(f->t, HPET_BASE + offset, value, 8);
}

static void test_counter(void)
{
    Fixture f;

    start(&f);
    g_assert_cmphex(get(&f, 0), ==, 0x009896808086a301ull);
    test_clock_step(f.t, 1000);
    g_assert_cmpuint(get(&f, 0xf0), ==, 0);
    set(&f, 0x10, 1);
    test_clock_step(f.t, 1000);
    g_assert_cmpuint(get(&f, 0xf0), ==, 100);
    set(&f, 0x10, 0);
    test_clock_step(f.t, 1000);
    g_assert_cmpuint(get(&f, 0xf0), ==, 100);
    set(&f, 0xf0, 0x500000000ull);
    g_assert_cmphex(test_read(f.t, HPET_BASE + 0xf4, 4), ==, 5);
    stop(&f);
}

static void test_one_shot(void)
{
    Fixture f;

    start(&f);
    set(&f, CONF(2), 5 << 9 | 4);
    set(&f, CMP(2), 1000);
    set(&f, 0x10, 1);
    test_clock_step(f.t, 9990);
    g_assert_cmpint(f.lines.rises[5], ==, 0);
    test_clock_step(f.t, 10);
    g_assert_cmpint(f.lines.rises[5], ==, 1);
    test_clock_step(f.t, 1000000);
    g_assert_cmpint(f.lines.rises[5], ==, 1);
    set(&f, CONF(2), 5 << 9 | 4); /* the old match does not come back */
    test_clock_step(f.t, 1000);
    g_assert_cmpint(f.lines.rises[5], ==, 1);
    set(&f, CMP(2), 10); /* long gone: at once */
    test_clock_step(f.t, 1);
    g_assert_cmpint(f.lines.rises[5], ==, 2);
    stop(&f);
}

static void test_periodic(void)
{
    Fixture f;

    start(&f);
    set(&f, CONF(0), 2 << 9 | 0x4c | 0x100); /* periodic, VAL_SET, 32 bits */
    test_write(f.t, HPET_BASE + CMP(0), 5000, 4);
    test_write(f.t, HPET_BASE + CMP(0), 10000, 4);
    set(&f, 0x10, 1);
    test_clock_set(f.t, 50000);
    g_assert_cmpint(f.lines.rises[2], ==, 1);
    test_clock_set(f.t, 50000 + 100000 * 7);
    g_assert_cmpint(f.lines.rises[2], ==, 8);
    g_assert_cmpuint(get(&f, CMP(0)), ==, 5000 + 10000 * 8);
    set(&f, CONF(0), 2 << 9 | 0x4c);
    set(&f, CMP(0), 1); /* as often as it goes: must end */
    test_clock_step(f.t, 10000000);
    stop(&f);
}

/* A loop that was held up: the ticks come all the same. */
static void test_catch_up(void)
{
    Fixture f;

    start(&f);
    set(&f, CONF(0), 2 << 9 | 0x4c | 0x100);
    test_write(f.t, HPET_BASE + CMP(0), 100000, 4);
    test_write(f.t, HPET_BASE + CMP(0), 100000, 4);
    set(&f, 0x10, 1);
    test_clock_jump(f.t, 10 * 1000000);
    test_clock_step(f.t, 10 * 1000000);
    g_assert_cmpint(f.lines.rises[2], ==, 20);
    test_clock_jump(f.t, 10 * NANOSECONDS_PER_SECOND);
    test_clock_step(f.t, NANOSECONDS_PER_SECOND);
    g_assert_cmpint(f.lines.rises[2], <, 20 + 1260);
    stop(&f);
}

static void test_level(void)
{
    Fixture f;

    start(&f);
    set(&f, CONF(1), 7 << 9 | 6);
    set(&f, CMP(1), 100);
    set(&f, 0x10, 1);
    test_clock_step(f.t, 2000);
    g_assert_cmpint(f.lines.level[7], ==, 1);
    g_assert_cmphex(get(&f, 0x20), ==, 2);
    test_write(f.t, HPET_BASE + 0x20, 2, 4);
    g_assert_cmpint(f.lines.level[7], ==, 0);
    g_assert_cmphex(get(&f, 0x20), ==, 0);
    stop(&f);
}

static void test_legacy(void)
{
    Fixture f;
    IRQ pit, rtc;

    start(&f);
    pit = qdev_get_gpio_in(f.hpet, HPET_LEGACY_PIT_INT);
    rtc = qdev_get_gpio_in(f.hpet, HPET_LEGACY_RTC_INT);
    g_assert_cmpint(f.lines.level[40], ==, 1);
    irq_raise(pit);
    irq_raise(rtc);
    g_assert_cmpint(f.lines.level[0], ==, 1);
    g_assert_cmpint(f.lines.level[8], ==, 1);
    irq_lower(pit);
    set(&f, 0x10, 3);
    g_assert_cmpint(f.lines.level[40], ==, 0);
    g_assert_cmpint(f.lines.level[8], ==, 0);
    irq_pulse(pit);
    g_assert_cmpint(f.lines.rises[0], ==, 1);
    set(&f, CONF(0), 20 << 9 | 4);
    set(&f, CMP(0), get(&f, 0xf0) + 10);
    test_clock_step(f.t, 1000);
    g_assert_cmpint(f.lines.rises[0], ==, 2);
    g_assert_cmpint(f.lines.rises[20], ==, 0);
    stop(&f);
}

static void test_random(void)
{
    Fixture f;

    start(&f);
    for (int i = 0; i < 200; i++) {
        set(&f, 0x10, g_test_rand_int() & 3);
        test_poke_memory(f.t, HPET_BASE, 0x200, 50);
        test_clock_step(f.t, 100000);
    }
    stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hpet/counter", test_counter);
    g_test_add_func("/hpet/one-shot", test_one_shot);
    g_test_add_func("/hpet/periodic", test_periodic);
    g_test_add_func("/hpet/catch-up", test_catch_up);
    g_test_add_func("/hpet/level", test_level);
    g_test_add_func("/hpet/legacy", test_legacy);
    g_test_add_func("/hpet/random", test_random);
    return g_test_run();
}
