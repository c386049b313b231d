/* SPDX-License-Identifier: MIT
 *
 * The 8254 timer of a PC.  Output 0 is the unnamed gpio output 0 (where "irq"
 * leads unless the machine connects it elsewhere, e.g. to an HPET); gpio input
 * 0 enables that output (1 at reset), as HPET's legacy replacement needs.
 */
#ifndef HW_TIMER_I8254_H
#define HW_TIMER_I8254_H

#include "hw/isa/isa.h"

#define TYPE_I8254 "isa-pit"
OBJECT_DECLARE_SIMPLE(I8254State, I8254, TYPE_I8254)
#define TYPE_PCSPK      "isa-pcspk"
#define I8254_FREQUENCY 1193182

/* At `iobase` (0x40); output 0 goes to `alt_irq` if not NULL, else to ISA line `isa_irq`. */
I8254State *i8254_create(ISABus *bus, uint16_t iobase, int isa_irq, IRQ alt_irq, GError **error);
/* Port 61h: speaker, timer 2's gate and output, refresh toggle. */
ISADevice *pcspk_create(ISABus *bus, I8254State *pit, GError **error);

/* Gate and output of a channel, for who is wired to them.  Under no lock of ours. */
void i8254_set_gate(I8254State *pit, int channel, int level);
int i8254_get_gate(I8254State *pit, int channel);
int i8254_get_out(I8254State *pit, int channel);

#endif
