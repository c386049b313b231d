/* SPDX-License-Identifier: MIT
 *
 * Registers between env and KVM (KVM API, 4.11 to 4.14, 4.31, 4.38, 4.42 to 4.45).
 * Each group has a get and a put; the table at the end runs them.
 */
#include "accel/kvm/kvm-internal.h"

#include <string.h>
#include "target/i386/xsave.h"

/* ---- general registers -------------------------------------------------------------------- */

/* kvm_regs has rsi and rdi ahead of rsp and rbp. */
static const uint8_t regs_order[8] = {R_EAX, R_EBX, R_ECX, R_EDX, R_ESI, R_EDI, R_ESP, R_EBP};

static int get_regs(CPUState *cpu, CPUX86State *env)
{
    struct kvm_regs r;
    const __u64 *words = &r.rax;
    int ret = kvm_ioctl(kvm_vcpu(cpu)->fd, KVM_GET_REGS, &r);

    for (int i = 0; ret >= 0 && i < 16; i++) {
        env->regs[i < 8 ? regs_order[i] : i] = words[i];
    }
    if (ret >= 0) {
        env->rip = r.rip;
        env->rflags = r.rflags;
    }
    return ret;
}

static int put_regs(CPUState *cpu, CPUX86State *env)
{
    struct kvm_regs r = {.rip = env->rip, .rflags = env->rflags};
    __u64 *words = &r.rax;

    for (int i = 0; i < 16; i++) {
        words[i] = env->regs[i < 8 ? regs_order[i] : i];
    }
    return kvm_ioctl(kvm_vcpu(cpu)->fd, KVM_SET_REGS, &r);
}

/* ---- segments and control registers --------------------------------------------------------- */

static SegmentCache segment_from_kvm(const struct kvm_segment *k)
{
    return (SegmentCache){
        .selector = k->selector,
        .base = k->base,
        .limit = k->limit,
        .flags = (uint32_t)k->type << DESC_TYPE_SHIFT | (k->s ? DESC_S_MASK : 0) |
                 (uint32_t)k->dpl << DESC_DPL_SHIFT | (k->present ? DESC_P_MASK : 0) |
                 (k->avl ? DESC_AVL_MASK : 0) | (k->l ? DESC_L_MASK : 0) |
                 (k->db ? DESC_B_MASK : 0) | (k->g ? DESC_G_MASK : 0) |
                 (k->unusable ? DESC_UNUSABLE : 0),
    };
}

static struct kvm_segment segment_to_kvm(const SegmentCache *s)
{
    bool unusable = (s->flags & DESC_UNUSABLE) || !(s->flags & DESC_P_MASK);

    return (struct kvm_segment){
        .selector = s->selector,
        .base = s->base,
        .limit = s->limit,
        .type = s->flags >> DESC_TYPE_SHIFT & 15,
        .s = !!(s->flags & DESC_S_MASK),
        .dpl = s->flags >> DESC_DPL_SHIFT & 3,
        .present = !unusable,
        .avl = !!(s->flags & DESC_AVL_MASK),
        .l = !!(s->flags & DESC_L_MASK),
        .db = !!(s->flags & DESC_B_MASK),
        .g = !!(s->flags & DESC_G_MASK),
        .unusable = unusable,
    };
}

/* Real and virtual-8086 mode: what VM entry wants to see (SDM vol. 3, 26.3.1.2). */
static struct kvm_segment segment_vm86(const SegmentCache *s)
{
    return (struct kvm_segment){
        .selector = s->selector, .base = s->base, .limit = s->limit,
        .type = 3, .s = 1, .dpl = 3, .present = 1,
    };
}

static struct kvm_segment *sregs_segment(struct kvm_sregs *k, int i)
{
    struct kvm_segment *const all[] = {[R_ES] = &k->es, [R_CS] = &k->cs, [R_SS] = &k->ss,
                                       [R_DS] = &k->ds, [R_FS] = &k->fs, [R_GS] = &k->gs};

    return all[i];
}

static void sregs_to_env(const struct kvm_sregs *k, CPUX86State *env)
{
    for (int i = 0; i < R_SEG_COUNT; i++) {
        env->segs[i] = segment_from_kvm(sregs_segment((struct kvm_sregs *)k, i));
    }
    env->tr = segment_from_kvm(&k->tr);
    env->ldt = segment_from_kvm(&k->ldt);
    env->gdt = (DescriptorTable){k->gdt.base, k->gdt.limit};
    env->idt = (DescriptorTable){k->idt.base, k->idt.limit};
    env->cr0 = k->cr0;
    env->cr2 = k->cr2;
    env->cr3 = k->cr3;
    env->cr4 = k->cr4;
    env->cr8 = k->cr8;
    env->efer = k->efer;
    env->apic_base = k->apic_base;
}

static int get_sregs(CPUState *cpu, CPUX86State *env)
{
    struct kvm_sregs k;
    int ret = kvm_ioctl(kvm_vcpu(cpu)->fd, KVM_GET_SREGS, &k);

    if (ret >= 0) {
        sregs_to_env(&k, env);
    }
    return ret;
}

