/* SPDX-License-Identifier: MIT
 *
 * Options that make back ends, and those that put serial ports and monitors on them.
 */
#include <string.h>
#include <unistd.h>
#include "system/block/block.h"
#include "system/char/chardev.h"
#include "system/cmdline.h"
#include "system/object-add.h"

/* ---- character devices and objects ------------------------------------------------------- */

bool handle_chardev(VMM *vmm, const char *value, GError **error)
{
    g_autoptr(Options) options = options_parse_any(value, "backend", error);
    const char *kind;
    char *text;

    if (!options) {
        return false;
    }
    if (!options_want_help(options)) {
        return chardev_new(vmm->machine, NULL, value, error);
    }
    kind = options_get(options, "backend");
    text = chardev_help(kind && !g_str_equal(kind, "help") ? kind : NULL);
    if (!text) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_UNKNOWN, "no chardev back end '%s'", kind);
        return false;
    }
    return command_show(vmm, text);
}

static bool show_object(VMM *vmm, const char *type, GError **error)
{
    ObjectClass *klass;

    if (!type || g_str_equal(type, "help") || g_str_equal(type, "?")) {
        return command_show(vmm, help_objects());
    }
    klass = object_class_lookup(type, error);
    return klass && command_show(vmm, help_type(klass));
}

bool handle_object(VMM *vmm, const char *value, GError **error)
{
    g_autoptr(Options) options = options_parse_any(value, "qom-type", error);

    if (!options) {
        return false;
    }
    if (options_want_help(options)) {
        return show_object(vmm, options_get(options, "qom-type"), error);
    }
    return user_object_add(vmm->machine, options, error);
}

/* ---- disks --------------------------------------------------------------------------------- */

bool handle_drive(VMM *vmm, const char *value, GError **error)
{
    g_autofree char *options = g_strconcat(value, vmm->snapshot ? ",snapshot=on" : "", NULL);

    return blk_drive_add(vmm->machine, options, error);
}

bool handle_blockdev(VMM *vmm, const char *value, GError **error)
{
    return blk_blockdev_add(vmm->machine, value, error);
}

static bool add_disk(VMM *vmm, const char *file, BlockInterface interface, int index, bool is_cdrom,
                     GError **error)
{
    g_auto(GStrv) parts = NULL;
    g_autofree char *escaped = NULL, *options = NULL, *place = NULL;

    if (!vmm->snapshot || is_cdrom) {
        return blk_drive_add_file(vmm->machine, file, interface, index, is_cdrom, error);
    }
    parts = g_strsplit(file, ",", -1);
    escaped = g_strjoinv(",,", parts);
    place = index < 0 ? g_strdup("") : g_strdup_printf(",index=%d", index);
    options = g_strdup_printf("file=%s,if=%s%s,snapshot=on", escaped,
                              block_interface_names[interface], place);
    return blk_drive_add(vmm->machine, options, error);
}

bool handle_fda(VMM *vmm, const char *value, GError **error)
{
    return add_disk(vmm, value, BLOCK_IF_FLOPPY, 0, false, error);
}

bool handle_fdb(VMM *vmm, const char *value, GError **error)
{
    return add_disk(vmm, value, BLOCK_IF_FLOPPY, 1, false, error);
}

bool handle_hda(VMM *vmm, const char *value, GError **error)
{
    return add_disk(vmm, value, BLOCK_IF_IDE, 0, false, error);
}

bool handle_hdb(VMM *vmm, const char *value, GError **error)
{
    return add_disk(vmm, value, BLOCK_IF_IDE, 1, false, error);
}

bool handle_hdc(VMM *vmm, const char *value, GError **error)
{
    return add_disk(vmm, value, BLOCK_IF_IDE, 2, false, error);
}

bool handle_hdd(VMM *vmm, const char *value, GError **error)
{
    return add_disk(vmm, value, BLOCK_IF_IDE, 3, false, error);
}

