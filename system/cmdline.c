/* SPDX-License-Identifier: MIT
 *
 * The table of options, and how a command line becomes calls of its handlers.
 */
#include <string.h>
#include "system/cmdline.h"

/* clang-format off */
const CommandOption command_options[] = {
    {"help", NULL, "show this text", STAGE_PROCESS, handle_help},
    {"h", NULL, NULL, STAGE_PROCESS, handle_help},
    {"version", NULL, "show the version", STAGE_PROCESS, handle_version},
    {"machine", "TYPE[,PROP=VALUE]", "what to emulate (help lists them)",
     STAGE_SELECT, handle_machine, true},
    {"M", "TYPE", NULL, STAGE_SELECT, handle_machine, true},
    {"accel", "NAME[,PROP=VALUE]", "how to run it; several are tried in order",
     STAGE_SELECT, handle_accel, true},
    {"enable-kvm", NULL, "the same as -accel kvm", STAGE_SELECT, handle_enable_kvm},
    {"cpu", "MODEL[,+FEATURE][,-FEATURE]", "model of the CPUs (help lists them)",
     STAGE_CONFIG, handle_cpu, true},
    {"smp", "[cpus=]N[,maxcpus=,sockets=,dies=,cores=,threads=]", "number of CPUs",
     STAGE_CONFIG, handle_smp},
    {"numa", "node[,nodeid=N][,cpus=A-B][,memdev=ID]|cpu,...|dist,...",
     "NUMA nodes, their CPUs and distances", STAGE_CONFIG, handle_numa},
    {"m", "[size=]MEGS", "guest memory, with suffix K, M, G or T", STAGE_CONFIG, handle_memory},
    {"mem-path", "PATH", "guest memory on this file, or on a new one in this folder",
     STAGE_CONFIG, handle_mem_path},
    {"mem-prealloc", NULL, "allocate guest memory at the start", STAGE_CONFIG, handle_mem_prealloc},
    {"overcommit", "mem-lock=on|off", "keep all memory of this process resident",
     STAGE_CONFIG, handle_overcommit},
    {"global", "TYPE.PROP=VALUE", "default of a property of every object of a type",
     STAGE_TYPES, handle_global},
    {"plugin", "FILE", "load a module with types", STAGE_PROCESS, handle_plugin},
    {"kernel", "FILE", "start this kernel", STAGE_CONFIG, handle_kernel},
    {"initrd", "FILE", "initial RAM disk of the kernel", STAGE_CONFIG, handle_initrd},
    {"append", "TEXT", "command line of the kernel", STAGE_CONFIG, handle_append},
    {"bios", "FILE", "firmware", STAGE_CONFIG, handle_bios},
    {"L", "DIR", "where to look for firmware", STAGE_PROCESS, handle_data_dir},
    {"boot", "[order=]DRIVES[,once=DRIVES][,menu=on|off][,strict=on|off][,splash=FILE][,...]",
     "what firmware boots from", STAGE_CONFIG, handle_boot},
    {"no-fd-bootchk", NULL, "no signature needed to boot from a floppy",
     STAGE_CONFIG, handle_no_fd_bootchk},
    {"option-rom", "FILE[,bootindex=N]", "a ROM for firmware to run",
     STAGE_CONFIG, handle_option_rom},
    {"blockdev", "driver=DRIVER,node-name=NODE[,...]", "an image, for -device drive=NODE",
     STAGE_BACKEND, handle_blockdev},
    {"drive", "file=FILE[,if=,format=,id=,media=,...]", "a disk", STAGE_BACKEND, handle_drive},
    {"fda", "FILE", "first floppy disk", STAGE_BACKEND, handle_fda},
    {"fdb", "FILE", "second floppy disk", STAGE_BACKEND, handle_fdb},
    {"hda", "FILE", "first disk", STAGE_BACKEND, handle_hda},
    {"hdb", "FILE", "second disk", STAGE_BACKEND, handle_hdb},
    {"hdc", "FILE", "third disk", STAGE_BACKEND, handle_hdc},
    {"hdd", "FILE", "fourth disk", STAGE_BACKEND, handle_hdd},
    {"cdrom", "FILE", "a CD in the third place", STAGE_BACKEND, handle_cdrom},
    {"pflash", "FILE", "a flash chip with firmware or its variables",
     STAGE_BACKEND, handle_pflash},
    {"snapshot", NULL, "keep disk writes in temporary files", STAGE_CHARDEV, handle_snapshot},
    {"chardev", "KIND,id=ID[,PROP=VALUE]", "a character device (help lists them)",
     STAGE_CHARDEV, handle_chardev, true},
    {"object", "TYPE,id=ID[,PROP=VALUE]", "a back end object (help lists them)",
     STAGE_OBJECT, handle_object, true},
    {"device", "TYPE[,id=ID][,PROP=VALUE]", "add a device (help lists them)",
     STAGE_DEVICE, handle_device, true},
    {"serial", "CHARDEV", "next serial port: stdio, pty, file:PATH, ...",
     STAGE_BACKEND, handle_serial},
    {"debugcon", "CHARDEV", "where what is written to port 0xe9 goes",
     STAGE_DEVICE, handle_debugcon},
    {"parallel", "CHARDEV", "next parallel port: file:PATH, null, none, ...",
     STAGE_BACKEND, handle_parallel},
    {"monitor", "CHARDEV", "monitor for people: stdio, none, ...", STAGE_BACKEND, handle_monitor},
    {"mon", "[chardev=]ID[,mode=readline|control]", "monitor on a chardev",
     STAGE_BACKEND, handle_mon},
    {"qmp", "CHARDEV", "monitor for programs", STAGE_BACKEND, handle_qmp},
    {"qmp-pretty", "CHARDEV", "the same with line breaks", STAGE_BACKEND, handle_qmp_pretty},
    {"qtest", "CHARDEV", "serve the qtest protocol", STAGE_BACKEND, handle_qtest},
    {"qtest-log", "FILE", "log of the qtest protocol", STAGE_CONFIG, handle_qtest_log},
    {"nodefaults", NULL, "no devices but those asked for", STAGE_SELECT, handle_nodefaults},
    {"no-user-config", NULL, "there is no configuration file to leave out",
     STAGE_PROCESS, handle_nothing},
    {"nographic", NULL, "serial port and monitor on this terminal (Ctrl-a h: help)",
     STAGE_SELECT, handle_nographic},
    {"display", "none|vnc=...", "how to show the screen: not at all, or as -vnc",
     STAGE_SELECT, handle_display},
    {"vnc", "HOST:DISPLAY|unix:PATH|none[,OPTION=VALUE]", "show the screen to VNC viewers",
     STAGE_CONFIG, handle_vnc},
    {"k", "LAYOUT", "keyboard of viewers that send characters: en-us",
     STAGE_PROCESS, handle_keyboard},
    {"vga", "std|none", "kind of display adapter", STAGE_CONFIG, handle_vga, true},
    {"no-hpet", NULL, "no HPET (the same as -machine hpet=off)", STAGE_CONFIG, handle_no_hpet},
    {"no-acpi", NULL, "no ACPI tables (the same as -machine acpi=off)",
     STAGE_CONFIG, handle_no_acpi},
    {"usb", NULL, "add a USB controller", STAGE_CONFIG, handle_usb},
    {"usbdevice", "keyboard|mouse|tablet", "a USB controller, and this device on it",
     STAGE_CONFIG, handle_usbdevice},
    {"net", "none", "no network", STAGE_CONFIG, handle_net},
    {"nic", "none", "no network", STAGE_CONFIG, handle_net},
    {"rtc", "[base=utc|localtime|DATE][,clock=host|vm]", "time of day of the guest",
     STAGE_CONFIG, handle_rtc},
    {"name", "NAME", "of the guest", STAGE_CONFIG, handle_name},
    {"uuid", "UUID", "of the guest", STAGE_CONFIG, handle_uuid},
    {"fw_cfg", "[name=]NAME,file=FILE|string=TEXT", "a file for the firmware",
     STAGE_CONFIG, handle_fw_cfg},
    {"smbios", "type=N[,FIELD=VALUE]|file=FILE", "fields of SMBIOS tables",
     STAGE_CONFIG, handle_smbios},
    {"acpitable", "file=FILE|sig=,...", "another ACPI table", STAGE_CONFIG, handle_acpitable},
    {"action", "reboot=reset|shutdown[,shutdown=poweroff|pause][,panic=][,watchdog=]",
     "what these events lead to", STAGE_CONFIG, handle_action},
    {"watchdog-action", "reset|shutdown|poweroff|pause|debug|none|inject-nmi",
     "the same as -action watchdog=", STAGE_CONFIG, handle_watchdog_action},
    {"no-reboot", NULL, "end at a reset", STAGE_CONFIG, handle_no_reboot},
    {"no-shutdown", NULL, "stop but stay at a power-off", STAGE_CONFIG, handle_no_shutdown},
    {"S", NULL, "wait for the monitor's cont before starting", STAGE_SELECT, handle_paused},
    {"d", "ITEM[,ITEM]", "log these items (help lists them)", STAGE_PROCESS, handle_log, true},
    {"D", "FILE", "log to a file, not to stderr", STAGE_PROCESS, handle_log_file},
    {"daemonize", NULL, "go to the background when ready", STAGE_PROCESS, handle_daemonize},
    {"pidfile", "FILE", "write the process id, and remove it at the end",
     STAGE_PROCESS, handle_pidfile},
    {"msg", "timestamp=on|off,guest-name=on|off", "what stands before each message",
     STAGE_PROCESS, handle_msg},
    {NULL},
};
/* clang-format on */

