/* SPDX-License-Identifier: MIT
 *
 * Log items of -d, written to -D FILE or stderr.  Any thread.
 */
#ifndef SYSTEM_LOG_H
#define SYSTEM_LOG_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define LOG_GUEST_ERROR (1u << 0) /* the guest did what its specification forbids */
#define LOG_UNIMP       (1u << 1) /* the guest asked for what we do not have */
#define LOG_IN_ASM      (1u << 2)
#define LOG_OUT_ASM     (1u << 3)
#define LOG_INT         (1u << 4)
#define LOG_EXEC        (1u << 5)
#define LOG_CPU         (1u << 6)
#define LOG_MMU         (1u << 7)
#define LOG_RESET       (1u << 8)
#define LOG_ACCEL       (1u << 9)
#define LOG_PCI         (1u << 10)
#define LOG_IRQ         (1u << 11)
#define LOG_IO          (1u << 12)
#define LOG_STATS       (1u << 13)

extern uint32_t log_mask;

static inline bool log_enabled(uint32_t item)
{
    return G_UNLIKELY(log_mask & item);
}

void log_printf(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* Rate-limited: a guest cannot fill a disk with it. */
void log_guest_error(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_unimp(const char *format, ...) G_GNUC_PRINTF(1, 2);
#define log_if(item, ...)                                                                          \
    do {                                                                                           \
        if (log_enabled(item)) {                                                                   \
            log_printf(__VA_ARGS__);                                                               \
        }                                                                                          \
    } while (0)

/* Lines of "item  doc", for -d help; free it. */
char *log_help(void);
/* "guest_errors,int": adds them; false and an error that lists what there is. */
bool log_set_items(const char *items, GError **error);
bool log_set_file(const char *path, GError **error);

#endif
