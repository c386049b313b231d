/* SPDX-License-Identifier: MIT
 *
 * Blocks of translated code: found by the host address of their guest bytes
 * and by what they mean (rip, mode); chained to each other; thrown away when
 * the guest bytes change.
 */
#include "accel/tcg/tcg-internal.h"
#include "system/memory/memory.h"
#include "target/i386/exception.h"

#define HF_LONG_MASK                                                                               \
    (HF_CPL_MASK | HF_CS64 | HF_TF | HF_MP | HF_EM | HF_TS | HF_OSFXSR | HF_OSXSAVE | HF_AVX |     \
     HF_AVX512 | HF_IOPL_MASK | HF_DRX | HF_NE | HF_AC | HF_TSD)
#define HF_OTHER_MASK                                                                              \
    (HF_LONG_MASK | HF_CS32 | HF_SS32 | HF_PE | HF_VM | HF_LMA | HF_ADDSEG | HF_CSBASE |           \
     HF_FLAT_DS)

uint64_t tcg_block_flags(CPUX86State *env)
{
    uint64_t flags = env->hflags & (env->hflags & HF_CS64 ? HF_LONG_MASK : HF_OTHER_MASK);

    if ((env->cr4 & CR4_SMAP) && x86_cpl(env) < 3) {
        flags |= TBF_SMAP | (env->rflags & AC_MASK ? TBF_AC_SET : 0);
    }
    if (flags & (HF_TF | HF_DRX) || tcg_env(env)->single_insn) {
        flags |= TBF_ONE;
    }
    return flags;
}

static uint32_t jc_hash(uint64_t pc)
{
    uint64_t hash = 0;

    __asm__("crc32q %1, %0" : "+r"(hash) : "r"(pc));
    return hash >> 4 & (JC_SIZE - 1);
}

/* An address that is not looked up in that slot. */
static uint64_t jc_no_pc(uint32_t slot)
{
    return jc_hash(1ull << 63) != slot ? 1ull << 63 : (1ull << 63) + 16;
}

static void jc_clear(TcgEnv *t, enum TcgSet set, uint32_t slot)
{
    t->jc[set][slot].host = t->tcg->thunk[THUNK_LOOKUP];
    atomic_thread_fence(memory_order_release);
    t->jc[set][slot].pc = jc_no_pc(slot);
}

static void jc_clear_log(TcgEnv *t, enum TcgSet set, FillLog *log)
{
    for (uint32_t i = 0; i < log->count; i++) {
        jc_clear(t, set, log->slot[i]);
    }
    log->count = 0;
}

void tcg_jc_flush(TcgEnv *t, enum TcgSet set, bool keep_global)
{
    FillLog *log = &t->set[set].jc_log, *global = &t->set[set].jc_global_log;

    if (log->count > LOG_MAX || (!keep_global && global->count > LOG_MAX)) {
        for (uint32_t i = 0; i < JC_SIZE; i++) {
            jc_clear(t, set, i);
        }
        log->count = global->count = 0;
        return;
    }
    jc_clear_log(t, set, log);
    if (!keep_global) {
        jc_clear_log(t, set, global);
    }
}

static bool jc_drop_page(TcgEnv *t, enum TcgSet set, const FillLog *log, uint64_t page)
{
    if (log->count > LOG_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < log->count; i++) {
        uint64_t at = t->jc[set][log->slot[i]].pc >> 12;

        if (at == page || at + 1 == page) {
            jc_clear(t, set, log->slot[i]);
        }
    }
    return true;
}

/* Forget what begins in the page, or goes on into it from the one before. */
void tcg_jc_flush_page(TcgEnv *t, uint64_t linear)
{
    for (int set = 0; set < TCG_SET_COUNT; set++) {
        if (t->set[set].jc_cs_base ||
            !jc_drop_page(t, set, &t->set[set].jc_log, linear >> 12) ||
            !jc_drop_page(t, set, &t->set[set].jc_global_log, linear >> 12)) {
            tcg_jc_flush(t, set, false);
        }
    }
}

/* A jump cache is for one mode; flushed where that is another. */
static void jc_check_mode(CPUX86State *env, enum TcgSet set, uint64_t flags, uint64_t cs_base)
{
    TcgEnv *t = tcg_env(env);
    TcgSetState *state = &t->set[set];

    flags &= ~(TBF_LARGE | TBF_FLAGS_IMAGE);
    if (state->jc_flags != flags || state->jc_cs_base != cs_base) {
        tcg_jc_flush(t, set, false);
        state->jc_flags = flags;
        state->jc_cs_base = cs_base;
    }
}

