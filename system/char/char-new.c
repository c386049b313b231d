/* SPDX-License-Identifier: MIT
 *
 * Making back ends from options: -chardev, -serial.
 */
#include <string.h>
#include "system/char/char-internal.h"
#include "system/options.h"

static Object *chardev_container(MachineState *machine)
{
    Object *root = object_get_root(OBJECT(machine));
    Object *container = object_resolve_path_component(root, "chardevs");

    return container ? container : object_new_child(root, "chardevs", "container", NULL);
}

/* Names of the back ends, NULL-terminated; free the array only. */
static char **chardev_kinds(void)
{
    GPtrArray *names = g_ptr_array_new();
    g_autoptr(GSList) classes = object_class_get_list(TYPE_CHARDEV, false);

    for (GSList *l = classes; l; l = l->next) {
        ChardevClass *cc = CHARDEV_CLASS(l->data);

        if (cc->kind) {
            g_ptr_array_add(names, (char *)cc->kind);
        }
    }
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

static ChardevClass *find_kind(const char *kind)
{
    g_autofree char *type = g_strconcat("chardev-", kind, NULL);
    ObjectClass *klass = object_class_by_name(type);

    return klass && !object_class_is_abstract(klass) ? CHARDEV_CLASS(klass) : NULL;
}

static void append_option(const Property *prop, ObjectClass *owner, void *opaque)
{
    g_autofree char *type = property_type_name(prop);

    if (prop->kind == PROP_CONFIG || prop->kind == PROP_RUNTIME) {
        g_string_append_printf(opaque, "  %s=<%s>  %s\n", prop->name, type,
                               prop->doc ? prop->doc : "");
    }
}

char *chardev_help(const char *kind)
{
    g_autofree char **kinds = chardev_kinds();
    GString *out = g_string_new(NULL);

    for (char **k = kinds; *k; k++) {
        ObjectClass *klass = OBJECT_CLASS(find_kind(*k));

        if (!kind) {
            g_string_append_printf(out, "%-8s %s\n", *k, klass->doc ? klass->doc : "");
        } else if (g_str_equal(kind, *k)) {
            object_class_property_foreach(klass, append_option, out);
            return g_string_free(out, FALSE);
        }
    }
    return g_string_free(out, kind != NULL);
}

char *chardev_describe(Chardev *chr)
{
    ChardevClass *cc = CHARDEV_GET_CLASS(chr);

    return cc->describe ? cc->describe(chr) : g_strdup(cc->kind);
}

Chardev *chardev_find(MachineState *machine, const char *id, GError **error)
{
    Object *found = object_resolve_path_component(chardev_container(machine), id);

    if (!found) {
        g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_KIND,
                    "no chardev with id '%s'; make it with -chardev KIND,id=%s", id, id);
    }
    return found ? CHARDEV(found) : NULL;
}

static void set_kind_error(const char *kind, GError **error)
{
    g_autofree char **kinds = chardev_kinds();
    g_autofree char *all = g_strjoinv(", ", kinds);

    g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_KIND, "no chardev back end '%s'; there are %s",
                kind, all);
}

static bool set_up(Chardev *chr, MachineState *machine, Options *options, GError **error)
{
    if (!object_apply_globals(OBJECT(chr), error) || !options_apply(options, OBJECT(chr), error)) {
        return false;
    }
    return chardev_open(chr, machine, error);
}

static Chardev *new_plain(MachineState *machine, const char *id, const char *kind, Options *options,
                          GError **error)
{
    ChardevClass *cc = find_kind(kind);
    Chardev *chr;

    if (!cc) {
        set_kind_error(kind, error);
        return NULL;
    }
    if (object_resolve_path_component(chardev_container(machine), id)) {
        g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_BUSY, "there is a chardev '%s' already",
                    id);
        return NULL;
    }
    chr = CHARDEV(object_new_child(chardev_container(machine), id,
                                   object_class_get_name(OBJECT_CLASS(cc)), error));
    if (!chr) {
        return NULL;
    }
    chr->label = g_strdup(id);
    if (!set_up(chr, machine, options, error)) {
        object_unparent(OBJECT(chr));
        return NULL;
    }
    return chr;
}

