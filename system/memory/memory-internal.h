/* SPDX-License-Identifier: MIT
 *
 * What the files of system/memory share.
 */
#ifndef SYSTEM_MEMORY_MEMORY_INTERNAL_H
#define SYSTEM_MEMORY_MEMORY_INTERNAL_H

#include "system/memory/memory.h"

typedef struct IOEventFD {
    hwaddr addr;
    unsigned size;
    bool match;
    uint64_t data;
    int fd;
} IOEventFD;

/* Size as a 65-bit number. */
static inline unsigned __int128 region_size128(const MemoryRegion *mr)
{
    return mr->size == UINT64_MAX ? (unsigned __int128)1 << 64 : mr->size;
}

/* The topology lock (recursive, a leaf). */
void memory_topology_lock(void);
void memory_topology_unlock(void);

FlatView *flatview_render(MemoryRegion *root);
void flatview_free(void *view);
bool flat_range_equal(const FlatRange *a, const FlatRange *b);

/* Bring an address space's view up to date and tell its listeners. */
void address_space_update(AddressSpace *as);
/* All address spaces that exist. */
extern GSList *address_spaces;

RAMBlock *ram_block_new(MemoryRegion *mr, const char *name, size_t size, GError **error);
RAMBlock *ram_block_new_from_ptr(MemoryRegion *mr, const char *name, size_t size, void *host,
                                 int fd);
void ram_block_free(RAMBlock *block);
/* The block goes; under the topology lock. */
void ram_block_log_end(RAMBlock *block);

/*
 * ThreadSanitizer does not see into liburcu: tell it what publishing and
 * reading a pointer, and a grace period, put in order.
 */
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
extern char rcu_order;
#define rcu_happens_before() __tsan_release(&rcu_order)
#define rcu_happens_after()  __tsan_acquire(&rcu_order)
#else
#define rcu_happens_before() ((void)0)
#define rcu_happens_after()  ((void)0)
#endif

#endif
