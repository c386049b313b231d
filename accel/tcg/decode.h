/* SPDX-License-Identifier: MIT
 *
 * The instruction decoder: bytes to X86Insn, by table (SDM vol. 2, chapter 2
 * and appendix A).  Keeps the raw fields, so that the translator can patch and
 * copy them rather than encode anew.
 */
#ifndef ACCEL_TCG_DECODE_H
#define ACCEL_TCG_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define X86_INSN_MAX 15

typedef enum X86Map {
    X86_MAP_1B, /* one-byte opcodes */
    X86_MAP_0F,
    X86_MAP_0F38,
    X86_MAP_0F3A,
    X86_MAP_EVEX5, /* EVEX maps 5 and 6 (AVX512-FP16) */
    X86_MAP_EVEX6,
    X86_MAP_COUNT,
} X86Map;

typedef enum X86Encoding { X86_ENC_LEGACY, X86_ENC_VEX, X86_ENC_EVEX } X86Encoding;

/* What the translator may do with the instruction. */
typedef enum X86InsnClass {
    X86_CLASS_UD,     /* undefined in this mode */
    X86_CLASS_INT,    /* general-purpose, runs as itself */
    X86_CLASS_BRANCH, /* near jmp, jcc, call, ret, loop, jcxz */
    X86_CLASS_X87,
    X86_CLASS_MMX,
    X86_CLASS_SSE,    /* legacy-encoded XMM */
    X86_CLASS_AVX,    /* VEX and EVEX */
    X86_CLASS_STRING, /* movs, cmps, stos, lods, scas (not ins, outs) */
    X86_CLASS_SYS,    /* x86_exec_insn() in C; also xlat, bound, cpuid, ins, outs... */
    X86_CLASS_XSAVE,  /* fxsave, fxrstor, xsave family: moves vector and x87 state */
} X86InsnClass;

typedef enum X86MemAccess {
    X86_MEM_NONE, /* no memory operand, or an address only (lea, nop, prefetch) */
    X86_MEM_READ,
    X86_MEM_WRITE,
    X86_MEM_RW,
} X86MemAccess;

/* What a register field of the instruction names. */
typedef enum X86OperandKind {
    X86_OPD_NONE, /* nothing, or an opcode extension */
    X86_OPD_GPR,
    X86_OPD_VEC, /* XMM, YMM or ZMM */
    X86_OPD_MMX,
    X86_OPD_MASK, /* k0..k7 */
    X86_OPD_SEG,
    X86_OPD_CR,
    X86_OPD_DR,
} X86OperandKind;

/* How a register field is used; both bits may be set. */
#define X86_ACC_R 1
#define X86_ACC_W 2

/* Near pushes and pops that an instruction does beside its operands. */
typedef enum X86StackAccess { X86_STACK_NONE, X86_STACK_PUSH, X86_STACK_POP } X86StackAccess;

typedef struct X86Mode {
    uint8_t code64;         /* 64-bit code segment */
    uint8_t cs32;           /* CS.D (when not code64) */
    uint8_t protected_mode; /* CR0.PE and not virtual-8086: VEX and EVEX decode, arpl not #UD */
} X86Mode;

