/* SPDX-License-Identifier: MIT
 *
 * What a monitor says of itself: VESA Enhanced EDID Standard, release A2 (structure 1.4), with a
 * CTA-861 extension block.
 */
#ifndef HW_DISPLAY_EDID_H
#define HW_DISPLAY_EDID_H

#include <stdbool.h>
#include <stdint.h>

#define EDID_SIZE 256 /* bytes: base block and one extension */

typedef struct EDIDInfo {
    uint32_t xres, yres;   /* preferred mode, pixels; 0: 1280x800 */
    uint32_t xmax, ymax;   /* no larger mode is listed; 0: no limit */
    uint32_t refresh_rate; /* millihertz; 0: 75 Hz */
} EDIDInfo;

void edid_generate(const EDIDInfo *info, uint8_t edid[EDID_SIZE]);

/* Properties of devices that have one: struct type, field of type EDIDInfo. */
#define DEFINE_EDID_PROPERTIES(S, f)                                                               \
    DEFINE_PROP_UINT32("xres", S, f.xres, 0, "preferred width in pixels, 0: 1280", .max = 16000),  \
        DEFINE_PROP_UINT32("yres", S, f.yres, 0, "preferred height in pixels, 0: 800",             \
                           .max = 12000),                                                          \
        DEFINE_PROP_UINT32("xmax", S, f.xmax, 0, "widest mode in the EDID, 0: no limit",           \
                           .max = 16000),                                                          \
        DEFINE_PROP_UINT32("ymax", S, f.ymax, 0, "highest mode in the EDID, 0: no limit",          \
                           .max = 12000),                                                          \
        DEFINE_PROP_UINT32("refresh_rate", S, f.refresh_rate, 0,                                   \
                           "in mHz of the preferred mode, 0: 75000", .max = 1000000)

#endif
