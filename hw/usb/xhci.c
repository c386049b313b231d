/* SPDX-License-Identifier: MIT
 *
 * The xHCI's registers (chapter 5) and its life as a PCI function.
 *
 *   BAR 0   0000  capabilities   0040  operational   0440  ports
 *           1000  runtime        2000  doorbells     3000  MSI-X table   3800  its pending bits
 */
#include <string.h>
#include "hw/core/machine.h"
#include "hw/pci/pcie.h"
#include "hw/usb/xhci-internal.h"

#define BAR_SIZE      0x4000
#define CAP_LENGTH    0x40
#define EXTENDED      0x20 /* first extended capability, within the first 40h */
#define RUNTIME       0x1000
#define DOORBELLS     0x2000
#define MSIX_TABLE    0x3000
#define MSIX_PBA      0x3800
#define PORTS         0x440
#define VERSION       0x0100
#define MICROFRAME_NS 125000

#define CAP_SUPPORTED_PROTOCOL 2
#define NAME_USB               0x20425355 /* "USB " */

enum {
    OP_USBCMD = 0x00,
    OP_USBSTS = 0x04,
    OP_PAGESIZE = 0x08,
    OP_DNCTRL = 0x14,
    OP_CRCR = 0x18,
    OP_DCBAAP = 0x30,
    OP_CONFIG = 0x38,
};

/* ---- reset ---------------------------------------------------------------------------------- */

static void xhci_reset_registers(XHCIState *s)
{
    s->usbcmd = 0;
    s->usbsts = USBSTS_HALTED;
    s->dnctrl = s->config = 0;
    s->crcr = s->dcbaap = 0;
    s->command_ring = (Ring){0};
    s->more_commands = false;
    for (unsigned id = 1; id <= XHCI_MAX_SLOTS; id++) {
        xhci_slot_disable(s, id);
    }
    memset(s->interrupters, 0, sizeof(s->interrupters));
    for (unsigned i = 0; i < XHCI_MAX_INTRS; i++) {
        s->interrupters[i].imod = 4000; /* 1 ms */
    }
    s->mfindex_start = device_clock_ns(DEVICE(s), CLOCK_VIRTUAL);
    xhci_ports_reset(s);
    xhci_update_irq(s);
}

/* ---- capabilities --------------------------------------------------------------------------- */

static uint32_t extended_read(const XHCIState *s, hwaddr addr)
{
    /* Two of 16 bytes: which ports speak USB 2.0, which USB 3.0 (7.2). */
    bool usb3 = addr & 16;
    unsigned first = usb3 ? s->p2 + 1 : 1, count = usb3 ? s->p3 : s->p2;

    switch (addr & 15) {
    case 0:
        return CAP_SUPPORTED_PROTOCOL | (usb3 || !s->p3 ? 0 : 4u << 8) | (usb3 ? 3u : 2u) << 24;
    case 4:
        return NAME_USB;
    case 8:
        return first | count << 8;
    default:
        return 0;
    }
}

static uint32_t capability_read(const XHCIState *s, hwaddr addr)
{
    switch (addr) {
    case 0x00:
        return CAP_LENGTH | VERSION << 16;
    case 0x04:
        return s->slots_max | s->intrs << 8 | xhci_nr_ports(s) << 24;
    case 0x08:
        return 0x0f; /* IST 8 frames, event rings of one segment, no scratchpads */
    case 0x10:
        return 1 | (EXTENDED / 4) << 16; /* 64-bit addresses */
    case 0x14:
        return DOORBELLS;
    case 0x18:
        return RUNTIME;
    default:
        return addr >= EXTENDED ? extended_read(s, addr - EXTENDED) : 0;
    }
}

/* ---- operational ---------------------------------------------------------------------------- */

static uint32_t low(uint64_t v)
{
    return (uint32_t)v;
}

static uint32_t high(uint64_t v)
{
    return (uint32_t)(v >> 32);
}

static void set_low(uint64_t *v, uint32_t value)
{
    *v = (*v & ~0xffffffffull) | value;
}

static void set_high(uint64_t *v, uint32_t value)
{
    *v = (*v & 0xffffffffull) | (uint64_t)value << 32;
}

static uint32_t operational_read(const XHCIState *s, hwaddr reg)
{
    switch (reg) {
    case OP_USBCMD:
        return s->usbcmd;
    case OP_USBSTS:
        return s->usbsts;
    case OP_PAGESIZE:
        return 1; /* 4 KiB */
    case OP_DNCTRL:
        return s->dnctrl;
    case OP_CRCR:
        return low(s->crcr) & CRCR_RUNNING; /* the rest reads 0 (5.4.5) */
    case OP_DCBAAP:
        return low(s->dcbaap);
    case OP_DCBAAP + 4:
        return high(s->dcbaap);
    case OP_CONFIG:
        return s->config;
    default:
        return 0;
    }
}

