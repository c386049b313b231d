/* SPDX-License-Identifier: MIT
 *
 * What every vCPU has: its place in the machine's list, its work queue, its
 * waiting, stopping and resuming.
 */
#include "hw/core/cpu.h"

#include <string.h>

#include "accel/accel.h"
#include "hw/core/machine.h"
#include "system/loop/main-loop.h"

_Thread_local CPUState *current_cpu;

typedef struct CPUWorkItem {
    CPUWorkFunc func;
    void *data;
    bool *done; /* of a caller that waits, or NULL */
} CPUWorkItem;

/* ---- the list ------------------------------------------------------------------ */

void cpu_list_add(CPUState *cpu)
{
    MachineState *machine = cpu->machine;

    g_mutex_lock(&machine->cpus_lock);
    guint at = machine->cpus->len;
    if (cpu->cpu_index < 0) {
        cpu->cpu_index = (int)at;
    }
    while (at > 0 && CPU(g_ptr_array_index(machine->cpus, at - 1))->cpu_index > cpu->cpu_index) {
        at--;
    }
    g_ptr_array_insert(machine->cpus, (gint)at, cpu);
    g_mutex_unlock(&machine->cpus_lock);
}

void cpu_list_remove(CPUState *cpu)
{
    MachineState *machine = cpu->machine;

    g_mutex_lock(&machine->cpus_lock);
    g_ptr_array_remove(machine->cpus, cpu);
    g_mutex_unlock(&machine->cpus_lock);
}

static void cpu_leave_slot(CPUState *cpu)
{
    MachineState *machine = cpu->machine;

    for (unsigned i = 0; i < machine->nr_cpu_slots; i++) {
        if (machine->cpu_slots[i].cpu == cpu) {
            machine->cpu_slots[i].cpu = NULL;
        }
    }
}

/* ---- birth ---------------------------------------------------------------------- */

static void cpu_exec_undo(void *opaque)
{
    CPUState *cpu = opaque;
    const AccelCPUClass *acc = CPU_GET_CLASS(cpu)->accel_cpu;

    if (acc && acc->cpu_unrealizefn) {
        acc->cpu_unrealizefn(cpu);
    }
    cpu_list_remove(cpu);
    cpu_leave_slot(cpu);
}

bool cpu_exec_realizefn(CPUState *cpu, GError **error)
{
    cpu->machine = qdev_get_machine(cpu);
    const MachineClass *mc = MACHINE_GET_CLASS(cpu->machine);

    if (mc->pre_plug_cpu && !mc->pre_plug_cpu(cpu->machine, cpu, error)) {
        return false;
    }
    cpu->as = &cpu->machine->address_space_memory;
    cpu->as_io = &cpu->machine->address_space_io;
    cpu_list_add(cpu);
    if (!accel_cpu_realizefn(cpu, error)) {
        cpu_list_remove(cpu);
        cpu_leave_slot(cpu);
        return false;
    }
    qdev_on_unrealize(DEVICE(cpu), cpu_exec_undo, cpu);
    return true;
}

bool vmm_init_vcpu(CPUState *cpu, GError **error)
{
    AccelOpsClass *ops = cpu->machine->cpus_accel;

    cpu->stopped = true; /* until the VM is started */
    if (!ops || !ops->create_vcpu_thread) {
        return true; /* a test's machine without an accelerator */
    }
    if (!ops->create_vcpu_thread(cpu, error)) {
        return false;
    }
    qdev_on_unrealize(DEVICE(cpu), (void (*)(void *))cpu_remove_sync, cpu);
    return true;
}

void cpu_plugged(CPUState *cpu)
{
    const MachineClass *mc = MACHINE_GET_CLASS(cpu->machine);

    if (cpu->machine->vm_running) {
        cpu->stopped = false;
        cpu_kick(cpu);
    }
    if (mc->plug_cpu) {
        mc->plug_cpu(cpu->machine, cpu);
    }
}

void cpu_remove_sync(CPUState *cpu)
{
    if (!cpu->thread) {
        return;
    }
    bool locked = main_loop_locked();

    cpu->unplug = true;
    cpu_kick(cpu);
    if (locked) {
        main_loop_unlock();
    }
    g_thread_join(g_steal_pointer(&cpu->thread));
    if (locked) {
        main_loop_lock();
    }
}

/* ---- interrupts and kicks ---------------------------------------------------------- */

void cpu_interrupt(CPUState *cpu, uint32_t mask)
{
    AccelOpsClass *ops = cpu->machine ? cpu->machine->cpus_accel : NULL;

    if (ops && ops->handle_interrupt) {
        ops->handle_interrupt(cpu, mask);
        return;
    }
    atomic_fetch_or(&cpu->interrupt_request, mask);
    if (current_cpu != cpu) {
        cpu_kick(cpu);
    } else {
        cpu->exit_request = 1;
    }
}

void cpu_reset_interrupt(CPUState *cpu, uint32_t mask)
{
    atomic_fetch_and(&cpu->interrupt_request, ~mask);
}

