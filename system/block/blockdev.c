/* SPDX-License-Identifier: MIT
 *
 * -blockdev and blockdev-add: a node is a drive with if=none whose id is the node's name.
 */
#include <json-glib/json-glib.h>
#include <string.h>
#include "hw/core/machine.h"
#include "system/block/block-internal.h"

typedef struct NodeOptions {
    GHashTable *values; /* flat: "file.filename" */
    char *node, *reference;
} NodeOptions;

/* ---- both ways of writing it, to flat keys --------------------------------------------------- */

static void flatten(GHashTable *values, const char *prefix, JsonNode *node)
{
    if (JSON_NODE_HOLDS_OBJECT(node)) {
        JsonObject *object = json_node_get_object(node);
        g_autoptr(GList) members = json_object_get_members(object);

        for (GList *l = members; l; l = l->next) {
            g_autofree char *key = g_strdup_printf("%s%s%s", prefix, *prefix ? "." : "",
                                                   (char *)l->data);
            flatten(values, key, json_object_get_member(object, l->data));
        }
    } else if (json_node_get_value_type(node) == G_TYPE_BOOLEAN) {
        g_hash_table_insert(values, g_strdup(prefix),
                            g_strdup(json_node_get_boolean(node) ? "on" : "off"));
    } else if (json_node_get_value_type(node) == G_TYPE_STRING) {
        g_hash_table_insert(values, g_strdup(prefix), json_node_dup_string(node));
    } else if (json_node_get_value_type(node) == G_TYPE_INT64) {
        g_hash_table_insert(values, g_strdup(prefix),
                            g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(node)));
    }
}

static bool parse_json(GHashTable *values, const char *text, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root;

    if (!json_parser_load_from_data(parser, text, -1, error)) {
        return false;
    }
    root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION, "expected a JSON object");
        return false;
    }
    flatten(values, "", root);
    return true;
}

static bool parse(GHashTable *values, const char *text, GError **error)
{
    g_autoptr(GPtrArray) words = NULL;
    g_autofree char *named = NULL;

    if (*text == '{') {
        return parse_json(values, text, error);
    }
    named = text[strcspn(text, ",=")] == '=' ? g_strdup(text) : g_strconcat("driver=", text, NULL);
    words = block_options_split(named, error);
    for (guint i = 0; words && i < words->len; i += 2) {
        g_hash_table_insert(values, g_strdup(words->pdata[i]), g_strdup(words->pdata[i + 1]));
    }
    return words;
}

/* ---- to -drive ---------------------------------------------------------------------------------- */

static void append(GString *out, const char *key, const char *value)
{
    g_string_append_printf(out, ",%s=", key);
    for (; *value; value++) {
        g_string_append(out, *value == ',' ? "," : "");
        g_string_append_c(out, *value);
    }
}

/* Keys that -drive has, below another name; NULL: of no effect here. */
static const struct {
    const char *key, *drive;
} node_keys[] = {
    {"filename",        "file"         },
    {"read-only",       "read-only"    },
    {"discard",         "discard"      },
    {"detect-zeroes",   "detect-zeroes"},
    {"locking",         "locking"      },
    {"aio",             "aio"          },
    {"size",            "size"         },
    {"read-zeroes",     "read-zeroes"  },
    {"auto-read-only",  NULL           },
    {"force-share",     NULL           },
    {"node-name",       NULL           },
    {"cache.direct",    NULL           },
    {"cache.no-flush",  NULL           },
};

static bool append_key(GString *out, const char *key, const char *value, GError **error)
{
    const char *own = g_str_has_prefix(key, "file.") ? key + strlen("file.") : key;

    if (!strcmp(own, "driver")) {
        append(out, !strcmp(value, "raw") ? "format" : "driver", value);
        return true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(node_keys); i++) {
        if (!strcmp(node_keys[i].key, own)) {
            if (node_keys[i].drive) {
                append(out, node_keys[i].drive, value);
            }
            return true;
        }
    }
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION, "no such option of a node: '%s'", key);
    return false;
}

static bool is_on(GHashTable *values, const char *key)
{
    g_autofree char *below = g_strconcat("file.", key, NULL);

    return !g_strcmp0(g_hash_table_lookup(values, key), "on") ||
           !g_strcmp0(g_hash_table_lookup(values, below), "on");
}

static char *to_drive(const NodeOptions *o, GError **error)
{
    g_autoptr(GString) out = g_string_new("if=none");
    GHashTableIter iter;
    gpointer key, value;

    append(out, "id", o->node);
    g_hash_table_iter_init(&iter, o->values);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        if (!append_key(out, key, value, error)) {
            return NULL;
        }
    }
    if (is_on(o->values, "cache.no-flush")) {
        append(out, "cache", "unsafe");
    } else if (is_on(o->values, "cache.direct")) {
        append(out, "cache", "none");
    }
    return g_strdup(out->str);
}

/* raw over a node that is there already: the new name takes its medium over. */
static bool add_over(MachineState *machine, const NodeOptions *o, GError **error)
{
    DriveInfo *below = drive_by_id(machine, o->reference);
    g_autofree char *options = g_strdup_printf("if=none,id=%s", o->node);

    if (!below || !blk_is_inserted(below->blk) || below->claimed) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION, "file=%s: %s", o->reference,
                    below && below->claimed ? "the node is in use" : "there is no such node");
        return false;
    }
    if (!blk_drive_add(machine, options, error)) {
        return false;
    }
    below->claimed = true;
    blk_move(blk_by_id(machine, o->node), below->blk);
    return true;
}

static bool add_node(MachineState *machine, NodeOptions *o, GError **error)
{
    g_autofree char *options = NULL;

    if (!g_hash_table_contains(o->values, "driver") || !o->node) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION, "Parameter '%s' is missing",
                    o->node ? "driver" : "node-name");
        return false;
    }
    if (o->reference) {
        return add_over(machine, o, error);
    }
    options = to_drive(o, error);
    return options && blk_drive_add(machine, options, error);
}

bool blk_blockdev_add(MachineState *machine, const char *text, GError **error)
{
    g_autoptr(GHashTable) values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    NodeOptions o = {.values = values};
    bool ok;

    if (!parse(values, text, error)) {
        return false;
    }
    o.node = g_strdup(g_hash_table_lookup(values, "node-name"));
    o.reference = g_strdup(g_hash_table_lookup(values, "file"));
    ok = add_node(machine, &o, error);
    if (ok) {
        drive_by_id(machine, o.node)->is_node = true;
    }
    g_free(o.node);
    g_free(o.reference);
    return ok;
}

bool blk_blockdev_del(MachineState *machine, const char *node, GError **error)
{
    DriveInfo *drive = drive_by_id(machine, node);

    if (!drive || drive->claimed) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION,
                    drive ? "Node '%s' is in use" : "Failed to find node with node-name='%s'", node);
        return false;
    }
    blk_drive_del(machine, drive);
    return true;
}
