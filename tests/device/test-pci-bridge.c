/* SPDX-License-Identifier: MIT
 *
 * Bridges: configuration cycles, windows, bridge control, interrupts, slots and native hot-plug.
 */
#include <string.h>
#include "hw/core/hotplug.h"
#include "hw/pci/pci-bridge.h"
#include "pcie-test.h"
#include "system/runstate.h"

#define BRIDGE PCI_MAKE_DEVFN(3, 0)
#define BUS1   0x100u
#define NONE   0xffffffffu
#define MAGIC  0xabcd1234u

static PCIDevice *add_bridge(PCIeTest *p, const char *type)
{
    PCIDevice *dev = g_str_equal(type, "pci-bridge")
                         ? pcie_test_add(p, NULL, BRIDGE, type, "chassis_nr=1", "shpc=off", NULL)
                         : pcie_test_add(p, NULL, BRIDGE, type, NULL);

    pcie_test_write(p, BRIDGE, PCI_PRIMARY_BUS, 0x00020100, 4);
    return dev;
}

/* Windows of 64 KiB at c0000000 and above 4 GiB, of 4 KiB of ports at c000. */
static void open_windows(PCIeTest *p, unsigned at)
{
    pcie_test_write(p, at, PCI_IO_BASE, 0xc0c0, 2);
    pcie_test_write(p, at, PCI_MEMORY_BASE, 0xc000c000, 4);
    pcie_test_write(p, at, PCI_PREF_MEMORY_BASE, 0x00000000, 4);
    pcie_test_write(p, at, PCI_PREF_BASE_UPPER32, 2, 4);
    pcie_test_write(p, at, PCI_PREF_LIMIT_UPPER32, 2, 4);
    pcie_test_write(p, at, PCI_COMMAND, 7, 2);
}

static void program(PCIeTest *p, unsigned at, uint64_t mem, uint16_t io)
{
    pcie_test_write(p, at, 0x10, (uint32_t)mem, 4);
    pcie_test_write(p, at, 0x14, (uint32_t)(mem >> 32), 4);
    pcie_test_write(p, at, 0x18, io, 4);
    pcie_test_write(p, at, PCI_COMMAND, 7, 2);
}

static void test_config_cycles(void)
{
    PCIeTest *p = pcie_test_new();
    PCIBus *bus = pcie_test_bus_of(add_bridge(p, "pci-bridge"));

    pcie_test_add(p, bus, 0, TYPE_TEST_PCIE, NULL);
    g_assert_cmpstr(OBJECT(bus)->name, ==, "pci.0");
    g_assert_cmphex(pcie_test_read(p, BRIDGE, PCI_HEADER_TYPE, 1), ==, 1);
    g_assert_cmphex(pcie_test_read(p, BUS1, 0, 4), ==, 0x9abc1234);
    g_assert_cmphex(pcie_test_read(p, BUS1, 0x100, 4), ==, NONE); /* conventional from here on */
    g_assert_cmphex(pcie_test_read(p, 2 * BUS1, 0, 4), ==, NONE);
    pcie_test_write(p, BRIDGE, PCI_PRIMARY_BUS, 0x00050500, 4);
    g_assert_cmphex(pcie_test_read(p, BUS1, 0, 4), ==, NONE);
    g_assert_cmphex(pcie_test_read(p, 5 * BUS1, 0, 4), ==, 0x9abc1234);
    g_assert_cmpint(pci_bus_num(bus), ==, 5);
    test_reset(p->t);
    g_assert_cmphex(pcie_test_read(p, 5 * BUS1, 0, 4), ==, NONE);
    pcie_test_free(p);
}

