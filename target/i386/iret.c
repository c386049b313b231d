/* SPDX-License-Identifier: MIT
 *
 * iret in every mode.  SDM vol. 2, IRET; vol. 3, 8.4 (task return), 20.2.4-20.3
 * (virtual-8086 mode).
 */
#include "target/i386/control.h"
#include "target/i386/transfer.h"

#define ALWAYS_FLAGS (CC_MASK | TF_MASK | DF_MASK | NT_MASK)
#define WIDE_FLAGS   (RF_MASK | AC_MASK | ID_MASK)

static void set_flags(CPUX86State *env, uint64_t value, uint64_t mask, unsigned opsize)
{
    if (opsize == 2) {
        mask &= 0xffff;
    }
    env->rflags = (env->rflags & ~mask) | (value & mask) | 2;
}

static void pop_frame(X86Stack *stack, unsigned opsize, uint64_t *rip, uint16_t *cs,
                      uint64_t *flags)
{
    *rip = x86_stack_pop(stack, opsize);
    *cs = x86_stack_pop(stack, opsize);
    *flags = x86_stack_pop(stack, opsize);
}

static void iret_8086(CPUX86State *env, X86Stack *stack, uint64_t rip, uint16_t cs)
{
    if (rip > env->segs[R_CS].limit) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
    x86_stack_commit(stack);
    x86_set_segment_real(env, R_CS, cs);
    env->rip = rip;
}

static void iret_real(CPUX86State *env, unsigned opsize)
{
    X86Stack stack = x86_stack_current(env);
    uint64_t rip, flags;
    uint16_t cs;

    pop_frame(&stack, opsize, &rip, &cs, &flags);
    iret_8086(env, &stack, rip, cs);
    set_flags(env, flags, ALWAYS_FLAGS | WIDE_FLAGS | IF_MASK | IOPL_MASK, opsize);
}

static void iret_vm86(CPUX86State *env, unsigned opsize)
{
    X86Stack stack = x86_stack_current(env);
    bool vme = x86_iopl(env) < 3;
    uint64_t rip, flags;
    uint16_t cs;

    if (vme && (!(env->cr4 & CR4_VME) || opsize != 2)) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
    pop_frame(&stack, opsize, &rip, &cs, &flags);
    if (vme && ((flags & TF_MASK) || ((flags & IF_MASK) && (env->rflags & VIP_MASK)))) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
    iret_8086(env, &stack, rip, cs);
    set_flags(env, flags, ALWAYS_FLAGS | WIDE_FLAGS | (vme ? 0 : IF_MASK), opsize);
    if (vme) {
        env->rflags = (env->rflags & ~(uint64_t)VIF_MASK) | (flags & IF_MASK ? VIF_MASK : 0);
    }
}

static void iret_task(CPUX86State *env, uint64_t next_rip)
{
    uint16_t selector;
    X86Descriptor d;

    if (env->hflags & HF_LMA) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
    selector = x86_ld(env, env->tr.base, 2, X86_PRIV_SYSTEM);
    if ((selector & 4) || !x86_fetch_descriptor(env, selector, &d) || !desc_is_system(&d) ||
        (desc_type(&d) != SYS_TSS16_BUSY && desc_type(&d) != SYS_TSS32_BUSY)) {
        x86_raise_exception_err(env, EXCP_TS, selector_error(selector));
    }
    x86_task_switch(env, selector, &d, TASK_IRET, next_rip);
}

/* From ring 0 into virtual-8086 mode. */
static void iret_to_vm86(CPUX86State *env, X86Stack *stack, uint64_t rip, uint16_t cs,
                         uint64_t flags)
{
    static const uint8_t order[] = {R_SS, R_ES, R_DS, R_FS, R_GS};
    uint32_t esp = x86_stack_pop(stack, 4);
    uint16_t selectors[G_N_ELEMENTS(order)];

    for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
        selectors[i] = x86_stack_pop(stack, 4);
    }
    env->rflags = (flags & 0x3fffff & ~0x8028u) | 2;
    x86_update_hflags(env);
    x86_set_segment_real(env, R_CS, cs);
    env->segs[R_CS].flags |= DESC_CS_MASK;
    for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
        x86_set_segment_real(env, order[i], selectors[i]);
    }
    env->regs[R_ESP] = esp;
    env->rip = rip & 0xffff;
}

