/* SPDX-License-Identifier: MIT
 *
 * Messages between interrupt controllers: SDM vol. 3, 11.3, 11.6.2
 * (destination), 11.8.1 (lowest priority), 11.11 (MSI address and data).
 *
 * The region at fee00000h: a CPU's accesses to its first page are to that CPU's own APIC, whose
 * registers no other CPU can see; what devices write, and what CPUs write to other
 * pages, are messages.
 */
#include "hw/intc/apic-internal.h"

#include "system/log.h"

#define APIC_PAGE_SIZE 0x1000
/* Above RAM and whatever PCI maps. */
#define APIC_REGION_PRIORITY 0x1000

typedef struct EOIHandler {
    APICEOIHandler fn;
    void *opaque;
} EOIHandler;

/* ---- delivery --------------------------------------------------------------- */

uint64_t apic_message_address(const APICMessage *m)
{
    return MSI_ADDRESS_BASE | (m->dest & 0xff) << MSI_ADDR_DEST_SHIFT |
           (m->logical ? MSI_ADDR_LOGICAL : 0) |
           (m->mode == APIC_DM_LOWEST ? MSI_ADDR_REDIRECT : 0);
}

uint32_t apic_message_data(const APICMessage *m)
{
    return m->vector | (uint32_t)m->mode << MSI_DATA_MODE_SHIFT |
           (m->level ? MSI_DATA_TRIGGER | MSI_DATA_LEVEL : 0);
}

/* The least busy of those that match; equals take turns (SDM vol. 3, 11.6.2.4). */
static void bus_deliver_lowest(APICBus *bus, const APICMessage *message)
{
    unsigned n = bus->apics->len, best_index = 0;
    LocalAPIC *best = NULL;

    for (unsigned i = 1; i <= n; i++) {
        unsigned index = (bus->last_lowest + i) % n;
        LocalAPIC *s = bus->apics->pdata[index];
        if (apic_is_software_enabled(s) && apic_matches(s, message) &&
            (!best || apic_ppr(s) < apic_ppr(best))) {
            best = s;
            best_index = index;
        }
    }
    if (best) {
        bus->last_lowest = best_index;
        apic_accept(best, message);
    }
}

static void bus_deliver_local(APICBus *bus, const APICMessage *message)
{
    if (message->mode == APIC_DM_LOWEST) {
        bus_deliver_lowest(bus, message);
        return;
    }
    for (unsigned i = 0; i < bus->apics->len; i++) {
        LocalAPIC *s = bus->apics->pdata[i];
        if (apic_matches(s, message)) {
            apic_accept(s, message);
        }
    }
}

void apic_bus_deliver(APICBus *bus, const APICMessage *message)
{
    machine_irq_lock(bus->machine);
    if (bus->sink) {
        bus->sink(bus->sink_opaque, apic_message_address(message), apic_message_data(message));
    } else {
        bus_deliver_local(bus, message);
    }
    machine_irq_unlock(bus->machine);
}

void apic_bus_send_msi(APICBus *bus, uint64_t address, uint32_t data)
{
    uint8_t mode = data >> MSI_DATA_MODE_SHIFT & 7;
    bool redirect = (address & MSI_ADDR_REDIRECT) && mode == APIC_DM_FIXED;
    APICMessage message = {
        .dest = address >> MSI_ADDR_DEST_SHIFT & 0xff,
        .vector = data & MSI_DATA_VECTOR_MASK,
        .mode = redirect ? APIC_DM_LOWEST : mode,
        .logical = address & MSI_ADDR_LOGICAL,
        .level = data & MSI_DATA_TRIGGER,
    };

    machine_irq_lock(bus->machine);
    if (bus->sink) {
        bus->sink(bus->sink_opaque, address, data);
    } else {
        bus_deliver_local(bus, &message);
    }
    machine_irq_unlock(bus->machine);
}

void apic_bus_set_sink(APICBus *bus, APICMSISink sink, void *opaque)
{
    machine_irq_lock(bus->machine);
    bus->sink = sink;
    bus->sink_opaque = opaque;
    machine_irq_unlock(bus->machine);
}

void apic_bus_eoi(APICBus *bus, uint8_t vector)
{
    machine_irq_lock(bus->machine);
    for (GSList *l = bus->eoi_handlers; l; l = l->next) {
        EOIHandler *h = l->data;
        h->fn(h->opaque, vector);
    }
    machine_irq_unlock(bus->machine);
}

