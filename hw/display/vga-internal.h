/* SPDX-License-Identifier: MIT
 *
 * For this folder only: the VGA core, embedded by the devices that provide it.
 */
#ifndef HW_DISPLAY_VGA_INTERNAL_H
#define HW_DISPLAY_VGA_INTERNAL_H

#include "hw/display/vga.h"
#include "system/memory/memory.h"

typedef struct MachineState MachineState;

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

#define VGA_SEQ_REGS  8
#define VGA_GR_REGS   16
#define VGA_CRTC_REGS 32
#define VGA_ATTR_REGS 32
#define VGA_MEM_BASE  0xa0000
#define VGA_MEM_SIZE  0x20000

typedef struct VGAState {
    MachineState *machine;
    MemoryRegion vram, window, ports_3b0, ports_3c0, dispi_ports;
    uint8_t *vram_ptr;
    uint32_t vram_size;

    uint8_t seq_index, gr_index, crtc_index, attr_index;
    uint8_t seq[VGA_SEQ_REGS], gr[VGA_GR_REGS], crtc[VGA_CRTC_REGS], attr[VGA_ATTR_REGS];
    uint8_t misc, feature;
    bool attr_data; /* the next write to 3c0 is data */
    uint8_t latch[4];

    uint8_t dac_mask, dac_state, dac_read_index, dac_write_index, dac_component;
    uint8_t dac_cache[3];
    uint8_t palette[256][3]; /* as written */

    uint16_t dispi_index;
    uint16_t dispi[DISPI_REGS];
} VGAState;

#define VGA_STATE_FIELDS(S, f)                                                                     \
    {                                                                                              \
        "vga", offsetof(S, f) + offsetof(VGAState, seq_index),                                     \
            sizeof(VGAState) - offsetof(VGAState, seq_index)                                       \
    }

/* vga.c: registers */
bool vga_init(VGAState *s, Object *owner, MachineState *machine, uint32_t vram_size,
              GError **error);
void vga_reset(VGAState *s);
uint8_t vga_port_read(VGAState *s, uint16_t port);
void vga_port_write(VGAState *s, uint16_t port, uint8_t value);

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
static inline unsigned vga_dispi_bytes(const VGAState *s)
{
    return (s->dispi[DISPI_BPP] + 7u) / 8;
}

/* vga-text.c */
typedef struct VGATextMode {
    unsigned columns, rows, char_width, char_height;
    uint32_t start, pitch; /* in characters */
} VGATextMode;
/* False: a graphics mode. */
bool vga_text_mode(const VGAState *s, VGATextMode *ret_mode);
/* Character in the low byte, attribute in the high one. */
uint16_t vga_text_cell(const VGAState *s, const VGATextMode *mode, unsigned x, unsigned y);
char *vga_text(const VGAState *s);

/* vga-render.c */
DisplaySurface *vga_render(VGAState *s);

#endif
