/* SPDX-License-Identifier: MIT
 *
 * A slot of PCI Express with native hot-plug.  PCI Express Base Specification 4.0, 6.7.
 *
 *   14 capabilities   18 control: 0 button, 3 presence, 4 command completed, 5 interrupt enables,
 *      7-6 attention, 9-8 power indicator, 10 power off, 11 interlock
 *   1a status: 0 button pressed, 3 presence changed, 4 command completed (RW1C); 6 presence,
 *      7 interlock engaged
 *
 * A device that is added appears in a slot whose power is off; the guest is told by presence and
 * the button, and turns it on.  To remove one the button is pressed; the device goes when the guest
 * has turned power and power indicator off, or at the next reset.
 */
#include "hw/pci-bridge/pcie-slot.h"
#include "hw/core/hotplug.h"
#include "hw/core/machine.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci-internal.h"
#include "system/log.h"

#define SLOT_EVENTS                                                                                \
    (PCI_EXP_SLTSTA_ABP | PCI_EXP_SLTSTA_PFD | PCI_EXP_SLTSTA_MRLSC | PCI_EXP_SLTSTA_PDC |         \
     PCI_EXP_SLTSTA_CC)
#define SLOT_CONTROL                                                                               \
    (PCI_EXP_SLTCTL_ABPE | PCI_EXP_SLTCTL_PDCE | PCI_EXP_SLTCTL_CCIE | PCI_EXP_SLTCTL_HPIE |       \
     PCI_EXP_SLTCTL_AIC | PCI_EXP_SLTCTL_PIC)
#define SLOT_POWER_MASK  (PCI_EXP_SLTCTL_PIC | PCI_EXP_SLTCTL_PCC)
#define UNPLUG_PATIENCE  (5 * G_GINT64_CONSTANT(1000000000)) /* ns until the button works again */
#define SLOT_NUMBER_BITS 13

static uint16_t slot_control(PCIDevice *dev)
{
    return pci_get_word(pcie_reg(dev, PCI_EXP_SLTCTL));
}

static uint16_t slot_status(PCIDevice *dev)
{
    return pci_get_word(pcie_reg(dev, PCI_EXP_SLTSTA));
}

static void slot_set_control(PCIDevice *dev, uint16_t mask, uint16_t value)
{
    pci_set_word(pcie_reg(dev, PCI_EXP_SLTCTL),
                 (uint16_t)((slot_control(dev) & ~mask) | (value & mask)));
}

static void slot_set_status(PCIDevice *dev, uint16_t mask, uint16_t value)
{
    pci_set_word(pcie_reg(dev, PCI_EXP_SLTSTA),
                 (uint16_t)((slot_status(dev) & ~mask) | (value & mask)));
}

static bool slot_powered(PCIDevice *dev)
{
    return !PCIE_SLOT(dev)->power_controller || !(slot_control(dev) & PCI_EXP_SLTCTL_PCC);
}

/* ---- interrupt ------------------------------------------------------------------------------ */

/* Each source is a level (6.7.3.4): the pin follows it, a message goes out when it rises. */
void pcie_slot_update_interrupt(PCIDevice *dev)
{
    PCIESlot *s = PCIE_SLOT(dev);
    uint16_t control = slot_control(dev), status = slot_status(dev);
    bool hotplug = (control & PCI_EXP_SLTCTL_HPIE) &&
                   (control & status &
                    (PCI_EXP_SLTSTA_ABP | PCI_EXP_SLTSTA_PFD | PCI_EXP_SLTSTA_MRLSC |
                     PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_CC));
    bool rose = hotplug && !s->hotplug_interrupt;

    s->hotplug_interrupt = hotplug;
    if (rose && msix_enabled(dev)) {
        msix_notify(dev, 0);
    } else if (rose && msi_enabled(dev)) {
        msi_notify(dev, 0);
    }
    pci_set_irq(dev, hotplug || dev->aer_interrupt);
}

static void slot_event(PCIDevice *dev, uint16_t events)
{
    slot_set_status(dev, events, events);
    pcie_slot_update_interrupt(dev);
}

/* ---- power and presence ---------------------------------------------------------------------- */

static void slot_update_power(PCIDevice *dev)
{
    PCIBus *bus = PCI_BRIDGE(dev)->sec_bus;

    for (int devfn = 0; devfn < PCI_DEVFN_MAX; devfn++) {
        if (bus->devices[devfn]) {
            pci_set_power(bus->devices[devfn], slot_powered(dev));
        }
    }
}