typedef struct X86Insn {
    uint8_t bytes[X86_INSN_MAX];
    uint8_t length;
    uint8_t map;      /* X86Map */
    uint8_t encoding; /* X86Encoding */
    uint8_t opcode;
    uint8_t class_; /* X86InsnClass */

    /* prefixes */
    uint8_t lock, rep, repne; /* rep: F3, repne: F2 as the last of the two */
    uint8_t opsize_prefix, addrsize_prefix;
    int8_t seg_override; /* X86SegReg or -1; in 64-bit code only fs and gs are kept */
    uint8_t rex;         /* 0 or the REX byte */
    uint8_t opsize;      /* 1, 2, 4 or 8: the general-purpose operand size in effect */
    uint8_t addrsize;    /* 2, 4 or 8 */

    /* VEX and EVEX */
    uint8_t vvvv, vl; /* vl: 0 = 128, 1 = 256, 2 = 512 */
    uint8_t pp, w;
    uint8_t evex_aaa, evex_z, evex_b;

    /* ModRM and SIB, with their REX, VEX or EVEX extension bits */
    uint8_t has_modrm, modrm;
    uint8_t mod, reg, rm;
    uint8_t has_sib;
    int8_t base,
        index;     /* register number or -1; 16-bit addressing is given as base and index too */
    uint8_t scale; /* 0..3 */
    uint8_t rip_relative;
    uint8_t vsib;      /* the index is a vector register */
    int8_t seg;        /* segment of the memory operand, default or override: X86SegReg */
    int64_t disp;      /* sign-extended; EVEX disp8 already scaled */
    uint8_t disp_size; /* bytes in the encoding: 0, 1, 2, 4, 8 (moffs) */

    int64_t imm; /* sign-extended; enter: imm16, and imm2 the level; far pointer: offset, imm2
                    selector */
    int64_t imm2;
    uint8_t imm_size;

    /* offsets into bytes[], for patching; 0 where absent */
    uint8_t opcode_off, modrm_off, sib_off, disp_off, imm_off;

    /* from the tables: what the fields reg, rm (with mod 3, or from the opcode) and vvvv name */
    uint8_t reg_kind, rm_kind, vvvv_kind; /* X86OperandKind */
    uint8_t reg_acc, rm_acc, vvvv_acc;    /* X86_ACC_* of a register operand */
    uint8_t reg_size, rm_size, vvvv_size; /* bytes of a GPR operand; 1: see ah..bh */
    uint8_t opcode_reg;   /* rm is in the low bits of the opcode (push, pop, xchg, mov, bswap) */
    uint8_t is_bt_mem;    /* bt, bts, btr, btc [mem], reg: may reach beyond the operand */
    uint8_t implicit_mem; /* mem is not from a ModRM or moffs: strings, maskmov (base is rdi) */
    uint8_t stack, stack_size; /* X86StackAccess and its bytes; leave is a pop */
    uint8_t elem_size;         /* EVEX and masked VEX: bytes of an element, else 0 */
    uint8_t align;             /* #GP unless the memory operand is aligned to this; 0: anywhere */
    uint8_t w_ignored;         /* outside 64-bit code: VEX.W and EVEX.W would widen a register */
    uint8_t opsize_free;       /* 66 is the operand size here, and not part of the opcode */
    uint8_t is4;               /* imm[7:4] is a register; outside 64-bit code bit 7 is ignored */
    uint8_t vl_any;            /* scalar or fixed 128 bits: vl is not the length of the operation */

    uint8_t mem;       /* X86MemAccess of the ModRM, moffs or implicit operand */
    uint16_t mem_size; /* bytes accessed; 0: depends (xsave, fxsave, gather) */
    /*
     * CC_* and DF_MASK.  A flag written only sometimes (shifts by cl, repeated
     * cmps) is in flags_read as well; undefined flags are not in flags_written.
     */
    uint16_t flags_read, flags_written, flags_undefined;
    /*
     * Bit n: general register n, explicit, implicit and address.  A register of
     * which only 8 or 16 bits are written, or that is written only sometimes, is read too.
     */
    uint32_t gpr_read, gpr_written;
    uint32_t cpuid_feature, cpuid_feature2; /* X86_FEATURE() that must be there, or 0 */
} X86Insn;

/*
 * Decode the instruction at the start of `bytes`, of which `avail` may be
 * read.  Returns its length; 0 when more bytes are needed (avail < 15); -1
 * when it is longer than 15 bytes (#GP) . An undefined instruction
 * decodes with class X86_CLASS_UD and the length read so far.
 */
int x86_decode(const uint8_t *bytes, size_t avail, X86Mode mode, X86Insn *ret);

#endif
