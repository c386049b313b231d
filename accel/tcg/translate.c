/* SPDX-License-Identifier: MIT
 *
 * From decoded instructions to a block.  Guest registers are the host's of
 * the same name, but for r10 and r11, which are scratch; flags are in EFLAGS
 * until something of ours needs EFLAGS, then also, or only, in flags_image.
 */
#include "accel/tcg/translate.h"
#include "system/log.h"
#include "target/i386/sysinsn.h"

/* ---- flags --------------------------------------------------------------------------- */

void trans_flags_save(Trans *t)
{
    if (!(t->flags & FLAGS_IMAGE)) {
        emit_flags_save(&t->hot);
    }
    t->flags = FLAGS_IMAGE;
}

void trans_flags_host(Trans *t)
{
    if (!(t->flags & FLAGS_HOST)) {
        emit_flags_load(&t->hot);
        t->flags |= FLAGS_HOST;
    }
}

static bool is_shift(const X86Insn *i)
{
    if (i->encoding != X86_ENC_LEGACY) {
        return false;
    }
    if (i->map == X86_MAP_1B) {
        return i->opcode == 0xc0 || i->opcode == 0xc1 || (i->opcode >= 0xd0 && i->opcode <= 0xd3);
    }
    return i->map == X86_MAP_0F && (i->opcode == 0xa4 || i->opcode == 0xa5 || i->opcode == 0xac ||
                                    i->opcode == 0xad);
}

static bool writes_all_flags(const X86Insn *i)
{
    uint32_t mask = i->flags_written | i->flags_undefined;

    /* A count of 0 leaves all flags as they were (SDM vol. 2, SAL/SAR/SHL/SHR, SHLD). */
    return (mask & CC_MASK) == CC_MASK && !is_shift(i);
}

bool trans_wants_flags(const X86Insn *i)
{
    if (i->flags_read & CC_MASK) {
        return true;
    }
    return ((i->flags_written | i->flags_undefined) & CC_MASK) && !writes_all_flags(i);
}

void trans_flags_written(Trans *t, const X86Insn *i)
{
    if ((i->flags_written | i->flags_undefined) & CC_MASK) {
        t->flags = FLAGS_HOST;
    }
}

/* ---- out of line ----------------------------------------------------------------------- */

static ColdDesc *cold_desc(Trans *t, enum TcgThunk thunk, ColdDesc desc)
{
    ColdDesc *at;

    emit_mov_imm(&t->cold, H_R11, 0); /* replaced: lea would be as long */
    t->cold.p -= 6;
    e8(&t->cold, 0x4c); /* lea r11, [rip + 5] */
    e8(&t->cold, 0x8d);
    e8(&t->cold, 0x1d);
    e32(&t->cold, 5);
    emit_jmp(&t->cold, t->s->thunk[thunk]);
    at = (ColdDesc *)(void *)t->cold.p;
    desc.block = t->b->index;
    if (!desc.guest) {
        desc.guest = (uint16_t)(t->pc[t->at] - t->src->pc);
    }
    desc.set = t->set;
    *at = desc;
    t->cold.p += sizeof(ColdDesc);
    return at;
}

static int32_t desc_rel(const ColdDesc *desc, const uint8_t *to)
{
    return (int32_t)(to - (const uint8_t *)desc);
}

/* The flags are saved; r10 goes there and comes back. */
void trans_cold_call(Trans *t, enum TcgThunk thunk, ColdDesc desc)
{
    ColdDesc *at;

    emit_jmp(&t->hot, t->cold.p);
    at = cold_desc(t, thunk, desc);
    at->resume = desc_rel(at, t->hot.p);
}

void trans_raise(Trans *t, int vector)
{
    trans_flags_save(t);
    trans_cold_call(t, THUNK_RAISE, (ColdDesc){.arg = (uint64_t)vector});
    t->ended = true;
}

void trans_c_insn_here(Trans *t)
{
    X86Insn *copy = tcg_arena_alloc(t->s, sizeof(X86Insn));
    ColdDesc *at;

    *copy = *trans_insn(t);
    at = cold_desc(t, THUNK_INSN, (ColdDesc){.arg = (uintptr_t)copy});
    at->resume = desc_rel(at, t->hot.p);
}

void trans_c_insn_at(Trans *t, uint8_t *site)
{
    emit_fix(site, t->cold.p);
    trans_c_insn_here(t);
}

