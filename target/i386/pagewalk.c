/* SPDX-License-Identifier: MIT
 *
 * The page walk.  SDM vol. 3, chapter 4: 4.3 (32-bit), 4.4 (PAE), 4.5 (4- and
 * 5-level), 4.6 (access rights), 4.7 (page-fault error code), 4.8 (A and D).
 */
#include "target/i386/mmu.h"
#include "target/i386/phys.h"

#define PTE_P    (1ull << 0)
#define PTE_RW   (1ull << 1)
#define PTE_US   (1ull << 2)
#define PTE_A    (1ull << 5)
#define PTE_D    (1ull << 6)
#define PTE_PS   (1ull << 7)
#define PTE_G    (1ull << 8)
#define PTE_NX   (1ull << 63)
#define PTE_ADDR 0x000ffffffffff000ull
#define PTE_PKEY_SHIFT 59

#define MAX_LEVELS 5
#define MAX_RETRIES 64

/* One entry on the way down. */
typedef struct WalkEntry {
    uint64_t addr;
    uint64_t value;
} WalkEntry;

typedef struct Walk {
    CPUX86State *env;
    uint64_t linear;
    X86Access access;
    bool user;     /* a user-mode access: explicit, at CPL 3 */
    bool explicit_; /* not a descriptor-table or TSS access */
    bool nxe;
    bool wide;     /* 8-byte entries */
    uint64_t reserved_phys; /* address bits beyond MAXPHYADDR */
    WalkEntry entries[MAX_LEVELS];
    unsigned count;
    /* rights accumulated over the levels */
    bool writable, user_page, no_exec;
    unsigned leaf_shift;
    uint32_t error;
} Walk;

static bool walk_read_entry(Walk *w, uint64_t addr)
{
    WalkEntry *e = &w->entries[w->count++];

    e->addr = addr;
    e->value = w->wide ? x86_phys_ldq(w->env, addr) : x86_phys_ldl(w->env, addr);
    if (!(e->value & PTE_P)) {
        w->error = 0;
        return false;
    }
    return true;
}

static bool walk_reserved(Walk *w, uint64_t bits)
{
    if (w->entries[w->count - 1].value & bits) {
        w->error = PG_ERROR_P | PG_ERROR_RSVD;
        return false;
    }
    return true;
}

static void walk_accumulate(Walk *w, uint64_t entry)
{
    w->writable &= !!(entry & PTE_RW);
    w->user_page &= !!(entry & PTE_US);
    w->no_exec |= w->nxe && (entry & PTE_NX);
}

/* Whether bit 7 of an entry at this shift maps a page. */
static bool walk_is_large(const Walk *w, uint64_t entry, unsigned shift)
{
    if (!(entry & PTE_PS)) {
        return false;
    }
    if (shift == 30) {
        return x86_cpuid_has(&env_archcpu(w->env)->cpuid, X86_FEATURE(FEAT_80000001_EDX, 26));
    }
    return shift == 21;
}

/* Levels with 8-byte entries, from `shift` down to 4 KiB pages. */
static bool walk_wide_levels(Walk *w, uint64_t table, unsigned shift, uint64_t reserved)
{
    for (;; shift -= 9) {
        uint64_t entry, bits = reserved;

        if (!walk_read_entry(w, table + ((w->linear >> shift) & 511) * 8)) {
            return false;
        }
        entry = w->entries[w->count - 1].value;
        if (shift == 12 || walk_is_large(w, entry, shift)) {
            if (shift > 12) {
                bits |= ((1ull << shift) - 1) & PTE_ADDR & ~0x1000ull; /* bit 12 is PAT */
            }
            w->leaf_shift = shift;
        } else if (shift >= 30) {
            bits |= PTE_PS;
        }
        if (!walk_reserved(w, bits)) {
            return false;
        }
        walk_accumulate(w, entry);
        if (w->leaf_shift) {
            return true;
        }
        table = entry & PTE_ADDR;
    }
}

