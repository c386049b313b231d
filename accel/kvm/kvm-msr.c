/* SPDX-License-Identifier: MIT
 *
 * Model-specific registers between env and KVM (KVM API, 4.18; SDM vol. 4).
 */
#include "accel/kvm/kvm-internal.h"

#include <string.h>
#include "system/log.h"

#define MSR_FIELD(f) offsetof(CPUX86State, f)

typedef struct KVMMsr {
    uint32_t index;
    size_t field;    /* of a uint64_t in env */
    bool reset_only; /* written at reset alone: it counts, or acts when written */
    const char *name;
} KVMMsr;

static const KVMMsr msrs[] = {
    {0x00000174, MSR_FIELD(sysenter_cs),      false, "IA32_SYSENTER_CS"    },
    {0x00000175, MSR_FIELD(sysenter_esp),     false, "IA32_SYSENTER_ESP"   },
    {0x00000176, MSR_FIELD(sysenter_eip),     false, "IA32_SYSENTER_EIP"   },
    {0x00000277, MSR_FIELD(pat),              false, "IA32_PAT"            },
    {0xc0000081, MSR_FIELD(star),             false, "IA32_STAR"           },
    {0xc0000082, MSR_FIELD(lstar),            false, "IA32_LSTAR"          },
    {0xc0000083, MSR_FIELD(cstar),            false, "IA32_CSTAR"          },
    {0xc0000084, MSR_FIELD(fmask),            false, "IA32_FMASK"          },
    {0xc0000102, MSR_FIELD(kernelgsbase),     false, "IA32_KERNEL_GS_BASE" },
    {0xc0000103, MSR_FIELD(tsc_aux),          false, "IA32_TSC_AUX"        },
    {0x0000003b, MSR_FIELD(tsc_adjust),       true,  "IA32_TSC_ADJUST"     },
    {0x000006e0, MSR_FIELD(tsc_deadline),     true,  "IA32_TSC_DEADLINE"   },
    {0x000001a0, MSR_FIELD(misc_enable),      false, "IA32_MISC_ENABLE"    },
    {0x00000048, MSR_FIELD(spec_ctrl),        false, "IA32_SPEC_CTRL"      },
    {0x0000009e, MSR_FIELD(smbase),           false, "IA32_SMBASE"         },
    {0x00000034, MSR_FIELD(smi_count),        true,  "IA32_SMI_COUNT"      },
    {0x00000da0, MSR_FIELD(xss),              false, "IA32_XSS"            },
    {0x000001d9, MSR_FIELD(debugctl),         false, "IA32_DEBUGCTL"       },
    {0x000002ff, MSR_FIELD(mtrr_deftype),     false, "IA32_MTRR_DEF_TYPE"  },
    {0x4b564d00, MSR_FIELD(hv_or_kvm_msrs[0]), true, "KVM_WALL_CLOCK_NEW"  },
    {0x4b564d01, MSR_FIELD(hv_or_kvm_msrs[1]), true, "KVM_SYSTEM_TIME_NEW" },
    {0x4b564d02, MSR_FIELD(hv_or_kvm_msrs[2]), true, "KVM_ASYNC_PF_EN"     },
    {0x4b564d03, MSR_FIELD(hv_or_kvm_msrs[3]), true, "KVM_STEAL_TIME"      },
    {0x4b564d04, MSR_FIELD(hv_or_kvm_msrs[4]), true, "KVM_EOI_EN"          },
};

static const uint32_t fixed_mtrrs[11] = {0x250, 0x258, 0x259, 0x268, 0x269, 0x26a,
                                         0x26b, 0x26c, 0x26d, 0x26e, 0x26f};

/* struct kvm_msrs with room. */
typedef struct KVMMsrBuffer {
    uint32_t nmsrs, pad;
    struct kvm_msr_entry entries[64];
} KVMMsrBuffer;
G_STATIC_ASSERT(offsetof(KVMMsrBuffer, entries) == sizeof(struct kvm_msrs));

static bool kvm_has_msr(const KVMState *s, uint32_t index)
{
    for (guint i = 0; i < s->msr_indices->len; i++) {
        if (g_array_index(s->msr_indices, uint32_t, i) == index) {
            return true;
        }
    }
    return false;
}

/* MTRRs are not in KVM's list, yet all there. */
static bool usable(CPUState *cpu, const KVMMsr *m, bool put, bool reset)
{
    if (m->reset_only && put && !reset) {
        return false;
    }
    return m->index == 0x2ff || m->index == 0x277 || kvm_has_msr(kvm_vcpu(cpu)->state, m->index);
}

