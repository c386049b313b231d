/* SPDX-License-Identifier: MIT
 *
 * Advanced error reporting.  PCI Express Base Specification 4.0, 6.2 and 7.8.4.
 *
 *   04 uncorrectable status   08 mask   0c severity   10 correctable status   14 mask
 *   18 capabilities, control  1c-2b header log        2c root command  30 root status  34 sources
 */
#include "hw/core/machine.h"
#include "hw/pci/pci-internal.h"
#include "hw/pci/pcie.h"
#include "system/log.h"

#define UNC_SUPPORTED                                                                              \
    (PCI_ERR_UNC_DLP | PCI_ERR_UNC_SURPDN | PCI_ERR_UNC_POISON_TLP | PCI_ERR_UNC_FCP |             \
     PCI_ERR_UNC_COMP_TIME | PCI_ERR_UNC_COMP_ABORT | PCI_ERR_UNC_UNX_COMP | PCI_ERR_UNC_RX_OVER | \
     PCI_ERR_UNC_MALF_TLP | PCI_ERR_UNC_ECRC | PCI_ERR_UNC_UNSUP | PCI_ERR_UNC_ACSV |              \
     PCI_ERR_UNC_INTN | PCI_ERR_UNC_MCBTLP | PCI_ERR_UNC_ATOMEG | PCI_ERR_UNC_TLPPRE)
#define UNC_FATAL                                                                                  \
    (PCI_ERR_UNC_DLP | PCI_ERR_UNC_SURPDN | PCI_ERR_UNC_FCP | PCI_ERR_UNC_RX_OVER |                \
     PCI_ERR_UNC_MALF_TLP | PCI_ERR_UNC_INTN)
#define COR_SUPPORTED                                                                              \
    (PCI_ERR_COR_RCVR | PCI_ERR_COR_BAD_TLP | PCI_ERR_COR_BAD_DLLP | PCI_ERR_COR_REP_ROLL |        \
     PCI_ERR_COR_REP_TIMER | PCI_ERR_COR_ADV_NFAT | PCI_ERR_COR_INTERNAL | PCI_ERR_COR_LOG_OVER)
#define COR_MASKED  (PCI_ERR_COR_ADV_NFAT | PCI_ERR_COR_INTERNAL | PCI_ERR_COR_LOG_OVER)
#define CAP_PRESENT (PCI_ERR_CAP_ECRC_GENC | PCI_ERR_CAP_ECRC_CHKC)
#define CAP_CONTROL (PCI_ERR_CAP_ECRC_GENE | PCI_ERR_CAP_ECRC_CHKE)
#define ROOT_ENABLES                                                                               \
    (PCI_ERR_ROOT_CMD_COR_EN | PCI_ERR_ROOT_CMD_NONFATAL_EN | PCI_ERR_ROOT_CMD_FATAL_EN)
#define ROOT_STATUS_BITS 0x7f

static uint8_t *aer_reg(PCIDevice *dev, unsigned offset)
{
    return dev->config + dev->aer_cap + offset;
}

static void aer_set_bits(PCIDevice *dev, unsigned offset, uint32_t bits)
{
    pci_set_long(aer_reg(dev, offset), pci_get_long(aer_reg(dev, offset)) | bits);
}

void pcie_aer_reset(PCIDevice *dev)
{
    if (!dev->aer_cap) {
        return;
    }
    for (unsigned i = PCI_ERR_UNCOR_STATUS; i < PCIE_AER_SIZE; i += 4) {
        pci_set_long(aer_reg(dev, i), 0);
    }
    pci_set_long(aer_reg(dev, PCI_ERR_UNCOR_SEVER), UNC_FATAL);
    pci_set_long(aer_reg(dev, PCI_ERR_COR_MASK), COR_MASKED);
    pci_set_long(aer_reg(dev, PCI_ERR_CAP), CAP_PRESENT);
}

bool pcie_aer_init(PCIDevice *dev, uint8_t version, uint16_t offset, GError **error)
{
    uint8_t *mask, *w1c;

    offset =
        pcie_add_ext_capability(dev, PCI_EXT_CAP_ID_ERR, version, offset, PCIE_AER_SIZE, error);
    if (!offset) {
        return false;
    }
    dev->aer_cap = offset;
    mask = dev->wmask + offset;
    w1c = dev->w1cmask + offset;
    pci_set_long(w1c + PCI_ERR_UNCOR_STATUS, UNC_SUPPORTED);
    pci_set_long(mask + PCI_ERR_UNCOR_MASK, UNC_SUPPORTED);
    pci_set_long(mask + PCI_ERR_UNCOR_SEVER, UNC_SUPPORTED);
    pci_set_long(w1c + PCI_ERR_COR_STATUS, COR_SUPPORTED);
    pci_set_long(mask + PCI_ERR_COR_MASK, COR_SUPPORTED);
    pci_set_long(mask + PCI_ERR_CAP, CAP_CONTROL);
    if (pcie_type(dev) == PCI_EXP_TYPE_ROOT_PORT) {
        pci_set_long(mask + PCI_ERR_ROOT_COMMAND, ROOT_ENABLES);
        pci_set_long(w1c + PCI_ERR_ROOT_STATUS, ROOT_STATUS_BITS);
    }
    pcie_aer_reset(dev);
    return true;
}