/* The pending interrupt and the APIC's registers are not env's: they stay as KVM has them. */
static int put_sregs(CPUState *cpu, CPUX86State *env)
{
    int fd = kvm_vcpu(cpu)->fd;
    bool v86 = env->rflags & VM_MASK;
    struct kvm_sregs k;
    int ret = kvm_ioctl(fd, KVM_GET_SREGS, &k);

    if (ret < 0) {
        return ret;
    }
    for (int i = 0; i < R_SEG_COUNT; i++) {
        *sregs_segment(&k, i) = v86 ? segment_vm86(&env->segs[i]) : segment_to_kvm(&env->segs[i]);
    }
    k.tr = segment_to_kvm(&env->tr);
    k.ldt = segment_to_kvm(&env->ldt);
    k.gdt = (struct kvm_dtable){.base = env->gdt.base, .limit = env->gdt.limit};
    k.idt = (struct kvm_dtable){.base = env->idt.base, .limit = env->idt.limit};
    k.cr0 = env->cr0;
    k.cr2 = env->cr2;
    k.cr3 = env->cr3;
    k.cr4 = env->cr4;
    k.cr8 = env->cr8;
    k.efer = env->efer;
    return kvm_ioctl(fd, KVM_SET_SREGS, &k);
}

/* ---- x87, SSE and up --------------------------------------------------------------------------- */

static int get_xsave(CPUState *cpu, CPUX86State *env)
{
    struct kvm_xsave area;
    int ret = kvm_ioctl(kvm_vcpu(cpu)->fd, KVM_GET_XSAVE, &area);

    if (ret >= 0) {
        memcpy(env->xsave, &area, MIN(sizeof(area), sizeof(env->xsave)));
    }
    return ret;
}

static int put_xsave(CPUState *cpu, CPUX86State *env)
{
    struct kvm_xsave area = {0};
    X86XSaveHeader *header = (X86XSaveHeader *)((uint8_t *)&area + 512);

    memcpy(&area, env->xsave, MIN(sizeof(area), sizeof(env->xsave)));
    header->xcomp_bv = 0;
    return kvm_ioctl(kvm_vcpu(cpu)->fd, KVM_SET_XSAVE, &area);
}

static int get_xcrs(CPUState *cpu, CPUX86State *env)
{
    struct kvm_xcrs x = {0};
    int ret;

    if (!kvm_vcpu(cpu)->state->has_xcrs) {
        return 0;
    }
    ret = kvm_ioctl(kvm_vcpu(cpu)->fd, KVM_GET_XCRS, &x);
    for (unsigned i = 0; ret >= 0 && i < x.nr_xcrs; i++) {
        if (x.xcrs[i].xcr == 0) {
            env->xcr0 = x.xcrs[i].value;
        }
    }
    return ret;
}

static int put_xcrs(CPUState *cpu, CPUX86State *env)
{
    struct kvm_xcrs x = {.nr_xcrs = 1, .xcrs = {{.xcr = 0, .value = env->xcr0}}};
    X86CPU *x86 = X86_CPU(cpu);

    if (!kvm_vcpu(cpu)->state->has_xcrs || !x86->cpuid.xcr0_supported) {
        return 0;
    }
    return kvm_ioctl(kvm_vcpu(cpu)->fd, KVM_SET_XCRS, &x);
}

/* ---- debug registers, events, the run state ------------------------------------------------------ */

static int get_debugregs(CPUState *cpu, CPUX86State *env)
{
    struct kvm_debugregs d;
    int ret;

    if (!kvm_vcpu(cpu)->state->has_debugregs) {
        return 0;
    }
    ret = kvm_ioctl(kvm_vcpu(cpu)->fd, KVM_GET_DEBUGREGS, &d);
    if (ret >= 0) {
        for (int i = 0; i < 4; i++) {
            env->dr[i] = d.db[i];
        }
        env->dr[6] = d.dr6;
        env->dr[7] = d.dr7;
    }
    return ret;
}

static int put_debugregs(CPUState *cpu, CPUX86State *env)
{
    struct kvm_debugregs d = {.db = {env->dr[0], env->dr[1], env->dr[2], env->dr[3]},
                              .dr6 = env->dr[6], .dr7 = env->dr[7]};

    if (!kvm_vcpu(cpu)->state->has_debugregs) {
        return 0;
    }
    return kvm_ioctl(kvm_vcpu(cpu)->fd, KVM_SET_DEBUGREGS, &d);
}

static int get_events(CPUState *cpu, CPUX86State *env)
{
    struct kvm_vcpu_events e;
    int ret = kvm_ioctl(kvm_vcpu(cpu)->fd, KVM_GET_VCPU_EVENTS, &e);

    if (ret >= 0) {
        env->shadow = (e.interrupt.shadow & KVM_X86_SHADOW_INT_STI ? X86_SHADOW_STI : 0) |
                      (e.interrupt.shadow & KVM_X86_SHADOW_INT_MOV_SS ? X86_SHADOW_MOVSS : 0);
        env->nmi_blocked = e.nmi.masked;
        env->smm = (e.flags & KVM_VCPUEVENT_VALID_SMM) && e.smi.smm;
        env->smm_nmi_blocked = env->smm && e.smi.smm_inside_nmi;
    }
    return ret;
}