void apic_bus_add_eoi_handler(APICBus *bus, APICEOIHandler fn, void *opaque)
{
    EOIHandler *h = g_new(EOIHandler, 1);

    *h = (EOIHandler){fn, opaque};
    machine_irq_lock(bus->machine);
    bus->eoi_handlers = g_slist_append(bus->eoi_handlers, h);
    machine_irq_unlock(bus->machine);
}

void apic_bus_del_eoi_handler(APICBus *bus, APICEOIHandler fn, void *opaque)
{
    machine_irq_lock(bus->machine);
    for (GSList *l = bus->eoi_handlers; l; l = l->next) {
        EOIHandler *h = l->data;
        if (h->fn == fn && h->opaque == opaque) {
            bus->eoi_handlers = g_slist_delete_link(bus->eoi_handlers, l);
            g_free(h);
            break;
        }
    }
    machine_irq_unlock(bus->machine);
}

/* ---- members ---------------------------------------------------------------- */

void apic_bus_join(APICBus *bus, LocalAPIC *apic)
{
    machine_irq_lock(bus->machine);
    g_ptr_array_add(bus->apics, apic);
    apic->lint_level = bus->lint_level;
    machine_irq_unlock(bus->machine);
}

void apic_bus_leave(APICBus *bus, LocalAPIC *apic)
{
    machine_irq_lock(bus->machine);
    g_ptr_array_remove(bus->apics, apic);
    machine_irq_unlock(bus->machine);
}

static void bus_set_lint(void *opaque, int n, int level)
{
    APICBus *bus = opaque;

    machine_irq_lock(bus->machine);
    bus->lint_level = level ? bus->lint_level | 1u << n : bus->lint_level & ~(1u << n);
    for (unsigned i = 0; i < bus->apics->len; i++) {
        apic_set_lint(bus->apics->pdata[i], n, level);
    }
    machine_irq_unlock(bus->machine);
}

IRQ apic_extint_line(MachineState *machine)
{
    return apic_bus_get(machine)->lint[0];
}

IRQ apic_nmi_line(MachineState *machine)
{
    return apic_bus_get(machine)->lint[1];
}

void apic_nmi(MachineState *machine)
{
    APICBus *bus = apic_bus_get(machine);
    CPUState *first = machine_get_cpu(machine, 0);

    machine_irq_lock(machine);
    if (bus->sink && first) {
        cpu_nmi(first); /* our APICs are idle: as LINT1 is programmed */
    } else {
        irq_pulse(bus->lint[1]);
    }
    machine_irq_unlock(machine);
}

void apic_set_pic(MachineState *machine, I8259State *master)
{
    apic_bus_get(machine)->pic = master;
}

/* ---- the region ---------------------------------------------------------------- */

/* Whose registers the running CPU sees; without one (a test, a debugger): the first. */
static LocalAPIC *bus_current_apic(APICBus *bus)
{
    GPtrArray *apics = bus->apics;

    if (!current_cpu) {
        return apics->len ? apics->pdata[0] : NULL;
    }
    unsigned guess = current_cpu->cpu_index;
    if (guess < apics->len && ((LocalAPIC *)apics->pdata[guess])->cpu == current_cpu) {
        return apics->pdata[guess];
    }
    for (unsigned i = 0; i < apics->len; i++) {
        LocalAPIC *s = apics->pdata[i];
        if (s->cpu == current_cpu) {
            return s;
        }
    }
    return NULL;
}

static bool apic_answers_at(const LocalAPIC *s, uint64_t page)
{
    return s && apic_is_enabled(s) && !apic_is_x2apic(s) && (s->base & APIC_BASE_ADDR) == page;
}

static uint64_t apic_page_read(LocalAPIC *s, hwaddr offset, unsigned size)
{
    uint32_t value = offset & 0xc ? 0 : apic_reg_read(s, offset >> 4);

    return value >> (offset & 3) * 8;
}

/* Registers are written as aligned doublewords only (SDM vol. 3, 11.4.1). */
static void apic_page_write(LocalAPIC *s, hwaddr offset, uint64_t data, unsigned size)
{
    if (size == 4 && !(offset & 0xf)) {
        apic_reg_write(s, offset >> 4, data);
    } else {
        log_guest_error("apic: write of %u bytes at offset %03x\n", size, (unsigned)offset);
    }
}

