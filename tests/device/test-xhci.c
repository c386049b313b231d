/* SPDX-License-Identifier: MIT
 *
 * xHCI and HID devices, driven as a driver drives them: rings in guest memory, doorbells, events.
 */
#include <string.h>
#include "hw/usb/usb.h"
#include "pci-test.h"
#include "system/display/input.h"

#define DEVFN       PCI_MAKE_DEVFN(7, 0)
#define MMIO        0xe0000000u
#define OP          (MMIO + 0x40)
#define PORTSC(n)   (MMIO + 0x440 + 16 * ((n)-1))
#define RUNTIME     (MMIO + 0x1000)
#define DOORBELL(n) (MMIO + 0x2000 + 4 * (n))

/* Guest memory. */
#define DCBAA       0x10000u
#define COMMANDS    0x11000u
#define ERST        0x12000u
#define EVENTS      0x13000u
#define INPUT       0x14000u
#define CONTEXT     0x15000u
#define EP0_RING    0x16000u
#define EP_RING     0x17000u
#define DATA        0x18000u
#define EVENT_COUNT 32u

enum { LINK = 6, TRANSFER_EVENT = 32, COMMAND_EVENT = 33, PORT_EVENT = 34 };
enum { SUCCESS = 1, STALL = 6, SHORT_PACKET = 13, STOPPED = 26 };

typedef struct Fixture {
    PCITest *p;
    DeviceTest *t;
    USBDevice *dev;
    uint64_t commands, ep0, ep; /* where the next descriptor goes */
    unsigned event;
    bool event_cycle;
} Fixture;

typedef struct Event {
    uint64_t parameter;
    uint32_t status, control;
    unsigned type, code, slot;
} Event;

static uint32_t get(Fixture *f, uint64_t addr)
{
    return (uint32_t)test_read(f->t, addr, 4);
}

static void set(Fixture *f, uint64_t addr, uint32_t value)
{
    test_write(f->t, addr, value, 4);
}

static void put_trb(Fixture *f, uint64_t *at, uint64_t parameter, uint32_t status, uint32_t control)
{
    test_write(f->t, *at, parameter, 8);
    set(f, *at + 8, status);
    set(f, *at + 12, control | 1);
    *at += 16;
}

static bool next_event(Fixture *f, Event *e)
{
    uint64_t at = EVENTS + 16 * f->event;

    test_poll(f->t);
    e->control = get(f, at + 12);
    if ((e->control & 1) != f->event_cycle) {
        return false;
    }
    e->parameter = test_read(f->t, at, 8);
    e->status = get(f, at + 8);
    e->type = e->control >> 10 & 0x3f;
    e->code = e->status >> 24;
    e->slot = e->control >> 24;
    if (++f->event == EVENT_COUNT) {
        f->event = 0;
        f->event_cycle = !f->event_cycle;
    }
    test_write(f->t, RUNTIME + 0x38, (EVENTS + 16 * f->event) | 8, 8);
    return true;
}

static Event expect_event(Fixture *f, unsigned type, unsigned code)
{
    Event e;

    g_assert_true(next_event(f, &e));
    g_assert_cmpuint(e.type, ==, type);
    g_assert_cmpuint(e.code, ==, code);
    return e;
}

static Event command(Fixture *f, uint64_t parameter, unsigned type, uint32_t control, unsigned code)
{
    put_trb(f, &f->commands, parameter, 0, type << 10 | control);
    set(f, DOORBELL(0), 0);
    return expect_event(f, COMMAND_EVENT, code);
}

/* ---- start ---------------------------------------------------------------------------------- */

