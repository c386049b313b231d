/* SPDX-License-Identifier: MIT
 *
 * RAM blocks: guest memory that is part of this process.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "system/memory/memory-internal.h"

static GPtrArray *blocks; /* of RAMBlock, under the topology lock */
static hwaddr next_offset;

void (*memory_code_write_hook)(RAMBlock *block, size_t offset, size_t len);

static RAMBlock *ram_block_register(RAMBlock *block)
{
    memory_topology_lock();
    if (!blocks) {
        blocks = g_ptr_array_new();
    }
    block->offset = next_offset;
    next_offset += block->size;
    g_ptr_array_add(blocks, block);
    memory_topology_unlock();
    return block;
}

RAMBlock *ram_block_new_from_ptr(MemoryRegion *mr, const char *name, size_t size, void *host,
                                 int fd)
{
    RAMBlock *block = g_new0(RAMBlock, 1);

    *block = (RAMBlock){.id = g_strdup(name), .host = host, .size = size, .fd = fd, .mr = mr};
    return ram_block_register(block);
}

static void ram_error(GError **error, const char *name, size_t size)
{
    int saved = errno;

    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(saved),
                "cannot have %zu bytes of memory for '%s': %s", size, name, g_strerror(saved));
}

RAMBlock *ram_block_new(MemoryRegion *mr, const char *name, size_t size, GError **error)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t rounded = (size + page - 1) & ~(page - 1);
    int fd = memfd_create(name, MFD_CLOEXEC);

    if (fd < 0 || ftruncate(fd, (off_t)rounded) < 0) {
        ram_error(error, name, size);
        if (fd >= 0) {
            close(fd);
        }
        return NULL;
    }
    void *host = mmap(NULL, rounded, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (host == MAP_FAILED) {
        ram_error(error, name, size);
        close(fd);
        return NULL;
    }
    RAMBlock *block = ram_block_new_from_ptr(mr, name, rounded, host, fd);
    block->owned = true;
    return block;
}

static void ram_block_unmap(void *opaque)
{
    RAMBlock *block = opaque;

    if (block->owned) {
        munmap(block->host, block->size);
        if (block->fd >= 0) {
            close(block->fd);
        }
    }
    g_free((void *)block->dirty);
    g_free(block->id);
    g_free(block);
}

void ram_block_free(RAMBlock *block)
{
    memory_topology_lock();
    ram_block_log_end(block);
    g_ptr_array_remove_fast(blocks, block);
    memory_topology_unlock();
    vmm_call_rcu(ram_block_unmap, block);
}

RAMBlock *ram_block_from_host(const void *host, size_t *ret_offset)
{
    RAMBlock *found = NULL;

    memory_topology_lock();
    for (guint i = 0; blocks && i < blocks->len && !found; i++) {
        RAMBlock *block = g_ptr_array_index(blocks, i);
        size_t offset = (size_t)((const uint8_t *)host - block->host);
        if ((const uint8_t *)host >= block->host && offset < block->size) {
            *ret_offset = offset;
            found = block;
        }
    }
    memory_topology_unlock();
    return found;
}
