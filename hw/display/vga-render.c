/* SPDX-License-Identifier: MIT
 *
 * Display memory to pixels.  IBM VGA/XGA Technical Reference, 2: "Character fonts", "Graphics
 * modes", "Palette registers".
 */
#include "hw/display/vga-internal.h"

#define VGA_MAX_SIZE 2048 /* of a mode set with VGA registers alone */

/* ---- colours ------------------------------------------------------------------------------- */

static uint32_t vga_dac_color(const VGAState *s, uint8_t index)
{
    const uint8_t *c = s->palette[index & s->dac_mask];
    unsigned shift = s->dispi[DISPI_ENABLE] & DISPI_8BIT_DAC ? 0 : 2;
    uint32_t r = c[0], g = c[1], b = c[2];

    if (shift) { /* 63 is white, as 255 is */
        r = (r << 2 | r >> 4) & 0xff;
        g = (g << 2 | g >> 4) & 0xff;
        b = (b << 2 | b >> 4) & 0xff;
    }
    return r << 16 | g << 8 | b;
}

/* Through the attribute controller: its registers 0-f, 10 (7: P54S) and 14. */
static uint32_t vga_attr_color(const VGAState *s, unsigned index)
{
    uint8_t value = s->attr[index & 15 & s->attr[0x12]];

    if (s->attr[0x10] & 0x80) {
        value = (uint8_t)((value & 0x0f) | (s->attr[0x14] & 0x0f) << 4);
    } else {
        value = (uint8_t)((value & 0x3f) | (s->attr[0x14] & 0x0c) << 4);
    }
    return vga_dac_color(s, value);
}

static DisplaySurface *surface_new(unsigned width, unsigned height)
{
    DisplaySurface *surface = g_new0(DisplaySurface, 1);

    surface->width = (int)width;
    surface->height = (int)height;
    surface->stride = (int)width * 4;
    surface->pixels = g_new0(uint32_t, (size_t)width * height);
    return surface;
}

void display_surface_free(DisplaySurface *surface)
{
    if (surface) {
        g_free(surface->pixels);
        g_free(surface);
    }
}

/* ---- text ------------------------------------------------------------------------------------ */

/* Map select A and B of sequencer register 3 to the 8 KiB of plane 2 that a font has. */
static uint32_t vga_font_offset(const VGAState *s, bool map_a)
{
    static const uint16_t offsets[] = {0x0000, 0x4000, 0x8000, 0xc000,
                                       0x2000, 0x6000, 0xa000, 0xe000};
    uint8_t r = s->seq[3];
    unsigned map = map_a ? (r >> 2 & 3) | (r >> 3 & 4) : (r & 3) | (r >> 2 & 4);

    return offsets[map];
}

static bool vga_cursor_on(const VGAState *s, const VGATextMode *m, unsigned x, unsigned y,
                          unsigned line)
{
    uint32_t pos = s->crtc[0xf] | (uint32_t)s->crtc[0xe] << 8;

    return !(s->crtc[0xa] & 0x20) && pos == m->start + y * m->pitch + x &&
           line >= (s->crtc[0xa] & 31u) && line <= (s->crtc[0xb] & 31u);
}

static void vga_draw_char(const VGAState *s, const VGATextMode *m, DisplaySurface *out, unsigned x,
                          unsigned y)
{
    uint16_t cell = vga_text_cell(s, m, x, y);
    uint8_t c = (uint8_t)cell, attr = (uint8_t)(cell >> 8);
    bool blink = s->attr[0x10] & 0x08;
    uint32_t font = vga_font_offset(s, attr & 8) + c * 32u;
    uint32_t fg = vga_attr_color(s, attr & 15);
    uint32_t bg = vga_attr_color(s, attr >> 4 & (blink ? 7 : 15));

    for (unsigned line = 0; line < m->char_height; line++) {
        uint8_t bits = s->vram_ptr[(font + line) * 4 + 2];
        uint32_t *p = out->pixels + (size_t)(y * m->char_height + line) * (unsigned)out->width +
                      x * m->char_width;
        bool cursor = vga_cursor_on(s, m, x, y, line);
        bool line_graphics = (s->attr[0x10] & 4) && c >= 0xc0 && c <= 0xdf;

        for (unsigned i = 0; i < m->char_width; i++) {
            bool on = i < 8 ? bits >> (7 - i) & 1 : line_graphics && (bits & 1);

            p[i] = on || cursor ? fg : bg;
        }
    }
}

static DisplaySurface *vga_render_text(const VGAState *s, const VGATextMode *m)
{
    DisplaySurface *out = surface_new(m->columns * m->char_width, m->rows * m->char_height);

    for (unsigned y = 0; y < m->rows; y++) {
        for (unsigned x = 0; x < m->columns; x++) {
            vga_draw_char(s, m, out, x, y);
        }
    }
    return out;
}

/* ---- graphics modes of the VGA ------------------------------------------------------------------
 */

typedef struct VGAGraphics {
    unsigned width, height, scan; /* scan: lines that repeat each row */
    uint32_t start, pitch;        /* in bytes of interleaved memory */
} VGAGraphics;

static unsigned vga_lines(const VGAState *s)
{
    return 1 + (s->crtc[0x12] | (s->crtc[7] & 0x02u) << 7 | (s->crtc[7] & 0x40u) << 3);
}