const uint8_t *tcg_jc_find(CPUX86State *env, uint64_t flags)
{
    TcgEnv *t = tcg_env(env);
    enum TcgSet set = tcg_set_of(flags);
    const JumpEntry *e = &t->jc[set][jc_hash(env->rip)];
    const uint8_t *host;

    if (!(flags & HF_CS64) || flags & TBF_ONE || t->set[set].jc_flags != flags ||
        t->set[set].jc_cs_base || __atomic_load_n(&e->pc, __ATOMIC_RELAXED) != env->rip) {
        return NULL;
    }
    host = __atomic_load_n(&e->host, __ATOMIC_ACQUIRE); /* another CPU clears it the other way */
    return host == t->tcg->thunk[THUNK_LOOKUP] ? NULL : host;
}

void tcg_jc_insert(CPUX86State *env, Block *b)
{
    TcgEnv *t = tcg_env(env);
    enum TcgSet set = tcg_set_of(b->flags);
    FillLog *log = t->fetch_global ? &t->set[set].jc_global_log : &t->set[set].jc_log;
    uint32_t slot = jc_hash(b->pc);

    if (b->flags & TBF_ONE) {
        return;
    }
    jc_check_mode(env, set, b->flags, b->cs_base);
    if (log->count < LOG_MAX) {
        log->slot[log->count++] = (uint16_t)slot;
    } else {
        log->count = LOG_MAX + 1;
    }
    t->jc[set][slot].host = b->hot;
    t->jc[set][slot].pc = b->pc;
    /* Invalidated meanwhile, before our entry could be seen: take it back. */
    atomic_thread_fence(memory_order_seq_cst);
    if (!b->valid) {
        jc_clear(t, set, slot);
    }
}

/* ---- chaining ------------------------------------------------------------------------- */

static void exit_patch(BlockExit *x, const uint8_t *to)
{
    __atomic_store_n((int32_t *)(void *)x->site, (int32_t)(to - (x->site + 4)), __ATOMIC_RELEASE);
}

static void exit_unchain(Block *b, unsigned n)
{
    BlockExit *x = &b->exits[n];
    Block **link;
    uint8_t *index;

    if (!x->to) {
        return;
    }
    link = &x->to->in;
    index = &x->to->in_index;
    while (*link != b || *index != n) {
        BlockExit *other = &(*link)->exits[*index];

        link = &other->next_in;
        index = &other->next_in_index;
    }
    *link = x->next_in;
    *index = x->next_in_index;
    x->to = NULL;
    exit_patch(x, x->stub);
}

static void exit_chain(Block *b, unsigned n, Block *to)
{
    BlockExit *x = &b->exits[n];

    x->to = to;
    x->next_in = to->in;
    x->next_in_index = to->in_index;
    to->in = b;
    to->in_index = (uint8_t)n;
    exit_patch(x, to->hot);
}

const uint8_t *tcg_block_chain(CPUX86State *env, Block *from, unsigned exit)
{
    TcgEnv *t = tcg_env(env);
    TcgState *s = t->tcg;
    BlockExit *x = &from->exits[exit];
    Block *b;

    env->rip = x->pc;
    if (atomic_load_explicit(&t->poll, memory_order_relaxed)) {
        return NULL;
    }
    b = tcg_block_lookup(env, tcg_block_flags(env) | (x->image ? TBF_FLAGS_IMAGE : 0));
    if (!b) {
        return NULL;
    }
    g_mutex_lock(&s->lock);
    if (from->valid && b->valid && x->site && !x->to && !b->guest2 && !(b->flags & TBF_ONE)) {
        exit_chain(from, exit, b);
    }
    g_mutex_unlock(&s->lock);
    return b->hot;
}

/* ---- the table ------------------------------------------------------------------------ */

static Block **hash_bucket(TcgState *s, const uint8_t *guest, uint64_t pc, uint64_t flags)
{
    uint64_t h = (uintptr_t)guest * 0x9e3779b97f4a7c15ull;

    h = (h ^ h >> 29 ^ pc ^ flags * 0x2545f4914f6cdd1dull) * 0xbf58476d1ce4e5b9ull;
    return &s->hash[h >> (64 - BLOCK_HASH_BITS)];
}

static CodePage *page_get(TcgState *s, uint64_t number)
{
    CodePage *page = g_hash_table_lookup(s->pages, &number);

    if (!page) {
        page = g_new0(CodePage, 1);
        page->page = number;
        g_hash_table_insert(s->pages, &page->page, page);
    }
    return page;
}

