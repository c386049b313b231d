/* SPDX-License-Identifier: MIT
 *
 * Starting, stopping, resetting and ending a machine.  Requests come from any
 * thread and are flags; the main loop serves them between rounds.
 */
#include "system/runstate.h"
#include "system/log.h"
#include "system/loop/main-loop.h"

const char *run_state_name(RunState state)
{
    static const char *const names[] = {
        [RUN_STATE_PRELAUNCH] = "prelaunch",
        [RUN_STATE_RUNNING] = "running",
        [RUN_STATE_PAUSED] = "paused",
        [RUN_STATE_SHUTDOWN] = "shutdown",
        [RUN_STATE_GUEST_PANICKED] = "guest-panicked",
        [RUN_STATE_INTERNAL_ERROR] = "internal-error",
    };

    return names[state];
}

const char *shutdown_cause_name(ShutdownCause cause)
{
    static const char *const names[] = {
        [SHUTDOWN_CAUSE_NONE] = "none",
        [SHUTDOWN_CAUSE_HOST_SIGNAL] = "host-signal",
        [SHUTDOWN_CAUSE_HOST_UI] = "host-ui",
        [SHUTDOWN_CAUSE_HOST_QMP_QUIT] = "host-qmp-quit",
        [SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET] = "host-qmp-system-reset",
        [SHUTDOWN_CAUSE_GUEST_SHUTDOWN] = "guest-shutdown",
        [SHUTDOWN_CAUSE_GUEST_RESET] = "guest-reset",
        [SHUTDOWN_CAUSE_GUEST_PANIC] = "guest-panic",
        [SHUTDOWN_CAUSE_HOST_ERROR] = "host-error",
    };

    return names[cause];
}

/* ---- who wants to know ----------------------------------------------------------------- */

typedef struct Notifier {
    GCallback fn;
    void *opaque;
} Notifier;

static void notifier_add(GSList **list, GCallback fn, void *opaque)
{
    Notifier *notifier = g_new(Notifier, 1);

    *notifier = (Notifier){fn, opaque};
    *list = g_slist_append(*list, notifier);
}

static void notifier_del(GSList **list, GCallback fn, void *opaque)
{
    for (GSList *l = *list; l; l = l->next) {
        Notifier *notifier = l->data;

        if (notifier->fn == fn && notifier->opaque == opaque) {
            g_free(notifier);
            *list = g_slist_delete_link(*list, l);
            return;
        }
    }
}

void vm_add_change_state_handler(MachineState *machine, VMChangeStateHandler fn, void *opaque)
{
    notifier_add(&machine->change_handlers, G_CALLBACK(fn), opaque);
}

void vm_del_change_state_handler(MachineState *machine, VMChangeStateHandler fn, void *opaque)
{
    notifier_del(&machine->change_handlers, G_CALLBACK(fn), opaque);
}

void machine_add_powerdown_notifier(MachineState *machine, void (*fn)(void *opaque), void *opaque)
{
    notifier_add(&machine->powerdown_notifiers, G_CALLBACK(fn), opaque);
}

void machine_del_powerdown_notifier(MachineState *machine, void (*fn)(void *opaque), void *opaque)
{
    notifier_del(&machine->powerdown_notifiers, G_CALLBACK(fn), opaque);
}

void machine_add_event_listener(MachineState *machine, MachineEventListener fn, void *opaque)
{
    notifier_add(&machine->event_listeners, G_CALLBACK(fn), opaque);
}

void machine_del_event_listener(MachineState *machine, MachineEventListener fn, void *opaque)
{
    notifier_del(&machine->event_listeners, G_CALLBACK(fn), opaque);
}

void machine_finish_run_state(MachineState *machine)
{
    g_slist_free_full(g_steal_pointer(&machine->change_handlers), g_free);
    g_slist_free_full(g_steal_pointer(&machine->powerdown_notifiers), g_free);
    g_slist_free_full(g_steal_pointer(&machine->event_listeners), g_free);
}

void machine_emit_event(MachineState *machine, const char *event, const char *data)
{
    for (GSList *l = machine->event_listeners, *next; l; l = next) {
        Notifier *notifier = l->data;

        next = l->next;
        ((MachineEventListener)notifier->fn)(notifier->opaque, event, data);
    }
}

static void notify_change(MachineState *machine, bool running)
{
    AccelOpsClass *ops = machine->cpus_accel;

    if (ops && ops->vm_state_change) {
        ops->vm_state_change(machine->accelerator, running);
    }
    for (GSList *l = machine->change_handlers, *next; l; l = next) {
        Notifier *notifier = l->data;

        next = l->next;
        ((VMChangeStateHandler)notifier->fn)(notifier->opaque, running);
    }
}

/* ---- start and stop ---------------------------------------------------------------------- */

bool vm_may_start(MachineState *machine)
{
    return machine->run_state == RUN_STATE_PRELAUNCH || machine->run_state == RUN_STATE_RUNNING ||
           machine->run_state == RUN_STATE_PAUSED;
}

void vm_start(MachineState *machine)
{
    if (machine->vm_running) {
        return;
    }
    machine->vm_running = true;
    machine->run_state = RUN_STATE_RUNNING;
    vm_clock_start(machine->clock);
    notify_change(machine, true);
    machine_emit_event(machine, "RESUME", NULL);
    resume_all_vcpus(machine);
}

