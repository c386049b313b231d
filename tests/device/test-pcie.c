/* SPDX-License-Identifier: MIT
 *
 * Configuration space of PCI Express, its capabilities, MSI-X, power states.
 */
#include "pcie-test.h"

#define DEV     PCI_MAKE_DEVFN(2, 0)
#define MEM     0xe0000000u
#define TABLE   0xe0100000u
#define MESSAGE 0x2000u /* RAM that plays the interrupt controller */

static TestPCIe *add(PCIeTest *p)
{
    PCIDevice *dev = pcie_test_add(p, NULL, DEV, TYPE_TEST_PCIE, NULL);

    pcie_test_write(p, DEV, 0x10, MEM, 4);
    pcie_test_write(p, DEV, 0x18, 0xc000, 4);
    pcie_test_write(p, DEV, 0x1c, TABLE, 4);
    pcie_test_write(p, DEV, PCI_COMMAND, 7, 2);
    return TEST_PCIE(dev);
}

static void test_window(void)
{
    PCIeTest *p = pcie_test_new();

    g_assert_cmphex(pcie_test_read(p, DEV, 0, 4), ==, 0xffffffff);
    add(p);
    g_assert_cmphex(pcie_test_read(p, DEV, 0, 4), ==, 0x9abc1234);
    g_assert_cmphex(pcie_test_read(p, DEV, 1, 1), ==, 0x12);
    g_assert_cmphex(pcie_test_read(p, DEV, 2, 2), ==, 0x9abc);
    g_assert_cmphex(test_read(p->t, ECAM_BASE + (DEV << 12), 8), ==, 0x001000079abc1234);
    g_assert_cmphex(pcie_test_read(p, 0x100 | DEV, 0, 4), ==, 0xffffffff); /* no such bus */
    g_assert_cmphex(pcie_test_read(p, DEV, 0xffc, 4), ==, 0);
    pcie_test_write(p, DEV, 0xffc, 0xffffffff, 4);
    g_assert_cmphex(pcie_test_read(p, DEV, 0xffc, 4), ==, 0);
    pcie_host_map(&p->ecam, 0xc0000000, 64u << 20);
    g_assert_cmphex(test_read(p->t, 0xc0000000 + (DEV << 12), 4), ==, 0x9abc1234);
    g_assert_cmphex(pcie_test_read(p, DEV, 0, 4), !=, 0x9abc1234);
    g_assert_cmphex(test_read(p->t, 0xc4000000 + (DEV << 12), 4), !=, 0x9abc1234);
    pcie_host_map(&p->ecam, 0, 0);
    g_assert_cmphex(test_read(p->t, 0xc0000000 + (DEV << 12), 4), !=, 0x9abc1234);
    pcie_test_free(p);
}

static void test_express(void)
{
    PCIeTest *p = pcie_test_new();

    add(p);
    g_assert_cmphex(pcie_test_read(p, DEV, TEST_PCIE_EXP, 1), ==, PCI_CAP_ID_EXP);
    g_assert_cmphex(pcie_test_read(p, DEV, TEST_PCIE_EXP + PCI_EXP_FLAGS, 2), ==, 0x0092);
    g_assert_cmphex(pcie_test_read(p, DEV, TEST_PCIE_EXP + PCI_EXP_DEVCAP, 4), ==, 0x10008000);
    g_assert_cmphex(pcie_test_read(p, DEV, TEST_PCIE_EXP + PCI_EXP_LNKCAP, 4), ==, 0x411);
    pcie_test_write(p, DEV, TEST_PCIE_EXP + PCI_EXP_DEVCTL, 0x7fff, 2);
    g_assert_cmphex(pcie_test_read(p, DEV, TEST_PCIE_EXP + PCI_EXP_DEVCTL, 2), ==, 0x000f);
    test_reset(p->t);
    g_assert_cmphex(pcie_test_read(p, DEV, TEST_PCIE_EXP + PCI_EXP_DEVCTL, 2), ==, 0);
    pcie_test_free(p);
}

