/* SPDX-License-Identifier: MIT
 *
 * The monitor for people: a line editor of the simplest kind, and commands of words.
 */
#include <string.h>
#include "hw/acpi/vmgenid.h"
#include "hw/pci/pci.h"
#include "hw/usb/usb.h"
#include "quoin-config.h"
#include "system/block/block.h"
#include "system/cmdline.h"
#include "system/log.h"
#include "system/monitor/monitor-internal.h"
#include "system/object-add.h"
#include "system/runstate.h"

#define HMP_LINE 4096
#define PROMPT   "(quoin) "

typedef struct HMPCommand {
    const char *name, *alias;
    const char *arguments; /* as help shows it */
    const char *help;
    void (*run)(MachineState *machine, const char *rest, GString *out);
} HMPCommand;

static void say_error(GString *out, GError *error)
{
    g_string_append_printf(out, "Error: %s\n", error->message);
}

/* ---- info ----------------------------------------------------------------------------------- */

static void info_version(MachineState *machine, GString *out)
{
    g_string_append(out, QUOIN_VERSION "\n");
}

static void info_status(MachineState *machine, GString *out)
{
    RunState state = machine->run_state;

    if (state == RUN_STATE_RUNNING || state == RUN_STATE_PAUSED) {
        g_string_append_printf(out, "VM status: %s\n", run_state_name(state));
    } else {
        g_string_append_printf(out, "VM status: paused (%s)\n", run_state_name(state));
    }
}

static void info_name(MachineState *machine, GString *out)
{
    g_string_append_printf(out, "%s\n", machine->name ? machine->name : "");
}

static void info_uuid(MachineState *machine, GString *out)
{
    g_string_append_printf(out, "%s\n",
                           machine->uuid ? machine->uuid
                                         : "00000000-0000-0000-0000-000000000000");
}

static void info_kvm(MachineState *machine, GString *out)
{
    AccelState *accel = machine->accelerator;
    bool enabled = accel && g_str_equal(ACCEL_GET_CLASS(accel)->name, "kvm");

    g_string_append_printf(out, "kvm support: %s\n", enabled ? "enabled" : "disabled");
}

static void info_memory_size(MachineState *machine, GString *out)
{
    g_string_append_printf(out, "base memory: %" G_GUINT64_FORMAT "\nplugged memory: 0\n",
                           (guint64)machine->ram_size);
}

static void info_block_jobs(MachineState *machine, GString *out)
{
    g_string_append(out, "No active jobs\n");
}

static void info_vm_generation_id(MachineState *machine, GString *out)
{
    g_autofree char *guid = vmgenid_get(machine);

    g_string_append_printf(out, "%s\n", guid ? guid : "Error: VM Generation ID device not found");
}

static bool append_chardev(Object *child, const char *name, void *opaque)
{
    g_autofree char *text = chardev_describe(CHARDEV(child));

    g_string_append_printf(opaque, "%s: %s\n", name, text);
    return false;
}

static void info_chardev(MachineState *machine, GString *out)
{
    object_child_foreach(container_get(object_get_root(OBJECT(machine)), "chardevs"),
                         append_chardev, out);
}

static void info_block(MachineState *machine, GString *out)
{
    hmp_info_block(machine, "", out);
}

static void info_qdm(MachineState *machine, GString *out)
{
    g_autofree char *text = help_devices();

    g_string_append(out, text);
}

static const struct {
    const char *name, *help;
    void (*run)(MachineState *machine, GString *out);
} info_topics[] = {
    {"block",     "disks",                    info_block        },
    {"blockstats", "what disks have done",    hmp_info_blockstats},
    {"chardev",   "character devices",        info_chardev      },
    {"cpus",      "CPUs",                     hmp_info_cpus     },
    {"flat",      "memory as CPUs see it",    hmp_info_flat     },
    {"irq",       "how often interrupts rose", hmp_info_irq     },
    {"mice",      "mice and tablets",         hmp_info_mice     },
    {"hotpluggable-cpus", "places for CPUs",  hmp_info_hotpluggable_cpus},
    {"memdev",    "memory backends",          hmp_info_memdev   },
    {"mtree",     "memory regions as a tree", hmp_info_mtree    },
    {"name",      "name of the guest",        info_name         },
    {"numa",      "NUMA nodes",               hmp_info_numa     },
    {"pci",       "PCI devices",              pci_machine_print },
    {"pic",       "interrupt controllers",    hmp_info_pic      },
    {"qdm",       "types of devices",         info_qdm          },
    {"qom-tree",  "objects",                  hmp_info_qom_tree },
    {"qtree",     "devices and buses",        hmp_info_qtree    },
    {"registers", "registers of the CPUs",    hmp_info_registers},
    {"status",    "whether the VM runs",      info_status       },
    {"usb",       "USB devices",              usb_machine_print       },
    {"version",   "version of this program",  info_version      },
    {"uuid",      "UUID of the guest",        info_uuid         },
    {"kvm",       "whether KVM is used",      info_kvm          },
    {"memory_size_summary", "sizes of memory", info_memory_size },
    {"block-jobs", "jobs on disks",           info_block_jobs   },
    {"vm-generation-id", "of the vmgenid device", info_vm_generation_id},
    {"vnc",       "VNC servers",              hmp_info_vnc      },
};

