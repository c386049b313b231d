/* SPDX-License-Identifier: MIT
 *
 * Instructions that the translator does not emit as themselves: system
 * instructions, control transfers through descriptors, port I/O, string
 * operations with a segment, the instructions that 64-bit mode dropped.
 */
#ifndef TARGET_I386_SYSINSN_H
#define TARGET_I386_SYSINSN_H

#include "accel/tcg/decode.h"
#include "target/i386/cpu.h"
#include "target/i386/mmu.h"

/*
 * Execute one instruction in C.  On entry the state in env is complete, with env->rip at
 * the instruction.  On return env->rip is at the next one (for a repeated string
 * instruction that was left early for an interrupt: at itself).  Raises
 * through x86_raise_exception().  Does not touch vector or x87 registers.
 * Returns true when hflags, paging or interrupt state may have changed, so that the caller
 * must go back to the main loop rather than on to the next instruction.
 */
bool x86_exec_insn(CPUX86State *env, const X86Insn *insn);

/*
 * Decode the instruction at env->rip; raises what its fetch does (#PF, #GP), but an undefined one
 * is left to the caller (class X86_CLASS_UD).  No TLB: for single steps.
 */
void x86_fetch_insn(CPUX86State *env, X86Insn *ret);
/* Linear address of the instruction's memory operand, checked as x86_linear() does. */
uint64_t x86_insn_linear(CPUX86State *env, const X86Insn *insn, size_t len, X86Access access);

/* Whether x86_exec_insn() knows the instruction (otherwise it is #UD). */
bool x86_insn_in_c(const X86Insn *insn);

#endif