void trans_c_insn(Trans *t)
{
    trans_flags_save(t);
    trans_c_insn_at(t, emit_jmp_fwd(&t->hot));
}

/* ---- addresses --------------------------------------------------------------------------- */

static void load_scratch(Emit *e, int reg)
{
    if (reg == H_R10 || reg == H_R11) {
        emit_load(e, (unsigned)reg, REG_OFF(reg));
    }
}

/* lea r10, [base + index * scale + disp]; the registers are the host's */
static void emit_lea_sib(Emit *e, bool wide, int base, int index, unsigned scale, int32_t disp)
{
    unsigned rex = 0x44 | (wide ? 8 : 0) | (base >= 8 ? 1 : 0) | (index >= 8 ? 2 : 0);
    bool short_disp = disp == (int8_t)disp && base >= 0;
    unsigned mod = base < 0 ? 0 : short_disp ? 1 : 2;

    e8(e, rex);
    e8(e, 0x8d);
    if (index < 0 && base >= 0 && (base & 7) != 4) {
        e8(e, mod << 6 | 2 << 3 | (base & 7));
    } else {
        e8(e, mod << 6 | 2 << 3 | 4);
        e8(e, scale << 6 | (index < 0 ? 4 : index & 7) << 3 | (base < 0 ? 5 : base & 7));
    }
    if (short_disp) {
        e8(e, (uint8_t)disp);
    } else {
        e32(e, (uint32_t)disp);
    }
}

static void emit_zx16(Emit *e)
{
    e8(e, 0x45); /* movzx r10d, r10w */
    e8(e, 0x0f);
    e8(e, 0xb7);
    e8(e, 0xd2);
}

static uint64_t wrap_address(const X86Insn *i, uint64_t address)
{
    return i->addrsize == 8 ? address : i->addrsize == 4 ? (uint32_t)address : (uint16_t)address;
}

/* r10 = effective address, before segmentation */
static void trans_effective(Trans *t, const X86Insn *i, int adjust)
{
    Emit *e = &t->hot;
    int64_t disp = i->disp + adjust;

    if (i->rip_relative) {
        emit_mov_imm(e, H_R10, wrap_address(i, trans_next_pc(t) + (uint64_t)disp));
        return;
    }
    if (i->base < 0 && i->index < 0) {
        emit_mov_imm(e, H_R10, wrap_address(i, (uint64_t)disp));
        return;
    }
    load_scratch(e, i->base);
    load_scratch(e, i->index);
    if (i->index < 0 && !disp && i->addrsize == 8) {
        emit_mov(e, H_R10, (unsigned)i->base);
    } else {
        emit_lea_sib(e, i->addrsize == 8, i->base, i->index, i->scale, (int32_t)disp);
        if (i->addrsize == 2) {
            emit_zx16(e);
        }
    }
}

/* All of x87 and MMX but fnstenv, fnstcw, fnsave, fnstsw (SDM vol. 1, 8.6). */
static bool waits_for_fp(const X86Insn *i)
{
    bool no_wait = i->mem == X86_MEM_WRITE && ((i->opcode == 0xd9 && (i->reg & 7) >= 6) ||
                                               (i->opcode == 0xdd && (i->reg & 7) >= 6));

    return i->class_ == X86_CLASS_MMX || i->reg_kind == X86_OPD_MMX ||
           (i->class_ == X86_CLASS_X87 && !no_wait);
}

void trans_segment(Trans *t, int seg, unsigned kind, unsigned size)
{
    if (t->code64) {
        if (seg == R_FS || seg == R_GS) {
            emit_gs(&t->hot, 8, OP_ADD, H_R10, ENV_OFF(segs) +
                    (int32_t)(sizeof(SegmentCache) * seg + offsetof(SegmentCache, base)));
        }
        return;
    }
    if (t->flat && (seg == R_DS || seg == R_ES || seg == R_SS)) {
        return;
    }
    trans_cold_call(t, THUNK_SEGMENT,
                    (ColdDesc){.seg = (uint8_t)seg,
                               .kind = (uint8_t)kind,
                               .size = (uint16_t)size,
                               .fp_wait = waits_for_fp(trans_insn(t))});
}

void trans_ea(Trans *t, const X86Insn *i, unsigned kind, unsigned size, int adjust)
{
    trans_flags_save(t);
    trans_effective(t, i, adjust);
    trans_segment(t, i->seg, kind, size);
}

