/* SPDX-License-Identifier: MIT
 *
 * Anonymous memory; on a memfd if it is to be shared.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include "system/memory/backend.h"

static bool ram_open(MemoryBackend *backend, int *ret_fd, off_t *ret_offset, GError **error)
{
    int fd;

    if (!backend->share) {
        return true;
    }
    fd = memfd_create("ram", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, backend->size) < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
                    "cannot have %" G_GUINT64_FORMAT " bytes of shared memory: %s", backend->size,
                    g_strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    *ret_fd = fd;
    return true;
}

static void ram_class_init(ObjectClass *klass, const void *data)
{
    MEMORY_BACKEND_CLASS(klass)->open = ram_open;
}

static const TypeInfo ram_types[] = {
    {
     .name = MEMORY_BACKEND_TYPE_NAME("ram"),
     .parent = TYPE_MEMORY_BACKEND,
     .class_init = ram_class_init,
     .doc = "anonymous memory of this process",
     }
};
DEFINE_TYPES(ram_types)
