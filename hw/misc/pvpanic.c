/* SPDX-License-Identifier: MIT
 *
 * The register, and its two wrappings: an ISA port and a PCI function.
 */
#include "hw/misc/pvpanic.h"
#include "hw/acpi/acpi-dev-aml.h"
#include "hw/isa/isa.h"
#include "hw/nvram/fw_cfg.h"
#include "hw/pci/pci.h"
#include "system/log.h"

#define PVPANIC_PORT 0x505

static uint64_t pvpanic_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((PVPanic *)opaque)->events;
}

static void pvpanic_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    PVPanic *s = opaque;

    if (value & ~(uint64_t)PVPANIC_EVENTS) {
        log_guest_error("pvpanic: unknown event %#x\n", (unsigned)value);
    }
    if (value & s->events & PVPANIC_PANICKED) {
        system_guest_panicked(s->machine);
    } else if (value & s->events & PVPANIC_CRASH_LOADED) {
        system_guest_crashloaded(s->machine);
    }
}

static const MemoryRegionOps pvpanic_ops = {
    .read = pvpanic_read,
    .write = pvpanic_write,
    .impl = {1, 1},
};

void pvpanic_init(PVPanic *s, DeviceState *dev, uint64_t size)
{
    s->machine = qdev_get_machine(dev);
    memory_region_init_io(&s->region, OBJECT(dev), &pvpanic_ops, s, "pvpanic", size);
}

/* ---- ISA ------------------------------------------------------------------------------------ */

OBJECT_DECLARE_SIMPLE(PVPanicISA, PVPANIC_ISA, TYPE_PVPANIC_ISA)

struct PVPanicISA {
    ISADevice parent_obj;
    PVPanic pvpanic;
    uint16_t ioport;
};

/* Firmware and kernels learn the port from fw_cfg, or from ACPI. */
static bool pvpanic_isa_realize(DeviceState *dev, GError **error)
{
    PVPanicISA *s = PVPANIC_ISA(dev);
    uint16_t port = GUINT16_TO_LE(s->ioport);

    pvpanic_init(&s->pvpanic, dev, 1);
    isa_register_ioport(&s->parent_obj, &s->pvpanic.region, s->ioport);
    if (s->pvpanic.machine->fw_cfg) {
        g_autoptr(GBytes) file = g_bytes_new(&port, sizeof(port));

        return fw_cfg_add_file(s->pvpanic.machine->fw_cfg, "etc/pvpanic-port", file, error);
    }
    return true;
}

static void pvpanic_isa_build_aml(Object *obj, Aml *a)
{
    const PVPanicISA *s = PVPANIC_ISA(obj);

    aml_device(a, "PEVT");
    aml_name(a, "_HID");
    aml_string(a, "QEMU0001");
    aml_name(a, "_STA");
    aml_int(a, 0xf);
    aml_operation_region(a, "PEOR", AML_SYSTEM_IO, s->ioport, 1);
    aml_field(a, "PEOR", AML_ACC_BYTE, AML_PRESERVE);
    aml_field_unit(a, "PEPT", 8);
    aml_end(a);
    aml_method(a, "RDPT", 0, false);
    aml_return(a);
    aml_ref(a, "PEPT");
    aml_end(a);
    aml_method(a, "WRPT", 1, false);
    aml_store(a);
    aml_arg(a, 0);
    aml_ref(a, "PEPT");
    aml_end(a);
    aml_name(a, "_CRS");
    aml_resources(a);
    aml_res_io(a, s->ioport, 1, 1);
    aml_end(a);
    aml_end(a);
}

static const Property pvpanic_isa_properties[] = {
    DEFINE_PROP_UINT16("ioport", PVPanicISA, ioport, PVPANIC_PORT, "its port"),
    DEFINE_PROP_UINT8("events", PVPanicISA, pvpanic.events, PVPANIC_EVENTS,
                      "what it takes: 1 a panic, 2 a crash kernel that starts",
                      .max = PVPANIC_EVENTS),
    DEFINE_PROP_END,
};

static void pvpanic_isa_class_init(ObjectClass *klass, const void *data)
{
    DEVICE_CLASS(klass)->realize = pvpanic_isa_realize;
    DEVICE_CLASS(klass)->category = DEVICE_CATEGORY_MISC;
    DEVICE_CLASS(klass)->hotpluggable = false;
    acpi_dev_aml_class_of(klass)->build_dev_aml = pvpanic_isa_build_aml;
}

/* ---- PCI ------------------------------------------------------------------------------------ */

OBJECT_DECLARE_SIMPLE(PVPanicPCI, PVPANIC_PCI, TYPE_PVPANIC_PCI)

struct PVPanicPCI {
    PCIDevice parent_obj;
    PVPanic pvpanic;
};

static bool pvpanic_pci_realize(PCIDevice *dev, GError **error)
{
    PVPanicPCI *s = PVPANIC_PCI(dev);

    pvpanic_init(&s->pvpanic, DEVICE(dev), 16);
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->pvpanic.region);
    return true;
}

static const Property pvpanic_pci_properties[] = {
    DEFINE_PROP_UINT8("events", PVPanicPCI, pvpanic.events, PVPANIC_EVENTS,
                      "what it takes: 1 a panic, 2 a crash kernel that starts",
                      .max = PVPANIC_EVENTS),
    DEFINE_PROP_END,
};

static const StateField pvpanic_pci_state[] = {PCI_STATE_FIELDS(PVPanicPCI), STATE_END};

static void pvpanic_pci_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = pvpanic_pci_realize;
    pc->vendor_id = PCI_VENDOR_ID_REDHAT;
    pc->device_id = PCI_DEVICE_ID_REDHAT_PVPANIC;
    pc->revision = 1;
    pc->class_id = PCI_CLASS_SYSTEM_OTHER;
    DEVICE_CLASS(klass)->category = DEVICE_CATEGORY_MISC;
    DEVICE_CLASS(klass)->state = pvpanic_pci_state;
}

static const TypeInfo pvpanic_types[] = {
    {.name = TYPE_PVPANIC_ISA,
     .parent = TYPE_ISA_DEVICE,
     .instance_size = sizeof(PVPanicISA),
     .class_init = pvpanic_isa_class_init,
     .properties = pvpanic_isa_properties,
     .interfaces = (const InterfaceInfo[]){{TYPE_ACPI_DEV_AML}, {NULL}},
     .doc = "a port by which a guest says that it panicked"},
    {.name = TYPE_PVPANIC_PCI,
     .parent = TYPE_PCI_DEVICE,
     .instance_size = sizeof(PVPanicPCI),
     .class_init = pvpanic_pci_class_init,
     .properties = pvpanic_pci_properties,
     .doc = "the same as a PCI function"                   },
};
DEFINE_TYPES(pvpanic_types)
