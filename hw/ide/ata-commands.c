/* SPDX-License-Identifier: MIT
 *
 * The command set of disks, and what packet devices share with it.
 * ATA/ATAPI-7 volume 1 (T13/1532D), 6; annex for obsolete ones: ATA-3 (X3.298).
 */
#include <string.h>
#include "hw/ide/ide-internal.h"
#include "system/log.h"

#define FOR_HD 1
#define FOR_CD 2
#define EXT    4 /* 48-bit */
#define MULTI  8 /* blocks of SET MULTIPLE MODE */
#define FUA    16

typedef struct ATACommand ATACommand;
struct ATACommand {
    uint8_t code;
    uint8_t flags;
    void (*run)(IDEDevice *d, const ATACommand *c);
};

/* ATA-7 9.12, table 32: what a device shows after a reset. */
void ata_set_signature(IDEDevice *d)
{
    IDETaskFile *tf = &d->tf;

    ide_cancel(d);
    memset(tf, 0, sizeof(*tf));
    tf->nsector[0] = tf->sector[0] = 1;
    tf->lcyl[0] = d->is_cd ? 0x14 : 0;
    tf->hcyl[0] = d->is_cd ? 0xeb : 0;
    tf->error = 1; /* diagnostics: passed */
    tf->select = 0xa0 | (d->unit ? ATA_DEV : 0);
    tf->status = d->is_cd ? 0 : ATA_OK;
    d->power_mode = ATA_POWER_ACTIVE;
}

/* ---- data -------------------------------------------------------------------------------- */

static bool ata_begin(IDEDevice *d, const ATACommand *c)
{
    d->flush_after = c->flags & FUA;
    d->block = c->flags & MULTI ? d->multiple : 1;
    if (d->block == 0) {
        ide_abort(d);
        return false;
    }
    return ata_take_range(d, c->flags & EXT);
}

static void cmd_read_pio(IDEDevice *d, const ATACommand *c)
{
    if (ata_begin(d, c)) {
        ata_read_pio(d);
    }
}

static bool ata_begin_write(IDEDevice *d, const ATACommand *c)
{
    if (blk_is_read_only(d->blk)) {
        ide_abort(d);
        return false;
    }
    return ata_begin(d, c);
}

static void cmd_write_pio(IDEDevice *d, const ATACommand *c)
{
    if (ata_begin_write(d, c)) {
        ata_write_pio(d);
    }
}

static void cmd_read_dma(IDEDevice *d, const ATACommand *c)
{
    if (!ide_bus_of(d)->transport) {
        ide_abort(d);
    } else if (ata_begin(d, c)) {
        ata_read_dma(d);
    }
}

static void cmd_write_dma(IDEDevice *d, const ATACommand *c)
{
    if (!ide_bus_of(d)->transport) {
        ide_abort(d);
    } else if (ata_begin_write(d, c)) {
        ata_write_dma(d);
    }
}

static void cmd_trim(IDEDevice *d, const ATACommand *c)
{
    if (!ide_bus_of(d)->transport || blk_is_read_only(d->blk)) {
        ide_abort(d);
    } else {
        ata_data_set_management(d);
    }
}

static void cmd_verify(IDEDevice *d, const ATACommand *c)
{
    if (ata_take_range(d, c->flags & EXT)) {
        d->sectors_left = 0;
        ide_success(d);
    }
}

static void cmd_seek(IDEDevice *d, const ATACommand *c)
{
    if (ata_get_lba(d, false) >= d->nb_sectors) {
        ide_error(d, ATA_IDNF);
    } else {
        ide_success(d);
    }
}

static void ata_flushed(IDEDevice *d, uint8_t *data, uint32_t len)
{
    ide_success(d);
}

static void cmd_read_log(IDEDevice *d, const ATACommand *c)
{
    if (!ata_put_log(d)) {
        ide_abort(d);
        return;
    }
    d->is_write = false;
    ide_pio_start(d, 0, ATA_SECTOR, ide_pio_in_end, true);
}

static void read_log_dma_run(IDEDevice *d)
{
    if (ide_dma_transfer(d, d->buf, ATA_SECTOR, true)) {
        ide_dma_end(d);
        ide_success(d);
    }
}

static void cmd_read_log_dma(IDEDevice *d, const ATACommand *c)
{
    if (!ide_bus_of(d)->transport || !ata_put_log(d)) {
        ide_abort(d);
        return;
    }
    d->is_write = false;
    ide_dma_start(d, read_log_dma_run);
}

static void cmd_flush(IDEDevice *d, const ATACommand *c)
{
    d->is_write = true;
    ide_io(d, IDE_IO_FLUSH, 0, 0, NULL, ata_flushed);
}

/* ---- identification, geometry ------------------------------------------------------------ */

static void cmd_identify(IDEDevice *d, const ATACommand *c)
{
    if (d->is_cd) {
        /* The signature in an aborted IDENTIFY DEVICE tells what kind this is (6.16.5). */
        d->tf.nsector[0] = d->tf.sector[0] = 1;
        d->tf.lcyl[0] = 0x14;
        d->tf.hcyl[0] = 0xeb;
        ide_abort(d);
        return;
    }
    d->is_write = false;
    ata_identify(d);
    ide_pio_start(d, 0, ATA_SECTOR, ide_pio_in_end, true);
}