static void test_extended(void)
{
    PCIeTest *p = pcie_test_new();
    TestPCIe *d = add(p);

    g_assert_cmphex(pcie_test_read(p, DEV, 0x100, 4), ==, 0x14820001);
    g_assert_cmphex(pcie_test_read(p, DEV, TEST_PCIE_SERIAL, 4), ==, 0x00010003);
    g_assert_cmphex(pcie_test_read(p, DEV, TEST_PCIE_SERIAL + 4, 4), ==, 0x89abcdef);
    g_assert_cmphex(pcie_find_ext_capability(&d->parent_obj, PCI_EXT_CAP_ID_DSN), ==,
                    TEST_PCIE_SERIAL);
    g_assert_cmphex(pcie_find_ext_capability(&d->parent_obj, PCI_EXT_CAP_ID_ACS), ==, 0);
    /* Not through the ports of mechanism #1. */
    test_outl(p->t, 0xcf8, 0x80000000u | DEV << 8);
    g_assert_cmphex(test_inl(p->t, 0xcfc), ==, 0x9abc1234);
    pcie_test_free(p);
}

static void test_aer(void)
{
    static const uint32_t header[4] = {1, 2, 3, 4};
    PCIeTest *p = pcie_test_new();
    TestPCIe *d = add(p);
    unsigned aer = TEST_PCIE_AER;

    g_assert_cmphex(pcie_test_read(p, DEV, aer + PCI_ERR_UNCOR_SEVER, 4), ==, 0x00462030);
    g_assert_cmphex(pcie_test_read(p, DEV, aer + PCI_ERR_COR_MASK, 4), ==, 0xe000);
    g_assert_cmphex(pcie_test_read(p, DEV, aer + PCI_ERR_CAP, 4), ==, 0xa0);
    pcie_aer_uncorrectable(&d->parent_obj, PCI_ERR_UNC_UNSUP, header);
    pcie_aer_uncorrectable(&d->parent_obj, PCI_ERR_UNC_POISON_TLP, NULL);
    g_assert_cmphex(pcie_test_read(p, DEV, aer + PCI_ERR_UNCOR_STATUS, 4), ==, 0x101000);
    g_assert_cmphex(pcie_test_read(p, DEV, aer + PCI_ERR_CAP, 4), ==, 0xa0 | 20);
    g_assert_cmphex(pcie_test_read(p, DEV, aer + PCI_ERR_HEADER_LOG + 8, 4), ==, 3);
    g_assert_cmphex(pcie_test_read(p, DEV, TEST_PCIE_EXP + PCI_EXP_DEVSTA, 2), ==,
                    PCI_EXP_DEVSTA_NFED | PCI_EXP_DEVSTA_URD);
    pcie_test_write(p, DEV, TEST_PCIE_EXP + PCI_EXP_DEVSTA, 0xf, 2);
    pcie_test_write(p, DEV, aer + PCI_ERR_UNCOR_STATUS, 0x100000, 4);
    g_assert_cmphex(pcie_test_read(p, DEV, aer + PCI_ERR_UNCOR_STATUS, 4), ==, 0x1000);
    g_assert_cmphex(pcie_test_read(p, DEV, TEST_PCIE_EXP + PCI_EXP_DEVSTA, 2), ==, 0);
    pcie_test_write(p, DEV, aer + PCI_ERR_UNCOR_MASK, 0xffffffff, 4);
    g_assert_cmphex(pcie_test_read(p, DEV, aer + PCI_ERR_UNCOR_MASK, 4), ==, 0x03fff030);
    pcie_test_free(p);
}

static void test_flr(void)
{
    PCIeTest *p = pcie_test_new();
    TestPCIe *d = add(p);

    test_write(p->t, MEM, 0x1234, 4);
    pcie_aer_correctable(&d->parent_obj, PCI_ERR_COR_RCVR);
    d->resets = 0;
    pcie_test_write(p, DEV, TEST_PCIE_EXP + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR, 2);
    g_assert_cmpuint(d->resets, ==, 1);
    g_assert_cmpuint(d->scratch, ==, 0);
    g_assert_cmphex(pcie_test_read(p, DEV, TEST_PCIE_EXP + PCI_EXP_DEVCTL, 2), ==, 0);
    g_assert_cmphex(pcie_test_read(p, DEV, PCI_COMMAND, 2), ==, 0);
    g_assert_cmphex(pcie_test_read(p, DEV, 0x10, 4), ==, 0xc);
    /* Errors are still there to be read. */
    g_assert_cmphex(pcie_test_read(p, DEV, TEST_PCIE_AER + PCI_ERR_COR_STATUS, 4), ==, 1);
    test_reset(p->t);
    g_assert_cmphex(pcie_test_read(p, DEV, TEST_PCIE_AER + PCI_ERR_COR_STATUS, 4), ==, 0);
    pcie_test_free(p);
}

