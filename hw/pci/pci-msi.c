/* SPDX-License-Identifier: MIT
 *
 * Message-signalled interrupts: capability 05h, PCI Local Bus Specification 3.0, 6.8.1.
 *
 *   +0 id, next   +2 control   +4 address   +8 upper address   +c data   +10 mask   +14 pending
 */
#include "hw/core/machine.h"
#include "hw/pci/pci-internal.h"

/* Messages to here are interrupts and need no detour (SDM vol. 3, 11.11.1). */
#define MSI_APIC_FIRST 0xfee00000u
#define MSI_APIC_LAST  0xfeefffffu

static uint8_t *msi_reg(const PCIDevice *dev, unsigned offset)
{
    return (uint8_t *)dev->config + dev->msi_cap + offset;
}

static uint16_t msi_flags(const PCIDevice *dev)
{
    return pci_get_word(msi_reg(dev, PCI_MSI_FLAGS));
}

bool msi_init(PCIDevice *dev, uint8_t offset, unsigned nr_vectors, bool per_vector_mask,
              GError **error)
{
    uint8_t size = per_vector_mask ? 0x18 : 0x0e;
    unsigned log2 = (unsigned)g_bit_storage(nr_vectors) - 1;
    uint32_t vectors = nr_vectors >= 32 ? UINT32_MAX : (1u << nr_vectors) - 1;

    g_assert(nr_vectors && nr_vectors <= 32 && !(nr_vectors & (nr_vectors - 1)));
    offset = pci_add_capability(dev, PCI_CAP_ID_MSI, offset, size, error);
    if (!offset) {
        return false;
    }
    dev->msi_cap = offset;
    pci_set_word(msi_reg(dev, PCI_MSI_FLAGS),
                 (uint16_t)(PCI_MSI_FLAGS_64BIT | log2 << 1 |
                            (per_vector_mask ? PCI_MSI_FLAGS_MASKBIT : 0)));
    pci_set_word(dev->wmask + offset + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
    pci_set_long(dev->wmask + offset + PCI_MSI_ADDRESS_LO, 0xfffffffc);
    pci_set_long(dev->wmask + offset + PCI_MSI_ADDRESS_HI, 0xffffffff);
    pci_set_word(dev->wmask + offset + PCI_MSI_DATA_64, 0xffff);
    if (per_vector_mask) {
        pci_set_long(dev->wmask + offset + PCI_MSI_MASK_64, vectors);
    }
    return true;
}

bool msi_enabled(const PCIDevice *dev)
{
    return dev->msi_cap && (msi_flags(dev) & PCI_MSI_FLAGS_ENABLE);
}

void msi_reset(PCIDevice *dev)
{
    if (!dev->msi_cap) {
        return;
    }
    pci_set_word(msi_reg(dev, PCI_MSI_FLAGS),
                 (uint16_t)(msi_flags(dev) & ~(PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE)));
    pci_set_quad(msi_reg(dev, PCI_MSI_ADDRESS_LO), 0);
    pci_set_word(msi_reg(dev, PCI_MSI_DATA_64), 0);
    if (msi_flags(dev) & PCI_MSI_FLAGS_MASKBIT) {
        pci_set_quad(msi_reg(dev, PCI_MSI_MASK_64), 0);
    }
}

/* An address that is not the APICs' may be any device, the sender's own registers included. */
static void msi_send(PCIDevice *dev, uint64_t addr, uint32_t data)
{
    uint32_t word = GUINT32_TO_LE(data);
    MemTxAttrs attrs = {.dma = 1, .requester_id = (unsigned)pci_requester_id(dev) & 0xffff};

    if (addr >= MSI_APIC_FIRST && addr <= MSI_APIC_LAST) {
        address_space_store(&dev->bus_master_as, addr, data, 4, attrs);
    } else {
        pci_dma_write(dev, addr, &word, 4);
    }
}

/* Vectors granted: the data's low bits carry the number (6.8.1.6). */
static unsigned msi_granted(const PCIDevice *dev)
{
    unsigned wanted = (msi_flags(dev) & PCI_MSI_FLAGS_QMASK) >> 1;
    unsigned given = (msi_flags(dev) & PCI_MSI_FLAGS_QSIZE) >> 4;

    return 1u << MIN(given, wanted);
}

void msi_notify(PCIDevice *dev, unsigned vector)
{
    unsigned granted;
    uint32_t data;

    if (!msi_enabled(dev)) {
        return;
    }
    granted = msi_granted(dev);
    vector = MIN(vector, granted - 1);
    if ((msi_flags(dev) & PCI_MSI_FLAGS_MASKBIT) &&
        (pci_get_long(msi_reg(dev, PCI_MSI_MASK_64)) >> vector & 1)) {
        uint8_t *pending = msi_reg(dev, PCI_MSI_PENDING_64);

        pci_set_long(pending, pci_get_long(pending) | 1u << vector);
        return;
    }
    data = (pci_get_word(msi_reg(dev, PCI_MSI_DATA_64)) & ~(granted - 1)) | vector;
    msi_send(dev, pci_get_quad(msi_reg(dev, PCI_MSI_ADDRESS_LO)), data);
}

/* What was held back while it was masked goes out when it no longer is. */
void msi_write_config(PCIDevice *dev, uint32_t addr, unsigned len)
{
    uint8_t *pending;
    uint32_t ready;

    if (!msi_enabled(dev) || !(msi_flags(dev) & PCI_MSI_FLAGS_MASKBIT) ||
        !pci_range_covers(addr, len, dev->msi_cap, 0x18)) {
        return;
    }
    pending = msi_reg(dev, PCI_MSI_PENDING_64);
    ready = pci_get_long(pending) & ~pci_get_long(msi_reg(dev, PCI_MSI_MASK_64));
    pci_set_long(pending, pci_get_long(pending) & ~ready);
    for (unsigned v = 0; ready; v++, ready >>= 1) {
        if (ready & 1) {
            msi_notify(dev, v);
        }
    }
}
