/* SPDX-License-Identifier: MIT
 *
 * For this folder only: a controller and its drives, under the controller's device lock.
 */
#ifndef HW_BLOCK_FDC_INTERNAL_H
#define HW_BLOCK_FDC_INTERNAL_H

#include "hw/block/fdc.h"
#include "hw/core/machine.h"
#include "system/block/block.h"

#define FLOPPY_SECTOR 512
/* A command names sectors up to its EOT, at most 255, on one side or on both. */
#define FDC_MAX_SECTORS (2 * 255)

/* Main status register */
#define FDC_MSR_RQM    0x80
#define FDC_MSR_DIO    0x40
#define FDC_MSR_NONDMA 0x20
#define FDC_MSR_BUSY   0x10
/* Status register 0 */
#define FDC_ST0_ABNORMAL  0x40
#define FDC_ST0_INVALID   0x80
#define FDC_ST0_READY     0xc0 /* ready has changed: after a reset */
#define FDC_ST0_SEEK_END  0x20
#define FDC_ST0_EQUIPMENT 0x10
/* Status registers 1 and 2 */
#define FDC_ST1_NO_ADDRESS 0x01
#define FDC_ST1_READ_ONLY  0x02
#define FDC_ST1_NO_DATA    0x04
#define FDC_ST1_DATA_ERROR 0x20
#define FDC_ST1_END        0x80
#define FDC_ST2_SCAN_EQUAL 0x08
#define FDC_ST2_SCAN_FAIL  0x04

typedef struct FDC FDC;
typedef struct Floppy Floppy;

typedef struct FloppyFormat {
    uint16_t sectors; /* of the whole disk */
    uint8_t cylinders, heads, sectors_per_track;
    FloppyDriveType drive;
    uint8_t rate; /* data rate select of the CCR */
} FloppyFormat;

struct Floppy {
    DeviceState parent_obj;
    char *drive;
    uint32_t unit_prop;
    int type_prop, type; /* FloppyDriveType */
    BlockBackend *blk;
    uint8_t unit;

    const FloppyFormat *format;
    unsigned generation; /* of the medium that format is of */
    uint8_t track;       /* where the heads are */
    bool changed;        /* the disk change line */
    uint8_t id_sector;   /* of the last READ ID */
};

OBJECT_DECLARE_SIMPLE(FloppyBus, FLOPPY_BUS, TYPE_FLOPPY_BUS)
struct FloppyBus {
    BusState parent_obj;
    FDC *fdc;
};

typedef enum FDCPhase {
    FDC_PHASE_COMMAND,
    FDC_PHASE_BUSY, /* reading or writing the medium */
    FDC_PHASE_DATA,
    FDC_PHASE_RESULT,
} FDCPhase;

struct FDC {
    ISADevice parent_obj;
    /* properties */
    uint32_t iobase, irq_line, dma_channel;
    int32_t bootindex[FDC_DRIVES];
    int drive_type[FDC_DRIVES], fallback; /* FloppyDriveType */

    MachineState *machine;
    MemoryRegion io, io7;
    IRQ irq;
    ISADMA *dma;
    Timer *id_timer;
    FloppyBus *bus;
    Floppy *drives[FDC_DRIVES];

    /* registers */
    uint8_t dor, tdr, dsr, ccr;
    uint8_t srt_hut, hlt_nd, config, pretrk, perpendicular;
    bool lock;
    uint8_t eot; /* of the last command, for DUMPREG */

    FDCPhase phase;
    uint8_t command[17], result[16];
    unsigned command_len, result_pos, result_len;

    uint8_t st0, st1, st2; /* as they will be in the result */
    uint8_t drive, head;   /* of the command */
    uint8_t reset_sense;   /* drives whose "ready changed" has not been sensed */
    bool seek_sense[FDC_DRIVES + 2];
    uint8_t seek_st0[FDC_DRIVES + 2];

    /* a transfer */
    uint32_t generation; /* of commands: completions of earlier ones are ignored */
    uint8_t *data;
    uint32_t data_pos, data_len;
    bool is_write, is_verify, is_format, is_scan, terminal_count, non_dma;
    uint8_t cyl, sector, side; /* of the sector at data_pos, and then after it */
    uint8_t last_cyl, last_sector, last_side;
    uint8_t scan_kind;
    bool scan_differs;
};

#define FDC_STATE(obj) OBJECT_CHECK(FDC, (obj), TYPE_ISA_FDC)
#define FLOPPY(obj)    OBJECT_CHECK(Floppy, (obj), TYPE_FLOPPY)

/* ---- floppy.c: drives and media ------------------------------------------------------- */

/* The drive, or NULL; its medium is looked at. */
Floppy *floppy_get(FDC *fdc, unsigned unit);
bool floppy_has_medium(const Floppy *f);
/* Move the heads: a step with a disk in clears the change line. */
void floppy_seek(Floppy *f, uint8_t track);
/* Byte offset of a sector; -1: not on this medium. */
int64_t floppy_offset(const Floppy *f, uint8_t cyl, uint8_t head, uint8_t sector);
extern const EnumInfo floppy_drive_enum;

/* ---- fdc.c: registers and phases -------------------------------------------------------- */

void fdc_raise_irq(FDC *fdc);
void fdc_lower_irq(FDC *fdc);
/* Back to the first byte of a command. */
void fdc_idle(FDC *fdc);
/* result[0..len) is for the host. */
void fdc_give_result(FDC *fdc, unsigned len);
/* Let the host move data[data_pos..data_len). */
void fdc_start_data(FDC *fdc);
void fdc_reset(FDC *fdc);

/* ---- fdc-commands.c ------------------------------------------------------------------------- */

/* How many bytes the command with that first one has; 1 for an invalid one. */
unsigned fdc_command_length(FDC *fdc, uint8_t first);
void fdc_run_command(FDC *fdc);
uint8_t fdc_data_read(FDC *fdc);
void fdc_data_write(FDC *fdc, uint8_t value);
uint32_t fdc_dma_transfer(void *opaque, int channel, uint32_t pos, uint32_t len);

#endif