static Chardev *new_mux(MachineState *machine, const char *id, const char *kind, Options *options,
                        GError **error)
{
    g_autofree char *base_id = g_strconcat(id, "-base", NULL);
    g_autoptr(Options) mux_options = options_parse("", NULL, NULL);
    Chardev *base = new_plain(machine, base_id, kind, options, error), *mux;

    if (!base) {
        return NULL;
    }
    options_set(mux_options, "chardev", base_id);
    mux = new_plain(machine, id, "mux", mux_options, error);
    if (!mux) {
        object_unparent(OBJECT(base));
    }
    return mux;
}

static Chardev *new_from_options(MachineState *machine, const char *id, Options *options, bool mux,
                                 GError **error)
{
    const char *kind = options_get(options, "backend");
    const char *option_id = options_get(options, "id");

    id = id ? id : option_id;
    if (!kind) {
        set_kind_error("", error);
        return NULL;
    }
    if (!find_kind(kind)) {
        set_kind_error(kind, error);
        return NULL;
    }
    if (!id || !*id) {
        g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_KIND, "id=NAME is missing");
        return NULL;
    }
    if (!options_get_bool(options, "mux", &mux, error)) {
        return NULL;
    }
    return mux ? new_mux(machine, id, kind, options, error)
               : new_plain(machine, id, kind, options, error);
}

Chardev *chardev_new(MachineState *machine, const char *id, const char *text, GError **error)
{
    g_autoptr(Options) options = options_parse_any(text, "backend", error);

    return options ? new_from_options(machine, id, options, false, error) : NULL;
}

Chardev *chardev_new_mux(MachineState *machine, const char *id, const char *text, GError **error)
{
    g_autoptr(Options) options = options_parse_any(text, "backend", error);

    return options ? new_from_options(machine, id, options, true, error) : NULL;
}

/* ---- -serial ---------------------------------------------------------------------------- */

/* "tcp:HOST:PORT,flags" */
static char *legacy_tcp(const char *rest)
{
    const char *comma = strchr(rest, ',');
    const char *end = comma ? comma : rest + strlen(rest);
    const char *colon = g_strrstr_len(rest, end - rest, ":");

    if (!colon) {
        return NULL;
    }
    return g_strdup_printf("socket,host=%.*s,port=%.*s%s", (int)(colon - rest), rest,
                           (int)(end - colon - 1), colon + 1, end);
}

/* The -chardev spelling of a -serial value; NULL: it is none that we know. */
static char *legacy_to_options(const char *text)
{
    static const char *const plain[] = {"stdio", "pty", "null", "ringbuf"};

    for (gsize i = 0; i < G_N_ELEMENTS(plain); i++) {
        gsize len = strlen(plain[i]);

        if (g_str_has_prefix(text, plain[i]) && (!text[len] || text[len] == ',')) {
            return g_strdup(text);
        }
    }
    if (g_str_equal(text, "vc") || g_str_has_prefix(text, "vc:")) {
        return g_strdup("null");
    }
    if (g_str_has_prefix(text, "file:")) {
        g_auto(GStrv) parts = g_strsplit(text + 5, ",", -1);
        g_autofree char *path = g_strjoinv(",,", parts);

        return g_strconcat("file,path=", path, NULL);
    }
    if (g_str_has_prefix(text, "unix:")) {
        return g_strconcat("socket,path=", text + 5, NULL);
    }
    return g_str_has_prefix(text, "tcp:") ? legacy_tcp(text + 4) : NULL;
}

bool chardev_new_legacy(MachineState *machine, const char *id, const char *text, Chardev **ret_chr,
                        GError **error)
{
    g_autofree char *options = NULL;
    Chardev *chr = NULL;

    if (g_str_equal(text, "none")) {
        *ret_chr = NULL;
        return true;
    }
    if (g_str_has_prefix(text, "chardev:")) {
        chr = chardev_find(machine, text + strlen("chardev:"), error);
    } else if ((options = legacy_to_options(text))) {
        chr = chardev_new(machine, id, options, error);
    } else {
        g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_KIND,
                    "no character device '%s'; there are none, null, stdio, pty, file:PATH, "
                    "unix:PATH, tcp:HOST:PORT, chardev:ID, mon:...",
                    text);
    }
    if (chr) {
        *ret_chr = chr;
    }
    return chr;
}
