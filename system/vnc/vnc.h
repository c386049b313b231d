/* SPDX-License-Identifier: MIT
 *
 * VNC servers (RFB protocol 3.8, RFC 6143) on consoles: -vnc, and what monitors do with them.
 *
 * Threads: all of these on the main thread.  Each client has a thread of its own, with a
 * frame buffer of its own, so a slow one holds up nobody; what it types is queued for the main
 * thread, and bounded.
 */
#ifndef SYSTEM_VNC_VNC_H
#define SYSTEM_VNC_VNC_H

#include "hw/core/machine.h"

#define VNC_ERROR (vnc_error_quark())
GQuark vnc_error_quark(void);
typedef enum VNCError {
    VNC_ERROR_OPTION,
    VNC_ERROR_SOCKET,
    VNC_ERROR_STATE, /* no such server, or not with this one */
} VNCError;

/*
 * "none", or HOST:DISPLAY[,to=N], unix:PATH, with [,password=on|off][,password-secret=ID]
 * [,share=allow-exclusive|force-shared|ignore][,connections=N][,display=DEVICE][,head=N]
 * [,id=ID][,reverse=on|off] and options that change nothing here.  The board is made.
 */
bool vnc_server_new(MachineState *machine, const char *options, GError **error);
void vnc_servers_free(MachineState *machine);

/* id: NULL: the first server.  when: seconds since 1970; 0: never; 1: now. */
bool vnc_set_password(MachineState *machine, const char *id, const char *password, GError **error);
bool vnc_expire_password(MachineState *machine, const char *id, int64_t when, GError **error);

/*
 * Listen there instead, each HOST:PORT or unix:PATH; clients stay.  What cannot be listened on is
 * an error, and then nothing is listened on.
 */
bool vnc_set_addresses(MachineState *machine, const char *const *where, unsigned n, GError **error);

/* ---- what there is -------------------------------------------------------------------------- */

typedef struct VNCAddress {
    char *host, *service;
    const char *family; /* "ipv4", "ipv6", "unix"; "unknown": nowhere */
} VNCAddress;

typedef struct VNCServerInfo {
    const char *id, *auth; /* "none" or "vnc" */
    const VNCAddress *address;
} VNCServerInfo;

typedef void (*VNCServerVisitor)(const VNCServerInfo *info, void *opaque);
void vnc_server_foreach(MachineState *machine, VNCServerVisitor fn, void *opaque);
typedef void (*VNCClientVisitor)(const VNCAddress *address, void *opaque);
void vnc_client_foreach(MachineState *machine, const char *id, VNCClientVisitor fn, void *opaque);

#endif
