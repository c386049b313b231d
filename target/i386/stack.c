/* SPDX-License-Identifier: MIT
 *
 * Pushing to and popping from a stack that may not be the current one yet.
 * SDM vol. 1, 6.2; vol. 3, 6.14.2 (64-bit).
 */
#include "target/i386/segment.h"

static uint64_t stack_mask(const SegmentCache *ss)
{
    return ss->flags & DESC_B_MASK ? 0xffffffff : 0xffff;
}

X86Stack x86_stack_current(CPUX86State *env)
{
    bool code64 = env->hflags & HF_CS64;

    return (X86Stack){
        .env = env,
        .ss = code64 ? NULL : &env->segs[R_SS],
        .sp = env->regs[R_ESP],
        .mask = code64 ? UINT64_MAX : stack_mask(&env->segs[R_SS]),
        .priv = X86_PRIV_CPL,
    };
}

X86Stack x86_stack_new(CPUX86State *env, const SegmentCache *ss, uint64_t sp, unsigned cpl,
                       uint16_t error)
{
    return (X86Stack){
        .env = env,
        .ss = ss,
        .sp = sp,
        .mask = stack_mask(ss),
        .priv = cpl == 3 || cpl == x86_cpl(env) ? X86_PRIV_CPL : X86_PRIV_SYSTEM,
        .error = error,
    };
}

X86Stack x86_stack_new_64(CPUX86State *env, uint64_t sp, unsigned cpl, uint16_t error)
{
    return (X86Stack){
        .env = env,
        .sp = sp,
        .mask = UINT64_MAX,
        .priv = cpl == x86_cpl(env) ? X86_PRIV_CPL : X86_PRIV_SYSTEM,
        .error = error,
    };
}

static uint64_t stack_linear_of(const X86Stack *s, uint64_t sp, unsigned size)
{
    if (!s->ss) {
        if (!x86_is_canonical(s->env, sp) || !x86_is_canonical(s->env, sp + size - 1)) {
            x86_raise_exception_err(s->env, EXCP_SS, s->error);
        }
        return sp;
    }
    if ((s->ss->flags & DESC_UNUSABLE) || !x86_segment_limit_ok(s->ss, sp, size)) {
        x86_raise_exception_err(s->env, EXCP_SS, s->error);
    }
    return (uint32_t)(s->ss->base + sp);
}

static uint64_t stack_linear(const X86Stack *s, uint64_t sp, unsigned size, X86Access access)
{
    uint64_t linear = stack_linear_of(s, sp, size);

    if ((s->env->hflags & (HF_AC | HF_DRX)) && s->priv == X86_PRIV_CPL) {
        x86_check_access(s->env, linear, size, access);
    }
    return linear;
}

void x86_stack_push(X86Stack *s, uint64_t value, unsigned size)
{
    uint64_t sp = (s->sp - size) & s->mask;

    x86_st(s->env, stack_linear(s, sp, size, X86_WRITE), value, size, s->priv);
    s->sp = sp;
}

uint64_t x86_stack_pop(X86Stack *s, unsigned size)
{
    uint64_t sp = s->sp & s->mask;
    uint64_t value = x86_ld(s->env, stack_linear(s, sp, size, X86_READ), size, s->priv);

    s->sp = (sp + size) & s->mask;
    return value;
}

/* Host memory for n quadwords from sp on, if that is all there is to look at; or NULL. */
static uint64_t *quick_frame(const X86Stack *s, uint64_t sp, unsigned n, X86Access access)
{
    if (s->ss || (s->env->hflags & (HF_AC | HF_DRX))) {
        return NULL;
    }
    return x86_quick_ptr(s->env, sp, 8ull * n, access, s->priv);
}

void x86_stack_push_frame(X86Stack *s, const uint64_t *values, unsigned n)
{
    uint64_t *at = quick_frame(s, s->sp - 8ull * n, n, X86_WRITE);

    if (!at) {
        for (unsigned i = 0; i < n; i++) {
            x86_stack_push(s, values[i], 8);
        }
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        at[n - 1 - i] = values[i];
    }
    s->sp -= 8ull * n;
}

bool x86_stack_peek_frame(const X86Stack *s, uint64_t *ret_values, unsigned n)
{
    const uint64_t *at = quick_frame(s, s->sp, n, X86_READ);

    for (unsigned i = 0; at && i < n; i++) {
        ret_values[i] = at[i];
    }
    return at != NULL;
}

void x86_stack_probe(const X86Stack *s, unsigned size)
{
    x86_probe(s->env, stack_linear_of(s, s->sp & s->mask, size), size, X86_WRITE, s->priv);
}

void x86_stack_skip(X86Stack *s, int64_t bytes)
{
    s->sp = (s->sp + bytes) & s->mask;
}

void x86_stack_commit(const X86Stack *s)
{
    uint64_t *rsp = &s->env->regs[R_ESP];

    if (s->mask == 0xffff) { /* the upper half of ESP is not touched */
        *rsp = (*rsp & ~s->mask) | (s->sp & s->mask);
    } else {
        *rsp = s->sp & s->mask;
    }
}
