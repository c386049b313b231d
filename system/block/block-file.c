/* SPDX-License-Identifier: MIT
 *
 * Raw images in files and on block devices.  An image is locked with open file
 * description locks (fcntl(2), F_OFD_SETLK): shared by readers, exclusive for a writer.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "system/block/block-internal.h"

typedef struct FileImage {
    BlockImage image;
    int fd;
    bool is_device;
    bool discard;
    bool no_flush;
    bool direct;
    int direct_fd; /* -1: none */
} FileImage;

/* ---- transfers -------------------------------------------------------------- */

static void iov_advance(struct iovec **iov, int *niov, size_t n)
{
    while (*niov && n >= (*iov)->iov_len) {
        n -= (*iov)->iov_len;
        (*iov)++;
        (*niov)--;
    }
    if (n) {
        (*iov)->iov_base = (char *)(*iov)->iov_base + n;
        (*iov)->iov_len -= n;
    }
}

static void iov_zero(const struct iovec *iov, int niov)
{
    for (int i = 0; i < niov; i++) {
        memset(iov[i].iov_base, 0, iov[i].iov_len);
    }
}

int block_fd_read(int fd, int64_t offset, struct iovec *iov, int niov)
{
    iov_advance(&iov, &niov, 0);
    while (niov) {
        ssize_t n = preadv(fd, iov, MIN(niov, IOV_MAX), offset);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -errno;
        }
        if (n == 0) {
            iov_zero(iov, niov);
            return 0;
        }
        offset += n;
        iov_advance(&iov, &niov, (size_t)n);
    }
    return 0;
}

int block_fd_write(int fd, int64_t offset, struct iovec *iov, int niov)
{
    iov_advance(&iov, &niov, 0);
    while (niov) {
        ssize_t n = pwritev(fd, iov, MIN(niov, IOV_MAX), offset);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? -errno : -ENOSPC;
        }
        offset += n;
        iov_advance(&iov, &niov, (size_t)n);
    }
    return 0;
}

/*
 * cache=none: past the host's cache, where the file system can.  What is aligned goes through a
 * second descriptor, by a buffer that is aligned too if the caller's is not; the rest, and all
 * where there is none, leaves its pages behind and has them dropped.  The kernel keeps the two ways
 * coherent.
 */
#define DIRECT_ALIGN 4096
#define DIRECT_MAX   (1 << 20) /* bytes of one bounce buffer */

static bool is_aligned(int64_t offset, int64_t len)
{
    return ((offset | len) & (DIRECT_ALIGN - 1)) == 0;
}

static bool iov_is_aligned(const struct iovec *iov, int niov)
{
    for (int i = 0; i < niov; i++) {
        if ((((uintptr_t)iov[i].iov_base | iov[i].iov_len) & (DIRECT_ALIGN - 1)) != 0) {
            return false;
        }
    }
    return true;
}

static void iov_copy(const struct iovec *iov, int niov, char *buf, bool from_iov)
{
    for (int i = 0; i < niov; i++) {
        memcpy(from_iov ? buf : iov[i].iov_base, from_iov ? iov[i].iov_base : buf, iov[i].iov_len);
        buf += iov[i].iov_len;
    }
}

static int file_direct_bounce(FileImage *file, int64_t offset, struct iovec *iov, int niov,
                              int64_t len, bool is_write)
{
    char *buf = aligned_alloc(DIRECT_ALIGN, (size_t)len);
    struct iovec bounce = {buf, (size_t)len};
    int ret;

    if (!buf) {
        return -ENOMEM;
    }
    if (is_write) {
        iov_copy(iov, niov, buf, true);
        ret = block_fd_write(file->direct_fd, offset, &bounce, 1);
    } else {
        ret = block_fd_read(file->direct_fd, offset, &bounce, 1);
        if (ret == 0) {
            iov_copy(iov, niov, buf, false);
        }
    }
    free(buf);
    return ret;
}

/* -EAGAIN: not this way. */
static int file_direct_rw(FileImage *file, int64_t offset, struct iovec *iov, int niov, int64_t len,
                          bool is_write)
{
    struct iovec whole = *iov; /* transfers eat their vector */

    if (file->direct_fd < 0 || !is_aligned(offset, len) || offset + len > file->image.size ||
        len == 0 || len > DIRECT_MAX) {
        return -EAGAIN;
    }
    if (niov != 1 || !iov_is_aligned(iov, niov)) {
        return file_direct_bounce(file, offset, iov, niov, len, is_write);
    }
    return is_write ? block_fd_write(file->direct_fd, offset, &whole, 1)
                    : block_fd_read(file->direct_fd, offset, &whole, 1);
}

