/* SPDX-License-Identifier: MIT
 *
 * Instructions that want something prepared: divisions, strings, gathers, frames.
 */
#include <glib.h>
#include <string.h>
#include "tests/oracle/gen-internal.h"

/* A division that is not all overflow. */
static void prepare_division(Generator *g, const Template *t)
{
    if (t->map == X86_MAP_1B && (t->opcode | 1) == 0xf7 && t->reg >= 6 && percent(g, 70)) {
        set_register(g, R_EDX, percent(g, 70) ? 0 : below(g, 100));
        g->known &= ~(1u << R_EDX);
    }
}

bool emit_string(Generator *g, Form *f)
{
    uint8_t b[16];
    X86Insn i;

    f->addr32 = !g->c->code32 || g->c->code16 ? percent(g, g->c->code16 ? 30 : 5) : false;
    encode(g, f, b);
    if (!decode(g, b, f, &i) || (i.gpr_written & g->protect)) {
        return false;
    }
    if (!set_register(g, R_ESI, random_pointer(g)) || !set_register(g, R_EDI, random_pointer(g)) ||
        !set_register(g, R_ECX, below(g, 70))) {
        return false;
    }
    if (percent(g, 3)) {
        set_register(g, R_EDI, data_offset(g) + DATA_SIZE - below(g, 200));
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
    Template t = {.encoding = evex ? X86_ENC_EVEX : X86_ENC_VEX,
                  .map = X86_MAP_0F,
                  .opcode = 0x6f,
                  .pp = 2,
                  .vl = evex ? 2 : 1,
                  .has_modrm = true};
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
    uint64_t target = data_offset(g) + below(g, DATA_SIZE - 8);

    memset(f->tail, 0, sizeof(f->tail));
    memcpy(f->tail, &target, 8);
    return emit_plain(g, f);
}

bool emit_template(Generator *g, const Template *t)
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
    if (g->c->segmented && (is_vsib(t) || is_xsave(t))) {
        return false; /* they want the constants, which are out of reach */
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

const Template *pick_template(Generator *g, OracleClass c)
{
    const TemplateSet *s = &g->sets[g->c->code32 + g->c->code16][c];
    const TemplateGroup *group;

    if (!s->group_count) {
        return NULL;
    }
    group = &s->groups[below(g, s->group_count)];
    return &s->templates[group->first + below(g, group->count)];
}

OracleClass pick_class(Generator *g)
{
    for (;;) {
        OracleClass c = below(g, CLASS_COUNT);

        if ((g->classes & 1u << c) && (c != CLASS_SYS || percent(g, 10)) &&
            (c != CLASS_XSAVE || percent(g, 25))) {
            return c;
        }
    }
}