static bool slot_populated(PCIDevice *dev)
{
    return PCI_BRIDGE(dev)->sec_bus && PCI_BRIDGE(dev)->sec_bus->devices[0];
}

/* The link trains to what both ends can. */
static void slot_update_link(PCIDevice *dev)
{
    PCIDevice *child = PCI_BRIDGE(dev)->sec_bus->devices[0];
    uint32_t cap = pci_get_long(pcie_reg(dev, PCI_EXP_LNKCAP));
    uint32_t speed = cap & PCI_EXP_LNKCAP_SLS, width = cap & PCI_EXP_LNKCAP_MLW;
    bool active = child && (cap & PCI_EXP_LNKCAP_DLLLARC) && dev->lnksta_dllla;

    if (child && child->exp_cap) {
        uint32_t other = pci_get_long(pcie_reg(child, PCI_EXP_LNKCAP));

        speed = MIN(speed, other & PCI_EXP_LNKCAP_SLS);
        width = MIN(width, other & PCI_EXP_LNKCAP_MLW);
    }
    pci_set_word(pcie_reg(dev, PCI_EXP_LNKSTA),
                 (uint16_t)(speed | width | (active ? PCI_EXP_LNKSTA_DLLLA : 0)));
}

static void slot_set_power(PCIDevice *dev, bool on)
{
    slot_set_control(dev, SLOT_POWER_MASK,
                     on ? PCI_EXP_SLTCTL_PWR_IND_ON
                        : PCI_EXP_SLTCTL_PWR_IND_OFF |
                              (PCIE_SLOT(dev)->power_controller ? PCI_EXP_SLTCTL_PCC : 0));
    slot_update_power(dev);
}

static const HotplugOps pcie_slot_hotplug;

/* Only what the guest is told of by these registers waits for it to turn power on. */
static bool slot_waits_for_guest(PCIDevice *dev)
{
    PCIBus *bus = PCI_BRIDGE(dev)->sec_bus;

    return bus->parent_obj.hotplug == &pcie_slot_hotplug && bus->devices[0] &&
           bus->devices[0]->parent_obj.hotplugged;
}

void pcie_slot_bus_changed(PCIDevice *dev, bool came)
{
    bool populated = slot_populated(dev);

    slot_set_status(dev, PCI_EXP_SLTSTA_PDS, populated ? PCI_EXP_SLTSTA_PDS : 0);
    slot_update_link(dev);
    if (came && populated && !slot_waits_for_guest(dev)) {
        slot_set_power(dev, true);
    } else {
        slot_update_power(dev);
    }
}

/* ---- coming and going ----------------------------------------------------------------------- */

static bool slot_pre_plug(void *opaque, DeviceState *dev, GError **error)
{
    PCIDevice *port = opaque;

    if (dev->hotplugged && (slot_status(port) & PCI_EXP_SLTSTA_EIS)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "slot %d of chassis %d is electromechanically locked", PCIE_SLOT(port)->slot,
                    PCIE_SLOT(port)->chassis);
        return false;
    }
    return true;
}

/* Function 0 comes last: with it the guest can find all of them. */
static void slot_plug(void *opaque, DeviceState *dev)
{
    if (dev->hotplugged && PCI_DEVICE(dev)->devfn == 0) {
        device_lock(DEVICE(opaque));
        slot_event(opaque, PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_ABP);
        device_unlock(DEVICE(opaque));
    }
}

static bool slot_unplug_request(void *opaque, DeviceState *dev, GError **error)
{
    PCIDevice *port = opaque;

    if (!slot_populated(port)) { /* the guest has not seen any function of it */
        qdev_finish_unplug(dev);
        return true;
    }
    if ((slot_control(port) & PCI_EXP_SLTCTL_PIC) == PCI_EXP_SLTCTL_PWR_IND_BLINK) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "Hot-unplug failed: guest is busy (power indicator blinking)");
        return false;
    }
    dev->pending_deleted = true;
    dev->pending_deleted_until = device_clock_ns(dev, CLOCK_REALTIME_NS) + UNPLUG_PATIENCE;
    device_lock(DEVICE(opaque));
    slot_event(port, PCI_EXP_SLTSTA_ABP);
    device_unlock(DEVICE(opaque));
    return true;
}

static const HotplugOps pcie_slot_hotplug = {
    .pre_plug = slot_pre_plug,
    .plug = slot_plug,
    .unplug_request = slot_unplug_request,
};

