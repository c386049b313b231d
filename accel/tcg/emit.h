/* SPDX-License-Identifier: MIT
 *
 * A byte emitter for the few host instructions that are ours (SDM vol. 2).
 */
#ifndef ACCEL_TCG_EMIT_H
#define ACCEL_TCG_EMIT_H

#include <stdint.h>
#include <string.h>

typedef struct Emit {
    uint8_t *p;
} Emit;

enum { H_RAX, H_RCX, H_RDX, H_RBX, H_RSP, H_RBP, H_RSI, H_RDI,
       H_R8, H_R9, H_R10, H_R11, H_R12, H_R13, H_R14, H_R15 };

static inline void e8(Emit *e, unsigned v)
{
    *e->p++ = (uint8_t)v;
}

static inline void e16(Emit *e, unsigned v)
{
    uint16_t x = (uint16_t)v;

    memcpy(e->p, &x, 2);
    e->p += 2;
}

static inline void e32(Emit *e, uint32_t v)
{
    memcpy(e->p, &v, 4);
    e->p += 4;
}

static inline void e64(Emit *e, uint64_t v)
{
    memcpy(e->p, &v, 8);
    e->p += 8;
}

static inline void emit_bytes(Emit *e, const void *bytes, size_t len)
{
    memcpy(e->p, bytes, len);
    e->p += len;
}

/* op reg, gs:[disp] (or the other way round: the opcode says); width 2, 4 or 8 */
static inline void emit_gs(Emit *e, unsigned width, unsigned opcode, unsigned reg, int32_t disp)
{
    unsigned rex = (width == 8 ? 0x48 : 0) | (reg & 8 ? 0x44 : 0);

    e8(e, 0x65);
    if (width == 2) {
        e8(e, 0x66);
    }
    if (rex) {
        e8(e, rex);
    }
    if (opcode > 0xff) {
        e8(e, opcode >> 8);
    }
    e8(e, opcode);
    e8(e, 0x04 | (reg & 7) << 3);
    e8(e, 0x25);
    e32(e, (uint32_t)disp);
}

/* op reg, gs:[r11+disp], 64 bits */
static inline void emit_gs_r11(Emit *e, unsigned opcode, unsigned reg, int32_t disp)
{
    e8(e, 0x65);
    e8(e, 0x49 | (reg & 8 ? 4 : 0));
    e8(e, opcode);
    e8(e, 0x83 | (reg & 7) << 3);
    e32(e, (uint32_t)disp);
}

#define OP_LOAD  0x8b
#define OP_STORE 0x89
#define OP_ADD   0x03
#define OP_SUB   0x2b
#define OP_CMP   0x3b

static inline void emit_load(Emit *e, unsigned reg, int32_t disp)
{
    emit_gs(e, 8, OP_LOAD, reg, disp);
}

static inline void emit_store(Emit *e, unsigned reg, int32_t disp)
{
    emit_gs(e, 8, OP_STORE, reg, disp);
}

/* mov qword gs:[disp], simm32 */
static inline void emit_store_imm(Emit *e, int32_t disp, int32_t imm)
{
    emit_gs(e, 8, 0xc7, 0, disp);
    e32(e, (uint32_t)imm);
}

static inline void emit_rr(Emit *e, unsigned width, unsigned opcode, unsigned reg, unsigned rm)
{
    unsigned rex = (width == 8 ? 0x48 : 0) | (reg & 8 ? 0x44 : 0) | (rm & 8 ? 0x41 : 0);

    if (rex) {
        e8(e, rex);
    }
    if (opcode > 0xff) {
        e8(e, opcode >> 8);
    }
    e8(e, opcode);
    e8(e, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

static inline void emit_mov(Emit *e, unsigned dst, unsigned src)
{
    emit_rr(e, 8, OP_LOAD, dst, src);
}

static inline void emit_mov_imm(Emit *e, unsigned reg, uint64_t imm)
{
    if (imm <= UINT32_MAX) {
        if (reg & 8) {
            e8(e, 0x41);
        }
        e8(e, 0xb8 | (reg & 7));
        e32(e, (uint32_t)imm);
    } else if ((int64_t)imm == (int32_t)imm) {
        e8(e, 0x48 | (reg & 8 ? 1 : 0));
        e8(e, 0xc7);
        e8(e, 0xc0 | (reg & 7));
        e32(e, (uint32_t)imm);
    } else {
        e8(e, 0x48 | (reg & 8 ? 1 : 0));
        e8(e, 0xb8 | (reg & 7));
        e64(e, imm);
    }
}

/* lea reg, [base + disp]; base is not rsp or r12 unless it says SIB itself */
static inline void emit_lea(Emit *e, unsigned width, unsigned reg, unsigned base, int32_t disp)
{
    if (width == 2) {
        e8(e, 0x66);
    }
    e8(e, 0x40 | (width == 8 ? 8 : 0) | (reg & 8 ? 4 : 0) | (base & 8 ? 1 : 0));
    e8(e, 0x8d);
    if (disp == (int8_t)disp) {
        e8(e, 0x40 | (reg & 7) << 3 | (base & 7));
    } else {
        e8(e, 0x80 | (reg & 7) << 3 | (base & 7));
    }
    if ((base & 7) == 4) {
        e8(e, 0x24);
    }
    if (disp == (int8_t)disp) {
        e8(e, (uint8_t)disp);
    } else {
        e32(e, (uint32_t)disp);
    }
}

/* jmp or call rel32 to a known place */
static inline void emit_jmp(Emit *e, const uint8_t *to)
{
    e8(e, 0xe9);
    e32(e, (uint32_t)(to - (e->p + 4)));
}

static inline void emit_jcc(Emit *e, unsigned cc, const uint8_t *to)
{
    e8(e, 0x0f);
    e8(e, 0x80 | cc);
    e32(e, (uint32_t)(to - (e->p + 4)));
}

/* jcc forward: returns where its rel32 is, for emit_fix() */
static inline uint8_t *emit_jcc_fwd(Emit *e, unsigned cc)
{
    e8(e, 0x0f);
    e8(e, 0x80 | cc);
    e32(e, 0);
    return e->p - 4;
}

static inline uint8_t *emit_jmp_fwd(Emit *e)
{
    e8(e, 0xe9);
    e32(e, 0);
    return e->p - 4;
}

static inline void emit_fix(uint8_t *rel32, const uint8_t *to)
{
    int32_t rel = (int32_t)(to - (rel32 + 4));

    memcpy(rel32, &rel, 4);
}

enum { CC_JO = 0, CC_JB = 2, CC_JAE = 3, CC_JE = 4, CC_JNE = 5, CC_JBE = 6, CC_JA = 7,
       CC_JS = 8 };

/* Save the flags to flags_image, or load them; r10 is lost. */
void emit_flags_save(Emit *e);
void emit_flags_load(Emit *e);

#endif
