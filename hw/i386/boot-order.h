/* SPDX-License-Identifier: MIT
 *
 * What is to be booted, in the words of firmware: devices with a bootindex, ROMs, disk geometries.
 */
#ifndef HW_I386_BOOT_ORDER_H
#define HW_I386_BOOT_ORDER_H

#include "hw/core/machine.h"

/* "genroms/NAME": the fw_cfg file of a ROM. */
#define GENROMS_FOLDER "genroms/"

/*
 * Firmware paths in the order of "bootindex", one a line with no newline after the last; `first`
 * (may be NULL) before them all; "HALT" after them with -boot strict=on.  NULL and an error when
 * two have the same index.
 */
char *boot_order_list(MachineState *machine, const char *first, GError **error);
/* "PATH cylinders heads sectors", one a line: of the disks that have lcyls, lheads, lsecs set. */
char *boot_geometry_list(MachineState *machine);
/* "/pci@i0cf8/ide@1,1/drive@0/disk@0"; free it. */
char *firmware_device_path(DeviceState *dev);

#endif
