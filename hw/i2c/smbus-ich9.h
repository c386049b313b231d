/* SPDX-License-Identifier: MIT
 *
 * The SMBus controller of an ICH9.
 */
#ifndef HW_I2C_SMBUS_ICH9_H
#define HW_I2C_SMBUS_ICH9_H

#include "hw/i2c/i2c.h"
#include "hw/pci/pci.h"

#define TYPE_ICH9_SMB_DEVICE "ICH9-SMB"

/* Its bus; NULL and error. */
I2CBus *ich9_smb_create(PCIBus *bus, int devfn, GError **error);

#endif
