/* SPDX-License-Identifier: MIT
 *
 * From the command line to a running machine, in the request's steps (M1-M24).
 */
#include "accel/qtest/qtest.h"
#include "hw/core/memory-map.h"
#include "quoin-config.h"
#include "system/block/block.h"
#include "system/char/chardev.h"
#include "system/cmdline.h"
#include "system/log.h"
#include "system/loop/main-loop.h"
#include "system/memory/backend.h"
#include "system/monitor/monitor.h"
#include "system/process.h"
#include "system/runstate.h"
#include "system/vnc/vnc.h"

VMM *vmm_new(void)
{
    VMM *vmm = g_new0(VMM, 1);

    vmm->command_line = g_ptr_array_new_with_free_func(g_free);
    vmm->machine_options = options_parse("", NULL, NULL);
    vmm->accels = g_ptr_array_new_with_free_func(g_free);
    vmm->monitors = g_ptr_array_new();
    vmm->open_monitors = g_ptr_array_new_with_free_func((GDestroyNotify)monitor_free);
    vmm->vnc = g_ptr_array_new_with_free_func(g_free);
    vmm->data_dirs = g_string_new(NULL);
    vmm->ready_fd = -1;
    return vmm;
}

/* ---- M2-M6 ----------------------------------------------------------------------------- */

static MachineClass *default_machine(GError **error)
{
    g_autoptr(GSList) classes = object_class_get_list(TYPE_MACHINE, false);

    for (GSList *l = classes; l; l = l->next) {
        if (MACHINE_CLASS(l->data)->is_default) {
            return MACHINE_CLASS(l->data);
        }
    }
    g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE,
                "-machine TYPE is missing, and there is no default (-machine help lists them)");
    return NULL;
}

/* M3 */
MachineClass *select_machine(VMM *vmm, GError **error)
{
    const char *type = options_get(vmm->machine_options, "type");
    MachineClass *mc;

    if (!type) {
        return default_machine(error);
    }
    mc = machine_find_class(type, error);
    if (!mc) {
        command_prefix_error(error, "machine", type);
    }
    return mc;
}

static bool set_firmware_dirs(VMM *vmm, GError **error)
{
    g_autofree char *dirs =
        g_strconcat(vmm->data_dirs->str, vmm->data_dirs->len ? ":" : "", QUOIN_FIRMWARE_PATH, NULL);

    return object_property_set_str(OBJECT(vmm->machine), "firmware-dirs", dirs, error);
}

static bool check_combination(VMM *vmm, GError **error)
{
    if (vmm->daemonize && vmm->nographic) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE,
                    "-daemonize: not with -nographic, which needs this terminal");
        return false;
    }
    return true;
}

bool vmm_create_machine(VMM *vmm, GError **error)
{
    MachineClass *mc = check_combination(vmm, error) ? select_machine(vmm, error) : NULL;

    if (!mc) {
        return false;
    }
    if (mc->deprecation_reason) {
        log_printf("warning: Machine type '%s' is deprecated: %s\n", mc->name,
                   mc->deprecation_reason);
    }
    vmm->machine = machine_new(mc, error);
    if (!vmm->machine) {
        return false;
    }
    cpu_exec_init_all(vmm->machine);
    page_size_init();
    vmm->machine->absent_defaults =
        vmm->nodefaults ? MACHINE_DEFAULT_ALL : command_line_replaced_defaults(vmm);
    vmm->machine->graphics = !vmm->nographic;
    if (!set_firmware_dirs(vmm, error)) {
        return false;
    }
    if (!options_apply(vmm->machine_options, OBJECT(vmm->machine), error)) {
        command_prefix_error(error, "machine", mc->name);
        return false;
    }
    return true;
}

/* ---- M7 ------------------------------------------------------------------------------------ */

static bool vmm_configure_accelerators(VMM *vmm, GError **error)
{
    if (vmm->accels->len == 0 && !MACHINE_GET_CLASS(vmm->machine)->default_ram_size) {
        return true; /* nothing would run on it */
    }
    g_ptr_array_add(vmm->accels, NULL);
    return configure_accelerators(vmm->machine, (char **)vmm->accels->pdata, error);
}

/* ---- M9-M22 -------------------------------------------------------------------------------- */

/* Without -m the machine is as large as the backend that it is given. */
static void size_from_backend(VMM *vmm)
{
    MachineState *machine = vmm->machine;
    Object *objects = container_get(object_get_root(OBJECT(machine)), "objects"), *obj = NULL;

    if (machine->memory_backend_id && !vmm->memory_given) {
        obj = object_resolve_path_component(objects, machine->memory_backend_id);
    }
    if (obj && object_dynamic_cast(obj, TYPE_MEMORY_BACKEND)) {
        machine->ram_size = MEMORY_BACKEND(obj)->size;
    }
}

static bool vmm_init_board(VMM *vmm, GError **error)
{
    size_from_backend(vmm);
    return machine_create_ram(vmm->machine, error) && machine_run_board_init(vmm->machine, error);
}

static bool vmm_create_cli_devices(VMM *vmm, GError **error)
{
    return command_line_run(vmm, STAGE_DEVICE, error) &&
           blk_drives_check_claimed(vmm->machine, error);
}

