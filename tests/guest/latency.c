/* SPDX-License-Identifier: MIT
 *
 * What exits, timers and interrupts cost (scripts/dev bench): a line for each, `name: N ns`, the
 * median of its samples.  Needs a pc-testdev; with smp=2, also a round trip between CPUs.  only=
 * (bits) picks some, repeat= makes them many: a profile of those alone.
 */
#include "lib/clock.h"

#define APIC        0xfee00000ul
#define TEST_PORT   0xe0
#define TEST_MEMORY 0xff000000ul
#define VECTOR      0x90
#define TRAMPOLINE  0x9000u
#define MAX_SAMPLES 2000
#define BATCH       16

extern uint8_t ap_start[], ap_start_end[];
uint8_t ap_stacks[8][8192] __attribute__((aligned(16)));
volatile uint32_t ap_count;

static uint64_t samples[MAX_SAMPLES];
static unsigned nr_samples;
static uint64_t ticks_per_us;
static volatile uint64_t taken_at;
static volatile uint32_t answered;

static volatile uint32_t *apic(unsigned reg)
{
    return (volatile uint32_t *)(APIC + reg);
}

static void show(const char *name)
{
    for (unsigned i = 1; i < nr_samples; i++) {
        uint64_t v = samples[i];
        unsigned j = i;

        for (; j && samples[j - 1] > v; j--) {
            samples[j] = samples[j - 1];
        }
        samples[j] = v;
    }
    print("%s: %u ns\n", name, samples[nr_samples / 2] * 1000 / ticks_per_us);
    flush_text();
}

/* ---- exits ------------------------------------------------------------------------------------ */

static void port_write(void)
{
    outb(TEST_PORT, 0);
}

static void port_read(void)
{
    inb(TEST_PORT);
}

static void memory_write(void)
{
    *(volatile uint32_t *)TEST_MEMORY = 0;
}

static void memory_read(void)
{
    (void)*(volatile uint32_t *)TEST_MEMORY;
}

static void time_exits(const char *name, void (*op)(void))
{
    op();
    for (unsigned i = 0; i < nr_samples; i++) {
        uint64_t start = tsc();

        for (unsigned n = 0; n < BATCH; n++) {
            op();
        }
        samples[i] = (tsc() - start) / BATCH;
    }
    show(name);
}

/* ---- interrupts ------------------------------------------------------------------------------- */

static void handler(Frame *f)
{
    taken_at = tsc();
    *apic(0xb0) = 0;
}

static void self_ipi(void)
{
    for (unsigned i = 0; i < nr_samples; i++) {
        uint64_t start;

        taken_at = 0;
        cli();
        start = tsc();
        *apic(0x300) = 0x40000 | VECTOR;
        sti();
        while (!taken_at) {
        }
        samples[i] = taken_at - start;
    }
    cli();
    show("interrupt to itself");
}

/* How late a timer of 100 us is. */
static void timer(const char *name, bool halted)
{
    const uint64_t delay = 100;

    *apic(0x3e0) = 0xb;
    *apic(0x320) = VECTOR;
    for (unsigned i = 0; i < nr_samples; i++) {
        uint64_t start;

        taken_at = 0;
        start = tsc();
        *apic(0x380) = delay * 1000; /* the bus clock is 1 GHz */
        if (halted) {
            while (!taken_at) {
                sti_hlt_cli();
            }
        } else {
            sti();
            while (!taken_at) {
            }
            cli();
        }
        uint64_t took = taken_at - start;
        samples[i] = took > delay * ticks_per_us ? took - delay * ticks_per_us : 0;
    }
    *apic(0x320) = 0x10000;
    show(name);
}

/* ---- between CPUs ------------------------------------------------------------------------------- */

static void answer(Frame *f)
{
    *apic(0xb0) = 0;
    answered++;
}

static struct {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed)) idt;

/* The other CPU sleeps until it is asked. */
void ap_main(unsigned cpu)
{
    asm volatile("lidt %0" : : "m"(idt));
    *apic(0xf0) = 0x1ff;
    for (;;) {
        sti_hlt_cli();
    }
}

static void pause_loop(unsigned n)
{
    while (n--) {
        asm volatile("pause");
    }
}

static void wake(void)
{
    asm volatile("sidt %0" : "=m"(idt));
    for (unsigned i = 0; ap_start + i < ap_start_end; i++) {
        ((volatile uint8_t *)TRAMPOLINE)[i] = ap_start[i];
    }
    *apic(0x310) = 0;
    *apic(0x300) = 0xc4500;
    pause_loop(2000);
    for (unsigned i = 0; i < 2; i++) {
        *apic(0x300) = 0xc4600 | TRAMPOLINE >> 12;
        pause_loop(2000);
    }
    while (!ap_count) {
        asm volatile("pause");
    }
    pause_loop(20000);
}

static void other_cpu(void)
{
    for (unsigned i = 0; i < nr_samples; i++) {
        uint32_t before = answered;
        uint64_t start = tsc();

        *apic(0x310) = 1u << 24;
        *apic(0x300) = 0x4000 | (VECTOR + 1);
        while (answered == before) {
            asm volatile("pause");
        }
        samples[i] = tsc() - start;
        pause_loop(200);
    }
    show("waking another CPU");
}

static void measure(unsigned which)
{
    static const struct {
        const char *name;
        void (*op)(void);
    } exits[] = {
        {"port write", port_write},
        {"port read", port_read},
        {"memory write", memory_write},
        {"memory read", memory_read},
    };

    for (unsigned i = 0; i < 4; i++) {
        if (which & 1u << i) {
            time_exits(exits[i].name, exits[i].op);
        }
    }
    if (which & 0x10) {
        self_ipi();
    }
    if (which & 0x20) {
        timer("timer, running", false);
        timer("timer, halted", true);
    }
}

void guest_main(void)
{
    nr_samples = command_line_number("samples", 500);
    if (nr_samples > MAX_SAMPLES) {
        fail("samples");
    }
    wrmsr(0x1b, rdmsr(0x1b) | 0x800);
    *apic(0xf0) = 0x1ff;
    irq_handler[VECTOR] = handler;
    irq_handler[VECTOR + 1] = answer;
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
    ticks_per_us = tsc_ticks_per_us();
    for (unsigned n = command_line_number("repeat", 1); n; n--) {
        measure(command_line_number("only", 0x3f));
    }
    if (command_line_number("smp", 1) > 1) {
        wake();
        other_cpu();
    }
}
