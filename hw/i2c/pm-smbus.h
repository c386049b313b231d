/* SPDX-License-Identifier: MIT
 *
 * The SMBus host of Intel's south bridges, embedded by those: the PIIX4's, and the ICH's with its
 * extensions.
 */
#ifndef HW_I2C_PM_SMBUS_H
#define HW_I2C_PM_SMBUS_H

#include "hw/i2c/i2c.h"
#include "system/memory/memory.h"

#define PM_SMBUS_PORTS 64
#define PM_SMBUS_REGS  0x18
#define PM_SMBUS_BLOCK 32

typedef struct PMSMBus {
    MemoryRegion mr; /* PM_SMBUS_PORTS ports */
    I2CBus *bus;
    bool ich; /* byte by byte block transfers, auxiliary registers, I2C reads */
    /* Level of the interrupt request; device lock held.  May be NULL. */
    void (*interrupt)(void *opaque, bool level);
    void *opaque;

    uint8_t regs[PM_SMBUS_REGS];
    uint8_t block[PM_SMBUS_BLOCK];
    uint8_t block_index; /* of the next access to BLOCK_DB */
    uint8_t pending;     /* bytes left of a transfer that goes byte by byte */
    bool streaming;      /* such a transfer is under way */
} PMSMBus;

#define PM_SMBUS_STATE_FIELDS(S, f)                                                                \
    STATE_FIELD(S, f.regs), STATE_FIELD(S, f.block), STATE_FIELD(S, f.block_index),                \
        STATE_FIELD(S, f.pending), STATE_FIELD(S, f.streaming)

/* In realize; makes the bus "i2c". */
void pm_smbus_init(PMSMBus *s, DeviceState *dev, bool ich);
void pm_smbus_reset(PMSMBus *s);

#endif
