/* SPDX-License-Identifier: MIT
 *
 * Vector and x87 state: in the host's registers while generated code uses it,
 * else in CPUX86State.xsave.  The guest's own FXSAVE, XSAVE and FNSTENV families are
 * done on that image: not the host's instruction pointer shows in it, but x87_ip.
 * SDM vol. 1, 10.5 and ch. 13; vol. 2, FXSAVE, XSAVE, XRSTOR, FSTENV, FSAVE.
 */
#include "accel/tcg/tcg-internal.h"
#include "target/i386/exception.h"
#include "target/i386/xsave.h"

#define LEGACY_FXSAVE_SIZE 416 /* x87, MXCSR, XMM0 to 15 */

static uint64_t host_mask;    /* the same for every vCPU: a property of the host */
static uint32_t mxcsr_mask;   /* bits that MXCSR has (SDM vol. 1, 11.6.6) */

void tcg_fp_init(void)
{
    uint8_t area[512] __attribute__((aligned(16))) = {0};

    host_mask = x86_xsave_host_mask() & ~XSTATE_PKRU;
    __asm__ volatile("fxsave64 %0" : "+m"(area));
    memcpy(&mxcsr_mask, area + offsetof(X86LegacyArea, mxcsr_mask), sizeof(mxcsr_mask));
    mxcsr_mask = mxcsr_mask ? mxcsr_mask : 0xffbf;
}

/* Called with the guest's state in the registers: no vector instruction may come before. */
void tcg_fp_save(CPUX86State *env)
{
    static const uint32_t mxcsr = 0x1f80;

    __asm__ volatile("xsaveopt64 %0"
                     : "+m"(env->xsave)
                     : "a"((uint32_t)host_mask), "d"((uint32_t)(host_mask >> 32))
                     : "memory");
    tcg_env(env)->fp_live = 0;
    /* C expects an empty x87 stack, no MMX, default controls and clean upper halves. */
    if (x86_xsave_header(env)->xstate_bv & XSTATE_FP) {
        __asm__ volatile("fninit");
    }
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    if (host_mask & XSTATE_AVX) {
        __asm__ volatile("vzeroupper" : : : "memory");
    }
}

void tcg_fp_load(CPUX86State *env)
{
    x86_xsave_header(env)->xstate_bv &= host_mask;
    __asm__ volatile("xrstor64 %0"
                     :
                     : "m"(env->xsave), "a"((uint32_t)host_mask), "d"((uint32_t)(host_mask >> 32))
                     : "memory");
    tcg_env(env)->fp_live = 1;
}

/* ---- the image ------------------------------------------------------------------------- */

/* Give components that are in their initial state their bytes (XSAVEOPT leaves them). */
void tcg_fp_image_complete(CPUX86State *env)
{
    X86LegacyArea *legacy = x86_xsave_legacy(env);
    uint64_t bv = x86_xsave_header(env)->xstate_bv;

    if (!(bv & XSTATE_FP)) {
        memset(legacy, 0, 24);
        memset(legacy->st, 0, sizeof(legacy->st));
        legacy->fcw = 0x37f;
    }
    if (!(bv & XSTATE_SSE)) {
        memset(legacy->xmm, 0, sizeof(legacy->xmm));
    }
    for (unsigned c = 2; c < XSTATE_COMPONENTS; c++) {
        if (!(bv >> c & 1) && x86_xsave_component_size(c)) {
            memset(x86_xsave_component(env, c), 0, x86_xsave_component_size(c));
        }
    }
    /*
     * The last instruction: AMD tells it with an exception pending only (APM vol. 2, 11.4.4).
     * Its opcode and operand are not kept, as with FDP_EXCPTN_ONLY.
     */
    legacy->fop = 0;
    legacy->fip = (legacy->fsw & 0x80) || x86_cpuid_is_intel(&env_archcpu(env)->cpuid) ? env->x87_ip : 0;
    legacy->fdp = 0;
    legacy->mxcsr_mask = mxcsr_mask;
}

/*
 * What the guest loads may have reserved bits in it, and an ES that does not
 * follow from the rest: let the processor make of it what it does.
 */
static void canonicalise_x87(CPUX86State *env)
{
    __asm__ volatile("xrstor64 %0; xsave64 %0; fninit"
                     : "+m"(env->xsave)
                     : "a"((uint32_t)XSTATE_FP), "d"(0)
                     : "memory");
}

