/* SPDX-License-Identifier: MIT
 *
 * Standard VGA as machines and display back ends see it.
 */
#ifndef HW_DISPLAY_VGA_H
#define HW_DISPLAY_VGA_H

#include "hw/pci/pci.h"

#define TYPE_PCI_VGA "VGA"
OBJECT_DECLARE_SIMPLE(PCIVGAState, PCI_VGA, TYPE_PCI_VGA)

/* A display back end (system/display, later) asks a device for these; big lock and device lock. */
typedef struct DisplaySurface {
    int width, height, stride; /* pixels, pixels, bytes */
    uint32_t *pixels;          /* 0x00rrggbb; free with display_surface_free() */
} DisplaySurface;

void display_surface_free(DisplaySurface *surface);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DisplaySurface, display_surface_free)

/* What the monitor shows now, rendered. */
DisplaySurface *vga_get_surface(PCIVGAState *vga);
/* The text screen as lines of UTF-8 ended by \n; NULL in a graphics mode.  Free it. */
char *vga_get_text(PCIVGAState *vga);

#endif
