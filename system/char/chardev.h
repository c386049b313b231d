/* SPDX-License-Identifier: MIT
 *
 * Character devices: a back end (Chardev: a terminal, a file, a socket) and the
 * front end of the device that uses it (CharFrontend, embedded in the device).
 *
 * A device declares a link property and takes the back end when it is realized:
 *
 *     DEFINE_PROP_LINK("chardev", Foo, chardev, TYPE_CHARDEV, "where bytes go"),   Chardev
 * *chardev; char_frontend_init(&s->fe, s->chardev, DEVICE(s), error) CharFrontend fe;
 *     char_frontend_set_handlers(&s->fe, foo_can_read, foo_read, foo_event, s);
 *
 * What char_frontend_init() took is given back when the device is unrealized.
 *
 * Threads: handlers run on the machine's main loop under the device's lock.
 * char_frontend_write() and the others below "any thread" may be called with the device
 * lock held; they never block on the outside world.
 */
#ifndef SYSTEM_CHAR_CHARDEV_H
#define SYSTEM_CHAR_CHARDEV_H

#include "hw/core/qdev.h"
#include "qom/object.h"
#include "system/loop/event-loop.h"

#define TYPE_CHARDEV "chardev"
OBJECT_DECLARE(Chardev, ChardevClass, CHARDEV, TYPE_CHARDEV)
#define CHARDEV_TYPE_NAME(kind) "chardev-" kind

typedef struct CharFrontend CharFrontend;

typedef enum CharEvent {
    CHAR_EVENT_OPENED,  /* somebody is at the other end; also sent when handlers are set */
    CHAR_EVENT_CLOSED,  /* nobody is */
    CHAR_EVENT_BREAK,   /* a break was received */
    CHAR_EVENT_MUX_IN,  /* this front end of a mux has the input now */
    CHAR_EVENT_MUX_OUT, /* another has */
} CharEvent;

/* How many bytes the device takes now; 0: none, it will call char_frontend_accept_input(). */
typedef size_t (*CharCanRead)(void *opaque);
typedef void (*CharRead)(void *opaque, const uint8_t *buf, size_t len);
typedef void (*CharEventHandler)(void *opaque, CharEvent event);
typedef void (*CharWritable)(void *opaque);

/* Line settings and modem lines: back ends without such lines take and ignore them. */
typedef struct CharLineSettings {
    uint32_t speed; /* baud */
    uint8_t data_bits, stop_bits;
    char parity; /* 'N', 'O', 'E' */
} CharLineSettings;

#define CHAR_MODEM_CTS 0x01u
#define CHAR_MODEM_DSR 0x02u
#define CHAR_MODEM_RI  0x04u
#define CHAR_MODEM_CAR 0x08u
#define CHAR_MODEM_DTR 0x10u
#define CHAR_MODEM_RTS 0x20u

struct CharFrontend {
    Chardev *chr;     /* NULL: not connected; what is written vanishes */
    DeviceState *dev; /* whose lock its handlers get; NULL: none */
    CharCanRead can_read;
    CharRead read;
    CharEventHandler event;
    void *opaque;
    CharWritable writable; /* pending char_frontend_when_writable() */
    void *writable_opaque;
    bool opened; /* the last OPENED or CLOSED that was delivered */
};

/* ---- for devices ------------------------------------------------------------- */

/*
 * Take the back end (NULL is allowed).  Fails if another device has it.  With
 * a device, in realize, it is given back on unrealize; without, call finish.
 */
bool char_frontend_init(CharFrontend *fe, Chardev *chr, DeviceState *dev, GError **error);
void char_frontend_finish(CharFrontend *fe);
/* All NULL: stop.  Main thread. */
void char_frontend_set_handlers(CharFrontend *fe, CharCanRead can_read, CharRead read,
                                CharEventHandler event, void *opaque);

/* The rest: any thread. */

/*
 * Write without blocking; returns how many bytes were taken (buffered at
 * worst).  Fewer than len: full; use char_frontend_when_writable() for the rest.
 * If nobody is at the other end the bytes are dropped and count as taken.
 */
size_t char_frontend_write(CharFrontend *fe, const void *buf, size_t len);
/*
 * All of it or, where that would make the buffer grow beyond 1 MiB, nothing: a line of a monitor is
 * never cut.
 */
