/* SPDX-License-Identifier: MIT
 *
 * What -smbios can say, between the files of this folder.
 */
#ifndef HW_SMBIOS_SMBIOS_INTERNAL_H
#define HW_SMBIOS_SMBIOS_INTERNAL_H

#include "hw/smbios/smbios.h"

typedef enum SmbiosText {
    BIOS_VENDOR,
    BIOS_VERSION,
    BIOS_DATE,
    SYSTEM_VENDOR,
    SYSTEM_PRODUCT,
    SYSTEM_VERSION,
    SYSTEM_SERIAL,
    SYSTEM_SKU,
    SYSTEM_FAMILY,
    BOARD_VENDOR,
    BOARD_PRODUCT,
    BOARD_VERSION,
    BOARD_SERIAL,
    BOARD_ASSET,
    BOARD_LOCATION,
    CHASSIS_VENDOR,
    CHASSIS_VERSION,
    CHASSIS_SERIAL,
    CHASSIS_ASSET,
    CHASSIS_SKU,
    CPU_SOCKET,
    CPU_VENDOR,
    CPU_VERSION,
    CPU_SERIAL,
    CPU_ASSET,
    CPU_PART,
    DIMM_LOCATOR,
    DIMM_BANK,
    DIMM_VENDOR,
    DIMM_SERIAL,
    DIMM_ASSET,
    DIMM_PART,
    TEXT_COUNT,
} SmbiosText;

typedef enum SmbiosNumber {
    CPU_MAX_SPEED, /* MHz */
    CPU_CURRENT_SPEED,
    DIMM_SPEED, /* MT/s; 0: unknown */
    NUMBER_COUNT,
} SmbiosNumber;

/* Type 8 */
typedef struct SmbiosPort {
    char *internal, *external;
    uint8_t connector, port;
} SmbiosPort;

/* Type 41 */
typedef struct SmbiosOnboard {
    char *designation, *pcidev; /* the id of a -device */
    uint8_t kind, instance;
} SmbiosOnboard;

struct SmbiosConfig {
    char *text[TEXT_COUNT]; /* NULL: not given */
    uint16_t number[NUMBER_COUNT];
    uint8_t uuid[16];
    uint8_t release[2];
    bool uefi;
    bool bios, board;       /* -smbios says something of them */
    GPtrArray *files;       /* of GBytes: whole structures */
    GPtrArray *oem_strings; /* of char * */
    GPtrArray *ports, *onboard;
};

#endif
