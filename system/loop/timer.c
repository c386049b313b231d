/* SPDX-License-Identifier: MIT
 *
 * Timers of an event loop: one heap a clock, run by a source of its GMainContext.
 */
#include "system/loop/loop-internal.h"

struct Timer {
    EventLoop *loop;
    ClockType type;
    void (*cb)(void *opaque);
    void *opaque;
    int64_t expire; /* -1: not pending */
    uint64_t seq;   /* of its timer_mod(): equal deadlines run in order */
    guint pos;      /* in the heap */
};

/* ---- the heap ------------------------------------------------------------------ */

static bool timer_before(const Timer *a, const Timer *b)
{
    return a->expire != b->expire ? a->expire < b->expire : a->seq < b->seq;
}

static Timer *heap_at(const TimerHeap *heap, guint pos)
{
    return g_ptr_array_index(heap->timers, pos);
}

static Timer *heap_first(const TimerHeap *heap)
{
    return heap->timers->len ? heap_at(heap, 0) : NULL;
}

static void heap_put(TimerHeap *heap, guint pos, Timer *timer)
{
    heap->timers->pdata[pos] = timer;
    timer->pos = pos;
}

static void heap_sift_up(TimerHeap *heap, Timer *timer)
{
    guint pos = timer->pos;

    while (pos > 0 && timer_before(timer, heap_at(heap, (pos - 1) / 2))) {
        heap_put(heap, pos, heap_at(heap, (pos - 1) / 2));
        pos = (pos - 1) / 2;
    }
    heap_put(heap, pos, timer);
}

static void heap_sift_down(TimerHeap *heap, Timer *timer)
{
    guint pos = timer->pos, child;

    while ((child = 2 * pos + 1) < heap->timers->len) {
        if (child + 1 < heap->timers->len &&
            timer_before(heap_at(heap, child + 1), heap_at(heap, child))) {
            child++;
        }
        if (!timer_before(heap_at(heap, child), timer)) {
            break;
        }
        heap_put(heap, pos, heap_at(heap, child));
        pos = child;
    }
    heap_put(heap, pos, timer);
}

static void heap_note_first(TimerHeap *heap)
{
    Timer *first = heap_first(heap);

    atomic_store_explicit(&heap->first, first ? first->expire : -1, memory_order_relaxed);
}

static void heap_insert(TimerHeap *heap, Timer *timer)
{
    g_ptr_array_add(heap->timers, timer);
    timer->pos = heap->timers->len - 1;
    heap_sift_up(heap, timer);
    heap_note_first(heap);
}

static void heap_remove(TimerHeap *heap, Timer *timer)
{
    Timer *last = heap_at(heap, heap->timers->len - 1);
    guint pos = timer->pos;

    g_ptr_array_set_size(heap->timers, heap->timers->len - 1);
    if (last != timer) {
        heap_put(heap, pos, last);
        heap_sift_up(heap, last);
        heap_sift_down(heap, last);
    }
    heap_note_first(heap);
}

/* ---- timers -------------------------------------------------------------------- */

Timer *timer_new(EventLoop *loop, ClockType type, void (*cb)(void *opaque), void *opaque)
{
    Timer *timer = g_new0(Timer, 1);

    timer->loop = loop;
    timer->type = type;
    timer->cb = cb;
    timer->opaque = opaque;
    timer->expire = -1;
    return timer;
}

static TimerHeap *timer_heap(Timer *timer)
{
    return &timer->loop->heaps[timer->type];
}

static void timer_del_locked(Timer *timer)
{
    if (timer->expire >= 0) {
        heap_remove(timer_heap(timer), timer);
        timer->expire = -1;
    }
}

void timer_free(Timer *timer)
{
    EventLoop *loop;

    if (!timer) {
        return;
    }
    loop = timer->loop;
    g_mutex_lock(&loop->timer_lock);
    while (loop->running == timer && loop->runner != g_thread_self()) {
        loop->freeing++;
        g_cond_wait(&loop->timer_done, &loop->timer_lock);
        loop->freeing--;
    }
    timer_del_locked(timer);
    if (loop->running == timer) {
        loop->running = NULL;
    }
    g_mutex_unlock(&loop->timer_lock);
    g_free(timer);
}

void timer_mod(Timer *timer, int64_t expire_ns)
{
    EventLoop *loop = timer->loop;
    TimerHeap *heap = timer_heap(timer);
    bool notify;

    g_mutex_lock(&loop->timer_lock);
    timer_del_locked(timer);
    timer->expire = MAX(expire_ns, 0);
    timer->seq = loop->timer_seq++;
    heap_insert(heap, timer);
    notify = timer->expire < heap->sleeping_until;
    g_mutex_unlock(&loop->timer_lock);
    if (notify) {
        event_loop_notify(loop);
    }
}