static void usbcmd_write(XHCIState *s, uint32_t value)
{
    if (value & USBCMD_RESET) {
        xhci_reset_registers(s);
        return;
    }
    s->usbcmd = value & 0xc0f; /* state is saved and restored at once: nothing to be done */
    if (value & 1u << 9) {
        s->usbsts |= USBSTS_SRE; /* there is nothing saved to restore from */
    }
    if (value & USBCMD_RUN) {
        s->usbsts &= ~USBSTS_HALTED;
    } else {
        s->usbsts |= USBSTS_HALTED;
        s->crcr &= ~(uint64_t)CRCR_RUNNING;
    }
    xhci_update_irq(s);
}

static void crcr_write_low(XHCIState *s, uint32_t value)
{
    if (s->crcr & CRCR_RUNNING) {
        if (value & (CRCR_STOP | CRCR_ABORT)) {
            s->crcr &= ~(uint64_t)CRCR_RUNNING;
            xhci_event(s, 0, TRB_COMMAND_EVENT, CC_COMMAND_RING_STOPPED, s->command_ring.dequeue, 0,
                       0);
        }
        return;
    }
    set_low(&s->crcr, value & ~0x3eu);
    s->command_ring = (Ring){s->crcr & ~0x3full, value & CRCR_CYCLE};
}

static void operational_write(XHCIState *s, hwaddr reg, uint32_t value)
{
    switch (reg) {
    case OP_USBCMD:
        usbcmd_write(s, value);
        break;
    case OP_USBSTS:
        s->usbsts &= ~(value & (USBSTS_HSE | USBSTS_EINT | USBSTS_PCD | USBSTS_SRE));
        break;
    case OP_DNCTRL:
        s->dnctrl = value & 0xffff;
        break;
    case OP_CRCR:
        crcr_write_low(s, value);
        break;
    case OP_CRCR + 4:
        if (!(s->crcr & CRCR_RUNNING)) {
            set_high(&s->crcr, value);
            s->command_ring.dequeue = s->crcr & ~0x3full;
        }
        break;
    case OP_DCBAAP:
        set_low(&s->dcbaap, value & ~0x3fu);
        break;
    case OP_DCBAAP + 4:
        set_high(&s->dcbaap, value);
        break;
    case OP_CONFIG:
        s->config = value & 0xff;
        break;
    }
}

/* ---- ports ---------------------------------------------------------------------------------- */

static uint32_t port_read(const XHCIState *s, hwaddr at)
{
    unsigned n = (unsigned)(at / 16);

    if (n >= xhci_nr_ports(s)) {
        return 0;
    }
    switch (at & 15) {
    case 0:
        return s->portsc[n];
    case 4:
        return s->portpmsc[n];
    default:
        return 0;
    }
}

static void port_write(XHCIState *s, hwaddr at, uint32_t value)
{
    unsigned n = (unsigned)(at / 16);

    if (n < xhci_nr_ports(s) && (at & 15) == 0) {
        xhci_port_write(s, n, value);
    } else if (n < xhci_nr_ports(s) && (at & 15) == 4) {
        s->portpmsc[n] = value;
    }
}

/* ---- runtime -------------------------------------------------------------------------------- */

static uint32_t runtime_read(XHCIState *s, hwaddr reg)
{
    unsigned n = (unsigned)(reg / 32) - 1;
    const Interrupter *i;

    if (reg < 32) {
        int64_t ns = device_clock_ns(DEVICE(s), CLOCK_VIRTUAL) - s->mfindex_start;

        return reg == 0 ? (uint32_t)(ns / MICROFRAME_NS) & 0x3fff : 0;
    }
    if (n >= s->intrs) {
        return 0;
    }
    i = &s->interrupters[n];
    switch (reg & 31) {
    case 0x00:
        return i->iman;
    case 0x04:
        return i->imod;
    case 0x08:
        return i->erstsz;
    case 0x10:
        return low(i->erstba);
    case 0x14:
        return high(i->erstba);
    case 0x18:
        return low(i->erdp);
    case 0x1c:
        return high(i->erdp);
    default:
        return 0;
    }
}

static void iman_write(XHCIState *s, Interrupter *i, uint32_t value)
{
    i->iman = (i->iman & IMAN_PENDING & ~value) | (value & IMAN_ENABLE);
    xhci_update_irq(s);
}

