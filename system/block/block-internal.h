/* SPDX-License-Identifier: MIT
 *
 * For this folder only: what lies below a BlockBackend.
 */
#ifndef SYSTEM_BLOCK_BLOCK_INTERNAL_H
#define SYSTEM_BLOCK_BLOCK_INTERNAL_H

#include "system/block/block.h"

#define BLOCK_SECTOR_SIZE 512

/*
 * An opened medium.  Its functions block, may be called by several threads at once, and
 * return 0 or -errno; ranges are inside `size`, rounded up to a sector.
 */
typedef struct BlockImage BlockImage;
typedef struct BlockImageOps {
    int (*read)(BlockImage *image, int64_t offset, struct iovec *iov, int niov);
    int (*write)(BlockImage *image, int64_t offset, struct iovec *iov, int niov);
    int (*flush)(BlockImage *image);
    int (*discard)(BlockImage *image, int64_t offset, int64_t len);
    int (*write_zeroes)(BlockImage *image, int64_t offset, int64_t len);
    /* Optional: give the space back, and it reads as zeros; or an error. */
    int (*unmap_zeroes)(BlockImage *image, int64_t offset, int64_t len);
    /* Optional: breakpoints of blkdebug; a NULL tag is every one. */
    int (*debug)(BlockImage *image, BlockDebugCommand command, const char *event, const char *tag);
    void (*close)(BlockImage *image);
} BlockImageOps;

struct BlockImage {
    const BlockImageOps *ops;
    int64_t size;
    bool read_only;
};

/* A file or block device. */
BlockImage *block_file_open(const char *file, const BlockOpenOptions *options, GError **error);
BlockImage *block_null_open(const BlockOpenOptions *options);
/* What follows "blkdebug:". */
BlockImage *block_debug_open(const char *name, const BlockOpenOptions *options, GError **error);
/* Writes go to an unlinked temporary file; takes over `base`, also on failure. */
BlockImage *block_overlay_open(BlockImage *base, GError **error);
static inline void block_image_close(BlockImage *image)
{
    if (image) {
        image->ops->close(image);
    }
}

/* "a=b,c=d,,e" to alternating keys and values; a key alone has the value "on". */
GPtrArray *block_options_split(const char *text, GError **error);

/* Whole transfers at `offset` of fd; a read past the end gives zeros.  Eats the vector. */
int block_fd_read(int fd, int64_t offset, struct iovec *iov, int niov);
int block_fd_write(int fd, int64_t offset, struct iovec *iov, int niov);

static inline int64_t block_iov_size(const struct iovec *iov, int niov)
{
    int64_t size = 0;

    for (int i = 0; i < niov; i++) {
        size += (int64_t)iov[i].iov_len;
    }
    return size;
}

#endif
