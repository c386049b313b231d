/* SPDX-License-Identifier: MIT
 *
 * null-co: a disk that takes everything and keeps nothing, for measurements.
 */
#include <string.h>
#include "system/block/block-internal.h"

static int null_read(BlockImage *image, int64_t offset, struct iovec *iov, int niov)
{
    for (int i = 0; i < niov; i++) { /* with read-zeroes=off too: our memory is not the guest's */
        memset(iov[i].iov_base, 0, iov[i].iov_len);
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
    BlockImage *image = g_new(BlockImage, 1);

    *image = (BlockImage){&null_ops, (int64_t)options->size, options->read_only};
    if (!image->size) {
        image->size = 1 << 30;
    }
    return image;
}
