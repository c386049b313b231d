/* SPDX-License-Identifier: MIT
 *
 * A PCI bus: 32 slots of 8 functions.  PCI Local Bus Specification 3.0, 3.2.2.3.
 */
#include "hw/core/machine.h"
#include "hw/pci/pci-internal.h"

static bool pci_slot_is_free(PCIBus *bus, int slot)
{
    for (int func = 0; func < PCI_FUNC_MAX; func++) {
        if (bus->devices[PCI_MAKE_DEVFN(slot, func)]) {
            return false;
        }
    }
    return true;
}

static int pci_first_free_slot(PCIBus *bus)
{
    for (int slot = PCI_DEVFN_SLOT(bus->devfn_min); slot < PCI_SLOT_MAX; slot++) {
        if (pci_slot_is_free(bus, slot)) {
            return slot;
        }
    }
    return -1;
}

static bool pci_choose_devfn(PCIBus *bus, PCIDevice *dev, GError **error)
{
    int slot = pci_first_free_slot(bus);

    if (slot < 0) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "PCI: no slot/function available for %s, all in use or reserved on bus '%s'",
                    object_get_typename(OBJECT(dev)), OBJECT(bus)->name);
        return false;
    }
    dev->devfn = PCI_MAKE_DEVFN(slot, 0);
    return true;
}

static bool pci_check_free(PCIBus *bus, PCIDevice *dev, GError **error)
{
    int slot = PCI_DEVFN_SLOT(dev->devfn), func = PCI_DEVFN_FUNC(dev->devfn);
    PCIDevice *there = bus->devices[dev->devfn], *first = bus->devices[PCI_MAKE_DEVFN(slot, 0)];
    const char *type = object_get_typename(OBJECT(dev));

    if (there) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "PCI: slot %d function %d not available for %s, in use by %s,id=%s (bus '%s')",
                    slot, func, type, object_get_typename(OBJECT(there)),
                    there->parent_obj.id ? there->parent_obj.id : "(null)", OBJECT(bus)->name);
        return false;
    }
    if (dev->parent_obj.hotplugged && func && first) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "PCI: slot %d function 0 already occupied by %s, new func %s cannot be exposed "
                    "to guest.",
                    slot, object_get_typename(OBJECT(first)), type);
        return false;
    }
    return true;
}

/* Functions other than 0 are found only if function 0 says that there are several. */
static bool pci_check_multifunction(PCIBus *bus, PCIDevice *dev, GError **error)
{
    int slot = PCI_DEVFN_SLOT(dev->devfn), func = PCI_DEVFN_FUNC(dev->devfn);
    PCIDevice *first = bus->devices[PCI_MAKE_DEVFN(slot, 0)];

    if (func != 0 && first && !first->multifunction) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "PCI: single function device can't be populated in function %x.%x "
                    "(the device at %x.0 needs multifunction=on)",
                    slot, func, slot);
        return false;
    }
    for (func = 1; func < PCI_FUNC_MAX && PCI_DEVFN_FUNC(dev->devfn) == 0; func++) {
        if (bus->devices[PCI_MAKE_DEVFN(slot, func)] && !dev->multifunction) {
            g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                        "PCI: %x.0 indicates single function, but %x.%x is already populated. "
                        "(multifunction=on is missing)",
                        slot, slot, func);
            return false;
        }
    }
    return true;
}

static bool pci_bus_plug(BusState *qbus, DeviceState *qdev, GError **error)
{
    PCIBus *bus = PCI_BUS(qbus);
    PCIDevice *dev = PCI_DEVICE(qdev);

    if (dev->devfn < 0 && !pci_choose_devfn(bus, dev, error)) {
        return false;
    }
    return pci_check_free(bus, dev, error) && pci_check_multifunction(bus, dev, error);
}

static char *pci_get_dev_path(DeviceState *qdev)
{
    PCIDevice *dev = PCI_DEVICE(qdev);

    return g_strdup_printf("0000:%02x:%02x.%x", pci_bus_num(pci_get_bus(dev)),
                           PCI_DEVFN_SLOT(dev->devfn), PCI_DEVFN_FUNC(dev->devfn));
}

/* Open Firmware names of classes, as boot order lists use them (IEEE 1275, PCI binding 2.1). */
static const struct {
    uint16_t class_id;
    const char *name;
} pci_fw_names[] = {
    {PCI_CLASS_STORAGE_SCSI,     "scsi"    },
    {PCI_CLASS_STORAGE_IDE,      "ide"     },
    {PCI_CLASS_NETWORK_ETHERNET, "ethernet"},
    {PCI_CLASS_DISPLAY_VGA,      "display" },
    {PCI_CLASS_BRIDGE_HOST,      "host"    },
    {PCI_CLASS_BRIDGE_ISA,       "isa"     },
    {PCI_CLASS_BRIDGE_PCI,       "pci"     },
    {PCI_CLASS_SERIAL_USB,       "usb"     },
};

