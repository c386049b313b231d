/* SPDX-License-Identifier: MIT
 *
 * Interpreted integer arithmetic, shifts and bit operations.  SDM vol. 2.
 */
#include "target/i386/alu.h"
#include "target/i386/interp.h"

#define ARITH_CMP 7

static const InterpOp arith_ops[8] = {alu_add, alu_or,  alu_adc, alu_sbb,
                                      alu_and, alu_sub, alu_xor, alu_sub};
static const InterpOp shift_ops[8] = {alu_rol, alu_ror, alu_rcl, alu_rcr,
                                      alu_shl, alu_shr, alu_shl, alu_sar};
static const InterpOp bit_ops[4] = {alu_bt, alu_bts, alu_btr, alu_btc};

/* Flags only. */
static void compare(Interp *x, InterpOp op, uint64_t a, uint64_t b, unsigned size)
{
    uint64_t flags = interp_flags(x);

    op(a, b, size, &flags);
    interp_set_flags(x, flags);
}

static void to_reg(Interp *x, InterpOp op, unsigned reg, uint64_t src, unsigned size)
{
    uint64_t flags = interp_flags(x);
    uint64_t value = op(interp_reg(x, reg, size), src, size, &flags);

    interp_set_reg(x, reg, size, value);
    interp_set_flags(x, flags);
}

static void arith_rm(Interp *x, unsigned op, uint64_t src, unsigned size)
{
    if (op == ARITH_CMP) {
        compare(x, alu_sub, interp_rm(x, size), src, size);
    } else {
        interp_modify(x, size, arith_ops[op], src, x->insn->lock);
    }
}

void interp_arith(Interp *x)
{
    const X86Insn *i = x->insn;
    unsigned op = i->opcode >> 3 & 7, size = interp_size(x);
    bool acc = i->opcode & 4, reg_is_dst = i->opcode & 2;
    unsigned reg = acc ? R_EAX : i->reg;
    uint64_t src;

    if (!acc && !reg_is_dst) {
        arith_rm(x, op, interp_reg(x, reg, size), size);
        return;
    }
    src = acc ? (uint64_t)i->imm : interp_rm(x, size);
    if (op == ARITH_CMP) {
        compare(x, alu_sub, interp_reg(x, reg, size), src, size);
    } else {
        to_reg(x, arith_ops[op], reg, src, size);
    }
}

void interp_arith_imm(Interp *x)
{
    arith_rm(x, x->insn->reg & 7, x->insn->imm, interp_size(x));
}

void interp_test(Interp *x)
{
    const X86Insn *i = x->insn;
    unsigned size = interp_size(x);

    if (i->opcode >= 0xa8) {
        compare(x, alu_test, interp_reg(x, R_EAX, size), i->imm, size);
    } else {
        compare(x, alu_test, interp_rm(x, size), interp_reg(x, i->reg, size), size);
    }
}

void interp_incdec_reg(Interp *x)
{
    to_reg(x, x->insn->opcode & 8 ? alu_dec : alu_inc, x->insn->opcode & 7, 0, x->v);
}

static void multiply(Interp *x, bool is_signed, unsigned size)
{
    uint64_t *regs = x->env->regs;
    uint64_t src = interp_rm(x, size), flags = interp_flags(x);

    alu_mul(&regs[R_EAX], &regs[R_EDX], src, size, is_signed, &flags);
    interp_set_flags(x, flags);
}

static void divide(Interp *x, bool is_signed, unsigned size)
{
    uint64_t src = interp_rm(x, size);
    uint64_t ax = x->env->regs[R_EAX], dx = x->env->regs[R_EDX];

    if (!alu_div(&ax, &dx, src, size, is_signed)) {
        x86_raise_exception(x->env, EXCP_DE);
    }
    if (size == 1) {
        interp_set_reg(x, R_EAX, 2, (ax & 0xff) | (dx & 0xff) << 8);
    } else {
        interp_set_reg(x, R_EAX, size, ax);
        interp_set_reg(x, R_EDX, size, dx);
    }
}

void interp_group3(Interp *x)
{
    unsigned size = interp_size(x), op = x->insn->reg & 7;

    switch (op) {
    case 0:
    case 1:
        compare(x, alu_test, interp_rm(x, size), x->insn->imm, size);
        break;
    case 2:
        interp_modify(x, size, alu_not, 0, x->insn->lock);
        break;
    case 3:
        interp_modify(x, size, alu_neg, 0, x->insn->lock);
        break;
    case 4:
    case 5:
        multiply(x, op == 5, size);
        break;
    default:
        divide(x, op == 7, size);
        break;
    }
}

