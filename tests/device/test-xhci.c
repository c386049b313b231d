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

/* ---- requests (USB 2.0, 9.4; HID 1.11, 7.2) ------------------------------------------------- */

/* Endpoint 0 after it refused something. */
static void recover(Fixture *f)
{
    command(f, 0, 14, 1u << 24 | 1u << 16, SUCCESS);
    command(f, f->ep0 | 1, 16, 1u << 24 | 1u << 16, SUCCESS);
}

static void refused(Fixture *f, uint16_t request, uint16_t value)
{
    control_in(f, request, value, 8, STALL);
    recover(f);
}

static void request(Fixture *f, uint16_t request, uint16_t value, uint16_t index)
{
    uint64_t setup = (request & 0xff00) >> 8 | (uint64_t)(request & 0xff) << 8 |
                     (uint64_t)value << 16 | (uint64_t)index << 32;

    put_trb(f, &f->ep0, setup, 8, 2 << 10 | 1 << 6);
    put_trb(f, &f->ep0, 0, 0, 4 << 10 | 1 << 5 | 1 << 16);
    set(f, DOORBELL(1), 1);
    expect_event(f, TRANSFER_EVENT, SUCCESS);
}

static uint32_t answer(Fixture *f, uint16_t request, uint16_t value, uint16_t index, unsigned bytes)
{
    uint64_t setup = (request & 0xff00) >> 8 | (uint64_t)(request & 0xff) << 8 |
                     (uint64_t)value << 16 | (uint64_t)index << 32 | (uint64_t)bytes << 48;

    put_trb(f, &f->ep0, setup, 8, 2 << 10 | 1 << 6 | 3 << 16);
    put_trb(f, &f->ep0, DATA, bytes, 3 << 10 | 1 << 16);
    put_trb(f, &f->ep0, 0, 0, 4 << 10 | 1 << 5);
    set(f, DOORBELL(1), 1);
    expect_event(f, TRANSFER_EVENT, SUCCESS);
    return (uint32_t)test_read(f->t, DATA, bytes);
}

static void test_strings(void)
{
    static const char product[] = "QUOIN USB Mouse";
    Fixture f;

    start(&f, "usb-mouse");
    enumerate(&f);
    /* Table 9-15: string 0 is the languages there are. */
    g_assert_cmphex(answer(&f, 0x8006, 0x0300, 0, 4), ==, 0x04090304);
    control_in(&f, 0x8006, 0x0302, 2 + 2 * strlen(product), SUCCESS);
    g_assert_cmpuint(test_read(f.t, DATA, 1), ==, 2 + 2 * strlen(product));
    g_assert_cmpuint(test_read(f.t, DATA + 1, 1), ==, 3);
    for (size_t i = 0; product[i]; i++) {
        g_assert_cmphex(test_read(f.t, DATA + 2 + 2 * i, 2), ==, (uint8_t)product[i]);
    }
    refused(&f, 0x8006, 0x0304);
    /* What the device would be at full speed (9.6.2), and an index that is none. */
    g_assert_cmphex(answer(&f, 0x8006, 0x0600, 0, 4), ==, 0x0200060a);
    refused(&f, 0x8006, 0x0201);
    stop(&f);
}

