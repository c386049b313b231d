/* SPDX-License-Identifier: MIT
 *
 * Expansion ROMs: a file behind the ROM BAR.  PCI Local Bus Specification 3.0, 6.3.
 */
#include <string.h>
#include "hw/core/loader.h"
#include "hw/core/machine.h"
#include "hw/pci/pci-internal.h"
#include "quoin-config.h"

#define PCI_ROM_MAX (16u << 20)

/* A name with no slash is looked for where firmware is installed. */
static char *pci_find_rom(PCIDevice *dev)
{
    const char *dirs = qdev_get_machine(dev)->firmware_dirs;
    char *path = loader_find_file(dev->romfile, dirs ? dirs : QUOIN_FIRMWARE_PATH);

    return path ? path : g_strdup(dev->romfile);
}

static bool pci_rom_size(PCIDevice *dev, const char *path, size_t len, uint64_t *ret_size,
                         GError **error)
{
    uint64_t size = 2048;

    while (size < len && size < PCI_ROM_MAX) {
        size <<= 1;
    }
    if (dev->romsize != UINT32_MAX) {
        size = dev->romsize;
    }
    if (len == 0 || len > size || size > PCI_ROM_MAX || (size & (size - 1))) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "ROM '%s' of %zu bytes does not fit: at least 1 and at most romsize=%u bytes, "
                    "a power of two",
                    path, len, (unsigned)size);
        return false;
    }
    *ret_size = size;
    return true;
}

bool pci_add_option_rom(PCIDevice *dev, GError **error)
{
    g_autofree char *path = NULL, *data = NULL;
    size_t len;
    uint64_t size;

    if (!dev->romfile || !*dev->romfile) {
        return true;
    }
    path = pci_find_rom(dev);
    if (!g_file_get_contents(path, &data, &len, error)) {
        g_prefix_error(error, "romfile=%s: ", dev->romfile);
        return false;
    }
    if (!pci_rom_size(dev, path, len, &size, error) ||
        !memory_region_init_rom(&dev->rom, OBJECT(dev), "rom", size, error)) {
        return false;
    }
    memset(memory_region_get_ram_ptr(&dev->rom), 0xff, size);
    memcpy(memory_region_get_ram_ptr(&dev->rom), data, len);
    if (dev->rombar) {
        pci_register_bar(dev, PCI_ROM_SLOT, 0, &dev->rom);
    }
    return true;
}
