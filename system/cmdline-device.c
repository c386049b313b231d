/* SPDX-License-Identifier: MIT
 *
 * -device and -global.
 */
#include <string.h>
#include "system/char/chardev.h"
#include "system/cmdline.h"
#include "system/object-add.h"

static bool show_device(VMM *vmm, const char *driver, GError **error)
{
    DeviceClass *dc;

    if (!driver || g_str_equal(driver, "help") || g_str_equal(driver, "?")) {
        return command_show(vmm, help_devices());
    }
    dc = qdev_find_driver(driver, error);
    return dc && command_show(vmm, help_type(OBJECT_CLASS(dc)));
}

bool handle_device(VMM *vmm, const char *value, GError **error)
{
    g_autoptr(Options) options = options_parse_any(value, "driver", error);

    if (!options) {
        return false;
    }
    if (options_want_help(options)) {
        return show_device(vmm, options_get(options, "driver"), error);
    }
    return qdev_device_add(vmm->machine, options, error);
}

/* Types that a machine has by default, and what they stand in for. */
static const struct {
    const char *type;
    MachineDefault replaces;
} default_kinds[] = {
    {"isa-serial",   MACHINE_DEFAULT_SERIAL  },
    {"isa-parallel", MACHINE_DEFAULT_PARALLEL},
    {"isa-fdc",      MACHINE_DEFAULT_FLOPPY  },
    {"floppy",       MACHINE_DEFAULT_FLOPPY  },
    {"ide-cd",       MACHINE_DEFAULT_CDROM   },
    {"ide-hd",       MACHINE_DEFAULT_CDROM   },
    {"scsi-cd",      MACHINE_DEFAULT_CDROM   },
    {"scsi-hd",      MACHINE_DEFAULT_CDROM   },
    {"VGA",          MACHINE_DEFAULT_VGA     },
    {"isa-vga",      MACHINE_DEFAULT_VGA     },
};

/* A value that is wrong is told later, where it is used. */
static unsigned replaced_by(const char *option, const char *value)
{
    g_autofree char *type = NULL;
    g_autoptr(Options) options = NULL;
    unsigned replaced = 0;

    if (g_str_equal(option, "device")) {
        options = options_parse_any(value, "driver", NULL);
        type = options ? g_strdup(options_get(options, "driver")) : NULL;
    } else if (g_str_equal(option, "global")) {
        type = g_strndup(value, strcspn(value, ".="));
    }
    for (gsize i = 0; type && i < G_N_ELEMENTS(default_kinds); i++) {
        if (g_str_equal(type, default_kinds[i].type)) {
            replaced |= default_kinds[i].replaces;
        }
    }
    return replaced;
}

unsigned command_line_replaced_defaults(VMM *vmm)
{
    unsigned replaced = 0;

    for (guint i = 0; i < vmm->command_line->len; i++) {
        const CommandItem *item = g_ptr_array_index(vmm->command_line, i);

        replaced |= replaced_by(item->option->name, item->value);
    }
    return replaced;
}

bool handle_debugcon(VMM *vmm, const char *value, GError **error)
{
    g_autoptr(Options) options =
        options_parse("isa-debugcon,iobase=0xe9,chardev=debugcon", "driver", error);
    Chardev *chr;

    return options && chardev_new_legacy(vmm->machine, "debugcon", value, &chr, error) &&
           (!chr || qdev_device_add(vmm->machine, options, error));
}

static bool add_global(const char *type, const char *prop, const char *value, GError **error)
{
    ObjectClass *klass = object_class_lookup(type, error);

    if (!klass) {
        return false;
    }
    if (!object_class_find_property(klass, prop)) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_UNKNOWN,
                    "type '%s' has no property '%s' (-device %s,help lists them)", type, prop,
                    type);
        return false;
    }
    object_register_global(type, prop, value);
    return true;
}

/* "type.prop=value", or "driver=type,property=prop,value=value" for types with a dot. */
bool handle_global(VMM *vmm, const char *value, GError **error)
{
    static const char *const known[] = {"driver", "property", "value", NULL};
    const char *equals = strchr(value, '=');
    const char *dot = equals ? g_strrstr_len(value, equals - value, ".") : NULL;
    g_autoptr(Options) options = NULL;
    const char *type, *prop, *text;

    if (dot) {
        g_autofree char *name = g_strndup(value, dot - value);
        g_autofree char *key = g_strndup(dot + 1, equals - dot - 1);

        return add_global(name, key, equals + 1, error);
    }
    options = options_parse(value, NULL, error);
    if (!options) {
        return false;
    }
    type = options_get(options, "driver");
    prop = options_get(options, "property");
    text = options_get(options, "value");
    if (!type || !prop || !text) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_SYNTAX, "expected TYPE.PROPERTY=VALUE");
        return false;
    }
    return options_check_unused(options, "-global", known, error) &&
           add_global(type, prop, text, error);
}