bool handle_cdrom(VMM *vmm, const char *value, GError **error)
{
    return add_disk(vmm, value, BLOCK_IF_IDE, 2, true, error);
}

bool handle_pflash(VMM *vmm, const char *value, GError **error)
{
    return add_disk(vmm, value, BLOCK_IF_PFLASH, -1, false, error);
}

bool handle_snapshot(VMM *vmm, const char *value, GError **error)
{
    vmm->snapshot = true;
    return true;
}

/* ---- serial and parallel ports -------------------------------------------------------------- */

/* "mon:stdio": a mux that a monitor shares. */
static Chardev *new_monitored(VMM *vmm, const char *id, const char *text, GError **error)
{
    g_autofree char *options = g_str_equal(text, "stdio") ? g_strdup("stdio,signal=off") : NULL;
    Chardev *chr = chardev_new_mux(vmm->machine, id, options ? options : text, error);

    if (chr) {
        vmm_add_monitor_request(vmm, id, false, false);
    }
    return chr;
}

/* To the serial or the parallel ports, as "serial0", ... */
static bool add_port(VMM *vmm, GPtrArray *ports, const char *name, const char *text, GError **error)
{
    g_autofree char *id = g_strdup_printf("%s%u", name, ports->len);
    Chardev *chr = NULL;

    if (g_str_has_prefix(text, "mon:")) {
        chr = new_monitored(vmm, id, text + strlen("mon:"), error);
        if (!chr) {
            return false;
        }
    } else if (!chardev_new_legacy(vmm->machine, id, text, &chr, error)) {
        return false;
    }
    g_ptr_array_add(ports, chr);
    return true;
}

static bool add_serial(VMM *vmm, const char *text, GError **error)
{
    return add_port(vmm, vmm->machine->serial, "serial", text, error);
}

static bool add_parallel(VMM *vmm, const char *text, GError **error)
{
    return add_port(vmm, vmm->machine->parallel, "parallel", text, error);
}

static bool check_room(GPtrArray *ports, unsigned max, const char *name, GError **error)
{
    if (ports->len >= max) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE, "there are at most %u %s ports", max,
                    name);
        return false;
    }
    return true;
}

#define MAX_SERIAL   4
#define MAX_PARALLEL 3

bool handle_serial(VMM *vmm, const char *value, GError **error)
{
    vmm->serial_given = true;
    return check_room(vmm->machine->serial, MAX_SERIAL, "serial", error) &&
           add_serial(vmm, value, error);
}

bool handle_parallel(VMM *vmm, const char *value, GError **error)
{
    vmm->parallel_given = true;
    return check_room(vmm->machine->parallel, MAX_PARALLEL, "parallel", error) &&
           add_parallel(vmm, value, error);
}

/* ---- monitors ------------------------------------------------------------------------------- */

static void monitor_request_free(void *data)
{
    MonitorRequest *request = data;

    g_free(request->chardev);
    g_free(request);
}

void vmm_add_monitor_request(VMM *vmm, const char *chardev, bool control, bool pretty)
{
    MonitorRequest *request = g_new(MonitorRequest, 1);

    *request = (MonitorRequest){g_strdup(chardev), control, pretty};
    g_ptr_array_set_free_func(vmm->monitors, monitor_request_free);
    g_ptr_array_add(vmm->monitors, request);
}

/* A chardev of its own for a monitor, unless the text names one that is there. */
static bool add_monitor(VMM *vmm, const char *text, bool control, bool pretty, GError **error)
{
    g_autofree char *id = g_strdup_printf("compat_monitor%u", vmm->monitors->len);
    Chardev *chr;

    if (g_str_has_prefix(text, "mon:")) {
        text += strlen("mon:");
    }
    if (g_str_equal(text, "stdio") && !control) {
        chr = chardev_new(vmm->machine, id, "stdio,mux=on,signal=off", error);
    } else if (!chardev_new_legacy(vmm->machine, id, text, &chr, error)) {
        chr = NULL;
    } else if (!chr) {
        return true; /* none */
    }
    if (chr) {
        vmm_add_monitor_request(vmm, chr->label, control, pretty);
    }
    return chr;
}

