/* SPDX-License-Identifier: MIT */
#include "hw/core/numa.h"

#include <string.h>

#include "system/log.h"
#include "system/options.h"

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool fail(GError **error, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    g_autofree char *text = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_set_error_literal(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE, text);
    return false;
}

unsigned numa_count(const MachineState *machine)
{
    return machine->numa ? machine->numa->nr_nodes : 0;
}

void numa_state_free(NumaState *numa)
{
    g_free(numa);
}

bool numa_has_backends(const NumaState *numa)
{
    for (unsigned i = 0; numa && i < numa->nr_nodes; i++) {
        if (numa->nodes[i].backend) {
            return true;
        }
    }
    return false;
}

/* ---- node,nodeid=,cpus=,mem=|memdev= ---------------------------------------------------- */

static bool assign_slot(CPUSlot *slot, uint64_t node, GError **error)
{
    if (slot->place.node_id >= 0 && (uint64_t)slot->place.node_id != node) {
        return fail(error, "CPU is already assigned to node-id: %" G_GINT64_FORMAT,
                    slot->place.node_id);
    }
    slot->place.node_id = (int64_t)node;
    return true;
}

/* "3" or "0-3": indices of CPUs. */
static bool assign_range(MachineState *machine, const char *range, uint64_t node, GError **error)
{
    const char *dash = strchr(range, '-');
    g_autofree char *head = dash ? g_strndup(range, (gsize)(dash - range)) : g_strdup(range);
    uint64_t first, last;

    if (!parse_uint(head, &first) || !parse_uint(dash ? dash + 1 : head, &last) || last < first) {
        return fail(error, "cpus=%s: expected a CPU's index, or FIRST-LAST", range);
    }
    for (uint64_t i = first; i <= last; i++) {
        if (i >= machine->nr_cpu_slots) {
            return fail(error, "CPU index (%" G_GUINT64_FORMAT ") should be smaller than maxcpus (%u)",
                        i, machine->nr_cpu_slots);
        }
        if (!assign_slot(&machine->cpu_slots[i], node, error)) {
            return false;
        }
    }
    return true;
}

/* cpus= may come more than once, and as a list in JSON. */
static bool assign_cpus(MachineState *machine, Options *options, uint64_t node, GError **error)
{
    for (guint i = 0; i < options->items->len; i++) {
        Option *option = g_ptr_array_index(options->items, i);

        if (!g_str_equal(option->key, "cpus") && !g_str_has_prefix(option->key, "cpus.")) {
            continue;
        }
        option->used = true;
        if (!assign_range(machine, option->value, node, error)) {
            return false;
        }
    }
    return true;
}

static bool find_backend(MachineState *machine, const char *id, NumaNode *node, GError **error)
{
    Object *objects = container_get(object_get_root(OBJECT(machine)), "objects");
    Object *obj = object_resolve_path_component(objects, id);

    if (!obj || !object_dynamic_cast(obj, TYPE_MEMORY_BACKEND)) {
        return fail(error,
                    "memdev=%s: there is no memory backend with that id (-object "
                    "memory-backend-ram,id=%s,size=...)",
                    id, id);
    }
    node->backend = MEMORY_BACKEND(obj);
    node->mem = node->backend->size;
    return true;
}

/* Either each node has a backend, or none has. */
static bool node_memory(MachineState *machine, Options *options, NumaNode *node, GError **error)
{
    NumaState *numa = machine->numa;
    const char *memdev = options_get(options, "memdev"), *mem = options_get(options, "mem");

    if (memdev && mem) {
        return fail(error, "numa configuration should use either mem= or memdev=,"
                           "mixing both is not allowed");
    }
    for (unsigned i = 0; i < NUMA_MAX_NODES; i++) {
        if ((memdev && numa->nodes[i].has_mem) || (mem && numa->nodes[i].backend)) {
            return fail(error, "numa configuration should use either mem= or memdev=,"
                               "mixing both is not allowed");
        }
    }
    if (mem && !MACHINE_GET_CLASS(machine)->numa_mem_supported) {
        return fail(error, "Parameter -numa node,mem is not supported by this machine type; "
                           "use -numa node,memdev instead");
    }
    if (mem && !options_get_size(options, "mem", 1024 * 1024, &node->mem, error)) {
        return false;
    }
    node->has_mem = mem != NULL;
    return !memdev || find_backend(machine, memdev, node, error);
}

static bool add_node(MachineState *machine, Options *options, GError **error)
{
    static const char *const known[] = {"type",   "nodeid",    "cpus", "mem",
                                        "memdev", "initiator", NULL};
    NumaState *numa = machine->numa;
    uint64_t id = numa->nr_nodes;

    if (!options_get_uint(options, "nodeid", 0, UINT16_MAX, &id, error)) {
        return false;
    }
    if (id >= NUMA_MAX_NODES) {
        return fail(error, "Max number of NUMA nodes reached: %" G_GUINT64_FORMAT, id);
    }
    NumaNode *node = &numa->nodes[id];
    if (node->present) {
        return fail(error, "Duplicate NUMA nodeid: %" G_GUINT64_FORMAT, id);
    }
    if (options_get(options, "initiator")) {
        return fail(error, "initiator: there is no heterogeneous memory table (HMAT)");
    }
    if (!assign_cpus(machine, options, id, error) ||
        !node_memory(machine, options, node, error) ||
        !options_check_unused(options, "-numa node", known, error)) {
        return false;
    }
    node->present = true;
    numa->nr_nodes++;
    return true;
}

