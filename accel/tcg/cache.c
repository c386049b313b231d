/* SPDX-License-Identifier: MIT
 *
 * Memory for generated code: one reservation, hot code from its start, cold
 * code behind it, so that rel32 reaches everything.  Nothing is reused before
 * a flush of all of it, which stops every vCPU: a vCPU may be in any block.
 */
#include <gio/gio.h>
#include <sys/mman.h>
#include "accel/tcg/tcg-internal.h"

#define HOT_SLACK (64u << 10)

/* Measured on Linux: cold code takes 1.4 times what hot code takes, the arena 2.3 times. */
static size_t cold_size(const TcgState *s)
{
    return s->code_size * 3 / 2;
}

static size_t arena_size(const TcgState *s)
{
    return s->code_size * 5 / 2;
}

static void *reserve(size_t size, int prot, GError **error)
{
    void *p = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                    "tcg: cannot map %zu MiB: %s", size >> 20, g_strerror(errno));
        return NULL;
    }
    madvise(p, size, MADV_NOHUGEPAGE);
    return p;
}

bool tcg_cache_init(TcgState *s, GError **error)
{
    s->code_size = s->code_size ? s->code_size : CODE_SIZE_DEFAULT;
    s->code = reserve(s->code_size + cold_size(s), PROT_READ | PROT_WRITE | PROT_EXEC, error);
    s->arena = s->code ? reserve(arena_size(s), PROT_READ | PROT_WRITE, error) : NULL;
    s->page_flags = s->arena ? reserve(PAGE_FLAGS_MAX, PROT_READ | PROT_WRITE, error) : NULL;
    s->granules = s->page_flags ? reserve(PAGE_FLAGS_MAX * sizeof(uint64_t),
                                          PROT_READ | PROT_WRITE, error)
                                : NULL;
    s->blocks = s->granules ? reserve(BLOCKS_MAX * sizeof(Block *), PROT_READ | PROT_WRITE, error)
                              : NULL;
    s->hash = s->blocks ? reserve(sizeof(Block *) << BLOCK_HASH_BITS, PROT_READ | PROT_WRITE, error)
                        : NULL;
    if (!s->hash) {
        return false;
    }
    s->hot = s->code;
    s->hot_end = s->code + s->code_size;
    s->cold = s->cold_start = s->hot_end;
    s->cold_end = s->cold + cold_size(s);
    s->arena_free = s->arena;
    s->arena_end = s->arena + arena_size(s);
    s->pages = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    g_mutex_init(&s->lock);
    g_mutex_init(&s->exclusive_lock);
    g_cond_init(&s->exclusive_cond);
    s->cpus = g_ptr_array_new();
    tcg_thunks_build(s);
    return true;
}

void tcg_cache_finish(TcgState *s)
{
    struct {
        void *p;
        size_t size;
    } maps[] = {
        {s->code,       s->code_size + cold_size(s)        },
        {s->arena,      arena_size(s)                      },
        {s->page_flags, PAGE_FLAGS_MAX                     },
        {s->granules,   PAGE_FLAGS_MAX * sizeof(uint64_t)  },
        {s->blocks,     BLOCKS_MAX * sizeof(Block *)       },
        {s->hash,       sizeof(Block *) << BLOCK_HASH_BITS},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(maps); i++) {
        if (maps[i].p) {
            munmap(maps[i].p, maps[i].size);
        }
    }
    g_clear_pointer(&s->fetched, g_hash_table_destroy);
    if (s->logged) {
        g_ptr_array_free(s->logged, TRUE);
    }
    if (s->pages) {
        g_hash_table_destroy(s->pages);
        g_ptr_array_free(s->cpus, TRUE);
        g_mutex_clear(&s->lock);
        g_mutex_clear(&s->exclusive_lock);
        g_cond_clear(&s->exclusive_cond);
    }
}

void *tcg_arena_alloc(TcgState *s, size_t size)
{
    void *p = s->arena_free;

    s->arena_free += (size + 15) & ~(size_t)15;
    return p;
}

/* Room for one more block of the largest kind? */
bool tcg_cache_full(const TcgState *s)
{
    return s->hot_end - s->hot < HOT_SLACK || s->cold_end - s->cold < HOT_SLACK ||
           s->arena_end - s->arena_free < HOT_SLACK || s->block_count == BLOCKS_MAX;
}

/* Every vCPU is out of generated code, and the lock is held. */
void tcg_cache_reset(TcgState *s)
{
    GHashTableIter iter;
    CodePage *page;

    g_hash_table_iter_init(&iter, s->pages);
    while (g_hash_table_iter_next(&iter, NULL, (void **)&page)) {
        page->blocks = NULL;
        s->granules[page->page] = 0;
    }
    if (s->fetched) {
        g_hash_table_remove_all(s->fetched);
    }
    memset(s->hash, 0, sizeof(Block *) << BLOCK_HASH_BITS);
    s->hot = s->hot_start;
    s->cold = s->cold_start;
    s->arena_free = s->arena;
    s->block_count = 0;
    s->flush_count++;
}

bool tcg_host_pc_in_cache(const TcgState *s, const uint8_t *pc)
{
    return pc >= s->code && pc < s->cold_end;
}

/* Blocks lie in the order of their making, in the hot and in the cold part. */
Block *tcg_block_from_host(TcgState *s, const uint8_t *pc)
{
    bool in_cold = pc >= s->cold_start;
    uint32_t low = 0, high = s->block_count;

    while (low < high) {
        uint32_t mid = (low + high) / 2;
        Block *b = s->blocks[mid];

        if ((in_cold ? b->cold : b->hot) <= pc) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    if (!low) {
        return NULL;
    }
    return s->blocks[low - 1];
}
