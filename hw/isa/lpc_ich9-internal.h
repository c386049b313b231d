/* SPDX-License-Identifier: MIT
 *
 * For this folder only.
 */
#ifndef HW_ISA_LPC_ICH9_INTERNAL_H
#define HW_ISA_LPC_ICH9_INTERNAL_H

#include "hw/acpi/pci-hotplug.h"
#include "hw/acpi/ich9-pm.h"
#include "hw/acpi/smi-features.h"
#include "hw/isa/apm.h"
#include "hw/isa/lpc_ich9.h"

struct ICH9LPCState {
    PCIDevice parent_obj;

    /* properties */
    bool noreboot, smi_broadcast, smi_cpu_hotplug, smi_cpu_hotunplug;
    uint8_t disable_s3, disable_s4, s4_val;

    ISABus *isa_bus;
    ICH9PM pm;
    APMPorts apm;
    SMIFeatures smi_features;
    MemoryRegion rst_mr, rcba_mr;
    IRQ sci, smi[ICH9_SMI_LINES];
    uint8_t rst_cnt;
    uint8_t chip_config[ICH9_RCBA_SIZE]; /* what RCBA points at */

    /* Under the irq lock. */
    uint32_t wires;      /* of the PCI bus, that are asserted */
    bool sci_level;      /* asserted by the PM block */
    uint32_t gsi_levels; /* that we hold */
    ACPIPCIHotplug pci_hotplug;
    bool bridge_hotplug;
};

/* lpc_ich9-pirq.c */
#define ICH9_NUM_WIRES 32
int ich9_lpc_map_irq(PCIDevice *dev, int pin);
void ich9_lpc_set_wire(void *opaque, int wire, int level);
void ich9_lpc_set_sci(void *opaque, int n, int level);
void ich9_lpc_update_irqs(ICH9LPCState *lpc);

/* lpc_ich9-rcba.c */
#define ICH9_CC_D31IR 0x3140
#define ICH9_CC_GCS   0x3410
void ich9_rcba_init(ICH9LPCState *lpc);
void ich9_rcba_reset(ICH9LPCState *lpc);
bool ich9_rcba_gcs_no_reboot(const ICH9LPCState *lpc);
/* Route register (4 nibbles) of slots 25 to 31; 0 for slot 30, which has none. */
uint16_t ich9_rcba_slot_route(const ICH9LPCState *lpc, int slot);

#endif
