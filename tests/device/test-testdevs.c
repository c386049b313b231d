/* SPDX-License-Identifier: MIT
 *
 * The devices that guests' test suites use: edu, pci-testdev, pc-testdev, pvpanic, ivshmem-plain,
 * vmcoreinfo and the watchdogs.
 */
#include <string.h>
#include "hw/nvram/fw_cfg.h"
#include "pci-test.h"
#include "system/runstate.h"

#define DEVFN PCI_MAKE_DEVFN(7, 0)
#define MEM   0xe0000000u
#define PORTS 0xc000u

typedef struct Fixture {
    PCITest *p;
    DeviceTest *t;
    GString *events;
} Fixture;

static void note_event(void *opaque, const char *event, const char *data)
{
    g_string_append_printf(opaque, "<%s>", event);
}

static void set_up(Fixture *f, gconstpointer data)
{
    f->p = pci_test_new();
    f->t = f->p->t;
    f->events = g_string_new(NULL);
    machine_add_event_listener(f->t->machine, note_event, f->events);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    machine_del_event_listener(f->t->machine, note_event, f->events);
    pci_test_free(f->p);
    g_string_free(f->events, TRUE);
}

static PCIDevice *add_pci(Fixture *f, const char *type)
{
    GError *error = NULL;
    PCIDevice *dev = pci_create(f->p->bus, DEVFN, type, &error);

    g_assert_no_error(error);
    test_reset(f->t);
    pci_test_write(f->p, DEVFN, PCI_BASE_ADDRESS_0, MEM, 4);
    pci_test_write(f->p, DEVFN, PCI_BASE_ADDRESS_1, PORTS, 4);
    pci_test_write(f->p, DEVFN, PCI_COMMAND, 7, 2);
    return dev;
}

static uint32_t get(Fixture *f, unsigned reg)
{
    return (uint32_t)test_read(f->t, MEM + reg, 4);
}

static void set(Fixture *f, unsigned reg, uint64_t value)
{
    test_write(f->t, MEM + reg, value, 4);
}

/* ---- edu ------------------------------------------------------------------------------------ */

static void test_edu_registers(Fixture *f, gconstpointer data)
{
    add_pci(f, "edu");
    g_assert_cmphex(pci_test_read(f->p, DEVFN, 0, 4), ==, 0x11e81234);
    g_assert_cmphex(get(f, 0), ==, 0x010000ed);
    set(f, 4, 0x12345678);
    g_assert_cmphex(get(f, 4), ==, ~0x12345678u);
    set(f, 8, 12);
    g_assert_cmpuint(get(f, 8), ==, 479001600);
    set(f, 8, 33);
    g_assert_cmphex(get(f, 8), ==, 0x80000000);
    set(f, 8, UINT32_MAX);
    g_assert_cmpuint(get(f, 8), ==, 0);
    /* Only 32 bits below 80, and nothing in between. */
    g_assert_cmphex(test_read(f->t, MEM, 8), ==, UINT64_MAX);
    g_assert_cmphex(get(f, 0x0c), ==, UINT32_MAX);
    test_write(f->t, MEM + 0x88, 0x1122334455667788, 8);
    g_assert_cmphex(test_read(f->t, MEM + 0x88, 8), ==, 0x1122334455667788);
}

static void test_edu_interrupts(Fixture *f, gconstpointer data)
{
    PCIDevice *dev = add_pci(f, "edu");

    set(f, 0x60, 0x11);
    g_assert_cmpint(dev->irq_state, ==, 1);
    g_assert_cmphex(get(f, 0x24), ==, 0x11);
    set(f, 0x64, 0x10);
    g_assert_cmpint(dev->irq_state, ==, 1);
    set(f, 0x64, 0x01);
    g_assert_cmpint(dev->irq_state, ==, 0);
    set(f, 0x20, UINT32_MAX);
    g_assert_cmphex(get(f, 0x20), ==, 0x80);
    set(f, 8, 3);
    g_assert_cmphex(get(f, 0x24), ==, 1);
    g_assert_cmpint(dev->irq_state, ==, 1);
}

