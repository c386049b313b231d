/* SPDX-License-Identifier: MIT
 *
 * CPUID under KVM (KVM API, 4.19 and 4.46): what the kernel supports bounds the
 * features of the model, and the guest's leaves are what x86_cpuid() answers.
 */
#include "accel/kvm/kvm-internal.h"

#include <errno.h>
#include <linux/kvm_para.h>
#include <string.h>
#include "system/log.h"

#define MAX_ENTRIES 256

enum { EAX, EBX, ECX, EDX };

/* Where each feature word is. */
static const struct {
    uint32_t leaf, subleaf;
    uint8_t reg;
} words[FEAT_WORD_COUNT] = {
    [FEAT_1_EDX] = {1, 0, EDX},
    [FEAT_1_ECX] = {1, 0, ECX},
    [FEAT_7_0_EBX] = {7, 0, EBX},
    [FEAT_7_0_ECX] = {7, 0, ECX},
    [FEAT_7_0_EDX] = {7, 0, EDX},
    [FEAT_7_1_EAX] = {7, 1, EAX},
    [FEAT_D_1_EAX] = {0xd, 1, EAX},
    [FEAT_80000001_EDX] = {0x80000001, 0, EDX},
    [FEAT_80000001_ECX] = {0x80000001, 0, ECX},
    [FEAT_80000007_EDX] = {0x80000007, 0, EDX},
    [FEAT_80000008_EBX] = {0x80000008, 0, EBX},
    [FEAT_6_EAX] = {6, 0, EAX},
    [FEAT_KVM] = {KVM_CPUID_FEATURES, 0, EAX},
    [FEAT_ARCH_CAPABILITIES] = {X86_LEAF_NONE, 0, EAX},
    [FEAT_8000000A_EDX] = {X86_LEAF_NONE, 0, EAX}, /* never asked of KVM */
    [FEAT_C0000001_EDX] = {X86_LEAF_NONE, 0, EAX},
};

#define ECX_X2APIC       (1u << 21)
#define ECX_TSC_DEADLINE (1u << 24)
#define ECX_HYPERVISOR   (1u << 31)
#define EDX_HTT          (1u << 28)
#define EDX_ARCH_CAPS    (1u << 29)

/* Of KVM's paravirtual features, those whose state reset and stop take care of. */
#define KVM_FEATURES_KEPT                                                                          \
    (1u << KVM_FEATURE_CLOCKSOURCE | 1u << KVM_FEATURE_NOP_IO_DELAY |                              \
     1u << KVM_FEATURE_CLOCKSOURCE2 | 1u << KVM_FEATURE_CLOCKSOURCE_STABLE_BIT)

static struct kvm_cpuid2 *cpuid_buffer(unsigned n)
{
    struct kvm_cpuid2 *c = g_malloc0(sizeof(*c) + n * sizeof(struct kvm_cpuid_entry2));

    c->nent = n;
    return c;
}

static bool load_supported(KVMState *s, GError **error)
{
    int ret;

    s->supported_cpuid = cpuid_buffer(MAX_ENTRIES);
    ret = kvm_ioctl(s->fd, KVM_GET_SUPPORTED_CPUID, s->supported_cpuid);
    if (ret < 0) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "KVM_GET_SUPPORTED_CPUID: %s",
                    g_strerror(-ret));
    }
    return ret >= 0;
}

static bool load_msr_indices(KVMState *s, GError **error)
{
    struct kvm_msr_list probe = {0};
    int ret = kvm_ioctl(s->fd, KVM_GET_MSR_INDEX_LIST, &probe);

    if (ret < 0 && ret != -E2BIG) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "KVM_GET_MSR_INDEX_LIST: %s",
                    g_strerror(-ret));
        return false;
    }
    g_autofree struct kvm_msr_list *list =
        g_malloc0(sizeof(*list) + probe.nmsrs * sizeof(uint32_t));
    list->nmsrs = probe.nmsrs;
    ret = kvm_ioctl(s->fd, KVM_GET_MSR_INDEX_LIST, list);
    s->msr_indices = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_array_append_vals(s->msr_indices, list->indices, ret < 0 ? 0 : list->nmsrs);
    return true;
}

bool kvm_cpuid_init(KVMState *s, GError **error)
{
    return load_supported(s, error) && load_msr_indices(s, error);
}

/* ---- features ----------------------------------------------------------------------------- */

static uint32_t supported_register(const KVMState *s, uint32_t leaf, uint32_t subleaf, int reg)
{
    for (unsigned i = 0; i < s->supported_cpuid->nent; i++) {
        const struct kvm_cpuid_entry2 *e = &s->supported_cpuid->entries[i];
        if (e->function == leaf && e->index == subleaf) {
            const uint32_t regs[4] = {e->eax, e->ebx, e->ecx, e->edx};
            return regs[reg];
        }
    }
    return 0;
}

