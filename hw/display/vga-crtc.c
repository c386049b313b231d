/* SPDX-License-Identifier: MIT
 *
 * Modes set with VGA registers, line by line as the CRT controller counts.  IBM VGA/XGA Technical
 * Reference, 2: "CRT controller registers", "Character fonts", "Graphics modes".
 *
 *   CRTC 1 last character  7, 12 last line  8: 6-5 characters, 4-0 lines to skip  9: 7 double scan
 *        4-0 last line of a row  a, b cursor lines  c, d start  e, f cursor  13 words a row
 *        14: 6 doubleword  4-0 underline  17: 6 byte  1-0 no row bits in the address
 *        18 (and 7: 4, 9: 6) line compare: below that line the start address is 0
 */
#include <string.h>
#include "hw/core/machine.h"
#include "hw/display/vga-internal.h"

#define CRTC_DOUBLE_SCAN 0x80 /* register 9 */
#define CRTC_CURSOR_OFF  0x20 /* register a */
#define CRTC_DWORD       0x40 /* register 14 */
#define CRTC_BYTE        0x40 /* register 17 */
#define CRTC_NO_ROW0     0x01
#define CRTC_NO_ROW1     0x02
#define GR_SHIFT_256     0x40 /* register 5 */
#define GR_SHIFT_CGA     0x20

#define MAX_WIDTH (256 * 16) /* of a line, with room for one character more */

typedef struct Scan {
    VGAState *s;
    unsigned chars, dots; /* characters a line; dots of one, as shown */
    bool text, half;      /* half: the dot clock is halved, dots come twice */
    uint32_t colors[16], dac[256];
    uint32_t cursor; /* its address */
    unsigned phase;  /* of blinking */

    uint16_t address; /* of the row's first character */
    unsigned row;     /* line in the row */
    unsigned pan;     /* dots (of those that the memory has) to skip at the left */
    uint32_t line[MAX_WIDTH + 32];
} Scan;

/* Cursors blink with 16 frames, characters with 32. */
unsigned vga_blink_phase(const VGAState *s)
{
    int64_t frame = vm_clock_get_ns(s->machine->clock, CLOCK_VIRTUAL) / VGA_FRAME_NS;

    return (unsigned)((frame >> 3 & 1) | (frame >> 4 & 1) << 1);
}

/* ---- addresses ------------------------------------------------------------------------------ */

/* The cell (a byte of each plane) that a count of characters leads to. */
static const uint8_t *cell_at(const Scan *c, uint16_t count)
{
    const VGAState *s = c->s;
    unsigned shift = s->crtc[0x14] & CRTC_DWORD ? 2 : s->crtc[0x17] & CRTC_BYTE ? 0 : 1;
    uint32_t at = count;

    if (!c->text && !(s->crtc[0x17] & CRTC_NO_ROW0)) {
        at = (at & ~(0x2000u >> shift)) | (c->row & 1 ? 0x2000u >> shift : 0);
    }
    if (!c->text && !(s->crtc[0x17] & CRTC_NO_ROW1)) {
        at = (at & ~(0x4000u >> shift)) | (c->row & 2 ? 0x4000u >> shift : 0);
    }
    return s->vram_ptr + (at * 4 & (s->vram_size - 1));
}

/* ---- text ----------------------------------------------------------------------------------- */

/* Map select A and B of sequencer register 3 to the 8 KiB of plane 2 that a font has. */
static uint32_t font_offset(const VGAState *s, bool map_a)
{
    static const uint16_t offsets[] = {0x0000, 0x4000, 0x8000, 0xc000,
                                       0x2000, 0x6000, 0xa000, 0xe000};
    uint8_t r = s->seq[3];
    unsigned map = map_a ? (r >> 2 & 3) | (r >> 3 & 4) : (r & 3) | (r >> 2 & 4);

    return offsets[map];
}

static bool cursor_here(const Scan *c, uint16_t count)
{
    const VGAState *s = c->s;

    return count == c->cursor && !(s->crtc[0xa] & CRTC_CURSOR_OFF) && !(c->phase & 1) &&
           c->row >= (s->crtc[0xa] & 31u) && c->row <= (s->crtc[0xb] & 31u);
}

/* The nine dots of a character's line, the first in bit 8. */
static unsigned char_dots(const Scan *c, uint16_t count, uint8_t code, uint8_t attr)
{
    const VGAState *s = c->s;
    uint32_t font = font_offset(s, attr & 8) + code * 32u + c->row;
    bool line_graphics = (s->attr[0x10] & ATTR_LINE_GRAPHICS) && code >= 0xc0 && code <= 0xdf;
    bool underline = (attr & 0x77) == 0x01 && c->row == (s->crtc[0x14] & 31u);
    unsigned bits;

    if (cursor_here(c, count) || underline) {
        return 0x1ff;
    }
    if ((s->attr[0x10] & ATTR_BLINK) && (attr & 0x80) && (c->phase & 2)) {
        return 0;
    }
    bits = s->vram_ptr[(font * 4 + 2) & (s->vram_size - 1)];
    return bits << 1 | (line_graphics ? bits & 1 : 0);
}

