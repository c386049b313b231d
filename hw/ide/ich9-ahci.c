/* SPDX-License-Identifier: MIT
 *
 * The SATA function of the Intel ICH9 in AHCI mode (data sheet 316972, 14 and 15).
 *
 *   04      command: 0 I/O, 1 memory, 2 master
 *   20      LBAR: 32 ports, the index and data pair at +10   (14.1.12)
 *   24      ABAR: 4 KiB of registers                         (14.1.13)
 *   80      MSI, one vector
 *   90      MAP: mode, 40 AHCI                               (14.1.25)
 *   a8      serial ATA capability: where the pair is         (14.1.33)
 */
#include <string.h>
#include "hw/ide/ahci-internal.h"
#include "hw/ide/ide.h"

OBJECT_DECLARE_SIMPLE(ICH9AHCIState, ICH9_AHCI, TYPE_ICH9_AHCI)

#define ICH9_MSI_OFFSET  0x80
#define ICH9_MAP         0x90
#define ICH9_MAP_AHCI    0x40
#define ICH9_SATA_OFFSET 0xa8
#define ICH9_SATA_SIZE   8
#define ICH9_SATA_REV    0x0010     /* 1.0 */
#define ICH9_SATA_IDP    0x00000048 /* BAR 4, dword 4 */
#define ICH9_IDP_BAR     4
#define ICH9_ABAR        5

struct ICH9AHCIState {
    PCIDevice parent_obj;
    AHCIState ahci;
};

static bool ich9_ahci_realize(PCIDevice *dev, GError **error)
{
    ICH9AHCIState *s = ICH9_AHCI(dev);

    pci_set_byte(dev->config + PCI_INTERRUPT_PIN, 1);
    pci_set_byte(dev->config + ICH9_MAP, ICH9_MAP_AHCI);
    if (!pci_add_capability(dev, PCI_CAP_ID_SATA, ICH9_SATA_OFFSET, ICH9_SATA_SIZE, error) ||
        !msi_init(dev, ICH9_MSI_OFFSET, 1, false, error)) {
        return false;
    }
    pci_set_word(dev->config + ICH9_SATA_OFFSET + 2, ICH9_SATA_REV);
    pci_set_long(dev->config + ICH9_SATA_OFFSET + 4, ICH9_SATA_IDP);
    ahci_init(&s->ahci, dev);
    pci_register_bar(dev, ICH9_IDP_BAR, PCI_BASE_ADDRESS_SPACE_IO, &s->ahci.idp);
    pci_register_bar(dev, ICH9_ABAR, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->ahci.mmio);
    return true;
}

static void ich9_ahci_reset_hold(PCIDevice *dev)
{
    ahci_reset(&ICH9_AHCI(dev)->ahci);
}

/* A reset of the whole adapter forgets the lists' addresses too. */
static void ich9_ahci_reset(PCIDevice *dev)
{
    AHCIState *s = &ICH9_AHCI(dev)->ahci;

    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        s->ports[i].clb = s->ports[i].fb = 0;
    }
}

#define PORT_STATE_FIELDS(n)                                                                       \
    STATE_FIELD(ICH9AHCIState, ahci.ports[n].clb), STATE_FIELD(ICH9AHCIState, ahci.ports[n].fb),   \
        STATE_FIELD(ICH9AHCIState, ahci.ports[n].is),                                              \
        STATE_FIELD(ICH9AHCIState, ahci.ports[n].ie),                                              \
        STATE_FIELD(ICH9AHCIState, ahci.ports[n].cmd),                                             \
        STATE_FIELD(ICH9AHCIState, ahci.ports[n].tfd),                                             \
        STATE_FIELD(ICH9AHCIState, ahci.ports[n].sig),                                             \
        STATE_FIELD(ICH9AHCIState, ahci.ports[n].ssts),                                            \
        STATE_FIELD(ICH9AHCIState, ahci.ports[n].sctl),                                            \
        STATE_FIELD(ICH9AHCIState, ahci.ports[n].serr),                                            \
        STATE_FIELD(ICH9AHCIState, ahci.ports[n].sact),                                            \
        STATE_FIELD(ICH9AHCIState, ahci.ports[n].ci)

static const StateField ich9_ahci_state[] = {
    PCI_STATE_FIELDS(ICH9AHCIState),
    STATE_FIELD(ICH9AHCIState, ahci.ghc),
    STATE_FIELD(ICH9AHCIState, ahci.is),
    STATE_FIELD(ICH9AHCIState, ahci.idp_index),
    PORT_STATE_FIELDS(0),
    PORT_STATE_FIELDS(1),
    PORT_STATE_FIELDS(2),
    PORT_STATE_FIELDS(3),
    PORT_STATE_FIELDS(4),
    PORT_STATE_FIELDS(5),
    STATE_END,
};

static void ich9_ahci_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = ich9_ahci_realize;
    pc->reset = ich9_ahci_reset;
    pc->reset_hold = ich9_ahci_reset_hold;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = PCI_DEVICE_ID_INTEL_82801IR;
    pc->revision = 2;
    pc->class_id = PCI_CLASS_STORAGE_SATA;
    pc->prog_if = 1; /* AHCI */
    dc->alias = "ahci";
    dc->hotpluggable = false;
    dc->category = DEVICE_CATEGORY_STORAGE;
    dc->state = ich9_ahci_state;
}

static const TypeInfo ich9_ahci_types[] = {
    {
     .name = TYPE_ICH9_AHCI,
     .parent = TYPE_PCI_DEVICE,
     .instance_size = sizeof(ICH9AHCIState),
     .class_init = ich9_ahci_class_init,
     .doc = "ICH9 SATA controller: six AHCI ports",
     },
};

DEFINE_TYPES(ich9_ahci_types)
