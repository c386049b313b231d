/* SPDX-License-Identifier: MIT
 *
 * What a vCPU comes back from KVM_RUN with (KVM API, 5).  One function an exit; false
 * ends the run until the main loop or an interrupt has had its say.
 */
#include "accel/kvm/kvm-internal.h"

#include <string.h>
#include "system/log.h"

typedef struct kvm_run KVMRun;

/* ---- names ---------------------------------------------------------------------------------- */

static const char *const exit_names[] = {
    [KVM_EXIT_UNKNOWN] = "UNKNOWN",
    [KVM_EXIT_EXCEPTION] = "EXCEPTION",
    [KVM_EXIT_IO] = "IO",
    [KVM_EXIT_HYPERCALL] = "HYPERCALL",
    [KVM_EXIT_DEBUG] = "DEBUG",
    [KVM_EXIT_HLT] = "HLT",
    [KVM_EXIT_MMIO] = "MMIO",
    [KVM_EXIT_IRQ_WINDOW_OPEN] = "IRQ_WINDOW_OPEN",
    [KVM_EXIT_SHUTDOWN] = "SHUTDOWN",
    [KVM_EXIT_FAIL_ENTRY] = "FAIL_ENTRY",
    [KVM_EXIT_INTR] = "INTR",
    [KVM_EXIT_SET_TPR] = "SET_TPR",
    [KVM_EXIT_TPR_ACCESS] = "TPR_ACCESS",
    [KVM_EXIT_NMI] = "NMI",
    [KVM_EXIT_INTERNAL_ERROR] = "INTERNAL_ERROR",
    [KVM_EXIT_WATCHDOG] = "WATCHDOG",
    [KVM_EXIT_SYSTEM_EVENT] = "SYSTEM_EVENT",
    [KVM_EXIT_IOAPIC_EOI] = "IOAPIC_EOI",
    [KVM_EXIT_HYPERV] = "HYPERV",
    [KVM_EXIT_X86_RDMSR] = "X86_RDMSR",
    [KVM_EXIT_X86_WRMSR] = "X86_WRMSR",
    [KVM_EXIT_DIRTY_RING_FULL] = "DIRTY_RING_FULL",
    [KVM_EXIT_X86_BUS_LOCK] = "X86_BUS_LOCK",
    [KVM_EXIT_XEN] = "XEN",
    [KVM_EXIT_NOTIFY] = "NOTIFY",
};

const char *kvm_exit_name(uint32_t reason)
{
    const char *name = reason < G_N_ELEMENTS(exit_names) ? exit_names[reason] : NULL;

    return name ? name : "of an unknown kind";
}

const char *kvm_suberror_name(uint32_t suberror)
{
    static const char *const names[] = {
        [KVM_INTERNAL_ERROR_EMULATION] = "an instruction that KVM cannot emulate",
        [KVM_INTERNAL_ERROR_SIMUL_EX] = "exceptions at the same time",
        [KVM_INTERNAL_ERROR_DELIVERY_EV] = "an exit during the delivery of an event",
        [KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON] = "an exit of the CPU that KVM does not know",
    };
    const char *name = suberror < G_N_ELEMENTS(names) ? names[suberror] : NULL;

    return name ? name : "an unknown sub-error";
}

/* ---- ends ------------------------------------------------------------------------------------ */

/* Hold this vCPU until the main loop has served what was asked for. */
static bool wait_for_main_loop(CPUState *cpu)
{
    cpu->stop = true;
    return false;
}

static bool give_up(CPUState *cpu, const char *why)
{
    g_autoptr(GString) dump = g_string_new(NULL);

    cpu_dump_state(cpu, dump);
    log_printf("kvm: CPU %d: %s\n%s", cpu->cpu_index, why, dump->str);
    cpu->crash_occurred = true;
    system_internal_error(cpu->machine, why);
    return wait_for_main_loop(cpu);
}

/* ---- access to devices ------------------------------------------------------------------------- */

