/* SPDX-License-Identifier: MIT
 *
 * query-pci.
 */
#include "hw/pci/pci-bridge.h"
#include "system/monitor/monitor-internal.h"

static void add_bool(JsonBuilder *b, const char *name, bool value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_boolean_value(b, value);
}

static void begin_member(JsonBuilder *b, const char *name)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_object(b);
}

static void add_range(JsonBuilder *b, const char *name, const PCIDevice *dev,
                      PCIBridgeWindow window)
{
    begin_member(b, name);
    qmp_add_int(b, "base", (int64_t)pci_bridge_window_base(dev, window));
    qmp_add_int(b, "limit", (int64_t)pci_bridge_window_limit(dev, window));
    json_builder_end_object(b);
}

static void add_device(JsonBuilder *b, PCIBus *bus, PCIDevice *dev);

static void add_devices(JsonBuilder *b, PCIBus *bus)
{
    json_builder_set_member_name(b, "devices");
    json_builder_begin_array(b);
    for (int devfn = 0; devfn < PCI_DEVFN_MAX; devfn++) {
        if (bus->devices[devfn]) {
            add_device(b, bus, bus->devices[devfn]);
        }
    }
    json_builder_end_array(b);
}

/* What lies behind it is told once the bus has a number. */
static void add_bridge(JsonBuilder *b, PCIDevice *dev)
{
    begin_member(b, "pci_bridge");
    begin_member(b, "bus");
    qmp_add_int(b, "number", dev->config[PCI_PRIMARY_BUS]);
    qmp_add_int(b, "secondary", dev->config[PCI_SECONDARY_BUS]);
    qmp_add_int(b, "subordinate", dev->config[PCI_SUBORDINATE_BUS]);
    add_range(b, "io_range", dev, BRIDGE_IO);
    add_range(b, "memory_range", dev, BRIDGE_MEMORY);
    add_range(b, "prefetchable_range", dev, BRIDGE_PREFETCH);
    json_builder_end_object(b);
    if (dev->config[PCI_SECONDARY_BUS]) {
        add_devices(b, PCI_BRIDGE(dev)->sec_bus);
    }
    json_builder_end_object(b);
}

static void add_class(JsonBuilder *b, uint16_t class_id)
{
    begin_member(b, "class_info");
    qmp_add_int(b, "class", class_id);
    if (pci_class_name(class_id)) {
        qmp_add_string(b, "desc", pci_class_name(class_id));
    }
    json_builder_end_object(b);
}

static void add_id(JsonBuilder *b, const PCIDevice *dev)
{
    begin_member(b, "id");
    qmp_add_int(b, "vendor", pci_get_word(dev->config + PCI_VENDOR_ID));
    qmp_add_int(b, "device", pci_get_word(dev->config + PCI_DEVICE_ID));
    if (!PCI_DEVICE_GET_CLASS(dev)->is_bridge) {
        qmp_add_int(b, "subsystem-vendor", pci_get_word(dev->config + PCI_SUBSYSTEM_VENDOR_ID));
        qmp_add_int(b, "subsystem", pci_get_word(dev->config + PCI_SUBSYSTEM_ID));
    }
    json_builder_end_object(b);
}

static void add_region(JsonBuilder *b, int n, const PCIIORegion *r)
{
    bool io = r->type & PCI_BASE_ADDRESS_SPACE_IO;

    json_builder_begin_object(b);
    qmp_add_int(b, "bar", n);
    qmp_add_string(b, "type", io ? "io" : "memory");
    qmp_add_int(b, "address", r->addr == PCI_BAR_UNMAPPED ? -1 : (int64_t)r->addr);
    qmp_add_int(b, "size", (int64_t)r->size);
    if (!io) {
        add_bool(b, "prefetch", r->type & PCI_BASE_ADDRESS_MEM_PREFETCH);
        add_bool(b, "mem_type_64", r->type & PCI_BASE_ADDRESS_MEM_TYPE_64);
    }
    json_builder_end_object(b);
}

static void add_device(JsonBuilder *b, PCIBus *bus, PCIDevice *dev)
{
    json_builder_begin_object(b);
    qmp_add_int(b, "bus", pci_bus_num(bus));
    qmp_add_int(b, "slot", PCI_DEVFN_SLOT(dev->devfn));
    qmp_add_int(b, "function", PCI_DEVFN_FUNC(dev->devfn));
    add_class(b, pci_get_word(dev->config + PCI_CLASS_DEVICE));
    add_id(b, dev);
    qmp_add_int(b, "irq_pin", dev->config[PCI_INTERRUPT_PIN]);
    if (dev->config[PCI_INTERRUPT_PIN]) {
        qmp_add_int(b, "irq", dev->config[PCI_INTERRUPT_LINE]);
    }
    qmp_add_string(b, "qdev_id", dev->parent_obj.id ? dev->parent_obj.id : "");
    json_builder_set_member_name(b, "regions");
    json_builder_begin_array(b);
    for (int n = 0; n < PCI_NUM_REGIONS; n++) {
        if (dev->io_regions[n].size) {
            add_region(b, n, &dev->io_regions[n]);
        }
    }
    json_builder_end_array(b);
    if (object_dynamic_cast(OBJECT(dev), TYPE_PCI_BRIDGE)) {
        add_bridge(b, dev);
    }
    json_builder_end_object(b);
}

static void add_root(PCIBus *root, void *opaque)
{
    json_builder_begin_object(opaque);
    qmp_add_int(opaque, "bus", pci_bus_num(root));
    add_devices(opaque, root);
    json_builder_end_object(opaque);
}

static JsonNode *query_pci(Monitor *monitor, JsonObject *args, GError **error)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_array(b);
    pci_for_each_root(monitor->machine, add_root, b);
    json_builder_end_array(b);
    return qmp_finish(b);
}

const QMPCommand qmp_pci_commands[] = {
    {"query-pci", "",   query_pci},
    {NULL,        NULL, NULL     },
};
