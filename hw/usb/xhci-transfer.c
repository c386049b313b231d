/* SPDX-License-Identifier: MIT
 *
 * Transfer descriptors (4.11).  A descriptor is looked at whole and done whole: while the device
 * has nothing (NAK), the ring stays where it is and is read again when the device calls.
 */
#include <string.h>
#include "hw/usb/xhci-internal.h"
#include "system/log.h"

#define TDS_A_KICK 64 /* the rest is the bottom half's */

typedef struct Transfer {
    TRB trbs[XHCI_TD_TRBS];
    unsigned nr_trbs;
    uint32_t length; /* of the data */
    Ring after;
} Transfer;

static uint32_t trb_length(const TRB *trb)
{
    return trb->status & 0x1ffff;
}

static bool trb_has_data(const TRB *trb)
{
    TRBType type = TRB_TYPE(trb->control);

    return type == TRB_NORMAL || type == TRB_DATA || type == TRB_ISOCH;
}

/* ---- events --------------------------------------------------------------------------------- */

static void transfer_event(XHCIState *s, unsigned slot, unsigned ep, const TRB *trb,
                           CompletionCode code, uint32_t length)
{
    uint32_t control = (uint32_t)slot << 24 | (uint32_t)ep << 16;
    unsigned interrupter = trb->status >> 22;

    if (TRB_TYPE(trb->control) == TRB_EVENT_DATA) {
        control |= 1u << 2; /* the parameter is the guest's own */
        xhci_event(s, interrupter, TRB_TRANSFER_EVENT, code, trb->parameter, length, control);
    } else {
        xhci_event(s, interrupter, TRB_TRANSFER_EVENT, code, trb->addr, length, control);
    }
}

/* `done` bytes went through the descriptor's buffers in their order (4.10.1). */
static void report_success(XHCIState *s, unsigned slot, unsigned ep, const Transfer *t,
                           uint32_t done)
{
    uint32_t left = done, counted = 0;
    bool was_short = false;

    for (unsigned i = 0; i < t->nr_trbs; i++) {
        const TRB *trb = &t->trbs[i];
        uint32_t part = trb_has_data(trb) ? MIN(left, trb_length(trb)) : 0;
        bool now_short = trb_has_data(trb) && part < trb_length(trb) && !was_short;
        bool is_event_data = TRB_TYPE(trb->control) == TRB_EVENT_DATA;
        bool skipped = was_short && trb_has_data(trb);

        left -= part;
        counted += part;
        was_short |= now_short;
        if (skipped || !((trb->control & TRB_IOC) || (now_short && trb->control & TRB_SHORT_IRQ))) {
            continue;
        }
        transfer_event(s, slot, ep, trb,
                       now_short || (was_short && is_event_data) ? CC_SHORT_PACKET : CC_SUCCESS,
                       is_event_data       ? counted
                       : trb_has_data(trb) ? trb_length(trb) - part
                                           : 0);
    }
}

static void halt(XHCIState *s, unsigned slot, unsigned ep, const TRB *trb, CompletionCode code)
{
    Endpoint *e = &s->slots[slot].endpoints[ep];

    e->state = EP_HALTED;
    xhci_endpoint_write_context(s, slot, ep);
    transfer_event(s, slot, ep, trb, code, trb_has_data(trb) ? trb_length(trb) : 0);
}

/* ---- data ----------------------------------------------------------------------------------- */

static bool gather(XHCIState *s, const Transfer *t)
{
    uint32_t at = 0;

    for (unsigned i = 0; i < t->nr_trbs; i++) {
        const TRB *trb = &t->trbs[i];
        uint32_t len = trb_length(trb);

        if (!trb_has_data(trb)) {
            continue;
        }
        if (trb->control & TRB_IMMEDIATE) {
            uint64_t le = GUINT64_TO_LE(trb->parameter);

            len = MIN(len, 8);
            memcpy(s->buffer + at, &le, len);
        } else if (!xhci_dma_read(s, trb->parameter, s->buffer + at, len)) {
            return false;
        }
        at += len;
    }
    return true;
}

static bool scatter(XHCIState *s, const Transfer *t, uint32_t length)
{
    uint32_t at = 0;

    for (unsigned i = 0; i < t->nr_trbs && at < length; i++) {
        const TRB *trb = &t->trbs[i];
        uint32_t len = MIN(trb_length(trb), length - at);

        if (trb_has_data(trb)) {
            if (!xhci_dma_write(s, trb->parameter, s->buffer + at, len)) {
                return false;
            }
            at += len;
        }
    }
    return true;
}

/* ---- descriptors ---------------------------------------------------------------------------- */

typedef enum Fetched { FETCH_NONE, FETCH_DONE, FETCH_BAD } Fetched;

/* To the one that is not chained; for control endpoints from the setup to the status stage. */
static Fetched fetch(XHCIState *s, const Endpoint *e, Transfer *t)
{
    t->after = e->ring;
    t->nr_trbs = t->length = 0;
    for (;;) {
        TRB *trb = &t->trbs[t->nr_trbs];

        if (!xhci_ring_fetch(s, &t->after, trb)) {
            return FETCH_NONE;
        }
        if (trb_has_data(trb)) {
            t->length += trb_length(trb);
        }
        t->nr_trbs++;
        if (t->length > sizeof(s->buffer) || t->nr_trbs == XHCI_TD_TRBS) {
            return FETCH_BAD;
        }
        if (trb->control & TRB_CHAIN) {
            continue;
        }
        if (e->type != EP_CONTROL || TRB_TYPE(trb->control) == TRB_STATUS ||
            TRB_TYPE(trb->control) == TRB_NOOP) {
            return FETCH_DONE;
        }
    }
}

