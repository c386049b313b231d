/* SPDX-License-Identifier: MIT
 *
 * The 8259A pair of a PC (M21).  The master's INTR output goes wherever the
 * machine wires it (hw/intc/apic.h: apic_extint_line()).
 */
#ifndef HW_INTC_I8259_H
#define HW_INTC_I8259_H

#include "hw/isa/isa.h"

#define TYPE_I8259 "isa-i8259"
OBJECT_DECLARE_SIMPLE(I8259State, I8259, TYPE_I8259)

typedef struct I8259Pair {
    I8259State *master, *slave; /* borrowed from the tree */
    IRQ irqs[ISA_NUM_IRQS];     /* inputs, borrowed from the devices; [2] is the cascade: NULL */
} I8259Pair;

/* Both controllers at 20h, a0h, 4d0h and 4d1h; `intr` is referenced. */
bool i8259_create_pair(ISABus *bus, IRQ intr, I8259Pair *ret_pair, GError **error);

/*
 * The CPU's interrupt acknowledge cycle at the master: a vector, always
 * (spurious ones are IRQ 7 of the controller that has lost its request).  Any thread.
 */
int i8259_acknowledge(I8259State *master);
/* The level of INTR.  Any thread. */
bool i8259_pending(I8259State *master);

#endif