static void test_two_levels(void)
{
    PCIeTest *p = pcie_test_new();
    PCIBus *bus1 = pcie_test_bus_of(add_bridge(p, "pci-bridge"));
    PCIDevice *inner = pcie_test_add(p, bus1, 8, "pci-bridge", "chassis_nr=2", "shpc=off", NULL);
    PCIBus *bus2 = pcie_test_bus_of(inner);
    PCIDevice *dev = pcie_test_add(p, bus2, PCI_MAKE_DEVFN(2, 0), TYPE_TEST_PCIE, NULL);
    unsigned at = 2 * BUS1 | PCI_MAKE_DEVFN(2, 0);

    pcie_test_write(p, BUS1 | 8, PCI_PRIMARY_BUS, 0x00020201, 4);
    g_assert_cmphex(pcie_test_read(p, at, 0, 4), ==, 0x9abc1234);
    open_windows(p, BRIDGE);
    program(p, at, 0xc0000000, 0xc000);
    test_write(p->t, 0xc0000000, MAGIC, 4);
    g_assert_cmphex(TEST_PCIE(dev)->scratch, ==, 0); /* the inner one is closed */
    open_windows(p, BUS1 | 8);
    test_write(p->t, 0xc0000000, MAGIC, 4);
    g_assert_cmphex(TEST_PCIE(dev)->scratch, ==, MAGIC);
    /* INTA# of slot 2 is INTC# of the inner bridge in slot 1: INTD#, of slot 3: INTC#. */
    pci_set_irq(dev, 1);
    g_assert_cmpint(p->wires.level[(2 + 1 + 3) % 4], ==, 1);
    pci_set_irq(dev, 0);
    g_assert_cmpint(p->wires.level[(2 + 1 + 3) % 4], ==, 0);
    g_assert_cmpint(pci_requester_id(dev), ==, (int)at);
    pcie_test_free(p);
}

static void test_windows(void)
{
    PCIeTest *p = pcie_test_new();
    PCIBus *bus = pcie_test_bus_of(add_bridge(p, "pci-bridge"));
    TestPCIe *d = TEST_PCIE(pcie_test_add(p, bus, 0, TYPE_TEST_PCIE, NULL));

    open_windows(p, BRIDGE);
    program(p, BUS1, 0xc0000000, 0xc100);
    d->scratch = MAGIC;
    g_assert_cmphex(test_read(p->t, 0xc0000000, 4), ==, MAGIC);
    g_assert_cmphex(test_inl(p->t, 0xc100), ==, MAGIC);
    program(p, BUS1, 0xc0100000, 0xd000); /* outside */
    g_assert_cmphex(test_read(p->t, 0xc0100000, 4), !=, MAGIC);
    g_assert_cmphex(test_inl(p->t, 0xd000), !=, MAGIC);
    program(p, BUS1, 0x200000000, 0xcff0); /* prefetchable, above 4 GiB */
    g_assert_cmphex(test_read(p->t, 0x200000000, 4), ==, MAGIC);
    g_assert_cmphex(test_inl(p->t, 0xcff0), ==, MAGIC);
    pcie_test_write(p, BRIDGE, PCI_COMMAND, PCI_COMMAND_IO, 2);
    g_assert_cmphex(test_read(p->t, 0x200000000, 4), !=, MAGIC);
    g_assert_cmphex(test_inl(p->t, 0xcff0), ==, MAGIC);
    pcie_test_write(p, BRIDGE, PCI_COMMAND, 7, 2);
    pcie_test_write(p, BRIDGE, PCI_IO_BASE, 0x00f0, 2); /* base above limit */
    g_assert_cmphex(test_inl(p->t, 0xcff0), !=, MAGIC);
    pcie_test_free(p);
}

static void test_isa_and_vga(void)
{
    PCIeTest *p = pcie_test_new();
    PCIBus *bus = pcie_test_bus_of(add_bridge(p, "pci-bridge"));
    TestPCIe *d = TEST_PCIE(pcie_test_add(p, bus, 0, TYPE_TEST_PCIE, NULL));

    d->scratch = MAGIC;
    open_windows(p, BRIDGE);
    pcie_test_write(p, BRIDGE, PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_ISA, 2);
    for (unsigned block = 0xc000; block < 0xd000; block += 0x400) {
        program(p, BUS1, 0xc0000000, (uint16_t)(block + 0xf0));
        g_assert_cmphex(test_inl(p->t, (uint16_t)(block + 0xf0)), ==, MAGIC);
        program(p, BUS1, 0xc0000000, (uint16_t)(block + 0x100));
        g_assert_cmphex(test_inl(p->t, (uint16_t)(block + 0x100)), !=, MAGIC);
    }
    pcie_test_write(p, BRIDGE, PCI_BRIDGE_CONTROL, 0, 2);
    g_assert_cmphex(test_inl(p->t, 0xcd00), ==, MAGIC);

    program(p, BUS1, 0xa0000, 0x3c0);
    g_assert_cmphex(test_inl(p->t, 0x3c0), !=, MAGIC);
    pcie_test_write(p, BRIDGE, PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_VGA, 2);
    g_assert_cmphex(test_inl(p->t, 0x3c0), ==, MAGIC);
    g_assert_cmphex(test_read(p->t, 0xa0000, 4), ==, MAGIC);
    pcie_test_write(p, BRIDGE, PCI_COMMAND, 0, 2);
    g_assert_cmphex(test_read(p->t, 0xa0000, 4), !=, MAGIC);
    pcie_test_free(p);
}

