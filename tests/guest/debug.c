/* SPDX-License-Identifier: MIT
 *
 * Single-step and debug registers (SDM vol. 3, 17.2 and 17.3): where each #DB
 * comes, and what DR6 says.
 */
#include "lib/guest.h"

extern uint8_t step_start[], step_plain[], step_string[], step_shadow[], step_popf[];
extern uint32_t watched;
extern void run_stepped(const void *code);

static unsigned steps;
static const uint8_t *base;

static void step_handler(Frame *f)
{
    Word dr6 = read_dr6();

    if (f->ip - (Word)base < 64 && steps++ < 40) {
        print(" +%u/%x", f->ip - (Word)base, dr6 & 0xe00f);
    }
    write_dr6(0xffff0ff0);
    if (dr6 & 0xf && !(dr6 & 0x4000)) {
        f->flags |= 0x10000; /* RF: past an instruction breakpoint */
    }
}

static void stepped(const char *name, const uint8_t *code)
{
    print("%s:", name);
    steps = 0;
    base = code;
    run_stepped(code);
    print("\n");
    flush_text();
}

#define SET_DR(n, v) asm volatile("mov %0, %%dr" #n : : "r"((Word)(v)))

extern uint8_t plain_code[], plain_second[], write_code[], io_code[], string_code[];
extern uint8_t shadow_code[], shadow_int1_code[];

static void breaks(const char *name, const uint8_t *code, Word dr7)
{
    print("%s:", name);
    steps = 0;
    base = code;
    write_dr7(dr7);
    ((void (*)(void))(Word)code)();
    write_dr7(0x400);
    print("\n");
    flush_text();
}

static void breakpoints(void)
{
    SET_DR(0, plain_second);
    SET_DR(1, &watched);
    SET_DR(2, 0x80);
    SET_DR(3, (Word)&watched + 4);
    breaks("execute", plain_code, 0x402);
    breaks("execute, local", plain_code, 0x401);
    breaks("execute, not enabled", plain_code, 0x400);
    breaks("write", write_code, 0x400 | 0xdu << 20 | 8);
    breaks("read or write", write_code, 0x400 | 0xfu << 20 | 8);
    breaks("byte in the dword", write_code, 0x400 | 1u << 20 | 8);
    breaks("in a string", string_code, 0x400 | 0xdu << 20 | 0xdu << 28 | 0x88);
    asm volatile("mov %%ss, %0" : "=m"(watched));
    breaks("mov ss", shadow_code, 0x400 | 0xfu << 20 | 8);
    breaks("mov ss, int1", shadow_int1_code, 0x400 | 0xfu << 20 | 8);
    watched = 0;
    write_cr4(read_cr4() | 8);
    breaks("port", io_code, 0x400 | 2u << 24 | 0x20);
    write_cr4(read_cr4() & ~8ul);
}

void guest_main(void)
{
    irq_handler[1] = step_handler;
    write_dr6(0xffff0ff0);
    stepped("plain", step_plain);
    stepped("string", step_string);
    stepped("mov ss", step_shadow);
    stepped("popf clears TF", step_popf);
    breakpoints();
    irq_handler[1] = NULL;
    run_cases();
}