/* ---- messages to the root port (6.2.4) ------------------------------------------------------ */

/* Of one sender; a link that is full drops more. */
#define AER_MAX_ON_THE_WAY 16

typedef struct AERMessage {
    PCIDevice *sender; /* a reference */
    uint32_t first, another; /* in Root Error Status */
    uint32_t severity;       /* in Root Error Status */
    bool correctable;
} AERMessage;

/* The interrupt follows status and enables as a level; a message goes out on its rise. */
static void aer_update_interrupt(PCIDevice *root)
{
    uint32_t command = pci_get_long(aer_reg(root, PCI_ERR_ROOT_COMMAND));
    uint32_t status = pci_get_long(aer_reg(root, PCI_ERR_ROOT_STATUS));
    bool level =
        ((command & PCI_ERR_ROOT_CMD_COR_EN) && (status & PCI_ERR_ROOT_COR_RCV)) ||
        ((command & PCI_ERR_ROOT_CMD_NONFATAL_EN) && (status & PCI_ERR_ROOT_NONFATAL_RCV)) ||
        ((command & PCI_ERR_ROOT_CMD_FATAL_EN) && (status & PCI_ERR_ROOT_FATAL_RCV));
    PCIDeviceClass *pc = PCI_DEVICE_GET_CLASS(root);

    if (level != root->aer_interrupt) {
        root->aer_interrupt = level;
        if (pc->express_interrupt) {
            pc->express_interrupt(root);
        }
    }
}

static void aer_root_receive(PCIDevice *root, const AERMessage *m)
{
    uint32_t status = pci_get_long(aer_reg(root, PCI_ERR_ROOT_STATUS));
    uint8_t *source = aer_reg(root, PCI_ERR_ROOT_ERR_SRC + (m->correctable ? 0 : 2));

    if (!root->aer_cap) {
        return;
    }
    if (status & m->first) {
        status |= m->another;
    } else {
        pci_set_word(source, (uint16_t)pci_requester_id(m->sender));
        status |= m->first;
        if (m->severity == PCI_ERR_ROOT_FATAL_RCV) {
            status |= PCI_ERR_ROOT_FIRST_FATAL;
        }
    }
    pci_set_long(aer_reg(root, PCI_ERR_ROOT_STATUS), status | m->severity);
    aer_update_interrupt(root);
}

static bool aer_forwards(PCIDevice *bridge, const AERMessage *m)
{
    uint16_t control = pci_get_word(bridge->config + PCI_BRIDGE_CONTROL);

    if (!m->correctable) {
        bridge->config[PCI_SEC_STATUS + 1] |= PCI_STATUS_SIG_SYSTEM_ERROR >> 8;
    }
    return control & PCI_BRIDGE_CTL_SERR;
}

/* False: it goes no further. */
static bool aer_receive(PCIDevice *port, const AERMessage *m)
{
    bool at_root = pcie_type(port) == PCI_EXP_TYPE_ROOT_PORT, forwards;

    device_lock(&port->parent_obj);
    forwards = (at_root && port == m->sender) || aer_forwards(port, m);
    if (forwards && at_root) {
        aer_root_receive(port, m);
    }
    device_unlock(&port->parent_obj);
    return forwards && !at_root;
}

/* From the function itself up to a root port; bridges on the way forward what SERR enables. */
static void aer_deliver(void *opaque)
{
    AERMessage *m = opaque;
    PCIDevice *at = m->sender;

    g_atomic_int_add(&at->aer_on_the_way, -1);
    if (qdev_is_realized(&at->parent_obj)) {
        at = pcie_type(at) == PCI_EXP_TYPE_ROOT_PORT ? at : pci_get_bus(at)->parent_dev;
        while (at && aer_receive(at, m)) {
            at = pci_get_bus(at)->parent_dev;
        }
    }
    object_unref(m->sender);
    g_free(m);
}

/* Its sender is locked, and ports lock what is below them: the machine's loop takes it up. */
static void aer_send(PCIDevice *dev, const AERMessage *m)
{
    AERMessage *copy;

    if (g_atomic_int_add(&dev->aer_on_the_way, 1) >= AER_MAX_ON_THE_WAY) {
        g_atomic_int_add(&dev->aer_on_the_way, -1);
        return;
    }
    copy = g_memdup2(m, sizeof(*m));
    copy->sender = PCI_DEVICE(object_ref(dev));
    event_loop_call(dev->machine->loop, aer_deliver, copy);
}

