/* SPDX-License-Identifier: MIT
 *
 * A machine: the context of everything in it.
 */
#ifndef HW_CORE_MACHINE_H
#define HW_CORE_MACHINE_H

#include "accel/accel.h"
#include "hw/core/qdev.h"
#include "system/loop/event-loop.h"
#include "system/memory/memory.h"

#define TYPE_MACHINE "machine"
OBJECT_DECLARE(MachineState, MachineClass, MACHINE, TYPE_MACHINE)
#define MACHINE_SUFFIX       "-machine"
#define MACHINE_TYPE_NAME(n) n MACHINE_SUFFIX

typedef struct DriveInfo DriveInfo;
typedef struct Chardev Chardev;
typedef struct FWCfgState FWCfgState;

/* Where start-up has got to; commands and options say which they are allowed in. */
typedef enum MachinePhase {
    PHASE_NO_MACHINE,
    PHASE_MACHINE_CREATED,
    PHASE_ACCEL_CREATED,
    PHASE_MACHINE_INITIALIZED, /* the board is made; -device is handled here */
    PHASE_MACHINE_READY,       /* everything is realized; vCPUs may run */
} MachinePhase;

typedef enum RunState {
    RUN_STATE_PRELAUNCH, /* -S, or not yet started */
    RUN_STATE_RUNNING,
    RUN_STATE_PAUSED,
    RUN_STATE_SHUTDOWN,
    RUN_STATE_GUEST_PANICKED,
    RUN_STATE_WATCHDOG,
    RUN_STATE_SUSPENDED, /* to RAM, by the guest */
    RUN_STATE_INTERNAL_ERROR,
    RUN_STATE_IO_ERROR, /* of a disk, whose werror= or rerror= says stop */
} RunState;

typedef enum ShutdownCause {
    SHUTDOWN_CAUSE_NONE,
    SHUTDOWN_CAUSE_HOST_SIGNAL,
    SHUTDOWN_CAUSE_HOST_UI,
    SHUTDOWN_CAUSE_HOST_QMP_QUIT,
    SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET,
    SHUTDOWN_CAUSE_GUEST_SHUTDOWN,
    SHUTDOWN_CAUSE_GUEST_RESET,
    SHUTDOWN_CAUSE_GUEST_PANIC,
    SHUTDOWN_CAUSE_HOST_ERROR,
} ShutdownCause;

/* What a run-state event leads to: -action, set-action. */
typedef enum RebootAction { REBOOT_ACTION_RESET, REBOOT_ACTION_SHUTDOWN } RebootAction;
typedef enum ShutdownAction { SHUTDOWN_ACTION_POWEROFF, SHUTDOWN_ACTION_PAUSE } ShutdownAction;
typedef enum PanicAction {
    PANIC_ACTION_SHUTDOWN,
    PANIC_ACTION_EXIT_FAILURE, /* the same with status 1 */
    PANIC_ACTION_PAUSE,
    PANIC_ACTION_NONE,
} PanicAction;
typedef enum WatchdogAction {
    WATCHDOG_ACTION_RESET,
    WATCHDOG_ACTION_SHUTDOWN, /* the power button */
    WATCHDOG_ACTION_POWEROFF,
    WATCHDOG_ACTION_PAUSE,
    WATCHDOG_ACTION_DEBUG, /* say so on stderr */
    WATCHDOG_ACTION_NONE,
    WATCHDOG_ACTION_INJECT_NMI,
} WatchdogAction;

typedef struct RunStateActions {
    RebootAction reboot;
    ShutdownAction shutdown;
    PanicAction panic;
    WatchdogAction watchdog;
} RunStateActions;

/* -boot */
typedef struct BootOptions {
    char *order, *once; /* letters; NULL: as the board has it */
    char *splash;       /* file, or NULL */
    int32_t splash_time;    /* ms that the menu waits; -1: as firmware has it */
    int32_t reboot_timeout; /* ms after which firmware tries again; -1: never */
    bool menu, strict;
} BootOptions;

/* -option-rom */
typedef struct OptionROM {
    char *file;
    int32_t bootindex; /* -1: none */
} OptionROM;
OptionROM *option_rom_new(const char *file, int32_t bootindex);
void option_rom_free(OptionROM *rom);

