/* SPDX-License-Identifier: MIT
 *
 * Configuration space: header, write masks, BARs, capabilities.
 * PCI Local Bus Specification 3.0, 6.1 (organisation), 6.2.2 (command), 6.2.3 (status),
 * 6.2.5 (base addresses), 6.7 (capabilities list).
 *
 *   00 vendor, device   04 command, status   08 revision, class   0c cache line, header type
 *   10-27 BARs          2c subsystem         30 ROM               34 capabilities
 *   3c interrupt line, pin
 */
#include <string.h>
#include "hw/pci/pci-internal.h"
#include "system/log.h"

#define PCI_COMMAND_WRITABLE                                                                       \
    (PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_SERR |                 \
     PCI_COMMAND_INTX_DISABLE)
#define PCI_STATUS_W1C                                                                             \
    (PCI_STATUS_PARITY | PCI_STATUS_SIG_TARGET_ABORT | PCI_STATUS_REC_TARGET_ABORT |               \
     PCI_STATUS_REC_MASTER_ABORT | PCI_STATUS_SIG_SYSTEM_ERROR | PCI_STATUS_DETECTED_PARITY)

static void pci_config_init_masks(PCIDevice *dev)
{
    pci_set_word(dev->wmask + PCI_COMMAND, PCI_COMMAND_WRITABLE);
    pci_set_word(dev->w1cmask + PCI_STATUS, PCI_STATUS_W1C);
    dev->wmask[PCI_CACHE_LINE_SIZE] = 0xff;
    dev->wmask[PCI_INTERRUPT_LINE] = 0xff;
    memset(dev->wmask + PCI_STD_HEADER_SIZEOF, 0xff, PCI_CONFIG_SIZE - PCI_STD_HEADER_SIZEOF);
}

void pci_config_init(PCIDevice *dev)
{
    PCIDeviceClass *pc = PCI_DEVICE_GET_CLASS(dev);
    bool own_subsystem = pc->subsystem_vendor_id || pc->subsystem_id;

    memset(dev->config, 0, sizeof(dev->config));
    memset(dev->wmask, 0, sizeof(dev->wmask));
    memset(dev->w1cmask, 0, sizeof(dev->w1cmask));
    pci_set_word(dev->config + PCI_VENDOR_ID, pc->vendor_id);
    pci_set_word(dev->config + PCI_DEVICE_ID, pc->device_id);
    dev->config[PCI_REVISION_ID] = pc->revision;
    dev->config[PCI_CLASS_PROG] = pc->prog_if;
    pci_set_word(dev->config + PCI_CLASS_DEVICE, pc->class_id);
    dev->config[PCI_HEADER_TYPE] =
        (uint8_t)((pc->is_bridge ? PCI_HEADER_TYPE_BRIDGE : 0) | (dev->multifunction ? 0x80 : 0));
    if (!pc->is_bridge) {
        pci_set_word(dev->config + PCI_SUBSYSTEM_VENDOR_ID,
                     own_subsystem ? pc->subsystem_vendor_id : PCI_SUBVENDOR_ID_REDHAT_QUMRANET);
        pci_set_word(dev->config + PCI_SUBSYSTEM_ID,
                     own_subsystem ? pc->subsystem_id : PCI_SUBDEVICE_ID_QUMRANET);
    }
    pci_config_init_masks(dev);
}

/* ---- regions ------------------------------------------------------------------ */

static bool pci_region_is_64bit(const PCIIORegion *r)
{
    return !(r->type & PCI_BASE_ADDRESS_SPACE_IO) && (r->type & PCI_BASE_ADDRESS_MEM_TYPE_64);
}

void pci_register_bar(PCIDevice *dev, int n, uint8_t type, MemoryRegion *memory)
{
    uint64_t size = memory_region_size(memory);
    uint32_t reg = pci_bar_offset(dev, n);
    PCIIORegion *r = &dev->io_regions[n];
    PCIBus *bus = pci_get_bus(dev);
    bool io = type & PCI_BASE_ADDRESS_SPACE_IO;

    g_assert(n < PCI_NUM_REGIONS && size >= (io ? 4u : 16u) && !(size & (size - 1)));
    r->size = size;
    r->addr = PCI_BAR_UNMAPPED;
    r->type = type;
    r->memory = memory;
    r->address_space = io ? bus->address_space_io : bus->address_space_mem;
    pci_set_long(dev->config + reg, n == PCI_ROM_SLOT ? 0 : type);
    pci_set_long(dev->wmask + reg,
                 (uint32_t) ~(size - 1) | (n == PCI_ROM_SLOT ? PCI_ROM_ADDRESS_ENABLE : 0));
    if (pci_region_is_64bit(r)) {
        pci_set_long(dev->wmask + reg + 4, (uint32_t)(~(size - 1) >> 32));
    }
}