static bool handle_io(CPUState *cpu, KVMRun *run)
{
    uint8_t *data = (uint8_t *)run + run->io.data_offset;
    unsigned size = run->io.size;

    for (uint32_t i = 0; i < run->io.count; i++, data += size) {
        uint64_t value = 0;

        if (run->io.direction == KVM_EXIT_IO_OUT) {
            memcpy(&value, data, size);
            address_space_store(cpu->as_io, run->io.port, value, size, MEMTXATTRS_NONE);
        } else {
            address_space_load(cpu->as_io, run->io.port, &value, size, MEMTXATTRS_NONE);
            memcpy(data, &value, size);
        }
    }
    return true;
}

static bool handle_mmio(CPUState *cpu, KVMRun *run)
{
    uint64_t addr = run->mmio.phys_addr;
    uint32_t len = MIN(run->mmio.len, sizeof(run->mmio.data));

    if (run->mmio.is_write) {
        address_space_write(cpu->as, addr, x86_memtxattrs(cpu_env(cpu)), run->mmio.data, len);
    } else {
        memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
        address_space_read(cpu->as, addr, x86_memtxattrs(cpu_env(cpu)), run->mmio.data, len);
    }
    return true;
}

/* ---- the CPU's own ------------------------------------------------------------------------------- */

/* Only with local APICs of ours; env's flags are stale, and has_work() looks at IF. */
static bool handle_hlt(CPUState *cpu, KVMRun *run)
{
    CPUX86State *env = cpu_env(cpu);

    env->rflags = run->if_flag ? env->rflags | IF_MASK : env->rflags & ~(uint64_t)IF_MASK;
    if (cpu_interrupt_pending(cpu, CPU_INTERRUPT_NMI) ||
        (run->if_flag && cpu_interrupt_pending(cpu, CPU_INTERRUPT_HARD))) {
        return true;
    }
    cpu->halted = true;
    return false;
}

/* Triple fault. */
static bool handle_shutdown(CPUState *cpu, KVMRun *run)
{
    log_if(LOG_RESET, "kvm: CPU %d: triple fault\n", cpu->cpu_index);
    system_reset_request(cpu->machine, SHUTDOWN_CAUSE_GUEST_RESET);
    return wait_for_main_loop(cpu);
}

