/* SPDX-License-Identifier: MIT
 *
 * One counter of the 8254, as a function of time (i8254-counter.c), and the device's state.
 */
#ifndef HW_TIMER_I8254_INTERNAL_H
#define HW_TIMER_I8254_INTERNAL_H

#include "hw/timer/i8254.h"
#include "system/loop/event-loop.h"

#define I8254_COUNTERS 3

typedef struct I8254Counter {
    uint8_t mode, rw;
    bool bcd, gate;
    bool loaded;    /* has a count since its mode was set */
    bool triggered; /* modes 1 and 5: the gate has risen since */
    bool running;
    bool null_count;     /* written, not yet in the counting element */
    uint32_t count;      /* 1 to 65536 */
    uint32_t next_count; /* waits for the end of the (half-)cycle, or for a trigger; 0: none */
    uint64_t next_at;    /* modes 2 and 3: clocks since `start` at which it is taken up */
    int64_t start;       /* virtual ns at which the count was `count` */
    uint64_t held;       /* ticks gone by when it stopped */

    uint8_t write_latch;
    bool write_msb, read_msb; /* second byte is due */
    uint8_t count_latched;    /* bytes of it still to be read */
    uint16_t latched_count;
    bool status_latched;
    uint8_t latched_status;
} I8254Counter;

struct I8254State {
    ISADevice parent_obj;
    MemoryRegion io;
    IRQ irq;
    Timer *timer;
    VMClock *clock;
    MachineState *machine;
    uint32_t iobase;

    I8254Counter counters[I8254_COUNTERS];
    bool irq_enabled;
    int64_t seen;        /* rising edges up to here are accounted for */
    int64_t last_expiry; /* of the timer */
    const void *loader;  /* the CPU that loaded counter 2, and nobody has looked since; or NULL */
    int64_t loader_delay; /* its host_delay_ns() then */
    int64_t retry_gap;   /* the last edge was lost: show it again after this, ns; 0: it was not */
};

/* A control word: the counter waits for a count. */
void i8254_counter_program(I8254Counter *c, unsigned rw, unsigned mode, bool bcd);
/* A complete count, in the counter's number system. */
void i8254_counter_load(I8254Counter *c, uint16_t count, int64_t now);
/* The first of two bytes: mode 0 stops. */
void i8254_counter_first_byte(I8254Counter *c);
void i8254_counter_set_gate(I8254Counter *c, bool level, int64_t now);
uint16_t i8254_counter_count(I8254Counter *c, int64_t now);
bool i8254_counter_out(I8254Counter *c, int64_t now);
/* The first rising edge of the output after `now`, in virtual ns; -1: none to come. */
int64_t i8254_counter_next_rise(I8254Counter *c, int64_t now);

#endif
