/* SPDX-License-Identifier: MIT
 *
 * The instruction decoder (SDM vol. 2, chapter 2: formats; appendix A: opcode
 * maps).  Prefixes and ModRM are read by hand; everything else that is to be
 * known about an opcode stands in a row of the tables beside this file.
 */
#include "accel/tcg/decode.h"
#include <string.h>
#include "accel/tcg/decode-rows.h"

/*
 * Each table is included twice: once as the array of rows, placed by their
 * line number, and once as the index from opcode to first row.
 */
#define OP(op, m, ...) [__LINE__] = {.match = MATCH(m), .start = true, __VA_ARGS__},
#define OR(m, ...)     [__LINE__] = {.match = MATCH(m), __VA_ARGS__},
static const OpRow rows_1b[] = {
#include "accel/tcg/decode-1b.inc.h"
    {.match = 0},
};
static const OpRow rows_0f[] = {
#include "accel/tcg/decode-0f.inc.h"
    {.match = 0},
};
static const OpRow rows_0f38[] = {
#include "accel/tcg/decode-0f38.inc.h"
    {.match = 0},
};
static const OpRow rows_0f3a[] = {
#include "accel/tcg/decode-0f3a.inc.h"
    {.match = 0},
};
static const OpRow rows_vex[] = {
#include "accel/tcg/decode-vex.inc.h"
    {.match = 0},
};
static const OpRow rows_evex[] = {
#include "accel/tcg/decode-evex.inc.h"
    {.match = 0},
};
#undef OP
#undef OR

#define OP(op, m, ...) [op] = __LINE__,
#define OR(m, ...)
static const uint16_t index_1b[256] = {
#include "accel/tcg/decode-1b.inc.h"
};
static const uint16_t index_0f[256] = {
#include "accel/tcg/decode-0f.inc.h"
};
static const uint16_t index_0f38[256] = {
#include "accel/tcg/decode-0f38.inc.h"
};
static const uint16_t index_0f3a[256] = {
#include "accel/tcg/decode-0f3a.inc.h"
};
/* VEX and EVEX opcodes are given with their map in the high byte. */
static const uint16_t index_vex[X86_MAP_COUNT * 256] = {
#include "accel/tcg/decode-vex.inc.h"
};
static const uint16_t index_evex[X86_MAP_COUNT * 256] = {
#include "accel/tcg/decode-evex.inc.h"
};
#undef OP
#undef OR

#define A6 CC_MASK
#define C_ CC_C
#define P_ CC_P
#define A_ CC_A
#define Z_ CC_Z
#define S_ CC_S
#define O_ CC_O
#define D_ DF_MASK

static const struct {
    uint16_t read, written, undefined;
} flag_use[FL_COUNT] = {
    [FL_ARITH] = {0,        A6,                0                     },
    [FL_ADC] = {C_,       A6,                0                     },
    [FL_LOGIC] = {0,        A6 & ~A_,          A_                    },
    [FL_INC] = {0,        A6 & ~C_,          0                     },
    [FL_SHIFT1] = {0,        A6 & ~A_,          A_                    },
    [FL_SHIFTC] = {A6,       S_ | Z_ | P_ | C_, A_ | O_               },
    [FL_ROT1] = {0,        C_ | O_,           0                     },
    [FL_ROTC] = {C_ | O_,  C_,                O_                    },
    [FL_RC1] = {C_,       C_ | O_,           0                     },
    [FL_RCC] = {C_ | O_,  C_,                O_                    },
    [FL_SHIFTD] = {A6,       S_ | Z_ | P_ | C_, A_ | O_               },
    [FL_MUL] = {0,        C_ | O_,           S_ | Z_ | A_ | P_     },
    [FL_DIV] = {0,        0,                 A6                    },
    [FL_BT] = {0,        C_,                O_ | S_ | A_ | P_     },
    [FL_BSF] = {0,        Z_,                O_ | S_ | A_ | P_ | C_},
    [FL_ZCNT] = {0,        Z_ | C_,           O_ | S_ | A_ | P_     },
    [FL_STR] = {D_,       0,                 0                     },
    [FL_CMPS] = {D_,       A6,                0                     },
    [FL_CMC] = {C_,       C_,                0                     },
    [FL_STC] = {0,        C_,                0                     },
    [FL_STD] = {0,        D_,                0                     },
    [FL_LAHF] = {A6 & ~O_, 0,                 0                     },
    [FL_SAHF] = {0,        A6 & ~O_,          0                     },
    [FL_Z] = {0,        Z_,                0                     },
    [FL_ANDN] = {0,        O_ | S_ | Z_ | C_, A_ | P_               },
    [FL_BEXTR] = {0,        O_ | Z_ | C_,      S_ | A_ | P_          },
    [FL_ADCX] = {C_,       C_,                0                     },
    [FL_ADOX] = {O_,       O_,                0                     },
    [FL_DAA] = {A_ | C_,  A6 & ~O_,          O_                    },
    [FL_AAA] = {A_,       A_ | C_,           O_ | S_ | Z_ | P_     },
    [FL_AAM] = {0,        S_ | Z_ | P_,      O_ | A_ | C_          },
    [FL_ALLR] = {A6 | D_,  0,                 0                     },
    [FL_ALLW] = {0,        A6,                0                     },
    [FL_ALLRW] = {A6 | D_,  A6 | D_,           0                     },
    [FL_RC] = {C_,       0,                 0                     },
    [FL_RZ] = {Z_,       0,                 0                     },
    [FL_RCZ] = {C_ | Z_,  0,                 0                     },
    [FL_RP] = {P_,       0,                 0                     },
    [FL_RO] = {O_,       0,                 0                     },
    [FL_FCOMI] = {0,        A6,                0                     },
};

