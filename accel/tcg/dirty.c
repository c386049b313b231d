/* SPDX-License-Identifier: MIT
 *
 * The log of written pages (system/memory/dirty.c) under the translator.  A page whose bit
 * was fetched is PAGE_CLEAN: nobody gets a write tag for it but by a write, which sets the
 * bit and ends that state.  vCPUs that have a tag from before lose it at their next poll; what
 * they wrote meanwhile is not known, so they set the bit once more.
 *
 * The order that loses nothing: who clears takes the bit first, then sets PAGE_CLEAN, then
 * asks vCPUs; who writes clears PAGE_CLEAN first, then sets the bit, then has the tag.
 */
#include "accel/tcg/tcg-internal.h"
#include "system/memory/memory.h"

static uint64_t first_page(const RAMBlock *block)
{
    return block->offset >> 12;
}

void tcg_log_write(TcgState *s, RAMBlock *block, uint64_t page_number)
{
    if (G_LIKELY(!(__atomic_load_n(&s->page_flags[page_number], __ATOMIC_RELAXED) & PAGE_CLEAN))) {
        return;
    }
    __atomic_fetch_and(&s->page_flags[page_number], (uint8_t)~PAGE_CLEAN, __ATOMIC_SEQ_CST);
    ram_block_set_dirty(block, (page_number - first_page(block)) << 12, 1);
}

void tcg_log_switched(TcgState *s, RAMBlock *block)
{
    bool logged = atomic_load(&block->logged);
    guint index;

    g_mutex_lock(&s->lock);
    if (!s->logged) {
        s->logged = g_ptr_array_new();
    }
    if (g_ptr_array_find(s->logged, block, &index) != logged) {
        if (logged) {
            g_ptr_array_add(s->logged, block);
        } else {
            g_ptr_array_remove_index_fast(s->logged, index);
        }
    }
    for (uint64_t n = 0; !logged && n < block->size >> 12 && first_page(block) + n < PAGE_FLAGS_MAX;
         n++) {
        __atomic_fetch_and(&s->page_flags[first_page(block) + n], (uint8_t)~PAGE_CLEAN,
                           __ATOMIC_SEQ_CST);
    }
    g_mutex_unlock(&s->lock);
}

void tcg_log_clear(TcgState *s, RAMBlock *block, size_t first, size_t count)
{
    for (size_t page = first; page < first + count; page++) {
        uint64_t number = first_page(block) + page;
        uint64_t word = atomic_load_explicit(&block->dirty[page / 64], memory_order_relaxed);

        if (number < PAGE_FLAGS_MAX && !(word >> (page & 63) & 1)) {
            __atomic_fetch_or(&s->page_flags[number], PAGE_CLEAN, __ATOMIC_SEQ_CST);
        }
    }
    g_mutex_lock(&s->exclusive_lock);
    for (unsigned i = 0; i < s->cpus->len; i++) {
        atomic_store(&tcg_env(g_ptr_array_index(s->cpus, i))->log_pending, true);
        tcg_kick(g_ptr_array_index(s->cpus, i));
    }
    g_mutex_unlock(&s->exclusive_lock);
}

static RAMBlock *logged_block(TcgState *s, uint64_t host)
{
    for (unsigned i = 0; s->logged && i < s->logged->len; i++) {
        RAMBlock *block = g_ptr_array_index(s->logged, i);

        if (host - (uintptr_t)block->host < block->size) {
            return block;
        }
    }
    return NULL;
}

static bool is_clean(TcgState *s, const RAMBlock *block, uint64_t host)
{
    uint64_t number = first_page(block) + ((host - (uintptr_t)block->host) >> 12);

    return __atomic_load_n(&s->page_flags[number], __ATOMIC_SEQ_CST) & PAGE_CLEAN;
}

void tcg_log_drop_tags(TcgEnv *t)
{
    TcgState *s = t->tcg;

    g_mutex_lock(&s->lock);
    for (int set = 0; set < TCG_SET_COUNT; set++) {
        for (uint32_t i = 0; i < TLB_SIZE; i++) {
            TlbEntry *e = &t->tlb[set][i];
            uint64_t none = tcg_tlb_no_tag(i);
            RAMBlock *block = e->neg_write != none ? logged_block(s, e->host) : NULL;

            if (block && is_clean(s, block, e->host)) {
                e->neg_write = none;
                ram_block_set_dirty(block, e->host - (uintptr_t)block->host, 1);
            }
        }
    }
    g_mutex_unlock(&s->lock);
}
