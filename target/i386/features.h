/* SPDX-License-Identifier: MIT
 *
 * The one table of CPU features: CPUID bits, properties, `-cpu help`, documentation.
 */
#ifndef TARGET_I386_FEATURES_H
#define TARGET_I386_FEATURES_H

#include <glib.h>
#include "target/i386/cpuid.h"

/* What the translator needs for it. */
typedef enum X86FeatureTCG {
    TCG_NEVER,    /* not there under tcg */
    TCG_NATIVE,   /* instructions run as themselves: the host must have the bit */
    TCG_EMULATED, /* in C, or nothing to do */
    TCG_ON_REQUEST, /* emulated, but not part of "max" */
} X86FeatureTCG;

typedef struct X86FeatureInfo {
    const char *name;
    const char *alias; /* other spelling, or NULL */
    uint8_t word, bit;
    uint8_t tcg; /* X86FeatureTCG */
    const char *doc;
} X86FeatureInfo;

extern const X86FeatureInfo x86_features[];
extern const size_t x86_nr_features;

/* By name or alias, '_' counting as '-'; NULL: none. */
const X86FeatureInfo *x86_feature_find(const char *name);

/* CPUID leaf of a word, for messages ("CPUID.07H:EBX"). */
const char *x86_feature_word_name(X86FeatureWord word);
/* Where CPUID has it: the register is 0 to 3 for EAX, EBX, ECX, EDX.  False: it does not. */
bool x86_feature_word_place(X86FeatureWord word, uint32_t *ret_leaf, uint32_t *ret_subleaf,
                            unsigned *ret_reg);

/* The host's answer; zeros beyond its last leaf. */
void x86_host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t *eax, uint32_t *ebx, uint32_t *ecx,
                    uint32_t *edx);
/* The host's own bits. */
void x86_features_host(uint32_t ret[FEAT_WORD_COUNT]);
/* What the translator can give on this host: all of it, and what "max" has. */
void x86_features_tcg(uint32_t ret[FEAT_WORD_COUNT]);
void x86_features_tcg_max(uint32_t ret[FEAT_WORD_COUNT]);

/*
 * Set the bits that a space-separated list of names stands for, and clear those of "-name";
 * aborts on an unknown one.
 */
void x86_features_add_list(uint32_t features[FEAT_WORD_COUNT], const char *names);

/* Names of features that nothing here has, but command lines may speak of; g_strfreev(). */
char **x86_absent_features(void);

#endif
