/* SPDX-License-Identifier: MIT
 *
 * The translator's own structures, for this folder only.
 */
#ifndef ACCEL_TCG_INTERNAL_H
#define ACCEL_TCG_INTERNAL_H

#include <glib.h>
#include <stdatomic.h>
#include "accel/tcg/decode.h"
#include "system/memory/memory.h"
#include "target/i386/cpu.h"
#include "target/i386/mmu.h"

/* ---- per-vCPU part, at the start of CPUX86State.accel_area ------------------------ */

/* Which rights data accesses have; also picks the jump cache. */
enum TcgSet { TCG_SET_USER, TCG_SET_KERNEL, TCG_SET_KERNEL_AC, TCG_SET_COUNT };

#define TLB_BITS 12
#define TLB_SIZE (1u << TLB_BITS)
#define JC_BITS  12
#define JC_SIZE  (1u << JC_BITS)

/* Tags are negated page addresses: address + tag is the offset in the page, or is huge. */
typedef struct TlbEntry {
    uint64_t neg_read, neg_write;
    uint64_t host; /* host address of the page */
    uint64_t fill; /* TLB_FILL_*, and above them the number of the page of RAM */
} TlbEntry;

#define TLB_FILL_GLOBAL     1u
#define TLB_FILL_STORE      2u /* may be written, though maybe not unseen */
#define TLB_FILL_PAGE_SHIFT 8

typedef struct JumpEntry {
    uint64_t pc;
    const uint8_t *host;
} JumpEntry;

#define LOG_MAX 2048
typedef struct FillLog {
    uint32_t count; /* more than LOG_MAX: overflowed, flush everything */
    uint16_t slot[LOG_MAX];
} FillLog;

typedef struct TcgSetState {
    FillLog tlb_log, tlb_global_log; /* slots to clear at a flush */
    FillLog jc_log, jc_global_log;
    uint64_t jc_flags, jc_cs_base; /* what the entries of the jump cache were made for */
} TcgSetState;

/* The bounce buffer takes the largest operand that is accessed in one piece. */
#define BOUNCE_MAX 512

/* Mappings from this size on have code chained across their pages. */
#define TCG_LARGE_SIZE (2ull << 20)

/* Instruction fetches, for lookups in C. */
#define ITLB_SIZE 512
typedef struct ItlbEntry {
    uint64_t page; /* linear */
    const uint8_t *host; /* NULL: not a whole page of memory; fetched byte by byte */
    uint64_t page_number; /* of the RAM */
    uint32_t generation;
    uint8_t large, global, user;
} ItlbEntry;

/*
 * Device registers that were accessed before: the page walk and the look in the flat
 * view are saved while nothing changed.  Pages of memory, and ports.
 */
#define IO_CACHE_SIZE 64
typedef struct IoEntry {
    uint64_t key;         /* linear page, or port and size; 0: free */
    MemoryRegion *mr;
    hwaddr offset;        /* in mr, of the page or port */
    hwaddr phys_page;
    uint16_t first, last; /* bytes of the page */
    uint8_t set, write;
    uint32_t tlb_generation;
    unsigned as_generation;
} IoEntry;

#define GUARD_PAGES 4

typedef struct TcgBounce {
    uint64_t linear;
    uint32_t size;
    bool exclusive; /* the section to leave when it is written back */
    const IoEntry *io; /* of the device that it is, or NULL */
    uint64_t phys;
    uint8_t *host;  /* where the operand is: data, or beside the guard pages */
    /*
     * A masked access to pages that may not be accessed: which of its parts,
     * and the fault if the mask lets an element touch it after all.
     */
    bool denied[2];
    uint32_t error[2];
    uint8_t data[BOUNCE_MAX] __attribute__((aligned(64)));
} TcgBounce;

