/* SPDX-License-Identifier: MIT
 *
 * For this folder only: the VGA core, embedded by the devices that provide it.
 */
#ifndef HW_DISPLAY_VGA_INTERNAL_H
#define HW_DISPLAY_VGA_INTERNAL_H

#include "hw/display/edid.h"
#include "hw/display/vga.h"
#include "system/display/console.h"
#include "system/memory/memory.h"

/* Bochs display interface (DISPI) registers. */
enum {
    DISPI_ID,
    DISPI_XRES,
    DISPI_YRES,
    DISPI_BPP,
    DISPI_ENABLE,
    DISPI_BANK,
    DISPI_VIRT_WIDTH,
    DISPI_VIRT_HEIGHT,
    DISPI_X_OFFSET,
    DISPI_Y_OFFSET,
    DISPI_VIDEO_MEMORY_64K,
    DISPI_REGS,
};
#define DISPI_ENABLED    0x01
#define DISPI_GETCAPS    0x02
#define DISPI_8BIT_DAC   0x20
#define DISPI_LFB        0x40
#define DISPI_NOCLEARMEM 0x80
#define DISPI_ID_LAST    0xb0c5

#define VGA_SEQ_REGS  8
#define VGA_GR_REGS   16
#define VGA_CRTC_REGS 32
#define VGA_ATTR_REGS 32
#define VGA_MEM_BASE  0xa0000
#define VGA_MEM_SIZE  0x20000

#define VGA_FRAME_NS 16666667 /* 60 Hz */

#define MISC_COLOR         0x01
#define SEQ_RUN            0x03 /* register 0: neither reset */
#define SEQ_8_DOTS         0x01 /* register 1 */
#define SEQ_HALF_CLOCK     0x08
#define SEQ_SCREEN_OFF     0x20
#define SEQ_CHAIN4         0x08 /* register 4 */
#define SEQ_SEQUENTIAL     0x04
#define GR_MISC_GRAPHICS   0x01 /* register 6 */
#define ATTR_PALETTE_ON    0x20 /* of the index */
#define ATTR_LINE_GRAPHICS 0x04 /* register 10 */
#define ATTR_BLINK         0x08
#define ATTR_PAN_TOP_ONLY  0x20
#define ATTR_P54S          0x80

typedef struct VGAState {
    MachineState *machine;
    Console *console;
    MemoryRegion vram, window, ports_3b0, ports_3c0, dispi_ports;
    uint8_t *vram_ptr;
    uint32_t vram_size;

    /* What the picture was drawn from last. */
    bool touched;         /* registers or memory changed by the registers' side since then */
    unsigned drawn_phase; /* of blinking */
    int64_t status_ns;    /* when input status 1 was read */
    uint8_t status;
    uint64_t *dirty; /* as fetched from vram's log */

    uint8_t seq_index, gr_index, crtc_index, attr_index;
    uint8_t seq[VGA_SEQ_REGS], gr[VGA_GR_REGS], crtc[VGA_CRTC_REGS], attr[VGA_ATTR_REGS];
    uint8_t misc, feature;
    bool attr_data;  /* the next write to 3c0 is data */
    bool seq_held;   /* software holds the sequencer in reset */
    bool big_endian; /* pixels of DISPI modes */
    uint8_t latch[4];

    uint8_t dac_mask, dac_state, dac_read_index, dac_write_index, dac_component;
    uint8_t dac_cache[3];
    uint8_t palette[256][3]; /* as written */

    uint16_t dispi_index;
    uint16_t dispi[DISPI_REGS];
    uint16_t dispi_bank; /* in effect: that was written since the mode was set */
} VGAState;

#define VGA_STATE_FIELDS(S, f)                                                                     \
    {                                                                                              \
        "vga", offsetof(S, f) + offsetof(VGAState, seq_index),                                     \
            sizeof(VGAState) - offsetof(VGAState, seq_index)                                       \
    }

