/* SPDX-License-Identifier: MIT
 *
 * The abstract PCI device: its life, reset and properties.
 */
#include <stdio.h>
#include <string.h>
#include "hw/core/machine.h"
#include "hw/pci/pci-internal.h"

/* ---- the addr property --------------------------------------------------------- */

static GVariant *pci_devfn_get(Object *obj, const Property *prop)
{
    int32_t devfn = *(int32_t *)((char *)obj + prop->offset);

    if (devfn < 0) {
        return g_variant_new_string("");
    }
    return g_variant_new_take_string(
        g_strdup_printf("%02x.%x", PCI_DEVFN_SLOT(devfn), PCI_DEVFN_FUNC(devfn)));
}

static bool pci_parse_hex(const char *text, uint64_t max, uint32_t *ret_value)
{
    uint64_t value;
    const char *digits = g_str_has_prefix(text, "0x") ? text + 2 : text;

    if (!g_ascii_string_to_unsigned(digits, 16, 0, max, &value, NULL)) {
        return false;
    }
    *ret_value = (uint32_t)value;
    return true;
}

static bool pci_devfn_set(Object *obj, const Property *prop, GVariant *value, GError **error)
{
    const char *text = g_variant_get_string(value, NULL);
    g_auto(GStrv) parts = g_strsplit(text, ".", 3);
    uint32_t slot, func = 0;

    if (!parts[0] || !pci_parse_hex(parts[0], PCI_SLOT_MAX - 1, &slot) ||
        (parts[1] && (parts[2] || !pci_parse_hex(parts[1], PCI_FUNC_MAX - 1, &func)))) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "%s=%s: expected SLOT or SLOT.FUNCTION in hexadecimal, at most 1f.7",
                    prop->name, text);
        return false;
    }
    *(int32_t *)((char *)obj + prop->offset) = (int32_t)PCI_MAKE_DEVFN(slot, func);
    return true;
}

static void pci_devfn_set_default(Object *obj, const Property *prop)
{
    *(int32_t *)((char *)obj + prop->offset) = -1;
}

const PropertyType property_type_pci_devfn = {
    .name = "int32", /* as clients know it; its text is SLOT.FUNCTION */
    .variant = G_VARIANT_TYPE_STRING,
    .get = pci_devfn_get,
    .set = pci_devfn_set,
    .set_default = pci_devfn_set_default,
};

static const Property pci_properties[] = {
    PROP_FIELD("addr", pci_devfn, PCIDevice, devfn, PROP_CONFIG, .def.i = -1,
               .doc = "slot and function on the bus, such as 3.1; empty: the first free slot"),
    DEFINE_PROP_STRING("romfile", PCIDevice, romfile, NULL,
                       "file with the expansion ROM; empty: none"),
    DEFINE_PROP_UINT32("romsize", PCIDevice, romsize, UINT32_MAX,
                       "size of the ROM BAR in bytes; 4294967295: that of the file"),
    DEFINE_PROP_UINT32("rombar", PCIDevice, rombar, 1, "show the ROM in a BAR; 0: do not",
                       .max = 1),
    DEFINE_PROP_BOOL("multifunction", PCIDevice, multifunction, false,
                     "function 0 of a slot that has several"),
    DEFINE_PROP_BOOL("x-pcie-lnksta-dllla", PCIDevice, lnksta_dllla, true,
                     "a port shows an active link while its slot is populated"),
    DEFINE_PROP_BOOL("x-pcie-extcap-init", PCIDevice, extcap_init, true,
                     "extended configuration space starts with a capability list, if empty"),
    DEFINE_PROP_END,
};

/* ---- life ------------------------------------------------------------------------ */

static void pci_device_instance_init(Object *obj)
{
    PCIDevice *dev = PCI_DEVICE(obj);

    if (PCI_DEVICE_GET_CLASS(dev)->romfile) {
        g_free(dev->romfile);
        dev->romfile = g_strdup(PCI_DEVICE_GET_CLASS(dev)->romfile);
    }
}

static void pci_tell_bridge(PCIDevice *dev, bool came)
{
    PCIDevice *bridge = pci_get_bus(dev)->parent_dev;

    if (bridge && PCI_DEVICE_GET_CLASS(bridge)->bus_changed) {
        device_lock(&bridge->parent_obj);
        PCI_DEVICE_GET_CLASS(bridge)->bus_changed(bridge, came);
        device_unlock(&bridge->parent_obj);
    }
}

