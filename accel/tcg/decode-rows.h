/* SPDX-License-Identifier: MIT
 *
 * The language that the decoder's tables are written in: one row a line, and
 * what a row says about an opcode.  Private to decode.c.
 */
#ifndef ACCEL_TCG_DECODE_ROWS_H
#define ACCEL_TCG_DECODE_ROWS_H

#include "accel/tcg/decode.h"
#include "target/i386/cpu.h"

/*
 * Selectors: each group is one-hot for the instruction at hand, and a mask in
 * the row; a row without a bit of a group takes every value of it.
 */
/* clang-format off */
#define P_N   (1u << 0) /* mandatory prefix: none, 66, F3, F2 */
#define P_66  (1u << 1)
#define P_F3  (1u << 2)
#define P_F2  (1u << 3)
#define P_ALL (P_N | P_66 | P_F3 | P_F2)
#define P_NO  (P_N | P_66) /* no F3 or F2 */
#define W0    (1u << 4)
#define W1    (1u << 5)
#define W_ALL (W0 | W1)
#define L0    (1u << 6)
#define L1    (1u << 7)
#define L2    (1u << 8)
#define L12   (L1 | L2)
#define L_ALL (L0 | L1 | L2)
#define MEM   (1u << 9) /* ModRM.mod */
#define REG   (1u << 10)
#define MOD_ALL (MEM | REG)
#define M64   (1u << 11)
#define M32   (1u << 12) /* not 64-bit code */
#define MODE_ALL (M64 | M32)
#define G(n)  (1u << (13 + (n))) /* ModRM.reg */
#define G_ALL (0xffu << 13)
#define E(n)  (1u << (21 + (n))) /* ModRM.rm, of the register forms */
#define E_ALL (0xffu << 21)
#define ANY   0u

#define FILL(m, all) (((m) & (all)) ? 0u : (all))
#define MATCH(m)                                                                                  \
    ((m) | FILL(m, P_ALL) | FILL(m, W_ALL) | FILL(m, L_ALL) | FILL(m, MOD_ALL) |                  \
     FILL(m, MODE_ALL) | FILL(m, G_ALL) | FILL(m, E_ALL))

/* Operands: which field names what, and how it is used. */
#define FORM_REG(kind, acc)  ((kind) | (acc) << 3)
#define FORM_RM(kind, acc)   ((kind) << 5 | (acc) << 8)
#define FORM_VVVV(kind, acc) ((kind) << 10 | (acc) << 13)
#define FORM_MEM   (1u << 15) /* a memory form exists */
#define FORM_RM3   (1u << 16) /* a register form exists */
#define FORM_OPREG (1u << 17)
#define FORM_MODRM (1u << 18)
#define FORM_VSIB  (1u << 19)
#define FORM_BOTH  (FORM_MEM | FORM_RM3 | FORM_MODRM)
#define FORM_MONLY (FORM_MEM | FORM_MODRM)
#define FORM_RONLY (FORM_RM3 | FORM_MODRM)