static void edu_transfer(Fixture *f, uint64_t src, uint64_t dst, uint64_t count, uint32_t command)
{
    test_write(f->t, MEM + 0x80, src, 8);
    test_write(f->t, MEM + 0x88, dst, 8);
    test_write(f->t, MEM + 0x90, count, 8);
    set(f, 0x98, command);
    g_assert_cmphex(get(f, 0x98), ==, command);
    set(f, 0x80, 0); /* not while it is under way */
    g_assert_cmphex(test_read(f->t, MEM + 0x80, 8), ==, src);
    test_clock_step(f->t, 100 * 1000 * 1000);
    g_assert_cmphex(get(f, 0x98) & 1, ==, 0);
}

static void test_edu_dma(Fixture *f, gconstpointer data)
{
    add_pci(f, "edu");
    test_write(f->t, 0x1000, 0x0123456789abcdef, 8);
    edu_transfer(f, 0x1000, 0x40ff8, 8, 1);
    g_assert_cmphex(get(f, 0x24), ==, 0);
    edu_transfer(f, 0x40ffc, 0x2000, 4, 7);
    g_assert_cmphex(get(f, 0x24), ==, 0x100);
    g_assert_cmphex(test_read(f->t, 0x2000, 8), ==, 0x01234567);
    /* Out of the buffer in every way: nothing moves. */
    test_write(f->t, 0x2000, 0, 8);
    edu_transfer(f, 0x40ffc, 0x2000, 5, 3);
    edu_transfer(f, 0x3ffff, 0x2000, 1, 3);
    edu_transfer(f, UINT64_MAX, 0x2000, 2, 3);
    edu_transfer(f, 0x40000, 0x2000, UINT64_MAX, 3);
    g_assert_cmphex(test_read(f->t, 0x2000, 8), ==, 0);
    /* The mask is 28 bits. */
    edu_transfer(f, 0x40ff8, 0xf0002000, 4, 3);
    g_assert_cmphex(test_read(f->t, 0x2000, 4), ==, 0x89abcdef);
}

/* ---- pci-testdev ---------------------------------------------------------------------------- */

static void check_window(Fixture *f, bool ports)
{
    static const char *const names[] = {"no-eventfd", "wildcard-eventfd", "datamatch-eventfd"};
#define GET(reg, size)                                                                             \
    (ports ? (size) == 1 ? test_inb(f->t, PORTS + (reg)) : test_inl(f->t, PORTS + (reg))           \
           : test_read(f->t, MEM + (reg), size))
#define SET8(reg, v)                                                                               \
    (ports ? test_outb(f->t, (uint16_t)(PORTS + (reg)), v) : test_write(f->t, MEM + (reg), v, 1))
    for (uint8_t n = 0; n < 3; n++) {
        g_autofree char *want = g_strdup_printf("%s-%s", ports ? "portio" : "mmio", names[n]);
        char name[40] = "";

        SET8(0, n);
        g_assert_cmphex(GET(1, 1), ==, 1);
        for (unsigned i = 0; i < sizeof(name) - 1; i++) {
            name[i] = (char)GET(16 + i, 1);
        }
        g_assert_cmpstr(name, ==, want);
        uint32_t place = (uint32_t)GET(4, 4);
        uint8_t value = (uint8_t)GET(8, 4);

        for (int i = 0; i < 3; i++) {
            SET8(place, value);
        }
        SET8(place, (uint8_t)(value + 1));
        SET8(place + 1, value);
        g_assert_cmpuint(GET(12, 4), ==, n == 1 ? 4 : 3);
    }
    SET8(0, 3);
    g_assert_cmphex(GET(16, 1), ==, 0);
    g_assert_cmphex(GET(12, 4), ==, 0);
}

