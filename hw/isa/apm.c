/* SPDX-License-Identifier: MIT */
#include "hw/isa/apm.h"

static uint64_t apm_read(void *opaque, hwaddr addr, unsigned size)
{
    APMPorts *apm = opaque;

    return addr == 0 ? apm->control : apm->status;
}

static void apm_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    APMPorts *apm = opaque;

    if (addr == 0) {
        apm->control = (uint8_t)value;
        apm->command(apm->opaque, apm->control);
    } else {
        apm->status = (uint8_t)value;
    }
}

static const MemoryRegionOps apm_ops = {
    .read = apm_read,
    .write = apm_write,
    .valid = {1, 1, false},
    .impl = {1, 1, false},
};

void apm_ports_init(APMPorts *apm, Object *owner, void (*command)(void *opaque, uint8_t value),
                    void *opaque)
{
    apm->command = command;
    apm->opaque = opaque;
    memory_region_init_io(&apm->mr, owner, &apm_ops, apm, "apm", 2);
}

void apm_ports_reset(APMPorts *apm)
{
    apm->control = apm->status = 0;
}
