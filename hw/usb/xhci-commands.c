/* SPDX-License-Identifier: MIT
 *
 * The command ring (4.6).
 */
#include <string.h>
#include "hw/usb/xhci-internal.h"

#define COMMANDS_A_KICK 64

static uint32_t slot_control(unsigned id)
{
    return (uint32_t)id << 24;
}

void xhci_slot_disable(XHCIState *s, unsigned id)
{
    s->slots[id] = (Slot){0};
    s->more_endpoints[id] = 0;
}

static CompletionCode enable_slot(XHCIState *s, unsigned *ret_id)
{
    unsigned most = MIN(s->config & 0xff, s->slots_max);

    for (unsigned id = 1; id <= most; id++) {
        if (!s->slots[id].enabled) {
            xhci_slot_disable(s, id);
            s->slots[id].enabled = true;
            *ret_id = id;
            return CC_SUCCESS;
        }
    }
    return CC_NO_SLOTS;
}

/* ---- contexts ------------------------------------------------------------------------------- */

static bool device_context(XHCIState *s, unsigned id)
{
    uint32_t d[2];

    if (!xhci_read_dwords(s, s->dcbaap + 8 * id, d, 2)) {
        return false;
    }
    s->slots[id].context = (d[0] & ~0x3fu) | (uint64_t)d[1] << 32;
    return true;
}

static void write_slot_state(XHCIState *s, unsigned id, const uint32_t *slot_context)
{
    uint32_t d[4];
    const Slot *slot = &s->slots[id];

    if (slot_context) {
        memcpy(d, slot_context, sizeof(d));
    } else if (!xhci_read_dwords(s, slot->context, d, 4)) {
        return;
    }
    d[3] = (uint32_t)slot->state << 27 | (slot->state >= SLOT_ADDRESSED ? id : 0);
    xhci_write_dwords(s, slot->context, d, 4);
}

static void endpoint_enable(XHCIState *s, unsigned id, unsigned ep, const uint32_t input[8])
{
    Endpoint *e = &s->slots[id].endpoints[ep];
    uint32_t d[8];

    memcpy(d, input, sizeof(d));
    *e = (Endpoint){.state = EP_RUNNING, .type = input[1] >> 3 & 7};
    e->ring.dequeue = (input[2] & ~0xfu) | (uint64_t)input[3] << 32;
    e->ring.cycle = input[2] & 1;
    if (ep == 1) {
        e->type = EP_CONTROL;
    }
    d[0] = (d[0] & ~7u) | EP_RUNNING;
    xhci_write_dwords(s, s->slots[id].context + 32 * ep, d, 8);
}

static void endpoint_disable(XHCIState *s, unsigned id, unsigned ep)
{
    static const uint32_t nothing[8];

    s->slots[id].endpoints[ep] = (Endpoint){0};
    xhci_write_dwords(s, s->slots[id].context + 32 * ep, nothing, 8);
}

/* ---- commands of a slot --------------------------------------------------------------------- */

static CompletionCode address_device(XHCIState *s, unsigned id, const TRB *trb)
{
    Slot *slot = &s->slots[id];
    bool block = trb->control & TRB_BLOCK_SETADR;
    uint64_t input = trb->parameter & ~0xfull;
    uint32_t flags[2], slot_context[8], ep0[8];
    unsigned port;
    USBDevice *dev;

    if (!xhci_read_dwords(s, input, flags, 2) ||
        !xhci_read_dwords(s, input + 32, slot_context, 8) ||
        !xhci_read_dwords(s, input + 64, ep0, 8) || !device_context(s, id)) {
        return CC_TRB_ERROR;
    }
    if (flags[0] || (flags[1] & 3) != 3) {
        return CC_TRB_ERROR;
    }
    if (slot->state > (block ? SLOT_ENABLED : SLOT_DEFAULT)) {
        return CC_CONTEXT_STATE_ERROR;
    }
    port = slot_context[1] >> 16 & 0xff;
    dev = xhci_port_device(s, port);
    if (!dev || (slot_context[0] & 0xfffff)) { /* there are no hubs to route through */
        return CC_TRANSACTION_ERROR;
    }
    slot->port = (uint8_t)(port - 1);
    slot->interrupter = (uint16_t)(slot_context[2] >> 22);
    slot->state = block ? SLOT_DEFAULT : SLOT_ADDRESSED;
    if (!block) {
        USBSetup setup = {0, USB_SET_ADDRESS, (uint16_t)id, 0, 0};

        usb_device_control(dev, &setup, dev->control_data);
    }
    write_slot_state(s, id, slot_context);
    endpoint_enable(s, id, 1, ep0);
    return CC_SUCCESS;
}