typedef struct TcgState TcgState;
#define LARGE_FILTER 4096
#define WRITE_FILTER 16384
typedef struct TcgEnv {
    CPUX86State *self;
    _Atomic uint32_t poll; /* not 0: look at the requests */
    uint32_t fp_live;      /* the host's vector and x87 registers are the guest's */
    uint16_t flags_image;  /* OF in the low byte, lahf's AH in the high one */
    uint16_t pad;
    uint32_t fault_vector; /* from the signal handler to the fault thunk */
    uint64_t fault_error;
    uint64_t tsc_until, tsc_base; /* of the host's counter: up to where tsc_base may be added */
    int32_t spin; /* pause instructions until the host's other threads get their turn */
    uint64_t save[4];
    uint64_t host_rsp;
    const uint8_t *resume; /* where a thunk goes when it returns */
    TlbEntry fake;         /* of the access that goes through the bounce buffer */
    TcgBounce bounce;

    /* not for generated code */
    TcgState *tcg;
    _Atomic bool running; /* between tcg_exec_start() and tcg_exec_end() */
    _Atomic bool flush_pending;
    _Atomic bool log_pending; /* take write tags of PAGE_CLEAN pages away */
    _Atomic bool in_block; /* will return into generated code, though it may wait in C now */
    bool in_exclusive;
    int64_t awake_ns; /* how long to stay awake when halted */
    bool bare; /* exceptions end tcg_cpu_exec() */
    bool single_insn; /* the next block is to hold one instruction */
    bool restart_single; /* ask for that, where the interrupted block was left */
    void *signal_stack;
    uint8_t *guard; /* GUARD_PAGES: read-write, two without any access, read-write */
    TcgSetState set[TCG_SET_COUNT];
    uint32_t itlb_generation, itlb_global_generation;
    uint32_t io_generation; /* counts flushes of any kind */
    IoEntry io_memory[IO_CACHE_SIZE], io_ports[IO_CACHE_SIZE];
    bool fetch_global; /* what the last tcg_fetch() met */
    unsigned as_generation;
    bool view_changed; /* the flat view is another than when generated code was entered */
    uint64_t large_filter[LARGE_FILTER / 64]; /* 2 MiB pieces that a large mapping gave entries for */
    /* Pages of RAM, hashed, that write tags were made for; read by other vCPUs. */
    _Atomic uint64_t write_filter[WRITE_FILTER / 64];
    ItlbEntry itlb[ITLB_SIZE];
    uint64_t stat_mmu_slow, stat_mmu_fill, stat_io, stat_lookup, stat_exit, stat_c_insn;

    TlbEntry tlb[TCG_SET_COUNT][TLB_SIZE] __attribute__((aligned(64)));
    JumpEntry jc[TCG_SET_COUNT][JC_SIZE] __attribute__((aligned(64)));
} TcgEnv;

_Static_assert(sizeof(TcgEnv) <= X86_ACCEL_AREA_SIZE, "accel_area is too small");

static inline TcgEnv *tcg_env(CPUX86State *env)
{
    return (TcgEnv *)env->accel_area;
}

#define ENV_OFF(field) ((int32_t)offsetof(CPUX86State, field))
#define TCG_OFF(field)                                                                             \
    ((int32_t)(offsetof(CPUX86State, accel_area) + offsetof(TcgEnv, field)))
#define REG_OFF(n)         (ENV_OFF(regs) + 8 * (n))
#define TLB_OFF(set, what) (TCG_OFF(tlb) + (int32_t)((set) * sizeof(TlbEntry) * TLB_SIZE) +        \
                            (int32_t)offsetof(TlbEntry, what))
#define JC_OFF(set, what)  (TCG_OFF(jc) + (int32_t)((set) * sizeof(JumpEntry) * JC_SIZE) +         \
                            (int32_t)offsetof(JumpEntry, what))

/* ---- blocks ------------------------------------------------------------------------ */

/* Block key beyond hflags. */
#define TBF_FLAGS_IMAGE (1ull << 32) /* at entry the flags are in flags_image, not in EFLAGS */
#define TBF_AC_SET      (1ull << 33) /* data accesses use TCG_SET_KERNEL_AC */
#define TBF_LARGE       (1ull << 34) /* the code is in a mapping of 2 MiB or more */
#define TBF_ONE         (1ull << 35) /* one instruction, no poll */
#define TBF_SMAP        (1ull << 36) /* stac and clac change the set */

