/* SPDX-License-Identifier: MIT
 *
 * EDID 1.4: section numbers are those of the VESA E-EDID standard, release A2.
 */
#include "hw/display/edid.h"

#include <glib.h>
#include <string.h>

#define BLOCK_SIZE      128
#define DESCRIPTOR_SIZE 18
#define DEFAULT_XRES    1280
#define DEFAULT_YRES    800
#define DEFAULT_RATE    75000 /* mHz */
#define DPI             100
#define DTD_MAX         4095  /* pixels in a detailed timing */
#define CLOCK_MAX       65535 /* in units of 10 kHz */

static uint8_t block_checksum(const uint8_t *block)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < BLOCK_SIZE - 1; i++) {
        sum = (uint8_t)(sum + block[i]);
    }
    return (uint8_t)-sum;
}

static uint32_t to_mm(uint32_t pixels)
{
    return (uint32_t)((uint64_t)pixels * 254 / (10 * DPI));
}

static bool listed(const EDIDInfo *info, unsigned width, unsigned height)
{
    return (!info->xmax || width <= info->xmax) && (!info->ymax || height <= info->ymax);
}

/* ---- base block, 3.3 to 3.9 ----------------------------------------------------------------- */

static void put_identity(uint8_t *e)
{
    static const uint8_t header[] = {0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00};
    const uint16_t vendor = ('Q' - '@') << 10 | ('U' - '@') << 5 | ('N' - '@');

    memcpy(e, header, sizeof(header));
    e[8] = (uint8_t)(vendor >> 8);
    e[9] = (uint8_t)vendor;
    e[10] = 0x34;
    e[11] = 0x12;
    e[16] = 1;           /* week */
    e[17] = 2026 - 1990; /* year */
    e[18] = 1;
    e[19] = 4;
}

static void put_features(uint8_t *e, const EDIDInfo *info)
{
    static const uint8_t srgb[] = {0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54};

    e[20] = 0xa5; /* digital, 8 bits a colour, DisplayPort */
    e[21] = (uint8_t)MIN(to_mm(info->xres) / 10, 255);
    e[22] = (uint8_t)MIN(to_mm(info->yres) / 10, 255);
    e[23] = 0x78; /* gamma 2.2 */
    e[24] = 0x06; /* sRGB, the first timing is the preferred one */
    memcpy(e + 25, srgb, sizeof(srgb));
}

static void put_established(uint8_t *e, const EDIDInfo *info)
{
    e[35] = (listed(info, 640, 480) ? 0x20 : 0) | (listed(info, 800, 600) ? 0x01 : 0);
    e[36] = listed(info, 1024, 768) ? 0x08 : 0;
}

/* 3.9: width / 8 - 31, aspect ratio, 60 Hz. */
static void put_standard(uint8_t *e, const EDIDInfo *info)
{
    static const struct {
        uint16_t width, height;
        uint8_t aspect;
    } modes[] = {
        {2048, 1152, 3},
        {1920, 1080, 3},
        {1920, 1200, 0},
        {1600, 1200, 1},
        {1680, 1050, 0},
        {1440, 900,  0},
        {1280, 1024, 2},
        {1280, 960,  1},
    };
    uint8_t *at = e + 38;

    memset(at, 0x01, 16); /* unused */
    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
        if (listed(info, modes[i].width, modes[i].height)) {
            *at++ = (uint8_t)(modes[i].width / 8 - 31);
            *at++ = (uint8_t)(modes[i].aspect << 6);
        }
    }
}

/* ---- 18-byte descriptors, 3.10 -------------------------------------------------------------- */

/* 3.10.2; false: the mode does not fit into one. */
static bool put_timing(uint8_t *d, const EDIDInfo *info)
{
    uint32_t x = info->xres, y = info->yres;
    uint32_t xfront = x * 25 / 100, xsync = x * 3 / 100, xblank = x * 35 / 100;
    uint32_t yfront = y * 5 / 1000, ysync = y * 5 / 1000, yblank = y * 35 / 1000;
    uint64_t clock = (uint64_t)info->refresh_rate * (x + xblank) * (y + yblank) / 10000000;
    uint32_t xmm = to_mm(x), ymm = to_mm(y);

    if (x > DTD_MAX || y > DTD_MAX || clock > CLOCK_MAX) {
        return false;
    }
    d[0] = (uint8_t)clock;
    d[1] = (uint8_t)(clock >> 8);
    d[2] = (uint8_t)x;
    d[3] = (uint8_t)xblank;
    d[4] = (uint8_t)((x >> 8) << 4 | (xblank >> 8 & 15));
    d[5] = (uint8_t)y;
    d[6] = (uint8_t)yblank;
    d[7] = (uint8_t)((y >> 8) << 4 | (yblank >> 8 & 15));
    d[8] = (uint8_t)xfront;
    d[9] = (uint8_t)xsync;
    d[10] = (uint8_t)((yfront & 15) << 4 | (ysync & 15));
    d[11] = (uint8_t)((xfront >> 8 & 3) << 6 | (xsync >> 8 & 3) << 4 | (yfront >> 4 & 3) << 2 |
                      (ysync >> 4 & 3));
    d[12] = (uint8_t)xmm;
    d[13] = (uint8_t)ymm;
    d[14] = (uint8_t)((xmm >> 8) << 4 | (ymm >> 8 & 15));
    d[17] = 0x18; /* digital separate sync */
    return true;
}