static void deconfigure(XHCIState *s, unsigned id)
{
    for (unsigned ep = 2; ep <= XHCI_ENDPOINTS; ep++) {
        if (s->slots[id].endpoints[ep].state != EP_DISABLED) {
            endpoint_disable(s, id, ep);
        }
    }
}

static CompletionCode configure_endpoint(XHCIState *s, unsigned id, const TRB *trb)
{
    Slot *slot = &s->slots[id];
    uint64_t input = trb->parameter & ~0xfull;
    uint32_t flags[2], in[8], d[4];

    if (slot->state < SLOT_ADDRESSED) {
        return CC_CONTEXT_STATE_ERROR;
    }
    if (trb->control & TRB_BLOCK_SETADR) {
        deconfigure(s, id);
        slot->state = SLOT_ADDRESSED;
        write_slot_state(s, id, NULL);
        return CC_SUCCESS;
    }
    if (!xhci_read_dwords(s, input, flags, 2) || (flags[0] & 3) || (flags[1] & 3) != 1) {
        return CC_TRB_ERROR;
    }
    for (unsigned ep = 2; ep <= XHCI_ENDPOINTS; ep++) {
        if (flags[0] >> ep & 1) {
            endpoint_disable(s, id, ep);
        }
        if (flags[1] >> ep & 1) {
            if (!xhci_read_dwords(s, input + 32 * (ep + 1), in, 8)) {
                return CC_TRB_ERROR;
            }
            endpoint_enable(s, id, ep, in);
        }
    }
    slot->state = SLOT_CONFIGURED;
    if (xhci_read_dwords(s, input + 32, in, 4) && xhci_read_dwords(s, slot->context, d, 4)) {
        d[0] = (d[0] & ~(0x1fu << 27)) | (in[0] & 0x1fu << 27); /* context entries */
        write_slot_state(s, id, d);
    }
    return CC_SUCCESS;
}

static CompletionCode evaluate_context(XHCIState *s, unsigned id, const TRB *trb)
{
    Slot *slot = &s->slots[id];
    uint64_t input = trb->parameter & ~0xfull;
    uint32_t flags[2], in[4], d[4];

    if (slot->state < SLOT_DEFAULT) {
        return CC_CONTEXT_STATE_ERROR;
    }
    if (!xhci_read_dwords(s, input, flags, 2) || flags[0] || (flags[1] & ~3u)) {
        return CC_TRB_ERROR;
    }
    if ((flags[1] & 1) && xhci_read_dwords(s, input + 32, in, 4) &&
        xhci_read_dwords(s, slot->context, d, 4)) {
        d[1] = (d[1] & ~0xffffu) | (in[1] & 0xffff); /* exit latency */
        d[2] = (d[2] & ~0xffc00000u) | (in[2] & 0xffc00000u);
        slot->interrupter = (uint16_t)(in[2] >> 22);
        xhci_write_dwords(s, slot->context, d, 4);
    }
    if ((flags[1] & 2) && xhci_read_dwords(s, input + 64, in, 4) &&
        xhci_read_dwords(s, slot->context + 32, d, 4)) {
        d[1] = (d[1] & 0xffff) | (in[1] & 0xffff0000u); /* largest packet */
        xhci_write_dwords(s, slot->context + 32, d, 4);
    }
    return CC_SUCCESS;
}

