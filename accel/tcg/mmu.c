/* SPDX-License-Identifier: MIT
 *
 * The software TLB: what generated code looks up inline, and everything
 * behind a miss: page walk, faults, devices, accesses that cross pages, pages that
 * hold translated code.
 */
#include <inttypes.h>
#include <sys/mman.h>
#include "accel/tcg/tcg-internal.h"
#include "system/log.h"
#include "system/memory/memory.h"
#include "target/i386/exception.h"
#include "target/i386/xsave.h"

/* A run of bytes within one page, as an access finds it. */
typedef struct Piece {
    uint8_t *host; /* NULL: a device, or nothing */
    uint64_t phys;
    uint64_t page_number;
    bool plain; /* RAM that may be written with no further ado */
    bool readonly; /* RAM in which writes are not kept by us */
    const IoEntry *io; /* a device that was met before, or NULL */
} Piece;

uint64_t tcg_tlb_no_tag(uint32_t slot)
{
    return slot == 1 ? 1ull << 63 : (1ull << 63) - 0x1000;
}

static uint32_t tlb_slot(uint64_t linear)
{
    return linear >> 12 & (TLB_SIZE - 1);
}

static void tlb_clear(TcgEnv *t, int set, uint32_t slot)
{
    t->tlb[set][slot].neg_read = tcg_tlb_no_tag(slot);
    t->tlb[set][slot].neg_write = tcg_tlb_no_tag(slot);
}

static void tlb_clear_set(TcgEnv *t, int set, bool keep_global)
{
    for (uint32_t i = 0; i < TLB_SIZE; i++) {
        if (!keep_global || !(t->tlb[set][i].fill & TLB_FILL_GLOBAL)) {
            tlb_clear(t, set, i);
        }
    }
}

static void tlb_clear_log(TcgEnv *t, int set, FillLog *log, bool keep_global)
{
    if (log->count > LOG_MAX) {
        tlb_clear_set(t, set, keep_global);
    } else {
        for (uint32_t i = 0; i < log->count; i++) {
            tlb_clear(t, set, log->slot[i]);
        }
    }
    log->count = 0;
}

static void tlb_log(FillLog *log, uint32_t slot)
{
    if (log->count < LOG_MAX) {
        log->slot[log->count++] = (uint16_t)slot;
    } else {
        log->count = LOG_MAX + 1;
    }
}

void tcg_tlb_init(CPUX86State *env)
{
    TcgEnv *t = tcg_env(env);

    for (int set = 0; set < TCG_SET_COUNT; set++) {
        tlb_clear_set(t, set, false);
        t->set[set].jc_log.count = LOG_MAX + 1;
        tcg_jc_flush(t, set, false);
    }
    t->itlb_generation = t->itlb_global_generation = 1;
}

void x86_tlb_flush(CPUX86State *env, bool keep_global)
{
    TcgEnv *t = tcg_env(env);

    for (int set = 0; set < TCG_SET_COUNT; set++) {
        tlb_clear_log(t, set, &t->set[set].tlb_log, keep_global);
        if (!keep_global) {
            tlb_clear_log(t, set, &t->set[set].tlb_global_log, false);
        }
        tcg_jc_flush(t, set, keep_global);
    }
    t->itlb_generation++;
    t->io_generation++;
    if (!keep_global) {
        t->itlb_global_generation++;
        memset(t->large_filter, 0, sizeof(t->large_filter));
    }
}

static uint64_t *large_word(TcgEnv *t, uint64_t linear, uint64_t *ret_bit)
{
    uint64_t hash = (linear >> 21) * 0x9e3779b97f4a7c15ull >> 52;

    *ret_bit = 1ull << (hash & 63);
    return &t->large_filter[(hash & (LARGE_FILTER - 1)) / 64];
}

void x86_tlb_flush_page(CPUX86State *env, uint64_t linear)
{
    TcgEnv *t = tcg_env(env);
    uint32_t slot = tlb_slot(linear);
    uint64_t bit;
    ItlbEntry *fetch = &t->itlb[linear >> 12 & (ITLB_SIZE - 1)];

    if (*large_word(t, linear, &bit) & bit) {
        x86_tlb_flush(env, false);
        return;
    }
    for (int set = 0; set < TCG_SET_COUNT; set++) {
        tlb_clear(t, set, slot);
    }
    fetch->generation = 0;
    t->io_generation++;
    tcg_jc_flush_page(t, linear);
}

/* ---- who may write where ------------------------------------------------------------------ */