static void start(Fixture *f, const char *type)
{
    GError *error = NULL;
    PCIDevice *xhci;

    *f = (Fixture){.p = pci_test_new(),
                   .commands = COMMANDS,
                   .ep0 = EP0_RING,
                   .ep = EP_RING,
                   .event_cycle = true};
    f->t = f->p->t;
    xhci = pci_create(f->p->bus, DEVFN, "qemu-xhci", &error);
    g_assert_no_error(error);
    f->dev = USB_DEVICE(qdev_new(type, NULL));
    object_add_child(f->t->machine->peripheral, "usb", OBJECT(f->dev), &error);
    g_assert_true(
        qdev_realize(DEVICE(f->dev), qdev_get_child_bus(DEVICE(xhci), "usb-bus.0"), &error));
    object_unref(f->dev);
    test_poll(f->t);
    test_reset(f->t);
    pci_test_write(f->p, DEVFN, PCI_BASE_ADDRESS_0, MMIO, 4);
    pci_test_write(f->p, DEVFN, PCI_COMMAND, 6, 2);
    set(f, OP + 0x38, 8);
    test_write(f->t, OP + 0x30, DCBAA, 8);
    test_write(f->t, OP + 0x18, COMMANDS | 1, 8);
    test_write(f->t, ERST, EVENTS, 8);
    set(f, ERST + 8, EVENT_COUNT);
    set(f, RUNTIME + 0x28, 1);
    test_write(f->t, RUNTIME + 0x38, EVENTS, 8);
    test_write(f->t, RUNTIME + 0x30, ERST, 8);
    set(f, RUNTIME + 0x20, 2);
    set(f, OP, 5); /* run, interrupts */
}

static void stop(Fixture *f)
{
    pci_test_free(f->p);
}

static void test_capabilities(void)
{
    Fixture f;

    start(&f, "usb-tablet");
    g_assert_cmphex(pci_test_read(f.p, DEVFN, 0, 4), ==, 0x000d1b36);
    g_assert_cmphex(pci_test_read(f.p, DEVFN, 8, 4), ==, 0x0c033001);
    g_assert_cmphex(get(&f, MMIO), ==, 0x01000040);
    g_assert_cmphex(get(&f, MMIO + 4), ==, 8u << 24 | 16 << 8 | 64);
    /* Ports 1 to 4 speak USB 2, 5 to 8 USB 3. */
    g_assert_cmphex(get(&f, MMIO + 0x20), ==, 0x02000402);
    g_assert_cmphex(get(&f, MMIO + 0x28), ==, 0x00000401);
    g_assert_cmphex(get(&f, MMIO + 0x30), ==, 0x03000002);
    g_assert_cmphex(get(&f, MMIO + 0x38), ==, 0x00000405);
    g_assert_cmphex(get(&f, PORTSC(1)) & 0x20001, ==, 0x20001);
    g_assert_cmphex(get(&f, PORTSC(2)) & 1, ==, 0);
    stop(&f);
}

/* ---- enumeration ---------------------------------------------------------------------------- */

static void control_in(Fixture *f, uint16_t request, uint16_t value, uint16_t length, unsigned code)
{
    uint64_t setup = (request & 0xff00) >> 8 | (uint64_t)(request & 0xff) << 8 |
                     (uint64_t)value << 16 | (uint64_t)length << 48;

    put_trb(f, &f->ep0, setup, 8, 2 << 10 | 1 << 6 | 3 << 16);
    put_trb(f, &f->ep0, DATA, length, 3 << 10 | 1 << 16);
    put_trb(f, &f->ep0, 0, 0, 4 << 10 | 1 << 5);
    set(f, DOORBELL(1), 1);
    expect_event(f, TRANSFER_EVENT, code);
}

static void control_out(Fixture *f, uint16_t request, uint16_t value, unsigned code)
{
    uint64_t setup =
        (request & 0xff00) >> 8 | (uint64_t)(request & 0xff) << 8 | (uint64_t)value << 16;

    put_trb(f, &f->ep0, setup, 8, 2 << 10 | 1 << 6);
    put_trb(f, &f->ep0, 0, 0, 4 << 10 | 1 << 5 | 1 << 16);
    set(f, DOORBELL(1), 1);
    expect_event(f, TRANSFER_EVENT, code);
}

