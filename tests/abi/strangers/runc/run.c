/* run.c - one workload: whether it runs, and how it is made to run, and to end. */
#define _GNU_SOURCE /* flock, st_mtim */
#include "runc.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { POLL_MS = 20, KILL_MS = 10000 };

/* ---- what runc says ------------------------------------------------------------------------------- */

/* What runc knows of all containers, an array or null; *out: cJSON_Delete().  runc looks at one after the other, and
 * fails when one of them goes meanwhile. */
int
run_ask(struct step *step, cJSON **out)
{
    const char *const list[] = {
        step->runc->program, "--root", step->runc->state, "list", "-f", "json", NULL};
    for (int tries = 5;; tries--) {
        struct output output;
        int rc = command_run(step, list, &output);
        if (rc < 0)
            return rc;
        *out = output.code == 0 ? cJSON_Parse(output.text) : NULL;
        if (!*out && tries == 1)
            rc = FAIL(step, GANTRY_E_UNAVAILABLE, "'%s list' failed: %s", step->runc->program,
                      output.error);
        output_clear(&output);
        if (*out || rc < 0)
            return rc;
        rc = step_wait(step, NULL, 0, POLL_MS);
        if (rc < 0)
            return rc;
    }
}

const char *
run_word(const cJSON *states, const char *handle)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, states)
    {
        const cJSON *id = cJSON_GetObjectItemCaseSensitive(item, "id");
        const cJSON *word = cJSON_GetObjectItemCaseSensitive(item, "status");
        if (cJSON_IsString(id) && cJSON_IsString(word) && strcmp(id->valuestring, handle) == 0)
            return word->valuestring;
    }
    return "";
}

static int64_t
changed_ms(const struct bundle *bundle, const char *file)
{
    char path[PATH_MAX];
    struct stat about;
    if (stat(bundle_path(bundle, file, path), &about) != 0)
        return 0;
    return (int64_t)about.st_mtim.tv_sec * 1000 + about.st_mtim.tv_nsec / 1000000;
}

/* Its exit code; -1: it has not ended. */
static int
exit_code(const struct bundle *bundle)
{
    char path[PATH_MAX];
    char *text = file_read(bundle_path(bundle, "exit", path));
    int code = text ? (int)strtol(text, NULL, 10) : -1;
    free(text);
    return code;
}

/* Is the shell there that waits for its end? */
bool
run_is_alive(const struct bundle *bundle)
{
    char path[PATH_MAX];
    int fd = open(bundle_path(bundle, "alive", path), O_RDONLY | O_CLOEXEC);
    bool alive = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (fd >= 0)
        close(fd);
    return alive;
}

/* word: as of a moment ago; what is in the folder is newer. */
uint32_t
run_state(const struct bundle *bundle, const char *word)
{
    bool alive =
        run_is_alive(bundle); /* before its exit code is looked for: it writes that down at last */
    int code = exit_code(bundle);
    if (code >= 0)
        return code == 0 || bundle_has(bundle, "told") ? GANTRY_STATE_EXITED : GANTRY_STATE_FAILED;
    if (!alive) /* it was ended with the machine */
        return bundle_has(bundle, "pid") ? GANTRY_STATE_FAILED : GANTRY_STATE_CREATED;
    if (strcmp(word, "running") == 0)
        return bundle_has(bundle, "told") ? GANTRY_STATE_STOPPING : GANTRY_STATE_RUNNING;
    if (strcmp(word, "paused") == 0)
        return GANTRY_STATE_PAUSED;
    if (strcmp(word, "stopped") == 0)
        return GANTRY_STATE_STOPPING;
    if (strcmp(word, "created") == 0 || !word[0])
        return GANTRY_STATE_STARTING;
    return GANTRY_STATE_UNKNOWN;
}

int
run_emit(struct step *step, const struct bundle *bundle, const char *word)
{
    struct gantry_status status = {
        .size = sizeof status,
        .present = GANTRY_STATUS_CREATED,
        .handle = bundle->handle,
        .name = bundle->name,
        .hash = bundle->hash,
        .image = bundle->image,
        .labels = bundle->labels,
        .label_count = bundle->label_count,
        .label_stride = sizeof bundle->labels[0],
        .state = run_state(bundle, word),
        .created_ms = changed_ms(bundle, "config.json"),
        .started_ms = changed_ms(bundle, "pid"),
        .finished_ms = changed_ms(bundle, "exit"),
        .exit_code = exit_code(bundle),
    };
    if (status.started_ms)
        status.present |= GANTRY_STATUS_STARTED;
    if (status.finished_ms)
        status.present |= GANTRY_STATUS_FINISHED | GANTRY_STATUS_EXIT_CODE;
    return gantry_emit_status(step->runc->host, step->call, &status);
}

/* ---- running -------------------------------------------------------------------------------------- */

/* $0: runc, $1: its folder, $2: the bundle, $3: the handle.  The shell in the background has no parent soon; the
 * lock is its, and that of nobody whom it starts. */
static const char beside[] =
    "cd \"$2\" && exec 9>alive && flock 9 || exit 1\n"
    "{ \"$0\" --root \"$1\" --log runc.log --log-format json run --pid-file pid --bundle . \"$3\""
    " </dev/null >>stdout 2>>stderr 9>&-; echo $? >exit.new; mv exit.new exit; } >/dev/null 2>&1 "
    "&\n";

static void
forget(const struct bundle *bundle, const char *file)
{
    char path[PATH_MAX];
    unlink(bundle_path(bundle, file, path));
}

