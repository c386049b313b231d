/* SPDX-License-Identifier: MIT
 *
 * Two-level paging: 4 KiB and 4 MiB pages, rights, accessed and dirty bits,
 * CR2 and error codes (SDM vol. 3, 4.3, 4.6, 4.7 and 4.8).
 */
#include "lib/guest.h"
#include "lib/page32.h"

/* Linear 0x800000 on is ours: page n has its own frame in `frames`. */
#define WINDOW 0x800000u

static uint32_t directory[1024] __attribute__((aligned(4096)));
static uint32_t table[1024] __attribute__((aligned(4096)));
static uint8_t frames[8][4096] __attribute__((aligned(4096)));
extern uint8_t user_cases[], user_cases_end[];

static void map(unsigned page, unsigned frame, unsigned bits)
{
    table[page] = (uint32_t)frames[frame] | bits;
}

static void tables_make(void)
{
    for (unsigned i = 0; i < 1024; i++) {
        directory[i] = i << 22 | PTE_PS | PTE_U | PTE_W | PTE_P;
        table[i] = 0;
    }
    directory[2] = (uint32_t)table | PTE_U | PTE_W | PTE_P;
    directory[4] = PTE_PS | 0x200000 | PTE_P; /* reserved bit 21 */
    map(0, 0, PTE_P | PTE_W | PTE_U);
    map(1, 1, PTE_P | PTE_U);
    map(2, 2, PTE_P | PTE_W);
    map(3, 3, PTE_P);
    map(5, 4, PTE_P | PTE_W | PTE_U);
    map(7, 5, PTE_P | PTE_W | PTE_U);
    map(8, 7, PTE_P | PTE_W | PTE_U);
}

static void bits_show(const char *when)
{
    print("%s: pte0=%x pte1=%x pte5=%x pde2=%x\n", when, (Word)table[0] & 0xfff,
          (Word)table[1] & 0xfff, (Word)table[5] & 0xfff, (Word)directory[2] & 0xfff);
}

/* A read sets A, a write sets D, and the TLB may keep what was there before. */
static void accessed_dirty(void)
{
    volatile uint32_t *p = (volatile uint32_t *)(WINDOW + 0x5000);

    table[5] &= ~(PTE_A | PTE_D);
    write_cr3(read_cr3());
    (void)*p;
    print("after a read: %x\n", (Word)table[5] & 0xfff);
    *p = 1;
    print("after a write: %x\n", (Word)table[5] & 0xfff);
}

/* Two pages of one frame show the same bytes; invlpg makes a change seen. */
static void aliases(void)
{
    volatile uint32_t *p = (volatile uint32_t *)(WINDOW + 0x7000);

    *(uint32_t *)frames[5] = 0x55;
    *(uint32_t *)frames[6] = 0x66;
    print("before: %x\n", (Word)*p);
    map(7, 6, PTE_P | PTE_W | PTE_U);
    asm volatile("invlpg %0" : : "m"(*p));
    print("after invlpg: %x\n", (Word)*p);
    map(7, 5, PTE_P | PTE_W | PTE_U);
    write_cr3(read_cr3());
    print("after mov cr3: %x\n", (Word)*p);
}

static void global_page(void)
{
    volatile uint32_t *p = (volatile uint32_t *)(WINDOW + 0x7000);

    write_cr4(read_cr4() | CR4_PGE);
    map(7, 5, PTE_P | PTE_W | PTE_U | PTE_G);
    asm volatile("invlpg %0" : : "m"(*p));
    (void)*p;
    map(7, 6, PTE_P | PTE_W | PTE_U);
    write_cr4(read_cr4() & ~CR4_PGE);
    print("after CR4.PGE went: %x\n", (Word)*p);
}

void guest_main(void)
{
    tables_make();
    write_cr4(read_cr4() | CR4_PSE);
    write_cr3((Word)directory);
    write_cr0((read_cr0() | 0x80000000) & ~0x10000u);
    run_cases();
    bits_show("bits");
    accessed_dirty();
    aliases();
    global_page();
    write_cr0(read_cr0() & ~0x80010000u);
}
