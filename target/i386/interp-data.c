/* SPDX-License-Identifier: MIT
 *
 * Interpreted data movement, stack and segment-register instructions.  SDM vol. 2.
 */
#include "target/i386/interp.h"

/* ---- mov and kin ----------------------------------------------------------------------- */

void interp_mov(Interp *x)
{
    const X86Insn *i = x->insn;
    unsigned size = interp_size(x);

    if (i->opcode >= 0xc6) {
        interp_set_rm(x, size, i->imm);
    } else if (i->opcode & 2) {
        interp_set_reg(x, i->reg, size, interp_rm(x, size));
    } else {
        interp_set_rm(x, size, interp_reg(x, i->reg, size));
    }
}

void interp_mov_imm(Interp *x)
{
    interp_set_reg(x, x->insn->rm, x->insn->opcode & 8 ? x->v : 1, x->insn->imm);
}

void interp_mov_offset(Interp *x)
{
    const X86Insn *i = x->insn;
    unsigned size = interp_size(x);
    bool store = i->opcode & 2;
    uint64_t offset = (uint64_t)i->disp & interp_mask(i->addrsize);
    uint64_t linear = x86_linear(x->env, i->seg, offset, size, store ? X86_WRITE : X86_READ);

    if (store) {
        x86_st(x->env, linear, interp_reg(x, R_EAX, size), size, X86_PRIV_CPL);
    } else {
        interp_set_reg(x, R_EAX, size, x86_ld(x->env, linear, size, X86_PRIV_CPL));
    }
}

void interp_movx(Interp *x)
{
    const X86Insn *i = x->insn;
    /* movsxd with 66: 4 bytes on AMD, 2 on Intel; the translator has 4 as well. */
    unsigned from = i->map == X86_MAP_1B ? 4 : i->opcode & 1 ? 2 : 1;
    bool sign = i->map == X86_MAP_1B || (i->opcode & 8);
    uint64_t value = interp_rm(x, from);

    interp_set_reg(x, i->reg, x->v, sign ? (uint64_t)interp_sign_extend(value, from) : value);
}

static void arpl(Interp *x)
{
    uint16_t dst = interp_rm(x, 2), src = interp_reg(x, x->insn->reg, 2);
    bool raise = (dst & 3) < (src & 3);

    if (raise) {
        interp_set_rm(x, 2, (dst & ~3) | (src & 3));
    }
    x->env->rflags = (x->env->rflags & ~(uint64_t)CC_Z) | (raise ? CC_Z : 0);
}

void interp_63(Interp *x)
{
    if (x->code64) {
        interp_movx(x);
    } else {
        arpl(x);
    }
}

void interp_lea(Interp *x)
{
    interp_set_reg(x, x->insn->reg, x->v, interp_offset(x));
}

static uint64_t take_src(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags)
{
    return src;
}

void interp_xchg(Interp *x)
{
    const X86Insn *i = x->insn;
    unsigned size = interp_size(x);
    uint64_t old = interp_modify(x, size, take_src, interp_reg(x, i->reg, size), true);

    interp_set_reg(x, i->reg, size, old);
}

void interp_xchg_ax(Interp *x)
{
    unsigned rm = (x->insn->opcode & 7) | (x->insn->rex & 1) << 3;
    uint64_t a = interp_reg(x, R_EAX, x->v), b = interp_reg(x, rm, x->v);

    if (rm != R_EAX) { /* 90 is nop: the upper half stays */
        interp_set_reg(x, R_EAX, x->v, b);
        interp_set_reg(x, rm, x->v, a);
    }
}

void interp_convert(Interp *x)
{
    if (x->insn->opcode == 0x98) { /* cbw, cwde, cdqe */
        interp_set_reg(x, R_EAX, x->v, interp_sign_extend(x->env->regs[R_EAX], x->v / 2));
    } else { /* cwd, cdq, cqo */
        interp_set_reg(x, R_EDX, x->v, interp_sign_extend(x->env->regs[R_EAX], x->v) >> 63);
    }
}

void interp_setcc(Interp *x)
{
    interp_set_rm(x, 1, interp_condition(x, x->insn->opcode & 15));
}

void interp_cmov(Interp *x)
{
    uint64_t src = interp_rm(x, x->v), old = interp_reg(x, x->insn->reg, x->v);

    interp_set_reg(x, x->insn->reg, x->v,
                   interp_condition(x, x->insn->opcode & 15) ? src : old);
}