static const CommandOption *find_option(const char *name)
{
    for (const CommandOption *option = command_options; option->name; option++) {
        if (g_str_equal(option->name, name)) {
            return option;
        }
    }
    return NULL;
}

static bool unknown_option(const char *name, GError **error)
{
    const char *names[G_N_ELEMENTS(command_options)];
    const char *nearest;

    for (gsize i = 0; i < G_N_ELEMENTS(command_options); i++) {
        names[i] = command_options[i].name;
    }
    nearest = nearest_word(name, names);
    g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_UNKNOWN, "-%s: unknown option; %s%s%s", name,
                nearest ? "did you mean '-" : "-help lists them", nearest ? nearest : "",
                nearest ? "'?" : "");
    return false;
}

static void add_item(VMM *vmm, const CommandOption *option, const char *value)
{
    CommandItem *item = g_new(CommandItem, 1);

    *item = (CommandItem){option, value};
    g_ptr_array_add(vmm->command_line, item);
}

void command_line_add(VMM *vmm, const char *name, const char *value)
{
    const CommandOption *option = find_option(name);

    g_assert(option);
    add_item(vmm, option, value);
}

/* One option and its argument; returns how many words it took, 0: an error. */
static int parse_option(VMM *vmm, char **words, GError **error)
{
    const char *name = words[0] + (g_str_has_prefix(words[0], "--") ? 2 : 1);
    const CommandOption *option = find_option(name);

    if (!option) {
        unknown_option(name, error);
        return 0;
    }
    if (option->argument && !words[1]) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_SYNTAX, "-%s: expected %s after it", name,
                    option->argument);
        return 0;
    }
    add_item(vmm, option, option->argument ? words[1] : "");
    return option->argument ? 2 : 1;
}

