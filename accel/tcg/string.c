/* SPDX-License-Identifier: MIT
 *
 * String instructions.  Repeated movs and stos over RAM run page by page on
 * the host's; everything else goes to the interpreter.  Between pages an
 * interrupt may be taken: rip stays at the instruction (SDM vol. 2, REP).
 */
#include "accel/tcg/tcg-internal.h"
#include "target/i386/sysinsn.h"

static bool is_movs(const X86Insn *i)
{
    return (i->opcode & 0xfe) == 0xa4;
}

static bool is_stos(const X86Insn *i)
{
    return (i->opcode & 0xfe) == 0xaa;
}

/* 64-bit flat forward movs and stos with a count. */
static bool is_fast(CPUX86State *env, const X86Insn *i)
{
    return (is_movs(i) || is_stos(i)) && (i->rep || i->repne) && (env->hflags & HF_CS64) &&
           i->addrsize == 8 && !(env->rflags & DF_MASK) && i->seg != R_FS && i->seg != R_GS &&
           i->seg_override < 0 && !(env->hflags & (HF_TF | HF_DRX | HF_AC));
}

static uint64_t units_to_page_end(uint64_t linear, unsigned size)
{
    return (0x1000 - (linear & 0xfff)) / size;
}

static void host_movs(void *dst, const void *src, uint64_t count, unsigned size)
{
    if (size == 1) {
        __asm__ volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(count) : : "memory");
    } else if (size == 2) {
        __asm__ volatile("rep movsw" : "+D"(dst), "+S"(src), "+c"(count) : : "memory");
    } else if (size == 4) {
        __asm__ volatile("rep movsl" : "+D"(dst), "+S"(src), "+c"(count) : : "memory");
    } else {
        __asm__ volatile("rep movsq" : "+D"(dst), "+S"(src), "+c"(count) : : "memory");
    }
}

static void host_stos(void *dst, uint64_t value, uint64_t count, unsigned size)
{
    if (size == 1) {
        __asm__ volatile("rep stosb" : "+D"(dst), "+c"(count) : "a"(value) : "memory");
    } else if (size == 2) {
        __asm__ volatile("rep stosw" : "+D"(dst), "+c"(count) : "a"(value) : "memory");
    } else if (size == 4) {
        __asm__ volatile("rep stosl" : "+D"(dst), "+c"(count) : "a"(value) : "memory");
    } else {
        __asm__ volatile("rep stosq" : "+D"(dst), "+c"(count) : "a"(value) : "memory");
    }
}

/* One run within a page; 0: it cannot be done here. */
static uint64_t fast_run(CPUX86State *env, const X86Insn *i, unsigned size)
{
    uint64_t count = MIN(env->regs[R_ECX], units_to_page_end(env->regs[R_EDI], size));
    void *dst, *src = NULL;

    if (is_movs(i)) {
        count = MIN(count, units_to_page_end(env->regs[R_ESI], size));
    }
    if (!count) {
        return 0;
    }
    if (is_movs(i)) {
        src = x86_host_ptr(env, env->regs[R_ESI], count * size, X86_READ, X86_PRIV_CPL);
    }
    dst = x86_host_ptr(env, env->regs[R_EDI], count * size, X86_WRITE, X86_PRIV_CPL);
    if (!dst || (is_movs(i) && !src)) {
        return 0;
    }
    if (is_movs(i)) {
        host_movs(dst, src, count, size);
        env->regs[R_ESI] += count * size;
    } else {
        host_stos(dst, env->regs[R_EAX], count, size);
    }
    env->regs[R_EDI] += count * size;
    env->regs[R_ECX] -= count;
    return count;
}

/* A unit that crosses a page, or is not in plain RAM. */
static void slow_unit(CPUX86State *env, const X86Insn *i, unsigned size)
{
    uint64_t value = env->regs[R_EAX];

    if (is_movs(i)) {
        value = x86_ld(env, env->regs[R_ESI], size, X86_PRIV_CPL);
    }
    x86_st(env, env->regs[R_EDI], value, size, X86_PRIV_CPL);
    env->regs[R_ESI] += is_movs(i) ? size : 0;
    env->regs[R_EDI] += size;
    env->regs[R_ECX]--;
}

bool tcg_exec_string(CPUX86State *env, const X86Insn *i)
{
    unsigned size = i->opcode & 1 ? i->opsize : 1;

    if (!is_fast(env, i)) {
        return x86_exec_insn(env, i);
    }
    while (env->regs[R_ECX]) {
        if (atomic_load_explicit(&tcg_env(env)->poll, memory_order_relaxed)) {
            return true;
        }
        if (!fast_run(env, i, size)) {
            slow_unit(env, i, size);
        }
    }
    env->rip += i->length;
    return false;
}
