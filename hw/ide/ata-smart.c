/* SPDX-License-Identifier: MIT
 *
 * SMART: attributes of a disk that never wears out.  ATA/ATAPI-7 volume 1, 6.54.
 */
#include <string.h>
#include "hw/ide/ide-internal.h"

#define SMART_KEY_LOW  0x4f
#define SMART_KEY_HIGH 0xc2

/* id, flags, normalised value, worst, threshold, raw */
static const struct {
    uint8_t id;
    uint16_t flags;
    uint8_t value, threshold, raw;
} smart_attributes[] = {
    {1,   0x0003, 100, 6,  0 }, /* read error rate */
    {3,   0x0003, 100, 0,  16}, /* spin-up time */
    {4,   0x0002, 100, 20, 1 }, /* start/stop count */
    {5,   0x0003, 100, 36, 0 }, /* reallocated sectors */
    {9,   0x0003, 100, 0,  1 }, /* power-on hours */
    {12,  0x0003, 100, 0,  1 }, /* power cycles */
    {190, 0x0003, 69,  50, 31}, /* temperature */
};

/* Byte 511 makes the sum of all 512 zero. */
static void smart_reply(IDEDevice *d)
{
    uint8_t sum = 0;

    for (int i = 0; i < 511; i++) {
        sum += d->buf[i];
    }
    d->buf[511] = (uint8_t)-sum;
    d->is_write = false;
    ide_pio_start(d, 0, ATA_SECTOR, ide_pio_in_end, true);
}

static void smart_read_data(IDEDevice *d)
{
    memset(d->buf, 0, ATA_SECTOR);
    d->buf[0] = 1; /* revision */
    for (size_t i = 0; i < G_N_ELEMENTS(smart_attributes); i++) {
        uint8_t *p = d->buf + 2 + 12 * i;

        p[0] = smart_attributes[i].id;
        p[1] = (uint8_t)smart_attributes[i].flags;
        p[3] = p[4] = smart_attributes[i].value;
        p[5] = smart_attributes[i].raw;
    }
    d->buf[362] = 0x02; /* off-line data collected */
    d->buf[364] = 1;    /* seconds it takes */
    d->buf[367] = 0x1b; /* off-line and self-test capability */
    d->buf[368] = 3;    /* attributes are saved */
    d->buf[370] = 1;    /* error logging */
    d->buf[372] = 2;    /* minutes of a short self-test */
    d->buf[373] = 54;   /* and of an extended one */
    smart_reply(d);
}

static void smart_read_thresholds(IDEDevice *d)
{
    memset(d->buf, 0, ATA_SECTOR);
    d->buf[0] = 1;
    for (size_t i = 0; i < G_N_ELEMENTS(smart_attributes); i++) {
        d->buf[2 + 12 * i] = smart_attributes[i].id;
        d->buf[3 + 12 * i] = smart_attributes[i].threshold;
    }
    smart_reply(d);
}

/* Self-tests: 21 entries of 24 bytes; in use from the index backwards.  All have passed. */
static void put_self_tests(IDEDevice *d)
{
    for (unsigned i = 0; i < ATA_SELF_TESTS; i++) {
        uint8_t *entry = d->buf + 2 + 24 * i;

        if (d->self_tests[i]) {
            entry[0] = d->self_tests[i];
            entry[2] = 1; /* hours of life */
        }
    }
    d->buf[508] = d->self_test_index;
}

/* 0 directory, 1 error summary, 6 self-tests. */
static void smart_read_log(IDEDevice *d)
{
    memset(d->buf, 0, ATA_SECTOR);
    d->buf[0] = 1;
    switch (d->tf.sector[0]) {
    case 0:
        d->buf[2 * 1] = d->buf[2 * 6] = 1; /* pages of each */
        break;
    case 1:
        break;
    case 6:
        put_self_tests(d);
        break;
    default:
        ide_abort(d);
        return;
    }
    smart_reply(d);
}

/* LBA low: 0 off-line, 1 short, 2 extended, 127 abort; bit 7: the command waits for it. */
static void smart_execute(IDEDevice *d)
{
    uint8_t kind = d->tf.sector[0];

    switch (kind & 0x7f) {
    case 1:
    case 2:
        d->self_test_index = (uint8_t)(d->self_test_index % ATA_SELF_TESTS + 1);
        d->self_tests[d->self_test_index - 1] = kind;
        ide_success(d);
        break;
    case 0:
    case 127:
        ide_success(d);
        break;
    default:
        ide_abort(d);
        break;
    }
}

static void smart_enabled_command(IDEDevice *d)
{
    switch (d->tf.feature[0]) {
    case 0xd0:
        smart_read_data(d);
        break;
    case 0xd1:
        smart_read_thresholds(d);
        break;
    case 0xd2: /* attribute autosave */
    case 0xd3: /* save */
        ide_success(d);
        break;
    case 0xd4: /* done at once, all is well */
        smart_execute(d);
        break;
    case 0xd5:
        smart_read_log(d);
        break;
    case 0xd9:
        d->smart_enabled = false;
        ide_success(d);
        break;
    case 0xda: /* the key unchanged: no threshold exceeded */
        d->tf.lcyl[0] = SMART_KEY_LOW;
        d->tf.hcyl[0] = SMART_KEY_HIGH;
        ide_success(d);
        break;
    default:
        ide_abort(d);
        break;
    }
}

void ata_smart(IDEDevice *d)
{
    if (d->tf.lcyl[0] != SMART_KEY_LOW || d->tf.hcyl[0] != SMART_KEY_HIGH) {
        ide_abort(d);
    } else if (d->tf.feature[0] == 0xd8) {
        d->smart_enabled = true;
        ide_success(d);
    } else if (d->smart_enabled) {
        smart_enabled_command(d);
    } else {
        ide_abort(d);
    }
}