static bool vmm_machine_creation_done(VMM *vmm, GError **error)
{
    MachineState *machine = vmm->machine;
    AccelClass *ac = machine->accelerator ? ACCEL_GET_CLASS(machine->accelerator) : NULL;

    if (ac && ac->setup_post && !ac->setup_post(machine->accelerator, error)) {
        return false;
    }
    if (!machine_done(machine, error)) {
        return false;
    }
    system_reset(machine, SHUTDOWN_CAUSE_NONE);
    return true;
}

bool qmp_x_exit_preconfig(VMM *vmm, GError **error)
{
    return vmm_init_board(vmm, error) && vmm_create_cli_devices(vmm, error) &&
           vmm_machine_creation_done(vmm, error);
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* Last, so that on a mux the serial port comes first. */
static bool vmm_open_monitors(VMM *vmm, GError **error)
{
    for (guint i = 0; i < vmm->monitors->len; i++) {
        const MonitorRequest *request = g_ptr_array_index(vmm->monitors, i);
        Chardev *chr = chardev_find(vmm->machine, request->chardev, error);
        Monitor *monitor =
            chr ? monitor_new(vmm->machine, chr, request->control, request->pretty, error) : NULL;

        if (!monitor) {
            return false;
        }
        g_ptr_array_add(vmm->open_monitors, monitor);
    }
    return !vmm->qtest || qtest_server_start(vmm->machine, vmm->qtest, vmm->qtest_log, error);
}

/* Consoles are there now. */
static bool vmm_open_displays(VMM *vmm, GError **error)
{
    for (guint i = 0; i < vmm->vnc->len; i++) {
        const char *value = g_ptr_array_index(vmm->vnc, i);

        if (!vnc_server_new(vmm->machine, value, error)) {
            command_prefix_error(error, "vnc", value);
            return false;
        }
    }
    return true;
}

static void quit_on_signal(int signo, int pid, void *opaque)
{
    MachineState *machine = opaque;

    if (pid) {
        g_printerr("quoin: ending on signal %d from process %d\n", signo, pid);
    } else {
        g_printerr("quoin: ending on signal %d\n", signo);
    }
    system_quit_request(machine, SHUTDOWN_CAUSE_HOST_SIGNAL);
}

static bool vmm_init_process(VMM *vmm, GError **error)
{
    if ((vmm->daemonize && !process_begin_daemon(vmm, error)) ||
        (vmm->pidfile && !process_write_pidfile(vmm, error)) || !vmm_init_main_loop(error)) {
        return false;
    }
    vmm_thread_register();
    return true;
}

static bool vmm_run_stages(VMM *vmm, CommandStage first, CommandStage last, GError **error)
{
    for (CommandStage stage = first; stage <= last; stage++) {
        if (!command_line_run(vmm, stage, error)) {
            return false;
        }
    }
    return true;
}

static void vmm_begin(VMM *vmm)
{
    main_loop_set_signal_handler(quit_on_signal, vmm->machine);
    process_finish_daemon(vmm);
    if (!vmm->paused) {
        vm_start(vmm->machine);
    }
}

bool vmm_init(VMM *vmm, int argc, char **argv, GError **error)
{
    if (!command_line_parse(vmm, argc, argv, error) ||
        !vmm_run_stages(vmm, STAGE_PROCESS, STAGE_PROCESS, error) ||
        !command_line_run_help(vmm, error)) {
        return false;
    }
    if (vmm->done) {
        return true;
    }
    if (!vmm_init_process(vmm, error) || !vmm_run_stages(vmm, STAGE_TYPES, STAGE_SELECT, error) ||
        !vmm_create_machine(vmm, error) ||
        !vmm_run_stages(vmm, STAGE_CONFIG, STAGE_BACKEND, error) ||
        !vmm_create_default_frontends(vmm, error) || !vmm_configure_accelerators(vmm, error) ||
        !qmp_x_exit_preconfig(vmm, error) || !vmm_open_displays(vmm, error) ||
        !vmm_open_monitors(vmm, error)) {
        return false;
    }
    vmm_begin(vmm);
    return true;
}

/* ---- M24 ------------------------------------------------------------------------------------ */

static void free_machine(MachineState *machine)
{
    qtest_server_stop(machine);
    vnc_servers_free(machine);
    /* Devices let go of their disks before these are closed. */
    object_ref(OBJECT(machine));
    machine_free(machine);
    blk_drives_free(machine);
    object_unref(OBJECT(machine));
}

void vmm_cleanup(VMM *vmm)
{
    if (vmm->machine) {
        vm_stop(vmm->machine, RUN_STATE_SHUTDOWN);
        main_loop_set_signal_handler(NULL, NULL);
    }
    g_ptr_array_unref(vmm->open_monitors);
    if (vmm->machine) {
        free_machine(vmm->machine);
    }
    process_remove_pidfile(vmm);
    g_ptr_array_unref(vmm->command_line);
    g_ptr_array_unref(vmm->accels);
    g_ptr_array_unref(vmm->monitors);
    g_ptr_array_unref(vmm->vnc);
    options_free(vmm->machine_options);
    g_string_free(vmm->data_dirs, TRUE);
    g_free(vmm->qtest_log);
    g_free(vmm->pidfile);
    g_free(vmm);
}
