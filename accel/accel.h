/* SPDX-License-Identifier: MIT
 *
 * Accelerators (requests T1-T6): AccelClass acts on a VM, AccelOpsClass on a
 * vCPU, AccelCPUClass hooks into the CPU class.  Machines do not know which one runs them.
 */
#ifndef ACCEL_ACCEL_H
#define ACCEL_ACCEL_H

#include "hw/core/cpu.h"
#include "qom/object.h"

#define TYPE_ACCEL "accel"
OBJECT_DECLARE(AccelState, AccelClass, ACCEL, TYPE_ACCEL)
#define ACCEL_CLASS_SUFFIX  "-" TYPE_ACCEL
#define ACCEL_CLASS_NAME(a) a ACCEL_CLASS_SUFFIX

#define TYPE_KVM_ACCEL   ACCEL_CLASS_NAME("kvm")
#define TYPE_TCG_ACCEL   ACCEL_CLASS_NAME("tcg")
#define TYPE_QTEST_ACCEL ACCEL_CLASS_NAME("qtest")

typedef struct AccelOpsClass AccelOpsClass;

struct AccelState {
    Object parent_obj;
    MachineState *machine; /* set by accel_init_machine() */
};

struct AccelClass {
    ObjectClass parent_class;
    const char *name; /* "kvm": as on the command line */
    const char *doc;
    const char *ops_type; /* type whose class is the AccelOpsClass */
    /*
     * Take the machine; main thread, before the board is made.  False: this
     * accelerator cannot run here (the next of a list is tried).
     */
    bool (*init_machine)(AccelState *accel, MachineState *machine, GError **error);
    /* Optional: after the board is made and before any vCPU runs. */
    bool (*setup_post)(AccelState *accel, GError **error);
    /* Optional: is it worth choosing unasked?  Higher wins, 0: never.  May measure for ms. */
    int (*probe)(char **ret_why);
    /*
     * Optional: the type that stands in for a device type that boards create (an interrupt
     * controller that the host has), or NULL: the type itself.
     */
    const char *(*device_type)(AccelState *accel, const char *type);
    /* Optional: whether its CPUs have system management mode; NULL: they do. */
    bool (*has_smm)(AccelState *accel);
    /*
     * Optional: the gate of A20 opens or closes, for an accelerator that does not look at the CPUs'
     * own (env->a20_mask).  Any thread, a device's lock held.
     */
    void (*set_a20)(AccelState *accel, bool open);
};

#define TYPE_ACCEL_OPS "accel-ops"
#define ACCEL_OPS_NAME(a) a "-accel-ops"
#define ACCEL_OPS_CLASS(k) OBJECT_CLASS_CHECK(AccelOpsClass, (k), TYPE_ACCEL_OPS)

struct AccelOpsClass {
    ObjectClass parent_class;
    /* V3: start the thread of a realized CPU; required. */
    bool (*create_vcpu_thread)(CPUState *cpu, GError **error);
    /* Make the vCPU leave guest code soon; any thread; NULL: only halt_cond is signalled. */
    void (*kick_vcpu_thread)(CPUState *cpu);
    /* interrupt_request gained `mask`; any thread; NULL: set the bits and kick. */
    void (*handle_interrupt)(CPUState *cpu, uint32_t mask);
    bool (*cpu_thread_is_idle)(CPUState *cpu); /* NULL: the common rule */
    /* CPU registers to and from env; on the vCPU's thread; NULL: env is the truth. */
    void (*synchronize_state)(CPUState *cpu);       /* read; env becomes the truth */
    void (*synchronize_post_reset)(CPUState *cpu);  /* env was reset: write it back */
    void (*synchronize_post_init)(CPUState *cpu);
    /* Guest clock: the VM was stopped or resumed. */
    void (*vm_state_change)(AccelState *accel, bool running);
};

#define TYPE_ACCEL_CPU "accel-cpu"
#define ACCEL_CPU_SUFFIX "-" TYPE_ACCEL_CPU
#define ACCEL_CPU_NAME(a) a ACCEL_CPU_SUFFIX
#define ACCEL_CPU_CLASS(k) OBJECT_CLASS_CHECK(AccelCPUClass, (k), TYPE_ACCEL_CPU)

struct AccelCPUClass {
    ObjectClass parent_class;
    /* Once, for the CPU class in use. Optional. */
    void (*cpu_class_init)(CPUClass *cc);
    /* In every CPU's instance_init. Optional. */
    void (*cpu_instance_init)(CPUState *cpu);
    /* Early in every CPU's realize. Optional. */
    bool (*cpu_realizefn)(CPUState *cpu, GError **error);
    /*
     * Optional: settle what a CPU that will never run would have (for the monitor's model
     * expansion); cpu->machine is set.
     */
    bool (*cpu_settle)(CPUState *cpu, GError **error);
    void (*cpu_unrealizefn)(CPUState *cpu);
};

/* "kvm" -> its class, or NULL and an error that lists what there is. */
AccelClass *accel_find(const char *name, GError **error);
/* One accelerator of a list: make it, set its properties ("kernel-irqchip=off"), init. */
bool do_configure_accelerator(MachineState *machine, const char *options, GError **error);
/* Each of `options` in turn until one works; with none, the measured choice. */
bool configure_accelerators(MachineState *machine, char **options, GError **error);
bool accel_init_machine(AccelState *accel, MachineState *machine, GError **error);
/* Which type a board is to create where it wants `type`. */
const char *accel_device_type(MachineState *machine, const char *type);
/* Whether the machine's CPUs can have system management mode. */
bool accel_has_smm(MachineState *machine);
/* M10-M12 */
void accel_init_interfaces(AccelClass *ac, MachineState *machine);
void accel_init_ops_interfaces(AccelClass *ac, MachineState *machine);
void accel_init_cpu_interfaces(AccelClass *ac, MachineState *machine);
/* V2 */
bool accel_cpu_realizefn(CPUState *cpu, GError **error);
void accel_cpu_instance_init(CPUState *cpu);

/* Bring env up to date before reading registers from another component; any thread. */
void cpu_synchronize_state(CPUState *cpu);

#endif
