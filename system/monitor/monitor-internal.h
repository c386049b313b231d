/* SPDX-License-Identifier: MIT
 *
 * What the files of this folder share.
 */
#ifndef SYSTEM_MONITOR_MONITOR_INTERNAL_H
#define SYSTEM_MONITOR_MONITOR_INTERNAL_H

#include <json-glib/json-glib.h>
#include "system/monitor/monitor.h"

struct Monitor {
    MachineState *machine;
    CharFrontend fe;
    bool control, pretty;

    GString *input; /* a line, or a JSON object, as far as it has come */
    bool overlong;

    /* QMP */
    bool negotiated;
    unsigned depth;
    char quote; /* that ends the string we are in, or 0 */
    bool escaped;
    bool recovering; /* after a byte that JSON has no place for */
    /* HMP */
    bool last_cr;
};

#define MONITOR_ERROR (monitor_error_quark())
GQuark monitor_error_quark(void);
typedef enum MonitorError {
    MONITOR_ERROR_COMMAND, /* unknown, or not now */
    MONITOR_ERROR_ARGUMENT,
    MONITOR_ERROR_NOT_FOUND,
} MonitorError;

void monitor_write(Monitor *monitor, const char *text);

/* ---- HMP ---------------------------------------------------------------------------------- */

void hmp_begin(Monitor *monitor); /* banner and prompt */
void hmp_input(Monitor *monitor, const uint8_t *buf, size_t len);
/* One command line; its output and its error both go to `out`. */
void hmp_run(MachineState *machine, const char *line, GString *out);

/* `info` topics: text with "\n". */
void hmp_info_qtree(MachineState *machine, GString *out);
void hmp_info_qom_tree(MachineState *machine, GString *out);
void hmp_info_registers(MachineState *machine, GString *out);
void hmp_info_mtree(MachineState *machine, GString *out);
void hmp_info_cpus(MachineState *machine, GString *out);
void hmp_info_hotpluggable_cpus(MachineState *machine, GString *out);
void hmp_info_numa(MachineState *machine, GString *out);
void hmp_info_memdev(MachineState *machine, GString *out);
void hmp_info_flat(MachineState *machine, GString *out);
void hmp_info_pic(MachineState *machine, GString *out);
void hmp_info_irq(MachineState *machine, GString *out);
void hmp_info_lapic(MachineState *machine, const char *apic_id, GString *out);
void hmp_info_mice(MachineState *machine, GString *out);
void hmp_info_vnc(MachineState *machine, GString *out);

/* qmp-block.c */
/* All drives, or the one that `rest` names. */
void hmp_info_block(MachineState *machine, const char *rest, GString *out);
void hmp_info_blockstats(MachineState *machine, GString *out);
void hmp_chardev_add(MachineState *machine, const char *rest, GString *out);
void hmp_chardev_remove(MachineState *machine, const char *rest, GString *out);
void hmp_eject(MachineState *machine, const char *rest, GString *out);
void hmp_change_medium(MachineState *machine, const char *rest, GString *out);

void hmp_drive_add(MachineState *machine, const char *rest, GString *out);
void hmp_drive_del(MachineState *machine, const char *rest, GString *out);

/* hmp-qemu-io.c */
void hmp_qemu_io(MachineState *machine, const char *rest, GString *out);

/* hmp-memory.c */
void hmp_dump_physical(MachineState *machine, const char *rest, GString *out);
void hmp_port_read(MachineState *machine, const char *rest, GString *out);
void hmp_port_write(MachineState *machine, const char *rest, GString *out);
void hmp_sum(MachineState *machine, const char *rest, GString *out);
void hmp_pmemsave(MachineState *machine, const char *rest, GString *out);
/* `len` bytes of guest-physical memory from `addr`, to a new file. */
bool memory_save(MachineState *machine, uint64_t addr, uint64_t len, const char *path,
                 GError **error);

/* hmp-display.c: commands, with what follows their name */
void hmp_screendump(MachineState *machine, const char *rest, GString *out);
void hmp_sendkey(MachineState *machine, const char *rest, GString *out);
void hmp_mouse_move(MachineState *machine, const char *rest, GString *out);
void hmp_mouse_button(MachineState *machine, const char *rest, GString *out);
void hmp_mouse_set(MachineState *machine, const char *rest, GString *out);
void hmp_set_password(MachineState *machine, const char *rest, GString *out);
void hmp_expire_password(MachineState *machine, const char *rest, GString *out);
void hmp_change(MachineState *machine, const char *rest, GString *out);
/* "now", "never", "+SECONDS", SECONDS since 1970: as vnc_expire_password() takes it. */
bool display_parse_expiry(const char *text, int64_t *ret, GError **error);

/* ---- QMP ----------------------------------------------------------------------------------- */

void qmp_begin(Monitor *monitor); /* greeting */
void qmp_input(Monitor *monitor, const uint8_t *buf, size_t len);
void qmp_event(void *monitor, const char *event, const char *data);

/* Returns the "return" member, or NULL and an error.  args is never NULL. */
typedef JsonNode *(*QMPFunc)(Monitor *monitor, JsonObject *args, GError **error);

typedef struct QMPCommand {
    const char *name;
    /* "path:s value:*?": names, types (s, i, b, o, * any) and ? for optional; "..." takes any. */
    const char *arguments;
    QMPFunc run;
} QMPCommand;

/* Tables end with a NULL name. */
extern const QMPCommand qmp_control_commands[], qmp_query_commands[], qmp_qom_commands[],
    qmp_display_commands[];
extern const QMPCommand qmp_schema_commands[], qmp_chardev_commands[], qmp_none_commands[];
extern const QMPCommand qmp_cpu_commands[], qmp_pci_commands[], qmp_block_commands[];
typedef void (*QMPCommandVisitor)(const QMPCommand *command, void *opaque);
void qmp_command_foreach(QMPCommandVisitor fn, void *opaque);

/* An empty object: what commands without a result return. */
JsonNode *qmp_empty(void);
/* Takes a builder's root and the builder. */
JsonNode *qmp_finish(JsonBuilder *builder);
const char *qmp_string(JsonObject *args, const char *name); /* NULL: not given */
bool qmp_bool(JsonObject *args, const char *name, bool otherwise);
void qmp_add_string(JsonBuilder *builder, const char *name, const char *value);
void qmp_add_int(JsonBuilder *builder, const char *name, int64_t value);
void qmp_add_bool(JsonBuilder *builder, const char *name, bool value);

#endif
