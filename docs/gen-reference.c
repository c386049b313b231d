/* SPDX-License-Identifier: MIT
 *
 * Writes docs/reference.md: every type that a user can name, with its
 * properties, from the registry itself.
 */
#include <stdio.h>

#include "qom/object.h"

typedef struct Chapter {
    const char *title, *root;
} Chapter;

static const Chapter chapters[] = {
    {"Accelerators", "accel"},     {"Machines", "machine"}, {"CPUs", "cpu"},
    {"Devices", "device"},         {"Buses", "bus"},        {"Character devices", "chardev"},
    {"User-creatable objects", "user-creatable"},
};

typedef struct Table {
    ObjectClass *klass;
    bool begun;
} Table;

static void print_cell(char *text)
{
    printf(" %s |", text ? text : "");
    g_free(text);
}

static void print_property(const Property *prop, ObjectClass *owner, void *opaque)
{
    Table *t = opaque;

    if (owner != t->klass || prop->kind == PROP_INTERNAL) {
        return;
    }
    if (!t->begun) {
        printf("\n| property | type | default | accepts | kind | |\n|---|---|---|---|---|---|\n");
        t->begun = true;
    }
    printf("| `%s` |", prop->name);
    print_cell(property_type_name(prop));
    print_cell(property_default_text(prop));
    print_cell(property_range_text(prop));
    printf(" %s | %s |\n", property_kind_name(prop), prop->doc ? prop->doc : "");
}

static bool in_chapter(ObjectClass *klass, const Chapter *c)
{
    if (!object_class_dynamic_cast(klass, c->root)) {
        return false;
    }
    bool cpu = object_class_dynamic_cast(klass, "cpu");
    return g_str_equal(c->root, "device") ? !cpu : true;
}

static void print_type(ObjectClass *klass)
{
    Table t = {.klass = klass};
    ObjectClass *parent = object_class_get_parent(klass);

    printf("\n### %s\n\n%s%s", object_class_get_name(klass), klass->doc ? klass->doc : "",
           klass->doc ? ".\n" : "");
    if (parent && object_class_get_parent(parent)) {
        printf("Inherits the properties of `%s`.%s\n", object_class_get_name(parent),
               object_class_is_abstract(klass) ? " Abstract." : "");
    }
    object_class_property_foreach(klass, print_property, &t);
}

int main(void)
{
    printf("# Reference: types and their properties\n\n"
           "Generated from the type registry by `meson compile -C B reference`; do not edit. A test\n"
           "fails when it is stale. Kinds: *config* is set before use, *runtime* at any time,\n"
           "*telemetry* is read only.\n");
    for (size_t i = 0; i < G_N_ELEMENTS(chapters); i++) {
        g_autoptr(GSList) all = object_class_get_list(chapters[i].root, true);
        printf("\n## %s\n", chapters[i].title);
        for (GSList *l = all; l; l = l->next) {
            if (in_chapter(l->data, &chapters[i])) {
                print_type(l->data);
            }
        }
    }
    return 0;
}
