/* gantry_events.c - gantry events: what the manager has done, and why. */
#include "gantry_tool.h"

#include <gantry/gantry.h>

#include <cjson/cJSON.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NEWEST_DEFAULT 50
/* --follow reads the newest events this often, so many at first.  The public interface says what is in the
 * log, not where it is, so nothing of the file system can be waited for. */
#define FOLLOW_MS     500
#define FOLLOW_NEWEST 32

struct show {
    struct gantry_options options;
    uint32_t newest;       /* 0: all */
    const char *connector; /* id or name; NULL: everything */
    int json, follow;
    uint64_t mark; /* digest of the event that was seen last; --follow goes on behind it */
    /* While reading: */
    int only_look;          /* show nothing */
    int behind_mark;        /* show only what comes behind the mark, which has not been seen yet */
    uint32_t skip;          /* so many that match come first and are not shown */
    uint32_t seen, matched; /* so far */
    uint32_t behind;        /* how many came behind the mark; UINT32_MAX: the mark did not come */
    uint64_t last;          /* digest of the last one */
};

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* ---- one event ------------------------------------------------------------------------------- */

static const char *
time_text(int64_t time_ms, char text[40])
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm tm;
    char day[32];
    if (!gmtime_r(&seconds, &tm) || strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
        return "?";
    snprintf(text, 40, "%s.%03dZ", day, (int)(time_ms % 1000));
    return text;
}

/* A name comes from a platform: what would steer the terminal becomes a question mark. */
static void
put(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        int c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0; /* a control character of two bytes */
        putchar(*p < 0x20 || *p == 0x7f || c1 ? '?' : *p);
        p += c1;
    }
}

/* Whom it concerns, and what: "misp  start exited -> running", "platform opencti  answering -> lost". */
static void
put_what(const struct gantry_manager_event *e)
{
    int of_connector = e->name[0] || e->id[0], failed = e->error[0] && e->action[0];
    if (of_connector) {
        put(e->name[0] ? e->name : e->id);
        printf("  ");
        put(e->action[0] ? e->action : e->kind);
    } else {
        put(e->kind);
        printf("%s", e->platform[0] || e->backend[0] ? " " : "");
        put(e->platform[0] ? e->platform : e->backend);
    }
    if (failed) {
        printf(" failed");
    } else if (strcmp(e->from, e->to) != 0 || e->action[0] || strcmp(e->kind, "state") == 0) {
        printf("%s", of_connector ? " " : "  ");
        put(e->from);
        printf("%s", e->from[0] ? " -> " : "-> ");
        put(e->to);
    }
    if (e->duration_ms >= 0)
        printf(" %s %" PRId64 ".%03d s", failed ? "after" : "in", e->duration_ms / 1000,
               (int)(e->duration_ms % 1000));
}

static void
show_line(const struct gantry_manager_event *e)
{
    char time[40];
    printf("%s  ", time_text(e->time_ms, time));
    put_what(e);
    printf(": ");
    put(e->cause);
    if (e->error[0]) {
        printf("; ");
        put(e->error);
    }
    putchar('\n');
}

static int
add_text(cJSON *json, const char *key, const char *value)
{
    return !value[0] || cJSON_AddStringToObject(json, key, value) != NULL;
}

