/* SPDX-License-Identifier: MIT
 *
 * The local APIC in user space (type "apic"; interface TYPE_X86_APIC in
 * target/i386/apic.h).  Properties: "cpu" link<cpu>, "id" uint32 (APIC ID),
 * "bsp" bool (its CPU is the bootstrap processor), "version" uint8.
 * Input lines: gpio "lint", 0 is INTR of the 8259, 1 is NMI.
 */
#ifndef HW_INTC_APIC_H
#define HW_INTC_APIC_H

#include "hw/core/cpu.h"
#include "hw/intc/apic-bus.h"
#include "hw/intc/i8259.h"
#include "target/i386/apic.h"

#define TYPE_APIC       "apic"
#define TYPE_LOCAL_APIC TYPE_APIC

/*
 * A line that drives LINT0 of every "apic" of the machine, present and
 * future: for the INTR output of the 8259.  Borrowed from the machine.
 */
IRQ apic_extint_line(MachineState *machine);
/* The same for LINT1: NMI. */
IRQ apic_nmi_line(MachineState *machine);
/* NMI# of the chipset: to LINT1 of all, once. */
void apic_nmi(MachineState *machine);
/* Who answers INTR acknowledge cycles, for every "apic" of the machine. */
void apic_set_pic(MachineState *machine, I8259State *master);

#endif
