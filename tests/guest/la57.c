/* SPDX-License-Identifier: MIT
 *
 * Five-level paging: it is turned on outside long mode, addresses have 57 bits (SDM vol. 3, 4.5;
 * 4.1.1 and 10.8.5 for the way there).
 */
#include "lib/guest.h"
#include "lib/page32.h"

extern uint64_t pml4[512];
uint64_t pml5[512] __attribute__((aligned(4096)));
static uint64_t pml4_far[512] __attribute__((aligned(4096)));
extern uint64_t pdpt[512];

/* Leave long mode, change LA57 and CR3, come back. */
void levels_switch(Word cr3, Word la57);

static bool has_la57(void)
{
    uint32_t r[4];

    cpuid(7, 0, r);
    return r[2] >> 16 & 1;
}

void guest_main(void)
{
    if (!has_la57()) {
        print("no LA57\n");
        return;
    }
    pml5[0] = (uint64_t)pml4 | PTE_P | PTE_W | PTE_U;
    pml5[1] = (uint64_t)pml4_far | PTE_P | PTE_W | PTE_U; /* linear 1 << 48 */
    pml5[2] = (uint64_t)pml4_far | PTE_P | PTE_W | PTE_U | PTE_PS; /* reserved */
    pml5[256] = (uint64_t)pml4_far | PTE_P | PTE_W | PTE_U; /* the upper half's first */
    pml4_far[0] = (uint64_t)pdpt | PTE_P | PTE_W | PTE_U;
    levels_switch((Word)pml5, 1);
    run_cases();
    print("A of the PML5 entry: %s\n", pml5[1] & PTE_A ? "set" : "clear");
    levels_switch((Word)pml4, 0);
    print("back in four levels: %s\n", read_cr4() & 0x1000 ? "no" : "yes");
    pml5[1] = 0;
}
