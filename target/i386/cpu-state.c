/* SPDX-License-Identifier: MIT
 *
 * Derived and initial CPU state: hflags, reset (SDM vol. 3, table 9-1), INIT
 * and start-up IPI (SDM vol. 3, 8.4), segmented addresses (5.3, 5.5; vol. 1, 3.3.7.1).
 */
#include <string.h>
#include "target/i386/apic.h"
#include "target/i386/cpu.h"
#include "target/i386/exception.h"
#include "target/i386/mmu.h"
#include "target/i386/segment.h"
#include "target/i386/xsave.h"

/* ---- hflags ------------------------------------------------------------------ */

static unsigned derive_cpl(const CPUX86State *env)
{
    if (!(env->cr0 & CR0_PE)) {
        return 0;
    }
    if (env->rflags & VM_MASK) {
        return 3;
    }
    return (env->segs[R_SS].flags & DESC_DPL_MASK) >> DESC_DPL_SHIFT;
}

/* Base 0, 4 GiB, expand-up, writable: an access through it needs no check. */
static bool segment_is_flat_data(const SegmentCache *s)
{
    const uint32_t mask = DESC_UNUSABLE | DESC_CS_MASK | DESC_EC_MASK | DESC_RW_MASK | DESC_P_MASK;

    return s->base == 0 && s->limit == 0xffffffff &&
           (s->flags & mask) == (DESC_RW_MASK | DESC_P_MASK);
}

static uint32_t segment_hflags(const CPUX86State *env)
{
    const SegmentCache *cs = &env->segs[R_CS];
    bool lma = env->efer & MSR_EFER_LMA;
    uint32_t hf = 0;

    if (lma && (cs->flags & DESC_L_MASK)) {
        return HF_CS64 | HF_SS32 | HF_FLAT_DS;
    }
    if (cs->flags & DESC_B_MASK) {
        hf |= HF_CS32;
    }
    if (env->segs[R_SS].flags & DESC_B_MASK) {
        hf |= HF_SS32;
    }
    if (cs->base || cs->limit != 0xffffffff) {
        hf |= HF_CSBASE;
    }
    if (segment_is_flat_data(&env->segs[R_DS]) && segment_is_flat_data(&env->segs[R_ES]) &&
        segment_is_flat_data(&env->segs[R_SS])) {
        hf |= HF_FLAT_DS;
    } else {
        hf |= HF_ADDSEG;
    }
    return hf;
}

static uint32_t vector_hflags(const CPUX86State *env)
{
    uint32_t hf = 0;

    if (env->cr4 & CR4_OSFXSR) {
        hf |= HF_OSFXSR;
    }
    if (!(env->cr4 & CR4_OSXSAVE)) {
        return hf;
    }
    hf |= HF_OSXSAVE;
    if ((env->xcr0 & (XSTATE_SSE | XSTATE_AVX)) == (XSTATE_SSE | XSTATE_AVX)) {
        hf |= HF_AVX;
        if ((env->xcr0 & XSTATE_AVX512) == XSTATE_AVX512) {
            hf |= HF_AVX512;
        }
    }
    return hf;
}

void x86_update_hflags(CPUX86State *env)
{
    uint32_t hf = derive_cpl(env) | segment_hflags(env) | vector_hflags(env);

    hf |= env->cr0 & CR0_PE ? HF_PE : 0;
    hf |= env->cr0 & CR0_MP ? HF_MP : 0;
    hf |= env->cr0 & CR0_EM ? HF_EM : 0;
    hf |= env->cr0 & CR0_TS ? HF_TS : 0;
    hf |= env->cr0 & CR0_NE ? HF_NE : 0;
    hf |= env->rflags & VM_MASK ? HF_VM : 0;
    hf |= env->rflags & TF_MASK ? HF_TF : 0;
    hf |= env->efer & MSR_EFER_LMA ? HF_LMA : 0;
    hf |= (env->rflags & IOPL_MASK) >> IOPL_SHIFT << HF_IOPL_SHIFT;
    hf |= env->smm ? HF_SMM : 0;
    hf |= env->dr[7] & 0xff ? HF_DRX : 0;
    if ((env->rflags & AC_MASK) && (env->cr0 & CR0_AM) && (hf & HF_CPL_MASK) == 3) {
        hf |= HF_AC;
    }
    if ((env->cr4 & CR4_TSD) && (hf & HF_CPL_MASK)) {
        hf |= HF_TSD;
    }
    env->hflags = hf;
}

