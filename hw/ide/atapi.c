/* SPDX-License-Identifier: MIT
 *
 * The PACKET protocol: command packet, data to the host, status.
 * ATA/ATAPI-7 volume 1, 6.24 (PACKET); volume 2, 11.8 and 11.9 (protocols).
 */
#include <string.h>
#include "hw/ide/ide-internal.h"
#include "hw/ide/scsi.h"
#include "system/log.h"

#define PACKET_DMA     0x01
#define PACKET_OVERLAP 0x02

/* ---- status -------------------------------------------------------------------------- */

static void atapi_end(IDEDevice *d, uint8_t status)
{
    ide_dma_end(d);
    d->buf_pos = d->buf_len = 0;
    d->atapi.sectors_left = 0;
    d->tf.nsector[0] = ATAPI_IO | ATAPI_COD;
    ide_complete(d, status);
}

void atapi_ok(IDEDevice *d)
{
    d->tf.error = 0;
    d->atapi.sense_key = d->atapi.asc = d->atapi.ascq = 0;
    atapi_end(d, ATA_OK);
}

void atapi_sense(IDEDevice *d, uint8_t key, uint8_t asc, uint8_t ascq)
{
    d->atapi.sense_key = key;
    d->atapi.asc = asc;
    d->atapi.ascq = ascq;
    d->tf.error = (uint8_t)(key << 4);
    atapi_end(d, ATA_DRDY | ATA_ERR);
}

void atapi_io_error(IDEDevice *d)
{
    atapi_sense(d, SENSE_MEDIUM_ERROR, ASC_UNRECOVERED_READ_ERROR, 0);
}

void atapi_reset(IDEDevice *d)
{
    ATAPIState *a = &d->atapi;

    a->sense_key = a->asc = a->ascq = 0;
    a->tray_locked = false;
    a->sectors_left = 0;
}

/* A medium that came or went since the last command is announced once. */
void atapi_check_media(IDEDevice *d)
{
    unsigned generation = blk_media_generation(d->blk);

    if (generation != d->atapi.generation) {
        d->atapi.generation = generation;
        d->atapi.media_event = true;
        d->atapi.events = blk_is_inserted(d->blk) ? MEDIA_EVENT_NEW : MEDIA_EVENT_REMOVAL;
    }
    d->nb_sectors = blk_sectors(d->blk);
}

/* ---- data to the host ------------------------------------------------------------------ */

static void atapi_next(IDEDevice *d);

/* One data block through the data register, at most as long as the host said it may be. */
static void atapi_pio_block(IDEDevice *d)
{
    uint32_t left = d->buf_len - d->buf_pos;
    uint32_t limit = MIN(d->atapi.byte_limit, 0xfffe);
    uint32_t pos = d->buf_pos, len = left;

    if (len > limit) {
        len = limit & ~1u; /* only the last block may be odd */
    }
    d->tf.nsector[0] = ATAPI_IO;
    d->tf.lcyl[0] = (uint8_t)len;
    d->tf.hcyl[0] = (uint8_t)(len >> 8);
    d->buf_pos += len;
    ide_pio_start(d, pos, (len + 1) & ~1u, atapi_next, true); /* may be over when it returns */
}

static void atapi_dma_block(IDEDevice *d)
{
    if (ide_dma_transfer(d, d->buf + d->buf_pos, d->buf_len - d->buf_pos, true)) {
        d->buf_pos = d->buf_len;
        atapi_next(d);
    }
}

/* ---- reading sectors --------------------------------------------------------------------- */

static uint8_t to_bcd(uint32_t value)
{
    return (uint8_t)((value / 10 % 10) << 4 | value % 10);
}

/* A whole mode 1 sector around 2048 bytes (ECMA-130, 14); its error correction is left zero. */
static void atapi_make_raw(uint8_t *raw, const uint8_t *data, uint32_t lba)
{
    uint32_t frame = lba + 150;

    memset(raw, 0, CD_RAW_SECTOR);
    memset(raw + 1, 0xff, 10);
    raw[12] = to_bcd(frame / (75 * 60));
    raw[13] = to_bcd(frame / 75 % 60);
    raw[14] = to_bcd(frame % 75);
    raw[15] = 1;
    memcpy(raw + 16, data, CD_SECTOR);
}

