/* SPDX-License-Identifier: MIT
 *
 * Makes cases: random instructions whose memory operands hit the areas that
 * are there, inside straight code, skips, calls and bounded loops.
 */
#include <glib.h>
#include <string.h>
#include "accel/tcg/decode.h"
#include "target/i386/cpu.h"
#include "tests/oracle/case.h"

struct Generator {
    TemplateSet sets[2][CLASS_COUNT];
    Rng rng;
    Case *c;
    unsigned classes;
    X86Mode mode;
    uint32_t known;     /* registers whose value is in value[] */
    uint32_t protect;   /* registers that must not be written now */
    uint32_t written;   /* since the innermost region began */
    uint16_t undefined; /* flags that the last instructions left undefined */
    uint64_t value[16];
    unsigned depth;     /* of regions */
    bool in_loop;
    bool full;
};

/* How an instruction is to be encoded. */
typedef struct Form {
    const Template *t;
    unsigned reg, rm, vvvv; /* 5-bit */
    bool mem;
    int base, index; /* -1: none */
    unsigned scale, disp_size;
    bool rip, absolute;
    int32_t disp;
    bool lock, addr32, bcst, zero;
    uint8_t fs_gs; /* the prefix, or 0 */
    bool spare_rex, spare_66, short_vex;
    uint8_t ignored; /* bits of VEX and EVEX that 32-bit code may have either way */
    uint8_t segment; /* a prefix that changes nothing, or 0 */
    unsigned aaa;
    uint8_t tail[12]; /* immediates */
} Form;

Generator *generator_new(void)
{
    Generator *g = g_new0(Generator, 1);

    templates_init(g->sets);
    return g;
}

void generator_free(Generator *g)
{
    for (unsigned m = 0; m < 2; m++) {
        for (unsigned k = 0; k < CLASS_COUNT; k++) {
            g_free(g->sets[m][k].templates);
            g_free(g->sets[m][k].groups);
        }
    }
    g_free(g);
}

static unsigned below(Generator *g, unsigned n)
{
    return rng_below(&g->rng, n);
}

static bool percent(Generator *g, unsigned p)
{
    return rng_percent(&g->rng, p);
}

static unsigned register_count(const Generator *g)
{
    return g->c->code32 ? 8 : 16;
}

static uint64_t here(const Generator *g)
{
    return CODE_BASE + g->c->entry + g->c->length;
}

/* ---- putting bytes --------------------------------------------------------------- */

static void put_raw(Generator *g, const uint8_t *bytes, unsigned n, bool fixed)
{
    Case *c = g->c;

    if (c->count == INSNS_MAX || c->length + n > CODE_MAX) {
        g->full = true;
        return;
    }
    c->insn[c->count++] = (CaseInsn){(uint16_t)c->length, (uint8_t)n, fixed, g->undefined};
    memcpy(c->code + c->length, bytes, n);
    c->length += n;
}

/* The stack pointer may move by pushes and pops, but nowhere else. */
static bool writes_esp_freely(const X86Insn *i)
{
    bool reg = i->reg_kind == X86_OPD_GPR && i->reg == R_ESP && (i->reg_acc & X86_ACC_W);
    bool rm = i->rm_kind == X86_OPD_GPR && i->rm == R_ESP && (i->rm_acc & X86_ACC_W);

    return (i->gpr_written & 1u << R_ESP) &&
           ((!i->stack && i->class_ != X86_CLASS_SYS) || reg || rm);
}

/* Account for what the instruction writes; false: it must not be used here. */
static bool note_use(Generator *g, const X86Insn *i)
{
    if ((i->gpr_written & g->protect) || writes_esp_freely(i)) {
        return false;
    }
    g->written |= i->gpr_written;
    g->known &= ~i->gpr_written;
    return true;
}

/*
 * Undefined flags must not be looked at: what they are is the processor's
 * business (the decoder's table has them from the SDM).
 */
static void define_flags(Generator *g, unsigned needed)
{
    uint8_t cmp[2] = {0x39, (uint8_t)(0xc0 | below(g, 64))};

    if (g->undefined & needed) {
        put_raw(g, cmp, 2, true);
        g->undefined = g->full ? g->undefined : 0;
    }
}

static bool put_insn(Generator *g, const uint8_t *bytes, bool fixed)
{
    X86Insn i;

    if (x86_decode(bytes, 15, g->mode, &i) <= 0 || i.class_ == X86_CLASS_UD || !note_use(g, &i)) {
        return false;
    }
    define_flags(g, i.flags_read);
    put_raw(g, bytes, i.length, fixed);
    if (g->full) {
        return false;
    }
    g->undefined = (g->undefined & ~i.flags_written) | i.flags_undefined;
    return true;
}

/* mov r, imm32 (zero-extended): from here on the register's value is known. */
static bool set_register(Generator *g, unsigned r, uint32_t value)
{
    uint8_t b[16] = {0};
    unsigned p = 0;

    if (r >= 8) {
        b[p++] = 0x41;
    }
    b[p++] = 0xb8 | (r & 7);
    memcpy(b + p, &value, 4);
    if (!put_insn(g, b, true)) {
        return false;
    }
    g->known |= 1u << r;
    g->value[r] = value;
    return true;
}

