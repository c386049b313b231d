/* SPDX-License-Identifier: MIT
 *
 * PCI Express capability.  PCI Express Base Specification 4.0, 7.5.3.
 *
 *   00 id 10h, next   02 type, version   04 device   0c link   14 slot   1c root
 *   24 device 2       2c link 2          34 slot 2
 */
#include "hw/pci/pcie.h"
#include <string.h>
#include "hw/pci/pci-internal.h"
#include "system/log.h"

#define EXP_FLAGS_VERSION2    2
#define EXP_DEVCTL_ERRORS     0x000f /* the four reporting enables */
#define EXP_DEVSTA_ERRORS     0x000f /* detected, RW1C */
#define EXP_DEVCAP2_PREFIXES  (PCI_EXP_DEVCAP2_EE_PREFIX | 0x00100000) /* and extended formats */
#define EXP_DEVCTL2_EE_PREFIX 0x8000
#define EXP_LNKCAP_ASPM_L0S   0x0400
#define EXP_LINK_1X_2_5GT     0x0011

int pcie_type(const PCIDevice *dev)
{
    uint16_t flags = dev->exp_cap ? pci_get_word(dev->config + dev->exp_cap + PCI_EXP_FLAGS) : 0;

    return dev->exp_cap ? (flags & PCI_EXP_FLAGS_TYPE) >> 4 : -1;
}

bool pcie_is_endpoint(const PCIDevice *dev)
{
    int type = pcie_type(dev);

    return type == PCI_EXP_TYPE_ENDPOINT || type == PCI_EXP_TYPE_LEG_END ||
           type == PCI_EXP_TYPE_RC_END;
}

bool pcie_cap_init(PCIDevice *dev, uint8_t offset, uint8_t type, uint8_t port, GError **error)
{
    offset = pci_add_capability(dev, PCI_CAP_ID_EXP, offset, PCIE_EXP_SIZE, error);
    if (!offset) {
        return false;
    }
    dev->exp_cap = offset;
    pci_set_word(pcie_reg(dev, PCI_EXP_FLAGS), (uint16_t)(type << 4 | EXP_FLAGS_VERSION2));
    pci_set_long(pcie_reg(dev, PCI_EXP_DEVCAP), PCI_EXP_DEVCAP_RBER);
    pci_set_word(pcie_w1cmask(dev, PCI_EXP_DEVSTA), EXP_DEVSTA_ERRORS);
    pci_set_long(pcie_reg(dev, PCI_EXP_LNKCAP),
                 (uint32_t)port << 24 | EXP_LNKCAP_ASPM_L0S | EXP_LINK_1X_2_5GT);
    pci_set_word(pcie_reg(dev, PCI_EXP_LNKSTA), EXP_LINK_1X_2_5GT);
    pci_set_long(pcie_reg(dev, PCI_EXP_DEVCAP2), EXP_DEVCAP2_PREFIXES);
    pci_set_word(pcie_wmask(dev, PCI_EXP_DEVCTL2), EXP_DEVCTL2_EE_PREFIX);
    return true;
}

bool pcie_endpoint_cap_init(PCIDevice *dev, uint8_t offset, GError **error)
{
    PCIBus *bus = pci_get_bus(dev);
    bool integrated = pci_bus_is_express(bus) && pci_bus_is_root(bus);

    return pcie_cap_init(dev, offset, integrated ? PCI_EXP_TYPE_RC_END : PCI_EXP_TYPE_ENDPOINT, 0,
                         error);
}

void pcie_cap_deverr_init(PCIDevice *dev)
{
    pci_set_word(pcie_wmask(dev, PCI_EXP_DEVCTL), EXP_DEVCTL_ERRORS);
}

void pcie_cap_flr_init(PCIDevice *dev)
{
    uint8_t *cap = pcie_reg(dev, PCI_EXP_DEVCAP);

    pci_set_long(cap, pci_get_long(cap) | PCI_EXP_DEVCAP_FLR);
}

