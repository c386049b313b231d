/* SPDX-License-Identifier: MIT
 *
 * The process: what the command line asked for, and the steps from there to a
 * running machine (requests M1-M24).
 */
#ifndef SYSTEM_VL_H
#define SYSTEM_VL_H

#include "hw/core/machine.h"
#include "system/options.h"

typedef struct Monitor Monitor; /* system/monitor/monitor.h */

typedef struct VMM {
    MachineState *machine;
    GPtrArray *command_line; /* of CommandItem, in order */

    /* -machine, merged; "type" and "accel" are not properties */
    Options *machine_options;
    GPtrArray *accels;        /* of char *, in order */
    GPtrArray *monitors;      /* of MonitorRequest */
    GPtrArray *open_monitors; /* of Monitor */
    GPtrArray *vnc;           /* of char *: values of -vnc */
    Chardev *qtest;
    char *qtest_log;
    char *pidfile;
    bool pidfile_made;  /* to be removed at the end */
    GString *data_dirs; /* -L, separated by ':' */
    bool nodefaults, nographic, display_given, serial_given, parallel_given, monitor_given, paused,
        daemonize;
    bool snapshot, memory_given, message_guest_name;
    int ready_fd; /* of a daemon's parent, -1: none */

    bool done; /* help was printed: there is nothing to run */
} VMM;

VMM *vmm_new(void);
/* Everything before the main loop.  With vmm->done there is nothing to run. */
bool vmm_init(VMM *vmm, int argc, char **argv, GError **error);
/* M24 */
void vmm_cleanup(VMM *vmm);

/* ---- steps of vmm_init, in order ---------------------------------------------------- */

MachineClass *select_machine(VMM *vmm, GError **error);
bool vmm_create_machine(VMM *vmm, GError **error);
bool qmp_x_exit_preconfig(VMM *vmm, GError **error);

#endif
