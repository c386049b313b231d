/* SPDX-License-Identifier: MIT
 *
 * The I2C bus (UM10204, I2C-bus specification), which SMBus shares.  A transfer is a start with an
 * address and a direction, bytes that the slave acknowledges, and a stop; a second start without a
 * stop between turns it around.
 *
 * Lock: the master's device lock.  Slaves have no registers of their own to be reached by.
 */
#ifndef HW_I2C_I2C_H
#define HW_I2C_I2C_H

#include "hw/core/qdev.h"

#define TYPE_I2C_BUS "i2c-bus"
OBJECT_DECLARE_SIMPLE(I2CBus, I2C_BUS, TYPE_I2C_BUS)
#define TYPE_I2C_SLAVE "i2c-slave"
OBJECT_DECLARE(I2CSlave, I2CSlaveClass, I2C_SLAVE, TYPE_I2C_SLAVE)

struct I2CSlaveClass {
    DeviceClass parent_class;
    /* Addressed, to receive (read: to send).  Optional; false: no acknowledge. */
    bool (*start)(I2CSlave *slave, bool read);
    /* A byte from the master; false: no acknowledge. */
    bool (*write)(I2CSlave *slave, uint8_t byte);
    uint8_t (*read)(I2CSlave *slave);
    /* Optional. */
    void (*stop)(I2CSlave *slave);
};

struct I2CSlave {
    DeviceState parent_obj;
    uint8_t address; /* property: 7 bits */
};

struct I2CBus {
    BusState parent_obj;
    I2CSlave *current; /* addressed, until the stop */
};

I2CBus *i2c_bus_new(DeviceState *parent, const char *name);
/* False: no slave acknowledges the address; there is no stop to be sent then. */
bool i2c_start(I2CBus *bus, uint8_t address, bool read);
bool i2c_write(I2CBus *bus, uint8_t byte);
uint8_t i2c_read(I2CBus *bus);
void i2c_stop(I2CBus *bus);

#define TYPE_SMBUS_EEPROM "smbus-eeprom"
#define SMBUS_EEPROM_SIZE 256
/* Several, at `address` and on, with nothing in them: where DIMMs have their parameters. */
bool smbus_eeprom_create_all(I2CBus *bus, uint8_t address, unsigned n, GError **error);

#endif
