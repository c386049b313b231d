/* SPDX-License-Identifier: MIT
 *
 * Power management of the Intel 82371AB (PIIX4), function 3 (data sheet 290562, 7).
 *
 *   40      PMBA: base of the power management ports      (7.1.9)
 *   5b      DEVACTB[31:24]: 1 APMC_EN, SMI on writes to b2 (7.1.14)
 *   80      PMREGMISC: 0 PMBA is decoded                  (7.1.22)
 *   90      SMBBA   d2 SMBHSTCFG: 0 it is decoded         (7.1.25, 7.1.26)
 *   PMBA    +0 PM1 event  +4 PM1 control  +8 PM timer
 *   afe0    GPE0: where the machine's ACPI tables say
 *   b2, b3  APMC, APMS                                    (7.2.1)
 */
#include <string.h>
#include "hw/acpi/pci-hotplug.h"
#include "hw/acpi/piix4-pm.h"
#include "hw/acpi/acpi-pm.h"
#include "hw/core/machine.h"
#include "hw/i2c/pm-smbus.h"
#include "hw/isa/apm.h"
#include "hw/pci/pci-internal.h"
#include "system/log.h"

#define PIIX4_PMBA      0x40
#define PIIX4_DEVACTB3  0x5b
#define PIIX4_PMREGMISC 0x80
#define PIIX4_SMBBA     0x90
#define PIIX4_SMBHSTCFG 0xd2
#define APMC_EN         0x02

struct PIIX4PMState {
    PCIDevice parent_obj;
    ACPIPM acpi;
    PMSMBus smbus;
    MemoryRegion pm_mr; /* the block at PMBA */
    APMPorts apm;
    IRQ sci, smi;
    bool smm_enabled;
    uint8_t disable_s3, disable_s4, s4_val;
    ACPIPCIHotplug pci_hotplug;
    bool root_hotplug, bridge_hotplug;
};

/* ---- where the blocks are ----------------------------------------------------------- */

static void piix4_pm_place(MemoryRegion *mr, bool enable, uint16_t base)
{
    memory_region_set_enabled(mr, false);
    memory_region_set_address(mr, base);
    memory_region_set_enabled(mr, enable && base);
}

static void piix4_pm_update_ports(PIIX4PMState *s)
{
    const uint8_t *config = s->parent_obj.config;

    s->acpi.io_base = pci_get_word(config + PIIX4_PMBA) & 0xffc0;
    memory_region_transaction_begin();
    piix4_pm_place(&s->pm_mr, config[PIIX4_PMREGMISC] & 1, s->acpi.io_base);
    piix4_pm_place(&s->smbus.mr, config[PIIX4_SMBHSTCFG] & 1,
                   pci_get_word(config + PIIX4_SMBBA) & 0xffc0);
    memory_region_transaction_commit();
}

static void piix4_pm_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    pci_default_write_config(dev, addr, value, len);
    if (pci_range_covers(addr, len, PIIX4_PMBA, 4) ||
        pci_range_covers(addr, len, PIIX4_PMREGMISC, 1) ||
        pci_range_covers(addr, len, PIIX4_SMBBA, 4) ||
        pci_range_covers(addr, len, PIIX4_SMBHSTCFG, 1)) {
        piix4_pm_update_ports(PIIX4_PM(dev));
    }
}

/* ---- APM ports ------------------------------------------------------------------------ */

static void piix4_apm_command(void *opaque, uint8_t value)
{
    PIIX4PMState *s = opaque;

    if (value == PIIX4_ACPI_ENABLE || value == PIIX4_ACPI_DISABLE) {
        acpi_pm_set_acpi_mode(&s->acpi, value == PIIX4_ACPI_ENABLE);
    }
    if (s->parent_obj.config[PIIX4_DEVACTB3] & APMC_EN) {
        irq_pulse(s->smi);
    }
}

/* ---- life ----------------------------------------------------------------------------- */

static const struct {
    uint8_t reg, value;
} piix4_pm_reset_values[] = {
    {PIIX4_PMBA,      0x01},
    {PIIX4_SMBBA,     0x01},
    {0x91,            0xb1},
    {PIIX4_SMBHSTCFG, 0x09},
};

static void piix4_pm_reset(PCIDevice *dev)
{
    PIIX4PMState *s = PIIX4_PM(dev);

    memset(dev->config + PCI_STD_HEADER_SIZEOF, 0, PCI_CONFIG_SIZE - PCI_STD_HEADER_SIZEOF);
    for (size_t i = 0; i < G_N_ELEMENTS(piix4_pm_reset_values); i++) {
        dev->config[piix4_pm_reset_values[i].reg] = piix4_pm_reset_values[i].value;
    }
    /* Firmware takes a set APMC_EN to mean that SMM has been set up, and leaves it alone. */
    dev->config[PIIX4_DEVACTB3] = s->smm_enabled ? 0 : APMC_EN;
    apm_ports_reset(&s->apm);
    acpi_pm_reset(&s->acpi);
    pm_smbus_reset(&s->smbus);
    piix4_pm_update_ports(s);
}

