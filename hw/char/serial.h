/* SPDX-License-Identifier: MIT
 *
 * 16550A UARTs.  "isa-serial" has properties index (0-3: the PC's addresses
 * and lines), iobase, irq, chardev.
 */
#ifndef HW_CHAR_SERIAL_H
#define HW_CHAR_SERIAL_H

#include "hw/isa/isa.h"
#include "system/char/chardev.h"

#define TYPE_ISA_SERIAL "isa-serial"
#define MAX_ISA_SERIAL  4

#define SERIAL_FIFO_SIZE 16
#define SERIAL_FREQUENCY 115200 /* of the baud generator's input, over 16 */

typedef struct SerialFIFO {
    uint8_t data[SERIAL_FIFO_SIZE];
    uint8_t count;
} SerialFIFO;

/* One UART, embedded in the device that maps it. */
typedef struct Serial {
    DeviceState *dev;
    IRQ *irq;           /* the owner's output */
    bool gated_by_out2; /* OUT2 drives a buffer behind INTR, as on a PC's adapter */
    CharFrontend chr;
    MemoryRegion io;
    Timer *timeout_timer;
    VMClock *clock;

    uint16_t divisor;
    uint8_t ier, fcr, lcr, mcr, lsr, msr, scr;
    uint8_t rbr;          /* the last byte read */
    bool thre_pending;    /* transmitter holding register empty, not yet told */
    bool timeout_pending; /* bytes below the trigger level wait for too long */
    bool waiting;         /* for the back end to take more */
    SerialFIFO rx, tx;
    int64_t last_rx; /* virtual ns of the last byte in or out of the receive FIFO */
} Serial;

/* In realize of the owner: take the back end, make the region. */
bool serial_realize(Serial *s, DeviceState *dev, IRQ *irq, Chardev *chr, GError **error);
/* For the owner's reset_enter and reset_hold. */
void serial_reset(Serial *s);
void serial_update_irq(Serial *s);

/* Rows of a state table for a UART at field `f` of struct `S`. */
#define SERIAL_STATE_FIELDS(S, f)                                                                  \
    STATE_FIELD(S, f.divisor), STATE_FIELD(S, f.ier), STATE_FIELD(S, f.fcr),                       \
        STATE_FIELD(S, f.lcr), STATE_FIELD(S, f.mcr), STATE_FIELD(S, f.lsr),                       \
        STATE_FIELD(S, f.msr), STATE_FIELD(S, f.scr), STATE_FIELD(S, f.rbr),                       \
        STATE_FIELD(S, f.thre_pending), STATE_FIELD(S, f.timeout_pending),                         \
        STATE_FIELD(S, f.waiting), STATE_FIELD(S, f.rx), STATE_FIELD(S, f.tx),                     \
        STATE_FIELD(S, f.last_rx)

/* An "isa-serial" for each of machine->serial. */
bool serial_isa_create_all(ISABus *bus, GError **error);
ISADevice *serial_isa_create(ISABus *bus, int index, Chardev *chr, GError **error);

#endif
