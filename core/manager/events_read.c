/* events_read.c - reads the log of events back, while a manager writes it or not.
 *
 * The two files are read from the newest end, no further than the wanted events reach.  A rotation
 * meanwhile is noticed, and reading begins again. */
#include "manager_internal.h"

#include "clock.h"
#include "err.h"
#include "file.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* A file that somebody else has made larger than any of ours is read no further from its end. */
#define READ_MAX_BYTES ((size_t)16 * 1024 * 1024)
/* At first so much is read for each wanted event. */
#define EVENT_GUESS_BYTES ((size_t)512)
#define ROTATIONS_MAX     3

struct reading {
    int current, old; /* descriptors; -1: there is none */
    char *text;       /* of both files, as far as read, the older first */
    size_t len;
};

static void
reading_clear(struct reading *r)
{
    if (r->current >= 0)
        close(r->current);
    if (r->old >= 0)
        close(r->old);
    free(r->text);
    *r = (struct reading){-1, -1, NULL, 0};
}

static void
auto_json(cJSON **json)
{
    cJSON_Delete(*json);
}

/* ---- one line -------------------------------------------------------------------------------- */

static const char *
text_of(const cJSON *line, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(line, key));
    return text ? text : "";
}

static int64_t
number_of(const cJSON *line, const char *key, int64_t fallback)
{
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(line, key);
    bool fits = cJSON_IsNumber(number) && number->valuedouble >= 0 && number->valuedouble < 1e15;
    return fits ? (int64_t)number->valuedouble : fallback;
}

/* NULL: it is none.  Keys that we do not know are passed over. */
static cJSON *
parse(struct str line, int64_t *time_ms)
{
    if (line.len == 0 || line.ptr[0] != '{' || str_utf8_valid_length(line) != line.len)
        return NULL;
    cJSON *json = cJSON_ParseWithLength(line.ptr, line.len);
    if (json && text_of(json, "kind")[0] &&
        clock_parse_rfc3339(str_of(text_of(json, "time")), time_ms))
        return json;
    cJSON_Delete(json);
    return NULL;
}

static int
give(struct str line, int (*each)(void *context, const struct gantry_manager_event *event),
     void *context)
{
    int64_t time_ms = 0;
    AUTO(auto_json) cJSON *json = parse(line, &time_ms);
    if (!json)
        return 0;
    AUTO_BUF struct buf cause = BUF_INIT((size_t)64 * 1024);
    int64_t lost = number_of(json, "events_dropped", 0);
    buf_add_text(&cause, text_of(json, "cause"));
    if (lost > 0)
        buf_add_fmt(&cause, "; %lld events before this one could not be written", (long long)lost);
    struct gantry_manager_event e = {
        .size = sizeof e,
        .time_ms = time_ms,
        .kind = text_of(json, "kind"),
        .platform = text_of(json, "platform"),
        .backend = text_of(json, "backend"),
        .id = text_of(json, "connector"),
        .name = text_of(json, "name"),
        .from = text_of(json, "from"),
        .to = text_of(json, "to"),
        .action = text_of(json, "action"),
        .cause = buf_text(&cause),
        .error = text_of(json, "error"),
        .duration_ms = number_of(json, "duration_ms", -1),
    };
    return each(context, &e);
}

/* ---- the files ------------------------------------------------------------------------------- */

static int
open_one(const char *path, int *fd, struct gantry_error **err)
{
    struct stat info;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (*fd < 0 && errno == ENOENT)
        return 0;
    if (*fd < 0 || fstat(*fd, &info) < 0)
        return err_set_errno(err, err_code_of_errno(errno), errno, "cannot open '%s'", path);
    if (!S_ISREG(info.st_mode))
        return err_set(err, GANTRY_E_INVALID, "'%s' is not a regular file", path);
    return 0;
}

/* The older first: when a rotation comes between, its path leads to another file afterwards. */
static int
open_both(const char *folder, struct reading *r, struct gantry_error **err)
{
    AUTO_FREE char *path = file_join(folder, "events.jsonl");
    AUTO_FREE char *aside = file_join(folder, "events.1.jsonl");
    if (!path || !aside)
        return err_nomem(err);
    for (int i = 0; i <= ROTATIONS_MAX; i++) {
        struct stat is, was = {0};
        reading_clear(r);
        int code = open_one(aside, &r->old, err);
        if (code == 0)
            code = open_one(path, &r->current, err);
        if (code < 0)
            return code;
        bool there = stat(aside, &is) == 0;
        if (there == (r->old >= 0) &&
            (!there || (fstat(r->old, &was) == 0 && is.st_ino == was.st_ino)))
            break;
    }
    if (r->current < 0 && r->old < 0)
        return err_set(
            err, GANTRY_E_NOT_FOUND,
            "there is no log of events in '%s'; a manager with these settings makes it when "
            "it runs",
            folder);
    return 0;
}

