/* SPDX-License-Identifier: MIT
 *
 * What the files of this folder share.
 */
#ifndef SYSTEM_VNC_VNC_INTERNAL_H
#define SYSTEM_VNC_VNC_INTERNAL_H

#include <string.h>

#include <rfb/rfb.h>
#include <rfb/rfbregion.h>
#undef max /* rfb.h's */

#include "system/display/console.h"
#include "system/display/input.h"
#include "system/vnc/vnc.h"

#define VNC_CLIENTS_MAX 64
#define VNC_PASSWORD    8   /* bytes that count */
#define VNC_QUEUE_MAX   256 /* events of one client on their way to the main thread */

typedef struct VNCServer VNCServer;
typedef struct VNCClient VNCClient;

typedef enum VNCShare {
    VNC_SHARE_ALLOW_EXCLUSIVE, /* a client that asks for it disconnects the others */
    VNC_SHARE_FORCE_SHARED,    /* a client that asks to be alone is refused */
    VNC_SHARE_IGNORE,
} VNCShare;

struct VNCServer {
    MachineState *machine;
    char *id, *socket_path, *display, *title;
    unsigned head;
    VNCShare share;
    unsigned max_clients;
    bool want_password;
    GPtrArray *sources; /* of GSource: listening */
    GArray *fds;        /* of int: listening */
    VNCAddress address;

    ConsoleListener listener;
    GSList *clients; /* of VNCClient, main thread */
    BottomHalf *events_bh;

    GMutex lock;      /* what follows, and clients' fields that say so; before the console's */
    GCond room;       /* events were taken */
    Console *console; /* NULL: there is none */
    int width, height;
    char password[VNC_PASSWORD + 1];
    bool has_password;
    int64_t expires; /* seconds since 1970, 0: never */
    GQueue events;   /* of VNCEvent */
    bool absolute;   /* the guest's pointer */
    unsigned leds;
};

typedef enum VNCEventType {
    VNC_EVENT_INITIALIZED,
    VNC_EVENT_GONE,
    VNC_EVENT_KEYSYM,  /* a: keysym, b: down */
    VNC_EVENT_KEYCODE, /* a: number, b: down */
    VNC_EVENT_POINTER, /* a: buttons, x, y; b: relative */
    VNC_EVENT_ALONE,   /* the client wants the others to go */
} VNCEventType;

typedef struct VNCEvent {
    VNCEventType type;
    VNCClient *client;
    uint32_t a;
    bool b;
    int x, y;
} VNCEvent;

struct VNCClient {
    VNCServer *server;
    GThread *thread;
    int fd, wake_fd;
    int control_fd; /* the same socket, for the main thread to shut down */
    VNCAddress address;

    /* main thread */
    bool initialized, has_position;
    int last_x, last_y;
    GHashTable *keys; /* held: InputKey */

    /* server->lock */
    sraRegionPtr damage;
    bool resized, stop;
    unsigned queued;

    /* its own thread */
    rfbScreenInfoPtr screen;
    rfbClientPtr cl;
    uint32_t *pixels;
    bool authenticated, announced;
    bool wants_leds, wants_extended_keys, wants_motion_change; /* of the QEMU extensions */
    bool ack_extended_keys, motion_sent_absolute;
    int leds_sent; /* -1: none */
};

/* vnc-client.c: takes fd and address */
VNCClient *vnc_client_new(VNCServer *server, int fd, VNCAddress address);
void vnc_client_wake(VNCClient *client);
/* Main thread: end its thread and free it. */
void vnc_client_free(VNCClient *client);
/* Its thread: hand an event to the main thread; waits while too many are on their way. */
void vnc_client_post(VNCClient *client, VNCEventType type, uint32_t a, bool b, int x, int y);

/* vnc-extension.c: QEMU's extensions of the protocol */
void vnc_extension_register(void);
/* Acknowledgements, lights, pointer mode: what is due.  False: the connection broke. */
bool vnc_extension_send(VNCClient *client, bool absolute, unsigned leds);

/* vnc-input.c: main thread */
void vnc_input(VNCClient *client, const VNCEvent *event);
void vnc_input_release(VNCClient *client);

/* vnc-keysym.c */
const InputKey *vnc_key_from_keysym(uint32_t keysym);

/* vnc-listen.c */
bool vnc_listen(VNCServer *server, const char *where, unsigned to, bool reverse, GError **error);
/* HOST:PORT or unix:PATH, beside what there is. */
bool vnc_listen_at(VNCServer *server, const char *where, GError **error);
void vnc_unlisten(VNCServer *server);
void vnc_address_clear(VNCAddress *address);

/* vnc.c */
void vnc_client_connected(VNCServer *server, int fd, VNCAddress address);

#endif
