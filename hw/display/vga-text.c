/* SPDX-License-Identifier: MIT
 *
 * Text modes: the screen as characters.  IBM VGA/XGA Technical Reference, 2: "Alphanumeric
 * modes", "CRT controller registers".
 *
 *   CRTC 1 last column  7: 6, 1 bits of   12 last line   9: 4-0 lines a character
 *        c, d start  e, f cursor  13 words a row
 */
#include "hw/display/vga-internal.h"

/* Code page 437, characters 0-31 and 127-255. */
static const uint16_t cp437_low[32] = {
    0x0020, 0x263a, 0x263b, 0x2665, 0x2666, 0x2663, 0x2660, 0x2022, 0x25d8, 0x25cb, 0x25d9,
    0x2642, 0x2640, 0x266a, 0x266b, 0x263c, 0x25ba, 0x25c4, 0x2195, 0x203c, 0x00b6, 0x00a7,
    0x25ac, 0x21a8, 0x2191, 0x2193, 0x2192, 0x2190, 0x221f, 0x2194, 0x25b2, 0x25bc,
};
static const uint16_t cp437_high[129] = {
    0x2302, 0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8,
    0x00ef, 0x00ee, 0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb,
    0x00f9, 0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, 0x00e1, 0x00ed, 0x00f3,
    0x00fa, 0x00f1, 0x00d1, 0x00aa, 0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab,
    0x00bb, 0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551,
    0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e,
    0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567, 0x2568, 0x2564, 0x2565,
    0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590,
    0x2580, 0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4, 0x03a6, 0x0398, 0x03a9,
    0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7,
    0x2248, 0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0,
};

static gunichar cp437_to_unicode(uint8_t c)
{
    return c < 32 ? cp437_low[c] : c >= 127 ? cp437_high[c - 127] : c;
}

unsigned vga_lines(const VGAState *s)
{
    return 1 + (s->crtc[0x12] | (s->crtc[7] & 0x02u) << 7 | (s->crtc[7] & 0x40u) << 3);
}

bool vga_text_mode(const VGAState *s, VGATextMode *ret_mode)
{
    if (vga_dispi_active(s) || (s->gr[6] & GR_MISC_GRAPHICS)) {
        return false;
    }
    ret_mode->char_height = ((s->crtc[9] & 31u) + 1) * (s->crtc[9] & 0x80 ? 2 : 1);
    ret_mode->char_width = s->seq[1] & SEQ_HALF_CLOCK ? 16 : s->seq[1] & SEQ_8_DOTS ? 8 : 9;
    ret_mode->columns = s->crtc[1] + 1u;
    ret_mode->rows = vga_lines(s) / ret_mode->char_height;
    ret_mode->start = s->crtc[0xd] | s->crtc[0xc] << 8;
    ret_mode->pitch = s->crtc[0x13] * 2u;
    return ret_mode->rows > 0;
}

/* Odd/even addressing puts character n at offset n of plane 0. */
static uint8_t text_char(const VGAState *s, const VGATextMode *mode, unsigned x, unsigned y)
{
    uint32_t n = (mode->start + y * mode->pitch + x) & 0xffff;

    return s->vram_ptr[n * 4 & (s->vram_size - 1)];
}

static void vga_text_row(const VGAState *s, const VGATextMode *mode, unsigned y, GString *out)
{
    gsize end = out->len;

    for (unsigned x = 0; x < mode->columns; x++) {
        uint8_t c = text_char(s, mode, x, y);

        g_string_append_unichar(out, cp437_to_unicode(c));
        end = c != ' ' && c != 0 ? out->len : end;
    }
    g_string_truncate(out, end);
    g_string_append_c(out, '\n');
}

char *vga_text(const VGAState *s)
{
    VGATextMode mode;
    GString *out;

    if (!vga_text_mode(s, &mode)) {
        return NULL;
    }
    out = g_string_new(NULL);
    for (unsigned y = 0; y < mode.rows; y++) {
        vga_text_row(s, &mode, y, out);
    }
    return g_string_free(out, FALSE);
}
