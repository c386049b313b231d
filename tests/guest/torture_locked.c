/* SPDX-License-Identifier: MIT
 *
 * Each form of LOCK (SDM vol. 2, LOCK; vol. 3, 9.1) on all processors at once.
 */
#include "torture.h"

/* What `n` of the operation on all processors make of 0, apart from the order. */
typedef enum Sum {
    SUM_ADD,  /* n times the step */
    SUM_FLIP, /* all bits, if n is odd */
    SUM_BITS, /* bits are set, a processor at a time; or cleared */
} Sum;

typedef struct LockedOp {
    const char *name;
    unsigned size;
    Sum sum;
    int step;
    void (*run)(volatile void *at, unsigned cpu);
} LockedOp;

#define OP0(name, insn, type)                                                                      \
    static void name(volatile void *at, unsigned cpu)                                              \
    {                                                                                              \
        asm volatile("lock " insn " %0" : "+m"(*(volatile type *)at) : : "cc", "memory");          \
    }
#define OP1(name, insn, type, value)                                                               \
    static void name(volatile void *at, unsigned cpu)                                              \
    {                                                                                              \
        asm volatile("lock " insn " %1, %0"                                                        \
                     : "+m"(*(volatile type *)at)                                                  \
                     : "r"((type)(value))                                                          \
                     : "cc", "memory");                                                            \
    }
#define OPC(name, insn, type)                                                                      \
    static void name(volatile void *at, unsigned cpu)                                              \
    {                                                                                              \
        asm volatile("stc; lock " insn " $0, %0"                                                   \
                     : "+m"(*(volatile type *)at)                                                  \
                     :                                                                             \
                     : "cc", "memory");                                                            \
    }
#define OPX(name, insn, type)                                                                      \
    static void name(volatile void *at, unsigned cpu)                                              \
    {                                                                                              \
        type v = 3;                                                                                \
        asm volatile("lock " insn " %0, %1"                                                        \
                     : "+r"(v), "+m"(*(volatile type *)at)                                         \
                     :                                                                             \
                     : "cc", "memory");                                                            \
    }
#define OPCAS(name, insn, type)                                                                    \
    static void name(volatile void *at, unsigned cpu)                                              \
    {                                                                                              \
        type old = *(volatile type *)at;                                                           \
        uint8_t ok;                                                                                \
        do {                                                                                       \
            asm volatile("lock " insn " %3, %1; sete %0"                                           \
                         : "=q"(ok), "+m"(*(volatile type *)at), "+a"(old)                         \
                         : "r"((type)(old + 5))                                                    \
                         : "cc", "memory");                                                        \
        } while (!ok);                                                                             \
    }