static void runtime_write(XHCIState *s, hwaddr reg, uint32_t value)
{
    unsigned n = (unsigned)(reg / 32) - 1;
    Interrupter *i;

    if (reg < 32 || n >= s->intrs) {
        return;
    }
    i = &s->interrupters[n];
    switch (reg & 31) {
    case 0x00:
        iman_write(s, i, value);
        break;
    case 0x04:
        i->imod = value;
        break;
    case 0x08:
        i->erstsz = value & 0xffff;
        break;
    case 0x10:
        set_low(&i->erstba, value & ~0x3fu);
        break;
    case 0x14: /* the ring begins with this (5.5.2.3.2) */
        set_high(&i->erstba, value);
        xhci_interrupter_set_table(s, n);
        break;
    case 0x18:
        xhci_interrupter_set_dequeue(s, n, (i->erdp & ~0xffffffffull) | value);
        break;
    case 0x1c: /* the place is whole with this; the busy bit was cleared with the other half */
        set_high(&i->erdp, value);
        xhci_interrupter_set_dequeue(s, n, i->erdp & ~(uint64_t)ERDP_BUSY);
        break;
    }
}

/* ---- doorbells ------------------------------------------------------------------------------ */

static void doorbell(XHCIState *s, unsigned id, uint32_t value)
{
    unsigned ep = value & 0xff;

    if (id == 0) {
        if (value == 0) {
            xhci_run_commands(s);
        }
    } else if (id <= s->slots_max && s->slots[id].enabled && ep >= 1 && ep <= XHCI_ENDPOINTS) {
        Endpoint *e = &s->slots[id].endpoints[ep];

        if (e->state == EP_STOPPED) {
            e->state = EP_RUNNING;
            xhci_endpoint_write_context(s, id, ep);
        }
        xhci_kick(s, id, ep);
    }
}

/* ---- accesses ------------------------------------------------------------------------------- */

static uint64_t xhci_mem_read(void *opaque, hwaddr addr, unsigned size)
{
    XHCIState *s = opaque;

    if (addr < CAP_LENGTH) {
        return capability_read(s, addr);
    }
    if (addr < PORTS) {
        return operational_read(s, addr - CAP_LENGTH);
    }
    if (addr < RUNTIME) {
        return port_read(s, addr - PORTS);
    }
    return addr < DOORBELLS ? runtime_read(s, addr - RUNTIME) : 0;
}

static void xhci_mem_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    XHCIState *s = opaque;

    if (addr < CAP_LENGTH) {
        return;
    }
    if (addr < PORTS) {
        operational_write(s, addr - CAP_LENGTH, (uint32_t)value);
    } else if (addr < RUNTIME) {
        port_write(s, addr - PORTS, (uint32_t)value);
    } else if (addr < DOORBELLS) {
        runtime_write(s, addr - RUNTIME, (uint32_t)value);
    } else if (addr < MSIX_TABLE) {
        doorbell(s, (unsigned)(addr - DOORBELLS) / 4, (uint32_t)value);
    }
}

static const MemoryRegionOps xhci_mem_ops = {
    .read = xhci_mem_read,
    .write = xhci_mem_write,
    .valid = {1, 8},
    .impl = {4, 4},
};

/* ---- the bus below -------------------------------------------------------------------------- */

static void xhci_attach(void *opaque, unsigned port)
{
    XHCIState *s = opaque;

    atomic_fetch_or(&s->port_changes, 1u << port);
    bh_schedule(s->kick_bh);
}

static void xhci_wakeup(void *opaque, unsigned port)
{
    XHCIState *s = opaque;

    atomic_fetch_or(&s->port_wakeups, 1u << port);
    bh_schedule(s->kick_bh);
}

static const USBBusOps xhci_bus_ops = {
    .attach = xhci_attach,
    .detach = xhci_attach,
    .wakeup = xhci_wakeup,
};

static void kick_slot(XHCIState *s, unsigned id, uint32_t wakeups)
{
    Slot *slot = &s->slots[id];
    uint64_t more = s->more_endpoints[id];

    s->more_endpoints[id] = 0;
    for (unsigned ep = 1; ep <= XHCI_ENDPOINTS; ep++) {
        bool called = slot->endpoints[ep].waiting && (wakeups & 1u << slot->port);

        if (called || (more >> ep & 1)) {
            xhci_kick(s, id, ep);
        }
    }
}

/* In the machine's loop: what devices said, and what was left over. */
static void xhci_kick_bh(void *opaque)
{
    XHCIState *s = opaque;
    uint32_t wakeups = atomic_exchange(&s->port_wakeups, 0);
    uint32_t changes = atomic_exchange(&s->port_changes, 0);

    device_lock(DEVICE(s));
    xhci_ports_update(s, changes);
    if (s->more_commands) {
        xhci_run_commands(s);
    }
    for (unsigned id = 1; id <= s->slots_max; id++) {
        if (s->slots[id].enabled) {
            kick_slot(s, id, wakeups);
        }
    }
    device_unlock(DEVICE(s));
}