bool command_line_parse(VMM *vmm, int argc, char **argv, GError **error)
{
    for (int i = 1; i < argc;) {
        int taken;

        if (argv[i][0] != '-' || !argv[i][1]) {
            add_item(vmm, find_option("hda"), argv[i++]);
            continue;
        }
        taken = parse_option(vmm, argv + i, error);
        if (!taken) {
            return false;
        }
        i += taken;
    }
    return true;
}

#define SHOWN_VALUE 100

void command_prefix_error(GError **error, const char *name, const char *value)
{
    gsize len = strlen(value);

    g_prefix_error(error, "-%s%s%.*s%s: ", name, len ? " " : "", (int)MIN(len, SHOWN_VALUE), value,
                   len > SHOWN_VALUE ? "..." : "");
}

static bool wants_help(const CommandItem *item)
{
    const char *value = item->value;

    return item->option->has_help &&
           (g_str_equal(value, "help") || g_str_equal(value, "?") ||
            g_str_has_prefix(value, "help,") || g_str_has_suffix(value, ",help") ||
            g_str_has_suffix(value, ",?"));
}

static bool run_item(VMM *vmm, const CommandItem *item, GError **error)
{
    if (!item->option->handle(vmm, item->value, error)) {
        command_prefix_error(error, item->option->name, item->value);
        return false;
    }
    return true;
}

bool command_line_run_help(VMM *vmm, GError **error)
{
    for (guint i = 0; i < vmm->command_line->len && !vmm->done; i++) {
        const CommandItem *item = g_ptr_array_index(vmm->command_line, i);

        if (wants_help(item) && !run_item(vmm, item, error)) {
            return false;
        }
    }
    return true;
}

bool command_line_run(VMM *vmm, CommandStage stage, GError **error)
{
    for (guint i = 0; i < vmm->command_line->len && !vmm->done; i++) {
        const CommandItem *item = g_ptr_array_index(vmm->command_line, i);

        if (item->option->stage == stage && !run_item(vmm, item, error)) {
            return false;
        }
    }
    return true;
}
