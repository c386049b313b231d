/* SPDX-License-Identifier: MIT
 *
 * Configuration space, BARs, INTx routing, PAM, SMRAM, reset control, bus mastering.
 */
#include <string.h>
#include "pci-test.h"

/* A device with a memory and a port BAR, INTA#, MSI. */
typedef struct TestPCI {
    PCIDevice parent_obj;
    MemoryRegion mem, io;
    uint64_t written;
    unsigned writes;
    bool dma_on_write;
} TestPCI;
#define TEST_PCI(obj) OBJECT_CHECK(TestPCI, obj, "test-pci")

static uint64_t test_pci_read(void *opaque, hwaddr addr, unsigned size)
{
    return 0x11223344;
}

static void test_pci_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    TestPCI *d = opaque;

    d->written = value;
    d->writes++;
    if (d->dma_on_write) { /* to itself */
        uint32_t word = (uint32_t)value + 1;

        d->dma_on_write = value < 5;
        pci_dma_write(&d->parent_obj, pci_get_bar_addr(&d->parent_obj, 0), &word, 4);
    }
}

static const MemoryRegionOps test_pci_ops = {.read = test_pci_read, .write = test_pci_write};

static bool test_pci_realize(PCIDevice *dev, GError **error)
{
    TestPCI *d = TEST_PCI(dev);

    memory_region_init_io(&d->mem, OBJECT(d), &test_pci_ops, d, "mem", 4096);
    memory_region_init_io(&d->io, OBJECT(d), &test_pci_ops, d, "io", 32);
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_MEM_TYPE_64, &d->mem);
    pci_register_bar(dev, 2, PCI_BASE_ADDRESS_SPACE_IO, &d->io);
    dev->config[PCI_INTERRUPT_PIN] = 1;
    return msi_init(dev, 0x50, 4, true, error);
}

static void test_pci_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = test_pci_realize;
    pc->vendor_id = 0x1234;
    pc->device_id = 0x5678;
    pc->class_id = PCI_CLASS_OTHERS;
}

static const TypeInfo test_pci_types[] = {
    {.name = "test-pci",
     .parent = TYPE_PCI_DEVICE,
     .instance_size = sizeof(TestPCI),
     .class_init = test_pci_class_init},
};
DEFINE_TYPES(test_pci_types)

#define SLOT3 PCI_MAKE_DEVFN(3, 0)

static TestPCI *add_device(PCITest *p, int devfn)
{
    GError *error = NULL;
    PCIDevice *dev = pci_create(p->bus, devfn, "test-pci", &error);

    g_assert_no_error(error);
    return TEST_PCI(dev);
}

static void test_config(void)
{
    PCITest *p = pci_test_new();

    g_assert_cmphex(pci_test_read(p, 0, 0, 4), ==, 0x12378086);
    g_assert_cmphex(pci_test_read(p, 8, 0, 4), ==, 0x70008086);
    g_assert_cmphex(pci_test_read(p, 8, 14, 1), ==, 0x80); /* multifunction */
    g_assert_cmphex(pci_test_read(p, 0, 2, 2), ==, 0x1237);
    g_assert_cmphex(pci_test_read(p, 0, 11, 1), ==, 0x06);
    g_assert_cmphex(pci_test_read(p, SLOT3, 0, 4), ==, 0xffffffff);
    pci_test_write(p, 0, 0, 0, 4);
    g_assert_cmphex(pci_test_read(p, 0, 0, 4), ==, 0x12378086);
    pci_test_write(p, 0, PCI_COMMAND, 0xffff, 2);
    g_assert_cmphex(pci_test_read(p, 0, PCI_COMMAND, 2), ==, 0x0507);
    test_outl(p->t, 0xcf8, 0);
    g_assert_cmphex(test_inl(p->t, 0xcfc), ==, 0xffffffff); /* not enabled */
    test_outl(p->t, 0xcf8, 0xffffffff);
    g_assert_cmphex(test_inl(p->t, 0xcf8), ==, 0x80fffffc);
    pci_test_free(p);
}

