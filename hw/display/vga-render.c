/* SPDX-License-Identifier: MIT
 *
 * What the monitor shows: which kind of mode it is, and whether there is anything to draw.
 */
#include <string.h>
#include "hw/core/machine.h"
#include "hw/display/vga-internal.h"

/* ---- colours ------------------------------------------------------------------------------- */

/* Six bits to eight: 0 stays 0, 63 becomes 255. */
static uint32_t widen(uint32_t v)
{
    v &= 0x3f;
    return v << 2 | (v & 1) << 1 | (v & 1);
}

uint32_t vga_dac_color(const VGAState *s, uint8_t index)
{
    const uint8_t *c = s->palette[index & s->dac_mask];

    if (s->dispi[DISPI_ENABLE] & DISPI_8BIT_DAC) {
        return (uint32_t)c[0] << 16 | (uint32_t)c[1] << 8 | c[2];
    }
    return widen(c[0]) << 16 | widen(c[1]) << 8 | widen(c[2]);
}

/* Through the attribute controller: its registers 0-f, 10 (7: P54S) and 14. */
uint32_t vga_attr_color(const VGAState *s, unsigned index)
{
    uint8_t value = s->attr[index & 15 & s->attr[0x12]];

    if (s->attr[0x10] & ATTR_P54S) {
        value = (uint8_t)((value & 0x0f) | (s->attr[0x14] & 0x0f) << 4);
    } else {
        value = (uint8_t)((value & 0x3f) | (s->attr[0x14] & 0x0c) << 4);
    }
    return vga_dac_color(s, value);
}

void vga_attr_colors(const VGAState *s, uint32_t colors[16])
{
    for (unsigned i = 0; i < 16; i++) {
        colors[i] = vga_attr_color(s, i);
    }
}

/* ---- DISPI modes ---------------------------------------------------------------------------- */

static void draw_dispi(VGAState *s, bool everything)
{
    uint32_t palette[256];
    unsigned bpp = s->dispi[DISPI_BPP];
    LinearMode mode = {
        .memory = s->vram_ptr,
        .size = s->vram_size,
        .pitch = dispi_pixel_bytes(bpp, s->dispi[DISPI_VIRT_WIDTH]),
        .width = s->dispi[DISPI_XRES],
        .height = s->dispi[DISPI_YRES],
        .bpp = bpp,
        .big_endian = s->big_endian,
        .palette = palette,
        .dirty = everything ? NULL : s->dirty,
    };

    mode.start =
        s->dispi[DISPI_Y_OFFSET] * mode.pitch + dispi_pixel_bytes(bpp, vga_dispi_x_offset(s));
    for (unsigned i = 0; bpp == 8 && i < 256; i++) {
        palette[i] = vga_dac_color(s, (uint8_t)i);
    }
    linear_draw(s->console, &mode);
}

/* Four planes: eight pixels in four bytes. */
static void draw_dispi_planar(VGAState *s)
{
    unsigned width = s->dispi[DISPI_XRES], height = s->dispi[DISPI_YRES];
    uint32_t pitch = s->dispi[DISPI_VIRT_WIDTH] / 2, colors[16];
    g_autofree uint32_t *line = g_new(uint32_t, width);

    console_set_size(s->console, width, height);
    vga_attr_colors(s, colors);
    for (unsigned y = 0; y < height; y++) {
        uint32_t base = (y + s->dispi[DISPI_Y_OFFSET]) * pitch + vga_dispi_x_offset(s) / 8 * 4;

        for (unsigned x = 0; x < width; x++) {
            uint32_t at = (base + x / 8 * 4) & (s->vram_size - 1);

            line[x] = colors[vga_planar_index(s->vram_ptr + at, x)];
        }
        console_put_line(s->console, y, line);
    }
}

/* ---- all ------------------------------------------------------------------------------------ */

/* Nothing is sent to the monitor.  DISPI modes heed the palette's enable bit alone. */
static bool is_blank(const VGAState *s)
{
    bool sequencer_off = (s->seq[1] & SEQ_SCREEN_OFF) || s->seq_held;

    return !(s->attr_index & ATTR_PALETTE_ON) || (sequencer_off && !vga_dispi_active(s));
}

static void draw_blank(VGAState *s)
{
    const DisplaySurface *surface;
    g_autofree uint32_t *line = NULL;

    if (vga_dispi_active(s)) {
        console_set_size(s->console, s->dispi[DISPI_XRES], s->dispi[DISPI_YRES]);
    } else if (s->crtc[1]) { /* else no mode was ever set: the size stays */
        console_set_size(s->console, vga_columns_dots(s), vga_lines(s));
    }
    surface = console_surface(s->console);
    line = g_new0(uint32_t, (gsize)surface->width);
    for (int y = 0; y < surface->height; y++) {
        console_put_line(s->console, (unsigned)y, line);
    }
}

static void vga_update(void *opaque)
{
    VGAState *s = opaque;
    bool written = memory_region_fetch_dirty(&s->vram, 0, s->vram_size, s->dirty);
    unsigned phase = vga_blink_phase(s);
    bool touched = s->touched;

    if (!written && !touched && phase == s->drawn_phase) {
        return;
    }
    s->touched = false;
    s->drawn_phase = phase;
    if (is_blank(s)) {
        draw_blank(s);
    } else if (vga_dispi_active(s) && s->dispi[DISPI_BPP] == 4) {
        draw_dispi_planar(s);
    } else if (vga_dispi_active(s)) {
        draw_dispi(s, touched);
    } else {
        vga_draw_crtc(s);
    }
}

static char *vga_console_text(void *opaque)
{
    return vga_text(opaque);
}

const ConsoleOps vga_console_ops = {.update = vga_update, .text = vga_console_text};
