/* SPDX-License-Identifier: MIT
 *
 * 8259A programmable interrupt controller: Intel 8259A datasheet (231468),
 * with the edge/level control registers of the PIIX (82371SB datasheet, 3.5.2).
 *
 *   A0=0 write  D4=1: ICW1; D4=0 D3=0: OCW2; D4=0 D3=1: OCW3
 *   A0=0 read   IRR or ISR as OCW3 chose, or the poll word
 *   A0=1        ICW2, ICW3, ICW4 in sequence after ICW1, then OCW1 (IMR)
 *   ELCR        1: input is level-triggered
 *
 * A request latched by an edge stays when its line falls, so that short pulses
 * count; only the cascade input follows its line, as the slave can withdraw.
 */
#include "hw/intc/i8259.h"

#include <string.h>

#include "hw/core/machine.h"
#include "hw/intc/intc.h"
#include "system/log.h"

#define ICW1_IC4  0x01
#define ICW1_SNGL 0x02
#define ICW1      0x10
#define ICW4_AEOI 0x02
#define ICW4_SFNM 0x10
#define OCW3      0x08
#define OCW3_RIS  0x01
#define OCW3_RR   0x02
#define OCW3_POLL 0x04
#define OCW3_SMM  0x20
#define OCW3_ESMM 0x40

#define CASCADE_INPUT 2
#define SPURIOUS      7
#define POLL_PENDING  0x80

/* Which word the next write with A0=1 is. */
enum InitStep { INIT_DONE, INIT_ICW2, INIT_ICW3, INIT_ICW4 };

struct I8259State {
    ISADevice parent_obj;
    MemoryRegion io, elcr_io;
    IRQ intr;
    MachineState *machine;

    uint32_t iobase, elcr_addr;
    uint8_t elcr_mask;
    bool master;
    Object *cascade; /* on the master: who answers at input 2 */

    /* under the irq lock */
    uint8_t lines; /* levels at the inputs */
    uint64_t counts[ISA_NUM_IRQS]; /* how often they rose; the slave's are from 8 on */
    uint8_t irr, imr, isr, elcr;
    uint8_t lowest; /* input of lowest priority */
    uint8_t vector_base;
    uint8_t init_step;
    bool init_icw4, single;
    bool auto_eoi, rotate_on_aeoi, special_fully_nested, special_mask;
    bool read_isr, poll;
    bool output;
};

static uint8_t bit_at(unsigned n)
{
    return 1u << n;
}

/* Priority of the most urgent input in `mask`: 0 is the highest, 8 is none. */
static unsigned i8259_priority(const I8259State *s, uint8_t mask)
{
    unsigned p = 0;

    while (p < 8 && !(mask & bit_at((s->lowest + 1 + p) & 7))) {
        p++;
    }
    return p;
}

static unsigned i8259_input_at(const I8259State *s, unsigned priority)
{
    return (s->lowest + 1 + priority) & 7;
}

/* The slave is in service, and may ask again: within it inputs nest ("special fully nested mode"). */
static bool i8259_slave_nests(const I8259State *s, unsigned request, unsigned in_service)
{
    return s->special_fully_nested && s->master && request < 8 && request == in_service &&
           i8259_input_at(s, request) == CASCADE_INPUT;
}

/* The input that INTR stands for, or -1 (datasheet, "interrupt sequence" and "nested modes"). */
static int i8259_pending_input(const I8259State *s)
{
    unsigned request = i8259_priority(s, s->irr & ~s->imr);
    unsigned in_service = i8259_priority(s, s->special_mask ? s->isr & ~s->imr : s->isr);

    return request < in_service || i8259_slave_nests(s, request, in_service)
               ? (int)i8259_input_at(s, request)
               : -1;
}

static void i8259_update(I8259State *s)
{
    bool level = i8259_pending_input(s) >= 0;

    if (level != s->output) {
        s->output = level;
        irq_set(s->intr, level);
    }
}

static void i8259_set_line_locked(I8259State *s, int n, int level)
{
    uint8_t bit = bit_at(n);
    bool follows = (s->elcr & bit) || (s->cascade && n == CASCADE_INPUT);

    s->counts[s->master ? n : n + 8] += level && !(s->lines & bit);

    if (level && (follows || !(s->lines & bit))) {
        if (!(s->imr & bit)) {
            *(s->irr & bit ? &s->machine->irq_merged : &s->machine->irq_taken) += 1;
        }
        s->irr |= bit;
    } else if (!level && follows) {
        s->irr &= ~bit;
    }
    s->lines = level ? s->lines | bit : s->lines & ~bit;
    i8259_update(s);
}