/* 3.10.3.9: more modes at 60 Hz. */
static void put_established_iii(uint8_t *d, const EDIDInfo *info)
{
    static const struct {
        uint16_t width, height;
        uint8_t byte, bit;
    } modes[] = {
        {1280, 768,  7,  6},
        {1360, 768,  8,  7},
        {1400, 1050, 8,  1},
        {1792, 1344, 10, 5},
        {1856, 1392, 10, 3},
        {1920, 1440, 11, 5},
    };

    d[3] = 0xf7;
    d[5] = 0x0a;
    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
        if (listed(info, modes[i].width, modes[i].height)) {
            d[modes[i].byte] |= (uint8_t)(1 << modes[i].bit);
        }
    }
}

/* 3.10.3.3: 50 to 125 Hz, 30 to 160 kHz, 2550 MHz. */
static void put_ranges(uint8_t *d)
{
    static const uint8_t ranges[] = {0x00, 0x00, 0x00, 0xfd, 0x00, 50,  125, 30,  160,
                                     255,  0x01, 0x0a, ' ',  ' ',  ' ', ' ', ' ', ' '};

    memcpy(d, ranges, sizeof(ranges));
}

static void put_name(uint8_t *d)
{
    d[3] = 0xfc;
    memcpy(d + 5, "Quoin Monitor", DESCRIPTOR_SIZE - 5);
}

static void put_descriptors(uint8_t *e, const EDIDInfo *info)
{
    uint8_t *d = e + 54;

    d += put_timing(d, info) ? DESCRIPTOR_SIZE : 0;
    put_established_iii(d, info);
    put_ranges(d + DESCRIPTOR_SIZE);
    put_name(d + 2 * DESCRIPTOR_SIZE);
    d += 3 * DESCRIPTOR_SIZE;
    if (d < e + 126) {
        d[3] = 0x10; /* dummy, 3.10.3.11 */
    }
}

/* ---- CTA-861-G, 7.5: video codes ------------------------------------------------------------ */

static void put_extension(uint8_t *e, const EDIDInfo *info)
{
    static const struct {
        uint16_t width, height;
        uint8_t code;
    } modes[] = {
        {1280, 720,  4  },
        {1920, 1080, 16 },
        {2560, 1080, 90 },
        {3840, 2160, 97 },
        {4096, 2160, 102},
        {5120, 2160, 126},
    };
    unsigned n = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
        if (listed(info, modes[i].width, modes[i].height)) {
            e[5 + n++] = modes[i].code;
        }
    }
    e[0] = 0x02;
    e[1] = 3;
    e[2] = (uint8_t)(5 + n); /* where detailed timings would begin */
    e[4] = (uint8_t)(0x40 | n);
}

void edid_generate(const EDIDInfo *info, uint8_t edid[EDID_SIZE])
{
    EDIDInfo with_defaults = *info;

    if (!with_defaults.xres || !with_defaults.yres) {
        with_defaults.xres = DEFAULT_XRES;
        with_defaults.yres = DEFAULT_YRES;
    }
    if (!with_defaults.refresh_rate) {
        with_defaults.refresh_rate = DEFAULT_RATE;
    }
    memset(edid, 0, EDID_SIZE);
    put_identity(edid);
    put_features(edid, &with_defaults);
    put_established(edid, &with_defaults);
    put_standard(edid, &with_defaults);
    put_descriptors(edid, &with_defaults);
    edid[126] = 1;
    edid[127] = block_checksum(edid);
    put_extension(edid + BLOCK_SIZE, &with_defaults);
    edid[BLOCK_SIZE + 127] = block_checksum(edid + BLOCK_SIZE);
}
