/* SPDX-License-Identifier: MIT
 *
 * The process's own terminal, or whatever its standard input and output are.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "system/char/char-internal.h"

#define TYPE_CHARDEV_STDIO CHARDEV_TYPE_NAME("stdio")
OBJECT_DECLARE_SIMPLE(StdioChardev, STDIO_CHARDEV, TYPE_CHARDEV_STDIO)

struct StdioChardev {
    FDChardev parent_obj;
    bool signal;
};

/* There is one standard input. */
static StdioChardev *stdio_owner;

static bool stdio_open(Chardev *chr, GError **error)
{
    StdioChardev *s = STDIO_CHARDEV(chr);
    int in_fd, out_fd;

    if (stdio_owner) {
        g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_BUSY,
                    "stdio is used by chardev '%s' already (mux=on lets several share it)",
                    CHARDEV(stdio_owner)->label);
        return false;
    }
    in_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    out_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (!terminal_set_raw(STDIN_FILENO, s->signal, error)) {
        return false;
    }
    stdio_owner = s;
    fd_chardev_set(FD_CHARDEV(chr), in_fd, out_fd);
    chardev_be_event(chr, CHAR_EVENT_OPENED);
    return true;
}

static void stdio_close(Chardev *chr)
{
    fd_chardev_clear(FD_CHARDEV(chr));
    terminal_restore();
    stdio_owner = NULL;
}

static void stdio_class_init(ObjectClass *klass, const void *data)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->kind = "stdio";
    cc->open = stdio_open;
    cc->close = stdio_close;
}

static const Property stdio_properties[] = {
    DEFINE_PROP_BOOL("signal", StdioChardev, signal, true,
                     "keys such as Ctrl-C send a signal to this process, not to the guest"),
    DEFINE_PROP_END,
};

static const TypeInfo stdio_types[] = {
    {
     .name = TYPE_CHARDEV_STDIO,
     .parent = TYPE_FD_CHARDEV,
     .instance_size = sizeof(StdioChardev),
     .class_init = stdio_class_init,
     .properties = stdio_properties,
     .doc = "standard input and output",
     }
};
DEFINE_TYPES(stdio_types)
