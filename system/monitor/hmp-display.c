/* SPDX-License-Identifier: MIT
 *
 * The monitor for people: screens, keyboards and mice.
 */
#include <string.h>
#include "system/display/input.h"
#include "system/display/screendump.h"
#include "system/monitor/monitor-internal.h"
#include "system/vnc/vnc.h"

#define KEYS_MAX 16
#define HOLD_MS  100

/* Words by blanks; free with g_strfreev(). */
static char **split_words(const char *text)
{
    GPtrArray *words = g_ptr_array_new();
    g_auto(GStrv) all = g_strsplit_set(text, " \t", -1);

    for (char **word = all; *word; word++) {
        if (**word) {
            g_ptr_array_add(words, g_strdup(*word));
        }
    }
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(words, FALSE);
}

static bool to_int(const char *text, int64_t *ret_value)
{
    char *end = NULL;

    *ret_value = g_ascii_strtoll(text, &end, 0);
    return *text && !*end;
}

/* screendump FILE [-f FORMAT] [DEVICE [HEAD]] */
void hmp_screendump(MachineState *machine, const char *rest, GString *out)
{
    g_auto(GStrv) words = split_words(rest);
    const char *plain[3] = {NULL}, *format = NULL;
    g_autoptr(GError) error = NULL;
    int64_t head = 0;
    unsigned n = 0;

    for (char **word = words; *word; word++) {
        if (g_str_equal(*word, "-f") && word[1]) {
            format = *++word;
        } else if (n < G_N_ELEMENTS(plain)) {
            plain[n++] = *word;
        }
    }
    if (!n || (plain[2] && (!to_int(plain[2], &head) || head < 0))) {
        g_string_append(out, "error: expected FILE [-f ppm|png] [DEVICE [HEAD]]\n");
    } else if (!screendump(machine, plain[0], plain[1], (unsigned)head, format, &error)) {
        g_string_append_printf(out, "Error: %s\n", error->message);
    }
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* A name, or a number as in 0x1c. */
static const InputKey *find_key(const char *name)
{
    int64_t number;

    if (g_str_equal(name, "<")) {
        name = "less";
    }
    if (g_str_has_prefix(name, "0x")) {
        return to_int(name, &number) && number > 0 && number < 256
                   ? input_key_by_number((unsigned)number)
                   : NULL;
    }
    return input_key_by_name(name);
}

/* sendkey KEY[-KEY] [HOLD_MS] */
void hmp_sendkey(MachineState *machine, const char *rest, GString *out)
{
    g_auto(GStrv) words = split_words(rest);
    g_auto(GStrv) names = g_strsplit(words[0] ? words[0] : "", "-", -1);
    const InputKey *keys[KEYS_MAX];
    int64_t hold = HOLD_MS;
    unsigned n = 0;

    if (!words[0] || (words[1] && (!to_int(words[1], &hold) || hold < 1 || hold > 60000))) {
        g_string_append(out, "error: expected KEY[-KEY...] [HOLD in ms]\n");
        return;
    }
    for (char **name = names; *name; name++) {
        if (n == KEYS_MAX) {
            g_string_append(out, "error: too many keys\n");
            return;
        }
        keys[n] = find_key(*name);
        if (!keys[n++]) {
            g_string_append_printf(out, "invalid parameter: %s\n", *name);
            return;
        }
    }
    input_queue_keys(machine, keys, n, (unsigned)hold);
}

/* ---- mice ----------------------------------------------------------------------------------- */

static unsigned parse_numbers(const char *rest, int64_t *values, unsigned max)
{
    g_auto(GStrv) words = split_words(rest);
    unsigned n = 0;

    for (; words[n] && n < max; n++) {
        if (!to_int(words[n], &values[n])) {
            return 0;
        }
        values[n] = CLAMP(values[n], INT16_MIN, INT16_MAX);
    }
    return words[n] ? 0 : n;
}

/* mouse_move DX DY [DZ] */
void hmp_mouse_move(MachineState *machine, const char *rest, GString *out)
{
    int64_t v[3] = {0};

    if (parse_numbers(rest, v, 3) < 2) {
        g_string_append(out, "error: expected DX DY [DZ]\n");
        return;
    }
    input_relative(machine, INPUT_AXIS_X, (int)v[0]);
    input_relative(machine, INPUT_AXIS_Y, (int)v[1]);
    input_wheel(machine, (int)v[2]);
    input_sync(machine);
}

/* mouse_button STATE: 1 left, 2 middle, 4 right */
void hmp_mouse_button(MachineState *machine, const char *rest, GString *out)
{
    int64_t state;

    if (parse_numbers(rest, &state, 1) != 1) {
        g_string_append(out, "error: expected STATE (1 left, 2 middle, 4 right)\n");
        return;
    }
    input_buttons(machine, INPUT_BUTTON_LEFT | INPUT_BUTTON_MIDDLE | INPUT_BUTTON_RIGHT,
                  (state & 1 ? INPUT_BUTTON_LEFT : 0) | (state & 2 ? INPUT_BUTTON_MIDDLE : 0) |
                      (state & 4 ? INPUT_BUTTON_RIGHT : 0));
    input_sync(machine);
}

void hmp_mouse_set(MachineState *machine, const char *rest, GString *out)
{
    int64_t index;

    if (parse_numbers(rest, &index, 1) != 1) {
        g_string_append(out, "error: expected INDEX (info mice lists them)\n");
    } else if (!input_mouse_select(machine, (unsigned)index)) {
        g_string_append_printf(out, "Error: Mouse at index '%" G_GINT64_FORMAT "' not found\n",
                               index);
    }
}

static void append_mouse(unsigned index, const char *name, bool absolute, bool current,
                         void *opaque)
{
    g_string_append_printf(opaque, "%c Mouse #%u: %s%s\n", current ? '*' : ' ', index, name,
                           absolute ? " (absolute)" : "");
}

void hmp_info_mice(MachineState *machine, GString *out)
{
    gsize before = out->len;

    input_mouse_foreach(machine, append_mouse, out);
    if (out->len == before) {
        g_string_append(out, "No mouse devices connected\n");
    }
}

/* ---- VNC ------------------------------------------------------------------------------------ */

static void append_client(const VNCAddress *address, void *opaque)
{
    g_string_append_printf(opaque, "  Client: %s:%s (%s)\n", address->host, address->service,
                           address->family);
}

typedef struct VNCPrint {
    MachineState *machine;
    GString *out;
} VNCPrint;

static void append_server(const VNCServerInfo *info, void *opaque)
{
    VNCPrint *p = opaque;

    g_string_append_printf(p->out, "%s:\n  Server: %s:%s (%s)\n    Auth: %s (Sub: none)\n",
                           info->id, info->address->host, info->address->service,
                           info->address->family, info->auth);
    vnc_client_foreach(p->machine, info->id, append_client, p->out);
}

void hmp_info_vnc(MachineState *machine, GString *out)
{
    VNCPrint p = {machine, out};
    gsize before = out->len;

    vnc_server_foreach(machine, append_server, &p);
    if (out->len == before) {
        g_string_append(out, "None\n");
    }
}

static void say_error(GString *out, const GError *error)
{
    if (error) {
        g_string_append_printf(out, "Error: %s\n", error->message);
    }
}

/* vnc PASSWORD [-d SERVER] [keep] */
void hmp_set_password(MachineState *machine, const char *rest, GString *out)
{
    g_auto(GStrv) words = split_words(rest);
    guint n = g_strv_length(words);
    const char *id = NULL;
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i + 1 < n; i++) {
        if (g_str_equal(words[i], "-d")) {
            id = words[i + 1];
        }
    }
    if (n < 2 || !g_str_equal(words[0], "vnc")) {
        g_string_append(out, "error: expected vnc PASSWORD [-d SERVER]\n");
        return;
    }
    vnc_set_password(machine, id, words[1], &error);
    say_error(out, error);
}