/* What ends a suspension to RAM. */
typedef enum WakeupReason {
    WAKEUP_REASON_NONE,
    WAKEUP_REASON_RTC,
    WAKEUP_REASON_PM_TIMER,
    WAKEUP_REASON_OTHER, /* somebody outside: a monitor, the power button */
} WakeupReason;

typedef struct SMPConfig {
    uint32_t cpus, sockets, dies, cores, threads, max_cpus;
} SMPConfig;

/* Where a CPU sits; -1: not said, or the machine has no such level. */
typedef struct CPUPlace {
    int64_t node_id, socket_id, die_id, core_id, thread_id;
} CPUPlace;
#define CPU_PLACE_NOWHERE {-1, -1, -1, -1, -1}

/* A place for a CPU, taken or free.  Their order is that of CPU indices. */
typedef struct CPUSlot {
    CPUPlace place;
    uint32_t arch_id; /* as the architecture counts them: the APIC ID */
    CPUState *cpu;    /* NULL: free */
} CPUSlot;

typedef struct NumaState NumaState;

/* What a machine has unless it is told otherwise. */
typedef enum MachineDefault {
    MACHINE_DEFAULT_SERIAL = 1 << 0,
    MACHINE_DEFAULT_FLOPPY = 1 << 1,
    MACHINE_DEFAULT_CDROM = 1 << 2,
    MACHINE_DEFAULT_VGA = 1 << 3,
    MACHINE_DEFAULT_PARALLEL = 1 << 4,
    MACHINE_DEFAULT_ALL = (1 << 5) - 1,
} MachineDefault;

struct MachineClass {
    ObjectClass parent_class;
    const char *name; /* as -machine has it: "pc-i440fx-1.0" */
    const char *alias; /* "pc" */
    const char *desc;
    bool is_default;
    const char *deprecation_reason; /* NULL: it is not deprecated */
    /* What its devices have otherwise than by default: lists for object_set_compat_globals(). */
    GPtrArray *compat_globals;
    bool smp_prefers_sockets; /* -smp N: CPUs are sockets, not cores of one */
    bool numa_mem_supported;  /* -numa node,mem=, as of old */
    uint32_t max_cpus, default_cpus;
    const char *default_cpu_type; /* a QOM type name */
    uint64_t default_ram_size;
    const char *default_ram_id; /* "pc.ram" */
    const char *block_default_type; /* interface of -hda, -drive without if=: "ide" */
    bool no_floppy; /* no drive A, and no controller, unless there is a disk for it */
    int units_per_default_bus;      /* of that interface; 0: as usual (IDE: 2; AHCI ports have 1) */
    /*
     * Make the board: main thread, big lock; the accelerator is there.  False
     * and *error on failure.
     */
    bool (*init)(MachineState *machine, GError **error);
    /* Optional: everything of the command line is realized; write tables, fix the boot. */
    bool (*done)(MachineState *machine, GError **error);
    /* Optional: in place of resetting the whole tree. */
    void (*reset)(MachineState *machine, ShutdownCause reason);
    /*
     * Like a reset, with RAM as it is and firmware told that it resumes.  False: this does not wake
     * it.  Optional: without it the machine cannot suspend.  vCPUs are stopped.
     */
    bool (*wakeup)(MachineState *machine, WakeupReason reason);
    /* ACPI power button. Optional. */
    void (*powerdown)(MachineState *machine);
    /* General-purpose event n of ACPI.  Optional.  Main thread. */
    void (*acpi_raise_gpe)(MachineState *machine, unsigned n);
    /* NMI button.  Optional.  Any thread; no lock of an interrupt controller. */
    void (*inject_nmi)(MachineState *machine);

    /*
     * CPUs that come and go; all optional, main thread.  init_cpu_slots fills
     * machine->cpu_slots from machine->smp, before the board is made.  pre_plug_cpu finds the
     * slot of a CPU about to be realized, or refuses it; plug_cpu is told when it works.
     * unplug_request_cpu asks the guest to let go of it; the device goes when it has.
     */
    void (*init_cpu_slots)(MachineState *machine);
    bool (*pre_plug_cpu)(MachineState *machine, CPUState *cpu, GError **error);
    void (*plug_cpu)(MachineState *machine, CPUState *cpu);
    bool (*unplug_request_cpu)(MachineState *machine, CPUState *cpu, GError **error);
};

