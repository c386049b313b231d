/* SPDX-License-Identifier: MIT
 *
 * Commands of a CD-ROM drive.  MMC-5 (T10/1675D), 6; SPC-3 (T10/1416D), 6 for INQUIRY,
 * REQUEST SENSE and TEST UNIT READY; SFF-8020i 10.8 for what drivers of ATAPI drives expect.
 */
#include <string.h>
#include "hw/ide/ide-internal.h"
#include "hw/ide/scsi.h"
#include "system/block/media.h"
#include "system/log.h"

#define NEEDS_MEDIUM    1
#define ALLOW_ATTENTION 2 /* runs although the medium has changed */

typedef struct ATAPICommand {
    uint8_t code;
    uint8_t flags;
    void (*run)(IDEDevice *d, const uint8_t *cdb);
} ATAPICommand;

static uint16_t get_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get_be32(const uint8_t *p)
{
    return (uint32_t)get_be16(p) << 16 | get_be16(p + 2);
}

static void put_be16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put_be32(uint8_t *p, uint32_t v)
{
    put_be16(p, v >> 16);
    put_be16(p + 2, v);
}

static void put_text(uint8_t *p, size_t len, const char *text)
{
    size_t n = strlen(text);

    memset(p, ' ', len);
    memcpy(p, text, MIN(n, len));
}

static uint32_t cd_total(const IDEDevice *d)
{
    return (uint32_t)(d->nb_sectors / (CD_SECTOR / ATA_SECTOR));
}

static bool cd_has_medium(const IDEDevice *d)
{
    return blk_is_inserted(d->blk) && !d->atapi.tray_open && cd_total(d) > 0;
}

static void bad_field(IDEDevice *d)
{
    atapi_sense(d, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, 0);
}

/* ---- all devices ------------------------------------------------------------------------- */

static void cmd_test_unit_ready(IDEDevice *d, const uint8_t *cdb)
{
    atapi_ok(d);
}

static void cmd_request_sense(IDEDevice *d, const uint8_t *cdb)
{
    memset(d->buf, 0, 18);
    d->buf[0] = 0x70;
    d->buf[2] = d->atapi.sense_key;
    d->buf[7] = 10;
    d->buf[12] = d->atapi.asc;
    d->buf[13] = d->atapi.ascq;
    atapi_reply(d, 18, cdb[4]);
}

/* Pages 00 (which there are) and 83 (a name). */
static void inquiry_page(IDEDevice *d, uint8_t page, uint32_t allocated)
{
    memset(d->buf, 0, 64);
    d->buf[0] = 5;
    d->buf[1] = page;
    if (page == 0x00) {
        d->buf[3] = 2;
        d->buf[5] = 0x83;
        atapi_reply(d, 6, allocated);
        return;
    }
    if (page != 0x83) {
        bad_field(d);
        return;
    }
    d->buf[3] = 24;
    d->buf[4] = 2; /* ASCII */
    d->buf[7] = 20;
    put_text(d->buf + 8, 20, d->serial);
    atapi_reply(d, 28, allocated);
}

static void cmd_inquiry(IDEDevice *d, const uint8_t *cdb)
{
    uint32_t allocated = get_be16(cdb + 3);

    if (cdb[1] & 1) {
        inquiry_page(d, cdb[2], allocated);
        return;
    }
    if (cdb[2]) {
        bad_field(d);
        return;
    }
    memset(d->buf, 0, 36);
    d->buf[0] = 0x05; /* CD or DVD */
    d->buf[1] = 0x80; /* removable */
    d->buf[3] = 0x21; /* ATAPI-2, response format 1 */
    d->buf[4] = 31;
    put_text(d->buf + 8, 8, "QUOIN");
    put_text(d->buf + 16, 16, "QUOIN DVD-ROM");
    put_text(d->buf + 32, 4, d->version);
    atapi_reply(d, 36, allocated);
}

/* ---- mode pages ---------------------------------------------------------------------------- */

/* Error recovery: the drive's defaults. */
static const uint8_t page_01[] = {0x01, 6, 0, 5, 0, 0, 0, 0};
/* CD audio: nothing but the obligatory. */
static const uint8_t page_0e[] = {0x0e, 14, 4, 0, 0, 0, 0, 75, 1, 0xff, 2, 0xff, 0, 0, 0, 0};
/* Capabilities: reads CD-R, CD-RW, DVD; locks and ejects; 4 MiB/s; 512 KiB of buffer. */
static const uint8_t page_2a[] = {0x2a, 18,   0x3b, 0,    0x70, 0x60, 0x29, 0x00, 0x16, 0x00,
                                  0x00, 0x02, 0x02, 0x00, 0x16, 0x00, 0,    0,    0,    0};

