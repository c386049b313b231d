/* SPDX-License-Identifier: MIT
 *
 * Message-signalled interrupts: capability 05h, PCI Local Bus Specification 3.0, 6.8.1.
 *
 *   +0 id, next   +2 control   +4 address   +8 upper address   +c data   +10 mask   +14 pending
 *   with 32-bit addresses: +8 data   +c mask   +10 pending
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

/* The layout is one of four (6.8.1): data, mask and pending bits follow the address. */
static unsigned msi_data_offset(const PCIDevice *dev)
{
    return msi_flags(dev) & PCI_MSI_FLAGS_64BIT ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32;
}

static unsigned msi_mask_offset(const PCIDevice *dev)
{
    return msi_flags(dev) & PCI_MSI_FLAGS_64BIT ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32;
}

static unsigned msi_pending_offset(const PCIDevice *dev)
{
    return msi_mask_offset(dev) + 4;
}

static uint64_t msi_address(const PCIDevice *dev)
{
    return msi_flags(dev) & PCI_MSI_FLAGS_64BIT ? pci_get_quad(msi_reg(dev, PCI_MSI_ADDRESS_LO))
                                                : pci_get_long(msi_reg(dev, PCI_MSI_ADDRESS_LO));
}

static void msi_init_masks(PCIDevice *dev, uint32_t vectors)
{
    uint8_t *mask = dev->wmask + dev->msi_cap;

    pci_set_word(mask + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
    pci_set_long(mask + PCI_MSI_ADDRESS_LO, 0xfffffffc);
    if (msi_flags(dev) & PCI_MSI_FLAGS_64BIT) {
        pci_set_long(mask + PCI_MSI_ADDRESS_HI, 0xffffffff);
    }
    pci_set_word(mask + msi_data_offset(dev), 0xffff);
    if (msi_flags(dev) & PCI_MSI_FLAGS_MASKBIT) {
        pci_set_long(mask + msi_mask_offset(dev), vectors);
    }
}

static bool msi_init_flags(PCIDevice *dev, uint8_t offset, unsigned nr_vectors, uint16_t flags,
                           GError **error)
{
    unsigned size =
        (flags & PCI_MSI_FLAGS_MASKBIT ? 0x14 : 0x0a) + (flags & PCI_MSI_FLAGS_64BIT ? 4 : 0);
    unsigned log2 = (unsigned)g_bit_storage(nr_vectors) - 1;

    g_assert(nr_vectors && nr_vectors <= 32 && !(nr_vectors & (nr_vectors - 1)));
    offset = pci_add_capability(dev, PCI_CAP_ID_MSI, offset, (uint8_t)size, error);
    if (!offset) {
        return false;
    }
    dev->msi_cap = offset;
    pci_set_word(msi_reg(dev, PCI_MSI_FLAGS), (uint16_t)(flags | log2 << 1));
    msi_init_masks(dev, nr_vectors >= 32 ? UINT32_MAX : (1u << nr_vectors) - 1);
    return true;
}

bool msi_init(PCIDevice *dev, uint8_t offset, unsigned nr_vectors, bool per_vector_mask,
              GError **error)
{
    return msi_init_flags(dev, offset, nr_vectors,
                          PCI_MSI_FLAGS_64BIT | (per_vector_mask ? PCI_MSI_FLAGS_MASKBIT : 0),
                          error);
}

bool msi_init_32bit(PCIDevice *dev, uint8_t offset, unsigned nr_vectors, bool per_vector_mask,
                    GError **error)
{
    return msi_init_flags(dev, offset, nr_vectors, per_vector_mask ? PCI_MSI_FLAGS_MASKBIT : 0,
                          error);
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
    pci_set_long(msi_reg(dev, PCI_MSI_ADDRESS_LO), 0);
    if (msi_flags(dev) & PCI_MSI_FLAGS_64BIT) {
        pci_set_long(msi_reg(dev, PCI_MSI_ADDRESS_HI), 0);
    }
    pci_set_word(msi_reg(dev, msi_data_offset(dev)), 0);
    if (msi_flags(dev) & PCI_MSI_FLAGS_MASKBIT) {
        pci_set_quad(msi_reg(dev, msi_mask_offset(dev)), 0);
    }
}

/* An address that is not the APICs' may be any device, the sender's own registers included. */
void msi_send_message(PCIDevice *dev, uint64_t addr, uint32_t data)
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
        (pci_get_long(msi_reg(dev, msi_mask_offset(dev))) >> vector & 1)) {
        uint8_t *pending = msi_reg(dev, msi_pending_offset(dev));

        pci_set_long(pending, pci_get_long(pending) | 1u << vector);
        return;
    }
    data = (pci_get_word(msi_reg(dev, msi_data_offset(dev))) & ~(granted - 1)) | vector;
    msi_send_message(dev, msi_address(dev), data);
}

/* No more than the function can send is granted, whatever is written. */
static void msi_limit_granted(PCIDevice *dev)
{
    uint16_t flags = msi_flags(dev);
    unsigned wanted = (flags & PCI_MSI_FLAGS_QMASK) >> 1,
             given = (flags & PCI_MSI_FLAGS_QSIZE) >> 4;

    pci_set_word(msi_reg(dev, PCI_MSI_FLAGS),
                 (uint16_t)((flags & ~PCI_MSI_FLAGS_QSIZE) | MIN(given, wanted) << 4));
}

/* What was held back while it was masked goes out when it no longer is. */
void msi_write_config(PCIDevice *dev, uint32_t addr, unsigned len)
{
    uint8_t *pending;
    uint32_t ready;

    if (dev->msi_cap && pci_range_covers(addr, len, dev->msi_cap + PCI_MSI_FLAGS, 2)) {
        msi_limit_granted(dev);
        pci_irq_update(dev);
    }
    if (!msi_enabled(dev) || !(msi_flags(dev) & PCI_MSI_FLAGS_MASKBIT) ||
        !pci_range_covers(addr, len, dev->msi_cap, 0x18)) {
        return;
    }
    pending = msi_reg(dev, msi_pending_offset(dev));
    ready = pci_get_long(pending) & ~pci_get_long(msi_reg(dev, msi_mask_offset(dev)));
    pci_set_long(pending, pci_get_long(pending) & ~ready);
    for (unsigned v = 0; ready; v++, ready >>= 1) {
        if (ready & 1) {
            msi_notify(dev, v);
        }
    }
}
