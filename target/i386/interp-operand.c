/* SPDX-License-Identifier: MIT
 *
 * Operands of interpreted instructions.  SDM vol. 2, 2.1; vol. 3, 9.1 (locked
 * operations).
 */
#include "target/i386/interp.h"

/* ---- registers ------------------------------------------------------------------------- */

/* ah, ch, dh, bh */
static bool is_high_byte(const Interp *x, unsigned n, unsigned size)
{
    return size == 1 && n >= 4 && n < 8 && !x->insn->rex && x->insn->encoding == X86_ENC_LEGACY;
}

uint64_t interp_reg(const Interp *x, unsigned n, unsigned size)
{
    if (is_high_byte(x, n, size)) {
        return (x->env->regs[n - 4] >> 8) & 0xff;
    }
    return x->env->regs[n] & interp_mask(size);
}

void interp_set_reg(Interp *x, unsigned n, unsigned size, uint64_t value)
{
    uint64_t *reg = &x->env->regs[n];

    if (is_high_byte(x, n, size)) {
        reg = &x->env->regs[n - 4];
        *reg = (*reg & ~0xff00ull) | (value & 0xff) << 8;
    } else if (size == 4) {
        *reg = (uint32_t)value;
    } else {
        *reg = (*reg & ~interp_mask(size)) | (value & interp_mask(size));
    }
}

/* ---- addresses --------------------------------------------------------------------------- */

uint64_t interp_offset(const Interp *x)
{
    const X86Insn *i = x->insn;
    uint64_t offset = i->disp;

    if (i->rip_relative) {
        offset += x->env->rip + i->length;
    }
    if (i->base >= 0) {
        offset += x->env->regs[i->base];
    }
    if (i->index >= 0) {
        offset += x->env->regs[i->index] << i->scale;
    }
    return offset & interp_mask(i->addrsize);
}

uint64_t interp_linear(Interp *x, size_t len, X86Access access)
{
    return x86_linear(x->env, x->insn->seg, interp_offset(x), len, access);
}

static bool crosses_page(uint64_t linear, unsigned size)
{
    return (linear & 0xfff) + size > 0x1000;
}

/* ---- ModRM operand ------------------------------------------------------------------------ */

uint64_t interp_rm(Interp *x, unsigned size)
{
    if (x->insn->mod == 3) {
        return interp_reg(x, x->insn->rm, size);
    }
    return x86_ld(x->env, interp_linear(x, size, X86_READ), size, X86_PRIV_CPL);
}

void interp_set_rm(Interp *x, unsigned size, uint64_t value)
{
    if (x->insn->mod == 3) {
        interp_set_reg(x, x->insn->rm, size, value);
    } else {
        x86_st(x->env, interp_linear(x, size, X86_WRITE), value, size, X86_PRIV_CPL);
    }
}

/* ---- read, modify, write --------------------------------------------------------------------- */

