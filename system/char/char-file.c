/* SPDX-License-Identifier: MIT
 *
 * Output to a file, input from another.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "system/char/char-internal.h"

#define TYPE_CHARDEV_FILE CHARDEV_TYPE_NAME("file")
OBJECT_DECLARE_SIMPLE(FileChardev, FILE_CHARDEV, TYPE_CHARDEV_FILE)

struct FileChardev {
    FDChardev parent_obj;
    char *path, *input_path;
    bool append;
};

static int open_or_fail(const char *path, int flags, const char *verb, GError **error)
{
    int fd = open(path, flags | O_CLOEXEC | O_NOCTTY, 0666);

    if (fd < 0) {
        g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_OPEN, "cannot %s '%s': %s", verb, path,
                    g_strerror(errno));
    }
    return fd;
}

static bool file_open(Chardev *chr, GError **error)
{
    FileChardev *f = FILE_CHARDEV(chr);
    int in_fd = -1, out_fd;

    if (!f->path) {
        g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_OPEN, "file: path=FILE is missing");
        return false;
    }
    if (f->input_path && (in_fd = open_or_fail(f->input_path, O_RDONLY, "read", error)) < 0) {
        return false;
    }
    out_fd = open_or_fail(f->path, O_WRONLY | O_CREAT | (f->append ? O_APPEND : O_TRUNC), "write",
                          error);
    if (out_fd < 0) {
        if (in_fd >= 0) {
            close(in_fd);
        }
        return false;
    }
    fd_chardev_set(FD_CHARDEV(chr), in_fd, out_fd);
    chardev_be_event(chr, CHAR_EVENT_OPENED);
    return true;
}

static char *file_describe(Chardev *chr)
{
    return g_strconcat("file:", FILE_CHARDEV(chr)->path, NULL);
}

static void file_class_init(ObjectClass *klass, const void *data)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->kind = "file";
    cc->open = file_open;
    cc->describe = file_describe;
}

static const Property file_properties[] = {
    DEFINE_PROP_STRING("path", FileChardev, path, NULL, "where output goes"),
    DEFINE_PROP_BOOL("append", FileChardev, append, false, "keep what the file holds"),
    DEFINE_PROP_STRING("input-path", FileChardev, input_path, NULL, "where input comes from"),
    DEFINE_PROP_END,
};

static const TypeInfo file_types[] = {
    {
     .name = TYPE_CHARDEV_FILE,
     .parent = TYPE_FD_CHARDEV,
     .instance_size = sizeof(FileChardev),
     .class_init = file_class_init,
     .properties = file_properties,
     .doc = "a file for the output",
     }
};
DEFINE_TYPES(file_types)
