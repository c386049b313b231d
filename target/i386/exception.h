/* SPDX-License-Identifier: MIT
 *
 * Raising and delivering exceptions and interrupts (tcg; SDM vol. 3, ch. 6).
 */
#ifndef TARGET_I386_EXCEPTION_H
#define TARGET_I386_EXCEPTION_H

#include "target/i386/cpu.h"

/*
 * Raise an exception at the instruction at env->rip, whose state must be
 * complete and unchanged in env.  Records it in env->exception_*, folds it into #DF or
 * a shutdown where the SDM (6.15, table 6-5) says so, and leaves through
 * cpu_loop_exit().
 */
G_NORETURN void x86_raise_exception(CPUX86State *env, int vector);
G_NORETURN void x86_raise_exception_err(CPUX86State *env, int vector, uint32_t error_code);
/*
 * The x87 exception that the instruction at env->rip waits for: #MF, or without CR0.NE the CPU's
 * output FERR#, and the instruction is tried again until an interrupt handler has seen to it
 * (SDM vol. 1, 8.7.2 and D.2).
 */
G_NORETURN void x86_raise_x87(CPUX86State *env);
/* int n, int3, into: `next_rip` is pushed, and gate DPL is checked. */
G_NORETURN void x86_raise_interrupt(CPUX86State *env, int vector, uint64_t next_rip);
/* int1: as int n, but without the DPL check, and external for error codes. */
G_NORETURN void x86_raise_int1(CPUX86State *env, uint64_t next_rip);
/* #PF with CR2. */
G_NORETURN void x86_raise_page_fault(CPUX86State *env, uint64_t linear, uint32_t error_code);
/* #DB with these DR6 bits: a trap, env->rip is at the next instruction. */
G_NORETURN void x86_raise_debug(CPUX86State *env, uint32_t dr6_bits);

/* DR6 (SDM vol. 3, 18.2.3) */
#define DR6_B_MASK 0xfu
#define DR6_BD (1u << 13)
#define DR6_BS (1u << 14)
#define DR6_BT (1u << 15)
#define DR7_GD (1u << 13)

/* The kinds of breakpoint, as DR7.R/W has them. */
typedef enum X86Breakpoint { X86_BP_EXEC = 0, X86_BP_WRITE = 1, X86_BP_IO = 2, X86_BP_RW = 3 } X86Breakpoint;

/*
 * DR6 bits of the breakpoints that an access of `len` bytes at `addr` (linear, or a port)
 * meets; 0: none, or none that is enabled in DR7.  X86_BP_RW asks for a data read.
 */
uint32_t x86_match_breakpoints(const CPUX86State *env, uint64_t addr, size_t len,
                               X86Breakpoint kind);

/*
 * Deliver the recorded event, or an external interrupt, through the IDT (or
 * the real-mode table), with stack switch, IST, task gates, error code.  May
 * itself raise.  On return env is at the handler's first instruction.
 */
void x86_deliver_exception(CPUX86State *env);
void x86_deliver_hard_interrupt(CPUX86State *env, int vector);
void x86_deliver_nmi(CPUX86State *env);

/*
 * A triple fault: ask the machine for a reset and stop this CPU until it comes (SDM vol. 3,
 * 6.15 on shutdown; a PC's chipset answers with INIT or reset).
 */
G_NORETURN void x86_shutdown(CPUX86State *env);

/* Whether a maskable interrupt may be taken now (IF, shadow, GIF). */
static inline bool x86_interruptible(const CPUX86State *env)
{
    return (env->rflags & IF_MASK) && !env->shadow;
}

#endif
