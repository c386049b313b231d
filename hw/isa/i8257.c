/* SPDX-License-Identifier: MIT
 *
 * 8237A DMA controller with the page registers of a PC: Intel 8237A datasheet
 * (231466); ports and pages as in the ICH9 datasheet, 13.2.  Of the modes: single,
 * demand and block (which do not differ here), read, write and verify, increment and
 * decrement, autoinitialise.  Memory-to-memory and cascade are not there.
 *
 *   0-7  address and count of a channel, low byte first (flip-flop)
 *   8  command / status    9  request       a  mask bit       b  mode
 *   c  clear flip-flop     d  master clear  e  clear mask     f  all mask bits
 *
 * Registers are under the irq lock: devices assert requests under their own locks.
 */
#include "hw/isa/i8257.h"

#include <string.h>

#include "hw/core/machine.h"
#include "system/log.h"

#define CHANNELS 4

#define COMMAND_DISABLE 0x04
#define MODE_TYPE_MASK  0x0c
#define MODE_TYPE_WRITE 0x04 /* to memory */
#define MODE_TYPE_READ  0x08
#define MODE_AUTO       0x10
#define MODE_DECREMENT  0x20

OBJECT_DECLARE_SIMPLE(I8257State, I8257, TYPE_I8257)

typedef struct I8257Channel {
    uint16_t base_addr, base_count; /* as written */
    uint16_t addr, count;           /* where the transfer is */
    uint8_t mode, page;
} I8257Channel;

struct I8257State {
    ISADevice parent_obj;
    MemoryRegion io, page_io;
    MachineState *machine;
    BottomHalf *run;
    uint32_t iobase, page_base;
    uint8_t dshift;
    struct {
        ISADMATransfer fn;
        void *opaque;
    } clients[CHANNELS];

    I8257Channel channels[CHANNELS];
    uint8_t pages[8];
    uint8_t command, status, mask, temporary;
    uint8_t requests; /* lines */
    bool flip_flop;
};

/* Page register of each channel, as an offset from page_base (IBM AT). */
static const uint8_t page_of_channel[CHANNELS] = {7, 3, 1, 2};

/* ---- transfers ------------------------------------------------------------------------- */

static bool channel_wants(const I8257State *s, int n)
{
    return !(s->command & COMMAND_DISABLE) && !(s->mask & 1u << n) && (s->requests & 1u << n) &&
           s->clients[n].fn;
}

static void i8257_kick(I8257State *s)
{
    for (int n = 0; n < CHANNELS; n++) {
        if (channel_wants(s, n)) {
            bh_schedule(s->run);
            return;
        }
    }
}

static void channel_load(I8257Channel *c)
{
    c->addr = c->base_addr;
    c->count = c->base_count;
}

/* The client has got to `pos` bytes of the block of `len`. */
static void channel_advance(I8257State *s, int n, uint32_t pos, uint32_t len)
{
    I8257Channel *c = &s->channels[n];

    if (pos < len) {
        uint16_t units = pos >> s->dshift;
        c->count = c->base_count - units;
        c->addr = c->mode & MODE_DECREMENT ? c->base_addr - units : c->base_addr + units;
        return;
    }
    s->status |= 1u << n; /* terminal count */
    if (c->mode & MODE_AUTO) {
        channel_load(c);
    } else {
        c->count = 0xffff;
        s->mask |= 1u << n;
    }
}

static uint32_t channel_length(const I8257State *s, int n)
{
    return (s->channels[n].base_count + 1u) << s->dshift;
}

static uint32_t channel_position(const I8257State *s, int n)
{
    const I8257Channel *c = &s->channels[n];

    return (uint32_t)(uint16_t)(c->base_count - c->count) << s->dshift;
}

/* One call a channel a turn of the loop: a client that never ends does not hold it. */
static void i8257_run(void *opaque)
{
    I8257State *s = opaque;

    for (int n = 0; n < CHANNELS; n++) {
        machine_irq_lock(s->machine);
        bool wants = channel_wants(s, n);
        uint32_t pos = channel_position(s, n), len = channel_length(s, n);
        machine_irq_unlock(s->machine);
        if (wants) {
            pos = s->clients[n].fn(s->clients[n].opaque, n, pos, len);
            machine_irq_lock(s->machine);
            channel_advance(s, n, pos, len);
            machine_irq_unlock(s->machine);
        }
    }
    machine_irq_lock(s->machine);
    i8257_kick(s);
    machine_irq_unlock(s->machine);
}

static uint64_t channel_address(const I8257State *s, int n, uint32_t pos, uint32_t len)
{
    const I8257Channel *c = &s->channels[n];
    uint32_t start = c->base_addr << s->dshift;
    uint32_t page = (uint32_t)(s->pages[page_of_channel[n]] & (s->dshift ? 0xfe : 0xff)) << 16;
    uint32_t offset = c->mode & MODE_DECREMENT ? start - pos - len + 1 : start + pos;

    return page | (offset & ((0x10000u << s->dshift) - 1));
}

