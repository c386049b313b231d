/* SPDX-License-Identifier: MIT
 *
 * MSI-X.  PCI Local Bus Specification 3.0, 6.8.2.
 *
 *   capability   +2 control: 15 enable, 14 mask all   +4 table BAR, offset   +8 pending BAR, offset
 *   table entry  +0 address   +4 upper address   +8 data   +c control: 0 mask
 */
#include <string.h>
#include "hw/core/machine.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci-internal.h"

#define MSIX_ENTRY_SIZE    16u
#define MSIX_PBA_IN_BAR    0x800u
#define MSIX_MIN_BAR       4096u
#define MSIX_CONTROL_HIGH  (PCI_MSIX_FLAGS + 1)
#define MSIX_ENTRY_VECTOR  8u
#define MSIX_ENTRY_CONTROL 12u

struct MSIXState {
    unsigned nr;
    uint8_t *table;
    uint64_t *pending;
    bool *used; /* the back end was told of it */
    MemoryRegion table_mr, pba_mr, bar;
    MSIXUseFunc use;
    MSIXReleaseFunc release;
    MSIXPollFunc poll;
};

static uint16_t msix_flags(const PCIDevice *dev)
{
    return pci_get_word(dev->config + dev->msix_cap + PCI_MSIX_FLAGS);
}

static uint8_t *msix_entry(const PCIDevice *dev, unsigned vector)
{
    return dev->msix->table + vector * MSIX_ENTRY_SIZE;
}

unsigned msix_nr_vectors(const PCIDevice *dev)
{
    return dev->msix ? dev->msix->nr : 0;
}

bool msix_enabled(const PCIDevice *dev)
{
    return dev->msix_cap && (msix_flags(dev) & PCI_MSIX_FLAGS_ENABLE);
}

bool msix_is_masked(const PCIDevice *dev, unsigned vector)
{
    return !msix_enabled(dev) || (msix_flags(dev) & PCI_MSIX_FLAGS_MASKALL) ||
           (msix_entry(dev, vector)[MSIX_ENTRY_CONTROL] & PCI_MSIX_ENTRY_CTRL_MASKBIT);
}

MSIMessage msix_get_message(const PCIDevice *dev, unsigned vector)
{
    const uint8_t *entry = msix_entry(dev, vector);

    return (MSIMessage){pci_get_quad(entry), pci_get_long(entry + MSIX_ENTRY_VECTOR)};
}

/* ---- pending bits ----------------------------------------------------------------------- */

bool msix_is_pending(const PCIDevice *dev, unsigned vector)
{
    return dev->msix->pending[vector / 64] >> vector % 64 & 1;
}

void msix_set_pending(PCIDevice *dev, unsigned vector)
{
    dev->msix->pending[vector / 64] |= 1ull << vector % 64;
}

void msix_clear_pending(PCIDevice *dev, unsigned vector)
{
    dev->msix->pending[vector / 64] &= ~(1ull << vector % 64);
}

void msix_notify(PCIDevice *dev, unsigned vector)
{
    if (vector >= msix_nr_vectors(dev) || !msix_enabled(dev)) {
        return;
    }
    if (msix_is_masked(dev, vector)) {
        msix_set_pending(dev, vector);
    } else {
        MSIMessage m = msix_get_message(dev, vector);

        msi_send_message(dev, m.address, m.data);
    }
}

/* ---- masks change --------------------------------------------------------------------------- */

static void msix_tell_backend(PCIDevice *dev, unsigned vector, bool message_changed)
{
    MSIXState *s = dev->msix;
    bool want = s->use && !msix_is_masked(dev, vector);

    if (want && (!s->used[vector] || message_changed)) {
        s->used[vector] = true;
        s->use(dev, vector, msix_get_message(dev, vector));
    } else if (!want && s->used[vector]) {
        s->used[vector] = false;
        s->release(dev, vector);
    }
}

