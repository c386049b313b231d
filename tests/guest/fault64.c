/* SPDX-License-Identifier: MIT
 *
 * What differs in 64-bit mode: canonical addresses, dropped instructions,
 * segments without base and limit, gates of 16 bytes (SDM vol. 1, 3.3.7;
 * vol. 3, 6.14).
 */
#include "lib/guest.h"

void guest_main(void)
{
    gdt_set(10, 0, 0xfffff, 0x13, 0xc); /* 0x50: not present data */
    gdt_set(11, 0, 0xfffff, 0x9b, 0xe); /* 0x58: code with both L and D */
    gdt_set(12, 0x1000, 15, 0xf3, 0x4); /* 0x60: small data with a base */
    gdt_set(13, 0, 0xfffff, 0x1b, 0xa); /* 0x68: not present code */
    gate_set(0x44, (void (*)(void))0x100000, 0x38, 0xee); /* to 32-bit code */
    gate_set(0x45, (void (*)(void))0x100000, 8, 0xe6);    /* no gate type of 64-bit mode */
    gate_set(0x46, (void (*)(void))0x100000, 8, 0x6e);    /* not present */
    gate_set(0x47, (void (*)(void))0x100000, 0, 0xee);    /* null selector */
    wrmsr(0xc0000080, rdmsr(0xc0000080) | 1); /* SCE: sysret is defined */
    run_cases();
}
