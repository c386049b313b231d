/* SPDX-License-Identifier: MIT
 *
 * The device harness with RAM and a chipset: what PCI devices need.
 */
#ifndef TESTS_DEVICE_PCI_TEST_H
#define TESTS_DEVICE_PCI_TEST_H

#include "device-test.h"
#include "hw/isa/lpc_ich9.h"
#include "hw/isa/piix3.h"
#include "hw/pci-host/i440fx.h"
#include "hw/pci-host/q35.h"

#define PCI_TEST_RAM (32u << 20)

typedef struct PCITest {
    DeviceTest *t;
    MemoryRegion ram, pci_memory;
    TestLines gsi;
    PCIBus *bus;
    ISABus *isa;
    Q35Host *host; /* q35 */
    ICH9LPCState *lpc;
    TestLines smi; /* to one CPU, to all */
} PCITest;

/* With an i440FX and a PIIX3. */
PCITest *pci_test_new(void);
/* With an MCH and an ICH9's LPC bridge; smm: the machine has SMRAM, and lines for the SMI. */
PCITest *pci_test_new_q35(bool smm);
void pci_test_free(PCITest *p);
/* A drive on machine->drives for each option string. */
void pci_test_drive(PCITest *p, const char *options);

uint32_t pci_test_read(PCITest *p, unsigned devfn, unsigned reg, unsigned size);
void pci_test_write(PCITest *p, unsigned devfn, unsigned reg, uint32_t value, unsigned size);

#endif