/* A register that may be given a value; -1: none is free. */
static int free_register(Generator *g, uint32_t avoid)
{
    avoid |= g->protect | 1u << R_ESP;
    for (unsigned tries = 0; tries < 20; tries++) {
        unsigned r = below(g, register_count(g));

        if (!(avoid & 1u << r)) {
            return (int)r;
        }
    }
    return -1;
}

/* ---- addresses ------------------------------------------------------------------- */

static uint32_t random_pointer(Generator *g)
{
    return DATA_BASE + 0x200 + below(g, DATA_SIZE - 0x400);
}

static bool wants_alignment(const X86Insn *i)
{
    if (i->map == X86_MAP_0F38 && i->opcode == 0x2a) { /* movntdqa */
        return true;
    }
    return ((i->class_ == X86_CLASS_SSE || i->class_ == X86_CLASS_INT) && i->mem_size >= 16) ||
           (i->class_ == X86_CLASS_AVX && i->map == X86_MAP_0F &&
            (i->opcode == 0x28 || i->opcode == 0x29 || i->opcode == 0x2b || i->opcode == 0xe7 ||
             ((i->opcode == 0x6f || i->opcode == 0x7f) && i->pp == 1)));
}

/* Where an access is to go: mostly fine, at times across pages or beyond them. */
static uint32_t pick_target(Generator *g, const X86Insn *i)
{
    unsigned size = i->mem_size ? i->mem_size : 64;
    unsigned dice = below(g, 1000);

    if (i->class_ == X86_CLASS_XSAVE) {
        return DATA_BASE + (i->mem_size == 512 ? 16 * below(g, 256) : 64 * below(g, 32)) +
               (percent(g, 2) ? 8 : 0);
    }
    if (dice < 6) {
        return DATA_BASE + DATA_SIZE - below(g, size + 1);
    }
    if (dice < 10) {
        return RO_BASE + below(g, RO_SIZE);
    }
    if (dice < 12) {
        return DATA_BASE + DATA_SIZE + below(g, 0x1000 - size);
    }
    if (wants_alignment(i) ? dice < 980 : dice < 500) {
        return DATA_BASE + (below(g, DATA_SIZE - size) & ~63u);
    }
    if (dice < 700 || dice >= 995) {
        return DATA_BASE + 0x1000 * (1 + below(g, 2)) - 1 - below(g, size);
    }
    return DATA_BASE + below(g, DATA_SIZE - size - 64);
}

/* Where an image of the x87 state has FOP, FIP and FDP; 0: it is none. */
static unsigned pointers_offset(const X86Insn *i)
{
    if (i->class_ == X86_CLASS_XSAVE) {
        return 6;
    }
    if (i->class_ == X86_CLASS_X87 && i->mem == X86_MEM_WRITE && i->mem_size >= 14) {
        return i->opsize == 2 ? 6 : 12;
    }
    return 0;
}

/* mov [address], 0 */
static bool put_zero(Generator *g, uint32_t address, unsigned size)
{
    uint8_t b[16] = {0};
    unsigned p = 0;

    if (size != 4) {
        b[p++] = size == 2 ? 0x66 : 0x48;
    }
    b[p++] = 0xc7;
    b[p++] = g->mode.code64 ? 0x04 : 0x05;
    if (g->mode.code64) {
        b[p++] = 0x25;
    }
    memcpy(b + p, &address, 4);
    return put_insn(g, b, true);
}

/* The translator does not keep these pointers: wipe them out wherever they were stored. */
static bool forget_pointers(Generator *g, const X86Insn *i, uint32_t target)
{
    unsigned offset = pointers_offset(i);
    unsigned end = offset == 6 ? (i->class_ == X86_CLASS_XSAVE ? 24 : 14) : 28;

    if (!offset || i->mem == X86_MEM_READ) {
        return true;
    }
    for (unsigned at = offset, size; at < end; at += size) {
        size = at & 3 ? 2 : at & 7 || end - at < 8 || !g->mode.code64 ? MIN(4, end - at) : 8;
        if (!put_zero(g, target + at, size)) {
            return false;
        }
    }
    return true;
}

static int pick_known(Generator *g, uint32_t avoid, bool small)
{
    for (unsigned tries = 0; tries < 12; tries++) {
        unsigned r = below(g, register_count(g));

        if ((g->known & ~avoid & 1u << r) && (g->value[r] < 0x1000) == small &&
            !(g->value[r] >> 31)) {
            return (int)r;
        }
    }
    return -1;
}

static int need_pointer(Generator *g, uint32_t avoid)
{
    int r = pick_known(g, avoid, false);

    if (r < 0) {
        r = free_register(g, avoid);
        if (r >= 0 && !set_register(g, (unsigned)r, random_pointer(g))) {
            return -1;
        }
    }
    return r;
}

/* Off the stack pointer, whose value is known only roughly. */
static bool address_stack(Generator *g, Form *f)
{
    f->base = R_ESP;
    f->disp = (int32_t)below(g, 512) - 256;
    f->disp_size = f->disp == (int8_t)f->disp && percent(g, 70) ? 1 : 4;
    return true;
}

static bool address_bare(Generator *g, Form *f, uint32_t target)
{
    f->absolute = true;
    f->disp_size = 4;
    f->disp = (int32_t)target;
    if (g->mode.code64 && percent(g, 75)) {
        f->rip = true; /* made relative when the length is known */
    }
    return true;
}