/* TOPIC, and options that say how much of it: all is shown anyway. */
static void run_info(MachineState *machine, const char *rest, GString *out)
{
    g_autofree char *topic = NULL;

    if (g_str_has_prefix(rest, "lapic") && (!rest[5] || rest[5] == ' ')) {
        hmp_info_lapic(machine, rest[5] ? rest + 6 : "", out);
        return;
    }
    if (g_str_has_prefix(rest, "block ")) {
        hmp_info_block(machine, rest + strlen("block "), out);
        return;
    }
    topic = g_strndup(rest, strcspn(rest, " "));
    if (g_str_equal(rest, "mtree -f")) {
        hmp_info_flat(machine, out);
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(info_topics); i++) {
        if (g_str_equal(topic, info_topics[i].name)) {
            info_topics[i].run(machine, out);
            return;
        }
    }
    if (*rest) {
        g_string_append_printf(out, "unknown command: 'info %s'\n", rest);
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(info_topics); i++) {
        g_string_append_printf(out, "info %-10s %s\n", info_topics[i].name, info_topics[i].help);
    }
}

/* ---- commands ------------------------------------------------------------------------------- */

static void run_help(MachineState *machine, const char *rest, GString *out);

static void run_quit(MachineState *machine, const char *rest, GString *out)
{
    system_quit_request(machine, SHUTDOWN_CAUSE_HOST_QMP_QUIT);
}

static void run_stop(MachineState *machine, const char *rest, GString *out)
{
    vm_stop(machine, RUN_STATE_PAUSED);
}

static void run_cont(MachineState *machine, const char *rest, GString *out)
{
    if (!vm_may_start(machine)) {
        g_string_append_printf(out, "Error: the VM is in state %s: it needs a reset first\n",
                               run_state_name(machine->run_state));
        return;
    }
    vm_start(machine);
}

static void run_reset(MachineState *machine, const char *rest, GString *out)
{
    system_reset_request(machine, SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
}

static void run_nmi(MachineState *machine, const char *rest, GString *out)
{
    MachineClass *mc = MACHINE_GET_CLASS(machine);

    if (mc->inject_nmi) {
        mc->inject_nmi(machine);
    } else {
        g_string_append_printf(out, "Error: machine %s has no NMI\n", mc->name);
    }
}

static void run_powerdown(MachineState *machine, const char *rest, GString *out)
{
    system_powerdown_request(machine);
}

static void run_wakeup(MachineState *machine, const char *rest, GString *out)
{
    if (machine->suspended) {
        system_wakeup_request(machine, WAKEUP_REASON_OTHER);
    } else {
        g_string_append(out, "Error: Unable to wake up: guest is not in suspended state\n");
    }
}

static void run_watchdog_action(MachineState *machine, const char *rest, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (!run_state_action_set(machine, "watchdog", rest, &error)) {
        say_error(out, error);
    }
}

static void run_log(MachineState *machine, const char *rest, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (g_str_equal(rest, "none")) {
        log_mask = 0;
    } else if (!log_set_items(rest, &error)) {
        say_error(out, error);
    }
}

/* "help", "?" or "TYPE,help": NULL if it asks for no help, or for that of no device. */
static char *device_help(const char *text)
{
    g_autofree char *driver = NULL;
    DeviceClass *dc;

    if (g_str_equal(text, "help") || g_str_equal(text, "?")) {
        return help_devices();
    }
    if (!g_str_has_suffix(text, ",help") && !g_str_has_suffix(text, ",?")) {
        return NULL;
    }
    driver = g_strndup(text, strcspn(text, ","));
    dc = qdev_find_driver(driver, NULL);
    return dc ? help_type(OBJECT_CLASS(dc)) : NULL;
}

static void run_device_add(MachineState *machine, const char *rest, GString *out)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Options) options = NULL;
    g_autofree char *unquoted =
        strlen(rest) > 1 && *rest == '"' && g_str_has_suffix(rest, "\"")
            ? g_strndup(rest + 1, strlen(rest) - 2)
            : g_strdup(rest);
    g_autofree char *help = device_help(unquoted);

    if (help) {
        g_string_append(out, help);
        return;
    }
    options = options_parse_any(unquoted, "driver", &error);
    if (!options || !qdev_device_add(machine, options, &error)) {
        say_error(out, error);
    }
}