static void test_pci_testdev(Fixture *f, gconstpointer data)
{
    add_pci(f, "pci-testdev");
    check_window(f, false);
    check_window(f, true);
    /* Selecting a test of one window ends that of the other. */
    test_write(f->t, MEM, 0, 1);
    test_outb(f->t, PORTS, 0);
    g_assert_cmphex(test_read(f->t, MEM + 16, 1), ==, 0);
}

/* A BAR of any size, of memory or of nothing. */
static void test_pci_testdev_membar(Fixture *f, gconstpointer data)
{
    static const char *const bad[] = {"8", "48"};
    g_autoptr(GError) error = NULL;

    for (int backed = 0; backed < 2; backed++) {
        PCIDevice *dev = pci_new(PCI_MAKE_DEVFN(8 + backed, 0), "pci-testdev", NULL);

        object_property_parse(OBJECT(dev), "membar", "64K", NULL);
        object_property_set_bool(OBJECT(dev), "membar-backed", backed, NULL);
        g_assert_true(pci_realize_and_unref(dev, f->p->bus, NULL));
        pci_test_write(f->p, dev->devfn, PCI_BASE_ADDRESS_2, UINT32_MAX, 4);
        g_assert_cmphex(pci_test_read(f->p, dev->devfn, PCI_BASE_ADDRESS_2, 4), ==, 0xffff000c);
        pci_test_write(f->p, dev->devfn, PCI_BASE_ADDRESS_2, 0xd0000000, 4);
        pci_test_write(f->p, dev->devfn, PCI_BASE_ADDRESS_2 + 4, 0, 4);
        pci_test_write(f->p, dev->devfn, PCI_COMMAND, 2, 2);
        test_write(f->t, 0xd000fffc, 0xcafef00d, 4);
        g_assert_cmphex(test_read(f->t, 0xd000fffc, 4), ==, backed ? 0xcafef00d : 0);
        pci_test_write(f->p, dev->devfn, PCI_COMMAND, 0, 2);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        PCIDevice *dev = pci_new(DEVFN, "pci-testdev", NULL);

        g_clear_error(&error);
        object_property_parse(OBJECT(dev), "membar", bad[i], NULL);
        g_assert_false(pci_realize_and_unref(dev, f->p->bus, &error));
        g_assert_nonnull(strstr(error->message, "power of two"));
    }
}

/* ---- pc-testdev ----------------------------------------------------------------------------- */

static void test_pc_testdev(Fixture *f, gconstpointer data)
{
    static const uint16_t ports[] = {0xe0, 0xe8};

    device_test_add(f->t, "pc-testdev");
    for (int i = 0; i < 2; i++) {
        test_outl(f->t, ports[i], 0x12345678);
        test_outw(f->t, ports[i], 0xbbcc);
        test_outb(f->t, ports[i] + 3, 0x99);
        g_assert_cmphex(test_inl(f->t, ports[i]), ==, 0x9934bbcc);
        g_assert_cmphex(test_inw(f->t, ports[i] + 1), ==, 0x34bb);
        g_assert_cmphex(test_inl(f->t, ports[!i]), ==, 0x9934bbcc);
    }
    test_outb(f->t, 0x2000 + 5, 1);
    g_assert_cmpint(f->t->lines.level[5], ==, 1);
    test_outb(f->t, 0x2000 + 5, 0);
    g_assert_cmpint(f->t->lines.level[5], ==, 0);
    test_outb(f->t, 0x2000 + 23, 1); /* there is no such line */
    test_write(f->t, 0xff000010, 0x1122334455667788, 8);
    g_assert_cmphex(test_read(f->t, 0xff000013, 2), ==, 0x4455);
    test_write(f->t, 0xff00ffff, 0x55, 1);
    g_assert_cmphex(test_read(f->t, 0xff00ffff, 1), ==, 0x55);
    /* The page that is taken away keeps its content. */
    test_write(f->t, 0x5000, 0xdeadbeef, 4);
    test_outl(f->t, 0xe4, 0x5000);
    test_outl(f->t, 0xe4, 0xfffff000);
    g_assert_cmphex(test_read(f->t, 0x5000, 4), ==, 0xdeadbeef);
}

