/* SPDX-License-Identifier: MIT
 *
 * x86_exec_insn(): from opcode to handler, and what is common to all
 * instructions: feature check, next RIP, interrupt shadow, single-step trap.
 */
#include "target/i386/sysinsn.h"
#include "target/i386/interp.h"

#define ROWS8(n, f)  [n ... (n) + 7] = f
#define ARITH_ROW(n) [n ... (n) + 5] = interp_arith

static const InterpFunc map_1b[256] = {
    ARITH_ROW(0x00), ARITH_ROW(0x08), ARITH_ROW(0x10), ARITH_ROW(0x18),
    ARITH_ROW(0x20), ARITH_ROW(0x28), ARITH_ROW(0x30), ARITH_ROW(0x38),
    [0x06] = interp_push_seg, [0x0e] = interp_push_seg,
    [0x16] = interp_push_seg, [0x1e] = interp_push_seg,
    [0x07] = interp_pop_seg, [0x17] = interp_pop_seg, [0x1f] = interp_pop_seg,
    [0x27] = interp_bcd, [0x2f] = interp_bcd, [0x37] = interp_bcd, [0x3f] = interp_bcd,
    [0x40 ... 0x4f] = interp_incdec_reg,
    ROWS8(0x50, interp_push_reg), ROWS8(0x58, interp_pop_reg),
    [0x60] = interp_pusha, [0x61] = interp_popa, [0x62] = interp_bound, [0x63] = interp_63,
    [0x68] = interp_push_imm, [0x6a] = interp_push_imm,
    [0x69] = interp_imul, [0x6b] = interp_imul,
    [0x6c ... 0x6f] = interp_ins_outs,
    [0x70 ... 0x7f] = interp_jcc,
    [0x80 ... 0x83] = interp_arith_imm,
    [0x84 ... 0x85] = interp_test, [0x86 ... 0x87] = interp_xchg,
    [0x88 ... 0x8b] = interp_mov,
    [0x8c] = interp_mov_from_seg, [0x8d] = interp_lea, [0x8e] = interp_mov_to_seg,
    [0x8f] = interp_pop_rm,
    ROWS8(0x90, interp_xchg_ax),
    [0x98 ... 0x99] = interp_convert, [0x9a] = interp_call_far,
    [0x9c] = interp_pushf, [0x9d] = interp_popf, [0x9e ... 0x9f] = interp_lahf_sahf,
    [0xa0 ... 0xa3] = interp_mov_offset, [0xa4 ... 0xa7] = interp_string,
    [0xa8 ... 0xa9] = interp_test, [0xaa ... 0xaf] = interp_string,
    [0xb0 ... 0xbf] = interp_mov_imm,
    [0xc0 ... 0xc1] = interp_shift, [0xc2 ... 0xc3] = interp_ret,
    [0xc4 ... 0xc5] = interp_load_far, [0xc6 ... 0xc7] = interp_mov,
    [0xc8] = interp_enter, [0xc9] = interp_leave, [0xca ... 0xcb] = interp_ret_far,
    [0xcc ... 0xce] = interp_int, [0xcf] = interp_iret,
    [0xd0 ... 0xd3] = interp_shift, [0xd4 ... 0xd6] = interp_bcd, [0xd7] = interp_xlat,
    [0xe0 ... 0xe3] = interp_loop, [0xe4 ... 0xe7] = interp_in_out,
    [0xe8] = interp_call, [0xe9] = interp_jmp, [0xea] = interp_jmp_far, [0xeb] = interp_jmp,
    [0xec ... 0xef] = interp_in_out,
    [0xf1] = interp_int, [0xf4] = interp_hlt, [0xf5] = interp_flag,
    [0xf6 ... 0xf7] = interp_group3,
    [0xf8 ... 0xf9] = interp_flag, [0xfa ... 0xfb] = interp_cli_sti,
    [0xfc ... 0xfd] = interp_flag, [0xfe] = interp_group4, [0xff] = interp_group5,
};

