/* SPDX-License-Identifier: MIT
 *
 * The PS/2 controller, its keyboard in three code sets, its mouse; A20 and reset.
 */
#include "device-test.h"
#include "hw/i386/vmport.h"
#include "hw/input/i8042.h"
#include "system/display/input.h"

typedef struct Fixture {
    DeviceTest *t;
    TestLines a20;
} Fixture;

static void start(Fixture *f)
{
    GError *error = NULL;

    f->t = device_test_new();
    test_lines_init(&f->a20);
    i8042_create(f->t->isa, f->a20.irqs[0], &error);
    g_assert_no_error(error);
    port92_create(f->t->isa, f->a20.irqs[1], &error);
    g_assert_no_error(error);
    test_reset(f->t);
}

static void stop(Fixture *f)
{
    device_test_free(f->t);
    test_lines_finish(&f->a20);
}

static void command(Fixture *f, uint8_t byte)
{
    test_outb(f->t, 0x64, byte);
}

static void data(Fixture *f, uint8_t byte)
{
    test_outb(f->t, 0x60, byte);
}

/* The next byte, or -1; aux says whose it must be. */
static int next(Fixture *f, bool aux)
{
    uint8_t status = test_inb(f->t, 0x64);

    if (!(status & 1)) {
        return -1;
    }
    g_assert_cmpint(!!(status & 0x20), ==, aux);
    return test_inb(f->t, 0x60);
}

static void expect(Fixture *f, bool aux, unsigned n, const uint8_t *bytes)
{
    for (unsigned i = 0; i < n; i++) {
        g_assert_cmphex(next(f, aux), ==, bytes[i]);
    }
    g_assert_cmpint(next(f, aux), ==, -1);
}
#define EXPECT(f, aux, ...)                                                                        \
    expect(f, aux, sizeof((const uint8_t[]){__VA_ARGS__}), (const uint8_t[]){__VA_ARGS__})

static void key(Fixture *f, const char *name, bool down)
{
    const InputKey *k = input_key_by_name(name);

    g_assert_nonnull(k);
    input_send_key(f->t->machine, k, down);
}

static void test_self_test(void)
{
    Fixture f;

    start(&f);
    command(&f, 0xaa);
    EXPECT(&f, false, 0x55);
    g_assert_cmphex(test_inb(f.t, 0x64) & 0x04, ==, 0x04);
    command(&f, 0xab);
    EXPECT(&f, false, 0x00);
    command(&f, 0xa9);
    EXPECT(&f, false, 0x00);
    command(&f, 0x20);
    EXPECT(&f, false, 0x34);
    command(&f, 0x60);
    data(&f, 0x47);
    command(&f, 0x20);
    g_assert_cmpint(f.t->lines.level[1], ==, 1);
    EXPECT(&f, false, 0x47);
    g_assert_cmpint(f.t->lines.level[1], ==, 0);
    command(&f, 0xd3);
    data(&f, 0x5a);
    g_assert_cmpint(f.t->lines.level[12], ==, 1);
    EXPECT(&f, true, 0x5a);
    stop(&f);
}

static void test_keyboard_commands(void)
{
    Fixture f;

    start(&f);
    data(&f, 0xff);
    EXPECT(&f, false, 0xfa, 0xaa);
    data(&f, 0xf2);
    EXPECT(&f, false, 0xfa, 0xab, 0x83);
    data(&f, 0xee);
    EXPECT(&f, false, 0xee);
    data(&f, 0xed);
    data(&f, 0x07);
    EXPECT(&f, false, 0xfa, 0xfa);
    data(&f, 0xf0);
    data(&f, 0x00);
    EXPECT(&f, false, 0xfa, 0xfa, 0x02);
    data(&f, 0x01);
    EXPECT(&f, false, 0xfe);
    stop(&f);
}

