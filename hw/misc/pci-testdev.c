/* SPDX-License-Identifier: MIT
 *
 * A device that counts accesses, for guests that measure what one costs (the "pci-testdev" page
 * of QEMU's specifications).  Each of its two windows begins with a header:
 *
 *   00  RW  the test that is selected
 *   01  R   width of its accesses, in bytes
 *   04  R   where in the window to write, 32 bits
 *   08  R   what to write, 32 bits
 *   0c  R   how many such writes there were since it was selected, 32 bits
 *   10  R   its name; empty: there is no such test
 * BAR 0 is memory, BAR 1 ports, BAR 2 (if membar=) memory that does nothing or (membar-backed)
 * keeps what is written.
 */
#include <string.h>
#include "hw/core/machine.h"
#include "hw/pci/pci.h"

#define TYPE_PCI_TESTDEV "pci-testdev"
OBJECT_DECLARE_SIMPLE(PCITestDev, PCI_TESTDEV, TYPE_PCI_TESTDEV)

#define TESTDEV_MEM_SIZE    4096u
#define TESTDEV_IO_SIZE     256u
#define TESTDEV_HEADER_SIZE 64u
#define TESTDEV_COUNT       0x0c
#define TESTDEV_NAME        0x10
#define TESTDEV_NO_TEST     UINT8_MAX

typedef struct TestDevTest {
    const char *name;
    uint8_t data;
    bool any_data; /* counts whatever is written there */
} TestDevTest;

static const TestDevTest testdev_tests[] = {
    {"no-eventfd",        0xfa, false},
    {"wildcard-eventfd",  0xce, true },
    {"datamatch-eventfd", 0xfa, false},
};

typedef struct TestDevWindow {
    PCITestDev *dev;
    const char *kind;
    uint8_t first;  /* number of its first test */
    uint32_t place; /* where the first test writes */
    uint8_t selected;
    uint32_t count;
    MemoryRegion region;
} TestDevWindow;

struct PCITestDev {
    PCIDevice parent_obj;
    uint64_t membar;
    bool membar_backed;
    TestDevWindow mem, io;
    MemoryRegion extra;
};

static void testdev_header(const TestDevWindow *w, uint8_t header[TESTDEV_HEADER_SIZE])
{
    memset(header, 0, TESTDEV_HEADER_SIZE);
    if (w->selected >= G_N_ELEMENTS(testdev_tests)) {
        return;
    }
    const TestDevTest *test = &testdev_tests[w->selected];

    header[0] = w->first + w->selected;
    header[1] = 1;
    pci_set_long(header + 4, w->place + w->first + w->selected);
    pci_set_long(header + 8, test->data);
    pci_set_long(header + TESTDEV_COUNT, w->count);
    g_snprintf((char *)header + TESTDEV_NAME, TESTDEV_HEADER_SIZE - TESTDEV_NAME, "%s-%s", w->kind,
               test->name);
}

static uint64_t testdev_read(void *opaque, hwaddr addr, unsigned size)
{
    uint8_t header[TESTDEV_HEADER_SIZE];

    if (addr >= sizeof(header)) {
        return 0;
    }
    testdev_header(opaque, header);
    return header[addr];
}

static void testdev_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    TestDevWindow *w = opaque;

    if (addr == 0) {
        w->dev->mem.selected = w->dev->io.selected = TESTDEV_NO_TEST;
        w->selected = (uint8_t)value;
        w->count = 0;
    } else if (w->selected < G_N_ELEMENTS(testdev_tests) &&
               addr == w->place + w->first + w->selected) {
        const TestDevTest *test = &testdev_tests[w->selected];

        w->count += test->any_data || value == test->data;
    }
}

static const MemoryRegionOps testdev_ops = {
    .read = testdev_read,
    .write = testdev_write,
    .impl = {1, 1},
};

static uint64_t testdev_nothing_read(void *opaque, hwaddr addr, unsigned size)
{
    return 0;
}

static void testdev_nothing_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
}

static const MemoryRegionOps testdev_nothing_ops = {testdev_nothing_read, testdev_nothing_write};

static bool testdev_realize_membar(PCITestDev *s, GError **error)
{
    if (s->membar & (s->membar - 1) || s->membar < 16) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "membar=%" G_GUINT64_FORMAT ": expected a power of two, at least 16",
                    s->membar);
        return false;
    }
    if (!s->membar_backed) {
        memory_region_init_io(&s->extra, OBJECT(s), &testdev_nothing_ops, s, "pci-testdev-membar",
                              s->membar);
    } else if (!memory_region_init_ram(&s->extra, OBJECT(s), "pci-testdev-membar", s->membar,
                                       error)) {
        return false;
    }
    pci_register_bar(&s->parent_obj, 2,
                     PCI_BASE_ADDRESS_MEM_PREFETCH | PCI_BASE_ADDRESS_MEM_TYPE_64, &s->extra);
    return true;
}

static bool testdev_realize(PCIDevice *dev, GError **error)
{
    PCITestDev *s = PCI_TESTDEV(dev);

    s->mem = (TestDevWindow){s, "mmio", 0, 0x800, TESTDEV_NO_TEST};
    s->io = (TestDevWindow){s, "portio", G_N_ELEMENTS(testdev_tests), 0x80, TESTDEV_NO_TEST};
    memory_region_init_io(&s->mem.region, OBJECT(s), &testdev_ops, &s->mem, "pci-testdev-mmio",
                          TESTDEV_MEM_SIZE);
    memory_region_init_io(&s->io.region, OBJECT(s), &testdev_ops, &s->io, "pci-testdev-portio",
                          TESTDEV_IO_SIZE);
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->mem.region);
    pci_register_bar(dev, 1, PCI_BASE_ADDRESS_SPACE_IO, &s->io.region);
    return !s->membar || testdev_realize_membar(s, error);
}

static void testdev_reset(PCIDevice *dev)
{
    PCITestDev *s = PCI_TESTDEV(dev);

    s->mem.selected = s->io.selected = TESTDEV_NO_TEST;
    s->mem.count = s->io.count = 0;
}

static const Property testdev_properties[] = {
    DEFINE_PROP_SIZE("membar", PCITestDev, membar, 0, "size of BAR 2; 0: there is none"),
    DEFINE_PROP_BOOL("membar-backed", PCITestDev, membar_backed, false, "BAR 2 is RAM"),
    DEFINE_PROP_END,
};

static const StateField testdev_state[] = {
    PCI_STATE_FIELDS(PCITestDev),       STATE_FIELD(PCITestDev, mem.selected),
    STATE_FIELD(PCITestDev, mem.count), STATE_FIELD(PCITestDev, io.selected),
    STATE_FIELD(PCITestDev, io.count),  STATE_END,
};

static void testdev_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = testdev_realize;
    pc->reset = testdev_reset;
    pc->vendor_id = PCI_VENDOR_ID_REDHAT;
    pc->device_id = PCI_DEVICE_ID_REDHAT_TEST;
    pc->class_id = PCI_CLASS_OTHERS;
    DEVICE_CLASS(klass)->category = DEVICE_CATEGORY_MISC;
    DEVICE_CLASS(klass)->state = testdev_state;
}

static const TypeInfo testdev_types[] = {
    {.name = TYPE_PCI_TESTDEV,
     .parent = TYPE_PCI_DEVICE,
     .instance_size = sizeof(PCITestDev),
     .class_init = testdev_class_init,
     .properties = testdev_properties,
     .doc = "counts accesses to its windows, for tests of their cost"},
};
DEFINE_TYPES(testdev_types)
