/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include "hw/core/machine.h"
#include "system/char/char-ringbuf.h"
#include "system/char/chardev.h"
#include "system/loop/main-loop.h"

typedef struct Fixture {
    MachineState *machine;
    CharFrontend fe;
    GString *input;
    GString *events;
    size_t room;
    bool writable;
    char *dir;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    g_assert_true(vmm_init_main_loop(NULL));
    f->machine = machine_new(machine_find_class("none", NULL), NULL);
    f->input = g_string_new(NULL);
    f->events = g_string_new(NULL);
    f->room = 1000;
    f->dir = g_dir_make_tmp("test-char-XXXXXX", NULL);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    char_frontend_finish(&f->fe);
    machine_free(f->machine);
    g_string_free(f->input, TRUE);
    g_string_free(f->events, TRUE);
    g_rmdir(f->dir);
    g_free(f->dir);
}

static size_t can_read(void *opaque)
{
    return ((Fixture *)opaque)->room;
}

static void take_input(void *opaque, const uint8_t *buf, size_t len)
{
    Fixture *f = opaque;

    g_assert_cmpuint(len, <=, f->room);
    g_string_append_len(f->input, (const char *)buf, len);
}

static void take_event(void *opaque, CharEvent event)
{
    static const char letters[] = {[CHAR_EVENT_OPENED] = 'o',
                                   [CHAR_EVENT_CLOSED] = 'c',
                                   [CHAR_EVENT_BREAK] = 'b',
                                   [CHAR_EVENT_MUX_IN] = '+',
                                   [CHAR_EVENT_MUX_OUT] = '-'};

    g_string_append_c(((Fixture *)opaque)->events, letters[event]);
}

static Chardev *attach(Fixture *f, const char *id, const char *options)
{
    g_autoptr(GError) error = NULL;
    Chardev *chr = chardev_new(f->machine, id, options, &error);

    g_assert_no_error(error);
    g_assert_true(char_frontend_init(&f->fe, chr, NULL, &error));
    char_frontend_set_handlers(&f->fe, can_read, take_input, take_event, f);
    return chr;
}

static void run_until(bool (*done)(Fixture *f), Fixture *f)
{
    gint64 deadline = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

    while (!done(f)) {
        g_assert_cmpint(g_get_monotonic_time(), <, deadline);
        main_loop_wait(true);
        g_usleep(200);
    }
}

static bool has_input(Fixture *f)
{
    return f->input->len > 0;
}

static bool is_open(Fixture *f)
{
    return f->fe.opened;
}

static bool is_closed(Fixture *f)
{
    return !f->fe.opened;
}

static bool is_writable(Fixture *f)
{
    return f->writable;
}

static char *path_in(Fixture *f, const char *name)
{
    return g_build_filename(f->dir, name, NULL);
}

/* ---- back ends ---------------------------------------------------------------------------- */

static void test_null(Fixture *f, gconstpointer data)
{
    attach(f, "n", "null");
    g_assert_cmpstr(f->events->str, ==, "o");
    g_assert_cmpuint(char_frontend_write(&f->fe, "abc", 3), ==, 3);
}

static void test_unconnected(Fixture *f, gconstpointer data)
{
    g_assert_true(char_frontend_init(&f->fe, NULL, NULL, NULL));
    char_frontend_set_handlers(&f->fe, can_read, take_input, take_event, f);
    g_assert_cmpuint(char_frontend_write(&f->fe, "abc", 3), ==, 3);
    g_assert_false(char_frontend_connected(&f->fe));
    g_assert_false(char_frontend_is_open(&f->fe));
    char_frontend_accept_input(&f->fe);
}

static void test_ringbuf(Fixture *f, gconstpointer data)
{
    Chardev *chr = attach(f, "r", "ringbuf,size=8");
    g_autoptr(GByteArray) bytes = NULL;

    char_frontend_write(&f->fe, "0123456789", 10);
    bytes = chardev_ringbuf_read(chr, 100);
    g_assert_cmpmem(bytes->data, bytes->len, "23456789", 8);
    f->room = 4;
    chardev_ringbuf_input(chr, (const uint8_t *)"hello", 5);
    g_assert_cmpstr(f->input->str, ==, "hello");
}

static void test_file(Fixture *f, gconstpointer data)
{
    g_autofree char *path = path_in(f, "out"), *log = path_in(f, "log"), *text = NULL;
    g_autofree char *options = g_strdup_printf("file,path=%s,logfile=%s", path, log);

    attach(f, "f", options);
    char_frontend_write(&f->fe, "hello", 5);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "hello");
    g_clear_pointer(&text, g_free);
    g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "hello");
    g_unlink(path);
    g_unlink(log);
}