/* In how many pages' lists it is. */
static unsigned block_pages(const Block *b)
{
    return b->guest2 && b->page[1] != b->page[0] ? 2 : 1;
}

static void hash_insert(TcgState *s, Block *b)
{
    Block **bucket = hash_bucket(s, b->guest, b->pc, b->flags);

    b->hash_next = *bucket;
    *bucket = b;
    b->valid = true;
}

/* Its bytes in the page. */
static void granules_add(TcgState *s, const Block *b, uint64_t page)
{
    size_t offset = (uintptr_t)b->guest & 0xfff, first = b->guest_size;

    if (b->guest2) {
        first = 0x1000 - offset;
        if (page == b->page[1]) {
            s->granules[page] |= tcg_granules_of(0, b->guest_size - first);
        }
    }
    if (page == b->page[0]) {
        s->granules[page] |= tcg_granules_of(offset, first);
    }
}

static void block_insert_locked(TcgState *s, Block *b)
{
    for (unsigned i = 0; i < block_pages(b); i++) {
        CodePage *page = page_get(s, b->page[i]);

        if (!page->blocks && page->idle_stores) {
            page->revivals++;
            page->idle_stores = 0;
        }
        b->page_next[i] = page->blocks;
        page->blocks = b;
        granules_add(s, b, b->page[i]);
    }
    hash_insert(s, b);
}

/* A block is in the lists of one or two pages; which of its links is the page's? */
static Block **page_link(Block *b, uint64_t page)
{
    return &b->page_next[b->page[0] == page ? 0 : 1];
}

static void page_remove(TcgState *s, uint64_t number, Block *b)
{
    CodePage *page = page_get(s, number);
    Block **link = &page->blocks;

    while (*link && *link != b) {
        link = page_link(*link, number);
    }
    if (*link) {
        *link = *page_link(b, number);
    }
}

static void block_forget_jumps(TcgState *s, Block *b)
{
    uint32_t slot = jc_hash(b->pc);

    for (unsigned i = 0; i < s->cpus->len; i++) {
        TcgEnv *t = tcg_env(g_ptr_array_index(s->cpus, i));

        for (int set = 0; set < TCG_SET_COUNT; set++) {
            if (t->jc[set][slot].host == b->hot) {
                jc_clear(t, set, slot);
            }
        }
    }
}

static void block_remove_locked(TcgState *s, Block *b)
{
    Block **link = hash_bucket(s, b->guest, b->pc, b->flags);

    b->valid = false;
    atomic_thread_fence(memory_order_seq_cst);
    while (*link && *link != b) {
        link = &(*link)->hash_next;
    }
    if (*link) {
        *link = b->hash_next;
    }
    exit_unchain(b, 0);
    exit_unchain(b, 1);
    while (b->in) {
        exit_unchain(b->in, b->in_index);
    }
    page_remove(s, b->page[0], b);
    if (block_pages(b) == 2) {
        page_remove(s, b->page[1], b);
    }
    block_forget_jumps(s, b);
    s->invalidate_count++;
}

bool tcg_block_overlaps(const Block *b, const uint8_t *host, size_t len)
{
    size_t first = b->guest_size;

    if (b->guest2) {
        size_t second;

        first = 0x1000 - ((uintptr_t)b->guest & 0xfff);
        second = b->guest_size - first;
        if (host < b->guest2 + second && host + len > b->guest2) {
            return true;
        }
    }
    return host < b->guest + first && host + len > b->guest;
}

/* What the blocks that are left need; for what went leaves its bits behind. */
static void granules_renew(TcgState *s, const CodePage *page)
{
    s->granules[page->page] = 0;
    for (Block *b = page->blocks; b; b = *page_link(b, page->page)) {
        granules_add(s, b, page->page);
    }
}

#define REVIVALS_MAX    4u
#define IDLE_STORES_MAX 1024u

/*
 * A page without code need not be watched.  But to watch it again costs as much as
 * many slow stores: where code comes back time and again, wait for a while.
 */
static void page_store_idle(TcgState *s, CodePage *page, uint64_t number)
{
    if (page && ++page->idle_stores <= IDLE_STORES_MAX && page->revivals > REVIVALS_MAX) {
        return;
    }
    if (page) {
        page->revivals -= page->idle_stores > IDLE_STORES_MAX ? page->revivals : 0;
    }
    __atomic_fetch_and(&s->page_flags[number], (uint8_t)~PAGE_CODE, __ATOMIC_SEQ_CST);
}

