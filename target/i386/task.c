/* SPDX-License-Identifier: MIT
 *
 * Task-state segments: hardware task switch, inner stacks, I/O permission map.
 * SDM vol. 3, chapter 8 (tasks), 6.14.4-5 (64-bit stacks); vol. 1, 19.5 (I/O map);
 * vol. 3, 20.3.3 (interrupt redirection map).
 */
#include <string.h>
#include "target/i386/control.h"
#include "target/i386/segment.h"

/* Offsets in the two TSS formats (SDM vol. 3, figures 8-2 and 8-10). */
typedef struct TSSLayout {
    uint8_t word;       /* bytes of a register slot */
    uint8_t first, end; /* the dynamic fields, which a switch saves */
    uint8_t regs, segs, ldt;
    uint8_t min_limit;
    uint8_t nr_segs;
} TSSLayout;

static const TSSLayout tss16 = {2, 14, 42, 18, 34, 42, 0x2b, 4};
static const TSSLayout tss32 = {4, 32, 96, 40, 72, 96, 0x67, 6};

#define TSS_LINK   0
#define TSS_CR3    28
#define TSS_TRAP   100
#define TSS_IOMAP  0x66
#define TSS_SIZE   104

typedef struct TaskState {
    uint32_t cr3, eip, eflags;
    uint32_t regs[8];
    uint16_t segs[R_SEG_COUNT];
    uint16_t ldt;
    bool trap;
} TaskState;

/* Order of the selectors in a TSS. */
static const uint8_t tss_segs[] = {R_ES, R_CS, R_SS, R_DS, R_FS, R_GS};

static bool type_is_32(unsigned type)
{
    return type & 8;
}

static const TSSLayout *tss_layout(unsigned type)
{
    return type_is_32(type) ? &tss32 : &tss16;
}

static unsigned tr_type(const CPUX86State *env)
{
    return (env->tr.flags >> DESC_TYPE_SHIFT) & 15;
}

/* ---- inner stacks ------------------------------------------------------------------- */

void x86_tss_stack(CPUX86State *env, unsigned cpl, uint16_t ext, uint16_t *ret_ss,
                   uint32_t *ret_esp)
{
    unsigned word = type_is_32(tr_type(env)) ? 4 : 2;
    uint32_t offset = (cpl * 2 + 1) * word;

    if (offset + word * 2 - 1 > env->tr.limit) {
        x86_raise_exception_err(env, EXCP_TS, selector_error(env->tr.selector) + ext);
    }
    *ret_esp = x86_ld(env, env->tr.base + offset, word, X86_PRIV_SYSTEM);
    *ret_ss = x86_ld(env, env->tr.base + offset + word, 2, X86_PRIV_SYSTEM);
}

uint64_t x86_tss_stack_64(CPUX86State *env, unsigned index, uint16_t ext)
{
    uint32_t offset = 4 + index * 8;
    uint64_t rsp;

    if (offset + 7 > env->tr.limit) {
        x86_raise_exception_err(env, EXCP_TS, selector_error(env->tr.selector) + ext);
    }
    rsp = x86_ld(env, env->tr.base + offset, 8, X86_PRIV_SYSTEM);
    if (!x86_is_canonical(env, rsp)) {
        x86_raise_exception_err(env, EXCP_SS, ext);
    }
    return rsp;
}

/* ---- permission maps ------------------------------------------------------------------- */

static bool io_map_allows(CPUX86State *env, uint16_t port, unsigned size)
{
    uint32_t offset, bits;

    if (!type_is_32(tr_type(env)) || env->tr.limit < TSS_IOMAP + 1) {
        return false;
    }
    offset = x86_ld(env, env->tr.base + TSS_IOMAP, 2, X86_PRIV_SYSTEM) + (port >> 3);
    if (offset + 1 > env->tr.limit) {
        return false;
    }
    bits = x86_ld(env, env->tr.base + offset, 2, X86_PRIV_SYSTEM) >> (port & 7);
    return !(bits & ((1u << size) - 1));
}

void x86_check_io(CPUX86State *env, uint16_t port, unsigned size)
{
    if (!(env->hflags & HF_PE) ||
        (!(env->hflags & HF_VM) && x86_cpl(env) <= x86_iopl(env)) ||
        io_map_allows(env, port, size)) {
        return;
    }
    x86_raise_exception_err(env, EXCP_GP, 0);
}

bool x86_vm86_int_redirected(CPUX86State *env, int vector)
{
    uint32_t offset;

    if (!(env->cr4 & CR4_VME) || !type_is_32(tr_type(env)) || env->tr.limit < TSS_IOMAP + 1) {
        return false;
    }
    offset = x86_ld(env, env->tr.base + TSS_IOMAP, 2, X86_PRIV_SYSTEM) - 32 + (vector >> 3);
    if (offset > env->tr.limit) {
        return false;
    }
    return !(x86_ld(env, env->tr.base + offset, 1, X86_PRIV_SYSTEM) >> (vector & 7) & 1);
}

/* ---- reading and writing a TSS -------------------------------------------------------------- */