static void i8259_set_irq(void *opaque, int n, int level)
{
    I8259State *s = opaque;

    machine_irq_lock(s->machine);
    i8259_set_line_locked(s, n, level);
    machine_irq_unlock(s->machine);
}

/* The controller takes part in an acknowledge cycle: its input, SPURIOUS if there is none. */
static int i8259_take(I8259State *s, bool *ret_spurious)
{
    int n = i8259_pending_input(s);

    *ret_spurious = n < 0;
    if (n < 0) {
        return SPURIOUS;
    }
    if (!s->auto_eoi) {
        s->isr |= bit_at(n);
    } else if (s->rotate_on_aeoi) {
        s->lowest = n;
    }
    if (!(s->elcr & bit_at(n))) {
        s->irr &= ~bit_at(n);
    }
    /* INT falls during the cycle: what is pending next is a new edge for the master. */
    if (s->output) {
        s->output = false;
        irq_set(s->intr, 0);
    }
    return n;
}

int i8259_acknowledge(I8259State *master)
{
    bool spurious;

    machine_irq_lock(master->machine);
    int n = i8259_take(master, &spurious);
    int vector = master->vector_base | n;
    if (!spurious && n == CASCADE_INPUT && master->cascade) {
        I8259State *slave = I8259(master->cascade);
        vector = slave->vector_base | i8259_take(slave, &spurious);
        i8259_update(slave);
    }
    i8259_update(master);
    machine_irq_unlock(master->machine);
    log_if(LOG_IRQ, "i8259: acknowledged, vector %02x\n", vector);
    return vector;
}

bool i8259_pending(I8259State *master)
{
    machine_irq_lock(master->machine);
    bool level = master->output;
    machine_irq_unlock(master->machine);
    return level;
}

/* ---- registers -------------------------------------------------------------- */

static void i8259_write_icw1(I8259State *s, uint8_t value)
{
    s->irr = s->lines & s->elcr;
    s->imr = 0;
    s->isr = 0;
    s->lowest = 7;
    s->special_mask = false;
    s->read_isr = false;
    s->poll = false;
    s->auto_eoi = false;
    s->rotate_on_aeoi = false;
    s->special_fully_nested = false;
    s->init_icw4 = value & ICW1_IC4;
    s->single = value & ICW1_SNGL;
    s->init_step = INIT_ICW2;
}

static void i8259_write_init(I8259State *s, uint8_t value)
{
    switch (s->init_step) {
    case INIT_ICW2:
        s->vector_base = value & 0xf8;
        s->init_step = !s->single ? INIT_ICW3 : s->init_icw4 ? INIT_ICW4 : INIT_DONE;
        break;
    case INIT_ICW3: /* where the slaves are: wired, not programmed */
        s->init_step = s->init_icw4 ? INIT_ICW4 : INIT_DONE;
        break;
    case INIT_ICW4:
        s->auto_eoi = value & ICW4_AEOI;
        s->special_fully_nested = value & ICW4_SFNM;
        s->init_step = INIT_DONE;
        break;
    }
}

/* The most urgent input in service that an EOI without a level ends, or -1. */
static int i8259_nonspecific_target(const I8259State *s)
{
    unsigned p = i8259_priority(s, s->special_mask ? s->isr & ~s->imr : s->isr);

    return p < 8 ? (int)i8259_input_at(s, p) : -1;
}

/* R, SL, EOI in bits 7-5 (datasheet, figure 8). */
static void i8259_write_ocw2(I8259State *s, uint8_t value)
{
    bool rotate = value & 0x80, specific = value & 0x40, eoi = value & 0x20;
    int level = specific ? value & 7 : i8259_nonspecific_target(s);

    if (!eoi && !specific) {
        s->rotate_on_aeoi = rotate;
        return;
    }
    if (level < 0) {
        return;
    }
    if (eoi) {
        s->isr &= ~bit_at(level);
    }
    if (rotate) {
        s->lowest = level;
    }
}

static void i8259_write_ocw3(I8259State *s, uint8_t value)
{
    if (value & OCW3_POLL) {
        s->poll = true;
    }
    if (value & OCW3_RR) {
        s->read_isr = value & OCW3_RIS;
    }
    if (value & OCW3_ESMM) {
        s->special_mask = value & OCW3_SMM;
    }
}

