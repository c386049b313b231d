/* SPDX-License-Identifier: MIT */
#include "hw/i2c/i2c.h"

static bool i2c_bus_plug(BusState *qbus, DeviceState *dev, GError **error)
{
    uint8_t address = I2C_SLAVE(dev)->address;

    for (GList *l = qbus->children.head; l; l = l->next) {
        if (l->data != dev && I2C_SLAVE(l->data)->address == address) {
            g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                        "address=0x%02x on bus '%s' is taken by a %s", address, OBJECT(qbus)->name,
                        object_get_typename(OBJECT(l->data)));
            return false;
        }
    }
    return true;
}

static void i2c_bus_unplug(BusState *qbus, DeviceState *dev)
{
    I2CBus *bus = I2C_BUS(qbus);

    if (bus->current == I2C_SLAVE(dev)) {
        bus->current = NULL;
    }
}

static char *i2c_get_dev_path(DeviceState *dev)
{
    return g_strdup_printf("i2c@%02x", I2C_SLAVE(dev)->address);
}

static void i2c_bus_reset(BusState *qbus)
{
    I2C_BUS(qbus)->current = NULL;
}

static void i2c_bus_class_init(ObjectClass *klass, const void *data)
{
    BusClass *bc = BUS_CLASS(klass);

    bc->plug = i2c_bus_plug;
    bc->unplug = i2c_bus_unplug;
    bc->get_dev_path = i2c_get_dev_path;
    bc->reset_hold = i2c_bus_reset;
}

/* ---- transfers --------------------------------------------------------------------------- */

I2CBus *i2c_bus_new(DeviceState *parent, const char *name)
{
    return I2C_BUS(qbus_new(TYPE_I2C_BUS, parent, name));
}

static I2CSlave *i2c_find(I2CBus *bus, uint8_t address)
{
    for (GList *l = bus->parent_obj.children.head; l; l = l->next) {
        I2CSlave *slave = I2C_SLAVE(l->data);

        if (slave->address == address && qdev_is_realized(&slave->parent_obj)) {
            return slave;
        }
    }
    return NULL;
}

bool i2c_start(I2CBus *bus, uint8_t address, bool read)
{
    I2CSlave *slave = i2c_find(bus, address);

    if (bus->current && bus->current != slave) {
        i2c_stop(bus);
    }
    bus->current = NULL;
    if (!slave || (I2C_SLAVE_GET_CLASS(slave)->start &&
                   !I2C_SLAVE_GET_CLASS(slave)->start(slave, read))) {
        return false;
    }
    bus->current = slave;
    return true;
}

bool i2c_write(I2CBus *bus, uint8_t byte)
{
    I2CSlave *slave = bus->current;

    return slave && I2C_SLAVE_GET_CLASS(slave)->write(slave, byte);
}

uint8_t i2c_read(I2CBus *bus)
{
    I2CSlave *slave = bus->current;

    return slave ? I2C_SLAVE_GET_CLASS(slave)->read(slave) : 0xff;
}

void i2c_stop(I2CBus *bus)
{
    I2CSlave *slave = bus->current;

    bus->current = NULL;
    if (slave && I2C_SLAVE_GET_CLASS(slave)->stop) {
        I2C_SLAVE_GET_CLASS(slave)->stop(slave);
    }
}

/* ---- types -------------------------------------------------------------------------------- */

static const Property i2c_slave_properties[] = {
    DEFINE_PROP_UINT8("address", I2CSlave, address, 0, "on the bus, 7 bits", .max = 0x7f),
    DEFINE_PROP_END,
};

static void i2c_slave_class_init(ObjectClass *klass, const void *data)
{
    DEVICE_CLASS(klass)->bus_type = TYPE_I2C_BUS;
}

static const TypeInfo i2c_types[] = {
    {
     .name = TYPE_I2C_BUS,
     .parent = TYPE_BUS,
     .instance_size = sizeof(I2CBus),
     .class_init = i2c_bus_class_init,
     .doc = "I2C bus, or SMBus",
     },
    {
     .name = TYPE_I2C_SLAVE,
     .parent = TYPE_DEVICE,
     .abstract = true,
     .class_size = sizeof(I2CSlaveClass),
     .instance_size = sizeof(I2CSlave),
     .class_init = i2c_slave_class_init,
     .properties = i2c_slave_properties,
     .doc = "Device on an I2C bus",
     },
};

DEFINE_TYPES(i2c_types)
