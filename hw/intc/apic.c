/* SPDX-License-Identifier: MIT
 *
 * Local APIC: Intel SDM vol. 3, chapter 11 "Advanced Programmable Interrupt
 * Controller".  This file: accepting messages (11.8), priorities (11.8.3), EOI (11.8.5),
 * local interrupt pins (11.5.1), the CPU's side (target/i386/apic.h).
 */
#include "hw/intc/apic-internal.h"

#include "system/log.h"

#define APIC_BROADCAST_8  0xffu
#define APIC_BROADCAST_32 0xffffffffu
#define DFR_FLAT          0xfu

/* ---- vectors as bits -------------------------------------------------------- */

static void vector_set(uint32_t *set, uint8_t v)
{
    set[v >> 5] |= 1u << (v & 31);
}

static void vector_clear(uint32_t *set, uint8_t v)
{
    set[v >> 5] &= ~(1u << (v & 31));
}

static bool vector_test(const uint32_t *set, uint8_t v)
{
    return set[v >> 5] >> (v & 31) & 1;
}

/* The highest in the set, or -1. */
static int vector_highest(const uint32_t *set)
{
    for (int i = 7; i >= 0; i--) {
        if (set[i]) {
            return i * 32 + 31 - __builtin_clz(set[i]);
        }
    }
    return -1;
}

/* ---- destination (11.6.2, 11.12.9, 11.12.10) ----------------------------------- */

uint32_t apic_logical_id(const LocalAPIC *s)
{
    if (!apic_is_x2apic(s)) {
        return s->ldr;
    }
    return (s->apic_id >> 4) << 16 | 1u << (s->apic_id & 15);
}

static bool matches_logical_xapic(const LocalAPIC *s, uint32_t mda)
{
    uint8_t id = s->ldr >> 24;

    if (s->dfr >> 28 == DFR_FLAT) {
        return id & mda;
    }
    return id >> 4 == mda >> 4 && (id & mda & 0xf);
}

static bool matches_logical_x2apic(const LocalAPIC *s, uint32_t mda)
{
    uint32_t id = apic_logical_id(s);

    return id >> 16 == mda >> 16 && (id & mda & 0xffff);
}

/*
 * A CPU whose ID has more than 8 bits is in x2APIC mode before anybody speaks to it; firmware sees to
 * that.  Until then it answers to all of its ID and not to 8 bits, which are another CPU's.
 */
static uint32_t physical_id(const LocalAPIC *s)
{
    return apic_is_x2apic(s) || s->apic_id > 0xff ? s->apic_id : s->xapic_id;
}

bool apic_matches(const LocalAPIC *s, const APICMessage *message)
{
    uint32_t dest = message->dest;

    if (!apic_is_enabled(s)) {
        return false;
    }
    if (dest == (message->x2apic ? APIC_BROADCAST_32 : APIC_BROADCAST_8)) {
        return true;
    }
    if (!message->logical) {
        return dest == physical_id(s);
    }
    return apic_is_x2apic(s) ? matches_logical_x2apic(s, dest)
                             : dest <= 0xff && matches_logical_xapic(s, dest);
}

/* ---- priority and the INTR signal ------------------------------------------------ */

uint8_t apic_ppr(const LocalAPIC *s)
{
    int in_service = MAX(vector_highest(s->isr), 0);

    return s->tpr >> 4 >= in_service >> 4 ? s->tpr : in_service & 0xf0;
}

/* The vector that may be delivered now, or -1.  Disabling by software leaves what waits (11.4.7.2). */
static int apic_pending_vector(const LocalAPIC *s)
{
    int v = apic_is_enabled(s) ? vector_highest(s->irr) : -1;

    return v >= 0 && v >> 4 > apic_ppr(s) >> 4 ? v : -1;
}

/* Whether the 8259 gets through: always when the APIC is disabled (11.4.3), else as LINT0 says. */
static bool apic_extint_pending(const LocalAPIC *s)
{
    uint32_t lvt = s->lvt[APIC_LVT_LINT0];

    if (s->extint_message) {
        return true;
    }
    if (!(s->lint_level & 1)) {
        return false;
    }
    return !apic_is_enabled(s) ||
           (!(lvt & LVT_MASKED) && (lvt >> LVT_MODE_SHIFT & 7) == APIC_DM_EXTINT);
}