void interp_group4(Interp *x)
{
    unsigned op = x->insn->reg & 7;

    if (op > 1) {
        interp_ud(x);
    }
    interp_modify(x, interp_size(x), op ? alu_dec : alu_inc, 0, x->insn->lock);
}

void interp_group5(Interp *x)
{
    unsigned op = x->insn->reg & 7;

    if (op < 2) {
        interp_group4(x);
    } else if (op == 6) {
        interp_push(x, interp_rm(x, interp_stack_size(x)), interp_stack_size(x));
    } else {
        interp_indirect(x);
    }
}

void interp_shift(Interp *x)
{
    const X86Insn *i = x->insn;
    uint64_t count = i->opcode < 0xd0 ? (uint64_t)i->imm
                     : i->opcode & 2  ? x->env->regs[R_ECX] : 1;

    interp_modify(x, interp_size(x), shift_ops[i->reg & 7], count & 0xff, false);
}

void interp_imul(Interp *x)
{
    const X86Insn *i = x->insn;
    uint64_t flags, value, src = interp_rm(x, x->v);

    flags = interp_flags(x);
    value = alu_imul(src, i->map == X86_MAP_0F ? interp_reg(x, i->reg, x->v) : (uint64_t)i->imm,
                     x->v, &flags);
    interp_set_reg(x, i->reg, x->v, value);
    interp_set_flags(x, flags);
}

/* The count travels above the source: an InterpOp has one operand. */
typedef struct DoubleShift {
    uint64_t src;
    uint8_t count;
    bool right;
} DoubleShift;

static uint64_t double_shift(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags)
{
    const DoubleShift *d = (const DoubleShift *)(uintptr_t)src;

    return d->right ? alu_shrd(dst, d->src, d->count, size, flags)
                    : alu_shld(dst, d->src, d->count, size, flags);
}

void interp_shift_double(Interp *x)
{
    const X86Insn *i = x->insn;
    DoubleShift d = {
        .src = interp_reg(x, i->reg, x->v),
        .count = i->opcode & 1 ? x->env->regs[R_ECX] : (uint64_t)i->imm,
        .right = i->opcode & 8,
    };

    interp_modify(x, x->v, double_shift, (uintptr_t)&d, false);
}

/* bt [mem], reg reaches beyond the operand (SDM vol. 2, 3.1.1.9, figure 3-2). */
static uint64_t bit_linear(Interp *x, int64_t bit, X86Access access)
{
    unsigned size = x->v;
    int64_t words = bit >> (size == 8 ? 6 : size == 4 ? 5 : 4);
    uint64_t offset = (interp_offset(x) + words * size) & interp_mask(x->insn->addrsize);

    return x86_linear(x->env, x->insn->seg, offset, size, access);
}

void interp_bit_test(Interp *x)
{
    const X86Insn *i = x->insn;
    bool imm = i->opcode == 0xba;
    unsigned op = imm ? i->reg & 3 : i->opcode >> 3 & 3, size = x->v;
    int64_t bit = imm ? i->imm : interp_sign_extend(x->env->regs[i->reg], size);
    uint64_t in_word = bit & (size * 8 - 1);
    uint64_t linear;

    if (i->mod == 3) {
        if (op == 0) {
            compare(x, alu_bt, interp_reg(x, i->rm, size), in_word, size);
        } else {
            interp_modify(x, size, bit_ops[op], in_word, false);
        }
        return;
    }
    linear = bit_linear(x, imm ? 0 : bit, op ? X86_WRITE : X86_READ);
    if (op == 0) {
        compare(x, alu_bt, x86_ld(x->env, linear, size, X86_PRIV_CPL), in_word, size);
    } else {
        interp_modify_at(x, linear, size, bit_ops[op], in_word, i->lock);
    }
}

