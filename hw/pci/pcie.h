/* SPDX-License-Identifier: MIT
 *
 * PCI Express: capability 10h and the extended capabilities behind the first 256 bytes.
 * PCI Express Base Specification 4.0, 7.5.3 (capability), 7.6 (extended capabilities).
 *
 * All of it in realize, of devices whose class says is_express.  What firmware and drivers
 * expect of the registers afterwards (RW1C, function level reset, reset values) the core does:
 * a device does not look at them in its config_write.
 */
#ifndef HW_PCI_PCIE_H
#define HW_PCI_PCIE_H

#include "hw/pci/pci.h"

#define PCIE_EXP_SIZE 0x3c /* of version 2 of the capability */
#define PCIE_AER_SIZE 0x48

/* ---- capability 10h ------------------------------------------------------------------ */

/*
 * Version 2, of a PCI_EXP_TYPE_*; offset 0: find room.  A link of 2.5 GT/s and one lane where the
 * type has a link.  `port` is the port number of root, upstream and downstream ports.
 */
bool pcie_cap_init(PCIDevice *dev, uint8_t offset, uint8_t type, uint8_t port, GError **error);
/* Of an endpoint: integrated when it sits on a root bus. */
bool pcie_endpoint_cap_init(PCIDevice *dev, uint8_t offset, GError **error);
bool pcie_is_endpoint(const PCIDevice *dev);
/* PCI_EXP_TYPE_*, or -1. */
int pcie_type(const PCIDevice *dev);

/* Errors can be reported by messages: role-based, enables in Device Control. */
void pcie_cap_deverr_init(PCIDevice *dev);
/* Function level reset: the core resets the device when the guest asks for it. */
void pcie_cap_flr_init(PCIDevice *dev);
/* A port that forwards to functions above 7. */
void pcie_cap_arifwd_init(PCIDevice *dev);
bool pcie_ari_enabled(const PCIDevice *dev);
/* Common clock and extended synch of Link Control can be set. */
void pcie_cap_lnkctl_init(PCIDevice *dev);
/* The fastest link: speed 1 to 4 (2.5, 5, 8, 16 GT/s), width 1 to 32 lanes. */
void pcie_cap_link_init(PCIDevice *dev, unsigned speed, unsigned width);

/* Register at `offset` of the capability (PCI_EXP_*), and its write mask. */
static inline uint8_t *pcie_reg(PCIDevice *dev, unsigned offset)
{
    return dev->config + dev->exp_cap + offset;
}
static inline uint8_t *pcie_wmask(PCIDevice *dev, unsigned offset)
{
    return dev->wmask + dev->exp_cap + offset;
}
static inline uint8_t *pcie_w1cmask(PCIDevice *dev, unsigned offset)
{
    return dev->w1cmask + dev->exp_cap + offset;
}

/* ---- extended capabilities --------------------------------------------------------------- */

/*
 * A new one at `offset` (a multiple of 4 from 256 on; 0: behind those there are), its header
 * and link written, its `size` bytes zero and not writable.  The first is always at 256.
 * Returns the offset; 0 and *error.
 */
uint16_t pcie_add_ext_capability(PCIDevice *dev, uint16_t id, uint8_t version, uint16_t offset,
                                 uint16_t size, GError **error);
uint16_t pcie_find_ext_capability(const PCIDevice *dev, uint16_t id);

/* Alternative routing-ID interpretation; the next function, 0: none (7.8.7). */
bool pcie_ari_init(PCIDevice *dev, uint16_t offset, uint8_t next_function, GError **error);
/* Device serial number (7.9.3). */
bool pcie_serial_init(PCIDevice *dev, uint16_t offset, uint64_t serial, GError **error);
/* Access control services of a port (7.7.8): none is enforced, as there are no peers to tell. */
bool pcie_acs_init(PCIDevice *dev, uint16_t offset, GError **error);

/* ---- advanced error reporting (7.8.4) ------------------------------------------------------ */

bool pcie_aer_init(PCIDevice *dev, uint8_t version, uint16_t offset, GError **error);
/*
 * An error was detected: its bit (PCI_ERR_UNC_* or PCI_ERR_COR_*), and the header of the
 * packet or NULL.  Logs it, and a message goes to the root port, which may interrupt; the
 * machine's loop delivers it.  Device lock held.
 */
void pcie_aer_uncorrectable(PCIDevice *dev, uint32_t bit, const uint32_t header[4]);
void pcie_aer_correctable(PCIDevice *dev, uint32_t bit);

#endif
