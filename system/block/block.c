/* SPDX-License-Identifier: MIT
 *
 * Block back ends: what a device holds, and the requests it makes.  Requests
 * run on a pool of worker threads, at most BLOCK_WORKERS for one back end.
 */
#include <errno.h>
#include <string.h>
#include "system/block/block-internal.h"

#define BLOCK_WORKERS 8

G_DEFINE_QUARK(block - error - quark, block_error)

typedef enum BlockOp { OP_READ, OP_WRITE, OP_FLUSH, OP_DISCARD, OP_ZEROES } BlockOp;

struct BlockBackend {
    gint ref;
    char *id;
    char *filename; /* NULL: no medium */
    BlockImage *image;
    GThreadPool *pool;
    GMutex lock; /* what follows, and the image while requests are started */
    GCond idle;
    BlockStats stats;
    BlockErrorAction on_error[2]; /* by is_read */
    bool write_cache, cache_direct, cache_no_flush, can_discard;
    bool detect_zeroes, detect_zeroes_unmap;
    unsigned generation;
    void *user;
};

typedef struct BlockRequest {
    BlockBackend *blk;
    EventLoop *loop;
    BlockOp op;
    int64_t offset, len;
    struct iovec *iov;
    int niov;
    BlockCompletion done;
    void *opaque;
    int ret;
} BlockRequest;

/* ---- requests --------------------------------------------------------------- */

static void block_request_free(BlockRequest *req)
{
    blk_unref(req->blk);
    g_free(req->iov);
    g_free(req);
}

static void block_request_done(void *opaque)
{
    BlockRequest *req = opaque;

    req->done(req->opaque, req->ret);
    block_request_free(req);
}

static int block_check(const BlockImage *image, BlockOp op, int64_t offset, int64_t len)
{
    int64_t end;

    if (!image) {
        return -ENOMEDIUM;
    }
    if (op != OP_READ && op != OP_FLUSH && image->read_only) {
        return -EPERM;
    }
    end = (image->size + BLOCK_SECTOR_SIZE - 1) & -(int64_t)BLOCK_SECTOR_SIZE;
    return offset < 0 || len < 0 || offset > end || len > end - offset ? -EIO : 0;
}

static bool iov_is_zero(const struct iovec *iov, int niov)
{
    for (int i = 0; i < niov; i++) {
        const char *p = iov[i].iov_base;

        if (iov[i].iov_len && (*p || memcmp(p, p + 1, iov[i].iov_len - 1))) {
            return false;
        }
    }
    return true;
}

static int block_write_data(BlockBackend *blk, int64_t offset, struct iovec *iov, int niov)
{
    BlockImage *image = blk->image;
    int64_t len;

    if (!blk->detect_zeroes || !iov_is_zero(iov, niov)) {
        return image->ops->write(image, offset, iov, niov);
    }
    len = block_iov_size(iov, niov);
    if (blk->detect_zeroes_unmap && blk->can_discard && image->ops->unmap_zeroes &&
        image->ops->unmap_zeroes(image, offset, len) == 0) {
        return 0;
    }
    return image->ops->write_zeroes(image, offset, len);
}

static int block_write(BlockBackend *blk, int64_t offset, struct iovec *iov, int niov)
{
    BlockImage *image = blk->image;
    int ret = block_write_data(blk, offset, iov, niov);

    return ret == 0 && !blk->write_cache ? image->ops->flush(image) : ret;
}

static int block_run(BlockBackend *blk, BlockRequest *req)
{
    BlockImage *image = blk->image;
    int ret = block_check(image, req->op, req->offset, req->len);

    if (ret < 0) {
        return ret;
    }
    switch (req->op) {
    case OP_READ:
        return image->ops->read(image, req->offset, req->iov, req->niov);
    case OP_WRITE:
        return block_write(blk, req->offset, req->iov, req->niov);
    case OP_FLUSH:
        return image->ops->flush(image);
    case OP_DISCARD:
        return image->ops->discard(image, req->offset, req->len);
    case OP_ZEROES:
        return image->ops->write_zeroes(image, req->offset, req->len);
    }
    return -EINVAL;
}