static const struct {
    uint8_t page;
    const uint8_t *data;
    size_t len;
} mode_pages[] = {
    {0x01, page_01, sizeof(page_01)},
    {0x0e, page_0e, sizeof(page_0e)},
    {0x2a, page_2a, sizeof(page_2a)},
};

/* After a header of that size; 0: no such page. */
static size_t put_mode_pages(IDEDevice *d, uint8_t page, size_t header)
{
    size_t len = header;

    for (size_t i = 0; i < G_N_ELEMENTS(mode_pages); i++) {
        if (page == 0x3f || page == mode_pages[i].page) {
            memcpy(d->buf + len, mode_pages[i].data, mode_pages[i].len);
            if (mode_pages[i].page == 0x2a && d->atapi.tray_locked) {
                d->buf[len + 6] |= 2;
            }
            len += mode_pages[i].len;
        }
    }
    return len == header ? 0 : len;
}

/* Medium type, in SFF-8020i: 70h door closed and no disc, 71h open, 01h data disc. */
static uint8_t medium_type(const IDEDevice *d)
{
    return d->atapi.tray_open ? 0x71 : cd_has_medium(d) ? 0x01 : 0x70;
}

static void mode_sense(IDEDevice *d, const uint8_t *cdb, size_t header, uint32_t allocated)
{
    uint8_t control = cdb[2] >> 6;
    size_t len;

    memset(d->buf, 0, 256);
    if (control == 3) {
        atapi_sense(d, SENSE_ILLEGAL_REQUEST, ASC_SAVING_NOT_SUPPORTED, 0);
        return;
    }
    len = put_mode_pages(d, cdb[2] & 0x3f, header);
    if (!len) {
        bad_field(d);
        return;
    }
    if (header == 8) {
        put_be16(d->buf, (uint32_t)len - 2);
        d->buf[2] = medium_type(d);
    } else {
        d->buf[0] = (uint8_t)(len - 1);
        d->buf[1] = medium_type(d);
    }
    atapi_reply(d, (uint32_t)len, allocated);
}

static void cmd_mode_sense_6(IDEDevice *d, const uint8_t *cdb)
{
    mode_sense(d, cdb, 4, cdb[4]);
}

static void cmd_mode_sense_10(IDEDevice *d, const uint8_t *cdb)
{
    mode_sense(d, cdb, 8, get_be16(cdb + 7));
}

/* ---- the tray -------------------------------------------------------------------------------- */

void atapi_move_tray(IDEDevice *d, bool open)
{
    ATAPIState *a = &d->atapi;

    if (open == a->tray_open) {
        return;
    }
    a->tray_open = open;
    a->tray_locked = a->tray_locked && !open;
    a->events = open ? MEDIA_EVENT_REMOVAL : MEDIA_EVENT_NEW;
    a->media_event = !open && blk_is_inserted(d->blk);
    a->generation = blk_media_generation(d->blk);
    d->nb_sectors = blk_sectors(d->blk);
    blk_device_tray_moved(ide_bus_of(d)->machine, DEVICE(d), open);
}

/* The button on a locked drive. */
void atapi_request_eject(IDEDevice *d)
{
    d->atapi.events = MEDIA_EVENT_EJECT;
}

static void tray_move(IDEDevice *d, bool open)
{
    if (open && d->atapi.tray_locked) {
        atapi_sense(d, cd_has_medium(d) ? SENSE_ILLEGAL_REQUEST : SENSE_NOT_READY,
                    ASC_MEDIUM_REMOVAL_PREVENTED, 2);
        return;
    }
    atapi_move_tray(d, open);
    atapi_ok(d);
}

static void cmd_start_stop_unit(IDEDevice *d, const uint8_t *cdb)
{
    bool start = cdb[4] & 1, load_or_eject = cdb[4] & 2;

    if (cdb[4] >> 4) { /* a power condition */
        atapi_ok(d);
    } else if (load_or_eject) {
        tray_move(d, !start);
    } else {
        atapi_ok(d);
    }
}