/* ---- detecting errors ----------------------------------------------------------------------- */

static void aer_log_header(PCIDevice *dev, uint32_t bit, const uint32_t header[4])
{
    uint32_t control = pci_get_long(aer_reg(dev, PCI_ERR_CAP));
    uint32_t status = pci_get_long(aer_reg(dev, PCI_ERR_UNCOR_STATUS));

    if (status & 1u << PCI_ERR_CAP_FEP(control)) {
        return; /* an earlier error is still to be handled */
    }
    pci_set_long(aer_reg(dev, PCI_ERR_CAP),
                 (control & ~(uint32_t)PCI_ERR_CAP_FEP(~0u)) | (uint32_t)g_bit_nth_lsf(bit, -1));
    for (int i = 0; i < 4; i++) {
        pci_set_long(aer_reg(dev, PCI_ERR_HEADER_LOG + 4 * (unsigned)i), header ? header[i] : 0);
    }
}

void pcie_aer_uncorrectable(PCIDevice *dev, uint32_t bit, const uint32_t header[4])
{
    uint16_t devctl, command = pci_get_word(dev->config + PCI_COMMAND);
    bool fatal, masked, enabled;
    AERMessage m = {.first = PCI_ERR_ROOT_UNCOR_RCV,
                    .another = PCI_ERR_ROOT_MULTI_UNCOR_RCV};

    if (!dev->exp_cap || !dev->aer_cap || !(bit & UNC_SUPPORTED)) {
        return;
    }
    devctl = pci_get_word(pcie_reg(dev, PCI_EXP_DEVCTL));
    fatal = pci_get_long(aer_reg(dev, PCI_ERR_UNCOR_SEVER)) & bit;
    masked = pci_get_long(aer_reg(dev, PCI_ERR_UNCOR_MASK)) & bit;
    *pcie_reg(dev, PCI_EXP_DEVSTA) |=
        (uint8_t)((fatal ? PCI_EXP_DEVSTA_FED : PCI_EXP_DEVSTA_NFED) |
                  (bit == PCI_ERR_UNC_UNSUP ? PCI_EXP_DEVSTA_URD : 0));
    if (!masked) {
        aer_log_header(dev, bit, header);
    }
    aer_set_bits(dev, PCI_ERR_UNCOR_STATUS, bit);
    enabled = (devctl & (fatal ? PCI_EXP_DEVCTL_FERE : PCI_EXP_DEVCTL_NFERE)) ||
              (command & PCI_COMMAND_SERR);
    m.severity = fatal ? PCI_ERR_ROOT_FATAL_RCV : PCI_ERR_ROOT_NONFATAL_RCV;
    if (!masked && enabled) {
        if (command & PCI_COMMAND_SERR) {
            dev->config[PCI_STATUS + 1] |= PCI_STATUS_SIG_SYSTEM_ERROR >> 8;
        }
        aer_send(dev, &m);
    }
}

void pcie_aer_correctable(PCIDevice *dev, uint32_t bit)
{
    AERMessage m = {.first = PCI_ERR_ROOT_COR_RCV,
                    .another = PCI_ERR_ROOT_MULTI_COR_RCV,
                    .correctable = true};

    if (!dev->exp_cap || !dev->aer_cap || !(bit & COR_SUPPORTED)) {
        return;
    }
    *pcie_reg(dev, PCI_EXP_DEVSTA) |= PCI_EXP_DEVSTA_CED;
    aer_set_bits(dev, PCI_ERR_COR_STATUS, bit);
    if (!(pci_get_long(aer_reg(dev, PCI_ERR_COR_MASK)) & bit) &&
        (pci_get_word(pcie_reg(dev, PCI_EXP_DEVCTL)) & PCI_EXP_DEVCTL_CERE)) {
        aer_send(dev, &m);
    }
}

void pcie_aer_write_config(PCIDevice *dev, uint32_t addr, unsigned len)
{
    if (dev->aer_cap && pci_range_covers(addr, len, dev->aer_cap + PCI_ERR_ROOT_COMMAND, 8)) {
        if (!(pci_get_long(aer_reg(dev, PCI_ERR_ROOT_STATUS)) &
              (PCI_ERR_ROOT_UNCOR_RCV | PCI_ERR_ROOT_NONFATAL_RCV | PCI_ERR_ROOT_FATAL_RCV))) {
            dev->config[dev->aer_cap + PCI_ERR_ROOT_STATUS] &= (uint8_t)~PCI_ERR_ROOT_FIRST_FATAL;
        }
        aer_update_interrupt(dev);
    }
}
