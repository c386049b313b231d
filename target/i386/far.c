/* SPDX-License-Identifier: MIT
 *
 * Far jmp, call and ret, call gates.  SDM vol. 3, 5.8; vol. 2, JMP, CALL, RET.
 */
#include "target/i386/transfer.h"

/* ---- shared checks ------------------------------------------------------------------- */

uint64_t x86_check_target(CPUX86State *env, const X86Descriptor *d, uint64_t offset)
{
    bool ok;

    if ((env->hflags & HF_LMA) && (d->hi & DESC_L_MASK)) {
        ok = x86_is_canonical(env, offset);
    } else {
        offset = (uint32_t)offset;
        ok = offset <= desc_limit(d);
    }
    if (!ok) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
    return offset;
}

static void need_code_mode(CPUX86State *env, uint16_t selector, const X86Descriptor *d)
{
    if (!x86_code_descriptor_valid(env, d)) {
        x86_raise_exception_err(env, EXCP_GP, selector_error(selector));
    }
}

static void need_present(CPUX86State *env, uint16_t selector, const X86Descriptor *d)
{
    if (!desc_present(d)) {
        x86_raise_exception_err(env, EXCP_NP, selector_error(selector));
    }
}

/* A code segment entered directly: the privilege level stays. */
static void need_direct_cs(CPUX86State *env, uint16_t selector, const X86Descriptor *d)
{
    unsigned cpl = x86_cpl(env);
    bool ok = desc_is_conforming(d) ? desc_dpl(d) <= cpl
                                    : selector_rpl(selector) <= cpl && desc_dpl(d) == cpl;

    if (!ok) {
        x86_raise_exception_err(env, EXCP_GP, selector_error(selector));
    }
    need_code_mode(env, selector, d);
    need_present(env, selector, d);
}

/* What a far jmp or call names in protected mode. */
static void need_far_target(CPUX86State *env, uint16_t selector, X86Descriptor *d)
{
    if (selector_is_null(selector)) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
    x86_need_descriptor(env, selector, EXCP_GP, 0, d);
    if (!desc_is_system(d) && !desc_is_code(d)) {
        x86_raise_exception_err(env, EXCP_GP, selector_error(selector));
    }
}

/* ---- call gates --------------------------------------------------------------------------- */

typedef struct CallGate {
    uint16_t selector;
    uint64_t offset;
    unsigned size; /* of what is pushed */
    unsigned params;
    X86Descriptor code;
} CallGate;

static void need_gate_access(CPUX86State *env, uint16_t selector, const X86Descriptor *d)
{
    if (desc_dpl(d) < MAX(x86_cpl(env), selector_rpl(selector))) {
        x86_raise_exception_err(env, EXCP_GP, selector_error(selector));
    }
    need_present(env, selector, d);
}

static void read_call_gate(CPUX86State *env, uint16_t selector, const X86Descriptor *d,
                           CallGate *g)
{
    X86Descriptor wide;

    *g = (CallGate){
        .selector = d->lo >> 16,
        .offset = (d->lo & 0xffff) | (desc_type(d) & 8 ? d->hi & 0xffff0000 : 0),
        .size = desc_type(d) & 8 ? 4 : 2,
        .params = d->hi & 31,
    };
    if (env->hflags & HF_LMA) {
        uint64_t high;

        if (!x86_fetch_descriptor_sized(env, selector, 16, &wide)) {
            x86_raise_exception_err(env, EXCP_GP, selector_error(selector));
        }
        high = x86_ld(env, d->addr + 8, 8, X86_PRIV_SYSTEM);
        if ((high >> 40) & 0x1f) {
            x86_raise_exception_err(env, EXCP_GP, selector_error(selector));
        }
        g->offset |= high << 32;
        g->size = 8;
        g->params = 0;
    }
}