static unsigned write_hash(uint64_t page_number)
{
    return (unsigned)(page_number * 0x9e3779b97f4a7c15ull >> 50) & (WRITE_FILTER - 1);
}

bool tcg_tlb_may_write(const TcgEnv *t, uint64_t page_number)
{
    unsigned hash = write_hash(page_number);

    return atomic_load(&t->write_filter[hash / 64]) >> (hash & 63) & 1;
}

static void note_write_tag(TcgEnv *t, uint64_t page_number)
{
    unsigned hash = write_hash(page_number);

    if (!tcg_tlb_may_write(t, page_number)) {
        atomic_fetch_or(&t->write_filter[hash / 64], 1ull << (hash & 63));
    }
}

static void forget_write(TlbEntry *e, uint32_t slot, uint64_t page_number, uint64_t *others)
{
    uint64_t number = e->fill >> TLB_FILL_PAGE_SHIFT;
    unsigned hash = write_hash(number);

    if (e->neg_write == tcg_tlb_no_tag(slot)) {
        return;
    }
    if (number == page_number) {
        e->neg_write = tcg_tlb_no_tag(slot);
    } else {
        others[hash / 64] |= 1ull << (hash & 63);
    }
}

/* The page got translated code: stores are to be seen.  The filter becomes exact. */
void tcg_tlb_forget_writes(TcgEnv *t, uint64_t page_number)
{
    uint64_t others[WRITE_FILTER / 64] = {0};

    if (!tcg_tlb_may_write(t, page_number)) {
        return;
    }
    for (int set = 0; set < TCG_SET_COUNT; set++) {
        for (uint32_t i = 0; i < TLB_SIZE; i++) {
            forget_write(&t->tlb[set][i], i, page_number, others);
        }
    }
    for (unsigned i = 0; i < WRITE_FILTER / 64; i++) {
        atomic_store(&t->write_filter[i], others[i]);
    }
}

/* The flat view changed under us: no host address can be relied on. */
void tcg_io_changed(CPUX86State *env)
{
    TcgEnv *t = tcg_env(env);
    unsigned generation = __atomic_load_n(&env_cpu(env)->as->generation, __ATOMIC_ACQUIRE);

    if (t->as_generation != generation) {
        t->as_generation = generation;
        t->view_changed = true;
        x86_tlb_flush(env, false);
    }
}

/* ---- faults ---------------------------------------------------------------------------- */

void tcg_sync_rip(CPUX86State *env, const ColdDesc *desc)
{
    if (desc) {
        env->rip = tcg_env(env)->tcg->blocks[desc->block]->pc + desc->guest;
    }
}

/* The x87 exception of an earlier instruction, before this one is looked at (SDM vol. 1, 8.7). */
void tcg_wait_for_fp(CPUX86State *env, const ColdDesc *desc)
{
    bool pending =
        (x86_xsave_header(env)->xstate_bv & XSTATE_FP) && (x86_xsave_legacy(env)->fsw & 0x80);

    if (desc->fp_wait && pending) {
        tcg_sync_rip(env, desc);
        tcg_flags_to_env(env);
        x86_raise_x87(env);
    }
}

static G_NORETURN void raise_at(CPUX86State *env, const ColdDesc *desc, int vector, uint32_t error)
{
    if (desc) {
        tcg_sync_rip(env, desc);
        tcg_flags_to_env(env);
    }
    x86_raise_exception_err(env, vector, error);
}

static G_NORETURN void raise_page_fault(CPUX86State *env, const ColdDesc *desc, uint64_t linear,
                                        uint32_t error)
{
    env->cr2 = linear;
    raise_at(env, desc, EXCP_PF, error);
}

bool tcg_is_canonical(CPUX86State *env, uint64_t linear)
{
    unsigned shift = env->cr4 & CR4_LA57 ? 7 : 16;

    return !(env->efer & MSR_EFER_LMA) || (uint64_t)((int64_t)(linear << shift) >> shift) == linear;
}

static void check_canonical(CPUX86State *env, const ColdDesc *desc, uint64_t linear, size_t size)
{
    if (!tcg_is_canonical(env, linear) || !tcg_is_canonical(env, linear + size - 1)) {
        raise_at(env, desc, desc && (desc->kind & ACC_STACK) ? EXCP_SS : EXCP_GP, 0);
    }
}

/* ---- filling --------------------------------------------------------------------------- */

static enum TcgSet set_for(CPUX86State *env, X86Priv priv)
{
    if (priv == X86_PRIV_CPL) {
        if (x86_cpl(env) == 3) {
            return TCG_SET_USER;
        }
        if ((env->cr4 & CR4_SMAP) && (env->rflags & AC_MASK)) {
            return TCG_SET_KERNEL_AC;
        }
    }
    return TCG_SET_KERNEL;
}

