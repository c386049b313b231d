/* SPDX-License-Identifier: MIT
 *
 * The real-time clock on the test's own clock: calendar, formats, SET, UIP,
 * update, alarm and periodic interrupts, reset.
 */
#include "device-test.h"
#include "hw/rtc/mc146818rtc.h"
#include "hw/rtc/rtc-date.h"

#define SECOND NANOSECONDS_PER_SECOND

static DeviceTest *start(const char *base)
{
    DeviceTest *t = device_test_new();
    g_autofree char *setting = g_strdup_printf("base=%s", base);

    device_test_add_with(t, TYPE_MC146818_RTC, "clock=vm", setting, NULL);
    test_reset(t);
    return t;
}

static uint8_t get(DeviceTest *t, uint8_t reg)
{
    test_outb(t, 0x70, reg);
    return test_inb(t, 0x71);
}

static void set(DeviceTest *t, uint8_t reg, uint8_t value)
{
    test_outb(t, 0x70, reg);
    test_outb(t, 0x71, value);
}

static void test_calendar(void)
{
    g_autoptr(DeviceTest) t = start("2023-12-31T23:59:58");

    g_assert_cmphex(get(t, 9), ==, 0x23);
    g_assert_cmphex(get(t, 0x32), ==, 0x20);
    g_assert_cmphex(get(t, 6), ==, 1); /* a Sunday */
    g_assert_cmphex(get(t, 0x0d), ==, 0x80);
    test_clock_step(t, 2 * SECOND);
    g_assert_cmphex(get(t, 0), ==, 0x00);
    g_assert_cmphex(get(t, 4), ==, 0x00);
    g_assert_cmphex(get(t, 7), ==, 0x01);
    g_assert_cmphex(get(t, 8), ==, 0x01);
    g_assert_cmphex(get(t, 9), ==, 0x24);
    g_assert_cmphex(get(t, 0x37), ==, 0x20); /* the century where a PS/2 has it */
    set(t, 0x37, 0x19);
    g_assert_cmphex(get(t, 0x32), ==, 0x19);
}

/* With the dividers held nothing moves; the first update comes half a second after they go. */
static void test_divider_reset(void)
{
    g_autoptr(DeviceTest) t = start("2024-02-29T21:45:07");

    test_clock_step(t, SECOND / 4);
    set(t, 0x0a, 0x76);
    set(t, 0, 0x10);
    test_clock_step(t, 5 * SECOND);
    g_assert_cmphex(get(t, 0), ==, 0x10);
    g_assert_cmphex(get(t, 2), ==, 0x45);
    set(t, 0x0a, 0x26);
    test_clock_step(t, 499 * SECOND / 1000);
    g_assert_cmphex(get(t, 0), ==, 0x10);
    g_assert_cmphex(get(t, 0x0a), ==, 0x26);
    test_clock_step(t, 900000); /* 100 us are left */
    g_assert_cmphex(get(t, 0x0a), ==, 0xa6);
    test_clock_step(t, 200000);
    g_assert_cmphex(get(t, 0), ==, 0x11);
    g_assert_cmphex(get(t, 0x0a), ==, 0x26);
}

static void test_formats(void)
{
    g_autoptr(DeviceTest) t = start("2024-02-29T21:45:07");

    g_assert_cmphex(get(t, 4), ==, 0x21);
    set(t, 0x0b, 0x06); /* binary */
    g_assert_cmpint(get(t, 4), ==, 21);
    g_assert_cmpint(get(t, 2), ==, 45);
    set(t, 0x0b, 0x04); /* binary, 12 hours */
    g_assert_cmpint(get(t, 4), ==, 0x80 | 9);
    set(t, 0x0b, 0x00);
    g_assert_cmphex(get(t, 4), ==, 0x89);
    test_clock_step(t, 3 * 3600 * SECOND);
    g_assert_cmphex(get(t, 4), ==, 0x12); /* midnight */
    g_assert_cmphex(get(t, 8), ==, 0x03);
}

static void test_set(void)
{
    g_autoptr(DeviceTest) t = start("2024-02-28T12:00:00");

    set(t, 0x0b, 0x82);
    set(t, 0, 0x59);
    set(t, 2, 0x59);
    set(t, 4, 0x23);
    set(t, 7, 0x28);
    set(t, 8, 0x02);
    set(t, 9, 0x99);
    set(t, 0x32, 0x19);
    test_clock_step(t, 10 * SECOND);
    g_assert_cmphex(get(t, 0), ==, 0x59); /* it stands still */
    set(t, 0x0b, 0x02);
    test_clock_step(t, SECOND);
    g_assert_cmphex(get(t, 7), ==, 0x01);
    g_assert_cmphex(get(t, 8), ==, 0x03); /* 1999 is no leap year */
    g_assert_cmphex(get(t, 9), ==, 0x99);
}

