/* SPDX-License-Identifier: MIT
 *
 * PCI Local Bus Specification 3.0, 3.2.2.3.2 (configuration mechanism #1).
 *
 *   cf8 (dword only)   31 enable   23-16 bus   15-11 device   10-8 function   7-2 register
 *   cfc-cff            the register's bytes
 *
 * Accesses to cf8-cfb that are no dwords are ordinary port cycles: they belong to whatever the
 * south bridge has there (the reset control register at cf9), PCIBus.config_byte_ports.
 */
#include "hw/pci-host/config-ports.h"
#include "hw/core/machine.h"
#include "system/log.h"

#define CONFIG_ENABLE   (1u << 31)
#define CONFIG_WRITABLE 0x80fffffcu

static uint64_t config_address_read(void *opaque, hwaddr addr, unsigned size)
{
    PCIConfigPorts *ports = opaque;
    uint64_t value = UINT32_MAX >> (32 - 8 * size);

    if (size == 4) {
        return ports->address;
    }
    if (ports->bus->config_byte_ports) {
        memory_region_dispatch_read(ports->bus->config_byte_ports, addr, &value, size,
                                    MEMTXATTRS_NONE);
    }
    return value;
}

static void config_address_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    PCIConfigPorts *ports = opaque;

    if (size == 4) {
        ports->address = (uint32_t)value & CONFIG_WRITABLE;
    } else if (ports->bus->config_byte_ports) {
        memory_region_dispatch_write(ports->bus->config_byte_ports, addr, value, size,
                                     MEMTXATTRS_NONE);
    }
}

static uint64_t config_data_read(void *opaque, hwaddr addr, unsigned size)
{
    PCIConfigPorts *ports = opaque;

    if (!(ports->address & CONFIG_ENABLE)) {
        return UINT32_MAX >> (32 - 8 * size);
    }
    return pci_data_read(ports->bus, (ports->address & ~CONFIG_ENABLE) + (uint32_t)addr, size);
}

static void config_data_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    PCIConfigPorts *ports = opaque;

    if (ports->address & CONFIG_ENABLE) {
        pci_data_write(ports->bus, (ports->address & ~CONFIG_ENABLE) + (uint32_t)addr,
                       (uint32_t)value, size);
    }
}

/* The big lock keeps the list of devices as it is: they come and go under it. */
static const MemoryRegionOps config_address_ops = {
    .read = config_address_read,
    .write = config_address_write,
    .valid = {1, 4, true},
    .impl = {1, 4, true},
    .lock = MR_LOCK_BIG,
};

static const MemoryRegionOps config_data_ops = {
    .read = config_data_read,
    .write = config_data_write,
    .valid = {1, 4, true},
    .impl = {1, 4, true},
    .lock = MR_LOCK_BIG,
};

void pci_config_ports_init(PCIConfigPorts *ports, Object *owner, PCIBus *bus)
{
    ports->bus = bus;
    memory_region_init_io(&ports->address_mr, owner, &config_address_ops, ports, "pci-conf-idx", 4);
    memory_region_init_io(&ports->data_mr, owner, &config_data_ops, ports, "pci-conf-data", 4);
}