static void need_gate_code(CPUX86State *env, CallGate *g, bool is_call)
{
    uint16_t error = selector_error(g->selector);
    unsigned cpl = x86_cpl(env);
    X86Descriptor *d = &g->code;

    if (selector_is_null(g->selector)) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
    x86_need_descriptor(env, g->selector, EXCP_GP, 0, d);
    if (!desc_is_code(d) || desc_dpl(d) > cpl ||
        (!is_call && !desc_is_conforming(d) && desc_dpl(d) != cpl)) {
        x86_raise_exception_err(env, EXCP_GP, error);
    }
    if ((env->hflags & HF_LMA) && (d->hi & (DESC_L_MASK | DESC_B_MASK)) != DESC_L_MASK) {
        x86_raise_exception_err(env, EXCP_GP, error);
    }
    need_present(env, g->selector, d);
}

static void gate_jmp(CPUX86State *env, CallGate *g)
{
    uint64_t offset = x86_check_target(env, &g->code, g->offset);

    x86_set_cs(env, g->selector, &g->code, x86_cpl(env));
    env->rip = offset;
}

static void gate_call_same(CPUX86State *env, CallGate *g, uint64_t next_rip)
{
    uint64_t offset = x86_check_target(env, &g->code, g->offset);
    X86Stack stack = x86_stack_current(env);

    x86_stack_push(&stack, env->segs[R_CS].selector, g->size);
    x86_stack_push(&stack, next_rip, g->size);
    x86_set_cs(env, g->selector, &g->code, x86_cpl(env));
    x86_stack_commit(&stack);
    env->rip = offset;
}

static void copy_params(CPUX86State *env, X86Stack *to, const CallGate *g)
{
    for (int i = g->params - 1; i >= 0; i--) {
        X86Stack from = x86_stack_current(env);

        x86_stack_skip(&from, i * g->size);
        x86_stack_push(to, x86_stack_pop(&from, g->size), g->size);
    }
}

static void gate_call_inner_64(CPUX86State *env, CallGate *g, uint64_t next_rip)
{
    unsigned cpl = desc_dpl(&g->code);
    uint64_t offset = x86_check_target(env, &g->code, g->offset);
    X86Stack stack = x86_stack_new_64(env, x86_tss_stack_64(env, cpl, 0), cpl, 0);

    x86_stack_push(&stack, env->segs[R_SS].selector, 8);
    x86_stack_push(&stack, env->regs[R_ESP], 8);
    x86_stack_push(&stack, env->segs[R_CS].selector, 8);
    x86_stack_push(&stack, next_rip, 8);
    x86_set_cs(env, g->selector, &g->code, cpl);
    x86_set_segment_null(env, R_SS, cpl, cpl);
    env->regs[R_ESP] = stack.sp;
    env->rip = offset;
}

static void gate_call_inner(CPUX86State *env, CallGate *g, uint64_t next_rip)
{
    unsigned cpl = desc_dpl(&g->code);
    uint64_t offset = x86_check_target(env, &g->code, g->offset);
    X86Descriptor ss_desc;
    SegmentCache ss;
    X86Stack stack;
    uint32_t esp;
    uint16_t selector;

    x86_tss_stack(env, cpl, 0, &selector, &esp);
    x86_check_stack_segment(env, selector, cpl, EXCP_TS, 0, &ss_desc);
    ss = x86_segment_cache(selector, &ss_desc);
    stack = x86_stack_new(env, &ss, esp, cpl, selector_error(selector));
    x86_stack_push(&stack, env->segs[R_SS].selector, g->size);
    x86_stack_push(&stack, env->regs[R_ESP], g->size);
    copy_params(env, &stack, g);
    x86_stack_push(&stack, env->segs[R_CS].selector, g->size);
    x86_stack_push(&stack, next_rip, g->size);
    x86_set_accessed(env, &ss_desc);
    x86_set_cs(env, g->selector, &g->code, cpl);
    x86_set_segment(env, R_SS, selector, &ss_desc);
    env->regs[R_ESP] = esp;
    x86_stack_commit(&stack);
    env->rip = offset;
}

static void gate_call(CPUX86State *env, CallGate *g, uint64_t next_rip)
{
    if (desc_is_conforming(&g->code) || desc_dpl(&g->code) == x86_cpl(env)) {
        gate_call_same(env, g, next_rip);
    } else if (env->hflags & HF_LMA) {
        gate_call_inner_64(env, g, next_rip);
    } else {
        gate_call_inner(env, g, next_rip);
    }
}