static void test_power(void)
{
    PCIeTest *p = pcie_test_new();
    TestPCIe *d = add(p);

    g_assert_cmphex(pcie_test_read(p, DEV, TEST_PCIE_PM, 4), ==, 0x00034001);
    test_write(p->t, MEM, 0x1234, 4);
    pci_set_irq(&d->parent_obj, 1);
    g_assert_cmpint(p->wires.level[2], ==, 1);
    pcie_test_write(p, DEV, TEST_PCIE_PM + 4, 1, 2); /* D1 is not there */
    g_assert_cmphex(pcie_test_read(p, DEV, TEST_PCIE_PM + 4, 2), ==, 0);
    pcie_test_write(p, DEV, TEST_PCIE_PM + 4, 3, 2);
    g_assert_cmphex(test_read(p->t, MEM, 4), !=, 0x1234);
    g_assert_cmpint(p->wires.level[2], ==, 0);
    g_assert_cmpint(pci_dma_write(&d->parent_obj, MESSAGE, "x", 1), ==, MEMTX_DECODE_ERROR);
    g_assert_cmphex(pcie_test_read(p, DEV, 0, 4), ==, 0x9abc1234);
    d->resets = 0;
    pcie_test_write(p, DEV, TEST_PCIE_PM + 4, 0, 2);
    g_assert_cmpuint(d->resets, ==, 1); /* the state is lost unless the device says otherwise */
    g_assert_cmphex(pcie_test_read(p, DEV, PCI_COMMAND, 2), ==, 0);
    pcie_test_free(p);
}

/* ---- MSI-X -------------------------------------------------------------------------------- */

static void enable_vector(PCIeTest *p, unsigned vector)
{
    test_write(p->t, TABLE + 16 * vector, MESSAGE + 4 * vector, 4);
    test_write(p->t, TABLE + 16 * vector + 8, 0x4040 + vector, 4);
    test_write(p->t, TABLE + 16 * vector + 12, 0, 4);
}

static void set_control(PCIeTest *p, uint16_t value)
{
    pcie_test_write(p, DEV, TEST_PCIE_MSIX + PCI_MSIX_FLAGS, value, 2);
}

static uint32_t message(PCIeTest *p, unsigned vector)
{
    uint32_t value = (uint32_t)test_read(p->t, MESSAGE + 4 * vector, 4);

    test_write(p->t, MESSAGE + 4 * vector, 0, 4);
    return value;
}

static void test_msix(void)
{
    PCIeTest *p = pcie_test_new();

    add(p);
    g_assert_cmphex(pcie_test_read(p, DEV, 0x34, 1), ==, 0x88);
    g_assert_cmphex(pcie_test_read(p, DEV, 0x88, 4), ==, 0x00048011);
    g_assert_cmphex(pcie_test_read(p, DEV, 0x8c, 4), ==, 3);
    g_assert_cmphex(pcie_test_read(p, DEV, 0x90, 4), ==, 0x803);
    g_assert_cmphex(test_read(p->t, TABLE + 12, 4), ==, 1); /* masked */
    pcie_test_free(p);
}

