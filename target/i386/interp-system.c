/* SPDX-License-Identifier: MIT
 *
 * Interpreted system instructions.  SDM vol. 2; vol. 3, 2.8; AMD APM vol. 3, ch. 4.
 */
#include <sched.h>
#include <string.h>
#include "hw/core/machine.h"
#include "target/i386/control.h"
#include "target/i386/interp.h"
#include "target/i386/smm.h"

static void need_protected(Interp *x)
{
    if (!x86_protected(x->env)) {
        interp_ud(x);
    }
}

/* User-mode instruction prevention (SDM vol. 3, 2.5, CR4.UMIP). */
static void need_umip(Interp *x)
{
    if ((x->env->cr4 & CR4_UMIP) && x86_cpl(x->env) != 0) {
        interp_gp(x);
    }
}

static void set_zero_flag(Interp *x, bool zero)
{
    x->env->rflags = (x->env->rflags & ~(uint64_t)CC_Z) | (zero ? CC_Z : 0);
}

static void set_edx_eax(Interp *x, uint64_t value)
{
    x->env->regs[R_EAX] = (uint32_t)value;
    x->env->regs[R_EDX] = value >> 32;
}

static uint64_t edx_eax(const Interp *x)
{
    return (uint32_t)x->env->regs[R_EAX] | x->env->regs[R_EDX] << 32;
}

/* ---- descriptor tables ------------------------------------------------------------------- */

static void store_selector(Interp *x, uint16_t selector)
{
    need_umip(x);
    interp_set_rm(x, x->insn->mod == 3 ? x->v : 2, selector);
}

void interp_group6(Interp *x)
{
    unsigned op = x->insn->reg & 7;
    uint16_t selector;

    need_protected(x);
    switch (op) {
    case 0:
        store_selector(x, x->env->ldt.selector);
        break;
    case 1:
        store_selector(x, x->env->tr.selector);
        break;
    case 2:
    case 3:
        interp_need_cpl0(x);
        selector = interp_rm(x, 2);
        if (op == 2) {
            x86_load_ldt(x->env, selector);
        } else {
            x86_load_tr(x->env, selector);
        }
        break;
    case 4:
    case 5:
        set_zero_flag(x, x86_verify(x->env, interp_rm(x, 2), op == 5));
        break;
    default:
        interp_ud(x);
    }
}

void interp_lar_lsl(Interp *x)
{
    uint16_t selector;
    uint32_t value;
    bool ok;

    need_protected(x);
    selector = interp_rm(x, 2);
    ok = x->insn->opcode & 1 ? x86_lsl(x->env, selector, &value)
                             : x86_lar(x->env, selector, &value);
    if (ok) {
        interp_set_reg(x, x->insn->reg, x->v, value);
    }
    set_zero_flag(x, ok);
}

static void store_table(Interp *x, const DescriptorTable *table)
{
    unsigned base_size = x->code64 ? 8 : 4;
    uint64_t linear;

    need_umip(x);
    linear = interp_linear(x, 2 + base_size, X86_WRITE);
    x86_probe(x->env, linear, 2 + base_size, X86_WRITE, X86_PRIV_CPL);
    x86_st(x->env, linear, table->limit, 2, X86_PRIV_CPL);
    x86_st(x->env, linear + 2, table->base, base_size, X86_PRIV_CPL);
}

static void load_table(Interp *x, DescriptorTable *table)
{
    unsigned base_size = x->code64 ? 8 : 4;
    uint64_t linear, base;
    uint16_t limit;

    interp_need_cpl0(x);
    linear = interp_linear(x, 2 + base_size, X86_READ);
    limit = x86_ld(x->env, linear, 2, X86_PRIV_CPL);
    base = x86_ld(x->env, linear + 2, base_size, X86_PRIV_CPL);
    if (x->v == 2) {
        base &= 0xffffff;
    }
    if (x->code64 && !x86_is_cpu_canonical(x->env, base)) {
        interp_gp(x);
    }
    table->limit = limit;
    table->base = base;
}

/* ---- 0f 01 ------------------------------------------------------------------------------------ */

static void smsw(Interp *x)
{
    need_umip(x);
    interp_set_rm(x, x->insn->mod == 3 ? x->v : 2, x->env->cr0);
}