/* What fails past the cache is tried through it: file systems differ in what they cannot do. */
static int file_rw(BlockImage *image, int64_t offset, struct iovec *iov, int niov, bool is_write)
{
    FileImage *file = (FileImage *)image;
    int64_t len = block_iov_size(iov, niov);
    int ret = file_direct_rw(file, offset, iov, niov, len, is_write);

    if (ret == 0) {
        return 0;
    }
    ret = is_write ? block_fd_write(file->fd, offset, iov, niov)
                   : block_fd_read(file->fd, offset, iov, niov);
    if (file->direct) {
        posix_fadvise(file->fd, offset, len, POSIX_FADV_DONTNEED);
    }
    return ret;
}

static int file_read(BlockImage *image, int64_t offset, struct iovec *iov, int niov)
{
    return file_rw(image, offset, iov, niov, false);
}

static int file_write(BlockImage *image, int64_t offset, struct iovec *iov, int niov)
{
    return file_rw(image, offset, iov, niov, true);
}

static int file_flush(BlockImage *image)
{
    FileImage *file = (FileImage *)image;

    if (file->no_flush || image->read_only) {
        return 0;
    }
    return fdatasync(file->fd) < 0 ? -errno : 0;
}

static int file_punch(FileImage *file, int64_t offset, int64_t len)
{
    uint64_t range[2] = {(uint64_t)offset, (uint64_t)len};
    int ret;

    if (file->is_device) {
        ret = ioctl(file->fd, BLKDISCARD, range);
    } else {
        ret = fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, len);
    }
    return ret < 0 ? -errno : 0;
}

/* Advice only: an image that cannot forget blocks keeps them. */
static int file_discard(BlockImage *image, int64_t offset, int64_t len)
{
    FileImage *file = (FileImage *)image;
    int ret = file->discard ? file_punch(file, offset, len) : 0;

    return ret == -EOPNOTSUPP || ret == -ENOTTY || ret == -EINVAL ? 0 : ret;
}

/* Holes of files are zeros; what a device makes of BLKDISCARD is not said. */
static int file_unmap_zeroes(BlockImage *image, int64_t offset, int64_t len)
{
    FileImage *file = (FileImage *)image;

    return file->is_device ? -EOPNOTSUPP : file_punch(file, offset, len);
}

static int file_write_zero_blocks(FileImage *file, int64_t offset, int64_t len)
{
    g_autofree char *zeros = g_malloc0(64 * 1024);

    while (len > 0) {
        struct iovec iov = {zeros, (size_t)MIN(len, 64 * 1024)};
        int64_t n = (int64_t)iov.iov_len;
        int ret = block_fd_write(file->fd, offset, &iov, 1);

        if (ret < 0) {
            return ret;
        }
        offset += n;
        len -= n;
    }
    return 0;
}

static int file_write_zeroes(BlockImage *image, int64_t offset, int64_t len)
{
    FileImage *file = (FileImage *)image;

    if (!file->is_device &&
        fallocate(file->fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, offset, len) == 0) {
        return 0;
    }
    return file_write_zero_blocks(file, offset, len);
}

static void file_close(BlockImage *image)
{
    FileImage *file = (FileImage *)image;

    if (!file->no_flush && !image->read_only) {
        fdatasync(file->fd);
    }
    if (file->direct_fd >= 0) {
        close(file->direct_fd);
    }
    close(file->fd);
    g_free(file);
}

static const BlockImageOps file_ops = {
    .read = file_read,
    .write = file_write,
    .flush = file_flush,
    .discard = file_discard,
    .write_zeroes = file_write_zeroes,
    .unmap_zeroes = file_unmap_zeroes,
    .close = file_close,
};

/* ---- opening ---------------------------------------------------------------- */

/* First bytes of the formats that are not raw. */
static const struct {
    const char *format;
    size_t offset;
    const char *magic;
    size_t len;
} block_magics[] = {
    {"qcow2",     0,    "QFI\xfb",                4 },
    {"qed",       0,    "QED\0",                  4 },
    {"vmdk",      0,    "KDMV",                   4 },
    {"vmdk",      0,    "COWD",                   4 },
    {"vmdk",      0,    "# Disk DescriptorFile",  21},
    {"vpc",       0,    "conectix",               8 },
    {"vhdx",      0,    "vhdxfile",               8 },
    {"vdi",       0x40, "\x7f\x10\xda\xbe",       4 },
    {"parallels", 0,    "WithoutFreeSpace",       16},
    {"parallels", 0,    "WithouFreSpacExt",       16},
    {"bochs",     0,    "Bochs Virtual HD Image", 22},
    {"luks",      0,    "LUKS\xba\xbe",           6 },
};

