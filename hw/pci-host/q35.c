/* SPDX-License-Identifier: MIT
 *
 * The host bridge of a q35 machine (Intel 3 Series MCH, data sheet 316966, 4 and 5.1).
 *
 *   cf8, cfc  configuration mechanism #1
 *   PCIEXBAR  configuration space in memory; the register is the MCH's
 */
#include <string.h>
#include "hw/pci-host/q35-internal.h"

#define GIB (1ull << 30)

static bool q35_host_realize(DeviceState *dev, GError **error)
{
    Q35Host *host = Q35_PCI_HOST_BRIDGE(dev);
    MachineState *machine = qdev_get_machine(dev);

    if (!host->pci_memory) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "%s is made by a machine, with its memory", object_get_typename(OBJECT(dev)));
        return false;
    }
    host->bus = pcie_root_bus_new(dev, "pcie.0", host->pci_memory, machine->system_io, 0);
    pci_config_ports_init(&host->ports, OBJECT(dev), host->bus);
    pcie_host_init(&host->ecam, OBJECT(dev), host->bus, machine->system_memory);
    memory_region_add_subregion(machine->system_io, 0xcf8, &host->ports.address_mr);
    memory_region_add_subregion(machine->system_io, 0xcfc, &host->ports.data_mr);
    return true;
}

static void q35_host_reset_enter(DeviceState *dev, ResetType type)
{
    Q35_PCI_HOST_BRIDGE(dev)->ports.address = 0;
}

static const Property q35_host_properties[] = {
    DEFINE_PROP_SIZE("pci-hole64-size", Q35Host, pci_hole64_size, 32 * GIB,
                     "bytes above RAM that the guest may give to PCI"),
    DEFINE_PROP_SIZE("below-4g-mem-size", Q35Host, below_4g_mem_size, 0,
                     "bytes of RAM below 4 GiB", .kind = PROP_TELEMETRY),
    DEFINE_PROP_SIZE("above-4g-mem-size", Q35Host, above_4g_mem_size, 0,
                     "bytes of RAM from 4 GiB on", .kind = PROP_TELEMETRY),
    DEFINE_PROP_UINT64("MCFG", Q35Host, ecam.base, 0,
                       "address of configuration space in memory, now", .kind = PROP_TELEMETRY),
    DEFINE_PROP_UINT64("mcfg_size", Q35Host, ecam.size, 0,
                       "bytes of configuration space in memory, now; 0: it is off",
                       .kind = PROP_TELEMETRY),
    DEFINE_PROP_END,
};

static const StateField q35_host_state[] = {
    STATE_FIELD(Q35Host, ports.address),
    STATE_END,
};

static void q35_host_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = q35_host_realize;
    dc->reset_enter = q35_host_reset_enter;
    dc->user_creatable = false;
    dc->hotpluggable = false;
    dc->category = DEVICE_CATEGORY_BRIDGE;
    dc->state = q35_host_state;
}

static const TypeInfo q35_host_types[] = {
    {
     .name = TYPE_Q35_PCI_HOST_BRIDGE,
     .parent = TYPE_SYS_BUS_DEVICE,
     .instance_size = sizeof(Q35Host),
     .class_init = q35_host_class_init,
     .properties = q35_host_properties,
     .doc = "Host bridge of a q35: PCI configuration ports and memory, and the root bus",
     },
};

DEFINE_TYPES(q35_host_types)

/* ---- for machines ---------------------------------------------------------------------- */

static bool q35_create_mch(Q35Host *host, GError **error)
{
    PCIDevice *dev = pci_new(PCI_MAKE_DEVFN(0, 0), TYPE_MCH_PCI_DEVICE, error);

    if (!dev || !object_add_child(OBJECT(host), "mch", OBJECT(dev), error)) {
        return false;
    }
    host->mch = MCH_PCI_DEVICE(dev);
    host->mch->ecam = &host->ecam;
    host->mch->below_4g_mem_size = host->below_4g_mem_size;
    return pci_realize_and_unref(dev, host->bus, error);
}

Q35Host *q35_host_init(MachineState *machine, MemoryRegion *pci_memory, uint64_t below_4g_mem_size,
                       uint64_t above_4g_mem_size, GError **error)
{
    DeviceState *dev = qdev_new(TYPE_Q35_PCI_HOST_BRIDGE, error);
    Q35Host *host;

    if (!dev) {
        return NULL;
    }
    host = Q35_PCI_HOST_BRIDGE(dev);
    host->pci_memory = pci_memory;
    host->below_4g_mem_size = below_4g_mem_size;
    host->above_4g_mem_size = above_4g_mem_size;
    if (!object_add_child(OBJECT(machine), "q35", OBJECT(dev), error)) {
        object_unref(dev);
        return NULL;
    }
    memory_region_add_subregion_overlap(machine->system_memory, 0, pci_memory, -1);
    if (!qdev_realize_and_unref(dev, NULL, error) || !q35_create_mch(host, error)) {
        return NULL;
    }
    return host;
}

PCIBus *q35_host_bus(Q35Host *host)
{
    return host->bus;
}

void q35_host_mmcfg(Q35Host *host, uint64_t *ret_base, uint64_t *ret_size)
{
    *ret_base = host->ecam.base;
    *ret_size = host->ecam.size;
}

uint64_t q35_host_hole64_size(Q35Host *host)
{
    return host->pci_hole64_size;
}

void q35_host_act_as_firmware(Q35Host *host, uint32_t mmcfg)
{
    PCIDevice *dev = &host->mch->parent_obj;
    const uint32_t config = (uint32_t)dev->devfn << 8;

    for (unsigned i = 0; i < PAM_REGS; i++) {
        pci_data_write(host->bus, config | (MCH_PAM + i), i ? 0x33 : 0x30, 1);
    }
    pci_data_write(host->bus, config | MCH_PCIEXBAR, mmcfg ? mmcfg | 1 : 0, 4);
}
