/* SPDX-License-Identifier: MIT
 *
 * vCPUs under KVM (requests T4, T5, V2 to V4): their threads and the KVM_RUN loop.
 */
#include "accel/kvm/kvm-internal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>
#include "system/log.h"

/* Brings a vCPU thread out of KVM_RUN (KVM API, 5: immediate_exit). */
#define SIG_KICK SIGUSR1

/* ---- the vCPU's file descriptor ------------------------------------------------------------- */

/* The ring is the VM's; every vCPU's mapping shows it. */
static void attach_coalesced(KVMVcpu *v)
{
    KVMState *s = v->state;
    size_t page = sysconf(_SC_PAGESIZE);

    if (s->has_coalesced_mmio && !s->coalesced_ring) {
        s->coalesced_ring = (void *)((char *)v->run + s->has_coalesced_mmio * page);
        s->coalesced_max = (page - sizeof(*s->coalesced_ring)) / sizeof(struct kvm_coalesced_mmio);
    }
}

static void detach_coalesced(KVMVcpu *v)
{
    char *ring = (char *)v->state->coalesced_ring, *run = (char *)v->run;

    if (ring >= run && ring < run + v->state->vcpu_mmap_size) {
        v->state->coalesced_ring = NULL;
    }
}

/* KVM API, 4.55 and 4.56; what is less than 250 ppm off counts as the same. */
static bool set_tsc_frequency(KVMVcpu *v, CPUState *cpu, GError **error)
{
    int64_t wanted = (int64_t)(X86_CPU(cpu)->tsc_frequency / 1000), have;

    if (!wanted) {
        return true;
    }
    have = kvm_ioctl_value(v->fd, KVM_GET_TSC_KHZ, 0);
    if (have > 0 && ABS(have - wanted) <= have / 4000) {
        return true;
    }
    if (kvm_check_extension(v->state, KVM_CAP_TSC_CONTROL) &&
        kvm_ioctl_value(v->fd, KVM_SET_TSC_KHZ, wanted) >= 0) {
        return true;
    }
    g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                "property 'tsc-frequency': %" G_GINT64_FORMAT " kHz: this host's KVM cannot scale the "
                "time-stamp counter; it runs at %" G_GINT64_FORMAT " kHz", wanted, have);
    return false;
}

/* KVM has no way to destroy a vCPU: the descriptor of one that goes waits for the next. */
static void park(KVMState *s, uint32_t id, int fd)
{
    KVMParkedVcpu parked = {id, fd};

    if (!s->parked) {
        s->parked = g_array_new(FALSE, FALSE, sizeof(KVMParkedVcpu));
    }
    g_array_append_val(s->parked, parked);
}

static int take_parked(KVMState *s, uint32_t id)
{
    for (guint i = 0; s->parked && i < s->parked->len; i++) {
        KVMParkedVcpu parked = g_array_index(s->parked, KVMParkedVcpu, i);

        if (parked.id == id) {
            g_array_remove_index(s->parked, i);
            return parked.fd;
        }
    }
    return -1;
}

static bool vcpu_create(KVMVcpu *v, CPUState *cpu, GError **error)
{
    v->id = X86_CPU(cpu)->apic_id;
    v->fd = take_parked(v->state, v->id);
    if (v->fd < 0) {
        v->fd = kvm_ioctl_value(v->state->vm_fd, KVM_CREATE_VCPU, v->id);
    }
    if (v->fd < 0) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "KVM_CREATE_VCPU %u: %s",
                    X86_CPU(cpu)->apic_id, g_strerror(-v->fd));
        return false;
    }
    v->run = mmap(NULL, v->state->vcpu_mmap_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
    if (v->run == MAP_FAILED) {
        v->run = NULL;
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "mmap of kvm_run: %s",
                    g_strerror(errno));
        return false;
    }
    attach_coalesced(v);
    if (!set_tsc_frequency(v, cpu, error)) {
        return false;
    }
    if (v->state->irqchip != KVM_IRQCHIP_OFF) {
        v->has_lapic_reset = kvm_ioctl(v->fd, KVM_GET_LAPIC, &v->lapic_reset) >= 0;
    }
    return true;
}

static void vcpu_destroy(KVMVcpu *v)
{
    if (v->run) {
        detach_coalesced(v);
        munmap(v->run, v->state->vcpu_mmap_size);
    }
    if (v->fd >= 0) {
        park(v->state, v->id, v->fd);
    }
    g_free(v);
}

static bool kvm_cpu_realizefn(CPUState *cpu, GError **error)
{
    KVMVcpu *v = g_new0(KVMVcpu, 1);

    v->state = KVM_STATE(cpu->machine->accelerator);
    v->fd = -1;
    v->dirty = true;
    if (!kvm_cpu_settle_features(cpu, error) || !vcpu_create(v, cpu, error)) {
        vcpu_destroy(v);
        return false;
    }
    cpu->accel = v;
    return true;
}