/* All functions go, the first one last. */
static void slot_eject(PCIDevice *dev, void (*finish)(DeviceState *))
{
    PCIBus *bus = PCI_BRIDGE(dev)->sec_bus;

    for (int devfn = PCI_DEVFN_MAX - 1; devfn >= 0; devfn--) {
        if (bus->devices[devfn] && DEVICE_GET_CLASS(bus->devices[devfn])->hotpluggable) {
            finish(&bus->devices[devfn]->parent_obj);
        }
    }
}

static bool slot_eject_is_due(PCIDevice *dev)
{
    PCIBus *bus = PCI_BRIDGE(dev)->sec_bus;

    for (int devfn = 0; devfn < PCI_DEVFN_MAX; devfn++) {
        if (bus->devices[devfn] && bus->devices[devfn]->parent_obj.pending_deleted) {
            return bus->parent_obj.hotplug == &pcie_slot_hotplug;
        }
    }
    return false;
}

/* ---- registers ------------------------------------------------------------------------------ */

static bool slot_is_off(uint16_t control)
{
    return (control & PCI_EXP_SLTCTL_PCC) &&
           (control & PCI_EXP_SLTCTL_PIC) == PCI_EXP_SLTCTL_PWR_IND_OFF;
}

static void slot_control_written(PCIDevice *dev, uint16_t old, bool interlock)
{
    if (interlock) {
        slot_set_status(dev, PCI_EXP_SLTSTA_EIS, (uint16_t)~slot_status(dev));
    }
    slot_update_power(dev);
    if (PCIE_SLOT(dev)->hotplug && (slot_status(dev) & PCI_EXP_SLTSTA_PDS) &&
        slot_is_off(slot_control(dev)) && !slot_is_off(old)) {
        slot_eject(dev, qdev_finish_unplug_later);
        slot_set_status(dev, PCI_EXP_SLTSTA_PDS | PCI_EXP_SLTSTA_PDC, PCI_EXP_SLTSTA_PDC);
    }
    slot_set_status(dev, PCI_EXP_SLTSTA_CC, PCI_EXP_SLTSTA_CC); /* every command at once */
}

/* The byte of a write to `reg`, if it covers that byte. */
static unsigned written_byte(uint32_t addr, uint32_t value, unsigned len, uint32_t reg)
{
    return pci_range_covers(addr, len, reg, 1) ? value >> 8 * (reg - addr) & 0xff : 0;
}

void pcie_slot_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    uint32_t control = dev->exp_cap + PCI_EXP_SLTCTL;
    uint16_t old = slot_control(dev);

    pci_bridge_write_config(dev, addr, value, len);
    if (pci_range_covers(addr, len, control, 2)) {
        bool interlock = written_byte(addr, value, len, control + 1) & (PCI_EXP_SLTCTL_EIC >> 8);

        slot_control_written(dev, old, interlock);
    }
    if (pci_range_covers(addr, len, control, 4)) {
        pcie_slot_update_interrupt(dev);
    }
}

void pcie_slot_reset(PCIDevice *dev)
{
    pci_bridge_reset(dev);
    if (!dev->exp_cap || !PCI_BRIDGE(dev)->sec_bus) {
        return;
    }
    pci_set_word(pcie_reg(dev, PCI_EXP_SLTCTL), PCI_EXP_SLTCTL_ATTN_IND_OFF);
    slot_set_status(dev, SLOT_EVENTS | PCI_EXP_SLTSTA_EIS, 0);
    slot_set_power(dev, slot_populated(dev));
    slot_update_link(dev);
    PCIE_SLOT(dev)->hotplug_interrupt = false;
}

static void pcie_slot_reset_exit(DeviceState *qdev)
{
    PCIDevice *dev = PCI_DEVICE(qdev);

    if (slot_eject_is_due(dev)) {
        slot_eject(dev, qdev_finish_unplug);
        slot_set_power(dev, false);
    }
}

/* ---- life ----------------------------------------------------------------------------------- */

typedef struct SlotSearch {
    PCIESlot *slot, *other;
} SlotSearch;

static bool slot_compare(Object *child, const char *name, void *opaque)
{
    SlotSearch *search = opaque;
    PCIESlot *other = (PCIESlot *)object_dynamic_cast(child, TYPE_PCIE_SLOT);

    if (other && other != search->slot && qdev_is_realized(DEVICE(other)) &&
        other->chassis == search->slot->chassis && other->slot == search->slot->slot) {
        search->other = other;
    }
    return search->other;
}

static bool slot_check_chassis(PCIESlot *s, GError **error)
{
    SlotSearch search = {s, NULL};

    object_child_foreach_recursive(object_get_root(OBJECT(s)), slot_compare, &search);
    if (search.other) {
        g_autofree char *name = qdev_get_display_name(DEVICE(search.other));

        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "Can't add chassis slot, error -16: chassis=%d,slot=%d is that of '%s'",
                    s->chassis, s->slot, name);
    }
    return !search.other;
}

