/* SPDX-License-Identifier: MIT
 *
 * Days are counted from 1 March of year 0, so that leap days end a year and a
 * month's first day is a linear function of the month.
 */
#include "hw/rtc/rtc-date.h"

#include <stdio.h>

#define SECONDS_PER_DAY 86400
#define DAYS_PER_ERA    146097 /* 400 years */
#define DAYS_TO_1970    719468 /* from 0000-03-01 */
#define THURSDAY        4      /* 1970-01-01 */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    year += floor_div(month - 1, 12);
    month = month - 1 - floor_div(month - 1, 12) * 12;
    int64_t since_march = (month + 10) % 12;
    year -= month < 2;
    return year * 365 + floor_div(year, 4) - floor_div(year, 100) + floor_div(year, 400) +
           (153 * since_march + 2) / 5 + day - 1 - DAYS_TO_1970;
}

int64_t rtc_date_to_seconds(const RTCDate *d)
{
    return days_from_civil(d->year, d->month, d->day) * SECONDS_PER_DAY + d->hour * 3600 +
           d->minute * 60 + d->second;
}

RTCDate rtc_date_from_seconds(int64_t seconds)
{
    int64_t days = floor_div(seconds, SECONDS_PER_DAY), rest = seconds - days * SECONDS_PER_DAY;
    int64_t z = days + DAYS_TO_1970, era = floor_div(z, DAYS_PER_ERA);
    int64_t in_era = z - era * DAYS_PER_ERA;
    int64_t year_in_era =
        (in_era - in_era / 1460 + in_era / 36524 - in_era / (DAYS_PER_ERA - 1)) / 365;
    int64_t in_year = in_era - (year_in_era * 365 + year_in_era / 4 - year_in_era / 100);
    int64_t since_march = (5 * in_year + 2) / 153;

    return (RTCDate){
        .year = era * 400 + year_in_era + (since_march >= 10),
        .month = since_march < 10 ? since_march + 3 : since_march - 9,
        .day = in_year - (153 * since_march + 2) / 5 + 1,
        .hour = rest / 3600,
        .minute = rest / 60 % 60,
        .second = rest % 60,
        .weekday = ((days + THURSDAY) % 7 + 7) % 7,
    };
}

bool rtc_date_parse(const char *text, int64_t *ret_seconds)
{
    RTCDate d = {0};
    int end = 0;
    int n = sscanf(text, "%4d-%2d-%2d%n", &d.year, &d.month, &d.day, &end);

    if (n != 3) {
        return false;
    }
    if (text[end] == 'T') {
        int more = 0;
        n = sscanf(text + end, "T%2d:%2d:%2d%n", &d.hour, &d.minute, &d.second, &more);
        end += more;
        if (n != 3) {
            return false;
        }
    }
    if (text[end] || !g_date_valid_dmy(d.day, d.month, d.year) || d.hour < 0 || d.hour > 23 ||
        d.minute < 0 || d.minute > 59 || d.second < 0 || d.second > 59) {
        return false;
    }
    *ret_seconds = rtc_date_to_seconds(&d);
    return true;
}
