/* SPDX-License-Identifier: MIT
 *
 * Back ends and -drive: requests, errors, locks, what is refused and in which words.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include "hw/core/machine.h"
#include "system/block/block.h"

typedef struct Wait {
    int ret;
    bool done;
} Wait;

static void finished(void *opaque, int ret)
{
    Wait *w = opaque;

    w->ret = ret;
    w->done = true;
}

static int await(EventLoop *loop, Wait *w)
{
    while (!w->done) {
        g_main_context_iteration(event_loop_context(loop), TRUE);
    }
    return w->ret;
}

static MachineState *machine_for_test(void)
{
    return machine_new(machine_find_class("none", NULL), NULL);
}

static void end(MachineState *m)
{
    blk_drives_free(m);
    machine_free(m);
}

static char *make_file(const char *data, size_t len)
{
    char *name = NULL;
    int fd = g_file_open_tmp("block-XXXXXX", &name, NULL);

    g_assert_cmpint(write(fd, data, len), ==, (ssize_t)len);
    close(fd);
    return name;
}

static char *make_disk(size_t len)
{
    g_autofree char *data = g_malloc0(len);

    memset(data, 0x11, len);
    return make_file(data, len);
}

/* cache=none, in pieces of every alignment, against a copy in memory. */
static void test_direct(void)
{
    enum { SIZE = 256 * 1024 + 512 };
    g_autofree char *file = make_disk(SIZE), *model = g_malloc(SIZE), *buf = g_malloc(SIZE + 1);
    BlockOpenOptions options = {.format = "raw", .cache_direct = true};
    BlockBackend *blk = blk_new("d");
    g_autoptr(GRand) rand = g_rand_new_with_seed(5);
    GError *error = NULL;
    MachineState *m = machine_for_test();

    g_assert_true(blk_open(blk, file, &options, &error));
    g_assert_cmpint(blk_pread(blk, 0, model, SIZE), ==, 0);
    for (int i = 0; i < 400; i++) {
        int unit = g_rand_boolean(rand) ? 4096 : 512;
        int offset = g_rand_int_range(rand, 0, SIZE / unit) * unit;
        int wanted = g_rand_int_range(rand, 1, 9) * unit, len = MIN(wanted, SIZE - offset);
        int shift = g_rand_boolean(rand) ? 0 : 1; /* of the buffer */

        if (g_rand_boolean(rand)) {
            memset(model + offset, i, (size_t)len);
            memcpy(buf + shift, model + offset, (size_t)len);
            g_assert_cmpint(blk_pwrite(blk, offset, buf + shift, (size_t)len), ==, 0);
        } else {
            g_assert_cmpint(blk_pread(blk, offset, buf + shift, (size_t)len), ==, 0);
            g_assert_cmpmem(buf + shift, (size_t)len, model + offset, (size_t)len);
        }
    }
    g_assert_cmpint(blk_pread(blk, 0, buf, SIZE), ==, 0);
    g_assert_cmpmem(buf, SIZE, model, SIZE);
    blk_unref(blk);
    g_unlink(file);
    end(m);
}

