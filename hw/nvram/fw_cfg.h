/* SPDX-License-Identifier: MIT
 *
 * fw_cfg: items of configuration that firmware and kernels fetch by key or by file name.
 * The board adds items while it is built; the guest reads them.
 */
#ifndef HW_NVRAM_FW_CFG_H
#define HW_NVRAM_FW_CFG_H

#include "hw/core/qdev.h"

#define TYPE_FW_CFG_IO "fw_cfg_io"

typedef struct FWCfgState FWCfgState;

enum FWCfgKey {
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_ID = 0x01,
    FW_CFG_UUID = 0x02,
    FW_CFG_RAM_SIZE = 0x03,
    FW_CFG_NOGRAPHIC = 0x04,
    FW_CFG_NB_CPUS = 0x05,
    FW_CFG_MACHINE_ID = 0x06,
    FW_CFG_KERNEL_ADDR = 0x07,
    FW_CFG_KERNEL_SIZE = 0x08,
    FW_CFG_KERNEL_CMDLINE = 0x09,
    FW_CFG_INITRD_ADDR = 0x0a,
    FW_CFG_INITRD_SIZE = 0x0b,
    FW_CFG_BOOT_DEVICE = 0x0c,
    FW_CFG_NUMA = 0x0d,
    FW_CFG_BOOT_MENU = 0x0e,
    FW_CFG_MAX_CPUS = 0x0f,
    FW_CFG_KERNEL_ENTRY = 0x10,
    FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_ADDR = 0x13,
    FW_CFG_CMDLINE_SIZE = 0x14,
    FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_SETUP_ADDR = 0x16,
    FW_CFG_SETUP_SIZE = 0x17,
    FW_CFG_SETUP_DATA = 0x18,
    FW_CFG_FILE_DIR = 0x19,
    FW_CFG_FILE_FIRST = 0x20,
    FW_CFG_FILE_SLOTS = 0x40,
    /* of the PC */
    FW_CFG_ACPI_TABLES = 0x8000,
    FW_CFG_SMBIOS_ENTRIES = 0x8001,
    FW_CFG_IRQ0_OVERRIDE = 0x8002,
    FW_CFG_E820_TABLE = 0x8003,
    FW_CFG_HPET = 0x8004,
};

#define FW_CFG_MAX_FILE_NAME 56 /* with its NUL */

/* The guest selected the item and is about to read it from its start. */
typedef void (*FWCfgSelectFunc)(void *opaque);
/* The guest wrote to the file, by DMA; its bytes as they are now.  Under the device's lock. */
typedef void (*FWCfgWriteFunc)(void *opaque, const uint8_t *data, size_t size);

FWCfgState *fw_cfg_from_device(DeviceState *dev);

/* Set the item of a key, replacing what is there; the data is copied. */
void fw_cfg_set_bytes(FWCfgState *s, uint16_t key, const void *data, size_t len);
/* The same without the copy; takes a reference. */
void fw_cfg_set_gbytes(FWCfgState *s, uint16_t key, GBytes *data);
/* With its NUL. */
void fw_cfg_set_string(FWCfgState *s, uint16_t key, const char *value);
void fw_cfg_set_u16(FWCfgState *s, uint16_t key, uint16_t value);
void fw_cfg_set_u32(FWCfgState *s, uint16_t key, uint32_t value);
void fw_cfg_set_u64(FWCfgState *s, uint16_t key, uint64_t value);

/* New file; fails when the name is taken, empty or too long, or no slot is left. */
bool fw_cfg_add_file(FWCfgState *s, const char *name, GBytes *data, GError **error);
/* For what the board itself names: cannot fail. */
void fw_cfg_add_board_file(FWCfgState *s, const char *name, const void *data, size_t len);
/* New content, of any size; the file must exist. */
void fw_cfg_set_file(FWCfgState *s, const char *name, GBytes *data);
void fw_cfg_set_file_callback(FWCfgState *s, const char *name, FWCfgSelectFunc fn, void *opaque);
/* Let the guest write within the file's size; `fn` (may be NULL) hears of it. */
void fw_cfg_set_file_writable(FWCfgState *s, const char *name, FWCfgWriteFunc fn, void *opaque);
/* As if the guest wrote to the start of a file that it may write: a board that acts as firmware. */
void fw_cfg_write_file(FWCfgState *s, const char *name, const void *data, size_t len);
/* NULL: no such file. */
GBytes *fw_cfg_get_file(FWCfgState *s, const char *name);
GBytes *fw_cfg_get(FWCfgState *s, uint16_t key);
/* "name=opt/x,string=y" or "opt/x,file=path": an option -fw_cfg. */
bool fw_cfg_add_option(FWCfgState *s, const char *option, GError **error);

#endif