static void i8259_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    I8259State *s = opaque;

    machine_irq_lock(s->machine);
    if (addr == 0 && (data & ICW1)) {
        i8259_write_icw1(s, data);
    } else if (addr == 0 && (data & OCW3)) {
        i8259_write_ocw3(s, data);
    } else if (addr == 0) {
        i8259_write_ocw2(s, data);
    } else if (s->init_step != INIT_DONE) {
        i8259_write_init(s, data);
    } else {
        s->imr = data;
    }
    i8259_update(s);
    machine_irq_unlock(s->machine);
}

static uint8_t i8259_read_poll(I8259State *s)
{
    bool spurious;
    int n = i8259_take(s, &spurious);

    s->poll = false;
    i8259_update(s);
    return spurious ? 0 : POLL_PENDING | n;
}

static uint64_t i8259_read(void *opaque, hwaddr addr, unsigned size)
{
    I8259State *s = opaque;
    uint8_t value;

    machine_irq_lock(s->machine);
    if (s->poll) {
        value = i8259_read_poll(s);
    } else if (addr == 1) {
        value = s->imr;
    } else {
        value = s->read_isr ? s->isr : s->irr;
    }
    machine_irq_unlock(s->machine);
    return value;
}

static uint64_t i8259_elcr_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((I8259State *)opaque)->elcr;
}

static void i8259_elcr_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    I8259State *s = opaque;

    machine_irq_lock(s->machine);
    s->elcr = data & s->elcr_mask;
    s->irr = (s->irr & ~s->elcr) | (s->lines & s->elcr);
    i8259_update(s);
    machine_irq_unlock(s->machine);
}

static const MemoryRegionOps i8259_ops = {
    .read = i8259_read,
    .write = i8259_write,
    .impl = {1, 1},
    .lock = MR_LOCK_NONE,
};

static const MemoryRegionOps i8259_elcr_ops = {
    .read = i8259_elcr_read,
    .write = i8259_elcr_write,
    .impl = {1, 1},
    .lock = MR_LOCK_NONE,
};

/* ---- for people ------------------------------------------------------------------- */

static void i8259_print(InterruptController *intc, GString *out)
{
    I8259State *s = (I8259State *)intc;

    machine_irq_lock(s->machine);
    g_string_append_printf(out,
                           "pic%d: irr=%02x imr=%02x isr=%02x hprio=%d irq_base=%02x rr_sel=%d "
                           "elcr=%02x fnm=%d\n",
                           s->master ? 0 : 1, s->irr, s->imr, s->isr, (s->lowest + 1) & 7,
                           s->vector_base, s->read_isr, s->elcr, s->special_fully_nested);
    machine_irq_unlock(s->machine);
}

/* The master answers for both. */
static unsigned i8259_get_counts(InterruptController *intc, const uint64_t **ret_counts)
{
    I8259State *s = (I8259State *)intc;

    if (!s->master) {
        return 0;
    }
    if (s->cascade) {
        memcpy(s->counts + 8, I8259(s->cascade)->counts + 8, 8 * sizeof(s->counts[0]));
    }
    *ret_counts = s->counts;
    return ISA_NUM_IRQS;
}

/* ---- device -------------------------------------------------------------------- */

/* Levels at the inputs belong to who drives them and survive. */
static void i8259_reset(DeviceState *dev, ResetType type)
{
    I8259State *s = I8259(dev);

    machine_irq_lock(s->machine);
    s->elcr = 0;
    i8259_write_icw1(s, 0);
    s->init_step = INIT_DONE;
    s->vector_base = 0;
    machine_irq_unlock(s->machine);
}

static void i8259_reset_hold(DeviceState *dev)
{
    I8259State *s = I8259(dev);

    machine_irq_lock(s->machine);
    s->output = i8259_pending_input(s) >= 0;
    irq_set(s->intr, s->output);
    machine_irq_unlock(s->machine);
}

static bool i8259_realize(DeviceState *dev, GError **error)
{
    I8259State *s = I8259(dev);

    s->machine = qdev_get_machine(dev);
    s->lowest = 7;
    qdev_init_gpio_in(dev, i8259_set_irq, 8);
    qdev_init_gpio_out(dev, &s->intr, 1);
    memory_region_init_io(&s->io, OBJECT(s), &i8259_ops, s, "pic", 2);
    isa_register_ioport(&s->parent_obj, &s->io, s->iobase);
    if (s->elcr_addr != ISA_NONE) {
        memory_region_init_io(&s->elcr_io, OBJECT(s), &i8259_elcr_ops, s, "elcr", 1);
        isa_register_ioport(&s->parent_obj, &s->elcr_io, s->elcr_addr);
    }
    return true;
}

