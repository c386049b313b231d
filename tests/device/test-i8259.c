/* SPDX-License-Identifier: MIT
 *
 * The 8259A pair: priorities, rotation, masks, EOI in its forms, poll, level inputs.
 */
#include "device-test.h"
#include "hw/intc/i8259.h"

typedef struct Fixture {
    DeviceTest *t;
    I8259Pair pair;
    TestLines out;
} Fixture;

static void start(Fixture *f, uint8_t icw4)
{
    GError *error = NULL;

    f->t = device_test_new();
    test_lines_init(&f->out);
    i8259_create_pair(f->t->isa, f->out.irqs[0], &f->pair, &error);
    g_assert_no_error(error);
    test_reset(f->t);
    test_outb(f->t, 0x20, 0x11);
    test_outb(f->t, 0x21, 0x20);
    test_outb(f->t, 0x21, 0x04);
    test_outb(f->t, 0x21, icw4);
    test_outb(f->t, 0xa0, 0x11);
    test_outb(f->t, 0xa1, 0x28);
    test_outb(f->t, 0xa1, 0x02);
    test_outb(f->t, 0xa1, icw4 & ~0x10);
}

static void stop(Fixture *f)
{
    device_test_free(f->t);
    test_lines_finish(&f->out);
}

static int ack(Fixture *f)
{
    return i8259_acknowledge(f->pair.master);
}

static void test_priority(void)
{
    Fixture f;

    start(&f, 0x01);
    irq_raise(f.pair.irqs[4]);
    g_assert_cmpint(f.out.level[0], ==, 1);
    irq_raise(f.pair.irqs[3]);
    g_assert_cmphex(test_inb(f.t, 0x20), ==, 0x18); /* IRR */
    g_assert_cmphex(ack(&f), ==, 0x23);
    g_assert_cmpint(f.out.level[0], ==, 0); /* 4 is below 3 */
    irq_raise(f.pair.irqs[1]);
    g_assert_cmpint(f.out.level[0], ==, 1); /* 1 nests */
    g_assert_cmphex(ack(&f), ==, 0x21);
    test_outb(f.t, 0x20, 0x0b);
    g_assert_cmphex(test_inb(f.t, 0x20), ==, 0x0a); /* ISR */
    test_outb(f.t, 0x20, 0x20);
    test_outb(f.t, 0x20, 0x63); /* specific */
    g_assert_cmphex(ack(&f), ==, 0x24);
    g_assert_cmphex(test_inb(f.t, 0x20), ==, 0x10);
    stop(&f);
}

static void test_cascade(void)
{
    Fixture f;

    start(&f, 0x01);
    irq_raise(f.pair.irqs[12]);
    irq_raise(f.pair.irqs[9]);
    g_assert_cmphex(ack(&f), ==, 0x29);
    test_outb(f.t, 0xa0, 0x20);
    test_outb(f.t, 0x20, 0x20);
    g_assert_cmpint(f.out.level[0], ==, 1);
    g_assert_cmphex(ack(&f), ==, 0x2c);
    test_outb(f.t, 0xa0, 0x20);
    test_outb(f.t, 0x20, 0x20);
    g_assert_false(i8259_pending(f.pair.master));
    g_assert_cmphex(ack(&f), ==, 0x27); /* spurious */
    /* The slave withdraws what it asked for: nothing is left for the master. */
    irq_raise(f.pair.irqs[14]);
    g_assert_true(i8259_pending(f.pair.master));
    test_outb(f.t, 0xa1, 0xff);
    g_assert_false(i8259_pending(f.pair.master));
    stop(&f);
}

static void test_mask_and_edge(void)
{
    Fixture f;

    start(&f, 0x01);
    test_outb(f.t, 0x21, 0xff);
    irq_pulse(f.pair.irqs[0]);
    g_assert_false(i8259_pending(f.pair.master));
    test_outb(f.t, 0x21, 0xfe); /* the edge was kept */
    g_assert_cmphex(ack(&f), ==, 0x20);
    g_assert_cmphex(test_inb(f.t, 0x21), ==, 0xfe);
    test_outb(f.t, 0x20, 0x20);
    irq_raise(f.pair.irqs[0]);
    g_assert_cmphex(ack(&f), ==, 0x20);
    test_outb(f.t, 0x20, 0x20);
    irq_raise(f.pair.irqs[0]); /* still high: no edge */
    g_assert_false(i8259_pending(f.pair.master));
    stop(&f);
}

static void test_level(void)
{
    Fixture f;

    start(&f, 0x01);
    test_outb(f.t, 0x4d0, 0xff);
    g_assert_cmphex(test_inb(f.t, 0x4d0), ==, 0xf8);
    test_outb(f.t, 0x4d1, 0xff);
    g_assert_cmphex(test_inb(f.t, 0x4d1), ==, 0xde);
    irq_raise(f.pair.irqs[11]);
    g_assert_cmphex(ack(&f), ==, 0x2b);
    test_outb(f.t, 0xa0, 0x20);
    test_outb(f.t, 0x20, 0x20);
    g_assert_true(i8259_pending(f.pair.master)); /* until the device lets go */
    irq_lower(f.pair.irqs[11]);
    g_assert_false(i8259_pending(f.pair.master));
    stop(&f);
}