/* Bytes of a page changed: drop what was made of them; all within one page. */
void tcg_invalidate_locked(TcgState *s, uint64_t number, const uint8_t *host, size_t len)
{
    CodePage *page;
    Block *b, *next;
    bool hit = false;

    if (s->granules[number] && !(s->granules[number] & tcg_granules_of((uintptr_t)host, len))) {
        return;
    }
    page = g_hash_table_lookup(s->pages, &number);
    for (b = page ? page->blocks : NULL; b; b = next) {
        next = *page_link(b, number);
        if (tcg_block_overlaps(b, host, len)) {
            block_remove_locked(s, b);
            hit = true;
        }
    }
    if (hit) {
        granules_renew(s, page);
    }
    if (!page || !page->blocks) {
        page_store_idle(s, page, number);
    }
}

/* ---- pages ------------------------------------------------------------------------------ */

static bool others_may_write(TcgState *s, const TcgEnv *self, uint64_t number)
{
    for (unsigned i = 0; i < s->cpus->len; i++) {
        const TcgEnv *t = tcg_env(g_ptr_array_index(s->cpus, i));

        if (t != self && tcg_tlb_may_write(t, number)) {
            return true;
        }
    }
    return false;
}

/*
 * From now on no vCPU has a write tag for the page.  With PAGE_CODE set none gets a new
 * one.  If another vCPU may have one, it takes all of them out of generated code.
 */
static void page_mark_code(CPUX86State *env, const ItlbEntry *e)
{
    TcgEnv *t = tcg_env(env);
    TcgState *s = t->tcg;
    uint8_t *flags = &s->page_flags[e->page_number];

    if ((*flags & (PAGE_CODE | PAGE_WRITTEN)) == PAGE_CODE ||
        !(__atomic_fetch_or(flags, PAGE_CODE, __ATOMIC_SEQ_CST) & PAGE_WRITTEN)) {
        return;
    }
    if (others_may_write(s, t, e->page_number)) {
        tcg_start_exclusive(env);
        for (unsigned i = 0; i < s->cpus->len; i++) {
            tcg_tlb_forget_writes(tcg_env(g_ptr_array_index(s->cpus, i)), e->page_number);
        }
        __atomic_fetch_and(flags, (uint8_t)~PAGE_WRITTEN, __ATOMIC_SEQ_CST);
        tcg_end_exclusive(env);
        return;
    }
    tcg_tlb_forget_writes(t, e->page_number);
    __atomic_fetch_and(flags, (uint8_t)~PAGE_WRITTEN, __ATOMIC_SEQ_CST);
}

/* Every TcgState; memory has one hook for all, called after each write that is not ours. */
#define TRANSLATORS_MAX 16
static TcgState *translators[TRANSLATORS_MAX];
static GMutex translators_lock;

static void code_written(TcgState *s, uint64_t number, const uint8_t *host, size_t len)
{
    if (number < PAGE_FLAGS_MAX && (s->page_flags[number] & PAGE_CODE)) {
        g_mutex_lock(&s->lock);
        tcg_invalidate_locked(s, number, host, len);
        g_mutex_unlock(&s->lock);
    }
}

static void code_written_all(uint64_t number, const uint8_t *host, size_t len)
{
    for (unsigned i = 0; i < TRANSLATORS_MAX; i++) {
        TcgState *s = __atomic_load_n(&translators[i], __ATOMIC_ACQUIRE);

        if (s) {
            code_written(s, number, host, len);
        }
    }
}

void tcg_code_written(RAMBlock *block, size_t offset, size_t len)
{
    while (len) {
        size_t chunk = MIN(len, 0x1000 - (offset & 0xfff));

        code_written_all((block->offset + offset) >> 12, block->host + offset, chunk);
        offset += chunk;
        len -= chunk;
    }
}

static bool translator_replace(TcgState *from, TcgState *to)
{
    bool done = false;

    g_mutex_lock(&translators_lock);
    for (unsigned i = 0; i < TRANSLATORS_MAX && !done; i++) {
        if (translators[i] == from) {
            __atomic_store_n(&translators[i], to, __ATOMIC_RELEASE);
            done = true;
        }
    }
    memory_code_write_hook = tcg_code_written;
    g_mutex_unlock(&translators_lock);
    return done;
}

bool tcg_state_register(TcgState *s)
{
    return translator_replace(NULL, s);
}

