/* SPDX-License-Identifier: MIT
 *
 * Options that select a machine and say what it has.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "hw/core/smp.h"
#include "system/cmdline.h"
#include "system/process.h"
#include "system/runstate.h"

/* ---- which machine ----------------------------------------------------------------------- */

/* accel=kvm:tcg */
static void split_accels(VMM *vmm, const char *list)
{
    g_auto(GStrv) names = g_strsplit(list, ":", -1);

    for (char **name = names; *name; name++) {
        g_ptr_array_add(vmm->accels, g_strdup(*name));
    }
}

static bool show_machine(VMM *vmm, const char *type, GError **error)
{
    MachineClass *mc;

    if (!type || g_str_equal(type, "help") || g_str_equal(type, "?")) {
        return command_show(vmm, help_machines());
    }
    mc = machine_find_class(type, error);
    return mc && command_show(vmm, help_type(OBJECT_CLASS(mc)));
}

/* KVM's property; whichever accelerator is chosen, its value is checked. */
static bool set_kernel_irqchip(const char *value, GError **error)
{
    static const char *const values[] = {"on", "off", "split", NULL};

    if (!g_strv_contains(values, value)) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE,
                    "kernel-irqchip=%s: expected on, off or split", value);
        return false;
    }
    object_register_global(TYPE_KVM_ACCEL, "kernel-irqchip", value);
    return true;
}

/* smp.cpus=4,smp.sockets=2: as -smp, once there is a machine. */
static void take_smp(VMM *vmm, const GString *smp)
{
    if (smp->len) {
        command_line_add(vmm, "smp", g_intern_string(smp->str));
    }
}

bool handle_machine(VMM *vmm, const char *value, GError **error)
{
    g_autoptr(Options) options = options_parse_any(value, "type", error);
    g_autoptr(GString) smp = g_string_new(NULL);

    if (!options) {
        return false;
    }
    if (options_want_help(options)) {
        return show_machine(vmm, options_get(options, "type"), error);
    }
    for (guint i = 0; i < options->items->len; i++) {
        Option *option = g_ptr_array_index(options->items, i);

        if (g_str_equal(option->key, "accel")) {
            split_accels(vmm, option->value);
        } else if (g_str_has_prefix(option->key, "smp.")) {
            g_string_append_printf(smp, "%s%s=%s", smp->len ? "," : "",
                                   option->key + strlen("smp."), option->value);
        } else if (g_str_equal(option->key, "kernel-irqchip") ||
                   g_str_equal(option->key, "kernel_irqchip")) {
            if (!set_kernel_irqchip(option->value, error)) {
                return false;
            }
        } else {
            options_set(vmm->machine_options, option->key, option->value);
        }
    }
    take_smp(vmm, smp);
    return true;
}

bool handle_accel(VMM *vmm, const char *value, GError **error)
{
    g_auto(GStrv) words = g_strsplit(value, ",", 2);
    AccelClass *ac;

    if (words[0] && (g_str_equal(words[0], "help") || g_str_equal(words[0], "?"))) {
        return command_show(vmm, help_accels());
    }
    ac = accel_find(words[0] ? words[0] : "", error);
    if (!ac) {
        return false;
    }
    if (words[1] && (g_str_equal(words[1], "help") || g_str_equal(words[1], "?"))) {
        return command_show(vmm, help_type(OBJECT_CLASS(ac)));
    }
    g_ptr_array_add(vmm->accels, g_strdup(value));
    return true;
}

bool handle_enable_kvm(VMM *vmm, const char *value, GError **error)
{
    g_ptr_array_add(vmm->accels, g_strdup("kvm"));
    return true;
}

bool handle_nodefaults(VMM *vmm, const char *value, GError **error)
{
    vmm->nodefaults = true;
    return true;
}

bool handle_nographic(VMM *vmm, const char *value, GError **error)
{
    vmm->nographic = true;
    return true;
}

bool handle_vnc(VMM *vmm, const char *value, GError **error)
{
    vmm->display_given = true;
    g_ptr_array_add(vmm->vnc, g_strdup(value));
    return true;
}

