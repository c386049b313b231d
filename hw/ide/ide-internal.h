/* SPDX-License-Identifier: MIT
 *
 * For this folder only.  The controller's device lock protects a channel, its two devices
 * and its bus master.
 */
#ifndef HW_IDE_IDE_INTERNAL_H
#define HW_IDE_IDE_INTERNAL_H

#include "hw/core/machine.h"
#include "hw/ide/ide.h"
#include "system/block/block.h"
#include "system/iothread.h"

/* Status register (ATA-7, 6.16) */
#define ATA_ERR  0x01
#define ATA_DRQ  0x08
#define ATA_DSC  0x10
#define ATA_DF   0x20
#define ATA_DRDY 0x40
#define ATA_BSY  0x80
#define ATA_OK   (ATA_DRDY | ATA_DSC)
/* Error register (ATA-7, 6.9) */
#define ATA_ABRT 0x04
#define ATA_IDNF 0x10
#define ATA_UNC  0x40
/* Device register */
#define ATA_LBA 0x40
#define ATA_DEV 0x10
/* Device control register */
#define ATA_NIEN 0x02
#define ATA_SRST 0x04
#define ATA_HOB  0x80
/* Interrupt reason, in the sector count register of packet devices (ATA-7 6.13) */
#define ATAPI_COD 0x01
#define ATAPI_IO  0x02

#define ATA_SECTOR          512
#define ATA_MAX_MULTIPLE    16
#define ATA_HEADS           16
#define ATA_SPT             63
#define ATA_MAX_CYL         16383
#define ATA_LBA28_MAX       0x0fffffffull
#define ATA_MAX_TRIM_BLOCKS 1
#define ATA_TAGS            32
#define ATA_SELF_TESTS      21
/* CHECK POWER MODE */
#define ATA_POWER_STANDBY 0x00
#define ATA_POWER_IDLE    0x80
#define ATA_POWER_ACTIVE  0xff
/* Most bytes in memory for one step of a transfer. */
#define IDE_CHUNK     (128 * 1024)
#define ATAPI_CDB     12
#define CD_SECTOR     2048
#define CD_RAW_SECTOR 2352

#define IDE_ERROR_AUTO 4

typedef void (*IDEStep)(IDEDevice *d);
typedef struct IDETransport IDETransport;

/*
 * What carries commands and data between a device and memory: a channel whose task file the host
 * reads and writes, with a bus master or none, or an AHCI port.
 */
struct IDETransport {
    /* The device has a DMA command: call ide_dma_run() when the host has started it. */
    void (*prepare)(IDETransport *transport);
    /*
     * Move len bytes between buf and where the host's descriptors point, going on where the last
     * call ended; what was moved: less than len when the descriptors end before.
     */
    size_t (*transfer)(IDETransport *transport, void *buf, size_t len, bool to_memory);
    /* Optional, for queued commands: the same for the command of a tag, */
    size_t (*transfer_tag)(IDETransport *transport, unsigned tag, void *buf, size_t len,
                           bool to_memory);
    /* and its end: success, or an error of that and all other tags, as d->tf has it. */
    void (*tag_ended)(IDETransport *transport, IDEDevice *d, unsigned tag);
    /* The DMA of a command is over. */
    void (*finish)(IDETransport *transport);
    /*
     * Optional: move PIO data blocks from d->pio_pos to d->pio_end and call ide_pio_moved(), for as
     * long as there are any; by default the host does, through the data register.
     */
    void (*pio)(IDETransport *transport, IDEDevice *d, bool interrupt);
    /* Optional: the command is over, with d->tf as its result. */
    void (*ended)(IDETransport *transport, IDEDevice *d);
    /* Interrupt request of the channel has risen.  Optional. */
    void (*interrupt)(IDETransport *transport);
    void (*reset)(IDETransport *transport);
    /* A transfer whose descriptors are too short ends all the same. */
    bool tolerates_short;
};

struct IDEBus {
    BusState parent_obj;
    int channel;
    IDEDevice *devices[IDE_UNITS];
    uint8_t unit; /* selected */
    uint8_t max_units;
    uint8_t control; /* device control register */
    bool irq_pending;
    IRQ irq;
    IDETransport *transport;
    DeviceState *controller;
    MachineState *machine;
    MemoryRegion command_mr, control_mr; /* 8 ports and 1 */
};

