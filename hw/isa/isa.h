/* SPDX-License-Identifier: MIT
 *
 * The ISA bus: a memory and a port window of its bridge, sixteen interrupt
 * inputs and the two 8237 DMA controllers.
 */
#ifndef HW_ISA_ISA_H
#define HW_ISA_ISA_H

#include "hw/core/qdev.h"
#include "system/memory/memory.h"

#define ISA_NUM_IRQS     16
#define ISA_DMA_CHANNELS 8
/* Value of an "irq" or "dma" property for: not connected. */
#define ISA_NONE UINT32_MAX

#define TYPE_ISA_BUS "ISA"
OBJECT_DECLARE(ISABus, ISABusClass, ISA_BUS, TYPE_ISA_BUS)
#define TYPE_ISA_DEVICE "isa-device"
OBJECT_DECLARE(ISADevice, ISADeviceClass, ISA_DEVICE, TYPE_ISA_DEVICE)

/*
 * What a DMA controller offers to the devices of its bus.  A device asserts its
 * request, and the controller calls `transfer` from its own loop while the
 * channel is unmasked: the device moves data with read and write below and
 * returns the position it has reached in the current block.
 */
#define TYPE_ISA_DMA "isa-dma"
typedef struct ISADMA ISADMA;
typedef struct ISADMAClass ISADMAClass;
typedef uint32_t (*ISADMATransfer)(void *opaque, int channel, uint32_t pos, uint32_t len);

struct ISADMAClass {
    InterfaceClass parent_class;
    /* channel: 0-3 within this controller. */
    void (*register_channel)(ISADMA *dma, int channel, ISADMATransfer transfer, void *opaque);
    void (*set_request)(ISADMA *dma, int channel, bool level);
    /* Between the device and guest memory at `pos` of the current block; bytes moved. */
    uint32_t (*read_memory)(ISADMA *dma, int channel, void *buf, uint32_t pos, uint32_t len);
    uint32_t (*write_memory)(ISADMA *dma, int channel, const void *buf, uint32_t pos, uint32_t len);
};
#define ISA_DMA(obj)           OBJECT_CHECK(ISADMA, (obj), TYPE_ISA_DMA)
#define ISA_DMA_GET_CLASS(obj) INTERFACE_GET_CLASS(ISADMAClass, (obj), TYPE_ISA_DMA)

struct ISABusClass {
    BusClass parent_class;
};

struct ISABus {
    BusState parent_obj;
    MemoryRegion *address_space;    /* below 16 MiB */
    MemoryRegion *address_space_io; /* ports */
    IRQ irqs[ISA_NUM_IRQS];
    ISADMA *dma[2]; /* channels 0-3 and 4-7 */
};

struct ISADeviceClass {
    DeviceClass parent_class;
};

struct ISADevice {
    DeviceState parent_obj;
};

/* Bus "isa.0" below its bridge (NULL: a bus with no bridge, in tests). */
ISABus *isa_bus_new(DeviceState *bridge, MemoryRegion *mem, MemoryRegion *io, GError **error);
/* M20: where the bus's interrupt inputs lead; the bus takes references to the 16 lines. */
void isa_bus_register_input_irqs(ISABus *bus, IRQ *irqs);
/* The two controllers, either may be NULL. */
void isa_bus_dma(ISABus *bus, ISADMA *low, ISADMA *high);

/* Bus of a device that is being realized or is realized. */
ISABus *isa_bus_from_device(ISADevice *dev);
/* The bus's input line n, borrowed; NULL for ISA_NONE or an unconnected line. */
IRQ isa_bus_get_irq(ISABus *bus, uint32_t n);
IRQ isa_get_irq(ISADevice *dev, uint32_t n);
/* The controller of channel 0-7 (its own channel is nchan & 3), or NULL. */
ISADMA *isa_get_dma(ISABus *bus, uint32_t nchan);
/* Check properties that name lines: an error that names the property, or TRUE. */
bool isa_check_irq(ISADevice *dev, const char *property, uint32_t irq, GError **error);

/* Map ports for as long as the device is realized. */
void isa_register_ioport(ISADevice *dev, MemoryRegion *mr, uint16_t start);
/* The same at a priority above (or below) what else is there. */
void isa_register_ioport_overlap(ISADevice *dev, MemoryRegion *mr, uint16_t start, int priority);

/* ---- ports of which a PC has several, at addresses of old ----------------------------------- */

typedef struct ISAPort {
    uint16_t iobase;
    uint8_t irq;
} ISAPort;

/*
 * In realize: what properties left at ISA_NONE becomes the next index of the type, and that
 * one's row of `ports`.  Fails with no such row, or a line that there is not.
 */
bool isa_choose_port(ISADevice *dev, const ISAPort *ports, unsigned nr_ports, uint32_t *index,
                     uint32_t *iobase, uint32_t *irq, GError **error);
/* Create and realize one with these properties "index" and "chardev" (or NULL). */
ISADevice *isa_create_port(ISABus *bus, const char *type, int index, Object *chr, GError **error);
/* One for each character device of `chrs`, NULL where there is none. */
bool isa_create_ports(ISABus *bus, const char *type, GPtrArray *chrs, GError **error);

/* Create, with properties still to be set; realize with isa_realize_and_unref(). */
ISADevice *isa_new(const char *type, GError **error);
bool isa_realize_and_unref(ISADevice *dev, ISABus *bus, GError **error);
/* Both in one, for devices whose defaults will do; borrowed from the tree. */
ISADevice *isa_create_simple(ISABus *bus, const char *type, GError **error);

#endif