bool handle_display(VMM *vmm, const char *value, GError **error)
{
    if (g_str_has_prefix(value, "vnc=")) {
        return handle_vnc(vmm, value + strlen("vnc="), error);
    }
    if (!g_str_equal(value, "none")) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE,
                    "expected none or vnc=HOST:DISPLAY: this program opens no window");
        return false;
    }
    vmm->display_given = true;
    return true;
}

/* Viewers that send key codes need no layout. */
bool handle_keyboard(VMM *vmm, const char *value, GError **error)
{
    if (!g_str_equal(value, "en-us")) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE,
                    "expected en-us: other layouts need a viewer with extended key events");
        return false;
    }
    return true;
}

bool handle_paused(VMM *vmm, const char *value, GError **error)
{
    vmm->paused = true;
    return true;
}

/* ---- CPUs and memory ------------------------------------------------------------------------ */

bool handle_cpu(VMM *vmm, const char *value, GError **error)
{
    /* No machine yet: the word help stands somewhere in the value. */
    if (!vmm->machine || g_str_equal(value, "help") || g_str_equal(value, "?")) {
        return command_show(vmm, help_cpus());
    }
    g_free(vmm->machine->cpu_type_option);
    vmm->machine->cpu_type_option = g_strdup(value);
    return true;
}

bool handle_smp(VMM *vmm, const char *value, GError **error)
{
    return smp_parse(vmm->machine, value, error);
}

/* Carried out when memory backends are there. */
bool handle_numa(VMM *vmm, const char *value, GError **error)
{
    g_ptr_array_add(vmm->machine->numa_options, g_strdup(value));
    return true;
}

bool handle_memory(VMM *vmm, const char *value, GError **error)
{
    static const char *const known[] = {"size", "slots", "maxmem", NULL};
    g_autoptr(Options) options = options_parse(value, "size", error);
    const uint64_t mib = 1024 * 1024;
    uint64_t size = vmm->machine->ram_size, maxmem, slots = 0;

    if (!options || !options_get_size(options, "size", mib, &size, error)) {
        return false;
    }
    maxmem = size;
    if (!options_get_size(options, "maxmem", mib, &maxmem, error) ||
        !options_get_uint(options, "slots", 0, 256, &slots, error) ||
        !options_check_unused(options, "-m", known, error)) {
        return false;
    }
    if (slots && !options_get(options, "maxmem")) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE, "slots: maxmem is missing");
        return false;
    }
    if (size < mib || size > (UINT64_C(1) << 46)) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE, "expected from 1M to 64T");
        return false;
    }
    if (maxmem != size) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE,
                    "maxmem: expected the same as size: memory cannot be added later");
        return false;
    }
    vmm->memory_given = true;
    vmm->machine->ram_size = (size + 8191) & ~UINT64_C(8191);
    return true;
}

bool handle_mem_path(VMM *vmm, const char *value, GError **error)
{
    g_free(vmm->machine->mem_path);
    vmm->machine->mem_path = g_strdup(value);
    return true;
}

bool handle_mem_prealloc(VMM *vmm, const char *value, GError **error)
{
    vmm->machine->mem_prealloc = true;
    return true;
}

bool handle_overcommit(VMM *vmm, const char *value, GError **error)
{
    static const char *const known[] = {"mem-lock", "cpu-pm", NULL};
    g_autoptr(Options) options = options_parse(value, NULL, error);
    bool lock = false, cpu_pm = false;

    if (!options || !options_get_bool(options, "mem-lock", &lock, error) ||
        !options_get_bool(options, "cpu-pm", &cpu_pm, error) ||
        !options_check_unused(options, "-overcommit", known, error)) {
        return false;
    }
    if (cpu_pm) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE,
                    "cpu-pm: expected off: guests cannot be given the host's idle states");
        return false;
    }
    if (lock && mlockall(MCL_CURRENT | MCL_FUTURE) < 0) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE, "mem-lock: cannot lock memory: %s",
                    g_strerror(errno));
        return false;
    }
    return true;
}

