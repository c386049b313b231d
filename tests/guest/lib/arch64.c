/* SPDX-License-Identifier: MIT
 *
 * GDT, IDT and TSS of the 64-bit programs.  Selectors: 0x08 kernel code, 0x10
 * kernel data, 0x1b 32-bit user code, 0x23 user data, 0x2b user code, 0x33 user
 * data (where syscall, sysret and sysexit look for them), 0x38 32-bit kernel
 * code, 0x40 the TSS; 0x50 on are free.
 */
#include "guest.h"

extern const uint64_t trap_stubs[256];
extern uint8_t trap_stack_top[], ist_stack_top[];

typedef struct Gate {
    uint64_t low, high;
} Gate;

static Gate idt[256];
uint64_t gdt[64];
uint32_t tss[26 + 2049];

void gdt_set(unsigned index, uint32_t base, uint32_t limit, unsigned access, unsigned flags)
{
    gdt[index] = (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)access << 40 |
                 (uint64_t)(limit >> 16 & 0xf) << 48 | (uint64_t)flags << 52 |
                 (uint64_t)(base >> 24) << 56;
}

void gate_set(unsigned vector, void (*handler)(void), unsigned selector, unsigned type_dpl)
{
    uint64_t at = (uint64_t)handler;

    idt[vector].low = (at & 0xffff) | selector << 16 | (at & 0xffff0000) << 32 |
                      (uint64_t)(type_dpl & 0xff) << 40 | (uint64_t)(type_dpl >> 8 & 7) << 32;
    idt[vector].high = at >> 32;
}

static void table_load(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } g = {sizeof gdt - 1, (uint64_t)gdt}, i = {sizeof idt - 1, (uint64_t)idt};

    asm volatile("lgdt %0; lidt %1; mov %2, %%ds; mov %2, %%es; mov %2, %%ss"
                 :
                 : "m"(g), "m"(i), "r"(0x10));
}

void arch_init(void)
{
    gdt_set(1, 0, 0xfffff, 0x9b, 0xa);
    gdt_set(2, 0, 0xfffff, 0x93, 0xc);
    gdt_set(3, 0, 0xfffff, 0xfb, 0xc);
    gdt_set(4, 0, 0xfffff, 0xf3, 0xc);
    gdt_set(5, 0, 0xfffff, 0xfb, 0xa);
    gdt_set(6, 0, 0xfffff, 0xf3, 0xc);
    gdt_set(7, 0, 0xfffff, 0x9b, 0xc);
    gdt_set(8, (uint32_t)(Word)tss, sizeof tss - 1, 0x89, 0);
    gdt[9] = 0;
    for (unsigned i = 0; i < 256; i++) {
        gate_set(i, (void (*)(void))trap_stubs[i], 8, i == 3 || i == 4 || i >= 0x40 ? 0xee : 0x8e);
    }
    *(uint64_t *)&tss[1] = (uint64_t)trap_stack_top;
    *(uint64_t *)&tss[9] = (uint64_t)ist_stack_top;
    tss[25] = 104 << 16;
    for (unsigned i = 26; i < sizeof tss / sizeof tss[0]; i++) {
        tss[i] = ~0u;
    }
    table_load();
    wrmsr(0x174, 8); /* IA32_SYSENTER_CS: sysexitq comes out at 0x2b and 0x33 */
    asm volatile("lldt %w0" : : "r"(0));
    asm volatile("ltr %w0" : : "r"(0x40));
}
