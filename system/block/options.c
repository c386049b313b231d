/* SPDX-License-Identifier: MIT
 *
 * Splitting of "key=value,key=value", where ",," in a value is a comma.
 */
#include <string.h>
#include "system/block/block-internal.h"

/* One item, up to a comma that stands alone; *text moves behind it. */
static char *options_next(const char **text)
{
    GString *item = g_string_new(NULL);
    const char *p = *text;

    while (*p && (*p != ',' || p[1] == ',')) {
        p += *p == ',';
        g_string_append_c(item, *p++);
    }
    *text = *p ? p + 1 : p;
    return g_string_free(item, FALSE);
}

GPtrArray *block_options_split(const char *text, GError **error)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);

    while (*text) {
        g_autofree char *item = options_next(&text);
        char *equals = strchr(item, '=');

        if (!*item || equals == item) {
            g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION, "expected KEY=VALUE before '%s'",
                        *text ? text : "the end");
            return NULL;
        }
        g_ptr_array_add(words, equals ? g_strndup(item, (gsize)(equals - item)) : g_strdup(item));
        g_ptr_array_add(words, g_strdup(equals ? equals + 1 : "on"));
    }
    return g_steal_pointer(&words);
}