static void test_standard_requests(void)
{
    Fixture f;

    start(&f, "usb-kbd");
    enumerate(&f);
    g_assert_cmphex(answer(&f, 0x8008, 0, 0, 1), ==, 1); /* the configuration */
    g_assert_cmphex(answer(&f, 0x810a, 0, 0, 1), ==, 0);
    request(&f, 0x010b, 0, 0);
    /* Remote wake-up. */
    g_assert_cmphex(answer(&f, 0x8000, 0, 0, 2), ==, 0);
    request(&f, 0x0003, 1, 0);
    g_assert_cmphex(answer(&f, 0x8000, 0, 0, 2), ==, 2);
    request(&f, 0x0001, 1, 0);
    g_assert_cmphex(answer(&f, 0x8000, 0, 0, 2), ==, 0);
    /* An endpoint that is halted gives nothing until it is not; a configuration clears it. */
    request(&f, 0x0203, 0, 0x81);
    g_assert_cmphex(answer(&f, 0x8200, 0, 0x81, 2), ==, 1);
    g_assert_cmphex(answer(&f, 0x8200, 0, 0x01, 2), ==, 0);
    request(&f, 0x0201, 0, 0x81);
    g_assert_cmphex(answer(&f, 0x8200, 0, 0x81, 2), ==, 0);
    request(&f, 0x0203, 0, 0x81);
    request(&f, 0x0009, 1, 0);
    g_assert_cmphex(answer(&f, 0x8200, 0, 0x81, 2), ==, 0);
    request(&f, 0x0009, 0, 0);
    g_assert_cmphex(answer(&f, 0x8008, 0, 0, 1), ==, 0);
    refused(&f, 0x0009, 2); /* there is one configuration */
    refused(&f, 0x000b, 1); /* and no alternate setting */
    refused(&f, 0x0003, 2); /* nor a test mode */
    refused(&f, 0x800c, 0); /* nor a frame to be synchronised with */
    stop(&f);
}

static void test_hid_requests(void)
{
    Fixture f;

    start(&f, "usb-kbd");
    enumerate(&f);
    /* HID 1.1, one report descriptor, of 63 bytes. */
    g_assert_cmphex(answer(&f, 0x8106, 0x2100, 0, 4), ==, 0x01112109);
    g_assert_cmphex(test_read(f.t, DATA, 1), ==, 9);
    control_in(&f, 0x8106, 0x2100, 9, SUCCESS);
    unsigned length = (unsigned)test_read(f.t, DATA + 7, 2);
    control_in(&f, 0x8106, 0x2200, (uint16_t)length, SUCCESS);
    g_assert_cmphex(test_read(f.t, DATA, 4), ==, 0x06090105); /* generic desktop, keyboard */
    g_assert_cmphex(test_read(f.t, DATA + length - 1, 1), ==, 0xc0);
    refused(&f, 0x8106, 0x2300);
    request(&f, 0x210a, 0x7d00, 0);
    g_assert_cmphex(answer(&f, 0xa102, 0, 0, 1), ==, 0x7d);
    g_assert_cmphex(answer(&f, 0xa103, 0, 0, 1), ==, 1); /* the report protocol */
    request(&f, 0x210b, 0, 0);
    g_assert_cmphex(answer(&f, 0xa103, 0, 0, 1), ==, 0);
    input_send_key(f.t->machine, input_key_by_name("b"), true);
    control_in(&f, 0xa101, 0x0100, 8, SUCCESS);
    g_assert_cmphex(test_read(f.t, DATA, 8), ==, 0x050000);
    refused(&f, 0x2107, 0);
    stop(&f);
}

/* Lights are an output report. */
static void test_lights(void)
{
    Fixture f;
    uint64_t setup = 0x21 | 9 << 8 | 0x0200 << 16 | 1ull << 48;

    start(&f, "usb-kbd");
    enumerate(&f);
    test_poll(f.t); /* it has a driver, so its lights are the machine's */
    test_write(f.t, DATA, 0x03, 1);
    put_trb(&f, &f.ep0, setup, 8, 2 << 10 | 1 << 6 | 2 << 16);
    put_trb(&f, &f.ep0, DATA, 1, 3 << 10);
    put_trb(&f, &f.ep0, 0, 0, 4 << 10 | 1 << 5 | 1 << 16);
    set(&f, DOORBELL(1), 1);
    expect_event(&f, TRANSFER_EVENT, SUCCESS);
    g_assert_cmphex(input_leds(f.t->machine), ==, INPUT_LED_NUM | INPUT_LED_CAPS);
    stop(&f);
}

/* ---- what keyboards and mice report --------------------------------------------------------- */

