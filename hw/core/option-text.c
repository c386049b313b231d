/* SPDX-License-Identifier: MIT */
#include "hw/core/option-text.h"

GStrv option_split(const char *text)
{
    g_autoptr(GStrvBuilder) parts = g_strv_builder_new();
    g_autoptr(GString) part = g_string_new(NULL);

    for (; *text; text++) {
        if (*text == ',' && text[1] != ',') {
            g_strv_builder_add(parts, part->str);
            g_string_truncate(part, 0);
            continue;
        }
        text += *text == ',';
        g_string_append_c(part, *text);
    }
    g_strv_builder_add(parts, part->str);
    return g_strv_builder_end(parts);
}