/* vga.c: registers.  vga_init() also makes the console; all is undone by unrealize. */
bool vga_init(VGAState *s, DeviceState *dev, uint32_t vram_size, GError **error);
void vga_reset(VGAState *s);
/* Legacy memory window and ports into these containers; undone by unrealize. */
void vga_map_legacy(VGAState *s, DeviceState *dev, MemoryRegion *memory, MemoryRegion *io);
uint8_t vga_port_read(VGAState *s, uint16_t port);
void vga_port_write(VGAState *s, uint16_t port, uint8_t value);
bool vga_check_memory(const char *name, uint64_t size, GError **error);

/* vga-memory.c: the window at a0000 */
extern const MemoryRegionOps vga_memory_ops;

/* vga-dispi.c */
extern const MemoryRegionOps vga_dispi_port_ops;
uint16_t vga_dispi_read(VGAState *s, unsigned index);
void vga_dispi_write(VGAState *s, unsigned index, uint16_t value);
static inline bool vga_dispi_active(const VGAState *s)
{
    return s->dispi[DISPI_ENABLE] & DISPI_ENABLED;
}
/* The register, kept so that lines stay in the virtual screen. */
static inline uint32_t vga_dispi_x_offset(const VGAState *s)
{
    return MIN(s->dispi[DISPI_X_OFFSET],
               (uint32_t)(s->dispi[DISPI_VIRT_WIDTH] - s->dispi[DISPI_XRES]));
}
/* Bytes of so many pixels next to each other. */
static inline uint32_t dispi_pixel_bytes(unsigned bpp, uint32_t pixels)
{
    return bpp == 4 ? pixels / 2 : pixels * ((bpp + 7) / 8);
}

/* vga-mmio.c: the register window of the PCI devices */
typedef struct VGAWindow {
    MemoryRegion container, edid, ports, dispi, ext;
    VGAState *vga;
    uint8_t edid_bytes[0x400];
} VGAWindow;
/* info: NULL: no EDID.  ext: with the register of pixel byte order. */
void vga_window_init(VGAWindow *w, Object *owner, VGAState *vga, const EDIDInfo *info, bool ext);

/* vga-rom.c: a VGA BIOS for firmware to find in fw_cfg */
bool vga_add_rom(MachineState *machine, const char *name, GError **error);

/* vga-text.c */
typedef struct VGATextMode {
    unsigned columns, rows, char_width, char_height;
    uint32_t start, pitch; /* in characters */
} VGATextMode;
/* False: a graphics mode. */
bool vga_text_mode(const VGAState *s, VGATextMode *ret_mode);
char *vga_text(const VGAState *s);
unsigned vga_lines(const VGAState *s); /* of the display, by the CRTC */

/* vga-crtc.c: the lines of modes set with VGA registers */
void vga_draw_crtc(VGAState *s);
unsigned vga_columns_dots(const VGAState *s); /* dots of a line, as shown */
/* Blinking cursors (bit 0) and characters (bit 1) are dark now. */
unsigned vga_blink_phase(const VGAState *s);
/* Palette index to 0x00rrggbb. */
uint32_t vga_dac_color(const VGAState *s, uint8_t index);
uint32_t vga_attr_color(const VGAState *s, unsigned index);
/* Through attribute controller and palette, all 16 at once. */
void vga_attr_colors(const VGAState *s, uint32_t colors[16]);
/* Index of pixel x (from the left of its byte) in the four planes of a cell. */
static inline unsigned vga_planar_index(const uint8_t *cell, unsigned x)
{
    unsigned bit = 7 - (x & 7);

    return (cell[0] >> bit & 1u) | (cell[1] >> bit & 1u) << 1 | (cell[2] >> bit & 1u) << 2 |
           (cell[3] >> bit & 1u) << 3;
}

/* vga-render.c */
extern const ConsoleOps vga_console_ops;

/* dispi-draw.c: linear frame buffers, for the VGA and for bochs-display */
typedef struct LinearMode {
    const uint8_t *memory;
    uint64_t size;          /* of the memory */
    uint64_t start, pitch;  /* bytes */
    unsigned width, height; /* pixels */
    unsigned bpp;           /* 8, 15, 16, 24 or 32 */
    bool big_endian;
    const uint32_t *palette; /* 256 colours, for bpp 8 */
    const uint64_t *dirty;   /* of the memory; NULL: draw everything */
} LinearMode;
void linear_draw(Console *console, const LinearMode *mode);

#endif
