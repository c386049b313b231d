/* SPDX-License-Identifier: MIT
 *
 * PCI hot-plug registers ("QEMU<->ACPI BIOS PCI hotplug interface"), of the bus in the selector:
 *
 *         read                                        write
 *   00    slots with a new device; cleared by it      -
 *   04    slots whose device is to go                 -
 *   08    features: 0                                 eject the slots
 *   0c    slots that can be removed from              -
 *   10    selector                                    selector
 *   14    index of a device: 0                        -
 */
#include "hw/acpi/pci-hotplug.h"
#include <string.h>
#include "hw/core/machine.h"
#include "system/log.h"

enum {
    REG_UP = 0x00,
    REG_DOWN = 0x04,
    REG_EJECT = 0x08,
    REG_REMOVABLE = 0x0c,
    REG_SELECT = 0x10,
};

/* ---- buses -------------------------------------------------------------------------- */

int acpi_pci_hotplug_bus_number(const ACPIPCIHotplug *s, const PCIBus *bus)
{
    for (unsigned n = 0; n < s->nr_buses; n++) {
        if (s->buses[n] == bus) {
            return (int)n;
        }
    }
    return -1;
}

/* A bridge that was there at the start stays, as its slots are in the tables. */
static bool stays(const PCIDevice *dev)
{
    return !DEVICE_GET_CLASS(dev)->hotpluggable ||
           (PCI_DEVICE_GET_CLASS(dev)->is_bridge && !dev->parent_obj.hotplugged);
}

uint32_t acpi_pci_hotplug_removable(const PCIBus *bus)
{
    uint32_t slots = UINT32_MAX;

    for (int devfn = 0; devfn < PCI_DEVFN_MAX; devfn++) {
        if (bus->devices[devfn] && stays(bus->devices[devfn])) {
            slots &= ~(1u << PCI_DEVFN_SLOT(devfn));
        }
    }
    return slots;
}

static const HotplugOps pci_hotplug_ops;

static void number_bus(ACPIPCIHotplug *s, PCIBus *bus)
{
    if (bus->parent_obj.hotplug == &pci_hotplug_ops && s->nr_buses < ACPI_PCI_HOTPLUG_BUSES) {
        s->buses[s->nr_buses++] = bus;
    }
    for (GList *l = bus->parent_obj.children.tail; l; l = l->prev) {
        for (GSList *b = DEVICE(l->data)->child_buses; b; b = b->next) {
            if (object_dynamic_cast(b->data, TYPE_PCI_BUS)) {
                number_bus(s, b->data);
            }
        }
    }
}

void acpi_pci_hotplug_number_buses(ACPIPCIHotplug *s)
{
    s->nr_buses = 0;
    number_bus(s, s->root);
}

/* ---- coming and going --------------------------------------------------------------------- */

static void set_slot(ACPIPCIHotplug *s, uint32_t *slots, PCIDevice *dev)
{
    int n = acpi_pci_hotplug_bus_number(s, pci_get_bus(dev));

    if (n < 0) {
        return;
    }
    device_lock(s->dev);
    slots[n] |= 1u << PCI_DEVFN_SLOT(dev->devfn);
    s->raise_gpe(s->opaque, ACPI_PCI_HOTPLUG_GPE);
    device_unlock(s->dev);
}

/* The buses of bridges that are there at the start are ours, too. */
static void take_bridge(ACPIPCIHotplug *s, PCIDevice *dev)
{
    for (GSList *l = dev->parent_obj.child_buses; l; l = l->next) {
        BusState *bus = l->data;
        bool refuses = !bus->hotplug && pci_bus_is_express(PCI_BUS(bus)); /* hotplug=off */

        if (!refuses) {
            qbus_set_hotplug(bus, &pci_hotplug_ops, s);
        }
    }
}

static void pci_hotplug_plug(void *opaque, DeviceState *dev)
{
    ACPIPCIHotplug *s = opaque;
    PCIDevice *pci = PCI_DEVICE(dev);

    if (!dev->hotplugged) {
        if (s->bridge_hotplug && PCI_DEVICE_GET_CLASS(pci)->is_bridge) {
            take_bridge(s, pci);
        }
    } else if (pci_get_bus(pci)->devices[PCI_MAKE_DEVFN(PCI_DEVFN_SLOT(pci->devfn), 0)]) {
        set_slot(s, s->up, pci); /* with function 0 the guest finds all of them */
    }
}

static bool pci_hotplug_unplug_request(void *opaque, DeviceState *dev, GError **error)
{
    ACPIPCIHotplug *s = opaque;

    dev->pending_deleted = true;
    dev->pending_deleted_until = 0;
    set_slot(s, s->down, PCI_DEVICE(dev));
    return true;
}