uint64_t pci_get_bar_addr(const PCIDevice *dev, int n)
{
    return dev->io_regions[n].addr;
}

/* An end at the top of the space is what sizing leaves behind, never a place to be. */
static uint64_t pci_check_range(uint64_t addr, uint64_t size, uint64_t max)
{
    uint64_t last = addr + size - 1;

    return addr == 0 || last <= addr || last >= max ? PCI_BAR_UNMAPPED : addr;
}

static uint64_t pci_region_wanted(const PCIDevice *dev, int n)
{
    const PCIIORegion *r = &dev->io_regions[n];
    const uint8_t *reg = dev->config + pci_bar_offset(dev, n);
    uint16_t command = pci_get_word(dev->config + PCI_COMMAND);
    uint64_t mask = ~(r->size - 1);

    if (dev->powered_off || pci_in_d3hot(dev)) {
        return PCI_BAR_UNMAPPED;
    }
    if (r->type & PCI_BASE_ADDRESS_SPACE_IO) {
        return command & PCI_COMMAND_IO
                   ? pci_check_range(pci_get_long(reg) & mask, r->size, 0x10000)
                   : PCI_BAR_UNMAPPED;
    }
    if (!(command & PCI_COMMAND_MEMORY) ||
        (n == PCI_ROM_SLOT && !(pci_get_long(reg) & PCI_ROM_ADDRESS_ENABLE))) {
        return PCI_BAR_UNMAPPED;
    }
    if (pci_region_is_64bit(r)) {
        return pci_check_range(pci_get_quad(reg) & mask, r->size, UINT64_MAX);
    }
    return pci_check_range(pci_get_long(reg) & mask, r->size, UINT32_MAX);
}

static void pci_region_map(PCIDevice *dev, int n, uint64_t addr)
{
    PCIIORegion *r = &dev->io_regions[n];

    if (r->addr == addr) {
        return;
    }
    log_if(LOG_PCI,
           "pci: %s region %d at %" G_GINT64_MODIFIER "x, was at %" G_GINT64_MODIFIER "x\n",
           object_get_typename(OBJECT(dev)), n, addr, r->addr);
    if (r->addr != PCI_BAR_UNMAPPED) {
        memory_region_del_subregion(r->address_space, r->memory);
    }
    r->addr = addr;
    if (addr != PCI_BAR_UNMAPPED) {
        memory_region_add_subregion_overlap(r->address_space, addr, r->memory, 1);
    }
}

void pci_update_mappings(PCIDevice *dev)
{
    bool master = (pci_get_word(dev->config + PCI_COMMAND) & PCI_COMMAND_MASTER) &&
                  !dev->powered_off && !pci_in_d3hot(dev);

    memory_region_transaction_begin();
    for (int n = 0; n < PCI_NUM_REGIONS; n++) {
        if (dev->io_regions[n].size) {
            pci_region_map(dev, n, pci_region_wanted(dev, n));
        }
    }
    memory_region_set_enabled(&dev->bus_master_enable, master);
    memory_region_transaction_commit();
}

void pci_unmap_all(PCIDevice *dev)
{
    for (int n = 0; n < PCI_NUM_REGIONS; n++) {
        if (dev->io_regions[n].size) {
            pci_region_map(dev, n, PCI_BAR_UNMAPPED);
        }
    }
}