#define Gr  FORM_REG(X86_OPD_GPR, 1)
#define Gw  FORM_REG(X86_OPD_GPR, 2)
#define Grw FORM_REG(X86_OPD_GPR, 3)
#define Er  (FORM_RM(X86_OPD_GPR, 1) | FORM_BOTH)
#define Ew  (FORM_RM(X86_OPD_GPR, 2) | FORM_BOTH)
#define Erw (FORM_RM(X86_OPD_GPR, 3) | FORM_BOTH)
#define Rr  (FORM_RM(X86_OPD_GPR, 1) | FORM_RONLY)
#define Rw  (FORM_RM(X86_OPD_GPR, 2) | FORM_RONLY)
#define Rrw (FORM_RM(X86_OPD_GPR, 3) | FORM_RONLY)
#define Mn  FORM_MONLY /* the address only */
#define Mr  (FORM_RM(X86_OPD_NONE, 1) | FORM_MONLY)
#define Mw  (FORM_RM(X86_OPD_NONE, 2) | FORM_MONLY)
#define Mrw (FORM_RM(X86_OPD_NONE, 3) | FORM_MONLY)
#define Nop FORM_BOTH /* ModRM with no access */
#define Xr  FORM_RONLY /* register form without an operand of interest (x87, 0F 01) */
#define Vr  FORM_REG(X86_OPD_VEC, 1)
#define Vw  FORM_REG(X86_OPD_VEC, 2)
#define Vrw FORM_REG(X86_OPD_VEC, 3)
#define Wr  (FORM_RM(X86_OPD_VEC, 1) | FORM_BOTH)
#define Ww  (FORM_RM(X86_OPD_VEC, 2) | FORM_BOTH)
#define Wrw (FORM_RM(X86_OPD_VEC, 3) | FORM_BOTH)
#define Ur  (FORM_RM(X86_OPD_VEC, 1) | FORM_RONLY)
#define Uw  (FORM_RM(X86_OPD_VEC, 2) | FORM_RONLY)
#define Urw (FORM_RM(X86_OPD_VEC, 3) | FORM_RONLY)
#define Hr  FORM_VVVV(X86_OPD_VEC, 1)
#define Hw  FORM_VVVV(X86_OPD_VEC, 2)
#define Hrw FORM_VVVV(X86_OPD_VEC, 3)
#define Br  FORM_VVVV(X86_OPD_GPR, 1)
#define Bw  FORM_VVVV(X86_OPD_GPR, 2)
#define Pr  FORM_REG(X86_OPD_MMX, 1)
#define Pw  FORM_REG(X86_OPD_MMX, 2)
#define Prw FORM_REG(X86_OPD_MMX, 3)
#define Qr  (FORM_RM(X86_OPD_MMX, 1) | FORM_BOTH)
#define Qw  (FORM_RM(X86_OPD_MMX, 2) | FORM_BOTH)
#define Nr  (FORM_RM(X86_OPD_MMX, 1) | FORM_RONLY)
#define Nrw (FORM_RM(X86_OPD_MMX, 3) | FORM_RONLY)
#define Kr  FORM_REG(X86_OPD_MASK, 1)
#define Kw  FORM_REG(X86_OPD_MASK, 2)
#define KHr FORM_VVVV(X86_OPD_MASK, 1)
#define KEr (FORM_RM(X86_OPD_MASK, 1) | FORM_BOTH)
#define KUr (FORM_RM(X86_OPD_MASK, 1) | FORM_RONLY)
#define Sr  FORM_REG(X86_OPD_SEG, 1)
#define Sw  FORM_REG(X86_OPD_SEG, 2)
#define Cr  FORM_REG(X86_OPD_CR, 1)
#define Cw  FORM_REG(X86_OPD_CR, 2)
#define Dr  FORM_REG(X86_OPD_DR, 1)
#define Dw  FORM_REG(X86_OPD_DR, 2)
#define Zr  (FORM_RM(X86_OPD_GPR, 1) | FORM_OPREG)
#define Zw  (FORM_RM(X86_OPD_GPR, 2) | FORM_OPREG)
#define Zrw (FORM_RM(X86_OPD_GPR, 3) | FORM_OPREG)

/* Sizes.  z1..z64: bytes. */
typedef enum OpSize {
    z0, z1, z2, z4, z8, z10, z16, z32, z64,
    zV,   /* the operand size */
    zY,   /* 4, or 8 with W (in 64-bit code) */
    zP,   /* far pointer: 2 + operand size */
    zS,   /* descriptor-table register: 6, or 10 in 64-bit code */
    zA,   /* bound: twice the operand size */
    zSG,  /* mov to and from a segment register: memory 2, register operand size */
    zC,   /* cmpxchg8b, cmpxchg16b */
    zX, zH, zQ4, zE8, /* vector length, and its half, quarter, eighth */
    zPS,  /* by prefix: none and 66 the vector, F3 4, F2 8 */
    zPH,  /* FP16: none the vector, F3 2 */
    zDD,  /* movddup: 8, or the vector beyond 128 bits */
    zKM,  /* kmov: by prefix and W */
    zEV,  /* fldenv: 14 or 28 */
    zFS,  /* fsave: 94 or 108 */
    z512, /* 512 bytes */
} OpSize;