static uint64_t report(Fixture *f, unsigned length)
{
    ask_for_report(f, length);
    expect_event(f, TRANSFER_EVENT, SUCCESS);
    return test_read(f->t, DATA, length);
}

/* More keys than there are places for: all of them are "roll over" (HID 1.11, appendix C). */
static void test_rollover(void)
{
    static const char *const keys[] = {"a", "b", "c", "d", "e", "f", "g"};
    Fixture f;

    start(&f, "usb-kbd");
    enumerate(&f);
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        input_send_key(f.t->machine, input_key_by_name(keys[i]), true);
    }
    for (unsigned i = 0; i < 5; i++) {
        report(&f, 8);
    }
    g_assert_cmphex(report(&f, 8), ==, 0x0908070605040000);
    g_assert_cmphex(report(&f, 8), ==, 0x0101010101010000);
    input_send_key(f.t->machine, input_key_by_name("a"), false);
    g_assert_cmphex(report(&f, 8), ==, 0x0a09080706050000);
    stop(&f);
}

/* Relative bytes: a long way is several reports, which add up. */
static void test_mouse(void)
{
    Fixture f;

    start(&f, "usb-mouse");
    enumerate(&f);
    input_send_move(f.t->machine, 200, -130, 0, INPUT_BUTTON_RIGHT);
    g_assert_cmphex(report(&f, 4), ==, 0x00817f02);
    g_assert_cmphex(report(&f, 4), ==, 0x00fd4902);
    input_send_move(f.t->machine, 0, 0, 1, 0);
    g_assert_cmphex(report(&f, 4), ==, 0xff000000);
    stop(&f);
}

/* ---- ports of the bus -------------------------------------------------------------------------
 */

static char *plug_in(Fixture *f, const char *port)
{
    BusState *bus = qdev_get_parent_bus(DEVICE(f->dev));
    DeviceState *dev = qdev_new("usb-kbd", NULL);
    g_autoptr(GError) error = NULL;
    char *message = NULL;

    object_add_child(f->t->machine->peripheral, "more[*]", OBJECT(dev), NULL);
    object_property_parse(OBJECT(dev), "port", port, NULL);
    if (!qdev_realize(dev, bus, &error)) {
        message = g_strdup(error->message);
        object_unparent(OBJECT(dev));
    }
    object_unref(dev);
    return message;
}

static void test_ports(void)
{
    static const struct {
        const char *port, *says;
    } rows[] = {
        {"9", "expected 1 to 4"},
        {"0", "expected 1 to 4"},
        {"x", "expected 1 to 4"},
        {"1", "in use"         },
        {"3", NULL             },
        {"3", "in use"         },
        {"",  NULL             },
        {"",  NULL             },
        {"",  "every port"     },
    };
    Fixture f;
    g_autoptr(GString) text = g_string_new(NULL);

    start(&f, "usb-tablet");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *message = plug_in(&f, rows[i].port);

        g_assert_true(rows[i].says ? message && strstr(message, rows[i].says) : !message);
    }
    usb_machine_print(f.t->machine, text);
    g_assert_nonnull(strstr(text->str, "Port 1, Speed 480 Mb/s, Product QUOIN USB Tablet\n"));
    g_assert_nonnull(strstr(text->str, "Port 4, Speed 480 Mb/s, Product QUOIN USB Keyboard\n"));
    stop(&f);
}

static void test_no_ports(void)
{
    g_autoptr(DeviceTest) t = device_test_new();
    g_autoptr(GString) text = g_string_new(NULL);

    usb_machine_print(t->machine, text);
    g_assert_cmpstr(text->str, ==, "no USB devices\n");
}

/* ---- more commands (xHCI 1.2, 4.6) ---------------------------------------------------------- */

