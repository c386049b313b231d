/* SPDX-License-Identifier: MIT
 *
 * Starting, stopping, resetting and ending a machine.  Requests come from any
 * thread and are flags; the main loop serves them between rounds.
 */
#include "system/runstate.h"
#include <string.h>
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
        [RUN_STATE_WATCHDOG] = "watchdog",
        [RUN_STATE_SUSPENDED] = "suspended",
        [RUN_STATE_INTERNAL_ERROR] = "internal-error",
        [RUN_STATE_IO_ERROR] = "io-error",
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

const char *const reboot_action_names[] = {"reset", "shutdown", NULL};
const char *const shutdown_action_names[] = {"poweroff", "pause", NULL};
const char *const panic_action_names[] = {"shutdown", "exit-failure", "pause", "none", NULL};
const char *const watchdog_action_names[] = {"reset", "shutdown", "poweroff",   "pause",
                                             "debug", "none",     "inject-nmi", NULL};

bool run_state_action_set(MachineState *machine, const char *event, const char *action,
                          GError **error)
{
    const struct {
        const char *event;
        const char *const *names;
        void *value;
    } events[] = {
        {"reboot",   reboot_action_names,   &machine->actions.reboot  },
        {"shutdown", shutdown_action_names, &machine->actions.shutdown},
        {"panic",    panic_action_names,    &machine->actions.panic   },
        {"watchdog", watchdog_action_names, &machine->actions.watchdog},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(events); i++) {
        if (!g_str_equal(event, events[i].event)) {
            continue;
        }
        for (unsigned n = 0; events[i].names[n]; n++) {
            if (g_str_equal(action, events[i].names[n])) {
                memcpy(events[i].value, &n, sizeof(n));
                return true;
            }
        }
        g_autofree char *known = g_strjoinv(", ", (char **)events[i].names);

        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE, "%s=%s: expected one of %s", event,
                    action, known);
        return false;
    }
    g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_PROPERTY,
                "'%s': expected reboot, shutdown, panic or watchdog", event);
    return false;
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
    switch (machine->run_state) {
    case RUN_STATE_PRELAUNCH:
    case RUN_STATE_RUNNING:
    case RUN_STATE_PAUSED:
    case RUN_STATE_GUEST_PANICKED:
    case RUN_STATE_WATCHDOG:
    case RUN_STATE_IO_ERROR:
        return true;
    default:
        return false;
    }
}

void vm_start(MachineState *machine)
{
    if (machine->vm_running) {
        return;
    }
    machine->vm_running = true;
    machine->run_state = machine->suspended ? RUN_STATE_SUSPENDED : RUN_STATE_RUNNING;
    vm_clock_start(machine->clock);
    notify_change(machine, true);
    machine_emit_event(machine, "RESUME", NULL);
    if (!machine->suspended) {
        resume_all_vcpus(machine);
    }
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
    cpu_stop_current();
    if (machine->actions.reboot == REBOOT_ACTION_SHUTDOWN) {
        machine->shutdown_requested = reason;
    } else {
        machine->reset_requested = reason;
    }
    event_loop_notify(machine->loop);
}

void system_shutdown_request(MachineState *machine, ShutdownCause reason)
{
    cpu_stop_current();
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
    machine->actions.shutdown = SHUTDOWN_ACTION_POWEROFF;
    system_shutdown_request(machine, reason);
}

void system_powerdown_request(MachineState *machine)
{
    machine->powerdown_requested = true;
    event_loop_notify(machine->loop);
}

void system_suspend_request(MachineState *machine)
{
    cpu_stop_current();
    machine->suspend_requested = true;
    event_loop_notify(machine->loop);
}

void system_wakeup_request(MachineState *machine, WakeupReason reason)
{
    machine->wakeup_requested = reason;
    event_loop_notify(machine->loop);
}

void system_vmstop_request(MachineState *machine)
{
    machine->vmstop_requested = true;
    event_loop_notify(machine->loop);
}

/* After the event that tells what happened, which is on its way to the main loop too. */
static void io_error_now(void *opaque)
{
    MachineState *machine = opaque;

    machine->io_error = true;
    event_loop_notify(machine->loop);
}