void timer_del(Timer *timer)
{
    if (timer) {
        g_mutex_lock(&timer->loop->timer_lock);
        timer_del_locked(timer);
        g_mutex_unlock(&timer->loop->timer_lock);
    }
}

int64_t timer_expire_ns(Timer *timer)
{
    int64_t expire;

    g_mutex_lock(&timer->loop->timer_lock);
    expire = timer->expire;
    g_mutex_unlock(&timer->loop->timer_lock);
    return expire;
}

bool timer_pending(Timer *timer)
{
    return timer_expire_ns(timer) >= 0;
}

int64_t event_loop_deadline_ns(EventLoop *loop, ClockType type)
{
    Timer *first;
    int64_t deadline;

    g_mutex_lock(&loop->timer_lock);
    first = heap_first(&loop->heaps[type]);
    deadline = first ? first->expire : -1;
    g_mutex_unlock(&loop->timer_lock);
    return deadline;
}

/* Whether time goes by itself on that clock, so that a deadline is worth waiting for. */
static bool clock_runs(EventLoop *loop, ClockType type)
{
    return type != CLOCK_VIRTUAL || vm_clock_is_running(loop->clock);
}

#define OVERDUE_NS     100000
#define AWAIT_LIMIT_US 20000

/* Until the loop has run what was overdue at `now`; new deadlines do not keep the caller. */
static void await_round(EventLoop *loop, int64_t now)
{
    int64_t limit = g_get_monotonic_time() + AWAIT_LIMIT_US;
    Timer *first;

    g_mutex_lock(&loop->timer_lock);
    loop->awaiting++;
    while ((first = heap_first(&loop->heaps[CLOCK_VIRTUAL])) && first->expire <= now &&
           g_cond_wait_until(&loop->round_done, &loop->timer_lock, limit)) {
    }
    loop->awaiting--;
    g_mutex_unlock(&loop->timer_lock);
}

void event_loop_await_timers(EventLoop *loop)
{
    TimerHeap *heap = &loop->heaps[CLOCK_VIRTUAL];
    int64_t first = atomic_load_explicit(&heap->first, memory_order_relaxed), now;

    if (first < 0 || !clock_runs(loop, CLOCK_VIRTUAL)) {
        return;
    }
    now = vm_clock_get_ns(loop->clock, CLOCK_VIRTUAL);
    if (now - first >= OVERDUE_NS) {
        await_round(loop, now - OVERDUE_NS);
    }
}

/* A stopped clock's timers do not run; a manual one's do when it is moved. */
static bool clock_may_fire(EventLoop *loop, ClockType type)
{
    return clock_runs(loop, type) || vm_clock_is_manual(loop->clock);
}

/* Take the first timer that was due at `now` and armed before `seq`. */
static Timer *take_due_locked(EventLoop *loop, ClockType type, int64_t now, uint64_t seq)
{
    Timer *first = heap_first(&loop->heaps[type]);

    if (!first || first->expire > now || first->seq >= seq) {
        return NULL;
    }
    timer_del_locked(first);
    loop->running = first;
    loop->runner = g_thread_self();
    return first;
}

/* Those that callbacks arm wait for the next round, so a short period cannot block the loop. */
static bool run_clock(EventLoop *loop, ClockType type)
{
    int64_t now = vm_clock_get_ns(loop->clock, type);
    bool progress = false;
    uint64_t seq;
    Timer *timer;

    g_mutex_lock(&loop->timer_lock);
    seq = loop->timer_seq;
    while ((timer = take_due_locked(loop, type, now, seq))) {
        g_mutex_unlock(&loop->timer_lock);
        timer->cb(timer->opaque);
        progress = true;
        g_mutex_lock(&loop->timer_lock);
        loop->running = NULL;
        if (loop->freeing) { /* a broadcast is a system call, waiters or not */
            g_cond_broadcast(&loop->timer_done);
        }
    }
    if (loop->awaiting) {
        g_cond_broadcast(&loop->round_done);
    }
    g_mutex_unlock(&loop->timer_lock);
    return progress;
}

bool event_loop_run_timers(EventLoop *loop)
{
    bool progress = false;

    for (ClockType type = 0; type < CLOCK_TYPES; type++) {
        if (clock_may_fire(loop, type)) {
            progress |= run_clock(loop, type);
        }
    }
    return progress;
}