static void piix4_pm_setup(PCIDevice *dev)
{
    dev->config[PCI_INTERRUPT_LINE] = PIIX4_SCI_IRQ;
    pci_set_long(dev->config + PIIX4_SMBBA, PIIX4_SMB_BASE | 1);
    piix4_pm_update_ports(PIIX4_PM(dev));
}

static bool piix4_port_in_use(PIIX4PMState *s, hwaddr port)
{
    AddressSpace *as = &s->parent_obj.machine->address_space_io;
    const FlatRange *range;
    bool used;

    memory_read_lock();
    range = flatview_lookup(address_space_view(as), port);
    used = range && range->mr != &s->parent_obj.machine->io_mem_unassigned &&
           range->mr != s->parent_obj.machine->system_io;
    memory_read_unlock();
    return used;
}

/* Which legacy ports are decoded, in DEVRESC, E and G, where the DSDTs of a pc look. */
static void piix4_pm_reset_exit(DeviceState *dev)
{
    PIIX4PMState *s = PIIX4_PM(dev);
    uint8_t *config = s->parent_obj.config;

    config[0x5f] = 0x10 | (piix4_port_in_use(s, 0x378) ? 0x80 : 0);
    config[0x63] = 0x60;
    config[0x67] =
        (piix4_port_in_use(s, 0x3f8) ? 0x08 : 0) | (piix4_port_in_use(s, 0x2f8) ? 0x90 : 0);
    if (s->pci_hotplug.dev) {
        acpi_pci_hotplug_reset(&s->pci_hotplug);
    }
}

static void piix4_pm_powerdown(void *opaque)
{
    acpi_pm_power_button(&((PIIX4PMState *)opaque)->acpi);
}

static void piix4_pm_unmap(void *opaque)
{
    PIIX4PMState *s = opaque;
    MemoryRegion *io = s->pm_mr.container;

    machine_del_powerdown_notifier(s->parent_obj.machine, piix4_pm_powerdown, s);
    memory_region_del_subregion(io, &s->pm_mr);
    memory_region_del_subregion(io, &s->smbus.mr);
    memory_region_del_subregion(io, &s->acpi.gpe_mr);
    memory_region_del_subregion(io, &s->apm.mr);
}

static void piix4_pm_map(PIIX4PMState *s, MemoryRegion *io)
{
    Object *owner = OBJECT(s);

    memory_region_init(&s->pm_mr, owner, "piix4-pm", 64);
    memory_region_add_subregion(&s->pm_mr, PIIX4_PM_EVT, &s->acpi.evt_mr);
    memory_region_add_subregion(&s->pm_mr, PIIX4_PM_CNT, &s->acpi.cnt_mr);
    memory_region_add_subregion(&s->pm_mr, PIIX4_PM_TMR, &s->acpi.tmr_mr);
    apm_ports_init(&s->apm, owner, piix4_apm_command, s);
    memory_region_set_enabled(&s->pm_mr, false);
    memory_region_set_enabled(&s->smbus.mr, false);
    memory_region_add_subregion(io, 0, &s->pm_mr);
    memory_region_add_subregion(io, 0, &s->smbus.mr);
    memory_region_add_subregion(io, PIIX4_GPE_BASE, &s->acpi.gpe_mr);
    memory_region_add_subregion(io, PIIX4_SMI_CMD, &s->apm.mr);
}

static void piix4_pm_hotplug_event(void *opaque, unsigned n)
{
    piix4_pm_raise_gpe(opaque, n);
}

static bool piix4_pm_realize(PCIDevice *dev, GError **error)
{
    PIIX4PMState *s = PIIX4_PM(dev);

    pci_set_word(dev->config + PCI_STATUS, PCI_STATUS_FAST_BACK | PCI_STATUS_DEVSEL_MEDIUM);
    dev->config[PCI_INTERRUPT_PIN] = 1;
    acpi_pm_init(&s->acpi, &dev->parent_obj, PIIX4_GPE_LEN / 2);
    s->acpi.s3_type = s->disable_s3 ? -1 : 1;
    s->acpi.s4_type = s->disable_s4 ? -1 : s->s4_val;
    s->acpi.s5_type = 0;
    s->acpi.sci = s->sci;
    pm_smbus_init(&s->smbus, &dev->parent_obj, false);
    piix4_pm_map(s, pci_get_bus(dev)->address_space_io);
    machine_add_powerdown_notifier(dev->machine, piix4_pm_powerdown, s);
    qdev_on_unrealize(&dev->parent_obj, piix4_pm_unmap, s);
    if (s->root_hotplug || s->bridge_hotplug) {
        acpi_pci_hotplug_init(&s->pci_hotplug, &dev->parent_obj, pci_get_bus(dev),
                              pci_get_bus(dev)->address_space_io, ACPI_PCI_HOTPLUG_PIIX_BASE,
                              s->root_hotplug, s->bridge_hotplug, piix4_pm_hotplug_event, s);
    }
    piix4_pm_reset(dev);
    return true;
}

