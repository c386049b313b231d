/* SPDX-License-Identifier: MIT
 *
 * Rights beyond U/S and R/W: protection keys for user and supervisor pages (SDM vol. 3, 4.6.2),
 * SMAP and implicit accesses (4.6), UMIP (2.5), FSGSBASE, PCID and INVPCID (4.10).
 */
#include "lib/guest.h"
#include "lib/page32.h"

#define KEY(n) ((uint64_t)(n) << 59)

/* Linear 0x10000000000 (PML4 entry 2) is ours. */
extern uint64_t pml4[512];
static uint64_t pdpt2[512] __attribute__((aligned(4096)));
static uint64_t directory[512] __attribute__((aligned(4096)));
static uint64_t table[512] __attribute__((aligned(4096)));
static uint8_t frames[8][4096] __attribute__((aligned(4096)));

void guest_main(void)
{
    static const uint8_t code[] = {0xb8, 0x68, 0x24, 0, 0, 0xc3}; /* mov $0x2468, %eax; ret */

    pml4[2] = (uint64_t)pdpt2 | PTE_P | PTE_W | PTE_U;
    pdpt2[0] = (uint64_t)directory | PTE_P | PTE_W | PTE_U;
    directory[0] = (uint64_t)table | PTE_P | PTE_W | PTE_U;
    /* 0: user, key 0; 1: user, key 1; 2: supervisor, key 1; 3: user read-only, key 2;
     * 4: supervisor, key 0; 5: an LDT in a user page */
    table[0] = (uint64_t)frames[0] | PTE_P | PTE_W | PTE_U;
    table[1] = (uint64_t)frames[1] | PTE_P | PTE_W | PTE_U | KEY(1);
    table[2] = (uint64_t)frames[2] | PTE_P | PTE_W | KEY(1);
    table[3] = (uint64_t)frames[3] | PTE_P | PTE_U | KEY(2);
    table[4] = (uint64_t)frames[4] | PTE_P | PTE_W;
    table[5] = (uint64_t)frames[5] | PTE_P | PTE_W | PTE_U;
    for (unsigned i = 0; i < 5; i++) {
        for (unsigned j = 0; j < sizeof(code); j++) {
            frames[i][j] = code[j];
        }
    }
    ((uint64_t *)frames[5])[1] = gdt[2];
    gdt_set(20, 0x5000, 0xfff, 0x82, 0); /* 0xa0: it, at the window */
    gdt[21] = 0x100;
    write_cr3(read_cr3());
    run_cases();
}
