/* SPDX-License-Identifier: MIT
 *
 * The thread polls for a while before it sleeps, because waking up costs more
 * than a short wait; how long follows from how soon events came lately.
 */
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "hw/core/machine.h"
#include "system/iothread.h"
#include "system/loop/main-loop.h"

/* What polling begins with when it is worth it. */
#define POLL_FIRST_NS       4000
#define POLL_MAX_DEFAULT    32768
#define POLL_FACTOR_DEFAULT 2

struct IOThread {
    Object parent_obj;
    EventLoop *loop;
    VMClock *own_clock; /* with no machine, in tests */
    GThread *thread;
    _Atomic bool stopping;

    /* properties; the thread reads them as they are */
    _Atomic int64_t poll_max_ns, poll_grow, poll_shrink;
    /* statistics, written by the thread */
    _Atomic int64_t thread_id, poll_ns;
    _Atomic uint64_t polls, poll_hits, sleeps, rounds;
};

EventLoop *iothread_event_loop(IOThread *iothread)
{
    return iothread->loop;
}

/* ---- the thread --------------------------------------------------------------------------- */

static int64_t now_ns(IOThread *t)
{
    return vm_clock_get_ns(event_loop_clock(t->loop), CLOCK_REALTIME_NS);
}

static bool poll_for(IOThread *t, int64_t start)
{
    int64_t poll_ns = t->poll_ns;
    bool progress;

    if (poll_ns == 0) {
        return false;
    }
    t->polls++;
    do {
        progress = event_loop_iterate(t->loop, 0);
    } while (!progress && !t->stopping && now_ns(t) - start < poll_ns);
    t->poll_hits += progress;
    return progress;
}

/* An event that came soon after giving up: poll longer.  One that took long: shorter. */
static void adjust_polling(IOThread *t, int64_t waited)
{
    int64_t max = t->poll_max_ns, poll_ns = t->poll_ns;

    if (waited <= max) {
        int64_t grow = t->poll_grow ? t->poll_grow : POLL_FACTOR_DEFAULT;

        t->poll_ns = MIN(poll_ns ? poll_ns * grow : POLL_FIRST_NS, max);
    } else {
        t->poll_ns = t->poll_shrink ? poll_ns / t->poll_shrink : 0;
    }
}

static void iothread_round(IOThread *t)
{
    int64_t start = now_ns(t);

    t->rounds++;
    if (!poll_for(t, start)) {
        t->sleeps++;
        event_loop_iterate(t->loop, -1);
        adjust_polling(t, now_ns(t) - start);
    }
}

static void *iothread_run(void *opaque)
{
    IOThread *t = opaque;

    vmm_thread_register();
    t->thread_id = syscall(SYS_gettid);
    while (!t->stopping) {
        iothread_round(t);
    }
    vmm_thread_unregister();
    return NULL;
}

/* ---- the object ----------------------------------------------------------------------------- */

static VMClock *find_clock(IOThread *t)
{
    Object *machine = object_resolve_path(OBJECT(t), "/machine", NULL);

    if (machine && object_dynamic_cast(machine, TYPE_MACHINE)) {
        return MACHINE(machine)->clock;
    }
    t->own_clock = vm_clock_new();
    return t->own_clock;
}

static bool iothread_complete(Object *obj, GError **error)
{
    IOThread *t = IOTHREAD(obj);
    g_autofree char *name = g_strdup_printf("IO %.12s", obj->name ? obj->name : "thread");

    t->loop = event_loop_new(NULL, find_clock(t));
    t->thread = g_thread_try_new(name, iothread_run, t, error);
    return t->thread;
}

/* Its callbacks may wait for the big lock, so that is let go of meanwhile. */
static void iothread_stop(IOThread *t)
{
    bool locked = main_loop_locked();

    t->stopping = true;
    event_loop_notify(t->loop);
    if (locked) {
        main_loop_unlock();
    }
    g_thread_join(g_steal_pointer(&t->thread));
    if (locked) {
        main_loop_lock();
    }
}

static void iothread_finalize(Object *obj)
{
    IOThread *t = (IOThread *)obj;

    if (t->thread) {
        iothread_stop(t);
    }
    event_loop_free(t->loop);
    vm_clock_free(t->own_clock);
}

static bool iothread_can_be_deleted(Object *obj)
{
    return obj->ref == 1; /* no device is bound to it */
}

static void iothread_class_init(ObjectClass *klass, const void *data)
{
    UserCreatableClass *ucc =
        (UserCreatableClass *)object_class_dynamic_cast(klass, TYPE_USER_CREATABLE);

    ucc->complete = iothread_complete;
    ucc->can_be_deleted = iothread_can_be_deleted;
}

static void wake_to_adjust(Object *obj, const Property *prop)
{
    IOThread *t = IOTHREAD(obj);

    t->poll_ns = 0;
    if (t->loop) {
        event_loop_notify(t->loop);
    }
}

#define IOTHREAD_TUNING(n, f, d, text)                                                             \
    PROP_FIELD(n, int64, IOThread, f, PROP_RUNTIME, .def.i = (d), .max = INT64_MAX / 2,            \
               .changed = wake_to_adjust, .doc = text)
#define IOTHREAD_STATISTIC(n, f, text)                                                             \
    PROP_FIELD(n, uint64, IOThread, f, PROP_TELEMETRY, .doc = text)

static const Property iothread_properties[] = {
    IOTHREAD_TUNING("poll-max-ns", poll_max_ns, POLL_MAX_DEFAULT,
                    "longest time to poll before sleeping, 0: never poll"),
    IOTHREAD_TUNING("poll-grow", poll_grow, 0, "factor by which polling grows, 0: 2"),
    IOTHREAD_TUNING("poll-shrink", poll_shrink, 0, "divisor by which it shrinks, 0: to nothing"),
    IOTHREAD_STATISTIC("thread-id", thread_id, "the host's number of the thread"),
    IOTHREAD_STATISTIC("poll-ns", poll_ns, "time it polls at present"),
    IOTHREAD_STATISTIC("polls", polls, "how often it polled"),
    IOTHREAD_STATISTIC("poll-hits", poll_hits, "how often an event came while it did"),
    IOTHREAD_STATISTIC("sleeps", sleeps, "how often it slept"),
    IOTHREAD_STATISTIC("rounds", rounds, "rounds of its loop"),
    DEFINE_PROP_END,
};

static const TypeInfo iothread_types[] = {
    {
     .name = TYPE_IOTHREAD,
     .parent = TYPE_OBJECT,
     .instance_size = sizeof(IOThread),
     .instance_finalize = iothread_finalize,
     .class_init = iothread_class_init,
     .interfaces = (const InterfaceInfo[]){{TYPE_USER_CREATABLE}, {NULL}},
     .properties = iothread_properties,
     .doc = "a thread for the I/O of devices",
     }
};
DEFINE_TYPES(iothread_types)
