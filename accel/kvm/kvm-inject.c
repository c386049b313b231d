/* SPDX-License-Identifier: MIT
 *
 * Interrupts that enter the vCPU from here (KVM API, 4.16, 4.64, and 5: the fields of
 * kvm_run): NMIs always, vectors when not all controllers are in the kernel, INIT and
 * SIPI when none is.
 */
#include "accel/kvm/kvm-internal.h"

#include "target/i386/apic.h"

static uint32_t take_request(CPUState *cpu, uint32_t mask)
{
    return atomic_fetch_and(&cpu->interrupt_request, ~mask) & mask;
}

static void inject_events(CPUState *cpu)
{
    KVMVcpu *v = kvm_vcpu(cpu);

    while (cpu_take_nmi(cpu)) { /* it counts to two as well */
        kvm_ioctl_value(v->fd, KVM_NMI, 0);
    }
    if (take_request(cpu, CPU_INTERRUPT_SMI)) {
        kvm_ioctl_value(v->fd, KVM_SMI, 0); /* without SMM in this KVM: dropped, as on a CPU in SMM */
    }
}

/* Whether the guest may be given a vector now; if not, ask for an exit when it may. */
static void inject_vector(CPUState *cpu)
{
    KVMVcpu *v = kvm_vcpu(cpu);
    X86CPU *x86 = X86_CPU(cpu);

    v->run->request_interrupt_window = 0;
    if (!cpu_interrupt_pending(cpu, CPU_INTERRUPT_HARD) || !x86->apic) {
        return;
    }
    if (v->run->ready_for_interrupt_injection && v->run->if_flag) {
        X86APIC *apic = X86_APIC(x86->apic);
        int vector = X86_APIC_GET_CLASS(apic)->get_interrupt(apic);
        struct kvm_interrupt request = {vector};

        if (vector >= 0) {
            kvm_ioctl(v->fd, KVM_INTERRUPT, &request);
        }
    }
    v->run->request_interrupt_window = cpu_interrupt_pending(cpu, CPU_INTERRUPT_HARD);
}

static void process_init_sipi(CPUState *cpu)
{
    KVMVcpu *v = kvm_vcpu(cpu);

    if (!cpu_interrupt_pending(cpu, CPU_INTERRUPT_INIT | CPU_INTERRUPT_SIPI)) {
        return;
    }
    if (!v->dirty && kvm_get_registers(cpu, NULL)) {
        v->dirty = true;
    }
    if (take_request(cpu, CPU_INTERRUPT_INIT)) {
        x86_cpu_do_init(X86_CPU(cpu));
    }
    if (take_request(cpu, CPU_INTERRUPT_SIPI)) {
        x86_cpu_do_sipi(X86_CPU(cpu));
    }
}

void kvm_pre_run(CPUState *cpu)
{
    KVMVcpu *v = kvm_vcpu(cpu);
    X86CPU *x86 = X86_CPU(cpu);

    inject_events(cpu);
    if (v->state->irqchip == KVM_IRQCHIP_ON) {
        return;
    }
    if (v->state->irqchip == KVM_IRQCHIP_OFF) {
        process_init_sipi(cpu);
        if (x86->apic) {
            v->run->cr8 = X86_APIC_GET_CLASS(x86->apic)->get_tpr(X86_APIC(x86->apic)) >> 4;
        }
    }
    inject_vector(cpu);
}

/* Where the exit's accesses go (KVM API, 5: KVM_RUN_X86_SMM). */
static void note_smm(CPUState *cpu)
{
    MachineState *machine = cpu->machine;
    bool smm = kvm_vcpu(cpu)->run->flags & KVM_RUN_X86_SMM;

    if (machine->smram) {
        cpu_env(cpu)->smm = smm;
        cpu->as = smm ? &machine->address_space_smm : &machine->address_space_memory;
    }
}

/* The guest's CR8 and IA32_APIC_BASE, which KVM hands over in kvm_run. */
void kvm_post_run(CPUState *cpu)
{
    KVMVcpu *v = kvm_vcpu(cpu);
    X86CPU *x86 = X86_CPU(cpu);

    note_smm(cpu);
    if (v->state->irqchip != KVM_IRQCHIP_OFF || !x86->apic) {
        return;
    }
    X86APIC *apic = X86_APIC(x86->apic);
    X86APICClass *k = X86_APIC_GET_CLASS(apic);

    if (k->get_tpr(apic) >> 4 != (v->run->cr8 & 15)) {
        k->set_tpr(apic, (v->run->cr8 & 15) << 4);
    }
    if (k->get_base(apic) != v->run->apic_base) {
        k->set_base(apic, v->run->apic_base);
    }
}