void apic_update(LocalAPIC *s)
{
    bool want = apic_extint_pending(s) || apic_pending_vector(s) >= 0;

    if (!s->cpu || want == cpu_interrupt_pending(s->cpu, CPU_INTERRUPT_HARD)) {
        return;
    }
    if (want) {
        cpu_interrupt(s->cpu, CPU_INTERRUPT_HARD);
    } else {
        cpu_reset_interrupt(s->cpu, CPU_INTERRUPT_HARD);
    }
}

/* ---- acceptance (11.8) ------------------------------------------------------------ */

void apic_error(LocalAPIC *s, uint32_t esr_bit)
{
    bool first = !(s->esr_pending & esr_bit);

    s->esr_pending |= esr_bit;
    if (first) {
        apic_deliver_lvt(s, APIC_LVT_ERROR);
    }
}

static void apic_accept_vector(LocalAPIC *s, uint8_t vector, bool level)
{
    if (!apic_is_software_enabled(s)) {
        return;
    }
    if (vector < APIC_FIRST_VECTOR) {
        apic_error(s, ESR_RECEIVE_ILLEGAL);
        return;
    }
    *(vector_test(s->irr, vector) ? &s->machine->irq_merged : &s->machine->irq_taken) += 1;
    vector_set(s->irr, vector);
    if (level) {
        vector_set(s->tmr, vector);
    } else {
        vector_clear(s->tmr, vector);
    }
    apic_update(s);
}

/* INIT may be followed by SIPI before the CPU has seen it: the state is what it will be. */
static void apic_accept_init(LocalAPIC *s)
{
    s->wait_for_sipi = !s->bsp;
    cpu_reset_interrupt(s->cpu, CPU_INTERRUPT_SIPI);
    cpu_interrupt(s->cpu, CPU_INTERRUPT_INIT);
}

static void apic_accept_sipi(LocalAPIC *s, uint8_t vector)
{
    if (s->wait_for_sipi) {
        s->sipi_vector = vector;
        cpu_interrupt(s->cpu, CPU_INTERRUPT_SIPI);
    }
}

static void apic_accept_extint(LocalAPIC *s)
{
    if (apic_is_software_enabled(s)) {
        s->extint_message = true;
        apic_update(s);
    }
}

void apic_accept(LocalAPIC *s, const APICMessage *message)
{
    if (!s->cpu) {
        return;
    }
    switch (message->mode) {
    case APIC_DM_FIXED:
    case APIC_DM_LOWEST:
        apic_accept_vector(s, message->vector, message->level);
        break;
    case APIC_DM_SMI:
        cpu_interrupt(s->cpu, CPU_INTERRUPT_SMI);
        break;
    case APIC_DM_NMI:
        cpu_nmi(s->cpu);
        break;
    case APIC_DM_INIT:
        apic_accept_init(s);
        break;
    case APIC_DM_SIPI:
        apic_accept_sipi(s, message->vector);
        break;
    case APIC_DM_EXTINT:
        apic_accept_extint(s);
        break;
    default:
        log_guest_error("apic: message with reserved delivery mode %u\n", message->mode);
        break;
    }
}

/* A local source fires as its vector table entry says (11.5.1). */
void apic_deliver_lvt(LocalAPIC *s, enum APICLVT n)
{
    uint32_t lvt = s->lvt[n];
    APICMessage message = {
        .vector = lvt & 0xff,
        .mode =
            n == APIC_LVT_TIMER || n == APIC_LVT_ERROR ? APIC_DM_FIXED : lvt >> LVT_MODE_SHIFT & 7,
        .level = (n == APIC_LVT_LINT0 || n == APIC_LVT_LINT1) && (lvt & LVT_LEVEL),
    };

    if ((lvt & LVT_MASKED) || !apic_is_software_enabled(s)) {
        return;
    }
    if (message.level && message.mode == APIC_DM_FIXED) {
        if (lvt & LVT_REMOTE_IRR) {
            return;
        }
        s->lvt[n] |= LVT_REMOTE_IRR;
    }
    apic_accept(s, &message);
}

