/* SPDX-License-Identifier: MIT
 *
 * Back ends whose bytes go through file descriptors.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <glib-unix.h>
#include "system/char/char-internal.h"

#define READ_CHUNK 4096

static void fd_chardev_accept_input(Chardev *chr);

static void stop_input(FDChardev *fdc)
{
    event_loop_remove_source(g_steal_pointer(&fdc->in_source));
}

static void input_ended(FDChardev *fdc)
{
    FDChardevClass *fc = FD_CHARDEV_GET_CLASS(fdc);

    stop_input(fdc);
    if (fc->hangup) {
        fc->hangup(fdc);
    } else if (fdc->in_fd >= 0 && fdc->in_fd != fdc->out_fd) {
        close(fdc->in_fd);
        fdc->in_fd = -1;
    }
}

static void input_ready(int fd, GIOCondition condition, void *opaque)
{
    FDChardev *fdc = opaque;
    size_t room = chardev_be_can_read(CHARDEV(fdc));
    uint8_t buf[READ_CHUNK];
    ssize_t n;

    if (room == 0) {
        stop_input(fdc); /* until accept_input */
        return;
    }
    n = read(fd, buf, MIN(room, sizeof(buf)));
    if (n > 0) {
        chardev_be_read(CHARDEV(fdc), buf, n);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        input_ended(fdc);
    }
}

static void fd_chardev_accept_input(Chardev *chr)
{
    FDChardev *fdc = FD_CHARDEV(chr);

    if (fdc->in_fd >= 0 && !fdc->in_source && chardev_be_can_read(chr) > 0) {
        fdc->in_source = event_loop_add_fd(chr->loop, fdc->in_fd, G_IO_IN | G_IO_HUP | G_IO_ERR,
                                           input_ready, fdc);
    }
}

/* A terminal's or a pipe's file description may be shared: non-blocking only a new one. */
static int own_description(int fd, int flags)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    int own = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (own < 0) {
        return fd;
    }
    close(fd);
    return own;
}

static int make_nonblocking(int fd, int flags)
{
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || S_ISREG(st.st_mode) || fcntl(fd, F_GETFL) & O_NONBLOCK) {
        return fd;
    }
    if (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode)) {
        fd = own_description(fd, flags);
    }
    g_unix_set_fd_nonblocking(fd, TRUE, NULL);
    return fd;
}

void fd_chardev_set(FDChardev *fdc, int in_fd, int out_fd)
{
    fd_chardev_clear(fdc);
    g_mutex_lock(&fdc->parent_obj.lock);
    if (in_fd == out_fd) {
        fdc->in_fd = fdc->out_fd = make_nonblocking(in_fd, O_RDWR);
    } else {
        fdc->in_fd = make_nonblocking(in_fd, O_RDONLY);
        fdc->out_fd = make_nonblocking(out_fd, O_WRONLY);
    }
    fdc->write_failed = false;
    g_mutex_unlock(&fdc->parent_obj.lock);
    fd_chardev_accept_input(CHARDEV(fdc));
}

void fd_chardev_clear(FDChardev *fdc)
{
    stop_input(fdc);
    chardev_discard_output(CHARDEV(fdc));
    g_mutex_lock(&fdc->parent_obj.lock);
    if (fdc->in_fd >= 0 && fdc->in_fd != fdc->out_fd) {
        close(fdc->in_fd);
    }
    if (fdc->out_fd >= 0) {
        close(fdc->out_fd);
    }
    fdc->in_fd = fdc->out_fd = -1;
    g_mutex_unlock(&fdc->parent_obj.lock);
}

static ssize_t fd_chardev_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    FDChardev *fdc = FD_CHARDEV(chr);
    ssize_t n;

    if (fdc->out_fd < 0) {
        return -1;
    }
    do {
        n = write(fdc->out_fd, buf, len);
    } while (n < 0 && errno == EINTR);
    if (n >= 0) {
        return n;
    }
    if (errno == EAGAIN) {
        return 0;
    }
    if (!fdc->write_failed && errno != EPIPE && errno != ECONNRESET) {
        fdc->write_failed = true;
        chardev_report(chr, "output is lost: %s", g_strerror(errno));
    }
    return -1;
}

static int fd_chardev_write_fd(Chardev *chr)
{
    return FD_CHARDEV(chr)->out_fd;
}

static void fd_chardev_close(Chardev *chr)
{
    fd_chardev_clear(FD_CHARDEV(chr));
}

static void fd_chardev_instance_init(Object *obj)
{
    FDChardev *fdc = (FDChardev *)obj;

    fdc->in_fd = fdc->out_fd = -1;
}

static void fd_chardev_class_init(ObjectClass *klass, const void *data)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->write = fd_chardev_write;
    cc->write_fd = fd_chardev_write_fd;
    cc->close = fd_chardev_close;
    cc->accept_input = fd_chardev_accept_input;
}

static const TypeInfo fd_chardev_types[] = {
    {
     .name = TYPE_FD_CHARDEV,
     .parent = TYPE_CHARDEV,
     .instance_size = sizeof(FDChardev),
     .instance_init = fd_chardev_instance_init,
     .abstract = true,
     .class_size = sizeof(FDChardevClass),
     .class_init = fd_chardev_class_init,
     .doc = "character device on file descriptors",
     }
};
DEFINE_TYPES(fd_chardev_types)