struct MachineState {
    Object parent_obj;

    /* options, as properties of the machine */
    char *kernel_filename, *initrd_filename, *kernel_cmdline, *firmware;
    char *firmware_dirs;   /* -L: more folders to look for firmware in, separated by ':' */
    char *cpu_type_option; /* -cpu as given: "max,+avx" */
    const char *cpu_type;  /* QOM type */
    uint64_t ram_size;
    SMPConfig smp;
    char *smp_option;        /* -smp as given so far */
    GPtrArray *numa_options; /* -numa, of char * */
    CPUSlot *cpu_slots;      /* every CPU that there may be, by index; NULL: no such thing */
    unsigned nr_cpu_slots;
    NumaState *numa;         /* hw/core/numa.h; NULL: one node, not spoken of */
    char *memory_backend_id;
    bool usb, graphics, suppress_vmdesc, dump_guest_core, mem_merge, mem_prealloc;
    char *mem_path; /* -mem-path: file or folder of the default RAM, NULL: none */
    unsigned absent_defaults; /* MachineDefault: -nodefaults, or -device of such a kind */
    BootOptions boot;
    GPtrArray *option_roms; /* of OptionROM */
    char *name, *uuid; /* -name, -uuid */
    GPtrArray *smbios_options, *acpi_table_options, *fw_cfg_options; /* of char *, as given */

    MachinePhase phase;
    AccelState *accelerator;
    AccelOpsClass *cpus_accel; /* of the accelerator */

    AddressSpace address_space_memory, address_space_io;
    MemoryRegion *system_memory, *system_io; /* their roots */
    MemoryRegion io_mem_unassigned;
    /*
     * System management mode, if the machine has it (smm_map_init()): smram is a container of
     * the whole space, empty until chipsets add to it what only a CPU in SMM sees over
     * system_memory; address_space_smm is both together.  NULL: no SMM.
     */
    MemoryRegion *smram, *smm_root, *smm_memory;
    AddressSpace address_space_smm;
    MemoryRegion *ram; /* the backend's region, machine->ram_size bytes */
    MemoryRegion numa_ram; /* it, where each NUMA node has a backend */

    EventLoop *loop; /* the main one */
    VMClock *clock;
    OwnerLock irq_lock; /* leaf: interrupt controllers and CPU interrupt state */
    /* Under irq_lock: edges that controllers took, and that fell on one not yet acknowledged. */
    uint32_t irq_taken, irq_merged;

    GPtrArray *cpus;  /* of CPUState, in cpu_index order */
    GMutex cpus_lock; /* for changes of the list */
    IRQ *gsi;         /* global system interrupts; owned by the board */
    int nr_gsi;
    FWCfgState *fw_cfg;
    Object *peripheral, *peripheral_anon, *unattached; /* /machine/... */

    /* run state: system/runstate.c */
    RunState run_state;
    bool vm_running;
    RunStateActions actions;
    _Atomic int reset_requested, shutdown_requested; /* ShutdownCause */
    _Atomic bool powerdown_requested, vmstop_requested, io_error, internal_error;
    bool suspended; /* and vCPUs wait for a wake-up; main thread */
    _Atomic bool suspend_requested;
    _Atomic int wakeup_requested; /* WakeupReason */
    _Atomic bool panicked, crash_loaded, watchdog_expired;
    _Atomic int exit_status;
    GSList *change_handlers, *powerdown_notifiers, *event_listeners; /* of system/runstate.c */
    GPtrArray *serial;   /* of Chardev*, for -serial N; NULL entries: none */
    GPtrArray *parallel; /* the same for -parallel */
    GPtrArray *drives; /* of DriveInfo*, see system/block */
    GPtrArray *block_devices; /* of system/block/media.c */
};

/* Held for some 100 ns, longer only to wake a vCPU: spinning a little is cheaper than to sleep. */
#define IRQ_LOCK_SPINS 100