static void cmd_prevent_removal(IDEDevice *d, const uint8_t *cdb)
{
    d->atapi.tray_locked = cdb[4] & 1;
    atapi_ok(d);
}

static void cmd_get_event_status(IDEDevice *d, const uint8_t *cdb)
{
    uint32_t allocated = get_be16(cdb + 7);
    bool media = cdb[4] & 0x10;

    if (!(cdb[1] & 1)) { /* asynchronous notification */
        bad_field(d);
        return;
    }
    memset(d->buf, 0, 8);
    d->buf[3] = 0x10; /* classes that there are: media */
    if (!media) {
        d->buf[1] = 2;
        d->buf[2] = 0x80; /* no event available */
        atapi_reply(d, 4, allocated);
        return;
    }
    d->buf[1] = 6;
    d->buf[2] = 4;
    d->buf[4] = d->atapi.events;
    d->buf[5] = (uint8_t)((d->atapi.tray_open ? 1 : 0) | (cd_has_medium(d) ? 2 : 0));
    d->atapi.events = MEDIA_EVENT_NONE;
    atapi_reply(d, 8, allocated);
}

static void cmd_mechanism_status(IDEDevice *d, const uint8_t *cdb)
{
    memset(d->buf, 0, 8);
    d->buf[1] = d->atapi.tray_open ? 0x10 : 0;
    d->buf[5] = 1; /* slots */
    atapi_reply(d, 8, get_be16(cdb + 8));
}

/* ---- the medium ----------------------------------------------------------------------------- */

static void cmd_read_capacity(IDEDevice *d, const uint8_t *cdb)
{
    put_be32(d->buf, cd_total(d) - 1);
    put_be32(d->buf + 4, CD_SECTOR);
    atapi_reply(d, 8, 8);
}

static void cmd_read_10(IDEDevice *d, const uint8_t *cdb)
{
    atapi_read(d, get_be32(cdb + 2), get_be16(cdb + 7), CD_SECTOR);
}

static void cmd_read_12(IDEDevice *d, const uint8_t *cdb)
{
    atapi_read(d, get_be32(cdb + 2), get_be32(cdb + 6), CD_SECTOR);
}

static void cmd_seek(IDEDevice *d, const uint8_t *cdb)
{
    if (get_be32(cdb + 2) >= cd_total(d)) {
        atapi_sense(d, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE, 0);
    } else {
        atapi_ok(d);
    }
}

/* Byte 9, 7-3: what of a sector; user data alone or all of it. */
static void cmd_read_cd(IDEDevice *d, const uint8_t *cdb)
{
    uint32_t count = (uint32_t)cdb[6] << 16 | get_be16(cdb + 7);

    switch (cdb[9] & 0xf8) {
    case 0x00:
        atapi_ok(d);
        break;
    case 0x10:
        atapi_read(d, get_be32(cdb + 2), count, CD_SECTOR);
        break;
    case 0xf8:
        atapi_read(d, get_be32(cdb + 2), count, CD_RAW_SECTOR);
        break;
    default:
        bad_field(d);
        break;
    }
}

static void put_toc_address(uint8_t *p, uint32_t lba, bool msf)
{
    uint32_t frame = lba + 150;

    if (!msf) {
        put_be32(p, lba);
        return;
    }
    p[0] = 0;
    p[1] = (uint8_t)(frame / (75 * 60));
    p[2] = (uint8_t)(frame / 75 % 60);
    p[3] = (uint8_t)(frame % 75);
}

/* One data track and the lead-out. */
static uint32_t put_toc(IDEDevice *d, bool msf, uint8_t start_track)
{
    uint8_t *p = d->buf + 4;

    d->buf[2] = d->buf[3] = 1; /* first and last track */
    if (start_track <= 1) {
        p[1] = 0x14;
        p[2] = 1;
        put_toc_address(p + 4, 0, msf);
        p += 8;
    }
    p[1] = 0x16;
    p[2] = 0xaa;
    put_toc_address(p + 4, cd_total(d), msf);
    return (uint32_t)(p + 8 - d->buf);
}

static uint32_t put_session_info(IDEDevice *d)
{
    d->buf[2] = d->buf[3] = 1;
    d->buf[5] = 0x14;
    d->buf[6] = 1;
    return 12;
}

