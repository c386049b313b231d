/* SPDX-License-Identifier: MIT
 *
 * The commands of a floppy disk controller: Intel 82078 data sheet (290468), 5 and 6.
 *
 * A transfer reads all sectors up to its EOT before the data phase, or writes them after it: so one
 * request to the back end carries a command, and between sectors the host never waits.
 */
#include <errno.h>
#include <string.h>
#include "hw/block/fdc-internal.h"
#include "system/log.h"

#define CMD_MT      0x80 /* both sides */
#define HLT_NON_DMA 0x01
#define DOR_GATE    0x08
#define SCAN_EQUAL  0
#define SCAN_LOW    1                             /* the disk's is not more than the host's */
#define SCAN_HIGH   2                             /* not less */
#define ID_TIME_NS  (NANOSECONDS_PER_SECOND / 50) /* until a sector's address passes by */
#define FDC_VERSION 0x90
#define FDC_PART_ID 0x41

typedef struct FDCCommand {
    uint8_t mask, code, len;
    void (*run)(FDC *fdc);
} FDCCommand;

/* ---- results -------------------------------------------------------------------------------- */

static void give(FDC *fdc, unsigned n, uint8_t value)
{
    memset(fdc->result, value, n);
    fdc_give_result(fdc, n);
}

/* Status registers and an address; the command's interrupt. */
static void finish_at(FDC *fdc, uint8_t cyl, uint8_t side, uint8_t sector)
{
    fdc->result[0] = (uint8_t)(fdc->st0 | fdc->head << 2 | fdc->drive);
    fdc->result[1] = fdc->st1;
    fdc->result[2] = fdc->st2;
    fdc->result[3] = cyl;
    fdc->result[4] = side;
    fdc->result[5] = sector;
    fdc->result[6] = fdc->is_format ? fdc->command[2] : fdc->command[5];
    g_clear_pointer(&fdc->data, g_free);
    fdc_give_result(fdc, 7);
    fdc_raise_irq(fdc);
}

static void fail(FDC *fdc, uint8_t st0, uint8_t st1, uint8_t st2)
{
    fdc->st0 |= st0;
    fdc->st1 |= st1;
    fdc->st2 |= st2;
    finish_at(fdc, fdc->cyl, fdc->side, fdc->sector);
}

static void take_unit(FDC *fdc)
{
    fdc->drive = fdc->command[1] & 3;
    fdc->head = fdc->command[1] >> 2 & 1;
    fdc->st0 = fdc->st1 = fdc->st2 = 0;
}

/* ---- input and output ----------------------------------------------------------------------- */

typedef struct FDCRequest {
    FDC *fdc; /* a reference */
    uint32_t generation;
    uint8_t *data;
    uint32_t len;
    bool is_write;
} FDCRequest;

static void transfer_ready(FDC *fdc);
static void transfer_end(FDC *fdc);

static void request_done(void *opaque, int ret)
{
    FDCRequest *req = opaque;
    FDC *fdc = req->fdc;

    device_lock(DEVICE(fdc));
    if (!DEVICE(fdc)->lock.dead && req->generation == fdc->generation) {
        if (ret < 0) {
            fail(fdc, FDC_ST0_ABNORMAL, FDC_ST1_DATA_ERROR, FDC_ST1_DATA_ERROR);
        } else if (req->is_write) {
            transfer_end(fdc);
        } else {
            memcpy(fdc->data, req->data, req->len);
            transfer_ready(fdc);
        }
    }
    device_unlock(DEVICE(fdc));
    object_unref(OBJECT(fdc));
    g_free(req->data);
    g_free(req);
}

/* What an image is short of, of the last track, is zeros. */
static void submit(FDC *fdc, bool is_write, int64_t offset, uint32_t len)
{
    Floppy *f = fdc->drives[fdc->drive];
    FDCRequest *req = g_new0(FDCRequest, 1);
    int64_t size = (int64_t)blk_sectors(f->blk) * FLOPPY_SECTOR;
    uint32_t inside = (uint32_t)MIN(len, MAX(size - offset, 0));
    struct iovec iov;

    *req = (FDCRequest){(FDC *)object_ref(fdc), fdc->generation, g_malloc0(len), len, is_write};
    iov = (struct iovec){req->data, inside};
    fdc->phase = FDC_PHASE_BUSY;
    if (is_write) {
        memcpy(req->data, fdc->data, len);
        blk_pwritev(f->blk, fdc->machine->loop, offset, &iov, 1, request_done, req);
    } else {
        blk_preadv(f->blk, fdc->machine->loop, offset, &iov, 1, request_done, req);
    }
}

