/* SPDX-License-Identifier: MIT
 *
 * CPU models: what -cpu NAME stands for.
 */
#ifndef TARGET_I386_CPU_MODELS_H
#define TARGET_I386_CPU_MODELS_H

#include "target/i386/cpu.h"

struct X86CPUModel {
    const char *name;
    const char *like; /* begins with the features of that model */
    const char *note; /* what sets this version apart, or NULL */
    const char *vendor, *model_id; /* NULL: the host's */
    uint32_t family, model, stepping, level, xlevel;
    const char *features; /* names, beyond those of `like`; "-name": without */
    bool maximal; /* all that the accelerator has */
    bool bare;    /* no feature unasked */
};

typedef struct X86CPUAlias {
    const char *name, *model;
} X86CPUAlias;

extern const X86CPUAlias x86_cpu_aliases[];
extern const size_t x86_nr_cpu_aliases;

extern const X86CPUModel x86_cpu_models[];
extern const size_t x86_nr_cpu_models;

const X86CPUModel *x86_cpu_model_find(const char *name);
void x86_cpu_model_features(const X86CPUModel *model, uint32_t ret[FEAT_WORD_COUNT]);
/* Fill the configuration of a fresh CPU. */
void x86_cpu_model_apply(const X86CPUModel *model, X86CPUIDConfig *config);

#endif
