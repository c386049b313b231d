/* SPDX-License-Identifier: MIT
 *
 * Intel 82371SB (PIIX3) PCI-to-ISA bridge, function 0 (data sheet 290550).
 *
 *   60-63  PIRQRC[A:D]: 7 not routed, 3-0 IRQ             (2.2.9)
 *   cf9    reset control: 2 reset CPU, 1 hard reset       (2.5.5.1)
 *
 * Other registers keep what is written and have the chip's reset values.
 */
#include <string.h>
#include "hw/isa/piix3.h"
#include "hw/core/machine.h"
#include "hw/pci/pci-internal.h"
#include "system/log.h"

#define PIIX_PIRQC         0x60
#define PIIX_PIRQ_DISABLED 0x80
#define PIIX_RCR_HARD      0x02
#define PIIX_RCR_RESET     0x04
/* IRQs that a PIRQ can be routed to: 3-7, 9-12, 14, 15. */
#define PIIX_ROUTABLE 0xdef8u

struct PIIX3State {
    PCIDevice parent_obj;
    MemoryRegion rcr_mr;
    ISABus *isa_bus;
    uint8_t rcr;
    uint8_t pirq_levels; /* bit n: PIRQ n is asserted */
    uint16_t irq_levels; /* ISA lines that we hold */
};

/* ---- PIRQ routing ----------------------------------------------------------------- */

/* INTA# of slot 1 is PIRQA, and so on around. */
static int piix3_map_irq(PCIDevice *dev, int pin)
{
    return (pin + PCI_DEVFN_SLOT(dev->devfn) - 1) & 3;
}

/* Under the irq lock. */
static void piix3_update_irqs(PIIX3State *s)
{
    MachineState *machine = s->parent_obj.machine;
    uint16_t levels = 0, changed;

    for (int i = 0; i < PIIX_NUM_PIRQS; i++) {
        uint8_t route = s->parent_obj.config[PIIX_PIRQC + i];

        if ((s->pirq_levels >> i & 1) && !(route & PIIX_PIRQ_DISABLED)) {
            levels |= (uint16_t)((1u << (route & 15)) & PIIX_ROUTABLE);
        }
    }
    changed = levels ^ s->irq_levels;
    s->irq_levels = levels;
    for (int n = 0; n < ISA_NUM_IRQS; n++) {
        if (changed >> n & 1) {
            irq_set(machine->gsi[n], levels >> n & 1);
        }
    }
}

static void piix3_set_pirq(void *opaque, int wire, int level)
{
    PIIX3State *s = opaque;
    uint8_t bit = (uint8_t)(1u << wire);

    s->pirq_levels = (uint8_t)(level ? s->pirq_levels | bit : s->pirq_levels & ~bit);
    piix3_update_irqs(s);
}

static void piix3_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    pci_default_write_config(dev, addr, value, len);
    if (pci_range_covers(addr, len, PIIX_PIRQC, PIIX_NUM_PIRQS)) {
        machine_irq_lock(dev->machine);
        piix3_update_irqs(PIIX3(dev));
        machine_irq_unlock(dev->machine);
    }
}

/* ---- reset control ------------------------------------------------------------------ */

static uint64_t piix3_rcr_read(void *opaque, hwaddr addr, unsigned size)
{
    return addr == 1 && size == 1 ? ((PIIX3State *)opaque)->rcr : UINT32_MAX >> (32 - 8 * size);
}

static void piix3_rcr_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    PIIX3State *s = opaque;

    if (addr != 1 || size != 1) {
        return;
    }
    if (value & PIIX_RCR_RESET) {
        system_reset_request(s->parent_obj.machine, SHUTDOWN_CAUSE_GUEST_RESET);
    } else {
        s->rcr = value & PIIX_RCR_HARD;
    }
}

static const MemoryRegionOps piix3_rcr_ops = {
    .read = piix3_rcr_read,
    .write = piix3_rcr_write,
    .valid = {1, 4, true},
    .impl = {1, 4, true},
};

/* ---- life --------------------------------------------------------------------------- */

