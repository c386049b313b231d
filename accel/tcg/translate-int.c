/* SPDX-License-Identifier: MIT
 *
 * Instructions that run as themselves: copied as they are where nothing has
 * to change, else with the memory operand's fields replaced by [r10], and
 * with guest r10 and r11 brought into what scratch registers are left.
 */
#include "accel/tcg/translate.h"

#define SCRATCH_MASK (1u << H_R10 | 1u << H_R11)

/* What the operand fields become. */
typedef struct Patch {
    bool mem;          /* the memory operand is [base] */
    unsigned base;     /* host register */
    int reg, vvvv;     /* instead of the instruction's, or -1 */
} Patch;

static unsigned patched_reg(const X86Insn *i, const Patch *p)
{
    return p->reg >= 0 ? (unsigned)p->reg : i->reg;
}

static void put_modrm(Emit *e, const X86Insn *i, const Patch *p)
{
    unsigned reg = patched_reg(i, p);

    e8(e, (reg & 7) << 3 | (p->base & 7));
}

static void put_imm(Emit *e, const X86Insn *i)
{
    if (i->imm_off) {
        emit_bytes(e, i->bytes + i->imm_off, i->length - i->imm_off);
    }
}

static void put_opcode_map(Emit *e, const X86Insn *i)
{
    if (i->map != X86_MAP_1B) {
        e8(e, 0x0f);
    }
    if (i->map == X86_MAP_0F38) {
        e8(e, 0x38);
    } else if (i->map == X86_MAP_0F3A) {
        e8(e, 0x3a);
    }
}

/* The operand-size prefix as 64-bit code wants it. */
static bool opsize_prefix(const Trans *t, const X86Insn *i)
{
    if (t->code16 && i->opsize_free) {
        return i->opsize == 2;
    }
    return i->opsize_prefix;
}

static void put_legacy(Trans *t, Emit *e, const X86Insn *i, const Patch *p)
{
    unsigned reg = patched_reg(i, p), rex = i->rex;

    if (i->lock) {
        e8(e, 0xf0);
    }
    if (opsize_prefix(t, i)) {
        e8(e, 0x66);
    }
    if (i->rep || i->repne) {
        e8(e, i->rep ? 0xf3 : 0xf2);
    }
    if (p->mem) {
        rex = (rex & 0x48) | (reg & 8 ? 4 : 0) | (p->base & 8 ? 1 : 0);
        rex |= rex || i->rex ? 0x40 : 0;
    }
    if (rex) {
        e8(e, rex);
    }
    put_opcode_map(e, i);
    e8(e, i->opcode == 0x82 && i->map == X86_MAP_1B ? 0x80 : i->opcode);
    if (p->mem) {
        put_modrm(e, i, p);
        put_imm(e, i);
    } else {
        unsigned rest = i->opcode_off + (i->map == X86_MAP_1B ? 1u : i->map == X86_MAP_0F ? 2u : 3u);

        emit_bytes(e, i->bytes + rest, i->length - rest);
    }
}

static void put_vex(Emit *e, const X86Insn *i, const Patch *p)
{
    const uint8_t *last = i->bytes + i->opcode_off - 1; /* W vvvv L pp, or R vvvv L pp */
    unsigned reg = patched_reg(i, p), third = *last;
    bool two_byte = i->bytes[i->opcode_off - 2] == 0xc5 && i->map == X86_MAP_0F;

    if (two_byte) {
        third &= 0x7f;
    }
    if (p->vvvv >= 0) {
        third = (third & 0x87) | (~(unsigned)p->vvvv & 15) << 3;
    }
    e8(e, 0xc4);
    e8(e, (reg & 8 ? 0 : 0x80) | 0x40 | (p->base & 8 ? 0 : 0x20) | i->map);
    e8(e, third);
    e8(e, i->opcode);
    put_modrm(e, i, p);
    put_imm(e, i);
}

