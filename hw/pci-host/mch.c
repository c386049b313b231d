/* SPDX-License-Identifier: MIT
 *
 * Intel 3 Series (82G33, 82Q35) memory controller hub, device 0 (data sheet 316966, 5.1).
 *
 *   50-51  TSEG beyond the chip's sizes: ffff written reads back as MiB    (below)
 *   60-67  PCIEXBAR: 35-28 base  27-26 more of it  2-1 length  0 enable    (5.1.16)
 *            length 0: 256 MiB, 1: 128 MiB, 2: 64 MiB
 *   90-96  PAM0-PAM6: RAM or PCI in c0000-fffff                            (5.1.20 on)
 *   9c     RAM at the reset value of SMBASE: ff written reads back as 1    (below)
 *   9d     SMRAM: 6 D_OPEN  5 D_CLS  4 D_LCK  3 G_SMRAME  2-0 010          (5.1.30)
 *   9e     ESMRAMC: 7 H_SMRAME  6 E_SMERR  5-3 cached (1)  2-1 TSEG_SZ  0 T_EN  (5.1.31)
 *
 * SMRAM is seen by CPUs in SMM, by others only while D_OPEN: a0000-bffff (compatible), or with
 * H_SMRAME feda0000-fedbffff, which stands for the same RAM; and TSEG, the top 1, 2 or 8 MiB of the
 * RAM below 4 GiB (5.1.31, and "SMM space" in chapter 4).  D_CLS, which would send data accesses in SMM
 * to the screen, is kept and has no effect.
 *
 * Two registers are not Intel's but what the firmware of virtual machines (OVMF) asks for.  50: with
 * TSEG_SZ 3 TSEG has that many MiB.  9c: after 1 has been read, 2 makes 30000-4ffff SMRAM until reset,
 * so that CPUs that are added later start in memory that no one else writes.
 */
#include <string.h>
#include "hw/core/memory-map.h"
#include "hw/pci-host/q35-internal.h"
#include "hw/pci/pci-internal.h"
#include "system/log.h"

#define MIB 0x100000u

#define MCH_EXT_TSEG       0x50
#define MCH_EXT_TSEG_QUERY 0xffff
#define MCH_SMBASE         0x9c
#define SMBASE_QUERY       0xff
#define SMBASE_READY       0x01
#define SMBASE_LOCKED      0x02

#define PCIEXBAR_BASE    0xff0000000ull
#define PCIEXBAR_64MIB   (1u << 26)
#define PCIEXBAR_128MIB  (1u << 27)
#define PCIEXBAR_LENGTH  0x6u
#define PCIEXBAR_ENABLE  0x1u
#define PCIEXBAR_ADDRESS 0xffc000000ull

#define SMRAM_D_OPEN       0x40
#define SMRAM_D_CLS        0x20
#define SMRAM_D_LCK        0x10
#define SMRAM_G_SMRAME     0x08
#define SMRAM_C_BASE_SEG   0x02
#define ESMRAMC_H_SMRAME   0x80
#define ESMRAMC_E_SMERR    0x40
#define ESMRAMC_CACHED     0x38
#define ESMRAMC_TSEG_SZ(v) ((v) >> 1 & 3)
#define ESMRAMC_TSEG       0x07
#define ESMRAMC_T_EN       0x01

#define HOLE_BASE   0xa0000
#define HOLE_SIZE   0x60000
#define SMRAM_BASE  0xa0000
#define SMRAM_SIZE  0x20000
#define SMRAM_HIGH  0xfeda0000u
#define SMBASE_BASE 0x30000
#define SMBASE_SIZE 0x20000

/* ---- what is in force ------------------------------------------------------------------- */

static void mch_update_pciexbar(MCHState *d)
{
    static const uint64_t sizes[4] = {256ull * MIB, 128ull * MIB, 64ull * MIB, 0};
    uint64_t reg = pci_get_quad(d->parent_obj.config + MCH_PCIEXBAR);
    uint64_t size = reg & PCIEXBAR_ENABLE ? sizes[(reg & PCIEXBAR_LENGTH) >> 1] : 0;

    if ((reg & PCIEXBAR_ENABLE) && !size) {
        log_guest_error("mch: PCIEXBAR length 3 is reserved\n");
    }
    if (d->ecam) {
        pcie_host_map(d->ecam, size ? reg & PCIEXBAR_ADDRESS & ~(size - 1) : 0, size);
    }
}

