/* SPDX-License-Identifier: MIT
 *
 * The xHCI host controller's files between themselves.  "eXtensible Host Controller Interface for
 * Universal Serial Bus" 1.1; section numbers are of it.
 */
#ifndef HW_USB_XHCI_INTERNAL_H
#define HW_USB_XHCI_INTERNAL_H

#include "hw/pci/msix.h"
#include "hw/pci/pci.h"
#include "hw/usb/usb.h"

#define TYPE_XHCI      "xhci"
#define TYPE_QEMU_XHCI "qemu-xhci"
#define TYPE_NEC_XHCI  "nec-usb-xhci"
OBJECT_DECLARE_SIMPLE(XHCIState, XHCI, TYPE_XHCI)

#define XHCI_MAX_PORTS   15 /* of each protocol */
#define XHCI_MAX_SLOTS   64
#define XHCI_MAX_INTRS   16
#define XHCI_ENDPOINTS   31 /* device context indices 1-31 */
#define XHCI_TRB_SIZE    16
#define XHCI_TD_TRBS     256 /* longer descriptors are errors */
#define XHCI_TD_BYTES    (256u << 10)
#define XHCI_EVENTS_HELD 64 /* while the guest's event ring is full */

/* 6.4.6 */
typedef enum TRBType {
    TRB_NORMAL = 1,
    TRB_SETUP = 2,
    TRB_DATA = 3,
    TRB_STATUS = 4,
    TRB_ISOCH = 5,
    TRB_LINK = 6,
    TRB_EVENT_DATA = 7,
    TRB_NOOP = 8,
    TRB_ENABLE_SLOT = 9,
    TRB_DISABLE_SLOT = 10,
    TRB_ADDRESS_DEVICE = 11,
    TRB_CONFIGURE_ENDPOINT = 12,
    TRB_EVALUATE_CONTEXT = 13,
    TRB_RESET_ENDPOINT = 14,
    TRB_STOP_ENDPOINT = 15,
    TRB_SET_DEQUEUE = 16,
    TRB_RESET_DEVICE = 17,
    TRB_NOOP_COMMAND = 23,
    TRB_TRANSFER_EVENT = 32,
    TRB_COMMAND_EVENT = 33,
    TRB_PORT_EVENT = 34,
    TRB_HOST_EVENT = 37,
} TRBType;

#define TRB_CYCLE             (1u << 0)
#define TRB_TOGGLE            (1u << 1) /* of a link */
#define TRB_EVALUATE          (1u << 1)
#define TRB_SHORT_IRQ         (1u << 2)
#define TRB_CHAIN             (1u << 4)
#define TRB_IOC               (1u << 5)
#define TRB_IMMEDIATE         (1u << 6)
#define TRB_BLOCK_SETADR      (1u << 9) /* address device; configure endpoint: deconfigure */
#define TRB_DIR_IN            (1u << 16)
#define TRB_TYPE(control)     ((control) >> 10 & 0x3f)
#define TRB_SLOT(control)     ((control) >> 24)
#define TRB_ENDPOINT(control) ((control) >> 16 & 0x1f)

/* 6.4.5 */
typedef enum CompletionCode {
    CC_SUCCESS = 1,
    CC_TRANSACTION_ERROR = 4,
    CC_TRB_ERROR = 5,
    CC_STALL = 6,
    CC_NO_SLOTS = 9,
    CC_SLOT_NOT_ENABLED = 11,
    CC_ENDPOINT_NOT_ENABLED = 12,
    CC_SHORT_PACKET = 13,
    CC_PARAMETER_ERROR = 17,
    CC_CONTEXT_STATE_ERROR = 19,
    CC_EVENT_RING_FULL = 21,
    CC_COMMAND_RING_STOPPED = 24,
    CC_STOPPED = 26,
} CompletionCode;

typedef struct TRB {
    uint64_t parameter;
    uint32_t status, control;
    uint64_t addr; /* where it was; not part of it */
} TRB;

/* A consumer's place in a ring. */
typedef struct Ring {
    uint64_t dequeue;
    bool cycle;
} Ring;

/* 6.2.3 */
typedef enum EndpointState {
    EP_DISABLED,
    EP_RUNNING,
    EP_HALTED,
    EP_STOPPED,
    EP_ERROR
} EndpointState;
typedef enum EndpointType { EP_CONTROL = 4, EP_INTERRUPT_IN = 7 } EndpointType;

typedef struct Endpoint {
    Ring ring;
    uint8_t state, type;
    bool waiting; /* for the device, which answered NAK */
} Endpoint;

/* 6.2.2 */
typedef enum SlotState {
    SLOT_ENABLED = 0,
    SLOT_DEFAULT,
    SLOT_ADDRESSED,
    SLOT_CONFIGURED
} SlotState;

