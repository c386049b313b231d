/* SPDX-License-Identifier: MIT
 *
 * Control flow that ends: skips, loops with a counter, calls, indirect jumps.
 */
#include <glib.h>
#include <string.h>
#include "tests/oracle/gen-internal.h"

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

/* of a near displacement */
static unsigned near_size(const Generator *g)
{
    return g->c->code16 ? 2 : 4;
}

/* jcc, jmp, jrcxz, loop: over some instructions */
static void emit_skip(Generator *g)
{
    unsigned dice = below(g, 10), size = dice < 4 ? near_size(g) : 1;
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
    rel = (int32_t)(start - (g->c->length + 2 + near_size(g)));
    memcpy(jnz + 2, &rel, near_size(g));
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
    target = (uint32_t)here(g) + (g->c->code16 ? 6 : 5) + 2 + ahead;
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
    uint8_t call[16] = {0xe8, (uint8_t)(1 + near_size(g))}, jmp[16] = {0xe9}, ret[16] = {0xc3};
    unsigned at;
    bool ok;

    if (g->depth > 1) {
        return;
    }
    ok = percent(g, 60) ? put_insn(g, call, true) : emit_indirect(g, 2, 1 + near_size(g));
    if (!ok || !put_insn(g, jmp, true)) {
        return;
    }
    at = g->c->length - near_size(g);
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
    patch_rel(g, at, near_size(g));
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
    if (percent(g, 3) && !g->c->segmented) {
        emit_self_modification(g);
        return;
    }
    switch (below(g, 8)) {
    case 0:
    case 1:
    case 2:
        if (g->depth < 3) {
            emit_skip(g);
        }
        break;
    case 3:
    case 4:
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

void emit_some(Generator *g, unsigned n)
{
    for (unsigned k = 0; k < n && !g->full; k++) {
        emit_one(g);
    }
}