/* ---- what to start --------------------------------------------------------------------------- */

static bool set_property(VMM *vmm, const char *name, const char *value, GError **error)
{
    return object_property_set_str(OBJECT(vmm->machine), name, value, error);
}

bool handle_kernel(VMM *vmm, const char *value, GError **error)
{
    return set_property(vmm, "kernel", value, error);
}

bool handle_no_fd_bootchk(VMM *vmm, const char *value, GError **error)
{
    return set_property(vmm, "fd-bootchk", "off", error);
}

bool handle_initrd(VMM *vmm, const char *value, GError **error)
{
    return set_property(vmm, "initrd", value, error);
}

bool handle_append(VMM *vmm, const char *value, GError **error)
{
    return set_property(vmm, "append", value, error);
}

bool handle_bios(VMM *vmm, const char *value, GError **error)
{
    return set_property(vmm, "firmware", value, error);
}

/* ---- identity, devices that boards make ----------------------------------------------------- */

bool handle_name(VMM *vmm, const char *value, GError **error)
{
    static const char *const known[] = {"guest", "process", "debug-threads", NULL};
    g_autoptr(Options) options = options_parse(value, "guest", error);
    bool debug_threads = true;

    if (!options || !options_get_bool(options, "debug-threads", &debug_threads, error)) {
        return false;
    }
    options_get(options, "process");
    g_free(vmm->machine->name);
    vmm->machine->name = g_strdup(options_get(options, "guest"));
    if (vmm->message_guest_name) {
        process_name_messages(vmm->machine->name);
    }
    return options_check_unused(options, "-name", known, error);
}

bool handle_uuid(VMM *vmm, const char *value, GError **error)
{
    if (!g_uuid_string_is_valid(value)) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE,
                    "expected a UUID, such as 12345678-9abc-def0-1234-56789abcdef0");
        return false;
    }
    g_free(vmm->machine->uuid);
    vmm->machine->uuid = g_strdup(value);
    return true;
}

static bool check_rtc_base(const char *base, GError **error)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) date = NULL;

    if (!base || g_str_equal(base, "utc") || g_str_equal(base, "localtime")) {
        return true;
    }
    date = g_date_time_new_from_iso8601(base, utc);
    if (!date && strlen(base) == strlen("2006-06-17")) {
        g_autofree char *midnight = g_strconcat(base, "T00:00:00", NULL);

        date = g_date_time_new_from_iso8601(midnight, utc);
    }
    if (!date) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE,
                    "base=%s: expected utc, localtime or a date such as 2006-06-17T16:01:21", base);
    }
    return date;
}

/* The board makes the clock later. */
static void set_rtc(const char *property, const char *value)
{
    if (value) {
        object_register_global("mc146818rtc", property, value);
    }
}

bool handle_rtc(VMM *vmm, const char *value, GError **error)
{
    static const char *const known[] = {"base", "clock", "driftfix", NULL};
    g_autoptr(Options) options = options_parse(value, NULL, error);
    const char *clock, *driftfix;

    if (!options || !check_rtc_base(options_get(options, "base"), error)) {
        return false;
    }
    clock = options_get(options, "clock");
    driftfix = options_get(options, "driftfix");
    if (clock && !g_str_equal(clock, "host") && !g_str_equal(clock, "vm") &&
        !g_str_equal(clock, "rt")) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE, "clock=%s: expected host, vm or rt",
                    clock);
        return false;
    }
    if (driftfix && !g_str_equal(driftfix, "none") && !g_str_equal(driftfix, "slew")) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE, "driftfix=%s: expected none or slew",
                    driftfix);
        return false;
    }
    set_rtc("base", options_get(options, "base"));
    set_rtc("clock", clock);
    set_rtc("lost_tick_policy", driftfix && g_str_equal(driftfix, "slew") ? "slew" : NULL);
    return options_check_unused(options, "-rtc", known, error);
}