/* Through a system descriptor: call gate, task gate, TSS. */
static void far_system(CPUX86State *env, uint16_t selector, const X86Descriptor *d, bool is_call,
                       uint64_t next_rip)
{
    unsigned type = desc_type(d);
    bool lma = env->hflags & HF_LMA;
    X86TaskSwitch how = is_call ? TASK_CALL : TASK_JMP;
    CallGate g;

    if (type == SYS_CALL_GATE32 || (type == SYS_CALL_GATE16 && !lma)) {
        need_gate_access(env, selector, d);
        read_call_gate(env, selector, d, &g);
        need_gate_code(env, &g, is_call);
        if (is_call) {
            gate_call(env, &g, next_rip);
        } else {
            gate_jmp(env, &g);
        }
        return;
    }
    if (type == SYS_TASK_GATE && !lma) {
        need_gate_access(env, selector, d);
        x86_task_gate(env, d, how, 0, next_rip);
        return;
    }
    if ((type == SYS_TSS16_AVAILABLE || type == SYS_TSS32_AVAILABLE) && !lma && !(selector & 4)) {
        need_gate_access(env, selector, d);
        x86_task_switch(env, selector, d, how, next_rip);
        return;
    }
    x86_raise_exception_err(env, EXCP_GP, selector_error(selector));
}

/* ---- jmp and call ----------------------------------------------------------------------------- */

static void need_real_offset(CPUX86State *env, uint64_t offset)
{
    if (offset > env->segs[R_CS].limit) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
}

static void far_jmp_real(CPUX86State *env, uint16_t selector, uint64_t offset)
{
    need_real_offset(env, offset);
    x86_set_segment_real(env, R_CS, selector);
    env->rip = offset;
}

void x86_far_jmp(CPUX86State *env, uint16_t selector, uint64_t offset, unsigned opsize,
                 uint64_t next_rip)
{
    X86Descriptor d;

    offset &= x86_opsize_mask(opsize);
    if (!x86_protected(env)) {
        far_jmp_real(env, selector, offset);
    } else {
        need_far_target(env, selector, &d);
        if (desc_is_system(&d)) {
            far_system(env, selector, &d, false, next_rip);
        } else {
            need_direct_cs(env, selector, &d);
            offset = x86_check_target(env, &d, offset);
            x86_set_cs(env, selector, &d, x86_cpl(env));
            env->rip = offset;
        }
    }
    x86_update_hflags(env);
}

static void push_return(CPUX86State *env, X86Stack *stack, unsigned opsize, uint64_t next_rip)
{
    *stack = x86_stack_current(env);
    x86_stack_push(stack, env->segs[R_CS].selector, opsize);
    x86_stack_push(stack, next_rip, opsize);
}

static void far_call_direct(CPUX86State *env, uint16_t selector, X86Descriptor *d,
                            uint64_t offset, unsigned opsize, uint64_t next_rip)
{
    X86Stack stack;

    need_direct_cs(env, selector, d);
    offset = x86_check_target(env, d, offset);
    push_return(env, &stack, opsize, next_rip);
    x86_set_cs(env, selector, d, x86_cpl(env));
    x86_stack_commit(&stack);
    env->rip = offset;
}

void x86_far_call(CPUX86State *env, uint16_t selector, uint64_t offset, unsigned opsize,
                  uint64_t next_rip)
{
    X86Descriptor d;
    X86Stack stack;

    offset &= x86_opsize_mask(opsize);
    if (!x86_protected(env)) {
        need_real_offset(env, offset);
        push_return(env, &stack, opsize, next_rip);
        x86_stack_commit(&stack);
        far_jmp_real(env, selector, offset);
    } else {
        need_far_target(env, selector, &d);
        if (desc_is_system(&d)) {
            far_system(env, selector, &d, true, next_rip);
        } else {
            far_call_direct(env, selector, &d, offset, opsize, next_rip);
        }
    }
    x86_update_hflags(env);
}