static const InterpFunc map_0f[256] = {
    [0x00] = interp_group6, [0x01] = interp_group7,
    [0x02 ... 0x03] = interp_lar_lsl,
    [0x05] = interp_syscall, [0x06] = interp_clts, [0x07] = interp_syscall,
    [0x08 ... 0x09] = interp_wbinvd,
    [0x0d] = interp_nop, [0x18 ... 0x1f] = interp_nop,
    [0x20] = interp_mov_cr, [0x21] = interp_mov_dr, [0x22] = interp_mov_cr,
    [0x23] = interp_mov_dr,
    [0x30] = interp_msr, [0x31] = interp_rdtsc, [0x32] = interp_msr, [0x33] = interp_rdpmc,
    [0x34 ... 0x35] = interp_syscall,
    [0x40 ... 0x4f] = interp_cmov,
    [0x80 ... 0x8f] = interp_jcc, [0x90 ... 0x9f] = interp_setcc,
    [0xa0] = interp_push_seg, [0xa1] = interp_pop_seg, [0xa2] = interp_cpuid,
    [0xa3] = interp_bit_test, [0xa4 ... 0xa5] = interp_shift_double,
    [0xa8] = interp_push_seg, [0xa9] = interp_pop_seg, [0xaa] = interp_rsm,
    [0xab] = interp_bit_test,
    [0xac ... 0xad] = interp_shift_double, [0xae] = interp_fence, [0xaf] = interp_imul,
    [0xb0 ... 0xb1] = interp_cmpxchg, [0xb2] = interp_load_far, [0xb3] = interp_bit_test,
    [0xb4 ... 0xb5] = interp_load_far, [0xb6 ... 0xb7] = interp_movx,
    [0xb8] = interp_bit_scan, [0xba ... 0xbb] = interp_bit_test,
    [0xbc ... 0xbd] = interp_bit_scan, [0xbe ... 0xbf] = interp_movx,
    [0xc0 ... 0xc1] = interp_xadd, [0xc3] = interp_movnti, [0xc7] = interp_group9,
    ROWS8(0xc8, interp_bswap),
};

static InterpFunc find_0f38(const X86Insn *i)
{
    bool vex = i->encoding == X86_ENC_VEX;

    switch (i->opcode) {
    case 0x82:
        return interp_invpcid;
    case 0xf0:
    case 0xf1:
        return vex ? NULL : interp_crc32_movbe;
    case 0xf2:
    case 0xf3:
    case 0xf5:
    case 0xf7:
        return vex ? interp_bmi : NULL;
    case 0xf6:
        return interp_adx;
    case 0xf8:
        return !vex && i->opsize_prefix ? interp_movdir64b : NULL;
    case 0xf9:
        return interp_movnti; /* movdiri */
    default:
        return NULL;
    }
}

static InterpFunc find_handler(const X86Insn *i)
{
    switch (i->class_) {
    case X86_CLASS_INT:
    case X86_CLASS_BRANCH:
    case X86_CLASS_STRING:
    case X86_CLASS_SYS:
        break;
    case X86_CLASS_AVX: /* BMI, in case the decoder counts them there */
        if (i->encoding != X86_ENC_VEX || i->map < X86_MAP_0F38) {
            return NULL;
        }
        break;
    default:
        return NULL;
    }
    switch (i->map) {
    case X86_MAP_1B:
        return map_1b[i->opcode];
    case X86_MAP_0F:
        return i->encoding == X86_ENC_LEGACY ? map_0f[i->opcode] : NULL;
    case X86_MAP_0F38:
        return find_0f38(i);
    case X86_MAP_0F3A:
        return i->opcode == 0xf0 && i->encoding == X86_ENC_VEX ? interp_rorx : NULL;
    default:
        return NULL;
    }
}

bool x86_insn_in_c(const X86Insn *insn)
{
    return find_handler(insn) != NULL;
}

/* ---- fetch --------------------------------------------------------------------------- */

