/* SPDX-License-Identifier: MIT
 *
 * What an AHCI port and its device say to each other: frame information structures (Serial ATA
 * 3.x, 10.5), kept in memory as AHCI 1.3.1 has it: 4.2.1 received FISes, 4.2.2 command list, 4.2.3
 * command table.
 */
#include <string.h>
#include "hw/ide/ahci-internal.h"
#include "system/log.h"

#define FIS_H2D       0x27
#define FIS_D2H       0x34
#define FIS_SDB       0xa1
#define FIS_PIO_SETUP 0x5f
#define FIS_INTERRUPT 0x40
#define FIS_TO_HOST   0x20
#define FIS_COMMAND   0x80 /* of a host's FIS: a command, else device control */

/* Offsets into the received FISes */
#define RX_PIO_SETUP 0x20
#define RX_D2H       0x40
#define RX_SDB       0x58

#define HEADER_SIZE  32
#define HEADER_PRDBC 4
#define HEADER_CFL   0x1f
#define HEADER_ATAPI 0x20
#define HEADER_CLEAR 0x400 /* clear busy when the device has taken it */
#define TABLE_CFIS   0
#define TABLE_ACMD   0x40
#define TABLE_PRDT   0x80
#define TABLE_MASK   (~(uint64_t)0x7f)
#define PRD_SIZE     16
#define PRD_COUNT    0x3fffffu

/* ---- to memory ------------------------------------------------------------------------------ */

static void port_receive(AHCIPort *port, unsigned offset, const void *fis, size_t len)
{
    if ((port->cmd & AHCI_CMD_FRE) &&
        pci_dma_write(port->hba->pci, port->fb + offset, fis, len) != MEMTX_OK) {
        ahci_port_event(port, AHCI_IS_HBFS);
    }
}

static void port_set_tfd(AHCIPort *port, uint8_t status, uint8_t error)
{
    port->tfd = (uint32_t)error << 8 | status;
}

/* Bytes 2 to 13, which D2H and PIO Setup FISes share. */
static void put_task_file(uint8_t *fis, const IDETaskFile *tf)
{
    fis[2] = tf->status;
    fis[3] = tf->error;
    fis[4] = tf->sector[0];
    fis[5] = tf->lcyl[0];
    fis[6] = tf->hcyl[0];
    fis[7] = tf->select;
    fis[8] = tf->sector[1];
    fis[9] = tf->lcyl[1];
    fis[10] = tf->hcyl[1];
    fis[12] = tf->nsector[0];
    fis[13] = tf->nsector[1];
}

void ahci_send_d2h(AHCIPort *port, IDEDevice *d, bool interrupt)
{
    uint8_t fis[20] = {FIS_D2H, interrupt ? FIS_INTERRUPT : 0};
    bool failed = d->tf.status & ATA_ERR;

    put_task_file(fis, &d->tf);
    port_receive(port, RX_D2H, fis, sizeof(fis));
    port_set_tfd(port, d->tf.status, d->tf.error);
    port->halted |= failed;
    if (interrupt || failed) {
        ahci_port_event(port, (interrupt ? AHCI_IS_DHRS : 0) | (failed ? AHCI_IS_TFES : 0));
    }
}

static void ahci_send_pio_setup(AHCIPort *port, IDEDevice *d, uint32_t len, bool interrupt)
{
    uint8_t fis[20] = {FIS_PIO_SETUP};
    bool more = d->is_write || d->sectors_left || d->buf_pos < d->buf_len;

    fis[1] = (uint8_t)((interrupt ? FIS_INTERRUPT : 0) | (d->is_write ? 0 : FIS_TO_HOST));
    put_task_file(fis, &d->tf);
    fis[15] = more ? ATA_BSY | ATA_DRDY | ATA_DSC : ATA_OK; /* status after the data */
    fis[16] = (uint8_t)len;
    fis[17] = (uint8_t)(len >> 8);
    port_receive(port, RX_PIO_SETUP, fis, sizeof(fis));
    port_set_tfd(port, d->tf.status, d->tf.error);
    if (interrupt) {
        ahci_port_event(port, AHCI_IS_PSS);
    }
}

/* Set Device Bits: queued commands that have ended, or an error of one. */
static void ahci_send_sdb(AHCIPort *port, uint8_t status, uint8_t error, uint32_t ended)
{
    uint8_t fis[8] = {FIS_SDB, FIS_INTERRUPT, status & 0x77, error};
    bool failed = status & ATA_ERR;

    pci_set_long(fis + 4, ended);
    port_receive(port, RX_SDB, fis, sizeof(fis));
    port->sact &= ~ended;
    port_set_tfd(port, (uint8_t)((port->tfd & 0x88) | (status & 0x77)), error);
    port->halted |= failed;
    ahci_port_event(port, failed ? AHCI_IS_TFES : AHCI_IS_SDBS);
}

