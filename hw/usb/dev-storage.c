/* SPDX-License-Identifier: MIT
 *
 * A USB stick: Mass Storage Class, Bulk-Only Transport 1.0.  A command block wrapper (5.1), its
 * data, a status wrapper (5.2).  The host sees NAK while the image is read or written.
 */
#include <string.h>
#include "hw/core/machine.h"
#include "hw/usb/storage-internal.h"
#include "hw/usb/usb.h"
#include "system/block/media.h"

#define TYPE_USB_STORAGE "usb-storage"
OBJECT_DECLARE_SIMPLE(USBStorage, USB_STORAGE, TYPE_USB_STORAGE)

#define BULK_IN  1
#define BULK_OUT 2

#define REQUEST_RESET   0x21ff
#define REQUEST_MAX_LUN 0xa1fe

#define CBW_SIGNATURE 0x43425355u
#define CBW_LENGTH    31
#define CSW_SIGNATURE 0x53425355u
#define CSW_LENGTH    13
#define STATUS_PASSED 0
#define STATUS_FAILED 1
#define STATUS_PHASE  2

typedef enum Phase { PHASE_COMMAND, PHASE_DATA_IN, PHASE_DATA_OUT, PHASE_STATUS } Phase;

/* A request to the image; outlives what the host makes of it. */
typedef struct StorageIO {
    USBStorage *s; /* a reference */
    unsigned generation;
    size_t len;
    uint8_t bytes[];
} StorageIO;

struct USBStorage {
    USBDevice parent_obj;
    char *drive, *serial;
    int32_t bootindex;
    StorageDisk disk;
    const char *strings[4];
    USBDescriptors descriptors;
    EventLoop *loop;

    StorageIO *io; /* under way, or `done` and not yet taken */
    bool done;
    unsigned generation; /* requests of another one are forgotten */

    uint32_t phase; /* Phase */
    uint32_t tag;
    uint32_t host_length; /* bytes that the host still expects to move */
    uint32_t left;        /* bytes of the command that are still to be moved */
    uint32_t at;          /* in the reply */
    uint8_t status;
    bool broken; /* only a reset helps (6.6.1) */
};

/* ---- the image ---------------------------------------------------------------------------- */

static void forget_io(USBStorage *s)
{
    s->generation++;
    if (s->done) {
        g_free(s->io);
    }
    s->io = NULL;
    s->done = false;
}

static void io_error(USBStorage *s, int error)
{
    storage_io_error(&s->disk, error);
    s->status = STATUS_FAILED;
    s->left = 0;
}

static void io_done(void *opaque, int ret)
{
    StorageIO *io = opaque;
    USBStorage *s = io->s;

    device_lock(DEVICE(s));
    if (io->generation != s->generation || !DEVICE(s)->realized) {
        g_free(io);
    } else {
        s->done = true;
        if (ret < 0) {
            io_error(s, -ret);
        }
        usb_wakeup(&s->parent_obj);
    }
    device_unlock(DEVICE(s));
    object_unref(s);
}

static StorageIO *io_new(USBStorage *s, size_t len)
{
    StorageIO *io = g_malloc(sizeof(*io) + len);

    io->s = (USBStorage *)object_ref(s);
    io->generation = s->generation;
    io->len = len;
    s->io = io;
    s->done = false;
    return io;
}

static void start_read(USBStorage *s, size_t len)
{
    StorageIO *io = io_new(s, len);
    struct iovec iov = {io->bytes, len};

    blk_preadv(s->disk.blk, s->loop, (int64_t)s->disk.offset, &iov, 1, io_done, io);
}

static void start_write(USBStorage *s, const uint8_t *bytes, size_t len)
{
    StorageIO *io = io_new(s, len);
    struct iovec iov = {io->bytes, len};

    memcpy(io->bytes, bytes, len);
    blk_pwritev(s->disk.blk, s->loop, (int64_t)s->disk.offset, &iov, 1, io_done, io);
}

/* What was moved: the image's place and what is left follow. */
static void moved(USBStorage *s, size_t len)
{
    s->host_length -= (uint32_t)len;
    s->left -= (uint32_t)MIN(len, s->left);
    s->disk.offset += len;
    if (!s->host_length) {
        s->phase = PHASE_STATUS;
    }
}

/* ---- data --------------------------------------------------------------------------------- */

/* Less than the host asked for ends the phase with a short packet (6.7.2). */
static int data_in(USBStorage *s, uint8_t *buf, size_t len)
{
    size_t n = MIN(len, s->left);

    if (s->disk.work == STORAGE_READ && n && !s->io) {
        start_read(s, n);
        return USB_RET_NAK;
    }
    if (s->io && !s->done) {
        return USB_RET_NAK;
    }
    n = MIN(len, s->left); /* none, if it has failed */
    if (s->io) {
        n = MIN(n, s->io->len);
        memcpy(buf, s->io->bytes, n);
        g_clear_pointer(&s->io, g_free);
        s->done = false;
    } else {
        memcpy(buf, s->disk.reply + s->at, n);
        s->at += (uint32_t)n;
    }
    moved(s, n);
    if (n < len) {
        s->phase = PHASE_STATUS;
    }
    return (int)n;
}

