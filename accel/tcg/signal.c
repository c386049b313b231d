/* SPDX-License-Identifier: MIT
 *
 * Exceptions of the host in generated code are exceptions of the guest:
 * division errors, x87 and SIMD exceptions, misaligned SSE operands, AVX instructions
 * that this host does not have.  The guest's rsp may be anything, so handlers run on
 * a stack of their own that is disarmed while in use.
 */
#include <asm/prctl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include "accel/tcg/tcg-internal.h"

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif
#define SIGNAL_STACK_SIZE (64u << 10)
#define TRAP_DE 0
#define TRAP_UD 6
#define TRAP_GP 13
#define TRAP_PF 14
#define TRAP_MF 16
#define TRAP_AC 17
#define TRAP_XM 19

static struct sigaction old_actions[NSIG];

static const int greg_of[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                REG_RSI, REG_RDI, REG_R8,  REG_R9,  -1,      -1,
                                REG_R12, REG_R13, REG_R14, REG_R15};

static const InsnMap *find_insn(const Block *b, const uint8_t *pc, bool in_cold)
{
    const InsnMap *found = &b->map[0];
    uint32_t offset = (uint32_t)(pc - (in_cold ? b->cold : b->hot));

    for (unsigned i = 1; i < b->insn_count; i++) {
        if ((in_cold ? b->map[i].cold : b->map[i].hot) > offset) {
            break;
        }
        found = &b->map[i];
    }
    return found;
}

static uint16_t image_of(uint64_t eflags)
{
    return (uint16_t)(((eflags & 0xd5u) | 2u) << 8) | ((eflags & CC_O) ? 1 : 0);
}

static bool is_guest_trap(CPUX86State *env, const greg_t *regs)
{
    long trap = regs[REG_TRAPNO];

    if (trap == TRAP_PF) {
        return tcg_guard_fault(env, (uint64_t)regs[REG_CR2]);
    }
    return trap == TRAP_DE || trap == TRAP_UD || trap == TRAP_GP || trap == TRAP_MF ||
           trap == TRAP_AC || trap == TRAP_XM;
}

/* Make the context that of the fault thunk; false: not the guest's doing. */
static bool handle_fault(ucontext_t *uc)
{
    greg_t *regs = uc->uc_mcontext.gregs;
    const uint8_t *pc = (const uint8_t *)(uintptr_t)regs[REG_RIP];
    CPUX86State *env = current_cpu ? cpu_env(current_cpu) : NULL;
    TcgState *s = env ? tcg_env(env)->tcg : NULL;
    const InsnMap *m;
    Block *b;

    if (!s || !tcg_host_pc_in_cache(s, pc) || !is_guest_trap(env, regs)) {
        return false;
    }
    b = tcg_block_from_host(s, pc);
    if (!b || !b->map) {
        return false;
    }
    m = find_insn(b, pc, pc >= s->cold_start);
    for (unsigned i = 0; i < 16; i++) {
        if (greg_of[i] >= 0) {
            env->regs[i] = (uint64_t)regs[greg_of[i]];
        }
    }
    if (m->flags_host) {
        tcg_env(env)->flags_image = image_of((uint64_t)regs[REG_EFL]);
    }
    env->rip = b->pc + m->guest;
    tcg_env(env)->fault_vector = (uint32_t)regs[REG_TRAPNO];
    regs[REG_RIP] = (greg_t)(uintptr_t)s->thunk[THUNK_FAULT];
    return true;
}

static void on_signal(int sig, siginfo_t *info, void *opaque)
{
    if (handle_fault(opaque)) {
        return;
    }
    /* Not ours: let it happen again under whatever was there before. */
    sigaction(sig, &old_actions[sig], NULL);
    if (info->si_code <= 0) {
        raise(sig);
    }
}

static void install_handlers(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    static gsize once;

    if (!g_once_init_enter(&once)) {
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(signals); i++) {
        struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};

        sigemptyset(&action.sa_mask);
        sigaction(signals[i], &action, &old_actions[signals[i]]);
    }
    g_once_init_leave(&once, 1);
}

void tcg_thread_init(CPUX86State *env)
{
    TcgEnv *t = tcg_env(env);
    stack_t stack;

    install_handlers();
    t->signal_stack = mmap(NULL, SIGNAL_STACK_SIZE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack = (stack_t){
        .ss_sp = t->signal_stack, .ss_size = SIGNAL_STACK_SIZE, .ss_flags = (int)SS_AUTODISARM};
    sigaltstack(&stack, NULL);
    syscall(SYS_arch_prctl, ARCH_SET_GS, env);
}

void tcg_thread_finish(CPUX86State *env)
{
    TcgEnv *t = tcg_env(env);
    stack_t stack = {.ss_flags = SS_DISABLE};

    syscall(SYS_arch_prctl, ARCH_SET_GS, 0ul);
    sigaltstack(&stack, NULL);
    if (t->signal_stack) {
        munmap(t->signal_stack, SIGNAL_STACK_SIZE);
        t->signal_stack = NULL;
    }
    if (t->guard) {
        munmap(t->guard, GUARD_PAGES * 0x1000);
        t->guard = NULL;
    }
}