typedef struct Block Block;
typedef struct BlockExit {
    uint8_t *site;   /* of the rel32 that is patched; NULL: not chainable */
    uint8_t *stub;   /* where it points while not chained */
    uint64_t pc;     /* eip or rip of the target */
    uint8_t image;   /* TBF_FLAGS_IMAGE for the successor */
    Block *to;
    Block *next_in;  /* next block in to's list of incoming exits */
    uint8_t next_in_index;
} BlockExit;

typedef struct InsnMap {
    uint32_t hot, cold;  /* where its code begins, from hot and cold of the block */
    uint16_t guest;      /* its offset from the block's first byte */
    uint8_t flags_host;  /* its flags are in EFLAGS when the host faults */
    uint8_t pad;
} InsnMap;

struct Block {
    Block *hash_next;
    uint64_t flags;   /* hflags & TCG_HFLAGS and TBF_* */
    uint64_t pc;      /* rip or eip */
    uint64_t cs_base; /* 0 in 64-bit code */
    uint32_t cs_limit;
    uint32_t index;   /* in TcgState.blocks */
    const uint8_t *guest; /* host address of the first byte */
    const uint8_t *guest2; /* host address of the second page, or NULL */
    uint32_t guest_size;
    uint16_t insn_count;
    bool valid;
    uint8_t *hot, *cold;
    uint32_t hot_size, cold_size;
    InsnMap *map;
    BlockExit exits[2];
    Block *in; /* exits that are chained to us */
    uint8_t in_index;
    Block *page_next[2]; /* in the lists of the pages it came from */
    uint64_t page[2];    /* their numbers; the second only with guest2 */
};

/* After the jump of a cold stub to a thunk. */
typedef struct __attribute__((packed)) ColdDesc {
    uint32_t block;  /* index */
    uint16_t guest;  /* offset of the instruction in the block */
    uint16_t size;   /* bytes accessed */
    uint8_t kind;    /* ACC_* */
    uint8_t exit;    /* number of the exit, for TCG_THUNK_LINK; ACC_WRITE: STORE_* */
    uint8_t set;     /* enum TcgSet */
    uint8_t seg;     /* X86SegReg, for TCG_THUNK_SEGMENT */
    uint8_t fp_wait; /* a pending x87 exception comes before faults of the operand */
    uint8_t align;   /* #GP unless aligned to this; 0: anywhere */
    int32_t resume;  /* from the descriptor to where the access is retried */
    int32_t bounce;  /* from the descriptor to the bounced copy; 0: none */
    uint64_t arg;
} ColdDesc;

/* What a plain store stores, so that one to a device needs one passage: arg's low half, else a GPR. */
#define STORE_IMM  1u
#define STORE_REG  2u  /* + number */
#define STORE_HIGH 18u /* + number: ah, ch, dh, bh */

/* arg of a plain store: the immediate; from the descriptor to what follows; its length. */
#define STORE_ARG(imm, after, length)                                                              \
    ((uint64_t)(uint32_t)(imm) | (uint64_t)((uint32_t)(after) & 0xfffffff) << 32 |                 \
     (uint64_t)(length) << 60)
#define STORE_ARG_AFTER(arg)  ((int32_t)((uint32_t)((arg) >> 32) << 4) >> 4)
#define STORE_ARG_LENGTH(arg) ((unsigned)((arg) >> 60))

#define ACC_READ   1u
#define ACC_WRITE  2u
#define ACC_LOCK   4u
#define ACC_MASKED 8u /* may touch less than size says */
#define ACC_HOST_FLAGS 16u /* THUNK_FLUSH: the instruction left its flags in EFLAGS */
#define ACC_NO_EXIT 32u /* THUNK_FLUSH: the instruction has more to do */
#define ACC_NO_READ 64u /* write only: a device is not read first */
#define ACC_STACK 128u /* a non-canonical address is #SS */

