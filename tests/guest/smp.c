/* SPDX-License-Identifier: MIT
 *
 * Several processors, woken by INIT and SIPI (SDM vol. 3, 8.4): locked
 * operations lose nothing, also across lines and pages; code that one changes
 * is seen by the others.
 */
#include "lib/guest.h"

#define MAX_CPUS  8
#define TRAMPOLINE 0x9000u
#define ROUNDS_TCG 20000
#define ROUNDS_EMULATED 200

extern uint8_t ap_start[], ap_start_end[];
extern uint64_t ap_code[];
uint8_t ap_stacks[MAX_CPUS][8192] __attribute__((aligned(16)));
volatile uint32_t ap_count;

static volatile uint32_t go, done;
static void (*volatile work)(unsigned cpu);
static unsigned nr_cpus, rounds;

static volatile uint64_t counters[8] __attribute__((aligned(64)));
static uint8_t split[8192] __attribute__((aligned(4096)));
static volatile uint32_t lock, guarded;
static volatile uint64_t pair[2] __attribute__((aligned(16)));

static volatile uint32_t *apic(unsigned reg)
{
    return (volatile uint32_t *)(0xfee00000ul + reg);
}

static void pause_loop(unsigned n)
{
    while (n--) {
        asm volatile("pause");
    }
}

/* An AP gets here with its number. */
void ap_main(unsigned cpu)
{
    uint32_t seen = 0;

    for (;;) {
        while (go == seen) {
            asm volatile("pause");
        }
        seen = go;
        work(cpu);
        asm volatile("lock incl %0" : "+m"(done));
    }
}

static void run_on_all(void (*fn)(unsigned cpu))
{
    work = fn;
    done = 0;
    go++;
    fn(0);
    while (done != nr_cpus - 1) {
        asm volatile("pause");
    }
}

static void wake(void)
{
    for (unsigned i = 0; ap_start + i < ap_start_end; i++) {
        ((volatile uint8_t *)TRAMPOLINE)[i] = ap_start[i];
    }
    wrmsr(0x1b, rdmsr(0x1b) | 0x800);
    *apic(0xf0) = 0x1ff;
    *apic(0x310) = 0;
    *apic(0x300) = 0xc4500;
    pause_loop(2000);
    for (unsigned i = 0; i < 2; i++) {
        *apic(0x300) = 0xc4600 | TRAMPOLINE >> 12;
        pause_loop(2000);
    }
    while (ap_count < nr_cpus - 1) {
        asm volatile("pause");
    }
}

static void add_one(unsigned cpu)
{
    for (unsigned i = 0; i < rounds; i++) {
        asm volatile("lock incq %0" : "+m"(counters[0]));
        asm volatile("lock addl $3, %0" : "+m"(*(volatile uint32_t *)&counters[1]));
        asm volatile("lock decw %0" : "+m"(*(volatile uint16_t *)&counters[2]));
        asm volatile("lock addb $1, %0" : "+m"(*((volatile uint8_t *)&counters[3] + 1)));
    }
}

static void exchange_add(unsigned cpu)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < rounds; i++) {
        uint64_t one = 1;

        asm volatile("lock xaddq %0, %1" : "+r"(one), "+m"(counters[0]));
        sum += one;
    }
    asm volatile("lock addq %1, %0" : "+m"(counters[1]) : "r"(sum));
}

static void compare_exchange(unsigned cpu)
{
    for (unsigned i = 0; i < rounds; i++) {
        uint64_t old = counters[0], was;

        do {
            was = old;
            asm volatile("lock cmpxchgq %2, %1"
                         : "+a"(old), "+m"(counters[0])
                         : "r"(was + 1)
                         : "cc");
        } while (old != was);
    }
}

static void pair_add(unsigned cpu)
{
    for (unsigned i = 0; i < rounds; i++) {
        uint64_t lo = pair[0], hi = pair[1];
        uint8_t ok;

        do {
            asm volatile("lock cmpxchg16b %1; sete %0"
                         : "=q"(ok), "+m"(pair), "+a"(lo), "+d"(hi)
                         : "b"(lo + 1), "c"(hi - 1)
                         : "cc");
        } while (!ok);
    }
}