static void test_subtractive(void)
{
    PCIeTest *p = pcie_test_new();
    PCIBus *bus = pcie_test_bus_of(add_bridge(p, "i82801b11-bridge"));
    TestPCIe *d = TEST_PCIE(pcie_test_add(p, bus, 0, TYPE_TEST_PCIE, NULL));

    d->scratch = MAGIC;
    pcie_test_write(p, BRIDGE, PCI_COMMAND, 7, 2);
    program(p, BUS1, 0xd0000000, 0xd000); /* in no window: nobody else claims it */
    g_assert_cmphex(test_read(p->t, 0xd0000000, 4), ==, MAGIC);
    g_assert_cmphex(test_inl(p->t, 0xd000), ==, MAGIC);
    pcie_test_free(p);
}

static void test_bus_reset(void)
{
    PCIeTest *p = pcie_test_new();
    PCIBus *bus = pcie_test_bus_of(add_bridge(p, "pcie-root-port"));
    TestPCIe *d = TEST_PCIE(pcie_test_add(p, bus, 0, TYPE_TEST_PCIE, NULL));

    program(p, BUS1, 0xc0000000, 0xc000);
    d->resets = 0;
    pcie_test_write(p, BRIDGE, PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_BUS_RESET, 2);
    g_assert_cmpuint(d->resets, ==, 1);
    g_assert_cmphex(pcie_test_read(p, BUS1, PCI_COMMAND, 2), ==, 0);
    pcie_test_write(p, BRIDGE, PCI_BRIDGE_CONTROL, 0, 2);
    g_assert_cmpuint(d->resets, ==, 1);
    g_assert_cmphex(pcie_test_read(p, BRIDGE, PCI_PRIMARY_BUS, 4), ==, 0x00020100);
    pcie_test_free(p);
}

/* ---- what each bridge is ------------------------------------------------------------------ */

typedef struct Register {
    unsigned reg;
    uint32_t value, writable;
} Register;

/* Capability lists, ids and masks, as drivers and lspci know these devices. */
static const struct {
    const char *type;
    Register regs[20];
} bridges[] = {
    {"pcie-root-port",     {{0x00, 0x000c1b36, 0},          {0x08, 0x06040000, 0},
                        {0x1c, 0x000000f0, 0x0000f0f0}, {0x20, 0x0000fff0, 0xfff0fff0},
                        {0x24, 0x0001fff1, 0xfff0fff0}, {0x34, 0x00000054, 0},
                        {0x40, 0x0000000d, 0},          {0x48, 0x00004011, 0xc0000000},
                        {0x54, 0x01424810, 0},          {0x5c, 0x00000000, 0x0000000f},
                        {0x60, 0x00300604, 0},          {0x70, 0x00000000, 0x00000007},
                        {0x78, 0x00300020, 0},          {0x7c, 0x00000000, 0x00008020},
                        {0x80, 0x0000001e, 0},          {0x84, 0x00000004, 0},
                        {0x100, 0x14820001, 0},         {0x10c, 0x00462030, 0x03fff030},
                        {0x148, 0x0001000d, 0},         {0x14c, 0x0000005f, 0x005f0000}}},
    {"ioh3420",
     {{0x00, 0x34208086, 0},
      {0x08, 0x06040002, 0},
      {0x34, 0x00000090, 0},
      {0x40, 0x0000000d, 0},
      {0x60, 0x01024005, 0x00110000},
      {0x64, 0x00000000, 0xfffffffc},
      {0x68, 0x00000000, 0x0000ffff},
      {0x6c, 0x00000000, 0x00000003},
      {0x90, 0x01426010, 0},
      {0x9c, 0x00000411, 0},
      {0x100, 0x00020001, 0}}                                                                                 },
    {"x3130-upstream",
     {{0x00, 0x8232104c, 0},
      {0x08, 0x06040002, 0},
      {0x70, 0x00800005, 0x00010000},
      {0x80, 0x0000700d, 0},
      {0x90, 0x00528010, 0},
      {0x94, 0x10008000, 0}}                                                                                  },
    {"xio3130-downstream",
     {{0x00, 0x8233104c, 0}, {0x08, 0x06040001, 0}, {0x90, 0x01628010, 0}, {0xb4, 0x00300020, 0}}             },
    {"pcie-pci-bridge",
     {{0x00, 0x000e1b36, 0},
      {0x04, 0x00b00000, 0x00000507},
      {0x34, 0x0000008c, 0},
      {0x84, 0x00034801, 0},
      {0x8c, 0x01808405, 0x00010000},
      {0x100, 0x00020001, 0}}                                                                                 },
    {"pci-bridge",
     {{0x00, 0x00011b36, 0},
      {0x04, 0x00b00000, 0x00000507},
      {0x1c, 0x00a00000, 0x0000f0f0},
      {0x34, 0x00000040, 0},
      {0x3c, 0x00000000, 0x0bff00ff},
      {0x40, 0x01200004, 0xff000000}}                                                                         },
    {"i82801b11-bridge",
     {{0x00, 0x244e8086, 0}, {0x08, 0x06040192, 0}, {0x34, 0x00000050, 0}, {0x50, 0x0000000d, 0}}             },
};