/* Condition codes (SDM vol. 1, appendix B), by the opcode's bits 1 to 3. */
static const uint16_t cond_flags[8] = {O_, C_, Z_, C_ | Z_, S_, P_, S_ | O_, Z_ | S_ | O_};

typedef struct Cursor {
    const uint8_t *bytes;
    unsigned pos, limit;
    bool over; /* a byte beyond the limit was asked for */
    bool ud;
    X86Mode mode;
    X86Insn *i;
    /* what VEX and EVEX give beside what X86Insn holds */
    uint8_t ext_r, ext_r2, ext_x, ext_b, ext_v2;
} Cursor;

static inline uint8_t peek_u8(const Cursor *c, unsigned ahead)
{
    return c->pos + ahead < c->limit ? c->bytes[c->pos + ahead] : 0;
}

static inline uint8_t next_u8(Cursor *c)
{
    if (c->pos >= c->limit) {
        c->over = true;
        return 0;
    }
    return c->bytes[c->pos++];
}

static uint64_t next_le(Cursor *c, unsigned size)
{
    uint64_t v = 0;

    if (c->pos + size > c->limit) {
        c->over = true;
        c->pos = c->limit;
        return 0;
    }
    memcpy(&v, c->bytes + c->pos, size);
    c->pos += size;
    return v;
}

static int64_t next_signed(Cursor *c, unsigned size)
{
    unsigned shift = 64 - 8 * size;

    return size ? (int64_t)(next_le(c, size) << shift) >> shift : 0;
}

static void read_segment_prefix(Cursor *c, uint8_t byte)
{
    static const int8_t seg[8] = {[4] = R_FS, [5] = R_GS};

    if (byte >= 0x60) {
        c->i->seg_override = seg[byte & 7];
    } else if (!c->mode.code64) {
        c->i->seg_override = byte >> 3 & 3; /* 26, 2e, 36, 3e: es, cs, ss, ds */
    }
}

/* Legacy and REX prefixes.  Leaves the cursor at the opcode. */
static void read_prefixes(Cursor *c)
{
    X86Insn *i = c->i;

    i->seg_override = -1;
    for (;;) {
        uint8_t b = peek_u8(c, 0);

        switch (b) {
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e:
        case 0x64:
        case 0x65:
            read_segment_prefix(c, b);
            break;
        case 0x66:
            i->opsize_prefix = 1;
            break;
        case 0x67:
            i->addrsize_prefix = 1;
            break;
        case 0xf0:
            i->lock = 1;
            break;
        case 0xf2:
            i->repne = 1;
            i->rep = 0;
            break;
        case 0xf3:
            i->rep = 1;
            i->repne = 0;
            break;
        default:
            if (!c->mode.code64 || (b & 0xf0) != 0x40 || c->pos >= c->limit) {
                return;
            }
            i->rex = b;
            c->pos++;
            continue;
        }
        i->rex = 0; /* not directly before the opcode: ignored */
        c->pos++;
    }
}

