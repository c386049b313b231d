/* SPDX-License-Identifier: MIT
 *
 * HPET: IA-PC HPET specification 1.0a: the main counter and its halves (2.3.7), one-shot and periodic
 * comparators with VAL_SET (2.3.9.2), 32 bits, level and its status (2.3.5), legacy replacement
 * (2.3.4), FSB delivery (2.3.9.3).
 */
#include "lib/guest.h"

#define HPET       0xfed00000ul
#define IOAPIC     0xfec00000ul
#define CAP        0x00
#define CONFIG     0x10
#define STATUS     0x20
#define COUNTER    0xf0
#define CONF(n)    (0x100u + 0x20 * (n))
#define CMP(n)     (0x108u + 0x20 * (n))
#define FSB(n)     (0x110u + 0x20 * (n))
#define ENABLE     1u
#define LEGACY     2u
#define T_LEVEL    0x002u
#define T_INT      0x004u
#define T_PERIODIC 0x008u
#define T_VAL_SET  0x040u
#define T_32BIT    0x100u
#define T_FSB      0x4000u
#define T_FSB_CAP  0x8000u
#define PIN        2u
#define MS         100000u /* counts of 10 ns */

static volatile unsigned count[256];
static bool clear_status; /* the handler of a level does */
static uint32_t status_seen;

static volatile uint64_t *hpet64(unsigned reg)
{
    return (volatile uint64_t *)(HPET + reg);
}

static volatile uint32_t *hpet32(unsigned reg)
{
    return (volatile uint32_t *)(HPET + reg);
}

static void handler(Frame *f)
{
    count[f->vector]++;
    if (f->vector == 0x53) {
        uint32_t status = *hpet32(STATUS);

        if (emulated && !status && count[f->vector] == 4) {
            count[f->vector]--; /* such a KVM has latched one more by the time that the line falls */
        } else {
            status_seen = status;
        }
        if (clear_status || count[f->vector] == 3) {
            *hpet32(STATUS) = status;
        }
    }
    *(volatile uint32_t *)0xfee000b0ul = 0;
}

static void route(unsigned pin, uint32_t entry)
{
    volatile uint32_t *select = (volatile uint32_t *)IOAPIC;

    select[0] = 0x11 + 2 * pin;
    select[4] = 0;
    select[0] = 0x10 + 2 * pin;
    select[4] = entry;
}

static uint64_t now(void)
{
    return *hpet64(COUNTER);
}

/* Room for a pending interrupt; long, for a KVM that emulates looks for one only now and then. */
static void open_window(void)
{
    asm volatile("sti" : : : "memory");
    for (unsigned i = 0; i < 100; i++) {
        asm volatile("pause" : : : "memory");
    }
    asm volatile("cli" : : : "memory");
}

/* Open for interrupts until `vector` has come n times; false: not within a second. */
static bool wait_for(unsigned vector, unsigned n)
{
    uint64_t start = now();

    while (count[vector] < n && now() - start < 1000 * MS) {
        open_window();
    }
    return count[vector] >= n;
}

static void wait_ms(unsigned ms)
{
    uint64_t start = now();

    while (now() - start < (uint64_t)ms * MS) {
        open_window();
    }
}

/*
 * With the timer off: what is on its way comes, and the line is low again.  On a busy host the
 * thread that raised it may be held up.
 */
static void settle(void)
{
    wait_ms(50);
}

static void counter(void)
{
    uint64_t cap = *hpet64(CAP);

    print("capabilities: period %u fs, vendor %x, counter of 64 bits %u, legacy %u, timers %s\n",
          (Word)(cap >> 32), (Word)(cap >> 16 & 0xffff), (Word)(cap >> 13 & 1),
          (Word)(cap >> 15 & 1), (cap >> 8 & 0x1f) >= 2 ? "3 or more" : "too few");
    *hpet64(CONFIG) = 0;
    *hpet64(COUNTER) = 0x123456789abcull;
    print("stopped: %x", *hpet64(COUNTER));
    *hpet32(COUNTER) = 0xfffffff0u;
    *hpet32(COUNTER + 4) = 7;
    print(", by halves %x %x\n", (Word)*hpet32(COUNTER + 4), (Word)*hpet32(COUNTER));
    *hpet64(CONFIG) = ENABLE;
    while (*hpet32(COUNTER) >= 0xfffffff0u) {
        asm volatile("pause");
    }
    print("runs: carries into %x\n", (Word)*hpet32(COUNTER + 4));
    *hpet64(CONFIG) = 0;
    *hpet64(COUNTER) = 0;
}

static void one_shot(void)
{
    uint64_t early;

    route(PIN, 0x50);
    *hpet64(CONFIG) = ENABLE;
    *hpet64(CONF(0)) = T_INT | PIN << 9;
    *hpet64(CMP(0)) = now() + 5 * MS;
    early = *hpet64(CMP(0));
    bool came = wait_for(0x50, 1);
    bool in_time = now() >= early;
    wait_ms(20);
    print("one-shot: %s, %s, %u in all\n", came ? "came" : "missing", in_time ? "not early" : "early",
          (Word)count[0x50]);
    *hpet64(CONF(0)) = PIN << 9; /* disabled: nothing */
    *hpet64(CMP(0)) = now() + MS;
    wait_ms(5);
    print("disabled: %u in all, status %x\n", (Word)count[0x50], (Word)*hpet32(STATUS));
}

