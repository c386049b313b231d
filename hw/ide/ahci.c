/* SPDX-License-Identifier: MIT
 *
 * An AHCI host bus adapter: generic host control (AHCI 1.3.1, 3.1) and its interrupt (10.7).
 *
 *   000 CAP    64-bit addresses, NCQ, AHCI only, 32 slots, 6 ports
 *   004 GHC    31 AE (always set)  1 IE  0 HR
 *   008 IS     a bit for each port, write 1 to clear
 *   00c PI     ports implemented
 *   010 VS     1.0
 *   014-028    command completion coalescing, enclosure, BIOS hand-off: absent
 *   100+80n    port n: ahci-port.c
 *
 * A window of 32 I/O ports reaches the same registers: +10 index, +14 data (10.14).
 */
#include "hw/ide/ahci-internal.h"
#include "system/log.h"

#define AHCI_CAP     0xc0141f05u
#define AHCI_VERSION 0x00010000u
#define GHC_HR       (1u << 0)
#define GHC_IE       (1u << 1)
#define GHC_AE       (1u << 31)
#define IDP_INDEX    0x10
#define IDP_DATA     0x14

enum { HBA_CAP = 0x00, HBA_GHC = 0x04, HBA_IS = 0x08, HBA_PI = 0x0c, HBA_VS = 0x10 };

/* ---- interrupt ------------------------------------------------------------------------- */

void ahci_update_irq(AHCIState *s, bool news)
{
    bool level;

    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        if (s->ports[i].is & s->ports[i].ie) {
            s->is |= 1u << i;
        }
    }
    level = s->is && (s->ghc & GHC_IE);
    if (!msi_enabled(s->pci)) {
        pci_set_irq(s->pci, level);
    } else {
        pci_set_irq(s->pci, 0);
        if (level && news) {
            msi_notify(s->pci, 0);
        }
    }
}

/* ---- registers ---------------------------------------------------------------------------- */

void ahci_reset(AHCIState *s)
{
    s->ghc = GHC_AE;
    s->is = 0;
    s->idp_index = 0;
    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        ahci_port_reset(&s->ports[i]);
    }
    ahci_update_irq(s, false);
}

static void ahci_write_ghc(AHCIState *s, uint32_t value)
{
    bool was = s->ghc & GHC_IE;

    if (value & GHC_HR) {
        ahci_reset(s);
        return;
    }
    s->ghc = GHC_AE | (value & GHC_IE);
    ahci_update_irq(s, !was);
}

/* With messages, what is left after clearing some is announced again (10.7.2.1). */
static void ahci_write_is(AHCIState *s, uint32_t value)
{
    s->is &= ~value;
    ahci_update_irq(s, true);
}

static uint32_t ahci_reg_read(AHCIState *s, unsigned addr)
{
    unsigned port = (addr - 0x100) / 0x80;

    if (addr >= 0x100) {
        return port < AHCI_PORTS ? ahci_port_read(&s->ports[port], addr & 0x7c) : 0;
    }
    switch (addr) {
    case HBA_CAP:
        return AHCI_CAP;
    case HBA_GHC:
        return s->ghc;
    case HBA_IS:
        return s->is;
    case HBA_PI:
        return (1u << AHCI_PORTS) - 1;
    case HBA_VS:
        return AHCI_VERSION;
    default:
        return 0;
    }
}

static void ahci_reg_write(AHCIState *s, unsigned addr, uint32_t value)
{
    unsigned port = (addr - 0x100) / 0x80;

    if (addr >= 0x100) {
        if (port < AHCI_PORTS) {
            ahci_port_write(&s->ports[port], addr & 0x7c, value);
        }
    } else if (addr == HBA_GHC) {
        ahci_write_ghc(s, value);
    } else if (addr == HBA_IS) {
        ahci_write_is(s, value);
    }
}

/* Registers are dwords (3); parts of one may be read. */
static uint64_t ahci_read(void *opaque, hwaddr addr, unsigned size)
{
    unsigned offset = (unsigned)addr & 3;
    uint64_t value = ahci_reg_read(opaque, (unsigned)addr & ~3u);

    if (offset + size > 4) {
        value |= (uint64_t)ahci_reg_read(opaque, ((unsigned)addr & ~3u) + 4) << 32;
    }
    return value >> (8 * offset);
}

static void ahci_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    if (addr & 3) {
        log_guest_error("ahci: misaligned write at %03x\n", (unsigned)addr);
        return;
    }
    if (size < 4) {
        log_guest_error("ahci: write of %u bytes at %03x\n", size, (unsigned)addr);
        value &= (1u << (8 * size)) - 1;
    }
    ahci_reg_write(opaque, (unsigned)addr, (uint32_t)value);
}

static const MemoryRegionOps ahci_ops = {
    .read = ahci_read,
    .write = ahci_write,
    .valid = {1, 8, true},
    .impl = {1, 4, true},
};

static uint64_t ahci_idp_read(void *opaque, hwaddr addr, unsigned size)
{
    AHCIState *s = opaque;

    switch (addr) {
    case IDP_INDEX:
        return s->idp_index;
    case IDP_DATA:
        return ahci_reg_read(s, s->idp_index);
    default:
        return 0;
    }
}

static void ahci_idp_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    AHCIState *s = opaque;

    if (addr == IDP_INDEX) {
        s->idp_index = (uint32_t)value & (AHCI_MMIO_SIZE - 4);
    } else if (addr == IDP_DATA) {
        ahci_reg_write(s, s->idp_index, (uint32_t)value);
    }
}

static const MemoryRegionOps ahci_idp_ops = {
    .read = ahci_idp_read,
    .write = ahci_idp_write,
    .valid = {1, 4, true },
    .impl = {4, 4, false},
};

void ahci_init(AHCIState *s, PCIDevice *pci)
{
    s->pci = pci;
    memory_region_init_io(&s->mmio, OBJECT(pci), &ahci_ops, s, "ahci", AHCI_MMIO_SIZE);
    memory_region_init_io(&s->idp, OBJECT(pci), &ahci_idp_ops, s, "ahci-idp", AHCI_IDP_SIZE);
    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        ahci_port_init(s, i);
    }
}
