/* SPDX-License-Identifier: MIT
 *
 * The device harness with RAM, an i440FX and a PIIX3: what PCI devices need.
 */
#ifndef TESTS_DEVICE_PCI_TEST_H
#define TESTS_DEVICE_PCI_TEST_H

#include "device-test.h"
#include "hw/isa/piix3.h"
#include "hw/pci-host/i440fx.h"

#define PCI_TEST_RAM (32u << 20)

typedef struct PCITest {
    DeviceTest *t;
    MemoryRegion ram, pci_memory;
    TestLines gsi;
    PCIBus *bus;
    ISABus *isa;
} PCITest;

PCITest *pci_test_new(void);
void pci_test_free(PCITest *p);
/* A drive on machine->drives for each option string. */
void pci_test_drive(PCITest *p, const char *options);

uint32_t pci_test_read(PCITest *p, unsigned devfn, unsigned reg, unsigned size);
void pci_test_write(PCITest *p, unsigned devfn, unsigned reg, uint32_t value, unsigned size);

#endif
