/* SPDX-License-Identifier: MIT
 *
 * SMBus host controllers: Intel 82371AB (data sheet 290562, 7.3) and ICH9 (316972, 19.2); protocols:
 * System Management Bus Specification 2.0, 5.5.
 *
 *   00 status   7 BYTE_DONE  4 failed  3 collision  2 device error  1 interrupt  0 busy
 *   02 control  6 start  5 last byte  4-2 protocol  1 kill  0 interrupt enable
 *   03 command   04 address, 0: read   05, 06 data   07 block data
 *   0d auxiliary control: 1 E32B, a block is in a buffer of 32 bytes (the PIIX4's always is)
 *
 * Nobody addresses these hosts as slaves: the status of that (PIIX4: 01, ICH: 10) stays clear.
 *
 * A transaction is over when the write that starts it is; only an ICH's block without E32B waits
 * after each byte, until BYTE_DONE is cleared.
 */
#include <string.h>
#include "hw/i2c/pm-smbus.h"

#define REG_STATUS      0x00
#define REG_CONTROL     0x02
#define REG_COMMAND     0x03
#define REG_ADDRESS     0x04
#define REG_DATA0       0x05
#define REG_DATA1       0x06
#define REG_BLOCK       0x07
#define REG_SLAVE       0x09
#define REG_AUX_CTL     0x0d
#define REG_SMLINK_PINS 0x0e
#define REG_SMBUS_PINS  0x0f

#define STS_BUSY      0x01
#define STS_INTERRUPT 0x02
#define STS_ERROR     0x04
#define STS_FAILED    0x10
#define STS_BYTE_DONE 0x80
#define STS_W1C       0xfe
#define STS_W1C_PIIX4 0x1e
#define CTL_INTREN    0x01
#define CTL_KILL      0x02
#define CTL_PROTOCOL  0x1c
#define CTL_LAST_BYTE 0x20
#define CTL_START     0x40
#define AUX_E32B      0x02
#define SLAVE_ADDRESS 0x44 /* after reset */
#define PINS_IDLE     0x07 /* clock not held; both lines are high */

/* What software can set in the registers that are no more than that. */
/* clang-format off */
static const uint8_t stored_piix4[PM_SMBUS_REGS] = {
    [REG_COMMAND] = 0xff, [REG_ADDRESS] = 0xff, [REG_DATA0] = 0xff, [REG_DATA1] = 0xff,
    [0x08] = 0x0f, /* slave control */
    [0x0a] = 0xff, [0x0b] = 0xff, /* slave events */
};
static const uint8_t stored_ich[PM_SMBUS_REGS] = {
    [REG_COMMAND] = 0xff, [REG_ADDRESS] = 0xff, [REG_DATA0] = 0xff, [REG_DATA1] = 0xff,
    [REG_BLOCK] = 0xff,
    [0x08] = 0xff, /* packet error check */
    [REG_SLAVE] = 0x7f, [REG_AUX_CTL] = 0x03, [REG_SMLINK_PINS] = 0x04, [REG_SMBUS_PINS] = 0x04,
    [0x11] = 0x07, /* slave command */
};
/* clang-format on */

enum { QUICK, BYTE, BYTE_DATA, WORD_DATA, PROCESS_CALL, BLOCK, I2C_READ, BLOCK_PROCESS };

static unsigned protocol(const PMSMBus *s)
{
    return (s->regs[REG_CONTROL] & CTL_PROTOCOL) >> 2;
}

static bool is_read(const PMSMBus *s)
{
    return s->regs[REG_ADDRESS] & 1;
}

static bool buffered(const PMSMBus *s)
{
    return !s->ich || (s->regs[REG_AUX_CTL] & AUX_E32B);
}

static void update_interrupt(PMSMBus *s)
{
    uint8_t causes = STS_INTERRUPT | STS_ERROR | STS_FAILED | STS_BYTE_DONE;

    if (s->interrupt) {
        s->interrupt(s->opaque,
                     (s->regs[REG_CONTROL] & CTL_INTREN) && (s->regs[REG_STATUS] & causes));
    }
}

static void finish(PMSMBus *s, bool acknowledged)
{
    i2c_stop(s->bus);
    s->streaming = false;
    s->regs[REG_STATUS] &= (uint8_t)~STS_BUSY;
    s->regs[REG_STATUS] |= acknowledged ? STS_INTERRUPT : STS_ERROR;
}