static void put_evex(Emit *e, const X86Insn *i, const Patch *p)
{
    const uint8_t *raw = i->bytes + i->opcode_off - 4;
    unsigned reg = patched_reg(i, p), first = raw[1];

    if (p->reg >= 0) {
        first = (first & ~0x80u) | (reg & 8 ? 0 : 0x80);
    }
    first = (first & ~0x60u) | 0x40 | (p->base & 8 ? 0 : 0x20);
    e8(e, 0x62);
    e8(e, first);
    e8(e, raw[2]);
    e8(e, raw[3]);
    e8(e, i->opcode);
    put_modrm(e, i, p);
    put_imm(e, i);
}

static void put_insn(Trans *t, Emit *e, const X86Insn *i, const Patch *p)
{
    if (i->encoding == X86_ENC_LEGACY) {
        put_legacy(t, e, i, p);
    } else if (!p->mem) {
        emit_bytes(e, i->bytes, i->length);
    } else if (i->encoding == X86_ENC_VEX) {
        put_vex(e, i, p);
    } else {
        put_evex(e, i, p);
    }
}

/* ah, ch, dh, bh: no REX may be there */
static bool has_high_byte(const X86Insn *i)
{
    return i->encoding == X86_ENC_LEGACY && !i->rex && i->reg_kind == X86_OPD_GPR &&
           i->reg_size == 1 && i->reg >= 4;
}

static bool is_scratch(unsigned reg)
{
    return reg == H_R10 || reg == H_R11;
}

/* A register that the instruction does not know, and that needs no REX. */
static unsigned pick_free(const X86Insn *i)
{
    static const uint8_t candidates[] = {H_RAX, H_RCX, H_RDX, H_RBX, H_RSI, H_RDI};
    uint32_t used = i->gpr_read | i->gpr_written;

    for (unsigned n = 0; n < sizeof(candidates); n++) {
        if (!(used >> candidates[n] & 1)) {
            return candidates[n];
        }
    }
    return H_RBP; /* cmpxchg8b and kin use four at most; not reached */
}

static void load_flags_r11(Emit *e)
{
    emit_mov(e, H_R11, H_RAX);
    emit_gs(e, 4, 0x0fb7, H_RAX, TCG_OFF(flags_image));
    e8(e, 0x04);
    e8(e, 127);
    e8(e, 0x9e);
    emit_mov(e, H_RAX, H_R11);
}

/* The instruction with its operand at [r10], in op. */
static void op_with_memory(Trans *t, const X86Insn *i, OpBuf *op)
{
    bool reg = i->reg_kind == X86_OPD_GPR && is_scratch(i->reg);
    bool vvvv = i->vvvv_kind == X86_OPD_GPR && is_scratch(i->vvvv);
    Patch p = {.mem = true, .base = H_R10, .reg = -1, .vvvv = -1};
    bool borrow = has_high_byte(i) || (reg && vvvv && i->reg != i->vvvv);
    Emit *e = &op->e;

    if (trans_wants_flags(i)) {
        load_flags_r11(e);
    }
    if (borrow) {
        p.base = pick_free(i);
        emit_store(e, p.base, REG_OFF(p.base));
        emit_mov(e, p.base, H_R10);
    } else {
        p.reg = reg ? H_R11 : -1;
        p.vvvv = vvvv ? H_R11 : -1;
    }
    if (reg && (i->reg_acc & X86_ACC_R || i->reg_size < 8)) {
        emit_load(e, borrow ? i->reg : H_R11, REG_OFF(i->reg));
    }
    if (vvvv) {
        emit_load(e, borrow ? i->vvvv : H_R11, REG_OFF(i->vvvv));
    }
    put_insn(t, e, i, &p);
    if (reg && i->reg_acc & X86_ACC_W) {
        emit_store(e, borrow ? i->reg : H_R11, REG_OFF(i->reg));
    }
    if (vvvv && i->vvvv_acc & X86_ACC_W) {
        emit_store(e, borrow ? i->vvvv : H_R11, REG_OFF(i->vvvv));
    }
    if (borrow) {
        emit_load(e, p.base, REG_OFF(p.base));
    }
}

