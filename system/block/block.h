/* SPDX-License-Identifier: MIT
 *
 * Block back ends: raw image files, block devices and null-co, read and
 * written asynchronously.  Requests are carried out by worker threads; their
 * completion runs in the event loop that the request names, which is how a device's I/O
 * is bound to an iothread.
 */
#ifndef SYSTEM_BLOCK_BLOCK_H
#define SYSTEM_BLOCK_BLOCK_H

#include <sys/uio.h>
#include "qom/object.h"
#include "system/loop/event-loop.h"

typedef struct MachineState MachineState;
typedef struct BlockBackend BlockBackend;
typedef struct DriveInfo DriveInfo;

#define BLOCK_ERROR (block_error_quark())
GQuark block_error_quark(void);
typedef enum BlockError {
    BLOCK_ERROR_OPTION, /* a -drive option that is unknown or has a bad value */
    BLOCK_ERROR_OPEN,   /* the image cannot be opened */
    BLOCK_ERROR_FORMAT, /* not a format that we have */
    BLOCK_ERROR_LOCKED, /* in use by another process; held by the guest */
    BLOCK_ERROR_NOT_FOUND, /* no such device */
} BlockError;

/* Where a drive is plugged: -drive if=. */
typedef enum BlockInterface {
    BLOCK_IF_NONE, /* a -device names it with drive= */
    BLOCK_IF_IDE,
    BLOCK_IF_SCSI,
    BLOCK_IF_FLOPPY,
    BLOCK_IF_PFLASH,
    BLOCK_IF_VIRTIO,
    BLOCK_IF_SD,
    BLOCK_IF_COUNT,
} BlockInterface;

/* As -drive if= has them, NULL at the end. */
extern const char *const block_interface_names[];

/* What to do about an I/O error: -drive werror=, rerror=. */
typedef enum BlockErrorAction {
    BLOCK_ERROR_REPORT, /* to the guest */
    BLOCK_ERROR_IGNORE,
    BLOCK_ERROR_ENOSPC, /* stop on ENOSPC, else report */
    BLOCK_ERROR_STOP,   /* stop the VM; the device retries when it runs again */
} BlockErrorAction;

struct DriveInfo {
    char *id;
    BlockInterface interface;
    int bus, unit;
    bool is_cdrom;
    char *serial;      /* of -drive serial=, may be NULL */
    BlockBackend *blk; /* owned; has no medium if there is no file= */
    bool claimed;      /* a device uses it */
    bool is_node;      /* of -blockdev */
};

/* ---- drives of a machine (machine->drives) ----------------------------------------- */

/*
 * "file=x.img,if=ide,format=raw,index=0,media=disk" as -drive has it; "," in a value is
 * written ",,".  Opens and locks the image.  The drive joins machine->drives.
 */
bool blk_drive_add(MachineState *machine, const char *options, GError **error);
/* -hda .. -hdd (index 0..3) and -cdrom (index 2): a file name, taken literally. */
bool blk_drive_add_file(MachineState *machine, const char *file, BlockInterface interface,
                        int index, bool is_cdrom, GError **error);
/* -snapshot is snapshot=on for every drive: the command line appends it to each. */
DriveInfo *drive_get(MachineState *machine, BlockInterface interface, int bus, int unit);
DriveInfo *drive_get_by_index(MachineState *machine, BlockInterface interface, int index);
DriveInfo *drive_by_id(MachineState *machine, const char *id);
BlockBackend *blk_by_id(MachineState *machine, const char *id);
/* Forget a drive that nobody uses. */
void blk_drive_del(MachineState *machine, DriveInfo *drive);
/* Close everything; at the end of a machine. */
void blk_drives_free(MachineState *machine);
/* After the board is made: a drive that no device took (if=ide index too large ..) is an error. */
bool blk_drives_check_claimed(MachineState *machine, GError **error);
/*
 * -blockdev: {"driver": "raw", "node-name": "d", "file": {"driver": "file", "filename": "x.img"}},
 * or the same as driver=raw,node-name=d,file.driver=file,file.filename=x.img; "file" may name another
 * node.  Devices take it with drive=NODE-NAME.
 */
bool blk_blockdev_add(MachineState *machine, const char *options, GError **error);
bool blk_blockdev_del(MachineState *machine, const char *node, GError **error);

/* For a device's drive= property: the back end, claimed for it, a reference.  NULL and error. */
BlockBackend *blk_claim(MachineState *machine, const char *id, void *user, GError **error);
/* Waits for what is under way.  Device lock not held. */
void blk_release(BlockBackend *blk, void *user);
/* Without a machine: false if it is in use. */
bool blk_attach(BlockBackend *blk, void *user);

/* ---- back ends ------------------------------------------------------------------------ */

