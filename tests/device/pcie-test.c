/* SPDX-License-Identifier: MIT */
#include "pcie-test.h"
#include <stdarg.h>
#include <string.h>

/* ---- the endpoint ------------------------------------------------------------------- */

static uint64_t test_pcie_read(void *opaque, hwaddr addr, unsigned size)
{
    return addr == 0 ? TEST_PCIE(opaque)->scratch : 0;
}

static void test_pcie_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    if (addr == 0) {
        TEST_PCIE(opaque)->scratch = (uint32_t)value;
    }
}

static const MemoryRegionOps test_pcie_ops = {.read = test_pcie_read, .write = test_pcie_write};

static bool test_pcie_realize(PCIDevice *dev, GError **error)
{
    TestPCIe *d = TEST_PCIE(dev);

    memory_region_init_io(&d->mem, OBJECT(d), &test_pcie_ops, d, "mem", 0x10000);
    memory_region_init_io(&d->io, OBJECT(d), &test_pcie_ops, d, "io", 16);
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH, &d->mem);
    pci_register_bar(dev, 2, PCI_BASE_ADDRESS_SPACE_IO, &d->io);
    dev->config[PCI_INTERRUPT_PIN] = 1;
    if (!pcie_endpoint_cap_init(dev, TEST_PCIE_EXP, error) ||
        !pci_pm_init(dev, TEST_PCIE_PM, false, error) ||
        !msix_init_exclusive_bar(dev, TEST_PCIE_NR, 3, error) ||
        !pcie_aer_init(dev, 2, TEST_PCIE_AER, error) ||
        !pcie_serial_init(dev, 0, 0x0123456789abcdef, error)) {
        return false;
    }
    pcie_cap_flr_init(dev);
    pcie_cap_deverr_init(dev);
    return true;
}

static void test_pcie_reset(PCIDevice *dev)
{
    TEST_PCIE(dev)->resets++;
    TEST_PCIE(dev)->scratch = 0;
}

static void test_pcie_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = test_pcie_realize;
    pc->reset = test_pcie_reset;
    pc->vendor_id = 0x1234;
    pc->device_id = 0x9abc;
    pc->class_id = PCI_CLASS_OTHERS;
    pc->is_express = true;
}

static const TypeInfo test_pcie_types[] = {
    {.name = TYPE_TEST_PCIE,
     .parent = TYPE_PCI_DEVICE,
     .instance_size = sizeof(TestPCIe),
     .class_init = test_pcie_class_init},
};
DEFINE_TYPES(test_pcie_types)

/* ---- the machine ------------------------------------------------------------------------ */

static void test_pcie_wire(void *opaque, int wire, int level)
{
    PCIeTest *p = opaque;

    irq_set(p->wires.irqs[wire], level);
}

PCIeTest *pcie_test_new(void)
{
    PCIeTest *p = g_new0(PCIeTest, 1);
    GError *error = NULL;
    MachineState *m;

    p->t = device_test_new();
    m = p->t->machine;
    test_lines_init(&p->wires);
    memory_region_init_ram(&p->ram, OBJECT(m), "ram", PCIE_TEST_RAM, &error);
    g_assert_no_error(error);
    memory_region_add_subregion(m->system_memory, 0, &p->ram);
    memory_region_init(&p->pci_memory, OBJECT(m), "pci", UINT64_MAX);
    memory_region_add_subregion_overlap(m->system_memory, 0, &p->pci_memory, -1);
    p->bus = pcie_root_bus_new(p->t->bridge, "pcie.0", &p->pci_memory, m->system_io, 0);
    pci_bus_irqs(p->bus, test_pcie_wire, NULL, p, PCI_NUM_PINS);
    pci_config_ports_init(&p->ports, OBJECT(p->t->bridge), p->bus);
    memory_region_add_subregion(m->system_io, 0xcf8, &p->ports.address_mr);
    memory_region_add_subregion(m->system_io, 0xcfc, &p->ports.data_mr);
    pcie_host_init(&p->ecam, OBJECT(p->t->bridge), p->bus, m->system_memory);
    pcie_host_map(&p->ecam, ECAM_BASE, 256u << 20);
    return p;
}

void pcie_test_free(PCIeTest *p)
{
    object_unparent(OBJECT(p->bus)); /* before what the test embeds for its devices */
    test_poll(p->t);
    device_test_free(p->t);
    test_lines_finish(&p->wires);
    g_free(p);
}

PCIBus *pcie_test_bus_of(PCIDevice *bridge)
{
    return PCI_BUS(bridge->parent_obj.child_buses->data);
}

PCIDevice *pcie_test_add(PCIeTest *p, PCIBus *bus, int devfn, const char *type, ...)
{
    GError *error = NULL;
    PCIDevice *dev = pci_new(devfn, type, &error);
    va_list list;
    const char *option;

    g_assert_no_error(error);
    va_start(list, type);
    while ((option = va_arg(list, const char *))) {
        g_auto(GStrv) pair = g_strsplit(option, "=", 2);

        object_property_parse(OBJECT(dev), pair[0], pair[1], &error);
        g_assert_no_error(error);
    }
    va_end(list);
    pci_realize_and_unref(dev, bus ? bus : p->bus, &error);
    g_assert_no_error(error);
    return dev;
}

static uint64_t ecam_address(unsigned at, unsigned reg)
{
    return ECAM_BASE + ((uint64_t)at << 12) + reg;
}

uint32_t pcie_test_read(PCIeTest *p, unsigned at, unsigned reg, unsigned size)
{
    return (uint32_t)test_read(p->t, ecam_address(at, reg), size);
}

void pcie_test_write(PCIeTest *p, unsigned at, unsigned reg, uint32_t value, unsigned size)
{
    test_write(p->t, ecam_address(at, reg), value, size);
}
