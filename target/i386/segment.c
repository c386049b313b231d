/* SPDX-License-Identifier: MIT
 *
 * Segment descriptors: fetch, check, load.  SDM vol. 3, 3.4 (descriptors), 5.4-5.6
 * (types, null selectors, privilege), vol. 2 (MOV, LLDT, LTR, LAR, LSL, VERR).
 */
#include "target/i386/segment.h"

/* ---- fetching -------------------------------------------------------------------- */

bool x86_fetch_descriptor_sized(CPUX86State *env, uint16_t selector, unsigned bytes,
                                X86Descriptor *ret)
{
    uint32_t index = selector & 0xfff8;
    uint64_t base, raw;
    uint32_t limit;

    if (selector & 4) {
        if (env->ldt.flags & DESC_UNUSABLE) {
            return false;
        }
        base = env->ldt.base;
        limit = env->ldt.limit;
    } else {
        base = env->gdt.base;
        limit = env->gdt.limit;
    }
    if (index + bytes - 1 > limit) {
        return false;
    }
    ret->addr = base + index;
    raw = x86_ld(env, ret->addr, 8, X86_PRIV_SYSTEM);
    ret->lo = raw;
    ret->hi = raw >> 32;
    return true;
}

bool x86_fetch_descriptor(CPUX86State *env, uint16_t selector, X86Descriptor *ret)
{
    return x86_fetch_descriptor_sized(env, selector, 8, ret);
}

void x86_need_descriptor(CPUX86State *env, uint16_t selector, int vector, uint16_t ext,
                         X86Descriptor *ret)
{
    if (!x86_fetch_descriptor(env, selector, ret)) {
        x86_raise_exception_err(env, vector, selector_error(selector) + ext);
    }
}

void x86_set_accessed(CPUX86State *env, X86Descriptor *d)
{
    if (!(d->hi & DESC_A_MASK)) {
        d->hi |= DESC_A_MASK;
        x86_st(env, d->addr + 5, (d->hi >> 8) & 0xff, 1, X86_PRIV_SYSTEM);
    }
}

/* ---- caches ------------------------------------------------------------------------ */

SegmentCache x86_segment_cache(uint16_t selector, const X86Descriptor *d)
{
    return (SegmentCache){
        .selector = selector,
        .flags = d->hi & 0x00f0ff00,
        .limit = desc_limit(d),
        .base = desc_base(d),
    };
}

void x86_set_segment(CPUX86State *env, int seg, uint16_t selector, const X86Descriptor *d)
{
    env->segs[seg] = x86_segment_cache(selector, d);
}

void x86_set_segment_real(CPUX86State *env, int seg, uint16_t selector)
{
    SegmentCache *s = &env->segs[seg];

    s->selector = selector;
    s->base = (uint32_t)selector << 4;
    if (env->hflags & HF_VM) { /* SDM vol. 3, 20.2: fixed attributes */
        s->limit = 0xffff;
        s->flags = DESC_P_MASK | DESC_S_MASK | DESC_RW_MASK | DESC_A_MASK | DESC_DPL_MASK;
    } else {
        /* Limit and size stay: that is what "unreal mode" lives on. */
        s->flags &= ~(DESC_UNUSABLE | DESC_DPL_MASK);
        if (seg == R_CS) {
            s->flags |= DESC_P_MASK | DESC_S_MASK | DESC_RW_MASK | DESC_A_MASK;
        }
    }
}

void x86_set_segment_null(CPUX86State *env, int seg, uint16_t selector, unsigned dpl)
{
    env->segs[seg] = (SegmentCache){
        .selector = selector,
        .flags = DESC_UNUSABLE | dpl << DESC_DPL_SHIFT,
    };
}

void x86_set_cs(CPUX86State *env, uint16_t selector, X86Descriptor *d, unsigned cpl)
{
    x86_set_accessed(env, d);
    x86_set_segment(env, R_CS, (selector & 0xfffc) | cpl, d);
}

bool x86_code_descriptor_valid(const CPUX86State *env, const X86Descriptor *d)
{
    return !(env->hflags & HF_LMA) ||
           (d->hi & (DESC_L_MASK | DESC_B_MASK)) != (DESC_L_MASK | DESC_B_MASK);
}