void pcie_cap_arifwd_init(PCIDevice *dev)
{
    uint8_t *cap = pcie_reg(dev, PCI_EXP_DEVCAP2), *mask = pcie_wmask(dev, PCI_EXP_DEVCTL2);

    pci_set_long(cap, pci_get_long(cap) | PCI_EXP_DEVCAP2_ARI);
    pci_set_word(mask, pci_get_word(mask) | PCI_EXP_DEVCTL2_ARI);
}

bool pcie_ari_enabled(const PCIDevice *dev)
{
    return dev->exp_cap &&
           (pci_get_word(dev->config + dev->exp_cap + PCI_EXP_DEVCTL2) & PCI_EXP_DEVCTL2_ARI);
}

void pcie_cap_lnkctl_init(PCIDevice *dev)
{
    pci_set_word(pcie_wmask(dev, PCI_EXP_LNKCTL), PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_ES);
}

/* Speeds are cumulative in the vector of Link Capabilities 2; 1 is bit 1 (7.5.3.18). */
void pcie_cap_link_init(PCIDevice *dev, unsigned speed, unsigned width)
{
    uint8_t *cap = pcie_reg(dev, PCI_EXP_LNKCAP);
    uint32_t link = width << 4 | speed;
    uint32_t reports = speed > 1 ? PCI_EXP_LNKCAP_DLLLARC | PCI_EXP_LNKCAP_LBNC : 0;

    pci_set_long(cap, (pci_get_long(cap) & ~(uint32_t)(PCI_EXP_LNKCAP_SLS | PCI_EXP_LNKCAP_MLW)) |
                          link | reports);
    pci_set_word(pcie_reg(dev, PCI_EXP_LNKSTA), (uint16_t)link);
    if (speed > 1) {
        pci_set_long(pcie_reg(dev, PCI_EXP_LNKCAP2), (2u << speed) - 2);
        pci_set_word(pcie_reg(dev, PCI_EXP_LNKCTL2), (uint16_t)speed);
    }
}

/* ---- reset and writes, for the core ----------------------------------------------------- */

static void pcie_reset_register(PCIDevice *dev, unsigned addr)
{
    uint8_t writable = dev->wmask[addr] | dev->w1cmask[addr];

    dev->config[addr] &= (uint8_t)~writable;
}

/* What guests can change goes back; what a slot or link sets is its owner's. */
void pcie_reset(PCIDevice *dev, ResetType type)
{
    for (unsigned i = PCI_EXP_DEVCTL; i < PCIE_EXP_SIZE && dev->exp_cap; i++) {
        bool slot = i >= PCI_EXP_SLTCTL && i < PCI_EXP_SLTSTA + 2;

        if (!slot) {
            pcie_reset_register(dev, dev->exp_cap + i);
        }
    }
    for (unsigned i = PCI_CONFIG_SIZE; i < dev->ext_cap_end; i++) {
        bool aer = dev->aer_cap && i >= dev->aer_cap && i < (unsigned)dev->aer_cap + PCIE_AER_SIZE;

        if (!aer) {
            pcie_reset_register(dev, i);
        }
    }
    if (type == RESET_COLD) {
        pcie_aer_reset(dev); /* sticky: they survive a reset of the link */
    }
}

/* Initiate Function Level Reset reads as 0 (7.5.3.4). */
void pcie_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    uint32_t high = dev->exp_cap + PCI_EXP_DEVCTL + 1u;

    if (!dev->exp_cap || !pci_range_covers(addr, len, high, 1) ||
        !(pci_get_long(pcie_reg(dev, PCI_EXP_DEVCAP)) & PCI_EXP_DEVCAP_FLR)) {
        return;
    }
    if (value >> 8 * (high - addr) & (PCI_EXP_DEVCTL_BCR_FLR >> 8)) {
        log_if(LOG_PCI, "pci: %s is reset by its driver\n", object_get_typename(OBJECT(dev)));
        resettable_reset(OBJECT(dev), RESET_BUS);
    }
}

