/* SPDX-License-Identifier: MIT
 *
 * What the memory core needs of a region's owner: a lock to take around its
 * callbacks, and to be told of regions made.  Devices implement it.
 */
#ifndef SYSTEM_MEMORY_OWNER_H
#define SYSTEM_MEMORY_OWNER_H

#include "qom/object.h"

typedef struct MemoryRegion MemoryRegion;

/* A recursive lock that knows how deep it is held, and whether its owner is still at work. */
typedef struct OwnerLock {
    GRecMutex mutex;
    unsigned depth; /* by the holder */
    bool dead;      /* accesses that are under way find nothing */
} OwnerLock;

static inline void owner_lock(OwnerLock *lock)
{
    g_rec_mutex_lock(&lock->mutex);
    lock->depth++;
}

static inline bool owner_trylock(OwnerLock *lock)
{
    if (!g_rec_mutex_trylock(&lock->mutex)) {
        return false;
    }
    lock->depth++;
    return true;
}

static inline void owner_unlock(OwnerLock *lock)
{
    lock->depth--;
    g_rec_mutex_unlock(&lock->mutex);
}

#define TYPE_MEMORY_OWNER "memory-owner"

typedef struct MemoryOwnerClass {
    InterfaceClass parent_class;
    /* The lock of MR_LOCK_DEVICE; required. */
    OwnerLock *(*get_lock)(Object *owner);
    /* A region of the owner was made.  Optional. */
    void (*region_made)(Object *owner, MemoryRegion *mr);
} MemoryOwnerClass;

#endif