void x86_drop_inner_segments(CPUX86State *env, unsigned cpl)
{
    static const uint8_t segs[] = {R_ES, R_DS, R_FS, R_GS};

    for (unsigned i = 0; i < G_N_ELEMENTS(segs); i++) {
        SegmentCache *s = &env->segs[segs[i]];
        bool conforming = (s->flags & DESC_CS_MASK) && (s->flags & DESC_EC_MASK);

        if (selector_is_null(s->selector)) {
            continue;
        }
        if (!conforming && ((s->flags >> DESC_DPL_SHIFT) & 3) < cpl) {
            s->selector = 0; /* base and limit stay: 64-bit code goes on using FS's and GS's */
            s->flags = DESC_UNUSABLE;
        }
    }
}

/* ---- mov and pop to a segment register ------------------------------------------------- */

void x86_check_stack_segment(CPUX86State *env, uint16_t selector, unsigned cpl, int vector,
                             uint16_t ext, X86Descriptor *ret)
{
    uint16_t error = selector_error(selector) + ext;

    if (selector_is_null(selector)) {
        x86_raise_exception_err(env, vector, ext);
    }
    x86_need_descriptor(env, selector, vector, ext, ret);
    if (selector_rpl(selector) != cpl || !desc_is_writable_data(ret) || desc_dpl(ret) != cpl) {
        x86_raise_exception_err(env, vector, error);
    }
    if (!desc_present(ret)) {
        x86_raise_exception_err(env, EXCP_SS, error);
    }
}

static void load_stack_segment(CPUX86State *env, uint16_t selector)
{
    X86Descriptor d;
    unsigned cpl = x86_cpl(env);

    if (selector_is_null(selector) && (env->hflags & HF_CS64) && cpl != 3 &&
        selector_rpl(selector) == cpl) {
        x86_set_segment_null(env, R_SS, selector, cpl);
        return;
    }
    x86_check_stack_segment(env, selector, cpl, EXCP_GP, 0, &d);
    x86_set_accessed(env, &d);
    x86_set_segment(env, R_SS, selector, &d);
}

static void load_data_segment(CPUX86State *env, int seg, uint16_t selector)
{
    X86Descriptor d;
    uint16_t error = selector_error(selector);
    bool conforming;

    if (selector_is_null(selector)) {
        x86_set_segment_null(env, seg, selector, 0);
        return;
    }
    x86_need_descriptor(env, selector, EXCP_GP, 0, &d);
    conforming = desc_is_code(&d) && desc_is_conforming(&d);
    if (!desc_is_readable(&d) ||
        (!conforming && MAX(selector_rpl(selector), x86_cpl(env)) > desc_dpl(&d))) {
        x86_raise_exception_err(env, EXCP_GP, error);
    }
    if (!desc_present(&d)) {
        x86_raise_exception_err(env, EXCP_NP, error);
    }
    x86_set_accessed(env, &d);
    x86_set_segment(env, seg, selector, &d);
}

void x86_load_segment(CPUX86State *env, int seg, uint16_t selector)
{
    if (!x86_protected(env)) {
        x86_set_segment_real(env, seg, selector);
    } else if (seg == R_SS) {
        load_stack_segment(env, selector);
    } else {
        load_data_segment(env, seg, selector);
    }
    x86_update_hflags(env);
}

/* ---- LDTR and TR ------------------------------------------------------------------------- */

/* Base bits 63:32 of a system descriptor in long mode; #GP when the type above is not 0. */
static uint64_t system_base(CPUX86State *env, uint16_t selector, const X86Descriptor *d)
{
    uint64_t high;

    if (!(env->hflags & HF_LMA)) {
        return desc_base(d);
    }
    high = x86_ld(env, d->addr + 8, 8, X86_PRIV_SYSTEM);
    if ((high >> 40) & 0x1f || !x86_is_cpu_canonical(env, high << 32 | desc_base(d))) {
        x86_raise_exception_err(env, EXCP_GP, selector_error(selector));
    }
    return high << 32 | desc_base(d);
}