void trans_stack_ea(Trans *t, int disp, unsigned kind, unsigned size)
{
    Emit *e = &t->hot;

    trans_flags_save(t);
    if (t->code64 && !disp) {
        emit_mov(e, H_R10, H_RSP);
    } else {
        emit_lea(e, t->code64 ? 8 : 4, H_R10, H_RSP, disp);
    }
    if (!t->code64) {
        if (!t->ss32) {
            emit_zx16(e);
        }
        trans_segment(t, R_SS, kind, size);
    }
}

void trans_move_sp(Trans *t, int delta)
{
    emit_lea(&t->hot, t->code64 ? 8 : t->ss32 ? 4 : 2, H_RSP, H_RSP, delta);
}

/* ---- the inline TLB ------------------------------------------------------------------------ */

static int32_t tag_off(const Trans *t, unsigned kind)
{
    return kind & ACC_WRITE ? TLB_OFF(t->set, neg_write) : TLB_OFF(t->set, neg_read);
}

/* Jumps to cold code unless the page of r10 is there: then r10 is the offset, r11 the slot. */
static uint8_t *emit_check(Trans *t, unsigned kind, unsigned size)
{
    static const uint8_t rorx[] = {0xc4, 0x43, 0xfb, 0xf0, 0xda, 0x07}; /* rorx r11, r10, 7 */
    Emit *e = &t->hot;

    emit_bytes(e, rorx, sizeof(rorx));
    e8(e, 0x41); /* and r11d, imm32 */
    e8(e, 0x81);
    e8(e, 0xe3);
    e32(e, (TLB_SIZE - 1) * sizeof(TlbEntry));
    emit_gs_r11(e, OP_ADD, H_R10, tag_off(t, kind));
    e8(e, 0x49); /* cmp r10, imm32 */
    e8(e, 0x81);
    e8(e, 0xfa);
    e32(e, 0x1000 - size);
    return emit_jcc_fwd(e, CC_JA);
}

static void emit_bounced(Trans *t, unsigned kind, const OpBuf *op, const uint8_t *after)
{
    ColdDesc desc = {.kind = (uint8_t)(kind & ACC_NO_EXIT)}, *at;
    const X86Insn *i = trans_insn(t);

    emit_bytes(&t->cold, op->bytes, op_len(op));
    if ((i->flags_written | i->flags_undefined) & CC_MASK) {
        desc.kind |= ACC_HOST_FLAGS;
    }
    desc.guest = (uint16_t)(trans_next_pc(t) - t->src->pc);
    at = cold_desc(t, THUNK_FLUSH, desc);
    at->resume = desc_rel(at, after);
}

/* Which register or immediate the instruction stores as it is, as STORE_*; 0: none. */
static unsigned plain_store(const X86Insn *i)
{
    bool legacy = i->encoding == X86_ENC_LEGACY && i->map == X86_MAP_1B;

    if (!legacy || i->class_ != X86_CLASS_INT || i->mem != X86_MEM_WRITE) {
        return 0;
    }
    if (i->opcode == 0x88 && !i->rex && i->reg >= 4) {
        return STORE_HIGH + (i->reg - 4u);
    }
    if (i->opcode == 0x88 || i->opcode == 0x89) {
        return STORE_REG + i->reg;
    }
    return i->opcode == 0xc6 || i->opcode == 0xc7 ? STORE_IMM : 0;
}

static void describe_store(const Trans *t, ColdDesc *at)
{
    const X86Insn *i = trans_insn(t);
    int32_t after = desc_rel(at, t->hot.p);

    at->arg = STORE_ARG(i->imm, after, i->length);
    if (STORE_ARG_AFTER(at->arg) == after) { /* with a very large cache it may not fit */
        at->exit = (uint8_t)plain_store(i);
    }
}

