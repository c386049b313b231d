/* SPDX-License-Identifier: MIT
 *
 * Repeated scas and cmps in flat segments: page by page over host memory (SDM vol. 2, REP).  The
 * flags are those of the last comparison, also where a fault ends it: so processors do it.
 */
#include "accel/tcg/tcg-internal.h"
#include "target/i386/sysinsn.h"

typedef struct Compare {
    CPUX86State *env;
    uint64_t mask; /* of addresses and the count */
    unsigned size;
    bool cmps, while_equal;
    bool done;
    uint64_t a, b; /* what was compared last */
} Compare;

static bool is_compare(const X86Insn *i)
{
    return (i->opcode & 0xfe) == 0xa6 || (i->opcode & 0xfe) == 0xae;
}

static bool is_fast(CPUX86State *env, const X86Insn *i)
{
    bool flat = env->hflags & HF_CS64 ? i->addrsize == 8
                                      : i->addrsize == 4 && (env->hflags & HF_FLAT_DS);

    return flat && is_compare(i) && (i->rep || i->repne) && i->seg_override < 0 &&
           !(env->rflags & DF_MASK) && !(env->hflags & (HF_TF | HF_DRX | HF_AC));
}

static uint64_t compare_reg(const Compare *c, unsigned reg)
{
    return c->env->regs[reg] & c->mask;
}

static void advance(const Compare *c, uint64_t count)
{
    uint64_t by = count * c->size;

    if (c->cmps) {
        c->env->regs[R_ESI] = (c->env->regs[R_ESI] + by) & c->mask;
    }
    c->env->regs[R_EDI] = (c->env->regs[R_EDI] + by) & c->mask;
    c->env->regs[R_ECX] = (c->env->regs[R_ECX] - count) & c->mask;
}

static uint64_t load_unit(const uint8_t *at, unsigned size)
{
    uint64_t value = 0;

    switch (size) {
    case 1:
        return *at;
    case 2:
        memcpy(&value, at, 2);
        return value;
    case 4:
        memcpy(&value, at, 4);
        return value;
    default:
        memcpy(&value, at, 8);
        return value;
    }
}

/* Units in what is left of the pages; 0: the next one crosses into another. */
static uint64_t units_at_hand(const Compare *c, uint64_t from, uint64_t to)
{
    uint64_t units = MIN(compare_reg(c, R_ECX), (0x1000 - (to & 0xfff)) / c->size);

    return c->cmps ? MIN(units, (0x1000 - (from & 0xfff)) / c->size) : units;
}

static const uint8_t *host_run(const Compare *c, uint64_t linear, uint64_t units)
{
    return x86_host_ptr(c->env, linear, units * c->size, X86_READ, X86_PRIV_CPL);
}

/* False: nothing has been done. */
static bool compare_run(Compare *c)
{
    uint64_t from = compare_reg(c, R_ESI), to = compare_reg(c, R_EDI), n = 0;
    uint64_t units = units_at_hand(c, from, to);
    const uint8_t *src = NULL, *dst;

    if (!units || (c->cmps && !(src = host_run(c, from, units))) ||
        !(dst = host_run(c, to, units))) {
        return false;
    }
    while (n < units && !c->done) {
        c->a = c->cmps ? load_unit(src + n * c->size, c->size) : c->a;
        c->b = load_unit(dst + n * c->size, c->size);
        c->done = (c->a == c->b) != c->while_equal;
        n++;
    }
    advance(c, n);
    return true;
}

static void compare_unit(Compare *c)
{
    if (c->cmps) {
        c->a = x86_ld(c->env, compare_reg(c, R_ESI), c->size, X86_PRIV_CPL);
    }
    c->b = x86_ld(c->env, compare_reg(c, R_EDI), c->size, X86_PRIV_CPL);
    c->done = (c->a == c->b) != c->while_equal;
    advance(c, 1);
}

#define HOST_FLAGS(insn)                                                                           \
    __asm__(insn "; lahf; seto %%al" : "=&a"(image) : "r"(c->a), "r"(c->b) : "cc")

static void set_flags(const Compare *c)
{
    uint32_t image;

    switch (c->size) {
    case 1:
        HOST_FLAGS("cmpb %b2, %b1");
        break;
    case 2:
        HOST_FLAGS("cmpw %w2, %w1");
        break;
    case 4:
        HOST_FLAGS("cmpl %k2, %k1");
        break;
    default:
        HOST_FLAGS("cmpq %q2, %q1");
    }
    c->env->rflags = (c->env->rflags & ~(uint64_t)CC_MASK) | ((image >> 8) & 0xd5) |
                     (image & 1 ? CC_O : 0);
}

bool tcg_exec_compare(CPUX86State *env, const X86Insn *i, bool *ret_leave)
{
    Compare c = {
        .env = env,
        .mask = env->hflags & HF_CS64 ? UINT64_MAX : UINT32_MAX,
        .size = i->opcode & 1 ? i->opsize : 1,
        .cmps = (i->opcode & 0xfe) == 0xa6,
        .while_equal = i->rep,
    };
    bool any = false;

    *ret_leave = false;
    if (!is_fast(env, i)) {
        return false;
    }
    c.a = c.cmps ? 0 : env->regs[R_EAX] & (UINT64_MAX >> (64 - 8 * c.size));
    while (compare_reg(&c, R_ECX) && !c.done) {
        if (any) {
            set_flags(&c);
        }
        if (any && atomic_load_explicit(&tcg_env(env)->poll, memory_order_relaxed)) {
            *ret_leave = true;
            return true;
        }
        if (!compare_run(&c)) {
            compare_unit(&c);
        }
        any = true;
    }
    if (any) {
        set_flags(&c);
    }
    env->rip += i->length;
    return true;
}