static void test_keys(void)
{
    Fixture f;

    start(&f);
    key(&f, "a", true);
    key(&f, "a", false);
    EXPECT(&f, false, 0x1c, 0xf0, 0x1c);
    key(&f, "right", true);
    key(&f, "right", false);
    EXPECT(&f, false, 0xe0, 0x74, 0xe0, 0xf0, 0x74);
    command(&f, 0x60);
    data(&f, 0x41); /* translate */
    key(&f, "a", true);
    g_assert_cmpint(f.t->lines.level[1], ==, 1);
    key(&f, "a", false);
    EXPECT(&f, false, 0x1e, 0x9e);
    key(&f, "f7", true);
    key(&f, "pause", true);
    EXPECT(&f, false, 0x41, 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5);
    command(&f, 0xad); /* disabled: keys wait */
    key(&f, "b", true);
    g_assert_cmpint(next(&f, false), ==, -1);
    command(&f, 0xae);
    EXPECT(&f, false, 0x30);
    command(&f, 0x60);
    data(&f, 0x01);
    data(&f, 0xf0);
    data(&f, 0x03);
    EXPECT(&f, false, 0xfa, 0xfa);
    key(&f, "f1", true);
    key(&f, "f1", false);
    EXPECT(&f, false, 0x07, 0xf0, 0x07);
    stop(&f);
}

static void aux(Fixture *f, uint8_t byte)
{
    command(f, 0xd4);
    data(f, byte);
}

static void test_mouse(void)
{
    Fixture f;

    start(&f);
    aux(&f, 0xff);
    EXPECT(&f, true, 0xfa, 0xaa, 0x00);
    input_send_move(f.t->machine, 1, 1, 0, 0);
    g_assert_cmpint(next(&f, true), ==, -1); /* not reporting */
    aux(&f, 0xf6);
    aux(&f, 0xf4);
    EXPECT(&f, true, 0xfa, 0xfa);
    input_send_move(f.t->machine, 5, 3, 0, INPUT_BUTTON_LEFT);
    g_assert_cmpint(f.t->lines.level[12], ==, 1);
    EXPECT(&f, true, 0x29, 0x05, 0xfd);
    input_send_move(f.t->machine, 300, 0, 0, 0);
    EXPECT(&f, true, 0x08, 0xff, 0x00, 0x08, 0x2d, 0x00);
    for (unsigned i = 0; i < 3; i++) {
        aux(&f, 0xf3);
        aux(&f, (uint8_t[]){200, 100, 80}[i]);
    }
    aux(&f, 0xf2);
    while (next(&f, true) == 0xfa) {
    }
    aux(&f, 0xf2);
    EXPECT(&f, true, 0xfa, 0x03);
    input_send_move(f.t->machine, 0, 0, -1, 0);
    EXPECT(&f, true, 0x08, 0x00, 0x00, 0xff);
    aux(&f, 0xe9);
    EXPECT(&f, true, 0xfa, 0x20, 0x02, 0x50);
    for (int i = 0; i < 1000; i++) {
        input_send_move(f.t->machine, 9, 9, 9, i & 7); /* nobody reads: it stays bounded */
    }
    stop(&f);
}

static void test_a20_and_reset(void)
{
    Fixture f;

    start(&f);
    g_assert_cmpint(f.a20.level[0], ==, 1);
    command(&f, 0xd0);
    EXPECT(&f, false, 0xcf);
    command(&f, 0xd1);
    data(&f, 0xdd);
    g_assert_cmpint(f.a20.level[0], ==, 0);
    command(&f, 0xdf);
    g_assert_cmpint(f.a20.level[0], ==, 1);
    test_outb(f.t, 0x92, 0x02);
    g_assert_cmpint(f.a20.level[1], ==, 1);
    g_assert_cmphex(test_inb(f.t, 0x92), ==, 0x02);
    g_assert_cmpint(f.t->machine->reset_requested, ==, SHUTDOWN_CAUSE_NONE);
    command(&f, 0xfe);
    g_assert_cmpint(f.t->machine->reset_requested, ==, SHUTDOWN_CAUSE_GUEST_RESET);
    f.t->machine->reset_requested = SHUTDOWN_CAUSE_NONE;
    test_outb(f.t, 0x92, 0x03);
    g_assert_cmpint(f.t->machine->reset_requested, ==, SHUTDOWN_CAUSE_GUEST_RESET);
    stop(&f);
}

static void test_random(void)
{
    Fixture f;

    start(&f);
    for (int i = 0; i < 300; i++) {
        input_send_key(f.t->machine, input_key_at(g_test_rand_int_range(0, 80)), g_test_rand_bit());
        input_send_move(f.t->machine, g_test_rand_int(), g_test_rand_int(), g_test_rand_int(), i);
        test_poke_ports(f.t, 0x60, 1, 10);
        test_poke_ports(f.t, 0x64, 1, 10);
        test_poke_ports(f.t, 0x92, 1, 2);
    }
    stop(&f);
}