static void test_pty(Fixture *f, gconstpointer data)
{
    Chardev *chr = attach(f, "p", "pty");
    g_autofree char *name = object_property_get_str(OBJECT(chr), "name", NULL);
    char buf[8];
    int fd;

    g_assert_true(is_closed(f));
    char_frontend_write(&f->fe, "lost", 4); /* nobody is there */
    fd = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
    g_assert_cmpint(fd, >=, 0);
    run_until(is_open, f);
    g_assert_cmpint(write(fd, "in", 2), ==, 2);
    run_until(has_input, f);
    g_assert_cmpstr(f->input->str, ==, "in");
    char_frontend_write(&f->fe, "out", 3);
    g_assert_cmpint(read(fd, buf, sizeof(buf)), ==, 3);
    close(fd);
    run_until(is_closed, f);
    fd = open(name, O_RDWR | O_NOCTTY);
    run_until(is_open, f); /* the next one */
    close(fd);
}

/* ---- sockets --------------------------------------------------------------------------------- */

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    return fd;
}

static void test_socket_server(Fixture *f, gconstpointer data)
{
    g_autofree char *path = path_in(f, "s");
    g_autofree char *options = g_strdup_printf("socket,path=%s,server=on,wait=off", path);
    g_autoptr(GError) error = NULL;
    char buf[8];
    int fd;

    attach(f, "s", options);
    g_assert_cmpstr(f->events->str, ==, "");
    for (int i = 0; i < 2; i++) { /* one client after another */
        fd = connect_to(path);
        run_until(is_open, f);
        g_assert_cmpint(write(fd, "hi", 2), ==, 2);
        run_until(has_input, f);
        g_assert_cmpstr(f->input->str, ==, "hi");
        g_string_truncate(f->input, 0);
        char_frontend_write(&f->fe, "ho", 2);
        g_assert_cmpint(read(fd, buf, sizeof(buf)), ==, 2);
        close(fd);
        run_until(is_closed, f);
    }
    g_assert_cmpstr(f->events->str, ==, "ococ");
    /* A second server on the same path does not take it away. */
    g_assert_null(chardev_new(f->machine, "s2", options, &error));
    g_assert_nonnull(strstr(error->message, "in use by another process"));
}

static void test_socket_stale(Fixture *f, gconstpointer data)
{
    g_autofree char *path = path_in(f, "s");
    g_autofree char *options = g_strdup_printf("socket,path=%s,server=on,wait=off", path);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    close(fd); /* the file stays */
    attach(f, "s", options);
    fd = connect_to(path);
    run_until(is_open, f);
    close(fd);
}

static void note_writable(void *opaque)
{
    ((Fixture *)opaque)->writable = true;
}

/* A reader that does not read: bounded memory, then word when there is room. */
static void test_socket_full(Fixture *f, gconstpointer data)
{
    g_autofree char *path = path_in(f, "s");
    g_autofree char *options = g_strdup_printf("socket,path=%s,server=on,wait=off", path);
    static uint8_t block[4096];
    size_t total = 0, taken;
    int fd;

    attach(f, "s", options);
    fd = connect_to(path);
    run_until(is_open, f);
    do {
        taken = char_frontend_write(&f->fe, block, sizeof(block));
        total += taken;
        g_assert_cmpuint(total, <, 8 * 1024 * 1024);
    } while (taken == sizeof(block));
    char_frontend_when_writable(&f->fe, note_writable, f);
    main_loop_wait(true);
    g_assert_false(f->writable);
    for (size_t got = 0; got < total;) {
        ssize_t n = recv(fd, block, sizeof(block), MSG_DONTWAIT);

        got += MAX(n, 0);
        main_loop_wait(true);
    }
    run_until(is_writable, f);
    close(fd);
    run_until(is_closed, f);
    /* Nobody: what is written vanishes, and the writer goes on. */
    g_assert_cmpuint(char_frontend_write(&f->fe, block, sizeof(block)), ==, sizeof(block));
}

/* A monitor's lines come whole or not at all. */
static void test_socket_lines(Fixture *f, gconstpointer data)
{
    g_autofree char *path = path_in(f, "s");
    g_autofree char *options = g_strdup_printf("socket,path=%s,server=on,wait=off", path);
    g_autofree char *line = g_strnfill(999, 'x');
    g_autoptr(GString) got = g_string_new(NULL);
    char block[4096];
    ssize_t n;
    int fd;

    line[998] = '\n';
    attach(f, "s", options);
    fd = connect_to(path);
    run_until(is_open, f);
    for (int i = 0; i < 4000; i++) { /* more than is kept */
        char_frontend_write_all(&f->fe, line, 999);
    }
    do {
        main_loop_wait(true);
        n = recv(fd, block, sizeof(block), MSG_DONTWAIT);
        g_string_append_len(got, block, MAX(n, 0));
    } while (n > 0);
    g_assert_cmpuint(got->len, >, 1000000);
    g_assert_cmpuint(got->len, <, 4000 * 999);
    g_assert_cmpuint(got->len % 999, ==, 0);
    char_frontend_write_all(&f->fe, line, 999); /* there is room again */
    g_assert_cmpint(recv(fd, block, sizeof(block), 0), ==, 999);
    close(fd);
    run_until(is_closed, f);
}

