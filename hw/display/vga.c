/* SPDX-License-Identifier: MIT
 *
 * VGA registers.  IBM Personal System/2 Hardware Interface Technical Reference (1988), Video
 * Subsystem, "VGA function"; IBM VGA/XGA Technical Reference (1992), 2.
 *
 *   3c0, 3c1       attribute controller: index and data in turn; data to read
 *   3c2, 3cc       miscellaneous output (write; read)   3c2 input status 0 (read)
 *   3c4, 3c5       sequencer
 *   3c6-3c9        palette: mask, read index, write index, data
 *   3ce, 3cf       graphics controller
 *   3b4/3d4, 5     CRT controller (by bit 0 of miscellaneous output)
 *   3ba/3da        input status 1; feature control
 */
#include <string.h>
#include "hw/core/machine.h"
#include "hw/display/vga-internal.h"

#define CRTC_PROTECT 0x80

#define STATUS_VRETRACE 0x08
#define STATUS_RETRACE  0x01

#define RETRACE_NS    1000000 /* vertical retrace at the end of it */
#define LINE_NS       31778
#define LINE_BLANK_NS 6000

/* Bits that the chip keeps. */
static const uint8_t seq_mask[VGA_SEQ_REGS] = {0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0, 0, 0xff};
static const uint8_t attr_mask[VGA_ATTR_REGS] = {
    0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
    0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0xef, 0xff, 0x3f, 0x0f, 0x0f,
};
static const uint8_t gr_mask[VGA_GR_REGS] = {0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff};

/* ---- palette --------------------------------------------------------------------------- */

static uint8_t dac_read(VGAState *s)
{
    uint8_t value = s->palette[s->dac_read_index][s->dac_component];

    if (++s->dac_component == 3) {
        s->dac_component = 0;
        s->dac_read_index++;
    }
    return value;
}

static void dac_write(VGAState *s, uint8_t value)
{
    s->dac_cache[s->dac_component] = value;
    if (++s->dac_component == 3) {
        memcpy(s->palette[s->dac_write_index], s->dac_cache, 3);
        s->dac_component = 0;
        s->dac_write_index++;
    }
}

/* ---- status ------------------------------------------------------------------------------- */

/*
 * 3 vertical retrace, 0 either retrace: where the beam would be now.  A clock that stands still
 * between two reads (a test moves it) must not hang those who wait for a change.
 */
static uint8_t input_status_1(VGAState *s)
{
    int64_t now = vm_clock_get_ns(s->machine->clock, CLOCK_VIRTUAL), t = now % VGA_FRAME_NS;

    if (now == s->status_ns) {
        s->status ^= STATUS_VRETRACE | STATUS_RETRACE;
    } else if (t >= VGA_FRAME_NS - RETRACE_NS) {
        s->status = STATUS_VRETRACE | STATUS_RETRACE;
    } else {
        s->status = t % LINE_NS >= LINE_NS - LINE_BLANK_NS ? STATUS_RETRACE : 0;
    }
    s->status_ns = now;
    return s->status;
}

/* ---- registers ----------------------------------------------------------------------------- */

static void attr_write(VGAState *s, uint8_t value)
{
    unsigned index = s->attr_index & 31;

    s->attr_data = !s->attr_data;
    if (s->attr_data) {
        s->attr_index = value & 0x3f;
    } else {
        s->attr[index] = value & attr_mask[index];
    }
}

static void crtc_write(VGAState *s, uint8_t value)
{
    unsigned index = s->crtc_index & 31;

    if ((s->crtc[0x11] & CRTC_PROTECT) && index <= 7) {
        if (index == 7) { /* line compare, bit 8, alone */
            s->crtc[7] = (uint8_t)((s->crtc[7] & ~0x10) | (value & 0x10));
        }
        return;
    }
    s->crtc[index] = value;
}

/* The ports of the adapter that is not being emulated now (mono or colour) are dead. */
static bool port_is_dead(const VGAState *s, uint16_t port)
{
    bool color = s->misc & MISC_COLOR;

    return (port >= 0x3b0 && port <= 0x3bf && color) || (port >= 0x3d0 && port <= 0x3df && !color);
}

uint8_t vga_port_read(VGAState *s, uint16_t port)
{
    if (port_is_dead(s, port)) {
        return 0xff;
    }
    switch (port) {
    case 0x3c0:
        return s->attr_data ? 0 : s->attr_index;
    case 0x3c1:
        return s->attr[s->attr_index & 31];
    case 0x3c2:
        return 0x10; /* a monitor is sensed */
    case 0x3c4:
        return s->seq_index;
    case 0x3c5:
        return s->seq[s->seq_index & 7];
    case 0x3c6:
        return s->dac_mask;
    case 0x3c7:
        return s->dac_state;
    case 0x3c8:
        return s->dac_write_index;
    case 0x3c9:
        return dac_read(s);
    case 0x3ca:
        return s->feature;
    case 0x3cc:
        return s->misc;
    case 0x3ce:
        return s->gr_index;
    case 0x3cf:
        return s->gr[s->gr_index & 15];
    case 0x3b4:
    case 0x3d4:
        return s->crtc_index;
    case 0x3b5:
    case 0x3d5:
        return s->crtc[s->crtc_index & 31];
    case 0x3ba:
    case 0x3da:
        s->attr_data = false;
        return input_status_1(s);
    default:
        return 0;
    }
}

static void dac_index_write(VGAState *s, uint16_t port, uint8_t value)
{
    s->dac_component = 0;
    if (port == 0x3c7) {
        s->dac_read_index = value;
        s->dac_state = 3;
    } else {
        s->dac_write_index = value;
        s->dac_state = 0;
    }
}