enum TcgThunk {
    THUNK_READ,   /* r10: linear; r11: ColdDesc */
    THUNK_WRITE,
    THUNK_FLUSH,  /* write the bounce buffer back; keeps everything */
    THUNK_LINK,   /* chain an exit; flags in the image */
    THUNK_LINK_HOST, /* the same; flags in EFLAGS */
    THUNK_LOOKUP, /* r10: target; r11: ColdDesc, arg: how far rsp has moved */
    THUNK_INSN,   /* r11: ColdDesc, arg: the X86Insn */
    THUNK_FP,     /* load the vector state */
    THUNK_POLL,   /* r11: ColdDesc; leave at its guest offset */
    THUNK_SPIN,   /* a pause too many */
    THUNK_RAISE,  /* arg: exception vector */
    THUNK_SEGMENT,/* r10: offset -> linear */
    THUNK_EXIT,   /* to the loop; env complete but for the registers */
    THUNK_FAULT,  /* from the signal handler */
    THUNK_COUNT,
};

/* The host addresses that helpers of memory accesses return: r10 and r11. */
typedef struct HelperPair {
    uint64_t r10, r11;
} HelperPair;

/* ---- the machine's translator ------------------------------------------------------ */

#define BLOCK_HASH_BITS 19
#define BLOCKS_MAX      (1u << 20)
#define CODE_SIZE_DEFAULT (64u << 20)
#define BLOCK_INSNS_MAX 48

typedef struct CodePage {
    uint64_t page;   /* number of the page of RAM */
    Block *blocks;
    uint32_t revivals;    /* how often code came back to it after all of it had gone */
    uint32_t idle_stores; /* since there is none */
} CodePage;

/* Code is looked for by these pieces of a page before blocks are. */
#define GRANULE_BITS 6

struct TcgState {
    GMutex lock;          /* blocks, pages, code memory */
    uint8_t *code, *hot_end, *cold_end;
    uint8_t *hot, *cold;  /* free from here */
    uint64_t code_size;   /* of the hot code; the rest is in proportion */
    uint8_t *hot_start, *cold_start;
    uint8_t *arena, *arena_free, *arena_end; /* Blocks, maps, decoded instructions */
    GHashTable *fetched;  /* instructions from devices, in the arena: set of 16 bytes */
    Block **blocks;
    uint32_t block_count;
    Block **hash;
    GHashTable *pages;    /* number -> CodePage */
    uint8_t *page_flags;  /* by page of RAM: PAGE_* */
    uint64_t *granules;   /* by page of RAM: where blocks may lie, a bit each 64 bytes */
    const uint8_t *thunk[THUNK_COUNT];
    void (*enter)(CPUX86State *env, const uint8_t *host);
    uint64_t flush_count, translate_count, invalidate_count;

    GMutex exclusive_lock;
    GCond exclusive_cond;
    _Atomic bool exclusive_pending;
    GPtrArray *cpus; /* of CPUX86State, under exclusive_lock */
    _Atomic unsigned awake; /* vCPU threads that do not wait for something to do */
    unsigned host_cpus;
    GPtrArray *logged; /* of RAMBlock, under lock */
    MachineState *machine;
    MemoryListener listener;
};

#define PAGE_WRITTEN 1u /* some vCPU may hold a write tag */
#define PAGE_CODE    2u /* translated code came from it: no write tags */
#define PAGE_CLEAN   4u /* logged, and not written since: no write tags, but see dirty.c */
#define PAGE_FLAGS_MAX (1ull << 28)

/* The granules that [offset, offset + len) of a page touches. */
static inline uint64_t tcg_granules_of(uint64_t offset, size_t len)
{
    unsigned first = (unsigned)(offset >> GRANULE_BITS & 63);
    unsigned last = (unsigned)((offset + len - 1) >> GRANULE_BITS & 63);

    return (UINT64_MAX >> (63 - last)) & (UINT64_MAX << first);
}

/* hflags that a block's meaning depends on. */
uint64_t tcg_block_flags(CPUX86State *env);

static inline enum TcgSet tcg_set_of(uint64_t block_flags)
{
    if ((block_flags & HF_CPL_MASK) == 3) {
        return TCG_SET_USER;
    }
    return block_flags & TBF_AC_SET ? TCG_SET_KERNEL_AC : TCG_SET_KERNEL;
}

/* cache.c */
bool tcg_cache_init(TcgState *s, GError **error);
void tcg_cache_finish(TcgState *s);
void *tcg_arena_alloc(TcgState *s, size_t size);
bool tcg_cache_full(const TcgState *s);
void tcg_cache_reset(TcgState *s);
Block *tcg_block_from_host(TcgState *s, const uint8_t *pc);
bool tcg_host_pc_in_cache(const TcgState *s, const uint8_t *pc);

