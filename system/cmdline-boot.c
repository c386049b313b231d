/* SPDX-License-Identifier: MIT
 *
 * Options that say what firmware boots from: -boot and -option-rom.
 */
#include <string.h>
#include "system/cmdline.h"

static bool boot_order_error(const char *key, const char *order, GError **error)
{
    g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE,
                "%s=%s: expected letters from a (floppy), c (disk), d (CD), n (network), each once",
                key, order);
    return false;
}

static bool get_boot_order(Options *options, const char *key, char **order, GError **error)
{
    const char *value = options_get(options, key);

    if (!value) {
        return true;
    }
    for (const char *p = value; *p; p++) {
        if (*p < 'a' || *p > 'p' || strchr(p + 1, *p)) {
            return boot_order_error(key, value, error);
        }
    }
    g_free(*order);
    *order = g_strdup(value);
    return true;
}

/* -1 to 65535 ms. */
static bool get_boot_time(Options *options, const char *key, int32_t min, int32_t *ret,
                          GError **error)
{
    const char *value = options_get(options, key);
    gint64 time;

    if (!value) {
        return true;
    }
    if (!g_ascii_string_to_signed(value, 10, min, 65535, &time, NULL)) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE,
                    "%s=%s: expected milliseconds from %d to 65535", key, value, min);
        return false;
    }
    *ret = (int32_t)time;
    return true;
}

bool handle_boot(VMM *vmm, const char *value, GError **error)
{
    static const char *const known[] = {"order",  "once",        "menu",           "strict",
                                        "splash", "splash-time", "reboot-timeout", NULL};
    g_autoptr(Options) options = options_parse(value, "order", error);
    BootOptions *boot = &vmm->machine->boot;

    if (!options || !options_get_bool(options, "menu", &boot->menu, error) ||
        !options_get_bool(options, "strict", &boot->strict, error) ||
        !get_boot_order(options, "order", &boot->order, error) ||
        !get_boot_order(options, "once", &boot->once, error) ||
        !get_boot_time(options, "splash-time", 0, &boot->splash_time, error) ||
        !get_boot_time(options, "reboot-timeout", -1, &boot->reboot_timeout, error)) {
        return false;
    }
    if (options_get(options, "splash")) {
        g_free(boot->splash);
        boot->splash = g_strdup(options_get(options, "splash"));
    }
    return options_check_unused(options, "-boot", known, error);
}

bool handle_option_rom(VMM *vmm, const char *value, GError **error)
{
    static const char *const known[] = {"romfile", "bootindex", NULL};
    g_autoptr(Options) options = options_parse(value, "romfile", error);
    uint64_t bootindex = UINT64_MAX;

    if (!options || !options_get_uint(options, "bootindex", 0, INT32_MAX, &bootindex, error)) {
        return false;
    }
    const char *file = options_get(options, "romfile");
    if (!file || !*file) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_SYNTAX, "expected a file");
        return false;
    }
    g_ptr_array_add(vmm->machine->option_roms,
                    option_rom_new(file, bootindex == UINT64_MAX ? -1 : (int32_t)bootindex));
    return options_check_unused(options, "-option-rom", known, error);
}