static void run_device_del(MachineState *machine, const char *rest, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (!qdev_device_del(machine, rest, &error)) {
        say_error(out, error);
    }
}

static void run_object_add(MachineState *machine, const char *rest, GString *out)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Options) options = options_parse_any(rest, "qom-type", &error);

    if (!options || !user_object_add(machine, options, &error)) {
        say_error(out, error);
    }
}

static void run_object_del(MachineState *machine, const char *rest, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (!user_object_del(machine, rest, &error)) {
        say_error(out, error);
    }
}

static Object *find_object(MachineState *machine, const char *path, GString *out)
{
    bool ambiguous = false;
    Object *obj = object_resolve_path(OBJECT(machine), path, &ambiguous);

    if (!obj) {
        g_string_append_printf(out, "Error: %s object at '%s'\n",
                               ambiguous ? "more than one" : "no", path);
    }
    return obj;
}

static void append_listed(const char *name, const char *type, const char *doc, void *opaque)
{
    g_string_append_printf(opaque, "%s (%s)\n", name, type);
}

static void run_qom_list(MachineState *machine, const char *rest, GString *out)
{
    Object *obj = find_object(machine, *rest ? rest : "/", out);

    if (obj) {
        object_property_list(obj, append_listed, out);
    }
}

static void run_qom_get(MachineState *machine, const char *rest, GString *out)
{
    g_auto(GStrv) words = g_strsplit(rest, " ", 2);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    Object *obj;

    if (g_strv_length(words) != 2) {
        g_string_append(out, "Error: expected PATH PROPERTY\n");
        return;
    }
    obj = find_object(machine, words[0], out);
    if (obj && !(text = object_property_print(obj, words[1], &error))) {
        say_error(out, error);
    } else if (obj) {
        g_string_append_printf(out, "%s\n", text);
    }
}

static void run_qom_set(MachineState *machine, const char *rest, GString *out)
{
    g_auto(GStrv) words = g_strsplit(rest, " ", 3);
    g_autoptr(GError) error = NULL;
    Object *obj;

    if (g_strv_length(words) != 3) {
        g_string_append(out, "Error: expected PATH PROPERTY VALUE\n");
        return;
    }
    obj = find_object(machine, words[0], out);
    if (obj && !object_property_parse(obj, words[1], words[2], &error)) {
        say_error(out, error);
    }
}

static const HMPCommand commands[] = {
    {"change",           NULL, "DEVICE FILE [FORMAT] | vnc password PASSWORD", "another medium; the password of VNC",               hmp_change    },
    {"chardev-add",      NULL, "KIND,id=ID[,OPTION=VALUE]", "add a character device",              hmp_chardev_add},
    {"chardev-remove",   NULL, "ID",                      "remove one",                            hmp_chardev_remove},
    {"cont",             "c",  "",                        "let the VM run",                        run_cont      },
    {"device_add",       NULL, "TYPE[,PROP=VALUE]",       "add a device",                          run_device_add},
    {"device_del",       NULL, "ID",                      "remove a device",                       run_device_del},
    {"drive_add",        NULL, "[-n] BUS OPTIONS",        "add a drive, as -drive if=none",        hmp_drive_add },
    {"drive_del",        NULL, "ID",                      "take a drive's medium away for good",  hmp_drive_del },
    {"expire_password",  NULL, "vnc TIME",                "when it ends: now, never, +SECONDS",    hmp_expire_password},
    {"eject",            NULL, "[-f] DEVICE",             "take the medium out of a drive",        hmp_eject     },
    {"help",             "?",  "",                        "this list",                             run_help      },
    {"i",                NULL, "[/FORMAT] PORT",          "read an I/O port",                      hmp_port_read },
    {"info",             NULL, "TOPIC",                   "show something; without a topic: what", run_info      },
    {"log",              NULL, "ITEM[,ITEM]|none",        "as -d",                                 run_log       },
    {"mouse_button",     NULL, "STATE",                   "press these: 1 left, 2 middle, 4 right", hmp_mouse_button},
    {"mouse_move",       NULL, "DX DY [DZ]",              "move the mouse, turn its wheel",        hmp_mouse_move},
    {"mouse_set",        NULL, "INDEX",                   "which mouse gets events (info mice)",   hmp_mouse_set },
    {"nmi",              NULL, "",                        "inject an NMI",                         run_nmi       },
    {"o",                NULL, "[/FORMAT] PORT VALUE",    "write an I/O port",                     hmp_port_write},
    {"object_add",       NULL, "TYPE,id=ID[,PROP=VALUE]", "create an object",                      run_object_add},
    {"object_del",       NULL, "ID",                      "delete an object",                      run_object_del},
    {"pmemsave",         NULL, "ADDRESS BYTES FILE",      "write physical memory to a file",       hmp_pmemsave  },
    {"qemu-io",          NULL, "DRIVE \"COMMAND\"",       "request on a disk; breakpoints of blkdebug", hmp_qemu_io },
    {"qom-get",          NULL, "PATH PROPERTY",           "value of a property",                   run_qom_get   },
    {"qom-list",         NULL, "[PATH]",                  "children and properties of an object",  run_qom_list  },
    {"qom-set",          NULL, "PATH PROPERTY VALUE",     "set a property",                        run_qom_set   },
    {"quit",             "q",  "",                        "end",                                   run_quit      },
    {"screendump",       NULL, "FILE [-f FORMAT] [DEVICE [HEAD]]", "write the screen to a file: ppm, png", hmp_screendump},
    {"sendkey",          NULL, "KEY[-KEY...] [MS]",       "press keys together (ctrl-alt-f1)",     hmp_sendkey   },
    {"set_password",     NULL, "vnc PASSWORD",            "set the password of VNC",               hmp_set_password},
    {"stop",             "s",  "",                        "stop the VM",                           run_stop      },
    {"sum",              NULL, "ADDRESS BYTES",           "checksum of physical memory",           hmp_sum       },
    {"system_powerdown", NULL, "",                        "press the power button",                run_powerdown },
    {"system_reset",     NULL, "",                        "reset the VM",                          run_reset     },
    {"system_wakeup",    NULL, "",                        "end a suspension to RAM",               run_wakeup    },
    {"watchdog_action",  NULL, "ACTION",                  "what a watchdog does when it ends",     run_watchdog_action},
    {"xp",               NULL, "[/FORMAT] ADDRESS [BYTES]", "show physical memory",                hmp_dump_physical},
};