static void test_commands(void)
{
    Fixture f;

    start(&f, "usb-tablet");
    command(&f, 0, 23, 0, SUCCESS);        /* no operation */
    command(&f, 0, 10, 1u << 24, 11);      /* slot 1 is not enabled */
    command(&f, INPUT, 11, 65u << 24, 11); /* there are 64 */
    enumerate(&f);
    set(&f, INPUT + 4, 3);
    command(&f, INPUT, 11, 1u << 24, 19); /* it has its address */
    command(&f, 0, 24, 1u << 24, 5);      /* no such command */
    command(&f, 0, 14, 1u << 24, 5);      /* endpoint 0 is no endpoint */
    command(&f, 0, 14, 1u << 24 | 3u << 16, 19);
    command(&f, 0, 16, 1u << 24 | 3u << 16, 19);
    command(&f, 0, 15, 1u << 24 | 9u << 16, 12);
    /* Evaluate Context: the exit latency and the interrupter, the largest packet of endpoint 0. */
    set(&f, INPUT, 0);
    set(&f, INPUT + 4, 3);
    set(&f, INPUT + 32 + 4, 0x1234);
    set(&f, INPUT + 32 + 8, 2u << 22);
    set(&f, INPUT + 64 + 4, 32u << 16);
    command(&f, INPUT, 13, 1u << 24, SUCCESS);
    g_assert_cmphex(get(&f, CONTEXT + 4), ==, 0x00011234);
    g_assert_cmphex(get(&f, CONTEXT + 8) >> 22, ==, 2);
    g_assert_cmphex(get(&f, CONTEXT + 32 + 4) >> 16, ==, 32);
    set(&f, INPUT + 4, 4);
    command(&f, INPUT, 13, 1u << 24, 5);
    /* Deconfigured, then reset: the state goes back, the endpoint is gone. */
    command(&f, 0, 12, 1u << 24 | 1u << 9, SUCCESS);
    g_assert_cmphex(get(&f, CONTEXT + 12) >> 27, ==, 2);
    g_assert_cmphex(get(&f, CONTEXT + 96) & 7, ==, 0);
    command(&f, 0, 17, 1u << 24, SUCCESS);
    g_assert_cmphex(get(&f, CONTEXT + 12) >> 27, ==, 1);
    command(&f, 0, 17, 1u << 24, 19);
    command(&f, INPUT, 12, 1u << 24, 19);
    /* Contexts where there is no memory: a host system error (4.10.2.6), and it halts. */
    put_trb(&f, &f.commands, 0xfffffffff000ull, 0, 13 << 10 | 1u << 24);
    set(&f, DOORBELL(0), 0);
    g_assert_cmphex(get(&f, OP + 4) & 5, ==, 5);
    stop(&f);
}

static void test_slots(void)
{
    Fixture f;

    start(&f, "usb-tablet");
    for (unsigned i = 1; i <= 8; i++) {
        g_assert_cmpuint(command(&f, 0, 9, 0, SUCCESS).slot, ==, i);
    }
    command(&f, 0, 9, 0, 9); /* CONFIG says 8 */
    command(&f, 0, 10, 3u << 24, SUCCESS);
    g_assert_cmpuint(command(&f, 0, 9, 0, SUCCESS).slot, ==, 3);
    /* A port without a device, a route through a hub. */
    test_write(f.t, DCBAA + 8, CONTEXT, 8);
    set(&f, INPUT + 4, 3);
    set(&f, INPUT + 36, 2u << 16);
    command(&f, INPUT, 11, 1u << 24, 4);
    set(&f, INPUT + 36, 1u << 16);
    set(&f, INPUT + 32, 1);
    command(&f, INPUT, 11, 1u << 24, 4);
    set(&f, INPUT + 4, 1);
    command(&f, INPUT, 11, 1u << 24, 5);
    stop(&f);
}

/* ---- registers (5.4, 5.5) ------------------------------------------------------------------- */

