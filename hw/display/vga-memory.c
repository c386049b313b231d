/* SPDX-License-Identifier: MIT
 *
 * VGA display memory as the CPU sees it at a0000-bffff: four planes, in vram interleaved byte by
 * byte.  IBM VGA/XGA Technical Reference, 2: "Video memory read/write operations",
 * "Graphics controller registers".
 *
 *   sequencer 2 plane mask   4: 3 chain 4, 2 sequential (not odd/even)
 *   graphics 0 set/reset  1 enable set/reset  2 colour compare  3: 4-3 function, 2-0 rotate
 *            4 read plane  5: 3 read mode, 1-0 write mode  6: 3-2 memory map
 *            7 colour don't care  8 bit mask
 *
 * In chain-4 and odd/even modes the address bits that choose the plane are left out of the
 * offset in it, so that what is chained lies in vram in the order that the CPU sees.
 */
#include <string.h>
#include "hw/display/vga-internal.h"

#define MISC_RAM_ENABLE  0x02
#define GR_MODE_ODD_EVEN 0x10 /* register 5: reads */

/* Where the window is for each memory map. */
static const struct {
    uint32_t base, size;
} vga_maps[] = {
    {0x00000, 0x20000},
    {0x00000, 0x10000},
    {0x10000, 0x08000},
    {0x18000, 0x08000},
};

/* An address in the window to one in the mapped part; false: it is not. */
static bool vga_map_address(const VGAState *s, uint32_t *addr)
{
    unsigned map = s->gr[6] >> 2 & 3;

    if (!(s->misc & MISC_RAM_ENABLE) || *addr < vga_maps[map].base ||
        *addr - vga_maps[map].base >= vga_maps[map].size) {
        return false;
    }
    *addr -= vga_maps[map].base;
    return true;
}

/* DISPI modes of a byte and more a pixel are linear, in banks of 64 KiB. */
static bool vga_linear_address(const VGAState *s, uint32_t *addr)
{
    bool dispi = vga_dispi_active(s) && s->dispi[DISPI_BPP] >= 8;

    if (!dispi && !(s->seq[4] & SEQ_CHAIN4)) {
        return false;
    }
    if (dispi) {
        *addr += (uint32_t)s->dispi_bank << 16;
    }
    return true;
}

/* Byte index of plane 0 at an offset, wrapped to the memory there is. */
static uint32_t vga_plane_index(const VGAState *s, uint32_t offset)
{
    if (vga_dispi_active(s)) {
        offset += (uint32_t)s->dispi_bank << 16;
    }
    return offset * 4 & (s->vram_size - 1);
}

/* ---- read ------------------------------------------------------------------------------------ */

static uint8_t vga_color_compare(const VGAState *s)
{
    uint8_t match = 0xff;

    for (int p = 0; p < 4; p++) {
        if (s->gr[7] >> p & 1) {
            uint8_t want = s->gr[2] >> p & 1 ? 0xff : 0;

            match &= (uint8_t) ~(s->latch[p] ^ want);
        }
    }
    return match;
}

static uint8_t vga_read_byte(VGAState *s, uint32_t addr)
{
    unsigned plane = s->gr[4] & 3;

    if (!vga_map_address(s, &addr)) {
        return 0xff;
    }
    if (vga_linear_address(s, &addr)) {
        return s->vram_ptr[addr & (s->vram_size - 1)];
    }
    if (s->gr[5] & GR_MODE_ODD_EVEN) {
        plane = (plane & 2) | (addr & 1);
        addr >>= 1;
    }
    memcpy(s->latch, s->vram_ptr + vga_plane_index(s, addr), 4);
    return s->gr[5] & 8 ? vga_color_compare(s) : s->latch[plane];
}

static uint64_t vga_memory_read(void *opaque, hwaddr addr, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)vga_read_byte(opaque, (uint32_t)addr + i) << (8 * i);
    }
    return value;
}

/* ---- write ----------------------------------------------------------------------------------- */

static uint8_t vga_rotate(const VGAState *s, uint8_t value)
{
    unsigned n = s->gr[3] & 7;

    return (uint8_t)(value >> n | value << (8 - n));
}

static uint8_t vga_function(const VGAState *s, uint8_t value, uint8_t latch)
{
    switch (s->gr[3] >> 3 & 3) {
    case 1:
        return value & latch;
    case 2:
        return value | latch;
    case 3:
        return value ^ latch;
    default:
        return value;
    }
}

/* What plane p is given in the write mode that is set, and which of its bits. */
static uint8_t vga_plane_value(const VGAState *s, unsigned p, uint8_t value, uint8_t *mask)
{
    uint8_t set = s->gr[0] >> p & 1 ? 0xff : 0;

    switch (s->gr[5] & 3) {
    case 0:
        value = s->gr[1] >> p & 1 ? set : vga_rotate(s, value);
        break;
    case 1:
        *mask = 0xff;
        return s->latch[p];
    case 2:
        value = value >> p & 1 ? 0xff : 0;
        break;
    default:
        *mask &= vga_rotate(s, value);
        value = set;
        break;
    }
    return vga_function(s, value, s->latch[p]);
}

static void vga_write_planes(VGAState *s, uint32_t offset, uint8_t planes, uint8_t value)
{
    uint8_t *cell = s->vram_ptr + vga_plane_index(s, offset);

    for (unsigned p = 0; p < 4; p++) {
        uint8_t mask = s->gr[8];
        uint8_t result = vga_plane_value(s, p, value, &mask);

        if (planes >> p & 1) {
            cell[p] = (uint8_t)((result & mask) | (s->latch[p] & ~mask));
        }
    }
}

static void vga_write_byte(VGAState *s, uint32_t addr, uint8_t value)
{
    uint8_t planes = s->seq[2] & 15;

    if (!vga_map_address(s, &addr)) {
        return;
    }
    if (vga_linear_address(s, &addr)) {
        if (vga_dispi_active(s) || (planes >> (addr & 3) & 1)) {
            s->vram_ptr[addr & (s->vram_size - 1)] = value;
        }
        return;
    }
    if (!(s->seq[4] & SEQ_SEQUENTIAL)) {
        planes &= addr & 1 ? 0xa : 0x5;
        addr >>= 1;
    }
    vga_write_planes(s, addr, planes, value);
}

static void vga_memory_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    VGAState *s = opaque;

    s->touched = true;
    for (unsigned i = 0; i < size; i++) {
        vga_write_byte(s, (uint32_t)addr + i, (uint8_t)(value >> (8 * i)));
    }
}

const MemoryRegionOps vga_memory_ops = {
    .read = vga_memory_read,
    .write = vga_memory_write,
    .valid = {1, 8, true},
    .impl = {1, 8, true},
};
