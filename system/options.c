/* SPDX-License-Identifier: MIT
 *
 * Option values: parsing, access, and the words for what is wrong with them.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <json-glib/json-glib.h>
#include "system/options.h"

G_DEFINE_QUARK(quoin - options - error - quark, options_error)

/* ---- values ---------------------------------------------------------------------- */

bool parse_bool(const char *text, bool *ret)
{
    static const struct {
        const char *name;
        bool value;
    } names[] = {
        {"on",    true },
        {"yes",   true },
        {"true",  true },
        {"y",     true },
        {"off",   false},
        {"no",    false},
        {"false", false},
        {"n",     false}
    };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_str_equal(text, names[i].name)) {
            *ret = names[i].value;
            return true;
        }
    }
    return false;
}

bool parse_uint(const char *text, uint64_t *ret)
{
    uint64_t value;
    char *end;

    if (!g_ascii_isdigit(*text)) {
        return false;
    }
    errno = 0;
    value = strtoull(text, &end, 0);
    if (errno || *end) {
        return false;
    }
    *ret = value;
    return true;
}

static uint64_t size_suffix(char c, uint64_t unit)
{
    static const char suffixes[] = "BKMGTPE";
    const char *found = c ? strchr(suffixes, g_ascii_toupper(c)) : NULL;

    return !c ? unit : found ? UINT64_C(1) << (10 * (found - suffixes)) : 0;
}

bool parse_size(const char *text, uint64_t unit, uint64_t *ret)
{
    uint64_t whole, scale;
    double fraction = 0;
    char *end;

    if (!g_ascii_isdigit(*text)) {
        return false;
    }
    errno = 0;
    whole = strtoull(text, &end, text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10);
    if (*end == '.') {
        fraction = g_ascii_strtod(end, &end);
    }
    scale = size_suffix(*end, unit);
    if (errno || !scale || (*end && end[1]) || whole > UINT64_MAX / scale) {
        return false;
    }
    *ret = whole * scale + (uint64_t)(fraction * scale);
    return true;
}

/* ---- nearest word ------------------------------------------------------------------ */

#define WORD_MAX 48

/* Edit distance in which swapping two neighbours is one step. */
static unsigned word_distance(const char *a, const char *b)
{
    gsize na = strlen(a), nb = strlen(b);
    uint8_t d[WORD_MAX + 1][WORD_MAX + 1];

    if (na > WORD_MAX || nb > WORD_MAX) {
        return G_MAXUINT;
    }
    for (gsize i = 0; i <= na; i++) {
        for (gsize j = 0; j <= nb; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            d[i][j] = MIN(d[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
                          MIN(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                d[i][j] = MIN(d[i][j], d[i - 2][j - 2] + 1);
            }
        }
    }
    return d[na][nb];
}

const char *nearest_word(const char *word, const char *const *words)
{
    unsigned best = MAX(strlen(word) / 3, 1) + 1;
    const char *nearest = NULL;

    for (; *words; words++) {
        unsigned distance = word_distance(word, *words);

        if (distance < best) {
            best = distance;
            nearest = *words;
        }
    }
    return nearest;
}

/* ---- parsing ------------------------------------------------------------------------ */

static void option_free(void *data)
{
    Option *option = data;

    g_free(option->key);
    g_free(option->value);
    g_free(option);
}

static Options *options_new(void)
{
    Options *options = g_new0(Options, 1);

    options->items = g_ptr_array_new_with_free_func(option_free);
    return options;
}

void options_free(Options *options)
{
    if (options) {
        g_ptr_array_unref(options->items);
        g_free(options);
    }
}

static Option *options_add(Options *options, const char *key, const char *value)
{
    Option *option = g_new0(Option, 1);

    option->key = g_strdup(key);
    option->value = g_strdup(value);
    g_ptr_array_add(options->items, option);
    return option;
}

void options_set(Options *options, const char *key, const char *value)
{
    options_add(options, key, value);
}

/* One item up to a single comma, doubled ones undone; *text moves past it. */
static char *next_item(const char **text)
{
    GString *item = g_string_new(NULL);
    const char *p = *text;

    for (; *p; p++) {
        if (*p == ',') {
            if (p[1] != ',') {
                p++;
                break;
            }
            p++;
        }
        g_string_append_c(item, *p);
    }
    *text = p;
    return g_string_free(item, FALSE);
}

static bool add_item(Options *options, char *item, const char *implied_key, GError **error)
{
    char *equals = strchr(item, '=');

    if (implied_key && options->items->len == 0 && !equals) {
        options_add(options, implied_key, item);
        return true;
    }
    if (equals == item || !*item) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_SYNTAX,
                    "'%s' is no KEY=VALUE (a comma in a value is written ',,')", item);
        return false;
    }
    if (equals) {
        *equals = '\0';
        options_add(options, item, equals + 1);
    } else {
        options_add(options, item, "on")->flag = true;
    }
    return true;
}