/* ---- life ----------------------------------------------------------------------------------- */

static void xhci_free_bh(void *opaque)
{
    bh_free(((XHCIState *)opaque)->kick_bh);
}

static bool xhci_realize(PCIDevice *dev, GError **error)
{
    XHCIState *s = XHCI(dev);

    dev->config[PCI_INTERRUPT_PIN] = 1;
    dev->config[0x60] = 0x30; /* SBRN: USB 3.0 (5.2.3) */
    s->kick_bh = bh_new(device_event_loop(DEVICE(dev)), xhci_kick_bh, s);
    qdev_on_unrealize(DEVICE(dev), xhci_free_bh, s);
    memory_region_init_io(&s->mem, OBJECT(s), &xhci_mem_ops, s, "xhci", BAR_SIZE);
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY | PCI_BASE_ADDRESS_MEM_TYPE_64, &s->mem);
    if ((pci_bus_is_express(pci_get_bus(dev)) && !pcie_endpoint_cap_init(dev, 0xa0, error)) ||
        !msix_init(dev, s->intrs, &s->mem, 0, MSIX_TABLE, &s->mem, 0, MSIX_PBA, 0x90, error)) {
        return false;
    }
    s->bus = usb_bus_new(DEVICE(dev), s->p2, &xhci_bus_ops, s);
    return true;
}

static void xhci_reset(PCIDevice *dev)
{
    xhci_reset_registers(XHCI(dev));
}

static const Property xhci_properties[] = {
    DEFINE_PROP_UINT32("p2", XHCIState, p2, 4, "ports of USB 2", .min = 1, .max = XHCI_MAX_PORTS),
    DEFINE_PROP_UINT32("p3", XHCIState, p3, 4, "ports of USB 3", .max = XHCI_MAX_PORTS),
    DEFINE_PROP_UINT32("intrs", XHCIState, intrs, XHCI_MAX_INTRS, "interrupters", .min = 1,
                       .max = XHCI_MAX_INTRS),
    DEFINE_PROP_UINT32("slots", XHCIState, slots_max, XHCI_MAX_SLOTS, "device slots", .min = 1,
                       .max = XHCI_MAX_SLOTS),
    DEFINE_PROP_END,
};

static const StateField xhci_state[] = {
    PCI_STATE_FIELDS(XHCIState),
    STATE_FIELD(XHCIState, usbcmd),
    STATE_FIELD(XHCIState, usbsts),
    STATE_FIELD(XHCIState, dnctrl),
    STATE_FIELD(XHCIState, config),
    STATE_FIELD(XHCIState, crcr),
    STATE_FIELD(XHCIState, dcbaap),
    STATE_FIELD(XHCIState, command_ring),
    STATE_FIELD(XHCIState, portsc),
    STATE_FIELD(XHCIState, portpmsc),
    STATE_FIELD(XHCIState, mfindex_start),
    STATE_FIELD(XHCIState, more_commands),
    STATE_FIELD(XHCIState, more_endpoints),
    STATE_FIELD(XHCIState, interrupters),
    STATE_FIELD(XHCIState, slots),
    STATE_END,
};

static void xhci_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->is_express = true;
    pc->realize = xhci_realize;
    pc->reset = xhci_reset;
    pc->class_id = PCI_CLASS_SERIAL_USB;
    pc->prog_if = 0x30;
    DEVICE_CLASS(klass)->category = DEVICE_CATEGORY_USB;
    DEVICE_CLASS(klass)->state = xhci_state;
}

static void qemu_xhci_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->vendor_id = PCI_VENDOR_ID_REDHAT;
    pc->device_id = PCI_DEVICE_ID_REDHAT_XHCI;
    pc->revision = 1;
}

static void nec_xhci_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->vendor_id = PCI_VENDOR_ID_NEC;
    pc->device_id = PCI_DEVICE_ID_NEC_UPD720200;
    pc->revision = 3;
}

static const TypeInfo xhci_types[] = {
    {.name = TYPE_XHCI,
     .parent = TYPE_PCI_DEVICE,
     .instance_size = sizeof(XHCIState),
     .abstract = true,
     .class_init = xhci_class_init,
     .properties = xhci_properties,
     .doc = "xHCI host controller"},
    {.name = TYPE_QEMU_XHCI,
     .parent = TYPE_XHCI,
     .class_init = qemu_xhci_class_init,
     .doc = "USB 3 host controller (xHCI)"       },
    {.name = TYPE_NEC_XHCI,
     .parent = TYPE_XHCI,
     .class_init = nec_xhci_class_init,
     .doc = "USB 3 host controller (xHCI) with the identity of NEC's uPD720200"},
};
DEFINE_TYPES(xhci_types)