/* A0 first track, A1 last track, A2 lead-out, 1: where the track starts. */
static uint32_t put_raw_toc(IDEDevice *d)
{
    static const uint8_t points[] = {0xa0, 0xa1, 0xa2, 1};
    uint8_t *p = d->buf + 4;

    d->buf[2] = d->buf[3] = 1;
    for (size_t i = 0; i < G_N_ELEMENTS(points); i++, p += 11) {
        p[0] = 1;
        p[1] = 0x14;
        p[3] = points[i];
        if (points[i] >= 0xa2 || points[i] == 1) {
            put_toc_address(p + 7, points[i] == 1 ? 0 : cd_total(d), true);
        } else {
            p[8] = 1;
        }
    }
    return (uint32_t)(p - d->buf);
}

static void cmd_read_toc(IDEDevice *d, const uint8_t *cdb)
{
    uint8_t format = cdb[2] & 15 ? cdb[2] & 15 : cdb[9] >> 6;
    bool msf = cdb[1] & 2;
    uint32_t len;

    memset(d->buf, 0, 64);
    if (format == 0 && (cdb[6] <= 1 || cdb[6] == 0xaa)) {
        len = put_toc(d, msf, cdb[6]);
    } else if (format == 1) {
        len = put_session_info(d);
    } else if (format == 2) {
        len = put_raw_toc(d);
    } else {
        bad_field(d);
        return;
    }
    put_be16(d->buf, len - 2);
    atapi_reply(d, len, get_be16(cdb + 7));
}

static void cmd_read_subchannel(IDEDevice *d, const uint8_t *cdb)
{
    memset(d->buf, 0, 4);
    d->buf[1] = 0x15; /* no audio status */
    atapi_reply(d, 4, get_be16(cdb + 7));
}

static void cmd_read_disc_info(IDEDevice *d, const uint8_t *cdb)
{
    if (cdb[1] & 7) {
        bad_field(d);
        return;
    }
    memset(d->buf, 0, 34);
    put_be16(d->buf, 32);
    d->buf[2] = 0x0e; /* complete, last session complete */
    d->buf[3] = d->buf[4] = d->buf[5] = d->buf[6] = 1;
    d->buf[7] = 0x20; /* unrestricted use */
    atapi_reply(d, 34, get_be16(cdb + 7));
}

/* More than a CD holds is a DVD. */
static bool is_dvd(const IDEDevice *d)
{
    return d->nb_sectors > 80 * 60 * 75 * 4;
}

/*
 * Of a DVD-ROM with one layer: 00 physical format, 01 copyright (none), 04 manufacturing (none), ff
 * which there are.
 */
static void cmd_read_dvd_structure(IDEDevice *d, const uint8_t *cdb)
{
    static const uint8_t list[] = {0x00, 0x40, 0x08, 0x04, 0x01, 0x40, 0x00, 0x08,
                                   0x04, 0x40, 0x08, 0x04, 0xff, 0x40, 0x00, 0x20};
    uint8_t format = cdb[7];
    uint32_t len = format == 0x00 || format == 0x04 ? 2052 : format == 0x01 ? 8 : 4 + sizeof(list);

    if (cdb[1] & 15) { /* of other media */
        bad_field(d);
        return;
    }
    if (!is_dvd(d) && format != 0xff) {
        atapi_sense(d, SENSE_ILLEGAL_REQUEST, ASC_INCOMPATIBLE_FORMAT, 0);
        return;
    }
    if (cdb[6] || (format != 0x00 && format != 0x01 && format != 0x04 && format != 0xff)) {
        bad_field(d);
        return;
    }
    memset(d->buf, 0, len);
    put_be16(d->buf, len - 2);
    if (format == 0x00) {
        d->buf[4] = 0x01;                                 /* DVD-ROM, version 1 */
        d->buf[5] = 0x0f;                                 /* 120 mm, rate not said */
        d->buf[6] = 0x01;                                 /* one layer, embossed */
        put_be32(d->buf + 8, 0x30000);                    /* first sector of data */
        put_be32(d->buf + 12, 0x30000 + cd_total(d) - 1); /* and last */
    } else if (format == 0xff) {
        memcpy(d->buf + 4, list, sizeof(list));
    }
    atapi_reply(d, len, get_be16(cdb + 8));
}

