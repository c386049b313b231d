/* SPDX-License-Identifier: MIT
 *
 * For this folder only: an AHCI host bus adapter.  The controller's device lock protects all of it.
 * Serial ATA AHCI 1.3.1: 3 (registers), 4 (memory), 5 (behaviour), 10 (reset).
 */
#ifndef HW_IDE_AHCI_INTERNAL_H
#define HW_IDE_AHCI_INTERNAL_H

#include "hw/ide/ide-internal.h"
#include "hw/pci/pci.h"

#define AHCI_PORTS     6
#define AHCI_SLOTS     32
#define AHCI_MMIO_SIZE 4096
#define AHCI_IDP_SIZE  32

/* PxIS and PxIE (3.3.5) */
#define AHCI_IS_DHRS (1u << 0)
#define AHCI_IS_PSS  (1u << 1)
#define AHCI_IS_DSS  (1u << 2)
#define AHCI_IS_SDBS (1u << 3)
#define AHCI_IS_PCS  (1u << 6)
#define AHCI_IS_PRCS (1u << 22)
#define AHCI_IS_OFS  (1u << 24)
#define AHCI_IS_HBDS (1u << 28)
#define AHCI_IS_HBFS (1u << 29)
#define AHCI_IS_TFES (1u << 30)
#define AHCI_IE_MASK 0xfdc000ffu
/* PxCMD (3.3.7) */
#define AHCI_CMD_ST  (1u << 0)
#define AHCI_CMD_SUD (1u << 1)
#define AHCI_CMD_POD (1u << 2)
#define AHCI_CMD_CLO (1u << 3)
#define AHCI_CMD_FRE (1u << 4)
#define AHCI_CMD_FR  (1u << 14)
#define AHCI_CMD_CR  (1u << 15)

/* Where a command's data is: a place in its PRD table (4.2.3.3). */
typedef struct AHCICursor {
    uint64_t table;
    uint32_t entries, index, offset, moved;
} AHCICursor;

typedef struct AHCIState AHCIState;
typedef struct AHCIPort {
    IDETransport transport;
    AHCIState *hba;
    IDEBus *bus;
    unsigned number;
    /* registers */
    uint64_t clb, fb;
    uint32_t is, ie, cmd, tfd, sig, ssts, sctl, serr, sact, ci, sntf;
    /* the port's state machine */
    bool signature_pending; /* the device's first FIS waits for PxCMD.FRE */
    bool halted;            /* by an error, until PxCMD.ST is cleared */
    bool running, moving;   /* in ahci_port_run(), in ahci_pio() */
    int slot;               /* of the command that is not queued; -1: none */
    uint32_t issued;        /* slots given to the device, not yet ended */
    uint32_t failed;        /* those of them that ended in an error */
    bool srst;              /* the last control FIS had it set */
    AHCICursor cursor, tag_cursor[AHCI_SLOTS];
    uint8_t tag_slot[AHCI_SLOTS];
} AHCIPort;

struct AHCIState {
    PCIDevice *pci;
    MemoryRegion mmio, idp;
    AHCIPort ports[AHCI_PORTS];
    uint32_t ghc, is;
    uint32_t idp_index;
};

/* ---- ahci.c: the adapter ------------------------------------------------------------- */

void ahci_init(AHCIState *s, PCIDevice *pci);
/* Everything but PxCLB and PxFB (10.4.3). */
void ahci_reset(AHCIState *s);
/* Something that PxIS, PxIE, IS or GHC say has changed; `news`: a message is due if one is on. */
void ahci_update_irq(AHCIState *s, bool news);

/* ---- ahci-port.c ---------------------------------------------------------------------- */

void ahci_port_init(AHCIState *s, unsigned number);
void ahci_port_reset(AHCIPort *port);
uint32_t ahci_port_read(AHCIPort *port, unsigned reg);
void ahci_port_write(AHCIPort *port, unsigned reg, uint32_t value);
/* Set bits of PxIS. */
void ahci_port_event(AHCIPort *port, uint32_t bits);
/* Give the device what it can take (5.3). */
void ahci_port_run(AHCIPort *port);

/* ---- ahci-fis.c: between memory, the port and its device --------------------------------- */

void ahci_transport_init(AHCIPort *port);
void ahci_send_d2h(AHCIPort *port, IDEDevice *d, bool interrupt);
/* Start the command in a slot; false: its FIS or header cannot be fetched. */
bool ahci_issue(AHCIPort *port, unsigned slot);
/* Move between buf and the PRDs; how much there was room for. */
size_t ahci_copy(AHCIPort *port, AHCICursor *c, void *buf, size_t len, bool to_memory);

#endif