/* What the command does not want is taken and dropped. */
static int data_out(USBStorage *s, const uint8_t *buf, size_t len)
{
    size_t n = MIN(len, s->host_length);

    if (s->disk.work == STORAGE_WRITE && s->left && n && !s->io) {
        start_write(s, buf, MIN(n, s->left));
        return USB_RET_NAK;
    }
    if (s->io && !s->done) {
        return USB_RET_NAK;
    }
    g_clear_pointer(&s->io, g_free);
    s->done = false;
    moved(s, n);
    return (int)len;
}

/* ---- wrappers ----------------------------------------------------------------------------- */

static uint32_t le32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int broken(USBStorage *s)
{
    s->broken = true;
    usb_endpoint_halt(&s->parent_obj, BULK_IN, true, true);
    usb_endpoint_halt(&s->parent_obj, BULK_OUT, false, true);
    return USB_RET_STALL;
}

/* The host and the command may differ about the direction (6.7, cases 3, 8, 10 and 13). */
static void check_phases(USBStorage *s, bool host_in)
{
    bool out = s->disk.work == STORAGE_WRITE;

    if (s->disk.work == STORAGE_ANSWER && host_in) {
        s->left = MIN(s->left, s->host_length); /* as much as is wanted */
    }
    if (s->left && (s->left > s->host_length || host_in == out)) {
        s->status = STATUS_PHASE;
        s->left = 0;
        s->disk.work = STORAGE_ANSWER;
    }
}

static int command(USBStorage *s, const uint8_t *cbw, size_t len)
{
    if (len != CBW_LENGTH || le32(cbw) != CBW_SIGNATURE || cbw[13] & 0x0f || cbw[14] < 1 ||
        cbw[14] > 16) {
        return broken(s);
    }
    forget_io(s);
    s->tag = le32(cbw + 4);
    s->host_length = le32(cbw + 8);
    s->at = 0;
    s->status = storage_command(&s->disk, cbw + 15, cbw[14]) ? STATUS_PASSED : STATUS_FAILED;
    s->left = s->status == STATUS_PASSED ? s->disk.bytes : 0;
    check_phases(s, cbw[12] & 0x80);
    s->phase = !s->host_length ? PHASE_STATUS : cbw[12] & 0x80 ? PHASE_DATA_IN : PHASE_DATA_OUT;
    if (s->status == STATUS_PASSED && s->disk.work == STORAGE_FLUSH) {
        blk_flush(s->disk.blk, s->loop, io_done, io_new(s, 0));
    }
    return (int)len;
}

static int status(USBStorage *s, uint8_t *buf, size_t len)
{
    uint32_t words[] = {GUINT32_TO_LE(CSW_SIGNATURE), GUINT32_TO_LE(s->tag),
                        GUINT32_TO_LE(s->host_length)};

    if (s->io && !s->done) {
        return USB_RET_NAK; /* a flush */
    }
    if (len < CSW_LENGTH) {
        return broken(s);
    }
    g_clear_pointer(&s->io, g_free);
    s->done = false;
    memcpy(buf, words, sizeof(words));
    buf[12] = s->status;
    s->phase = PHASE_COMMAND;
    return CSW_LENGTH;
}

static int storage_data(USBDevice *dev, unsigned endpoint, bool in, uint8_t *buf, size_t len)
{
    USBStorage *s = USB_STORAGE(dev);

    if (endpoint != (in ? BULK_IN : BULK_OUT) || s->broken) {
        return USB_RET_STALL;
    }
    switch (s->phase) {
    case PHASE_COMMAND:
        return in ? USB_RET_NAK : command(s, buf, len);
    case PHASE_DATA_IN:
        return in ? data_in(s, buf, len) : broken(s);
    case PHASE_DATA_OUT:
        return in ? USB_RET_NAK : data_out(s, buf, len);
    default:
        return in ? status(s, buf, len) : broken(s);
    }
}

static void storage_reset(USBDevice *dev)
{
    USBStorage *s = USB_STORAGE(dev);

    forget_io(s);
    s->phase = PHASE_COMMAND;
    s->broken = false;
    s->disk.sense = s->disk.asc = 0;
}

static int storage_control(USBDevice *dev, const USBSetup *setup, uint8_t *data)
{
    switch (setup->request_type << 8 | setup->request) {
    case REQUEST_RESET:
        storage_reset(dev);
        return 0;
    case REQUEST_MAX_LUN:
        data[0] = 0;
        return MIN(setup->length, 1);
    default:
        return USB_RET_STALL;
    }
}

/* ---- descriptors -------------------------------------------------------------------------- */