/* vnc TIME [-d SERVER] */
void hmp_expire_password(MachineState *machine, const char *rest, GString *out)
{
    g_auto(GStrv) words = split_words(rest);
    guint n = g_strv_length(words);
    g_autoptr(GError) error = NULL;
    int64_t when;

    if (n < 2 || !g_str_equal(words[0], "vnc")) {
        g_string_append(out, "error: expected vnc TIME [-d SERVER]\n");
        return;
    }
    if (display_parse_expiry(words[1], &when, &error)) {
        vnc_expire_password(machine, n > 3 ? words[3] : NULL, when, &error);
    }
    say_error(out, error);
}

/* vnc password PASSWORD */
void hmp_change(MachineState *machine, const char *rest, GString *out)
{
    g_auto(GStrv) words = split_words(rest);
    g_autoptr(GError) error = NULL;

    if (words[0] && !g_str_equal(words[0], "vnc")) {
        hmp_change_medium(machine, rest, out);
        return;
    }
    if (g_strv_length(words) != 3 ||
        (!g_str_equal(words[1], "password") && !g_str_equal(words[1], "passwd"))) {
        g_string_append(out, "error: expected vnc password PASSWORD\n");
        return;
    }
    vnc_set_password(machine, NULL, words[2], &error);
    say_error(out, error);
}