static void test_read_write(void)
{
    MachineState *m = machine_for_test();
    g_autofree char *file = make_disk(100 * 512 + 100);
    BlockBackend *blk = blk_new("d");
    char a[512], b[1024];
    struct iovec iov[2] = {
        {a, 512 },
        {b, 1024}
    };
    BlockStats stats;
    GError *error = NULL;

    g_assert_true(blk_open(blk, file, NULL, &error));
    g_assert_cmpint(blk_sectors(blk), ==, 101);
    memset(a, 'a', sizeof(a));
    memset(b, 'b', sizeof(b));
    Wait w = {0};
    blk_pwritev(blk, m->loop, 5 * 512, iov, 2, finished, &w);
    g_assert_false(w.done);
    g_assert_cmpint(await(m->loop, &w), ==, 0);
    w = (Wait){0};
    blk_flush(blk, m->loop, finished, &w);
    g_assert_cmpint(await(m->loop, &w), ==, 0);
    w = (Wait){0};
    blk_preadv(blk, m->loop, 6 * 512 - 1, iov, 1, finished, &w);
    g_assert_cmpint(await(m->loop, &w), ==, 0);
    g_assert_cmpint(a[0], ==, 'a');
    g_assert_cmpint(a[1], ==, 'b');
    w = (Wait){0}; /* the tail of the last sector is zeros */
    blk_preadv(blk, m->loop, 100 * 512, iov, 1, finished, &w);
    g_assert_cmpint(await(m->loop, &w), ==, 0);
    g_assert_cmpint(a[99], ==, 0x11);
    g_assert_cmpint(a[100], ==, 0);
    w = (Wait){0};
    blk_preadv(blk, m->loop, 100 * 512 + 1, iov, 1, finished, &w);
    g_assert_cmpint(await(m->loop, &w), ==, -EIO);
    blk_get_stats(blk, &stats);
    g_assert_cmpint(stats.wr_bytes, ==, 1536);
    g_assert_cmpint(stats.errors, ==, 1);
    g_assert_cmpint(blk_pread(blk, -1, a, 1), ==, -EIO);
    blk_close(blk);
    g_assert_cmpint(blk_pread(blk, 0, a, 1), ==, -ENOMEDIUM);
    blk_unref(blk);
    g_unlink(file);
    end(m);
}

static void test_discard_zeroes(void)
{
    MachineState *m = machine_for_test();
    g_autofree char *file = make_disk(1 << 20);
    BlockBackend *blk = blk_new("d");
    BlockOpenOptions options = {.discard = true};
    char a[4096];
    Wait w = {0};

    g_assert_true(blk_open(blk, file, &options, NULL));
    blk_discard(blk, m->loop, 65536, 65536, finished, &w);
    g_assert_cmpint(await(m->loop, &w), ==, 0);
    w = (Wait){0};
    blk_write_zeroes(blk, m->loop, 4096, 8192, finished, &w);
    g_assert_cmpint(await(m->loop, &w), ==, 0);
    g_assert_cmpint(blk_pread(blk, 8192, a, sizeof(a)), ==, 0);
    g_assert_cmpint(a[0] | a[4095], ==, 0);
    g_assert_cmpint(blk_pread(blk, 12288, a, sizeof(a)), ==, 0);
    g_assert_cmpint(a[0], ==, 0x11);
    w = (Wait){0};
    blk_discard(blk, m->loop, 1 << 20, 512, finished, &w);
    g_assert_cmpint(await(m->loop, &w), ==, -EIO);
    blk_unref(blk);
    g_unlink(file);
    end(m);
}

static void test_snapshot(void)
{
    MachineState *m = machine_for_test();
    g_autofree char *file = make_disk(300000);
    g_autofree char *options = g_strdup_printf("file=%s,format=raw,if=none,id=s,snapshot=on", file);
    g_autofree char *after = NULL;
    char a[70000];
    gsize len;
    GError *error = NULL;

    g_assert_true(blk_drive_add(m, options, &error));
    memset(a, 0x77, sizeof(a));
    g_assert_cmpint(blk_pwrite(blk_by_id(m, "s"), 60000, a, sizeof(a)), ==, 0);
    g_assert_cmpint(blk_pread(blk_by_id(m, "s"), 59999, a, 3), ==, 0);
    g_assert_cmpint(a[0], ==, 0x11);
    g_assert_cmpint(a[1], ==, 0x77);
    g_assert_cmpint(blk_pread(blk_by_id(m, "s"), 129999, a, 2), ==, 0);
    g_assert_cmpint(a[0], ==, 0x77);
    g_assert_cmpint(a[1], ==, 0x11);
    end(m);
    g_assert_true(g_file_get_contents(file, &after, &len, NULL));
    g_assert_cmpint(after[60000], ==, 0x11);
    g_unlink(file);
}

