/* SPDX-License-Identifier: MIT
 *
 * The main thread's loop (requests M1, M23) and the big lock.
 */
#ifndef SYSTEM_LOOP_MAIN_LOOP_H
#define SYSTEM_LOOP_MAIN_LOOP_H

#include "system/loop/event-loop.h"

/* The big lock; not recursive.  The main thread holds it but while it polls. */
void main_loop_lock(void);
void main_loop_unlock(void);
bool main_loop_locked(void); /* by this thread */

/* M1: prepare the main thread; signal handling (SIGINT, SIGTERM, SIGHUP, SIGPIPE). */
bool vmm_init_main_loop(GError **error);
/*
 * From now on SIGINT, SIGTERM and SIGHUP call fn in the main loop; until then
 * they end the process, after the cleanup below.
 */
typedef void (*SignalHandler)(int signo, int pid, void *opaque);
void main_loop_set_signal_handler(SignalHandler fn, void *opaque);
/* What a fatal signal still does (a terminal's settings); must be async-signal-safe. */
void main_loop_set_emergency_cleanup(void (*fn)(void));
/* The main thread's loop, valid after vmm_init_main_loop(); for main() and tests only. */
EventLoop *main_event_loop(void);

/* One round: wait for events at most as long as the next deadline, then dispatch. */
void main_loop_wait(bool nonblocking);
void os_host_main_loop_wait(int64_t timeout_ns);
/* Make main_loop_wait() return soon.  Any thread. */
void main_loop_notify(void);

#endif