typedef enum OpImm {
    IM_NONE, IM_B, IM_W, IM_Z, IM_V,
    IM_JB, IM_JZ, /* branch displacement */
    IM_AP,        /* far pointer */
    IM_WB,        /* enter */
    IM_BB,        /* extrq, insertq */
    IM_MOFFS,
} OpImm;

/* Attributes. */
#define LOCKABLE (1u << 0)
#define D64      (1u << 1)  /* operand size 64 by default in 64-bit code */
#define F64      (1u << 2)  /* ... and 66 does not change it */
#define PUSH     (1u << 3)
#define POP      (1u << 4)
#define PM       (1u << 5)  /* #UD in real and virtual-8086 mode */
#define BTMEM    (1u << 6)
#define CMOV     (1u << 7)  /* the destination register may stay as it is */
#define IO       (1u << 8)  /* port I/O: never 8 bytes */
#define MASKED   (1u << 9)  /* EVEX: takes a mask */
#define MASKREQ  (1u << 10) /* EVEX: gather and scatter, needs a mask other than k0 */
#define BC       (1u << 11) /* EVEX: broadcast from memory */
#define ER       (1u << 12) /* EVEX: rounding control */
#define SAE      (1u << 13)
#define SC       (1u << 14) /* scalar or 128 bits: VL not needed, L ignored or given */
#define AVX2_256 (1u << 15) /* VEX.L needs AVX2 */
#define N_ELEM   (1u << 16) /* EVEX: disp8 is scaled by the element */
#define STRSRC   (1u << 17) /* reads ds:[rsi] */
#define STRDST   (1u << 18) /* es:[rdi] */
#define BYTE     (1u << 19) /* operand size 1 */
#define DISTINCT (1u << 20) /* #UD when the destination is also a source (gathers...) */
#define REG32    (1u << 21) /* mov cr, dr: mod is ignored, operand 4 or 8 by mode */
#define LEAVE    (1u << 22)
#define NOTCS    (1u << 23) /* mov to segment: cs is #UD */
#define NOALIGN  (1u << 25) /* 16 bytes of SSE that may lie anywhere */
#define ALIGNED  (1u << 26) /* #GP when not aligned to its size */
#define IS4      (1u << 27) /* a register in the immediate's upper half */
#define NOZ      (1u << 24) /* EVEX: no zeroing */

typedef enum OpFlags {
    FL_NONE, FL_ARITH, FL_ADC, FL_LOGIC, FL_INC, FL_SHIFT1, FL_SHIFTC, FL_ROT1, FL_ROTC,
    FL_RC1, FL_RCC, FL_SHIFTD, FL_MUL, FL_DIV, FL_BT, FL_BSF, FL_ZCNT, FL_CC, FL_STR, FL_CMPS,
    FL_CMC, FL_STC, FL_STD, FL_LAHF, FL_SAHF, FL_Z, FL_ANDN, FL_BEXTR, FL_ADCX, FL_ADOX,
    FL_DAA, FL_AAA, FL_AAM, FL_ALLR, FL_ALLW, FL_ALLRW, FL_RC, FL_RZ, FL_RCZ, FL_RP, FL_RO,
    FL_FCOMI, FL_COUNT,
} OpFlags;

typedef struct OpRow {
    uint32_t match;
    uint32_t form;
    uint32_t at;
    uint16_t ft, ft2;
    uint8_t cls, gs, es, im, fl, el;
    uint8_t ir, iw; /* implicit general registers, 0..7 */
    bool start;     /* first row of its opcode */
} OpRow;

