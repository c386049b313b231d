/* SPDX-License-Identifier: MIT
 *
 * System instructions that need no C, or only at times: cli, sti, popf, swapgs, stac, clac, rdtsc.
 */
#include "accel/tcg/translate.h"

#define FAST_POPF (CC_MASK | DF_MASK | IF_MASK)

static bool io_privileged(const Trans *t)
{
    unsigned iopl = (t->src->flags & HF_IOPL_MASK) >> HF_IOPL_SHIFT;

    if (!t->code64 && (t->src->flags & (HF_PE | HF_VM)) != HF_PE) {
        return !(t->src->flags & HF_VM) || iopl == 3;
    }
    return (t->src->flags & HF_CPL_MASK) <= iopl;
}

static bool is_kernel_64(const Trans *t)
{
    return t->code64 && !(t->src->flags & HF_CPL_MASK);
}

/* and, or with what is in rflags */
static void rflags_and(Emit *e, uint32_t mask)
{
    emit_gs(e, 8, 0x81, 4, ENV_OFF(rflags));
    e32(e, mask);
}

static void rflags_or(Emit *e, uint32_t mask)
{
    emit_gs(e, 8, 0x81, 1, ENV_OFF(rflags));
    e32(e, mask);
}

/* ---- cli, sti, popf ------------------------------------------------------------------------ */

/* A request that waited for IF: to be met after the next instruction (SDM vol. 3, 6.8.3). */
static void emit_poll_if_pending(Emit *e)
{
    int32_t request = (int32_t)offsetof(CPUState, interrupt_request) -
                      (int32_t)offsetof(X86CPU, env);

    emit_gs(e, 4, 0x83, 7, request); /* cmp dword gs:[interrupt_request], 0 */
    e8(e, 0);
    e8(e, 0x74); /* je over the next */
    e8(e, 12);
    emit_gs(e, 4, 0xc7, 0, TCG_OFF(poll));
    e32(e, 1);
}

static bool trans_sti(Trans *t)
{
    if (!io_privileged(t) || t->at + 1 >= t->count) {
        return false;
    }
    trans_flags_save(t);
    rflags_or(&t->hot, IF_MASK);
    emit_poll_if_pending(&t->hot);
    t->no_poll_at = t->at + 2;
    t->poll_due = true;
    return true;
}

static bool trans_cli(Trans *t)
{
    if (!io_privileged(t)) {
        return false;
    }
    trans_flags_save(t);
    rflags_and(&t->hot, ~IF_MASK);
    return true;
}

/* r11: the image; r10 is lost. */
static void popf_set(Trans *t, uint32_t mask)
{
    static const uint8_t image[] = {
        0x45, 0x89, 0xda,                         /* mov r10d, r11d */
        0x41, 0x81, 0xe2, 0xd5, 0x00, 0x00, 0x00, /* and r10d, SF ZF AF PF CF */
        0x41, 0xc1, 0xe2, 0x08,                   /* shl r10d, 8 */
        0x41, 0xc1, 0xeb, 0x0b,                   /* shr r11d, 11: OF */
        0x41, 0x83, 0xe3, 0x01,                   /* and r11d, 1 */
        0x47, 0x8d, 0x94, 0x1a, 0x00, 0x02, 0x00, 0x00, /* lea r10d, [r10 + r11 + 0x200] */
    };
    Emit *e = &t->hot;

    rflags_and(e, ~(mask & ~CC_MASK));
    emit_mov(e, H_R10, H_R11);
    e8(e, 0x41); /* and r10d, imm32 */
    e8(e, 0x81);
    e8(e, 0xe2);
    e32(e, mask & ~CC_MASK);
    emit_gs(e, 8, 0x09, H_R10, ENV_OFF(rflags)); /* or gs:[rflags], r10 */
    emit_bytes(e, image, sizeof(image));
    emit_gs(e, 2, OP_STORE, H_R10, TCG_OFF(flags_image));
    t->flags = FLAGS_IMAGE;
}

/* In 64-bit code, where nothing but arithmetic flags, DF and IF changes; else in C. */
static bool trans_popf(Trans *t, const X86Insn *i)
{
    uint32_t mask = io_privileged(t) ? FAST_POPF : FAST_POPF & ~IF_MASK;
    Emit *e = &t->hot;
    uint8_t *others;

    if (!t->code64 || i->stack_size != 8 || t->at + 1 >= t->count) {
        return false;
    }
    trans_pop_to_r11(t, 8);
    emit_mov(e, H_R10, H_R11);
    emit_gs(e, 8, 0x33, H_R10, ENV_OFF(rflags)); /* xor r10, gs:[rflags] */
    e8(e, 0x41);                                 /* test r10d, imm32 */
    e8(e, 0xf7);
    e8(e, 0xc2);
    e32(e, ~mask & 0x3fffff & ~0x802au);
    others = emit_jcc_fwd(e, CC_JNE);
    trans_move_sp(t, 8);
    popf_set(t, mask);
    if (mask & IF_MASK) {
        emit_poll_if_pending(e);
        t->poll_due = true;
    }
    trans_c_insn_at(t, others);
    return true;
}

