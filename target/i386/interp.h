/* SPDX-License-Identifier: MIT
 *
 * The interpreter behind x86_exec_insn(): what its handlers share.
 */
#ifndef TARGET_I386_INTERP_H
#define TARGET_I386_INTERP_H

#include "accel/tcg/decode.h"
#include "target/i386/segment.h"

/* One instruction under way. */
typedef struct Interp {
    CPUX86State *env;
    const X86Insn *insn;
    uint64_t next_rip; /* where execution goes on; branches change it */
    bool code64;
    uint8_t v;         /* operand size of "v" operands: 2, 4, 8 */
    uint8_t shadow;    /* X86_SHADOW_* to be in force afterwards */
    bool jumped;       /* env->rip has been set by a far transfer */
    bool changed;      /* hflags, paging or interrupt state may have changed */
    bool again;        /* a repeated string instruction that has iterations left */
    uint32_t debug;    /* DR6 bits of traps due after it */
} Interp;

typedef void (*InterpFunc)(Interp *x);

/* ---- operands (interp-operand.c) ---------------------------------------------------- */

uint64_t interp_reg(const Interp *x, unsigned n, unsigned size);
void interp_set_reg(Interp *x, unsigned n, unsigned size, uint64_t value);
/* Offset of the memory operand in its segment, cut to the address size. */
uint64_t interp_offset(const Interp *x);
uint64_t interp_linear(Interp *x, size_t len, X86Access access);
/* The operand of ModRM, register or memory. */
uint64_t interp_rm(Interp *x, unsigned size);
void interp_set_rm(Interp *x, unsigned size, uint64_t value);
/*
 * Replace the operand by what `op` makes of it, atomically with a lock prefix.
 * *flags goes in and comes out.  Faults come as for a write.
 */
