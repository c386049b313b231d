/* SPDX-License-Identifier: MIT
 *
 * Gather and scatter, element by element on the image of the vector state, so
 * that a fault leaves what was done before it (SDM vol. 2, VPGATHERDD, VPSCATTERDD).
 */
#include "accel/tcg/tcg-internal.h"
#include "target/i386/xsave.h"

#define VEC_MAX 64

static void *vec_part(CPUX86State *env, unsigned reg, unsigned part)
{
    if (reg >= 16) { /* ZMM16 to 31 in one piece */
        uint8_t *high = x86_xsave_component(env, 7);

        return high ? high + (reg - 16) * 64 + part * 16 : NULL;
    }
    if (part == 0) {
        return x86_xsave_legacy(env)->xmm[reg];
    }
    if (part == 1) {
        uint8_t *ymm = x86_xsave_component(env, 2);

        return ymm ? ymm + reg * 16 : NULL;
    }
    {
        uint8_t *zmm = x86_xsave_component(env, 6);

        return zmm ? zmm + reg * 32 + (part - 2) * 16 : NULL;
    }
}

static void vec_read(CPUX86State *env, unsigned reg, uint8_t *buf)
{
    for (unsigned part = 0; part < 4; part++) {
        const void *p = vec_part(env, reg, part);

        if (p) {
            memcpy(buf + part * 16, p, 16);
        } else {
            memset(buf + part * 16, 0, 16);
        }
    }
}

static void vec_write(CPUX86State *env, unsigned reg, const uint8_t *buf)
{
    for (unsigned part = 0; part < 4; part++) {
        void *p = vec_part(env, reg, part);

        if (p) {
            memcpy(p, buf + part * 16, 16);
        }
    }
    x86_xsave_header(env)->xstate_bv |= x86_xsave_host_mask() & ~(XSTATE_FP | XSTATE_PKRU);
}

typedef struct Gather {
    CPUX86State *env;
    const X86Insn *i;
    unsigned elem, index_size, count, length;
    bool scatter, evex;
    uint8_t data[VEC_MAX], index[VEC_MAX], mask[VEC_MAX];
    uint64_t k;
} Gather;

static bool element_wanted(const Gather *g, unsigned n)
{
    return g->evex ? g->k >> n & 1 : g->mask[(n + 1) * g->elem - 1] >> 7;
}

static uint64_t element_linear(const Gather *g, unsigned n)
{
    CPUX86State *env = g->env;
    const X86Insn *i = g->i;
    uint64_t offset = (uint64_t)i->disp;
    int64_t index = 0;

    if (g->index_size == 4) {
        int32_t narrow;

        memcpy(&narrow, g->index + n * 4, 4);
        index = narrow;
    } else {
        memcpy(&index, g->index + n * 8, 8);
    }
    offset += (i->base >= 0 ? env->regs[i->base] : 0) + ((uint64_t)index << i->scale);
    offset = i->addrsize == 8 ? offset : (uint32_t)offset;
    return x86_linear(env, i->seg, offset, g->elem, g->scatter ? X86_WRITE : X86_READ);
}

/* Keep what is done, so that a fault in a later element finds it. */
static void element_done(Gather *g, unsigned n)
{
    if (!g->scatter) {
        if (g->evex && (g->k >> n & 1)) { /* as hardware does with the first element */
            memset(g->data + (16u << g->i->vl), 0, VEC_MAX - (16u << g->i->vl));
        }
        vec_write(g->env, g->i->reg, g->data);
    }
    if (g->evex) {
        uint64_t *k = x86_xsave_component(g->env, 5);

        g->k &= ~(1ull << n);
        k[g->i->evex_aaa] = g->k;
    } else {
        memset(g->mask + n * g->elem, 0, g->elem);
        vec_write(g->env, g->i->vvvv, g->mask);
    }
}

static void gather_init(Gather *g, CPUX86State *env, const X86Insn *i)
{
    unsigned low = i->opcode & 3, vl = 16u << i->vl;

    memset(g, 0, sizeof(*g));
    g->env = env;
    g->i = i;
    g->evex = i->encoding == X86_ENC_EVEX;
    g->scatter = i->opcode >= 0xa0 && i->opcode <= 0xa3;
    g->elem = i->w ? 8 : 4;
    g->index_size = low & 1 ? 8 : 4;
    g->count = vl / MAX(g->elem, g->index_size);
    g->length = g->count * g->elem;
    tcg_fp_image_complete(env);
    vec_read(env, i->reg, g->data);
    vec_read(env, (unsigned)i->index, g->index);
    if (g->evex) {
        g->k = ((uint64_t *)x86_xsave_component(env, 5))[i->evex_aaa];
    } else {
        vec_read(env, i->vvvv, g->mask);
    }
}

void tcg_exec_gather(CPUX86State *env, const X86Insn *i)
{
    Gather g;

    gather_init(&g, env, i);
    for (unsigned n = 0; n < g.count; n++) {
        if (element_wanted(&g, n)) {
            uint64_t linear = element_linear(&g, n);

            if (g.scatter) {
                x86_st_bytes(env, linear, g.data + n * g.elem, g.elem, X86_PRIV_CPL);
            } else {
                x86_ld_bytes(env, linear, g.data + n * g.elem, g.elem, X86_PRIV_CPL);
            }
        }
        element_done(&g, n);
    }
    if (!g.scatter) {
        memset(g.data + g.length, 0, VEC_MAX - g.length);
        vec_write(env, i->reg, g.data);
    }
    if (!g.evex) {
        memset(g.mask, 0, VEC_MAX);
        vec_write(env, i->vvvv, g.mask);
    } else {
        ((uint64_t *)x86_xsave_component(env, 5))[i->evex_aaa] = 0;
    }
}
