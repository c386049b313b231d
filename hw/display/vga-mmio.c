/* SPDX-License-Identifier: MIT
 *
 * The register window that PCI display devices share (BAR 2).
 *
 *   +000  EDID            +400-41f  ports 3c0-3df
 *   +500-515  DISPI registers, 16 bits each
 *   +600  bytes in this block   +604  byte order of pixels: 1e1e1e1e little, bebebebe big endian
 */
#include <string.h>
#include "hw/display/vga-internal.h"

#define WINDOW_SIZE   4096
#define PORTS_OFFSET  0x400
#define DISPI_OFFSET  0x500
#define EXT_OFFSET    0x600
#define EXT_SIZE      8
#define LITTLE_PIXELS 0x1e1e1e1eu
#define BIG_PIXELS    0xbebebebeu

static uint64_t edid_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((VGAWindow *)opaque)->edid_bytes[addr];
}

static void edid_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
}

static const MemoryRegionOps edid_ops = {
    .read = edid_read,
    .write = edid_write,
    .valid = {1, 8},
    .impl = {1, 1},
};

static uint64_t ports_read(void *opaque, hwaddr addr, unsigned size)
{
    return vga_port_read(opaque, (uint16_t)(0x3c0 + addr));
}

static void ports_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    vga_port_write(opaque, (uint16_t)(0x3c0 + addr), (uint8_t)value);
}

static const MemoryRegionOps ports_ops = {
    .read = ports_read,
    .write = ports_write,
    .valid = {1, 4},
    .impl = {1, 1},
};

static uint64_t dispi_read(void *opaque, hwaddr addr, unsigned size)
{
    return vga_dispi_read(opaque, (unsigned)addr / 2);
}

static void dispi_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    vga_dispi_write(opaque, (unsigned)addr / 2, (uint16_t)value);
}

static const MemoryRegionOps dispi_ops = {
    .read = dispi_read,
    .write = dispi_write,
    .valid = {1, 4},
    .impl = {2, 2},
};

static uint64_t ext_read(void *opaque, hwaddr addr, unsigned size)
{
    VGAState *s = opaque;

    return addr == 0 ? EXT_SIZE : s->big_endian ? BIG_PIXELS : LITTLE_PIXELS;
}

static void ext_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    VGAState *s = opaque;

    if (addr == 4 && (value == BIG_PIXELS || value == LITTLE_PIXELS)) {
        s->big_endian = value == BIG_PIXELS;
        s->touched = true;
    }
}

static const MemoryRegionOps ext_ops = {
    .read = ext_read,
    .write = ext_write,
    .valid = {1, 8},
    .impl = {4, 4},
};

void vga_window_init(VGAWindow *w, Object *owner, VGAState *vga, const EDIDInfo *info, bool ext)
{
    w->vga = vga;
    memory_region_init(&w->container, owner, "vga.mmio", WINDOW_SIZE);
    if (info) {
        memset(w->edid_bytes, 0, sizeof(w->edid_bytes));
        edid_generate(info, w->edid_bytes);
        memory_region_init_io(&w->edid, owner, &edid_ops, w, "edid", sizeof(w->edid_bytes));
        memory_region_add_subregion(&w->container, 0, &w->edid);
    }
    memory_region_init_io(&w->ports, owner, &ports_ops, vga, "vga ioports remapped", 0x20);
    memory_region_add_subregion(&w->container, PORTS_OFFSET, &w->ports);
    memory_region_init_io(&w->dispi, owner, &dispi_ops, vga, "bochs dispi interface",
                          2 * DISPI_REGS);
    memory_region_add_subregion(&w->container, DISPI_OFFSET, &w->dispi);
    if (ext) {
        memory_region_init_io(&w->ext, owner, &ext_ops, vga, "qemu extended regs", EXT_SIZE);
        memory_region_add_subregion(&w->container, EXT_OFFSET, &w->ext);
    }
}