static void read_vex(Cursor *c, uint8_t first)
{
    X86Insn *i = c->i;
    uint8_t b = next_u8(c);
    uint8_t map = 1;

    c->ext_r = !(b & 0x80);
    if (first == 0xc4) {
        c->ext_x = !(b & 0x40);
        c->ext_b = !(b & 0x20);
        map = b & 0x1f;
        b = next_u8(c);
        i->w = b >> 7;
    }
    i->vvvv = ~b >> 3 & 15;
    i->vl = b >> 2 & 1;
    i->pp = b & 3;
    i->encoding = X86_ENC_VEX;
    c->ud |= map < 1 || map > 3;
    i->map = map;
}

static void read_evex(Cursor *c)
{
    static const uint8_t maps[8] = {
        [1] = X86_MAP_0F,    [2] = X86_MAP_0F38,  [3] = X86_MAP_0F3A,
        [5] = X86_MAP_EVEX5, [6] = X86_MAP_EVEX6,
    };
    X86Insn *i = c->i;
    uint8_t p0 = next_u8(c), p1 = next_u8(c), p2 = next_u8(c);

    c->ext_r = !(p0 & 0x80);
    c->ext_x = !(p0 & 0x40);
    c->ext_b = !(p0 & 0x20);
    c->ext_r2 = !(p0 & 0x10);
    c->ext_v2 = !(p2 & 8);
    i->map = maps[p0 & 7];
    i->w = p1 >> 7;
    i->vvvv = ~p1 >> 3 & 15;
    i->pp = p1 & 3;
    i->evex_z = p2 >> 7;
    i->vl = p2 >> 5 & 3;
    i->evex_b = p2 >> 4 & 1;
    i->evex_aaa = p2 & 7;
    i->encoding = X86_ENC_EVEX;
    c->ud |= !i->map || (p0 & 8) || !(p1 & 4);
}

/* Outside 64-bit code C4, C5 and 62 are les, lds and bound with a memory operand. */
static bool is_vex_or_evex(const Cursor *c, uint8_t b)
{
    if (b != 0xc4 && b != 0xc5 && b != 0x62) {
        return false;
    }
    return c->mode.code64 || (c->pos < c->limit && (peek_u8(c, 0) & 0xc0) == 0xc0);
}

static void read_vector_prefix(Cursor *c, uint8_t b)
{
    X86Insn *i = c->i;

    c->ud |= i->lock || i->rep || i->repne || i->opsize_prefix || i->rex || !c->mode.protected_mode;
    if (b == 0x62) {
        read_evex(c);
    } else {
        read_vex(c, b);
    }
    if (!c->mode.code64) { /* eight registers; SDM vol. 2, 2.3.5.6 */
        c->ud |= c->ext_v2;
        c->ext_r = c->ext_x = c->ext_b = c->ext_r2 = 0;
    }
}

/* Reads the opcode, and returns the first of its rows, or NULL. */
static const OpRow *read_opcode(Cursor *c)
{
    X86Insn *i = c->i;
    uint8_t b;

    i->opcode_off = c->pos;
    b = next_u8(c);
    if (is_vex_or_evex(c, b)) {
        read_vector_prefix(c, b);
        i->opcode_off = c->pos;
        i->opcode = next_u8(c);
        unsigned n = i->map << 8 | i->opcode;
        return c->ud                        ? NULL
               : i->encoding == X86_ENC_VEX ? &rows_vex[index_vex[n]]
                                            : &rows_evex[index_evex[n]];
    }
    c->ext_r = i->rex >> 2 & 1;
    c->ext_x = i->rex >> 1 & 1;
    c->ext_b = i->rex & 1;
    i->w = i->rex >> 3 & 1;
    i->pp = i->repne ? 3 : i->rep ? 2 : i->opsize_prefix;
    i->opcode = b;
    if (b != 0x0f) {
        return &rows_1b[index_1b[b]];
    }
    i->map = X86_MAP_0F;
    i->opcode = next_u8(c);
    if (i->opcode == 0x38 || i->opcode == 0x3a) {
        i->map = i->opcode == 0x38 ? X86_MAP_0F38 : X86_MAP_0F3A;
        i->opcode = next_u8(c);
        return i->map == X86_MAP_0F38 ? &rows_0f38[index_0f38[i->opcode]]
                                      : &rows_0f3a[index_0f3a[i->opcode]];
    }
    return &rows_0f[index_0f[i->opcode]];
}

