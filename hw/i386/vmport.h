/* SPDX-License-Identifier: MIT
 *
 * VMware's port 5658h: a guest puts a magic number, an argument and a command into registers and
 * reads the port; the answer is in registers too.  open-vm-tools, lib/include/backdoor_def.h.
 */
#ifndef HW_I386_VMPORT_H
#define HW_I386_VMPORT_H

#include "hw/isa/isa.h"

#define TYPE_VMPORT  "vmport"
#define TYPE_VMMOUSE "vmmouse" /* an absolute pointer behind it */
OBJECT_DECLARE_SIMPLE(VMPort, VMPORT, TYPE_VMPORT)

#define VMPORT_COMMANDS 96

/* The low halves of the registers. */
typedef struct VMPortRegs {
    uint32_t ax, bx, cx, dx, si, di;
} VMPortRegs;

/* A command; changes registers.  False: it is not known.  Big lock and the port's lock held. */
typedef bool (*VMPortCommand)(void *opaque, VMPortRegs *r);

/* Until func is NULL; the one who registers sees to that. */
void vmport_register(VMPort *port, unsigned command, VMPortCommand func, void *opaque);
/* What a read of the port does with these registers; ax is what is read.  Big lock held. */
void vmport_call(VMPort *port, VMPortRegs *r);

/* The board's: the port, and the pointer if there is a PS/2 controller (NULL: none). */
bool vmport_create(ISABus *bus, ISADevice *i8042, GError **error);

#endif