void cpu_nmi(CPUState *cpu)
{
    uint32_t old = atomic_load(&cpu->interrupt_request), bit;

    do {
        bit = old & CPU_INTERRUPT_NMI ? CPU_INTERRUPT_NMI_2 : CPU_INTERRUPT_NMI;
    } while (!atomic_compare_exchange_weak(&cpu->interrupt_request, &old, old | bit));
    if (bit == CPU_INTERRUPT_NMI) {
        cpu_kick(cpu);
    }
}

bool cpu_take_nmi(CPUState *cpu)
{
    uint32_t old = atomic_load(&cpu->interrupt_request), bit;

    do {
        bit = old & CPU_INTERRUPT_NMI_2 ? CPU_INTERRUPT_NMI_2 : old & CPU_INTERRUPT_NMI;
    } while (!atomic_compare_exchange_weak(&cpu->interrupt_request, &old, old & ~bit));
    return bit;
}

void cpu_kick(CPUState *cpu)
{
    AccelOpsClass *ops = cpu->machine ? cpu->machine->cpus_accel : NULL;

    cpu->exit_request = 1;
    /* It has seen the request, or it sleeps; then it wakes with the lock free. */
    g_mutex_lock(&cpu->lock);
    g_mutex_unlock(&cpu->lock);
    g_cond_broadcast(&cpu->halt_cond);
    if (ops && ops->kick_vcpu_thread) {
        ops->kick_vcpu_thread(cpu);
    }
}

G_NORETURN void cpu_loop_exit(CPUState *cpu)
{
    siglongjmp(cpu->jmp_env, 1);
}

/* ---- work ------------------------------------------------------------------------ */

static void cpu_queue_work(CPUState *cpu, CPUWorkFunc func, void *data, bool *done)
{
    CPUWorkItem *item = g_new(CPUWorkItem, 1);

    *item = (CPUWorkItem){func, data, done};
    g_mutex_lock(&cpu->lock);
    g_queue_push_tail(&cpu->work, item);
    g_mutex_unlock(&cpu->lock);
    cpu_kick(cpu);
}

void cpu_run_async(CPUState *cpu, CPUWorkFunc func, void *data)
{
    cpu_queue_work(cpu, func, data, NULL);
}

void cpu_process_work(CPUState *cpu)
{
    g_mutex_lock(&cpu->lock);
    while (!g_queue_is_empty(&cpu->work)) {
        g_autofree CPUWorkItem *item = g_queue_pop_head(&cpu->work);
        g_mutex_unlock(&cpu->lock);
        item->func(cpu, item->data);
        g_mutex_lock(&cpu->lock);
        if (item->done) {
            *item->done = true;
            g_cond_broadcast(&cpu->halt_cond);
        }
    }
    g_mutex_unlock(&cpu->lock);
}

void cpu_run_on(CPUState *cpu, CPUWorkFunc func, void *data)
{
    bool done = false, locked = main_loop_locked();

    if (current_cpu == cpu || !cpu->thread) {
        func(cpu, data);
        return;
    }
    cpu_queue_work(cpu, func, data, &done);
    if (locked) {
        main_loop_unlock();
    }
    g_mutex_lock(&cpu->lock);
    while (!done) {
        g_cond_wait(&cpu->halt_cond, &cpu->lock);
    }
    g_mutex_unlock(&cpu->lock);
    if (locked) {
        main_loop_lock();
    }
}

/* ---- waiting, stopping, resuming ---------------------------------------------------- */

static bool cpu_has_work(CPUState *cpu)
{
    CPUClass *cc = CPU_GET_CLASS(cpu);

    return cc->has_work && cc->has_work(cpu);
}

bool cpu_thread_is_idle(CPUState *cpu)
{
    AccelOpsClass *ops = cpu->machine->cpus_accel;

    if (cpu->unplug || cpu->stop || !g_queue_is_empty(&cpu->work)) {
        return false;
    }
    if (cpu->stopped) {
        return true;
    }
    if (ops && ops->cpu_thread_is_idle) {
        return ops->cpu_thread_is_idle(cpu);
    }
    return cpu->halted && !cpu_has_work(cpu);
}

static void cpu_acknowledge_stop(CPUState *cpu)
{
    if (cpu->stop) {
        cpu->stopped = true;
        cpu->stop = false;
        g_cond_broadcast(&cpu->halt_cond);
    }
}

void cpu_wait_io_event(CPUState *cpu)
{
    g_mutex_lock(&cpu->lock);
    cpu_acknowledge_stop(cpu);
    atomic_store(&cpu->waiting, true);
    while (cpu_thread_is_idle(cpu)) {
        g_cond_wait(&cpu->halt_cond, &cpu->lock);
        cpu_acknowledge_stop(cpu);
    }
    atomic_store(&cpu->waiting, false);
    g_mutex_unlock(&cpu->lock);
    cpu_process_work(cpu);
}

static void cpu_await_stopped(CPUState *cpu)
{
    g_mutex_lock(&cpu->lock);
    while (!cpu->stopped && cpu->thread) {
        g_cond_wait(&cpu->halt_cond, &cpu->lock);
    }
    g_mutex_unlock(&cpu->lock);
}

