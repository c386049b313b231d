/* SPDX-License-Identifier: MIT
 *
 * The 8259A pair (Intel 231468), its inputs driven by pc-testdev: initialization, nesting, rotation,
 * masks, EOI in its forms, poll, level inputs, and what a request that is withdrawn leads to.
 */
#include "lib/guest.h"

#define MASTER 0x20u
#define SLAVE  0xa0u
#define LINE   0x2000u /* pc-testdev: level of ISA interrupt n */

static volatile unsigned last_vector, taken;

static void handler(Frame *f)
{
    last_vector = f->vector;
    taken++;
}

static void line(unsigned n, unsigned level)
{
    outb(LINE + n, level);
}

static void pulse(unsigned n)
{
    line(n, 1);
    line(n, 0);
}

static unsigned irr(unsigned chip)
{
    outb(chip, 0x0a);
    return inb(chip);
}

static unsigned isr(unsigned chip)
{
    outb(chip, 0x0b);
    return inb(chip);
}

static unsigned poll(unsigned chip)
{
    outb(chip, 0x0c);
    return inb(chip);
}

static void init_chip(unsigned chip, unsigned base, unsigned icw3, unsigned icw4)
{
    outb(chip, 0x11);
    outb(chip + 1, base);
    outb(chip + 1, icw3);
    outb(chip + 1, icw4);
}

static void init(unsigned icw4)
{
    for (unsigned n = 3; n < 16; n++) {
        if (n != 8 && n != 9 && n != 13) {
            line(n, 0);
        }
    }
    outb(0x4d0, 0);
    outb(0x4d1, 0);
    init_chip(MASTER, 0x50, 4, icw4);
    init_chip(SLAVE, 0x58, 2, icw4 & ~0x10u);
    outb(MASTER + 1, 0x03); /* the 8254 and the keyboard are not of this */
    outb(SLAVE + 1, 0x33);  /* 10, 11, 14, 15 */
}

/* Open for interrupts: what the CPU takes, 0: nothing. */
static unsigned take(void)
{
    last_vector = 0;
    for (unsigned i = 0; i < 10; i++) {
        asm volatile("sti; nop; outb %%al, $0x80; nop; cli" : : : "memory");
    }
    return last_vector;
}

static void nesting(void)
{
    init(1);
    print("init: imr %x, isr %x\n", (Word)inb(MASTER + 1), (Word)isr(MASTER));
    pulse(5);
    pulse(3);
    print("nesting: irr %x", (Word)irr(MASTER) & 0xfc);
    print(", first %x", (Word)take());
    print(", below it %x", (Word)take());
    pulse(4);
    print(", still %x, isr %x", (Word)take(), (Word)isr(MASTER));
    outb(MASTER, 0x20);
    print(", then %x", (Word)take());
    outb(MASTER, 0x64);
    print(" and %x\n", (Word)take());
    outb(MASTER, 0x65);
    print("eoi: isr %x\n", (Word)isr(MASTER));
}

static void cascade(void)
{
    init(1);
    pulse(14);
    pulse(10);
    print("cascade: %x", (Word)take());
    print(", isr %x and %x", (Word)isr(MASTER), (Word)isr(SLAVE));
    pulse(11);
    print(", more urgent in the slave but one %x", (Word)take());
    outb(SLAVE, 0x20);
    outb(MASTER, 0x20);
    print(", then %x", (Word)take());
    outb(SLAVE, 0x20);
    outb(MASTER, 0x20);
    print(", then %x\n", (Word)take());
    outb(SLAVE, 0x20);
    outb(MASTER, 0x20);
    init(0x11); /* special fully nested */
    pulse(14);
    take();
    pulse(10);
    print("special fully nested: %x", (Word)take());
    print(", isr %x and %x\n", (Word)isr(MASTER), (Word)isr(SLAVE));
}

static void rotation(void)
{
    init(1);
    outb(MASTER, 0xc4); /* 4 is lowest, 5 highest */
    pulse(3);
    pulse(6);
    pulse(5);
    print("set priority: %x", (Word)poll(MASTER));
    outb(MASTER, 0xa0); /* rotate on non-specific EOI */
    print(", rotated %x", (Word)poll(MASTER));
    outb(MASTER, 0xe6); /* rotate on specific EOI */
    print(" %x", (Word)poll(MASTER));
    outb(MASTER, 0x20);
    print(", none %x\n", (Word)poll(MASTER) & 0x80);
    init(3); /* automatic EOI */
    outb(MASTER, 0x80);
    pulse(4);
    print("automatic eoi: %x, isr %x", (Word)poll(MASTER), (Word)isr(MASTER));
    pulse(4);
    pulse(7);
    print(", rotated %x", (Word)poll(MASTER));
    print(" %x\n", (Word)poll(MASTER));
}

static void masks(void)
{
    init(1);
    outb(MASTER + 1, 0x23); /* 5 too */
    pulse(5);
    print("masked: irr %x, %x", (Word)irr(MASTER) & 0xfc, (Word)take());
    outb(MASTER + 1, 0x03);
    print(", unmasked %x\n", (Word)take());
    pulse(6);
    print("special mask: before %x", (Word)take());
    outb(MASTER + 1, 0x23);
    outb(MASTER, 0x68);
    print(", set %x", (Word)take());
    outb(MASTER, 0x20);
    print(", eoi of the one that is not masked: isr %x", (Word)isr(MASTER));
    outb(MASTER, 0x48);
    outb(MASTER, 0x20);
    print(", reset %x\n", (Word)isr(MASTER));
}

static void poll_slave(void)
{
    init(1);
    pulse(15);
    print("poll: %x", (Word)poll(MASTER));
    print(" %x", (Word)poll(SLAVE));
    print(" %x, isr %x and %x\n", (Word)poll(SLAVE) & 0x80, (Word)isr(MASTER), (Word)isr(SLAVE));
}

static void levels(void)
{
    init(1);
    outb(0x4d0, 0x20);
    outb(0x4d1, 0x0c);
    print("elcr: %x %x", (Word)inb(0x4d0), (Word)inb(0x4d1));
    outb(0x4d0, 0xff);
    outb(0x4d1, 0xff);
    print(", what can be %x %x\n", (Word)inb(0x4d0), (Word)inb(0x4d1));
    outb(0x4d0, 0x20);
    outb(0x4d1, 0x0c);
    line(5, 1);
    print("level: %x", (Word)take());
    outb(MASTER, 0x20);
    print(", again %x", (Word)take());
    line(5, 0);
    outb(MASTER, 0x20);
    print(", gone %x, irr %x\n", (Word)take(), (Word)irr(MASTER) & 0xfc);
    line(10, 1);
    print("level 10: irr %x and %x", (Word)irr(MASTER) & 0xfc, (Word)irr(SLAVE) & 0xcc);
    line(10, 0);
    print(", withdrawn %x and %x\n", (Word)irr(MASTER) & 0xfc, (Word)irr(SLAVE) & 0xcc);
    outb(0x4d0, 0);
    outb(0x4d1, 0);
}

void guest_main(void)
{
    for (unsigned i = 0x50; i < 0x60; i++) {
        irq_handler[i] = handler;
    }
    outb(0x43, 0x30);
    nesting();
    cascade();
    rotation();
    masks();
    poll_slave();
    levels();
    outb(MASTER + 1, 0xff);
    outb(SLAVE + 1, 0xff);
}