static void test_registers(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bridges); i++) {
        PCIeTest *p = pcie_test_new();

        add_bridge(p, bridges[i].type);
        test_reset(p->t);
        for (const Register *r = bridges[i].regs; r < bridges[i].regs + 20 && (r->reg || r->value);
             r++) {
            uint32_t before = pcie_test_read(p, BRIDGE, r->reg, 4), ones, zeros;

            pcie_test_write(p, BRIDGE, r->reg, 0, 4);
            zeros = pcie_test_read(p, BRIDGE, r->reg, 4);
            pcie_test_write(p, BRIDGE, r->reg, 0xffffffff, 4);
            ones = pcie_test_read(p, BRIDGE, r->reg, 4);
            pcie_test_write(p, BRIDGE, r->reg, before, 4);
            g_test_message("%s %03x", bridges[i].type, r->reg);
            g_assert_cmphex(before, ==, r->value);
            g_assert_cmphex(ones ^ zeros, ==, r->writable);
        }
        pcie_test_free(p);
    }
}

static void test_reserve(void)
{
    PCIeTest *p = pcie_test_new();
    PCIDevice *dev = pcie_test_add(p, NULL, BRIDGE, "pcie-root-port", "bus-reserve=3",
                                   "pref64-reserve=1G", NULL);
    unsigned at = pci_find_capability(dev, PCI_CAP_ID_VNDR);

    g_assert_cmpuint(at, !=, 0);
    g_assert_cmphex(pcie_test_read(p, BRIDGE, at + 2, 2), ==, 0x0120);
    g_assert_cmphex(pcie_test_read(p, BRIDGE, at + 4, 4), ==, 3);
    g_assert_cmphex(pcie_test_read(p, BRIDGE, at + 8, 4), ==, NONE);
    g_assert_cmphex(pcie_test_read(p, BRIDGE, at + 20, 4), ==, NONE);
    g_assert_cmphex(pcie_test_read(p, BRIDGE, at + 24, 4), ==, 1u << 30);
    pcie_test_free(p);
}

