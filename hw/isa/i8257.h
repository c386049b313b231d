/* SPDX-License-Identifier: MIT
 *
 * The two 8237A DMA controllers of a PC with their page registers.
 */
#ifndef HW_ISA_I8257_H
#define HW_ISA_I8257_H

#include "hw/isa/isa.h"

#define TYPE_I8257 "i8257"

/* Channels 0-3 at 00h and 4-7 at c0h, pages at 80h and 88h; registered with the bus. */
bool i8257_create_pair(ISABus *bus, GError **error);

#endif
