/* SPDX-License-Identifier: MIT
 *
 * Bus master IDE.  Programming Interface for Bus Master IDE Controller 1.0 (Intel, 1994).
 *
 *   +0 command   3 to memory   0 start
 *   +2 status    6, 5 drive 1, 0 can do DMA   2 interrupt   1 error   0 active
 *   +4 address of the descriptor table: dwords of address and of 31 end, 15-0 count (0: 64 KiB)
 */
#include <string.h>
#include "hw/ide/bmdma.h"
#include "system/log.h"

#define BM_START      0x01
#define BM_COMMAND_RW 0x09
#define BM_ACTIVE     0x01
#define BM_ERROR      0x02
#define BM_INTERRUPT  0x04
#define BM_STATUS_RW  0x60
#define BM_TABLE_MASK 0xfffffffcu
#define PRD_END       0x80000000u

static BMDMA *bmdma_of(IDETransport *dma)
{
    return (BMDMA *)((char *)dma - offsetof(BMDMA, dma));
}

/* ---- descriptors --------------------------------------------------------------------------- */

/*
 * A table does not cross 64 KiB: its address wraps, and a walk is bounded by what it moves.  While
 * the function is no bus master (MEMTX_DECODE_ERROR) no cycle comes about: descriptors read as
 * zeros, data is dropped, and the drive's command ends.
 */
static bool bmdma_next_region(BMDMA *bm)
{
    MemTxResult result;
    uint32_t prd[2];

    if (bm->last_prd) {
        return false;
    }
    result = pci_dma_read(bm->pci, bm->prd_addr, prd, sizeof(prd));
    if (result == MEMTX_DECODE_ERROR) {
        prd[0] = prd[1] = 0;
    } else if (result != MEMTX_OK) {
        bm->status |= BM_ERROR;
        return false;
    }
    bm->prd_addr = (bm->prd_addr & 0xffff0000) | ((bm->prd_addr + 8) & 0xffff);
    bm->region_addr = GUINT32_FROM_LE(prd[0]) & ~1u;
    bm->region_left = GUINT32_FROM_LE(prd[1]) & 0xfffe;
    bm->region_left = bm->region_left ? bm->region_left : 0x10000;
    bm->last_prd = GUINT32_FROM_LE(prd[1]) & PRD_END;
    return true;
}

static bool bmdma_move(BMDMA *bm, void *buf, size_t n, bool to_memory)
{
    MemTxResult result = to_memory ? pci_dma_write(bm->pci, bm->region_addr, buf, n)
                                   : pci_dma_read(bm->pci, bm->region_addr, buf, n);

    return result == MEMTX_OK || result == MEMTX_DECODE_ERROR;
}

static size_t bmdma_transfer(IDETransport *dma, void *buf, size_t len, bool to_memory)
{
    BMDMA *bm = bmdma_of(dma);
    uint8_t *p = buf;
    size_t done = 0;

    while (done < len) {
        size_t n;

        if (!bm->region_left && !bmdma_next_region(bm)) {
            bm->status &= (uint8_t)~BM_ACTIVE;
            break;
        }
        n = MIN(len - done, bm->region_left);
        if (!bmdma_move(bm, p + done, n, to_memory)) {
            bm->status |= BM_ERROR;
        }
        bm->region_addr += (uint32_t)n;
        bm->region_left -= (uint32_t)n;
        done += n;
    }
    return done;
}

/* ---- the channel's side ---------------------------------------------------------------------- */

static void bmdma_prepare(IDETransport *dma)
{
    BMDMA *bm = bmdma_of(dma);

    if (bm->status & BM_ACTIVE) {
        ide_dma_run(bm->bus);
    }
}

/* Active stays set while there are descriptors left: the table was longer than the transfer. */
static void bmdma_finish(IDETransport *dma)
{
    BMDMA *bm = bmdma_of(dma);

    if (bm->last_prd && !bm->region_left) {
        bm->status &= (uint8_t)~BM_ACTIVE;
    }
}

static void bmdma_interrupt(IDETransport *dma)
{
    bmdma_of(dma)->status |= BM_INTERRUPT;
}

static void bmdma_reset(IDETransport *dma)
{
    BMDMA *bm = bmdma_of(dma);

    bm->command = bm->status = 0;
    bm->table = bm->prd_addr = bm->region_addr = bm->region_left = 0;
    bm->last_prd = false;
}

/* ---- registers ------------------------------------------------------------------------------ */

static uint64_t bmdma_read(void *opaque, hwaddr addr, unsigned size)
{
    BMDMA *bm = opaque;

    switch (addr) {
    case 0:
        return bm->command;
    case 2:
        return bm->status;
    case 4:
    case 5:
    case 6:
    case 7:
        return bm->table >> (8 * (addr - 4)) & 0xff;
    default:
        return 0xff;
    }
}

static void bmdma_start(BMDMA *bm)
{
    bm->status |= BM_ACTIVE;
    bm->prd_addr = bm->table;
    bm->region_left = 0;
    bm->last_prd = false;
    ide_dma_run(bm->bus);
}

static void bmdma_write_command(BMDMA *bm, uint8_t value)
{
    bool was = bm->command & BM_START;

    bm->command = value & BM_COMMAND_RW;
    if (!was && (value & BM_START)) {
        bmdma_start(bm);
    } else if (was && !(value & BM_START)) {
        bm->status &= (uint8_t)~BM_ACTIVE;
        ide_dma_stop(bm->bus);
    }
}

static void bmdma_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    BMDMA *bm = opaque;
    unsigned shift = 8 * ((unsigned)addr & 3);

    if (addr == 0) {
        bmdma_write_command(bm, (uint8_t)value);
    } else if (addr == 2) {
        uint8_t w1c = value & (BM_ERROR | BM_INTERRUPT);

        bm->status = (uint8_t)((value & BM_STATUS_RW) | (bm->status & ~BM_STATUS_RW & ~w1c));
    } else if (addr >= 4) {
        bm->table &= ~(0xffu << shift);
        bm->table |= (uint32_t)(value & 0xff) << shift & BM_TABLE_MASK;
    }
}

static const MemoryRegionOps bmdma_ops = {
    .read = bmdma_read,
    .write = bmdma_write,
    .valid = {1, 4, false},
    .impl = {1, 1, false},
};

void bmdma_init(BMDMA *bm, PCIDevice *pci, IDEBus *bus)
{
    bm->dma = (IDETransport){
        .prepare = bmdma_prepare,
        .transfer = bmdma_transfer,
        .finish = bmdma_finish,
        .interrupt = bmdma_interrupt,
        .reset = bmdma_reset,
    };
    bm->pci = pci;
    bm->bus = bus;
    bus->transport = &bm->dma;
    memory_region_init_io(&bm->mr, OBJECT(pci), &bmdma_ops, bm, "bmdma", BMDMA_PORTS);
}
