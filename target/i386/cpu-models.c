/* SPDX-License-Identifier: MIT
 *
 * What the rows of the table of CPU models mean.
 */
#include "target/i386/cpu-models.h"
#include <cpuid.h>
#include <string.h>
#include "target/i386/features.h"

const X86CPUModel *x86_cpu_model_find(const char *name)
{
    for (size_t i = 0; i < x86_nr_cpu_models; i++) {
        if (strcmp(x86_cpu_models[i].name, name) == 0) {
            return &x86_cpu_models[i];
        }
    }
    return NULL;
}

void x86_cpu_model_features(const X86CPUModel *model, uint32_t ret[FEAT_WORD_COUNT])
{
    if (model->like) {
        x86_cpu_model_features(x86_cpu_model_find(model->like), ret);
    }
    x86_features_add_list(ret, model->features);
}

/* ---- the host ------------------------------------------------------------------------- */

static void host_vendor(char ret[13])
{
    uint32_t eax, r[3];

    __cpuid(0, eax, r[0], r[2], r[1]);
    memcpy(ret, r, 12);
    ret[12] = '\0';
}

static void host_model_id(char ret[49])
{
    uint32_t r[4];

    memset(ret, 0, 49);
    for (uint32_t i = 0; i < 3; i++) {
        if (__get_cpuid(0x80000002 + i, &r[0], &r[1], &r[2], &r[3])) {
            memcpy(ret + i * 16, r, 16);
        }
    }
}

static void host_signature(X86CPUIDConfig *c)
{
    uint32_t eax = 0, ebx, ecx, edx;

    __get_cpuid(1, &eax, &ebx, &ecx, &edx);
    c->family = (eax >> 8) & 15;
    c->model = ((eax >> 4) & 15) | ((eax >> 12) & 0xf0);
    c->stepping = eax & 15;
    if (c->family == 15) {
        c->family += (eax >> 20) & 0xff;
    }
}

void x86_cpu_model_apply(const X86CPUModel *model, X86CPUIDConfig *c)
{
    c->level = model->level;
    c->xlevel = model->xlevel;
    if (model->vendor) {
        g_strlcpy(c->vendor, model->vendor, sizeof(c->vendor));
        g_strlcpy(c->model_id, model->model_id, sizeof(c->model_id));
        c->family = model->family;
        c->model = model->model;
        c->stepping = model->stepping;
    } else {
        host_vendor(c->vendor);
        host_model_id(c->model_id);
        host_signature(c);
        if (strcmp(c->vendor, "AuthenticAMD") != 0) {
            c->xlevel = MIN(c->xlevel, 0x80000008);
        }
    }
    x86_cpu_model_features(model, c->features);
    c->l3_cache = c->topology_leaf = true;
    if (!model->maximal && !model->bare) {
        x86_features_add_list(c->features, "hypervisor");
    }
}
