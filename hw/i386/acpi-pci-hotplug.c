/* SPDX-License-Identifier: MIT
 *
 * The DSDT's part of PCI hot-plug.  ACPI Specification 6.5: 6.3.3 (_EJ0), 5.6.6 (Notify values);
 * registers: hw/acpi/pci-hotplug.c.
 *
 *   \_SB.PCI0   PCEJ(bus, slot) ejects; BLCK guards the selector
 *     S<devfn>  one per slot, or bridge: _ADR, _SUN, _EJ0
 *     DVNT(slots, event), PCNT() notify the slots of this bus and of those below
 *   \_GPE._E01  starts it
 */
#include "hw/acpi/aml.h"
#include "hw/acpi/pci-hotplug.h"
#include "hw/i386/acpi-build.h"

#define DEVICE_CHECK  1u
#define EJECT_REQUEST 3u

#define STA_PRESENT_ENABLED 0x0bu

static void put_region(Aml *a, const char *name, uint16_t base, unsigned size)
{
    aml_operation_region(a, name, AML_SYSTEM_IO, base, size);
    aml_field(a, name, AML_ACC_DWORD, AML_ONES);
}

static void put_registers(Aml *a, uint16_t base)
{
    put_region(a, "PCST", base, 8);
    aml_field_unit(a, "PCIU", 32);
    aml_field_unit(a, "PCID", 32);
    aml_end(a);
    put_region(a, "SEJ", (uint16_t)(base + 0x08), 4);
    aml_field_unit(a, "B0EJ", 32);
    aml_end(a);
    put_region(a, "BNMR", (uint16_t)(base + 0x10), 4);
    aml_field_unit(a, "BNUM", 32);
    aml_end(a);
    aml_mutex(a, "BLCK");
}

/* The ports are taken. */
static void put_resources(Aml *a, uint16_t base)
{
    aml_device(a, "PHPR");
    aml_name(a, "_HID");
    aml_eisaid(a, "PNP0A06");
    aml_name(a, "_UID");
    aml_string(a, "PCI Hotplug resources");
    aml_name(a, "_STA");
    aml_int(a, STA_PRESENT_ENABLED);
    aml_name(a, "_CRS");
    aml_resources(a);
    aml_res_io(a, base, 1, ACPI_PCI_HOTPLUG_SIZE);
    aml_end(a);
    aml_end(a);
}

/* PCEJ(bus, slot) */
static void put_eject_method(Aml *a)
{
    aml_method(a, "PCEJ", 2, false);
    aml_acquire(a, "BLCK");
    aml_store(a);
    aml_arg(a, 0);
    aml_ref(a, "BNUM");
    aml_store(a);
    aml_shift_left(a);
    aml_int(a, 1);
    aml_arg(a, 1);
    aml_nothing(a);
    aml_ref(a, "B0EJ");
    aml_release(a, "BLCK");
    aml_return(a);
    aml_int(a, 0);
    aml_end(a);
}

static void slot_name(char name[5], int slot)
{
    g_snprintf(name, 5, "S%02X_", PCI_MAKE_DEVFN(slot, 0) & 0xff);
}

static PCIBus *bridge_bus(const PCIDevice *dev)
{
    for (GSList *l = dev ? dev->parent_obj.child_buses : NULL; l; l = l->next) {
        if (object_dynamic_cast(l->data, TYPE_PCI_BUS)) {
            return l->data;
        }
    }
    return NULL;
}

static void put_bus(Aml *a, const ACPIPCIHotplug *hp, PCIBus *bus);