static bool range_holds_page(const FlatRange *range, uint64_t phys)
{
    return range->start <= (phys & ~0xfffull) && range->last >= (phys | 0xfff);
}

void tcg_note_large(TcgEnv *t, uint64_t linear, uint64_t page_size)
{
    uint64_t bit;

    if (page_size >= TCG_LARGE_SIZE) {
        *large_word(t, linear, &bit) |= bit;
    }
}

static void tlb_insert(TcgEnv *t, enum TcgSet set, uint64_t linear, const X86Translation *tr,
                       const Piece *piece)
{
    uint8_t *flags = &t->tcg->page_flags[piece->page_number];
    uint32_t slot = tlb_slot(linear);
    TlbEntry *e = &t->tlb[set][slot];
    uint64_t tag = -(linear & ~0xfffull);
    bool write = false;

    if (tr->prot_write && !piece->readonly &&
        !(__atomic_load_n(flags, __ATOMIC_RELAXED) & PAGE_CLEAN)) {
        note_write_tag(t, piece->page_number);
        write = !(__atomic_fetch_or(flags, PAGE_WRITTEN, __ATOMIC_SEQ_CST) & PAGE_CODE);
    }
    tcg_note_large(t, linear, tr->page_size);
    e->host = (uintptr_t)piece->host & ~0xfffull;
    e->fill = piece->page_number << TLB_FILL_PAGE_SHIFT | (tr->global ? TLB_FILL_GLOBAL : 0) |
              (tr->prot_write && !piece->readonly ? TLB_FILL_STORE : 0);
    e->neg_read = tr->prot_read ? tag : tcg_tlb_no_tag(slot);
    e->neg_write = write ? tag : tcg_tlb_no_tag(slot);
    tlb_log(tr->global ? &t->set[set].tlb_global_log : &t->set[set].tlb_log, slot);
    t->stat_mmu_fill++;
}

/* Under memory_read_lock(). */
static void piece_find(CPUX86State *env, Piece *piece, const FlatRange *range)
{
    piece->host = range ? flat_range_host(range, piece->phys) : NULL;
    if (!piece->host || !range->mr->ram_block) {
        piece->host = NULL;
        return;
    }
    piece->page_number = (range->mr->ram_block->offset + (uint64_t)(piece->host -
                                                        range->mr->ram_block->host)) >> 12;
    piece->readonly = range->readonly || range->romd || piece->page_number >= PAGE_FLAGS_MAX;
}

/* ---- devices that were met before ----------------------------------------------------------- */

static IoEntry *io_slot(TcgEnv *t, uint64_t linear)
{
    return &t->io_memory[linear >> 12 & (IO_CACHE_SIZE - 1)];
}

static unsigned as_generation(CPUX86State *env)
{
    return __atomic_load_n(&env_cpu(env)->as->generation, __ATOMIC_ACQUIRE);
}

static void io_note(CPUX86State *env, uint64_t linear, enum TcgSet set, const X86Translation *tr,
                    const FlatRange *range)
{
    TcgEnv *t = tcg_env(env);
    uint64_t page = tr->phys & ~0xfffull;
    uint64_t first = MAX(range->start, page), last = MIN(range->last, page | 0xfff);

    *io_slot(t, linear) = (IoEntry){
        .key = linear >> 12 << 12 | 1,
        .mr = range->mr,
        .offset = range->offset_in_region + (first - range->start),
        .phys_page = page,
        .first = (uint16_t)(first & 0xfff),
        .last = (uint16_t)(last & 0xfff),
        .set = set,
        .write = tr->prot_write,
        .tlb_generation = t->io_generation,
        .as_generation = as_generation(env),
    };
}

static const IoEntry *io_find(CPUX86State *env, uint64_t linear, enum TcgSet set, bool write)
{
    TcgEnv *t = tcg_env(env);
    const IoEntry *e = io_slot(t, linear);
    unsigned offset = linear & 0xfff;

    return e->key == (linear >> 12 << 12 | 1) && e->set == set && (!write || e->write) &&
                   e->tlb_generation == t->io_generation &&
                   e->as_generation == as_generation(env) && offset >= e->first && offset <= e->last
               ? e
               : NULL;
}

/* Under memory_read_lock(): while the generation is that of the entry, its region is there. */
static bool io_holds(CPUX86State *env, const Piece *piece, size_t len)
{
    return piece->io && piece->io->as_generation == as_generation(env) &&
           (piece->phys & 0xfff) + len - 1 <= piece->io->last;
}

