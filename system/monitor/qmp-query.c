/* SPDX-License-Identifier: MIT
 *
 * QMP commands that tell something about the VM or this program.
 */
#include "hw/acpi/vmgenid.h"
#include "quoin-config.h"
#include "system/iothread.h"
#include "system/monitor/monitor-internal.h"
#include "system/runstate.h"

static JsonBuilder *begin_object(void)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_object(b);
    return b;
}

static JsonBuilder *begin_array(void)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_array(b);
    return b;
}

static JsonNode *end_object(JsonBuilder *b)
{
    json_builder_end_object(b);
    return qmp_finish(b);
}

static JsonNode *end_array(JsonBuilder *b)
{
    json_builder_end_array(b);
    return qmp_finish(b);
}

/* ---- the program ---------------------------------------------------------------------------- */

static JsonNode *query_version(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = begin_object();
    g_auto(GStrv) numbers = g_strsplit(QUOIN_VERSION, ".", 3);

    json_builder_set_member_name(b, "qemu");
    json_builder_begin_object(b);
    qmp_add_int(b, "major", g_ascii_strtoll(numbers[0], NULL, 10));
    qmp_add_int(b, "minor", g_ascii_strtoll(numbers[1], NULL, 10));
    qmp_add_int(b, "micro", g_ascii_strtoll(numbers[2], NULL, 10));
    json_builder_end_object(b);
    qmp_add_string(b, "package", "quoin-" QUOIN_VERSION);
    return end_object(b);
}

static void add_command(const QMPCommand *command, void *opaque)
{
    json_builder_begin_object(opaque);
    qmp_add_string(opaque, "name", command->name);
    json_builder_end_object(opaque);
}

static JsonNode *query_commands(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = begin_array();

    qmp_command_foreach(add_command, b);
    return end_array(b);
}

static JsonNode *query_target(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = begin_object();

    qmp_add_string(b, "arch", "x86_64");
    return end_object(b);
}

static JsonNode *query_kvm(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = begin_object();
    AccelState *accel = monitor->machine->accelerator;

    qmp_add_bool(b, "enabled", accel && g_str_equal(ACCEL_GET_CLASS(accel)->name, "kvm"));
    qmp_add_bool(b, "present", object_class_by_name(TYPE_KVM_ACCEL));
    return end_object(b);
}

static void add_machine(JsonBuilder *b, MachineClass *mc)
{
    json_builder_begin_object(b);
    qmp_add_string(b, "name", mc->name);
    if (mc->alias) {
        qmp_add_string(b, "alias", mc->alias);
    }
    if (mc->is_default) {
        qmp_add_bool(b, "is-default", true);
    }
    qmp_add_int(b, "cpu-max", mc->max_cpus);
    qmp_add_bool(b, "hotpluggable-cpus", mc->init_cpu_slots != NULL);
    qmp_add_bool(b, "numa-mem-supported", mc->numa_mem_supported);
    qmp_add_bool(b, "deprecated", mc->deprecation_reason != NULL);
    if (mc->default_cpu_type) {
        qmp_add_string(b, "default-cpu-type", mc->default_cpu_type);
    }
    if (mc->default_ram_id) {
        qmp_add_string(b, "default-ram-id", mc->default_ram_id);
    }
    json_builder_end_object(b);
}

static JsonNode *query_machines(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = begin_array();
    g_autoptr(GSList) classes = object_class_get_list(TYPE_MACHINE, false);

    for (GSList *l = classes; l; l = l->next) {
        add_machine(b, MACHINE_CLASS(l->data));
    }
    return end_array(b);
}

/* ---- the VM --------------------------------------------------------------------------------- */

static JsonNode *query_status(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = begin_object();

    qmp_add_string(b, "status", run_state_name(monitor->machine->run_state));
    qmp_add_bool(b, "singlestep", false);
    qmp_add_bool(b, "running", monitor->machine->vm_running && !monitor->machine->suspended);
    return end_object(b);
}

