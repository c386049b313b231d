/* SPDX-License-Identifier: MIT
 *
 * Hardware task switches (SDM vol. 3, ch. 7): jump, call, iret, task gates from
 * interrupts and exceptions, 32- and 16-bit TSS, links, busy bits, faults.
 */
#include "lib/guest.h"

#define SEL_A      0x30 /* 32-bit TSS */
#define SEL_B      0x38 /* 32-bit TSS of a fault handler */
#define SEL_16     0x40 /* 16-bit TSS */
#define SEL_GATE   0x48 /* task gate to A */
#define SEL_SHORT  0x50 /* TSS with too small a limit */
#define SEL_ABSENT 0x58 /* TSS, not present */

typedef struct Tss32 {
    uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
    uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
    uint32_t es, cs, ss, ds, fs, gs, ldt, trap_iomap;
} Tss32;

typedef struct Tss16 {
    uint16_t link, sp0, ss0, sp1, ss1, sp2, ss2, ip, flags;
    uint16_t ax, cx, dx, bx, sp, bp, si, di, es, cs, ss, ds, ldt;
} Tss16;

static Tss32 a, b;
static Tss16 t16;
static uint8_t stack_a[1024], stack_b[1024], stack_16[1024];
extern uint8_t task_a[], task_b[], task_16[];
volatile uint32_t seen[8];

static void tss32_set(Tss32 *t, const void *entry, uint8_t *stack)
{
    *t = (Tss32){.eip = (uint32_t)entry, .eflags = 2, .esp = (uint32_t)stack + 1024,
                 .es = 0x10, .cs = 8, .ss = 0x10, .ds = 0x10, .fs = 0x10, .gs = 0x10,
                 .eax = 0xa0a0a0a0, .esi = 0x51515151, .trap_iomap = 104 << 16};
}

static void tasks_make(void)
{
    tss32_set(&a, task_a, stack_a);
    tss32_set(&b, task_b, stack_b);
    t16 = (Tss16){.ip = (uint32_t)task_16 & 0xffff, .flags = 2, .sp = 1024, .es = 0x10,
                  .cs = 0x68, .ss = 0x70, .ds = 0x10, .ax = 0x1616};
    gdt_set(6, (uint32_t)&a, 103, 0x89, 0);
    gdt_set(7, (uint32_t)&b, 103, 0x89, 0);
    gdt_set(8, (uint32_t)&t16, 43, 0x81, 0);
    gdt[9] = (uint64_t)SEL_A << 16 | 0x8500ull << 32;
    gdt_set(10, (uint32_t)&a, 99, 0x89, 0);
    gdt_set(11, (uint32_t)&a, 103, 0x09, 0);
    gdt_set(13, (uint32_t)task_16 & ~0xffffu, 0xffff, 0x9b, 0);
    gdt_set(14, (uint32_t)stack_16, 0xffff, 0x93, 0);
    gate_set(0x44, NULL, SEL_A, 0xe5);
    gate_set(6, NULL, SEL_B, 0x85);
    for (unsigned i = 0; i < 8; i++) {
        seen[i] = 0;
    }
}

static void own_task_again(void)
{
    gdt_set(5, (uint32_t)tss, sizeof tss - 1, 0x89, 0);
    asm volatile("ltr %w0; clts" : : "r"(0x28));
}

static unsigned type(unsigned selector)
{
    return gdt[selector >> 3] >> 40 & 0x1f;
}

static void show_tasks(void)
{
    print("  seen %x %x %x %x; own %x, A %x, B %x, 16 %x; links %x %x %x\n", (Word)seen[0],
          (Word)seen[1], (Word)seen[2], (Word)seen[3], (Word)type(0x28), (Word)type(SEL_A),
          (Word)type(SEL_B), (Word)type(SEL_16), (Word)a.link, (Word)b.link, (Word)t16.link);
}

void guest_main(void)
{
    for (const Case *c = case_table; c < case_table_end; c++) {
        tasks_make();
        own_task_again();
        run_case(c);
        show_tasks();
        flush_text();
    }
}
