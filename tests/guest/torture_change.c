/* SPDX-License-Identifier: MIT
 *
 * What one processor changes under the others: translations, with the shootdown that systems
 * do (SDM vol. 3, 4.10.5), and code (9.1.3).
 */
#include "torture.h"

#define WINDOW 0x40000000ul /* 4 KiB pages here */
#define PAGES  8

extern uint64_t page_directories[];
static uint64_t window_table[512] __attribute__((aligned(4096)));
static uint64_t frames[2][PAGES][512] __attribute__((aligned(4096)));
static volatile uint32_t version, stop, wrong, acknowledged;

static volatile uint64_t *window(unsigned page)
{
    return (volatile uint64_t *)(WINDOW + page * 4096ul);
}

static void on_shootdown(Frame *f)
{
    for (unsigned page = 0; page < PAGES; page++) {
        asm volatile("invlpg %0" : : "m"(*window(page)) : "memory");
    }
    asm volatile("lock incl %0" : "+m"(acknowledged));
    *apic(0xb0) = 0;
}

static void note_wrong(void)
{
    asm volatile("lock incl %0" : "+m"(wrong));
}

static void map(unsigned turn)
{
    for (unsigned page = 0; page < PAGES; page++) {
        window_table[page] = (uint64_t)frames[turn & 1][page] | 3;
    }
}

/* After the acknowledgement nobody sees the frame of before. */
static void shootdowns(unsigned cpu)
{
    barrier();
    if (cpu) {
        while (!stop) {
            uint32_t before = version;
            uint64_t is = *window(cpu % PAGES);
            uint32_t after = version;

            /* Versions are counted when all have acknowledged; one may be under way. */
            if (before == after && is != before && is != before + 1) {
                note_wrong();
            }
            *(window(cpu % PAGES) + 1 + cpu) = after;
        }
        return;
    }
    for (unsigned i = 1; i <= rounds / 10 + 1; i++) {
        for (unsigned page = 0; page < PAGES; page++) {
            frames[i & 1][page][0] = i;
        }
        acknowledged = 0;
        map(i);
        for (unsigned page = 0; page < PAGES; page++) {
            asm volatile("invlpg %0" : : "m"(*window(page)) : "memory");
        }
        send(0, 0xc4000 | (VECTOR_IPI + 1));
        while (acknowledged != nr_cpus - 1) {
            asm volatile("pause");
        }
        version = i;
    }
    stop = 1;
}

static void translations(void)
{
    for (unsigned page = 0; page < PAGES; page++) {
        frames[0][page][0] = frames[1][page][0] = 0;
    }
    map(0);
    page_directories[WINDOW >> 21] = (uint64_t)window_table | 3;
    write_cr3(read_cr3());
    irq_handler[VECTOR_IPI + 1] = on_shootdown;
    version = stop = wrong = 0;
    sti();
    run_on_all(shootdowns);
    show("translations changed by another", wrong);
}

/* mov $imm32, %eax; ret: changed in one aligned store, called all the time. */
static uint8_t patched[4096] __attribute__((aligned(4096)));

static uint32_t call_patched(void)
{
    return ((uint32_t(*)(void))(Word)(patched + 64))();
}

/* Not one after the other, but never a mixture, never backwards, and at last the new one. */
static void code_changes(unsigned cpu)
{
    uint32_t last = 0;

    barrier();
    for (uint32_t i = 1; cpu == 0 && i <= rounds / 5 + 1; i++) {
        *(volatile uint64_t *)(patched + 64) = 0xb8 | (uint64_t)i << 8 | 0xc3ull << 40;
        patched[2048 + i % 64] = (uint8_t)i; /* data beside the code */
        version = i;
        pause_loop(20);
    }
    if (cpu == 0) {
        stop = 1;
    }
    while (cpu && last != rounds / 5 + 1) {
        uint32_t is, floor = version;
        uint32_t r[4];

        cpuid(0, 0, r);
        is = call_patched();
        if (is < last || is < floor) {
            note_wrong();
        }
        last = is;
    }
}

static void code(void)
{
    version = stop = wrong = 0;
    *(volatile uint64_t *)(patched + 64) = 0xb8 | 0xc3ull << 40;
    run_on_all(code_changes);
    show("code changed by another", wrong);
}

/* Each processor writes code of its own into the common page, and runs it. */
static void own_code(unsigned cpu)
{
    uint8_t *mine = patched + 256 + 32 * cpu;

    barrier();
    for (uint32_t i = 1; i <= rounds / 20 + 1; i++) {
        mine[0] = 0xb8;
        *(volatile uint32_t *)(mine + 1) = i << 4 | cpu;
        mine[5] = 0xc3;
        if (((uint32_t(*)(void))(Word)mine)() != (i << 4 | cpu)) {
            note_wrong();
        }
    }
}

void change_round(void)
{
    translations();
    if (emulated) {
        print("code changed by another: -\n"); /* KVM's emulator shows the old code at times */
    } else {
        code();
    }
    wrong = 0;
    run_on_all(own_code);
    show("own code in a common page", wrong);
}
