/* SPDX-License-Identifier: MIT
 *
 * A PC's parallel port with a printer on it.  IBM PC AT Technical Reference, "Serial/Parallel
 * Adapter" (registers); IEEE 1284-1994, compatibility mode (what the lines mean), and bit 5 of the
 * control register as on a PS/2, which turns the data lines round.
 *
 *   0 data      what was written; the lines, all high, while they are turned round
 *   1 status    7 not busy, 6 ACK#, 5 out of paper, 4 selected, 3 ERROR#; bit 0, an EPP's time-out,
 *               is always set, so that nobody takes this for an EPP
 *   2 control   0 strobe, 1 auto feed, 2 INIT#, 3 select, 4 interrupt on ACK#, 5 input; 6, 7: one
 *
 * A byte is taken when the strobe rises.  The printer stays busy until the character device has
 * it and the strobe is back; then it pulses ACK#, a step at each look at the status: there is no
 * clock that a driver could measure it by.
 */
#include "hw/char/parallel.h"
#include "hw/core/machine.h"

OBJECT_DECLARE_SIMPLE(ISAParallel, ISA_PARALLEL, TYPE_ISA_PARALLEL)

#define STATUS_NOT_BUSY 0x80
#define STATUS_NOT_ACK  0x40
#define STATUS_IDLE     0xd9

#define CONTROL_STROBE   0x01
#define CONTROL_NOT_INIT 0x04
#define CONTROL_SELECT   0x08
#define CONTROL_IRQ      0x10
#define CONTROL_INPUT    0x20
#define CONTROL_ONES     0xc0

typedef enum PrinterPhase {
    PRINTER_IDLE,
    PRINTER_FULL, /* the character device does not take the byte yet */
    PRINTER_BUSY, /* it has, and ACK# comes next */
    PRINTER_ACK,
} PrinterPhase;

struct ISAParallel {
    ISADevice parent_obj;
    MemoryRegion io;
    CharFrontend chr;
    IRQ irq;
    uint32_t index, iobase, isa_irq;
    Object *chardev;

    uint8_t data, control;
    uint8_t byte;  /* on its way to the character device */
    uint8_t phase; /* PrinterPhase */
    bool irq_level;
};

static const ISAPort parallel_ports[MAX_ISA_PARALLEL] = {
    {0x378, 7},
    {0x278, 7},
    {0x3bc, 7}
};

static void parallel_set_irq(ISAParallel *s, bool level)
{
    s->irq_level = level;
    irq_set(s->irq, level);
}

/* Taken, and the strobe is back: the printer acknowledges. */
static void parallel_check_done(ISAParallel *s)
{
    if (s->phase == PRINTER_BUSY && !(s->control & CONTROL_STROBE) && (s->control & CONTROL_IRQ)) {
        parallel_set_irq(s, true);
    }
}

static void parallel_send(void *opaque)
{
    ISAParallel *s = opaque;

    if (s->phase != PRINTER_FULL) {
        return; /* a reset came between */
    }
    if (char_frontend_write(&s->chr, &s->byte, 1)) {
        s->phase = PRINTER_BUSY;
        parallel_check_done(s);
    } else {
        char_frontend_when_writable(&s->chr, parallel_send, s);
    }
}

static void parallel_write_control(ISAParallel *s, uint8_t value)
{
    uint8_t risen = value & ~s->control;

    s->control = value | CONTROL_ONES;
    if (!(value & CONTROL_IRQ)) {
        parallel_set_irq(s, false);
    }
    if (!(value & CONTROL_NOT_INIT)) {
        s->phase = PRINTER_IDLE;
    } else if ((risen & CONTROL_STROBE) && (value & CONTROL_SELECT) && s->phase != PRINTER_FULL) {
        s->byte = s->data;
        s->phase = PRINTER_FULL;
        parallel_send(s);
    } else {
        parallel_check_done(s);
    }
}

static uint8_t parallel_read_status(ISAParallel *s)
{
    uint8_t status = STATUS_IDLE;

    if (s->phase != PRINTER_IDLE) {
        status &= ~STATUS_NOT_BUSY;
    }
    if (s->phase == PRINTER_ACK) {
        status &= ~STATUS_NOT_ACK;
    }
    if (s->phase >= PRINTER_BUSY && !(s->control & CONTROL_STROBE)) {
        s->phase = s->phase == PRINTER_BUSY ? PRINTER_ACK : PRINTER_IDLE;
    }
    parallel_set_irq(s, false);
    return status;
}

