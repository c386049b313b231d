/* SPDX-License-Identifier: MIT
 *
 * What a busy host does to a thread.
 */
#ifndef HW_CORE_HOST_DELAY_H
#define HW_CORE_HOST_DELAY_H

#include <stdint.h>

/*
 * For how long, in ns and in all, the calling thread was ready to run and the host ran others; 0
 * where the host does not tell.  Some us: not for hot paths.  Any thread, any lock.
 */
int64_t host_delay_ns(void);

#endif
