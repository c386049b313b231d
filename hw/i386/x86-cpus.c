/* SPDX-License-Identifier: MIT
 *
 * The CPUs of a machine: the slots that -smp makes, APIC IDs (SDM vol. 3, 9.9.1), and CPUs that
 * are plugged into slots, at the start or later.
 */
#include "hw/i386/x86.h"
#include "hw/intc/apic.h"

#define CMOS_SMP_COUNT 0x5f

/* ---- APIC IDs -------------------------------------------------------------------- */

static unsigned bits_for(uint32_t count)
{
    return count > 1 ? g_bit_storage(count - 1) : 0;
}

static CPUPlace place_from_index(const SMPConfig *smp, unsigned index)
{
    uint32_t threads = MAX(smp->threads, 1), cores = MAX(smp->cores, 1), dies = MAX(smp->dies, 1);

    return (CPUPlace){
        .node_id = -1,
        .socket_id = index / (threads * cores * dies),
        .die_id = index / (threads * cores) % dies,
        .core_id = index / threads % cores,
        .thread_id = index % threads,
    };
}

static uint32_t apic_id_from_place(const SMPConfig *smp, const CPUPlace *place)
{
    uint32_t id = (uint32_t)place->socket_id;

    id = id << bits_for(smp->dies) | (uint32_t)place->die_id;
    id = id << bits_for(smp->cores) | (uint32_t)place->core_id;
    return id << bits_for(smp->threads) | (uint32_t)place->thread_id;
}

uint32_t x86_apic_id_from_index(const SMPConfig *smp, unsigned index)
{
    CPUPlace place = place_from_index(smp, index);

    return apic_id_from_place(smp, &place);
}

/* ---- slots ------------------------------------------------------------------------- */

void x86_init_cpu_slots(MachineState *machine)
{
    const SMPConfig *smp = &machine->smp;

    machine->nr_cpu_slots = MAX(smp->max_cpus, smp->cpus);
    machine->cpu_slots = g_new0(CPUSlot, machine->nr_cpu_slots);
    for (unsigned i = 0; i < machine->nr_cpu_slots; i++) {
        CPUSlot *slot = &machine->cpu_slots[i];

        slot->place = place_from_index(smp, i);
        slot->arch_id = apic_id_from_place(smp, &slot->place);
        /* Dies are spoken of only where there are several in a socket. */
        slot->place.die_id = smp->dies > 1 ? slot->place.die_id : -1;
    }
}

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool fail(GError **error, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    g_autofree char *text = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_set_error_literal(error, OBJECT_ERROR, OBJECT_ERROR_VALUE, text);
    return false;
}

static bool check_level(const char *name, int64_t value, uint32_t count, GError **error)
{
    if (value < 0) {
        return fail(error, "CPU %s is not set", name);
    }
    if (value >= count) {
        return fail(error, "Invalid CPU %s: %u must be in range 0:%u", name, (unsigned)value,
                    count - 1);
    }
    return true;
}

/* The APIC ID of a CPU of which only the place was said. */
static bool apic_id_from_properties(X86CPU *cpu, const SMPConfig *smp, GError **error)
{
    CPUPlace *place = &cpu->place;

    if (smp->dies <= 1 && place->die_id < 0) {
        place->die_id = 0;
    }
    if (!check_level("socket-id", place->socket_id, smp->sockets, error) ||
        !check_level("die-id", place->die_id, smp->dies, error) ||
        !check_level("core-id", place->core_id, smp->cores, error) ||
        !check_level("thread-id", place->thread_id, smp->threads, error)) {
        return false;
    }
    cpu->apic_id = apic_id_from_place(smp, place);
    return true;
}

static bool check_property(const char *name, int64_t given, int64_t is, uint32_t apic_id,
                           GError **error)
{
    if (given < 0 || given == is) {
        return true;
    }
    return fail(error,
                "property %s: %" G_GINT64_FORMAT " doesn't match set apic-id: 0x%x (%s: "
                "%" G_GINT64_FORMAT ")",
                name, given, apic_id, name, is);
}

static bool check_place(X86CPU *cpu, const CPUSlot *slot, GError **error)
{
    const CPUPlace *given = &cpu->place, *is = &slot->place;

    if (is->node_id >= 0 && given->node_id >= 0 && given->node_id != is->node_id) {
        return fail(error, "invalid node-id, must be %" G_GINT64_FORMAT, is->node_id);
    }
    return check_property("socket-id", given->socket_id, is->socket_id, cpu->apic_id, error) &&
           check_property("die-id", given->die_id, MAX(is->die_id, 0), cpu->apic_id, error) &&
           check_property("core-id", given->core_id, is->core_id, cpu->apic_id, error) &&
           check_property("thread-id", given->thread_id, is->thread_id, cpu->apic_id, error);
}

