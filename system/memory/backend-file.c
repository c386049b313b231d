/* SPDX-License-Identifier: MIT
 *
 * Memory on a file: of hugetlbfs, of a tmpfs, or one that keeps what a guest leaves.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "system/memory/backend.h"

OBJECT_DECLARE_SIMPLE(FileBackend, FILE_BACKEND, TYPE_MEMORY_BACKEND_FILE)

struct FileBackend {
    MemoryBackend parent_obj;
    char *path;
    uint64_t offset;
};

static bool file_fail(FileBackend *f, const char *what, GError **error)
{
    int code = errno;

    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(code),
                "memory backend: mem-path=%s: cannot %s it: %s", f->path, what, g_strerror(code));
    return false;
}

static size_t file_page_size(MemoryBackend *backend)
{
    FileBackend *f = FILE_BACKEND(backend);
    struct statfs fs;

    return f->path && statfs(f->path, &fs) == 0 && fs.f_type == HUGETLBFS_MAGIC ? fs.f_bsize : 0;
}

/* A folder means a file without a name in it. */
static int open_path(FileBackend *f)
{
    bool readonly = f->parent_obj.readonly;
    struct stat st;

    if (stat(f->path, &st) == 0 && S_ISDIR(st.st_mode)) {
        g_autofree char *name = g_build_filename(f->path, "quoin-ram-XXXXXX", NULL);
        int fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);

        if (fd >= 0) {
            unlink(name);
        }
        return fd;
    }
    return open(f->path, (readonly ? O_RDONLY : O_RDWR | O_CREAT) | O_CLOEXEC, 0600);
}

/* A file that is there keeps its contents and must be long enough; an empty one grows. */
static bool check_length(FileBackend *f, int fd, GError **error)
{
    uint64_t need = f->offset + f->parent_obj.size;
    struct stat st;

    if (fstat(fd, &st) < 0) {
        return file_fail(f, "examine", error);
    }
    if (S_ISREG(st.st_mode) && st.st_size == 0 && !f->parent_obj.readonly) {
        return ftruncate(fd, need) == 0 || file_fail(f, "extend", error);
    }
    if (S_ISREG(st.st_mode) && (uint64_t)st.st_size < need) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "memory backend: mem-path=%s has %" G_GUINT64_FORMAT
                    " bytes, fewer than the %" G_GUINT64_FORMAT " wanted",
                    f->path, (uint64_t)st.st_size, need);
        return false;
    }
    return true;
}

static bool file_open(MemoryBackend *backend, int *ret_fd, off_t *ret_offset, GError **error)
{
    FileBackend *f = FILE_BACKEND(backend);
    int fd;

    if (!f->path) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "memory backend: mem-path=FILE is missing");
        return false;
    }
    fd = open_path(f);
    if (fd < 0) {
        return file_fail(f, "open", error);
    }
    if (!check_length(f, fd, error)) {
        close(fd);
        return false;
    }
    *ret_fd = fd;
    *ret_offset = f->offset;
    return true;
}

static bool check_page_multiple(Object *obj, const Property *prop, GVariant *value, GError **error)
{
    if (g_variant_get_uint64(value) % sysconf(_SC_PAGESIZE)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "%s: expected a multiple of the page size", prop->name);
        return false;
    }
    return true;
}

static void file_class_init(ObjectClass *klass, const void *data)
{
    MemoryBackendClass *mbc = MEMORY_BACKEND_CLASS(klass);

    mbc->open = file_open;
    mbc->page_size = file_page_size;
}

static const Property file_properties[] = {
    DEFINE_PROP_STRING("mem-path", FileBackend, path, NULL, "the file, or a folder to make one in"),
    DEFINE_PROP_SIZE("offset", FileBackend, offset, 0, "where in the file it begins",
                     .check = check_page_multiple),
    DEFINE_PROP_BOOL("readonly", FileBackend, parent_obj.readonly, false, "the guest only reads"),
    DEFINE_PROP_END,
};

static const TypeInfo file_types[] = {
    {
     .name = TYPE_MEMORY_BACKEND_FILE,
     .parent = TYPE_MEMORY_BACKEND,
     .instance_size = sizeof(FileBackend),
     .class_init = file_class_init,
     .properties = file_properties,
     .doc = "memory on a file",
     }
};
DEFINE_TYPES(file_types)