static void read_address16(Cursor *c)
{
    static const int8_t base[8] = {R_EBX, R_EBX, R_EBP, R_EBP, R_ESI, R_EDI, R_EBP, R_EBX};
    static const int8_t index[8] = {R_ESI, R_EDI, R_ESI, R_EDI, -1, -1, -1, -1};
    X86Insn *i = c->i;

    i->base = base[i->rm];
    i->index = index[i->rm];
    i->disp_size = i->mod;
    if (i->mod == 0 && i->rm == 6) {
        i->base = -1;
        i->disp_size = 2;
    }
}

static void read_sib(Cursor *c)
{
    X86Insn *i = c->i;
    uint8_t sib;

    i->has_sib = 1;
    i->sib_off = c->pos;
    sib = next_u8(c);
    i->scale = sib >> 6;
    i->index = (sib >> 3 & 7) | c->ext_x << 3;
    i->base = (sib & 7) | c->ext_b << 3;
    if (i->index == R_ESP) {
        i->index = -1;
    }
    if ((sib & 7) == R_EBP && i->mod == 0) {
        i->base = -1;
        i->disp_size = 4;
    }
}

static void read_address(Cursor *c)
{
    X86Insn *i = c->i;

    i->disp_size = i->mod == 1 ? 1 : i->mod == 2 ? 4 : 0;
    if (i->rm == R_ESP) {
        read_sib(c);
    } else if (i->rm == R_EBP && i->mod == 0) {
        i->disp_size = 4;
        i->rip_relative = c->mode.code64;
    } else {
        i->base = i->rm | c->ext_b << 3;
    }
}

static void read_modrm(Cursor *c, const OpRow *first)
{
    X86Insn *i = c->i;

    i->has_modrm = 1;
    i->modrm_off = c->pos;
    i->modrm = next_u8(c);
    i->mod = first->at & REG32 ? 3 : i->modrm >> 6;
    i->reg = i->modrm >> 3 & 7;
    i->rm = i->modrm & 7;
    if (i->mod == 3) {
        return;
    }
    if (i->addrsize == 2) {
        read_address16(c);
    } else {
        read_address(c);
    }
    if (i->disp_size) {
        i->disp_off = c->pos;
        i->disp = next_signed(c, i->disp_size);
    }
    i->seg = i->seg_override >= 0                   ? i->seg_override
             : i->base == R_ESP || i->base == R_EBP ? R_SS
                                                    : R_DS;
}

static uint32_t selector(const Cursor *c)
{
    const X86Insn *i = c->i;
    uint32_t have = P_N << i->pp | (i->w ? W1 : W0) | L0 << i->vl | (c->mode.code64 ? M64 : M32);

    if (i->has_modrm) {
        have |= G(i->modrm >> 3 & 7) | (i->mod == 3 ? REG | E(i->modrm & 7) : MEM);
    }
    return have;
}

static const OpRow *pick_row(const Cursor *c, const OpRow *row)
{
    const X86Insn *i = c->i;
    uint32_t have = selector(c);
    uint32_t form = !i->has_modrm ? 0 : i->mod == 3 ? FORM_RM3 : FORM_MEM;

    /* with embedded rounding the length field is the rounding mode */
    if (i->encoding == X86_ENC_EVEX && i->evex_b && i->mod == 3) {
        have = (have & ~L_ALL) | L2;
    }
    do {
        if ((row->match & have) == have && (row->form & form) == form) {
            return row;
        }
        row++;
    } while (row->match && !row->start);
    return NULL;
}

static unsigned operand_size(const Cursor *c, const OpRow *row)
{
    const X86Insn *i = c->i;

    if ((row->at & BYTE) || (row->es == z1 && (row->gs == z0 || row->gs == z1))) {
        return 1;
    }
    if (!c->mode.code64) {
        return !c->mode.cs32 == !i->opsize_prefix ? 2 : 4;
    }
    if (i->w || (row->at & F64)) {
        return row->at & IO ? 4 : 8;
    }
    return i->opsize_prefix ? 2 : row->at & D64 ? 8 : 4;
}

static unsigned mask_move_size(const X86Insn *i)
{
    return i->w ? (i->pp ? 4 : 8) : (i->pp ? 1 : 2);
}

