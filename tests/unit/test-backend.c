/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include "hw/core/machine.h"
#include "system/iothread.h"
#include "system/loop/main-loop.h"
#include "system/memory/backend.h"
#include "system/object-add.h"

typedef struct Fixture {
    MachineState *machine;
    Object *objects;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    g_assert_true(vmm_init_main_loop(NULL));
    f->machine = machine_new(machine_find_class("none", NULL), NULL);
    f->objects = container_get(object_get_root(OBJECT(f->machine)), "objects");
}

static void tear_down(Fixture *f, gconstpointer data)
{
    machine_free(f->machine);
}

static Object *add(Fixture *f, const char *text, const char *error_says)
{
    g_autoptr(Options) options = options_parse(text, "qom-type", NULL);
    g_autoptr(GError) error = NULL;
    bool ok = user_object_add(f->machine, options, &error);

    if (error_says) {
        g_assert_false(ok);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, error_says));
        return NULL;
    }
    g_assert_no_error(error);
    return object_resolve_path_component(f->objects, options_get(options, "id"));
}

/* ---- memory -------------------------------------------------------------------------------- */

static size_t resident_pages(const void *host, size_t size)
{
    size_t n = 0;
    g_autofree unsigned char *pages = g_malloc(size / 4096);

    g_assert_cmpint(mincore((void *)host, size, pages), ==, 0);
    for (size_t i = 0; i < size / 4096; i++) {
        n += pages[i] & 1;
    }
    return n;
}

static void test_kinds(Fixture *f, gconstpointer data)
{
    static const char *const kinds[] = {
        "memory-backend-ram,id=a,size=1M",
        "memory-backend-ram,id=b,size=1M,share=on",
        "memory-backend-memfd,id=c,size=1M,merge=on,dump=off",
        "memory-backend-memfd,id=d,size=1M,prealloc=on",
        "memory-backend-ram,id=e,size=1M,prealloc=on",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        MemoryBackend *backend = MEMORY_BACKEND(add(f, kinds[i], NULL));
        MemoryRegion *mr = memory_backend_claim(backend, NULL);
        uint8_t *host = memory_region_get_ram_ptr(mr);

        g_test_message("%s", kinds[i]);
        g_assert_cmpuint(memory_region_size(mr), ==, 1 << 20);
        g_assert_cmpuint(resident_pages(host, 1 << 20), ==, backend->prealloc ? 256 : 0);
        host[12345] = 1;
        g_assert_cmpuint(host[12346], ==, 0);
        g_assert_null(memory_backend_claim(backend, NULL));
        g_assert_false(user_object_del(f->machine, OBJECT(backend)->name, NULL));
        g_assert_false(object_property_set_uint(OBJECT(backend), "size", 4096, NULL));
    }
}

static void test_file(Fixture *f, gconstpointer data)
{
    g_autofree char *path = NULL, *text = NULL;
    g_autofree uint8_t *found = NULL;
    int fd = g_file_open_tmp("test-backend-XXXXXX", &path, NULL);
    Object *obj;
    gsize len;

    close(fd);
    text = g_strdup_printf("memory-backend-file,id=a,size=64K,mem-path=%s,share=on", path);
    obj = add(f, text, NULL);
    memcpy(MEMORY_BACKEND(obj)->host, "kept", 4);
    g_assert_true(user_object_del(f->machine, "a", NULL));
    g_assert_true(g_file_get_contents(path, (char **)&found, &len, NULL));
    g_assert_cmpuint(len, ==, 65536);
    g_assert_cmpmem(found, 4, "kept", 4);

    g_free(text);
    text = g_strdup_printf("memory-backend-file,id=b,size=64K,mem-path=%s,readonly=on", path);
    obj = add(f, text, NULL);
    g_assert_cmpmem(MEMORY_BACKEND(obj)->host, 4, "kept", 4);
    g_free(text);
    text = g_strdup_printf("memory-backend-file,id=c,size=128K,mem-path=%s", path);
    add(f, text, "fewer than");
    g_unlink(path);
}

static void test_memory_errors(Fixture *f, gconstpointer data)
{
    add(f, "memory-backend-ram,id=a", "size=0");
    add(f, "memory-backend-ram,id=a,size=4097", "page size");
    add(f, "memory-backend-memfd,id=a,size=2M,hugetlbsize=3M", "power of two");
    add(f, "memory-backend-file,id=a,size=4K", "mem-path=FILE");
    add(f, "memory-backend-file,id=a,size=4K,mem-path=/nonexistent/x", "cannot open");
    add(f, "memory-backend-file,id=a,size=4K,offset=5,mem-path=/x", "multiple");
}

