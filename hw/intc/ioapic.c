/* SPDX-License-Identifier: MIT
 *
 * I/O APIC: Intel 82093AA datasheet (290566), section 3; EOI register of version
 * 20h as in the ICH (ICH9 datasheet, 13.5.5).  Lines are logical (asserted is 1), so the
 * polarity bit is kept and changes nothing.
 *
 *   00  IOREGSEL   index of the register at 10
 *   10  IOWIN      00 ID, 01 version, 02 arbitration, 10+2n and 11+2n redirection
 *   40  EOI        vector (version 20h)
 */
#include "hw/intc/ioapic.h"

#include "hw/intc/intc.h"
#include "system/log.h"

#define REG_SELECT 0x00
#define REG_WINDOW 0x10
#define REG_EOI    0x40

#define INDEX_ID          0x00
#define INDEX_VERSION     0x01
#define INDEX_ARBITRATION 0x02
#define INDEX_REDIRECTION 0x10

#define ENTRY_MODE_SHIFT 8
#define ENTRY_LOGICAL    (1ull << 11)
#define ENTRY_STATUS     (1ull << 12)
#define ENTRY_REMOTE_IRR (1ull << 14)
#define ENTRY_LEVEL      (1ull << 15)
#define ENTRY_MASKED     (1ull << 16)
#define ENTRY_DEST_SHIFT 56
#define ENTRY_READ_ONLY  (ENTRY_STATUS | ENTRY_REMOTE_IRR)
#define ENTRY_WRITABLE   0xff0000000001ffffull

#define ID_SHIFT    24
#define ID_MASK     0xf
#define VERSION_EOI 0x20

struct IOAPICState {
    SysBusDevice parent_obj;
    MachineState *machine;
    APICBus *bus;
    MemoryRegion mmio;
    uint8_t version, initial_id;
    IOAPICRouteHandler route_handler;
    void *route_opaque;

    /* under the irq lock */
    uint8_t id, select;
    uint32_t lines; /* levels at the pins */
    uint64_t entries[IOAPIC_NUM_PINS];
    uint64_t counts[IOAPIC_NUM_PINS]; /* by input: how often it rose */
    uint32_t inputs;                  /* their levels */
};

/* ---- delivery -------------------------------------------------------------------- */

/* SMI, NMI, INIT and ExtINT are edges whatever the trigger mode says (3.2.4, delivery mode). */
static bool entry_is_level(uint64_t e)
{
    return (e & ENTRY_LEVEL) && (e >> ENTRY_MODE_SHIFT & 7) <= APIC_DM_LOWEST;
}

static APICMessage ioapic_message(const IOAPICState *s, int pin)
{
    uint64_t e = s->entries[pin];

    return (APICMessage){
        .dest = e >> ENTRY_DEST_SHIFT,
        .vector = e & 0xff,
        .mode = e >> ENTRY_MODE_SHIFT & 7,
        .logical = e & ENTRY_LOGICAL,
        .level = entry_is_level(e),
    };
}

static void ioapic_send(IOAPICState *s, int pin)
{
    APICMessage message = ioapic_message(s, pin);

    log_if(LOG_IRQ, "ioapic: pin %d sends vector %02x, mode %u, to %s %02x\n", pin, message.vector,
           message.mode, message.logical ? "logical" : "physical", message.dest);
    if (message.level) {
        s->entries[pin] |= ENTRY_REMOTE_IRR;
    }
    apic_bus_deliver(s->bus, &message);
}

/* A level that is up and not yet acknowledged (3.2.4, remote IRR). */
static void ioapic_service_level(IOAPICState *s, int pin)
{
    uint64_t e = s->entries[pin];

    if (entry_is_level(e) && (s->lines & 1u << pin) && !(e & (ENTRY_MASKED | ENTRY_REMOTE_IRR))) {
        ioapic_send(s, pin);
    }
}

/*
 * An edge at a masked pin is not remembered (3.2.4, interrupt mask).  Input n is a PC's GSI n:
 * its GSI 0, the 8254, comes in at pin 2, where an 8259 would (MADT: interrupt source override).
 */
static void ioapic_set_irq(void *opaque, int n, int level)
{
    IOAPICState *s = opaque;
    int pin = n == 0 ? 2 : n;

    machine_irq_lock(s->machine);
    s->counts[n] += level && !(s->inputs & 1u << n);
    s->inputs = level ? s->inputs | 1u << n : s->inputs & ~(1u << n);
    bool rising = level && !(s->lines & 1u << pin);
    s->lines = level ? s->lines | 1u << pin : s->lines & ~(1u << pin);
    if (entry_is_level(s->entries[pin])) {
        ioapic_service_level(s, pin);
    } else if (rising && !(s->entries[pin] & ENTRY_MASKED)) {
        ioapic_send(s, pin);
    }
    machine_irq_unlock(s->machine);
}

