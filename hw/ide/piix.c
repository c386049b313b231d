/* SPDX-License-Identifier: MIT
 *
 * IDE interface of the Intel 82371SB (PIIX3), function 1 (data sheet 290550, 2.3), and of the
 * 82371AB (PIIX4; 290562, 5), which has another number and Ultra DMA timing registers.
 *
 *   04      command: 0 decode 1f0-1f7, 3f6, 170-177, 376 and the bus masters, 2 master
 *   20      BMIBA: 16 ports, a bus master of 8 for each channel   (2.3.8)
 *   40-43   IDETIM: timing, 15 decode enable                      (2.3.9)
 *
 * The channels are always decoded: the timing registers' enable bits, which firmware
 * sets, are kept and do nothing, and neither does the command register's.
 */
#include <string.h>
#include "hw/core/machine.h"
#include "hw/ide/bmdma.h"
#include "hw/isa/piix3.h"

#define TYPE_PIIX3_IDE "piix3-ide"
#define TYPE_PIIX4_IDE "piix4-ide"
#define TYPE_PIIX_IDE  "pci-ide"
OBJECT_DECLARE_SIMPLE(PIIXIDEState, PIIX_IDE, TYPE_PIIX_IDE)

#define PIIX_CHANNELS      2
#define PIIX_IDETIM        0x40
#define PIIX_IDETIM_DECODE 0x8000

struct PIIXIDEState {
    PCIDevice parent_obj;
    IDEBus *bus[PIIX_CHANNELS];
    BMDMA bmdma[PIIX_CHANNELS];
    MemoryRegion bmdma_bar;
};

static const struct {
    uint16_t command, control;
    uint8_t irq;
} piix_channels[PIIX_CHANNELS] = {
    {0x1f0, 0x3f6, 14},
    {0x170, 0x376, 15},
};

static void piix_ide_unmap(void *opaque)
{
    PIIXIDEState *s = opaque;

    for (int i = 0; i < PIIX_CHANNELS; i++) {
        MemoryRegion *io = s->bus[i]->command_mr.container;

        memory_region_del_subregion(io, &s->bus[i]->command_mr);
        memory_region_del_subregion(io, &s->bus[i]->control_mr);
    }
}

static void piix_ide_add_channel(PIIXIDEState *s, int i)
{
    PCIDevice *dev = &s->parent_obj;
    MemoryRegion *io = pci_get_bus(dev)->address_space_io;

    s->bus[i] =
        ide_bus_new(&dev->parent_obj, i, IDE_UNITS, dev->machine->gsi[piix_channels[i].irq]);
    ide_bus_init_ports(s->bus[i]);
    bmdma_init(&s->bmdma[i], dev, s->bus[i]);
    memory_region_add_subregion(&s->bmdma_bar, (hwaddr)i * BMDMA_PORTS, &s->bmdma[i].mr);
    /* Behind another controller at the same ports, if the user adds a second one. */
    memory_region_add_subregion_overlap(io, piix_channels[i].command, &s->bus[i]->command_mr, -1);
    memory_region_add_subregion_overlap(io, piix_channels[i].control, &s->bus[i]->control_mr, -1);
}

static bool piix_ide_realize(PCIDevice *dev, GError **error)
{
    PIIXIDEState *s = PIIX_IDE(dev);

    if (!dev->machine->gsi || dev->machine->nr_gsi < 16) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "%s needs a machine with 16 interrupts", object_get_typename(OBJECT(dev)));
        return false;
    }
    pci_set_word(dev->config + PCI_STATUS, PCI_STATUS_FAST_BACK | PCI_STATUS_DEVSEL_MEDIUM);
    memory_region_init(&s->bmdma_bar, OBJECT(s), "piix-bmdma", PIIX_CHANNELS * BMDMA_PORTS);
    for (int i = 0; i < PIIX_CHANNELS; i++) {
        piix_ide_add_channel(s, i);
    }
    pci_register_bar(dev, 4, PCI_BASE_ADDRESS_SPACE_IO, &s->bmdma_bar);
    qdev_on_unrealize(&dev->parent_obj, piix_ide_unmap, s);
    return true;
}

static void piix_ide_reset(PCIDevice *dev)
{
    memset(dev->config + PCI_STD_HEADER_SIZEOF, 0, PCI_CONFIG_SIZE - PCI_STD_HEADER_SIZEOF);
}

/* Drivers take a channel whose decode enable is clear for one that is not wired. */
static void piix_ide_setup(PCIDevice *dev)
{
    pci_set_word(dev->config + PIIX_IDETIM, PIIX_IDETIM_DECODE);
    pci_set_word(dev->config + PIIX_IDETIM + 2, PIIX_IDETIM_DECODE);
}

static void piix_ide_reset_hold(PCIDevice *dev)
{
    PIIXIDEState *s = PIIX_IDE(dev);

    for (int i = 0; i < PIIX_CHANNELS; i++) {
        ide_bus_reset(s->bus[i]);
    }
}

static const StateField piix_ide_state[] = {
    PCI_STATE_FIELDS(PIIXIDEState),
    BMDMA_STATE_FIELDS(PIIXIDEState, bmdma[0]),
    BMDMA_STATE_FIELDS(PIIXIDEState, bmdma[1]),
    STATE_END,
};

static void piix_ide_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = piix_ide_realize;
    pc->reset = piix_ide_reset;
    pc->setup = piix_ide_setup;
    pc->reset_hold = piix_ide_reset_hold;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->class_id = PCI_CLASS_STORAGE_IDE;
    pc->prog_if = 0x80; /* bus master, both channels in compatibility mode */
    dc->hotpluggable = false;
    dc->category = DEVICE_CATEGORY_STORAGE;
    dc->state = piix_ide_state;
}

static void piix3_ide_class_init(ObjectClass *klass, const void *data)
{
    PCI_DEVICE_CLASS(klass)->device_id = PCI_DEVICE_ID_INTEL_82371SB_IDE;
}

static void piix4_ide_class_init(ObjectClass *klass, const void *data)
{
    PCI_DEVICE_CLASS(klass)->device_id = PCI_DEVICE_ID_INTEL_82371AB_IDE;
}

static const TypeInfo piix_ide_types[] = {
    {
     .name = TYPE_PIIX_IDE,
     .parent = TYPE_PCI_DEVICE,
     .instance_size = sizeof(PIIXIDEState),
     .abstract = true,
     .class_init = piix_ide_class_init,
     .doc = "Two ATA channels with bus masters",
     },
    {
     .name = TYPE_PIIX3_IDE,
     .parent = TYPE_PIIX_IDE,
     .class_init = piix3_ide_class_init,
     .doc = "82371SB IDE: two ATA channels with bus masters",
     },
    {
     .name = TYPE_PIIX4_IDE,
     .parent = TYPE_PIIX_IDE,
     .class_init = piix4_ide_class_init,
     .doc = "82371AB IDE: two ATA channels with bus masters",
     },
};

DEFINE_TYPES(piix_ide_types)

/* ---- for machines ---------------------------------------------------------------------------- */

PCIDevice *piix3_ide_create(PCIBus *bus, int devfn, GError **error)
{
    return pci_create(bus, devfn, TYPE_PIIX3_IDE, error);
}