void tcg_state_unregister(TcgState *s)
{
    translator_replace(s, NULL);
}

/* ---- lookup ----------------------------------------------------------------------------- */

static Block *hash_find(TcgState *s, const TranslateSource *src)
{
    Block *b = *hash_bucket(s, src->guest, src->pc, src->flags);

    for (; b; b = b->hash_next) {
        if (b->guest == src->guest && b->pc == src->pc && b->flags == src->flags &&
            b->cs_base == src->cs_base && b->cs_limit == src->cs_limit &&
            (!b->guest2 || !src->guest2 || b->guest2 == src->guest2)) {
            return b;
        }
    }
    return NULL;
}

static void source_init(CPUX86State *env, TranslateSource *src, uint64_t flags)
{
    *src = (TranslateSource){.flags = flags, .cpuid = &env_archcpu(env)->cpuid};
    if (flags & HF_CS64) {
        src->pc = env->rip;
        return;
    }
    src->pc = env->rip = (uint32_t)env->rip;
    src->cs_base = env->segs[R_CS].base;
    src->cs_limit = env->segs[R_CS].limit;
    if (src->pc > src->cs_limit) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
}

static uint64_t source_linear(const TranslateSource *src)
{
    return src->flags & HF_CS64 ? src->pc : (uint32_t)(src->pc + src->cs_base);
}

/* The block for src, found or made; NULL: its second page is needed, or the cache is full. */
static Block *find_or_translate(TcgState *s, const TranslateSource *src, const uint64_t page[2],
                                bool *ret_cross)
{
    Block *b = hash_find(s, src);

    *ret_cross = false;
    if (b && b->guest2 && !src->guest2) {
        *ret_cross = true;
        return NULL;
    }
    if (b || tcg_cache_full(s)) {
        return b;
    }
    for (unsigned i = 0; i < (src->guest2 ? 2 : 1); i++) {
        if (!(__atomic_load_n(&s->page_flags[page[i]], __ATOMIC_SEQ_CST) & PAGE_CODE)) {
            return NULL; /* its last block went just now; mark it again */
        }
    }
    b = tcg_translate(s, src);
    if (!b) {
        *ret_cross = true;
        return NULL;
    }
    b->page[0] = page[0];
    b->page[1] = page[1];
    block_insert_locked(s, b);
    s->translate_count++;
    return b;
}

/* One instruction that is not in memory that could be watched: see fetch.c. */
static Block *lookup_fetched(CPUX86State *env, TranslateSource *src)
{
    TcgState *s = tcg_env(env)->tcg;
    Block *b = NULL;

    src->flags = (src->flags | TBF_ONE) & ~TBF_LARGE;
    src->guest = tcg_fetch_bytes(env);
    src->guest2 = NULL;
    g_mutex_lock(&s->lock);
    if (src->guest && !tcg_cache_full(s)) {
        b = hash_find(s, src);
        if (!b) {
            b = tcg_translate(s, src);
            hash_insert(s, b);
            s->translate_count++;
        }
    }
    g_mutex_unlock(&s->lock);
    return b;
}

/*
 * The block at env->rip.  Raises what fetching raises.  NULL: go back to the
 * loop (the code cache is full, or what was asked for is to be tried again).
 */
Block *tcg_block_lookup(CPUX86State *env, uint64_t flags)
{
    TcgEnv *t = tcg_env(env);
    TcgState *s = t->tcg;
    TranslateSource src;
    uint64_t page[2] = {0, 0};
    const ItlbEntry *e;
    bool cross;
    Block *b = NULL;

    source_init(env, &src, flags);
    e = tcg_fetch(env, source_linear(&src));
    for (int i = 0; i < 2 && e->host; i++) {
        if (i == 0) {
            src.guest = e->host + (source_linear(&src) & 0xfff);
            src.flags |= e->large ? TBF_LARGE : 0;
        } else {
            src.guest2 = e->host;
        }
        page[i] = e->page_number;
        page_mark_code(env, e);
        g_mutex_lock(&s->lock);
        b = find_or_translate(s, &src, page, &cross);
        g_mutex_unlock(&s->lock);
        if (b || !cross) {
            break;
        }
        e = i == 0 ? tcg_fetch(env, (source_linear(&src) | 0xfff) + 1) : e;
    }
    if (!e->host) {
        b = lookup_fetched(env, &src);
    }
    if (!b && tcg_cache_full(s)) {
        atomic_store(&t->flush_pending, true);
    }
    return b;
}
