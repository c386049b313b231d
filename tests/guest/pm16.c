/* SPDX-License-Identifier: MIT
 *
 * Protected mode with 16-bit segments, rings, call gates, conforming code,
 * descriptor queries (SDM vol. 3, 5.8 and 3.4; vol. 2, LAR, LSL, VERR).
 */
#include "lib/guest.h"

extern uint8_t code16[], gate_target[];
static uint8_t data16[0x10000 + 64] __attribute__((aligned(16)));

static void gate(unsigned index, const void *at, unsigned selector, unsigned type, unsigned n)
{
    gdt[index] = ((Word)at & 0xffff) | selector << 16 |
                 (uint64_t)(n | type << 8 | ((Word)at & 0xffff0000)) << 32;
}

void guest_main(void)
{
    gdt_set(6, (Word)code16, 0xffff, 0x9b, 0);  /* 0x30: 16-bit code */
    gdt_set(7, (Word)data16, 0xffff, 0x93, 0);  /* 0x38: 16-bit data */
    gdt_set(8, (Word)code16, 0xffff, 0x9f, 4);  /* 0x40: conforming, 32-bit */
    gate(9, gate_target, 8, 0xec, 2);           /* 0x48: call gate, DPL 3, two words */
    gate(10, gate_target, 8, 0x8c, 0);          /* 0x50: call gate, DPL 0 */
    gate(11, gate_target, 8, 0x6c, 0);          /* 0x58: not present */
    gate(12, gate_target, 0x18, 0xec, 0);       /* 0x60: to user code */
    gdt_set(13, 0, 0xfffff, 0xf1, 0xc);         /* 0x68: read-only user data */
    gdt_set(14, (Word)data16, 0xfffe, 0x97, 0); /* 0x70: expand-down, nothing but ffff */
    run_cases();
}
