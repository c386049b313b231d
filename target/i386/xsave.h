/* SPDX-License-Identifier: MIT
 *
 * The extended state in CPUX86State.xsave: standard (non-compacted) XSAVE format with the
 * host's own offsets, since guests' and accelerators' XSAVE run on the
 * host.  SDM vol. 1, 13.4; AMD APM vol. 2, 11.5.
 */
#ifndef TARGET_I386_XSAVE_H
#define TARGET_I386_XSAVE_H

#include "target/i386/cpu.h"

/* XCR0 and XSTATE_BV (SDM vol. 1, 13.1) */
#define XSTATE_FP        (1ull << 0)
#define XSTATE_SSE       (1ull << 1)
#define XSTATE_AVX       (1ull << 2)
#define XSTATE_OPMASK    (1ull << 5)
#define XSTATE_ZMM_HI256 (1ull << 6)
#define XSTATE_HI16_ZMM  (1ull << 7)
#define XSTATE_PKRU      (1ull << 9)
#define XSTATE_AVX512    (XSTATE_OPMASK | XSTATE_ZMM_HI256 | XSTATE_HI16_ZMM)
/* What we know of. */
#define XSTATE_KNOWN (XSTATE_FP | XSTATE_SSE | XSTATE_AVX | XSTATE_AVX512 | XSTATE_PKRU)

#define XSTATE_COMPONENTS 10
#define XSAVE_HEADER_END  576

typedef struct X86LegacyArea {
    uint16_t fcw, fsw;
    uint8_t ftw, reserved; /* abridged: a bit set means the register is in use */
    uint16_t fop;
    uint64_t fip, fdp;
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[8][16]; /* in stack order: ST0 first */
    uint8_t xmm[16][16];
    uint8_t unused[96];
} X86LegacyArea;

typedef struct X86XSaveHeader {
    uint64_t xstate_bv, xcomp_bv, reserved[6];
} X86XSaveHeader;

static inline X86LegacyArea *x86_xsave_legacy(CPUX86State *env)
{
    return (X86LegacyArea *)env->xsave;
}

static inline X86XSaveHeader *x86_xsave_header(CPUX86State *env)
{
    return (X86XSaveHeader *)(env->xsave + 512);
}

/* Offset and size of a component (2: high halves of YMM, 5: opmask...) on this host; size 0: none. */
uint32_t x86_xsave_component_offset(unsigned component);
uint32_t x86_xsave_component_size(unsigned component);
/* In the compacted format it begins at a multiple of 64. */
bool x86_xsave_component_aligned(unsigned component);
/* The component in env, or NULL. */
void *x86_xsave_component(CPUX86State *env, unsigned component);
/* Bytes that the standard format takes for the components in `mask`. */
uint32_t x86_xsave_size(uint64_t mask);
/* Bytes of the compacted format (XSAVEC) for `mask`. */
uint32_t x86_xsave_compacted_size(uint64_t mask);

/* What the host's XCR0 has, among XSTATE_KNOWN and within X86_XSAVE_MAX, and PKRU: all that can be emulated. */
uint64_t x86_xsave_host_mask(void);

/* Initial state of x87, SSE and up. */
void x86_xsave_reset(CPUX86State *env);

#endif
