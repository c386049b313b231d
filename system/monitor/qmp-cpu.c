/* SPDX-License-Identifier: MIT
 *
 * QMP commands about CPUs, the places for them, their models, and NUMA memory.
 */
#include <string.h>
#include "hw/core/numa.h"
#include "hw/i386/x86.h"
#include "system/monitor/monitor-internal.h"
#include "target/i386/cpu-models.h"

static JsonBuilder *begin_array(void)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_array(b);
    return b;
}

static JsonNode *end_array(JsonBuilder *b)
{
    json_builder_end_array(b);
    return qmp_finish(b);
}

/* ---- CPUs and slots ---------------------------------------------------------------------- */

static void add_place(JsonBuilder *b, const CPUPlace *place)
{
    const struct {
        const char *name;
        int64_t value;
    } rows[] = {
        {"node-id",   place->node_id  },
        {"socket-id", place->socket_id},
        {"die-id",    place->die_id   },
        {"core-id",   place->core_id  },
        {"thread-id", place->thread_id},
    };

    json_builder_set_member_name(b, "props");
    json_builder_begin_object(b);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].value >= 0) {
            qmp_add_int(b, rows[i].name, rows[i].value);
        }
    }
    json_builder_end_object(b);
}

static JsonNode *query_cpus_fast(Monitor *monitor, JsonObject *args, GError **error)
{
    MachineState *machine = monitor->machine;
    JsonBuilder *b = begin_array();

    for (guint i = 0; i < machine->cpus->len; i++) {
        CPUState *cpu = g_ptr_array_index(machine->cpus, i);
        g_autofree char *path = object_get_path(OBJECT(cpu));

        json_builder_begin_object(b);
        qmp_add_int(b, "cpu-index", cpu->cpu_index);
        qmp_add_string(b, "qom-path", path ? path : "");
        qmp_add_int(b, "thread-id", cpu->thread_id);
        if (machine->cpu_slots) {
            add_place(b, &machine->cpu_slots[cpu->cpu_index].place);
        }
        qmp_add_string(b, "target", "x86_64");
        json_builder_end_object(b);
    }
    return end_array(b);
}

static bool check_slots(MachineState *machine, GError **error)
{
    if (!machine->cpu_slots) {
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_ARGUMENT,
                    "The feature 'query-hotpluggable-cpus' is not enabled");
    }
    return machine->cpu_slots;
}

/* Last first, as clients know it. */
static JsonNode *query_hotpluggable_cpus(Monitor *monitor, JsonObject *args, GError **error)
{
    MachineState *machine = monitor->machine;
    JsonBuilder *b;

    if (!check_slots(machine, error)) {
        return NULL;
    }
    b = begin_array();
    for (unsigned i = machine->nr_cpu_slots; i-- > 0;) {
        const CPUSlot *slot = &machine->cpu_slots[i];
        g_autofree char *path = slot->cpu ? object_get_path(OBJECT(slot->cpu)) : NULL;

        json_builder_begin_object(b);
        add_place(b, &slot->place);
        qmp_add_int(b, "vcpus-count", 1);
        if (path) {
            qmp_add_string(b, "qom-path", path);
        }
        qmp_add_string(b, "type", machine->cpu_type);
        json_builder_end_object(b);
    }
    return end_array(b);
}

static JsonNode *query_acpi_ospm_status(Monitor *monitor, JsonObject *args, GError **error)
{
    Object *obj = object_dynamic_cast(OBJECT(monitor->machine), TYPE_X86_MACHINE);
    ACPICPUHotplug *s = obj ? &X86_MACHINE(obj)->cpu_hotplug : NULL;
    JsonBuilder *b;

    if (!s) {
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_ARGUMENT,
                    "command is not supported, missing ACPI device");
        return NULL;
    }
    b = begin_array();
    for (unsigned i = 0; s->modern && i < monitor->machine->nr_cpu_slots; i++) {
        CPUState *cpu = monitor->machine->cpu_slots[i].cpu;
        g_autofree char *slot = g_strdup_printf("%u", i);

        json_builder_begin_object(b);
        if (cpu && DEVICE(cpu)->id) {
            qmp_add_string(b, "device", DEVICE(cpu)->id);
        }
        qmp_add_string(b, "slot", slot);
        qmp_add_string(b, "slot-type", "CPU");
        qmp_add_int(b, "source", s->events[i].ost_event);
        qmp_add_int(b, "status", s->events[i].ost_status);
        json_builder_end_object(b);
    }
    return end_array(b);
}

