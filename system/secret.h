/* SPDX-License-Identifier: MIT
 *
 * Secrets as objects: -object secret,id=ID,data=TEXT|file=FILE[,format=raw|base64].
 */
#ifndef SYSTEM_SECRET_H
#define SYSTEM_SECRET_H

#include "hw/core/machine.h"

#define TYPE_SECRET "secret"

/* The bytes of the secret with that id, with a NUL after them; NULL and *error.  Free it. */
char *secret_lookup(MachineState *machine, const char *id, gsize *ret_len, GError **error);

#endif