typedef struct Slot {
    bool enabled;
    uint8_t state;
    uint8_t port; /* of the bus, from 0; valid from SLOT_DEFAULT on */
    uint16_t interrupter;
    uint64_t context;                       /* output device context */
    Endpoint endpoints[XHCI_ENDPOINTS + 1]; /* by device context index */
} Slot;

typedef struct Interrupter {
    uint32_t iman, imod, erstsz;
    uint64_t erstba, erdp;
    uint64_t segment; /* of the event ring; it has one */
    uint32_t segment_size, enqueue;
    bool cycle;
    TRB held[XHCI_EVENTS_HELD];
    uint32_t nr_held;
} Interrupter;

struct XHCIState {
    PCIDevice parent_obj;
    uint32_t p2, p3, intrs, slots_max; /* properties */

    MemoryRegion mem;
    USBBus *bus;
    BottomHalf *kick_bh;
    _Atomic uint32_t port_wakeups; /* ports whose device has called; served by kick_bh */
    _Atomic uint32_t port_changes; /* that something was plugged into or pulled out of */

    uint32_t usbcmd, usbsts, dnctrl, config;
    uint64_t crcr, dcbaap;
    Ring command_ring;
    uint32_t portsc[2 * XHCI_MAX_PORTS];
    uint32_t portpmsc[2 * XHCI_MAX_PORTS];
    int64_t mfindex_start;
    bool more_commands;                          /* left for the bottom half */
    uint64_t more_endpoints[XHCI_MAX_SLOTS + 1]; /* likewise, a bit by index */
    Interrupter interrupters[XHCI_MAX_INTRS];
    Slot slots[XHCI_MAX_SLOTS + 1]; /* by slot ID: from 1 */
    uint8_t buffer[XHCI_TD_BYTES];
};

#define USBCMD_RUN    (1u << 0)
#define USBCMD_RESET  (1u << 1)
#define USBCMD_INTE   (1u << 2)
#define USBSTS_HALTED (1u << 0)
#define USBSTS_HSE    (1u << 2)
#define USBSTS_EINT   (1u << 3)
#define USBSTS_PCD    (1u << 4)
#define USBSTS_SRE    (1u << 10)

#define CRCR_CYCLE   (1u << 0)
#define CRCR_STOP    (1u << 1)
#define CRCR_ABORT   (1u << 2)
#define CRCR_RUNNING (1u << 3)

#define IMAN_PENDING (1u << 0)
#define IMAN_ENABLE  (1u << 1)
#define ERDP_BUSY    (1u << 3)

static inline unsigned xhci_nr_ports(const XHCIState *s)
{
    return s->p2 + s->p3;
}

/* ---- xhci-ring.c ---------------------------------------------------------------------------- */

/* The guest's memory is not where it says: the controller stops (4.10.2.6). */
bool xhci_dma_read(XHCIState *s, uint64_t addr, void *buf, size_t len);
bool xhci_dma_write(XHCIState *s, uint64_t addr, const void *buf, size_t len);
/* Dwords of contexts. */
bool xhci_read_dwords(XHCIState *s, uint64_t addr, uint32_t *dwords, unsigned n);
bool xhci_write_dwords(XHCIState *s, uint64_t addr, const uint32_t *dwords, unsigned n);
/* The next descriptor of a ring, links followed; false: there is none yet. */
bool xhci_ring_fetch(XHCIState *s, Ring *ring, TRB *trb);

void xhci_interrupter_set_table(XHCIState *s, unsigned n);
void xhci_interrupter_set_dequeue(XHCIState *s, unsigned n, uint64_t erdp);
/* The bits of IMAN, USBCMD or MSI-X changed. */
void xhci_update_irq(XHCIState *s);
void xhci_event(XHCIState *s, unsigned interrupter, TRBType type, CompletionCode code,
                uint64_t parameter, uint32_t length, uint32_t control);

/* ---- xhci-commands.c ------------------------------------------------------------------------ */

void xhci_run_commands(XHCIState *s);
void xhci_slot_disable(XHCIState *s, unsigned id);

/* ---- xhci-transfer.c ------------------------------------------------------------------------ */

/* Work an endpoint's ring off as far as it and the device go. */
void xhci_kick(XHCIState *s, unsigned slot, unsigned endpoint);
/* Its state and place, into the device context. */
void xhci_endpoint_write_context(XHCIState *s, unsigned slot, unsigned endpoint);
/* What it was in the middle of ends with this. */
void xhci_endpoint_stop(XHCIState *s, unsigned slot, unsigned endpoint);

/* ---- xhci-port.c ---------------------------------------------------------------------------- */

void xhci_port_write(XHCIState *s, unsigned n, uint32_t value);
void xhci_ports_reset(XHCIState *s);
/* Port n of the bus (from 0) to the number of the register (from 1). */
unsigned xhci_port_number(const XHCIState *s, unsigned bus_port);
/* The device behind a root port's number, or NULL. */
USBDevice *xhci_port_device(XHCIState *s, unsigned number);
void xhci_ports_update(XHCIState *s, uint32_t which);

#endif
