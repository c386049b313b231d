/* SPDX-License-Identifier: MIT
 *
 * A serial EEPROM of 256 bytes, as DIMMs have it (JEDEC 21-C, 4.1.3; 24C02): the first byte written
 * is the address of what follows, of bytes written or read; it goes on by one with each and wraps.
 */
#include "hw/i2c/i2c.h"

#define SMBUS_EEPROM(obj) OBJECT_CHECK(SMBusEEPROM, (obj), TYPE_SMBUS_EEPROM)

typedef struct SMBusEEPROM {
    I2CSlave parent_obj;
    uint8_t data[SMBUS_EEPROM_SIZE]; /* survives resets */
    uint8_t offset;
    bool addressed; /* the next byte written is the address */
} SMBusEEPROM;

static bool eeprom_start(I2CSlave *slave, bool read)
{
    SMBUS_EEPROM(slave)->addressed = !read;
    return true;
}

static bool eeprom_write(I2CSlave *slave, uint8_t byte)
{
    SMBusEEPROM *e = SMBUS_EEPROM(slave);

    if (e->addressed) {
        e->offset = byte;
        e->addressed = false;
    } else {
        e->data[e->offset++] = byte;
    }
    return true;
}

static uint8_t eeprom_read(I2CSlave *slave)
{
    SMBusEEPROM *e = SMBUS_EEPROM(slave);

    return e->data[e->offset++];
}

static void eeprom_reset(DeviceState *dev, ResetType type)
{
    SMBUS_EEPROM(dev)->offset = 0;
    SMBUS_EEPROM(dev)->addressed = false;
}

static const StateField eeprom_state[] = {
    STATE_FIELD(SMBusEEPROM, data),
    STATE_FIELD(SMBusEEPROM, offset),
    STATE_FIELD(SMBusEEPROM, addressed),
    STATE_END,
};

static void eeprom_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    I2CSlaveClass *sc = I2C_SLAVE_CLASS(klass);

    sc->start = eeprom_start;
    sc->write = eeprom_write;
    sc->read = eeprom_read;
    dc->reset_enter = eeprom_reset;
    dc->state = eeprom_state;
}

static const TypeInfo eeprom_types[] = {
    {
     .name = TYPE_SMBUS_EEPROM,
     .parent = TYPE_I2C_SLAVE,
     .instance_size = sizeof(SMBusEEPROM),
     .class_init = eeprom_class_init,
     .doc = "EEPROM of 256 bytes on an SMBus",
     },
};

DEFINE_TYPES(eeprom_types)

bool smbus_eeprom_create_all(I2CBus *bus, uint8_t address, unsigned n, GError **error)
{
    for (unsigned i = 0; i < n; i++) {
        DeviceState *dev = qdev_new(TYPE_SMBUS_EEPROM, error);

        if (!dev) {
            return false;
        }
        I2C_SLAVE(dev)->address = (uint8_t)(address + i);
        if (!qdev_realize_and_unref(dev, BUS(bus), error)) {
            return false;
        }
    }
    return true;
}