/* ---- reading and writing sectors ------------------------------------------------------------ */

/* To the next sector: at the end of a track the other side with MT, or the next cylinder (5.1.1).
 */
static void next_sector(FDC *fdc)
{
    const FloppyFormat *format = fdc->drives[fdc->drive]->format;
    uint8_t last = MIN(fdc->command[6], format->sectors_per_track);

    fdc->last_cyl = fdc->cyl;
    fdc->last_side = fdc->side;
    fdc->last_sector = fdc->sector;
    if (fdc->sector < last) {
        fdc->sector++;
        return;
    }
    fdc->sector = 1;
    if ((fdc->command[0] & CMD_MT) && fdc->side == 0 && format->heads > 1) {
        fdc->side = 1;
        return;
    }
    if (fdc->command[0] & CMD_MT) {
        fdc->side = 0;
    }
    fdc->cyl++;
}

/* Sectors from the first to the EOT, and on the second side too with MT. */
static uint32_t sectors_wanted(const FDC *fdc)
{
    uint32_t eot = fdc->command[6], first = fdc->command[4];
    uint32_t here = eot >= first ? eot - first + 1 : 1;

    return (fdc->command[0] & CMD_MT) && fdc->side == 0 ? here + eot : here;
}

static uint32_t sector_size(const FDC *fdc)
{
    return fdc->command[5] ? FLOPPY_SECTOR : MIN(fdc->command[8], 128);
}

static void finish_transfer(FDC *fdc)
{
    fdc->head = fdc->side;
    if (fdc->terminal_count || fdc->is_scan) {
        finish_at(fdc, fdc->cyl, fdc->side, fdc->sector);
    } else { /* through the FIFO: the last sector's own address */
        fdc->head = fdc->last_side;
        finish_at(fdc, fdc->last_cyl, fdc->last_side, fdc->last_sector);
    }
}

/* After the data, and what was to be written is written. */
static void transfer_end(FDC *fdc)
{
    Floppy *f = fdc->drives[fdc->drive];
    uint32_t sectors = (fdc->data_pos + FLOPPY_SECTOR - 1) / FLOPPY_SECTOR;

    if (fdc->is_format) {
        fdc->terminal_count = true;
        finish_transfer(fdc);
        return;
    }
    for (uint32_t i = 0; i < MAX(sectors, 1); i++) {
        next_sector(fdc);
    }
    if (fdc->last_cyl != f->track) { /* it went on behind the end of the cylinder */
        floppy_seek(f, MIN(fdc->last_cyl, f->format->cylinders - 1));
        fdc->st0 |= FDC_ST0_SEEK_END;
    }
    if (fdc->is_scan) {
        fdc->st2 |= fdc->scan_differs ? FDC_ST2_SCAN_FAIL : FDC_ST2_SCAN_EQUAL;
    }
    finish_transfer(fdc);
}

static void transfer_ready(FDC *fdc)
{
    if (fdc->is_verify) {
        fdc->data_pos = fdc->data_len;
        fdc->terminal_count = true;
        transfer_end(fdc);
    } else {
        fdc_start_data(fdc);
    }
}

static int64_t transfer_offset(const FDC *fdc)
{
    return floppy_offset(fdc->drives[fdc->drive], fdc->command[2], fdc->side, fdc->command[4]);
}

/* The host has moved all it will. */
static void data_done(FDC *fdc)
{
    uint32_t len = (fdc->data_pos + FLOPPY_SECTOR - 1) & ~(uint32_t)(FLOPPY_SECTOR - 1);

    fdc_lower_irq(fdc);
    if (!fdc->is_write || fdc->is_scan) {
        transfer_end(fdc);
    } else if (fdc->is_format) {
        int64_t offset =
            floppy_offset(fdc->drives[fdc->drive], fdc->drives[fdc->drive]->track, fdc->head, 1);
        uint32_t sectors = fdc->data_pos / 4;

        g_free(fdc->data);
        fdc->data = g_malloc((size_t)MAX(sectors, 1) * FLOPPY_SECTOR);
        memset(fdc->data, fdc->command[5], (size_t)MAX(sectors, 1) * FLOPPY_SECTOR);
        submit(fdc, true, offset, sectors * FLOPPY_SECTOR);
    } else {
        memset(fdc->data + fdc->data_pos, 0, len - fdc->data_pos);
        submit(fdc, true, transfer_offset(fdc), len);
    }
}