void trans_access(Trans *t, unsigned kind, unsigned size, const OpBuf *op)
{
    uint8_t *miss = emit_check(t, kind, size);
    uint8_t *retry = t->hot.p;
    ColdDesc *at;

    if (trans_insn(t)->mem != X86_MEM_NONE && trans_insn(t)->seg == R_SS) {
        kind |= ACC_STACK;
    }
    emit_gs_r11(&t->hot, OP_ADD, H_R10, TLB_OFF(t->set, host));
    emit_bytes(&t->hot, op->bytes, op_len(op));

    emit_fix(miss, t->cold.p);
    emit_gs_r11(&t->cold, OP_SUB, H_R10, tag_off(t, kind));
    at = cold_desc(t, kind & ACC_WRITE ? THUNK_WRITE : THUNK_READ,
                   (ColdDesc){.kind = (uint8_t)kind,
                              .size = (uint16_t)size,
                              .fp_wait = waits_for_fp(trans_insn(t)),
                              .align = trans_insn(t)->align});
    at->resume = desc_rel(at, retry);
    if (kind & ACC_WRITE) {
        if (!(kind & (ACC_LOCK | ACC_MASKED | ACC_NO_EXIT)) && plain_store(trans_insn(t))) {
            describe_store(t, at);
        }
        at->bounce = desc_rel(at, t->cold.p);
        emit_bounced(t, kind, op, t->hot.p);
    }
}

/* ---- exits ----------------------------------------------------------------------------------- */

uint64_t trans_next_pc(const Trans *t)
{
    return t->pc[t->at + 1];
}

static bool is_chainable(const Trans *t, uint64_t target)
{
    uint64_t from = t->src->pc + t->src->cs_base, to = target + t->src->cs_base;

    if (t->src->flags & TBF_ONE || (!t->code64 && target > t->src->cs_limit)) {
        return false;
    }
    return from >> 12 == to >> 12 || (t->src->flags & TBF_LARGE && from >> 21 == to >> 21);
}

/* Leave to the loop with rip = target. */
static void emit_leave(Trans *t, Emit *e, uint64_t target)
{
    emit_mov_imm(e, H_R11, target);
    emit_store(e, H_R11, ENV_OFF(rip));
    emit_jmp(e, t->s->thunk[THUNK_EXIT]);
}

static void emit_jump_cache(Trans *t, Emit *e, int sp_moved)
{
    uint8_t *miss;

    static const uint8_t hash[] = {0x45, 0x31, 0xdb,                    /* xor r11d, r11d */
                                   0xf2, 0x4d, 0x0f, 0x38, 0xf1, 0xda}; /* crc32 r11, r10 */

    emit_bytes(e, hash, sizeof(hash));
    e8(e, 0x41); /* and r11d, imm32 */
    e8(e, 0x81);
    e8(e, 0xe3);
    e32(e, (JC_SIZE - 1) * sizeof(JumpEntry));
    emit_gs_r11(e, OP_CMP, H_R10, JC_OFF(t->set, pc));
    miss = emit_jcc_fwd(e, CC_JNE);
    e8(e, 0x65); /* jmp gs:[r11 + host] */
    e8(e, 0x41);
    e8(e, 0xff);
    e8(e, 0xa3);
    e32(e, (uint32_t)JC_OFF(t->set, host));
    emit_fix(miss, t->cold.p);
    cold_desc(t, THUNK_LOOKUP, (ColdDesc){.arg = (uint64_t)(int64_t)sp_moved});
}

/* The flags are saved. */
static void emit_far_target(Trans *t, Emit *e, uint64_t target)
{
    if (t->src->flags & TBF_ONE) {
        emit_leave(t, e, target);
    } else {
        emit_mov_imm(e, H_R10, target);
        emit_jump_cache(t, e, 0);
    }
}

static void exit_init(Trans *t, unsigned n, uint8_t *site, uint64_t target)
{
    BlockExit *x = &t->b->exits[n];
    bool host = t->flags & FLAGS_HOST;

    x->site = site;
    x->stub = t->cold.p;
    x->pc = target;
    x->image = !host;
    emit_fix(site, t->cold.p);
    cold_desc(t, host ? THUNK_LINK_HOST : THUNK_LINK, (ColdDesc){.exit = (uint8_t)n});
}

/* So that the rel32 `skip` bytes ahead is aligned: it is replaced while others run it. */
static void align_site(Emit *e, unsigned skip)
{
    static const uint8_t nops[4][3] = {{0}, {0x90}, {0x66, 0x90}, {0x0f, 0x1f, 0x00}};
    unsigned pad = (unsigned)(-(uintptr_t)(e->p + skip) & 3);

    emit_bytes(e, nops[pad], pad);
}