static JsonNode *query_name(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = begin_object();

    if (monitor->machine->name) {
        qmp_add_string(b, "name", monitor->machine->name);
    }
    return end_object(b);
}

static JsonNode *query_uuid(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = begin_object();
    const char *uuid = monitor->machine->uuid;

    qmp_add_string(b, "UUID", uuid ? uuid : "00000000-0000-0000-0000-000000000000");
    return end_object(b);
}

static JsonNode *query_memory_size(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = begin_object();

    qmp_add_int(b, "base-memory", monitor->machine->ram_size);
    qmp_add_int(b, "plugged-memory", 0);
    return end_object(b);
}

static bool add_chardev(Object *child, const char *name, void *opaque)
{
    Chardev *chr = CHARDEV(child);
    g_autofree char *filename = chardev_describe(chr);

    json_builder_begin_object(opaque);
    qmp_add_string(opaque, "label", name);
    qmp_add_string(opaque, "filename", filename ? filename : "");
    qmp_add_bool(opaque, "frontend-open", chr->n_frontends > 0);
    json_builder_end_object(opaque);
    return false;
}

static JsonNode *query_chardev(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = begin_array();
    Object *root = object_get_root(OBJECT(monitor->machine));

    object_child_foreach(container_get(root, "chardevs"), add_chardev, b);
    return end_array(b);
}

static JsonNode *query_chardev_backends(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = begin_array();
    g_autoptr(GSList) classes = object_class_get_list(TYPE_CHARDEV, false);

    for (GSList *l = classes; l; l = l->next) {
        ChardevClass *cc = CHARDEV_CLASS(l->data);

        if (cc->kind) {
            json_builder_begin_object(b);
            qmp_add_string(b, "name", cc->kind);
            json_builder_end_object(b);
        }
    }
    return end_array(b);
}

static bool add_iothread(Object *child, const char *name, void *opaque)
{
    static const char *const properties[] = {"thread-id", "poll-max-ns", "poll-grow",
                                             "poll-shrink"};

    if (!object_dynamic_cast(child, TYPE_IOTHREAD)) {
        return false;
    }
    json_builder_begin_object(opaque);
    qmp_add_string(opaque, "id", name);
    for (gsize i = 0; i < G_N_ELEMENTS(properties); i++) {
        g_autoptr(GVariant) value = object_property_get(child, properties[i], NULL);

        json_builder_set_member_name(opaque, properties[i]);
        json_builder_add_value(opaque, json_gvariant_serialize(value));
    }
    json_builder_end_object(opaque);
    return false;
}

static JsonNode *query_iothreads(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = begin_array();
    Object *root = object_get_root(OBJECT(monitor->machine));

    object_child_foreach(container_get(root, "objects"), add_iothread, b);
    return end_array(b);
}

static JsonNode *query_vm_generation_id(Monitor *monitor, JsonObject *args, GError **error)
{
    g_autofree char *guid = vmgenid_get(monitor->machine);
    JsonBuilder *b = json_builder_new();

    if (!guid) {
        g_object_unref(b);
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_ARGUMENT,
                    "the VM has no vmgenid device");
        return NULL;
    }
    json_builder_begin_object(b);
    qmp_add_string(b, "guid", guid);
    json_builder_end_object(b);
    return qmp_finish(b);
}

const QMPCommand qmp_query_commands[] = {
    {"query-vm-generation-id", "", query_vm_generation_id},
    {"query-version",  "", query_version},
    {"query-commands",   "", query_commands},
    {"query-target", "", query_target},
    {"query-kvm",  "", query_kvm},
    {"query-machines",   "", query_machines},
    {"query-status",    "", query_status},
    {"query-name",      "", query_name},
    {"query-uuid",       "", query_uuid},
    {"query-memory-size-summary", "", query_memory_size},
    {"query-iothreads",   "", query_iothreads},
    {"query-chardev",    "", query_chardev},
    {"query-chardev-backends",     "", query_chardev_backends},
    {NULL     },
};
