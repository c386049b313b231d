/* SPDX-License-Identifier: MIT
 *
 * A machine's -drive if=ide, and the CD drive that it has by default, on the buses of a controller.
 */
#include "hw/ide/ide-internal.h"
#include "hw/pci/pci.h"

IDEBus *ide_get_bus(PCIDevice *controller, int channel)
{
    for (GSList *l = DEVICE(controller)->child_buses; l; l = l->next) {
        Object *bus = object_dynamic_cast(OBJECT(l->data), TYPE_IDE_BUS);

        if (bus && IDE_BUS(bus)->channel == channel) {
            return IDE_BUS(bus);
        }
    }
    return NULL;
}

static bool ide_create_drive(IDEBus *bus, int unit, bool is_cd, const char *drive, GError **error)
{
    DeviceState *dev = qdev_new(is_cd ? TYPE_IDE_CD : TYPE_IDE_HD, error);

    if (!dev) {
        return false;
    }
    IDE_DEVICE(dev)->unit_prop = (uint32_t)unit;
    IDE_DEVICE(dev)->drive = g_strdup(drive);
    return qdev_realize_and_unref(dev, BUS(bus), error);
}

/* Where QEMU's machines have it too: index 2 is the second channel's first unit, or the third port.
 */
#define DEFAULT_CD_INDEX 2
#define DEFAULT_CD       "if=ide,index=2,media=cdrom"

bool ide_create_drives(MachineState *machine, PCIDevice *controller, GError **error)
{
    IDEBus *bus;

    if (!(machine->absent_defaults & MACHINE_DEFAULT_CDROM) &&
        !drive_get_by_index(machine, BLOCK_IF_IDE, DEFAULT_CD_INDEX) &&
        !blk_drive_add(machine, DEFAULT_CD, error)) {
        return false;
    }
    for (int channel = 0; (bus = ide_get_bus(controller, channel)); channel++) {
        for (int unit = 0; unit < bus->max_units; unit++) {
            const DriveInfo *drive = drive_get(machine, BLOCK_IF_IDE, channel, unit);

            if (drive && !ide_create_drive(bus, unit, drive->is_cdrom, drive->id, error)) {
                return false;
            }
        }
    }
    return true;
}