static unsigned size_of(const Cursor *c, uint8_t size)
{
    static const uint8_t fixed[] = {0, 1, 2, 4, 8, 10, 16, 32, 64};
    const X86Insn *i = c->i;
    unsigned vl = 16u << i->vl;

    switch (size) {
    case zV:
        return i->opsize;
    case zY:
        return i->w && c->mode.code64 ? 8 : 4;
    case zP:
        return 2 + i->opsize;
    case zS:
        return c->mode.code64 ? 10 : 6;
    case zA:
        return 2 * i->opsize;
    case zSG:
        return i->mod == 3 ? i->opsize : 2;
    case zC:
        return i->w ? 16 : 8;
    case zX:
        return vl;
    case zH:
        return vl / 2;
    case zQ4:
        return vl / 4;
    case zE8:
        return vl / 8;
    case zPS:
        return i->pp < 2 ? vl : i->pp == 2 ? 4 : 8;
    case zPH:
        return i->pp < 2 ? vl : 2;
    case zDD:
        return i->vl ? vl : 8;
    case zKM:
        return mask_move_size(i);
    case zEV:
        return i->opsize == 2 ? 14 : 28;
    case zFS:
        return i->opsize == 2 ? 94 : 108;
    case z512:
        return 512;
    default:
        return fixed[size];
    }
}

static void read_imm(Cursor *c, const OpRow *row)
{
    X86Insn *i = c->i;
    unsigned size = 0;

    i->imm_off = c->pos;
    switch (row->im) {
    case IM_NONE:
        i->imm_off = 0;
        return;
    case IM_MOFFS:
        i->imm_off = 0;
        i->disp_off = c->pos;
        i->disp_size = i->addrsize;
        i->disp = next_signed(c, i->addrsize);
        i->seg = i->seg_override >= 0 ? i->seg_override : R_DS;
        return;
    case IM_B:
    case IM_JB:
    case IM_BB:
        size = 1;
        break;
    case IM_W:
    case IM_WB:
        size = 2;
        break;
    case IM_Z:
    case IM_JZ:
        size = i->opsize == 2 ? 2 : 4;
        break;
    case IM_V:
    case IM_AP:
        size = i->opsize;
        break;
    }
    i->imm = next_signed(c, size);
    i->imm_size = size;
    if (row->im == IM_AP || row->im == IM_WB || row->im == IM_BB) {
        i->imm2 = (int64_t)next_le(c, row->im == IM_AP ? 2 : 1);
        i->imm = row->im == IM_AP && size == 4 ? (uint32_t)i->imm : i->imm & 0xffff;
    }
}

/* A shift by an immediate is known to change the flags, or not to. */
static void refine_shift_flags(X86Insn *i, const OpRow *row)
{
    unsigned count = i->imm & (i->opsize == 8 ? 63 : 31);
    uint16_t carry_in = row->fl == FL_RCC ? C_ : 0;

    if (!count) {
        i->flags_read = i->flags_written = i->flags_undefined = 0;
        return;
    }
    i->flags_read = carry_in;
    if (count == 1) {
        i->flags_written |= O_;
        i->flags_undefined &= ~O_;
    } else if (row->fl == FL_SHIFTD && count > i->opsize * 8u) {
        i->flags_written = 0;
        i->flags_undefined = A6;
    }
}

static void set_flags(X86Insn *i, const OpRow *row)
{
    if (row->fl == FL_CC) {
        i->flags_read = cond_flags[i->opcode >> 1 & 7];
        return;
    }
    i->flags_read = flag_use[row->fl].read;
    i->flags_written = flag_use[row->fl].written;
    i->flags_undefined = flag_use[row->fl].undefined;
    if (row->im == IM_B &&
        (row->fl == FL_SHIFTC || row->fl == FL_ROTC || row->fl == FL_RCC || row->fl == FL_SHIFTD)) {
        refine_shift_flags(i, row);
    }
    if (row->fl == FL_CMPS && (i->rep || i->repne)) {
        i->flags_read |= A6;
    }
}

/* ah, ch, dh and bh, when no REX makes them spl, bpl, sil and dil */
static inline unsigned gpr_bit(const X86Insn *i, unsigned number, unsigned size)
{
    bool high = size == 1 && !i->rex && i->encoding == X86_ENC_LEGACY && number >= 4;

    return 1u << (high ? number - 4 : number);
}