static uint8_t fetch_byte(CPUX86State *env, uint64_t rip)
{
    uint64_t linear = x86_linear(env, R_CS, rip, 1, X86_FETCH), value = 0;
    X86PageFault fault;
    X86Translation t;

    if (!x86_page_walk(env, linear, X86_FETCH, X86_PRIV_CPL, &t, &fault)) {
        x86_raise_page_fault(env, linear, fault.error_code);
    }
    address_space_load(env_cpu(env)->as, t.phys, &value, 1, x86_memtxattrs(env));
    return value;
}

/* Byte by byte: no further than the instruction reaches, for the next page may not be there. */
void x86_fetch_insn(CPUX86State *env, X86Insn *ret)
{
    X86Mode mode = {
        .code64 = !!(env->hflags & HF_CS64),
        .cs32 = !!(env->hflags & HF_CS32),
        .protected_mode = (env->hflags & (HF_PE | HF_VM)) == HF_PE,
    };
    uint8_t bytes[X86_INSN_MAX];

    for (unsigned n = 0; n < X86_INSN_MAX; n++) {
        bytes[n] = fetch_byte(env, env->rip + n);
        if (x86_decode(bytes, n + 1, mode, ret) > 0) {
            return;
        }
    }
    x86_raise_exception_err(env, EXCP_GP, 0);
}

uint64_t x86_insn_linear(CPUX86State *env, const X86Insn *insn, size_t len, X86Access access)
{
    Interp x = {.env = env, .insn = insn};

    return interp_linear(&x, len, access);
}

/* ---- execute ------------------------------------------------------------------------- */

static uint8_t v_size(const CPUX86State *env, const X86Insn *i)
{
    if (env->hflags & HF_CS64) {
        return (i->rex & 8) ? 8 : i->opsize_prefix ? 2 : 4;
    }
    return !(env->hflags & HF_CS32) == !i->opsize_prefix ? 2 : 4;
}

/* Traps due after the instruction: single-step, I/O breakpoints (SDM vol. 3, 18.3.1). */
static void raise_traps(Interp *x, bool traced)
{
    uint32_t bits = x->debug | x->env->debug_hits | x->env->debug_held;

    /* mov ss holds them off for one instruction; single-step then is that one's (17.3.1.4). */
    if (x->shadow & X86_SHADOW_MOVSS) {
        x->env->debug_held = bits;
        return;
    }
    x->env->debug_held = 0;
    bits |= traced ? DR6_BS : 0;
    if (bits) {
        x86_raise_debug(x->env, bits);
    }
}

static bool traced_after(const Interp *x, bool traced)
{
    /*
     * syscall and sysenter mask TF together with the flags (SDM vol. 3, 18.3.1.4), and sysret
     * traps at its own end with the TF that it brings, unlike popf and iret.
     */
    bool fast_call = x->insn->map == X86_MAP_0F &&
                     (x->insn->opcode == 0x05 || x->insn->opcode == 0x07 || x->insn->opcode == 0x34);

    return fast_call ? x->env->rflags & TF_MASK : traced;
}

bool x86_exec_insn(CPUX86State *env, const X86Insn *insn)
{
    InterpFunc handler = find_handler(insn);
    bool traced = env->rflags & TF_MASK;
    Interp x = {
        .env = env,
        .insn = insn,
        .next_rip = env->rip + insn->length,
        .code64 = env->hflags & HF_CS64,
        .v = v_size(env, insn),
    };

    if (!handler || !x86_cpuid_has(&env_archcpu(env)->cpuid, insn->cpuid_feature)) {
        x86_raise_exception(env, EXCP_UD);
    }
    if (!x.code64) {
        x.next_rip = (uint32_t)x.next_rip;
    }
    env->debug_hits = 0;
    handler(&x);
    if (!x.jumped && !x.again) {
        env->rip = x.next_rip;
        env->rflags &= ~(uint64_t)RF_MASK;
    }
    env->shadow = x.shadow;
    traced = traced_after(&x, traced);
    if (!traced && !x.debug && !env->debug_hits && !env->debug_held) {
        return x.changed || x.again || x.shadow;
    }
    raise_traps(&x, traced);
    return x.changed || x.again || x.shadow;
}
