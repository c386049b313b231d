/* SPDX-License-Identifier: MIT
 *
 * Guest-physical memory: regions form a tree with aliases and priorities; an
 * address space renders its root into an immutable flat view that readers
 * reach by RCU; listeners follow changes (KVM slots, TLBs).
 *
 * Threads: topology (add, del, enable, move) may be changed from any thread
 * and under any lock; it is serialised by a leaf lock, and listeners run under
 * it, so a listener must not wait for a vCPU.  Access from any thread that is
 * registered with RCU (vmm_thread_register()).
 */
#ifndef SYSTEM_MEMORY_MEMORY_H
#define SYSTEM_MEMORY_MEMORY_H

#include <stdatomic.h>
#include <stddef.h>
#include "qom/object.h"

typedef struct MemoryRegion MemoryRegion;
typedef struct AddressSpace AddressSpace;
typedef struct FlatView FlatView;
typedef struct FlatRange FlatRange;
typedef struct RAMBlock RAMBlock;
typedef struct OwnerLock OwnerLock;

typedef uint64_t hwaddr;

/* Result of an access; bits, 0 is success. */
typedef uint32_t MemTxResult;
#define MEMTX_OK           0u
#define MEMTX_ERROR        1u /* the device said no */
#define MEMTX_DECODE_ERROR 2u /* nothing there */

typedef struct MemTxAttrs {
    unsigned secure : 1;       /* SMM */
    unsigned user : 1;
    unsigned dma : 1;          /* from a device, not from a CPU */
    unsigned requester_id : 16; /* PCI bus/device/function */
} MemTxAttrs;
#define MEMTXATTRS_NONE ((MemTxAttrs){0})
#define MEMTXATTRS_DMA  ((MemTxAttrs){.dma = 1})

/* Which lock the core takes around a region's callbacks. */
typedef enum MemoryLockPolicy {
    MR_LOCK_DEVICE, /* the owner's device lock (default) */
    MR_LOCK_NONE,   /* the callbacks see to it themselves */
    MR_LOCK_BIG,    /* the big lock, then the device lock */
} MemoryLockPolicy;

typedef struct MemoryRegionOps {
    /* size: 1, 2, 4 or 8, within impl below; addr is relative to the region. */
    uint64_t (*read)(void *opaque, hwaddr addr, unsigned size);
    void (*write)(void *opaque, hwaddr addr, uint64_t data, unsigned size);
    /* Instead of the above, where the result or the attributes matter. */
    MemTxResult (*read_with_attrs)(void *opaque, hwaddr addr, uint64_t *ret_data, unsigned size,
                                   MemTxAttrs attrs);
    MemTxResult (*write_with_attrs)(void *opaque, hwaddr addr, uint64_t data, unsigned size,
                                    MemTxAttrs attrs);
    struct {
        unsigned min_access_size, max_access_size; /* outside: decode error; 0: 1 and 8 */
        bool unaligned;                            /* may cross its natural boundary */
    } valid;
    struct {
        unsigned min_access_size, max_access_size; /* others are split or widened; 0: 1 and 4 */
        bool unaligned;
    } impl;
    MemoryLockPolicy lock;
} MemoryRegionOps;

#define TYPE_MEMORY_REGION "memory-region"
#define MEMORY_REGION(obj) OBJECT_CHECK(MemoryRegion, (obj), TYPE_MEMORY_REGION)

struct MemoryRegion {
    Object parent_obj;
    char *name;
    const MemoryRegionOps *ops; /* NULL: container, RAM or alias */
    void *opaque;
    Object *owner;      /* not owned: it owns the region */
    OwnerLock *lock;    /* the owner's, if it is a device */
    uint64_t size;      /* bytes; UINT64_MAX stands for 2^64 */
    hwaddr addr;        /* in the container */
    int32_t priority;   /* higher hides lower */
    bool enabled, ram, readonly, rom_device, romd_mode, terminates;
    RAMBlock *ram_block;
    MemoryRegion *alias;
    hwaddr alias_offset;
    MemoryRegion *container;
    GList *subregions; /* by priority, highest first */
    GSList *ioeventfds;
    bool coalesced; /* MMIO writes may be batched by the accelerator */
};

/* A piece of RAM in the process. */
struct RAMBlock {
    char *id;
    uint8_t *host;
    size_t size; /* bytes, page-aligned */
    int fd;      /* memfd or file, -1 */
    bool owned;  /* unmapped and closed with the block */
    MemoryRegion *mr;
    hwaddr offset; /* a unique range of ram addresses, for the accelerator's tables */
    /* One bit per page of DIRTY_PAGE_SIZE: written, while `logged`; NULL: never was. */
    _Atomic uint64_t *dirty;
    _Atomic bool logged;
};

/* The region is embedded in its owner and dies with it (or on its owner's unrealize). */
void memory_region_init(MemoryRegion *mr, Object *owner, const char *name, uint64_t size);
void memory_region_init_io(MemoryRegion *mr, Object *owner, const MemoryRegionOps *ops,
                           void *opaque, const char *name, uint64_t size);
