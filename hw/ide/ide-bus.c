/* SPDX-License-Identifier: MIT
 *
 * An ATA channel: the registers of its two devices and its interrupt line.
 * ATA/ATAPI-7 volume 1 (T13/1532D), 6 (registers), 9.1-9.3 (resets); volume 2, 5.
 *
 *          read               write
 *   +0     data               data (16 or 32 bits)
 *   +1     error              features
 *   +2     sector count       sector count
 *   +3-+5  LBA low, mid, high
 *   +6     device: 6 LBA  4 unit  3-0 head or LBA 27:24
 *   +7     status             command
 *   ctl    alternate status   device control: 7 HOB  2 SRST  1 nIEN
 */
#include <string.h>
#include "hw/ide/ide-internal.h"
#include "system/log.h"

enum {
    REG_DATA,
    REG_ERROR,
    REG_NSECTOR,
    REG_SECTOR,
    REG_LCYL,
    REG_HCYL,
    REG_SELECT,
    REG_STATUS,
};

/* ---- interrupt ----------------------------------------------------------------------- */

static void ide_update_irq(IDEBus *bus)
{
    irq_set(bus->irq, bus->irq_pending && !(bus->control & ATA_NIEN));
}

void ide_set_irq(IDEBus *bus)
{
    bus->irq_pending = true;
    if (!(bus->control & ATA_NIEN) && bus->transport && bus->transport->interrupt) {
        bus->transport->interrupt(bus->transport);
    }
    ide_update_irq(bus);
}

void ide_clear_irq(IDEBus *bus)
{
    bus->irq_pending = false;
    ide_update_irq(bus);
}

/* ---- data register --------------------------------------------------------------------- */

static uint32_t ide_data_read(IDEDevice *d, unsigned size)
{
    uint32_t value = 0;

    if (!d || d->is_write || !(d->tf.status & ATA_DRQ) || d->pio_pos + size > d->pio_end) {
        return UINT32_MAX >> (32 - 8 * size);
    }
    memcpy(&value, d->buf + d->pio_pos, size);
    d->pio_pos += size;
    if (d->pio_pos == d->pio_end) {
        ide_pio_moved(d);
    }
    return value;
}

static void ide_data_write(IDEDevice *d, uint32_t value, unsigned size)
{
    if (!d || !d->is_write || !(d->tf.status & ATA_DRQ) || d->pio_pos + size > d->pio_end) {
        return;
    }
    memcpy(d->buf + d->pio_pos, &value, size);
    d->pio_pos += size;
    if (d->pio_pos == d->pio_end) {
        ide_pio_moved(d);
    }
}

/* ---- task file --------------------------------------------------------------------------- */

static uint8_t ide_reg_read(IDEBus *bus, unsigned reg)
{
    IDEDevice *d = bus->devices[bus->unit];
    bool hob = bus->control & ATA_HOB;

    if (!d) {
        return 0;
    }
    switch (reg) {
    case REG_ERROR:
        return hob ? d->tf.feature[1] : d->tf.error;
    case REG_NSECTOR:
        return d->tf.nsector[hob];
    case REG_SECTOR:
        return d->tf.sector[hob];
    case REG_LCYL:
        return d->tf.lcyl[hob];
    case REG_HCYL:
        return d->tf.hcyl[hob];
    case REG_SELECT:
        return d->tf.select;
    default:
        ide_clear_irq(bus);
        return d->tf.status;
    }
}

static void ide_latch(uint8_t field[2], uint8_t value)
{
    field[1] = field[0];
    field[0] = value;
}

/* Both devices see every write but those of the data and command registers. */
static void ide_device_latch(IDEDevice *d, unsigned reg, uint8_t value)
{
    IDETaskFile *tf = &d->tf;

    if (tf->status & (ATA_BSY | ATA_DRQ)) {
        return;
    }
    switch (reg) {
    case REG_ERROR:
        ide_latch(tf->feature, value);
        break;
    case REG_NSECTOR:
        ide_latch(tf->nsector, value);
        break;
    case REG_SECTOR:
        ide_latch(tf->sector, value);
        break;
    case REG_LCYL:
        ide_latch(tf->lcyl, value);
        break;
    case REG_HCYL:
        ide_latch(tf->hcyl, value);
        break;
    default:
        break;
    }
}

static void ide_select(IDEBus *bus, uint8_t value)
{
    for (int i = 0; i < IDE_UNITS; i++) {
        if (bus->devices[i]) {
            bus->devices[i]->tf.select = value | 0xa0;
        }
    }
    bus->unit = value & ATA_DEV ? 1 : 0;
}

static void ide_command(IDEBus *bus, uint8_t command)
{
    IDEDevice *d = bus->devices[bus->unit];

    ide_clear_irq(bus);
    if (d) {
        ata_command(d, command);
    }
}

static void ide_reg_write(IDEBus *bus, unsigned reg, uint8_t value)
{
    bus->control &= (uint8_t)~ATA_HOB;
    if (reg == REG_STATUS) {
        ide_command(bus, value);
        return;
    }
    if (reg == REG_SELECT) {
        ide_select(bus, value);
        return;
    }
    for (int i = 0; i < IDE_UNITS; i++) {
        if (bus->devices[i]) {
            ide_device_latch(bus->devices[i], reg, value);
        }
    }
}

static uint64_t ide_command_read(void *opaque, hwaddr addr, unsigned size)
{
    IDEBus *bus = opaque;
    uint64_t value = 0;

    if (addr == REG_DATA) {
        return size == 1 ? 0xff : ide_data_read(bus->devices[bus->unit], size);
    }
    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)ide_reg_read(bus, ((unsigned)addr + i) & 7) << (8 * i);
    }
    return value;
}

