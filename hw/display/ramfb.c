/* SPDX-License-Identifier: MIT
 *
 * A picture in the guest's own memory, whose place firmware writes into the fw_cfg file
 * etc/ramfb.  Big-endian:
 *
 *   0 address (64 bits)  8 DRM fourcc  c flags (0)  10 width  14 height  18 bytes a line (0:
 * packed)
 *
 * Formats: XR24 (32 bits), RG24 (24), RG16 (16), little-endian, as drm_fourcc.h has them.
 */
#include <string.h>
#include "hw/core/machine.h"
#include "hw/display/vga-internal.h"
#include "hw/nvram/fw_cfg.h"
#include "system/log.h"

#define TYPE_RAMFB "ramfb"
OBJECT_DECLARE_SIMPLE(RAMFBState, RAMFB, TYPE_RAMFB)

#define RAMFB_FILE "etc/ramfb"
#define RAMFB_ROM  "vgabios-ramfb.bin"
#define RAMFB_MIN  16 /* pixels */

#define FOURCC(a, b, c, d) ((uint32_t)(a) | (b) << 8 | (c) << 16 | (uint32_t)(d) << 24)

typedef struct RAMFBConfig {
    uint64_t address;
    uint32_t fourcc, flags, width, height, stride;
} __attribute__((packed)) RAMFBConfig;

struct RAMFBState {
    SysBusDevice parent_obj;
    MachineState *machine;
    Console *console;
    uint64_t address;
    uint32_t width, height, stride, bpp; /* bpp 0: no picture */
};

static uint32_t format_bits(uint32_t fourcc)
{
    switch (fourcc) {
    case FOURCC('X', 'R', '2', '4'):
        return 32;
    case FOURCC('R', 'G', '2', '4'):
        return 24;
    case FOURCC('R', 'G', '1', '6'):
        return 16;
    default:
        return 0;
    }
}

/* The guest chose a picture; one that cannot be is none. */
static void ramfb_configure(void *opaque, const uint8_t *data, size_t size)
{
    RAMFBState *s = opaque;
    RAMFBConfig c;
    uint32_t bpp, width, height, line;

    memcpy(&c, data, sizeof(c));
    bpp = format_bits(GUINT32_FROM_BE(c.fourcc));
    width = GUINT32_FROM_BE(c.width);
    height = GUINT32_FROM_BE(c.height);
    device_lock(DEVICE(s));
    s->bpp = 0;
    if (bpp && width >= RAMFB_MIN && height >= RAMFB_MIN && width <= CONSOLE_MAX_WIDTH &&
        height <= CONSOLE_MAX_HEIGHT) {
        line = dispi_pixel_bytes(bpp, width);
        s->address = GUINT64_FROM_BE(c.address);
        s->stride = c.stride ? GUINT32_FROM_BE(c.stride) : line;
        s->width = width;
        s->height = height;
        s->bpp = s->stride >= line ? bpp : 0;
    }
    if (!s->bpp) {
        log_guest_error("ramfb: no picture of %ux%u, format %08x\n", width, height,
                        GUINT32_FROM_BE(c.fourcc));
    }
    device_unlock(DEVICE(s));
}

static void ramfb_update(void *opaque)
{
    RAMFBState *s = opaque;
    AddressSpace *as = &s->machine->address_space_memory;
    uint64_t want = (uint64_t)s->stride * (s->height - 1) + dispi_pixel_bytes(s->bpp, s->width);
    size_t len = want;
    LinearMode mode = {.pitch = s->stride, .width = s->width, .height = s->height, .bpp = s->bpp};
    void *memory = s->bpp ? address_space_map(as, s->address, &len, false) : NULL;

    if (memory && len == want) {
        mode.memory = memory;
        mode.size = len;
        linear_draw(s->console, &mode);
    }
    if (memory) {
        address_space_unmap(as, memory, len, false, 0);
    }
}

static const ConsoleOps ramfb_console_ops = {.update = ramfb_update};

static void ramfb_reset(DeviceState *dev, ResetType type)
{
    RAMFB(dev)->bpp = 0;
}

static bool ramfb_realize(DeviceState *dev, GError **error)
{
    RAMFBState *s = RAMFB(dev);
    static const RAMFBConfig none;
    g_autoptr(GBytes) bytes = g_bytes_new(&none, sizeof(none));

    s->machine = qdev_get_machine(dev);
    if (!s->machine->fw_cfg) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "this machine has no fw_cfg, through which firmware would set it up");
        return false;
    }
    if (!fw_cfg_add_file(s->machine->fw_cfg, RAMFB_FILE, bytes, error) ||
        !vga_add_rom(s->machine, RAMFB_ROM, error)) {
        return false;
    }
    fw_cfg_set_file_writable(s->machine->fw_cfg, RAMFB_FILE, ramfb_configure, s);
    s->console = console_new(dev, 0, &ramfb_console_ops, s);
    return true;
}

static const StateField ramfb_state[] = {
    STATE_FIELD(RAMFBState, address), STATE_FIELD(RAMFBState, width),
    STATE_FIELD(RAMFBState, height),  STATE_FIELD(RAMFBState, stride),
    STATE_FIELD(RAMFBState, bpp),     STATE_END,
};

static void ramfb_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = ramfb_realize;
    dc->reset_enter = ramfb_reset;
    dc->state = ramfb_state;
    dc->category = DEVICE_CATEGORY_DISPLAY;
    dc->hotpluggable = false; /* firmware looks for it once */
}

static const TypeInfo ramfb_types[] = {
    {.name = TYPE_RAMFB,
     .parent = TYPE_SYS_BUS_DEVICE,
     .instance_size = sizeof(RAMFBState),
     .class_init = ramfb_class_init,
     .doc = "picture in guest memory, set up by firmware"},
};
DEFINE_TYPES(ramfb_types)