/* ---- memory back ends ------------------------------------------------------------------------- */

typedef struct Memdev {
    const char *id;
    uint64_t size;
    bool merge, dump, prealloc, share;
} Memdev;

static void add_memdev(JsonBuilder *b, Memdev m)
{
    json_builder_begin_object(b);
    qmp_add_string(b, "id", m.id);
    qmp_add_int(b, "size", (int64_t)m.size);
    qmp_add_bool(b, "merge", m.merge);
    qmp_add_bool(b, "dump", m.dump);
    qmp_add_bool(b, "prealloc", m.prealloc);
    qmp_add_bool(b, "share", m.share);
    qmp_add_bool(b, "reserve", false); /* MAP_NORESERVE */
    json_builder_set_member_name(b, "host-nodes");
    json_builder_begin_array(b);
    json_builder_end_array(b);
    qmp_add_string(b, "policy", "default");
    json_builder_end_object(b);
}

static bool add_backend(Object *child, const char *name, void *opaque)
{
    if (object_dynamic_cast(child, TYPE_MEMORY_BACKEND)) {
        const MemoryBackend *backend = MEMORY_BACKEND(child);

        add_memdev(opaque, (Memdev){name, backend->size, backend->merge, backend->dump,
                                    backend->prealloc, backend->share});
    }
    return false;
}

/* RAM that no object backs goes by the machine's name for it. */
static void add_default_ram(MachineState *machine, JsonBuilder *b)
{
    const char *id = MACHINE_GET_CLASS(machine)->default_ram_id;

    if (id && machine->ram_size && !machine->memory_backend_id &&
        machine->ram != &machine->numa_ram) {
        add_memdev(b, (Memdev){id, machine->ram_size, machine->mem_merge,
                               machine->dump_guest_core, machine->mem_prealloc, false});
    }
}

static JsonNode *query_memdev(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = begin_array();
    Object *root = object_get_root(OBJECT(monitor->machine));

    add_default_ram(monitor->machine, b);
    object_child_foreach(container_get(root, "objects"), add_backend, b);
    return end_array(b);
}

/* ---- models ------------------------------------------------------------------------------------ */

/* A CPU of the model with its features as they would be here; NULL: the accelerator refuses. */
static X86CPU *expand_model(MachineState *machine, const char *type, GError **error)
{
    Object *obj = object_new(type, error);

    if (obj && !x86_cpu_expand(X86_CPU(obj), machine, error)) {
        object_unref(obj);
        return NULL;
    }
    return obj ? X86_CPU(obj) : NULL;
}

static void add_variant(JsonBuilder *b, const char *name, GVariant *value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_value(b, json_gvariant_serialize(value));
}

static void add_definition(JsonBuilder *b, MachineState *machine, ObjectClass *klass)
{
    const char *type = object_class_get_name(klass);
    const X86CPUModel *model = OBJECT_CLASS_CHECK(X86CPUClass, klass, TYPE_X86_CPU)->model;
    g_autofree char *name = g_strndup(type, strlen(type) - strlen("-" TYPE_X86_CPU));
    X86CPU *cpu = expand_model(machine, type, NULL);

    json_builder_begin_object(b);
    qmp_add_string(b, "name", name);
    qmp_add_string(b, "typename", type);
    if (cpu) {
        g_autoptr(GVariant) missing =
            object_property_get(OBJECT(cpu), "unavailable-features", NULL);

        add_variant(b, "unavailable-features", missing);
        object_unref(OBJECT(cpu));
    }
    if (!g_str_equal(name, model->name)) {
        qmp_add_string(b, "alias-of", model->name);
    }
    qmp_add_bool(b, "static", g_str_equal(name, "base"));
    qmp_add_bool(b, "migration-safe", !model->maximal);
    qmp_add_bool(b, "deprecated", false);
    json_builder_end_object(b);
}

