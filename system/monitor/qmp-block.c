/* SPDX-License-Identifier: MIT
 *
 * QMP commands about disks and their media, and `info block`, `eject` and `change` for people.
 */
#include <string.h>
#include "system/block/block.h"
#include "system/block/media.h"
#include "system/monitor/monitor-internal.h"

/* ---- media -------------------------------------------------------------------------------- */

static BlockTarget target_of(JsonObject *args)
{
    return (BlockTarget){qmp_string(args, "device"), qmp_string(args, "id")};
}

static JsonNode *done(bool ok)
{
    return ok ? qmp_empty() : NULL;
}

static JsonNode *cmd_eject(Monitor *monitor, JsonObject *args, GError **error)
{
    return done(blk_media_eject(monitor->machine, target_of(args), qmp_bool(args, "force", false),
                                error));
}

static JsonNode *cmd_open_tray(Monitor *monitor, JsonObject *args, GError **error)
{
    return done(blk_media_open_tray(monitor->machine, target_of(args),
                                    qmp_bool(args, "force", false), error));
}

static JsonNode *cmd_close_tray(Monitor *monitor, JsonObject *args, GError **error)
{
    return done(blk_media_close_tray(monitor->machine, target_of(args), error));
}

static JsonNode *cmd_remove_medium(Monitor *monitor, JsonObject *args, GError **error)
{
    return done(blk_media_remove(monitor->machine, target_of(args), error));
}

static JsonNode *cmd_insert_medium(Monitor *monitor, JsonObject *args, GError **error)
{
    return done(blk_media_insert(monitor->machine, target_of(args), qmp_string(args, "node-name"),
                                 error));
}

static JsonNode *cmd_change_medium(Monitor *monitor, JsonObject *args, GError **error)
{
    return done(blk_media_change(monitor->machine, target_of(args), qmp_string(args, "filename"),
                                 qmp_string(args, "format"), qmp_string(args, "read-only-mode"),
                                 qmp_bool(args, "force", false), error));
}

/* ---- back ends ------------------------------------------------------------------------------ */

static JsonNode *cmd_blockdev_add(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    g_autofree char *text = NULL;

    json_node_set_object(node, args);
    text = json_to_string(node, FALSE);
    json_node_unref(node);
    return done(blk_blockdev_add(monitor->machine, text, error));
}

static JsonNode *cmd_blockdev_del(Monitor *monitor, JsonObject *args, GError **error)
{
    return done(blk_blockdev_del(monitor->machine, qmp_string(args, "node-name"), error));
}

/* ---- questions --------------------------------------------------------------------------------- */

static void add_image(JsonBuilder *b, BlockBackend *blk)
{
    json_builder_set_member_name(b, "image");
    json_builder_begin_object(b);
    qmp_add_string(b, "filename", blk_filename(blk));
    qmp_add_string(b, "format", "raw");
    qmp_add_int(b, "virtual-size", blk_length(blk));
    qmp_add_bool(b, "dirty-flag", false);
    json_builder_end_object(b);
}

static void add_cache(JsonBuilder *b, BlockBackend *blk)
{
    bool direct, no_flush;

    blk_get_cache(blk, &direct, &no_flush);
    json_builder_set_member_name(b, "cache");
    json_builder_begin_object(b);
    qmp_add_bool(b, "writeback", blk_write_cache(blk));
    qmp_add_bool(b, "direct", direct);
    qmp_add_bool(b, "no-flush", no_flush);
    json_builder_end_object(b);
}

static void add_inserted(JsonBuilder *b, BlockBackend *blk)
{
    static const char *const limits[] = {"bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr"};

    json_builder_begin_object(b);
    qmp_add_string(b, "file", blk_filename(blk));
    qmp_add_string(b, "node-name", blk_id(blk));
    qmp_add_bool(b, "ro", blk_is_read_only(blk));
    qmp_add_string(b, "drv", "raw");
    qmp_add_int(b, "backing_file_depth", 0);
    qmp_add_bool(b, "encrypted", false);
    for (gsize i = 0; i < G_N_ELEMENTS(limits); i++) {
        qmp_add_int(b, limits[i], 0);
    }
    qmp_add_string(b, "detect_zeroes", "off");
    qmp_add_int(b, "write_threshold", 0);
    add_image(b, blk);
    add_cache(b, blk);
    json_builder_end_object(b);
}

