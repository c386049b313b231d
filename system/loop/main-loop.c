/* SPDX-License-Identifier: MIT
 *
 * The main thread: the big lock, signals, and the steps of a round.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "system/loop/loop-internal.h"
#include "system/loop/main-loop.h"

/* ---- the big lock ---------------------------------------------------------------- */

static GMutex big_lock;
static _Thread_local bool big_lock_held;

void main_loop_lock(void)
{
    g_assert(!big_lock_held);
    g_mutex_lock(&big_lock);
    big_lock_held = true;
}

void main_loop_unlock(void)
{
    g_assert(big_lock_held);
    big_lock_held = false;
    g_mutex_unlock(&big_lock);
}

bool main_loop_locked(void)
{
    return big_lock_held;
}

/* ---- signals --------------------------------------------------------------------- */

/* Written by the handlers, so all that they touch is here and lock-free. */
static struct {
    int event_fd;
    GSource *source;
    SignalHandler fn;
    void *opaque;
    void (*_Atomic cleanup)(void);
    _Atomic bool deliver; /* there is a handler in the main loop */
    _Atomic int signo, pid, waiting;
} signals = {.event_fd = -1};

/* A main loop that does not take its signals is stuck: the third one ends the process. */
#define SIGNAL_PATIENCE 3
/* The same if the end that a signal asks for has not come after so many seconds. */
#define END_PATIENCE 10

static void die_of_signal(int signo)
{
    void (*cleanup)(void) = atomic_load(&signals.cleanup);

    if (cleanup) {
        cleanup();
    }
    signal(signo, SIG_DFL);
    raise(signo);
}

static void handle_termination(int signo, siginfo_t *info, void *context)
{
    int saved_errno = errno;
    uint64_t one = 1;

    if (!atomic_load(&signals.deliver) ||
        atomic_fetch_add(&signals.waiting, 1) + 1 >= SIGNAL_PATIENCE) {
        die_of_signal(signo);
    } else {
        atomic_store(&signals.signo, signo);
        atomic_store(&signals.pid, info->si_pid);
        if (write(signals.event_fd, &one, sizeof(one)) < 0) {
            /* The counter is full: the loop has been told often enough. */
        }
    }
    errno = saved_errno;
}

static void handle_overdue(int signo, siginfo_t *info, void *context)
{
    static const char text[] = "quoin: a vCPU or a device does not stop: ended by force\n";
    void (*cleanup)(void) = atomic_load(&signals.cleanup);

    if (cleanup) {
        cleanup();
    }
    if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0) {
        /* Nobody reads it. */
    }
    _exit(1);
}

static void handle_fatal(int signo, siginfo_t *info, void *context)
{
    die_of_signal(signo);
}

static void install(int signo, void (*fn)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | flags};

    action.sa_sigaction = fn;
    sigaction(signo, &action, NULL);
}

static void signal_ready(int fd, GIOCondition condition, void *opaque)
{
    uint64_t count;

    if (read(fd, &count, sizeof(count)) == sizeof(count)) {
        atomic_store(&signals.waiting, 0);
        alarm(END_PATIENCE);
        signals.fn(atomic_load(&signals.signo), atomic_load(&signals.pid), signals.opaque);
    }
}

static void init_signals(void)
{
    static const int fatal[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGQUIT};

    signal(SIGPIPE, SIG_IGN);
    install(SIGINT, handle_termination, SA_RESTART);
    install(SIGTERM, handle_termination, SA_RESTART);
    install(SIGHUP, handle_termination, SA_RESTART);
    install(SIGALRM, handle_overdue, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(fatal); i++) {
        install(fatal[i], handle_fatal, SA_NODEFER);
    }
}

void main_loop_set_signal_handler(SignalHandler fn, void *opaque)
{
    atomic_store(&signals.deliver, false);
    event_loop_remove_source(g_steal_pointer(&signals.source));
    signals.fn = fn;
    signals.opaque = opaque;
    if (fn) {
        signals.source =
            event_loop_add_fd(main_event_loop(), signals.event_fd, G_IO_IN, signal_ready, NULL);
        atomic_store(&signals.deliver, true);
    }
}

void main_loop_set_emergency_cleanup(void (*fn)(void))
{
    atomic_store(&signals.cleanup, fn);
}

/* ---- the loop -------------------------------------------------------------------- */

static EventLoop *main_loop;

EventLoop *main_event_loop(void)
{
    return main_loop;
}

/*
 * On a busy host a guest's timers are as late as this thread: ask for short
 * turns, which come sooner (Linux 6.12; harmless before).
 */
static void ask_for_short_turns(void)
{
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attr = {.size = sizeof(attr), .nice = getpriority(PRIO_PROCESS, 0), .runtime = 100000};

    syscall(SYS_sched_setattr, 0, &attr, 0);
}

bool vmm_init_main_loop(GError **error)
{
    if (main_loop) {
        return true;
    }
    signals.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (signals.event_fd < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
                    "cannot make an event descriptor: %s", g_strerror(errno));
        return false;
    }
    init_signals();
    /* The default slack of 50 us is more than a guest's timer may be late. */
    prctl(PR_SET_TIMERSLACK, 1UL);
    ask_for_short_turns();
    main_loop = event_loop_new(g_main_context_default(), vm_clock_new());
    g_main_context_acquire(g_main_context_default());
    main_loop_lock();
    return true;
}

void main_loop_notify(void)
{
    g_main_context_wakeup(NULL);
}

void os_host_main_loop_wait(int64_t timeout_ns)
{
    GlibPoll poll = {.context = event_loop_context(main_loop), .fds = main_loop->pollfds};

    timeout_ns = timeout_min(timeout_ns, glib_pollfds_fill(&poll));
    timeout_ns = timeout_min(timeout_ns, event_loop_context_timeout_ns(poll.context));

    main_loop_unlock();
    poll_ns((GPollFD *)poll.fds->data, poll.n_fds, timeout_ns);
    main_loop_lock();

    glib_pollfds_poll(&poll);
}

void main_loop_wait(bool nonblocking)
{
    os_host_main_loop_wait(nonblocking ? 0 : -1);
}
