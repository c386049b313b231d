/* SPDX-License-Identifier: MIT
 *
 * MSI-X: capability 11h, a table of messages and pending bits in BARs.
 * PCI Local Bus Specification 3.0, 6.8.2.  In realize, of any PCI device; undone with it.
 */
#ifndef HW_PCI_MSIX_H
#define HW_PCI_MSIX_H

#include "hw/pci/pci.h"

#define MSIX_MAX_VECTORS 2048

/*
 * 1 to 2048 vectors; their table lies in `table_bar` (the region registered as BAR table_bar_nr)
 * at table_offset, the pending bits in pba_bar; offsets are multiples of 8.  `cap_offset` 0: find
 * room.
 */
bool msix_init(PCIDevice *dev, unsigned nr_vectors, MemoryRegion *table_bar, int table_bar_nr,
               uint32_t table_offset, MemoryRegion *pba_bar, int pba_bar_nr, uint32_t pba_offset,
               uint8_t cap_offset, GError **error);
/* The same with a memory BAR of their own: table at 0, pending bits at 0x800 or behind it. */
bool msix_init_exclusive_bar(PCIDevice *dev, unsigned nr_vectors, int bar_nr, GError **error);

unsigned msix_nr_vectors(const PCIDevice *dev);
bool msix_enabled(const PCIDevice *dev);
/* By its own mask or by that of the function, or because MSI-X is off. */
bool msix_is_masked(const PCIDevice *dev, unsigned vector);
/* Send the message, or set the pending bit while it is masked.  Device lock held. */
void msix_notify(PCIDevice *dev, unsigned vector);
bool msix_is_pending(const PCIDevice *dev, unsigned vector);
void msix_set_pending(PCIDevice *dev, unsigned vector);
void msix_clear_pending(PCIDevice *dev, unsigned vector);

typedef struct MSIMessage {
    uint64_t address;
    uint32_t data;
} MSIMessage;
MSIMessage msix_get_message(const PCIDevice *dev, unsigned vector);

/*
 * For back ends that signal a vector with no call here (KVM routes and event descriptors):
 * `use` when a vector becomes unmasked, or its message changes while it is; `release` when it is
 * masked again; `poll` (optional) when the guest reads pending bits of vectors first to last: set
 * those that are.  Device lock held.  NULL, NULL, NULL: none.
 */
typedef void (*MSIXUseFunc)(PCIDevice *dev, unsigned vector, MSIMessage message);
typedef void (*MSIXReleaseFunc)(PCIDevice *dev, unsigned vector);
typedef void (*MSIXPollFunc)(PCIDevice *dev, unsigned first, unsigned last);
void msix_set_vector_notifiers(PCIDevice *dev, MSIXUseFunc use, MSIXReleaseFunc release,
                               MSIXPollFunc poll);

#endif