static hwaddr io_offset(const Piece *piece)
{
    return piece->io->offset + ((piece->phys & 0xfff) - piece->io->first);
}

static void io_read(CPUX86State *env, const Piece *piece, uint64_t *value, unsigned size)
{
    memory_read_lock();
    if (io_holds(env, piece, size)) {
        memory_region_dispatch_read(piece->io->mr, io_offset(piece), value, size,
                                    x86_memtxattrs(env));
    } else {
        address_space_load(env_cpu(env)->as, piece->phys, value, size, x86_memtxattrs(env));
    }
    memory_read_unlock();
}

static void io_write(CPUX86State *env, const Piece *piece, uint64_t value, unsigned size)
{
    memory_read_lock();
    if (io_holds(env, piece, size)) {
        memory_region_dispatch_write(piece->io->mr, io_offset(piece), value, size,
                                     x86_memtxattrs(env));
    } else {
        address_space_store(env_cpu(env)->as, piece->phys, value, size, x86_memtxattrs(env));
    }
    memory_read_unlock();
}

/* What the TLB knows saves the walk: a read, or a write to a page that is watched. */
static bool piece_from_tlb(CPUX86State *env, uint64_t linear, X86Access access, X86Priv priv,
                           Piece *piece)
{
    TcgEnv *t = tcg_env(env);
    const TlbEntry *e = &t->tlb[set_for(env, priv)][tlb_slot(linear)];
    uint64_t tag = -(linear & ~0xfffull), number = e->fill >> TLB_FILL_PAGE_SHIFT;

    if (access == X86_FETCH) {
        return false;
    }
    if (e->neg_read != tag) {
        const IoEntry *io = io_find(env, linear, set_for(env, priv), access == X86_WRITE);

        *piece = (Piece){.io = io, .phys = io ? io->phys_page | (linear & 0xfff) : 0};
        return io != NULL;
    }
    if (access == X86_WRITE && e->neg_write != tag &&
        (!(e->fill & TLB_FILL_STORE) ||
         (__atomic_load_n(&t->tcg->page_flags[number], __ATOMIC_RELAXED) &
          (PAGE_CODE | PAGE_CLEAN)) != PAGE_CODE)) {
        return false;
    }
    *piece = (Piece){
        .host = (uint8_t *)(uintptr_t)e->host + (linear & 0xfff),
        .page_number = number,
        .plain = access != X86_WRITE || e->neg_write == tag,
    };
    return true;
}

/* Translate for one access; false: *fault says why not. Fills the TLB where it can. */
static bool translate_quietly(CPUX86State *env, uint64_t linear, X86Access access, X86Priv priv,
                              Piece *piece, X86PageFault *fault)
{
    TcgEnv *t = tcg_env(env);
    X86Translation tr;
    const FlatRange *range;

    if (piece_from_tlb(env, linear, access, priv, piece)) {
        return true;
    }
    if (!x86_page_walk(env, linear, access, priv, &tr, fault)) {
        return false;
    }
    *piece = (Piece){.phys = tr.phys};
    memory_read_lock();
    range = flatview_lookup(address_space_view(env_cpu(env)->as), tr.phys);
    piece_find(env, piece, range);
    if (access == X86_WRITE && piece->host && !piece->readonly) {
        tcg_log_write(t->tcg, range->mr->ram_block, piece->page_number);
    }
    if (range && range->mr->ops && !piece->host) {
        io_note(env, linear, set_for(env, priv), &tr, range);
    }
    if (piece->host && range_holds_page(range, tr.phys)) {
        tlb_insert(t, set_for(env, priv), linear, &tr, piece);
        piece->plain = access != X86_WRITE ||
                       t->tlb[set_for(env, priv)][tlb_slot(linear)].neg_write ==
                           -(linear & ~0xfffull);
    }
    memory_read_unlock();
    return true;
}

/* The same, but raises #PF. */
static void translate(CPUX86State *env, const ColdDesc *desc, uint64_t linear, X86Access access,
                      X86Priv priv, Piece *piece)
{
    X86PageFault fault;

    if (!translate_quietly(env, linear, access, priv, piece, &fault)) {
        raise_page_fault(env, desc, linear, fault.error_code);
    }
}

/* ---- one piece ------------------------------------------------------------------------- */

typedef uint16_t __attribute__((aligned(1), may_alias)) Unaligned16;
typedef uint32_t __attribute__((aligned(1), may_alias)) Unaligned32;
typedef uint64_t __attribute__((aligned(1), may_alias)) Unaligned64;

