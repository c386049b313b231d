/* SPDX-License-Identifier: MIT
 *
 * The screen as a VGA BIOS leaves it: mode 3, 80x25 characters in 16 colours, blank.  Register
 * values: IBM VGA Technical Reference, "BIOS video mode 3 (400 lines)".
 */
#include "hw/i386/pc.h"

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

void pc_vga_text_mode(PCMachineState *pcms)
{
    MachineState *machine = MACHINE(pcms);
    uint16_t blank[TEXT_CELLS];

    outb(machine, VGA_MISC_WRITE, 0x67);
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