/* What a machine without firmware does: numbers, addresses and windows that hold them. */
static void test_assign(void)
{
    static const uint8_t lines[4] = {10, 11, 12, 13};
    PCIeTest *p = pcie_test_new();
    PCIDevice *port = add_bridge(p, "pcie-root-port"), *low, *high, *inner;
    PCIBus *bus = pcie_test_bus_of(port);
    GError *error = NULL;

    inner = pcie_test_add(p, bus, 0, "pcie-pci-bridge", NULL);
    low = pcie_test_add(p, pcie_test_bus_of(inner), 8, TYPE_TEST_PCIE, NULL);
    high = pcie_test_add(p, NULL, PCI_MAKE_DEVFN(9, 0), TYPE_TEST_PCIE, NULL);
    pci_assign_resources(p->bus, 0xe0000000, 0xf0000000, 0xc000, 0x10000, lines, &error);
    g_assert_no_error(error);
    g_assert_cmphex(pcie_test_read(p, BRIDGE, PCI_PRIMARY_BUS, 4), ==, 0x00020100);
    g_assert_cmphex(pcie_test_read(p, BUS1, PCI_PRIMARY_BUS, 4), ==, 0x00020201);
    for (int bar = 0; bar <= 3; bar++) {
        uint64_t a = low->io_regions[bar].size ? pci_get_bar_addr(low, bar) : 1;
        uint64_t b = high->io_regions[bar].size ? pci_get_bar_addr(high, bar) : 2;

        g_assert_cmphex(a, !=, PCI_BAR_UNMAPPED);
        g_assert_cmphex(b, !=, PCI_BAR_UNMAPPED);
        g_assert_cmphex(a, !=, b);
    }
    TEST_PCIE(low)->scratch = MAGIC;
    g_assert_cmphex(test_read(p->t, pci_get_bar_addr(low, 0), 4), ==, MAGIC);
    g_assert_cmphex(test_inl(p->t, (uint16_t)pci_get_bar_addr(low, 2)), ==, MAGIC);
    /* INTA# of slot 1 there is INTB# of slot 0 and of slot 3: INTA#. */
    g_assert_cmpint(low->config[PCI_INTERRUPT_LINE], ==, lines[(1 + 0 + 3) % 4]);
    g_assert_false(
        pci_assign_resources(p->bus, 0xe0000000, 0xe0200000, 0xc000, 0x10000, lines, &error));
    g_assert_nonnull(strstr(error->message, "no room for"));
    g_clear_error(&error);
    pcie_test_free(p);
}

/* It keeps free what a bridge asks for. */
static void test_assign_reserved(void)
{
    static const uint8_t lines[4] = {10, 11, 12, 13};
    PCIeTest *p = pcie_test_new();
    GError *error = NULL;

    pcie_test_add(p, NULL, BRIDGE, "pcie-root-port", "bus-reserve=3", "io-reserve=8k",
                  "mem-reserve=4M", "pref64-reserve=32G", NULL);
    pcie_test_add(p, NULL, PCI_MAKE_DEVFN(4, 0), "pcie-root-port", "chassis=1", NULL);
    pci_assign_resources(p->bus, 0xe0000000, 0xf0000000, 0xc000, 0x10000, lines, &error);
    g_assert_no_error(error);
    g_assert_cmphex(pcie_test_read(p, BRIDGE, PCI_PRIMARY_BUS, 4), ==, 0x00040100);
    g_assert_cmphex(pcie_test_read(p, PCI_MAKE_DEVFN(4, 0), PCI_PRIMARY_BUS, 4), ==, 0x00050500);
    g_assert_cmphex(pcie_test_read(p, BRIDGE, PCI_IO_BASE, 2), ==, 0xd0c0);
    g_assert_cmphex(pcie_test_read(p, BRIDGE, PCI_MEMORY_BASE, 2) + 0x30, ==,
                    pcie_test_read(p, BRIDGE, PCI_MEMORY_LIMIT, 2));
    pcie_test_free(p);
}

/* ---- root ports -------------------------------------------------------------------------- */

#define EXP     0x54 /* of a pcie-root-port */
#define MSIX    0x48
#define TABLE   0xe0000000u
#define MESSAGE 0x2000u

static uint16_t slot_reg(PCIeTest *p, unsigned reg)
{
    return (uint16_t)pcie_test_read(p, BRIDGE, EXP + reg, 2);
}

static void set_slot_reg(PCIeTest *p, unsigned reg, uint16_t value)
{
    pcie_test_write(p, BRIDGE, EXP + reg, value, 2);
}

static DeviceState *hot_add(PCIBus *bus, int devfn, bool multifunction, GError **error)
{
    PCIDevice *dev = pci_new(devfn, TYPE_TEST_PCIE, error);

    dev->multifunction = multifunction;
    dev->parent_obj.hotplugged = true;
    return pci_realize_and_unref(dev, bus, error) ? &dev->parent_obj : NULL;
}

static unsigned deleted;

static void on_event(void *opaque, const char *event, const char *data)
{
    deleted += g_str_equal(event, "DEVICE_DELETED");
}

