/* SPDX-License-Identifier: MIT
 *
 * One random instruction from a template.
 */
#include <glib.h>
#include <string.h>
#include "tests/oracle/gen-internal.h"

unsigned random_register(Generator *g, bool vector32)
{
    return below(g, g->c->code32 ? 8 : vector32 ? 32 : 16);
}

void random_fields(Generator *g, Form *f)
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
    if (g->c->segmented && f->segment) {
        f->segment = percent(g, 50) ? 0x26 : 0x3e; /* where the data is */
    }
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
        case 0:
            f->zero = false;
            break;
        case 1:
            f->vvvv = 0;
            break;
        case 2:
            f->bcst = false;
            break;
        case 3:
            f->aaa = 0;
            break;
        case 4:
            f->reg &= 7;
            f->rm &= 15;
            break;
        }
    }
    return false;
}

/* A plain memory operand, to learn about the instruction. */
static void dummy_address(Generator *g, Form *f)
{
    f->addr32 = g->c->code16 && percent(g, 40);
    f->addr16 = g->c->code16 && !f->addr32;
    f->rm16 = 6;
    f->absolute = true;
    f->disp_size = f->addr16 ? 2 : 4;
}

bool finish_rip(Generator *g, Form *f, uint8_t *b, X86Insn *i)
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

bool emit_with_memory(Generator *g, Form *f)
{
    uint8_t b[16];
    X86Insn i;
    uint32_t target;

    dummy_address(g, f);
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

bool emit_plain(Generator *g, Form *f)
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
