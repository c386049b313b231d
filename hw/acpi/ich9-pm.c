/* SPDX-License-Identifier: MIT
 *
 * Power management I/O registers of the Intel ICH9 (data sheet 316972, 13.8.3).
 *
 *   PMBASE +00 PM1_STS, PM1_EN  +04 PM1_CNT  +08 PM1_TMR
 *          +20 GPE0_STS (8 bytes)  +28 GPE0_EN
 *          +30 SMI_EN   0 GBL_SMI_EN  1 EOS  5 APMC_EN  13 TCO_EN
 *          +34 SMI_STS  5 APM_STS  13 TCO_STS  (write 1 to clear)
 *          +60 TCO
 */
#include "hw/acpi/ich9-pm.h"
#include "hw/core/machine.h"

#define SMI_EOS         (1u << 1)
#define SMI_EN_WRITABLE 0x0627e0fbu /* 13.8.3.7 */
#define SMI_STS_W1C     0x0d3ff7fcu /* 13.8.3.8, the bits that are latched here */

static uint64_t ich9_smi_read(void *opaque, hwaddr addr, unsigned size)
{
    ICH9PM *pm = opaque;

    return addr == 0 ? pm->smi_en : pm->smi_sts;
}

static void ich9_smi_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    ICH9PM *pm = opaque;

    if (addr == 0) {
        uint32_t fixed = pm->smi_en_fixed | (ich9_tco_locked(&pm->tco) ? ICH9_SMI_TCO_EN : 0);
        uint32_t writable = SMI_EN_WRITABLE & ~fixed;

        pm->smi_en = (pm->smi_en & ~writable) | ((uint32_t)value & writable);
    } else {
        pm->smi_sts &= ~((uint32_t)value & SMI_STS_W1C);
    }
}

/* Software sets single bits with byte and word accesses as well. */
static const MemoryRegionOps ich9_smi_ops = {
    .read = ich9_smi_read,
    .write = ich9_smi_write,
    .valid = {4, 4, false},
    .impl = {4, 4, false},
};

void ich9_pm_init(ICH9PM *pm, DeviceState *dev)
{
    Object *owner = OBJECT(dev);

    acpi_pm_init(&pm->acpi, dev, ICH9_PM_GPE0_LEN / 2);
    memory_region_init(&pm->mr, owner, "ich9-pm", ICH9_PM_PORTS);
    memory_region_init_io(&pm->smi_mr, owner, &ich9_smi_ops, pm, "ich9-smi", 8);
    memory_region_add_subregion(&pm->mr, 0x00, &pm->acpi.evt_mr);
    memory_region_add_subregion(&pm->mr, 0x04, &pm->acpi.cnt_mr);
    memory_region_add_subregion(&pm->mr, 0x08, &pm->acpi.tmr_mr);
    memory_region_add_subregion(&pm->mr, ICH9_PM_GPE0, &pm->acpi.gpe_mr);
    memory_region_add_subregion(&pm->mr, ICH9_PM_SMI_EN, &pm->smi_mr);
    ich9_tco_init(&pm->tco, dev);
    if (pm->enable_tco) {
        memory_region_add_subregion(&pm->mr, ICH9_PM_TCO, &pm->tco.mr);
    }
}

void ich9_pm_reset(ICH9PM *pm, bool smm)
{
    acpi_pm_reset(&pm->acpi);
    ich9_tco_reset(&pm->tco);
    pm->smi_en_fixed = pm->smi_sts = 0;
    pm->smi_en = smm ? 0 : ICH9_SMI_APMC_EN;
}

void ich9_pm_raise_smi(ICH9PM *pm, uint32_t bit)
{
    pm->smi_sts |= bit;
    if ((pm->smi_en & bit) && (pm->smi_en & ICH9_SMI_GBL_EN)) {
        pm->smi(pm->opaque);
    }
}

void ich9_pm_lock_smi(ICH9PM *pm)
{
    pm->smi_en_fixed |= ICH9_SMI_GBL_EN;
}