void cpu_stop_current(void)
{
    if (current_cpu) {
        atomic_store(&current_cpu->stop, true);
        cpu_kick(current_cpu);
    }
}

/* A vCPU that pauses the machine cannot wait for itself: it stops when it is back in its loop. */
void pause_all_vcpus(MachineState *machine)
{
    bool locked = main_loop_locked();

    for (guint i = 0; i < machine->cpus->len; i++) {
        CPUState *cpu = g_ptr_array_index(machine->cpus, i);
        if (!cpu->stopped) {
            cpu->stop = true;
            cpu_kick(cpu);
        }
    }
    if (locked) {
        main_loop_unlock();
    }
    for (guint i = 0; i < machine->cpus->len; i++) {
        CPUState *cpu = g_ptr_array_index(machine->cpus, i);
        if (cpu != current_cpu) {
            cpu_await_stopped(cpu);
        }
    }
    if (locked) {
        main_loop_lock();
    }
}

void resume_all_vcpus(MachineState *machine)
{
    for (guint i = 0; i < machine->cpus->len; i++) {
        CPUState *cpu = g_ptr_array_index(machine->cpus, i);
        g_mutex_lock(&cpu->lock);
        cpu->stop = false;
        cpu->stopped = false;
        g_mutex_unlock(&cpu->lock);
        cpu_kick(cpu);
    }
}

void cpu_dump_state(CPUState *cpu, GString *out)
{
    CPUClass *cc = CPU_GET_CLASS(cpu);

    cpu_synchronize_state(cpu);
    if (cc->dump_state) {
        cc->dump_state(cpu, out);
    }
}

/* ---- the type ---------------------------------------------------------------------- */

static void cpu_instance_init(Object *obj)
{
    CPUState *cpu = CPU(obj);

    g_mutex_init(&cpu->lock);
    g_cond_init(&cpu->halt_cond);
    g_queue_init(&cpu->work);
    cpu->cpu_index = -1;
}

static void cpu_instance_post_init(Object *obj)
{
    accel_cpu_instance_init(CPU(obj));
}

static void cpu_instance_finalize(Object *obj)
{
    CPUState *cpu = CPU(obj);

    g_queue_clear_full(&cpu->work, g_free);
    g_mutex_clear(&cpu->lock);
    g_cond_clear(&cpu->halt_cond);
}

static GVariant *cpu_get_index(Object *obj, const Property *prop)
{
    (void)prop;
    return g_variant_new_int32(CPU(obj)->cpu_index);
}

static GVariant *cpu_get_halted(Object *obj, const Property *prop)
{
    (void)prop;
    return g_variant_new_boolean(CPU(obj)->halted);
}

static const Property cpu_properties[] = {
    DEFINE_PROP_CUSTOM("cpu-index", "i", cpu_get_index, NULL, PROP_TELEMETRY,
                       "Number of the CPU in its machine"),
    DEFINE_PROP_CUSTOM("halted", "b", cpu_get_halted, NULL, PROP_TELEMETRY,
                       "Whether it waits for an interrupt"),
    DEFINE_PROP_END,
};

static void cpu_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    (void)data;
    dc->category = DEVICE_CATEGORY_CPU;
    dc->user_creatable = false;
}

static const TypeInfo cpu_types[] = {
    {.name = TYPE_CPU,
     .parent = TYPE_DEVICE,
     .instance_size = sizeof(CPUState),
     .instance_init = cpu_instance_init,
     .instance_post_init = cpu_instance_post_init,
     .instance_finalize = cpu_instance_finalize,
     .class_size = sizeof(CPUClass),
     .class_init = cpu_class_init,
     .properties = cpu_properties,
     .abstract = true,
     .doc = "Root of all CPUs"},
};
DEFINE_TYPES(cpu_types)

/* ---- -cpu ------------------------------------------------------------------------- */

const char *cpu_parse_option(const char *root_type, const char *option, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(option, ",", 2);
    const char *model = parts[0] ? parts[0] : "";
    g_autofree char *type = g_strdup_printf("%s-%s", model, root_type);
    bool help = strcmp(model, "help") == 0 || strcmp(model, "?") == 0;
    ObjectClass *root = object_class_by_name(root_type);
    ObjectClass *klass = object_class_by_name(type);
    bool known = klass && !object_class_is_abstract(klass) &&
                 object_class_dynamic_cast(klass, root_type);

    if (!root || !known) {
        g_autoptr(GString) text = g_string_new(NULL);

        if (root && CPU_CLASS(root)->list_models) {
            CPU_CLASS(root)->list_models(text);
        }
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_TYPE, "%s%s%s%s",
                    help ? "" : "-cpu: there is no CPU model '", help ? "" : model,
                    help ? "" : "'; there are\n", text->str);
        return NULL;
    }
    if (parts[1] && CPU_CLASS(klass)->parse_features &&
        !CPU_CLASS(klass)->parse_features(CPU_CLASS(klass), parts[1], error)) {
        return NULL;
    }
    return object_class_get_name(klass);
}