typedef struct BlockOpenOptions {
    const char *format; /* NULL: look; "raw" */
    const char *driver; /* "file", "host_device", "null-co", NULL: by the name */
    bool read_only;
    bool auto_read_only; /* open read-only if the file cannot be written */
    bool snapshot;       /* writes are kept in a temporary file and lost at the end */
    bool no_lock;        /* file.locking=off */
    bool cache_direct;   /* do not keep pages of it in the host's cache */
    bool cache_writethrough;
    bool cache_no_flush; /* cache=unsafe */
    bool discard;        /* pass TRIM on as holes; else it is ignored */
    bool detect_zeroes;  /* write zeros as holes where the image has such, */
    bool detect_zeroes_unmap; /* and give their space back if discard is on */
    uint64_t size;       /* of null-co */
    bool read_zeroes;    /* of null-co */
} BlockOpenOptions;

/* No medium. */
BlockBackend *blk_new(const char *id);
/* Insert `file`; `options` may be NULL. */
bool blk_open(BlockBackend *blk, const char *file, const BlockOpenOptions *options, GError **error);
/* Take the medium out; waits for what is under way.  Device lock not held. */
void blk_close(BlockBackend *blk);
/* The medium of `from`, which has none then, in place of that of `to`. */
void blk_move(BlockBackend *to, BlockBackend *from);
/* Cache mode, for the monitor. */
void blk_get_cache(const BlockBackend *blk, bool *ret_direct, bool *ret_no_flush);
BlockBackend *blk_ref(BlockBackend *blk);
void blk_unref(BlockBackend *blk);

const char *blk_id(const BlockBackend *blk);
const char *blk_filename(const BlockBackend *blk); /* NULL: no medium */
bool blk_is_inserted(const BlockBackend *blk);
bool blk_is_read_only(const BlockBackend *blk);
/* Bytes; the tail of a file that is no multiple of 512 reads as zeros. */
int64_t blk_length(const BlockBackend *blk);
uint64_t blk_sectors(const BlockBackend *blk); /* of 512, rounded up */
bool blk_write_cache(const BlockBackend *blk);
bool blk_can_discard(const BlockBackend *blk); /* discard=on */
void blk_set_write_cache(BlockBackend *blk, bool on);
/* How many media there have been: a CD drive compares it. */
unsigned blk_media_generation(const BlockBackend *blk);
void blk_set_error_actions(BlockBackend *blk, BlockErrorAction on_read, BlockErrorAction on_write);
void blk_get_error_actions(const BlockBackend *blk, BlockErrorAction *ret_on_read,
                           BlockErrorAction *ret_on_write);
/* `error` > 0 is an errno; REPORT, IGNORE or STOP. */
BlockErrorAction blk_error_action(const BlockBackend *blk, bool is_read, int error);

/* ret: 0 or -errno (-ENOMEDIUM, -EIO beyond the end, -EPERM on a read-only image). */
typedef void (*BlockCompletion)(void *opaque, int ret);

/*
 * Start a request; `done` runs once in loop's thread, never before the call
 * returns.  The vector is copied, its buffers must stay until then.  A request cannot be
 * taken back: a device that loses interest lets it finish and ignores it.  Any thread.
 */
void blk_preadv(BlockBackend *blk, EventLoop *loop, int64_t offset, const struct iovec *iov,
                int niov, BlockCompletion done, void *opaque);
void blk_pwritev(BlockBackend *blk, EventLoop *loop, int64_t offset, const struct iovec *iov,
                 int niov, BlockCompletion done, void *opaque);
/* All writes completed so far are on stable storage. */
void blk_flush(BlockBackend *blk, EventLoop *loop, BlockCompletion done, void *opaque);
void blk_discard(BlockBackend *blk, EventLoop *loop, int64_t offset, int64_t len,
                 BlockCompletion done, void *opaque);
void blk_write_zeroes(BlockBackend *blk, EventLoop *loop, int64_t offset, int64_t len,
                      BlockCompletion done, void *opaque);
/* Wait until nothing is under way (completions may still be queued in their loops). */
void blk_drain(BlockBackend *blk);
/* At the start of a VM and for loaders: blocking. */
int blk_pread(BlockBackend *blk, int64_t offset, void *buf, size_t len);
int blk_pwrite(BlockBackend *blk, int64_t offset, const void *buf, size_t len);
int blk_flush_sync(BlockBackend *blk);
int blk_discard_sync(BlockBackend *blk, int64_t offset, size_t len);

/*
 * Requests on a blkdebug image: hold the next one at `event`, let the one held there go, forget the
 * breakpoints and let go.  0; -ENOENT: no such event or tag; -ENOTSUP: no such image.
 */
typedef enum BlockDebugCommand {
    BLOCK_DEBUG_BREAK,
    BLOCK_DEBUG_RESUME,
    BLOCK_DEBUG_REMOVE,
} BlockDebugCommand;
int blk_debug(BlockBackend *blk, BlockDebugCommand command, const char *event, const char *tag);

typedef struct BlockStats {
    uint64_t rd_bytes, wr_bytes, rd_ops, wr_ops, flush_ops, errors;
    unsigned in_flight;
} BlockStats;
void blk_get_stats(const BlockBackend *blk, BlockStats *ret_stats);

#endif