/* To the state "configured", with endpoint 1 IN (index 3) running. */
static void enumerate(Fixture *f)
{
    Event e;

    set(f, PORTSC(1), 0x20210); /* power, reset; the connection is seen */
    e = expect_event(f, PORT_EVENT, SUCCESS);
    g_assert_cmphex(e.parameter, ==, 1u << 24);
    g_assert_cmphex(get(f, PORTSC(1)) & 0x203e03, ==, 0x200e03); /* high speed, enabled */
    set(f, PORTSC(1), 0x200200);
    e = command(f, 0, 9, 0, SUCCESS);
    g_assert_cmpuint(e.slot, ==, 1);
    test_write(f->t, DCBAA + 8, CONTEXT, 8);
    set(f, INPUT + 4, 3);
    set(f, INPUT + 32, 1u << 27 | 3u << 20);
    set(f, INPUT + 36, 1u << 16);
    set(f, INPUT + 64 + 4, 4u << 3 | 64u << 16);
    test_write(f->t, INPUT + 64 + 8, EP0_RING | 1, 8);
    command(f, INPUT, 11, 1u << 24, SUCCESS);
    g_assert_cmphex(get(f, CONTEXT + 12), ==, 2u << 27 | 1);
    g_assert_cmphex(get(f, CONTEXT + 32) & 7, ==, 1);
    control_in(f, 0x8006, 0x0100, 18, SUCCESS);
    g_assert_cmphex(get(f, DATA + 8), ==, 0x00010627);
    control_out(f, 0x0009, 1, SUCCESS);
    set(f, INPUT + 4, 1 | 1u << 3);
    set(f, INPUT + 32, 3u << 27 | 3u << 20);
    set(f, INPUT + 32 * 4 + 4, 7u << 3 | 8u << 16);
    test_write(f->t, INPUT + 32 * 4 + 8, EP_RING | 1, 8);
    command(f, INPUT, 12, 1u << 24, SUCCESS);
    g_assert_cmphex(get(f, CONTEXT + 12) >> 27, ==, 3);
}

static void ask_for_report(Fixture *f, unsigned length)
{
    put_trb(f, &f->ep, DATA, length, 1 << 10 | 1 << 5 | 1 << 2);
    set(f, DOORBELL(1), 3);
}

static void test_tablet(void)
{
    Fixture f;
    Event e;

    start(&f, "usb-tablet");
    enumerate(&f);
    ask_for_report(&f, 8);
    g_assert_false(next_event(&f, &e));
    input_absolute(f.t->machine, INPUT_AXIS_X, 0x1234);
    input_absolute(f.t->machine, INPUT_AXIS_Y, 0x7fff);
    input_sync(f.t->machine);
    e = expect_event(&f, TRANSFER_EVENT, SHORT_PACKET);
    g_assert_cmpuint(e.status & 0xffffff, ==, 2);
    g_assert_cmphex(e.parameter, ==, EP_RING);
    g_assert_cmphex(test_read(f.t, DATA, 4), ==, 0xff123400);
    g_assert_cmphex(test_read(f.t, DATA + 4, 2), ==, 0x007f);
    /* A press and its release are two reports, whatever the host is doing. */
    input_buttons(f.t->machine, INPUT_BUTTON_LEFT, INPUT_BUTTON_LEFT);
    input_sync(f.t->machine);
    input_buttons(f.t->machine, INPUT_BUTTON_LEFT, 0);
    input_sync(f.t->machine);
    ask_for_report(&f, 6);
    expect_event(&f, TRANSFER_EVENT, SUCCESS);
    g_assert_cmphex(test_read(f.t, DATA, 1), ==, 1);
    ask_for_report(&f, 6);
    expect_event(&f, TRANSFER_EVENT, SUCCESS);
    g_assert_cmphex(test_read(f.t, DATA, 1), ==, 0);
    stop(&f);
}

