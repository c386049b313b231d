/* SPDX-License-Identifier: MIT
 *
 * Numbers of the SCSI commands that packet devices take (SPC-3, MMC-5).
 */
#ifndef HW_IDE_SCSI_H
#define HW_IDE_SCSI_H

#define SENSE_NONE            0x0
#define SENSE_NOT_READY       0x2
#define SENSE_MEDIUM_ERROR    0x3
#define SENSE_ILLEGAL_REQUEST 0x5
#define SENSE_UNIT_ATTENTION  0x6

#define ASC_UNRECOVERED_READ_ERROR   0x11
#define ASC_ILLEGAL_OPCODE           0x20
#define ASC_LBA_OUT_OF_RANGE         0x21
#define ASC_INVALID_FIELD_IN_CDB     0x24
#define ASC_MEDIUM_MAY_HAVE_CHANGED  0x28
#define ASC_INCOMPATIBLE_FORMAT      0x30
#define ASC_SAVING_NOT_SUPPORTED     0x39
#define ASC_MEDIUM_NOT_PRESENT       0x3a
#define ASC_MEDIUM_REMOVAL_PREVENTED 0x53

#define CMD_TEST_UNIT_READY    0x00
#define CMD_REQUEST_SENSE      0x03
#define CMD_INQUIRY            0x12
#define CMD_MODE_SENSE_6       0x1a
#define CMD_START_STOP_UNIT    0x1b
#define CMD_PREVENT_REMOVAL    0x1e
#define CMD_READ_CAPACITY      0x25
#define CMD_READ_10            0x28
#define CMD_SEEK_10            0x2b
#define CMD_READ_SUBCHANNEL    0x42
#define CMD_READ_TOC           0x43
#define CMD_GET_CONFIGURATION  0x46
#define CMD_GET_EVENT_STATUS   0x4a
#define CMD_READ_DISC_INFO     0x51
#define CMD_MODE_SENSE_10      0x5a
#define CMD_READ_12            0xa8
#define CMD_READ_DVD_STRUCTURE 0xad
#define CMD_SET_CD_SPEED       0xbb
#define CMD_MECHANISM_STATUS   0xbd
#define CMD_READ_CD            0xbe

#define MEDIA_EVENT_NONE    0
#define MEDIA_EVENT_EJECT   1
#define MEDIA_EVENT_NEW     2
#define MEDIA_EVENT_REMOVAL 3

#endif
