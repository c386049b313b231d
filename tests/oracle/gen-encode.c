/* SPDX-License-Identifier: MIT
 *
 * From the fields of an instruction to its bytes (SDM vol. 2, chapter 2).
 */
#include <glib.h>
#include <string.h>
#include "tests/oracle/gen-internal.h"

static unsigned put_modrm(const Generator *g, const Form *f, uint8_t *b)
{
    unsigned p = 0, reg = (f->reg & 7) << 3;

    if (!f->mem) {
        b[p++] = (uint8_t)(0xc0 | reg | (f->rm & 7));
        return p;
    }
    if (f->addr16) {
        b[p++] = (uint8_t)(reg | f->rm16 | (f->absolute ? 0 : f->disp_size == 1 ? 0x40 : 0x80));
    } else if (f->absolute) {
        b[p++] = (uint8_t)(reg | (f->rip || !g->mode.code64 ? 5 : 4));
        if (!f->rip && g->mode.code64) {
            b[p++] = 0x25;
        }
    } else {
        unsigned mod = f->disp_size == 1 ? 0x40 : 0x80;
        bool sib = f->index >= 0 || (f->base & 7) == R_ESP;

        b[p++] = (uint8_t)(mod | reg | (sib ? 4 : f->base & 7));
        if (sib) {
            b[p++] =
                (uint8_t)(f->scale << 6 | (f->index < 0 ? 4 : f->index & 7) << 3 | (f->base & 7));
        }
    }
    memcpy(b + p, &f->disp, f->disp_size);
    return p + f->disp_size;
}

static unsigned bit3(int n)
{
    return n > 0 ? (unsigned)n >> 3 & 1 : 0;
}

/* R, X, B as the prefixes hold them: bits 2, 1, 0. */
static unsigned extension_bits(const Form *f)
{
    unsigned x = f->mem ? bit3(f->index) : 0;
    unsigned b = f->mem ? (f->absolute ? 0 : bit3(f->base)) : f->rm >> 3 & 1;

    return (f->reg >> 3 & 1) << 2 | x << 1 | b;
}

static unsigned put_legacy(Generator *g, const Form *f, uint8_t *b)
{
    static const uint8_t prefix[4] = {0, 0x66, 0xf3, 0xf2};
    const Template *t = f->t;
    unsigned p = 0, rex = extension_bits(f) | (unsigned)t->w << 3;

    if (t->pp) {
        b[p++] = prefix[t->pp];
    }
    if (t->pp >= 2 && f->spare_66) {
        b[p++] = 0x66;
    }
    if (g->mode.code64 && (rex || f->spare_rex)) {
        b[p++] = (uint8_t)(0x40 | rex);
    }
    if (t->map != X86_MAP_1B) {
        b[p++] = 0x0f;
    }
    if (t->map == X86_MAP_0F38 || t->map == X86_MAP_0F3A) {
        b[p++] = t->map == X86_MAP_0F38 ? 0x38 : 0x3a;
    }
    b[p++] = t->opcode;
    return p;
}

static unsigned put_vex(Generator *g, const Form *f, uint8_t *b)
{
    const Template *t = f->t;
    unsigned ext = g->mode.code64 ? extension_bits(f) : f->ignored & 1; /* B */
    unsigned vvvv = g->mode.code64 ? f->vvvv & 15 : (f->vvvv & 7);
    unsigned last = (vvvv ^ 15) << 3 | (unsigned)t->vl << 2 | t->pp;
    unsigned p = 0;

    if (t->map == X86_MAP_0F && !t->w && !(ext & 3) && f->short_vex) {
        b[p++] = 0xc5;
        b[p++] = (uint8_t)((ext & 4 ? 0 : 0x80) | last);
    } else {
        b[p++] = 0xc4;
        b[p++] = (uint8_t)((~ext & 7) << 5 | t->map);
        b[p++] = (uint8_t)(t->w << 7 | last);
    }
    b[p++] = t->opcode;
    return p;
}

static unsigned put_evex(Generator *g, const Form *f, uint8_t *b)
{
    const Template *t = f->t;
    bool code64 = g->mode.code64;
    unsigned ext = code64 ? extension_bits(f) : f->ignored & 1; /* B */
    unsigned x4 = f->mem ? 0 : f->rm >> 4 & 1;
    unsigned v = code64 ? f->vvvv : f->vvvv & 7;
    unsigned p = 0;

    if (code64 && !f->mem) {
        ext |= x4 << 1;
    }
    b[p++] = 0x62;
    b[p++] =
        (uint8_t)((~ext & 7) << 5 | ((code64 ? f->reg & 16 : f->ignored & 2) ? 0 : 0x10) | t->map);
    b[p++] = (uint8_t)(t->w << 7 | (~v & 15) << 3 | 4 | t->pp);
    b[p++] = (uint8_t)(f->zero << 7 | t->vl << 5 | f->bcst << 4 | (v & 16 ? 0 : 8) | f->aaa);
    b[p++] = t->opcode;
    return p;
}

void encode(Generator *g, const Form *f, uint8_t *b)
{
    unsigned p = 0;

    memset(b, 0, 16);
    if (f->addr32) {
        b[p++] = 0x67;
    }
    if (f->fs_gs) {
        b[p++] = f->fs_gs;
    }
    if (f->segment) {
        b[p++] = f->segment;
    }
    if (f->lock) {
        b[p++] = 0xf0;
    }
    p += f->t->encoding == X86_ENC_LEGACY ? put_legacy(g, f, b + p)
         : f->t->encoding == X86_ENC_VEX  ? put_vex(g, f, b + p)
                                          : put_evex(g, f, b + p);
    if (f->t->has_modrm) {
        p += put_modrm(g, f, b + p);
    }
    if (p < 15) {
        memcpy(b + p, f->tail, MIN(15 - p, sizeof(f->tail)));
    }
}

bool decode(const Generator *g, const uint8_t *b, const Form *f, X86Insn *ret)
{
    return x86_decode(b, 15, g->mode, ret) > 0 && ret->class_ != X86_CLASS_UD &&
           ret->opcode == f->t->opcode && ret->encoding == f->t->encoding;
}
