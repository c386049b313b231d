/* SPDX-License-Identifier: MIT
 *
 * Power management of an ICH9: the block of ports at PMBASE, embedded by the LPC bridge.
 */
#ifndef HW_ACPI_ICH9_PM_H
#define HW_ACPI_ICH9_PM_H

#include "hw/acpi/acpi-pm.h"
#include "hw/acpi/ich9-tco.h"

/* What the ACPI tables of a q35 describe. */
#define ICH9_PM_BASE      0x600 /* where firmware puts the block */
#define ICH9_PM_PORTS     128
#define ICH9_PM_GPE0      0x20
#define ICH9_PM_GPE0_LEN  16
#define ICH9_PM_SMI_EN    0x30
#define ICH9_PM_SMI_STS   0x34
#define ICH9_PM_TCO       0x60
#define ICH9_ACPI_ENABLE  0x02 /* to port b2 */
#define ICH9_ACPI_DISABLE 0x03

#define ICH9_SMI_GBL_EN  (1u << 0)
#define ICH9_SMI_APMC_EN (1u << 5)
#define ICH9_SMI_TCO_EN  (1u << 13)
#define ICH9_SMI_APM_STS (1u << 5)
#define ICH9_SMI_TCO_STS (1u << 13)

typedef struct ICH9PM {
    ACPIPM acpi;
    ICH9TCO tco;
    MemoryRegion mr; /* ICH9_PM_PORTS ports, for PMBASE */
    MemoryRegion smi_mr;
    uint32_t smi_en, smi_sts;
    uint32_t smi_en_fixed; /* bits that are locked until reset */
    bool enable_tco;
    /* SMI_STS got a bit whose enable is set, and GBL_SMI_EN is: to the CPUs.  Device lock held. */
    void (*smi)(void *opaque);
    void *opaque;
} ICH9PM;

#define ICH9_PM_STATE_FIELDS(S, f)                                                                 \
    ACPI_PM_STATE_FIELDS(S, f.acpi), ICH9_TCO_STATE_FIELDS(S, f.tco), STATE_FIELD(S, f.smi_en),    \
        STATE_FIELD(S, f.smi_sts), STATE_FIELD(S, f.smi_en_fixed)

/* In realize, with the callbacks of this and of tco filled in; acpi.sci and the types are set. */
void ich9_pm_init(ICH9PM *pm, DeviceState *dev);
/* smm: CPUs have SMM; else firmware finds it set up already, and leaves it alone. */
void ich9_pm_reset(ICH9PM *pm, bool smm);
/* A status bit of SMI_STS, and the SMI if its enable bit (the same one) is set. */
void ich9_pm_raise_smi(ICH9PM *pm, uint32_t bit);
/* GEN_PMCON_1.SMI_LOCK. */
void ich9_pm_lock_smi(ICH9PM *pm);

#endif
