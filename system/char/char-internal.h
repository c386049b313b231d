/* SPDX-License-Identifier: MIT
 *
 * What the files of this folder share.
 */
#ifndef SYSTEM_CHAR_CHAR_INTERNAL_H
#define SYSTEM_CHAR_CHAR_INTERNAL_H

#include "hw/core/machine.h"
#include "system/char/chardev.h"

/* How much a device may have waiting to go out, and how much a monitor may. */
#define CHARDEV_BUFFER     (64 * 1024)
#define CHARDEV_BUFFER_ALL (1024 * 1024)

/* ---- Chardev and CharFrontend --------------------------------------------------------- */

/* Open what chardev_new() made. */
bool chardev_open(Chardev *chr, MachineState *machine, GError **error);
bool chardev_attach(Chardev *chr, CharFrontend *fe, GError **error);
void chardev_detach(Chardev *chr, CharFrontend *fe);
Chardev *chardev_sink(Chardev *chr);
/* Returns how many bytes were taken: all, unless more than `limit` would be waiting. */
size_t chardev_write_buffered(Chardev *chr, const uint8_t *buf, size_t len, size_t limit);
void chardev_when_writable(Chardev *chr, CharFrontend *fe, CharWritable fn, void *opaque);
/* Drop what waits to go out: the other end is gone. */
void chardev_discard_output(Chardev *chr);
/* "chardev ID: " in front of what happened; for what has no caller to tell. */
void chardev_report(Chardev *chr, const char *format, ...) G_GNUC_PRINTF(2, 3);

size_t char_frontend_can_read(CharFrontend *fe);
void char_frontend_read(CharFrontend *fe, const uint8_t *buf, size_t len);
void char_frontend_call(CharFrontend *fe, CharWritable fn, void *opaque);

/* ---- back ends on file descriptors ------------------------------------------------------ */

#define TYPE_FD_CHARDEV "chardev-fd"
OBJECT_DECLARE(FDChardev, FDChardevClass, FD_CHARDEV, TYPE_FD_CHARDEV)

struct FDChardevClass {
    ChardevClass parent_class;
    /* The other end closed, or reading failed.  Main thread.  Optional: input just ends. */
    void (*hangup)(FDChardev *fdc);
};

struct FDChardev {
    Chardev parent_obj;
    int in_fd, out_fd; /* owned; may be the same; -1: none */
    GSource *in_source;
    bool write_failed; /* said so already */
};

/* Take descriptors, made non-blocking where that makes sense; input begins. */
void fd_chardev_set(FDChardev *fdc, int in_fd, int out_fd);
/* Close them. */
void fd_chardev_clear(FDChardev *fdc);

/* ---- the terminal ------------------------------------------------------------------------ */

/* Raw mode on fd's terminal until terminal_restore(), which every way out of the process calls. */
bool terminal_set_raw(int fd, bool signals, GError **error);
void terminal_restore(void);
/* For a pty's slave. */
void terminal_make_raw(int fd);

#endif