static bool walk_long(Walk *w)
{
    CPUX86State *env = w->env;
    uint64_t reserved = w->reserved_phys | (w->nxe ? 0 : PTE_NX);

    return walk_wide_levels(w, env->cr3 & PTE_ADDR & ~w->reserved_phys,
                            env->cr4 & CR4_LA57 ? 48 : 39, reserved);
}

static bool walk_pae(Walk *w)
{
    uint64_t pdpte = w->env->pdptr[(w->linear >> 30) & 3];

    if (!(pdpte & PTE_P)) {
        w->error = 0;
        return false;
    }
    return walk_wide_levels(w, pdpte & PTE_ADDR, 21,
                            w->reserved_phys | (0x7ffull << 52) | (w->nxe ? 0 : PTE_NX));
}

static bool walk_legacy(Walk *w)
{
    uint64_t table = w->env->cr3 & 0xfffff000u;

    if (!walk_read_entry(w, table + ((w->linear >> 22) & 1023) * 4)) {
        return false;
    }
    walk_accumulate(w, w->entries[0].value);
    if ((w->entries[0].value & PTE_PS) && (w->env->cr4 & CR4_PSE)) {
        w->leaf_shift = 22;
        return walk_reserved(w, 1u << 21);
    }
    table = w->entries[0].value & 0xfffff000u;
    if (!walk_read_entry(w, table + ((w->linear >> 12) & 1023) * 4)) {
        return false;
    }
    walk_accumulate(w, w->entries[1].value);
    w->leaf_shift = 12;
    return true;
}

static uint64_t walk_leaf_base(const Walk *w)
{
    uint64_t leaf = w->entries[w->count - 1].value;

    if (w->leaf_shift == 22) { /* PSE-36: bits 20:13 are address bits 39:32 */
        return (leaf & 0xffc00000u) | ((leaf >> 13) & 0xff) << 32;
    }
    return leaf & PTE_ADDR & ~((1ull << w->leaf_shift) - 1);
}

/* Protection keys (SDM vol. 3, 4.6.2): which data accesses the key denies. */
static void walk_protection_key(const Walk *w, bool *deny_read, bool *deny_write)
{
    CPUX86State *env = w->env;
    unsigned key = (w->entries[w->count - 1].value >> PTE_PKEY_SHIFT) & 15;
    uint32_t rights;

    *deny_read = *deny_write = false;
    if (!(env->efer & MSR_EFER_LMA)) {
        return;
    }
    if (w->user_page ? !(env->cr4 & CR4_PKE) : !(env->cr4 & CR4_PKS)) {
        return;
    }
    rights = (w->user_page ? env->pkru : env->pkrs) >> (key * 2);
    *deny_read = rights & 1;
    *deny_write = (rights & 1) || ((rights & 2) && (w->user || (env->cr0 & CR0_WP)));
}

static void walk_rights(const Walk *w, X86Translation *ret, bool *ret_key)
{
    CPUX86State *env = w->env;
    bool read, write, exec, key_read, key_write;

    if (w->user) {
        read = w->user_page;
        write = w->user_page && w->writable;
        exec = w->user_page && !w->no_exec;
    } else {
        bool smap = w->user_page && (env->cr4 & CR4_SMAP) &&
                    !(w->explicit_ && (env->rflags & AC_MASK));
        read = !smap;
        write = !smap && (w->writable || !(env->cr0 & CR0_WP));
        exec = !w->no_exec && !(w->user_page && (env->cr4 & CR4_SMEP));
    }
    walk_protection_key(w, &key_read, &key_write);
    *ret_key = w->access == X86_READ ? key_read : w->access == X86_WRITE ? key_write : false;
    ret->prot_read = read && !key_read;
    ret->prot_write = write && !key_write;
    ret->prot_exec = exec;
}

