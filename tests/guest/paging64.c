/* SPDX-License-Identifier: MIT
 *
 * Four-level paging: 4 KiB, 2 MiB and 1 GiB pages, NX, WP, SMEP, SMAP, reserved
 * bits (SDM vol. 3, 4.5 to 4.7).
 */
#include "lib/guest.h"
#include "lib/page32.h"

/* Linear 0x10000000000 (PML4 entry 2) is ours. */
extern uint64_t pml4[512];
static uint64_t pdpt2[512] __attribute__((aligned(4096)));
static uint64_t directory[512] __attribute__((aligned(4096)));
static uint64_t table[512] __attribute__((aligned(4096)));
static uint8_t frames[8][4096] __attribute__((aligned(4096)));
extern uint8_t page_code[], page_code_end[];

static void code_put(unsigned frame)
{
    for (unsigned i = 0; page_code + i < page_code_end; i++) {
        frames[frame][i] = page_code[i];
    }
}

static void tables_make(void)
{
    const uint64_t usual = PTE_P | PTE_W | PTE_U;

    pml4[2] = (uint64_t)pdpt2 | usual;
    pml4[3] = 0;
    pml4[4] = (uint64_t)pdpt2 | usual | PTE_PS; /* PS is reserved here */
    pdpt2[0] = (uint64_t)directory | usual;
    pdpt2[1] = 0 | PTE_PS | usual;                 /* 1 GiB */
    pdpt2[2] = 0x40000000 | PTE_PS | usual | 0x2000; /* reserved bit 13 */
    pdpt2[3] = (uint64_t)directory | PTE_P | PTE_U;  /* read-only above writable */
    directory[0] = (uint64_t)table | usual;
    directory[1] = 0 | PTE_PS | usual;
    directory[2] = PTE_PS | usual | 0x2000; /* reserved bit 13 */
    directory[3] = (uint64_t)table | usual | PTE_NX;
    table[0] = (uint64_t)frames[0] | usual;
    table[1] = (uint64_t)frames[1] | PTE_P | PTE_U;
    table[2] = (uint64_t)frames[2] | PTE_P | PTE_W;
    table[3] = (uint64_t)frames[3] | usual | PTE_NX;
    table[4] = 0;
    table[5] = (uint64_t)frames[4] | usual | 1ull << 51; /* beyond MAXPHYADDR */
    table[6] = (uint64_t)frames[5] | PTE_P | PTE_W;
    for (unsigned i = 0; i < 8; i++) {
        code_put(i);
    }
    *(uint32_t *)(frames[0] + 64) = 0xcafe;
}

static void bits_show(void)
{
    for (unsigned i = 0; i < 7; i++) {
        print("pte%u=%x%s\n", (Word)i, (Word)table[i] & 0xfff, table[i] & PTE_NX ? " NX" : "");
    }
}

void guest_main(void)
{
    tables_make();
    write_cr3(read_cr3());
    run_cases();
    bits_show();
    write_cr4(read_cr4() & ~0x300000ul);
    write_cr0(read_cr0() & ~0x10000ul);
}
