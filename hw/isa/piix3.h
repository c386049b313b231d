/* SPDX-License-Identifier: MIT
 *
 * The 82371SB (PIIX3) south bridge, function 0 (request M19), and what sits in it.
 */
#ifndef HW_ISA_PIIX3_H
#define HW_ISA_PIIX3_H

#include "hw/isa/isa.h"
#include "hw/pci/pci.h"

#define TYPE_PIIX3 "PIIX3"
OBJECT_DECLARE_SIMPLE(PIIX3State, PIIX3, TYPE_PIIX3)

#define PIIX_NUM_PIRQS 4

/*
 * M19: the bridge at 1.0 with the ISA bus "isa.0"; takes over the INTx wires of `bus`.  It
 * drives gsi[0..15] of the machine for the four PIRQs (machine->gsi must be there).
 */
PIIX3State *piix3_create(PCIBus *bus, ISABus **ret_isa_bus, GError **error);
/* Function 1 of the same slot: the two IDE channels. */
PCIDevice *piix3_ide_create(PCIBus *bus, int devfn, GError **error);

#endif
