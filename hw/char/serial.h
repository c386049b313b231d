/* SPDX-License-Identifier: MIT
 *
 * 16550A UARTs.  "isa-serial" has properties index (0-3: the PC's addresses
 * and lines), iobase, irq, chardev.
 */
#ifndef HW_CHAR_SERIAL_H
#define HW_CHAR_SERIAL_H

#include "hw/isa/isa.h"

#define TYPE_ISA_SERIAL    "isa-serial"
#define MAX_ISA_SERIAL     4

typedef struct Chardev Chardev;

/* An "isa-serial" for each of machine->serial. */
bool serial_isa_create_all(ISABus *bus, GError **error);
ISADevice *serial_isa_create(ISABus *bus, int index, Chardev *chr, GError **error);

#endif