static void need_system_descriptor(CPUX86State *env, uint16_t selector, X86Descriptor *ret)
{
    unsigned bytes = env->hflags & HF_LMA ? 16 : 8;

    if ((selector & 4) || !x86_fetch_descriptor_sized(env, selector, bytes, ret) ||
        !desc_is_system(ret)) {
        x86_raise_exception_err(env, EXCP_GP, selector_error(selector));
    }
}

void x86_load_ldt(CPUX86State *env, uint16_t selector)
{
    X86Descriptor d;
    uint64_t base;

    if (selector_is_null(selector)) {
        env->ldt = (SegmentCache){.selector = selector, .flags = DESC_UNUSABLE};
        return;
    }
    need_system_descriptor(env, selector, &d);
    if (desc_type(&d) != SYS_LDT) {
        x86_raise_exception_err(env, EXCP_GP, selector_error(selector));
    }
    if (!desc_present(&d)) {
        x86_raise_exception_err(env, EXCP_NP, selector_error(selector));
    }
    base = system_base(env, selector, &d);
    env->ldt = x86_segment_cache(selector, &d);
    env->ldt.base = base;
}

void x86_load_tr(CPUX86State *env, uint16_t selector)
{
    X86Descriptor d;
    uint64_t base;

    if (selector_is_null(selector)) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
    need_system_descriptor(env, selector, &d);
    if (desc_type(&d) != SYS_TSS32_AVAILABLE &&
        (desc_type(&d) != SYS_TSS16_AVAILABLE || (env->hflags & HF_LMA))) {
        x86_raise_exception_err(env, EXCP_GP, selector_error(selector));
    }
    if (!desc_present(&d)) {
        x86_raise_exception_err(env, EXCP_NP, selector_error(selector));
    }
    base = system_base(env, selector, &d);
    d.hi |= 2u << DESC_TYPE_SHIFT; /* busy */
    x86_st(env, d.addr + 4, d.hi, 4, X86_PRIV_SYSTEM);
    env->tr = x86_segment_cache(selector, &d);
    env->tr.base = base;
}

/* ---- lar, lsl, verr, verw ------------------------------------------------------------------- */

static bool visible(CPUX86State *env, uint16_t selector, X86Descriptor *d)
{
    if (selector_is_null(selector) || !x86_fetch_descriptor(env, selector, d)) {
        return false;
    }
    if (desc_is_code(d) && desc_is_conforming(d)) {
        return true;
    }
    return desc_dpl(d) >= MAX(x86_cpl(env), selector_rpl(selector));
}

/* Which system types lar and lsl accept (SDM vol. 2, LAR and LSL tables). */
static bool system_type_accepted(const CPUX86State *env, unsigned type, bool lsl)
{
    static const uint16_t lar_legacy = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 9 |
                                       1 << 11 | 1 << 12;
    static const uint16_t lsl_legacy = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 9 | 1 << 11;
    static const uint16_t lar_long = 1 << 2 | 1 << 9 | 1 << 11 | 1 << 12;
    static const uint16_t lsl_long = 1 << 2 | 1 << 9 | 1 << 11;
    uint16_t set;

    if (env->hflags & HF_LMA) {
        set = lsl ? lsl_long : lar_long;
    } else {
        set = lsl ? lsl_legacy : lar_legacy;
    }
    return set >> type & 1;
}

bool x86_lar(CPUX86State *env, uint16_t selector, uint32_t *ret)
{
    X86Descriptor d;

    if (!visible(env, selector, &d) ||
        (desc_is_system(&d) && !system_type_accepted(env, desc_type(&d), false))) {
        return false;
    }
    *ret = d.hi & 0x00f0ff00;
    return true;
}

bool x86_lsl(CPUX86State *env, uint16_t selector, uint32_t *ret)
{
    X86Descriptor d;

    if (!visible(env, selector, &d) ||
        (desc_is_system(&d) && !system_type_accepted(env, desc_type(&d), true))) {
        return false;
    }
    *ret = desc_limit(&d);
    return true;
}

bool x86_verify(CPUX86State *env, uint16_t selector, bool write)
{
    X86Descriptor d;

    if (!visible(env, selector, &d)) {
        return false;
    }
    return write ? desc_is_writable_data(&d) : desc_is_readable(&d);
}
