/* SPDX-License-Identifier: MIT
 *
 * The log: one stream a process, as -d and -D are options of the process.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <gio/gio.h>
#include "system/log.h"

uint32_t log_mask;

static const struct LogItem {
    const char *name;
    uint32_t mask;
    const char *doc;
} log_items[] = {
    {"guest_errors", LOG_GUEST_ERROR, "what the guest does against a specification"},
    {"unimp",        LOG_UNIMP,       "what the guest asks for and is not there"   },
    {"in_asm",       LOG_IN_ASM,      "guest code of each translated block"        },
    {"out_asm",      LOG_OUT_ASM,     "host code of each translated block"         },
    {"int",          LOG_INT,         "interrupts and exceptions"                  },
    {"exec",         LOG_EXEC,        "each block as it is entered (unchained)"    },
    {"cpu",          LOG_CPU,         "CPU registers before each block"            },
    {"mmu",          LOG_MMU,         "address translation"                        },
    {"reset",        LOG_RESET,       "resets"                                     },
    {"accel",        LOG_ACCEL,       "the choice and work of the accelerator"     },
    {"pci",          LOG_PCI,         "PCI configuration"                          },
    {"irq",          LOG_IRQ,         "interrupt lines"                            },
    {"io",           LOG_IO,          "port and memory-mapped accesses"            },
    {"stats",        LOG_STATS,       "counters, at the end"                       },
};

/* What a guest provokes: at most BURST lines, refilled at that many a second. */
#define LOG_BURST 100

static GMutex log_lock;
static FILE *log_stream; /* NULL: stderr */
static int64_t log_budget_time;
static unsigned log_budget = LOG_BURST, log_suppressed;

static FILE *stream(void)
{
    return log_stream ? log_stream : stderr;
}

void log_printf(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    g_mutex_lock(&log_lock);
    vfprintf(stream(), format, ap);
    fflush(stream());
    g_mutex_unlock(&log_lock);
    va_end(ap);
}

/* Under log_lock: whether there is budget for a line. */
static bool log_take_budget(void)
{
    int64_t now = g_get_monotonic_time();

    if (now - log_budget_time >= G_USEC_PER_SEC) {
        log_budget_time = now;
        log_budget = LOG_BURST;
        if (log_suppressed) {
            fprintf(stream(), "(%u messages about the guest left out)\n", log_suppressed);
            log_suppressed = 0;
        }
    }
    if (log_budget == 0) {
        log_suppressed++;
        return false;
    }
    log_budget--;
    return true;
}

static void G_GNUC_PRINTF(2, 0) log_limited(const char *prefix, const char *format, va_list ap)
{
    gsize len = strlen(format);

    g_mutex_lock(&log_lock);
    if (log_take_budget()) {
        fputs(prefix, stream());
        vfprintf(stream(), format, ap);
        if (len == 0 || format[len - 1] != '\n') {
            fputc('\n', stream());
        }
        fflush(stream());
    }
    g_mutex_unlock(&log_lock);
}

void log_guest_error(const char *format, ...)
{
    va_list ap;

    if (log_enabled(LOG_GUEST_ERROR)) {
        va_start(ap, format);
        log_limited("guest error: ", format, ap);
        va_end(ap);
    }
}

void log_unimp(const char *format, ...)
{
    va_list ap;

    if (log_enabled(LOG_UNIMP)) {
        va_start(ap, format);
        log_limited("unimplemented: ", format, ap);
        va_end(ap);
    }
}

char *log_help(void)
{
    GString *out = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(log_items); i++) {
        g_string_append_printf(out, "%-14s %s\n", log_items[i].name, log_items[i].doc);
    }
    g_string_append_printf(out, "%-14s %s\n", "all", "all of these");
    return g_string_free(out, FALSE);
}

static uint32_t item_mask(const char *name)
{
    if (g_str_equal(name, "all")) {
        return UINT32_MAX;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(log_items); i++) {
        if (g_str_equal(name, log_items[i].name)) {
            return log_items[i].mask;
        }
    }
    return 0;
}

static void set_item_error(const char *name, GError **error)
{
    g_autofree char *names = NULL;
    GString *all = g_string_new("all");

    for (gsize i = 0; i < G_N_ELEMENTS(log_items); i++) {
        g_string_append_printf(all, ", %s", log_items[i].name);
    }
    names = g_string_free(all, FALSE);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "no log item '%s'; there are %s",
                name, names);
}

bool log_set_items(const char *items, GError **error)
{
    g_auto(GStrv) names = g_strsplit(items, ",", -1);
    uint32_t mask = 0;

    for (char **name = names; *name; name++) {
        uint32_t one = item_mask(*name);

        if (!one) {
            set_item_error(*name, error);
            return false;
        }
        mask |= one;
    }
    log_mask |= mask;
    return true;
}

bool log_set_file(const char *path, GError **error)
{
    FILE *file = fopen(path, "we");

    if (!file) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "cannot write '%s': %s",
                    path, g_strerror(errno));
        return false;
    }
    g_mutex_lock(&log_lock);
    if (log_stream) {
        fclose(log_stream);
    }
    log_stream = file;
    g_mutex_unlock(&log_lock);
    return true;
}
