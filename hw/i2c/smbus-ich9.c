/* SPDX-License-Identifier: MIT
 *
 * SMBus controller of the Intel ICH9, D31:F3 (data sheet 316972, 19.1).
 *
 *   20  SMB_BASE: the host's ports
 *   40  HOSTC: 2 I2C_EN  1 SMB_SMI_EN  0 HST_EN   (19.1.15)
 */
#include "hw/i2c/pm-smbus.h"
#include "hw/i2c/smbus-ich9.h"
#include "hw/pci/pci-internal.h"

#define ICH9_SMB(obj) OBJECT_CHECK(ICH9SMBState, (obj), TYPE_ICH9_SMB_DEVICE)
#define SMB_BAR       4
#define SMB_HOSTC     0x40
#define HOSTC_HST_EN  0x01

typedef struct ICH9SMBState {
    PCIDevice parent_obj;
    PMSMBus smbus;
} ICH9SMBState;

static void ich9_smb_update(ICH9SMBState *s)
{
    memory_region_set_enabled(&s->smbus.mr, s->parent_obj.config[SMB_HOSTC] & HOSTC_HST_EN);
}

static void ich9_smb_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    pci_default_write_config(dev, addr, value, len);
    if (pci_range_covers(addr, len, SMB_HOSTC, 1)) {
        ich9_smb_update(ICH9_SMB(dev));
    }
}

static void ich9_smb_interrupt(void *opaque, bool level)
{
    pci_set_irq(opaque, level);
}

static void ich9_smb_reset(PCIDevice *dev)
{
    ICH9SMBState *s = ICH9_SMB(dev);

    dev->config[SMB_HOSTC] = 0;
    pm_smbus_reset(&s->smbus);
    ich9_smb_update(s);
}

static void ich9_smb_reset_hold(PCIDevice *dev)
{
    pci_set_irq(dev, 0);
}

static void ich9_smb_setup(PCIDevice *dev)
{
    dev->config[SMB_HOSTC] = HOSTC_HST_EN;
    ich9_smb_update(ICH9_SMB(dev));
}

static bool ich9_smb_realize(PCIDevice *dev, GError **error)
{
    ICH9SMBState *s = ICH9_SMB(dev);

    dev->config[PCI_INTERRUPT_PIN] = 1;
    dev->wmask[SMB_HOSTC] = 0x07;
    s->smbus.interrupt = ich9_smb_interrupt;
    s->smbus.opaque = dev;
    pm_smbus_init(&s->smbus, &dev->parent_obj, true);
    pci_register_bar(dev, SMB_BAR, PCI_BASE_ADDRESS_SPACE_IO, &s->smbus.mr);
    ich9_smb_reset(dev);
    return true;
}

static const StateField ich9_smb_state[] = {
    PCI_STATE_FIELDS(ICH9SMBState),
    PM_SMBUS_STATE_FIELDS(ICH9SMBState, smbus),
    STATE_END,
};

static void ich9_smb_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = ich9_smb_realize;
    pc->reset = ich9_smb_reset;
    pc->reset_hold = ich9_smb_reset_hold;
    pc->setup = ich9_smb_setup;
    pc->config_write = ich9_smb_write_config;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = PCI_DEVICE_ID_INTEL_ICH9_SMBUS;
    pc->revision = 2;
    pc->class_id = PCI_CLASS_SERIAL_SMBUS;
    dc->user_creatable = false;
    dc->hotpluggable = false;
    dc->category = DEVICE_CATEGORY_BRIDGE;
    dc->state = ich9_smb_state;
}

static const TypeInfo ich9_smb_types[] = {
    {
     .name = TYPE_ICH9_SMB_DEVICE,
     .parent = TYPE_PCI_DEVICE,
     .instance_size = sizeof(ICH9SMBState),
     .class_init = ich9_smb_class_init,
     .doc = "ICH9 SMBus controller",
     },
};

DEFINE_TYPES(ich9_smb_types)

I2CBus *ich9_smb_create(PCIBus *bus, int devfn, GError **error)
{
    PCIDevice *dev = pci_create_multifunction(bus, devfn, true, TYPE_ICH9_SMB_DEVICE, error);

    return dev ? ICH9_SMB(dev)->smbus.bus : NULL;
}