/* Against what was read: ff in either matches anything (5.1.6). */
static void scan_byte(FDC *fdc, uint8_t host)
{
    uint8_t disk = fdc->data[fdc->data_pos];

    if (disk == host || disk == 0xff || host == 0xff) {
        return;
    }
    if (fdc->scan_kind == SCAN_EQUAL || (fdc->scan_kind == SCAN_LOW && disk > host) ||
        (fdc->scan_kind == SCAN_HIGH && disk < host)) {
        fdc->scan_differs = true;
    }
}

static void take_byte(FDC *fdc, uint8_t value)
{
    if (fdc->is_scan) {
        scan_byte(fdc, value);
    } else {
        fdc->data[fdc->data_pos] = value;
    }
    fdc->data_pos++;
}

uint8_t fdc_data_read(FDC *fdc)
{
    uint8_t value = fdc->data[fdc->data_pos++];

    if (fdc->data_pos == fdc->data_len) {
        data_done(fdc);
    }
    return value;
}

void fdc_data_write(FDC *fdc, uint8_t value)
{
    take_byte(fdc, value);
    if (fdc->data_pos == fdc->data_len) {
        data_done(fdc);
    }
}

static void dma_take(FDC *fdc, int channel, uint32_t pos, uint32_t len)
{
    g_autofree uint8_t *bytes = g_malloc(len);

    ISA_DMA_GET_CLASS(fdc->dma)->read_memory(fdc->dma, channel, bytes, pos, len);
    for (uint32_t i = 0; i < len; i++) {
        take_byte(fdc, bytes[i]);
    }
}

/* In the loop of the DMA controller.  Its terminal count ends a command, and so does the last
 * sector. */
uint32_t fdc_dma_transfer(void *opaque, int channel, uint32_t pos, uint32_t len)
{
    FDC *fdc = opaque;
    uint32_t n;

    device_lock(DEVICE(fdc));
    if (fdc->phase != FDC_PHASE_DATA || fdc->non_dma || pos >= len) {
        device_unlock(DEVICE(fdc));
        return pos;
    }
    n = MIN(len - pos, fdc->data_len - fdc->data_pos);
    if (fdc->is_write) {
        dma_take(fdc, channel, pos, n);
    } else {
        ISA_DMA_GET_CLASS(fdc->dma)->write_memory(fdc->dma, channel, fdc->data + fdc->data_pos, pos,
                                                  n);
        fdc->data_pos += n;
    }
    fdc->terminal_count = true; /* or as good as that */
    ISA_DMA_GET_CLASS(fdc->dma)->set_request(fdc->dma, channel, false);
    data_done(fdc);
    device_unlock(DEVICE(fdc));
    return pos + n;
}

/* ---- commands that transfer ----------------------------------------------------------------- */

static void transfer_init(FDC *fdc)
{
    take_unit(fdc);
    fdc->is_write = fdc->is_verify = fdc->is_format = fdc->is_scan = false;
    fdc->terminal_count = fdc->scan_differs = false;
    fdc->non_dma = !fdc->dma || (fdc->hlt_nd & HLT_NON_DMA) || !(fdc->dor & DOR_GATE);
    fdc->data_pos = 0;
}

/* False: the command has ended. */
static bool transfer_begin(FDC *fdc)
{
    Floppy *f = floppy_get(fdc, fdc->command[1] & 3);

    transfer_init(fdc);
    fdc->cyl = fdc->command[2];
    fdc->side = fdc->command[3];
    fdc->sector = fdc->command[4];
    fdc->eot = fdc->command[6];
    if (f && fdc->cyl != f->track) { /* an implied seek */
        floppy_seek(f, floppy_has_medium(f) ? MIN(fdc->cyl, f->format->cylinders - 1) : fdc->cyl);
        fdc->st0 |= floppy_has_medium(f) ? FDC_ST0_SEEK_END : 0;
    }
    if (!floppy_has_medium(f)) {
        fail(fdc, FDC_ST0_ABNORMAL, f ? 0 : FDC_ST1_NO_ADDRESS, 0);
    } else if (fdc->side != fdc->head || transfer_offset(fdc) < 0) {
        fail(fdc, FDC_ST0_ABNORMAL, FDC_ST1_NO_DATA, 0);
    } else {
        fdc->data_len = sectors_wanted(fdc) * FLOPPY_SECTOR;
        return true;
    }
    return false;
}