static void draw_char(const Scan *c, uint16_t count, uint32_t *out)
{
    const VGAState *s = c->s;
    const uint8_t *cell = cell_at(c, count);
    uint8_t attr = cell[1];
    unsigned bits = char_dots(c, count, cell[0], attr);
    uint32_t fg = c->colors[attr & 15];
    uint32_t bg = c->colors[attr >> 4 & (s->attr[0x10] & ATTR_BLINK ? 7 : 15)];

    for (unsigned i = 0; i < 9; i++) {
        out[i] = bits >> (8 - i) & 1 ? fg : bg;
    }
}

/* ---- graphics ------------------------------------------------------------------------------- */

/* One character clock: eight pixels of 16 colours or of 4, or four of 256. */
static void draw_cell(const Scan *c, uint16_t count, uint32_t *out)
{
    const uint8_t *cell = cell_at(c, count);
    uint8_t mode = c->s->gr[5];

    for (unsigned i = 0; i < 8; i++) {
        if (mode & GR_SHIFT_256) {
            out[i] = c->dac[cell[i / 2]];
        } else if (mode & GR_SHIFT_CGA) {
            unsigned shift = 6 - 2 * (i & 3), plane = i / 4;

            out[i] = c->colors[(cell[plane] >> shift & 3) | (cell[plane + 2] >> shift & 3) << 2];
        } else {
            out[i] = c->colors[vga_planar_index(cell, i)];
        }
    }
}

/* ---- lines ---------------------------------------------------------------------------------- */

static void double_dots(uint32_t *line, unsigned n)
{
    for (unsigned i = n; i-- > 0;) {
        line[2 * i] = line[2 * i + 1] = line[i];
    }
}

/* One character more than is shown, for panning. */
static void draw_line(Scan *c)
{
    unsigned dots = c->half ? c->dots / 2 : c->dots, shown = c->chars * dots;
    uint32_t *out = c->line;

    for (unsigned i = 0; i <= c->chars; i++, out += dots) {
        if (c->text) {
            draw_char(c, (uint16_t)(c->address + i), out);
        } else {
            draw_cell(c, (uint16_t)(c->address + i), out);
        }
    }
    if (c->pan) {
        memmove(c->line, c->line + c->pan, shown * sizeof(*c->line));
    }
    if (c->half) {
        double_dots(c->line, shown);
    }
}

/* Attribute controller register 13: with nine dots 8 is the position at rest. */
static unsigned pan_dots(const VGAState *s, bool nine_dots)
{
    unsigned v = s->attr[0x13] & 15;

    if (s->gr[5] & GR_SHIFT_256) {
        return v & 6; /* half a pixel is none */
    }
    if (nine_dots) {
        return v >= 8 ? 0 : v + 1;
    }
    return v & 7;
}

static unsigned char_dots_shown(const VGAState *s)
{
    if (s->seq[1] & SEQ_HALF_CLOCK) {
        return 16;
    }
    return (s->gr[6] & GR_MISC_GRAPHICS) || (s->seq[1] & SEQ_8_DOTS) ? 8 : 9;
}

unsigned vga_columns_dots(const VGAState *s)
{
    return (s->crtc[1] + 1u) * char_dots_shown(s);
}

static void scan_init(Scan *c, VGAState *s)
{
    c->s = s;
    c->text = !(s->gr[6] & GR_MISC_GRAPHICS);
    c->half = s->seq[1] & SEQ_HALF_CLOCK;
    c->chars = s->crtc[1] + 1u;
    c->dots = char_dots_shown(s);
    c->cursor = ((s->crtc[0xe] << 8 | s->crtc[0xf]) + (s->crtc[0xb] >> 5 & 3)) & 0xffff;
    c->phase = vga_blink_phase(s);
    vga_attr_colors(s, c->colors);
    for (unsigned i = 0; i < 256; i++) {
        c->dac[i] = vga_dac_color(s, (uint8_t)i);
    }
    c->address = (uint16_t)((s->crtc[0xc] << 8 | s->crtc[0xd]) + (s->crtc[8] >> 5 & 3));
    c->row = s->crtc[8] & 31;
    c->pan = pan_dots(s, c->dots == 9);
}

static void next_row_line(Scan *c)
{
    if (c->row == (c->s->crtc[9] & 31u)) {
        c->row = 0;
        c->address = (uint16_t)(c->address + c->s->crtc[0x13] * 2);
    } else {
        c->row = (c->row + 1) & 31;
    }
}

/* The line compare register: the picture begins anew at address 0. */
static void split(Scan *c)
{
    c->row = 0;
    c->address = 0;
    if (c->s->attr[0x10] & ATTR_PAN_TOP_ONLY) {
        c->pan = 0;
    }
}

void vga_draw_crtc(VGAState *s)
{
    g_autofree Scan *c = g_new0(Scan, 1);
    unsigned lines = vga_lines(s);
    unsigned compare = s->crtc[0x18] | (s->crtc[7] & 0x10u) << 4 | (s->crtc[9] & 0x40u) << 3;
    unsigned repeat = s->crtc[9] & CRTC_DOUBLE_SCAN ? 2 : 1, repeated = 0;

    scan_init(c, s);
    console_set_size(s->console, vga_columns_dots(s), lines);
    for (unsigned y = 0; y < lines; y++) {
        if (repeated == 0) {
            draw_line(c);
        }
        console_put_line(s->console, y, c->line);
        if (y == compare) {
            split(c);
            repeated = 0;
        } else if (++repeated == repeat) {
            repeated = 0;
            next_row_line(c);
        }
    }
}