static void image_loaded(CPUX86State *env, uint64_t components)
{
    if (components & XSTATE_FP) {
        env->x87_ip = x86_xsave_legacy(env)->fip;
    }
    x86_xsave_header(env)->xstate_bv |= components;
}

static void check_mxcsr(CPUX86State *env, uint32_t mxcsr)
{
    if (mxcsr & ~mxcsr_mask) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
}

/* ---- operands --------------------------------------------------------------------------- */

static uint64_t operand_linear(CPUX86State *env, const X86Insn *i, size_t len, X86Access access,
                               unsigned align)
{
    uint64_t offset = (uint64_t)i->disp, linear;

    if (i->rip_relative) {
        offset += env->rip + i->length;
    }
    if (i->base >= 0) {
        offset += env->regs[i->base];
    }
    if (i->index >= 0 && !i->vsib) {
        offset += env->regs[i->index] << i->scale;
    }
    offset = i->addrsize == 8 ? offset : i->addrsize == 4 ? (uint32_t)offset : (uint16_t)offset;
    linear = x86_linear(env, i->seg, offset, len, access);
    if (align && (linear & (align - 1))) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
    return linear;
}

static void need_fp(CPUX86State *env)
{
    if (env->cr0 & (CR0_EM | CR0_TS)) {
        x86_raise_exception(env, env->cr0 & CR0_TS ? EXCP_NM : EXCP_UD);
    }
}

static void need_xsave(CPUX86State *env)
{
    if (!(env->cr4 & CR4_OSXSAVE)) {
        x86_raise_exception(env, EXCP_UD);
    }
    if (env->cr0 & CR0_TS) {
        x86_raise_exception(env, EXCP_NM);
    }
}

/* ---- fxsave, fxrstor ---------------------------------------------------------------------- */

static size_t fx_size(CPUX86State *env)
{
    if ((env->efer & MSR_EFER_FFXSR) && (env->hflags & HF_CS64) && x86_cpl(env) == 0) {
        return 160; /* AMD APM vol. 2, 11.4.4: no XMM registers */
    }
    return env->hflags & HF_CS64 ? LEGACY_FXSAVE_SIZE : 160 + 8 * 16;
}

static void exec_fxsave(CPUX86State *env, const X86Insn *i)
{
    uint64_t linear = operand_linear(env, i, 512, X86_WRITE, 16);

    need_fp(env);
    tcg_fp_image_complete(env);
    x86_st_bytes(env, linear, env->xsave, fx_size(env), X86_PRIV_CPL);
}

static void exec_fxrstor(CPUX86State *env, const X86Insn *i)
{
    uint64_t linear = operand_linear(env, i, 512, X86_READ, 16);
    uint8_t area[512];

    need_fp(env);
    x86_probe(env, linear + sizeof(area) - 1, 1, X86_READ, X86_PRIV_CPL); /* faults first */
    x86_ld_bytes(env, linear, area, sizeof(area), X86_PRIV_CPL);
    check_mxcsr(env, ((X86LegacyArea *)(void *)area)->mxcsr);
    tcg_fp_image_complete(env);
    memcpy(env->xsave, area, fx_size(env));
    image_loaded(env, XSTATE_FP | XSTATE_SSE);
    canonicalise_x87(env);
}

/* ---- xsave, xrstor -------------------------------------------------------------------------- */

static uint64_t requested(CPUX86State *env)
{
    return (env->regs[R_EDX] << 32 | (uint32_t)env->regs[R_EAX]) & env->xcr0;
}

/* mask: the components to store; mxcsr goes by rules of its own. */
static void store_legacy(CPUX86State *env, uint64_t linear, uint64_t mask, bool mxcsr)
{
    const X86LegacyArea *legacy = x86_xsave_legacy(env);

    if (mask & XSTATE_FP) {
        x86_st_bytes(env, linear, legacy, 24, X86_PRIV_CPL);
        x86_st_bytes(env, linear + 32, legacy->st, sizeof(legacy->st), X86_PRIV_CPL);
    }
    if (mxcsr) {
        x86_st_bytes(env, linear + 24, &legacy->mxcsr, 8, X86_PRIV_CPL);
    }
    if (mask & XSTATE_SSE) {
        x86_st_bytes(env, linear + 160, legacy->xmm, env->hflags & HF_CS64 ? 256 : 128,
                     X86_PRIV_CPL);
    }
}