void char_frontend_write_all(CharFrontend *fe, const void *buf, size_t len);
/* Call fn once, under the device's lock, when there is room.  NULL: no more. */
void char_frontend_when_writable(CharFrontend *fe, CharWritable fn, void *opaque);
/* The device has room for input again. */
void char_frontend_accept_input(CharFrontend *fe);
bool char_frontend_connected(const CharFrontend *fe); /* has a back end */
bool char_frontend_is_open(const CharFrontend *fe);   /* with somebody at the other end */
void char_frontend_set_break(CharFrontend *fe, bool on);
void char_frontend_set_line(CharFrontend *fe, const CharLineSettings *settings);
/* CHAR_MODEM_*; a back end without modem lines answers CTS, DSR and CAR. */
unsigned char_frontend_get_modem(CharFrontend *fe);
void char_frontend_set_modem(CharFrontend *fe, unsigned lines);

/* ---- for the machine and the command line -------------------------------------- */

/*
 * As -chardev: "socket,path=/tmp/x,server=on"; it becomes /chardevs/ID.  NULL
 * and an error that names the back ends or the options there are.  Borrowed.
 */
Chardev *chardev_new(MachineState *machine, const char *id, const char *options, GError **error);
/*
 * As -serial: "stdio", "pty", "file:PATH", "unix:PATH,server,nowait", "chardev:ID", ...
 * *ret_chr NULL: "none".
 */
bool chardev_new_legacy(MachineState *machine, const char *id, const char *text, Chardev **ret_chr,
                        GError **error);
/* A mux over a back end, with the id that people use; the base gets "ID-base". */
Chardev *chardev_new_mux(MachineState *machine, const char *id, const char *base_options,
                         GError **error);
/* By id, or NULL and an error. */
Chardev *chardev_find(MachineState *machine, const char *id, GError **error);
/* Lines of "kind  doc", or of one kind's options (NULL: no such kind); free it. */
char *chardev_help(const char *kind);
/* What is behind it: "pty:/dev/pts/3"; free it. */
char *chardev_describe(Chardev *chr);

/* ---- for back ends --------------------------------------------------------------- */

#define CHARDEV_ERROR (chardev_error_quark())
GQuark chardev_error_quark(void);
typedef enum ChardevError {
    CHARDEV_ERROR_KIND, /* no such back end or chardev */
    CHARDEV_ERROR_OPEN,
    CHARDEV_ERROR_BUSY, /* somebody else has it */
} ChardevError;

#define CHARDEV_MAX_FRONTENDS 8

struct ChardevClass {
    ObjectClass parent_class;
    const char *kind;       /* "stdio"; NULL: not for the command line */
    unsigned max_frontends; /* 1, but for a mux */
    /* Properties are set: open it.  Main thread.  Calls chardev_be_event(OPENED) when usable. */
    bool (*open)(Chardev *chr, GError **error);
    /* Before it is freed, if it was opened.  Optional. */
    void (*close)(Chardev *chr);
    /*
     * Take some of the bytes without blocking: how many, 0 if it would block,
     * -1 if the other end is gone.  Any thread, chr->lock held.
     */
    ssize_t (*write)(Chardev *chr, const uint8_t *buf, size_t len);
    /* fd to wait on for room after write() answered 0, or -1; chr->lock held.  Optional. */
    int (*write_fd)(Chardev *chr);
    /* The front end takes input again.  Main thread.  Optional. */
    void (*accept_input)(Chardev *chr);
    /* Where writes really go, instead of write(): a mux's base.  Optional. */
    Chardev *(*sink)(Chardev *chr);
    /* See chardev_describe().  Optional: the kind. */
    char *(*describe)(Chardev *chr);
};

struct Chardev {
    Object parent_obj;
    MachineState *machine;
    EventLoop *loop;
    char *label; /* the id */
    char *logfile;
    bool logappend;
    int log_fd;
    bool opened;

    GMutex lock;     /* leaf: the output side, and pending when_writable requests */
    GByteArray *out; /* not yet written */
    GSource *out_source;
    _Atomic bool be_open; /* somebody is at the other end */

    /* main thread */
    CharFrontend *frontends[CHARDEV_MAX_FRONTENDS];
    unsigned n_frontends, focus;
    Chardev *upper; /* the mux on top, which has the front ends that wait for room */
    BottomHalf *accept_bh, *writable_bh;
};

/* How much the focused front end takes; deliver at most that.  Main thread. */
size_t chardev_be_can_read(Chardev *chr);
void chardev_be_read(Chardev *chr, const uint8_t *buf, size_t len);
/* To every front end (OPENED and CLOSED, which it remembers), or the focused one.  Main thread. */
void chardev_be_event(Chardev *chr, CharEvent event);
/* To one front end, under its device's lock. */
void char_frontend_send_event(CharFrontend *fe, CharEvent event);
/* Write past the front end (mux help text, echo). */
void chardev_write_all(Chardev *chr, const void *buf, size_t len);

#endif
