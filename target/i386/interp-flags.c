/* SPDX-License-Identifier: MIT
 *
 * Interpreted instructions on RFLAGS, and decimal arithmetic.  SDM vol. 2; vol. 3, 20.3.1 and
 * table 20-2 (VME), 20.4 (PVI).
 */
#include "target/i386/alu.h"
#include "target/i386/interp.h"

static void set_rflags(Interp *x, uint64_t value, uint64_t mask)
{
    x->env->rflags = (x->env->rflags & ~mask) | (value & mask) | 2;
}

void interp_flag(Interp *x)
{
    uint64_t *f = &x->env->rflags;

    switch (x->insn->opcode) {
    case 0xf5:
        *f ^= CC_C;
        break;
    case 0xf8:
    case 0xf9:
        set_rflags(x, x->insn->opcode & 1 ? CC_C : 0, CC_C);
        break;
    default:
        set_rflags(x, x->insn->opcode & 1 ? DF_MASK : 0, DF_MASK);
        break;
    }
}

/* ---- cli, sti ---------------------------------------------------------------------------- */

/* Whether cli and sti act on VIF: virtual-8086 mode with VME, ring 3 with PVI. */
static bool has_virtual_if(const CPUX86State *env)
{
    if (env->hflags & HF_VM) {
        return env->cr4 & CR4_VME;
    }
    return x86_cpl(env) == 3 && (env->cr4 & CR4_PVI);
}

static void virtual_cli_sti(Interp *x, bool set)
{
    CPUX86State *env = x->env;

    if (!has_virtual_if(env) || (set && (env->rflags & VIP_MASK))) {
        interp_gp(x);
    }
    set_rflags(x, set ? VIF_MASK : 0, VIF_MASK);
}

void interp_cli_sti(Interp *x)
{
    CPUX86State *env = x->env;
    bool set = x->insn->opcode & 1;

    x->changed = true;
    if ((env->hflags & HF_PE) && x86_cpl(env) > x86_iopl(env)) {
        virtual_cli_sti(x, set);
        return;
    }
    if (set && !(env->rflags & IF_MASK)) {
        x->shadow = X86_SHADOW_STI;
    }
    set_rflags(x, set ? IF_MASK : 0, IF_MASK);
}

/* ---- pushf, popf ------------------------------------------------------------------------------ */

static bool vm86_restricted(const CPUX86State *env)
{
    return (env->hflags & HF_VM) && x86_iopl(env) < 3;
}

void interp_pushf(Interp *x)
{
    CPUX86State *env = x->env;
    unsigned size = interp_stack_size(x);
    uint64_t image = env->rflags & ~(uint64_t)(VM_MASK | RF_MASK);

    if (vm86_restricted(env)) {
        if (!(env->cr4 & CR4_VME) || size != 2) {
            interp_gp(x);
        }
        image = (image & ~(uint64_t)IF_MASK) | IOPL_MASK | (env->rflags & VIF_MASK ? IF_MASK : 0);
    }
    interp_push(x, image, size);
}

static uint64_t popf_mask(const CPUX86State *env)
{
    uint64_t mask = CC_MASK | TF_MASK | DF_MASK | NT_MASK | AC_MASK | ID_MASK;

    if (x86_cpl(env) == 0) {
        return mask | IF_MASK | IOPL_MASK;
    }
    return x86_cpl(env) <= x86_iopl(env) ? mask | IF_MASK : mask;
}

static void popf_vme(Interp *x, uint64_t value)
{
    CPUX86State *env = x->env;

    if ((value & TF_MASK) || ((value & IF_MASK) && (env->rflags & VIP_MASK))) {
        interp_gp(x);
    }
    set_rflags(x, value, CC_MASK | DF_MASK | NT_MASK | TF_MASK);
    set_rflags(x, value & IF_MASK ? VIF_MASK : 0, VIF_MASK);
}