/* LINT0 in ExtINT mode is a level that apic_update() looks at; the rest fire on a rising edge. */
void apic_set_lint(LocalAPIC *s, int n, int level)
{
    enum APICLVT lvt = n == 0 ? APIC_LVT_LINT0 : APIC_LVT_LINT1;
    bool extint = (s->lvt[lvt] >> LVT_MODE_SHIFT & 7) == APIC_DM_EXTINT;
    bool rising = level && !(s->lint_level & 1u << n);

    s->lint_level = level ? s->lint_level | 1u << n : s->lint_level & ~(1u << n);
    if (rising && n == 1 && !apic_is_enabled(s) && s->cpu) {
        cpu_nmi(s->cpu);
    } else if (rising && !extint) {
        apic_deliver_lvt(s, lvt);
    }
    apic_update(s);
}

void apic_check_lint(LocalAPIC *s, enum APICLVT lvt)
{
    unsigned n = lvt == APIC_LVT_LINT0 ? 0 : 1;

    if ((s->lint_level & 1u << n) && (s->lvt[lvt] & LVT_LEVEL) &&
        (s->lvt[lvt] >> LVT_MODE_SHIFT & 7) == APIC_DM_FIXED) {
        apic_deliver_lvt(s, lvt);
    }
}

/* A level-triggered pin that is still high when its interrupt ends fires again. */
static void apic_eoi_lint(LocalAPIC *s, uint8_t vector)
{
    for (int n = 0; n < 2; n++) {
        enum APICLVT lvt = n == 0 ? APIC_LVT_LINT0 : APIC_LVT_LINT1;
        if ((s->lvt[lvt] & LVT_REMOTE_IRR) && (s->lvt[lvt] & 0xff) == vector) {
            s->lvt[lvt] &= ~LVT_REMOTE_IRR;
            if (s->lint_level & 1u << n) {
                apic_deliver_lvt(s, lvt);
            }
        }
    }
}

void apic_eoi(LocalAPIC *s)
{
    int v = vector_highest(s->isr);

    if (v < 0) {
        return;
    }
    vector_clear(s->isr, v);
    if (vector_test(s->tmr, v)) {
        apic_eoi_lint(s, v);
        if (!(s->svr & SVR_SUPPRESS_EOI)) {
            apic_bus_eoi(s->bus, v);
        }
    }
    apic_update(s);
}

/* ---- the CPU's side --------------------------------------------------------------- */

static LocalAPIC *lock_apic(X86APIC *apic)
{
    LocalAPIC *s = (LocalAPIC *)apic;

    machine_irq_lock(s->machine);
    return s;
}

static int apic_take_extint(LocalAPIC *s)
{
    s->extint_message = false;
    return s->bus->pic ? i8259_acknowledge(s->bus->pic) : -1;
}

static int apic_get_interrupt(X86APIC *apic)
{
    LocalAPIC *s = lock_apic(apic);
    int v;

    if (apic_extint_pending(s)) {
        v = apic_take_extint(s);
    } else if ((v = apic_pending_vector(s)) >= 0) {
        vector_clear(s->irr, v);
        vector_set(s->isr, v);
    }
    apic_update(s);
    machine_irq_unlock(s->machine);
    return v;
}

static uint64_t apic_get_base(X86APIC *apic)
{
    LocalAPIC *s = lock_apic(apic);
    uint64_t value = s->base;

    machine_irq_unlock(s->machine);
    return value;
}

/* The page follows the base; the usual address is the bus's own region. */
static void apic_map_page(LocalAPIC *s)
{
    hwaddr page = s->base & APIC_BASE_ADDR;
    bool map = apic_is_enabled(s) && !apic_is_x2apic(s) && page != APIC_DEFAULT_ADDRESS;

    if (s->relocated_mapped) {
        memory_region_del_subregion(s->machine->system_memory, &s->relocated);
    }
    if (map) {
        memory_region_add_subregion_overlap(s->machine->system_memory, page, &s->relocated, 1);
    }
    s->relocated_mapped = map;
}

static void apic_reset_registers(LocalAPIC *s)
{
    s->tpr = 0;
    s->ldr = 0;
    s->dfr = 0xffffffff;
    s->svr = 0xff;
    s->esr = s->esr_pending = 0;
    s->icr = s->icr2 = 0;
    memset(s->isr, 0, sizeof(s->isr));
    memset(s->tmr, 0, sizeof(s->tmr));
    memset(s->irr, 0, sizeof(s->irr));
    for (int i = 0; i < APIC_LVT_COUNT; i++) {
        s->lvt[i] = LVT_MASKED;
    }
    s->extint_message = false;
    apic_timer_reset(s);
}