static void reverse_bytes(uint8_t *bytes, uint32_t len)
{
    for (uint32_t i = 0; i < len / 2; i++) {
        uint8_t b = bytes[i];
        bytes[i] = bytes[len - 1 - i];
        bytes[len - 1 - i] = b;
    }
}

static uint32_t i8257_read_memory(ISADMA *dma, int n, void *buf, uint32_t pos, uint32_t len)
{
    I8257State *s = (I8257State *)dma;
    uint8_t mode = s->channels[n].mode;

    if ((mode & MODE_TYPE_MASK) != MODE_TYPE_READ) {
        memset(buf, 0, len);
        return len;
    }
    address_space_read(&s->machine->address_space_memory, channel_address(s, n, pos, len),
                       MEMTXATTRS_DMA, buf, len);
    if (mode & MODE_DECREMENT) {
        reverse_bytes(buf, len);
    }
    return len;
}

static uint32_t i8257_write_memory(ISADMA *dma, int n, const void *buf, uint32_t pos, uint32_t len)
{
    I8257State *s = (I8257State *)dma;
    uint8_t mode = s->channels[n].mode;
    g_autofree uint8_t *bytes = g_memdup2(buf, len);

    if ((mode & MODE_TYPE_MASK) != MODE_TYPE_WRITE) {
        return len;
    }
    if (mode & MODE_DECREMENT) {
        reverse_bytes(bytes, len);
    }
    address_space_write(&s->machine->address_space_memory, channel_address(s, n, pos, len),
                        MEMTXATTRS_DMA, bytes, len);
    return len;
}

static void i8257_register_channel(ISADMA *dma, int n, ISADMATransfer transfer, void *opaque)
{
    I8257State *s = (I8257State *)dma;

    machine_irq_lock(s->machine);
    s->clients[n].fn = transfer;
    s->clients[n].opaque = opaque;
    machine_irq_unlock(s->machine);
}

static void i8257_set_request(ISADMA *dma, int n, bool level)
{
    I8257State *s = (I8257State *)dma;

    machine_irq_lock(s->machine);
    s->requests = level ? s->requests | 1u << n : s->requests & ~(1u << n);
    i8257_kick(s);
    machine_irq_unlock(s->machine);
}

/* ---- registers ------------------------------------------------------------------------- */

static void write_half(uint16_t *reg, bool high, uint8_t value)
{
    *reg = high ? (*reg & 0xff) | value << 8 : (*reg & 0xff00) | value;
}

static void channel_write(I8257State *s, unsigned reg, uint8_t value)
{
    I8257Channel *c = &s->channels[reg >> 1];

    write_half(reg & 1 ? &c->base_count : &c->base_addr, s->flip_flop, value);
    s->flip_flop = !s->flip_flop;
    channel_load(c);
}

static uint8_t channel_read(I8257State *s, unsigned reg)
{
    const I8257Channel *c = &s->channels[reg >> 1];
    uint16_t value = reg & 1 ? c->count : c->addr;
    bool high = s->flip_flop;

    s->flip_flop = !s->flip_flop;
    return high ? value >> 8 : value & 0xff;
}

static void i8257_master_clear(I8257State *s)
{
    s->command = s->status = s->temporary = 0;
    s->flip_flop = false;
    s->mask = 0x0f;
}

static void i8257_write_register(I8257State *s, unsigned reg, uint8_t value)
{
    switch (reg) {
    case 0x0 ... 0x7:
        channel_write(s, reg, value);
        break;
    case 0x8:
        s->command = value;
        break;
    case 0x9: /* a request by software */
        s->requests =
            value & 4 ? s->requests | 1u << (value & 3) : s->requests & ~(1u << (value & 3));
        break;
    case 0xa:
        s->mask = value & 4 ? s->mask | 1u << (value & 3) : s->mask & ~(1u << (value & 3));
        break;
    case 0xb:
        s->channels[value & 3].mode = value & ~3;
        break;
    case 0xc:
        s->flip_flop = false;
        break;
    case 0xd:
        i8257_master_clear(s);
        break;
    case 0xe:
        s->mask = 0;
        break;
    case 0xf:
        s->mask = value & 0x0f;
        break;
    }
    i8257_kick(s);
}

static uint8_t i8257_read_register(I8257State *s, unsigned reg)
{
    uint8_t value;

    switch (reg) {
    case 0x0 ... 0x7:
        return channel_read(s, reg);
    case 0x8:
        value = s->status | s->requests << 4;
        s->status = 0; /* terminal counts are cleared by reading */
        return value;
    case 0xd:
        return s->temporary;
    case 0xf:
        return s->mask | 0xf0;
    default:
        return 0xff;
    }
}

static uint64_t i8257_read(void *opaque, hwaddr addr, unsigned size)
{
    I8257State *s = opaque;

    machine_irq_lock(s->machine);
    uint8_t value = i8257_read_register(s, addr >> s->dshift);
    machine_irq_unlock(s->machine);
    return value;
}