/* ---- data ----------------------------------------------------------------------------------- */

static uint64_t port_header(const AHCIPort *port, unsigned slot)
{
    return port->clb + (uint64_t)slot * HEADER_SIZE;
}

/*
 * The I bit of a PRD asks for PxIS.DPS, which is opportunistic (4.2.3.3): it is never given, the
 * end of the command tells enough.
 */
size_t ahci_copy(AHCIPort *port, AHCICursor *c, void *buf, size_t len, bool to_memory)
{
    PCIDevice *pci = port->hba->pci;
    uint8_t *p = buf;
    size_t done = 0;

    while (done < len && c->index < c->entries) {
        uint8_t prd[PRD_SIZE];
        MemTxResult result =
            pci_dma_read(pci, c->table + (uint64_t)c->index * PRD_SIZE, prd, sizeof(prd));
        uint64_t addr = pci_get_quad(prd) + c->offset;
        uint32_t size = (pci_get_long(prd + 12) & PRD_COUNT) + 1;
        size_t n = MIN(len - done, size - MIN(size, c->offset));

        if (result == MEMTX_OK && n) {
            result = to_memory ? pci_dma_write(pci, addr, p + done, n)
                               : pci_dma_read(pci, addr, p + done, n);
        }
        if (result != MEMTX_OK) {
            ahci_port_event(port, AHCI_IS_HBDS);
        }
        done += n;
        c->offset += (uint32_t)n;
        if (c->offset >= size) {
            c->index++;
            c->offset = 0;
        }
    }
    c->moved += (uint32_t)done;
    if (done < len) {
        log_guest_error("ahci: port %u: the PRDs end before the transfer does\n", port->number);
        ahci_port_event(port, AHCI_IS_OFS);
    }
    return done;
}

static void port_write_count(AHCIPort *port)
{
    uint8_t count[4];

    if (port->slot >= 0) {
        pci_set_long(count, port->cursor.moved);
        pci_dma_write(port->hba->pci, port_header(port, (unsigned)port->slot) + HEADER_PRDBC, count,
                      sizeof(count));
    }
}

/* ---- the transport of its device ------------------------------------------------------------ */

static AHCIPort *port_of(IDETransport *transport)
{
    return (AHCIPort *)((char *)transport - offsetof(AHCIPort, transport));
}

static void ahci_prepare(IDETransport *transport)
{
    ide_dma_run(port_of(transport)->bus);
}

static size_t ahci_transfer(IDETransport *transport, void *buf, size_t len, bool to_memory)
{
    AHCIPort *port = port_of(transport);

    return ahci_copy(port, &port->cursor, buf, len, to_memory);
}

static size_t ahci_transfer_tag(IDETransport *transport, unsigned tag, void *buf, size_t len,
                                bool to_memory)
{
    AHCIPort *port = port_of(transport);

    return ahci_copy(port, &port->tag_cursor[tag], buf, len, to_memory);
}

static void ahci_finish(IDETransport *transport)
{
}

/* The command packet comes from the command table, data from and to the PRDs. */
static bool pio_is_packet(const IDEDevice *d)
{
    return d->is_cd && d->is_write && (d->tf.nsector[0] & ATAPI_COD);
}

static void ahci_pio_block(AHCIPort *port, IDEDevice *d, bool interrupt)
{
    uint32_t len = d->pio_end - d->pio_pos;
    uint8_t *buf = d->buf + d->pio_pos;

    ahci_send_pio_setup(port, d, len, interrupt);
    if (pio_is_packet(d)) {
        pci_dma_read(port->hba->pci, port->cursor.table - TABLE_PRDT + TABLE_ACMD, buf, len);
    } else {
        size_t done = ahci_copy(port, &port->cursor, buf, len, !d->is_write);

        if (d->is_write) {
            memset(buf + done, 0, len - done);
        }
    }
    port->tfd = (port->tfd & ~(uint32_t)ATA_DRQ) | ATA_BSY;
}

/* A block that is moved leads to the next: one after the other here, not one inside the other. */
static void ahci_pio(IDETransport *transport, IDEDevice *d, bool interrupt)
{
    AHCIPort *port = port_of(transport);

    if (port->moving) {
        return;
    }
    port->moving = true;
    while (d->pio_pos < d->pio_end) {
        ahci_pio_block(port, d, interrupt);
        ide_pio_moved(d);
        interrupt = true;
    }
    port->moving = false;
}

