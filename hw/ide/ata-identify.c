/* SPDX-License-Identifier: MIT
 *
 * IDENTIFY DEVICE and IDENTIFY PACKET DEVICE.  ATA/ATAPI-7 volume 1, 6.17 and 6.18;
 * words 69, 105, 169: ACS-2 7.18.
 */
#include <string.h>
#include "hw/ide/ide-internal.h"

typedef struct IdentifyWord {
    uint8_t word;
    uint16_t value;
} IdentifyWord;

static void put_word(IDEDevice *d, unsigned word, uint16_t value)
{
    d->buf[2 * word] = (uint8_t)value;
    d->buf[2 * word + 1] = (uint8_t)(value >> 8);
}

static void put_words(IDEDevice *d, const IdentifyWord *table, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put_word(d, table[i].word, table[i].value);
    }
}

/* Space-padded, first character in the high byte (6.17.9). */
static void put_string(IDEDevice *d, unsigned word, unsigned words, const char *text)
{
    size_t len = strlen(text);

    for (unsigned i = 0; i < 2 * words; i++) {
        d->buf[2 * word + (i ^ 1)] = i < len ? (uint8_t)text[i] : ' ';
    }
}

static void put_checksum(IDEDevice *d)
{
    uint8_t sum = 0xa5;

    d->buf[510] = 0xa5;
    for (int i = 0; i < 510; i++) {
        sum += d->buf[i];
    }
    d->buf[511] = (uint8_t)-sum;
}

static void put_names(IDEDevice *d)
{
    put_string(d, 10, 10, d->serial);
    put_string(d, 23, 4, d->version);
    put_string(d, 27, 20, d->model);
}

/* Modes there are in the low byte, the selected one in the high byte. */
static uint16_t modes_word(const IDEDevice *d, uint8_t base, uint8_t modes)
{
    bool selected = (d->xfer_mode & 0xf8) == base;

    return (uint16_t)(modes | (selected ? 1u << (8 + (d->xfer_mode & 7)) : 0));
}

static void put_dma_modes(IDEDevice *d)
{
    put_word(d, 63, modes_word(d, 0x20, 0x07));
    put_word(d, 88, modes_word(d, 0x40, 0x3f));
}

static const IdentifyWord identify_ata[] = {
    {0,  0x0040                   }, /* fixed device */
    {47, 0x8000 | ATA_MAX_MULTIPLE},
    {49, 0x0b00                   }, /* IORDY, LBA, DMA */
    {50, 0x4000                   },
    {51, 0x0200                   }, /* PIO mode 2 */
    {52, 0x0200                   },
    {53, 0x0007                   }, /* words 54-58, 64-70 and 88 are valid */
    {64, 0x0003                   }, /* PIO modes 3 and 4 */
    {65, 120                      }, /* cycle times in ns */
    {66, 120                      },
    {67, 120                      },
    {68, 120                      },
    {80, 0x00f0                   }, /* ATA/ATAPI-4 to -7 */
    {81, 0x001a                   },
    {82, 0x4021                   }, /* NOP, write cache, SMART */
    {83, 0x7400                   }, /* FLUSH CACHE and its EXT, 48 bits */
    {84, 0x4060                   }, /* WRITE DMA FUA EXT */
    {86, 0x3400                   },
    {93, 0x600b                   }, /* 80-conductor cable, device 0 by jumper */
};

static void put_capacity(IDEDevice *d)
{
    uint32_t chs = (uint32_t)d->cylinders * d->heads * d->spt;
    uint32_t current = (uint32_t)MIN(chs, d->nb_sectors);
    uint32_t lba28 = (uint32_t)MIN(d->nb_sectors, ATA_LBA28_MAX);

    put_word(d, 1, d->cylinders);
    put_word(d, 3, d->heads);
    put_word(d, 6, d->spt);
    put_word(d, 54, (uint16_t)MIN(current / (d->cur_heads * d->cur_spt), 65535));
    put_word(d, 55, d->cur_heads);
    put_word(d, 56, d->cur_spt);
    put_word(d, 57, (uint16_t)current);
    put_word(d, 58, (uint16_t)(current >> 16));
    put_word(d, 60, (uint16_t)lba28);
    put_word(d, 61, (uint16_t)(lba28 >> 16));
    for (unsigned i = 0; i < 4; i++) {
        put_word(d, 100 + i, (uint16_t)(d->nb_sectors >> (16 * i)));
    }
}

static void put_wwn(IDEDevice *d)
{
    if (!d->wwn) {
        return;
    }
    put_word(d, 84, 0x4160);
    put_word(d, 87, 0x4160);
    for (unsigned i = 0; i < 4; i++) {
        put_word(d, 108 + i, (uint16_t)(d->wwn >> (48 - 16 * i)));
    }
}

/* Serial ATA, where the transport is that: generation 1, and a queue (7.12.7, words 75-79). */
static void put_serial_ata(IDEDevice *d)
{
    const IDETransport *transport = ide_bus_of(d)->transport;

    if (!transport || !transport->transfer_tag) {
        return;
    }
    put_word(d, 76, d->is_cd ? 0x0002 : 0x0102);
    if (!d->is_cd) {
        put_word(d, 75, ATA_TAGS - 1);
    }
    put_word(d, 93, 0); /* no cable to speak of */
}

/* Where the back end passes it on: trimmed sectors read the same each time, TRIM, its blocks. */
static void put_trim(IDEDevice *d)
{
    if (ata_has_trim(d)) {
        put_word(d, 69, 0x4000);
        put_word(d, 105, ATA_MAX_TRIM_BLOCKS);
        put_word(d, 169, 0x0001);
    }
}

void ata_identify(IDEDevice *d)
{
    uint32_t physical = MAX(d->physical_block_size, ATA_SECTOR);
    unsigned log2 = (unsigned)g_bit_storage(physical / ATA_SECTOR) - 1;

    memset(d->buf, 0, ATA_SECTOR);
    put_words(d, identify_ata, G_N_ELEMENTS(identify_ata));
    put_names(d);
    put_capacity(d);
    put_dma_modes(d);
    put_word(d, 59, d->multiple ? 0x100 | d->multiple : 0);
    put_word(d, 85, (uint16_t)(0x4000 | (d->write_cache ? 0x20 : 0) | (d->smart_enabled ? 1 : 0)));
    put_word(d, 87, 0x4060);
    put_word(d, 106, (uint16_t)(0x6000 | log2));
    put_word(d, 217, d->rotation_rate);
    put_wwn(d);
    put_trim(d);
    put_serial_ata(d);
    put_checksum(d);
}

static const IdentifyWord identify_packet[] = {
    {0,  0x85c0}, /* CD-ROM, removable, 12-byte packets, DRQ within 50 us */
    {49, 0x0b00}, /* IORDY, LBA, DMA */
    {53, 0x0006}, /* words 64-70 and 88 are valid */
    {64, 0x0003},
    {65, 120   },
    {66, 120   },
    {67, 120   },
    {68, 120   },
    {71, 30    }, /* us from PACKET to bus release */
    {72, 30    },
    {80, 0x00f0},
    {82, 0x4010}, /* NOP, PACKET */
    {83, 0x4000},
    {84, 0x4000},
    {85, 0x4010},
    {87, 0x4000},
    {93, 0x600b},
};

void atapi_identify(IDEDevice *d)
{
    memset(d->buf, 0, ATA_SECTOR);
    put_words(d, identify_packet, G_N_ELEMENTS(identify_packet));
    put_names(d);
    put_dma_modes(d);
    put_serial_ata(d);
    put_checksum(d);
}