static I8259State *i8259_create(ISABus *bus, I8259State *slave, GError **error)
{
    ISADevice *dev = isa_new(TYPE_I8259, error);
    Object *obj = OBJECT(dev);

    if (!dev) {
        return NULL;
    }
    object_property_set_bool(obj, "master", slave != NULL, NULL);
    object_property_set_uint(obj, "iobase", slave ? 0x20 : 0xa0, NULL);
    object_property_set_uint(obj, "elcr_addr", slave ? 0x4d0 : 0x4d1, NULL);
    object_property_set_uint(obj, "elcr_mask", slave ? 0xf8 : 0xde, NULL);
    if (slave) {
        object_property_set_link(obj, "cascade", OBJECT(slave), NULL);
    }
    return isa_realize_and_unref(dev, bus, error) ? I8259(dev) : NULL;
}

bool i8259_create_pair(ISABus *bus, IRQ intr, I8259Pair *ret_pair, GError **error)
{
    I8259State *slave = i8259_create(bus, NULL, error);
    I8259State *master = slave ? i8259_create(bus, slave, error) : NULL;

    if (!master) {
        return false;
    }
    qdev_connect_gpio_out(DEVICE(master), 0, intr);
    qdev_on_unrealize(DEVICE(master), (void (*)(void *))irq_unref, irq_ref(intr));
    qdev_connect_gpio_out(DEVICE(slave), 0, qdev_get_gpio_in(DEVICE(master), CASCADE_INPUT));
    *ret_pair = (I8259Pair){.master = master, .slave = slave};
    for (int i = 0; i < 8; i++) {
        ret_pair->irqs[i] = qdev_get_gpio_in(DEVICE(master), i);
        ret_pair->irqs[8 + i] = qdev_get_gpio_in(DEVICE(slave), i);
    }
    ret_pair->irqs[CASCADE_INPUT] = NULL;
    return true;
}

static const Property i8259_properties[] = {
    DEFINE_PROP_UINT32("iobase", I8259State, iobase, 0x20, "first of two ports", .max = 0xfffe),
    DEFINE_PROP_UINT32("elcr_addr", I8259State, elcr_addr, ISA_NONE,
                       "port of the edge/level control register; ffffffffh: none"),
    DEFINE_PROP_UINT8("elcr_mask", I8259State, elcr_mask, 0xff, "inputs that may be level"),
    DEFINE_PROP_BOOL("master", I8259State, master, false, "its INTR leads to the CPU"),
    DEFINE_PROP_LINK("cascade", I8259State, cascade, TYPE_I8259, "slave at input 2"),
    DEFINE_PROP_END,
};

static const StateField i8259_state[] = {
    STATE_FIELD(I8259State, lines),
    STATE_FIELD(I8259State, irr),
    STATE_FIELD(I8259State, imr),
    STATE_FIELD(I8259State, isr),
    STATE_FIELD(I8259State, elcr),
    STATE_FIELD(I8259State, lowest),
    STATE_FIELD(I8259State, vector_base),
    STATE_FIELD(I8259State, init_step),
    STATE_FIELD(I8259State, init_icw4),
    STATE_FIELD(I8259State, single),
    STATE_FIELD(I8259State, auto_eoi),
    STATE_FIELD(I8259State, rotate_on_aeoi),
    STATE_FIELD(I8259State, special_fully_nested),
    STATE_FIELD(I8259State, special_mask),
    STATE_FIELD(I8259State, read_isr),
    STATE_FIELD(I8259State, poll),
    STATE_FIELD(I8259State, output),
    STATE_END,
};

static void i8259_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    InterruptControllerClass *ic =
        OBJECT_CLASS_CHECK(InterruptControllerClass, klass, TYPE_INTERRUPT_CONTROLLER);

    ic->print = i8259_print;
    ic->get_counts = i8259_get_counts;
    dc->realize = i8259_realize;
    dc->reset_enter = i8259_reset;
    dc->reset_hold = i8259_reset_hold;
    dc->state = i8259_state;
    dc->user_creatable = false;
}

static const TypeInfo i8259_types[] = {
    {.name = TYPE_I8259,
     .parent = TYPE_ISA_DEVICE,
     .instance_size = sizeof(I8259State),
     .class_init = i8259_class_init,
     .interfaces = (const InterfaceInfo[]){{TYPE_INTERRUPT_CONTROLLER}, {NULL}},
     .properties = i8259_properties,
     .doc = "8259A interrupt controller"},
};
DEFINE_TYPES(i8259_types)
