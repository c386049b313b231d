/* SPDX-License-Identifier: MIT
 *
 * What carries messages between I/O APICs, MSI-capable devices and local
 * APICs: the APIC bus of old, the system bus since (SDM vol. 3, 11.3).  One
 * a machine, made when first asked for.  It owns the region at fee00000h.
 *
 * Threads: everything here may be called from any thread and under any lock; it
 * takes the machine's irq lock.
 */
#ifndef HW_INTC_APIC_BUS_H
#define HW_INTC_APIC_BUS_H

#include "hw/core/machine.h"

#define TYPE_APIC_BUS "apic-bus"
OBJECT_DECLARE_SIMPLE(APICBus, APIC_BUS, TYPE_APIC_BUS)

/* Delivery modes (SDM vol. 3, 11.5.1 and 11.11.2) */
enum APICDeliveryMode {
    APIC_DM_FIXED = 0,
    APIC_DM_LOWEST = 1,
    APIC_DM_SMI = 2,
    APIC_DM_NMI = 4,
    APIC_DM_INIT = 5,
    APIC_DM_SIPI = 6,
    APIC_DM_EXTINT = 7,
};

/* Fields of an MSI (SDM vol. 3, 11.11) */
#define MSI_ADDRESS_BASE     0xfee00000u
#define MSI_ADDRESS_SIZE     0x00100000u
#define MSI_ADDR_DEST_SHIFT  12
#define MSI_ADDR_REDIRECT    (1u << 3)
#define MSI_ADDR_LOGICAL     (1u << 2)
#define MSI_DATA_VECTOR_MASK 0xffu
#define MSI_DATA_MODE_SHIFT  8
#define MSI_DATA_LEVEL       (1u << 14)
#define MSI_DATA_TRIGGER     (1u << 15)

/* A message in its decoded form. */
typedef struct APICMessage {
    uint32_t dest; /* APIC ID or logical mask; ffffffffh: everyone (ffh, in xAPIC form) */
    uint8_t vector;
    uint8_t mode; /* APIC_DM_* */
    bool logical;
    bool level;  /* trigger mode */
    bool x2apic; /* dest is a 32-bit one */
} APICMessage;

APICBus *apic_bus_get(MachineState *machine);

/* A message (of 8-bit destination) in the form of an MSI. */
uint64_t apic_message_address(const APICMessage *message);
uint32_t apic_message_data(const APICMessage *message);

/* An MSI as a device writes it: address and data. */
void apic_bus_send_msi(APICBus *bus, uint64_t address, uint32_t data);
void apic_bus_deliver(APICBus *bus, const APICMessage *message);

/*
 * Where messages go instead of to the local APICs made here: an accelerator
 * with APICs of its own.  NULL: back to ours.
 */
typedef void (*APICMSISink)(void *opaque, uint64_t address, uint32_t data);
void apic_bus_set_sink(APICBus *bus, APICMSISink sink, void *opaque);

/* A local APIC ended a level-triggered interrupt of this vector. */
void apic_bus_eoi(APICBus *bus, uint8_t vector);
/* Called under the irq lock on every such EOI (I/O APICs). */
typedef void (*APICEOIHandler)(void *opaque, uint8_t vector);
void apic_bus_add_eoi_handler(APICBus *bus, APICEOIHandler fn, void *opaque);
void apic_bus_del_eoi_handler(APICBus *bus, APICEOIHandler fn, void *opaque);

/* The registers of the local APIC of that ID as text; false: there is none. */
bool apic_print(MachineState *machine, uint32_t apic_id, GString *out);

#endif