static void test_machine_ram(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    f->machine->ram_size = 2 << 20;
    f->machine->memory_backend_id = g_strdup("mem");
    g_assert_false(machine_create_ram(f->machine, &error));
    g_assert_nonnull(strstr(error->message, "memory-backend=mem"));
    g_clear_error(&error);
    add(f, "memory-backend-ram,id=mem,size=1M", NULL);
    g_assert_false(machine_create_ram(f->machine, &error));
    g_clear_error(&error);
    f->machine->ram_size = 1 << 20;
    g_assert_true(machine_create_ram(f->machine, &error));
    g_assert_cmpstr(memory_region_name(f->machine->ram), ==, "mem");
}

static void test_default_ram(Fixture *f, gconstpointer data)
{
    f->machine->ram_size = 1 << 20;
    g_assert_true(machine_create_ram(f->machine, NULL));
    g_assert_cmpuint(memory_region_size(f->machine->ram), ==, 1 << 20);
}

/* ---- iothreads ------------------------------------------------------------------------------ */

typedef struct Meeting {
    GMutex lock;
    GCond cond;
    GThread *thread;
    int calls;
} Meeting;

static void meet(void *opaque)
{
    Meeting *meeting = opaque;

    g_mutex_lock(&meeting->lock);
    meeting->thread = g_thread_self();
    meeting->calls++;
    g_cond_signal(&meeting->cond);
    g_mutex_unlock(&meeting->lock);
}

static void await(Meeting *meeting, int calls)
{
    gint64 deadline = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;

    g_mutex_lock(&meeting->lock);
    while (meeting->calls < calls) {
        g_assert_true(g_cond_wait_until(&meeting->cond, &meeting->lock, deadline));
    }
    g_mutex_unlock(&meeting->lock);
}

static void test_iothread(Fixture *f, gconstpointer data)
{
    Object *obj = add(f, "iothread,id=io", NULL);
    EventLoop *loop = iothread_event_loop(IOTHREAD(obj));
    Meeting meeting = {.calls = 0};
    Timer *timer = timer_new(loop, CLOCK_REALTIME_NS, meet, &meeting);

    event_loop_call(loop, meet, &meeting);
    await(&meeting, 1);
    g_assert_true(meeting.thread != g_thread_self());
    timer_mod(timer, vm_clock_get_ns(event_loop_clock(loop), CLOCK_REALTIME_NS) + 1000000);
    await(&meeting, 2);
    g_assert_cmpuint(object_property_get_uint(obj, "thread-id", NULL), !=, getpid());
    g_assert_cmpuint(object_property_get_uint(obj, "rounds", NULL), >, 0);
    g_assert_cmpuint(object_property_get_uint(obj, "sleeps", NULL), >, 0);
    timer_free(timer);

    object_ref(obj); /* a device bound to it */
    g_assert_false(user_object_del(f->machine, "io", NULL));
    object_unref(obj);
    g_assert_true(user_object_del(f->machine, "io", NULL));
}

/* Events in quick succession make it poll; with 0 it never does. */
static void test_iothread_polling(Fixture *f, gconstpointer data)
{
    Object *obj = add(f, "iothread,id=io,poll-max-ns=50000000", NULL);
    EventLoop *loop = iothread_event_loop(IOTHREAD(obj));
    Meeting meeting = {.calls = 0};
    uint64_t polls;

    for (int i = 1; i <= 200; i++) {
        event_loop_call(loop, meet, &meeting);
        await(&meeting, i);
    }
    g_assert_cmpuint(object_property_get_uint(obj, "polls", NULL), >, 0);
    g_assert_true(object_property_set_int(obj, "poll-max-ns", 0, NULL));
    event_loop_call(loop, meet, &meeting);
    await(&meeting, 201);
    g_usleep(100000); /* past the poll that was under way */
    polls = object_property_get_uint(obj, "polls", NULL);
    for (int i = 202; i <= 210; i++) {
        event_loop_call(loop, meet, &meeting);
        await(&meeting, i);
    }
    g_assert_cmpuint(object_property_get_uint(obj, "polls", NULL), ==, polls);
}

static void test_iothread_errors(Fixture *f, gconstpointer data)
{
    add(f, "iothread", "id=NAME");
    add(f, "iothread,id=a,poll-max-ns=-1", "poll-max-ns");
    add(f, "iothread,id=a,thread-id=5", "thread-id");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, fn) g_test_add("/backend/" path, Fixture, NULL, set_up, fn, tear_down)
    ADD("memory/kinds", test_kinds);
    ADD("memory/file", test_file);
    ADD("memory/errors", test_memory_errors);
    ADD("memory/machine", test_machine_ram);
    ADD("memory/default", test_default_ram);
    ADD("iothread/thread", test_iothread);
    ADD("iothread/polling", test_iothread_polling);
    ADD("iothread/errors", test_iothread_errors);
    return g_test_run();
}
