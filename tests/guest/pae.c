/* SPDX-License-Identifier: MIT
 *
 * PAE paging: 64-bit entries, the PDPTE registers, NX (SDM vol. 3, 4.4).
 */
#include "lib/guest.h"
#include "lib/page32.h"

#define WINDOW 0x800000u

static uint64_t pdpt[4] __attribute__((aligned(32)));
static uint64_t directories[4][512] __attribute__((aligned(4096)));
static uint64_t table[512] __attribute__((aligned(4096)));
static uint8_t frames[4][4096] __attribute__((aligned(4096)));

static void tables_make(void)
{
    for (unsigned i = 0; i < 4; i++) {
        pdpt[i] = (uint32_t)directories[i] | PTE_P;
        for (unsigned j = 0; j < 512; j++) {
            directories[i][j] = (uint64_t)(i * 512 + j) << 21 | PTE_PS | PTE_U | PTE_W | PTE_P;
        }
    }
    for (unsigned i = 0; i < 512; i++) {
        table[i] = 0;
    }
    directories[0][4] = (uint32_t)table | PTE_U | PTE_W | PTE_P;
    directories[0][5] = PTE_PS | PTE_P | 0x2000;       /* reserved bit 13 */
    directories[0][6] = (uint32_t)table | PTE_U | PTE_P; /* read-only above writable */
    table[0] = (uint32_t)frames[0] | PTE_P | PTE_W | PTE_U;
    table[1] = (uint32_t)frames[1] | PTE_P | PTE_U;
    table[2] = (uint32_t)frames[2] | PTE_P | PTE_W | PTE_U | PTE_NX;
    table[3] = (uint32_t)frames[3] | PTE_P | PTE_W | 1ull << 62;
    table[4] = (uint32_t)frames[3] | PTE_P | PTE_W;
    frames[0][0] = frames[2][0] = 0xc3;
}

/* A change of a PDPTE is seen only when CR3 is loaded (4.4.1). */
static void pdpte_registers(void)
{
    volatile uint32_t *p = (volatile uint32_t *)0x40000000;

    directories[3][0] = (uint32_t)frames[1] & ~0x1fffffu;
    directories[3][0] |= PTE_PS | PTE_P | PTE_W;
    *(uint32_t *)frames[1] = 0x1234;
    pdpt[1] = (uint32_t)directories[3] | PTE_P;
    write_cr3(read_cr3());
    print("pdpte: %x\n", (Word)p[((uint32_t)frames[1] & 0x1fffff) / 4]);
    pdpt[1] = (uint32_t)directories[1] | PTE_P;
    asm volatile("invlpg %0" : : "m"(*p));
    print("still: %x\n", (Word)p[((uint32_t)frames[1] & 0x1fffff) / 4]);
}

static void reserved_pdpte(void)
{
    pdpt[2] |= PTE_W;
}

static void bad_cr3(void)
{
    write_cr3(read_cr3());
}

void guest_main(void)
{
    tables_make();
    write_cr4(read_cr4() | CR4_PAE);
    wrmsr(0xc0000080, 0x800);
    write_cr3((Word)pdpt);
    write_cr0(read_cr0() | 0x80010000);
    run_cases();
    pdpte_registers();
    reserved_pdpte();
    guard_kernel(bad_cr3);
    print("mov cr3 with a reserved bit in a PDPTE: vector %u\n", trap.frame.vector);
    tables_make();
    write_cr0(read_cr0() & ~0x80010000u);
    write_cr4(read_cr4() & ~CR4_PAE);
}