void interp_bit_scan(Interp *x)
{
    const X86Insn *i = x->insn;
    uint64_t src = interp_rm(x, x->v), flags = interp_flags(x);
    uint64_t dst = x->env->regs[i->reg];

    if (i->opcode == 0xb8) {
        dst = alu_popcnt(dst, src, x->v, &flags);
    } else if (i->opcode == 0xbc) {
        dst = i->rep && interp_has(x, X86_FEATURE(FEAT_7_0_EBX, 3))
                  ? alu_tzcnt(dst, src, x->v, &flags) : alu_bsf(dst, src, x->v, &flags);
    } else {
        dst = i->rep && interp_has(x, X86_FEATURE(FEAT_80000001_ECX, 5))
                  ? alu_lzcnt(dst, src, x->v, &flags) : alu_bsr(dst, src, x->v, &flags);
    }
    x->env->regs[i->reg] = dst;
    interp_set_flags(x, flags);
}

void interp_xadd(Interp *x)
{
    const X86Insn *i = x->insn;
    unsigned size = interp_size(x);
    uint64_t src = interp_reg(x, i->reg, size);
    uint64_t old;

    if (i->mod == 3) {
        uint64_t flags = interp_flags(x);
        uint64_t sum;

        old = interp_reg(x, i->rm, size);
        sum = alu_add(old, src, size, &flags);
        interp_set_reg(x, i->reg, size, old);
        interp_set_reg(x, i->rm, size, sum);
        interp_set_flags(x, flags);
    } else {
        old = interp_modify(x, size, alu_add, src, i->lock);
        interp_set_reg(x, i->reg, size, old);
    }
}

void interp_cmpxchg(Interp *x)
{
    const X86Insn *i = x->insn;
    unsigned size = interp_size(x);
    uint64_t src = interp_reg(x, i->reg, size), acc = interp_reg(x, R_EAX, size), old = acc;

    if (i->mod == 3) {
        old = interp_reg(x, i->rm, size);
        if (old == acc) {
            interp_set_reg(x, i->rm, size, src);
        } else {
            interp_set_reg(x, R_EAX, size, old);
        }
    } else if (!interp_cas(x, interp_linear(x, size, X86_WRITE), size, &old, src, i->lock)) {
        interp_set_reg(x, R_EAX, size, old);
    }
    compare(x, alu_sub, acc, old, size);
}

static void set_zero_flag(Interp *x, bool zero)
{
    x->env->rflags = zero ? x->env->rflags | CC_Z : x->env->rflags & ~(uint64_t)CC_Z;
}

static void cmpxchg8b(Interp *x)
{
    uint64_t *r = x->env->regs;
    uint64_t expected = (uint32_t)r[R_EAX] | r[R_EDX] << 32;
    uint64_t desired = (uint32_t)r[R_EBX] | r[R_ECX] << 32;
    bool same = interp_cas(x, interp_linear(x, 8, X86_WRITE), 8, &expected, desired,
                           x->insn->lock);

    if (!same) {
        r[R_EAX] = (uint32_t)expected;
        r[R_EDX] = expected >> 32;
    }
    set_zero_flag(x, same);
}

static void cmpxchg16b(Interp *x)
{
    uint64_t *r = x->env->regs;
    uint64_t expected[2] = {r[R_EAX], r[R_EDX]};
    uint64_t desired[2] = {r[R_EBX], r[R_ECX]};
    uint64_t linear = interp_linear(x, 16, X86_WRITE);
    bool same;

    if (!interp_has(x, X86_FEATURE(FEAT_1_ECX, 13))) {
        interp_ud(x);
    }
    if (linear & 15) {
        interp_gp(x);
    }
    same = interp_cas16(x, linear, expected, desired);
    if (!same) {
        r[R_EAX] = expected[0];
        r[R_EDX] = expected[1];
    }
    set_zero_flag(x, same);
}

static void random_number(Interp *x, bool seed)
{
    uint64_t value = 0;
    uint8_t ok;

    if (seed) {
        __asm__ volatile("rdseed %0; setc %1" : "=r"(value), "=q"(ok) : : "cc");
    } else {
        __asm__ volatile("rdrand %0; setc %1" : "=r"(value), "=q"(ok) : : "cc");
    }
    interp_set_reg(x, x->insn->rm, x->v, ok ? value : 0);
    interp_set_flags(x, ok ? CC_C : 0);
}

void interp_group9(Interp *x)
{
    const X86Insn *i = x->insn;
    unsigned op = i->reg & 7;

    if (i->mod != 3 && op == 1) {
        if (x->code64 && (i->rex & 8)) {
            cmpxchg16b(x);
        } else {
            cmpxchg8b(x);
        }
    } else if (i->mod == 3 && op == 7 && i->rep) {
        interp_rdpid(x);
    } else if (i->mod == 3 && op >= 6) {
        random_number(x, op == 7);
    } else {
        interp_ud(x);
    }
}