void interp_bswap(Interp *x)
{
    unsigned rm = (x->insn->opcode & 7) | (x->insn->rex & 1) << 3;
    uint64_t value = interp_reg(x, rm, x->v);

    /* 16 bits are undefined; processors give 0. */
    value = x->v == 8 ? __builtin_bswap64(value) : x->v == 4 ? __builtin_bswap32(value) : 0;
    interp_set_reg(x, rm, x->v, value);
}

void interp_xlat(Interp *x)
{
    const X86Insn *i = x->insn;
    int seg = i->seg_override >= 0 ? i->seg_override : R_DS;
    uint64_t offset = (x->env->regs[R_EBX] + (x->env->regs[R_EAX] & 0xff)) &
                      interp_mask(i->addrsize);
    uint64_t linear = x86_linear(x->env, seg, offset, 1, X86_READ);

    interp_set_reg(x, R_EAX, 1, x86_ld(x->env, linear, 1, X86_PRIV_CPL));
}

void interp_nop(Interp *x)
{
}

void interp_movnti(Interp *x)
{
    interp_set_rm(x, x->v == 2 ? 4 : x->v, interp_reg(x, x->insn->reg, x->v == 2 ? 4 : x->v));
}

/* Group 15: what of it is not about vector state. */
void interp_fence(Interp *x)
{
    const X86Insn *i = x->insn;

    if (i->mod == 3 && i->rep && (i->reg & 7) < 4) {
        interp_fsgsbase(x);
    } else if (i->mod == 3 && (i->reg & 7) >= 5) {
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    } else if (i->mod != 3 && (i->reg & 7) >= 6) { /* clflush, clflushopt, clwb */
        x86_probe(x->env, interp_linear(x, 1, X86_READ), 1, X86_READ, X86_PRIV_CPL);
    } else {
        interp_ud(x);
    }
}

void interp_movdir64b(Interp *x)
{
    const X86Insn *i = x->insn;
    uint64_t dst = x->env->regs[i->reg] & interp_mask(i->addrsize), linear;
    uint8_t buf[64];

    x86_ld_bytes(x->env, interp_linear(x, 64, X86_READ), buf, 64, X86_PRIV_CPL);
    linear = x86_linear(x->env, R_ES, dst, 64, X86_WRITE);
    if (linear & 63) {
        interp_gp(x);
    }
    x86_st_bytes(x->env, linear, buf, 64, X86_PRIV_CPL);
}

/* ---- stack --------------------------------------------------------------------------------- */

void interp_push_reg(Interp *x)
{
    unsigned rm = (x->insn->opcode & 7) | (x->insn->rex & 1) << 3;

    interp_push(x, x->env->regs[rm], interp_stack_size(x));
}

void interp_pop_reg(Interp *x)
{
    unsigned rm = (x->insn->opcode & 7) | (x->insn->rex & 1) << 3;
    uint64_t value = interp_pop(x, interp_stack_size(x));

    interp_set_reg(x, rm, interp_stack_size(x), value);
}

void interp_push_imm(Interp *x)
{
    interp_push(x, x->insn->imm, interp_stack_size(x));
}

void interp_pop_rm(Interp *x)
{
    CPUX86State *env = x->env;
    unsigned size = interp_stack_size(x);
    X86Stack stack = x86_stack_current(env);
    uint64_t value = x86_stack_pop(&stack, size);
    uint64_t old = env->regs[R_ESP], offset, linear;

    if (x->insn->mod == 3) {
        x86_stack_commit(&stack);
        interp_set_reg(x, x->insn->rm, size, value);
        return;
    }
    /* An address that uses rSP sees it popped; a fault must not. */
    x86_stack_commit(&stack);
    offset = interp_offset(x);
    env->regs[R_ESP] = old;
    linear = x86_linear(env, x->insn->seg, offset, size, X86_WRITE);
    x86_st(env, linear, value, size, X86_PRIV_CPL);
    x86_stack_commit(&stack);
}

void interp_pusha(Interp *x)
{
    X86Stack stack = x86_stack_current(x->env);

    for (int i = 0; i < 8; i++) {
        x86_stack_push(&stack, x->env->regs[i], x->v);
    }
    x86_stack_commit(&stack);
}

void interp_popa(Interp *x)
{
    X86Stack stack = x86_stack_current(x->env);
    uint64_t values[8];

    for (int i = 7; i >= 0; i--) {
        values[i] = x86_stack_pop(&stack, x->v);
    }
    x86_stack_commit(&stack);
    for (int i = 0; i < 8; i++) {
        if (i != R_ESP) {
            interp_set_reg(x, i, x->v, values[i]);
        }
    }
}

