/* SPDX-License-Identifier: MIT
 *
 * The main loop's part of a machine's run state; requests are in hw/core/machine.h.
 */
#ifndef SYSTEM_RUNSTATE_H
#define SYSTEM_RUNSTATE_H

#include "hw/core/machine.h"

/* "running", "paused", ... as query-status has it. */
const char *run_state_name(RunState state);
/* "host-signal", "guest-shutdown", ... as events have it. */
const char *shutdown_cause_name(ShutdownCause cause);

/* Names of the values of RunStateActions, NULL-terminated, as -action has them. */
extern const char *const reboot_action_names[], *const shutdown_action_names[];
extern const char *const panic_action_names[], *const watchdog_action_names[];
/* event: "reboot", "shutdown", "panic" or "watchdog"; action: one of its names. */
bool run_state_action_set(MachineState *machine, const char *event, const char *action,
                          GError **error);

/* Not after a power-off or an error: then it needs a reset first. */
bool vm_may_start(MachineState *machine);

/* M23: run until the machine is to end; returns its exit status.  Main thread. */
int vmm_main_loop(MachineState *machine);
/* Serve what was requested; whether the process is to end.  Main thread. */
bool main_loop_should_exit(MachineState *machine);
/* Reset every device; vCPUs must be paused.  Main thread. */
void system_reset(MachineState *machine, ShutdownCause reason);
/* Also when -no-shutdown was given (quit, a signal).  Any thread. */
void system_quit_request(MachineState *machine, ShutdownCause reason);
/* Stop the VM soon, as the monitor's stop does.  Any thread. */
void system_vmstop_request(MachineState *machine);

/* For monitors; what machine_emit_event() has.  Main thread. */
typedef void (*MachineEventListener)(void *opaque, const char *event, const char *data);
void machine_add_event_listener(MachineState *machine, MachineEventListener fn, void *opaque);
void machine_del_event_listener(MachineState *machine, MachineEventListener fn, void *opaque);

#endif
