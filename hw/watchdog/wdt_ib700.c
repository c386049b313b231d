/* SPDX-License-Identifier: MIT
 *
 * Watchdog of the iBASE IB700 board (its user's manual, "Watchdog timer"):
 *
 *   0441  W  any value: stop
 *   0443  W  bits 3-0: start, to expire in 30 - 2 * n seconds
 */
#include "hw/core/machine.h"
#include "hw/isa/isa.h"

#define TYPE_IB700 "ib700"
OBJECT_DECLARE_SIMPLE(IB700State, IB700, TYPE_IB700)

#define IB700_BASE    0x441
#define IB700_PORTS   4
#define IB700_DISABLE 0
#define IB700_ENABLE  2
#define IB700_LONGEST 30 /* seconds */

struct IB700State {
    ISADevice parent_obj;
    MachineState *machine;
    MemoryRegion io;
    Timer *timer;
};

static void ib700_expired(void *opaque)
{
    system_watchdog_expired(((IB700State *)opaque)->machine);
}

static uint64_t ib700_read(void *opaque, hwaddr addr, unsigned size)
{
    return 0;
}

static void ib700_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    IB700State *s = opaque;

    if (addr == IB700_DISABLE) {
        timer_del(s->timer);
    } else if (addr == IB700_ENABLE) {
        timer_mod(s->timer,
                  device_clock_ns(DEVICE(s), CLOCK_VIRTUAL) +
                      (IB700_LONGEST - 2 * (int64_t)(value & 15)) * NANOSECONDS_PER_SECOND);
    }
}

static const MemoryRegionOps ib700_ops = {
    .read = ib700_read,
    .write = ib700_write,
    .impl = {1, 1},
};

static bool ib700_realize(DeviceState *dev, GError **error)
{
    IB700State *s = IB700(dev);

    s->machine = qdev_get_machine(dev);
    s->timer = device_timer_new(dev, CLOCK_VIRTUAL, ib700_expired, s);
    memory_region_init_io(&s->io, OBJECT(s), &ib700_ops, s, TYPE_IB700, IB700_PORTS);
    isa_register_ioport(&s->parent_obj, &s->io, IB700_BASE);
    return true;
}

static void ib700_reset(DeviceState *dev, ResetType type)
{
    timer_del(IB700(dev)->timer);
}

static void ib700_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = ib700_realize;
    dc->reset_enter = ib700_reset;
    dc->category = DEVICE_CATEGORY_MISC;
}

static const TypeInfo ib700_types[] = {
    {.name = TYPE_IB700,
     .parent = TYPE_ISA_DEVICE,
     .instance_size = sizeof(IB700State),
     .class_init = ib700_class_init,
     .doc = "iBASE 700 watchdog"},
};
DEFINE_TYPES(ib700_types)