/* Put what the file ends with, up to max bytes, in front of what is there.  *whole: it is all of it. */
static int
take_end(struct reading *r, int fd, size_t max, bool *whole, struct gantry_error **err)
{
    struct stat info;
    *whole = true;
    if (fd < 0)
        return 0;
    if (fstat(fd, &info) < 0)
        return err_set_errno(err, err_code_of_errno(errno), errno, "cannot read the log of events");
    size_t size = (size_t)info.st_size, want = MIN(size, MIN(max, READ_MAX_BYTES)), n = 0;
    *whole = want == size;
    char *text = malloc(want + r->len + 1);
    if (!text)
        return err_nomem(err);
    while (n < want) {
        ssize_t got = pread(fd, text + n, want - n, (off_t)(size - want + n));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break; /* it became shorter: a half line was taken back */
        n += (size_t)got;
    }
    while (n > 0 && text[n - 1] != '\n') /* a line that is being written, or was torn */
        n--;
    const char *first_end = *whole || n == 0 ? NULL : memchr(text, '\n', n);
    size_t cut = first_end ? (size_t)(first_end + 1 - text) : 0; /* most likely it begins earlier */
    n -= cut;
    memmove(text, text + cut, n);
    if (r->len > 0)
        memcpy(text + n, r->text, r->len);
    free(r->text);
    r->text = text;
    r->len += n;
    return 0;
}

/* Where the newest so many events begin; *enough: there are as many. */
static size_t
newest_begin(const struct reading *r, uint32_t newest, bool *enough)
{
    size_t begin = r->len, end = r->len;
    uint32_t found = 0;
    while (end > 0 && found < newest) {
        int64_t time_ms = 0;
        begin = end - 1; /* its newline */
        while (begin > 0 && r->text[begin - 1] != '\n')
            begin--;
        cJSON *json = parse((struct str){r->text + begin, end - 1 - begin}, &time_ms);
        found += json != NULL;
        cJSON_Delete(json);
        end = begin;
    }
    *enough = found == newest;
    return begin;
}

/* Read as far back as the newest so many events reach. */
static int
load(struct reading *r, uint32_t newest, size_t *begin, struct gantry_error **err)
{
    size_t max = newest > 0 ? (size_t)newest * EVENT_GUESS_BYTES : SIZE_MAX;
    for (;; max = max > SIZE_MAX / 8 ? SIZE_MAX : max * 8) {
        bool whole = true, whole_old = true, enough = false;
        free(TAKE(r->text));
        r->len = 0;
        int code = take_end(r, r->current, max, &whole, err);
        if (code == 0 && whole)
            code = take_end(r, r->old, max, &whole_old, err);
        if (code < 0)
            return code;
        *begin = newest > 0 ? newest_begin(r, newest, &enough) : 0;
        if (enough || (whole && whole_old) || max >= READ_MAX_BYTES)
            return 0;
    }
}

/* ---- the settings ---------------------------------------------------------------------------- */

static int
find_folder(const struct gantry_options *options, char **folder, struct gantry_error **err)
{
    struct gantry_options o = {0};
    memcpy(&o, options, MIN(options->size, sizeof o));
    AUTO_FREE struct gantry_assignment *assigned =
        calloc((size_t)o.assignment_count + 1, sizeof *assigned);
    if (!assigned)
        return err_nomem(err);
    for (uint32_t i = 0; i < o.assignment_count; i++)
        assigned[i] = *GANTRY_AT(struct gantry_assignment, o.assignments, o.assignment_stride, i);
    struct config_options from = {.path = o.path,
                                  .text = o.text,
                                  .environment = o.environment,
                                  .assignments = assigned,
                                  .assignment_count = o.assignment_count};
    struct config *config = NULL;
    int code = config_read(&from, &config, err);
    if (code < 0)
        return code;
    const char *found = config_manager(config)->state_dir;
    if (!found)
        code = err_set(err, GANTRY_E_INVALID, "%s",
                       config_problem_count(config) > 0 ? config_problem(config, 0)
                                                        : "the settings give no state_dir");
    else if (!(*folder = text_dup(found)))
        code = err_nomem(err);
    config_free(config);
    return code;
}

int
gantry_events_read(const struct gantry_options *options, uint32_t newest,
                   int (*each)(void *context, const struct gantry_manager_event *event),
                   void *context, struct gantry_error **err)
{
    AUTO_FREE char *folder = NULL;
    AUTO(reading_clear) struct reading r = {-1, -1, NULL, 0};
    size_t begin = 0;
    int code = find_folder(options, &folder, err);
    if (code == 0)
        code = open_both(folder, &r, err);
    if (code == 0)
        code = load(&r, newest, &begin, err);
    struct str rest = {r.text ? r.text + begin : NULL, r.len - begin};
    while (code == 0 && rest.len > 0) {
        struct str line = str_cut(rest, '\n', &rest);
        code = give(line, each, context);
    }
    return code;
}