void system_io_error(MachineState *machine)
{
    event_loop_call(machine->loop, io_error_now, machine);
}

void system_guest_panicked(MachineState *machine)
{
    machine->panicked = true;
    event_loop_notify(machine->loop);
}

void system_guest_crashloaded(MachineState *machine)
{
    machine->crash_loaded = true;
    event_loop_notify(machine->loop);
}

void system_watchdog_expired(MachineState *machine)
{
    machine->watchdog_expired = true;
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

static void cpus_before_reset(MachineState *machine)
{
    for (guint i = 0; i < machine->cpus->len; i++) {
        cpu_synchronize_state(g_ptr_array_index(machine->cpus, i));
    }
}

static void cpus_after_reset(MachineState *machine)
{
    AccelOpsClass *ops = machine->cpus_accel;

    for (guint i = 0; ops && ops->synchronize_post_reset && i < machine->cpus->len; i++) {
        cpu_run_on(g_ptr_array_index(machine->cpus, i), post_reset_on_cpu, ops);
    }
}

void system_reset(MachineState *machine, ShutdownCause reason)
{
    MachineClass *mc = MACHINE_GET_CLASS(machine);

    log_if(LOG_RESET, "reset: %s\n", shutdown_cause_name(reason));
    cpus_before_reset(machine);
    if (mc->reset) {
        mc->reset(machine, reason);
    } else {
        resettable_reset(OBJECT(machine), RESET_COLD);
    }
    machine->suspended = false;
    cpus_after_reset(machine);
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
    if (machine->run_state == RUN_STATE_SUSPENDED) {
        machine->run_state = RUN_STATE_RUNNING;
    }
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
    return machine->actions.shutdown == SHUTDOWN_ACTION_POWEROFF;
}

static bool serve_internal_error(MachineState *machine)
{
    vm_stop(machine, RUN_STATE_INTERNAL_ERROR);
    machine->exit_status = 1;
    return machine->actions.shutdown == SHUTDOWN_ACTION_POWEROFF;
}

/* The virtual clock goes on: a timer may be what wakes the machine. */
static void serve_suspend(MachineState *machine)
{
    if (machine->suspended || !MACHINE_GET_CLASS(machine)->wakeup) {
        if (machine->vm_running && !machine->suspended) {
            resume_all_vcpus(machine); /* who asked for it has stopped */
        }
        return;
    }
    pause_all_vcpus(machine);
    machine->suspended = true;
    machine->wakeup_requested = WAKEUP_REASON_NONE;
    if (machine->vm_running) {
        machine->run_state = RUN_STATE_SUSPENDED;
    }
    machine_emit_event(machine, "SUSPEND", NULL);
}

static void serve_wakeup(MachineState *machine, WakeupReason reason)
{
    MachineClass *mc = MACHINE_GET_CLASS(machine);

    if (!machine->suspended) {
        return;
    }
    cpus_before_reset(machine);
    if (!mc->wakeup(machine, reason)) {
        return;
    }
    machine->suspended = false;
    cpus_after_reset(machine);
    machine_emit_event(machine, "WAKEUP", NULL);
    if (machine->vm_running) {
        machine->run_state = RUN_STATE_RUNNING;
        resume_all_vcpus(machine);
    }
}

static void serve_powerdown(MachineState *machine)
{
    MachineClass *mc = MACHINE_GET_CLASS(machine);

    if (machine->suspended) { /* the button of a sleeping machine wakes it */
        serve_wakeup(machine, WAKEUP_REASON_OTHER);
        return;
    }
    machine_emit_event(machine, "POWERDOWN", NULL);
    if (mc->powerdown) {
        mc->powerdown(machine);
    }
    for (GSList *l = machine->powerdown_notifiers; l; l = l->next) {
        Notifier *notifier = l->data;

        ((void (*)(void *))notifier->fn)(notifier->opaque);
    }
}

/* GUEST_PANICKED comes once for what the guest is told to do, and again for the power-off. */
/* One event, of what is done about it; panic=shutdown where shutdown is pause stops the VM only. */
static void serve_panic(MachineState *machine)
{
    PanicAction action = machine->actions.panic;

    if (action == PANIC_ACTION_NONE) {
        machine_emit_event(machine, "GUEST_PANICKED", "{\"action\": \"run\"}");
        return;
    }
    if (action == PANIC_ACTION_SHUTDOWN && machine->actions.shutdown == SHUTDOWN_ACTION_PAUSE) {
        action = PANIC_ACTION_PAUSE;
    }
    machine_emit_event(machine, "GUEST_PANICKED",
                       action == PANIC_ACTION_PAUSE ? "{\"action\": \"pause\"}"
                                                    : "{\"action\": \"poweroff\"}");
    vm_stop(machine, RUN_STATE_GUEST_PANICKED);
    if (action != PANIC_ACTION_PAUSE) {
        machine->exit_status = action == PANIC_ACTION_EXIT_FAILURE ? 1 : machine->exit_status;
        machine->shutdown_requested = SHUTDOWN_CAUSE_GUEST_PANIC;
    }
}

static void serve_watchdog(MachineState *machine)
{
    MachineClass *mc = MACHINE_GET_CLASS(machine);
    WatchdogAction action = machine->actions.watchdog;
    g_autofree char *data = g_strdup_printf("{\"action\": \"%s\"}", watchdog_action_names[action]);

    machine_emit_event(machine, "WATCHDOG", data);
    switch (action) {
    case WATCHDOG_ACTION_RESET:
        system_reset_request(machine, SHUTDOWN_CAUSE_GUEST_RESET);
        break;
    case WATCHDOG_ACTION_SHUTDOWN:
        system_powerdown_request(machine);
        break;
    case WATCHDOG_ACTION_POWEROFF:
        machine->shutdown_requested = SHUTDOWN_CAUSE_GUEST_SHUTDOWN;
        break;
    case WATCHDOG_ACTION_PAUSE:
        vm_stop(machine, RUN_STATE_WATCHDOG);
        break;
    case WATCHDOG_ACTION_DEBUG:
        g_printerr("quoin: the watchdog expired\n");
        break;
    case WATCHDOG_ACTION_NONE:
        break;
    case WATCHDOG_ACTION_INJECT_NMI:
        if (mc->inject_nmi) {
            mc->inject_nmi(machine);
        }
        break;
    }
}

/* What the guest or its devices report; it may lead to one of the other requests. */
static void serve_reports(MachineState *machine)
{
    if (atomic_exchange(&machine->crash_loaded, false)) {
        machine_emit_event(machine, "GUEST_CRASHLOADED", "{\"action\": \"run\"}");
    }
    if (atomic_exchange(&machine->panicked, false)) {
        serve_panic(machine);
    }
    if (atomic_exchange(&machine->watchdog_expired, false)) {
        serve_watchdog(machine);
    }
}

bool main_loop_should_exit(MachineState *machine)
{
    int reason;

    if (atomic_exchange(&machine->internal_error, false) && serve_internal_error(machine)) {
        return true;
    }
    serve_reports(machine);
    reason = atomic_exchange(&machine->shutdown_requested, SHUTDOWN_CAUSE_NONE);
    if (reason && serve_shutdown(machine, reason)) {
        return true;
    }
    reason = atomic_exchange(&machine->reset_requested, SHUTDOWN_CAUSE_NONE);
    if (reason) {
        serve_reset(machine, reason);
    }
    if (atomic_exchange(&machine->suspend_requested, false)) {
        serve_suspend(machine);
    }
    reason = atomic_exchange(&machine->wakeup_requested, WAKEUP_REASON_NONE);
    if (reason) {
        serve_wakeup(machine, reason);
    }
    if (atomic_exchange(&machine->powerdown_requested, false)) {
        serve_powerdown(machine);
    }
    if (atomic_exchange(&machine->vmstop_requested, false)) {
        vm_stop(machine, RUN_STATE_PAUSED);
    }
    if (atomic_exchange(&machine->io_error, false)) {
        vm_stop(machine, RUN_STATE_IO_ERROR);
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
