/* SPDX-License-Identifier: MIT
 *
 * The abstract memory backend.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include "system/memory/backend.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static bool backend_fail(MemoryBackend *backend, int code, const char *what, GError **error)
{
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(code),
                "memory backend '%s': cannot %s %" G_GUINT64_FORMAT " bytes: %s",
                backend->parent_obj.name ? backend->parent_obj.name : "?", what, backend->size,
                g_strerror(code));
    return false;
}

static bool check_size(MemoryBackend *backend, GError **error)
{
    MemoryBackendClass *mbc = MEMORY_BACKEND_GET_CLASS(backend);
    size_t page = mbc->page_size ? mbc->page_size(backend) : 0;

    page = page ? page : (size_t)sysconf(_SC_PAGESIZE);
    if (backend->size == 0 || backend->size % page) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "memory backend: size=%" G_GUINT64_FORMAT
                    ": expected a multiple of the page size, %zu",
                    backend->size, page);
        return false;
    }
    return true;
}

static bool backend_map(MemoryBackend *backend, off_t offset, GError **error)
{
    int prot = PROT_READ | (backend->readonly ? 0 : PROT_WRITE);
    int flags = (backend->share ? MAP_SHARED : MAP_PRIVATE) | MAP_NORESERVE |
                (backend->fd < 0 ? MAP_ANONYMOUS : 0);
    void *host = mmap(NULL, backend->size, prot, flags, backend->fd, offset);

    if (host == MAP_FAILED) {
        return backend_fail(backend, errno, "map", error);
    }
    backend->host = host;
    return true;
}

static bool backend_advise(MemoryBackend *backend, GError **error)
{
    if (backend->merge) {
        madvise(backend->host, backend->size, MADV_MERGEABLE); /* the host may not have it */
    }
    if (!backend->dump) {
        madvise(backend->host, backend->size, MADV_DONTDUMP);
    }
    if (backend->prealloc && madvise(backend->host, backend->size, MADV_POPULATE_WRITE) < 0) {
        return backend_fail(backend, errno, "allocate", error);
    }
    return true;
}

static bool backend_complete(Object *obj, GError **error)
{
    MemoryBackend *backend = MEMORY_BACKEND(obj);
    off_t offset = 0;

    if (!check_size(backend, error) ||
        !MEMORY_BACKEND_GET_CLASS(obj)->open(backend, &backend->fd, &offset, error) ||
        !backend_map(backend, offset, error) || !backend_advise(backend, error)) {
        return false;
    }
    memory_region_init_ram_ptr(&backend->mr, obj, obj->name ? obj->name : "ram", backend->size,
                               backend->host, backend->fd);
    memory_region_set_readonly(&backend->mr, backend->readonly);
    return true;
}

MemoryRegion *memory_backend_claim(MemoryBackend *backend, GError **error)
{
    if (!backend->host || backend->used) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "memory backend '%s' is %s",
                    backend->parent_obj.name ? backend->parent_obj.name : "?",
                    backend->used ? "in use already" : "not complete");
        return NULL;
    }
    backend->used = true;
    return &backend->mr;
}

void memory_backend_release(MemoryBackend *backend)
{
    backend->used = false;
}

/* ---- the type ------------------------------------------------------------------------------- */

static bool backend_can_be_deleted(Object *obj)
{
    return !MEMORY_BACKEND(obj)->used;
}

static bool backend_frozen(Object *obj)
{
    return MEMORY_BACKEND(obj)->host;
}

static void backend_instance_init(Object *obj)
{
    MemoryBackend *backend = (MemoryBackend *)obj;

    backend->fd = -1;
    backend->share = MEMORY_BACKEND_GET_CLASS(obj)->share_default;
}

static void backend_finalize(Object *obj)
{
    MemoryBackend *backend = (MemoryBackend *)obj;

    if (backend->host) {
        memory_region_finish(&backend->mr);
        munmap(backend->host, backend->size);
    }
    if (backend->fd >= 0) {
        close(backend->fd);
    }
}

static void backend_class_init(ObjectClass *klass, const void *data)
{
    UserCreatableClass *ucc =
        (UserCreatableClass *)object_class_dynamic_cast(klass, TYPE_USER_CREATABLE);

    ucc->complete = backend_complete;
    ucc->can_be_deleted = backend_can_be_deleted;
    object_class_set_frozen_func(klass, backend_frozen);
}

static const Property backend_properties[] = {
    DEFINE_PROP_SIZE("size", MemoryBackend, size, 0, "bytes of memory"),
    DEFINE_PROP_BOOL("prealloc", MemoryBackend, prealloc, false, "allocate it all at the start"),
    DEFINE_PROP_BOOL("share", MemoryBackend, share, false, "share it with other processes"),
    DEFINE_PROP_BOOL("merge", MemoryBackend, merge, false, "let the host merge equal pages"),
    DEFINE_PROP_BOOL("dump", MemoryBackend, dump, true, "put it into core dumps of this process"),
    DEFINE_PROP_END,
};

static const TypeInfo backend_types[] = {
    {
     .name = TYPE_MEMORY_BACKEND,
     .parent = TYPE_OBJECT,
     .instance_size = sizeof(MemoryBackend),
     .instance_init = backend_instance_init,
     .instance_finalize = backend_finalize,
     .abstract = true,
     .class_size = sizeof(MemoryBackendClass),
     .class_init = backend_class_init,
     .interfaces = (const InterfaceInfo[]){{TYPE_USER_CREATABLE}, {NULL}},
     .properties = backend_properties,
     .doc = "memory for a guest",
     }
};
DEFINE_TYPES(backend_types)
