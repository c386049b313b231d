/* SPDX-License-Identifier: MIT
 *
 * Interprocessor interrupts of every kind (SDM vol. 3, 11.6), each waited for: none may be
 * lost, none may come twice.
 */
#include "torture.h"

static volatile uint32_t expected_ipi[MAX_CPUS], expected_nmi[MAX_CPUS];
static unsigned times;

static void counters_clear(void)
{
    for (unsigned i = 0; i < MAX_CPUS; i++) {
        taken[i] = taken_nmi[i] = expected_ipi[i] = expected_nmi[i] = 0;
    }
}

static unsigned differences(void)
{
    unsigned wrong = 0;

    for (unsigned i = 0; i < nr_cpus; i++) {
        wrong += taken[i] != expected_ipi[i];
        wrong += taken_nmi[i] != expected_nmi[i];
    }
    return wrong;
}

static void await(unsigned cpu, volatile uint32_t *counter, uint32_t value)
{
    while (counter[cpu] != value) {
        asm volatile("pause");
    }
}

/* Processor 0 sends, the others spin, or halt in between. */
static void ring(unsigned cpu)
{
    static volatile uint32_t last;

    last = 0;
    barrier();
    if (cpu) {
        while (!last) {
            if (cpu & 1) {
                asm volatile("sti; hlt");
            } else {
                asm volatile("pause");
            }
        }
        return;
    }
    for (unsigned i = 0; i < times; i++) {
        unsigned to = 1 + i % (nr_cpus - 1);

        send(to, 0x4000 | VECTOR_IPI);
        await(to, taken, ++expected_ipi[to]);
    }
    last = 1;
    for (unsigned to = 1; to < nr_cpus; to++) {
        send(to, 0x4000 | VECTOR_IPI); /* out of hlt */
        await(to, taken, ++expected_ipi[to]);
    }
}

/* Everybody to the next one, all at the same time. */
static void round_robin(unsigned cpu)
{
    unsigned to = (cpu + 1) % nr_cpus;

    barrier();
    for (unsigned i = 1; i <= times; i++) {
        send(to, 0x4000 | VECTOR_IPI);
        await(to, taken, i);
    }
    expected_ipi[to] = times;
}

static void broadcast(unsigned cpu, uint32_t command, bool self)
{
    barrier();
    for (unsigned i = 1; cpu == 0 && i <= times; i++) {
        send(0, command);
        for (unsigned to = self ? 0 : 1; to < nr_cpus; to++) {
            await(to, taken, i);
            expected_ipi[to] = i;
        }
    }
    barrier();
}

static void broadcast_others(unsigned cpu)
{
    broadcast(cpu, 0xc4000 | VECTOR_IPI, false);
}

static void broadcast_all(unsigned cpu)
{
    broadcast(cpu, 0x84000 | VECTOR_IPI, true);
}

static void to_self(unsigned cpu)
{
    barrier();
    for (unsigned i = 1; i <= times; i++) {
        send(0, 0x44000 | VECTOR_IPI);
        await(cpu, taken, i);
    }
    expected_ipi[cpu] = times;
}

static void nmis(unsigned cpu)
{
    barrier();
    for (unsigned i = 1; cpu == 0 && i <= times; i++) {
        for (unsigned to = 1; to < nr_cpus; to++) {
            send(to, 0x4400);
            await(to, taken_nmi, i);
            expected_nmi[to] = i;
        }
    }
    barrier();
}

static void one_kind(const char *what, void (*fn)(unsigned cpu))
{
    counters_clear();
    run_on_all(fn);
    show(what, differences());
}

/* Each processor in turn goes through INIT and SIPI, and works on with its number. */
static void restarts(void)
{
    unsigned wrong = 0;

    for (unsigned cpu = 1; cpu < nr_cpus; cpu++) {
        start(cpu);
        wrong += ap_count != cpu;
    }
    counters_clear();
    run_on_all(round_robin);
    show("INIT and SIPI", wrong + differences());
}

void ipi_round(void)
{
    times = rounds / 10 + 1;
    sti();
    one_kind("IPI, one after the other", ring);
    one_kind("IPI, to the next one", round_robin);
    one_kind("IPI, to all others", broadcast_others);
    one_kind("IPI, to all", broadcast_all);
    one_kind("IPI, to self", to_self);
    if (emulated) {
        print("NMI: -\nINIT and SIPI: -\n"); /* without iretq no NMI ends */
        return;
    }
    one_kind("NMI", nmis);
    restarts();
}