static void atapi_sectors_ready(IDEDevice *d, uint8_t *data, uint32_t len)
{
    ATAPIState *a = &d->atapi;
    uint32_t n = len / CD_SECTOR;

    if (a->sector_size == CD_SECTOR) {
        memcpy(d->buf, data, len);
    } else {
        for (uint32_t i = 0; i < n; i++) {
            atapi_make_raw(d->buf + i * CD_RAW_SECTOR, data + i * CD_SECTOR, a->lba + i);
        }
    }
    a->lba += n;
    a->sectors_left -= n;
    d->buf_pos = 0;
    d->buf_len = n * a->sector_size;
    atapi_next(d);
}

static void atapi_read_more(IDEDevice *d)
{
    ATAPIState *a = &d->atapi;
    uint32_t n = MIN(a->sectors_left, IDE_CHUNK / CD_RAW_SECTOR);

    ide_pio_stop(d);
    ide_io(d, IDE_IO_READ, (uint64_t)a->lba * CD_SECTOR, n * CD_SECTOR, NULL, atapi_sectors_ready);
}

/* The next block, the next sectors, or the end. */
static void atapi_next(IDEDevice *d)
{
    if (d->buf_pos < d->buf_len) {
        if (d->atapi.dma) {
            atapi_dma_block(d);
        } else {
            atapi_pio_block(d);
        }
    } else if (d->atapi.sectors_left) {
        atapi_read_more(d);
    } else {
        atapi_ok(d);
    }
}

static void atapi_begin_data(IDEDevice *d)
{
    d->is_write = false;
    if (d->atapi.dma) {
        ide_dma_start(d, atapi_next);
    } else if (d->atapi.byte_limit == 0) {
        ide_abort(d); /* data, and no room for any */
    } else {
        atapi_next(d);
    }
}

/* What is in buf, as much of it as the command's allocation length asks for. */
void atapi_reply(IDEDevice *d, uint32_t len, uint32_t allocated)
{
    d->buf_pos = 0;
    d->buf_len = MIN(len, allocated);
    if (d->buf_len == 0) {
        atapi_ok(d);
        return;
    }
    atapi_begin_data(d);
}

void atapi_read(IDEDevice *d, uint32_t lba, uint32_t sectors, uint32_t sector_size)
{
    uint32_t total = (uint32_t)(d->nb_sectors / (CD_SECTOR / ATA_SECTOR));

    if (sectors == 0) {
        atapi_ok(d);
        return;
    }
    if (lba >= total || sectors > total - lba) {
        atapi_sense(d, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE, 0);
        return;
    }
    d->atapi.lba = lba;
    d->atapi.sectors_left = sectors;
    d->atapi.sector_size = sector_size;
    d->buf_pos = d->buf_len = 0;
    atapi_begin_data(d);
}

/* ---- the command packet ---------------------------------------------------------------------- */

static void atapi_packet_taken(IDEDevice *d)
{
    memcpy(d->atapi.cdb, d->buf, ATAPI_CDB);
    ide_pio_stop(d);
    d->is_write = false;
    d->tf.status = ATA_BSY;
    atapi_command(d);
}

void atapi_packet(IDEDevice *d)
{
    uint8_t feature = d->tf.feature[0];

    if ((feature & PACKET_OVERLAP) || ((feature & PACKET_DMA) && !ide_bus_of(d)->transport)) {
        ide_abort(d);
        return;
    }
    d->atapi.dma = feature & PACKET_DMA;
    d->atapi.byte_limit = d->tf.lcyl[0] | d->tf.hcyl[0] << 8;
    d->tf.nsector[0] = ATAPI_COD;
    d->is_write = true;
    ide_pio_start(d, 0, ATAPI_CDB, atapi_packet_taken, false);
}
