/* SPDX-License-Identifier: MIT
 *
 * SCSI commands of a USB disk: SPC-3 (6, 7.6), SBC-3 (5).  Sectors of 512 bytes.
 */
#include <errno.h>
#include <string.h>
#include "hw/ide/scsi.h"
#include "hw/usb/storage-internal.h"

#define CMD_READ_6               0x08
#define CMD_WRITE_6              0x0a
#define CMD_READ_FORMAT_CAPACITY 0x23
#define CMD_WRITE_10             0x2a
#define CMD_VERIFY_10            0x2f
#define CMD_SYNCHRONIZE_10       0x35
#define CMD_READ_16              0x88
#define CMD_WRITE_16             0x8a
#define CMD_SYNCHRONIZE_16       0x91
#define CMD_SERVICE_IN_16        0x9e
#define CMD_REPORT_LUNS          0xa0
#define CMD_WRITE_12             0xaa
#define READ_CAPACITY_16         0x10

#define SENSE_DATA_PROTECT  0x7
#define ASC_WRITE_ERROR     0x0c
#define ASC_WRITE_PROTECTED 0x27

static bool fail(StorageDisk *d, uint8_t sense, uint8_t asc)
{
    d->sense = sense;
    d->asc = asc;
    return false;
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_be32(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> (24 - 8 * i));
    }
}

static bool answer(StorageDisk *d, uint32_t len, uint32_t allowed)
{
    d->work = STORAGE_ANSWER;
    d->bytes = MIN(len, allowed);
    return true;
}

/* ---- what it is ------------------------------------------------------------------------- */

/* SPC-3, 7.6: which pages there are, the serial number. */
static bool vital_data(StorageDisk *d, uint8_t page, uint32_t allowed)
{
    size_t len = MIN(strlen(d->serial), 36);

    d->reply[1] = page;
    if (page == 0x00) {
        d->reply[3] = 2;
        d->reply[5] = 0x80;
        return answer(d, 6, allowed);
    }
    if (page == 0x80) {
        d->reply[3] = (uint8_t)len;
        memcpy(d->reply + 4, d->serial, len);
        return answer(d, 4 + (uint32_t)len, allowed);
    }
    return fail(d, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB);
}

static bool inquiry(StorageDisk *d, const uint8_t *cdb)
{
    uint32_t allowed = (uint32_t)cdb[3] << 8 | cdb[4];

    if (cdb[1] & 1) {
        return vital_data(d, cdb[2], allowed);
    }
    if (cdb[2]) {
        return fail(d, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB);
    }
    d->reply[1] = d->removable ? 0x80 : 0;
    d->reply[2] = 5; /* SPC-3 */
    d->reply[3] = 2;
    d->reply[4] = 31;
    memcpy(d->reply + 8, "QUOIN   USB HARDDRIVE   1.0 ", 28);
    return answer(d, 36, allowed);
}

static bool request_sense(StorageDisk *d, uint32_t allowed)
{
    d->reply[0] = 0x70;
    d->reply[2] = d->sense;
    d->reply[7] = 10;
    d->reply[12] = d->asc;
    d->sense = d->asc = 0;
    return answer(d, 18, allowed);
}

static bool read_capacity(StorageDisk *d)
{
    put_be32(d->reply, MIN(blk_sectors(d->blk) - 1, UINT32_MAX));
    put_be32(d->reply + 4, STORAGE_SECTOR);
    return answer(d, 8, UINT32_MAX);
}

static bool service_in(StorageDisk *d, const uint8_t *cdb)
{
    uint64_t last = blk_sectors(d->blk) - 1;

    if ((cdb[1] & 31) != READ_CAPACITY_16) {
        return fail(d, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB);
    }
    put_be32(d->reply, last >> 32);
    put_be32(d->reply + 4, last);
    put_be32(d->reply + 8, STORAGE_SECTOR);
    return answer(d, 32, be32(cdb + 10));
}

static bool format_capacities(StorageDisk *d, const uint8_t *cdb)
{
    d->reply[3] = 8;
    put_be32(d->reply + 4, MIN(blk_sectors(d->blk), UINT32_MAX));
    put_be32(d->reply + 8, 2u << 24 | STORAGE_SECTOR);
    return answer(d, 12, (uint32_t)cdb[7] << 8 | cdb[8]);
}

/* SBC-3, 6.4.5: the caching page is all there is. */
static bool mode_sense(StorageDisk *d, const uint8_t *cdb, unsigned header)
{
    uint8_t page = cdb[2] & 0x3f, protect = blk_is_read_only(d->blk) ? 0x80 : 0;
    uint32_t allowed = header == 4 ? cdb[4] : (uint32_t)cdb[7] << 8 | cdb[8], len = header;
    bool current = cdb[2] >> 6 != 1;

    if (page != 0x08 && page != 0x3f && page) {
        return fail(d, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB);
    }
    if (cdb[2] >> 6 == 3) {
        return fail(d, SENSE_ILLEGAL_REQUEST, ASC_SAVING_NOT_SUPPORTED);
    }
    if (page) {
        d->reply[len] = 0x08;
        d->reply[len + 1] = 18;
        d->reply[len + 2] = current && blk_write_cache(d->blk) ? 4 : 0; /* WCE */
        len += 20;
    }
    if (header == 4) {
        d->reply[0] = (uint8_t)(len - 1);
        d->reply[2] = protect;
    } else {
        d->reply[1] = (uint8_t)(len - 2);
        d->reply[3] = protect;
    }
    return answer(d, len, allowed);
}