/* Anonymous memory on a memfd; zeroed. */
bool memory_region_init_ram(MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                            GError **error);
bool memory_region_init_rom(MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                            GError **error);
/* RAM for reads while in ROMD mode, ops for writes (flash). */
bool memory_region_init_rom_device(MemoryRegion *mr, Object *owner, const MemoryRegionOps *ops,
                                   void *opaque, const char *name, uint64_t size, GError **error);
/* RAM that exists already (a memory backend's): fd may be -1; not unmapped by us. */
void memory_region_init_ram_ptr(MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                                void *host, int fd);
void memory_region_init_alias(MemoryRegion *mr, Object *owner, const char *name,
                              MemoryRegion *orig, hwaddr offset, uint64_t size);
void memory_region_finish(MemoryRegion *mr);

void memory_region_add_subregion(MemoryRegion *mr, hwaddr offset, MemoryRegion *sub);
void memory_region_add_subregion_overlap(MemoryRegion *mr, hwaddr offset, MemoryRegion *sub,
                                         int priority);
void memory_region_del_subregion(MemoryRegion *mr, MemoryRegion *sub);
void memory_region_set_enabled(MemoryRegion *mr, bool enabled);
void memory_region_set_address(MemoryRegion *mr, hwaddr addr);
void memory_region_set_alias_offset(MemoryRegion *mr, hwaddr offset);
void memory_region_set_size(MemoryRegion *mr, uint64_t size);
void memory_region_set_readonly(MemoryRegion *mr, bool readonly);
void memory_region_rom_device_set_romd(MemoryRegion *mr, bool romd_mode);
/* Several changes, one new flat view at the last commit; nests. */
void memory_region_transaction_begin(void);
void memory_region_transaction_commit(void);

void *memory_region_get_ram_ptr(MemoryRegion *mr);
uint64_t memory_region_size(const MemoryRegion *mr);
const char *memory_region_name(const MemoryRegion *mr);
static inline bool memory_region_is_ram(const MemoryRegion *mr)
{
    return mr->ram;
}

/* Guest writes of `size` bytes (0: any) of `data` (if match) at addr signal fd, not the ops. */
void memory_region_add_eventfd(MemoryRegion *mr, hwaddr addr, unsigned size, bool match,
                               uint64_t data, int fd);
void memory_region_del_eventfd(MemoryRegion *mr, hwaddr addr, unsigned size, bool match,
                               uint64_t data, int fd);

/* One access to a region's callbacks, with its lock, splitting and sizing. */
MemTxResult memory_region_dispatch_read(MemoryRegion *mr, hwaddr addr, uint64_t *ret_data,
                                        unsigned size, MemTxAttrs attrs);
MemTxResult memory_region_dispatch_write(MemoryRegion *mr, hwaddr addr, uint64_t data,
                                         unsigned size, MemTxAttrs attrs);

/* ---- flat views ----------------------------------------------------------- */

struct FlatRange {
    hwaddr start, last; /* guest physical, inclusive */
    MemoryRegion *mr;
    hwaddr offset_in_region;
    bool readonly; /* ROM, or RAM mapped read-only */
    bool romd;     /* reads go to RAM */
};

struct FlatView {
    unsigned nr;
    FlatRange *ranges; /* sorted, disjoint */
};

typedef struct MemoryListener MemoryListener;
struct MemoryListener {
    /* All optional; under the topology lock.  add and del are of one flat range. */
    void (*begin)(MemoryListener *l);
    void (*region_del)(MemoryListener *l, const FlatRange *range);
    void (*region_add)(MemoryListener *l, const FlatRange *range);
    /* After each change: forget all event descriptors; eventfd_add gives the present ones. */
    void (*eventfds_reset)(MemoryListener *l);
    void (*eventfd_add)(MemoryListener *l, const FlatRange *range, hwaddr addr, unsigned size,
                        bool match, uint64_t data, int fd);
    void (*commit)(MemoryListener *l); /* after the new view is visible */
    /*
     * For accelerators, which see writes that nobody else does: a block's `logged` was
     * switched; say with ram_block_set_dirty() what of it was written; the bits of pages
     * [first, first + count) were fetched and cleared, so the next write to each must be seen.
     */
    void (*log_switched)(MemoryListener *l, RAMBlock *block);
    void (*log_sync)(MemoryListener *l, RAMBlock *block);
    void (*log_clear)(MemoryListener *l, RAMBlock *block, size_t first, size_t count);
    AddressSpace *as;
};

struct AddressSpace {
    char *name;
    MemoryRegion *root;
    FlatView *current; /* RCU */
    GSList *listeners;
    unsigned generation; /* counts views: caches compare it */
    bool had_eventfds;
};

void address_space_init(AddressSpace *as, MemoryRegion *root, const char *name);
void address_space_finish(AddressSpace *as);
/* Replays what is there as region_add. */
void memory_listener_register(MemoryListener *l, AddressSpace *as);
void memory_listener_unregister(MemoryListener *l);

