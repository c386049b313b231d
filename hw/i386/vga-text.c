/* SPDX-License-Identifier: MIT
 *
 * The screen as a VGA BIOS leaves it: mode 3, 80x25 characters in 16 colours, blank.  Register
 * values: IBM VGA Technical Reference, "BIOS video mode 3 (400 lines)".  The font is the one in the
 * adapter's ROM, where it is found by its letter A.
 */
#include "hw/i386/pc.h"

#include <string.h>
#include "hw/display/vga.h"

#define VGA_MISC_WRITE   0x3c2
#define VGA_ATTRIBUTE    0x3c0
#define VGA_SEQUENCER    0x3c4
#define VGA_DAC_INDEX    0x3c8
#define VGA_DAC_DATA     0x3c9
#define VGA_GRAPHICS     0x3ce
#define VGA_CRTC         0x3d4
#define VGA_STATUS       0x3da
#define VGA_ATTRIBUTE_ON 0x20
#define TEXT_MEMORY      0xb8000u
#define FONT_MEMORY      0xa0000u
#define TEXT_CELLS       (80 * 25)
#define BLANK            0x0720u /* a space, grey on black */

static const uint8_t sequencer[] = {0x03, 0x00, 0x03, 0x00, 0x02};
static const uint8_t crtc[] = {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00,
                               0x4f, 0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00, 0x9c, 0x8e,
                               0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff};
static const uint8_t graphics[] = {0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff};
static const uint8_t attribute[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14,
                                    0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d,
                                    0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00};

static void outb(MachineState *machine, uint16_t port, uint8_t value)
{
    address_space_store(&machine->address_space_io, port, value, 1, MEMTXATTRS_NONE);
}

static void put_indexed(MachineState *machine, uint16_t port, const uint8_t *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        outb(machine, port, (uint8_t)i);
        outb(machine, port + 1, values[i]);
    }
}

/* Index and data share a port; reading the status makes the next write an index. */
static void put_attributes(MachineState *machine)
{
    uint64_t status;

    address_space_load(&machine->address_space_io, VGA_STATUS, &status, 1, MEMTXATTRS_NONE);
    for (size_t i = 0; i < sizeof(attribute); i++) {
        outb(machine, VGA_ATTRIBUTE, (uint8_t)i);
        outb(machine, VGA_ATTRIBUTE, attribute[i]);
    }
    outb(machine, VGA_ATTRIBUTE, VGA_ATTRIBUTE_ON);
}

/* The 64 colours of an EGA: two bits each of red, green and blue, the low ones first. */
static void put_colours(MachineState *machine)
{
    outb(machine, VGA_DAC_INDEX, 0);
    for (unsigned i = 0; i < 64; i++) {
        for (int shift = 2; shift >= 0; shift--) {
            unsigned strong = i >> shift & 1, weak = i >> (shift + 3) & 1;
            outb(machine, VGA_DAC_DATA, (uint8_t)(strong * 42 + weak * 21));
        }
    }
}

#define FONT_LINES  16
#define FONT_STRIDE 32 /* of a character in plane 2 */
#define FONT_CHARS  256

/* A font of 8x16 dots in the ROM of the adapter; NULL: it has none. */
static const uint8_t *find_font(MachineState *machine)
{
    static const uint8_t letter_a[FONT_LINES] = {0x00, 0x00, 0x10, 0x38, 0x6c, 0xc6,
                                                 0xc6, 0xfe, 0xc6, 0xc6, 0xc6, 0xc6};
    static const uint8_t nul[FONT_LINES];
    Object *obj = object_resolve_path_type(OBJECT(machine), TYPE_PCI_VGA, NULL);
    MemoryRegion *rom = obj ? &PCI_DEVICE(obj)->rom : NULL;
    const uint8_t *data = rom && rom->ram_block ? memory_region_get_ram_ptr(rom) : NULL;
    const uint8_t *a;
    size_t size = data ? memory_region_size(rom) : 0;

    if (size < FONT_CHARS * FONT_LINES) {
        return NULL;
    }
    a = memmem(data + 'A' * FONT_LINES, size - FONT_CHARS * FONT_LINES, letter_a, sizeof(letter_a));
    return a && !memcmp(a - 'A' * FONT_LINES, nul, sizeof(nul)) ? a - 'A' * FONT_LINES : NULL;
}

/* Into plane 2, seen alone at a0000. */
static void put_font(MachineState *machine)
{
    static const uint8_t plane_sequencer[] = {0x01, 0x00, 0x04, 0x00, 0x06};
    static const uint8_t plane_graphics[] = {0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x04, 0x00, 0xff};
    const uint8_t *font = find_font(machine);

    if (!font) {
        return;
    }
    put_indexed(machine, VGA_SEQUENCER, plane_sequencer, sizeof(plane_sequencer));
    put_indexed(machine, VGA_GRAPHICS, plane_graphics, sizeof(plane_graphics));
    for (unsigned c = 0; c < FONT_CHARS; c++) {
        address_space_write(&machine->address_space_memory, FONT_MEMORY + c * FONT_STRIDE,
                            MEMTXATTRS_NONE, font + c * FONT_LINES, FONT_LINES);
    }
}

void pc_vga_text_mode(PCMachineState *pcms)
{
    MachineState *machine = MACHINE(pcms);
    uint16_t blank[TEXT_CELLS];

    outb(machine, VGA_MISC_WRITE, 0x67);
    put_font(machine);
    put_indexed(machine, VGA_SEQUENCER, sequencer, sizeof(sequencer));
    outb(machine, VGA_CRTC, 0x11); /* unlock 0-7 */
    outb(machine, VGA_CRTC + 1, 0x0e);
    put_indexed(machine, VGA_CRTC, crtc, sizeof(crtc));
    put_indexed(machine, VGA_GRAPHICS, graphics, sizeof(graphics));
    put_attributes(machine);
    put_colours(machine);
    for (size_t i = 0; i < TEXT_CELLS; i++) {
        blank[i] = GUINT16_TO_LE(BLANK);
    }
    address_space_write(&machine->address_space_memory, TEXT_MEMORY, MEMTXATTRS_NONE, blank,
                        sizeof(blank));
}