/* As the line stands in the log. */
static int
show_json(const struct gantry_manager_event *e)
{
    char time[40];
    cJSON *json = cJSON_CreateObject();
    int ok = json && add_text(json, "time", time_text(e->time_ms, time)) &&
             add_text(json, "kind", e->kind) && add_text(json, "platform", e->platform) &&
             add_text(json, "backend", e->backend) && add_text(json, "connector", e->id) &&
             add_text(json, "name", e->name) && add_text(json, "from", e->from) &&
             add_text(json, "to", e->to) && add_text(json, "action", e->action) &&
             add_text(json, "cause", e->cause) && add_text(json, "error", e->error) &&
             (e->duration_ms < 0 ||
              cJSON_AddNumberToObject(json, "duration_ms", (double)e->duration_ms) != NULL);
    char *text = ok ? cJSON_PrintUnformatted(json) : NULL;
    if (text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(json);
    return text ? 0 : GANTRY_E_NOMEM;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static uint64_t
digest(uint64_t sum, const char *text)
{
    do
        sum = (sum ^ (unsigned char)*text) * UINT64_C(1099511628211);
    while (*text++);
    return sum;
}

/* Two events with one digest are the same time, thing and words. */
static uint64_t
digest_of(const struct gantry_manager_event *e)
{
    const char *texts[] = {e->kind, e->platform, e->backend, e->id,    e->name,
                           e->from, e->to,       e->action,  e->cause, e->error};
    uint64_t sum = UINT64_C(14695981039346656037) ^ (uint64_t)e->time_ms;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        sum = digest(sum, texts[i]);
    return sum;
}

static int
matches(const struct show *s, const struct gantry_manager_event *e)
{
    return !s->connector || strcmp(e->id, s->connector) == 0 || strcmp(e->name, s->connector) == 0;
}

static int
on_event(void *context, const struct gantry_manager_event *e)
{
    struct show *s = context;
    int waits = s->behind_mark;
    s->seen++;
    s->last = digest_of(e);
    if (s->last == s->mark)
        s->behind = (uint32_t)(s->behind_mark = 0);
    else if (s->behind != UINT32_MAX)
        s->behind++;
    if (waits || !matches(s, e) || s->matched++ < s->skip || s->only_look)
        return 0;
    if (s->json)
        return show_json(e);
    show_line(e);
    return 0;
}

static int
read_log(struct show *s, uint32_t newest, int only_look, struct gantry_error **error)
{
    s->only_look = only_look;
    s->seen = s->matched = 0;
    s->behind = UINT32_MAX;
    return gantry_events_read(&s->options, newest, on_event, s, error);
}

/* Those of one connector are counted first: the newest of them may be anywhere. */
static int
show_newest(struct show *s, struct gantry_error **error)
{
    int code = 0;
    if (s->connector && s->newest > 0)
        code = read_log(s, 0, 1, error);
    s->skip = s->newest > 0 && s->matched > s->newest ? s->matched - s->newest : 0;
    if (code == 0)
        code = read_log(s, s->connector ? 0 : s->newest, 0, error);
    s->mark = s->last;
    s->skip = 0;
    return code;
}

/* What has come behind the mark.  It is looked for from the end, further and further; one that has left the
 * log leaves everything to be shown. */
static int
show_new(struct show *s, struct gantry_error **error)
{
    uint32_t newest = FOLLOW_NEWEST;
    int code = read_log(s, newest, 1, error);
    while (code == 0 && s->behind == UINT32_MAX && s->seen == newest) {
        newest = newest > UINT32_MAX / 8 ? 0 : newest * 8;
        code = read_log(s, newest, 1, error);
    }
    if (code != 0 || s->behind == 0 || s->seen == 0)
        return code;
    s->behind_mark = s->behind != UINT32_MAX;
    code = read_log(s, newest, 0, error);
    if (!s->behind_mark) /* else so much has come meanwhile that the mark was missed: next time */
        s->mark = s->last;
    s->behind_mark = 0;
    return code;
}

static int
follow(struct show *s, struct gantry_error **error)
{
    int code = 0;
    while (code == 0 && !interrupted) {
        if (fflush(stdout) != 0)
            return 0; /* main says it */
        (void)poll(NULL, 0, FOLLOW_MS);
        if (interrupted)
            break;
        code = show_new(s, error);
        if (code == GANTRY_E_NOT_FOUND) { /* somebody has removed it: a new one will come */
            gantry_error_free(*error);
            *error = NULL;
            code = 0;
        }
    }
    return code;
}

/* ---- the command line -------------------------------------------------------------------------- */

static int
to_number(const char *text, uint32_t *number)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno || end == text || *end || text[0] == '-' || value > UINT32_MAX)
        return -1;
    *number = (uint32_t)value;
    return 0;
}

static int
read_options(const struct tool_command *self, int argc, char **argv, struct show *s)
{
    static const struct option known[] = {{"config", required_argument, NULL, 'c'},
                                          {"connector", required_argument, NULL, 'w'},
                                          {"follow", no_argument, NULL, 'f'},
                                          {"json", no_argument, NULL, 'j'},
                                          {NULL, 0, NULL, 0}};
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":c:n:f", known, NULL)) != -1;) {
        if (option == 'c')
            s->options.path = optarg;
        else if (option == 'w')
            s->connector = optarg;
        else if (option == 'f')
            s->follow = 1;
        else if (option == 'j')
            s->json = 1;
        else if (option == ':')
            return tool_usage(self, "a value must follow", argv[optind - 1]);
        else if (option != 'n')
            return tool_usage(self, "unknown option", argv[optind - 1]);
        else if (to_number(optarg, &s->newest) < 0)
            return tool_usage(self, "-n takes a number, not", optarg);
    }
    return optind < argc ? tool_usage(self, "one argument too many", argv[optind]) : TOOL_OK;
}

int
tool_events(const struct tool_command *self, int argc, char **argv)
{
    struct show s = {
        .options = {.size = sizeof s.options, .environment = environ},
        .newest = NEWEST_DEFAULT,
    };
    struct gantry_error *error = NULL;
    int status = read_options(self, argc, argv, &s);
    if (status != TOOL_OK)
        return status;
    if (s.follow) {
        struct sigaction interrupt = {.sa_handler = on_interrupt};
        sigaction(SIGINT, &interrupt, NULL);
    }
    int code = show_newest(&s, &error);
    if (code == 0 && s.follow)
        code = follow(&s, &error);
    if (code == 0)
        return TOOL_OK;
    status = tool_failed(self, code, error);
    return code == GANTRY_E_NOT_FOUND ? TOOL_USAGE : status; /* the wrong settings, most likely */
}
