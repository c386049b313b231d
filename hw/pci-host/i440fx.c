/* SPDX-License-Identifier: MIT
 *
 * Intel 440FX PCIset, 82441FX PCI and memory controller (data sheet 290549).
 *
 *   cf8, cfc  configuration mechanism #1                (3.1)
 *   59-5f     PAM: RAM or PCI in c0000-fffff            (3.2.15)
 *   72        SMRAM control: a0000-bffff                (3.2.19)
 *               6 D_OPEN  5 D_CLS  4 D_LCK  3 G_SMRAME  2-0 C_BASE_SEG (010)
 */
#include <string.h>
#include "hw/pci-host/i440fx.h"
#include "hw/core/machine.h"
#include "hw/pci-host/config-ports.h"
#include "hw/pci-host/pam.h"
#include "hw/pci/pci-internal.h"
#include "hw/core/memory-map.h"

#define I440FX_DRAM_SIZE 0x57 /* a unit of 8 MiB, as the firmware of a pc reads it */
#define I440FX_PAM       0x59
#define I440FX_SMRAM     0x72

#define HOLE_BASE        0xa0000
#define HOLE_SIZE        0x60000
#define SMRAM_BASE       0xa0000
#define SMRAM_SIZE       0x20000
#define SMRAM_D_OPEN     0x40
#define SMRAM_D_LCK      0x10
#define SMRAM_G_SMRAME   0x08
#define SMRAM_C_BASE_SEG 0x02
#define SMRAM_WRITABLE   0x78

struct I440FXHost {
    SysBusDevice parent_obj;
    PCIConfigPorts ports;
    PCIBus *bus;
    MemoryRegion *pci_memory;
    uint64_t below_4g_mem_size, above_4g_mem_size;
};

struct I440FXState {
    PCIDevice parent_obj;
    PAM pam;
    MemoryRegion hole;          /* below what PCI has there, so that RAM does not show through */
    MemoryRegion smram_window;  /* PCI (the VGA window) over RAM at a0000 */
    MemoryRegion smram;         /* what a CPU in SMM sees there: RAM */
    uint8_t pam_regs[PAM_REGS]; /* in force */
};

/* ---- the host bridge's ports ---------------------------------------------------- */

static bool i440fx_host_realize(DeviceState *dev, GError **error)
{
    I440FXHost *host = I440FX_PCI_HOST_BRIDGE(dev);
    MachineState *machine = qdev_get_machine(dev);

    if (!host->pci_memory) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "%s is made by a machine, with its memory", object_get_typename(OBJECT(dev)));
        return false;
    }
    host->bus = pci_root_bus_new(dev, "pci.0", host->pci_memory, machine->system_io, 0);
    pci_config_ports_init(&host->ports, OBJECT(dev), host->bus);
    memory_region_add_subregion(machine->system_io, 0xcf8, &host->ports.address_mr);
    memory_region_add_subregion(machine->system_io, 0xcfc, &host->ports.data_mr);
    return true;
}

static void i440fx_host_reset_enter(DeviceState *dev, ResetType type)
{
    I440FX_PCI_HOST_BRIDGE(dev)->ports.address = 0;
}

static const Property i440fx_host_properties[] = {
    DEFINE_PROP_SIZE("below-4g-mem-size", I440FXHost, below_4g_mem_size, 0,
                     "bytes of RAM below 4 GiB", .kind = PROP_TELEMETRY),
    DEFINE_PROP_SIZE("above-4g-mem-size", I440FXHost, above_4g_mem_size, 0,
                     "bytes of RAM from 4 GiB on", .kind = PROP_TELEMETRY),
    DEFINE_PROP_END,
};

static const StateField i440fx_host_state[] = {
    STATE_FIELD(I440FXHost, ports.address),
    STATE_END,
};

static void i440fx_host_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = i440fx_host_realize;
    dc->reset_enter = i440fx_host_reset_enter;
    dc->user_creatable = false;
    dc->hotpluggable = false;
    dc->category = DEVICE_CATEGORY_BRIDGE;
    dc->state = i440fx_host_state;
}

/* ---- function 0 of slot 0 -------------------------------------------------------- */

static void i440fx_update_smram(I440FXState *d)
{
    uint8_t reg = d->parent_obj.config[I440FX_SMRAM];
    bool open = (reg & SMRAM_G_SMRAME) && (reg & SMRAM_D_OPEN);

    memory_region_set_enabled(&d->smram_window, !open);
    memory_region_set_enabled(&d->smram, reg & SMRAM_G_SMRAME);
}

static void i440fx_update(I440FXState *d)
{
    PCIDevice *dev = &d->parent_obj;

    for (int i = 0; i < PAM_REGS; i++) {
        d->pam_regs[i] = dev->config[I440FX_PAM + i];
    }
    memory_region_transaction_begin();
    pam_update(&d->pam, d->pam_regs);
    i440fx_update_smram(d);
    memory_region_transaction_commit();
}

/* D_LCK closes D_OPEN and freezes the register until reset. */
static void i440fx_write_smram(PCIDevice *dev, uint8_t old)
{
    uint8_t reg = dev->config[I440FX_SMRAM];

    if (old & SMRAM_D_LCK) {
        reg = old;
    } else if (reg & SMRAM_D_LCK) {
        reg &= (uint8_t)~SMRAM_D_OPEN;
    }
    dev->config[I440FX_SMRAM] = (reg & SMRAM_WRITABLE) | SMRAM_C_BASE_SEG;
}