static void port_slot_ended(AHCIPort *port, unsigned slot)
{
    port->issued &= ~(1u << slot);
    port->ci &= ~(1u << slot);
}

static void ahci_ended(IDETransport *transport, IDEDevice *d)
{
    AHCIPort *port = port_of(transport);
    bool failed = d->tf.status & ATA_ERR;

    if (port->slot < 0) {
        return; /* a reset that no command asked for */
    }
    port_write_count(port);
    if (failed) {
        port->failed |= 1u << port->slot;
    } else {
        port_slot_ended(port, (unsigned)port->slot);
    }
    port->slot = -1;
    ahci_send_d2h(port, d, true);
    ahci_port_run(port);
}

static void ahci_tag_ended(IDETransport *transport, IDEDevice *d, unsigned tag)
{
    AHCIPort *port = port_of(transport);

    ahci_send_sdb(port, d->tf.status, d->tf.error, d->tf.status & ATA_ERR ? 0 : 1u << tag);
    ahci_port_run(port);
}

static void ahci_transport_reset(IDETransport *transport)
{
}

void ahci_transport_init(AHCIPort *port)
{
    port->transport = (IDETransport){
        .prepare = ahci_prepare,
        .transfer = ahci_transfer,
        .transfer_tag = ahci_transfer_tag,
        .finish = ahci_finish,
        .pio = ahci_pio,
        .ended = ahci_ended,
        .tag_ended = ahci_tag_ended,
        .reset = ahci_transport_reset,
        .tolerates_short = true,
    };
}

/* ---- from memory ---------------------------------------------------------------------------- */

/* Bytes of a Register FIS from the host (Serial ATA 10.5.5). */
static void take_task_file(IDETaskFile *tf, const uint8_t *fis)
{
    tf->feature[0] = fis[3];
    tf->feature[1] = fis[11];
    tf->sector[0] = fis[4];
    tf->lcyl[0] = fis[5];
    tf->hcyl[0] = fis[6];
    tf->select = fis[7];
    tf->sector[1] = fis[8];
    tf->lcyl[1] = fis[9];
    tf->hcyl[1] = fis[10];
    tf->nsector[0] = fis[12];
    tf->nsector[1] = fis[13];
}

/* Device control: a software reset is SRST set, and then cleared, at which the device answers. */
static void ahci_control(AHCIPort *port, IDEDevice *d, unsigned slot, const uint8_t *fis)
{
    bool srst = fis[15] & ATA_SRST, was = port->srst;

    port->srst = srst;
    port_slot_ended(port, slot);
    if (srst) {
        ide_cancel(d);
        port->sact = 0;
    } else if (was) {
        ata_set_signature(d);
        atapi_reset(d);
        ahci_send_d2h(port, d, true);
    }
}

/* Tag in 7:3 of the sector count.  The slot is free once the device has queued it (5.5.1). */
static void ahci_queue(AHCIPort *port, IDEDevice *d, unsigned slot, uint8_t command)
{
    unsigned tag = d->tf.nsector[0] >> 3;

    port->tag_cursor[tag] = port->cursor;
    port_slot_ended(port, slot);
    d->tf.status = ATA_OK;
    d->tf.error = 0;
    ahci_send_d2h(port, d, false);
    ata_ncq_start(d, command, tag);
}

bool ahci_issue(AHCIPort *port, unsigned slot)
{
    IDEDevice *d = port->bus->devices[0];
    PCIDevice *pci = port->hba->pci;
    uint8_t header[HEADER_SIZE], fis[20];
    uint64_t table;

    if (pci_dma_read(pci, port_header(port, slot), header, sizeof(header)) != MEMTX_OK) {
        return false;
    }
    table = pci_get_quad(header + 8) & TABLE_MASK;
    if (pci_dma_read(pci, table + TABLE_CFIS, fis, sizeof(fis)) != MEMTX_OK) {
        return false;
    }
    if (fis[0] != FIS_H2D || (header[0] & HEADER_CFL) < 5) {
        log_guest_error("ahci: port %u slot %u: no Register FIS of 5 dwords\n", port->number, slot);
        port_slot_ended(port, slot);
        return true;
    }
    port->cursor = (AHCICursor){.table = table + TABLE_PRDT, .entries = pci_get_word(header + 2)};
    if (!(fis[1] & FIS_COMMAND)) {
        ahci_control(port, d, slot, fis);
        return true;
    }
    take_task_file(&d->tf, fis);
    if (ata_is_queued(fis[2]) && !d->is_cd) {
        ahci_queue(port, d, slot, fis[2]);
        return true;
    }
    port->slot = (int)slot;
    port->tfd |= ATA_BSY;
    port_write_count(port);
    ata_command(d, fis[2]);
    return true;
}