static void test_bars(void)
{
    PCITest *p = pci_test_new();
    TestPCI *d = add_device(p, SLOT3);

    pci_test_write(p, SLOT3, 0x10, 0xffffffff, 4);
    pci_test_write(p, SLOT3, 0x14, 0xffffffff, 4);
    g_assert_cmphex(pci_test_read(p, SLOT3, 0x10, 4), ==, 0xfffff004);
    g_assert_cmphex(pci_test_read(p, SLOT3, 0x14, 4), ==, 0xffffffff);
    pci_test_write(p, SLOT3, 0x18, 0xffffffff, 4);
    g_assert_cmphex(pci_test_read(p, SLOT3, 0x18, 4), ==, 0xffffffe1);
    pci_test_write(p, SLOT3, 0x10, 0xe0000000, 4);
    pci_test_write(p, SLOT3, 0x14, 0, 4);
    pci_test_write(p, SLOT3, 0x18, 0xc000, 4);
    g_assert_cmphex(test_read(p->t, 0xe0000000, 4), !=, 0x11223344); /* not decoded yet */
    pci_test_write(p, SLOT3, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_IO, 2);
    g_assert_cmphex(test_read(p->t, 0xe0000000, 4), ==, 0x11223344);
    g_assert_cmphex(test_inl(p->t, 0xc010), ==, 0x11223344);
    pci_test_write(p, SLOT3, 0x14, 0x10, 4); /* above 4 GiB */
    g_assert_cmphex(test_read(p->t, 0x10e0000000, 4), ==, 0x11223344);
    g_assert_cmphex(pci_get_bar_addr(&d->parent_obj, 0), ==, 0x10e0000000);
    test_reset(p->t);
    g_assert_cmphex(pci_get_bar_addr(&d->parent_obj, 0), ==, PCI_BAR_UNMAPPED);
    g_assert_cmphex(pci_test_read(p, SLOT3, 0x10, 4), ==, 4);
    pci_test_free(p);
}

static void test_assign(void)
{
    static const uint8_t lines[4] = {10, 10, 11, 11};
    PCITest *p = pci_test_new();
    GError *error = NULL;
    TestPCI *a = add_device(p, SLOT3), *b = add_device(p, -1);
    g_autoptr(GString) text = g_string_new(NULL);

    pci_assign_resources(p->bus, 0xe0000000, 0xfec00000, 0xc000, 0x10000, lines, &error);
    g_assert_no_error(error);
    g_assert_cmphex(pci_get_bar_addr(&b->parent_obj, 0), ==, 0xe0000000);
    g_assert_cmphex(pci_get_bar_addr(&a->parent_obj, 0), ==, 0xe0001000);
    g_assert_cmphex(pci_get_bar_addr(&a->parent_obj, 2), ==, 0xc020);
    g_assert_cmpint(pci_test_read(p, SLOT3, PCI_INTERRUPT_LINE, 1), ==, 11); /* PIRQC */
    pci_bus_print(p->bus, text);
    g_assert_nonnull(strstr(text->str, "PCI device 1234:5678"));
    g_assert_false(
        pci_assign_resources(p->bus, 0xe0000000, 0xe0001000, 0xc000, 0x10000, lines, &error));
    g_assert_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE);
    g_clear_error(&error);
    pci_test_free(p);
}

static void test_plug(void)
{
    PCITest *p = pci_test_new();
    GError *error = NULL;
    PCIDevice *dev;

    g_assert_null(pci_create(p->bus, 8, "test-pci", &error));
    g_assert_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE);
    g_clear_error(&error);
    add_device(p, SLOT3);
    g_assert_null(pci_create(p->bus, SLOT3 + 1, "test-pci", &error));
    g_assert_nonnull(strstr(error->message, "multifunction"));
    g_clear_error(&error);
    dev = pci_new(-1, "test-pci", &error);
    g_assert_false(object_property_parse(OBJECT(dev), "addr", "20.0", &error));
    g_clear_error(&error);
    g_assert_false(object_property_parse(OBJECT(dev), "addr", "3.1.2", &error));
    g_clear_error(&error);
    g_assert_true(object_property_parse(OBJECT(dev), "addr", "1f.7", &error));
    g_assert_cmphex((unsigned)dev->devfn, ==, 0xff);
    object_unref(dev);
    for (int i = 0; i < 29; i++) {
        add_device(p, -1);
    }
    g_assert_null(pci_create(p->bus, -1, "test-pci", &error));
    g_assert_nonnull(strstr(error->message, "no slot"));
    g_clear_error(&error);
    pci_test_free(p);
}