static void ide_command_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    IDEBus *bus = opaque;

    if (addr == REG_DATA) {
        if (size > 1) {
            ide_data_write(bus->devices[bus->unit], (uint32_t)value, size);
        }
        return;
    }
    for (unsigned i = 0; i < size && addr + i <= REG_STATUS; i++) {
        ide_reg_write(bus, (unsigned)addr + i, (uint8_t)(value >> (8 * i)));
    }
}

static const MemoryRegionOps ide_command_ops = {
    .read = ide_command_read,
    .write = ide_command_write,
    .valid = {1, 4, true},
    .impl = {1, 4, true},
};

/* ---- device control ------------------------------------------------------------------------ */

static uint64_t ide_control_read(void *opaque, hwaddr addr, unsigned size)
{
    IDEBus *bus = opaque;
    IDEDevice *d = bus->devices[bus->unit];

    return d ? d->tf.status : 0;
}

static void ide_soft_reset_begin(IDEBus *bus)
{
    ide_clear_irq(bus);
    for (int i = 0; i < IDE_UNITS; i++) {
        if (bus->devices[i]) {
            ide_cancel(bus->devices[i]);
            bus->devices[i]->tf.status = ATA_BSY;
        }
    }
}

static void ide_soft_reset_end(IDEBus *bus)
{
    bus->unit = 0;
    for (int i = 0; i < IDE_UNITS; i++) {
        if (bus->devices[i]) {
            ata_set_signature(bus->devices[i]);
        }
    }
}

static void ide_control_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    IDEBus *bus = opaque;
    uint8_t old = bus->control;

    bus->control = (uint8_t)value;
    if (!(old & ATA_SRST) && (value & ATA_SRST)) {
        ide_soft_reset_begin(bus);
    } else if ((old & ATA_SRST) && !(value & ATA_SRST)) {
        ide_soft_reset_end(bus);
    }
    ide_update_irq(bus);
}

static const MemoryRegionOps ide_control_ops = {
    .read = ide_control_read,
    .write = ide_control_write,
    .valid = {1, 1, false},
    .impl = {1, 1, false},
};

/* ---- the bus -------------------------------------------------------------------------------- */

void ide_bus_reset(IDEBus *bus)
{
    bus->control = 0;
    bus->unit = 0;
    for (int i = 0; i < IDE_UNITS; i++) {
        if (bus->devices[i]) {
            ide_cancel(bus->devices[i]);
            ata_set_signature(bus->devices[i]);
        }
    }
    if (bus->transport) {
        bus->transport->reset(bus->transport);
    }
    ide_clear_irq(bus);
}

static bool ide_bus_plug(BusState *qbus, DeviceState *qdev, GError **error)
{
    IDEBus *bus = IDE_BUS(qbus);
    IDEDevice *d = IDE_DEVICE(qdev);
    uint32_t unit = d->unit_prop;

    if (unit == UINT32_MAX) {
        unit = bus->devices[0] && bus->max_units > 1 ? 1 : 0;
    }
    if (unit >= bus->max_units || bus->devices[unit]) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "unit=%u on bus '%s' is %s", unit,
                    OBJECT(bus)->name,
                    unit < bus->max_units ? "taken"
                    : bus->max_units > 1  ? "not 0 or 1"
                                          : "not 0");
        return false;
    }
    d->unit = (uint8_t)unit;
    return true;
}

static char *ide_get_fw_dev_path(DeviceState *qdev)
{
    IDEDevice *d = IDE_DEVICE(qdev);

    return g_strdup_printf("drive@%x/disk@%x", ide_bus_of(d)->channel, d->unit);
}

static char *ide_get_dev_path(DeviceState *qdev)
{
    IDEDevice *d = IDE_DEVICE(qdev);

    return g_strdup_printf("%d.%d", ide_bus_of(d)->channel, d->unit);
}

static char *ide_bus_name(DeviceState *controller, int channel)
{
    MachineState *machine = qdev_get_machine(controller);

    if (controller->id) {
        return g_strdup_printf("%s.%d", controller->id, channel);
    }
    for (int i = channel;; i++) {
        char *name = g_strdup_printf("ide.%d", i);

        if (!qbus_find(OBJECT(machine), name, NULL)) {
            return name;
        }
        g_free(name);
    }
}

IDEBus *ide_bus_new(DeviceState *controller, int channel, uint8_t max_units, IRQ irq)
{
    g_autofree char *name = ide_bus_name(controller, channel);
    IDEBus *bus = IDE_BUS(qbus_new(TYPE_IDE_BUS, controller, name));

    bus->channel = channel;
    bus->max_units = max_units;
    bus->parent_obj.max_dev = max_units;
    bus->controller = controller;
    bus->machine = qdev_get_machine(controller);
    bus->irq = irq;
    return bus;
}

void ide_bus_init_ports(IDEBus *bus)
{
    Object *owner = OBJECT(bus->controller);

    memory_region_init_io(&bus->command_mr, owner, &ide_command_ops, bus, "ide-command", 8);
    memory_region_init_io(&bus->control_mr, owner, &ide_control_ops, bus, "ide-control", 1);
}

static void ide_bus_class_init(ObjectClass *klass, const void *data)
{
    BusClass *bc = BUS_CLASS(klass);

    bc->plug = ide_bus_plug;
    bc->get_dev_path = ide_get_dev_path;
    bc->get_fw_dev_path = ide_get_fw_dev_path;
}

static const TypeInfo ide_bus_types[] = {
    {
     .name = TYPE_IDE_BUS,
     .parent = TYPE_BUS,
     .instance_size = sizeof(IDEBus),
     .class_init = ide_bus_class_init,
     .doc = "ATA channel with two units",
     },
};

DEFINE_TYPES(ide_bus_types)