Options *options_parse(const char *text, const char *implied_key, GError **error)
{
    g_autoptr(Options) options = options_new();

    while (*text) {
        g_autofree char *item = next_item(&text);

        if (!add_item(options, item, implied_key, error)) {
            return NULL;
        }
    }
    return g_steal_pointer(&options);
}

/* ---- JSON ---------------------------------------------------------------------------- */

static void add_json(Options *options, const char *key, JsonNode *node);

static void add_json_member(JsonObject *object, const char *name, JsonNode *node, gpointer data)
{
    struct {
        Options *options;
        const char *key;
    } *at = data;
    g_autofree char *key = at->key ? g_strdup_printf("%s.%s", at->key, name) : g_strdup(name);

    add_json(at->options, key, node);
}

static void add_json_array(Options *options, const char *key, JsonArray *array)
{
    for (guint i = 0; i < json_array_get_length(array); i++) {
        g_autofree char *element = g_strdup_printf("%s.%u", key, i);

        add_json(options, element, json_array_get_element(array, i));
    }
}

static void add_json_value(Options *options, const char *key, JsonNode *node)
{
    g_autofree char *text = NULL;

    if (json_node_get_value_type(node) == G_TYPE_STRING) {
        text = g_strdup(json_node_get_string(node));
    } else if (json_node_get_value_type(node) == G_TYPE_BOOLEAN) {
        text = g_strdup(json_node_get_boolean(node) ? "on" : "off");
    } else if (json_node_get_value_type(node) == G_TYPE_DOUBLE) {
        text = g_strdup_printf("%.17g", json_node_get_double(node));
    } else {
        text = g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(node));
    }
    options_add(options, key, text);
}

static void add_json(Options *options, const char *key, JsonNode *node)
{
    struct {
        Options *options;
        const char *key;
    } at = {options, key};

    if (JSON_NODE_HOLDS_OBJECT(node)) {
        json_object_foreach_member(json_node_get_object(node), add_json_member, &at);
    } else if (JSON_NODE_HOLDS_ARRAY(node)) {
        add_json_array(options, key, json_node_get_array(node));
    } else if (JSON_NODE_HOLDS_VALUE(node)) {
        add_json_value(options, key, node);
    }
}

static Options *options_parse_json(const char *text, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) local = NULL;
    Options *options;

    if (!json_parser_load_from_data(parser, text, -1, &local) ||
        !JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser))) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_SYNTAX, "not a JSON object: %s",
                    local ? local->message : "another kind of value");
        return NULL;
    }
    options = options_new();
    add_json(options, NULL, json_parser_get_root(parser));
    return options;
}

Options *options_parse_any(const char *text, const char *implied_key, GError **error)
{
    return *text == '{' ? options_parse_json(text, error) : options_parse(text, implied_key, error);
}

/* ---- access --------------------------------------------------------------------------- */

static bool is_negation(const Option *option, const char *key)
{
    return option->flag && g_str_has_prefix(option->key, "no") && g_str_equal(option->key + 2, key);
}

const char *options_get(Options *options, const char *key)
{
    const char *value = NULL;

    for (guint i = 0; i < options->items->len; i++) {
        Option *option = g_ptr_array_index(options->items, i);

        if (g_str_equal(option->key, key)) {
            option->used = true;
            value = option->value;
        } else if (is_negation(option, key)) {
            option->used = true;
            value = "off";
        }
    }
    return value;
}

