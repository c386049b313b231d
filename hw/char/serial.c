/* SPDX-License-Identifier: MIT
 *
 * 16550A UART: National Semiconductor PC16550D datasheet, section 8.
 *
 *   0  RBR (r), THR (w); divisor low with DLAB
 *   1  IER; divisor high with DLAB
 *   2  IIR (r), FCR (w)
 *   3  LCR   4  MCR   5  LSR   6  MSR   7  SCR
 *
 * Bytes leave as fast as the back end takes them, whatever the baud rate; the
 * transmitter is empty again at once unless the back end is full.  The rate counts
 * only for the receiver's time-out.
 */
#include "hw/char/serial.h"

#include "hw/core/machine.h"
#include "system/log.h"

#define IER_RDA  0x01
#define IER_THRE 0x02
#define IER_RLS  0x04
#define IER_MS   0x08

#define IIR_NONE    0x01
#define IIR_RLS     0x06
#define IIR_RDA     0x04
#define IIR_TIMEOUT 0x0c
#define IIR_THRE    0x02
#define IIR_MS      0x00
#define IIR_FIFO    0xc0

#define FCR_ENABLE   0x01
#define FCR_RX_RESET 0x02
#define FCR_TX_RESET 0x04
#define FCR_STICKY   0xc9

#define LCR_STOP   0x04
#define LCR_PARITY 0x08
#define LCR_EVEN   0x10
#define LCR_BREAK  0x40
#define LCR_DLAB   0x80

#define MCR_DTR  0x01
#define MCR_RTS  0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10

#define LSR_DR     0x01
#define LSR_OE     0x02
#define LSR_BI     0x10
#define LSR_THRE   0x20
#define LSR_TEMT   0x40
#define LSR_ERRORS 0x1e

#define MSR_CTS   0x10
#define MSR_DSR   0x20
#define MSR_RI    0x40
#define MSR_DCD   0x80
#define MSR_DELTA 0x0f

static const uint8_t trigger_levels[] = {1, 4, 8, 14};

static bool fifo_enabled(const Serial *s)
{
    return s->fcr & FCR_ENABLE;
}

static unsigned fifo_depth(const Serial *s)
{
    return fifo_enabled(s) ? SERIAL_FIFO_SIZE : 1;
}

static unsigned trigger_level(const Serial *s)
{
    return fifo_enabled(s) ? trigger_levels[s->fcr >> 6] : 1;
}

static void fifo_push(SerialFIFO *f, uint8_t byte)
{
    f->data[f->count++] = byte;
}

static void fifo_drop(SerialFIFO *f, unsigned n)
{
    f->count -= n;
    memmove(f->data, f->data + n, f->count);
}

/* ---- interrupts -------------------------------------------------------------------- */

/* In the order of their priorities (table III). */
static uint8_t serial_interrupt(const Serial *s)
{
    if ((s->ier & IER_RLS) && (s->lsr & LSR_ERRORS)) {
        return IIR_RLS;
    }
    if ((s->ier & IER_RDA) && s->rx.count >= trigger_level(s)) {
        return IIR_RDA;
    }
    if ((s->ier & IER_RDA) && s->timeout_pending) {
        return IIR_TIMEOUT;
    }
    if ((s->ier & IER_THRE) && s->thre_pending) {
        return IIR_THRE;
    }
    if ((s->ier & IER_MS) && (s->msr & MSR_DELTA)) {
        return IIR_MS;
    }
    return IIR_NONE;
}

void serial_update_irq(Serial *s)
{
    bool gate = !s->gated_by_out2 || (s->mcr & MCR_OUT2);

    irq_set(*s->irq, gate && serial_interrupt(s) != IIR_NONE);
}

/* ---- receiver ---------------------------------------------------------------------- */