#define INT(f, g, e)  .cls = X86_CLASS_INT, .form = (f), .gs = (g), .es = (e)
#define BR(f, e)      .cls = X86_CLASS_BRANCH, .form = (f), .es = (e)
#define SYS(f, g, e)  .cls = X86_CLASS_SYS, .form = (f), .gs = (g), .es = (e)
#define XSV(f, e)     .cls = X86_CLASS_XSAVE, .form = (f), .es = (e)
#define STR(e)        .cls = X86_CLASS_STRING, .es = (e)
#define X87(f, e)     .cls = X86_CLASS_X87, .form = (f), .es = (e)
#define MMX(f, g, e)  .cls = X86_CLASS_MMX, .form = (f), .gs = (g), .es = (e)
#define SSE(f, g, e)  .cls = X86_CLASS_SSE, .form = (f), .gs = (g), .es = (e)
#define AVX(f, g, e)  .cls = X86_CLASS_AVX, .form = (f), .gs = (g), .es = (e)
#define UD(f)         .cls = X86_CLASS_UD, .form = (f)
#define FL(x)         .fl = FL_##x
#define AT(x)         .at = (x)
#define IM(x)         .im = IM_##x
#define FT(x)         .ft = F_##x
#define FT2(x)        .ft2 = F_##x
#define EL(x)         .el = (x)
#define IR(x)         .ir = (x)
#define IW(x)         .iw = (x)
#define IRW(x)        .ir = (x), .iw = (x)
#define rAX (1 << R_EAX)
#define rCX (1 << R_ECX)
#define rDX (1 << R_EDX)
#define rBX (1 << R_EBX)
#define rSP (1 << R_ESP)
#define rBP (1 << R_EBP)
#define rSI (1 << R_ESI)
#define rDI (1 << R_EDI)

