/* SPDX-License-Identifier: MIT
 *
 * Bus mastering.  RAM is copied to and from at once.  Anything else is a device, whose
 * callbacks take its lock: called from here, under the lock of the master, two devices
 * that write to each other would deadlock and one that writes to itself would be entered twice.
 * Writes are therefore posted (as PCI bridges post them, PCI 3.0 3.2.5) to the machine's
 * event loop; a read cannot wait for that and fails.
 */
#include <string.h>
#include "hw/core/machine.h"
#include "hw/pci/pci-internal.h"
#include "system/log.h"

#define PCI_MAX_POSTED (1 << 20)

typedef struct PostedWrite {
    PCIDevice *dev;
    hwaddr addr;
    size_t len;
    uint8_t data[];
} PostedWrite;

static MemTxAttrs pci_attrs(const PCIDevice *dev)
{
    return (MemTxAttrs){.dma = 1, .requester_id = (unsigned)pci_requester_id(dev) & 0xffff};
}

static void pci_posted_write(void *opaque)
{
    PostedWrite *w = opaque;
    PCIDevice *dev = w->dev;

    g_atomic_int_add(&dev->posted_bytes, -(gint)w->len);
    if (qdev_is_realized(&dev->parent_obj)) {
        address_space_write(&dev->bus_master_as, w->addr, pci_attrs(dev), w->data, w->len);
    }
    object_unref(dev);
    g_free(w);
}

static MemTxResult pci_post_write(PCIDevice *dev, hwaddr addr, const void *buf, size_t len)
{
    PostedWrite *w;

    if (len > PCI_MAX_POSTED || g_atomic_int_get(&dev->posted_bytes) > PCI_MAX_POSTED - (gint)len) {
        log_guest_error("%s: too much DMA into devices, at %" G_GINT64_MODIFIER "x\n",
                        object_get_typename(OBJECT(dev)), addr);
        return MEMTX_ERROR;
    }
    log_guest_error("%s: DMA into a device at %" G_GINT64_MODIFIER "x is posted\n",
                    object_get_typename(OBJECT(dev)), addr);
    g_atomic_int_add(&dev->posted_bytes, (gint)len);
    w = g_malloc(sizeof(*w) + len);
    w->dev = PCI_DEVICE(object_ref(dev));
    w->addr = addr;
    w->len = len;
    memcpy(w->data, buf, len);
    event_loop_call(dev->machine->loop, pci_posted_write, w);
    return MEMTX_OK;
}

static MemTxResult pci_refuse_read(PCIDevice *dev, hwaddr addr, void *buf, size_t len)
{
    log_guest_error("%s: DMA from a device at %" G_GINT64_MODIFIER "x is refused\n",
                    object_get_typename(OBJECT(dev)), addr);
    memset(buf, 0xff, len);
    return MEMTX_ERROR;
}

static bool pci_may_master(const PCIDevice *dev)
{
    return (pci_get_word(dev->config + PCI_COMMAND) & PCI_COMMAND_MASTER) && !dev->powered_off &&
           !pci_in_d3hot(dev);
}

/* To the end of the 4 KiB page: what is not RAM is looked at again from there. */
static size_t pci_page_rest(hwaddr addr, size_t len)
{
    return MIN(len, 4096 - (size_t)(addr & 4095));
}

MemTxResult pci_dma_read(PCIDevice *dev, hwaddr addr, void *buf, size_t len)
{
    MemTxResult result = MEMTX_OK;
    uint8_t *p = buf;

    if (!pci_may_master(dev)) {
        memset(buf, 0xff, len);
        return MEMTX_DECODE_ERROR;
    }
    while (len) {
        size_t n = len;
        void *host = address_space_map(&dev->bus_master_as, addr, &n, false);

        if (host) {
            memcpy(p, host, n);
            address_space_unmap(&dev->bus_master_as, host, n, false, n);
        } else {
            n = pci_page_rest(addr, len);
            result |= pci_refuse_read(dev, addr, p, n);
        }
        addr += n;
        p += n;
        len -= n;
    }
    return result;
}

MemTxResult pci_dma_write(PCIDevice *dev, hwaddr addr, const void *buf, size_t len)
{
    MemTxResult result = MEMTX_OK;
    const uint8_t *p = buf;

    if (!pci_may_master(dev)) {
        return MEMTX_DECODE_ERROR;
    }
    while (len) {
        size_t n = len;
        void *host = address_space_map(&dev->bus_master_as, addr, &n, true);

        if (host) {
            memcpy(host, p, n);
            address_space_unmap(&dev->bus_master_as, host, n, true, n);
        } else {
            n = pci_page_rest(addr, len);
            result |= pci_post_write(dev, addr, p, n);
        }
        addr += n;
        p += n;
        len -= n;
    }
    return result;
}