/* Four characters at the present rate and format (8.6.1, time-out interrupt). */
static int64_t timeout_ns(const Serial *s)
{
    unsigned bits = 1 + 5 + (s->lcr & 3) + !!(s->lcr & LCR_PARITY) + (s->lcr & LCR_STOP ? 2 : 1);

    return 4LL * bits * MAX(s->divisor, 1) * NANOSECONDS_PER_SECOND / SERIAL_FREQUENCY;
}

static void serial_arm_timeout(Serial *s)
{
    s->last_rx = vm_clock_get_ns(s->clock, CLOCK_VIRTUAL);
    s->timeout_pending = false;
    if (fifo_enabled(s) && s->rx.count) {
        timer_mod(s->timeout_timer, s->last_rx + timeout_ns(s));
    } else {
        timer_del(s->timeout_timer);
    }
}

static void serial_timeout(void *opaque)
{
    Serial *s = opaque;

    if (s->rx.count) {
        s->timeout_pending = true;
        serial_update_irq(s);
    }
}

static void serial_receive(Serial *s, uint8_t byte, uint8_t errors)
{
    if (s->rx.count >= fifo_depth(s)) {
        s->lsr |= LSR_OE;
        if (!fifo_enabled(s)) {
            s->rx.data[0] = byte; /* without a FIFO the old byte is overwritten */
        }
    } else {
        fifo_push(&s->rx, byte);
    }
    s->lsr |= LSR_DR | errors;
    serial_arm_timeout(s);
}

static size_t serial_can_read(void *opaque)
{
    Serial *s = opaque;

    return s->mcr & MCR_LOOP ? 0 : fifo_depth(s) - MIN(s->rx.count, fifo_depth(s));
}

static void serial_read_bytes(void *opaque, const uint8_t *buf, size_t len)
{
    Serial *s = opaque;

    for (size_t i = 0; i < len; i++) {
        serial_receive(s, buf[i], 0);
    }
    serial_update_irq(s);
}

static void serial_event(void *opaque, CharEvent event)
{
    Serial *s = opaque;

    if (event == CHAR_EVENT_BREAK && !(s->mcr & MCR_LOOP)) {
        serial_receive(s, 0, LSR_BI);
        serial_update_irq(s);
    }
}

static uint8_t serial_read_rbr(Serial *s)
{
    if (!s->rx.count) {
        return s->rbr;
    }
    s->rbr = s->rx.data[0];
    fifo_drop(&s->rx, 1);
    if (!s->rx.count) {
        s->lsr &= ~(LSR_DR | LSR_BI);
    }
    serial_arm_timeout(s);
    serial_update_irq(s);
    if (!(s->mcr & MCR_LOOP)) {
        char_frontend_accept_input(&s->chr);
    }
    return s->rbr;
}

/* ---- transmitter ------------------------------------------------------------------- */

static void serial_transmit(Serial *s);

static void serial_writable(void *opaque)
{
    Serial *s = opaque;

    s->waiting = false;
    serial_transmit(s);
    serial_update_irq(s);
}

static void serial_transmit_looped(Serial *s)
{
    for (unsigned i = 0; i < s->tx.count; i++) {
        serial_receive(s, s->tx.data[i], 0);
    }
    s->tx.count = 0;
}

/* Pass on what the back end takes; when all has gone the transmitter is empty. */
static void serial_transmit(Serial *s)
{
    if (s->waiting) {
        return;
    }
    if (s->mcr & MCR_LOOP) {
        serial_transmit_looped(s);
    } else if (s->tx.count) {
        fifo_drop(&s->tx, char_frontend_write(&s->chr, s->tx.data, s->tx.count));
    }
    if (s->tx.count) {
        s->waiting = true;
        char_frontend_when_writable(&s->chr, serial_writable, s);
    } else if (!(s->lsr & LSR_THRE)) {
        s->lsr |= LSR_THRE | LSR_TEMT;
        s->thre_pending = true;
    }
}