static bool start(PMSMBus *s, bool read)
{
    return i2c_start(s->bus, s->regs[REG_ADDRESS] >> 1, read);
}

static bool send_command(PMSMBus *s)
{
    return start(s, false) && i2c_write(s->bus, s->regs[REG_COMMAND]);
}

/* ---- transactions of fixed size ------------------------------------------------------------ */

static bool do_byte(PMSMBus *s)
{
    if (!is_read(s)) {
        return send_command(s);
    }
    if (!start(s, true)) {
        return false;
    }
    s->regs[REG_DATA0] = i2c_read(s->bus);
    return true;
}

static bool read_data(PMSMBus *s, unsigned n)
{
    if (!start(s, true)) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        s->regs[REG_DATA0 + i] = i2c_read(s->bus);
    }
    return true;
}

static bool write_data(PMSMBus *s, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (!i2c_write(s->bus, s->regs[REG_DATA0 + i])) {
            return false;
        }
    }
    return true;
}

static bool do_data(PMSMBus *s, unsigned n)
{
    return send_command(s) && (is_read(s) ? read_data(s, n) : write_data(s, n));
}

/* ---- blocks -------------------------------------------------------------------------------- */

static unsigned block_length(uint8_t n)
{
    return n >= 1 && n <= PM_SMBUS_BLOCK ? n : 0;
}

static bool read_block(PMSMBus *s)
{
    if (!start(s, true)) {
        return false;
    }
    s->regs[REG_DATA0] = i2c_read(s->bus);
    for (unsigned i = 0; i < block_length(s->regs[REG_DATA0]); i++) {
        s->block[i] = i2c_read(s->bus);
    }
    return block_length(s->regs[REG_DATA0]) != 0;
}

static bool write_block(PMSMBus *s)
{
    unsigned n = block_length(s->regs[REG_DATA0]);

    if (!n || !i2c_write(s->bus, (uint8_t)n)) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        if (!i2c_write(s->bus, s->block[i])) {
            return false;
        }
    }
    return true;
}

/* All at once; the next access to BLOCK_DB is to the first byte. */
static bool do_block_buffered(PMSMBus *s)
{
    bool process = protocol(s) == BLOCK_PROCESS, ok = send_command(s);

    s->block_index = 0;
    if (ok && (process || !is_read(s))) {
        ok = write_block(s);
    }
    return ok && (process || is_read(s)) ? read_block(s) : ok;
}

static void stream_read_next(PMSMBus *s)
{
    s->regs[REG_BLOCK] = i2c_read(s->bus);
    s->regs[REG_STATUS] |= STS_BYTE_DONE;
}

static void stream_write_next(PMSMBus *s)
{
    if (!i2c_write(s->bus, s->regs[REG_BLOCK])) {
        finish(s, false);
        return;
    }
    s->regs[REG_STATUS] |= STS_BYTE_DONE;
}

static void stream_next(PMSMBus *s)
{
    if (is_read(s) || protocol(s) == I2C_READ) {
        stream_read_next(s);
    } else {
        stream_write_next(s);
    }
}

/* BYTE_DONE was cleared: the next byte, or the end.  An I2C read ends when software says so. */
static void stream_continue(PMSMBus *s)
{
    if (protocol(s) == I2C_READ) {
        s->pending = s->pending ? !(s->regs[REG_CONTROL] & CTL_LAST_BYTE) : 0;
        if (!s->pending) {
            finish(s, true);
            return;
        }
    } else if (--s->pending == 0) {
        finish(s, true);
        return;
    }
    stream_next(s);
}

/* The first byte of a block, and the count before it. */
static void stream_start(PMSMBus *s)
{
    bool i2c_read_data = protocol(s) == I2C_READ, read = is_read(s) || i2c_read_data;
    /* An I2C read sends DATA1 where SMBus sends the command. */
    bool ok = i2c_read_data ? start(s, false) && i2c_write(s->bus, s->regs[REG_DATA1])
                            : send_command(s);

    ok = ok && (!read || start(s, true));
    if (ok && i2c_read_data) {
        s->pending = 1;
    } else if (ok) {
        s->regs[REG_DATA0] = read ? i2c_read(s->bus) : s->regs[REG_DATA0];
        s->pending = (uint8_t)block_length(s->regs[REG_DATA0]);
        ok = s->pending && (read || i2c_write(s->bus, s->pending));
    }
    if (!ok) {
        finish(s, false);
        return;
    }
    s->streaming = true;
    s->regs[REG_STATUS] |= STS_BUSY;
    stream_next(s);
}

