/* SPDX-License-Identifier: MIT
 *
 * Texts of command-line options that a board takes as they are: "type=1,serial=a,,b".
 */
#ifndef HW_CORE_OPTION_TEXT_H
#define HW_CORE_OPTION_TEXT_H

#include <glib.h>

/* The parts between commas; a doubled comma stands for itself. */
GStrv option_split(const char *text);

#endif