static void cmd_identify_packet(IDEDevice *d, const ATACommand *c)
{
    d->is_write = false;
    atapi_identify(d);
    ide_pio_start(d, 0, ATA_SECTOR, ide_pio_in_end, true);
}

static void cmd_init_params(IDEDevice *d, const ATACommand *c)
{
    if (d->tf.nsector[0] == 0) {
        ide_abort(d);
        return;
    }
    d->cur_heads = (d->tf.select & 15) + 1;
    d->cur_spt = d->tf.nsector[0];
    ide_success(d);
}

static void cmd_native_max(IDEDevice *d, const ATACommand *c)
{
    bool ext = c->flags & EXT;
    uint64_t last = d->nb_sectors - 1;

    d->tf.select |= ATA_LBA;
    ata_set_lba(d, ext ? last : MIN(last, ATA_LBA28_MAX - 1), ext);
    ide_success(d);
}

static void cmd_set_multiple(IDEDevice *d, const ATACommand *c)
{
    uint8_t n = d->tf.nsector[0];

    if (n > ATA_MAX_MULTIPLE || (n & (n - 1))) {
        ide_abort(d);
        return;
    }
    d->multiple = n;
    ide_success(d);
}

/* ---- resets, power, features --------------------------------------------------------------- */

static void cmd_ok(IDEDevice *d, const ATACommand *c)
{
    ide_success(d);
}

static void cmd_nop(IDEDevice *d, const ATACommand *c)
{
    ide_abort(d);
}

/* Both devices test themselves, device 0 answers (6.12). */
static void cmd_diagnose(IDEDevice *d, const ATACommand *c)
{
    IDEBus *bus = ide_bus_of(d);

    for (int i = 0; i < IDE_UNITS; i++) {
        if (bus->devices[i]) {
            ata_set_signature(bus->devices[i]);
        }
    }
    bus->unit = 0;
    ide_set_irq(bus);
    ide_ended(d);
}

static void cmd_device_reset(IDEDevice *d, const ATACommand *c)
{
    uint8_t select = d->tf.select;

    ide_dma_end(d);
    ata_set_signature(d);
    d->tf.select = (select & ATA_DEV) | 0xa0;
    atapi_reset(d);
    ide_ended(d);
}

static void cmd_power(IDEDevice *d, const ATACommand *c)
{
    switch (c->code) {
    case 0xe0:
    case 0x94:
    case 0xe2:
    case 0x96:
    case 0xe6:
    case 0x99:
        d->power_mode = ATA_POWER_STANDBY;
        break;
    default:
        d->power_mode = ATA_POWER_IDLE;
        break;
    }
    ide_success(d);
}

static void cmd_check_power(IDEDevice *d, const ATACommand *c)
{
    d->tf.nsector[0] = d->power_mode;
    ide_success(d);
}

/* Sector count of SET FEATURES 03h: 7-3 kind, 2-0 mode (table 43). */
static void set_transfer_mode(IDEDevice *d)
{
    uint8_t mode = d->tf.nsector[0];
    bool pio = mode <= 1 || (mode >= 0x08 && mode <= 0x0c);
    bool mwdma = mode >= 0x20 && mode <= 0x22;
    bool udma = mode >= 0x40 && mode <= 0x45;

    if (!pio && !mwdma && !udma) {
        ide_abort(d);
        return;
    }
    /* A PIO mode leaves the DMA mode selected. */
    d->xfer_mode = pio ? d->xfer_mode : mode;
    ide_success(d);
}

static void set_write_cache_off(IDEDevice *d)
{
    d->write_cache = false;
    d->is_write = true;
    ide_io(d, IDE_IO_FLUSH, 0, 0, NULL, ata_flushed);
}

static void cmd_set_features(IDEDevice *d, const ATACommand *c)
{
    switch (d->tf.feature[0]) {
    case 0x02:
        d->write_cache = true;
        ide_success(d);
        break;
    case 0x82:
        set_write_cache_off(d);
        break;
    case 0x03:
        set_transfer_mode(d);
        break;
    case 0xaa:
    case 0x55:
        d->look_ahead = d->tf.feature[0] == 0xaa;
        ide_success(d);
        break;
    case 0x66: /* settings survive a soft reset, or not: they always do */
    case 0xcc:
        ide_success(d);
        break;
    default:
        ide_abort(d);
        break;
    }
}

static void cmd_smart(IDEDevice *d, const ATACommand *c)
{
    ata_smart(d);
}

static void cmd_packet(IDEDevice *d, const ATACommand *c)
{
    atapi_packet(d);
}