typedef uint64_t (*InterpOp)(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
/* Returns the old value. */
uint64_t interp_modify(Interp *x, unsigned size, InterpOp op, uint64_t src, bool lock);
/* The same at an address (bt family). */
uint64_t interp_modify_at(Interp *x, uint64_t linear, unsigned size, InterpOp op, uint64_t src,
                          bool lock);
/* Compare and swap at a linear address; *expected becomes what was there.  16 bytes: pairs. */
bool interp_cas(Interp *x, uint64_t linear, unsigned size, uint64_t *expected, uint64_t desired,
                bool lock);
bool interp_cas16(Interp *x, uint64_t linear, uint64_t expected[2], const uint64_t desired[2]);
void interp_push(Interp *x, uint64_t value, unsigned size);
uint64_t interp_pop(Interp *x, unsigned size);
/* Operand size of pushes, pops and near branches: 8 in 64-bit code unless 66. */
static inline unsigned interp_stack_size(const Interp *x)
{
    bool narrow = x->insn->opsize_prefix && !(x->insn->rex & 8);

    return !x->code64 ? x->v : narrow ? 2 : 8;
}
/* Byte or "v", by the low bit of the opcode. */
static inline unsigned interp_size(const Interp *x)
{
    return x->insn->opcode & 1 ? x->v : 1;
}
static inline uint64_t interp_mask(unsigned size)
{
    return size >= 8 ? UINT64_MAX : (1ull << (size * 8)) - 1;
}
static inline int64_t interp_sign_extend(uint64_t value, unsigned size)
{
    unsigned shift = 64 - size * 8;

    return (int64_t)(value << shift) >> shift;
}
static inline uint64_t interp_flags(const Interp *x)
{
    return (x->env->rflags & CC_MASK) | IF_MASK | 2;
}
static inline void interp_set_flags(Interp *x, uint64_t flags)
{
    x->env->rflags = (x->env->rflags & ~(uint64_t)CC_MASK) | (flags & CC_MASK);
}
bool interp_condition(const Interp *x, unsigned cc);
/* Go to a near target, with its checks; cut to the operand size. */
void interp_jump(Interp *x, uint64_t target);

static inline G_NORETURN void interp_gp(Interp *x)
{
    x86_raise_exception_err(x->env, EXCP_GP, 0);
}
static inline G_NORETURN void interp_ud(Interp *x)
{
    x86_raise_exception(x->env, EXCP_UD);
}
static inline void interp_need_cpl0(Interp *x)
{
    if (x86_cpl(x->env) != 0) {
        interp_gp(x);
    }
}
static inline bool interp_has(const Interp *x, uint32_t feature)
{
    return x86_cpuid_has(&env_archcpu(x->env)->cpuid, feature);
}

/* ---- handlers, by file ------------------------------------------------------------------ */

/* interp-alu.c */
void interp_arith(Interp *x);       /* 00-3d: add, or, adc, sbb, and, sub, xor, cmp */
void interp_arith_imm(Interp *x);   /* 80-83 */
void interp_test(Interp *x);        /* 84, 85, a8, a9 */
void interp_incdec_reg(Interp *x);  /* 40-4f outside 64-bit code */
void interp_group3(Interp *x);      /* f6, f7 */
void interp_group4(Interp *x);      /* fe */
void interp_group5(Interp *x);      /* ff */
void interp_shift(Interp *x);       /* c0, c1, d0-d3 */
void interp_imul(Interp *x);        /* 69, 6b, 0f af */
void interp_shift_double(Interp *x); /* 0f a4, a5, ac, ad */
void interp_bit_test(Interp *x);    /* 0f a3, ab, b3, bb, ba */
void interp_bit_scan(Interp *x);    /* 0f bc, bd, b8 */
void interp_xadd(Interp *x);        /* 0f c0, c1 */
void interp_cmpxchg(Interp *x);     /* 0f b0, b1 */
void interp_group9(Interp *x);      /* 0f c7 */
void interp_crc32_movbe(Interp *x); /* 0f38 f0, f1 */
void interp_adx(Interp *x);         /* 0f38 f6: adcx, adox; mulx */
void interp_bmi(Interp *x);         /* VEX 0f38 f2, f3, f5, f7 */
void interp_rorx(Interp *x);        /* VEX 0f3a f0 */

/* interp-data.c */
void interp_mov(Interp *x);         /* 88-8b, c6, c7 */
void interp_mov_imm(Interp *x);     /* b0-bf */
void interp_mov_offset(Interp *x);  /* a0-a3 */
void interp_movx(Interp *x);        /* 0f b6, b7, be, bf; 63 in 64-bit code */
void interp_63(Interp *x);          /* arpl or movsxd */
void interp_lea(Interp *x);
void interp_xchg(Interp *x);        /* 86, 87 */
void interp_xchg_ax(Interp *x);     /* 90-97 */
void interp_push_reg(Interp *x);
void interp_pop_reg(Interp *x);
void interp_push_imm(Interp *x);    /* 68, 6a */
void interp_pop_rm(Interp *x);      /* 8f */
void interp_pusha(Interp *x);
void interp_popa(Interp *x);
void interp_enter(Interp *x);
void interp_leave(Interp *x);
void interp_convert(Interp *x);     /* 98, 99 */
void interp_setcc(Interp *x);
void interp_cmov(Interp *x);
void interp_bswap(Interp *x);
void interp_xlat(Interp *x);
void interp_nop(Interp *x);
void interp_movnti(Interp *x);
void interp_fence(Interp *x);       /* 0f ae: fences, clflush, rd/wrfsgsbase */
void interp_mov_from_seg(Interp *x);
void interp_mov_to_seg(Interp *x);
void interp_push_seg(Interp *x);
void interp_pop_seg(Interp *x);
void interp_load_far(Interp *x);    /* les, lds, lss, lfs, lgs */
void interp_movdir64b(Interp *x);

/* interp-flow.c */
void interp_jcc(Interp *x);
void interp_jmp(Interp *x);         /* e9, eb */
void interp_call(Interp *x);        /* e8 */
void interp_ret(Interp *x);         /* c2, c3 */
void interp_loop(Interp *x);        /* e0-e3 */
void interp_jmp_far(Interp *x);     /* ea */
void interp_call_far(Interp *x);    /* 9a */
void interp_ret_far(Interp *x);     /* ca, cb */
void interp_iret(Interp *x);
void interp_int(Interp *x);         /* cc, cd, ce, f1 */
void interp_syscall(Interp *x);     /* 0f 05, 07, 34, 35 */
void interp_bound(Interp *x);
void interp_indirect(Interp *x);    /* ff /2-/5 */

/* interp-flags.c */
void interp_flag(Interp *x);        /* f5, f8, f9, fc, fd */
void interp_cli_sti(Interp *x);
void interp_pushf(Interp *x);
void interp_popf(Interp *x);
void interp_lahf_sahf(Interp *x);
void interp_bcd(Interp *x);         /* 27, 2f, 37, 3f, d4, d5, d6 */

/* interp-string.c */
void interp_string(Interp *x);      /* a4-a7, aa-af */
void interp_ins_outs(Interp *x);    /* 6c-6f */
void interp_in_out(Interp *x);      /* e4-e7, ec-ef */

/* interp-system.c */
void interp_group6(Interp *x);      /* 0f 00 */
void interp_group7(Interp *x);      /* 0f 01 */
void interp_lar_lsl(Interp *x);
void interp_mov_cr(Interp *x);
void interp_mov_dr(Interp *x);
void interp_msr(Interp *x);         /* 0f 30, 32 */
void interp_rdtsc(Interp *x);
void interp_rdpmc(Interp *x);
void interp_cpuid(Interp *x);
void interp_hlt(Interp *x);
void interp_rsm(Interp *x);
void interp_clts(Interp *x);
void interp_wbinvd(Interp *x);      /* 0f 08, 09 */
void interp_invpcid(Interp *x);
void interp_fsgsbase(Interp *x);
void interp_rdpid(Interp *x);

#endif