static void lmsw(Interp *x)
{
    uint64_t value;

    interp_need_cpl0(x);
    value = interp_rm(x, 2) & 0xf;
    value |= x->env->cr0 & CR0_PE; /* it cannot be cleared so */
    x86_write_cr0(x->env, (x->env->cr0 & ~0xfull) | value);
    x->changed = true;
}

static void invlpg(Interp *x)
{
    uint64_t linear;

    interp_need_cpl0(x);
    linear = interp_offset(x);
    if (!x->code64 || x->insn->seg == R_FS || x->insn->seg == R_GS) {
        linear += x->env->segs[x->insn->seg].base;
    }
    x86_tlb_flush_page(x->env, x->code64 ? linear : (uint32_t)linear);
    x->changed = true;
}

static void swapgs(Interp *x)
{
    CPUX86State *env = x->env;
    uint64_t base = env->segs[R_GS].base;

    if (!x->code64) {
        interp_ud(x);
    }
    interp_need_cpl0(x);
    env->segs[R_GS].base = env->kernelgsbase;
    env->kernelgsbase = base;
}

static void clac_stac(Interp *x, bool set)
{
    if (x86_cpl(x->env) != 0) {
        interp_ud(x);
    }
    x->env->rflags = (x->env->rflags & ~(uint64_t)AC_MASK) | (set ? AC_MASK : 0);
    x86_update_hflags(x->env);
    x->changed = true;
}

static void xgetbv(Interp *x)
{
    uint32_t index = x->env->regs[R_ECX];

    if (!(x->env->cr4 & CR4_OSXSAVE)) {
        interp_ud(x);
    }
    /* XCR1: the components in use; saying that all are is always right. */
    if (index > 1 || (index == 1 && !interp_has(x, X86_FEATURE(FEAT_D_1_EAX, 2)))) {
        interp_gp(x);
    }
    set_edx_eax(x, x->env->xcr0);
}

static void xsetbv(Interp *x)
{
    if (!(x->env->cr4 & CR4_OSXSAVE)) {
        interp_ud(x);
    }
    interp_need_cpl0(x);
    if ((uint32_t)x->env->regs[R_ECX] != 0) {
        interp_gp(x);
    }
    x86_write_xcr0(x->env, edx_eax(x));
    x->changed = true;
}

static void rdpkru(Interp *x)
{
    if (!(x->env->cr4 & CR4_PKE)) {
        interp_ud(x);
    }
    if ((uint32_t)x->env->regs[R_ECX]) {
        interp_gp(x);
    }
    set_edx_eax(x, x->env->pkru);
}

static void wrpkru(Interp *x)
{
    if (!(x->env->cr4 & CR4_PKE)) {
        interp_ud(x);
    }
    if ((uint32_t)x->env->regs[R_ECX] || (uint32_t)x->env->regs[R_EDX]) {
        interp_gp(x);
    }
    x->env->pkru = x->env->regs[R_EAX];
    x86_tlb_flush(x->env, false);
    x->changed = true;
}

static void rdtscp(Interp *x)
{
    interp_rdtsc(x);
    x->env->regs[R_ECX] = (uint32_t)x->env->tsc_aux;
}

static void clzero(Interp *x)
{
    static const uint8_t zero[64];
    const X86Insn *i = x->insn;
    uint64_t offset = x->env->regs[R_EAX] & interp_mask(i->addrsize) & ~63ull;
    int seg = i->seg_override >= 0 ? i->seg_override : R_DS;

    x86_st_bytes(x->env, x86_linear(x->env, seg, offset, 64, X86_WRITE), zero, 64, X86_PRIV_CPL);
}

static void monitor(Interp *x)
{
    const X86Insn *i = x->insn;
    uint64_t offset = x->env->regs[R_EAX] & interp_mask(i->addrsize);
    int seg = i->seg_override >= 0 ? i->seg_override : R_DS;

    if (x86_cpl(x->env) != 0) {
        interp_ud(x);
    }
    if ((uint32_t)x->env->regs[R_ECX]) {
        interp_gp(x);
    }
    x86_probe(x->env, x86_linear(x->env, seg, offset, 1, X86_READ), 1, X86_READ, X86_PRIV_CPL);
    x->env->monitor_armed = true;
}

/*
 * A store that ends the wait cannot be seen, so the wait is over at once, as is allowed: but with
 * one CPU, where only an interrupt can come between.
 */
