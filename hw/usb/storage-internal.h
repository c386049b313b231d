/* SPDX-License-Identifier: MIT
 *
 * The disk of a USB stick: SCSI commands (SPC-3, SBC-3), without how they come and go.
 */
#ifndef HW_USB_STORAGE_INTERNAL_H
#define HW_USB_STORAGE_INTERNAL_H

#include "system/block/block.h"

#define STORAGE_SECTOR 512
#define STORAGE_REPLY  96

typedef enum StorageWork {
    STORAGE_ANSWER, /* what is in `reply` goes to the host */
    STORAGE_READ,   /* `bytes` of the image from `offset` */
    STORAGE_WRITE,
    STORAGE_FLUSH,
} StorageWork;

typedef struct StorageDisk {
    BlockBackend *blk;
    const char *serial;
    bool removable;
    uint8_t sense, asc; /* of the last command that failed */

    /* of the command */
    StorageWork work;
    uint8_t reply[STORAGE_REPLY];
    uint64_t offset;
    uint32_t bytes; /* of the reply, or of the image */
} StorageDisk;

/* Begin a command of `len` bytes, at least 6; false: it fails, with sense. */
bool storage_command(StorageDisk *d, const uint8_t *cdb, unsigned len);
/* What has begun came to nothing, with an errno. */
void storage_io_error(StorageDisk *d, int error);

#endif
