/* SPDX-License-Identifier: MIT
 *
 * Reading and writing sectors: PIO, multiple and DMA.
 * ATA/ATAPI-7 volume 1, 5.1 (addressing), 6.27-6.44 and 6.55-6.73 (commands);
 * volume 2, 11 (PIO and DMA protocols).
 */
#include <string.h>
#include "hw/ide/ide-internal.h"

/* ---- addresses ------------------------------------------------------------------------ */

uint64_t ata_get_lba(const IDEDevice *d, bool ext)
{
    const IDETaskFile *tf = &d->tf;
    uint32_t low = tf->sector[0] | tf->lcyl[0] << 8 | (uint32_t)tf->hcyl[0] << 16;
    uint32_t cylinder = tf->lcyl[0] | (uint32_t)tf->hcyl[0] << 8;

    if (ext) {
        return low | (uint64_t)tf->sector[1] << 24 | (uint64_t)tf->lcyl[1] << 32 |
               (uint64_t)tf->hcyl[1] << 40;
    }
    if (tf->select & ATA_LBA) {
        return low | (uint32_t)(tf->select & 15) << 24;
    }
    return ((uint64_t)cylinder * d->cur_heads + (tf->select & 15)) * d->cur_spt + tf->sector[0] - 1;
}

static void ata_set_chs(IDEDevice *d, uint64_t lba)
{
    uint64_t track = lba / d->cur_spt, cylinder = track / d->cur_heads;

    d->tf.sector[0] = (uint8_t)(lba % d->cur_spt + 1);
    d->tf.lcyl[0] = (uint8_t)cylinder;
    d->tf.hcyl[0] = (uint8_t)(cylinder >> 8);
    d->tf.select = (uint8_t)((d->tf.select & 0xf0) | track % d->cur_heads);
}

void ata_set_lba(IDEDevice *d, uint64_t lba, bool ext)
{
    IDETaskFile *tf = &d->tf;

    if (!ext && !(tf->select & ATA_LBA)) {
        ata_set_chs(d, lba);
        return;
    }
    tf->sector[0] = (uint8_t)lba;
    tf->lcyl[0] = (uint8_t)(lba >> 8);
    tf->hcyl[0] = (uint8_t)(lba >> 16);
    if (ext) {
        tf->sector[1] = (uint8_t)(lba >> 24);
        tf->lcyl[1] = (uint8_t)(lba >> 32);
        tf->hcyl[1] = (uint8_t)(lba >> 40);
    } else {
        tf->select = (uint8_t)((tf->select & 0xf0) | (lba >> 24 & 15));
    }
}

bool ata_take_range(IDEDevice *d, bool ext)
{
    uint32_t count = ext ? d->tf.nsector[0] | d->tf.nsector[1] << 8 : d->tf.nsector[0];
    bool chs = !ext && !(d->tf.select & ATA_LBA);

    count = count ? count : ext ? 65536 : 256;
    if (chs && (d->tf.sector[0] == 0 || d->tf.sector[0] > d->cur_spt)) {
        ide_error(d, ATA_IDNF);
        return false;
    }
    d->ext = ext;
    d->lba = ata_get_lba(d, ext);
    d->sectors_left = count;
    if (d->lba >= d->nb_sectors || count > d->nb_sectors - d->lba) {
        ide_error(d, ATA_IDNF);
        return false;
    }
    return true;
}

/* Registers after the last sector: its address, and none left. */
static void ata_finish_range(IDEDevice *d)
{
    ata_set_lba(d, d->lba - 1, d->ext);
    d->tf.nsector[0] = d->tf.nsector[1] = 0;
}

static void ata_advance(IDEDevice *d, uint32_t sectors)
{
    d->lba += sectors;
    d->sectors_left -= sectors;
}

/* ---- PIO in --------------------------------------------------------------------------- */

static void ata_read_pio_next(IDEDevice *d);

static void ata_read_pio_ready(IDEDevice *d, uint8_t *data, uint32_t len)
{
    memcpy(d->buf, data, len);
    ata_advance(d, len / ATA_SECTOR);
    ide_pio_start(d, 0, len, ata_read_pio_next, true);
}

static void ata_read_pio_next(IDEDevice *d)
{
    if (d->sectors_left) {
        ide_pio_stop(d);
        ide_io(d, IDE_IO_READ, d->lba * ATA_SECTOR, MIN(d->block, d->sectors_left) * ATA_SECTOR,
               NULL, ata_read_pio_ready);
        return;
    }
    ata_finish_range(d);
    ide_pio_in_end(d); /* the last block has had its interrupt */
}

void ata_read_pio(IDEDevice *d)
{
    d->is_write = false;
    ata_read_pio_next(d);
}

/* ---- PIO out -------------------------------------------------------------------------- */

static void ata_write_flushed(IDEDevice *d, uint8_t *data, uint32_t len)
{
    ide_dma_end(d);
    ide_success(d);
}

static void ata_write_end(IDEDevice *d)
{
    ata_finish_range(d);
    if (d->flush_after || !d->write_cache) {
        ide_io(d, IDE_IO_FLUSH, 0, 0, NULL, ata_write_flushed);
    } else {
        ata_write_flushed(d, NULL, 0);
    }
}