static const HotplugOps pci_hotplug_ops = {
    .plug = pci_hotplug_plug,
    .unplug_request = pci_hotplug_unplug_request,
};

/* Of a root bus whose own devices stay. */
static const HotplugOps pci_hotplug_bridges_ops = {.plug = pci_hotplug_plug};

static void eject_slot(ACPIPCIHotplug *s, unsigned n, int slot)
{
    PCIBus *bus = s->buses[n];

    for (int func = PCI_FUNC_MAX - 1; func >= 0; func--) {
        PCIDevice *dev = bus->devices[PCI_MAKE_DEVFN(slot, func)];

        if (dev && !stays(dev)) {
            qdev_finish_unplug_later(&dev->parent_obj);
        }
    }
    s->up[n] &= ~(1u << slot);
    s->down[n] &= ~(1u << slot);
}

static void eject(ACPIPCIHotplug *s, uint32_t slots)
{
    for (int slot = 0; slot < PCI_SLOT_MAX && s->select < s->nr_buses; slot++) {
        if (slots >> slot & 1) {
            log_if(LOG_PCI, "pci: the guest ejects slot %d of bus '%s'\n", slot,
                   OBJECT(s->buses[s->select])->name);
            eject_slot(s, s->select, slot);
        }
    }
}

void acpi_pci_hotplug_reset(ACPIPCIHotplug *s)
{
    for (unsigned n = 0; n < s->nr_buses; n++) {
        for (int devfn = PCI_DEVFN_MAX - 1; devfn >= 0; devfn--) {
            PCIDevice *dev = s->buses[n]->devices[devfn];

            if (dev && dev->parent_obj.pending_deleted && !stays(dev)) { /* with our buses */
                qdev_finish_unplug(&dev->parent_obj);
            }
        }
    }
    s->select = 0;
    memset(s->up, 0, sizeof(s->up));
    memset(s->down, 0, sizeof(s->down));
}

/* ---- registers ------------------------------------------------------------------------------ */

static uint32_t read_slots(ACPIPCIHotplug *s, hwaddr reg)
{
    uint32_t value;

    if (s->select >= s->nr_buses) {
        return reg == REG_REMOVABLE ? UINT32_MAX : 0;
    }
    value = reg == REG_UP     ? s->up[s->select]
            : reg == REG_DOWN ? s->down[s->select]
                              : acpi_pci_hotplug_removable(s->buses[s->select]);
    if (reg == REG_UP) {
        s->up[s->select] = 0;
    }
    return value;
}

static uint64_t pci_hotplug_read(void *opaque, hwaddr addr, unsigned size)
{
    ACPIPCIHotplug *s = opaque;

    switch (addr) {
    case REG_UP:
    case REG_DOWN:
    case REG_REMOVABLE:
        return read_slots(s, addr);
    case REG_SELECT:
        return s->select;
    default:
        return 0;
    }
}

static void pci_hotplug_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    ACPIPCIHotplug *s = opaque;

    if (addr == REG_EJECT) {
        eject(s, (uint32_t)value);
    } else if (addr == REG_SELECT) {
        s->select = (uint32_t)value;
    }
}

static const MemoryRegionOps pci_hotplug_registers = {
    .read = pci_hotplug_read,
    .write = pci_hotplug_write,
    .valid = {4, 4, false},
    .impl = {4, 4, false},
    .lock = MR_LOCK_BIG,
};

/* ---- life ----------------------------------------------------------------------------------- */

static void pci_hotplug_undo(void *opaque)
{
    ACPIPCIHotplug *s = opaque;

    qbus_set_hotplug(&s->root->parent_obj, NULL, NULL);
    memory_region_del_subregion(s->mr.container, &s->mr);
    s->nr_buses = 0;
}

void acpi_pci_hotplug_init(ACPIPCIHotplug *s, DeviceState *dev, PCIBus *root, MemoryRegion *io,
                           uint16_t base, bool root_hotplug, bool bridge_hotplug,
                           void (*raise_gpe)(void *opaque, unsigned n), void *opaque)
{
    s->dev = dev;
    s->root = root;
    s->base = base;
    s->root_hotplug = root_hotplug;
    s->bridge_hotplug = bridge_hotplug;
    s->raise_gpe = raise_gpe;
    s->opaque = opaque;
    memory_region_init_io(&s->mr, OBJECT(dev), &pci_hotplug_registers, s, "acpi-pci-hotplug",
                          ACPI_PCI_HOTPLUG_SIZE);
    memory_region_add_subregion(io, base, &s->mr);
    qbus_set_hotplug(&root->parent_obj, root_hotplug ? &pci_hotplug_ops : &pci_hotplug_bridges_ops,
                     s);
    qdev_on_unrealize(dev, pci_hotplug_undo, s);
}
