/* SPDX-License-Identifier: MIT
 *
 * A pseudo-terminal: programs such as screen open its other side.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <unistd.h>
#include "system/char/char-internal.h"

#define TYPE_CHARDEV_PTY CHARDEV_TYPE_NAME("pty")
OBJECT_DECLARE_SIMPLE(PtyChardev, PTY_CHARDEV, TYPE_CHARDEV_PTY)

/* The kernel reports no event when the other side is opened: look this often. */
#define PTY_LOOK_NS (200 * 1000000LL)

struct PtyChardev {
    FDChardev parent_obj;
    char *name; /* of the other side */
    int master;
    Timer *look;
};

static void pty_look(void *opaque)
{
    PtyChardev *p = opaque;
    Chardev *chr = CHARDEV(p);
    struct pollfd pfd = {.fd = p->master, .events = POLLOUT};

    if (poll(&pfd, 1, 0) > 0 && !(pfd.revents & POLLHUP)) {
        chardev_be_event(chr, CHAR_EVENT_OPENED);
        fd_chardev_set(FD_CHARDEV(chr), p->master, fcntl(p->master, F_DUPFD_CLOEXEC, 3));
        p->master = -1;
        return;
    }
    timer_mod(p->look,
              vm_clock_get_ns(event_loop_clock(chr->loop), CLOCK_REALTIME_NS) + PTY_LOOK_NS);
}

/* Keep the master: the next program that opens the other side goes on. */
static void pty_hangup(FDChardev *fdc)
{
    PtyChardev *p = PTY_CHARDEV(fdc);

    p->master = fdc->in_fd;
    fdc->in_fd = -1;
    fd_chardev_clear(fdc);
    chardev_be_event(CHARDEV(fdc), CHAR_EVENT_CLOSED);
    pty_look(p);
}

static bool pty_open(Chardev *chr, GError **error)
{
    PtyChardev *p = PTY_CHARDEV(chr);
    char name[128];
    int slave;

    if (openpty(&p->master, &slave, name, NULL, NULL) < 0) {
        p->master = -1;
        g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_OPEN, "cannot make a pseudo-terminal: %s",
                    g_strerror(errno));
        return false;
    }
    fcntl(p->master, F_SETFD, FD_CLOEXEC);
    fcntl(p->master, F_SETFL, O_NONBLOCK);
    terminal_make_raw(slave);
    close(slave);
    p->name = g_strdup(name);
    p->look = timer_new(chr->loop, CLOCK_REALTIME_NS, pty_look, p);
    fprintf(stderr, "char device redirected to %s (label %s)\n", name, chr->label);
    pty_look(p);
    return true;
}

static void pty_close(Chardev *chr)
{
    PtyChardev *p = PTY_CHARDEV(chr);

    timer_free(g_steal_pointer(&p->look));
    fd_chardev_clear(FD_CHARDEV(chr));
    if (p->master >= 0) {
        close(p->master);
        p->master = -1;
    }
}

static char *pty_describe(Chardev *chr)
{
    return g_strconcat("pty:", PTY_CHARDEV(chr)->name, NULL);
}

static void pty_instance_init(Object *obj)
{
    ((PtyChardev *)obj)->master = -1;
}

static void pty_class_init(ObjectClass *klass, const void *data)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->kind = "pty";
    cc->open = pty_open;
    cc->close = pty_close;
    cc->describe = pty_describe;
    FD_CHARDEV_CLASS(klass)->hangup = pty_hangup;
}

static const Property pty_properties[] = {
    PROP_FIELD("name", string, PtyChardev, name, PROP_TELEMETRY,
               .doc = "device file of the other side"),
    DEFINE_PROP_END,
};

static const TypeInfo pty_types[] = {
    {
     .name = TYPE_CHARDEV_PTY,
     .parent = TYPE_FD_CHARDEV,
     .instance_size = sizeof(PtyChardev),
     .instance_init = pty_instance_init,
     .class_init = pty_class_init,
     .properties = pty_properties,
     .doc = "a pseudo-terminal, whose name is printed",
     }
};
DEFINE_TYPES(pty_types)
