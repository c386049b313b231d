/* SPDX-License-Identifier: MIT
 *
 * Choosing an accelerator and handing the machine to it (requests M7-M12, V2).
 */
#include "accel/accel.h"

#include <string.h>

#include "hw/core/machine.h"
#include "system/log.h"

static char *accel_list_names(void)
{
    g_autoptr(GString) names = g_string_new(NULL);
    g_autoptr(GSList) all = object_class_get_list(TYPE_ACCEL, false);

    for (GSList *l = all; l; l = l->next) {
        g_string_append_printf(names, "%s%s", names->len ? ", " : "", ACCEL_CLASS(l->data)->name);
    }
    return g_string_free(g_steal_pointer(&names), FALSE);
}

AccelClass *accel_find(const char *name, GError **error)
{
    g_autofree char *type = g_strdup_printf("%s" ACCEL_CLASS_SUFFIX, name);
    ObjectClass *klass = object_class_by_name(type);

    if (!klass || !object_class_dynamic_cast(klass, TYPE_ACCEL)) {
        g_autofree char *names = accel_list_names();
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_TYPE,
                    "no accelerator is called '%s': there are %s", name, names);
        return NULL;
    }
    return ACCEL_CLASS(klass);
}

const char *accel_device_type(MachineState *machine, const char *type)
{
    AccelState *accel = machine->accelerator;
    AccelClass *ac = accel ? ACCEL_GET_CLASS(accel) : NULL;
    const char *own = ac && ac->device_type ? ac->device_type(accel, type) : NULL;

    return own ? own : type;
}

bool accel_has_smm(MachineState *machine)
{
    AccelState *accel = machine->accelerator;
    AccelClass *ac = accel ? ACCEL_GET_CLASS(accel) : NULL;

    return !ac || !ac->has_smm || ac->has_smm(accel);
}

bool accel_init_machine(AccelState *accel, MachineState *machine, GError **error)
{
    AccelClass *ac = ACCEL_GET_CLASS(accel);

    accel->machine = machine;
    machine->accelerator = accel;
    if (!ac->init_machine(accel, machine, error)) {
        machine->accelerator = NULL;
        return false;
    }
    object_ref(OBJECT(accel));
    machine->phase = PHASE_ACCEL_CREATED;
    return true;
}

static bool accel_set_options(AccelState *accel, char **options, GError **error)
{
    for (char **o = options; *o; o++) {
        char *equals = strchr(*o, '=');
        g_autofree char *name = equals ? g_strndup(*o, (gsize)(equals - *o)) : g_strdup(*o);
        g_strdelimit(name, "_", '-'); /* kernel_irqchip=, as of old */
        if (!object_property_parse(OBJECT(accel), name, equals ? equals + 1 : "on", error)) {
            return false;
        }
    }
    return true;
}

/* With its properties set, not yet at work. */
static AccelState *accel_new(const char *options, GError **error)
{
    g_auto(GStrv) words = g_strsplit(options, ",", -1);
    const char *name = words[0] ? words[0] : "";
    AccelClass *ac = accel_find(g_str_has_prefix(name, "accel=") ? name + 6 : name, error);

    if (!ac) {
        return NULL;
    }
    g_autoptr(Object) accel = object_new_with_class(OBJECT_CLASS(ac));
    if (!object_apply_globals(accel, error) || !accel_set_options(ACCEL(accel), words + 1, error)) {
        g_prefix_error(error, "-accel %s: ", ac->name);
        return NULL;
    }
    return ACCEL(g_steal_pointer(&accel));
}

bool do_configure_accelerator(MachineState *machine, const char *options, GError **error)
{
    AccelState *new_accel = accel_new(options, error);

    if (!new_accel) {
        return false;
    }
    g_autoptr(Object) accel = OBJECT(new_accel);
    if (!accel_init_machine(new_accel, machine, error)) {
        g_prefix_error(error, "-accel %s: ", ACCEL_GET_CLASS(accel)->name);
        return false;
    }
    return object_add_child(OBJECT(machine), "accel", accel, error);
}

/* ---- the choice ---------------------------------------------------------------------- */

typedef struct Candidate {
    AccelClass *ac;
    int score;
} Candidate;

static gint candidate_compare(gconstpointer a, gconstpointer b)
{
    return ((const Candidate *)b)->score - ((const Candidate *)a)->score;
}

static GArray *accel_probe_all(void)
{
    GArray *found = g_array_new(FALSE, FALSE, sizeof(Candidate));
    g_autoptr(GSList) all = object_class_get_list(TYPE_ACCEL, false);

    for (GSList *l = all; l; l = l->next) {
        Candidate c = {.ac = ACCEL_CLASS(l->data)};
        g_autofree char *why = NULL;
        c.score = c.ac->probe ? c.ac->probe(&why) : 0;
        if (c.ac->probe) {
            log_if(LOG_ACCEL, "accel: %s scores %d: %s\n", c.ac->name, c.score, why ? why : "");
        }
        if (c.score > 0) {
            g_array_append_val(found, c);
        }
    }
    g_array_sort(found, candidate_compare);
    return found;
}