void trans_goto(Trans *t, unsigned n, uint64_t target)
{
    t->ended = true;
    if (!is_chainable(t, target)) {
        trans_flags_save(t);
        emit_far_target(t, &t->hot, target);
        return;
    }
    align_site(&t->hot, 1);
    exit_init(t, n, emit_jmp_fwd(&t->hot), target);
}

void trans_goto_if(Trans *t, unsigned n, unsigned cc, uint64_t target)
{
    uint8_t *site;

    align_site(&t->hot, 2);
    site = emit_jcc_fwd(&t->hot, cc);
    if (is_chainable(t, target)) {
        exit_init(t, n, site, target);
        return;
    }
    emit_fix(site, t->cold.p);
    if (!(t->flags & FLAGS_IMAGE)) {
        emit_flags_save(&t->cold);
    }
    emit_far_target(t, &t->cold, target);
}

void trans_goto_r10(Trans *t, int sp_moved)
{
    t->ended = true;
    trans_flags_save(t);
    if (t->src->flags & TBF_ONE) {
        emit_store(&t->hot, H_R10, ENV_OFF(rip));
        emit_jmp(&t->hot, t->s->thunk[THUNK_EXIT]);
    } else {
        emit_jump_cache(t, &t->hot, sp_moved);
    }
}

/* ---- polling for requests --------------------------------------------------------------------- */

static bool is_direct_branch(const X86Insn *i)
{
    if (i->class_ != X86_CLASS_BRANCH) {
        return false;
    }
    if (i->map == X86_MAP_0F) {
        return true;
    }
    return (i->opcode >= 0x70 && i->opcode <= 0x7f) || (i->opcode >= 0xe0 && i->opcode <= 0xeb);
}

/* Every cycle of blocks has a jump back, or an indirect one; those blocks poll. */
static bool needs_poll(const Trans *t)
{
    const X86Insn *last = &t->insn[t->count - 1];

    if (t->src->flags & TBF_ONE || last->class_ != X86_CLASS_BRANCH) {
        return false;
    }
    return !is_direct_branch(last) || last->imm <= 0;
}

static bool poll_comes_free(const Trans *t)
{
    if (t->flags & FLAGS_IMAGE) {
        return true;
    }
    /* Nothing ahead will save the flags anyway: do it where they are most likely dead. */
    for (unsigned i = t->at; i + 1 < t->count; i++) {
        if (t->insn[i].mem != X86_MEM_NONE || t->insn[i].class_ != X86_CLASS_INT) {
            return false;
        }
    }
    return true;
}

static void trans_poll(Trans *t)
{
    ColdDesc *at;

    if (!t->poll_due || t->at < t->no_poll_at ||
        (!poll_comes_free(t) && t->at + 1 < t->count)) {
        return;
    }
    t->poll_due = false;
    trans_flags_save(t);
    emit_gs(&t->hot, 4, 0x83, 7, TCG_OFF(poll)); /* cmp dword gs:[poll], 0 */
    e8(&t->hot, 0);
    emit_jcc(&t->hot, CC_JNE, t->cold.p);
    at = cold_desc(t, THUNK_POLL, (ColdDesc){0});
    at->resume = 0;
}

/* ---- the block -------------------------------------------------------------------------------- */

static bool ends_block(const X86Insn *i)
{
    static const uint8_t on_1b[] = {0x6c, 0x6d, 0x6e, 0x6f, 0xe4, 0xe5, 0xe6, 0xe7, 0xec, 0xed,
                                    0xee, 0xef, 0xfa, 0xfb, 0x9c, 0x9d, 0x8c, 0xd7, 0xc8};
    static const uint8_t on_0f[] = {0x02, 0x03, 0x31, 0x32, 0xa2, 0xae, 0xc7, 0x20, 0x21, 0x00};

    if (i->class_ == X86_CLASS_BRANCH || i->class_ == X86_CLASS_UD) {
        return true;
    }
    if (i->class_ != X86_CLASS_SYS) {
        return false;
    }
    if (i->map == X86_MAP_1B) {
        return !memchr(on_1b, i->opcode, sizeof(on_1b));
    }
    if (i->map == X86_MAP_0F && i->opcode == 0x01) {
        return !(i->mod == 3 && (i->modrm == 0xca || i->modrm == 0xcb || i->modrm == 0xf8 ||
                                 i->modrm == 0xf9 || i->modrm == 0xd0));
    }
    return !(i->map == X86_MAP_0F && memchr(on_0f, i->opcode, sizeof(on_0f)));
}

