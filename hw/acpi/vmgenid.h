/* SPDX-License-Identifier: MIT
 *
 * The Virtual Machine Generation ID device.
 */
#ifndef HW_ACPI_VMGENID_H
#define HW_ACPI_VMGENID_H

#include "hw/core/qdev.h"

#define TYPE_VMGENID "vmgenid"

/* The identifier of the machine's device, or NULL: it has none.  Free it. */
char *vmgenid_get(MachineState *machine);

#endif