static void test_keyboard(void)
{
    Fixture f;

    start(&f, "usb-kbd");
    enumerate(&f);
    input_send_key(f.t->machine, input_key_by_name("shift"), true);
    input_send_key(f.t->machine, input_key_by_name("a"), true);
    input_send_key(f.t->machine, input_key_by_name("a"), false);
    ask_for_report(&f, 8);
    expect_event(&f, TRANSFER_EVENT, SUCCESS);
    g_assert_cmphex(test_read(f.t, DATA, 8), ==, 0x02);
    ask_for_report(&f, 8);
    expect_event(&f, TRANSFER_EVENT, SUCCESS);
    g_assert_cmphex(test_read(f.t, DATA, 8), ==, 0x040002);
    ask_for_report(&f, 8);
    expect_event(&f, TRANSFER_EVENT, SUCCESS);
    g_assert_cmphex(test_read(f.t, DATA, 8), ==, 0x02);
    stop(&f);
}

/* ---- what goes wrong ------------------------------------------------------------------------ */

static void test_stall(void)
{
    Fixture f;

    start(&f, "usb-mouse");
    enumerate(&f);
    control_in(&f, 0x8006, 0x0f00, 5, STALL); /* it has no BOS descriptor */
    g_assert_cmphex(get(&f, CONTEXT + 32) & 7, ==, 2);
    command(&f, 0, 14, 1u << 24 | 1u << 16, SUCCESS);
    command(&f, f.ep0 | 1, 16, 1u << 24 | 1u << 16, SUCCESS);
    control_in(&f, 0x8006, 0x0200, 9, SUCCESS);
    g_assert_cmphex(get(&f, DATA), ==, 0x00220209);
    stop(&f);
}

static void test_stop(void)
{
    Fixture f;
    Event e;

    start(&f, "usb-tablet");
    enumerate(&f);
    ask_for_report(&f, 8);
    put_trb(&f, &f.commands, 0, 0, 15 << 10 | 1u << 24 | 3u << 16);
    set(&f, DOORBELL(0), 0);
    e = expect_event(&f, TRANSFER_EVENT, STOPPED);
    g_assert_cmphex(e.parameter, ==, EP_RING);
    expect_event(&f, COMMAND_EVENT, SUCCESS);
    g_assert_cmphex(get(&f, CONTEXT + 96) & 7, ==, 3);
    g_assert_cmphex(get(&f, CONTEXT + 96 + 8), ==, EP_RING | 1);
    command(&f, 0, 15, 1u << 24 | 3u << 16, 19); /* it is stopped */
    command(&f, 0, 15, 2u << 24 | 3u << 16, 11); /* no such slot */
    command(&f, 0, 10, 1u << 24, SUCCESS);
    stop(&f);
}

/* Rings that lead nowhere, or round in circles. */
static void test_bad_rings(void)
{
    Fixture f;
    uint64_t at = COMMANDS;

    start(&f, "usb-tablet");
    put_trb(&f, &at, COMMANDS, 0, LINK << 10);
    set(&f, DOORBELL(0), 0);
    g_assert_cmphex(get(&f, OP + 4) & 4, ==, 0);
    at = COMMANDS;
    put_trb(&f, &at, 0xfffffffff000ull, 0, LINK << 10);
    set(&f, DOORBELL(0), 0);
    g_assert_cmphex(get(&f, OP + 4) & 5, ==, 5); /* host system error, halted */
    set(&f, OP, 2);
    g_assert_cmphex(get(&f, OP + 4) & 5, ==, 1);
    stop(&f);
}

static void test_unplug(void)
{
    Fixture f;
    Event e;

    start(&f, "usb-kbd");
    enumerate(&f);
    object_unparent(OBJECT(f.dev));
    e = expect_event(&f, PORT_EVENT, SUCCESS);
    g_assert_cmphex(e.parameter, ==, 1u << 24);
    g_assert_cmphex(get(&f, PORTSC(1)) & 0x20003, ==, 0x20000);
    ask_for_report(&f, 8);
    expect_event(&f, TRANSFER_EVENT, 4);
    stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xhci/capabilities", test_capabilities);
    g_test_add_func("/xhci/tablet", test_tablet);
    g_test_add_func("/xhci/keyboard", test_keyboard);
    g_test_add_func("/xhci/stall", test_stall);
    g_test_add_func("/xhci/stop", test_stop);
    g_test_add_func("/xhci/bad-rings", test_bad_rings);
    g_test_add_func("/xhci/unplug", test_unplug);
    return g_test_run();
}