static size_t source_bytes(const Trans *t, size_t offset, uint8_t *buf, const uint8_t **ret_bytes)
{
    size_t first = 0x1000 - ((uintptr_t)t->src->guest & 0xfff);

    if (offset + X86_INSN_MAX <= first || !t->src->guest2) {
        *ret_bytes = t->src->guest + offset;
        return first - offset;
    }
    memcpy(buf, t->src->guest + offset, first - offset);
    memcpy(buf + (first - offset), t->src->guest2, X86_INSN_MAX);
    *ret_bytes = buf;
    return first - offset + X86_INSN_MAX;
}

/*
 * What 32-bit code ignores in VEX and EVEX would, in our 64-bit copy, widen a
 * register or name one that the guest does not have (SDM vol. 2, 2.3.5 and 2.7).
 */
static void fit_for_host(X86Insn *i)
{
    uint8_t *op = i->bytes + i->opcode_off;

    if (i->is4) {
        i->bytes[i->imm_off] &= 0x7f;
    }
    if (i->encoding == X86_ENC_VEX && op[-2] != 0xc5) {
        op[-2] |= 0x20; /* B */
        op[-1] = (op[-1] | 0x40) & (i->w_ignored ? 0x7f : 0xff);
    } else if (i->encoding == X86_ENC_EVEX) {
        op[-3] |= 0x30; /* B, R' */
        op[-2] = (op[-2] | 0x40) & (i->w_ignored ? 0x7f : 0xff);
    }
}

/* Whether the next instruction, of len bytes, goes beyond the segment (SDM vol. 3, 5.3). */
static bool beyond_limit(const Trans *t, unsigned len)
{
    return t->src->cs_limit != UINT32_MAX && t->pc[t->count] + len - 1 > t->src->cs_limit;
}

/* False: the first instruction needs the next page. */
static bool trans_decode(Trans *t)
{
    X86Mode mode = {
        .code64 = t->code64,
        .cs32 = !!(t->src->flags & HF_CS32),
        .protected_mode = t->code64 || (t->src->flags & (HF_PE | HF_VM)) == HF_PE,
    };
    size_t first = 0x1000 - ((uintptr_t)t->src->guest & 0xfff);
    unsigned limit = t->src->flags & TBF_ONE ? 1 : BLOCK_INSNS_MAX;
    size_t offset = 0;

    t->pc[0] = t->src->pc;
    while (t->count < limit && offset < first) {
        X86Insn *i = &t->insn[t->count];
        uint8_t buf[2 * X86_INSN_MAX];
        const uint8_t *bytes;
        size_t avail = source_bytes(t, offset, buf, &bytes);
        int len = x86_decode(bytes, avail, mode, i);

        if (len == 0) {
            break;
        }
        if (len < 0) {
            i->class_ = X86_CLASS_UD;
            i->length = 0xff;
            len = X86_INSN_MAX;
        }
        if (!t->code64) {
            if (beyond_limit(t, (unsigned)len) && t->count) {
                break;
            }
            if (beyond_limit(t, (unsigned)len)) {
                i->class_ = X86_CLASS_UD;
                i->length = 0xff; /* #GP */
            }
            fit_for_host(i);
        }
        offset += (size_t)len;
        t->count++;
        t->pc[t->count] = t->src->pc + offset;
        if (ends_block(i) || offset > first) {
            break;
        }
    }
    t->b->guest2 = offset > first ? t->src->guest2 : NULL;
    t->b->guest_size = (uint32_t)offset;
    return t->count > 0;
}

static bool is_pause(const X86Insn *i)
{
    return i->map == X86_MAP_1B && i->encoding == X86_ENC_LEGACY && i->opcode == 0x90 && i->rep &&
           !(i->rex & 1);
}

static void trans_pause(Trans *t)
{
    ColdDesc *at;

    trans_flags_save(t);
    emit_gs(&t->hot, 4, 0xff, 1, TCG_OFF(spin)); /* dec dword gs:[spin] */
    emit_jcc(&t->hot, CC_JS, t->cold.p);
    at = cold_desc(t, THUNK_SPIN, (ColdDesc){0});
    at->resume = desc_rel(at, t->hot.p);
    e8(&t->hot, 0xf3);
    e8(&t->hot, 0x90);
}

