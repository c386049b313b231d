/* SPDX-License-Identifier: MIT
 *
 * Delivery of exceptions and interrupts.  SDM vol. 3, 6.10-6.14, 20.1.4 and
 * 20.3 (real-address and virtual-8086 mode); vol. 2, INT n (checks and codes).
 *
 * Nothing in env changes before the last check and the last store have
 * succeeded: a fault on the way is one of the interrupted instruction.
 */
#include <inttypes.h>
#include "system/log.h"
#include "target/i386/segment.h"

typedef struct Event {
    int vector;
    bool soft;          /* int n, int3, into: the gate's DPL is checked */
    uint16_t ext;       /* 1: external to the program, in error codes of nested faults */
    bool has_error;
    uint32_t error_code;
    uint64_t return_rip;
    uint64_t return_flags;
} Event;

/* The gate and the code segment behind it. */
typedef struct Gate {
    uint16_t selector; /* of the code segment */
    unsigned type;
    unsigned ist;
    uint64_t offset;
    X86Descriptor code;
    unsigned new_cpl;
} Gate;

static uint32_t idt_error(const Event *e)
{
    return e->vector * 8 + 2 + e->ext;
}

/* ---- real mode ----------------------------------------------------------------------- */

void x86_deliver_real(CPUX86State *env, int vector, uint64_t next_rip)
{
    X86Stack stack = x86_stack_current(env);
    uint32_t entry;

    if ((uint32_t)vector * 4 + 3 > env->idt.limit && !(env->hflags & HF_VM)) {
        x86_raise_exception(env, EXCP_GP);
    }
    /* Under VME the table is the 8086 program's own, at 0 (SDM vol. 3, 20.3.3.4). */
    entry = x86_ld(env, (env->hflags & HF_VM ? 0 : env->idt.base) + vector * 4, 4,
                   env->hflags & HF_VM ? X86_PRIV_CPL : X86_PRIV_SYSTEM);
    x86_stack_push(&stack, (uint16_t)env->rflags, 2);
    x86_stack_push(&stack, env->segs[R_CS].selector, 2);
    x86_stack_push(&stack, (uint16_t)next_rip, 2);
    x86_stack_commit(&stack);
    x86_set_segment_real(env, R_CS, entry >> 16);
    env->rip = entry & 0xffff;
    env->rflags &= ~(uint64_t)(IF_MASK | TF_MASK | AC_MASK | RF_MASK);
}

/* ---- gates --------------------------------------------------------------------------------- */

static bool gate_type_valid(const CPUX86State *env, unsigned type)
{
    if (env->hflags & HF_LMA) {
        return type == SYS_INT_GATE32 || type == SYS_TRAP_GATE32;
    }
    return type == SYS_TASK_GATE || type == SYS_INT_GATE16 || type == SYS_TRAP_GATE16 ||
           type == SYS_INT_GATE32 || type == SYS_TRAP_GATE32;
}

static void read_gate(CPUX86State *env, const Event *e, X86Descriptor *d, Gate *gate)
{
    unsigned size = env->hflags & HF_LMA ? 16 : 8;
    uint64_t raw;

    if (e->vector * size + size - 1 > env->idt.limit) {
        x86_raise_exception_err(env, EXCP_GP, idt_error(e));
    }
    d->addr = env->idt.base + e->vector * size;
    raw = x86_ld(env, d->addr, 8, X86_PRIV_SYSTEM);
    d->lo = raw;
    d->hi = raw >> 32;
    gate->type = desc_type(d);
    if (!desc_is_system(d) || !gate_type_valid(env, gate->type) ||
        (e->soft && desc_dpl(d) < x86_cpl(env))) {
        x86_raise_exception_err(env, EXCP_GP, idt_error(e));
    }
    if (!desc_present(d)) {
        x86_raise_exception_err(env, EXCP_NP, idt_error(e));
    }
    gate->selector = d->lo >> 16;
    gate->offset = (d->lo & 0xffff) | (gate->type & 8 ? d->hi & 0xffff0000 : 0);
    if (size == 16) {
        gate->ist = d->hi & 7;
        gate->offset |= x86_ld(env, d->addr + 8, 4, X86_PRIV_SYSTEM) << 32;
    }
}