/* Bytes of TSEG, 0: off. */
static uint64_t mch_tseg_size(const MCHState *d)
{
    const uint8_t *config = d->parent_obj.config;
    const uint64_t sizes[4] = {MIB, 2 * MIB, 8 * MIB, (uint64_t)d->ext_tseg_mbytes * MIB};

    if (!(config[MCH_ESMRAMC] & ESMRAMC_T_EN) || !(config[MCH_SMRAM] & SMRAM_G_SMRAME)) {
        return 0;
    }
    return MIN(sizes[ESMRAMC_TSEG_SZ(config[MCH_ESMRAMC])], d->below_4g_mem_size);
}

static void mch_update_tseg(MCHState *d)
{
    uint64_t size = mch_tseg_size(d), base = d->below_4g_mem_size - size;

    memory_region_set_enabled(&d->tseg_closed, false);
    memory_region_set_enabled(&d->tseg, false);
    if (!size) {
        return;
    }
    memory_region_set_size(&d->tseg_closed, size);
    memory_region_set_address(&d->tseg_closed, base);
    memory_region_set_enabled(&d->tseg_closed, true);
    memory_region_set_size(&d->tseg, size);
    memory_region_set_alias_offset(&d->tseg, base);
    memory_region_set_address(&d->tseg, base);
    memory_region_set_enabled(&d->tseg, true);
}

static void mch_update_smram(MCHState *d)
{
    const uint8_t *config = d->parent_obj.config;
    bool on = config[MCH_SMRAM] & SMRAM_G_SMRAME, open = on && (config[MCH_SMRAM] & SMRAM_D_OPEN);
    bool high = config[MCH_ESMRAMC] & ESMRAMC_H_SMRAME;
    bool smbase = config[MCH_SMBASE] == SMBASE_LOCKED;

    memory_region_set_enabled(&d->smram_window, !(open && !high));
    memory_region_set_enabled(&d->smram_low, on && !high);
    memory_region_set_enabled(&d->smram_high, on && high);
    memory_region_set_enabled(&d->smram_high_open, open && high);
    memory_region_set_enabled(&d->smbase_closed, smbase);
    memory_region_set_enabled(&d->smbase, smbase);
    mch_update_tseg(d);
}

static void mch_update(MCHState *d)
{
    memcpy(d->pam_regs, d->parent_obj.config + MCH_PAM, PAM_REGS);
    memory_region_transaction_begin();
    pam_update(&d->pam, d->pam_regs);
    mch_update_smram(d);
    mch_update_pciexbar(d);
    memory_region_transaction_commit();
}

/* ---- writes ------------------------------------------------------------------------------ */

/* D_LCK closes D_OPEN and freezes all that says where SMRAM is, until reset. */
static void mch_write_smram(PCIDevice *dev, uint8_t old, uint8_t old_esmramc)
{
    uint8_t reg = dev->config[MCH_SMRAM], esmramc = dev->config[MCH_ESMRAMC];

    if (old & SMRAM_D_LCK) {
        reg = (uint8_t)((old & ~SMRAM_D_CLS) | (reg & SMRAM_D_CLS));
        esmramc = old_esmramc;
    } else if (reg & SMRAM_D_LCK) {
        reg &= (uint8_t)~SMRAM_D_OPEN;
    }
    dev->config[MCH_SMRAM] = reg;
    dev->config[MCH_ESMRAMC] = esmramc;
}

static void mch_write_ext_tseg(MCHState *d)
{
    uint8_t *reg = d->parent_obj.config + MCH_EXT_TSEG;

    if (d->ext_tseg_mbytes && pci_get_word(reg) == MCH_EXT_TSEG_QUERY) {
        pci_set_word(reg, d->ext_tseg_mbytes);
    }
}

static void mch_write_smbase(MCHState *d, uint8_t old)
{
    uint8_t *reg = d->parent_obj.config + MCH_SMBASE;

    if (old == SMBASE_LOCKED) {
        *reg = SMBASE_LOCKED;
    } else if (old == SMBASE_READY) {
        *reg = *reg & SMBASE_LOCKED ? SMBASE_LOCKED : SMBASE_READY;
    } else {
        *reg = d->smbase_smram && *reg == SMBASE_QUERY ? SMBASE_READY : 0;
    }
}

