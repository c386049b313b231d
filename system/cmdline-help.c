/* SPDX-License-Identifier: MIT
 *
 * The texts of -help and of `help` as a value.
 */
#include <stdio.h>
#include <string.h>
#include "system/cmdline.h"

bool command_show(VMM *vmm, char *text)
{
    fputs(text, stdout);
    g_free(text);
    vmm->done = true;
    return true;
}

char *help_options(void)
{
    GString *out = g_string_new("usage: quoin [OPTION]... [DISK]\n\n");

    for (const CommandOption *option = command_options; option->name; option++) {
        if (option->help) {
            g_autofree char *left =
                g_strdup_printf("-%s %s", option->name, option->argument ? option->argument : "");

            g_string_append_printf(out, "  %-40s %s\n", left, option->help);
        }
    }
    g_string_append(out,
                    "\n`help` as a value of -machine, -accel, -cpu, -device, -object, -chardev "
                    "or -d lists\nwhat there is; -device TYPE,help lists the properties of "
                    "one type.\n");
    return g_string_free(out, FALSE);
}

/* Versions of a machine together, the newest first. */
static gint by_machine_name(gconstpointer a, gconstpointer b)
{
    const char *x = ((const MachineClass *)a)->name, *y = ((const MachineClass *)b)->name;
    size_t family = strrchr(x, '-') ? (size_t)(strrchr(x, '-') - x) : strlen(x);
    int order = strncmp(x, y, family);

    return order ? order : strcmp(y, x);
}

char *help_machines(void)
{
    g_autoptr(GSList) classes = object_class_get_list(TYPE_MACHINE, false);
    GString *out = g_string_new(NULL);

    classes = g_slist_sort(classes, by_machine_name);
    for (GSList *l = classes; l; l = l->next) {
        MachineClass *mc = MACHINE_CLASS(l->data);

        if (mc->alias) {
            g_string_append_printf(out, "%-20s %s (alias of %s)\n", mc->alias, mc->desc, mc->name);
        }
        g_string_append_printf(out, "%-20s %s%s%s\n", mc->name, mc->desc ? mc->desc : "",
                               mc->is_default ? " (default)" : "",
                               mc->deprecation_reason ? " (deprecated)" : "");
    }
    return g_string_free(out, FALSE);
}

char *help_accels(void)
{
    g_autoptr(GSList) classes = object_class_get_list(TYPE_ACCEL, false);
    GString *out = g_string_new(NULL);

    for (GSList *l = classes; l; l = l->next) {
        AccelClass *ac = ACCEL_CLASS(l->data);

        g_string_append_printf(out, "%-8s %s\n", ac->name, ac->doc ? ac->doc : "");
    }
    return g_string_free(out, FALSE);
}

char *help_cpus(void)
{
    g_autoptr(GSList) classes = object_class_get_list(TYPE_CPU, true);
    GString *out = g_string_new(NULL);

    for (GSList *l = classes; l; l = l->next) {
        CPUClass *cc = CPU_CLASS(l->data);

        if (cc->list_models) {
            cc->list_models(out);
            break;
        }
        if (!object_class_is_abstract(l->data)) {
            g_string_append_printf(out, "%s\n", object_class_get_name(l->data));
        }
    }
    return g_string_free(out, FALSE);
}

static void append_category(GString *out, GSList *classes, DeviceCategory category)
{
    static const char *const titles[DEVICE_CATEGORY_COUNT] = {
        [DEVICE_CATEGORY_MISC] = "Others",     [DEVICE_CATEGORY_BRIDGE] = "Bridges",
        [DEVICE_CATEGORY_USB] = "USB",         [DEVICE_CATEGORY_STORAGE] = "Storage",
        [DEVICE_CATEGORY_NETWORK] = "Network", [DEVICE_CATEGORY_INPUT] = "Input",
        [DEVICE_CATEGORY_DISPLAY] = "Display", [DEVICE_CATEGORY_SOUND] = "Sound",
        [DEVICE_CATEGORY_CPU] = "CPU",
    };
    bool titled = false;

    for (GSList *l = classes; l; l = l->next) {
        DeviceClass *dc = DEVICE_CLASS(l->data);
        ObjectClass *klass = l->data;

        if (!dc->user_creatable || dc->category != category) {
            continue;
        }
        if (!titled) {
            g_string_append_printf(out, "%s%s:\n", out->len ? "\n" : "", titles[category]);
            titled = true;
        }
        g_string_append_printf(out, "  %-20s %s%s%s%s\n", object_class_get_name(klass),
                               klass->doc ? klass->doc : "", dc->bus_type ? " (bus " : "",
                               dc->bus_type ? dc->bus_type : "", dc->bus_type ? ")" : "");
    }
}

char *help_devices(void)
{
    g_autoptr(GSList) classes = object_class_get_list(TYPE_DEVICE, false);
    GString *out = g_string_new(NULL);

    for (DeviceCategory c = 0; c < DEVICE_CATEGORY_COUNT; c++) {
        append_category(out, classes, c);
    }
    return g_string_free(out, FALSE);
}

char *help_objects(void)
{
    g_autoptr(GSList) classes = object_class_get_list(TYPE_USER_CREATABLE, false);
    GString *out = g_string_new(NULL);

    for (GSList *l = classes; l; l = l->next) {
        ObjectClass *klass = l->data;

        g_string_append_printf(out, "%-24s %s\n", object_class_get_name(klass),
                               klass->doc ? klass->doc : "");
    }
    return g_string_free(out, FALSE);
}

static void append_property(const Property *prop, ObjectClass *owner, void *opaque)
{
    g_autofree char *type = property_type_name(prop);
    g_autofree char *left = g_strdup_printf("%s=<%s>", prop->name, type);
    g_autofree char *def = property_default_text(prop), *range = property_range_text(prop);

    if (prop->kind != PROP_CONFIG && prop->kind != PROP_RUNTIME) {
        return;
    }
    g_string_append_printf(opaque, "  %-36s %s", left, prop->doc ? prop->doc : "");
    if (def || range) {
        g_string_append_printf(opaque, " (%s%s%s%s)", def ? "default: " : "", def ? def : "",
                               def && range ? "; " : "", range ? range : "");
    }
    g_string_append_c(opaque, '\n');
}

char *help_type(ObjectClass *klass)
{
    GString *out = g_string_new(NULL);

    g_string_append_printf(out, "%s: %s\n", object_class_get_name(klass),
                           klass->doc ? klass->doc : "");
    object_class_property_foreach(klass, append_property, out);
    return g_string_free(out, FALSE);
}