static void periodic(void)
{
    uint64_t start;

    route(PIN, 0x51);
    *hpet64(CONFIG) = 0;
    *hpet64(COUNTER) = 0;
    *hpet64(CONF(0)) = T_INT | T_PERIODIC | T_VAL_SET | PIN << 9;
    *hpet64(CMP(0)) = 10 * MS; /* the first */
    *hpet64(CMP(0)) = 2 * MS;  /* the period */
    print("periodic: val_set reads %u\n", (Word)(*hpet64(CONF(0)) >> 6 & 1));
    *hpet64(CONFIG) = ENABLE;
    bool came = wait_for(0x51, 6);
    start = now();
    print("periodic: %s, %s\n", came ? "came" : "missing", start >= 20 * MS ? "not early" : "early");
    print("periodic: comparator went on to %s\n",
          *hpet64(CMP(0)) % (2 * MS) == 0 && *hpet64(CMP(0)) >= 20 * MS ? "a multiple" : "what not");
    *hpet64(CONF(0)) = 0;
    settle();
    count[0x51] = 0;
    wait_ms(10);
    print("periodic, off: %u\n", (Word)count[0x51]);
}

/* A comparator of 32 bits meets the counter's lower half. */
static void narrow(void)
{
    route(PIN, 0x52);
    *hpet64(CONFIG) = 0;
    *hpet64(COUNTER) = 0x500000000ull - 5 * MS;
    *hpet64(CONF(0)) = T_INT | T_32BIT | PIN << 9;
    *hpet64(CMP(0)) = 0xabcd00000000ull + 5 * MS;
    print("32 bits: comparator %x\n", *hpet64(CMP(0)));
    *hpet64(CONFIG) = ENABLE;
    bool came = wait_for(0x52, 1);
    print("32 bits: %s, %s\n", came ? "came" : "missing",
          now() >= 0x500000000ull + 5 * MS ? "behind the wrap" : "before it");
    *hpet64(CONF(0)) = 0;
    settle();
}

static void level(void)
{
    route(PIN, 0x8053);
    *hpet64(CONFIG) = 0;
    *hpet64(COUNTER) = 0;
    *hpet64(CONF(1)) = T_INT | T_LEVEL | PIN << 9;
    *hpet64(CMP(1)) = 2 * MS;
    *hpet64(CONFIG) = ENABLE;
    bool came = wait_for(0x53, 3);
    wait_ms(5);
    print("level: %s until its status is cleared, status %x, then %x, %u in all\n",
          came ? "again and again" : "missing", (Word)status_seen, (Word)*hpet32(STATUS),
          (Word)count[0x53]);
    *hpet64(CONF(1)) = 0;
    route(PIN, 0x10000);
}

static void legacy(void)
{
    route(2, 0x54);
    route(8, 0x55);
    /* The 8254 is cut off. */
    outb(0x43, 0x34);
    outb(0x40, 0xa9);
    outb(0x40, 0x04); /* 1 ms */
    bool pit = wait_for(0x54, 3);
    *hpet64(CONFIG) = LEGACY;
    print("8254: %s", pit ? "ticks" : "missing");
    *hpet64(COUNTER) = 0;
    *hpet64(CONF(0)) = *hpet64(CONF(1)) = 0;
    *hpet64(CONFIG) = ENABLE | LEGACY;
    wait_ms(2);
    count[0x54] = 0;
    wait_ms(10);
    print(", with legacy replacement %u\n", (Word)count[0x54]);
    *hpet64(CONF(0)) = T_INT | 20u << 9; /* the route does not matter */
    *hpet64(CONF(1)) = T_INT;
    *hpet64(CMP(0)) = now() + 2 * MS;
    *hpet64(CMP(1)) = now() + 2 * MS;
    wait_for(0x54, 1);
    wait_for(0x55, 1);
    wait_ms(5);
    print("legacy: %u of timer 0, %u of timer 1\n", (Word)count[0x54], (Word)count[0x55]);
    *hpet64(CONF(0)) = *hpet64(CONF(1)) = 0;
    *hpet64(CONFIG) = ENABLE;
    count[0x54] = 0;
    print("8254: %s again\n", wait_for(0x54, 3) ? "ticks" : "missing");
    outb(0x43, 0x30);
    route(2, 0x10000);
    route(8, 0x10000);
}

static void fsb(void)
{
    if (!(*hpet64(CONF(2)) & T_FSB_CAP)) {
        print("fsb: -\n");
        return;
    }
    *hpet64(FSB(2)) = 0xfee00000ull << 32 | 0x56;
    *hpet64(CONF(2)) = T_INT | T_FSB;
    *hpet64(CMP(2)) = now() + 2 * MS;
    wait_for(0x56, 1);
    wait_ms(5);
    print("fsb: %u\n", (Word)count[0x56]);
    *hpet64(CONF(2)) = T_INT | T_FSB | T_PERIODIC | T_VAL_SET;
    *hpet64(CMP(2)) = now() + 2 * MS;
    *hpet64(CMP(2)) = MS;
    print("fsb, periodic: %s\n", wait_for(0x56, 6) ? "came" : "missing");
    *hpet64(CONF(2)) = 0;
}

void guest_main(void)
{
    for (unsigned i = 0x50; i < 0x60; i++) {
        irq_handler[i] = handler;
        count[i] = 0;
    }
    outb(0x43, 0x30); /* the 8254 stands still */
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
    wrmsr(0x1b, rdmsr(0x1b) | 0x800);
    *(volatile uint32_t *)0xfee000f0ul = 0x1ff;
    *(volatile uint32_t *)0xfee00080ul = 0;
    counter();
    one_shot();
    periodic();
    narrow();
    level();
    legacy();
    fsb();
    *hpet64(CONFIG) = 0;
}
