/* SPDX-License-Identifier: MIT
 *
 * Bridges to conventional PCI with a standard hot-plug controller: 31 slots, of which slot n is device n
 * of the secondary bus.  PCI Standard Hot-Plug Controller and Subsystem Specification 1.0.
 */
#ifndef HW_PCI_BRIDGE_SHPC_H
#define HW_PCI_BRIDGE_SHPC_H

#include "hw/pci/pci-bridge.h"

#define SHPC_SLOTS     31
#define SHPC_REGISTERS (0x24 + 4 * SHPC_SLOTS)

/* Abstract: a bridge that may have one. */
#define TYPE_SHPC_BRIDGE "shpc-bridge"
OBJECT_DECLARE_SIMPLE(SHPCBridge, SHPC_BRIDGE, TYPE_SHPC_BRIDGE)

struct SHPCBridge {
    PCIBridge parent_obj;
    MemoryRegion mmio;
    uint8_t cap; /* offset of the capability; 0: there is no controller */
    uint8_t registers[SHPC_REGISTERS];
    bool interrupt; /* it asks for one */
};

/*
 * In realize, when the bus is there: registers in BAR 0, capability at 40h, an interrupt; takes the
 * bus over.  Undone with the bridge.
 */
bool shpc_init(SHPCBridge *s, GError **error);

#define SHPC_BRIDGE_STATE_FIELDS(S)                                                                \
    PCI_BRIDGE_STATE_FIELDS(S), STATE_FIELD(S, parent_obj.registers),                              \
        STATE_FIELD(S, parent_obj.interrupt)

#endif