/* Input waits in the socket while the device has no room. */
static void test_flow_control(Fixture *f, gconstpointer data)
{
    g_autofree char *path = path_in(f, "s");
    g_autofree char *options = g_strdup_printf("socket,path=%s,server=on,wait=off", path);
    int fd;

    attach(f, "s", options);
    fd = connect_to(path);
    run_until(is_open, f);
    f->room = 0;
    g_assert_cmpint(write(fd, "abcdef", 6), ==, 6);
    for (int i = 0; i < 5; i++) {
        main_loop_wait(true);
    }
    g_assert_cmpuint(f->input->len, ==, 0);
    f->room = 3;
    char_frontend_accept_input(&f->fe);
    run_until(has_input, f);
    while (f->input->len < 6) {
        main_loop_wait(true);
    }
    g_assert_cmpstr(f->input->str, ==, "abcdef");
    close(fd);
    run_until(is_closed, f);
}

/* ---- mux ------------------------------------------------------------------------------------ */

static void feed(Fixture *f, Chardev *base, const char *text)
{
    chardev_ringbuf_input(base, (const uint8_t *)text, strlen(text));
    main_loop_wait(true);
}

static void test_mux(Fixture *f, gconstpointer data)
{
    Chardev *mux = attach(f, "m", "ringbuf,mux=on"),
            *base = chardev_find(f->machine, "m-base", NULL);
    Fixture other = {.input = g_string_new(NULL), .events = g_string_new(NULL), .room = 1};
    g_autoptr(GByteArray) bytes = NULL;

    g_assert_true(char_frontend_init(&other.fe, mux, NULL, NULL));
    char_frontend_set_handlers(&other.fe, can_read, take_input, take_event, &other);
    feed(f, base, "one");
    feed(f, base, "\001c");
    other.room = 1000;
    feed(f, base, "two\001\001");
    g_assert_cmpstr(f->input->str, ==, "one");
    g_assert_cmpstr(other.input->str, ==, "two\001");
    g_assert_cmpstr(f->events->str, ==, "o-");
    feed(f, base, "\001b");
    g_assert_cmpstr(other.events->str, ==, "o+b");
    char_frontend_write(&f->fe, "A", 1);
    char_frontend_write(&other.fe, "B", 1);
    bytes = chardev_ringbuf_read(base, 100);
    g_assert_cmpmem(bytes->data, bytes->len, "AB", 2);
    feed(f, base, "\001x");
    g_assert_cmpint(f->machine->shutdown_requested, ==, SHUTDOWN_CAUSE_HOST_UI);
    char_frontend_finish(&other.fe);
    g_string_free(other.input, TRUE);
    g_string_free(other.events, TRUE);
}

/* ---- errors --------------------------------------------------------------------------------- */

static void test_errors(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *options, *says;
    } cases[] = {
        {"nothing,id=a",                                       "no chardev back end 'nothing'"},
        {"",                                                   "no chardev back end ''"       },
        {"null",                                               "id=NAME is missing"           },
        {"file,id=a",                                          "path=FILE is missing"         },
        {"file,id=a,path=/nonexistent/x",                      "cannot write '/nonexistent/x'"},
        {"file,id=a,pth=/tmp/x",                               "did you mean 'path'"          },
        {"socket,id=a",                                        "give one of path="            },
        {"socket,id=a,path=/nonexistent/x",                    "cannot connect to"            },
        {"socket,id=a,path=/nonexistent/x,server=on,wait=off", "cannot bind to"               },
        {"socket,id=a,path=/x,port=1",                         "give one of path="            },
        {"socket,id=a,path=/x,server=maybe",                   "server"                       },
        {"socket,id=a,fd=999",                                 "no open socket"               },
        {"ringbuf,id=a,size=100",                              "no power of two"              },
        {"ringbuf,id=a,size=0",                                "size"                         },
        {"mux,id=a",                                           "chardev=ID is missing"        },
        {"null,id=used",                                       "already"                      },
    };

    chardev_new(f->machine, "used", "null", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(chardev_new(f->machine, NULL, cases[i].options, &error));
        g_test_message("%s: %s", cases[i].options, error->message);
        g_assert_nonnull(strstr(error->message, cases[i].says));
    }
}

static void test_busy(Fixture *f, gconstpointer data)
{
    Chardev *chr = attach(f, "b", "null");
    g_autoptr(GError) error = NULL;
    CharFrontend second;

    g_assert_false(char_frontend_init(&second, chr, NULL, &error));
    g_assert_error(error, CHARDEV_ERROR, CHARDEV_ERROR_BUSY);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, fn) g_test_add("/char/" path, Fixture, NULL, set_up, fn, tear_down)
    ADD("null", test_null);
    ADD("unconnected", test_unconnected);
    ADD("ringbuf", test_ringbuf);
    ADD("file", test_file);
    ADD("pty", test_pty);
    ADD("socket/server", test_socket_server);
    ADD("socket/stale", test_socket_stale);
    ADD("socket/full", test_socket_full);
    ADD("socket/lines", test_socket_lines);
    ADD("socket/flow-control", test_flow_control);
    ADD("mux", test_mux);
    ADD("errors", test_errors);
    ADD("busy", test_busy);
    return g_test_run();
}