/* ---- 0F38, 0F3A --------------------------------------------------------------------------- */

static uint64_t swap_bytes(uint64_t value, unsigned size)
{
    return __builtin_bswap64(value) >> (64 - size * 8);
}

void interp_crc32_movbe(Interp *x)
{
    const X86Insn *i = x->insn;
    unsigned size = i->opcode & 1 ? x->v : 1;
    uint64_t src;

    if (i->repne) {
        src = interp_rm(x, size);
        interp_set_reg(x, i->reg, 4, alu_crc32(x->env->regs[i->reg], src, size));
    } else if (i->opcode & 1) {
        interp_set_rm(x, x->v, swap_bytes(interp_reg(x, i->reg, x->v), x->v));
    } else {
        src = interp_rm(x, x->v);
        interp_set_reg(x, i->reg, x->v, swap_bytes(src, x->v));
    }
}

/* Operand size of VEX-encoded integer instructions and adcx, adox. */
static unsigned wide_size(const Interp *x)
{
    return x->code64 && x->insn->w ? 8 : 4;
}

static void mulx(Interp *x)
{
    const X86Insn *i = x->insn;
    unsigned size = wide_size(x);
    uint64_t a = interp_reg(x, R_EDX, size), b = interp_rm(x, size);
    unsigned __int128 product = (unsigned __int128)a * b;

    interp_set_reg(x, i->vvvv, size, product);
    interp_set_reg(x, i->reg, size, product >> (size * 8));
}

void interp_adx(Interp *x)
{
    const X86Insn *i = x->insn;
    unsigned size = x->code64 && (i->rex & 8) ? 8 : 4;
    uint64_t src;

    if (i->encoding == X86_ENC_VEX) {
        mulx(x);
        return;
    }
    src = interp_rm(x, size);
    to_reg(x, i->rep ? alu_adox : alu_adcx, i->reg, src, size);
}

static void bls(Interp *x, unsigned size)
{
    static const InterpOp ops[4] = {NULL, alu_blsr, alu_blsmsk, alu_blsi};
    const X86Insn *i = x->insn;
    InterpOp op = ops[i->reg & 3];
    uint64_t src = interp_rm(x, size), flags = interp_flags(x), value;

    if (!op || (i->reg & 7) > 3) {
        interp_ud(x);
    }
    value = op(0, src, size, &flags);
    interp_set_reg(x, i->vvvv, size, value);
    interp_set_flags(x, flags);
}

static uint64_t shift_x(unsigned pp, uint64_t src, unsigned count, unsigned size)
{
    count &= size * 8 - 1;
    switch (pp) {
    case 1:
        return src << count;
    case 2:
        return interp_sign_extend(src, size) >> count;
    default:
        return src >> count;
    }
}

static uint64_t bmi_value(Interp *x, unsigned size, uint64_t src, uint64_t *flags)
{
    const X86Insn *i = x->insn;
    uint64_t v = interp_reg(x, i->vvvv, size);

    switch (i->opcode << 4 | i->pp) {
    case 0xf20:
        return alu_andn(v, src, size, flags);
    case 0xf50:
        return alu_bzhi(src, v, size, flags);
    case 0xf52:
        return alu_pext(v, src, size);
    case 0xf53:
        return alu_pdep(v, src, size);
    case 0xf70:
        return alu_bextr(src, v, size, flags);
    case 0xf71:
    case 0xf72:
    case 0xf73:
        return shift_x(i->pp, src, v, size);
    default:
        interp_ud(x);
    }
}

void interp_bmi(Interp *x)
{
    unsigned size = wide_size(x);
    uint64_t src, flags, value;

    if (x->insn->opcode == 0xf3) {
        bls(x, size);
        return;
    }
    src = interp_rm(x, size);
    flags = interp_flags(x);
    value = bmi_value(x, size, src, &flags);
    interp_set_reg(x, x->insn->reg, size, value);
    interp_set_flags(x, flags);
}

void interp_rorx(Interp *x)
{
    unsigned size = wide_size(x), count = x->insn->imm & (size * 8 - 1);
    uint64_t src = interp_rm(x, size);

    interp_set_reg(x, x->insn->reg, size,
                   count ? src >> count | src << (size * 8 - count) : src);
}
