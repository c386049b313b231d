/* SPDX-License-Identifier: MIT
 *
 * Every combination of rights at two levels of paging, of the control bits and of kinds of access,
 * against a model of SDM vol. 3, 4.6, 4.7 and 4.8 in C.  Control bits change without the page being
 * invalidated, where the manual allows no stale rights (4.10.4.1).
 */
#include "lib/guest.h"
#include "lib/page32.h"

#define RESERVED (1ull << 51)
#define KEY1     (1ull << 59)
#define CR0_WP   0x10000ul
#define CR4_SMEP 0x100000ul
#define CR4_SMAP 0x200000ul
#define CR4_PKE  0x400000ul

enum { READ, WRITE, FETCH, READ_AC, WRITE_AC, ACCESS_COUNT };
enum { MODE_WP = 1, MODE_SMEP = 2, MODE_SMAP = 4, MODE_PKE = 8, MODE_COUNT = 16 };

extern void access_read(void), access_write(void), access_fetch(void);
extern void access_read_ac(void), access_write_ac(void);
static void (*const accesses[ACCESS_COUNT])(void) = {access_read, access_write, access_fetch,
                                                     access_read_ac, access_write_ac};

/* Linear 0x10000000000 (PML4 entry 2) is ours. */
extern uint64_t pml4[512];
static uint64_t pdpt2[512] __attribute__((aligned(4096)));
static uint64_t directory[512] __attribute__((aligned(4096)));
static uint64_t table[512] __attribute__((aligned(4096)));
static uint8_t frame[4096] __attribute__((aligned(4096)));

typedef struct Try {
    uint64_t pde, pte;
    unsigned mode, access;
    uint32_t pkru;
    bool user;
} Try;

static unsigned long tries, wrong;
static bool has_pke;

/* The error code of the fault, or -1: there is none. */
static int model(const Try *t)
{
    bool write = t->access == WRITE || t->access == WRITE_AC, fetch = t->access == FETCH;
    bool ac = t->access == READ_AC || t->access == WRITE_AC;
    bool user_page = (t->pde & t->pte & PTE_U) != 0, writable = (t->pde & t->pte & PTE_W) != 0;
    bool no_exec = ((t->pde | t->pte) & PTE_NX) != 0, wp = t->mode & MODE_WP, deny = false;
    int error = (write ? 2 : 0) | (t->user ? 4 : 0) | (fetch ? 16 : 0);
    bool key_read = false, key_write = false;

    if (!(t->pde & PTE_P)) {
        return error;
    }
    if (t->pde & RESERVED) {
        return error | 9;
    }
    if (!(t->pte & PTE_P)) {
        return error;
    }
    if (t->pte & RESERVED) {
        return error | 9;
    }
    if (t->user) {
        deny = !user_page || (write && !writable) || (fetch && no_exec);
    } else {
        deny = (write && !writable && wp) || (fetch && no_exec) ||
               (fetch && user_page && (t->mode & MODE_SMEP)) ||
               (!fetch && user_page && (t->mode & MODE_SMAP) && !ac);
    }
    if (user_page && (t->mode & MODE_PKE) && !fetch && (t->pte & KEY1)) {
        key_read = t->pkru & 4;
        key_write = key_read || ((t->pkru & 8) && (t->user || wp));
    }
    if (write ? key_write : key_read) {
        return error | 1 | 32;
    }
    return deny ? error | 1 : -1;
}

static void report(const Try *t, int want, int got)
{
    if (wrong++ < 10) {
        print("pde %x pte %x mode %x pkru %x %s access %u: ", (Word)t->pde, (Word)t->pte, (Word)t->mode,
              (Word)t->pkru, t->user ? "user" : "kernel", (Word)t->access);
        print("want %x, got %x, pte now %x\n", (Word)want, (Word)got, (Word)table[0]);
    }
}