/* ---- cpu,node-id=,socket-id=... -------------------------------------------------------------- */

typedef struct PlaceKey {
    const char *name;
    size_t offset;
} PlaceKey;

static const PlaceKey place_keys[] = {
    {"socket-id", offsetof(CPUPlace, socket_id)},
    {"die-id",    offsetof(CPUPlace, die_id)   },
    {"core-id",   offsetof(CPUPlace, core_id)  },
    {"thread-id", offsetof(CPUPlace, thread_id)},
};

static int64_t *place_field(CPUPlace *place, const PlaceKey *key)
{
    return (int64_t *)(void *)((char *)place + key->offset);
}

static bool slot_matches(CPUSlot *slot, CPUPlace *wanted)
{
    for (size_t i = 0; i < G_N_ELEMENTS(place_keys); i++) {
        int64_t want = *place_field(wanted, &place_keys[i]);

        if (want >= 0 && want != *place_field(&slot->place, &place_keys[i])) {
            return false;
        }
    }
    return true;
}

static bool read_place(MachineState *machine, Options *options, CPUPlace *ret, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(place_keys); i++) {
        const PlaceKey *key = &place_keys[i];
        uint64_t value = 0;

        if (!options_get(options, key->name)) {
            continue;
        }
        if (!options_get_uint(options, key->name, 0, INT32_MAX, &value, error)) {
            return false;
        }
        *place_field(ret, key) = (int64_t)value;
        if (machine->nr_cpu_slots && *place_field(&machine->cpu_slots[0].place, key) < 0) {
            return fail(error, "%s is not supported", key->name);
        }
    }
    return true;
}

static bool add_cpu(MachineState *machine, Options *options, GError **error)
{
    static const char *const known[] = {"type",    "node-id",   "socket-id", "die-id",
                                        "core-id", "thread-id", NULL};
    CPUPlace wanted = CPU_PLACE_NOWHERE;
    uint64_t node = 0;
    bool found = false;

    if (!options_get(options, "node-id")) {
        return fail(error, "Missing mandatory node-id property");
    }
    if (options_get(options, "cluster-id")) {
        return fail(error, "cluster-id is not supported");
    }
    if (!options_get_uint(options, "node-id", 0, UINT16_MAX, &node, error) ||
        !read_place(machine, options, &wanted, error) ||
        !options_check_unused(options, "-numa cpu", known, error)) {
        return false;
    }
    if (node >= NUMA_MAX_NODES || !machine->numa->nodes[node].present) {
        return fail(error,
                    "Invalid node-id=%" G_GUINT64_FORMAT ", NUMA node must be defined with -numa "
                    "node,nodeid=ID before it's used with -numa cpu,node-id=ID",
                    node);
    }
    for (unsigned i = 0; i < machine->nr_cpu_slots; i++) {
        CPUSlot *slot = &machine->cpu_slots[i];

        if (slot_matches(slot, &wanted)) {
            found = true;
            if (!assign_slot(slot, node, error)) {
                return false;
            }
        }
    }
    return found || fail(error, "no match found");
}

/* ---- dist,src=,dst=,val= ------------------------------------------------------------------------ */

static bool add_distance(MachineState *machine, Options *options, GError **error)
{
    static const char *const names[] = {"src", "dst", "val"};
    static const char *const known[] = {"type", "src", "dst", "val", NULL};
    NumaState *numa = machine->numa;
    uint64_t v[3] = {0};

    for (unsigned i = 0; i < 3; i++) {
        if (!options_get(options, names[i])) {
            return fail(error, "Parameter '%s' is missing", names[i]);
        }
        if (!options_get_uint(options, names[i], 0, i == 2 ? 255 : UINT16_MAX, &v[i], error)) {
            return false;
        }
    }
    if (!options_check_unused(options, "-numa dist", known, error)) {
        return false;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (v[i] >= NUMA_MAX_NODES) {
            return fail(error, "Parameter '%s' expects an integer between 0 and %u", names[i],
                        NUMA_MAX_NODES - 1);
        }
    }
    if (!numa->nodes[v[0]].present || !numa->nodes[v[1]].present) {
        return fail(error, "Source/Destination NUMA node is missing. Please use '-numa node' option "
                           "to declare it first.");
    }
    if (v[2] < NUMA_DISTANCE_LOCAL) {
        return fail(error, "NUMA distance (%" G_GUINT64_FORMAT
                           ") is invalid, it shouldn't be less than %u.", v[2], NUMA_DISTANCE_LOCAL);
    }
    if (v[0] == v[1] && v[2] != NUMA_DISTANCE_LOCAL) {
        return fail(error, "Local distance of node %" G_GUINT64_FORMAT " should be %u.", v[0],
                    NUMA_DISTANCE_LOCAL);
    }
    numa->nodes[v[0]].distance[v[1]] = (uint8_t)v[2];
    numa->has_distances = true;
    return true;
}

