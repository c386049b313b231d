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

/* Repeated movs and stos in flat segments, with a count as wide as addresses are. */
static bool is_fast(CPUX86State *env, const X86Insn *i)
{
    bool flat = env->hflags & HF_CS64 ? i->addrsize == 8
                                      : i->addrsize == 4 && (env->hflags & HF_FLAT_DS);

    return flat && (is_movs(i) || is_stos(i)) && (i->rep || i->repne) && i->seg_override < 0 &&
           !(env->hflags & (HF_TF | HF_DRX | HF_AC));
}

/* A run of units, as it moves through memory. */
typedef struct Run {
    CPUX86State *env;
    uint64_t mask; /* of addresses and the count */
    unsigned size;
    bool movs, backward;
} Run;

static uint64_t run_reg(const Run *r, unsigned reg)
{
    return r->env->regs[reg] & r->mask;
}

/* Units that lie in the page of the first one; 0: not even that. */
static uint64_t units_in_page(const Run *r, uint64_t linear)
{
    uint64_t offset = linear & 0xfff;

    if (!r->backward) {
        return (0x1000 - offset) / r->size;
    }
    return offset + r->size > 0x1000 ? 0 : offset / r->size + 1;
}

/* The lowest address of `count` units. */
static uint64_t run_start(const Run *r, uint64_t linear, uint64_t count)
{
    return r->backward ? linear - (count - 1) * r->size : linear;
}

static void run_advance(const Run *r, uint64_t count)
{
    uint64_t by = r->backward ? -(count * r->size) : count * r->size;

    if (r->movs) {
        r->env->regs[R_ESI] = (r->env->regs[R_ESI] + by) & r->mask;
    }
    r->env->regs[R_EDI] = (r->env->regs[R_EDI] + by) & r->mask;
    r->env->regs[R_ECX] = (r->env->regs[R_ECX] - count) & r->mask;
}

#define HOST_MOVS(suffix)                                                                          \
    __asm__ volatile("rep movs" suffix : "+D"(dst), "+S"(src), "+c"(count) : : "memory")
#define HOST_MOVS_DOWN(suffix)                                                                     \
    __asm__ volatile("std\n rep movs" suffix "\n cld"                                              \
                     : "+D"(dst), "+S"(src), "+c"(count)                                           \
                     :                                                                             \
                     : "memory")
#define HOST_STOS(suffix)                                                                          \
    __asm__ volatile("rep stos" suffix : "+D"(dst), "+c"(count) : "a"(value) : "memory")

static void host_movs_down(uint8_t *dst, const uint8_t *src, uint64_t count, unsigned size)
{
    dst += (count - 1) * size;
    src += (count - 1) * size;
    switch (size) {
    case 1:
        HOST_MOVS_DOWN("b");
        break;
    case 2:
        HOST_MOVS_DOWN("w");
        break;
    case 4:
        HOST_MOVS_DOWN("l");
        break;
    default:
        HOST_MOVS_DOWN("q");
    }
}

static void host_movs(uint8_t *dst, const uint8_t *src, uint64_t count, unsigned size)
{
    switch (size) {
    case 1:
        HOST_MOVS("b");
        break;
    case 2:
        HOST_MOVS("w");
        break;
    case 4:
        HOST_MOVS("l");
        break;
    default:
        HOST_MOVS("q");
    }
}

static void host_stos(uint8_t *dst, uint64_t value, uint64_t count, unsigned size)
{
    switch (size) {
    case 1:
        HOST_STOS("b");
        break;
    case 2:
        HOST_STOS("w");
        break;
    case 4:
        HOST_STOS("l");
        break;
    default:
        HOST_STOS("q");
    }
}

/* Downwards the first unit is the one whose fault is reported, not the lowest. */
static uint8_t *run_host(const Run *r, uint64_t linear, uint64_t count, X86Access access)
{
    if (r->backward) {
        x86_probe(r->env, linear, r->size, access, X86_PRIV_CPL);
    }
    return x86_host_ptr(r->env, run_start(r, linear, count), count * r->size, access,
                        X86_PRIV_CPL);
}

/* What lies within a page; false: it cannot be done here. */
static bool fast_run(const Run *r)
{
    uint64_t to = run_reg(r, R_EDI), from = run_reg(r, R_ESI);
    uint64_t count = MIN(run_reg(r, R_ECX), units_in_page(r, to));
    uint8_t *dst, *src = NULL;

    if (r->movs) {
        count = MIN(count, units_in_page(r, from));
    }
    if (!count) {
        return false;
    }
    if (r->movs) {
        src = run_host(r, from, count, X86_READ);
    }
    dst = run_host(r, to, count, X86_WRITE);
    if (!dst || (r->movs && !src)) {
        return false;
    }
    if (!r->movs) {
        host_stos(dst, r->env->regs[R_EAX], count, r->size);
    } else if (r->backward) {
        host_movs_down(dst, src, count, r->size);
    } else {
        host_movs(dst, src, count, r->size);
    }
    run_advance(r, count);
    return true;
}

/* A unit that crosses a page, or is not in plain RAM. */
static void slow_unit(const Run *r)
{
    uint64_t value = r->env->regs[R_EAX];

    if (r->movs) {
        value = x86_ld(r->env, run_reg(r, R_ESI), r->size, X86_PRIV_CPL);
    }
    x86_st(r->env, run_reg(r, R_EDI), value, r->size, X86_PRIV_CPL);
    run_advance(r, 1);
}

bool tcg_exec_string(CPUX86State *env, const X86Insn *i)
{
    Run r = {
        .env = env,
        .mask = env->hflags & HF_CS64 ? UINT64_MAX : UINT32_MAX,
        .size = i->opcode & 1 ? i->opsize : 1,
        .movs = is_movs(i),
        .backward = env->rflags & DF_MASK,
    };
    bool leave;

    if (tcg_exec_compare(env, i, &leave)) {
        return leave;
    }
    if (!is_fast(env, i)) {
        return x86_exec_insn(env, i);
    }
    while (run_reg(&r, R_ECX)) {
        if (atomic_load_explicit(&tcg_env(env)->poll, memory_order_relaxed)) {
            return true;
        }
        if (!fast_run(&r)) {
            slow_unit(&r);
        }
    }
    env->rip += i->length;
    return false;
}
