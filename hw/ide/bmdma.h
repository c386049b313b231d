/* SPDX-License-Identifier: MIT
 *
 * A bus master of one ATA channel.
 */
#ifndef HW_IDE_BMDMA_H
#define HW_IDE_BMDMA_H

#include "hw/ide/ide-internal.h"
#include "hw/pci/pci.h"

#define BMDMA_PORTS 8

typedef struct BMDMA {
    IDETransport dma;
    PCIDevice *pci;
    IDEBus *bus;
    MemoryRegion mr;
    uint8_t command, status;
    uint32_t table; /* of physical region descriptors */
    /* where the transfer is */
    uint32_t prd_addr, region_addr, region_left;
    bool last_prd;
} BMDMA;

#define BMDMA_STATE_FIELDS(S, f)                                                                   \
    STATE_FIELD(S, f.command), STATE_FIELD(S, f.status), STATE_FIELD(S, f.table)

void bmdma_init(BMDMA *bm, PCIDevice *pci, IDEBus *bus);

#endif
