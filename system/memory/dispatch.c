/* SPDX-License-Identifier: MIT
 *
 * One access to a device's callbacks: its lock, and the sizes it takes.
 */
#include <unistd.h>

#include "system/log.h"
#include "system/loop/main-loop.h"
#include "system/memory/memory-internal.h"
#include "system/memory/owner.h"

typedef struct AccessLock {
    OwnerLock *owner; /* held, or NULL */
    bool big;         /* held */
} AccessLock;

/*
 * A device that reaches a device by DMA must not wait for its lock, as two
 * that reach each other would wait for ever; nor may it re-enter itself.
 */
static MemTxResult lock_for_dma(const MemoryRegion *mr, AccessLock *lock)
{
    if (!owner_trylock(mr->lock)) {
        log_guest_error("DMA to '%s', which is busy", mr->name);
        return MEMTX_ERROR;
    }
    if (mr->lock->depth > 1) {
        owner_unlock(mr->lock);
        log_guest_error("DMA of '%s' to itself", mr->name);
        return MEMTX_ERROR;
    }
    lock->owner = mr->lock;
    return MEMTX_OK;
}

static MemTxResult access_lock(const MemoryRegion *mr, MemTxAttrs attrs, AccessLock *lock)
{
    MemoryLockPolicy policy = mr->ops->lock;

    *lock = (AccessLock){0};
    if (policy == MR_LOCK_NONE) {
        return mr->lock && mr->lock->dead ? MEMTX_DECODE_ERROR : MEMTX_OK;
    }
    if (policy == MR_LOCK_BIG && !attrs.dma && !main_loop_locked()) {
        main_loop_lock();
        lock->big = true;
    }
    if (!mr->lock) {
        return MEMTX_OK;
    }
    if (attrs.dma) {
        return lock_for_dma(mr, lock);
    }
    owner_lock(mr->lock);
    lock->owner = mr->lock;
    return mr->lock->dead ? MEMTX_DECODE_ERROR : MEMTX_OK;
}

static void access_unlock(AccessLock *lock)
{
    if (lock->owner) {
        owner_unlock(lock->owner);
    }
    if (lock->big) {
        main_loop_unlock();
    }
}

static bool access_valid(const MemoryRegion *mr, hwaddr addr, unsigned size)
{
    const MemoryRegionOps *ops = mr->ops;
    unsigned min = ops->valid.min_access_size ? ops->valid.min_access_size : 1;
    unsigned max = ops->valid.max_access_size ? ops->valid.max_access_size : 8;

    return size >= min && size <= max && (ops->valid.unaligned || !(addr & (size - 1)));
}

static uint64_t size_mask(unsigned size)
{
    return size >= 8 ? UINT64_MAX : (1ull << size * 8) - 1;
}

static MemTxResult read_piece(MemoryRegion *mr, hwaddr addr, uint64_t *data, unsigned size,
                              MemTxAttrs attrs)
{
    if (mr->ops->read_with_attrs) {
        return mr->ops->read_with_attrs(mr->opaque, addr, data, size, attrs);
    }
    *data = mr->ops->read ? mr->ops->read(mr->opaque, addr, size) : UINT64_MAX;
    return MEMTX_OK;
}

static MemTxResult write_piece(MemoryRegion *mr, hwaddr addr, uint64_t data, unsigned size,
                               MemTxAttrs attrs)
{
    if (mr->ops->write_with_attrs) {
        return mr->ops->write_with_attrs(mr->opaque, addr, data, size, attrs);
    }
    if (mr->ops->write) {
        mr->ops->write(mr->opaque, addr, data, size);
    }
    return MEMTX_OK;
}

static unsigned impl_size(const MemoryRegion *mr, unsigned size)
{
    unsigned min = mr->ops->impl.min_access_size ? mr->ops->impl.min_access_size : 1;
    unsigned max = mr->ops->impl.max_access_size ? mr->ops->impl.max_access_size : 4;

    return CLAMP(size, min, max);
}