/* Set A on the way and D at the leaf; false: an entry changed under us, walk again. */
static bool walk_set_accessed(Walk *w)
{
    for (unsigned i = 0; i < w->count; i++) {
        WalkEntry *e = &w->entries[i];
        uint64_t value = e->value | PTE_A;

        if (i == w->count - 1 && w->access == X86_WRITE) {
            value |= PTE_D;
        }
        if (value != e->value && !x86_phys_cas(w->env, e->addr, e->value, value, w->wide ? 8 : 4)) {
            return false;
        }
        e->value = value;
    }
    return true;
}

static void walk_init(Walk *w, CPUX86State *env, uint64_t linear, X86Access access, X86Priv priv)
{
    unsigned phys_bits = env_archcpu(env)->cpuid.phys_bits;

    *w = (Walk){
        .env = env,
        .linear = linear,
        .access = access,
        .user = priv == X86_PRIV_CPL && x86_cpl(env) == 3,
        .explicit_ = priv == X86_PRIV_CPL,
        .nxe = (env->efer & MSR_EFER_NXE) && (env->cr4 & CR4_PAE),
        .wide = env->cr4 & CR4_PAE,
        .reserved_phys = PTE_ADDR & ~((1ull << (phys_bits ? phys_bits : 36)) - 1),
        .writable = true,
        .user_page = true,
    };
}

static bool walk_levels(Walk *w)
{
    if (w->env->efer & MSR_EFER_LMA) {
        return walk_long(w);
    }
    w->linear = (uint32_t)w->linear;
    return w->wide ? walk_pae(w) : walk_legacy(w);
}

static void walk_fault(const Walk *w, X86PageFault *fault)
{
    uint32_t error = w->error;

    if (w->access == X86_WRITE) {
        error |= PG_ERROR_W;
    }
    if (w->user) {
        error |= PG_ERROR_U;
    }
    if (w->access == X86_FETCH && (w->nxe || (w->env->cr4 & CR4_SMEP))) {
        error |= PG_ERROR_I;
    }
    fault->error_code = error;
}

static bool walk_allows(Walk *w, X86Translation *t)
{
    bool key;

    walk_rights(w, t, &key);
    if (w->access == X86_READ ? t->prot_read
                              : w->access == X86_WRITE ? t->prot_write : t->prot_exec) {
        return true;
    }
    w->error = PG_ERROR_P | (key ? PG_ERROR_PK : 0);
    return false;
}

static void unpaged(CPUX86State *env, uint64_t linear, X86Translation *ret)
{
    *ret = (X86Translation){
        .phys = (uint32_t)linear & env->a20_mask,
        /* With A20 masked a larger "page" would not be linear. */
        .page_size = env->a20_mask & (1u << 20) ? 1u << 30 : 1u << 12,
        .prot_read = 1,
        .prot_write = 1,
        .prot_exec = 1,
    };
}

static void walk_finish(const Walk *w, X86Translation *ret)
{
    CPUX86State *env = w->env;
    uint64_t leaf = w->entries[w->count - 1].value;
    uint64_t size = 1ull << w->leaf_shift;

    ret->phys = (walk_leaf_base(w) | (w->linear & (size - 1))) & env->a20_mask;
    ret->page_size = env->a20_mask & (1u << 20) ? size : 1u << 12;
    ret->prot_write &= !!(leaf & PTE_D);
    ret->global = (leaf & PTE_G) && (env->cr4 & CR4_PGE);
}

bool x86_page_walk(CPUX86State *env, uint64_t linear, X86Access access, X86Priv priv,
                   X86Translation *ret, X86PageFault *fault)
{
    Walk w;

    if (!(env->cr0 & CR0_PG)) {
        unpaged(env, linear, ret);
        return true;
    }
    /* Another CPU that rewrites the same entry forever must not hold us here. */
    for (int i = 0; i < MAX_RETRIES; i++) {
        walk_init(&w, env, linear, access, priv);
        if (!walk_levels(&w) || !walk_allows(&w, ret)) {
            walk_fault(&w, fault);
            return false;
        }
        if (walk_set_accessed(&w)) {
            break;
        }
    }
    walk_finish(&w, ret);
    return true;
}
