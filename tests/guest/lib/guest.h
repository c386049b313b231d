/* SPDX-License-Identifier: MIT
 *
 * What every guest program stands on.  A program's guest_main() runs once with
 * its text shown, then loops-1 times more (`loops=N` on the command line) with
 * its text held against that of the first run.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned long Word;

/* Registers as trap.S pushes them. */
#ifdef __x86_64__
typedef struct Frame {
    Word r15, r14, r13, r12, r11, r10, r9, r8;
    Word di, si, bp, bx, dx, cx, ax;
    Word vector, error, ip, cs, flags, sp, ss;
} Frame;
#else
typedef struct Frame {
    Word gs, fs, es, ds;
    Word di, si, bp, sp_unused, bx, dx, cx, ax;
    Word vector, error, ip, cs, flags, sp, ss; /* sp, ss: only from an outer ring */
} Frame;
#endif

/* The vector by which a case reports that it came to its end. */
#define VECTOR_OK 0x40

typedef struct Trap {
    Frame frame;
    Word cr2;
} Trap;

extern Word emulated;                    /* the host's KVM emulates: see SILICON */
extern Trap trap;                        /* the last one that ended a guarded run */
extern void (*irq_handler[256])(Frame *); /* handlers that return to what they interrupted */

/* A row of the table that CASE and UCASE in cases.inc fill. */
typedef struct Case {
    const char *name;
    void (*code)(void);
    Word user; /* CPL 3 */
    Word show; /* SHOW_* */
} Case;

#define SHOW_COUNT 1 /* cx, si, di */
#define SHOW_FLAGS 2 /* arithmetic flags */
#define SHOW_DR6   4
#define SILICON    8 /* KVM's instruction emulator does not know it */

extern const Case case_table[], case_table_end[];

/* Run code until it returns or faults; `trap` says which. */
void guard_kernel(void (*code)(void));
void guard_user(void (*code)(void));
/* As above, with one argument in eax/rax. */
void run_case(const Case *c);
void run_cases(void);
void show_trap(const char *name, const void *start, unsigned show);

void print(const char *format, ...); /* %s %u %x (Word) %c %% */
void flush_text(void);
void quit(unsigned status) __attribute__((noreturn));
void fail(const char *why) __attribute__((noreturn));

extern Word multiboot_magic, multiboot_info;
const char *command_line(void);
unsigned command_line_number(const char *key, unsigned otherwise);

/* arch*.c */
void arch_init(void);
void gate_set(unsigned vector, void (*handler)(void), unsigned selector, unsigned type_dpl);
void gdt_set(unsigned index, uint32_t base, uint32_t limit, unsigned access, unsigned flags);
extern uint64_t gdt[64];
extern uint32_t tss[26 + 2049];
extern uint8_t stack_top[];
extern uint8_t user_stack_top[];

void guest_main(void);

static inline void outb(unsigned port, uint8_t v)
{
    asm volatile("outb %0, %w1" : : "a"(v), "Nd"(port));
}

static inline uint8_t inb(unsigned port)
{
    uint8_t v;
    asm volatile("inb %w1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline void outl(unsigned port, uint32_t v)
{
    asm volatile("outl %0, %w1" : : "a"(v), "Nd"(port));
}

#define READ_REG(name, insn)                                                                       \
    static inline Word read_##name(void)                                                           \
    {                                                                                              \
        Word v;                                                                                    \
        asm volatile("mov %%" insn ", %0" : "=r"(v));                                              \
        return v;                                                                                  \
    }                                                                                              \
    static inline void write_##name(Word v)                                                        \
    {                                                                                              \
        asm volatile("mov %0, %%" insn : : "r"(v) : "memory");                                     \
    }
READ_REG(cr0, "cr0")
READ_REG(cr2, "cr2")
READ_REG(cr3, "cr3")
READ_REG(cr4, "cr4")
READ_REG(dr6, "dr6")
READ_REG(dr7, "dr7")

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t lo, hi;
    asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
    return lo | (uint64_t)hi << 32;
}

static inline void wrmsr(uint32_t msr, uint64_t v)
{
    asm volatile("wrmsr" : : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

static inline void cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
    asm volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "0"(leaf), "2"(sub));
}

static inline void sti(void)
{
    asm volatile("sti" : : : "memory");
}

static inline void cli(void)
{
    asm volatile("cli" : : : "memory");
}

static inline void sti_hlt_cli(void)
{
    asm volatile("sti; hlt; cli" : : : "memory");
}

#endif