static void test_read_only_and_locks(void)
{
    g_autofree char *file = make_disk(4096);
    BlockBackend *a = blk_new("a"), *b = blk_new("b"), *c = blk_new("c");
    BlockOpenOptions ro = {.read_only = true}, no_lock = {.no_lock = true};
    GError *error = NULL;

    g_assert_true(blk_open(a, file, &ro, NULL));
    g_assert_true(blk_open(b, file, &ro, NULL)); /* readers share */
    g_assert_cmpint(blk_pwrite(a, 0, "x", 1), ==, -EPERM);
    g_assert_false(blk_open(c, file, NULL, &error));
    g_assert_error(error, BLOCK_ERROR, BLOCK_ERROR_LOCKED);
    g_clear_error(&error);
    g_assert_true(blk_open(c, file, &no_lock, NULL));
    blk_unref(a);
    blk_unref(b);
    blk_unref(c);
    g_unlink(file);
}

static void test_actions(void)
{
    BlockBackend *blk = blk_new("x");

    g_assert_cmpint(blk_error_action(blk, true, EIO), ==, BLOCK_ERROR_REPORT);
    g_assert_cmpint(blk_error_action(blk, false, EIO), ==, BLOCK_ERROR_REPORT);
    g_assert_cmpint(blk_error_action(blk, false, ENOSPC), ==, BLOCK_ERROR_STOP);
    blk_set_error_actions(blk, BLOCK_ERROR_STOP, BLOCK_ERROR_IGNORE);
    g_assert_cmpint(blk_error_action(blk, true, EIO), ==, BLOCK_ERROR_STOP);
    g_assert_cmpint(blk_error_action(blk, false, ENOSPC), ==, BLOCK_ERROR_IGNORE);
    blk_unref(blk);
}

static void test_null(void)
{
    MachineState *m = machine_for_test();
    GError *error = NULL;
    char a[16] = "x";

    g_assert_true(blk_drive_add(m, "driver=null-co,size=2G,read-zeroes=on,if=none,id=n", &error));
    g_assert_cmpint(blk_length(blk_by_id(m, "n")), ==, 2ll << 30);
    g_assert_cmpint(blk_pread(blk_by_id(m, "n"), 1 << 30, a, 16), ==, 0);
    g_assert_cmpint(a[0], ==, 0);
    end(m);
}

static void test_places(void)
{
    MachineState *m = machine_for_test();
    g_autofree char *file = make_disk(4096);
    g_autofree char *odd = g_strdup_printf("%s,x", file), *escaped = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    GError *error = NULL;

    g_assert_true(blk_drive_add(m, "if=ide", &error));
    g_assert_true(blk_drive_add(m, "if=ide", &error));
    g_assert_true(blk_drive_add(m, "if=ide,media=cdrom", &error));
    g_assert_cmpstr(drive_get_by_index(m, BLOCK_IF_IDE, 1)->id, ==, "ide0-hd1");
    g_assert_cmpstr(drive_get(m, BLOCK_IF_IDE, 1, 0)->id, ==, "ide1-cd0");
    g_assert_false(blk_drive_add(m, "if=ide,index=0", &error));
    g_clear_error(&error);
    g_assert_false(blk_drive_add(m, "if=none,id=ide0-hd0", &error));
    g_clear_error(&error);
    g_assert_false(blk_drives_check_claimed(m, &error));
    g_assert_nonnull(strstr(error->message, "ide0-hd0"));
    g_clear_error(&error);
    g_assert_nonnull(blk_claim(m, "ide0-hd0", m, &error));
    g_assert_null(blk_claim(m, "ide0-hd0", m->loop, &error));
    g_clear_error(&error);
    blk_release(blk_by_id(m, "ide0-hd0"), m);
    blk_unref(blk_by_id(m, "ide0-hd0"));
    g_assert_cmpint(g_rename(file, odd), ==, 0); /* a comma in a name is written twice */
    escaped = g_strdup_printf("file=%s,,x,if=none,id=odd,format=raw", file);
    g_assert_true(blk_drive_add(m, escaped, &error));
    g_assert_cmpstr(blk_filename(blk_by_id(m, "odd")), ==, odd);
    g_unlink(odd);
    end(m);
}

