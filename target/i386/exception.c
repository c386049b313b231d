/* SPDX-License-Identifier: MIT
 *
 * Raising exceptions.  SDM vol. 3, 6.15 with table 6-5 (double faults), 18.2 (debug
 * registers).
 */
#include "target/i386/exception.h"
#include "hw/core/machine.h"
#include "system/log.h"

G_NORETURN void x86_shutdown(CPUX86State *env)
{
    CPUState *cs = env_cpu(env);

    if (log_enabled(LOG_RESET | LOG_INT)) {
        g_autoptr(GString) text = g_string_new(NULL);
        x86_cpu_dump_state(cs, text);
        log_printf("cpu %d: triple fault\n%s", cs->cpu_index, text->str);
    }
    env->exception_index = -1;
    env->old_exception = -1;
    atomic_store(&cs->halted, true);
    env->wait_for_sipi = true; /* nothing but INIT or reset gets it out */
    system_reset_request(cs->machine, SHUTDOWN_CAUSE_GUEST_RESET);
    cpu_loop_exit(cs);
}

static bool is_contributory(int vector)
{
    return vector == EXCP_DE || (vector >= EXCP_TS && vector <= EXCP_GP);
}

/* What `second` becomes when it is met while `first` is being delivered. */
static int fold_exception(CPUX86State *env, int first, int second, uint32_t *error_code)
{
    bool serious = is_contributory(second) || second == EXCP_PF;

    if (first == EXCP_DF && serious) {
        x86_shutdown(env);
    }
    if ((is_contributory(first) && is_contributory(second)) || (first == EXCP_PF && serious)) {
        *error_code = 0;
        return EXCP_DF;
    }
    return second;
}

static G_NORETURN void raise_event(CPUX86State *env, int vector, uint32_t error_code, int is_int,
                                   uint64_t next_rip)
{
    if (env->old_exception >= 0 && !is_int) {
        vector = fold_exception(env, env->old_exception, vector, &error_code);
    }
    env->old_exception = -1;
    env->exception_index = vector;
    env->error_code = error_code;
    env->exception_is_int = is_int;
    env->exception_next_rip = next_rip;
    cpu_loop_exit(env_cpu(env));
}

G_NORETURN void x86_raise_exception(CPUX86State *env, int vector)
{
    raise_event(env, vector, 0, 0, env->rip);
}

G_NORETURN void x86_raise_exception_err(CPUX86State *env, int vector, uint32_t error_code)
{
    raise_event(env, vector, error_code, 0, env->rip);
}

G_NORETURN void x86_raise_x87(CPUX86State *env)
{
    IRQ ferr = env_archcpu(env)->ferr;

    if ((env->cr0 & CR0_NE) || !ferr) {
        x86_raise_exception(env, EXCP_MF);
    }
    irq_raise(ferr);
    env->old_exception = -1;
    cpu_loop_exit(env_cpu(env));
}

G_NORETURN void x86_raise_interrupt(CPUX86State *env, int vector, uint64_t next_rip)
{
    raise_event(env, vector, 0, X86_EVENT_SOFT, next_rip);
}

G_NORETURN void x86_raise_int1(CPUX86State *env, uint64_t next_rip)
{
    if (env->debug_held) { /* by a mov ss just before: one #DB tells of both */
        env->dr[6] = (env->dr[6] & ~(uint64_t)DR6_B_MASK) | env->debug_held;
        env->debug_held = 0;
    }
    raise_event(env, EXCP_DB, 0, X86_EVENT_INT1, next_rip);
}

G_NORETURN void x86_raise_page_fault(CPUX86State *env, uint64_t linear, uint32_t error_code)
{
    env->cr2 = linear;
    raise_event(env, EXCP_PF, error_code, 0, env->rip);
}

G_NORETURN void x86_raise_debug(CPUX86State *env, uint32_t dr6_bits)
{
    /* Vol. 3, 17.2.3: B0 to B3 tell of this exception only; the others stay until cleared. */
    env->dr[6] = (env->dr[6] & ~(uint64_t)DR6_B_MASK) | dr6_bits;
    env->dr[7] &= ~(uint64_t)DR7_GD;
    raise_event(env, EXCP_DB, 0, 0, env->rip);
}

/* ---- breakpoints ------------------------------------------------------------------- */

static unsigned breakpoint_len(unsigned code)
{
    return code == 2 ? 8 : code + 1;
}

static bool breakpoint_kind_matches(const CPUX86State *env, unsigned rw, X86Breakpoint kind)
{
    switch (kind) {
    case X86_BP_IO:
        return rw == X86_BP_IO && (env->cr4 & CR4_DE);
    case X86_BP_WRITE:
        return rw == X86_BP_WRITE || rw == X86_BP_RW;
    default:
        return rw == (unsigned)kind;
    }
}

uint32_t x86_match_breakpoints(const CPUX86State *env, uint64_t addr, size_t len,
                               X86Breakpoint kind)
{
    uint64_t dr7 = env->dr[7];
    uint32_t hits = 0, enabled = 0;

    for (int i = 0; i < 4; i++) {
        unsigned size = breakpoint_len((dr7 >> (18 + i * 4)) & 3);
        uint64_t start = env->dr[i] & ~(uint64_t)(size - 1);

        if (breakpoint_kind_matches(env, (dr7 >> (16 + i * 4)) & 3, kind) &&
            addr < start + size && start < addr + len) {
            hits |= 1u << i;
            enabled |= (dr7 >> (i * 2)) & 3;
        }
    }
    return enabled ? hits : 0;
}