static void mwait(Interp *x)
{
    CPUX86State *env = x->env;
    bool alone = env_cpu(env)->machine->smp.max_cpus == 1;

    if (x86_cpl(env) != 0) {
        interp_ud(x);
    }
    if ((uint32_t)env->regs[R_ECX] & ~1u) {
        interp_gp(x);
    }
    if (env->monitor_armed && alone && (env->rflags & IF_MASK)) {
        atomic_store(&env_cpu(env)->halted, true);
    } else {
        sched_yield();
    }
    env->monitor_armed = false;
    x->changed = true;
}

/* Register forms: reg and rm of ModRM name the instruction. */
static void group7_register(Interp *x)
{
    switch (x->insn->modrm) {
    case 0xc8:
        monitor(x);
        break;
    case 0xc9:
        mwait(x);
        break;
    case 0xca:
    case 0xcb:
        clac_stac(x, x->insn->modrm & 1);
        break;
    case 0xd0:
        xgetbv(x);
        break;
    case 0xd1:
        xsetbv(x);
        break;
    case 0xe8: /* serialize */
        break;
    case 0xee:
        rdpkru(x);
        break;
    case 0xef:
        wrpkru(x);
        break;
    case 0xf8:
        swapgs(x);
        break;
    case 0xf9:
        rdtscp(x);
        break;
    case 0xfc:
        clzero(x);
        break;
    default:
        interp_ud(x);
    }
}

void interp_group7(Interp *x)
{
    unsigned op = x->insn->reg & 7;
    bool memory = x->insn->mod != 3;

    if (op == 4) {
        smsw(x);
    } else if (op == 6) {
        lmsw(x);
    } else if (!memory) {
        group7_register(x);
    } else if (op == 7) {
        invlpg(x);
    } else if (op < 2) {
        store_table(x, op ? &x->env->idt : &x->env->gdt);
    } else if (op < 4) {
        load_table(x, op & 1 ? &x->env->idt : &x->env->gdt);
    } else {
        interp_ud(x);
    }
}

/* ---- control and debug registers -------------------------------------------------------------- */

static uint64_t read_cr(Interp *x, unsigned n)
{
    CPUX86State *env = x->env;

    switch (n) {
    case 0:
        return env->cr0;
    case 2:
        return env->cr2;
    case 3:
        return env->cr3;
    case 4:
        return env->cr4;
    case 8:
        return x86_read_cr8(env);
    default:
        interp_ud(x);
    }
}

static void write_cr(Interp *x, unsigned n, uint64_t value)
{
    switch (n) {
    case 0:
        x86_write_cr0(x->env, value);
        break;
    case 2:
        x->env->cr2 = value;
        break;
    case 3:
        x86_write_cr3(x->env, value);
        break;
    case 4:
        x86_write_cr4(x->env, value);
        break;
    case 8:
        x86_write_cr8(x->env, value);
        break;
    default:
        interp_ud(x);
    }
}

static unsigned cr_number(const Interp *x)
{
    /* AMD: lock mov cr0 reaches CR8 outside 64-bit mode. */
    return x->insn->lock && (x->insn->reg & 7) == 0 ? 8 : x->insn->reg;
}

void interp_mov_cr(Interp *x)
{
    unsigned n = cr_number(x), size = x->code64 ? 8 : 4;

    if (n != 0 && n != 2 && n != 3 && n != 4 && n != 8) {
        interp_ud(x);
    }
    interp_need_cpl0(x);
    if (x->insn->opcode & 2) {
        write_cr(x, n, interp_reg(x, x->insn->rm, size));
        x->changed = true;
    } else {
        interp_set_reg(x, x->insn->rm, size, read_cr(x, n));
    }
}

void interp_mov_dr(Interp *x)
{
    CPUX86State *env = x->env;
    unsigned n = x->insn->reg, size = x->code64 ? 8 : 4;

    if (n > 7 || ((n == 4 || n == 5) && (env->cr4 & CR4_DE))) {
        interp_ud(x);
    }
    interp_need_cpl0(x);
    if (n == 4 || n == 5) {
        n += 2;
    }
    if (env->dr[7] & DR7_GD) {
        x86_raise_debug(env, DR6_BD);
    }
    if (x->insn->opcode & 2) {
        x86_write_dr(env, n, interp_reg(x, x->insn->rm, size));
        x->changed = true;
    } else {
        interp_set_reg(x, x->insn->rm, size, env->dr[n]);
    }
}