/* dump.c */
void tcg_dump_block(const Block *b);

/* thunk.c */
void tcg_thunks_build(TcgState *s);

/* block.c; the lock is held where the name says so */
Block *tcg_block_lookup(CPUX86State *env, uint64_t flags);
const uint8_t *tcg_block_chain(CPUX86State *env, Block *from, unsigned exit);
bool tcg_block_overlaps(const Block *b, const uint8_t *host, size_t len);
void tcg_invalidate_locked(TcgState *s, uint64_t page, const uint8_t *host, size_t len);
bool tcg_state_register(TcgState *s); /* false: too many machines */
void tcg_state_unregister(TcgState *s);
void tcg_code_written(RAMBlock *block, size_t offset, size_t len);
void tcg_jc_flush(TcgEnv *t, enum TcgSet set, bool keep_global);
void tcg_jc_flush_page(TcgEnv *t, uint64_t linear);
void tcg_jc_insert(CPUX86State *env, Block *b);
/* What the jump cache has for env->rip, for flags without TBF_FLAGS_IMAGE; NULL: nothing. */
const uint8_t *tcg_jc_find(CPUX86State *env, uint64_t flags);

/* translate.c; the lock is held */
typedef struct TranslateSource {
    uint64_t pc, flags, cs_base;
    uint32_t cs_limit;
    const uint8_t *guest;  /* bytes at pc, up to the end of its page */
    const uint8_t *guest2; /* start of the next page, or NULL: not to be read */
    X86CPUIDConfig *cpuid;
} TranslateSource;
/* NULL: the first instruction goes on into the next page, and guest2 is not given. */
Block *tcg_translate(TcgState *s, const TranslateSource *src);

/* mmu.c */
void tcg_tlb_init(CPUX86State *env);
/* A tag that matches no address which is looked up in that slot. */
uint64_t tcg_tlb_no_tag(uint32_t slot);
HelperPair tcg_helper_access(CPUX86State *env, uint64_t linear, const ColdDesc *desc);
bool tcg_helper_flush(CPUX86State *env, const ColdDesc *desc);
/* A plain store to a device that was met before: done, and true; the flags stay in the image. */
bool tcg_helper_store(CPUX86State *env, uint64_t linear, const ColdDesc *desc);
/* A mapping of page_size was met: entries of its parts go when one of them goes. */
void tcg_note_large(TcgEnv *t, uint64_t linear, uint64_t page_size);
/* Whether the vCPU may have a write tag for the page; to be asked once PAGE_CODE is set. */
bool tcg_tlb_may_write(const TcgEnv *t, uint64_t page_number);
/* Its own thread, or in an exclusive section. */
void tcg_tlb_forget_writes(TcgEnv *t, uint64_t page_number);
void tcg_io_changed(CPUX86State *env);
bool tcg_is_canonical(CPUX86State *env, uint64_t linear);
/* A fault of the host at `host` in generated code: is it one of the guard pages? */
bool tcg_guard_fault(CPUX86State *env, uint64_t host);
/* Raise #MF if the instruction waits for the x87; its state is in the image. */
void tcg_wait_for_fp(CPUX86State *env, const ColdDesc *desc);
/* Complete env->rip from a descriptor. */
void tcg_sync_rip(CPUX86State *env, const ColdDesc *desc);

/* tcg-accel.c */
/* Follow changes of the map, and of what is logged. */
void tcg_listen(TcgState *s, AddressSpace *as);

/* dirty.c */
void tcg_log_switched(TcgState *s, RAMBlock *block);
void tcg_log_clear(TcgState *s, RAMBlock *block, size_t first, size_t count);
/* Write tags of pages whose log was cleared go; vCPU thread, before it runs on. */
void tcg_log_drop_tags(TcgEnv *t);
/* The vCPU is about to write to the page, or to get a write tag for it. */
void tcg_log_write(TcgState *s, RAMBlock *block, uint64_t page_number);

