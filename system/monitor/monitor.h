/* SPDX-License-Identifier: MIT
 *
 * Monitors: commands from people (HMP: lines of words) or programs (QMP: JSON)
 * on a character device.  All run on the main thread under the big lock.
 */
#ifndef SYSTEM_MONITOR_MONITOR_H
#define SYSTEM_MONITOR_MONITOR_H

#include "hw/core/machine.h"
#include "system/char/chardev.h"

typedef struct Monitor Monitor;

/* control: QMP.  NULL and *error when somebody else has the chardev. */
Monitor *monitor_new(MachineState *machine, Chardev *chr, bool control, bool pretty,
                     GError **error);
void monitor_free(Monitor *monitor);

#endif