/* Copy the display: the frame pointers of the enclosing levels. */
static void enter_display(Interp *x, X86Stack *stack, unsigned level, unsigned size,
                          uint64_t frame)
{
    X86Stack from = x86_stack_current(x->env);

    from.sp = x->env->regs[R_EBP];
    for (unsigned i = 1; i < level; i++) {
        X86Stack at;

        x86_stack_skip(&from, -(int64_t)size);
        at = from;
        x86_stack_push(stack, x86_stack_pop(&at, size), size);
    }
    x86_stack_push(stack, frame, size);
}

void interp_enter(Interp *x)
{
    CPUX86State *env = x->env;
    unsigned size = interp_stack_size(x), level = x->insn->imm2 & 31;
    X86Stack stack = x86_stack_current(env);
    uint64_t frame;

    x86_stack_push(&stack, env->regs[R_EBP], size);
    frame = stack.sp;
    if (level) {
        enter_display(x, &stack, level, size, frame);
    }
    x86_stack_skip(&stack, -(int64_t)(x->insn->imm & 0xffff));
    x86_stack_probe(&stack, size); /* SDM vol. 2, ENTER: the new top must be writable */
    interp_set_reg(x, R_EBP, size, frame);
    x86_stack_commit(&stack);
}

void interp_leave(Interp *x)
{
    CPUX86State *env = x->env;
    unsigned size = interp_stack_size(x);
    X86Stack stack = x86_stack_current(env);
    uint64_t value;

    stack.sp = env->regs[R_EBP];
    value = x86_stack_pop(&stack, size);
    x86_stack_commit(&stack);
    interp_set_reg(x, R_EBP, size, value);
}

/* ---- segment registers ----------------------------------------------------------------------- */

/* Interrupts and traps wait for one instruction after a load of SS (SDM vol. 3, 6.8.3). */
static void load_segment(Interp *x, int seg, uint16_t selector)
{
    x86_load_segment(x->env, seg, selector);
    x->changed = true;
    if (seg == R_SS) {
        x->shadow = X86_SHADOW_MOVSS;
    }
}

void interp_mov_from_seg(Interp *x)
{
    uint16_t selector = x->env->segs[x->insn->reg].selector;

    interp_set_rm(x, x->insn->mod == 3 ? x->v : 2, selector);
}

void interp_mov_to_seg(Interp *x)
{
    if (x->insn->reg == R_CS || x->insn->reg >= R_SEG_COUNT) {
        interp_ud(x);
    }
    load_segment(x, x->insn->reg, interp_rm(x, 2));
}

/* Bits 3-5 of 06, 0e.. and of 0f a0, a8. */
static int opcode_segment(const Interp *x)
{
    return x->insn->opcode >> 3 & 7;
}

void interp_push_seg(Interp *x)
{
    CPUX86State *env = x->env;
    unsigned size = interp_stack_size(x);
    uint16_t selector = env->segs[opcode_segment(x)].selector;
    X86Stack stack = x86_stack_current(env);

    if (size == 4) {
        /* A 16-bit store into a 32-bit slot, as processors do it. */
        x86_stack_skip(&stack, -2);
        x86_stack_push(&stack, selector, 2);
        x86_stack_commit(&stack);
    } else {
        interp_push(x, selector, size);
    }
}

void interp_pop_seg(Interp *x)
{
    unsigned size = interp_stack_size(x);
    X86Stack stack = x86_stack_current(x->env), skipped;
    uint16_t selector;

    skipped = stack;
    selector = x86_stack_pop(&stack, 2);
    x86_stack_skip(&skipped, size);
    load_segment(x, opcode_segment(x), selector);
    x86_stack_commit(&skipped);
}

void interp_load_far(Interp *x)
{
    static const struct {
        uint8_t opcode, seg;
    } rows[] = {{0xc4, R_ES}, {0xc5, R_DS}, {0xb2, R_SS}, {0xb4, R_FS}, {0xb5, R_GS}};
    uint64_t linear = interp_linear(x, x->v + 2, X86_READ);
    uint64_t offset = x86_ld(x->env, linear, x->v, X86_PRIV_CPL);
    uint16_t selector = x86_ld(x->env, linear + x->v, 2, X86_PRIV_CPL);

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].opcode == x->insn->opcode) {
            load_segment(x, rows[i].seg, selector);
        }
    }
    x->shadow = 0; /* lss has none */
    interp_set_reg(x, x->insn->reg, x->v, offset);
}