static void trans_one(Trans *t)
{
    const X86Insn *i = trans_insn(t);

    if (i->class_ == X86_CLASS_UD || !x86_cpuid_has(t->src->cpuid, i->cpuid_feature) ||
        !x86_cpuid_has(t->src->cpuid, i->cpuid_feature2)) {
        trans_raise(t, i->length == 0xff ? EXCP_GP : EXCP_UD);
        return;
    }
    if (is_pause(i)) {
        trans_pause(t);
        return;
    }
    /* Breakpoints and alignment checks are left to C. */
    if ((t->src->flags & (HF_DRX | HF_AC)) && x86_insn_in_c(i)) {
        trans_c_insn(t);
        return;
    }
    switch (i->class_) {
    case X86_CLASS_BRANCH:
        if (!trans_branch(t)) {
            trans_c_insn(t);
        }
        break;
    case X86_CLASS_STRING:
        if (!trans_string(t)) {
            trans_c_insn(t);
        }
        break;
    case X86_CLASS_X87:
    case X86_CLASS_MMX:
    case X86_CLASS_SSE:
    case X86_CLASS_AVX:
        trans_fp(t);
        break;
    default:
        if (!trans_stack(t)) {
            trans_int(t);
        }
    }
}

static void trans_insns(Trans *t)
{
    for (t->at = 0; t->at < t->count && !t->ended; t->at++) {
        InsnMap *m = &t->map[t->at];

        trans_poll(t);
        m->hot = (uint32_t)(t->hot.p - t->b->hot);
        m->cold = (uint32_t)(t->cold.p - t->b->cold);
        m->guest = (uint16_t)(t->pc[t->at] - t->src->pc);
        trans_one(t);
    }
    if (!t->ended) {
        t->at = t->count - 1;
        trans_goto(t, 0, t->pc[t->count]);
    }
}

static void trans_init(Trans *t, TcgState *s, const TranslateSource *src)
{
    uint64_t flags = src->flags;

    t->s = s;
    t->src = src;
    t->count = 0;
    t->set = tcg_set_of(flags);
    t->code64 = !!(flags & HF_CS64);
    t->code16 = !t->code64 && !(flags & HF_CS32);
    t->ss32 = !!(flags & HF_SS32);
    t->flat = !!(flags & HF_FLAT_DS);
    t->fp_ready = t->ended = false;
    t->no_poll_at = 0;
    t->flags = flags & TBF_FLAGS_IMAGE ? FLAGS_IMAGE : FLAGS_HOST;
}

static Block *block_alloc(TcgState *s, const TranslateSource *src)
{
    Block *b = tcg_arena_alloc(s, sizeof(Block));

    memset(b, 0, sizeof(*b));
    b->flags = src->flags;
    b->pc = src->pc;
    b->cs_base = src->cs_base;
    b->cs_limit = src->cs_limit;
    b->guest = src->guest;
    b->index = s->block_count;
    b->hot = s->hot;
    b->cold = s->cold;
    return b;
}

Block *tcg_translate(TcgState *s, const TranslateSource *src)
{
    static _Thread_local Trans trans;
    Trans *t = &trans;
    uint8_t *arena = s->arena_free;

    trans_init(t, s, src);
    t->b = block_alloc(s, src);
    if (!trans_decode(t)) {
        s->arena_free = arena;
        return NULL;
    }
    t->hot.p = s->hot;
    t->cold.p = s->cold;
    t->poll_due = needs_poll(t);
    s->blocks[t->b->index] = t->b; /* a block is found by its index before it is complete */
    trans_insns(t);
    t->b->insn_count = (uint16_t)t->count;
    t->b->hot_size = (uint32_t)(t->hot.p - s->hot);
    t->b->cold_size = (uint32_t)(t->cold.p - s->cold);
    t->b->map = tcg_arena_alloc(s, t->count * sizeof(InsnMap));
    memcpy(t->b->map, t->map, t->count * sizeof(InsnMap));
    s->hot = (uint8_t *)(((uintptr_t)t->hot.p + 15) & ~(uintptr_t)15);
    s->cold = t->cold.p;
    if (G_UNLIKELY(log_mask & (LOG_IN_ASM | LOG_OUT_ASM))) {
        tcg_dump_block(t->b);
    }
    __atomic_store_n(&s->block_count, s->block_count + 1, __ATOMIC_RELEASE);
    return t->b;
}
