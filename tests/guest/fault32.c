/* SPDX-License-Identifier: MIT
 *
 * Every exception that 32-bit code can cause, with its error code and the
 * address it reports (SDM vol. 3, ch. 6).
 */
#include "lib/guest.h"

extern uint8_t sysenter_entry[];
static uint8_t small[4096] __attribute__((aligned(4096)));

static void segments_make(void)
{
    /* 0x30: expand-down data, 0x1000 up; 0x38: not present; 0x40: read-only data;
     * 0x48: execute-only code; 0x50: 64-byte data; 0x58: DPL 0 data for CPL 3 to trip over. */
    gdt_set(6, 0, 0xfff, 0x97, 0x4);
    gdt_set(7, 0, 0xfffff, 0x13, 0xc);
    gdt_set(8, 0, 0xfffff, 0x91, 0xc);
    gdt_set(9, 0, 0xfffff, 0x99, 0xc);
    gdt_set(10, (uint32_t)small, 63, 0xf3, 0x4);
    gdt_set(11, 0, 0xfffff, 0x93, 0xc);
    gdt_set(12, 0, 0xfffff, 0x1b, 0xc); /* code, not present */
    gdt_set(13, 0, 0xfffff, 0xff, 0xc); /* conforming code, DPL 3 */
}

void guest_main(void)
{
    segments_make();
    wrmsr(0x175, (Word)stack_top);
    wrmsr(0x176, (Word)sysenter_entry);
    write_cr0((read_cr0() | 0x20) & ~0xeu);
    write_cr4(read_cr4() & ~0x200u);
    run_cases();
}