/* What is in delivery is KVM's own; a reset drops it. */
static int put_events(CPUState *cpu, CPUX86State *env, bool reset)
{
    struct kvm_vcpu_events e = {0};
    int ret = reset ? 0 : kvm_ioctl(kvm_vcpu(cpu)->fd, KVM_GET_VCPU_EVENTS, &e);

    if (ret < 0) {
        return ret;
    }
    e.flags = KVM_VCPUEVENT_VALID_SHADOW | (reset ? KVM_VCPUEVENT_VALID_NMI_PENDING : 0);
    e.interrupt.shadow = (env->shadow & X86_SHADOW_STI ? KVM_X86_SHADOW_INT_STI : 0) |
                         (env->shadow & X86_SHADOW_MOVSS ? KVM_X86_SHADOW_INT_MOV_SS : 0);
    e.nmi.masked = env->nmi_blocked;
    if (kvm_vcpu(cpu)->state->has_smm) {
        e.flags |= KVM_VCPUEVENT_VALID_SMM;
        e.smi.smm = env->smm;
        e.smi.smm_inside_nmi = env->smm && env->smm_nmi_blocked;
    }
    return kvm_ioctl(kvm_vcpu(cpu)->fd, KVM_SET_VCPU_EVENTS, &e);
}

/* With local APICs in the kernel, who waits for SIPI and who has halted is known there. */
static int get_mp_state(CPUState *cpu, CPUX86State *env)
{
    struct kvm_mp_state mp;
    int ret;

    if (kvm_vcpu(cpu)->state->irqchip == KVM_IRQCHIP_OFF) {
        return 0;
    }
    ret = kvm_ioctl(kvm_vcpu(cpu)->fd, KVM_GET_MP_STATE, &mp);
    if (ret >= 0) {
        env->wait_for_sipi = mp.mp_state == KVM_MP_STATE_UNINITIALIZED ||
                             mp.mp_state == KVM_MP_STATE_INIT_RECEIVED;
        cpu->halted = env->wait_for_sipi || mp.mp_state == KVM_MP_STATE_HALTED;
    }
    return ret;
}

static int put_mp_state(CPUState *cpu, CPUX86State *env)
{
    struct kvm_mp_state mp = {
        env->wait_for_sipi ? KVM_MP_STATE_UNINITIALIZED
        : cpu->halted      ? KVM_MP_STATE_HALTED
                           : KVM_MP_STATE_RUNNABLE};

    if (kvm_vcpu(cpu)->state->irqchip == KVM_IRQCHIP_OFF) {
        return 0;
    }
    return kvm_ioctl(kvm_vcpu(cpu)->fd, KVM_SET_MP_STATE, &mp);
}

static int put_lapic(CPUState *cpu)
{
    KVMVcpu *v = kvm_vcpu(cpu);

    return v->has_lapic_reset ? kvm_ioctl(v->fd, KVM_SET_LAPIC, &v->lapic_reset) : 0;
}

/* ---- all of them ---------------------------------------------------------------------------------- */

static bool failed(GError **error, const char *what, int ret)
{
    if (ret < 0) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "KVM: %s: %s", what,
                    g_strerror(-ret));
    }
    return ret < 0;
}

bool kvm_get_registers(CPUState *cpu, GError **error)
{
    CPUX86State *env = cpu_env(cpu);

    if (failed(error, "get registers", get_regs(cpu, env)) ||
        failed(error, "get system registers", get_sregs(cpu, env)) ||
        failed(error, "get XSAVE area", get_xsave(cpu, env)) ||
        failed(error, "get XCR0", get_xcrs(cpu, env)) ||
        failed(error, "get debug registers", get_debugregs(cpu, env)) ||
        failed(error, "get events", get_events(cpu, env)) ||
        failed(error, "get run state", get_mp_state(cpu, env)) || !kvm_get_msrs(cpu, error)) {
        return false;
    }
    x86_update_hflags(env);
    return true;
}

bool kvm_put_registers(CPUState *cpu, bool reset, GError **error)
{
    CPUX86State *env = cpu_env(cpu);

    return !failed(error, "set XCR0", put_xcrs(cpu, env)) &&
           !failed(error, "set XSAVE area", put_xsave(cpu, env)) &&
           !failed(error, "set system registers", put_sregs(cpu, env)) &&
           !failed(error, "set registers", put_regs(cpu, env)) &&
           kvm_put_msrs(cpu, reset, error) &&
           !failed(error, "set debug registers", put_debugregs(cpu, env)) &&
           !failed(error, "set local APIC", reset ? put_lapic(cpu) : 0) &&
           !failed(error, "set events", put_events(cpu, env, reset)) &&
           !failed(error, "set run state", put_mp_state(cpu, env));
}