void interp_popf(Interp *x)
{
    CPUX86State *env = x->env;
    unsigned size = interp_stack_size(x);
    X86Stack stack = x86_stack_current(env);
    uint64_t value, mask;

    if (vm86_restricted(env)) {
        if (!(env->cr4 & CR4_VME) || size != 2) {
            interp_gp(x);
        }
        popf_vme(x, x86_stack_pop(&stack, size));
    } else {
        value = x86_stack_pop(&stack, size);
        mask = popf_mask(env);
        set_rflags(x, value, size == 2 ? mask & 0xffff : mask);
        env->rflags &= ~(uint64_t)RF_MASK;
    }
    x86_stack_commit(&stack);
    x86_update_hflags(env);
    x->changed = true;
}

void interp_lahf_sahf(Interp *x)
{
    uint64_t *ax = &x->env->regs[R_EAX];
    const uint32_t mask = CC_S | CC_Z | CC_A | CC_P | CC_C;

    if (x->insn->opcode & 1) { /* lahf */
        *ax = (*ax & ~0xff00ull) | ((x->env->rflags & mask) | 2) << 8;
    } else {
        set_rflags(x, *ax >> 8 & 0xff, mask);
    }
}

/* ---- decimal ------------------------------------------------------------------------------------ */

/* SF, ZF, PF of AL, with CF and AF as given. */
static void decimal_flags(Interp *x, uint8_t al, bool carry, bool adjust)
{
    uint64_t flags = interp_flags(x);

    alu_test(al, al, 1, &flags);
    flags &= ~(uint64_t)(CC_C | CC_A);
    interp_set_flags(x, flags | (carry ? CC_C : 0) | (adjust ? CC_A : 0));
}

static void daa_das(Interp *x, bool subtract)
{
    uint8_t old = x->env->regs[R_EAX], al = old;
    bool old_carry = x->env->rflags & CC_C, carry = false, adjust = false;
    int sign = subtract ? -1 : 1;

    if ((al & 15) > 9 || (x->env->rflags & CC_A)) {
        carry = old_carry || (subtract ? al < 6 : al > 0xf9);
        al += sign * 6;
        adjust = true;
    }
    if (old > 0x99 || old_carry) {
        al += sign * 0x60;
        carry = true;
    } else if (!subtract) {
        carry = false;
    }
    interp_set_reg(x, R_EAX, 2, (x->env->regs[R_EAX] & 0xff00) | al);
    decimal_flags(x, al, carry, adjust);
}

static void aaa_aas(Interp *x, bool subtract)
{
    uint16_t ax = x->env->regs[R_EAX];
    bool adjust = (ax & 15) > 9 || (x->env->rflags & CC_A);

    if (adjust) {
        ax = subtract ? ax - 0x106 : ax + 0x106;
    }
    ax &= 0xff0f;
    interp_set_reg(x, R_EAX, 2, ax);
    decimal_flags(x, ax, adjust, adjust);
}

static void aam(Interp *x)
{
    uint8_t base = x->insn->imm, al = x->env->regs[R_EAX];

    if (!base) {
        x86_raise_exception(x->env, EXCP_DE);
    }
    interp_set_reg(x, R_EAX, 2, (al / base) << 8 | al % base);
    decimal_flags(x, al % base, false, false);
}

static void aad(Interp *x)
{
    uint16_t ax = x->env->regs[R_EAX];
    uint8_t al = (ax & 0xff) + (ax >> 8) * (uint8_t)x->insn->imm;

    interp_set_reg(x, R_EAX, 2, al);
    decimal_flags(x, al, false, false);
}

void interp_bcd(Interp *x)
{
    switch (x->insn->opcode) {
    case 0x27:
    case 0x2f:
        daa_das(x, x->insn->opcode & 8);
        break;
    case 0x37:
    case 0x3f:
        aaa_aas(x, x->insn->opcode & 8);
        break;
    case 0xd4:
        aam(x);
        break;
    case 0xd5:
        aad(x);
        break;
    default: /* salc: set AL from carry */
        interp_set_reg(x, R_EAX, 1, x->env->rflags & CC_C ? 0xff : 0);
        break;
    }
}
