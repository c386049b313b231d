/* SPDX-License-Identifier: MIT
 *
 * CPU models.  Families and models as in SDM vol. 4, table 2-1 and AMD's revision
 * guides; features as those processors report them in CPUID, without
 * TSX, which their microcode has since turned off.
 */
#include "target/i386/cpu-models.h"
#include <cpuid.h>
#include <string.h>
#include "target/i386/features.h"

#define INTEL "GenuineIntel"
#define AMD   "AuthenticAMD"
#define OURS  "Quoin Virtual CPU"

#define PENTIUM_PRO "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat"
#define X86_64_BASE PENTIUM_PRO " pse36 clflush mmx fxsr sse sse2 syscall nx lm"

const X86CPUModel x86_cpu_models[] = {
    {"max", NULL, "everything that the accelerator has on this host", NULL, NULL,
     .level = 0xd, .xlevel = 0x80000021, .features = "", .maximal = true},
    {"host", NULL, "this host's processor, as far as the accelerator has it", NULL, NULL,
     .level = 0xd, .xlevel = 0x80000021, .features = "", .maximal = true},
    {"qemu64", NULL, "a plain 64-bit processor", AMD, OURS, 15, 107, 1, 0xd, 0x8000000a,
     X86_64_BASE " pni cx16 lahf-lm"},
    {"qemu32", NULL, "a plain 32-bit processor", INTEL, OURS, 6, 6, 3, 4, 0x80000004,
     PENTIUM_PRO " mmx fxsr sse sse2 pni"},
    {"kvm64", NULL, "the least common 64-bit processor", INTEL, "Common 64-bit processor", 15, 6,
     1, 0xd, 0x80000008, X86_64_BASE " pni cx16"},
    {"486", NULL, "Intel 486 DX", INTEL, "Intel 486 DX", 4, 8, 0, 1, 0, "fpu vme pse"},
    {"pentium3", NULL, "Intel Pentium III", INTEL, "Intel Pentium III", 6, 8, 3, 3, 0,
     PENTIUM_PRO " pse36 mmx fxsr sse"},
    {"Nehalem", NULL, "Intel Core i7 9xx (2008)", INTEL, "Intel Core i7 9xx (Nehalem)", 6, 26, 3,
     11, 0x80000008, X86_64_BASE " pni ssse3 cx16 sse4.1 sse4.2 popcnt lahf-lm"},
    {"Westmere", "Nehalem", "Intel Xeon E56xx (2010)", INTEL, "Intel Xeon E56xx (Westmere)", 6, 44,
     1, 11, 0x80000008, "aes pclmulqdq arat"},
    {"Haswell", "Westmere", "Intel Core, 4th generation (2013), without TSX", INTEL,
     "Intel Core Processor (Haswell)", 6, 60, 4, 0xd, 0x80000008,
     "fma pcid x2apic movbe tsc-deadline xsave avx f16c rdrand fsgsbase bmi1 avx2 smep bmi2 erms "
     "invpcid xsaveopt rdtscp abm"},
    {"Skylake-Client", "Haswell", "Intel Core, 6th generation (2015), without TSX", INTEL,
     "Intel Core Processor (Skylake)", 6, 94, 3, 0xd, 0x80000008,
     "rdseed adx smap 3dnowprefetch xsavec xgetbv1"},
    {"Skylake-Server", "Skylake-Client", "Intel Xeon Scalable (2017), without TSX", INTEL,
     "Intel Xeon Processor (Skylake)", 6, 85, 4, 0xd, 0x80000008,
     "avx512f avx512dq avx512cd avx512bw avx512vl clwb clflushopt pdpe1gb pku"},
    {"Icelake-Server", "Skylake-Server", "Intel Xeon Scalable, 3rd generation (2021)", INTEL,
     "Intel Xeon Processor (Icelake)", 6, 134, 0, 0xd, 0x80000008,
     "avx512vbmi avx512vbmi2 avx512ifma avx512vnni avx512bitalg avx512-vpopcntdq gfni vaes "
     "vpclmulqdq umip sha-ni rdpid fsrm la57 wbnoinvd"},
    {"EPYC", NULL, "AMD EPYC, 1st generation (2017)", AMD, "AMD EPYC Processor", 23, 1, 2, 0xd,
     0x8000000a,
     X86_64_BASE " pni pclmulqdq ssse3 fma cx16 sse4.1 sse4.2 movbe popcnt aes xsave avx f16c "
                 "rdrand mmxext fxsr-opt pdpe1gb rdtscp lahf-lm cr8legacy abm sse4a misalignsse "
                 "3dnowprefetch fsgsbase bmi1 avx2 smep bmi2 rdseed adx smap clflushopt sha-ni "
                 "xsaveopt xsavec xgetbv1 arat"},
};
const size_t x86_nr_cpu_models = G_N_ELEMENTS(x86_cpu_models);

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
        if (strcmp(c->vendor, AMD) != 0) {
            c->xlevel = MIN(c->xlevel, 0x80000008);
        }
    }
    x86_cpu_model_features(model, c->features);
    if (!model->maximal) {
        x86_features_add_list(c->features, "hypervisor");
    }
}