/* Short sectors, whose length DTL gives, are one at a time. */
static void transfer_allocate(FDC *fdc)
{
    if (sector_size(fdc) != FLOPPY_SECTOR) {
        fdc->data_len = MAX(sector_size(fdc), 1);
    }
    g_free(fdc->data);
    fdc->data = g_malloc0((size_t)FDC_MAX_SECTORS * FLOPPY_SECTOR);
}

static void transfer_read(FDC *fdc)
{
    transfer_allocate(fdc);
    submit(fdc, false, transfer_offset(fdc),
           (fdc->data_len + FLOPPY_SECTOR - 1) & ~(uint32_t)(FLOPPY_SECTOR - 1));
}

static void cmd_read(FDC *fdc)
{
    if (transfer_begin(fdc)) {
        transfer_read(fdc);
    }
}

/* As READ DATA, from the first sector of the track on. */
static void cmd_read_track(FDC *fdc)
{
    fdc->command[4] = 1;
    fdc->command[0] &= (uint8_t)~CMD_MT;
    cmd_read(fdc);
}

static void cmd_verify(FDC *fdc)
{
    if (transfer_begin(fdc)) {
        fdc->is_verify = true;
        transfer_read(fdc);
    }
}

static void cmd_scan(FDC *fdc)
{
    static const uint8_t kinds[] = {SCAN_EQUAL, 0, SCAN_LOW, SCAN_HIGH};

    if (transfer_begin(fdc)) {
        fdc->is_scan = fdc->is_write = true;
        fdc->scan_kind = kinds[fdc->command[0] >> 2 & 3];
        transfer_read(fdc);
    }
}

static void cmd_write(FDC *fdc)
{
    if (!transfer_begin(fdc)) {
        return;
    }
    if (blk_is_read_only(fdc->drives[fdc->drive]->blk)) {
        fail(fdc, FDC_ST0_ABNORMAL, FDC_ST1_READ_ONLY, 0);
        return;
    }
    fdc->is_write = true;
    transfer_allocate(fdc);
    fdc_start_data(fdc);
}

/* The host gives four bytes for each sector: its address.  Only the disk's own format can be made.
 */
static void cmd_format(FDC *fdc)
{
    Floppy *f = floppy_get(fdc, fdc->command[1] & 3);

    transfer_init(fdc);
    fdc->cyl = f ? f->track : 0;
    fdc->side = fdc->head;
    fdc->sector = 1;
    if (!floppy_has_medium(f)) {
        fail(fdc, FDC_ST0_ABNORMAL, FDC_ST1_NO_ADDRESS, 0);
    } else if (blk_is_read_only(f->blk)) {
        fail(fdc, FDC_ST0_ABNORMAL, FDC_ST1_READ_ONLY, 0);
    } else if (fdc->command[2] != 2 || fdc->command[3] == 0 ||
               fdc->command[3] > f->format->sectors_per_track ||
               floppy_offset(f, f->track, fdc->head, 1) < 0) {
        fail(fdc, FDC_ST0_ABNORMAL, FDC_ST1_NO_ADDRESS, 0);
    } else {
        fdc->is_write = fdc->is_format = true;
        fdc->data_len = 4u * fdc->command[3];
        g_free(fdc->data);
        fdc->data = g_malloc0(fdc->data_len);
        fdc_start_data(fdc);
    }
}

/* ---- heads ---------------------------------------------------------------------------------- */

static void seek_to(FDC *fdc, uint8_t unit, int track, uint8_t st0)
{
    Floppy *f = floppy_get(fdc, unit);

    if (f) {
        int last = f->format ? f->format->cylinders - 1 : 255;

        floppy_seek(f, (uint8_t)CLAMP(track, 0, MIN(last, 255)));
    }
    fdc->seek_sense[unit] = true;
    fdc->seek_st0[unit] = (uint8_t)(FDC_ST0_SEEK_END | unit | st0);
    fdc_idle(fdc);
    fdc_raise_irq(fdc);
}

static void cmd_seek(FDC *fdc)
{
    seek_to(fdc, fdc->command[1] & 3, fdc->command[2], 0);
}

static void cmd_relative_seek(FDC *fdc)
{
    Floppy *f = floppy_get(fdc, fdc->command[1] & 3);
    int steps = fdc->command[0] & 0x40 ? fdc->command[2] : -fdc->command[2];

    seek_to(fdc, fdc->command[1] & 3, (f ? f->track : 0) + steps, 0);
}