/* States and transitions: SDM vol. 3, 11.12.5 and figure 11-27. */
bool apic_set_base(LocalAPIC *s, uint64_t value)
{
    const uint64_t modes = APIC_BASE_ENABLE | APIC_BASE_EXTD;
    uint64_t valid = APIC_BASE_ADDR | modes | APIC_BASE_BSP;
    uint64_t from = s->base & modes, to = value & modes;

    if ((value & ~valid) || to == APIC_BASE_EXTD) {
        return false;
    }
    if ((from == modes && to == APIC_BASE_ENABLE) || (!from && to == modes)) {
        return false;
    }
    s->base = value;
    if (from && !to) {
        apic_reset_registers(s);
    }
    if (to && !(to & APIC_BASE_EXTD) && !from) {
        s->xapic_id = s->apic_id;
    }
    apic_map_page(s);
    apic_update(s);
    return true;
}

static bool apic_set_base_locking(X86APIC *apic, uint64_t value)
{
    LocalAPIC *s = lock_apic(apic);
    bool ok = apic_set_base(s, value);

    machine_irq_unlock(s->machine);
    return ok;
}

static uint8_t apic_get_tpr(X86APIC *apic)
{
    return ((LocalAPIC *)apic)->tpr;
}

static void apic_set_tpr(X86APIC *apic, uint8_t tpr)
{
    LocalAPIC *s = lock_apic(apic);

    s->tpr = tpr;
    apic_update(s);
    machine_irq_unlock(s->machine);
}

static bool apic_msr_read_locking(X86APIC *apic, unsigned reg, uint64_t *ret_value)
{
    LocalAPIC *s = lock_apic(apic);
    bool ok = apic_msr_read(s, reg, ret_value);

    machine_irq_unlock(s->machine);
    return ok;
}

static bool apic_msr_write_locking(X86APIC *apic, unsigned reg, uint64_t value)
{
    LocalAPIC *s = lock_apic(apic);
    bool ok = apic_msr_write(s, reg, value);

    machine_irq_unlock(s->machine);
    return ok;
}

static uint64_t apic_get_tsc_deadline(X86APIC *apic)
{
    LocalAPIC *s = lock_apic(apic);
    uint64_t value = s->tsc_deadline;

    machine_irq_unlock(s->machine);
    return value;
}

static void apic_set_tsc_deadline(X86APIC *apic, uint64_t value)
{
    LocalAPIC *s = lock_apic(apic);

    apic_timer_set_deadline(s, value);
    machine_irq_unlock(s->machine);
}

/* 11.4.7.3: as after power-up, but the ID is kept; a SIPI that overtook us is kept too. */
static void apic_init_reset(X86APIC *apic)
{
    LocalAPIC *s = lock_apic(apic);

    apic_reset_registers(s);
    s->wait_for_sipi = !s->bsp;
    apic_update(s);
    machine_irq_unlock(s->machine);
}

static uint8_t apic_get_sipi_vector(X86APIC *apic)
{
    LocalAPIC *s = lock_apic(apic);
    uint8_t vector = s->sipi_vector;

    s->wait_for_sipi = false;
    machine_irq_unlock(s->machine);
    return vector;
}

/* ---- device ---------------------------------------------------------------------- */

static void apic_lint_handler(void *opaque, int n, int level)
{
    LocalAPIC *s = opaque;

    machine_irq_lock(s->machine);
    apic_set_lint(s, n, level);
    machine_irq_unlock(s->machine);
}

static void apic_reset(DeviceState *dev, ResetType type)
{
    LocalAPIC *s = LOCAL_APIC(dev);

    machine_irq_lock(s->machine);
    s->base = APIC_DEFAULT_ADDRESS | APIC_BASE_ENABLE | (s->bsp ? APIC_BASE_BSP : 0);
    s->xapic_id = s->apic_id;
    s->wait_for_sipi = !s->bsp;
    s->sipi_vector = 0;
    apic_reset_registers(s);
    machine_irq_unlock(s->machine);
}

static void apic_reset_hold(DeviceState *dev)
{
    LocalAPIC *s = LOCAL_APIC(dev);

    machine_irq_lock(s->machine);
    apic_map_page(s);
    if (s->cpu) {
        cpu_reset_interrupt(s->cpu, CPU_INTERRUPT_NMI | CPU_INTERRUPT_NMI_2 |
                                        CPU_INTERRUPT_SMI | CPU_INTERRUPT_INIT |
                                        CPU_INTERRUPT_SIPI);
    }
    apic_update(s);
    machine_irq_unlock(s->machine);
}