/* What of component c the mode has registers for (SDM vol. 1, 13.5). */
static uint32_t component_size(const CPUX86State *env, unsigned c)
{
    if (env->hflags & HF_CS64 || (c != 2 && c != 6 && c != 7)) {
        return x86_xsave_component_size(c);
    }
    return c == 7 ? 0 : x86_xsave_component_size(c) / 2;
}

/* Where component c of the compacted format lies, for components in mask (SDM vol. 1, 13.4.3). */
static uint32_t component_offset(unsigned c, uint64_t mask, bool compacted)
{
    return compacted ? x86_xsave_compacted_size(mask & ((1ull << c) - 1))
                     : x86_xsave_component_offset(c);
}

static void store_extended(CPUX86State *env, uint64_t linear, uint64_t mask, uint64_t layout,
                           bool compacted)
{
    for (unsigned c = 2; c < XSTATE_COMPONENTS; c++) {
        if (!(mask >> c & 1)) {
            continue;
        }
        if (c == 9) {
            x86_st(env, linear + component_offset(c, layout, compacted), env->pkru, 8,
                   X86_PRIV_CPL);
            continue;
        }
        x86_st_bytes(env, linear + component_offset(c, layout, compacted),
                     x86_xsave_component(env, c), component_size(env, c), X86_PRIV_CPL);
    }
}

static void exec_xsave(CPUX86State *env, const X86Insn *i, bool compacted, bool init_optimised)
{
    uint64_t mask = requested(env), in_use, bv, linear;

    need_xsave(env);
    linear = operand_linear(env, i, XSAVE_HEADER_END, X86_WRITE, 64);
    in_use = x86_xsave_header(env)->xstate_bv | (env->pkru ? XSTATE_PKRU : 0);
    tcg_fp_image_complete(env);
    bv = mask & in_use;
    if (compacted && (mask & XSTATE_SSE) && x86_xsave_legacy(env)->mxcsr != 0x1f80) {
        bv |= XSTATE_SSE;
    }
    x86_probe(env, linear, compacted ? x86_xsave_compacted_size(mask) : x86_xsave_size(mask),
              X86_WRITE, X86_PRIV_CPL);
    if (compacted) {
        x86_st(env, linear + 520, mask | 1ull << 63, 8, X86_PRIV_CPL);
    } else {
        bv |= x86_ld(env, linear + 512, 8, X86_PRIV_CPL) & ~mask;
    }
    store_legacy(env, linear, init_optimised ? mask & bv : mask,
                 compacted ? bv & XSTATE_SSE : mask & (XSTATE_SSE | XSTATE_AVX));
    store_extended(env, linear, init_optimised ? mask & bv : mask, mask, compacted);
    x86_st(env, linear + 512, bv, 8, X86_PRIV_CPL);
}

/* Component c from the area, or its initial state. */
static void restore_component(CPUX86State *env, uint64_t linear, unsigned c, bool present,
                              uint64_t layout, bool compacted)
{
    uint32_t size = component_size(env, c);

    linear += c < 2 ? 0 : component_offset(c, layout, compacted);
    if (c == 9) {
        env->pkru = present ? (uint32_t)x86_ld(env, linear, 4, X86_PRIV_CPL) : 0;
        x86_tlb_flush(env, false);
    } else if (!present) {
        x86_xsave_header(env)->xstate_bv &= ~(1ull << c);
    } else if (c == 0) {
        x86_ld_bytes(env, linear, env->xsave, 24, X86_PRIV_CPL);
        x86_ld_bytes(env, linear + 32, env->xsave + 32, 128, X86_PRIV_CPL);
    } else if (c == 1) {
        x86_ld_bytes(env, linear + 160, env->xsave + 160, env->hflags & HF_CS64 ? 256 : 128,
                     X86_PRIV_CPL);
    } else {
        x86_ld_bytes(env, linear, x86_xsave_component(env, c), size, X86_PRIV_CPL);
    }
}