/* ---- swapgs, stac, clac ---------------------------------------------------------------------- */

static void trans_swapgs(Trans *t)
{
    int32_t base = ENV_OFF(segs) +
                   (int32_t)(sizeof(SegmentCache) * R_GS + offsetof(SegmentCache, base));
    Emit *e = &t->hot;

    emit_load(e, H_R10, base);
    emit_load(e, H_R11, ENV_OFF(kernelgsbase));
    emit_store(e, H_R11, base);
    emit_store(e, H_R10, ENV_OFF(kernelgsbase));
}

/* What follows in the block has the other rights. */
static void trans_stac(Trans *t, bool set)
{
    trans_flags_save(t);
    if (set) {
        rflags_or(&t->hot, AC_MASK);
    } else {
        rflags_and(&t->hot, ~AC_MASK);
    }
    if (t->src->flags & TBF_SMAP) {
        t->set = set ? TCG_SET_KERNEL_AC : TCG_SET_KERNEL;
    }
}

/* ---- rdtsc ------------------------------------------------------------------------------------- */

/* Within a while of the last time that C did it, it is the host's and two offsets: tsc.c. */
static void trans_rdtsc(Trans *t, bool with_aux)
{
    static const uint8_t read[] = {
        0x0f, 0x31,             /* rdtsc */
        0x48, 0xc1, 0xe2, 0x20, /* shl rdx, 32 */
        0x48, 0x09, 0xd0,       /* or rax, rdx */
    };
    static const uint8_t split[] = {
        0x48, 0x89, 0xc2,       /* mov rdx, rax */
        0x48, 0xc1, 0xea, 0x20, /* shr rdx, 32 */
        0x89, 0xc0,             /* mov eax, eax */
    };
    Emit *e = &t->hot;
    uint8_t *late;

    trans_flags_save(t);
    emit_mov(e, H_R10, H_RAX);
    emit_mov(e, H_R11, H_RDX);
    emit_bytes(e, read, sizeof(read));
    emit_gs(e, 8, OP_CMP, H_RAX, TCG_OFF(tsc_until));
    late = emit_jcc_fwd(e, CC_JAE);
    emit_gs(e, 8, OP_ADD, H_RAX, TCG_OFF(tsc_base));
    emit_gs(e, 8, OP_ADD, H_RAX, ENV_OFF(tsc_offset));
    emit_bytes(e, split, sizeof(split));
    if (with_aux) {
        emit_gs(e, 4, OP_LOAD, H_RCX, ENV_OFF(tsc_aux));
    }
    emit_fix(late, t->cold.p);
    emit_mov(&t->cold, H_RAX, H_R10);
    emit_mov(&t->cold, H_RDX, H_R11);
    trans_c_insn_here(t);
}

/* ---- which ------------------------------------------------------------------------------------- */

static bool sys_0f01(Trans *t, const X86Insn *i)
{
    if (i->mod != 3 || !is_kernel_64(t)) {
        return false;
    }
    switch (i->modrm) {
    case 0xca:
    case 0xcb:
        trans_stac(t, i->modrm & 1);
        return true;
    case 0xf8:
        trans_swapgs(t);
        return true;
    default:
        return false;
    }
}

static bool sys_0f(Trans *t, const X86Insn *i)
{
    bool rdtscp = i->opcode == 0x01 && i->mod == 3 && i->modrm == 0xf9;

    if (i->opcode == 0x31 || rdtscp) {
        if (t->src->flags & HF_TSD) {
            return false;
        }
        trans_rdtsc(t, rdtscp);
        return true;
    }
    return i->opcode == 0x01 && sys_0f01(t, i);
}

bool trans_sys(Trans *t)
{
    const X86Insn *i = trans_insn(t);

    if (i->encoding != X86_ENC_LEGACY) {
        return false;
    }
    if (i->map == X86_MAP_0F) {
        return sys_0f(t, i);
    }
    if (i->map != X86_MAP_1B) {
        return false;
    }
    switch (i->opcode) {
    case 0x9d:
        return trans_popf(t, i);
    case 0xfa:
        return trans_cli(t);
    case 0xfb:
        return trans_sti(t);
    default:
        return false;
    }
}
