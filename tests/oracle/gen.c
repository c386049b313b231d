/* SPDX-License-Identifier: MIT
 *
 * Makes cases: random instructions whose memory operands hit the areas that
 * are there, inside straight code, skips, calls and bounded loops.  Here: the state a
 * case starts from, and the bytes of its code.
 */
#include <glib.h>
#include <string.h>
#include "tests/oracle/gen-internal.h"

Generator *generator_new(void)
{
    Generator *g = g_new0(Generator, 1);

    templates_init(g->sets);
    return g;
}

void generator_free(Generator *g)
{
    for (unsigned m = 0; m < 3; m++) {
        for (unsigned k = 0; k < CLASS_COUNT; k++) {
            g_free(g->sets[m][k].templates);
            g_free(g->sets[m][k].groups);
        }
    }
    g_free(g);
}

void put_raw(Generator *g, const uint8_t *bytes, unsigned n, bool fixed)
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
bool writes_esp_freely(const X86Insn *i)
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
void define_flags(Generator *g, unsigned needed)
{
    uint8_t cmp[2] = {0x39, (uint8_t)(0xc0 | below(g, 64))};

    if (g->undefined & needed) {
        put_raw(g, cmp, 2, true);
        g->undefined = g->full ? g->undefined : 0;
    }
}

bool put_insn(Generator *g, const uint8_t *bytes, bool fixed)
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
bool set_register(Generator *g, unsigned r, uint32_t value)
{
    uint8_t b[16] = {0};
    unsigned p = 0;

    if (g->c->code16) {
        b[p++] = 0x66;
    }
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
int free_register(Generator *g, uint32_t avoid)
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

void generator_make(Generator *g, uint64_t seed, unsigned classes, CaseKind kind, Case *ret)
{
    g->c = ret;
    memset(ret, 0, offsetof(Case, code));
    rng_init(&g->rng, seed);
    ret->seed = seed;
    ret->mem_seed = rng_next(&g->rng);
    ret->code32 = kind != CASE_64;
    ret->code16 = kind == CASE_16;
    ret->segmented = kind >= CASE_32_SEGMENTED;
    ret->entry = percent(g, 80) ? 64 * below(g, 16) : 0x1000 - 1 - below(g, 120);
    g->mode = (X86Mode){.code64 = kind == CASE_64, .cs32 = kind != CASE_16, .protected_mode = 1};
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

        g->classes =
            classes & (one | 1u << CLASS_INT) ? classes & (one | 1u << CLASS_INT) : classes;
    }
    emit_some(g, 3 + below(g, 20));
    ret->undefined = g->undefined;
    ret->init.rip = code_base(ret) + ret->entry;
    ret->code[ret->length] = 0xcc;
}