static void exec_xrstor(CPUX86State *env, const X86Insn *i, bool supervisor)
{
    uint64_t mask = requested(env), header[8], layout, linear, zeroes = 0;
    bool compacted;
    uint32_t mxcsr;

    need_xsave(env);
    linear = operand_linear(env, i, XSAVE_HEADER_END, X86_READ, 64);
    x86_probe(env, linear, 1, X86_READ, X86_PRIV_CPL);
    x86_ld_bytes(env, linear + 512, header, sizeof(header), X86_PRIV_CPL);
    compacted = header[1] >> 63;
    layout = header[1] & ~(1ull << 63);
    for (int n = compacted ? 2 : 1; n < 8; n++) {
        zeroes |= n < 3 || compacted ? header[n] : 0;
    }
    if (zeroes || (supervisor && !compacted) || (header[0] & ~env->xcr0) ||
        (compacted && ((layout & ~env->xcr0) || (header[0] & ~layout)))) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
    x86_probe(env, linear, compacted ? x86_xsave_compacted_size(layout) : x86_xsave_size(mask),
              X86_READ, X86_PRIV_CPL);
    tcg_fp_image_complete(env);
    if (mask & (XSTATE_SSE | (compacted ? 0 : XSTATE_AVX))) {
        mxcsr = (uint32_t)x86_ld(env, linear + 24, 4, X86_PRIV_CPL);
        if (compacted && !(header[0] & XSTATE_SSE)) {
            mxcsr = 0x1f80;
        }
        check_mxcsr(env, mxcsr);
        x86_xsave_legacy(env)->mxcsr = mxcsr;
    }
    image_loaded(env, mask & header[0] & ~XSTATE_PKRU);
    for (unsigned c = 0; c < XSTATE_COMPONENTS; c++) {
        if (mask >> c & 1) {
            restore_component(env, linear, c, header[0] >> c & 1, layout, compacted);
        }
    }
    if (mask & header[0] & XSTATE_FP) {
        canonicalise_x87(env);
    }
}

/* XSAVES and XRSTORS: there is no supervisor state, so they differ by who may and by the format. */
static void exec_compacted(CPUX86State *env, const X86Insn *i, unsigned op)
{
    if (op != 4) {
        need_xsave(env);
        if (x86_cpl(env) != 0) {
            x86_raise_exception_err(env, EXCP_GP, 0);
        }
    }
    if (op == 3) {
        exec_xrstor(env, i, true);
    } else {
        exec_xsave(env, i, true, true);
    }
}

static void exec_xsave_family(CPUX86State *env, const X86Insn *i)
{
    unsigned op = i->reg & 7;

    if (i->opcode == 0xc7) { /* xrstors, xsavec, xsaves */
        exec_compacted(env, i, op);
        return;
    }
    switch (op) {
    case 0:
        exec_fxsave(env, i);
        break;
    case 1:
        exec_fxrstor(env, i);
        break;
    case 5:
        exec_xrstor(env, i, false);
        break;
    default:
        exec_xsave(env, i, false, op == 6);
    }
}

/* ---- fnstenv, fnsave ---------------------------------------------------------------------- */

/* The two-bit tag of physical register r (SDM vol. 1, 8.1.7). */
static unsigned full_tag(const X86LegacyArea *legacy, unsigned r)
{
    unsigned top = legacy->fsw >> 11 & 7;
    const uint8_t *st = legacy->st[(r - top) & 7];
    uint64_t mantissa;
    uint16_t exponent;

    if (!(legacy->ftw >> r & 1)) {
        return 3;
    }
    memcpy(&mantissa, st, 8);
    memcpy(&exponent, st + 8, 2);
    exponent &= 0x7fff;
    if (!exponent && !mantissa) {
        return 1;
    }
    return exponent == 0x7fff || !exponent || !(mantissa >> 63) ? 2 : 0;
}

static uint16_t full_tags(const X86LegacyArea *legacy)
{
    uint16_t tags = 0;

    for (unsigned r = 0; r < 8; r++) {
        tags |= full_tag(legacy, r) << (2 * r);
    }
    return tags;
}

/* The image has the registers by their distance from TOP (SDM vol. 1, 10.5.1.1). */
static void turn_to_top_0(X86LegacyArea *legacy)
{
    unsigned top = legacy->fsw >> 11 & 7;
    uint8_t turned[8][16];

    for (unsigned n = 0; n < 8; n++) {
        memcpy(turned[n], legacy->st[(n - top) & 7], 16);
    }
    memcpy(legacy->st, turned, sizeof(turned));
    legacy->fsw &= ~0x3800u;
}

