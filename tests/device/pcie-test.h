/* SPDX-License-Identifier: MIT
 *
 * A PCI Express root bus "pcie.0" behind the ports cf8 and cfc and a window at ECAM_BASE, RAM, and
 * wires that are recorded; and "test-pcie", an endpoint that has one of everything.
 */
#ifndef TESTS_DEVICE_PCIE_TEST_H
#define TESTS_DEVICE_PCIE_TEST_H

#include "device-test.h"
#include "hw/pci-host/config-ports.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie-host.h"
#include "hw/pci/pcie.h"

#define ECAM_BASE     0xb0000000u
#define PCIE_TEST_RAM (512u << 10)

/* Capabilities of the endpoint below. */
#define TEST_PCIE_EXP    0x40
#define TEST_PCIE_PM     0x80
#define TEST_PCIE_MSIX   0x88
#define TEST_PCIE_AER    0x100
#define TEST_PCIE_SERIAL 0x148
#define TEST_PCIE_NR     5 /* vectors */

typedef struct TestPCIe {
    PCIDevice parent_obj;
    MemoryRegion mem, io;
    uint32_t scratch; /* at 0 of BAR 0 (64-bit, prefetchable, 64 KiB) and of BAR 2 (16 ports) */
    unsigned resets;
} TestPCIe;
#define TYPE_TEST_PCIE "test-pcie"
#define TEST_PCIE(obj) OBJECT_CHECK(TestPCIe, obj, TYPE_TEST_PCIE)

typedef struct PCIeTest {
    DeviceTest *t;
    MemoryRegion ram, pci_memory;
    PCIBus *bus;
    PCIEHost ecam;
    PCIConfigPorts ports;
    TestLines wires; /* INTA# to INTD#, rotated by slot */
} PCIeTest;

PCIeTest *pcie_test_new(void);
void pcie_test_free(PCIeTest *p);
/* Make and realize; fails the test on error.  `options`: "name=value" texts, NULL at the end. */
PCIDevice *pcie_test_add(PCIeTest *p, PCIBus *bus, int devfn, const char *type,
                         ...) G_GNUC_NULL_TERMINATED;
PCIBus *pcie_test_bus_of(PCIDevice *bridge);

/* Configuration cycles through the window; `at` is bus << 8 | devfn. */
uint32_t pcie_test_read(PCIeTest *p, unsigned at, unsigned reg, unsigned size);
void pcie_test_write(PCIeTest *p, unsigned at, unsigned reg, uint32_t value, unsigned size);

#endif