/* What KVM leaves to us to know (4.46): it depends on who has the interrupt controllers. */
static void supported_features(const KVMState *s, uint32_t ret[FEAT_WORD_COUNT])
{
    for (int i = 0; i < FEAT_WORD_COUNT; i++) {
        ret[i] = supported_register(s, words[i].leaf, words[i].subleaf, words[i].reg);
    }
    ret[FEAT_1_EDX] |= EDX_HTT;
    ret[FEAT_1_ECX] |= ECX_HYPERVISOR;
    ret[FEAT_1_ECX] &= ~(ECX_X2APIC | ECX_TSC_DEADLINE);
    if (s->irqchip != KVM_IRQCHIP_OFF) {
        ret[FEAT_1_ECX] |= ECX_X2APIC | (s->has_tsc_deadline ? ECX_TSC_DEADLINE : 0);
    }
    /* Its MSR would have to be given a value that holds for this host. */
    ret[FEAT_7_0_EDX] &= ~EDX_ARCH_CAPS;
    ret[FEAT_KVM] &= KVM_FEATURES_KEPT;
}

bool kvm_cpu_settle_features(CPUState *cpu, GError **error)
{
    KVMState *s = KVM_STATE(cpu->machine->accelerator);
    uint32_t supported[FEAT_WORD_COUNT];
    X86CPU *x86 = X86_CPU(cpu);

    supported_features(s, supported);
    if (x86->expose_kvm) {
        x86->cpuid.features[FEAT_KVM] |= supported[FEAT_KVM] & ~x86->user_off[FEAT_KVM];
    }
    return x86_cpu_settle_features(x86, "host", supported, supported, error);
}

/* ---- the guest's leaves --------------------------------------------------------------------- */

static void leaf_add(CPUState *cpu, struct kvm_cpuid2 *c, uint32_t leaf, uint32_t subleaf,
                     uint32_t flags)
{
    if (c->nent == MAX_ENTRIES) {
        return;
    }
    struct kvm_cpuid_entry2 *e = &c->entries[c->nent++];

    *e = (struct kvm_cpuid_entry2){.function = leaf, .index = subleaf, .flags = flags};
    x86_cpuid(cpu_env(cpu), leaf, subleaf, &e->eax, &e->ebx, &e->ecx, &e->edx);
}

/* How many subleaves matter to the guest; 0: the leaf has none. */
static uint32_t subleaves(uint32_t leaf)
{
    switch (leaf) {
    case 4:
    case 0x8000001d:
        return 5;
    case 7:
        return 2;
    case 0xb:
    case 0x1f:
        return 3;
    case 0xd:
        return 10;
    default:
        return 0;
    }
}

static void range_add(CPUState *cpu, struct kvm_cpuid2 *c, uint32_t first)
{
    uint32_t last, ebx, ecx, edx;

    x86_cpuid(cpu_env(cpu), first, 0, &last, &ebx, &ecx, &edx);
    if (last < first || last > first + 0xff) {
        last = first;
    }
    for (uint32_t leaf = first; leaf <= last; leaf++) {
        uint32_t n = subleaves(leaf);
        for (uint32_t sub = 0; sub < MAX(n, 1); sub++) {
            leaf_add(cpu, c, leaf, sub, n ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0);
        }
    }
}

/* 40000000h and 40000001h (Linux: Documentation/virt/kvm/x86/cpuid.rst). */
static void paravirtual_add(CPUState *cpu, struct kvm_cpuid2 *c)
{
    uint32_t features = X86_CPU(cpu)->cpuid.features[FEAT_KVM];
    struct kvm_cpuid_entry2 *e = &c->entries[c->nent];
    static const char signature[12] = "KVMKVMKVM";

    e[0] = (struct kvm_cpuid_entry2){.function = KVM_CPUID_SIGNATURE, .eax = KVM_CPUID_FEATURES};
    memcpy(&e[0].ebx, signature, 4);
    memcpy(&e[0].ecx, signature + 4, 4);
    memcpy(&e[0].edx, signature + 8, 4);
    e[1] = (struct kvm_cpuid_entry2){.function = KVM_CPUID_FEATURES, .eax = features};
    c->nent += 2;
}

bool kvm_vcpu_set_cpuid(CPUState *cpu, GError **error)
{
    g_autofree struct kvm_cpuid2 *c = cpuid_buffer(MAX_ENTRIES + 2);
    X86CPU *x86 = X86_CPU(cpu);
    int ret;

    c->nent = 0;
    range_add(cpu, c, 0);
    range_add(cpu, c, 0x80000000);
    if (x86->expose_kvm && x86->cpuid.features[FEAT_KVM]) {
        paravirtual_add(cpu, c);
    }
    ret = kvm_ioctl(kvm_vcpu(cpu)->fd, KVM_SET_CPUID2, c);
    if (ret < 0) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "KVM_SET_CPUID2: %s",
                    g_strerror(-ret));
    }
    return ret >= 0;
}
