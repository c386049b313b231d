/* SPDX-License-Identifier: MIT
 *
 * null-co: a disk that takes everything and keeps nothing, for measurements.
 */
#include <string.h>
#include "system/block/block-internal.h"

typedef struct NullImage {
    BlockImage image;
    bool read_zeroes;
} NullImage;

static int null_read(BlockImage *image, int64_t offset, struct iovec *iov, int niov)
{
    if (((NullImage *)image)->read_zeroes) {
        for (int i = 0; i < niov; i++) {
            memset(iov[i].iov_base, 0, iov[i].iov_len);
        }
    }
    return 0;
}

static int null_write(BlockImage *image, int64_t offset, struct iovec *iov, int niov)
{
    return 0;
}

static int null_flush(BlockImage *image)
{
    return 0;
}

static int null_range(BlockImage *image, int64_t offset, int64_t len)
{
    return 0;
}

static void null_close(BlockImage *image)
{
    g_free(image);
}

static const BlockImageOps null_ops = {
    .read = null_read,
    .write = null_write,
    .flush = null_flush,
    .discard = null_range,
    .write_zeroes = null_range,
    .close = null_close,
};

BlockImage *block_null_open(const BlockOpenOptions *options)
{
    NullImage *null = g_new0(NullImage, 1);

    null->image = (BlockImage){&null_ops, (int64_t)options->size, options->read_only};
    if (!null->image.size) {
        null->image.size = 1 << 30;
    }
    null->read_zeroes = options->read_zeroes;
    return &null->image;
}