static void buffer_add(KVMMsrBuffer *b, uint32_t index, uint64_t data)
{
    b->entries[b->nmsrs++] = (struct kvm_msr_entry){.index = index, .data = data};
}

static void buffer_add_mtrrs(KVMMsrBuffer *b, const CPUX86State *env)
{
    for (size_t i = 0; i < G_N_ELEMENTS(fixed_mtrrs); i++) {
        buffer_add(b, fixed_mtrrs[i], env->mtrr_fixed[i]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(env->mtrr_var); i++) {
        buffer_add(b, 0x200 + 2 * i, env->mtrr_var[i].base);
        buffer_add(b, 0x201 + 2 * i, env->mtrr_var[i].mask);
    }
}

static uint64_t *msr_field(CPUX86State *env, const KVMMsr *m)
{
    return (uint64_t *)((char *)env + m->field);
}

/* KVM stops at one that it does not take: say which, go on behind it. */
static int set_all(int fd, KVMMsrBuffer *b)
{
    while (b->nmsrs) {
        unsigned n = b->nmsrs;
        int done = kvm_ioctl(fd, KVM_SET_MSRS, b);

        if (done < 0) {
            return done;
        }
        if ((unsigned)done >= n) {
            break;
        }
        log_if(LOG_ACCEL, "kvm: MSR %#x does not take %#" G_GINT64_MODIFIER "x\n",
               b->entries[done].index, (uint64_t)b->entries[done].data);
        b->nmsrs = n - done - 1;
        memmove(b->entries, b->entries + done + 1, b->nmsrs * sizeof(b->entries[0]));
    }
    return 0;
}

bool kvm_put_msrs(CPUState *cpu, bool reset, GError **error)
{
    CPUX86State *env = cpu_env(cpu);
    KVMMsrBuffer b = {0};
    int ret;

    for (size_t i = 0; i < G_N_ELEMENTS(msrs); i++) {
        if (usable(cpu, &msrs[i], true, reset)) {
            buffer_add(&b, msrs[i].index, *msr_field(env, &msrs[i]));
        }
    }
    if (reset) {
        buffer_add(&b, 0x10, 0); /* IA32_TSC: KVM holds those that are set to 0 in step */
    }
    buffer_add_mtrrs(&b, env);
    ret = set_all(kvm_vcpu(cpu)->fd, &b);
    if (ret < 0) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "KVM_SET_MSRS: %s",
                    g_strerror(-ret));
    }
    return ret >= 0;
}

static void store_msr(CPUX86State *env, const struct kvm_msr_entry *e)
{
    for (size_t i = 0; i < G_N_ELEMENTS(msrs); i++) {
        if (msrs[i].index == e->index) {
            *msr_field(env, &msrs[i]) = e->data;
            return;
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(fixed_mtrrs); i++) {
        if (fixed_mtrrs[i] == e->index) {
            env->mtrr_fixed[i] = e->data;
            return;
        }
    }
    if (e->index >= 0x200 && e->index < 0x200 + 2 * G_N_ELEMENTS(env->mtrr_var)) {
        X86MTRR *m = &env->mtrr_var[(e->index - 0x200) / 2];
        *(e->index & 1 ? &m->mask : &m->base) = e->data;
    }
}

/* One that cannot be read ends KVM's work; what follows it is asked for again. */
bool kvm_get_msrs(CPUState *cpu, GError **error)
{
    CPUX86State *env = cpu_env(cpu);
    KVMMsrBuffer b = {0};

    for (size_t i = 0; i < G_N_ELEMENTS(msrs); i++) {
        if (usable(cpu, &msrs[i], false, false)) {
            buffer_add(&b, msrs[i].index, 0);
        }
    }
    buffer_add_mtrrs(&b, env);
    while (b.nmsrs) {
        unsigned n = b.nmsrs;
        int done = kvm_ioctl(kvm_vcpu(cpu)->fd, KVM_GET_MSRS, &b);

        if (done < 0) {
            g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "KVM_GET_MSRS: %s",
                        g_strerror(-done));
            return false;
        }
        for (int i = 0; i < done; i++) {
            store_msr(env, &b.entries[i]);
        }
        unsigned skip = MIN((unsigned)done + 1, n);
        b.nmsrs = n - skip;
        memmove(b.entries, b.entries + skip, b.nmsrs * sizeof(b.entries[0]));
    }
    return true;
}