static JsonNode *query_cpu_definitions(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = begin_array();
    g_autoptr(GSList) classes = object_class_get_list(TYPE_X86_CPU, false);

    for (GSList *l = classes; l; l = l->next) {
        if (OBJECT_CLASS_CHECK(X86CPUClass, l->data, TYPE_X86_CPU)->model) {
            add_definition(b, monitor->machine, l->data);
        }
    }
    return end_array(b);
}

static bool apply_props(Object *cpu, JsonObject *props, GError **error)
{
    g_autoptr(GList) names = json_object_get_members(props);

    for (GList *l = names; l; l = l->next) {
        JsonNode *node = json_object_get_member(props, l->data);
        g_autofree char *text = json_to_string(node, FALSE);
        bool string = json_node_get_value_type(node) == G_TYPE_STRING;

        if (!object_property_parse(cpu, l->data, string ? json_node_get_string(node) : text,
                                   error)) {
            return false;
        }
    }
    return true;
}

static void add_model_property(const Property *prop, ObjectClass *owner, void *opaque)
{
    void **at = opaque;

    if (prop->kind == PROP_CONFIG && owner && object_class_dynamic_cast(owner, TYPE_X86_CPU) &&
        !g_str_has_suffix(prop->name, "-id") && !g_str_equal(prop->name, "check") &&
        !g_str_equal(prop->name, "enforce")) {
        g_autoptr(GVariant) value = object_property_get(at[0], prop->name, NULL);

        if (value) {
            add_variant(at[1], prop->name, value);
        }
    }
}

static JsonNode *build_expansion(X86CPU *cpu, const char *name)
{
    JsonBuilder *b = json_builder_new();
    void *at[2] = {cpu, b};

    json_builder_begin_object(b);
    json_builder_set_member_name(b, "model");
    json_builder_begin_object(b);
    qmp_add_string(b, "name", name);
    json_builder_set_member_name(b, "props");
    json_builder_begin_object(b);
    object_class_property_foreach(object_get_class(OBJECT(cpu)), add_model_property, at);
    qmp_add_string(b, "model-id", cpu->cpuid.model_id);
    json_builder_end_object(b);
    json_builder_end_object(b);
    json_builder_end_object(b);
    return qmp_finish(b);
}

static JsonNode *query_cpu_model_expansion(Monitor *monitor, JsonObject *args, GError **error)
{
    const char *type = qmp_string(args, "type");
    JsonObject *model = json_object_get_object_member(args, "model");
    const char *name = model && json_object_has_member(model, "name")
                           ? json_object_get_string_member(model, "name") : NULL;
    g_autofree char *cpu_type = g_strdup_printf("%s-%s", name ? name : "", TYPE_X86_CPU);
    g_autoptr(Object) obj = NULL;

    if (!g_str_equal(type, "static") && !g_str_equal(type, "full")) {
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_ARGUMENT,
                    "Parameter 'type' does not accept value '%s'", type);
        return NULL;
    }
    if (!name || !object_class_by_name(cpu_type)) {
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_ARGUMENT, "CPU model '%s' not found",
                    name ? name : "");
        return NULL;
    }
    obj = object_new(cpu_type, error);
    if (!obj ||
        (json_object_has_member(model, "props") &&
         !apply_props(obj, json_object_get_object_member(model, "props"), error)) ||
        !x86_cpu_expand(X86_CPU(obj), monitor->machine, error)) {
        return NULL;
    }
    return build_expansion(X86_CPU(obj), g_str_equal(type, "static") ? "base" : name);
}

const QMPCommand qmp_cpu_commands[] = {
    {"query-cpus-fast",            "",               query_cpus_fast          },
    {"query-hotpluggable-cpus",    "",               query_hotpluggable_cpus  },
    {"query-acpi-ospm-status",     "",               query_acpi_ospm_status   },
    {"query-memdev",               "",               query_memdev             },
    {"query-cpu-definitions",      "",               query_cpu_definitions    },
    {"query-cpu-model-expansion",  "type:s model:o", query_cpu_model_expansion},
    {NULL},
};