/* The slot is taken while the device is realized, and so is its view of memory. */
static void pci_device_leave_bus(void *opaque)
{
    PCIDevice *dev = opaque;

    pci_get_bus(dev)->devices[dev->devfn] = NULL;
    pci_tell_bridge(dev, false);
    dev->powered_off = false;
    address_space_finish(&dev->bus_master_as);
    dev->machine = NULL;
    dev->msi_cap = dev->msix_cap = dev->pm_cap = dev->exp_cap = 0;
    dev->aer_cap = dev->ext_cap_end = 0;
    memset(dev->cap_used, 0, sizeof(dev->cap_used));
    memset(dev->io_regions, 0, sizeof(dev->io_regions));
}

static void pci_device_join_bus(PCIDevice *dev)
{
    PCIBus *bus = pci_get_bus(dev);
    Object *obj = OBJECT(dev);
    MemoryRegion *memory = bus->dma_memory;

    dev->machine = qdev_get_machine(dev);
    memory = memory ? memory : dev->machine->system_memory;
    memory_region_init(&dev->bus_master_container, obj, "bus master container", UINT64_MAX);
    memory_region_init_alias(&dev->bus_master_enable, obj, "bus master", memory, 0,
                             memory_region_size(memory));
    memory_region_set_enabled(&dev->bus_master_enable, false);
    memory_region_add_subregion(&dev->bus_master_container, 0, &dev->bus_master_enable);
    address_space_init(&dev->bus_master_as, &dev->bus_master_container, object_get_typename(obj));
    bus->devices[dev->devfn] = dev;
    qdev_on_unrealize(&dev->parent_obj, pci_device_leave_bus, dev);
}

/* Silence the device before its regions go. */
static void pci_device_quiesce(void *opaque)
{
    PCIDevice *dev = opaque;

    pci_set_irq(dev, 0);
    pci_unmap_all(dev);
}

static bool pci_device_realize(DeviceState *qdev, GError **error)
{
    PCIDevice *dev = PCI_DEVICE(qdev);
    PCIDeviceClass *pc = PCI_DEVICE_GET_CLASS(dev);

    if (!qdev->parent_bus || !object_dynamic_cast(OBJECT(qdev->parent_bus), TYPE_PCI_BUS)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "%s needs a PCI bus",
                    object_get_typename(OBJECT(dev)));
        return false;
    }
    pci_device_join_bus(dev);
    pci_config_init(dev);
    if ((pc->realize && !pc->realize(dev, error)) || !pci_add_option_rom(dev, error)) {
        return false;
    }
    qdev_on_unrealize(qdev, pci_device_quiesce, dev);
    pci_tell_bridge(dev, true);
    return true;
}

static void pci_device_unrealize(DeviceState *qdev)
{
    PCIDevice *dev = PCI_DEVICE(qdev);

    if (PCI_DEVICE_GET_CLASS(dev)->exit) {
        PCI_DEVICE_GET_CLASS(dev)->exit(dev);
    }
}

static void pci_device_reset_enter(DeviceState *qdev, ResetType type)
{
    PCIDevice *dev = PCI_DEVICE(qdev);

    pci_config_reset(dev, type);
    if (PCI_DEVICE_GET_CLASS(dev)->reset) {
        PCI_DEVICE_GET_CLASS(dev)->reset(dev);
    }
}

static void pci_device_reset_hold(DeviceState *qdev)
{
    PCIDevice *dev = PCI_DEVICE(qdev);

    pci_set_irq(dev, 0);
    pci_update_mappings(dev);
    if (PCI_DEVICE_GET_CLASS(dev)->reset_hold) {
        PCI_DEVICE_GET_CLASS(dev)->reset_hold(dev);
    }
}

static void pci_device_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    dc->realize = pci_device_realize;
    dc->unrealize = pci_device_unrealize;
    dc->reset_enter = pci_device_reset_enter;
    dc->reset_hold = pci_device_reset_hold;
    dc->bus_type = TYPE_PCI_BUS;
    pc->config_read = pci_default_read_config;
    pc->config_write = pci_default_write_config;
}

static const TypeInfo pci_device_types[] = {
    {
     .name = TYPE_PCI_DEVICE,
     .parent = TYPE_DEVICE,
     .instance_size = sizeof(PCIDevice),
     .instance_init = pci_device_instance_init,
     .abstract = true,
     .class_size = sizeof(PCIDeviceClass),
     .class_init = pci_device_class_init,
     .properties = pci_properties,
     .doc = "A function of a PCI device",
     },
};

DEFINE_TYPES(pci_device_types)
