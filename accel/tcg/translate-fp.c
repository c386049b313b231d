/* SPDX-License-Identifier: MIT
 *
 * x87, MMX, SSE and AVX: run as themselves, once it is known that they may
 * (SDM vol. 3, 2.5 and 13.1; vol. 2, 2.4 and 2.7) and that the registers are loaded.
 */
#include "accel/tcg/translate.h"

/* The exception that the instruction raises in this mode, or -1. */
static int fp_exception(uint64_t f, const X86Insn *i)
{
    switch (i->class_) {
    case X86_CLASS_X87:
        if (i->opcode == 0x9b) { /* fwait */
            return (f & (HF_MP | HF_TS)) == (HF_MP | HF_TS) ? EXCP_NM : -1;
        }
        return f & (HF_EM | HF_TS) ? EXCP_NM : -1;
    case X86_CLASS_MMX:
        return f & HF_EM ? EXCP_UD : f & HF_TS ? EXCP_NM : -1;
    case X86_CLASS_SSE:
        return f & HF_EM || !(f & HF_OSFXSR) ? EXCP_UD : f & HF_TS ? EXCP_NM : -1;
    default:
        if (!(f & HF_OSXSAVE) || !(f & HF_AVX) ||
            (!(f & HF_AVX512) && (i->encoding == X86_ENC_EVEX || i->reg_kind == X86_OPD_MASK ||
                                  i->rm_kind == X86_OPD_MASK))) {
            return EXCP_UD;
        }
        return f & HF_TS ? EXCP_NM : -1;
    }
}

/* The vector registers are loaded when first wanted; C code takes them away again. */
static void want_registers(Trans *t)
{
    Emit *e = &t->hot;
    uint8_t *live;

    if (t->fp_ready) {
        return;
    }
    trans_flags_save(t);
    emit_gs(e, 4, 0x83, 7, TCG_OFF(fp_live)); /* cmp dword gs:[fp_live], 0 */
    e8(e, 0);
    live = emit_jcc_fwd(e, CC_JNE);
    trans_cold_call(t, THUNK_FP, (ColdDesc){0});
    emit_fix(live, t->hot.p);
    t->fp_ready = true;
}

/* fnstenv and fnsave would show the host's instruction pointer. */
static bool stores_environment(const X86Insn *i)
{
    return i->class_ == X86_CLASS_X87 && i->mem != X86_MEM_NONE && (i->reg & 7) == 6 &&
           (i->opcode == 0xd9 || i->opcode == 0xdd);
}

static bool is_maskmov(const X86Insn *i)
{
    return i->implicit_mem && i->opcode == 0xf7;
}

/*
 * vzeroupper and vzeroall leave xmm8 and up alone outside 64-bit code (SDM vol. 2):
 * writing an XMM register clears what lies above it, one by one.
 */
static bool trans_vzero(Trans *t, const X86Insn *i)
{
    if (t->code64 || i->encoding != X86_ENC_VEX || i->map != X86_MAP_0F || i->opcode != 0x77) {
        return false;
    }
    for (unsigned n = 0; n < 8; n++) {
        e8(&t->hot, 0xc5);
        e8(&t->hot, i->vl ? 0x81 | (~n & 7) << 3 | 0x40 : 0xf9);
        e8(&t->hot, i->vl ? 0xef : 0x6f); /* vpxor n, n, n; vmovdqa n, n */
        e8(&t->hot, 0xc0 | n << 3 | n);
    }
    return true;
}

/* Those that leave the last instruction's pointer alone (SDM vol. 1, 8.1.8). */
static bool is_x87_control(const X86Insn *i)
{
    unsigned reg = i->reg & 7;

    if (i->mem != X86_MEM_NONE) {
        return (i->opcode == 0xd9 && reg >= 4) || (i->opcode == 0xdd && (reg == 4 || reg >= 6));
    }
    return i->opcode == 0x9b || (i->opcode == 0xdb && reg == 4) || (i->opcode == 0xdf && i->modrm == 0xe0);
}

/* What fnstenv shows as the last instruction: the host's register has ours. */
static void note_x87_pointer(Trans *t, const X86Insn *i)
{
    bool init = i->opcode == 0xdb && i->mem == X86_MEM_NONE && i->modrm == 0xe3;
    uint64_t pc = init ? 0 : t->pc[t->at];

    if (is_x87_control(i) && !init) {
        return;
    }
    if ((uint64_t)(int32_t)pc == pc) {
        emit_store_imm(&t->hot, ENV_OFF(x87_ip), (int32_t)pc);
        return;
    }
    emit_gs(&t->hot, 4, 0xc7, 0, ENV_OFF(x87_ip)); /* mov dword gs:[...], imm32 */
    e32(&t->hot, (uint32_t)pc);
    emit_gs(&t->hot, 4, 0xc7, 0, ENV_OFF(x87_ip) + 4);
    e32(&t->hot, pc >> 32);
}

bool trans_fp(Trans *t)
{
    const X86Insn *i = trans_insn(t);
    int vector = fp_exception(t->src->flags, i);

    if (vector >= 0) {
        trans_raise(t, vector);
        return true;
    }
    if (stores_environment(i) || is_maskmov(i) || i->vsib) {
        trans_c_insn(t);
        return true;
    }
    want_registers(t);
    if (!trans_vzero(t, i)) {
        trans_plain(t);
    }
    if (i->class_ == X86_CLASS_X87) {
        note_x87_pointer(t, i);
    }
    return true;
}
