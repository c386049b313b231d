/* SPDX-License-Identifier: MIT
 *
 * Rings in guest memory (4.9), and interrupters (4.17).
 */
#include <string.h>
#include "hw/usb/xhci-internal.h"
#include "system/log.h"

#define LINKS_IN_A_ROW 32 /* a ring of nothing but links is no ring */
#define SEGMENT_MIN    16
#define SEGMENT_MAX    4096

static void xhci_host_error(XHCIState *s, uint64_t addr)
{
    log_guest_error("xhci: no memory at %#" G_GINT64_MODIFIER "x\n", addr);
    s->usbsts |= USBSTS_HSE | USBSTS_HALTED;
    s->usbcmd &= ~USBCMD_RUN;
    s->crcr &= ~(uint64_t)CRCR_RUNNING;
}

bool xhci_dma_read(XHCIState *s, uint64_t addr, void *buf, size_t len)
{
    if (pci_dma_read(&s->parent_obj, addr, buf, len) == MEMTX_OK) {
        return true;
    }
    xhci_host_error(s, addr);
    return false;
}

bool xhci_dma_write(XHCIState *s, uint64_t addr, const void *buf, size_t len)
{
    if (pci_dma_write(&s->parent_obj, addr, buf, len) == MEMTX_OK) {
        return true;
    }
    xhci_host_error(s, addr);
    return false;
}

bool xhci_read_dwords(XHCIState *s, uint64_t addr, uint32_t *dwords, unsigned n)
{
    if (!xhci_dma_read(s, addr, dwords, n * sizeof(*dwords))) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        dwords[i] = GUINT32_FROM_LE(dwords[i]);
    }
    return true;
}

bool xhci_write_dwords(XHCIState *s, uint64_t addr, const uint32_t *dwords, unsigned n)
{
    uint32_t le[16];

    for (unsigned i = 0; i < n; i++) {
        le[i] = GUINT32_TO_LE(dwords[i]);
    }
    return xhci_dma_write(s, addr, le, n * sizeof(*le));
}

/* ---- transfer and command rings -------------------------------------------------------------- */

bool xhci_ring_fetch(XHCIState *s, Ring *ring, TRB *trb)
{
    for (unsigned links = 0; links < LINKS_IN_A_ROW; links++) {
        uint32_t d[4];

        if (!xhci_read_dwords(s, ring->dequeue, d, 4) || (d[3] & TRB_CYCLE) != ring->cycle) {
            return false;
        }
        *trb = (TRB){d[0] | (uint64_t)d[1] << 32, d[2], d[3], ring->dequeue};
        if (TRB_TYPE(d[3]) != TRB_LINK) {
            ring->dequeue += XHCI_TRB_SIZE;
            return true;
        }
        ring->dequeue = trb->parameter & ~0xfull;
        ring->cycle ^= (d[3] & TRB_TOGGLE) != 0;
    }
    log_guest_error("xhci: a ring of links\n");
    return false;
}

/* ---- interrupts ----------------------------------------------------------------------------- */

void xhci_update_irq(XHCIState *s)
{
    const Interrupter *first = &s->interrupters[0];
    bool level =
        (s->usbcmd & USBCMD_INTE) && (first->iman & IMAN_ENABLE) && (first->iman & IMAN_PENDING);

    pci_set_irq(&s->parent_obj, level && !msix_enabled(&s->parent_obj));
}

/* Pending, until the guest has looked: the message is sent once. */
static void interrupter_raise(XHCIState *s, unsigned n)
{
    Interrupter *i = &s->interrupters[n];
    bool busy = i->erdp & ERDP_BUSY;

    i->erdp |= ERDP_BUSY;
    i->iman |= IMAN_PENDING;
    s->usbsts |= USBSTS_EINT;
    if (busy) {
        return;
    }
    if (msix_enabled(&s->parent_obj)) {
        if ((i->iman & IMAN_ENABLE) && (s->usbcmd & USBCMD_INTE)) {
            i->iman &= ~IMAN_PENDING; /* a message carries it away (4.17.5) */
            msix_notify(&s->parent_obj, n);
        }
    } else {
        xhci_update_irq(s);
    }
}

/* ---- event rings ---------------------------------------------------------------------------- */

void xhci_interrupter_set_table(XHCIState *s, unsigned n)
{
    Interrupter *i = &s->interrupters[n];
    uint32_t d[4];

    i->segment_size = 0;
    i->nr_held = 0;
    if (!i->erstsz || !xhci_read_dwords(s, i->erstba, d, 4)) {
        return;
    }
    if ((d[2] & 0xffff) < SEGMENT_MIN || (d[2] & 0xffff) > SEGMENT_MAX) {
        log_guest_error("xhci: an event ring of %u\n", d[2] & 0xffff);
        return;
    }
    i->segment = (d[0] & ~0x3fu) | (uint64_t)d[1] << 32;
    i->segment_size = d[2] & 0xffff;
    i->enqueue = 0;
    i->cycle = true;
}

static bool ring_is_full(const Interrupter *i)
{
    uint64_t dequeue = ((i->erdp & ~0xfull) - i->segment) / XHCI_TRB_SIZE;

    return (i->enqueue + 1) % i->segment_size == dequeue;
}

static void put_event(XHCIState *s, Interrupter *i, const TRB *trb)
{
    uint32_t d[4] = {(uint32_t)trb->parameter, (uint32_t)(trb->parameter >> 32), trb->status,
                     trb->control | (i->cycle ? TRB_CYCLE : 0)};

    xhci_write_dwords(s, i->segment + (uint64_t)i->enqueue * XHCI_TRB_SIZE, d, 4);
    if (++i->enqueue == i->segment_size) {
        i->enqueue = 0;
        i->cycle = !i->cycle;
    }
}

static void add_event(XHCIState *s, unsigned n, const TRB *trb)
{
    Interrupter *i = &s->interrupters[n];

    if (!i->segment_size) {
        log_guest_error("xhci: an event with no ring to put it in\n");
        return;
    }
    if (i->nr_held || ring_is_full(i)) {
        if (i->nr_held < XHCI_EVENTS_HELD) {
            i->held[i->nr_held++] = *trb;
        } else {
            log_guest_error("xhci: event ring %u is full: an event is lost\n", n);
        }
        return;
    }
    put_event(s, i, trb);
    interrupter_raise(s, n);
}

void xhci_interrupter_set_dequeue(XHCIState *s, unsigned n, uint64_t erdp)
{
    Interrupter *i = &s->interrupters[n];
    bool busy = (i->erdp & ERDP_BUSY) && !(erdp & ERDP_BUSY);
    uint32_t put = 0;

    i->erdp = (erdp & ~(uint64_t)ERDP_BUSY) | (busy ? ERDP_BUSY : 0);
    while (i->segment_size && put < i->nr_held && !ring_is_full(i)) {
        put_event(s, i, &i->held[put++]);
    }
    memmove(i->held, i->held + put, (i->nr_held - put) * sizeof(i->held[0]));
    i->nr_held -= put;
    if (put) {
        interrupter_raise(s, n);
    } else if (!busy && i->segment_size && !msix_enabled(&s->parent_obj)) {
        xhci_update_irq(s);
    }
}

void xhci_event(XHCIState *s, unsigned interrupter, TRBType type, CompletionCode code,
                uint64_t parameter, uint32_t length, uint32_t control)
{
    TRB trb = {parameter, (uint32_t)code << 24 | (length & 0xffffff),
               control | (uint32_t)type << 10};

    if (!(s->usbsts & USBSTS_HALTED)) {
        add_event(s, interrupter < s->intrs ? interrupter : 0, &trb);
    }
}