static void mch_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    MCHState *d = MCH_PCI_DEVICE(dev);
    uint8_t smram = dev->config[MCH_SMRAM], esmramc = dev->config[MCH_ESMRAMC];
    uint8_t smbase = dev->config[MCH_SMBASE];

    pci_default_write_config(dev, addr, value, len);
    if (pci_range_covers(addr, len, MCH_SMRAM, 2)) {
        mch_write_smram(dev, smram, esmramc);
    }
    if (pci_range_covers(addr, len, MCH_EXT_TSEG, 2)) {
        mch_write_ext_tseg(d);
    }
    if (pci_range_covers(addr, len, MCH_SMBASE, 1)) {
        mch_write_smbase(d, smbase);
    }
    if (pci_range_covers(addr, len, MCH_PCIEXBAR, 8) ||
        pci_range_covers(addr, len, MCH_PAM, MCH_ESMRAMC + 1 - MCH_PAM)) {
        mch_update(d);
    }
}

/* ---- life --------------------------------------------------------------------------------- */

static void mch_reset(PCIDevice *dev)
{
    MCHState *d = MCH_PCI_DEVICE(dev);

    memset(dev->config + PCI_STD_HEADER_SIZEOF, 0, PCI_CONFIG_SIZE - PCI_STD_HEADER_SIZEOF);
    pci_set_word(dev->config + MCH_EXT_TSEG, d->ext_tseg_mbytes);
    pci_set_quad(dev->config + MCH_PCIEXBAR, MCH_PCIEXBAR_DEFAULT);
    dev->config[MCH_SMRAM] = SMRAM_C_BASE_SEG;
    dev->config[MCH_ESMRAMC] = ESMRAMC_CACHED;
    mch_update(d);
}

static void mch_init_masks(PCIDevice *dev)
{
    pci_set_quad(dev->wmask + MCH_PCIEXBAR,
                 PCIEXBAR_BASE | PCIEXBAR_128MIB | PCIEXBAR_64MIB | PCIEXBAR_LENGTH |
                     PCIEXBAR_ENABLE);
    dev->wmask[MCH_PAM] = 0x30;
    memset(dev->wmask + MCH_PAM + 1, 0x33, PAM_REGS - 1);
    dev->wmask[MCH_SMRAM] = SMRAM_D_OPEN | SMRAM_D_CLS | SMRAM_D_LCK | SMRAM_G_SMRAME;
    dev->wmask[MCH_ESMRAMC] = ESMRAMC_H_SMRAME | ESMRAMC_TSEG;
    dev->w1cmask[MCH_ESMRAMC] = ESMRAMC_E_SMERR;
}

static void mch_unmap(void *opaque)
{
    MCHState *d = opaque;
    MemoryRegion *const regions[] = {&d->hole,          &d->smram_window,    &d->smram_low,
                                     &d->smram_high,    &d->smram_high_open, &d->tseg,
                                     &d->tseg_closed,   &d->smbase,          &d->smbase_closed};

    for (size_t i = 0; i < G_N_ELEMENTS(regions); i++) {
        if (regions[i]->container) {
            memory_region_del_subregion(regions[i]->container, regions[i]);
        }
    }
    pam_finish(&d->pam);
}

/* Over RAM: what others than CPUs in SMM see of SMRAM. */
static uint64_t closed_read(void *opaque, hwaddr addr, unsigned size)
{
    return UINT64_MAX;
}

static void closed_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
}

static const MemoryRegionOps closed_ops = {
    .read = closed_read,
    .write = closed_write,
    .valid = {1, 8, true},
    .impl = {1, 8, true},
    .lock = MR_LOCK_NONE,
};

