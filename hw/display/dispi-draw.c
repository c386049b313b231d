/* SPDX-License-Identifier: MIT
 *
 * Linear frame buffers to pixels.
 */
#include "hw/display/vga-internal.h"

/* A field of bits to eight: its upper bits come again below. */
static inline uint32_t widen5(uint32_t v)
{
    return v << 3 | v >> 2;
}

static inline uint32_t widen6(uint32_t v)
{
    return v << 2 | v >> 4;
}

/* As QEMU's users see this depth: 31 is f8. */
static inline uint32_t rgb15(uint32_t v)
{
    return (v & 0x7c00) << 9 | (v & 0x03e0) << 6 | (v & 0x001f) << 3;
}

static inline uint32_t rgb16(uint32_t v)
{
    return widen5(v >> 11 & 31) << 16 | widen6(v >> 5 & 63) << 8 | widen5(v & 31);
}

static inline uint32_t load16(const uint8_t *p, bool big_endian)
{
    return big_endian ? (uint32_t)(p[0] << 8 | p[1]) : (uint32_t)(p[1] << 8 | p[0]);
}

static void draw_line(const LinearMode *m, const uint8_t *p, uint32_t *out)
{
    bool be = m->big_endian;

    switch (m->bpp) {
    case 8:
        for (unsigned x = 0; x < m->width; x++) {
            out[x] = m->palette[p[x]];
        }
        break;
    case 15:
        for (unsigned x = 0; x < m->width; x++) {
            out[x] = rgb15(load16(p + 2 * x, be));
        }
        break;
    case 16:
        for (unsigned x = 0; x < m->width; x++) {
            out[x] = rgb16(load16(p + 2 * x, be));
        }
        break;
    case 24:
        for (unsigned x = 0; x < m->width; x++, p += 3) {
            out[x] = (uint32_t)p[be ? 0 : 2] << 16 | (uint32_t)p[1] << 8 | p[be ? 2 : 0];
        }
        break;
    default:
        for (unsigned x = 0; x < m->width; x++, p += 4) {
            out[x] = be ? (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]
                        : (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
        }
        break;
    }
}

/* A frame buffer that ends before the picture does leaves the rest as it was. */
void linear_draw(Console *console, const LinearMode *m)
{
    uint64_t bytes = dispi_pixel_bytes(m->bpp, m->width);
    bool everything = console_set_size(console, m->width, m->height) || !m->dirty;
    g_autofree uint32_t *line = g_new(uint32_t, m->width);

    for (unsigned y = 0; y < m->height; y++) {
        uint64_t at = m->start + y * m->pitch;

        if (at + bytes > m->size) {
            break;
        }
        if (everything || dirty_test(m->dirty, 0, at, bytes)) {
            draw_line(m, m->memory + at, line);
            console_put_line(console, y, line);
        }
    }
}