/* Track 0 is never seen where there is no drive. */
static void cmd_recalibrate(FDC *fdc)
{
    uint8_t unit = fdc->command[1] & 3;

    seek_to(fdc, unit, 0, floppy_get(fdc, unit) ? 0 : FDC_ST0_ABNORMAL | FDC_ST0_EQUIPMENT);
}

static void cmd_sense_interrupt(FDC *fdc)
{
    fdc_lower_irq(fdc);
    if (fdc->reset_sense) {
        uint8_t unit = (uint8_t)(4 - fdc->reset_sense--);
        Floppy *f = floppy_get(fdc, unit);

        fdc->result[0] = FDC_ST0_READY | unit;
        fdc->result[1] = f ? f->track : 0;
        fdc_give_result(fdc, 2);
        return;
    }
    for (uint8_t unit = 0; unit < G_N_ELEMENTS(fdc->seek_sense); unit++) {
        if (fdc->seek_sense[unit]) {
            Floppy *f = floppy_get(fdc, unit);

            fdc->seek_sense[unit] = false;
            fdc->result[0] = fdc->seek_st0[unit];
            fdc->result[1] = f ? f->track : 0;
            fdc_give_result(fdc, 2);
            return;
        }
    }
    give(fdc, 1, FDC_ST0_INVALID);
}

static void cmd_read_id(FDC *fdc)
{
    Floppy *f = floppy_get(fdc, fdc->command[1] & 3);

    transfer_init(fdc);
    fdc->command[5] = 2;
    fdc->cyl = f ? f->track : 0;
    fdc->side = fdc->head;
    fdc->sector = 1;
    if (!floppy_has_medium(f) || floppy_offset(f, f->track, fdc->head, 1) < 0) {
        fail(fdc, FDC_ST0_ABNORMAL, FDC_ST1_NO_ADDRESS, 0);
        return;
    }
    f->id_sector = (uint8_t)(f->id_sector % f->format->sectors_per_track + 1);
    fdc->result[0] = (uint8_t)(fdc->head << 2 | fdc->drive);
    fdc->result[1] = fdc->result[2] = 0;
    fdc->result[3] = f->track;
    fdc->result[4] = fdc->head;
    fdc->result[5] = f->id_sector;
    fdc->result[6] = 2;
    fdc->phase = FDC_PHASE_BUSY;
    timer_mod(fdc->id_timer, device_clock_ns(DEVICE(fdc), CLOCK_VIRTUAL) + ID_TIME_NS);
}

/* 6 write protect   5 ready   4 track 0   3 two sides   2 head   1, 0 drive (table 5-11) */
static void cmd_sense_drive(FDC *fdc)
{
    Floppy *f = floppy_get(fdc, fdc->command[1] & 3);
    bool protect = !f || blk_is_read_only(f->blk);

    take_unit(fdc);
    give(fdc, 1,
         (uint8_t)(0x28 | (protect ? 0x40 : 0) | (!f || f->track == 0 ? 0x10 : 0) | fdc->head << 2 |
                   fdc->drive));
}

/* ---- settings ------------------------------------------------------------------------------- */

static void cmd_specify(FDC *fdc)
{
    fdc->srt_hut = fdc->command[1];
    fdc->hlt_nd = fdc->command[2];
    fdc_idle(fdc);
}

static void cmd_configure(FDC *fdc)
{
    fdc->config = fdc->command[2];
    fdc->pretrk = fdc->command[3];
    fdc_idle(fdc);
}

static void cmd_perpendicular(FDC *fdc)
{
    if (fdc->command[1] & 0x80) { /* OW: the drive bits are to be written */
        fdc->perpendicular = fdc->command[1] & 0x3c;
    }
    fdc->perpendicular = (uint8_t)((fdc->perpendicular & 0x3c) | (fdc->command[1] & 3));
    fdc_idle(fdc);
}

static void cmd_lock(FDC *fdc)
{
    fdc->lock = fdc->command[0] & 0x80;
    give(fdc, 1, fdc->lock ? 0x10 : 0);
}

static void put_tracks(FDC *fdc)
{
    for (unsigned i = 0; i < 4; i++) {
        Floppy *f = floppy_get(fdc, i);

        fdc->result[i] = f ? f->track : 0;
    }
}