static void serial_write_thr(Serial *s, uint8_t byte)
{
    s->thre_pending = false;
    s->lsr &= ~(LSR_THRE | LSR_TEMT);
    serial_update_irq(s);
    if (s->tx.count < fifo_depth(s)) {
        fifo_push(&s->tx, byte);
    } else {
        s->tx.data[s->tx.count - 1] = byte; /* full: the last one is overwritten */
    }
    serial_transmit(s);
    serial_update_irq(s);
}

/* ---- line and modem ------------------------------------------------------------------ */

static void serial_update_line(Serial *s)
{
    CharLineSettings line = {
        .speed = SERIAL_FREQUENCY / MAX(s->divisor, 1),
        .data_bits = 5 + (s->lcr & 3),
        .stop_bits = s->lcr & LCR_STOP ? 2 : 1,
        .parity = !(s->lcr & LCR_PARITY) ? 'N'
                  : s->lcr & LCR_EVEN    ? 'E'
                                         : 'O',
    };

    char_frontend_set_line(&s->chr, &line);
}

static uint8_t serial_modem_inputs(Serial *s)
{
    if (s->mcr & MCR_LOOP) {
        return (s->mcr & MCR_RTS ? MSR_CTS : 0) | (s->mcr & MCR_DTR ? MSR_DSR : 0) |
               (s->mcr & MCR_OUT1 ? MSR_RI : 0) | (s->mcr & MCR_OUT2 ? MSR_DCD : 0);
    }
    unsigned lines = char_frontend_get_modem(&s->chr);
    return (lines & CHAR_MODEM_CTS ? MSR_CTS : 0) | (lines & CHAR_MODEM_DSR ? MSR_DSR : 0) |
           (lines & CHAR_MODEM_RI ? MSR_RI : 0) | (lines & CHAR_MODEM_CAR ? MSR_DCD : 0);
}

/* Delta bits: any change, but of RI only its end (8.8). */
static void serial_update_msr(Serial *s)
{
    uint8_t now = serial_modem_inputs(s), changed = (now ^ s->msr) & 0xf0;

    if (now & MSR_RI) {
        changed &= ~MSR_RI;
    }
    s->msr = now | (s->msr & MSR_DELTA) | changed >> 4;
}

static void serial_write_mcr(Serial *s, uint8_t value)
{
    uint8_t changed = s->mcr ^ value;

    s->mcr = value & 0x1f;
    serial_update_msr(s);
    if ((changed & (MCR_DTR | MCR_RTS)) && !(s->mcr & MCR_LOOP)) {
        char_frontend_set_modem(&s->chr, (s->mcr & MCR_DTR ? CHAR_MODEM_DTR : 0) |
                                             (s->mcr & MCR_RTS ? CHAR_MODEM_RTS : 0));
    }
    if ((changed & MCR_LOOP) && !(s->mcr & MCR_LOOP)) {
        char_frontend_accept_input(&s->chr);
    }
    serial_update_irq(s);
}

/* ---- registers -------------------------------------------------------------------- */

static void serial_write_ier(Serial *s, uint8_t value)
{
    uint8_t enabled = value & ~s->ier;

    s->ier = value & 0x0f;
    if ((enabled & IER_THRE) && (s->lsr & LSR_THRE)) {
        s->thre_pending = true;
    }
    serial_update_irq(s);
}

static void serial_write_fcr(Serial *s, uint8_t value)
{
    bool toggled = (value ^ s->fcr) & FCR_ENABLE;

    if (toggled || (value & FCR_RX_RESET)) {
        s->rx.count = 0;
        s->lsr &= ~(LSR_DR | LSR_BI);
    }
    if (toggled || (value & FCR_TX_RESET)) {
        s->tx.count = 0;
        s->lsr |= LSR_THRE | LSR_TEMT;
        s->thre_pending = true;
    }
    s->fcr = value & FCR_ENABLE ? value & FCR_STICKY : 0;
    serial_arm_timeout(s);
    serial_update_irq(s);
    char_frontend_accept_input(&s->chr);
}