static bool address_registers(Generator *g, Form *f, uint32_t target, uint32_t avoid)
{
    int64_t disp;

    f->base = need_pointer(g, avoid);
    if (f->base < 0) {
        return false;
    }
    disp = (int64_t)target - (int64_t)g->value[f->base];
    if (percent(g, 40)) {
        f->index = pick_known(g, avoid | 1u << R_ESP, true);
        f->scale = below(g, 4);
    }
    if (f->index >= 0) {
        disp -= (int64_t)g->value[f->index] << f->scale;
        if (percent(g, 15) && (g->value[f->base] >> 31) == 0 && f->scale == 0) {
            int swap = f->base;

            f->base = f->index;
            f->index = swap;
        }
    }
    f->disp = (int32_t)disp;
    f->disp_size = 4;
    return true;
}

/* Addresses that are not canonical. */
static bool address_hole(Generator *g, Form *f, const X86Insn *probe)
{
    static const uint64_t holes[] = {0x800000000000, 0xffff7fffffff0000, 0x8000000000000000,
                                     0x123456789abc0000};
    uint64_t value = holes[below(g, 4)] + below(g, 0x1000);
    uint8_t b[16] = {0x48, 0xb8};
    int r = free_register(g, 0xff00 | (percent(g, 30) ? 0 : 1u << R_EBP));

    if (r < 0 || pointers_offset(probe) || f->aaa || f->t->encoding == X86_ENC_VEX) {
        return false;
    }
    b[1] |= r;
    memcpy(b + 2, &value, 8);
    f->base = r;
    f->disp_size = 4;
    return put_insn(g, b, true);
}

static bool pick_address(Generator *g, Form *f, const X86Insn *probe, uint32_t avoid,
                         uint32_t target)
{
    unsigned dice = below(g, 100);

    f->base = f->index = -1;
    if (g->mode.code64 && below(g, 300) == 0) {
        return address_hole(g, f, probe);
    }
    f->addr32 = g->mode.code64 && percent(g, 4);
    if (dice < 15 && !(g->protect & 1u << R_ESP) && !pointers_offset(probe) && !wants_alignment(probe) && !f->addr32) {
        return address_stack(g, f);
    }
    if (g->mode.code64 && percent(g, 5) && !f->addr32) {
        f->fs_gs = percent(g, 50) ? 0x65 : 0x64;
        target -= f->fs_gs == 0x65 ? GS_BASE : FS_BASE;
    }
    if (dice < 30) {
        return address_bare(g, f, target);
    }
    return address_registers(g, f, target, avoid);
}

/* ---- encoding -------------------------------------------------------------------- */