static void block_account(BlockStats *stats, const BlockRequest *req)
{
    uint64_t bytes = (uint64_t)req->len;

    if (req->ret < 0) {
        stats->errors++;
    } else if (req->op == OP_READ) {
        stats->rd_ops++;
        stats->rd_bytes += bytes;
    } else if (req->op == OP_FLUSH) {
        stats->flush_ops++;
    } else {
        stats->wr_ops++;
        stats->wr_bytes += bytes;
    }
}

static void block_worker(void *data, void *user_data)
{
    BlockRequest *req = data;
    BlockBackend *blk = req->blk;

    req->ret = block_run(blk, req);
    g_mutex_lock(&blk->lock);
    block_account(&blk->stats, req);
    /* Queued before the back end counts as drained: a drained device has all it will get. */
    event_loop_call(req->loop, block_request_done, req);
    if (--blk->stats.in_flight == 0) {
        g_cond_broadcast(&blk->idle);
    }
    g_mutex_unlock(&blk->lock);
}

static void block_start(BlockBackend *blk, EventLoop *loop, BlockOp op, int64_t offset, int64_t len,
                        const struct iovec *iov, int niov, BlockCompletion done, void *opaque)
{
    BlockRequest *req = g_new0(BlockRequest, 1);

    *req = (BlockRequest){.blk = blk_ref(blk),
                          .loop = loop,
                          .op = op,
                          .offset = offset,
                          .len = len,
                          .iov = g_memdup2(iov, sizeof(*iov) * (size_t)niov),
                          .niov = niov,
                          .done = done,
                          .opaque = opaque};
    g_mutex_lock(&blk->lock);
    if (!blk->pool) {
        blk->pool = g_thread_pool_new(block_worker, NULL, BLOCK_WORKERS, FALSE, NULL);
    }
    blk->stats.in_flight++;
    g_mutex_unlock(&blk->lock);
    g_thread_pool_push(blk->pool, req, NULL);
}

void blk_preadv(BlockBackend *blk, EventLoop *loop, int64_t offset, const struct iovec *iov,
                int niov, BlockCompletion done, void *opaque)
{
    block_start(blk, loop, OP_READ, offset, block_iov_size(iov, niov), iov, niov, done, opaque);
}

void blk_pwritev(BlockBackend *blk, EventLoop *loop, int64_t offset, const struct iovec *iov,
                 int niov, BlockCompletion done, void *opaque)
{
    block_start(blk, loop, OP_WRITE, offset, block_iov_size(iov, niov), iov, niov, done, opaque);
}

void blk_flush(BlockBackend *blk, EventLoop *loop, BlockCompletion done, void *opaque)
{
    block_start(blk, loop, OP_FLUSH, 0, 0, NULL, 0, done, opaque);
}

void blk_discard(BlockBackend *blk, EventLoop *loop, int64_t offset, int64_t len,
                 BlockCompletion done, void *opaque)
{
    block_start(blk, loop, OP_DISCARD, offset, len, NULL, 0, done, opaque);
}

void blk_write_zeroes(BlockBackend *blk, EventLoop *loop, int64_t offset, int64_t len,
                      BlockCompletion done, void *opaque)
{
    block_start(blk, loop, OP_ZEROES, offset, len, NULL, 0, done, opaque);
}

void blk_drain(BlockBackend *blk)
{
    blk_debug(blk, BLOCK_DEBUG_REMOVE, NULL, NULL); /* what is held would never end */
    g_mutex_lock(&blk->lock);
    while (blk->stats.in_flight) {
        g_cond_wait(&blk->idle, &blk->lock);
    }
    g_mutex_unlock(&blk->lock);
}