/* Readers: between these the view and its regions stay. Nest; cheap. */
void memory_read_lock(void);
void memory_read_unlock(void);
FlatView *address_space_view(AddressSpace *as);
/* The range that holds addr, or NULL.  Under memory_read_lock(). */
const FlatRange *flatview_lookup(const FlatView *view, hwaddr addr);
/* Host address of the RAM at addr in range, or NULL if it is not RAM (or ROMD). */
void *flat_range_host(const FlatRange *range, hwaddr addr);

/* ---- access ---------------------------------------------------------------- */

/* Any length; RAM by copy, devices in the sizes they take. */
MemTxResult address_space_read(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, void *buf,
                               size_t len);
MemTxResult address_space_write(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, const void *buf,
                                size_t len);
MemTxResult address_space_set(AddressSpace *as, hwaddr addr, uint8_t c, size_t len,
                              MemTxAttrs attrs);
/* One access of size 1, 2, 4 or 8, seen by a device as one access. Little-endian. */
MemTxResult address_space_load(AddressSpace *as, hwaddr addr, uint64_t *ret_data, unsigned size,
                               MemTxAttrs attrs);
MemTxResult address_space_store(AddressSpace *as, hwaddr addr, uint64_t data, unsigned size,
                                MemTxAttrs attrs);
/* Write into ROM too (loaders, debuggers). */
MemTxResult address_space_write_rom(AddressSpace *as, hwaddr addr, const void *buf, size_t len);
/*
 * Direct pointer to RAM for DMA: *len is shortened to what is contiguous; NULL:
 * not RAM (use address_space_read/write).  Unmap with the same pointer and what was accessed.
 */
void *address_space_map(AddressSpace *as, hwaddr addr, size_t *len, bool is_write);
void address_space_unmap(AddressSpace *as, void *host, size_t len, bool is_write,
                         size_t access_len);

/* ---- what was written ------------------------------------------------------- */

/*
 * For a display: which pages of a RAM region were written since it last looked, by vCPUs
 * under any accelerator, by DMA, by anyone through an address space.  While nothing is
 * written, nothing costs anything; the first write to a page after each look is slow (under
 * tcg some 100 ns, under KVM an exit).
 *
 *     memory_region_set_log(&s->vram, true);          // at realize; false at unrealize
 *     ...
 *     uint64_t dirty[DIRTY_WORDS(VRAM_SIZE)];          // or on the heap
 *     if (memory_region_fetch_dirty(&s->vram, 0, VRAM_SIZE, dirty)) {
 *         ... if (dirty_test(dirty, 0, line_offset, line_bytes)) draw the line
 *     }
 *
 * A page may be said to be written once more than it was; a write is never lost: what is
 * written after the fetch shows in the next one.  A device that writes its own RAM by pointer
 * says so itself with memory_region_set_dirty().  Any thread; regions may be aliases.
 */
#define DIRTY_PAGE_SIZE   4096u
#define DIRTY_WORDS(size) (((size) / DIRTY_PAGE_SIZE + 64 + 1) / 64 + 1)

/* All pages count as written from here on. */
void memory_region_set_log(MemoryRegion *mr, bool log);
/*
 * Bit n of `ret`: the page with byte (addr & -4096) + n * 4096 of the region was written since
 * it was last fetched.  Bits are cleared by this; one caller gets each.  False: none.
 */
bool memory_region_fetch_dirty(MemoryRegion *mr, hwaddr addr, hwaddr size, uint64_t *ret);
/* Whether [addr, addr + size) has a written page, by what was fetched with `base` as addr. */
bool dirty_test(const uint64_t *fetched, hwaddr base, hwaddr addr, hwaddr size);
/* RAM, ROM or flash contents were written by pointer; also drops code translated from there. */
void memory_region_set_dirty(MemoryRegion *mr, hwaddr addr, hwaddr size);

/* For accelerators: mark pages of a block. */
void ram_block_set_dirty(RAMBlock *block, size_t offset, size_t len);
/* RAM was written from outside generated code: marks it, and calls the hook below. */
void ram_block_written(RAMBlock *block, size_t offset, size_t len);

/*
 * RAM that holds translated code was written by someone other than the vCPU's
 * fast path: the translator sets this hook; called with a page of the block.
 */
extern void (*memory_code_write_hook)(RAMBlock *block, size_t offset, size_t len);
/* The block that a host pointer lies in, or NULL; *ret_offset in it. */
RAMBlock *ram_block_from_host(const void *host, size_t *ret_offset);

/* Tables for people: `info mtree`. */
void memory_print_tree(AddressSpace *as, GString *out);
void memory_print_flat(AddressSpace *as, GString *out);

/* Every thread that touches guest memory calls these at its start and end. */
void vmm_thread_register(void);
void vmm_thread_unregister(void);
/* Run func(data) after all present readers are done. */
void vmm_call_rcu(void (*func)(void *data), void *data);

#endif