/* The task file; [1] is what was there before the last write (48-bit commands). */
typedef struct IDETaskFile {
    uint8_t feature[2], nsector[2], sector[2], lcyl[2], hcyl[2];
    uint8_t select, status, error;
} IDETaskFile;

/* A queued command. */
typedef struct IDETag {
    bool active, is_write, fua;
    uint64_t lba;
    uint32_t sectors_left;
} IDETag;

/* What a packet device remembers. */
typedef struct ATAPIState {
    uint8_t cdb[ATAPI_CDB];
    uint8_t sense_key, asc, ascq;
    bool dma;
    bool tray_open, tray_locked, media_event;
    uint8_t events; /* of GET EVENT STATUS NOTIFICATION */
    uint32_t byte_limit;
    uint32_t lba, sectors_left, sector_size;
    uint32_t generation; /* of the medium, when it was last looked at */
} ATAPIState;

struct IDEDevice {
    DeviceState parent_obj;

    /* properties */
    char *drive, *serial, *model, *version;
    uint32_t unit_prop;
    uint64_t wwn;
    int32_t bootindex;
    uint16_t rotation_rate;
    uint32_t logical_block_size, physical_block_size, min_io_size, opt_io_size;
    uint32_t discard_granularity;
    uint32_t cyls_prop, heads_prop, secs_prop;
    uint32_t logical[3];   /* cylinders, heads, sectors for firmware; 0: it finds out */
    int chs_translation;   /* 0: auto, else IDETranslation + 1 */
    int write_cache_prop;  /* OnOffAuto */
    int on_read, on_write; /* BlockErrorAction, or IDE_ERROR_AUTO */
    bool share_rw;
    IOThread *iothread; /* NULL: the machine's loop */

    bool is_cd;
    uint8_t unit;
    BlockBackend *blk;
    uint64_t nb_sectors;
    uint16_t cylinders;
    uint8_t heads, spt;

    IDETaskFile tf;
    uint16_t cur_heads, cur_spt; /* INITIALIZE DEVICE PARAMETERS */
    uint8_t multiple;
    uint8_t xfer_mode; /* of SET FEATURES 03h */
    bool write_cache, smart_enabled, look_ahead;
    uint8_t power_mode;                 /* of CHECK POWER MODE */
    uint8_t self_tests[ATA_SELF_TESTS]; /* SMART: kinds of those run, */
    uint8_t self_test_index;            /* and the place of the last; 0: none */

    /* a command under way */
    uint64_t lba;
    uint32_t sectors_left;
    uint32_t block; /* sectors of one PIO data block */
    bool ext;       /* a 48-bit command */
    bool is_write;
    bool flush_after;    /* FUA */
    uint32_t generation; /* of commands: completions of earlier ones are ignored */
    IDEStep dma_run;     /* what to do when the bus master starts */
    bool dma_active;

    /* the data register */
    uint8_t *buf; /* IDE_CHUNK bytes */
    uint32_t pio_pos, pio_end;
    uint32_t buf_pos, buf_len; /* packet data not yet handed over */
    IDEStep pio_done;
    uint8_t *trim; /* ranges of DATA SET MANAGEMENT still to be done */
    uint32_t trim_pos, trim_len;

    IDETag tags[ATA_TAGS];
    IDETaskFile ncq_failed; /* of log 10h, */
    uint8_t ncq_failed_tag; /* and its tag */

    ATAPIState atapi;
};

/* ---- ide-bus.c --------------------------------------------------------------------- */

/*
 * "NAME.channel" if the controller has an id, else the first "ide.N" that the machine does not
 * have.  irq may be NULL.
 */
IDEBus *ide_bus_new(DeviceState *controller, int channel, uint8_t max_units, IRQ irq);
/* command_mr and control_mr, for channels that have registers. */
void ide_bus_init_ports(IDEBus *bus);
/* Interrupt of the selected device. */
void ide_set_irq(IDEBus *bus);
void ide_clear_irq(IDEBus *bus);
void ide_bus_reset(IDEBus *bus);
static inline IDEBus *ide_bus_of(IDEDevice *d)
{
    return IDE_BUS(qdev_get_parent_bus(DEVICE(d)));
}

/* ---- ide-transfer.c: phases of a command --------------------------------------------- */