/* ---- segmented addresses --------------------------------------------------------- */

static G_NORETURN void segment_fault(CPUX86State *env, int seg)
{
    x86_raise_exception_err(env, seg == R_SS ? EXCP_SS : EXCP_GP, 0);
}

/* An access that ends in the hole is two: the page before it is looked at first. */
static G_NORETURN void fault_into_hole(CPUX86State *env, int seg, uint64_t linear,
                                       X86Access access)
{
    x86_probe(env, linear, 1, access, X86_PRIV_CPL);
    segment_fault(env, seg);
}

static uint64_t linear_64(CPUX86State *env, int seg, uint64_t offset, size_t len,
                          X86Access access)
{
    uint64_t linear = offset;

    if (seg == R_FS || seg == R_GS) {
        linear += env->segs[seg].base;
    }
    if (!x86_is_canonical(env, linear)) {
        segment_fault(env, seg);
    }
    if (!x86_is_canonical(env, linear + len - 1)) {
        fault_into_hole(env, seg, linear, access);
    }
    return linear;
}

static bool segment_type_allows(const CPUX86State *env, const SegmentCache *s, X86Access access)
{
    if (!(env->cr0 & CR0_PE) || (env->rflags & VM_MASK)) {
        return true; /* SDM vol. 3, 20.1.1: limits are checked there, types are not */
    }
    if (s->flags & DESC_UNUSABLE) {
        return false;
    }
    switch (access) {
    case X86_READ:
        return !(s->flags & DESC_CS_MASK) || (s->flags & DESC_RW_MASK);
    case X86_WRITE:
        return !(s->flags & DESC_CS_MASK) && (s->flags & DESC_RW_MASK);
    default:
        return true;
    }
}

bool x86_segment_limit_ok(const SegmentCache *s, uint32_t offset, size_t len)
{
    uint64_t last = (uint64_t)offset + len - 1;

    if ((s->flags & (DESC_CS_MASK | DESC_EC_MASK)) == DESC_EC_MASK) {
        return offset > s->limit && last <= (s->flags & DESC_B_MASK ? 0xffffffff : 0xffff);
    }
    /* A full segment wraps at 4 GiB rather than faults (SDM vol. 3, 5.3: either is allowed). */
    return s->limit == 0xffffffff || last <= s->limit;
}

void x86_check_access(CPUX86State *env, uint64_t linear, size_t len, X86Access access)
{
    bool power_of_two = !(len & (len - 1));

    if ((env->hflags & HF_AC) && power_of_two && len <= 8 && (linear & (len - 1))) {
        x86_probe(env, linear, len, access, X86_PRIV_CPL); /* page faults come first */
        x86_raise_exception_err(env, EXCP_AC, 0);
    }
    if (env->hflags & HF_DRX) {
        env->debug_hits |= x86_match_breakpoints(env, linear, len, access == X86_WRITE
                                                                       ? X86_BP_WRITE : X86_BP_RW);
    }
}

static uint64_t linear_of(CPUX86State *env, int seg, uint64_t offset, size_t len,
                          X86Access access)
{
    const SegmentCache *s = &env->segs[seg];

    if (env->hflags & HF_CS64) {
        return linear_64(env, seg, offset, len, access);
    }
    if (!segment_type_allows(env, s, access) || !x86_segment_limit_ok(s, offset, len)) {
        segment_fault(env, seg);
    }
    return (uint32_t)(s->base + offset);
}

uint64_t x86_linear(CPUX86State *env, int seg, uint64_t offset, size_t len, X86Access access)
{
    uint64_t linear = linear_of(env, seg, offset, len, access);

    if ((env->hflags & (HF_AC | HF_DRX)) && access != X86_FETCH) {
        x86_check_access(env, linear, len, access);
    }
    return linear;
}

/* ---- reset ------------------------------------------------------------------------ */

