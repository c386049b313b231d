/* SPDX-License-Identifier: MIT
 *
 * Event loops: the context, file descriptors, and one round of polling.
 */
#include <poll.h>
#include <glib-unix.h>
#include "system/loop/loop-internal.h"

EventLoop *event_loop_new(GMainContext *context, VMClock *clock)
{
    EventLoop *loop = g_new0(EventLoop, 1);

    loop->context = context ? g_main_context_ref(context) : g_main_context_new();
    loop->clock = clock;
    loop->pollfds = g_array_new(FALSE, FALSE, sizeof(GPollFD));
    event_loop_init_timers(loop);
    event_loop_init_bhs(loop);
    vm_clock_attach(clock, loop);
    return loop;
}

void event_loop_free(EventLoop *loop)
{
    if (!loop) {
        return;
    }
    vm_clock_detach(loop->clock, loop);
    event_loop_finish_bhs(loop);
    event_loop_finish_timers(loop);
    g_array_unref(loop->pollfds);
    g_main_context_unref(loop->context);
    g_free(loop);
}

GMainContext *event_loop_context(EventLoop *loop)
{
    return loop->context;
}

VMClock *event_loop_clock(EventLoop *loop)
{
    return loop->clock;
}

void event_loop_notify(EventLoop *loop)
{
    g_main_context_wakeup(loop->context);
}

/* ---- file descriptors ------------------------------------------------------------ */

typedef struct FDSource {
    GSource source;
    int fd;
    gpointer tag;
    FDHandler cb;
    void *opaque;
} FDSource;

static gboolean fd_source_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    FDSource *fs = (FDSource *)source;

    fs->cb(fs->fd, g_source_query_unix_fd(source, fs->tag), fs->opaque);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs fd_source_funcs = {.dispatch = fd_source_dispatch};

GSource *event_loop_add_fd(EventLoop *loop, int fd, GIOCondition condition, FDHandler cb,
                           void *opaque)
{
    GSource *source = g_source_new(&fd_source_funcs, sizeof(FDSource));
    FDSource *fs = (FDSource *)source;

    fs->fd = fd;
    fs->cb = cb;
    fs->opaque = opaque;
    fs->tag = g_source_add_unix_fd(source, fd, condition);
    g_source_attach(source, loop->context);
    return source;
}

void event_loop_remove_source(GSource *source)
{
    if (source) {
        g_source_destroy(source);
        g_source_unref(source);
    }
}

/* ---- one round ------------------------------------------------------------------- */

int poll_ns(GPollFD *fds, unsigned n_fds, int64_t timeout_ns)
{
    struct timespec ts = {timeout_ns / NANOSECONDS_PER_SECOND, timeout_ns % NANOSECONDS_PER_SECOND};
    int ready;

    G_STATIC_ASSERT(sizeof(GPollFD) == sizeof(struct pollfd));
    ready = ppoll((struct pollfd *)fds, n_fds, timeout_ns < 0 ? NULL : &ts, NULL);
    return MAX(ready, 0);
}

int64_t glib_pollfds_fill(GlibPoll *poll)
{
    int timeout_ms, n;

    g_main_context_prepare(poll->context, &poll->max_priority);
    for (;;) {
        n = g_main_context_query(poll->context, poll->max_priority, &timeout_ms,
                                 (GPollFD *)poll->fds->data, poll->fds->len);
        if (n <= (int)poll->fds->len) {
            break;
        }
        g_array_set_size(poll->fds, n);
    }
    poll->n_fds = n;
    return timeout_ms < 0 ? -1 : timeout_ms * G_GINT64_CONSTANT(1000000);
}

bool glib_pollfds_poll(GlibPoll *poll)
{
    if (!g_main_context_check(poll->context, poll->max_priority, (GPollFD *)poll->fds->data,
                              poll->n_fds)) {
        return false;
    }
    g_main_context_dispatch(poll->context);
    return true;
}

bool event_loop_iterate(EventLoop *loop, int64_t timeout_ns)
{
    GlibPoll poll = {.context = loop->context, .fds = loop->pollfds};
    bool progress;

    if (!g_main_context_acquire(loop->context)) {
        return false;
    }
    timeout_ns = timeout_min(timeout_ns, glib_pollfds_fill(&poll));
    timeout_ns = timeout_min(timeout_ns, event_loop_context_timeout_ns(loop->context));
    poll_ns((GPollFD *)poll.fds->data, poll.n_fds, timeout_ns);
    progress = glib_pollfds_poll(&poll);
    g_main_context_release(loop->context);
    return progress;
}