static void apic_leave_bus(void *opaque)
{
    LocalAPIC *s = opaque;

    apic_bus_leave(s->bus, s);
}

static bool apic_realize(DeviceState *dev, GError **error)
{
    LocalAPIC *s = LOCAL_APIC(dev);

    s->machine = qdev_get_machine(dev);
    s->bus = apic_bus_get(s->machine);
    s->cpu = s->cpu_link ? CPU(s->cpu_link) : NULL;
    qdev_init_gpio_in_named(dev, apic_lint_handler, "lint", 2);
    memory_region_init_io(&s->relocated, OBJECT(s), &apic_relocated_ops, s, "apic", 0x1000);
    apic_timer_init(s);
    apic_reset(dev, RESET_COLD);
    apic_bus_join(s->bus, s);
    qdev_on_unrealize(dev, apic_leave_bus, s);
    return true;
}

static const Property apic_properties[] = {
    DEFINE_PROP_LINK("cpu", LocalAPIC, cpu_link, TYPE_CPU, "the CPU it belongs to"),
    DEFINE_PROP_UINT32("id", LocalAPIC, apic_id, 0, "APIC ID"),
    DEFINE_PROP_BOOL("bsp", LocalAPIC, bsp, false, "belongs to the bootstrap processor"),
    DEFINE_PROP_UINT8("version", LocalAPIC, version, 0x14, "version register, bits 7-0",
                      .min = 0x10, .max = 0x15),
    DEFINE_PROP_END,
};

static const StateField apic_state[] = {
    STATE_FIELD(LocalAPIC, base),          STATE_FIELD(LocalAPIC, xapic_id),
    STATE_FIELD(LocalAPIC, tpr),           STATE_FIELD(LocalAPIC, ldr),
    STATE_FIELD(LocalAPIC, dfr),           STATE_FIELD(LocalAPIC, svr),
    STATE_FIELD(LocalAPIC, esr),           STATE_FIELD(LocalAPIC, esr_pending),
    STATE_FIELD(LocalAPIC, icr),           STATE_FIELD(LocalAPIC, icr2),
    STATE_FIELD(LocalAPIC, lvt),           STATE_FIELD(LocalAPIC, isr),
    STATE_FIELD(LocalAPIC, tmr),           STATE_FIELD(LocalAPIC, irr),
    STATE_FIELD(LocalAPIC, lint_level),    STATE_FIELD(LocalAPIC, extint_message),
    STATE_FIELD(LocalAPIC, wait_for_sipi), STATE_FIELD(LocalAPIC, sipi_vector),
    STATE_FIELD(LocalAPIC, timer_divide),  STATE_FIELD(LocalAPIC, timer_initial),
    STATE_FIELD(LocalAPIC, timer_start),   STATE_FIELD(LocalAPIC, timer_next),
    STATE_FIELD(LocalAPIC, timer_counts),
    STATE_FIELD(LocalAPIC, tsc_deadline),  STATE_END,
};

static void apic_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    X86APICClass *xc = OBJECT_CLASS_CHECK(X86APICClass, klass, TYPE_X86_APIC);

    dc->realize = apic_realize;
    dc->reset_enter = apic_reset;
    dc->reset_hold = apic_reset_hold;
    dc->state = apic_state;
    dc->user_creatable = false;

    xc->get_interrupt = apic_get_interrupt;
    xc->get_base = apic_get_base;
    xc->set_base = apic_set_base_locking;
    xc->get_tpr = apic_get_tpr;
    xc->set_tpr = apic_set_tpr;
    xc->msr_read = apic_msr_read_locking;
    xc->msr_write = apic_msr_write_locking;
    xc->get_tsc_deadline = apic_get_tsc_deadline;
    xc->set_tsc_deadline = apic_set_tsc_deadline;
    xc->init_reset = apic_init_reset;
    xc->get_sipi_vector = apic_get_sipi_vector;
}

static const TypeInfo apic_types[] = {
    {.name = TYPE_APIC,
     .parent = TYPE_DEVICE,
     .instance_size = sizeof(LocalAPIC),
     .class_init = apic_class_init,
     .interfaces = (const InterfaceInfo[]){{TYPE_X86_APIC}, {NULL}},
     .properties = apic_properties,
     .doc = "local APIC"},
};
DEFINE_TYPES(apic_types)
