/* SPDX-License-Identifier: MIT
 *
 * Event loops: a GMainContext with timers on the VM's clocks and bottom halves.
 * The machine has one (run by the main thread under the big lock); each iothread
 * object has one.  A device gets its loop from qdev or from a link property and never
 * reaches for "the" main loop.
 */
#ifndef SYSTEM_LOOP_EVENT_LOOP_H
#define SYSTEM_LOOP_EVENT_LOOP_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct EventLoop EventLoop;
typedef struct Timer Timer;
typedef struct BottomHalf BottomHalf;
typedef struct VMClock VMClock;

/*
 * Clocks, in ns.  VIRTUAL stops with the VM and is driven by hand under the
 * qtest accelerator; HOST is wall-clock time since 1970; REALTIME is monotonic.
 */
typedef enum ClockType { CLOCK_VIRTUAL, CLOCK_HOST, CLOCK_REALTIME_NS, CLOCK_TYPES } ClockType;

#define NANOSECONDS_PER_SECOND 1000000000LL

/* ---- the VM's virtual clock ------------------------------------------------- */

VMClock *vm_clock_new(void);
void vm_clock_free(VMClock *clock);
/* Any thread, no lock. */
int64_t vm_clock_get_ns(VMClock *clock, ClockType type);
/*
 * Cycles of the host's counter for which the VM has run: base, plus __rdtsc() while it is running.
 * False: that counter is no clock, or time is manual.  Any thread, no lock.
 */
typedef struct VMClockTicks {
    uint64_t base;
    bool running;
} VMClockTicks;
bool vm_clock_get_ticks(VMClock *clock, VMClockTicks *ret);
void vm_clock_start(VMClock *clock); /* virtual time runs */
void vm_clock_stop(VMClock *clock);
/* Manual mode (qtest): time moves only by vm_clock_step/set, from 0. */
void vm_clock_set_manual(VMClock *clock);
bool vm_clock_is_manual(VMClock *clock);
/* Run VIRTUAL timers deadline by deadline up to ns; returns the new time. */
int64_t vm_clock_advance_to(VMClock *clock, EventLoop *loop, int64_t ns);

/* ---- loops ------------------------------------------------------------------- */

/* NULL context: a fresh one.  The clock is borrowed. */
EventLoop *event_loop_new(GMainContext *context, VMClock *clock);
void event_loop_free(EventLoop *loop);
GMainContext *event_loop_context(EventLoop *loop);
/* One round in a thread of its own (not the main one): wait at most timeout_ns (-1: no end). */
bool event_loop_iterate(EventLoop *loop, int64_t timeout_ns);
VMClock *event_loop_clock(EventLoop *loop);
/* Wake it; any thread. */
void event_loop_notify(EventLoop *loop);

/*
 * Call cb in the loop's thread when fd is ready; condition is G_IO_IN etc.  The
 * caller owns the source and ends it with event_loop_remove_source().
 */
typedef void (*FDHandler)(int fd, GIOCondition condition, void *opaque);
GSource *event_loop_add_fd(EventLoop *loop, int fd, GIOCondition condition, FDHandler cb,
                           void *opaque);
void event_loop_remove_source(GSource *source); /* NULL is allowed */

/* Once, soon, in the loop's thread.  Any thread may schedule; the loop's thread frees. */
BottomHalf *bh_new(EventLoop *loop, void (*cb)(void *opaque), void *opaque);
void bh_schedule(BottomHalf *bh);
void bh_cancel(BottomHalf *bh);
void bh_free(BottomHalf *bh);
/* Run those that are scheduled now, at an end that waits for no round.  The loop's thread. */
void event_loop_run_bhs(EventLoop *loop);
/* Fire and forget. */
void event_loop_call(EventLoop *loop, void (*cb)(void *opaque), void *opaque);

/* ---- timers ------------------------------------------------------------------ */

/*
 * cb runs in the loop's thread, once per timer_mod().  timer_mod, timer_del and
 * timer_pending may be called from any thread.  For a device use device_timer_new():
 * its callback has the device lock and it is freed on unrealize.
 */
/* timer_free() waits for a callback that is running in another thread: hold no lock it takes. */
Timer *timer_new(EventLoop *loop, ClockType type, void (*cb)(void *opaque), void *opaque);
void timer_free(Timer *timer);
void timer_mod(Timer *timer, int64_t expire_ns); /* on its clock; replaces the earlier deadline */
void timer_del(Timer *timer);
bool timer_pending(Timer *timer);
int64_t timer_expire_ns(Timer *timer); /* -1: not pending */
/* The earliest VIRTUAL deadline of the loop, -1: none. */
int64_t event_loop_deadline_ns(EventLoop *loop, ClockType type);
/*
 * For a vCPU thread about to show its guest the time: if VIRTUAL timers are overdue,
 * because the host is busy, wait some ms at most until the loop has run them.  Otherwise a
 * guest that counts ticks against the TSC finds its timer broken.  No lock may be held.
 */
void event_loop_await_timers(EventLoop *loop);
/* Run what is due; called by the loop itself.  Returns whether anything ran. */
bool event_loop_run_timers(EventLoop *loop);
/* Time in ns until the first deadline of all loops on `context`; -1: none. */
int64_t event_loop_context_timeout_ns(GMainContext *context);

#endif