static uint32_t slot_capabilities(const PCIESlot *s)
{
    uint32_t cap = PCI_EXP_SLTCAP_ABP | PCI_EXP_SLTCAP_AIP | PCI_EXP_SLTCAP_PIP |
                   PCI_EXP_SLTCAP_EIP | (uint32_t)s->slot << 19;

    if (s->power_controller) {
        cap |= PCI_EXP_SLTCAP_PCP;
    }
    if (s->hotplug) {
        cap |= PCI_EXP_SLTCAP_HPS | (s->native_hotplug ? PCI_EXP_SLTCAP_HPC : 0);
    }
    return cap;
}

bool pcie_slot_init(PCIDevice *dev, GError **error)
{
    PCIESlot *s = PCIE_SLOT(dev);
    BusState *bus = &PCI_BRIDGE(dev)->sec_bus->parent_obj;

    if (s->slot >> SLOT_NUMBER_BITS) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE, "slot=%d: at most %d", s->slot,
                    (1 << SLOT_NUMBER_BITS) - 1);
        return false;
    }
    if (!slot_check_chassis(s, error)) {
        return false;
    }
    pci_set_word(pcie_reg(dev, PCI_EXP_FLAGS),
                 pci_get_word(pcie_reg(dev, PCI_EXP_FLAGS)) | PCI_EXP_FLAGS_SLOT);
    pci_set_long(pcie_reg(dev, PCI_EXP_SLTCAP), slot_capabilities(s));
    pci_set_word(pcie_wmask(dev, PCI_EXP_SLTCTL),
                 SLOT_CONTROL | (s->power_controller ? PCI_EXP_SLTCTL_PCC : 0));
    pci_set_word(pcie_w1cmask(dev, PCI_EXP_SLTSTA), SLOT_EVENTS);
    if (s->hotplug) {
        qbus_set_hotplug(bus, &pcie_slot_hotplug, dev);
    }
    pcie_slot_reset(dev);
    return true;
}

static const Property pcie_port_properties[] = {
    DEFINE_PROP_UINT8("port", PCIEPort, port, 0, "port number in the link capabilities"),
    DEFINE_PROP_UINT16("aer_log_max", PCIEPort, aer_log_max, 8,
                       "errors whose headers are kept; one is"),
    DEFINE_PROP_END,
};

static const Property pcie_slot_properties[] = {
    DEFINE_PROP_UINT8("chassis", PCIESlot, chassis, 0,
                      "number of the chassis; with slot= it names one slot of the machine"),
    DEFINE_PROP_UINT16("slot", PCIESlot, slot, 0, "number of the slot in its chassis"),
    DEFINE_PROP_BOOL("hotplug", PCIESlot, hotplug, true, "devices can come and go at run time"),
    DEFINE_PROP_BOOL("x-native-hotplug", PCIESlot, native_hotplug, true,
                     "say so in the slot capabilities"),
    DEFINE_PROP_BOOL("power_controller_present", PCIESlot, power_controller, true,
                     "the slot's power can be turned off"),
    DEFINE_PROP_BOOL("disable-acs", PCIESlot, disable_acs, false,
                     "leave the access control services capability out"),
    DEFINE_PROP_END,
};

static void pcie_port_class_init(ObjectClass *klass, const void *data)
{
    PCI_DEVICE_CLASS(klass)->is_express = true;
}

static void pcie_slot_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->config_write = pcie_slot_write_config;
    pc->reset = pcie_slot_reset;
    pc->bus_changed = pcie_slot_bus_changed;
    pc->express_interrupt = pcie_slot_update_interrupt;
    DEVICE_CLASS(klass)->reset_exit = pcie_slot_reset_exit;
}

static const TypeInfo pcie_slot_types[] = {
    {
     .name = TYPE_PCIE_PORT,
     .parent = TYPE_PCI_BRIDGE,
     .instance_size = sizeof(PCIEPort),
     .abstract = true,
     .class_init = pcie_port_class_init,
     .properties = pcie_port_properties,
     .doc = "A port of PCI Express",
     },
    {
     .name = TYPE_PCIE_SLOT,
     .parent = TYPE_PCIE_PORT,
     .instance_size = sizeof(PCIESlot),
     .abstract = true,
     .class_init = pcie_slot_class_init,
     .properties = pcie_slot_properties,
     .doc = "A port of PCI Express with a slot",
     },
};

DEFINE_TYPES(pcie_slot_types)