static void test_msix_vectors(void)
{
    PCIeTest *p = pcie_test_new();
    PCIDevice *dev = &add(p)->parent_obj;
    unsigned pba = TABLE + 0x800;

    pci_set_irq(dev, 1);
    g_assert_cmpint(p->wires.level[2], ==, 1);
    enable_vector(p, 1);
    msix_notify(dev, 1);
    g_assert_cmphex(message(p, 1), ==, 0); /* MSI-X is off: nothing is kept either */
    set_control(p, PCI_MSIX_FLAGS_ENABLE);
    g_assert_cmpint(p->wires.level[2], ==, 0); /* no pin beside messages */
    g_assert_cmphex(message(p, 1), ==, 0);
    msix_notify(dev, 1);
    g_assert_cmphex(message(p, 1), ==, 0x4041);
    msix_notify(dev, 7); /* no such vector */

    set_control(p, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
    g_assert_true(msix_is_masked(dev, 1));
    msix_notify(dev, 1);
    msix_notify(dev, 3);
    g_assert_cmphex(message(p, 1), ==, 0);
    g_assert_cmphex(test_read(p->t, pba, 8), ==, 1 << 1 | 1 << 3);
    test_write(p->t, pba, 0, 8); /* read-only */
    g_assert_cmphex(test_read(p->t, pba, 4), ==, 1 << 1 | 1 << 3);
    set_control(p, PCI_MSIX_FLAGS_ENABLE);
    g_assert_cmphex(message(p, 1), ==, 0x4041);
    g_assert_cmphex(test_read(p->t, pba, 4), ==, 1 << 3); /* still masked in the table */
    enable_vector(p, 3);
    g_assert_cmphex(message(p, 3), ==, 0x4043);
    g_assert_cmphex(test_read(p->t, pba, 4), ==, 0);
    pcie_test_write(p, DEV, PCI_COMMAND, PCI_COMMAND_MEMORY, 2); /* not a bus master */
    msix_notify(dev, 1);
    g_assert_cmphex(message(p, 1), ==, 0);
    test_reset(p->t);
    g_assert_false(msix_enabled(dev));
    pcie_test_free(p);
}

static unsigned used[TEST_PCIE_NR], released[TEST_PCIE_NR];

static void use(PCIDevice *dev, unsigned vector, MSIMessage m)
{
    g_assert_cmphex(m.address, ==, MESSAGE + 4 * vector);
    used[vector]++;
}

static void release(PCIDevice *dev, unsigned vector)
{
    released[vector]++;
}

static void poll_pending(PCIDevice *dev, unsigned first, unsigned last)
{
    g_assert_cmpuint(first, ==, 0);
    g_assert_cmpuint(last, ==, TEST_PCIE_NR - 1);
    msix_set_pending(dev, 4);
}

static void test_msix_notifiers(void)
{
    PCIeTest *p = pcie_test_new();
    PCIDevice *dev = &add(p)->parent_obj;

    msix_set_vector_notifiers(dev, use, release, poll_pending);
    set_control(p, PCI_MSIX_FLAGS_ENABLE);
    enable_vector(p, 2);
    g_assert_cmpuint(used[2], ==, 1);
    test_write(p->t, TABLE + 32 + 8, 0x4050, 4); /* another message while it is in use */
    g_assert_cmpuint(used[2], ==, 2);
    g_assert_cmphex(test_read(p->t, TABLE + 0x800, 4), ==, 1 << 4);
    set_control(p, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
    g_assert_cmpuint(released[2], ==, 1);
    set_control(p, PCI_MSIX_FLAGS_ENABLE);
    g_assert_cmpuint(used[2], ==, 3);
    msix_set_vector_notifiers(dev, NULL, NULL, NULL);
    g_assert_cmpuint(released[2], ==, 2);
    g_assert_cmpuint(used[0] + used[1] + used[3] + used[4], ==, 0);
    pcie_test_free(p);
}

static void test_poke(void)
{
    PCIeTest *p = pcie_test_new();

    add(p);
    test_poke_memory(p->t, ECAM_BASE + (DEV << 12), 4096, 20000);
    test_poke_memory(p->t, TABLE, 4096, 5000);
    pcie_test_free(p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pcie/window", test_window);
    g_test_add_func("/pcie/express", test_express);
    g_test_add_func("/pcie/extended", test_extended);
    g_test_add_func("/pcie/aer", test_aer);
    g_test_add_func("/pcie/flr", test_flr);
    g_test_add_func("/pcie/power", test_power);
    g_test_add_func("/pcie/msix", test_msix);
    g_test_add_func("/pcie/msix-vectors", test_msix_vectors);
    g_test_add_func("/pcie/msix-notifiers", test_msix_notifiers);
    g_test_add_func("/pcie/poke", test_poke);
    return g_test_run();
}