bool handle_monitor(VMM *vmm, const char *value, GError **error)
{
    vmm->monitor_given = true;
    return add_monitor(vmm, value, false, false, error);
}

bool handle_qmp(VMM *vmm, const char *value, GError **error)
{
    return add_monitor(vmm, value, true, false, error);
}

bool handle_qmp_pretty(VMM *vmm, const char *value, GError **error)
{
    return add_monitor(vmm, value, true, true, error);
}

bool handle_mon(VMM *vmm, const char *value, GError **error)
{
    static const char *const known[] = {"chardev", "id", "mode", "pretty", NULL};
    g_autoptr(Options) options = options_parse(value, "chardev", error);
    const char *chardev, *mode;
    bool pretty = false;

    if (!options || !options_get_bool(options, "pretty", &pretty, error)) {
        return false;
    }
    options_get(options, "id");
    chardev = options_get(options, "chardev");
    mode = options_get(options, "mode");
    mode = mode ? mode : "readline";
    if (!options_check_unused(options, "-mon", known, error)) {
        return false;
    }
    if (!g_str_equal(mode, "readline") && !g_str_equal(mode, "control")) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE,
                    "mode=%s: expected readline or control", mode);
        return false;
    }
    if (!chardev) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE, "chardev=ID is missing");
        return false;
    }
    if (!chardev_find(vmm->machine, chardev, error)) {
        return false;
    }
    vmm->monitor_given = true;
    vmm_add_monitor_request(vmm, chardev, g_str_equal(mode, "control"), pretty);
    return true;
}

/* ---- qtest ---------------------------------------------------------------------------------- */

bool handle_qtest(VMM *vmm, const char *value, GError **error)
{
    return chardev_new_legacy(vmm->machine, "qtest", value, &vmm->qtest, error);
}

bool handle_qtest_log(VMM *vmm, const char *value, GError **error)
{
    g_free(vmm->qtest_log);
    vmm->qtest_log = g_strdup(value);
    return true;
}

/* ---- what nobody asked for ------------------------------------------------------------------ */

/* With no window, a terminal is where people look for the guest's console. */
static bool stdio_by_default(VMM *vmm)
{
    return vmm->nographic || !(vmm->nodefaults || vmm->display_given || vmm->daemonize);
}

/* A machine has a serial port even if nobody reads what it says, or the terminal is taken. */
static bool add_default_serial(VMM *vmm, GError **error)
{
    g_autoptr(GError) local = NULL;

    if (!stdio_by_default(vmm)) {
        return add_serial(vmm, "null", error);
    }
    if (add_serial(vmm, vmm->monitor_given ? "stdio" : "mon:stdio", &local)) {
        return true;
    }
    if (g_error_matches(local, CHARDEV_ERROR, CHARDEV_ERROR_BUSY)) {
        return add_serial(vmm, "null", error);
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

bool vmm_create_default_frontends(VMM *vmm, GError **error)
{
    bool none_machine = !MACHINE_GET_CLASS(vmm->machine)->default_ram_size;

    if (vmm->nodefaults || (none_machine && !vmm->nographic)) {
        return true;
    }
    if (!vmm->parallel_given && !none_machine &&
        !(vmm->machine->absent_defaults & MACHINE_DEFAULT_PARALLEL) &&
        !add_parallel(vmm, "null", error)) {
        return false;
    }
    if (!vmm->serial_given && !(vmm->machine->absent_defaults & MACHINE_DEFAULT_SERIAL)) {
        return add_default_serial(vmm, error);
    }
    if (vmm->nographic && !vmm->monitor_given) {
        /* -serial stdio has the terminal: then there is no monitor. */
        add_monitor(vmm, "stdio", false, false, NULL);
    }
    return true;
}
