/* SPDX-License-Identifier: MIT
 *
 * A port of an AHCI adapter: its registers (AHCI 1.3.1, 3.3), its resets (10.4) and which command
 * its device gets next (5.3).
 *
 *   00 CLB, CLBU  command list        08 FB, FBU  received FISes
 *   10 IS (write 1 to clear)          14 IE
 *   18 CMD                            20 TFD  error, status
 *   24 SIG                            28 SSTS  2c SCTL  30 SERR (write 1 to clear)
 *   34 SACT (write 1 to set)          38 CI (write 1 to set)       3c SNTF
 *
 * Power management of the link, port multipliers and FIS-based switching are absent.
 */
#include "hw/ide/ahci-internal.h"
#include "system/log.h"

#define PORT_CLB  0x00
#define PORT_CLBU 0x04
#define PORT_FB   0x08
#define PORT_FBU  0x0c
#define PORT_IS   0x10
#define PORT_IE   0x14
#define PORT_CMD  0x18
#define PORT_TFD  0x20
#define PORT_SIG  0x24
#define PORT_SSTS 0x28
#define PORT_SCTL 0x2c
#define PORT_SERR 0x30
#define PORT_SACT 0x34
#define PORT_CI   0x38
#define PORT_SNTF 0x3c

/* What of PxCMD can be written and stays: not the interface power control, which is a request. */
#define CMD_WRITABLE  (AHCI_CMD_ST | AHCI_CMD_SUD | AHCI_CMD_POD | AHCI_CMD_FRE | 0x0f800000u)
#define TFD_ABSENT    0x7fu
#define SIG_ABSENT    0xffffffffu
#define SSTS_PRESENT  0x113u /* active, generation 1, device and link there */
#define SCTL_MASK     0xfffu
#define SCTL_DET      0xfu
#define SERR_DIAG_X   (1u << 26)
#define AHCI_CLB_MASK (~(uint64_t)0x3ff)
#define AHCI_FB_MASK  (~(uint64_t)0xff)

static IDEDevice *port_device(const AHCIPort *port)
{
    return port->bus->devices[0];
}

void ahci_port_event(AHCIPort *port, uint32_t bits)
{
    port->is |= bits;
    /* What is about the link is shown by PxSERR (3.3.5). */
    port->is |= port->serr & SERR_DIAG_X ? AHCI_IS_PCS : 0;
    ahci_update_irq(port->hba, bits & port->ie);
}

/* ---- resets -------------------------------------------------------------------------------- */

/* Nothing is under way: after a stop, and in every reset. */
static void port_forget(AHCIPort *port)
{
    IDEDevice *d = port_device(port);

    if (d && (port->issued || port->sact)) {
        ide_cancel(d);
        d->tf.status = ATA_OK;
        port->tfd &= ~(uint32_t)(ATA_BSY | ATA_DRQ);
    }
    port->ci = port->sact = port->issued = port->failed = 0;
    port->slot = -1;
    port->halted = false;
}

/* The link goes down and up: the device sends its signature once it is let (10.4.2). */
static void port_comreset(AHCIPort *port)
{
    IDEDevice *d = port_device(port);

    port_forget(port);
    port->srst = false;
    port->tfd = TFD_ABSENT;
    port->sig = SIG_ABSENT;
    port->ssts = d ? SSTS_PRESENT : 0;
    port->signature_pending = d != NULL;
    if (d) {
        ata_set_signature(d);
        atapi_reset(d);
    }
}

static void port_send_signature(AHCIPort *port)
{
    IDEDevice *d = port_device(port);

    if (!d || !port->signature_pending || !(port->cmd & AHCI_CMD_FRE)) {
        return;
    }
    port->signature_pending = false;
    port->sig = d->tf.nsector[0] | (uint32_t)d->tf.sector[0] << 8 | (uint32_t)d->tf.lcyl[0] << 16 |
                (uint32_t)d->tf.hcyl[0] << 24;
    ahci_send_d2h(port, d, true);
}

void ahci_port_reset(AHCIPort *port)
{
    port->is = port->ie = port->sctl = port->serr = port->sntf = 0;
    port->cmd = AHCI_CMD_SUD | AHCI_CMD_POD;
    port_comreset(port);
}

static void port_write_sctl(AHCIPort *port, uint32_t value)
{
    uint32_t was = port->sctl & SCTL_DET;

    port->sctl = value & SCTL_MASK;
    if (port->cmd & AHCI_CMD_ST) {
        return; /* DET is for a stopped port (3.3.11) */
    }
    if ((value & SCTL_DET) == 1 && was != 1) {
        port_forget(port);
        port->tfd = TFD_ABSENT;
        port->ssts = 0;
        port->signature_pending = false;
    } else if ((value & SCTL_DET) == 4) {
        port->ssts = port_device(port) ? 4 : 0; /* off line */
    } else if ((value & SCTL_DET) == 0 && was != 0) {
        port_comreset(port);
        if (port_device(port)) {
            port->serr |= SERR_DIAG_X;
            ahci_port_event(port, AHCI_IS_PCS);
        }
        port_send_signature(port);
    }
}

/* ---- commands -------------------------------------------------------------------------------- */

/* A device takes a command when it is neither busy nor in a data phase (5.3.2). */
static bool port_may_issue(const AHCIPort *port)
{
    return (port->cmd & AHCI_CMD_ST) && !port->halted && port->slot < 0 && port_device(port) &&
           port->ssts == SSTS_PRESENT && !(port->tfd & (ATA_BSY | ATA_DRQ));
}

