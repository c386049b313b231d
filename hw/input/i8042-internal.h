/* SPDX-License-Identifier: MIT */
#ifndef HW_INPUT_I8042_INTERNAL_H
#define HW_INPUT_I8042_INTERNAL_H

#include <stdint.h>

/* What the controller makes of a byte from the keyboard (scan code set 2 to set 1). */
extern const uint8_t i8042_translate[256];

#endif