static void test_update(void)
{
    g_autoptr(DeviceTest) t = start("2024-01-01T00:00:00");

    set(t, 0x0b, 0x12);
    test_clock_set(t, SECOND - 100000);
    g_assert_cmphex(get(t, 0x0a) & 0x80, ==, 0x80);
    g_assert_cmpint(t->lines.level[8], ==, 0);
    test_clock_set(t, SECOND);
    g_assert_cmphex(get(t, 0x0a) & 0x80, ==, 0);
    g_assert_cmpint(t->lines.level[8], ==, 1);
    g_assert_cmphex(get(t, 0x0c) & 0xb0, ==, 0x90);
    g_assert_cmpint(t->lines.level[8], ==, 0);
    g_assert_cmphex(get(t, 0x0c) & 0xb0, ==, 0);
    test_clock_step(t, 5 * SECOND);
    g_assert_cmpint(t->lines.rises[8], ==, 2); /* not acknowledged: one */
}

static void test_alarm(void)
{
    g_autoptr(DeviceTest) t = start("2024-01-01T00:00:00");

    set(t, 1, 0x05);
    set(t, 3, 0xc0); /* any minute */
    set(t, 5, 0xff);
    set(t, 0x0b, 0x22);
    test_clock_set(t, 5 * SECOND - 1);
    g_assert_cmpint(t->lines.level[8], ==, 0);
    test_clock_set(t, 5 * SECOND);
    g_assert_cmpint(t->lines.level[8], ==, 1);
    g_assert_cmphex(get(t, 0x0c) & 0xa0, ==, 0xa0);
    test_clock_step(t, 60 * SECOND);
    g_assert_cmpint(t->lines.rises[8], ==, 2);
}

static void test_periodic(void)
{
    g_autoptr(DeviceTest) t = start("2024-01-01T00:00:00");

    set(t, 0x0a, 0x26); /* 1024 Hz */
    set(t, 0x0b, 0x42);
    for (int i = 0; i < 1024; i++) {
        test_clock_step(t, SECOND / 1024 + 1);
        g_assert_cmphex(get(t, 0x0c) & 0xc0, ==, 0xc0);
    }
    g_assert_cmpint(t->lines.rises[8], ==, 1024);
    set(t, 0x0b, 0x02);
    test_clock_step(t, SECOND);
    g_assert_cmpint(t->lines.rises[8], ==, 1024);
}

static void test_slew(void)
{
    g_autoptr(DeviceTest) t = device_test_new();

    device_test_add_with(t, TYPE_MC146818_RTC, "clock=vm", "lost_tick_policy=slew", NULL);
    set(t, 0x0a, 0x26);
    set(t, 0x0b, 0x42);
    test_clock_step(t, SECOND / 100); /* ten ticks */
    for (int i = 0; i < 10; i++) {
        g_assert_cmphex(get(t, 0x0c) & 0xc0, ==, 0xc0);
    }
    g_assert_cmphex(get(t, 0x0c) & 0xc0, ==, 0);
}

static void test_reset_keeps_memory(void)
{
    g_autoptr(DeviceTest) t = start("2024-01-01T00:00:00");

    set(t, 0x40, 0xa5);
    set(t, 0x0b, 0x72);
    test_reset(t);
    g_assert_cmphex(get(t, 0x40), ==, 0xa5);
    g_assert_cmphex(get(t, 0x0b), ==, 0x02);
    g_assert_cmphex(get(t, 9), ==, 0x24);
}

static void test_date(void)
{
    int64_t seconds;

    g_assert_true(rtc_date_parse("2000-03-01", &seconds));
    g_assert_cmpint(seconds, ==, 951868800);
    g_assert_false(rtc_date_parse("2001-02-29", &seconds));
    g_assert_false(rtc_date_parse("2001-02-20T25:00:00", &seconds));
    g_assert_false(rtc_date_parse("tomorrow", &seconds));
    for (int64_t day = -800000; day < 3000000; day += 997) {
        RTCDate d = rtc_date_from_seconds(day * 86400 + 12345);
        g_assert_cmpint(rtc_date_to_seconds(&d), ==, day * 86400 + 12345);
    }
}

static void test_random(void)
{
    g_autoptr(DeviceTest) t = start("2024-01-01T00:00:00");

    for (int i = 0; i < 2000; i++) {
        test_outb(t, 0x70, g_test_rand_int_range(0, 16) | (i % 4 ? 0 : 0x32));
        test_poke_ports(t, 0x71, 1, 3);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mc146818rtc/calendar", test_calendar);
    g_test_add_func("/mc146818rtc/divider-reset", test_divider_reset);
    g_test_add_func("/mc146818rtc/formats", test_formats);
    g_test_add_func("/mc146818rtc/set", test_set);
    g_test_add_func("/mc146818rtc/update", test_update);
    g_test_add_func("/mc146818rtc/alarm", test_alarm);
    g_test_add_func("/mc146818rtc/periodic", test_periodic);
    g_test_add_func("/mc146818rtc/slew", test_slew);
    g_test_add_func("/mc146818rtc/reset", test_reset_keeps_memory);
    g_test_add_func("/mc146818rtc/date", test_date);
    g_test_add_func("/mc146818rtc/random", test_random);
    return g_test_run();
}
