/* SPDX-License-Identifier: MIT
 *
 * VGA BIOSes of adapters that have no PCI ROM: SeaBIOS runs the fw_cfg files vgaroms/NAME.
 */
#include "hw/core/loader.h"
#include "hw/core/machine.h"
#include "hw/display/vga-internal.h"
#include "hw/nvram/fw_cfg.h"

/* Without fw_cfg, or the file, there is nobody to run it, or nothing to run. */
bool vga_add_rom(MachineState *machine, const char *name, GError **error)
{
    g_autofree char *path = machine->fw_cfg ? loader_find_file(name, machine->firmware_dirs) : NULL;
    g_autofree char *file = g_strconcat("vgaroms/", name, NULL), *data = NULL;
    g_autoptr(GBytes) bytes = NULL;
    gsize size;

    if (!path) {
        return true;
    }
    if (!g_file_get_contents(path, &data, &size, error)) {
        return false;
    }
    bytes = g_bytes_new_take(g_steal_pointer(&data), size);
    return fw_cfg_add_file(machine->fw_cfg, file, bytes, error);
}
