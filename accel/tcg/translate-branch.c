/* SPDX-License-Identifier: MIT
 *
 * Near jumps, calls and returns.
 */
#include "accel/tcg/translate.h"

static uint64_t branch_target(const Trans *t, const X86Insn *i)
{
    uint64_t target = trans_next_pc(t) + (uint64_t)i->imm;

    return t->code64 ? target : i->opsize == 2 ? (uint16_t)target : (uint32_t)target;
}

static void trans_jcc(Trans *t, const X86Insn *i)
{
    trans_flags_host(t);
    trans_goto_if(t, 0, i->opcode & 15, branch_target(t, i));
    trans_goto(t, 1, trans_next_pc(t));
}

static void push_op(Trans *t, OpBuf *op, unsigned size)
{
    Emit *e = &op->e;

    if (size == 2) { /* mov [r10], r11 */
        e8(e, 0x66);
    }
    e8(e, size == 8 ? 0x4d : 0x45);
    e8(e, 0x89);
    e8(e, 0x1a);
}

static void push_next_pc(Trans *t, unsigned size)
{
    OpBuf op;

    trans_stack_ea(t, -(int)size, ACC_WRITE, size);
    op_init(&op);
    emit_mov_imm(&op.e, H_R11, trans_next_pc(t));
    push_op(t, &op, size);
    trans_access(t, ACC_WRITE | ACC_NO_READ | ACC_NO_EXIT | ACC_STACK, size, &op);
    trans_move_sp(t, -(int)size);
}

static unsigned branch_size(const Trans *t, const X86Insn *i)
{
    return t->code64 ? 8 : i->opsize == 2 ? 2 : 4;
}

static void trans_call(Trans *t, const X86Insn *i)
{
    push_next_pc(t, branch_size(t, i));
    trans_goto(t, 0, branch_target(t, i));
}

/* mov r10, [r10], as wide as the target */
static void load_target_op(OpBuf *op, unsigned size)
{
    Emit *e = &op->e;

    e8(e, size == 8 ? 0x4d : 0x45);
    if (size == 2) { /* movzx */
        e8(e, 0x0f);
        e8(e, 0xb7);
    } else {
        e8(e, 0x8b);
    }
    e8(e, 0x12);
}

static void trans_ret(Trans *t, const X86Insn *i)
{
    unsigned size = branch_size(t, i);
    OpBuf op;

    trans_stack_ea(t, 0, ACC_READ, size);
    op_init(&op);
    load_target_op(&op, size);
    trans_access(t, ACC_READ | ACC_STACK, size, &op);
    trans_move_sp(t, (int)size + (i->opcode == 0xc2 ? (uint16_t)i->imm : 0));
    trans_goto_r10(t, (int)size + (i->opcode == 0xc2 ? (uint16_t)i->imm : 0));
}

/* r10 = the target of jmp or call r/m */
static void load_target(Trans *t, const X86Insn *i, unsigned size)
{
    OpBuf op;

    if (i->mem != X86_MEM_NONE) {
        trans_ea(t, i, ACC_READ, size, 0);
        op_init(&op);
        load_target_op(&op, size);
        trans_access(t, ACC_READ | (i->seg == R_SS ? ACC_STACK : 0), size, &op);
        return;
    }
    trans_flags_save(t);
    if (t->code64 && (i->rm == H_R10 || i->rm == H_R11)) {
        emit_load(&t->hot, H_R10, REG_OFF(i->rm));
    } else if (size == 2) {
        emit_rr(&t->hot, 4, 0x0fb7, H_R10, i->rm);
    } else {
        emit_rr(&t->hot, size, OP_LOAD, H_R10, i->rm);
    }
}

static void trans_indirect(Trans *t, const X86Insn *i)
{
    unsigned size = branch_size(t, i);
    bool call = (i->reg & 7) == 2;

    load_target(t, i, size);
    if (call) {
        emit_store(&t->hot, H_R10, TCG_OFF(save[0]));
        push_next_pc(t, size);
        emit_load(&t->hot, H_R10, TCG_OFF(save[0]));
    }
    trans_goto_r10(t, call ? -(int)size : 0);
}

/* jcxz over one instruction of ours; the count's width is the address size */
static uint8_t *emit_jcxz(Trans *t, const X86Insn *i)
{
    if (i->addrsize == 4) {
        e8(&t->hot, 0x67);
    }
    e8(&t->hot, 0xe3);
    e8(&t->hot, 0);
    return t->hot.p - 1;
}

static void fix_short(Trans *t, uint8_t *at)
{
    *at = (uint8_t)(t->hot.p - (at + 1));
}

/* With a 16-bit count: r10 gets what jcxz is to see, by way of rcx. */
static void swap_count(Trans *t, const X86Insn *i)
{
    if (i->addrsize == 2) {
        emit_mov(&t->hot, H_R10, H_RCX);
        emit_rr(&t->hot, 4, 0x0fb7, H_RCX, H_RCX);
    }
}

static void unswap_count(Trans *t, const X86Insn *i)
{
    if (i->addrsize == 2) {
        emit_mov(&t->hot, H_RCX, H_R10);
    }
}

/* An exit in the middle of the block: the state after it is that before it. */
static void exit_here(Trans *t, unsigned n, uint64_t target)
{
    uint8_t flags = t->flags;

    trans_goto(t, n, target);
    t->flags = flags;
    t->ended = false;
}

static void trans_jcxz(Trans *t, const X86Insn *i)
{
    uint8_t *zero, *over;

    swap_count(t, i);
    zero = emit_jcxz(t, i);
    unswap_count(t, i);
    over = emit_jmp_fwd(&t->hot);
    fix_short(t, zero);
    unswap_count(t, i);
    exit_here(t, 0, branch_target(t, i));
    emit_fix(over, t->hot.p);
    trans_goto(t, 1, trans_next_pc(t));
}

/* loop, loope, loopne: the count goes down, no flag changes */
static void trans_loop(Trans *t, const X86Insn *i)
{
    uint8_t *zero, *other = NULL, *over;

    if (i->opcode != 0xe2) {
        trans_flags_host(t);
    }
    emit_lea(&t->hot, i->addrsize, H_RCX, H_RCX, -1);
    swap_count(t, i);
    zero = emit_jcxz(t, i);
    unswap_count(t, i);
    if (i->opcode != 0xe2) { /* e0: loopne goes on while ZF is clear; e1: loope */
        other = emit_jcc_fwd(&t->hot, i->opcode == 0xe0 ? CC_JE : CC_JNE);
    }
    exit_here(t, 0, branch_target(t, i));
    fix_short(t, zero);
    unswap_count(t, i);
    over = other;
    if (over) {
        emit_fix(over, t->hot.p);
    }
    trans_goto(t, 1, trans_next_pc(t));
}

bool trans_branch(Trans *t)
{
    const X86Insn *i = trans_insn(t);

    if (i->map == X86_MAP_0F || (i->opcode >= 0x70 && i->opcode <= 0x7f)) {
        trans_jcc(t, i);
        return true;
    }
    switch (i->opcode) {
    case 0xe0:
    case 0xe1:
    case 0xe2:
        trans_loop(t, i);
        break;
    case 0xe3:
        trans_jcxz(t, i);
        break;
    case 0xe8:
        trans_call(t, i);
        break;
    case 0xe9:
    case 0xeb:
        trans_goto(t, 0, branch_target(t, i));
        break;
    case 0xc2:
    case 0xc3:
        trans_ret(t, i);
        break;
    case 0xff:
        trans_indirect(t, i);
        break;
    default:
        return false;
    }
    return true;
}
