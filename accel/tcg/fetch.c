/* SPDX-License-Identifier: MIT
 *
 * Where instructions come from.  A whole page of RAM, of ROM, or of flash in
 * read mode is translated in place.  Anything else (a device, nothing at all,
 * a page that is only partly memory) is read at each execution, one instruction at
 * a time: what answers may be another each time.
 */
#include "accel/tcg/tcg-internal.h"
#include "system/memory/memory.h"
#include "target/i386/exception.h"
#include "target/i386/sysinsn.h"

/*
 * Blocks are chained across the pages of a large mapping: where memory is made of
 * several regions (below 1 MiB, with PAM) those may change one by one.
 */
static bool range_holds_large(const FlatRange *range, uint64_t phys)
{
    return range->start <= (phys & ~(TCG_LARGE_SIZE - 1)) &&
           range->last >= (phys | (TCG_LARGE_SIZE - 1));
}

static bool range_holds_page(const FlatRange *range, uint64_t phys)
{
    return range->start <= (phys & ~0xfffull) && range->last >= (phys | 0xfff);
}

/* Under memory_read_lock(). */
static void find_memory(const FlatRange *range, const X86Translation *tr, ItlbEntry *e)
{
    const RAMBlock *block = range ? range->mr->ram_block : NULL;
    const uint8_t *host;

    if (!block || !range_holds_page(range, tr->phys)) {
        return;
    }
    host = flat_range_host(range, tr->phys & ~0xfffull);
    if (!host) {
        return;
    }
    e->page_number = (block->offset + (uint64_t)(host - block->host)) >> 12;
    e->host = e->page_number < PAGE_FLAGS_MAX ? host : NULL;
    e->large = tr->page_size >= TCG_LARGE_SIZE && range_holds_large(range, tr->phys);
}

static void fetch_fill(CPUX86State *env, uint64_t linear, ItlbEntry *e)
{
    TcgEnv *t = tcg_env(env);
    X86Translation tr;
    X86PageFault fault;

    if (!tcg_is_canonical(env, linear)) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
    if (!x86_page_walk(env, linear, X86_FETCH, X86_PRIV_CPL, &tr, &fault)) {
        x86_raise_page_fault(env, linear, fault.error_code);
    }
    *e = (ItlbEntry){
        .page = linear >> 12,
        .generation = tr.global ? t->itlb_global_generation : t->itlb_generation,
        .global = tr.global,
        .user = x86_cpl(env) == 3,
    };
    memory_read_lock();
    find_memory(flatview_lookup(address_space_view(env_cpu(env)->as), tr.phys), &tr, e);
    memory_read_unlock();
    tcg_note_large(t, linear, tr.page_size);
}

const ItlbEntry *tcg_fetch(CPUX86State *env, uint64_t linear)
{
    TcgEnv *t = tcg_env(env);
    ItlbEntry *e;

    if (!(env->hflags & HF_CS64)) {
        linear = (uint32_t)linear;
    }
    e = &t->itlb[linear >> 12 & (ITLB_SIZE - 1)];
    if (e->page != linear >> 12 || e->user != (x86_cpl(env) == 3) ||
        e->generation != (e->global ? t->itlb_global_generation : t->itlb_generation)) {
        fetch_fill(env, linear, e);
    }
    t->fetch_global = e->global;
    return e;
}

/* ---- from devices ---------------------------------------------------------------------- */

#define SLOT 16 /* never across a page: a block's bytes are contiguous in one */

static guint bytes_hash(gconstpointer key)
{
    uint64_t half[2];

    memcpy(half, key, sizeof(half));
    return (guint)((half[0] ^ half[1] << 7) * 0x9e3779b97f4a7c15ull >> 32);
}

static gboolean bytes_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, SLOT) == 0;
}

/* The lock is held. */
static const uint8_t *intern(TcgState *s, const uint8_t bytes[SLOT])
{
    uint8_t *slot;

    if (!s->fetched) {
        s->fetched = g_hash_table_new(bytes_hash, bytes_equal);
    }
    slot = g_hash_table_lookup(s->fetched, bytes);
    if (!slot) {
        slot = tcg_arena_alloc(s, SLOT);
        memcpy(slot, bytes, SLOT);
        g_hash_table_add(s->fetched, slot);
    }
    return slot;
}

const uint8_t *tcg_fetch_bytes(CPUX86State *env)
{
    TcgState *s = tcg_env(env)->tcg;
    uint8_t bytes[SLOT] = {0};
    const uint8_t *slot;
    X86Insn insn;

    x86_fetch_insn(env, &insn);
    memcpy(bytes, insn.bytes, insn.length);
    g_mutex_lock(&s->lock);
    slot = tcg_cache_full(s) ? NULL : intern(s, bytes);
    g_mutex_unlock(&s->lock);
    return slot;
}
