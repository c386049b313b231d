/* SPDX-License-Identifier: MIT
 *
 * A BIOS with no services, for kernels that are started without firmware and yet call it in real
 * mode: every one fails as a call that is not supported does (carry; 86h in AH), but for the sizes
 * of memory and equipment; interrupts of devices are ended; the start resets the machine.  PC BIOS
 * interface: Ralf Brown's interrupt list.
 */
#include "hw/core/loader.h"
#include "hw/i386/boot.h"

#define STUB_SEGMENT 0xf000u
#define STUB_OFFSET  0xe000u /* the MP table of 255 CPUs reaches into f7000h */
#define BIOS_ENTRY   0xffff0u
#define VECTORS      256

/* Offsets into `stub`. */
#define AT_SERVICE   0
#define AT_MASTER    13
#define AT_SLAVE     20
#define AT_EQUIPMENT 29
#define AT_MEMORY    41
#define AT_IGNORE    12 /* the iret of AT_SERVICE */

static const uint8_t stub[] = {
    /* AT_SERVICE: carry, and zero: no key waits */
    0x55,                   /* push %bp */
    0x89, 0xe5,             /* mov %sp, %bp */
    0x80, 0x4e, 0x06, 0x41, /* orb $0x41, 6(%bp): FLAGS */
    0x5d,                   /* pop %bp */
    0xb4, 0x86,             /* mov $0x86, %ah */
    0x90, 0x90,             /* nop; nop */
    0xcf,                   /* iret */
    /* AT_MASTER */
    0x50,       /* push %ax */
    0xb0, 0x20, /* mov $0x20, %al */
    0xe6, 0x20, /* out %al, $0x20 */
    0x58, 0xcf, /* pop %ax; iret */
    /* AT_SLAVE */
    0x50,       /* push %ax */
    0xb0, 0x20, /* mov $0x20, %al */
    0xe6, 0xa0, /* out %al, $0xa0 */
    0xe6, 0x20, /* out %al, $0x20 */
    0x58, 0xcf, /* pop %ax; iret */
    /* AT_EQUIPMENT: the word at 410h */
    0x1e,                   /* push %ds */
    0x31, 0xc0,             /* xor %ax, %ax */
    0x8e, 0xd8,             /* mov %ax, %ds */
    0xa1, 0x10, 0x04,       /* mov 0x410, %ax */
    0x1f, 0xcf, 0x90, 0x90, /* pop %ds; iret */
    /* AT_MEMORY: the word at 413h */
    0x1e,             /* push %ds */
    0x31, 0xc0,       /* xor %ax, %ax */
    0x8e, 0xd8,       /* mov %ax, %ds */
    0xa1, 0x13, 0x04, /* mov 0x413, %ax */
    0x1f, 0xcf,       /* pop %ds; iret */
};

static unsigned stub_of(unsigned vector)
{
    if (vector == 0x11 || vector == 0x12) {
        return vector == 0x11 ? AT_EQUIPMENT : AT_MEMORY;
    }
    if (vector < 0x08 || vector == 0x1b || vector == 0x1c) {
        return AT_IGNORE; /* exceptions; Ctrl-Break and the timer's second call are the user's */
    }
    if (vector < 0x10) {
        return AT_MASTER;
    }
    return vector >= 0x70 && vector < 0x78 ? AT_SLAVE : AT_SERVICE;
}

bool x86_boot_add_bios_stub(Loader *loader, GError **error)
{
    static const uint8_t entry[] = {
        0xba, 0xf9, 0x0c, /* mov $0xcf9, %dx */
        0xb0, 0x06,       /* mov $6, %al */
        0xee,             /* out %al, %dx */
        0xf4, 0xeb, 0xfd, /* hlt; jmp to it */
    };
    uint16_t vectors[VECTORS][2];

    for (unsigned i = 0; i < VECTORS; i++) {
        vectors[i][0] = GUINT16_TO_LE(STUB_OFFSET + stub_of(i));
        vectors[i][1] = GUINT16_TO_LE(STUB_SEGMENT);
    }
    return x86_boot_add_bytes(loader, "interrupt vectors", 0, vectors, sizeof(vectors), error) &&
           x86_boot_add_bytes(loader, "BIOS services", (STUB_SEGMENT << 4) + STUB_OFFSET, stub,
                              sizeof(stub), error) &&
           x86_boot_add_bytes(loader, "BIOS entry", BIOS_ENTRY, entry, sizeof(entry), error);
}
