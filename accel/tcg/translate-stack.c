/* SPDX-License-Identifier: MIT
 *
 * push, pop, leave, pushf: the guest's stack is guest memory, so each goes
 * through the TLB; rsp moves only when nothing can fault any more.
 */
#include "accel/tcg/translate.h"

/* mov [r10], r11 or mov r11, [r10] */
static void r11_memory(Emit *e, unsigned size, bool store)
{
    if (size == 2 && store) {
        e8(e, 0x66);
    }
    e8(e, size == 8 ? 0x4d : 0x45);
    if (size == 2 && !store) {
        e8(e, 0x0f);
        e8(e, 0xb7);
    } else {
        e8(e, store ? 0x89 : 0x8b);
    }
    e8(e, 0x1a);
}

static bool is_scratch(const Trans *t, unsigned reg)
{
    return t->code64 && (reg == H_R10 || reg == H_R11);
}

static void push_with(Trans *t, const OpBuf *op, unsigned size)
{
    trans_stack_ea(t, -(int)size, ACC_WRITE, size);
    trans_access(t, ACC_WRITE | ACC_NO_READ | ACC_NO_EXIT | ACC_STACK, size, op);
    trans_move_sp(t, -(int)size);
}

static void push_reg(Trans *t, unsigned reg, unsigned size)
{
    OpBuf op;

    op_init(&op);
    if (is_scratch(t, reg)) {
        emit_load(&op.e, H_R11, REG_OFF(reg));
        r11_memory(&op.e, size, true);
    } else {
        if (size == 2) {
            e8(&op.e, 0x66);
        }
        e8(&op.e, 0x41 | (size == 8 ? 8 : 0) | (reg & 8 ? 4 : 0)); /* mov [r10], reg */
        e8(&op.e, 0x89);
        e8(&op.e, (reg & 7) << 3 | 2);
    }
    push_with(t, &op, size);
}

static void push_imm(Trans *t, const X86Insn *i, unsigned size)
{
    OpBuf op;

    op_init(&op);
    if (size == 2) {
        e8(&op.e, 0x66);
    }
    e8(&op.e, size == 8 ? 0x49 : 0x41); /* mov [r10], imm */
    e8(&op.e, 0xc7);
    e8(&op.e, 0x02);
    if (size == 2) {
        e16(&op.e, (unsigned)i->imm);
    } else {
        e32(&op.e, (uint32_t)i->imm);
    }
    push_with(t, &op, size);
}

static void push_saved(Trans *t, unsigned size)
{
    OpBuf op;

    op_init(&op);
    emit_load(&op.e, H_R11, TCG_OFF(save[0]));
    r11_memory(&op.e, size, true);
    push_with(t, &op, size);
}

static void push_mem(Trans *t, const X86Insn *i, unsigned size)
{
    OpBuf op;

    trans_ea(t, i, ACC_READ, size, 0);
    op_init(&op);
    r11_memory(&op.e, size, false);
    trans_access(t, ACC_READ | (i->seg == R_SS ? ACC_STACK : 0), size, &op);
    emit_store(&t->hot, H_R11, TCG_OFF(save[0]));
    push_saved(t, size);
}

void trans_pop_to_r11(Trans *t, unsigned size)
{
    OpBuf op;

    trans_stack_ea(t, 0, ACC_READ, size);
    op_init(&op);
    r11_memory(&op.e, size, false);
    trans_access(t, ACC_READ | ACC_STACK, size, &op);
}

/* Into a register's low 16 bits, or all of it. */
static void move_r11_to(Trans *t, unsigned reg, unsigned size)
{
    if (is_scratch(t, reg)) {
        emit_gs(&t->hot, size, OP_STORE, H_R11, REG_OFF(reg));
        return;
    }
    if (size == 2) {
        e8(&t->hot, 0x66);
    }
    emit_rr(&t->hot, size == 8 ? 8 : 4, OP_LOAD, reg, H_R11);
}

static void pop_reg(Trans *t, unsigned reg, unsigned size)
{
    trans_pop_to_r11(t, size);
    trans_move_sp(t, (int)size); /* pop rsp: what was popped stays */
    move_r11_to(t, reg, size);
}