static bool x86_cpu_add_apic(MachineState *machine, X86CPU *cpu, GError **error)
{
    DeviceState *apic = qdev_new(accel_device_type(machine, TYPE_APIC), error);

    if (!apic) {
        return false;
    }
    bool ok = object_add_child(OBJECT(cpu), "lapic", OBJECT(apic), error) &&
              object_property_set_link(OBJECT(apic), "cpu", OBJECT(cpu), error) &&
              object_property_set_uint(OBJECT(apic), "id", cpu->apic_id, error) &&
              object_property_set_bool(OBJECT(apic), "bsp", CPU(cpu)->cpu_index == 0, error);
    if (!ok) {
        object_unref(apic);
        return false;
    }
    cpu->apic = OBJECT(apic);
    return qdev_realize_and_unref(apic, NULL, error);
}

/* MachineClass::pre_plug_cpu */
bool x86_pre_plug_cpu(MachineState *machine, CPUState *cs, GError **error)
{
    X86CPU *cpu = X86_CPU(cs);
    CPUSlot *slot;

    if (!g_str_equal(object_get_typename(OBJECT(cs)), machine->cpu_type)) {
        return fail(error, "Invalid CPU type, expected cpu type: '%s'", machine->cpu_type);
    }
    if (cpu->apic_id == X86_APIC_ID_UNSET &&
        !apic_id_from_properties(cpu, &machine->smp, error)) {
        return false;
    }
    if (DEVICE(cs)->hotplugged && !X86_MACHINE(machine)->cpu_hotplug.dev) {
        return fail(error, "CPU hotplug is not supported without ACPI");
    }
    slot = machine_find_cpu_slot(machine, cpu->apic_id);
    if (!slot) {
        return fail(error, "Invalid CPU with APIC ID %u, valid index range 0:%u", cpu->apic_id,
                    machine->nr_cpu_slots - 1);
    }
    cs->cpu_index = (int)(slot - machine->cpu_slots);
    if (slot->cpu) {
        return fail(error, "CPU[%d] with APIC ID %u exists", cs->cpu_index, cpu->apic_id);
    }
    if (!check_place(cpu, slot, error) || !x86_cpu_add_apic(machine, cpu, error)) {
        return false;
    }
    cpu->place = slot->place;
    slot->cpu = cs;
    return true;
}

/* ---- those of the start ------------------------------------------------------------------ */

bool x86_cpu_new(X86MachineState *x86ms, uint32_t apic_id, GError **error)
{
    MachineState *machine = MACHINE(x86ms);
    g_autoptr(Object) obj = object_new(machine->cpu_type, error);

    if (!obj || !object_add_child(machine->unattached, "device[*]", obj, error)) {
        return false;
    }
    X86_CPU(obj)->apic_id = apic_id;
    return qdev_realize(DEVICE(obj), NULL, error);
}

unsigned x86_count_cpus(const MachineState *machine)
{
    unsigned n = 0;

    for (unsigned i = 0; i < machine->nr_cpu_slots; i++) {
        n += machine->cpu_slots[i].cpu != NULL;
    }
    return n;
}

/* ---- those that come and go ------------------------------------------------------------------ */

void x86_cpu_hotplug_init(X86MachineState *x86ms, DeviceState *chip, uint16_t base,
                          void (*raise_gpe)(void *opaque, unsigned n), void *opaque)
{
    MachineState *machine = MACHINE(x86ms);

    if (x86ms->acpi != ON_OFF_AUTO_OFF) {
        acpi_cpu_hotplug_init(&x86ms->cpu_hotplug, machine, chip, machine->system_io, base,
                              raise_gpe, opaque);
    }
}

uint16_t x86_cpu_hotplug_base(const X86MachineState *x86ms)
{
    const ACPICPUHotplug *s = &x86ms->cpu_hotplug;

    return s->dev ? (uint16_t)s->mr.addr : 0;
}

/* What firmware counts by at the next reset. */
static void update_cpu_count(X86MachineState *x86ms)
{
    unsigned n = x86_count_cpus(MACHINE(x86ms));

    if (x86ms->rtc) {
        mc146818_rtc_set_cmos(x86ms->rtc, CMOS_SMP_COUNT, n <= 256 ? (uint8_t)(n - 1) : 0);
    }
    if (x86ms->fw_cfg) {
        fw_cfg_set_u16(x86ms->fw_cfg, FW_CFG_NB_CPUS, (uint16_t)n);
    }
}

/* MachineClass::plug_cpu */
void x86_plug_cpu(MachineState *machine, CPUState *cs)
{
    X86MachineState *x86ms = X86_MACHINE(machine);

    if (machine->phase >= PHASE_MACHINE_INITIALIZED) {
        update_cpu_count(x86ms);
    }
    acpi_cpu_hotplug_plugged(&x86ms->cpu_hotplug, cs);
}

/* MachineClass::unplug_request_cpu */
bool x86_unplug_request_cpu(MachineState *machine, CPUState *cs, GError **error)
{
    if (cs->cpu_index == 0) {
        return fail(error, "Boot CPU is unpluggable");
    }
    return acpi_cpu_hotplug_request_unplug(&X86_MACHINE(machine)->cpu_hotplug, cs, error);
}
