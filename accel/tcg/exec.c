/* SPDX-License-Identifier: MIT
 *
 * The execution loop of a vCPU: events between blocks, and the sections in
 * which one vCPU has all others out of generated code.
 */
#include <inttypes.h>
#include "accel/tcg/tcg-internal.h"
#include "hw/core/machine.h"
#include "system/log.h"
#include "target/i386/apic.h"
#include "target/i386/exception.h"
#include "target/i386/smm.h"


/* ---- exclusive sections ------------------------------------------------------------------ */

void tcg_kick(CPUX86State *env)
{
    atomic_store(&tcg_env(env)->poll, 1);
}

void tcg_exec_start(CPUX86State *env)
{
    TcgEnv *t = tcg_env(env);
    TcgState *s = t->tcg;

    for (;;) {
        atomic_store(&t->running, true);
        if (!atomic_load(&s->exclusive_pending)) {
            return;
        }
        g_mutex_lock(&s->exclusive_lock);
        atomic_store(&t->running, false);
        g_cond_broadcast(&s->exclusive_cond);
        while (atomic_load(&s->exclusive_pending)) {
            g_cond_wait(&s->exclusive_cond, &s->exclusive_lock);
        }
        g_mutex_unlock(&s->exclusive_lock);
    }
}

void tcg_exec_end(CPUX86State *env)
{
    TcgEnv *t = tcg_env(env);
    TcgState *s = t->tcg;

    atomic_store(&t->running, false);
    if (atomic_load(&s->exclusive_pending)) {
        g_mutex_lock(&s->exclusive_lock);
        g_cond_broadcast(&s->exclusive_cond);
        g_mutex_unlock(&s->exclusive_lock);
    }
}

static bool others_running(TcgState *s, CPUX86State *env)
{
    for (unsigned i = 0; i < s->cpus->len; i++) {
        CPUX86State *other = g_ptr_array_index(s->cpus, i);

        if (other != env && atomic_load(&tcg_env(other)->running)) {
            tcg_kick(other);
            return true;
        }
    }
    return false;
}

void tcg_start_exclusive(CPUX86State *env)
{
    TcgEnv *t = tcg_env(env);
    TcgState *s = t->tcg;

    if (s->cpus->len < 2) {
        return;
    }
    g_mutex_lock(&s->exclusive_lock);
    atomic_store(&t->running, false);
    g_cond_broadcast(&s->exclusive_cond);
    while (atomic_load(&s->exclusive_pending)) {
        g_cond_wait(&s->exclusive_cond, &s->exclusive_lock);
    }
    atomic_store(&s->exclusive_pending, true);
    while (others_running(s, env)) {
        g_cond_wait_until(&s->exclusive_cond, &s->exclusive_lock,
                          g_get_monotonic_time() + G_TIME_SPAN_MILLISECOND);
    }
    t->in_exclusive = true;
    g_mutex_unlock(&s->exclusive_lock);
}

void tcg_end_exclusive(CPUX86State *env)
{
    TcgEnv *t = tcg_env(env);
    TcgState *s = t->tcg;

    if (!t->in_exclusive) {
        return;
    }
    g_mutex_lock(&s->exclusive_lock);
    t->in_exclusive = false;
    atomic_store(&t->running, true);
    atomic_store(&s->exclusive_pending, false);
    g_cond_broadcast(&s->exclusive_cond);
    g_mutex_unlock(&s->exclusive_lock);
}

/* Some vCPU waits for an exclusive section of its own in the middle of a block. */
static bool any_in_block(TcgState *s)
{
    for (unsigned i = 0; i < s->cpus->len; i++) {
        if (atomic_load(&tcg_env(g_ptr_array_index(s->cpus, i))->in_block)) {
            return true;
        }
    }
    return false;
}

/* Begin translation anew.  Not while a vCPU is to come back to what would be overwritten. */
static void flush_code(CPUX86State *env)
{
    TcgState *s = tcg_env(env)->tcg;

    tcg_start_exclusive(env);
    g_mutex_lock(&s->lock);
    if (tcg_cache_full(s) && !any_in_block(s)) {
        tcg_cache_reset(s);
        for (unsigned i = 0; i < s->cpus->len; i++) {
            TcgEnv *t = tcg_env(g_ptr_array_index(s->cpus, i));

            for (int set = 0; set < TCG_SET_COUNT; set++) {
                tcg_jc_flush(t, set, false);
            }
        }
    }
    g_mutex_unlock(&s->lock);
    tcg_end_exclusive(env);
}

/* ---- events -------------------------------------------------------------------------------- */

static void take_hard_interrupt(CPUX86State *env)
{
    X86CPU *cpu = env_archcpu(env);
    int vector = -1;

    if (cpu->apic) {
        vector = x86_cpu_apic_ops(cpu)->get_interrupt((X86APIC *)cpu->apic);
    }
    if (vector >= 0) {
        log_if(LOG_INT, "interrupt %#04x at %#" PRIx64 "\n", (unsigned)vector, env->rip);
        atomic_store(&env_cpu(env)->halted, false);
        x86_deliver_hard_interrupt(env, vector);
    }
}

