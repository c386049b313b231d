/* SPDX-License-Identifier: MIT
 *
 * Configuration space as memory.  PCI Express Base Specification 4.0, 7.2.2.
 *
 *   address in the window   27-20 bus   19-15 device   14-12 function   11-0 register
 */
#include "hw/pci/pcie-host.h"
#include "hw/pci/pci-internal.h"

#define ECAM_MAX_SIZE (256ull * PCIE_ECAM_BUS_SIZE)

static uint64_t pcie_host_read(void *opaque, hwaddr addr, unsigned size)
{
    PCIEHost *host = opaque;

    return pci_host_config_read(host->bus, (uint8_t)(addr >> 20), (uint8_t)(addr >> 12),
                                addr & (PCIE_CONFIG_SIZE - 1), size);
}

static void pcie_host_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    PCIEHost *host = opaque;

    pci_host_config_write(host->bus, (uint8_t)(addr >> 20), (uint8_t)(addr >> 12),
                          addr & (PCIE_CONFIG_SIZE - 1), (uint32_t)value, size);
}

/* The big lock keeps the list of devices as it is: they come and go under it. */
static const MemoryRegionOps pcie_host_ops = {
    .read = pcie_host_read,
    .write = pcie_host_write,
    .valid = {1, 8, true },
    .impl = {1, 4, false},
    .lock = MR_LOCK_BIG,
};

static void pcie_host_close(void *opaque)
{
    PCIEHost *host = opaque;

    memory_region_del_subregion(host->container, &host->mmio);
}

void pcie_host_init(PCIEHost *host, Object *owner, PCIBus *bus, MemoryRegion *container)
{
    host->bus = bus;
    host->container = container;
    host->base = host->size = 0;
    memory_region_init_io(&host->mmio, owner, &pcie_host_ops, host, "pcie-mmcfg-mmio",
                          ECAM_MAX_SIZE);
    memory_region_set_enabled(&host->mmio, false);
    memory_region_add_subregion(container, 0, &host->mmio);
    qdev_on_unrealize(DEVICE(owner), pcie_host_close, host);
}

void pcie_host_map(PCIEHost *host, hwaddr base, uint64_t size)
{
    g_assert(size <= ECAM_MAX_SIZE && size % PCIE_ECAM_BUS_SIZE == 0);
    if (host->base == base && host->size == size) {
        return;
    }
    host->base = base;
    host->size = size;
    memory_region_transaction_begin();
    memory_region_set_enabled(&host->mmio, false);
    if (size) {
        memory_region_set_size(&host->mmio, size);
        memory_region_set_address(&host->mmio, base);
        memory_region_set_enabled(&host->mmio, true);
    }
    memory_region_transaction_commit();
}
