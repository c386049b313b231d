/* SPDX-License-Identifier: MIT
 *
 * Which pages of RAM were written: one bit a page, set by whoever writes, fetched
 * and cleared by a display.  Accelerators help by the log callbacks of a MemoryListener.
 */
#include <string.h>

#include "system/memory/memory-internal.h"

static void mark_pages(RAMBlock *block, size_t first, size_t last)
{
    for (size_t page = first; page <= last; page++) {
        uint64_t bit = 1ull << (page & 63);

        if (!(atomic_load_explicit(&block->dirty[page / 64], memory_order_relaxed) & bit)) {
            atomic_fetch_or(&block->dirty[page / 64], bit);
        }
    }
}

void ram_block_set_dirty(RAMBlock *block, size_t offset, size_t len)
{
    if (len && atomic_load(&block->logged)) {
        mark_pages(block, offset / DIRTY_PAGE_SIZE, (offset + len - 1) / DIRTY_PAGE_SIZE);
    }
}

void ram_block_written(RAMBlock *block, size_t offset, size_t len)
{
    if (!block || !len) {
        return;
    }
    ram_block_set_dirty(block, offset, len);
    if (memory_code_write_hook) {
        memory_code_write_hook(block, offset, len);
    }
}

static MemoryRegion *resolve_alias(MemoryRegion *mr, hwaddr *addr)
{
    while (mr->alias) {
        *addr += mr->alias_offset;
        mr = mr->alias;
    }
    g_assert(mr->ram_block);
    return mr;
}

void memory_region_set_dirty(MemoryRegion *mr, hwaddr addr, hwaddr size)
{
    mr = resolve_alias(mr, &addr);
    ram_block_written(mr->ram_block, addr, size);
}

/* ---- asking accelerators; under the topology lock ----------------------------------------- */

typedef void (*LogFunc)(MemoryListener *l, RAMBlock *block, size_t first, size_t count);

static void for_listeners(LogFunc fn, RAMBlock *block, size_t first, size_t count)
{
    for (GSList *i = address_spaces; i; i = i->next) {
        for (GSList *l = ((AddressSpace *)i->data)->listeners; l; l = l->next) {
            fn(l->data, block, first, count);
        }
    }
}

static void listener_switched(MemoryListener *l, RAMBlock *block, size_t first, size_t count)
{
    if (l->log_switched) {
        l->log_switched(l, block);
    }
}

static void listener_sync(MemoryListener *l, RAMBlock *block, size_t first, size_t count)
{
    if (l->log_sync) {
        l->log_sync(l, block);
    }
}

static void listener_clear(MemoryListener *l, RAMBlock *block, size_t first, size_t count)
{
    if (l->log_clear) {
        l->log_clear(l, block, first, count);
    }
}

void ram_block_log_end(RAMBlock *block)
{
    if (atomic_exchange(&block->logged, false)) {
        for_listeners(listener_switched, block, 0, 0);
    }
}

/* ---- for displays ---------------------------------------------------------------------------- */

void memory_region_set_log(MemoryRegion *mr, bool log)
{
    hwaddr unused = 0;
    RAMBlock *block = resolve_alias(mr, &unused)->ram_block;
    size_t words = (block->size / DIRTY_PAGE_SIZE + 63) / 64;

    memory_topology_lock();
    if (!block->dirty) {
        block->dirty = g_new0(_Atomic uint64_t, words);
    }
    for (size_t i = 0; i < words; i++) {
        atomic_store(&block->dirty[i], UINT64_MAX);
    }
    if (atomic_exchange(&block->logged, log) != log) {
        for_listeners(listener_switched, block, 0, 0);
    }
    memory_topology_unlock();
}

bool memory_region_fetch_dirty(MemoryRegion *mr, hwaddr addr, hwaddr size, uint64_t *ret)
{
    RAMBlock *block = (mr = resolve_alias(mr, &addr))->ram_block;
    size_t first = addr / DIRTY_PAGE_SIZE;
    size_t count = size ? (addr + size - 1) / DIRTY_PAGE_SIZE - first + 1 : 0;
    bool any = false;

    g_return_val_if_fail(addr + size <= block->size, false);
    memset(ret, 0, (count + 63) / 64 * sizeof(*ret));
    memory_topology_lock();
    if (!atomic_load(&block->logged)) {
        memory_topology_unlock();
        return false;
    }
    for_listeners(listener_sync, block, 0, 0);
    for (size_t i = 0; i < count; i++) {
        size_t page = first + i;
        uint64_t bit = 1ull << (page & 63);

        if ((atomic_load_explicit(&block->dirty[page / 64], memory_order_relaxed) & bit) &&
            (atomic_fetch_and(&block->dirty[page / 64], ~bit) & bit)) {
            ret[i / 64] |= 1ull << (i & 63);
            any = true;
        }
    }
    if (any) {
        for_listeners(listener_clear, block, first, count);
    }
    memory_topology_unlock();
    return any;
}

bool dirty_test(const uint64_t *fetched, hwaddr base, hwaddr addr, hwaddr size)
{
    size_t first = addr / DIRTY_PAGE_SIZE - base / DIRTY_PAGE_SIZE;
    size_t last = (addr + (size ? size : 1) - 1) / DIRTY_PAGE_SIZE - base / DIRTY_PAGE_SIZE;

    for (size_t i = first; i <= last; i++) {
        if (fetched[i / 64] >> (i & 63) & 1) {
            return true;
        }
    }
    return false;
}
