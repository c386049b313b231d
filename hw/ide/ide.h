/* SPDX-License-Identifier: MIT
 *
 * IDE buses as machines see them: channels of two units and AHCI ports of one, plugged by
 * -drive if=ide or -device ide-hd / ide-cd,bus=ide.N,unit=N.
 */
#ifndef HW_IDE_IDE_H
#define HW_IDE_IDE_H

#include "hw/core/qdev.h"

typedef struct MachineState MachineState;
typedef struct PCIDevice PCIDevice;

#define TYPE_IDE_BUS "IDE"
OBJECT_DECLARE_SIMPLE(IDEBus, IDE_BUS, TYPE_IDE_BUS)
#define TYPE_IDE_DEVICE "ide-device"
OBJECT_DECLARE_SIMPLE(IDEDevice, IDE_DEVICE, TYPE_IDE_DEVICE)
#define TYPE_IDE_HD    "ide-hd"
#define TYPE_IDE_CD    "ide-cd"
#define TYPE_ICH9_AHCI "ich9-ahci"

#define IDE_UNITS 2

/*
 * Devices for every -drive if=ide (bus = channel or port) of the machine, on the buses of a
 * controller of either kind; and an empty CD drive at index 2 if the machine has such by default.
 */
bool ide_create_drives(MachineState *machine, PCIDevice *controller, GError **error);
IDEBus *ide_get_bus(PCIDevice *controller, int channel);

/* How firmware counts a disk's sectors for those who want cylinders. */
typedef enum IDETranslation {
    IDE_TRANSLATION_NONE, /* as the disk does */
    IDE_TRANSLATION_LBA,
    IDE_TRANSLATION_LARGE,
    IDE_TRANSLATION_RECHS,
} IDETranslation;

typedef struct IDEGeometry {
    uint16_t cylinders;
    uint8_t heads, sectors;
    IDETranslation translation;
} IDEGeometry;

/* False: no disk is there. */
bool ide_get_geometry(PCIDevice *controller, int channel, int unit, IDEGeometry *ret);

#endif
