/* SPDX-License-Identifier: MIT
 *
 * Consoles: what a display device shows, for whoever looks at it.  A device
 * makes a console for each of its heads and draws when it is asked to; viewers
 * (a VNC server, screendump) attach listeners and read the surface.
 *
 * Threads: everything on the main thread under the big lock, but the surface,
 * which any thread may read between console_lock() and console_unlock().
 * Lock order: device lock, then the console's lock, which is a leaf.
 */
#ifndef SYSTEM_DISPLAY_CONSOLE_H
#define SYSTEM_DISPLAY_CONSOLE_H

#include "hw/core/machine.h"

#define TYPE_CONSOLE "graphic-console"
OBJECT_DECLARE_SIMPLE(Console, CONSOLE, TYPE_CONSOLE)

#define CONSOLE_MAX_WIDTH  16000 /* pixels */
#define CONSOLE_MAX_HEIGHT 12000

typedef struct DisplaySurface {
    int width, height, stride; /* pixels, pixels, bytes */
    uint32_t *pixels;          /* 0x00rrggbb; free with display_surface_free() */
} DisplaySurface;

DisplaySurface *display_surface_new(int width, int height); /* black */
void display_surface_free(DisplaySurface *surface);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DisplaySurface, display_surface_free)

/* ---- for devices ------------------------------------------------------------------------- */

typedef struct ConsoleOps {
    /*
     * Draw what the monitor shows now: console_set_size(), then console_put_line() for each line
     * that may have changed.  Device and console lock held.
     */
    void (*update)(void *opaque);
    /* Optional: the screen as lines of UTF-8, free it; NULL: no text mode.  Device lock held. */
    char *(*text)(void *opaque);
} ConsoleOps;

/* A console of the device; it goes when the device is unrealized. */
Console *console_new(DeviceState *dev, unsigned head, const ConsoleOps *ops, void *opaque);
/* Another size makes a new, black surface: true.  Sizes are clamped to the maxima above. */
bool console_set_size(Console *console, unsigned width, unsigned height);
/* One line of the surface, width pixels of 0x00rrggbb (other bits are ignored). */
void console_put_line(Console *console, unsigned y, const uint32_t *pixels);

/* ---- for viewers ---------------------------------------------------------------------------- */

typedef struct ConsoleListener ConsoleListener;
struct ConsoleListener {
    /* Each optional; no lock held but the big one. */
    void (*resized)(ConsoleListener *listener, int width, int height);
    void (*damaged)(ConsoleListener *listener, int x, int y, int width, int height);
    void (*gone)(ConsoleListener *listener); /* the console goes; it is detached already */
    Console *console;                        /* NULL: not attached */
};

/* The console with that number, or NULL.  Numbers count up as consoles are made. */
Console *console_by_index(MachineState *machine, unsigned index);
/* Of a device's head; NULL: it has none. */
Console *console_by_device(MachineState *machine, DeviceState *dev, unsigned head);
unsigned console_index(const Console *console);
DeviceState *console_device(const Console *console);
unsigned console_head(const Console *console);

/*
 * While listeners are attached the device is asked to draw some 30 times a second, more
 * rarely when nothing changes, never without listeners.
 */
void console_attach(Console *console, ConsoleListener *listener);
void console_detach(ConsoleListener *listener);
/* Something will change soon (a key was pressed): look again at full rate. */
void console_wake(Console *console);

/* Have the device draw now, and tell the listeners. */
void console_refresh(Console *console);
/* Its text screen, drawn or not; NULL: not in a text mode.  Free it. */
char *console_text(Console *console);

void console_lock(Console *console);
void console_unlock(Console *console);
/* Under console_lock(); never NULL, may be another one after the next unlock. */
const DisplaySurface *console_surface(Console *console);
/* A copy of what is shown now. */
DisplaySurface *console_snapshot(Console *console);

#endif
