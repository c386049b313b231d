/* SPDX-License-Identifier: MIT
 *
 * Control, debug and extended control registers.  SDM vol. 3, 2.5, 2.6, 4.1, 4.4.1,
 * 4.10.4.1 (what flushes), 10.8.5 (entering IA-32e mode), 18.2; vol. 1, 13.3.
 */
#include "target/i386/control.h"
#include "target/i386/apic.h"
#include "target/i386/exception.h"
#include "target/i386/mmu.h"
#include "target/i386/phys.h"
#include "target/i386/segment.h"
#include "target/i386/xsave.h"

static G_NORETURN void fault(CPUX86State *env)
{
    x86_raise_exception_err(env, EXCP_GP, 0);
}

static uint64_t phys_mask(CPUX86State *env)
{
    return (1ull << env_archcpu(env)->cpuid.phys_bits) - 1;
}

static bool pae_paging(uint64_t cr0, uint64_t cr4, uint64_t efer)
{
    return (cr0 & CR0_PG) && (cr4 & CR4_PAE) && !(efer & MSR_EFER_LMA);
}

/* ---- CR3 ----------------------------------------------------------------------------- */

/* Bits 2:1, 8:5 and those beyond MAXPHYADDR are reserved. */
static bool read_pdptrs(CPUX86State *env, uint64_t cr3, uint64_t ret[4])
{
    uint64_t reserved = 0x1e6 | ~phys_mask(env);

    for (int i = 0; i < 4; i++) {
        ret[i] = x86_phys_ldq(env, (cr3 & 0xffffffe0) + i * 8);
        if ((ret[i] & 1) && (ret[i] & reserved)) {
            return false;
        }
    }
    return true;
}

static bool reload_pdptrs(CPUX86State *env, uint64_t cr3)
{
    uint64_t pdptr[4];

    if (!read_pdptrs(env, cr3, pdptr)) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        env->pdptr[i] = pdptr[i];
    }
    return true;
}

bool x86_load_cr3(CPUX86State *env, uint64_t value)
{
    if (pae_paging(env->cr0, env->cr4, env->efer) && !reload_pdptrs(env, value)) {
        return false;
    }
    env->cr3 = value;
    x86_tlb_flush(env, true);
    return true;
}

void x86_write_cr3(CPUX86State *env, uint64_t value)
{
    if (env->efer & MSR_EFER_LMA) {
        if (env->cr4 & CR4_PCIDE) {
            value &= ~(1ull << 63); /* "do not flush": we may all the same */
        }
        if (value & ~phys_mask(env)) {
            fault(env);
        }
    } else {
        value = (uint32_t)value;
    }
    if (!x86_load_cr3(env, value)) {
        fault(env);
    }
}

/* ---- CR0 -------------------------------------------------------------------------------- */

#define CR0_KNOWN (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM |         \
                   CR0_NW | CR0_CD | CR0_PG)

static bool cr0_valid(CPUX86State *env, uint64_t value)
{
    if (value >> 32 || ((value & CR0_PG) && !(value & CR0_PE)) ||
        ((value & CR0_NW) && !(value & CR0_CD))) {
        return false;
    }
    if (!(value & CR0_PG)) {
        return !((env->cr0 & CR0_PG) && ((env->hflags & HF_CS64) || (env->cr4 & CR4_PCIDE)));
    }
    if (!(env->cr0 & CR0_PG) && (env->efer & MSR_EFER_LME)) {
        unsigned tss = (env->tr.flags >> DESC_TYPE_SHIFT) & 15;

        return (env->cr4 & CR4_PAE) && !(env->segs[R_CS].flags & DESC_L_MASK) &&
               tss != SYS_TSS16_BUSY;
    }
    return true;
}

void x86_write_cr0(CPUX86State *env, uint64_t value)
{
    uint64_t old = env->cr0, efer = env->efer;

    if (!cr0_valid(env, value)) {
        fault(env);
    }
    value = (value & CR0_KNOWN) | CR0_ET;
    efer &= ~MSR_EFER_LMA;
    if ((value & CR0_PG) && (efer & MSR_EFER_LME)) {
        efer |= MSR_EFER_LMA;
    }
    if (((old ^ value) & (CR0_PG | CR0_CD | CR0_NW)) && pae_paging(value, env->cr4, efer) &&
        !reload_pdptrs(env, env->cr3)) {
        fault(env);
    }
    env->cr0 = value;
    env->efer = efer;
    if ((old ^ value) & (CR0_PG | CR0_WP | CR0_PE)) {
        x86_tlb_flush(env, false);
    }
    x86_update_hflags(env);
}

/* ---- CR4 ---------------------------------------------------------------------------------- */