/* True: it is done with, in whatever way; false: the device has nothing yet. */
static bool run_control(XHCIState *s, unsigned slot, unsigned ep, USBDevice *dev, const Transfer *t)
{
    uint64_t p = t->trbs[0].parameter;
    USBSetup setup = {(uint8_t)p, (uint8_t)(p >> 8), (uint16_t)(p >> 16), (uint16_t)(p >> 32),
                      (uint16_t)(p >> 48)};
    const TRB *last = &t->trbs[t->nr_trbs - 1];
    bool in = setup.request_type & USB_DIR_IN;
    int ret;

    if (TRB_TYPE(t->trbs[0].control) != TRB_SETUP || setup.length > USB_MAX_CONTROL) {
        halt(s, slot, ep, &t->trbs[0], CC_TRB_ERROR);
        return true;
    }
    /* A device reads no more than its stage has. */
    memset(dev->control_data, 0, setup.length);
    if (!in) {
        if (!gather(s, t)) {
            return true;
        }
        memcpy(dev->control_data, s->buffer, MIN(t->length, setup.length));
    }
    ret = usb_device_control(dev, &setup, dev->control_data);
    if (ret < 0) {
        halt(s, slot, ep, t->nr_trbs > 2 ? &t->trbs[1] : last, CC_STALL);
        return true;
    }
    if (in) {
        ret = MIN(ret, (int)t->length);
        memcpy(s->buffer, dev->control_data, (size_t)ret);
        if (!scatter(s, t, (uint32_t)ret)) {
            return true;
        }
    }
    report_success(s, slot, ep, t, in ? (uint32_t)ret : t->length);
    return true;
}

static bool run_data(XHCIState *s, unsigned slot, unsigned ep, USBDevice *dev, const Transfer *t)
{
    bool in = ep & 1;
    int ret;

    if (TRB_TYPE(t->trbs[0].control) == TRB_NOOP) {
        report_success(s, slot, ep, t, 0);
        return true;
    }
    if (!in && !gather(s, t)) {
        return true;
    }
    ret = usb_device_data(dev, ep / 2, in, s->buffer, t->length);
    if (ret == USB_RET_NAK) {
        return false;
    }
    if (ret < 0) {
        halt(s, slot, ep, &t->trbs[0], CC_STALL);
        return true;
    }
    if (in && !scatter(s, t, (uint32_t)ret)) {
        return true;
    }
    report_success(s, slot, ep, t, (uint32_t)ret);
    return true;
}

void xhci_kick(XHCIState *s, unsigned slot, unsigned ep)
{
    Endpoint *e = &s->slots[slot].endpoints[ep];
    USBDevice *dev = xhci_port_device(s, xhci_port_number(s, s->slots[slot].port));
    g_autofree Transfer *t = NULL;

    if (e->state != EP_RUNNING || (s->usbsts & USBSTS_HALTED)) {
        return;
    }
    t = g_new(Transfer, 1);
    e->waiting = false;
    for (unsigned n = 0; e->state == EP_RUNNING; n++) {
        Fetched fetched;

        if (n == TDS_A_KICK) {
            s->more_endpoints[slot] |= 1ull << ep;
            bh_schedule(s->kick_bh);
            return;
        }
        fetched = fetch(s, e, t);
        if (fetched == FETCH_NONE) {
            return;
        }
        if (fetched == FETCH_BAD || !dev) {
            halt(s, slot, ep, &t->trbs[0], dev ? CC_TRB_ERROR : CC_TRANSACTION_ERROR);
            return;
        }
        if (ep == 1 ? !run_control(s, slot, ep, dev, t) : !run_data(s, slot, ep, dev, t)) {
            e->waiting = true;
            return;
        }
        if (s->usbsts & USBSTS_HALTED) {
            return;
        }
        if (e->state == EP_RUNNING) {
            e->ring = t->after;
        }
    }
}

/* ---- contexts ------------------------------------------------------------------------------- */

void xhci_endpoint_write_context(XHCIState *s, unsigned slot, unsigned ep)
{
    const Endpoint *e = &s->slots[slot].endpoints[ep];
    uint64_t addr = s->slots[slot].context + 32 * ep;
    uint32_t d[4];

    if (xhci_read_dwords(s, addr, d, 4)) {
        d[0] = (d[0] & ~7u) | e->state;
        d[2] = (uint32_t)e->ring.dequeue | e->ring.cycle;
        d[3] = (uint32_t)(e->ring.dequeue >> 32);
        xhci_write_dwords(s, addr, d, 4);
    }
}

void xhci_endpoint_stop(XHCIState *s, unsigned slot, unsigned ep)
{
    Endpoint *e = &s->slots[slot].endpoints[ep];
    Ring ring = e->ring;
    TRB trb;

    if (e->waiting && xhci_ring_fetch(s, &ring, &trb)) {
        transfer_event(s, slot, ep, &trb, CC_STOPPED, trb_length(&trb));
    }
    e->waiting = false;
    e->state = EP_STOPPED;
    xhci_endpoint_write_context(s, slot, ep);
}
