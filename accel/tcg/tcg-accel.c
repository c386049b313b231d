/* SPDX-License-Identifier: MIT
 *
 * The translator as an accelerator (request T6): its types, and the thread
 * of a vCPU.
 */
#include "accel/accel.h"
#include <inttypes.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>
#include "accel/tcg/tcg-internal.h"
#include "hw/core/machine.h"
#include "system/log.h"
#include "system/memory/memory.h"

typedef struct TCGAccel {
    AccelState parent_obj;
    TcgState state;
    MemoryListener smm_listener;
    bool ready;
} TCGAccel;

#define TCG_ACCEL(obj) OBJECT_CHECK(TCGAccel, (obj), TYPE_TCG_ACCEL)

static TcgState *listener_state(MemoryListener *l)
{
    return (TcgState *)((char *)l - offsetof(TcgState, listener));
}

static void tcg_memory_log_switched(MemoryListener *l, RAMBlock *block)
{
    tcg_log_switched(listener_state(l), block);
}

static void tcg_memory_log_clear(MemoryListener *l, RAMBlock *block, size_t first, size_t count)
{
    tcg_log_clear(listener_state(l), block, first, count);
}

/* The memory map changed: every vCPU compares the view's generation when it looks. */
static void tcg_kick_all(TcgState *s)
{
    g_mutex_lock(&s->exclusive_lock);
    for (unsigned i = 0; i < s->cpus->len; i++) {
        tcg_kick(g_ptr_array_index(s->cpus, i));
    }
    g_mutex_unlock(&s->exclusive_lock);
}

static void tcg_memory_commit(MemoryListener *l)
{
    tcg_kick_all(listener_state(l));
}

void tcg_listen(TcgState *s, AddressSpace *as)
{
    s->listener = (MemoryListener){
        .commit = tcg_memory_commit,
        .log_switched = tcg_memory_log_switched,
        .log_clear = tcg_memory_log_clear,
    };
    memory_listener_register(&s->listener, as);
}

static void tcg_smm_commit(MemoryListener *l)
{
    tcg_kick_all(&((TCGAccel *)((char *)l - offsetof(TCGAccel, smm_listener)))->state);
}

/* Only the board knows whether there is a memory map of SMM. */
static bool tcg_setup_post(AccelState *accel, GError **error)
{
    TCGAccel *tcg = TCG_ACCEL(accel);

    if (accel->machine->smram) {
        tcg->smm_listener.commit = tcg_smm_commit;
        memory_listener_register(&tcg->smm_listener, &accel->machine->address_space_smm);
    }
    return true;
}

static bool tcg_init_machine(AccelState *accel, MachineState *machine, GError **error)
{
    TCGAccel *tcg = TCG_ACCEL(accel);

    cpu_set_t host;

    tcg->state.host_cpus = sched_getaffinity(0, sizeof(host), &host) ? 1 : (unsigned)CPU_COUNT(&host);
    tcg_fp_init();
    if (!tcg_cache_init(&tcg->state, error)) {
        return false;
    }
    if (!tcg_state_register(&tcg->state)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_TYPE, "tcg: too many machines in one process");
        tcg_cache_finish(&tcg->state);
        return false;
    }
    tcg->state.machine = machine;
    tcg_listen(&tcg->state, &machine->address_space_memory);
    tcg->ready = true;
    return true;
}

static void tcg_log_statistics(TcgState *s)
{
    log_if(LOG_STATS,
           "tcg: %" PRIu64 " blocks made, %" PRIu64 " invalidated, %" PRIu64
           " flushes, %zu KiB hot, %zu KiB cold code\n",
           s->translate_count, s->invalidate_count, s->flush_count,
           (size_t)(s->hot - s->hot_start) >> 10, (size_t)(s->cold - s->cold_start) >> 10);
}

static void tcg_accel_finalize(Object *obj)
{
    TCGAccel *tcg = TCG_ACCEL(obj);

    if (tcg->ready) {
        memory_listener_unregister(&tcg->state.listener);
        memory_listener_unregister(&tcg->smm_listener);
        tcg_state_unregister(&tcg->state);
        tcg_log_statistics(&tcg->state);
        tcg_cache_finish(&tcg->state);
    }
}

static int tcg_probe(char **ret_why)
{
    *ret_why = g_strdup("the translator runs everywhere");
    return 1;
}

static const Property tcg_accel_properties[] = {
    DEFINE_PROP_SIZE("tb-size", TCGAccel, state.code_size, CODE_SIZE_DEFAULT,
                     "Memory for translated code, not counting what is seldom run; when it is full "
                     "translation begins anew",
                     .min = 1u << 20, .max = 512u << 20),
    DEFINE_PROP_END,
};

static void tcg_accel_class_init(ObjectClass *klass, const void *data)
{
    AccelClass *ac = ACCEL_CLASS(klass);

    ac->name = "tcg";
    ac->doc = "Translates x86 guest code to x86 host code";
    ac->ops_type = ACCEL_OPS_NAME("tcg");
    ac->init_machine = tcg_init_machine;
    ac->setup_post = tcg_setup_post;
    ac->probe = tcg_probe;
}

/* ---- vCPUs ------------------------------------------------------------------------------- */

static void log_cpu_statistics(CPUX86State *env)
{
    TcgEnv *t = tcg_env(env);

    log_if(LOG_STATS,
           "tcg: cpu %d: %" PRIu64 " entries, %" PRIu64 " lookups, %" PRIu64 " slow accesses, %" PRIu64
           " fills, %" PRIu64 " device accesses, %" PRIu64 " instructions in C\n",
           env_cpu(env)->cpu_index, t->stat_exit, t->stat_lookup, t->stat_mmu_slow,
           t->stat_mmu_fill, t->stat_io, t->stat_c_insn);
}