void ahci_port_run(AHCIPort *port)
{
    if (port->running) {
        return; /* a command that ended at once: the loop below goes on */
    }
    port->running = true;
    while (port_may_issue(port) && (port->ci & ~port->issued)) {
        unsigned slot = (unsigned)__builtin_ctz(port->ci & ~port->issued);

        port->issued |= 1u << slot;
        if (!ahci_issue(port, slot)) {
            port->halted = true;
            ahci_port_event(port, AHCI_IS_HBFS);
        }
    }
    port->running = false;
}

/*
 * After an error a port waits for PxCMD.ST to be cleared (6.2.2).  What drivers never do before
 * that, to issue a command, is taken for a wish to go on.
 */
static void port_write_ci(AHCIPort *port, uint32_t value)
{
    uint32_t wanted = value & (~port->ci | port->failed);

    if (!(port->cmd & AHCI_CMD_ST)) {
        return;
    }
    port->ci |= value;
    if (wanted) {
        port->issued &= ~wanted;
        port->failed &= ~wanted;
        port->halted = false;
    }
    ahci_port_run(port);
}

static void port_write_cmd(AHCIPort *port, uint32_t value)
{
    uint32_t was = port->cmd;

    port->cmd = value & CMD_WRITABLE;
    if ((was & AHCI_CMD_ST) && !(value & AHCI_CMD_ST)) {
        port_forget(port);
    }
    if ((value & AHCI_CMD_CLO) && !(value & AHCI_CMD_ST & was)) {
        port->tfd &= ~(uint32_t)(ATA_BSY | ATA_DRQ);
    }
    port->cmd |= value & AHCI_CMD_FRE ? AHCI_CMD_FR : 0;
    port->cmd |= value & AHCI_CMD_ST ? AHCI_CMD_CR : 0;
    port_send_signature(port);
    ahci_port_run(port);
}

/* ---- registers ------------------------------------------------------------------------------ */

uint32_t ahci_port_read(AHCIPort *port, unsigned reg)
{
    switch (reg) {
    case PORT_CLB:
        return (uint32_t)port->clb;
    case PORT_CLBU:
        return (uint32_t)(port->clb >> 32);
    case PORT_FB:
        return (uint32_t)port->fb;
    case PORT_FBU:
        return (uint32_t)(port->fb >> 32);
    case PORT_IS:
        return port->is;
    case PORT_IE:
        return port->ie;
    case PORT_CMD:
        return port->cmd | (port->slot >= 0 ? (uint32_t)port->slot << 8 : 0);
    case PORT_TFD:
        return port->tfd;
    case PORT_SIG:
        return port->sig;
    case PORT_SSTS:
        return port->ssts;
    case PORT_SCTL:
        return port->sctl;
    case PORT_SERR:
        return port->serr;
    case PORT_SACT:
        return port->sact;
    case PORT_CI:
        return port->ci;
    default:
        return 0;
    }
}

static uint64_t with_low(uint64_t old, uint32_t value, uint64_t mask)
{
    return (old & ~(uint64_t)UINT32_MAX) | (value & mask);
}

static uint64_t with_high(uint64_t old, uint32_t value)
{
    return (old & UINT32_MAX) | (uint64_t)value << 32;
}

static void port_write_serr(AHCIPort *port, uint32_t value)
{
    port->serr &= ~value;
    if (!(port->serr & SERR_DIAG_X)) {
        port->is &= ~AHCI_IS_PCS;
    }
}

/* PCS and PRCS follow PxSERR. */
static void port_write_is(AHCIPort *port, uint32_t value)
{
    port->is &= ~(value & ~(AHCI_IS_PCS | AHCI_IS_PRCS));
}

void ahci_port_write(AHCIPort *port, unsigned reg, uint32_t value)
{
    bool news = false;

    switch (reg) {
    case PORT_CLB:
        port->clb = with_low(port->clb, value, AHCI_CLB_MASK);
        break;
    case PORT_CLBU:
        port->clb = with_high(port->clb, value);
        break;
    case PORT_FB:
        port->fb = with_low(port->fb, value, AHCI_FB_MASK);
        break;
    case PORT_FBU:
        port->fb = with_high(port->fb, value);
        break;
    case PORT_IS:
        port_write_is(port, value);
        break;
    case PORT_IE:
        news = value & ~port->ie & port->is;
        port->ie = value & AHCI_IE_MASK;
        break;
    case PORT_CMD:
        port_write_cmd(port, value);
        return;
    case PORT_SCTL:
        port_write_sctl(port, value);
        return;
    case PORT_SERR:
        port_write_serr(port, value);
        break;
    case PORT_SACT:
        port->sact |= port->cmd & AHCI_CMD_ST ? value : 0;
        return;
    case PORT_CI:
        port_write_ci(port, value);
        return;
    default:
        log_if(LOG_GUEST_ERROR, "ahci: write to port register %02x\n", reg);
        return;
    }
    ahci_update_irq(port->hba, news);
}

void ahci_port_init(AHCIState *s, unsigned number)
{
    AHCIPort *port = &s->ports[number];

    port->hba = s;
    port->number = number;
    port->slot = -1;
    port->bus = ide_bus_new(&s->pci->parent_obj, (int)number, 1, NULL);
    ahci_transport_init(port);
    port->bus->transport = &port->transport;
}