static void check_gate_code(CPUX86State *env, const Event *e, Gate *gate)
{
    uint16_t error = selector_error(gate->selector) + e->ext;
    unsigned cpl = x86_cpl(env);
    bool lma = env->hflags & HF_LMA;

    if (selector_is_null(gate->selector)) {
        x86_raise_exception_err(env, EXCP_GP, e->ext);
    }
    x86_need_descriptor(env, gate->selector, EXCP_GP, e->ext, &gate->code);
    if (!desc_is_code(&gate->code) || desc_dpl(&gate->code) > cpl) {
        x86_raise_exception_err(env, EXCP_GP, error);
    }
    if (lma && (gate->code.hi & (DESC_L_MASK | DESC_B_MASK)) != DESC_L_MASK) {
        x86_raise_exception_err(env, EXCP_GP, error);
    }
    if (!desc_present(&gate->code)) {
        x86_raise_exception_err(env, EXCP_NP, error);
    }
    gate->new_cpl = desc_is_conforming(&gate->code) ? cpl : desc_dpl(&gate->code);
    /* From virtual-8086 mode only to ring 0. */
    if ((env->hflags & HF_VM) && gate->new_cpl != 0) {
        x86_raise_exception_err(env, EXCP_GP, error);
    }
}

static void finish_delivery(CPUX86State *env, Gate *gate, uint64_t sp, uint64_t sp_mask)
{
    uint64_t clear = TF_MASK | VM_MASK | RF_MASK | NT_MASK;

    if (!(gate->type & 1)) { /* interrupt gate */
        clear |= IF_MASK;
    }
    x86_set_cs(env, gate->selector, &gate->code, gate->new_cpl);
    env->rflags &= ~clear;
    env->rip = gate->offset;
    env->regs[R_ESP] = sp_mask == 0xffff ? (env->regs[R_ESP] & ~sp_mask) | sp : sp;
}

/* ---- long mode -------------------------------------------------------------------------------- */

static uint64_t frame_stack_64(CPUX86State *env, const Event *e, const Gate *gate, bool inward)
{
    if (gate->ist) {
        return x86_tss_stack_64(env, 3 + gate->ist, e->ext);
    }
    return inward ? x86_tss_stack_64(env, gate->new_cpl, e->ext) : env->regs[R_ESP];
}

static void deliver_64(CPUX86State *env, const Event *e, Gate *gate)
{
    bool inward = gate->new_cpl < x86_cpl(env);
    uint64_t frame[6];
    X86Stack stack;

    if (!x86_is_canonical(env, gate->offset)) {
        x86_raise_exception_err(env, EXCP_GP, e->ext);
    }
    stack = x86_stack_new_64(env, frame_stack_64(env, e, gate, inward) & ~15ull, gate->new_cpl,
                             e->ext);
    frame[0] = env->segs[R_SS].selector;
    frame[1] = env->regs[R_ESP];
    frame[2] = e->return_flags;
    frame[3] = env->segs[R_CS].selector;
    frame[4] = e->return_rip;
    frame[5] = e->error_code;
    x86_stack_push_frame(&stack, frame, e->has_error ? 6 : 5);
    finish_delivery(env, gate, stack.sp, stack.mask);
    if (inward) {
        x86_set_segment_null(env, R_SS, gate->new_cpl, gate->new_cpl);
    }
}

/* ---- protected mode ----------------------------------------------------------------------------- */

static void push_vm86_segments(CPUX86State *env, X86Stack *stack, unsigned size)
{
    x86_stack_push(stack, env->segs[R_GS].selector, size);
    x86_stack_push(stack, env->segs[R_FS].selector, size);
    x86_stack_push(stack, env->segs[R_DS].selector, size);
    x86_stack_push(stack, env->segs[R_ES].selector, size);
}

static void clear_vm86_segments(CPUX86State *env)
{
    static const uint8_t segs[] = {R_ES, R_DS, R_FS, R_GS};

    for (unsigned i = 0; i < G_N_ELEMENTS(segs); i++) {
        x86_set_segment_null(env, segs[i], 0, 0);
    }
}

static void push_frame(CPUX86State *env, X86Stack *stack, const Event *e, unsigned size)
{
    x86_stack_push(stack, e->return_flags, size);
    x86_stack_push(stack, env->segs[R_CS].selector, size);
    x86_stack_push(stack, e->return_rip, size);
    if (e->has_error) {
        x86_stack_push(stack, e->error_code, size);
    }
}

static void check_gate_offset(CPUX86State *env, const Event *e, const Gate *gate)
{
    if ((uint32_t)gate->offset > desc_limit(&gate->code)) {
        x86_raise_exception_err(env, EXCP_GP, e->ext);
    }
}

static void deliver_inward(CPUX86State *env, const Event *e, Gate *gate)
{
    unsigned size = gate->type & 8 ? 4 : 2;
    bool vm86 = env->hflags & HF_VM;
    X86Descriptor ss_desc;
    SegmentCache ss;
    uint32_t new_esp;
    uint16_t new_ss;
    X86Stack stack;

    x86_tss_stack(env, gate->new_cpl, e->ext, &new_ss, &new_esp);
    x86_check_stack_segment(env, new_ss, gate->new_cpl, EXCP_TS, e->ext, &ss_desc);
    ss = x86_segment_cache(new_ss, &ss_desc);
    stack = x86_stack_new(env, &ss, new_esp, gate->new_cpl, selector_error(new_ss) + e->ext);
    check_gate_offset(env, e, gate);
    if (vm86) {
        push_vm86_segments(env, &stack, size);
    }
    x86_stack_push(&stack, env->segs[R_SS].selector, size);
    x86_stack_push(&stack, env->regs[R_ESP], size);
    push_frame(env, &stack, e, size);
    x86_set_accessed(env, &ss_desc);
    x86_set_accessed(env, &gate->code);
    env->regs[R_ESP] = new_esp;
    finish_delivery(env, gate, stack.sp, stack.mask);
    x86_set_segment(env, R_SS, new_ss, &ss_desc);
    if (vm86) {
        clear_vm86_segments(env);
    }
}