void pci_config_reset(PCIDevice *dev, ResetType type)
{
    uint16_t command = pci_get_word(dev->config + PCI_COMMAND);
    uint16_t status = pci_get_word(dev->config + PCI_STATUS);

    pci_set_word(dev->config + PCI_COMMAND, (uint16_t)(command & ~PCI_COMMAND_WRITABLE));
    pci_set_word(dev->config + PCI_STATUS, (uint16_t)(status & ~PCI_STATUS_W1C));
    dev->config[PCI_CACHE_LINE_SIZE] = 0;
    dev->config[PCI_INTERRUPT_LINE] = 0;
    for (int n = 0; n < PCI_NUM_REGIONS; n++) {
        PCIIORegion *r = &dev->io_regions[n];
        uint8_t *reg = dev->config + pci_bar_offset(dev, n);

        if (r->size) {
            pci_set_long(reg, n == PCI_ROM_SLOT ? 0 : r->type);
        }
        if (r->size && pci_region_is_64bit(r)) {
            pci_set_long(reg + 4, 0);
        }
    }
    msi_reset(dev);
    msix_reset(dev);
    pci_pm_reset(dev);
    pcie_reset(dev, type);
}

/* ---- accesses ----------------------------------------------------------------- */

uint32_t pci_default_read_config(PCIDevice *dev, uint32_t addr, unsigned len)
{
    uint32_t value = 0;

    if (addr + len > pci_config_size(dev)) {
        return UINT32_MAX >> (32 - 8 * len);
    }
    memcpy(&value, dev->config + addr, len);
    return value;
}

static void pci_config_store(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    for (uint32_t i = addr; i < addr + len; i++, value >>= 8) {
        uint8_t mask = dev->wmask[i], byte = (uint8_t)value;

        dev->config[i] = (uint8_t)((dev->config[i] & ~mask) | (byte & mask));
        dev->config[i] &= (uint8_t) ~(byte & dev->w1cmask[i]);
    }
}

void pci_default_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    unsigned power_state = dev->pm_cap ? dev->config[dev->pm_cap + PCI_PM_CTRL] & 3 : 0;

    if (addr + len > pci_config_size(dev)) {
        return;
    }
    pci_config_store(dev, addr, value, len);
    if (pci_range_covers(addr, len, PCI_COMMAND, 2) ||
        pci_range_covers(addr, len, PCI_BASE_ADDRESS_0, 24) ||
        pci_range_covers(addr, len, pci_bar_offset(dev, PCI_ROM_SLOT), 4)) {
        pci_update_mappings(dev);
    }
    if (pci_range_covers(addr, len, PCI_COMMAND, 2)) {
        pci_irq_update(dev);
    }
    msi_write_config(dev, addr, len);
    msix_write_config(dev, addr, len);
    pci_pm_write_config(dev, power_state, addr, len);
    pcie_aer_write_config(dev, addr, len);
    pcie_write_config(dev, addr, value, len); /* last: it may reset the function */
}

/* ---- capabilities --------------------------------------------------------------- */

uint8_t pci_find_capability(const PCIDevice *dev, uint8_t id)
{
    uint8_t pos = dev->config[PCI_CAPABILITY_LIST];

    for (int i = 0; pos && i < 48; i++) {
        if (dev->config[pos] == id) {
            return pos;
        }
        pos = dev->config[pos + PCI_CAP_LIST_NEXT];
    }
    return 0;
}

/* Lowest offset behind all that the list has, given that each caller asks in turn. */
static uint8_t pci_find_space(const PCIDevice *dev, uint8_t size)
{
    unsigned end = PCI_STD_HEADER_SIZEOF;

    for (unsigned i = PCI_STD_HEADER_SIZEOF; i < PCI_CONFIG_SIZE; i++) {
        end = dev->cap_used[i] ? i + 1 : end;
    }
    end = (end + 3) & ~3u;
    return end + size <= PCI_CONFIG_SIZE ? (uint8_t)end : 0;
}

uint8_t pci_add_capability(PCIDevice *dev, uint8_t id, uint8_t offset, uint8_t size, GError **error)
{
    offset = offset ? offset : pci_find_space(dev, size);
    if (!offset || offset + size > PCI_CONFIG_SIZE) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "no room in configuration space for capability %02x of %d bytes", id, size);
        return 0;
    }
    for (unsigned i = offset; i < offset + (unsigned)size; i++) {
        if (dev->cap_used[i]) {
            g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                        "capability %02x at %02x lies over another", id, offset);
            return 0;
        }
    }
    memset(dev->cap_used + offset, 1, size);
    memset(dev->wmask + offset, 0, size);
    dev->config[offset] = id;
    dev->config[offset + PCI_CAP_LIST_NEXT] = dev->config[PCI_CAPABILITY_LIST];
    dev->config[PCI_CAPABILITY_LIST] = offset;
    dev->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
    return offset;
}