/* ---- pvpanic -------------------------------------------------------------------------------- */

static void expect_events(Fixture *f, const char *events)
{
    main_loop_should_exit(f->t->machine);
    g_assert_cmpstr(f->events->str, ==, events);
    g_string_truncate(f->events, 0);
}

static void test_pvpanic(Fixture *f, gconstpointer data)
{
    f->t->machine->actions.panic = PANIC_ACTION_NONE;
    device_test_add(f->t, "pvpanic");
    g_assert_cmphex(test_inb(f->t, 0x505), ==, 3);
    test_outb(f->t, 0x505, 2);
    expect_events(f, "<GUEST_CRASHLOADED>");
    test_outb(f->t, 0x505, 0x81);
    expect_events(f, "<GUEST_PANICKED>");
    test_outb(f->t, 0x505, 0x80);
    expect_events(f, "");
}

static void test_pvpanic_pci(Fixture *f, gconstpointer data)
{
    PCIDevice *dev = pci_new(DEVFN, "pvpanic-pci", NULL);

    object_property_parse(OBJECT(dev), "events", "1", NULL);
    g_assert_true(pci_realize_and_unref(dev, f->p->bus, NULL));
    pci_test_write(f->p, DEVFN, PCI_BASE_ADDRESS_0, MEM, 4);
    pci_test_write(f->p, DEVFN, PCI_COMMAND, 2, 2);
    f->t->machine->actions.panic = PANIC_ACTION_NONE;
    g_assert_cmphex(test_read(f->t, MEM, 1), ==, 1);
    test_write(f->t, MEM, 2, 1); /* it does not take that */
    expect_events(f, "");
    test_write(f->t, MEM, 1, 1);
    expect_events(f, "<GUEST_PANICKED>");
}

/* ---- ivshmem-plain -------------------------------------------------------------------------- */

static void test_ivshmem(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    Object *objects = container_get(OBJECT(f->t->machine), "/objects");
    Object *backend = object_new("memory-backend-ram", NULL);
    PCIDevice *dev = pci_new(DEVFN, "ivshmem-plain", NULL);

    g_assert_false(pci_realize_and_unref(dev, f->p->bus, &error));
    g_assert_nonnull(strstr(error->message, "memdev"));
    object_property_parse(backend, "size", "64K", NULL);
    object_add_child(objects, "m0", backend, NULL);
    g_assert_true(user_creatable_complete(backend, NULL));
    dev = pci_new(DEVFN, "ivshmem-plain", NULL);
    object_property_set_link(OBJECT(dev), "memdev", backend, NULL);
    g_assert_true(pci_realize_and_unref(dev, f->p->bus, NULL));
    pci_test_write(f->p, DEVFN, PCI_BASE_ADDRESS_0, MEM, 4);
    pci_test_write(f->p, DEVFN, PCI_BASE_ADDRESS_2, 0xd0000000, 4);
    pci_test_write(f->p, DEVFN, PCI_COMMAND, 7, 2);
    g_assert_cmphex(get(f, 8), ==, 0);
    set(f, 0, 5);
    set(f, 4, 6);
    g_assert_cmphex(get(f, 0), ==, 5);
    g_assert_cmphex(get(f, 4), ==, 6);
    g_assert_cmphex(get(f, 4), ==, 0);
    test_write(f->t, 0xd000fffc, 0xcafef00d, 4);
    g_assert_cmphex(test_read(f->t, 0xd000fffc, 4), ==, 0xcafef00d);
    object_unref(backend);
}

/* ---- watchdogs ------------------------------------------------------------------------------- */