static void copy_sized(void *to, const void *from, size_t size)
{
    switch (size) { /* what is aligned is one access, as other CPUs and devices expect */
    case 1:
        *(volatile uint8_t *)to = *(const uint8_t *)from;
        break;
    case 2:
        *(volatile Unaligned16 *)to = *(const Unaligned16 *)from;
        break;
    case 4:
        *(volatile Unaligned32 *)to = *(const Unaligned32 *)from;
        break;
    case 8:
        *(volatile Unaligned64 *)to = *(const Unaligned64 *)from;
        break;
    default:
        memcpy(to, from, size);
    }
}

static bool is_natural(size_t size)
{
    return size == 1 || size == 2 || size == 4 || size == 8;
}

static void io_prepare(CPUX86State *env, const ColdDesc *desc)
{
    tcg_env(env)->stat_io++;
    if (desc) {
        tcg_sync_rip(env, desc);
        tcg_flags_to_env(env);
    }
}

static void piece_read(CPUX86State *env, const ColdDesc *desc, const Piece *piece, void *buf,
                       size_t len)
{
    uint64_t value;

    if (piece->host) {
        copy_sized(buf, piece->host, len);
        return;
    }
    io_prepare(env, desc);
    if (is_natural(len)) {
        io_read(env, piece, &value, (unsigned)len);
        copy_sized(buf, &value, len);
    } else {
        address_space_read(env_cpu(env)->as, piece->phys, x86_memtxattrs(env), buf, len);
    }
    tcg_io_changed(env);
}

/* A store that is seen: into a page with code. */
static void code_page_write(TcgState *s, const Piece *piece, const void *buf, size_t len)
{
    g_mutex_lock(&s->lock);
    copy_sized(piece->host, buf, len);
    tcg_invalidate_locked(s, piece->page_number, piece->host, len);
    g_mutex_unlock(&s->lock);
}

static void piece_write(CPUX86State *env, const ColdDesc *desc, const Piece *piece, const void *buf,
                        size_t len)
{
    TcgState *s = tcg_env(env)->tcg;

    if (piece->host && !piece->readonly) {
        if (s->page_flags[piece->page_number] & PAGE_CODE) {
            code_page_write(s, piece, buf, len);
        } else {
            copy_sized(piece->host, buf, len);
        }
        return;
    }
    io_prepare(env, desc);
    if (is_natural(len)) {
        uint64_t value = 0;

        copy_sized(&value, buf, len);
        io_write(env, piece, value, (unsigned)len);
    } else {
        address_space_write(env_cpu(env)->as, piece->phys, x86_memtxattrs(env), buf, len);
    }
    tcg_io_changed(env);
}

/* ---- accesses from generated code -------------------------------------------------------- */

static size_t first_part(uint64_t linear, size_t size)
{
    size_t room = 0x1000 - (linear & 0xfff);

    return MIN(size, room);
}

static uint64_t wrap(CPUX86State *env, uint64_t linear)
{
    return env->efer & MSR_EFER_LMA && (env->hflags & HF_CS64) ? linear : (uint32_t)linear;
}

static void piece_rewind(Piece *piece, uint64_t by)
{
    piece->phys -= by;
    piece->host = piece->host ? piece->host - by : NULL;
}

/* Of fldenv and frstor, the far end is looked at after the first word: it is what CR2 tells. */
static bool starts_with_its_end(size_t len, size_t part)
{
    return ((len == 14 || len == 94) && part >= 2) || ((len == 28 || len == 108) && part >= 4);
}

/*
 * An instruction that stores into its own block, and has more to do afterwards: it can only be
 * left behind where nothing follows it in its block.
 */
static void check_own_block(CPUX86State *env, const ColdDesc *desc, const uint8_t *host)
{
    TcgEnv *t = tcg_env(env);
    const Block *b = t->tcg->blocks[desc->block];

    if ((desc->kind & ACC_NO_EXIT) && !(b->flags & TBF_ONE) &&
        tcg_block_overlaps(b, host, desc->size)) {
        tcg_sync_rip(env, desc);
        tcg_flags_to_env(env);
        t->restart_single = true;
        cpu_loop_exit(env_cpu(env));
    }
}

