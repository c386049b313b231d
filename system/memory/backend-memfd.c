/* SPDX-License-Identifier: MIT
 *
 * Memory on a memfd: other processes can map it, and it can have huge pages.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include "system/memory/backend.h"

#define TYPE_MEMORY_BACKEND_MEMFD MEMORY_BACKEND_TYPE_NAME("memfd")
OBJECT_DECLARE_SIMPLE(MemfdBackend, MEMFD_BACKEND, TYPE_MEMORY_BACKEND_MEMFD)

#define HUGETLB_DEFAULT (2 * 1024 * 1024)

struct MemfdBackend {
    MemoryBackend parent_obj;
    bool hugetlb, seal;
    uint64_t hugetlbsize;
};

static size_t memfd_page_size(MemoryBackend *backend)
{
    MemfdBackend *m = MEMFD_BACKEND(backend);

    return m->hugetlb ? (m->hugetlbsize ? m->hugetlbsize : HUGETLB_DEFAULT) : 0;
}

static unsigned memfd_flags(MemfdBackend *m)
{
    unsigned flags = MFD_CLOEXEC | (m->seal ? MFD_ALLOW_SEALING : 0);

    if (m->hugetlb) {
        flags |= MFD_HUGETLB;
        flags |= m->hugetlbsize ? (unsigned)__builtin_ctzll(m->hugetlbsize) << MAP_HUGE_SHIFT : 0;
    }
    return flags;
}

static bool memfd_open(MemoryBackend *backend, int *ret_fd, off_t *ret_offset, GError **error)
{
    MemfdBackend *m = MEMFD_BACKEND(backend);
    int fd = memfd_create("ram", memfd_flags(m));

    if (fd < 0 || ftruncate(fd, backend->size) < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
                    "cannot have %" G_GUINT64_FORMAT " bytes of memory%s: %s", backend->size,
                    m->hugetlb ? " in huge pages of that size" : "", g_strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    *ret_fd = fd;
    return true;
}

static bool check_power_of_two(Object *obj, const Property *prop, GVariant *value, GError **error)
{
    uint64_t size = g_variant_get_uint64(value);

    if (size & (size - 1)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "%s=%" G_GUINT64_FORMAT ": expected a power of two, such as 2M", prop->name,
                    size);
        return false;
    }
    return true;
}

static void memfd_class_init(ObjectClass *klass, const void *data)
{
    MemoryBackendClass *mbc = MEMORY_BACKEND_CLASS(klass);

    mbc->share_default = true;
    mbc->open = memfd_open;
    mbc->page_size = memfd_page_size;
}

static const Property memfd_properties[] = {
    DEFINE_PROP_BOOL("hugetlb", MemfdBackend, hugetlb, false, "use huge pages"),
    DEFINE_PROP_SIZE("hugetlbsize", MemfdBackend, hugetlbsize, 0,
                     "size of the huge pages, 0: the host's default", .check = check_power_of_two),
    DEFINE_PROP_BOOL("seal", MemfdBackend, seal, false, "let other processes seal it"),
    DEFINE_PROP_END,
};

static const TypeInfo memfd_types[] = {
    {
     .name = TYPE_MEMORY_BACKEND_MEMFD,
     .parent = TYPE_MEMORY_BACKEND,
     .instance_size = sizeof(MemfdBackend),
     .class_init = memfd_class_init,
     .properties = memfd_properties,
     .doc = "memory that other processes can map, of huge pages if wanted",
     }
};
DEFINE_TYPES(memfd_types)