static void mch_init_smram(MCHState *d, MachineState *machine, MemoryRegion *pci)
{
    Object *owner = OBJECT(d);
    MemoryRegion *memory = machine->system_memory, *ram = machine->ram;

    memory_region_init_alias(&d->smram_window, owner, "smram-window", pci, SMRAM_BASE, SMRAM_SIZE);
    memory_region_init_alias(&d->smram_high_open, owner, "smram-high-open", ram, SMRAM_BASE,
                             SMRAM_SIZE);
    memory_region_init_io(&d->tseg_closed, owner, &closed_ops, d, "tseg-closed", MIB);
    memory_region_init_io(&d->smbase_closed, owner, &closed_ops, d, "smbase-closed", SMBASE_SIZE);
    memory_region_add_subregion_overlap(memory, SMRAM_BASE, &d->smram_window, 1);
    memory_region_add_subregion_overlap(memory, SMRAM_HIGH, &d->smram_high_open, 1);
    memory_region_add_subregion_overlap(memory, 0, &d->tseg_closed, 1);
    memory_region_add_subregion_overlap(memory, SMBASE_BASE, &d->smbase_closed, 1);

    memory_region_init_alias(&d->smram_low, owner, "smram-low", ram, SMRAM_BASE, SMRAM_SIZE);
    memory_region_init_alias(&d->smram_high, owner, "smram-high", ram, SMRAM_BASE, SMRAM_SIZE);
    memory_region_init_alias(&d->tseg, owner, "tseg", ram, 0, MIB);
    memory_region_init_alias(&d->smbase, owner, "smbase", ram, SMBASE_BASE, SMBASE_SIZE);
    if (machine->smram) {
        memory_region_add_subregion(machine->smram, SMRAM_BASE, &d->smram_low);
        memory_region_add_subregion(machine->smram, SMRAM_HIGH, &d->smram_high);
        memory_region_add_subregion(machine->smram, 0, &d->tseg);
        memory_region_add_subregion(machine->smram, SMBASE_BASE, &d->smbase);
    }
}

static bool mch_realize(PCIDevice *dev, GError **error)
{
    MCHState *d = MCH_PCI_DEVICE(dev);
    MachineState *machine = dev->machine;
    MemoryRegion *pci = pci_get_bus(dev)->address_space_mem;

    if (!machine->ram) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "%s needs a machine with RAM",
                    object_get_typename(OBJECT(dev)));
        return false;
    }
    mch_init_masks(dev);
    memory_region_init_io(&d->hole, OBJECT(d), &unassigned_mem_ops, d, "pci-hole", HOLE_SIZE);
    memory_region_add_subregion_overlap(pci, HOLE_BASE, &d->hole, -1);
    pam_init(&d->pam, OBJECT(d), machine->system_memory, machine->ram, pci);
    memory_region_transaction_begin();
    mch_init_smram(d, machine, pci);
    qdev_on_unrealize(&dev->parent_obj, mch_unmap, d);
    mch_reset(dev);
    memory_region_transaction_commit();
    return true;
}

static const Property mch_properties[] = {
    DEFINE_PROP_UINT16("extended-tseg-mbytes", MCHState, ext_tseg_mbytes, 16,
                       "MiB of TSEG that firmware may choose beside 1, 2 and 8; 0: none",
                       .max = 0xfff),
    DEFINE_PROP_BOOL("smbase-smram", MCHState, smbase_smram, true,
                     "firmware may make RAM at 30000h SMRAM"),
    DEFINE_PROP_END,
};

static const StateField mch_state[] = {
    PCI_STATE_FIELDS(MCHState),
    STATE_FIELD(MCHState, pam_regs),
    STATE_END,
};

static void mch_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = mch_realize;
    pc->reset = mch_reset;
    pc->config_write = mch_write_config;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = PCI_DEVICE_ID_INTEL_Q35_MCH;
    pc->class_id = PCI_CLASS_BRIDGE_HOST;
    dc->user_creatable = false;
    dc->hotpluggable = false;
    dc->category = DEVICE_CATEGORY_BRIDGE;
    dc->state = mch_state;
}

static const TypeInfo mch_types[] = {
    {
     .name = TYPE_MCH_PCI_DEVICE,
     .parent = TYPE_PCI_DEVICE,
     .instance_size = sizeof(MCHState),
     .class_init = mch_class_init,
     .properties = mch_properties,
     .doc = "3 Series memory controller hub: PCIEXBAR, PAM and SMRAM",
     },
};

DEFINE_TYPES(mch_types)