/* One pending event, the most urgent first (SDM vol. 3, table 6-2). */
static void take_interrupts(CPUX86State *env)
{
    CPUState *cs = env_cpu(env);
    uint32_t request = atomic_load(&cs->interrupt_request);

    if ((request & CPU_INTERRUPT_SMI) && x86_smi_deliverable(env)) {
        cpu_reset_interrupt(cs, CPU_INTERRUPT_SMI);
        x86_enter_smm(env);
    } else if ((request & CPU_INTERRUPT_INIT) && x86_init_deliverable(env)) {
        cpu_reset_interrupt(cs, CPU_INTERRUPT_INIT);
        x86_cpu_do_init(X86_CPU(cs));
    } else if (request & CPU_INTERRUPT_SIPI) {
        cpu_reset_interrupt(cs, CPU_INTERRUPT_SIPI);
        x86_cpu_do_sipi(X86_CPU(cs));
    } else if (env->wait_for_sipi) {
        return;
    } else if ((request & CPU_INTERRUPT_NMI) && !env->nmi_blocked && !env->shadow) {
        cpu_take_nmi(cs);
        atomic_store(&cs->halted, false);
        x86_deliver_nmi(env);
    } else if ((request & CPU_INTERRUPT_HARD) && x86_interruptible(env)) {
        take_hard_interrupt(env);
    }
}

static void deliver_exception(CPUX86State *env)
{
    log_if(LOG_INT, "exception %d error %#x at %04x:%#" PRIx64 " cr2 %#" PRIx64 "\n",
           env->exception_index, env->error_code, env->segs[R_CS].selector, env->rip, env->cr2);
    x86_deliver_exception(env);
}

/* ---- running ------------------------------------------------------------------------------- */

static void log_block(CPUX86State *env, const Block *b)
{
    if (log_enabled(LOG_CPU)) {
        g_autoptr(GString) text = g_string_new(NULL);

        x86_cpu_dump_state(env_cpu(env), text);
        log_printf("%s", text->str);
    }
    log_if(LOG_EXEC, "block %u at %#" PRIx64 " flags %#" PRIx64 "\n", b->index, b->pc, b->flags);
}

/*
 * Code breakpoints are met before the instruction (SDM vol. 3, 18.3.1.1): on Intel not behind
 * mov ss (6.8.3).
 */
static void check_code_breakpoints(CPUX86State *env)
{
    uint64_t linear = env->hflags & HF_CS64 ? env->rip
                                            : (uint32_t)(env->rip + env->segs[R_CS].base);
    uint32_t hits;

    if ((env->rflags & RF_MASK) ||
        ((env->shadow & X86_SHADOW_MOVSS) && x86_cpuid_is_intel(&env_archcpu(env)->cpuid))) {
        return;
    }
    hits = x86_match_breakpoints(env, linear, 1, X86_BP_EXEC);
    if (hits) {
        x86_raise_debug(env, hits);
    }
}

/* An event came between mov ss and the instruction after it: before the handler's first. */
static void check_held_breakpoints(CPUX86State *env)
{
    uint32_t held = env->debug_held;

    if (held && !env->shadow) {
        env->debug_held = 0;
        x86_raise_debug(env, held);
    }
}

/* Code for env->rip; NULL: look again at what there is to do. */
static const uint8_t *block_to_run(CPUX86State *env)
{
    uint64_t flags = tcg_block_flags(env);
    bool logged = log_mask & (LOG_EXEC | LOG_CPU);
    const uint8_t *host = logged ? NULL : tcg_jc_find(env, flags);
    Block *b;

    if (host) {
        return host;
    }
    b = tcg_block_lookup(env, flags | TBF_FLAGS_IMAGE);
    if (!b) {
        return NULL;
    }
    tcg_jc_insert(env, b);
    if (G_UNLIKELY(logged)) {
        log_block(env, b);
    }
    return b->hot;
}

const uint8_t *tcg_go_on(CPUX86State *env)
{
    const CPUState *cs = env_cpu(env);
    const TcgEnv *t = tcg_env(env);

    if (atomic_load_explicit(&t->poll, memory_order_relaxed) ||
        atomic_load_explicit(&cs->interrupt_request, memory_order_relaxed) ||
        atomic_load_explicit(&cs->halted, memory_order_relaxed) || env->shadow ||
        env->exception_index >= 0 || t->view_changed || t->restart_single || t->bare ||
        G_UNLIKELY(log_mask & (LOG_EXEC | LOG_CPU))) {
        return NULL;
    }
    return tcg_jc_find(env, tcg_block_flags(env));
}

