/* SPDX-License-Identifier: MIT
 *
 * Floppy disk controllers as machines see them.
 */
#ifndef HW_BLOCK_FDC_H
#define HW_BLOCK_FDC_H

#include "hw/isa/isa.h"

#define TYPE_ISA_FDC    "isa-fdc"
#define TYPE_FLOPPY     "floppy"
#define TYPE_FLOPPY_BUS "floppy-bus"

#define FDC_DRIVES 2

/* The order of the property's names. */
typedef enum FloppyDriveType {
    FLOPPY_DRIVE_144, /* 3.5", 1.44 MB */
    FLOPPY_DRIVE_288, /* 3.5", 2.88 MB */
    FLOPPY_DRIVE_120, /* 5.25", 1.2 MB */
    FLOPPY_DRIVE_NONE,
    FLOPPY_DRIVE_AUTO,
} FloppyDriveType;

/*
 * An isa-fdc with a drive for each -drive if=floppy, and an empty one as drive A if `default_drive`
 * and the machine has such by default.  NULL and error.
 */
ISADevice *fdc_create(ISABus *bus, bool default_drive, GError **error);
/* CMOS register 10h: drive A in 7-4, B in 3-0; 0 is none. */
uint8_t fdc_cmos_types(ISADevice *fdc);

#endif