void vm_stop(MachineState *machine, RunState state)
{
    if (machine->vm_running) {
        machine->vm_running = false;
        pause_all_vcpus(machine);
        vm_clock_stop(machine->clock);
        machine->run_state = state;
        notify_change(machine, false);
        machine_emit_event(machine, "STOP", NULL);
    }
    machine->run_state = state;
}

/* ---- requests, any thread ------------------------------------------------------------------ */

void system_reset_request(MachineState *machine, ShutdownCause reason)
{
    if (machine->no_reboot) {
        machine->shutdown_requested = reason;
    } else {
        machine->reset_requested = reason;
    }
    event_loop_notify(machine->loop);
}

void system_shutdown_request(MachineState *machine, ShutdownCause reason)
{
    machine->shutdown_requested = reason;
    event_loop_notify(machine->loop);
}

void system_shutdown_request_with_code(MachineState *machine, ShutdownCause reason, int status)
{
    machine->exit_status = status;
    system_shutdown_request(machine, reason);
}

void system_quit_request(MachineState *machine, ShutdownCause reason)
{
    machine->no_shutdown = false;
    system_shutdown_request(machine, reason);
}

void system_powerdown_request(MachineState *machine)
{
    machine->powerdown_requested = true;
    event_loop_notify(machine->loop);
}

void system_vmstop_request(MachineState *machine)
{
    machine->vmstop_requested = true;
    event_loop_notify(machine->loop);
}

void system_internal_error(MachineState *machine, const char *why)
{
    g_printerr("quoin: the VM cannot go on: %s\n", why);
    machine->internal_error = true;
    event_loop_notify(machine->loop);
}

/* ---- serving them, main thread --------------------------------------------------------------- */

static void post_reset_on_cpu(CPUState *cpu, void *data)
{
    AccelOpsClass *ops = data;

    ops->synchronize_post_reset(cpu);
}

void system_reset(MachineState *machine, ShutdownCause reason)
{
    MachineClass *mc = MACHINE_GET_CLASS(machine);
    AccelOpsClass *ops = machine->cpus_accel;

    log_if(LOG_RESET, "reset: %s\n", shutdown_cause_name(reason));
    for (guint i = 0; i < machine->cpus->len; i++) {
        cpu_synchronize_state(g_ptr_array_index(machine->cpus, i));
    }
    if (mc->reset) {
        mc->reset(machine, reason);
    } else {
        resettable_reset(OBJECT(machine), RESET_COLD);
    }
    for (guint i = 0; ops && ops->synchronize_post_reset && i < machine->cpus->len; i++) {
        cpu_run_on(g_ptr_array_index(machine->cpus, i), post_reset_on_cpu, ops);
    }
}

static char *cause_data(ShutdownCause cause)
{
    return g_strdup_printf("{\"guest\": %s, \"reason\": \"%s\"}",
                           cause == SHUTDOWN_CAUSE_GUEST_SHUTDOWN ||
                                   cause == SHUTDOWN_CAUSE_GUEST_RESET ||
                                   cause == SHUTDOWN_CAUSE_GUEST_PANIC
                               ? "true"
                               : "false",
                           shutdown_cause_name(cause));
}

static void serve_reset(MachineState *machine, ShutdownCause reason)
{
    g_autofree char *data = cause_data(reason);

    pause_all_vcpus(machine);
    system_reset(machine, reason);
    if (machine->run_state != RUN_STATE_RUNNING && machine->run_state != RUN_STATE_PAUSED) {
        machine->run_state = RUN_STATE_PRELAUNCH;
    }
    machine_emit_event(machine, "RESET", data);
    if (machine->vm_running) {
        resume_all_vcpus(machine);
    }
}

/* Whether that ends the process. */
static bool serve_shutdown(MachineState *machine, ShutdownCause reason)
{
    g_autofree char *data = cause_data(reason);

    machine_emit_event(machine, "SHUTDOWN", data);
    vm_stop(machine, RUN_STATE_SHUTDOWN);
    return !machine->no_shutdown;
}

static bool serve_internal_error(MachineState *machine)
{
    vm_stop(machine, RUN_STATE_INTERNAL_ERROR);
    machine->exit_status = 1;
    return !machine->no_shutdown;
}

static void serve_powerdown(MachineState *machine)
{
    MachineClass *mc = MACHINE_GET_CLASS(machine);

    machine_emit_event(machine, "POWERDOWN", NULL);
    if (mc->powerdown) {
        mc->powerdown(machine);
    }
    for (GSList *l = machine->powerdown_notifiers; l; l = l->next) {
        Notifier *notifier = l->data;

        ((void (*)(void *))notifier->fn)(notifier->opaque);
    }
}

bool main_loop_should_exit(MachineState *machine)
{
    int reason;

    if (atomic_exchange(&machine->internal_error, false) && serve_internal_error(machine)) {
        return true;
    }
    reason = atomic_exchange(&machine->shutdown_requested, SHUTDOWN_CAUSE_NONE);
    if (reason && serve_shutdown(machine, reason)) {
        return true;
    }
    reason = atomic_exchange(&machine->reset_requested, SHUTDOWN_CAUSE_NONE);
    if (reason) {
        serve_reset(machine, reason);
    }
    if (atomic_exchange(&machine->powerdown_requested, false)) {
        serve_powerdown(machine);
    }
    if (atomic_exchange(&machine->vmstop_requested, false)) {
        vm_stop(machine, RUN_STATE_PAUSED);
    }
    return false;
}

int vmm_main_loop(MachineState *machine)
{
    while (!main_loop_should_exit(machine)) {
        main_loop_wait(false);
    }
    return machine->exit_status;
}