static const struct {
    uint32_t bits;
    uint32_t feature;
} cr4_bits[] = {
    {CR4_VME | CR4_PVI, X86_FEATURE(FEAT_1_EDX, 1)},
    {CR4_DE, X86_FEATURE(FEAT_1_EDX, 2)},
    {CR4_PSE, X86_FEATURE(FEAT_1_EDX, 3)},
    {CR4_TSD, X86_FEATURE(FEAT_1_EDX, 4)},
    {CR4_PAE, X86_FEATURE(FEAT_1_EDX, 6)},
    {CR4_MCE, X86_FEATURE(FEAT_1_EDX, 7)},
    {CR4_PGE, X86_FEATURE(FEAT_1_EDX, 13)},
    {CR4_PCE, 0},
    {CR4_OSFXSR, X86_FEATURE(FEAT_1_EDX, 24)},
    {CR4_OSXMMEXCPT, X86_FEATURE(FEAT_1_EDX, 25)},
    {CR4_UMIP, X86_FEATURE(FEAT_7_0_ECX, 2)},
    {CR4_LA57, X86_FEATURE(FEAT_7_0_ECX, 16)},
    {CR4_FSGSBASE, X86_FEATURE(FEAT_7_0_EBX, 0)},
    {CR4_PCIDE, X86_FEATURE(FEAT_1_ECX, 17)},
    {CR4_OSXSAVE, X86_FEATURE(FEAT_1_ECX, 26)},
    {CR4_SMEP, X86_FEATURE(FEAT_7_0_EBX, 7)},
    {CR4_SMAP, X86_FEATURE(FEAT_7_0_EBX, 20)},
    {CR4_PKE, X86_FEATURE(FEAT_7_0_ECX, 3)},
    {CR4_PKS, X86_FEATURE(FEAT_7_0_ECX, 31)},
};

uint64_t x86_cr4_supported(CPUX86State *env)
{
    uint64_t allowed = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(cr4_bits); i++) {
        if (x86_cpuid_has(&env_archcpu(env)->cpuid, cr4_bits[i].feature)) {
            allowed |= cr4_bits[i].bits;
        }
    }
    return allowed;
}

static bool cr4_valid(CPUX86State *env, uint64_t value)
{
    uint64_t changed = env->cr4 ^ value;

    if (value & ~x86_cr4_supported(env)) {
        return false;
    }
    if (env->efer & MSR_EFER_LMA) {
        if (changed & CR4_LA57 || !(value & CR4_PAE)) {
            return false;
        }
    } else if (value & CR4_PCIDE) {
        return false;
    }
    return !(changed & value & CR4_PCIDE) || !(env->cr3 & 0xfff);
}

#define CR4_FLUSHES (CR4_PGE | CR4_PAE | CR4_PSE | CR4_PCIDE | CR4_SMEP | CR4_SMAP | CR4_PKE |     \
                     CR4_PKS | CR4_LA57)

void x86_write_cr4(CPUX86State *env, uint64_t value)
{
    uint64_t changed = env->cr4 ^ value;

    if (!cr4_valid(env, value)) {
        fault(env);
    }
    if ((changed & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP)) &&
        pae_paging(env->cr0, value, env->efer) && !reload_pdptrs(env, env->cr3)) {
        fault(env);
    }
    env->cr4 = value;
    if (changed & CR4_FLUSHES) {
        x86_tlb_flush(env, false);
    }
    x86_update_hflags(env);
}

/* ---- CR8 -------------------------------------------------------------------------------------- */

void x86_write_cr8(CPUX86State *env, uint64_t value)
{
    Object *apic = env_archcpu(env)->apic;

    if (value > 15) {
        fault(env);
    }
    env->cr8 = value;
    if (apic) {
        X86_APIC_GET_CLASS(apic)->set_tpr(X86_APIC(apic), value << 4);
    }
}

uint64_t x86_read_cr8(CPUX86State *env)
{
    Object *apic = env_archcpu(env)->apic;

    return apic ? X86_APIC_GET_CLASS(apic)->get_tpr(X86_APIC(apic)) >> 4 : env->cr8;
}

/* ---- XCR0 and debug registers -------------------------------------------------------------------- */

void x86_write_xcr0(CPUX86State *env, uint64_t value)
{
    uint64_t avx512 = value & XSTATE_AVX512;

    if (!(value & XSTATE_FP) || (value & ~env_archcpu(env)->cpuid.xcr0_supported) ||
        ((value & XSTATE_AVX) && !(value & XSTATE_SSE)) ||
        (avx512 && (avx512 != XSTATE_AVX512 || !(value & XSTATE_AVX)))) {
        fault(env);
    }
    env->xcr0 = value;
    x86_update_hflags(env);
}

void x86_write_dr(CPUX86State *env, int n, uint64_t value)
{
    if (n >= 6 && value >> 32) {
        fault(env);
    }
    switch (n) {
    case 6:
        env->dr[6] = (value & 0xe00f) | 0xffff0ff0;
        break;
    case 7:
        env->dr[7] = (value & 0xffff2bff) | 0x400;
        x86_update_hflags(env);
        break;
    default:
        env->dr[n] = value;
        break;
    }
}