static bool handle_system_event(CPUState *cpu, KVMRun *run)
{
    switch (run->system_event.type) {
    case KVM_SYSTEM_EVENT_SHUTDOWN:
        system_shutdown_request(cpu->machine, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
        return wait_for_main_loop(cpu);
    case KVM_SYSTEM_EVENT_RESET:
        system_reset_request(cpu->machine, SHUTDOWN_CAUSE_GUEST_RESET);
        return wait_for_main_loop(cpu);
    default:
        system_shutdown_request(cpu->machine, SHUTDOWN_CAUSE_GUEST_PANIC);
        return wait_for_main_loop(cpu);
    }
}

static void append_bytes(GString *text, const KVMRun *run)
{
    unsigned n = MIN(run->emulation_failure.insn_size, sizeof(run->emulation_failure.insn_bytes));

    if (run->internal.ndata < 3 ||
        !(run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES)) {
        return;
    }
    g_string_append(text, " (bytes");
    for (unsigned i = 0; i < n; i++) {
        g_string_append_printf(text, " %02x", run->emulation_failure.insn_bytes[i]);
    }
    g_string_append_c(text, ')');
}

static bool handle_internal_error(CPUState *cpu, KVMRun *run)
{
    g_autoptr(GString) why = g_string_new(NULL);
    uint32_t suberror = run->internal.suberror;

    g_string_printf(why, "KVM_EXIT_INTERNAL_ERROR, sub-error %u: %s", suberror,
                    kvm_suberror_name(suberror));
    if (suberror == KVM_INTERNAL_ERROR_EMULATION) {
        append_bytes(why, run);
    }
    for (uint32_t i = 0; suberror != KVM_INTERNAL_ERROR_EMULATION && i < run->internal.ndata; i++) {
        g_string_append_printf(why, "%s%#llx", i ? ", " : "; data ", run->internal.data[i]);
    }
    return give_up(cpu, why->str);
}

static bool handle_fail_entry(CPUState *cpu, KVMRun *run)
{
    g_autofree char *why =
        g_strdup_printf("KVM_EXIT_FAIL_ENTRY: the CPU refuses this state, hardware reason %#llx",
                        run->fail_entry.hardware_entry_failure_reason);

    return give_up(cpu, why);
}

static bool handle_unknown(CPUState *cpu, KVMRun *run)
{
    g_autofree char *why =
        g_strdup_printf("KVM_EXIT_UNKNOWN, hardware reason %#llx", run->hw.hardware_exit_reason);

    return give_up(cpu, why);
}

/* MSRs are KVM's; one that it asks us about is not there: #GP. */
static bool handle_msr(CPUState *cpu, KVMRun *run)
{
    log_if(LOG_GUEST_ERROR, "kvm: %s of MSR %#x\n",
           run->exit_reason == KVM_EXIT_X86_RDMSR ? "read" : "write", run->msr.index);
    run->msr.error = 1;
    return true;
}

static bool handle_ioapic_eoi(CPUState *cpu, KVMRun *run)
{
    apic_bus_eoi(kvm_vcpu(cpu)->state->apic_bus, run->eoi.vector);
    return true;
}

static bool handle_hypercall(CPUState *cpu, KVMRun *run)
{
    run->hypercall.ret = (uint64_t)-1000; /* KVM_ENOSYS */
    return true;
}

/* Nothing to be done but to look at requests: interrupt window, signal, CR8. */
static bool handle_nothing(CPUState *cpu, KVMRun *run)
{
    return true;
}

static const struct {
    uint32_t reason;
    bool (*handle)(CPUState *cpu, KVMRun *run);
} handlers[] = {
    {KVM_EXIT_IO,              handle_io            },
    {KVM_EXIT_MMIO,            handle_mmio          },
    {KVM_EXIT_HLT,             handle_hlt           },
    {KVM_EXIT_IRQ_WINDOW_OPEN, handle_nothing       },
    {KVM_EXIT_INTR,            handle_nothing       },
    {KVM_EXIT_SET_TPR,         handle_nothing       },
    {KVM_EXIT_TPR_ACCESS,      handle_nothing       },
    {KVM_EXIT_NMI,             handle_nothing       },
    {KVM_EXIT_DEBUG,           handle_nothing       },
    {KVM_EXIT_X86_BUS_LOCK,    handle_nothing       },
    {KVM_EXIT_NOTIFY,          handle_nothing       },
    {KVM_EXIT_IOAPIC_EOI,      handle_ioapic_eoi    },
    {KVM_EXIT_SHUTDOWN,        handle_shutdown      },
    {KVM_EXIT_SYSTEM_EVENT,    handle_system_event  },
    {KVM_EXIT_X86_RDMSR,       handle_msr           },
    {KVM_EXIT_X86_WRMSR,       handle_msr           },
    {KVM_EXIT_HYPERCALL,       handle_hypercall     },
    {KVM_EXIT_INTERNAL_ERROR,  handle_internal_error},
    {KVM_EXIT_FAIL_ENTRY,      handle_fail_entry    },
    {KVM_EXIT_UNKNOWN,         handle_unknown       },
};

bool kvm_handle_exit(CPUState *cpu)
{
    KVMRun *run = kvm_vcpu(cpu)->run;

    for (size_t i = 0; i < G_N_ELEMENTS(handlers); i++) {
        if (handlers[i].reason == run->exit_reason) {
            return handlers[i].handle(cpu, run);
        }
    }
    g_autofree char *why = g_strdup_printf("exit %u (%s), for which there is no handler",
                                           run->exit_reason, kvm_exit_name(run->exit_reason));
    return give_up(cpu, why);
}