static uint32_t get_word(const uint8_t *p, unsigned size)
{
    uint32_t low = p[0] | p[1] << 8;

    return size == 4 ? low | (uint32_t)(p[2] | p[3] << 8) << 16 : low;
}

static void put_word(uint8_t *p, unsigned size, uint32_t value)
{
    for (unsigned i = 0; i < size; i++) {
        p[i] = value >> (i * 8);
    }
}

static void read_task(CPUX86State *env, uint64_t base, const TSSLayout *l, TaskState *t)
{
    uint8_t raw[TSS_SIZE] = {0};

    x86_ld_bytes(env, base, raw, l->min_limit + 1, X86_PRIV_SYSTEM);
    *t = (TaskState){
        .eip = get_word(raw + l->first, l->word),
        .eflags = get_word(raw + l->first + l->word, l->word),
        .ldt = get_word(raw + l->ldt, 2),
    };
    for (int i = 0; i < 8; i++) {
        t->regs[i] = get_word(raw + l->regs + i * l->word, l->word);
    }
    for (int i = 0; i < l->nr_segs; i++) {
        t->segs[tss_segs[i]] = get_word(raw + l->segs + i * l->word, 2);
    }
    if (l->word == 4) {
        t->cr3 = get_word(raw + TSS_CR3, 4);
        t->trap = raw[TSS_TRAP] & 1;
    }
}

static void save_task(CPUX86State *env, uint32_t eip, uint32_t eflags)
{
    const TSSLayout *l = tss_layout(tr_type(env));
    uint8_t raw[TSS_SIZE] = {0};

    put_word(raw + l->first, l->word, eip);
    put_word(raw + l->first + l->word, l->word, eflags);
    for (int i = 0; i < 8; i++) {
        put_word(raw + l->regs + i * l->word, l->word, env->regs[i]);
    }
    for (int i = 0; i < l->nr_segs; i++) {
        put_word(raw + l->segs + i * l->word, l->word, env->segs[tss_segs[i]].selector);
    }
    x86_st_bytes(env, env->tr.base + l->first, raw + l->first, l->end - l->first, X86_PRIV_SYSTEM);
}

static void set_busy(CPUX86State *env, uint64_t desc_addr, bool busy)
{
    uint32_t hi = x86_ld(env, desc_addr + 4, 4, X86_PRIV_SYSTEM);

    hi = busy ? hi | 2u << DESC_TYPE_SHIFT : hi & ~(2u << DESC_TYPE_SHIFT);
    x86_st(env, desc_addr + 4, hi, 4, X86_PRIV_SYSTEM);
}

/* ---- loading the new task's segments: faults are its own ------------------------------------ */

static void load_task_ldt(CPUX86State *env, uint16_t selector)
{
    X86Descriptor d;

    if (selector_is_null(selector)) {
        return;
    }
    if ((selector & 4) || !x86_fetch_descriptor(env, selector, &d) || !desc_is_system(&d) ||
        desc_type(&d) != SYS_LDT || !desc_present(&d)) {
        x86_raise_exception_err(env, EXCP_TS, selector_error(selector));
    }
    env->ldt = x86_segment_cache(selector, &d);
}

static void load_task_cs(CPUX86State *env, uint16_t selector)
{
    X86Descriptor d;
    unsigned rpl = selector_rpl(selector);

    if (selector_is_null(selector)) {
        x86_raise_exception_err(env, EXCP_TS, 0);
    }
    x86_need_descriptor(env, selector, EXCP_TS, 0, &d);
    if (!desc_is_code(&d) || (desc_is_conforming(&d) ? desc_dpl(&d) > rpl : desc_dpl(&d) != rpl)) {
        x86_raise_exception_err(env, EXCP_TS, selector_error(selector));
    }
    if (!desc_present(&d)) {
        x86_raise_exception_err(env, EXCP_NP, selector_error(selector));
    }
    x86_set_cs(env, selector, &d, rpl);
}

static void load_task_data(CPUX86State *env, int seg, uint16_t selector)
{
    X86Descriptor d;
    bool conforming;

    if (selector_is_null(selector)) {
        return;
    }
    x86_need_descriptor(env, selector, EXCP_TS, 0, &d);
    conforming = desc_is_code(&d) && desc_is_conforming(&d);
    if (!desc_is_readable(&d) ||
        (!conforming && MAX(selector_rpl(selector), x86_cpl(env)) > desc_dpl(&d))) {
        x86_raise_exception_err(env, EXCP_TS, selector_error(selector));
    }
    if (!desc_present(&d)) {
        x86_raise_exception_err(env, EXCP_NP, selector_error(selector));
    }
    x86_set_accessed(env, &d);
    x86_set_segment(env, seg, selector, &d);
}

