/* SPDX-License-Identifier: MIT
 *
 * What the files of this folder share.
 */
#ifndef ACCEL_QTEST_QTEST_INTERNAL_H
#define ACCEL_QTEST_QTEST_INTERNAL_H

#include <stdio.h>
#include "accel/qtest/qtest.h"

#define TYPE_QTEST_SERVER "qtest-server"
OBJECT_DECLARE_SIMPLE(QtestServer, QTEST_SERVER, TYPE_QTEST_SERVER)

struct QtestServer {
    Object parent_obj;
    MachineState *machine;
    CharFrontend fe;
    GString *line;
    FILE *log;

    DeviceState *intercepted; /* at most one */
    bool intercepted_outputs;
    GArray *levels; /* of int, by line number */
};

/* One line; replies with qtest_reply(). */
void qtest_command(QtestServer *server, const char *line);
/* One line of answer; "\n" is added. */
void qtest_reply(QtestServer *server, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
