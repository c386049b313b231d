/* SPDX-License-Identifier: MIT */
#include "pci-test.h"
#include "hw/core/memory-map.h"
#include "system/block/block.h"

static PCITest *pci_test_begin(void)
{
    PCITest *p = g_new0(PCITest, 1);
    GError *error = NULL;
    MachineState *m;

    p->t = device_test_new();
    m = p->t->machine;
    test_lines_init(&p->gsi);
    test_lines_init(&p->smi);
    memory_region_init_ram(&p->ram, OBJECT(m), "ram", PCI_TEST_RAM, &error);
    g_assert_no_error(error);
    memory_region_add_subregion(m->system_memory, 0, &p->ram);
    memory_region_init(&p->pci_memory, OBJECT(m), "pci", UINT64_MAX);
    m->ram = &p->ram;
    m->ram_size = PCI_TEST_RAM;
    m->gsi = p->gsi.irqs;
    m->nr_gsi = 24;
    return p;
}

PCITest *pci_test_new(void)
{
    PCITest *p = pci_test_begin();
    GError *error = NULL;

    p->bus = i440fx_init(p->t->machine, &p->pci_memory, PCI_TEST_RAM, 0, &error);
    g_assert_no_error(error);
    piix3_create(p->bus, &p->isa, &error);
    g_assert_no_error(error);
    return p;
}

PCITest *pci_test_new_q35(bool smm)
{
    PCITest *p = pci_test_begin();
    GError *error = NULL;

    if (smm) {
        smm_map_init(p->t->machine);
    }
    p->host = q35_host_init(p->t->machine, &p->pci_memory, PCI_TEST_RAM, 0, &error);
    g_assert_no_error(error);
    p->bus = q35_host_bus(p->host);
    p->lpc = ich9_lpc_create(p->bus, smm ? p->smi.irqs : NULL, &p->isa, &error);
    g_assert_no_error(error);
    test_reset(p->t);
    return p;
}

void pci_test_free(PCITest *p)
{
    MachineState *m = p->t->machine;
    Object *host = object_resolve_path_component(OBJECT(m), p->host ? "q35" : "i440fx");

    /* Devices go before what the test embeds for them. */
    object_unparent(host);
    blk_drives_free(m);
    m->gsi = NULL; /* ours */
    test_poll(p->t);
    device_test_free(p->t);
    test_lines_finish(&p->gsi);
    test_lines_finish(&p->smi);
    g_free(p);
}

void pci_test_drive(PCITest *p, const char *options)
{
    GError *error = NULL;

    blk_drive_add(p->t->machine, options, &error);
    g_assert_no_error(error);
}

uint32_t pci_test_read(PCITest *p, unsigned devfn, unsigned reg, unsigned size)
{
    test_outl(p->t, 0xcf8, 0x80000000u | devfn << 8 | (reg & ~3u));
    return size == 1   ? test_inb(p->t, (uint16_t)(0xcfc + (reg & 3)))
           : size == 2 ? test_inw(p->t, (uint16_t)(0xcfc + (reg & 3)))
                       : test_inl(p->t, 0xcfc);
}

void pci_test_write(PCITest *p, unsigned devfn, unsigned reg, uint32_t value, unsigned size)
{
    uint16_t port = (uint16_t)(0xcfc + (reg & 3));

    test_outl(p->t, 0xcf8, 0x80000000u | devfn << 8 | (reg & ~3u));
    if (size == 1) {
        test_outb(p->t, port, (uint8_t)value);
    } else if (size == 2) {
        test_outw(p->t, port, (uint16_t)value);
    } else {
        test_outl(p->t, port, value);
    }
}