static bool configure_best_accelerator(MachineState *machine, GError **error)
{
    g_autoptr(GArray) found = accel_probe_all();

    for (guint i = 0; i < found->len; i++) {
        AccelClass *ac = g_array_index(found, Candidate, i).ac;
        g_autoptr(GError) why = NULL;
        if (do_configure_accelerator(machine, ac->name, &why)) {
            log_if(LOG_ACCEL, "accel: using %s\n", ac->name);
            return true;
        }
        log_if(LOG_ACCEL, "accel: %s\n", why->message);
    }
    g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                "no accelerator can run here; say which one with -accel");
    return false;
}

bool configure_accelerators(MachineState *machine, char **options, GError **error)
{
    g_autoptr(GString) reasons = g_string_new(NULL);

    if (!options || !options[0]) {
        return configure_best_accelerator(machine, error);
    }
    for (char **o = options; *o; o++) { /* what is wrong in one is no reason to take the next */
        g_autoptr(Object) accel = OBJECT(accel_new(*o, error));
        if (!accel) {
            return false;
        }
    }
    for (char **o = options; *o; o++) {
        g_autoptr(GError) why = NULL;
        if (do_configure_accelerator(machine, *o, &why)) {
            if (reasons->len) {
                g_printerr("%s; falling back to '%s'\n", reasons->str, *o);
            }
            return true;
        }
        g_string_append_printf(reasons, "%s%s", reasons->len ? "; " : "", why->message);
    }
    g_set_error_literal(error, OBJECT_ERROR, OBJECT_ERROR_STATE, reasons->str);
    return false;
}

/* ---- interfaces ------------------------------------------------------------------------ */

void accel_init_ops_interfaces(AccelClass *ac, MachineState *machine)
{
    if (ac->ops_type) {
        ObjectClass *klass = object_class_by_name(ac->ops_type);
        g_assert(klass);
        machine->cpus_accel = ACCEL_OPS_CLASS(klass);
    }
}

static void accel_init_cpu_int_aux(CPUClass *cc, AccelCPUClass *accel_cpu)
{
    if (cc->accel_cpu == accel_cpu) {
        return;
    }
    cc->accel_cpu = accel_cpu;
    if (accel_cpu->cpu_class_init) {
        accel_cpu->cpu_class_init(cc);
    }
    if (cc->init_accel_cpu) {
        cc->init_accel_cpu(accel_cpu, cc);
    }
}

void accel_init_cpu_interfaces(AccelClass *ac, MachineState *machine)
{
    g_autofree char *type = g_strdup_printf("%s" ACCEL_CPU_SUFFIX, ac->name);
    ObjectClass *accel_cpu = object_class_by_name(type);

    (void)machine;
    if (!accel_cpu) {
        return;
    }
    g_autoptr(GSList) all = object_class_get_list(TYPE_CPU, false);
    for (GSList *l = all; l; l = l->next) {
        accel_init_cpu_int_aux(CPU_CLASS(l->data), ACCEL_CPU_CLASS(accel_cpu));
    }
}

void accel_init_interfaces(AccelClass *ac, MachineState *machine)
{
    accel_init_ops_interfaces(ac, machine);
    accel_init_cpu_interfaces(ac, machine);
}

void accel_cpu_instance_init(CPUState *cpu)
{
    const AccelCPUClass *acc = CPU_GET_CLASS(cpu)->accel_cpu;

    if (acc && acc->cpu_instance_init) {
        acc->cpu_instance_init(cpu);
    }
}

bool accel_cpu_realizefn(CPUState *cpu, GError **error)
{
    const AccelCPUClass *acc = CPU_GET_CLASS(cpu)->accel_cpu;

    return !acc || !acc->cpu_realizefn || acc->cpu_realizefn(cpu, error);
}

static void synchronize_on_cpu(CPUState *cpu, void *data)
{
    AccelOpsClass *ops = data;

    ops->synchronize_state(cpu);
}

void cpu_synchronize_state(CPUState *cpu)
{
    AccelOpsClass *ops = cpu->machine ? cpu->machine->cpus_accel : NULL;

    if (ops && ops->synchronize_state) {
        cpu_run_on(cpu, synchronize_on_cpu, ops);
    }
}

static const TypeInfo accel_base_types[] = {
    {.name = TYPE_ACCEL,
     .parent = TYPE_OBJECT,
     .instance_size = sizeof(AccelState),
     .class_size = sizeof(AccelClass),
     .abstract = true,
     .doc = "Root of all accelerators"},
    {.name = TYPE_ACCEL_OPS,
     .parent = TYPE_OBJECT,
     .class_size = sizeof(AccelOpsClass),
     .abstract = true,
     .doc = "Operations of an accelerator on a vCPU"},
    {.name = TYPE_ACCEL_CPU,
     .parent = TYPE_OBJECT,
     .class_size = sizeof(AccelCPUClass),
     .abstract = true,
     .doc = "What an accelerator adds to the CPU class"},
};
DEFINE_TYPES(accel_base_types)