static void use_gpr(X86Insn *i, unsigned number, unsigned size, unsigned acc)
{
    unsigned bit = gpr_bit(i, number, size);

    if ((acc & X86_ACC_R) || size < 4) {
        i->gpr_read |= bit;
    }
    if (acc & X86_ACC_W) {
        i->gpr_written |= bit;
    }
}

static void set_address_use(X86Insn *i)
{
    if (i->base >= 0) {
        i->gpr_read |= 1u << i->base;
    }
    if (i->index >= 0 && !i->vsib) {
        i->gpr_read |= 1u << i->index;
    }
}

static void set_implicit_gprs(X86Insn *i, const OpRow *row)
{
    i->gpr_read |= row->ir;
    i->gpr_written |= row->iw;
    if (i->opsize < 4 && row->cls != X86_CLASS_SSE && row->cls != X86_CLASS_AVX) {
        i->gpr_read |= row->iw;
    }
    if (i->stack) {
        i->gpr_read |= rSP;
        i->gpr_written |= rSP;
    }
}

static void set_gprs(X86Insn *i, const OpRow *row)
{
    if (i->reg_kind == X86_OPD_GPR) {
        use_gpr(i, i->reg, i->reg_size, i->reg_acc);
    }
    if (i->rm_kind == X86_OPD_GPR) {
        use_gpr(i, i->rm, i->rm_size, i->rm_acc);
    }
    if (i->vvvv_kind == X86_OPD_GPR) {
        use_gpr(i, i->vvvv, i->vvvv_size, i->vvvv_acc);
    }
    set_address_use(i);
    set_implicit_gprs(i, row);
}

static void extend_reg(Cursor *c, unsigned kind)
{
    X86Insn *i = c->i;

    switch (kind) {
    case X86_OPD_VEC:
        i->reg |= c->ext_r << 3 | c->ext_r2 << 4;
        break;
    case X86_OPD_MASK:
        c->ud |= c->ext_r || c->ext_r2;
        break;
    case X86_OPD_CR:
    case X86_OPD_DR:
        i->reg |= c->ext_r << 3;
        c->ud |= kind == X86_OPD_CR ? !(0x11d >> i->reg & 1) : i->reg > 7;
        break;
    case X86_OPD_GPR:
        i->reg |= c->ext_r << 3;
        c->ud |= c->ext_r2;
        break;
    }
}

static void extend_rm(Cursor *c, const OpRow *row)
{
    X86Insn *i = c->i;
    unsigned kind = row->form >> 5 & 7;

    if (row->form & FORM_OPREG) {
        i->rm = i->opcode & 7;
    } else if (i->mod != 3) {
        return;
    }
    if (kind == X86_OPD_VEC) {
        i->rm |= c->ext_b << 3 | (i->encoding == X86_ENC_EVEX ? c->ext_x << 4 : 0);
    } else if (kind == X86_OPD_GPR) {
        i->rm |= c->ext_b << 3;
    }
}

static void extend_vvvv(Cursor *c, const OpRow *row)
{
    X86Insn *i = c->i;

    if (row->form & FORM_VSIB) {
        c->ud |= !i->has_sib;
        i->index = (c->bytes[i->sib_off] >> 3 & 7) | c->ext_x << 3 | c->ext_v2 << 4;
        i->vsib = 1;
    } else {
        i->vvvv |= c->ext_v2 << 4;
    }
    switch (row->form >> 10 & 7) {
    case X86_OPD_NONE:
        c->ud |= i->vvvv != 0;
        break;
    case X86_OPD_MASK:
        c->ud |= c->mode.code64 && i->vvvv > 7;
        break;
    case X86_OPD_GPR:
        c->ud |= i->vvvv > 15;
        break;
    }
    if (!c->mode.code64) {
        i->vvvv &= 7;
    }
}

/* Extends the register fields, by what they name.  False: no such register. */
static bool extend_fields(Cursor *c, const OpRow *row)
{
    extend_reg(c, row->form & 7);
    extend_rm(c, row);
    if (c->i->encoding != X86_ENC_LEGACY) {
        extend_vvvv(c, row);
    }
    return !c->ud;
}

/* Gathers and complex multiplication may not write a register that they read. */
static bool registers_differ(const X86Insn *i)
{
    if (i->vsib) {
        return i->reg != i->index &&
               (i->encoding == X86_ENC_EVEX || (i->reg != i->vvvv && i->index != i->vvvv));
    }
    return i->reg != i->vvvv && !(i->mod == 3 && i->reg == i->rm);
}

