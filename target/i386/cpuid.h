/* SPDX-License-Identifier: MIT
 *
 * CPUID: one table of feature bits feeds the instruction, `-cpu help`, the
 * properties and the documentation.  SDM vol. 2, CPUID; AMD APM vol. 3, app. E.
 */
#ifndef TARGET_I386_CPUID_H
#define TARGET_I386_CPUID_H

#include <stdbool.h>
#include <stdint.h>

typedef struct CPUX86State CPUX86State;

/* The registers of feature bits. */
typedef enum X86FeatureWord {
    FEAT_1_EDX,
    FEAT_1_ECX,
    FEAT_7_0_EBX,
    FEAT_7_0_ECX,
    FEAT_7_0_EDX,
    FEAT_7_1_EAX,
    FEAT_D_1_EAX,
    FEAT_80000001_EDX,
    FEAT_80000001_ECX,
    FEAT_80000007_EDX,
    FEAT_80000008_EBX,
    FEAT_6_EAX,
    FEAT_KVM, /* 0x40000001 EAX */
    FEAT_ARCH_CAPABILITIES, /* an MSR, not a leaf */
    FEAT_8000000A_EDX,      /* of SVM */
    FEAT_C0000001_EDX,      /* of VIA */
    FEAT_WORD_COUNT,
} X86FeatureWord;

/* The leaf of a word that CPUID does not have. */
#define X86_LEAF_NONE 0x4fffffffu

/* A feature as a number: word * 32 + bit + 1 (0 means none). */
#define X86_FEATURE(word, bit) ((uint32_t)(word) * 32 + (bit) + 1)

typedef struct X86CPUIDConfig {
    uint32_t features[FEAT_WORD_COUNT]; /* in effect */
    char vendor[13];
    char model_id[49];
    uint32_t level, xlevel, xlevel2, family, model, stepping;
    uint32_t apic_id, nr_cores, nr_threads, nr_dies;
    uint32_t phys_bits, linear_bits;
    uint64_t xcr0_supported;
    bool l3_cache, topology_leaf; /* a shared third-level cache; leaf 0BH */
} X86CPUIDConfig;

bool x86_cpuid_is_intel(const X86CPUIDConfig *c);

static inline bool x86_cpuid_has(const X86CPUIDConfig *c, uint32_t feature)
{
    return !feature || (c->features[(feature - 1) / 32] >> ((feature - 1) % 32) & 1);
}

/* Leaf 1 EAX: family, model, stepping; also EDX at reset. */
uint32_t x86_cpuid_signature(const X86CPUIDConfig *config);

/* Answer CPUID as the guest of this CPU sees it, in its present state (OSXSAVE, APIC...). */
void x86_cpuid(CPUX86State *env, uint32_t leaf, uint32_t subleaf, uint32_t *eax, uint32_t *ebx,
               uint32_t *ecx, uint32_t *edx);

#endif