void interp_clts(Interp *x)
{
    interp_need_cpl0(x);
    x->env->cr0 &= ~(uint64_t)CR0_TS;
    x86_update_hflags(x->env);
    x->changed = true;
}

/* ---- MSRs, counters, identification --------------------------------------------------------------- */

void interp_msr(Interp *x)
{
    uint32_t index = x->env->regs[R_ECX];
    uint64_t value;

    interp_need_cpl0(x);
    if (x->insn->opcode & 2) {
        if (!x86_rdmsr(x->env, index, &value)) {
            interp_gp(x);
        }
        set_edx_eax(x, value);
        return;
    }
    if (!x86_wrmsr(x->env, index, edx_eax(x))) {
        interp_gp(x);
    }
    x->changed = true;
}

void interp_rdtsc(Interp *x)
{
    CPUState *cs = env_cpu(x->env);
    MachineState *machine = cs->machine;
    uint64_t tsc;

    if ((x->env->cr4 & CR4_TSD) && x86_cpl(x->env) != 0) {
        interp_gp(x);
    }
    /*
     * It is the boot processor that checks timers by the TSC; many others would never get on.  What
     * is due at the time that it reads has been done when it goes on: the wait shows in the
     * next reading only, as any other delay does.
     */
    tsc = x86_cpu_guest_tsc(x->env);
    if (machine && machine->loop && cs->cpu_index == 0) {
        event_loop_await_timers(machine->loop);
    }
    set_edx_eax(x, tsc);
}

/* There are no performance counters. */
void interp_rdpmc(Interp *x)
{
    interp_gp(x);
}

void interp_cpuid(Interp *x)
{
    uint64_t *r = x->env->regs;
    uint32_t a, b, c, d;

    x86_cpuid(x->env, r[R_EAX], r[R_ECX], &a, &b, &c, &d);
    r[R_EAX] = a;
    r[R_EBX] = b;
    r[R_ECX] = c;
    r[R_EDX] = d;
}

void interp_rdpid(Interp *x)
{
    interp_set_reg(x, x->insn->rm, x->code64 ? 8 : 4, (uint32_t)x->env->tsc_aux);
}

void interp_fsgsbase(Interp *x)
{
    CPUX86State *env = x->env;
    unsigned op = x->insn->reg & 7, size = x->insn->rex & 8 ? 8 : 4;
    SegmentCache *s = &env->segs[op & 1 ? R_GS : R_FS];
    uint64_t value;

    if (!x->code64 || !(env->cr4 & CR4_FSGSBASE)) {
        interp_ud(x);
    }
    if (op < 2) {
        interp_set_reg(x, x->insn->rm, size, s->base);
        return;
    }
    value = interp_reg(x, x->insn->rm, size);
    if (!x86_is_cpu_canonical(env, value)) {
        interp_gp(x);
    }
    s->base = value;
}

/* ---- others -------------------------------------------------------------------------------------- */

void interp_hlt(Interp *x)
{
    interp_need_cpl0(x);
    atomic_store(&env_cpu(x->env)->halted, true);
    x->changed = true;
}

void interp_rsm(Interp *x)
{
    if (!x->env->smm) {
        interp_ud(x);
    }
    if (!x86_leave_smm(x->env)) {
        x86_shutdown(x->env);
    }
    x->jumped = x->changed = true;
}

/* Caches are the host's and coherent. */
void interp_wbinvd(Interp *x)
{
    interp_need_cpl0(x);
}

void interp_invpcid(Interp *x)
{
    CPUX86State *env = x->env;
    uint64_t type = interp_reg(x, x->insn->reg, x->code64 ? 8 : 4), linear, pcid, address;

    interp_need_cpl0(x);
    linear = interp_linear(x, 16, X86_READ);
    pcid = x86_ld(env, linear, 8, X86_PRIV_CPL);
    address = x86_ld(env, linear + 8, 8, X86_PRIV_CPL);
    if (type > 3 || pcid >> 12 ||
        (type < 2 && !(env->cr4 & CR4_PCIDE) && pcid) ||
        (type == 0 && !x86_is_cpu_canonical(env, address))) {
        interp_gp(x);
    }
    if (type == 0) {
        x86_tlb_flush_page(env, address);
    } else {
        x86_tlb_flush(env, type != 2); /* 2: globals too */
    }
    x->changed = true;
}