/* Rules for z, b, aaa and L'L (SDM vol. 2, 2.7.5 to 2.7.12).  False: #UD. */
static bool check_evex(X86Insn *i, const OpRow *row)
{
    bool scalar = (row->at & SC) || ((row->es == zPS || row->es == zPH) && i->pp >= 2);
    bool to_mask = (row->form & 7) == X86_OPD_MASK;
    bool to_memory = i->mod != 3 && (row->form >> 8 & X86_ACC_W);

    if (i->evex_b) {
        bool legal = i->mod == 3 ? row->at & (ER | SAE) : (row->at & BC) && !scalar;

        if (!legal) {
            return false;
        }
        if (i->mod == 3 && !scalar) {
            i->vl = 2;
        }
    }
    if (i->vl == 3 && !(i->evex_b && i->mod == 3)) {
        return false;
    }
    if ((i->evex_aaa || i->evex_z) && !(row->at & (MASKED | MASKREQ))) {
        return false;
    }
    if (i->evex_z && (!i->evex_aaa || to_mask || to_memory || (row->at & (MASKREQ | NOZ)))) {
        return false;
    }
    if ((row->at & MASKREQ) && !i->evex_aaa) {
        return false;
    }
    if ((row->at & DISTINCT) && !registers_differ(i)) {
        return false;
    }
    i->vl_any = scalar;
    i->cpuid_feature2 = row->ft2 ? row->ft2 : scalar || i->vl == 2 ? 0 : F_AVX512VL;
    return true;
}

static bool check_vex(X86Insn *i, const OpRow *row)
{
    i->vl_any = (row->at & SC) || (row->es == zPS && i->pp >= 2);
    i->cpuid_feature2 = row->ft2 ? row->ft2 : (row->at & AVX2_256) && i->vl ? F_AVX2 : 0;
    return !(row->at & DISTINCT) || registers_differ(i);
}

static unsigned memory_size(const Cursor *c, const OpRow *row)
{
    const X86Insn *i = c->i;

    if (i->encoding == X86_ENC_EVEX && i->evex_b && i->mod != 3) {
        return row->el;
    }
    return size_of(c, row->es);
}

static void set_string(X86Insn *i, const OpRow *row)
{
    bool repeated = i->rep || i->repne;
    bool writes = i->opcode == 0xa4 || i->opcode == 0xa5 || i->opcode == 0xaa ||
                  i->opcode == 0xab || i->opcode == 0x6c || i->opcode == 0x6d;
    bool reads = (row->at & STRSRC) || !writes;
    uint32_t use =
        (row->at & STRSRC ? rSI : 0) | (row->at & STRDST ? rDI : 0) | (repeated ? rCX : 0);

    i->gpr_read |= use | (repeated && i->opcode == 0xad ? rAX : 0);
    i->gpr_written |= use;
    i->mem = (reads ? X86_MEM_READ : 0) | (writes ? X86_MEM_WRITE : 0);
}

/* Operands at [rsi] and [rdi] that no ModRM names. */
static void set_implicit_memory(Cursor *c, const OpRow *row)
{
    X86Insn *i = c->i;

    i->implicit_mem = 1;
    i->mem_size = size_of(c, row->es);
    i->seg = i->seg_override >= 0 ? i->seg_override : R_DS;
    if (row->cls == X86_CLASS_STRING || row->cls == X86_CLASS_SYS) {
        set_string(i, row);
        return;
    }
    i->base = R_EDI;
    i->gpr_read |= rDI;
    i->mem = X86_MEM_WRITE;
}

static unsigned alignment(const X86Insn *i, const OpRow *row)
{
    bool sse = row->cls == X86_CLASS_SSE && i->mem_size == 16 && !(row->at & NOALIGN);

    return i->mem && (sse || (row->at & ALIGNED)) ? i->mem_size : 0;
}