/* What was held back goes out when the vector is no longer masked (6.8.3.4). */
static void msix_vector_changed(PCIDevice *dev, unsigned vector, bool message_changed)
{
    msix_tell_backend(dev, vector, message_changed);
    if (!msix_is_masked(dev, vector) && msix_is_pending(dev, vector)) {
        msix_clear_pending(dev, vector);
        msix_notify(dev, vector);
    }
}

static void msix_all_changed(PCIDevice *dev)
{
    for (unsigned v = 0; v < dev->msix->nr; v++) {
        msix_vector_changed(dev, v, false);
    }
}

void msix_write_config(PCIDevice *dev, uint32_t addr, unsigned len)
{
    if (dev->msix_cap && pci_range_covers(addr, len, dev->msix_cap + MSIX_CONTROL_HIGH, 1)) {
        pci_irq_update(dev);
        msix_all_changed(dev);
    }
}

void msix_reset(PCIDevice *dev)
{
    MSIXState *s = dev->msix;

    if (!s) {
        return;
    }
    dev->config[dev->msix_cap + MSIX_CONTROL_HIGH] &=
        (uint8_t) ~((PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL) >> 8);
    for (unsigned v = 0; v < s->nr; v++) {
        memset(msix_entry(dev, v), 0, MSIX_ENTRY_SIZE);
        msix_entry(dev, v)[MSIX_ENTRY_CONTROL] = PCI_MSIX_ENTRY_CTRL_MASKBIT;
        msix_clear_pending(dev, v);
        msix_tell_backend(dev, v, false);
    }
}

void msix_set_vector_notifiers(PCIDevice *dev, MSIXUseFunc use, MSIXReleaseFunc release,
                               MSIXPollFunc poll)
{
    MSIXState *s = dev->msix;

    for (unsigned v = 0; v < s->nr; v++) {
        if (s->used[v]) {
            s->used[v] = false;
            s->release(dev, v);
        }
    }
    s->use = use;
    s->release = release;
    s->poll = poll;
    msix_all_changed(dev);
}

/* ---- registers ------------------------------------------------------------------------------ */

static uint64_t msix_table_read(void *opaque, hwaddr addr, unsigned size)
{
    PCIDevice *dev = opaque;

    return pci_get_long(dev->msix->table + addr);
}

static void msix_table_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    PCIDevice *dev = opaque;
    uint32_t offset = addr % MSIX_ENTRY_SIZE;

    /* Reserved bits of the control word are kept, as firmware may save and restore them. */
    pci_set_long(dev->msix->table + addr, (uint32_t)value & (offset == 0 ? ~3u : ~0u));
    msix_vector_changed(dev, (unsigned)(addr / MSIX_ENTRY_SIZE), offset != MSIX_ENTRY_CONTROL);
}

static uint64_t msix_pba_read(void *opaque, hwaddr addr, unsigned size)
{
    PCIDevice *dev = opaque;
    MSIXState *s = dev->msix;
    unsigned first = (unsigned)addr * 8, last = MIN(first + 32, s->nr) - 1;

    if (s->poll && first < s->nr) {
        s->poll(dev, first, last);
    }
    return (uint32_t)(s->pending[addr / 8] >> (addr % 8 * 8));
}

static void msix_pba_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    /* read-only (6.8.2.10) */
}

static const MemoryRegionOps msix_table_ops = {
    .read = msix_table_read,
    .write = msix_table_write,
    .valid = {4, 8, false},
    .impl = {4, 4, false},
};

static const MemoryRegionOps msix_pba_ops = {
    .read = msix_pba_read,
    .write = msix_pba_write,
    .valid = {4, 8, false},
    .impl = {4, 4, false},
};

/* ---- life ----------------------------------------------------------------------------------- */

static uint32_t msix_table_size(unsigned nr)
{
    return nr * MSIX_ENTRY_SIZE;
}

/* Whole quadwords. */
static uint32_t msix_pba_size(unsigned nr)
{
    return (nr + 63) / 64 * 8;
}

static void msix_free(void *opaque)
{
    PCIDevice *dev = opaque;
    MSIXState *s = dev->msix;

    dev->msix = NULL;
    g_free(s->table);
    g_free(s->pending);
    g_free(s->used);
    vmm_call_rcu(g_free, s); /* readers may be about to find its regions dead */
}