static unsigned access_kind(const X86Insn *i)
{
    unsigned kind = i->mem == X86_MEM_READ    ? ACC_READ
                    : i->mem == X86_MEM_WRITE ? ACC_WRITE | ACC_NO_READ
                                              : ACC_READ | ACC_WRITE;
    /* xchg with memory is locked without the prefix (SDM vol. 2, XCHG) */
    bool xchg = i->encoding == X86_ENC_LEGACY && i->map == X86_MAP_1B &&
                (i->opcode == 0x86 || i->opcode == 0x87);

    if (i->lock || xchg) {
        kind |= ACC_LOCK;
    }
    if (i->class_ == X86_CLASS_X87) {
        kind &= ~ACC_NO_READ; /* an unmasked exception keeps it from storing */
    }
    if (i->evex_aaa || (i->encoding == X86_ENC_VEX && i->elem_size)) {
        kind |= ACC_MASKED;
    }
    if (i->seg == R_SS) {
        kind |= ACC_STACK;
    }
    return kind;
}

static void mark_flags(Trans *t)
{
    t->map[t->at].flags_host = !(t->flags & FLAGS_IMAGE);
}

static void plain_memory(Trans *t, const X86Insn *i)
{
    unsigned kind = access_kind(i), size = i->mem_size;
    OpBuf op;

    trans_ea(t, i, kind, size, 0);
    mark_flags(t);
    op_init(&op);
    op_with_memory(t, i, &op);
    trans_access(t, kind, size, &op);
    trans_flags_written(t, i);
}

static void plain_register(Trans *t, const X86Insn *i)
{
    uint32_t scratch = (i->gpr_read | i->gpr_written) & SCRATCH_MASK;
    const Patch none = {.reg = -1, .vvvv = -1};

    if (!t->code64) {
        scratch = 0;
    }
    if (trans_wants_flags(i)) {
        trans_flags_host(t);
    }
    mark_flags(t);
    for (unsigned reg = H_R10; reg <= H_R11; reg++) {
        if (scratch >> reg & 1) {
            emit_load(&t->hot, reg, REG_OFF(reg));
        }
    }
    put_insn(t, &t->hot, i, &none);
    for (unsigned reg = H_R10; reg <= H_R11; reg++) {
        if (scratch & i->gpr_written & 1u << reg) {
            emit_store(&t->hot, reg, REG_OFF(reg));
        }
    }
    trans_flags_written(t, i);
}

void trans_plain(Trans *t)
{
    const X86Insn *i = trans_insn(t);

    if (i->mem == X86_MEM_NONE) {
        plain_register(t, i);
    } else {
        plain_memory(t, i);
    }
}

/* ---- the special cases ------------------------------------------------------------------- */

