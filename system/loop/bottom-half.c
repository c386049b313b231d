/* SPDX-License-Identifier: MIT
 *
 * Bottom halves: calls handed to a loop's thread.
 */
#include "system/loop/loop-internal.h"

struct BottomHalf {
    EventLoop *loop;
    void (*cb)(void *opaque);
    void *opaque;
    bool scheduled; /* in loop->bhs; under bh_lock */
    bool once;      /* freed by the loop */
};

typedef struct BHSource {
    GSource source;
    EventLoop *loop;
} BHSource;

BottomHalf *bh_new(EventLoop *loop, void (*cb)(void *opaque), void *opaque)
{
    BottomHalf *bh = g_new0(BottomHalf, 1);

    bh->loop = loop;
    bh->cb = cb;
    bh->opaque = opaque;
    return bh;
}

void bh_schedule(BottomHalf *bh)
{
    EventLoop *loop = bh->loop;
    bool added;

    g_mutex_lock(&loop->bh_lock);
    added = !bh->scheduled;
    if (added) {
        bh->scheduled = true;
        g_queue_push_tail(&loop->bhs, bh);
        loop->bh_pending = true;
    }
    g_mutex_unlock(&loop->bh_lock);
    if (added) {
        event_loop_notify(loop);
    }
}

void bh_cancel(BottomHalf *bh)
{
    g_mutex_lock(&bh->loop->bh_lock);
    if (bh->scheduled) {
        g_queue_remove(&bh->loop->bhs, bh);
        bh->scheduled = false;
        bh->loop->bh_pending = !g_queue_is_empty(&bh->loop->bhs);
    }
    g_mutex_unlock(&bh->loop->bh_lock);
}

void bh_free(BottomHalf *bh)
{
    if (bh) {
        bh_cancel(bh);
        g_free(bh);
    }
}

void event_loop_call(EventLoop *loop, void (*cb)(void *opaque), void *opaque)
{
    BottomHalf *bh = bh_new(loop, cb, opaque);

    bh->once = true;
    bh_schedule(bh);
}

static BottomHalf *take_first(EventLoop *loop)
{
    BottomHalf *bh;

    g_mutex_lock(&loop->bh_lock);
    bh = g_queue_pop_head(&loop->bhs);
    if (bh) {
        bh->scheduled = false;
    }
    loop->bh_pending = !g_queue_is_empty(&loop->bhs);
    g_mutex_unlock(&loop->bh_lock);
    return bh;
}

static gboolean bh_source_prepare(GSource *source, gint *ret_timeout_ms)
{
    *ret_timeout_ms = -1;
    return atomic_load(&((BHSource *)source)->loop->bh_pending);
}

static gboolean bh_source_check(GSource *source)
{
    return atomic_load(&((BHSource *)source)->loop->bh_pending);
}

/* As many as there were: one that schedules itself again waits for the next round. */
void event_loop_run_bhs(EventLoop *loop)
{
    BottomHalf *bh;
    guint n;

    g_mutex_lock(&loop->bh_lock);
    n = g_queue_get_length(&loop->bhs);
    g_mutex_unlock(&loop->bh_lock);
    while (n-- > 0 && (bh = take_first(loop))) {
        void (*cb)(void *opaque) = bh->cb;
        void *opaque = bh->opaque;

        if (bh->once) {
            g_free(bh);
        }
        cb(opaque);
    }
}

static gboolean bh_source_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    event_loop_run_bhs(((BHSource *)source)->loop);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs bh_source_funcs = {
    .prepare = bh_source_prepare,
    .check = bh_source_check,
    .dispatch = bh_source_dispatch,
};

void event_loop_init_bhs(EventLoop *loop)
{
    g_mutex_init(&loop->bh_lock);
    g_queue_init(&loop->bhs);
    loop->bh_source = g_source_new(&bh_source_funcs, sizeof(BHSource));
    ((BHSource *)loop->bh_source)->loop = loop;
    g_source_set_name(loop->bh_source, "bottom halves");
    g_source_attach(loop->bh_source, loop->context);
}

void event_loop_finish_bhs(EventLoop *loop)
{
    BottomHalf *bh;

    event_loop_remove_source(loop->bh_source);
    while ((bh = take_first(loop))) {
        if (bh->once) {
            g_free(bh);
        }
    }
    g_mutex_clear(&loop->bh_lock);
}