bool handle_vga(VMM *vmm, const char *value, GError **error)
{
    if (!vmm->machine || g_str_equal(value, "help")) { /* as in handle_cpu */
        return command_show(vmm, g_strdup("none  no display adapter\nstd   standard VGA\n"));
    }
    return object_property_parse(OBJECT(vmm->machine), "vga", value, error);
}

bool handle_usb(VMM *vmm, const char *value, GError **error)
{
    return object_property_set_bool(OBJECT(vmm->machine), "usb", true, error);
}

bool handle_usbdevice(VMM *vmm, const char *value, GError **error)
{
    static const char *const devices[][2] = {
        {"keyboard", "usb-kbd"   },
        {"mouse",    "usb-mouse" },
        {"tablet",   "usb-tablet"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(devices); i++) {
        if (g_str_equal(value, devices[i][0])) {
            command_line_add(vmm, "device", devices[i][1]);
            return handle_usb(vmm, NULL, error);
        }
    }
    g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE,
                "'%s': expected keyboard, mouse or tablet", value);
    return false;
}

bool handle_net(VMM *vmm, const char *value, GError **error)
{
    if (!g_str_equal(value, "none")) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE,
                    "expected none: there are no network devices");
        return false;
    }
    return true;
}

bool handle_no_acpi(VMM *vmm, const char *value, GError **error)
{
    return object_property_parse(OBJECT(vmm->machine), "acpi", "off", error);
}

bool handle_no_hpet(VMM *vmm, const char *value, GError **error)
{
    return object_property_parse(OBJECT(vmm->machine), "hpet", "off", error);
}

bool handle_no_reboot(VMM *vmm, const char *value, GError **error)
{
    vmm->machine->actions.reboot = REBOOT_ACTION_SHUTDOWN;
    return true;
}

bool handle_action(VMM *vmm, const char *value, GError **error)
{
    g_autoptr(Options) options = options_parse(value, NULL, error);

    for (guint i = 0; options && i < options->items->len; i++) {
        const Option *option = g_ptr_array_index(options->items, i);

        if (!run_state_action_set(vmm->machine, option->key, option->value, error)) {
            return false;
        }
    }
    return options != NULL;
}

bool handle_watchdog_action(VMM *vmm, const char *value, GError **error)
{
    return run_state_action_set(vmm->machine, "watchdog", value, error);
}

bool handle_no_shutdown(VMM *vmm, const char *value, GError **error)
{
    vmm->machine->actions.shutdown = SHUTDOWN_ACTION_PAUSE;
    return true;
}

/* ---- tables for firmware: the board reads them ---------------------------------------------- */

bool handle_fw_cfg(VMM *vmm, const char *value, GError **error)
{
    static const char *const known[] = {"name", "file", "string", NULL};
    g_autoptr(Options) options = options_parse(value, "name", error);
    bool complete;

    if (!options) {
        return false;
    }
    complete = !options_get(options, "file") != !options_get(options, "string");
    complete = options_get(options, "name") && complete;
    if (!options_check_unused(options, "-fw_cfg", known, error)) {
        return false;
    }
    if (!complete) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE,
                    "expected name=NAME and one of file=FILE or string=TEXT");
        return false;
    }
    g_ptr_array_add(vmm->machine->fw_cfg_options, g_strdup(value));
    return true;
}

bool handle_smbios(VMM *vmm, const char *value, GError **error)
{
    g_autoptr(Options) options = options_parse(value, NULL, error);

    if (!options) {
        return false;
    }
    if (!options_get(options, "type") && !options_get(options, "file")) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE, "expected type=N or file=FILE");
        return false;
    }
    g_ptr_array_add(vmm->machine->smbios_options, g_strdup(value));
    return true;
}

bool handle_acpitable(VMM *vmm, const char *value, GError **error)
{
    g_autoptr(Options) options = options_parse(value, NULL, error);

    if (!options) {
        return false;
    }
    if (!options_get(options, "file") && !options_get(options, "data")) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE,
                    "expected file=FILE (a whole table) or data=FILE");
        return false;
    }
    g_ptr_array_add(vmm->machine->acpi_table_options, g_strdup(value));
    return true;
}