static void ioapic_eoi(void *opaque, uint8_t vector)
{
    IOAPICState *s = opaque;

    for (int pin = 0; pin < IOAPIC_NUM_PINS; pin++) {
        uint64_t e = s->entries[pin];
        if ((e & 0xff) == vector && (e & ENTRY_REMOTE_IRR)) {
            s->entries[pin] &= ~ENTRY_REMOTE_IRR;
            ioapic_service_level(s, pin);
        }
    }
}

/* ---- registers -------------------------------------------------------------------- */

static void ioapic_tell_route(IOAPICState *s, int pin)
{
    APICMessage message = ioapic_message(s, pin);

    if (s->route_handler) {
        s->route_handler(s->route_opaque, pin, apic_message_address(&message),
                         apic_message_data(&message), s->entries[pin] & ENTRY_MASKED);
    }
}

void ioapic_set_route_handler(IOAPICState *s, IOAPICRouteHandler fn, void *opaque)
{
    machine_irq_lock(s->machine);
    s->route_handler = fn;
    s->route_opaque = opaque;
    for (int pin = 0; pin < IOAPIC_NUM_PINS; pin++) {
        ioapic_tell_route(s, pin);
    }
    machine_irq_unlock(s->machine);
}

static void ioapic_write_entry(IOAPICState *s, unsigned index, uint32_t value)
{
    unsigned pin = index / 2, shift = index % 2 * 32;
    uint64_t *e = &s->entries[pin];
    uint64_t writable = (ENTRY_WRITABLE & ~ENTRY_READ_ONLY) & (0xffffffffull << shift);

    *e = (*e & ~writable) | ((uint64_t)value << shift & writable);
    if (!(*e & ENTRY_LEVEL)) {
        *e &= ~ENTRY_REMOTE_IRR;
    }
    ioapic_tell_route(s, pin);
    ioapic_service_level(s, pin);
}

static void ioapic_write_window(IOAPICState *s, uint32_t value)
{
    unsigned entry = s->select - INDEX_REDIRECTION;

    if (s->select == INDEX_ID) {
        s->id = value >> ID_SHIFT & ID_MASK;
    } else if (s->select >= INDEX_REDIRECTION && entry < 2 * IOAPIC_NUM_PINS) {
        ioapic_write_entry(s, entry, value);
    } else {
        log_guest_error("ioapic: write of %08x to register %02x\n", value, s->select);
    }
}

static uint32_t ioapic_read_window(const IOAPICState *s)
{
    unsigned entry = s->select - INDEX_REDIRECTION;

    switch (s->select) {
    case INDEX_ID:
    case INDEX_ARBITRATION:
        return (uint32_t)s->id << ID_SHIFT;
    case INDEX_VERSION:
        return s->version | (IOAPIC_NUM_PINS - 1) << 16;
    default:
        return s->select >= INDEX_REDIRECTION && entry < 2 * IOAPIC_NUM_PINS
                   ? s->entries[entry / 2] >> entry % 2 * 32
                   : 0;
    }
}

static uint64_t ioapic_read(void *opaque, hwaddr addr, unsigned size)
{
    IOAPICState *s = opaque;
    uint32_t value = 0;

    machine_irq_lock(s->machine);
    if (addr == REG_SELECT) {
        value = s->select;
    } else if (addr == REG_WINDOW) {
        value = ioapic_read_window(s);
    }
    machine_irq_unlock(s->machine);
    return value;
}

static void ioapic_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    IOAPICState *s = opaque;

    machine_irq_lock(s->machine);
    if (addr == REG_SELECT) {
        s->select = data;
    } else if (addr == REG_WINDOW) {
        ioapic_write_window(s, data);
    } else if (addr == REG_EOI && s->version >= VERSION_EOI) {
        ioapic_eoi(s, data);
    }
    machine_irq_unlock(s->machine);
}

static const MemoryRegionOps ioapic_ops = {
    .read = ioapic_read,
    .write = ioapic_write,
    .valid = {1, 4},
    .impl = {1, 4},
    .lock = MR_LOCK_NONE,
};

/* ---- for people --------------------------------------------------------------------- */

static void print_pins(uint32_t pins, GString *out)
{
    for (int pin = 0; pin < IOAPIC_NUM_PINS; pin++) {
        if (pins >> pin & 1) {
            g_string_append_printf(out, " %d", pin);
        }
    }
    g_string_append(out, pins ? "\n" : " (none)\n");
}

static void print_entry(int pin, uint64_t e, GString *out)
{
    static const char *const modes[] = {"fixed", "lowest", "SMI", "...", "NMI", "INIT", "...",
                                        "extINT"};

    g_string_append_printf(out,
                           "  pin %-2d 0x%016" G_GINT64_MODIFIER "x dest=%" G_GINT64_MODIFIER
                           "x vec=%-3u %s %-5s %-6s %-6s %s\n",
                           pin, e, e >> ENTRY_DEST_SHIFT, (unsigned)(e & 0xff),
                           e & 1u << 13 ? "active-lo" : "active-hi",
                           e & ENTRY_LEVEL ? "level" : "edge", e & ENTRY_MASKED ? "masked" : "",
                           modes[e >> ENTRY_MODE_SHIFT & 7],
                           e & ENTRY_LOGICAL ? "logical" : "physical");
}