/* One direction stands for both, unless some pair differs: then every direction must be said. */
static bool complete_distances(NumaState *numa, GError **error)
{
    bool asymmetric = false;

    for (unsigned i = 0; i < numa->nr_nodes; i++) {
        for (unsigned j = i; j < numa->nr_nodes; j++) {
            uint8_t there = numa->nodes[i].distance[j], back = numa->nodes[j].distance[i];

            if (i != j && !there && !back) {
                return fail(error, "The distance between node %u and %u is missing, at least one "
                                   "distance value between each nodes should be provided.", i, j);
            }
            asymmetric |= there && back && there != back;
        }
    }
    for (unsigned i = 0; i < numa->nr_nodes; i++) {
        for (unsigned j = 0; j < numa->nr_nodes; j++) {
            uint8_t *there = &numa->nodes[i].distance[j];

            if (i != j && !*there && asymmetric) {
                return fail(error, "At least one asymmetrical pair of distances is given, please "
                                   "provide distances for both directions of all node pairs.");
            }
            if (!*there) {
                *there = i == j ? NUMA_DISTANCE_LOCAL : numa->nodes[j].distance[i];
            }
        }
    }
    return true;
}

/* ---- all together ---------------------------------------------------------------------------------- */

static bool run_option(MachineState *machine, const char *text, GError **error)
{
    g_autoptr(Options) options = options_parse_any(text, "type", error);
    const char *type;

    if (!options) {
        return false;
    }
    type = options_get(options, "type");
    if (!type) {
        return fail(error, "Parameter 'type' is missing");
    }
    if (g_str_equal(type, "node")) {
        return add_node(machine, options, error);
    }
    if (g_str_equal(type, "cpu")) {
        return add_cpu(machine, options, error);
    }
    if (g_str_equal(type, "dist")) {
        return add_distance(machine, options, error);
    }
    if (g_str_equal(type, "hmat-lb") || g_str_equal(type, "hmat-cache")) {
        return fail(error, "ACPI Heterogeneous Memory Attribute Table (HMAT) is not offered");
    }
    return fail(error, "Parameter 'type' does not accept value '%s' (node, cpu and dist are)", type);
}

static bool check_nodes(MachineState *machine, GError **error)
{
    NumaState *numa = machine->numa;
    uint64_t total = 0;

    for (unsigned i = 0; i < numa->nr_nodes; i++) {
        if (!numa->nodes[i].present) {
            return fail(error, "numa: Node ID missing: %u", i);
        }
        total += numa->nodes[i].mem;
    }
    /* One node without a size has all of it. */
    if (numa->nr_nodes == 1 && !numa->nodes[0].has_mem && !numa->nodes[0].backend) {
        numa->nodes[0].mem = total = machine->ram_size;
    }
    if (numa->nr_nodes && total != machine->ram_size) {
        return fail(error,
                    "total memory for NUMA nodes (0x%" G_GINT64_MODIFIER
                    "x) should equal RAM size (0x%" G_GINT64_MODIFIER "x)",
                    total, machine->ram_size);
    }
    return !numa->has_distances || complete_distances(numa, error);
}

/* CPUs that nobody spoke of: by socket if no CPU was, else in node 0. */
static void place_the_rest(MachineState *machine)
{
    bool any = false, all = true;

    for (unsigned i = 0; i < machine->nr_cpu_slots; i++) {
        any |= machine->cpu_slots[i].place.node_id >= 0;
        all &= machine->cpu_slots[i].place.node_id >= 0;
    }
    if (any && !all) {
        log_printf("warning: All CPU(s) up to maxcpus should be described in NUMA config; the "
                   "others go to node 0\n");
    }
    for (unsigned i = 0; i < machine->nr_cpu_slots; i++) {
        CPUPlace *place = &machine->cpu_slots[i].place;

        if (place->node_id < 0) {
            place->node_id = any ? 0 : MAX(place->socket_id, 0) % machine->numa->nr_nodes;
        }
    }
}

bool numa_configure(MachineState *machine, GError **error)
{
    if (machine->numa || !machine->numa_options->len) {
        return true;
    }
    if (!machine->cpu_slots) {
        return fail(error, "-numa: NUMA is not supported by this machine-type");
    }
    machine->numa = g_new0(NumaState, 1);
    for (guint i = 0; i < machine->numa_options->len; i++) {
        const char *text = g_ptr_array_index(machine->numa_options, i);

        if (!run_option(machine, text, error)) {
            g_prefix_error(error, "-numa %s: ", text);
            return false;
        }
    }
    if (!check_nodes(machine, error)) {
        return false;
    }
    if (machine->numa->nr_nodes) {
        place_the_rest(machine);
    }
    return true;
}