/* IBM PS/2 Technical Reference, "Keyboards": print and pause are other keys with alt and ctrl. */
static void test_modified_keys(void)
{
    static const struct {
        const char *held, *name;
        uint8_t bytes[9];
        unsigned n;
    } cases[] = {
        {NULL,   "print", {0xe0, 0x12, 0xe0, 0x7c},                         4},
        {"alt",  "print", {0x84},                                           1},
        {NULL,   "pause", {0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77}, 8},
        {"ctrl", "pause", {0xe0, 0x7e, 0xe0, 0xf0, 0x7e},                   5},
    };
    Fixture f;

    start(&f);
    command(&f, 0x60);
    test_outb(f.t, 0x60, 0x04); /* no translation */
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const InputKey *held = cases[i].held ? input_key_by_name(cases[i].held) : NULL;
        const InputKey *key = input_key_by_name(cases[i].name);

        if (held) {
            input_send_key(f.t->machine, held, true);
            test_inb(f.t, 0x60);
        }
        input_send_key(f.t->machine, key, true);
        for (unsigned n = 0; n < cases[i].n; n++) {
            g_assert_cmphex(test_inb(f.t, 0x64) & 1, ==, 1);
            g_assert_cmphex(test_inb(f.t, 0x60), ==, cases[i].bytes[n]);
        }
        input_send_key(f.t->machine, key, false);
        if (held) {
            input_send_key(f.t->machine, held, false);
        }
        while (test_inb(f.t, 0x64) & 1) {
            test_inb(f.t, 0x60);
        }
    }
    stop(&f);
}

/* Keys of a queue wait for their time; movements go to the device that takes them. */
static void test_router(void)
{
    const InputKey *keys[] = {input_key_by_name("ctrl"), input_key_by_name("c")};
    static const uint8_t want[] = {0x14, 0x21, 0xf0, 0x21, 0xf0, 0x14};
    Fixture f;

    start(&f);
    command(&f, 0x60);
    test_outb(f.t, 0x60, 0x04);
    input_queue_keys(f.t->machine, keys, 2, 100);
    g_assert_cmphex(test_inb(f.t, 0x60), ==, want[0]);
    g_assert_cmphex(test_inb(f.t, 0x60), ==, want[1]);
    test_clock_step(f.t, 99 * 1000000);
    g_assert_cmphex(test_inb(f.t, 0x64) & 1, ==, 0);
    test_clock_step(f.t, 1000000);
    for (unsigned i = 2; i < sizeof(want); i++) {
        g_assert_cmphex(test_inb(f.t, 0x60), ==, want[i]);
    }
    g_assert_false(input_is_absolute(f.t->machine));
    g_assert_false(input_mouse_select(f.t->machine, 1)); /* the keyboard */
    g_assert_true(input_mouse_select(f.t->machine, 2));
    g_assert_true(input_key_by_number(0xc8) == input_key_by_name("up"));
    g_assert_null(input_key_by_number(0));
    stop(&f);
}

/* ---- VMware's pointer -------------------------------------------------------------------- */

static VMPortRegs vm_call(VMPort *port, uint32_t command, uint32_t argument)
{
    VMPortRegs r = {.ax = 0x564d5868, .bx = argument, .cx = command};

    vmport_call(port, &r);
    return r;
}

static void vm_expect(VMPort *port, uint32_t flags, uint32_t x, uint32_t y, uint32_t dz)
{
    VMPortRegs r = vm_call(port, 39, 4);

    g_assert_cmphex(r.ax, ==, flags);
    g_assert_cmphex(r.bx, ==, x);
    g_assert_cmphex(r.cx, ==, y);
    g_assert_cmphex(r.dx, ==, dz);
}

static void point(Fixture *f, int x, int y)
{
    input_absolute(f->t->machine, INPUT_AXIS_X, x);
    input_absolute(f->t->machine, INPUT_AXIS_Y, y);
    input_sync(f->t->machine);
}

/* A board's i8042, port and pointer; the mouse is told to report. */
static VMPort *start_vmmouse(Fixture *f)
{
    GError *error = NULL;
    ISADevice *i8042, *port, *mouse;

    f->t = device_test_new();
    test_lines_init(&f->a20);
    i8042 = i8042_create(f->t->isa, f->a20.irqs[0], &error);
    port = isa_create_simple(f->t->isa, TYPE_VMPORT, &error);
    mouse = isa_new(TYPE_VMMOUSE, &error);
    g_assert_true(object_property_set_link(OBJECT(mouse), "i8042", OBJECT(i8042), &error) &&
                  object_property_set_link(OBJECT(mouse), "vmport", OBJECT(port), &error) &&
                  isa_realize_and_unref(mouse, f->t->isa, &error));
    test_reset(f->t);
    command(f, 0xa8);
    command(f, 0xd4);
    data(f, 0xf4);
    EXPECT(f, true, 0xfa);
    return VMPORT(port);
}