static void seq_write(VGAState *s, uint8_t value)
{
    s->seq[s->seq_index] = value & seq_mask[s->seq_index];
    if (s->seq_index == 0) {
        s->seq_held = s->seq[0] != SEQ_RUN;
    }
}

void vga_port_write(VGAState *s, uint16_t port, uint8_t value)
{
    if (port_is_dead(s, port)) {
        return;
    }
    s->touched = true;
    switch (port) {
    case 0x3c0:
        attr_write(s, value);
        break;
    case 0x3c2:
        s->misc = value & ~0x10;
        break;
    case 0x3c4:
        s->seq_index = value & 7;
        break;
    case 0x3c5:
        seq_write(s, value);
        break;
    case 0x3c6:
        s->dac_mask = value;
        break;
    case 0x3c7:
    case 0x3c8:
        dac_index_write(s, port, value);
        break;
    case 0x3c9:
        dac_write(s, value);
        break;
    case 0x3ce:
        s->gr_index = value & 15;
        break;
    case 0x3cf:
        s->gr[s->gr_index & 15] = value & gr_mask[s->gr_index & 15];
        break;
    case 0x3b4:
    case 0x3d4:
        s->crtc_index = value;
        break;
    case 0x3b5:
    case 0x3d5:
        crtc_write(s, value);
        break;
    case 0x3ba:
    case 0x3da:
        s->feature = value & 0x10;
        break;
    default:
        break;
    }
}

static uint64_t ports_3b0_read(void *opaque, hwaddr addr, unsigned size)
{
    return vga_port_read(opaque, (uint16_t)(0x3b0 + addr));
}

static void ports_3b0_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    vga_port_write(opaque, (uint16_t)(0x3b0 + addr), (uint8_t)value);
}

static uint64_t ports_3c0_read(void *opaque, hwaddr addr, unsigned size)
{
    return vga_port_read(opaque, (uint16_t)(0x3c0 + addr));
}

static void ports_3c0_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    vga_port_write(opaque, (uint16_t)(0x3c0 + addr), (uint8_t)value);
}

/* Wider accesses are bytes in a row: 16-bit writes set index and data at once. */
static const MemoryRegionOps ports_3b0_ops = {
    .read = ports_3b0_read,
    .write = ports_3b0_write,
    .valid = {1, 4, true },
    .impl = {1, 1, false},
};

static const MemoryRegionOps ports_3c0_ops = {
    .read = ports_3c0_read,
    .write = ports_3c0_write,
    .valid = {1, 4, true },
    .impl = {1, 1, false},
};

/* ---- life ------------------------------------------------------------------------------------ */

bool vga_check_memory(const char *name, uint64_t size, GError **error)
{
    const uint64_t mib = 1024 * 1024;

    if (size >= mib && size <= 256 * mib && !(size & (size - 1))) {
        return true;
    }
    g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                "%s: %" G_GUINT64_FORMAT " bytes: expected a power of two from 1 MiB to 256 MiB",
                name, size);
    return false;
}

static void vga_finish(void *opaque)
{
    VGAState *s = opaque;

    memory_region_set_log(&s->vram, false);
    g_clear_pointer(&s->dirty, g_free);
    s->console = NULL;
    s->vram_ptr = NULL;
}

bool vga_init(VGAState *s, DeviceState *dev, uint32_t vram_size, GError **error)
{
    Object *owner = OBJECT(dev);

    s->machine = qdev_get_machine(dev);
    s->vram_size = vram_size;
    if (!memory_region_init_ram(&s->vram, owner, "vga.vram", vram_size, error)) {
        return false;
    }
    s->vram_ptr = memory_region_get_ram_ptr(&s->vram);
    memory_region_init_io(&s->window, owner, &vga_memory_ops, s, "vga-lowmem", VGA_MEM_SIZE);
    memory_region_init_io(&s->ports_3b0, owner, &ports_3b0_ops, s, "vga-3b0", 12);
    memory_region_init_io(&s->ports_3c0, owner, &ports_3c0_ops, s, "vga-3c0", 32);
    memory_region_init_io(&s->dispi_ports, owner, &vga_dispi_port_ops, s, "vbe-dispi", 4);
    s->dirty = g_new0(uint64_t, DIRTY_WORDS(vram_size));
    memory_region_set_log(&s->vram, true);
    qdev_on_unrealize(dev, vga_finish, s);
    s->console = console_new(dev, 0, &vga_console_ops, s);
    vga_reset(s);
    return true;
}

static void vga_unmap_legacy(void *opaque)
{
    VGAState *s = opaque;
    MemoryRegion *legacy[] = {&s->window, &s->ports_3b0, &s->ports_3c0, &s->dispi_ports};

    for (size_t i = 0; i < G_N_ELEMENTS(legacy); i++) {
        memory_region_del_subregion(legacy[i]->container, legacy[i]);
    }
}

void vga_map_legacy(VGAState *s, DeviceState *dev, MemoryRegion *memory, MemoryRegion *io)
{
    memory_region_add_subregion_overlap(memory, VGA_MEM_BASE, &s->window, 1);
    memory_region_add_subregion(io, 0x3b0, &s->ports_3b0);
    memory_region_add_subregion(io, 0x3c0, &s->ports_3c0);
    memory_region_add_subregion(io, 0x1ce, &s->dispi_ports);
    qdev_on_unrealize(dev, vga_unmap_legacy, s);
}

void vga_reset(VGAState *s)
{
    memset(&s->seq_index, 0, sizeof(*s) - offsetof(VGAState, seq_index));
    s->dac_mask = 0xff;
    s->dispi[DISPI_ID] = DISPI_ID_LAST;
    s->touched = true;
}
