/* SPDX-License-Identifier: MIT
 *
 * Bochs display interface ("VBE dispi"): modes of any size with a linear frame buffer.
 * Interface as documented with the Bochs VGABios (vbe_display_api.txt, version B0C5).
 *
 *   1ce index   1cf, 1d0 data (16 bits)
 *   0 id  1 xres  2 yres  3 bpp  4 enable  5 bank  6, 7 virtual size  8, 9 offset  a memory / 64K
 */
#include <string.h>
#include "hw/display/vga-internal.h"

#define DISPI_ID_FIRST 0xb0c0
#define DISPI_MAX_XRES 16000
#define DISPI_MAX_YRES 12000
#define DISPI_MAX_BPP  32

static const uint16_t dispi_caps[DISPI_REGS] = {
    [DISPI_XRES] = DISPI_MAX_XRES,
    [DISPI_YRES] = DISPI_MAX_YRES,
    [DISPI_BPP] = DISPI_MAX_BPP,
};

uint16_t vga_dispi_read(VGAState *s, unsigned index)
{
    if (index >= DISPI_REGS) {
        return 0;
    }
    if (index == DISPI_VIDEO_MEMORY_64K) {
        return (uint16_t)(s->vram_size >> 16);
    }
    if ((s->dispi[DISPI_ENABLE] & DISPI_GETCAPS) && dispi_caps[index]) {
        return dispi_caps[index];
    }
    return s->dispi[index];
}

static bool dispi_bpp_valid(unsigned bpp)
{
    return bpp == 4 || bpp == 8 || bpp == 15 || bpp == 16 || bpp == 24 || bpp == 32;
}

static uint32_t dispi_line_bytes(const VGAState *s, uint32_t width)
{
    return dispi_pixel_bytes(s->dispi[DISPI_BPP], width);
}

/* What was asked for becomes a mode that there is, and that fits into the memory. */
static void dispi_fit(VGAState *s)
{
    uint32_t xres = CLAMP(s->dispi[DISPI_XRES] & ~7u, 8, DISPI_MAX_XRES), line, lines;

    if (!dispi_bpp_valid(s->dispi[DISPI_BPP])) {
        s->dispi[DISPI_BPP] = 8;
    }
    line = dispi_line_bytes(s, MAX(s->dispi[DISPI_VIRT_WIDTH], xres));
    if (line > s->vram_size) {
        line = dispi_line_bytes(s, xres);
        s->dispi[DISPI_VIRT_WIDTH] = 0;
    }
    lines = s->vram_size / line;
    s->dispi[DISPI_XRES] = (uint16_t)xres;
    s->dispi[DISPI_YRES] = (uint16_t)CLAMP(s->dispi[DISPI_YRES], 1, MIN(lines, DISPI_MAX_YRES));
    s->dispi[DISPI_VIRT_WIDTH] = (uint16_t)MAX(s->dispi[DISPI_VIRT_WIDTH], xres);
    s->dispi[DISPI_VIRT_HEIGHT] = (uint16_t)MIN(lines, UINT16_MAX);
}

/* No offset moves the picture out of memory. */
static void dispi_clamp_y_offset(VGAState *s)
{
    uint32_t y_room = s->dispi[DISPI_VIRT_HEIGHT] - s->dispi[DISPI_YRES];

    s->dispi[DISPI_Y_OFFSET] = (uint16_t)MIN(s->dispi[DISPI_Y_OFFSET], y_room);
}

static void dispi_write_enable(VGAState *s, uint16_t value)
{
    bool was = vga_dispi_active(s);

    s->dispi[DISPI_ENABLE] =
        value & (DISPI_GETCAPS | DISPI_8BIT_DAC | DISPI_LFB | DISPI_NOCLEARMEM);
    if (!(value & DISPI_ENABLED)) {
        s->dispi_bank = 0;
        return;
    }
    if (!was) {
        s->dispi_bank = 0;
        s->dispi[DISPI_VIRT_WIDTH] = 0;
        s->dispi[DISPI_X_OFFSET] = s->dispi[DISPI_Y_OFFSET] = 0;
    }
    dispi_fit(s);
    dispi_clamp_y_offset(s);
    s->dispi[DISPI_ENABLE] |= DISPI_ENABLED;
    if (!was && !(value & DISPI_NOCLEARMEM)) {
        memset(s->vram_ptr, 0,
               (size_t)dispi_line_bytes(s, s->dispi[DISPI_VIRT_WIDTH]) * s->dispi[DISPI_YRES]);
    }
}

/* A mode that is shown changes at once. */
static void dispi_write_mode(VGAState *s, unsigned index, uint16_t value)
{
    s->dispi[index] = value;
    if (vga_dispi_active(s)) {
        dispi_fit(s);
        dispi_clamp_y_offset(s);
    }
}

void vga_dispi_write(VGAState *s, unsigned index, uint16_t value)
{
    s->touched = true;
    switch (index) {
    case DISPI_ID:
        if (value >= DISPI_ID_FIRST && value <= DISPI_ID_LAST) {
            s->dispi[DISPI_ID] = value;
        }
        break;
    case DISPI_XRES:
    case DISPI_YRES:
    case DISPI_BPP:
        if (value <= dispi_caps[index]) {
            dispi_write_mode(s, index, value);
        }
        break;
    case DISPI_ENABLE:
        dispi_write_enable(s, value);
        break;
    case DISPI_BANK:
        s->dispi[index] = s->dispi_bank = (uint16_t)(value & ((s->vram_size >> 16) - 1));
        break;
    case DISPI_VIRT_WIDTH:
    case DISPI_X_OFFSET:
    case DISPI_Y_OFFSET:
        dispi_write_mode(s, index, value);
        break;
    default:
        break;
    }
}

static uint64_t dispi_port_read(void *opaque, hwaddr addr, unsigned size)
{
    VGAState *s = opaque;

    return addr == 0 ? s->dispi_index : vga_dispi_read(s, s->dispi_index);
}

static void dispi_port_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    VGAState *s = opaque;

    if (addr == 0) {
        s->dispi_index = (uint16_t)value;
    } else {
        vga_dispi_write(s, s->dispi_index, (uint16_t)value);
    }
}

/* The data port is word-wide at an odd address. */
const MemoryRegionOps vga_dispi_port_ops = {
    .read = dispi_port_read,
    .write = dispi_port_write,
    .valid = {1, 4, true},
    .impl = {1, 4, true},
};