static VGAGraphics vga_graphics_mode(const VGAState *s)
{
    bool wide = s->gr[5] & 0x40; /* 256 colours: two clocks a pixel */
    unsigned rows = (s->crtc[9] & 31u) + 1;
    VGAGraphics g = {0};

    g.scan = rows * (s->crtc[9] & 0x80 ? 2 : 1);
    g.width = (s->crtc[1] + 1u) * (wide ? 4 : 8);
    g.height = MAX(vga_lines(s) / g.scan, 1u);
    g.start = (s->crtc[0xd] | (uint32_t)s->crtc[0xc] << 8) * 4;
    g.pitch = s->crtc[0x13] * 8u;
    g.width = MIN(g.width, VGA_MAX_SIZE);
    g.height = MIN(g.height, VGA_MAX_SIZE);
    return g;
}

static uint32_t vga_planar_pixel(const VGAState *s, const uint8_t *row, uint32_t mask,
                                 uint32_t base, unsigned x)
{
    unsigned bit = 7 - (x & 7), index = 0;

    for (unsigned p = 0; p < 4; p++) {
        index |= (row[(base + x / 8 * 4 + p) & mask] >> bit & 1u) << p;
    }
    return vga_attr_color(s, index);
}

/* Shift register mode 1: two bits a pixel, from planes 0 and 1 in turn. */
static uint32_t vga_cga_pixel(const VGAState *s, const uint8_t *row, uint32_t mask, uint32_t base,
                              unsigned x)
{
    unsigned byte = x / 4, shift = 6 - 2 * (x & 3);
    uint32_t at = base + (byte & ~1u) * 4 + (byte & 1);

    return vga_attr_color(s, row[at & mask] >> shift & 3u);
}

static DisplaySurface *vga_render_graphics(const VGAState *s)
{
    VGAGraphics g = vga_graphics_mode(s);
    DisplaySurface *out = surface_new(g.width, g.height);
    uint32_t mask = s->vram_size - 1;

    for (unsigned y = 0; y < g.height; y++) {
        uint32_t base = g.start + y * g.pitch;

        for (unsigned x = 0; x < g.width; x++) {
            uint32_t *p = &out->pixels[(size_t)y * g.width + x];

            if (s->gr[5] & 0x40) {
                *p = vga_dac_color(s, s->vram_ptr[(base + x) & mask]);
            } else if (s->gr[5] & 0x20) {
                *p = vga_cga_pixel(s, s->vram_ptr, mask, base, x);
            } else {
                *p = vga_planar_pixel(s, s->vram_ptr, mask, base, x);
            }
        }
    }
    return out;
}

/* ---- DISPI modes
 * ------------------------------------------------------------------------------------ */

static uint32_t dispi_pixel(const VGAState *s, const uint8_t *p)
{
    uint32_t v;

    switch (s->dispi[DISPI_BPP]) {
    case 8:
        return vga_dac_color(s, p[0]);
    case 15:
        v = p[0] | (uint32_t)p[1] << 8;
        return (v & 0x7c00) << 9 | (v & 0x03e0) << 6 | (v & 0x001f) << 3;
    case 16:
        v = p[0] | (uint32_t)p[1] << 8;
        return (v & 0xf800) << 8 | (v & 0x07e0) << 5 | (v & 0x001f) << 3;
    default:
        return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
    }
}

static DisplaySurface *vga_render_dispi(const VGAState *s)
{
    unsigned width = s->dispi[DISPI_XRES], height = s->dispi[DISPI_YRES];
    unsigned bytes = vga_dispi_bytes(s);
    DisplaySurface *out = surface_new(width, height);
    size_t line = (size_t)s->dispi[DISPI_VIRT_WIDTH] * bytes;
    size_t start = s->dispi[DISPI_Y_OFFSET] * line + (size_t)s->dispi[DISPI_X_OFFSET] * bytes;

    for (unsigned y = 0; y < height; y++) {
        for (unsigned x = 0; x < width; x++) {
            size_t at = start + y * line + (size_t)x * bytes;

            if (at + 4 <= s->vram_size) {
                out->pixels[(size_t)y * width + x] = dispi_pixel(s, s->vram_ptr + at);
            }
        }
    }
    return out;
}

static DisplaySurface *vga_render_dispi_planar(const VGAState *s)
{
    unsigned width = s->dispi[DISPI_XRES], height = s->dispi[DISPI_YRES];
    DisplaySurface *out = surface_new(width, height);
    uint32_t pitch = s->dispi[DISPI_VIRT_WIDTH] / 2;

    for (unsigned y = 0; y < height; y++) {
        for (unsigned x = 0; x < width; x++) {
            out->pixels[(size_t)y * width + x] = vga_planar_pixel(
                s, s->vram_ptr, s->vram_size - 1, (y + s->dispi[DISPI_Y_OFFSET]) * pitch, x);
        }
    }
    return out;
}

DisplaySurface *vga_render(VGAState *s)
{
    VGATextMode text;

    if (vga_text_mode(s, &text)) {
        return vga_render_text(s, &text);
    }
    if (!vga_dispi_active(s)) {
        return vga_render_graphics(s);
    }
    return s->dispi[DISPI_BPP] == 4 ? vga_render_dispi_planar(s) : vga_render_dispi(s);
}
