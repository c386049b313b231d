/* SPDX-License-Identifier: MIT
 *
 * Trees and registers as text.
 */
#include "hw/intc/apic-bus.h"
#include "hw/intc/intc.h"
#include "system/monitor/monitor-internal.h"

static void print_bus(BusState *bus, int indent, GString *out);

typedef struct PropertyPrint {
    Object *obj;
    GString *out;
    int indent;
} PropertyPrint;

static void print_property(const Property *prop, ObjectClass *owner, void *opaque)
{
    PropertyPrint *at = opaque;
    g_autofree char *text = NULL;

    if (prop->kind != PROP_CONFIG && prop->kind != PROP_RUNTIME) {
        return;
    }
    text = object_property_print(at->obj, prop->name, NULL);
    g_string_append_printf(at->out, "%*s%s = %s\n", at->indent, "", prop->name, text ? text : "");
}

static void print_device(DeviceState *dev, int indent, GString *out)
{
    PropertyPrint at = {OBJECT(dev), out, indent + 2};

    g_string_append_printf(out, "%*sdev: %s, id \"%s\"\n", indent, "",
                           object_get_typename(OBJECT(dev)), dev->id ? dev->id : "");
    object_class_property_foreach(object_get_class(OBJECT(dev)), print_property, &at);
    for (GSList *l = dev->child_buses; l; l = l->next) {
        print_bus(l->data, indent + 2, out);
    }
}

static void print_bus(BusState *bus, int indent, GString *out)
{
    g_string_append_printf(out, "%*sbus: %s (%s)\n", indent, "", OBJECT(bus)->name,
                           object_get_typename(OBJECT(bus)));
    for (GList *l = bus->children.head; l; l = l->next) {
        print_device(l->data, indent + 2, out);
    }
}

/* Devices on a bus are reached through it. */
static bool print_root_device(Object *child, const char *name, void *opaque)
{
    if (object_dynamic_cast(child, TYPE_DEVICE) && !DEVICE(child)->parent_bus) {
        print_device(DEVICE(child), 0, opaque);
    }
    return false;
}

void hmp_info_qtree(MachineState *machine, GString *out)
{
    object_child_foreach_recursive(OBJECT(machine), print_root_device, out);
}

/* ---- objects --------------------------------------------------------------------------------- */

typedef struct TreePrint {
    GString *out;
    int indent;
} TreePrint;

static bool print_child(Object *child, const char *name, void *opaque)
{
    TreePrint *at = opaque;
    TreePrint below = {at->out, at->indent + 2};

    g_string_append_printf(at->out, "%*s/%s (%s)\n", at->indent, "", name,
                           object_get_typename(child));
    object_child_foreach(child, print_child, &below);
    return false;
}

void hmp_info_qom_tree(MachineState *machine, GString *out)
{
    TreePrint at = {out, 0};

    object_child_foreach(object_get_root(OBJECT(machine)), print_child, &at);
}

/* ---- memory and registers ------------------------------------------------------------------- */

void hmp_info_mtree(MachineState *machine, GString *out)
{
    memory_print_tree(&machine->address_space_memory, out);
    memory_print_tree(&machine->address_space_io, out);
}

void hmp_info_flat(MachineState *machine, GString *out)
{
    memory_print_flat(&machine->address_space_memory, out);
    memory_print_flat(&machine->address_space_io, out);
}

static void dump_on_cpu(CPUState *cpu, void *data)
{
    CPU_GET_CLASS(cpu)->dump_state(cpu, data);
}

void hmp_info_registers(MachineState *machine, GString *out)
{
    for (guint i = 0; i < machine->cpus->len; i++) {
        CPUState *cpu = g_ptr_array_index(machine->cpus, i);

        g_string_append_printf(out, "CPU#%d\n", cpu->cpu_index);
        cpu_synchronize_state(cpu);
        if (CPU_GET_CLASS(cpu)->dump_state) {
            cpu_run_on(cpu, dump_on_cpu, out);
        }
    }
}

/* ---- interrupts ------------------------------------------------------------------------------ */

static bool print_controller(Object *child, const char *name, void *opaque)
{
    if (object_dynamic_cast(child, TYPE_INTERRUPT_CONTROLLER)) {
        INTERRUPT_CONTROLLER_GET_CLASS(child)->print(INTERRUPT_CONTROLLER(child), opaque);
    }
    return false;
}

void hmp_info_pic(MachineState *machine, GString *out)
{
    object_child_foreach_recursive(OBJECT(machine), print_controller, out);
}

static bool print_counts(Object *child, const char *name, void *opaque)
{
    GString *out = opaque;
    const uint64_t *counts = NULL;
    unsigned n = 0;

    if (object_dynamic_cast(child, TYPE_INTERRUPT_CONTROLLER)) {
        n = INTERRUPT_CONTROLLER_GET_CLASS(child)->get_counts(INTERRUPT_CONTROLLER(child), &counts);
    }
    if (n) {
        g_string_append_printf(out, "IRQ statistics for %s:\n", object_get_typename(child));
    }
    for (unsigned i = 0; i < n; i++) {
        if (counts[i]) {
            g_string_append_printf(out, "%2u: %" G_GUINT64_FORMAT "\n", i, counts[i]);
        }
    }
    return false;
}

void hmp_info_irq(MachineState *machine, GString *out)
{
    object_child_foreach_recursive(OBJECT(machine), print_counts, out);
}

void hmp_info_lapic(MachineState *machine, const char *apic_id, GString *out)
{
    guint64 id = 0;

    if (*apic_id && !g_ascii_string_to_unsigned(apic_id, 10, 0, UINT32_MAX, &id, NULL)) {
        g_string_append_printf(out, "error: info lapic: '%s' is not an APIC ID\n", apic_id);
    } else if (!apic_print(machine, (uint32_t)id, out)) {
        g_string_append_printf(out, "error: no local APIC of ID %u\n", (unsigned)id);
    }
}