/* Profile list and the features that every MMC drive has. */
static void cmd_get_configuration(IDEDevice *d, const uint8_t *cdb)
{
    static const uint8_t features[] = {
        0x00, 0x00, 0x03, 8, 0x00, 0x10, 0, 0, 0x00, 0x08, 0, 0, /* profiles: DVD-ROM, CD-ROM */
        0x00, 0x01, 0x0b, 8, 0,    0,    0, 2, 1,    0,    0, 0, /* core: ATAPI */
        0x00, 0x03, 0x03, 4, 0x39, 0,    0, 0,                   /* removable medium: tray, eject */
    };
    uint32_t profile = !cd_has_medium(d) ? 0 : is_dvd(d) ? 0x10 : 0x08;

    if ((cdb[1] & 3) == 3) {
        bad_field(d);
        return;
    }
    memset(d->buf, 0, 8);
    put_be32(d->buf, 4 + sizeof(features));
    put_be16(d->buf + 6, profile);
    memcpy(d->buf + 8, features, sizeof(features));
    d->buf[8 + 6] = profile == 0x10;
    d->buf[8 + 10] = profile == 0x08;
    atapi_reply(d, 8 + sizeof(features), get_be16(cdb + 7));
}

/* ---- dispatch ------------------------------------------------------------------------------- */

static const ATAPICommand atapi_commands[] = {
    {CMD_TEST_UNIT_READY,    NEEDS_MEDIUM,    cmd_test_unit_ready   },
    {CMD_REQUEST_SENSE,      ALLOW_ATTENTION, cmd_request_sense     },
    {CMD_INQUIRY,            ALLOW_ATTENTION, cmd_inquiry           },
    {CMD_MODE_SENSE_6,       0,               cmd_mode_sense_6      },
    {CMD_START_STOP_UNIT,    0,               cmd_start_stop_unit   },
    {CMD_PREVENT_REMOVAL,    0,               cmd_prevent_removal   },
    {CMD_READ_CAPACITY,      NEEDS_MEDIUM,    cmd_read_capacity     },
    {CMD_READ_10,            NEEDS_MEDIUM,    cmd_read_10           },
    {CMD_SEEK_10,            NEEDS_MEDIUM,    cmd_seek              },
    {CMD_READ_SUBCHANNEL,    NEEDS_MEDIUM,    cmd_read_subchannel   },
    {CMD_READ_TOC,           NEEDS_MEDIUM,    cmd_read_toc          },
    {CMD_GET_CONFIGURATION,  ALLOW_ATTENTION, cmd_get_configuration },
    {CMD_GET_EVENT_STATUS,   ALLOW_ATTENTION, cmd_get_event_status  },
    {CMD_READ_DISC_INFO,     NEEDS_MEDIUM,    cmd_read_disc_info    },
    {CMD_MODE_SENSE_10,      0,               cmd_mode_sense_10     },
    {CMD_READ_12,            NEEDS_MEDIUM,    cmd_read_12           },
    {CMD_READ_DVD_STRUCTURE, NEEDS_MEDIUM,    cmd_read_dvd_structure},
    {CMD_SET_CD_SPEED,       0,               cmd_test_unit_ready   },
    {CMD_MECHANISM_STATUS,   0,               cmd_mechanism_status  },
    {CMD_READ_CD,            NEEDS_MEDIUM,    cmd_read_cd           },
};

static const ATAPICommand *atapi_find(uint8_t code)
{
    for (size_t i = 0; i < G_N_ELEMENTS(atapi_commands); i++) {
        if (atapi_commands[i].code == code) {
            return &atapi_commands[i];
        }
    }
    return NULL;
}

void atapi_command(IDEDevice *d)
{
    const uint8_t *cdb = d->atapi.cdb;
    const ATAPICommand *c = atapi_find(cdb[0]);

    log_if(LOG_IO, "ide: packet command %02x\n", cdb[0]);
    atapi_check_media(d);
    if (!c) {
        atapi_sense(d, SENSE_ILLEGAL_REQUEST, ASC_ILLEGAL_OPCODE, 0);
        return;
    }
    if (d->atapi.media_event && !(c->flags & ALLOW_ATTENTION) && cd_has_medium(d)) {
        d->atapi.media_event = false;
        atapi_sense(d, SENSE_UNIT_ATTENTION, ASC_MEDIUM_MAY_HAVE_CHANGED, 0);
        return;
    }
    if ((c->flags & NEEDS_MEDIUM) && !cd_has_medium(d)) {
        atapi_sense(d, SENSE_NOT_READY, ASC_MEDIUM_NOT_PRESENT, d->atapi.tray_open ? 2 : 1);
        return;
    }
    c->run(d, cdb);
}