static MSIXState *msix_new(PCIDevice *dev, unsigned nr)
{
    MSIXState *s = g_new0(MSIXState, 1);

    s->nr = nr;
    s->table = g_malloc0(msix_table_size(nr));
    s->pending = g_malloc0(msix_pba_size(nr));
    s->used = g_new0(bool, nr);
    dev->msix = s;
    qdev_on_unrealize(&dev->parent_obj, msix_free, dev);
    return s;
}

static bool msix_check(PCIDevice *dev, unsigned nr, GError **error)
{
    if (nr >= 1 && nr <= MSIX_MAX_VECTORS) {
        return true;
    }
    g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE, "%s: %u MSI-X vectors; 1 to %d can be had",
                object_get_typename(OBJECT(dev)), nr, MSIX_MAX_VECTORS);
    return false;
}

/* Into the BARs' regions; dev->msix is there. */
static bool msix_place(PCIDevice *dev, MemoryRegion *table_bar, int table_bar_nr,
                       uint32_t table_offset, MemoryRegion *pba_bar, int pba_bar_nr,
                       uint32_t pba_offset, uint8_t cap_offset, GError **error)
{
    MSIXState *s = dev->msix;
    Object *owner = OBJECT(dev);

    g_assert(table_offset % 8 == 0 && pba_offset % 8 == 0);
    cap_offset = pci_add_capability(dev, PCI_CAP_ID_MSIX, cap_offset, PCI_CAP_MSIX_SIZEOF, error);
    if (!cap_offset) {
        return false;
    }
    dev->msix_cap = cap_offset;
    pci_set_word(dev->config + cap_offset + PCI_MSIX_FLAGS, (uint16_t)(s->nr - 1));
    pci_set_long(dev->config + cap_offset + PCI_MSIX_TABLE, table_offset | (uint32_t)table_bar_nr);
    pci_set_long(dev->config + cap_offset + PCI_MSIX_PBA, pba_offset | (uint32_t)pba_bar_nr);
    dev->wmask[cap_offset + MSIX_CONTROL_HIGH] =
        (PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL) >> 8;
    memory_region_init_io(&s->table_mr, owner, &msix_table_ops, dev, "msix-table",
                          msix_table_size(s->nr));
    memory_region_init_io(&s->pba_mr, owner, &msix_pba_ops, dev, "msix-pba", msix_pba_size(s->nr));
    memory_region_add_subregion_overlap(table_bar, table_offset, &s->table_mr, 1);
    memory_region_add_subregion_overlap(pba_bar, pba_offset, &s->pba_mr, 1);
    msix_reset(dev);
    return true;
}

bool msix_init(PCIDevice *dev, unsigned nr_vectors, MemoryRegion *table_bar, int table_bar_nr,
               uint32_t table_offset, MemoryRegion *pba_bar, int pba_bar_nr, uint32_t pba_offset,
               uint8_t cap_offset, GError **error)
{
    if (!msix_check(dev, nr_vectors, error)) {
        return false;
    }
    msix_new(dev, nr_vectors);
    return msix_place(dev, table_bar, table_bar_nr, table_offset, pba_bar, pba_bar_nr, pba_offset,
                      cap_offset, error);
}

bool msix_init_exclusive_bar(PCIDevice *dev, unsigned nr_vectors, int bar_nr, GError **error)
{
    uint32_t pba_offset, size = MSIX_MIN_BAR;
    MSIXState *s;

    if (!msix_check(dev, nr_vectors, error)) {
        return false;
    }
    pba_offset = MAX(MSIX_PBA_IN_BAR, msix_table_size(nr_vectors));
    while (size < pba_offset + msix_pba_size(nr_vectors)) {
        size <<= 1;
    }
    s = msix_new(dev, nr_vectors);
    memory_region_init(&s->bar, OBJECT(dev), "msix", size);
    pci_register_bar(dev, bar_nr, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->bar);
    return msix_place(dev, &s->bar, bar_nr, 0, &s->bar, bar_nr, pba_offset, 0, error);
}