static const ATACommand ata_commands[] = {
    {0x00, FOR_HD | FOR_CD,            cmd_nop            },
    {0x06, FOR_HD | EXT,               cmd_trim           },
    {0x08, FOR_CD,                     cmd_device_reset   },
    {0x10, FOR_HD,                     cmd_ok             }, /* RECALIBRATE */
    {0x20, FOR_HD,                     cmd_read_pio       },
    {0x21, FOR_HD,                     cmd_read_pio       },
    {0x24, FOR_HD | EXT,               cmd_read_pio       },
    {0x25, FOR_HD | EXT,               cmd_read_dma       },
    {0x27, FOR_HD | EXT,               cmd_native_max     },
    {0x29, FOR_HD | EXT | MULTI,       cmd_read_pio       },
    {0x2f, FOR_HD | EXT,               cmd_read_log       },
    {0x30, FOR_HD,                     cmd_write_pio      },
    {0x31, FOR_HD,                     cmd_write_pio      },
    {0x34, FOR_HD | EXT,               cmd_write_pio      },
    {0x35, FOR_HD | EXT,               cmd_write_dma      },
    {0x39, FOR_HD | EXT | MULTI,       cmd_write_pio      },
    {0x3d, FOR_HD | EXT | FUA,         cmd_write_dma      },
    {0x40, FOR_HD,                     cmd_verify         },
    {0x41, FOR_HD,                     cmd_verify         },
    {0x42, FOR_HD | EXT,               cmd_verify         },
    {0x47, FOR_HD | EXT,               cmd_read_log_dma   },
    {0x70, FOR_HD,                     cmd_seek           },
    {0x90, FOR_HD | FOR_CD,            cmd_diagnose       },
    {0x91, FOR_HD,                     cmd_init_params    },
    {0x94, FOR_HD | FOR_CD,            cmd_power          },
    {0x95, FOR_HD | FOR_CD,            cmd_power          },
    {0x96, FOR_HD | FOR_CD,            cmd_power          },
    {0x97, FOR_HD | FOR_CD,            cmd_power          },
    {0x98, FOR_HD | FOR_CD,            cmd_check_power    },
    {0x99, FOR_HD | FOR_CD,            cmd_power          },
    {0xa0, FOR_CD,                     cmd_packet         },
    {0xa1, FOR_CD,                     cmd_identify_packet},
    {0xb0, FOR_HD,                     cmd_smart          },
    {0xc4, FOR_HD | MULTI,             cmd_read_pio       },
    {0xc5, FOR_HD | MULTI,             cmd_write_pio      },
    {0xc6, FOR_HD,                     cmd_set_multiple   },
    {0xc8, FOR_HD,                     cmd_read_dma       },
    {0xc9, FOR_HD,                     cmd_read_dma       },
    {0xca, FOR_HD,                     cmd_write_dma      },
    {0xcb, FOR_HD,                     cmd_write_dma      },
    {0xce, FOR_HD | EXT | MULTI | FUA, cmd_write_pio      },
    {0xe0, FOR_HD | FOR_CD,            cmd_power          },
    {0xe1, FOR_HD | FOR_CD,            cmd_power          },
    {0xe2, FOR_HD | FOR_CD,            cmd_power          },
    {0xe3, FOR_HD | FOR_CD,            cmd_power          },
    {0xe5, FOR_HD | FOR_CD,            cmd_check_power    },
    {0xe6, FOR_HD | FOR_CD,            cmd_power          },
    {0xe7, FOR_HD,                     cmd_flush          },
    {0xea, FOR_HD | EXT,               cmd_flush          },
    {0xec, FOR_HD | FOR_CD,            cmd_identify       },
    {0xef, FOR_HD | FOR_CD,            cmd_set_features   },
    {0xf8, FOR_HD,                     cmd_native_max     },
};

static const ATACommand *ata_find_command(uint8_t code, uint8_t kind)
{
    for (size_t i = 0; i < G_N_ELEMENTS(ata_commands); i++) {
        if (ata_commands[i].code == code && (ata_commands[i].flags & kind)) {
            return &ata_commands[i];
        }
    }
    return NULL;
}

void ata_command(IDEDevice *d, uint8_t code)
{
    const ATACommand *c = ata_find_command(code, d->is_cd ? FOR_CD : FOR_HD);

    log_if(LOG_IO, "ide: command %02x feature %02x count %02x device %02x\n", code,
           d->tf.feature[0], d->tf.nsector[0], d->tf.select);
    /* While it is busy a device takes no command but DEVICE RESET. */
    if ((d->tf.status & (ATA_BSY | ATA_DRQ)) && !(c && c->run == cmd_device_reset)) {
        log_guest_error("ide: command %02x to a busy device\n", code);
        return;
    }
    if (ata_ncq_busy(d)) {
        log_guest_error("ide: command %02x among queued ones\n", code);
        ata_ncq_abort_all(d);
        return;
    }
    d->generation++;
    d->tf.error = 0;
    d->flush_after = false;
    d->ext = false;
    if (!c) {
        log_if(LOG_GUEST_ERROR, "ide: no such command: %02x\n", code);
        ide_abort(d);
        return;
    }
    if (c->run != cmd_power && c->run != cmd_check_power) {
        d->power_mode = ATA_POWER_ACTIVE;
    }
    c->run(d, c);
}
