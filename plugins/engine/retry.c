/* When to try again: who asks for a pause (the HTTP header Retry-After of the engine's answer, or of a proxy
 * before it, and the words of a registry, which the engine passes on in its sentence), and how long a watch that
 * ended waits.  See engine.h. */
#include "engine.h"
#include "times.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

/* What is longer is said to be this long: a registry's day is not in milliseconds of 64 bits. */
#define PAUSE_MAX_MS (INT64_C(7) * 24 * 3600 * 1000)

#define BACKOFF_MAX_MS 10000

static int64_t
bounded(double ms)
{
    if (!(ms > 0))
        return 0;
    return ms < (double)PAUSE_MAX_MS ? (int64_t)ms + 1 : PAUSE_MAX_MS;
}

/* Decimal digits with a fraction; false: none. */
static bool
take_decimal(const char **at, double *value)
{
    const char *start = *at;
    double scale = 1;
    bool fraction = false;
    for (*value = 0; (**at >= '0' && **at <= '9') || (**at == '.' && !fraction); (*at)++) {
        if (**at == '.') {
            fraction = true;
            continue;
        }
        *value = *value * 10 + (**at - '0');
        if (fraction)
            scale *= 10;
    }
    *value /= scale;
    return *at > start && (*at)[-1] != '.';
}

/* The unit's length in milliseconds; seconds where none is written. */
static double
take_unit(const char **at)
{
    static const struct {
        const char *word;
        double ms;
    } units[] = {{"ms", 1},   {"\xc2\xb5s", 1e-3}, {"us", 1e-3},  {"ns", 1e-6},
                 {"s", 1000}, {"m", 60000},        {"h", 3600000}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strncmp(*at, units[i].word, strlen(units[i].word)) == 0) {
            *at += strlen(units[i].word);
            return units[i].ms;
        }
    }
    return 1000;
}

int64_t
engine_pause_of_words(const char *text)
{
    static const char key[] = "retry-after";
    const char *at = strcasestr(text, key);
    if (!at)
        return 0;
    at += sizeof key - 1;
    at += strspn(at, ": =\"");
    double sum = 0, value;
    while (take_decimal(&at, &value))
        sum += value * take_unit(&at);
    return bounded(sum);
}

int64_t
engine_pause_of_header(const char *value, int64_t now_s)
{
    int64_t until_s;
    double seconds;
    const char *at = value + strspn(value, " ");
    if (time_parse_http(at, &until_s))
        return bounded((double)(until_s - now_s) * 1000);
    return take_decimal(&at, &seconds) ? bounded(seconds * 1000) : 0;
}

void
engine_hear_header(struct engine_task *task, const struct gantry_http_part *head)
{
    if (head->status != 429 && head->status != 503)
        return;
    for (uint32_t i = 0; i < head->header_count; i++) {
        const struct gantry_http_header *header =
            GANTRY_AT(struct gantry_http_header, head->headers, head->header_stride, i);
        if (strcasecmp(header->name, "Retry-After") == 0)
            gantry_retry_after(task->engine->host, task->call,
                               engine_pause_of_header(header->value, (int64_t)time(NULL)));
    }
}

void
engine_hear_words(struct engine_task *task, const char *message)
{
    if (strcasestr(message, "toomanyrequests") || strcasestr(message, "too many requests"))
        gantry_retry_after(task->engine->host, task->call, engine_pause_of_words(message));
}

/* ---- a watch that ended --------------------------------------------------------------------------- */

int
engine_back_off(struct engine_task *task, uint32_t *ms)
{
    uint32_t half = *ms / 2, random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random)
        random = half;
    *ms = *ms > BACKOFF_MAX_MS / 2 ? BACKOFF_MAX_MS : *ms * 2;
    return engine_pause(task, (int)(half + random % (half + 1)));
}

bool
engine_is_final(int code)
{
    return code == GANTRY_E_CANCELLED || code == GANTRY_E_DENIED || code == GANTRY_E_UNSUPPORTED;
}