/* ---- the source ---------------------------------------------------------------- */

typedef struct TimerSource {
    GSource source;
    EventLoop *loop;
} TimerSource;

static int64_t clock_timeout_ns(EventLoop *loop, ClockType type, bool sleeping)
{
    TimerHeap *heap = &loop->heaps[type];
    int64_t deadline = INT64_MAX;
    Timer *first;

    g_mutex_lock(&loop->timer_lock);
    first = heap_first(heap);
    if (first && clock_may_fire(loop, type)) {
        deadline = first->expire;
    }
    if (sleeping) {
        heap->sleeping_until = clock_may_fire(loop, type) ? deadline : INT64_MIN;
    }
    g_mutex_unlock(&loop->timer_lock);
    if (deadline == INT64_MAX) {
        return -1;
    }
    deadline = MAX(deadline - vm_clock_get_ns(loop->clock, type), 0);
    return deadline == 0 || clock_runs(loop, type) ? deadline : -1;
}

static int64_t timers_timeout_ns(EventLoop *loop, bool sleeping)
{
    int64_t timeout = -1;

    for (ClockType type = 0; type < CLOCK_TYPES; type++) {
        timeout = timeout_min(timeout, clock_timeout_ns(loop, type, sleeping));
    }
    return timeout;
}

int64_t timeout_min(int64_t a, int64_t b)
{
    return a < 0 ? b : b < 0 ? a : MIN(a, b);
}

static void timers_awake(EventLoop *loop)
{
    g_mutex_lock(&loop->timer_lock);
    for (ClockType type = 0; type < CLOCK_TYPES; type++) {
        loop->heaps[type].sleeping_until = INT64_MIN;
    }
    g_mutex_unlock(&loop->timer_lock);
}

static gboolean timer_source_prepare(GSource *source, gint *ret_timeout_ms)
{
    int64_t timeout = timers_timeout_ns(((TimerSource *)source)->loop, true);

    if (timeout < 0) {
        *ret_timeout_ms = -1;
        return FALSE;
    }
    *ret_timeout_ms = MIN((timeout + 999999) / 1000000, G_MAXINT);
    return timeout == 0;
}

static gboolean timer_source_check(GSource *source)
{
    EventLoop *loop = ((TimerSource *)source)->loop;

    timers_awake(loop);
    return timers_timeout_ns(loop, false) == 0;
}

static gboolean timer_source_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    event_loop_run_timers(((TimerSource *)source)->loop);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs timer_source_funcs = {
    .prepare = timer_source_prepare,
    .check = timer_source_check,
    .dispatch = timer_source_dispatch,
};

/* Loops by context: GLib's own timeouts are too coarse, so pollers ask for the exact one. */
static GMutex loops_lock;
static GSList *loops;

int64_t event_loop_context_timeout_ns(GMainContext *context)
{
    int64_t timeout = -1;

    g_mutex_lock(&loops_lock);
    for (GSList *l = loops; l; l = l->next) {
        EventLoop *loop = l->data;

        if (loop->context == context) {
            timeout = timeout_min(timeout, timers_timeout_ns(loop, false));
        }
    }
    g_mutex_unlock(&loops_lock);
    return timeout;
}

void event_loop_init_timers(EventLoop *loop)
{
    g_mutex_init(&loop->timer_lock);
    g_cond_init(&loop->round_done);
    g_cond_init(&loop->timer_done);
    for (ClockType type = 0; type < CLOCK_TYPES; type++) {
        loop->heaps[type].timers = g_ptr_array_new();
        loop->heaps[type].first = -1;
        loop->heaps[type].sleeping_until = INT64_MAX;
    }
    loop->timer_source = g_source_new(&timer_source_funcs, sizeof(TimerSource));
    ((TimerSource *)loop->timer_source)->loop = loop;
    g_source_set_name(loop->timer_source, "timers");
    g_source_attach(loop->timer_source, loop->context);
    g_mutex_lock(&loops_lock);
    loops = g_slist_prepend(loops, loop);
    g_mutex_unlock(&loops_lock);
}

void event_loop_finish_timers(EventLoop *loop)
{
    g_mutex_lock(&loops_lock);
    loops = g_slist_remove(loops, loop);
    g_mutex_unlock(&loops_lock);
    event_loop_remove_source(loop->timer_source);
    for (ClockType type = 0; type < CLOCK_TYPES; type++) {
        g_ptr_array_unref(loop->heaps[type].timers);
    }
    g_cond_clear(&loop->timer_done);
    g_mutex_clear(&loop->timer_lock);
    g_cond_clear(&loop->round_done);
}
