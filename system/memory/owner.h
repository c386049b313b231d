/* SPDX-License-Identifier: MIT
 *
 * What the memory core needs of a region's owner: a lock to take around its
 * callbacks, and to be told of regions made.  Devices implement it.
 */
#ifndef SYSTEM_MEMORY_OWNER_H
#define SYSTEM_MEMORY_OWNER_H

#include "qom/object.h"

typedef struct MemoryRegion MemoryRegion;

/*
 * A recursive lock that knows how deep it is held, and whether its owner is still at work.
 * Zeroed memory is an unlocked one.  On the way of every access to a device, so it takes the
 * mutex (one atomic operation) only when its thread does not have it.
 */
typedef struct OwnerLock {
    GMutex mutex;
    const void *holder; /* the thread that has the mutex, or NULL; atomic */
    unsigned depth;     /* by the holder */
    bool dead;          /* accesses that are under way find nothing */
} OwnerLock;

/* Tells threads apart: its address. */
extern _Thread_local char owner_lock_thread;

static inline bool owner_lock_again(OwnerLock *lock)
{
    if (__atomic_load_n(&lock->holder, __ATOMIC_RELAXED) != &owner_lock_thread) {
        return false;
    }
    lock->depth++;
    return true;
}

static inline void owner_lock_taken(OwnerLock *lock)
{
    __atomic_store_n(&lock->holder, &owner_lock_thread, __ATOMIC_RELAXED);
    lock->depth = 1;
}

static inline void owner_lock(OwnerLock *lock)
{
    if (!owner_lock_again(lock)) {
        g_mutex_lock(&lock->mutex);
        owner_lock_taken(lock);
    }
}

static inline bool owner_trylock(OwnerLock *lock)
{
    if (owner_lock_again(lock)) {
        return true;
    }
    if (!g_mutex_trylock(&lock->mutex)) {
        return false;
    }
    owner_lock_taken(lock);
    return true;
}

static inline void owner_unlock(OwnerLock *lock)
{
    if (--lock->depth == 0) {
        __atomic_store_n(&lock->holder, NULL, __ATOMIC_RELAXED);
        g_mutex_unlock(&lock->mutex);
    }
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