/* known: where it lies, if that is one page and has been asked for; or NULL. */
static void access_bounce(CPUX86State *env, uint64_t linear, const ColdDesc *desc,
                          const Piece *known)
{
    TcgEnv *t = tcg_env(env);
    TcgBounce *b = &t->bounce;
    X86Access access = desc->kind & ACC_WRITE ? X86_WRITE : X86_READ;
    size_t part = first_part(linear, desc->size), len = desc->size;
    Piece piece[2];

    if (known) {
        piece[0] = *known;
    } else {
        translate(env, desc, linear, access, X86_PRIV_CPL, &piece[0]);
    }
    if (part < len) {
        uint64_t end = linear + (starts_with_its_end(len, part) ? len - 1 : part);

        check_canonical(env, desc, end, 1);
        translate(env, desc, wrap(env, end), access, X86_PRIV_CPL, &piece[1]);
        piece_rewind(&piece[1], end - (linear + part));
    }
    b->linear = linear;
    b->size = desc->size;
    b->host = b->data + (desc->align ? linear & (desc->align - 1u) : 0);
    b->denied[0] = b->denied[1] = false;
    b->exclusive = desc->kind & ACC_LOCK;
    b->io = part == len ? piece[0].io : NULL;
    b->phys = piece[0].phys;
    if (access == X86_WRITE) {
        check_own_block(env, desc, piece[0].host);
        if (part < len) {
            check_own_block(env, desc, piece[1].host);
        }
    }
    if (b->exclusive) {
        tcg_start_exclusive(env);
    }
    if (desc->kind & ACC_NO_READ && !(desc->kind & ACC_MASKED)) {
        return;
    }
    piece_read(env, desc, &piece[0], b->host, part);
    if (part < len) {
        piece_read(env, desc, &piece[1], b->host + part, len - part);
    }
}

