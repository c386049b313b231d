/* SPDX-License-Identifier: MIT
 *
 * The standard hot-plug controller of pci-bridge and pcie-pci-bridge: its registers in both places,
 * commands, events and interrupts, devices that come and go.
 */
#include <string.h>
#include "hw/core/hotplug.h"
#include "pcie-test.h"

#define BRIDGE  PCI_MAKE_DEVFN(3, 0)
#define BUS1    0x100u
#define BASE    0xc0000000u
#define COMMAND (BASE + 0x14)
#define STATUS  (BASE + 0x16)
#define WHO     (BASE + 0x18)
#define MASKS   (BASE + 0x20)
#define SLOT(n) (BASE + 0x24 + 4 * ((n) - 1))
#define EMPTY   0x7f000d0fu
#define ON      0x7f000006u
#define CAME    0x7f0d000fu /* latch, button and presence; off */
#define AT5     (BUS1 | PCI_MAKE_DEVFN(5, 0))

static PCIBus *start(PCIeTest **ret_p, const char *type)
{
    PCIeTest *p = *ret_p = pcie_test_new();
    PCIDevice *bridge = g_str_equal(type, "pci-bridge")
                            ? pcie_test_add(p, NULL, BRIDGE, type, "chassis_nr=7", NULL)
                            : pcie_test_add(p, NULL, BRIDGE, type, NULL);

    test_reset(p->t);
    pcie_test_write(p, BRIDGE, PCI_PRIMARY_BUS, 0x00010100, 4);
    pcie_test_write(p, BRIDGE, 0x10, BASE, 4);
    pcie_test_write(p, BRIDGE, PCI_COMMAND, 6, 2);
    return pcie_test_bus_of(bridge);
}

static uint32_t rd(PCIeTest *p, uint32_t addr)
{
    return (uint32_t)test_read(p->t, addr, 4);
}

static uint8_t run(PCIeTest *p, unsigned slot, uint8_t command)
{
    test_write(p->t, COMMAND, slot << 8 | command, 2);
    return (uint8_t)test_read(p->t, STATUS, 2);
}

/* As device_add does. */
static PCIDevice *hot_add(PCIeTest *p, PCIBus *bus, const char *addr, GError **error)
{
    PCIDevice *dev = PCI_DEVICE(qdev_new(TYPE_TEST_PCIE, NULL));

    dev->parent_obj.hotplugged = true;
    object_property_parse(OBJECT(dev), "addr", addr, NULL);
    return qdev_realize_and_unref(&dev->parent_obj, &bus->parent_obj, error) ? dev : NULL;
}

static void test_capability(void)
{
    static const struct {
        const char *type;
        uint32_t list, next;
    } rows[] = {
        {"pci-bridge",      0x4c, 0x01804805},
        {"pcie-pci-bridge", 0x8c, 0x01808405},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        PCIeTest *p;

        start(&p, rows[i].type);
        g_assert_cmphex(pcie_test_read(p, BRIDGE, 0x10, 4), ==, BASE | 4);
        g_assert_cmphex(pcie_test_read(p, BRIDGE, 0x34, 4), ==, rows[i].list);
        g_assert_cmphex(pcie_test_read(p, BRIDGE, rows[i].list, 4), ==, rows[i].next);
        g_assert_cmphex(pcie_test_read(p, BRIDGE, 0x40, 4), ==, 0x0000000c);
        g_assert_cmphex(pcie_test_read(p, BRIDGE, 0x3d, 1), ==, 1);
        for (unsigned n = 0; n < 0x24 / 4 + 31; n++) { /* the same through the window */
            pcie_test_write(p, BRIDGE, 0x42, n, 1);
            g_assert_cmphex(pcie_test_read(p, BRIDGE, 0x44, 4), ==, rd(p, BASE + 4 * n));
        }
        pcie_test_write(p, BRIDGE, 0x42, 0xff, 1);
        g_assert_cmphex(pcie_test_read(p, BRIDGE, 0x44, 4), ==, 0);
        pcie_test_write(p, BRIDGE, 0x42, 8, 1);
        pcie_test_write(p, BRIDGE, 0x44, 5, 1);
        g_assert_cmphex(rd(p, MASKS), ==, 5);
        g_assert_cmphex(rd(p, BASE + 4), ==, 31);
        g_assert_cmphex(rd(p, BASE + 0xc), ==, 0xe001011f);
        g_assert_cmphex(rd(p, BASE + 0x10), ==, 0x01000000);
        g_assert_cmphex(rd(p, SLOT(1)), ==, EMPTY);
        g_assert_cmphex(rd(p, SLOT(31) + 4), ==, 0);
        pcie_test_free(p);
    }
}

static void test_commands(void)
{
    PCIeTest *p;
    PCIBus *bus = start(&p, "pci-bridge");

    pcie_test_add(p, bus, PCI_MAKE_DEVFN(5, 0), TYPE_TEST_PCIE, NULL);
    g_assert_cmphex(rd(p, SLOT(5)), ==, ON);
    g_assert_cmphex(run(p, 5, 0x18), ==, 0); /* indicators alone */
    g_assert_cmphex(rd(p, SLOT(5)), ==, 0x7f00001a);
    g_assert_cmphex(run(p, 5, 0x01), ==, 4); /* not from enabled */
    g_assert_cmphex(run(p, 4, 0x02), ==, 2); /* its latch is open */
    g_assert_cmphex(run(p, 4, 0x08), ==, 0);
    g_assert_cmphex(rd(p, SLOT(4)), ==, 0x7f000d0b);
    g_assert_cmphex(run(p, 0, 0x02), ==, 4);
    g_assert_cmphex(run(p, 5, 0x40), ==, 0);
    g_assert_cmphex(run(p, 5, 0x41), ==, 8);
    g_assert_cmphex(run(p, 5, 0x50), ==, 4);
    g_assert_cmphex(run(p, 5, 0x03), ==, 0); /* off the bus, but the lamp is on: it stays */
    g_assert_cmphex(pcie_test_read(p, AT5, 0, 4), ==, UINT32_MAX);
    g_assert_cmphex(run(p, 0, 0x49), ==, 0);
    g_assert_cmphex(pcie_test_read(p, AT5, 0, 4), ==, 0x9abc1234);
    pcie_test_free(p);
}

