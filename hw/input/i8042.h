/* SPDX-License-Identifier: MIT
 *
 * The PS/2 controller at ports 60h and 64h with its keyboard and mouse.
 * Named gpio output "a20": level of the A20 gate.
 */
#ifndef HW_INPUT_I8042_H
#define HW_INPUT_I8042_H

#include "hw/isa/isa.h"

#define TYPE_I8042  "i8042"
#define TYPE_PORT92 "port92" /* fast A20 and reset; gpio output "a20" too */
#define I8042_A20   "a20"

ISADevice *i8042_create(ISABus *bus, IRQ a20, GError **error);
/* The mouse tells the guest that something has moved, with a packet that says nothing. */
void i8042_mouse_wake(ISADevice *i8042);
ISADevice *port92_create(ISABus *bus, IRQ a20, GError **error);

#endif