/* End with this status; interrupt. */
void ide_complete(IDEDevice *d, uint8_t status);
void ide_success(IDEDevice *d);
void ide_error(IDEDevice *d, uint8_t error);
static inline void ide_abort(IDEDevice *d)
{
    ide_error(d, ATA_ABRT);
}
/* Hand buf[0..len) to the host, or take it from it, through the data register. */
void ide_pio_start(IDEDevice *d, uint32_t pos, uint32_t len, IDEStep done, bool interrupt);
void ide_pio_stop(IDEDevice *d);
/* The block has been moved. */
void ide_pio_moved(IDEDevice *d);
/* The host has the last block: a command that has had its interrupt ends. */
void ide_pio_in_end(IDEDevice *d);
/* The command is over without an interrupt of its own: a reset. */
void ide_ended(IDEDevice *d);
/* Forget what is under way. */
void ide_cancel(IDEDevice *d);

/* Called with the controller's lock; `data` is the request's own buffer, valid in the call. */
typedef void (*IDEIODone)(IDEDevice *d, uint8_t *data, uint32_t len);
typedef enum IDEIOOp { IDE_IO_READ, IDE_IO_WRITE, IDE_IO_FLUSH, IDE_IO_DISCARD } IDEIOOp;
/* Success goes to `done`; failure ends the command (or stops the VM, and it is tried again). */
void ide_io(IDEDevice *d, IDEIOOp op, uint64_t offset, uint32_t len, const void *data,
            IDEIODone done);

/* The same for a queued command; failure goes to ata_ncq_error(). */
typedef void (*IDETagDone)(IDEDevice *d, unsigned tag, uint8_t *data, uint32_t len);
void ide_io_tag(IDEDevice *d, unsigned tag, IDEIOOp op, uint64_t offset, uint32_t len,
                const void *data, IDETagDone done);

/* Wait for the bus master with run(), then move data with ide_dma_transfer(). */
void ide_dma_start(IDEDevice *d, IDEStep run);
/* False: the PRDs are too short, and the command is over; with no interrupt. */
bool ide_dma_transfer(IDEDevice *d, void *buf, uint32_t len, bool to_memory);
void ide_dma_end(IDEDevice *d);
/* For a bus master: the host has started or stopped it. */
void ide_dma_run(IDEBus *bus);
void ide_dma_stop(IDEBus *bus);

/* ---- commands ------------------------------------------------------------------------- */

void ata_command(IDEDevice *d, uint8_t command);
void ata_set_signature(IDEDevice *d);
void ata_identify(IDEDevice *d);
void atapi_identify(IDEDevice *d);
void ata_smart(IDEDevice *d);
void ata_data_set_management(IDEDevice *d);
bool ata_has_trim(const IDEDevice *d);
uint64_t ata_get_lba(const IDEDevice *d, bool ext);
void ata_set_lba(IDEDevice *d, uint64_t lba, bool ext);
void ata_read_pio(IDEDevice *d);
void ata_write_pio(IDEDevice *d);
void ata_read_dma(IDEDevice *d);
void ata_write_dma(IDEDevice *d);
/* Fill in lba and sectors_left; false: out of range, and the command has ended. */
bool ata_take_range(IDEDevice *d, bool ext);

bool ata_is_queued(uint8_t command);
/* A command whose registers are in d->tf. */
void ata_ncq_start(IDEDevice *d, uint8_t command, unsigned tag);
void ata_ncq_error(IDEDevice *d, unsigned tag, uint8_t error);
bool ata_ncq_busy(const IDEDevice *d);
void ata_ncq_abort_all(IDEDevice *d);
/* The page that READ LOG EXT asks for, in buf; false: there is none. */
bool ata_put_log(IDEDevice *d);

void atapi_packet(IDEDevice *d);
void atapi_reset(IDEDevice *d);
void atapi_io_error(IDEDevice *d);
void atapi_check_media(IDEDevice *d);
/* By hand: what the host's side does. */
void atapi_move_tray(IDEDevice *d, bool open);
void atapi_request_eject(IDEDevice *d);
void atapi_command(IDEDevice *d);
/* Replies. */
void atapi_ok(IDEDevice *d);
void atapi_sense(IDEDevice *d, uint8_t key, uint8_t asc, uint8_t ascq);
void atapi_reply(IDEDevice *d, uint32_t len, uint32_t allocated);
void atapi_read(IDEDevice *d, uint32_t lba, uint32_t sectors, uint32_t sector_size);

#endif
