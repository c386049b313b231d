/* SPDX-License-Identifier: MIT */
#include <unistd.h>
#include "system/loop/event-loop.h"
#include "system/loop/main-loop.h"

typedef struct Fixture {
    VMClock *clock;
    EventLoop *loop;
    GString *trace;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    f->clock = vm_clock_new();
    f->loop = event_loop_new(NULL, f->clock);
    f->trace = g_string_new(NULL);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    event_loop_free(f->loop);
    vm_clock_free(f->clock);
    g_string_free(f->trace, TRUE);
}

/* ---- timers ---------------------------------------------------------------------------- */

typedef struct Note {
    Fixture *f;
    char name;
    Timer *timer;
    int64_t again; /* arm anew this much later, 0: not */
} Note;

static void note_expiry(void *opaque)
{
    Note *note = opaque;

    g_string_append_c(note->f->trace, note->name);
    if (note->again) {
        timer_mod(note->timer, vm_clock_get_ns(note->f->clock, CLOCK_VIRTUAL) + note->again);
    }
}

static void test_timer_order(Fixture *f, gconstpointer data)
{
    Note notes[4] = {
        {f, 'a'},
        {f, 'b'},
        {f, 'c'},
        {f, 'd'}
    };
    static const int64_t deadlines[] = {300, 100, 200, 100};

    vm_clock_set_manual(f->clock);
    for (int i = 0; i < 4; i++) {
        notes[i].timer = timer_new(f->loop, CLOCK_VIRTUAL, note_expiry, &notes[i]);
        timer_mod(notes[i].timer, deadlines[i]);
    }
    g_assert_cmpint(event_loop_deadline_ns(f->loop, CLOCK_VIRTUAL), ==, 100);
    g_assert_cmpint(vm_clock_advance_to(f->clock, f->loop, 99), ==, 99);
    g_assert_cmpstr(f->trace->str, ==, "");
    vm_clock_advance_to(f->clock, f->loop, 250);
    g_assert_cmpstr(f->trace->str, ==, "bdc");
    g_assert_true(timer_pending(notes[0].timer));
    timer_del(notes[0].timer);
    vm_clock_advance_to(f->clock, f->loop, 1000);
    g_assert_cmpstr(f->trace->str, ==, "bdc");
    for (int i = 0; i < 4; i++) {
        timer_free(notes[i].timer);
    }
}

static void test_timer_rearm(Fixture *f, gconstpointer data)
{
    Note note = {f, 'x', .again = 10};

    vm_clock_set_manual(f->clock);
    note.timer = timer_new(f->loop, CLOCK_VIRTUAL, note_expiry, &note);
    timer_mod(note.timer, 10);
    timer_mod(note.timer, 20); /* replaces the first deadline */
    vm_clock_advance_to(f->clock, f->loop, 55);
    g_assert_cmpstr(f->trace->str, ==, "xxxx"); /* 20, 30, 40, 50 */
    g_assert_cmpint(timer_expire_ns(note.timer), ==, 60);
    timer_free(note.timer);
}

/* Against a model: the earliest of what is pending, for thousands of changes. */
static void test_timer_heap(Fixture *f, gconstpointer data)
{
    enum { N = 50 };
    Note notes[N];
    int64_t model[N];
    GRand *rand = g_rand_new_with_seed(1);

    for (int i = 0; i < N; i++) {
        notes[i] = (Note){f, 'x'};
        notes[i].timer = timer_new(f->loop, CLOCK_VIRTUAL, note_expiry, &notes[i]);
        model[i] = -1;
    }
    for (int round = 0; round < 20000; round++) {
        int i = g_rand_int_range(rand, 0, N);
        int64_t earliest = -1;

        if (g_rand_int_range(rand, 0, 3)) {
            model[i] = g_rand_int_range(rand, 0, 1000);
            timer_mod(notes[i].timer, model[i]);
        } else {
            model[i] = -1;
            timer_del(notes[i].timer);
        }
        for (int j = 0; j < N; j++) {
            if (model[j] >= 0 && (earliest < 0 || model[j] < earliest)) {
                earliest = model[j];
            }
        }
        g_assert_cmpint(event_loop_deadline_ns(f->loop, CLOCK_VIRTUAL), ==, earliest);
    }
    for (int i = 0; i < N; i++) {
        timer_free(notes[i].timer);
    }
    g_rand_free(rand);
}

static void test_real_timer(Fixture *f, gconstpointer data)
{
    Note note = {f, 'r'};
    int64_t start = vm_clock_get_ns(f->clock, CLOCK_REALTIME_NS), late;

    note.timer = timer_new(f->loop, CLOCK_REALTIME_NS, note_expiry, &note);
    timer_mod(note.timer, start + 3 * 1000 * 1000);
    while (f->trace->len == 0) {
        event_loop_iterate(f->loop, -1);
    }
    late = vm_clock_get_ns(f->clock, CLOCK_REALTIME_NS) - (start + 3 * 1000 * 1000);
    g_assert_cmpint(late, >=, 0);
    timer_free(note.timer);
}

static void test_stopped_clock(Fixture *f, gconstpointer data)
{
    Note note = {f, 'v'};
    int64_t before;

    note.timer = timer_new(f->loop, CLOCK_VIRTUAL, note_expiry, &note);
    timer_mod(note.timer, 1);
    event_loop_iterate(f->loop, 2000000);
    g_assert_cmpstr(f->trace->str, ==, "");
    g_assert_cmpint(vm_clock_get_ns(f->clock, CLOCK_VIRTUAL), ==, 0);
    vm_clock_start(f->clock);
    while (f->trace->len == 0) {
        event_loop_iterate(f->loop, -1);
    }
    vm_clock_stop(f->clock);
    before = vm_clock_get_ns(f->clock, CLOCK_VIRTUAL);
    g_assert_cmpint(before, >, 0);
    g_usleep(1000);
    g_assert_cmpint(vm_clock_get_ns(f->clock, CLOCK_VIRTUAL), ==, before);
    timer_free(note.timer);
}