static const uint8_t device_descriptor[] = {
    18, USB_DT_DEVICE, 0x00, 2, 0, 0, 0, 64, 0xf4, 0x46, 0x01, 0x00, 0x00, 0x00, 1, 2, 3, 1,
};
static const uint8_t config_descriptor[] = {
    9,
    USB_DT_CONFIG,
    32,
    0,
    1,
    1,
    0,
    0xc0,
    0, /* powers itself */
    9,
    USB_DT_INTERFACE,
    0,
    0,
    2,
    8,
    6,
    0x50,
    0, /* mass storage, SCSI, bulk-only */
    7,
    USB_DT_ENDPOINT,
    0x80 | BULK_IN,
    2,
    0,
    2,
    0, /* bulk, 512 bytes */
    7,
    USB_DT_ENDPOINT,
    BULK_OUT,
    2,
    0,
    2,
    0,
};

static const USBDescriptors *storage_descriptors(USBDevice *dev)
{
    return &USB_STORAGE(dev)->descriptors;
}

/* ---- life --------------------------------------------------------------------------------- */

static void release_drive(void *opaque)
{
    USBStorage *s = opaque;

    device_lock(DEVICE(s));
    forget_io(s);
    device_unlock(DEVICE(s));
    blk_release(s->disk.blk, s);
    g_clear_pointer(&s->disk.blk, blk_unref);
}

static bool take_drive(USBStorage *s, GError **error)
{
    MachineState *machine = qdev_get_machine(DEVICE(s));
    const DriveInfo *drive;

    if (!s->drive || !*s->drive) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "usb-storage needs drive=ID, the id of a -drive");
        return false;
    }
    s->disk.blk = blk_claim(machine, s->drive, s, error);
    if (!s->disk.blk) {
        g_prefix_error(error, "drive=%s: ", s->drive);
        return false;
    }
    drive = drive_by_id(machine, s->drive);
    if (!s->serial && drive && drive->serial) {
        s->serial = g_strdup(drive->serial);
    }
    qdev_on_unrealize(DEVICE(s), release_drive, s);
    return true;
}

static const BlockDeviceOps fixed_ops = {0};

static bool storage_realize(USBDevice *dev, GError **error)
{
    USBStorage *s = USB_STORAGE(dev);

    if (!take_drive(s, error)) {
        return false;
    }
    if (!blk_is_inserted(s->disk.blk) || !blk_sectors(s->disk.blk)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE, "drive=%s: it has no medium",
                    s->drive);
        return false;
    }
    dev->speed = USB_SPEED_HIGH;
    s->loop = device_event_loop(DEVICE(s));
    s->disk.serial = s->serial ? s->serial : "1";
    s->strings[0] = "QUOIN";
    s->strings[1] = "QUOIN USB HARDDRIVE";
    s->strings[2] = s->disk.serial;
    s->descriptors = (USBDescriptors){device_descriptor, config_descriptor, s->strings};
    blk_device_add(qdev_get_machine(DEVICE(s)), DEVICE(s), s->disk.blk, &fixed_ops);
    return true;
}

static const Property storage_properties[] = {
    DEFINE_PROP_STRING("drive", USBStorage, drive, NULL, "id of the -drive with the medium"),
    DEFINE_PROP_STRING("serial", USBStorage, serial, NULL, "serial number; as -drive says, or 1"),
    DEFINE_PROP_BOOL("removable", USBStorage, disk.removable, false,
                     "it says that its medium can be taken out"),
    DEFINE_PROP_INT32("bootindex", USBStorage, bootindex, -1,
                      "place in the firmware's boot order; -1: none"),
    DEFINE_PROP_END,
};

static const StateField storage_state[] = {
    DEFINE_USB_STATE_FIELDS(USBStorage),
    STATE_FIELD(USBStorage, phase),
    STATE_FIELD(USBStorage, tag),
    STATE_FIELD(USBStorage, host_length),
    STATE_FIELD(USBStorage, left),
    STATE_FIELD(USBStorage, at),
    STATE_FIELD(USBStorage, status),
    STATE_FIELD(USBStorage, broken),
    STATE_FIELD(USBStorage, disk.sense),
    STATE_FIELD(USBStorage, disk.asc),
    STATE_FIELD(USBStorage, disk.work),
    STATE_FIELD(USBStorage, disk.reply),
    STATE_FIELD(USBStorage, disk.offset),
    STATE_FIELD(USBStorage, disk.bytes),
    STATE_END,
};

static void storage_class_init(ObjectClass *klass, const void *data)
{
    USBDeviceClass *uc = USB_DEVICE_CLASS(klass);

    uc->realize = storage_realize;
    uc->reset = storage_reset;
    uc->descriptors = storage_descriptors;
    uc->control = storage_control;
    uc->data = storage_data;
    DEVICE_CLASS(klass)->state = storage_state;
    DEVICE_CLASS(klass)->category = DEVICE_CATEGORY_STORAGE;
    DEVICE_CLASS(klass)->fw_name = "storage";
}

static const TypeInfo storage_types[] = {
    {.name = TYPE_USB_STORAGE,
     .parent = TYPE_USB_DEVICE,
     .instance_size = sizeof(USBStorage),
     .class_init = storage_class_init,
     .properties = storage_properties,
     .doc = "USB stick with a disk image"},
};
DEFINE_TYPES(storage_types)