/* Narrow accesses to a wide register read the whole and take their part of it. */
static MemTxResult read_sized(MemoryRegion *mr, hwaddr addr, uint64_t *ret, unsigned size,
                              MemTxAttrs attrs)
{
    unsigned step = impl_size(mr, size);
    hwaddr first = mr->ops->impl.unaligned ? addr : addr & ~(hwaddr)(step - 1);
    MemTxResult result = MEMTX_OK;

    if (step == size && first == addr) {
        result = read_piece(mr, addr, ret, size, attrs);
        *ret &= size_mask(size);
        return result;
    }
    *ret = 0;
    for (hwaddr at = first; at < addr + size; at += step) {
        uint64_t piece = 0;
        result |= read_piece(mr, at, &piece, step, attrs);
        piece &= size_mask(step);
        *ret |= at < addr ? piece >> (addr - at) * 8 : piece << (at - addr) * 8;
    }
    *ret &= size_mask(size);
    return result;
}

static MemTxResult write_sized(MemoryRegion *mr, hwaddr addr, uint64_t data, unsigned size,
                               MemTxAttrs attrs)
{
    unsigned step = impl_size(mr, size);
    hwaddr first = mr->ops->impl.unaligned ? addr : addr & ~(hwaddr)(step - 1);
    MemTxResult result = MEMTX_OK;

    data &= size_mask(size);
    if (step == size && first == addr) {
        return write_piece(mr, addr, data, size, attrs);
    }
    for (hwaddr at = first; at < addr + size; at += step) {
        uint64_t piece = at < addr ? data << (addr - at) * 8 : data >> (at - addr) * 8;
        result |= write_piece(mr, at, piece & size_mask(step), step, attrs);
    }
    return result;
}

MemTxResult memory_region_dispatch_read(MemoryRegion *mr, hwaddr addr, uint64_t *ret_data,
                                        unsigned size, MemTxAttrs attrs)
{
    AccessLock lock;

    *ret_data = size_mask(size);
    if (!mr->ops || !access_valid(mr, addr, size)) {
        log_guest_error("read of %u bytes at 0x%" G_GINT64_MODIFIER "x of '%s' is not valid", size,
                        addr, mr->name);
        return MEMTX_DECODE_ERROR;
    }
    MemTxResult result = access_lock(mr, attrs, &lock);
    if (result == MEMTX_OK) {
        result = read_sized(mr, addr, ret_data, size, attrs);
    }
    access_unlock(&lock);
    return result;
}

static bool signal_eventfd(const MemoryRegion *mr, hwaddr addr, uint64_t data, unsigned size)
{
    for (GSList *l = mr->ioeventfds; l; l = l->next) {
        const IOEventFD *e = l->data;
        if (e->addr == addr && (!e->size || e->size == size) && (!e->match || e->data == data)) {
            return write(e->fd, &(uint64_t){1}, sizeof(uint64_t)) == sizeof(uint64_t);
        }
    }
    return false;
}

MemTxResult memory_region_dispatch_write(MemoryRegion *mr, hwaddr addr, uint64_t data,
                                         unsigned size, MemTxAttrs attrs)
{
    AccessLock lock;

    if (!mr->ops || !access_valid(mr, addr, size)) {
        log_guest_error("write of %u bytes at 0x%" G_GINT64_MODIFIER "x of '%s' is not valid",
                        size, addr, mr->name);
        return MEMTX_DECODE_ERROR;
    }
    if (G_UNLIKELY(mr->ioeventfds) && signal_eventfd(mr, addr, data & size_mask(size), size)) {
        return MEMTX_OK;
    }
    MemTxResult result = access_lock(mr, attrs, &lock);
    if (result == MEMTX_OK) {
        result = write_sized(mr, addr, data, size, attrs);
    }
    access_unlock(&lock);
    return result;
}