static uint64_t parallel_read(void *opaque, hwaddr addr, unsigned size)
{
    ISAParallel *s = opaque;

    switch (addr) {
    case 0:
        return s->control & CONTROL_INPUT ? 0xff : s->data;
    case 1:
        return parallel_read_status(s);
    default:
        return s->control;
    }
}

static void parallel_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    ISAParallel *s = opaque;

    if (addr == 0) {
        s->data = value;
    } else if (addr == 2) {
        parallel_write_control(s, value);
    }
}

static const MemoryRegionOps parallel_ops = {
    .read = parallel_read,
    .write = parallel_write,
    .impl = {1, 1},
};

/* ---- life ----------------------------------------------------------------------------------- */

static void parallel_reset(DeviceState *dev, ResetType type)
{
    ISAParallel *s = ISA_PARALLEL(dev);

    s->data = 0xff;
    s->control = CONTROL_ONES | CONTROL_NOT_INIT | CONTROL_SELECT;
    s->phase = PRINTER_IDLE;
    s->irq_level = false;
}

static void parallel_reset_hold(DeviceState *dev)
{
    ISAParallel *s = ISA_PARALLEL(dev);

    irq_set(s->irq, s->irq_level);
}

static bool parallel_realize(DeviceState *dev, GError **error)
{
    ISAParallel *s = ISA_PARALLEL(dev);

    if (!isa_choose_port(&s->parent_obj, parallel_ports, MAX_ISA_PARALLEL, &s->index, &s->iobase,
                         &s->isa_irq, error) ||
        !char_frontend_init(&s->chr, (Chardev *)s->chardev, dev, error)) {
        return false;
    }
    s->irq = isa_get_irq(&s->parent_obj, s->isa_irq);
    memory_region_init_io(&s->io, OBJECT(s), &parallel_ops, s, "parallel", 3);
    isa_register_ioport(&s->parent_obj, &s->io, s->iobase);
    return true;
}

ISADevice *parallel_isa_create(ISABus *bus, int index, Chardev *chr, GError **error)
{
    return isa_create_port(bus, TYPE_ISA_PARALLEL, index, OBJECT(chr), error);
}

bool parallel_isa_create_all(ISABus *bus, GError **error)
{
    return isa_create_ports(bus, TYPE_ISA_PARALLEL,
                            qdev_get_machine(bus->parent_obj.parent)->parallel, error);
}

static const Property parallel_properties[] = {
    DEFINE_PROP_UINT32("index", ISAParallel, index, ISA_NONE,
                       "0 is LPT1; unset: the next that is free"),
    DEFINE_PROP_UINT32("iobase", ISAParallel, iobase, ISA_NONE,
                       "first of three ports; unset: as index has it", .max = 0xfffc),
    DEFINE_PROP_UINT32("irq", ISAParallel, isa_irq, 7, "ISA line"),
    DEFINE_PROP_LINK("chardev", ISAParallel, chardev, TYPE_CHARDEV, "where printed bytes go"),
    DEFINE_PROP_END,
};

static const StateField parallel_state[] = {
    STATE_FIELD(ISAParallel, data),      STATE_FIELD(ISAParallel, control),
    STATE_FIELD(ISAParallel, byte),      STATE_FIELD(ISAParallel, phase),
    STATE_FIELD(ISAParallel, irq_level), STATE_END,
};

static void parallel_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = parallel_realize;
    dc->reset_enter = parallel_reset;
    dc->reset_hold = parallel_reset_hold;
    dc->state = parallel_state;
    dc->category = DEVICE_CATEGORY_INPUT;
    dc->user_creatable = true;
}

static const TypeInfo parallel_types[] = {
    {.name = TYPE_ISA_PARALLEL,
     .parent = TYPE_ISA_DEVICE,
     .instance_size = sizeof(ISAParallel),
     .class_init = parallel_class_init,
     .properties = parallel_properties,
     .doc = "parallel port with a printer"},
};
DEFINE_TYPES(parallel_types)
