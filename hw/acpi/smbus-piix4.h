/* SPDX-License-Identifier: MIT
 *
 * The SMBus host controller of the PIIX4, embedded by it.
 */
#ifndef HW_ACPI_SMBUS_PIIX4_H
#define HW_ACPI_SMBUS_PIIX4_H

#include "system/memory/memory.h"

#define PIIX4_SMB_PORTS 64
#define PIIX4_SMB_REGS  8

typedef struct PIIX4SMBus {
    MemoryRegion mr; /* PIIX4_SMB_PORTS ports */
    uint8_t regs[PIIX4_SMB_REGS];
} PIIX4SMBus;

void piix4_smbus_init(PIIX4SMBus *smb, Object *owner);
void piix4_smbus_reset(PIIX4SMBus *smb);

#endif