static void set_operands(Cursor *c, const OpRow *row)
{
    X86Insn *i = c->i;
    bool rm_is_reg = i->mod == 3 || (row->form & FORM_OPREG);

    i->reg_kind = row->form & 7;
    i->reg_acc = (row->form >> 3 & 3) | (row->at & CMOV ? X86_ACC_R : 0);
    i->vvvv_kind = row->form >> 10 & 7;
    i->vvvv_acc = row->form >> 13 & 3;
    i->opcode_reg = (row->form & FORM_OPREG) != 0;
    i->reg_size = i->reg_kind == X86_OPD_GPR ? size_of(c, row->gs) : 0;
    i->vvvv_size = i->vvvv_kind == X86_OPD_GPR ? size_of(c, row->gs) : 0;
    if (rm_is_reg) {
        i->rm_kind = row->form >> 5 & 7;
        i->rm_acc = row->form >> 8 & 3;
        i->rm_size = i->rm_kind == X86_OPD_GPR ? size_of(c, row->es) : 0;
    } else if (row->form & FORM_MEM) {
        i->mem = row->form >> 8 & 3;
        i->mem_size = memory_size(c, row);
    }
    i->elem_size = row->el;
    i->is4 = (row->at & IS4) != 0;
    i->opsize_free = (row->cls == X86_CLASS_INT || row->cls == X86_CLASS_X87) &&
                     (i->pp >= 2 || (row->match & P_NO) == P_NO);
    i->w_ignored = !c->mode.code64 && i->w && (row->gs == zY || row->es == zY || row->ir);
    i->align = alignment(i, row);
    if (row->at & (PUSH | POP)) {
        i->stack = row->at & PUSH ? X86_STACK_PUSH : X86_STACK_POP;
        i->stack_size = i->opsize;
    }
    i->is_bt_mem = (row->at & BTMEM) && !rm_is_reg;
}

static void scale_disp8(const Cursor *c, const OpRow *row)
{
    X86Insn *i = c->i;

    if (i->encoding == X86_ENC_EVEX && i->disp_size == 1) {
        i->disp *= row->at & N_ELEM ? row->el : memory_size(c, row);
    }
}

static bool lock_is_legal(const X86Insn *i, const OpRow *row)
{
    return (row->at & LOCKABLE) && i->mod != 3 && i->has_modrm;
}

/* Fills in all that the row says.  False: #UD. */
static bool apply_row(Cursor *c, const OpRow *row)
{
    static const OpRow nop = {INT(0, z0, z0)};
    X86Insn *i = c->i;

    if (i->opcode == 0x90 && i->map == X86_MAP_1B && !c->ext_b) {
        row = &nop; /* not xchg eax, eax, which would clear the upper half */
    }
    i->opsize = operand_size(c, row);
    read_imm(c, row);
    if (!extend_fields(c, row)) {
        return false;
    }
    i->cpuid_feature = row->ft;
    i->cpuid_feature2 = row->ft2;
    if (row->cls == X86_CLASS_UD || (i->lock && !lock_is_legal(i, row)) ||
        ((row->at & PM) && !c->mode.protected_mode)) {
        return false;
    }
    if ((i->encoding == X86_ENC_EVEX && !check_evex(i, row)) ||
        (i->encoding == X86_ENC_VEX && !check_vex(i, row))) {
        return false;
    }
    i->class_ = row->cls;
    set_operands(c, row);
    scale_disp8(c, row);
    set_flags(i, row);
    if (row->at & (STRSRC | STRDST)) {
        set_implicit_memory(c, row);
    }
    set_gprs(i, row);
    return true;
}

static unsigned address_size(const Cursor *c)
{
    if (c->mode.code64) {
        return c->i->addrsize_prefix ? 4 : 8;
    }
    return !c->mode.cs32 == !c->i->addrsize_prefix ? 2 : 4;
}

int x86_decode(const uint8_t *bytes, size_t avail, X86Mode mode, X86Insn *ret)
{
    Cursor c = {
        .bytes = bytes,
        .limit = avail < X86_INSN_MAX ? avail : X86_INSN_MAX,
        .mode = mode,
        .i = ret,
    };
    const OpRow *row;

    memset(ret, 0, sizeof(*ret));
    ret->base = ret->index = -1;
    read_prefixes(&c);
    ret->addrsize = address_size(&c);
    row = read_opcode(&c);
    if (row && row->match && (row->form & FORM_MODRM)) {
        read_modrm(&c, row);
    }
    row = !c.over && row && row->match ? pick_row(&c, row) : NULL;
    if (!row || !apply_row(&c, row)) {
        ret->class_ = X86_CLASS_UD;
    }
    if (c.over) {
        return avail < X86_INSN_MAX ? 0 : -1;
    }
    ret->length = c.pos;
    memcpy(ret->bytes, bytes, c.pos);
    return c.pos;
}