static const char *block_probe(int fd)
{
    char head[128] = "";
    struct iovec iov = {head, sizeof(head)};

    if (block_fd_read(fd, 0, &iov, 1) < 0) {
        return NULL;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(block_magics); i++) {
        if (!memcmp(head + block_magics[i].offset, block_magics[i].magic, block_magics[i].len)) {
            return block_magics[i].format;
        }
    }
    return NULL;
}

static bool block_check_format(int fd, const char *file, const char *format, GError **error)
{
    const char *found;

    if (format) {
        return true;
    }
    found = block_probe(fd);
    if (found) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT,
                    "'%s' is a %s image, and only raw ones can be used: convert it, or say "
                    "format=raw to take its bytes as they are",
                    file, found);
        return false;
    }
    return true;
}

static bool block_lock(int fd, const char *file, bool read_only, GError **error)
{
    struct flock lock = {.l_type = read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(fd, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES)) {
        return true; /* a file system with no locks is no reason to refuse */
    }
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_LOCKED,
                "'%s' is in use, by another process or twice by this one (cannot get its %s lock)",
                file, read_only ? "shared" : "exclusive");
    return false;
}

static int block_open_flags(const BlockOpenOptions *options, bool read_only)
{
    return (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
           (options->cache_writethrough && !read_only ? O_DSYNC : 0);
}

/* Sets *ret_read_only where options leave it open. */
static int block_open_fd(const char *file, const BlockOpenOptions *options, bool *ret_read_only,
                         GError **error)
{
    bool read_only = options->read_only || options->snapshot;
    int fd = open(file, block_open_flags(options, read_only));

    if (fd < 0 && !read_only && options->auto_read_only &&
        (errno == EACCES || errno == EROFS || errno == EPERM)) {
        read_only = true;
        fd = open(file, block_open_flags(options, true));
    }
    if (fd < 0) {
        int err = errno;

        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPEN, "cannot open disk image '%s'%s: %s", file,
                    read_only ? "" : " for writing",
                    err == EISDIR ? "it is a directory" : g_strerror(err));
        return -1;
    }
    *ret_read_only = read_only;
    return fd;
}

static bool block_device_size(int fd, const char *file, int64_t *ret_size, GError **error)
{
    uint64_t size;

    if (ioctl(fd, BLKGETSIZE64, &size) < 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPEN, "cannot tell the size of '%s': %s", file,
                    g_strerror(errno));
        return false;
    }
    *ret_size = (int64_t)size;
    return true;
}

static bool block_file_size(int fd, const char *file, int64_t *ret_size, bool *ret_is_device,
                            GError **error)
{
    struct stat st;

    if (fstat(fd, &st) < 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPEN, "cannot examine '%s': %s", file,
                    g_strerror(errno));
        return false;
    }
    *ret_is_device = S_ISBLK(st.st_mode);
    if (*ret_is_device) {
        return block_device_size(fd, file, ret_size, error);
    }
    if (!S_ISREG(st.st_mode)) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPEN,
                    "cannot use '%s' as a disk image: it is %s; a regular file or a block device "
                    "is wanted",
                    file, S_ISDIR(st.st_mode) ? "a directory" : "neither");
        return false;
    }
    *ret_size = st.st_size;
    return true;
}

static bool block_check_size(const char *file, int64_t size, GError **error)
{
    if (size >= BLOCK_SECTOR_SIZE) {
        return true;
    }
    if (size == 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPEN, "disk image '%s' is empty", file);
    } else {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPEN,
                    "disk image '%s' is truncated: it has %d bytes, less than one sector of 512",
                    file, (int)size);
    }
    return false;
}

BlockImage *block_file_open(const char *file, const BlockOpenOptions *options, GError **error)
{
    bool read_only, is_device;
    int64_t size;
    FileImage *image;
    int fd = block_open_fd(file, options, &read_only, error);

    if (fd < 0) {
        return NULL;
    }
    if (!block_file_size(fd, file, &size, &is_device, error) ||
        !block_check_size(file, size, error) ||
        !block_check_format(fd, file, options->format, error) ||
        (!options->no_lock && !block_lock(fd, file, read_only, error))) {
        close(fd);
        return NULL;
    }
    image = g_new0(FileImage, 1);
    image->image = (BlockImage){&file_ops, size, read_only};
    image->fd = fd;
    image->is_device = is_device;
    image->discard = options->discard;
    image->no_flush = options->cache_no_flush;
    image->direct = options->cache_direct;
    image->direct_fd = -1;
    if (image->direct) { /* not every file system can: then pages are dropped */
        image->direct_fd = open(file, block_open_flags(options, read_only) | O_DIRECT);
    }
    return &image->image;
}