static int block_run_sync(BlockBackend *blk, BlockOp op, int64_t offset, void *buf, size_t len)
{
    struct iovec iov = {buf, len};
    BlockRequest req = {.op = op, .offset = offset, .len = (int64_t)len, .iov = &iov, .niov = 1};

    return block_run(blk, &req);
}

int blk_pread(BlockBackend *blk, int64_t offset, void *buf, size_t len)
{
    return block_run_sync(blk, OP_READ, offset, buf, len);
}

int blk_pwrite(BlockBackend *blk, int64_t offset, const void *buf, size_t len)
{
    return block_run_sync(blk, OP_WRITE, offset, (void *)buf, len);
}

int blk_flush_sync(BlockBackend *blk)
{
    return block_run_sync(blk, OP_FLUSH, 0, NULL, 0);
}

int blk_discard_sync(BlockBackend *blk, int64_t offset, size_t len)
{
    return block_run_sync(blk, OP_DISCARD, offset, NULL, len);
}

int blk_debug(BlockBackend *blk, BlockDebugCommand command, const char *event, const char *tag)
{
    BlockImage *image = blk->image;

    return image && image->ops->debug ? image->ops->debug(image, command, event, tag) : -ENOTSUP;
}

/* ---- life ------------------------------------------------------------------- */

BlockBackend *blk_new(const char *id)
{
    BlockBackend *blk = g_new0(BlockBackend, 1);

    blk->ref = 1;
    blk->id = g_strdup(id);
    blk->write_cache = true;
    blk->on_error[0] = BLOCK_ERROR_ENOSPC;
    g_mutex_init(&blk->lock);
    g_cond_init(&blk->idle);
    return blk;
}

BlockBackend *blk_ref(BlockBackend *blk)
{
    g_atomic_int_inc(&blk->ref);
    return blk;
}

void blk_unref(BlockBackend *blk)
{
    if (!blk || !g_atomic_int_dec_and_test(&blk->ref)) {
        return;
    }
    if (blk->pool) {
        g_thread_pool_free(blk->pool, FALSE, FALSE);
    }
    block_image_close(blk->image);
    g_mutex_clear(&blk->lock);
    g_cond_clear(&blk->idle);
    g_free(blk->filename);
    g_free(blk->id);
    g_free(blk);
}

static bool block_is_null(const char *file, const BlockOpenOptions *options)
{
    return g_strcmp0(options->driver, "null-co") == 0 || g_str_has_prefix(file, "null-co://");
}

static bool block_check_open_options(const char *file, const BlockOpenOptions *options,
                                     GError **error)
{
    if (options->format && strcmp(options->format, "raw")) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT,
                    "cannot open '%s' with format=%s: the only format there is is raw", file,
                    options->format);
        return false;
    }
    return true;
}

static BlockImage *block_open_image(const char *file, const BlockOpenOptions *options,
                                    GError **error)
{
    BlockImage *image;

    if (!block_check_open_options(file, options, error)) {
        return NULL;
    }
    if (block_is_null(file, options)) {
        return block_null_open(options);
    }
    if (g_str_has_prefix(file, "blkdebug:")) {
        image = block_debug_open(file + strlen("blkdebug:"), options, error);
    } else {
        image = block_file_open(file, options, error);
    }
    return image && options->snapshot ? block_overlay_open(image, error) : image;
}

bool blk_open(BlockBackend *blk, const char *file, const BlockOpenOptions *options, GError **error)
{
    static const BlockOpenOptions defaults;
    BlockImage *image = block_open_image(file, options ? options : &defaults, error);

    if (!image) {
        return false;
    }
    blk_close(blk);
    g_mutex_lock(&blk->lock);
    blk->image = image;
    blk->filename = g_strdup(file);
    blk->write_cache = !(options && options->cache_writethrough);
    blk->detect_zeroes = options && options->detect_zeroes;
    blk->detect_zeroes_unmap = options && options->detect_zeroes_unmap;
    blk->can_discard = options && options->discard;
    blk->cache_direct = options && options->cache_direct;
    blk->cache_no_flush = options && options->cache_no_flush;
    blk->generation++;
    g_mutex_unlock(&blk->lock);
    return true;
}

