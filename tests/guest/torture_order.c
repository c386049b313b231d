/* SPDX-License-Identifier: MIT
 *
 * Litmus tests of the memory order (SDM vol. 3, 9.2.2 and 9.2.3): each processor runs its
 * part on many cells at once; outcomes that the order forbids must not be there.
 */
#include "torture.h"

#define CELLS 1024

typedef struct Cell {
    volatile uint32_t x, pad[15], y, pad2[15];
} Cell;

static Cell cells[CELLS] __attribute__((aligned(64)));
static volatile uint32_t seen[MAX_CPUS][CELLS][2];
static unsigned nr_cells;

static void clear(void)
{
    for (unsigned i = 0; i < CELLS; i++) {
        cells[i].x = cells[i].y = 0;
    }
}

#define EACH_CELL for (unsigned i = 0; i < nr_cells; i++)
#define FENCE()   asm volatile("mfence" : : : "memory")

static inline uint32_t locked_swap(volatile uint32_t *at, uint32_t v)
{
    asm volatile("xchgl %0, %1" : "+r"(v), "+m"(*at) : : "memory");
    return v;
}

/* Store buffering: with a fence, or a locked store, both cannot read 0. */
static void sb_fence(unsigned cpu)
{
    barrier();
    EACH_CELL {
        if (cpu < 2) {
            *(cpu ? &cells[i].y : &cells[i].x) = 1;
            FENCE();
            seen[cpu][i][0] = *(cpu ? &cells[i].x : &cells[i].y);
        }
    }
}

static void sb_xchg(unsigned cpu)
{
    barrier();
    EACH_CELL {
        if (cpu < 2) {
            locked_swap(cpu ? &cells[i].y : &cells[i].x, 1);
            seen[cpu][i][0] = *(cpu ? &cells[i].x : &cells[i].y);
        }
    }
}

/* Message passing: who sees the flag sees the message; the others look on. */
static void mp(unsigned cpu)
{
    barrier();
    if (cpu == 0) {
        EACH_CELL {
            cells[i].x = 1;
            cells[i].y = 1;
        }
        return;
    }
    for (unsigned i = nr_cells; i--;) {
        seen[cpu][i][0] = cells[i].y;
        seen[cpu][i][1] = cells[i].x;
    }
}

/* Load buffering: loads do not pass earlier loads or later stores. */
static void lb(unsigned cpu)
{
    barrier();
    EACH_CELL {
        if (cpu < 2) {
            seen[cpu][i][0] = *(cpu ? &cells[i].y : &cells[i].x);
            *(cpu ? &cells[i].x : &cells[i].y) = 1;
        }
    }
}

/* Two writers, two readers: the readers agree on who was first. */
static void iriw(unsigned cpu)
{
    barrier();
    EACH_CELL {
        if (cpu < 2) {
            *(cpu ? &cells[i].y : &cells[i].x) = 1;
        } else if (cpu < 4) {
            seen[cpu][i][0] = *(cpu & 1 ? &cells[i].y : &cells[i].x);
            seen[cpu][i][1] = *(cpu & 1 ? &cells[i].x : &cells[i].y);
        }
    }
}

/* Stores of each processor stay in order: not both first ones last. */
static void two_writes(unsigned cpu)
{
    barrier();
    EACH_CELL {
        if (cpu < 2) {
            *(cpu ? &cells[i].y : &cells[i].x) = 1;
            *(cpu ? &cells[i].x : &cells[i].y) = 2;
        }
    }
}

/* One location: what was read does not become older. */
static void coherence(unsigned cpu)
{
    barrier();
    if (cpu == 0) {
        for (uint32_t n = 1; n <= 16; n++) {
            EACH_CELL {
                cells[i].x = n;
            }
        }
        return;
    }
    for (unsigned n = 0; n < 8; n++) {
        EACH_CELL {
            uint32_t first = cells[i].x, second = cells[i].x;

            seen[cpu][i][0] += second < first;
        }
    }
}

typedef struct Litmus {
    const char *name;
    void (*run)(unsigned cpu);
    bool (*forbidden)(unsigned i);
} Litmus;

static bool both_zero(unsigned i)
{
    return !seen[0][i][0] && !seen[1][i][0];
}

static bool both_one(unsigned i)
{
    return seen[0][i][0] && seen[1][i][0];
}

static bool flag_alone(unsigned i)
{
    bool bad = false;

    for (unsigned cpu = 1; cpu < nr_cpus; cpu++) {
        bad |= seen[cpu][i][0] && !seen[cpu][i][1];
    }
    return bad;
}

static bool readers_differ(unsigned i)
{
    return nr_cpus >= 4 && seen[2][i][0] && !seen[2][i][1] && seen[3][i][0] && !seen[3][i][1];
}

static bool firsts_last(unsigned i)
{
    return cells[i].x == 1 && cells[i].y == 1;
}

static bool went_back(unsigned i)
{
    bool bad = false;

    for (unsigned cpu = 1; cpu < nr_cpus; cpu++) {
        bad |= seen[cpu][i][0] != 0;
    }
    return bad;
}

static const Litmus litmus[] = {
    {"store buffering, mfence", sb_fence, both_zero},
    {"store buffering, xchg", sb_xchg, both_zero},
    {"message passing", mp, flag_alone},
    {"load buffering", lb, both_one},
    {"independent reads of independent writes", iriw, readers_differ},
    {"2+2 writes", two_writes, firsts_last},
    {"coherence of one location", coherence, went_back},
};

static unsigned run_litmus(const Litmus *l)
{
    unsigned bad = 0;

    clear();
    for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
        for (unsigned i = 0; i < CELLS; i++) {
            seen[cpu][i][0] = seen[cpu][i][1] = 0;
        }
    }
    run_on_all(l->run);
    EACH_CELL {
        bad += l->forbidden(i);
    }
    return bad;
}

void order_round(void)
{
    nr_cells = emulated ? 16 : CELLS;
    for (unsigned n = 0; n < sizeof litmus / sizeof litmus[0]; n++) {
        unsigned bad = 0;

        for (unsigned i = 0; i < (emulated ? 1 : rounds / 100 + 1); i++) {
            bad += run_litmus(&litmus[n]);
        }
        show(litmus[n].name, bad);
    }
}
