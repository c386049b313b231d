/* SPDX-License-Identifier: MIT
 *
 * ACPI power management of the 82371AB (PIIX4), function 3.
 */
#ifndef HW_ACPI_PIIX4_PM_H
#define HW_ACPI_PIIX4_PM_H

#include "hw/acpi/acpi-pm.h"
#include "hw/i2c/i2c.h"
#include "hw/pci/pci.h"

typedef struct ACPIPCIHotplug ACPIPCIHotplug;
#define TYPE_PIIX4_PM "PIIX4_PM"
OBJECT_DECLARE_SIMPLE(PIIX4PMState, PIIX4_PM, TYPE_PIIX4_PM)

/* What the ACPI tables of a pc describe. */
#define PIIX4_PM_BASE      0x600 /* where firmware puts the PM block */
#define PIIX4_PM_EVT       0x00  /* PM1a event: 4 bytes */
#define PIIX4_PM_CNT       0x04  /* PM1a control: 2 bytes */
#define PIIX4_PM_TMR       0x08  /* 24-bit timer */
#define PIIX4_SMB_BASE     0x700
#define PIIX4_GPE_BASE     0xafe0
#define PIIX4_GPE_LEN      4
#define PIIX4_SMI_CMD      0xb2
#define PIIX4_ACPI_ENABLE  0xf1
#define PIIX4_ACPI_DISABLE 0xf0
#define PIIX4_SCI_IRQ      9

/* Create at devfn; sci is connected; `smi` may be NULL. */
PIIX4PMState *piix4_pm_create(PCIBus *bus, int devfn, IRQ sci, IRQ smi, GError **error);
/* With no firmware: put the PM block at PIIX4_PM_BASE and turn ACPI mode on, in the machine's
 * reset. */
void piix4_pm_enable_acpi(PIIX4PMState *pm);
/* A general-purpose event (hot-plug ..): sets status bit n of GPE0 and the SCI if it is enabled. */
void piix4_pm_raise_gpe(PIIX4PMState *pm, unsigned n);
/* The registers of PCI hot-plug, for the tables; NULL: turned off. */
ACPIPCIHotplug *piix4_pm_pci_hotplug(PIIX4PMState *pm);
/* Its ACPI registers, for the tables. */
ACPIPM *piix4_pm_acpi(PIIX4PMState *pm);
I2CBus *piix4_pm_smbus(PIIX4PMState *pm);

#endif
