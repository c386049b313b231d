/* SPDX-License-Identifier: MIT
 *
 * Vendor, device and class numbers (PCI 3.0 appendix D; vendors' data sheets).
 */
#ifndef HW_PCI_PCI_IDS_H
#define HW_PCI_PCI_IDS_H

#define PCI_VENDOR_ID_INTEL              0x8086
#define PCI_DEVICE_ID_INTEL_82441        0x1237
#define PCI_DEVICE_ID_INTEL_82371SB_ISA  0x7000
#define PCI_DEVICE_ID_INTEL_82371SB_IDE  0x7010
#define PCI_DEVICE_ID_INTEL_82371AB_ACPI 0x7113
#define PCI_VENDOR_ID_BOCHS              0x1234
#define PCI_DEVICE_ID_BOCHS_VGA          0x1111
#define PCI_VENDOR_ID_REDHAT             0x1b36
#define PCI_VENDOR_ID_REDHAT_QUMRANET    0x1af4
#define PCI_SUBVENDOR_ID_REDHAT_QUMRANET 0x1af4
#define PCI_SUBDEVICE_ID_QUMRANET        0x1100

#define PCI_CLASS_STORAGE_SCSI        0x0100
#define PCI_CLASS_STORAGE_IDE         0x0101
#define PCI_CLASS_STORAGE_SATA        0x0106
#define PCI_CLASS_STORAGE_EXPRESS     0x0108
#define PCI_CLASS_NETWORK_ETHERNET    0x0200
#define PCI_CLASS_DISPLAY_VGA         0x0300
#define PCI_CLASS_DISPLAY_OTHER       0x0380
#define PCI_CLASS_MEMORY_RAM          0x0500
#define PCI_CLASS_BRIDGE_HOST         0x0600
#define PCI_CLASS_BRIDGE_ISA          0x0601
#define PCI_CLASS_BRIDGE_PCI          0x0604
#define PCI_CLASS_BRIDGE_OTHER        0x0680
#define PCI_CLASS_COMMUNICATION_OTHER 0x0780
#define PCI_CLASS_SERIAL_USB          0x0c03
#define PCI_CLASS_SERIAL_SMBUS        0x0c05
#define PCI_CLASS_OTHERS              0x00ff

#endif