/*
 * A CPU that halts is often woken before its thread would be asleep: it stays awake for a while if
 * that was so the last times, and if it takes no host CPU from another one of the machine.  What
 * idles for longer never does so.
 */
#define AWAKE_NS_MIN 10000
#define AWAKE_NS_MAX 200000

static int64_t monotonic_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * NANOSECONDS_PER_SECOND + ts.tv_nsec;
}

static bool may_stay_awake(CPUState *cpu)
{
    return atomic_load(&cpu->halted) && !atomic_load(&cpu->interrupt_request) &&
           !atomic_load(&cpu->exit_request) && !atomic_load(&cpu->stop) &&
           !atomic_load(&cpu->stopped) && !atomic_load(&cpu->unplug);
}

static void stay_awake(CPUState *cpu, const TcgState *s, int64_t until)
{
    while (may_stay_awake(cpu) && atomic_load(&s->awake) <= s->host_cpus &&
           monotonic_ns() < until) {
        sched_yield(); /* who is to wake us may wait for this very host CPU */
    }
}

static void tcg_wait(CPUState *cpu)
{
    TcgEnv *t = tcg_env(cpu_env(cpu));
    int64_t start, took;

    if (!may_stay_awake(cpu)) {
        cpu_wait_io_event(cpu);
        return;
    }
    start = monotonic_ns();
    if (t->awake_ns) {
        stay_awake(cpu, t->tcg, start + t->awake_ns);
    }
    atomic_fetch_sub(&t->tcg->awake, 1);
    cpu_wait_io_event(cpu);
    atomic_fetch_add(&t->tcg->awake, 1);
    took = monotonic_ns() - start;
    if (took > AWAKE_NS_MAX) {
        t->awake_ns = 0;
    } else if (took > t->awake_ns) {
        t->awake_ns = CLAMP(2 * t->awake_ns, AWAKE_NS_MIN, AWAKE_NS_MAX);
    }
}

static gpointer tcg_vcpu_thread_fn(gpointer data)
{
    CPUState *cpu = data;
    CPUX86State *env = cpu_env(cpu);

    vmm_thread_register();
    current_cpu = cpu;
    cpu->thread_id = (int)gettid();
    tcg_thread_init(env);
    atomic_fetch_add(&tcg_env(env)->tcg->awake, 1);
    while (!atomic_load(&cpu->unplug)) {
        if (!atomic_load(&cpu->stopped) && !atomic_load(&cpu->stop)) {
            tcg_cpu_exec(cpu);
        }
        tcg_wait(cpu);
    }
    atomic_fetch_sub(&tcg_env(env)->tcg->awake, 1);
    log_cpu_statistics(env);
    tcg_thread_finish(env);
    tcg_cpu_detach(env);
    current_cpu = NULL;
    vmm_thread_unregister();
    return NULL;
}

static bool tcg_start_vcpu_thread(CPUState *cpu, GError **error)
{
    g_autofree char *name = g_strdup_printf("CPU %d/TCG", cpu->cpu_index);
    TCGAccel *tcg = TCG_ACCEL(cpu->machine->accelerator);

    tcg_cpu_attach(&tcg->state, cpu_env(cpu));
    cpu->created = true;
    cpu->thread = g_thread_try_new(name, tcg_vcpu_thread_fn, cpu, error);
    return cpu->thread != NULL;
}

static void tcg_kick_vcpu_thread(CPUState *cpu)
{
    tcg_kick(cpu_env(cpu));
}

static void tcg_handle_interrupt(CPUState *cpu, uint32_t mask)
{
    uint32_t old = atomic_fetch_or(&cpu->interrupt_request, mask);

    tcg_kick(cpu_env(cpu));
    if (current_cpu != cpu && (old & mask) != mask && atomic_load(&cpu->waiting)) {
        g_mutex_lock(&cpu->lock); /* until it sleeps; woken, it wants the lock at once */
        g_mutex_unlock(&cpu->lock);
        g_cond_broadcast(&cpu->halt_cond);
    }
}

static void tcg_synchronize_post_reset(CPUState *cpu)
{
    CPUX86State *env = cpu_env(cpu);

    if (tcg_env(env)->tcg) {
        x86_tlb_flush(env, false);
    }
}

static void tcg_accel_ops_class_init(ObjectClass *klass, const void *data)
{
    AccelOpsClass *ops = ACCEL_OPS_CLASS(klass);

    ops->create_vcpu_thread = tcg_start_vcpu_thread;
    ops->kick_vcpu_thread = tcg_kick_vcpu_thread;
    ops->handle_interrupt = tcg_handle_interrupt;
    ops->synchronize_post_reset = tcg_synchronize_post_reset;
}

static const TypeInfo tcg_types[] = {
    {
        .name = TYPE_TCG_ACCEL,
        .parent = TYPE_ACCEL,
        .instance_size = sizeof(TCGAccel),
        .instance_finalize = tcg_accel_finalize,
        .class_init = tcg_accel_class_init,
        .properties = tcg_accel_properties,
        .doc = "Same-ISA dynamic translator",
    },
    {
        .name = ACCEL_OPS_NAME("tcg"),
        .parent = TYPE_ACCEL_OPS,
        .class_init = tcg_accel_ops_class_init,
        .doc = "How vCPUs run under the translator",
    },
    {
        .name = ACCEL_CPU_NAME("tcg"),
        .parent = TYPE_ACCEL_CPU,
        .doc = "What the translator does to CPU classes",
    },
};
DEFINE_TYPES(tcg_types)
