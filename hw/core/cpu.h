/* SPDX-License-Identifier: MIT
 *
 * A virtual CPU as machines and accelerators see it, whatever the ISA.
 */
#ifndef HW_CORE_CPU_H
#define HW_CORE_CPU_H

#include <setjmp.h>
#include <stdatomic.h>
#include "hw/core/qdev.h"
#include "system/memory/memory.h"

#define TYPE_CPU "cpu"
OBJECT_DECLARE(CPUState, CPUClass, CPU, TYPE_CPU)

/* CPUState.interrupt_request: set with cpu_interrupt(), any thread. */
#define CPU_INTERRUPT_HARD  0x01u /* the interrupt controller asserts INTR */
#define CPU_INTERRUPT_NMI   0x02u /* by cpu_nmi() */
#define CPU_INTERRUPT_SMI   0x04u
#define CPU_INTERRUPT_INIT  0x08u
#define CPU_INTERRUPT_SIPI  0x10u
#define CPU_INTERRUPT_EXIT  0x20u /* leave the execution loop: stop, work, reset */
#define CPU_INTERRUPT_TPR   0x40u
#define CPU_INTERRUPT_MCE   0x80u
#define CPU_INTERRUPT_NMI_2 0x100u /* a second NMI, behind the one that waits */

typedef struct AccelCPUClass AccelCPUClass;
typedef struct MachineState MachineState;

struct CPUClass {
    DeviceClass parent_class;

    /* Set by accel_init_cpu_interfaces() once per class; never NULL afterwards. */
    AccelCPUClass *accel_cpu;

    /* Called once, when the accelerator meets the class (request: M12). */
    void (*init_accel_cpu)(AccelCPUClass *accel_cpu, CPUClass *cc);

    /*
     * What follows the model in -cpu MODEL,+avx,level=7: check it and apply it to
     * the CPUs of this class that are made from now on.  Main thread.
     */
    bool (*parse_features)(CPUClass *cc, const char *features, GError **error);
    /* Models and features in words, for -cpu help. */
    void (*list_models)(GString *out);
    /* Whether the CPU, when halted, has a reason to run.  vCPU thread. */
    bool (*has_work)(CPUState *cpu);
    /* Registers in words.  Stopped CPU or its own thread. */
    void (*dump_state)(CPUState *cpu, GString *out);
    uint64_t (*get_pc)(CPUState *cpu);
    void (*set_pc)(CPUState *cpu, uint64_t pc);
};

typedef void (*CPUWorkFunc)(CPUState *cpu, void *data);

struct CPUState {
    DeviceState parent_obj;

    int cpu_index; /* of its slot, or its position in the machine's list */
    MachineState *machine;
    AddressSpace *as;    /* memory */
    AddressSpace *as_io; /* ports */

    GThread *thread;
    _Atomic int thread_id; /* the host's, 0: not yet, or none */
    GMutex lock; /* protects work, and pairs with halt_cond */
    GCond halt_cond;
    _Atomic bool waiting; /* its thread sleeps on halt_cond, or is about to and will look again */
    GQueue work; /* of CPUWorkItem, under lock */

    _Atomic uint32_t interrupt_request; /* CPU_INTERRUPT_* */
    _Atomic uint32_t exit_request;
    _Atomic bool halted;  /* hlt, or waiting for SIPI */
    _Atomic bool stop;    /* asked to stop */
    _Atomic bool stopped; /* has stopped: its state may be read and written from other threads */
    _Atomic bool unplug;
    _Atomic bool created; /* its thread runs and can be kicked */
    bool crash_occurred;

    sigjmp_buf jmp_env; /* of cpu_exec(), for cpu_loop_exit() */
    void *accel;        /* the accelerator's own per-vCPU state */
};

/* Leave whatever the vCPU thread is doing for the accelerator's loop. */
G_NORETURN void cpu_loop_exit(CPUState *cpu);

/* Assert or clear interrupt lines into the CPU, and kick it.  Any thread. */
void cpu_interrupt(CPUState *cpu, uint32_t mask);
void cpu_reset_interrupt(CPUState *cpu, uint32_t mask);
/*
 * An NMI comes.  A CPU takes one at the next instruction and latches one that comes meanwhile, so of
 * those that come before the CPU has looked two count.  Any thread.
 */
void cpu_nmi(CPUState *cpu);
/* The CPU takes one; false: there is none.  vCPU thread. */
bool cpu_take_nmi(CPUState *cpu);
/* NMIs are no longer blocked: of those that came meanwhile one is latched.  vCPU thread. */
static inline void cpu_unblock_nmi(CPUState *cpu)
{
    atomic_fetch_and(&cpu->interrupt_request, ~CPU_INTERRUPT_NMI_2);
}
static inline bool cpu_interrupt_pending(CPUState *cpu, uint32_t mask)
{
    return atomic_load_explicit(&cpu->interrupt_request, memory_order_acquire) & mask;
}

/* Make the vCPU thread look at its requests soon.  Any thread, any lock. */
void cpu_kick(CPUState *cpu);

/* Run func on the vCPU's thread, between instructions.  Any thread. */
void cpu_run_async(CPUState *cpu, CPUWorkFunc func, void *data);
/* The same and wait; the caller must hold no device or interrupt lock; the big lock is dropped. */
void cpu_run_on(CPUState *cpu, CPUWorkFunc func, void *data);
/* Run the queue; called by accelerators on the vCPU thread. */
void cpu_process_work(CPUState *cpu);

/* The CPU whose thread this is, or NULL. */
extern _Thread_local CPUState *current_cpu;

/* Join and leave the machine's CPU list (request: V1). */
void cpu_list_add(CPUState *cpu);
void cpu_list_remove(CPUState *cpu);

/* Request V1-V3: the steps of realizing any CPU. */
bool cpu_exec_realizefn(CPUState *cpu, GError **error);
bool vmm_init_vcpu(CPUState *cpu, GError **error);
/* Last step: it runs if the VM does, and the machine is told. */
void cpu_plugged(CPUState *cpu);

/* Whether the vCPU thread has nothing to do and should sleep. */
bool cpu_thread_is_idle(CPUState *cpu);
/* Sleep until there is something to do; then run queued work.  vCPU thread. */
void cpu_wait_io_event(CPUState *cpu);

/*
 * The caller's vCPU, if it is one, stops behind the instruction that it is in, until
 * resume_all_vcpus().  For what the guest asks of the main loop and must not run past.
 */
void cpu_stop_current(void);
/* Stop and resume every vCPU of a machine.  Main thread. */
void pause_all_vcpus(MachineState *machine);
void resume_all_vcpus(MachineState *machine);
void cpu_remove_sync(CPUState *cpu);

void cpu_dump_state(CPUState *cpu, GString *out);

/*
 * The whole of -cpu: "MODEL[,FEATURES]"; MODEL is a type name without the
 * suffix of its root type ("max" for "max-x86_64-cpu").  Returns the
 * type's name, or NULL and an error that lists what there is ("help" too).
 */
const char *cpu_parse_option(const char *root_type, const char *option, GError **error);

#endif
