/* SPDX-License-Identifier: MIT
 *
 * Firmware in flash: unit 0 ends at 4 GiB, each further one below the one before.
 */
#include "hw/block/pflash_cfi01.h"
#include "hw/i386/pc.h"
#include "system/block/block.h"

#define FLASH_SECTOR 4096u
#define FOUR_GIB     0x100000000ull

/* -drive if=pflash,unit=N is pflashN=ID. */
static bool take_legacy_drives(PCMachineState *pcms, GError **error)
{
    for (int i = 0; i < PC_FLASH_COUNT; i++) {
        DriveInfo *drive = drive_get(MACHINE(pcms), BLOCK_IF_PFLASH, 0, i);
        if (!drive) {
            continue;
        }
        if (pcms->pflash[i]) {
            g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                        "-drive if=pflash,unit=%d clashes with -machine pflash%d=%s", i, i,
                        pcms->pflash[i]);
            return false;
        }
        pcms->pflash[i] = g_strdup(drive->id);
    }
    return true;
}

static bool check_drives(PCMachineState *pcms, GError **error)
{
    for (int i = 1; i < PC_FLASH_COUNT; i++) {
        if (pcms->pflash[i] && !pcms->pflash[i - 1]) {
            g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE, "pflash%d requires pflash%d", i,
                        i - 1);
            return false;
        }
    }
    if (pcms->pflash[0] && MACHINE(pcms)->firmware) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "-bios %s and pflash0=%s: firmware comes from one of them",
                    MACHINE(pcms)->firmware, pcms->pflash[0]);
        return false;
    }
    return true;
}

/* Bytes of a drive that can be a flash; 0 and an error. */
static uint64_t flash_size(PCMachineState *pcms, const char *id, uint64_t above, GError **error)
{
    BlockBackend *blk = blk_by_id(MACHINE(pcms), id);
    int64_t size = blk && blk_is_inserted(blk) ? blk_length(blk) : 0;

    if (!blk) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "Property '" TYPE_PFLASH_CFI01 ".drive' can't find value '%s'", id);
        return 0;
    }
    if (size <= 0 || size % FLASH_SECTOR) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "system firmware block device '%s' has invalid size %" G_GINT64_FORMAT
                    ": its size must be a non-zero multiple of 0x%x",
                    id, size, FLASH_SECTOR);
        return 0;
    }
    if ((uint64_t)size > pcms->max_fw_size || (uint64_t)size + above > pcms->max_fw_size) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "combined size of system firmware exceeds %" G_GUINT64_FORMAT
                    " bytes (-machine max-fw-size=, at most 16M)",
                    pcms->max_fw_size);
        return 0;
    }
    return (uint64_t)size;
}

static PFlashCFI01 *flash_create(PCMachineState *pcms, int unit, uint64_t size, GError **error)
{
    g_autofree char *name = g_strdup_printf("system.flash%d", unit);
    DeviceState *dev = qdev_new(TYPE_PFLASH_CFI01, error);
    Object *obj = OBJECT(dev);

    if (!dev || !object_add_child(OBJECT(pcms), name, obj, error) ||
        !object_property_set_str(obj, "name", name, error) ||
        !object_property_set_str(obj, "drive", pcms->pflash[unit], error) ||
        !object_property_set_uint(obj, "sector-length", FLASH_SECTOR, error) ||
        !object_property_set_uint(obj, "num-blocks", size / FLASH_SECTOR, error) ||
        !object_property_set_uint(obj, "width", 1, error) ||
        !qdev_realize_and_unref(dev, NULL, error)) {
        return NULL;
    }
    return pflash_cfi01_from_device(dev);
}

static bool flash_map(PCMachineState *pcms, MemoryRegion *rom_memory, GError **error)
{
    uint64_t above = 0;

    for (int i = 0; i < PC_FLASH_COUNT && pcms->pflash[i]; i++) {
        uint64_t size = flash_size(pcms, pcms->pflash[i], above, error);
        PFlashCFI01 *flash = size ? flash_create(pcms, i, size, error) : NULL;
        if (!flash) {
            return false;
        }
        above += size;
        sysbus_mmio_map(SYS_BUS_DEVICE(flash), 0, FOUR_GIB - above);
        if (i == 0 &&
            !x86_isa_bios_copy(X86_MACHINE(pcms), rom_memory, pflash_cfi01_memory(flash), error)) {
            return false;
        }
    }
    return true;
}

bool pc_firmware_init(PCMachineState *pcms, MemoryRegion *rom_memory, GError **error)
{
    if (!take_legacy_drives(pcms, error) || !check_drives(pcms, error)) {
        return false;
    }
    X86_MACHINE(pcms)->flash_firmware = pcms->pflash[0] != NULL;
    return pcms->pflash[0] ? flash_map(pcms, rom_memory, error)
                           : x86_firmware_init(X86_MACHINE(pcms), rom_memory, error);
}