static void load_task_segments(CPUX86State *env, const TaskState *t)
{
    static const uint8_t data[] = {R_ES, R_DS, R_FS, R_GS};
    unsigned cpl = selector_rpl(t->segs[R_CS]);
    X86Descriptor d;

    load_task_ldt(env, t->ldt);
    if (env->rflags & VM_MASK) {
        for (int i = 0; i < R_SEG_COUNT; i++) {
            x86_set_segment_real(env, i, t->segs[i]);
        }
        return;
    }
    load_task_cs(env, t->segs[R_CS]);
    x86_check_stack_segment(env, t->segs[R_SS], cpl, EXCP_TS, 0, &d);
    x86_set_accessed(env, &d);
    x86_set_segment(env, R_SS, t->segs[R_SS], &d);
    x86_update_hflags(env);
    for (unsigned i = 0; i < G_N_ELEMENTS(data); i++) {
        load_task_data(env, data[i], t->segs[data[i]]);
    }
}

/* ---- the switch ---------------------------------------------------------------------------------- */

/* The new registers, with every segment still unusable. */
static void install_task(CPUX86State *env, const TaskState *t, bool nested)
{
    unsigned cpl = t->eflags & VM_MASK ? 3 : selector_rpl(t->segs[R_CS]);

    env->rip = t->eip;
    env->rflags = t->eflags | 2 | (nested ? NT_MASK : 0);
    for (int i = 0; i < 8; i++) {
        env->regs[i] = t->regs[i];
    }
    for (int i = 0; i < R_SEG_COUNT; i++) {
        x86_set_segment_null(env, i, t->segs[i], cpl);
    }
    env->ldt = (SegmentCache){.selector = t->ldt, .flags = DESC_UNUSABLE};
    env->cr0 |= CR0_TS;
    env->dr[7] &= ~0x155ull; /* local enables and LE */
    x86_update_hflags(env);
}

static void check_new_tss(CPUX86State *env, uint16_t selector, const X86Descriptor *d,
                          X86TaskSwitch how)
{
    bool busy = desc_type(d) & 2;

    if (busy != (how == TASK_IRET)) {
        x86_raise_exception_err(env, how == TASK_IRET ? EXCP_TS : EXCP_GP,
                                selector_error(selector));
    }
    if (!desc_present(d)) {
        x86_raise_exception_err(env, EXCP_NP, selector_error(selector));
    }
    if (desc_limit(d) < tss_layout(desc_type(d))->min_limit) {
        x86_raise_exception_err(env, EXCP_TS, selector_error(selector));
    }
}

static void leave_task(CPUX86State *env, X86TaskSwitch how, uint64_t next_rip)
{
    uint32_t eflags = env->rflags;

    if (how == TASK_IRET) {
        eflags &= ~NT_MASK;
    }
    save_task(env, next_rip, eflags);
    if (how == TASK_JMP || how == TASK_IRET) {
        set_busy(env, env->gdt.base + (env->tr.selector & 0xfff8), false);
    }
}

static void switch_cr3(CPUX86State *env, const TaskState *t, unsigned type)
{
    if (type_is_32(type) && (env->cr0 & CR0_PG) && !x86_load_cr3(env, t->cr3)) {
        x86_raise_exception_err(env, EXCP_TS, selector_error(env->tr.selector));
    }
}

void x86_task_switch(CPUX86State *env, uint16_t selector, const X86Descriptor *d,
                     X86TaskSwitch how, uint64_t next_rip)
{
    bool nested = how == TASK_CALL || how == TASK_GATE_EVENT;
    const TSSLayout *l = tss_layout(desc_type(d));
    uint16_t old = env->tr.selector;
    TaskState t;

    check_new_tss(env, selector, d, how);
    read_task(env, desc_base(d), l, &t);
    x86_probe(env, desc_base(d), 2, nested ? X86_WRITE : X86_READ, X86_PRIV_SYSTEM);
    leave_task(env, how, next_rip);
    if (nested) {
        x86_st(env, desc_base(d) + TSS_LINK, old, 2, X86_PRIV_SYSTEM);
    }
    if (how != TASK_IRET) {
        set_busy(env, d->addr, true);
    }
    env->tr = x86_segment_cache(selector, d);
    env->tr.flags |= 2u << DESC_TYPE_SHIFT;
    install_task(env, &t, nested);
    switch_cr3(env, &t, desc_type(d));
    load_task_segments(env, &t);
    x86_update_hflags(env);
    if (!(env->rflags & VM_MASK) && t.eip > env->segs[R_CS].limit) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
    if (t.trap) {
        x86_raise_debug(env, DR6_BT);
    }
}

void x86_task_gate(CPUX86State *env, const X86Descriptor *gate, X86TaskSwitch how, uint16_t ext,
                   uint64_t next_rip)
{
    uint16_t selector = gate->lo >> 16;
    X86Descriptor d;
    unsigned type;

    if ((selector & 4) || !x86_fetch_descriptor(env, selector, &d)) {
        x86_raise_exception_err(env, EXCP_GP, selector_error(selector) + ext);
    }
    type = desc_type(&d);
    if (!desc_is_system(&d) || (type != SYS_TSS16_AVAILABLE && type != SYS_TSS32_AVAILABLE)) {
        x86_raise_exception_err(env, EXCP_GP, selector_error(selector) + ext);
    }
    if (!desc_present(&d)) {
        x86_raise_exception_err(env, EXCP_NP, selector_error(selector) + ext);
    }
    x86_task_switch(env, selector, &d, how, next_rip);
}