/* A slot that can be filled and emptied, or a bridge that stays and has such slots below it. */
static void put_slot(Aml *a, const ACPIPCIHotplug *hp, PCIBus *bus, int slot, bool removable)
{
    PCIDevice *dev = bus->devices[PCI_MAKE_DEVFN(slot, 0)];
    PCIBus *below = dev && !dev->parent_obj.hotplugged ? bridge_bus(dev) : NULL;
    char name[5];

    if (!removable && !below) {
        return;
    }
    slot_name(name, slot);
    aml_device(a, name);
    aml_name(a, "_ADR");
    aml_int(a, (uint64_t)slot << 16);
    if (removable) {
        aml_name(a, "_SUN");
        aml_int(a, (uint64_t)slot);
        aml_method(a, "_EJ0", 1, false);
        aml_call(a, "PCEJ");
        aml_ref(a, "BSEL");
        aml_ref(a, "_SUN");
        aml_end(a);
    }
    if (below) {
        put_bus(a, hp, below);
    }
    aml_end(a);
}

static void put_notify_method(Aml *a, uint32_t slots)
{
    aml_method(a, "DVNT", 2, false);
    for (int slot = 0; slot < PCI_SLOT_MAX; slot++) {
        char name[5];

        if (!(slots >> slot & 1)) {
            continue;
        }
        slot_name(name, slot);
        aml_if(a);
        aml_and(a);
        aml_arg(a, 0);
        aml_int(a, 1u << slot);
        aml_nothing(a);
        aml_notify(a);
        aml_ref(a, name);
        aml_arg(a, 1);
        aml_end(a);
    }
    aml_end(a);
}

static void put_notify_call(Aml *a, const char *slots, unsigned event)
{
    aml_call(a, "DVNT");
    aml_ref(a, slots);
    aml_int(a, event);
}

static void put_scan_method(Aml *a, PCIBus *bus, int number)
{
    aml_method(a, "PCNT", 0, false);
    if (number >= 0) {
        aml_store(a);
        aml_int(a, (uint64_t)number);
        aml_ref(a, "BNUM");
        put_notify_call(a, "PCIU", DEVICE_CHECK);
        put_notify_call(a, "PCID", EJECT_REQUEST);
    }
    for (int slot = 0; slot < PCI_SLOT_MAX; slot++) {
        PCIDevice *dev = bus->devices[PCI_MAKE_DEVFN(slot, 0)];

        if (dev && !dev->parent_obj.hotplugged && bridge_bus(dev)) {
            char name[5];

            slot_name(name, slot);
            g_autofree char *path = g_strdup_printf("^%s.PCNT", name);
            aml_call(a, path);
        }
    }
    aml_end(a);
}

/* Slots of a PCI Express link: its one device. */
static uint32_t slots_of(const PCIBus *bus)
{
    uint32_t slots = acpi_pci_hotplug_removable(bus);

    return pci_bus_is_express(bus) && !pci_bus_is_root(bus) ? slots & 1 : slots;
}

static void put_bus(Aml *a, const ACPIPCIHotplug *hp, PCIBus *bus)
{
    int number = acpi_pci_hotplug_bus_number(hp, bus);
    uint32_t slots = number >= 0 ? slots_of(bus) : 0;

    if (number >= 0) {
        aml_name(a, "BSEL");
        aml_int(a, (uint64_t)number);
    }
    for (int slot = 0; slot < PCI_SLOT_MAX; slot++) {
        put_slot(a, hp, bus, slot, slots >> slot & 1);
    }
    if (number >= 0) {
        put_notify_method(a, slots);
    }
    put_scan_method(a, bus, number);
}

void acpi_dsdt_put_pci_hotplug(Aml *a, const AcpiPcConfig *config)
{
    const ACPIPCIHotplug *hp = config->pci_hotplug;

    if (!hp || !hp->nr_buses) {
        return;
    }
    aml_scope(a, "\\_SB.PCI0");
    put_resources(a, hp->base);
    put_registers(a, hp->base);
    put_eject_method(a);
    put_bus(a, hp, hp->root);
    aml_end(a);
    aml_scope(a, "\\_GPE");
    aml_method(a, "_E01", 0, false);
    aml_acquire(a, "\\_SB.PCI0.BLCK");
    aml_call(a, "\\_SB.PCI0.PCNT");
    aml_release(a, "\\_SB.PCI0.BLCK");
    aml_end(a);
    aml_end(a);
}
