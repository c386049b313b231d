/* SPDX-License-Identifier: MIT
 *
 * The devices with a bootindex, as firmware names them.
 */
#ifndef HW_I386_BOOT_ORDER_H
#define HW_I386_BOOT_ORDER_H

#include "hw/core/machine.h"

/*
 * Firmware paths in the order of the devices' "bootindex", one a line with no newline after the
 * last; `first` (may be NULL) before them all.  NULL and an error when two have the same index.
 */
char *boot_order_list(MachineState *machine, const char *first, GError **error);
/* "/pci@i0cf8/ide@1,1/drive@0/disk@0"; free it. */
char *firmware_device_path(DeviceState *dev);

#endif