static void test_plug(void)
{
    GError *error = NULL;
    PCIeTest *p;
    PCIBus *bus = start(&p, "pcie-pci-bridge");

    g_assert_null(hot_add(p, bus, "0", &error));
    g_assert_nonnull(strstr(error->message, "Unsupported PCI slot 0 for standard hotplug controller"));
    g_clear_error(&error);
    test_write(p->t, MASKS, 0, 4); /* an interrupt for a button, and for no command */
    test_write(p->t, MASKS, 4, 4);
    test_write(p->t, SLOT(5) + 3, 0x7b, 1);
    g_assert_nonnull(hot_add(p, bus, "5", &error));
    g_assert_cmphex(rd(p, SLOT(5)), ==, (CAME & 0xffffff) | 0x7bu << 24);
    g_assert_cmphex(rd(p, WHO), ==, 1u << 5);
    g_assert_cmphex(pcie_test_read(p, BRIDGE, 0x43, 1), ==, 0x80);
    g_assert_cmpint(p->wires.level[3], ==, 1);
    g_assert_cmphex(pcie_test_read(p, AT5, 0, 4), ==, UINT32_MAX);
    test_write(p->t, SLOT(5) + 2, 0xff, 1);
    g_assert_cmpint(p->wires.level[3], ==, 0);
    g_assert_cmphex(run(p, 5, 0x01), ==, 0);
    g_assert_cmphex(pcie_test_read(p, AT5, 0, 4), ==, UINT32_MAX);
    g_assert_cmphex(run(p, 5, 0x36), ==, 0);
    g_assert_cmphex(pcie_test_read(p, AT5, 0, 4), ==, 0x9abc1234);
    g_assert_cmphex(rd(p, MASKS), ==, 1u << 16 | 4);
    test_write(p->t, MASKS, 0, 4);
    g_assert_cmpint(p->wires.level[3], ==, 1); /* a command was completed */
    test_write(p->t, MASKS, 1u << 16 | 4, 4);
    g_assert_cmpint(p->wires.level[3], ==, 0);
    pcie_test_free(p);
}

static void test_unplug(void)
{
    GError *error = NULL;
    PCIeTest *p;
    PCIBus *bus = start(&p, "pci-bridge");
    DeviceState *dev =
        DEVICE(pcie_test_add(p, bus, PCI_MAKE_DEVFN(5, 0), TYPE_TEST_PCIE, NULL));

    run(p, 5, 0x08);
    g_assert_false(qdev_unplug_request(dev, &error));
    g_assert_nonnull(strstr(error->message, "power indicator blinking"));
    g_clear_error(&error);
    run(p, 5, 0x04);
    g_assert_true(qdev_unplug_request(dev, &error));
    g_assert_cmphex(rd(p, SLOT(5)), ==, ON | 1u << 18);
    g_assert_false(qdev_unplug_request(dev, &error));
    g_assert_nonnull(strstr(error->message, "already in the process of unplug"));
    g_clear_error(&error);
    g_assert_cmphex(run(p, 5, 0x0f), ==, 0); /* disabled, lamp off: out with it */
    test_poll(p->t);
    g_assert_null(bus->devices[PCI_MAKE_DEVFN(5, 0)]);
    g_assert_cmphex(rd(p, SLOT(5)), ==, 0x7f0d0d0f);
    /* One that the guest has not taken goes at once, one that waits for it at a reset. */
    dev = DEVICE(hot_add(p, bus, "5", &error));
    g_assert_true(qdev_unplug_request(dev, &error));
    g_assert_null(bus->devices[PCI_MAKE_DEVFN(5, 0)]);
    dev = DEVICE(hot_add(p, bus, "5", &error));
    run(p, 5, 0x06);
    g_assert_true(qdev_unplug_request(dev, &error));
    test_reset(p->t);
    g_assert_null(bus->devices[PCI_MAKE_DEVFN(5, 0)]);
    test_poll(p->t);
    pcie_test_free(p);
}

static void test_poke(void)
{
    PCIeTest *p;
    PCIBus *bus = start(&p, "pcie-pci-bridge");

    hot_add(p, bus, "1f", NULL);
    pcie_test_add(p, bus, PCI_MAKE_DEVFN(5, 0), TYPE_TEST_PCIE, NULL);
    test_poke_memory(p->t, BASE, 256, 4000);
    test_poke_memory(p->t, ECAM_BASE + (BRIDGE << 12), 4096, 4000);
    test_poll(p->t);
    pcie_test_free(p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/shpc/capability", test_capability);
    g_test_add_func("/shpc/commands", test_commands);
    g_test_add_func("/shpc/plug", test_plug);
    g_test_add_func("/shpc/unplug", test_unplug);
    g_test_add_func("/shpc/poke", test_poke);
    return g_test_run();
}