void blk_move(BlockBackend *to, BlockBackend *from)
{
    blk_close(to);
    blk_drain(from);
    g_mutex_lock(&to->lock);
    to->image = g_steal_pointer(&from->image);
    to->filename = g_steal_pointer(&from->filename);
    to->write_cache = from->write_cache;
    to->detect_zeroes = from->detect_zeroes;
    to->detect_zeroes_unmap = from->detect_zeroes_unmap;
    to->can_discard = from->can_discard;
    to->cache_direct = from->cache_direct;
    to->cache_no_flush = from->cache_no_flush;
    to->generation++;
    g_mutex_unlock(&to->lock);
}

void blk_get_cache(const BlockBackend *blk, bool *ret_direct, bool *ret_no_flush)
{
    *ret_direct = blk->cache_direct;
    *ret_no_flush = blk->cache_no_flush;
}

void blk_close(BlockBackend *blk)
{
    blk_drain(blk);
    g_mutex_lock(&blk->lock);
    if (blk->image) {
        block_image_close(blk->image);
        blk->image = NULL;
        g_clear_pointer(&blk->filename, g_free);
        blk->generation++;
    }
    g_mutex_unlock(&blk->lock);
}

/* ---- questions -------------------------------------------------------------- */

const char *blk_id(const BlockBackend *blk)
{
    return blk->id;
}

const char *blk_filename(const BlockBackend *blk)
{
    return blk->filename;
}

bool blk_is_inserted(const BlockBackend *blk)
{
    return blk->image != NULL;
}

bool blk_is_read_only(const BlockBackend *blk)
{
    return blk->image && blk->image->read_only;
}

int64_t blk_length(const BlockBackend *blk)
{
    return blk->image ? blk->image->size : 0;
}

uint64_t blk_sectors(const BlockBackend *blk)
{
    return ((uint64_t)blk_length(blk) + BLOCK_SECTOR_SIZE - 1) / BLOCK_SECTOR_SIZE;
}

bool blk_can_discard(const BlockBackend *blk)
{
    return blk->can_discard;
}

bool blk_write_cache(const BlockBackend *blk)
{
    return blk->write_cache;
}

void blk_set_write_cache(BlockBackend *blk, bool on)
{
    blk->write_cache = on;
}

unsigned blk_media_generation(const BlockBackend *blk)
{
    return blk->generation;
}

void blk_set_error_actions(BlockBackend *blk, BlockErrorAction on_read, BlockErrorAction on_write)
{
    blk->on_error[1] = on_read;
    blk->on_error[0] = on_write;
}

void blk_get_error_actions(const BlockBackend *blk, BlockErrorAction *ret_on_read,
                           BlockErrorAction *ret_on_write)
{
    *ret_on_read = blk->on_error[1];
    *ret_on_write = blk->on_error[0];
}

BlockErrorAction blk_error_action(const BlockBackend *blk, bool is_read, int error)
{
    BlockErrorAction action = blk->on_error[is_read];

    if (action == BLOCK_ERROR_ENOSPC) {
        return error == ENOSPC ? BLOCK_ERROR_STOP : BLOCK_ERROR_REPORT;
    }
    return action;
}

void blk_get_stats(const BlockBackend *blk, BlockStats *ret_stats)
{
    GMutex *lock = (GMutex *)&blk->lock;

    g_mutex_lock(lock);
    *ret_stats = blk->stats;
    g_mutex_unlock(lock);
}

bool blk_attach(BlockBackend *blk, void *user)
{
    if (blk->user) {
        return false;
    }
    blk->user = user;
    return true;
}

void blk_release(BlockBackend *blk, void *user)
{
    blk_drain(blk);
    if (blk->user == user) {
        blk->user = NULL;
    }
}
