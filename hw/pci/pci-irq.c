/* SPDX-License-Identifier: MIT
 *
 * INTx: a device's pin through the bridges above it to a wire of the root bus.
 * PCI Local Bus Specification 3.0, 2.2.6, 6.2.2 (bit 10), 6.2.3 (bit 3).
 */
#include "hw/core/machine.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci-internal.h"
#include "system/log.h"

int pci_swizzle(int slot, int pin)
{
    return (slot + pin) % PCI_NUM_PINS;
}

/* Through the bridges above; *ret_bus is the one that has wires. */
static int pci_trace_pin(PCIDevice *dev, int pin, PCIBus **ret_bus)
{
    PCIBus *bus = pci_get_bus(dev);
    int wire = pin;

    for (;;) {
        wire =
            bus->map_irq ? bus->map_irq(dev, wire) : pci_swizzle(PCI_DEVFN_SLOT(dev->devfn), wire);
        if (!bus->parent_dev || bus->set_irq) {
            break;
        }
        dev = bus->parent_dev;
        bus = pci_get_bus(dev);
    }
    *ret_bus = bus;
    return bus->set_irq && wire >= 0 && wire < bus->nirq ? wire : -1;
}

int pci_route_pin(PCIDevice *dev, int pin)
{
    PCIBus *bus;

    return pci_trace_pin(dev, pin, &bus);
}

/* Under the irq lock. */
static void pci_drive_wire(PCIDevice *dev, int pin, int level)
{
    PCIBus *bus;
    int wire = pci_trace_pin(dev, pin, &bus);

    if (wire >= 0) {
        bus->irq_count[wire] += level ? 1u : -1u;
        bus->set_irq(bus->irq_opaque, wire, bus->irq_count[wire] != 0);
    }
}

/* Not while messages are enabled (6.8.3.3). */
static bool pci_may_assert_intx(const PCIDevice *dev)
{
    return !(pci_get_word(dev->config + PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE) &&
           !msi_enabled(dev) && !msix_enabled(dev) && !dev->powered_off && !pci_in_d3hot(dev);
}

void pci_irq_update(PCIDevice *dev)
{
    int pin = dev->config[PCI_INTERRUPT_PIN] - 1;
    bool level;

    if (pin < 0 || pin >= PCI_NUM_PINS || !dev->machine) {
        return;
    }
    machine_irq_lock(dev->machine);
    if (dev->irq_state) {
        dev->config[PCI_STATUS] |= PCI_STATUS_INTERRUPT;
    } else {
        dev->config[PCI_STATUS] &= (uint8_t)~PCI_STATUS_INTERRUPT;
    }
    level = dev->irq_state && pci_may_assert_intx(dev);
    if (level != dev->irq_driven) {
        log_if(LOG_PCI, "pci: %s INT%c# %s\n", object_get_typename(OBJECT(dev)), 'A' + pin,
               level ? "asserted" : "released");
        dev->irq_driven = level;
        pci_drive_wire(dev, pin, level);
    }
    machine_irq_unlock(dev->machine);
}

void pci_set_irq(PCIDevice *dev, int level)
{
    if (!dev->machine) {
        return;
    }
    machine_irq_lock(dev->machine);
    dev->irq_state = level != 0;
    pci_irq_update(dev);
    machine_irq_unlock(dev->machine);
}

bool pci_bus_get_irq_level(PCIBus *bus, int wire)
{
    return wire >= 0 && wire < bus->nirq && bus->irq_count[wire] != 0;
}

static void pci_irq_handler(void *opaque, int n, int level)
{
    pci_set_irq(opaque, level);
}

static void pci_irq_release(void *opaque)
{
    irq_unref(opaque);
}

IRQ pci_allocate_irq(PCIDevice *dev)
{
    IRQ irq = irq_new(pci_irq_handler, dev, 0);

    qdev_on_unrealize(&dev->parent_obj, pci_irq_release, irq);
    return irq;
}
