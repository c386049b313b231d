/* SPDX-License-Identifier: MIT
 *
 * Native command queuing: READ and WRITE FPDMA QUEUED, and the log that tells of their errors.
 * ACS-3 (T13/2161-D) 4.15 (NCQ), 7.23, 7.61, 9.13 (log 10h), 7.22 (READ LOG EXT).
 */
#include <string.h>
#include "hw/ide/ide-internal.h"
#include "system/log.h"

#define CMD_READ_FPDMA  0x60
#define CMD_WRITE_FPDMA 0x61
#define NCQ_FUA         0x80 /* in the device register */
#define NCQ_NOT_QUEUED  0x80 /* in log 10h */

bool ata_is_queued(uint8_t command)
{
    return command == CMD_READ_FPDMA || command == CMD_WRITE_FPDMA;
}

/* ---- the end of a command ------------------------------------------------------------------- */

static void ncq_ended(IDEDevice *d, unsigned tag)
{
    IDETransport *transport = ide_bus_of(d)->transport;

    transport->tag_ended(transport, d, tag);
}

static void ncq_success(IDEDevice *d, unsigned tag)
{
    d->tags[tag].active = false;
    ncq_ended(d, tag);
}

/* One error ends all: the host reads log 10h to learn which command it was (4.15.4). */
void ata_ncq_error(IDEDevice *d, unsigned tag, uint8_t error)
{
    IDETag *t = &d->tags[tag];
    IDETaskFile *tf = &d->tf;

    ide_cancel(d);
    memset(tf->nsector, 0, sizeof(tf->nsector));
    ata_set_lba(d, t->lba, true);
    tf->error = error;
    tf->status = ATA_DRDY | ATA_ERR;
    d->ncq_failed = *tf;
    d->ncq_failed_tag = (uint8_t)tag;
    ncq_ended(d, tag);
}

/* A command outside of the queue, while there are queued ones (4.15.2). */
void ata_ncq_abort_all(IDEDevice *d)
{
    ide_cancel(d);
    d->tf.error = ATA_ABRT;
    d->tf.status = ATA_DRDY | ATA_ERR;
    d->ncq_failed = d->tf;
    d->ncq_failed_tag = NCQ_NOT_QUEUED;
    ide_complete(d, d->tf.status);
}

/* ---- data ----------------------------------------------------------------------------------- */

static uint32_t ncq_chunk(const IDETag *t)
{
    return MIN(t->sectors_left, IDE_CHUNK / ATA_SECTOR) * ATA_SECTOR;
}

static void ncq_next(IDEDevice *d, unsigned tag);

static void ncq_done(IDEDevice *d, unsigned tag, uint8_t *data, uint32_t len)
{
    IDETag *t = &d->tags[tag];
    IDETransport *transport = ide_bus_of(d)->transport;

    if (!t->sectors_left) { /* the flush after a write */
        ncq_success(d, tag);
        return;
    }
    if (!t->is_write) {
        transport->transfer_tag(transport, tag, data, len, true);
    }
    t->lba += len / ATA_SECTOR;
    t->sectors_left -= len / ATA_SECTOR;
    if (t->sectors_left) {
        ncq_next(d, tag);
    } else if (t->is_write && (t->fua || !d->write_cache)) {
        ide_io_tag(d, tag, IDE_IO_FLUSH, 0, 0, NULL, ncq_done);
    } else {
        ncq_success(d, tag);
    }
}

static void ncq_next(IDEDevice *d, unsigned tag)
{
    IDETag *t = &d->tags[tag];
    IDETransport *transport = ide_bus_of(d)->transport;
    uint32_t len = ncq_chunk(t);

    if (!t->is_write) {
        ide_io_tag(d, tag, IDE_IO_READ, t->lba * ATA_SECTOR, len, NULL, ncq_done);
    } else if (transport->transfer_tag(transport, tag, d->buf, len, false) == len) {
        ide_io_tag(d, tag, IDE_IO_WRITE, t->lba * ATA_SECTOR, len, d->buf, ncq_done);
    } else {
        ata_ncq_error(d, tag, ATA_ABRT);
    }
}

