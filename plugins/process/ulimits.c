/* Limits of a process.  See ulimits.h. */
#include "ulimits.h"

#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static const struct kind {
    const char *name;
    __rlimit_resource_t resource;
} kinds[] = {
    {"as", RLIMIT_AS},           {"core", RLIMIT_CORE},
    {"cpu", RLIMIT_CPU},         {"data", RLIMIT_DATA},
    {"fsize", RLIMIT_FSIZE},     {"locks", RLIMIT_LOCKS},
    {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE},
    {"nice", RLIMIT_NICE},       {"nofile", RLIMIT_NOFILE},
    {"nproc", RLIMIT_NPROC},     {"rss", RLIMIT_RSS},
    {"rtprio", RLIMIT_RTPRIO},   {"rttime", RLIMIT_RTTIME},
    {"stack", RLIMIT_STACK},     {"sigpending", RLIMIT_SIGPENDING},
};

static rlim_t
limit_of(long long value)
{
    return value < 0 ? RLIM_INFINITY : (rlim_t)value;
}

static bool
parse(const char *text, const struct kind **kind, struct rlimit *limit, char *problem, size_t size)
{
    struct option_ulimit parsed;
    *kind = NULL;
    bool good = option_parse_ulimit(text, &parsed);
    for (size_t i = 0; good && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, parsed.name) == 0)
            *kind = &kinds[i];
    if (*kind) {
        *limit = (struct rlimit){limit_of(parsed.soft), limit_of(parsed.hard)};
        if (limit->rlim_cur <= limit->rlim_max)
            return true;
    }
    snprintf(problem, size, "'%.60s' is not NAME=SOFT:HARD, such as nofile=1024:4096", text);
    return false;
}

bool
ulimit_check(const char *text, char *problem, size_t size)
{
    const struct kind *kind;
    struct rlimit limit;
    return parse(text, &kind, &limit, problem, size);
}

bool
ulimit_set(const char *text, char *problem, size_t size)
{
    const struct kind *kind;
    struct rlimit limit;
    if (!parse(text, &kind, &limit, problem, size))
        return false;
    if (setrlimit(kind->resource, &limit) == 0)
        return true;
    snprintf(problem, size, "'%.60s' cannot be set: %s", text, strerrordesc_np(errno));
    return false;
}
