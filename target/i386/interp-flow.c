/* SPDX-License-Identifier: MIT
 *
 * Interpreted control transfers.  SDM vol. 2.
 */
#include "target/i386/interp.h"

/* In 64-bit code a 66 prefix on near branches is ignored by Intel; AMD cuts to 16 bits, rarely met. */
void interp_jcc(Interp *x)
{
    if (interp_condition(x, x->insn->opcode & 15)) {
        interp_jump(x, x->next_rip + x->insn->imm);
    }
}

void interp_jmp(Interp *x)
{
    interp_jump(x, x->next_rip + x->insn->imm);
}

/* The target is checked before the push, so that a #GP leaves the stack alone. */
static void near_call(Interp *x, uint64_t target)
{
    unsigned size = x->code64 ? 8 : x->v;
    uint64_t return_rip = x->next_rip;

    interp_jump(x, target);
    interp_push(x, return_rip, size);
}

void interp_call(Interp *x)
{
    near_call(x, x->next_rip + x->insn->imm);
}

void interp_ret(Interp *x)
{
    X86Stack stack = x86_stack_current(x->env);

    interp_jump(x, x86_stack_pop(&stack, x->code64 ? 8 : x->v));
    if (x->insn->opcode == 0xc2) {
        x86_stack_skip(&stack, x->insn->imm & 0xffff);
    }
    x86_stack_commit(&stack);
}

void interp_loop(Interp *x)
{
    const X86Insn *i = x->insn;
    uint64_t count = interp_reg(x, R_ECX, i->addrsize);
    bool take;

    if (i->opcode == 0xe3) {
        if (count == 0) {
            interp_jump(x, x->next_rip + i->imm);
        }
        return;
    }
    count = (count - 1) & interp_mask(i->addrsize);
    take = count != 0;
    if (i->opcode != 0xe2) {
        take = take && !(x->env->rflags & CC_Z) == (i->opcode == 0xe0);
    }
    if (take) {
        interp_jump(x, x->next_rip + i->imm);
    }
    interp_set_reg(x, R_ECX, i->addrsize, count);
}

/* ---- far ------------------------------------------------------------------------------- */

static void far_done(Interp *x)
{
    x->jumped = true;
    x->changed = true;
}

void interp_jmp_far(Interp *x)
{
    x86_far_jmp(x->env, x->insn->imm2, x->insn->imm, x->v, x->next_rip);
    far_done(x);
}

void interp_call_far(Interp *x)
{
    x86_far_call(x->env, x->insn->imm2, x->insn->imm, x->v, x->next_rip);
    far_done(x);
}

void interp_ret_far(Interp *x)
{
    x86_far_ret(x->env, x->v, x->insn->opcode == 0xca ? x->insn->imm & 0xffff : 0);
    far_done(x);
}

void interp_iret(Interp *x)
{
    x86_iret(x->env, x->v, x->next_rip);
    far_done(x);
}

/* ff /2 to /5 */
void interp_indirect(Interp *x)
{
    unsigned op = x->insn->reg & 7, size = x->code64 ? 8 : x->v;
    uint64_t linear, offset;
    uint16_t selector;

    switch (op) {
    case 2:
        near_call(x, interp_rm(x, size));
        return;
    case 4:
        interp_jump(x, interp_rm(x, size));
        return;
    case 3:
    case 5:
        break;
    default:
        interp_ud(x);
    }
    if (x->insn->mod == 3) {
        interp_ud(x);
    }
    linear = interp_linear(x, x->v + 2, X86_READ);
    offset = x86_ld(x->env, linear, x->v, X86_PRIV_CPL);
    selector = x86_ld(x->env, linear + x->v, 2, X86_PRIV_CPL);
    if (op == 3) {
        x86_far_call(x->env, selector, offset, x->v, x->next_rip);
    } else {
        x86_far_jmp(x->env, selector, offset, x->v, x->next_rip);
    }
    far_done(x);
}

/* ---- interrupts ----------------------------------------------------------------------------- */

/* VME: to the 8086 program's own handler (SDM vol. 3, 20.3.3.4, methods 5 and 6). */
static bool vm86_interrupt(Interp *x, int vector)
{
    CPUX86State *env = x->env;
    bool redirected = x86_vm86_int_redirected(env, vector);
    uint64_t saved = env->rflags;

    if (!redirected) {
        if (x86_iopl(env) < 3) {
            interp_gp(x);
        }
        return false;
    }
    if (x86_iopl(env) < 3) { /* the program sees VIF as IF, and IOPL 3 */
        env->rflags = (saved & ~(uint64_t)IF_MASK) | IOPL_MASK |
                      (saved & VIF_MASK ? IF_MASK : 0);
        x86_deliver_real(env, vector, x->next_rip);
        env->rflags = saved & ~(uint64_t)(VIF_MASK | TF_MASK);
    } else {
        x86_deliver_real(env, vector, x->next_rip);
    }
    x86_update_hflags(env);
    far_done(x);
    return true;
}

void interp_int(Interp *x)
{
    CPUX86State *env = x->env;

    switch (x->insn->opcode) {
    case 0xcc:
        x86_raise_interrupt(env, EXCP_BP, x->next_rip);
    case 0xce:
        if (env->rflags & CC_O) {
            x86_raise_interrupt(env, EXCP_OF, x->next_rip);
        }
        return;
    case 0xf1:
        x86_raise_int1(env, x->next_rip);
    default:
        if (!(env->hflags & HF_VM) || !vm86_interrupt(x, x->insn->imm & 0xff)) {
            x86_raise_interrupt(env, x->insn->imm & 0xff, x->next_rip);
        }
    }
}

void interp_syscall(Interp *x)
{
    CPUX86State *env = x->env;
    unsigned opsize = x->insn->rex & 8 ? 8 : 4;

    switch (x->insn->opcode) {
    case 0x05:
        x86_syscall(env, x->next_rip);
        break;
    case 0x07:
        x86_sysret(env, opsize);
        break;
    case 0x34:
        x86_sysenter(env);
        break;
    default:
        x86_sysexit(env, opsize);
        break;
    }
    far_done(x);
}

void interp_bound(Interp *x)
{
    uint64_t linear = interp_linear(x, x->v * 2, X86_READ);
    int64_t index = interp_sign_extend(x->env->regs[x->insn->reg], x->v);
    int64_t low = interp_sign_extend(x86_ld(x->env, linear, x->v, X86_PRIV_CPL), x->v);
    int64_t high = interp_sign_extend(x86_ld(x->env, linear + x->v, x->v, X86_PRIV_CPL), x->v);

    if (index < low || index > high) {
        x86_raise_exception(x->env, EXCP_BR);
    }
}
