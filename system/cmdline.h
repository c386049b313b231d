/* SPDX-License-Identifier: MIT
 *
 * The command line: one row an option, carried out stage by stage and within a
 * stage from left to right.
 */
#ifndef SYSTEM_CMDLINE_H
#define SYSTEM_CMDLINE_H

#include "system/vl.h"

/* When an option is carried out, and the machine's phase at that time. */
typedef enum CommandStage {
    STAGE_PROCESS, /* no machine: help, logging, plugins */
    STAGE_TYPES,   /* no machine: settings of types, after plugins */
    STAGE_SELECT,  /* no machine: which machine, which accelerator */
    STAGE_CONFIG,  /* machine created */
    STAGE_CHARDEV, /* machine created: back ends, before who uses them */
    STAGE_OBJECT,  /* machine created */
    STAGE_BACKEND, /* machine created: what refers to chardevs and objects */
    STAGE_DEVICE,  /* board made */
    STAGE_COUNT,
} CommandStage;

typedef struct CommandOption {
    const char *name;
    const char *argument; /* as help shows it; NULL: takes none */
    const char *help;     /* NULL: another spelling, not shown */
    CommandStage stage;
    bool (*handle)(VMM *vmm, const char *value, GError **error);
    bool has_help; /* "help" is a value, answered before there is a machine */
} CommandOption;

typedef struct CommandItem {
    const CommandOption *option;
    const char *value; /* "" if it takes none */
} CommandItem;

extern const CommandOption command_options[]; /* ends with a NULL name */

/* As if this stood at the end of the command line; `value` is static.  Before the option's stage.
 */
void command_line_add(VMM *vmm, const char *name, const char *value);
/* Names and arguments into vmm->command_line. */
bool command_line_parse(VMM *vmm, int argc, char **argv, GError **error);
/* Carry out the options whose value asks for help. */
bool command_line_run_help(VMM *vmm, GError **error);
/* Carry out one stage; stops early when vmm->done is set.  The error names the option. */
bool command_line_run(VMM *vmm, CommandStage stage, GError **error);
/* "-opt value: " before what is wrong; long values are cut. */
void command_prefix_error(GError **error, const char *name, const char *value);

/* A monitor to be made when the machine is. */
typedef struct MonitorRequest {
    char *chardev; /* id */
    bool control, pretty;
} MonitorRequest;

void vmm_add_monitor_request(VMM *vmm, const char *chardev, bool control, bool pretty);
/* MachineDefault: those in whose place a -device (or a -global for one) comes. */
unsigned command_line_replaced_defaults(VMM *vmm);
/* Serial ports and monitors that were not asked for but are expected. */
bool vmm_create_default_frontends(VMM *vmm, GError **error);

/* ---- handlers, by file ------------------------------------------------------------------ */

#define COMMAND_HANDLER(name) bool name(VMM *vmm, const char *value, GError **error)

/* cmdline-process.c */
COMMAND_HANDLER(handle_help);
COMMAND_HANDLER(handle_version);
COMMAND_HANDLER(handle_log);
COMMAND_HANDLER(handle_log_file);
COMMAND_HANDLER(handle_plugin);
COMMAND_HANDLER(handle_data_dir);
COMMAND_HANDLER(handle_daemonize);
COMMAND_HANDLER(handle_pidfile);
COMMAND_HANDLER(handle_msg);
COMMAND_HANDLER(handle_nothing);
/* cmdline-machine.c */
COMMAND_HANDLER(handle_machine);
COMMAND_HANDLER(handle_accel);
COMMAND_HANDLER(handle_enable_kvm);
COMMAND_HANDLER(handle_nodefaults);
COMMAND_HANDLER(handle_nographic);
COMMAND_HANDLER(handle_display);
COMMAND_HANDLER(handle_cpu);
COMMAND_HANDLER(handle_smp);
COMMAND_HANDLER(handle_numa);
COMMAND_HANDLER(handle_memory);
COMMAND_HANDLER(handle_mem_path);
COMMAND_HANDLER(handle_mem_prealloc);
COMMAND_HANDLER(handle_overcommit);
COMMAND_HANDLER(handle_no_fd_bootchk);
COMMAND_HANDLER(handle_kernel);
COMMAND_HANDLER(handle_initrd);
COMMAND_HANDLER(handle_append);
COMMAND_HANDLER(handle_bios);
COMMAND_HANDLER(handle_boot);
COMMAND_HANDLER(handle_option_rom);
COMMAND_HANDLER(handle_name);
COMMAND_HANDLER(handle_uuid);
COMMAND_HANDLER(handle_rtc);
COMMAND_HANDLER(handle_vga);
COMMAND_HANDLER(handle_vnc);
COMMAND_HANDLER(handle_keyboard);
COMMAND_HANDLER(handle_usb);
COMMAND_HANDLER(handle_net);
COMMAND_HANDLER(handle_no_acpi);
COMMAND_HANDLER(handle_no_hpet);
COMMAND_HANDLER(handle_action);
COMMAND_HANDLER(handle_watchdog_action);
COMMAND_HANDLER(handle_no_reboot);
COMMAND_HANDLER(handle_usbdevice);
COMMAND_HANDLER(handle_no_shutdown);
COMMAND_HANDLER(handle_paused);
COMMAND_HANDLER(handle_fw_cfg);
COMMAND_HANDLER(handle_smbios);
COMMAND_HANDLER(handle_acpitable);
/* cmdline-backend.c */
COMMAND_HANDLER(handle_chardev);
COMMAND_HANDLER(handle_object);
COMMAND_HANDLER(handle_drive);
COMMAND_HANDLER(handle_blockdev);
COMMAND_HANDLER(handle_fda);
COMMAND_HANDLER(handle_fdb);
COMMAND_HANDLER(handle_hda);
COMMAND_HANDLER(handle_hdb);
COMMAND_HANDLER(handle_hdc);
COMMAND_HANDLER(handle_hdd);
COMMAND_HANDLER(handle_cdrom);
COMMAND_HANDLER(handle_pflash);
COMMAND_HANDLER(handle_snapshot);
COMMAND_HANDLER(handle_serial);
COMMAND_HANDLER(handle_parallel);
COMMAND_HANDLER(handle_monitor);
COMMAND_HANDLER(handle_mon);
COMMAND_HANDLER(handle_qmp);
COMMAND_HANDLER(handle_qmp_pretty);
COMMAND_HANDLER(handle_qtest);
COMMAND_HANDLER(handle_qtest_log);
/* cmdline-device.c */
COMMAND_HANDLER(handle_device);
COMMAND_HANDLER(handle_debugcon);
COMMAND_HANDLER(handle_global);

/* ---- help (cmdline-help.c) ------------------------------------------------------------------ */

/* The same as `text`, on stdout; and vmm->done. */
bool command_show(VMM *vmm, char *text);
char *help_options(void);
char *help_machines(void);
char *help_accels(void);
char *help_cpus(void);
char *help_devices(void);
char *help_objects(void);
/* "name=<type>  doc (default, range)" of each property that users set. */
char *help_type(ObjectClass *klass);

#endif
