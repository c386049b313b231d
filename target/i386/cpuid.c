/* SPDX-License-Identifier: MIT
 *
 * The CPUID instruction.  SDM vol. 2, CPUID; AMD APM vol. 3, app. E.
 */
#include "target/i386/cpuid.h"
#include <string.h>
#include "target/i386/apic.h"
#include "target/i386/xsave.h"

typedef struct CPUIDResult {
    uint32_t eax, ebx, ecx, edx;
} CPUIDResult;

#define FEAT_HT    (1u << 28)
#define FEAT_APIC  (1u << 9)
#define FEAT_XSAVE (1u << 26)
#define FEAT_OSXSAVE (1u << 27)
#define FEAT_OSPKE (1u << 4)
#define FEAT_CMP_LEGACY (1u << 1)

bool x86_cpuid_is_intel(const X86CPUIDConfig *c)
{
    return strcmp(c->vendor, "GenuineIntel") == 0;
}

static uint32_t text_word(const char *text, unsigned offset)
{
    uint32_t word;

    memcpy(&word, text + offset, 4);
    return word;
}

/* Logical processors in a package. */
static uint32_t package_threads(const X86CPUIDConfig *c)
{
    return MAX(c->nr_cores, 1) * MAX(c->nr_threads, 1) * MAX(c->nr_dies, 1);
}

static unsigned bits_for(uint32_t count)
{
    return count > 1 ? 32 - __builtin_clz(count - 1) : 0;
}

/* Shifts of the x2APIC ID to the next level of topology. */
static unsigned thread_bits(const X86CPUIDConfig *c)
{
    return bits_for(c->nr_threads);
}

static unsigned die_bits(const X86CPUIDConfig *c)
{
    return thread_bits(c) + bits_for(c->nr_cores);
}

static unsigned package_bits(const X86CPUIDConfig *c)
{
    return die_bits(c) + bits_for(c->nr_dies);
}

uint32_t x86_cpuid_signature(const X86CPUIDConfig *c)
{
    uint32_t base = MIN(c->family, 15), extended = c->family - base;

    return extended << 20 | (c->model >> 4 & 15) << 16 | base << 8 | (c->model & 15) << 4 |
           (c->stepping & 15);
}

/* ---- basic leaves ---------------------------------------------------------------------- */

static bool apic_enabled(CPUX86State *env)
{
    Object *apic = env_archcpu(env)->apic;

    return !apic || (X86_APIC_GET_CLASS(apic)->get_base(X86_APIC(apic)) & APIC_BASE_ENABLE);
}

static void leaf_vendor(const X86CPUIDConfig *c, uint32_t level, CPUIDResult *r)
{
    *r = (CPUIDResult){level, text_word(c->vendor, 0), text_word(c->vendor, 8),
                       text_word(c->vendor, 4)};
}

static void leaf_1(CPUX86State *env, const X86CPUIDConfig *c, CPUIDResult *r)
{
    uint32_t threads = package_threads(c);

    r->eax = x86_cpuid_signature(c);
    r->ebx = (c->apic_id & 0xff) << 24 | 8 << 8;
    r->ecx = c->features[FEAT_1_ECX];
    r->edx = c->features[FEAT_1_EDX];
    if ((r->ecx & FEAT_XSAVE) && (env->cr4 & CR4_OSXSAVE)) {
        r->ecx |= FEAT_OSXSAVE;
    }
    if (threads > 1) {
        r->ebx |= MIN(threads, 255) << 16;
        r->edx |= FEAT_HT;
    }
    if ((r->edx & FEAT_APIC) && !apic_enabled(env)) {
        r->edx &= ~FEAT_APIC;
    }
}

/* Caches of the processor we pretend to be: sizes that suit what runs on many hosts. */
static const struct {
    uint8_t type, level; /* 1 data, 2 instruction, 3 unified */
    uint16_t ways;
    uint32_t sets;
    bool shared;
} caches[] = {
    {1, 1, 8, 64, false},      /* 32 KiB */
    {2, 1, 8, 64, false},      /* 32 KiB */
    {3, 2, 8, 1024, false},    /* 512 KiB */
    {3, 3, 16, 16384, true},   /* 16 MiB */
};

/* Deterministic cache parameters: Intel's leaf 4, AMD's 8000001d. */
static void leaf_cache(const X86CPUIDConfig *c, uint32_t index, bool amd, CPUIDResult *r)
{
    uint32_t sharing, cores;

    if (index >= G_N_ELEMENTS(caches) || (caches[index].shared && !c->l3_cache)) {
        return;
    }
    sharing = caches[index].shared ? 1u << package_bits(c) : 1u << thread_bits(c);
    cores = 1u << (package_bits(c) - thread_bits(c));
    r->eax = caches[index].type | caches[index].level << 5 | 1 << 8 | (sharing - 1) << 14;
    r->eax |= amd ? 0 : (cores - 1) << 26;
    r->ebx = 63 | (caches[index].ways - 1u) << 22;
    r->ecx = caches[index].sets - 1;
}