/* What is wrong, and a piece of what is said about it.  %s is a good image. */
static void test_refusals(void)
{
    static const struct {
        const char *options, *says;
    } rows[] = {
        {"file=/nonexistent/x.img",             "/nonexistent/x.img"},
        {"file=/tmp",                           "directory"         },
        {"file=/dev/null,readonly=on",          "regular file"      },
        {"file=%s,format=qcow2",                "raw"               },
        {"file=%s,if=foo",                      "virtio"            },
        {"file=%s,bogus=1",                     "bogus"             },
        {"file=%s,index=0,bus=1",               "index"             },
        {"file=%s,if=ide,unit=2",               "unit"              },
        {"file=%s,index=-1",                    "index"             },
        {"file=%s,index=999",                   "index"             },
        {"file=%s,readonly=maybe",              "on or off"         },
        {"file=%s,media=tape",                  "cdrom"             },
        {"file=%s,cache=fast",                  "writeback"         },
        {"file=%s,werror=panic",                "enospc"            },
        {"file=%s,rerror=enospc",               "stop"              },
        {"file=%s,discard=maybe",               "unmap"             },
        {"file=%s,aio=magic",                   "threads"           },
        {"driver=nbd,file=%s",                  "null-co"           },
        {"driver=null-co,size=12Q",             "size"              },
        {"driver=null-co,size=99999999999999T", "size"              },
        {"=x",                                  "KEY=VALUE"         },
        {"file=%s,,,",                          ""                  },
    };
    g_autofree char *file = make_disk(4096);
    MachineState *m = machine_for_test();

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(GStrv) parts = g_strsplit(rows[i].options, "%s", 2);
        g_autofree char *options = g_strjoinv(file, parts);
        GError *error = NULL;

        g_assert_false(blk_drive_add(m, options, &error));
        g_assert_nonnull(strstr(error->message, rows[i].says));
        g_clear_error(&error);
    }
    g_unlink(file);
    end(m);
}

static void check_refused(const char *data, size_t len, const char *says)
{
    g_autofree char *file = make_file(data, len);
    BlockBackend *blk = blk_new("x");
    BlockOpenOptions raw = {.format = "raw"};
    GError *error = NULL;

    g_assert_false(blk_open(blk, file, NULL, &error));
    g_assert_nonnull(strstr(error->message, says));
    g_assert_nonnull(strstr(error->message, file));
    g_clear_error(&error);
    g_assert_true(blk_open(blk, file, &raw, NULL) == (len >= 512));
    blk_unref(blk);
    g_unlink(file);
}

static void test_images(void)
{
    char head[1024] = "QFI\xfb";

    check_refused("", 0, "empty");
    check_refused("short", 5, "truncated");
    check_refused(head, sizeof(head), "qcow2");
    memcpy(head, "KDMV", 4);
    check_refused(head, sizeof(head), "vmdk");
    memcpy(head + 0x40, "\x7f\x10\xda\xbe", 4);
    memcpy(head, "<<< ", 4);
    check_refused(head, sizeof(head), "vdi");
}

/* The machine ends while a disk is at work: who asked is told. */
static void test_end(void)
{
    MachineState *m = machine_for_test();
    g_autofree char *file = make_disk(512);
    g_autofree char *options = g_strdup_printf("file=%s,if=none,id=d,format=raw", file);
    Wait w = {0};

    g_assert_true(blk_drive_add(m, options, NULL));
    blk_flush(blk_by_id(m, "d"), m->loop, finished, &w);
    g_assert_false(w.done);
    end(m);
    g_assert_true(w.done);
    g_unlink(file);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/block/read-write", test_read_write);
    g_test_add_func("/block/direct", test_direct);
    g_test_add_func("/block/discard-zeroes", test_discard_zeroes);
    g_test_add_func("/block/snapshot", test_snapshot);
    g_test_add_func("/block/locks", test_read_only_and_locks);
    g_test_add_func("/block/actions", test_actions);
    g_test_add_func("/block/null", test_null);
    g_test_add_func("/block/places", test_places);
    g_test_add_func("/block/refusals", test_refusals);
    g_test_add_func("/block/images", test_images);
    g_test_add_func("/block/end", test_end);
    return g_test_run();
}