static void cmd_dumpreg(FDC *fdc)
{
    put_tracks(fdc);
    fdc->result[4] = fdc->srt_hut;
    fdc->result[5] = fdc->hlt_nd;
    fdc->result[6] = fdc->eot;
    fdc->result[7] = (uint8_t)(fdc->lock << 7 | (fdc->perpendicular & 0x7f));
    fdc->result[8] = fdc->config;
    fdc->result[9] = fdc->pretrk;
    fdc_give_result(fdc, 10);
}

static void cmd_save(FDC *fdc)
{
    memset(fdc->result, 0, 15);
    fdc->result[6] = fdc->srt_hut;
    fdc->result[7] = fdc->hlt_nd;
    fdc->result[8] = fdc->eot;
    fdc->result[9] = (uint8_t)(fdc->lock << 7 | (fdc->perpendicular & 0x7f));
    fdc->result[10] = fdc->config;
    fdc->result[11] = fdc->pretrk;
    fdc_give_result(fdc, 15);
}

/* What SAVE gave; where the heads are stays true. */
static void cmd_restore(FDC *fdc)
{
    fdc->srt_hut = fdc->command[7];
    fdc->hlt_nd = fdc->command[8];
    fdc->eot = fdc->command[9];
    fdc->lock = fdc->command[10] & 0x80;
    fdc->perpendicular = fdc->command[10] & 0x7f;
    fdc->config = fdc->command[11];
    fdc->pretrk = fdc->command[12];
    fdc_idle(fdc);
}

static void cmd_version(FDC *fdc)
{
    give(fdc, 1, FDC_VERSION);
}

static void cmd_part_id(FDC *fdc)
{
    give(fdc, 1, FDC_PART_ID);
}

static void cmd_nothing(FDC *fdc)
{
    fdc_idle(fdc);
}

static void cmd_invalid(FDC *fdc)
{
    log_if(LOG_GUEST_ERROR, "fdc: no such command: %02x\n", fdc->command[0]);
    give(fdc, 1, FDC_ST0_INVALID);
}

static const FDCCommand fdc_commands[] = {
    {0x1f, 0x06, 9,  cmd_read           },
    {0x1f, 0x0c, 9,  cmd_read           }, /* READ DELETED DATA: no sector is */
    {0x9f, 0x02, 9,  cmd_read_track     },
    {0x3f, 0x05, 9,  cmd_write          },
    {0x3f, 0x09, 9,  cmd_write          },
    {0x1f, 0x16, 9,  cmd_verify         },
    {0x1f, 0x11, 9,  cmd_scan           },
    {0x1f, 0x19, 9,  cmd_scan           },
    {0x1f, 0x1d, 9,  cmd_scan           },
    {0xbf, 0x0d, 6,  cmd_format         },
    {0xbf, 0x0a, 2,  cmd_read_id        },
    {0xff, 0x03, 3,  cmd_specify        },
    {0xff, 0x04, 2,  cmd_sense_drive    },
    {0xff, 0x07, 2,  cmd_recalibrate    },
    {0xff, 0x08, 1,  cmd_sense_interrupt},
    {0xff, 0x0e, 1,  cmd_dumpreg        },
    {0xff, 0x0f, 3,  cmd_seek           },
    {0xbf, 0x8f, 3,  cmd_relative_seek  },
    {0xff, 0x10, 1,  cmd_version        },
    {0xff, 0x12, 2,  cmd_perpendicular  },
    {0xff, 0x13, 4,  cmd_configure      },
    {0x7f, 0x14, 1,  cmd_lock           },
    {0xff, 0x18, 1,  cmd_part_id        },
    {0xff, 0x2e, 1,  cmd_save           },
    {0xff, 0x33, 2,  cmd_nothing        }, /* OPTION */
    {0xff, 0x4e, 17, cmd_restore        },
};

static const FDCCommand *find_command(uint8_t first)
{
    static const FDCCommand invalid = {0, 0, 1, cmd_invalid};

    for (size_t i = 0; i < G_N_ELEMENTS(fdc_commands); i++) {
        if ((first & fdc_commands[i].mask) == fdc_commands[i].code) {
            return &fdc_commands[i];
        }
    }
    return &invalid;
}

unsigned fdc_command_length(FDC *fdc, uint8_t first)
{
    return find_command(first)->len;
}

void fdc_run_command(FDC *fdc)
{
    log_if(LOG_IO, "fdc: command %02x %02x %02x\n", fdc->command[0], fdc->command[1],
           fdc->command[2]);
    fdc->generation++;
    find_command(fdc->command[0])->run(fdc);
}