/* From env->rip until something is to be done here. */
static void run_blocks(CPUX86State *env)
{
    TcgEnv *t = tcg_env(env);
    uint32_t traps = env->debug_held | (env->hflags & HF_TF ? DR6_BS : 0);
    uint32_t shadow = env->shadow;
    uint64_t in_c = t->stat_c_insn;
    const uint8_t *host;

    check_held_breakpoints(env);
    if (env->hflags & HF_DRX) {
        check_code_breakpoints(env);
    }
    t->single_insn = shadow != 0 || t->restart_single;
    t->restart_single = false;
    host = block_to_run(env);
    t->single_insn = false;
    if (!host) {
        return;
    }
    env->shadow = 0;
    t->stat_exit++;
    tcg_flags_from_env(env);
    atomic_store_explicit(&t->in_block, true, memory_order_relaxed);
    tcg_enter(env, host);
    atomic_store_explicit(&t->in_block, false, memory_order_relaxed);
    tcg_flags_to_env(env);
    if (in_c != t->stat_c_insn) {
        return; /* x86_exec_insn() sees to its own */
    }
    if (env->hflags & (HF_TF | HF_DRX)) {
        env->rflags &= ~(uint64_t)RF_MASK;
    }
    env->debug_held = 0;
    if (traps) {
        x86_raise_debug(env, traps);
    }
}

static bool must_leave(CPUState *cs)
{
    return atomic_load(&cs->exit_request) || atomic_load(&cs->stop) || atomic_load(&cs->unplug) ||
           (atomic_load(&cs->interrupt_request) & CPU_INTERRUPT_EXIT);
}

static bool has_wake_up(CPUState *cs)
{
    const CPUClass *cc = (const CPUClass *)object_get_class(OBJECT(cs)); /* often: no checked cast */

    return cc->has_work ? cc->has_work(cs) : atomic_load(&cs->interrupt_request) != 0;
}

static int exec_loop(CPUX86State *env)
{
    CPUState *cs = env_cpu(env);
    TcgEnv *t = tcg_env(env);

    for (;;) {
        if (atomic_load(&t->poll)) { /* what is asked for from here on is seen at the next poll */
            atomic_store(&t->poll, 0);
        }
        if (atomic_load(&t->tcg->exclusive_pending)) {
            tcg_exec_end(env);
            tcg_exec_start(env);
        }
        if (atomic_load(&t->flush_pending) && atomic_exchange(&t->flush_pending, false)) {
            flush_code(env);
        }
        if (atomic_load(&t->log_pending)) {
            atomic_store(&t->log_pending, false);
            tcg_log_drop_tags(t);
        }
        tcg_io_changed(env);
        t->view_changed = false;
        if (env->exception_index >= 0 && t->bare) {
            return TCG_EXIT_REQUEST;
        }
        if (env->exception_index >= 0) {
            deliver_exception(env);
            continue;
        }
        if (must_leave(cs)) {
            return TCG_EXIT_REQUEST;
        }
        if (atomic_load(&cs->interrupt_request)) {
            take_interrupts(env);
        }
        if (atomic_load(&cs->halted)) {
            if (t->bare || !has_wake_up(cs)) {
                return TCG_EXIT_HALTED;
            }
            atomic_store(&cs->halted, false);
            continue;
        }
        run_blocks(env);
    }
}

/* Run the guest until the thread has something else to do. */
int tcg_cpu_exec(CPUState *cs)
{
    CPUX86State *env = cpu_env(cs);
    int reason;

    tcg_env(env)->tsc_until = 0; /* the VM's clock may have stood */
    tcg_exec_start(env);
    if (sigsetjmp(cs->jmp_env, 0)) {
        tcg_env(env)->single_insn = false;
        atomic_store(&tcg_env(env)->in_block, false);
        tcg_end_exclusive(env);
    }
    reason = exec_loop(env);
    if (tcg_env(env)->fp_live) {
        tcg_fp_save(env);
    }
    tcg_exec_end(env);
    atomic_store(&cs->exit_request, 0);
    return reason;
}

/* ---- birth and death ------------------------------------------------------------------------ */

void tcg_cpu_attach(TcgState *s, CPUX86State *env)
{
    TcgEnv *t = tcg_env(env);

    t->self = env;
    t->tcg = s;
    tcg_tlb_init(env);
    g_mutex_lock(&s->lock);
    g_mutex_lock(&s->exclusive_lock);
    g_ptr_array_add(s->cpus, env);
    g_mutex_unlock(&s->exclusive_lock);
    g_mutex_unlock(&s->lock);
}

void tcg_cpu_detach(CPUX86State *env)
{
    TcgState *s = tcg_env(env)->tcg;

    if (!s) {
        return;
    }
    g_mutex_lock(&s->lock);
    g_mutex_lock(&s->exclusive_lock);
    g_ptr_array_remove(s->cpus, env);
    g_mutex_unlock(&s->exclusive_lock);
    g_mutex_unlock(&s->lock);
    tcg_env(env)->tcg = NULL;
}
