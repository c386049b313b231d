/* SPDX-License-Identifier: MIT
 *
 * Layout of the extended state.  SDM vol. 1, 13.4-13.6.
 */
#include "target/i386/xsave.h"
#include <cpuid.h>
#include <string.h>

G_STATIC_ASSERT(offsetof(X86LegacyArea, mxcsr) == 24);
G_STATIC_ASSERT(offsetof(X86LegacyArea, xmm) == 160);
G_STATIC_ASSERT(sizeof(X86LegacyArea) == 512);

#define PKRU_COMPONENT 9
#define PKRU_OFFSET    2688u

typedef struct XSaveLayout {
    uint64_t host_mask;
    uint32_t offset[XSTATE_COMPONENTS];
    uint32_t size[XSTATE_COMPONENTS];
    bool aligned[XSTATE_COMPONENTS]; /* in the compacted format */
} XSaveLayout;

static uint64_t host_xcr0(void)
{
    uint32_t eax, ebx, ecx, edx;

    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_OSXSAVE)) {
        return XSTATE_FP | XSTATE_SSE;
    }
    __asm__("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    return eax | (uint64_t)edx << 32;
}

static void layout_add_component(XSaveLayout *l, unsigned i)
{
    uint32_t eax, ebx, ecx, edx;

    if (!__get_cpuid_count(0xd, i, &eax, &ebx, &ecx, &edx) || ebx + eax > X86_XSAVE_MAX) {
        l->host_mask &= ~(1ull << i);
        return;
    }
    l->size[i] = eax;
    l->offset[i] = ebx;
    l->aligned[i] = ecx & 2;
}

/* Protection keys are emulated, so they need not be the host's: where others have them, or last. */
static void layout_add_pkru(XSaveLayout *l)
{
    uint32_t end = PKRU_OFFSET;

    for (unsigned i = 2; i < XSTATE_COMPONENTS; i++) {
        end = MAX(end, l->offset[i] + l->size[i]);
    }
    if (!(l->host_mask & XSTATE_PKRU) && end + 8 <= X86_XSAVE_MAX) {
        l->host_mask |= XSTATE_PKRU;
        l->size[PKRU_COMPONENT] = 8;
        l->offset[PKRU_COMPONENT] = end;
    }
}

static void layout_init(XSaveLayout *l)
{
    l->host_mask = host_xcr0() & XSTATE_KNOWN;
    for (unsigned i = 2; i < XSTATE_COMPONENTS; i++) {
        if (l->host_mask >> i & 1) {
            layout_add_component(l, i);
        }
    }
    layout_add_pkru(l);
}

/* The host does not change: read once. */
static const XSaveLayout *xsave_layout(void)
{
    static XSaveLayout layout;
    static gsize once;

    if (g_once_init_enter(&once)) {
        layout_init(&layout);
        g_once_init_leave(&once, 1);
    }
    return &layout;
}

uint32_t x86_xsave_component_offset(unsigned component)
{
    return component < XSTATE_COMPONENTS ? xsave_layout()->offset[component] : 0;
}

uint32_t x86_xsave_component_size(unsigned component)
{
    return component < XSTATE_COMPONENTS ? xsave_layout()->size[component] : 0;
}

bool x86_xsave_component_aligned(unsigned component)
{
    return component < XSTATE_COMPONENTS && xsave_layout()->aligned[component];
}

void *x86_xsave_component(CPUX86State *env, unsigned component)
{
    return x86_xsave_component_size(component)
               ? env->xsave + x86_xsave_component_offset(component) : NULL;
}

uint32_t x86_xsave_size(uint64_t mask)
{
    const XSaveLayout *l = xsave_layout();
    uint32_t end = XSAVE_HEADER_END;

    for (unsigned i = 2; i < XSTATE_COMPONENTS; i++) {
        if (mask >> i & 1) {
            end = MAX(end, l->offset[i] + l->size[i]);
        }
    }
    return end;
}

uint32_t x86_xsave_compacted_size(uint64_t mask)
{
    const XSaveLayout *l = xsave_layout();
    uint32_t end = XSAVE_HEADER_END;

    for (unsigned i = 2; i < XSTATE_COMPONENTS; i++) {
        if (mask >> i & 1) {
            end = (l->aligned[i] ? (end + 63) & ~63u : end) + l->size[i];
        }
    }
    return end;
}

uint64_t x86_xsave_host_mask(void)
{
    return xsave_layout()->host_mask;
}

void x86_xsave_reset(CPUX86State *env)
{
    memset(env->xsave, 0, sizeof(env->xsave));
    /* Not the 0x40 of power-on: what FNINIT sets, as guests started without firmware expect. */
    x86_xsave_legacy(env)->fcw = 0x37f;
    x86_xsave_legacy(env)->mxcsr = 0x1f80;
    x86_xsave_legacy(env)->mxcsr_mask = 0x2ffff;
    x86_xsave_header(env)->xstate_bv = XSTATE_FP | XSTATE_SSE;
}