static char *pci_get_fw_dev_path(DeviceState *qdev)
{
    PCIDevice *dev = PCI_DEVICE(qdev);
    uint16_t class_id = pci_get_word(dev->config + PCI_CLASS_DEVICE);
    g_autofree char *name = NULL;
    int slot = PCI_DEVFN_SLOT(dev->devfn), func = PCI_DEVFN_FUNC(dev->devfn);

    for (size_t i = 0; i < G_N_ELEMENTS(pci_fw_names) && !name; i++) {
        if (pci_fw_names[i].class_id == class_id) {
            name = g_strdup(pci_fw_names[i].name);
        }
    }
    if (!name) {
        name = g_strdup_printf("pci%x,%x", pci_get_word(dev->config + PCI_VENDOR_ID),
                               pci_get_word(dev->config + PCI_DEVICE_ID));
    }
    return func ? g_strdup_printf("%s@%x,%x", name, slot, func)
                : g_strdup_printf("%s@%x", name, slot);
}

static void pci_bus_finalize(Object *obj)
{
    g_free(PCI_BUS(obj)->irq_count);
}

static void pci_bus_class_init(ObjectClass *klass, const void *data)
{
    BusClass *bc = BUS_CLASS(klass);

    bc->plug = pci_bus_plug;
    bc->get_dev_path = pci_get_dev_path;
    bc->get_fw_dev_path = pci_get_fw_dev_path;
}

/* ---- making and finding ------------------------------------------------------ */

static PCIBus *pci_make_root_bus(const char *type, DeviceState *parent, const char *name,
                                 MemoryRegion *address_space_mem, MemoryRegion *address_space_io,
                                 uint8_t devfn_min)
{
    PCIBus *bus = PCI_BUS(qbus_new(type, parent, name));

    bus->devfn_min = devfn_min;
    bus->address_space_mem = address_space_mem;
    bus->address_space_io = address_space_io;
    return bus;
}

PCIBus *pci_root_bus_new(DeviceState *parent, const char *name, MemoryRegion *address_space_mem,
                         MemoryRegion *address_space_io, uint8_t devfn_min)
{
    PCIBus *bus = pci_make_root_bus(TYPE_PCI_BUS, parent, name, address_space_mem, address_space_io,
                                    devfn_min);

    bus->parent_obj.auto_named = true; /* buses of bridges go on from "pci.0" */
    return bus;
}

PCIBus *pcie_root_bus_new(DeviceState *parent, const char *name, MemoryRegion *address_space_mem,
                          MemoryRegion *address_space_io, uint8_t devfn_min)
{
    return pci_make_root_bus(TYPE_PCIE_BUS, parent, name, address_space_mem, address_space_io,
                             devfn_min);
}

bool pci_bus_is_express(const PCIBus *bus)
{
    return object_dynamic_cast(OBJECT(bus), TYPE_PCIE_BUS) != NULL;
}

void pci_bus_irqs(PCIBus *bus, PCISetIrqFunc set_irq, PCIMapIrqFunc map_irq, void *opaque, int nirq)
{
    bus->set_irq = set_irq;
    bus->map_irq = map_irq;
    bus->irq_opaque = opaque;
    bus->nirq = nirq;
    g_free(bus->irq_count);
    bus->irq_count = g_new0(uint32_t, nirq);
}

PCIBus *pci_get_bus(const PCIDevice *dev)
{
    return PCI_BUS(qdev_get_parent_bus(&dev->parent_obj));
}

int pci_bus_num(const PCIBus *bus)
{
    return bus->parent_dev ? bus->parent_dev->config[PCI_SECONDARY_BUS] : bus->bus_nr;
}

/* The bridge on `bus` that forwards configuration cycles for bus_nr (PCI bridge spec 1.2, 3.1). */
static PCIDevice *pci_find_bridge(PCIBus *bus, int bus_nr)
{
    for (int devfn = 0; devfn < PCI_DEVFN_MAX; devfn++) {
        PCIDevice *dev = bus->devices[devfn];

        if (dev && PCI_DEVICE_GET_CLASS(dev)->is_bridge && !dev->powered_off &&
            dev->config[PCI_SECONDARY_BUS] <= bus_nr &&
            dev->config[PCI_SUBORDINATE_BUS] >= bus_nr) {
            return dev;
        }
    }
    return NULL;
}

static PCIBus *pci_bridge_bus(PCIDevice *bridge)
{
    for (GSList *l = bridge->parent_obj.child_buses; l; l = l->next) {
        if (object_dynamic_cast(l->data, TYPE_PCI_BUS)) {
            return l->data;
        }
    }
    return NULL;
}

PCIBus *pci_find_bus_nr(PCIBus *root, int bus_nr)
{
    PCIBus *bus = root;

    while (bus && pci_bus_num(bus) != bus_nr) {
        PCIDevice *bridge = pci_find_bridge(bus, bus_nr);

        bus = bridge ? pci_bridge_bus(bridge) : NULL;
    }
    return bus;
}