static void add_device(const BlockDeviceInfo *info, void *opaque)
{
    JsonBuilder *b = opaque;

    json_builder_begin_object(b);
    qmp_add_string(b, "device", info->device);
    if (info->path) {
        qmp_add_string(b, "qdev", info->path);
    }
    qmp_add_string(b, "type", "unknown");
    qmp_add_bool(b, "removable", info->removable);
    qmp_add_bool(b, "locked", info->locked);
    if (info->has_tray) {
        qmp_add_bool(b, "tray_open", info->tray_open);
    }
    qmp_add_string(b, "io-status", "ok");
    if (blk_is_inserted(info->blk)) {
        json_builder_set_member_name(b, "inserted");
        add_inserted(b, info->blk);
    }
    json_builder_end_object(b);
}

static JsonNode *query_block(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_array(b);
    blk_device_foreach(monitor->machine, add_device, b);
    json_builder_end_array(b);
    return qmp_finish(b);
}

static void add_stats(const BlockDeviceInfo *info, void *opaque)
{
    JsonBuilder *b = opaque;
    BlockStats stats;

    blk_get_stats(info->blk, &stats);
    json_builder_begin_object(b);
    qmp_add_string(b, "device", info->device);
    if (info->path) {
        qmp_add_string(b, "qdev", info->path);
    }
    json_builder_set_member_name(b, "stats");
    json_builder_begin_object(b);
    qmp_add_int(b, "rd_bytes", (int64_t)stats.rd_bytes);
    qmp_add_int(b, "wr_bytes", (int64_t)stats.wr_bytes);
    qmp_add_int(b, "rd_operations", (int64_t)stats.rd_ops);
    qmp_add_int(b, "wr_operations", (int64_t)stats.wr_ops);
    qmp_add_int(b, "flush_operations", (int64_t)stats.flush_ops);
    json_builder_end_object(b);
    json_builder_end_object(b);
}

static JsonNode *query_blockstats(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_array(b);
    blk_device_foreach(monitor->machine, add_stats, b);
    json_builder_end_array(b);
    return qmp_finish(b);
}

static void add_node(const BlockDeviceInfo *info, void *opaque)
{
    if (blk_is_inserted(info->blk)) {
        add_inserted(opaque, info->blk);
    }
}

static JsonNode *query_nodes(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_array(b);
    blk_device_foreach(monitor->machine, add_node, b);
    json_builder_end_array(b);
    return qmp_finish(b);
}

const QMPCommand qmp_block_commands[] = {
    {"eject", "device:s? id:s? force:b?", cmd_eject},
    {"blockdev-open-tray", "device:s? id:s? force:b?", cmd_open_tray},
    {"blockdev-close-tray", "device:s? id:s?", cmd_close_tray},
    {"blockdev-remove-medium", "id:s", cmd_remove_medium},
    {"blockdev-insert-medium", "id:s node-name:s", cmd_insert_medium},
    {"blockdev-change-medium",
     "device:s? id:s? filename:s format:s? force:b? read-only-mode:s?", cmd_change_medium},
    {"blockdev-add", "...", cmd_blockdev_add},
    {"blockdev-del", "node-name:s", cmd_blockdev_del},
    {"query-block", "", query_block},
    {"query-blockstats", "query-nodes:b?", query_blockstats},
    {"query-named-block-nodes", "flat:b?", query_nodes},
    {NULL},
};

/* ---- for people -------------------------------------------------------------------------------------- */

typedef struct BlockPrint {
    GString *out;
    const char *only; /* "": all */
} BlockPrint;

static void print_device(const BlockDeviceInfo *info, void *opaque)
{
    const BlockPrint *print = opaque;
    GString *out = print->out;
    const char *name = *info->device ? info->device : info->path;
    bool direct, no_flush;

    if (*print->only && g_strcmp0(print->only, name) && g_strcmp0(print->only, info->path)) {
        return;
    }
    g_string_append(out, out->len ? "\n" : "");
    if (!blk_is_inserted(info->blk)) {
        g_string_append_printf(out, "%s: [not inserted]\n", name);
    } else {
        g_string_append_printf(out, "%s (%s): %s (raw%s)\n", name, blk_id(info->blk),
                               blk_filename(info->blk),
                               blk_is_read_only(info->blk) ? ", read-only" : "");
    }
    if (info->path) {
        g_string_append_printf(out, "    Attached to:      %s\n", info->path);
    }
    if (info->removable && info->path) {
        g_string_append_printf(out, "    Removable device: %slocked, tray %s\n",
                               info->locked ? "" : "not ", info->tray_open ? "open" : "closed");
    }
    if (blk_is_inserted(info->blk)) {
        blk_get_cache(info->blk, &direct, &no_flush);
        g_string_append_printf(out, "    Cache mode:       %s%s%s\n",
                               blk_write_cache(info->blk) ? "writeback" : "writethrough",
                               direct ? ", direct" : "", no_flush ? ", ignore flushes" : "");
    }
}