/* Count in the feature register, address as in 48-bit commands. */
void ata_ncq_start(IDEDevice *d, uint8_t command, unsigned tag)
{
    uint32_t count = d->tf.feature[0] | (uint32_t)d->tf.feature[1] << 8;
    IDETag *t = &d->tags[tag];

    log_if(LOG_IO, "ide: queued command %02x tag %u\n", command, tag);
    if (t->active) {
        log_guest_error("ide: tag %u is in use\n", tag);
        ata_ncq_error(d, tag, ATA_ABRT);
        return;
    }
    *t = (IDETag){.active = true,
                  .is_write = command == CMD_WRITE_FPDMA,
                  .fua = d->tf.select & NCQ_FUA,
                  .lba = ata_get_lba(d, true),
                  .sectors_left = count ? count : 65536};
    d->power_mode = ATA_POWER_ACTIVE;
    if (t->is_write && blk_is_read_only(d->blk)) {
        ata_ncq_error(d, tag, ATA_ABRT);
    } else if (t->lba >= d->nb_sectors || t->sectors_left > d->nb_sectors - t->lba) {
        ata_ncq_error(d, tag, ATA_IDNF);
    } else {
        ncq_next(d, tag);
    }
}

bool ata_ncq_busy(const IDEDevice *d)
{
    for (unsigned i = 0; i < ATA_TAGS; i++) {
        if (d->tags[i].active) {
            return true;
        }
    }
    return false;
}

/* ---- logs (9.2 directory, 9.13 NCQ errors) -------------------------------------------------- */

static void put_log_sum(uint8_t *log)
{
    uint8_t sum = 0;

    for (int i = 0; i < 511; i++) {
        sum += log[i];
    }
    log[511] = (uint8_t)-sum;
}

static void log_directory(IDEDevice *d, uint8_t *log)
{
    log[0] = 1;        /* version */
    log[2 * 0x03] = 1; /* pages: comprehensive errors, */
    log[2 * 0x07] = 1; /* self-tests, */
    log[2 * 0x10] = 1; /* NCQ errors */
}

static void log_version(IDEDevice *d, uint8_t *log)
{
    log[0] = 1;
    put_log_sum(log);
}

/* Read once: it is empty afterwards. */
static void log_ncq_error(IDEDevice *d, uint8_t *log)
{
    const IDETaskFile *tf = &d->ncq_failed;

    log[0] = d->ncq_failed_tag;
    log[2] = tf->status;
    log[3] = tf->error;
    log[4] = tf->sector[0];
    log[5] = tf->lcyl[0];
    log[6] = tf->hcyl[0];
    log[7] = tf->select;
    log[8] = tf->sector[1];
    log[9] = tf->lcyl[1];
    log[10] = tf->hcyl[1];
    log[12] = tf->nsector[0];
    log[13] = tf->nsector[1];
    put_log_sum(log);
    d->ncq_failed = (IDETaskFile){0};
    d->ncq_failed_tag = NCQ_NOT_QUEUED;
}

static const struct {
    uint8_t address;
    bool queued; /* for transports that queue */
    void (*put)(IDEDevice *d, uint8_t *log);
} ata_logs[] = {
    {0x00, false, log_directory},
    {0x03, false, log_version  },
    {0x07, false, log_version  },
    {0x10, true,  log_ncq_error},
};

/* Log address in LBA 7:0, page in 15:8 and 47:40.  All our logs have one page. */
bool ata_put_log(IDEDevice *d)
{
    IDETransport *transport = ide_bus_of(d)->transport;
    bool queued = transport && transport->transfer_tag;
    uint32_t count = d->tf.nsector[0] | (uint32_t)d->tf.nsector[1] << 8;

    if (count != 1 || d->tf.lcyl[0] || d->tf.lcyl[1]) {
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(ata_logs); i++) {
        if (ata_logs[i].address == d->tf.sector[0] && (queued || !ata_logs[i].queued)) {
            memset(d->buf, 0, ATA_SECTOR);
            ata_logs[i].put(d, d->buf);
            return true;
        }
    }
    return false;
}