/* help info lists the topics; help NAME is one line of the list. */
static void run_help(MachineState *machine, const char *rest, GString *out)
{
    if (g_str_equal(rest, "info")) {
        run_info(machine, "", out);
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_autofree char *left = g_strdup_printf("%s %s", commands[i].name, commands[i].arguments);

        if (!*rest || g_str_equal(rest, commands[i].name) ||
            !g_strcmp0(rest, commands[i].alias)) {
            g_string_append_printf(out, "%-36s %s\n", left, commands[i].help);
        }
    }
}

void hmp_run(MachineState *machine, const char *line, GString *out)
{
    g_autofree char *copy = g_strdup(line);
    char *stripped = g_strstrip(copy);
    gsize len = strcspn(stripped, " \t/"); /* "xp/4w" is "xp /4w" */
    g_autofree char *word = g_strndup(stripped, len);
    char *rest = g_strchug(stripped + len);

    if (!*word) {
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (g_str_equal(word, commands[i].name) || !g_strcmp0(word, commands[i].alias)) {
            commands[i].run(machine, rest, out);
            return;
        }
    }
    g_string_append_printf(out, "unknown command: '%s' (help lists them)\n", word);
}

/* ---- the line ------------------------------------------------------------------------------- */

/* For a terminal in raw mode. */
static void write_lines(Monitor *monitor, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *joined = g_strjoinv("\r\n", lines);

    monitor_write(monitor, joined);
}

void hmp_begin(Monitor *monitor)
{
    g_string_truncate(monitor->input, 0);
    monitor_write(monitor,
                  "\r\nquoin " QUOIN_VERSION " monitor: help lists the commands\r\n" PROMPT);
}

static void end_line(Monitor *monitor)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *line = g_strdup(monitor->input->str);

    g_string_truncate(monitor->input, 0);
    monitor_write(monitor, "\r\n");
    hmp_run(monitor->machine, line, out);
    write_lines(monitor, out->str);
    monitor_write(monitor, PROMPT);
}

static void erase(Monitor *monitor, gsize n)
{
    for (n = MIN(n, monitor->input->len); n > 0; n--) {
        g_string_truncate(monitor->input, monitor->input->len - 1);
        monitor_write(monitor, "\b \b");
    }
}

static void input_byte(Monitor *monitor, uint8_t c)
{
    bool after_cr = monitor->last_cr;
    char echo[2] = {(char)c, '\0'};

    monitor->last_cr = c == '\r';
    if (c == '\n' && after_cr) {
        return;
    }
    if (c == '\r' || c == '\n') {
        end_line(monitor);
    } else if (c == 0x7f || c == '\b') {
        erase(monitor, 1);
    } else if (c == 0x15) { /* Ctrl-u */
        erase(monitor, monitor->input->len);
    } else if (c >= ' ' && monitor->input->len < HMP_LINE) {
        g_string_append_c(monitor->input, (char)c);
        monitor_write(monitor, echo);
    }
}

void hmp_input(Monitor *monitor, const uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        input_byte(monitor, buf[i]);
    }
}
