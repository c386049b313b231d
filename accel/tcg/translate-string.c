/* SPDX-License-Identifier: MIT
 *
 * movs, stos and lods without a repeat prefix, forwards: a load, a store and a
 * step of each index (SDM vol. 2, MOVS).  Backwards, and all others, in C.
 */
#include "accel/tcg/translate.h"

/* mov [r10], reg or mov reg, [r10]; reg is r11 or rax */
static void move_r10(OpBuf *op, unsigned reg, unsigned size, bool store)
{
    Emit *e = &op->e;

    if (size == 2 && (store || reg == H_RAX)) {
        e8(e, 0x66);
    }
    e8(e, 0x41 | (size == 8 ? 8 : 0) | (reg & 8 ? 4 : 0));
    if (!store && size < 4 && reg == H_R11) { /* movzx */
        e8(e, 0x0f);
        e8(e, size == 1 ? 0xb6 : 0xb7);
    } else {
        e8(e, (store ? 0x88 : 0x8a) | (size > 1));
    }
    e8(e, 2 | (reg & 7) << 3);
}

/* r10 = the register as an address */
static void index_address(Trans *t, const X86Insn *i, unsigned reg)
{
    Emit *e = &t->hot;

    if (i->addrsize == 8) {
        emit_mov(e, H_R10, reg);
    } else {
        emit_rr(e, 4, i->addrsize == 4 ? OP_LOAD : 0x0fb7, H_R10, reg);
    }
}

static void load(Trans *t, const X86Insn *i, unsigned reg, unsigned size)
{
    OpBuf op;

    index_address(t, i, H_RSI);
    trans_segment(t, i->seg_override >= 0 ? i->seg_override : R_DS, ACC_READ, size);
    op_init(&op);
    move_r10(&op, reg, size, false);
    trans_access(t, ACC_READ, size, &op);
}

static void store(Trans *t, const X86Insn *i, unsigned size, bool movs)
{
    OpBuf op;

    index_address(t, i, H_RDI);
    trans_segment(t, R_ES, ACC_WRITE, size);
    op_init(&op);
    if (movs) {
        emit_load(&op.e, H_R11, TCG_OFF(save[0]));
    }
    move_r10(&op, movs ? H_R11 : H_RAX, size, true);
    trans_access(t, ACC_WRITE | ACC_NO_READ | ACC_NO_EXIT, size, &op);
}

bool trans_string(Trans *t)
{
    const X86Insn *i = trans_insn(t);
    unsigned kind = i->opcode & 0xfe, size = i->opcode & 1 ? i->opsize : 1;
    uint8_t *forwards, *done;

    if (i->rep || i->repne || i->map != X86_MAP_1B || i->encoding != X86_ENC_LEGACY ||
        (kind != 0xa4 && kind != 0xaa && kind != 0xac)) {
        return false;
    }
    trans_flags_save(t);
    emit_gs(&t->hot, 4, 0xf7, 0, ENV_OFF(rflags)); /* test dword gs:[rflags], DF */
    e32(&t->hot, DF_MASK);
    forwards = emit_jcc_fwd(&t->hot, CC_JE);
    trans_c_insn(t);
    done = emit_jmp_fwd(&t->hot);
    emit_fix(forwards, t->hot.p);
    if (kind == 0xa4) {
        load(t, i, H_R11, size);
        emit_store(&t->hot, H_R11, TCG_OFF(save[0]));
    } else if (kind == 0xac) {
        load(t, i, H_RAX, size);
    }
    if (kind != 0xac) {
        store(t, i, size, kind == 0xa4);
        emit_lea(&t->hot, i->addrsize, H_RDI, H_RDI, (int)size);
    }
    if (kind != 0xaa) {
        emit_lea(&t->hot, i->addrsize, H_RSI, H_RSI, (int)size);
    }
    emit_fix(done, t->hot.p);
    return true;
}
