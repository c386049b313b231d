/* SPDX-License-Identifier: MIT
 *
 * Display adapters, as machines see them.
 */
#ifndef HW_DISPLAY_VGA_H
#define HW_DISPLAY_VGA_H

#include "hw/pci/pci.h"

#define TYPE_PCI_VGA       "VGA"
#define TYPE_SECONDARY_VGA "secondary-vga" /* without the legacy addresses */
#define TYPE_BOCHS_DISPLAY "bochs-display" /* frame buffer and DISPI registers only */
#define TYPE_ISA_VGA       "isa-vga"

#endif
