/* SPDX-License-Identifier: MIT
 *
 * QMP queries about what this program or this VM has none of: clients ask, and get the answer that
 * says so.
 */
#include "system/cmdline.h"
#include "system/monitor/monitor-internal.h"

static JsonNode *from_text(const char *text)
{
    return json_from_string(text, NULL);
}

/* No dump, no record or replay, no migration is under way, and there are no counters. */

static JsonNode *query_dump(Monitor *monitor, JsonObject *args, GError **error)
{
    return from_text("{\"status\": \"none\", \"completed\": 0, \"total\": 0}");
}

static JsonNode *query_dump_capability(Monitor *monitor, JsonObject *args, GError **error)
{
    return from_text("{\"formats\": []}");
}

static JsonNode *query_replay(Monitor *monitor, JsonObject *args, GError **error)
{
    return from_text("{\"mode\": \"none\", \"icount\": 0}");
}

static JsonNode *empty_list(Monitor *monitor, JsonObject *args, GError **error)
{
    return from_text("[]");
}

static JsonNode *empty_object(Monitor *monitor, JsonObject *args, GError **error)
{
    return qmp_empty();
}

/* There are no windows: screens are looked at over VNC. */
static JsonNode *query_display_options(Monitor *monitor, JsonObject *args, GError **error)
{
    return from_text("{\"type\": \"none\"}");
}

static JsonNode *x_exit_preconfig(Monitor *monitor, JsonObject *args, GError **error)
{
    g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_ARGUMENT,
                "The command is permitted only before machine initialization");
    return NULL;
}

/* The names only: their parameters are types' properties, or help's affair. */
static JsonNode *query_command_line_options(Monitor *monitor, JsonObject *args, GError **error)
{
    const char *wanted = qmp_string(args, "option");
    JsonBuilder *b = json_builder_new();
    unsigned found = 0;

    json_builder_begin_array(b);
    for (const CommandOption *option = command_options; option->name; option++) {
        if (!option->argument || (wanted && !g_str_equal(wanted, option->name))) {
            continue;
        }
        found++;
        json_builder_begin_object(b);
        qmp_add_string(b, "option", option->name);
        json_builder_set_member_name(b, "parameters");
        json_builder_begin_array(b);
        json_builder_end_array(b);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    if (!found) {
        g_object_unref(b);
        g_set_error(error, MONITOR_ERROR, MONITOR_ERROR_ARGUMENT, "invalid option name: %s", wanted);
        return NULL;
    }
    return qmp_finish(b);
}

const QMPCommand qmp_none_commands[] = {
    {"query-command-line-options",         "option:s?", query_command_line_options},
    {"query-display-options",              "",          query_display_options     },
    {"query-dump",                         "",          query_dump                },
    {"query-dump-guest-memory-capability", "",          query_dump_capability     },
    {"query-migrate",                      "",          empty_object              },
    {"query-migrate-capabilities",         "",          empty_list                },
    {"query-migrate-parameters",           "",          empty_object              },
    {"query-replay",                       "",          query_replay              },
    {"query-stats-schemas",                "...",       empty_list                },
    {"query-yank",                         "",          empty_list                },
    {"x-exit-preconfig",                   "",          x_exit_preconfig          },
    {NULL},
};
