/* SPDX-License-Identifier: MIT
 *
 * Parallel ports: "isa-parallel" has properties index (0-2: LPT1 to LPT3), iobase, irq, chardev.
 */
#ifndef HW_CHAR_PARALLEL_H
#define HW_CHAR_PARALLEL_H

#include "hw/isa/isa.h"
#include "system/char/chardev.h"

#define TYPE_ISA_PARALLEL "isa-parallel"
#define MAX_ISA_PARALLEL  3

/* An "isa-parallel" for each of machine->parallel. */
bool parallel_isa_create_all(ISABus *bus, GError **error);
ISADevice *parallel_isa_create(ISABus *bus, int index, Chardev *chr, GError **error);

#endif