static void leaf_7(CPUX86State *env, const X86CPUIDConfig *c, uint32_t sub, CPUIDResult *r)
{
    if (sub == 0) {
        r->eax = c->features[FEAT_7_1_EAX] ? 1 : 0;
        r->ebx = c->features[FEAT_7_0_EBX];
        r->ecx = c->features[FEAT_7_0_ECX] | (env->cr4 & CR4_PKE ? FEAT_OSPKE : 0);
        r->edx = c->features[FEAT_7_0_EDX];
    } else if (sub == 1) {
        r->eax = c->features[FEAT_7_1_EAX];
    }
}

enum { LEVEL_INVALID, LEVEL_THREAD, LEVEL_CORE, LEVEL_DIE = 5 };

/* 0BH knows threads and cores; 1FH, there if a socket has several dies, knows these too. */
static void leaf_topology(const X86CPUIDConfig *c, uint32_t sub, bool dies, CPUIDResult *r)
{
    uint32_t type = LEVEL_INVALID;

    if (sub == 0) {
        r->eax = thread_bits(c);
        r->ebx = MAX(c->nr_threads, 1);
        type = LEVEL_THREAD;
    } else if (sub == 1) {
        r->eax = dies ? die_bits(c) : package_bits(c);
        r->ebx = dies ? package_threads(c) / MAX(c->nr_dies, 1) : package_threads(c);
        type = LEVEL_CORE;
    } else if (sub == 2 && dies) {
        r->eax = package_bits(c);
        r->ebx = package_threads(c);
        type = LEVEL_DIE;
    }
    r->ecx = (sub & 0xff) | type << 8;
    r->edx = c->apic_id;
}

static void leaf_xsave(CPUX86State *env, const X86CPUIDConfig *c, uint32_t sub, CPUIDResult *r)
{
    if (!c->xcr0_supported) {
        return;
    }
    if (sub == 0) {
        r->eax = c->xcr0_supported;
        r->edx = c->xcr0_supported >> 32;
        r->ebx = x86_xsave_size(env->xcr0);
        r->ecx = x86_xsave_size(c->xcr0_supported);
    } else if (sub == 1) {
        r->eax = c->features[FEAT_D_1_EAX];
        r->ebx = x86_xsave_compacted_size(env->xcr0 | env->xss);
    } else if (sub < XSTATE_COMPONENTS && (c->xcr0_supported >> sub & 1)) {
        r->eax = x86_xsave_component_size(sub);
        r->ebx = x86_xsave_component_offset(sub);
        r->ecx = x86_xsave_component_aligned(sub) ? 2 : 0;
    }
}

static void basic_leaf(CPUX86State *env, const X86CPUIDConfig *c, uint32_t leaf, uint32_t sub,
                       CPUIDResult *r)
{
    switch (leaf) {
    case 0:
        leaf_vendor(c, c->level, r);
        break;
    case 1:
        leaf_1(env, c, r);
        break;
    case 2: /* "see leaf 4", or 32 KiB of data, 32 KiB of instructions, 512 KiB of second level */
        if (x86_cpuid_is_intel(c)) {
            r->eax = 0x01;
            r->ebx = c->level >= 4 ? 0xff : 0x862c30;
        }
        break;
    case 4:
        if (x86_cpuid_is_intel(c)) {
            leaf_cache(c, sub, false, r);
        }
        break;
    case 5: /* monitor lines of 64 bytes; mwait takes extensions, has no C-states */
        if (x86_cpuid_has(c, X86_FEATURE(FEAT_1_ECX, 3))) {
            *r = (CPUIDResult){64, 64, 3, 0};
        }
        break;
    case 6:
        r->eax = c->features[FEAT_6_EAX];
        break;
    case 7:
        leaf_7(env, c, sub, r);
        break;
    case 0xb:
        if (c->topology_leaf) {
            leaf_topology(c, sub, false, r);
        }
        break;
    case 0x1f:
        if (c->nr_dies > 1) {
            leaf_topology(c, sub, true, r);
        }
        break;
    case 0xd:
        leaf_xsave(env, c, sub, r);
        break;
    }
}

/* ---- extended leaves ---------------------------------------------------------------------- */