/* What the chip has after RSTDRV. */
static const struct {
    uint8_t reg, value;
} piix3_reset_values[] = {
    {0x4c, 0x4d},
    {0x4e, 0x03},
    {0x60, 0x80},
    {0x61, 0x80},
    {0x62, 0x80},
    {0x63, 0x80},
    {0x69, 0x02},
    {0x70, 0x80},
    {0x76, 0x0c},
    {0x77, 0x0c},
    {0x78, 0x02},
    {0xa0, 0x08},
    {0xa8, 0x0f},
};

static void piix3_reset(PCIDevice *dev)
{
    PIIX3State *s = PIIX3(dev);

    memset(dev->config + PCI_STD_HEADER_SIZEOF, 0, PCI_CONFIG_SIZE - PCI_STD_HEADER_SIZEOF);
    for (size_t i = 0; i < G_N_ELEMENTS(piix3_reset_values); i++) {
        dev->config[piix3_reset_values[i].reg] = piix3_reset_values[i].value;
    }
    pci_set_word(dev->config + PCI_STATUS, PCI_STATUS_DEVSEL_MEDIUM);
    s->rcr = 0;
    machine_irq_lock(dev->machine);
    piix3_update_irqs(s);
    machine_irq_unlock(dev->machine);
}

static bool piix3_realize(PCIDevice *dev, GError **error)
{
    PIIX3State *s = PIIX3(dev);
    PCIBus *bus = pci_get_bus(dev);

    if (!dev->machine->gsi || dev->machine->nr_gsi < ISA_NUM_IRQS) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "%s needs a machine with %d interrupts", object_get_typename(OBJECT(dev)),
                    ISA_NUM_IRQS);
        return false;
    }
    s->isa_bus =
        isa_bus_new(&dev->parent_obj, bus->address_space_mem, bus->address_space_io, error);
    if (!s->isa_bus) {
        return false;
    }
    memory_region_init_io(&s->rcr_mr, OBJECT(s), &piix3_rcr_ops, s, "piix3-reset-control", 4);
    bus->config_byte_ports = &s->rcr_mr;
    pci_bus_irqs(bus, piix3_set_pirq, piix3_map_irq, s, PIIX_NUM_PIRQS);
    piix3_reset(dev);
    return true;
}

static void piix3_exit(PCIDevice *dev)
{
    PCIBus *bus = pci_get_bus(dev);

    bus->config_byte_ports = NULL;
    pci_bus_irqs(bus, NULL, NULL, NULL, 0);
}

static const StateField piix3_state[] = {
    PCI_STATE_FIELDS(PIIX3State),
    STATE_FIELD(PIIX3State, rcr),
    STATE_FIELD(PIIX3State, pirq_levels),
    STATE_FIELD(PIIX3State, irq_levels),
    STATE_END,
};

static void piix3_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = piix3_realize;
    pc->exit = piix3_exit;
    pc->reset = piix3_reset;
    pc->config_write = piix3_write_config;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = PCI_DEVICE_ID_INTEL_82371SB_ISA;
    pc->class_id = PCI_CLASS_BRIDGE_ISA;
    dc->user_creatable = false;
    dc->hotpluggable = false;
    dc->category = DEVICE_CATEGORY_BRIDGE;
    dc->state = piix3_state;
}

static const TypeInfo piix3_types[] = {
    {
     .name = TYPE_PIIX3,
     .parent = TYPE_PCI_DEVICE,
     .instance_size = sizeof(PIIX3State),
     .class_init = piix3_class_init,
     .doc = "82371SB PCI-to-ISA bridge: interrupt routing and reset control",
     },
};

DEFINE_TYPES(piix3_types)

/* ---- M19 ------------------------------------------------------------------------------ */

PIIX3State *piix3_create(PCIBus *bus, ISABus **ret_isa_bus, GError **error)
{
    PCIDevice *dev = pci_create_multifunction(bus, PCI_MAKE_DEVFN(1, 0), true, TYPE_PIIX3, error);

    if (!dev) {
        return NULL;
    }
    *ret_isa_bus = PIIX3(dev)->isa_bus;
    return PIIX3(dev);
}