static bool report_luns(StorageDisk *d, const uint8_t *cdb)
{
    d->reply[3] = 8;
    return answer(d, 16, be32(cdb + 6));
}

/* ---- its sectors ------------------------------------------------------------------------ */

static bool sectors(StorageDisk *d, StorageWork work, uint64_t lba, uint64_t count)
{
    if (lba > blk_sectors(d->blk) || count > blk_sectors(d->blk) - lba) {
        return fail(d, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
    }
    if (count > UINT32_MAX / STORAGE_SECTOR) {
        return fail(d, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB);
    }
    if (work == STORAGE_WRITE && blk_is_read_only(d->blk)) {
        return fail(d, SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED);
    }
    d->work = work;
    d->offset = lba * STORAGE_SECTOR;
    d->bytes = (uint32_t)count * STORAGE_SECTOR;
    return true;
}

static bool move_sectors(StorageDisk *d, const uint8_t *cdb, StorageWork work)
{
    switch (cdb[0] >> 5) {
    case 0:
        return sectors(d, work, be32(cdb) & 0x1fffff, cdb[4] ? cdb[4] : 256);
    case 1:
        return sectors(d, work, be32(cdb + 2), (uint32_t)cdb[7] << 8 | cdb[8]);
    case 5:
        return sectors(d, work, be32(cdb + 2), be32(cdb + 6));
    default:
        return sectors(d, work, (uint64_t)be32(cdb + 2) << 32 | be32(cdb + 6), be32(cdb + 10));
    }
}

static bool flush(StorageDisk *d)
{
    d->work = STORAGE_FLUSH;
    d->bytes = 0;
    return true;
}

void storage_io_error(StorageDisk *d, int error)
{
    fail(d, SENSE_MEDIUM_ERROR,
         d->work == STORAGE_READ ? ASC_UNRECOVERED_READ_ERROR : ASC_WRITE_ERROR);
}

/* ---- dispatch ----------------------------------------------------------------------------- */

static unsigned cdb_length(uint8_t opcode)
{
    static const uint8_t by_group[8] = {6, 10, 10, 6, 16, 12, 6, 6};

    return by_group[opcode >> 5];
}

static bool run(StorageDisk *d, const uint8_t *cdb)
{
    switch (cdb[0]) {
    case CMD_TEST_UNIT_READY:
    case CMD_START_STOP_UNIT:
    case CMD_PREVENT_REMOVAL:
    case CMD_VERIFY_10:
        return answer(d, 0, 0);
    case CMD_INQUIRY:
        return inquiry(d, cdb);
    case CMD_MODE_SENSE_6:
        return mode_sense(d, cdb, 4);
    case CMD_MODE_SENSE_10:
        return mode_sense(d, cdb, 8);
    case CMD_READ_CAPACITY:
        return read_capacity(d);
    case CMD_SERVICE_IN_16:
        return service_in(d, cdb);
    case CMD_READ_FORMAT_CAPACITY:
        return format_capacities(d, cdb);
    case CMD_REPORT_LUNS:
        return report_luns(d, cdb);
    case CMD_READ_6:
    case CMD_READ_10:
    case CMD_READ_12:
    case CMD_READ_16:
        return move_sectors(d, cdb, STORAGE_READ);
    case CMD_WRITE_6:
    case CMD_WRITE_10:
    case CMD_WRITE_12:
    case CMD_WRITE_16:
        return move_sectors(d, cdb, STORAGE_WRITE);
    case CMD_SYNCHRONIZE_10:
    case CMD_SYNCHRONIZE_16:
        return flush(d);
    default:
        return fail(d, SENSE_ILLEGAL_REQUEST, ASC_ILLEGAL_OPCODE);
    }
}

bool storage_command(StorageDisk *d, const uint8_t *cdb, unsigned len)
{
    uint8_t whole[16] = {0};

    d->bytes = 0;
    d->work = STORAGE_ANSWER;
    memset(d->reply, 0, sizeof(d->reply));
    if (len < cdb_length(cdb[0])) {
        return fail(d, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB);
    }
    memcpy(whole, cdb, MIN(len, sizeof(whole)));
    if (cdb[0] == CMD_REQUEST_SENSE) {
        return request_sense(d, cdb[4]);
    }
    d->sense = d->asc = 0;
    if (!blk_is_inserted(d->blk) && cdb[0] != CMD_INQUIRY && cdb[0] != CMD_REPORT_LUNS) {
        return fail(d, SENSE_NOT_READY, ASC_MEDIUM_NOT_PRESENT);
    }
    return run(d, whole);
}
