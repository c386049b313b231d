/* SPDX-License-Identifier: MIT
 *
 * Interrupts of the Intel ICH9: pins of PCI devices to PIRQA-PIRQH, those and the SCI to the 8259s
 * and the I/O APIC (data sheet 316972, 5.9.6, 5.10.2, 13.1.11, 13.1.14).
 *
 * PIRQA-H are pins 16-23 of the I/O APIC, always; PIRQn_ROUT leads one to an ISA interrupt too (bit 7:
 * not).  Slots 25-29 and 31 are in the chip and say in DxxIR where their pins lead.  The others are
 * wired by the board, pin A of slot 0 to PIRQE and on around; so is 30, the bridge to PCI.
 *
 * Wires of the bus: 0-3 what the board leads to PIRQE-H; then four for each slot from 25.
 */
#include "hw/core/machine.h"
#include "hw/isa/lpc_ich9-internal.h"

#define FIRST_CHIP_SLOT 25
#define BRIDGE_SLOT     30
#define FIRST_CHIP_WIRE 4
#define PIRQE           4
#define ROUT_DISABLED   0x80
#define ROUTABLE        0xdef8u /* 3-7, 9-12, 14, 15 */

int ich9_lpc_map_irq(PCIDevice *dev, int pin)
{
    int slot = PCI_DEVFN_SLOT(dev->devfn);

    if (slot < FIRST_CHIP_SLOT || slot == BRIDGE_SLOT) {
        return (slot + pin) & 3;
    }
    return FIRST_CHIP_WIRE + (slot - FIRST_CHIP_SLOT) * PCI_NUM_PINS + pin;
}

static int wire_pirq(const ICH9LPCState *lpc, int wire)
{
    int slot = (wire - FIRST_CHIP_WIRE) / PCI_NUM_PINS + FIRST_CHIP_SLOT;
    int pin = (wire - FIRST_CHIP_WIRE) % PCI_NUM_PINS;

    if (wire < FIRST_CHIP_WIRE) {
        return PIRQE + wire;
    }
    return ich9_rcba_slot_route(lpc, slot) >> 4 * pin & 7;
}

static uint8_t pirq_route(const ICH9LPCState *lpc, int pirq)
{
    return lpc->parent_obj.config[ICH9_PIRQA_ROUT + (pirq & 3) + (pirq >= 4 ? 8 : 0)];
}

/* ACPI_CNTL, 2-0. */
static unsigned sci_gsi(const ICH9LPCState *lpc)
{
    static const uint8_t gsis[8] = {9, 10, 11, 0, 20, 21, 22, 23};

    return gsis[lpc->parent_obj.config[0x44] & 7];
}

static uint32_t wanted_levels(const ICH9LPCState *lpc)
{
    uint32_t levels = 0;
    unsigned pirqs = 0;

    for (int wire = 0; wire < ICH9_NUM_WIRES; wire++) {
        if (lpc->wires >> wire & 1) {
            pirqs |= 1u << wire_pirq(lpc, wire);
        }
    }
    for (int pirq = 0; pirq < ICH9_NUM_PIRQS; pirq++) {
        uint8_t route = pirq_route(lpc, pirq);

        if (!(pirqs >> pirq & 1)) {
            continue;
        }
        levels |= 1u << (ICH9_PIRQ_GSI + pirq);
        if (!(route & ROUT_DISABLED)) {
            levels |= (1u << (route & 15)) & ROUTABLE;
        }
    }
    return lpc->sci_level && sci_gsi(lpc) ? levels | 1u << sci_gsi(lpc) : levels;
}

void ich9_lpc_update_irqs(ICH9LPCState *lpc)
{
    MachineState *machine = lpc->parent_obj.machine;
    uint32_t levels = wanted_levels(lpc), changed = levels ^ lpc->gsi_levels;

    lpc->gsi_levels = levels;
    for (int n = 0; changed; n++, changed >>= 1) {
        if (changed & 1) {
            irq_set(machine->gsi[n], levels >> n & 1);
        }
    }
}

void ich9_lpc_set_wire(void *opaque, int wire, int level)
{
    ICH9LPCState *lpc = opaque;

    lpc->wires = level ? lpc->wires | 1u << wire : lpc->wires & ~(1u << wire);
    ich9_lpc_update_irqs(lpc);
}

void ich9_lpc_set_sci(void *opaque, int n, int level)
{
    ICH9LPCState *lpc = opaque;

    machine_irq_lock(lpc->parent_obj.machine);
    lpc->sci_level = level != 0;
    ich9_lpc_update_irqs(lpc);
    machine_irq_unlock(lpc->parent_obj.machine);
}
