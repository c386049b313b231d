/* SPDX-License-Identifier: MIT
 *
 * What instructions cost that leave the straight path (scripts/dev bench costs): a line for each,
 * `name: N.N ns`, the median of its samples.  only= picks one by number, counted from 0;
 * repeat= makes them many: a profile of that alone.
 */
#include "lib/clock.h"

#define APIC        0xfee00000ul
#define TABLES      0x4000000ul /* from 64 MiB on: pages to touch */
#define MSR_STAR    0xc0000081
#define MSR_LSTAR   0xc0000082
#define MSR_FMASK   0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MAX_SAMPLES 101

typedef struct Cost {
    const char *name;
    void (*run)(unsigned count);
    unsigned count;
} Cost;

static uint64_t ticks_per_us;

/* ---- what is measured --------------------------------------------------------------------- */

#define LOOP(name, ...)                                                                            \
    static void name(unsigned count)                                                               \
    {                                                                                              \
        while (count--) {                                                                          \
            asm volatile(__VA_ARGS__);                                                             \
        }                                                                                          \
    }
#define CLOBBERS "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc"

static uint8_t area[4096] __attribute__((aligned(4096)));

LOOP(empty, "")
LOOP(read_tsc, "rdtsc" : : : CLOBBERS)
LOOP(read_cpuid, "mov $1, %%eax; cpuid" : : : CLOBBERS)
LOOP(cli_sti, "sti; nop; cli" : : : CLOBBERS)
LOOP(pushf_popf, "pushf; popf" : : : CLOBBERS)
LOOP(irq_save, "pushf; cli; popf" : : : CLOBBERS)
LOOP(swap_gs, "swapgs; swapgs" : : : CLOBBERS)
LOOP(load_segment, "mov %%ds, %%eax; mov %%eax, %%es" : : : CLOBBERS)
LOOP(soft_interrupt, "int $0x90" : : : CLOBBERS)
LOOP(undefined, "ud2" : : : CLOBBERS)
LOOP(read_msr, "mov $0xc0000100, %%ecx; rdmsr" : : : CLOBBERS)
LOOP(write_msr, "mov $0xc0000100, %%ecx; xor %%eax, %%eax; xor %%edx, %%edx; wrmsr" : : : CLOBBERS)
LOOP(read_cr3_write, "mov %%cr3, %%rax; mov %%rax, %%cr3" : : : CLOBBERS)
LOOP(load_cr0, "mov %%cr0, %%rax" : : : CLOBBERS)
LOOP(clear_ts, "clts" : : : CLOBBERS)
LOOP(invalidate, "invlpg (%0); mov (%0), %%eax" : : "r"(TABLES) : CLOBBERS)
LOOP(flush_touch, "mov %%cr3, %%rax; mov %%rax, %%cr3; mov $64, %%ecx; mov %0, %%rbx;"
                  "1: mov (%%rbx), %%eax; add $4096, %%rbx; loop 1b" : : "r"(TABLES) : CLOBBERS)
LOOP(end_of_interrupt, "movl $0, (%0)" : : "r"(APIC + 0xb0) : CLOBBERS)
LOOP(read_apic, "mov (%0), %%eax" : : "r"(APIC + 0x80) : CLOBBERS)
LOOP(locked_add, "lock incl (%0)" : : "r"(area) : CLOBBERS)
LOOP(move_64, "mov $8, %%ecx; mov %0, %%rsi; lea 1024(%%rsi), %%rdi; rep movsq" : : "r"(area) : CLOBBERS)
LOOP(move_1024, "mov $1024, %%ecx; mov %0, %%rsi; lea 2048(%%rsi), %%rdi; rep movsb" : : "r"(area) : CLOBBERS)
LOOP(store_4096, "mov $512, %%ecx; mov %0, %%rdi; xor %%eax, %%eax; rep stosq" : : "r"(area) : CLOBBERS)
LOOP(scan_64, "mov $64, %%ecx; mov %0, %%rdi; mov $1, %%al; repne scasb" : : "r"(area + 64) : CLOBBERS)
LOOP(save_fpu, "fxsave (%0); fxrstor (%0)" : : "r"(area) : CLOBBERS)
LOOP(load_idt, "sidt (%0); lidt (%0)" : : "r"(area + 2048) : CLOBBERS)
LOOP(pause_once, "pause" : : : CLOBBERS)

/* Through one place to 64 others, in turn. */
static void indirect(unsigned count)
{
    asm volatile("lea 3f(%%rip), %%rsi\n"
                 "xor %%ecx, %%ecx\n"
                 "1: mov %%ecx, %%eax; and $63, %%eax; shl $3, %%eax; add %%rsi, %%rax; call *%%rax\n"
                 "inc %%ecx; cmp %0, %%ecx; jb 1b\n"
                 "jmp 4f\n"
                 ".balign 8\n"
                 "3: .rept 64; ret; .balign 8; .endr\n"
                 "4:" : : "r"(count) : CLOBBERS);
}

/* Stores beside code: the page holds a routine that runs each time. */
static void store_beside_code(unsigned count)
{
    asm volatile("jmp 1f\n"
                 ".balign 4096\n"
                 "2: ret\n"
                 ".balign 512\n"
                 "3: .quad 0\n"
                 ".balign 4096\n"
                 "1: call 2b\n"
                 "incq 3b(%%rip)\n"
                 "dec %0; jnz 1b\n" : "+r"(count) : : CLOBBERS);
}

/* A routine that is written anew each time. */
static void rewrite_code(unsigned count)
{
    asm volatile("jmp 1f\n"
                 ".balign 4096\n"
                 "2: mov $0, %%eax; ret\n"
                 ".balign 4096\n"
                 "1: mov %0, 2b+1(%%rip)\n"
                 "call 2b\n"
                 "dec %0; jnz 1b\n" : "+r"(count) : : CLOBBERS);
}