static void ioapic_print(InterruptController *intc, GString *out)
{
    IOAPICState *s = (IOAPICState *)intc;
    uint32_t remote_irr = 0, request = 0;

    machine_irq_lock(s->machine);
    g_string_append_printf(out, "ioapic0: ver=0x%x id=0x%02x sel=0x%02x", s->version, s->id,
                           s->select);
    if (s->select >= INDEX_REDIRECTION) {
        g_string_append_printf(out, " (redir[%d])", (s->select - INDEX_REDIRECTION) / 2);
    }
    g_string_append_c(out, '\n');
    for (int pin = 0; pin < IOAPIC_NUM_PINS; pin++) {
        uint64_t e = s->entries[pin];

        print_entry(pin, e, out);
        remote_irr |= (uint32_t)!!(e & ENTRY_REMOTE_IRR) << pin;
        request |= entry_is_level(e) ? s->lines & 1u << pin : 0;
    }
    g_string_append(out, "  IRR     ");
    print_pins(request, out);
    g_string_append(out, "  Remote IRR");
    print_pins(remote_irr, out);
    machine_irq_unlock(s->machine);
}

static unsigned ioapic_get_counts(InterruptController *intc, const uint64_t **ret_counts)
{
    *ret_counts = ((IOAPICState *)intc)->counts;
    return IOAPIC_NUM_PINS;
}

/* ---- device ---------------------------------------------------------------------- */

static void ioapic_reset(DeviceState *dev, ResetType type)
{
    IOAPICState *s = IOAPIC(dev);

    machine_irq_lock(s->machine);
    s->id = s->initial_id & ID_MASK;
    s->select = 0;
    for (int pin = 0; pin < IOAPIC_NUM_PINS; pin++) {
        s->entries[pin] = ENTRY_MASKED;
        ioapic_tell_route(s, pin);
    }
    machine_irq_unlock(s->machine);
}

static void ioapic_leave_bus(void *opaque)
{
    IOAPICState *s = opaque;

    apic_bus_del_eoi_handler(s->bus, ioapic_eoi, s);
    object_unref(s->bus);
}

static bool ioapic_check_version(IOAPICState *s, GError **error)
{
    if (s->version == 0x11 || s->version == VERSION_EOI) {
        return true;
    }
    g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                TYPE_IOAPIC ": version=%#x: only 0x11 and 0x20 are known", s->version);
    return false;
}

static bool ioapic_realize(DeviceState *dev, GError **error)
{
    IOAPICState *s = IOAPIC(dev);

    if (!ioapic_check_version(s, error)) {
        return false;
    }
    s->machine = qdev_get_machine(dev);
    s->bus = apic_bus_get(s->machine);
    memory_region_init_io(&s->mmio, OBJECT(s), &ioapic_ops, s, "ioapic", 0x1000);
    sysbus_init_mmio(&s->parent_obj, &s->mmio);
    qdev_init_gpio_in(dev, ioapic_set_irq, IOAPIC_NUM_PINS);
    ioapic_reset(dev, RESET_COLD);
    apic_bus_add_eoi_handler(s->bus, ioapic_eoi, s);
    object_ref(s->bus); /* it may leave the tree before this */
    qdev_on_unrealize(dev, ioapic_leave_bus, s);
    return true;
}

static const Property ioapic_properties[] = {
    DEFINE_PROP_UINT8("version", IOAPICState, version, VERSION_EOI, "0x11 or 0x20 (EOI register)"),
    DEFINE_PROP_UINT8("id", IOAPICState, initial_id, 0, "APIC ID after reset", .max = ID_MASK),
    DEFINE_PROP_END,
};

static const StateField ioapic_state[] = {
    STATE_FIELD(IOAPICState, id),
    STATE_FIELD(IOAPICState, select),
    STATE_FIELD(IOAPICState, lines),
    STATE_FIELD(IOAPICState, inputs),
    STATE_FIELD(IOAPICState, entries),
    STATE_END,
};

static void ioapic_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    InterruptControllerClass *ic =
        OBJECT_CLASS_CHECK(InterruptControllerClass, klass, TYPE_INTERRUPT_CONTROLLER);

    ic->print = ioapic_print;
    ic->get_counts = ioapic_get_counts;
    dc->realize = ioapic_realize;
    dc->reset_enter = ioapic_reset;
    dc->state = ioapic_state;
    dc->user_creatable = false;
}

static const TypeInfo ioapic_types[] = {
    {.name = TYPE_IOAPIC,
     .parent = TYPE_SYS_BUS_DEVICE,
     .instance_size = sizeof(IOAPICState),
     .class_init = ioapic_class_init,
     .interfaces = (const InterfaceInfo[]){{TYPE_INTERRUPT_CONTROLLER}, {NULL}},
     .properties = ioapic_properties,
     .doc = "I/O APIC with 24 inputs"},
};
DEFINE_TYPES(ioapic_types)