static void ata_write_pio_data(IDEDevice *d);

static void ata_write_pio_written(IDEDevice *d, uint8_t *data, uint32_t len)
{
    ata_advance(d, len / ATA_SECTOR);
    if (d->sectors_left) {
        ide_pio_start(d, 0, MIN(d->block, d->sectors_left) * ATA_SECTOR, ata_write_pio_data, true);
    } else {
        ata_write_end(d);
    }
}

static void ata_write_pio_data(IDEDevice *d)
{
    uint32_t len = d->pio_end;

    ide_pio_stop(d);
    ide_io(d, IDE_IO_WRITE, d->lba * ATA_SECTOR, len, d->buf, ata_write_pio_written);
}

void ata_write_pio(IDEDevice *d)
{
    d->is_write = true;
    ide_pio_start(d, 0, MIN(d->block, d->sectors_left) * ATA_SECTOR, ata_write_pio_data, false);
}

/* ---- DMA -------------------------------------------------------------------------------- */

static uint32_t ata_chunk(const IDEDevice *d)
{
    return MIN(d->sectors_left, IDE_CHUNK / ATA_SECTOR) * ATA_SECTOR;
}

static void ata_read_dma_next(IDEDevice *d);

static void ata_read_dma_ready(IDEDevice *d, uint8_t *data, uint32_t len)
{
    if (!ide_dma_transfer(d, data, len, true)) {
        return;
    }
    ata_advance(d, len / ATA_SECTOR);
    if (d->sectors_left) {
        ata_read_dma_next(d);
        return;
    }
    ata_finish_range(d);
    ide_dma_end(d);
    ide_success(d);
}

static void ata_read_dma_next(IDEDevice *d)
{
    ide_io(d, IDE_IO_READ, d->lba * ATA_SECTOR, ata_chunk(d), NULL, ata_read_dma_ready);
}

void ata_read_dma(IDEDevice *d)
{
    d->is_write = false;
    ide_dma_start(d, ata_read_dma_next);
}

static void ata_write_dma_next(IDEDevice *d);

static void ata_write_dma_written(IDEDevice *d, uint8_t *data, uint32_t len)
{
    ata_advance(d, len / ATA_SECTOR);
    if (d->sectors_left) {
        ata_write_dma_next(d);
    } else {
        ata_write_end(d);
    }
}

static void ata_write_dma_next(IDEDevice *d)
{
    uint32_t len = ata_chunk(d);

    if (ide_dma_transfer(d, d->buf, len, false)) {
        ide_io(d, IDE_IO_WRITE, d->lba * ATA_SECTOR, len, d->buf, ata_write_dma_written);
    }
}

void ata_write_dma(IDEDevice *d)
{
    d->is_write = true;
    ide_dma_start(d, ata_write_dma_next);
}

/* ---- DATA SET MANAGEMENT: TRIM (ACS-2 7.10) ------------------------------------------------ */

bool ata_has_trim(const IDEDevice *d)
{
    return d->discard_granularity != 0; /* whether the image takes it is the back end's affair */
}

static void ata_trim_next(IDEDevice *d);

static void ata_trim_done(IDEDevice *d, uint8_t *data, uint32_t len)
{
    ata_trim_next(d);
}

/* Entries are 47:0 first sector, 63:48 how many; none is no entry. */
static void ata_trim_next(IDEDevice *d)
{
    while (d->trim_pos < d->trim_len) {
        uint64_t entry, first;
        uint32_t count;

        memcpy(&entry, d->trim + d->trim_pos, 8);
        d->trim_pos += 8;
        first = entry & 0xffffffffffffull;
        count = (uint32_t)(entry >> 48);
        if (!count) {
            continue;
        }
        if (first >= d->nb_sectors || count > d->nb_sectors - first) {
            ide_dma_end(d);
            ide_abort(d);
            return;
        }
        ide_io(d, IDE_IO_DISCARD, first * ATA_SECTOR, count, NULL, ata_trim_done);
        return;
    }
    g_clear_pointer(&d->trim, g_free);
    ide_dma_end(d);
    ide_success(d);
}

static void ata_trim_run(IDEDevice *d)
{
    if (ide_dma_transfer(d, d->trim, d->trim_len, false)) {
        ata_trim_next(d);
    }
}

void ata_data_set_management(IDEDevice *d)
{
    uint32_t blocks = d->tf.nsector[0] | d->tf.nsector[1] << 8;

    /*
     * Only TRIM.  It is advice: of more blocks than word 105 of IDENTIFY allows the first are
     * taken, so that a host that forgot the count's high byte is served too.
     */
    blocks = MIN(blocks, ATA_MAX_TRIM_BLOCKS);
    if (!ata_has_trim(d) || d->tf.feature[0] != 1 || blocks == 0) {
        ide_abort(d);
        return;
    }
    d->is_write = true;
    d->ext = true;
    d->trim_pos = 0;
    d->trim_len = blocks * ATA_SECTOR;
    g_free(d->trim);
    d->trim = g_malloc0(d->trim_len);
    ide_dma_start(d, ata_trim_run);
}
