/* SPDX-License-Identifier: MIT
 *
 * /proc/thread-self/schedstat: proc(5), and the kernel's Documentation/scheduler/sched-stats.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "hw/core/host-delay.h"

int64_t host_delay_ns(void)
{
    char text[128];
    long long delay = 0;
    int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

    if (fd >= 0) {
        close(fd);
    }
    if (len <= 0) {
        return 0;
    }
    text[len] = 0;
    return sscanf(text, "%*d %lld", &delay) == 1 ? delay : 0; /* time run, time waited, slices */
}