static void run_try(const Try *t)
{
    int want = model(t), got;
    bool write = t->access == WRITE || t->access == WRITE_AC;

    table[0] &= ~(uint64_t)(PTE_A | PTE_D);
    asm volatile("invlpg (%0)" : : "r"(0x10000000000ul) : "memory");
    if (t->user) {
        guard_user(accesses[t->access]);
    } else {
        guard_kernel(accesses[t->access]);
    }
    got = trap.frame.vector == VECTOR_OK ? -1 : trap.frame.vector == 14 ? (int)trap.frame.error : -2;
    tries++;
    if (got != want || (got < 0 && (!(table[0] & PTE_A) || !(table[0] & PTE_D) != !write))) {
        report(t, want, got);
    }
}

static void set_mode(unsigned mode)
{
    Word cr4 = read_cr4() & ~(CR4_SMEP | CR4_SMAP | CR4_PKE);

    write_cr0((read_cr0() & ~CR0_WP) | (mode & MODE_WP ? CR0_WP : 0));
    write_cr4(cr4 | (mode & MODE_SMEP ? CR4_SMEP : 0) | (mode & MODE_SMAP ? CR4_SMAP : 0) |
              (mode & MODE_PKE ? CR4_PKE : 0));
}

static void set_pkru(uint32_t value)
{
    asm volatile(".byte 0x0f, 0x01, 0xef" : : "a"(value), "c"(0), "d"(0));
}

/* Our own pages are supervisor ones while SMEP and SMAP are tried. */
static void own_pages(bool user)
{
    pml4[0] = (pml4[0] & ~(uint64_t)PTE_U) | (user ? PTE_U : 0);
    write_cr3(read_cr3());
}

static void run_mode(Try *t)
{
    if ((t->mode & MODE_PKE) && (!has_pke || (t->user && (t->mode & (MODE_SMEP | MODE_SMAP))))) {
        return;
    }
    set_mode(t->user ? t->mode & ~(unsigned)(MODE_SMEP | MODE_SMAP) : t->mode);
    for (t->pkru = 0; t->pkru <= (t->mode & MODE_PKE ? 8u : 0u); t->pkru += 4) {
        if (t->mode & MODE_PKE) {
            set_pkru(t->pkru);
        }
        for (t->access = 0; t->access < (t->user ? READ_AC : ACCESS_COUNT); t->access++) {
            if (t->access < READ_AC || (t->mode & MODE_SMAP)) {
                run_try(t);
            }
        }
    }
    if (t->mode & MODE_PKE) {
        set_pkru(0);
    }
    set_mode(0);
}

static uint64_t entry_bits(unsigned n, bool leaf)
{
    return (n & 1 ? PTE_W : 0) | (n & 2 ? PTE_U : 0) | (n & 4 ? PTE_NX : 0) |
           (n < 8 ? PTE_P : n == 8 ? 0 : PTE_P | RESERVED) | (leaf ? KEY1 : 0);
}

static void run_entries(Try *t)
{
    directory[0] = (uint64_t)table | t->pde;
    table[0] = (uint64_t)frame | t->pte;
    t->user = false;
    own_pages(false);
    for (t->mode = 0; t->mode < MODE_COUNT; t->mode++) {
        run_mode(t);
    }
    t->user = true;
    own_pages(true);
    for (t->mode = 0; t->mode < MODE_COUNT; t->mode++) {
        if (!(t->mode & (MODE_SMEP | MODE_SMAP))) {
            run_mode(t);
        }
    }
}

void guest_main(void)
{
    uint32_t r[4];
    Try t = {0};

    cpuid(7, 0, r);
    has_pke = r[2] & 8;
    tries = wrong = 0;
    pml4[2] = (uint64_t)pdpt2 | PTE_P | PTE_W | PTE_U;
    pdpt2[0] = (uint64_t)directory | PTE_P | PTE_W | PTE_U;
    frame[0] = 0xc3; /* ret */
    for (unsigned pde = 0; pde < 10; pde++) {
        for (unsigned pte = 0; pte < 10; pte++) {
            t.pde = entry_bits(pde, false);
            t.pte = entry_bits(pte, true);
            run_entries(&t);
        }
    }
    print("%u accesses%s: %u otherwise than the model\n", tries, has_pke ? " with keys" : "", wrong);
}