#define WIDTH(s, type)                                                                             \
    OP0(inc##s, "inc" #s, type)                                                                    \
    OP0(dec##s, "dec" #s, type)                                                                    \
    OP0(not##s, "not" #s, type)                                                                    \
    OP1(add##s, "add" #s, type, 7)                                                                 \
    OP1(sub##s, "sub" #s, type, 7)                                                                 \
    OP1(xor##s, "xor" #s, type, ~0ull)                                                             \
    OPC(adc##s, "adc" #s, type)                                                                    \
    OPC(sbb##s, "sbb" #s, type)                                                                    \
    OPX(xadd##s, "xadd" #s, type)                                                                  \
    OPCAS(cas##s, "cmpxchg" #s, type)                                                              \
    OP1(or##s, "or" #s, type, 3ull << 2 * cpu % 8)                                                   \
    OP1(and##s, "and" #s, type, ~(3ull << 2 * cpu % 8))
WIDTH(b, uint8_t)
WIDTH(w, uint16_t)
WIDTH(l, uint32_t)
WIDTH(q, uint64_t)
#define BIT(s, type)                                                                               \
    OP1(bts##s, "bts" #s, type, 2 * cpu)                                                           \
    OP1(btr##s, "btr" #s, type, 2 * cpu)                                                           \
    static void btc##s(volatile void *at, unsigned cpu)                                            \
    {                                                                                              \
        asm volatile("lock btc" #s " $9, %0" : "+m"(*(volatile type *)at) : : "cc", "memory");     \
    }
BIT(w, uint16_t)
BIT(l, uint32_t)
BIT(q, uint64_t)

#define ROWS(s, size)                                                                              \
    {"inc" #s, size, SUM_ADD, 1, inc##s}, {"dec" #s, size, SUM_ADD, -1, dec##s},                   \
    {"add" #s, size, SUM_ADD, 7, add##s}, {"sub" #s, size, SUM_ADD, -7, sub##s},                   \
    {"adc" #s, size, SUM_ADD, 1, adc##s}, {"sbb" #s, size, SUM_ADD, -1, sbb##s},                   \
    {"xadd" #s, size, SUM_ADD, 3, xadd##s}, {"cmpxchg" #s, size, SUM_ADD, 5, cas##s},              \
    {"not" #s, size, SUM_FLIP, -1, not##s}, {"xor" #s, size, SUM_FLIP, -1, xor##s},                \
    {"or" #s, size, SUM_BITS, 3, or##s}, {"and" #s, size, SUM_BITS, 0, and##s}
#define BIT_ROWS(s, size)                                                                          \
    {"bts" #s, size, SUM_BITS, 1, bts##s}, {"btr" #s, size, SUM_BITS, -1, btr##s},                 \
    {"btc" #s, size, SUM_FLIP, 1 << 9, btc##s}

static const LockedOp ops[] = {
    ROWS(b, 1), ROWS(w, 2), ROWS(l, 4), ROWS(q, 8), BIT_ROWS(w, 2), BIT_ROWS(l, 4), BIT_ROWS(q, 8),
};
#define NR_OPS (sizeof ops / sizeof ops[0])

static uint8_t field[3 * 4096] __attribute__((aligned(4096)));
static const LockedOp *op;
static uint8_t *volatile place;
static unsigned times;

static void repeat(unsigned cpu)
{
    for (unsigned i = 0; i < times; i++) {
        op->run(place, cpu);
    }
}

static uint64_t mask_of(unsigned size)
{
    return size == 8 ? ~0ull : (1ull << 8 * size) - 1;
}

static uint64_t value_at(const uint8_t *at, unsigned size)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < size; i++) {
        v |= (uint64_t)at[i] << 8 * i;
    }
    return v;
}

static uint64_t expected(uint64_t before)
{
    uint64_t n = (uint64_t)times * nr_cpus, v = before;

    switch (op->sum) {
    case SUM_ADD:
        v += n * (uint64_t)op->step;
        break;
    case SUM_FLIP:
        v ^= n & 1 ? (uint64_t)op->step : 0;
        break;
    default:
        for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
            uint64_t bits = op->step == 3 || op->step == 0 ? 3ull << 2 * cpu % 8 : 1ull << 2 * cpu;

            v = op->step > 0 ? v | bits : v & ~bits;
        }
    }
    return v & mask_of(op->size);
}

/* One operation at one place: nothing lost, and no byte beside it touched. */
static unsigned try(unsigned offset)
{
    bool clears = op->sum == SUM_BITS && op->step <= 0;
    uint64_t before;

    for (unsigned i = 0; i < 40; i++) {
        field[offset - 16 + i] = clears ? 0xff : 0;
    }
    place = field + offset;
    before = value_at(place, op->size);
    run_on_all(repeat);
    return value_at(place, op->size) != expected(before) ||
           field[offset - 1] != (clears ? 0xff : 0) ||
           field[offset + op->size] != (clears ? 0xff : 0);
}

/* Splits stop everybody, so there are fewer. */
static void sums(const char *what, unsigned offset, unsigned per_cpu)
{
    unsigned wrong = 0;

    times = per_cpu | 1;
    for (unsigned i = 0; i < NR_OPS; i++) {
        op = &ops[i];
        /* KVM's emulator, when others were faster, runs these again with their own carry. */
        bool skip = emulated && (op->run == adcb || op->run == adcw || op->run == adcl ||
                                 op->run == adcq || op->run == sbbb || op->run == sbbw ||
                                 op->run == sbbl || op->run == sbbq);

        if (!skip && (offset % 64 == 0 || op->size > 1)) {
            unsigned bad = try(offset ? offset - (offset % 64 ? op->size / 2 - 1 : 0) : 64);

            if (bad) {
                print("  %s\n", op->name);
            }
            wrong += bad;
        }
    }
    show(what, wrong);
}

/* ---- exchanges and pairs ---------------------------------------------------------------------- */

static uint64_t held[MAX_CPUS];

/* Values change places, and none is lost or doubled. */
static void swap(unsigned cpu)
{
    uint64_t v = held[cpu];

    for (unsigned i = 0; i < times; i++) {
        asm volatile("xchgq %0, %1" : "+r"(v), "+m"(*(volatile uint64_t *)place) : : "memory");
    }
    held[cpu] = v;
}

static unsigned try_swap(unsigned offset)
{
    uint64_t all = 0;

    place = field + offset;
    *(volatile uint64_t *)place = 1;
    for (unsigned i = 0; i < nr_cpus; i++) {
        held[i] = 1ull << (8 * i + 4);
    }
    run_on_all(swap);
    all = *(volatile uint64_t *)place;
    for (unsigned i = 0; i < nr_cpus; i++) {
        all += held[i];
    }
    for (unsigned i = 0; i < nr_cpus; i++) {
        all -= 1ull << (8 * i + 4);
    }
    return all != 1;
}

static void pair8(unsigned cpu)
{
    volatile uint32_t *p = (volatile uint32_t *)place;

    for (unsigned i = 0; i < times; i++) {
        uint32_t lo = p[0], hi = p[1];
        uint8_t ok;

        do {
            asm volatile("lock cmpxchg8b %1; sete %0"
                         : "=q"(ok), "+m"(*(volatile uint64_t *)p), "+a"(lo), "+d"(hi)
                         : "b"(lo + 1), "c"(hi - 1)
                         : "cc", "memory");
        } while (!ok);
    }
}

static void pair16(unsigned cpu)
{
    volatile uint64_t *p = (volatile uint64_t *)place;

    for (unsigned i = 0; i < times; i++) {
        uint64_t lo = p[0], hi = p[1];
        uint8_t ok;

        do {
            asm volatile("lock cmpxchg16b %1; sete %0"
                         : "=q"(ok), "+m"(*(volatile unsigned __int128 *)p), "+a"(lo), "+d"(hi)
                         : "b"(lo + 1), "c"(hi - 1)
                         : "cc", "memory");
        } while (!ok);
    }
}

static unsigned try_pair(unsigned offset, bool wide)
{
    uint64_t n = (uint64_t)times * nr_cpus;

    for (unsigned i = 0; i < 16; i++) {
        field[offset + i] = 0;
    }
    place = field + offset;
    run_on_all(wide ? pair16 : pair8);
    return wide ? value_at(place, 8) != n || value_at(place + 8, 8) != -n
                : value_at(place, 4) != n || value_at(place + 4, 4) != (-n & 0xffffffff);
}

void locked_round(void)
{
    unsigned few = rounds / 20 + 1;

    sums("locked, aligned", 0, rounds);
    sums("locked, across a line", 127, few);
    times = rounds;
    show("xchg", try_swap(64));
    show("cmpxchg8b", try_pair(64, false));
    if (emulated) {
        print("locked, across a page: -\nxchg, cmpxchg8b across: -\ncmpxchg16b: -\n");
        return;
    }
    sums("locked, across a page", 4095, few);
    times = few;
    show("xchg, cmpxchg8b across", try_swap(124) + try_swap(4092) + try_pair(124, false) +
                                       try_pair(4092, false));
    times = rounds;
    show("cmpxchg16b", try_pair(64, true));
}
