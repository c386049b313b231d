/* SPDX-License-Identifier: MIT
 *
 * The other side of a ring buffer back end: the monitor's, or a test's.
 */
#ifndef SYSTEM_CHAR_CHAR_RINGBUF_H
#define SYSTEM_CHAR_CHAR_RINGBUF_H

#include "system/char/chardev.h"

bool chardev_is_ringbuf(Chardev *chr);
/* Take at most `max` bytes that were written to it. */
GByteArray *chardev_ringbuf_read(Chardev *chr, size_t max);
/* What a device's output does. */
void chardev_ringbuf_write(Chardev *chr, const uint8_t *buf, size_t len);
/* Input for the device, as much as it takes.  Main thread. */
void chardev_ringbuf_input(Chardev *chr, const uint8_t *buf, size_t len);

#endif