static MemTxResult bus_read(void *opaque, hwaddr addr, uint64_t *ret_data, unsigned size,
                            MemTxAttrs attrs)
{
    APICBus *bus = opaque;

    *ret_data = UINT64_MAX;
    machine_irq_lock(bus->machine);
    LocalAPIC *s = bus_current_apic(bus);
    if (!attrs.dma && addr < APIC_PAGE_SIZE && apic_answers_at(s, MSI_ADDRESS_BASE)) {
        *ret_data = apic_page_read(s, addr, size);
    }
    machine_irq_unlock(bus->machine);
    return MEMTX_OK;
}

static MemTxResult bus_write(void *opaque, hwaddr addr, uint64_t data, unsigned size,
                             MemTxAttrs attrs)
{
    APICBus *bus = opaque;

    machine_irq_lock(bus->machine);
    LocalAPIC *s = bus_current_apic(bus);
    if (attrs.dma || addr >= APIC_PAGE_SIZE) {
        apic_bus_send_msi(bus, MSI_ADDRESS_BASE + addr, data);
    } else if (apic_answers_at(s, MSI_ADDRESS_BASE)) {
        apic_page_write(s, addr, data, size);
    }
    machine_irq_unlock(bus->machine);
    return MEMTX_OK;
}

static const MemoryRegionOps apic_bus_ops = {
    .read_with_attrs = bus_read,
    .write_with_attrs = bus_write,
    .valid = {1, 4},
    .impl = {1, 4},
    .lock = MR_LOCK_NONE,
};

static uint64_t relocated_read(void *opaque, hwaddr addr, unsigned size)
{
    LocalAPIC *s = opaque;
    uint64_t value = UINT64_MAX;

    machine_irq_lock(s->machine);
    LocalAPIC *own = bus_current_apic(s->bus);
    if (apic_answers_at(own, s->base & APIC_BASE_ADDR)) {
        value = apic_page_read(own, addr, size);
    }
    machine_irq_unlock(s->machine);
    return value;
}

static void relocated_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    LocalAPIC *s = opaque;

    machine_irq_lock(s->machine);
    LocalAPIC *own = bus_current_apic(s->bus);
    if (apic_answers_at(own, s->base & APIC_BASE_ADDR)) {
        apic_page_write(own, addr, data, size);
    }
    machine_irq_unlock(s->machine);
}

const MemoryRegionOps apic_relocated_ops = {
    .read = relocated_read,
    .write = relocated_write,
    .valid = {1, 4},
    .impl = {1, 4},
    .lock = MR_LOCK_NONE,
};

/* ---- type -------------------------------------------------------------------- */

APICBus *apic_bus_get(MachineState *machine)
{
    Object *obj = object_resolve_path_component(OBJECT(machine), TYPE_APIC_BUS);

    if (obj) {
        return APIC_BUS(obj);
    }
    APICBus *bus = APIC_BUS(object_new_child(OBJECT(machine), TYPE_APIC_BUS, TYPE_APIC_BUS, NULL));
    bus->machine = machine;
    memory_region_init_io(&bus->region, OBJECT(bus), &apic_bus_ops, bus, "apic-msi",
                          MSI_ADDRESS_SIZE);
    memory_region_add_subregion_overlap(machine->system_memory, MSI_ADDRESS_BASE, &bus->region,
                                        APIC_REGION_PRIORITY);
    return bus;
}

static void apic_bus_instance_init(Object *obj)
{
    APICBus *bus = (APICBus *)obj;

    bus->apics = g_ptr_array_new();
    bus->lint[0] = irq_new(bus_set_lint, bus, 0);
    bus->lint[1] = irq_new(bus_set_lint, bus, 1);
}

static void apic_bus_finalize(Object *obj)
{
    APICBus *bus = (APICBus *)obj;

    g_slist_free_full(bus->eoi_handlers, g_free);
    g_ptr_array_unref(bus->apics);
    irq_unref(bus->lint[0]);
    irq_unref(bus->lint[1]);
}

static const TypeInfo apic_bus_types[] = {
    {.name = TYPE_APIC_BUS,
     .parent = TYPE_OBJECT,
     .instance_size = sizeof(APICBus),
     .instance_init = apic_bus_instance_init,
     .instance_finalize = apic_bus_finalize,
     .doc = "carries interrupt messages to local APICs"},
};
DEFINE_TYPES(apic_bus_types)