static void leaf_80000001(const X86CPUIDConfig *c, CPUIDResult *r)
{
    /* AMD repeats the bits of leaf 1 that it had first. */
    const uint32_t repeated = 0x0183f3ff;

    r->eax = x86_cpuid_signature(c);
    r->ecx = c->features[FEAT_80000001_ECX];
    r->edx = c->features[FEAT_80000001_EDX];
    if (!x86_cpuid_is_intel(c)) {
        r->edx |= c->features[FEAT_1_EDX] & repeated;
        r->ecx |= package_threads(c) > 1 ? FEAT_CMP_LEGACY : 0;
    }
}

static void leaf_80000008(const X86CPUIDConfig *c, CPUIDResult *r)
{
    r->eax = c->phys_bits | c->linear_bits << 8;
    r->ebx = c->features[FEAT_80000008_EBX];
    if (!x86_cpuid_is_intel(c) && package_threads(c) > 1) {
        r->ecx = (package_threads(c) - 1) | package_bits(c) << 12;
    }
}

static void leaf_8000001e(const X86CPUIDConfig *c, CPUIDResult *r)
{
    r->eax = c->apic_id;
    r->ebx = (MAX(c->nr_threads, 1) - 1) << 8 |
             ((c->apic_id >> thread_bits(c)) & ((1u << bits_for(c->nr_cores)) - 1));
    r->ecx = c->apic_id >> package_bits(c);
}

static void extended_leaf(const X86CPUIDConfig *c, uint32_t leaf, uint32_t sub, CPUIDResult *r)
{
    bool topoext = x86_cpuid_has(c, X86_FEATURE(FEAT_80000001_ECX, 22));

    switch (leaf) {
    case 0x80000000:
        leaf_vendor(c, c->xlevel, r);
        break;
    case 0x80000001:
        leaf_80000001(c, r);
        break;
    case 0x80000002:
    case 0x80000003:
    case 0x80000004: {
        unsigned at = (leaf - 0x80000002) * 16;

        *r = (CPUIDResult){text_word(c->model_id, at), text_word(c->model_id, at + 4),
                           text_word(c->model_id, at + 8), text_word(c->model_id, at + 12)};
        break;
    }
    case 0x80000005: /* AMD: L1 TLBs and caches, 32 KiB 8-way each */
        if (!x86_cpuid_is_intel(c)) {
            *r = (CPUIDResult){0xff40ff40, 0xff40ff40, 0x20080140, 0x20080140};
        }
        break;
    case 0x80000006: /* L2: 512 KiB 8-way; AMD: L2 TLBs, L3 16 MiB 16-way */
        r->ecx = 0x02006140;
        if (!x86_cpuid_is_intel(c)) {
            *r = (CPUIDResult){0x48002200, 0x68004200, 0x02006140,
                                c->l3_cache ? 0x00808140 : 0};
        }
        break;
    case 0x80000007:
        r->edx = c->features[FEAT_80000007_EDX];
        break;
    case 0x80000008:
        leaf_80000008(c, r);
        break;
    case 0x8000001d:
        if (topoext) {
            leaf_cache(c, sub, true, r);
        }
        break;
    case 0x8000001e:
        if (topoext) {
            leaf_8000001e(c, r);
        }
        break;
    case 0x80000021: /* lfence serializes; a null selector clears the base */
        r->eax = 1u << 2 | 1u << 6;
        break;
    }
}

/* ---- the instruction ------------------------------------------------------------------------ */

static void hypervisor_leaf(uint32_t leaf, CPUIDResult *r)
{
    static const char signature[13] = "QuoinQuoinVM";

    if (leaf == 0x40000000) {
        *r = (CPUIDResult){0x40000000, text_word(signature, 0), text_word(signature, 4),
                           text_word(signature, 8)};
    }
}

void x86_cpuid(CPUX86State *env, uint32_t leaf, uint32_t subleaf, uint32_t *eax, uint32_t *ebx,
               uint32_t *ecx, uint32_t *edx)
{
    const X86CPUIDConfig *c = &env_archcpu(env)->cpuid;
    bool hypervisor = x86_cpuid_has(c, X86_FEATURE(FEAT_1_ECX, 31));
    CPUIDResult r = {0};

    if (leaf >= 0x40000000 && leaf < 0x40000100 && hypervisor) {
        hypervisor_leaf(leaf, &r);
    } else if (leaf >= 0x80000000 && leaf <= c->xlevel) {
        extended_leaf(c, leaf, subleaf, &r);
    } else if (leaf <= c->level) {
        basic_leaf(env, c, leaf, subleaf, &r);
    } else if (x86_cpuid_is_intel(c)) {
        /* Beyond the last: Intel answers with the last basic leaf, AMD with zeros. */
        basic_leaf(env, c, c->level, subleaf, &r);
    }
    *eax = r.eax;
    *ebx = r.ebx;
    *ecx = r.ecx;
    *edx = r.edx;
}