static void touch_pages(unsigned count)
{
    while (count) {
        for (uint64_t at = TABLES; at < TABLES + (8192ul << 12) && count; at += 4096, count--) {
            (void)*(volatile uint32_t *)at;
        }
    }
}

/* From CPL 3 and back; int at its end. */
void user_calls(void);
unsigned user_count;

asm(".text\n"
    ".globl user_calls\n"
    "user_calls: mov user_count, %ebx\n"
    "1: syscall; dec %ebx; jnz 1b\n"
    "ret\n"
    "syscall_entry: sysretq\n");
extern uint8_t syscall_entry[];

static void system_calls(unsigned count)
{
    user_count = count;
    guard_user(user_calls);
}

static void user_interrupts(void)
{
    for (unsigned n = user_count; n; n--) {
        asm volatile("int $0x90" : : : CLOBBERS);
    }
}

static void interrupt_from_user(unsigned count)
{
    user_count = count;
    guard_user(user_interrupts);
}

static void ignore(Frame *f)
{
}

static void skip_ud2(Frame *f)
{
    f->ip += 2;
}

/* A page of 4 KiB that is not there; mapped by the handler and unmapped again. */
static uint64_t table[512] __attribute__((aligned(4096)));
extern uint64_t page_directories[];

static void map_page(Frame *f)
{
    table[0] = TABLES | 3;
}

static void page_faults(unsigned count)
{
    uint64_t *entry = &page_directories[(TABLES >> 21)], was = *entry;

    *entry = (uint64_t)table | 7;
    write_cr3(read_cr3());
    while (count--) {
        table[0] = 0;
        asm volatile("invlpg (%0); mov (%0), %%eax" : : "r"(TABLES) : CLOBBERS);
    }
    *entry = was;
    write_cr3(read_cr3());
}

/* ---- table ------------------------------------------------------------------------------------ */

static const Cost costs[] = {
    {"empty loop", empty, 10000},
    {"rdtsc", read_tsc, 1000},
    {"cpuid", read_cpuid, 500},
    {"sti, nop, cli", cli_sti, 1000},
    {"pushf, popf", pushf_popf, 1000},
    {"pushf, cli, popf", irq_save, 1000},
    {"2 swapgs", swap_gs, 1000},
    {"mov es", load_segment, 1000},
    {"int and iret", soft_interrupt, 500},
    {"int and iret, CPL 3", interrupt_from_user, 500},
    {"#UD and iret", undefined, 500},
    {"#PF, iret, fill", page_faults, 300},
    {"syscall, sysret", system_calls, 1000},
    {"rdmsr", read_msr, 1000},
    {"wrmsr", write_msr, 1000},
    {"mov cr3", read_cr3_write, 500},
    {"mov from cr0", load_cr0, 1000},
    {"clts", clear_ts, 1000},
    {"invlpg, touch", invalidate, 500},
    {"mov cr3, touch 64", flush_touch, 100},
    {"touch 8192 pages", touch_pages, 16384},
    {"APIC EOI", end_of_interrupt, 500},
    {"APIC read", read_apic, 500},
    {"lock inc", locked_add, 5000},
    {"rep movsq 64", move_64, 1000},
    {"rep movsb 1024", move_1024, 500},
    {"rep stosq 4096", store_4096, 300},
    {"repne scasb 64", scan_64, 500},
    {"fxsave, fxrstor", save_fpu, 500},
    {"sidt, lidt", load_idt, 500},
    {"pause", pause_once, 2000},
    {"64 indirect calls", indirect, 2000},
    {"store beside code", store_beside_code, 2000},
    {"rewritten code", rewrite_code, 200},
};
#define NR_COSTS (sizeof costs / sizeof costs[0])

static void measure(const Cost *c, unsigned nr_samples)
{
    uint64_t samples[MAX_SAMPLES];
    uint64_t tenths;

    c->run(c->count);
    for (unsigned i = 0; i < nr_samples; i++) {
        uint64_t start = tsc(), v;
        unsigned j = i;

        c->run(c->count);
        v = tsc() - start;
        for (; j && samples[j - 1] > v; j--) {
            samples[j] = samples[j - 1];
        }
        samples[j] = v;
    }
    tenths = samples[nr_samples / 2] * 10000 / ticks_per_us / c->count;
    print("%s: %u.%u ns\n", c->name, tenths / 10, tenths % 10);
    flush_text();
}

void guest_main(void)
{
    unsigned nr_samples = command_line_number("samples", 31);
    unsigned only = command_line_number("only", NR_COSTS);

    if (nr_samples > MAX_SAMPLES) {
        fail("samples");
    }
    wrmsr(0x1b, rdmsr(0x1b) | 0x800);
    *(volatile uint32_t *)(APIC + 0xf0) = 0x1ff;
    wrmsr(0xc0000080, rdmsr(0xc0000080) | 1);
    wrmsr(MSR_STAR, 0x1bull << 48 | 8ull << 32);
    wrmsr(MSR_LSTAR, (uint64_t)syscall_entry);
    wrmsr(MSR_FMASK, 0x200);
    write_cr4(read_cr4() | 0x600);
    irq_handler[0x90] = ignore;
    irq_handler[6] = skip_ud2;
    irq_handler[14] = map_page;
    ticks_per_us = tsc_ticks_per_us();
    for (unsigned n = command_line_number("repeat", 1); n; n--) {
        for (unsigned i = 0; i < NR_COSTS; i++) {
            if (only == NR_COSTS || only == i) {
                measure(&costs[i], nr_samples);
            }
        }
    }
}