PCIDevice *pci_find_device(PCIBus *root, int bus_nr, uint8_t devfn)
{
    PCIBus *bus = pci_find_bus_nr(root, bus_nr);

    return bus ? bus->devices[devfn] : NULL;
}

void pci_for_each_device(PCIBus *bus, PCIDeviceVisitor fn, void *opaque)
{
    for (int devfn = 0; devfn < PCI_DEVFN_MAX; devfn++) {
        PCIDevice *dev = bus->devices[devfn];

        if (!dev) {
            continue;
        }
        fn(bus, dev, opaque);
        for (GSList *l = dev->parent_obj.child_buses; l; l = l->next) {
            if (object_dynamic_cast(l->data, TYPE_PCI_BUS)) {
                pci_for_each_device(l->data, fn, opaque);
            }
        }
    }
}

PCIDevice *pci_new(int devfn, const char *type, GError **error)
{
    DeviceState *dev = qdev_new(type, error);

    if (dev && !object_dynamic_cast(OBJECT(dev), TYPE_PCI_DEVICE)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_TYPE, "'%s' is not a PCI device", type);
        object_unref(dev);
        return NULL;
    }
    if (dev) {
        PCI_DEVICE(dev)->devfn = devfn;
    }
    return dev ? PCI_DEVICE(dev) : NULL;
}

bool pci_realize_and_unref(PCIDevice *dev, PCIBus *bus, GError **error)
{
    return qdev_realize_and_unref(&dev->parent_obj, &bus->parent_obj, error);
}

PCIDevice *pci_create_multifunction(PCIBus *bus, int devfn, bool multifunction, const char *type,
                                    GError **error)
{
    PCIDevice *dev = pci_new(devfn, type, error);

    if (!dev) {
        return NULL;
    }
    dev->multifunction = multifunction;
    return pci_realize_and_unref(dev, bus, error) ? dev : NULL;
}

PCIDevice *pci_create(PCIBus *bus, int devfn, const char *type, GError **error)
{
    return pci_create_multifunction(bus, devfn, false, type, error);
}

/* ---- configuration cycles ------------------------------------------------------ */

/* Registers from 256 on are reached over PCI Express buses only (PCIe 7.2.1). */
static PCIDevice *pci_addressed(PCIBus *root, uint8_t bus_nr, uint8_t devfn, uint32_t reg)
{
    PCIDevice *dev = pci_find_device(root, bus_nr, devfn);

    if (!dev || dev->powered_off ||
        (reg >= PCI_CONFIG_SIZE && !pci_bus_is_express(pci_get_bus(dev)))) {
        return NULL;
    }
    return dev;
}

uint32_t pci_host_config_read(PCIBus *root, uint8_t bus_nr, uint8_t devfn, uint32_t reg,
                              unsigned len)
{
    PCIDevice *dev = pci_addressed(root, bus_nr, devfn, reg);
    uint32_t value;

    if (!dev) {
        return UINT32_MAX >> (32 - 8 * len);
    }
    device_lock(&dev->parent_obj);
    value = PCI_DEVICE_GET_CLASS(dev)->config_read(dev, reg, len);
    device_unlock(&dev->parent_obj);
    return value;
}

void pci_host_config_write(PCIBus *root, uint8_t bus_nr, uint8_t devfn, uint32_t reg,
                           uint32_t value, unsigned len)
{
    PCIDevice *dev = pci_addressed(root, bus_nr, devfn, reg);

    if (dev) {
        device_lock(&dev->parent_obj);
        PCI_DEVICE_GET_CLASS(dev)->config_write(dev, reg, value, len);
        device_unlock(&dev->parent_obj);
    }
}

uint32_t pci_data_read(PCIBus *root, uint32_t address, unsigned len)
{
    return pci_host_config_read(root, (uint8_t)(address >> 16), (uint8_t)(address >> 8),
                                address & 0xff, len);
}

void pci_data_write(PCIBus *root, uint32_t address, uint32_t value, unsigned len)
{
    pci_host_config_write(root, (uint8_t)(address >> 16), (uint8_t)(address >> 8), address & 0xff,
                          value, len);
}

static const TypeInfo pci_bus_types[] = {
    {
     .name = TYPE_PCI_BUS,
     .parent = TYPE_BUS,
     .instance_size = sizeof(PCIBus),
     .instance_finalize = pci_bus_finalize,
     .class_init = pci_bus_class_init,
     .doc = "PCI bus: 32 slots of 8 functions",
     },
    {
     .name = TYPE_PCIE_BUS,
     .parent = TYPE_PCI_BUS,
     .instance_size = sizeof(PCIBus),
     .doc = "PCI Express bus: functions have 4096 bytes of configuration space",
     },
};

DEFINE_TYPES(pci_bus_types)
