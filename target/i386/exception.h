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
/* int n, int3, into, int1: `next_rip` is pushed, and gate DPL is checked. */
G_NORETURN void x86_raise_interrupt(CPUX86State *env, int vector, uint64_t next_rip);

/*
 * Deliver the recorded event, or an external interrupt, through the IDT (or
 * the real-mode table), with stack switch, IST, task gates, error code.  May
 * itself raise.  On return env is at the handler's first instruction.
 */
void x86_deliver_exception(CPUX86State *env);
void x86_deliver_hard_interrupt(CPUX86State *env, int vector);
void x86_deliver_nmi(CPUX86State *env);

/* Whether a maskable interrupt may be taken now (IF, shadow, GIF). */
static inline bool x86_interruptible(const CPUX86State *env)
{
    return (env->rflags & IF_MASK) && !env->shadow;
}

#endif