/* A timer that is armed by another thread wakes a loop that sleeps without end. */
static void *arm_from_thread(void *opaque)
{
    Note *note = opaque;

    g_usleep(5000);
    timer_mod(note->timer, 1);
    return NULL;
}

static void test_timer_wakes(Fixture *f, gconstpointer data)
{
    Note note = {f, 'w'};
    GThread *thread;

    note.timer = timer_new(f->loop, CLOCK_REALTIME_NS, note_expiry, &note);
    thread = g_thread_new("arm", arm_from_thread, &note);
    while (f->trace->len == 0) {
        event_loop_iterate(f->loop, -1);
    }
    g_thread_join(thread);
    timer_free(note.timer);
}

static void free_own_timer(void *opaque)
{
    Note *note = opaque;

    timer_free(g_steal_pointer(&note->timer));
    g_string_append_c(note->f->trace, note->name);
}

static void test_timer_frees_itself(Fixture *f, gconstpointer data)
{
    Note note = {f, 'f'};

    vm_clock_set_manual(f->clock);
    note.timer = timer_new(f->loop, CLOCK_VIRTUAL, free_own_timer, &note);
    timer_mod(note.timer, 5);
    vm_clock_advance_to(f->clock, f->loop, 5);
    g_assert_cmpstr(f->trace->str, ==, "f");
}

/* ---- bottom halves and descriptors -------------------------------------------------------- */

typedef struct Counter {
    BottomHalf *bh;
    int calls, more;
} Counter;

static void count(void *opaque)
{
    Counter *counter = opaque;

    counter->calls++;
    if (counter->more-- > 0) {
        bh_schedule(counter->bh);
    }
}

static void test_bottom_half(Fixture *f, gconstpointer data)
{
    Counter counter = {.more = 2};

    counter.bh = bh_new(f->loop, count, &counter);
    event_loop_iterate(f->loop, 0);
    g_assert_cmpint(counter.calls, ==, 0);
    bh_schedule(counter.bh);
    bh_schedule(counter.bh);
    event_loop_iterate(f->loop, 0);
    g_assert_cmpint(counter.calls, ==, 1); /* scheduled again by itself: the next round */
    event_loop_iterate(f->loop, 0);
    event_loop_iterate(f->loop, 0);
    g_assert_cmpint(counter.calls, ==, 3);
    bh_schedule(counter.bh);
    bh_cancel(counter.bh);
    event_loop_iterate(f->loop, 0);
    g_assert_cmpint(counter.calls, ==, 3);
    event_loop_call(f->loop, count, &counter);
    event_loop_iterate(f->loop, 0);
    g_assert_cmpint(counter.calls, ==, 4);
    bh_free(counter.bh);
}

static void take_byte(int fd, GIOCondition condition, void *opaque)
{
    GString *trace = opaque;
    char c;

    g_assert_cmpint(condition, ==, G_IO_IN);
    g_assert_cmpint(read(fd, &c, 1), ==, 1);
    g_string_append_c(trace, c);
}

static void test_descriptor(Fixture *f, gconstpointer data)
{
    int fds[2];
    GSource *source;

    g_assert_cmpint(pipe(fds), ==, 0);
    source = event_loop_add_fd(f->loop, fds[0], G_IO_IN, take_byte, f->trace);
    g_assert_false(event_loop_iterate(f->loop, 0));
    g_assert_cmpint(write(fds[1], "q", 1), ==, 1);
    g_assert_true(event_loop_iterate(f->loop, -1));
    g_assert_cmpstr(f->trace->str, ==, "q");
    event_loop_remove_source(source);
    g_assert_cmpint(write(fds[1], "z", 1), ==, 1);
    event_loop_iterate(f->loop, 0);
    g_assert_cmpstr(f->trace->str, ==, "q");
    close(fds[0]);
    close(fds[1]);
}

/* ---- the main loop -------------------------------------------------------------------------- */

static void *take_big_lock(void *opaque)
{
    main_loop_lock();
    *(bool *)opaque = true;
    main_loop_unlock();
    main_loop_notify();
    return NULL;
}

/* Another thread gets the big lock while the main thread waits, and only then. */
static void test_main_loop(void)
{
    bool taken = false;
    GThread *thread;

    g_assert_true(vmm_init_main_loop(NULL));
    g_assert_true(main_loop_locked());
    thread = g_thread_new("lock", take_big_lock, &taken);
    g_usleep(2000);
    g_assert_false(taken);
    while (!taken) {
        main_loop_wait(false);
    }
    g_assert_true(main_loop_locked());
    g_thread_join(thread);
    main_loop_wait(true);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, fn) g_test_add("/loop/" path, Fixture, NULL, set_up, fn, tear_down)
    ADD("timer/order", test_timer_order);
    ADD("timer/rearm", test_timer_rearm);
    ADD("timer/heap", test_timer_heap);
    ADD("timer/real", test_real_timer);
    ADD("timer/wakes", test_timer_wakes);
    ADD("timer/frees-itself", test_timer_frees_itself);
    ADD("clock/stopped", test_stopped_clock);
    ADD("bottom-half", test_bottom_half);
    ADD("descriptor", test_descriptor);
    g_test_add_func("/loop/main", test_main_loop);
    return g_test_run();
}