#define HOST_CAS(T, p, e, d)                                                                       \
    ({                                                                                             \
        T expected_ = (T) * (e);                                                                   \
        bool ok_ = __atomic_compare_exchange_n((T *)(p), &expected_, (T)(d), false,                \
                                               __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                \
        *(e) = expected_;                                                                          \
        ok_;                                                                                       \
    })

static bool host_cas(void *p, unsigned size, uint64_t *expected, uint64_t desired)
{
    switch (size) {
    case 1:
        return HOST_CAS(uint8_t, p, expected, desired);
    case 2:
        return HOST_CAS(uint16_t, p, expected, desired);
    case 4:
        return HOST_CAS(uint32_t, p, expected, desired);
    default:
        return HOST_CAS(uint64_t, p, expected, desired);
    }
}

static uint64_t host_ld(const void *p, unsigned size)
{
    switch (size) {
    case 1:
        return *(const volatile uint8_t *)p;
    case 2:
        return *(const volatile uint16_t *)p;
    case 4:
        return *(const volatile uint32_t *)p;
    default:
        return *(const volatile uint64_t *)p;
    }
}

static void *host_operand(Interp *x, uint64_t linear, unsigned size)
{
    if (crosses_page(linear, size)) {
        x86_probe(x->env, linear, size, X86_WRITE, X86_PRIV_CPL);
        return NULL;
    }
    return x86_host_ptr(x->env, linear, size, X86_WRITE, X86_PRIV_CPL);
}

/* Not plain RAM, or in two pages: other CPUs are held off where it must be atomic. */
static bool slow_cas(Interp *x, uint64_t linear, unsigned size, uint64_t *expected,
                     uint64_t desired, bool lock)
{
    uint64_t old;

    if (lock) {
        x86_exclusive_begin(x->env);
    }
    old = x86_ld(x->env, linear, size, X86_PRIV_CPL);
    x86_st(x->env, linear, old == *expected ? desired : old, size, X86_PRIV_CPL);
    if (lock) {
        x86_exclusive_end(x->env);
    }
    if (old == *expected) {
        return true;
    }
    *expected = old;
    return false;
}

bool interp_cas(Interp *x, uint64_t linear, unsigned size, uint64_t *expected, uint64_t desired,
                bool lock)
{
    void *host = host_operand(x, linear, size);

    *expected &= interp_mask(size);
    return host ? host_cas(host, size, expected, desired)
                : slow_cas(x, linear, size, expected, desired, lock);
}

bool interp_cas16(Interp *x, uint64_t linear, uint64_t expected[2], const uint64_t desired[2])
{
    void *host = host_operand(x, linear, 16); /* aligned, so in one page */
    uint64_t lo, hi;
    bool ok;

    if (host) {
        __asm__ volatile("lock cmpxchg16b %1"
                         : "=@ccz"(ok), "+m"(*(unsigned __int128 *)host), "+a"(expected[0]),
                           "+d"(expected[1])
                         : "b"(desired[0]), "c"(desired[1])
                         : "memory");
        return ok;
    }
    x86_exclusive_begin(x->env);
    lo = x86_ld(x->env, linear, 8, X86_PRIV_CPL);
    hi = x86_ld(x->env, linear + 8, 8, X86_PRIV_CPL);
    ok = lo == expected[0] && hi == expected[1];
    x86_st(x->env, linear, ok ? desired[0] : lo, 8, X86_PRIV_CPL);
    x86_st(x->env, linear + 8, ok ? desired[1] : hi, 8, X86_PRIV_CPL);
    x86_exclusive_end(x->env);
    expected[0] = lo;
    expected[1] = hi;
    return ok;
}

static uint64_t modify_slow(Interp *x, uint64_t linear, unsigned size, InterpOp op, uint64_t src,
                            bool lock)
{
    uint64_t flags = interp_flags(x), old;

    if (lock) {
        x86_exclusive_begin(x->env);
    }
    old = x86_ld(x->env, linear, size, X86_PRIV_CPL);
    x86_st(x->env, linear, op(old, src, size, &flags), size, X86_PRIV_CPL);
    if (lock) {
        x86_exclusive_end(x->env);
    }
    interp_set_flags(x, flags);
    return old;
}

uint64_t interp_modify_at(Interp *x, uint64_t linear, unsigned size, InterpOp op, uint64_t src,
                          bool lock)
{
    void *host = host_operand(x, linear, size);
    uint64_t flags, old, new;

    if (!host) {
        return modify_slow(x, linear, size, op, src, lock);
    }
    /* Without a lock prefix the compare-and-swap is stronger than asked for. */
    old = host_ld(host, size);
    do {
        flags = interp_flags(x);
        new = op(old, src, size, &flags);
    } while (!host_cas(host, size, &old, new));
    interp_set_flags(x, flags);
    return old;
}

uint64_t interp_modify(Interp *x, unsigned size, InterpOp op, uint64_t src, bool lock)
{
    uint64_t flags, old;

    if (x->insn->mod != 3) {
        return interp_modify_at(x, interp_linear(x, size, X86_WRITE), size, op, src, lock);
    }
    flags = interp_flags(x);
    old = interp_reg(x, x->insn->rm, size);
    interp_set_reg(x, x->insn->rm, size, op(old, src, size, &flags));
    interp_set_flags(x, flags);
    return old;
}

/* ---- stack, conditions, branches ----------------------------------------------------------------- */

void interp_push(Interp *x, uint64_t value, unsigned size)
{
    X86Stack stack = x86_stack_current(x->env);

    x86_stack_push(&stack, value, size);
    x86_stack_commit(&stack);
}

uint64_t interp_pop(Interp *x, unsigned size)
{
    X86Stack stack = x86_stack_current(x->env);
    uint64_t value = x86_stack_pop(&stack, size);

    x86_stack_commit(&stack);
    return value;
}

bool interp_condition(const Interp *x, unsigned cc)
{
    uint64_t f = x->env->rflags;
    bool sign_differs = !(f & CC_S) != !(f & CC_O);
    bool result = false;

    switch (cc >> 1 & 7) {
    case 0:
        result = f & CC_O;
        break;
    case 1:
        result = f & CC_C;
        break;
    case 2:
        result = f & CC_Z;
        break;
    case 3:
        result = f & (CC_C | CC_Z);
        break;
    case 4:
        result = f & CC_S;
        break;
    case 5:
        result = f & CC_P;
        break;
    case 6:
        result = sign_differs;
        break;
    case 7:
        result = (f & CC_Z) || sign_differs;
        break;
    }
    return result != (cc & 1);
}

void interp_jump(Interp *x, uint64_t target)
{
    bool ok;

    if (x->code64) {
        ok = x86_is_canonical(x->env, target);
    } else {
        target &= x->v == 2 ? 0xffff : 0xffffffff;
        ok = target <= x->env->segs[R_CS].limit;
    }
    if (!ok) {
        interp_gp(x);
    }
    x->next_rip = target;
}
