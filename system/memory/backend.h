/* SPDX-License-Identifier: MIT
 *
 * Memory backends: where guest RAM comes from, as an object with properties.
 */
#ifndef SYSTEM_MEMORY_BACKEND_H
#define SYSTEM_MEMORY_BACKEND_H

#include "qom/object.h"
#include "system/memory/memory.h"

#define TYPE_MEMORY_BACKEND "memory-backend"
#define TYPE_MEMORY_BACKEND_FILE MEMORY_BACKEND_TYPE_NAME("file")
OBJECT_DECLARE(MemoryBackend, MemoryBackendClass, MEMORY_BACKEND, TYPE_MEMORY_BACKEND)
#define MEMORY_BACKEND_TYPE_NAME(kind) "memory-backend-" kind
#define MEMORY_BACKEND_DEFAULT         MEMORY_BACKEND_TYPE_NAME("memfd")

struct MemoryBackendClass {
    ObjectClass parent_class;
    bool share_default;
    /*
     * An fd of at least backend->size bytes to map, and the offset in it; -1: anonymous
     * memory.  False and *error on failure.
     */
    bool (*open)(MemoryBackend *backend, int *ret_fd, off_t *ret_offset, GError **error);
    /* Size of its pages, 0: the system's.  Optional. */
    size_t (*page_size)(MemoryBackend *backend);
};

struct MemoryBackend {
    Object parent_obj;
    uint64_t size;
    bool prealloc, share, merge, dump, readonly;
    int fd;
    void *host; /* NULL: not completed */
    bool used;  /* some device or the machine has it */
    MemoryRegion mr;
};

/* What claim gave back to others. */
void memory_backend_release(MemoryBackend *backend);
/* The memory, for one user: the machine or a device; NULL and an error if it has one. */
MemoryRegion *memory_backend_claim(MemoryBackend *backend, GError **error);

#endif