void hmp_info_block(MachineState *machine, const char *rest, GString *out)
{
    BlockPrint print = {out, g_str_has_prefix(rest, "-") ? "" : rest};

    blk_device_foreach(machine, print_device, &print);
}

static void print_stats(const BlockDeviceInfo *info, void *opaque)
{
    BlockStats s;

    blk_get_stats(info->blk, &s);
    g_string_append_printf(opaque,
                           "%s: rd_bytes=%" G_GUINT64_FORMAT " wr_bytes=%" G_GUINT64_FORMAT
                           " rd_operations=%" G_GUINT64_FORMAT " wr_operations=%" G_GUINT64_FORMAT
                           " flush_operations=%" G_GUINT64_FORMAT "\n",
                           *info->device ? info->device : info->path, s.rd_bytes, s.wr_bytes,
                           s.rd_ops, s.wr_ops, s.flush_ops);
}

void hmp_info_blockstats(MachineState *machine, GString *out)
{
    blk_device_foreach(machine, print_stats, out);
}

static void say(GString *out, GError *error)
{
    if (error) {
        g_string_append_printf(out, "Error: %s\n", error->message);
    }
}

/* eject [-f] DEVICE: a drive's id or a device's. */
void hmp_eject(MachineState *machine, const char *rest, GString *out)
{
    g_auto(GStrv) words = g_strsplit(rest, " ", -1);
    bool force = words[0] && !strcmp(words[0], "-f");
    const char *name = words[force];
    g_autoptr(GError) error = NULL;

    if (!name || !*name) {
        g_string_append(out, "Error: expected [-f] DEVICE\n");
        return;
    }
    blk_media_eject(machine,
                    drive_by_id(machine, name) ? (BlockTarget){name, NULL} : (BlockTarget){NULL, name},
                    force, &error);
    say(out, error);
}

/* change DEVICE FILE [FORMAT] */
void hmp_change_medium(MachineState *machine, const char *rest, GString *out)
{
    g_auto(GStrv) words = g_strsplit(rest, " ", -1);
    g_autoptr(GError) error = NULL;
    const char *name = words[0];

    if (!name || !words[1]) {
        g_string_append(out, "Error: expected DEVICE FILE [FORMAT]\n");
        return;
    }
    blk_media_change(machine,
                     drive_by_id(machine, name) ? (BlockTarget){name, NULL} : (BlockTarget){NULL, name},
                     words[1], words[2], NULL, false, &error);
    say(out, error);
}

/* drive_add [-n] BUS OPTIONS: a drive that a device may take later; BUS says nothing today. */
void hmp_drive_add(MachineState *machine, const char *rest, GString *out)
{
    g_auto(GStrv) words = NULL;
    g_autofree char *options = NULL;
    g_autoptr(GError) error = NULL;

    if (g_str_has_prefix(rest, "-n ")) {
        rest += 3;
    }
    words = g_strsplit(rest, " ", 2);
    if (g_strv_length(words) != 2) {
        g_string_append(out, "Error: expected [-n] BUS OPTIONS\n");
        return;
    }
    options = strstr(words[1], "if=") ? g_strdup(words[1]) : g_strconcat("if=none,", words[1], NULL);
    if (blk_drive_add(machine, options, &error)) {
        g_string_append(out, "OK\n");
    } else {
        g_string_append_printf(out, "%s\n", error->message);
    }
}

/* drive_del ID: a device that uses it sees it without a medium. */
void hmp_drive_del(MachineState *machine, const char *rest, GString *out)
{
    DriveInfo *drive = drive_by_id(machine, rest);

    if (!drive) {
        g_string_append_printf(out, "Device '%s' not found\n", rest);
        return;
    }
    blk_close(drive->blk);
    blk_drive_del(machine, drive);
}