static void test_slot_registers(void)
{
    PCIeTest *p = pcie_test_new();
    GError *error = NULL;
    PCIDevice *dev = pcie_test_add(p, NULL, BRIDGE, "pcie-root-port", "slot=5", NULL);

    g_assert_cmphex(slot_reg(p, PCI_EXP_FLAGS), ==, 0x0142);
    g_assert_cmphex(pcie_test_read(p, BRIDGE, EXP + PCI_EXP_SLTCAP, 4), ==, 0x0002007b | 5 << 19);
    g_assert_cmphex(slot_reg(p, PCI_EXP_SLTCTL), ==, 0x07c0); /* off */
    g_assert_cmphex(slot_reg(p, PCI_EXP_SLTSTA), ==, 0);
    g_assert_cmphex(slot_reg(p, PCI_EXP_LNKSTA), ==, 0x0204);
    pcie_test_add(p, pcie_test_bus_of(dev), 0, TYPE_TEST_PCIE, NULL);
    g_assert_cmphex(slot_reg(p, PCI_EXP_SLTCTL), ==, 0x01c0); /* on */
    g_assert_cmphex(slot_reg(p, PCI_EXP_SLTSTA), ==, PCI_EXP_SLTSTA_PDS);
    g_assert_cmphex(slot_reg(p, PCI_EXP_LNKSTA), ==, 0x2011); /* active, as the endpoint has it */
    set_slot_reg(p, PCI_EXP_SLTCTL, 0x01c0 | PCI_EXP_SLTCTL_EIC);
    g_assert_cmphex(slot_reg(p, PCI_EXP_SLTCTL), ==, 0x01c0);
    g_assert_cmphex(slot_reg(p, PCI_EXP_SLTSTA), ==,
                    PCI_EXP_SLTSTA_PDS | PCI_EXP_SLTSTA_EIS | PCI_EXP_SLTSTA_CC);
    set_slot_reg(p, PCI_EXP_SLTSTA, 0xffff);
    g_assert_cmphex(slot_reg(p, PCI_EXP_SLTSTA), ==, PCI_EXP_SLTSTA_PDS | PCI_EXP_SLTSTA_EIS);
    /* One slot of that number in the chassis. */
    dev = pci_new(-1, "pcie-root-port", &error);
    object_property_parse(OBJECT(dev), "slot", "5", NULL);
    g_assert_false(pci_realize_and_unref(dev, p->bus, &error));
    g_assert_nonnull(strstr(error->message, "chassis=0,slot=5"));
    g_clear_error(&error);
    pcie_test_free(p);
}

static void enable_hotplug_interrupt(PCIeTest *p)
{
    pcie_test_write(p, BRIDGE, 0x10, TABLE, 4);
    pcie_test_write(p, BRIDGE, PCI_COMMAND, 7, 2);
    test_write(p->t, TABLE, MESSAGE, 4);
    test_write(p->t, TABLE + 8, 0x4040, 4);
    test_write(p->t, TABLE + 12, 0, 4);
    pcie_test_write(p, BRIDGE, MSIX + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE, 2);
    set_slot_reg(p, PCI_EXP_SLTCTL,
                 0x07c0 | PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_PDCE | PCI_EXP_SLTCTL_ABPE);
    set_slot_reg(p, PCI_EXP_SLTSTA, 0xffff);
}

static uint32_t message(PCIeTest *p)
{
    uint32_t value = (uint32_t)test_read(p->t, MESSAGE, 4);

    test_write(p->t, MESSAGE, 0, 4);
    return value;
}