static void test_ib700(Fixture *f, gconstpointer data)
{
    f->t->machine->actions.watchdog = WATCHDOG_ACTION_NONE;
    device_test_add(f->t, "ib700");
    test_outb(f->t, 0x443, 0); /* 30 s */
    test_clock_step(f->t, 29 * NANOSECONDS_PER_SECOND);
    expect_events(f, "");
    test_outb(f->t, 0x443, 14); /* 2 s */
    test_clock_step(f->t, 1999999999);
    expect_events(f, "");
    test_clock_step(f->t, 1);
    expect_events(f, "<WATCHDOG>");
    test_outb(f->t, 0x443, 15);
    test_outb(f->t, 0x441, 0);
    test_clock_step(f->t, 60 * NANOSECONDS_PER_SECOND);
    expect_events(f, "");
}

static void esb_set(Fixture *f, unsigned reg, uint32_t value)
{
    test_write(f->t, MEM + 12, 0x80, 2);
    test_write(f->t, MEM + 12, 0x86, 2);
    test_write(f->t, MEM + reg, value, 4);
}

static void test_i6300esb(Fixture *f, gconstpointer data)
{
    const int64_t ms = 1000 * 1000;

    f->t->machine->actions.watchdog = WATCHDOG_ACTION_NONE;
    add_pci(f, "i6300esb");
    set(f, 0, 1234); /* locked */
    g_assert_cmphex(get(f, 0), ==, 0xfffff);
    esb_set(f, 0, 1016); /* one second */
    esb_set(f, 4, 1016);
    g_assert_cmpuint(get(f, 0), ==, 1016);
    pci_test_write(f->p, DEVFN, 0x68, 2, 1);
    test_clock_step(f->t, 990 * ms);
    esb_set(f, 12, 0x100); /* from the start */
    test_clock_step(f->t, 990 * ms);
    g_assert_cmphex(get(f, 8), ==, 0);
    test_clock_step(f->t, 20 * ms);
    g_assert_cmphex(get(f, 8), ==, 1); /* the first stage */
    esb_set(f, 8, 1);
    g_assert_cmphex(get(f, 8), ==, 0);
    expect_events(f, "");
    test_clock_step(f->t, 1000 * ms);
    expect_events(f, "<WATCHDOG>");
    g_assert_cmphex(get(f, 12), ==, 0x200);
    esb_set(f, 12, 0x200);
    g_assert_cmphex(get(f, 12), ==, 0);
    /* Fast, and its output off: it expires in silence. */
    pci_test_write(f->p, DEVFN, 0x60, 0x24, 2);
    esb_set(f, 12, 0x100);
    test_clock_step(f->t, 3 * ms);
    g_assert_cmphex(get(f, 12), ==, 0x200);
    expect_events(f, "");
    /* Locked, it cannot be turned off. */
    pci_test_write(f->p, DEVFN, 0x68, 3, 1);
    pci_test_write(f->p, DEVFN, 0x68, 0, 1);
    g_assert_cmphex(pci_test_read(f->p, DEVFN, 0x68, 1), ==, 3);
    test_reset(f->t);
    g_assert_cmphex(pci_test_read(f->p, DEVFN, 0x68, 1), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, fn) g_test_add("/testdevs/" path, Fixture, NULL, set_up, fn, tear_down)
    ADD("edu/registers", test_edu_registers);
    ADD("edu/interrupts", test_edu_interrupts);
    ADD("edu/dma", test_edu_dma);
    ADD("pci-testdev/windows", test_pci_testdev);
    ADD("pci-testdev/membar", test_pci_testdev_membar);
    ADD("pc-testdev", test_pc_testdev);
    ADD("pvpanic/isa", test_pvpanic);
    ADD("pvpanic/pci", test_pvpanic_pci);
    ADD("ivshmem-plain", test_ivshmem);
    ADD("watchdog/ib700", test_ib700);
    ADD("watchdog/i6300esb", test_i6300esb);
    return g_test_run();
}
