/* SPDX-License-Identifier: MIT
 *
 * snapshot=on: a read-only base and an unlinked temporary file that holds
 * what was written, in clusters of 64 KiB, with a bitmap that says which.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "system/block/block-internal.h"

#define CLUSTER_BITS 16
#define CLUSTER_SIZE (1 << CLUSTER_BITS)

typedef struct OverlayImage {
    BlockImage image;
    BlockImage *base;
    int fd;
    GMutex lock; /* the bitmap, and copying a cluster up */
    uint8_t *written;
} OverlayImage;

static bool overlay_has(OverlayImage *o, int64_t cluster)
{
    return o->written[cluster >> 3] >> (cluster & 7) & 1;
}

/* One piece inside a cluster, under the lock. */
static int overlay_piece(OverlayImage *o, int64_t offset, struct iovec piece, bool is_write)
{
    int64_t cluster = offset >> CLUSTER_BITS;

    if (!is_write) {
        return overlay_has(o, cluster) ? block_fd_read(o->fd, offset, &piece, 1)
                                       : o->base->ops->read(o->base, offset, &piece, 1);
    }
    if (!overlay_has(o, cluster)) {
        g_autofree char *copy = g_malloc(CLUSTER_SIZE);
        int64_t start = cluster << CLUSTER_BITS;
        struct iovec in = {copy, CLUSTER_SIZE}, out = in;
        int ret = o->base->ops->read(o->base, start, &in, 1);

        ret = ret < 0 ? ret : block_fd_write(o->fd, start, &out, 1);
        if (ret < 0) {
            return ret;
        }
        o->written[cluster >> 3] |= (uint8_t)(1 << (cluster & 7));
    }
    return block_fd_write(o->fd, offset, &piece, 1);
}

static int overlay_rw(OverlayImage *o, int64_t offset, const struct iovec *iov, int niov,
                      bool is_write)
{
    int ret = 0;

    g_mutex_lock(&o->lock);
    for (int i = 0; i < niov && ret == 0; i++) {
        size_t done = 0;

        while (done < iov[i].iov_len && ret == 0) {
            size_t room = (size_t)(CLUSTER_SIZE - (offset & (CLUSTER_SIZE - 1)));
            struct iovec piece = {(char *)iov[i].iov_base + done, MIN(iov[i].iov_len - done, room)};

            ret = overlay_piece(o, offset, piece, is_write);
            offset += (int64_t)piece.iov_len;
            done += piece.iov_len;
        }
    }
    g_mutex_unlock(&o->lock);
    return ret;
}

static int overlay_read(BlockImage *image, int64_t offset, struct iovec *iov, int niov)
{
    return overlay_rw((OverlayImage *)image, offset, iov, niov, false);
}

static int overlay_write(BlockImage *image, int64_t offset, struct iovec *iov, int niov)
{
    return overlay_rw((OverlayImage *)image, offset, iov, niov, true);
}

/* What will be lost anyway need not be on stable storage. */
static int overlay_flush(BlockImage *image)
{
    return 0;
}

static int overlay_discard(BlockImage *image, int64_t offset, int64_t len)
{
    return 0;
}

static int overlay_write_zeroes(BlockImage *image, int64_t offset, int64_t len)
{
    g_autofree char *zeros = g_malloc0(CLUSTER_SIZE);
    int ret = 0;

    while (len > 0 && ret == 0) {
        struct iovec iov = {zeros, (size_t)MIN(len, CLUSTER_SIZE)};

        ret = overlay_rw((OverlayImage *)image, offset, &iov, 1, true);
        offset += (int64_t)iov.iov_len;
        len -= (int64_t)iov.iov_len;
    }
    return ret;
}

static void overlay_close(BlockImage *image)
{
    OverlayImage *o = (OverlayImage *)image;

    block_image_close(o->base);
    close(o->fd);
    g_mutex_clear(&o->lock);
    g_free(o->written);
    g_free(o);
}

static const BlockImageOps overlay_ops = {
    .read = overlay_read,
    .write = overlay_write,
    .flush = overlay_flush,
    .discard = overlay_discard,
    .write_zeroes = overlay_write_zeroes,
    .close = overlay_close,
};

static int overlay_make_file(GError **error)
{
    const char *dir = g_get_tmp_dir();
    g_autofree char *name = NULL;
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0) {
        name = g_build_filename(dir, "disk-snapshot-XXXXXX", NULL);
        fd = mkstemp(name);
    }
    if (fd < 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPEN,
                    "cannot make a temporary file for snapshot=on in '%s': %s", dir,
                    g_strerror(errno));
    } else if (name) {
        unlink(name);
    }
    return fd;
}

BlockImage *block_overlay_open(BlockImage *base, GError **error)
{
    OverlayImage *o;
    int fd = overlay_make_file(error);

    if (fd < 0) {
        block_image_close(base);
        return NULL;
    }
    o = g_new0(OverlayImage, 1);
    o->image = (BlockImage){&overlay_ops, base->size, false};
    o->base = base;
    o->fd = fd;
    o->written = g_malloc0((size_t)(base->size >> CLUSTER_BITS) / 8 + 1);
    g_mutex_init(&o->lock);
    return &o->image;
}
