/* SPDX-License-Identifier: MIT
 *
 * What the files of this folder share.
 */
#ifndef SYSTEM_LOOP_LOOP_INTERNAL_H
#define SYSTEM_LOOP_LOOP_INTERNAL_H

#include <stdatomic.h>
#include "system/loop/event-loop.h"

/* Binary heap on (expire, seq); timers know their place in it. */
typedef struct TimerHeap {
    GPtrArray *timers;
    _Atomic int64_t first; /* deadline of the first, -1: none; written under the lock */
    /* The loop sleeps no longer than until here; INT64_MIN: it is awake and will look. */
    int64_t sleeping_until;
} TimerHeap;

struct EventLoop {
    GMainContext *context;
    VMClock *clock;

    GMutex timer_lock; /* leaf */
    GCond timer_done;
    GCond round_done;  /* all that was due has run */
    unsigned awaiting; /* threads that wait for it, under timer_lock */
    unsigned freeing;  /* threads that wait for timer_done, likewise */
    TimerHeap heaps[CLOCK_TYPES];
    uint64_t timer_seq;
    Timer *running; /* whose callback is being called */
    GThread *runner;
    GSource *timer_source;

    GMutex bh_lock; /* leaf */
    GQueue bhs;     /* of scheduled BottomHalf */
    _Atomic bool bh_pending;
    GSource *bh_source;

    GArray *pollfds; /* of GPollFD, for event_loop_iterate() */
};

void event_loop_init_timers(EventLoop *loop);
void event_loop_finish_timers(EventLoop *loop);
void event_loop_init_bhs(EventLoop *loop);
void event_loop_finish_bhs(EventLoop *loop);

/* Loops whose VIRTUAL timers a clock drives: told when it starts, stops or is set. */
void vm_clock_attach(VMClock *clock, EventLoop *loop);
void vm_clock_detach(VMClock *clock, EventLoop *loop);
bool vm_clock_is_running(VMClock *clock);

/* A GMainContext's file descriptors between prepare and check. */
typedef struct GlibPoll {
    GMainContext *context;
    GArray *fds; /* of GPollFD */
    int n_fds, max_priority;
} GlibPoll;

/* Fill from prepare and query; returns the timeout in ns, -1: none. */
int64_t glib_pollfds_fill(GlibPoll *poll);
/* Check and dispatch; returns whether anything was dispatched. */
bool glib_pollfds_poll(GlibPoll *poll);
/* As poll(2) with a timeout in ns; -1: no end.  EINTR counts as nothing ready. */
int poll_ns(GPollFD *fds, unsigned n_fds, int64_t timeout_ns);
/* The sooner of two timeouts, of which -1 is never. */
int64_t timeout_min(int64_t a, int64_t b);

#endif