static void kvm_cpu_unrealizefn(CPUState *cpu)
{
    if (cpu->accel) {
        vcpu_destroy(g_steal_pointer(&cpu->accel));
    }
}

/* ---- running ---------------------------------------------------------------------------------- */

static bool put_if_dirty(CPUState *cpu)
{
    KVMVcpu *v = kvm_vcpu(cpu);
    g_autoptr(GError) error = NULL;

    if (!v->dirty) {
        return true;
    }
    v->dirty = false;
    if (!kvm_put_registers(cpu, false, &error)) {
        system_internal_error(cpu->machine, error->message);
        cpu->stop = true;
        return false;
    }
    return true;
}

/* KVM_RUN failed for a reason other than a signal. */
static void run_failed(CPUState *cpu, int err)
{
    g_autofree char *why = g_strdup_printf("CPU %d: KVM_RUN: %s", cpu->cpu_index, g_strerror(err));

    system_internal_error(cpu->machine, why);
    cpu->stop = true;
}

/*
 * A kick sets exit_request, then immediate_exit: whichever side of the check below it
 * comes on, KVM_RUN is not entered or returns at once.
 */
static bool run_once(CPUState *cpu)
{
    KVMVcpu *v = kvm_vcpu(cpu);
    int ret, err;

    kvm_pre_run(cpu);
    if (cpu->halted && v->state->irqchip == KVM_IRQCHIP_OFF) {
        return false;
    }
    if (!put_if_dirty(cpu) || atomic_exchange(&cpu->exit_request, 0)) {
        return false;
    }
    ret = ioctl(v->fd, KVM_RUN, NULL);
    err = errno;
    __atomic_store_n(&v->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
    kvm_post_run(cpu);
    kvm_flush_coalesced(v->state);
    if (ret < 0 && err != EINTR && err != EAGAIN) {
        run_failed(cpu, err);
        return false;
    }
    return ret >= 0 && kvm_handle_exit(cpu);
}

static void kvm_cpu_exec(CPUState *cpu)
{
    /* The main loop's common rule wakes a halted CPU; it runs on behind its hlt. */
    if (kvm_vcpu(cpu)->state->irqchip == KVM_IRQCHIP_OFF && !cpu_env(cpu)->wait_for_sipi) {
        cpu->halted = false;
    }
    while (run_once(cpu)) {
    }
}

static void kick_handler(int signal_number)
{
}

static void accept_kicks(KVMVcpu *v)
{
    struct sigaction action = {.sa_handler = kick_handler};
    sigset_t set;

    sigaction(SIG_KICK, &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIG_KICK);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    v->thread = pthread_self();
}

static gpointer kvm_vcpu_thread_fn(gpointer data)
{
    CPUState *cpu = data;

    vmm_thread_register();
    current_cpu = cpu;
    cpu->thread_id = (int)gettid();
    accept_kicks(kvm_vcpu(cpu));
    g_mutex_lock(&cpu->lock);
    cpu->created = true;
    g_cond_broadcast(&cpu->halt_cond);
    g_mutex_unlock(&cpu->lock);
    while (!atomic_load(&cpu->unplug)) {
        if (!atomic_load(&cpu->stopped) && !atomic_load(&cpu->stop)) {
            kvm_cpu_exec(cpu);
        }
        cpu_wait_io_event(cpu);
    }
    cpu->created = false; /* no more kicks */
    current_cpu = NULL;
    vmm_thread_unregister();
    return NULL;
}

static bool kvm_start_vcpu_thread(CPUState *cpu, GError **error)
{
    g_autofree char *name = g_strdup_printf("CPU %d/KVM", cpu->cpu_index);

    if (!kvm_vcpu_set_cpuid(cpu, error)) {
        return false;
    }
    cpu->thread = g_thread_try_new(name, kvm_vcpu_thread_fn, cpu, error);
    if (!cpu->thread) {
        return false;
    }
    g_mutex_lock(&cpu->lock);
    while (!cpu->created) {
        g_cond_wait(&cpu->halt_cond, &cpu->lock);
    }
    g_mutex_unlock(&cpu->lock);
    return true;
}

/* ---- operations --------------------------------------------------------------------------------- */

static void kvm_kick_vcpu_thread(CPUState *cpu)
{
    KVMVcpu *v = kvm_vcpu(cpu);

    if (v && cpu->created && current_cpu != cpu) {
        __atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
        pthread_kill(v->thread, SIG_KICK);
    }
}

/* With local APICs in the kernel a vCPU that has halted sleeps in KVM_RUN. */
static bool kvm_cpu_thread_is_idle(CPUState *cpu)
{
    if (kvm_vcpu(cpu)->state->irqchip != KVM_IRQCHIP_OFF) {
        return false;
    }
    return cpu->halted && !CPU_GET_CLASS(cpu)->has_work(cpu);
}

static void kvm_synchronize_state(CPUState *cpu)
{
    KVMVcpu *v = kvm_vcpu(cpu);
    g_autoptr(GError) error = NULL;

    if (!v->dirty && !kvm_get_registers(cpu, &error)) {
        log_printf("kvm: CPU %d: %s\n", cpu->cpu_index, error->message);
        return;
    }
    v->dirty = true;
}

static void kvm_synchronize_post_reset(CPUState *cpu)
{
    KVMVcpu *v = kvm_vcpu(cpu);
    g_autoptr(GError) error = NULL;

    if (cpu->cpu_index == 0) {
        kvm_irqchip_reset(v->state);
        v->state->tsc_stopped = cpu->machine->vm_running ? 0 : __rdtsc();
    }
    if (!kvm_put_registers(cpu, true, &error)) {
        system_internal_error(cpu->machine, error->message);
    }
    v->dirty = false;
}

/* By how much a TSC is behind the host's; `move` is added to it (virt/kvm/devices/vcpu.rst, 4). */
static void move_tsc(CPUState *cpu, uint64_t move)
{
    uint64_t offset;
    struct kvm_device_attr attr = {
        .group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET, .addr = (uintptr_t)&offset};

    if (kvm_ioctl(kvm_vcpu(cpu)->fd, KVM_GET_DEVICE_ATTR, &attr) >= 0) {
        offset += move;
        kvm_ioctl(kvm_vcpu(cpu)->fd, KVM_SET_DEVICE_ATTR, &attr);
    }
}

/* The TSCs stand still with the VM: those that count at the host's rate. */
static void stop_tscs(KVMState *s, bool running)
{
    GPtrArray *cpus = ACCEL(s)->machine->cpus;
    uint64_t now = __rdtsc();

    if (!running) {
        s->tsc_stopped = now;
        return;
    }
    for (guint i = 0; s->tsc_stopped && i < cpus->len; i++) {
        if (!X86_CPU(g_ptr_array_index(cpus, i))->tsc_frequency) {
            move_tsc(g_ptr_array_index(cpus, i), s->tsc_stopped - now);
        }
    }
}

/* Paravirtual clocks stand still with the VM (KVM API, 4.29, 4.30, 4.81). */
static void kvm_vm_state_change(AccelState *accel, bool running)
{
    KVMState *s = KVM_STATE(accel);

    stop_tscs(s, running);
    if (!s->has_clock) {
        return;
    }
    if (!running) {
        s->clock_saved = kvm_ioctl(s->vm_fd, KVM_GET_CLOCK, &s->clock) >= 0;
    } else if (s->clock_saved) {
        s->clock.flags = 0;
        kvm_ioctl(s->vm_fd, KVM_SET_CLOCK, &s->clock);
        for (guint i = 0; i < accel->machine->cpus->len; i++) {
            CPUState *cpu = g_ptr_array_index(accel->machine->cpus, i);
            kvm_ioctl_value(kvm_vcpu(cpu)->fd, KVM_KVMCLOCK_CTRL, 0);
        }
    }
}

/* ---- types ---------------------------------------------------------------------------------------- */

static void kvm_accel_ops_class_init(ObjectClass *klass, const void *data)
{
    AccelOpsClass *ops = ACCEL_OPS_CLASS(klass);

    ops->create_vcpu_thread = kvm_start_vcpu_thread;
    ops->kick_vcpu_thread = kvm_kick_vcpu_thread;
    ops->cpu_thread_is_idle = kvm_cpu_thread_is_idle;
    ops->synchronize_state = kvm_synchronize_state;
    ops->synchronize_post_reset = kvm_synchronize_post_reset;
    ops->synchronize_post_init = kvm_synchronize_post_reset;
    ops->vm_state_change = kvm_vm_state_change;
}

static const TypeInfo kvm_accel_ops_type = {
    .name = ACCEL_OPS_NAME("kvm"),
    .parent = TYPE_ACCEL_OPS,
    .class_init = kvm_accel_ops_class_init,
    .doc = "How vCPUs run under KVM",
};

static void kvm_cpu_accel_class_init(ObjectClass *klass, const void *data)
{
    AccelCPUClass *acc = ACCEL_CPU_CLASS(klass);

    acc->cpu_realizefn = kvm_cpu_realizefn;
    acc->cpu_settle = kvm_cpu_settle_features;
    acc->cpu_unrealizefn = kvm_cpu_unrealizefn;
}

static const TypeInfo kvm_cpu_accel_type_info = {
    .name = ACCEL_CPU_NAME("kvm"),
    .parent = TYPE_ACCEL_CPU,
    .class_init = kvm_cpu_accel_class_init,
    .doc = "What KVM does to CPU classes",
};

static void kvm_cpus_register_types(void)
{
    type_register_static(&kvm_accel_ops_type);
    type_register_static(&kvm_cpu_accel_type_info);
}
type_init(kvm_cpus_register_types)