static bool value_error(GError **error, const char *key, const char *value, const char *want)
{
    g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE, "%s='%s': expected %s", key, value,
                want);
    return false;
}

bool options_get_bool(Options *options, const char *key, bool *ret, GError **error)
{
    const char *value = options_get(options, key);

    return !value || parse_bool(value, ret) || value_error(error, key, value, "on or off");
}

bool options_get_uint(Options *options, const char *key, uint64_t min, uint64_t max, uint64_t *ret,
                      GError **error)
{
    const char *value = options_get(options, key);
    uint64_t number;

    if (!value) {
        return true;
    }
    if (!parse_uint(value, &number) || number < min || number > max) {
        g_autofree char *want =
            g_strdup_printf("a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, min, max);

        return value_error(error, key, value, want);
    }
    *ret = number;
    return true;
}

bool options_get_size(Options *options, const char *key, uint64_t unit, uint64_t *ret,
                      GError **error)
{
    const char *value = options_get(options, key);

    return !value || parse_size(value, unit, ret) ||
           value_error(error, key, value, "a size, such as 512M or 2G");
}

bool options_want_help(Options *options)
{
    for (guint i = 0; i < options->items->len; i++) {
        Option *option = g_ptr_array_index(options->items, i);

        if ((option->flag && (g_str_equal(option->key, "help") || g_str_equal(option->key, "?"))) ||
            (i == 0 && (g_str_equal(option->value, "help") || g_str_equal(option->value, "?")))) {
            return true;
        }
    }
    return false;
}

static void set_unknown_key_error(const char *what, const char *key, const char *const *known,
                                  GError **error)
{
    const char *nearest = nearest_word(key, known);
    g_autofree char *all = g_strjoinv(", ", (char **)known);

    if (nearest) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_UNKNOWN,
                    "%s has no '%s'; did you mean '%s'?", what, key, nearest);
    } else {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_UNKNOWN, "%s has no '%s'; there %s %s",
                    what, key, known[0] && !known[1] ? "is" : "are", *all ? all : "none");
    }
}

bool options_check_unused(Options *options, const char *what, const char *const *known,
                          GError **error)
{
    for (guint i = 0; i < options->items->len; i++) {
        Option *option = g_ptr_array_index(options->items, i);

        if (!option->used) {
            set_unknown_key_error(what, option->key, known, error);
            return false;
        }
    }
    return true;
}

/* ---- properties ------------------------------------------------------------------------- */

static void collect_name(const Property *prop, ObjectClass *owner, void *opaque)
{
    if (prop->kind == PROP_CONFIG || prop->kind == PROP_RUNTIME) {
        g_ptr_array_add(opaque, (char *)prop->name);
    }
}

static bool apply_one(Option *option, Object *obj, GError **error)
{
    ObjectClass *klass = object_get_class(obj);
    const char *key = option->key, *value = option->value;
    g_autoptr(GPtrArray) names = NULL;
    g_autoptr(GError) local = NULL;

    if (!object_class_find_property(klass, key) && option->flag && g_str_has_prefix(key, "no") &&
        object_class_find_property(klass, key + 2)) {
        key += 2;
        value = "off";
    }
    if (object_property_parse(obj, key, value, &local)) {
        return true;
    }
    if (!g_error_matches(local, OBJECT_ERROR, OBJECT_ERROR_PROPERTY)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    names = g_ptr_array_new();
    object_class_property_foreach(klass, collect_name, names);
    g_ptr_array_add(names, NULL);
    set_unknown_key_error(object_get_typename(obj), key, (const char *const *)names->pdata, error);
    return false;
}

bool options_apply(Options *options, Object *obj, GError **error)
{
    for (guint i = 0; i < options->items->len; i++) {
        Option *option = g_ptr_array_index(options->items, i);

        if (!option->used) {
            option->used = true;
            if (!apply_one(option, obj, error)) {
                return false;
            }
        }
    }
    return true;
}