/* bt [mem], reg: the bit offset is signed and reaches beyond the operand (SDM vol. 2, BT). */
static void trans_bt(Trans *t, const X86Insn *i)
{
    unsigned kind = access_kind(i), bits = i->opsize * 8u;
    Emit *e = &t->hot;
    X86Insn copy = *i;
    OpBuf op;

    trans_flags_save(t);
    if (is_scratch(i->reg)) {
        emit_load(e, H_R11, REG_OFF(i->reg));
    } else {
        emit_mov(e, H_R11, i->reg);
    }
    emit_store(e, H_R11, TCG_OFF(save[1]));
    copy.seg = R_DS; /* the base is added after the bit offset */
    trans_flags_save(t);
    {
        bool flat = t->flat;

        t->flat = true;
        trans_ea(t, &copy, kind, i->opsize, 0);
        t->flat = flat;
    }
    if (bits == 64) {
        emit_load(e, H_R11, TCG_OFF(save[1]));
    } else if (bits == 32) {
        emit_gs(e, 8, 0x63, H_R11, TCG_OFF(save[1])); /* movsxd */
    } else {
        emit_gs(e, 8, 0x0fbf, H_R11, TCG_OFF(save[1])); /* movsx r64, word */
    }
    e8(e, 0x49); /* sar r11, log2(bits) */
    e8(e, 0xc1);
    e8(e, 0xfb);
    e8(e, bits == 64 ? 6 : bits == 32 ? 5 : 4);
    e8(e, i->addrsize == 8 ? 0x4f : 0x47); /* lea r10, [r10 + r11 * opsize] */
    e8(e, 0x8d);
    e8(e, 0x14);
    e8(e, (bits == 64 ? 0xc0 : bits == 32 ? 0x80 : 0x40) | 3 << 3 | 2);
    if (i->addrsize == 2) {
        e8(e, 0x45); /* movzx r10d, r10w */
        e8(e, 0x0f);
        e8(e, 0xb7);
        e8(e, 0xd2);
    }
    trans_segment(t, i->seg, kind, i->opsize);
    emit_gs(e, 8, 0x81, 4, TCG_OFF(save[1])); /* and qword, bits - 1 */
    e32(e, bits - 1);
    mark_flags(t);
    op_init(&op);
    load_flags_r11(&op.e);
    emit_load(&op.e, H_R11, TCG_OFF(save[1]));
    put_insn(t, &op.e, i, &(Patch){.mem = true, .base = H_R10, .reg = H_R11, .vvvv = -1});
    trans_access(t, kind, i->opsize, &op);
    t->flags = FLAGS_HOST;
}

/* mov al, [moffs] and kin: the same with a ModRM byte */
static void trans_moffs(Trans *t, const X86Insn *i)
{
    unsigned kind = access_kind(i);
    Emit *e;
    OpBuf op;

    trans_ea(t, i, kind, i->opsize, 0);
    mark_flags(t);
    op_init(&op);
    e = &op.e;
    if (i->opsize == 2) {
        e8(e, 0x66);
    }
    e8(e, i->opsize == 8 ? 0x49 : 0x41);
    e8(e, (i->opcode ^ 2) + (0x88 - 0xa0)); /* a0, a1 load: 8a, 8b; a2, a3 store: 88, 89 */
    e8(e, 0x02);
    trans_access(t, kind, i->opsize, &op);
}

static void store_reg_if_scratch(Trans *t, unsigned reg)
{
    if (t->code64 && is_scratch(reg)) {
        emit_store(&t->hot, reg, REG_OFF(reg));
    }
}

static void trans_lea(Trans *t, const X86Insn *i)
{
    Emit *e = &t->hot;
    X86Insn copy = *i;
    unsigned r = i->reg;

    /* By way of r10, but through no segment. */
    copy.seg = R_DS;
    if (t->code64 && !i->rip_relative && i->addrsize == 8 && (i->base >= 0 || i->index >= 0)) {
        plain_register(t, i);
        return;
    }
    {
        bool flat = t->flat;
        uint8_t flags = t->flags;

        t->flat = true;
        t->flags |= FLAGS_IMAGE; /* lea loses no flags: nothing to save */
        trans_ea(t, &copy, 0, 0, 0);
        t->flags = flags;
        t->flat = flat;
    }
    if (i->opsize == 2) {
        if (is_scratch(r)) {
            emit_gs(e, 2, OP_STORE, H_R10, REG_OFF(r));
        } else {
            e8(e, 0x66);
            emit_rr(e, 4, OP_LOAD, r, H_R10);
        }
        return;
    }
    if (r != H_R10) {
        emit_rr(e, i->opsize, OP_LOAD, r, H_R10);
    } else if (i->opsize == 4) {
        emit_rr(e, 4, OP_LOAD, H_R10, H_R10);
    }
    store_reg_if_scratch(t, r);
}

