/* SPDX-License-Identifier: MIT
 *
 * Runs a case on this processor: jumps to it and takes the state from the
 * signal that ends it.  For a process of its own (see worker.c).
 */
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>
#include "target/i386/cpuid.h"
#include "tests/oracle/case.h"

#ifndef HWCAP2_FSGSBASE
#define HWCAP2_FSGSBASE (1 << 1)
#endif

#define VECTOR_TIMEOUT 255

void native_enter(const RegState *state, uint32_t code32, uint32_t selector);
extern const char native_leave[];

static RegState *result;
static volatile sig_atomic_t running;

static void store_gprs(const greg_t *g, RegState *s)
{
    static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                  REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                  REG_R12, REG_R13, REG_R14, REG_R15};

    for (unsigned k = 0; k < 16; k++) {
        s->gpr[k] = (uint64_t)g[order[k]];
    }
    s->rip = (uint64_t)g[REG_RIP];
    s->rflags = (uint64_t)g[REG_EFL];
}

/* FS may be the case's: no thread-local variable, no stack protector (see meson.build). */
static void handler(int sig, siginfo_t *info, void *context)
{
    ucontext_t *u = context;
    greg_t *g = u->uc_mcontext.gregs;

    if (!running) {
        _exit(99);
    }
    running = 0;
    store_gprs(g, result);
    result->vector = sig == SIGALRM ? VECTOR_TIMEOUT : (uint64_t)g[REG_TRAPNO];
    result->error = (uint64_t)g[REG_ERR];
    result->cr2 = result->vector == 14 ? (uint64_t)g[REG_CR2] : 0;
    memcpy(result->xsave, u->uc_mcontext.fpregs, XSAVE_SIZE);
    g[REG_RIP] = (greg_t)(uintptr_t)native_leave;
    g[REG_EFL] = 0x202;
    g[REG_CSGSFS] = (g[REG_CSGSFS] & ~0xffffll) | 0x33;
}

static bool map_areas(void)
{
    static const struct {
        uintptr_t base;
        size_t size;
    } areas[] = {
        {CODE_BASE,  CODE_SIZE },
        {DATA_BASE,  DATA_SIZE },
        {RO_BASE,    RO_SIZE   },
        {STACK_BASE, STACK_SIZE},
    };

    for (unsigned k = 0; k < 4; k++) {
        void *want = (void *)areas[k].base;
        int prot = PROT_READ | PROT_WRITE | (k == 0 ? PROT_EXEC : 0);

        if (mmap(want, areas[k].size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
                 0) != want) {
            perror("mmap");
            return false;
        }
    }
    case_fill_ro((uint8_t *)(uintptr_t)RO_BASE);
    return mprotect((void *)(uintptr_t)RO_BASE, RO_SIZE, PROT_READ) == 0;
}

static bool set_descriptor(unsigned entry, uint32_t base, uint32_t limit, bool code)
{
    struct user_desc d = {.entry_number = entry,
                          .base_addr = base,
                          .limit = limit,
                          .contents = code ? 2 : 0,
                          .useable = 1};

    return syscall(SYS_modify_ldt, 0x11, &d, sizeof(d)) == 0;
}

bool native_possible(void)
{
    return (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE) &&
           host_has_feature(X86_FEATURE(FEAT_1_ECX, 28));
}

/* 16-bit code, and data with a base and a limit, where the kernel gives them. */
bool native_has_segments(void)
{
    return set_descriptor(SEL_CODE16 >> 3, CODE_BASE, CODE_SIZE - 1, true) &&
           set_descriptor(SEL_DATA >> 3, DATA_BASE, DATA_SIZE - 1, false);
}

bool native_init(void)
{
    static const int signals[] = {SIGTRAP, SIGILL, SIGFPE, SIGSEGV, SIGBUS, SIGALRM};
    stack_t stack = {.ss_size = 256 * 1024};
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    stack.ss_sp = malloc(stack.ss_size);
    sigfillset(&action.sa_mask);
    if (sigaltstack(&stack, NULL)) {
        return false;
    }
    for (unsigned k = 0; k < sizeof(signals) / sizeof(signals[0]); k++) {
        sigaction(signals[k], &action, NULL);
    }
    /* GS is free in a 64-bit process; FS is the C library's, and changed for the case only */
    syscall(SYS_arch_prctl, ARCH_SET_GS, (unsigned long)GS_BASE);
    native_has_segments();
    return map_areas();
}

/* Compatibility mode wants real selectors. */
static void set_data_segments(const Case *c)
{
    __asm__ volatile("mov %0, %%ds; mov %0, %%es" : : "r"(c->segmented ? SEL_DATA : 0x2b));
}

static void arm(unsigned usec)
{
    struct itimerval t = {
        .it_value = {.tv_sec = usec / 1000000, .tv_usec = usec % 1000000}
    };

    setitimer(ITIMER_REAL, &t, NULL);
}

void native_run(const Case *c, Result *ret)
{
    uint8_t *code = (uint8_t *)(uintptr_t)CODE_BASE;

    memset(code + c->entry, 0xcc, code_room(c));
    memcpy(code + c->entry, c->code, c->length + 1);
    case_fill_memory(c, (uint8_t *)(uintptr_t)DATA_BASE, (uint8_t *)(uintptr_t)STACK_BASE);
    set_data_segments(c);
    result = &ret->regs;
    arm(2000000);
    running = 1;
    native_enter(&c->init, c->code32, c->code16 ? SEL_CODE16 : 0x23);
    arm(0);
    regs_normalize(&ret->regs);
    memcpy(ret->data, (uint8_t *)(uintptr_t)DATA_BASE, DATA_SIZE);
    memcpy(ret->stack, (uint8_t *)(uintptr_t)STACK_BASE, STACK_SIZE);
}
