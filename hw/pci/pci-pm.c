/* SPDX-License-Identifier: MIT
 *
 * Power management: capability 01h.  PCI Bus Power Management Interface 1.2, 3.2 and 5.4.
 *
 *   +2 capabilities   +4 control and status: 1-0 state
 */
#include "hw/pci/pci-internal.h"
#include "system/log.h"

#define PM_SIZE  8
#define PM_D0    0u
#define PM_D3HOT 3u

static unsigned pci_pm_state(const PCIDevice *dev)
{
    return dev->pm_cap ? dev->config[dev->pm_cap + PCI_PM_CTRL] & PCI_PM_CTRL_STATE_MASK : PM_D0;
}

bool pci_in_d3hot(const PCIDevice *dev)
{
    return pci_pm_state(dev) == PM_D3HOT;
}

bool pci_pm_init(PCIDevice *dev, uint8_t offset, bool no_soft_reset, GError **error)
{
    offset = pci_add_capability(dev, PCI_CAP_ID_PM, offset, PM_SIZE, error);
    if (!offset) {
        return false;
    }
    dev->pm_cap = offset;
    pci_set_word(dev->config + offset + PCI_PM_PMC, 3);
    pci_set_word(dev->config + offset + PCI_PM_CTRL, no_soft_reset ? PCI_PM_CTRL_NO_SOFT_RESET : 0);
    pci_set_word(dev->wmask + offset + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);
    return true;
}

void pci_set_power(PCIDevice *dev, bool on)
{
    if (dev->powered_off == !on) {
        return;
    }
    device_lock(&dev->parent_obj);
    dev->powered_off = !on;
    if (on) {
        resettable_reset(OBJECT(dev), RESET_COLD);
    } else {
        pci_update_mappings(dev);
        pci_irq_update(dev);
    }
    device_unlock(&dev->parent_obj);
}

void pci_pm_reset(PCIDevice *dev)
{
    if (dev->pm_cap) {
        dev->config[dev->pm_cap + PCI_PM_CTRL] &= (uint8_t)~PCI_PM_CTRL_STATE_MASK;
    }
}

/* Only D0 and D3hot are there; a write of another state is taken and has no effect (3.2.4). */
void pci_pm_write_config(PCIDevice *dev, unsigned old_state, uint32_t addr, unsigned len)
{
    unsigned state = pci_pm_state(dev);
    uint8_t *control = dev->config + dev->pm_cap + PCI_PM_CTRL;

    if (!dev->pm_cap || !pci_range_covers(addr, len, dev->pm_cap + PCI_PM_CTRL, 1) ||
        state == old_state) {
        return;
    }
    if (state != PM_D0 && state != PM_D3HOT) {
        *control = (uint8_t)((*control & ~PCI_PM_CTRL_STATE_MASK) | old_state);
        return;
    }
    log_if(LOG_PCI, "pci: %s is in D%u\n", object_get_typename(OBJECT(dev)), state);
    if (state == PM_D0 && !(*control & PCI_PM_CTRL_NO_SOFT_RESET)) {
        resettable_reset(OBJECT(dev), RESET_BUS);
    } else {
        pci_update_mappings(dev);
        pci_irq_update(dev);
    }
}