/* fetch.c */
/* The page that the byte at `linear` is fetched from; raises #PF, #GP. */
const ItlbEntry *tcg_fetch(CPUX86State *env, uint64_t linear);
/*
 * The instruction at env->rip, read as the processor would read it from a device.  What it
 * raises, this raises.  Bytes that are the same give the same 16 bytes of host memory, until
 * the code cache is emptied; the lock is taken.
 */
const uint8_t *tcg_fetch_bytes(CPUX86State *env);

/* fp.c */
void tcg_fp_init(void);
void tcg_fp_save(CPUX86State *env);
void tcg_fp_load(CPUX86State *env);
/* Give components that are in their initial state their bytes: XSAVEOPT leaves them. */
void tcg_fp_image_complete(CPUX86State *env);
bool tcg_fp_insn(const X86Insn *insn);
void tcg_exec_fp_insn(CPUX86State *env, const X86Insn *insn);

/* gather.c */
void tcg_exec_gather(CPUX86State *env, const X86Insn *insn);

/* io.c */
/* in or out; true: go back to the loop. */
bool tcg_exec_io(CPUX86State *env, const X86Insn *insn);

/* tsc.c */
/* C has just read the counter; what follows may be done without. */
void tcg_tsc_renew(CPUX86State *env);

/* string.c */
bool tcg_exec_string(CPUX86State *env, const X86Insn *insn);

/* string-compare.c: scas and cmps; false: not one that it does.  *ret_leave: to the loop. */
bool tcg_exec_compare(CPUX86State *env, const X86Insn *insn, bool *ret_leave);

/* exec.c */
int tcg_cpu_exec(CPUState *cs);
/*
 * Where a thunk goes that leaves its block with env complete and the flags in the image; NULL: to
 * the loop, which has something to do.
 */
const uint8_t *tcg_go_on(CPUX86State *env);
void tcg_exec_start(CPUX86State *env);
void tcg_exec_end(CPUX86State *env);
void tcg_start_exclusive(CPUX86State *env);
void tcg_end_exclusive(CPUX86State *env);
void tcg_kick(CPUX86State *env);
void tcg_cpu_attach(TcgState *s, CPUX86State *env);
void tcg_cpu_detach(CPUX86State *env);
void tcg_thread_init(CPUX86State *env);
void tcg_thread_finish(CPUX86State *env);

enum TcgExit { TCG_EXIT_NONE, TCG_EXIT_HALTED, TCG_EXIT_REQUEST };

/* flags */
static inline void tcg_flags_to_env(CPUX86State *env)
{
    uint16_t image = tcg_env(env)->flags_image;

    env->rflags = (env->rflags & ~(uint64_t)CC_MASK) | ((image >> 8) & 0xd5u) |
                  ((image & 1u) ? CC_O : 0);
}

static inline void tcg_flags_from_env(CPUX86State *env)
{
    tcg_env(env)->flags_image =
        (uint16_t)(((env->rflags & 0xd5u) | 2u) << 8) | ((env->rflags & CC_O) ? 1 : 0);
}

/* helper.c: what thunks call; general registers only */
/* Run generated code; the vector state is away afterwards. */
void tcg_enter(CPUX86State *env, const uint8_t *host);
HelperPair tcg_entry_access(CPUX86State *env, uint64_t linear, const ColdDesc *desc);
void tcg_entry_flush(CPUX86State *env, uint64_t unused, const ColdDesc *desc);
void tcg_entry_link(CPUX86State *env, uint64_t unused, const ColdDesc *desc);
void tcg_entry_lookup(CPUX86State *env, uint64_t target, const ColdDesc *desc);
void tcg_entry_insn(CPUX86State *env, uint64_t unused, const ColdDesc *desc);
void tcg_entry_fp(CPUX86State *env, uint64_t unused, const ColdDesc *desc);
void tcg_entry_poll(CPUX86State *env, uint64_t unused, const ColdDesc *desc);
void tcg_entry_spin(CPUX86State *env, uint64_t unused, const ColdDesc *desc);
void tcg_entry_raise(CPUX86State *env, uint64_t unused, const ColdDesc *desc);
HelperPair tcg_entry_segment(CPUX86State *env, uint64_t offset, const ColdDesc *desc);
void tcg_entry_fault(CPUX86State *env, uint64_t unused, const ColdDesc *desc);

#endif