/* ---- returns ---------------------------------------------------------------------------------------- */

void x86_need_return_cs(CPUX86State *env, uint16_t selector, X86Descriptor *d)
{
    unsigned rpl = selector_rpl(selector);

    if (selector_is_null(selector)) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
    x86_need_descriptor(env, selector, EXCP_GP, 0, d);
    if (!desc_is_code(d) || rpl < x86_cpl(env) ||
        (desc_is_conforming(d) ? desc_dpl(d) > rpl : desc_dpl(d) != rpl)) {
        x86_raise_exception_err(env, EXCP_GP, selector_error(selector));
    }
    need_code_mode(env, selector, d);
    need_present(env, selector, d);
}

void x86_need_return_ss(CPUX86State *env, uint16_t selector, const X86Descriptor *cs,
                        unsigned cpl, ReturnStack *ret)
{
    ret->selector = selector;
    ret->null = selector_is_null(selector) && (env->hflags & HF_LMA) && (cs->hi & DESC_L_MASK) &&
                cpl != 3 && selector_rpl(selector) == cpl;
    if (ret->null) {
        return;
    }
    x86_check_stack_segment(env, selector, cpl, EXCP_GP, 0, &ret->desc);
    x86_set_accessed(env, &ret->desc);
}

void x86_set_return_ss(CPUX86State *env, const ReturnStack *ss, unsigned cpl, uint64_t sp)
{
    bool to_64 = (env->hflags & HF_LMA) && (env->segs[R_CS].flags & DESC_L_MASK);

    if (ss->null) {
        x86_set_segment_null(env, R_SS, ss->selector, cpl);
    } else {
        x86_set_segment(env, R_SS, ss->selector, &ss->desc);
    }
    if (to_64) {
        env->regs[R_ESP] = sp;
    } else if (env->segs[R_SS].flags & DESC_B_MASK) {
        env->regs[R_ESP] = (uint32_t)sp;
    } else {
        env->regs[R_ESP] = (env->regs[R_ESP] & 0xffff0000) | (sp & 0xffff);
    }
}

static void far_ret_outer(CPUX86State *env, X86Stack *stack, X86Descriptor *d, uint16_t selector,
                          uint64_t offset, unsigned opsize, unsigned release)
{
    unsigned cpl = selector_rpl(selector);
    ReturnStack ss;
    uint64_t sp;

    x86_stack_skip(stack, release);
    sp = x86_stack_pop(stack, opsize);
    x86_need_return_ss(env, x86_stack_pop(stack, opsize), d, cpl, &ss);
    offset = x86_check_target(env, d, offset);
    x86_set_cs(env, selector, d, cpl);
    x86_set_return_ss(env, &ss, cpl, sp + release);
    x86_drop_inner_segments(env, cpl);
    env->rip = offset;
}

static void far_ret_protected(CPUX86State *env, X86Stack *stack, uint16_t selector,
                              uint64_t offset, unsigned opsize, unsigned release)
{
    X86Descriptor d;

    x86_need_return_cs(env, selector, &d);
    if (selector_rpl(selector) > x86_cpl(env)) {
        far_ret_outer(env, stack, &d, selector, offset, opsize, release);
        return;
    }
    offset = x86_check_target(env, &d, offset);
    x86_set_cs(env, selector, &d, x86_cpl(env));
    x86_stack_skip(stack, release);
    x86_stack_commit(stack);
    env->rip = offset;
}

void x86_far_ret(CPUX86State *env, unsigned opsize, unsigned release)
{
    X86Stack stack = x86_stack_current(env);
    uint64_t offset = x86_stack_pop(&stack, opsize);
    uint16_t selector = x86_stack_pop(&stack, opsize);

    if (x86_protected(env)) {
        far_ret_protected(env, &stack, selector, offset, opsize, release);
    } else {
        need_real_offset(env, offset);
        x86_stack_skip(&stack, release);
        x86_stack_commit(&stack);
        far_jmp_real(env, selector, offset);
    }
    x86_update_hflags(env);
}