/* The address is computed with rsp already moved (SDM vol. 2, POP). */
static void pop_mem(Trans *t, const X86Insn *i, unsigned size)
{
    OpBuf op;

    trans_pop_to_r11(t, size);
    emit_store(&t->hot, H_R11, TCG_OFF(save[0]));
    trans_ea(t, i, ACC_WRITE, size, i->base == R_ESP ? (int)size : 0);
    op_init(&op);
    emit_load(&op.e, H_R11, TCG_OFF(save[0]));
    r11_memory(&op.e, size, true);
    trans_access(t, ACC_WRITE | ACC_NO_READ | ACC_NO_EXIT, size, &op);
    trans_move_sp(t, (int)size);
}

static void trans_leave(Trans *t, unsigned size)
{
    Emit *e = &t->hot;
    OpBuf op;

    trans_flags_save(t);
    emit_mov(e, H_R10, H_RBP);
    if (!t->code64) {
        if (t->ss32) {
            emit_rr(e, 4, OP_LOAD, H_R10, H_RBP);
        } else {
            emit_rr(e, 4, 0x0fb7, H_R10, H_RBP);
        }
        trans_segment(t, R_SS, ACC_READ, size);
    }
    op_init(&op);
    r11_memory(&op.e, size, false);
    trans_access(t, ACC_READ | ACC_STACK, size, &op);
    emit_lea(e, t->code64 ? 8 : t->ss32 ? 4 : 2, H_RSP, H_RBP, (int)size);
    move_r11_to(t, R_EBP, size);
}

/* The image of RFLAGS to push, with RF and VM clear, in save[0]. */
static void build_rflags(Trans *t)
{
    static const uint8_t merge[] = {
        0x45, 0x89, 0xda,                         /* mov r10d, r11d */
        0x41, 0xc1, 0xea, 0x08,                   /* shr r10d, 8: SF ZF AF PF CF */
        0x41, 0x83, 0xe3, 0x01,                   /* and r11d, 1 */
        0x41, 0xc1, 0xe3, 0x0b,                   /* shl r11d, 11: OF */
        0x45, 0x09, 0xd3,                         /* or r11d, r10d */
        0x41, 0x81, 0xe3, 0xd5, 0x08, 0x00, 0x00, /* and r11d, CC_MASK */
    };
    Emit *e = &t->hot;

    trans_flags_save(t);
    emit_gs(e, 4, 0x0fb7, H_R11, TCG_OFF(flags_image));
    emit_bytes(e, merge, sizeof(merge));
    emit_load(e, H_R10, ENV_OFF(rflags));
    e8(e, 0x49); /* and r10, imm32 */
    e8(e, 0x81);
    e8(e, 0xe2);
    e32(e, ~(CC_MASK | RF_MASK | VM_MASK));
    emit_rr(e, 8, 0x0b, H_R11, H_R10); /* or r11, r10 */
    emit_store(e, H_R11, TCG_OFF(save[0]));
}

static bool trans_pushf(Trans *t, unsigned size)
{
    if (t->src->flags & HF_VM && !t->code64) {
        return false; /* IOPL and VME have a say */
    }
    build_rflags(t);
    push_saved(t, size);
    return true;
}

bool trans_stack(Trans *t)
{
    const X86Insn *i = trans_insn(t);
    unsigned size = i->stack_size;

    if (i->stack == X86_STACK_NONE || i->encoding != X86_ENC_LEGACY || i->map != X86_MAP_1B) {
        return false;
    }
    switch (i->opcode) {
    case 0x50 ... 0x57:
        push_reg(t, i->rm, size);
        break;
    case 0x58 ... 0x5f:
        pop_reg(t, i->rm, size);
        break;
    case 0x68:
    case 0x6a:
        push_imm(t, i, size);
        break;
    case 0x8f:
        if (i->mem == X86_MEM_NONE) {
            pop_reg(t, i->rm, size);
        } else {
            pop_mem(t, i, size);
        }
        break;
    case 0xff:
        if (i->mem == X86_MEM_NONE) {
            push_reg(t, i->rm, size);
        } else {
            push_mem(t, i, size);
        }
        break;
    case 0x9c:
        return trans_pushf(t, size);
    case 0xc9:
        trans_leave(t, size);
        break;
    default:
        return false;
    }
    return true;
}