/* INTA# of slot 3 is PIRQC (62h); of slot 4 PIRQD. */
static void test_intx(void)
{
    PCITest *p = pci_test_new();
    TestPCI *d = add_device(p, SLOT3), *same = add_device(p, PCI_MAKE_DEVFN(7, 0));

    pci_irq_assert(&d->parent_obj);
    g_assert_cmpint(p->gsi.level[11], ==, 0);
    pci_test_write(p, 8, 0x62, 11, 1);
    g_assert_cmpint(p->gsi.level[11], ==, 1);
    g_assert_cmphex(pci_test_read(p, SLOT3, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT, !=, 0);
    pci_irq_assert(&same->parent_obj); /* shares the wire */
    pci_irq_deassert(&d->parent_obj);
    g_assert_cmpint(p->gsi.level[11], ==, 1);
    pci_test_write(p, PCI_MAKE_DEVFN(7, 0), PCI_COMMAND, PCI_COMMAND_INTX_DISABLE, 2);
    g_assert_cmpint(p->gsi.level[11], ==, 0);
    pci_test_write(p, PCI_MAKE_DEVFN(7, 0), PCI_COMMAND, 0, 2);
    g_assert_cmpint(p->gsi.level[11], ==, 1);
    pci_test_write(p, 8, 0x62, 10, 1);
    g_assert_cmpint(p->gsi.level[11], ==, 0);
    g_assert_cmpint(p->gsi.level[10], ==, 1);
    pci_test_write(p, 8, 0x62, 0x80, 1);
    g_assert_cmpint(p->gsi.level[10], ==, 0);
    test_reset(p->t);
    pci_test_write(p, 8, 0x62, 10, 1);
    g_assert_cmpint(p->gsi.level[10], ==, 0);
    pci_test_free(p);
}

static void test_unplug_releases_irq(void)
{
    PCITest *p = pci_test_new();
    TestPCI *d = add_device(p, SLOT3);

    pci_test_write(p, 8, 0x62, 11, 1);
    pci_irq_assert(&d->parent_obj);
    object_unparent(OBJECT(d));
    g_assert_cmpint(p->gsi.level[11], ==, 0);
    g_assert_cmphex(pci_test_read(p, SLOT3, 0, 4), ==, 0xffffffff);
    add_device(p, SLOT3);
    pci_test_free(p);
}

static void test_pam(void)
{
    PCITest *p = pci_test_new();

    test_write(p->t, 0xc0000, 0x11, 1); /* PCI: nothing there */
    g_assert_cmphex(test_read(p->t, 0xc0000, 1), ==, 0xff);
    pci_test_write(p, 0, 0x5a, 0x33, 1);
    test_write(p->t, 0xc0000, 0x22, 1);
    g_assert_cmphex(test_read(p->t, 0xc0000, 1), ==, 0x22);
    pci_test_write(p, 0, 0x5a, 0x11, 1); /* read-only */
    test_write(p->t, 0xc0000, 0x33, 1);
    g_assert_cmphex(test_read(p->t, 0xc0000, 1), ==, 0x22);
    pci_test_write(p, 0, 0x5a, 0x22, 1); /* write-only */
    test_write(p->t, 0xc0000, 0x44, 1);
    g_assert_cmphex(test_read(p->t, 0xc0000, 1), ==, 0xff);
    pci_test_write(p, 0, 0x5a, 0x11, 1);
    g_assert_cmphex(test_read(p->t, 0xc0000, 1), ==, 0x44);
    pci_test_write(p, 0, 0x59, 0x30, 1);
    test_write(p->t, 0xf0000, 0x5566, 2);
    g_assert_cmphex(test_read(p->t, 0xf0000, 2), ==, 0x5566);
    test_reset(p->t);
    g_assert_cmphex(test_read(p->t, 0xf0000, 2), ==, 0xffff);
    i440fx_open_ram(p->bus);
    g_assert_cmphex(test_read(p->t, 0xf0000, 2), ==, 0x5566);
    pci_test_free(p);
}

static void test_smram(void)
{
    PCITest *p = pci_test_new();

    test_write(p->t, 0xa0000, 0x11, 1);
    g_assert_cmphex(test_read(p->t, 0xa0000, 1), ==, 0xff);
    pci_test_write(p, 0, 0x72, 0x4a, 1); /* open */
    test_write(p->t, 0xa0000, 0x22, 1);
    g_assert_cmphex(test_read(p->t, 0xa0000, 1), ==, 0x22);
    pci_test_write(p, 0, 0x72, 0x5a, 1); /* lock */
    g_assert_cmphex(test_read(p->t, 0xa0000, 1), ==, 0xff);
    pci_test_write(p, 0, 0x72, 0x4a, 1);
    g_assert_cmphex(pci_test_read(p, 0, 0x72, 1), ==, 0x1a);
    test_reset(p->t);
    g_assert_cmphex(pci_test_read(p, 0, 0x72, 1), ==, 0x02);
    pci_test_free(p);
}

static void test_reset_control(void)
{
    PCITest *p = pci_test_new();

    test_outb(p->t, 0xcf9, 0x02);
    g_assert_cmphex(test_inb(p->t, 0xcf9), ==, 0x02);
    g_assert_cmpint(p->t->machine->reset_requested, ==, SHUTDOWN_CAUSE_NONE);
    test_outb(p->t, 0xcf9, 0x06);
    g_assert_cmpint(p->t->machine->reset_requested, ==, SHUTDOWN_CAUSE_GUEST_RESET);
    pci_test_free(p);
}

static void test_dma(void)
{
    PCITest *p = pci_test_new();
    TestPCI *d = add_device(p, SLOT3);
    PCIDevice *dev = &d->parent_obj;
    uint32_t word = 0xdeadbeef, back = 0;

    g_assert_cmphex(pci_dma_write(dev, 0x1000, &word, 4), ==, MEMTX_DECODE_ERROR);
    pci_test_write(p, SLOT3, 0x10, 0xe0000000, 4);
    pci_test_write(p, SLOT3, PCI_COMMAND, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY, 2);
    g_assert_cmphex(pci_dma_write(dev, 0x1000, &word, 4), ==, MEMTX_OK);
    g_assert_cmphex(pci_dma_read(dev, 0x1000, &back, 4), ==, MEMTX_OK);
    g_assert_cmphex(back, ==, word);
    /* To itself: each write comes after the one before it has ended. */
    d->dma_on_write = true;
    test_write(p->t, 0xe0000000, 1, 4);
    g_assert_cmpint(d->writes, ==, 1);
    test_poll(p->t);
    g_assert_cmpint(d->writes, ==, 6);
    g_assert_cmphex(d->written, ==, 6);
    g_assert_cmphex(pci_dma_read(dev, 0xe0000000, &back, 4), ==, MEMTX_ERROR);
    pci_test_free(p);
}

static void test_msi(void)
{
    PCITest *p = pci_test_new();
    TestPCI *d = add_device(p, SLOT3);

    g_assert_cmphex(pci_test_read(p, SLOT3, PCI_CAPABILITY_LIST, 1), ==, 0x50);
    g_assert_cmphex(pci_test_read(p, SLOT3, 0x50, 4), ==, 0x01840005);
    pci_test_write(p, SLOT3, PCI_COMMAND, PCI_COMMAND_MASTER, 2);
    msi_notify(&d->parent_obj, 1); /* not enabled */
    pci_test_write(p, SLOT3, 0x54, 0x2000, 4);
    pci_test_write(p, SLOT3, 0x5c, 0x4030, 2);
    pci_test_write(p, SLOT3, 0x52, 0x0021, 2);
    msi_notify(&d->parent_obj, 3);
    g_assert_cmphex(test_read(p->t, 0x2000, 4), ==, 0x4033);
    pci_test_write(p, SLOT3, 0x60, 2, 4);
    msi_notify(&d->parent_obj, 1);
    g_assert_cmphex(test_read(p->t, 0x2000, 4), ==, 0x4033);
    g_assert_cmphex(pci_test_read(p, SLOT3, 0x64, 4), ==, 2);
    pci_test_write(p, SLOT3, 0x60, 0, 4);
    g_assert_cmphex(test_read(p->t, 0x2000, 4), ==, 0x4031);
    g_assert_cmphex(pci_test_read(p, SLOT3, 0x64, 4), ==, 0);
    pci_test_free(p);
}

static void test_poke(void)
{
    PCITest *p = pci_test_new();

    add_device(p, SLOT3);
    for (int i = 0; i < 20000; i++) {
        unsigned devfn = (unsigned)g_test_rand_int_range(0, 4) * 8;

        pci_test_write(p, devfn, (unsigned)g_test_rand_int_range(0, 64) * 4,
                       (uint32_t)g_test_rand_int(), 1u << g_test_rand_int_range(0, 3));
    }
    test_reset(p->t);
    g_assert_cmphex(pci_test_read(p, 0, 0, 4), ==, 0x12378086);
    pci_test_free(p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pci/config", test_config);
    g_test_add_func("/pci/bars", test_bars);
    g_test_add_func("/pci/assign", test_assign);
    g_test_add_func("/pci/plug", test_plug);
    g_test_add_func("/pci/intx", test_intx);
    g_test_add_func("/pci/unplug", test_unplug_releases_irq);
    g_test_add_func("/pci/pam", test_pam);
    g_test_add_func("/pci/smram", test_smram);
    g_test_add_func("/pci/reset-control", test_reset_control);
    g_test_add_func("/pci/dma", test_dma);
    g_test_add_func("/pci/msi", test_msi);
    g_test_add_func("/pci/poke", test_poke);
    return g_test_run();
}