static unsigned put_modrm(const Generator *g, const Form *f, uint8_t *b)
{
    unsigned p = 0, reg = (f->reg & 7) << 3;

    if (!f->mem) {
        b[p++] = (uint8_t)(0xc0 | reg | (f->rm & 7));
        return p;
    }
    if (f->absolute) {
        b[p++] = (uint8_t)(reg | (f->rip || !g->mode.code64 ? 5 : 4));
        if (!f->rip && g->mode.code64) {
            b[p++] = 0x25;
        }
    } else {
        unsigned mod = f->disp_size == 1 ? 0x40 : 0x80;
        bool sib = f->index >= 0 || (f->base & 7) == R_ESP;

        b[p++] = (uint8_t)(mod | reg | (sib ? 4 : f->base & 7));
        if (sib) {
            b[p++] = (uint8_t)(f->scale << 6 | (f->index < 0 ? 4 : f->index & 7) << 3 |
                               (f->base & 7));
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
    b[p++] = (uint8_t)((~ext & 7) << 5 | ((code64 ? f->reg & 16 : f->ignored & 2) ? 0 : 0x10) | t->map);
    b[p++] = (uint8_t)(t->w << 7 | (~v & 15) << 3 | 4 | t->pp);
    b[p++] = (uint8_t)(f->zero << 7 | t->vl << 5 | f->bcst << 4 | (v & 16 ? 0 : 8) | f->aaa);
    b[p++] = t->opcode;
    return p;
}

static void encode(Generator *g, const Form *f, uint8_t *b)
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

static bool decode(const Generator *g, const uint8_t *b, const Form *f, X86Insn *ret)
{
    return x86_decode(b, 15, g->mode, ret) > 0 && ret->class_ != X86_CLASS_UD &&
           ret->opcode == f->t->opcode && ret->encoding == f->t->encoding;
}

/* ---- one random instruction ---------------------------------------------------------- */

static unsigned random_register(Generator *g, bool vector32)
{
    return below(g, g->c->code32 ? 8 : vector32 ? 32 : 16);
}

static void random_fields(Generator *g, Form *f)
{
    const Template *t = f->t;
    bool evex = t->encoding == X86_ENC_EVEX;
    uint64_t imm[2] = {rng_next(&g->rng), rng_next(&g->rng)};

    if (percent(g, 30)) {
        imm[0] &= 0x1f; /* shift counts, selectors */
    }
    memcpy(f->tail, imm, sizeof(f->tail));
    f->reg = random_register(g, evex);
    f->rm = random_register(g, evex);
    f->vvvv = random_register(g, evex);
    if (t->reg >= 0) {
        f->reg = (f->reg & ~7u) | (unsigned)t->reg;
    }
    if (t->rm >= 0) {
        f->rm = (f->rm & ~7u) | (unsigned)t->rm;
    }
    f->mem = t->has_modrm && !t->register_form;
    f->base = f->index = -1;
    f->spare_rex = percent(g, 15);
    f->spare_66 = percent(g, 5);
    f->short_vex = percent(g, 70);
    f->ignored = percent(g, 20) ? below(g, 4) : 0;
    f->segment = percent(g, 3) ? 0x26 | below(g, 4) << 3 : 0;
    if (evex) {
        f->aaa = percent(g, 50) ? below(g, 8) : 0;
        f->zero = f->aaa && percent(g, 40);
        f->bcst = percent(g, 25);
    }
}

/* Fields that this instruction does not have must be zero; find out which. */
static bool settle(Generator *g, Form *f, uint8_t *b, X86Insn *i)
{
    for (unsigned step = 0; step < 6; step++) {
        encode(g, f, b);
        if (decode(g, b, f, i)) {
            return true;
        }
        switch (step) {
        case 0: f->zero = false; break;
        case 1: f->vvvv = 0; break;
        case 2: f->bcst = false; break;
        case 3: f->aaa = 0; break;
        case 4: f->reg &= 7; f->rm &= 15; break;
        }
    }
    return false;
}

/* A plain memory operand, to learn about the instruction. */
static void dummy_address(Form *f)
{
    f->absolute = true;
    f->disp_size = 4;
}

static bool finish_rip(Generator *g, Form *f, uint8_t *b, X86Insn *i)
{
    if (f->rip) {
        f->disp = (int32_t)((uint32_t)f->disp - (uint32_t)(here(g) + i->length));
        encode(g, f, b);
        return decode(g, b, f, i);
    }
    return true;
}

/* EVEX shortens the displacement where it can be divided. */
static void try_disp8(Generator *g, Form *f, const X86Insn *probe)
{
    int32_t n = 1;

    if (f->absolute || f->disp_size != 4 || !percent(g, 60)) {
        return;
    }
    if (f->t->encoding == X86_ENC_EVEX) {
        uint8_t b[16];
        X86Insn i;
        Form one = *f;

        one.disp = 1;
        one.disp_size = 1;
        encode(g, &one, b);
        if (!decode(g, b, &one, &i)) {
            return;
        }
        n = (int32_t)i.disp;
    }
    (void)probe;
    if (n && f->disp % n == 0 && f->disp / n == (int8_t)(f->disp / n)) {
        f->disp /= n;
        f->disp_size = 1;
    }
}

static bool bring_into_reach(Generator *g, Form *f)
{
    /* aim the base so that a short displacement will do */
    if (!f->absolute && f->base >= 0 && f->base != R_ESP && percent(g, 30) &&
        !(g->protect & 1u << f->base) && f->index < 0) {
        uint32_t target = (uint32_t)g->value[f->base] + (uint32_t)f->disp;
        int32_t d = (int32_t)(below(g, 256) & ~7u) - 128;

        if (set_register(g, (unsigned)f->base, target - (uint32_t)d)) {
            f->disp = d;
        }
    }
    return true;
}

static bool set_bit_offset(Generator *g, const X86Insn *i)
{
    if (!i->is_bt_mem) {
        return true;
    }
    return (i->gpr_read & 1u << i->reg) && i->reg != R_ESP && i->base != i->reg &&
           i->index != i->reg && set_register(g, i->reg, below(g, 2000));
}

/* Registers that the operand fields use, and so are no good as addresses to be set. */
static uint32_t field_registers(const X86Insn *i)
{
    return (i->reg_kind == X86_OPD_GPR && i->is_bt_mem ? 1u << (i->reg & 15) : 0);
}

static bool emit_with_memory(Generator *g, Form *f)
{
    uint8_t b[16];
    X86Insn i;
    uint32_t target;

    dummy_address(f);
    if (!settle(g, f, b, &i)) {
        return false;
    }
    f->absolute = false;
    f->disp_size = 0;
    target = pick_target(g, &i);
    if (!pick_address(g, f, &i, field_registers(&i), target)) {
        return false;
    }
    bring_into_reach(g, f);
    try_disp8(g, f, &i);
    f->lock = percent(g, 12);
    if (f->aaa || f->t->encoding == X86_ENC_VEX) {
        f->segment = 0; /* what is masked off does not meet the segment's rights */
    }
    encode(g, f, b);
    if (!decode(g, b, f, &i)) {
        f->lock = false;
        encode(g, f, b);
        if (!decode(g, b, f, &i)) {
            return false;
        }
    }
    define_flags(g, i.flags_read);
    if (!set_bit_offset(g, &i) || !finish_rip(g, f, b, &i) || g->full) {
        return false;
    }
    if ((i.gpr_written & g->protect) || writes_esp_freely(&i)) {
        return false;
    }
    return put_insn(g, b, false) && forget_pointers(g, &i, target);
}

static bool emit_plain(Generator *g, Form *f)
{
    uint8_t b[16];
    X86Insn i;

    if (!settle(g, f, b, &i) || i.is_bt_mem) {
        return false;
    }
    if (i.encoding == X86_ENC_EVEX && i.rm_kind == X86_OPD_GPR && f->rm > 15) {
        /* EVEX.X is ignored, but Zen 5 then reads rsp without what push and pop did to it */
        f->rm &= 15;
        encode(g, f, b);
    }
    return put_insn(g, b, false);
}

/* A division that is not all overflow. */
static void prepare_division(Generator *g, const Template *t)
{
    if (t->map == X86_MAP_1B && (t->opcode | 1) == 0xf7 && t->reg >= 6 && percent(g, 70)) {
        set_register(g, R_EDX, percent(g, 70) ? 0 : below(g, 100));
        g->known &= ~(1u << R_EDX);
    }
}

static bool emit_string(Generator *g, Form *f)
{
    uint8_t b[16];
    X86Insn i;

    f->addr32 = g->mode.code64 && percent(g, 5);
    encode(g, f, b);
    if (!decode(g, b, f, &i) || (i.gpr_written & g->protect)) {
        return false;
    }
    if (!set_register(g, R_ESI, random_pointer(g)) || !set_register(g, R_EDI, random_pointer(g)) ||
        !set_register(g, R_ECX, below(g, 70))) {
        return false;
    }
    if (percent(g, 3)) {
        set_register(g, R_EDI, DATA_BASE + DATA_SIZE - below(g, 200));
    }
    return put_insn(g, b, false);
}

/* mov ecx, imm; kmovq k, rcx */
static bool set_opmask(Generator *g, unsigned k)
{
    uint8_t b[16] = {0xc5, 0xf8, 0x92, (uint8_t)(0xc0 | k << 3)};
    int r = free_register(g, 0xff00);

    if (r < 0 || !set_register(g, (unsigned)r, (uint32_t)rng_next(&g->rng))) {
        return false;
    }
    b[3] |= r;
    return put_insn(g, b, true);
}

/* vmovdqu32 zmm, [RO + offset], or the VEX form for the masks of vgather */
static bool load_constant(Generator *g, bool evex, unsigned v, uint32_t offset)
{
    Template t = {.encoding = evex ? X86_ENC_EVEX : X86_ENC_VEX, .map = X86_MAP_0F, .opcode = 0x6f,
                  .pp = 2, .vl = evex ? 2 : 1, .has_modrm = true};
    Form f = {.t = &t, .reg = v, .mem = true, .base = -1, .index = -1};
    uint8_t b[16];
    X86Insn i;

    f.absolute = true;
    f.rip = g->mode.code64;
    f.disp_size = 4;
    f.disp = (int32_t)(RO_BASE + offset);
    encode(g, &f, b);
    return decode(g, b, &f, &i) && finish_rip(g, &f, b, &i) && put_insn(g, b, true);
}

static bool emit_vsib(Generator *g, Form *f)
{
    bool evex = f->t->encoding == X86_ENC_EVEX;
    bool wide = f->t->opcode & 1;
    uint8_t b[16];
    X86Insn i;

    f->bcst = f->zero = false;
    f->index = (int)random_register(g, false);
    f->base = need_pointer(g, 1u << R_ESP);
    if (f->base < 0) {
        return false;
    }
    f->scale = below(g, 4);
    f->disp_size = 4;
    f->disp = (int32_t)(DATA_BASE + below(g, 0x800) - (uint32_t)g->value[f->base]);
    f->aaa = evex ? 1 + below(g, 7) : 0;
    if (evex) {
        f->vvvv = 0;
    }
    encode(g, f, b);
    if (!decode(g, b, f, &i)) {
        return false;
    }
    g->protect |= 1u << f->base;
    if (!load_constant(g, evex, (unsigned)f->index,
                       (wide ? RO_INDEX64 : RO_INDEX32) + (percent(g, 8) ? RO_WILD : 0)) ||
        (evex && !set_opmask(g, f->aaa)) ||
        (!evex && !load_constant(g, false, f->vvvv, RO_MASKS + 32 * below(g, 4)))) {
        return false;
    }
    return put_insn(g, b, false);
}

/*
 * Whether a component that was zeroed is in its initial state the processor
 * may decide as it likes (SDM vol. 1, 13.6, XINUSE): leave it no choice.
 */
static bool use_components(Generator *g)
{
    if (!host_has_feature(X86_FEATURE(FEAT_7_0_EBX, 16))) {
        return true;
    }
    return load_constant(g, true, 0, RO_INDEX32) && set_opmask(g, 1) &&
           (g->c->code32 || load_constant(g, true, 16, RO_INDEX32));
}

static bool is_vsib(const Template *t)
{
    return t->encoding != X86_ENC_LEGACY && t->map == X86_MAP_0F38 &&
           ((t->opcode >= 0x90 && t->opcode < 0x94) || (t->opcode >= 0xa0 && t->opcode < 0xa4));
}

/* maskmov: [rdi]; xlat: [rbx + al]; enter, leave: [rbp] */
static bool set_implicit_pointer(Generator *g, const Template *t)
{
    if (t->map == X86_MAP_0F && t->opcode == 0xf7 && t->encoding != X86_ENC_EVEX) {
        return set_register(g, R_EDI, random_pointer(g));
    }
    if (t->map == X86_MAP_1B && t->opcode == 0xd7) {
        return set_register(g, R_EBX, random_pointer(g));
    }
    if (t->map == X86_MAP_1B && (t->opcode | 1) == 0xc9) {
        return set_register(g, R_EBP, STACK_BASE + 0xe00 + 8 * below(g, 64));
    }
    return true;
}

/* enter, popf: with values that do not lead astray */
static bool is_popf(const Template *t)
{
    return t->map == X86_MAP_1B && t->opcode == 0x9d;
}

static bool emit_popf(Generator *g)
{
    uint32_t flags = (uint32_t)rng_next(&g->rng) & (percent(g, 10) ? 0x200dd5 : 0x200cd5);
    uint8_t push[16] = {0x68}, popf[16] = {0x9d};

    memcpy(push + 1, &flags, 4);
    return put_insn(g, push, true) && put_insn(g, popf, true);
}

static bool is_xsave(const Template *t)
{
    return t->map == X86_MAP_0F && t->encoding == X86_ENC_LEGACY && !t->register_form &&
           ((t->opcode == 0xae && (t->reg == 4 || t->reg == 6)) ||
            (t->opcode == 0xc7 && t->reg == 4));
}

static bool is_moffs(const Template *t)
{
    return t->encoding == X86_ENC_LEGACY && t->map == X86_MAP_1B && (t->opcode & 0xfc) == 0xa0;
}

static bool emit_moffs(Generator *g, Form *f)
{
    uint64_t target = DATA_BASE + below(g, DATA_SIZE - 8);

    memset(f->tail, 0, sizeof(f->tail));
    memcpy(f->tail, &target, 8);
    return emit_plain(g, f);
}

static bool emit_template(Generator *g, const Template *t)
{
    Form f = {.t = t};
    uint32_t protect = g->protect;
    bool ok;

    random_fields(g, &f);
    prepare_division(g, t);
    if (t->map == X86_MAP_1B && t->opcode == 0xc8) { /* enter: small frames */
        f.tail[0] &= 0x7f;
        f.tail[1] = 0;
        f.tail[2] &= 3;
    }
    if (!set_implicit_pointer(g, t)) {
        return false;
    }
    if (is_popf(t)) {
        return emit_popf(g);
    }
    if (is_moffs(t)) {
        return emit_moffs(g, &f);
    }
    if (is_vsib(t)) {
        ok = emit_vsib(g, &f);
        g->protect = protect;
        return ok;
    }
    if (is_xsave(t) && !use_components(g)) {
        return false;
    }
    return f.mem ? emit_with_memory(g, &f) : emit_plain(g, &f);
}

static const Template *pick_template(Generator *g, OracleClass c)
{
    const TemplateSet *s = &g->sets[g->c->code32][c];
    const TemplateGroup *group;

    if (!s->group_count) {
        return NULL;
    }
    group = &s->groups[below(g, s->group_count)];
    return &s->templates[group->first + below(g, group->count)];
}

static OracleClass pick_class(Generator *g)
{
    for (;;) {
        OracleClass c = below(g, CLASS_COUNT);

        if ((g->classes & 1u << c) && (c != CLASS_SYS || percent(g, 10)) &&
            (c != CLASS_XSAVE || percent(g, 25))) {
            return c;
        }
    }
}

/* ---- control flow ------------------------------------------------------------------- */

static void emit_some(Generator *g, unsigned n);

/* Code that may or may not run, or runs more than once, ends here. */
static void end_region(Generator *g, uint32_t outer_written)
{
    g->known &= ~g->written;
    g->written |= outer_written;
    g->depth--;
}

static uint32_t begin_region(Generator *g)
{
    uint32_t outer = g->written;

    g->written = 0;
    g->depth++;
    return outer;
}

static void patch_rel(Generator *g, unsigned at, unsigned size)
{
    int32_t rel = (int32_t)(g->c->length - (at + size));

    memcpy(g->c->code + at, &rel, size);
}

/* jcc, jmp, jrcxz, loop: over some instructions */
static void emit_skip(Generator *g)
{
    unsigned dice = below(g, 10), size = dice < 4 ? 4 : 1;
    uint8_t b[16] = {0};
    unsigned p = 0, at;
    uint32_t outer;
    uint16_t undefined;

    if (dice < 3) {
        b[p++] = 0x0f;
        b[p++] = 0x80 | below(g, 16);
    } else if (dice == 3) {
        b[p++] = 0xe9;
    } else if (dice == 4) {
        b[p++] = 0xe0 | below(g, 4);
    } else if (dice == 5) {
        b[p++] = 0xeb;
    } else {
        b[p++] = 0x70 | below(g, 16);
    }
    if (!put_insn(g, b, true)) {
        return;
    }
    at = g->c->length - size;
    undefined = g->undefined;
    outer = begin_region(g);
    emit_some(g, 1 + below(g, 3));
    g->undefined |= undefined;
    if (size == 1 && g->c->length - at > 120) {
        memcpy(g->c->code + at - 1, "\x66\x90", 2); /* out of reach: a nop */
    } else {
        patch_rel(g, at, size);
    }
    end_region(g, outer);
}

static bool emit_loop_end(Generator *g, unsigned counter, unsigned start)
{
    uint8_t dec[16] = {0x49, 0xff, (uint8_t)(0xc8 | (counter & 7))};
    uint8_t jnz[16] = {0x0f, 0x85}, loop[16] = {0xe2};
    int32_t rel;

    if (counter == R_ECX && g->c->length - start < 100 && percent(g, 50)) {
        loop[1] = (uint8_t)(start - (g->c->length + 2));
        return put_insn(g, loop, true);
    }
    dec[0] = g->c->code32 ? 0x90 : counter >= 8 ? 0x49 : 0x48;
    if (dec[0] == 0x90) {
        put_raw(g, dec, 3, true);
    } else if (!put_insn(g, dec, true)) {
        return false;
    }
    rel = (int32_t)(start - (g->c->length + 6));
    memcpy(jnz + 2, &rel, 4);
    return put_insn(g, jnz, true);
}

static void emit_loop(Generator *g)
{
    uint32_t protect = g->protect, outer;
    int counter = free_register(g, 0);
    unsigned start;

    if (g->in_loop || counter < 0 || !set_register(g, (unsigned)counter, 1 + below(g, 5))) {
        return;
    }
    g->known &= ~(1u << counter);
    g->in_loop = true;
    start = g->c->length;
    outer = begin_region(g);
    /* what addresses stand on must not change from one round to the next */
    g->protect |= g->known | 1u << counter;
    emit_some(g, 1 + below(g, 4));
    g->protect = protect;
    define_flags(g, CC_MASK); /* for the next round */
    if (!emit_loop_end(g, (unsigned)counter, start)) {
        g->full = true;
    }
    end_region(g, outer);
    g->in_loop = false;
}

/* Puts the address of what will follow at `ahead` bytes into a register or memory. */
static bool emit_indirect(Generator *g, unsigned ext, unsigned ahead)
{
    uint8_t b[16] = {0xff}, store[16] = {0xc7, 0x04, 0x25};
    int r = free_register(g, 0xff00);
    uint32_t slot = DATA_BASE + 8 * below(g, 256), target;

    if (r < 0) {
        return false;
    }
    if (percent(g, 50) && g->mode.code64) { /* mov qword [slot], target; jmp [slot] */
        uint8_t *s = store;
        uint8_t wide[16] = {0x48, 0xc7, 0x04, 0x25};

        (void)s;
        target = (uint32_t)here(g) + 12 + 7 + ahead;
        memcpy(wide + 4, &slot, 4);
        memcpy(wide + 8, &target, 4);
        b[1] = (uint8_t)(ext << 3 | 4);
        b[2] = 0x25;
        memcpy(b + 3, &slot, 4);
        return put_insn(g, wide, true) && put_insn(g, b, true);
    }
    target = (uint32_t)here(g) + 5 + 2 + ahead;
    b[1] = (uint8_t)(0xc0 | ext << 3 | (unsigned)r);
    return set_register(g, (unsigned)r, target) && put_insn(g, b, true);
}

static void emit_jump_indirect(Generator *g)
{
    uint8_t nops[16] = {0xf4};

    /* over a hlt, which would be noticed */
    if (emit_indirect(g, 4, 1)) {
        put_raw(g, nops, 1, true);
    }
}

/* call L; jmp end; L: ...; ret; end: */
static void emit_call(Generator *g)
{
    uint8_t call[16] = {0xe8, 5}, jmp[16] = {0xe9}, ret[16] = {0xc3};
    unsigned at;
    bool ok;

    if (g->depth > 1) {
        return;
    }
    ok = percent(g, 60) ? put_insn(g, call, true) : emit_indirect(g, 2, 5);
    if (!ok || !put_insn(g, jmp, true)) {
        return;
    }
    at = g->c->length - 4;
    g->depth += 2;
    /* nothing that moves the stack pointer may come between */
    g->protect |= 1u << R_ESP;
    emit_some(g, 1 + below(g, 3));
    g->protect &= ~(1u << R_ESP);
    g->depth -= 2;
    if (percent(g, 25)) {
        ret[0] = 0xc2;
        ret[1] = (uint8_t)(8 * below(g, 4));
    }
    put_insn(g, ret, true);
    patch_rel(g, at, 4);
}

/* mov byte [L + 1], imm; ...; L: mov r8, imm8: the immediate is another by then */
static void emit_self_modification(Generator *g)
{
    uint8_t store[16] = {0xc6, 0x04, 0x25}, mov[16] = {0xb0};
    unsigned p = g->mode.code64 ? 3 : 2, at;
    uint32_t target;

    store[1] = g->mode.code64 ? 0x04 : 0x05;
    store[p + 4] = (uint8_t)rng_next(&g->rng);
    if (!put_insn(g, store, true)) {
        return;
    }
    at = g->c->length - 5;
    emit_some(g, below(g, 3));
    mov[0] |= below(g, 4); /* al, cl, dl, bl */
    target = (uint32_t)here(g) + 1;
    if (put_insn(g, mov, true)) {
        memcpy(g->c->code + at, &target, 4);
    } else {
        target = DATA_BASE;
        memcpy(g->c->code + at, &target, 4);
    }
}

static void emit_branch(Generator *g)
{
    if (percent(g, 3)) {
        emit_self_modification(g);
        return;
    }
    switch (below(g, 8)) {
    case 0: case 1: case 2:
        if (g->depth < 3) {
            emit_skip(g);
        }
        break;
    case 3: case 4:
        emit_loop(g);
        break;
    case 5:
        emit_jump_indirect(g);
        break;
    default:
        emit_call(g);
    }
}

static void emit_one(Generator *g)
{
    OracleClass c = pick_class(g);

    for (unsigned tries = 0; tries < 8; tries++) {
        const Template *t;

        if (c == CLASS_BRANCH) {
            emit_branch(g);
            return;
        }
        t = pick_template(g, c);
        if (!t) {
            return;
        }
        if (c == CLASS_STRING) {
            Form f = {.t = t, .base = -1, .index = -1};

            if (emit_string(g, &f)) {
                return;
            }
        } else if (emit_template(g, t)) {
            return;
        }
        if (g->full) {
            return;
        }
    }
}

static void emit_some(Generator *g, unsigned n)
{
    for (unsigned k = 0; k < n && !g->full; k++) {
        emit_one(g);
    }
}

/* ---- a case ------------------------------------------------------------------------ */

static void random_x87(Generator *g, RegState *s)
{
    uint16_t fcw = percent(g, 85) ? 0x37f : (uint16_t)(0x37f & ~(1u << below(g, 6)));
    uint16_t fsw = (uint16_t)(below(g, 8) << 11);
    uint8_t tags = (uint8_t)rng_next(&g->rng);

    if (percent(g, 30)) {
        fcw = (uint16_t)((fcw & 0xff) | below(g, 16) << 8);
    }
    memcpy(s->xsave, &fcw, 2);
    memcpy(s->xsave + 2, &fsw, 2);
    s->xsave[4] = tags;
    for (unsigned k = 0; k < 8; k++) {
        uint64_t mantissa = rng_next(&g->rng) | 1ull << 63;
        uint16_t exponent = (uint16_t)(0x3ff0 + below(g, 32)) | (uint16_t)(below(g, 2) << 15);

        if (percent(g, 20)) {
            mantissa = random_value(&g->rng);
            exponent = (uint16_t)(percent(g, 50) ? 0x7fff : below(g, 0x10000));
        }
        memcpy(s->xsave + 32 + 16 * k, &mantissa, 8);
        memcpy(s->xsave + 40 + 16 * k, &exponent, 2);
    }
}

static void random_vectors(Generator *g, RegState *s)
{
    uint32_t mxcsr = 0x1f80;
    uint64_t bv = 0xe7 & (host_has_feature(X86_FEATURE(FEAT_7_0_EBX, 16)) ? 0xe7 : 7);

    if (percent(g, 40)) {
        mxcsr |= below(g, 4) << 13 | (percent(g, 20) ? 0x8000 : 0) | (percent(g, 20) ? 0x40 : 0);
    }
    if (percent(g, 8)) {
        mxcsr &= ~(1u << (7 + below(g, 6)));
    }
    memcpy(s->xsave + 24, &mxcsr, 4);
    for (unsigned k = 160; k < 416; k += 8) {
        uint64_t v = random_value(&g->rng);

        memcpy(s->xsave + k, &v, 8);
    }
    for (unsigned k = 576; k + 8 <= 2432; k += 8) {
        uint64_t v = random_value(&g->rng);

        memcpy(s->xsave + k, &v, 8);
    }
    memcpy(s->xsave + 512, &bv, 8);
}

static void random_registers(Generator *g, RegState *s)
{
    for (unsigned r = 0; r < 16; r++) {
        unsigned dice = below(g, 10);

        s->gpr[r] = dice < 5 ? random_pointer(g) : dice < 7 ? below(g, 64) : random_value(&g->rng);
        if (g->c->code32) {
            s->gpr[r] = (uint32_t)s->gpr[r];
        }
        if (dice < 7) {
            g->known |= 1u << r;
            g->value[r] = s->gpr[r];
        }
    }
    s->gpr[R_ESP] = STACK_BASE + 0x1000 + (percent(g, 80) ? 8 * below(g, 64) : below(g, 512)) - 256;
    g->known &= ~(1u << R_ESP);
    s->rflags = 2 | IF_MASK | (rng_next(&g->rng) & CC_MASK) | (percent(g, 10) ? DF_MASK : 0);
}

void generator_make(Generator *g, uint64_t seed, unsigned classes, bool code32, Case *ret)
{
    g->c = ret;
    memset(ret, 0, offsetof(Case, code));
    rng_init(&g->rng, seed);
    ret->seed = seed;
    ret->mem_seed = rng_next(&g->rng);
    ret->code32 = code32;
    ret->entry = percent(g, 80) ? 64 * below(g, 16) : 0x1000 - 1 - below(g, 120);
    g->mode = (X86Mode){.code64 = !code32, .cs32 = code32, .protected_mode = 1};
    g->known = g->protect = g->written = 0;
    g->undefined = 0;
    g->depth = 0;
    g->in_loop = g->full = false;
    random_registers(g, &ret->init);
    random_x87(g, &ret->init);
    random_vectors(g, &ret->init);
    /* at times one class only, so that its instructions meet each other */
    g->classes = classes;
    if (percent(g, 50)) {
        unsigned one = 1u << below(g, CLASS_COUNT);

        g->classes = classes & (one | 1u << CLASS_INT) ? classes & (one | 1u << CLASS_INT) : classes;
    }
    emit_some(g, 3 + below(g, 20));
    ret->undefined = g->undefined;
    ret->init.rip = CODE_BASE + ret->entry;
    ret->code[ret->length] = 0xcc;
}