#define F_SEP         X86_FEATURE(FEAT_1_EDX, 11)
#define F_CMOV        X86_FEATURE(FEAT_1_EDX, 15)
#define F_CX8         X86_FEATURE(FEAT_1_EDX, 8)
#define F_CLFSH       X86_FEATURE(FEAT_1_EDX, 19)
#define F_MMX         X86_FEATURE(FEAT_1_EDX, 23)
#define F_FXSR        X86_FEATURE(FEAT_1_EDX, 24)
#define F_SSE         X86_FEATURE(FEAT_1_EDX, 25)
#define F_SSE2        X86_FEATURE(FEAT_1_EDX, 26)
#define F_SSE3        X86_FEATURE(FEAT_1_ECX, 0)
#define F_PCLMUL      X86_FEATURE(FEAT_1_ECX, 1)
#define F_MONITOR     X86_FEATURE(FEAT_1_ECX, 3)
#define F_SSSE3       X86_FEATURE(FEAT_1_ECX, 9)
#define F_FMA         X86_FEATURE(FEAT_1_ECX, 12)
#define F_CX16        X86_FEATURE(FEAT_1_ECX, 13)
#define F_SSE41       X86_FEATURE(FEAT_1_ECX, 19)
#define F_SSE42       X86_FEATURE(FEAT_1_ECX, 20)
#define F_MOVBE       X86_FEATURE(FEAT_1_ECX, 22)
#define F_POPCNT      X86_FEATURE(FEAT_1_ECX, 23)
#define F_AES         X86_FEATURE(FEAT_1_ECX, 25)
#define F_XSAVE       X86_FEATURE(FEAT_1_ECX, 26)
#define F_AVX         X86_FEATURE(FEAT_1_ECX, 28)
#define F_F16C        X86_FEATURE(FEAT_1_ECX, 29)
#define F_RDRAND      X86_FEATURE(FEAT_1_ECX, 30)
#define F_FSGSBASE    X86_FEATURE(FEAT_7_0_EBX, 0)
#define F_BMI1        X86_FEATURE(FEAT_7_0_EBX, 3)
#define F_AVX2        X86_FEATURE(FEAT_7_0_EBX, 5)
#define F_BMI2        X86_FEATURE(FEAT_7_0_EBX, 8)
#define F_INVPCID     X86_FEATURE(FEAT_7_0_EBX, 10)
#define F_RTM         X86_FEATURE(FEAT_7_0_EBX, 11)
#define F_AVX512F     X86_FEATURE(FEAT_7_0_EBX, 16)
#define F_AVX512DQ    X86_FEATURE(FEAT_7_0_EBX, 17)
#define F_RDSEED      X86_FEATURE(FEAT_7_0_EBX, 18)
#define F_ADX         X86_FEATURE(FEAT_7_0_EBX, 19)
#define F_SMAP        X86_FEATURE(FEAT_7_0_EBX, 20)
#define F_IFMA        X86_FEATURE(FEAT_7_0_EBX, 21)
#define F_CLFLUSHOPT  X86_FEATURE(FEAT_7_0_EBX, 23)
#define F_CLWB        X86_FEATURE(FEAT_7_0_EBX, 24)
#define F_AVX512CD    X86_FEATURE(FEAT_7_0_EBX, 28)
#define F_SHA         X86_FEATURE(FEAT_7_0_EBX, 29)
#define F_AVX512BW    X86_FEATURE(FEAT_7_0_EBX, 30)
#define F_AVX512VL    X86_FEATURE(FEAT_7_0_EBX, 31)
#define F_VBMI        X86_FEATURE(FEAT_7_0_ECX, 1)
#define F_PKU         X86_FEATURE(FEAT_7_0_ECX, 3)
#define F_WAITPKG     X86_FEATURE(FEAT_7_0_ECX, 5)
#define F_VBMI2       X86_FEATURE(FEAT_7_0_ECX, 6)
#define F_GFNI        X86_FEATURE(FEAT_7_0_ECX, 8)
#define F_VAES        X86_FEATURE(FEAT_7_0_ECX, 9)
#define F_VPCLMUL     X86_FEATURE(FEAT_7_0_ECX, 10)
#define F_VNNI        X86_FEATURE(FEAT_7_0_ECX, 11)
#define F_BITALG      X86_FEATURE(FEAT_7_0_ECX, 12)
#define F_VPOPCNT     X86_FEATURE(FEAT_7_0_ECX, 14)
#define F_RDPID       X86_FEATURE(FEAT_7_0_ECX, 22)
#define F_MOVDIRI     X86_FEATURE(FEAT_7_0_ECX, 27)
#define F_MOVDIR64B   X86_FEATURE(FEAT_7_0_ECX, 28)
#define F_VP2INT      X86_FEATURE(FEAT_7_0_EDX, 8)
#define F_SERIALIZE   X86_FEATURE(FEAT_7_0_EDX, 14)
#define F_FP16        X86_FEATURE(FEAT_7_0_EDX, 23)
#define F_AVXVNNI     X86_FEATURE(FEAT_7_1_EAX, 4)
#define F_BF16        X86_FEATURE(FEAT_7_1_EAX, 5)
#define F_XSAVEOPT    X86_FEATURE(FEAT_D_1_EAX, 0)
#define F_XSAVEC      X86_FEATURE(FEAT_D_1_EAX, 1)
#define F_XSAVES      X86_FEATURE(FEAT_D_1_EAX, 3)
#define F_SYSCALL     X86_FEATURE(FEAT_80000001_EDX, 11)
#define F_RDTSCP      X86_FEATURE(FEAT_80000001_EDX, 27)
#define F_SVM         X86_FEATURE(FEAT_80000001_ECX, 2)
#define F_SSE4A       X86_FEATURE(FEAT_80000001_ECX, 6)
#define F_MONITORX    X86_FEATURE(FEAT_80000001_ECX, 29)
#define F_CLZERO      X86_FEATURE(FEAT_80000008_EBX, 0)
#define F_RDPRU       X86_FEATURE(FEAT_80000008_EBX, 4)

/* clang-format on */

#endif
