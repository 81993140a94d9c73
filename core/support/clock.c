/* clock.c - what time it is, and times as text.  Dates are Gregorian throughout, as RFC 3339 has
 * it. */
#include "clock.h"

#include <stdio.h>
#include <time.h>

enum { MS_PER_SECOND = 1000, SECONDS_PER_DAY = 86400 };

static int64_t
now_ms(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * MS_PER_SECOND + now.tv_nsec / 1000000;
}

int64_t
clock_mono_ms(void)
{
    return now_ms(CLOCK_MONOTONIC);
}

int64_t
clock_wall_ms(void)
{
    return now_ms(CLOCK_REALTIME);
}

struct date {
    int64_t year;
    int64_t month, day;
};

/* Days and dates count from 1 March, so that the leap day is a year's last: 153 days are five
 * months, and an era is the 146097 days of 400 years. */
static int64_t
days_of_date(struct date d)
{
    int64_t year = d.month <= 2 ? d.year - 1 : d.year;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * ((d.month + 9) % 12) + 2) / 5 + d.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468; /* 1970-01-01 is day 0 */
}

static struct date
date_of_days(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    struct date d;
    d.day = day_of_year - (153 * shifted + 2) / 5 + 1;
    d.month = shifted < 10 ? shifted + 3 : shifted - 9;
    d.year = year_of_era + era * 400 + (d.month <= 2 ? 1 : 0);
    return d;
}

const char *
clock_rfc3339(int64_t unix_ms, char text[CLOCK_RFC3339_SIZE])
{
    const int64_t first = -62167219200000, last = 253402300799999; /* the years 0000 to 9999 */
    unix_ms = unix_ms < first ? first : unix_ms > last ? last : unix_ms;
    int64_t ms = unix_ms % MS_PER_SECOND;
    int64_t seconds = unix_ms / MS_PER_SECOND;
    if (ms < 0) {
        ms += MS_PER_SECOND;
        seconds--;
    }
    int64_t days = seconds / SECONDS_PER_DAY, left = seconds % SECONDS_PER_DAY;
    if (left < 0) {
        left += SECONDS_PER_DAY;
        days--;
    }
    struct date d = date_of_days(days);
    snprintf(text, CLOCK_RFC3339_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
             (unsigned)d.year % 10000, (unsigned)d.month % 100, (unsigned)d.day % 100,
             (unsigned)(left / 3600) % 100, (unsigned)(left / 60 % 60), (unsigned)(left % 60),
             (unsigned)ms % 1000);
    return text;
}

/* Take exactly n digits from the front. */
static bool
take_digits(struct str *s, size_t n, int64_t *out)
{
    if (s->len < n)
        return false;
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        if (s->ptr[i] < '0' || s->ptr[i] > '9')
            return false;
        *out = *out * 10 + (s->ptr[i] - '0');
    }
    s->ptr += n;
    s->len -= n;
    return true;
}

static bool
take_char(struct str *s, const char *any_of)
{
    if (s->len == 0 || s->ptr[0] == '\0' || !strchr(any_of, s->ptr[0]))
        return false;
    s->ptr++;
    s->len--;
    return true;
}

/* ".123456789": milliseconds, what is finer is dropped. */
static bool
take_fraction(struct str *s, int64_t *ms)
{
    *ms = 0;
    if (!take_char(s, "."))
        return true;
    int64_t weight = 100;
    size_t digits = 0;
    while (s->len && s->ptr[0] >= '0' && s->ptr[0] <= '9') {
        *ms += (s->ptr[0] - '0') * weight;
        weight /= 10;
        digits++;
        s->ptr++;
        s->len--;
    }
    return digits >= 1 && digits <= 9;
}

static bool
take_offset(struct str *s, int64_t *seconds)
{
    *seconds = 0;
    if (take_char(s, "Zz"))
        return true;
    bool negative = s->len && s->ptr[0] == '-';
    int64_t hours, minutes;
    if (!take_char(s, "+-") || !take_digits(s, 2, &hours) || !take_char(s, ":") ||
        !take_digits(s, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *seconds = (hours * 60 + minutes) * (negative ? -60 : 60);
    return true;
}

static int64_t
days_in_month(int64_t year, int64_t month)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool
clock_parse_rfc3339(struct str text, int64_t *unix_ms)
{
    struct date d;
    int64_t hour, minute, second, ms, offset;
    if (!take_digits(&text, 4, &d.year) || !take_char(&text, "-") ||
        !take_digits(&text, 2, &d.month) || !take_char(&text, "-") ||
        !take_digits(&text, 2, &d.day) || !take_char(&text, "Tt ") ||
        !take_digits(&text, 2, &hour) || !take_char(&text, ":") ||
        !take_digits(&text, 2, &minute) || !take_char(&text, ":") ||
        !take_digits(&text, 2, &second) || !take_fraction(&text, &ms) ||
        !take_offset(&text, &offset) || text.len != 0)
        return false;
    if (d.month < 1 || d.month > 12 || d.day < 1 || d.day > days_in_month(d.year, d.month) ||
        hour > 23 || minute > 59 || second > 60) /* 60 is a leap second */
        return false;
    int64_t seconds =
        days_of_date(d) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second - offset;
    *unix_ms = seconds * MS_PER_SECOND + ms;
    return true;
}
