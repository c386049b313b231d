/* SPDX-License-Identifier: MIT
 *
 * `info` about CPUs, the places for them, and NUMA nodes.
 */
#include "hw/core/numa.h"
#include "system/monitor/monitor-internal.h"

void hmp_info_cpus(MachineState *machine, GString *out)
{
    for (guint i = 0; i < machine->cpus->len; i++) {
        CPUState *cpu = g_ptr_array_index(machine->cpus, i);

        g_string_append_printf(out, "%c CPU #%d: thread_id=%d%s\n", i == 0 ? '*' : ' ',
                               cpu->cpu_index, cpu->thread_id, cpu->halted ? " (halted)" : "");
    }
}

static void print_id(GString *out, const char *name, int64_t value)
{
    if (value >= 0) {
        g_string_append_printf(out, "    %s: \"%" G_GINT64_FORMAT "\"\n", name, value);
    }
}

void hmp_info_hotpluggable_cpus(MachineState *machine, GString *out)
{
    g_string_append(out, "Hotpluggable CPUs:\n");
    for (unsigned i = machine->nr_cpu_slots; i-- > 0;) {
        const CPUSlot *slot = &machine->cpu_slots[i];
        g_autofree char *path = slot->cpu ? object_get_path(OBJECT(slot->cpu)) : NULL;

        g_string_append_printf(out, "  type: \"%s\"\n  vcpus_count: \"1\"\n", machine->cpu_type);
        if (path) {
            g_string_append_printf(out, "  qom_path: \"%s\"\n", path);
        }
        g_string_append(out, "  CPUInstance Properties:\n");
        print_id(out, "node-id", slot->place.node_id);
        print_id(out, "socket-id", slot->place.socket_id);
        print_id(out, "die-id", slot->place.die_id);
        print_id(out, "core-id", slot->place.core_id);
        print_id(out, "thread-id", slot->place.thread_id);
    }
}

void hmp_info_numa(MachineState *machine, GString *out)
{
    unsigned nodes = numa_count(machine);

    g_string_append_printf(out, "%u nodes\n", nodes);
    for (unsigned n = 0; n < nodes; n++) {
        g_string_append_printf(out, "node %u cpus:", n);
        for (unsigned i = 0; i < machine->nr_cpu_slots; i++) {
            if (machine->cpu_slots[i].cpu && machine->cpu_slots[i].place.node_id == n) {
                g_string_append_printf(out, " %u", i);
            }
        }
        g_string_append_printf(out, "\nnode %u size: %" G_GUINT64_FORMAT " MB\n", n,
                               machine->numa->nodes[n].mem >> 20);
        g_string_append_printf(out, "node %u plugged: 0 MB\n", n);
    }
}

static const char *yes_no(bool value)
{
    return value ? "true" : "false";
}

static void append_memdev(GString *out, const char *name, const MemoryBackend *m)
{
    g_string_append_printf(out,
                           "memory backend: %s\n  size:  %" G_GUINT64_FORMAT
                           "\n  merge: %s\n  dump: %s\n  prealloc: %s\n  share: %s\n"
                           "  policy: default\n  host nodes:\n",
                           name, m->size, yes_no(m->merge), yes_no(m->dump), yes_no(m->prealloc),
                           yes_no(m->share));
}

static bool print_memdev(Object *child, const char *name, void *opaque)
{
    if (object_dynamic_cast(child, TYPE_MEMORY_BACKEND)) {
        append_memdev(opaque, name, MEMORY_BACKEND(child));
    }
    return false;
}

void hmp_info_memdev(MachineState *machine, GString *out)
{
    const char *id = MACHINE_GET_CLASS(machine)->default_ram_id;

    if (id && machine->ram_size && !machine->memory_backend_id &&
        machine->ram != &machine->numa_ram) { /* no object backs it */
        const MemoryBackend ram = {.size = machine->ram_size,
                                   .merge = machine->mem_merge,
                                   .dump = machine->dump_guest_core,
                                   .prealloc = machine->mem_prealloc};

        append_memdev(out, id, &ram);
    }
    object_child_foreach(container_get(object_get_root(OBJECT(machine)), "objects"), print_memdev,
                         out);
}