static size_t build_environment(CPUX86State *env, const X86Insn *i, uint8_t *buf)
{
    const X86LegacyArea *legacy = x86_xsave_legacy(env);
    unsigned width = i->opsize == 2 ? 2 : 4;
    uint32_t words[7] = {legacy->fcw, legacy->fsw, full_tags(legacy), (uint32_t)env->x87_ip};

    if (!(env->hflags & HF_PE) || (env->hflags & HF_VM)) { /* a linear address, in two parts */
        words[3] += (uint32_t)env->segs[R_CS].base;
        words[4] = words[3] >> 16 << 12;
        words[3] &= 0xffff;
    }
    memset(buf, 0, 28);
    for (unsigned n = 0; n < 7; n++) {
        /* the upper halves of the 32-bit form are all ones, but for the pointers */
        uint32_t value = words[n] | (n < 3 || n == 6 ? 0xffff0000u : 0);

        memcpy(buf + n * width, &value, width);
    }
    return 7 * width;
}

static void exec_fnstenv(CPUX86State *env, const X86Insn *i)
{
    bool save = i->opcode == 0xdd;
    X86LegacyArea *legacy = x86_xsave_legacy(env);
    uint8_t buf[108];
    uint64_t linear;
    size_t len;

    tcg_fp_image_complete(env);
    len = build_environment(env, i, buf);
    for (unsigned n = 0; save && n < 8; n++, len += 10) {
        memcpy(buf + len, legacy->st[n], 10);
    }
    linear = operand_linear(env, i, len, X86_WRITE, 0);
    /* faults are at one end or the other */
    x86_probe(env, linear, i->opsize == 2 ? 2 : 4, X86_WRITE, X86_PRIV_CPL);
    x86_probe(env, linear + len - 1, 1, X86_WRITE, X86_PRIV_CPL);
    x86_st_bytes(env, linear, buf, len, X86_PRIV_CPL);
    if (save) { /* as fninit, which leaves what is in the registers */
        turn_to_top_0(legacy);
        legacy->fcw = 0x37f;
        legacy->fsw = 0;
        legacy->ftw = 0;
        legacy->fip = 0;
    } else {
        legacy->fcw |= 0x3f; /* exceptions are masked afterwards: */
        legacy->fsw &= ~0x8080u; /* ES, and B with it */
        legacy->fip = env->x87_ip;
    }
    image_loaded(env, XSTATE_FP);
}

/* ---- maskmovq, maskmovdqu ----------------------------------------------------------------- */

/* What every MMX instruction does: TOP becomes 0, all registers are in use. */
static void enter_mmx(CPUX86State *env, X86LegacyArea *legacy)
{
    if (legacy->fsw & 0x80) { /* an exception is pending */
        x86_raise_x87(env);
    }
    turn_to_top_0(legacy);
    legacy->ftw = 0xff;
    image_loaded(env, XSTATE_FP);
}

static void exec_maskmov(CPUX86State *env, const X86Insn *i)
{
    X86LegacyArea *legacy = x86_xsave_legacy(env);
    bool xmm = i->class_ != X86_CLASS_MMX;
    const uint8_t *data, *mask;
    unsigned size = xmm ? 16 : 8;
    uint64_t offset = env->regs[R_EDI], linear;
    uint8_t buf[16];

    tcg_fp_image_complete(env);
    if (!xmm) {
        enter_mmx(env, legacy);
    }
    data = xmm ? legacy->xmm[i->reg] : legacy->st[i->reg & 7];
    mask = xmm ? legacy->xmm[i->rm] : legacy->st[i->rm & 7];
    offset = i->addrsize == 8 ? offset : i->addrsize == 4 ? (uint32_t)offset : (uint16_t)offset;
    linear = x86_linear(env, i->seg, offset, size, X86_WRITE);
    x86_ld_bytes(env, linear, buf, size, X86_PRIV_CPL);
    for (unsigned n = 0; n < size; n++) {
        if (mask[n] & 0x80) {
            buf[n] = data[n];
        }
    }
    x86_st_bytes(env, linear, buf, size, X86_PRIV_CPL);
}

bool tcg_fp_insn(const X86Insn *i)
{
    return i->class_ == X86_CLASS_XSAVE || i->class_ == X86_CLASS_X87 ||
           i->class_ == X86_CLASS_MMX || i->class_ == X86_CLASS_SSE || i->class_ == X86_CLASS_AVX;
}

void tcg_exec_fp_insn(CPUX86State *env, const X86Insn *i)
{
    if (i->class_ == X86_CLASS_XSAVE) {
        exec_xsave_family(env, i);
    } else if (i->class_ == X86_CLASS_X87) {
        exec_fnstenv(env, i);
    } else if (i->vsib) {
        tcg_exec_gather(env, i);
    } else {
        exec_maskmov(env, i);
    }
    env->rip += i->length;
}
