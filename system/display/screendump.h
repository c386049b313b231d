/* SPDX-License-Identifier: MIT
 *
 * Pictures of a screen as files.
 */
#ifndef SYSTEM_DISPLAY_SCREENDUMP_H
#define SYSTEM_DISPLAY_SCREENDUMP_H

#include "system/display/console.h"

#define SCREENDUMP_ERROR (screendump_error_quark())
GQuark screendump_error_quark(void);
typedef enum ScreendumpError {
    SCREENDUMP_ERROR_FORMAT,  /* unknown, or not built in */
    SCREENDUMP_ERROR_CONSOLE, /* no such console */
    SCREENDUMP_ERROR_FILE,
} ScreendumpError;

/*
 * Write what the console shows now.  format: "ppm", "png" (needs libpng) or NULL: ppm.
 * device: a device's id or path, NULL: the first console; head: of the device.
 * Main thread.  An existing file is replaced only if all went well.
 */
bool screendump(MachineState *machine, const char *filename, const char *device, unsigned head,
                const char *format, GError **error);

/* The file's bytes; also for tests. */
GByteArray *surface_to_ppm(const DisplaySurface *surface);
GByteArray *surface_to_png(const DisplaySurface *surface, GError **error);

#endif