static void test_native_hotplug(void)
{
    PCIeTest *p = pcie_test_new();
    PCIBus *bus = pcie_test_bus_of(add_bridge(p, "pcie-root-port"));
    uint16_t enables = PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_PDCE | PCI_EXP_SLTCTL_ABPE;
    GError *error = NULL;
    DeviceState *dev;

    deleted = 0;
    machine_add_event_listener(p->t->machine, on_event, NULL);
    enable_hotplug_interrupt(p);
    dev = hot_add(bus, 0, false, &error);
    g_assert_no_error(error);
    g_assert_cmphex(slot_reg(p, PCI_EXP_SLTSTA), ==,
                    PCI_EXP_SLTSTA_PDS | PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_ABP);
    g_assert_cmphex(message(p), ==, 0x4040);
    g_assert_cmphex(pcie_test_read(p, BUS1, 0, 4), ==, NONE); /* no power yet */
    set_slot_reg(p, PCI_EXP_SLTSTA, 0xffff);
    set_slot_reg(p, PCI_EXP_SLTCTL, 0x01c0 | enables);
    g_assert_cmphex(pcie_test_read(p, BUS1, 0, 4), ==, 0x9abc1234);
    set_slot_reg(p, PCI_EXP_SLTSTA, 0xffff);

    g_assert_true(qdev_unplug_request(dev, &error));
    g_assert_cmphex(slot_reg(p, PCI_EXP_SLTSTA), ==, PCI_EXP_SLTSTA_PDS | PCI_EXP_SLTSTA_ABP);
    g_assert_cmphex(message(p), ==, 0x4040);
    g_assert_false(qdev_unplug_request(dev, &error));
    g_assert_nonnull(strstr(error->message, "already in the process of unplug"));
    g_clear_error(&error);
    set_slot_reg(p, PCI_EXP_SLTSTA, 0xffff);
    set_slot_reg(p, PCI_EXP_SLTCTL, 0x02c0 | enables); /* blinking, still on */
    test_poll(p->t);
    g_assert_nonnull(bus->devices[0]);
    set_slot_reg(p, PCI_EXP_SLTCTL, 0x07c0 | enables);
    g_assert_cmphex(slot_reg(p, PCI_EXP_SLTSTA), ==, PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_CC);
    test_poll(p->t);
    test_poll(p->t);
    g_assert_null(bus->devices[0]);
    g_assert_cmpuint(deleted, ==, 1);
    machine_del_event_listener(p->t->machine, on_event, NULL);
    pcie_test_free(p);
}

static void test_hotplug_functions(void)
{
    PCIeTest *p = pcie_test_new();
    PCIBus *bus = pcie_test_bus_of(add_bridge(p, "pcie-root-port"));
    GError *error = NULL;

    enable_hotplug_interrupt(p);
    g_assert_nonnull(hot_add(bus, 1, false, &error));
    g_assert_cmphex(slot_reg(p, PCI_EXP_SLTSTA), ==, 0); /* function 0 shows them all */
    g_assert_null(hot_add(bus, 0, false, &error));
    g_assert_nonnull(strstr(error->message, "indicates single function"));
    g_clear_error(&error);
    g_assert_nonnull(hot_add(bus, 0, true, &error));
    g_assert_cmphex(message(p), ==, 0x4040);
    g_assert_null(hot_add(bus, 2, false, &error));
    g_assert_nonnull(strstr(error->message, "cannot be exposed"));
    g_clear_error(&error);
    pcie_test_free(p);
}

static void test_unplug_at_reset(void)
{
    PCIeTest *p = pcie_test_new();
    PCIBus *bus = pcie_test_bus_of(add_bridge(p, "pcie-root-port"));
    PCIDevice *dev = pcie_test_add(p, bus, 0, TYPE_TEST_PCIE, NULL);
    GError *error = NULL;

    g_assert_true(qdev_unplug_request(&dev->parent_obj, &error));
    g_assert_nonnull(bus->devices[0]);
    test_reset(p->t);
    g_assert_null(bus->devices[0]);
    g_assert_cmphex(slot_reg(p, PCI_EXP_SLTSTA), ==, 0);
    g_assert_cmphex(slot_reg(p, PCI_EXP_SLTCTL), ==, 0x07c0);
    pcie_test_free(p);
}

static void test_no_hotplug(void)
{
    PCIeTest *p = pcie_test_new();
    PCIDevice *port = pcie_test_add(p, NULL, BRIDGE, "pcie-root-port", "hotplug=off", NULL);
    PCIBus *bus = pcie_test_bus_of(port);
    PCIDevice *dev = pcie_test_add(p, bus, 0, TYPE_TEST_PCIE, NULL);
    GError *error = NULL;

    g_assert_cmphex(slot_reg(p, PCI_EXP_SLTCAP), ==, 0x001b);
    g_assert_false(qdev_unplug_request(&dev->parent_obj, &error));
    g_assert_nonnull(strstr(error->message, "does not support hotplugging"));
    g_clear_error(&error);
    pcie_test_free(p);
}