static void test_rotation(void)
{
    Fixture f;

    start(&f, 0x01);
    irq_pulse(f.pair.irqs[0]);
    g_assert_cmphex(ack(&f), ==, 0x20);
    test_outb(f.t, 0x20, 0xa0); /* rotate on EOI: 0 is now the lowest */
    irq_pulse(f.pair.irqs[0]);
    irq_pulse(f.pair.irqs[7]);
    g_assert_cmphex(ack(&f), ==, 0x27);
    test_outb(f.t, 0x20, 0x20);
    g_assert_cmphex(ack(&f), ==, 0x20);
    test_outb(f.t, 0x20, 0x20);
    test_outb(f.t, 0x20, 0xc3); /* set priority: 4 is the highest */
    irq_pulse(f.pair.irqs[3]);
    irq_pulse(f.pair.irqs[4]);
    g_assert_cmphex(ack(&f), ==, 0x24);
    stop(&f);
}

static void test_auto_eoi(void)
{
    Fixture f;

    start(&f, 0x03);
    irq_pulse(f.pair.irqs[5]);
    irq_pulse(f.pair.irqs[6]);
    g_assert_cmphex(ack(&f), ==, 0x25);
    g_assert_cmphex(ack(&f), ==, 0x26);
    test_outb(f.t, 0x20, 0x80); /* rotate in automatic EOI */
    irq_pulse(f.pair.irqs[3]);
    g_assert_cmphex(ack(&f), ==, 0x23);
    irq_pulse(f.pair.irqs[3]);
    irq_pulse(f.pair.irqs[4]);
    g_assert_cmphex(ack(&f), ==, 0x24);
    stop(&f);
}

static void test_special_mask(void)
{
    Fixture f;

    start(&f, 0x01);
    irq_pulse(f.pair.irqs[1]);
    g_assert_cmphex(ack(&f), ==, 0x21);
    irq_pulse(f.pair.irqs[6]);
    g_assert_false(i8259_pending(f.pair.master));
    test_outb(f.t, 0x21, 0x02);
    test_outb(f.t, 0x20, 0x68); /* the masked level in service no longer blocks */
    g_assert_cmphex(ack(&f), ==, 0x26);
    test_outb(f.t, 0x20, 0x20); /* ends 6: masked 1 is not touched */
    test_outb(f.t, 0x20, 0x0b);
    g_assert_cmphex(test_inb(f.t, 0x20), ==, 0x02);
    stop(&f);
}

static void test_poll_mode(void)
{
    Fixture f;

    start(&f, 0x01);
    test_outb(f.t, 0x20, 0x0c);
    g_assert_cmphex(test_inb(f.t, 0x20), ==, 0x00);
    irq_pulse(f.pair.irqs[5]);
    test_outb(f.t, 0x20, 0x0c);
    g_assert_cmphex(test_inb(f.t, 0x20), ==, 0x85);
    test_outb(f.t, 0x20, 0x0b);
    g_assert_cmphex(test_inb(f.t, 0x20), ==, 0x20);
    stop(&f);
}

static void test_random(void)
{
    Fixture f;

    start(&f, 0x01);
    for (int i = 0; i < 200; i++) {
        irq_set(f.pair.irqs[g_test_rand_int_range(0, 16)], g_test_rand_bit());
        test_poke_ports(f.t, 0x20, 2, 10);
        test_poke_ports(f.t, 0xa0, 2, 10);
        test_poke_ports(f.t, 0x4d0, 2, 3);
        g_assert_cmpint(ack(&f), <, 256);
    }
    stop(&f);
}

/* A slave's more urgent input nests within its less urgent one; the master's own inputs do not. */
static void test_special_fully_nested(void)
{
    Fixture f;

    start(&f, 0x11);
    irq_raise(f.pair.irqs[13]);
    g_assert_cmphex(ack(&f), ==, 0x2d);
    irq_raise(f.pair.irqs[5]);
    g_assert_cmpint(f.out.level[0], ==, 0); /* below input 2 */
    irq_raise(f.pair.irqs[14]);
    g_assert_cmpint(f.out.level[0], ==, 0); /* below 13 in the slave */
    irq_raise(f.pair.irqs[10]);
    g_assert_cmphex(ack(&f), ==, 0x2a);
    test_outb(f.t, 0xa0, 0x20);
    test_outb(f.t, 0xa0, 0x0b);
    g_assert_cmphex(test_inb(f.t, 0xa0), ==, 0x20); /* 13 is still in service: no EOI to the master */
    test_outb(f.t, 0xa0, 0x20);
    test_outb(f.t, 0x20, 0x20);
    g_assert_cmphex(ack(&f), ==, 0x2e);
    stop(&f);
    start(&f, 0x01); /* not so without the mode */
    irq_raise(f.pair.irqs[13]);
    g_assert_cmphex(ack(&f), ==, 0x2d);
    irq_raise(f.pair.irqs[10]);
    g_assert_cmpint(f.out.level[0], ==, 0);
    stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/i8259/priority", test_priority);
    g_test_add_func("/i8259/cascade", test_cascade);
    g_test_add_func("/i8259/mask-and-edge", test_mask_and_edge);
    g_test_add_func("/i8259/level", test_level);
    g_test_add_func("/i8259/rotation", test_rotation);
    g_test_add_func("/i8259/auto-eoi", test_auto_eoi);
    g_test_add_func("/i8259/special-mask", test_special_mask);
    g_test_add_func("/i8259/special-fully-nested", test_special_fully_nested);
    g_test_add_func("/i8259/poll", test_poll_mode);
    g_test_add_func("/i8259/random", test_random);
    return g_test_run();
}