static void i8257_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    I8257State *s = opaque;

    machine_irq_lock(s->machine);
    i8257_write_register(s, addr >> s->dshift, data);
    machine_irq_unlock(s->machine);
}

static const MemoryRegionOps i8257_ops = {
    .read = i8257_read,
    .write = i8257_write,
    .impl = {1, 1},
    .lock = MR_LOCK_NONE,
};

static uint64_t i8257_page_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((I8257State *)opaque)->pages[addr];
}

static void i8257_page_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    ((I8257State *)opaque)->pages[addr] = data;
}

static const MemoryRegionOps i8257_page_ops = {
    .read = i8257_page_read,
    .write = i8257_page_write,
    .impl = {1, 1},
};

/* ---- device -------------------------------------------------------------------------- */

static void i8257_reset(DeviceState *dev, ResetType type)
{
    I8257State *s = I8257(dev);

    machine_irq_lock(s->machine);
    i8257_master_clear(s);
    memset(s->channels, 0, sizeof(s->channels));
    memset(s->pages, 0, sizeof(s->pages));
    s->requests = 0;
    machine_irq_unlock(s->machine);
}

static bool i8257_realize(DeviceState *dev, GError **error)
{
    I8257State *s = I8257(dev);

    s->machine = qdev_get_machine(dev);
    s->run = bh_new(device_event_loop(dev), i8257_run, s);
    qdev_on_unrealize(dev, (void (*)(void *))bh_free, s->run);
    memory_region_init_io(&s->io, OBJECT(s), &i8257_ops, s, "dma", 16u << s->dshift);
    memory_region_init_io(&s->page_io, OBJECT(s), &i8257_page_ops, s, "dma-page", 8);
    isa_register_ioport(&s->parent_obj, &s->io, s->iobase);
    isa_register_ioport(&s->parent_obj, &s->page_io, s->page_base);
    i8257_reset(dev, RESET_COLD);
    return true;
}

static I8257State *i8257_create(ISABus *bus, unsigned base, unsigned page, unsigned dshift,
                                GError **error)
{
    ISADevice *dev = isa_new(TYPE_I8257, error);

    if (!dev) {
        return NULL;
    }
    object_property_set_uint(OBJECT(dev), "base", base, NULL);
    object_property_set_uint(OBJECT(dev), "page-base", page, NULL);
    object_property_set_uint(OBJECT(dev), "dshift", dshift, NULL);
    return isa_realize_and_unref(dev, bus, error) ? I8257(dev) : NULL;
}

bool i8257_create_pair(ISABus *bus, GError **error)
{
    I8257State *low = i8257_create(bus, 0x00, 0x80, 0, error);
    I8257State *high = low ? i8257_create(bus, 0xc0, 0x88, 1, error) : NULL;

    if (!high) {
        return false;
    }
    isa_bus_dma(bus, ISA_DMA(low), ISA_DMA(high));
    return true;
}

static const Property i8257_properties[] = {
    DEFINE_PROP_UINT32("base", I8257State, iobase, 0x00, "first port", .max = 0xffe0),
    DEFINE_PROP_UINT32("page-base", I8257State, page_base, 0x80, "first of eight page registers",
                       .max = 0xfff8),
    DEFINE_PROP_UINT8("dshift", I8257State, dshift, 0, "0: bytes; 1: words, and every other port",
                      .min = 0, .max = 1),
    DEFINE_PROP_END,
};

static const StateField i8257_state[] = {
    STATE_FIELD(I8257State, channels),
    STATE_FIELD(I8257State, pages),
    STATE_FIELD(I8257State, command),
    STATE_FIELD(I8257State, status),
    STATE_FIELD(I8257State, mask),
    STATE_FIELD(I8257State, temporary),
    STATE_FIELD(I8257State, requests),
    STATE_FIELD(I8257State, flip_flop),
    STATE_END,
};

static void i8257_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ISADMAClass *ic = OBJECT_CLASS_CHECK(ISADMAClass, klass, TYPE_ISA_DMA);

    dc->realize = i8257_realize;
    dc->reset_enter = i8257_reset;
    dc->state = i8257_state;
    dc->user_creatable = false;
    ic->register_channel = i8257_register_channel;
    ic->set_request = i8257_set_request;
    ic->read_memory = i8257_read_memory;
    ic->write_memory = i8257_write_memory;
}

static const TypeInfo i8257_types[] = {
    {.name = TYPE_I8257,
     .parent = TYPE_ISA_DEVICE,
     .instance_size = sizeof(I8257State),
     .class_init = i8257_class_init,
     .interfaces = (const InterfaceInfo[]){{TYPE_ISA_DMA}, {NULL}},
     .properties = i8257_properties,
     .doc = "8237A DMA controller"},
};
DEFINE_TYPES(i8257_types)
