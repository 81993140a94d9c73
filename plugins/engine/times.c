/* Times of the engine.  See times.h. */
#include "times.h"

#include <string.h>

/* Days from 1970-01-01, proleptic Gregorian calendar. */
static int64_t
days_of_date(int year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = y / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static bool
take_number(const char **at, const char *end, int digits, int *out)
{
    int value = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (*at >= end || **at < '0' || **at > '9')
            return false;
        value = value * 10 + (**at - '0');
    }
    *out = value;
    return true;
}

static bool
take_char(const char **at, const char *end, char c)
{
    if (*at >= end || **at != c)
        return false;
    (*at)++;
    return true;
}

static bool
take_fraction(const char **at, const char *end, int64_t *ns)
{
    *ns = 0;
    if (!take_char(at, end, '.'))
        return true;
    int64_t scale = 100000000;
    const char *start = *at;
    for (; *at < end && **at >= '0' && **at <= '9'; (*at)++, scale /= 10)
        *ns += (**at - '0') * scale; /* digits after the ninth add nothing */
    return *at > start;
}

static bool
take_zone(const char **at, const char *end, int *offset_s)
{
    *offset_s = 0;
    if (take_char(at, end, 'Z'))
        return *at == end;
    int sign = take_char(at, end, '+') ? 1 : take_char(at, end, '-') ? -1 : 0;
    int hours = 0, minutes = 0;
    if (!sign || !take_number(at, end, 2, &hours) || !take_char(at, end, ':') ||
        !take_number(at, end, 2, &minutes))
        return false;
    *offset_s = sign * (hours * 3600 + minutes * 60);
    return *at == end;
}

bool
time_parse(const char *text, size_t size, int64_t *ns)
{
    const char *at = text, *end = text + size;
    int year, month, day, hour, minute, second, offset;
    int64_t fraction;
    if (!take_number(&at, end, 4, &year) || !take_char(&at, end, '-') ||
        !take_number(&at, end, 2, &month) || !take_char(&at, end, '-') ||
        !take_number(&at, end, 2, &day) || !take_char(&at, end, 'T') ||
        !take_number(&at, end, 2, &hour) || !take_char(&at, end, ':') ||
        !take_number(&at, end, 2, &minute) || !take_char(&at, end, ':') ||
        !take_number(&at, end, 2, &second) || !take_fraction(&at, end, &fraction) ||
        !take_zone(&at, end, &offset))
        return false;
    if (year < 1970 || year > 2261 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 ||
        minute > 59 || second > 60)
        return false;
    int64_t seconds = days_of_date(year, month, day) * 86400 + hour * INT64_C(3600) +
                      minute * INT64_C(60) + second - offset;
    *ns = seconds * 1000000000 + fraction;
    return true;
}

static bool
take_month(const char **at, const char *end, int *month)
{
    static const char names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (int i = 0; i < 12 && end - *at >= 3; i++)
        if (memcmp(*at, names[i], 3) == 0) {
            *month = i + 1;
            *at += 3;
            return true;
        }
    return false;
}

bool
time_parse_http(const char *text, int64_t *seconds)
{
    const char *at = text, *end = text + strlen(text);
    int year, month, day, hour, minute, second;
    if (end - at < 5 || memcmp(at + 3, ", ", 2) != 0)
        return false;
    at += 5;
    if (!take_number(&at, end, 2, &day) || !take_char(&at, end, ' ') ||
        !take_month(&at, end, &month) || !take_char(&at, end, ' ') ||
        !take_number(&at, end, 4, &year) || !take_char(&at, end, ' ') ||
        !take_number(&at, end, 2, &hour) || !take_char(&at, end, ':') ||
        !take_number(&at, end, 2, &minute) || !take_char(&at, end, ':') ||
        !take_number(&at, end, 2, &second) || strcmp(at, " GMT") != 0)
        return false;
    if (year < 1970 || year > 2261 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
        second > 60)
        return false;
    *seconds = days_of_date(year, month, day) * 86400 + hour * INT64_C(3600) +
               minute * INT64_C(60) + second;
    return true;
}