static void serial_write_lcr(Serial *s, uint8_t value)
{
    uint8_t changed = s->lcr ^ value;

    s->lcr = value;
    if (changed & LCR_BREAK) {
        char_frontend_set_break(&s->chr, value & LCR_BREAK);
    }
    if (changed & 0x3f) {
        serial_update_line(s);
    }
}

static void serial_write_divisor(Serial *s, unsigned shift, uint8_t value)
{
    s->divisor = (s->divisor & ~(0xff << shift)) | value << shift;
    serial_update_line(s);
}

static void serial_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    Serial *s = opaque;

    switch (addr) {
    case 0:
    case 1:
        if (s->lcr & LCR_DLAB) {
            serial_write_divisor(s, addr * 8, data);
        } else if (addr == 0) {
            serial_write_thr(s, data);
        } else {
            serial_write_ier(s, data);
        }
        break;
    case 2:
        serial_write_fcr(s, data);
        break;
    case 3:
        serial_write_lcr(s, data);
        break;
    case 4:
        serial_write_mcr(s, data);
        break;
    case 7:
        s->scr = data;
        break;
    default: /* LSR and MSR are read-only */
        break;
    }
}

static uint8_t serial_read_iir(Serial *s)
{
    uint8_t id = serial_interrupt(s);

    if (id == IIR_THRE) {
        s->thre_pending = false;
        serial_update_irq(s);
    }
    return id | (fifo_enabled(s) ? IIR_FIFO : 0);
}

static uint8_t serial_read_lsr(Serial *s)
{
    uint8_t value = s->lsr;

    s->lsr &= ~LSR_ERRORS;
    serial_update_irq(s);
    return value;
}

static uint8_t serial_read_msr(Serial *s)
{
    serial_update_msr(s);
    uint8_t value = s->msr;
    s->msr &= ~MSR_DELTA;
    serial_update_irq(s);
    return value;
}

static uint64_t serial_read(void *opaque, hwaddr addr, unsigned size)
{
    Serial *s = opaque;

    switch (addr) {
    case 0:
        return s->lcr & LCR_DLAB ? s->divisor & 0xff : serial_read_rbr(s);
    case 1:
        return s->lcr & LCR_DLAB ? s->divisor >> 8 : s->ier;
    case 2:
        return serial_read_iir(s);
    case 3:
        return s->lcr;
    case 4:
        return s->mcr;
    case 5:
        return serial_read_lsr(s);
    case 6:
        return serial_read_msr(s);
    default:
        return s->scr;
    }
}

static const MemoryRegionOps serial_ops = {
    .read = serial_read,
    .write = serial_write,
    .impl = {1, 1},
};

/* ---- for the owner ----------------------------------------------------------------- */

/* Table I, "master reset"; what the back end has not taken is lost. */
void serial_reset(Serial *s)
{
    s->divisor = 12; /* 9600 baud, as firmware leaves it */
    s->ier = s->fcr = s->lcr = s->scr = s->rbr = 0;
    s->mcr = MCR_OUT2; /* so that who polls LSR and never writes here has interrupts all the same */
    s->lsr = LSR_THRE | LSR_TEMT;
    s->thre_pending = s->timeout_pending = s->waiting = false;
    s->rx.count = s->tx.count = 0;
    s->msr = serial_modem_inputs(s);
    char_frontend_when_writable(&s->chr, NULL, NULL);
    timer_del(s->timeout_timer);
}

bool serial_realize(Serial *s, DeviceState *dev, IRQ *irq, Chardev *chr, GError **error)
{
    s->dev = dev;
    s->irq = irq;
    s->clock = qdev_get_machine(dev)->clock;
    s->timeout_timer = device_timer_new(dev, CLOCK_VIRTUAL, serial_timeout, s);
    memory_region_init_io(&s->io, OBJECT(dev), &serial_ops, s, "serial", 8);
    if (!char_frontend_init(&s->chr, chr, dev, error)) {
        return false;
    }
    serial_reset(s);
    char_frontend_set_handlers(&s->chr, serial_can_read, serial_read_bytes, serial_event, s);
    return true;
}