static void i440fx_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    uint8_t smram = dev->config[I440FX_SMRAM];

    pci_default_write_config(dev, addr, value, len);
    if (pci_range_covers(addr, len, I440FX_SMRAM, 1)) {
        i440fx_write_smram(dev, smram);
    }
    if (pci_range_covers(addr, len, I440FX_PAM, PAM_REGS) ||
        pci_range_covers(addr, len, I440FX_SMRAM, 1)) {
        i440fx_update(I440FX_PCI_DEVICE(dev));
    }
}

static void i440fx_reset(PCIDevice *dev)
{
    uint64_t units = dev->machine->ram_size >> 23;

    memset(dev->config + PCI_STD_HEADER_SIZEOF, 0, PCI_CONFIG_SIZE - PCI_STD_HEADER_SIZEOF);
    dev->config[I440FX_DRAM_SIZE] = (uint8_t)MIN(units, 255);
    dev->config[I440FX_SMRAM] = SMRAM_C_BASE_SEG;
    i440fx_update(I440FX_PCI_DEVICE(dev));
}

static void i440fx_unmap(void *opaque)
{
    I440FXState *d = opaque;

    memory_region_del_subregion(d->hole.container, &d->hole);
    memory_region_del_subregion(d->smram_window.container, &d->smram_window);
    if (d->smram.container) {
        memory_region_del_subregion(d->smram.container, &d->smram);
    }
    pam_finish(&d->pam);
}

static bool i440fx_realize(PCIDevice *dev, GError **error)
{
    I440FXState *d = I440FX_PCI_DEVICE(dev);
    MachineState *machine = dev->machine;
    MemoryRegion *pci = pci_get_bus(dev)->address_space_mem, *memory = machine->system_memory;

    if (!machine->ram) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "%s needs a machine with RAM",
                    object_get_typename(OBJECT(dev)));
        return false;
    }
    memory_region_init_io(&d->hole, OBJECT(d), &unassigned_mem_ops, d, "pci-hole", HOLE_SIZE);
    memory_region_add_subregion_overlap(pci, HOLE_BASE, &d->hole, -1);
    pam_init(&d->pam, OBJECT(d), memory, machine->ram, pci);
    memory_region_init_alias(&d->smram_window, OBJECT(d), "smram-window", pci, SMRAM_BASE,
                             SMRAM_SIZE);
    memory_region_add_subregion_overlap(memory, SMRAM_BASE, &d->smram_window, 1);
    memory_region_init_alias(&d->smram, OBJECT(d), "smram", machine->ram, SMRAM_BASE, SMRAM_SIZE);
    if (machine->smram) {
        memory_region_add_subregion(machine->smram, SMRAM_BASE, &d->smram);
    }
    qdev_on_unrealize(&dev->parent_obj, i440fx_unmap, d);
    i440fx_reset(dev);
    return true;
}

static const StateField i440fx_state[] = {
    PCI_STATE_FIELDS(I440FXState),
    STATE_FIELD(I440FXState, pam_regs),
    STATE_END,
};

static void i440fx_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = i440fx_realize;
    pc->reset = i440fx_reset;
    pc->config_write = i440fx_write_config;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = PCI_DEVICE_ID_INTEL_82441;
    pc->revision = 2;
    pc->class_id = PCI_CLASS_BRIDGE_HOST;
    dc->user_creatable = false;
    dc->hotpluggable = false;
    dc->category = DEVICE_CATEGORY_BRIDGE;
    dc->state = i440fx_state;
}

static const TypeInfo i440fx_types[] = {
    {
     .name = TYPE_I440FX_PCI_HOST_BRIDGE,
     .parent = TYPE_SYS_BUS_DEVICE,
     .instance_size = sizeof(I440FXHost),
     .class_init = i440fx_host_class_init,
     .properties = i440fx_host_properties,
     .doc = "Host bridge of a pc: PCI configuration ports and the root bus",
     },
    {
     .name = TYPE_I440FX_PCI_DEVICE,
     .parent = TYPE_PCI_DEVICE,
     .instance_size = sizeof(I440FXState),
     .class_init = i440fx_class_init,
     .doc = "82441FX memory controller: PAM and SMRAM",
     },
};

DEFINE_TYPES(i440fx_types)

/* ---- M18 -------------------------------------------------------------------------- */

PCIBus *i440fx_init(MachineState *machine, MemoryRegion *pci_memory, uint64_t below_4g_mem_size,
                    uint64_t above_4g_mem_size, GError **error)
{
    DeviceState *dev = qdev_new(TYPE_I440FX_PCI_HOST_BRIDGE, error);
    I440FXHost *host;

    if (!dev) {
        return NULL;
    }
    host = I440FX_PCI_HOST_BRIDGE(dev);
    host->pci_memory = pci_memory;
    host->below_4g_mem_size = below_4g_mem_size;
    host->above_4g_mem_size = above_4g_mem_size;
    if (!object_add_child(OBJECT(machine), "i440fx", OBJECT(dev), error)) {
        object_unref(dev);
        return NULL;
    }
    memory_region_add_subregion_overlap(machine->system_memory, 0, pci_memory, -1);
    if (!qdev_realize_and_unref(dev, NULL, error) ||
        !pci_create(host->bus, PCI_MAKE_DEVFN(0, 0), TYPE_I440FX_PCI_DEVICE, error)) {
        return NULL;
    }
    return host->bus;
}

void i440fx_open_ram(PCIBus *bus)
{
    PCIDevice *dev = bus->devices[PCI_MAKE_DEVFN(0, 0)];

    dev->config[I440FX_PAM] = 0x30;
    memset(dev->config + I440FX_PAM + 1, 0x33, PAM_REGS - 1);
    i440fx_update(I440FX_PCI_DEVICE(dev));
}
