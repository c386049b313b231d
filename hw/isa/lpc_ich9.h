/* SPDX-License-Identifier: MIT
 *
 * The LPC bridge of an ICH9: the south bridge of a q35 machine.
 */
#ifndef HW_ISA_LPC_ICH9_H
#define HW_ISA_LPC_ICH9_H

#include "hw/acpi/acpi-pm.h"
#include "hw/isa/isa.h"
#include "hw/nvram/fw_cfg.h"
#include "hw/pci/pci.h"

typedef struct ACPIPCIHotplug ACPIPCIHotplug;
#define TYPE_ICH9_LPC_DEVICE "ICH9-LPC"
OBJECT_DECLARE_SIMPLE(ICH9LPCState, ICH9_LPC_DEVICE, TYPE_ICH9_LPC_DEVICE)

#define ICH9_LPC_DEVFN  PCI_MAKE_DEVFN(0x1f, 0)
#define ICH9_SATA_DEVFN PCI_MAKE_DEVFN(0x1f, 2)
#define ICH9_SMB_DEVFN  PCI_MAKE_DEVFN(0x1f, 3)

#define ICH9_NUM_PIRQS  8
#define ICH9_PIRQ_GSI   16 /* of PIRQA in the I/O APIC; the others follow */
#define ICH9_RCBA_BASE  0xfed1c000u
#define ICH9_RCBA_SIZE  0x4000u
#define ICH9_PIRQA_ROUT 0x60 /* to D; E to H are at 68 */

/* Lines of ich9_lpc_create(). */
enum { ICH9_SMI_ONE, ICH9_SMI_ALL, ICH9_SMI_LINES };

/*
 * The bridge at 1f.0 with the ISA bus "isa.0"; takes over the INTx wires of `bus`.  It drives
 * machine->gsi[] for PIRQs and SCI.  smi: two lines, to one CPU and to all; NULL: no SMM.
 */
ICH9LPCState *ich9_lpc_create(PCIBus *bus, IRQ *smi, ISABus **ret_isa_bus, GError **error);
/* Once the machine has its fw_cfg: what firmware may ask of SMIs. */
void ich9_lpc_offer_smi_features(ICH9LPCState *lpc, FWCfgState *fw_cfg);
/* SMI_EN as firmware takes it for set up already; no SMI is raised then. */
void ich9_lpc_leave_smm_out(ICH9LPCState *lpc);
ACPIPM *ich9_lpc_acpi(ICH9LPCState *lpc);
/* With no firmware: PM block, ACPI mode, PIRQ routes to `irqs` (A-D and E-H), RCBA. */
void ich9_lpc_act_as_firmware(ICH9LPCState *lpc, const uint8_t irqs[4]);

/* The registers of PCI hot-plug, for the tables; NULL: turned off. */
ACPIPCIHotplug *ich9_lpc_pci_hotplug(ICH9LPCState *lpc);

#endif