static void reset_segments(CPUX86State *env)
{
    for (int i = 0; i < R_SEG_COUNT; i++) {
        env->segs[i] = (SegmentCache){
            .limit = 0xffff,
            .flags = DESC_P_MASK | DESC_S_MASK | DESC_RW_MASK | DESC_A_MASK,
        };
    }
    env->segs[R_CS].selector = 0xf000;
    env->segs[R_CS].base = 0xffff0000;
    env->segs[R_CS].flags |= DESC_CS_MASK;
    env->ldt = (SegmentCache){.limit = 0xffff, .flags = DESC_P_MASK | 2 << DESC_TYPE_SHIFT};
    env->tr = (SegmentCache){.limit = 0xffff, .flags = DESC_P_MASK | 11 << DESC_TYPE_SHIFT};
    env->gdt = (DescriptorTable){.limit = 0xffff};
    env->idt = (DescriptorTable){.limit = 0xffff};
}

static void reset_control(CPUX86State *env, bool init_only)
{
    /* INIT leaves CR0.CD and NW. */
    uint64_t cache = init_only ? env->cr0 & (CR0_CD | CR0_NW) : CR0_CD | CR0_NW;

    env->cr0 = CR0_ET | cache;
    env->cr2 = env->cr3 = env->cr4 = env->cr8 = 0;
    env->efer = 0;
    env->rflags = 2;
    env->rip = 0xfff0;
    memset(env->regs, 0, sizeof(env->regs));
    env->regs[R_EDX] = x86_cpuid_signature(&env_archcpu(env)->cpuid);
    memset(env->dr, 0, sizeof(env->dr));
    env->dr[6] = 0xffff0ff0;
    env->dr[7] = 0x400;
    memset(env->pdptr, 0, sizeof(env->pdptr));
    env->debugctl = 0;
}

static void reset_events(CPUX86State *env)
{
    env->shadow = 0;
    env->debug_held = 0;
    env->wait_for_sipi = false;
    env->exception_index = -1;
    env->exception_is_int = 0;
    env->old_exception = -1;
    env->nmi_blocked = false;
    env->smm = false;
}

static void reset_power_on(CPUX86State *env)
{
    env->xcr0 = XSTATE_FP;
    env->xss = 0;
    env->pkru = env->pkrs = 0;
    env->smbase = 0x30000;
    env->a20_closed = false;
    env->a20_mask = UINT64_MAX;
    env->smi_count = 0;
    env->star = env->lstar = env->cstar = env->fmask = env->kernelgsbase = 0;
    env->sysenter_cs = env->sysenter_esp = env->sysenter_eip = 0;
    env->tsc_aux = env->tsc_deadline = 0;
    env->feature_control = 0;
    env->misc_enable = 1; /* fast strings */
    env->spec_ctrl = env->virt_ssbd = 0;
    memset(env->hv_or_kvm_msrs, 0, sizeof(env->hv_or_kvm_msrs));
    x86_xsave_reset(env);
    x86_msr_reset(env);
}

void x86_cpu_reset_state(CPUX86State *env, bool init_only)
{
    reset_segments(env);
    reset_control(env, init_only);
    reset_events(env);
    if (!init_only) {
        reset_power_on(env);
    }
    x86_update_hflags(env);
}

void x86_cpu_do_init(X86CPU *cpu)
{
    CPUX86State *env = &cpu->env;

    x86_cpu_reset_state(env, true);
    if (cpu->apic) {
        X86APIC *apic = X86_APIC(cpu->apic);
        X86APICClass *k = X86_APIC_GET_CLASS(cpu->apic);

        k->init_reset(apic);
        env->wait_for_sipi = !(k->get_base(apic) & APIC_BASE_BSP);
    }
    atomic_store(&env_cpu(env)->halted, env->wait_for_sipi);
    x86_tlb_flush(env, false);
}

void x86_cpu_do_sipi(X86CPU *cpu)
{
    CPUX86State *env = &cpu->env;
    SegmentCache *cs = &env->segs[R_CS];
    uint8_t vector;

    if (!cpu->apic || !env->wait_for_sipi) {
        return; /* SDM vol. 3, 8.4.1 */
    }
    vector = X86_APIC_GET_CLASS(cpu->apic)->get_sipi_vector(X86_APIC(cpu->apic));
    cs->selector = vector << 8;
    cs->base = (uint32_t)vector << 12;
    cs->limit = 0xffff;
    env->rip = 0;
    env->wait_for_sipi = false;
    x86_update_hflags(env);
    atomic_store(&env_cpu(env)->halted, false);
}