static inline void machine_irq_lock(MachineState *machine)
{
    for (int i = 0; i < IRQ_LOCK_SPINS; i++) {
        if (owner_trylock(&machine->irq_lock)) {
            return;
        }
        __builtin_ia32_pause();
    }
    owner_lock(&machine->irq_lock);
}
static inline void machine_irq_unlock(MachineState *machine)
{
    owner_unlock(&machine->irq_lock);
}

/*
 * A rising edge (the line falls first if need be).  False: it was lost, as every
 * controller it reached has not yet had the last one acknowledged.  For timers that make up for
 * lost ticks.  Under no lock of a controller.
 */
bool machine_irq_edge(MachineState *machine, IRQ irq);

/* M2: of a MachineClass; it becomes /machine of a fresh root. */
MachineState *machine_new(MachineClass *mc, GError **error);
/* By name or alias, NULL and an error that lists them. */
MachineClass *machine_find_class(const char *name, GError **error);
/* The CPU slots of -smp, and -numa; done once, before RAM and board. */
bool machine_configure_cpus(MachineState *machine, GError **error);
/*
 * machine->ram: of -machine memory-backend=, which must be ram_size bytes, or a
 * backend made for it.  Before the board.
 */
bool machine_create_ram(MachineState *machine, GError **error);
/* M10 */
bool machine_run_board_init(MachineState *machine, GError **error);
bool machine_done(MachineState *machine, GError **error);
void machine_free(MachineState *machine);
/* The n-th of those that there are; NULL: fewer. */
CPUState *machine_get_cpu(MachineState *machine, int n);
/* The slot with that arch_id, or NULL. */
CPUSlot *machine_find_cpu_slot(MachineState *machine, uint32_t arch_id);
/*
 * SMI#: every CPU's, or only that of the CPU whose access this is (the first one's, if it is none's).
 * Nothing happens in a machine without SMM.  Any thread, any lock.
 */
void machine_smi(MachineState *machine, bool broadcast);

/* Tell monitors: an event with these members (a JSON object), NULL: none.  Main thread. */
void machine_emit_event(MachineState *machine, const char *event, const char *data);

/* Forget all listeners and notifiers; at the machine's end. */
void machine_finish_run_state(MachineState *machine);

/* ---- run state; requests come from any thread and any lock ------------------ */

void system_reset_request(MachineState *machine, ShutdownCause reason);
void system_shutdown_request(MachineState *machine, ShutdownCause reason);
/* The guest suspends to RAM: SUSPEND; and what wakes it: WAKEUP.  Nothing in other states. */
void system_suspend_request(MachineState *machine);
void system_wakeup_request(MachineState *machine, WakeupReason reason);
/* End with this status (isa-debug-exit). */
void system_shutdown_request_with_code(MachineState *machine, ShutdownCause reason, int status);
void system_powerdown_request(MachineState *machine);
/* The guest says that it panicked (pvpanic): GUEST_PANICKED and actions.panic. */
void system_guest_panicked(MachineState *machine);
/* It says that it panicked and has loaded a kernel to write its dump: GUEST_CRASHLOADED. */
void system_guest_crashloaded(MachineState *machine);
/* A watchdog expired: WATCHDOG and actions.watchdog. */
void system_watchdog_expired(MachineState *machine);
/* A vCPU cannot go on: stop the VM and say why. */
/* A disk cannot go on, and is to try again when the VM does: stop it.  Any thread, any lock. */
void system_io_error(MachineState *machine);
void system_internal_error(MachineState *machine, const char *why);
void vm_start(MachineState *machine);
void vm_stop(MachineState *machine, RunState state);
/* Called when the VM starts and stops; main thread. */
typedef void (*VMChangeStateHandler)(void *opaque, bool running);
void vm_add_change_state_handler(MachineState *machine, VMChangeStateHandler fn, void *opaque);
void vm_del_change_state_handler(MachineState *machine, VMChangeStateHandler fn, void *opaque);
/* Called when powerdown is requested (ACPI button). */
void machine_add_powerdown_notifier(MachineState *machine, void (*fn)(void *opaque), void *opaque);
void machine_del_powerdown_notifier(MachineState *machine, void (*fn)(void *opaque), void *opaque);

#endif
