/* SPDX-License-Identifier: MIT
 *
 * Going to the background, and the file with the process id.
 */
#ifndef SYSTEM_PROCESS_H
#define SYSTEM_PROCESS_H

#include "system/vl.h"

/* Before there are threads; the parent waits in it until the child is ready or gone. */
bool process_begin_daemon(VMM *vmm, GError **error);
/* Ready: give up the terminal, let the parent end with status 0. */
void process_finish_daemon(VMM *vmm);
bool process_write_pidfile(VMM *vmm, GError **error);
void process_remove_pidfile(VMM *vmm);
/* With -msg guest-name=on: `guest` (copied; NULL: none) stands in each message from now on. */
void process_name_messages(const char *guest);

#endif