static uint8_t *guard_pages(TcgEnv *t)
{
    if (!t->guard) {
        void *p = mmap(NULL, GUARD_PAGES * 0x1000, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        g_assert(p != MAP_FAILED && !mprotect((uint8_t *)p + 0x1000, 0x2000, PROT_NONE));
        t->guard = p;
    }
    return t->guard;
}

/* Of the two pages that an access to [first, second] gets, the first. */
static unsigned guard_page_for(const TcgBounce *b)
{
    return b->denied[0] ? (b->denied[1] ? 1 : 2) : 0;
}

/*
 * Masked-off elements do not fault (SDM vol. 2, 2.7.9, and VMASKMOV).  What
 * exactly an instruction touches the processor knows best: where part of the operand may
 * not be accessed, let it run on a copy whose denied part is a page that the
 * host denies as well.  False: all may be accessed.
 */
static bool access_guarded(CPUX86State *env, uint64_t linear, const ColdDesc *desc)
{
    TcgBounce *b = &tcg_env(env)->bounce;
    X86Access access = desc->kind & ACC_WRITE ? X86_WRITE : X86_READ;
    size_t part = first_part(linear, desc->size), len = desc->size;
    Piece piece[2];
    X86PageFault fault[2];

    b->denied[0] = !translate_quietly(env, linear, access, X86_PRIV_CPL, &piece[0], &fault[0]);
    b->denied[1] = part < len ? !translate_quietly(env, wrap(env, linear + part), access,
                                                   X86_PRIV_CPL, &piece[1], &fault[1])
                              : b->denied[0];
    if (!b->denied[0] && !b->denied[1]) {
        return false;
    }
    b->linear = linear;
    b->size = desc->size;
    b->exclusive = false;
    b->io = NULL;
    b->host = guard_pages(tcg_env(env)) + 0x1000 * guard_page_for(b) + (linear & 0xfff);
    for (unsigned n = 0; n < 2; n++) {
        if (b->denied[n]) {
            b->error[n] = fault[n].error_code;
        } else {
            piece_read(env, desc, &piece[n], b->host + (n ? part : 0), n ? len - part : part);
        }
    }
    if (part == len) {
        b->error[1] = b->error[0];
    }
    return true;
}

bool tcg_guard_fault(CPUX86State *env, uint64_t host)
{
    TcgEnv *t = tcg_env(env);
    uint64_t offset = host - (uintptr_t)t->guard;

    if (!t->guard || offset >= GUARD_PAGES * 0x1000) {
        return false;
    }
    offset = host - (uintptr_t)t->bounce.host;
    env->cr2 = wrap(env, t->bounce.linear + offset);
    t->fault_error = t->bounce.error[(t->bounce.linear ^ env->cr2) >> 12 != 0];
    return true;
}

static HelperPair bounced(CPUX86State *env, const ColdDesc *desc)
{
    TcgEnv *t = tcg_env(env);

    if (desc->kind & ACC_WRITE) {
        t->resume = (const uint8_t *)desc + desc->bounce;
        return (HelperPair){(uintptr_t)t->bounce.host, 0};
    }
    t->fake.host = (uintptr_t)t->bounce.host;
    t->resume = (const uint8_t *)desc + desc->resume;
    return (HelperPair){0, (uint64_t)(int64_t)(TCG_OFF(fake) - TLB_OFF(desc->set, neg_read))};
}

/* A plain load or store of a device that was met before needs nothing of what else may be. */
static bool access_device(CPUX86State *env, uint64_t linear, const ColdDesc *desc)
{
    TcgBounce *b = &tcg_env(env)->bounce;
    bool write = desc->kind & ACC_WRITE;
    const IoEntry *io;
    Piece piece;

    if (desc->fp_wait || desc->align || (desc->kind & (ACC_MASKED | ACC_LOCK)) ||
        (write && !(desc->kind & ACC_NO_READ)) || !is_natural(desc->size)) {
        return false;
    }
    io = io_find(env, linear, desc->set, write);
    if (!io || (linear & 0xfff) + desc->size - 1 > io->last) {
        return false;
    }
    piece = (Piece){.io = io, .phys = io->phys_page | (linear & 0xfff)};
    b->linear = linear;
    b->size = desc->size;
    b->host = b->data;
    b->denied[0] = b->denied[1] = b->exclusive = false;
    b->io = io;
    b->phys = piece.phys;
    if (!write) {
        piece_read(env, desc, &piece, b->host, desc->size);
    }
    return true;
}

static uint64_t stored_value(const CPUX86State *env, const ColdDesc *desc)
{
    if (desc->exit == STORE_IMM) {
        return (uint64_t)(int64_t)(int32_t)desc->arg;
    }
    return desc->exit < STORE_HIGH ? env->regs[desc->exit - STORE_REG]
                                   : env->regs[desc->exit - STORE_HIGH] >> 8;
}

bool tcg_helper_store(CPUX86State *env, uint64_t linear, const ColdDesc *desc)
{
    const IoEntry *io = io_find(env, linear, desc->set, true);
    Piece piece;

    if (!io || (linear & 0xfff) + desc->size - 1 > io->last) {
        return false;
    }
    tcg_env(env)->stat_mmu_slow++;
    piece = (Piece){.io = io, .phys = io->phys_page | (linear & 0xfff)};
    io_prepare(env, desc);
    io_write(env, &piece, stored_value(env, desc), desc->size);
    tcg_io_changed(env);
    return true;
}

HelperPair tcg_helper_access(CPUX86State *env, uint64_t linear, const ColdDesc *desc)
{
    TcgEnv *t = tcg_env(env);
    uint32_t slot = tlb_slot(linear);
    TlbEntry *e = &t->tlb[desc->set][slot];
    bool write = desc->kind & ACC_WRITE;
    const Piece *known = NULL;
    Piece piece;

    t->stat_mmu_slow++;
    if (access_device(env, linear, desc)) {
        return bounced(env, desc);
    }
    tcg_wait_for_fp(env, desc);
    if (desc->align && (linear & (desc->align - 1u)) && !(desc->kind & ACC_MASKED)) {
        raise_at(env, desc, EXCP_GP, 0);
    }
    check_canonical(env, desc, linear, 1);
    if (desc->kind & ACC_MASKED && access_guarded(env, linear, desc)) {
        return bounced(env, desc);
    }
    if ((linear & 0xfff) + desc->size <= 0x1000) {
        uint64_t tag = -(linear & ~0xfffull);

        translate(env, desc, linear, write ? X86_WRITE : X86_READ, X86_PRIV_CPL, &piece);
        if ((write ? e->neg_write : e->neg_read) == tag) {
            t->resume = (const uint8_t *)desc + desc->resume;
            return (HelperPair){linear & 0xfff, (uint64_t)slot * sizeof(TlbEntry)};
        }
        known = &piece;
    }
    access_bounce(env, linear, desc, known);
    return bounced(env, desc);
}

static void store_piece(CPUX86State *env, const ColdDesc *desc, uint64_t linear, const void *buf,
                        size_t len)
{
    Piece piece;

    translate(env, desc, linear, X86_WRITE, X86_PRIV_CPL, &piece);
    piece_write(env, desc, &piece, buf, len);
}

/* The instruction has been done on the bounce buffer.  True: its own block is gone. */
bool tcg_helper_flush(CPUX86State *env, const ColdDesc *desc)
{
    TcgEnv *t = tcg_env(env);
    TcgBounce *b = &t->bounce;
    Block *block = t->tcg->blocks[desc->block];
    size_t part = first_part(b->linear, b->size);

    if (b->io && !b->denied[0]) {
        Piece piece = {.phys = b->phys, .io = b->io};

        piece_write(env, NULL, &piece, b->host, part);
    } else if (!b->denied[0]) {
        store_piece(env, NULL, b->linear, b->host, part);
    }
    if (part < b->size && !b->denied[1]) {
        store_piece(env, NULL, wrap(env, b->linear + part), b->host + part, b->size - part);
    }
    if (b->exclusive) {
        b->exclusive = false;
        tcg_end_exclusive(env);
    }
    return !block->valid;
}

/* ---- accesses from C ----------------------------------------------------------------------- */

static void *fast_host(CPUX86State *env, uint64_t linear, size_t len, bool write, X86Priv priv)
{
    TlbEntry *e = &tcg_env(env)->tlb[set_for(env, priv)][tlb_slot(linear)];
    uint64_t offset = linear + (write ? e->neg_write : e->neg_read);

    return offset <= 0x1000 - len && len <= 0x1000 ? (uint8_t *)(uintptr_t)e->host + offset : NULL;
}

void x86_ld_bytes(CPUX86State *env, uint64_t linear, void *buf, size_t len, X86Priv priv)
{
    check_canonical(env, NULL, linear, len ? len : 1);
    while (len) {
        size_t part = first_part(linear, len);
        const void *host = fast_host(env, linear, part, false, priv);

        if (host) {
            copy_sized(buf, host, part);
        } else {
            Piece piece;

            translate(env, NULL, linear, X86_READ, priv, &piece);
            piece_read(env, NULL, &piece, buf, part);
        }
        buf = (uint8_t *)buf + part;
        linear = wrap(env, linear + part);
        len -= part;
    }
}

void x86_probe(CPUX86State *env, uint64_t linear, size_t len, X86Access access, X86Priv priv)
{
    Piece piece;

    check_canonical(env, NULL, linear, len ? len : 1);
    while (len) {
        size_t part = first_part(linear, len);

        if (access == X86_FETCH || !fast_host(env, linear, part, access == X86_WRITE, priv)) {
            translate(env, NULL, linear, access, priv, &piece);
        }
        linear = wrap(env, linear + part);
        len -= part;
    }
}

void x86_st_bytes(CPUX86State *env, uint64_t linear, const void *buf, size_t len, X86Priv priv)
{
    if (first_part(linear, len) < len) {
        x86_probe(env, linear, len, X86_WRITE, priv);
    }
    check_canonical(env, NULL, linear, len ? len : 1);
    while (len) {
        size_t part = first_part(linear, len);
        void *host = fast_host(env, linear, part, true, priv);

        if (host) {
            copy_sized(host, buf, part);
        } else {
            Piece piece;

            translate(env, NULL, linear, X86_WRITE, priv, &piece);
            piece_write(env, NULL, &piece, buf, part);
        }
        buf = (const uint8_t *)buf + part;
        linear = wrap(env, linear + part);
        len -= part;
    }
}

uint64_t x86_ld(CPUX86State *env, uint64_t linear, unsigned size, X86Priv priv)
{
    const void *host = fast_host(env, linear, size, false, priv);
    uint64_t value = 0;

    if (host && size == 8) {
        return *(const volatile Unaligned64 *)host;
    }
    x86_ld_bytes(env, linear, &value, size, priv);
    return value;
}

void x86_st(CPUX86State *env, uint64_t linear, uint64_t value, unsigned size, X86Priv priv)
{
    void *host = fast_host(env, linear, size, true, priv);

    if (host && size == 8) {
        *(volatile Unaligned64 *)host = value;
        return;
    }
    x86_st_bytes(env, linear, &value, size, priv);
}

void *x86_quick_ptr(CPUX86State *env, uint64_t linear, size_t len, X86Access access, X86Priv priv)
{
    return fast_host(env, linear, len, access == X86_WRITE, priv);
}

void *x86_host_ptr(CPUX86State *env, uint64_t linear, size_t len, X86Access access, X86Priv priv)
{
    void *host = fast_host(env, linear, len, access == X86_WRITE, priv);
    Piece piece;

    if (host) {
        return host;
    }
    check_canonical(env, NULL, linear, len);
    translate(env, NULL, linear, access, priv, &piece);
    return piece.plain ? piece.host : NULL;
}

/* ---- exclusion, for locked operations in C ------------------------------------------- */

void x86_exclusive_begin(CPUX86State *env)
{
    tcg_start_exclusive(env);
}

void x86_exclusive_end(CPUX86State *env)
{
    tcg_end_exclusive(env);
}