static void spin_lock(unsigned cpu)
{
    for (unsigned i = 0; i < rounds; i++) {
        uint32_t one = 1;

        do {
            one = 1;
            asm volatile("xchgl %0, %1" : "+r"(one), "+m"(lock) : : "memory");
        } while (one);
        guarded = guarded + 1;
        lock = 0;
    }
}

static void split_add(unsigned cpu)
{
    for (unsigned i = 0; i < rounds; i++) {
        asm volatile("lock incq %0" : "+m"(*(volatile uint64_t *)(split + 60)));
        asm volatile("lock incl %0" : "+m"(*(volatile uint32_t *)(split + 4094)));
    }
}

static void bits(unsigned cpu)
{
    for (unsigned i = cpu; i < 512; i += nr_cpus) {
        asm volatile("lock btsl %1, %0" : "+m"(split[1024]) : "r"(i) : "cc", "memory");
    }
}

static void show(const char *what, Word got, Word want)
{
    print("%s: %s\n", what, got == want ? "right" : "wrong");
    if (got != want) {
        print("  %x instead of %x\n", got, want);
    }
    flush_text();
}

static void counters_clear(void)
{
    for (unsigned i = 0; i < 8; i++) {
        counters[i] = 0;
    }
    for (unsigned i = 0; i < sizeof split; i++) {
        split[i] = 0;
    }
    pair[0] = pair[1] = guarded = 0;
}

static void adds(Word n)
{
    run_on_all(add_one);
    show("lock inc qword", counters[0], n);
    show("lock add dword", counters[1], n * 3 & 0xffffffff);
    show("lock dec word", counters[2], -n & 0xffff);
    show("lock add byte", counters[3], (n & 0xff) << 8);
    counters_clear();
    run_on_all(exchange_add);
    show("lock xadd", counters[0], n);
    show("lock xadd, old values", counters[1], n * (n - 1) / 2);
}

static void others(Word n)
{
    unsigned set = 0;

    counters_clear();
    run_on_all(compare_exchange);
    show("lock cmpxchg", counters[0], n);
    if (emulated) {
        print("lock cmpxchg16b: -\n");
    } else {
        run_on_all(pair_add);
        show("lock cmpxchg16b", pair[0] == n && pair[1] == -n, 1);
    }
    run_on_all(spin_lock);
    show("xchg as a lock", guarded, n);
    run_on_all(split_add);
    show("lock inc across a line", *(uint64_t *)(split + 60), n);
    if (emulated) {
        print("lock inc across a page: -\n");
    } else {
        show("lock inc across a page", *(uint32_t *)(split + 4094), n);
    }
    run_on_all(bits);
    for (unsigned i = 0; i < 64; i++) {
        set += split[1024 + i] == 0xff;
    }
    show("lock bts", set, 64);
}

static uint8_t patch[16] __attribute__((aligned(16)));
static volatile uint32_t version, answers, arrived;

/* CPU 0 writes new code while the others wait, then all serialise and call it. */
static void call_patched(unsigned cpu)
{
    for (unsigned i = 1; i <= 50; i++) {
        uint32_t r[4];

        if (cpu == 0) {
            patch[0] = 0xb8;
            *(volatile uint32_t *)(patch + 1) = i * 0x101;
            patch[5] = 0xc3;
            version = i;
        }
        while (version < i) {
            asm volatile("pause");
        }
        cpuid(0, 0, r);
        if (((uint32_t(*)(void))(Word)patch)() == i * 0x101) {
            asm volatile("lock incl %0" : "+m"(answers));
        }
        asm volatile("lock incl %0" : "+m"(arrived));
        while (arrived < i * nr_cpus) {
            asm volatile("pause");
        }
    }
}

static void cross_modify(void)
{
    version = answers = arrived = 0;
    run_on_all(call_patched);
    show("code changed by another", answers, 50 * nr_cpus);
}

void guest_main(void)
{
    if (!nr_cpus) {
        nr_cpus = command_line_number("smp", 1);
        rounds = emulated ? ROUNDS_EMULATED : ROUNDS_TCG;
        wake();
    }
    print("processors: %s\n", ap_count + 1 == nr_cpus ? "all" : "too many");
    counters_clear();
    adds((Word)rounds * nr_cpus);
    others((Word)rounds * nr_cpus);
    cross_modify();
}
