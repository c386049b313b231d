/* SPDX-License-Identifier: MIT
 *
 * Root hub ports (4.19, 5.4.8).  Those of USB 2 come first; what there is to plug in is USB 2, so
 * the ports of USB 3 behind them stay empty.
 */
#include "hw/usb/xhci-internal.h"

#define PORT_CONNECTED  (1u << 0)
#define PORT_ENABLED    (1u << 1)
#define PORT_RESET      (1u << 4)
#define PORT_POWER      (1u << 9)
#define PORT_LWS        (1u << 16) /* link state write strobe */
#define PORT_CSC        (1u << 17)
#define PORT_PEC        (1u << 18)
#define PORT_PRC        (1u << 21)
#define PORT_PLC        (1u << 22)
#define PORT_CHANGES    (0x7fu << 17)
#define PORT_WAKE_BITS  (7u << 25)
#define PORT_INDICATOR  (3u << 14)
#define PORT_WARM       (1u << 31)
#define PORT_SPEED(n)   ((uint32_t)(n) << 10)
#define PORT_SPEED_MASK (0xfu << 10)
#define PORT_PLS(n)     ((uint32_t)(n) << 5)
#define PORT_PLS_MASK   (0xfu << 5)

enum {
    PLS_U0 = 0,
    PLS_U3 = 3,
    PLS_DISABLED = 4,
    PLS_RX_DETECT = 5,
    PLS_POLLING = 7,
    PLS_RESUME = 15
};

static const uint8_t speed_ids[] = {
    [USB_SPEED_LOW] = 2, [USB_SPEED_FULL] = 1, [USB_SPEED_HIGH] = 3, [USB_SPEED_SUPER] = 4};

unsigned xhci_port_number(const XHCIState *s, unsigned bus_port)
{
    return bus_port + 1;
}

USBDevice *xhci_port_device(XHCIState *s, unsigned number)
{
    USBDevice *dev = number >= 1 && number <= s->p2 ? usb_bus_get(s->bus, number - 1) : NULL;

    return dev && dev->attached ? dev : NULL;
}

/* New change bits: an event for the first. */
static void port_notify(XHCIState *s, unsigned n, uint32_t changes)
{
    bool first = !(s->portsc[n] & PORT_CHANGES);

    if ((s->portsc[n] & changes) == changes) {
        return;
    }
    s->portsc[n] |= changes;
    s->usbsts |= USBSTS_PCD;
    if (first) {
        xhci_event(s, 0, TRB_PORT_EVENT, CC_SUCCESS, (uint64_t)(n + 1) << 24, 0, 0);
    }
}

static void port_connect(XHCIState *s, unsigned n)
{
    USBDevice *dev = xhci_port_device(s, n + 1);

    s->portsc[n] &= ~(PORT_CONNECTED | PORT_ENABLED | PORT_SPEED_MASK | PORT_PLS_MASK);
    if (dev) {
        s->portsc[n] |= PORT_CONNECTED | PORT_SPEED(speed_ids[dev->speed]) | PORT_PLS(PLS_POLLING);
    } else {
        s->portsc[n] |= PORT_PLS(PLS_RX_DETECT);
    }
}

void xhci_ports_reset(XHCIState *s)
{
    for (unsigned n = 0; n < xhci_nr_ports(s); n++) {
        s->portsc[n] = PORT_POWER;
        s->portpmsc[n] = 0;
        port_connect(s, n);
        if (s->portsc[n] & PORT_CONNECTED) {
            s->portsc[n] |= PORT_CSC;
        }
    }
}

void xhci_ports_update(XHCIState *s, uint32_t which)
{
    for (unsigned n = 0; n < s->p2; n++) {
        if (which & 1u << n) {
            bool enabled = s->portsc[n] & PORT_ENABLED;

            port_connect(s, n);
            port_notify(s, n, PORT_CSC | (enabled ? PORT_PEC : 0));
        }
    }
}

static void port_reset(XHCIState *s, unsigned n)
{
    USBDevice *dev = xhci_port_device(s, n + 1);

    if (dev) {
        usb_device_reset(dev);
        s->portsc[n] &= ~PORT_PLS_MASK;
        s->portsc[n] |= PORT_ENABLED | PORT_PLS(PLS_U0);
    }
    port_notify(s, n, PORT_PRC);
}

static void port_set_link(XHCIState *s, unsigned n, unsigned state)
{
    unsigned now = s->portsc[n] >> 5 & 0xf;

    if (!(s->portsc[n] & PORT_ENABLED) || state == now) {
        return;
    }
    if (state == PLS_U0 || state == PLS_U3 || state == PLS_RESUME) {
        s->portsc[n] = (s->portsc[n] & ~PORT_PLS_MASK) | PORT_PLS(state);
        if (state == PLS_U0 && now != PLS_RESUME) {
            port_notify(s, n, PORT_PLC);
        }
    }
}

void xhci_port_write(XHCIState *s, unsigned n, uint32_t value)
{
    uint32_t *portsc = &s->portsc[n];

    *portsc &= ~(value & PORT_CHANGES);
    *portsc = (*portsc & ~(PORT_WAKE_BITS | PORT_INDICATOR)) |
              (value & (PORT_WAKE_BITS | PORT_INDICATOR));
    if (!(value & PORT_POWER)) { /* no power switches (5.3.6, PPC is 0): it stays on */
        *portsc |= PORT_POWER;
    }
    if (value & PORT_ENABLED) { /* written as one: disable */
        *portsc &= ~(PORT_ENABLED | PORT_PLS_MASK);
        *portsc |= PORT_PLS(*portsc & PORT_CONNECTED ? PLS_POLLING : PLS_RX_DETECT);
    }
    if (value & (PORT_RESET | (n >= s->p2 ? PORT_WARM : 0))) {
        port_reset(s, n);
    } else if (value & PORT_LWS) {
        port_set_link(s, n, value >> 5 & 0xf);
    }
}