static void piix4_pm_finalize(Object *obj)
{
    PIIX4PMState *s = PIIX4_PM(obj);

    irq_unref(s->sci);
    irq_unref(s->smi);
}

static const Property piix4_pm_properties[] = {
    DEFINE_PROP_UINT8("disable_s3", PIIX4PMState, disable_s3, 0, "leave S3 (suspend to RAM) out",
                      .max = 1),
    DEFINE_PROP_UINT8("disable_s4", PIIX4PMState, disable_s4, 0,
                      "leave S4 (suspend to disk) out", .max = 1),
    DEFINE_PROP_UINT8("s4_val", PIIX4PMState, s4_val, 2, "SLP_TYP that means S4", .min = 1,
                      .max = 7),
    DEFINE_PROP_BOOL("smm-enabled", PIIX4PMState, smm_enabled, false,
                     "CPUs have system management mode for firmware to set up"),
    DEFINE_PROP_BOOL("acpi-root-pci-hotplug", PIIX4PMState, root_hotplug, true,
                     "devices of the root bus come and go through ACPI"),
    DEFINE_PROP_BOOL("acpi-pci-hotplug-with-bridge-support", PIIX4PMState, bridge_hotplug, true,
                     "and those behind bridges that are there at the start"),
    DEFINE_PROP_END,
};

static const StateField piix4_pm_state[] = {
    PCI_STATE_FIELDS(PIIX4PMState),        ACPI_PM_STATE_FIELDS(PIIX4PMState, acpi),
    PM_SMBUS_STATE_FIELDS(PIIX4PMState, smbus), APM_STATE_FIELDS(PIIX4PMState, apm),
    ACPI_PCI_HOTPLUG_STATE_FIELDS(PIIX4PMState, pci_hotplug),
    STATE_END,
};

static void piix4_pm_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = piix4_pm_realize;
    pc->reset = piix4_pm_reset;
    pc->setup = piix4_pm_setup;
    pc->config_write = piix4_pm_write_config;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = PCI_DEVICE_ID_INTEL_82371AB_ACPI;
    pc->revision = 3;
    pc->class_id = PCI_CLASS_BRIDGE_OTHER;
    dc->reset_exit = piix4_pm_reset_exit;
    dc->user_creatable = false;
    dc->hotpluggable = false;
    dc->category = DEVICE_CATEGORY_BRIDGE;
    dc->state = piix4_pm_state;
}

static const TypeInfo piix4_pm_types[] = {
    {
     .name = TYPE_PIIX4_PM,
     .parent = TYPE_PCI_DEVICE,
     .instance_size = sizeof(PIIX4PMState),
     .instance_finalize = piix4_pm_finalize,
     .class_init = piix4_pm_class_init,
     .properties = piix4_pm_properties,
     .doc = "82371AB power management: ACPI registers, PM timer, SMBus",
     },
};

DEFINE_TYPES(piix4_pm_types)

/* ---- for machines ------------------------------------------------------------------------ */

PIIX4PMState *piix4_pm_create(PCIBus *bus, int devfn, IRQ sci, IRQ smi, GError **error)
{
    PCIDevice *dev = pci_new(devfn, TYPE_PIIX4_PM, error);
    PIIX4PMState *s;

    if (!dev) {
        return NULL;
    }
    s = PIIX4_PM(dev);
    s->sci = sci ? irq_ref(sci) : NULL;
    s->smi = smi ? irq_ref(smi) : NULL;
    s->smm_enabled = smi != NULL;
    return pci_realize_and_unref(dev, bus, error) ? s : NULL;
}

void piix4_pm_enable_acpi(PIIX4PMState *s)
{
    uint8_t *config = s->parent_obj.config;

    pci_set_long(config + PIIX4_PMBA, PIIX4_PM_BASE | 1);
    config[PIIX4_PMREGMISC] = 1;
    piix4_pm_update_ports(s);
    acpi_pm_set_acpi_mode(&s->acpi, true);
}

void piix4_pm_raise_gpe(PIIX4PMState *s, unsigned n)
{
    acpi_pm_raise_gpe(&s->acpi, n);
}

ACPIPCIHotplug *piix4_pm_pci_hotplug(PIIX4PMState *s)
{
    return s->pci_hotplug.dev ? &s->pci_hotplug : NULL;
}

ACPIPM *piix4_pm_acpi(PIIX4PMState *s)
{
    return &s->acpi;
}

I2CBus *piix4_pm_smbus(PIIX4PMState *s)
{
    return s->smbus.bus;
}