/* Errors of an endpoint reach the root port, which interrupts. */
static void test_error_messages(void)
{
    PCIeTest *p = pcie_test_new();
    PCIBus *bus = pcie_test_bus_of(add_bridge(p, "pcie-root-port"));
    PCIDevice *dev = pcie_test_add(p, bus, 0, TYPE_TEST_PCIE, NULL);
    unsigned command = 0x100 + PCI_ERR_ROOT_COMMAND, status = 0x100 + PCI_ERR_ROOT_STATUS;

    pcie_test_write(p, BRIDGE, command, PCI_ERR_ROOT_CMD_COR_EN, 4);
    pcie_aer_correctable(dev, PCI_ERR_COR_BAD_TLP);
    test_poll(p->t);
    g_assert_cmphex(pcie_test_read(p, BRIDGE, status, 4), ==, 0); /* not enabled */
    pcie_test_write(p, BUS1, TEST_PCIE_EXP + PCI_EXP_DEVCTL, 0xf, 2);
    pcie_aer_correctable(dev, PCI_ERR_COR_BAD_TLP);
    test_poll(p->t);
    g_assert_cmphex(pcie_test_read(p, BRIDGE, status, 4), ==, 0); /* not forwarded */
    pcie_test_write(p, BRIDGE, PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_SERR, 2);
    pcie_aer_correctable(dev, PCI_ERR_COR_BAD_TLP);
    test_poll(p->t);
    g_assert_cmphex(pcie_test_read(p, BRIDGE, status, 4), ==, PCI_ERR_ROOT_COR_RCV);
    g_assert_cmphex(pcie_test_read(p, BRIDGE, 0x134, 4), ==, BUS1);
    g_assert_cmpint(p->wires.level[3], ==, 1);
    pcie_test_write(p, BRIDGE, status, PCI_ERR_ROOT_COR_RCV, 4);
    g_assert_cmpint(p->wires.level[3], ==, 0);
    pcie_aer_uncorrectable(dev, PCI_ERR_UNC_MALF_TLP, NULL);
    test_poll(p->t);
    g_assert_cmphex(pcie_test_read(p, BRIDGE, status, 4), ==,
                    PCI_ERR_ROOT_UNCOR_RCV | PCI_ERR_ROOT_FIRST_FATAL | PCI_ERR_ROOT_FATAL_RCV);
    /* One on the way is lost with its sender. */
    pcie_test_write(p, BRIDGE, status, 0xffffffff, 4);
    pcie_aer_correctable(dev, PCI_ERR_COR_BAD_TLP);
    object_unparent(OBJECT(dev));
    test_poll(p->t);
    g_assert_cmphex(pcie_test_read(p, BRIDGE, status, 4), ==, 0);
    pcie_test_free(p);
}

static void test_poke(void)
{
    static const char *const types[] = {"pci-bridge",      "pcie-root-port",     "ioh3420",
                                        "x3130-upstream",  "xio3130-downstream", "pcie-pci-bridge",
                                        "i82801b11-bridge"};

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        PCIeTest *p = pcie_test_new();
        PCIBus *bus = pcie_test_bus_of(add_bridge(p, types[i]));

        pcie_test_add(p, bus, bus->devfn_min, TYPE_TEST_PCIE, NULL);
        test_poke_memory(p->t, ECAM_BASE + (BRIDGE << 12), 4096, 4000);
        test_poke_memory(p->t, ECAM_BASE + (BRIDGE << 12), 0xc0, 4000);
        test_poke_memory(p->t, ECAM_BASE + (BUS1 << 12), 4096, 2000);
        pcie_test_free(p);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pci-bridge/config", test_config_cycles);
    g_test_add_func("/pci-bridge/two-levels", test_two_levels);
    g_test_add_func("/pci-bridge/windows", test_windows);
    g_test_add_func("/pci-bridge/isa-vga", test_isa_and_vga);
    g_test_add_func("/pci-bridge/subtractive", test_subtractive);
    g_test_add_func("/pci-bridge/reset", test_bus_reset);
    g_test_add_func("/pci-bridge/registers", test_registers);
    g_test_add_func("/pci-bridge/reserve", test_reserve);
    g_test_add_func("/pci-bridge/assign", test_assign);
    g_test_add_func("/pci-bridge/assign-reserved", test_assign_reserved);
    g_test_add_func("/pcie-slot/registers", test_slot_registers);
    g_test_add_func("/pcie-slot/native-hotplug", test_native_hotplug);
    g_test_add_func("/pcie-slot/functions", test_hotplug_functions);
    g_test_add_func("/pcie-slot/unplug-at-reset", test_unplug_at_reset);
    g_test_add_func("/pcie-slot/no-hotplug", test_no_hotplug);
    g_test_add_func("/pcie-slot/errors", test_error_messages);
    g_test_add_func("/pci-bridge/poke", test_poke);
    return g_test_run();
}
