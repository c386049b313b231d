/* SPDX-License-Identifier: MIT
 *
 * The qtest accelerator, under which no CPU runs, and the server through which a
 * program drives devices: accesses, interrupts and the clock, by lines of text.
 */
#ifndef ACCEL_QTEST_QTEST_H
#define ACCEL_QTEST_QTEST_H

#include "hw/core/machine.h"
#include "system/char/chardev.h"

/* Serve the protocol on `chr` for `machine`; log: a file for what was said, or NULL. */
bool qtest_server_start(MachineState *machine, Chardev *chr, const char *log, GError **error);
/* No server: nothing happens. */
void qtest_server_stop(MachineState *machine);

#endif
