/* SPDX-License-Identifier: MIT
 *
 * Shared by the files of this folder.  The interface is Documentation/virt/kvm/api.rst of the
 * Linux kernel; the section numbers in the sources are that document's.
 */
#ifndef ACCEL_KVM_KVM_INTERNAL_H
#define ACCEL_KVM_KVM_INTERNAL_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include "accel/kvm/kvm.h"
#include "hw/core/machine.h"
#include "hw/intc/apic-bus.h"
#include "system/memory/memory.h"
#include "target/i386/cpu.h"

#define KVM_NR_GSI 24 /* lines of the board; MSI routes follow */

typedef enum KVMIrqchip { KVM_IRQCHIP_OFF, KVM_IRQCHIP_ON, KVM_IRQCHIP_SPLIT } KVMIrqchip;

typedef struct KVMSlot {
    uint64_t gpa, size; /* size 0: free */
    void *host;
    uint32_t flags;
} KVMSlot;

/* One of the kernel's address spaces: 0, and 1 for CPUs in SMM (KVM API, 4.35). */
typedef struct KVMMemory {
    KVMState *state;
    MemoryListener listener;
    unsigned id;
    GArray *slots; /* of KVMSlot, under slot_lock */
} KVMMemory;

/* What the in-kernel controllers look like after power-on. */
typedef struct KVMIrqchipReset {
    struct kvm_irqchip chip[3];
    struct kvm_pit_state2 pit;
} KVMIrqchipReset;

struct KVMState {
    AccelState parent_obj;
    int fd, vm_fd;
    int vcpu_mmap_size;

    int irqchip; /* property: KVMIrqchip */
    bool kernel_pit;
    char *device;

    bool has_readonly_mem, has_ioeventfd, has_tsc_deadline, has_xcrs, has_debugregs, has_clock, has_smm;
    int has_coalesced_mmio; /* page of the ring in a vCPU's mapping, 0: none */

    KVMMemory memory, smm_memory;
    GMutex slot_lock;
    MemoryRegion a20; /* the first MiB once more, at 1 MiB, while A20 is held low */
    MemoryListener io_listener;
    GArray *memory_eventfds, *io_eventfds; /* of struct kvm_ioeventfd */
    struct kvm_coalesced_mmio_ring *coalesced_ring; /* in the first vCPU's mapping, or NULL */
    uint32_t coalesced_max;
    GArray *coalesced_zones; /* of struct kvm_coalesced_mmio_zone */
    GMutex coalesced_lock;
    bool listening;

    GArray *routes; /* of struct kvm_irq_routing_entry, under route_lock */
    GMutex route_lock;
    GHashTable *msi_gsis; /* those in use */
    KVMIrqchipReset reset;
    APICBus *apic_bus;

    GArray *parked; /* of KVMParkedVcpu */
    GArray *msr_indices; /* of uint32_t: what KVM_GET_MSRS has */
    struct kvm_cpuid2 *supported_cpuid;
    struct kvm_clock_data clock;
    bool clock_saved;
    uint64_t tsc_stopped; /* the host's when the VM was stopped, 0: it has not been */
};

typedef struct KVMParkedVcpu {
    uint32_t id;
    int fd;
} KVMParkedVcpu;

typedef struct KVMVcpu {
    KVMState *state;
    uint32_t id; /* in KVM: the APIC ID */
    int fd;
    struct kvm_run *run;
    pthread_t thread;
    bool dirty; /* env is newer than what KVM has */
    struct kvm_lapic_state lapic_reset;
    bool has_lapic_reset;
} KVMVcpu;

static inline KVMVcpu *kvm_vcpu(CPUState *cpu)
{
    return cpu->accel;
}

/* ioctl that retries on EINTR and returns -errno. */
int kvm_ioctl(int fd, unsigned long request, void *arg);
int kvm_ioctl_value(int fd, unsigned long request, unsigned long value);
int kvm_check_extension(const KVMState *s, int capability);

/* kvm-memory.c */
void kvm_memory_start(KVMState *s);
/* After the board: what CPUs in SMM see, if the machine has it. */
void kvm_memory_start_smm(KVMState *s);
void kvm_memory_stop(KVMState *s);
void kvm_flush_coalesced(KVMState *s);
/* KVM knows nothing of A20: of the megabytes that it hides, the one that programs wrap into. */
void kvm_memory_init_a20(KVMState *s);
void kvm_memory_set_a20(KVMState *s, bool open);

/* kvm-irqchip.c */
/* The 8254; what it is like then.  Returns 0, or -errno. */
int kvm_pit_create(KVMState *s, struct kvm_pit_state2 *ret_reset);
bool kvm_irqchip_create(KVMState *s, GError **error);
/* After the board: take its lines and messages. */
bool kvm_irqchip_take_board(KVMState *s, GError **error);
void kvm_irqchip_reset(KVMState *s);

/* kvm-cpuid.c */
bool kvm_cpuid_init(KVMState *s, GError **error);
bool kvm_cpu_settle_features(CPUState *cpu, GError **error);
bool kvm_vcpu_set_cpuid(CPUState *cpu, GError **error);

/* kvm-regs.c, kvm-msr.c: vCPU thread, or no thread yet */
bool kvm_get_registers(CPUState *cpu, GError **error);
bool kvm_put_registers(CPUState *cpu, bool reset, GError **error);
bool kvm_get_msrs(CPUState *cpu, GError **error);
bool kvm_put_msrs(CPUState *cpu, bool reset, GError **error);

/* kvm-exit.c: one exit.  True: go on running. */
bool kvm_handle_exit(CPUState *cpu);

/* kvm-inject.c */
void kvm_pre_run(CPUState *cpu);
void kvm_post_run(CPUState *cpu);

/* kvm-probe.c */
int kvm_probe(char **ret_why);

#endif