/* ---- extended capabilities ------------------------------------------------------------------ */

static uint32_t pcie_ext_header(const PCIDevice *dev, uint16_t offset)
{
    return pci_get_long(dev->config + offset);
}

uint16_t pcie_find_ext_capability(const PCIDevice *dev, uint16_t id)
{
    uint16_t offset = PCI_CONFIG_SIZE;

    if (pci_config_size(dev) <= PCI_CONFIG_SIZE) {
        return 0;
    }
    while (offset && PCI_EXT_CAP_ID(pcie_ext_header(dev, offset)) != id) {
        offset = (uint16_t)PCI_EXT_CAP_NEXT(pcie_ext_header(dev, offset));
    }
    return offset;
}

static uint16_t pcie_last_ext_capability(const PCIDevice *dev)
{
    uint16_t offset = PCI_CONFIG_SIZE, next;

    if (!pcie_ext_header(dev, offset)) {
        return 0;
    }
    while ((next = (uint16_t)PCI_EXT_CAP_NEXT(pcie_ext_header(dev, offset)))) {
        offset = next;
    }
    return offset;
}

uint16_t pcie_add_ext_capability(PCIDevice *dev, uint16_t id, uint8_t version, uint16_t offset,
                                 uint16_t size, GError **error)
{
    uint16_t last = pcie_last_ext_capability(dev);

    offset = offset ? offset : (uint16_t)MAX(dev->ext_cap_end, (uint16_t)PCI_CONFIG_SIZE);
    if (pci_config_size(dev) <= PCI_CONFIG_SIZE || offset + size > PCIE_CONFIG_SIZE || offset % 4 ||
        offset < dev->ext_cap_end || (offset > PCI_CONFIG_SIZE) != (last != 0)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "no room in the extended configuration space of %s for capability %04x of %d "
                    "bytes at %x",
                    object_get_typename(OBJECT(dev)), id, size, offset);
        return 0;
    }
    pci_set_long(dev->config + offset, id | (uint32_t)version << 16);
    if (last) {
        pci_set_long(dev->config + last, pcie_ext_header(dev, last) | (uint32_t)offset << 20);
    }
    memset(dev->wmask + offset, 0, size);
    memset(dev->w1cmask + offset, 0, size);
    dev->ext_cap_end = (uint16_t)((offset + size + 3u) & ~3u);
    return offset;
}

bool pcie_ari_init(PCIDevice *dev, uint16_t offset, uint8_t next_function, GError **error)
{
    offset =
        pcie_add_ext_capability(dev, PCI_EXT_CAP_ID_ARI, 1, offset, PCI_EXT_CAP_ARI_SIZEOF, error);
    if (offset) {
        pci_set_word(dev->config + offset + PCI_ARI_CAP, (uint16_t)(next_function << 8));
    }
    return offset != 0;
}

bool pcie_serial_init(PCIDevice *dev, uint16_t offset, uint64_t serial, GError **error)
{
    offset =
        pcie_add_ext_capability(dev, PCI_EXT_CAP_ID_DSN, 1, offset, PCI_EXT_CAP_DSN_SIZEOF, error);
    if (offset) {
        pci_set_quad(dev->config + offset + 4, serial);
    }
    return offset != 0;
}

bool pcie_acs_init(PCIDevice *dev, uint16_t offset, GError **error)
{
    const uint16_t services =
        PCI_ACS_SV | PCI_ACS_TB | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF | PCI_ACS_DT;

    offset = pcie_add_ext_capability(dev, PCI_EXT_CAP_ID_ACS, 1, offset, 8, error);
    if (offset) {
        pci_set_word(dev->config + offset + PCI_ACS_CAP, services);
        pci_set_word(dev->wmask + offset + PCI_ACS_CTRL, services);
    }
    return offset != 0;
}
