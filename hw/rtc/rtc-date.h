/* SPDX-License-Identifier: MIT
 *
 * Seconds since 1970 and calendar fields, in the proleptic Gregorian calendar.
 */
#ifndef HW_RTC_RTC_DATE_H
#define HW_RTC_RTC_DATE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct RTCDate {
    int year, month, day;     /* 2026, 1-12, 1-31 */
    int hour, minute, second; /* 0-23 */
    int weekday;              /* 0 is Sunday */
} RTCDate;

RTCDate rtc_date_from_seconds(int64_t seconds);
/* Fields out of range carry over; weekday is not looked at. */
int64_t rtc_date_to_seconds(const RTCDate *date);
/* "2006-06-17T16:01:21" or "2006-06-17"; false: not such text. */
bool rtc_date_parse(const char *text, int64_t *ret_seconds);

#endif
