/* SPDX-License-Identifier: MIT
 *
 * Parallel NOR flash with the Intel command set: where firmware lives, and its variables.
 */
#ifndef HW_BLOCK_PFLASH_CFI01_H
#define HW_BLOCK_PFLASH_CFI01_H

#include "hw/core/qdev.h"
#include "system/memory/memory.h"

#define TYPE_PFLASH_CFI01 "cfi.pflash01"

typedef struct PFlashCFI01 PFlashCFI01;

PFlashCFI01 *pflash_cfi01_from_device(DeviceState *dev);
/* Its contents; once realized. */
MemoryRegion *pflash_cfi01_memory(PFlashCFI01 *s);

#endif