/* What runc said at last, for a person. */
static int
fail_by_log(struct step *step, const struct bundle *bundle)
{
    char path[PATH_MAX];
    char *text = file_read(bundle_path(bundle, "runc.log", path));
    char *line = text ? strrchr(text, '{') : NULL;
    cJSON *entry = line ? cJSON_Parse(line) : NULL;
    cJSON *message = cJSON_GetObjectItemCaseSensitive(entry, "msg");
    int rc = FAIL(step, GANTRY_E_INVALID, "image '%s' cannot be run: %s", bundle->image,
                  cJSON_IsString(message) ? message->valuestring : "runc does not say why");
    cJSON_Delete(entry);
    free(text);
    return rc;
}

/* Where this run's part of the log begins. */
static int
mark(struct step *step, const struct bundle *bundle)
{
    static const char *const files[] = {"stdout", "stderr"};
    char path[PATH_MAX];
    struct stat about[2] = {{0}};
    for (int i = 0; i < 2; i++)
        (void)stat(bundle_path(bundle, files[i], path), &about[i]);
    FILE *marks = fopen(bundle_path(bundle, "marks", path), "ae");
    bool good = marks && fprintf(marks, "%lld %lld\n", (long long)about[0].st_size,
                                 (long long)about[1].st_size) > 0;
    good = marks && fclose(marks) == 0 && good;
    return good ? 0 : FAIL(step, GANTRY_E_UNAVAILABLE, "file '%s' cannot be written", path);
}

/* Wait until the shell beside it has made it run. */
int
run_await(struct step *step, const struct bundle *bundle)
{
    int rc = 0;
    while (rc == 0) {
        cJSON *states = NULL;
        if (bundle_has(bundle, "exit"))
            return bundle_has(bundle, "pid") ? 0 : fail_by_log(step, bundle);
        if (bundle_has(bundle, "pid") && (rc = run_ask(step, &states)) == 0) {
            bool runs = strcmp(run_word(states, bundle->handle), "running") == 0;
            cJSON_Delete(states);
            if (runs)
                return 0;
        }
        if (rc == 0 && !run_is_alive(bundle) && !bundle_has(bundle, "exit"))
            rc = FAIL(step, GANTRY_E_UNAVAILABLE, "somebody has ended the shell beside '%s'",
                      bundle->name);
        if (rc == 0)
            rc = step_wait(step, NULL, 0, POLL_MS);
    }
    return rc;
}

/* One that does not run. */
int
run_begin(struct step *step, const struct bundle *bundle)
{
    const char *const begin[] = {
        "sh",           "-c",           beside, step->runc->program, step->runc->state,
        bundle->folder, bundle->handle, NULL};
    const char *const forget_it[] = {
        step->runc->program, "--root", step->runc->state, "delete", "--force",
        bundle->handle,      NULL};
    struct output output;
    int rc = 0;
    if (bundle_has(bundle, "marks") && (rc = command_run(step, forget_it, &output)) == 0)
        output_clear(&output); /* of a run that went with the machine */
    if (rc == 0)
        rc = mark(step, bundle);
    if (rc < 0)
        return rc;
    forget(bundle, "exit");
    forget(bundle, "pid");
    forget(bundle, "told");
    forget(bundle, "runc.log");
    rc = command_run(step, begin, &output);
    if (rc < 0)
        return rc;
    output_clear(&output);
    return run_await(step, bundle);
}

/* A signal; that it is not there any more is no failure. */
static int
send_signal(struct step *step, const struct bundle *bundle, const char *name)
{
    const char *const command[] = {
        step->runc->program, "--root", step->runc->state, "kill", bundle->handle, name, NULL};
    struct output output;
    int rc = command_run(step, command, &output);
    if (rc == 0)
        output_clear(&output);
    return rc;
}

/* Returns 1: it has ended; 0: it has not yet. */
static int
wait_for_end(struct step *step, const struct bundle *bundle, int64_t ms)
{
    int64_t until = monotonic_ms() + ms;
    int rc = 0;
    while (rc == 0 && run_is_alive(bundle) && monotonic_ms() < until)
        rc = step_wait(step, NULL, 0, POLL_MS);
    return rc < 0 ? rc : !run_is_alive(bundle);
}

/* Stop one that may run. */
int
run_end(struct step *step, const struct bundle *bundle, uint32_t grace_ms)
{
    cJSON *states = NULL;
    int rc = run_ask(step, &states);
    if (rc < 0)
        return rc;
    const char *word = run_word(states, bundle->handle);
    bool runs = run_is_alive(bundle) && !bundle_has(bundle, "exit");
    bool paused = strcmp(word, "paused") == 0;
    cJSON_Delete(states);
    if (!runs)
        return 0;
    const char *const resume[] = {step->runc->program, "--root", step->runc->state, "resume",
                                  bundle->handle,      NULL};
    struct output output;
    rc = bundle_touch(step, bundle, "told");
    if (rc == 0 && grace_ms > 0)
        rc = send_signal(step, bundle, "TERM");
    if (rc == 0 && paused && (rc = command_run(step, resume, &output)) == 0)
        output_clear(&output);
    if (rc == 0)
        rc = wait_for_end(step, bundle, grace_ms);
    for (int64_t until = monotonic_ms() + KILL_MS; rc == 0 && monotonic_ms() < until;) {
        rc = send_signal(step, bundle, "KILL"); /* again: at first it may not be there yet */
        if (rc == 0)
            rc = wait_for_end(step, bundle, 100);
    }
    if (rc == 0)
        rc = FAIL(step, GANTRY_E_UNAVAILABLE, "workload '%s' does not end", bundle->name);
    return rc < 0 ? rc : 0;
}

int
run_emit_now(struct step *step, const struct bundle *bundle)
{
    cJSON *states = NULL;
    int rc = run_ask(step, &states);
    if (rc == 0)
        rc = run_emit(step, bundle, run_word(states, bundle->handle));
    cJSON_Delete(states);
    return rc;
}