static void deliver_same_level(CPUX86State *env, const Event *e, Gate *gate)
{
    unsigned size = gate->type & 8 ? 4 : 2;
    X86Stack stack = x86_stack_current(env);

    stack.error = e->ext;
    check_gate_offset(env, e, gate);
    push_frame(env, &stack, e, size);
    finish_delivery(env, gate, stack.sp, stack.mask);
}

static void deliver_task_gate(CPUX86State *env, const Event *e, const X86Descriptor *d)
{
    X86Stack stack;

    x86_task_gate(env, d, TASK_GATE_EVENT, e->ext, e->return_rip);
    if (e->has_error) {
        stack = x86_stack_current(env);
        stack.error = e->ext;
        x86_stack_push(&stack, e->error_code, (env->tr.flags >> DESC_TYPE_SHIFT) & 8 ? 4 : 2);
        x86_stack_commit(&stack);
    }
}

static void deliver_protected(CPUX86State *env, const Event *e)
{
    X86Descriptor d;
    Gate gate = {0};

    read_gate(env, e, &d, &gate);
    if (gate.type == SYS_TASK_GATE) {
        deliver_task_gate(env, e, &d);
        return;
    }
    check_gate_code(env, e, &gate);
    if (env->hflags & HF_LMA) {
        deliver_64(env, e, &gate);
    } else if (gate.new_cpl < x86_cpl(env)) {
        deliver_inward(env, e, &gate);
    } else {
        deliver_same_level(env, e, &gate);
    }
}

/* ---- events --------------------------------------------------------------------------------------- */

static void log_event(CPUX86State *env, const Event *e)
{
    log_printf("cpu %d: %s %02x error %04x at %04x:%016" PRIx64 " sp %016" PRIx64 " cr2 %016" PRIx64
               " cpl %u\n",
               env_cpu(env)->cpu_index, e->soft ? "int" : "event", e->vector, e->error_code,
               env->segs[R_CS].selector, env->rip, env->regs[R_ESP], env->cr2, x86_cpl(env));
}

static void deliver_event(CPUX86State *env, const Event *e)
{
    if (log_enabled(LOG_INT)) {
        log_event(env, e);
    }
    if (env->hflags & HF_PE) {
        deliver_protected(env, e);
    } else {
        x86_deliver_real(env, e->vector, e->return_rip);
    }
    env->old_exception = -1;
    env->shadow = 0;
    env->monitor_armed = false;
    x86_update_hflags(env);
}

static bool vector_has_error(int vector)
{
    return vector == EXCP_DF || (vector >= EXCP_TS && vector <= EXCP_PF) || vector == EXCP_AC;
}

/* Faults set RF in the image, so that a breakpoint does not fire again (SDM vol. 3, 18.3.1.1). */
static bool is_fault(int vector)
{
    return vector != EXCP_DB && vector != EXCP_BP && vector != EXCP_OF && vector != EXCP_NMI;
}

void x86_deliver_exception(CPUX86State *env)
{
    int vector = env->exception_index;
    int is_int = env->exception_is_int;
    Event e = {
        .vector = vector,
        .soft = is_int == X86_EVENT_SOFT,
        .ext = is_int != X86_EVENT_SOFT,
        .has_error = !is_int && vector_has_error(vector),
        .error_code = env->error_code,
        .return_rip = is_int ? env->exception_next_rip : env->rip,
        .return_flags = env->rflags,
    };

    if (!is_int && is_fault(vector)) {
        e.return_flags |= RF_MASK;
    }
    env->exception_index = -1;
    env->exception_is_int = 0;
    env->old_exception = is_int ? -1 : vector;
    deliver_event(env, &e);
}

static void deliver_external(CPUX86State *env, int vector)
{
    Event e = {
        .vector = vector,
        .ext = 1,
        .return_rip = env->rip,
        .return_flags = env->rflags,
    };

    env->old_exception = -1;
    deliver_event(env, &e);
}

void x86_deliver_hard_interrupt(CPUX86State *env, int vector)
{
    deliver_external(env, vector);
}

void x86_deliver_nmi(CPUX86State *env)
{
    env->nmi_blocked = true;
    deliver_external(env, EXCP_NMI);
}