static void test_vmmouse(void)
{
    Fixture f;
    VMPort *port = start_vmmouse(&f);
    MachineState *machine = f.t->machine;

    g_assert_cmphex(vm_call(port, 40, 0).ax, ==, 0xffff0000);
    vm_call(port, 41, 0x53424152); /* absolute: not before it is enabled */
    g_assert_false(input_is_absolute(machine));
    vm_call(port, 41, 0x45414552);
    g_assert_cmphex(vm_call(port, 40, 0).ax, ==, 1);
    g_assert_cmphex(vm_call(port, 39, 1).ax, ==, 0x3442554a);
    g_assert_false(input_is_absolute(machine));
    vm_call(port, 41, 0x53424152);
    g_assert_true(input_is_absolute(machine));

    point(&f, 0x1234, INPUT_ABS_MAX);
    EXPECT(&f, true, 0x08, 0, 0); /* the mouse says that something is there */
    g_assert_cmphex(vm_call(port, 40, 0).ax, ==, 4);
    vm_expect(port, 0, 0x2468, 0xfffe, 0);
    input_buttons(machine, ~0u, INPUT_BUTTON_LEFT | INPUT_BUTTON_MIDDLE);
    input_wheel(machine, -1);
    input_sync(machine);
    EXPECT(&f, true, 0x08, 0, 0);
    vm_expect(port, 0x28, 0x2468, 0xfffe, UINT32_MAX);

    vm_call(port, 41, 0x4c455252); /* relative */
    g_assert_false(input_is_absolute(machine));
    input_send_move(machine, 5, 6, 0, INPUT_BUTTON_RIGHT);
    EXPECT(&f, true, 0x08, 0, 0);
    vm_expect(port, 0x10010, 5, (uint32_t)-6, 0);
    vm_call(port, 41, 0xf5);
    g_assert_cmphex(vm_call(port, 40, 0).ax, ==, 0xffff0000);
    input_send_move(machine, 5, 6, 0, INPUT_BUTTON_RIGHT);
    EXPECT(&f, true, 0x2a, 5, (uint8_t)-6); /* an ordinary mouse again */
    stop(&f);
}

/* A guest that never reads loses what is new; one that starts anew finds it all gone. */
static void test_vmmouse_limits(void)
{
    Fixture f;
    VMPort *port = start_vmmouse(&f);

    vm_call(port, 41, 0x45414552);
    vm_call(port, 41, 0x53424152);
    for (int i = 0; i < 2000; i++) {
        point(&f, i, i);
        vm_call(port, 41, i % 2 ? 0x45414552 : 0);
    }
    g_assert_cmphex(vm_call(port, 40, 0).ax, ==, 1024);
    g_assert_cmphex(vm_call(port, 39, 7).bx, ==, 7); /* more than there are registers */
    g_assert_cmphex(vm_call(port, 40, 0).ax, ==, 0xffff0400);
    g_assert_false(input_is_absolute(f.t->machine));
    test_reset(f.t);
    g_assert_cmphex(vm_call(port, 40, 0).ax, ==, 0xffff0000);
    vm_call(port, 41, 0x45414552);
    vm_call(port, 41, 0x53424152);
    test_reset(f.t);
    g_assert_false(input_is_absolute(f.t->machine));
    stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/i8042/modified-keys", test_modified_keys);
    g_test_add_func("/i8042/router", test_router);
    g_test_add_func("/i8042/self-test", test_self_test);
    g_test_add_func("/i8042/keyboard-commands", test_keyboard_commands);
    g_test_add_func("/i8042/keys", test_keys);
    g_test_add_func("/i8042/mouse", test_mouse);
    g_test_add_func("/i8042/a20-and-reset", test_a20_and_reset);
    g_test_add_func("/vmmouse/events", test_vmmouse);
    g_test_add_func("/vmmouse/limits", test_vmmouse_limits);
    g_test_add_func("/i8042/random", test_random);
    return g_test_run();
}
