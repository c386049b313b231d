/* SPDX-License-Identifier: MIT
 *
 * syscall, sysret, sysenter, sysexit.  SDM vol. 3, 5.8.7 and 5.8.8; AMD APM vol. 2, 6.1
 * (AMD has syscall outside 64-bit mode and no sysenter in long mode).
 */
#include <string.h>
#include "target/i386/transfer.h"

#define FLAT_SEGMENT (DESC_P_MASK | DESC_S_MASK | DESC_RW_MASK | DESC_A_MASK | DESC_G_MASK)
#define FLAT_CODE    (FLAT_SEGMENT | DESC_CS_MASK)
#define FLAT_DATA    (FLAT_SEGMENT | DESC_B_MASK)

static bool is_intel(CPUX86State *env)
{
    return strcmp(env_archcpu(env)->cpuid.vendor, "GenuineIntel") == 0;
}

/* CS and SS as these instructions set them: flat, whatever the descriptor tables say. */
static void set_flat(CPUX86State *env, uint16_t cs, uint16_t ss, unsigned cpl, bool code64)
{
    uint32_t dpl = cpl << DESC_DPL_SHIFT;

    env->segs[R_CS] = (SegmentCache){
        .selector = (cs & 0xfffc) | cpl,
        .flags = FLAT_CODE | dpl | (code64 ? DESC_L_MASK : DESC_B_MASK),
        .limit = 0xffffffff,
    };
    env->segs[R_SS] = (SegmentCache){
        .selector = (ss & 0xfffc) | cpl,
        .flags = FLAT_DATA | dpl,
        .limit = 0xffffffff,
    };
}

void x86_syscall(CPUX86State *env, uint64_t next_rip)
{
    uint16_t cs = env->star >> 32;
    bool code64 = env->hflags & HF_CS64;

    if (!(env->efer & MSR_EFER_SCE) || !(env->hflags & HF_PE) || (is_intel(env) && !code64)) {
        x86_raise_exception(env, EXCP_UD);
    }
    if (env->hflags & HF_LMA) {
        env->regs[R_ECX] = next_rip;
        env->regs[R_R11] = env->rflags & ~(uint64_t)RF_MASK;
        set_flat(env, cs, (cs & 0xfffc) + 8, 0, true);
        env->rip = code64 ? env->lstar : env->cstar;
        env->rflags = (env->rflags & ~(env->fmask | RF_MASK)) | 2;
    } else {
        env->regs[R_ECX] = (uint32_t)next_rip;
        set_flat(env, cs, (cs & 0xfffc) + 8, 0, false);
        env->rip = (uint32_t)env->star;
        env->rflags &= ~(uint64_t)(VM_MASK | IF_MASK | RF_MASK);
    }
    x86_update_hflags(env);
}

static void need_ring0(CPUX86State *env)
{
    if (!(env->hflags & HF_PE) || x86_cpl(env) != 0) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
}

void x86_sysret(CPUX86State *env, unsigned opsize)
{
    uint16_t cs = env->star >> 48;

    if (!(env->efer & MSR_EFER_SCE) || (is_intel(env) && !(env->hflags & HF_CS64))) {
        x86_raise_exception(env, EXCP_UD);
    }
    need_ring0(env);
    /* AMD faults at the target, Intel here: at a ring where the kernel's stack is safe. */
    if (opsize == 8 && !x86_is_canonical(env, env->regs[R_ECX])) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
    if (env->hflags & HF_LMA) {
        env->rflags = (env->regs[R_R11] & 0x3c7fd7) | 2;
    } else {
        env->rflags |= IF_MASK;
    }
    set_flat(env, opsize == 8 ? cs + 16 : cs, cs + 8, 3, opsize == 8);
    env->rip = opsize == 8 ? env->regs[R_ECX] : (uint32_t)env->regs[R_ECX];
    x86_update_hflags(env);
}

void x86_sysenter(CPUX86State *env)
{
    uint16_t cs = env->sysenter_cs;
    bool lma = env->hflags & HF_LMA;

    if (lma && !is_intel(env)) {
        x86_raise_exception(env, EXCP_UD);
    }
    if (!(env->hflags & HF_PE) || selector_is_null(cs)) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
    env->rflags &= ~(uint64_t)(VM_MASK | IF_MASK | RF_MASK);
    set_flat(env, cs, (cs & 0xfffc) + 8, 0, lma);
    env->regs[R_ESP] = lma ? env->sysenter_esp : (uint32_t)env->sysenter_esp;
    env->rip = lma ? env->sysenter_eip : (uint32_t)env->sysenter_eip;
    x86_update_hflags(env);
}

void x86_sysexit(CPUX86State *env, unsigned opsize)
{
    uint16_t cs = env->sysenter_cs & 0xfffc;
    bool to64 = opsize == 8;

    if ((env->hflags & HF_LMA) && !is_intel(env)) {
        x86_raise_exception(env, EXCP_UD);
    }
    if (selector_is_null(cs)) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
    need_ring0(env);
    if (to64 && !(x86_is_canonical(env, env->regs[R_ECX]) &&
                  x86_is_canonical(env, env->regs[R_EDX]))) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
    set_flat(env, cs + (to64 ? 32 : 16), cs + (to64 ? 40 : 24), 3, to64);
    env->regs[R_ESP] = to64 ? env->regs[R_ECX] : (uint32_t)env->regs[R_ECX];
    env->rip = to64 ? env->regs[R_EDX] : (uint32_t)env->regs[R_EDX];
    x86_update_hflags(env);
}
