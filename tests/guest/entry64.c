/* SPDX-License-Identifier: MIT
 *
 * What an interrupt or exception in 64-bit mode pushes and where (SDM vol. 3, 6.14): stack
 * switch by ring and by IST, alignment, null SS, IF and TF by kind of gate, #DF, NMI blocking.
 */
#include "lib/guest.h"

typedef struct Seen {
    Word sp, ss, flags;
} Seen;

extern uint8_t probe_int[], probe_ud[], probe_error[], nmi_entry[], trap_stack_top[], ist_stack_top[];
Seen seen;
volatile Word nmi_count, nmi_depth, nmi_deepest;

static void ist_set(void)
{
    /* 0x44: interrupt gate; 0x45: trap gate; 6: IST 1; 8: IST 1 */
    gate_set(0x44, (void (*)(void))(Word)probe_int, 8, 0xee);
    gate_set(0x45, (void (*)(void))(Word)probe_int, 8, 0xef);
    gate_set(6, (void (*)(void))(Word)probe_ud, 8, 0x8e | 1 << 8);
    gate_set(8, (void (*)(void))(Word)probe_error, 8, 0x8e | 1 << 8);
    gate_set(2, (void (*)(void))(Word)nmi_entry, 8, 0x8e);
}

/* Which stack, and how far below its top. */
static void show_stack(Word sp)
{
    if (sp > (Word)trap_stack_top && sp <= (Word)ist_stack_top) {
        print("IST stack-%u", (Word)ist_stack_top - sp);
    } else if (sp > (Word)user_stack_top && sp <= (Word)trap_stack_top) {
        print("ring 0 stack-%u", (Word)trap_stack_top - sp);
    } else {
        print("stack in use, low bits %x", sp & 15);
    }
}

static void case_show(const Case *c)
{
    seen = (Seen){0, 0, 0};
    run_case(c);
    if (seen.sp) {
        print("  ");
        show_stack(seen.sp);
        print(", ss=%x, IF=%u TF=%u NT=%u; pushed ss=%x cs=%x IF=%u\n", seen.ss,
              seen.flags >> 9 & 1, seen.flags >> 8 & 1, seen.flags >> 14 & 1,
              trap.frame.ss, trap.frame.cs, trap.frame.flags >> 9 & 1);
    }
    flush_text();
}

static volatile uint32_t *apic(unsigned reg)
{
    return (volatile uint32_t *)(0xfee00000ul + reg);
}

static void nmi_send(void)
{
    *apic(0x300) = 0x44400;
    asm volatile("outb %%al, $0x80" : : : "memory");
}

/* A second NMI comes after the first one's iretq, not within it. */
void nmi_in(void)
{
    nmi_count++;
    nmi_depth++;
    nmi_deepest = nmi_depth > nmi_deepest ? nmi_depth : nmi_deepest;
    if (nmi_count < 3) {
        nmi_send();
    }
    nmi_depth--;
}

static void nmis(void)
{
    if (emulated) {
        print("nmi: -\n");
        return;
    }
    nmi_count = nmi_depth = nmi_deepest = 0;
    wrmsr(0x1b, rdmsr(0x1b) | 0x800);
    *apic(0xf0) = 0x1ff;
    nmi_send();
    for (unsigned i = 0; i < 1000 && nmi_count < 3; i++) {
        asm volatile("pause");
    }
    print("nmi: %u came, %u deep\n", nmi_count, nmi_deepest);
}

void guest_main(void)
{
    ist_set();
    for (const Case *c = case_table; c < case_table_end; c++) {
        case_show(c);
    }
    nmis();
}