static CompletionCode reset_device(XHCIState *s, unsigned id)
{
    Slot *slot = &s->slots[id];
    USBDevice *dev;

    if (slot->state < SLOT_ADDRESSED) {
        return CC_CONTEXT_STATE_ERROR;
    }
    dev = xhci_port_device(s, xhci_port_number(s, slot->port));
    if (dev) {
        usb_device_reset(dev);
    }
    deconfigure(s, id);
    slot->state = SLOT_DEFAULT;
    write_slot_state(s, id, NULL);
    return CC_SUCCESS;
}

/* ---- commands of an endpoint ---------------------------------------------------------------- */

static CompletionCode endpoint_command(XHCIState *s, unsigned id, const TRB *trb)
{
    unsigned ep = TRB_ENDPOINT(trb->control);
    Endpoint *e = &s->slots[id].endpoints[ep];

    if (ep == 0) {
        return CC_TRB_ERROR;
    }
    if (e->state == EP_DISABLED) {
        return CC_ENDPOINT_NOT_ENABLED;
    }
    switch (TRB_TYPE(trb->control)) {
    case TRB_STOP_ENDPOINT:
        if (e->state != EP_RUNNING) {
            return CC_CONTEXT_STATE_ERROR;
        }
        xhci_endpoint_stop(s, id, ep);
        return CC_SUCCESS;
    case TRB_RESET_ENDPOINT:
        if (e->state != EP_HALTED) {
            return CC_CONTEXT_STATE_ERROR;
        }
        e->state = EP_STOPPED;
        break;
    default: /* TRB_SET_DEQUEUE */
        if (e->state != EP_STOPPED && e->state != EP_ERROR) {
            return CC_CONTEXT_STATE_ERROR;
        }
        e->ring.dequeue = trb->parameter & ~0xfull;
        e->ring.cycle = trb->parameter & 1;
        break;
    }
    xhci_endpoint_write_context(s, id, ep);
    return CC_SUCCESS;
}

/* ---- the ring ------------------------------------------------------------------------------- */

static CompletionCode slot_command(XHCIState *s, unsigned id, const TRB *trb)
{
    if (id < 1 || id > s->slots_max || !s->slots[id].enabled) {
        return CC_SLOT_NOT_ENABLED;
    }
    switch (TRB_TYPE(trb->control)) {
    case TRB_DISABLE_SLOT:
        xhci_slot_disable(s, id);
        return CC_SUCCESS;
    case TRB_ADDRESS_DEVICE:
        return address_device(s, id, trb);
    case TRB_CONFIGURE_ENDPOINT:
        return configure_endpoint(s, id, trb);
    case TRB_EVALUATE_CONTEXT:
        return evaluate_context(s, id, trb);
    case TRB_RESET_DEVICE:
        return reset_device(s, id);
    case TRB_RESET_ENDPOINT:
    case TRB_STOP_ENDPOINT:
    case TRB_SET_DEQUEUE:
        return endpoint_command(s, id, trb);
    default:
        return CC_TRB_ERROR;
    }
}

static void run_command(XHCIState *s, const TRB *trb)
{
    unsigned id = TRB_SLOT(trb->control);
    CompletionCode code;

    switch (TRB_TYPE(trb->control)) {
    case TRB_NOOP_COMMAND:
        id = 0;
        code = CC_SUCCESS;
        break;
    case TRB_ENABLE_SLOT:
        id = 0;
        code = enable_slot(s, &id);
        break;
    default:
        code = slot_command(s, id, trb);
        break;
    }
    xhci_event(s, 0, TRB_COMMAND_EVENT, code, trb->addr, 0, slot_control(id));
}

void xhci_run_commands(XHCIState *s)
{
    TRB trb;

    s->more_commands = false;
    if (!(s->usbcmd & USBCMD_RUN) || (s->usbsts & USBSTS_HALTED)) {
        return;
    }
    s->crcr |= CRCR_RUNNING;
    for (unsigned n = 0; xhci_ring_fetch(s, &s->command_ring, &trb); n++) {
        run_command(s, &trb);
        if (n == COMMANDS_A_KICK) {
            s->more_commands = true;
            bh_schedule(s->kick_bh);
            return;
        }
    }
}
