/* SPDX-License-Identifier: MIT
 *
 * Ways from CPL 3 to CPL 0 and back in long mode: syscall, sysret, call gates; 32-bit code in compatibility mode
 * (SDM vol. 3, 5.8 and 2.2.1).
 */
#include "lib/guest.h"

extern uint8_t syscall_entry[], syscall32_entry[], gate_entry[];
extern uint64_t scratch[];

static void call_gate_set(unsigned index, const void *at, unsigned selector)
{
    gdt[index] = ((Word)at & 0xffff) | selector << 16 | 0xecull << 40 | ((Word)at >> 16) << 48;
    gdt[index + 1] = (Word)at >> 32;
}

void guest_main(void)
{
    wrmsr(0xc0000080, rdmsr(0xc0000080) | 1);
    wrmsr(0xc0000081, 0x0018000800000000);
    wrmsr(0xc0000082, (Word)syscall_entry);
    wrmsr(0xc0000083, (Word)syscall32_entry);
    wrmsr(0xc0000084, 0x5d5);
    call_gate_set(10, gate_entry, 8); /* 0x50 */
    gdt_set(12, 0x100000, 15, 0xf3, 0x4); /* 0x60: small data */
    run_cases();
    wrmsr(0xc0000102, 0);
    wrmsr(0xc0000101, 0);
}