static void test_registers(void)
{
    Fixture f;

    start(&f, "usb-tablet");
    g_assert_cmphex(get(&f, OP + 8), ==, 1); /* pages of 4 KiB */
    set(&f, OP + 0x14, 0xffff00aa);
    g_assert_cmphex(get(&f, OP + 0x14), ==, 0xaa);
    g_assert_cmphex(get(&f, OP + 0x30), ==, DCBAA);
    test_write(f.t, OP + 0x30, 0x12345678f, 8);
    g_assert_cmphex(get(&f, OP + 0x30), ==, 0x23456780);
    g_assert_cmphex(get(&f, OP + 0x34), ==, 1);
    g_assert_cmphex(get(&f, OP + 0x38), ==, 8);
    g_assert_cmphex(get(&f, OP + 0x18), ==, 0); /* pointers are not read back */
    command(&f, 0, 23, 0, SUCCESS);
    g_assert_cmphex(get(&f, OP + 0x18), ==, 8); /* running */
    set(&f, OP + 0x18, 0x20000);                /* not while it runs */
    command(&f, 0, 23, 0, SUCCESS);
    set(&f, OP + 0x18, 4); /* abort */
    expect_event(&f, COMMAND_EVENT, 24);
    g_assert_cmphex(get(&f, OP + 0x18), ==, 0);
    /* The interrupter's, and one that there is not; microframes go by. */
    set(&f, RUNTIME + 0x24, 4000);
    g_assert_cmphex(get(&f, RUNTIME + 0x24), ==, 4000);
    g_assert_cmphex(get(&f, RUNTIME + 0x28), ==, 1);
    g_assert_cmphex(get(&f, RUNTIME + 0x30), ==, ERST);
    g_assert_cmphex(get(&f, RUNTIME + 0x34), ==, 0);
    g_assert_cmphex(get(&f, RUNTIME + 0x3c), ==, 0);
    g_assert_cmphex(get(&f, RUNTIME + 0x20 + 32 * 16), ==, 0);
    uint32_t frame = get(&f, RUNTIME);
    test_clock_step(f.t, 1000 * 1000);
    g_assert_cmphex(get(&f, RUNTIME), ==, (frame + 8) & 0x3fff);
    set(&f, PORTSC(1) + 4, 0x1ff);
    g_assert_cmphex(get(&f, PORTSC(1) + 4), ==, 0x1ff);
    g_assert_cmphex(get(&f, PORTSC(9)), ==, 0);
    set(&f, OP, 0); /* halted; what was pending stays until it is taken back */
    g_assert_cmphex(get(&f, OP + 4) & 1, ==, 1);
    set(&f, OP, 0x200); /* there is nothing to be restored */
    g_assert_cmphex(get(&f, OP + 4) & 0x400, ==, 0x400);
    set(&f, OP + 4, 0x400);
    g_assert_cmphex(get(&f, OP + 4) & 0x400, ==, 0);
    set(&f, OP, 2);
    g_assert_cmphex(get(&f, OP + 0x14), ==, 0);
    g_assert_cmphex(get(&f, OP + 0x38), ==, 0);
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
    g_test_add_func("/xhci/strings", test_strings);
    g_test_add_func("/xhci/standard-requests", test_standard_requests);
    g_test_add_func("/xhci/hid-requests", test_hid_requests);
    g_test_add_func("/xhci/lights", test_lights);
    g_test_add_func("/xhci/rollover", test_rollover);
    g_test_add_func("/xhci/mouse", test_mouse);
    g_test_add_func("/xhci/ports", test_ports);
    g_test_add_func("/xhci/no-ports", test_no_ports);
    g_test_add_func("/xhci/commands", test_commands);
    g_test_add_func("/xhci/slots", test_slots);
    g_test_add_func("/xhci/registers", test_registers);
    g_test_add_func("/xhci/stall", test_stall);
    g_test_add_func("/xhci/stop", test_stop);
    g_test_add_func("/xhci/bad-rings", test_bad_rings);
    g_test_add_func("/xhci/unplug", test_unplug);
    return g_test_run();
}
