/* SPDX-License-Identifier: MIT
 *
 * What the chipset's SMI can do, as firmware and board agree on it over three fw_cfg files:
 * etc/smi/supported-features and requested-features (64 bits, little-endian) and features-ok (one
 * byte).  Firmware writes what it wants and selects features-ok: 1 there means that it is in
 * force and fixed until reset.  Embedded by the chip that raises the SMI.
 */
#ifndef HW_ACPI_SMI_FEATURES_H
#define HW_ACPI_SMI_FEATURES_H

#include "hw/nvram/fw_cfg.h"

#define SMI_FEATURE_BROADCAST     (1ull << 0) /* the command port interrupts every CPU */
#define SMI_FEATURE_CPU_HOTPLUG   (1ull << 1) /* an SMI comes before the OS sees a new CPU */
#define SMI_FEATURE_CPU_HOTUNPLUG (1ull << 2) /* and before one that goes is gone */

typedef struct SMIFeatures {
    FWCfgState *fw_cfg;
    uint64_t supported;
    uint64_t requested;  /* as firmware wrote it */
    uint64_t negotiated; /* in force */
    bool agreed;
} SMIFeatures;

#define SMI_FEATURES_STATE_FIELDS(S, f)                                                      \
    STATE_FIELD(S, f.requested), STATE_FIELD(S, f.negotiated), STATE_FIELD(S, f.agreed)

/* Once the machine has its fw_cfg; `supported`: SMI_FEATURE_*. */
void smi_features_init(SMIFeatures *f, FWCfgState *fw_cfg, uint64_t supported);
/* Nothing is agreed any more. */
void smi_features_reset(SMIFeatures *f);

static inline bool smi_features_has(const SMIFeatures *f, uint64_t feature)
{
    return (f->negotiated & feature) == feature;
}

#endif