/* ---- registers ----------------------------------------------------------------------------- */

static void do_transaction(PMSMBus *s)
{
    unsigned p = protocol(s);

    if (s->ich && (p == I2C_READ || (p == BLOCK && !buffered(s)))) {
        stream_start(s);
        return;
    }
    switch (p) {
    case QUICK:
        finish(s, start(s, is_read(s)));
        break;
    case BYTE:
        finish(s, do_byte(s));
        break;
    case BYTE_DATA:
        finish(s, do_data(s, 1));
        break;
    case WORD_DATA:
        finish(s, do_data(s, 2));
        break;
    case PROCESS_CALL:
        finish(s, send_command(s) && write_data(s, 2) && read_data(s, 2));
        break;
    case BLOCK:
        finish(s, do_block_buffered(s));
        break;
    case BLOCK_PROCESS:
        finish(s, s->ich && buffered(s) && do_block_buffered(s));
        break;
    default:
        finish(s, false);
        break;
    }
}

static void write_control(PMSMBus *s, uint8_t value)
{
    s->regs[REG_CONTROL] = value & (uint8_t)~CTL_START;
    if (value & CTL_KILL) {
        i2c_stop(s->bus);
        s->streaming = false;
        s->regs[REG_STATUS] &= (uint8_t)~STS_BUSY;
        s->regs[REG_STATUS] |= STS_FAILED;
    } else if ((value & CTL_START) && !s->streaming) {
        do_transaction(s);
    }
}

static void write_stored(PMSMBus *s, unsigned reg, uint8_t value)
{
    uint8_t mask = (s->ich ? stored_ich : stored_piix4)[reg];

    s->regs[reg] = (uint8_t)((s->regs[reg] & ~mask) | (value & mask));
}

static void write_status(PMSMBus *s, uint8_t value)
{
    bool byte_done = s->regs[REG_STATUS] & value & STS_BYTE_DONE;

    s->regs[REG_STATUS] &= (uint8_t) ~(value & (s->ich ? STS_W1C : STS_W1C_PIIX4));
    if (byte_done && s->streaming) {
        stream_continue(s);
    }
}

static uint64_t pm_smbus_read(void *opaque, hwaddr addr, unsigned size)
{
    PMSMBus *s = opaque;

    if (addr >= PM_SMBUS_REGS) {
        return 0;
    }
    if (addr == REG_CONTROL) {
        s->block_index = 0;
    }
    if (addr == REG_BLOCK && buffered(s)) {
        return s->block[s->block_index++ % PM_SMBUS_BLOCK];
    }
    return s->regs[addr];
}

static void pm_smbus_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    PMSMBus *s = opaque;

    if (addr >= PM_SMBUS_REGS) {
        return;
    }
    if (addr == REG_STATUS) {
        write_status(s, (uint8_t)value);
    } else if (addr == REG_CONTROL) {
        write_control(s, (uint8_t)value);
    } else if (addr == REG_BLOCK && buffered(s)) {
        s->block[s->block_index++ % PM_SMBUS_BLOCK] = (uint8_t)value;
    } else {
        write_stored(s, (unsigned)addr, (uint8_t)value);
    }
    update_interrupt(s);
}

static const MemoryRegionOps pm_smbus_ops = {
    .read = pm_smbus_read,
    .write = pm_smbus_write,
    .valid = {1, 4, false},
    .impl = {1, 1, false},
};

void pm_smbus_init(PMSMBus *s, DeviceState *dev, bool ich)
{
    s->ich = ich;
    s->bus = i2c_bus_new(dev, "i2c");
    memory_region_init_io(&s->mr, OBJECT(dev), &pm_smbus_ops, s, "pm-smbus", PM_SMBUS_PORTS);
}

void pm_smbus_reset(PMSMBus *s)
{
    memset(s->regs, 0, sizeof(s->regs));
    memset(s->block, 0, sizeof(s->block));
    if (s->ich) {
        s->regs[REG_SLAVE] = SLAVE_ADDRESS;
        s->regs[REG_SMLINK_PINS] = s->regs[REG_SMBUS_PINS] = PINS_IDLE;
    }
    s->block_index = s->pending = 0;
    s->streaming = false;
}
