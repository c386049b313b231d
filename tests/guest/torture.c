/* SPDX-License-Identifier: MIT
 *
 * Processors against each other: every locked operation of every width, aligned and
 * across lines and pages; what TSO forbids; interrupts of all kinds; translations and code
 * that one processor changes under the others (SDM vol. 3, ch. 9 and 11).  Each round holds
 * what came out against what must.  `minutes=N` goes on for so long; else one round.
 */
#include "torture.h"

extern uint8_t ap_start[], ap_start_end[];
uint8_t ap_stacks[MAX_CPUS][8192] __attribute__((aligned(16)));
volatile uint32_t ap_count;

volatile uint32_t taken[MAX_CPUS], taken_nmi[MAX_CPUS];
unsigned nr_cpus, rounds;
bool quiet;

static volatile uint32_t go, done, barrier_count, barrier_turn;
static void (*volatile work)(unsigned cpu);
static unsigned bad_lines;

void pause_loop(unsigned n)
{
    while (n--) {
        asm volatile("pause");
    }
}

void barrier(void)
{
    uint32_t turn = barrier_turn, one = 1;

    asm volatile("lock xaddl %0, %1" : "+r"(one), "+m"(barrier_count) : : "memory");
    if (one + 1 == nr_cpus) {
        barrier_count = 0;
        barrier_turn = turn + 1;
    }
    while (barrier_turn == turn) {
        asm volatile("pause");
    }
}

static void cpu_init(void)
{
    static struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } idt;

    if (!idt.limit) {
        asm volatile("sidt %0" : "=m"(idt));
    }
    asm volatile("lidt %0" : : "m"(idt));
    wrmsr(0x1b, rdmsr(0x1b) | 0x800);
    *apic(0xf0) = 0x1ff;
    *apic(0x80) = 0;
}

/* An AP gets here with its number. */
void ap_main(unsigned cpu)
{
    uint32_t seen = go;

    cpu_init();
    sti();
    asm volatile("lock incl %0" : "+m"(done));
    for (;;) {
        while (go == seen) {
            asm volatile("pause");
        }
        seen = go;
        work(cpu);
        asm volatile("lock incl %0" : "+m"(done));
    }
}

void run_on_all(void (*fn)(unsigned cpu))
{
    work = fn;
    done = 0;
    go++;
    fn(0);
    while (done != nr_cpus - 1) {
        asm volatile("pause");
    }
}

void send(unsigned cpu, uint32_t low)
{
    while (*apic(0x300) & 0x1000) {
    }
    *apic(0x310) = cpu << 24;
    *apic(0x300) = low;
}

/* INIT, SIPI, SIPI; one at a time, so that its number is its APIC ID. */
void start(unsigned cpu)
{
    done = 0;
    ap_count = cpu - 1;
    send(cpu, 0x4500);
    pause_loop(2000);
    for (unsigned i = 0; i < 2 && !done; i++) {
        send(cpu, 0x4600 | TRAMPOLINE >> 12);
        pause_loop(2000);
    }
    while (!done) {
        asm volatile("pause");
    }
}

void show(const char *what, unsigned wrong)
{
    if (wrong) {
        bad_lines++;
    }
    if (!wrong && !quiet) {
        print("%s: right\n", what);
    } else if (wrong && bad_lines < 50) {
        print("%s: wrong\n  %u times\n", what, wrong);
    }
    flush_text();
}

static void on_ipi(Frame *f)
{
    taken[*apic(0x20) >> 24]++;
    *apic(0xb0) = 0;
}

static void on_nmi(Frame *f)
{
    taken_nmi[*apic(0x20) >> 24]++;
}

static unsigned rtc_minute(void)
{
    outb(0x70, 2);
    return inb(0x71);
}

/* Further rounds, which only say what went wrong. */
static void go_on(unsigned minutes)
{
    unsigned last = rtc_minute();

    while (minutes && !bad_lines) {
        unsigned now = rtc_minute();

        if (now != last) {
            last = now;
            minutes--;
        }
        quiet = true;
        torture_round();
    }
    quiet = false;
}

void torture_round(void)
{
    locked_round();
    order_round();
    ipi_round();
    change_round();
}

void guest_main(void)
{
    if (!nr_cpus) {
        nr_cpus = command_line_number("smp", 1);
        rounds = command_line_number("rounds", emulated ? 60 : 2000);
        for (unsigned i = 0; ap_start + i < ap_start_end; i++) {
            ((volatile uint8_t *)TRAMPOLINE)[i] = ap_start[i];
        }
        irq_handler[VECTOR_IPI] = on_ipi;
        irq_handler[2] = on_nmi;
        cpu_init();
        for (unsigned cpu = 1; cpu < nr_cpus; cpu++) {
            start(cpu);
        }
    }
    show("processors", ap_count + 1 != nr_cpus);
    torture_round();
    go_on(command_line_number("minutes", 0));
    cli();
}