/* mov r/m, sreg */
static void trans_mov_from_seg(Trans *t, const X86Insn *i)
{
    int32_t off = ENV_OFF(segs) + (int32_t)(sizeof(SegmentCache) * i->reg +
                                            offsetof(SegmentCache, selector));
    OpBuf op;

    if (i->mem != X86_MEM_NONE) {
        trans_ea(t, i, ACC_WRITE, 2, 0);
        op_init(&op);
        emit_gs(&op.e, 4, 0x0fb7, H_R11, off); /* movzx r11d, word */
        e8(&op.e, 0x66);                       /* mov [r10], r11w */
        e8(&op.e, 0x45);
        e8(&op.e, 0x89);
        e8(&op.e, 0x1a);
        trans_access(t, ACC_WRITE | ACC_NO_READ, 2, &op);
        return;
    }
    emit_gs(&t->hot, 4, 0x0fb7, H_R11, off);
    if (i->opsize == 2) {
        if (is_scratch(i->rm)) {
            emit_gs(&t->hot, 2, OP_STORE, H_R11, REG_OFF(i->rm));
        } else {
            e8(&t->hot, 0x66);
            emit_rr(&t->hot, 4, OP_LOAD, i->rm, H_R11);
        }
        return;
    }
    if (i->rm != H_R11) {
        emit_rr(&t->hot, 4, OP_LOAD, i->rm, H_R11);
    }
    store_reg_if_scratch(t, i->rm);
}

/* inc and dec of 40 to 4f are REX in 64-bit code */
static void trans_short_inc(Trans *t, const X86Insn *i)
{
    trans_flags_host(t); /* CF stays */
    mark_flags(t);
    if (i->opsize == 2) {
        e8(&t->hot, 0x66);
    }
    e8(&t->hot, 0xff);
    e8(&t->hot, (i->opcode < 0x48 ? 0xc0 : 0xc8) | (i->opcode & 7));
    t->flags = FLAGS_HOST;
}

/* DF stays clear on the host; string instructions look at env. */
static void trans_direction(Trans *t, bool set)
{
    trans_flags_save(t);
    emit_gs(&t->hot, 8, 0x81, set ? 1 : 4, ENV_OFF(rflags));
    e32(&t->hot, set ? DF_MASK : ~DF_MASK);
}

static bool int_1b(Trans *t, const X86Insn *i)
{
    if (i->opcode >= 0x40 && i->opcode <= 0x4f) {
        trans_short_inc(t, i);
    } else if (i->opcode == 0x8d) {
        trans_lea(t, i);
    } else if (i->opcode == 0x8c) {
        trans_mov_from_seg(t, i);
    } else if (i->opcode >= 0xa0 && i->opcode <= 0xa3) {
        trans_moffs(t, i);
    } else if (i->opcode == 0xfc || i->opcode == 0xfd) {
        trans_direction(t, i->opcode == 0xfd);
    } else {
        return false;
    }
    return true;
}

static bool is_hint(const X86Insn *i)
{
    if (i->encoding != X86_ENC_LEGACY || i->map != X86_MAP_0F) {
        return false;
    }
    return i->opcode == 0x0d || (i->opcode >= 0x18 && i->opcode <= 0x1f);
}

void trans_int(Trans *t)
{
    const X86Insn *i = trans_insn(t);

    if (i->class_ != X86_CLASS_INT) {
        if (!trans_sys(t)) {
            trans_c_insn(t);
        }
        return;
    }
    if (is_hint(i)) {
        return;
    }
    if (i->is_bt_mem && i->mem != X86_MEM_NONE) {
        trans_bt(t, i);
        return;
    }
    if (i->encoding == X86_ENC_LEGACY && i->map == X86_MAP_1B && int_1b(t, i)) {
        return;
    }
    trans_plain(t);
}