/* The flags that code at `cpl` may pop. */
static uint64_t iret_flags_mask(const CPUX86State *env, unsigned cpl)
{
    uint64_t mask = ALWAYS_FLAGS | WIDE_FLAGS;

    if (cpl <= x86_iopl(env)) {
        mask |= IF_MASK;
    }
    if (cpl == 0) {
        mask |= IOPL_MASK | VIF_MASK | VIP_MASK;
    }
    return mask;
}

/* From 64-bit code, the frame being at hand: it always has a stack pointer in it. */
static void iret_64(CPUX86State *env, const uint64_t *frame)
{
    unsigned cpl = x86_cpl(env), new_cpl = selector_rpl(frame[1]);
    ReturnStack ss = {0};
    X86Descriptor d;
    uint64_t rip;

    x86_need_return_cs(env, frame[1], &d);
    x86_need_return_ss(env, frame[4], &d, new_cpl, &ss);
    rip = x86_check_target(env, &d, frame[0]);
    x86_set_cs(env, frame[1], &d, new_cpl);
    x86_set_return_ss(env, &ss, new_cpl, frame[3]);
    set_flags(env, frame[2], iret_flags_mask(env, cpl), 8);
    if (new_cpl > cpl) {
        x86_drop_inner_segments(env, new_cpl);
    }
    env->rip = rip;
}

static void iret_protected(CPUX86State *env, unsigned opsize)
{
    X86Stack stack = x86_stack_current(env);
    unsigned cpl = x86_cpl(env), new_cpl;
    ReturnStack ss = {0};
    X86Descriptor d;
    uint64_t rip, flags, sp = 0, frame[5];
    uint16_t cs;
    bool pops_stack;

    if (opsize == 8 && x86_stack_peek_frame(&stack, frame, 5)) {
        iret_64(env, frame);
        return;
    }
    pop_frame(&stack, opsize, &rip, &cs, &flags);
    if ((flags & VM_MASK) && opsize == 4 && cpl == 0 && !(env->hflags & HF_LMA)) {
        iret_to_vm86(env, &stack, rip, cs, flags);
        return;
    }
    x86_need_return_cs(env, cs, &d);
    new_cpl = selector_rpl(cs);
    pops_stack = new_cpl > cpl || (env->hflags & HF_CS64);
    if (pops_stack) {
        sp = x86_stack_pop(&stack, opsize);
        x86_need_return_ss(env, x86_stack_pop(&stack, opsize), &d, new_cpl, &ss);
    }
    rip = x86_check_target(env, &d, rip);
    x86_set_cs(env, cs, &d, new_cpl);
    if (pops_stack) {
        x86_set_return_ss(env, &ss, new_cpl, sp);
    } else {
        x86_stack_commit(&stack);
    }
    set_flags(env, flags, iret_flags_mask(env, cpl), opsize);
    if (new_cpl > cpl) {
        x86_drop_inner_segments(env, new_cpl);
    }
    env->rip = rip;
}

/* Whether it faults or not (SDM vol. 3, 28.2.3: NMI unblocking due to IRET). */
static void unblock_nmi(CPUX86State *env)
{
    if (env->nmi_blocked) {
        cpu_unblock_nmi(env_cpu(env));
        env->nmi_blocked = false;
    }
}

void x86_iret(CPUX86State *env, unsigned opsize, uint64_t next_rip)
{
    unblock_nmi(env);
    if (!(env->hflags & HF_PE)) {
        iret_real(env, opsize);
    } else if (env->hflags & HF_VM) {
        iret_vm86(env, opsize);
    } else if (env->rflags & NT_MASK) {
        iret_task(env, next_rip);
    } else {
        iret_protected(env, opsize);
    }
    x86_update_hflags(env);
}
